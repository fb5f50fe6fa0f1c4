"""Each explorer in a real browser: every control is used as a person would, and the picture must change as it should

An explorer runs in JupyterLab from a copy of its chapter that is cut down to the explorer's cell, the exported cells
and those that define what the explorer is called with, unchanged, so that what is opened is the chapter's code and
nothing trains first.
"""
import io, re

import numpy as np
import pytest
from PIL import Image

from lab import differs, ink, wait, white
from sketchbook.weights import available


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    "Two files to upload: a white disc on grey, and a text with a picture's name"
    folder = tmp_path_factory.mktemp('files')
    y,x = np.mgrid[:240,:320]
    Image.fromarray(np.uint8((x-160)**2 + (y-120)**2 < 70**2)*165 + 90).save(folder/'disc.png')
    (folder/'notes.png').write_text('milk, bread, ink')
    return folder


def test_division(lab, files):
    with lab.explorer('00e_widgets', 'explore_division') as ex:
        first = ex.picture('sketch')
        ex.press('contrast', 'ArrowRight', 5)
        harder = ex.until('sketch', lambda p: ink(p) > ink(first), 'is darker with more contrast')
        ex.drag('contrast', to=.95)
        ex.until('sketch', lambda p: ink(p) > 1.2*ink(harder), 'is much darker with much contrast')
        ex.press('contrast', 'Home')
        light = ex.until('sketch', lambda p: ink(p) < ink(first), 'is lighter with the least contrast')
        ex.drag('blur (px)', to=.9)
        ex.until('sketch', lambda p: ink(p) > ink(light), 'is darker with a wide blur')
        name,data = ex.save('sketch.png')
        assert name=='sketch.png' and Image.open(io.BytesIO(data)).format=='PNG'
        before = ex.picture('sketch')
        ex.choose('photo', 'coffee')
        coffee = ex.changed('sketch', before)
        ex.upload(files/'notes.png')
        ex.says('notes.png: ')
        assert not differs(ex.picture('sketch'), coffee)
        ex.upload(files/'disc.png')
        disc = ex.changed('sketch', coffee)
        assert white(disc) > .3 and ink(disc) > .005        # a ring on paper
        assert 'disc.png' in ex.options('photo') and 'notes.png: ' not in ex.text()


def test_masks(lab, files):
    with lab.explorer('01_masknet', 'explore_masks') as ex:
        mask,cut = ex.picture('mask'), ex.picture('cut-out')
        ex.drag('threshold', to=.97)
        high = ex.until('cut-out', lambda p: white(p) > white(cut), 'has more white at a high threshold')
        ex.press('threshold', 'Home')
        low = ex.until('cut-out', lambda p: white(p) < white(high), 'has less white at the lowest threshold')
        ex.press('threshold', 'PageUp', 3)
        ex.until('cut-out', lambda p: white(p) > white(low), 'has more white again')
        ex.choose('cut', 'hard')
        hard = ex.until('hard', lambda p: np.mean((p < .02) | (p > .98)) > .95, 'is black and white')
        assert .02 < white(hard) < .9 and not differs(ex.picture('mask'), mask)
        ex.tick('follow the edges of the photo')
        sharp = ex.changed('mask', mask)
        ex.choose('version', 1)
        first_version = ex.changed('mask', sharp)
        ex.choose('device', 'cpu')
        ex.choose('photo', 'coffee')
        coffee = ex.changed('mask', first_version)
        ex.upload(files/'disc.png')
        disc = ex.changed('mask', coffee)
        h,w = disc.shape[:2]
        assert disc[h//3:2*h//3, w//3:2*w//3].mean() > disc[:h//8].mean() + .3     # the disc is in the middle


def test_canny(lab, files):
    with lab.explorer('02_sketchnet', 'explore_canny') as ex:
        first,drawn = ex.picture('Canny'), ex.picture('SketchNet')
        ex.says('Canny: 1 setting tried, SketchNet: 1 setting tried')
        ex.drag('sigma (px)', to=.7)
        ex.until('Canny', lambda p: 0 < ink(p) < .8*ink(first), 'has fewer lines after a wide blur')
        ex.press('sigma (px)', 'Home')
        noisy = ex.until('Canny', lambda p: ink(p) > ink(first), 'has more lines without a blur')
        ex.drag('high', to=.8)
        few = ex.until('Canny', lambda p: ink(p) < .9*ink(noisy), 'has fewer lines at a high threshold')
        ex.drag('low', to=.6)
        ex.until('Canny', lambda p: ink(p) < ink(few), 'has shorter lines at a high lower threshold')
        ex.says('Canny: 5 settings tried, SketchNet: 1 setting tried')
        assert not differs(ex.picture('SketchNet'), drawn)
        ex.drag('SketchNet: sure', to=.6)
        sure = ex.until('SketchNet', lambda p: 0 < ink(p) < .8*ink(drawn), 'has fewer lines where it must be sure')
        ex.says('SketchNet: 2 settings tried')
        ex.upload(files/'disc.png')
        ex.changed('SketchNet', sure)
        photo = ex.picture('photo')
        h,w = photo.shape[:2]
        assert white(photo[h//3:2*h//3, w//3:2*w//3])==1 and white(photo[:h//8])==0        # the disc


def test_coherent_lines(lab):
    with lab.explorer('02_sketchnet', 'explore_coherent_lines') as ex:
        name = 'coherent lines'
        first,flow = ex.picture(name), ex.picture('flow')
        ex.drag('sigma (px)', to=.6)
        ex.until(name, lambda p: ink(p) > 1.2*ink(first), 'has broader lines')
        ex.press('sigma (px)', 'Home')
        fine = ex.until(name, lambda p: 0 < ink(p) < ink(first), 'has finer lines')
        ex.press('along (px)', 'Home')
        short = ex.changed(name, fine)
        assert not differs(ex.picture('flow'), flow)
        ex.drag('flow sigma (px)', to=.8)
        ex.changed('flow', flow)
        ex.press('smooth (grey levels)', 'Home')
        noisy = ex.until(name, lambda p: ink(p) > ink(short), 'has more lines where nothing was evened out')
        ex.drag('sharpness', to=.9)
        dark = ex.until(name, lambda p: ink(p) > ink(noisy), 'is darker with a steep step')
        ex.press('tau', 'Home')
        ex.until(name, lambda p: ink(p) < ink(dark), 'has fewer lines with less of the coarser Gaussian')


def test_wash(lab, files):
    def grey(p): return np.mean((p > .5) & (p < .95))
    with lab.explorer('02aa_wash', 'explore_wash') as ex:
        first = ex.picture('drawing')
        assert grey(first) > .1
        ex.press('depth', 'Home')
        ex.until('drawing', lambda p: grey(p) < .5*grey(first), 'is lines on white paper')
        ex.press('depth', 'End')
        full = ex.until('drawing', lambda p: grey(p) > .1, 'has its greys again')
        ex.press('levels', 'Home')
        stencil = ex.changed('drawing', full)
        ex.drag('smooth (px)', to=.9)
        smooth = ex.changed('drawing', stencil)
        ex.press('colours', 'End')
        painted = ex.until('drawing', lambda p: np.ptp(p, -1).max() > .3, 'is in colour')
        ex.upload(files/'disc.png')
        ex.changed('drawing', painted)
        assert differs(painted, smooth)


def test_watercolor(lab, files):
    def colour(p): return np.ptp(p, -1).mean()
    with lab.explorer('02ab_watercolor', 'explore_watercolor') as ex:
        first = ex.picture('picture')
        assert colour(first) > .05
        ex.press('depth', 'Home')
        ex.until('picture', lambda p: colour(p) < .02, 'is lines on white paper')
        ex.press('depth', 'End')
        full = ex.until('picture', lambda p: colour(p) > .05, 'is painted again')
        ex.press('around', 'Home')
        bare = ex.until('picture', lambda p: (p > .97).all(-1).mean() > (full > .97).all(-1).mean() + .02,
                        'has more paper without surroundings')
        ex.press('brush (px)', 'End')
        broad = ex.changed('picture', bare)
        ex.press('detail', 'Home')
        outlines = ex.changed('picture', broad)
        ex.upload(files/'disc.png')
        ex.changed('picture', outlines)


def test_sketch(lab, files):
    with lab.explorer('02_sketchnet', 'explore_sketch') as ex:
        first = ex.picture('sketch')
        ex.tick('gamma: grey lines black', False)
        grey = ex.until('sketch', lambda p: ink(p) < ink(first), 'is lighter without gamma')
        ex.tick('gamma: grey lines black')
        ex.until('sketch', lambda p: ink(p) > ink(grey), 'is darker again')
        ex.press('detail', 'Home')
        outlines = ex.changed('sketch', first)
        ex.press('detail', 'End')
        full = ex.until('sketch', lambda p: ink(p) > ink(first), 'has more lines with all details')
        assert differs(full, outlines)
        ex.drag('detail', to=.6)
        ex.until('sketch', lambda p: ink(p) < ink(full), 'has fewer lines with less detail')
        ex.drag('line weight', to=.6)
        heavy = ex.until('sketch', lambda p: ink(p) > 1.3*ink(first), 'has more ink with heavier lines')
        name,data = ex.save('sketch.png')
        kept = np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))/255
        # the file is what is shown
        assert name=='sketch.png' and kept.shape==heavy.shape and not differs(kept, heavy)
        ex.press('line weight', 'Home')
        fine = ex.until('sketch', lambda p: 0 < ink(p) < ink(first), 'has less ink with the finest lines')
        photo = ex.picture('photo')
        ex.tick('only the object (MaskNet)')
        ex.until('photo', lambda p: white(p) > white(photo) + .1, 'loses its background')
        alone = ex.changed('sketch', fine)
        ex.tick('merge with the negative')
        merged = ex.changed('sketch', alone)
        ex.choose('resolution', '424 px')
        coarse = ex.changed('sketch', merged)
        ex.choose('device', 'cpu')
        ex.upload(files/'disc.png')
        disc = ex.until('sketch', lambda p: p.shape==(240, 320, 3), 'is of the disc')
        ring = np.hypot(*(np.mgrid[:240,:320] - np.array([120, 160])[:,None,None]))
        assert ink(disc[np.abs(ring-70) < 12]) > 10*ink(disc[np.abs(ring-70) > 30])     # a line around it


def test_lines(lab, files):
    with lab.explorer('02b_pencil', 'explore_lines') as ex:
        first, photo = ex.picture('lines'), ex.picture('photo')
        ex.press('thickness (px)', 'ArrowRight', 2)
        bold = ex.until('lines', lambda p: ink(p) > 1.3*ink(first), 'has more ink with thicker lines')
        ex.press('thickness (px)', 'Home')
        fine = ex.until('lines', lambda p: 0 < ink(p) <= ink(first), 'has less ink with thinner lines')
        ex.press('detail', 'Home')
        few = ex.until('lines', lambda p: 0 < ink(p) < ink(fine), 'has fewer lines with less detail')
        ex.drag('detail', to=.9)
        ex.until('lines', lambda p: ink(p) > ink(few), 'has more lines with more detail')
        for source in ('xdog', 'dodge', 'sketchnet'):
            before = ex.picture('lines')
            ex.choose('lines by', source)
            drawn = ex.changed('lines', before)
        ex.tick('solid blacks (SketchNet)')
        black = ex.until('lines', lambda p: ink(p) > ink(drawn), 'has dark areas filled')
        assert not differs(ex.picture('photo'), photo) and bold.shape == photo.shape
        name,data = ex.save('lines.png')
        kept = np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))/255
        assert name=='lines.png' and not differs(kept, black)
        ex.choose('lines by', 'coherent')
        ex.choose('device', 'cpu')
        ex.upload(files/'disc.png')
        disc = ex.until('lines', lambda p: p.shape==(240, 320, 3), 'is of the disc')
        ring = np.hypot(*(np.mgrid[:240,:320] - np.array([120, 160])[:,None,None]))
        assert ink(disc[np.abs(ring-70) < 8]) > 10*ink(disc[np.abs(ring-70) > 20])


@pytest.mark.skipif(not {'pencil', 'pencil-photo'} <= set(available()), reason='their weights are not shipped yet')
def test_pencil(lab, files):
    page = np.full((150, 200), 255, np.uint8)
    page[40:110,60] = page[40:110,140] = page[40,60:140] = page[110,60:140] = 0
    Image.fromarray(page).save(files/'page.png')
    with lab.explorer('02b_pencil', 'explore_pencil') as ex:
        ex.choose('size (px)', 256)
        first = ex.until('pencil', lambda p: max(p.shape)==256, 'is small')
        lines = ex.picture('lines')
        ex.press('shading', 'End')
        ex.until('pencil', lambda p: ink(p) > ink(first), 'is darker with more shading')
        ex.press('shading', 'Home')
        light = ex.until('pencil', lambda p: 0 < ink(p) < ink(first), 'is lighter without shading')
        ex.press('grain (seed)', 'ArrowRight')
        grain = ex.changed('pencil', light)
        assert not differs(ex.picture('lines'), lines)
        ex.press('thickness (px)', 'ArrowRight')
        ex.until('lines', lambda p: ink(p) > ink(lines), 'has thicker lines')
        whole = ex.changed('pencil', grain)
        ex.choose('patch size', 128)
        tiled = ex.changed('pencil', whole)
        ex.choose('model size', 256)
        ex.until('pencil', lambda p: max(p.shape)==512, 'is twice as large')
        ex.choose('model size', 'as the patch')
        ex.until('pencil', lambda p: not differs(p, tiled), 'is as it was')
        ex.choose('patch size', 'whole')
        ex.until('pencil', lambda p: not differs(p, whole), 'is as it was on one sheet')
        before = ex.picture('lines')
        ex.choose('way', 'coherent lines')
        subject = ex.changed('lines', before)
        ex.tick('subject alone', False)
        ex.until('lines', lambda p: ink(p) > ink(subject), 'has lines around the subject, too')
        ex.press('detail', 'Home')
        few = ex.picture('pencil')
        ex.choose('way', 'straight from the photo')
        ex.changed('pencil', few)
        def kept(): return np.asarray(Image.open(io.BytesIO(ex.save('pencil.png')[1])).convert('RGB'))/255
        # a picture of the steps before may still come in between
        wait(lambda: not differs(kept(), ex.picture('pencil')), 'what is saved is what is shown', said=ex.text)
        ex.choose('device', 'cpu')
        ex.upload(files/'page.png')
        ex.choose('way', 'it is a line drawing')
        ex.until('lines', lambda p: p.shape==(150, 200, 3), 'is of the page')
        drawn = ex.until('pencil', lambda p: p.shape==(150, 200, 3), 'is of the page')
        assert ink(drawn[38:43,60:140]) > 2*ink(drawn[:20])
        assert 'looks like a photo' not in ex.text()


@pytest.mark.skipif(not {'selfsup', 'tom'} <= set(available()), reason='their weights are not shipped yet')
def test_style(lab):
    pytest.importorskip('ipycanvas')
    with lab.explorer('04b_selfsup', 'explore_style') as ex:
        first, sketch = ex.picture('picture'), ex.picture('sketch')
        ex.press('mix of styles', 'End')
        second = ex.changed('picture', first)
        assert not differs(ex.picture('sketch'), sketch)
        ex.choose('second style', 'rocket')
        other = ex.changed('picture', second)
        ex.press('mix of styles', 'Home')
        ex.until('picture', lambda p: not differs(p, first), 'is as it was')
        ex.tick('mosaic of both')
        mosaic = ex.changed('picture', first)
        ex.tick('mosaic of both', False)
        ex.until('picture', lambda p: not differs(p, first), 'is as it was')
        ex.tick('refine', False)
        rough = ex.changed('picture', first)
        ex.tick('exchange content and style')
        swapped = ex.changed('sketch', sketch)
        ex.tick('exchange content and style', False)
        ex.until('sketch', lambda p: not differs(p, sketch), 'is as it was')
        for way in ('SketchNet', 'coherent lines'):
            before = ex.picture('sketch')
            ex.choose('sketch by', way)
            ex.changed('sketch', before)
        ex.choose('sketch by', 'your drawing below')
        ex.says('the sketch is blank')
        ex.draw((60, 60), (200, 60), (200, 200), (60, 200), (60, 60))
        drawn = ex.until('sketch', lambda p: 0 < ink(p) < .2, 'is what was drawn')
        name,data = ex.save('picture.png')
        assert name=='picture.png' and Image.open(io.BytesIO(data)).format=='PNG'
        assert differs(mosaic, rough) and differs(other, second) and differs(drawn, swapped)


def test_strokes(lab):
    with lab.explorer('03_vectorize', 'explore_strokes') as ex:
        # the line of text is away for a moment while a new picture is made
        count = lambda: int(wait(lambda: re.search(r'(\d+) strokes', ex.text()), 'the explorer counts its strokes',
                                 said=ex.text)[1])
        pen = 'the pen so far'
        first,strokes = ex.picture(pen), count()
        ex.drag('drawn (%)', to=.4)
        part = ex.until(pen, lambda p: 0 < ink(p) < .8*ink(first), 'has less ink before the pen is done')
        ex.press('drawn (%)', 'End')
        ex.until(pen, lambda p: ink(p) > ink(part), 'has all its ink again')
        ex.drag('shortest (px)', to=1)
        ex.until(pen, lambda p: ink(p) < ink(first), 'has lost its short strokes')
        assert count() < strokes
        rough = ex.picture(pen)
        ex.drag('tolerance (px)', to=1)
        coarse = ex.changed(pen, rough)
        ex.box.locator('.widget-play button').first.click()
        ex.until(pen, lambda p: ink(p) < .9*ink(coarse), 'begins anew when the pen plays')
        files = {}
        for kind in ('svg', 'gif', 'npz'):
            name,files[kind] = ex.save(kind)
            assert name.endswith(f'.{kind}')
        assert files['svg'].count(b'<path')==count() and len(np.load(io.BytesIO(files['npz'])).files) > 0
        assert Image.open(io.BytesIO(files['gif'])).n_frames > 5
        ex.until(pen, lambda p: not differs(p, coarse), 'is whole when the pen has played')
        ex.choose('photo', 'coffee')
        coffee = ex.changed(pen, coarse)
        ex.choose('read as', 'Canny')
        edges = ex.changed(pen, coffee)
        if 'virtual' in ex.options('method'):
            ex.choose('method', 'virtual')
            ex.changed(pen, edges)


def test_inversion(lab):
    pytest.importorskip('ipycanvas')
    with lab.explorer('04_sketch2image', 'explore_inversion') as ex:
        ex.drag('search steps', to=.1)
        ex.says('distance')
        ex.choose('begin with', 'empty page')
        ex.picture('nothing is drawn')


def test_completion(lab):
    pytest.importorskip('ipycanvas')
    with lab.explorer('04a_palette', 'explore_completion') as ex:
        best = 'most probable'
        first = ex.picture(best)
        ex.drag('pictures', to=.2)
        ex.until(best, lambda p: not differs(p, first), 'stays as it was')
        ex.choose('hint', 'colour of a flower')
        ex.choose('hint', 'none')
        ex.until(best, lambda p: not differs(p, first), 'is the first one again')
        ex.choose('begin with', 'empty page')
        blank = ex.until(best, lambda p: white(p) > .99, 'is empty')
        ex.draw((60, 60), (190, 60), (190, 190), (60, 190), (60, 60))
        box = ex.changed(best, blank)
        ex.box.locator('.widget-toggle-buttons button', has_text='eraser').click()
        ex.draw((60, 60), (190, 60))
        ex.until(best, lambda p: ink(p) < ink(box), 'has lost a side')
        ex.click('undo')
        ex.until(best, lambda p: not differs(p, box), 'has it back')
        ex.choose('network', 'five colours')
        ex.changed(best, box)
        ex.choose('network', 'GAN inversion')
        ex.drag('search steps', to=.1)
        ex.says('distance')


SLOW_SLIDER = '''
import time
import numpy as np
from sketchbook.widgets import explorer, slider
drawn = []
def redraw(n):
    drawn.append(n)
    time.sleep(1)      # a busy machine presses twenty keys in some three seconds
    return {'bar': np.arange(100)[None]*np.ones((40, 1)) > n}, f'drawn {len(drawn)} times, at last {n}'
explorer(dict(n=slider('n', 0, 99, 0)), redraw)
'''

def test_a_slow_explorer_skips_what_is_stale(lab):
    "The keys pressed while a picture is being made cost one more picture, not one each"
    with lab.cell(SLOW_SLIDER, 'slow_slider') as ex:
        ex.press('n', 'ArrowRight', 20)
        ex.says('at last 20')
        assert int(re.search(r'drawn (\d+) times', ex.text())[1]) <= 5
        assert abs(ink(ex.picture('bar')) - .2) < .05


CANVAS = '''
from sketchbook.canvas import DrawingCanvas
from sketchbook.widgets import explorer
explorer(dict(drawing=DrawingCanvas(200, 120)), lambda drawing: {'seen': drawing})
'''

def test_canvas(lab):
    pytest.importorskip('ipycanvas')
    with lab.cell(CANVAS, 'canvas') as ex:
        empty = ex.picture('seen')
        ex.draw((20, 20), (150, 90))
        line = ex.until('seen', lambda p: ink(p) > ink(empty), 'shows the line')
        ex.draw((20, 90), (150, 20))
        ex.until('seen', lambda p: ink(p) > 1.5*ink(line), 'shows the cross')
        ex.click('undo')
        ex.until('seen', lambda p: not differs(p, line), 'shows one line again')
        ex.click('clear')
        ex.until('seen', lambda p: not differs(p, empty), 'is empty again')
        ex.click('undo')
        ex.until('seen', lambda p: not differs(p, line), 'shows the line that was cleared')


PAINTING = '''
import ipywidgets as W
import numpy as np
from sketchbook.canvas import DrawingCanvas
from sketchbook.widgets import explorer
def seen(drawing):
    assert drawing.dtype==np.uint8 and drawing.shape==(120, 200, 3)
    return {'seen': drawing}, 'middle ' + drawing[60,100].tobytes().hex()
green = np.full((120, 200, 3), (0, 160, 80), np.uint8)
canvas,known = DrawingCanvas(200, 120, 12, pages={'green': green}, color=True), W.Label()
canvas.brush.observe(lambda change: known.set_trait('value', f'a brush of {change.new} px'), 'value')
W.VBox([explorer(dict(drawing=canvas), seen), known])
'''

def test_painting_in_colour(lab):
    "Mouse, colour picker, brush, eraser, the colour under the mouse; what arrives in Python is an array of it"
    pytest.importorskip('ipycanvas')
    with lab.cell(PAINTING, 'painting') as ex:
        tool = lambda name: ex.box.locator('.widget-toggle-buttons button', has_text=name).click()
        color = ex.box.locator('.widget-colorpicker input').first
        ex.says('middle 00a050')
        color.fill('#d22f27'); color.press('Enter')
        ex.draw((40, 60), (160, 60))
        ex.says('middle d22f27')
        thin = ex.picture('seen')
        ex.press('brush (px)', 'ArrowRight', 12)
        ex.says('a brush of 24 px')     # the page holds a slider's values back while Python is busy, not the mouse's
        ex.draw((40, 20), (160, 20))
        red = lambda p: (p[...,0] > .7).sum()
        ex.until('seen', lambda p: red(p) > 2.5*red(thin), 'has a broader line')
        wait(lambda: ex.canvas()[60,100].tolist()==[210, 47, 39], 'the page shows what Python has', seconds=20)
        tool('eraser')
        ex.draw((100, 40), (100, 80))
        ex.says('middle 00a050')
        tool('pick')
        ex.draw((5, 115))
        ex.draw((60, 60), (140, 60))
        ex.until('seen', lambda p: red(p[55:65,65:135])==0, 'is painted over in the green that was picked')
        ex.click('undo')
        ex.until('seen', lambda p: red(p[55:65,65:135])>0, 'has some red again')     # until then undo is disabled
        ex.click('undo')
        ex.says('middle d22f27')


def test_painting(lab, files):
    pytest.importorskip('ipycanvas')
    with lab.explorer('02f_canvas', 'explore_painting') as ex:
        first = ex.picture('picture')
        ex.draw((150, 150), (250, 250))
        drawn = ex.changed('picture', first)
        ex.choose('begin with', 'coffee')
        ex.changed('picture', drawn)
        ex.upload(files/'disc.png', 'load a picture')
        ex.until('picture', lambda p: white(p) > .3, 'is of the disc')
        name,data = ex.save('painting.png')
        saved = np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))/255
        assert name=='painting.png' and not differs(saved, ex.picture('picture'))


def test_inputs_of_pirec(lab):
    with lab.explorer('05_pirec', 'explore_inputs') as ex:
        lines,flat = ex.picture('edges'),ex.picture('colour domain')
        ex.drag('sigma (px)', to=.9)
        few = ex.until('edges', lambda p: ink(p) < ink(lines), 'has fewer edges with a large sigma')
        ex.press('k', 'Home')
        ex.until('colour domain', lambda p: p.std((0, 1)).max() < .01, 'is of one colour')
        ex.drag('edges lost', to=.8)
        ex.until('edges', lambda p: ink(p) < ink(few), 'has lost edges')
        assert differs(ex.picture('colour domain'), flat)


def test_pirec(lab):
    "Red that is painted comes out red; lines, phases, k and an empty page"
    pytest.importorskip('ipycanvas')
    with lab.explorer('05_pirec', 'explore_pirec') as ex:
        first = ex.picture('picture')
        color = ex.box.locator('.widget-colorpicker input').first
        color.fill('#d22f27'); color.press('Enter')
        ex.draw((40, 134), (214, 134), canvas=1)
        red = lambda p: (p[...,0] - p[...,1:].max(-1))[126:142,60:200].mean()
        painted = ex.until('picture', lambda p: red(p) > red(first) + .15, 'is red where red was painted')
        ex.draw((20, 27), (233, 40))
        edged = ex.changed('picture', painted)
        ex.click('refine')
        refined = ex.changed('picture', edged)
        name,data = ex.save('picture.png')
        assert name=='picture.png' and Image.open(io.BytesIO(data)).size==(128, 128)
        flat = ex.picture('colours')
        ex.press('k', 'ArrowRight', 3)
        ex.changed('colours', flat)
        ex.changed('picture', refined)
        ex.choose('photo', 'empty page')
        ex.says('the edge map is blank')
