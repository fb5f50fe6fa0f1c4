"""List numbers in the prose that no code, printed result or card contains: tools/prose_numbers.py [CHAPTER...]

For after weights or a filter changed: such a number may be of an earlier run. It is listed with the words around it.
Many are right, because they stand in a figure's title, in a paper or in the output of a command; so this asks and does
not judge. Of the cards only the measurements of networks that the chapter names count. Years and whole numbers below
60 without a % are left out, and so is what is part of a word or follows a hyphen.
"""
import json, re, sys
from bisect import bisect_left

import chapters as C

NUMBER = re.compile(r'(?<![\w.#/-])(?:\d{1,3}(?:,\d{3})+|\d+\.\d+|\d+)(?![\w/]|\.\d)')
LINK = re.compile(r'\]\([^)]*\)|https?://\S+')
PERCENT = re.compile(r'\s?\\?%')
NOT_MEASURED = 'curves', 'losses', 'seed', 'bytes', 'command', 'sha256'


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


def worth_asking(text, percent):
    "Is it a measured number, by its looks?"
    year = ',' not in text and 1900 < value(text) < 2030
    return '.' in text or percent or value(text) >= 60 and not year


def is_known(text, percent, known):
    "Is a number, rounded as the text has it, among `known`, sorted; a percentage as a share, too?"
    places = len(text.partition('.')[2])
    for scale in (1, .01) if percent else (1,):
        low, high = (scale*(value(text) + sign*(.5*10**-places + 1e-9)) for sign in (-1, 1))
        i = bisect_left(known, low)
        if i < len(known) and known[i] <= high: return True
    return False


def questions(nb, cards=()):
    "Cell, number and the words around it, for each number that neither the notebook nor a card of its networks shows"
    whole = '\n'.join(map(C.source, nb['cells']))
    cards = [card for card in cards if re.search(rf'\b{re.escape(card["name"])}\b', whole)]
    named = [{k: v for k, v in card.items() if k not in NOT_MEASURED} for card in cards]
    known = values(json.dumps(named)) + [v for c in nb['cells'] if c['cell_type']=='code' for v in values(shown(c))]
    known.sort()
    for cell in nb['cells']:
        if cell['cell_type']!='markdown': continue
        text = LINK.sub(']', C.source(cell))
        for found in NUMBER.finditer(text):
            percent = bool(PERCENT.match(text, found.end()))
            if worth_asking(found[0], percent) and not is_known(found[0], percent, known):
                around = text[max(0, found.start()-70):found.end()+50]
                yield cell['id'], found[0], ' '.join(around.split())


def main(names):
    files = sorted((C.ROOT/'sketchbook'/'pretrained').glob('*.json'))
    cards = [json.loads(p.read_text(encoding='utf-8')) for p in files]
    for path in map(C.find_chapter, names) if names else C.chapters():
        for cell, number, around in questions(C.read(path), cards): print(f'{path.stem} {cell} {number}: {around}')
    return 0


if __name__=='__main__': sys.exit(main(sys.argv[1:]))
