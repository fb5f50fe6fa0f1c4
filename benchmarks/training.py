"""What training costs: benchmarks/training.py [OPTIONS], which --help lists

Forward and backward of `blocks.Encoder`, in bfloat16 where the processor has it, with the gradients of its depthwise
convolutions computed in float32 (`blocks._DepthwiseConv`) and as torch computes them. Then steps of the shipped
networks' tasks on toy data, with all that the engine does around them; with --compile also with compiled networks
(`fit(compile=True)`), and what the first step, which compiles, takes. Seconds (best of some rounds), and as a multiple
of a fixed piece of work, plain convolutions in fp32, timed before and after in the same process.
"""
import argparse, json, sys, tempfile, time
from pathlib import Path

import torch

from pipeline import reference
from sketchnet import timed
from sketchbook.blocks import _DepthwiseConv, Encoder
from sketchbook.training import _autocast, fit, _has_bf16

sys.path.insert(0, str(Path(__file__).resolve().parents[1]/'tools'))


def step(encoder, photos, float32):
    "A function that runs one step without the optimiser"
    def work():
        _DepthwiseConv.float32_gradients = float32
        with _autocast('cpu'): loss = sum(m.float().square().mean() for m in encoder(photos))
        loss.backward()
        encoder.zero_grad()
    return work


def seconds_a_step(task, init, steps, batch_size, compile=False):
    "The shortest time from one step of `fit` to the next, and the longest"
    began, of_task = [], task.step
    def noted(run, *batch):
        began.append(time.perf_counter())
        return of_task(run, *batch)
    task.step = noted
    with tempfile.TemporaryDirectory() as out:
        fit(task, out, steps=steps, batch_size=batch_size, device='cpu', init=init, compile=compile, plot=False,
            progress=False)
    task.step = of_task
    times = [b - a for a, b in zip(began, began[1:])]
    return min(times), max(times)


def tasks(steps, batch_size, only=None, compiled=False):
    "Print and return what a step of each task costs, in seconds and in units of the fixed work"
    from cuda_check import toy_tasks
    rows = {}
    for name, (task, init) in toy_tasks().items():
        if only and name not in only: continue
        before = reference('cpu')
        seconds, _ = seconds_a_step(task, init, steps, batch_size)
        rows[name] = dict(seconds=seconds, units=2*seconds/(before + reference('cpu')))
        print(f'{name:<20}{seconds:>8.3f} s a step of {batch_size}{rows[name]["units"]:>8.2f} units', flush=True)
        if not compiled: continue
        seconds, slowest = seconds_a_step(task, init, steps, batch_size, compile=True)
        rows[name] |= dict(compiled=seconds, slowest=slowest)
        print(f'{"  compiled":<20}{seconds:>8.3f} s, the slowest {slowest:.1f} s', flush=True)
    return rows


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--threads', type=int, help='threads of torch; default: its own choice')
    p.add_argument('--rounds', type=int, default=5, help='counted runs (%(default)s)')
    p.add_argument('--side', type=int, default=224, help='of a photo, pixels (%(default)s)')
    p.add_argument('--batch-size', type=int, default=8, help='photos a step (%(default)s)')
    p.add_argument('--steps', type=int, default=12, help='of each task; 0 leaves them out (%(default)s)')
    p.add_argument('--tasks', type=lambda t: t.split(','), help='only these; default: all')
    p.add_argument('--compile', action='store_true', help='also with compiled networks')
    p.add_argument('--json', type=Path, help='also write the numbers into this file')
    args = p.parse_args(argv)
    if args.threads: torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    encoder = Encoder(out=(0, 1, 2, 3)).to(memory_format=torch.channels_last)
    photos = torch.rand(args.batch_size, 3, args.side, args.side).to(memory_format=torch.channels_last)
    precision = 'bfloat16' if _has_bf16(torch.device('cpu')) else 'float32'
    ways = {'float32': step(encoder, photos, True), "torch's": step(encoder, photos, False)}
    title = f'Encoder, {args.batch_size} photos of {args.side} px, {precision}'
    result = timed(title, 'cpu', 'gradients', args.rounds, ways)
    if args.steps: result['tasks'] = tasks(args.steps, args.batch_size, args.tasks, args.compile)
    if args.json: args.json.write_text(json.dumps(result, indent=1) + '\n')
    return 0


if __name__ == '__main__': sys.exit(main())
