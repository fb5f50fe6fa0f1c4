"""Write README.md from nbs/index.ipynb, or with --check say whether it is in sync.

The notebook's stored outputs are used as they are: `make refresh CHAPTER=index` makes them anew.
"""
import argparse, posixpath, re, sys

import nbformat
from nbconvert import MarkdownExporter
from traitlets.config import Config

import chapters as C

NOTE = '<!-- made from nbs/index.ipynb by `make readme`; edit the notebook -->\n\n'
HIDDEN = 'source left out'   # stands for the source of `echo: false` cells until the page is made
IMAGES = 'docs/images'      # where pictures that index.ipynb drew are kept, relative to the root
LINK = re.compile(r'(\]\(|src="|href=")(?![a-z]+:|#|/)([^)"\s]+)')


def shown(nb):
    "A copy of `nb` as the README shows it: no hidden cells, no directives, with `echo: false` only the output"
    cells = []
    for c in nb.cells:
        c = nbformat.from_dict(dict(c))
        d = C.directives(c.source) if c.cell_type=='code' else {}
        if d.keys() & {'hide', 'default_exp'}: continue
        c.metadata['hide_source'] = d.get('echo')=='false'
        c.source = ''.join(l for l in c.source.splitlines(True) if not (d and re.match(r'\s*#\s*\|', l)))
        cells.append(c)
    return nbformat.from_dict(dict(nb, cells=cells, metadata={'language_info': {'name': 'python'}}))


def body(nb):
    "The markdown of `nb` and its pictures, by file name"
    for c in nb.cells:
        if c.metadata['hide_source']: c.source = HIDDEN
    config = Config(NbConvertBase=dict(display_data_priority=['text/markdown', 'image/png', 'text/plain']))
    md,resources = MarkdownExporter(config=config).from_notebook_node(nb)
    md = re.sub(rf'```\w*\n{HIDDEN}\n```\n*', '', md)
    md = re.sub(r'!\[(png|jpeg)\]', '![what the code above shows]', md)
    return md, resources['outputs']


def readme(path=C.NBS/'index.ipynb'):
    "The text of README.md and the pictures it shows, by path relative to the root"
    md,outputs = body(shown(nbformat.read(path, as_version=4)))
    names = {n: f'{IMAGES}/index-{i}{posixpath.splitext(n)[1]}' for i,n in enumerate(sorted(outputs), 1)}
    def moved(m):
        "A link of the notebook, which lives in nbs/, as seen from the root"
        target = names.get(m[2]) or posixpath.normpath(posixpath.join('nbs', m[2]))
        return m[1] + target
    md = LINK.sub(moved, md)
    md = re.sub(r'[ \t]+$', '', md, flags=re.M)
    md = re.sub(r'\n{3,}', '\n\n', md).strip()
    return NOTE + md + '\n', {names[n]: data for n,data in outputs.items()}


def stale(text, pictures):
    "What is not as it should be, by path relative to the root"
    here = {str(p.relative_to(C.ROOT)): p.read_bytes() for p in (C.ROOT/IMAGES).glob('index-*')}
    want = {'README.md': text.encode(), **pictures}
    readme = C.ROOT/'README.md'
    if readme.exists(): here['README.md'] = readme.read_bytes()
    return sorted(n for n in here.keys() | want.keys() if here.get(n)!=want.get(n)), want


def main(argv=None):
    p = argparse.ArgumentParser(description='Write README.md from nbs/index.ipynb')
    p.add_argument('--check', action='store_true', help='write nothing; exit 1 when README.md is not in sync')
    args = p.parse_args(argv)
    names,want = stale(*readme())
    if args.check:
        if names: print(f'{", ".join(names)}: not what nbs/index.ipynb says; run `make readme`')
        else: print('README.md is in sync')
        return bool(names)
    for n in names:
        path = C.ROOT/n
        if n in want: path.parent.mkdir(parents=True, exist_ok=True); path.write_bytes(want[n])
        else: path.unlink()
        print(f'{n}: {"written" if n in want else "removed"}')
    return 0


if __name__=='__main__': sys.exit(main())
