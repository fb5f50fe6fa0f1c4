"The lines inside: targets, data, the knob, and what no training may change"
import numpy as np
import pytest
import torch

from sketchbook import details, sketchnet
from sketchbook.data import sample_photos, save_image
from sketchbook.details import (_DetailData, DetailTask, _artist_lines, _bright_lines, _detail_task, _detail_views,
                                _object_lines)
from sketchbook.sketchnet import _LineMaps, SketchNet, coherent_lines, draw, _edge_flow, line_maps, paint, _smooth_along
from sketchbook.training import fit
from sketchbook.weights import load


@pytest.fixture(scope='module')
def cat(): return sample_photos('cat')['cat']


@pytest.fixture(scope='module')
def net(): return load('sketchnet', 'cpu')


@pytest.fixture(scope='module')
def maps(cat, net): return line_maps(cat, net=net, device='cpu')


def test_detail_0_is_the_drawing_of_the_outlines(cat, net, maps):
    own, outlines = load('sketchnet', 'cpu', fresh=True), SketchNet(pretrained=False).eval() # neither is folded
    outlines.load_state_dict({k: v for k, v in own.state_dict().items() if not k.startswith('detail.')})
    assert (draw(cat, net=outlines, device='cpu', detail=0) == draw(cat, net=own, device='cpu', detail=0)).all()
    assert (paint(maps, 0) == draw(cat, net=net, device='cpu', detail=0)).all()


def test_more_detail_more_lines(maps):
    drawn = [sketchnet.thin_lines(paint(maps, d) < .75).sum() for d in (.5, .7, .9, 1)]
    assert drawn == sorted(drawn) and drawn[-1] > drawn[0]


def test_outlines_are_bolder_than_details(net):
    photo = sample_photos('astronaut')['astronaut']
    found = line_maps(photo, net=net, device='cpu')
    ink = paint(found, .6) < .5
    skeleton = sketchnet.thin_lines(ink)
    half = sketchnet.cv2.distanceTransform(ink.astype(np.uint8), sketchnet.cv2.DIST_L2, 5)
    outline = sketchnet.cv2.dilate(sketchnet._fitted(found.outlines, 512, 512), np.ones((7, 7))) > .5
    assert half[skeleton & outline].mean() > 1.15*half[skeleton & ~outline].mean()


def test_the_astronaut_has_a_face(net):
    "Boxes set by hand on the two eyes, the nose and the mouth: ink in each, and none in the cheeks"
    drawn = draw(sample_photos('astronaut')['astronaut'], net=net, device='cpu') < .6
    for name, at in dict(left=np.s_[98:116,192:214], right=np.s_[98:116,228:252], nose=np.s_[116:138,210:236],
                         mouth=np.s_[136:156,206:246]).items(): assert drawn[at].sum() > 6, name


def test_coffee_has_no_dirt(net):
    "Far from the cup, the saucer and the spoon there is paper"
    sketch = draw(sample_photos('coffee')['coffee'], net=net, device='cpu')
    assert sketch[:60,:100].min() > .95 and (sketch[:,450:] > .95).mean() > .97


def test_nothing_to_draw(net):
    for photo in (np.full((90, 120, 3), 128, np.uint8), np.zeros((5, 9, 3), np.uint8)):
        assert draw(photo, net=net, device='cpu').min() > .9
    blank = _LineMaps(np.zeros((20, 30), np.float32), np.zeros((40, 60), np.float32), np.zeros((40, 60), np.float32),
                     np.zeros((2, 20, 30), np.float32), (20, 30))
    assert (paint(blank, 1) == 1).all()


def test_without_a_subject_all_outlines_stay(maps):
    lost = maps._replace(subject=np.zeros_like(maps.subject))
    assert (paint(lost, 1) < .75).sum() >= (paint(maps, 1) < .75).sum()


def lines_at(x):
    lines = np.zeros((120, 160), np.float32)
    lines[10:-10,x-1:x+2] = 1
    return lines


@pytest.mark.parametrize('interior, drawn', [(1., 'the detail'), (0., 'the outline')])
def test_details_come_first_inside_and_outlines_at_the_border(interior, drawn):
    "An outline, and a detail 4 pixels beside it"
    outline, half = lines_at(70), (60, 80)
    flow = np.stack([np.zeros(half, np.float32), np.ones(half, np.float32)])
    maps = _LineMaps(outline, lines_at(74), np.ones_like(outline), flow, outline.shape,
                     interior=np.full(half, interior, np.float32))
    ink = 1 - paint(maps, .6)[30:90]
    middle = (ink*np.arange(160)).sum()/ink.sum()
    assert abs(middle - {'the detail': 74, 'the outline': 70}[drawn]) < 1.2


def test_spots_are_drawn_wherever_there_are_details(maps):
    spots = np.zeros_like(maps.details)
    spots[100:112,200:212] = 1
    h, w = maps.size
    at = np.s_[round(103*h/spots.shape[0]):round(109*h/spots.shape[0]),
               round(203*w/spots.shape[1]):round(209*w/spots.shape[1])]
    assert paint(maps._replace(spots=spots), .3)[at].max() < .05 and paint(maps._replace(spots=spots), 0)[at].min() > .5


def test_spots_need_a_subject_and_do_not_depend_on_the_size(cat):
    inside = np.ones((100, 150), bool)
    found = [sketchnet._dark_spots(photo, inside) for photo in (cat, cat.repeat(2, 0).repeat(2, 1))]
    assert found[0].shape == found[1].shape and all(f.max() > .9 for f in found)
    assert sketchnet._dark_spots(cat, ~inside).max() == 0
    for shape in ((1, 1), (3, 40), (40, 3), (8, 8)):
        photo = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
        assert np.isfinite(sketchnet._dark_spots(photo, np.ones(shape, bool))).all()


def test_a_mask_hides_the_rest_at_every_detail(cat, net):
    mask = np.zeros(cat.shape[:2], np.float32)
    mask[80:220,120:330] = 1
    for detail in (0, .1, .5, 1): assert draw(cat, mask=mask, net=net, device='cpu', detail=detail)[:60].min() > .9


def test_tiles_change_no_detail(cat, net):
    whole, tiled = (line_maps(cat, net=net, device='cpu', tile=t) for t in (0, 288))
    for a, b in zip(whole[:3], tiled[:3]): assert np.abs(a - b).max() < .02


def test_training_leaves_the_outlines(tmp_path, cat, net):
    mask = np.zeros(cat.shape[:2], np.float32)
    mask[20:280,40:420] = 1
    run = fit(DetailTask(_DetailData([(cat, mask)]), gan_from=.5), tmp_path, steps=2, batch_size=2, device='cpu',
              init=dict(net.state_dict()), progress=False)
    new, old = run.net.state_dict(), net.state_dict()
    assert all(torch.equal(new[k], v) for k, v in old.items() if k.startswith('body.'))
    assert any(not torch.equal(new[k], v) for k, v in old.items() if k.startswith('detail.'))
    assert {'crisp', 'subject', 'D', 'G'} <= set(run.history)


def test_two_kinds_of_data(tmp_path, cat):
    mask = np.zeros(cat.shape[:2], np.uint8)
    mask[20:280,40:420] = 255
    save_image(tmp_path/'masks'/'cat.jpg', cat), save_image(tmp_path/'masks'/'cat.png', mask)
    sketch = (coherent_lines(cat)*255).astype(np.uint8)
    save_image(tmp_path/'drawn'/'cat.jpg', cat), save_image(tmp_path/'drawn'/'cat.sketch.png', sketch)
    task = _detail_task(tmp_path/'masks', tmp_path/'drawn')
    assert len(task) == 2 and task.about['data'] == 'masks; drawn'
    for i, marked in enumerate((True, False)):
        photo, lines, mask = task.data[i]
        assert lines.shape == (2, *photo.shape[:2]) and lines[0].sum() > 100 and (mask is not None) == marked
        assert (task.data[i][1] == lines).all()     # the second time from memory
        view, window, cut, small, box, known = task.sample(i, np.random.default_rng(0))
        assert view.shape == (3, 208, 208) and window.shape == (3, 192, 192) and cut.shape == (2, 192, 192)
        assert known == marked
        assert set(np.unique(cut)) <= {0, 1} and (cut[0]*cut[1]).sum() == 0 and 0 <= box.min() <= box.max() <= 1


def test_window_and_view_show_the_same_place():
    "A photo whose colours are its coordinates: the middle of the window lies where the box says"
    y, x = np.mgrid[:300,:400]
    photo = np.stack([x*255/400, y*255/300, np.full((300, 400), 128)], -1).astype(np.uint8)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        details._color_jitter, kept = (lambda p, *a, **k: p), details._color_jitter
        try: view, window, *_, box = _detail_views(photo, np.zeros((2, 300, 400), bool), None, rng)
        finally: details._color_jitter = kept
        at = ((box[:2] + box[2:])/2*208 - .5).round().astype(int)
        assert np.abs(view[at[1],at[0]].astype(int) - window[96,96]).max() <= 6


def test_bright_lines_are_bright_on_both_sides():
    photo = np.full((60, 60, 3), 60, np.uint8)
    photo[:,30:32] = 220
    step = np.full((60, 60, 3), 60, np.uint8)
    step[:,30:] = 220
    assert _bright_lines(photo)[30,28:34].max() > .2 and _bright_lines(step).max() < .05


def test_the_artist_chooses(cat):
    nobody = np.ones(cat.shape[:2], np.float32)
    assert not _artist_lines(cat, nobody)[0].any()
    assert _artist_lines(cat, coherent_lines(cat))[0].sum() > 300
    assert not _object_lines(cat, np.zeros(cat.shape[:2], np.float32))[0].any()


def test_flow_follows_a_line_in_every_direction():
    for angle in np.arange(0, 180, 15):
        t = np.deg2rad(angle)
        y, x = np.mgrid[-40:41,-40:41]
        ridge = np.exp(-((x*np.sin(t) - y*np.cos(t))/2)**2).astype(np.float32)
        u, v = _edge_flow(ridge)[:,40,40]
        assert abs(u*np.cos(t) + v*np.sin(t)) > .99
        broken = ridge*((np.hypot(x, y) > 3) | (np.hypot(x, y) < 1))
        assert _smooth_along(broken.astype(np.float32), _edge_flow(ridge), 4.)[40,40] > .4


def test_evaluate_on_masks(tmp_path, cat, net):
    save_image(tmp_path/'cat.jpg', cat), save_image(tmp_path/'cat.png', np.full(cat.shape[:2], 255, np.uint8))
    scores = sketchnet.evaluate(net, tmp_path, device='cpu')
    assert scores['n'] == 1 and scores['inner_1'] > .9 and scores['inner'] > scores['inner_0']
    assert scores['inner_coherent'] > .98
    (tmp_path/'cat.png').unlink()
    with pytest.raises(ValueError, match='no pairs in it'): sketchnet.evaluate(net, tmp_path, device='cpu')
