"Widgets without a browser: a test plays the part of the page, by setting values and calling what the page would call"
import asyncio, base64, re, time, types
from datetime import datetime

import numpy as np
import pytest

W = pytest.importorskip('ipywidgets')

from sketchbook import widgets
from sketchbook.data import UnreadableImage, load_photo
from sketchbook.widgets import (_Busy, _Memo, PhotoPicker, _ResultPane, _Soon, _DownloadButton, explorer, _histogram,
                                slider,
                                _to_png)

PHOTOS = {name: np.random.default_rng(i).integers(0, 255, (12, 16, 3), dtype=np.uint8)
          for i,name in enumerate(['one', 'two'])}


def send(picker, *files):
    "What the browser does when a person uploads files"
    picker.upload.value = tuple(dict(name=n, type='', size=len(d), content=memoryview(d),
                                     last_modified=datetime(2000, 1, 1)) for n,d in files)


# pictures

@pytest.mark.parametrize('picture',
                         [PHOTOS['one'], PHOTOS['one'][...,0]/255, PHOTOS['one'][...,0]>99,
                          np.float32(PHOTOS['one'][...,0])/255])
def test_to_png(picture):
    back = load_photo(_to_png(picture))
    want = load_photo(picture)
    np.testing.assert_array_equal(back, want)


def test_to_png_of_a_figure_closes_it():
    plt = pytest.importorskip('matplotlib.pyplot')
    fig = plt.figure(figsize=(1, 1))
    assert _to_png(fig)[:4]==b'\x89PNG' and not plt.fignum_exists(fig.number)


def test_bytes_pass(): assert _to_png(b'GIF89a') == b'GIF89a'


@pytest.mark.parametrize('picture',
                         [np.zeros((2, 3, 4, 5)), np.full((3, 3), np.nan), np.zeros((0, 3)), 'cat.png', None])
def test_not_a_picture(picture):
    with pytest.raises(UnreadableImage): _to_png(picture)


# the picker

def test_picker_begins_with_the_first(): assert PhotoPicker(PHOTOS).photo is PHOTOS['one']


def test_upload_is_chosen_once():
    p,calls = PhotoPicker(PHOTOS), []
    p.observe(calls.append)
    send(p, ('mine.png', _to_png(PHOTOS['two'])))
    np.testing.assert_array_equal(p.photo, PHOTOS['two'])
    assert len(calls)==1 and p.choice.value=='mine.png' and p.upload.value==()


def test_the_same_name_again():
    p,calls = PhotoPicker(PHOTOS), []
    p.observe(calls.append)
    for photo in (PHOTOS['one'], PHOTOS['two'], PHOTOS['one']): send(p, ('mine.png', _to_png(photo)))
    assert list(p.photos)==['one', 'two', 'mine.png', 'mine.png (2)', 'mine.png (3)'] and len(calls)==3
    np.testing.assert_array_equal(p.photo, PHOTOS['one'])


@pytest.mark.parametrize('data', [b'', b'milk, bread', _to_png(PHOTOS['one'])[:100], bytes(999)])
def test_unreadable_upload_keeps_the_photo(data):
    p,calls = PhotoPicker(PHOTOS), []
    p.observe(calls.append)
    p.choice.value = 'two'
    send(p, ('bad.png', data))
    assert p.photo is PHOTOS['two'] and len(calls)==1 and list(p.photos)==['one', 'two']
    assert p.message.text.startswith('bad.png: ') and 'the bytes given' not in p.message.text
    assert '\n' not in p.message.text
    p.choice.value = 'one'
    assert p.message.text==''


def test_a_hostile_name_is_text():
    p = PhotoPicker(PHOTOS)
    send(p, ('<img src=x onerror=alert(1)>.png', b'no'))
    assert '<img' not in p.message.widget.value


def test_uploads_shrink():
    p = PhotoPicker(PHOTOS, max_side=100)
    send(p, ('big.png', _to_png(np.zeros((300, 400, 3), np.uint8))))
    assert p.photo.shape==(75, 100, 3)


def test_pickers_share_nothing():
    a,b = PhotoPicker(PHOTOS), PhotoPicker(PHOTOS)
    send(a, ('mine.png', _to_png(PHOTOS['two'])))
    assert list(b.photos)==['one', 'two']==list(PHOTOS)


def test_device_picker_lists_what_is_there():
    import torch
    options = widgets._device_picker().options
    assert options[:2]==('auto', 'cpu') and ('cuda' in options)==torch.cuda.is_available()


# busy and pane

def test_busy_restores_after_an_error():
    s,on,off = slider('s', 0, 5, 1), W.Checkbox(), W.Checkbox(disabled=True)
    busy = _Busy([s, on, off, object()])
    with pytest.raises(KeyError):
        with busy: assert on.disabled and not s.disabled and busy.widget.value; raise KeyError
    assert not s.disabled and off.disabled and busy.widget.value==''


def test_pane_keeps_pictures_on_error():
    pane = _ResultPane()
    pane.show(dict(a=PHOTOS['one'], b=PHOTOS['two']))
    before = {k: i.value for k,i in pane.images.items()}
    with pytest.raises(ValueError): pane.show(dict(a=PHOTOS['two'], b=np.zeros((0, 0))))
    pane.fail(RuntimeError('first line\nsecond line'))
    assert {k: i.value for k,i in pane.images.items()}==before
    assert pane.message.text=='RuntimeError: first line' and isinstance(pane.error, RuntimeError)
    pane.show(PHOTOS['one'], '<done>')
    assert list(pane.images)==[''] and pane.error is None and '&lt;done&gt;' in pane.message.widget.value


# memo and explorer

def test_memo_tells_true_from_one():
    m = _Memo(lambda x: repr(x))
    assert [m(x=x) for x in (1, 2, 1)]==['1', '2', '1']
    assert m(x=(1, 2))=='(1, 2)'


def test_memo_does_not_keep_failures():
    tries = []
    def fn(x):
        tries.append(x)
        if len(tries)==1: raise ValueError
        return x
    m = _Memo(fn)
    with pytest.raises(ValueError): m(x=1)
    assert m(x=1)==1 and len(tries)==2


def two_stage(log, photos=PHOTOS):
    def prepare(photo, k): log.append(k); return photo//k
    def redraw(ready, gain): return {'result': np.clip(ready*gain, 0, 255).astype(np.uint8)}
    return explorer(dict(photo=PhotoPicker(photos), k=slider('k', 1, 9, 2), gain=slider('gain', 1, 4, 1)), redraw,
                    prepare)


def test_heavy_stage_runs_once():
    log = []; ex = two_stage(log)
    for gain in (2, 3, 4): ex.controls['gain'].value = gain
    assert log==[2]
    ex.controls['photo'].choice.value = 'two'
    ex.controls['k'].value = 3
    assert log==[2, 2, 3]
    np.testing.assert_array_equal(load_photo(ex.pane.images['result'].value), np.clip(PHOTOS['two']//3*4, 0, 255))


def test_two_explorers_share_nothing():
    log = []; a,b = two_stage(log), two_stage(log)
    before = b.pane.images['result'].value
    a.controls['k'].value = 9
    with a.busy: assert not b.controls['k'].disabled
    assert b.pane.images['result'].value==before and b.controls['k'].value==2 and log==[2, 2, 9]


def test_controls_are_disabled_only_while_the_heavy_stage_runs():
    seen = []
    k = W.Checkbox()
    explorer(dict(k=k), lambda ready: seen.append(k.disabled) or PHOTOS['one'],
             prepare=lambda k_=0: seen.append(k.disabled))
    assert seen==[True, False] and not k.disabled


@pytest.mark.parametrize('stage', ['prepare', 'redraw', 'picture'])
def test_errors_become_sentences(stage):
    def prepare(n):
        if stage=='prepare' and n==3: raise ValueError('three is too many.')
        return n
    def redraw(n):
        if stage=='redraw' and n==3: raise ValueError('three is too many.')
        return np.full((4, 4), np.nan if stage=='picture' and n==3 else n/9)
    n = slider('n', 0, 9, 1)
    ex = explorer(dict(n=n), redraw, prepare)
    before = ex.pane.images[''].value
    n.value = 3
    assert ex.pane.images[''].value==before and ex.pane.message.text and not n.disabled and ex.busy.widget.value==''
    n.value = 4
    assert ex.pane.images[''].value!=before and ex.pane.message.text=='' and ex.pane.error is None


def test_an_error_at_the_start_still_gives_an_explorer():
    n = slider('n', 0, 9, 3)
    ex = explorer(dict(n=n), lambda n: 1//(n-3)*np.ones((2, 2)))
    assert 'ZeroDivisionError' in ex.pane.message.text and ex.pane.images=={}
    n.value = 4
    assert len(ex.pane.images)==1


def test_redraw_may_take_everything():
    got = {}
    explorer(dict(a=slider('a', 0, 9, 3), b=W.Checkbox(True)), lambda **kw: got.update(kw) or PHOTOS['one'])
    assert got==dict(a=3, b=True)


# only the newest

def answering(monkeypatch, kind):
    "Play a kernel that answers a message of this kind"
    import IPython
    parent = {} if kind is None else {'header': {'msg_type': kind}}
    monkeypatch.setattr(IPython, 'get_ipython',
                        lambda: types.SimpleNamespace(kernel=types.SimpleNamespace(get_parent=lambda channel: parent)))


def test_what_the_page_sends_in_a_row_is_drawn_once(monkeypatch):
    drawn = []
    ex = explorer(dict(n=slider('n', 0, 99, 0)), lambda n: drawn.append(n) or PHOTOS['one'])
    async def page():
        for burst in (range(1, 20), range(20, 40)):
            for v in burst: ex.controls['n'].value = v
            until = time.monotonic() + 20
            while drawn[-1]!=burst[-1] and time.monotonic()<until: await asyncio.sleep(.01)
    answering(monkeypatch, 'comm_msg')
    asyncio.run(page())
    assert drawn==[0, 19, 39]
    answering(monkeypatch, 'execute_request')
    for v in (1, 2): ex.controls['n'].value = v
    # a line in a cell may look at the picture in the next line
    assert drawn==[0, 19, 39, 1, 2]


def test_an_error_does_not_end_the_waiting():
    clock = []
    def fail(): raise ValueError
    soon = _Soon(fail, asks=lambda: True, later=lambda s,f: clock.append(f))
    soon()
    with pytest.raises(ValueError): clock.pop()()
    soon()
    assert len(clock)==1


@pytest.mark.parametrize('kind,asks', [('comm_msg', True), ('execute_request', False), (None, False)])
def test_who_asks(monkeypatch, kind, asks):
    answering(monkeypatch, kind)
    assert widgets._page_asks()==asks


def test_nobody_asks_without_a_kernel(): assert not widgets._page_asks()


# layout, histogram, files

def test_controls_stand_in_one_row():
    c = dict(photo=PhotoPicker(PHOTOS), on=W.Checkbox(description='on'), way=W.Dropdown(options=[1]),
             n=slider('n', 0, 9, 1))
    box = explorer(c, lambda n: PHOTOS['one'])
    row,pane = box.children
    assert row.children==(c['photo'].widget, c['on'], c['way'], c['n'], box.busy.widget)
    assert row.layout.flex_flow=='row wrap'
    assert c['on'].indent is False and pane is box.pane.widget


def test_an_unreadable_upload_is_refused_in_the_pane():
    ex = explorer(dict(photo=PhotoPicker(PHOTOS), n=slider('n', 1, 9, 1)), lambda photo, n: (photo//n, 'fine'))
    before = ex.pane.images[''].value
    send(ex.controls['photo'], ('notes.png', b'milk, bread'))
    assert ex.pane.message.text.startswith('notes.png: ') and 'color' in ex.pane.message.widget.value
    assert ex.pane.images[''].value==before
    ex.controls['n'].value = 3
    assert ex.pane.message.text=='fine' and ex.pane.images[''].value!=before


@pytest.mark.parametrize('values', [[], [np.nan, np.inf], [-1, 0, .5, 1, 2], np.zeros((9, 9)), np.ones(5, bool)])
@pytest.mark.parametrize('mark', [None, 0, .5, 1])
def test_histogram_takes_what_a_network_gives(values, mark):
    h = _histogram(values, mark, bins=7, size=(120, 200))
    assert h.shape==(120, 200, 3) and h.dtype==np.uint8 and h.min()<100


def test_histogram_is_quick():
    values = np.random.default_rng(0).random((800, 1000), np.float32)
    def seconds(): start = time.process_time(); _histogram(values, .5); return time.process_time()-start
    assert min(seconds() for _ in range(5)) < .03


def saved(button):
    name,data = re.search('download="([^"]*)" href="data:[^,]*,([^"]*)"', button.link.value).groups()
    return name, base64.b64decode(data)


def test_download_button():
    made = []
    b = _DownloadButton('a "b" <c>.npz', lambda: made.append(1) or bytes(range(256)))
    assert made==[] and b.link.value==''
    b.button.click(); b.button.click()
    assert len(made)==2 and saved(b)==('a &quot;b&quot; &lt;c&gt;.npz', bytes(range(256)))
    assert b.script.outputs==() and not b.disabled               # a page that is opened again saves nothing
    b.forget()
    assert b.link.value==''


def test_files_of_an_explorer():
    log = []
    def prepare(photo): log.append('prepare'); return photo//2
    files = {'half.png': lambda half: _to_png(half), 'n.txt': lambda half, n: str(n).encode(), 'seen.png': lambda half,
             pictures: _to_png(pictures['it']),
             'bad.svg': lambda half: half.to_svg()}
    ex = explorer(dict(photo=PhotoPicker(PHOTOS), n=slider('n', 1, 9, 1)), lambda half, n: {'it': half*n}, prepare,
                  downloads=files)
    ex.controls['n'].value = 2
    for b in ex.downloads.values(): b.button.click()
    one = PHOTOS['one']//2
    np.testing.assert_array_equal(load_photo(saved(ex.downloads['half.png'])[1]), one)
    np.testing.assert_array_equal(load_photo(saved(ex.downloads['seen.png'])[1]), one*2)
    assert saved(ex.downloads['n.txt'])==('n.txt', b'2') and log==['prepare']
    assert ex.downloads['bad.svg'].link.value=='' and 'AttributeError' in ex.pane.message.text
    ex.controls['n'].value = 3
    assert all(b.link.value=='' for b in ex.downloads.values()) and ex.pane.message.text==''


def test_a_file_without_a_slow_half():
    ex = explorer(dict(n=slider('n', 1, 9, 1)), lambda n: PHOTOS['one']*0+n,
                  downloads={'it.png': lambda pictures: _to_png(pictures[''])})
    ex.controls['n'].value = 7
    ex.downloads['it.png'].button.click()
    assert (load_photo(saved(ex.downloads['it.png'])[1])==7).all()
