"The command line: quick to answer, real switches, the options and commands of the design, exit statuses"
import inspect
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import fields

import numpy as np
import pytest

from sketchbook import cli, pipeline, weights
from sketchbook.cli import main
from sketchbook.data import load_photo, sample_photos, save_image
from sketchbook.coco import build_coco_set
from sketchbook.pipeline import Pipeline
from sketchbook.vectorize import _METHODS


# what small untrained networks and small photos are warned of, once for each
WARNED = (': The resolution is more than twice', ': These weights draw no details')


@pytest.fixture(scope='module')
def own(small_nets):
    "Options that name small untrained networks"
    words = [x for k, f in small_nets.items() for x in (f'--{k}-weights', str(f))]
    return [*words, '--resolution', '1', '--device', 'cpu']


@pytest.fixture
def photos(tmp_path):
    photo = sample_photos(['cat'])['cat'][:120,:160]
    for n in ('a', 'b'): save_image(tmp_path/'photos'/f'{n}.png', photo)
    return tmp_path/'photos'


# quick to answer

@pytest.mark.parametrize('words', [
    ['--help'], ['run', '--help'], ['train', '--help'], ['build-coco', '--help'], ['--version'],
    ['run', '--softctr', '2', '--out', 'x', 'y']])
def test_help_loads_nothing_heavy(words, root):
    code = ('import sys; from sketchbook.cli import main; main(sys.argv[1:]); '
            'print("LOADED", [m for m in ("torch", "numpy", "cv2", "PIL", "skimage", "tqdm") if m in sys.modules])')
    done = subprocess.run([sys.executable, '-c', code, *words], capture_output=True, text=True,
                          env=os.environ | {'PYTHONPATH': str(root)})
    assert done.stdout.splitlines()[-1] == 'LOADED []', done.stderr


def test_version_and_help(capsys):
    assert main(['--version']) == 0 and re.fullmatch(r'sketchbook \d+\.\d+\.\d+\n', capsys.readouterr().out)
    assert main([]) == 2
    out = capsys.readouterr().out
    assert all(c in out for c in ('run', 'vectorize', 'build-coco', 'train', 'evaluate', 'weights'))


def test_options_are_those_of_the_pipeline():
    "Names, defaults and choices are written twice so that help is quick; they must not drift apart"
    args = cli._make_parser().parse_args(['run', 'x', '--out', 'y'])
    for f in fields(Pipeline): assert getattr(args, f.name) == f.default, f.name
    assert cli._settings(args) == Pipeline()
    for method in _METHODS:
        assert cli._make_parser().parse_args(['vectorize', 'x', '--out', 'y', '--method', method]).method == method


def test_options_are_those_of_the_set_builder():
    args, given = cli._make_parser().parse_args(['build-coco', 'x', 'y', '--out',
                                                 'z']), inspect.signature(build_coco_set).parameters
    for k in ('classes', 'centred', 'min_size', 'val', 'seed', 'size'): assert getattr(args, k) == given[k].default, k


def test_switches_are_real():
    words = ['run', 'x', '--out', 'y', '--no-mask', '--no-gamma', '--merge', '--no-vectorize', '--edge-aware',
             '--vector-panel', '--refine']
    p = cli._settings(cli._make_parser().parse_args(words))
    assert (p.mask, p.gamma, p.merge, p.vectorize, p.edge_aware, p.vector_panel, p.refine) == (False, False, True,
        False, True, True, True)
    assert cli._settings(cli._make_parser().parse_args(['run', 'x', '--out', 'y', '--resolution',
                                                        'own'])).resolution is None
    assert cli._settings(cli._make_parser().parse_args(['run', 'x', '--out', 'y', '--resolution', '0'])).resolution == 0


# commands

def test_run(photos, own, tmp_path, capsys):
    assert main(['run', str(photos), '--out', str(tmp_path/'out'), '--no-vectorize', *own]) == 0
    out, err = capsys.readouterr()
    assert out == f'2 photos sketched into {tmp_path/"out"}\n'
    assert all(any(w in line for w in WARNED) for line in err.splitlines())
    assert sorted(f.name for f in (tmp_path/'out'/'sketch').iterdir()) == ['a.png', 'b.png']
    assert json.loads((tmp_path/'out'/'report.json').read_text())['settings']['vectorize'] is False


def test_run_without_a_mask(photos, own, tmp_path):
    assert main(['run', str(photos/'a.png'), '--out', str(tmp_path/'out'), '--no-vectorize', '--no-mask', *own]) == 0
    assert sorted(f.name for f in (tmp_path/'out').iterdir()) == ['gallery', 'report.json', 'shaded', 'sketch']


def test_run_framed(photos, own, tmp_path, monkeypatch):
    from sketchbook import masknet
    def middle(photo, *a, **k):
        mask = np.zeros(photo.shape[:2], np.float32)
        mask[40:80,50:90] = 1
        return mask
    monkeypatch.setattr(masknet, 'predict_closely', middle)
    for frame, shape in (('photo', (120, 160)), ('object', (48, 48))):
        assert main(['run', str(photos/'a.png'), '--out', str(tmp_path/frame), '--no-vectorize', '--frame', frame,
                     '--min-side', '1', *own]) == 0
        for kind in ('mask', 'foreground', 'sketch'): assert load_photo(tmp_path/frame/kind/'a.png').shape[:2] == shape


def test_run_samples(own, tmp_path):
    assert main(['run', '--samples', '--out', str(tmp_path), '--no-vectorize', *own]) == 0
    assert sorted(f.stem for f in (tmp_path/'gallery').iterdir()) == sorted(cli._SAMPLES) and len(cli._SAMPLES) == 4


def test_run_needs_photos_or_samples(tmp_path, capsys, photos):
    for words in ([], ['--samples', str(photos)]):
        assert main(['run', *words, '--out', str(tmp_path/'out')]) == 2
        assert capsys.readouterr().err == 'sketchbook: name photos or folders, or use --samples.\n'
    assert not (tmp_path/'out').exists()


def test_vectorize(tmp_path, capsys):
    page = np.ones((80, 120), np.float32)
    page[40:43,10:110] = 0
    save_image(tmp_path/'line.png', page)
    assert main(['vectorize', str(tmp_path/'line.png'), '--out', str(tmp_path/'out'), '--size', '240']) == 0
    assert capsys.readouterr().out == f'1 sketch vectorized into {tmp_path/"out"}\n'
    drawn = load_photo(tmp_path/'out'/'vector'/'line.png')
    assert drawn.shape == (80, 120, 3) and drawn[41,60].max() < 100 and drawn[10,60].min() > 200


def test_vectorize_says_which_file_it_means(tmp_path, capsys):
    y, x = np.mgrid[:90,:120]
    save_image(tmp_path/'in'/'dark.png', np.zeros((40, 40), np.float32))
    save_image(tmp_path/'in'/'photo.png', (.5+.3*np.sin(x/9)*np.cos(y/7)).astype(np.float32))
    assert main(['vectorize', str(tmp_path/'in'), '--out', str(tmp_path/'out'), '--size', '120']) == 1
    out, err = capsys.readouterr()
    assert out == f'1 sketch vectorized into {tmp_path/"out"}, 1 skipped\n'
    assert f'{tmp_path/"in"/"photo.png"}: this looks more like a photo' in err
    assert f'skipped {tmp_path/"in"/"dark.png"}: 100% of the sketch is dark' in err and 'Error' not in err
    assert 'light on dark' not in err


@pytest.mark.parametrize('name, options', [('masknet-v2', ['--batch-size', '2']), ('sketchnet', ['--batch-size', '1'])])
def test_train_evaluate_and_use(name, options, tmp_path, capsys, photos):
    "A network by name, two steps, then measured and drawn with"
    data = tmp_path/'data'
    photo = sample_photos(['cat'])['cat'][:200,:300]
    mask = np.zeros(photo.shape[:2], np.float32)
    mask[50:150,80:220] = 1
    lines = np.zeros_like(mask)
    lines[50,80:220] = lines[150,80:220] = 1
    for i in range(30):
        save_image(data/f'{i}.jpg', photo)
        save_image(data/(f'{i}.png' if name.startswith('mask') else f'{i}.boundaries.0.png'),
                   mask if name.startswith('mask') else lines)
    assert main(['train', name, '--data', str(data), '--out', str(tmp_path/'run'), '--steps', '2', '--device', 'cpu',
                 *options]) == 0, capsys.readouterr().err
    file = tmp_path/'run'/f'{name}.safetensors'
    card = weights.card(file)
    assert card['command'].startswith(f'sketchbook train {name}') and card['steps'] == 2
    capsys.readouterr()
    words = ['evaluate', str(file), '--data', str(data), '--limit', '1', '--json', '--device', 'cpu']
    assert main(words) == 0, capsys.readouterr().err
    assert json.loads(capsys.readouterr().out)
    option = '--mask-weights' if name.startswith('mask') else '--sketch-weights'
    other = [] if name.startswith('mask') else ['--no-mask']
    if name.startswith('mask') and 'sketchnet' not in weights.available(): return
    assert main(['run', str(photos), '--out', str(tmp_path/'out'), '--no-vectorize', '--resolution', '1', option,
                 str(file), *other]) == 0


# what a training starts from

@pytest.fixture
def small(monkeypatch, tmp_path):
    "A network `small` that trains in no time; a function that trains it, with `--resume` and all"
    import torch
    from sketchbook.data import PhotoFolder, _provenance
    from sketchbook.sketchnet import SketchNet
    from sketchbook.training import Task

    class Small(Task):
        name, stop = 'small', None
        def __init__(self, data): self.photos, self.about = PhotoFolder(data), _provenance(data)
        def networks(self): return {'net': SketchNet('shallow', width=.1)}
        def __len__(self): return len(self.photos)
        def sample(self, i, rng): return torch.ones(3, 32, 32), torch.zeros(1)
        def step(self, run, x, y):
            if run.step==Small.stop: os.kill(os.getpid(), signal.SIGINT)
            run.minimize(sum(p.square().sum() for p in run.nets['net'].parameters()), 'net')
            return {}

    monkeypatch.setattr(cli, '_tasks', lambda: {'small': Small})
    for name in ('one', 'two'): save_image(tmp_path/name/'a.png', sample_photos(['cat'])['cat'][:40,:40])
    def train(*words, data='one', stop=None, out=tmp_path/'run'):
        Small.stop = stop
        return main(['train', 'small', '--data', str(tmp_path/data), '--out', str(out), '--device', 'cpu',
                     '--batch-size', '1', *map(str, words)])
    return train


def test_init_is_on_the_card_and_checked_at_resume(small, small_nets, tmp_path, capsys):
    start = [*'--steps 4 --init'.split(), small_nets['sketch']]
    assert small(*start, stop=1)==130 and 'goes on' in capsys.readouterr().err
    other = weights.save(weights.load(small_nets['sketch'], 'cpu', fresh=True).train(), tmp_path/'other.safetensors',
                         dtype='float32')
    known = f'sketch.safetensors (sha256 {weights.card(small_nets["sketch"])["sha256"][:12]})'
    for words, kw, says in ((start[:2], {}, f'init = {known}, not None'),
                            ([*start[:3], other], {}, f'init = {known}, not other.safetensors'),
                            (start, dict(data='two'), 'data = one, not two')):
        assert small(*words, '--resume', **kw)==2
        err = capsys.readouterr().err
        assert says in err and err.endswith(': resume with the same settings.\n') and err.count('\n')==1
    assert small(*start, '--resume')==0
    card = weights.card(tmp_path/'run'/'small.safetensors')
    assert card['init']==known and card['data']=='one' and card['steps']==4
    assert '--init sketch.safetensors' in card['command']


def test_init_of_another_network_is_named(small, small_nets, tmp_path, capsys):
    (tmp_path/'torn.safetensors').write_bytes(small_nets['sketch'].read_bytes()[:99])
    for file, says in ((small_nets['mask'], 'mask.safetensors (sha256'), (tmp_path/'torn.safetensors', 'torn.'),
                       (tmp_path/'gone.safetensors', 'gone.safetensors'), ('masknet', "'masknet'")):
        assert small('--steps', '1', '--init', file)==2
        err = capsys.readouterr().err
        assert says in err and err.count('\n')==1 and not (tmp_path/'run').exists()


@pytest.mark.parametrize('words, says', [
    (['--batch-size', '1'+'0'*30], '`batch_size` should be a whole number from 1 to'),
    (['--seed', '1'+'0'*30], '`seed` should be a whole number from 0 to'), (['--seed', '9'*5000], '--seed'),
    (['--minutes', '0'], 'minutes should be more than 0')])
def test_numbers_that_make_no_sense_are_one_sentence(small, tmp_path, capsys, words, says):
    steps = [] if '--minutes' in words else ['--steps', '1']
    assert small(*steps, *words)==2
    err = capsys.readouterr().err
    assert says in err and err.count('\n')==1 and not (tmp_path/'run').exists()


def test_training_wants_a_folder(small, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path/'file').write_text('x')
    for out, says in (('', 'name of the folder for the run is empty'),
                      ('file', 'file: a training run cannot be written there'),
                      ('file/run', 'file/run: a training run cannot')):
        before = sorted(tmp_path.iterdir())
        assert small('--steps', '1', out=out)==2
        err = capsys.readouterr().err
        assert says in err and err.count('\n')==1 and sorted(tmp_path.iterdir())==before


def test_weights(capsys):
    assert main(['weights', '--verify']) == 0
    out = capsys.readouterr().out
    for name in weights.available():
        assert name in out
        assert main(['weights', name]) == 0 and weights.card(name)['sha256'] in capsys.readouterr().out


def test_reading_only_the_first_lines(monkeypatch, capsys):
    "`sketchbook weights | head -1` is no error: here the reader is gone before the first line"
    reader, writer = os.pipe()
    os.close(reader)
    with io.TextIOWrapper(os.fdopen(writer, 'wb', 0), write_through=True) as out:
        monkeypatch.setattr(sys, 'stdout', out)
        with pytest.raises(BrokenPipeError): print('x')
        assert main(['weights']) == 0 and capsys.readouterr().err == ''


# leaving

def run_many(photos, own, out, n):
    "The words of a run over `n` photos more"
    for i in range(n): shutil.copy(photos/'a.png', photos/f'{i:03}.png')
    return ['run', str(photos), '--out', str(out), '--no-vectorize', *own]


def check_what_is_left(out, err, n):
    "A sentence, a report of fewer than `n` photos, and their files, each whole"
    *said, last = err.splitlines()
    assert last == 'sketchbook: stopped; what is finished stays.'
    # said once for all photos, with the first one's name
    assert len(said) <= 2 and all(s.startswith('sketchbook: ') and any(w in s for w in WARNED) for s in said)
    report = json.loads((out/'report.json').read_text())
    assert not report['finished'] and 2 <= len(report['photos']) < n and not list(out.glob('.*'))
    for e in report['photos']:
        for f in e['outputs']: load_photo(out/f)


@pytest.mark.parametrize('sig', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_report_and_whole_files(sig, photos, own, tmp_path, capsys, monkeypatch):
    real, done = pipeline._write_result, []
    def signalled(*a):
        done.append(1)
        if len(done) == 3: os.kill(os.getpid(), sig)
        return real(*a)
    monkeypatch.setattr(pipeline, '_write_result', signalled)
    assert main(run_many(photos, own, tmp_path/'out', 3)) == 130 and len(done) == 3
    check_what_is_left(tmp_path/'out', capsys.readouterr().err, 4)


def test_a_program_that_is_told_to_end(photos, own, tmp_path, root):
    "The same from outside, at any moment, with the status that a shell sees"
    out = tmp_path/'out'
    p = subprocess.Popen([sys.executable, '-m', 'sketchbook.cli', *run_many(photos, own, out, 400)],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=os.environ | {'PYTHONPATH': str(root)})
    until = time.time()+90
    while time.time() < until and len(list((out/'sketch').glob('*.png'))) < 3: time.sleep(.05)
    p.terminate()
    err = p.communicate(timeout=60)[1]
    assert p.returncode == 130
    check_what_is_left(out, err, 402)


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch, photos, tmp_path, own):
    monkeypatch.setattr(pipeline, '_work_through', lambda *a: 1/0)
    with pytest.raises(ZeroDivisionError): main(['run', str(photos), '--out', str(tmp_path/'out'), *own])


# a chapter that no list knows

TOY = """
\"A chapter with a network, a command and headline numbers of its own\"
from pathlib import Path
import torch
from torch import nn
from sketchbook.training import Task

class Pot(nn.Module):
    def __init__(self, size=2):
        super().__init__()
        self.config, self.clay = dict(size=size), nn.Parameter(torch.ones(size))

class PotTask(Task):
    exports = ('netG',)
    def __init__(self,
        photos:Path,            # Folder of photos
        sketches:Path|None=None,# Folder of sketches
        size:int=2,             # Amount of clay, kilograms
        rates=(1e-3, 1e-4),     # Learning rates
        glaze:bool=False,       # Make it shine?
    ):
        self.name, self.size = 'toy', size
        self.about = dict(data=f'{Path(photos).name}, {sketches and Path(sketches).name}')
    def networks(self): return {'netG': Pot(self.size), 'netD': Pot(1)}
    def __len__(self): return 4
    def sample(self, i, rng): return torch.ones(1),
    def step(self, run, x):
        for k in ('netG', 'netD'): run.minimize(run.plain[k].clay.square().sum(), k)
        return {}

def phased(photos:Path, **kw) -> PotTask: return {'throw': PotTask(photos, **kw), 'fire': PotTask(photos, **kw)}

TASKS = {'toy-pot': PotTask, 'toy-phases': phased}
HEADLINES = ('roundness',)
COMMANDS = {'toy-wheel': ('wheel', 'turn photos'), 'toy-kiln': ('kiln', 'burn 100 % of them')}

def wheel(
    *photos,        # Photos, 100 % of them
    out:str,        # Folder for the results
    turns:int=3,    # How often
    dry:bool=True,  # Wait?
):
    print(photos, out, turns, dry)
    return dict(photos=photos[1:], skipped=[dict(reason=f'{photos[0]}: broken')])

def kiln(photos): raise ValueError(f'{photos} is wet')
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    "A toy chapter in the package; a function that runs a command and gives its status, output and errors"
    import sketchbook
    folder = tmp_path/'more'
    folder.mkdir()
    (folder/'toychapter.py').write_text(TOY)
    monkeypatch.setattr(sketchbook, '__path__', [*sketchbook.__path__, str(folder)])
    yield tmp_path
    sys.modules.pop('sketchbook.toychapter', None)
    vars(sketchbook).pop('toychapter', None)


def test_a_chapter_is_found_by_itself(toy, capsys):
    assert main(['--help']) == 0 and 'turn photos' in capsys.readouterr().out
    assert main(['toy-kiln', 'x']) == 2 and capsys.readouterr().err == 'sketchbook: x is wet.\n'
    assert 'sketchbook.toychapter' in sys.modules
    assert main(['toy-wheel', '--help']) == 0
    out = capsys.readouterr().out
    for w in ('Photos, 100 % of them', '--turns TURNS', 'How often (3)', '--no-dry', 'Turn photos.'): assert w in out
    assert main('toy-wheel a b --out c --turns 5 --no-dry'.split()) == 1
    assert capsys.readouterr() == ("('a', 'b') c 5 False\n1 photo done into c, 1 skipped\n", 'skipped a: broken\n')
    wrong = (['a', '--out', 'c', '--turns', 'x'], "--turns: 'x' should be a whole number"), (['a'], 'required: --out')
    for words, says in wrong:
        assert main(['toy-wheel', *words]) == 2
        err = capsys.readouterr().err
        assert says in err and err.count('\n') == 1


def test_help_does_not_import_a_chapter(toy, capsys):
    for words in (['--help'], ['train', '--help'], ['run', '--help']): assert main(words) == 0
    assert 'sketchbook.toychapter' not in sys.modules


def test_train_help_lists_data_and_settings(toy, capsys):
    assert main(['train', 'toy-pot', '--help']) == 0
    out = capsys.readouterr().out
    said = ('--photos PATH', 'Folder of photos', '[--sketches PATH]', 'size   2             Amount of clay, kilograms',
            'rates  0.001,0.0001  Learning rates', 'glaze  false         Make it shine?')
    assert all(w in out for w in said)
    assert '--data' not in out and '--val' not in out
    assert main(['train', 'toy-phases', '--help']) == 0 and 'Amount of clay' in capsys.readouterr().out


def train_toy(folder, *words, name='toy-pot', photos='photos'):
    words = ['train', name, '--photos', folder/photos, '--out', folder/'run', '--steps', 2, '--device', 'cpu', *words]
    return main([*map(str, words)])


def test_named_data_and_settings_reach_the_task_and_the_card(toy, capsys):
    words = ['--sketches', toy/'drawn', *'--set size=3 --set rates=.1,.2 --set glaze=true --precision fp32'.split()]
    assert train_toy(toy, *words) == 0, capsys.readouterr().err
    c = weights.card(toy/'run'/'toy-pot.safetensors')
    assert c['command'] == ('sketchbook train toy-pot --photos photos --sketches drawn --out runs/toy-pot --steps 2 '
                            '--precision fp32 --set size=3 --set rates=.1,.2 --set glaze=true')
    assert c['settings'] == dict(size=3, rates=[.1, .2], glaze=True)
    assert c['config'] == dict(size=3) and c['data'] == 'photos, drawn'
    assert train_toy(toy, *words[2:], '--resume') == 2
    assert 'data = photos, drawn, not photos, None' in capsys.readouterr().err
    words[3] = 'size=4'
    assert train_toy(toy, *words, '--resume') == 2 and "settings = {'size': 3, " in capsys.readouterr().err


def test_all_networks_are_saved_and_started_from(toy, capsys):
    import torch
    assert train_toy(toy) == 0
    file = toy/'run'/'toy-pot.safetensors'
    assert weights.available(toy/'run') == ['toy-pot', 'toy-pot.netD']
    start = cli._starting_weights(file, 'netG')
    assert list(start['init']) == ['netG', 'netD'] and 0 < start['init']['netD']['clay'] < 1
    assert start['origin'].startswith('toy-pot.safetensors (sha256 ')
    weights.amend(file, metrics=dict(val=dict(weight=3., roundness=.5)))
    assert 'val: roundness 0.5 ' in weights.describe([file])
    torch.save({}, toy/'run'/'toy-pot.netD.safetensors')
    assert train_toy(toy, '--init', file) == 2 and 'toy-pot.netD.safetensors' in capsys.readouterr().err


def test_phases_on_the_command_line(toy, capsys):
    assert train_toy(toy, name='toy-phases') == 0, capsys.readouterr().err
    made = ['toy-phases-fire', 'toy-phases-fire.netD', 'toy-phases-throw', 'toy-phases-throw.netD']
    assert weights.available(toy/'run') == made
    fire = toy/'run'/'toy-phases-fire.safetensors'
    assert weights.card(fire)['init'] == 'the phase throw' and weights.card(fire)['steps'] == 1
    capsys.readouterr()
    wrong = (('toy-phases', 'glaze', "There is no phase 'glaze': choose one of throw, fire."),
             ('toy-pot', 'fire', 'toy-pot has no phases.'))
    for name, phase, says in wrong:
        assert train_toy(toy, '--phase', phase, name=name) == 2 and capsys.readouterr().err == f'sketchbook: {says}\n'
    assert train_toy(toy, '--phase', 'fire', '--init', fire, '--steps', '1', '--resume', name='toy-phases') == 2
    assert 'was made with init = the phase throw, not toy-phases-fire.safetensors' in capsys.readouterr().err


@pytest.mark.parametrize('words, says', [
    (['--set', 'sise=3'], "there is no setting of toy-pot, 'sise', did you mean size? There are size, rates, glaze."),
    (['--set', 'size=2.5'], "--set size: '2.5' should be a whole number."),
    (['--set', 'glaze=2'], "--set glaze: '2' should be true or false."),
    (['--set', 'rates=1'], "--set rates: '1' should be values with commas between them."),
    (['--set', 'size'], '--set size: write KEY=VALUE.'), (['--precision', 'fp8'], 'fp8'),
    (['--data', 'x'], 'unrecognized arguments: --data x'), (['--val', 'x'], 'unrecognized arguments: --val x')])
def test_what_a_task_does_not_take_is_one_sentence(toy, capsys, words, says):
    assert train_toy(toy, *words) == 2
    err = capsys.readouterr().err
    assert says in err and err.count('\n') == 1 and not (toy/'run').exists()


def test_the_name_of_a_network_comes_first(toy, capsys):
    wrong = (('--data x toy-pot', 'required: --photos'), ('--data x nothing', "no network 'nothing'"),
             ('toy-pott --photos x', "no network 'toy-pott', did you mean toy-pot"),
             ('--data sketchnet masknet-v1', 'name the network first, `sketchbook train masknet-v1`'))
    for words, says in wrong:
        assert main(['train', *words.split(), '--out', str(toy/'run')]) == 2
        err = capsys.readouterr().err
        assert says in err and err.count('\n') == 1 and not (toy/'run').exists()
