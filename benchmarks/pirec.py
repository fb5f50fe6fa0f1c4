"""How long PI-REC takes, and what it paints: benchmarks/pirec.py [--threads 2] [--rounds 15]

The edges, the colour domain and both phases of one picture of 128 px, seconds (best of some rounds) and as a multiple
of a fixed piece of work, plain convolutions, timed before and after in the same process; a phase should take less
than 120 milliseconds on two cores.

With `--page FILE --data TAR` it draws a page of 32 photos instead, drawn at random from those in the folder `val`:
edges, colour domain, phase 2, phase 3, truth.

With `--ablation FILE --data TAR` it trains small generators at 64 px, each for as many steps (`--steps`): all phases
and terms, without the discriminator, without the feature and style terms, and without phase 3 (phase 2 for longer).
It prints what `evaluate` measures and draws what each makes of eight photos.
"""
import json, sys, tempfile
from pathlib import Path

import numpy as np
import torch

from sketchbook import pirec
from sketchbook.blocks import _pick_device
from sketchbook.data import PhotoFolder, sample_photos, save_image
from sketchbook.metrics import deep_features
from sketchbook.training import fit_phases
from masknet import page_options
from sketchnet import timed


def works(device):
    "Functions to time, by name"
    photo = pirec._square(sample_photos('coffee')['coffee'])
    lines, colors = pirec.edges(photo), pirec.color_domain(photo)
    return {'edges': lambda: pirec.edges(photo), 'colour domain': lambda: pirec.color_domain(photo),
            'phase 2': lambda: pirec.draw(lines, colors, device=device),
            'phase 3': lambda: pirec.refine(lines, colors, device=device)}


def page(photos, n=32, columns=2, seed=0):
    "Rows of five pictures, in two columns"
    rows = []
    for i in np.random.default_rng(seed).permutation(len(photos))[:n]:
        photo = pirec._square(photos[int(i)])
        steps = pirec.reconstruct(photo)
        lines = np.repeat(np.uint8(steps['edges']*255)[...,None], 3, 2)
        tiles = [lines, steps['colour domain'], steps['phase 2'], steps['phase 3'], photo]
        rows.append(np.hstack([np.pad(t, ((1, 1), (1, 1), (0, 0)), constant_values=255) for t in tiles]))
    rows = rows[:len(rows)//columns*columns]
    gap = np.full((rows[0].shape[0]*len(rows)//columns, 8, 3), 255, np.uint8)
    parts = [np.vstack(rows[i::columns]) for i in range(columns)]
    return np.hstack([p for part in parts for p in (part, gap)][:-1])


SMALL = dict(size=64, n=16, blocks=4)


def variants(data):
    "Phases by variant; their shares say how the steps are divided"
    def phases(drop=(), third=True):
        terms = {kind: {k: w for k, w in found.items() if k not in drop} for kind, found in pirec._WEIGHTS.items()}
        shares = dict(imitation=.2, generating=.4, refinement=.4) if third else dict(imitation=.2, generating=.8)
        made = {k: pirec.PirecTask(data, k, weights=terms[k], share=w, **SMALL) for k, w in shares.items()}
        for task in made.values(): task.monitor = task.patience = None      # all steps, and the last weights, for all
        return made
    return {'all': phases(), 'without D': phases(['adversarial']),
            'without features': phases(['feature', 'style']), 'without phase 3': phases(third=False)}


def ablation(data, file, steps):
    "Train every variant, print their measures, draw their pictures"
    photos = PhotoFolder(data, 'val')
    truths = [pirec._square(photos[i], SMALL['size']) for i in range(0, len(photos), 2)]
    inputs = [(pirec.edges(t), pirec.color_domain(t)) for t in truths]
    made = {'colour domain': [c for _, c in inputs]}
    for name, phases in variants(data).items():
        with tempfile.TemporaryDirectory() as out: runs = fit_phases(phases, out, steps=steps, batch_size=8, plot=False)
        two, three = runs['generating'].net, runs.get('refinement')
        made[name] = [pirec.draw(e, c, two) for e, c in inputs]
        if three: made[name] = [pirec.refine(e, p, three.net) for (e, _), p in zip(inputs, made[name])]
    names = 'frechet', 'perceptual', 'ssim', 'psnr', 'edges_kept'
    print(f'{"":<20}' + ''.join(f'{k:>12}' for k in names))
    seen = deep_features(truths)
    for name, pictures in made.items():
        scores = pirec._scores(pictures, inputs, truths, seen)
        print(f'{name:<20}' + ''.join(f'{scores[k]:>12.3f}' for k in names), flush=True)
    chance = np.random.default_rng(1).permutation(len(truths))[:8]
    rows = [np.hstack([pictures[i] for i in chance]) for pictures in [*made.values(), truths]]
    save_image(file, np.repeat(np.repeat(np.vstack(rows), 2, 0), 2, 1))


def main(argv=None):
    p = page_options(__doc__)
    p.add_argument('--ablation', type=Path, help='train without each part and draw the results into this file')
    p.add_argument('--steps', type=int, default=500, help='of each variant (%(default)s)')
    args = p.parse_args(argv)
    if (args.page or args.ablation) and not args.data: p.error('--page and --ablation need --data')
    if args.ablation:
        ablation(args.data, args.ablation, args.steps)
        return 0
    if args.page:
        save_image(args.page, page(PhotoFolder(args.data, 'val')))
        return 0
    torch.set_num_threads(args.threads)
    device = _pick_device(args.device)
    result = timed('128 px', device, 'what', args.rounds, works(device))
    if args.json: args.json.write_text(json.dumps(result, indent=1) + '\n')
    return 0


if __name__ == '__main__': sys.exit(main())
