"`sketchbook lines` and `sketchbook pencil`: their files, names and report, and what is said of bad input"
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from sketchbook import pencil as P, weights
from sketchbook import pencil_folders as F
from sketchbook.cli import main
from sketchbook.data import load_photo, sample_photos, save_image


@pytest.fixture(scope='module')
def nets(tmp_path_factory):
    "Files of two small networks, one for lines and one for photos"
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp('nets')
    return [str(weights.save(P.Shader(ni=ni, n=8, blocks=1), folder/f'{n}.safetensors'))
            for n, ni in (('lines', 2), ('photos', 5))]


@pytest.fixture(scope='module')
def own(nets): return ['--weights', nets[0], '--device', 'cpu']


@pytest.fixture(scope='module')
def page():
    page = np.ones((90, 110), np.float32)
    cv2.circle(page, (50, 45), 30, 0, 2)
    return page


@pytest.fixture
def pictures(tmp_path, page):
    "A drawing, a photo and an inverted drawing; two have one name"
    save_image(tmp_path/'in'/'a'/'x.png', page)
    save_image(tmp_path/'in'/'b'/'x.png', sample_photos('cat')['cat'][::3,::3])
    save_image(tmp_path/'in'/'b'/'y.png', 1 - page)
    return tmp_path/'in'


def files(folder): return sorted(f.relative_to(folder).as_posix() for f in Path(folder).rglob('*') if f.is_file())
def book(*words): return main([*map(str, words)])
def report_of(out, kind): return json.loads((out/f'{kind}.json').read_text())
def read(file): return load_photo(file)[...,0]/np.float32(255)


# the commands

def test_lines(pictures, tmp_path, capsys):
    out = tmp_path/'out'
    assert book('lines', pictures, '--out', out, '--thickness', 1, '--device', 'cpu') == 0
    assert capsys.readouterr() == (f'3 photos done into {out}\n', '')
    assert files(out) == ['lines.json', 'lines/x-2.png', 'lines/x.png', 'lines/y.png']
    report = report_of(out, 'lines')
    assert report['finished'] and report['weights'] == {} and not report['skipped']
    assert report['settings'] == dict(source='coherent', detail=.6, thickness=1, blacks=False, mask=False,
                                      max_side=4096, device='cpu')
    assert [e['name'] for e in report['photos']] == ['x', 'x-2', 'y'] and report['photos'][0]['size'] == [90, 110]
    assert list(report['photos'][0]['seconds']) == ['load', 'draw', 'write']
    for name, source in (('x', 'a/x'), ('x-2', 'b/x')):
        wanted = P.extract_lines(pictures/f'{source}.png', 1)
        np.testing.assert_allclose(read(out/'lines'/f'{name}.png'), wanted, atol=.003)


@pytest.mark.parametrize('source', ['xdog', 'dodge'])
def test_other_filters(pictures, tmp_path, source):
    assert book('lines', pictures/'b'/'x.png', '--out', tmp_path/'out', '--source', source, '--detail', .9) == 0
    wanted = P.extract_lines(pictures/'b'/'x.png', 0, source, .9)
    np.testing.assert_allclose(read(tmp_path/'out'/'lines'/'x.png'), wanted, atol=.003)


def test_lines_of_the_subject(tmp_path):
    "By SketchNet and MaskNet, which the report names"
    photo = sample_photos('coffee')['coffee'][::3,::3]
    F.lines_folder({'cup': photo}, out=tmp_path, source='sketchnet', mask=True, device='cpu')
    assert set(report_of(tmp_path, 'lines')['weights']) == {'sketchnet', 'masknet-v2'}
    away = cv2.distanceTransform((P._subject(photo, 'cpu') < .5).astype(np.uint8), cv2.DIST_L2, 5)
    drawn = read(tmp_path/'lines'/'cup.png') < .5
    assert drawn.sum() > 100 and away[drawn].max() <= 4


def test_pencil(pictures, own, nets, tmp_path, capsys):
    out = tmp_path/'out'
    words = ['--via', 'coherent', '--no-mask', '--shade', .2, '--seed', 3, '--thickness', 1, '--patch-size', 64,
             '--hatch', .5]
    assert book('pencil', pictures, '--out', out, *own, *words) == 0
    assert capsys.readouterr() == (f'3 photos done into {out}\n', '')
    assert files(out) == ['pencil.json', 'pencil/x-2.png', 'pencil/x.png', 'pencil/y.png']
    report = report_of(out, 'pencil')
    assert report['finished'] and report['weights'] == {nets[0]: weights.card(nets[0])['sha256']}
    assert report['settings']['via'] == 'coherent' and report['settings']['shade'] == .2
    wanted = P.draw(P.extract_lines(pictures/'b'/'x.png', 1), 64, shade=.2, seed=3, hatch=.5, net=nets[0],
                    device='cpu')
    np.testing.assert_allclose(read(out/'pencil'/'x-2.png'), wanted, atol=.003)


def test_keep_lines_of_drawings(pictures, own, tmp_path, page):
    "Whatever their colours: `auto` draws them as they are"
    out = tmp_path/'out'
    words = ['--keep-lines', '--model-size', 96, '--patch-size', 64]
    assert book('pencil', pictures/'a', pictures/'b'/'y.png', '--out', out, *own, *words) == 0
    assert files(out/'pencil') == ['x.png', 'x_lines.png', 'y.png', 'y_lines.png']
    assert report_of(out, 'pencil')['photos'][0]['outputs'] == ['pencil/x.png', 'pencil/x_lines.png']
    for name in 'xy': np.testing.assert_allclose(read(out/'pencil'/f'{name}_lines.png'), P.as_lines(page), atol=.003)
    assert read(out/'pencil'/'x.png').shape == (135, 165)
    assert report_of(out, 'pencil')['photos'][0]['size'] == [135, 165]


def test_auto_of_a_photo(own, tmp_path, page):
    "A photo goes by way of its subject's lines, a drawing does not; the report tells which, and by what"
    photos = {'cat': sample_photos('cat')['cat'][::3,::3], 'page': page}
    F.pencil_folder(photos, out=tmp_path, weights=own[1], keep_lines=True, device='cpu')
    found = P.pencil(photos['cat'], net=own[1], device='cpu')
    np.testing.assert_allclose(read(tmp_path/'pencil'/'cat_lines.png'), found['lines'], atol=.003)
    np.testing.assert_allclose(read(tmp_path/'pencil'/'cat.png'), found['pencil'], atol=.003)
    report = report_of(tmp_path, 'pencil')
    assert [e['via'] for e in report['photos']] == ['sketchnet', 'lines']
    assert {'sketchnet', 'masknet-v2'} <= set(report['weights'])


def test_straight_from_photos(pictures, nets, tmp_path):
    "There are no lines to keep"
    words = ['--via', 'photo', '--no-mask', '--weights', nets[1], '--keep-lines', '--device', 'cpu']
    assert book('pencil', pictures/'b', '--out', tmp_path/'out', *words) == 0
    assert files(tmp_path/'out') == ['pencil.json', 'pencil/x.png', 'pencil/y.png']


def test_a_photo_given_as_lines(pictures, own, tmp_path, capsys):
    assert book('pencil', pictures/'b'/'x.png', '--out', tmp_path/'out', '--via', 'lines', *own) == 0
    assert capsys.readouterr().err == (f'sketchbook: {pictures/"b"/"x.png"}: this looks like a photo, not like lines: '
                                       'its lines are extracted first\n')
    assert files(tmp_path/'out'/'pencil') == ['x.png']


def test_large_pictures_shrink(own, tmp_path):
    "And the fine lines of a scan do not go with its size"
    page = np.ones((900, 1200), np.float32)
    cv2.circle(page, (601, 403), 300, 0, 1)
    save_image(tmp_path/'page.png', page)
    assert book('pencil', tmp_path/'page.png', '--out', tmp_path/'out', '--max-side', 300, '--keep-lines', *own) == 0
    lines = read(tmp_path/'out'/'pencil'/'page_lines.png')
    assert lines.shape == (225, 300) and (lines < .6).sum() > 300


def test_help(capsys):
    for verb, words in (('lines', ('--source coherent|xdog|dodge|sketchnet', '--detail DETAIL', '(4096)')),
                        ('pencil', ('--via auto|lines|sketchnet|coherent|xdog|dodge|photo', '--no-mask', '(384)'))):
        assert book(verb, '--help') == 0
        said = ' '.join(capsys.readouterr().out.split())
        assert all(w in said for w in words) and '(None)' not in said


# names

def test_names_stand(pictures, own, tmp_path, page):
    "For another order, for a subset, for other settings, and when more pictures come"
    out, words = tmp_path/'out', [*own, '--via', 'coherent', '--no-mask']
    assert book('pencil', pictures, '--out', out, *words) == 0
    before = {f: (out/f).read_bytes() for f in files(out/'pencil') for f in [f'pencil/{f}']}
    for more in ([pictures/'b', pictures/'a'], [pictures/'b'/'x.png']):
        assert book('pencil', *more, '--out', out, *words) == 0
    save_image(tmp_path/'other'/'x.png', page[::-1])
    save_image(tmp_path/'other'/'x-2.png', page[:,::-1])
    assert book('pencil', tmp_path/'other', '--out', out, *words) == 0
    assert before == {f: (out/f).read_bytes() for f in before}
    assert files(out/'pencil') == ['x-2-2.png', 'x-2.png', 'x-3.png', 'x.png', 'y.png']


def test_lines_beside_a_drawing_never_overwrite_a_pictures_own(own, tmp_path, page):
    for name in ('x', 'x_lines'): save_image(tmp_path/'in'/f'{name}.png', page)
    assert book('pencil', tmp_path/'in', '--out', tmp_path/'out', '--keep-lines', *own) == 0
    outputs = [f for e in report_of(tmp_path/'out', 'pencil')['photos'] for f in e['outputs']]
    assert len(outputs) == len(set(outputs)) == 4


def test_results_are_no_pictures_unless_named(pictures, own, tmp_path):
    for _ in range(2):
        assert book('lines', tmp_path, '--out', tmp_path) == 0
        assert len(report_of(tmp_path, 'lines')['photos']) == 3
    assert book('pencil', tmp_path/'lines', '--out', tmp_path, *own) == 0
    assert files(tmp_path/'pencil') == ['x-2.png', 'x.png', 'y.png'] == files(tmp_path/'lines')


# bad input

@pytest.mark.parametrize('verb', ['lines', 'pencil'])
def test_bad_pictures_among_good_ones(pictures, own, tmp_path, capsys, verb):
    (pictures/'letter.png').write_text('Dear drawing, ...')
    (pictures/'empty.jpg').write_bytes(b'')
    words = [*own, '--via', 'coherent', '--no-mask'] if verb == 'pencil' else []
    assert book(verb, pictures, '--out', tmp_path/'out', *words) == 1
    out, err = capsys.readouterr()
    assert out == f'3 photos done into {tmp_path/"out"}, 2 skipped\n'
    assert err.splitlines() == [f'skipped {pictures/"empty.jpg"}: the file is empty',
                                f'skipped {pictures/"letter.png"}: text, not a picture']
    report = report_of(tmp_path/'out', verb)
    assert len(report['photos']) == 3 and len(report['skipped']) == 2 and len(files(tmp_path/'out')) == 4


@pytest.mark.parametrize('verb, words, said', [
    *((verb, words, said) for verb in ('lines', 'pencil') for words, said in [
        (['--detail', 2], 'detail should be at least 0 and at most 1, not 2.0'), (['--detail', 'nan'], 'detail'),
        (['--thickness', 50], 'thickness should be a whole number of pixels, at least -3 and at most 9, not 50'),
        (['--thickness', 1.5], "--thickness: '1.5' should be a whole number"),
        (['--max-side', 0], 'max_side should be'), (['--max-side', -5], 'max_side should be'),
        (['--device', 'abacus'], 'Device "abacus" is unknown')]),
    ('lines', ['--source', 'pen'], "--source: 'pen' should be one of coherent, xdog, dodge, sketchnet"),
    ('pencil', ['--via', 'pen'], "--via: 'pen' should be one of auto, lines, sketchnet"),
    ('pencil', ['--patch-size', 7], 'patch_size should be'), ('pencil', ['--model-size', 0], 'model_size should be'),
    ('pencil', ['--shade', 2], 'shade should be'), ('pencil', ['--seed', -1], 'seed should be'),
    ('pencil', ['--weights', 'nothing'], "No weights are called 'nothing'"),
    ('pencil', ['--via', 'photo'], 'this network draws lines')])
def test_settings_that_make_no_sense(pictures, own, tmp_path, capsys, verb, words, said):
    "Said in one line before any file is made"
    assert book(verb, pictures, '--out', tmp_path/'out', *(own if verb == 'pencil' else []), *words) == 2
    err = capsys.readouterr().err
    assert said in err and err.count('\n') == 1 and not (tmp_path/'out').exists()


@pytest.mark.parametrize('call, said', [
    (lambda p, out, net: F.lines_folder(p, out=out, source='pen'), "no source 'pen'"),
    (lambda p, out, net: F.lines_folder(p, out=out, blacks='yes'), 'blacks should be True or False'),
    (lambda p, out, net: F.lines_folder(p, out=out, mask='no'), 'mask should be True or False'),
    (lambda p, out, net: F.lines_folder(p, out=out, max_side='large'), 'max_side should be'),
    (lambda p, out, net: F.pencil_folder(p, out=out, weights=net, via='pen'), "no way via 'pen'.*auto"),
    (lambda p, out, net: F.pencil_folder(p, out=out, weights=net, blacks='yes'), 'blacks should be True or False'),
    (lambda p, out, net: F.pencil_folder(p, out=out, weights=net, mask='no'), 'mask should be True or False'),
    (lambda p, out, net: F.pencil_folder(p, out=out, weights=net, keep_lines='no'), 'keep_lines should be True or'),
    (lambda p, out, net: F.pencil_folder(p, out=out, weights=net, max_side='large'), 'max_side should be')])
def test_calls_that_make_no_sense(tmp_path, pictures, nets, call, said):
    with pytest.raises(ValueError, match=said): call(pictures/'a', tmp_path/'out', nets[0])
    assert not (tmp_path/'out').exists()


def test_weights_by_path(pictures, nets, tmp_path):
    report = F.pencil_folder(pictures/'a', out=tmp_path/'out', weights=Path(nets[0]), device='cpu')
    assert report['settings']['weights'] == nets[0]


def test_a_network_for_photos_draws_no_lines(pictures, nets, small_nets, tmp_path, capsys):
    for net, said in ((nets[1], 'this network draws photos'), (small_nets['mask'], 'needs a Shader or a PencilUNet')):
        assert book('pencil', pictures, '--out', tmp_path/'out', '--weights', net) == 2
        assert said in capsys.readouterr().err and not (tmp_path/'out').exists()


def test_nothing_to_do(tmp_path, own, capsys):
    (tmp_path/'empty').mkdir()
    for words in (['lines'], ['pencil', *own]):
        for where, said in (('empty', 'no photos there'), ('nowhere', 'no such file or folder')):
            assert book(*words, tmp_path/where, '--out', tmp_path/'out') == 2
            assert said in capsys.readouterr().err and not (tmp_path/'out').exists()
