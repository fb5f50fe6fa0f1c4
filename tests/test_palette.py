"Colours from a palette: what a learner gains little from, such as bad input, and what the cards promise"
import json, warnings

import cv2
import numpy as np
import pytest
import torch

from sketchbook import palette, sketch2image
from sketchbook.cli import main
from sketchbook.data import sample_photos
from sketchbook.drawings import OpenMojiPairs
from sketchbook.drawings import SimpleSet, _SvgViews
from sketchbook.sketch2image import _PairViews, _on_page
from sketchbook.training import fit
from sketchbook.weights import available, card, load


@pytest.fixture(scope='module')
def net():
    torch.manual_seed(0)
    colors = np.array([[1, 1, 1], [.8, .1, .1], [.1, .2, .8]], np.float32)
    return palette.Completer(colors, k=3, width=16, pretrained=False).eval()


@pytest.fixture(scope='module')
def owl():
    pairs = OpenMojiPairs('val', size=64)
    return pairs[pairs.ids.index('1F989')][0]


@pytest.mark.parametrize('shape', [(1, 1), (10, 300), (64, 64), (65, 63), (700, 500)])
def test_any_size_comes_back_at_its_size(net, shape):
    page = np.ones(shape, np.float32)
    page[shape[0]//2,:] = 0
    page[:,shape[1]//3] = 0
    picture = palette.complete(page, net)
    assert picture.shape == (*shape, 3) and picture.dtype == np.uint8


def test_polarity_is_found_out(net, owl):
    with warnings.catch_warnings(): warnings.simplefilter('ignore'); turned = palette.complete(1 - owl, net)
    assert np.array_equal(turned, palette.complete(owl, net))


def test_an_empty_canvas_stays_empty(net):
    for blank in (np.ones((40, 50)), np.full((8, 8), 255, np.uint8)): assert (palette.complete(blank, net) == 255).all()


def test_a_photo_is_drawn_first_and_said(net):
    cat = sample_photos()['cat'][:120,:160]
    sketch2image._say_once.cache_clear()
    with pytest.warns(UserWarning, match='photo, not a sketch'): assert palette.complete(cat, net).shape == cat.shape


def test_seeds_repeat_and_differ(owl):
    a, b = (palette.complete(owl, seed=3) for _ in range(2))
    assert np.array_equal(a, b)
    assert any(not np.array_equal(a, palette.complete(owl, seed=k)) for k in range(4, 12))


@pytest.mark.parametrize('make', [lambda v: palette.CompletionTask(v, k=6),
                                  lambda v: palette.CompletionTask(v, 'rgb', 0.)])
def test_every_task_trains(make, tmp_path):
    views = _SvgViews(SimpleSet('train', 6))
    run = fit(make(views), tmp_path, steps=3, batch_size=2, plot=False, progress=False)
    assert run.step == 3 and all(torch.isfinite(p).all() for p in run.net.parameters())


def test_train_and_evaluate_by_name(tmp_path, capsys):
    run = tmp_path/'run'
    assert main(f'train sketch2image-simple --data simple --out {run} --steps 1 --batch-size 2'.split()) == 0
    assert main(f'evaluate {run}/sketch2image-simple.safetensors --data simple --limit 6 --json'.split()) == 0
    scores = json.loads(capsys.readouterr().out.partition('{')[2].join(['{', '']))
    assert scores['n'] == 6 and {'frechet', 'class_accuracy', 'backbone'} <= scores.keys()


def test_shipped_weights_meet_their_promises():
    ours, l1, simple = (card(n)['metrics'] for n in ('sketch2image', 'sketch2image-l1', 'sketch2image-simple'))
    m = ours['openmoji']
    assert m['white_kept'] >= .97 and m['filled'] >= .85 and abs(m['saturation'] - 1) <= .25
    assert m['frechet'] <= m['frechet_lines']/2 and m['frechet'] < l1['openmoji']['frechet']
    assert simple['simple']['class_accuracy'] >= .95


def test_variants_are_shipped(): assert set(palette._VARIANTS.values()) <= set(available())


def test_an_even_page_is_empty(net):
    for tone in (0., .5, .8): assert (palette.complete(np.full((20, 30), tone, np.float32), net) == 255).all()


def test_completing_leaves_the_network_as_it_was(owl):
    net = palette.Completer(k=4, width=16, pretrained=False).train()
    palette.complete(owl, net)
    assert all(m.training for m in net.modules())


def test_a_white_hint_says_nothing():
    "White is the paper's colour, which training never hints at"
    net = load('sketch2image', 'cpu')
    assert not palette._hint_vector(net, '#FFFFFF').any()
    assert palette._hint_vector(net, ['#FFFFFF', '#D22F27']).sum() == 1

def test_a_hint_is_followed():
    "Red, green and blue on drawings that the network would have painted otherwise"
    pairs, met = OpenMojiPairs('val', size=64, flags=False), []
    for i in range(0, len(pairs), len(pairs)//10):
        for hint in ('#D22F27', '#5C9E31', '#1E50A0'):
            picture = palette.complete(pairs[i][0], 'sketch2image', 'cpu', hint=hint, seed=None)
            far = np.abs(picture.astype(int) - [int(hint[k:k+2], 16) for k in (1, 3, 5)]).sum(-1)
            met.append((far < 30).mean() > .02)
    assert np.mean(met) > .6


def test_a_poster_is_painted(net, owl):
    big = cv2.resize(owl, (3000, 3000), interpolation=cv2.INTER_LINEAR)
    assert palette.complete(big, net).shape == (3000, 3000, 3)


def test_weights_do_not_reach_back_into_the_task():
    colors = np.ones((3, 3), np.float32)
    palette.Completer(colors, k=3, width=16, pretrained=False).palette.zero_()
    assert (colors == 1).all()


def test_one_drawing_has_its_colours_at_every_size():
    small, large = (OpenMojiPairs('val', size=side, flags=False) for side in (64, 256))
    ids = range(0, len(small), 40)
    def noise(sketch): return palette._gumbel_noise(_on_page(sketch), 28, 0, temperature=1.)
    chance = [[noise(pairs[i][0]) for i in ids] for pairs in (small, large)]
    alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(*chance)]
    others = [np.corrcoef(a, b)[0, 1] for a, b in zip(chance[0], chance[0][1:])]
    assert min(alike) > .98 and abs(np.mean(others)) < .25
    many = [noise(small[i][0]) for i in range(0, len(small), 4)]
    assert np.mean(many, 0).std() < .3      # no colour is everybody's favourite; some drawings are nearly the same


def test_noise_is_gumbel_numbers(owl):
    drawn = np.stack([palette._gumbel_noise(owl, 3, seed, temperature=1.) for seed in range(3000)])
    assert np.allclose(drawn.mean(0), .5772, atol=.1) and np.allclose(drawn.var(0), np.pi**2/6, atol=.2)
    assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < .08
    assert np.isfinite(palette._gumbel_noise(np.ones((64, 64), np.float32), 3, 0)).all()


def test_weights_to_start_from_bring_their_palette(tmp_path):
    class Still(SimpleSet):
        def view(self, i, rng=None): return self[i]
    task = palette.CompletionTask(Still('val', 20))
    other = np.array([[1, 1, 1], [0, 0, 1], [0, 1, 0], [1, 0, 0]], np.float32)
    def train(name, **kw): return fit(task, tmp_path/name, steps=1, batch_size=2, plot=False, progress=False, **kw)
    start = palette.Completer(other, k=4, pretrained=False).state_dict()
    assert np.array_equal(train('a', init=start).net.palette.cpu().numpy(), other)
    assert all(task.sample(i, np.random.default_rng(i))[2].max() < 4 for i in range(6))
    assert len(train('b').net.palette) == len(task.counted) != 4       # the next run is its own
    blank = palette.Completer(k=4, pretrained=False).state_dict()
    with pytest.raises(ValueError, match='no palette'): train('c', init=blank)


@pytest.mark.parametrize('name', ['sketch2image', 'sketch2image-l1', 'sketch2image-simple'])
def test_shipped_weights_can_start_their_own_task(name, tmp_path):
    from sketchbook.cli import _starting_weights
    pairs = SimpleSet('val', 8)
    task = palette.CompletionTask(_PairViews([pairs[i] for i in range(8)]), head=card(name)['config']['head'])
    assert fit(task, tmp_path, steps=1, batch_size=2, plot=False, progress=False,
               **_starting_weights(name, 'netG')).step == 1
