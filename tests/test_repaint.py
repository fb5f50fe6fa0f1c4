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


@pytest.fixture(scope='module')
def own2(own): return [*own[:2], '--device', 'cpu']      # of phase 2


@pytest.fixture(scope='module')
def own3(own): return own[2:]                             # of phase 3


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
    assert files(out)==['pirec.json', *(f'results_2nd/{NAME}/{n}.png' for n in ('x-2', 'x', 'y'))]
    report = json.loads((out/'pirec.json').read_text())
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
    same = R._photo_and_edges(load_photo(photos/'b'/'x.png'), 2, crop=True)
    np.testing.assert_array_equal(load_photo(found/'x_input.png'), same[0])
    np.testing.assert_array_equal(edges[...,0]/255, same[1])


@pytest.mark.parametrize('more', [[], ['--crop'], ['--size', '96', '--sigma', '2']])
def test_refine_tomorrow_is_refine_today(photos, own, own3, tmp_path, more):
    "With the photos, phase 3 sees the edges that phase 2 saw; without them it sees others"
    assert pirec('both', photos, '--out', tmp_path/'today', *more, *own)==0
    assert pirec('generate', photos, '--out', tmp_path/'out', '--debug', *more, *own)==0
    more = more[:2] if '--size' in more else []           # sigma is read from the folder, crop seen by the shape
    assert pirec('refine', tmp_path/'out'/'results_2nd', '--photos', photos, '--out', tmp_path/'out', *more, *own3)==0
    assert files(tmp_path/'out'/'results_3rd')==['x-2.png', 'x.png', 'y.png']
    today = next((tmp_path/'today'/'results_2nd_3rd').iterdir())
    for n in ('x', 'x-2', 'y'):
        np.testing.assert_array_equal(load_photo(tmp_path/'out'/'results_3rd'/f'{n}.png'),
                                      load_photo(today/f'{n}_refine.png'))
    second = next((tmp_path/'out'/'results_2nd').iterdir())
    assert pirec('refine', second/'x.png', '--out', tmp_path/'alone', *more, *own3)==0
    assert (load_photo(tmp_path/'alone'/'results_3rd'/'x.png') != load_photo(today/'x_refine.png')).any()


@pytest.mark.parametrize('more', [[], ['--crop']])
def test_refine_tomorrow_of_nearly_square_photos(own, own3, tmp_path, samples, more):
    "Whole or cropped, such a photo gives a square picture: which one it was, `crop` says"
    import cv2
    save_image(tmp_path/'photo.png', cv2.resize(samples['cat'], (803, 800)))
    for out, action in (('today', 'both'), ('out', 'generate')):
        assert pirec(action, tmp_path/'photo.png', '--out', tmp_path/out, *more, *own)==0
    words = ['refine', tmp_path/'out'/'results_2nd', '--photos', tmp_path/'photo.png', '--out', tmp_path/'out']
    assert pirec(*words, *more, *own3)==0
    np.testing.assert_array_equal(load_photo(tmp_path/'out'/'results_3rd'/'photo.png'),
                                  load_photo(tmp_path/'today'/'results_2nd_3rd'/NAME/'photo_refine.png'))


def test_refine_reads_sigma_from_the_folder(settings, photos, own3, tmp_path, capsys):
    out, wanted = tmp_path/'out', {}
    for more in (dict(sigma=2), dict(sigma=2.1234567), dict(detail=.5)):
        s = R.Settings(**{**vars(settings), **more})
        R.generate_folder(photos/'b'/'y.png', out, s, progress=False)
        R.generate_folder(photos/'b'/'y.png', tmp_path/'today', s, refine=True, progress=False)
        wanted[R._folder('results_2nd', s)] = tmp_path/'today'/R._folder('results_2nd_3rd', s)/'y_refine.png'
    report = R.refine_folder(out/'results_2nd', out, photos/'b'/'y.png', settings, progress=False)
    assert len(report['photos'])==3 and not report['skipped']
    for e in report['photos']:
        name = Path(e['photo']).parent.relative_to(out).as_posix()
        np.testing.assert_array_equal(load_photo(out/e['outputs'][0]), load_photo(wanted[name]))
    assert report['settings']['sigma']==[2.5, 2, 2.1234567] and report['settings']['detail']==[.5, None]
    words = ['refine', out/'results_2nd'/'km_3_sigma_2', '--photos', photos, '--out', tmp_path/'new', *own3]
    assert pirec(*words, '--sigma', 3)==2
    assert 'sigma=3 is not what the pictures in km_3_sigma_2 were painted with; leave it out' in one_line(capsys)
    assert pirec(*words, '--detail', .5)==2 and 'detail=0.5 is not what' in one_line(capsys)
    assert not (tmp_path/'new').exists()


def test_draw_and_style_batch(page, photos, own, tmp_path, capsys):
    out = tmp_path/'out'
    save_image(tmp_path/'red.png', np.full((50, 50, 3), [200, 30, 30], np.uint8))
    assert pirec('draw', page, tmp_path/'red.png', '--out', out, *own)==0
    assert files(out)==['pirec.json', 'results_draw/page/red.png']
    assert load_photo(out/'results_draw'/'page'/'red.png').shape==(128, 128, 3)
    assert pirec('draw', page, photos, '--out', out, '--crop', '--refine', '--debug', *own)==0
    stems = {f.stem for f in (out/'results_draw'/'page').iterdir()}
    assert {'x', 'x-2', 'y', 'y_refine', 'y_edge', 'y_color_domain', 'red'} <= stems
    assert capsys.readouterr().err==''


def test_interpolate(page, own, own2, tmp_path):
    for n, c in (('red', [200, 30, 30]), ('blue', [30, 30, 200])):
        save_image(tmp_path/f'{n}.png', np.full((90, 90, 3), c, np.uint8))
    words = ['interpolate', page, tmp_path/'red.png', tmp_path/'blue.png', '--out', tmp_path/'out', '--steps', 4]
    assert pirec(*words, *own2)==0
    made = [f'results_interpolate/page_red_blue{e}' for e in ('.gif', '_row.png')]
    assert files(tmp_path/'out')==['pirec.json', *made]
    assert load_photo(tmp_path/'out'/made[1]).shape==(128, 4*128 + 3*2, 3)
    with Image.open(tmp_path/'out'/made[0]) as film: assert (film.n_frames, film.size)==(6, (128, 128))
    assert pirec('draw', page, tmp_path/'red.png', '--out', tmp_path/'out', *own)==0
    np.testing.assert_array_equal(load_photo(tmp_path/'out'/'results_draw'/'page'/'red.png'),
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
    R.generate_folder(photos/'b', out, settings, refine=True, progress=False)
    R.generate_folder(photos/'b', out, settings, progress=False)
    assert before=={f: (out/f).read_bytes() for f in before}
    assert {f.stem for f in (out/'results_2nd'/NAME).iterdir()}=={'x', 'x-2', 'x-3', 'y', 'y-2'}
    assert {f.stem for f in (out/'results_2nd_3rd'/NAME).iterdir()}=={'x-2', 'x-2_refine', 'y', 'y_refine'}
    found = R._find_photos(photos, out)
    assert found=={'x': photos/'a'/'x.png', 'x-2': photos/'b'/'x.png', 'y': photos/'b'/'y.png'}
    again = R.refine_folder(out/'results_2nd'/NAME/'x-2.png', out, photos, settings, progress=False)
    assert again['photos'][0]['name']=='x-2'


def test_a_photo_that_is_also_a_picture_to_refine_keeps_its_name(settings, photos, tmp_path):
    out = tmp_path/'out'
    R.generate_folder(photos, out, settings, progress=False)
    before = (out/'results_2nd'/NAME/'x.png').read_bytes()
    assert R.refine_folder(photos/'b'/'x.png', out, None, settings, progress=False)['photos'][0]['name']=='x'
    assert R.generate_folder(photos/'b', out, settings, progress=False)['photos'][0]['name']=='x-2'
    assert (out/'results_2nd'/NAME/'x.png').read_bytes()==before


def test_photos_are_found_by_the_names_of_the_folder_that_was_generated(settings, photos, tmp_path):
    "Results elsewhere know no names, but the pictures lie beside the report that does"
    for paths in (photos/'b', photos): R.generate_folder(paths, tmp_path/'out', settings, progress=False)
    R.generate_folder(photos, tmp_path/'today', settings, refine=True, progress=False)
    R.refine_folder(tmp_path/'out'/'results_2nd', tmp_path/'new', photos, settings, progress=False)
    for n, other in (('x', 'x-2'), ('x-2', 'x')):        # b was first here, and second today
        np.testing.assert_array_equal(load_photo(tmp_path/'new'/'results_3rd'/f'{n}.png'),
                                      load_photo(tmp_path/'today'/'results_2nd_3rd'/NAME/f'{other}_refine.png'))


def test_edges_of_one_name_and_colours_of_one_name(settings, page, tmp_path):
    "Nothing is written over: not for another edge map, not for another folder, and again for the same files"
    out, made = tmp_path/'out', {}
    for n, side in (('one', 60), ('two', 100)):
        edges = load_photo(page).copy()
        edges[:side] = 255
        save_image(tmp_path/n/'page [1].png', edges)
        save_image(tmp_path/n/'red.png', np.full((90, 90, 3), [200, side, 30], np.uint8))
    for _ in range(2):
        for e in (page, tmp_path/'one'/'page [1].png', tmp_path/'two'/'page [1].png'):
            for c in ('one', 'two'):
                report = R.draw_folder(e, tmp_path/c/'red.png', out, settings, progress=False)
                assert report['settings']['edges']==str(e)
                name, = report['photos'][0]['outputs']
                assert made.setdefault((e, c), (name, (out/name).read_bytes()))==(name, (out/name).read_bytes())
    names = {name for name, _ in made.values()}
    assert names=={f'results_draw/{d}/red{n}.png' for d, k in (('page', 2), ('page [1]', 4))
                   for n in ('', '-2', '-3', '-4')[:k]}


def test_interpolations_of_one_name(settings, page, tmp_path):
    out, made = tmp_path/'out', {}
    for folder, blue in (('c1', 30), ('c2', 220)):
        for n, red in (('u', 30), ('v', 220)):
            save_image(tmp_path/folder/f'{n}.png', np.full((9, 9, 3), [red, 99, blue], np.uint8))
    for _ in range(2):
        for folder in ('c1', 'c2'):
            ends = [tmp_path/folder/f'{n}.png' for n in 'uv']
            report = R._interpolate_files(page, *ends, out, settings, steps=2, progress=False)
            assert report['settings']['colors']==[str(f) for f in ends] and report['settings']['edges']==str(page)
            outputs = report['photos'][0]['outputs']
            now = [(out/f).read_bytes() for f in outputs]
            assert made.setdefault(folder, (outputs, now))==(outputs, now)
    assert [Path(o[0]).stem for o, _ in made.values()]==['page_u_v', 'page_u_v-2']


def test_the_report_names_the_photos(settings, photos, tmp_path):
    R.generate_folder(photos, tmp_path, settings, progress=False)
    for given, said in ((photos, str(photos)), ([photos/'a', photos/'b'], [str(photos/'a'), str(photos/'b')])):
        report = R.refine_folder(tmp_path/'results_2nd', tmp_path, given, settings, progress=False)
        assert report['settings']['photos']==said and report['settings']['sigma']==2.5
        assert json.loads((tmp_path/'pirec.json').read_text())['settings']==report['settings']


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
    small, edges = R._photo_and_edges(photo, .5, None, size, crop)
    assert max(small.shape[:2])==size and small.shape[:2]==edges.shape and (not crop or small.shape[0]==small.shape[1])
    report = R.generate_folder({'photo': photo}, tmp_path, s, progress=False)
    assert not report['skipped'] and report['photos'][0]['size']==list(small.shape[:2])


@pytest.mark.parametrize('side, pen', [(128, 1), (300, 1), (1000, 1), (2000, 1), (1000, 20)])
def test_lines_survive_shrinking(side, pen):
    import cv2
    edges = np.ones((side, side), np.float32)
    cv2.circle(edges, (side//2, side//2), side//3, 0, pen)
    found = R._load_edges(edges)
    assert found.shape==(128, 128) and .85 < (found<.5).sum()/(2*np.pi*128/3) < 1.1
    np.testing.assert_array_equal(R._load_edges(1-edges), found)


def test_lines_of_sketchnet(samples):
    photo = sample_photos(['coffee'])['coffee']
    small, edges = R._photo_and_edges(photo, detail=.5, device='cpu')
    assert edges.shape==small.shape[:2]==(85, 128) and set(np.unique(edges))=={0, 1}
    assert R._folder('results_2nd', R.Settings(detail=.5))=='results_2nd/km_3_detail_0.5'


@pytest.mark.parametrize('name', ['astronaut', 'cat', 'coffee', 'rocket', 'motorcycle', 'camera'])
def test_photos_are_no_colour_domains(name):
    "In colour and in grey, small and of 12 megapixels; what is painted is one, softly too and of any size"
    import cv2
    from sketchbook import pirec
    photo = sample_photos([name])[name]
    small = R._fit_size(photo)
    for picture in (photo, cv2.resize(photo, (4000, 3000), interpolation=cv2.INTER_CUBIC), small):
        level = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[...,None]
        assert not R._is_color_domain(picture) and not R._is_color_domain(level.repeat(3, 2))
    for side in (128, 256, 800, 3000):
        domain = pirec.color_domain(R._fit_size(photo, side))
        soft = cv2.GaussianBlur(domain, (0, 0), max(1, side/400))
        assert R._is_color_domain(domain) and R._is_color_domain(soft)
    assert R._is_color_domain(pirec.color_domain(small, 12)) and R._is_color_domain(pirec.color_domain(small, 24))
    level = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[...,None].repeat(3, 2)
    given = R._load_colors(level, small.shape[:2], 4)
    assert len(np.unique(given.reshape(-1, 3), axis=0))<=4 and given.shape==small.shape


# bad input

@pytest.mark.parametrize('words, says', [
    (['--k', '0'], 'k should be a whole number of colours, at least 1 and at most 64, not 0'),
    (['--k', '65'], 'k should be'), (['--k', '2.5'], "--k: '2.5' should be a whole number"),
    (['--sigma', '0'], 'sigma should be at least 0.1'), (['--size', '8'], 'size should be'),
    (['--detail', '2'], 'detail should be'), (['--device', 'cuda:99'], 'cuda:99'),
    (['--weights', 'nothing'], "'nothing'"), (['--photos', 'x'], 'generate takes no --photos; it is for refine alone'),
    (['--steps', '3'], 'generate takes no --steps; it is for interpolate alone')])
def test_settings_that_make_no_sense(photos, own, tmp_path, capsys, words, says):
    assert pirec('generate', photos, '--out', tmp_path/'out', *own, *words)==2
    assert says in one_line(capsys) and not (tmp_path/'out').exists()


@pytest.mark.parametrize('action, words', [
    ('refine', ['--refine']), ('interpolate', ['--refine']), ('interpolate', ['--debug']), ('refine', ['--steps', 3]),
    ('both', ['--steps', 3]), ('draw', ['--steps', 3]), ('draw', ['--sigma', 3]), ('draw', ['--detail', .5]),
    ('interpolate', ['--sigma', 3]), ('interpolate', ['--detail', 0]), ('refine', ['--k', 4]),
    ('draw', ['--photos', 'x']), ('refine', ['--weights', 'x']), ('interpolate', ['--refine-weights', 'x'])])
def test_options_that_a_program_would_ignore(photos, page, tmp_path, capsys, action, words):
    files = [page, page, page] if action in ('draw', 'interpolate') else [photos]
    assert pirec(action, *files, '--out', tmp_path/'out', *words)==2
    assert f'{action} takes no {words[0]}; it is for ' in one_line(capsys) and not (tmp_path/'out').exists()


def test_limits_are_those_of_the_functions_that_use_them():
    "`Settings` knows no limits of `k` and `sigma` of its own"
    from sketchbook import pirec
    photo = sample_photos(['cat'])['cat']
    for name, values, f in (('k', (0, 65, 2.5, True, 'three'), pirec.color_domain),
                            ('sigma', (0, -1, 50.5, float('nan'), 'two'), pirec.edges)):
        for value in values:
            with pytest.raises(ValueError) as there: f(photo, **{name: value})
            with pytest.raises(ValueError) as here: R.Settings(**{name: value})
            assert str(here.value)==str(there.value)
    for more in (dict(k=1), dict(k=64), dict(sigma=.1), dict(sigma=50)): R.Settings(**more)


def test_words_that_make_no_sense(photos, own2, page, tmp_path, capsys):
    (tmp_path/'empty').mkdir()
    wrong = ((['paint', photos], "'paint' should be one of generate, refine, both, draw, interpolate"),
             (['generate', tmp_path/'empty'], f'{tmp_path/"empty"}: no photos there'),
             (['both', tmp_path/'nowhere'], 'no such file or folder'), (['draw', page], 'draw needs an edge file'),
             (['interpolate', page, page], 'interpolate needs an edge file and two colour files, not 2 names'),
             (['interpolate', page, page, page, '--steps', 1], 'steps should be'),
             (['refine', photos, '--photos', tmp_path/'empty'], 'no photos there'))
    for words, says in wrong:
        assert pirec(*words, '--out', tmp_path/'out', *own2[2:])==2
        assert says in one_line(capsys) and not (tmp_path/'out').exists()


@pytest.mark.parametrize('action, option', [('generate', '--weights'), ('both', '--refine-weights'),
                                            ('draw', '--weights')])
def test_weights_of_another_class(photos, page, own, small_nets, tmp_path, capsys, action, option):
    files = [page, photos] if action=='draw' else [photos]
    assert pirec(action, *files, '--out', tmp_path/'out', *own, option, small_nets['mask'])==2
    err = one_line(capsys)
    assert 'mask.safetensors holds a MaskNet, but painting needs a Reconstructor' in err
    assert not (tmp_path/'out').exists()


def test_folders_are_painted_by_reconstructors_alone(photos, own, tmp_path, capsys):
    from sketchbook import pirec as P, weights
    net = weights.save(P.UNet(n=8), tmp_path/'unet.safetensors')
    assert pirec('generate', photos, '--out', tmp_path/'out', *own, '--weights', net)==2
    assert 'holds a UNet, but painting needs a Reconstructor' in one_line(capsys) and not (tmp_path/'out').exists()


def test_public_names_are_no_other_chapters():
    from sketchbook import pirec as P, training
    assert not set(R.__all__) & {*P.__all__, *training.__all__}


def test_pictures_in_memory_are_refined(settings, tmp_path, samples):
    small, _ = R._photo_and_edges(samples['cat'])
    report = R.refine_folder({'cat': small}, tmp_path, None, settings, progress=False)
    assert files(tmp_path)==['pirec.json', 'results_3rd/cat.png'] and report['settings']['photos'] is None


def test_bad_photos_among_good_ones(photos, own, tmp_path, capsys):
    save_image(photos/'wall.png', np.full((90, 160, 3), 180, np.uint8))
    save_image(photos/'two.png', np.repeat(np.uint8([[[0]*3]*64 + [[255]*3]*64]), 80, 0))
    (photos/'letter.png').write_text('Dear photo, ...')
    assert pirec('generate', photos, '--out', tmp_path/'out', *own)==1
    out, err = capsys.readouterr()
    assert out==f'3 photos done into {tmp_path/"out"}, 3 skipped\n'
    assert err.splitlines()==[
        f'skipped {photos/"letter.png"}: text, not a picture',
        f'skipped {photos/"two.png"}: k should be at most 2, the number of colours that the blurred picture has, not 3',
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
    assert files(tmp_path/'out'/'results_draw'/'page')==['large.png', 'nearly.png']
    assert pirec('draw', page, tmp_path/'colours', '--out', tmp_path/'out', '--crop', *own)==0


def test_interpolation_names_the_colours_that_do_not_fit(own2, page, tmp_path, capsys):
    for name, shape in (('large', (400, 400)), ('wide', (60, 90))):
        save_image(tmp_path/f'{name}.png', np.full((*shape, 3), 90, np.uint8))
    words = ['interpolate', page, tmp_path/'large.png', tmp_path/'wide.png', '--out', tmp_path/'out']
    assert pirec(*words, *own2)==1
    assert f'{tmp_path/"wide.png"}: the colours are 90 x 60 pixels' in one_line(capsys)
    with pytest.raises(ValueError, match='both colour domains should have one size, not 9 x 8 pixels and 8 x 8 pixels'):
        R.interpolate(np.zeros((8, 9)), np.zeros((8, 9, 3), np.uint8), np.zeros((8, 8, 3), np.uint8))


def test_pictures_without_their_photo(own3, photos, settings, tmp_path, samples, capsys):
    R.generate_folder(photos, tmp_path/'out', settings, progress=False)
    second = tmp_path/'out'/'results_2nd'
    save_image(second/NAME/'stranger.png', samples['cat'])
    save_image(second/NAME/'y.png', load_photo(second/NAME/'y.png')[:60])
    words = ['refine', second, '--photos', photos, '--out', tmp_path/'out']
    assert pirec(*words, *own3)==1
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
    assert made==['pirec.json', *(f'results_2nd_3rd/{NAME}/x{e}.png' for e in ('', '_refine'))]
