"""How long a sketch takes to paint in the style of a photo: benchmarks/selfsup.py [--threads 2] [--rounds 5]

One sketch in one style, by the autoencoder alone and refined, and TOM's drawing of a photo of 512 x 512, seconds (best
of some rounds) and as a multiple of a fixed piece of work, plain convolutions, timed before and after in the same
process; a picture should take less than 0.15 seconds on two cores.

With `--matrix FILE --data TAR` it paints six held-out sketches by TOM in six other photos' styles. With `--rows FILE
--data TAR` it shows eight held-out sketches in another photo's style: tinted, by AdaIN, by the autoencoder, refined.
Both take the first ones of the held-out photos in a random order.

With `--ablation --data TAR` it trains small networks, each for as many steps (`--steps`, for both phases together):
all terms; with the mutual information; without the three self-supervised terms; without the discriminator. It prints
what `evaluate` measures on 200 held-out photos.

With `--limits --data TAR --sketches TAR [--sketches TAR]` it prints what TOM's measures are for two real drawings, for
a photo in grey, and by chance, on every fourth held-out photo; how much light paper photos and drawings show; and what
`evaluate` measures with and without the shipped networks' last layer, and with it behind AdaIN.
"""
import itertools, json, sys, tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from sketchbook import selfsup, tom
from sketchbook.blocks import PerceptualLoss, _pick_device
from sketchbook.data import load_photo, sample_photos, save_image, to_tensor
from sketchbook.pencil import FromDrawings
from sketchbook.sketches import _grey
from sketchbook.tom import sketch_photo
from sketchbook.training import fit_phases
from sketchbook.weights import load, save
from masknet import page_options
from sketchnet import timed

SMALL = dict(size=64, n=16, n_refine=16)


def works(device):
    "Functions to time, by name"
    photos = sample_photos(['coffee', 'astronaut'])
    sketch, large = selfsup._as_sketch(photos['coffee'], 'coherent'), cv2.resize(photos['astronaut'], (512, 512))
    paint = lambda **kw: selfsup.synthesize(sketch, photos['astronaut'], device=device, **kw)
    return {'autoencoder': lambda: paint(refine=False), 'refined': paint,
            'TOM, 512 x 512': lambda: sketch_photo(large, device=device)}


def held_out(data, n):
    "Of `n` held-out photos in a random order: the photos and TOM's sketches, squares of 128 pixels"
    photos = selfsup.SketchedPhotos(data, 'val', makers=[])
    order = np.random.default_rng(16).permutation(len(photos))[:n]
    squares = [selfsup._square(photos[int(i)][0], 128) for i in order]
    return squares, [sketch_photo(p) for p in squares]


def matrix(data, device):
    "Six sketches in the styles of six other photos"
    squares, sketches = held_out(data, 12)
    return selfsup.style_matrix(sketches[:6], squares[6:], 112, device=device)


def rows(data, device):
    "Eight sketches in another photo's style, by every row of the table; two side by side"
    squares, sketches = held_out(data, 9)
    net = selfsup._chosen(None, 'selfsup', device, *selfsup._CLASSES)
    makers, styles = selfsup._makers(net), squares[1:]
    made = [makers[k](sketches[:8], styles) for k in ('_tint', '_adain', '_rough', '')]
    lines = [np.hstack([load_photo(s), p, *pictures]) for s, p, *pictures in zip(sketches, styles, *made)]
    gap = np.full((lines[0].shape[0], 16, 3), 255, np.uint8)
    return np.vstack([np.hstack([a, gap, b]) for a, b in zip(lines[::2], lines[1::2])])


def variants():
    "Weights of the terms of both phases, by variant"
    ae, gan = selfsup._AE_WEIGHTS, selfsup._GAN_WEIGHTS
    return {'all': (ae, gan), 'with mutual information': (ae | {'mutual': .5}, gan),
            'without triplets': (ae | {'style': 0., 'content': 0., 'photo': 0.}, gan),
            'without D': (ae, gan | {'adversarial': 0.})}


def ablation(data, steps, device):
    "Train and measure every variant: its measures by name"
    sketched, c, found = selfsup.SketchedPhotos(data), selfsup.configuration(**SMALL), {}
    for name, (ae, gan) in variants().items():
        phases = {'ae': selfsup.AutoencoderTask(sketched, c, weights=ae),
                  'gan': selfsup.RefinerTask(sketched, c, weights=gan)}
        with tempfile.TemporaryDirectory() as folder:
            runs = fit_phases(phases, folder, steps=steps, batch_size=16, device=device, progress=False)
            path = save(runs['gan'].net, Path(folder)/'net.safetensors', runs['gan'].card)
            found[name] = selfsup.evaluate(path, data, 200, device, baselines=False)
        print(name, json.dumps(found[name]), flush=True)
    return found


def tom_limits(data, sketches):
    "Print what TOM's measures are for pictures that no network has made"
    photos, _, val = tom._parts(data)
    squares = [tom._square(photos._read(n), 128) for n in val[::4]]
    folders = [FromDrawings(s) for s in sketches]
    drawings = [d.drawing(i) for d in folders for i in range(len(d))]
    loss = PerceptualLoss(content=0., style=1.)
    greys, made = [_grey(p) for p in squares], [sketch_photo(p) for p in squares]
    gram = lambda some: tom._gram_distance(some, itertools.cycle(drawings), loss)
    print('Gram distance: two drawings', round(tom._gram_distance(drawings, drawings[7:] + drawings[:7], loss), 2),
          'grey photo', round(gram(greys), 2), 'TOM', round(gram(made), 2))
    edges = [tom.strong_edges(p) for p in squares]
    share = lambda pair: tom.edges_kept(load_photo(pair[0]), pair[1], 3.)
    kept = lambda some: round(float(np.mean([share(p) for p in zip(some, edges)])), 3)
    print('edges kept: grey photo', kept(greys), 'TOM', kept(made), 'by chance', kept(made[1:] + made[:1]))
    paper = {s.name: tom._paper_share(d.drawing(i) for i in range(len(d))) for s, d in zip(sketches, folders)}
    print('light paper: photos', round(tom._paper_share(squares), 2), *(f'{k} {v:.2f}' for k, v in paper.items()))


def last_layer(data, device):
    "Print what the last layer of the shipped networks, which sets the colours, is worth, and what it does for AdaIN"
    photos, sketches, lends = selfsup._questions(selfsup.SketchedPhotos(data, 'val'), 128, None)
    styles, seen = [photos[i] for i in lends], selfsup.deep_features(photos)[0]
    def show(title, made):
        right = np.mean([selfsup._right_style(*x) for x in zip(made, styles, photos)])
        far = selfsup.frechet_distance(selfsup.deep_features(made)[0], seen)
        print(f'{title}: Frechet {far:.0f}, right colours {right:.1%}')
    net = load('selfsup', device, fresh=True)
    for recolors in (True, False):
        net.recolors, makers = recolors, selfsup._makers(net)
        word = 'with' if recolors else 'without'
        for title, suffix in (('refined', ''), ('autoencoder', '_rough')):
            show(f'{title}, {word} the last layer', makers[suffix](sketches, styles))
    made = makers['_adain'](sketches, styles)
    show('AdaIN', made)
    x, y = (torch.stack([to_tensor(p) for p in some]) for some in (made, styles))
    show('AdaIN, with the last layer', selfsup._photos(selfsup._recolored(x, selfsup._color_moments(y))))


def main(argv=None):
    p = page_options(__doc__)
    p.add_argument('--matrix', type=Path, help='draw the matrix of sketches and styles into this file')
    p.add_argument('--rows', type=Path, help='draw eight sketches by every row of the table into this file')
    p.add_argument('--ablation', action='store_true', help='train without each part and measure')
    p.add_argument('--limits', action='store_true', help='print what the measures are without a network')
    p.add_argument('--sketches', type=Path, action='append', default=[], help='real drawings for --limits')
    p.add_argument('--steps', type=int, default=800, help='of each variant (%(default)s)')
    args = p.parse_args(argv)
    if (args.matrix or args.rows or args.ablation or args.limits) and not args.data:
        p.error('--matrix, --rows, --ablation and --limits need --data')
    if args.limits and not args.sketches: p.error('--limits needs --sketches')
    device = _pick_device(args.device)
    if args.matrix: save_image(args.matrix, matrix(args.data, device))
    elif args.rows: save_image(args.rows, rows(args.data, device))
    elif args.ablation: ablation(args.data, args.steps, device)
    elif args.limits:
        tom_limits(args.data, args.sketches)
        last_layer(args.data, device)
    else:
        torch.set_num_threads(args.threads)
        result = timed('128 px', device, 'what', args.rounds, works(device))
        if args.json: args.json.write_text(json.dumps(result, indent=1) + '\n')
    return 0


if __name__ == '__main__': sys.exit(main())
