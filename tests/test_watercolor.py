"Watercolour: odd photos and masks, sizes, what is painted where, and its place in the pipeline"
from dataclasses import replace

import cv2
import numpy as np
import pytest

from sketchbook import masknet, sketchnet
from sketchbook.data import load_photo, sample_photos
from sketchbook.metrics import ink_width
from sketchbook.pipeline import Pipeline, SettingError, _draw_box, run_folder
from sketchbook.strokes import Stroke, Strokes
from sketchbook.watercolor import _fine_lines, _kuwahara, _REACH, watercolor


@pytest.fixture(scope='module')
def photo(): return sample_photos(['coffee'])['coffee'][:300,:400].copy()


@pytest.fixture
def disc(photo): # the subject, in the middle of the photo
    y, x = np.ogrid[:300,:400]
    return ((y - 150)**2 + (x - 200)**2 < 80**2).astype(np.float32)


@pytest.mark.parametrize('shape', [(1, 1), (1, 4000), (4000, 1), (1, 100), (3, 2)])
@pytest.mark.parametrize('masked', [False, True])
def test_photos_of_any_shape(shape, masked):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    found = watercolor(noise, np.ones(shape, bool) if masked else None)
    page = found.picture(*shape)
    assert page.shape == (*shape, 3) and 0 <= page.min() and page.max() <= 1 and np.isfinite(page).all()
    assert found.under(np.zeros(shape)).max() == 0 and np.isfinite(found.illustrate(np.ones(shape))).all()
    assert 'nan' not in found.svg(30, 40)


@pytest.mark.parametrize('zoom', [1, 3])
def test_the_same_picture_at_any_size(photo, disc, zoom):
    big = cv2.resize(photo, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    page = watercolor(big, cv2.resize(disc, None, fx=zoom, fy=zoom)).picture(300, 400)
    assert np.abs(page - watercolor(photo, disc).picture(300, 400)).mean() < .02


def test_the_subject_is_painted_and_what_is_far_is_paper(photo, disc):
    page = watercolor(photo, disc).picture(300, 400)
    y, x = np.ogrid[:300,:400]
    far = np.hypot(y - 150, x - 200)
    light = cv2.cvtColor(page, cv2.COLOR_RGB2LAB)[...,0]
    assert (page[far > 80 + 2*_REACH*1.4*160 + 2] == 1).all()           # the part is 1.4 times as long as the disc
    ring = (far > 84) & (far < 92)
    assert light[far < 75].mean() < light[ring].mean() < 99
    bare = watercolor(photo, disc, around=0).picture(300, 400)
    assert (bare[far > 90] > .999).all()
    np.testing.assert_allclose(bare[far < 75], page[far < 75], atol=.02)


def test_one_colour_stays_one_colour_and_white_stays_paper(disc):
    flat = np.full((300, 400, 3), (200, 120, 40), np.uint8)
    inside = watercolor(flat, disc, around=0).picture(300, 400)[110:190,160:240]
    assert np.ptp(inside.reshape(-1, 3), 0).max() < .01
    assert watercolor(np.full((300, 400, 3), 255, np.uint8), disc).blank


def test_a_black_and_a_white_side_stay_apart():
    halves = np.zeros((40, 40, 3), np.float32)
    halves[:,20:] = 1
    np.testing.assert_allclose(_kuwahara(halves), halves, atol=.02)


@pytest.mark.parametrize('options, said', [
    (dict(depth=2), 'depth should be'), (dict(depth='1'), 'depth should be'), (dict(around=-.1), 'around should be'),
    (dict(around=float('nan')), 'around should be'), (dict(radius=1.5), 'radius should be'),
    (dict(radius=13), 'radius should be'), (dict(colors=0), 'colors should be'), (dict(seed=-1), 'seed should be'),
    (dict(mask=np.ones((2, 2))), 'should have the same size')])
def test_bad_options_are_named(photo, options, said):
    with pytest.raises(ValueError, match=said): watercolor(photo, **options)


def test_it_lies_under_strokes(photo, disc, tmp_path):
    strokes = Strokes([Stroke([[[100, 150], [150, 50], [250, 250], [300, 150]]], [3, 3])], 300, 400)
    painted = watercolor(photo, disc)
    assert strokes.to_svg(wash=painted).count('<path') == 1 + len(painted.flat().areas)
    strokes.animate(tmp_path/'a.gif', seconds=1, wash=painted)
    from PIL import Image
    with Image.open(tmp_path/'a.gif') as gif:
        gif.seek(gif.n_frames - 1)
        last = np.asarray(gif.convert('RGB'))/255
    assert np.abs(last - painted.under(strokes.render())).mean() < .02
    strokes.animate(tmp_path/'b.gif', seconds=1, wash=watercolor(photo, disc, depth=0))
    strokes.animate(tmp_path/'c.gif', seconds=1)
    assert (tmp_path/'b.gif').read_bytes() == (tmp_path/'c.gif').read_bytes()   # nothing is laid after the lines


@pytest.fixture(scope='module')
def paints(): return Pipeline(resolution=1, vectorize=False, device='cpu', min_side=1)


def test_the_pipeline_paints_and_keeps_its_sketch(monkeypatch, paints, photo, disc):
    monkeypatch.setattr(masknet, 'predict_closely', lambda *a, **kw: disc)
    r, flat = paints(photo), replace(paints, flat=True)(photo)
    np.testing.assert_array_equal(r.sketch, flat.sketch)                # what the tracer gets is the same
    assert flat.fine is None and r.fine.shape == r.sketch.shape == r.shaded.shape[:2]
    assert (r.fine < .5).sum() < (r.sketch < .5).sum()
    np.testing.assert_array_equal(r.shaded, r.wash.illustrate(r.fine))
    outlines = replace(paints, detail=0)(photo)                         # they have no fine pen
    assert outlines.fine is None and outlines.shaded.shape == photo.shape
    assert replace(paints, wash=0)(photo).fine is None and replace(paints, colors=0)(photo).shaded.ndim == 2
    for wrong in (1, 'no', None):
        with pytest.raises(SettingError, match='flat should be True or False'): replace(paints, flat=wrong)


def test_a_small_subject_is_painted_in_its_place(monkeypatch, paints, photo):
    small = np.zeros((300, 400), np.float32)
    small[200:260,300:370] = 1
    monkeypatch.setattr(masknet, 'predict_closely', lambda *a, **kw: small)
    r, framed = (replace(paints, frame=f)(photo) for f in ('photo', 'object'))
    assert r.box is not None and r.shaded.shape == r.photo.shape and (r.shaded[:100] == 1).all()
    top, left, bottom, right = framed.box
    assert framed.shaded.shape == (bottom - top, right - left, 3) and framed.shaded.min() < .5


def test_weights_without_details_are_painted_too(paints, photo, disc):
    net = sketchnet.SketchNet(pretrained=False).eval()
    sketch, fine = _draw_box(paints, photo, disc, None, net)
    assert sketch.shape == photo.shape[:2] and fine is None             # under the bold lines


def test_surroundings_are_paler_and_uneven_and_keep_fewer_lines(disc):
    flat = np.full((300, 400, 3), (60, 120, 180), np.uint8)
    y, x = np.ogrid[:300,:400]
    far = np.hypot(y - 150, x - 200)
    strong, usual = watercolor(flat, disc, around=1), watercolor(flat, disc)
    page = strong.picture(300, 400)
    ring = (far > 83) & (far < 90)
    assert page[far < 75].mean() + .02 < page[ring].mean() < .95
    assert page[far < 75].std(0).max() < .01 < page[ring].std(0).max()     # pigment lies unevenly there
    assert usual.picture(300, 400)[ring].mean() > page[ring].mean() + .05
    ink = 1 - usual.illustrate(np.zeros((300, 400))).mean(-1)              # lines everywhere
    assert ink[far < 75].min() > .99 and .4 < ink[ring].mean() < .9 and ink[0].max() == 0


def test_flat_areas_follow_depth_and_colours(photo, disc):
    full, half = (watercolor(photo, disc, depth=d, colors=3).flat() for d in (1, .5))
    assert len(full.areas) <= 3
    np.testing.assert_allclose(half.tones, (1 + full.tones)/2, atol=1e-6)


def test_settings_of_the_pipeline_reach_the_paint(monkeypatch, paints, photo, disc):
    monkeypatch.setattr(masknet, 'predict_closely', lambda *a, **kw: disc)
    full, half = (replace(paints, wash=w, colors=2)(photo).wash for w in (1, .5))
    np.testing.assert_allclose(half.paint, (1 + full.paint)/2, atol=1e-6)
    assert len(full.flat().areas) <= 2


def test_the_files_of_a_run_are_the_painting(monkeypatch, paints, photo, disc, tmp_path):
    monkeypatch.setattr(masknet, 'predict_closely', lambda *a, **kw: disc)
    run_folder({'a': photo}, tmp_path, paints)
    np.testing.assert_allclose(load_photo(tmp_path/'shaded'/'a.png')/255, paints(photo).shaded, atol=.003)


def test_the_pen_is_finer_and_spots_go(photo):
    maps = sketchnet.line_maps(photo, 1, clear=False)
    fine, broad = _fine_lines(maps), sketchnet.paint(maps._replace(spots=None))
    assert ink_width(fine < .5) < .9*ink_width(broad < .5)
    assert (_fine_lines(maps._replace(spots=np.ones_like(maps.spots))) == fine).all()
    with pytest.raises(ValueError, match='clear'): sketchnet.line_maps(photo, 1, clear='no')


def test_paper_stays_white_while_the_paint_appears(photo, disc, tmp_path):
    from PIL import Image
    strokes = Strokes([Stroke([[[100, 150], [150, 50], [250, 250], [300, 150]]], [3, 3])], 300, 400)
    strokes.animate(tmp_path/'a.gif', seconds=1, wash=watercolor(photo, disc))
    with Image.open(tmp_path/'a.gif') as gif:
        for i in range(gif.n_frames - 9, gif.n_frames):             # while it appears
            gif.seek(i)
            assert gif.convert('RGB').getpixel((2, 2)) == (255, 255, 255)


@pytest.mark.parametrize('shape', [(100, 2000), (2000, 60), (3, 4000)])
def test_a_panorama_without_a_mask_is_painted(shape):
    found = watercolor(np.full((*shape, 3), 90, np.uint8))
    assert not found.blank and found.paint.min() < .6 and found.lines.max() == 1


@pytest.mark.parametrize('at', [np.s_[:80,:80], np.s_[80:160,100:200], np.s_[160:,240:]])
def test_no_trace_of_paint_in_the_outermost_pixels(at):
    mask = np.zeros((240, 320), np.float32)
    mask[at] = 1
    away = cv2.distanceTransform((mask == 0).astype(np.uint8), cv2.DIST_L2, 5) > 20
    for seed in range(8):
        found = watercolor(np.full((240, 320, 3), (200, 60, 40), np.uint8), mask, around=1, seed=seed)
        page = found.picture(240, 320)
        assert found.lines.max() <= 1
        for row in np.s_[0], np.s_[-1], np.s_[:,0], np.s_[:,-1]: assert (page[row][away[row]] > .99).all()
