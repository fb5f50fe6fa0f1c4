"SketchNet: any photo in, clean lines out; the seed's faults as regressions"
import cv2
import numpy as np
import pytest
import torch

from sketchbook import sketchnet
from sketchbook.blocks import count_params
from sketchbook.data import sample_photos
from sketchbook.sketchnet import Discriminator, SketchNet, SketchNetTask, agreed, canny, consensus, draw, ink_probability, resized
from sketchbook.weights import card, load


@pytest.fixture(scope='module')
def cat(): return sample_photos('cat')['cat']


@pytest.fixture(scope='module')
def net(): return load('sketchnet', 'cpu')


@pytest.mark.parametrize('preset, width, n', [('deep', 1, 10_184_301), ('deep', .25, 639_501), ('shallow', 1, 464_221), ('book', 1, 3_002_262)])
def test_parameter_counts(preset, width, n):
    assert count_params(SketchNet(preset, width, pretrained=False)) == n


def test_paper_discriminator():
    paper = Discriminator('paper')
    assert count_params(paper.body) == 16_346_112
    assert paper(torch.rand(1, 4, 424, 424)).shape == (1, 1, 6, 6)
    assert isinstance(paper.head, torch.nn.Conv2d)      # the seed ended in ReLU and sigmoid, never below one half


@pytest.mark.parametrize('preset', ['book', 'deep', 'shallow'])
@pytest.mark.parametrize('size', [(1, 1), (7, 100), (17, 33)])
def test_any_size_in(preset, size):
    with torch.no_grad(): assert SketchNet(preset, .1, pretrained=False).eval()(torch.rand(1, 3, *size)).shape == (1, 1, *size)


@pytest.mark.parametrize('shape', [(1, 1), (10, 3000), (3000, 10), (120, 90)])
@pytest.mark.parametrize('resolution', [1, None])
def test_draw_any_shape(net, shape, resolution):
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    sketch = draw(photo, resolution, net=net, device='cpu')
    assert sketch.shape == shape and sketch.dtype == np.float32 and 0 <= sketch.min() <= sketch.max() <= 1


def test_clean_paper_and_gamma(cat, net):
    for photo in sample_photos().values():
        sketch = draw(photo, net=net, device='cpu')
        assert (sketch > .95).mean() > .75 and sketch.min() < .1
    assert (draw(cat, net=net, device='cpu') <= draw(cat, gamma=False, net=net, device='cpu')).all()


def test_plain_grey_stays_paper(net):
    assert draw(np.full((200, 300, 3), 128, np.uint8), net=net, device='cpu').min() > .9


def test_merge_keeps_the_darker(cat, net):
    once, both = (draw(cat, merge=m, net=net, device='cpu') for m in (False, True))
    assert (both <= once + 1e-6).all() and both.sum() < once.sum()


def test_mask_hides_the_background(cat, net):
    mask = np.zeros(cat.shape[:2], np.float32)
    mask[80:220, 120:330] = 1
    sketch = draw(cat, mask=mask, net=net, device='cpu')
    assert sketch[:50].min() > .9 and sketch[:, :80].min() > .9 and sketch[90:210, 130:320].min() < .5


def test_aspect_ratio_survives():
    "The seed squashed every photo to a square"
    for r, side in ((0, 600), (1, 424), (2, 848), (3, 1272)): assert max(resized(np.zeros((50, 100, 3), np.uint8), r).shape) == side
    assert resized(np.zeros((50, 100, 3), np.uint8), 2).shape[:2] == (424, 848)


@pytest.mark.parametrize('resolution', [-1, 1.5])
def test_bad_resolution(cat, resolution):
    with pytest.raises(ValueError, match=f'resolution is {resolution}'): draw(cat, resolution)


def test_fine_detail_survives(net):
    "The seed made photos 224 px small before drawing: nothing finer than that could come back"
    photo = np.full((600, 600, 3), 230, np.uint8)
    for y in range(150, 450, 16): cv2.line(photo, (100, y), (500, y), (20, 20, 20), 3)
    small = cv2.resize(cv2.resize(photo, (100, 100), interpolation=cv2.INTER_AREA), (600, 600), interpolation=cv2.INTER_CUBIC)
    here, gone = (draw(p, 2, net=net, device='cpu') for p in (photo, small))
    contrast = lambda s: s[150:450, 150:450].mean(1).std()
    assert contrast(here) > 2*contrast(gone)


def test_people_disagree():
    "Few pens: no question. Many: a line. None: paper"
    drawn = np.zeros((5, 8, 8), bool)
    drawn[:, 2] = True
    drawn[0, 5] = True
    line, known = agreed(torch.tensor(consensus(drawn))[None, None])
    assert line[0, 0, 2].all() and known[0, 0, 2].all()
    assert not line[0, 0, 5].any() and not known[0, 0, 5].any()
    assert not line[0, 0, 0].any() and known[0, 0, 0].all()


class Steps:
    "A stand-in for `training.Run` that remembers what each backward reached"
    def __init__(self, task, progress):
        self.nets, self.progress, self.reached = task.networks(), progress, {}

    def minimize(self, loss, key):
        for net in self.nets.values(): net.zero_grad(set_to_none=True)
        loss.backward()
        self.reached[key] = {k for k, net in self.nets.items() if any(p.grad is not None for p in net.parameters())}


@pytest.mark.parametrize('progress, who', [(.1, {'netG'}), (.9, {'netG', 'netD'})])
def test_fake_is_detached_and_D_frozen(progress, who):
    photo = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    task = SketchNetTask([(photo, np.eye(80, dtype=np.float32))], size=64, netG=dict(pretrained=False), netD=dict(nf=8))
    run = Steps(task, progress)
    batch = [t[None].expand(2, -1, -1, -1) for t in task.sample(0, np.random.default_rng(0))]
    log = task.step(run, *batch)
    assert set(run.reached) == who and all(v == {k} for k, v in run.reached.items())
    assert ('D accuracy' in log) == (progress > .8)


def test_encoder_learns_slower():
    task = SketchNetTask([(np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.float32))], netG=dict(pretrained=False))
    new, old = task.optimizers(task.networks())['netG'].param_groups
    assert old['lr'] == pytest.approx(.15*new['lr'])


def test_canny_and_its_strength(cat):
    strength, levels = sketchnet.canny_strength(cat, 2, levels=8), sketchnet.canny_levels(8)
    for i, high in enumerate(levels, 1): assert ((strength >= i/8 - 1e-6) == (canny(cat, 2, .4*high, high) < .5)).all()


def test_card_meets_the_bar():
    c = card('sketchnet')
    m = c['metrics']['bsds_val']
    assert m['ods'] >= .7 > m['canny_ods'] and c['bytes'] < 10_000_000
    assert 'non-commercial' in c['data_licence'] and c['command'].startswith('sketchbook train sketchnet --data')


def test_evaluate_on_validation_photos(shared_data):
    scores = sketchnet.evaluate('sketchnet', shared_data/'bsds_val.tar', limit=3, thresholds=9)
    assert scores['n'] == 3 and scores['ods'] > .6 and scores['ods'] > scores['canny_ods']


def test_names_what_is_wrong():
    with pytest.raises(ValueError, match='"wide"'): SketchNet('wide')
    with pytest.raises(ValueError, match='"wide"'): Discriminator('wide')
