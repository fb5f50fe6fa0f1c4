"Pencil: bad input, pages of any colour and size, lines, pairs, training, and what the shipped weights promise"
import contextlib
import os
import signal
import warnings

import cv2
import numpy as np
import pytest
import torch

from sketchbook import pencil as P
from sketchbook.blocks import count_params
from sketchbook.cli import main
from sketchbook.data import sample_photos, save_image, shrink
from sketchbook.training import fit
from sketchbook.weights import available, card, _read, save, verify

SMALL = dict(size=64, n=8, layers=(2,))     # what trains in no time
PHOTO = 5                                   # channels of lines and a photo


@pytest.fixture(scope='module')
def cat(): return np.ascontiguousarray(sample_photos('cat')['cat'][50:170,80:210])


@pytest.fixture(scope='module')
def page(): return circle(150, 200)


@pytest.fixture(scope='module')
def net():
    torch.manual_seed(0)
    return P.Shader(n=8, blocks=1).eval()


def circle(h, w, radius=40, pen=2):
    "A circle and a line on paper"
    page = np.ones((h, w), np.float32)
    cv2.circle(page, (w//2, h//2), radius, 0, pen)
    cv2.line(page, (9, 9), (w - 20, h - 9), 0, pen)
    return page


@pytest.fixture(scope='module')
def pairs(tmp_path_factory):
    "Two folders, `line` and `sketch`, of twenty-four pairs"
    folder, rng = tmp_path_factory.mktemp('pairs'), np.random.default_rng(0)
    for i in range(24):
        lines = circle(100, 110, 20 + i)
        save_image(folder/'line'/f'{i:02}.png', lines)
        save_image(folder/'sketch'/f'{i:02}.png', P.graphite(lines < .5, rng, .5))
    return folder


@pytest.fixture(scope='module')
def mine(pairs): return P.FromFolders(pairs/'line', pairs/'sketch')


@pytest.fixture(scope='module')
def portraits(tmp_path_factory):
    "Ten photos `ID.jpg`, each with `ID.sketch.jpg`"
    folder, photo = tmp_path_factory.mktemp('portraits'), sample_photos('astronaut')['astronaut']
    for i in range(10):
        face = photo[10*i:10*i + 110,150:250]
        save_image(folder/f'{i}.jpg', face)
        save_image(folder/f'{i}.sketch.jpg', P.graphite(P.extract_lines(face) < .5, np.random.default_rng(i)))
    return folder


def task(mine, **kw): return P.PencilTask(mine, **SMALL | kw)
def run(task, out, **kw): return fit(task, out, batch_size=2, plot=False, progress=False, **dict(steps=2) | kw)
def same(a, b): return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


# bad input

def test_whole_numbers_may_be_floats(page, net):
    np.testing.assert_array_equal(P.draw(page, 64., 96., net=net), P.draw(page, 64, 96, net=net))


# pages of any colour and size

@pytest.mark.parametrize('ink, paper', [
    ((0, 0, 0), 255), ((160, 20, 30), 255), ((0, 0, 255), 255), ((90, 90, 90), 255), ((20, 20, 20), 210),
    ((150, 150, 150), 255), ((230, 140, 40), 255), ((190, 190, 190), 255), ((200, 200, 200), 240)])
def test_lines_of_any_colour(page, net, ink, paper):
    "Inverted ones, too, and those of a file"
    colored = np.where((page < .5)[...,None], np.uint8(ink), np.uint8(paper))
    wanted = P.draw(page, net=net)
    for given in (colored, 255 - colored, P._grey(colored)):
        np.testing.assert_array_equal(P.draw(given, net=net), wanted)


def test_lines_as_bool_and_bytes(page, net):
    wanted = P.draw(page, net=net)
    for given in (page > .5, np.uint8(255*page)): np.testing.assert_array_equal(P.draw(given, net=net), wanted)


@pytest.mark.parametrize('pen', [1, 2, 5])
def test_fine_lines_survive_shrinking(pen):
    "A scan, as `pencil_folder` reads it"
    page = np.ones((1600, 2000), np.float32)
    cv2.circle(page, (1001, 803), 700, 0, pen)
    assert (P.as_lines(shrink(page, 500)) < .6).sum() > .8*2*np.pi*700/4


@pytest.mark.parametrize('source', [None, 'coherent', 'xdog', 'dodge'])
def test_lines_stay_as_they_are(page, cat, source):
    "What was prepared once is prepared; only some corners are filled"
    lines = P.extract_lines(cat, source=source) if source else P.as_lines(page)
    assert abs((P.as_lines(lines) < .53).sum()/(lines < .53).sum() - 1) < .03


@pytest.mark.parametrize('h, w', [(1, 1), (1, 70), (5, 7), (3, 1500), (400, 2), (64, 64), (131, 97)])
@pytest.mark.parametrize('kw', [dict(), dict(patch_size=0), dict(patch_size=101), dict(patch_size=32, overlap=.5),
                                dict(patch_size=77, overlap=0), dict(patch_size=64, model_size=32)])
def test_any_size(net, h, w, kw):
    page = (np.random.default_rng(0).random((h, w)) > .05).astype(np.float32)
    drawn = P.draw(page, net=net, **kw)
    zoom = .5 if 'model_size' in kw else 1
    assert drawn.shape == tuple(max(1, round(zoom*n)) for n in (h, w)) and drawn.dtype == np.float32
    assert np.isfinite(drawn).all() and 0 <= drawn.min() and drawn.max() <= 1


@pytest.mark.parametrize('h, w', [(1, 1), (120, 130), (33, 2)])
def test_photos_of_any_size(cat, h, w):
    net = P.Shader(ni=PHOTO, n=8, blocks=1)
    for mask in (None, np.ones((h, w), np.float32)):
        drawn = P.draw_photo(cat[:h,:w], mask, net=net)
        assert drawn.shape == (h, w) and np.isfinite(drawn).all()


def test_a_model_size_makes_it_larger(page, net):
    assert P.draw(page, 100, 150, net=net).shape == (225, 300)
    assert P.draw(page, 384, 192, net=net).shape == (75, 100)


@pytest.mark.parametrize('read', [np.asarray, P._grey])
def test_a_photo_is_traced_first(cat, net, read):
    with pytest.warns(UserWarning, match='looks like a photo, not like lines: its lines are extracted first'):
        np.testing.assert_array_equal(P.as_lines(read(cat), 1), P.extract_lines(read(cat), 1))
        assert P.draw(read(cat), net=net).shape == cat.shape[:2]


@pytest.mark.parametrize('side, overlap', [(32, .25), (50, 0), (101, .5), (384, .25)])
def test_tiles_are_put_together(side, overlap):
    "Where each tile is right, the page is, to the last pixel of its edges"
    page = np.random.default_rng(0).random((2, 130, 211), np.float32)
    sides = []
    def copy(tile):
        sides.append(max(tile.shape[1:]))
        return tile[1]
    np.testing.assert_allclose(P._in_patches(copy, page, side, overlap), page[1], atol=1e-5)
    assert max(sides) == min(side, 211) and (len(sides) == 1) == (side >= 211)


@pytest.mark.parametrize('make, side, near', [
    (lambda: P.Shader(n=8, blocks=1), 96, .05), (lambda: P.Shader(n=8, blocks=1), 200, .05),
    (lambda: P.PencilUNet(n=8), 128, .2)])
def test_tiles_and_the_whole_page_agree(make, side, near, monkeypatch):
    "Away from the border of the page; a network with strides sees each tile as it sees the page"
    monkeypatch.setattr(P, '_autocast', lambda device: contextlib.nullcontext())
    torch.manual_seed(0)
    net = make()
    page = np.minimum(circle(300, 400, 110), circle(300, 400, 70))
    whole, tiled = (P.draw(page, s, net=net)[40:-40,40:-40] for s in (0, side))
    assert np.abs(whole - tiled).max() < near*whole.std()


@pytest.mark.parametrize('length', [33, 100, 129, 400, 1001])
@pytest.mark.parametrize('side, overlap', [(32, 0), (32, .5), (50, .25), (101, .2), (128, .25), (384, .25), (384, .5)])
def test_tiles_cover_the_page_in_phase(length, side, overlap):
    "They begin at multiples of 32 pixels, so that the strides of a network fall on the same pixels in each"
    starts = P._starts(length, side, overlap)
    assert starts[0] == 0 and all(s % 32 == 0 for s in starts) and starts == sorted(set(starts))
    assert all(b - a <= side for a, b in zip(starts, starts[1:])) and starts[-1] < length <= starts[-1] + side
    assert len(starts) <= -(-length//max(32, side*(1 - overlap) - 32)) + 1


def test_the_grain_follows_the_seed(page, net):
    drawn = [P.draw(page, seed=s, net=net) for s in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.abs(drawn[0] - drawn[2]).mean() > .1*drawn[0].std()


def test_shade_is_heard(page, net):
    assert np.abs(P.draw(page, shade=0, net=net) - P.draw(page, shade=1, net=net)).max() > 0


def test_hatching(page, net):
    drawn = [P.draw(page, net=net, hatch=h, seed=s) for h, s in ((0, 0), (.7, 0), (.7, 0), (.7, 1))]
    assert all(d.shape == page.shape and d.dtype == np.float32 and 0 <= d.min() and d.max() <= 1 for d in drawn)
    np.testing.assert_array_equal(drawn[1], drawn[2])
    assert np.abs(drawn[1] - drawn[0]).max() > 0 < np.abs(drawn[1] - drawn[3]).max()


@pytest.mark.parametrize('shape', [(1, 1), (1, 90), (90, 1), (3, 40)])
def test_hatching_slips_of_paper(shape):
    for tone in (0., .5, 1.):
        hatched = P._hatched(np.full(shape, tone, np.float32), .7, 0)
        assert hatched.shape == shape and np.isfinite(hatched).all()
    assert (P._hatched(np.ones(shape, np.float32), 1., 0) == 1).all()


# lines

@pytest.mark.parametrize('thickness', range(-3, 10))
@pytest.mark.parametrize('pen', [1, 2, 4])
def test_thicker_and_thinner(pen, thickness):
    bar = np.zeros((40, 60), bool)
    bar[18:18 + pen,10:50] = True
    found = P._thicken(bar, thickness)
    assert (found.dtype, found.shape) == (bool, bar.shape)
    assert set(found[:,15:45].sum(0)) == {max(1, pen + thickness)}
    assert 35 < found.any(0).sum() <= 40 + max(0, thickness)


@pytest.mark.parametrize('source', ['coherent', 'xdog', 'dodge'])
def test_lines_are_black_or_white(cat, source):
    "But for a soft edge of one pixel; nothing of the photo's tone is left"
    lines = P.extract_lines(cat, source=source)
    ink = (lines < .53).astype(np.uint8)
    inside, outside = cv2.erode(ink, np.ones((3, 3))) > 0, cv2.dilate(ink, np.ones((5, 5))) == 0
    assert ink.any() and lines.dtype == np.float32 and lines.shape == cat.shape[:2]
    assert lines[outside].min() > .99 and (not inside.any() or lines[inside].mean() < .02)
    for flat in (40, 128, 255): assert P.extract_lines(np.full_like(cat, flat), source=source).min() == 1


@pytest.mark.parametrize('source', ['coherent', 'xdog', 'dodge'])
def test_more_detail_more_lines(cat, source):
    few, some, many = ((P.extract_lines(cat, source=source, detail=d) < .5).sum() for d in (0, .5, 1))
    assert 0 < few < some < many


@pytest.mark.parametrize('source, near', [('coherent', 0), ('xdog', 0), ('dodge', 0), ('sketchnet', 3)])
def test_a_mask_keeps_lines_inside(cat, source, near):
    "SketchNet draws an outline around it"
    mask = np.zeros(cat.shape[:2], np.float32)
    mask[30:90,40:100] = 1
    drawn = P.extract_lines(cat, 0, source, mask=mask) < .5
    away = cv2.distanceTransform((mask < .5).astype(np.uint8), cv2.DIST_L2, 5)
    assert drawn[mask > .5].any() and away[drawn].max() <= near


@pytest.mark.parametrize('gap', [False, True])
def test_inside_and_outside(gap):
    "Of a figure that is not quite closed, too"
    page = circle(300, 400, 90)
    cv2.line(page, (9, 9), (380, 291), 1, 2)
    cv2.circle(page, (200, 150), 90, 0, 3)
    if gap: page[140:155,280:300] = 1
    inside = P._surrounded(page < .5)
    far = np.hypot(*(np.mgrid[:300,:400] - np.array([150, 200])[:,None,None]))
    assert (inside.shape, inside.dtype) == (page.shape, np.float32) and 0 <= inside.min() and inside.max() <= 1
    assert inside[far < 70].min() > .8 and inside[far > 130].max() < .5


@pytest.mark.parametrize('h, w', [(1, 1), (1, 70), (3, 1500), (131, 97)])
def test_inside_of_any_page(h, w):
    for ink in (False, True): assert P._surrounded(np.full((h, w), ink)).shape == (h, w)
    assert not P._surrounded(np.zeros((h, w), bool)).any()


# pairs

@pytest.mark.parametrize('source', ['coherent', 'xdog', 'dodge'])
def test_fine_lines_of_a_drawing_are_found(tmp_path, source):
    "Even a diagonal of one pixel"
    sketch = np.ones((60, 60), np.float32)
    sketch[np.arange(5, 55),np.arange(5, 55)] = 0
    save_image(tmp_path/'a.png', sketch)
    lines, _, drawing, shade = P.FromDrawings(tmp_path, (source,)).pair(0, np.random.default_rng(0))
    assert lines[np.arange(8, 52),np.arange(8, 52)].mean() > .95 and (lines.dtype, drawing.dtype) == (bool, np.float32)
    assert drawing.shape == lines.shape == sketch.shape and 0 <= shade < .2


def test_missing_partners_and_other_sizes_are_named(tmp_path, page):
    for name in ('a', 'b', 'only lines', 'small'): save_image(tmp_path/'line'/f'{name}.png', page)
    for name in ('a', 'b', 'only sketch'): save_image(tmp_path/'sketch'/f'{name}.jpg', page)
    save_image(tmp_path/'sketch'/'small.jpg', page[:50])
    (tmp_path/'line'/'Thumbs.db').write_text('no picture, and nobody misses its partner')
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        found = P.FromFolders(tmp_path/'line', tmp_path/'sketch')
    assert [str(w.message) for w in said] == [
        f'{tmp_path/"line"}: only lines.png has no partner and is left out',
        f'{tmp_path/"sketch"}: only sketch.jpg has no partner and is left out',
        'small.jpg is 200 x 50 pixels and its lines 200 x 150: left out']
    assert len(found) == 2
    np.testing.assert_array_equal(found.pair(1, np.random.default_rng(0))[0], page < .5)


def test_many_missing_partners_are_counted(tmp_path, page):
    for i in range(9): save_image(tmp_path/'line'/f'{i}.png', page)
    save_image(tmp_path/'sketch'/'8.png', page)
    with pytest.warns(UserWarning, match='0.png, 1.png, 2.png, 3.png, 4.png and 3 more have no partner'):
        P.FromFolders(tmp_path/'line', tmp_path/'sketch')


def test_partners_lie_in_equal_folders(tmp_path, page):
    for name in ('x/a', 'y/a'): save_image(tmp_path/'line'/f'{name}.png', page)
    save_image(tmp_path/'sketch'/'x'/'a.png', page)
    with pytest.warns(UserWarning, match='y/a.png has no partner'):
        assert len(P.FromFolders(tmp_path/'line', tmp_path/'sketch')) == 1


def test_a_bad_file_among_pairs_is_named(tmp_path, page):
    for where in ('line', 'sketch'):
        for name in 'ab': save_image(tmp_path/where/f'{name}.png', page)
    (tmp_path/'sketch'/'b.png').write_text('no picture')
    with pytest.warns(UserWarning, match=r'b\.png: text, not a picture'):
        assert len(P.FromFolders(tmp_path/'line', tmp_path/'sketch')) == 1


def test_folders_without_pairs(tmp_path, page):
    for name in ('line', 'sketch', 'other'): (tmp_path/name).mkdir()
    empty = [(lambda: P.FromDrawings(tmp_path/'line'), 'no photos in it'),
             (lambda: P.FromPhotos(tmp_path/'line'), 'needs its sketch ID.sketch.jpg'),
             (lambda: P.FromFolders(tmp_path/'line', tmp_path/'sketch'), 'no file name is in both')]
    for call, said in empty:
        with pytest.raises(ValueError, match=said): call()
    save_image(tmp_path/'line'/'a.png', page)
    save_image(tmp_path/'other'/'a.png', page[:50])
    with pytest.warns(UserWarning), pytest.raises(ValueError, match='no two drawings of one name are of one size'):
        P.FromFolders(tmp_path/'line', tmp_path/'other')


def test_drawings_beside_their_photos(portraits, pairs):
    faces = P.FromDrawings(portraits, ('dodge',))
    assert len(faces) == 10 and all(n.endswith('.sketch.jpg') for n in faces.names)
    assert len(P.FromDrawings(pairs/'sketch')) == 24


def test_photos_and_their_drawings(portraits):
    photo, drawing, shade = P.FromPhotos(portraits).pair(3, np.random.default_rng(0))
    assert photo.shape == (110, 100, PHOTO) and drawing.shape == (110, 100) and 0 <= shade <= 1
    assert len(P.FromPhotos(portraits, limit=4)) == 4
    with pytest.raises(ValueError, match='limit should be'): P.FromPhotos(portraits, limit=0)


@pytest.mark.parametrize('n', [1, 7, 8, 20, 199])
def test_some_are_held_out(n, page):
    pairs = P.FromVectors([page]*n)
    train, val = set(pairs.train), set(pairs.val)
    assert not train & val and train | val == set(range(n)) and len(val) == (n + 12)//20


def test_training_never_sees_what_is_held_out(page):
    "Nor, while nobody asks for it, a second set"
    class Noted(P.FromVectors):
        def pair(self, i, rng):
            self.asked.add(i)
            return page < .5, P._surrounded(page < .5), page, 0.
    one, two = Noted([page]*60), Noted([page]*60)
    one.asked, two.asked, task = set(), set(), P.PencilTask([one, two], [1, 0], size=64, layers=(2,), overlaps=.5)
    for i in range(150): task.sample(i, np.random.default_rng(i))
    assert one.asked <= set(one.train) and len(one.asked) > 40 and not two.asked
    one.asked = set()
    with torch.inference_mode(): task.validate({'netG': P.Shader(n=8, blocks=1)})
    assert one.asked == set(one.val)


def test_pairs_repeat(pairs, page):
    for make in (lambda: P.FromVectors([page]*30), lambda: P.FromDrawings(pairs/'sketch', ('coherent', 'dodge'))):
        one, two = make(), make()
        others = [two.pair(2, np.random.default_rng(i))[0] for i in range(1, 6)]
        for _ in range(2):
            first, second = (p.pair(2, np.random.default_rng(0)) for p in (one, two))
            assert all(np.array_equal(a, b) for a, b in zip(first, second))
        assert any(not np.array_equal(other, first[0]) for other in others)


def test_ink_covers_paper():
    ink, paper = np.eye(9, dtype=bool), np.full((9, 9), .9, np.float32)
    a, b = (ink, 1 - paper, paper, .2), (ink[::-1], paper/2, paper/2, .6)
    b[2][0,0] = .95
    lines, inside, drawing, shade = P._overlap(a, b)
    assert np.array_equal(lines, ink | ink[::-1]) and shade == .6
    assert np.array_equal(inside, np.maximum(a[1], b[1])) and np.array_equal(drawing, np.minimum(a[2], b[2]))


@pytest.mark.parametrize('seed', range(6))
def test_lines_and_drawing_move_together(seed):
    "A drawing that is its own lines stays so: turned, scaled, mirrored and with another one over it"
    page = circle(200, 180, 60, 5)
    pair = (page < .5, 1 - page, page, 0.)
    (ink, inside), drawing, _ = P._augmented(pair, np.random.default_rng(seed), 96, pair if seed % 2 else None)
    assert {x.shape for x in (ink, inside, drawing)} == {(96, 96)} and ink.dtype == drawing.dtype == np.float32
    np.testing.assert_allclose(1 - inside, drawing, atol=.031)      # beyond the page it is 0 and .97
    drawn, near = (drawing < .5).astype(np.uint8), np.ones((5, 5), np.uint8)
    assert drawn.any() and (ink > .5)[cv2.erode(drawn, np.ones((3, 3), np.uint8)) > 0].mean() > .8
    assert not (ink > .5)[cv2.dilate(drawn, near) == 0].any()


@pytest.mark.parametrize('h, w', [(120, 110), (1, 1), (3, 200)])
@pytest.mark.parametrize('blank', [True, False])
def test_graphite_of_anything(h, w, blank):
    lines = np.zeros((h, w), bool) if blank else circle(h, w) < .5
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        drawings = [P.graphite(lines, np.random.default_rng(0), s) for s in (0, .5, 1)]
    assert all(d.shape == (h, w) and 0 <= d.min() and d.max() <= 1 for d in drawings)
    means = [d.mean() for d in drawings]
    assert means == sorted(means, reverse=True) and (not blank or means[2] > .94)


# training

def test_networks_have_their_sizes():
    assert count_params(P.Shader('paper')) == 4_439_296
    assert P.Shader('paper', n=4)(torch.rand(1, 1, 64, 96)).shape == (1, 1, 64, 96)


@pytest.mark.parametrize('more, nets', [
    (dict(), 'netD netG'), (dict(net='unet'), 'netD netG'), (dict(layers=(2, 3)), 'netD netG'),
    (dict(weights=dict(l1=1.)), 'netG'), (dict(weights=dict(feature=1., style=.5)), 'netG'),
    (dict(unpaired=True), 'netD netG netU')])
def test_training(mine, pairs, tmp_path, more, nets):
    if 'unpaired' in more: more = dict(unpaired=(mine, P.FromDrawings(pairs/'sketch', ('dodge',))))
    done = run(task(mine, **more), tmp_path)
    assert ' '.join(sorted(done.trained)) == nets
    assert all(np.isfinite(v) for rows in done.history.values() for _, v in rows)
    terms = {*more.get('weights', P._WEIGHTS), *(['unpaired'] if 'netU' in nets else [])}
    assert {*P._WEIGHTS, 'unpaired'} & set(done.history) == terms
    measured = terms - {'adversarial', 'unpaired'}
    assert {k for k in done.history if k.startswith('val_')} == {f'val_{k}' for k in measured}
    torch.manual_seed(0)
    assert not same(task(mine, **more).networks()['netG'].state_dict(), done.nets['netG'].state_dict())
    assert P.draw(circle(50, 60), net=done.net).shape == (50, 60)


def test_the_terms_pull_alike():
    "Whatever their scale"
    x = torch.rand(1, 1, 8, 8, requires_grad=True)
    terms = {'weak': 1e-6*x.pow(2).sum(), 'strong': 1e3*(x - 1).pow(2).sum()}
    P._balanced(terms, dict(weak=1., strong=2.), x).backward()
    a, b = x.detach(), x.detach() - 1
    torch.testing.assert_close(x.grad, a/a.norm() + 2*b/b.norm())


def test_resuming_gives_the_same_weights(mine, tmp_path):
    whole = run(task(mine), tmp_path/'whole', steps=4)
    class Stopped(P.PencilTask):
        def step(self, run, *batch):
            if run.step == 1: os.kill(os.getpid(), signal.SIGINT)
            return super().step(run, *batch)
    part = run(Stopped(mine, **SMALL), tmp_path/'part', steps=4)
    assert part.interrupted and part.step == 2
    rest = run(task(mine), tmp_path/'part', steps=4, resume=True)
    for k in ('netG', 'netD'): assert same(whole.trained[k].state_dict(), rest.trained[k].state_dict())


@pytest.mark.parametrize('net, kind', [('shader', P.Shader), ('unet', P.PencilUNet)])
def test_training_on_photos(portraits, tmp_path, cat, net, kind):
    done = run(P.PhotoTask(P.FromPhotos(portraits), net=net, **SMALL), tmp_path)
    assert sorted(done.trained) == ['netD', 'netG'] and isinstance(done.net, kind)
    assert P.draw_photo(cat, net=done.net).shape == cat.shape[:2]


def test_lines_are_no_photos(mine, portraits, tmp_path):
    "Pairs of the wrong kind for a task"
    for kind, pairs in ((P.PhotoTask, mine), (P.PencilTask, P.FromPhotos(portraits))):
        with pytest.raises(ValueError, match='FromPhotos'): run(kind(pairs, **SMALL), tmp_path)


# the command line

QUICK = ['--set', 'size=64', '--set', 'n=8', '--steps', '2', '--batch-size', '2', '--device', 'cpu']


def book(*words): return main([*map(str, words)])


@pytest.fixture
def filters(monkeypatch):
    "`FromDrawings` without SketchNet, which takes seconds"
    monkeypatch.setattr(P.FromDrawings.__init__, '__defaults__', (('coherent', 'dodge'),))


@pytest.fixture
def trained(mine, tmp_path):
    "A file of weights, its discriminators beside it"
    from sketchbook.weights import _save_all
    done = run(task(mine, layers=(2, 3, 4)), tmp_path/'trained', seed=1)
    return _save_all(done.trained, tmp_path/'trained'/'pencil.safetensors', done.card)


def test_train_on_own_pairs(pairs, trained, tmp_path):
    "From lines and drawings alone, as the chapter says; then on from other weights, discriminators and all"
    own = ['train', 'pencil', '--lines', pairs/'line', '--drawings', pairs/'sketch', '--set', 'vectors=0', *QUICK]
    assert book(*own, '--out', tmp_path/'run') == 0
    made = card(tmp_path/'run'/'pencil.safetensors')
    assert made['network'] == 'sketchbook.pencil:Shader' and made['data'] == 'sketch'
    assert card(tmp_path/'run'/'pencil.netD.safetensors')['network'] == 'sketchbook.blocks:MultiPatchGAN'
    assert book(*own, '--init', trained, '--out', tmp_path/'more') == 0
    for name in ('pencil', 'pencil.netD'):
        a, b, c = (_read(f/f'{name}.safetensors')[0] for f in (trained.parent, tmp_path/'run', tmp_path/'more'))
        near, far = (sum((c[k].float() - x[k].float()).norm() for k in c if c[k].ndim == 4) for x in (a, b))
        assert near < .2*far


def test_train_on_drawings_and_pairs(filters, pairs, tmp_path):
    words = ['train', 'pencil', '--data', pairs/'sketch', '--lines', pairs/'line', '--drawings', pairs/'sketch']
    assert book(*words, '--set', 'vectors=0', '--out', tmp_path/'run', *QUICK) == 0
    assert card(tmp_path/'run'/'pencil.safetensors')['settings']['vectors'] == 0


def test_train_with_unpaired_lines_and_drawings(pairs, tmp_path):
    "The fourth discriminator is saved as well; the generator may be a U-Net"
    words = ['--lines', pairs/'line', '--drawings', pairs/'sketch', '--other-lines', pairs/'line', '--other-drawings',
             pairs/'sketch', '--set', 'vectors=0', '--set', 'net=unet']
    assert book('train', 'pencil', *words, '--out', tmp_path/'run', *QUICK) == 0
    assert {'pencil', 'pencil.netD', 'pencil.netU'} == set(available(tmp_path/'run'))
    assert card(tmp_path/'run'/'pencil.safetensors')['network'] == 'sketchbook.pencil:PencilUNet'


def test_the_card_names_openmoji(pairs):
    "CC BY-SA asks for the name"
    about = P.TASKS['pencil'](pairs/'sketch').about
    assert 'OpenMoji' in about['data'] and 'CC BY-SA 4.0' in about['data_licence']


def test_train_on_photos(portraits, tmp_path):
    assert book('train', 'pencil-photo', '--data', portraits, '--out', tmp_path/'run', *QUICK) == 0
    assert card(tmp_path/'run'/'pencil-photo.safetensors')['config']['ni'] == PHOTO


@pytest.mark.parametrize('words, said', [
    (['--lines', 'line'], '--lines and --drawings belong together'),
    (['--drawings', 'sketch'], '--lines and --drawings belong together'),
    (['--other-lines', 'line'], '--other-lines and --other-drawings belong together'),
    (['--set', 'vectors=2'], 'vectors should be'), (['--set', 'vectors=-1'], 'vectors should be'),
    (['--set', 'size=50'], 'size should be'), (['--set', 'size=32'], 'size should be'),
    (['--set', 'n=0'], 'n should be'), (['--set', 'net=vgg'], 'vgg')])
def test_train_with_bad_words(filters, pairs, tmp_path, capsys, words, said):
    words = [pairs/w if w in ('line', 'sketch') else w for w in words]
    assert book('train', 'pencil', '--data', pairs/'sketch', '--out', tmp_path/'run', *QUICK, *words) == 2
    err = capsys.readouterr().err
    assert said in err and err.count('\n') == 1 and not (tmp_path/'run').exists()


def test_train_on_nothing(tmp_path, capsys):
    assert book('train', 'pencil', '--set', 'vectors=0', '--out', tmp_path/'run', '--steps', 1) == 2
    err = capsys.readouterr().err
    assert '--data' in err and err.count('\n') == 1


@pytest.fixture(scope='module')
def drawings(tmp_path_factory):
    "Three drawings of 200 x 180 pixels to measure on"
    folder = tmp_path_factory.mktemp('drawings')
    for i in range(3):
        save_image(folder/f'{i}.png', P.graphite(circle(180, 200, 40 + i) < .5, np.random.default_rng(i)))
    return folder


def test_evaluate_own_weights(trained, drawings, capsys):
    assert book('evaluate', trained, '--data', drawings, '--limit', 2, '--write-card') == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ('perceptual', 'gram_lines', 'frechet_filter', 'seam', 'ssim', 'backbone'))
    assert card(trained)['metrics'][drawings.name]['n'] == 2


@pytest.mark.parametrize('make', [lambda: P.Shader(ni=PHOTO, n=8, blocks=1), lambda: P.PencilUNet(PHOTO, 8)])
def test_evaluate_what_draws_photos(make, tmp_path):
    photo = sample_photos('cat')['cat'][:140,:150]
    for i in range(2):
        save_image(tmp_path/'photos'/f'{i}.jpg', photo)
        save_image(tmp_path/'photos'/f'{i}.sketch.jpg', P._grey(photo))
    found = P.evaluate(make(), tmp_path/'photos')
    assert {'frechet', 'frechet_dodge', 'perceptual_dodge', 'n', 'backbone'} <= set(found) and found['n'] == 2


def test_evaluate_a_u_net(mine, drawings, tmp_path):
    done = run(task(mine, net='unet'), tmp_path/'run')
    save(done.net, tmp_path/'mine.safetensors', done.card)
    assert book('evaluate', tmp_path/'mine.safetensors', '--data', drawings) == 0


def test_evaluate_bad_data(net, pairs, drawings, tmp_path, capsys):
    save(net, tmp_path/'mine.safetensors')
    (tmp_path/'empty').mkdir()
    for data, more, said in (
            (tmp_path/'empty', [], 'no photos in it'), (tmp_path/'nowhere', [], 'no such file or folder'),
            (pairs/'sketch', [], '128'), (drawings, ['--limit', 1], 'limit should be')):
        assert book('evaluate', tmp_path/'mine.safetensors', '--data', data, *more) == 2
        assert said in capsys.readouterr().err


def test_seams_are_seen(net, drawings, monkeypatch):
    "Where tiles begin and end, which for most pages is at no multiple of anything"
    def drawn(cut):
        def draw(lines, side, **kw):
            page = .5 + .02*np.random.default_rng(0).standard_normal(lines.shape)
            for axis in (0, 1):
                starts = P._starts(lines.shape[axis], side, .25)
                step = .15*cut*sum(np.arange(lines.shape[axis]) >= s for s in starts[1:])
                page += step[:,None] if axis == 0 else step
            return np.clip(page, 0, 1).astype(np.float32)
        monkeypatch.setattr(P, 'draw', draw)
        return P.evaluate(net, drawings, limit=2)['seam']
    assert .9 < drawn(False) < 1.1 and drawn(True) > 2


# the shipped weights

def shipped(name): return pytest.mark.skipif(name not in available(), reason=f'the weights {name} are not shipped yet')


@pytest.mark.parametrize('name', [pytest.param(n, marks=shipped(n)) for n in ('pencil', 'pencil-photo')])
def test_shipped_weights(name): assert verify(name)['bytes'] < 6e6


@shipped('pencil')
def test_paper_stays_paper():
    "On drawings of things that are no faces"
    from sketchbook.drawings import OpenMojiPairs
    things = OpenMojiPairs('val', 512, flags=False)
    for i in range(0, len(things), len(things)//3):
        lines = things[i][0]
        far = cv2.distanceTransform((lines > .5).astype(np.uint8), cv2.DIST_L2, 5) > 24
        assert (P.draw(lines)[far] > .85).mean() >= .95, things.ids[i]


@shipped('pencil')
@pytest.mark.parametrize('side', [96, 128, 200])
def test_shipped_weights_leave_no_seams(side):
    assert P._seam(P.extract_lines(sample_photos('coffee')['coffee']), side) <= 1.05


@shipped('pencil')
def test_the_card_keeps_the_promises():
    "What the chapter claims"
    found = card('pencil')['metrics']['graphite_val']
    for k in ('perceptual', 'gram'): assert found[k] < .96*min(found[f'{k}_lines'], found[f'{k}_filter'])
    assert found['frechet'] < .65*min(found['frechet_lines'], found['frechet_filter']) and found['seam'] <= 1.05
