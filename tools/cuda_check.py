"""Does a GPU compute what the processor computes? tools/cuda_check.py [--json FILE]

Every network of the package answers the same input on the processor (fp32) and on CUDA, in fp32 and in bf16; the root
of the mean squared difference is given in standard deviations of the answers. Then every kind of task trains two steps
on toy data on CUDA. Milliseconds are the median of ten forward passes, or the two steps with all that is around them;
memory is the peak on the GPU. The exit status is 1 when something is off.
"""
import argparse, json, sys, tempfile, time, warnings
from pathlib import Path

import numpy as np
import torch

from sketchbook import (details, masknet, palette, pirec, selfsup, sketch2image, sketchnet, tom, virtual,
                        virtual_training, weights)
from sketchbook.data import save_image
from sketchbook.training import fit

TOLERANCE = {'fp32': .005, 'bf16': .2}    # largest difference, in standard deviations (TF32 convolutions are allowed)


def question(net, rng):
    "Inputs for `net`, on the processor, and the function that asks it"
    noise = lambda *shape: torch.rand(shape, generator=rng)
    name = type(net).__name__
    if name == 'Completer': return [noise(2, 1, 64, 64)], lambda net, x: net(x)
    if name in ('Reconstructor', 'UNet'): return [noise(2, 4, 128, 128)], lambda net, x: net(x)
    if name == 'Shader': return [noise(2, net.config['ni'] + 2, 128, 128)], lambda net, x: net(x)
    if name == 'JointGAN': return [noise(2, net.netG.z)*2 - 1], lambda net, z: net(z)
    if name == 'VirtualSketcher': return [(noise(2, 1, 64, 64) > .9).float()[:,0], noise(2, 2)*64], walked
    if name == 'Stylist':       # the refiner's noise differs from device to device
        return [noise(2, 1, 128, 128), noise(2, 3, 128, 128)], lambda net, sketch, photo: net.rough(sketch, photo)
    return [noise(2, 3, 224, 224)], lambda net, x: net(x)


def walked(net, page, cursor):
    "Two strokes from the middle of two pages"
    full = lambda value: torch.full((len(page),), value, device=page.device)
    return virtual._rollout(net, page[:,None], cursor, full(32.), full(1.), 2).soft


def answer(net, inputs, ask, device, precision):
    "What `net` says, as float32 on the processor"
    with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=precision == 'bf16'):
        return ask(net, *(x.to(device) for x in inputs)).float().cpu()


def difference(a, b): return float((a - b).square().mean().sqrt()/b.std())


def milliseconds(work, rounds=10):
    "The median time of `work` on the GPU, after two that do not count"
    times = []
    for i in range(rounds+2):
        torch.cuda.synchronize()
        began = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times.append(1e3*(time.perf_counter() - began))
    return float(np.median(times[2:]))


def compare(name):
    "A row for each precision: how far CUDA is from the processor, and what it costs"
    there = weights.load(name, 'cuda')
    inputs, ask = question(there, torch.Generator().manual_seed(0))
    truth = answer(weights.load(name, 'cpu'), inputs, ask, 'cpu', 'fp32')
    for precision, most in TOLERANCE.items():
        torch.cuda.reset_peak_memory_stats()
        work = lambda: answer(there, inputs, ask, 'cuda', precision)
        off = difference(work(), truth)
        yield dict(what=name, precision=precision, off=off, ms=milliseconds(work),
                   memory=torch.cuda.max_memory_allocated()/2**20, fine=off <= most)


def toy_tasks():
    "Tasks on toy data by name, and what their training starts from"
    photo = np.full((160, 160, 3), 255, np.uint8)
    photo[40:120,40:120] = 200, 60, 40
    mask = np.zeros((160, 160), np.float32)
    mask[40:120,40:120] = 1
    line = np.abs(np.diff(mask, axis=0, prepend=0)) + np.abs(np.diff(mask, axis=1, prepend=0)) > 0
    sketch, picture = 1 - line[::2,::2][8:72,8:72].astype(np.float32), photo[::2,::2][8:72,8:72]
    views = sketch2image._PairViews([(sketch, picture)]*4)
    drawings = virtual_training.Drawings([sketch, sketch[::-1].copy()])
    outlines = sketchnet.SketchNet(pretrained=False).state_dict()
    folder = Path(tempfile.mkdtemp())
    for i in range(24): save_image(folder/f'{i:02}.png', photo)
    small = selfsup.configuration('art', size=64, n=8, n_refine=8)
    sketched = selfsup.SketchedPhotos(folder, makers=[sketchnet.coherent_lines])
    return {'masknet': (masknet.MaskNetTask([(photo, mask)]*8, size=96), None),
            'sketchnet': (sketchnet.SketchNetTask([(photo, line.astype(np.float32))]*4, size=96, gan_from=.3), None),
            'details': (details.DetailTask(details._DetailData([(photo, mask)]), gan_from=.3), outlines),
            'virtual': (virtual_training.VirtualTask(drawings, steps=2, unroll=2, raster_from=.3, raster_every=1),
                        None),
            'pirec': (pirec.PirecTask(folder, size=64), None),
            'tom': (tom.TomTask(folder, folder, size=64), None),
            'selfsup-ae': (selfsup.AutoencoderTask(sketched, small, weights={'pixel': 1., 'mutual': .1}), None),
            'selfsup': (selfsup.RefinerTask(sketched, small), None),
            'sketch2image': (palette.CompletionTask(views, lambda_gan=.1, updates=(1, 1), k=4), None),
            'sketch2image-paper': (sketch2image._JointGANTask(views, nf=8), None),
            'sketch2image-original': (sketch2image.JointTask(views, ['encoder'], width=1/16, updates=(1, 1)), None)}


def train(name, task, init):
    "A row for each precision: do two steps run, and are the weights finite?"
    for precision in TOLERANCE:
        torch.cuda.reset_peak_memory_stats()
        with tempfile.TemporaryDirectory() as out:
            began = time.perf_counter()
            run = fit(task, out, steps=2, batch_size=2, device='cuda', precision=precision, init=init and dict(init),
                      workers=1, plot=False, progress=False)
        finite = all(p.isfinite().all() for net in run.plain.values() for p in net.parameters())
        memory = torch.cuda.max_memory_allocated()/2**20
        ms = 1e3*(time.perf_counter() - began)
        yield dict(what=f'train {name}', precision=precision, off=None, ms=ms, memory=memory, fine=finite)


def tell(row):
    "Print a row"
    off = '' if row['off'] is None else f'{row["off"]:.4f} sd'
    numbers = f'{off:>12}{row["ms"]:>10.1f} ms{row["memory"]:>9.0f} MiB'
    print(f'{row["what"]:<26}{row["precision"]:<6}{numbers}  {"ok" if row["fine"] else "OFF"}', flush=True)
    return row


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--json', type=Path, help='also write the rows into this file')
    args = p.parse_args(argv)
    if not torch.cuda.is_available(): print('There is no GPU here: nothing is compared.'); return 0
    warnings.simplefilter('ignore')
    print(f'{torch.cuda.get_device_name()}, torch {torch.__version__}')
    rows = [tell(row) for name in weights.available() for row in compare(name)]
    rows += [tell(row) for name, (task, init) in toy_tasks().items() for row in train(name, task, init)]
    if args.json: args.json.write_text(json.dumps(rows, indent=1) + '\n')
    return 0 if all(row['fine'] for row in rows) else 1


if __name__ == '__main__': sys.exit(main())
