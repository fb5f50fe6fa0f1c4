"SketchNet: any photo in, clean lines out; the seed's faults as regressions"
import warnings

import cv2
import numpy as np
import pytest
import torch

from sketchbook import sketchnet
from sketchbook.blocks import count_params
from sketchbook.data import sample_photos
from sketchbook.sketchnet import (_Discriminator, _PencilPairs, SketchNet, SketchNetTask, _agreement, _receptive_radius,
                                  _target_and_weight, _tiles, _agreed_lines, canny, _consensus, draw, _embolden,
                                  _inhibit, _ink_probability, _look, _resized)
from sketchbook.metrics import _line_lengths, thin_lines
from sketchbook.weights import card, load


@pytest.fixture(scope='module')
def cat(): return sample_photos('cat')['cat']


@pytest.fixture(scope='module')
def net(): return load('sketchnet', 'cpu')


@pytest.mark.parametrize('preset, width, n', [
    ('deep', 1, 10_184_301), ('deep', .25, 639_501), ('shallow', 1, 464_221), ('book', 1, 744_182)])
def test_parameter_counts(preset, width, n):
    assert count_params(SketchNet(preset, width, pretrained=False)) == n


def test_paper_discriminator():
    paper = _Discriminator('paper')
    assert count_params(paper.body) == 16_346_112
    assert paper(torch.rand(1, 4, 424, 424)).shape == (1, 1, 6, 6)
    assert isinstance(paper.head, torch.nn.Conv2d)      # the seed ended in ReLU and sigmoid, never below one half


@pytest.mark.parametrize('preset', ['book', 'deep', 'shallow'])
@pytest.mark.parametrize('size', [(1, 1), (7, 100), (17, 33)])
def test_any_size_in(preset, size):
    net = SketchNet(preset, 1 if preset == 'book' else .1, pretrained=False).eval()
    with torch.no_grad(): assert net(torch.rand(1, 3, *size)).shape == (1, 1, *size)


@pytest.mark.parametrize('shape', [(1, 1), (10, 3000), (3000, 10), (120, 90)])
@pytest.mark.parametrize('resolution', [1, None])
def test_draw_any_shape(net, shape, resolution):
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    sketch = draw(photo, resolution, net=net, device='cpu')
    assert sketch.shape == shape and sketch.dtype == np.float32 and 0 <= sketch.min() <= sketch.max() <= 1


def test_clean_paper_and_gamma(cat, net):
    for photo in sample_photos().values():
        sketch = draw(photo, net=net, device='cpu')
        assert (sketch[sketch > .5] > .95).mean() > .8 and (sketch > .95).mean() > .78 and sketch.min() < .1
    assert (draw(cat, net=net, device='cpu') <= draw(cat, gamma=False, net=net, device='cpu')).all()


def test_plain_grey_stays_paper(net):
    assert draw(np.full((200, 300, 3), 128, np.uint8), net=net, device='cpu').min() > .9


def test_merge_keeps_the_darker(cat, net):
    once, both = (draw(cat, merge=m, net=net, device='cpu', detail=0) for m in (False, True))
    assert (both <= once + 1e-6).all() and both.sum() < once.sum()


def test_mask_hides_the_background(cat, net):
    mask = np.zeros(cat.shape[:2], np.float32)
    mask[80:220, 120:330] = 1
    sketch = draw(cat, mask=mask, net=net, device='cpu')
    assert sketch[:50].min() > .9 and sketch[:, :80].min() > .9 and sketch[90:210, 130:320].min() < .5


def test_aspect_ratio_survives():
    "The seed squashed every photo to a square"
    for r, side in ((0, 600), (1, 424), (2, 848), (3, 1272)):
        assert max(_resized(np.zeros((50, 100, 3), np.uint8), r).shape) == side
    assert _resized(np.zeros((50, 100, 3), np.uint8), 2).shape[:2] == (424, 848)


def test_fine_detail_survives(net):
    "The seed made photos 224 px small before drawing: with that fault these two drawings would be alike"
    photo = sample_photos('motorcycle')['motorcycle']
    small = cv2.resize(cv2.resize(photo, (224, 151), interpolation=cv2.INTER_AREA), photo.shape[1::-1],
                       interpolation=cv2.INTER_CUBIC)
    length = [thin_lines(draw(p, net=net, device='cpu') < .8).sum() for p in (photo, small)]
    assert length[0] > 1.1*length[1]


@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_unshuffling_by_convolution_copies(layout):
    x = torch.randn(2, 3, 8, 12).to(memory_format=layout)
    for x in (x, x.bfloat16()): assert torch.equal(sketchnet._unshuffled(x), torch.nn.functional.pixel_unshuffle(x, 2))


def test_a_photo_is_drawn_without_batch_norms_as_with_them(cat):
    with_norms = load('sketchnet', 'cpu', fresh=True)
    quick, slow = (sketchnet.line_maps(cat, net=n, device='cpu') for n in (None, with_norms))
    for a, b in zip(quick[:3], slow[:3]): assert np.abs(a - b).mean() < .01


def test_people_disagree():
    "One pen alone: no question. Many: a line. None: paper"
    drawn = np.zeros((5, 40, 40), bool)
    drawn[:, 6] = True
    drawn[0, 25] = True
    line, known = _target_and_weight(torch.from_numpy(_agreed_lines(drawn))[None])
    assert line[0, 0, 6, 5:-5].all() and known[0, 0, 6].all() and line.sum() <= 40
    assert not line[0, 0, 25].any() and not known[0, 0, 25].any()
    assert not line[0, 0, 15].any() and known[0, 0, 15].all() and known[0, 0, 38].all()


def test_shaky_hands_still_agree():
    "Five hands a pixel apart share no pixel, and mean one line"
    drawn = np.zeros((5, 40, 60), bool)
    for i in range(5): drawn[i, 18+i] = True
    assert _consensus(drawn).max() == pytest.approx(.2)
    assert _agreement(drawn)[20].min() == 1
    line = _agreed_lines(drawn)[0]
    assert (line[20, 5:-5] == 1).all() and line.sum() <= 60


def test_lines_without_people_are_asked_everywhere():
    line, known = _target_and_weight(torch.tensor([0., .3, .5, 1.]).view(1, 1, 1, 4))
    assert line.flatten().tolist() == [0, 0, 1, 1] and known.min() == 1


def test_inhibition_keeps_ridges_and_thins_lines():
    z = torch.full((1, 1, 9, 21), -4.)
    z[..., 8:13] = torch.tensor([-1., 1, 3, 1, -1])
    out = _inhibit(z)
    assert torch.equal(out[..., 10], z[..., 10]) and (out <= z).all()
    assert ((out > 0).sum(-1) == 1).all() and ((z > 0).sum(-1) == 3).all()


class Steps:
    "A stand-in for `training.Run` that remembers what each backward reached"
    def __init__(self, task, progress):
        self.nets, self.progress, self.reached = task.networks(), progress, {}
        self.plain = self.nets

    def minimize(self, loss, key):
        for net in self.nets.values(): net.zero_grad(set_to_none=True)
        loss.backward()
        self.reached[key] = {k for k, net in self.nets.items() if any(p.grad is not None for p in net.parameters())}


@pytest.mark.parametrize('progress, who', [(.1, {'netG'}), (.9, {'netG', 'netD'})])
def test_fake_is_detached_and_D_frozen(progress, who):
    photo = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    task = SketchNetTask([(photo, np.eye(80, dtype=np.float32))], size=60, netG=dict(pretrained=False), netD=dict(nf=8))
    run = Steps(task, progress)
    batch = [t[None].expand(2, -1, -1, -1) for t in task.sample(0, np.random.default_rng(0))]
    log = task.step(run, *batch)
    assert set(run.reached) == who and all(v == {k} for k, v in run.reached.items())
    assert ('D accuracy' in log) == (progress > .6)


def test_turned_targets_stay_whole():
    "One long line stays one piece under every turn and scale; it fell to dots when only its darkest pixels counted"
    people = np.zeros((3, 300, 300), bool)
    people[:] = cv2.ellipse(np.zeros((300, 300), np.uint8), (150, 150), (120, 70), 20, 0, 360, 1) > 0
    task = SketchNetTask([(np.zeros((300, 300, 3), np.uint8), people)], size=192, netG=dict(pretrained=False))
    pieces = [len(_line_lengths(task.sample(0, np.random.default_rng(k))[1][0].numpy() > .5)) for k in range(12)]
    assert max(pieces) <= 6 and np.mean(pieces) <= 4


def test_D_does_not_see_what_was_not_asked():
    photo, people = np.zeros((80, 80, 3), np.uint8), np.zeros((5, 80, 80), bool)
    people[:,20], people[0,60] = True, True               # one line of all, one of a single person
    task = SketchNetTask([(photo, people)], size=64, netG=dict(pretrained=False), netD=dict(nf=8))
    seen = []
    task.play = lambda run, photo, real, fake: (seen.append((real, fake)), (fake.sum()*0, {}))[1]
    batch = [t[None].expand(2, -1, -1, -1) for t in task.sample(0, np.random.default_rng(1))]
    task.step(Steps(task, .9), *batch)
    (real, fake), silent = seen[0], _target_and_weight(batch[1])[1] == 0
    assert silent.any() and (fake[silent] == 1).all() and (real[silent] > .4).all() and (fake[~silent] < 1).any()


@pytest.mark.parametrize('frozen', [False, True])
def test_norms_can_be_frozen(frozen):
    photo = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    task = SketchNetTask([(photo, np.eye(80, dtype=np.float32))], size=48, netG=dict(pretrained=False), netD=dict(nf=8),
                         frozen=frozen)
    run = Steps(task, .1)
    norms = [m for m in run.plain['netG'].modules() if isinstance(m, torch.nn.BatchNorm2d)]
    before = [m.running_mean.clone() for m in norms]
    task.step(run, *[t[None].expand(2, -1, -1, -1) for t in task.sample(0, np.random.default_rng(0))])
    assert all(torch.equal(a, m.running_mean) for a, m in zip(before, norms)) == frozen


def test_drawing_leaves_the_network_as_it_was(cat):
    net = SketchNet(pretrained=False).train()
    sketchnet._freeze_norms(net)
    were = [m.training for m in net.modules()]
    draw(cat, 1, net=net)
    assert [m.training for m in net.modules()] == were and any(were) and not all(were)


def test_D_wakes_up_late_and_stays_awake():
    task = SketchNetTask([(np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.float32))], netG=dict(pretrained=False))
    assert [task.rate('netD', p) for p in (0, .5, .6, .7, 1)] == [0, 0, 0, 1, 1]
    assert task.rate('netG', .9) < task.rate('netG', .5) < task.rate('netG', .1)


def test_encoder_learns_slower():
    task = SketchNetTask([(np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.float32))], netG=dict(pretrained=False))
    new, old = task.optimizers(task.networks())['netG'].param_groups
    assert old['lr'] == pytest.approx(.15*new['lr'])


def test_canny_and_its_strength(cat):
    strength, levels = sketchnet._canny_strength(cat, 2, levels=8), sketchnet._canny_levels(8)
    for i, high in enumerate(levels, 1): assert ((strength >= i/8 - 1e-6) == (canny(cat, 2, .4*high, high) < .5)).all()


def test_card_meets_the_bar():
    c = card('sketchnet')
    m = c['metrics']['bsds_val']
    assert m['ods'] >= .78 and m['ink_width'] <= 3 and m['canny_ods'] < .62 and c['bytes'] < 10_000_000
    inner = c['metrics']['duts_large_val']
    assert inner['inner_1'] >= .88 and inner['inner'] >= .75 and max(inner['debris'], inner['debris_1']) <= .6
    assert c['bytes'] < 4_000_000
    assert 'non-commercial' in c['data_licence'] and c['command'].startswith('sketchbook train sketchnet-detail --data')


def test_evaluate_on_validation_photos(shared_data):
    scores = sketchnet.evaluate('sketchnet', shared_data/'bsds_val.tar', limit=3, thresholds=9)
    assert scores['n'] == 3 and scores['ods'] > .6 and scores['ods'] > scores['canny_ods']


class Grey(sketchnet._MultiScale):
    "A network that draws what is dark, knows no neighbours, and counts how often it is asked"
    def __init__(self, limit=None):
        super().__init__()
        self.one, self.limit, self.asked = torch.nn.Parameter(torch.ones(1)), limit, []

    def look(self, x, sides=False):
        self.asked.append(tuple(x.shape[-2:]))
        if self.limit and x.shape[-1]*x.shape[-2] > self.limit:
            raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB.')
        return [(.5 - x.mean(1, keepdim=True))*12]


@pytest.fixture
def told():
    "Every warning of the test, as text; what was said once may be said again"
    sketchnet._say_once.cache_clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        yield caught
    sketchnet._say_once.cache_clear()


def random_net(preset='book', width=1.):
    "Untrained, with norms that are no identity and keep every ReLU alive"
    torch.manual_seed(0)
    net = SketchNet(preset, width, pretrained=False).eval()
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_var.fill_(.3); m.weight.data.uniform_(.5, 1.5); m.bias.data.fill_(1.)
    return net


@pytest.mark.parametrize('which', ['shipped', 'random', 'deep', 'shallow'])
def test_tiles_leave_no_seams(which, net):
    photo = np.random.default_rng(0).integers(0, 256, (500, 610, 3), dtype=np.uint8)
    photo = cv2.GaussianBlur(photo, (0, 0), 3)
    used = {'shipped': net, 'random': random_net(), 'deep': random_net('deep', .1),
            'shallow': random_net('shallow', .1)}[which]
    whole, tiled = (_ink_probability(photo, used, 'cpu', tile=t) for t in (0, 240))
    assert np.abs(whole - tiled).max() <= 1/255


@pytest.mark.parametrize('preset, width', [('book', 1.), ('deep', .1), ('shallow', .1)])
def test_the_margin_is_wider_than_any_network_sees(preset, width):
    radius = _receptive_radius(random_net(preset, width))
    assert {'book': 100, 'deep': 50, 'shallow': 5}[preset] < radius < 256


@pytest.mark.parametrize('h, w, side', [(1, 1, 48), (480, 960, 480), (500, 1000, 96), (47, 3000, 1152)])
def test_tiles_cover_everything_once(h, w, side):
    count = np.zeros((h, w), int)
    for mine, seen in _tiles(h, w, side):
        count[mine] += 1
        for m, s, n in zip(mine, seen, (h, w)):
            assert s.start <= m.start and s.stop >= m.stop and s.start % 16 == 0 and (s.stop % 16 == 0 or s.stop == n)
    assert (count == 1).all()


def test_large_photos_are_tiled_by_themselves():
    net = Grey()
    _ink_probability(np.zeros((1700, 1800, 3), np.uint8), net, 'cpu')
    assert len(net.asked) == 4 and max(h*w for h, w in net.asked) < 1700*1800
    _ink_probability(np.zeros((1700, 1700, 3), np.uint8), net, 'cpu')
    assert net.asked[4:] == [(1696, 1696)]
    _ink_probability(np.zeros((1700, 1800, 3), np.uint8), net, 'cpu', tile=0)
    assert net.asked[5:] == [(1696, 1792)]


def test_out_of_memory_falls_back_to_tiles_and_says_so(told):
    photo = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), dtype=np.uint8)
    roomy, tight = Grey(), Grey(limit=1_000_000)
    assert np.array_equal(_ink_probability(photo, tight, 'cpu'), _ink_probability(photo, roomy, 'cpu', tile=0))
    assert len(tight.asked) > 2
    assert [str(w.message) for w in told] == ['The device ran out of memory: the photo is drawn in tiles instead.']
    with pytest.raises(torch.OutOfMemoryError): _ink_probability(photo, Grey(limit=100), 'cpu')


def test_other_errors_are_not_mistaken_for_memory(cat):
    class Broken(Grey):
        def look(self, x, sides=False): raise RuntimeError('shape mismatch')
    with pytest.raises(RuntimeError, match='shape mismatch'): _ink_probability(cat, Broken(), 'cpu')


def test_much_too_large_a_resolution_is_said_once(told):
    for _ in range(2): draw(np.zeros((60, 90, 3), np.uint8), 1, net=Grey(), device='cpu', detail=0)
    assert len(told) == 1 and 'more than twice the size' in str(told[0].message)


def test_the_usual_resolution_says_nothing(told, cat):
    draw(cat, net=Grey(), device='cpu', detail=0)
    assert not told


def test_weights_without_details_say_so_once(told, cat):
    for _ in range(2): drawn = draw(cat, net=Grey(), device='cpu', detail=.5)
    assert [str(w.message) for w in told] == ['These weights draw no details: the sketch has outlines alone, '
                                              'as with detail 0.']
    assert (drawn == draw(cat, net=Grey(), device='cpu', detail=0)).all()


@pytest.mark.parametrize('photo', [
    np.full((40, 50), 90, np.uint8), np.full((40, 50, 1), 90, np.uint8), np.full((40, 50, 4), 90, np.uint8),
    np.full((40, 50, 3), .35, np.float32)])
def test_grey_transparent_and_float_photos(photo):
    assert draw(photo, None, net=Grey(), device='cpu').shape == (40, 50)


def test_what_is_under_full_transparency_is_paper(net):
    photo = np.random.default_rng(0).integers(0, 256, (96, 96, 4), dtype=np.uint8)
    photo[..., 3] = 0
    assert np.array_equal(draw(photo, None, net=net, device='cpu'),
                          draw(np.full((96, 96, 3), 255, np.uint8), None, net=net, device='cpu'))


def test_overexposed_photos_stay_clean(cat, net):
    assert draw(np.full((200, 300, 3), 255, np.uint8), net=net, device='cpu').min() > .9
    burnt = np.clip(cat.astype(int)*4, 0, 255).astype(np.uint8)
    assert (draw(burnt, net=net, device='cpu') > .95).mean() > .6


@pytest.mark.parametrize('photo', [
    np.zeros((0, 5, 3), np.uint8), np.zeros((5, 5, 2, 2), np.uint8), np.full((5, 5, 3), np.nan)])
def test_photos_that_are_none(photo):
    with pytest.raises(ValueError): draw(photo, net=Grey(), device='cpu')


@pytest.mark.parametrize('px', [2, 3, 5])
def test_weight_multiplies_the_width(px):
    sketch = np.ones((400, 60), np.float32)
    sketch[:, 30:30+px] = 0
    assert _embolden(sketch, 1) is sketch
    for weight in (1.5, 2, 3.2): assert (1-_embolden(sketch, weight))[200].sum() == pytest.approx(px*weight, rel=.08)
    amounts = [(1-_embolden(sketch, w)).sum() for w in np.linspace(.4, 3, 14)]
    assert amounts == sorted(amounts)


def test_scales_are_averaged(cat):
    net = Grey()
    views = [_look(cat, 1, device='cpu', net=net, scales=s) for s in (.5, 1., 1.5)]
    assert [max(s) for s in net.asked] == [208, 416, 640]
    np.testing.assert_allclose(_look(cat, 1, device='cpu', net=net, scales=(.5, 1, 1.5)), np.mean(views, 0), atol=1e-6)
    for bad in ((), (0,), (-1, 1), (9,)):
        with pytest.raises(ValueError, match='scales should be'): _look(cat, scales=bad, net=net)


def test_merge_finds_the_object_once(cat, monkeypatch):
    "The positive and the negative are cut out with one mask"
    from sketchbook import masknet
    from sketchbook.pipeline import Pipeline
    calls, cut = [], []
    def predict(photo, *a, **k):
        calls.append(photo.shape)
        return np.tri(*photo.shape[:2], dtype=np.float32)
    monkeypatch.setattr(masknet, 'predict', predict)
    whole = sketchnet.cut_out
    monkeypatch.setattr(sketchnet, 'cut_out', lambda p, m: cut.append(m) or whole(p, m))
    Pipeline(merge=True, vectorize=False, resolution=1, device='cpu', detail=0)(cat)
    assert len(calls) == 1 and len(cut) == 2 and cut[0] is cut[1]
    calls.clear()
    ex = sketchnet.explore_sketch({'cat': cat[::2, ::2].copy()})
    ex.controls['resolution'].value = 1
    ex.controls['merge'].value = True
    ex.controls['mask'].value = True
    assert len(calls) == 1 and ex.pane.error is None


def test_pencil_pairs_need_photos_only(tmp_path):
    from sketchbook.data import save_image
    for i, shape in enumerate(((50, 70, 3), (900, 300, 3))):
        save_image(tmp_path/f'{i}.png', np.random.default_rng(i).integers(0, 256, shape, dtype=np.uint8))
    pairs = _PencilPairs(tmp_path)
    (a, la), (b, lb) = pairs[0], pairs[1]
    assert len(pairs) == 2 and a.shape == (50, 70, 3) and la.shape == (50, 70) and b.shape[0] == 640 == lb.shape[0]
    assert la.dtype == np.float32 and 0 <= la.min() < la.max() <= 1
    task = sketchnet.TASKS['sketchnet-pencil'](tmp_path)
    photo, drawn = task.sample(0, np.random.default_rng(0))
    assert len(task) == 2 and photo.shape == (3, 192, 192) and drawn.shape == (1, 192, 192)
    assert task.name == 'sketchnet-pencil'


def test_evaluate_returns_curves_and_lines(cat):
    drawn = np.zeros((1, *cat.shape[:2]), bool)
    drawn[0, 100] = True
    scores = sketchnet.evaluate(Grey(), [(cat, drawn)], thresholds=9)
    for k in ('', 'canny_'):
        assert 0 <= scores[k+'ods'] <= scores[k+'ois'] + .01 and scores[k+'continuity'] > 1
        assert scores[k+'ink_width'] >= 1
        assert 1 < len(scores[k+'curve']) <= 20 and all(0 < r <= 1 and 0 <= p <= 1 for r, p in scores[k+'curve'])


def test_sweep_puts_the_best_first(cat):
    drawn = [canny(cat, 2, 40, 100) < .5]
    found = sketchnet._sweep_canny([(cat, np.array(drawn))], sigmas=(1., 2.), ratios=(.4,))
    assert [m['sigma'] for m in found] == [2., 1.] and found[0]['ods'] > .8 and found[0]['ods'] >= found[1]['ods']
    assert 80 < found[0]['high'] < 125


def test_explore_canny_counts(cat):
    ex = sketchnet.explore_canny({'cat': cat[::2, ::2].copy()})
    assert [ex.controls[k].value for k in ('sigma', 'low', 'high')] == [1, 100, 200], 'the defaults of `canny`'
    assert ex.pane.message.text == 'Canny: 1 setting tried, SketchNet: 1 setting tried'
    ex.controls['sigma'].value = 2.
    ex.controls['low'].value = 20.
    ex.controls['sure'].value = .3
    assert ex.pane.message.text == 'Canny: 3 settings tried, SketchNet: 2 settings tried'
