"Drawing or photo: cut-outs on white, drawings of several kinds, odd sizes"
import cv2
import numpy as np
import pytest

from sketchbook.data import SaliencyPairs, SketchPairs, sample_photos, shrink
from sketchbook.drawings import OpenMojiPairs
from sketchbook.masknet import clean_mask, cut_out, predict
from sketchbook.pencil import extract_lines
from sketchbook.pencil_folders import _way
from sketchbook.sketches import _grey, _is_cut_out, dark_on_light, is_drawing


def as_jpeg(page):
    file = cv2.imencode('.jpg', np.uint8(page*255 + .5), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)/np.float32(255)


@pytest.fixture(scope='module')
def inks():
    pairs = OpenMojiPairs('val', size=256)
    return [pairs[i][0] for i in range(0, len(pairs), len(pairs)//20)]


@pytest.mark.parametrize('name', ['coffee', 'motorcycle'])
@pytest.mark.parametrize('side', [200, 384, None])
def test_a_cut_out_photo_is_no_drawing(name, side):
    photo = sample_photos([name])[name]
    if side: photo = cv2.resize(photo, (side, side*photo.shape[0]//photo.shape[1]), interpolation=cv2.INTER_AREA)
    mask = predict(photo)
    for m in (mask, clean_mask(mask)):
        cut = cut_out(photo, m)
        page = _grey(cut)
        assert not is_drawing(page) and not is_drawing(as_jpeg(page)) and _way(cut, 'auto') == 'sketchnet'
        assert (dark_on_light(page) == page).all()


def test_cut_on_black_is_not_inverted():
    cat = _grey(sample_photos('cat')['cat'])
    disc = cv2.circle(np.zeros_like(cat), (250, 120), 80, 1, -1) > 0
    cut = np.where(disc, cat, 0)
    assert (dark_on_light(cut) == cut).all()


def test_drawings_stay_drawings(inks):
    for page in inks:
        thick = 1 - cv2.dilate(1 - page, np.ones((5, 5)))       # a felt pen, wider than the squares of the test
        for drawn in (page, 1 - .5*(1 - page), 1 - .3*(1 - page), 1 - .5*(1 - thick)): assert is_drawing(drawn)
        assert is_drawing(as_jpeg(page)) and is_drawing(cv2.resize(page, (1000, 1000)).clip(0, 1))
        assert (dark_on_light(1 - page) == 1 - (1 - page)).all()


@pytest.mark.parametrize('side', [60, 96, 150, 250])
@pytest.mark.parametrize('source', ['coherent', 'dodge'])
def test_lines_of_a_small_photo_are_no_cut_out(side, source):
    for photo in sample_photos(['cat', 'coffee', 'motorcycle']).values():
        small = shrink(photo, side)
        for thickness in (0, 2): assert not _is_cut_out(extract_lines(small, thickness, source))


@pytest.mark.parametrize('tone', [0., .4, .8])
def test_a_flat_area_is_a_drawing(tone):
    page = np.ones((300, 400), np.float32)
    cv2.circle(page, (200, 150), 70, tone, -1)
    assert is_drawing(page)


@pytest.mark.parametrize('size', [(1, 1), (1, 5000), (5000, 3), (40, 40)])
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_any_size(size, dtype): assert is_drawing(np.ones(size, dtype)) and not is_drawing(np.full(size, .5, dtype))


def test_most_cut_outs(shared_data):
    pairs = SaliencyPairs(shared_data/'duts_large_val.tar')
    some = [pairs[i] for i in range(0, len(pairs), 4)]
    assert sum(is_drawing(_grey(cut_out(*pair))) for pair in some) <= 2
    assert sum(is_drawing(_grey(photo)) for photo, _ in some) <= 2


def test_pencil_drawings_are_as_before(shared_data):
    pairs = SketchPairs(shared_data/'fs2k_val.tar')
    for i in range(0, len(pairs), 4):
        page = pairs[i][1]
        page = (_grey(page) if page.ndim == 3 else page/255 if page.dtype == np.uint8 else page).astype(np.float32)
        assert is_drawing(page) == ((page > .75).mean() > .5 and ((page > .25) & (page < .75)).mean() < .3)
