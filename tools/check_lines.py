"""Which lines are longer than 120 characters? tools/check_lines.py [FILE...]

Looks at the code cells of the chapters, the modules, tests, tools and benchmarks; changes nothing. A module's
`__all__`, which nbdev writes and wraps, may be wider.
"""
import re, sys
from pathlib import Path

import chapters as C

MAX = 120
GENERATED = '_modidx.py'


def files(root=C.ROOT):
    "Everything that is code"
    found = [p for n in ('sketchbook', 'tests', 'tools', 'benchmarks') for p in sorted(Path(root, n).rglob('*.py'))]
    return [*C.chapters(Path(root, 'nbs')), *(p for p in found if p.name!=GENERATED)]


def hidden(match):
    "As many lines, all empty"
    return '\n'*match[0].count('\n')


def breakable(cell):
    "A cell's source without the lines of text that cannot be broken: rows of tables, lines with an address"
    src = C.source(cell)
    if cell['cell_type']=='code': return src
    return '\n'.join('' if l.lstrip().startswith('|') or '](http' in l else l for l in src.split('\n'))


def long_lines(path):
    "`(where, length)` of each line that is too long"
    if path.suffix=='.ipynb':
        parts = {f' cell {c["id"]}': breakable(c) for c in C.read(path)['cells']}
    else: parts = {'': re.sub(r'(?m)^__all__ = \[[^]]*', hidden, path.read_text(encoding='utf-8'))}
    return [(f'{path.name}{part}:{i}', len(l)) for part,src in parts.items() for i,l in enumerate(src.splitlines(), 1)
            if len(l)>MAX and not l.startswith('__all__')]     # which nbdev breaks as it likes


def main(argv=None):
    paths = [Path(p) for p in (sys.argv[1:] if argv is None else argv)] or files()
    found = [line for p in paths for line in long_lines(p)]
    for where,n in found: print(f'{where} has {n} characters; {MAX} are the most')
    if not found: print(f'no line of {len(paths)} files is too long')
    return bool(found)


if __name__=='__main__': sys.exit(main())
