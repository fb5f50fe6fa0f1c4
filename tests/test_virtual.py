"Virtual Sketching: geometry, rules, demonstrations, training, bad input, and what the shipped weights promise"
import contextlib
import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sketchbook import virtual as V, virtual_training as T
from sketchbook.drawings import OpenMojiPairs, render_svg
from sketchbook.strokes import Strokes
from sketchbook.tracer import measure
from sketchbook.vectorize import vectorize
from sketchbook.weights import available, load


def plus(size=96, width=5):
    page, a, b = np.ones((size, size), np.float32), size//8, size//2
    page[b:b+width,a:-a] = page[a:-a,b:b+width] = 0
    return page


@pytest.fixture(scope='module')
def net():
    torch.manual_seed(0)
    return load('virtual', 'cpu') if 'virtual' in available() else V.VirtualSketcher().eval()


def random_action(n=64):
    return V._activate(torch.randn(n, 2)*5, torch.randn(n, 6)*5)


def test_numbers_stay_in_their_ranges():
    a = random_action()
    for v, low, high in ((a.control, 0, 1), (a.end, -1, 1), (a.width, .01, 1), (a.scale, 0, 2)):
        assert v.min() >= low and v.max() <= high
    xy = V._curve_points(a, torch.linspace(0, 1, 7))
    assert (xy[:,0] == 0).all() and torch.allclose(xy[:,-1], a.end) and xy.abs().max() <= 1


def test_soft_strokes_agree_with_a_plain_renderer():
    svg = ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><path d="M10 50Q20 5 55 20" fill="none" '
           'stroke="#000" stroke-width="7" stroke-linecap="round"/></svg>')
    t = torch.linspace(0, 1, 17)[:,None]
    xy = (1-t)**2*torch.tensor([10., 50]) + 2*t*(1-t)*torch.tensor([20., 5]) + t*t*torch.tensor([55., 20])
    ours = V._window_ink(xy[None], torch.full((1, 17), 3.5), 64, tau=.3)[0,0]
    assert (ours - (1-torch.tensor(render_svg(svg, 64)[...,0])/255)).abs().mean() < .01


@pytest.mark.parametrize('radius', (1., 3., 6.))
@pytest.mark.parametrize('taper', (0., .8))
def test_gradients_of_the_rasteriser(radius, taper):
    torch.manual_seed(1)
    points = (torch.rand(2, 4, 2, dtype=torch.float64)*16).requires_grad_()
    r = (torch.full((2, 4), radius, dtype=torch.float64)*torch.linspace(1-taper, 1, 4)).requires_grad_()
    weight = torch.rand(2, 1, 16, 16)
    value = lambda p, r: (V._window_ink(p, r, 16)*weight).sum()
    got = torch.autograd.grad(value(points, r), (points, r))
    for k, (x, g) in enumerate(zip((points, r), got)):
        numeric = torch.zeros_like(x)
        for i in range(x.numel()):
            step = torch.zeros_like(x); step.view(-1)[i] = 1e-5
            both = [value(*(v + s*step if j == k else v for j, v in enumerate((points, r)))) for s in (1, -1)]
            numeric.view(-1)[i] = (both[0]-both[1]).detach()/2e-5
        assert (g-numeric).abs().max() < .1*numeric.abs().max() + .05


def test_a_dot_and_a_zero_length_stroke_have_finite_gradients():
    points = torch.full((1, 5, 2), 20., requires_grad=True)
    V._window_ink(points, torch.full((1, 5), 2.), 32).sum().backward()
    assert points.grad.isfinite().all() and points.grad.abs().max() < 100


def test_crop_and_look_see_the_same():
    page = np.random.default_rng(0).integers(0, 256, (80, 120)).astype(np.uint8)
    at, window = np.array([70.25, 31.5]), 52.
    ours = V._crop(torch.tensor(page)[None,None]/255, torch.tensor(at)[None].float(), torch.tensor([window]), 64)[0,0]
    assert np.abs(V._look(page, at, window)/255 - ours.numpy()).max() < .06
    assert V._look(page, np.array([-500., 0]), 64.).max() == 0 # beyond the page there is paper


def test_gradients_reach_place_and_size_of_a_window():
    at, side = torch.tensor([[20., 22]], requires_grad=True), torch.tensor([17.], requires_grad=True)
    V._paste(torch.rand(1, 1, 16, 16), at, side, 40, 40).square().sum().backward()
    assert at.grad.abs().sum() > 0 and side.grad.abs().sum() > 0


def test_windows_keep_their_limits():
    for limits, side in (((32, None), 278), ((32, 128), 500), ((32, 128), 20)):
        high = min(side, limits[1] or side)
        low = min(limits[0], high)
        for scale in (0, .5, 1, 2.):
            assert low <= V._window_after(np.array([64.]), scale, side, limits)[0] <= high
            assert low <= V._window_after(torch.tensor([64.]), scale, side, limits)[0] <= high


@pytest.mark.parametrize('width', (4., 9.))
def test_the_ink_of_a_rollout_is_as_wide_as_asked(width):
    net, side = V.VirtualSketcher(), 100.
    for layer in (net.pen, net.stroke): torch.nn.init.zeros_(layer.weight)
    net.pen.bias.data = torch.tensor([9., -9])
    share = torch.tensor((2*width/side-.01)/.99)
    # straight to the right, as wide at the end
    net.stroke.bias.data = torch.tensor([0, 0, .8, 0, torch.logit(share), 0])
    drawn = V._rollout(net, torch.zeros(1, 1, 160, 160), torch.tensor([[40., 80]]), torch.tensor([side]),
                       torch.tensor([width]), 1)
    across = drawn.soft[0,0,:,55]
    assert across.sum().item() == pytest.approx(width, abs=.4) and across[80].item() > .7


def test_blank_drawings_are_refused():
    task = T.VirtualTask(T.Drawings([np.ones((64, 64), np.float32)]*3), steps=2)
    with pytest.raises(ValueError, match='All 3 drawings are blank'): task.sample(0, np.random.default_rng(0))


def test_a_rollout_reaches_all_weights():
    torch.manual_seed(0)
    net = V.VirtualSketcher()
    start = torch.tensor([[60., 60], [20, 100]]), torch.tensor([64., 128]), torch.tensor([3., 3])
    drawn = V._rollout(net, torch.rand(2, 1, 140, 130), *start, 3)
    assert drawn.soft.shape == drawn.hard.shape == (2, 1, 140, 130)
    sum([drawn.soft.mean(), *T._pen_losses(drawn, 1.).values()]).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


@pytest.mark.parametrize('progress', (0., 1.))
def test_a_training_step_in_bfloat16(progress):
    task = T.VirtualTask(T.Drawings([plus()]), steps=3, unroll=3)
    batch = [torch.as_tensor(np.stack(v)) for v in zip(*(task.sample(0, np.random.default_rng(s)) for s in range(4)))]
    run, losses = SimpleNamespace(nets={'net': V.VirtualSketcher()}, progress=progress, step=0), []
    for way in (contextlib.nullcontext(), torch.autocast('cpu', torch.bfloat16)):
        with way: loss, terms = T._training_loss(task, run, *batch)
        loss.backward()
        losses.append(loss.item())
        assert ('raster' in terms) == (progress > 0) and all(v.dtype == torch.float32 for v in terms.values())
    assert all(p.grad.isfinite().all() for p in run.nets['net'].parameters())
    assert losses[1] == pytest.approx(losses[0], rel=.05) and losses[1] != losses[0]


def test_schedules():
    assert [T._sweep_start(p, 48, 24) for p in (0, .25, 1)] == [24, 18, 0]
    still = V._Rollout(None, None, torch.zeros(2, 48), torch.zeros(2, 48), torch.zeros(2, 48))
    weights = [float(T._pen_losses(still, p, move=.1)['moves']) for p in (0, 1/3, 2/3, 1)]
    assert weights == pytest.approx([0, 0, .05, .1])


@pytest.mark.parametrize('seed', range(6))
def test_the_expert_covers_the_page_and_stays_in_range(seed):
    page, trails = T.Drawings([plus()])[0]
    expert, rng = T._Expert(page, trails, np.random.default_rng(seed)), np.random.default_rng(seed)
    for _ in range(80):
        right = T._expert_actions(expert)
        if not right: break
        for a in right:
            n = np.array(T._targets(expert, a))
            assert (n[:2] >= 0).all() and (n[:2] <= 1).all() and (np.abs(n[2:4]) <= 1).all() and .01 <= n[4] <= 1
            assert 0 < n[5] < 2
        T._perform(expert, right[rng.integers(len(right))])
    assert not T._expert_actions(expert) and expert.window <= 128
    ink = page > 127
    assert ((expert.canvas > 127) & ink).sum() > .75*ink.sum()
    assert ((expert.canvas > 127) & ~ink).sum() < .7*ink.sum() # a pen that presses too hard


def test_demonstrations_repeat_and_fit_the_loss():
    drawings = T.Drawings([plus()])
    task = T.VirtualTask(drawings, steps=4)
    first, again, other = (task.sample(0, np.random.default_rng(s)) for s in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other))
    batch = [torch.as_tensor(np.stack(v)) for v in zip(first, other)][:6]
    terms = T._imitation_loss(V.VirtualSketcher(), *batch)
    assert all(v.isfinite() for v in terms.values())


def test_the_place_error_of_right_actions_is_zero():
    *_, pen, wanted, valid = T._demonstration(T._Expert(*T.Drawings([plus()])[0], np.random.default_rng(1)), 3)
    w = torch.tensor(wanted)
    for k in range(int(valid[0].sum())):
        said = V._Action(None, w[:1,k,:2], w[:1,k,2:4], None, None)
        error = T._place_error(said, w[:1], torch.tensor(pen[:1]))
        assert error[0,k] < 1e-5


class Knowing:
    "A network that answers what it was told"
    def __init__(self, pen, wanted): self.pen, self.wanted, self.step = pen, torch.as_tensor(wanted), 0
    def see(self, shown, *_): return torch.zeros(len(shown), 128)
    def start(self, n): return ()
    def decide(self, embedding, window, width, state):
        w, pen = self.wanted[self.step,0][None], int(self.pen[self.step])
        self.step += 1
        return V._Action(torch.tensor([[50.-100*pen, 100.*pen-50]]), w[:,:2], w[:,2:4], w[:,4], w[:,5]), state


def test_the_loss_of_a_lesson_is_zero_for_right_answers_alone():
    drawing = T.Drawings([plus()])[0]
    demonstrations = (T._demonstration(T._Expert(*drawing, np.random.default_rng(seed)), 3) for seed in range(50))
    found = next(d for d in demonstrations if d[-1][:,0].all()) # one with an action at every step
    batch, (pen, wanted) = [torch.as_tensor(v)[None] for v in found], found[3:5]
    right = T._imitation_loss(Knowing(pen, wanted), *batch)
    assert all(v.item() == pytest.approx(0, abs=1e-5) for v in right.values())
    wrong = T._imitation_loss(Knowing(1-pen, wanted*.5), *batch)
    assert all(v.item() > .01 for v in wrong.values())


def test_training_resumes_and_validates(tmp_path):
    from sketchbook.training import fit
    task = T.VirtualTask(T.Drawings([plus(), plus(width=9)]), [plus()], steps=2, unroll=2, raster_from=.5,
                         raster_every=1)
    run = fit(task, tmp_path/'run', steps=4, batch_size=2, device='cpu', plot=False, progress=False)
    assert {'place', 'raster', 'sweep', 'val_ink_covered', 'val_score'} <= set(run.history)
    assert run.card['weights_from_step'] <= 4
    from sketchbook import weights
    path = weights.save(run.net, tmp_path/'mine.safetensors', run.card)
    assert weights.card(path)['network'] == 'sketchbook.virtual:VirtualSketcher'
    scores = V.evaluate(path, [plus()], device='cpu')
    assert set(scores) >= {'ink_covered', 'strokes_on_ink', 'strokes', 'branches', 'traced', 'n'}


def test_blank_pages_are_skipped_in_training():
    task = T.VirtualTask(T.Drawings([np.ones((64, 64), np.float32), plus()]), steps=2)
    assert task.sample(0, np.random.default_rng(0))[0].max() > 0


def test_a_blind_pen_does_no_harm():
    "It draws to the right whatever it sees; only what lies on new ink is kept"
    net = V.VirtualSketcher().eval()
    for layer, bias in ((net.pen, [9., -9]), (net.stroke, [0, 0, .2, 0, -2., 0])):
        torch.nn.init.zeros_(layer.weight); layer.bias.data = torch.tensor(bias)
    page = np.ones((96, 160), np.float32); page[46:51,12:120] = 0
    found = V.virtual(page, net=net, rounds=2, steps=30)
    got = measure(found, page)
    assert got['ink_covered'] > .5 and got['strokes_on_ink'] > .6


@pytest.mark.parametrize('sketch,says', (
    (np.zeros((40,40), np.float32), '100% of the sketch is dark'),
    (1-plus(), 'pass `1 - sketch`'),
    (np.full((8,8), np.nan, np.float32), 'NaN'),
    (np.full((8,8), 255., np.float32), '0 (ink) to 1 (paper)'),
    (np.ones((8,8,3), np.float32), '(8, 8, 3)')))
def test_bad_sketches_are_refused_in_a_sentence(sketch, says, net):
    with pytest.raises(ValueError) as e: V.virtual(sketch, net=net)
    assert says in str(e.value)


def test_blank_tiny_and_narrow_pages(net, tmp_path):
    for shape in ((1,1), (3,200), (64,64)):
        found = V.virtual(np.ones(shape, np.float32), net=net)
        assert len(found) == 0 and (found.height, found.width) == shape
    dot = np.ones((20, 20), np.float32); dot[9,9] = 0
    assert len(V.virtual(dot, net=net)) == 0
    thin = np.ones((9, 200), np.float32); thin[4,5:195] = 0
    assert V.virtual(thin, net=net).width == 200


def test_a_photo_works_and_warns(net):
    y, x = np.mgrid[:90,:120]
    photo = (.5+.3*np.sin(x/9)*np.cos(y/7)).astype(np.float32)
    with pytest.warns(UserWarning, match='photo'): V.virtual(photo, net=net, rounds=1, steps=5)


def test_the_explorer_follows_a_pen(monkeypatch, net):
    as_photo = lambda sketch: np.repeat(np.rint(sketch*255).astype(np.uint8)[...,None], 3, 2)
    monkeypatch.setattr(V, 'draw', lambda photo, resolution: plus())
    monkeypatch.setattr(V, '_sketcher', lambda *_: net)
    ex = V.explore_pen({'plus': as_photo(plus()), 'chalk': as_photo(1-plus()),
                        'grey': np.full((96, 96, 3), 128, np.uint8), 'blank': as_photo(np.ones((9, 9)))})
    first = ex.pane.images['the window on the page'].value
    for name in ('chalk', 'grey'):         # a dark page is inverted, a photo is drawn first: the same drawing
        ex.controls['photo'].choice.value = name
        assert ex.pane.images['the window on the page'].value == first and ex.pane.error is None
    ex.controls['step'].value = 1
    assert ex.pane.message.text.startswith('step 1 of') and ', pen 1:' in ex.pane.message.text
    assert ex.pane.images['the window on the page'].value != first
    ex.controls['photo'].choice.value = 'blank'
    assert 'the page is blank' in ex.pane.message.text


def test_pens_that_are_followed_are_counted(monkeypatch):
    class Pens:
        page = canvas = np.zeros((4, 4), np.uint8)
        cursor, window = np.zeros((2, 2)), np.full(2, 9.)
        def __init__(self, *rows): self.rows = rows
        def __len__(self): return len(self.rows)
    first, second = [], []                              # equal, but not the same
    rounds = [Pens(first, second), Pens(first, second), Pens(second), Pens()]
    monkeypatch.setattr(V, 'virtual', lambda *_, watch, **kw: [watch(0, p) for p in rounds])
    assert [step[-1] for step in V._follow_pen(None)] == [1, 1, 2]


def test_a_bad_sketch_among_others_is_named(net, tmp_path):
    from sketchbook import weights
    path = weights.save(V.VirtualSketcher(), tmp_path/'a.safetensors')
    for limit in (0, -1):
        with pytest.raises(ValueError, match='limit'): V.evaluate(path, [plus()], limit=limit, device='cpu')
    with pytest.raises(ValueError, match='sketch number 0'): V.evaluate(path, [1-plus()], device='cpu')


def test_joining_keeps_ends_and_count():
    line = lambda a, b: V.Stroke([[a, a, b, b]], [3, 3])
    paper = np.zeros((50, 50), bool)
    apart = [line([0,0], [10,0]), line([30,30], [40,30])]
    assert V._join_ends(apart, ~paper) == apart and V._join_ends([], paper) == []
    ring, = V._join_ends([line([0,0], [20,0]), line([20,0], [20,20]), line([20,20], [0,0])], paper)
    assert ring.closed and len(ring) == 4


def test_a_gap_is_drawn_through_only_straight_on_and_on_ink():
    line = lambda a, b: V.Stroke([[a, a, b, b]], [3, 3])
    ink = np.zeros((50, 80), bool); ink[8:13] = True; ink[:,30:34] = True
    ahead, gap = line([5,10], [20,10]), [[20,10], [32,10]]
    assert len(V._join_ends([ahead, line([32,10], [50,10])], ink)) == 1
    assert len(V._join_ends([ahead, line([32,10], [50,10])], np.zeros_like(ink))) == 2
    # a turn of 90 degrees, too far for a corner
    assert len(V._join_ends([ahead, line([32,10], [32,40])], ink)) == 2
    joined, = V._join_ends([ahead, line([32,10], [50,10])], ink)
    assert np.allclose(joined.points[1,[0,3]], gap) and np.allclose(joined.length, 45, atol=.2)


needs_weights = pytest.mark.skipif('virtual' not in available(), reason='needs the trained weights')


@needs_weights
def test_shipped_weights_meet_their_bar():
    mean = V.evaluate('virtual', 'openmoji', limit=40, device='cpu')
    assert mean['ink_covered'] >= .9 and mean['strokes_on_ink'] >= .9 and mean['strokes'] < mean['branches']


@needs_weights
def test_what_the_network_draws_survives_a_file(net, tmp_path):
    sketch = OpenMojiPairs('val', size=256)[40][0]
    found = vectorize(sketch, 'virtual', device='cpu')
    found.save(tmp_path/'a.npz')
    assert Strokes.load(tmp_path/'a.npz') == found
    assert found == V.virtual(sketch, device='cpu')


@needs_weights
def test_pages_of_any_size_and_shape(net):
    big = np.ones((300, 500), np.float32); big[140:146,20:480] = 0; big[20:280,250:255] = 0
    found = V.virtual(big, net=net)
    assert measure(found, big)['ink_covered'] > .9 and len(found) <= 8


@needs_weights
def test_thick_lines_are_drawn_smaller_and_enlarged(net):
    page = np.ones((900, 1100), np.float32); page[440:480,60:1040] = 0
    seen = []
    found = V.virtual(page, net=net, watch=lambda _, pens: seen.append(tuple(pens.size)))
    assert (found.height, found.width) == (900, 1100) and max(seen[0]) < 300
    got = measure(found, page)
    assert got['ink_covered'] > .8 and got['strokes_on_ink'] > .8 and len(found) <= 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_cuda_draws_and_trains_too(tmp_path):
    from sketchbook.training import fit
    task = T.VirtualTask(T.Drawings([plus()]), steps=2, unroll=2, raster_from=0, raster_every=1)
    run = fit(task, tmp_path/'run', steps=2, batch_size=2, device='cuda', plot=False, progress=False)
    assert np.isfinite([v for _, v in run.history['raster']]).all()
    assert isinstance(V.virtual(plus(), net=run.net, rounds=1, steps=5), Strokes) and next(run.net.parameters()).is_cuda


def test_the_table_of_costs_times_the_pens(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1]/'benchmarks')
    drawn = []
    monkeypatch.setattr(V, 'virtual', lambda page, device: drawn.append((page.shape, device)))
    importlib.import_module('run').strokes('cpu')[1]()
    assert drawn == [((256, 256), 'cpu')]
