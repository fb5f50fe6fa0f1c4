"PI-REC's programs: the command, its files and names, and what is said of bad input, with small untrained networks"
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sketchbook import repaint as R
from sketchbook.cli import main
from sketchbook.data import load_photo, sample_photos, save_image

NAME = 'km_3_sigma_2.5'


@pytest.fixture(scope='module')
def nets(tmp_path_factory):
    "Files of two small networks, for phase 2 and for phase 3"
    import torch
    from sketchbook import pirec, weights
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp('pirec')
    return [str(weights.save(pirec.Reconstructor(n=8, blocks=1), folder/f'{n}.safetensors'))
            for n in ('generating', 'refinement')]


@pytest.fixture(scope='module')
def own(nets): return ['--weights', nets[0], '--refine-weights', nets[1], '--device', 'cpu']


@pytest.fixture
def settings(nets): return R.Settings(weights=nets[0], refine_weights=nets[1], device='cpu')


@pytest.fixture(scope='module')
def samples():
    return {n: p[::2,::2] for n, p in sample_photos(['cat', 'coffee', 'rocket']).items()}


@pytest.fixture
def photos(tmp_path, samples):
    for where, n in (('a/x', 'cat'), ('b/x', 'coffee'), ('b/y', 'rocket')):
        save_image(tmp_path/'photos'/f'{where}.png', samples[n])
    return tmp_path/'photos'


@pytest.fixture
def page(tmp_path):
    "A file with an edge map of 200 x 200 pixels"
    edges = np.ones((200, 200), np.float32)
    edges[60:140,60] = edges[60:140,140] = edges[60,60:140] = 0
    save_image(tmp_path/'page.png', edges)
    return tmp_path/'page.png'


def files(folder): return sorted(f.relative_to(folder).as_posix() for f in Path(folder).rglob('*') if f.is_file())
def pirec(*words): return main(['pirec', *map(str, words)])
def one_line(capsys):
    err = capsys.readouterr().err
    assert err.count('\n')==1 and 'Traceback' not in err, err
    return err


# the programs

def test_generate(photos, own, tmp_path, capsys):
    out = tmp_path/'out'
    assert pirec('generate', photos, '--out', out, *own)==0
    assert capsys.readouterr()==(f'3 photos done into {out}\n', '')
    assert files(out)==['report.json', *(f'results_2nd/{NAME}/{n}.png' for n in ('x-2', 'x', 'y'))]
    report = json.loads((out/'report.json').read_text())
    assert report['finished'] and report['settings']['action']=='generate' and report['settings']['sigma']==2.5
    assert [e['name'] for e in report['photos']]==['x', 'x-2', 'y'] and len(report['weights'])==1
    assert [e['size'] for e in report['photos']]==[[85, 128], [85, 128], [86, 128]]
    assert list(report['photos'][0]['seconds'])==['load', 'inputs', 'generate', 'write']


def test_both_with_debug(photos, own, tmp_path):
    out = tmp_path/'out'
    assert pirec('both', photos/'b', '--out', out, '--debug', '--k', 2, '--sigma', 2, '--crop', *own)==0
    found = out/'results_2nd_3rd'/'km_2_sigma_2'
    ends = ('', '_color_domain', '_edge', '_input', '_refine')
    assert files(found)==sorted(f'{n}{e}.png' for n in 'xy' for e in ends)
    assert {load_photo(f).shape for f in found.iterdir()}=={(128, 128, 3)}
    colors, edges = load_photo(found/'x_color_domain.png'), load_photo(found/'x_edge.png')
    assert len(np.unique(colors.reshape(-1, 3), axis=0))==2 and set(np.unique(edges))=={0, 255}
    same = R.look(load_photo(photos/'b'/'x.png'), 2, crop=True)
    np.testing.assert_array_equal(load_photo(found/'x_input.png'), same[0])
    np.testing.assert_array_equal(edges[...,0]/255, same[1])


@pytest.mark.parametrize('more', [[], ['--crop'], ['--size', '96', '--sigma', '2']])
def test_refine_tomorrow_is_refine_today(photos, own, tmp_path, more):
    "With the photos, phase 3 sees the edges that phase 2 saw; without them it sees others"
    assert pirec('both', photos, '--out', tmp_path/'today', *more, *own)==0
    assert pirec('generate', photos, '--out', tmp_path/'out', '--debug', *more, *own)==0
    more = [w for w in more if w!='--crop']
    assert pirec('refine', tmp_path/'out'/'results_2nd', '--photos', photos, '--out', tmp_path/'out', *more, *own)==0
    assert files(tmp_path/'out'/'results_3rd')==['x-2.png', 'x.png', 'y.png']
    today = next((tmp_path/'today'/'results_2nd_3rd').iterdir())
    for n in ('x', 'x-2', 'y'):
        np.testing.assert_array_equal(load_photo(tmp_path/'out'/'results_3rd'/f'{n}.png'),
                                      load_photo(today/f'{n}_refine.png'))
    second = next((tmp_path/'out'/'results_2nd').iterdir())
    assert pirec('refine', second/'x.png', '--out', tmp_path/'alone', *more, *own)==0
    assert (load_photo(tmp_path/'alone'/'results_3rd'/'x.png') != load_photo(today/'x_refine.png')).any()


def test_draw_and_style_batch(page, photos, own, tmp_path, capsys):
    out = tmp_path/'out'
    save_image(tmp_path/'red.png', np.full((50, 50, 3), [200, 30, 30], np.uint8))
    assert pirec('draw', page, tmp_path/'red.png', '--out', out, *own)==0
    assert files(out)==['report.json', 'results_draw/red.png']
    assert load_photo(out/'results_draw'/'red.png').shape==(128, 128, 3)
    assert pirec('draw', page, photos, '--out', out, '--crop', '--refine', '--debug', *own)==0
    assert {'x', 'x-2', 'y', 'y_refine', 'y_edge', 'y_color_domain', 'red'} <= {f.stem for f in
                                                                          (out/'results_draw').iterdir()}
    assert capsys.readouterr().err==''


def test_interpolate(page, own, tmp_path):
    for n, c in (('red', [200, 30, 30]), ('blue', [30, 30, 200])):
        save_image(tmp_path/f'{n}.png', np.full((90, 90, 3), c, np.uint8))
    words = ['interpolate', page, tmp_path/'red.png', tmp_path/'blue.png', '--out', tmp_path/'out', '--steps', 4]
    assert pirec(*words, *own)==0
    made = [f'results_interpolate/page_red_blue{e}' for e in ('.gif', '_row.png')]
    assert files(tmp_path/'out')==['report.json', *made]
    assert load_photo(tmp_path/'out'/made[1]).shape==(128, 4*128 + 3*2, 3)
    with Image.open(tmp_path/'out'/made[0]) as film: assert (film.n_frames, film.size)==(6, (128, 128))
    assert pirec('draw', page, tmp_path/'red.png', '--out', tmp_path/'out', *own)==0
    np.testing.assert_array_equal(load_photo(tmp_path/'out'/'results_draw'/'red.png'),
                                  load_photo(tmp_path/'out'/made[1])[:,:128])


def test_help(capsys):
    assert main(['pirec', '--help'])==0
    out = ' '.join(capsys.readouterr().out.split())
    for said in ('generate|refine|both|draw|interpolate', '--sigma SIGMA', '(2.5)', '--no-crop', '--refine-weights'):
        assert said in out
    assert '(None)' not in out and '(128)' in out


# names

def test_derived_files_never_overwrite_a_photos_own(settings, tmp_path, samples):
    for n, photo in zip(('cat', 'cat_refine', 'cat_edge'), samples.values()):
        save_image(tmp_path/'in'/f'{n}.png', photo)
    s = R.Settings(**{**vars(settings), 'debug': True})
    report = R.generate_folder(tmp_path/'in', tmp_path/'out', s, refine=True, progress=False)
    outputs = [f for e in report['photos'] for f in e['outputs']]
    assert len(outputs)==len({f.casefold() for f in outputs})==15
    assert {e['name'] for e in report['photos']}=={'cat', 'cat_refine-2', 'cat_edge-2'}


def test_names_stand_through_all_programs(settings, photos, tmp_path, samples):
    "Generate, refine, generate another folder, and the first one again: no file changes hands"
    out = tmp_path/'out'
    R.generate_folder(photos, out, settings, progress=False)
    before = {f: (out/f).read_bytes() for f in files(out/'results_2nd') for f in [f'results_2nd/{f}']}
    R.refine_folder(out/'results_2nd', out, photos, settings, progress=False)
    for name in ('x', 'y'): save_image(tmp_path/'other'/f'{name}.png', samples['coffee'][::-1])
    R.generate_folder(tmp_path/'other', out, settings, progress=False)
    R.generate_folder(photos/'b', out, settings, progress=False)
    assert before=={f: (out/f).read_bytes() for f in before}
    assert {f.stem for f in (out/'results_2nd'/NAME).iterdir()}=={'x', 'x-2', 'x-3', 'y', 'y-2'}
    again = R.refine_folder(out/'results_2nd'/NAME/'x-2.png', out, photos, settings, progress=False)
    assert again['photos'][0]['name']=='x-2'


def test_results_are_no_photos(settings, tmp_path, samples):
    save_image(tmp_path/'cat.png', samples['cat'])
    for _ in range(2): report = R.generate_folder(tmp_path, tmp_path, settings, progress=False)
    assert [e['name'] for e in report['photos']]==['cat'] and not report['skipped']


# photos and files of any size

@pytest.mark.parametrize('shape', [(400, 150), (150, 400), (60, 60), (128, 127), (30, 300)])
@pytest.mark.parametrize('size, crop', [(128, False), (128, True), (70, False)])
def test_photos_of_any_size(settings, tmp_path, samples, shape, size, crop):
    import cv2
    photo = cv2.resize(samples['cat'], shape[::-1], interpolation=cv2.INTER_AREA)
    s = R.Settings(**{**vars(settings), 'size': size, 'crop': crop, 'sigma': .5})
    small, edges = R.look(photo, .5, None, size, crop)
    assert max(small.shape[:2])==size and small.shape[:2]==edges.shape and (not crop or small.shape[0]==small.shape[1])
    report = R.generate_folder({'photo': photo}, tmp_path, s, progress=False)
    assert not report['skipped'] and report['photos'][0]['size']==list(small.shape[:2])


@pytest.mark.parametrize('side, pen', [(128, 1), (300, 1), (1000, 1), (2000, 1), (1000, 20)])
def test_lines_survive_shrinking(side, pen):
    import cv2
    edges = np.ones((side, side), np.float32)
    cv2.circle(edges, (side//2, side//2), side//3, 0, pen)
    found = R.load_edges(edges)
    assert found.shape==(128, 128) and .85 < (found<.5).sum()/(2*np.pi*128/3) < 1.1
    np.testing.assert_array_equal(R.load_edges(1-edges), found)


def test_lines_of_sketchnet(samples):
    photo = sample_photos(['coffee'])['coffee']
    small, edges = R.look(photo, detail=.5, device='cpu')
    assert edges.shape==small.shape[:2]==(85, 128) and set(np.unique(edges))=={0, 1}
    assert R._folder('results_2nd', R.Settings(detail=.5))=='results_2nd/km_3_detail_0.5'


# bad input

@pytest.mark.parametrize('words, says', [
    (['--k', '0'], 'k should be a whole number of colours, at least 1 and at most 64, not 0'),
    (['--k', '65'], 'k should be'), (['--k', '2.5'], "--k: '2.5' should be a whole number"),
    (['--sigma', '0'], 'sigma should be more than 0'), (['--size', '8'], 'size should be'),
    (['--detail', '2'], 'detail should be'), (['--device', 'cuda:99'], 'cuda:99'),
    (['--weights', 'nothing'], "'nothing'"), (['--photos', 'x'], 'generate takes no photos')])
def test_settings_that_make_no_sense(photos, own, tmp_path, capsys, words, says):
    assert pirec('generate', photos, '--out', tmp_path/'out', *own, *words)==2
    assert says in one_line(capsys) and not (tmp_path/'out').exists()


def test_words_that_make_no_sense(photos, own, page, tmp_path, capsys):
    (tmp_path/'empty').mkdir()
    wrong = ((['paint', photos], "'paint' should be one of generate, refine, both, draw, interpolate"),
             (['generate', tmp_path/'empty'], f'{tmp_path/"empty"}: no photos there'),
             (['both', tmp_path/'nowhere'], 'no such file or folder'), (['draw', page], 'draw needs an edge file'),
             (['interpolate', page, page], 'interpolate needs an edge file and two colour files, not 2 names'),
             (['interpolate', page, page, page, '--steps', 1], 'steps should be'),
             (['refine', photos, '--photos', tmp_path/'empty'], 'no photos there'))
    for words, says in wrong:
        assert pirec(*words, '--out', tmp_path/'out', *own)==2
        assert says in one_line(capsys) and not (tmp_path/'out').exists()


@pytest.mark.parametrize('action, option', [('generate', '--weights'), ('both', '--refine-weights'),
                                            ('draw', '--weights')])
def test_weights_of_another_class(photos, page, own, small_nets, tmp_path, capsys, action, option):
    files = [page, photos] if action=='draw' else [photos]
    assert pirec(action, *files, '--out', tmp_path/'out', *own, option, small_nets['mask'])==2
    err = one_line(capsys)
    assert 'mask.safetensors holds a MaskNet, but painting needs a Reconstructor' in err
    assert not (tmp_path/'out').exists()


def test_bad_photos_among_good_ones(photos, own, tmp_path, capsys):
    save_image(photos/'wall.png', np.full((90, 160, 3), 180, np.uint8))
    save_image(photos/'two.png', np.repeat(np.uint8([[[0]*3]*64 + [[255]*3]*64]), 80, 0))
    (photos/'letter.png').write_text('Dear photo, ...')
    assert pirec('generate', photos, '--out', tmp_path/'out', *own)==1
    out, err = capsys.readouterr()
    assert out==f'3 photos done into {tmp_path/"out"}, 3 skipped\n'
    assert err.splitlines()==[
        f'skipped {photos/"letter.png"}: text, not a picture',
        f'skipped {photos/"two.png"}: k should be at most the 2 colours that the blurred picture has, not 3',
        f'skipped {photos/"wall.png"}: no edges were found with sigma=2.5; a smaller one finds more']
    assert len(files(tmp_path/'out'))==4


@pytest.mark.parametrize('bad, says', [
    ('colour', 'the edge map is in colour; it should be grey'), ('blank', 'the edge map is blank; it should have'),
    ('black', 'the edge map is blank; it should have'), ('text', 'text, not a picture')])
def test_bad_edge_files(own, photos, tmp_path, capsys, bad, says):
    edges = np.full((64, 64, 3), 0 if bad=='black' else 255, np.uint8)
    if bad=='colour': edges[20:40,20] = [255, 0, 0]
    save_image(tmp_path/'edges.png', edges)
    if bad=='text': (tmp_path/'edges.png').write_text('Dear drawing, ...')
    assert pirec('draw', tmp_path/'edges.png', photos, '--out', tmp_path/'out', *own)==2
    err = one_line(capsys)
    assert f'{tmp_path/"edges.png"}: {says}' in err and not (tmp_path/'out').exists()


def test_colours_of_another_shape_among_good_ones(own, page, tmp_path, capsys):
    for name, shape in (('large', (400, 400)), ('wide', (60, 90)), ('nearly', (99, 100))):
        save_image(tmp_path/'colours'/f'{name}.png', np.full((*shape, 3), 90, np.uint8))
    assert pirec('draw', page, tmp_path/'colours', '--out', tmp_path/'out', *own)==1
    assert one_line(capsys)==(f'skipped {tmp_path/"colours"/"wide.png"}: the colours are 90 x 60 pixels and the edges '
                              '128 x 128: both should have the same proportions, or use crop\n')
    assert files(tmp_path/'out'/'results_draw')==['large.png', 'nearly.png']
    assert pirec('draw', page, tmp_path/'colours', '--out', tmp_path/'out', '--crop', *own)==0


def test_interpolation_names_the_colours_that_do_not_fit(own, page, tmp_path, capsys):
    for name, shape in (('large', (400, 400)), ('wide', (60, 90))):
        save_image(tmp_path/f'{name}.png', np.full((*shape, 3), 90, np.uint8))
    words = ['interpolate', page, tmp_path/'large.png', tmp_path/'wide.png', '--out', tmp_path/'out']
    assert pirec(*words, *own)==1
    assert f'{tmp_path/"wide.png"}: the colours are 90 x 60 pixels' in one_line(capsys)
    with pytest.raises(ValueError, match='both colour domains should have one size, not 9 x 8 pixels and 8 x 8 pixels'):
        R.interpolate(np.zeros((8, 9)), np.zeros((8, 9, 3), np.uint8), np.zeros((8, 8, 3), np.uint8))


def test_pictures_without_their_photo(own, photos, settings, tmp_path, samples, capsys):
    R.generate_folder(photos, tmp_path/'out', settings, progress=False)
    second = tmp_path/'out'/'results_2nd'
    save_image(second/NAME/'stranger.png', samples['cat'])
    save_image(second/NAME/'y.png', load_photo(second/NAME/'y.png')[:60])
    words = ['refine', second, '--photos', photos, '--out', tmp_path/'out']
    assert pirec(*words, *own)==1
    err = capsys.readouterr().err
    assert f'{second/NAME/"stranger.png"}: there is no photo stranger among the photos' in err
    assert 'the picture is 128 x 60 pixels and its photo 320 x 214: the picture should show the whole photo' in err
    assert files(tmp_path/'out'/'results_3rd')==['x-2.png', 'x.png']


def test_a_full_disk_leaves_no_halves(settings, photos, tmp_path, monkeypatch):
    real, calls = R.save_image, []
    def full(path, picture):
        calls.append(path)
        if len(calls)==4: raise OSError(28, 'No space left on device')
        real(path, picture)
    monkeypatch.setattr(R, 'save_image', full)
    with pytest.raises(ValueError, match='No space left on device'):
        R.generate_folder(photos, tmp_path/'out', settings, refine=True, progress=False)
    made = files(tmp_path/'out')
    assert made==['report.json', *(f'results_2nd_3rd/{NAME}/x{e}.png' for e in ('', '_refine'))]
