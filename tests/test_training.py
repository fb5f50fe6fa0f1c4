"The training engine: killed, resumed, several processes, bad input"
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from sketchbook import training
from sketchbook.training import Diverged, _share_gradients, fit, fit_phases, _has_bf16, _lr_factor

ROOT = Path(__file__).parents[1]
TASK = textwrap.dedent('''
    import os, sys, time
    import numpy as np, torch
    from torch import nn
    from sketchbook.blocks import GANStep, PatchGAN
    from sketchbook.training import Task, fit

    class Tiny(Task):
        "A GAN on random squares: two networks, batch norm, dropout, spectral norm, augmentation"
        name, exports, pause = 'tiny', ('netG',), 0.
        def networks(self):
            netG = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(.2),
                                 nn.Conv2d(4, 1, 3, padding=1))
            return {'netG': netG, 'netD': PatchGAN(2, nf=4, n_layers=2)}
        def __len__(self): return 10
        def sample(self, i, rng):
            x = (rng.random((1, 32, 32), dtype='float32') > .5).astype('float32')*i
            return x, np.full((1, 32, 32), i/10, 'float32')
        def step(self, run, x, y):
            time.sleep(self.pause)
            fake = run.nets['netG'](x)
            loss, accuracy = GANStep().loss_D(run.nets['netD'], y, fake, x)
            run.minimize(loss, 'netD')
            run.minimize(GANStep().loss_G(run.nets['netD'], fake, x) + (fake-y).abs().mean(), 'netG')
            return {'D': loss, 'accuracy': accuracy}
        def validate(self, nets): return {'size': nets['netG'][0].weight.norm()}
''')


def _tiny(**fields):
    "A `Tiny`, with some of its fields or methods replaced"
    space = {}
    exec(TASK, space)
    return type('Tiny', (space['Tiny'],), fields)()


@pytest.fixture(scope='module')
def tiny(): return type(_tiny())


def same(a, b): return all(torch.equal(v, b[k]) for k, v in a.items())


def test_the_last_figure_has_the_last_measurement(tiny, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(training._Show, 'update', lambda self, run, numbers: shown.append(
        {k: rows[-1][0] for k, rows in run.history.items()}))
    run = fit(tiny(), tmp_path, steps=12, batch_size=2, plot=False)
    assert shown[-1] == {k: 12 for k in ('D', 'accuracy', 'val_size')} and run.history['val_size'][-1][0] == 12


def test_compiled_networks_keep_the_names_of_their_weights(tiny, tmp_path, monkeypatch):
    "With the compiler's place taken: the first process that compiles takes ten seconds"
    compiled = []
    def compiler(f):
        def g(*args, **kw): compiled.append(f); return f(*args, **kw)
        return g
    run = lambda name, **kw: fit(tiny(), tmp_path/name, steps=4, batch_size=2, plot=False, **kw)
    plain = run('plain')
    monkeypatch.setattr(torch, 'compile', compiler)
    fast = run('fast', compile=True)
    assert same(plain.net.state_dict(), fast.net.state_dict()) and len(compiled) == 1 + 4*4     # D is asked three times
    assert not hasattr(fast.net, '_orig_mod') and 'forward' not in vars(fast.net)    # the average runs as it is
    state, other = (torch.load(tmp_path/n/'checkpoint.pt', weights_only=True) for n in ('plain', 'fast'))
    assert all(same(state['nets'][k], other['nets'][k]) for k in ('netG', 'netD'))
    assert run('fast', resume=True).step == 4                                        # and without compiling


def test_a_machine_that_cannot_compile(tiny, tmp_path, monkeypatch):
    def fail(f): raise RuntimeError('Triton is missing\nmore')
    monkeypatch.setattr(torch, 'compile', fail)
    with pytest.raises(ValueError) as e: fit(tiny(), tmp_path/'run', steps=1, plot=False, compile=True)
    assert str(e.value) == ('Networks cannot be compiled on this machine (RuntimeError: Triton is missing): '
                            'train without `compile`.')
    assert not (tmp_path/'run').exists()


@pytest.mark.parametrize('workers', [0, 1])
def test_gan_resumes_bit_for_bit(tiny, tmp_path, workers):
    whole = fit(tiny(), tmp_path/'whole', steps=12, batch_size=4, plot=False)
    class Stopped(tiny):
        def step(self, run, *batch):
            if run.step == 5: os.kill(os.getpid(), signal.SIGINT)
            return super().step(run, *batch)
    part = fit(Stopped(), tmp_path/'part', steps=12, batch_size=4, plot=False, workers=workers)
    assert part.interrupted and part.step == 6
    rest = fit(tiny(), tmp_path/'part', steps=12, batch_size=4, plot=False, workers=workers, resume=True)
    for k in ('netG', 'netD'): assert same(whole.plain[k].state_dict(), rest.plain[k].state_dict())
    assert same(whole.net.state_dict(), rest.net.state_dict())
    for k in ('netG', 'netD'):
        a, b = (run.opts[k].state_dict()['state'] for run in (whole, rest))
        assert a.keys() == b.keys() and all(torch.equal(a[i][n], b[i][n]) for i in a for n in a[i])


def test_workers_start_where_opencv_has_threads(tiny, tmp_path):
    "A forked process that changes OpenCV's pool waits for ever, so the pool is changed before"
    cv2.setNumThreads(2)
    cv2.GaussianBlur(np.zeros((2000, 2000), np.float32), (0, 0), 3)
    assert fit(tiny(), tmp_path, steps=2, batch_size=4, plot=False, workers=1).step == 2 and cv2.getNumThreads() == 2


def test_killed_without_warning_goes_on_from_the_last_checkpoint(tiny, tmp_path):
    script = TASK + textwrap.dedent('''
        import sketchbook.training as t
        Tiny.pause, t._loop.__defaults__ = .05, (50, 10, .2)
        fit(Tiny(), sys.argv[1], steps=100, batch_size=2, plot=False)
    ''')
    doomed = subprocess.Popen([sys.executable, '-c', script, tmp_path/'a'], cwd=ROOT)
    saved = tmp_path/'a'/'checkpoint.pt'
    deadline = time.monotonic() + 120
    while not saved.exists() and time.monotonic() < deadline: time.sleep(.05)
    doomed.kill(); doomed.wait()
    at = torch.load(saved, weights_only=True)['where']['step']
    assert 0 < at < 100
    rest, whole = (fit(tiny(), tmp_path/n, steps=100, batch_size=2, plot=False, resume=True) for n in 'ab')
    assert rest.step == whole.step == 100 and same(rest.net.state_dict(), whole.net.state_dict())


def test_log_drops_what_came_after_the_checkpoint(tiny, tmp_path):
    fit(tiny(), tmp_path/'r', steps=10, batch_size=2, plot=False)
    log = tmp_path/'r'/'log.csv'
    whole = log.read_text()
    log.write_text(whole + '999,1.0,D,5\n12,to')
    run = fit(tiny(), tmp_path/'r', steps=10, batch_size=2, plot=False, resume=True)
    assert log.read_text() == whole and max(s for s, _ in run.history['D']) == 10


def test_corrupt_checkpoint_is_named_and_kept(tiny, tmp_path):
    (tmp_path/'checkpoint.pt').write_bytes(b'not a checkpoint')
    with pytest.raises(ValueError, match='checkpoint.pt is not a readable checkpoint'):
        fit(tiny(), tmp_path, steps=1, plot=False, resume=True)
    assert (tmp_path/'checkpoint.pt').read_bytes() == b'not a checkpoint'


@pytest.mark.parametrize('settings, words', [
    (dict(minutes=0), 'minutes'), (dict(minutes=-3), 'minutes'), (dict(steps=0), 'steps'),
    (dict(steps=2, batch_size=0), 'batch_size'), (dict(steps=1, precision='fp8'), 'fp8'),
    (dict(steps=1, device='abacus'), 'abacus'),
    *((dict(steps=1, **{k: v}), f'`{k}` should be a whole number from . to \\d+, not {v}')
      for k, v in (('batch_size', 10**30), ('batch_size', 2.5), ('seed', 10**30), ('seed', -1), ('seed', '1'),
                   ('workers', -1)))])
def test_bad_settings_are_refused_before_any_file(tiny, tmp_path, settings, words):
    with pytest.raises(ValueError, match=words): fit(tiny(), tmp_path/'run', plot=False, **settings)
    assert not (tmp_path/'run').exists()


def test_diverged_loss_says_so(tiny, tmp_path):
    class Bad(tiny):
        def step(self, run, x, y):
            run.minimize(run.nets['netG'](x).mean()*float('nan'), 'netG')
            return {}
    with pytest.raises(ValueError, match='netG is nan at step 0'): fit(Bad(), tmp_path, steps=3, plot=False)


def test_best_weights_win(tiny, tmp_path):
    class Peak(tiny):
        monitor, seen = 'score', 0
        def validate(self, nets):
            self.seen += 1
            return {'score': abs(self.seen-3)}   # lowest, so best, at the third measure
    run = fit(Peak(), tmp_path, steps=10, batch_size=2, plot=False)
    assert run.card['weights_from_step'] == 3 and run.card['validation'] == {'score': 0}
    assert not same(run.net.state_dict(), run.plain['netG'].state_dict())


def test_time_budget_and_rng_left_alone(tiny, tmp_path):
    torch.manual_seed(3)
    expected = torch.random.get_rng_state()
    run = fit(tiny(), tmp_path, minutes=.02, batch_size=2, plot=False)
    assert run.step > 1 and run.seconds >= 1.2 and not run.interrupted
    assert torch.equal(expected, torch.random.get_rng_state())
    assert _lr_factor(1.) == 0 and _has_bf16(torch.device('meta')) is False


def test_several_gpus_ask_each_other_only_now_and_then():
    "What they say comes through the GPU; in between, all go by the last answer, which is the same for all"
    run = SimpleNamespace(accelerator=SimpleNamespace(num_processes=2), device=torch.device('cuda'), step=3, seconds=5.)
    assert training._clock(run, 0., ['stop']) == (5., False)


PLAIN = textwrap.dedent('''
    class Plain(Tiny):
        "No batch norm and no dropout: the mean of two half batches is the whole batch"
        exports = ('net',)
        def networks(self): return {'net': nn.Conv2d(1, 1, 3, padding=1)}
        def optimizers(self, nets): return {'net': torch.optim.SGD(nets['net'].parameters(), .01)}
        def step(self, run, x, y):
            loss = (run.nets['net'](x) - y).pow(2).mean()
            run.minimize(loss, 'net')
            return {'loss': loss}
        def validate(self, nets): return {}
''')
ON_CPU = dict(precision='fp32', device='cpu', plot=False)


@pytest.fixture(scope='module')
def two_processes(tmp_path_factory):
    "Two runs by two processes, `plain`, and `told`, in which one process is told to stop; the folder"
    folder = tmp_path_factory.mktemp('two processes')
    script = folder/'train.py'
    script.write_text(TASK + PLAIN + textwrap.dedent(f'''
        import signal
        class Told(Tiny):
            def step(self, run, *batch):
                if run.step == 3 and run.accelerator.process_index == 1: os.kill(os.getpid(), signal.SIGTERM)
                return super().step(run, *batch)
        run = fit(Plain(), 'plain', steps=6, batch_size=2, **{ON_CPU})
        if run.accelerator.is_main_process: torch.save(run.net.state_dict(), 'plain.pt')
        run = fit(Told(), 'told', steps=50, batch_size=2, **{ON_CPU})
        open(f'told.{{run.accelerator.process_index}}', 'w').write(f'{{run.step}} {{run.interrupted}}')
        os._exit(0)   # torch's gloo threads now and then abort a process that has finished
    '''))
    said = subprocess.run([sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2',
                           str(script)], cwd=folder, timeout=300, capture_output=True, text=True,
                          env=os.environ | dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1'))
    assert said.returncode == 0, said.stderr[-800:]
    return folder


def test_two_processes_do_what_one_does(two_processes, tmp_path):
    space = {}
    exec(TASK + PLAIN, space)
    one = fit(space['Plain'](), tmp_path, steps=6, batch_size=4, **ON_CPU).net.state_dict()
    two = torch.load(two_processes/'plain.pt', weights_only=True)
    for k in one: torch.testing.assert_close(one[k], two[k])


def test_told_to_stop_one_process_stops_all(tiny, two_processes):
    assert [(two_processes/f'told.{rank}').read_text() for rank in (0, 1)] == ['4 True', '4 True']
    state = torch.load(two_processes/'told'/'checkpoint.pt', weights_only=True)
    one, two = (rng['cpu'] for rng in state['rng'])
    assert not torch.equal(one, two)                     # dropout is not the same on both
    with pytest.raises(ValueError, match='was made with processes = 2, not 1'):
        fit(tiny(), two_processes/'told', steps=50, batch_size=2, resume=True, **ON_CPU)


@pytest.fixture
def start_of(tiny):
    "A state dict to start from, another one for another seed"
    def make(seed):
        torch.manual_seed(seed)
        return tiny().networks()['netG'].state_dict()
    return make


def test_where_a_run_started_is_checked_and_told(tiny, tmp_path, start_of):
    run = lambda name, **kw: fit(tiny(), tmp_path/name, steps=2, batch_size=2, plot=False, **kw)
    assert run('plain').card['init'] is None
    tuned = run('tuned', init=start_of(1))
    assert tuned.card['init'].startswith('a state dict (sha256 ')
    assert run('tuned', init=start_of(1), resume=True).card['init'] == tuned.card['init']
    for name, other in (('tuned', None), ('tuned', start_of(2)), ('plain', start_of(1))):
        with pytest.raises(ValueError, match='checkpoint.pt was made with init = .*: resume with the same settings'):
            run(name, init=other, resume=True)
    named = run('named', init=start_of(1), origin='mine.safetensors (sha256 0123)')
    assert named.card['init'] == 'mine.safetensors (sha256 0123)'
    with pytest.raises(ValueError, match='init = mine.safetensors .sha256 0123., not yours'):
        run('named', init=start_of(1), origin='yours', resume=True)


def test_resuming_with_other_data_is_refused(tiny, tmp_path):
    of = lambda name: type('Of', (tiny,), dict(about=dict(data=name, data_licence='none')))()
    go = lambda task, **kw: fit(task, tmp_path, steps=2, batch_size=2, plot=False, **kw)
    assert go(of('a.tar')).card['data'] == 'a.tar'
    with pytest.raises(ValueError, match='was made with data = a.tar, not b.tar: resume with the same settings'):
        go(of('b.tar'), resume=True)
    assert go(of('a.tar'), resume=True).step == 2


@pytest.mark.parametrize('init, words', [
    ({'other': torch.zeros(3)}, 'start from, theirs, are not those of tiny'), (5, 'state dict'),
    ({'weight': 'x'}, 'state dict')])
def test_a_start_of_another_network_leaves_no_folder(tiny, tmp_path, init, words):
    with pytest.raises(ValueError, match=words):
        fit(tiny(), tmp_path/'a'/'run', steps=1, plot=False, init=init, origin='theirs')
    assert not (tmp_path/'a').exists()


def test_a_run_needs_a_folder(tiny, tmp_path):
    (tmp_path/'file').write_text('x')
    with pytest.raises(ValueError, match='file: a training run cannot be written there .File exists.; name a folder'):
        fit(tiny(), tmp_path/'file', steps=1, plot=False)
    with pytest.raises(ValueError, match='name of the folder for the run is empty'):
        fit(tiny(), '', steps=1, plot=False)


def test_resuming_with_other_settings_is_refused(tiny, tmp_path):
    fit(tiny(), tmp_path, steps=2, batch_size=2, plot=False)
    for other, words in ((dict(steps=4), 'budget = 2 steps, not 4 steps'), (dict(steps=2, ema=.5), 'ema')):
        with pytest.raises(ValueError, match=words):
            fit(tiny(), tmp_path, batch_size=2, plot=False, resume=True, **other)


# what waits for nothing

def test_no_checkpoint_is_written_with_nan(tiny, tmp_path):
    "The loss is finite, its gradient is not: the last good checkpoint stays"
    class Bad(tiny):
        def step(self, run, x, y):
            loss = run.nets['netG'](x)
            run.minimize(loss.square().mean() if run.step < 2 else loss.mul(0).square().sqrt().mean(), 'netG')
            if run.step == 1 and stops: os.kill(os.getpid(), signal.SIGINT)
            return {}
    stops = True
    good = fit(Bad(), tmp_path, steps=3, batch_size=2, plot=False)
    saved, stops = (tmp_path/'checkpoint.pt').read_bytes(), False
    assert good.interrupted and good.step == 2
    with pytest.raises(Diverged, match='netG has weights that are NaN or infinite at step 3: lower the learning rate'):
        fit(Bad(), tmp_path, steps=3, batch_size=2, plot=False, resume=True)
    assert (tmp_path/'checkpoint.pt').read_bytes() == saved


def test_a_loss_that_diverges_between_two_looks_is_found_with_its_step(tiny, tmp_path):
    class Bad(tiny):
        def step(self, run, x, y):
            run.minimize(run.nets['netG'](x).mean()*(float('inf') if run.step == 2 else 1.), 'netG')
            return {}
    with pytest.raises(Diverged, match=r'The loss of netG is -?inf at step 2'):
        fit(Bad(), tmp_path, steps=200, batch_size=2, plot=False)
    assert not (tmp_path/'checkpoint.pt').exists()


def test_autocast_around_the_whole_step_gives_the_same_gan(tiny, tmp_path, monkeypatch):
    "What a GPU does, on a processor: D's second answer comes from its new weights, and the losses stay in float32"
    go = lambda name: fit(tiny(), tmp_path/name, steps=4, batch_size=2, precision='bf16', device='cpu', plot=False)
    networks = go('networks')
    monkeypatch.setattr(training, '_whole_step', lambda run: run.accelerator.autocast())
    whole = go('whole')
    assert whole.history == networks.history
    for k in ('netG', 'netD'):      # D's gradients of real and fake meet in bfloat16: they share a copy of each weight
        torch.testing.assert_close(whole.plain[k].state_dict(), networks.plain[k].state_dict(), rtol=0, atol=1e-5)


def test_gradients_travel_in_one_call_with_zeros_for_what_is_missing():
    net, calls = nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 1), nn.Linear(1, 1)), []
    net[2].requires_grad_(False)
    net[0](torch.ones(1, 2)).sum().backward()            # the second layer has no gradient here, but may elsewhere
    reduce = lambda t, how: calls.append((len(t), how)) or t + 1
    _share_gradients(SimpleNamespace(num_processes=2, reduce=reduce), net)
    assert calls == [(5, 'mean')] and net[2].weight.grad is None
    assert net[0].weight.grad.tolist() == [[2, 2]]
    assert net[1].weight.grad.tolist() == [[1]] and net[1].bias.grad.tolist() == [1]


# several networks, helpers, phases

def test_several_exports_each_averaged(tiny, tmp_path):
    both = type('Both', (tiny,), dict(exports=('netG', 'netD')))
    one, two = (fit(task(), tmp_path/task.__name__, steps=6, batch_size=2, plot=False) for task in (tiny, both))
    alike = lambda a, b: same(a.state_dict(), b.state_dict())
    assert list(one.trained) == list(two.trained) == ['netG', 'netD'] and two.net is two.trained['netG']
    assert alike(one.net, two.net) and alike(one.plain['netD'], two.plain['netD'])
    assert one.trained['netD'] is one.plain['netD'] and not alike(two.trained['netD'], two.plain['netD'])


def test_a_discriminator_is_started_from_too(tiny, tmp_path):
    first = fit(tiny(), tmp_path/'first', steps=3, batch_size=2, plot=False)
    init = {k: n.state_dict() for k, n in first.trained.items()}
    class Still(tiny):
        def step(self, run, *batch): return {}
    rest = fit(Still(), tmp_path/'rest', steps=1, batch_size=2, plot=False, init=init)
    assert same(rest.plain['netD'].state_dict(), init['netD'])
    other = {'netG': init['netG'], 'netD': {'x': torch.zeros(1)}}
    with pytest.raises(ValueError, match='start from, theirs, are not those of the netD of tiny'):
        fit(tiny(), tmp_path/'x', steps=1, plot=False, init=other, origin='theirs')


def test_helpers_are_frozen_and_nowhere_saved(tiny, tmp_path):
    class Helped(tiny):
        def helpers(self): return {'eye': nn.Sequential(nn.Conv2d(1, 1, 1), nn.Dropout(.9), nn.BatchNorm2d(1))}
        def step(self, run, x, y):
            eye = run.helpers['eye']
            assert not any(m.training for m in eye.modules()) and not any(p.requires_grad for p in eye.parameters())
            run.minimize((eye(run.nets['netG'](x)) - eye(y)).square().mean(), 'netG')
            return {}
        def validate(self, nets): return {'eye': nets['eye'](torch.ones(1, 1, 4, 4)).mean()}
    run = fit(Helped(), tmp_path, steps=2, batch_size=2, plot=False)
    assert list(run.trained) == ['netG', 'netD'] and len({v for _, v in run.history['val_eye']}) == 1
    assert list(torch.load(tmp_path/'checkpoint.pt', weights_only=True)['nets']) == ['netG', 'netD']


def test_phases_stop_and_go_on(tiny, tmp_path):
    class Stopped(tiny):
        def step(self, run, *batch):
            if run.step == 1 and stops: os.kill(os.getpid(), signal.SIGINT)
            return super().step(run, *batch)
    def go(out, *args, **kw):
        phases = dict(first=tiny(), second=Stopped())
        phases['second'].share = 2.
        return fit_phases(phases, tmp_path/out, *args, steps=6, batch_size=2, plot=False, **kw)
    stops = False
    whole = go('whole')
    assert [run.step for run in whole.values()] == [2, 4]
    with pytest.raises(ValueError, match="part.first holds no finished phase 'first': train it first"):
        go('part', 'second')
    stops = True
    assert [run.interrupted for run in go('part').values()] == [False, True]
    stops = False
    part = go('part', resume=True)
    for k in ('netG', 'netD'): assert same(whole['second'].plain[k].state_dict(), part['second'].plain[k].state_dict())
    assert part['second'].card['init'] == 'the phase first'


def test_a_phase_asks_the_networks_of_the_one_before(tiny, tmp_path):
    class Pupil(tiny):
        exports = ('net',)
        def networks(self): return {'net': nn.Conv2d(1, 1, 1)}
        def helpers(self): return {'netG': tiny().networks()['netG']}
        def step(self, run, x, y):
            run.minimize((run.nets['net'](x) - run.helpers['netG'](x)).square().mean(), 'net')
            return {}
        def validate(self, nets): return {'size': nets['netG'][0].weight.norm()}
    runs = fit_phases(dict(teacher=tiny(), pupil=Pupil()), tmp_path, steps=4, batch_size=2, plot=False)
    assert same(runs['teacher'].net.state_dict(), runs['pupil'].helpers['netG'].state_dict())
    assert list(runs['pupil'].trained) == ['net']


# a GPU

@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('precision', ['fp32', 'bf16'])
def test_on_cuda(tiny, tmp_path, precision):
    go = lambda **kw: fit(tiny(), tmp_path, steps=4, batch_size=2, device='cuda', precision=precision, plot=False, **kw)
    run, again = go(), go(resume=True)
    assert run.device.type == 'cuda' and all(p.isfinite().all() for p in again.net.parameters()) and again.step == 4


def test_cuda_check_can_ask_every_network(monkeypatch, capsys):
    "What `make cuda-check` does, with bfloat16 on this processor in the place of the GPU; and what it says without one"
    monkeypatch.syspath_prepend(ROOT/'tools')
    import cuda_check
    from sketchbook import weights
    for name in weights.available():
        net = weights.load(name, 'cpu')
        inputs, ask = cuda_check.question(net, torch.Generator().manual_seed(0))
        # one small picture: without bfloat16 in hardware a large one takes a minute
        side = 128 if name.startswith('selfsup') else 64        # the sides that the stylists know
        inputs = [x[:1] if x.dim() < 4 else x[:1,:,:side,:side] for x in inputs]
        exact, rough = (cuda_check.answer(net, inputs, ask, 'cpu', precision) for precision in cuda_check.TOLERANCE)
        assert 0 < cuda_check.difference(rough, exact) < cuda_check.TOLERANCE['bf16'], name
    assert all(len(task) and task.name for task, _ in cuda_check.toy_tasks().values())
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert cuda_check.main([]) == 0 and capsys.readouterr().out == 'There is no GPU here: nothing is compared.\n'
