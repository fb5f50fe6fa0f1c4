"""JupyterLab in a headless browser, for tests that use an explorer as a person does

`Lab` starts a server of its own on this machine and a browser; `Lab.explorer('01_masknet', 'explore_masks')` opens
that explorer and gives an `Explorer`, whose methods are what hands and eyes do: `drag`, `press`, `choose`, `tick`,
`upload`, `click`, `save`, `picture`, `message`. `App` starts the command `sketchbook app` instead, and `App.opened`
gives its page as a `Menu`, which opens one explorer after the other. Every wait is for a condition, none for a time.
"""
import ast, base64, dis, io, json, os, re, shutil, socket, subprocess, sys, time
import urllib.error, urllib.parse, urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT/'tools'))
import chapters as C

SLOW = 180          # seconds: nothing here takes as long, even on a machine busy with other work
BROWSERS = 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'
QUIET = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync']
# else cells out of sight are not in the page
DRAWN_AT_ONCE = {'@jupyterlab/notebook-extension:tracker': {'windowingMode': 'none'}}
READY = """() => {      // a kernel that has run other notebooks is idle before this one's cells are there
    const notebook = window.jupyterapp?.shell?.currentWidget;
    return notebook?.context?.isReady && notebook.sessionContext.isReady && notebook.content.widgets.length &&
        notebook.sessionContext.session?.kernel?.status === 'idle' }"""
# an error is shown as what goes to stderr, like a warning, which is none
FAILED = ('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'
          ':has-text("Traceback (most recent call last)")')
SAID_IN_RED = '.widget-html-content span[style*="color"]'       # an explorer's own error
PIXELS = """async image => {
    // it may be replaced while it is decoded
    for (;;) try { await image.decode(); break } catch (e) { await new Promise(requestAnimationFrame) }
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL() }"""
FORGET_ALL = """async () => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const code = 'import ipywidgets.widgets.widget as w\\n' +       // but for the one that ipycanvas opens for good
        'for x in [*w._instances.values()]: type(x).__name__ == "_CanvasManager" or x.close()\\n' +
        '%reset -f\\nimport gc; gc.collect();';
    return (await kernel.requestExecute({code, store_history: false}).done).content.status }"""
RUN_ALL = "() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }"     # and do not wait for it


def what_is_missing():
    "What to install before a browser test can run, or ''"
    try: import playwright
    except ModuleNotFoundError: return 'browser tests need playwright: pip install playwright (no browser download)'
    return '' if browser() else 'browser tests need Chromium: apt-get install chromium, or any Chrome on the PATH'


def browser():
    "The path of the system's Chromium or Chrome, or `None`"
    return next(filter(None, map(shutil.which, BROWSERS)), None)


# a chapter, cut down to what its explorer needs

def names(code):
    "The names that compiled code binds at its top level, and those that it takes from before"
    bound,used = set(), set()
    for i in dis.get_instructions(code):
        if i.opname in ('STORE_NAME', 'STORE_GLOBAL'): bound.add(i.argval)
        if i.opname in ('LOAD_NAME', 'LOAD_GLOBAL') and i.argval not in bound: used.add(i.argval)
    inner = [names(c)[1] for c in code.co_consts if hasattr(c, 'co_code')]
    return bound, used | set().union(*inner)-bound


def shows(source, name):
    "Does a cell end in a call of `name`, whose result the notebook shows?"
    last = ast.parse(source).body[-1:]
    call = last and isinstance(last[0], ast.Expr) and last[0].value
    return isinstance(call, ast.Call) and getattr(call.func, 'id', '')==name


def cut_down(nb, name):
    "`nb` with the last cell that shows `name`, the exported cells and those that define what it uses, unchanged"
    cells = [c for c in nb['cells'] if C.runs(c, C.flags()) and not re.search(r'^\s*[%!]', C.source(c), re.M)]
    last = max((i for i,c in enumerate(cells) if shows(C.source(c), name)), default=None)
    if last is None: raise LookupError(f'no cell of the chapter ends in {name}(...)')
    kept,needed = [], {name}
    for cell in reversed(cells[:last+1]):
        src = C.source(cell)
        exported,(bound,used) = 'export' in C.directives(src), names(compile(src, cell['id'], 'exec'))
        if exported or cell is cells[last] or bound & needed:
            kept.insert(0, cell | dict(outputs=[], execution_count=None))
            needed -= bound
            if not exported: needed |= used         # exported code uses no name of the others
    return nb | dict(cells=kept)


# the server and the browser

class Lab:
    """JupyterLab on 127.0.0.1 with a token and settings of its own, and a headless browser

    All notebooks run in one kernel, one after the other, which forgets its names and widgets in between: to start one
    and to import PyTorch into it takes longer than most tests. After a test that failed, the next has a new kernel.
    """
    def __init__(self, folder, shots):
        self.folder,self.shots,self.token = Path(folder), Path(shots), os.urandom(16).hex()
        self.book = self.folder/'book'
        for d in (self.book, self.shots): d.mkdir(parents=True, exist_ok=True)
        self.server = self.playwright = None

    def __enter__(self):
        try: self._start_server(); self._start_browser()
        except BaseException: self.__exit__(); raise
        return self

    def __exit__(self, *error):
        if self.playwright: self.chromium.close(); self.playwright.stop()
        if self.server:
            self.server.terminate()
            try: self.server.wait(20)
            except subprocess.TimeoutExpired: self.server.kill(); self.server.wait()

    def _environment(self):
        "For the server: settings of its own, and the package next to these tests"
        own = {f'JUPYTER_{k}_DIR': str(self.folder/k.lower())
               for k in ('CONFIG', 'DATA', 'RUNTIME')} | {'IPYTHONDIR': str(self.folder/'ipython')}
        env = {k:v for k,v in os.environ.items() if k!='IN_TEST'} | own
        env['PYTHONPATH'] = os.pathsep.join([str(ROOT), *filter(None, [env.get('PYTHONPATH')])])
        return env

    def _start_server(self):
        settings = self.folder/'settings'
        settings.mkdir()
        shown = json.loads((ROOT/'tools'/'lab'/'overrides.json').read_text()) | DRAWN_AT_ONCE
        (settings/'overrides.json').write_text(json.dumps(shown))
        port = free_port()
        self.log = self.folder/'server.log'
        options = dict(ip='127.0.0.1', port=port, port_retries=0, root_dir=self.book, open_browser=False,
                       allow_root=True)
        command = [sys.executable, '-m', 'jupyterlab', *(f'--ServerApp.{k}={v}' for k,v in options.items()),
                   f'--IdentityProvider.token={self.token}',
                   '--LabApp.expose_app_in_browser=True', f'--LabApp.app_settings_dir={settings}',
                   '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate', '--LabApp.news_url=None']
        with open(self.log, 'wb') as log:
            self.server = subprocess.Popen(command, env=self._environment(), stdout=log, stderr=log, cwd=self.folder)
        self.url = f'http://127.0.0.1:{port}'
        wait(lambda: self._answers(), 'JupyterLab answers', said=lambda: self.log.read_text()[-2000:])

    def _answers(self):
        if self.server.poll() is not None: raise RuntimeError(f'JupyterLab ended: {self.log.read_text()[-2000:]}')
        try: return self.ask('GET', 'api/status')
        except (urllib.error.URLError, ConnectionError): return None

    def ask(self, verb, address, **what):
        "One request to the server's own interface"
        body = json.dumps(what).encode() if what else None
        request = urllib.request.Request(f'{self.url}/{address}', body, {'Authorization': f'token {self.token}'},
                                         method=verb)
        with urllib.request.urlopen(request, timeout=SLOW) as answer: return json.loads(answer.read() or 'null')

    def _start_browser(self):
        from playwright.sync_api import sync_playwright
        self.playwright = sync_playwright().start()
        root = ['--no-sandbox'] if hasattr(os, 'geteuid') and os.geteuid()==0 else []
        self.chromium = self.playwright.chromium.launch(executable_path=browser(), args=[*QUIET, *root])

    def _run(self, page, name):
        "Open the notebook in the page and run all its cells until the last one shows a picture"
        page.goto(f'{self.url}/lab/tree/{urllib.parse.quote(name)}.ipynb?token={self.token}&reset')
        page.wait_for_function(READY)
        page.evaluate(RUN_ALL)
        shown = page.locator('.jp-CodeCell').last
        failed = page.locator(FAILED).or_(shown.locator(SAID_IN_RED))
        shown.locator('img.widget-image').or_(failed).first.wait_for()
        assert not failed.count(), failed.first.inner_text()

    @contextmanager
    def _page(self, name):
        "An empty page, whose console must show no error; afterwards keep a screenshot"
        page = self.chromium.new_page(viewport=dict(width=1280, height=900), accept_downloads=True)
        page.set_default_timeout(SLOW*1000)
        errors = []
        page.on('console', lambda m: m.type=='error' and errors.append(f'{m.text} ({m.location.get("url", "")})'))
        page.on('pageerror', lambda e: errors.append(str(e)))
        try:
            yield page
            assert not errors, f'the browser console shows: {errors}'
        finally:
            page.mouse.move(0, 0)
            page.locator('.jp-CodeCell').last.screenshot(path=self.shots/f'{name}.png')
            page.close()

    @contextmanager
    def notebook(self, nb, name):
        "Run a notebook whose last cell shows an explorer; afterwards keep a screenshot and empty the kernel"
        (self.book/f'{name}.ipynb').write_text(C.dumps(nb), encoding='utf-8')
        # the notebook's page finds its kernel by the path
        for s in self.ask('GET', 'api/sessions'): self.ask('PATCH', f'api/sessions/{s["id"]}', path=f'{name}.ipynb')
        try:
            with self._page(name) as page:
                self._run(page, name)
                yield Explorer(page)
                assert page.evaluate(FORGET_ALL) == 'ok'
        except BaseException:
            for s in self.ask('GET', 'api/sessions'): self.ask('DELETE', f'api/sessions/{s["id"]}')
            raise

    def explorer(self, chapter, name):
        "Open the explorer that a chapter shows by calling `name`"
        return self.notebook(cut_down(C.read(C.find_chapter(chapter)), name), name)

    def cell(self, source, name):
        "Open a notebook of one cell, for parts that no chapter's explorer uses"
        cell = dict(cell_type='code', id='the-cell', metadata={}, source=source, outputs=[], execution_count=None)
        kernel = dict(display_name='python3', language='python', name='python3')
        return self.notebook(dict(cells=[cell], metadata=dict(kernelspec=kernel), nbformat=4, nbformat_minor=5), name)


class App(Lab):
    "`sketchbook app` on a free port, and a headless browser"
    def _start_server(self):
        self.log = self.folder/'server.log'
        command = [sys.executable, '-m', 'sketchbook.cli', 'app', '--port', str(free_port()), '--no-browser']
        with open(self.log, 'wb') as log:
            self.server = subprocess.Popen(command, env=self._environment(), stdout=log, stderr=log, cwd=self.folder)
        self.url = wait(self._address, 'the command says where the page is', said=self.log.read_text)

    def _address(self):
        if self.server.poll() is not None: raise RuntimeError(f'the command ended: {self.log.read_text()[-2000:]}')
        found = re.search(r'http://\S+(?=\n)', self.log.read_text())
        return found and found[0]

    @contextmanager
    def opened(self, name):
        "Open the page; nothing may be asked of any other server"
        elsewhere, server = [], self.url.partition('?')[0]
        with self._page(name) as page:
            page.on('request', lambda r: r.url.startswith((server, 'data:', 'blob:')) or elsewhere.append(r.url))
            page.goto(self.url)
            page.locator('.sketchbook-menu button').first.wait_for()
            yield Menu(page)
            assert not elsewhere, f'the page asks others: {elsewhere}'


def free_port():
    "A port that nobody listens at, at this moment"
    with socket.socket() as s: s.bind(('127.0.0.1', 0)); return s.getsockname()[1]


def wait(happens, what, seconds=SLOW, said=lambda: '', pause=.05):
    "Ask until `happens()` is true and give its answer; `what` is the sentence that fails otherwise"
    end = time.monotonic() + seconds
    while True:
        answer = happens()
        if answer: return answer
        assert time.monotonic() < end, f'not within {seconds} s: {what}. {said()}'
        time.sleep(pause)


# an explorer in the page

def whole(text): return re.compile(f'^{re.escape(text)}$')

class Explorer:
    "The explorer in the page's last cell; controls are named by the text beside them, pictures by their title"
    def __init__(self, page):
        self.page = page
        self.box = page.locator('.jp-CodeCell').last

    def control(self, kind, name):
        "The control of a kind ('slider', 'dropdown', 'checkbox') with this text"
        found = self.box.locator(f'.widget-{kind}',
                                 has=self.page.locator('.widget-label, .widget-label-basic', has_text=whole(name)))
        found.wait_for()
        return found

    # hands
    def press(self, slider, key, times=1):
        "Press a key on a slider: 'ArrowRight', 'PageUp', 'Home'"
        handle = self.control('slider', slider).locator('.noUi-handle')
        handle.focus()
        for _ in range(times): self.page.keyboard.press(key)

    def drag(self, slider, to, steps=8):
        "Drag a slider's handle with the mouse to `to`, 0..1 of its way"
        control = self.control('slider', slider)
        control.scroll_into_view_if_needed()
        handle,way = control.locator('.noUi-handle').bounding_box(), control.locator('.noUi-base').bounding_box()
        y = handle['y'] + handle['height']/2
        self.page.mouse.move(handle['x'] + handle['width']/2, y)
        self.page.mouse.down()
        self.page.mouse.move(way['x'] + to*way['width'], y, steps=steps)
        self.page.mouse.up()

    def choose(self, dropdown, option):
        self.control('dropdown', dropdown).locator('select').select_option(label=str(option))

    def options(self, dropdown): return self.control('dropdown', dropdown).locator('option').all_inner_texts()

    def tick(self, checkbox, on=True): self.control('checkbox', checkbox).locator('input').set_checked(on)

    def click(self, button): self.box.locator('button', has_text=whole(button)).click()

    def upload(self, file, button='your own'):
        "Choose a file"
        press = self.box.locator('button.widget-upload', has_text=button).click
        self._asked(self.page.expect_file_chooser, press, f'a press of "{button}" asks for a file', 10).set_files(file)

    def save(self, name):
        "Click the button, or the link, that names a file: what the browser calls it and its bytes"
        button,link = (self.box.locator(kind, has_text=re.compile(re.escape(name), re.I)) for kind in ('button', 'a'))
        press = (button if button.count() else link).click
        ours = lambda file: name.lower() in file.suggested_filename.lower()     # no late one of an earlier press
        file = self._asked(lambda **kw: self.page.expect_download(ours, **kw), press, f'a press saves {name}')
        return file.suggested_filename, Path(file.path()).read_bytes()

    def _asked(self, expect, press, what, seconds=30):
        "Press until the page answers: a press is lost while a button is disabled, or when the page moves under it"
        from playwright.sync_api import TimeoutError
        def answer():
            try:
                with expect(timeout=1000*seconds) as asked: press()
                return asked.value
            except TimeoutError: return None
        return wait(answer, what)

    def draw(self, *points, canvas=0):
        "Draw on a canvas, the first one say, with the mouse, along points in its pixels"
        canvas = self.box.locator('canvas').nth(canvas)
        canvas.scroll_into_view_if_needed()
        at = canvas.bounding_box()
        for i,(x,y) in enumerate(points):
            self.page.mouse.move(at['x']+x, at['y']+y, steps=4)
            if i==0: self.page.mouse.down()
        self.page.mouse.up()

    # eyes
    def value(self, slider): return self.control('slider', slider).locator('.widget-readout').inner_text()

    def picture(self, title=''):
        "The pixels of the picture under `title`, which must be in sight: `(H, W, 3)` float, 0..1"
        image = self.image(title)
        image.wait_for()        # visible, not only there
        png = base64.b64decode(image.evaluate(PIXELS).partition(',')[2])
        return np.asarray(Image.open(io.BytesIO(png)).convert('RGB'))/255

    def canvas(self):
        "The pixels of the canvas: `(H, W, 3)` uint8, what is transparent in black"
        png = self.box.locator('canvas').first.evaluate('c => c.toDataURL()').partition(',')[2]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert('RGB'))

    def image(self, title=''):
        if not title: return self.box.locator('img.widget-image')
        return self.box.locator('.widget-vbox',
                                has=self.page.locator(':scope > .widget-label',
                                                      has_text=whole(title))).locator('img.widget-image')

    def until(self, title, true, what):
        "Wait for the picture under `title` to be as `true(picture)` says, and give it; `what` says so in words"
        seen = [None, None]
        def look():
            source = self.image(title).get_attribute('src')     # ipywidgets gives each picture a new one
            if source == seen[0]: return False                  # to decode it again takes time from the explorer
            seen[:] = [source, self.picture(title)]
            return true(seen[1])
        wait(look, f'{title or "the picture"} {what}', said=self.text)
        return seen[1]

    def changed(self, title, before): return self.until(title, lambda p: differs(p, before), 'changes')

    def text(self): return self.box.locator('.jp-OutputArea').first.inner_text()

    def says(self, words): wait(lambda: words in self.text(), f'the explorer says {words!r}', said=self.text)


class Menu(Explorer):
    "The page of `sketchbook app`: whatever explorer is shown, and the menu to choose it by"
    def open(self, title):
        "Choose an explorer and wait until it is shown"
        self.box.locator('.sketchbook-menu button', has_text=whole(title)).click()
        self.box.locator('h2', has_text=whole(title)).wait_for()
        failed = self.box.locator(SAID_IN_RED)
        self.box.locator('img.widget-image').or_(failed).first.wait_for()
        assert not failed.count(), failed.first.inner_text()


def differs(a, b, by=1e-4): return a.shape!=b.shape or np.abs(a-b).mean() > by

def white(picture): return (picture.min(-1) > .98).mean()

def ink(picture): return 1 - picture.mean()
