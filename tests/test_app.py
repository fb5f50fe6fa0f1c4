"The page of all explorers and its command: what the menu offers, who may open it, how the command begins and ends"
import ast, json, os, re, signal, socket, subprocess, sys, time, urllib.error, urllib.request
from types import SimpleNamespace

import pytest

W = pytest.importorskip('ipywidgets')

from sketchbook import app as A
from sketchbook import weights
from sketchbook.app import ENTRIES, Entry, app, _serve
from sketchbook.cli import main

SLOW = 120      # seconds that nothing here takes


def label(text='made'): return lambda: W.Label(text)

def entries(monkeypatch, **makers):
    "Entries whose explorers are made by `makers`, by title"
    fake = SimpleNamespace(**makers)
    monkeypatch.setattr(A, 'import_module', lambda name: fake)
    return [Entry(title, 'A sentence.', 'fake', title) for title in makers]


# the menu

def test_every_explorer_of_the_chapters_is_in_the_menu(root):
    every = set()
    for p in (root/'sketchbook').glob('*.py'):
        tree = ast.parse(p.read_text(encoding='utf-8'))
        every |= {(p.stem, f.name) for f in tree.body
                  if isinstance(f, ast.FunctionDef) and f.name.startswith('explore_')}
    assert {(e.module, e.function) for e in ENTRIES}==every


def test_titles_and_sentences():
    assert len({e.title for e in ENTRIES})==len(ENTRIES)
    for e in ENTRIES: assert re.fullmatch(r'[A-Z][^.]*\.', e.about), e.about


def test_an_explorer_without_its_weights_is_not_offered(monkeypatch):
    monkeypatch.setattr(weights, 'available', lambda: ['sketchnet'])
    offered = app().menu.options
    assert 'Sketch' in offered and 'Strokes' in offered and 'Masks' not in offered and 'Style' not in offered


def test_an_explorer_without_its_packages_is_not_offered():
    there, gone = Entry('There', '.', 'a', 'b', packages=('json',)), Entry('Gone', '.', 'a', 'b', packages=('no_such',))
    assert app([there, gone]).menu.options==('There',)


def test_made_once_when_chosen_first(monkeypatch):
    log = []
    maker = lambda title: lambda: log.append(title) or W.Label()
    page = app(entries(monkeypatch, one=maker('one'), two=maker('two')))
    assert log==[] and page.body.children==() and page.menu.value is None
    assert 'stay on this computer' in page.heading.value
    for title in ('one', 'two', 'one'): page.menu.value = title
    assert log==['one', 'two'] and page.body.children==(page.made['one'],) and 'A sentence.' in page.heading.value


def test_a_failure_is_one_sentence_and_is_tried_again(monkeypatch):
    tries = []
    def bad():
        tries.append(1)
        if len(tries)==1: raise RuntimeError('no <memory>\nand more')
        return W.Label()
    page = app(entries(monkeypatch, good=label(), bad=bad))
    page.menu.value = 'bad'
    assert page.message.text=='RuntimeError: no <memory>' and '&lt;memory&gt;' in page.message.widget.value
    assert page.body.children==() and page.made=={}
    page.menu.value = 'good'
    assert page.message.text=='' and page.body.children==(page.made['good'],)
    page.menu.value = 'bad'
    assert page.message.text=='' and len(tries)==2 and page.body.children==(page.made['bad'],)


# the command

@pytest.mark.parametrize('words', [['--port', 'eight'], ['--port', '70000'], ['--host', '0.0.0.0']])
def test_wrong_words(words, capsys):
    assert main(['app', *words])==2
    assert len(capsys.readouterr().err.strip().splitlines())==1


def test_help_names_the_options(capsys):
    assert main(['app', '--help'])==0
    out = capsys.readouterr().out
    assert '--port' in out and '--no-browser' in out and '8866' in out


def test_without_voila(monkeypatch, capsys):
    for name in [n for n in sys.modules if n.partition('.')[0]=='voila']: monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'voila', None)
    assert main(['app'])==2
    assert capsys.readouterr().err=='sketchbook: the package voila is missing; install it with pip.\n'
    with pytest.raises(ModuleNotFoundError, match='pip install voila'): _serve()


def test_no_free_port(monkeypatch, capsys):
    pytest.importorskip('voila')
    monkeypatch.setattr(A, '_RETRIES', 0)
    before = signal.getsignal(signal.SIGTERM)       # which Voila takes
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0)); taken.listen()
        port = taken.getsockname()[1]
        try: assert main(['app', '--port', str(port), '--no-browser'])==2
        finally: signal.signal(signal.SIGTERM, before)
    said = capsys.readouterr().err
    assert said==f'sketchbook: no port from {port} to {port} is free; name another with --port.\n'


@pytest.fixture(scope='module')
def running(root, tmp_path_factory):
    "The command, told to use a port that is taken and to open a browser that writes down what it is given"
    pytest.importorskip('voila')
    here = tmp_path_factory.mktemp('somewhere else')
    (here/'temporary').mkdir()
    # what no setting found in the current folder may change
    (here/'voila.json').write_text(json.dumps({'Voila': {'ip': '0.0.0.0', 'token': ''}}))
    browser = here/'browser'
    browser.write_text(f'#!{sys.executable}\nimport sys\nopen("opened", "w").write(sys.argv[1])\n')
    browser.chmod(0o755)
    env = {k:v for k,v in os.environ.items() if k!='IN_TEST'}
    env |= dict(PYTHONPATH=str(root), BROWSER=f'"{browser}" %s', TMPDIR=str(here/'temporary'))
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0)); taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, '-m', 'sketchbook.cli', 'app', '--port', str(port)]
        # who is started in the background ignores Ctrl-C, and so would the program
        hear = None if os.name=='nt' else lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        process = subprocess.Popen(command, cwd=here, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, preexec_fn=hear)
        said = [process.stdout.readline() for _ in range(3)]
    try: yield SimpleNamespace(process=process, said=said, taken=port, here=here,
                               address=(re.search(r'http://\S+', ''.join(said)) or [''])[0])
    finally: process.kill(); process.wait()


def get(url, **headers):
    "Status and headers of an answer; redirections are not followed"
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *a): return None
    try:
        with urllib.request.build_opener(Stay).open(urllib.request.Request(url, headers=headers), timeout=SLOW) as a:
            return a.status, a.headers
    except urllib.error.HTTPError as e: return e.code, e.headers


def test_it_says_where_the_page_is(running):
    first, second, third = running.said
    port = int(re.search(r':(\d+)/', running.address)[1])
    assert running.taken < port <= running.taken + 20
    assert first==f'Port {running.taken} is not free, so the page has port {port}.\n'
    assert re.fullmatch(rf'The explorers are at http://127\.0\.0\.1:{port}/\?token=[0-9a-f]{{32}}\n', second)
    assert third=='No other computer can open this page. Ctrl-C ends it.\n'


def test_it_opens_the_page(running):
    end = time.monotonic() + SLOW
    opened = running.here/'opened'
    while not (opened.exists() and opened.read_text()) and time.monotonic() < end: time.sleep(.05)
    assert opened.read_text()==running.address


def other_addresses():
    "This machine's addresses that other machines can reach"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try: s.connect(('192.0.2.1', 9)); found = {s.getsockname()[0]}      # sends nothing
        except OSError: found = set()
    return found | {'127.0.0.2'}


def test_loopback_only(running):
    "Connections to any other address of this machine are refused"
    port = int(re.search(r':(\d+)/', running.address)[1])
    for address in other_addresses():
        with socket.socket() as s:
            s.settimeout(10)
            assert s.connect_ex((address, port))!=0, f'{address} is open'


def test_only_with_the_token_and_by_its_own_name(running):
    plain = running.address.partition('?')[0]
    status, headers = get(plain)
    assert status==302 and '/login' in headers['Location']
    assert get(f'{plain}?token=guess')[0]==302
    assert get(f'{plain}voila/api/shutdown/x')[0] in (403, 405)
    assert get(f'{plain}login', Host='attacker.example')[0]==403
    status, headers = get(f'{plain}login')
    assert status==200 and "default-src 'self'" in headers['Content-Security-Policy']


@pytest.mark.skipif(os.name=='nt', reason='Windows has no SIGINT for one process')
def test_ctrl_c(running):
    "It ends with status 0 and leaves no file; the last test, for the server is gone then"
    running.process.send_signal(signal.SIGINT)
    out, err = running.process.communicate(timeout=SLOW)
    assert (running.process.returncode, out)==(0, 'The page has ended.\n') and 'Traceback' not in err
    assert list((running.here/'temporary').iterdir())==[]
