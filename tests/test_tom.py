"TOM: photos of any kind and size, bad input, training that goes on where it stopped, the command line, measures"
import json
import os
import signal

import numpy as np
import pytest
import torch

from sketchbook import tom as T
from sketchbook.cli import main
from sketchbook.data import load_photo, sample_photos, save_image
from sketchbook.tom import _square
from sketchbook.sketchnet import coherent_lines
from sketchbook.training import fit
from sketchbook.weights import available, card, save

SMALL = dict(size=64, n=8)                  # what trains in no time


@pytest.fixture(scope='module')
def cat(): return np.ascontiguousarray(sample_photos('cat')['cat'][50:170,80:211])


@pytest.fixture(scope='module')
def net():
    torch.manual_seed(0)
    return T.Tom(n=8, pretrained=False).eval()


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    "Folders `photos` and `drawings` of twenty-four pictures, and `few` and `empty` of six and of none"
    folder, rng, cup = tmp_path_factory.mktemp('tom'), np.random.default_rng(0), sample_photos('coffee')['coffee']
    for i in range(24):
        photo = _square(cup, 70, rng.random(2), rng.uniform(1, 2))
        for name in ('photos', 'few')[:1 + (i < 6)]: save_image(folder/name/f'{i:02}.png', photo)
        save_image(folder/'drawings'/f'{i:02}.png', coherent_lines(photo))
    (folder/'empty').mkdir()
    return folder


def task(data, **kw): return T.TomTask(data/'photos', data/'drawings', **SMALL | kw)
def run(task, out, **kw): return fit(task, out, plot=False, progress=False, **dict(steps=2, batch_size=2) | kw)
def same(a, b): return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
def states(run): return {k: net.state_dict() for k, net in run.trained.items()}
def book(*words): return main([*map(str, words)])


# bad input

@pytest.mark.parametrize('kw, said', [
    (dict(preset='huge'), "no preset 'huge': choose one of book, paper"), (dict(n=1), 'n should be a whole number of'),
    (dict(n=2.5), 'n should be')])
def test_bad_networks(data, tmp_path, kw, said):
    "Before anything is written"
    for make in (lambda: T.Tom(**kw), lambda: run(task(data, **kw), tmp_path/'run')):
        with pytest.raises(ValueError, match=said): make()
    assert not (tmp_path/'run').exists()


def test_a_file_that_is_no_picture_is_named(data, tmp_path):
    (tmp_path/'a.png').write_text('Dear drawing, ...')
    with pytest.raises(ValueError, match='a.png: text, not a picture'): T.TomTask(data/'photos', tmp_path)


@pytest.mark.parametrize('make', [lambda data, out: T.Tom('paper'),
                                  lambda data, out: run(task(data, preset='paper'), out/'run')])
def test_the_papers_networks_need_vgg(data, tmp_path, monkeypatch, make):
    monkeypatch.setattr(T, '_in_torch_cache', lambda weights: False)
    with pytest.raises(ValueError, match="VGG-16's features, .* are not in the torch cache; use the preset 'book'"):
        make(data, tmp_path)
    assert not (tmp_path/'run').exists()


# photos of any kind and size

@pytest.mark.parametrize('h, w', [(1, 1), (1, 1000), (1000, 1), (7, 9), (8, 8), (33, 2), (64, 96), (120, 131)])
@pytest.mark.parametrize('kw', [dict(threshold=None), dict(), dict(size=16)])
def test_any_size(cat, net, h, w, kw):
    drawn = T.sketch_photo(np.resize(cat, (h, w, 3)), net, **kw)
    assert drawn.shape == (h, w) and drawn.dtype == np.float32 and np.isfinite(drawn).all()
    assert 0 <= drawn.min() and drawn.max() <= 1


def test_tiny_photos_for_the_papers_network(cat):
    net = T.Tom('paper', pretrained=False)
    for h, w in ((1, 1), (3, 3), (9, 17)): assert T.sketch_photo(cat[:h,:w], net).shape == (h, w)


def test_photos_of_any_kind(cat, net, tmp_path):
    "A grey file, floats, an alpha channel and a mask of bools"
    grey = cat[...,1]
    save_image(tmp_path/'grey.png', grey)
    wanted = T.sketch_photo(np.dstack([grey]*3), net)
    for given in (grey, grey[...,None], tmp_path/'grey.png', str(tmp_path/'grey.png'), grey.astype(np.float32)/255,
                  np.dstack([grey]*3 + [np.full_like(grey, 255)])):
        np.testing.assert_array_equal(T.sketch_photo(given, net), wanted)
    assert T.sketch_photo(grey > 99, net).shape == grey.shape


def test_a_photo_stays_as_it_is_and_gives_one_sketch(cat, net):
    before = cat.copy()
    np.testing.assert_array_equal(T.sketch_photo(cat, net, None), T.sketch_photo(cat, net, None))
    np.testing.assert_array_equal(cat, before)


def test_the_threshold_decides(cat, net):
    greys = T.sketch_photo(cat, net, None)
    assert len(np.unique(greys)) > 100
    middle = float(np.median(greys))
    np.testing.assert_array_equal(T.sketch_photo(cat, net, middle), greys > middle)
    assert T.sketch_photo(cat, net, 0).min() == 1 and T.sketch_photo(cat, net, 1).max() == 0


def test_a_size_makes_it_coarser(cat, net):
    "And one that the photo does not have changes nothing"
    whole, coarse, large = (T.sketch_photo(cat, net, None, size) for size in (None, 40, 8192))
    np.testing.assert_array_equal(large, whole)
    assert coarse.shape == whole.shape and not np.array_equal(coarse, whole)


def test_a_network_stays_in_its_mode(cat):
    net = T.Tom(n=8, pretrained=False)
    for mode in (True, False):
        net.train(mode)
        before = {k: v.clone() for k, v in net.state_dict().items()}
        T.sketch_photo(cat, net)
        assert net.training == net.last.training == mode and same(before, net.state_dict())


def test_shipped_styles_differ(cat):
    "By number, whatever kind of number, and by name"
    drawn = [T.sketch_photo(cat, i, None) for i in range(3)]
    for a, b in ((0, 1), (0, 2), (1, 2)): assert not np.array_equal(drawn[a], drawn[b])
    for i in range(3):
        for style in (np.int64(i), float(i), T._STYLES[i]):
            np.testing.assert_array_equal(T.sketch_photo(cat, style, None), drawn[i])


def test_shipped_styles_leave_an_empty_page_nearly_empty():
    assert T.sketch_photo(np.full((96, 96, 3), 255, np.uint8)).mean() > .9


@pytest.mark.parametrize('h, w', [(1, 1), (3, 1000), (120, 131)])
def test_strong_edges_of_anything(cat, h, w):
    for photo in (np.resize(cat, (h, w, 3)), np.full((h, w, 3), 99, np.uint8)):
        found = T.strong_edges(photo)
        assert found.shape == (h, w) and found.dtype == np.float32 and set(np.unique(found)) <= {0, 1}
    assert found.min() == 1                                     # nothing on a flat one


def test_more_strong_edges_for_a_larger_share(cat):
    few, many = ((T.strong_edges(cat, share) < .5).sum() for share in (.01, .2))
    assert 0 < few < many


# training

@pytest.mark.parametrize('more, batch', [
    (dict(), 2), (dict(), 1), (dict(momentum=0), 2), (dict(weights=dict(gram=1.)), 2)])
def test_training(data, tmp_path, more, batch):
    done = run(task(data, **more, styles=1), tmp_path, batch_size=batch)
    assert list(done.trained) == ['netG', 'netD', 'target']
    assert {'content', 'gram', 'adversarial', 'right'} <= set(done.history)
    assert all(np.isfinite(v) for rows in done.history.values() for _, v in rows)
    torch.manual_seed(0)
    assert not same(task(data, styles=1).networks()['netG'].state_dict(), done.net.state_dict())
    assert T.sketch_photo(load_photo(data/'photos'/'00.png'), done.net).shape == (70, 70)


def test_a_style_is_kept_when_its_part_is_over(data, tmp_path):
    done = run(task(data), tmp_path, steps=6)
    assert done.trained['target'].kept.nonzero().flatten().tolist() == [1, 2]
    last = [done.trained[k].last[1].weight for k in ('style1', 'style2', 'netG')]
    assert not torch.equal(last[0], last[1]) and not torch.equal(last[1], last[2])


def test_resuming_gives_the_same_weights(data, tmp_path):
    "Those of the styles, of the critic and of the moving target, too"
    class Stopped(T.TomTask):
        def step(self, run, *batch):
            if run.step == 2: os.kill(os.getpid(), signal.SIGINT)
            return super().step(run, *batch)
    whole = run(task(data), tmp_path/'whole', steps=6)
    part = run(Stopped(data/'photos', data/'drawings', **SMALL), tmp_path/'part', steps=6)
    assert part.interrupted and part.step == 3
    rest = run(task(data), tmp_path/'part', steps=6, resume=True)
    for k, state in states(whole).items(): assert same(state, states(rest)[k]), k


def test_each_folder_of_drawings_is_used_equally_often(data, tmp_path):
    "However many drawings are in it; a drawing is grey, on white paper, and of the right size"
    page = np.full((40, 300), 200, np.uint8)
    page[20] = 0
    save_image(tmp_path/'a.png', page)
    both = T.TomTask(data/'photos', [data/'drawings', tmp_path], **SMALL)
    asked = []
    for number, drawings in enumerate(both.drawings):
        read = type(drawings).drawing
        both.drawings[number] = type('Noted', (), {
            '__len__': lambda s, d=drawings: len(d),
            'drawing': lambda s, i, d=drawings, n=number: asked.append(n) or read(d, i)})()
    for i in range(200):
        photo, drawing = both.sample(i % len(both), np.random.default_rng(i))
        assert photo.shape == (3, 64, 64) and drawing.shape == (1, 64, 64) and drawing.dtype == torch.float32
        assert 0 <= drawing.min() and drawing.max() <= 1
    assert 70 < sum(asked) < 130


def test_pictures_of_extreme_shape(tmp_path, data):
    "Photos of 1 x 300 pixels and a drawing of 1 x 1"
    for i in range(16): save_image(tmp_path/'thin'/f'{i}.png', np.resize(np.uint8([9, 99, 199]), (1, 300, 3)))
    save_image(tmp_path/'dot'/'a.png', np.zeros((1, 1), np.uint8))
    photo, drawing = T.TomTask(tmp_path/'thin', tmp_path/'dot', size=64.).sample(0, np.random.default_rng(0))
    assert photo.shape == (3, 64, 64) and drawing.shape == (1, 64, 64) and photo.isfinite().all()


def test_drawings_beside_their_photos(tmp_path, cat):
    "Of `ID.jpg` and `ID.sketch.jpg` the latter alone are drawings"
    for i in range(3):
        save_image(tmp_path/f'{i}.jpg', cat)
        save_image(tmp_path/f'{i}.sketch.jpg', coherent_lines(cat))
    assert T.FromDrawings(tmp_path).names == [f'{i}.sketch.jpg' for i in range(3)]


# the command line

QUICK = ['--steps', '2', '--batch-size', '2', '--device', 'cpu', '--set', 'size=64']


def test_train_on_two_folders_of_drawings(data, tmp_path):
    "The card names both; earlier styles lie beside the last; another training may start from them"
    save_image(tmp_path/'more'/'a.png', load_photo(data/'drawings'/'00.png'))
    words = ['train', 'tom', '--photos', data/'photos', '--sketches', data/'drawings', '--sketches', tmp_path/'more']
    assert book(*words, '--out', tmp_path/'run', *QUICK, '--set', 'styles=2', '--set', 'gram=.5') == 0
    made = card(tmp_path/'run'/'tom.safetensors')
    assert made['command'].startswith('sketchbook train tom --photos photos --sketches drawings --sketches more ')
    assert made['network'] == 'sketchbook.tom:Tom' and made['data'] == 'photos; drawings; more'
    assert made['settings'] == dict(size=64, styles=2, gram=.5)
    assert available(tmp_path/'run') == ['tom', 'tom.netD', 'tom.style1', 'tom.target']
    start = ['--init', tmp_path/'run'/'tom.safetensors']
    assert book(*words, '--out', tmp_path/'next', *QUICK, '--set', 'styles=2', *start) == 0
    assert card(tmp_path/'next'/'tom.safetensors')['init'].startswith('tom.safetensors (sha256 ')


@pytest.mark.parametrize('words, said', [
    (['--set', 'size=50'], 'size should be'), (['--set', 'styles=0'], 'styles should be'),
    (['--set', 'momentum=1'], 'momentum should be'), (['--set', 'gram=-1'], 'the weight of gram should be'),
    (['--set', 'lr=0'], 'lr should be'), (['--set', 'content=x'], "--set content: 'x' should be a number"),
    (['--set', 'preset=huge'], "no preset 'huge'"), (['--sketches', 'nowhere'], 'nowhere: no such file or folder'),
    (['--data', 'x'], 'unrecognized arguments: --data x')])
def test_train_with_bad_words(data, tmp_path, capsys, words, said):
    given = ['train', 'tom', '--photos', data/'photos', '--sketches', data/'drawings']
    assert book(*given, '--out', tmp_path/'run', *QUICK, *words) == 2
    err = capsys.readouterr().err
    assert said in err and err.count('\n') == 1 and not (tmp_path/'run').exists()


def test_train_needs_both_folders(data, tmp_path, capsys):
    for given, missing in (('--photos', '--sketches'), ('--sketches', '--photos')):
        assert book('train', 'tom', given, data/'photos', '--out', tmp_path/'run') == 2
        assert f'required: {missing}' in capsys.readouterr().err


def test_evaluate_with_drawings_and_without(data, net, tmp_path, capsys):
    file = save(net, tmp_path/'mine.safetensors')
    words = ['evaluate', file, '--data', data/'photos', '--device', 'cpu', '--json']
    without, with_them = ['edges_kept', 'ink'], ['edges_kept', 'ink', 'gram']
    for more, names in (([], without), (['--sketches', data/'drawings', '--sketches', data/'drawings'], with_them)):
        assert book(*words, *more) == 0
        found = json.loads(capsys.readouterr().out)
        assert list(found) == [*names, *(f'{k}_coherent' for k in names), 'backbone', 'n'] and found['n'] == 1
        assert all(0 <= found[k] <= 1 for k in found if k.startswith(('edges', 'ink')))
    assert 0 < found['gram'] and 0 < found['gram_coherent']


def test_evaluate_the_shipped_network(data, capsys):
    assert book('evaluate', 'tom', '--data', data/'photos', '--sketches', data/'drawings') == 0
    assert 'gram_coherent' in capsys.readouterr().out


@pytest.mark.parametrize('words, said', [
    (['pencil', '--sketches', 'drawings'], 'pencil is not compared with drawings: leave out --sketches'),
    (['tom', '--sketches', 'nowhere'], 'nowhere: no such file or folder'),
    (['tom', '--sketches', 'empty'], 'empty: no photos in it'), (['tom', '--limit', '0'], '--limit')])
def test_evaluate_with_bad_words(data, capsys, words, said):
    words = [data/w if w in ('drawings', 'nowhere', 'empty') else w for w in words]
    assert book('evaluate', words[0], '--data', data/'photos', *words[1:]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count('\n') == 1


def test_evaluate_in_python(data, net, tmp_path, cat):
    "One folder of drawings may be named without a list; photos in `val` are those measured"
    file = save(net, tmp_path/'mine.safetensors')
    for i in range(16): save_image(tmp_path/'in'/('val' if i < 2 else 'train')/f'{i:02}.png', cat)
    assert T.evaluate(file, tmp_path/'in', str(data/'drawings'))['n'] == 2
    assert T.evaluate(file, tmp_path/'in', limit=1)['n'] == 1
    save_image(tmp_path/'in'/'val'/'flat.png', cat*0 + 99)      # has no edges to keep, and spoils nothing
    assert T.evaluate(file, tmp_path/'in')['n'] == 3 and 0 <= T.evaluate(file, tmp_path/'in')['edges_kept'] <= 1
    for name, data, said in (('pencil', tmp_path/'in', 'pencil holds a Shader'), (file, data/'few', '6 photos to')):
        with pytest.raises(ValueError, match=said): T.evaluate(name, data)
