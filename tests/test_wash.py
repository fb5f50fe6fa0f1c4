"Greys under a drawing: odd photos and masks, few lightnesses, sizes, and where a wash is taken"
import warnings

import numpy as np
import pytest

from sketchbook.pipeline import Pipeline, SettingError
from sketchbook.strokes import Stroke, Strokes
from sketchbook.wash import _thresholds, wash


def halves(dark=0, light=255, side=424):
    page = np.full((side, side, 3), light, np.uint8)
    page[:,:side//2] = dark
    return page


@pytest.mark.parametrize('levels', [2, 3, 4, 3., np.float32(3)])
@pytest.mark.parametrize('side', [100, 424, 600])
def test_two_lightnesses_give_one_grey_at_any_size(levels, side):
    page = wash(halves(side=side), levels=levels).picture(side, side)
    assert page[side//2,side//4] == pytest.approx(.66) and page[side//2,3*side//4] == 1


def test_a_small_light_piece_apart_from_the_dark_is_no_hole():
    photo, mask = halves(90, 200), np.zeros((424, 424))
    mask[100:400,20:400] = mask[5:17,405:417] = 1
    photo[5:17,405:417] = 255
    assert wash(photo, mask, levels=2).picture(424, 424)[10,410] == 1


def test_nearly_one_lightness_divides_by_no_empty_group():
    values = np.repeat(np.float32([22, 232, 233, 239])/255, [4, 179_780, 1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        cuts, means = _thresholds(values, 3)
    assert len(cuts) == len(means) - 1 and np.isfinite(means).all() and (np.diff(means) > 0).all()


@pytest.mark.parametrize('shape', [(1, 1), (1, 4000), (4000, 1), (1, 100), (3, 2)])
def test_photos_of_any_shape(shape):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    found = wash(noise, np.ones(shape, bool))
    page = found.picture(*shape)
    assert page.shape == shape and .65 < page.min() and page.max() <= 1 and found.svg(30, 40).count('nan') == 0


def test_a_mask_that_is_hardly_sure_is_as_dark_as_a_sure_one():
    ramp = np.tile(np.linspace(0, 255, 300).astype(np.uint8), (200, 1))
    unsure, sure = (wash(ramp, np.full((200, 300), m)) for m in (.52, 1))
    assert unsure.picture(200, 300).min() == pytest.approx(sure.picture(200, 300).min(), abs=1e-3)


@pytest.mark.parametrize('options, said', [
    (dict(levels=5), 'levels should be'), (dict(levels=2.5), 'levels should be'),
    (dict(levels=True), 'levels should be'),
    (dict(depth=1.5), 'depth should be'), (dict(depth=float('nan')), 'depth should be'),
    (dict(smooth='2'), 'smooth should be'), (dict(smooth=0), 'smooth should be'),
    (dict(mask=np.ones((3, 3))), 'should have the same size'), (dict(mask=np.full((424, 424), np.nan)), 'NaN')])
def test_wrong_options_are_named(options, said):
    with pytest.raises(ValueError, match=said): wash(halves(), **options)


def test_wrong_sizes_and_wrong_washes_are_named(tmp_path):
    found, strokes = wash(halves()), Strokes([Stroke([[[1, 1], [3, 2], [5, 4], [9, 9]]], [1, 1])], 10, 10)
    for sides in ((0, 5), (5, -1), (2.5, 4), (True, 5), ('3', 4), (float('nan'), 5), (10**9, 10**9)):
        for method in (found.picture, found.svg):
            with pytest.raises(ValueError, match='of a wash should be'): method(*sides)
    for wrong in (True, '1', found.picture(10, 10), wash):
        with pytest.raises(ValueError, match='wash should be what'): strokes.to_svg(wash=wrong)
        with pytest.raises(ValueError, match='wash should be what'): strokes.animate(tmp_path/'a.gif', wash=wrong)
    assert not list(tmp_path.iterdir())
    for wrong in (True, '1', -1, 2, float('nan'), None):
        with pytest.raises(SettingError, match='wash should be'): Pipeline(wash=wrong)


def test_a_slow_animation_keeps_its_limits(tmp_path):
    strokes = Strokes([Stroke([[[1, 1], [3, 2], [5, 4], [9, 9]]], [1, 1])], 10, 10)
    strokes.animate(tmp_path/'a.gif', seconds=300, fps=.02, hold=0, wash=wash(halves()))
    strokes.animate(tmp_path/'b.gif', seconds=1, wash=wash(halves(9, 9)))
    strokes.animate(tmp_path/'c.gif', seconds=1)
    assert (tmp_path/'a.gif').stat().st_size > 0
    assert (tmp_path/'b.gif').read_bytes() == (tmp_path/'c.gif').read_bytes() # no areas, no more pictures
