"""What a training step of the encoder costs: benchmarks/training.py [--threads N] [--side PIXELS] [--batch-size N] [--json FILE]

Forward and backward of `blocks.Encoder`, in bfloat16 where the processor has it, with the gradients of its depthwise convolutions
computed in float32 (`blocks.DepthwiseConv`) and as torch computes them. Seconds (best of some rounds), and as a multiple of a fixed
piece of work, plain convolutions in fp32, timed before and after in the same process.
"""
import argparse, json, sys
from pathlib import Path

import torch

from sketchnet import timed
from sketchbook.blocks import DepthwiseConv, Encoder
from sketchbook.training import autocast, has_bf16


def step(encoder, photos, float32):
    "A function that runs one step without the optimiser"
    def work():
        DepthwiseConv.float32_gradients = float32
        with autocast('cpu'): loss = sum(m.float().square().mean() for m in encoder(photos))
        loss.backward()
        encoder.zero_grad()
    return work


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--threads', type=int, help='threads of torch; default: its own choice')
    p.add_argument('--rounds', type=int, default=5, help='counted runs (%(default)s)')
    p.add_argument('--side', type=int, default=224, help='of a photo, pixels (%(default)s)')
    p.add_argument('--batch-size', type=int, default=8, help='photos a step (%(default)s)')
    p.add_argument('--json', type=Path, help='also write the numbers into this file')
    args = p.parse_args(argv)
    if args.threads: torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    encoder = Encoder(out=(0, 1, 2, 3)).to(memory_format=torch.channels_last)
    photos = torch.rand(args.batch_size, 3, args.side, args.side).to(memory_format=torch.channels_last)
    title = f"Encoder, {args.batch_size} photos of {args.side} px, {'bfloat16' if has_bf16(torch.device('cpu')) else 'float32'}"
    result = timed(title, 'cpu', 'gradients', args.rounds, {'float32': step(encoder, photos, True), "torch's": step(encoder, photos, False)})
    if args.json: args.json.write_text(json.dumps(result, indent=1) + '\n')
    return 0


if __name__ == '__main__': sys.exit(main())
