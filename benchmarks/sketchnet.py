"""Time and memory of SketchNet: benchmarks/sketchnet.py [--weights NAME_OR_FILE] [--threads N] [--json FILE]

Seconds mean little on another machine, so each is also given as a multiple of a fixed piece of work, plain
convolutions in fp32, timed before and after in the same process. The network runs in the precision it ships in:
bfloat16 where the processor has it. The last line is the peak memory, above what is loaded anyway, of a photo drawn
in tiles and of the same photo drawn at once, each in a process of its own.
"""
import argparse, json, platform, subprocess, sys, time
from pathlib import Path

import numpy as np
import torch

from masknet import best_of
from pipeline import peak_memory, reference
from sketchbook.blocks import _pick_device
from sketchbook.data import sample_photos
from sketchbook.sketchnet import _trained, coherent_lines, _ink_probability, line_maps, paint, _resized
from sketchbook.training import _autocast, _has_bf16


def forward(net, device, height, width):
    "A function that runs the network once on a photo of this size"
    x = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    x = x.to(device, memory_format=torch.channels_last)
    ask = net.layers if getattr(net, 'detail', None) else lambda x: [net(x)]
    def work():
        with torch.inference_mode(), _autocast(device): ask(x)[0].mean().item()
    return work


def pens(net):
    "Functions that follow or replace the network, on the astronaut at 848 px: the pen, and the coherent lines"
    photo = _resized(sample_photos('astronaut')['astronaut'], 2)
    maps = line_maps(photo, net=net)
    return {'paint 848': lambda: paint(maps), 'coherent': lambda: coherent_lines(photo)}


def memory(weights, side, tile):
    "Print what drawing a square photo adds to the peak memory of this process, GB, and the seconds it took"
    net, _ = _trained(weights, 'cpu')
    photo = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    _ink_probability(photo[:96,:96], net)
    before, start = peak_memory(), time.perf_counter()
    _ink_probability(photo, net, tile=tile)
    print(json.dumps([peak_memory()-before, time.perf_counter()-start]))


def memory_apart(args, tile):
    "`memory` in a process of its own: the peak of a process never falls"
    words = [sys.executable, __file__, '--weights', args.weights, '--memory', str(args.side), '--tile', str(tile)]
    if args.threads: words += ['--threads', str(args.threads)]
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def options(doc, weights, rounds):
    "The options of every benchmark that times one network"
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--weights', default=weights, help='a shipped name or a file (%(default)s)')
    p.add_argument('--device', default='cpu', help='auto, cpu, cuda or mps (%(default)s)')
    p.add_argument('--threads', type=int, help='threads of torch; default: its own choice')
    p.add_argument('--rounds', type=int, default=rounds, help='counted runs (%(default)s)')
    p.add_argument('--json', type=Path, help='also write the numbers into this file')
    return p


def timed(title, device, what, rounds, works):
    "Time each of `works`, functions by name, between two references; print the table and give its numbers"
    refs = [reference(device)]
    found = {name: best_of(rounds, work) for name, work in works.items()}
    refs.append(reference(device))
    ref = min(refs)
    print(f'{title}, {device}, {torch.get_num_threads()} threads, torch {torch.__version__}, {platform.machine()}')
    print(f'reference: 20 convolutions in {ref:.4f} s (best before {refs[0]:.4f}, after {refs[1]:.4f})\n')
    print(f'{what:<10}{"best s":>9}{"best x reference":>18}')
    for name, best in found.items(): print(f'{name:<10}{best:>9.3f}{best/ref:>18.2f}')
    return dict(seconds=found, ratio={k: v/ref for k, v in found.items()}, reference=ref)


def main(argv=None):
    p = options(__doc__, 'sketchnet', 7)
    p.add_argument('--side', type=int, default=3000, help='side of the big photo, pixels; 0 for none (%(default)s)')
    p.add_argument('--memory', type=int, help=argparse.SUPPRESS)
    p.add_argument('--tile', type=int, help=argparse.SUPPRESS)
    args = p.parse_args(argv)
    if args.threads: torch.set_num_threads(args.threads)
    if args.memory: return memory(args.weights, args.memory, args.tile)
    device = _pick_device(args.device)
    net, _ = _trained(args.weights, device)
    works = {f'{w}x{h}': forward(net, device, h, w) for h, w in ((321, 481), (848, 848))}
    works |= pens(net)
    precision = 'bfloat16' if _has_bf16(device) else 'float32'
    result = timed(f'{args.weights}, {precision}', device, 'photo', args.rounds, works)
    if args.side:
        (tiled, t1), (whole, t0) = memory_apart(args, 1152), memory_apart(args, 0)
        print(f'\n{args.side} x {args.side} px: {tiled:.2f} GB and {t1:.1f} s in tiles, {whole:.2f} GB and '
              f'{t0:.1f} s at once')
        result |= dict(tiled_gb=tiled, whole_gb=whole, tiled_seconds=t1, whole_seconds=t0)
    if args.json: args.json.write_text(json.dumps(result, indent=1) + '\n')
    return 0


if __name__ == '__main__': sys.exit(main())
