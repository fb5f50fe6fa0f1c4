"""How long MaskNet takes and how large it is: benchmarks/masknet.py [--threads 2] [--rounds 15]

Seconds mean little on another machine, so each is also given as a multiple of a fixed piece of work, plain convolutions,
timed before and after in the same process. The best of all rounds is printed, because on a shared machine the rest measures the others.
Printed are the network at 224 px (photo and mirror image in one batch, as `predict` runs it), and the whole of `predict` on a
12-megapixel photo, with bilinear and with edge-aware enlargement, beside the bars that version 2 has to meet on two cores.
"""
import argparse, json, platform, sys, time
from pathlib import Path

import cv2
import torch

from pipeline import reference
from sketchbook import masknet, weights
from sketchbook.blocks import pick_device
from sketchbook.data import sample_photos

BARS = {'network, 224 px': .06, 'predict, 12 MP': .6, 'predict, 12 MP, edge-aware': .6}   # seconds
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
    small,large = (cv2.resize(photo, size, interpolation=cv2.INTER_LINEAR) for size in ((224, 224), (4000, 3000)))
    net = weights.load(f'masknet-v{version}', device)
    works = (lambda: masknet._logits(net, small).cpu(), lambda: masknet.predict(large, net=net), lambda: masknet.predict(large, net=net, edge_aware=True))
    return {name: best_of(rounds, work) for name,work in zip(BARS, works)}


def main(argv=None):
    p = argparse.ArgumentParser(description='Time MaskNet')
    p.add_argument('--threads', type=int, default=2, help='threads of PyTorch and OpenCV (%(default)s)')
    p.add_argument('--rounds', type=int, default=15, help='timed calls of each (%(default)s)')
    p.add_argument('--device', default='cpu', help='auto, cpu, cuda or mps (%(default)s)')
    p.add_argument('--json', type=Path, help='also write the numbers into this file')
    args = p.parse_args(argv)
    torch.set_num_threads(args.threads); cv2.setNumThreads(args.threads)
    device = pick_device(args.device)
    before = reference(device)
    seconds = {v: measure(v, device, args.rounds) for v in (1, 2)}
    ref = min(before, reference(device))
    sizes = {v: weights.card(f'masknet-v{v}')['bytes'] for v in (1, 2)}
    print(f'{device}, {args.threads} threads, best of {args.rounds}, torch {torch.__version__}, {platform.machine()}; reference: 20 convolutions in {ref:.4f} s\n')
    print(f'{"":<30}{"version 1":>10}{"version 2":>10}{"x reference":>13}{"bar":>8}')
    for name,bar in BARS.items():
        print(f'{name:<30}{seconds[1][name]:>8.3f} s{seconds[2][name]:>8.3f} s{seconds[2][name]/ref:>13.2f}{bar:>6.2f} s  {"met" if seconds[2][name]<bar else "MISSED"}')
    print(f'{"weight file":<30}{sizes[1]/1e6:>7.2f} MB{sizes[2]/1e6:>7.2f} MB{"":>13}{MAX_BYTES/1e6:>5.0f} MB  {"met" if sizes[2]<MAX_BYTES else "MISSED"}')
    ratio = {v: {k: t/ref for k,t in s.items()} for v,s in seconds.items()}
    if args.json: args.json.write_text(json.dumps(dict(seconds=seconds, ratio=ratio, reference=ref, bytes=sizes), indent=1) + '\n')
    return 0


if __name__=='__main__': sys.exit(main())
