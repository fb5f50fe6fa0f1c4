"Every kind of file a person may own, and every kind that is no picture"
import io, struct, warnings, zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageFile

from sketchbook.data import UnreadableImage, _find_photos, load_photo, save_image, _write_atomic


@pytest.fixture(scope='module')
def scene():
    "A smooth photo without symmetry, 48 x 64"
    y, x = np.mgrid[:48, :64]/np.array([47, 63])[:, None, None]
    return (np.dstack([x, y, (x*y)])*220 + 20).astype(np.uint8)


def close(a, b, tol=2):
    assert a.dtype==np.uint8 and a.shape==b.shape, (a.dtype, a.shape, b.shape)
    assert np.abs(a.astype(int)-b).max()<=tol


def as_bytes(im, format, **kw):
    buf = io.BytesIO()
    im.save(buf, format, **kw)
    return buf.getvalue()


def grey_of(a): return np.repeat(np.asarray(Image.fromarray(a).convert('L'))[..., None], 3, 2)


# ---- what can be read

@pytest.mark.parametrize('format, kw, tol',
                         [('PNG', {}, 0), ('BMP', {}, 0), ('TIFF', {}, 0), ('TIFF', dict(compression='tiff_lzw'), 0),
                          ('PPM', {}, 0),
    ('WEBP', dict(lossless=True), 0), ('JPEG', dict(quality=98, subsampling=0), 8),
                          ('JPEG', dict(quality=98, subsampling=0, progressive=True), 8), ('GIF', {}, 60)])
def test_plain_formats(scene, tmp_path, format, kw, tol):
    path = tmp_path/f'photo.{format.lower()}'
    Image.fromarray(scene).save(path, format, **kw)
    for src in (path, str(path), path.read_bytes(), bytearray(path.read_bytes())): close(load_photo(src), scene, tol)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('format', ['JPEG', 'PNG', 'TIFF', 'WEBP'])
def test_turned_by_its_exif_note(scene, format, orientation):
    stored = {1: scene, 2: scene[:, ::-1], 3: scene[::-1, ::-1], 4: scene[::-1], 5: scene.transpose(1, 0, 2),
              6: np.rot90(scene), 7: scene[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(scene, -1)}[orientation]
    exif = Image.Exif(); exif[0x0112] = orientation
    kw = dict(quality=98, subsampling=0) if format=='JPEG' else dict(lossless=True) if format=='WEBP' else {}
    close(load_photo(as_bytes(Image.fromarray(np.ascontiguousarray(stored)), format, exif=exif, **kw)), scene,
          8 if format=='JPEG' else 0)


def test_broken_exif_costs_nothing(scene):
    close(load_photo(as_bytes(Image.fromarray(scene), 'JPEG', quality=98, subsampling=0,
                              exif=b'Exif\0\0MM\0*\xff\xff\xff\xff garbage')), scene, 8)


@pytest.mark.parametrize('alpha', [0, 100, 255])
def test_alpha_over_white(scene, alpha):
    wanted = np.round(scene*(alpha/255) + 255*(1-alpha/255))
    a = np.full(scene.shape[:2], alpha, np.uint8)
    close(load_photo(as_bytes(Image.fromarray(np.dstack([scene, a])), 'PNG')), wanted, 1)
    close(load_photo(np.dstack([scene, a])), wanted, 1)
    grey = grey_of(scene)
    close(load_photo(as_bytes(Image.fromarray(np.dstack([grey[..., 0], a]), 'LA'), 'PNG')),
          np.round(grey*(alpha/255) + 255*(1-alpha/255)), 1)


def test_palette_with_transparency():
    im = Image.new('P', (4, 2)); im.putpalette([255,0,0, 0,255,0]); im.putdata([0, 1]*4)
    for format in ('PNG', 'GIF'):
        close(load_photo(as_bytes(im, format, transparency=1)), np.uint8([[[255,0,0], [255,255,255]]*2]*2), 0)


def test_rgb_and_grey_with_a_transparent_colour():
    im = Image.fromarray(np.uint8([[[10,20,30], [200,0,0]]]))
    close(load_photo(as_bytes(im, 'PNG', transparency=(10,20,30))), np.uint8([[[255]*3, [200,0,0]]]), 0)
    close(load_photo(as_bytes(Image.fromarray(np.uint8([[7, 90]])), 'PNG', transparency=7)),
          np.uint8([[[255]*3, [90]*3]]), 0)


@pytest.mark.parametrize('format', ['PNG', 'TIFF'])
def test_16_bit_grey(scene, format):
    grey = grey_of(scene)
    close(load_photo(as_bytes(Image.fromarray(grey[..., 0].astype(np.uint16)*257), format)), grey, 0)


@pytest.mark.parametrize('ending', ['.png', '.tif'])
@pytest.mark.parametrize('channels', [3, 4])
def test_16_bit_colour(scene, tmp_path, ending, channels):
    deep = scene.astype(np.uint16)*257
    if channels==4: deep = np.dstack([deep, np.full(scene.shape[:2], 65535, np.uint16)])
    path = tmp_path/f'deep{ending}'
    cv2.imwrite(str(path), cv2.cvtColor(deep, cv2.COLOR_RGB2BGR if channels==3 else cv2.COLOR_RGBA2BGRA))
    close(load_photo(path), scene, 1)


def test_dark_16_bit_stays_dark():
    assert load_photo(as_bytes(Image.fromarray(np.full((4,4), 200, np.uint16)), 'PNG')).max()<=1


def test_1_bit(tmp_path):
    a = np.eye(9, dtype=bool)
    for format in ('PNG', 'TIFF', 'BMP'):
        close(load_photo(as_bytes(Image.fromarray(a), format)), np.repeat(a[..., None]*np.uint8(255), 3, 2), 0)


def test_cmyk_with_and_without_adobes_inversion(scene):
    cmyk = Image.fromarray(scene).convert('CMYK')
    adobe = as_bytes(cmyk, 'JPEG', quality=100, subsampling=0)
    close(load_photo(adobe), scene, 8)
    at = adobe.index(b'\xff\xee')                                 # the marker APP14 and what it says
    plain = as_bytes(Image.eval(cmyk, lambda v: 255-v), 'JPEG', quality=100, subsampling=0)
    size = struct.unpack('>H', plain[at+2:at+4])[0]
    assert plain[at+4:at+9]==b'Adobe'
    close(load_photo(plain[:at] + plain[at+2+size:]), scene, 8)
    close(load_photo(as_bytes(cmyk, 'TIFF')), scene, 1)


def test_float_tiff(scene, tmp_path):
    for k,(kind,top) in enumerate([(np.float32, 1), (np.float64, 1), (np.float32, 255)]):
        path = tmp_path/f'{k}.tif'
        tifffile.imwrite(path, (scene/255*top).astype(kind), photometric='rgb')
        close(load_photo(path), scene, 1)
    tifffile.imwrite(tmp_path/'grey.tif', grey_of(scene)[..., 0].astype(np.float32)/255)
    close(load_photo(tmp_path/'grey.tif'), grey_of(scene), 1)
    tifffile.imwrite(tmp_path/'heights.tif', np.float32([[-100, 0], [50, 100]]))
    assert load_photo(tmp_path/'heights.tif')[..., 0].tolist()==[[0, 128], [191, 255]]
    tifffile.imwrite(tmp_path/'nan.tif', np.float32([[0, np.nan]]))
    with pytest.raises(UnreadableImage, match='nan.tif: it holds NaN'): load_photo(tmp_path/'nan.tif')


def test_first_frame_of_many(scene, tmp_path):
    other = Image.new('RGB', (64, 48), 'blue')
    for format,kw,tol in [('GIF', {}, 60), ('WEBP', dict(lossless=True), 0), ('PNG', {}, 0), ('TIFF', {}, 0)]:
        close(load_photo(as_bytes(Image.fromarray(scene), format, save_all=True, append_images=[other], **kw)), scene,
              tol)


@pytest.mark.parametrize('shape', [(1,1), (1,3000), (3000,1), (2,2), (1,7)])
@pytest.mark.parametrize('format', ['PNG', 'JPEG', 'GIF', 'TIFF'])
def test_tiny_and_thin(shape, format):
    a = np.full((*shape, 3), 90, np.uint8)
    close(load_photo(as_bytes(Image.fromarray(a), format)), a, 3)
    small = load_photo(as_bytes(Image.fromarray(a), format), max_side=5)
    assert max(small.shape[:2])<=5 and min(small.shape[:2])>=1


@pytest.mark.parametrize('mode',
                         ['1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA', 'CMYK', 'YCbCr', 'HSV', 'I', 'F', 'I;16', 'RGBX'])
def test_pil_images_of_every_mode(mode):
    im = Image.new(mode, (5, 3))
    photo = load_photo(im)
    assert photo.shape==(3,5,3) and photo.dtype==np.uint8 and im.mode==mode


def test_pil_image_is_turned_and_left_alone(scene):
    exif = Image.Exif(); exif[0x0112] = 6
    im = Image.open(io.BytesIO(as_bytes(Image.fromarray(np.rot90(scene)), 'PNG', exif=exif)))
    close(load_photo(im), scene, 0)
    assert im.size==(48, 64)


# ---- arrays

@pytest.mark.parametrize('make, wanted', [
    (lambda a: a, lambda a: a), (lambda a: a.astype(np.float32)/255, lambda a: a),
    (lambda a: a.astype(np.float64)/255, lambda a: a),
    (lambda a: a.astype(np.float16)/255, lambda a: a), (lambda a: a.astype(np.uint16)*257, lambda a: a),
    (lambda a: a.astype(np.int64), lambda a: a),
    (lambda a: a[..., 0], lambda a: np.repeat(a[..., :1], 3, 2)),
    (lambda a: a[..., :1], lambda a: np.repeat(a[..., :1], 3, 2)),
    (lambda a: a[..., 0]>100, lambda a: np.repeat((a[..., :1]>100)*np.uint8(255), 3, 2)),
    (lambda a: a[::-1, ::2], lambda a: a[::-1, ::2])])
def test_arrays(scene, make, wanted): close(load_photo(make(scene)), wanted(scene), 1)


def test_array_is_copied(scene):
    photo = load_photo(scene)
    photo[:] = 0
    assert scene.max()>0
    scene.flags.writeable = False
    load_photo(scene)[:] = 0
    scene.flags.writeable = True


# ---- what cannot be read

def png_header(w, h):
    "The head of a PNG that claims to be w x h"
    def chunk(kind, data): return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind+data))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, 8, 2, 0, 0, 0)) + chunk(b'IDAT',
        zlib.compress(b'\0'*1000)) + chunk(b'IEND', b'')


BAD = {
    'empty.jpg': (b'', 'empty'),
    'notes.png': (b'Buy milk\n', ': text'),
    'utf16.png': ('Milch'.encode('utf-16'), 'not a picture'),
    'page.jpg': (b'%PDF-1.7 ...', 'PDF'),
    'drawing.png': (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', 'SVG'),
    'phone.heic': (b'\0\0\0\x18ftypheic\0\0\0\0mif1heic' + bytes(100), 'HEIC.*JPEG or PNG'),
    'clip.jpg': (b'\0\0\0\x18ftypisom\0\0\0\0' + bytes(100), 'video'),
    'noise.png': (bytes(range(128, 256))*9, 'not a picture'),
    'script.eps': (b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n', 'PostScript'),
    'bomb.png': (png_header(50_000, 50_000), 'pixels'),
    'large.png': (png_header(12_000, 12_000), '12000 x 12000 pixels are more than the 100 million'),
    'huge.bmp': (b'BM' + struct.pack('<IHHI', 100, 0, 0, 54)
                 + struct.pack('<IiiHHIIiiII', 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0), 'pixels'),
    'lying.png': (png_header(500, 500), 'damaged or cut off'),
    'text.png': (as_bytes(Image.new('L', (8, 8)), 'PNG')[:40], 'damaged|not a picture'),
}


@pytest.mark.parametrize('name', BAD)
def test_refused_by_name(tmp_path, name):
    data, says = BAD[name]
    (tmp_path/name).write_bytes(data)
    with pytest.raises(UnreadableImage, match=says) as e: load_photo(tmp_path/name)
    assert str(e.value).startswith(str(tmp_path/name)) and '\n' not in str(e.value)
    with pytest.raises(UnreadableImage, match='^the bytes given: '): load_photo(data)


@pytest.mark.parametrize('format, kw',
                         [('JPEG', {}), ('JPEG', dict(progressive=True)), ('PNG', {}), ('GIF', {}), ('WEBP', {}),
                          ('TIFF', {}),
                                        ('TIFF', dict(compression='tiff_lzw')), ('BMP', {})])
@pytest.mark.parametrize('share', [.3, .6, .9])
def test_truncated(tmp_path, format, kw, share):
    noise = np.random.default_rng(0).integers(0, 255, (64, 80, 3), dtype=np.uint8)
    whole = as_bytes(Image.fromarray(noise), format, **kw)
    path = tmp_path/f'half.{format.lower()}'
    path.write_bytes(whole[:int(len(whole)*share)])
    with pytest.raises(UnreadableImage, match='half'): load_photo(path)


def test_random_damage_raises_nothing_else(scene):
    "Flip bytes at random: a photo comes out, or `UnreadableImage`"
    rng = np.random.default_rng(0)
    for format in ('JPEG', 'PNG', 'GIF', 'WEBP', 'TIFF', 'BMP'):
        good = np.frombuffer(as_bytes(Image.fromarray(scene), format), np.uint8)
        for _ in range(40):
            bad = good.copy()
            bad[rng.integers(0, len(bad), 12)] = rng.integers(0, 256, 12)
            try: assert load_photo(bad.tobytes()).shape[2]==3
            except UnreadableImage: pass


# ---- size limits and side effects

def test_max_pixels_is_checked_before_decoding(monkeypatch):
    data = as_bytes(Image.new('RGB', (100, 90)), 'PNG')
    assert load_photo(data, max_pixels=9000).shape==(90, 100, 3)
    monkeypatch.setattr(ImageFile.ImageFile, 'load', lambda self: pytest.fail('decoded'))
    with pytest.raises(UnreadableImage, match='100 x 90 pixels'): load_photo(data, max_pixels=8999)


def test_max_side(scene):
    large = np.kron(scene, np.ones((20, 20, 1), np.uint8))       # 960 x 1280
    for data in (as_bytes(Image.fromarray(large), 'JPEG', quality=95), as_bytes(Image.fromarray(large), 'PNG'), large):
        photo = load_photo(data, max_side=64)
        assert photo.shape==(48, 64, 3) and np.abs(photo.astype(int)-scene).mean()<3
        assert load_photo(data, max_side=5000).shape==large.shape


def test_jpeg_shrinks_while_it_is_decoded(monkeypatch):
    data = as_bytes(Image.new('RGB', (1600, 1200)), 'JPEG')
    sizes, decode = [], ImageFile.ImageFile.load
    def watched(self): sizes.append(self.size); return decode(self)
    monkeypatch.setattr(ImageFile.ImageFile, 'load', watched)
    assert load_photo(data, max_side=400).shape==(300, 400, 3)
    assert sizes[0]==(400, 300)


def test_no_traces_are_left(scene, recwarn):
    before = Image.MAX_IMAGE_PIXELS
    filters = list(warnings.filters)
    load_photo(as_bytes(Image.new('1', (10_000, 9_500)), 'PNG'))  # 95 million: Pillow would warn
    for data,_ in BAD.values():
        with pytest.raises(UnreadableImage): load_photo(data)
    assert Image.MAX_IMAGE_PIXELS==before and not recwarn.list
    assert list(warnings.filters)==filters


# ---- writing and finding

def test_save_image_round_trip(scene, tmp_path):
    save_image(tmp_path/'a b'/'ü.png', scene)
    close(load_photo(tmp_path/'a b'/'ü.png'), scene, 0)
    save_image(tmp_path/'m.png', np.float32([[0, .5, 1, 2, -1]]))
    with Image.open(tmp_path/'m.png') as im: assert im.mode=='L' and np.asarray(im).tolist()==[[0, 128, 255, 255, 0]]
    save_image(tmp_path/'b.png', np.array([[True, False]]))
    assert load_photo(tmp_path/'b.png')[0, :, 0].tolist()==[255, 0]
    save_image(tmp_path/'q.JPG', scene)
    close(load_photo(tmp_path/'q.JPG'), scene, 20)


@pytest.mark.parametrize('array, says',
                         [(np.float32([[np.nan]]), 'NaN'), (np.zeros((2,2,5)), 'not \\(2, 2, 5\\)'),
                          (np.zeros((0,2)), 'not \\(0, 2\\)'), (np.zeros(3), 'not'),
                          (np.array([[0, 255]]), 'not int64')])
def test_save_image_refuses(tmp_path, array, says):
    with pytest.raises(ValueError, match=f'x.png.*{says}'): save_image(tmp_path/'x.png', array)
    assert not list(tmp_path.iterdir())


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path/'x.bin'
    _write_atomic(path, b'old')
    monkeypatch.setattr('os.replace', lambda *a: (_ for _ in ()).throw(OSError('disk full')))
    with pytest.raises(OSError, match='disk full'): _write_atomic(path, b'new')
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()]==[('x.bin', b'old')]


def test_find_photos(tmp_path):
    for n in ('b.JPG', 'a.png', 'sub/c.webp', 'sub/notes.txt', '.hidden.png', 'sub/._d.jpg'):
        (tmp_path/n).parent.mkdir(exist_ok=True)
        (tmp_path/n).write_bytes(b'x')
    names = lambda ps: [p.relative_to(tmp_path).as_posix() for p in ps]
    assert names(_find_photos(tmp_path))==['a.png', 'b.JPG', 'sub/c.webp']
    found = _find_photos([tmp_path/'sub'/'notes.txt', tmp_path/'b.JPG', str(tmp_path)])
    assert names(found)==['sub/notes.txt', 'b.JPG', 'a.png', 'sub/c.webp']
    with pytest.raises(FileNotFoundError, match='gone: no such'): _find_photos([tmp_path, tmp_path/'gone'])
    (tmp_path/'empty').mkdir()
    with pytest.raises(ValueError, match='empty: no photos there'): _find_photos(tmp_path/'empty')
    with pytest.raises(ValueError, match='no photos'): _find_photos([])


def test_a_picture_that_png_cannot_hold(tmp_path):
    with pytest.raises(ValueError, match='a PNG cannot hold 1100000 x 1 pixels'):
        save_image(tmp_path/'a.png', np.zeros((1, 1_100_000), np.uint8))
    assert not list(tmp_path.iterdir())
