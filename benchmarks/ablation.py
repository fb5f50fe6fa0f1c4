"""What each part of a training is worth: benchmarks/ablation.py NETWORK --data TAR --val TAR [--steps N] [--limit N]

Trains NETWORK (masknet, sketchnet, virtual or sketch2image) once as the chapter does and once without each of its
parts, for as many steps, from the same first weights and on the same samples, and prints what `evaluate` measures of
each. The runs are far shorter than those of the shipped weights: they show which part matters early, not what the
shipped weights would lose. `virtual` and `sketch2image` learn OpenMoji's drawings: no `--data` and `--val` for them.
"""
import argparse, json, sys, tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import torch
from torch.utils.data import Subset

from sketchbook import masknet, palette, sketchnet, virtual, virtual_training
from sketchbook.data import BoundaryPairs, SaliencyPairs
from sketchbook.drawings import OpenMojiPairs
from sketchbook.palette import CompletionTask
from sketchbook.sketch2image import _training_views
from sketchbook.training import fit
from sketchbook.weights import save


class Variant(NamedTuple):
    task: Any
    replaced: Any = nullcontext()       # a context in which it is trained and measured
    share: float = 1.                   # of the steps


class _NoSides(masknet.MaskNetTask):
    "MaskNet without losses on its coarse outputs"
    def step(self, run, photo, mask):
        photo, mask = self.at_some_scale(run.step, photo, mask)
        loss = sum(masknet._mask_loss(run.nets['net'](photo), mask).values())
        run.minimize(loss, 'net')
        return {'loss': loss}


def masknets(data, val, limit):
    "What is trained, by name; what measures a file of weights"
    pairs, loss = SaliencyPairs(data), masknet._mask_loss
    make = lambda kind=masknet.MaskNetTask: kind(pairs, version=2, size=192, frozen=3, best=False)
    only = lambda term: patch.object(masknet, '_mask_loss', lambda *a: {term: loss(*a)[term]})
    even = patch.object(masknet, '_border_weight', lambda mask, *_: torch.ones_like(mask))
    variants = {'all': Variant(make()), 'without IoU': Variant(make(), only('bce')),
                'without BCE': Variant(make(), only('iou')), 'all pixels weigh alike': Variant(make(), even),
                'without side losses': Variant(make(_NoSides))}
    return variants, lambda path: masknet.evaluate(path, val, limit, 'cpu')


def sketchnets(data, val, limit):
    "The same"
    pairs = BoundaryPairs(data)
    make = lambda **kw: sketchnet.SketchNetTask(pairs, size=160, **kw)
    plain = patch.object(sketchnet, '_inhibit', lambda logits, *a, **kw: logits)
    variants = {'all': Variant(make()), 'without D': Variant(make(lambda_gan=0., gan_from=2.)),
                'without side losses': Variant(make(lambda_coarse=0.)), 'one scale': Variant(make(zooms=(1.,))),
                'without suppression': Variant(make(), plain)}
    return variants, lambda path: sketchnet.evaluate(path, val, limit, 'cpu', canny_sigma=None)


class _Calm:
    "A random generator whose normal numbers are all 0: pen, width and window go where they should"
    def __init__(self, rng): self.rng = rng
    def __getattr__(self, name): return getattr(self.rng, name)
    def normal(self, mean, deviation, size=None): return mean if size is None else np.full(size, float(mean))


class _WithoutNoise(virtual_training.VirtualTask):
    def sample(self, i, rng): return super().sample(i, _Calm(rng))


class _OneRightAction(virtual_training.VirtualTask):
    def sample(self, i, rng):
        *seen, wanted, valid, page, start = super().sample(i, rng)
        valid[:,1:] = 0
        return *seen, wanted, valid, page, start


def virtuals(data, val, limit):
    "The same; every eighth training drawing of OpenMoji"
    pages = OpenMojiPairs('train', flags=False)
    drawings = virtual_training.Drawings(Subset(virtual._InkOf(pages), range(0, len(pages), 8)))
    make = lambda kind=virtual_training.VirtualTask, **kw: Variant(kind(drawings, **kw))
    variants = {'all': make(), 'without pixels': make(raster_from=2.), 'without noise': make(_WithoutNoise),
                'one right action': make(_OneRightAction)}
    return variants, lambda path: virtual.evaluate(path, 'openmoji', limit, 'cpu')


def palettes(data, val, limit):
    "The same; with D only two steps of three are G's, so the others take two thirds of the steps"
    views, _ = _training_views('openmoji')
    make = lambda **kw: CompletionTask(views, **kw)
    variants = {'all': Variant(make()), 'without D': Variant(make(lambda_gan=0.), share=2/3),
                'RGB and L1, without D': Variant(make(lambda_gan=0., head='rgb'), share=2/3),
                'without hints': Variant(make(hints=0.))}
    return variants, lambda path: palette.evaluate(path, 'openmoji', limit, 'cpu')


NETWORKS = dict(masknet=(masknets, 16), sketchnet=(sketchnets, 8), virtual=(virtuals, 16),
                sketch2image=(palettes, 16))                                   # and their batch sizes


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('network', choices=NETWORKS)
    p.add_argument('--data', type=Path, help='folder or tar to learn from')
    p.add_argument('--val', type=Path, help='folder or tar to measure with')
    p.add_argument('--steps', type=int, default=500, help='of each variant (%(default)s)')
    p.add_argument('--limit', type=int, default=100, help='how many are measured (%(default)s)')
    p.add_argument('--only', action='append', help='one variant; may be given several times')
    args = p.parse_args(argv)
    if args.network in ('masknet', 'sketchnet') and not (args.data and args.val):
        p.error(f'{args.network} needs --data and --val')
    make, batch_size = NETWORKS[args.network]
    variants, measure = make(args.data, args.val, args.limit)
    if unknown := set(args.only or ()) - set(variants):
        p.error(f'there is no variant {", ".join(unknown)}: choose of {", ".join(variants)}')
    for name in args.only or variants:
        task, replaced, share = variants[name]
        with tempfile.TemporaryDirectory() as folder, replaced:
            run = fit(task, folder, steps=round(share*args.steps), batch_size=batch_size, device='cpu', plot=False,
                      progress=False)
            found = measure(save(run.net, Path(folder)/'net.safetensors', run.card))
        numbers = {k: round(v, 4) for k, v in found.items() if isinstance(v, (int, float))}
        print(f'{name:<24}', json.dumps(numbers), flush=True)
    return 0


if __name__ == '__main__': sys.exit(main())
