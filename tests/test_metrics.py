"Measures: against independent implementations, at the edges of what may come in, and through worker processes"
import sys, types, warnings

import cv2
import numpy as np
import pytest
import torch
from skimage.morphology import thin

from sketchbook import metrics
from sketchbook.metrics import (_assign, _let_in, _let_out, _Matching, _near, boundary_f, boundary_scores, chamfer,
                                continuity, _count_matches,
                                human_agreement, ink_width, iou, _line_lengths, _nms,
                                saliency_scores, ssim,
                                _summarize_boundaries, thin_lines)


def blobs(seed, shape=(60, 80), sigma=2.):
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=shape).astype(np.float32), (0, 0), sigma)
    return (noise-noise.min())/(noise.max()-noise.min())

def drawings(seed, k=3, shape=(60, 80)): return np.stack([thin(blobs(100*seed+i, shape) > .6) for i in range(k)])


def test_thinning_column_by_column():
    "NumPy keeps a transposed array in the order of its columns"
    drawing = np.random.default_rng(0).random((30, 41)) < .6
    assert (thin_lines(drawing.T) == thin_lines(drawing.T.copy())).all() and thin_lines(drawing.T).any()


@pytest.mark.parametrize('seed', range(6))
def test_thinning_is_that_of_scikit_image(seed):
    drawing = blobs(seed, sigma=.5+seed/2) > .5
    assert (thin_lines(drawing) == thin(drawing)).all()

@pytest.mark.parametrize('shape', [(1, 1), (1, 9), (9, 1), (2, 2), (3, 3)])
def test_thinning_of_tiny_drawings(shape):
    for full in (np.ones(shape, bool), np.zeros(shape, bool)): assert (thin_lines(full) == thin(full)).all()

@pytest.mark.parametrize('seed', range(4))
def test_matching_stays_largest_while_pixels_come_and_go(seed):
    rng = np.random.default_rng(seed)
    near = _near(rng.integers(0, 25, (200, 2)), rng.integers(0, 25, (120, 2)), 2.3)
    m, inside = _Matching(near), np.zeros(200, bool)
    for step in range(400):
        p = rng.integers(200)
        (_let_out if inside[p] else _let_in)(m, p)
        inside[p] ^= True
        if step % 10: continue
        assert sum(m.hit) == len(_assign(near[inside], 230)[0])
        for q, t in enumerate(m.partner):
            assert t < 0 or (m.owner[t] == q and t in m.near[q] and inside[q] and m.hit[q])

@pytest.mark.parametrize('suppress', [True, False])
@pytest.mark.parametrize('seed', range(2))
def test_counts_are_those_of_separate_assignments(seed, suppress):
    prob, truth, levels = blobs(seed), drawings(seed), np.array([.7, .2, .5, .5])
    counts, radius = _count_matches(prob, truth, levels, .02, suppress=suppress), .02*100
    ridges = _nms(prob) if suppress else prob
    for row, level in zip(counts, levels):
        points = np.argwhere(thin(ridges >= level))
        pairs = [_assign(_near(points, np.argwhere(t), radius), 100*radius)[0] for t in truth]
        assert row[[0, 1, 3]].tolist() == [sum(map(len, pairs)), truth.sum(), len(points)]
        assert abs(row[2] - len(np.unique(np.concatenate(pairs)))) <= max(2, .03*len(points))

def test_assignment_is_the_shortest_of_the_largest():
    pred, truth = [[0, 0], [0, 2]], [[0, 1], [0, 3]]
    rows, columns = _assign(_near(pred, truth, 3.5), 350)
    assert sorted(zip(rows, columns)) == [(0, 0), (1, 1)]
    assert len(_assign(_near(pred, [], 3), 300)[0]) == 0

def test_nms_keeps_a_ridge_in_place_and_fades_at_the_border():
    for angle in np.linspace(0, np.pi, 7):
        y, x = np.mgrid[-40:41, -40:41]
        ridge = np.exp(-((x*np.cos(angle)+y*np.sin(angle))/3)**2).astype(np.float32)
        kept = _nms(ridge)
        ys, xs = np.nonzero(kept[10:-10, 10:-10] > .3)
        off = np.abs((xs-30)*np.cos(angle)+(ys-30)*np.sin(angle))
        assert off.max() <= 1 and (kept[0] == 0).all() and len(ys) >= 55
    assert _nms(np.zeros((1, 7))).shape == (1, 7)

def test_scores_of_counts_by_hand():
    # found, drawn, right, said at thresholds .25 and .75 for two photos
    counts = [[[8, 10, 8, 16], [4, 10, 4, 4]], [[2, 10, 2, 4], [2, 10, 2, 2]]]
    s = _summarize_boundaries(counts, [.25, .75])
    np.testing.assert_allclose(s.precision, [.5, 1]); np.testing.assert_allclose(s.recall, [.5, .3])
    np.testing.assert_allclose(s.f, [.5, .6/1.3])
    assert s.ods >= .5 and s['ods'] == s.ods and set(s.summary()) == {'ods', 'ois', 'ap', 'ods_threshold'}
    assert s.ois == pytest.approx(2*(10/18)*.5/(10/18+.5))   # .25 for the first photo, .75 for the second
    # recall .3 ... .5 in 21 steps, precision straight from 1 to .5
    assert s.ap == pytest.approx(21*.75*.01)

def test_a_blank_prediction_scores_nothing():
    s = boundary_scores([np.zeros((60, 80))], [drawings(0)], 9)
    assert (s.ods, s.ois, s.ap) == (0, 0, 0)

def test_a_detector_that_knows_more_scores_more():
    truth = [drawings(i) for i in range(2)]
    knows = [cv2.GaussianBlur(t.mean(0).astype(np.float32), (0, 0), 1) for t in truth]
    better, worse = (boundary_scores(m, truth, 19, max_dist=.015)
                     for m in ([k/k.max() for k in knows], [blobs(50), blobs(51)]))
    assert better.ods > worse.ods and better.ois >= better.ods - .01

def test_lazy_and_in_workers():
    truth, seen = [drawings(i) for i in range(3)], []
    maps = lambda: (blobs(i) for i in range(3))
    alone = boundary_scores(maps(), iter(truth), 5, progress=seen.append)
    apart = boundary_scores(maps(), truth, 5, workers=1)        # one, for to start a process takes seconds
    assert seen == [1, 2, 3] and (alone.counts == apart.counts).all()

def test_lists_of_different_lengths_and_nothing_at_all():
    with pytest.raises(ValueError): boundary_scores([np.zeros((5, 5))], [])
    with pytest.raises(ValueError, match='nothing'): boundary_scores([], [])
    with pytest.raises(ValueError, match='threshold'):
        boundary_scores([np.zeros((5, 5))], [np.zeros((1, 5, 5), bool)], 0)
    with pytest.raises(ValueError, match='nothing'): saliency_scores([])

def soft_masks(n=8):
    "Predictions and truths that need nothing but arithmetic"
    y, x = np.mgrid[:40, :50]/10
    for i in range(n):
        yield (np.sin(x+i)*np.cos(y*.7-i)+1)/2, (np.sin(x*1.1+i+.3)*np.cos(y*.8-i) > .1).astype(np.float32)

def test_saliency_is_that_of_the_reference_implementation():
    "What pysodmetrics 1.6.2 says of the same masks"
    said = dict(max_f_mean=.793309, mean_f=.581134, adaptive_f=.163634, mae=.333332, s_measure=.533755, max_e=.809775,
                mean_e=.514429)
    ours = saliency_scores(soft_masks())
    assert {k: ours[k] for k in said} == pytest.approx(said, abs=1e-5)

@pytest.mark.parametrize('fill', [0., 1.])
def test_saliency_of_empty_and_full_truths(fill):
    truth = np.full((9, 7), fill, np.float32)
    good, bad = saliency_scores([(truth, truth)]), saliency_scores([(1-truth, truth)])
    assert good['mae'] == 0 and good['s_measure'] == 1 and bad['mae'] == 1 and bad['s_measure'] == 0
    assert all(np.isfinite(v) for v in [*good.values(), *bad.values()])

def test_saliency_by_hand():
    truth = np.zeros((10, 10), np.float32); truth[2:6, 2:6] = 1          # 16 pixels
    pred = np.zeros((10, 10), np.float32); pred[2:6, 2:8] = 1            # 24, all 16 among them
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        s = saliency_scores([(pred, truth)])
    p, r = 16/24, 1
    assert s['max_f'] == pytest.approx(1.3*p*r/(.3*p+r)) == s['adaptive_f']
    assert s['mae'] == pytest.approx(.08) and s['n'] == 1
    same = saliency_scores([(truth, truth)])
    assert same['max_f'] == 1 and same['mae'] == 0 and same['s_measure'] == pytest.approx(1)
    assert same['max_e'] == pytest.approx(1, abs=.02)

def test_two_ways_to_a_max_f():
    "Rates first averaged and then joined, or joined for each photo and then averaged"
    truth = np.zeros((10, 10), np.float32); truth[2:6, 2:6] = 1
    low, high = np.where(truth > 0, .4, .2), np.where(truth > 0, .9, .7)
    low[0, 0] = high[0, 0] = 0; low[9, 9] = high[9, 9] = 1                # spans 0..1, so nothing is stretched
    both = saliency_scores([(low, truth), (high, truth)])
    alone = [saliency_scores([(m, truth)])['max_f'] for m in (low, high)]
    assert both['max_f_mean'] < min(alone)   # no one threshold suits both
    # above .7 and below .9 the first answer keeps one wrong pixel, the second all 16 and one wrong one
    p, r = (0 + 16/17)/2, (0 + 1)/2
    assert both['max_f'] >= 1.3*p*r/(.3*p + r) - 1e-9 and both['max_f'] >= both['max_f_mean']

def test_small_measures():
    a, b = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    a[:, 5] = True; b[:, 8] = True
    assert chamfer(a, b) == 3 and chamfer(a, a) == 0 and iou(a, b) == 0 and iou(a, a) == 1
    square = np.zeros((20, 20)); square[5:15, 5:15] = 1
    assert boundary_f(square, square) == 1 and boundary_f(square*0, square) == 0
    assert ssim(square, square) == pytest.approx(1)
    for f in (iou, chamfer, boundary_f):
        with pytest.raises(ValueError): f(square, square[:10])

@pytest.mark.parametrize('px', [1, 2, 3, 5, 8])
def test_ink_width_of_pens(px):
    "A straight line as long as the picture: its skeleton loses at most half a width at each end"
    bar = np.zeros((40, 200), bool)
    bar[10:10+px] = True
    assert px <= ink_width(bar) <= px*200/(200-px)

@pytest.mark.parametrize('gaps', [0, 1, 4])
def test_continuity_falls_with_every_gap(gaps):
    line = np.zeros((9, 100), bool)
    line[4] = True
    line[4, [20*(i+1) for i in range(gaps)]] = False
    assert continuity(line) == (100-gaps)/(gaps+1)
    assert _line_lengths(line).sum() == 100-gaps
    assert list(_line_lengths(line)) == sorted(_line_lengths(line), reverse=True)

def test_diagonal_lines_hang_together():
    assert list(_line_lengths(np.eye(30, dtype=bool))) == [30] and continuity(np.eye(30)) == 30

def test_line_measures_of_blank_full_and_bad_drawings():
    blank = np.zeros((12, 12), bool)
    assert ink_width(blank) == continuity(blank) == 0 and len(_line_lengths(blank)) == 0
    assert ink_width(~blank) > 5 and continuity(~blank) > 0
    for f in (_line_lengths, continuity, ink_width):
        with pytest.raises(ValueError, match=r'\(H, W\)'): f(np.zeros((4, 4, 3)))
        with pytest.raises(ValueError, match='NaN'): f(np.full((4, 4), np.nan))

def test_people_agree_on_bsds(shared_data):
    from sketchbook.data import BoundaryPairs
    pairs = BoundaryPairs(shared_data/'bsds_val.tar')
    assert .7 < human_agreement(pairs[i][1] for i in range(0, len(pairs), 25)) < .9

class Always(torch.nn.Module):
    "In the place of the package lpips: says one third of whatever it sees, in 0..1"
    def __init__(self, net, verbose): super().__init__()
    def forward(self, a, b, normalize):
        assert normalize and 0 <= a.min() and b.max() <= 1
        return torch.full((1, 1, 1, 1), 1/3)

@pytest.mark.parametrize('package, network, name', [
    (False, 'alexnet-owt-7be5be79', 'efficientnet-lite0'), (True, 'none', 'efficientnet-lite0'),
    (True, 'alexnet-owt-7be5be79', 'lpips-alex')])
def test_lpips_is_used_where_package_and_network_are(monkeypatch, tmp_path, package, network, name):
    "The package alone would download its network"
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    monkeypatch.setitem(sys.modules, 'lpips', types.SimpleNamespace(LPIPS=Always) if package else None)
    (tmp_path/'checkpoints').mkdir(); (tmp_path/'checkpoints'/f'{network}.pth').touch()
    photo = np.random.default_rng(0).integers(0, 256, (48, 32, 3), dtype=np.uint8)
    metrics._perceptual.cache_clear()
    far, whose = metrics.perceptual_distance([photo, photo], [photo, 255-photo])
    metrics._perceptual.cache_clear()
    assert whose == name and far[1] > 0 and (np.allclose(far, 1/3) if whose == 'lpips-alex' else far[0] == 0)


@pytest.fixture
def inception(monkeypatch, tmp_path):
    "Torch-fidelity's Inception with random weights in the torch cache; its state"
    from torch_fidelity import feature_extractor_inceptionv3 as home
    Inception = home.FeatureExtractorInceptionV3
    with monkeypatch.context() as m:
        m.setattr(home, 'load_state_dict_from_url', lambda *a, **k: {})
        m.setattr(Inception, 'load_state_dict', lambda *a, **k: None)
        torch.manual_seed(0)
        net = Inception('inception-v3-compat', ['2048'])
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    (tmp_path/'checkpoints').mkdir()
    torch.save(net.state_dict(), tmp_path/'checkpoints'/metrics._INCEPTION)
    return net.eval()

def test_fid_is_the_frechet_distance_of_inceptions_features(inception):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, high, (6, 40, 30, 3), dtype=np.uint8) for high in (90, 256))
    def seen(photos):
        x = torch.from_numpy(np.stack([metrics._fit(p, 128) for p in photos])).permute(0, 3, 1, 2)
        with torch.inference_mode(): return inception(x)[0].double().numpy()
    # torchmetrics scales with anti-aliasing, which does nothing when 128 pixels become 299
    wanted = metrics.frechet_distance(seen(a), seen(b))
    assert wanted > 0 and metrics.fid(a, list(b)) == pytest.approx(wanted, rel=.02)
    with pytest.raises(ValueError, match='two pictures'): metrics.fid(a[:1], b)

def test_fid_downloads_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    assert metrics.fid([np.zeros((32, 32, 3), np.uint8)]*2, [np.zeros((32, 32, 3), np.uint8)]*2) is None
