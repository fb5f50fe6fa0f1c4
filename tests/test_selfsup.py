"Self-supervised sketch to image: bad input, sketches and styles of any kind, mixes, both phases, commands, measures"
import json
import os
import signal
import warnings
from functools import partial

import cv2
import numpy as np
import pytest
import torch

from sketchbook import metrics, selfsup as S, weights
from sketchbook.cli import main
from sketchbook.data import load_photo, sample_photos, save_image
from sketchbook.tom import _square
from sketchbook.sketchnet import coherent_lines
from sketchbook.training import fit, fit_phases
from sketchbook.weights import WeightsError, available, card, save

FLAT = 'a style photo has one colour only'


def small(name='art', **kw): return S.configuration(name, **dict(size=64, n=8, n_refine=8) | kw)


@pytest.fixture(scope='module')
def cat(): return np.ascontiguousarray(sample_photos('cat')['cat'][50:170,80:211])


@pytest.fixture(scope='module')
def cup(): return np.ascontiguousarray(sample_photos('coffee')['coffee'][::4,::4])


@pytest.fixture(scope='module')
def page():
    "A circle on paper of 50 x 80 pixels"
    page = np.ones((50, 80), np.float32)
    cv2.circle(page, (40, 25), 18, 0, 2)
    return page


@pytest.fixture(scope='module')
def net():
    "A small untrained network that hears its noise"
    torch.manual_seed(0)
    net = S.Stylist('art', 8, 8, 64)
    for m in net.modules():
        if isinstance(m, S._Noise): torch.nn.init.ones_(m.weight)
    return net.eval()


@pytest.fixture(scope='module')
def nets(net, tmp_path_factory):
    "Files of a small network and of its autoencoder"
    folder = tmp_path_factory.mktemp('nets')
    return {k: save(n, folder/f'{k}.safetensors') for k, n in (('whole', net), ('rough', net.rough))}


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    "Folders `photos` and `few` of twenty-eight pictures and of six, and `empty`"
    folder, rng, cup = tmp_path_factory.mktemp('selfsup'), np.random.default_rng(0), sample_photos('coffee')['coffee']
    for i in range(28):
        for name in ('photos', 'few')[:1 + (i < 6)]:
            save_image(folder/name/f'{i:02}.png', _square(cup, 70, rng.random(2), rng.uniform(1, 2)))
    (folder/'empty').mkdir()
    return folder


@pytest.fixture(scope='module')
def sketched(data): return S.SketchedPhotos(data/'photos', makers=[coherent_lines])


@pytest.fixture
def lines_alone(monkeypatch):
    "`SketchedPhotos` without TOM, which takes longer"
    monkeypatch.setattr(S, '_sketchers', lambda tom='tom': [coherent_lines])


def run(task, out, **kw): return fit(task, out, plot=False, progress=False, **dict(steps=2, batch_size=2) | kw)
def same(a, b): return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
def states(run): return {k: net.state_dict() for k, net in run.trained.items()}
def book(*words): return main([*map(str, words)])


# bad input

def test_a_style_of_one_colour_still_paints(page, cat, net):
    "With a warning; a 1 x 1 photo has one colour as well"
    for style in (np.full((9, 9, 3), 80, np.uint8), np.zeros((1, 1), np.uint8), [cat, cat[:1,:1]]):
        with pytest.warns(UserWarning, match=FLAT): assert S.synthesize(page, style, net=net).shape == (40, 64, 3)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        S.synthesize(page, cat, net=net)


def test_too_few_photos(data):
    few = S.SketchedPhotos(data/'few', makers=[coherent_lines])
    for kind in (S.AutoencoderTask, S.RefinerTask):
        with pytest.raises(ValueError, match='there are 6 photos to learn from; 20 or more are right'): kind(few)


def test_photos_to_test_on_are_not_learned_from(tmp_path, cat):
    "Nor are drawings that lie beside their photos photos"
    for name in ('train/a', 'val/b', 'test/c', 'train/a.sketch'): save_image(tmp_path/'all'/f'{name}.png', cat)
    save_image(tmp_path/'alone'/'test'/'c.png', cat)
    for under, name in (('train', 'train/a.png'), ('val', 'val/b.png')):
        assert S.SketchedPhotos(tmp_path/'all', under, makers=[coherent_lines]).names == [name]
    with pytest.raises(ValueError, match='alone: there are no photos in it to use, nor in a folder train'):
        S.SketchedPhotos(tmp_path/'alone')


def test_a_batch_of_one_has_no_halves(sketched, tmp_path):
    for kind in (S.AutoencoderTask, S.RefinerTask):
        with pytest.raises(ValueError, match='batch_size should be 2 or more'):
            run(kind(sketched, small('shoe')), tmp_path/kind.name, batch_size=1)


@pytest.mark.parametrize('n', [2, 3, 4, 7])
def test_half_of_a_batch_is_painted_in_the_style_of_another_photo(n):
    lent, own = S._lent(torch.arange(n), S._Common.half(range(n))), torch.arange(n)
    assert (lent == own).tolist() == [True]*(n//2) + [False]*(n - n//2) and len(lent[n//2:].unique()) == n - n//2


# networks

@pytest.mark.parametrize('name', ['art', 'face', 'shoe'])
@pytest.mark.parametrize('size', [64, 128, 256])
def test_every_configuration_paints_and_judges(name, size):
    c = small(name, size=size)
    net = S.Stylist(c.kind, c.n, c.n_refine, c.size, c.preset)
    made, rough = net(torch.rand(1, 1, size, size), torch.rand(1, 3, size, size), both=True)
    assert made.shape == rough.shape == (1, 3, size, size) and 0 <= made.min() and made.max() <= 1
    assert S._Discriminator(c.n_refine, size)(made).isfinite().all()
    assert net.config == dict(kind=c.kind, n=8, n_refine=8, size=size, preset='book')


def test_whole_numbers_may_be_floats():
    assert S.configuration(size=64., n=8., n_refine=np.float32(8)) == small()


def test_the_autoencoder_does_not_learn_any_more(net):
    net = S.Stylist('art', 8, 8, 64)
    assert net.train().training and not net.rough.training and not net.rough.decoder.training
    assert not any(p.requires_grad for p in net.rough.parameters())


# pictures

@pytest.mark.parametrize('h, w', [(2, 2), (1, 1000), (1000, 1), (3, 3), (64, 64), (200, 133), (7, 300)])
def test_any_size(cat, net, h, w):
    sketch = np.ones((h, w), np.float32)
    sketch.flat[0] = 0
    painted = S.synthesize(sketch, cat, net=net)
    assert painted.shape == (*(max(1, round(64*n/max(h, w))) for n in (h, w)), 3) and painted.dtype == np.uint8


def test_sketches_of_any_kind(page, cat, net, tmp_path):
    "Bytes, bools, light lines on black, three channels, an alpha channel and files"
    save_image(tmp_path/'a.png', page)
    wanted = S.synthesize(page, cat, net=net)
    three = np.dstack([np.uint8(255*page)]*3)
    for given in (np.uint8(255*page), page > .5, 1 - page, page.astype(np.float64), page[...,None], three,
                  np.dstack([three, np.full(page.shape, 255, np.uint8)]), np.dstack([three*0, 255 - three[...,:1]]),
                  tmp_path/'a.png', str(tmp_path/'a.png')):
        near = np.abs(S.synthesize(given, cat, net=net).astype(int) - wanted)
        assert near.max() <= 2


def test_styles_of_any_kind(page, cat, net, tmp_path):
    save_image(tmp_path/'a.png', cat)
    wanted = S.synthesize(page, cat, net=net)
    for given in (tmp_path/'a.png', str(tmp_path/'a.png'), [cat], (cat,), [tmp_path/'a.png', cat],
                  np.dstack([cat, np.full(cat.shape[:2], 255, np.uint8)]), cat.astype(np.float32)/255):
        np.testing.assert_array_equal(S.synthesize(page, given, net=net), wanted)
    for given in (cat[...,0], cat[:1], cat[...,0] > 99): assert S.synthesize(page, given, net=net).shape == wanted.shape


def test_inputs_stay_as_they_are(page, cat, cup, net):
    before = [a.copy() for a in (page, cat, cup)]
    S.synthesize(page, [cat, cup], [1, 2], net=net)
    S.transfer(cat, cup, net=net)
    S.style_matrix([page], [cat, cup], 32, net=net)
    for a, b in zip((page, cat, cup), before): np.testing.assert_array_equal(a, b)


def test_the_noise_follows_the_seed(page, cat, net):
    "And nothing else: not torch's own seed, and that goes on as it was"
    made = []
    for own, seed in ((1, 0), (2, 0), (1, 5)):
        torch.manual_seed(own)
        before = torch.get_rng_state()
        made.append(S.synthesize(page, cat, seed=seed, net=net))
        assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(made[0], made[1])
    assert (made[0] != made[2]).any()


def test_a_network_stays_in_its_mode(page, cat, net):
    net = S.Stylist('art', 8, 8, 64)
    for mode in (True, False):
        net.train(mode)
        S.synthesize(page, cat, net=net)
        assert net.training == net.refiner.training == mode and not net.rough.training


def test_files_and_networks_paint_alike(page, cat, net, nets):
    wanted = S.synthesize(page, cat, net=net).astype(int)
    for file in (nets['whole'], str(nets['whole'])):
        assert np.abs(S.synthesize(page, cat, net=file, device='cpu') - wanted).mean() < 2


def test_without_refining_the_autoencoder_paints(page, cat, net):
    "Which may be given alone"
    rough = S.synthesize(page, cat, refine=False, net=net)
    assert (rough != S.synthesize(page, cat, net=net)).any()
    for refine in (True, False, np.bool_(False)):
        np.testing.assert_array_equal(S.synthesize(page, cat, refine=refine, net=net.rough), rough)


def test_both_sketch_and_style_are_heard(page, cat, cup, net):
    turned = np.ascontiguousarray(page[:,::-1])
    turned[5:9,5:70] = 0
    made, *others = (S.synthesize(*pair, net=net) for pair in ((page, cat), (page, cup), (turned, cat)))
    assert all((made != other).any() for other in others)


# mixes

def test_shares_are_relative(page, cat, cup, net):
    paint = partial(S.synthesize, page, [cat, cup], net=net)
    np.testing.assert_array_equal(paint([3, 1]), paint((.75, .25)))
    np.testing.assert_array_equal(paint(np.array([1, 1])), paint())
    np.testing.assert_array_equal(paint([0, 7]), S.synthesize(page, cup, net=net))
    assert (paint([3, 1]) != paint([1, 3])).any()


@pytest.mark.parametrize('n, quarters', [(1, '0000'), (2, '0110'), (3, '0120'), (4, '0123')])
def test_mosaics(n, quarters):
    "Of two photos the equal ones lie across; sizes may differ"
    photos = [np.full((20 + 9*i, 30, 3), 60*i, np.uint8) for i in range(n)]
    made = S._mosaic(photos, 64)
    assert made.shape == (64, 64, 3)
    assert [made[y,x,0]//60 for y, x in ((9, 9), (9, 50), (50, 9), (50, 50))] == [int(q) for q in quarters]


def test_a_mosaic_is_one_style(page, cat, cup, net):
    paint = partial(S.synthesize, page, net=net)
    np.testing.assert_array_equal(paint([cat, cup], mix='mosaic'), paint(S._mosaic([cat, cup], 64)))
    np.testing.assert_array_equal(paint(cat, mix='mosaic'), paint(cat))


@pytest.mark.parametrize('h, w', [(1, 1), (1, 1000), (120, 131)])
@pytest.mark.parametrize('by', S._SKETCHERS)
def test_a_sketch_of_any_photo(cat, by, h, w):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        sketch = S._as_sketch(np.resize(cat, (h, w, 3)), by, 64)
    scale = min(1, 64/max(h, w))
    assert sketch.shape == tuple(max(1, round(scale*n)) for n in (h, w)) and sketch.dtype == np.float32
    assert 0 <= sketch.min() and sketch.max() <= 1 + 1e-6


def test_transfer_hands_its_settings_on(cat, cup, net):
    found = S.transfer(cat, [cat, cup], 'coherent', shares=[0, 1], seed=3, net=net)
    np.testing.assert_array_equal(found['picture'], S.synthesize(found['sketch'], cup, seed=3, net=net))
    with pytest.raises(ValueError, match='the sketch is blank'): S.transfer(cat*0 + 99, cup, 'coherent', net=net)


def test_a_matrix_shows_every_pair(page, cat, cup, net):
    sketches, styles = [page, page[:,:30], page[:1]*0 + (np.arange(80) > 9)], [cat, cup]
    made = S.style_matrix(sketches, styles, 64, net=net)
    assert made.shape == (4*64, 3*64, 3) and (made[:64,:64] == 255).all()
    for row, sketch in enumerate(sketches[:1], 1):
        for column, style in enumerate(styles, 1):
            cell = made[64*row:64*row + 64,64*column:64*column + 64]
            np.testing.assert_array_equal(cell[12:52], S.synthesize(sketch, style, net=net))


# training

@pytest.mark.parametrize('name, batch', [('art', 2), ('face', 3), ('shoe', 4)])
def test_training(sketched, tmp_path, name, batch):
    "Each configuration and a batch of any size; the networks of phase 1 stay as they are in phase 2"
    c = small(name)
    runs = fit_phases({'a': S.AutoencoderTask(sketched, c), 'b': S.RefinerTask(sketched, c)}, tmp_path, steps=4,
                      batch_size=batch, plot=False, progress=False)
    assert [[*r.trained] for r in runs.values()] == [['rough'], ['net', 'netD']]
    terms = S._AE_WEIGHTS.keys() - {'mutual'}, S._GAN_WEIGHTS.keys() | {'right'}
    for r, names in zip(runs.values(), terms):
        assert {k for k in r.history if not k.startswith('val_')} == names
        assert all(np.isfinite(v) for rows in r.history.values() for _, v in rows)
        assert {k for k in r.history if k.startswith('val_')} == {'val_pixel', 'val_feature', 'val_frechet'}
    assert same(runs['a'].net.state_dict(), runs['b'].net.rough.state_dict())
    start = S.RefinerTask(sketched, c).networks()['net'].refiner.state_dict()
    assert not same(start, runs['b'].net.refiner.state_dict()) and runs['b'].card['init'] == 'the phase a'


def test_small_sets_need_no_perceptual_network(sketched, tmp_path, monkeypatch):
    monkeypatch.setattr(S, 'PerceptualLoss', None)
    for kind in (S.AutoencoderTask, S.RefinerTask):
        task = kind(sketched, small('shoe'))
        assert task.helpers() == {} and np.isfinite(run(task, tmp_path/task.name).history['feature'][-1][1])


def test_mutual_information_learns_beside(sketched, tmp_path):
    "An estimator joins, trained itself, and the autoencoder changes by it"
    with_it = S.AutoencoderTask(sketched, small('shoe'), weights=S._AE_WEIGHTS | dict(mutual=1.))
    found, without = run(with_it, tmp_path/'a'), run(S.AutoencoderTask(sketched, small('shoe')), tmp_path/'b')
    assert [*found.trained] == ['rough', 'netQ'] and 'mutual' in found.history and 'mutual' not in without.history
    torch.manual_seed(0)
    assert not same(with_it.networks()['netQ'].state_dict(), states(found)['netQ'])
    assert not same(states(found)['rough'], states(without)['rough'])


def test_a_term_without_weight_changes_nothing(sketched, tmp_path):
    one, two = (run(S.AutoencoderTask(sketched, small('shoe'), weights=w), tmp_path/str(i)) for i, w in
                enumerate((dict(pixel=1.), dict(pixel=1., style=0.))))
    assert same(states(one)['rough'], states(two)['rough'])


@pytest.mark.parametrize('kind, name', [(S.AutoencoderTask, 'art'), (S.RefinerTask, 'face')])
def test_resuming_gives_the_same_weights(sketched, tmp_path, kind, name):
    "With previews at other steps than before, and as in a new process, in which no network has been loaded yet"
    class Stopped(kind):
        def step(self, run, *batch):
            if run.step == 6: os.kill(os.getpid(), signal.SIGINT)
            return super().step(run, *batch)
    more = dict(weights=S._AE_WEIGHTS | dict(mutual=.1)) if kind is S.AutoencoderTask else {}
    def go(kind, out, **kw):
        metrics._backbone.cache_clear()
        return run(kind(sketched, small(name, objective='grey'), **more), tmp_path/out, steps=12, **kw)
    whole, part = go(kind, 'whole'), go(Stopped, 'part')
    assert part.interrupted and part.step == 7         # a step without a preview, had it not been stopped
    rest = go(kind, 'part', resume=True)
    for k, state in states(whole).items(): assert same(state, states(rest)[k]), k


@pytest.mark.parametrize('kind', [S.AutoencoderTask, S.RefinerTask])
def test_looking_at_a_run_leaves_its_random_numbers_alone(sketched, tmp_path, kind):
    asked = []
    class Watched(kind):
        def watch(self, look, *args):
            before = torch.get_rng_state()
            found = look(*args)
            asked.append(torch.equal(torch.get_rng_state(), before))
            return found
        def preview(self, run): return self.watch(super().preview, run)
        def validate(self, nets): return self.watch(super().validate, nets)
    metrics._backbone.cache_clear()
    run(Watched(sketched, small()), tmp_path)
    assert len(asked) >= 3 and all(asked)


def test_previews(sketched, tmp_path):
    "Ten in a run, one picture each: sketches, photos, own and other styles"
    run(S.AutoencoderTask(sketched, small('shoe')), tmp_path, steps=11)
    made = sorted(tmp_path.glob('pictures-*.png'))
    assert len(made) == 9 and load_photo(made[0]).shape == (4*64, 2*64, 3)     # two photos are held out


def test_samples_are_right(sketched):
    task = S.AutoencoderTask(sketched, small())
    for i in range(20):
        photo, turned, sketch, erased = task.sample(i, np.random.default_rng(i))
        assert photo.shape == turned.shape == (3, 64, 64) and sketch.shape == erased.shape == (1, 64, 64)
        assert {x.dtype for x in (photo, turned, sketch, erased)} == {torch.float32}
        assert all(0 <= x.min() and x.max() <= 1 for x in (photo, turned, sketch, erased)) and (erased >= sketch).all()


def test_what_is_held_out_is_not_learned_from(sketched):
    task = S.AutoencoderTask(sketched, small())
    assert not set(task.train) & set(task.val) and sorted(task.train + task.val) == list(range(28))
    assert task.val == [7, 27]


def test_photos_of_extreme_shape(tmp_path):
    for i in range(20):
        save_image(tmp_path/f'{i:02}.png', np.resize(np.uint8([9, 99, 199]), (1, (1, 300)[i % 2], 3)))
    task = S.AutoencoderTask(S.SketchedPhotos(tmp_path, makers=[coherent_lines]), small())
    for i in range(2): assert all(x.isfinite().all() for x in task.sample(i, np.random.default_rng(i)))


def test_who_sketches():
    "TOM in all its styles as often as coherent lines; or lines alone"
    assert len(S._sketchers(None)) == 3 and len(S._sketchers('tom')) == 6
    with pytest.raises(WeightsError, match='pencil holds a Shader, but sketching photos needs a Tom'):
        S._sketchers('pencil')


# the command line

QUICK = ['--batch-size', '2', '--device', 'cpu', '--set', 'size=64', '--set', 'tom=none']


def test_train_in_two_phases(data, tmp_path, capsys):
    "Then the GAN alone, after the autoencoder that is there"
    words = ['train', 'selfsup', '--data', data/'photos', '--out', tmp_path, *QUICK, '--set', 'mutual=.1']
    assert book(*words, '--steps', 4) == 0, capsys.readouterr().err
    made = ['selfsup-autoencoder', 'selfsup-autoencoder.netQ', 'selfsup-gan', 'selfsup-gan.netD']
    assert available(tmp_path) == made
    classes = [card(tmp_path/f'{n}.safetensors')['network'].partition(':')[2] for n in made]
    assert classes == ['Autoencoder', '_MutualInformation', 'Stylist', '_Discriminator']
    for n in made: weights.verify(tmp_path/f'{n}.safetensors')
    known = card(tmp_path/'selfsup-gan.safetensors')
    assert known['init'] == 'the phase autoencoder' and known['data'] == 'photos'
    assert known['settings'] == dict(size=64, tom=None, mutual=.1)
    assert 'sketchbook train selfsup --data photos' in known['command'] and '--set tom=none' in known['command']
    assert S.synthesize(np.eye(40), load_photo(data/'photos'/'00.png'), net=tmp_path/'selfsup-gan.safetensors').any()
    for f in (tmp_path/'gan').iterdir(): f.unlink()
    assert book(*words, '--phase', 'gan', '--steps', 2) == 0
    again = [weights._read(tmp_path/f'selfsup-{n}.safetensors')[0] for n in ('autoencoder', 'gan')]
    assert all(torch.equal(again[1][f'rough.{k}'], v) for k, v in again[0].items())
    assert list((tmp_path/'gan').glob('pictures-*.png'))


def test_train_with_tom(data, tmp_path):
    assert book('train', 'selfsup', '--data', data/'photos', '--out', tmp_path, *QUICK[:-2], '--set', 'limit=20',
                '--set', 'config=shoe', '--phase', 'autoencoder', '--steps', 1) == 0
    assert card(tmp_path/'selfsup-autoencoder.safetensors')['settings'] == dict(size=64, limit=20, config='shoe')


@pytest.mark.parametrize('words, said', [
    (['--set', 'size=50'], 'size should be'), (['--set', 'config=celeba'], "no configuration 'celeba'"),
    (['--set', 'preset=huge'], "no preset 'huge'"), (['--set', 'preset=paper'], 'with the preset paper, not 64'),
    (['--set', 'lr=0'], 'lr should be'), (['--set', 'mutual=-1'], 'the weight of mutual should be'),
    (['--set', 'limit=0'], 'limit should be'), (['--set', 'limit=5'], 'there are 5 photos to learn from; 20 or'),
    (['--set', 'tom=pencil'], 'sketching photos needs a Tom'), (['--set', 'tom=nobody'], "No weights are called 'nobo"),
    (['--set', 'sise=64'], "no setting of selfsup, 'sise', did you mean size"),
    (['--phase', 'paint'], "no phase 'paint': choose one of autoencoder, gan"),
    (['--phase', 'gan'], "no finished phase 'autoencoder': train it first"), (['--init', 'tom'], 'The weights to sta')])
def test_train_with_bad_words(data, tmp_path, capsys, words, said):
    assert book('train', 'selfsup', '--data', data/'photos', '--out', tmp_path/'run', '--steps', 2, *QUICK, *words) == 2
    err = capsys.readouterr().err
    assert said in err and err.count('\n') == 1 and not (tmp_path/'run').exists()


def test_help_lists_the_settings(capsys):
    assert book('train', 'selfsup', '--help') == 0
    out = capsys.readouterr().out
    for said in ('config', 'art, face or shoe', 'mutual', 'tom', 'or none'): assert said in out


# measures

NAMES = ['frechet', 'style', 'edges', 'perceptual']


def test_evaluate(data, nets, lines_alone):
    found = S.evaluate(nets['whole'], data/'few', device='cpu', baselines=False)
    assert list(found) == [*NAMES, *(f'{n}_rough' for n in NAMES), 'backbone', 'perceptual_backbone', 'n']
    assert found['n'] == 6 and all(0 <= found[k] <= 1 for k in ('style', 'edges', 'style_rough', 'edges_rough'))
    assert all(np.isfinite(found[k]) and found[k] > 0 for k in ('frechet', 'frechet_rough', 'perceptual'))


def test_evaluate_with_baselines_from_a_terminal(data, nets, lines_alone, capsys):
    "Of an autoencoder alone, whose refined pictures are its rough ones"
    words = ['--data', data/'few', '--limit', 3, '--device', 'cpu', '--json', '--write-card']
    assert book('evaluate', nets['rough'], *words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found['n'] == 3 and found['frechet'] == found['frechet_rough'] and found['style_tint'] >= 0
    assert {f'{n}{b}' for n in NAMES[:3] for b in ('_tint', '_adain')} < found.keys()
    assert card(nets['rough'])['metrics']['few'] == found


def test_everybody_lends_a_style_and_nobody_to_itself(sketched):
    for n in (3, 4, 28):
        photos, sketches, lends = S._questions(sketched, 64, n)
        assert len(photos) == len(sketches) == n and sorted(lends) == list(range(n))
        assert (lends != np.arange(n)).all() and {s.shape for s in sketches} == {(64, 64)}


@pytest.mark.parametrize('words, said', [
    (['--data', 'few', '--limit', 2], 'limit should be a whole number, at least 3, not 2'),
    (['--data', 'few', '--sketches', 'few'], 'is not compared with drawings: leave out --sketches'),
    (['--data', 'empty'], 'empty: no photos in it'), (['--data', 'nowhere'], 'nowhere: no such file or folder')])
def test_evaluate_with_bad_words(data, nets, lines_alone, capsys, words, said):
    words = [data/w if w in ('few', 'empty', 'nowhere') else w for w in words]
    assert book('evaluate', nets['whole'], *words) == 2
    err = capsys.readouterr().err
    assert said in err and err.count('\n') == 1


def test_baselines_of_flat_photos(page, cat):
    "Ink and paper of one colour"
    square = np.ones((64, 64), np.float32)
    square[20:40,20:40] = 0
    assert (S._tinted(square, np.full((1, 1, 3), 80, np.uint8)) == 80).all()
    made = S._adain_pictures([square], [_square(cat, 64)], steps=2)
    assert made[0].shape == (64, 64, 3) and (made[0] != S._tinted(square, _square(cat, 64))).any()


# the explorer, without a browser

@pytest.fixture
def ex(cat, cup, net, monkeypatch):
    "The explorer over two photos, with a small network"
    monkeypatch.setattr(S, 'synthesize', partial(S.synthesize, net=net))
    return S.explore_style({'cat': cat, 'cup': cup}, side=64)


def picture(ex):
    assert ex.pane.error is None
    return ex.pane.pictures['picture']


def test_the_explorer_swaps_and_mixes(ex, cat, cup):
    first, shown = picture(ex), ex.pane.pictures['style'].copy()
    assert [*ex.pane.pictures] == ['sketch', 'style', 'picture'] and max(first.shape) == 128
    ex.controls['swap'].value = True
    swapped = picture(ex)
    assert swapped.shape != first.shape and (ex.pane.pictures['style'] != shown).any()
    ex.controls['swap'].value = False
    np.testing.assert_array_equal(picture(ex), first)
    for name, value in (('share', 1.), ('mosaic', True), ('seed', 3), ('refine', False)):
        before = picture(ex)
        ex.controls[name].value = value
        assert (picture(ex) != before).any(), name


def test_the_explorer_has_many_sketchers(ex):
    for by in ('sketchnet', 'coherent', 'drawing', 'tom'):
        ex.controls['by'].value = by
        assert picture(ex).ndim == 3


def test_the_explorer_paints_what_is_drawn(ex):
    "Whatever `swap` says; an empty page is a sentence, and the last picture stays"
    before = picture(ex)
    ex.controls['by'].value = 'drawn'
    assert 'the sketch is blank: draw some lines' in ex.pane.message.text
    np.testing.assert_array_equal(ex.pane.pictures['picture'], before)
    canvas = ex.controls['drawn']
    canvas._begin(9, 9); canvas._move(50, 40); canvas._end()
    drawn = picture(ex)
    assert drawn.shape == (128, 128, 3)
    ex.controls['swap'].value = True
    np.testing.assert_array_equal(picture(ex), drawn)


def test_the_explorer_gives_files(ex, cat, net, monkeypatch):
    for name in ('picture.png', 'sketch.png'):
        ex.downloads[name].press()
        assert ex.downloads[name].link.value.startswith(f'<a download="{name}"')
    assert picture(S.explore_style({'cat': cat})).shape == picture(ex).shape     # one photo is its own style
    assert picture(S.explore_style({}))[0,0].size == 3                           # none: the sample photos


# the shipped weights

def test_shipped_weights_paint(page, cat, cup):
    a, b = (S.synthesize(page, p) for p in (cat, cup))
    assert a.shape == b.shape == (80, 128, 3) and np.abs(a.astype(int) - b).mean() > 5


def test_shipped_weights_take_the_colours_of_the_style(cat, cup):
    sketch = S._as_sketch(cat, 'coherent')
    assert S._right_style(S.synthesize(sketch, cup), cup, cat)
