"""How long a completed picture takes: benchmarks/sketch2image.py [--weights NAME_OR_FILE] [--threads N] [--json FILE]

Drawings of OpenMoji at three sizes, from the sketch to the picture at the sketch's size, seconds (best of some
rounds) and as a multiple of a fixed piece of work, plain convolutions in fp32, timed before and after in the same
process.
"""
import json, sys

import torch

from sketchnet import options, timed
from sketchbook.blocks import _pick_device
from sketchbook.drawings import OpenMojiPairs
from sketchbook.palette import complete
from sketchbook.weights import load


def work(net, size):
    "A function that completes a drawing of this size"
    sketch = OpenMojiPairs('val', size=size, flags=False)[7][0]
    return lambda: complete(sketch, net)


def main(argv=None):
    args = options(__doc__, 'sketch2image', 15).parse_args(argv)
    if args.threads: torch.set_num_threads(args.threads)
    device = _pick_device(args.device)
    net = load(args.weights, device)
    result = timed(f'{args.weights}, float32', device, 'side', args.rounds,
                   {str(size): work(net, size) for size in (64, 256, 1024)})
    if args.json: args.json.write_text(json.dumps(result, indent=1) + '\n')
    return 0


if __name__ == '__main__': sys.exit(main())
