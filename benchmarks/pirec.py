"""How long PI-REC takes, and what it paints: benchmarks/pirec.py [--threads 2] [--rounds 15]

The edges, the colour domain and both phases of one picture of 128 px, seconds (best of some rounds) and as a multiple
of a fixed piece of work, plain convolutions, timed before and after in the same process; a phase should take less
than 120 milliseconds on two cores.

With `--page FILE --data TAR` it draws a page of 32 photos instead, drawn at random from those in the folder `val`:
edges, colour domain, phase 2, phase 3, truth.
"""
import argparse, json, sys
from pathlib import Path

import numpy as np
import torch

from sketchbook import pirec
from sketchbook.blocks import pick_device
from sketchbook.data import PhotoFolder, sample_photos, save_image
from sketchnet import timed


def works(device):
    "Functions to time, by name"
    photo = pirec.square(sample_photos('coffee')['coffee'])
    lines, colors = pirec.edges(photo), pirec.color_domain(photo)
    return {'edges': lambda: pirec.edges(photo), 'colour domain': lambda: pirec.color_domain(photo),
            'phase 2': lambda: pirec.draw(lines, colors, device=device),
            'phase 3': lambda: pirec.refine(lines, colors, device=device)}


def page(photos, n=32, columns=2, seed=0):
    "Rows of five pictures, in two columns"
    rows = []
    for i in np.random.default_rng(seed).permutation(len(photos))[:n]:
        photo = pirec.square(photos[int(i)])
        steps = pirec.reconstruct(photo)
        lines = np.repeat(np.uint8(steps['edges']*255)[...,None], 3, 2)
        tiles = [lines, steps['colour domain'], steps['phase 2'], steps['phase 3'], photo]
        rows.append(np.hstack([np.pad(t, ((1, 1), (1, 1), (0, 0)), constant_values=255) for t in tiles]))
    gap = np.full((rows[0].shape[0]*(n//columns), 8, 3), 255, np.uint8)
    parts = [np.vstack(rows[i::columns]) for i in range(columns)]
    return np.hstack([p for part in parts for p in (part, gap)][:-1])


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--threads', type=int, default=2, help='threads of PyTorch (%(default)s)')
    p.add_argument('--rounds', type=int, default=15, help='timed calls of each (%(default)s)')
    p.add_argument('--device', default='cpu', help='auto, cpu, cuda or mps (%(default)s)')
    p.add_argument('--json', type=Path, help='also write the numbers into this file')
    p.add_argument('--page', type=Path, help='draw a page of photos into this file, and measure nothing')
    p.add_argument('--data', type=Path, help='folder or tar of photos for the page, with a folder val')
    args = p.parse_args(argv)
    if args.page:
        if not args.data: p.error('--page needs --data')
        save_image(args.page, page(PhotoFolder(args.data, 'val')))
        return 0
    torch.set_num_threads(args.threads)
    device = pick_device(args.device)
    result = timed('128 px', device, 'what', args.rounds, works(device))
    if args.json: args.json.write_text(json.dumps(result, indent=1) + '\n')
    return 0


if __name__ == '__main__': sys.exit(main())
