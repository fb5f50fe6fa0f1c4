"""How long a pencil drawing takes: benchmarks/pencil.py [--threads 2] [--rounds 5]

A page of 1024 x 1024 pixels in patches and as a whole, and the lines of a photo by each source, seconds (best of some
rounds) and as a multiple of a fixed piece of work, plain convolutions, timed before and after in the same process; the
page should take less than 3 seconds on two cores.

With `--page FILE` it draws the sample photo of a motorcycle, 1024 pixels wide, by way of its mask and lines.

With `--ablation FILE --data TAR --val TAR` it trains small generators, each for as many steps (`--steps`): L1 alone,
with feature and style terms, with one discriminator, with three, with the U-Net instead, and with unpaired lines and
drawings. It prints what `evaluate` measures on the drawings of `--val`, drawn in one piece at the shade of `evaluate`
(`--shade` takes another), and draws what each makes of three things.

With `--limits --data TAR --val TAR` it looks for the settings of the blur-and-grain filter on a few drawings of
`--data`, spread evenly (nine of 180), and prints the best; and for every fifth drawing of `--val` the perceptual
distance of what no network could beat: the drawing itself blurred or moved a little, and the drawing of somebody else.
"""
import itertools, json, sys, tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from sketchbook import pencil
from sketchbook.blocks import PerceptualLoss, _pick_device
from sketchbook.data import load_photo, sample_photos, save_image, to_tensor
from sketchbook.metrics import deep_features
from sketchbook.training import fit
from masknet import page_options
from sketchnet import timed

SMALL = dict(size=96, n=16, overlaps=.25)


def works(device):
    "Functions to time, by name"
    photo = cv2.resize(sample_photos('astronaut')['astronaut'], (1024, 1024), interpolation=cv2.INTER_CUBIC)
    lines = pencil.extract_lines(photo)
    found = {f'lines, {s}': (lambda s=s: pencil.extract_lines(photo, source=s, device=device)) for s in pencil._SOURCES}
    return found | {'pencil, patches': lambda: pencil.draw(lines, device=device),
                    'pencil, whole': lambda: pencil.draw(lines, 0, device=device)}


def poster(device):
    "The motorcycle, 1024 pixels wide, by way of its mask and its lines, hatched"
    photo = sample_photos('motorcycle')['motorcycle']
    zoom = 1024/max(photo.shape)
    photo = cv2.resize(photo, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    return pencil.pencil(photo, detail=.8, shade=.4, hatch=.7, device=device)['pencil']


def variants(pairs):
    "Tasks by variant: each adds one thing to the one before, and the last two change one thing of all"
    def task(weights, layers=(2, 3, 4), **kw):
        made = pencil.PencilTask(pairs, [.8, .2], weights=weights, layers=layers, **(SMALL | kw))
        made.validate = lambda nets: {}
        return made
    terms = dict(l1=1., feature=1., style=.5)
    full = terms | dict(adversarial=1.)
    return {'L1': task(dict(l1=1.)), '+ features and style': task(terms), '+ one D': task(full, (3,)),
            '+ three Ds': task(full), 'U-Net': task(full, net='unet'),
            'unpaired': task(full | dict(unpaired=.5), unpaired=[pairs[1], pairs[0]])}


def ablation(data, val, file, steps, shade):
    "Train every variant, print their measures, draw what they make"
    held_out = pencil.FromDrawings(val)
    truths = [held_out.drawing(i) for i in range(len(held_out))]
    lines = [pencil.extract_lines(t) for t in truths]
    loss = PerceptualLoss(content=1., style=1.)
    seen = deep_features([p for t in truths for p in pencil._patches(t)])[0]
    shown = [cv2.resize(pencil.extract_lines(p), (192, 192), interpolation=cv2.INTER_AREA)
             for p in sample_photos(['coffee', 'cat', 'astronaut']).values()]
    pairs, rows = [pencil.FromDrawings(data), pencil.FromVectors()], [np.hstack(shown)]
    names = 'perceptual', 'gram', 'frechet', 'ssim'
    print(f'{"":<22}' + ''.join(f'{k:>12}' for k in names))
    for name, task in variants(pairs).items():
        with tempfile.TemporaryDirectory() as out:      # a short run, a short memory of its averages
            net = fit(task, out, steps=steps, batch_size=8, ema=.95, plot=False).net
        scores = pencil._scores([pencil.draw(l, 0, shade=shade, net=net) for l in lines], truths, seen, loss)
        print(f'{name:<22}' + ''.join(f'{scores[k]:>12.3f}' for k in names), flush=True)
        rows.append(np.hstack([pencil.draw(l, 0, shade=shade, net=net) for l in shown]))
    save_image(file, np.vstack(rows))


def distances(loss, a, b):
    "Perceptual and Gram distance of two drawings, cut to one size"
    h, w = np.minimum(a.shape, b.shape)
    with torch.inference_mode(): found = loss.terms(*(to_tensor(load_photo(x[:h,:w]))[None] for x in (a, b)))
    return float(found['content']), float(found['style'])


def limits(data, val):
    "Print the best settings of the filter, and the distances that are nearly out of reach"
    loss, train, held_out = PerceptualLoss(content=1., style=1.), pencil.FromDrawings(data), pencil.FromDrawings(val)
    truths = [train.drawing(i) for i in range(0, len(train), len(train)//8)]
    lines = [pencil.extract_lines(t) for t in truths]
    choices = dict(sharp=(.7, 1.5), line=(.3, .6), wide=(6, 16), tone=(.5, 1.2), grain=(.02, .05, .1))
    def far(settings):
        made = (pencil._blur_and_grain(l, **settings) for l in lines)
        return np.mean([sum(distances(loss, m, t)) for m, t in zip(made, truths)])
    tried = [dict(zip(choices, values)) for values in itertools.product(*choices.values())]
    print('blur and grain, best of', len(tried), min(tried, key=far))
    truths = [held_out.drawing(i) for i in range(0, len(held_out), 5)]
    rows = {'blurred by 1 px': [cv2.GaussianBlur(t, (0, 0), 1) for t in truths],
            'blurred by 4 px': [cv2.GaussianBlur(t, (0, 0), 4) for t in truths],
            'moved by 2 px': [np.roll(t, 2, 1) for t in truths], 'somebody else': truths[1:] + truths[:1]}
    for name, made in rows.items():
        print(f'{name:<16}', round(np.mean([distances(loss, m, t)[0] for m, t in zip(made, truths)]), 2))


def main(argv=None):
    p = page_options(__doc__)
    p.add_argument('--ablation', type=Path, help='train without each part and draw the results into this file')
    p.add_argument('--limits', action='store_true', help='tune the baseline filter, and measure what is out of reach')
    p.add_argument('--val', type=Path, help='held-out drawings for --ablation and --limits')
    p.add_argument('--steps', type=int, default=400, help='of each variant (%(default)s)')
    p.add_argument('--shade', type=float, default=.6, help='at which --ablation draws (%(default)s)')
    args = p.parse_args(argv)
    if (args.ablation or args.limits) and not (args.data and args.val):
        p.error('--ablation and --limits need --data and --val')
    if args.limits:
        limits(args.data, args.val)
        return 0
    if args.ablation:
        ablation(args.data, args.val, args.ablation, args.steps, args.shade)
        return 0
    torch.set_num_threads(args.threads)
    device = _pick_device(args.device)
    if args.page:
        save_image(args.page, poster(device))
        return 0
    result = timed('1024 px', device, 'what', args.rounds, works(device))
    if args.json: args.json.write_text(json.dumps(result, indent=1) + '\n')
    return 0


if __name__ == '__main__': sys.exit(main())
