"The whole way: what each network is shown, what is written, under which names, and what is left after trouble"
import contextlib
import json
import multiprocessing
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sketchbook import folders, masknet, pipeline, sketchnet, weights
from sketchbook.data import load_photo, sample_photos, save_image
from sketchbook.folders import OutputError, choose_names
from sketchbook.pipeline import Pipeline, SettingError, run_folder, vectorize_folder

# what photos of some pixels and networks that were never trained are told, and what no test here is about
pytestmark = [pytest.mark.filterwarnings(f'ignore:.*{said}:UserWarning')
              for said in ('No object was found', 'The resolution is more than', 'These weights draw no details')]


@pytest.fixture(scope='module')
def own(small_nets):
    "Weights of small untrained networks, as settings of the pipeline"
    return {f'{k}_weights': str(f) for k, f in small_nets.items()}


@pytest.fixture
def quick(own): return Pipeline(resolution=1, vectorize=False, device='cpu', min_side=1, flat=True, **own)


@pytest.fixture
def photo(): return sample_photos(['cat'])['cat'][:120,:160].copy()


def lines_on_paper(photo, *args, **kw):
    "Stands in for SketchNet where something to trace is wanted: a circle and a cross"
    import cv2
    h, w = photo.shape[:2]
    page = np.full((h, w), 255, np.uint8)
    cv2.circle(page, (w//2, h//2), max(min(h, w)//3, 1), 0, 2)
    cv2.line(page, (0, 0), (w-1, h-1), 0, 2)
    return page.astype(np.float32)/255


def files(folder): return sorted(f.relative_to(folder).as_posix() for f in Path(folder).rglob('*') if f.is_file())
def _gather(paths, out): return folders.gather(paths, out, pipeline._KINDS)
def _known_names(out): return folders._known_names(out, pipeline._REPORTS.values(), pipeline._RESULTS)
def hidden(folder): return [f for f in Path(folder).rglob('.*')]


# what the networks see

def test_gamma_and_merge_never_reach_masknet(monkeypatch, quick, photo):
    seen, real = [], masknet.predict
    monkeypatch.setattr(masknet, 'predict', lambda p, *a, **k: seen.append(p.copy()) or real(p, *a, **k))
    dark = photo//4
    results = [replace(quick, gamma=g, merge=m)(dark) for g in (False, True) for m in (False, True)]
    assert len(seen) == 4, 'the mask is found once a photo, for merge as well'
    for s in seen: np.testing.assert_array_equal(s, dark)
    for r in results: np.testing.assert_array_equal(r.mask, results[0].mask)


def test_sketchnet_sees_the_full_photo(monkeypatch, quick):
    "Two independent resizes: stripes finer than 224 pixels can show arrive at SketchNet"
    seen = []
    monkeypatch.setattr(sketchnet, 'draw', lambda p, *a, **k: seen.append(p) or np.ones(p.shape[:2], np.float32))
    stripes = np.zeros((600, 900, 3), np.uint8)
    stripes[:,::2] = 255
    quick(stripes)
    np.testing.assert_array_equal(seen[0], stripes)


def test_detail_above_224_survives():
    "The same, through the shipped networks: what a 224-pixel copy cannot show is in the sketch"
    import cv2
    p, photo = Pipeline(blacks=False, vectorize=False, device='cpu'), sample_photos(['motorcycle'])['motorcycle']
    h, w = photo.shape[:2]
    def squeezed(a):
        return cv2.resize(cv2.resize(a, (224, 224), interpolation=cv2.INTER_AREA), (w, h),
                          interpolation=cv2.INTER_CUBIC)
    whole, poor = p(photo).sketch < .5, p(squeezed(photo)).sketch < .5
    # share further than 2 px from the other's
    def missing(lines, other):
        return (cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, 5)[lines] > 2).mean()
    assert missing(whole, poor) > max(.15, 1.25*missing(poor, whole))


def test_stages_and_shapes(quick, photo):
    r = quick(photo)
    assert r.mask.shape == r.sketch.shape == photo.shape[:2] and r.foreground.shape == photo.shape
    assert r.mask.dtype == r.sketch.dtype == np.float32 and r.foreground.dtype == np.uint8
    assert r.strokes is None and list(r.timings) == ['load', 'mask', 'sketch', 'wash']
    assert r.gallery().shape == (120, 3*160, 3)
    whole = replace(quick, mask=False)(photo)
    assert whole.mask is None and whole.foreground is whole.photo and whole.gallery().shape == (120, 2*160, 3)


def test_a_wash_lies_under_the_lines_of_the_object_alone(monkeypatch, quick, photo):
    monkeypatch.setattr(sketchnet, 'draw', lines_on_paper)
    here = np.zeros(photo.shape[:2], np.float32)
    here[20:100,30:130] = 1
    monkeypatch.setattr(masknet, 'predict_closely', lambda *a, **kw: here)
    quick = replace(quick, colors=0)
    r = replace(quick, vectorize=True, size=160)(photo)
    lines, page = r.sketch, r.wash.picture(120, 160)
    assert np.array_equal(r.shaded, lines*page) and page.min() == pytest.approx(r.wash.tones.min())
    assert page[:15].min() == page[:,:25].min() == 1
    assert 'id="wash"' in r.strokes.to_svg(wash=r.wash) and 'wash' not in r.strokes.to_svg()
    np.testing.assert_allclose(r.gallery(vector=True)[:,-160:,0]/255, r.strokes.render(120, 160)*page, atol=.003)
    half, none = (replace(quick, wash=w)(photo) for w in (.5, 0))
    assert np.array_equal(half.sketch, lines) and half.wash.picture(120, 160).min() == pytest.approx((1+page.min())/2)
    assert none.wash is None and none.shaded is none.sketch
    framed = replace(quick, frame='object')(photo)
    assert framed.shaded.shape == framed.sketch.shape and framed.wash.picture(*framed.sketch.shape).min() < .9


def test_a_wash_in_colours(monkeypatch, quick, photo, tmp_path):
    monkeypatch.setattr(sketchnet, 'draw', lines_on_paper)
    here = np.zeros(photo.shape[:2], np.float32)
    here[20:100,30:130] = 1
    monkeypatch.setattr(masknet, 'predict_closely', lambda *a, **kw: here)
    p = replace(quick, colors=6, vectorize=True, size=160, vector_panel=True)
    report = pipeline.run_folder({'a': photo}, tmp_path, p)
    assert report['settings']['colors'] == 6
    r = p(photo)
    painted = np.asarray(Image.open(tmp_path/'shaded'/'a.png'))
    page = r.wash.picture(120, 160)
    assert painted.shape == page.shape == (120, 160, 3) and page[:15].min() == 1 and np.ptp(page, -1).max() > .1
    np.testing.assert_allclose(painted/255, r.shaded, atol=.003)
    assert np.asarray(Image.open(tmp_path/'sketch'/'a.png')).ndim == 2 and np.ptp(r.gallery()[:,-160:], -1).max() > 20
    fills = set(re.findall('fill="#(.{6})" d=', (tmp_path/'vector'/'a.svg').read_text()))
    assert len(fills) == len(r.wash.areas) and any(len({f[:2], f[2:4], f[4:]}) > 1 for f in fills)
    with Image.open(tmp_path/'gif'/'a.gif') as gif:
        gif.seek(gif.n_frames - 1)
        assert np.ptp(np.asarray(gif.convert('RGB')).astype(int), -1).max() > 20
    whole = replace(p, mask=False, vectorize=False)(photo)
    assert whole.wash.box == (0, 0, 1, 1) and whole.shaded.shape == photo.shape


def test_a_scrap_of_a_mask_is_no_object(monkeypatch, quick, photo):
    scrap = np.zeros(photo.shape[:2], np.float32)
    scrap[50:53,50:53] = 1
    monkeypatch.setattr(masknet, 'predict_closely', lambda *a, **kw: scrap)
    with pytest.warns(UserWarning, match='No object was found'): r = quick(photo)
    assert r.box is None and r.wash.box == (0, 0, 1, 1) and r.foreground is r.photo


def test_two_scraps_far_apart_are_no_object(monkeypatch, quick, photo):
    scraps = np.zeros(photo.shape[:2], np.float32)
    scraps[10:20,10:20] = scraps[90:100,140:150] = 1
    monkeypatch.setattr(masknet, 'predict_closely', lambda *a, **kw: scraps)
    with pytest.warns(UserWarning, match='No object was found'): assert quick(photo).foreground.shape == photo.shape
    scraps[10:20,10:20] = 0
    assert quick(photo).box is not None              # one of them is


def test_mask_modes(quick, photo):
    sure = masknet.predict(photo, net=weights.load(quick.mask_weights, 'cpu'))
    t = float(np.median(sure))
    np.testing.assert_allclose(replace(quick, softctr=t)(photo).mask, masknet.soft(sure, t))
    assert set(np.unique(replace(quick, mask_mode='hard', softctr=t)(photo).mask)) == {0, 1}


def test_vector_panel_and_size(monkeypatch, quick, photo):
    monkeypatch.setattr(sketchnet, 'draw', lines_on_paper)
    r = replace(quick, vectorize=True, size=300)(photo)
    assert len(r.strokes) > 0
    assert r.gallery(vector=True).shape == (120, 4*160, 3)


@pytest.mark.parametrize('size', [(1, 1), (1, 40), (900, 3), (2, 2)])
def test_tiny_photos(tmp_path, size):
    report = run_folder({'tiny': np.full((*size, 3), 120, np.uint8)}, tmp_path, Pipeline(device='cpu', min_side=1))
    assert not report['skipped'] and load_photo(tmp_path/'sketch'/'tiny.png').shape[:2] == size


def test_small_photos_are_enlarged(quick, photo):
    r = replace(quick, min_side=200)(photo)
    assert r.photo.shape == (150, 200, 3) and r.sketch.shape == r.mask.shape == (150, 200)
    assert replace(quick, min_side=100)(photo).photo.shape == photo.shape       # it is large enough
    assert replace(quick, min_side=300, max_side=90)(photo).photo.shape == (68, 90, 3)


def test_large_photos_are_bounded(quick):
    photo = np.full((120, 6000, 3), 200, np.uint8)
    r = replace(quick, mask=False)(photo)
    assert r.sketch.shape == (82, 4096) and r.gallery().shape == (41, 2*2048, 3)
    assert replace(quick, mask=False, max_side=6000)(photo).sketch.shape == (120, 6000)


# ghosts, small things, nothing

def seen_by(monkeypatch, *blobs, shape=(400, 600)):
    "Let MaskNet believe in discs `(row, column, radius, value)`"
    y, x = np.mgrid[:shape[0],:shape[1]]
    mask = np.zeros(shape, np.float32)
    for r, c, radius, value in blobs: mask[(y-r)**2 + (x-c)**2 < radius**2] = value
    monkeypatch.setattr(masknet, 'predict_closely', lambda *a, **k: mask)
    return mask


@pytest.fixture
def discs():
    "A photo of two dark discs on a light ground"
    import cv2
    page = np.full((400, 600, 3), 200, np.uint8)
    for c in (150, 480): cv2.circle(page, (c, 200), 90, (60, 40, 30), -1, cv2.LINE_AA)
    return page


def test_a_ghost_is_not_drawn(monkeypatch, discs):
    mask = seen_by(monkeypatch, (200, 150, 110, 1.), (200, 480, 110, .45))
    r = Pipeline(vectorize=False, device='cpu')(discs)
    np.testing.assert_array_equal(r.mask, masknet.soft(mask))          # the mask keeps its doubt
    assert (r.foreground[:,300:] == 255).all() and (r.sketch[:,300:] > .9).all()
    assert (r.sketch[:,:300] < .5).sum() > 500
    soft = sketchnet.draw(masknet.cut_out(discs, r.mask), device='cpu', detail=0)
    assert (soft[:,300:] < .5).sum() > 300, 'the soft cut-out would have shown it'


def test_no_line_where_the_mask_fades(monkeypatch):
    "A mask that is sure of one half of a plain disc and doubts the other: no line runs through the disc"
    import cv2
    page = np.full((400, 600, 3), 230, np.uint8)
    cv2.circle(page, (300, 200), 170, (150, 60, 40), -1, cv2.LINE_AA)
    y, x = np.mgrid[:400,:600]
    sure = np.where((y-200)**2 + (x-300)**2 < 170**2, np.clip((330-x)/60, .3, 1), 0).astype(np.float32)
    monkeypatch.setattr(masknet, 'predict_closely', lambda *a, **k: sure)
    r = Pipeline(vectorize=False, device='cpu')(page)
    inside = (y-200)**2 + (x-300)**2 < 150**2
    assert (r.sketch[inside] < .5).sum() == 0
    assert (sketchnet.draw(page, mask=r.mask, device='cpu')[inside] < .5).sum() > 100


@pytest.fixture
def far(monkeypatch):
    "The cup in a photo of 900 x 1500 pixels that it does not fill, with the mask a person would draw"
    import cv2
    cup = sample_photos(['coffee'])['coffee']
    kept = masknet.clean_mask(masknet.predict(cup, device='cpu'))
    page, mask = np.full((900, 1500, 3), 225, np.uint8), np.zeros((900, 1500), np.float32)
    part = np.s_[300:500,900:1200]
    mask[part] = cv2.resize(kept, (300, 200), interpolation=cv2.INTER_AREA)
    page[part] = masknet.cut_out(cv2.resize(cup, (300, 200), interpolation=cv2.INTER_AREA), mask[part])
    monkeypatch.setattr(masknet, 'predict_closely', lambda *a, **k: mask)
    return page


def test_a_small_object_is_looked_at_closely(far, recwarn):
    "More lines and more strokes than in a drawing of the whole photo, at the same place, in lines of a sensible width"
    from sketchbook.metrics import ink_width, thin_lines
    from sketchbook.vectorize import vectorize
    p = Pipeline(device='cpu', size=400)
    r = p(far)
    whole = sketchnet.draw(far, mask=masknet.clean_mask(r.mask), device='cpu')
    top, left, bottom, right = r.box
    assert r.sketch.shape == r.mask.shape == (900, 1500) and bottom-top < 300 and right-left < 400
    outside = r.sketch.copy()
    outside[top:bottom,left:right] = 1
    assert (outside == 1).all()
    assert thin_lines(r.sketch < .5).sum() > 1.1*thin_lines(whole < .5).sum()
    assert len(r.strokes) > 1.5*len(vectorize(whole, size=400))
    assert .4 < ink_width(r.sketch < .5)/ink_width(whole < .5) < 1.2
    drawn = r.strokes.render(900, 1500) < .5
    assert (r.strokes.height, r.strokes.width) == (240, 400) and drawn[top:bottom,left:right].sum() == drawn.sum() > 500
    assert not [w for w in recwarn if 'twice the size' in str(w.message)], 'the box is small, not the photo'


def test_frame_object(far):
    r = Pipeline(device='cpu', frame='object', size=300)(far)
    h, w = r.box[2]-r.box[0], r.box[3]-r.box[1]
    assert r.photo.shape == r.foreground.shape == (h, w, 3) and r.mask.shape == r.sketch.shape == (h, w)
    assert r.gallery(vector=True).shape == (h, 4*w, 3) and max(r.strokes.height, r.strokes.width) == 300
    np.testing.assert_array_equal(r.photo, far[r.box[0]:r.box[2],r.box[1]:r.box[3]])


def test_frame_object_crops_large_objects_too(monkeypatch, quick, discs):
    seen_by(monkeypatch, (200, 300, 190, 1.))
    assert quick(discs).box is None and quick(discs).sketch.shape == (400, 600)
    r = replace(quick, frame='object')(discs)
    assert r.sketch.shape == r.photo.shape[:2] == (400, r.box[3]-r.box[1]) and 440 < r.sketch.shape[1] < 470


@pytest.mark.parametrize('frame', ['photo', 'object'])
@pytest.mark.parametrize('mode', ['soft', 'hard'])
def test_without_an_object_the_whole_photo_is_drawn(monkeypatch, quick, discs, frame, mode):
    seen_by(monkeypatch, (200, 150, 110, .4))
    shown = []
    monkeypatch.setattr(sketchnet, 'draw', lambda p, *a, mask=None,
                        **k: shown.append((p, mask)) or np.ones(p.shape[:2], np.float32))
    with pytest.warns(UserWarning, match='^No object was found, so the whole photo is drawn.$'):
        r = replace(quick, frame=frame, mask_mode=mode)(discs)
    np.testing.assert_array_equal(shown[0][0], discs)
    assert shown[0][1] is None and r.box is None and r.mask.shape == r.sketch.shape == (400, 600)
    np.testing.assert_array_equal(r.foreground, discs)


@pytest.mark.parametrize('resolution', [0, 3, None])
def test_a_box_of_any_size_is_drawn(far, own, resolution):
    for frame, shape in (('photo', (900, 1500)), ('object', None)):
        r = Pipeline(resolution=resolution, vectorize=False, device='cpu', frame=frame, **own)(far)
        assert r.sketch.shape == (shape or r.photo.shape[:2])


def test_the_box_is_in_the_report(monkeypatch, tmp_path, quick, far, photo):
    save_image(tmp_path/'photos'/'far.png', far)
    report = run_folder(tmp_path/'photos', tmp_path/'out', replace(quick, frame='object'))
    entry, = json.loads((tmp_path/'out'/'report.json').read_text())['photos']
    top, left, bottom, right = entry['box']
    assert entry['size'] == [bottom-top, right-left] and report['settings']['frame'] == 'object'
    assert load_photo(tmp_path/'out'/'mask'/'far.png').shape[:2] == (bottom-top, right-left)


# settings

def test_wrong_network_for_the_role(quick, photo):
    with pytest.raises(SettingError, match='holds a SketchNet'):
        replace(quick, mask_weights=quick.sketch_weights)(photo)


# names

def test_names_are_unique_stable_and_readable():
    photos = ['/b/cat.jpg', '/a/cat.jpg', '/a/cat.png', '/a/CAT-2.jpg', '/a/my photo.v2.jpg', '/a/über.jpg']
    names = choose_names(photos)
    assert names == choose_names(photos[::-1])
    assert len({n.casefold() for n in names.values()}) == len(photos)
    assert names['/a/cat.jpg'] == 'cat' and names['/a/CAT-2.jpg'] == 'CAT-2'
    assert names['/a/my photo.v2.jpg'] == 'my photo.v2' and names['/a/über.jpg'] == 'über'
    assert len(set(choose_names([f'/{i}/x.jpg' for i in range(50)]).values())) == 50


def test_names_of_all_runs_are_remembered(tmp_path, quick, photo):
    "A third folder with a photo of the same name must not take the name of the first"
    for folder in 'abc':
        (tmp_path/folder).mkdir()
        Image.fromarray(photo).save(tmp_path/folder/'x.png')
        run_folder(tmp_path/folder, tmp_path/'out', quick)
    assert sorted(p.stem for p in (tmp_path/'out'/'sketch').iterdir()) == ['x', 'x-2', 'x-3']


def test_same_stems_never_overwrite_each_other(tmp_path, quick, photo):
    for i, name in enumerate(('a/x.png', 'b/x.png', 'b/x.jpg')):
        save_image(tmp_path/'photos'/name, np.roll(photo, 40*i, 1))
    out = tmp_path/'out'
    run_folder(tmp_path/'photos', out, quick)
    first = {f: (out/f).read_bytes() for f in files(out) if f != 'report.json'}
    assert [f for f in first if f.startswith('sketch')] == ['sketch/x-2.png', 'sketch/x-3.png', 'sketch/x.png']
    # the same again writes the same files again
    run_folder([tmp_path/'photos'/'b', tmp_path/'photos'/'a'], out, quick)
    assert first == {f: (out/f).read_bytes() for f in files(out) if f != 'report.json'}
    # another folder, another day: what is there stays
    save_image(tmp_path/'other'/'x.png', 255-photo)
    run_folder(tmp_path/'other', out, quick)
    assert all((out/f).read_bytes() == data for f, data in first.items()) and (out/'sketch'/'x-4.png').exists()


def test_results_among_the_photos_are_no_photos(tmp_path, quick, photo):
    save_image(tmp_path/'x.png', photo)
    for _ in range(2): report = run_folder(tmp_path, tmp_path, quick)
    assert [e['name'] for e in report['photos']] == ['x']
    assert list(_gather([tmp_path/'sketch'], tmp_path)) == [str(tmp_path/'sketch'/'x.png')]
    with pytest.raises(ValueError, match='results of earlier runs'):
        (tmp_path/'x.png').unlink()
        _gather(tmp_path, tmp_path)


def test_a_photo_named_twice_is_done_once(tmp_path, quick, photo):
    save_image(tmp_path/'p'/'x.png', photo)
    assert len(run_folder([tmp_path/'p', tmp_path/'p'/'x.png'], tmp_path/'out', quick)['photos']) == 1


# files

def test_everything_is_written(monkeypatch, tmp_path, quick, photo):
    monkeypatch.setattr(sketchnet, 'draw', lines_on_paper)
    save_image(tmp_path/'photos'/'cat.png', photo)
    out, p = tmp_path/'out', replace(quick, vectorize=True, size=200)
    report = run_folder(tmp_path/'photos', out, p)
    want = ['foreground/cat.png', 'gallery/cat.png', 'gif/cat.gif', 'mask/cat.png', 'seq_data/cat.npz',
            'shaded/cat.png', 'sketch/cat.png', 'vector/cat.png', 'vector/cat.svg']
    assert files(out) == sorted([*want, 'report.json']) and not hidden(out)
    with Image.open(out/'sketch'/'cat.png') as im: assert im.mode == 'L' and im.size == (160, 120)
    with Image.open(out/'gallery'/'cat.png') as im: assert im.mode == 'RGB' and im.size == (3*160, 120)
    with Image.open(out/'gif'/'cat.gif') as im: assert im.is_animated and im.n_frames > 3
    assert (out/'vector'/'cat.svg').read_text().lstrip().startswith(('<svg', '<?xml'))
    from sketchbook.vectorize import Strokes
    assert len(Strokes.load(out/'seq_data'/'cat.npz')) == report['photos'][0]['strokes'] > 0
    assert sorted(report['photos'][0]['outputs']) == want


def test_report(tmp_path, quick, photo):
    save_image(tmp_path/'photos'/'cat.png', photo)
    run_folder(tmp_path/'photos', tmp_path/'out', quick)
    report = json.loads((tmp_path/'out'/'report.json').read_text())
    assert report['finished'] and report['settings']['resolution'] == 1 and report['settings']['gamma'] is True
    assert report['device'] == 'cpu' and {'sketchbook', 'python', 'torch', 'numpy'} <= report['versions'].keys()
    assert all(len(sha) == 64 for sha in report['weights'].values()) and len(report['weights']) == 2
    entry, = report['photos']
    assert entry['photo'] == str(tmp_path/'photos'/'cat.png') and entry['size'] == [120, 160]
    assert list(entry['seconds']) == ['load', 'mask', 'sketch', 'wash', 'write'] and report['skipped'] == []


def test_draw_today_trace_tomorrow(monkeypatch, tmp_path, quick):
    monkeypatch.setattr(sketchnet, 'draw', lines_on_paper)
    photo = sample_photos(['cat'])['cat'][:300,:440]           # a smaller one is traced in an enlarged drawing
    for d in 'ab': save_image(tmp_path/'photos'/d/'x.png', photo)
    out, whole, p = tmp_path/'out', tmp_path/'whole', replace(quick, size=200, wash=0)  # a wash needs the photo
    run_folder(tmp_path/'photos', whole, replace(p, vectorize=True))
    run_folder(tmp_path/'photos', out, p)
    before = (out/'report.json').read_bytes()
    report = vectorize_folder(out/'sketch', out, p)
    assert {e['name'] for e in report['photos']} == {'x', 'x-2'} and (out/'report.json').read_bytes() == before
    for f in ('vector/x.svg', 'vector/x-2.png', 'gif/x.gif'): assert (out/f).read_bytes() == (whole/f).read_bytes()
    # and a stranger's sketch of the same name does not take their place
    save_image(tmp_path/'mine'/'x.png', lines_on_paper(photo))
    assert vectorize_folder(tmp_path/'mine', out, p)['photos'][0]['name'] == 'x-3'
    assert set(_known_names(out).values()) == {'x', 'x-2', 'x-3'}


# trouble

def test_interrupt_leaves_a_valid_report_and_no_halves(monkeypatch, tmp_path, quick, photo):
    for n in 'abc': save_image(tmp_path/'photos'/f'{n}.png', photo)
    out, real = tmp_path/'out', pipeline._write_result
    def interrupted(result, folder, name, *a):
        if name == 'b': save_image(folder/'mask'/'b.png', result.mask); raise KeyboardInterrupt
        real(result, folder, name, *a)
    monkeypatch.setattr(pipeline, '_write_result', interrupted)
    with pytest.raises(KeyboardInterrupt): run_folder(tmp_path/'photos', out, quick)
    report = json.loads((out/'report.json').read_text())
    assert not report['finished'] and [e['name'] for e in report['photos']] == ['a']
    assert files(out) == [*(f'{k}/a.png' for k in ('foreground', 'gallery', 'mask')), 'report.json', 'shaded/a.png',
                          'sketch/a.png']
    assert not hidden(out)


def test_full_disk_ends_the_run_with_a_sentence(monkeypatch, tmp_path, quick, photo):
    for n in 'ab': save_image(tmp_path/'photos'/f'{n}.png', photo)
    def full(*a): raise OSError(28, 'No space left on device')
    monkeypatch.setattr(pipeline, '_write_result', full)
    with pytest.raises(OutputError, match='No space left on device'):
        run_folder(tmp_path/'photos', tmp_path/'out', quick)
    assert files(tmp_path/'out') == ['report.json'] and not hidden(tmp_path/'out')


def test_one_failing_photo_does_not_stop_the_rest(monkeypatch, tmp_path, quick, photo):
    for n in 'abc': save_image(tmp_path/'photos'/f'{n}.png', photo)
    real, calls = masknet.predict, []
    def fails_once(*a, **k):
        calls.append(1)
        if len(calls) == 2: raise RuntimeError('out of luck')
        return real(*a, **k)
    monkeypatch.setattr(masknet, 'predict', fails_once)
    report = run_folder(tmp_path/'photos', tmp_path/'out', quick)
    assert [e['name'] for e in report['photos']] == ['a', 'c']
    assert report['skipped'] == [{'photo': str(tmp_path/'photos'/'b.png'),
                                  'reason': f'{tmp_path/"photos"/"b.png"}: RuntimeError: out of luck'}]


def test_a_damaged_report_is_no_obstacle(tmp_path, quick, photo):
    save_image(tmp_path/'photos'/'a.png', photo)
    (tmp_path/'out').mkdir()
    for text in ('{"names":', '[]', '{"names": 3}'):
        (tmp_path/'out'/'report.json').write_text(text)
        assert run_folder(tmp_path/'photos', tmp_path/'out', quick)['photos'][0]['name'] == 'a'


@pytest.mark.parametrize('name', ['../../evil', 'ABSOLUTE', 'x/../../evil', '..', 7, None, 'evil\0', 'e'*5000])
def test_a_tampered_report_never_leads_out_of_the_folder(tmp_path, name):
    "The name of an existing file outside, which both branches of the check would find"
    out = tmp_path/'deep'/'out'
    for f in (tmp_path/'evil', out/'evil', tmp_path/'deep'/'evil'):
        for end in ('.svg', '.png'):
            f.parent.mkdir(parents=True, exist_ok=True)
            f.with_suffix(end).write_text('precious')
    for kind in ('gallery', 'vector'): (out/kind).mkdir()
    save_image(tmp_path/'a.png', np.full((30, 30, 3), 200, np.uint8))
    before, name = files(tmp_path), str(tmp_path/'evil') if name == 'ABSOLUTE' else name
    (out/'report.json').write_text(json.dumps({'names': {str(tmp_path/'a.png'): name}}))
    assert _known_names(out) == {}
    assert vectorize_folder(tmp_path/'a.png', out)['photos'][0]['name'] == 'a'
    written = set(files(tmp_path)) - set(before)
    assert written and all(f.startswith('deep/out/') and 'evil' not in f for f in written)


def hold(folder, name):
    "Keep a hidden folder open, and put its name into the queue `name`"
    with folders._all_or_nothing(folder) as part:
        (part/'half').write_text('x')
        name.put(part.parent.name)
        time.sleep(600)


@pytest.mark.skipif('fork' not in multiprocessing.get_all_start_methods(), reason='no fork here')
def test_what_a_killed_run_left_goes_with_the_next_one(tmp_path):
    "A process killed while it holds its hidden folder; one that is alive keeps its own"
    fork = multiprocessing.get_context('fork')
    queues = fork.SimpleQueue(), fork.SimpleQueue()
    dead, alive = [fork.Process(target=hold, args=(tmp_path, q), daemon=True) for q in queues]
    for p in (dead, alive): p.start()
    names = [q.get() for q in queues]
    dead.kill()
    dead.join()
    assert {p.name for p in tmp_path.iterdir()} == set(names)
    folders.check_output(tmp_path)
    left = [p.name for p in tmp_path.iterdir()]
    alive.kill()
    assert left == [names[1]]


@pytest.mark.parametrize('worker, device', [(None, 'cuda'), (object(), 'cpu')])
def test_no_network_on_a_gpu_in_a_loaders_worker(monkeypatch, worker, device):
    from sketchbook import blocks
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(blocks, 'get_worker_info', lambda: worker)
    assert blocks._pick_device('auto').type == device


def test_each_process_takes_its_gpu_before_networks_load(monkeypatch, tmp_path, quick, photo):
    save_image(tmp_path/'photos'/'a.png', photo)
    done, real = [], pipeline._networks
    monkeypatch.setattr(pipeline, '_networks', lambda p: done.append('networks') or real(p))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 4)
    monkeypatch.setattr(torch.cuda, 'set_device', done.append)
    run_folder(tmp_path/'photos', tmp_path/'out', quick)
    assert done == ['networks'], 'a process of its own uses the GPU that torch gives it'
    monkeypatch.setenv('WORLD_SIZE', '6')
    monkeypatch.setenv('LOCAL_RANK', '5')
    monkeypatch.setattr(folders, '_my_share', lambda jobs: contextlib.nullcontext((jobs, lambda found: found)))
    run_folder(tmp_path/'photos', tmp_path/'out', quick)
    assert done[1:] == [1, 'networks']


def test_two_processes_share_the_folder(tmp_path, own, photo, root):
    "Started as `accelerate launch` does it with several processes: all photos are done, each once, in one report"
    for i in range(5): save_image(tmp_path/'photos'/f'{i}.png', np.roll(photo, 9*i, 1))
    options = [x for k, v in own.items() for x in (f'--{k.replace("_", "-")}', v)]
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2', '-m',
               'sketchbook.cli', 'run',
               str(tmp_path/'photos'), '--out', str(tmp_path/'out'), '--no-vectorize', '--resolution', '1', '--device',
               'cpu', *options]
    env = os.environ | {'PYTHONPATH': str(root), 'ACCELERATE_USE_CPU': 'true'}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=300)
    # not the exit status: torch's gloo threads now and then abort a process that has finished
    report = json.loads((tmp_path/'out'/'report.json').read_text())
    assert report['finished'] and report['processes'] == 2, done.stderr[-2000:]
    assert [e['name'] for e in report['photos']] == list('01234')
    assert len(list((tmp_path/'out'/'sketch').iterdir())) == 5 and not hidden(tmp_path/'out')
    assert done.stdout.count('5 photos sketched') == 1


# there and back

@pytest.fixture(scope='module')
def trip(): return pipeline.round_trip(sample_photos('coffee')['coffee'][:200,:260], Pipeline(resolution=0, min_side=1))


def test_a_round_trip_has_every_picture(trip):
    there = ['photo', 'mask', 'foreground', 'sketch', 'watercolor', 'strokes', 'pencil', 'tom']
    assert list(trip) == there + ['palette', 'pirec', 'selfsup']
    assert all(trip[name].shape[:2] == (200, 260) for name in there)


def test_survival_is_measured_for_every_picture_but_photo_and_mask(trip):
    found = pipeline._survival(trip)
    assert list(found) == [k for k in trip if k not in ('photo', 'mask')]
    assert found['foreground']['colours'] == 0 and found['foreground']['perceptual'] < 1e-3
    assert all(0 <= f['edges'] <= 1 for f in found.values())
    assert found['pirec']['colours'] < found['sketch']['colours']


def test_a_round_trip_without_strokes(trip):
    without = {k: v for k, v in trip.items() if k != 'strokes'}
    assert pipeline.plot_trip(without).shape[2] == 3 and pipeline.plot_trip(trip).dtype == np.uint8
