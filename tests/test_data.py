"Data sets over folders and tars, and augmentation that keeps photo and target together"
import io, multiprocessing, pickle, socket, tarfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from sketchbook.data import (BoundaryPairs, DrawingPairs, JointImages, _Members, PhotoFolder, SaliencyPairs,
                             UnreadableImage, augment_pair, _color_jitter, _decode, load_photo, _paste_object,
                             _random_affine, sample_photos, save_image, to_tensor, _warp)


def photo_of(seed, h=40, w=60):
    "A smooth random photo"
    small = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC)


def pack(folder, path, prefix=''):
    "The folder as a plain tar"
    with tarfile.open(path, 'w') as tar:
        for p in sorted(folder.rglob('*'), reverse=True):
            tar.add(p, arcname=prefix + p.relative_to(folder).as_posix(), recursive=False)
    return path


@pytest.fixture
def pairs(tmp_path):
    "Three photos with masks and two boundary drawings each"
    folder = tmp_path/'pairs'
    for i in range(3):
        save_image(folder/f'p.{i}.jpg', photo_of(i))             # a dot in the name is no ending
        save_image(folder/f'p.{i}.png', np.float32(photo_of(i+10)[..., 0]>128))
        for k in range(2): save_image(folder/f'p.{i}.boundaries.{k}.png', photo_of(i+20+k)[..., 0]>200)
    return folder


# ---- members

def test_tar_equals_folder(pairs, tmp_path):
    for prefix in ('', './'):
        a, b = _Members(pairs), _Members(pack(pairs, tmp_path/'pairs.tar', prefix))
        assert a.names==b.names and len(a)==12
        for n in a.names: assert a.read(n)==b.read(n)==(pairs/n).read_bytes()


@pytest.mark.parametrize('kind', [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_tar_with_long_names_links_and_folders(tmp_path, kind):
    long = 'x'*120 + '/' + 'ü'*60 + '.bin'
    with tarfile.open(tmp_path/'t.tar', 'w', format=kind) as tar:
        for name in (long, 'plain.bin', '.hidden'):
            info = tarfile.TarInfo(name); info.size = 3
            tar.addfile(info, io.BytesIO(name[:3].encode()[:3]))
        link = tarfile.TarInfo('link.bin'); link.type = tarfile.SYMTYPE; link.linkname = '/etc/passwd'
        tar.addfile(link)
    m = _Members(tmp_path/'t.tar')
    assert m.names==['plain.bin', long] and m.read(long)==b'xxx'


def test_members_refuse(tmp_path, pairs):
    with pytest.raises(FileNotFoundError, match='gone: no such'): _Members(tmp_path/'gone')
    (tmp_path/'text.tar').write_text('Buy milk'*200)
    with pytest.raises(ValueError, match='text.tar: neither a folder nor a plain'): _Members(tmp_path/'text.tar')
    with tarfile.open(tmp_path/'z.tar.gz', 'w:gz') as tar: tar.add(pairs, 'x')
    with pytest.raises(ValueError, match='uncompressed'): _Members(tmp_path/'z.tar.gz')
    tar = pack(pairs, tmp_path/'ok.tar')
    data = tar.read_bytes()
    last = max(o+n for o, n in _Members(tar).index.values())
    tar.write_bytes(data[:last-5])
    with pytest.raises(ValueError, match='cut off|plain'): _Members(tar)
    with pytest.raises(KeyError, match='no member'): _Members(pack(pairs, tar)).read('nothing.png')


def _mean(ds, i): return float(ds[i][0].mean())


@pytest.mark.parametrize('start', ['fork', 'spawn'])
def test_data_sets_in_other_processes(pairs, tmp_path, start):
    if start not in multiprocessing.get_all_start_methods(): pytest.skip(f'no {start} here')
    ds = SaliencyPairs(pack(pairs, tmp_path/'p.tar'))
    wanted = [_mean(ds, i) for i in range(3)]*4
    with ProcessPoolExecutor(1 if start=='spawn' else 2, mp_context=multiprocessing.get_context(start)) as pool:
        assert list(pool.map(_mean, [ds]*12, [0,1,2]*4))==wanted
    with ThreadPoolExecutor(4) as pool: assert list(pool.map(_mean, [ds]*12, [0,1,2]*4))==wanted


def test_torch_loader(pairs, tmp_path):
    ds = SaliencyPairs(pack(pairs, tmp_path/'p.tar'))
    batches = list(torch.utils.data.DataLoader(ds, batch_size=3, num_workers=2))
    assert batches[0][0].shape==(3, 40, 60, 3) and batches[0][1].dtype==torch.float32


# ---- pictures of training data

@pytest.mark.parametrize('kind', ['PNG', 'JPEG'])
def test_decode_refuses_what_load_photo_refuses(monkeypatch, kind):
    "By the size in the header: 144 million pixels in a file of some hundred kilobytes are never decoded"
    file = io.BytesIO()
    Image.new('L', (12_000, 12_000)).save(file, kind)
    monkeypatch.setattr(cv2, 'imdecode', lambda *a: pytest.fail('decoded'))
    monkeypatch.setattr(Image.Image, 'load', lambda *a: pytest.fail('decoded'))
    for grey in (False, True):
        with pytest.raises(UnreadableImage, match='^bomb: 12000 x 12000 pixels are more than the 100 million allowed$'):
            _decode(file.getvalue(), 'bomb', grey)


def test_decode_names_what_it_cannot_read():
    file = io.BytesIO()
    Image.new('RGB', (9, 9)).save(file, 'PNG')
    # OpenCV has a limit of its own
    wide = file.getvalue()[:16] + (1<<21).to_bytes(4, 'big') + (1).to_bytes(4, 'big') + file.getvalue()[24:]
    for data in (b'\xff\xd8', b'\x89PNG\r\n\x1a\n', b'\xff\xd8'+bytes(99), file.getvalue()[:40], wide):
        with pytest.raises(UnreadableImage, match='^it: .*damaged|^it: not a picture'): _decode(data, 'it')


# ---- pairs

def test_pairs_are_the_same_from_folder_and_tar(pairs, tmp_path):
    tar = pack(pairs, tmp_path/'p.tar')
    a, b = SaliencyPairs(pairs), SaliencyPairs(tar)
    assert a.ids==b.ids==['p.0', 'p.1', 'p.2'] and len(a)==3
    for (pa, ma), (pb, mb) in zip(a, b):
        assert np.array_equal(pa, pb) and np.array_equal(ma, mb)
        assert pa.dtype==np.uint8 and ma.dtype==np.float32 and ma.shape==pa.shape[:2] and set(np.unique(ma))<={0, 1}
    for (pa, da), (pb, db) in zip(BoundaryPairs(pairs), BoundaryPairs(tar)):
        assert np.array_equal(pa, pb) and np.array_equal(da, db) and da.dtype==bool and da.shape==(2, 40, 60)
    assert np.array_equal(pickle.loads(pickle.dumps(b))[1][0], a[1][0])


def test_many_annotators_in_order(tmp_path):
    save_image(tmp_path/'a.jpg', photo_of(0))
    for k in range(3): save_image(tmp_path/f'a.boundaries.{k}.png', np.full((40, 60), k==1))
    assert BoundaryPairs(tmp_path)[0][1].mean((1, 2)).tolist()==[0, 1, 0]


def test_pairs_in_two_folders(tmp_path):
    save_image(tmp_path/'photos'/'a.jpg', photo_of(0)); save_image(tmp_path/'masks'/'a.png', np.ones((40, 60)))
    assert SaliencyPairs(tmp_path).ids==['a']


def test_pairs_refuse(tmp_path):
    save_image(tmp_path/'a.jpg', photo_of(0))
    for kind in (SaliencyPairs, BoundaryPairs):
        with pytest.raises(ValueError, match='no pairs in it'): kind(tmp_path)
    save_image(tmp_path/'a.png', np.ones((40, 50)))
    with pytest.raises(ValueError, match=r'a: the photo is \(40, 60\), what lies on it \(40, 50\)'):
        SaliencyPairs(tmp_path)[0]
    (tmp_path/'a.png').write_bytes(b'')
    with pytest.raises(UnreadableImage, match='a.png: the file is empty'): SaliencyPairs(tmp_path)[0]
    with pytest.raises(IndexError): SaliencyPairs(tmp_path)[1]


def test_photo_folder(tmp_path):
    for n in ('train/x/1.jpg', 'train/y/1.png', 'val/x/2.jpg', 'training/3.jpg'): save_image(tmp_path/n, photo_of(0))
    (tmp_path/'train'/'readme.txt').write_text('x')
    for path in (tmp_path, pack(tmp_path, tmp_path.parent/f'{tmp_path.name}.tar')):
        assert PhotoFolder(path, under='train').ids==['train/x/1', 'train/y/1'] and len(PhotoFolder(path))==4
        assert PhotoFolder(path)[0].shape==(40, 60, 3)
    with pytest.raises(ValueError, match="no photos in it below 'test'"): PhotoFolder(tmp_path, under='test')


def test_transparent_pictures_lie_on_white(tmp_path):
    rgba = np.zeros((8, 8, 4), np.uint8); rgba[2:4, :, 3] = 255     # black ink on nothing
    save_image(tmp_path/'a.png', rgba)
    save_image(tmp_path/'d'/'a.png', rgba[::2, ::2])
    assert PhotoFolder(tmp_path)[0][0, 0].tolist()==[255]*3
    lines, drawing = DrawingPairs(tmp_path, tmp_path/'d')[0]
    assert lines[0, 0]==1 and lines[2, 0]==0 and drawing.shape==lines.shape and drawing.dtype==np.float32


def test_drawing_pairs(tmp_path):
    for n in 'abc': save_image(tmp_path/'l'/f'{n}.png', photo_of(1)[..., 0]/255)
    for n in 'bcd': save_image(tmp_path/'d'/f'{n}.jpg', photo_of(2, 80, 120))
    ds = DrawingPairs(tmp_path/'l', pack(tmp_path/'d', tmp_path/'d.tar'), color=True)
    assert ds.ids==['b', 'c']
    lines, photo = ds[1]
    assert lines.shape==(40, 60) and photo.shape==(40, 60, 3) and photo.dtype==np.uint8
    with pytest.raises(ValueError, match='no file name is in both'):
        DrawingPairs(tmp_path/'l', pack(tmp_path/'l', tmp_path/'e.tar', 'sub/'))


def test_joint_images(tmp_path):
    a, b = photo_of(1, 128, 128), photo_of(2, 128, 128)
    save_image(tmp_path/'x.png', np.hstack([a, b]))
    sketch, photo = JointImages(tmp_path, size=None)[0]
    assert np.array_equal(photo, b) and np.abs(sketch*255 - cv2.cvtColor(a, cv2.COLOR_RGB2GRAY)).max()<.01
    sketch, photo = JointImages(tmp_path)[0]
    assert sketch.shape==(64, 64) and photo.shape==(64, 64, 3)
    assert np.abs(photo.astype(int)-cv2.resize(b, (64, 64), interpolation=cv2.INTER_AREA)).max()<=1
    save_image(tmp_path/'y.png', a)
    with pytest.raises(ValueError, match='y.png: a joint image is twice as wide as high, not 128 x 128'):
        JointImages(tmp_path)[1]


# ---- the sets that the book trains on

def test_shared_sets(shared_data):
    for name, kind, n in [('duts_val', SaliencyPairs, 500), ('ecssd_dev', SaliencyPairs, 200),
                          ('bsds_train', BoundaryPairs, 200), ('bsds_val', BoundaryPairs, 100)]:
        ds = kind(shared_data/f'{name}.tar')
        assert len(ds)==n
        for i in (0, n//2, n-1):
            photo, target = ds[i]
            assert photo.shape[:2]==target.shape[-2:] and 0<target.mean()<1
    assert 4<=len(BoundaryPairs(shared_data/'bsds_val.tar')[0][1])<=9
    flowers = PhotoFolder(shared_data/'flowers.tar', under='val')
    assert {i.split('/')[1] for i in flowers.ids}=={'daisy', 'dandelion', 'roses', 'sunflowers', 'tulips'}


# ---- augmentation

def centres(a, n):
    "Centres of the n largest spots, sorted by x, (x, y)"
    _, labels, stats, _ = cv2.connectedComponentsWithStats(np.uint8(a>.5))
    y, x = np.indices(a.shape)
    out = []
    for i in 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:n]:
        spot = cv2.dilate(np.uint8(labels==i), np.ones((5, 5)))*a
        out.append([(spot*x).sum()/spot.sum(), (spot*y).sum()/spot.sum()])
    return np.array(sorted(out))


@pytest.mark.parametrize('scale', [(.2, .3), (.45, .55), (.9, 1.1), (1.5, 2)])
@pytest.mark.parametrize('fit', [False, True])
def test_markers_stay_where_they_should(scale, fit):
    "Photo, mask and boundaries agree with each other and with the matrix to a fraction of a pixel"
    hw = (300, 400)
    mark = np.array([[130, 100], [260, 130], [170, 210]], float)
    spots = np.zeros(hw, np.float32)
    for m in mark.astype(int): cv2.circle(spots, tuple(map(int, m)), 14, 1, -1)
    photo = np.repeat(np.uint8(spots*255)[..., None], 3, 2)
    seen = 0
    for seed in range(25):
        kw = dict(scale=scale, rotate=30, fit=fit, flip=True)
        crop, (mask, planes) = augment_pair(photo, [spots, np.stack([spots>.5]*2)], np.random.default_rng(seed),
                                            (200, 240), jitter=0, fill='white', target_fill=0, **kw)
        A, s = _random_affine(hw, (200, 240), np.random.default_rng(seed), **kw)
        where = (np.linalg.inv(np.vstack([A, [0, 0, 1]])) @ np.column_stack([mark, np.ones(3)]).T)[:2].T
        margin = 16*s.max() + 3
        if (where<margin).any() or (where>np.array([240, 200])-margin).any(): continue
        seen += 1
        where = np.array(sorted(where.tolist()))
        # off the photo is white paper
        inside = cv2.erode(cv2.warpAffine(np.ones(hw, np.float32), A, (240, 200),
                                          flags=cv2.INTER_NEAREST|cv2.WARP_INVERSE_MAP), np.ones((3, 3)))
        for a in (crop[..., 0]/255*inside, mask, planes[0], planes[1]): assert np.abs(centres(a, 3)-where).max()<.25
    assert seen or scale[0]>=1.5


def test_thin_lines_survive():
    lines = np.zeros((240, 320), bool); lines[::24] = True; lines[:, ::32] = True
    for s in (.2, .33, .5, .7, 1., 1.4):
        for seed in range(5):
            _, t = augment_pair(np.zeros((240, 320, 3), np.uint8), lines, np.random.default_rng(seed), 96, scale=(s, s),
                                rotate=20, flip=False, jitter=0)
            assert t.dtype==np.float32 and 0<=t.min() and t.max()<=1
            assert abs(t.mean()/lines.mean() - 1)<.25               # as much ink as before
            A, sc = _random_affine((240, 320), (96, 96), np.random.default_rng(seed), (s, s), 20, False)
            for row in range(24, 216, 24):                          # walk along a line: it is there at every step
                xy = np.linalg.inv(np.vstack([A, [0, 0, 1]])) @ np.vstack([np.linspace(20, 300, 200), np.full(200, row),
                                                                           np.ones(200)])
                x, y = np.round(xy[:2]).astype(int)
                ok = (x>1) & (x<94) & (y>1) & (y<94)
                if ok.any():
                    assert np.max([t[y[ok]+d, x[ok]+e] for d in (-1, 0, 1) for e in (-1, 0, 1)],
                                  axis=0).min() > .3*min(1, s), (s, seed)


def test_identity_gives_the_photo_back():
    photo, mask = photo_of(0, 64, 64), np.float32(photo_of(1, 64, 64)[..., 0]>99)
    crop, t = augment_pair(photo, mask, np.random.default_rng(0), 64, scale=(1, 1), flip=False, jitter=0)
    assert np.array_equal(crop, photo) and np.array_equal(t, mask)
    flipped = [augment_pair(photo, mask, np.random.default_rng(s), 64, scale=(1, 1), jitter=0) for s in range(20)]
    assert {bool(np.array_equal(c, photo)) for c, _ in flipped}=={True, False}
    for c, t in flipped:
        assert np.array_equal(c, photo) and np.array_equal(t, mask) or np.array_equal(c,
            photo[:, ::-1]) and np.array_equal(t, mask[:, ::-1])


def test_same_seed_same_view():
    args = photo_of(0), np.float32(photo_of(1)[..., 0]>99)
    a, b = (augment_pair(*args, np.random.default_rng(7), 32, rotate=10) for _ in range(2))
    assert np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1])
    assert not np.array_equal(a[0], augment_pair(*args, np.random.default_rng(8), 32, rotate=10)[0])


def test_targets_come_back_in_their_form():
    photo, m, k = photo_of(0), np.ones((40, 60)), np.ones((3, 40, 60), bool)
    for targets, shapes in [(m, (8, 9)), (k, (3, 8, 9)), ([m, k], [(8, 9), (3, 8, 9)]), ((), [])]:
        crop, t = augment_pair(photo, targets, np.random.default_rng(0), (8, 9))
        assert crop.shape==(8, 9, 3) and crop.dtype==np.uint8
        assert (t.shape if isinstance(targets, np.ndarray) else [x.shape for x in t])==shapes
        # mirrored ones stay ones
        for x in t if isinstance(t, list) else [t]: assert x.dtype==np.float32 and x.min()>.999


def test_beyond_the_edge():
    photo, sketch = np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20), np.float32)
    crop, t = augment_pair(photo, sketch, np.random.default_rng(0), 60, scale=(1, 1), jitter=0, fill='white')
    assert abs(t.sum()-3200)<1 and abs(crop.mean()/255*3600-3200)<2 and crop[0, 0].tolist()==[255]*3 and crop.min()==0
    crop, t = augment_pair(photo, ~sketch.astype(bool), np.random.default_rng(0), 60, scale=(1, 1), jitter=0,
                           fill='white', target_fill=0)
    assert abs(t.sum()-400)<1 and t.max()==1 and t[0, 0]==0
    for shape in [(1, 1), (1, 50), (50, 1), (2, 3)]:
        crop, t = augment_pair(np.full((*shape, 3), 7, np.uint8), np.ones(shape, np.float32), np.random.default_rng(0),
                               30, rotate=45, jitter=0)
        assert (crop==7).all() and t.min()>.99


def test_pasted_objects():
    photo, mask = photo_of(0), np.float32(photo_of(1)[..., 0]>128)
    before = photo.copy(), mask.copy()
    cut = np.zeros((30, 50), np.float32); cut[5:25, 10:40] = 1
    for seed in range(10):
        p, m = _paste_object(photo, mask, np.full((30, 50, 3), 9, np.uint8), cut, np.random.default_rng(seed))
        assert p.shape==photo.shape and p.dtype==np.uint8 and m.dtype==np.float32 and 0<=m.min() and m.max()<=1
        assert (m>=mask).all() and np.array_equal(p[m==0], photo[m==0])
        changed = (p!=photo).any(2)
        assert not (changed & (m==0)).any() and changed.any()
    assert np.array_equal(photo, before[0]) and np.array_equal(mask, before[1])
    with pytest.raises(ValueError, match=r'what lies on it \(39, 60\)'):
        _paste_object(photo, mask[1:], photo, mask, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r'the pair to cut from: .* what lies on it \(39, 60\)'):
        _paste_object(photo, mask, photo, mask[1:], np.random.default_rng(0))


def test_colour_jitter_leaves_inputs_alone():
    photo = photo_of(0); before = photo.copy()
    for seed in range(10):
        out = _color_jitter(photo, np.random.default_rng(seed), .5, .5, .9, .9, grey=.5)
        assert out.dtype==np.uint8 and out.shape==photo.shape
    assert np.array_equal(photo, before)
    _, t = augment_pair(photo, np.full((40, 60), .5, np.float32), np.random.default_rng(0), 20, jitter=.9)
    assert np.allclose(t, .5)                                      # light never touches a target


# ---- samples and tensors

def test_samples_need_no_network(monkeypatch):
    monkeypatch.setattr(socket, 'socket', lambda *a, **k: pytest.fail('reached for the network'))
    photos = sample_photos()
    assert len(photos)>=4 and {'astronaut', 'cat', 'coffee', 'rocket'}<=set(photos)
    for p in photos.values(): assert p.dtype==np.uint8 and p.ndim==3 and min(p.shape[:2])>=300
    assert list(sample_photos(['cat']))==['cat']


def test_to_tensor():
    photo = photo_of(0)[:, ::-1]
    t = to_tensor(photo)
    assert t.shape==(3, 40, 60) and t.dtype==torch.float32
    assert float((t*255 - torch.from_numpy(photo.transpose(2, 0, 1).copy())).abs().max())<1e-3
