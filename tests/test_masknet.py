"MaskNet: parameter counts, shapes, the rules of soft and hard, bad input, and faults that must not come back"
import functools

import numpy as np
import pytest
import torch

from sketchbook import masknet, weights
from sketchbook.blocks import count_params, _fold_batch_norm
from sketchbook.data import load_photo, sample_photos
from sketchbook.masknet import (MaskNet, MaskNetTask, TASKS, clean_mask, cut_out, _guided_filter, hard, _mask_loss,
                                _object_box, predict, predict_closely, soft)


class Pairs:
    "Discs on a dark ground"
    def __init__(self, n=60): self.n = n
    def __len__(self): return self.n
    def __getitem__(self, i):
        y,x = np.mgrid[:48,:64]
        mask = ((y-24)**2+(x-20-i%20)**2 < 120).astype(np.float32)
        return (40+mask[...,None]*np.array([180,90,20])).astype(np.uint8), mask


@pytest.fixture(scope='module')
def net():
    torch.manual_seed(0)
    return MaskNet(2).eval()


@pytest.mark.parametrize('version,preset,n', [
    (1,'paper',15_312_385), (2,'paper',15_182_337), (1,'book',3_077_121), (2,'book',3_848_068)])
def test_parameters(version, preset, n):
    net = MaskNet(version, preset)
    assert count_params(net)==n
    assert net.config==dict(version=version, preset=preset)


def test_a_quarter_of_the_width():
    assert count_params(masknet._PaperNet(2, .25))==960_129


@pytest.mark.parametrize('preset', ['book','paper'])
@pytest.mark.parametrize('version,side', [(1,28), (2,56)])
def test_output_grid(preset, version, side):
    net = MaskNet(version, preset).eval()
    with torch.inference_mode():
        assert net(torch.rand(1,3,224,224)).shape==(1,1,side,side)
        for hw in ((1,1), (33,1), (70,50)): assert net(torch.rand(1,3,*hw)).isfinite().all()


@pytest.mark.parametrize('preset', ['book','paper'])
@pytest.mark.parametrize('version', [1, 2])
def test_folded_norms_change_nothing_but_time(preset, version):
    torch.manual_seed(0)
    net,x = MaskNet(version, preset).train(),torch.rand(2, 3, 96, 64)
    with torch.no_grad():
        for _ in range(3): net(x)               # statistics of its own
        want = net.eval()(x)
        got = _fold_batch_norm(net)(x)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
    assert (got-want).abs().max() < 1e-3*want.std() and want.std() > 0


def test_only_a_shipped_network_is_folded(net):
    photo = sample_photos('cat')['cat']
    shipped,keys = weights.load('masknet-v2', 'cpu'),set(net.state_dict())
    before = {k: v.clone() for k,v in shipped.state_dict().items()}
    mask = predict(photo, device='cpu')
    np.testing.assert_array_equal(predict(photo, net=shipped), mask)
    own = weights.load('masknet-v2', 'cpu', fresh=True)     # in bfloat16 the two differ a little
    assert np.abs(predict(photo, net=own)-mask).mean() < .005
    predict(photo, net=net)
    assert set(net.state_dict())==keys and all(torch.equal(v, before[k]) for k,v in shipped.state_dict().items())


@pytest.mark.parametrize('hw', [(1,1), (1,300), (300,1), (37,53), (500,220)])
@pytest.mark.parametrize('edge_aware', [False,True])
def test_any_photo_has_a_mask_of_its_size(net, hw, edge_aware):
    photo = np.random.default_rng(0).integers(0, 256, (*hw,3), dtype=np.uint8)
    mask = predict(photo, net=net, edge_aware=edge_aware)
    assert mask.shape==hw and mask.dtype==np.float32
    assert 0<=mask.min() and mask.max()<=1


@pytest.mark.parametrize('value', [0,128,255,(10,200,30)])
@pytest.mark.parametrize('hw', [(60,80), (1,1), (1,40)])
@pytest.mark.parametrize('edge_aware', [False,True])
def test_a_photo_of_one_colour_has_no_object(value, hw, edge_aware):
    photo = np.full((*hw,3), value, np.uint8)
    mask = predict(photo, device='cpu', edge_aware=edge_aware)
    assert mask.dtype==np.float32 and np.array_equal(mask, np.zeros(hw))
    for cut in (soft,hard): assert (cut_out(photo, cut(mask))==255).all()


def test_a_single_odd_pixel_is_not_one_colour(net):
    "The quick look at every 16th pixel may miss it, the second must not"
    photo = np.zeros((64,64,3), np.uint8); photo[9,9] = 255
    assert predict(photo, net=net).max()>0


@pytest.mark.parametrize('name', ['brick','grass','gravel'])
def test_no_object(name):
    "The network guesses, and may be wrong; what it says is still a mask"
    from importlib.resources import files
    photo = load_photo(files('skimage')/'data'/f'{name}.png', max_side=224)
    mask = predict(photo, device='cpu')
    assert mask.shape==photo.shape[:2] and np.isfinite(mask).all() and 0<=mask.min() and mask.max()<=1


def test_not_contiguous(net):
    photo = sample_photos('cat')['cat']
    assert np.array_equal(predict(photo[:,::-1], net=net), predict(np.ascontiguousarray(photo[:,::-1]), net=net))


def test_soft_and_hard():
    m = np.array([[0,.2,.5,.50001,.9,1]], np.float32)
    assert np.allclose(soft(m), [[0,.2,.5,1,1,1]]) and soft(m).dtype==np.float32
    assert np.array_equal(hard(m), [[0,0,0,1,1,1]]) and hard(m).dtype==np.float32
    assert np.array_equal(soft(m, 0), [[0,1,1,1,1,1]]) and np.array_equal(soft(m, 1), m)
    assert not hard(m, 1).any()


def test_a_smaller_softctr_shows_more():
    m = np.random.default_rng(0).random((20,20), np.float32)
    shown = [soft(m, t).sum() for t in (0,.25,.5,.75,1)]
    assert shown==sorted(shown, reverse=True)


def test_cut_out():
    photo = np.random.default_rng(0).integers(0, 256, (6,7,3), dtype=np.uint8)
    assert np.array_equal(cut_out(photo, np.ones((6,7))), photo)
    assert (cut_out(photo, np.zeros((6,7)))==255).all()
    with pytest.raises(ValueError, match='same size'): cut_out(photo, np.ones((7,6)))
    with pytest.raises(ValueError, match='NaN'): cut_out(photo, np.full((6,7), np.nan))


def test_whole_numbers_and_bools_are_masks_too():
    photo = np.full((2,2,3), 90, np.uint8)
    for dtype in (bool, np.uint8, int, np.float64):
        assert np.array_equal(cut_out(photo, np.eye(2, dtype=dtype))[...,0], [[90,255],[255,90]])


@pytest.mark.parametrize('setting', [
    dict(radius=1), dict(radius=np.int64(300)), dict(eps=1e-9), dict(side=1), dict(side=10**400)])
def test_guided_filter_takes_extreme_settings(setting):
    photo = np.random.default_rng(0).integers(0, 256, (30,40,3), dtype=np.uint8)
    assert np.allclose(_guided_filter(np.full((30,40), .5), photo, **setting), .5, atol=1e-3)


def test_guided_filter_leaves_its_inputs_alone():
    rng = np.random.default_rng(0)
    photo,mask = rng.integers(0, 256, (30,40,3), dtype=np.uint8), rng.random((30,40), np.float32)
    copies = photo.copy(),mask.copy()
    filtered = _guided_filter(mask, photo)
    assert filtered.dtype==np.float32 and 0<=filtered.min() and filtered.max()<=1
    assert np.array_equal(photo, copies[0]) and np.array_equal(mask, copies[1])


def test_mirrored_photo_mirrored_mask(net):
    photo = sample_photos('cat')['cat'][:,:448:2]
    assert np.allclose(predict(photo[:,::-1], net=net), predict(photo, net=net)[:,::-1], atol=1e-3)


def test_no_pixel_is_darker_than_the_photo():
    "The seed added photo and white in 8 bits; where both rules held, 255 + v wrapped around to v - 1"
    photo = np.full((1,256,3), 90, np.uint8)
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None]
    for mask in (ramp, soft(ramp), hard(ramp)):
        res = cut_out(photo, mask)
        assert res.min()>=90 and (np.diff(res[0,:,0].astype(int))<=0).all()


def test_detail_finer_than_the_network_survives():
    "The early seed drew from the 224-pixel copy; the cut-out must keep single-pixel stripes of a large photo"
    photo = np.zeros((448,896,3), np.uint8); photo[:,::2] = 200
    assert np.array_equal(cut_out(photo, np.ones((448,896), np.float32)), photo)


def test_guided_filter_follows_the_photo():
    step = np.zeros((64,64), np.float32); step[:,32:] = 1
    photo = np.repeat((step*255).astype(np.uint8)[...,None], 3, 2)
    ramp = np.tile(np.clip((np.arange(64)-26)/12, 0, 1).astype(np.float32), (64,1))
    jump = lambda m: np.abs(np.diff(m, axis=1)).max()
    assert jump(_guided_filter(ramp, photo)) > 2*jump(ramp)
    assert jump(_guided_filter(ramp, photo*0)) <= jump(ramp)+1e-6


def blob(shape=(200,300), at=(100,100), radius=40, value=1.):
    "A disc of one value"
    y,x = np.mgrid[:shape[0],:shape[1]]
    return np.where((y-at[0])**2+(x-at[1])**2 < radius**2, np.float32(value), np.float32(0))


def test_a_clean_mask_has_no_ghosts_and_no_holes():
    object_ = blob()*(1-blob(radius=15)*.9)                                 # nothing is believed in its middle
    ghost,speck = blob(at=(60,250), radius=25, value=.45),blob(at=(170,250), radius=4)
    cleaned = clean_mask(np.maximum.reduce([object_, ghost, speck]))
    assert cleaned[100,100]==1 and cleaned[100,130]==1
    assert not cleaned[:,160:].any()
    assert abs((cleaned>.5).sum()-(blob()>.5).sum()) < 60
    for cut in (soft,hard): assert np.abs(clean_mask(cut(object_))-cleaned).mean() < .01


def test_a_weak_part_of_the_object_stays_and_its_edge_is_firm():
    ramp = np.maximum(blob(), blob(at=(100,150), radius=30, value=.4))
    cleaned = clean_mask(ramp)
    assert cleaned[100,165]==1 and ((cleaned>0)&(cleaned<1)).mean() < .02   # an edge, not a fade
    assert clean_mask(ramp, .7)[100,165]==1 and clean_mask(ramp, .9)[100,165]==0


def test_a_hole_larger_than_the_object_stays():
    ring = blob(radius=60)-blob(radius=50)
    assert clean_mask(ring)[100,100]==0 and clean_mask(ring)[100,155]==1


@pytest.mark.parametrize('hw', [(1,1), (1,300), (300,1), (2,2), (37,53), (3,1900), (1700,900)])
def test_any_mask_can_be_cleaned(hw):
    for mask in (np.zeros(hw), np.random.default_rng(0).random(hw, np.float32)):
        cleaned = clean_mask(mask)
        assert cleaned.shape==hw and cleaned.dtype==np.float32 and 0<=cleaned.min() and cleaned.max()<=1
    assert not clean_mask(np.zeros(hw)).any() and (clean_mask(np.ones(hw))==1).all()


def test_the_edge_of_a_large_mask_is_firm_too():
    small = clean_mask(blob())
    large = clean_mask(blob((2000,3000), (1000,1000), 400))
    width = lambda m: ((m[m.shape[0]//2]>.02)&(m[m.shape[0]//2]<.98)).sum()
    assert width(large) <= width(small)+4


def test_object_box():
    m = np.zeros((100,200)); m[40:50,60:80] = 1
    assert _object_box(m, 0)==(40,60,50,80) and _object_box(m)==(38,58,52,82) and _object_box(m, 1e300)==(0,0,100,200)
    assert _object_box(m*.4) is None and _object_box(m*.4, 0, threshold=.3)==(40,60,50,80)
    assert _object_box(np.ones((1,1)))==(0,0,1,1)


@pytest.mark.parametrize('at,radius,looks', [
    ((200,300), 60, 2), ((200,300), 170, 1), ((200,300), 15, 1), ((9,9), 60, 2), (None, 0, 1)])
def test_only_small_objects_are_looked_at_twice(monkeypatch, at, radius, looks):
    seen,answer = [],blob((400,600), at, radius) if at else np.zeros((400,600), np.float32)
    def first_and_second(photo, **how):
        seen.append((photo.shape[:2], how))
        return answer if len(seen)==1 else np.full(photo.shape[:2], .75, np.float32)
    monkeypatch.setattr(masknet, 'predict', first_and_second)
    mask = predict_closely(np.zeros((400,600,3), np.uint8), version=1)
    assert len(seen)==looks and mask.shape==(400,600) and all(how==dict(version=1) for _,how in seen)
    if looks==1: assert mask is answer
    else:
        assert seen[1][0][0]*seen[1][0][1]==(mask>0).sum() < 400*600/2      # the box, and nothing outside
        assert (mask[answer>0]==np.float32(.75)).all()


def test_when_the_second_look_finds_nothing_the_first_stands(monkeypatch):
    answers = [blob((400,600), (200,300), 60)]
    def scripted(photo): return answers.pop() if answers else np.full(photo.shape[:2], .1, np.float32)
    monkeypatch.setattr(masknet, 'predict', scripted)
    assert np.array_equal(predict_closely(np.zeros((400,600,3), np.uint8)), blob((400,600), (200,300), 60))


def test_loss_is_smaller_for_a_better_answer():
    y = torch.zeros(1,1,64,64); y[...,16:48,16:48] = 1
    good,bad = (_mask_loss((2*t-1)*8, y) for t in (y, 1-y))
    for k in ('bce','iou'): assert 0<=good[k]<.05<bad[k]


def test_task_holds_out_and_repeats():
    task = TASKS['masknet-v1'](Pairs(120))
    assert task.name=='masknet-v1' and len(task.val)==2 and len(task)==118
    a,b = (task.sample(3, np.random.default_rng(7)) for _ in range(2))
    assert all(torch.equal(x, y) for x,y in zip(a,b))
    assert a[0].shape==(3,176,176) and a[1].shape==(1,176,176) and 0<=a[1].min() and a[1].max()<=1


def test_a_few_steps_learn(tmp_path):
    from sketchbook.training import fit
    task = MaskNetTask(Pairs(8), val=Pairs(2), size=64, lr=5e-3)
    run = fit(task, tmp_path, steps=12, batch_size=4, ema=.5, device='cpu', plot=False, progress=False)
    losses = [v for _,v in run.history['loss']]
    assert losses[-1] < .8*losses[0]


def test_shipped_weights():
    for version in (1,2):
        card = weights.card(f'masknet-v{version}')
        assert card['bytes']<8e6 and card['metrics']['ecssd_dev']['max_f']>=.85
        assert card['metrics']['ecssd_dev']['mae']<=.09
        assert card['data_licence'] and card['command'].startswith(f'sketchbook train masknet-v{version}')
        assert weights.load(f'masknet-v{version}', 'cpu').config['version']==version


def test_evaluate_measures_the_outline_too(net, tmp_path):
    path = weights.save(net, tmp_path/'net.safetensors')
    got = masknet.evaluate(str(path), Pairs(), limit=2, device='cpu')
    assert set(got)=={'max_f','max_f_mean','mean_f','adaptive_f','mae','s_measure','max_e','mean_e','boundary_f','n'}
    assert got['n']==2
    assert set(masknet.evaluate(str(path), Pairs(), limit=1, device='cpu', closely=True))==set(got)
    assert all(0<=v<=1 for k,v in got.items() if k!='n')
    with pytest.raises(ValueError, match='nothing to measure'):
        masknet.evaluate(str(path), Pairs(), limit=0, device='cpu')


def test_a_perfect_answer_has_perfect_scores(monkeypatch):
    masks = iter([Pairs()[i][1] for i in range(3)])
    monkeypatch.setattr(masknet, 'predict', lambda photo, **kw: next(masks))
    got = masknet.evaluate('masknet-v1', Pairs(), limit=3, device='cpu')
    assert got['boundary_f']==pytest.approx(1) and got['max_f']==pytest.approx(1) and got['mae']==0


def test_side_outputs():
    x = torch.rand(1,3,64,96)
    with torch.inference_mode():
        sides = MaskNet(2).eval()(x, sides=True)
        assert [tuple(y.shape[2:]) for y in sides]==[(2,3), (4,6), (8,12), (16,24)]
        for other in (MaskNet(1).eval(), MaskNet(2, 'paper').eval()): assert len(other(x, sides=True))==1


def test_the_bars_on_ecssd(shared_data):
    got = masknet.evaluate('masknet-v2', shared_data/'ecssd_dev.tar', limit=40, device='cpu')
    assert got['n']==40 and got['max_f']>=.85 and got['mae']<=.09 and got['boundary_f']>=.5


@pytest.fixture
def counted(monkeypatch):
    "The explorer over two small photos, and the `(version, edge_aware, device)` of each call of the network"
    pytest.importorskip('ipywidgets')
    calls,real = [],masknet.predict
    @functools.wraps(real)
    def counting(*args, **kw): calls.append((kw['version'], kw['edge_aware'], kw['device'])); return real(*args, **kw)
    monkeypatch.setattr(masknet, 'predict', counting)
    return masknet.explore_masks({n: p[::4,::4] for n,p in sample_photos(['cat','coffee']).items()}),calls


def test_explorer_runs_the_network_once_per_photo(counted):
    ex,calls = counted
    for t in (.1,.3,.9): ex.controls['threshold'].value = t
    ex.controls['mode'].value = 'hard'
    assert calls==[(2,False,'auto')] and ex.pane.error is None
    assert set(ex.pane.images)=={'mask','hard','cut-out','histogram'}
    ex.controls['version'].value = 1
    assert calls[1:]==[(1,False,'auto')]
    ex.controls['device'].value = 'cpu'
    ex.controls['edge_aware'].value = True
    assert calls[2:]==[(1,False,'cpu'), (1,True,'cpu')]
    ex.controls['photo'].choice.value = 'coffee'
    ex.controls['threshold'].value = .5
    assert len(calls)==5 and ex.pane.error is None
    ex.controls['photo'].choice.value = 'cat'           # remembered
    assert len(calls)==5


def test_all_but_the_mask_follow_the_threshold(counted):
    ex,_ = counted
    assert ex.controls['threshold'].continuous_update       # while it is dragged
    was = {k: i.value for k,i in ex.pane.images.items()}
    ex.controls['threshold'].value = .95
    now = {k: i.value for k,i in ex.pane.images.items()}
    assert {k for k in was if was[k]!=now[k]}=={'soft','cut-out','histogram'}
