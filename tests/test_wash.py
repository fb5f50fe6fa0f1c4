"Greys and colours under a drawing: odd photos and masks, few lightnesses, sizes, and where a wash is taken"
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


@pytest.mark.parametrize('colors', [0, 1, 16])
@pytest.mark.parametrize('shape', [(1, 1), (1, 4000), (4000, 1), (1, 100), (3, 2)])
def test_photos_of_any_shape(shape, colors):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    found = wash(noise, np.ones(shape, bool), colors=colors)
    page = found.picture(*shape)
    assert page.shape == (*shape, 3)[:3 if colors else 2] and (.65, 0)[colors > 0] <= page.min() and page.max() <= 1
    assert found.svg(30, 40).count('nan') == 0 and found.under(np.zeros(shape)).max() == 0


@pytest.mark.parametrize('side', [100, 424, 600])
def test_two_lightnesses_are_two_colours_at_any_size(side):
    page = wash(halves(40, 200, side), colors=12).picture(side, side)
    dark, light = page[side//2,side//4], page[side//2,3*side//4]
    assert np.ptp(dark) < .01 and np.ptp(light) < .01 and .25 < dark[0] < .45 and .8 < light[0] < .95
    assert len(np.unique(page[side//2].round(2), axis=0)) < 6       # no third one along the border


def test_one_colour_and_a_piece_that_stands_alone():
    photo, mask = np.full((200, 200, 3), (250, 220, 0), np.uint8), np.zeros((200, 200))
    mask[40:160,40:160] = mask[5:11,5:11] = 1
    photo[5:11,5:11] = (0, 0, 120)
    page = wash(photo, mask, colors=4).picture(200, 200)
    assert page[100,100,2] < .5 < page[100,100,0]
    assert page[8,8,2] > page[8,8,0]                                # too small for an area, but with no other beside it
    assert (page[20:35] == 1).all()


@pytest.mark.parametrize('smooth', [.5, 1, 2.2])
def test_a_piece_too_small_for_an_area_goes_at_any_smoothing(smooth):
    y, x = np.mgrid[:424,:424]
    photo = np.full((424, 424, 3), (200, 60, 40), np.uint8)
    photo[np.hypot(x-200, y-200) < 5.5] = (40, 60, 200)             # 97 pixels; 108 are 0.06 %
    photo[np.hypot(x-100, y-300) < 20] = (40, 60, 200)
    page = wash(photo, smooth=smooth, colors=6).picture(424, 424)
    assert np.ptp(page[180:220,180:220], (0, 1)).max() < .01 and page[300,100,2] > page[300,100,0]


def test_more_colours_are_never_fewer_and_a_small_hue_stays():
    photo = np.linspace((100, 60, 20), (200, 160, 120), 424).astype(np.uint8)[None].repeat(424, 0)
    photo[200:240,200:240] = (0, 170, 60)
    counts = [len(wash(photo, colors=k).areas) for k in range(1, 9)]
    assert counts == sorted(counts) and counts[:2] == [1, 2]
    page = wash(photo, colors=3).picture(424, 424)
    assert page[220,220].argmax() == 1 and page[100,100].argmax() == 0


def test_an_edge_mixes_the_two_colours_beside_it():
    photo = np.zeros((300, 300, 3), np.uint8)
    photo[:,:150], photo[:,150:], photo[:60] = (250, 230, 40), (30, 30, 90), (200, 40, 40)
    photo[270:] = (40, 120, 60)
    page = wash(photo, colors=12).picture(300, 300)
    yellow, blue = page[150,60], page[150,240]
    for pixel in page[100:230,140:160].reshape(-1, 3):
        share = (pixel - blue) @ (yellow - blue)/np.square(yellow - blue).sum()
        assert np.abs(blue + share*(yellow - blue) - pixel).max() < .01


def test_a_single_voter_is_enough():
    mask = np.zeros((850, 850))
    mask[0:2,0:2] = mask[848:850,849] = 1
    assert wash(np.zeros((850, 850, 3), np.uint8), mask, colors=1).picture(850, 850).shape == (850, 850, 3)


def test_colours_are_the_same_every_time_and_whatever_was_drawn_before():
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    first = wash(noise, colors=8)
    np.random.seed(3)
    again = wash(noise, colors=8)
    assert np.array_equal(first.areas, again.areas) and np.array_equal(first.tones, again.tones)


def test_a_mask_that_is_hardly_sure_is_as_dark_as_a_sure_one():
    ramp = np.tile(np.linspace(0, 255, 300).astype(np.uint8), (200, 1))
    unsure, sure = (wash(ramp, np.full((200, 300), m)) for m in (.52, 1))
    assert unsure.picture(200, 300).min() == pytest.approx(sure.picture(200, 300).min(), abs=1e-3)


@pytest.mark.parametrize('options, said', [
    (dict(levels=5), 'levels should be'), (dict(levels=2.5), 'levels should be'),
    (dict(levels=True), 'levels should be'),
    (dict(colors=17), 'colors should be'), (dict(colors=-1), 'colors should be'),
    (dict(colors=True), 'colors should be'),
    (dict(colors=2.5), 'colors should be'), (dict(colors=None), 'colors should be'),
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
    for wrong in (True, '1', -1, 17, 2.5, float('nan'), None):
        with pytest.raises(SettingError, match='colors should be'): Pipeline(colors=wrong)


def test_a_slow_animation_keeps_its_limits(tmp_path):
    strokes = Strokes([Stroke([[[1, 1], [3, 2], [5, 4], [9, 9]]], [1, 1])], 10, 10)
    strokes.animate(tmp_path/'a.gif', seconds=300, fps=.02, hold=0, wash=wash(halves()))
    strokes.animate(tmp_path/'b.gif', seconds=1, wash=wash(halves(9, 9)))
    strokes.animate(tmp_path/'c.gif', seconds=1)
    strokes.animate(tmp_path/'d.gif', seconds=1, hold=0, wash=wash(halves(), colors=2))
    assert (tmp_path/'a.gif').stat().st_size > 0
    assert (tmp_path/'b.gif').read_bytes() == (tmp_path/'c.gif').read_bytes() # no areas, no more pictures
