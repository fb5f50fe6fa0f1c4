"""How long a completed picture takes: benchmarks/sketch2image.py [--weights NAME_OR_FILE] [--threads N] [--json FILE]

Drawings of OpenMoji at three sizes, from the sketch to the picture at the sketch's size, seconds (best of some rounds) and as a
multiple of a fixed piece of work, plain convolutions in fp32, timed before and after in the same process.
"""
import argparse, json, platform, sys
from pathlib import Path

import torch

from masknet import best_of
from pipeline import reference
from sketchbook.blocks import pick_device
from sketchbook.data import OpenMojiPairs
from sketchbook.sketch2image import complete, completer


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--weights', default='sketch2image', help='a shipped name or a file (%(default)s)')
    p.add_argument('--device', default='cpu', help='auto, cpu, cuda or mps (%(default)s)')
    p.add_argument('--threads', type=int, help='threads of torch; default: its own choice')
    p.add_argument('--rounds', type=int, default=15, help='counted runs (%(default)s)')
    p.add_argument('--json', type=Path, help='also write the numbers into this file')
    args = p.parse_args(argv)
    if args.threads: torch.set_num_threads(args.threads)
    device = pick_device(args.device)
    net, refs, found = completer(args.weights, device), [reference(device)], {}
    for size in (64, 256, 1024):
        sketch = OpenMojiPairs('val', size=size, flags=False)[7][0]
        found[size] = best_of(args.rounds, lambda: complete(sketch, net))
    ref = min(*refs, reference(device))
    print(f'{args.weights}, {device}, {torch.get_num_threads()} threads, torch {torch.__version__}, {platform.machine()}')
    print(f'reference: 20 convolutions in {ref:.4f} s\n')
    print(f'{"side":<10}{"best s":>9}{"best x reference":>18}')
    for size, best in found.items(): print(f'{size:<10}{best:>9.3f}{best/ref:>18.2f}')
    if args.json: args.json.write_text(json.dumps(dict(seconds=found, ratio={k: v/ref for k, v in found.items()}, reference=ref), indent=1) + '\n')
    return 0


if __name__ == '__main__': sys.exit(main())
