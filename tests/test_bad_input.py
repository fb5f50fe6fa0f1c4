"Bad input: one clear sentence, the right exit status, the good photos done, nothing half-written left behind"
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch

from sketchbook.cli import main
from sketchbook.data import sample_photos, save_image


@pytest.fixture
def nets(small_nets): return small_nets


@pytest.fixture
def own(nets):
    return ['--mask-weights', str(nets['mask']), '--sketch-weights', str(nets['sketch']), '--resolution', '1',
            '--no-vectorize']


@pytest.fixture
def good(tmp_path):
    photo = sample_photos(['cat'])['cat'][:120,:160]
    for n in ('first', 'last'): save_image(tmp_path/'photos'/f'{n}.jpg', photo)
    return tmp_path/'photos'


@pytest.fixture
def fails(capsys):
    "Run a command that must fail with status 2 and a sentence holding all of `parts`; `out` may not come to be"
    def check(words, *parts, out=None):
        status = main([str(w) for w in words])
        printed, err = capsys.readouterr()
        assert status == 2 and printed == '', (status, printed, err)
        assert err.count('\n') == 1 and err.endswith('.\n') and 'Traceback' not in err, err
        for part in parts: assert str(part) in err, err
        if out is not None: assert not os.path.lexists(out), 'nothing should be left behind'
        return err
    return check


def leftovers(folder): return [f for f in folder.rglob('*') if f.name.startswith('.') or f.suffix in ('.tmp', '.part')]


# photos

def test_missing_path(fails, tmp_path, good, own):
    out = tmp_path/'out'
    fails(['run', tmp_path/'nowhere.jpg', '--out', out, *own], 'nowhere.jpg', out=out)
    fails(['run', good, tmp_path/'nowhere', '--out', out, *own], 'nowhere', out=out)
    fails(['vectorize', tmp_path/'nowhere', '--out', out], 'nowhere', out=out)


def test_empty_folder(fails, tmp_path, own):
    out = tmp_path/'out'
    (tmp_path/'empty').mkdir()
    fails(['run', tmp_path/'empty', '--out', out, *own], 'empty', out=out)
    (tmp_path/'empty'/'notes.txt').write_text('no photo')
    fails(['run', tmp_path/'empty', '--out', out, *own], 'empty', out=out)
    fails(['vectorize', tmp_path/'empty', '--out', out], 'empty', out=out)


def broken_files(folder):
    "Files that look like photos and are none"
    whole = (folder/'first.jpg').read_bytes()
    (folder/'cut.jpg').write_bytes(whole[:len(whole)//2])
    save_image(folder/'cut2.png', np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8))
    data = (folder/'cut2.png').read_bytes()
    (folder/'cut2.png').write_bytes(data[:len(data)//2])
    (folder/'letter.png').write_text('Dear photo, ...')
    (folder/'nothing.jpg').write_bytes(b'')
    return ['cut.jpg', 'cut2.png', 'letter.png', 'nothing.jpg']


def test_bad_photos_among_good_ones(good, tmp_path, own, capsys):
    bad = broken_files(good)
    out = tmp_path/'out'
    assert main(['run', str(good), '--out', str(out), *own]) == 1
    printed, err = capsys.readouterr()
    assert printed == f'2 photos sketched into {out}, 4 skipped\n'
    # small photos may earn a warning besides
    lines = [l for l in err.splitlines() if not l.startswith('sketchbook: ')]
    assert len(lines) == 4 and all(l.startswith('skipped ') and name in l for l, name in zip(lines, bad)), err
    assert sorted(f.name for f in (out/'gallery').iterdir()) == ['first.png', 'last.png'] and not leftovers(tmp_path)
    report = json.loads((out/'report.json').read_text())
    assert [os.path.basename(e['photo']) for e in report['skipped']] == bad
    assert all(e['reason'] for e in report['skipped'])
    assert report['finished'] and len(report['photos']) == 2


def test_bad_sketches_among_good_ones(tmp_path, capsys):
    page = np.ones((60, 60), np.float32)
    page[30] = 0
    save_image(tmp_path/'s'/'good.png', page)
    (tmp_path/'s'/'letter.png').write_text('Dear sketch, ...')
    assert main(['vectorize', str(tmp_path/'s'), '--out', str(tmp_path/'out'), '--size', '100']) == 1
    assert 'letter.png' in capsys.readouterr().err
    assert (tmp_path/'out'/'vector'/'good.svg').exists() and not leftovers(tmp_path)


def test_only_a_text_that_calls_itself_a_picture(tmp_path, own, capsys):
    (tmp_path/'letter.png').write_text('Dear photo, ...')
    assert main(['run', str(tmp_path/'letter.png'), '--out', str(tmp_path/'out'), *own]) == 1
    assert 'letter.png' in capsys.readouterr().err
    assert [f.name for f in (tmp_path/'out').iterdir()] == ['report.json']


def test_an_unreadable_photo(good, tmp_path, own, capsys):
    "A file that may not be opened; root may open anything, so there a folder stands in its place"
    bad = good/'locked.jpg'
    bad.write_bytes(b'x')
    bad.chmod(0)
    assert main(['run', str(good), '--out', str(tmp_path/'out'), *own]) == 1
    assert 'locked.jpg' in capsys.readouterr().err and (tmp_path/'out'/'sketch'/'last.png').exists()


# output

def test_unwritable_output(fails, good, tmp_path, own):
    (tmp_path/'file').write_text('x')
    for out in (tmp_path/'file', tmp_path/'file'/'out', '/proc/nothing-can-be-made-here'):
        fails(['run', good, '--out', out, *own], out, 'cannot be written')
        fails(['vectorize', good, '--out', out], out, 'cannot be written')
    assert (tmp_path/'file').read_text() == 'x'


def test_a_file_where_a_folder_of_results_belongs(fails, good, tmp_path, own):
    (tmp_path/'out').mkdir()
    (tmp_path/'out'/'sketch').write_text('mine')
    fails(['run', good, '--out', tmp_path/'out', *own], 'sketch', 'folder')
    assert [f.name for f in (tmp_path/'out').iterdir()] == ['sketch']
    assert (tmp_path/'out'/'sketch').read_text() == 'mine'


@pytest.mark.skipif(os.name != 'posix' or os.geteuid() == 0, reason='root may write anywhere')
def test_output_without_permission(fails, good, tmp_path, own):
    (tmp_path/'out').mkdir(mode=0o500)
    fails(['run', good, '--out', tmp_path/'out', *own], tmp_path/'out', 'cannot be written')


# options

@pytest.mark.parametrize('words, parts', [
    (['--resolution', '-1'], ['--resolution', "'-1'", '600 px']),
    (['--resolution', '1.5'], ['--resolution', "'1.5'"]),
    (['--softctr', '2'], ['--softctr', "'2'", 'from 0 to 1']),
    (['--softctr', '-0.1'], ['--softctr', 'from 0 to 1']),
    (['--mask-version', '3'], ['--mask-version', 'from 1 to 2']),
    (['--mask-mode', 'medium'], ['--mask-mode', 'soft', 'hard']),
    (['--method', 'magic'], ['--method', 'trace']),
    (['--frame', 'both'], ['--frame', "'photo'", "'object'"]),
    (['--frame', 'object', '--no-mask'], ['frame', "'photo' when no mask is made"]),
    (['--size', '0'], ['--size', 'from 64 to 4096']),
    (['--gama'], ['--gama']),
    (['--device', 'abacus'], ['abacus', 'cpu'])])
def test_wrong_options(fails, good, tmp_path, words, parts):
    fails(['run', good, '--out', tmp_path/'out', *words], *parts, out=tmp_path/'out')


def test_cuda_on_a_machine_without(fails, good, tmp_path, own, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    fails(['run', good, '--out', tmp_path/'out', '--device', 'cuda', *own], 'cuda', 'cpu', out=tmp_path/'out')


def test_no_output_named(fails, good): fails(['run', good], '--out')
def test_unknown_command(fails): fails(['rum'], 'rum', 'run')


# networks

def test_unknown_network(fails, tmp_path, good):
    out = tmp_path/'out'
    fails(['train', 'masknet2', '--data', good, '--out', out], "'masknet2'", 'masknet-v2', 'sketchnet', out=out)
    fails(['evaluate', 'sketchnt', '--data', good], "'sketchnt'")
    fails(['weights', 'sketchnt'], "'sketchnt'")
    fails(['run', good, '--out', out, '--sketch-weights', 'sketchnt'], "'sketchnt'", out=out)
    fails(['run', good, '--out', out, '--sketch-weights', tmp_path/'gone.safetensors', '--no-mask'], 'gone.safetensors',
          out=out)


def test_missing_training_data(fails, tmp_path):
    for words in (['train', 'masknet-v2', '--out', tmp_path/'run'], ['train', 'sketchnet', '--out', tmp_path/'run']):
        fails([*words, '--data', tmp_path/'nowhere.tar'], 'nowhere.tar', out=tmp_path/'run')


def test_training_data_of_the_wrong_kind(fails, tmp_path, good):
    (tmp_path/'data.tar').write_text('not a tar')
    fails(['train', 'masknet-v2', '--out', tmp_path/'run', '--data', tmp_path/'data.tar'], 'data.tar',
          out=tmp_path/'run')
    fails(['train', 'masknet-v2', '--out', tmp_path/'run', '--data', good], 'photos', out=tmp_path/'run')


def spoil(nets, folder, how):
    "A copy of good weights with a fault"
    file = folder/'bad.safetensors'
    data, card = nets['sketch'].read_bytes(), nets['sketch'].with_suffix('.json').read_text()
    if how == 'flipped': data = data[:-9] + bytes([data[-9]^255]) + data[-8:]
    if how == 'cut': data = data[:len(data)//2]
    if how == 'empty': data = b''
    if how == 'bad card': card = card[:40]
    file.write_bytes(data)
    if how != 'no card': file.with_suffix('.json').write_text(card)
    return file


@pytest.mark.parametrize('how', ['flipped', 'cut', 'empty', 'bad card', 'no card'])
def test_corrupted_weights(fails, tmp_path, good, nets, how):
    bad, out = spoil(nets, tmp_path, how), tmp_path/'out'
    fails(['run', good, '--out', out, '--no-mask', '--sketch-weights', bad], 'bad.', out=out)
    fails(['evaluate', bad, '--data', good], 'bad.')
    fails(['weights', bad, '--verify'], 'bad.')


class Trap:
    "Leaves a trace when it is unpickled"
    def __init__(self, path): self.path = path
    def __reduce__(self): return os.mkdir, (str(self.path),)


@pytest.mark.parametrize('suffix', ['.pt', '.pth', '.safetensors'])
def test_pickled_checkpoints_are_refused_unopened(fails, tmp_path, good, suffix):
    out, trap = tmp_path/'out', tmp_path/'sprung'
    new, old = tmp_path/f'new{suffix}', tmp_path/f'old{suffix}'
    torch.save({'net': Trap(trap)}, new)
    old.write_bytes(pickle.dumps(Trap(trap)))
    assert zipfile.is_zipfile(new)
    for file in (new, old):
        fails(['run', good, '--out', out, '--no-mask', '--sketch-weights', file], file.name, 'pickle', out=out)
        fails(['evaluate', file, '--data', good], file.name, 'pickle')
    assert not trap.exists()


def test_weights_of_another_network(fails, tmp_path, good, nets):
    fails(['run', good, '--out', tmp_path/'out', '--no-mask', '--sketch-weights', nets['mask']], 'MaskNet', 'SketchNet',
          out=tmp_path/'out')


def test_a_file_name_that_is_no_text_stops_nobody(good, own, tmp_path):
    odd = os.fsdecode(os.fsencode(good) + b'/od\xff.jpg')
    try: os.link(good/'first.jpg', odd)
    except OSError: pytest.skip('this file system takes only text for names')
    out = tmp_path/'out'
    assert main(['run', str(good), '--out', str(out), *own]) == 0
    report = json.loads((out/'report.json').read_text(encoding='utf-8'))
    assert len(report['photos']) == 3 and len(list((out/'sketch').iterdir())) == 3


def test_an_empty_name_for_the_results(fails, good, own): fails(['run', good, '--out', '', *own], 'empty')


@pytest.mark.parametrize('words', [['--minutes', '0'], ['--device', 'cuda:99'], ['--minutes', 'nan']])
def test_train_settings_that_make_no_sense(words, capsys, tmp_path):
    assert main(['train', 'sketchnet', '--data', str(tmp_path), '--out', str(tmp_path/'run'), *words]) == 2
    assert 'Traceback' not in capsys.readouterr().err and not (tmp_path/'run').exists()
