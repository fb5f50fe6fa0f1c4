"What the tools share: where the chapters are, how they are read and written, which directives they carry"
import configparser, json, os, re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NBS = ROOT/'nbs'
PAGES = {'index', 'glossary'}     # notebooks that export no module


def settings(root=ROOT):
    "nbdev's `settings.ini` as a mapping"
    ini = configparser.ConfigParser()
    if not ini.read(Path(root)/'settings.ini', encoding='utf-8'): raise SystemExit(f'{root}/settings.ini is missing')
    return ini['DEFAULT']


def flags(root=ROOT):
    "The directives that mark a cell as not run by default"
    return set(settings(root)['tst_flags'].split())


def chapters(folder=NBS):
    "Every notebook of the book, in reading order"
    return sorted(p for p in Path(folder).glob('*.ipynb') if not p.name.startswith(('_', '.')))


def find_chapter(name, folder=NBS):
    "The notebook called `name`: `02_sketchnet`, `sketchnet`, or a path to a notebook"
    if str(name).endswith('.ipynb') and Path(name).is_file(): return Path(name)
    stem = Path(name).name.removesuffix('.ipynb')
    found = [p for p in chapters(folder) if p.stem==stem or p.stem.partition('_')[2]==stem]
    if len(found)==1: return found[0]
    raise SystemExit(f'no chapter is called {str(name)!r}; there are: {", ".join(p.stem for p in chapters(folder))}')


def source(cell):
    "A cell's source as one string, in whichever of the two forms the file has it"
    src = cell['source']
    return src if isinstance(src, str) else ''.join(src)


def directives(src):
    "The `#|` lines at the top of a cell, as `{word: arguments}`"
    found = {}
    for line in src.splitlines():
        if not line.strip() or line.startswith('%%'): continue
        m = re.match(r'\s*#\s*\|\s*([^\s:]*):?\s*(.*)', line)
        if not m: break
        found[m[1]] = m[2].strip()
    return found


def runs(cell, skip_flags):
    "Is this a code cell that runs by default?"
    if cell['cell_type']!='code': return False
    d = directives(source(cell))
    return d.get('eval', '').lower()!='false' and not skip_flags & d.keys()


def skipped_whole(nb):
    "Does the list under the title say `- skip_exec: true`?"
    first = next((c for c in nb['cells'] if c['cell_type'] in ('markdown', 'raw')), None)
    return first is not None and re.search(r'^-?\s*skip_exec:\s*true', source(first), re.M|re.I) is not None


def read(path):
    "A notebook as the plain JSON it is"
    return json.loads(Path(path).read_text(encoding='utf-8'))


def dumps(nb):
    "The one form in which notebooks are stored, the same as nbdev's"
    return json.dumps(nb, sort_keys=True, indent=1, ensure_ascii=False) + '\n'


def write(path, text):
    "Write `text` under a temporary name, then rename; an unchanged file is left alone"
    path = Path(path)
    if path.exists() and path.read_text(encoding='utf-8')==text: return False
    tmp = path.with_name(path.name + '.part')
    tmp.write_text(text, encoding='utf-8')
    os.replace(tmp, path)
    return True
