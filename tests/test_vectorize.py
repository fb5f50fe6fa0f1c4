"Vectorising: files, bad input, invariants, and the numbers that the chapter promises"
import shutil
import subprocess
import sys
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image

from sketchbook.drawings import OpenMojiPairs, render_svg
from sketchbook.strokes import _Canvas, Stroke, Strokes, _from_sequence, _to_sequence
from sketchbook.tracer import (_faint_lines, _coverage, _drawing_order, _find_ink, _find_lines, _ink_mask, measure,
                               _soft_overlap, trace)
from sketchbook.vectorize import refine_strokes, vectorize
from sketchbook.virtual import _InkOf
from sketchbook.weights import available


def paper(*lines, width=3, size=(100,120), closed=False):
    sketch = np.full(size, 255, np.uint8)
    for line in lines: cv2.polylines(sketch, [np.array(line)*16], closed, 0, width, cv2.LINE_AA, 4)
    return sketch.astype(np.float32)/255


def straight(lines, width, ink=1., size=240):
    "Straight lines `(x, y, x, y)` by a pen of this width, this dark, with exact grey edges"
    page = Strokes([Stroke([np.linspace(p[:2], p[2:], 4)], [width, width]) for p in lines], size, size)
    return 1-ink*(1-render_svg(page.to_svg(), size)[...,1].astype(np.float32)/255)


def circle(x, y, r):
    xy = cv2.ellipse2Poly((x,y), (r,r), 0, 0, 360, 4).tolist()
    return [(*a, *b) for a,b in zip(xy, xy[1:])]


@pytest.fixture(scope='module')
def drawings():
    pairs = OpenMojiPairs('val', size=256)
    return [pairs[i][0] for i in range(0, len(pairs), len(pairs)//10)]


@pytest.fixture(scope='module')
def drawing(drawings): return trace(drawings[3])


@pytest.mark.parametrize('width', (1, 2, 3, 5, 8, 13))
@pytest.mark.parametrize('name,lines,strokes', (
    ('cross', ([(10,12),(110,88)], [(12,90),(108,10)]), 2),
    ('plus', ([(10,50),(110,50)], [(60,8),(60,92)]), 2),
    ('T', ([(12,30),(108,30)], [(60,30),(60,90)]), 2),
    ('L', ([(20,12),(20,85),(100,85)],), 1),
    ('two', ([(10,20),(110,20)], [(10,80),(110,80)]), 2)))
def test_known_drawings(name, lines, strokes, width):
    sketch = paper(*lines, width=width)
    found = trace(sketch)
    assert len(found)==strokes
    got = measure(found, sketch)
    assert got['ink_covered']>.98 and got['strokes_on_ink']>.98
    if width>2: assert got['iou']>.85


def test_widths_and_places_are_right():
    for width in (4, 5, 9, 12):
        sketch = np.ones((60, 120), np.float32)
        sketch[20:20+width,10:110] = 0
        s, = trace(sketch)
        assert np.allclose(s.widths, width, atol=.3)
        assert np.allclose(s.points[...,1], 20+width/2, atol=.3)


@pytest.mark.parametrize('width', (1, 1.5, 2, 2.6, 3, 5))
@pytest.mark.parametrize('slope', (.02, .09, .4, .7))
def test_fine_lines_have_their_width_and_place(width, slope):
    s, = trace(straight([(30, 40, 210, 40+180*slope)], width))
    assert s.widths.mean()==pytest.approx(width, abs=.03*width+.04)
    xy = s.sample()[0][5:-5]
    assert np.abs((xy[:,1]-40-(xy[:,0]-30)*slope)/np.hypot(1, slope)).mean()<.1


def test_a_neighbour_does_not_widen_a_line():
    found = trace(straight([(30, y, 210, y+20) for y in range(40, 80, 5)], 2))   # 3 px of paper between lines of 2 px
    assert len(found)==8
    assert np.median([s.widths.mean() for s in found])==pytest.approx(2, abs=.2)


def test_fine_pens():
    inks = _InkOf(OpenMojiPairs('val'), sizes=(640, 641), pens=(.225, .225))     # 2 px
    bare = _InkOf(inks.pairs, sizes=(256, 257), pens=(.01, .01))                # what is left are filled shapes
    pages = [inks[i] for i in range(0, len(inks), 28) if bare[i].min()>.5]
    rows = [measure(t, p) | dict(soft=_soft_overlap(t, p)) for t,p in ((trace(p), p) for p in pages)]
    mean = {k: np.mean([r[k] for r in rows]) for k in rows[0]}
    assert len(pages)>5 and mean['soft']>.85 and mean['iou']>.85 and mean['ink_covered']>.998
    assert mean['strokes_on_ink']>.998


@pytest.mark.parametrize('ink', (.3, .4, .6))
@pytest.mark.parametrize('width', (1.5, 2, 3))
def test_light_thin_lines_are_kept(ink, width):
    hatching = [(90+9*k, 80, 78+9*k, 160) for k in range(8)]
    page = np.minimum(straight(circle(120, 120, 90), 6), straight(hatching, width, ink))
    found = trace(page)
    assert len(found)==9
    wanted = straight(hatching, width)<.5
    assert _coverage(wanted, _ink_mask(found.render(), .9, False), 1.5)>.94
    thin = [s.widths.mean() for s in found if s.widths.mean()<4]
    assert np.median(thin)==pytest.approx(max(width*ink, .5), rel=.15)      # as much ink as in the sketch


def test_noise_is_no_line():
    rng = np.random.default_rng(0)
    for sd,blur in ((.03, 0), (.1, 0), (.1, 1.5)):
        noise = rng.normal(0, sd, (240,240)).astype(np.float32)
        if blur: noise = cv2.GaussianBlur(noise, (0,0), blur)*2*blur*np.sqrt(np.pi)
        page = (straight(circle(120, 120, 90), 4)+noise).clip(0, 1)
        assert _faint_lines(page).mean()<.05 and len(trace(page))<=6
    assert not _faint_lines(np.full((40,40), .5, np.float32)).any()


def test_thin_lines_survive_a_smaller_size():
    fan = [(40, 100+60*k, 1500, 140+65*k) for k in range(20)]
    page = np.minimum(straight(circle(800, 800, 700), 8, size=1600), straight(fan, 2, .6, size=1600))
    found = vectorize(page, size=800)
    wanted = straight(fan, 4, size=1600)<.5
    reached = _coverage(wanted, _ink_mask(found.render(1600, 1600), .9, False), 3)
    assert (found.height, found.width)==(800, 800) and reached>.95


def test_a_ring_is_closed_and_a_square_keeps_its_corners():
    ring = np.ones((120,120), np.float32)
    cv2.circle(ring, (60,60), 40, 0, 4)
    s, = trace(ring)
    assert s.closed and np.allclose(np.linalg.norm(s.sample()[0]-60.5, axis=1), 40, atol=1)
    square, = trace(paper([(20,20),(90,20),(90,80),(20,80)], width=3, closed=True))
    xy = square.sample(.3)[0]
    for corner in ((20.5,20.5), (90.5,20.5), (90.5,80.5), (20.5,80.5)):
        assert np.linalg.norm(xy-corner, axis=1).min()<1.5


def test_blobs_are_covered():
    for shape in ('disc', 'bar'):
        sketch = np.ones((100,140), np.float32)
        if shape=='disc': cv2.circle(sketch, (70,50), 25, 0, -1)
        else: cv2.ellipse(sketch, (70,50), (50,18), 20, 0, 360, 0, -1)
        assert measure(trace(sketch), sketch)['iou']>.85


def test_openmoji(drawings):
    rows = [measure(trace(d), d) for d in drawings]
    mean = {k: np.mean([r[k] for r in rows]) for k in rows[0]}
    assert mean['ink_covered']>.98 and mean['strokes_on_ink']>.98 and mean['iou']>.85
    branches = [len(_find_lines(_find_ink(d)).paths) for d in drawings]
    assert mean['strokes'] < .75*np.mean(branches)


def test_half_as_many_strokes_as_branches():
    "At 1024 pixels thinning tears OpenMoji's thick lines apart; the tracer puts them together again"
    inks = _InkOf(OpenMojiPairs('val'), sizes=(1024, 1025), pens=(2, 2))
    pages = [inks[i] for i in range(0, len(inks), len(inks)//12)][:12]
    strokes, branches = sum(len(trace(p)) for p in pages), sum(len(_find_lines(_find_ink(p)).paths) for p in pages)
    assert strokes <= .5*branches


@pytest.mark.skipif('sketchnet' not in available(), reason='needs the trained weights')
def test_what_sketchnet_draws_is_covered():
    from sketchbook.data import sample_photos
    from sketchbook.sketchnet import draw
    photo = sample_photos(['cat'])['cat']
    sketch = draw(photo, 1, device='cpu')
    assert measure(trace(sketch), sketch)['ink_covered'] >= .9


def test_strokes_come_in_drawing_order(drawings):
    for d in (d for d in drawings if len(trace(d)) > 3):
        found = list(trace(d))
        assert _drawing_order(found) == found and _drawing_order(found[::-1]) != found[::-1]
        assert [s.length for s in found].index(max(s.length for s in found)) < len(found)/2 # contours before details


@pytest.mark.parametrize('x,y', ((70, 70), (170, 70), (70, 170), (170, 170)))
def test_a_bold_contour_comes_first_wherever_it_is(x, y):
    thin = [(x-30, y+d, x+30, y+d) for d in (-16, 0, 16)]
    thin += [(8, 8, 232, 12), (8, 8, 12, 232), (8, 232, 232, 228), (232, 8, 228, 232)]
    page = np.minimum(straight(circle(x, y, 50), 5), straight(thin, 1.5))
    found = trace(page)
    assert len(found)>=6 and found[0].closed and found[0].widths.mean()>4
    # thin lines across the page are together longer
    assert found[0].length<2*224*1.5
    assert max(s.length for s in found[-3:])<70                              # the short thin lines come last


def test_darker_lines_come_first():
    page = np.minimum(straight([(20, 200, 200, 200)], 3), straight([(20, 20, 220, 20), (20, 60, 220, 60)], 3, .4))
    assert trace(page)[0].start[1]==pytest.approx(200, abs=1)


def test_same_input_same_strokes(drawings): assert trace(drawings[0])==trace(drawings[0].copy())


def test_tolerance_and_min_length(drawings):
    d = drawings[3]
    assert measure(trace(d, tolerance=4), d)['points'] < measure(trace(d, tolerance=.5), d)['points']
    cross = paper([(10,12),(110,88)], [(12,90),(108,10)], [(100,50),(112,50)])
    assert (len(trace(cross)), len(trace(cross, min_length=60))) == (3, 2)
    bent = paper([(10,50),(60,50),(108,78)], [(60,50),(60,92)])          # a turn of 30 degrees, and a stem
    assert len(trace(bent, max_turn=80)) < len(trace(bent, max_turn=5))


def test_everything_can_be_written_from_blank_paper(tmp_path):
    s = trace(np.ones((30,50), np.float32))
    assert len(s)==0 and (s.render()==1).all()
    s.save(tmp_path/'a.npz'); s.animate(tmp_path/'a.gif')
    assert Strokes.load(tmp_path/'a.npz')==s
    assert Image.open(tmp_path/'a.gif').size==(50,30)
    assert (render_svg(s.to_svg(), 32)==255).all() and (render_svg(s.to_svg(tapered=True), 32)==255).all()


@pytest.mark.parametrize('sketch,says', (
    (np.zeros((40,40), np.float32), '100% of the sketch is dark'),
    (1-paper([(10,12),(110,88)]), 'pass `1 - sketch`'),
    ('/photos/x.png', 'not str; read a file first'),
    (np.ones((8,8))*1j, 'array of numbers'),
    (np.full((8,8), np.nan, np.float32), 'NaN'),
    (np.full((8,8), np.inf, np.float32), 'NaN'),
    (np.full((8,8), 255., np.float32), '0 (ink) to 1 (paper)'),
    (np.ones((8,8,3), np.float32), '(8, 8, 3)'),
    (np.ones((0,8), np.float32), '(0, 8)')))
def test_bad_sketches_are_refused_in_a_sentence(sketch, says):
    with pytest.raises(ValueError) as e: trace(sketch)
    assert says in str(e.value)


def test_a_photo_works_and_warns():
    y,x = np.mgrid[:90,:120]
    photo = (.5+.3*np.sin(x/9)*np.cos(y/7)).astype(np.float32)
    with pytest.warns(UserWarning, match='photo'): assert len(trace(photo))>0


def test_uint8_bool_and_tiny_sketches():
    d = paper([(10,12),(110,88)], width=5)
    eight = (d*255).round().astype(np.uint8)
    assert trace(eight)==trace(eight/255.)
    assert len(trace(d>.5))==1
    for shape in ((1,1), (1,9), (9,1), (2,2)):
        blank = np.ones(shape, np.float32)
        assert len(trace(blank))==0
        if blank.size>4:
            blank.flat[4] = 0
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                assert len(trace(blank, min_length=0))==1


def test_ink_may_touch_the_edge():
    sketch = np.ones((50,50), np.float32)
    sketch[:3] = sketch[:,:3] = 0
    assert measure(trace(sketch), sketch)['iou']>.9


def test_npz_round_trip_is_exact_and_without_pickle(drawing, tmp_path):
    drawing.save(tmp_path/'d.npz')
    assert Strokes.load(tmp_path/'d.npz')==drawing
    with np.load(tmp_path/'d.npz', allow_pickle=False) as f: arrays = {k: f[k] for k in f}
    data = arrays['strokes_data']
    assert data.shape[1]==7 and set(np.unique(data[:,0]))<={0,1}
    assert (data[:,1:3]>=0).all() and (data[:,1:3]<=1).all() and (np.abs(data[:,3:5])<=1).all()
    assert (data[:,5]>=.01).all() and (data[:,5]<=1).all() and (data[:,6]<=2).all()
    assert arrays['image_size']==256 and arrays['round_length'].sum()==len(data)


def test_seed_rows_alone_are_enough(drawing, tmp_path):
    np.savez(tmp_path/'rows.npz', **_to_sequence(drawing))
    again = Strokes.load(tmp_path/'rows.npz')
    a,b = drawing.render()<.5, again.render()<.5
    assert len(again)==len(drawing) and (a&b).sum()/(a|b).sum()>.95
    assert _from_sequence(_to_sequence(Strokes([], 20, 30))).width==30


@pytest.mark.parametrize('change', (
    dict(segments=np.array([99])), dict(height=np.int64(0)), dict(widths=np.zeros(1)), dict(width=np.array([1,2])),
    dict(points=np.full((1,4,2), np.nan)), dict(segments=None), dict(height=1e300), dict(height='9'), dict(width=9.5),
    dict(widths=np.full(2, 1e30)), dict(widths=np.array(['1', '1'])), dict(points=np.ones((1,4,2))*1j),
    dict(segments=np.array([1.])), dict(segments=np.array([-1]))))
def test_broken_drawings_are_refused_by_name(tmp_path, change):
    line = Strokes([Stroke([[[1,1],[2,2],[3,3],[4,4]]], [1, 1])], 9, 9)
    line.save(tmp_path/'a.npz')
    arrays = dict(np.load(tmp_path/'a.npz', allow_pickle=False)) | change
    np.savez(tmp_path/'b.npz', **{k: v for k,v in arrays.items() if v is not None})
    with pytest.raises(ValueError, match='b.npz is no drawing'): Strokes.load(tmp_path/'b.npz')


@pytest.mark.parametrize('key', ('init_cursors', 'image_size', 'round_length', 'init_width'))
def test_rows_that_miss_an_array_are_refused_by_name(drawing, tmp_path, key):
    np.savez(tmp_path/'rows.npz', **{k: v for k,v in _to_sequence(drawing).items() if k!=key})
    with pytest.raises(ValueError, match=f'rows.npz.*{key}'): Strokes.load(tmp_path/'rows.npz')


@pytest.mark.parametrize('change,says', (
    (lambda a: dict(round_length=a['round_length']-1), 'round_length'),
    (lambda a: dict(image_size=np.inf), 'image_size'), (lambda a: dict(init_cursors=np.zeros((2, 2))), 'init_cursors'),
    (lambda a: dict(init_width=np.nan), 'init_width'),
    (lambda a: dict(strokes_data=a['strokes_data']*np.nan), 'finite')))
def test_rows_that_make_no_sense_are_refused_by_name(drawing, tmp_path, change, says):
    arrays = _to_sequence(drawing)
    np.savez(tmp_path/'rows.npz', **arrays | change(arrays))
    with pytest.raises(ValueError, match=f'rows.npz is no drawing.*{says}'): Strokes.load(tmp_path/'rows.npz')


def test_a_damaged_file_is_refused_whatever_byte_is_wrong(drawing, tmp_path):
    drawing.save(tmp_path/'a.npz')
    whole = (tmp_path/'a.npz').read_bytes()
    for i in range(0, len(whole), len(whole)//60):
        (tmp_path/'b.npz').write_bytes(whole[:i] + bytes([whole[i]^255]) + whole[i+1:])
        try: Strokes.load(tmp_path/'b.npz')
        except ValueError as e: assert 'b.npz' in str(e)


def test_other_files_are_refused(tmp_path):
    np.savez(tmp_path/'x.npz', a=np.ones(3))
    with pytest.raises(ValueError, match='x.npz holds no strokes'): Strokes.load(tmp_path/'x.npz')
    np.save(tmp_path/'evil.npy', np.array([{}], object), allow_pickle=True)
    (tmp_path/'evil.npz').write_bytes((tmp_path/'evil.npy').read_bytes())
    with pytest.raises(ValueError, match='evil.npz is not an npz file of plain arrays'):
        Strokes.load(tmp_path/'evil.npz')


def test_gif_ends_with_the_drawing(drawing, tmp_path):
    drawing.animate(tmp_path/'d.gif', seconds=1, hold=1.5)
    with Image.open(tmp_path/'d.gif') as gif:
        assert gif.n_frames==15 and gif.info.get('loop')==0
        gif.seek(gif.n_frames-1)
        assert np.array_equal(np.asarray(gif.convert('L')), np.rint(drawing.render()*255).astype(np.uint8))
        assert gif.info['duration']>=1500
    drawing.animate(tmp_path/'long.gif', seconds=30, size=64)
    with Image.open(tmp_path/'long.gif') as gif: assert gif.n_frames<=90 and gif.size==(64,64)
    assert (tmp_path/'d.gif').stat().st_size<200_000
    assert sorted(p.name for p in tmp_path.iterdir())==['d.gif', 'long.gif']  # no temporary file stays


@pytest.mark.skipif(not (shutil.which('ffmpeg') and shutil.which('ffprobe')), reason='needs ffmpeg')
def test_a_video_plays_and_ends_with_the_drawing(drawing, tmp_path):
    drawing.animate(tmp_path/'d.mp4', seconds=1, fps=15, size=99, hold=1) # an odd side: H.264 wants even ones
    asked = ['ffprobe', '-v', 'error', '-count_frames', '-of', 'csv=p=0', '-show_entries',
             'stream=codec_name,width,height,nb_read_frames']
    said = subprocess.run([*asked, str(tmp_path/'d.mp4')], capture_output=True, text=True, check=True).stdout.strip()
    assert said=='h264,100,100,30'
    raw = subprocess.run(['ffmpeg', '-v', 'error', '-i', str(tmp_path/'d.mp4'), '-f', 'rawvideo', '-pix_fmt', 'gray',
                          '-'],
                         capture_output=True, check=True).stdout
    film = np.frombuffer(raw, np.uint8).reshape(-1, 100, 100)[:,:99,:99]/255
    assert np.abs(film[-1]-drawing.render(99)).mean()<.01      # H.264 is not exact, a GIF is
    assert np.abs(film[-1]-film[14]).mean()<.01                # after the drawing it only waits
    ink = (1-film[:15]).sum((1, 2))
    assert (np.diff(ink)>-.01*ink[-1]).all() and ink[0]<.2*ink[-1]
    assert sorted(p.name for p in tmp_path.iterdir())==['d.mp4']


@pytest.mark.skipif(not shutil.which('ffmpeg'), reason='needs ffmpeg')
def test_a_video_ends_with_a_wash_in_colour(drawing, tmp_path):
    from sketchbook.wash import wash
    painted = wash(np.full((50, 50, 3), (200, 60, 40), np.uint8), colors=1)
    drawing.animate(tmp_path/'d.mp4', seconds=1, fps=15, size=99, wash=painted)
    raw = subprocess.run(['ffmpeg', '-v', 'error', '-i', str(tmp_path/'d.mp4'), '-f', 'rawvideo', '-pix_fmt', 'rgb24',
                          '-'], capture_output=True, check=True).stdout
    last = np.frombuffer(raw, np.uint8).reshape(-1, 100, 100, 3)[-1,:99,:99]/255
    assert np.abs(last - painted.under(drawing.render(99))).mean() < .03


def test_video_needs_ffmpeg_and_says_so(drawing, tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path/'nothing'))
    with pytest.raises(ValueError, match='ffmpeg.*gif'): drawing.animate(tmp_path/'e.mp4')
    assert not (tmp_path/'e.mp4').exists()


@pytest.mark.parametrize('tapered', (False, True))
def test_resvg_draws_what_we_draw(drawing, tapered):
    seen = render_svg(drawing.to_svg(tapered), 256)[...,0]/255
    assert np.abs(seen-drawing.render()).mean()<(.004 if tapered else .02)


def test_sizes(drawing):
    assert drawing.render(width=512).shape==(512,512) and drawing.render(100, 50).shape==(100,50)
    ink = (1-drawing.render()).sum()
    assert abs((1-drawing.render(512)).sum()/4/ink-1)<.02


def test_pictures_too_large_and_pens_too_wide():
    line = Strokes([Stroke([[[1,1],[2,2],[3,3],[4,4]]], [1e5, 1e5])], 30, 30)
    assert line.render().max() == 0                     # all ink, and no error
    for size in ((1e9, 1), (40_000, 40_000)):
        with pytest.raises(ValueError, match='100 megapixels'): line.render(*size)
    with pytest.raises(ValueError, match='100 megapixels'): _Canvas(40_000, 40_000)


def test_a_picture_averages_only_what_has_changed(drawing):
    canvas,(xy,pen,piece) = _Canvas(60, 90),drawing.sample(60, 90)
    for part in np.array_split(np.arange(len(xy)), 7):
        canvas.draw(1.6*xy[part] - 15, pen[part], piece[part])     # some of it beside the paper
        whole = cv2.resize(canvas.paper, (90, 60), interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(canvas.picture(), whole)
    assert 0 < whole.mean() < 255


@pytest.mark.parametrize('kind', [np.uint8, np.float32])
def test_segments_meet(kind):
    "But for what rounding takes away, also far from the corner and on larger paper"
    first,second = np.repeat([[0,0],[9,9]], (1,3), axis=0),np.repeat([[9,9],[20,3]], (2,2), axis=0)
    chain = np.array([first, second, second[::-1]], kind)
    Stroke(chain, np.ones(4))
    with pytest.raises(ValueError, match='segment 3 of a stroke begins 12.5 pixels from where segment 2 ends'):
        Stroke(chain[[0,1,1]], np.ones(4))
    near = chain.astype(float)
    near[1,0,0] += 9e-4
    for move in (0, 5e4):
        stroke = Stroke(near+move, np.ones(4))
        assert np.array_equal(stroke.points[1:,0], stroke.points[:-1,3])
        Strokes([stroke], 30, 30).resize(300).to_svg(tapered=True)
    near[1,0,0] += 1e-2
    with pytest.raises(ValueError, match='segment 2 of a stroke begins 0.0109 pixels'): Stroke(near, np.ones(4))


@pytest.mark.parametrize('options,says', (
    (dict(seconds=0), 'seconds should be more than 0'), (dict(fps=float('nan')), 'fps'), (dict(size=-1), 'size'),
    (dict(hold=-1), 'hold'), (dict(hold=700), 'hold'), (dict(seconds=1e5), 'seconds'), (dict(seconds='a'), 'seconds'),
    (dict(size='800'), 'size')))
def test_animations_that_cannot_be_are_refused(drawing, tmp_path, options, says):
    for kind in ('gif', 'mp4'):
        with pytest.raises(ValueError, match=says): drawing.animate(tmp_path/f'a.{kind}', **options)
    with pytest.raises(ValueError, match='a.png'): drawing.animate(tmp_path/'a.png')
    assert not list(tmp_path.iterdir())


def test_a_dark_photo_works_and_warns():
    night = np.clip(np.random.default_rng(0).normal(.4, .2, (90, 120)), 0, 1).astype(np.float32)
    with pytest.warns(UserWarning, match='photo'): trace(cv2.GaussianBlur(night, (0,0), 1.5))


LARGE = """
import pathlib, re, resource, cv2, numpy as np
from sketchbook.vectorize import trace
page, rng = np.full((8000, 8000), 255, np.uint8), np.random.default_rng(0)
for x, y, w, h in rng.integers([0, 0, 50, 50], [8000, 8000, 900, 900], (100, 4)).tolist():
    cv2.ellipse(page, (x, y), (w, h), x % 180, 0, 270, 0, 3 + y % 6, cv2.LINE_AA)
strokes = trace(page)
strokes.render()
status = pathlib.Path('/proc/self/status')      # on Linux `ru_maxrss` remembers the process that started this one
peak = (re.search('VmHWM:\\s*(\\d+)', status.read_text())[1] if status.exists()
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(len(strokes), peak)
"""


def test_64_megapixels_stay_under_2_gb():
    done = subprocess.run([sys.executable, '-c', LARGE], capture_output=True, text=True, check=True)
    strokes,peak = map(int, done.stdout.split())
    assert strokes>=100 and peak < 2**31/(1 if sys.platform=='darwin' else 1024) # macOS counts bytes, Linux kilobytes


def test_refine_helps_and_never_harms(drawings):
    for d in drawings[::4]:
        start = trace(d)
        seen = []
        better = refine_strokes(start, d, steps=45, device='cpu', watch=lambda step,iou,_: seen.append((step, iou)))
        assert [s for s,_ in seen]==[0,15,30,45]
        assert measure(better, d)['iou']==pytest.approx(max(i for _,i in seen))
        assert better==refine_strokes(start, d, steps=45, device='cpu')
        assert len(better)==len(start) and [s.closed for s in better]==[s.closed for s in start]
    awful = trace(drawings[0])
    assert refine_strokes(awful, drawings[0], steps=15, lr=50., device='cpu')==awful
    with pytest.raises(ValueError, match='256x256'): refine_strokes(awful, np.ones((9,9), np.float32))
    for options in (dict(steps=float('inf')), dict(steps=1.5), dict(steps=-1), dict(seconds=float('nan')),
                    dict(seconds=-1), dict(lr=1e9), dict(lr='x'), dict(pixels=0), dict(seed=-1), dict(watch=3)):
        with pytest.raises(ValueError, match=f'{next(iter(options))} should be'):
            refine_strokes(awful, drawings[0], device='cpu', **options)
