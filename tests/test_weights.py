"Weights: what is saved comes back, and whatever is wrong with a file gives one sentence that names it"
import json, pickle, sys
from pathlib import Path

import pytest
import torch
from torch import nn

from sketchbook import weights
from sketchbook.blocks import PatchGAN
from sketchbook.weights import CorruptWeights, PickledWeights, UnknownWeights, WeightsError

KNOWN = dict(data='none', data_licence='none', command='none', seed=0, steps=0, minutes=0.)


def critic(seed=0, **kwargs):
    torch.manual_seed(seed)
    net = PatchGAN(3, nf=8, norm='batch', **kwargs)
    net(torch.rand(2, 3, 64, 64))        # moves the batch norms' running statistics and counters
    return net.eval()


@pytest.fixture
def saved(tmp_path): return weights.save(critic(), tmp_path/'critic.safetensors', KNOWN)


def edit_card(path, **changes):
    "Change fields of a card; a field set to `...` is removed"
    c = json.loads(path.with_suffix('.json').read_text()) | changes
    path.with_suffix('.json').write_text(json.dumps({k: v for k,v in c.items() if v is not ...}))


def sentence(error, exc, *fragments):
    "The message of `error`: of class `exc`, one sentence on one line, with all `fragments`"
    text = str(error.value)
    assert type(error.value) is exc and '\n' not in text and text.endswith('.') and len(text)<500, text
    for f in fragments: assert str(f) in text, text


# what comes back

@pytest.mark.parametrize('dtype', ['float16', 'float32'])
def test_round_trip(tmp_path, dtype):
    net = critic()
    back = weights.load(weights.save(net, tmp_path/'c.safetensors', KNOWN, dtype=dtype), 'cpu')
    for k,t in net.state_dict().items():
        u = back.state_dict()[k]
        assert u.dtype==t.dtype and u.shape==t.shape
        torch.testing.assert_close(u, t, rtol=0 if dtype=='float32' else 1e-3, atol=0 if dtype=='float32' else 1e-6)


def test_counters_stay_integers(saved):
    tensors,_ = weights._read(saved)
    counters = {k: t for k,t in tensors.items() if k.endswith('num_batches_tracked')}
    assert counters and all(t.dtype==torch.int64 and t==1 for t in counters.values())


def test_running_variance_past_half_range(tmp_path):
    net = critic()
    key = next(k for k in net.state_dict() if k.endswith('running_var'))
    net.state_dict()[key].fill_(1e6)
    path = weights.save(net, tmp_path/'c.safetensors', KNOWN)
    assert weights._read(path)[0][key].dtype==torch.float32
    assert (weights.load(path, 'cpu').state_dict()[key]==1e6).all()


def test_half_of_extremes():
    assert weights._to_half(torch.tensor([1e30, -1e30])).dtype==torch.float32
    assert weights._to_half(torch.zeros(3)).dtype==torch.float16
    assert weights._to_half(torch.tensor([65504.])).dtype==torch.float16
    assert weights._to_half(torch.tensor([], dtype=torch.float64)).dtype==torch.float16


def test_channels_last_network(tmp_path):
    net = critic().to(memory_format=torch.channels_last)
    back = weights.load(weights.save(net, tmp_path/'c.safetensors', KNOWN, dtype='float32'), 'cpu')
    for a,b in zip(net.parameters(), back.parameters()): assert torch.equal(a, b)


def test_card_fields(saved):
    c = weights.card(saved)
    assert list(c)==list(weights._CARD_FIELDS)
    assert c['bytes']==saved.stat().st_size and c['name']=='critic' and c['dtype']=='float16'
    assert c['n_params']==sum(p.numel() for p in critic().parameters())
    assert weights.verify(saved)==c


def test_pretrained_is_not_read_twice():
    net = critic(); net.config = dict(net.config, pretrained=True)
    assert weights._make_card(net, 'c', b'')['config']['pretrained'] is False


def test_nothing_but_two_files(saved):
    assert sorted(p.name for p in saved.parent.iterdir())==['critic.json', 'critic.safetensors']


def test_network_is_frozen_and_shared(saved):
    net = weights.load(saved, 'cpu')
    assert not net.training and not any(p.requires_grad for p in net.parameters())
    net.train()
    assert weights.load(str(saved), 'cpu') is net and not net.training
    assert weights.load(saved, 'cpu', fresh=True) is not net


def test_new_weights_are_noticed(saved):
    old = weights.load(saved, 'cpu')
    weights.save(critic(1), saved, KNOWN)
    new = weights.load(saved, 'cpu')
    assert new is not old and not torch.equal(next(new.parameters()), next(old.parameters()))


def test_the_folded_copy_goes_with_its_network(saved):
    old = weights.load(saved, 'cpu')
    quick,keys = weights.folded(old),set(old.state_dict())
    assert weights.folded(weights.load(saved, 'cpu')) is quick and set(old.state_dict())==keys
    weights.save(critic(1), saved, KNOWN)
    assert weights.folded(weights.load(saved, 'cpu')) is not quick
    own = weights.load(saved, 'cpu', fresh=True)
    assert weights.folded(own) is own


# what ships

def test_shipped_weights_verify_and_are_complete():
    for name in weights.available():
        c = weights.verify(name)
        wanted = ('data', 'data_licence', 'command', 'seed', 'steps', 'minutes', 'machine', 'metrics')
        missing = [k for k in wanted if c.get(k) in (None, '', {})]
        assert not missing, f'the card of {name} lacks {missing}'
        assert c['name']==name


def test_no_pickles_ship():
    assert [p.name for p in weights._shipped_folder().glob('*') if p.suffix in weights._PICKLE_SUFFIXES]==[]


def test_every_shipped_file_has_its_other_half():
    stems = lambda suffix: {p.stem for p in weights._shipped_folder().glob(f'*{suffix}')}
    assert stems('.safetensors')==stems('.json')


def test_available_wants_both(saved):
    assert weights.available(saved.parent)==['critic']
    saved.with_suffix('.json').unlink()
    assert weights.available(saved.parent)==[] and weights.available(saved.parent/'nowhere')==[]


def test_describe(saved):
    edit_card(saved, metrics=dict(max_f=.91234, ecssd=dict(mae=.067), note='text'))
    table = weights.describe([saved])
    assert 'ecssd: mae 0.067; max_f 0.912' in table
    assert 'note' not in table and '| notes' not in weights.describe(saved) and '| sha256' in weights.describe(saved)
    assert 'No trained weights' in weights.describe([])
    saved.with_suffix('.json').write_text('{')
    assert 'damaged' in weights.describe([saved])


def test_amend(saved):
    c = weights.amend(saved, metrics=dict(mae=float('nan'), f=.5), bytes=3, notes=Path('a/b'))
    assert c==weights.verify(saved) and c['metrics']==dict(mae=None, f=.5) and c['notes']=='a/b'
    with pytest.raises(WeightsError): weights.amend(saved, notes=object())
    assert weights.card(saved)==c
    saved.write_bytes(b'')
    with pytest.raises(CorruptWeights): weights.amend(saved, notes='x')


# what is refused when saving

def test_nan_is_not_saved(tmp_path):
    net = critic(); next(net.parameters()).data[0] = float('nan')
    with pytest.raises(WeightsError) as e: weights.save(net, tmp_path/'c.safetensors')
    sentence(e, WeightsError, 'diverged')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('name, kwargs', [
    ('c.pt', {}), ('c', {}), ('c.safetensors', dict(dtype='int8')), ('c.safetensors', dict(card=dict(data=object())))])
def test_bad_save(tmp_path, name, kwargs):
    with pytest.raises(WeightsError) as e: weights.save(critic(), tmp_path/name, **kwargs)
    sentence(e, WeightsError)
    assert not list(tmp_path.iterdir())


# what is refused when loading

def load_fails(path, exc, *fragments):
    with pytest.raises(WeightsError) as e: weights.load(path, 'cpu')
    sentence(e, exc, *fragments)


def test_unknown_name():
    load_fails('masknet-v99', UnknownWeights, "'masknet-v99'", *weights.available())


def test_missing_path(tmp_path):
    load_fails(tmp_path/'c.safetensors', UnknownWeights, tmp_path/'c.safetensors')
    load_fails('c.safetensors', UnknownWeights, 'c.safetensors')
    load_fails(tmp_path, UnknownWeights, tmp_path, 'folder')


def test_card_named_instead_of_weights(saved):
    load_fails(saved.with_suffix('.json'), UnknownWeights, 'critic.json', '.safetensors')


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('name', ['c.pt', 'c.pth', 'c.safetensors'])
def test_pickled(tmp_path, name, zipped):
    torch.save(critic().state_dict(), tmp_path/name, _use_new_zipfile_serialization=zipped)
    load_fails(tmp_path/name, PickledWeights, name, 'pickled', '.safetensors')


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
def test_pickle_is_never_run(tmp_path, protocol):
    class Touch:
        def __reduce__(self): return Path.touch, (tmp_path/'ran',)
    (tmp_path/'c.safetensors').write_bytes(pickle.dumps(Touch(), protocol))
    load_fails(tmp_path/'c.safetensors', PickledWeights, 'c.safetensors')
    assert not (tmp_path/'ran').exists()


def test_no_card(saved):
    saved.with_suffix('.json').unlink()
    load_fails(saved, CorruptWeights, 'critic.json', 'missing')


@pytest.mark.parametrize('text', ['', '{"name":', '[]', '{}', '"card"', 'null', '\xff\xfe\x00'])
def test_spoilt_card(saved, text):
    saved.with_suffix('.json').write_bytes(text.encode('latin-1'))
    load_fails(saved, CorruptWeights, 'critic.json')


@pytest.mark.parametrize('field, value', [
    ('sha256', ...), ('sha256', 5), ('bytes', ...), ('config', 'x'), ('network', ...)])
def test_card_field_missing(saved, field, value):
    edit_card(saved, **{field: value})
    load_fails(saved, CorruptWeights, 'critic.json', field)


@pytest.mark.parametrize('length', [0, 4, 9, 999, -1])
def test_truncated(saved, length):
    saved.write_bytes(saved.read_bytes()[:length])
    load_fails(saved, CorruptWeights, 'critic.safetensors')


@pytest.mark.parametrize('at', [0, 20, -1])
def test_flipped_bit(saved, at):
    data = bytearray(saved.read_bytes()); data[at] ^= 1
    saved.write_bytes(data)
    load_fails(saved, CorruptWeights, 'critic.safetensors')


def test_half_written_pair(saved):
    "Killed between the weights and the card: the new weights lie beside the old card"
    other = weights.save(critic(1), saved.parent/'other.safetensors', KNOWN)
    other.replace(saved)
    load_fails(saved, CorruptWeights, 'critic.safetensors', 'checksum')


def test_text_named_safetensors(tmp_path):
    (tmp_path/'c.safetensors').write_text('a shopping list')
    load_fails(tmp_path/'c.safetensors', CorruptWeights, 'c.safetensors', 'not a safetensors file')


def test_checksum_right_but_no_safetensors(tmp_path):
    data = b'12345678{ not a header'
    (tmp_path/'c.safetensors').write_bytes(data)
    (tmp_path/'c.json').write_text(json.dumps(weights._make_card(critic(), 'c', data)))
    load_fails(tmp_path/'c.safetensors', CorruptWeights, 'c.safetensors', 'not a safetensors file')


@pytest.mark.parametrize('network', [
    'os:system', 'torch.nn:Linear', 'sketchbookish.blocks:PatchGAN', 'sketchbook.blocks', ':PatchGAN',
    '__main__:PatchGAN', 'sketchbook.blocks:count_params', 'sketchbook.blocks:nn', 'sketchbook.blocks:NoSuchNet',
    'sketchbook.no_such_module:Net', 'sketchbook.data:write_atomic', 'sketchbook.blocks:PatchGAN.forward',
    'sketchbook.blocks:PatchGAN\n', ''])
def test_network_elsewhere(saved, network):
    edit_card(saved, network=network)
    load_fails(saved, CorruptWeights, 'critic.safetensors')


def test_a_private_network_can_be_loaded(tmp_path):
    "A task saves its discriminator beside the generator, whatever the class is called"
    from sketchbook.sketchnet import _Discriminator
    path = weights.save(_Discriminator(), tmp_path/'sketchnet.netD.safetensors')
    weights.verify(path)
    assert type(weights.load(path, 'cpu')) is _Discriminator


def test_foreign_module_is_not_imported(saved, monkeypatch):
    (saved.parent/'stranger.py').write_text('raise SystemExit("imported")')
    monkeypatch.syspath_prepend(saved.parent)
    edit_card(saved, network='stranger:Net')
    load_fails(saved, CorruptWeights, 'stranger:Net')
    assert 'stranger' not in sys.modules


@pytest.mark.parametrize('config', [dict(ni=3, nf=16), dict(ni=3, nf=8, norm='batch', no_such=1), {}, dict(ni='three')])
def test_config_does_not_fit(saved, config):
    edit_card(saved, config=config)
    load_fails(saved, CorruptWeights, 'critic.safetensors', 'PatchGAN')


def test_wrong_names():
    net = nn.Linear(2, 3)
    with pytest.raises(CorruptWeights) as e:
        weights._fill(net, dict(weight=torch.zeros(3, 3), extra=torch.zeros(1)), 'x.safetensors')
    sentence(e, CorruptWeights, 'x.safetensors', '`bias` is missing', '`extra` is unknown', '(3, 3)', '(3, 2)')


def test_nothing_is_copied_when_one_shape_is_wrong():
    net = nn.Linear(2, 3); before = net.bias.clone()
    with pytest.raises(CorruptWeights): weights._fill(net, dict(weight=torch.zeros(3, 3), bias=torch.ones(3)))
    assert torch.equal(net.bias, before)


def test_device_that_is_not_there(saved):
    if torch.cuda.is_available(): pytest.skip('this machine has a CUDA device')
    with pytest.raises(ValueError, match='cuda|CUDA'): weights.load(saved, 'cuda')


def test_who_measured_the_perceptual_distance_is_on_the_card():
    for name in weights.available():
        if not name.startswith(('sketch2image', 'pirec', 'selfsup')): continue
        measured = [m for m in weights.card(name)['metrics'].values() if 'perceptual' in m]
        assert all(m['perceptual_backbone'] == m['backbone'] == 'efficientnet-lite0' for m in measured)


def test_a_card_invents_no_command():
    from types import SimpleNamespace
    from sketchbook import training
    run = SimpleNamespace(task=SimpleNamespace(about={}), best=None, step=3, history={}, seconds=60,
                          device=torch.device('cpu'))
    assert training._card(run, {}, None)['command'].startswith('none: ')
    assert training._card(run, {}, 'make it')['command'] == 'make it'
