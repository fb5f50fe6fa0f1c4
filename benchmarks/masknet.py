"""How long MaskNet takes and how large it is: benchmarks/masknet.py [--threads 2] [--rounds 15]

Seconds mean little on another machine, so each is also given as a multiple of a fixed piece of work, plain
convolutions, timed before and after in the same process. The best of all rounds is printed, because on a shared
machine the rest measures the others. Printed are the network at its own sizes, 224 px or 256 and 384 px (photo and
mirror image in one batch, as `predict` runs it), and the whole of `predict` on a 12-megapixel photo, with bilinear
and with edge-aware enlargement, beside the bars that version 2 has to meet on two cores.

With `--page FILE --data TAR` it draws a page of sixteen hard photos instead, each with the mask of version 2 and its
mean absolute error: the eight whose true mask has the most parts, and of the others the eight on which version 1
errs most.
"""
import argparse, json, platform, sys, time
from pathlib import Path

import cv2
import numpy as np
import torch

from pipeline import reference
from sketchbook import masknet, weights
from sketchbook.blocks import _pick_device
from sketchbook.data import SaliencyPairs, sample_photos, save_image

BARS = {'network, its own sizes': .08, 'predict, 12 MP': .6, 'predict, 12 MP, edge-aware': .6}   # seconds
MAX_BYTES = 8e6


def best_of(rounds, work):
    "Seconds of the quickest of `rounds` calls, after one that warms up"
    work()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter()-start)
    return min(seconds)


def measure(version, device, rounds):
    "Seconds by name"
    photo = sample_photos('cat')['cat']
    net = weights.load(f'masknet-v{version}', device)
    small,large = (cv2.resize(photo, size, interpolation=cv2.INTER_LINEAR) for size in ((384, 384), (4000, 3000)))
    works = (lambda: masknet._logits(weights.folded(net), small).cpu(), lambda: masknet.predict(large, net=net),
             lambda: masknet.predict(large, net=net, edge_aware=True))
    return {name: best_of(rounds, work) for name,work in zip(BARS, works)}


def hard_ones(pairs):
    "Numbers of sixteen hard pairs: eight with many parts, eight that version 1 gets wrong"
    def parts(mask):
        stats = cv2.connectedComponentsWithStats((mask>.5).astype(np.uint8))[2]
        return (stats[1:,cv2.CC_STAT_AREA] > .02*mask.size).sum()
    many = sorted(range(len(pairs)), key=lambda i: -parts(pairs[i][1]))[:8]
    error = {i: np.abs(masknet.predict(photo, 1)-mask).mean() for i,(photo,mask) in enumerate(pairs) if i not in many}
    return many + sorted(error, key=error.get)[::-1][:8]


def page(pairs, side=112):
    "The hard pairs in four columns: photo, mask, and the error of the mask"
    tiles = []
    for photo,mask in (pairs[i] for i in hard_ones(pairs)):
        found = masknet.predict(photo)
        both = [cv2.resize(p, (side, side), interpolation=cv2.INTER_AREA)
                for p in (photo, (found*255).astype(np.uint8))]
        tile = np.hstack([both[0], cv2.cvtColor(both[1], cv2.COLOR_GRAY2RGB)])
        tile = cv2.copyMakeBorder(tile, 0, 16, 0, 1, cv2.BORDER_CONSTANT, value=(255,)*3)
        error = np.abs(found-mask).mean()
        tiles.append(cv2.putText(tile, f'{error:.2f}', (side+4, side+12), cv2.FONT_HERSHEY_SIMPLEX, .4, (0,)*3, 1,
                                 cv2.LINE_AA))
    return np.vstack([np.hstack(tiles[i:i+4]) for i in range(0, len(tiles), 4)])


def page_options(description):
    "The options of a benchmark that times, or draws a page instead"
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--threads', type=int, default=2, help='threads when it is timed (%(default)s)')
    p.add_argument('--rounds', type=int, default=15, help='timed calls of each (%(default)s)')
    p.add_argument('--device', default='cpu', help='what is timed: auto, cpu, cuda or mps (%(default)s)')
    p.add_argument('--json', type=Path, help='also write the numbers into this file')
    p.add_argument('--page', type=Path, help='draw a page of photos into this file, and measure nothing')
    p.add_argument('--data', type=Path, help='folder or tar of the data for the page')
    return p


def main(argv=None):
    p = page_options('Time MaskNet')
    args = p.parse_args(argv)
    if args.page:
        if not args.data: p.error('--page needs --data')
        pairs = SaliencyPairs(args.data)
        save_image(args.page, page([pairs[i] for i in range(len(pairs))]))
        return 0
    torch.set_num_threads(args.threads); cv2.setNumThreads(args.threads)
    device = _pick_device(args.device)
    before = reference(device)
    seconds = {v: measure(v, device, args.rounds) for v in (1, 2)}
    ref = min(before, reference(device))
    sizes = {v: weights.card(f'masknet-v{v}')['bytes'] for v in (1, 2)}
    print(f'{device}, {args.threads} threads, best of {args.rounds}, torch {torch.__version__}, {platform.machine()}; '
          f'reference: 20 convolutions in {ref:.4f} s\n')
    print(f'{"":<30}{"version 1":>10}{"version 2":>10}{"x reference":>13}{"bar":>8}')
    for name,bar in BARS.items():
        one, two = seconds[1][name], seconds[2][name]
        print(f'{name:<30}{one:>8.3f} s{two:>8.3f} s{two/ref:>13.2f}{bar:>6.2f} s  {"met" if two<bar else "MISSED"}')
    print(f'{"weight file":<30}{sizes[1]/1e6:>7.2f} MB{sizes[2]/1e6:>7.2f} MB{"":>13}{MAX_BYTES/1e6:>5.0f} MB  '
          f'{"met" if sizes[2]<MAX_BYTES else "MISSED"}')
    ratio = {v: {k: t/ref for k,t in s.items()} for v,s in seconds.items()}
    if args.json:
        result = dict(seconds=seconds, ratio=ratio, reference=ref, bytes=sizes)
        args.json.write_text(json.dumps(result, indent=1) + '\n')
    return 0


if __name__=='__main__': sys.exit(main())
