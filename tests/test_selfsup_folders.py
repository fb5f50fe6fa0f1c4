"`sketchbook selfsup`: its files, names and reports, and what is said of bad input, with a small untrained network"
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sketchbook import selfsup as S, weights
from sketchbook import selfsup_folders as F
from sketchbook.cli import main
from sketchbook.data import load_photo, sample_photos, save_image
from sketchbook.sketchnet import coherent_lines

ACTIONS = ['synthesize', 'matrix']


@pytest.fixture(scope='module')
def net(tmp_path_factory):
    "The file of a small network"
    torch.manual_seed(0)
    net = S.Stylist('art', 8, 8, 64)
    for m in net.modules():
        if isinstance(m, S._Noise): torch.nn.init.ones_(m.weight)
    return str(weights.save(net, tmp_path_factory.mktemp('nets')/'small.safetensors'))


@pytest.fixture(scope='module')
def own(net): return ['--weights', net, '--device', 'cpu']


@pytest.fixture(scope='module')
def samples(): return {n: p[::4,::4] for n, p in sample_photos(['cat', 'coffee', 'rocket']).items()}


@pytest.fixture(scope='module')
def page(samples): return coherent_lines(samples['coffee'])


@pytest.fixture
def pictures(tmp_path, samples, page):
    "A drawing and a photo of one name, and an inverted drawing"
    save_image(tmp_path/'in'/'a'/'x.png', page)
    save_image(tmp_path/'in'/'b'/'x.png', samples['cat'])
    save_image(tmp_path/'in'/'b'/'y.png', 1 - page)
    return tmp_path/'in'


@pytest.fixture
def styles(tmp_path, samples):
    for n in ('coffee', 'rocket'): save_image(tmp_path/'styles'/f'{n}.png', samples[n])
    return tmp_path/'styles'


def files(folder): return sorted(f.relative_to(folder).as_posix() for f in Path(folder).rglob('*') if f.is_file())
def book(*words): return main(['selfsup', *map(str, words)])
def report_of(out): return json.loads((out/'selfsup.json').read_text())
def one_line(capsys):
    err = capsys.readouterr().err
    assert err.count('\n') == 1 and 'Traceback' not in err, err
    return err


# the command

def test_every_sketch_in_every_style(pictures, styles, own, net, tmp_path, samples, page, capsys):
    out = tmp_path/'out'
    assert book('synthesize', pictures, '--style', styles, '--out', out, '--seed', 3, *own) == 0
    assert capsys.readouterr() == (f'3 photos done into {out}\n', '')
    assert files(out) == ['selfsup.json', *(f'selfsup/{s}/{n}.png' for s in ('x-2', 'x', 'y')
                                            for n in ('coffee', 'rocket', 'sketch'))]
    report = report_of(out)
    assert report['finished'] and not report['skipped'] and list(report['weights']) == [net, 'tom']
    assert report['settings'] == dict(action='synthesize', mix='none', by='tom', refine=True, seed=3, weights=net,
                                      device='cpu')
    assert list(report['photos'][0]['seconds']) == ['load', 'sketch', 'paint', 'write']
    drawn = load_photo(pictures/'a'/'x.png')
    for name in ('x', 'y'): np.testing.assert_array_equal(load_photo(out/f'selfsup/{name}/sketch.png'), drawn)
    wanted = S.synthesize(drawn, samples['rocket'], seed=3, net=net, device='cpu')
    np.testing.assert_array_equal(load_photo(out/'selfsup'/'x'/'rocket.png'), wanted)


@pytest.mark.parametrize('mix', ['mean', 'mosaic'])
def test_all_styles_at_once(pictures, styles, own, net, tmp_path, samples, mix):
    out = tmp_path/'out'
    assert book('synthesize', pictures/'a', '--style', styles, '--out', out, '--mix', mix, '--no-refine', *own) == 0
    assert files(out/'selfsup') == [f'x/{mix}.png', 'x/sketch.png']
    wanted = S.synthesize(load_photo(pictures/'a'/'x.png'), [samples[n] for n in ('coffee', 'rocket')], mix=mix,
                          refine=False, net=net, device='cpu')
    np.testing.assert_array_equal(load_photo(out/'selfsup'/'x'/f'{mix}.png'), wanted)


def test_who_sketches_a_photo(pictures, styles, own, net, tmp_path, samples):
    "The report names the network; a drawing stays what it is"
    for by in ('coherent', 'sketchnet'):
        words = ['synthesize', pictures, '--style', styles/'rocket.png', '--out', tmp_path/by, '--by', by, *own]
        assert book(*words) == 0
        assert list(report_of(tmp_path/by)['weights']) == [net, *['sketchnet']*(by == 'sketchnet')]
        made = load_photo(tmp_path/by/'selfsup'/'x-2'/'sketch.png')[...,0]/255
        np.testing.assert_allclose(made, S._as_sketch(samples['cat'], by, device='cpu'), atol=.003)
    for name in ('x', 'y'):
        a, b = (load_photo(tmp_path/by/'selfsup'/name/'sketch.png') for by in ('coherent', 'sketchnet'))
        np.testing.assert_array_equal(a, b)


def test_a_matrix(pictures, styles, own, tmp_path, capsys):
    out = tmp_path/'out'
    assert book('matrix', pictures, '--style', styles, '--out', out, '--cell', 40, *own) == 0
    assert capsys.readouterr() == (f'3 photos done into {out}\n', '')
    assert files(out) == ['matrix.png'] and load_photo(out/'matrix.png').shape == (4*40, 3*40, 3)
    assert book('matrix', pictures, '--style', styles, '--out', out, '--cell', 40, '--limit', 1, *own) == 0
    assert load_photo(out/'matrix.png').shape == (2*40, 2*40, 3)


def test_from_python(styles, net, tmp_path, samples, page):
    "Pictures in memory, paths and lists of files"
    report = F.synthesize_folder({'cup': page}, {'cat': samples['cat']}, tmp_path/'a', weights=Path(net), device='cpu')
    assert files(tmp_path/'a') == ['selfsup.json', 'selfsup/cup/cat.png', 'selfsup/cup/sketch.png']
    assert report['settings']['weights'] == net and report['photos'][0]['photo'] == 'sample/cup'
    found = F.matrix_folder({'cup': page, 'cat': samples['cat']}, [styles/'rocket.png', str(styles/'coffee.png')],
                            str(tmp_path/'b'), weights=Path(net), device='cpu')
    assert found['picture'] == str(tmp_path/'b'/'matrix.png') and found['styles'] == ['rocket', 'coffee']
    assert [p['name'] for p in found['photos']] == ['cup', 'cat'] and found['skipped'] == []


def test_help(capsys):
    assert book('--help') == 0
    out = ' '.join(capsys.readouterr().out.split())
    for said in ('synthesize|matrix', '--style STYLE', '--mix none|mean|mosaic', '--no-refine', '(128)'):
        assert said in out
    assert '(None)' not in out


# names

def test_names_stand(pictures, styles, own, tmp_path, page):
    "When more pictures come, for a subset, and for names with dots"
    out, words = tmp_path/'out', ['--style', styles, '--out', tmp_path/'out', *own]
    save_image(pictures/'a'/'my.page.png', page)
    assert book('synthesize', pictures, *words) == 0
    before = {f: (out/f).read_bytes() for f in files(out) if f.endswith('.png')}
    for name in ('x', 'my.page', 'new'): save_image(tmp_path/'other'/f'{name}.png', page[::-1])
    for more in (pictures/'b', tmp_path/'other'): assert book('synthesize', more, *words) == 0
    assert before == {f: (out/f).read_bytes() for f in before}
    assert {f.name for f in (out/'selfsup').iterdir()} == {'x', 'x-2', 'x-3', 'y', 'my.page', 'my.page-2', 'new'}


def test_a_style_that_is_called_sketch(pictures, own, tmp_path, samples):
    "Does not lie where the sketch lies, whatever its capitals"
    for name in ('a/sketch', 'b/Sketch'): save_image(tmp_path/'s'/f'{name}.png', samples['cat'])
    assert book('synthesize', pictures/'a', '--style', tmp_path/'s', '--out', tmp_path/'out', *own) == 0
    out = tmp_path/'out'/'selfsup'/'x'
    assert len({f.casefold() for f in files(out)}) == len(files(out)) == 3
    np.testing.assert_array_equal(load_photo(out/'sketch.png'), load_photo(pictures/'a'/'x.png'))


def test_results_are_no_sketches_unless_named(pictures, styles, own, tmp_path):
    where = pictures/'b'
    for _ in range(2):
        for action in ACTIONS: assert book(action, where, '--style', styles, '--out', where, *own) == 0
    assert len(report_of(where)['photos']) == 2
    assert {f.split('/')[0] for f in files(where)} == {'matrix.png', 'selfsup', 'selfsup.json', 'x.png', 'y.png'}
    assert book('synthesize', where/'matrix.png', '--style', styles, '--out', where, '--by', 'coherent', *own) == 0


# bad input

def test_bad_sketches_among_good_ones(pictures, styles, own, tmp_path, capsys):
    "The others are painted, and the exit status is 1"
    (pictures/'letter.png').write_text('Dear sketch, ...')
    (pictures/'empty.jpg').write_bytes(b'')
    save_image(pictures/'blank.png', np.ones((40, 50)))
    for action in ACTIONS:
        assert book(action, pictures, '--style', styles, '--out', tmp_path/action, *own) == 1
        out, err = capsys.readouterr()
        assert out == f'3 photos done into {tmp_path/action}, 3 skipped\n'
        assert sorted(err.splitlines()) == [
            f'skipped {pictures/"blank.png"}: the sketch is blank: draw some lines, darker than the paper',
            f'skipped {pictures/"empty.jpg"}: the file is empty',
            f'skipped {pictures/"letter.png"}: text, not a picture']
    assert len(report_of(tmp_path/'synthesize')['skipped']) == 3
    assert len(files(tmp_path/'synthesize')) == 1 + 3*3 and load_photo(tmp_path/'matrix'/'matrix.png').shape[0] == 4*128


@pytest.mark.parametrize('action', ACTIONS)
def test_a_bad_style_among_good_ones(pictures, styles, own, tmp_path, capsys, action):
    (styles/'letter.png').write_text('Dear photo, ...')
    assert book(action, pictures/'a', '--style', styles, '--out', tmp_path/'out', *own) == 0
    assert one_line(capsys) == f'sketchbook: {styles/"letter.png"}: text, not a picture: left out as a style\n'


def test_a_style_of_one_colour_still_paints(pictures, own, tmp_path, capsys):
    save_image(tmp_path/'wall.png', np.full((30, 40, 3), 90, np.uint8))
    for action in ACTIONS:
        assert book(action, pictures/'a', '--style', tmp_path/'wall.png', '--out', tmp_path/'out', *own) == 0
        assert 'a style photo has one colour only' in one_line(capsys)


@pytest.mark.parametrize('action', ACTIONS)
@pytest.mark.parametrize('given, said', [
    (['letter.png', '--style', 'styles'], 'letter.png: text, not a picture'),
    (['in', '--style', 'letter.png'], 'letter.png: no style photo there can be read'),
    (['in', '--style', 'empty'], 'empty: no photos there'), (['in', '--style', 'nowhere'], 'nowhere: no such file or'),
    (['in', '--style', ''], 'the name of a photo or folder is empty'),
    (['empty', '--style', 'styles'], 'empty: no photos there'), (['nowhere', '--style', 'styles'], 'no such file or'),
    (['in'], 'required: --style')])
def test_nothing_to_do(pictures, styles, own, tmp_path, capsys, action, given, said):
    (tmp_path/'empty').mkdir()
    (tmp_path/'letter.png').write_text('Dear picture, ...')
    given = [w if w.startswith('--') or not w else tmp_path/w for w in given]
    status = book(action, *given, '--out', tmp_path/'out', *own)
    err = capsys.readouterr().err
    assert said in err and status == (1 if action == 'synthesize' and 'letter.png: text' in said else 2)
    assert status == 1 or not (tmp_path/'out').exists()


@pytest.mark.parametrize('action, option, said', [
    ('matrix', ['--mix', 'mean'], 'matrix takes no --mix'),
    ('synthesize', ['--cell', '64'], 'no --limit and no --cell'),
    ('synthesize', ['--limit', '2'], 'no --limit and no --cell')])
def test_options_of_the_other_action(pictures, styles, own, tmp_path, capsys, action, option, said):
    assert book(action, pictures/'a', '--style', styles, '--out', tmp_path/'out', *option, *own) == 2
    assert said in capsys.readouterr().err and not (tmp_path/'out').exists()


@pytest.mark.parametrize('words, said', [
    (['paint', 'in'], "'paint' should be one of synthesize, matrix"), ([], 'required'),
    (['in'], 'should be one of synthesize, matrix'),
    (['synthesize', 'in', '--mix', 'all'], "--mix: 'all' should be one of none, mean, mosaic"),
    (['synthesize', 'in', '--by', 'pen'], "--by: 'pen' should be one of tom, sketchnet, coherent"),
    (['synthesize', 'in', '--seed', '-1'], 'seed should be'), (['synthesize', 'in', '--seed', 'x'], '--seed'),
    (['matrix', 'in', '--limit', '0'], 'limit should be a whole number, at least 1'),
    (['matrix', 'in', '--cell', '5'], 'cell should be a whole number of pixels, at least 32'),
    *(([a, 'in', '--device', 'abacus'], 'Device "abacus" is unknown') for a in ACTIONS),
    *(([a, 'in', '--weights', 'nothing'], "No weights are called 'nothing'") for a in ACTIONS),
    *(([a, 'in', '--weights', 'pencil'], 'pencil holds a Shader, but painting') for a in ACTIONS)])
def test_settings_that_make_no_sense(pictures, styles, own, tmp_path, capsys, words, said):
    "Said in one line before any file is made"
    words = [pictures if w == 'in' else w for w in words]
    assert book(*own[:0 if '--weights' in words else 2], *words, '--style', styles, '--out', tmp_path/'out') == 2
    assert said in one_line(capsys) and not (tmp_path/'out').exists()


@pytest.mark.parametrize('call, said', [
    (lambda *a, **k: F.synthesize_folder(*a, mix='all', **k), "no mix 'all': choose one of none, mean, mosaic"),
    (lambda *a, **k: F.synthesize_folder(*a, by='pen', **k), "no way to sketch 'pen'"),
    (lambda *a, **k: F.synthesize_folder(*a, refine='no', **k), "refine should be True or False, not 'no'"),
    (lambda *a, **k: F.synthesize_folder(*a, seed=1.5, **k), 'seed should be'),
    (lambda *a, **k: F.matrix_folder(*a, by='pen', **k), "no way to sketch 'pen'"),
    (lambda *a, **k: F.matrix_folder(*a, limit=True, **k), 'limit should be'),
    (lambda *a, **k: F.matrix_folder(*a, cell=33.5, **k), 'cell should be')])
def test_calls_that_make_no_sense(pictures, styles, net, tmp_path, call, said):
    with pytest.raises(ValueError, match=said): call(pictures, styles, tmp_path/'out', weights=net)
    assert not (tmp_path/'out').exists()


def test_a_place_where_nothing_can_be_written(pictures, styles, own, tmp_path, capsys):
    (tmp_path/'out').write_text('a file')
    for action in ACTIONS:
        assert book(action, pictures/'a', '--style', styles, '--out', tmp_path/'out', *own) == 2
        assert 'results cannot be written there' in one_line(capsys)


def test_a_full_disk_leaves_no_halves(pictures, styles, net, tmp_path, monkeypatch):
    real, calls = F.save_image, []
    def full(path, picture):
        calls.append(path)
        if len(calls) == 5: raise OSError(28, 'No space left on device')
        real(path, picture)
    monkeypatch.setattr(F, 'save_image', full)
    with pytest.raises(ValueError, match='No space left on device'):
        F.synthesize_folder(pictures, styles, tmp_path/'out', by='coherent', weights=net, device='cpu')
    assert files(tmp_path/'out') == ['selfsup.json', *(f'selfsup/x/{n}.png' for n in ('coffee', 'rocket', 'sketch'))]


# the shipped weights

def test_the_shipped_network_is_in_the_report(pictures, styles, tmp_path):
    assert book('synthesize', pictures/'a', '--style', styles, '--out', tmp_path/'out') == 0
    assert report_of(tmp_path/'out')['weights']['selfsup'] == weights.card('selfsup')['sha256']
