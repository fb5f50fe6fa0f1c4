"COCO: its objects; training sets built from them, how they are split, that a kill at any moment changes no byte"
import json, multiprocessing, os, pickle, shutil, signal, subprocess, sys, tarfile, time

import cv2
import numpy as np
import pytest
from pycocotools import mask as M

from sketchbook import coco
from sketchbook.cli import main
from sketchbook.data import _Members, SaliencyPairs, save_image
from sketchbook.coco import CocoInstances, build_coco_set
from sketchbook.masknet import _as_pairs

H, W, PHOTOS = 160, 240, 8
PART = '.build_coco_set'          # where a set grows
FILES = ('train.tar', 'val.tar', 'manifest.json')


def photo_of(seed, h=H, w=W):
    "A smooth random photo"
    return cv2.resize(np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8), (w, h),
                      interpolation=cv2.INTER_CUBIC)


def polygon(x, y, w, h): return [[x, y, x+w, y, x+w, y+h, x, y+h]]


def run_lengths(x, y, w, h, packed):
    "The same box as COCO's run lengths, plain or packed"
    m = np.zeros((H, W), np.uint8)
    m[y:y+h, x:x+w] = 1
    if packed: rle = M.encode(np.asfortranarray(m)); return dict(size=rle['size'], counts=rle['counts'].decode())
    flat = m.T.ravel()                                           # down the columns, zeros first
    return dict(size=[H, W], counts=np.diff([0, *np.flatnonzero(np.diff(flat))+1, flat.size]).tolist())


@pytest.fixture(scope='module')
def small_set(tmp_path_factory):
    "Eight photos with a cat and two dogs each; a crowd, a small cat, a photo that is missing, one is text, one turned"
    folder = tmp_path_factory.mktemp('coco')
    for i in range(1, PHOTOS+1): save_image(folder/'images'/f'{i:03}.jpg', photo_of(i))
    (folder/'images'/'letter.jpg').write_text('Dear photo, ...')
    save_image(folder/'images'/'turned.jpg', photo_of(99).transpose(1, 0, 2))
    files = [f'{i:03}.jpg' for i in range(1, PHOTOS+1)] + ['gone.jpg', 'letter.jpg', 'turned.jpg']
    anns = []
    def ann(image, kind, box, seg, **kw):
        anns.append(dict(id=len(anns)+1, image_id=image, category_id=kind, segmentation=seg, bbox=list(box), area=1,
                         iscrowd=0) | kw)
    for i in range(1, PHOTOS+1):
        cat, dog, other = (20+i, 30, 60, 50), (130, 20+i, 80, 64), (5, 100, 40, 50)
        ann(i, 17, cat, polygon(*cat))
        ann(i, 18, dog, run_lengths(*dog, packed=False)); ann(i, 18, other, run_lengths(*other, packed=True))
    ann(1, 18, dog, run_lengths(*dog, packed=False), iscrowd=1)
    ann(2, 17, (0, 0, 9, 9), polygon(0, 0, 9, 9))
    for i in (9, 10, 11): ann(i, 17, cat, polygon(*cat))
    cats = [dict(id=17, name='cat'), dict(id=18, name='dog'), dict(id=10, name='traffic light')]
    images = [dict(id=i+1, file_name=f, width=W, height=H) for i, f in enumerate(files)]
    (folder/'coco.json').write_text(json.dumps(dict(images=images, annotations=anns, categories=cats)))
    return folder/'coco.json', folder/'images'


@pytest.fixture
def build(small_set, tmp_path):
    "`build_coco_set` on the small set into a folder called by its first argument"
    def go(name, annotations=small_set[0], images=small_set[1], **kw):
        return build_coco_set(annotations, images, tmp_path/name,
                              **dict(min_size=30, val=.25, progress=False) | kw)
    return go


def same(a, b): return all((a/f).read_bytes() == (b/f).read_bytes() for f in FILES)
def stop(*a): raise KeyboardInterrupt


def photo_ids(pairs): return {i.split('-')[0] for i in pairs.ids}


# objects

@pytest.fixture
def annotated(tmp_path):
    "Two photos; a polygon cat, a run-length dog, a small cat, a crowd of dogs, and a cat whose photo is missing"
    for i in (1, 2): save_image(tmp_path/'images'/f'{i}.jpg', photo_of(i, 200, 300))
    dog = np.zeros((200, 300), np.uint8); dog[60:160, 0:120] = 1
    flat = dog.T.ravel()                                           # COCO counts down the columns, zeros first
    counts = np.diff([0, *np.flatnonzero(np.diff(flat))+1, flat.size]).tolist()
    packed = M.encode(np.asfortranarray(dog)); packed = dict(size=packed['size'], counts=packed['counts'].decode())
    square = lambda x, y, s: [[x, y, x+s, y, x+s, y+s, x, y+s]]
    ann = lambda id, image, cat, seg, box, **kw: dict(id=id, image_id=image, category_id=cat, segmentation=seg,
                                                      bbox=box, area=1, iscrowd=0) | kw
    data = dict(images=[dict(id=i, file_name=f'{i}.jpg', width=300, height=200) for i in (1, 2, 3)],
                categories=[dict(id=17, name='cat'), dict(id=18, name='dog')],
                annotations=[ann(1, 1, 17, square(100, 60, 80), [100, 60, 80, 80]),
                             ann(2, 2, 18, dict(size=[200, 300], counts=counts), [0, 60, 120, 100]),
                             ann(3, 2, 17, square(10, 10, 20), [10, 10, 20, 20]),
                             ann(4, 1, 18, dict(size=[200, 300], counts=counts), [0, 60, 120, 100], iscrowd=1),
                             ann(5, 3, 17, square(0, 0, 90), [0, 0, 90, 90]), ann(6, 1, 18, packed, [0, 60, 120, 100])])
    (tmp_path/'coco.json').write_text(json.dumps(data))
    return tmp_path/'coco.json', tmp_path/'images', dog


def test_coco_classes_sizes_and_outlines(annotated, capfd):
    file, images, dog = annotated
    every = CocoInstances(file, images)
    assert (every.ids, every.labels, every.missing)==([1, 2, 6], ['cat', 'dog', 'dog'], 1)
    assert CocoInstances(file, images, 'cat', min_size=15).ids==[1, 3]
    assert CocoInstances(file, images, ['dog']).ids==[2, 6]
    photo, mask = every[0]
    assert photo.shape==(200, 300, 3) and mask.dtype==np.float32 and abs(mask.sum()-80*80)<200 and mask[100, 140]==1
    assert mask[100, 90]==0
    for i in (1, 2): assert np.array_equal(every[i][1], dog)      # plain and packed run lengths
    assert capfd.readouterr().out==''


def test_coco_centred_and_not(annotated):
    file, images, _ = annotated
    ds = CocoInstances(file, images, centred=True)
    for photo, mask in ds:
        assert photo.shape[:2]==mask.shape and photo.shape[0]==photo.shape[1]
        y, x = np.nonzero(mask)
        assert abs(max(np.ptp(y), np.ptp(x))/len(mask) - 128/224)<.02
        assert abs(y.min()+y.max()-len(mask))<=4 and abs(x.min()+x.max()-len(mask))<=4
    for (photo, mask), (again, _) in zip(CocoInstances(file, images, centred=False),
                                         CocoInstances(file, images, centred=False)):
        assert np.array_equal(photo, again)
        y, x = np.nonzero(mask)
        off = np.abs(np.array([y.min()+y.max(), x.min()+x.max()])/2 - len(mask)/2)
        assert off.max()>.08*len(mask) and min(y.min(), x.min())>=0
        assert abs(max(np.ptp(y), np.ptp(x))/len(mask) - 128/224)<.02       # nothing of it was cut away
    assert not np.array_equal(CocoInstances(file, images, centred=False, seed=1)[0][0],
                              CocoInstances(file, images, centred=False)[0][0])


def test_coco_from_a_tar_and_pickled(annotated, tmp_path):
    file, images, _ = annotated
    with tarfile.open(tmp_path/'i.tar', 'w') as tar:
        for f in images.iterdir(): tar.add(f, f'val2017/{f.name}')
    ds = pickle.loads(pickle.dumps(CocoInstances(file, tmp_path/'i.tar')))
    assert np.array_equal(ds[0][0], CocoInstances(file, images)[0][0])


def test_coco_refuses(annotated, tmp_path):
    file, images, _ = annotated
    with pytest.raises(ValueError, match='no class unicorn in .*it has cat, dog'):
        CocoInstances(file, images, ['cat', 'unicorn'])
    with pytest.raises(ValueError, match='at least 900 px'): CocoInstances(file, images, min_size=900)
    with pytest.raises(FileNotFoundError, match='gone.json'): CocoInstances(tmp_path/'gone.json', images)
    (tmp_path/'empty').mkdir()
    with pytest.raises(ValueError, match='none of the 4 objects'): CocoInstances(file, tmp_path/'empty')
    for text in ('Buy milk', '[]', '{}', '{"images": []}', '{"annotations": [{}]}'):
        (tmp_path/'bad.json').write_text(text)
        with pytest.raises(ValueError, match='bad.json: not a COCO annotation file'):
            CocoInstances(tmp_path/'bad.json', images)


def test_coco_without_pycocotools(annotated, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pycocotools', None)
    with pytest.raises(ModuleNotFoundError, match="^COCO's outlines need pycocotools: pip install pycocotools$"):
        CocoInstances(*annotated[:2])[0]


# what is written

def test_what_is_in_a_set(build, tmp_path):
    made = build('set')
    assert sorted(p.name for p in (tmp_path/'set').iterdir()) == sorted(FILES)
    written = json.loads((tmp_path/'set'/'manifest.json').read_text())
    assert len(written.pop('sha256')) == 64 and made == written
    assert made['left_out'] == {'crowd': {'dog': 1}, 'too small': {'cat': 1}} and made['missing'] == ['gone.jpg']
    assert [(e['photo'], e['objects']) for e in made['skipped']] == [('letter.jpg', 1), ('turned.jpg', 1)]
    assert made['skipped'][0]['why'] == 'text, not a picture'
    assert made['skipped'][1]['why'] == f'the photo is {(W, H)}, the annotations say {(H, W)} (height, width)'
    assert str(tmp_path) not in json.dumps(made)
    total = {l: sum(t['objects'].get(l, 0) for t in made['tars'].values()) for l in ('cat', 'dog')}
    assert total == {'cat': PHOTOS, 'dog': 2*PHOTOS}
    for s, t in made['tars'].items():
        pairs = SaliencyPairs(tmp_path/'set'/f'{s}.tar')
        assert len(pairs) == t['pairs'] == 3*t['photos'] and t['bytes'] == (tmp_path/'set'/f'{s}.tar').stat().st_size


def test_masknet_and_tar_read_it(build, small_set, tmp_path):
    build('set')
    pairs = _as_pairs(tmp_path/'set'/'train.tar')
    truth = CocoInstances(*small_set, centred=True, min_size=30)
    where = {i: k for k, i in enumerate(truth.ids)}
    for name, (photo, mask) in zip(pairs.ids, pairs):
        wanted_photo, wanted = truth[where[int(name.split('-')[1])]]
        assert np.array_equal(mask, wanted) and photo.dtype == np.uint8 and mask.max() == 1
        assert np.abs(photo.astype(int)-wanted_photo).mean() < 6      # but for what JPEG lost
    done = subprocess.run(['tar', '-tf', tmp_path/'set'/'train.tar'], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.split() == [f'{n}.{e}' for n in dict.fromkeys(x.rpartition('.')[0] for x in done.stdout.split())
                                   for e in ('jpg', 'png')]
    with tarfile.open(tmp_path/'set'/'train.tar') as tar: assert {m.mtime for m in tar} == {0}


def test_the_three_ways(build, tmp_path):
    middle = lambda m: np.array([v.mean() for v in np.nonzero(m>.5)])/np.array(m.shape) - .5
    build('yes'), build('no', centred=False), build('whole', centred=None)
    yes, no, whole = (SaliencyPairs(tmp_path/n/'train.tar') for n in ('yes', 'no', 'whole'))
    assert yes.ids == no.ids and len(whole)*3 == len(yes)
    assert max(np.abs(middle(m)).max() for _, m in yes) < .02 < .08 < min(np.abs(middle(m)).max() for _, m in no)
    # three objects, one mask
    for photo, mask in whole: assert photo.shape == (H, W, 3) and abs(mask.sum() - (60*50 + 80*64 + 40*50)) < 400


def test_classes_and_size(build, tmp_path):
    made = build('set', classes=['dog'], size=48)
    assert {l for t in made['tars'].values() for l in t['objects']} == {'dog'}
    for photo, mask in SaliencyPairs(tmp_path/'set'/'train.tar'):
        assert max(photo.shape) == 48 and mask.shape == photo.shape[:2]
    whole = build('whole', classes='cat', centred=None, size=100)
    for photo, _ in SaliencyPairs(tmp_path/'whole'/'train.tar'): assert photo.shape == (67, 100, 3)
    assert whole['settings']['classes'] == ['cat']


def test_photos_in_a_tar_and_in_folders(build, small_set, tmp_path):
    with tarfile.open(tmp_path/'images', 'w') as tar:
        for p in small_set[1].iterdir(): tar.add(p, arcname=f'val2017/{p.name}')
    build('a'), build('b', images=tmp_path/'images')
    for s in ('train', 'val'):
        a, b = (_Members(tmp_path/n/f'{s}.tar') for n in 'ab')
        assert len(a.names) == len(b.names) and len(a) % 2 == 0
    every = lambda n: {i: p.tobytes() for s in ('train', 'val') for d in [SaliencyPairs(tmp_path/n/f'{s}.tar')]
                       for i, (p, _) in zip(d.ids, d)}
    assert every('a') == every('b')


def test_two_folders_with_the_same_names(tmp_path):
    "a/1.jpg and b/1.jpg are two photos, whatever the folder of photos knows of their path"
    for i, k in enumerate('ab'): save_image(tmp_path/'images'/k/'1.jpg', np.full((80, 80, 3), 100*(i+1), np.uint8))
    ann = [dict(id=i, image_id=i, category_id=1, segmentation=polygon(10, 10, 60, 60), bbox=[10, 10, 60, 60],
                iscrowd=0) for i in (0, 1)]
    (tmp_path/'c.json').write_text(json.dumps(dict(categories=[dict(id=1, name='x')], annotations=ann,
                                                   images=[dict(id=i, file_name=f'{k}/1.jpg')
                                                           for i, k in enumerate('ab')])))
    grey = lambda folder: [int(p.mean()) for p, _ in CocoInstances(tmp_path/'c.json', folder, min_size=10)]
    assert grey(tmp_path/'images') == [100, 200]
    os.remove(tmp_path/'images'/'b'/'1.jpg')
    alone = CocoInstances(tmp_path/'c.json', tmp_path/'images', min_size=10)
    assert alone.absent == ['b/1.jpg'] and alone.ids == [0]


# the split

@pytest.mark.parametrize('seed', range(4))
def test_a_photo_is_on_one_side(build, tmp_path, seed):
    made = build('set', seed=seed)
    train, val = (SaliencyPairs(tmp_path/'set'/f'{s}.tar') for s in ('train', 'val'))
    assert not photo_ids(train) & photo_ids(val)
    assert photo_ids(train) | photo_ids(val) == {str(i) for i in range(1, PHOTOS+1)}
    # of ten, of which two cannot be read
    assert len(train)+len(val) == 3*PHOTOS and 0 < made['tars']['val']['photos'] <= 3


def test_seed_and_share_decide_the_split(build, tmp_path):
    val = lambda name: photo_ids(SaliencyPairs(tmp_path/name/'val.tar'))
    for name, kw in dict(a=dict(seed=0), b=dict(seed=0, centred=False), c=dict(seed=5), d=dict(seed=0, val=.5)).items():
        build(name, **kw)
    assert val('a') == val('b') != val('c') and val('a') < val('d')
    build('none', val=0)
    assert sorted(p.name for p in (tmp_path/'none').iterdir()) == ['manifest.json', 'train.tar']


# killed and called again

def test_the_same_bytes_every_time(build, tmp_path):
    build('a', centred=False), build('b', centred=False)
    assert same(tmp_path/'a', tmp_path/'b')
    before = [(tmp_path/'a'/f).stat().st_mtime_ns for f in FILES]
    build('a', centred=False)
    assert [(tmp_path/'a'/f).stat().st_mtime_ns for f in FILES] == before      # nothing to do


@pytest.mark.parametrize('at', [1, 13, 40])
def test_interrupted_and_run_again(build, tmp_path, monkeypatch, at):
    "An interrupt at the `at`th picture leaves nothing under a name that anyone reads; other settings may follow"
    build('whole')
    real, calls = coco._encode, []
    def cut(*a):
        calls.append(a)
        return stop() if len(calls) == at else real(*a)
    monkeypatch.setattr(coco, '_encode', cut)
    with pytest.raises(KeyboardInterrupt): build('cut', seed=1)
    assert [p.name for p in (tmp_path/'cut').iterdir()] == [PART]
    build('cut')
    assert same(tmp_path/'whole', tmp_path/'cut')
    assert sorted(p.name for p in (tmp_path/'cut').iterdir()) == sorted(FILES)


def die_at(owner, name, n, ask):
    "Build a set, and kill this process at the `n`th call of a function"
    real, calls = getattr(owner, name), []
    def deadly(*a, **k):
        calls.append(name)
        if len(calls) == n: os.kill(os.getpid(), signal.SIGKILL)
        return real(*a, **k)
    setattr(owner, name, deadly)
    ask()


@pytest.mark.skipif('fork' not in multiprocessing.get_all_start_methods(), reason='no fork here')
@pytest.mark.parametrize('owner, name, n',
                         [(coco, '_encode', 2), (coco, '_encode', 40), (coco, '_publish', 1), (os, 'fsync', 1),
                          (os, 'fsync', 2), (os, 'replace', 1), (os, 'replace', 2), (os, 'replace', 3),
                          (shutil, 'rmtree', 1)])
def test_killed_anywhere(owner, name, n, build, tmp_path):
    "SIGKILL while a picture is made, a tar renamed, the manifest written, the hidden folder taken away"
    build('whole')
    p = multiprocessing.get_context('fork').Process(target=die_at, args=(owner, name, n, lambda: build('cut')))
    p.start()
    p.join(60)
    assert p.exitcode == -signal.SIGKILL
    # whole, or not there
    for tar in (tmp_path/'cut').glob('*.tar'): assert tar.read_bytes() == (tmp_path/'whole'/tar.name).read_bytes()
    build('cut')
    assert same(tmp_path/'whole', tmp_path/'cut')
    assert sorted(p.name for p in (tmp_path/'cut').iterdir()) == sorted(FILES)


def test_a_lost_tar_is_made_again(build, tmp_path):
    build('whole'), build('cut')
    (tmp_path/'cut'/'val.tar').unlink()
    build('cut')
    assert same(tmp_path/'whole', tmp_path/'cut')


def test_ctrl_c_at_the_command_line(tmp_path, root):
    "A long run stopped by SIGINT says so; the second call ends with the bytes of an undisturbed one"
    ann = lambda i: dict(id=i, image_id=i, category_id=1, segmentation=polygon(20, 20, 100, 80), bbox=[20, 20, 100, 80],
                         iscrowd=0)
    save_image(tmp_path/'images'/'0.jpg', photo_of(0))
    for i in range(1, 400): (tmp_path/'images'/f'{i}.jpg').write_bytes((tmp_path/'images'/'0.jpg').read_bytes())
    (tmp_path/'c.json').write_text(json.dumps(dict(categories=[dict(id=1, name='x')],
                                                   annotations=[ann(i) for i in range(400)],
                                                   images=[dict(id=i, file_name=f'{i}.jpg') for i in range(400)])))
    words = ['build-coco', str(tmp_path/'c.json'), str(tmp_path/'images'), '--off-centre', '--val', '0.2']
    p = subprocess.Popen([sys.executable, '-m', 'sketchbook.cli', *words, '--out', str(tmp_path/'cut')],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=os.environ | {'PYTHONPATH': str(root)},
                         # who runs the tests in the background ignores it
                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    until = time.time()+90
    while time.time() < until and not (tmp_path/'cut'/PART/'train.tar').exists(): time.sleep(.002)
    p.send_signal(signal.SIGINT)
    err = p.communicate(timeout=60)[1]
    assert p.returncode == 130 and err == 'sketchbook: stopped; the same command begins anew.\n'
    assert [f.name for f in (tmp_path/'cut').iterdir()] == [PART]
    for name in ('cut', 'whole'): assert main([*words, '--out', str(tmp_path/name)]) == 0
    assert same(tmp_path/'whole', tmp_path/'cut')


# refusals

def test_other_settings_are_refused(build, tmp_path):
    build('set')
    before = {f: (tmp_path/'set'/f).read_bytes() for f in FILES}
    for kw, words in ((dict(min_size=40), 'min_size 30, not 40'), (dict(centred=False), 'centred True, not False'),
                      (dict(classes='cat'), r"classes None, not \['cat'\]"),
                      (dict(val=.5), r'val 0.25, not 0.5'), (dict(seed=1), 'seed 0, not 1'),
                      (dict(size=64), 'size None, not 64')):
        with pytest.raises(ValueError, match=f'set holds a set with {words}; name another folder'): build('set', **kw)
    assert before == {f: (tmp_path/'set'/f).read_bytes() for f in FILES}


def test_changed_photos_or_annotations_are_refused(build, small_set, tmp_path):
    images = tmp_path/'images'
    images.mkdir()
    for p in small_set[1].iterdir(): (images/p.name).write_bytes(p.read_bytes())
    build('set', images=images)
    save_image(images/'gone.jpg', photo_of(9))
    with pytest.raises(ValueError, match='other annotations or photos .they have changed since.; name another'):
        build('set', images=images)
    (images/'gone.jpg').unlink()
    again = tmp_path/'coco.json'
    again.write_text(small_set[0].read_text().replace('"area": 1', '"area": 2'))
    with pytest.raises(ValueError, match='other annotations or photos'): build('set', annotations=again, images=images)
    build('set', images=images)


def test_what_somebody_else_wrote_is_left_alone(build, tmp_path):
    (tmp_path/'theirs').mkdir(), (tmp_path/'odd').mkdir()
    (tmp_path/'theirs'/'train.tar').write_bytes(b'precious')
    (tmp_path/'odd'/'manifest.json').write_text('[1, 2]')
    (tmp_path/'file').write_text('x')
    with pytest.raises(ValueError, match='theirs holds tars that build_coco_set did not write'): build('theirs')
    with pytest.raises(ValueError, match='manifest.json: not a file that build_coco_set wrote'): build('odd')
    with pytest.raises(ValueError, match='file is a file; a set needs a folder'): build('file')
    assert (tmp_path/'theirs'/'train.tar').read_bytes() == b'precious' and len(list((tmp_path/'theirs').iterdir())) == 1


def test_an_empty_result_leaves_nothing(build, small_set, tmp_path):
    (tmp_path/'images').mkdir()
    for n in ('letter.jpg', 'turned.jpg'): (tmp_path/'images'/n).write_text('Dear photo, ...')
    with pytest.raises(ValueError, match='no pair could be made of 2 photos; letter.jpg: text, not a picture'):
        build('set', images=tmp_path/'images')
    assert not (tmp_path/'set').exists()


def test_a_side_without_pairs_gets_no_tar(build, small_set, tmp_path):
    files = sorted(p.name for p in small_set[1].iterdir())
    # the one photo that validates is a bad one
    seed = next(s for s in range(99) if coco._val_photos(files, .1, s) == {'letter.jpg'})
    for _ in range(2):
        assert build('set', seed=seed, val=.1)['tars']['val']['pairs'] == 0
        assert sorted(p.name for p in (tmp_path/'set').iterdir()) == ['manifest.json', 'train.tar']


@pytest.mark.parametrize('kw, words',
                         [(dict(val=1.), 'from 0 to below 1, not 1.0'), (dict(val=float('nan')), 'not nan'),
                          (dict(seed=-1), 'a whole number, at least 0, not -1'), (dict(size=3), 'at least 16 pixels'),
                          (dict(min_size=0), 'at least 1 pixel, not 0'),
                          (dict(classes=['cat', 'unicorn']), 'no class unicorn in .*cat, dog, traffic light'),
                          (dict(min_size=999), 'at least 999 px wide and high')])
def test_settings_are_checked_before_anything_is_written(build, tmp_path, kw, words):
    with pytest.raises(ValueError, match=words): build('set', **kw)
    assert not (tmp_path/'set').exists()


def test_broken_objects_cost_only_themselves(tmp_path):
    bad = [dict(segmentation='a circle'), dict(segmentation=[[1, 2]]), dict(segmentation=dict(size=[3, 3], counts=[9])),
           dict(segmentation=polygon(900, 900, 60, 60)),
           dict(bbox=[500, 500, 60, 60]), dict(segmentation=dict(size=[H, W], counts='!!'))]
    for i in (0, 1): save_image(tmp_path/'images'/f'{i}.jpg', photo_of(i))
    good = dict(category_id=1, segmentation=polygon(10, 10, 60, 60), bbox=[10, 10, 60, 60], iscrowd=0)
    anns = [good | dict(id=i, image_id=i % 2) | b for i, b in enumerate([{}, {}, *bad])]
    (tmp_path/'c.json').write_text(json.dumps(dict(categories=[dict(id=1, name='x')],
                                                   images=[dict(id=i, file_name=f'{i}.jpg') for i in (0, 1)],
                                                   annotations=anns)))
    made = build_coco_set(tmp_path/'c.json', tmp_path/'images', tmp_path/'set', val=.5, min_size=20, progress=False)
    assert sum(t['pairs'] for t in made['tars'].values()) == 2 and len(made['skipped']) == len(bad)
    for k, e in enumerate(sorted(made['skipped'], key=lambda e: e['why'].split(':')[0])):
        assert e['why'].startswith(f'object {k+2}: ') and e['objects'] == 1


# damaged annotation files

CATS, IMAGES = [dict(id=1, name='x')], [dict(id=i, file_name=f'{i}.jpg') for i in (0, 1)]
GOOD = dict(category_id=1, segmentation=polygon(10, 10, 60, 60), bbox=[10, 10, 60, 60], iscrowd=0)
BOTH = [GOOD | dict(id=i, image_id=i) for i in (0, 1)]


@pytest.fixture
def written(tmp_path):
    "Write an annotation file of two photos; the words to read it with"
    for i in (0, 1): save_image(tmp_path/'images'/f'{i}.jpg', photo_of(i))
    def write(**lists):
        (tmp_path/'c.json').write_text(lists['text'] if 'text' in lists
                                       else json.dumps(dict(categories=CATS, images=IMAGES, annotations=BOTH) | lists))
        return tmp_path/'c.json', tmp_path/'images'
    return write


@pytest.mark.parametrize('lists, says', [
    *((dict(text=t), 'it should be a JSON object with lists of annotations, images and categories')
      for t in ('[1]', '3', 'null', '"coco"', '{}')),
    *((dict(text=t), 'its JSON cannot be read')
      for t in ('['*100_000, '{"annotations": '+'['*100_000, '{', '', '\x00', '9'*5000)),
    *(({k: v}, f'{k} is missing, empty or no list') for k in ('annotations', 'images', 'categories')
      for v in ({}, 'x', 7, None, [])),
    *((dict(categories=[*CATS, c]), 'entry 1 of its categories should be an object with an id')
      for c in (dict(id=2), dict(name='y'), dict(id=2, name=5), dict(id=[2], name='y'), 'y', None,
                dict(id=2, name=''))),
    *((dict(images=[*IMAGES, i]),
       'entry 2 of its images should be an object with an id.* and a file_name, which is text')
      for i in (dict(id=2), dict(file_name='y'), dict(id=2, file_name=5), dict(id=2, file_name=['2.jpg']),
                dict(id={}, file_name='y'), [])),
    (dict(images=[*IMAGES, dict(id=1, file_name='2.jpg')]), 'two of its images have the id 1, 1.jpg and 2.jpg'),
    *((dict(annotations=a),
       'no object of these classes is at least 64 px wide and high; 2 of its annotations are damaged')
      for a in ([3, 'x'], [dict(a, bbox=None) for a in BOTH]))])
def test_a_damaged_file_is_one_sentence(written, tmp_path, capsys, lists, says):
    annotations, images = written(**lists)
    with pytest.raises(ValueError, match=f'c.json: .*{says}'): CocoInstances(annotations, images)
    assert main(['build-coco', str(annotations), str(images), '--out', str(tmp_path/'set')]) == 2
    out, err = capsys.readouterr()
    assert out == '' and err.count('\n') == 1 and err.startswith(f'sketchbook: {annotations}: ')
    assert not (tmp_path/'set').exists()


DAMAGED = ['a cat', None, 3, [], {}, GOOD | dict(id='5', image_id=0), GOOD | dict(id=-5, image_id=0),
           GOOD | dict(image_id=0), GOOD | dict(id=5.5, image_id=0),
           *(GOOD | dict(id=9, image_id=v) for v in (7, None, [0], {}, 'x')),
           *(GOOD | dict(id=9, image_id=0, category_id=v) for v in (7, None, [1], {}, 'x'))]
BOXES = [None, 'box', 7, {}, [1, 2], ['10', '10', '60', '60'], [None]*4, [10, 10, 60], [float('nan')]*4,
         [0, 0, float('inf'), 60], [10, 10, 10**400, 60], [[10, 10, 60, 60]]]


@pytest.mark.parametrize('centred', [True, False, None])
def test_damaged_annotations_are_left_out_and_counted(written, tmp_path, centred):
    odd = DAMAGED + [GOOD | dict(id=20+i, image_id=0, bbox=b) for i, b in enumerate(BOXES)]
    made = build_coco_set(*written(annotations=[*odd[::2], *BOTH, *odd[1::2]]), tmp_path/'set', centred=centred, val=.5,
                          min_size=20, progress=False)
    assert made['left_out'] == {'damaged': {'unknown': len(DAMAGED), 'x': len(BOXES)}} and made['skipped'] == []
    assert sum(t['pairs'] for t in made['tars'].values()) == 2


OUTLINES = ['a circle', 7, True, [7], ['x'], [None], [[1, 2]], [[10, 10, 70, 10, 70]], [['10']*6], [[None]*6],
            [[float('nan')]*6], [[0, 0, 1e300, 0, 0, 1e300]], [[0, 0, 10**400, 0, 0, 9]],
            [dict(size=[H, W], counts=[0, H*W+9])], dict(size=[H, W]), dict(counts='05'), dict(size=H, counts=[H*W]),
            dict(size=[H, W], counts=None), dict(size=[H, W], counts=[['x']]),
            dict(size=[H, W], counts=[.5, H*W-.5]), dict(size=[H, W], counts='0\x00'),
            dict(size=[H, W], counts='\u0100'), dict(size=[H, W], counts='o'*99)]


def test_strange_outlines_cost_only_themselves(written, tmp_path):
    anns = [*BOTH, *(GOOD | dict(id=10+i, image_id=i % 2, segmentation=o) for i, o in enumerate(OUTLINES))]
    made = build_coco_set(*written(annotations=anns), tmp_path/'set', val=.5, min_size=20, progress=False)
    assert sum(t['pairs'] for t in made['tars'].values()) == 2
    why = {e['why'].split(':')[0]: e['why'] for e in made['skipped']}
    assert sorted(why) == [f'object {10+i}' for i in range(len(OUTLINES))]
    assert all('its outline cannot be read (' in w for w in why.values())


def test_two_annotations_of_one_id_are_both_kept(written, tmp_path):
    other = dict(segmentation=polygon(100, 50, 80, 70), bbox=[100, 50, 80, 70])
    annotations, images = written(annotations=[*BOTH, BOTH[0] | other, BOTH[1] | other])
    ds = CocoInstances(annotations, images, min_size=20)
    assert ds.ids == [0, 2, 1, 3] and len({m.sum() for _, m in ds}) == 2
    made = build_coco_set(annotations, images, tmp_path/'set', val=0, min_size=20, progress=False)
    assert made['tars']['train']['pairs'] == 4 == len(SaliencyPairs(tmp_path/'set'/'train.tar'))


def test_a_damaged_manifest_is_named(build, tmp_path):
    "One that was changed, however little, one without its checksum, and a file that is no manifest"
    build('set')
    note = tmp_path/'set'/'manifest.json'
    whole = json.loads(note.read_text())
    changed = [whole | dict(extra=1), *({k: v for k, v in whole.items() if k != gone} for gone in whole),
               *(whole | {k: 'x'} for k in whole)]
    for text in [*map(json.dumps, changed), '[1, 2]', '3', 'null', '', '{', '['*100_000, '\x00']:
        note.write_text(text)
        with pytest.raises(ValueError, match='manifest.json: not a file that build_coco_set wrote'): build('set')
    note.write_bytes(b'\xff\xfe{')
    with pytest.raises(ValueError, match='manifest.json: not a file'): build('set')


# the command

def test_damaged_annotations_are_counted_at_the_command_line(written, tmp_path, capsys):
    for odd, said in ((DAMAGED[:1], '1 damaged annotation in'), (DAMAGED, f'{len(DAMAGED)} damaged annotations in')):
        annotations, images = map(str, written(annotations=BOTH+odd))
        assert main(['build-coco', annotations, images, '--out', str(tmp_path/said[:2]), '--min-size', '20', '--val',
                     '.5']) == 1
        out, err = capsys.readouterr()
        assert out.startswith('2 pairs written')
        assert [l for l in err.splitlines() if 'photo/s' not in l] == [f'skipped {said} {annotations}']


def test_the_command_wants_a_folder(written, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    annotations, images = map(str, written())
    before = sorted(tmp_path.iterdir())
    assert main(['build-coco', annotations, images, '--out', '']) == 2
    assert capsys.readouterr().err == 'sketchbook: the name of the folder for the set is empty; name a folder.\n'
    assert sorted(tmp_path.iterdir()) == before


def test_any_seed_will_do(written, tmp_path):
    assert main(['build-coco', *map(str, written()), '--out', str(tmp_path/'set'), '--min-size', '20', '--val', '.5',
                 '--seed', '1'+'0'*30, '--off-centre']) == 0


def test_the_command(small_set, tmp_path, capsys):
    annotations, images = map(str, small_set)
    assert main(['build-coco', annotations, images, '--out', str(tmp_path/'set'), '--classes', 'cat,dog', '--min-size',
                 '30', '--val', '0.25', '--whole', '--size', '64']) == 1
    out, err = capsys.readouterr()
    made = json.loads((tmp_path/'set'/'manifest.json').read_text())
    train, val = (made['tars'][s]['pairs'] for s in ('train', 'val'))
    assert out == f'{PHOTOS} pairs written into {tmp_path/"set"}: {train} in train.tar, {val} in val.tar\n'
    lines = [l for l in err.splitlines() if 'photo/s' not in l]
    assert lines[0] == 'skipped letter.jpg: text, not a picture'
    assert lines[-1] == f'skipped 1 that is not in {images}, gone.jpg first'
    assert made['settings']['centred'] is None and made['settings']['size'] == 64
    assert main(['build-coco', annotations, images, '--out', str(tmp_path/'dogs'), '--classes', 'dog', '--min-size',
                 '30', '--off-centre']) == 0
    assert json.loads((tmp_path/'dogs'/'manifest.json').read_text())['settings']['centred'] is False


def test_the_command_refuses_in_one_sentence(small_set, tmp_path, capsys):
    annotations, images = map(str, small_set)
    (tmp_path/'bad.json').write_text('{"images": [')
    (tmp_path/'empty').mkdir()
    for words, part in (([annotations, str(tmp_path/'nowhere')], 'nowhere: no such file or folder'),
                        ([str(tmp_path/'no.json'), images], 'no.json: no such annotation file'),
                        ([str(tmp_path/'bad.json'), images], 'bad.json: not a COCO annotation file'),
                        ([annotations, images, '--classes', 'unicorn'], 'no class unicorn'),
                        ([annotations, images, '--classes', 'cat,'], 'names with commas'),
                        ([annotations, str(tmp_path/'empty')], "objects' photos is in it"),
                        ([annotations, images, '--val', '1', '--min-size', '30'], 'below 1'),
                        ([annotations, images, '--min-size', 'big'], 'at least 1'),
                        ([annotations, images, '--centred', '--whole'], 'not allowed with')):
        assert main(['build-coco', *words, '--out', str(tmp_path/'out')]) == 2, words
        printed, err = capsys.readouterr()
        assert printed == '' and part in err and err.count('\n') == 1 and 'Traceback' not in err, err
        assert not (tmp_path/'out').exists()
