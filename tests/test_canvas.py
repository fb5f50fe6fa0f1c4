"The canvas without a browser: a test plays the hand"
import sys, types

import numpy as np
import pytest

W = pytest.importorskip('ipywidgets')

from sketchbook.canvas import Drawing, DrawingCanvas, Pen
from sketchbook.widgets import explorer


def stroke(d, *points, pen=Pen()):
    d.begin(*points[0], pen)
    for p in points[1:]: d.move(*p)
    d.end()


def test_drawing():
    d = Drawing(32, 24, strokes=[[(1, 1), (9, 9)]])
    d.move(5, 5); d.begin(3, 4); d.move(3, 4); d.move(99, -1); d.end(); d.move(7, 7)
    assert d.strokes==[[(1, 1), (9, 9)], [(3, 4), (31, 0)]]
    s = d.sketch()
    assert s.shape==(24, 32) and s.dtype==np.float32 and s.min()==0 and s.max()==1
    d.undo(); d.undo(); d.undo()
    assert d.strokes==[] and (d.sketch()==1).all()


def test_drawings_share_nothing():
    start = [[(1, 1)]]
    a,b = Drawing(strokes=start), Drawing(strokes=start)
    a.begin(2, 2); a.strokes[0].append((3, 3))
    assert b.strokes==start==[[(1, 1)]]


def test_undo_takes_back_clear():
    d = Drawing(20, 20)
    d.load(np.tile([1., 0.], (20, 10))); stroke(d, (2, 2))
    full = d.sketch()
    d.clear(); d.clear(); stroke(d, (9, 9)); d.undo(); assert d.sketch().min()==1
    d.undo(); assert np.array_equal(d.sketch(), full)
    d.clear(); d.load(np.ones((20, 20))); d.undo(); assert d.sketch().min()==1      # another page is another drawing


@pytest.mark.parametrize('erase', [False, True])
def test_the_pen_is_as_wide_as_it_says(erase):
    for width in (3, 5, 7, 12):
        d = Drawing(64, 64)
        if erase: d.load(np.zeros((64, 64)))
        stroke(d, (0, 32), (63, 32), pen=Pen(width=width, erase=erase))
        ink = 1-d.sketch()[:,32].sum()/64
        assert abs((1-ink if erase else ink)*64 - width)<1


def test_colours_come_out_as_they_went_in():
    d, colors = Drawing(60, 30), ['#d22f27', 'rgb(0, 160, 80)', 'navy']
    for i,c in enumerate(colors): stroke(d, (10+20*i, 15), pen=Pen(c, 12))
    picture = d.picture()
    assert picture.dtype==np.uint8 and picture.shape==(30, 60, 3)
    assert picture[15,[10, 30, 50]].tolist()==[[210, 47, 39], [0, 160, 80], [0, 0, 128]] and (picture[0]==255).all()
    with pytest.raises(ValueError, match="^'blau' is no colour: write a name or #rrggbb.$"):
        stroke(d, (1, 1), pen=Pen('blau')) or d.picture()


def test_what_the_eraser_uncovers():
    "White paper on a page, the picture itself on a background; an undone eraser has done nothing"
    photo = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    for background in (False, True):
        d = Drawing(40, 30)
        d.load(photo, background)
        stroke(d, (20, 15), pen=Pen('red', 20))
        painted = d.picture()
        assert np.array_equal(painted[0], photo[0]) and painted[15,20].tolist()==[255, 0, 0]
        stroke(d, (0, 15), (39, 15), pen=Pen(width=60, erase=True))
        assert np.array_equal(d.picture(), photo if background else photo*0+255)
        d.undo(); assert np.array_equal(d.picture(), painted)
        d.clear(); assert np.array_equal(d.picture(), photo if background else photo*0+255)


def test_a_picture_of_another_shape_lies_in_the_middle():
    d = Drawing(40, 40)
    d.load(np.zeros((10, 20, 3), np.uint8), background=True)
    assert (d.picture()[10:30]==0).all() and (d.picture()[:10]==255).all() and (d.picture()[30:]==255).all()


# on the page

def test_canvas_without_ipycanvas(monkeypatch):
    monkeypatch.setitem(sys.modules, 'ipycanvas', None)
    with pytest.raises(ModuleNotFoundError, match='pip install ipycanvas'): DrawingCanvas()


class FakeCanvas(W.DOMWidget):
    "What we use of ipycanvas, recording what is drawn; a whole picture replaces it"
    def __init__(self, width, height, **kwargs): super().__init__(**kwargs); self.drawn,self.on = [], {}
    def __getattr__(self, name):
        if not name.startswith('on_') or name in ('on_msg', 'on_displayed', 'on_widget_constructed', 'on_trait_change'):
            raise AttributeError(name)
        return lambda f: self.on.__setitem__(name, f)
    def stroke_line(self, *xy): self.drawn.append(xy)
    def fill_circle(self, *xyr): self.drawn.append(xyr)
    def put_image_data(self, picture): self.drawn,self.shown = [], picture[...,:3]


@pytest.fixture
def fake(monkeypatch): monkeypatch.setitem(sys.modules, 'ipycanvas', types.SimpleNamespace(Canvas=FakeCanvas))


def test_canvas_with_mouse_and_finger(fake):
    c,told = DrawingCanvas(40, 30), []
    c.observe(lambda _: told.append(len(c.strokes)))
    on = c.canvas.on
    on['on_mouse_move'](5, 5)
    on['on_mouse_down'](1, 2); on['on_mouse_move'](9, 9)
    assert c.canvas.drawn==[(1, 2, 1.5), (1, 2, 9, 9)]             # at once, before the pen is up
    on['on_mouse_up'](9, 9); on['on_mouse_move'](20, 20); on['on_mouse_out'](40, 0)
    on['on_touch_start']([(5, 6)]); on['on_touch_move']([(7, 8)]); on['on_touch_end']([])
    assert c.strokes==[[(1, 2), (9, 9)], [(5, 6), (7, 8)]] and told==[1, 2]
    assert c.canvas.drawn==[] and np.array_equal(c.canvas.shown, c.picture())
    c.canvas.shown = None
    on['on_client_ready'](); assert np.array_equal(c.canvas.shown, c.picture())
    c.undo.click(); assert told[-1]==1
    c.clear.click(); assert c.strokes==[] and (c.value==1).all() and (c.canvas.shown==255).all()
    c2 = DrawingCanvas(40, 30); c2._begin(1, 1)
    assert c.strokes==[]


def test_a_page_that_is_white_on_black_is_turned_round(fake):
    page = np.ones((20, 60), np.float32); page[8:12,10:50] = 0
    for sketch in (page, 1-page):
        assert np.abs(DrawingCanvas(60, 60, pages={'p': sketch}).value[20:40] - page).max()<.02


def test_canvas_is_a_control(fake):
    c = DrawingCanvas(20, 20)
    ex = explorer(dict(drawing=c), lambda drawing: 1-drawing)
    before = ex.pane.images[''].value
    c._begin(2, 2); c._move(15, 15); c._end()
    assert ex.pane.images[''].value!=before


def test_a_canvas_in_colour(fake):
    photo = np.full((30, 40, 3), (10, 200, 30), np.uint8)
    c = DrawingCanvas(40, 30, 5, pages={'grass': photo, 'snow': photo*0+255}, color=True)
    assert c.value.dtype==np.uint8 and np.array_equal(c.value, photo)
    c.colors.value,c.brush.value = '#3d85c6', 12
    c._begin(20, 15); c._end()
    assert c.drawing.pens==[Pen('#3d85c6', 12)] and c.value[15,20].tolist()==[0x3d, 0x85, 0xc6]
    c.tool.value,c.brush.value = 'eraser', 20
    c._begin(20, 15); c._end()
    assert np.array_equal(c.value, photo)
    c.undo.click()
    c.tool.value = 'pick'; c._begin(20, 15); c._end()
    assert (c.colors.value, c.tool.value, len(c.strokes))==('#3d85c6', 'pen', 1)
    c.picker.choice.value = 'snow'
    assert c.strokes==[] and (c.value==255).all()


def test_a_sketch_canvas_has_no_colours(fake):
    c = DrawingCanvas(40, 30, 3)
    assert c.tool.options==('pen', 'eraser') and c.colors not in c.parts and c.value.dtype==np.float32
    c._begin(20, 15); c._end(); c.tool.value = 'eraser'; c._begin(20, 15); c._end()
    assert [p.width for p in c.drawing.pens]==[3, 12]
