"""Which numbers of the prose does nothing on the page show? tools/prose_numbers.py [CHAPTER...]

After weights or a filter changed: a number that no code cell, no printed result and no card of the weights contains may
be of an earlier run. It is shown with the words around it. Many are right, because they stand in a figure's title, in a
paper or in the output of a command; so this asks and does not judge. Counts below 60, years and links are left out.
"""
import json, re, sys
from bisect import bisect_left

import chapters as C

NUMBER = re.compile(r'(?<![\w.#/-])(?:\d{1,3}(?:,\d{3})+|\d+\.\d+|\d+)(?![\w/]|\.\d)')
LINK = re.compile(r'\]\([^)]*\)|https?://\S+')


def value(text): return float(text.replace(',', ''))


def values(text):
    "All numbers in a text"
    return [value(n) for n in NUMBER.findall(text)]


def shown(cell):
    "What a code cell says and prints, as one text"
    texts = [C.source(cell)]
    for output in cell.get('outputs', []):
        texts.append(''.join(output.get('text', '')))
        texts += [''.join(v) for kind, v in output.get('data', {}).items() if kind.startswith('text/')]
    return '\n'.join(texts)


def worth_asking(text):
    "Is it a measured number, by its looks?"
    return '.' in text or value(text) >= 60 and not 1900 < value(text) < 2030


def is_known(text, known):
    "Is a number, rounded as the text has it, among `known`, sorted; as a share or in per cent, too?"
    places = len(text.partition('.')[2])
    for scale in (1, 100, .01):
        low, high = (scale*(value(text) + sign*(.5*10**-places + 1e-9)) for sign in (-1, 1))
        i = bisect_left(known, low)
        if i < len(known) and known[i] <= high: return True
    return False


def questions(nb, cards=''):
    "Cell, number and the words around it, for each number that neither the notebook nor the cards show"
    known = sorted(values(cards) + [v for c in nb['cells'] if c['cell_type']=='code' for v in values(shown(c))])
    for cell in nb['cells']:
        if cell['cell_type']!='markdown': continue
        text = LINK.sub(']', C.source(cell))
        for found in NUMBER.finditer(text):
            if worth_asking(found[0]) and not is_known(found[0], known):
                around = text[max(0, found.start()-70):found.end()+50]
                yield cell['id'], found[0], ' '.join(around.split())


def main(names):
    files = sorted((C.ROOT/'sketchbook'/'pretrained').glob('*.json'))
    cards = '\n'.join(p.read_text(encoding='utf-8') for p in files)
    for path in map(C.find_chapter, names) if names else C.chapters():
        nb = json.loads(path.read_text(encoding='utf-8'))
        for cell, number, around in questions(nb, cards): print(f'{path.stem} {cell} {number}: {around}')
    return 0


if __name__=='__main__': sys.exit(main(sys.argv[1:]))
