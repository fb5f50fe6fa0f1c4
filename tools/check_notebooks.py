"""Are the committed notebooks clean, small and readable on the web? tools/check_notebooks.py [NOTEBOOK...]

Says what is wrong, one line each, and changes nothing.
"""
import base64, copy, json, re, struct, sys
from pathlib import Path

from nbdev.clean import clean_nb

import chapters as C

KNOWN = {'default_exp', 'export', 'exporti', 'exports', 'hide', 'eval', 'echo'}
ALONE = {'export', 'exporti', 'exports', 'hide'}   # an argument would send the cell into another module
EXPORTS = {'export', 'exporti', 'exports'}
NO_PICTURES = {'00d_weights', '06a_cli'}           # chapters that print tables only
MAX_BYTES, MAX_PICTURE, MAX_WIDTH, MAX_LINES = 1_500_000, 150_000, 900, 30
PARAMETER = re.compile(r'\s+\*{0,2}\w+\s*(:[^#]*|=[^#]*)?,?\s*#')
WIDGET = 'application/vnd.jupyter.widget'
LOCAL_PATH = re.compile(r'(?<![\w.])(/(?:home|root|Users|tmp|work|private|var/folders)/[\w.-]+'
                        r'|[A-Za-z]:\\\\?Users)|site-packages')


def text(lines): return lines if isinstance(lines, str) else ''.join(lines)


def check_directives(src, flags):
    "What is wrong with the `#|` lines of one code cell"
    code = False
    for line in src.splitlines():
        m = re.match(r'\s*#\s*\|\s*([^\s:]*):?\s*(.*)', line)
        if not m:
            code = code or (line.strip()!='' and not line.startswith('%%'))
            continue
        word,args = m[1],m[2].strip()
        if code: yield f'`{line.strip()}` stands below code, where it does nothing'
        elif word not in KNOWN | flags: yield f'`{line.strip()}`: there is no directive {word!r}'
        elif word in ALONE and args: yield f'`{line.strip()}`: {word!r} takes no argument here'
        elif word=='eval' and args!='false': yield f'`{line.strip()}`: only `eval: false` means something'
    d = C.directives(src)
    if EXPORTS & d.keys() and (flags & d.keys() or d.get('eval')=='false'):
        yield 'an exported cell must run: mark the demonstration below it instead'
    if EXPORTS & d.keys():   # a parameter with its description on a line of its own does not make a cell long
        lines = sum(bool(s.strip()) and not s.lstrip().startswith('#') and not PARAMETER.match(s)
                    for s in src.splitlines())
        if lines>MAX_LINES: yield f'exports {lines} lines; split it, {MAX_LINES} are the most'


def check_module(nb, name, flags):
    "A chapter names the one module it exports, after its own file"
    cells = [C.directives(C.source(c)) for c in nb['cells'] if c['cell_type']=='code']
    named = [d['default_exp'] for d in cells if 'default_exp' in d]
    want = [] if name in C.PAGES else [name.partition('_')[2]]
    if named!=want: yield f'`default_exp` names {named}, not {want}'


def check_picture(png):
    "Is a picture (base64) small enough for the page?"
    data = base64.b64decode(png)
    width = struct.unpack('>I', data[16:20])[0]
    if len(data)>MAX_PICTURE: yield f'a picture of {len(data)/1000:.0f} KB; {MAX_PICTURE//1000} KB are the most'
    if width>MAX_WIDTH: yield f'a picture {width} px wide; {MAX_WIDTH} px are the most'


def check_output(o):
    "What is wrong with one stored output"
    if o['output_type']=='error': yield f'a stored error: {o.get("ename")}'; return
    if o['output_type']=='stream':
        if o['name']=='stderr': yield f'a stored warning or progress bar: {text(o["text"]).strip()[:80]!r}'
        shown = text(o['text'])
    else:
        data = o.get('data', {})
        if o.get('metadata'): yield f'stored output metadata {sorted(o["metadata"])}'
        if any(k.startswith(WIDGET) for k in data): yield 'a stored widget, which is dead on the page'
        if 'image/svg+xml' in data and 'xlink' in text(data['image/svg+xml']):
            yield 'a figure stored as SVG, which differs on each run'
        if 'image/png' in data: yield from check_picture(text(data['image/png']))
        shown = '\n'.join(text(v) for k,v in data.items() if k.startswith('text'))
    for m in LOCAL_PATH.finditer(shown): yield f'a path of one machine: {m[0]}'


def check_clean(nb, raw):
    "Would `nbdev_clean` change the file, or is it stored in another form?"
    cleaned = copy.deepcopy(nb)
    clean_nb(cleaned)
    if cleaned!=nb: yield 'not clean: execution counts, cell metadata or addresses are stored; run `nbdev_clean`'
    elif C.dumps(nb)!=raw or any(isinstance(c['source'], str) and c['source'] for c in nb['cells']):
        yield 'not stored the way Jupyter stores it (lines as lists, keys sorted); run `make refresh`'
    if 'widgets' in nb.get('metadata', {}): yield 'stored widget state; run `make refresh`'


def check_ids(nb):
    "Every cell has an id of its own"
    ids = [c.get('id', '') for c in nb['cells']]
    for i in sorted({i for i in ids if ids.count(i)>1}): yield f'two cells share the id {i!r}'
    for i in ids:
        if not re.fullmatch(r'[A-Za-z0-9_-]{1,64}', i): yield f'{i!r} is no cell id'


def problems(path):
    "Everything wrong with the notebook at `path`, one sentence each"
    path = Path(path)
    raw = path.read_text(encoding='utf-8')
    try: nb = json.loads(raw)
    except ValueError as e: return [f'not a notebook: {e}']
    flags = C.flags()
    found = [*check_clean(nb, raw), *check_ids(nb), *check_module(nb, path.stem, flags)]
    if len(raw.encode())>=MAX_BYTES:
        found.append(f'{len(raw.encode())/1e6:.2f} MB; it must stay under {MAX_BYTES/1e6} MB')
    pictures = outputs = 0
    for c in (c for c in nb['cells'] if c['cell_type']=='code'):
        found += [f'cell {c.get("id")}: {p}' for p in check_directives(C.source(c), flags)]
        for o in c['outputs']:
            outputs += 1
            pictures += 'image/png' in o.get('data', {}) or 'image/jpeg' in o.get('data', {})
            found += [f'cell {c.get("id")}: {p}' for p in check_output(o)]
    code = any(c['cell_type']=='code' for c in nb['cells'])
    if code and not outputs: found.append('no outputs are stored; run `make refresh`')
    elif outputs and not pictures and path.stem not in NO_PICTURES | C.PAGES:
        found.append('no picture is stored; run `make refresh`')
    return found


def main(argv=None):
    paths = [Path(p) for p in (sys.argv[1:] if argv is None else argv)] or C.chapters()
    if not paths: print(f'there is no notebook in {C.NBS}'); return 1
    bad = [f'{p.name}: {s}' for p in paths for s in problems(p)]
    for line in bad: print(line)
    if not bad: print(f'{len(paths)} notebooks are clean')
    return bool(bad)


if __name__=='__main__': sys.exit(main())
