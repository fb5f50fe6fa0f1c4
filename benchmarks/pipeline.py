"""How long a photo takes, stage by stage, and how much memory: benchmarks/pipeline.py [PHOTO-OR-FOLDER...]

Seconds mean little on another machine, so each is also given as a multiple of a fixed piece of work, plain
convolutions, timed before and after in the same process. The photos are done `--rounds` times and the first round is
not counted: it loads the networks and warms the caches.
"""
import argparse, json, platform, resource, statistics, sys, tempfile, time
from pathlib import Path

import torch

from sketchbook import pipeline
from sketchbook.blocks import _pick_device
from sketchbook.cli import _SAMPLES
from sketchbook.data import sample_photos


def reference(device):
    "Seconds for 20 convolutions, 3x3, 32 to 32 channels, on one 256 x 256 map: the best of five tries"
    g = torch.Generator().manual_seed(0)
    x = torch.randn(1, 32, 256, 256, generator=g).to(device)
    w = (torch.randn(32, 32, 3, 3, generator=g)/17).to(device)
    def once():
        start,y = time.perf_counter(), x
        for _ in range(20): y = torch.nn.functional.conv2d(y, w, padding=1)
        y.mean().item()     # also waits for a GPU
        return time.perf_counter()-start
    with torch.inference_mode(): return min(once() for _ in range(6))


def peak_memory():
    "The most memory this process has had, GB"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak/(1e9 if sys.platform=='darwin' else 1e6)


def measure(photos, rounds, settings, device):
    "Seconds per photo by stage (one dict for each photo and counted round), and seconds of the reference"
    found,ref = [],[reference(device)]
    for i in range(rounds+1):
        with tempfile.TemporaryDirectory() as out:
            report = pipeline.run_folder(photos, out, pipeline.Pipeline(**settings), progress=False)
        if report['skipped']: raise SystemExit(report['skipped'][0]['reason'])
        if i: found += [p['seconds'] for p in report['photos']]
        ref.append(reference(device))
    return found, statistics.median(ref)


def main(argv=None):
    p = argparse.ArgumentParser(description='Time the pipeline, stage by stage')
    p.add_argument('photos', nargs='*', help='photos or folders; default: the four samples')
    p.add_argument('--resolution', type=int, default=2, help='as in `sketchbook run` (%(default)s)')
    p.add_argument('--rounds', type=int, default=3, help='counted rounds (%(default)s)')
    p.add_argument('--device', default='cpu', help='auto, cpu, cuda or mps (%(default)s)')
    p.add_argument('--no-vectorize', dest='vectorize', action='store_false')
    p.add_argument('--mask-weights', help='a name or file instead of the shipped MaskNet')
    p.add_argument('--sketch-weights', help='a name or file instead of the shipped SketchNet')
    p.add_argument('--json', type=Path, help='also write the numbers into this file')
    args = p.parse_args(argv)
    settings = {k: getattr(args, k) for k in ('resolution', 'vectorize', 'device', 'mask_weights', 'sketch_weights')}
    device = _pick_device(args.device)
    found,ref = measure(args.photos or sample_photos(_SAMPLES), args.rounds, settings, device)
    stages = list(found[0])
    seconds = {s: statistics.mean(f[s] for f in found) for s in stages}
    seconds['all'] = statistics.mean(sum(f.values()) for f in found)
    seconds['slowest photo'] = max(sum(f.values()) for f in found)
    print(f'{len(found)//args.rounds} photos, {args.rounds} rounds, resolution {args.resolution}, {device}, '
          f'{torch.get_num_threads()} threads, torch {torch.__version__}, {platform.machine()}')
    print(f'reference: 20 convolutions in {ref:.4f} s\n')
    print(f'{"stage":<14}{"s per photo":>12}{"x reference":>13}')
    for s,t in seconds.items(): print(f'{s:<14}{t:>12.3f}{t/ref:>13.2f}')
    print(f'\npeak memory {peak_memory():.2f} GB')
    result = dict(seconds=seconds, ratio={s: t/ref for s,t in seconds.items()}, reference=ref, peak_gb=peak_memory())
    if args.json: args.json.write_text(json.dumps(result, indent=1) + '\n')
    return 0


if __name__=='__main__': sys.exit(main())
