"What public functions say of one wrong value: a sentence of one line, that names the value; by chapter, in one table"
from functools import cached_property
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from sketchbook import app, data, masknet, metrics, palette, pencil, pipeline, pirec, selfsup, sketch2image, sketchnet
from sketchbook import strokes, tom, training, vectorize, virtual, weights
from sketchbook.app import Entry
from sketchbook.data import load_photo, sample_photos, save_image

NAN, INF = float('nan'), float('inf')
PHOTO = 3 + 2       # channels that a network for photos sees
PAGE, WHITE = np.ones((50, 80), np.float32), np.full((64, 64, 3), 255, np.uint8)
cv2.circle(PAGE, (40, 25), 18, 0, 2)


class Given:
    "What the calls are made with, made when it is first asked for"
    def __init__(self, folder): self.folder = folder

    @cached_property
    def cat(self): return np.ascontiguousarray(sample_photos('cat')['cat'][50:170,80:210])

    @cached_property
    def cup(self): return pirec._square(sample_photos('coffee')['coffee'])

    @cached_property
    def maps(self): return sketchnet.line_maps(self.cat, net='sketchnet', device='cpu')

    @cached_property
    def nets(self):
        "Small and untrained"
        torch.manual_seed(0)
        colors = np.array([[1, 1, 1], [.8, .1, .1], [.1, .2, .8]], np.float32)
        made = dict(mask=masknet.MaskNet(2), sketch=sketchnet.SketchNet('shallow', width=.1),
                    tom=tom.Tom(n=8, pretrained=False),
                    palette=palette.Completer(colors, k=3, width=16, pretrained=False),
                    pencil=pencil.Shader(n=8, blocks=1), photo=pencil.Shader(ni=PHOTO, n=8, blocks=1),
                    pirec=pirec.Reconstructor(n=8, blocks=1), selfsup=selfsup.Stylist('art', 8, 8, 64),
                    virtual=virtual.VirtualSketcher())
        return SimpleNamespace(**{k: net.eval() for k, net in made.items()})

    @cached_property
    def photos(self):
        "Folders `photos` and `drawings` of twenty-four pictures, `few` of six and `empty` of none"
        rng, cup = np.random.default_rng(0), sample_photos('coffee')['coffee']
        for i in range(24):
            photo = pirec._square(cup, 70, rng.random(2), rng.uniform(1, 2))
            for name in ('photos', 'few')[:1 + (i < 6)]: save_image(self.folder/name/f'{i:02}.png', photo)
            save_image(self.folder/'drawings'/f'{i:02}.png', sketchnet.coherent_lines(photo))
        (self.folder/'empty').mkdir()
        return self.folder

    @cached_property
    def sketched(self): return selfsup.SketchedPhotos(self.photos/'photos', makers=[sketchnet.coherent_lines])


@pytest.fixture(scope='module')
def given(tmp_path_factory): return Given(tmp_path_factory.mktemp('given'))


def each(call, *cases):
    "Rows of one call with several values: `call(given, value)`, and what the message has in it"
    return [(lambda given, value=value: call(given, value), said) for value, said in cases]


def options(call, said, **values):
    "The same with lists of wrong values by option, and one message, in which `{}` is the option"
    return each(call, *(({k: v}, said.format(k)) for k, vs in values.items() for v in vs))


def draw(g, kw): return sketchnet.draw(g.cat[:40,:40], **{'net': g.nets.sketch, **kw})
def guided(g, kw): return masknet._guided_filter(np.ones((6, 7)), np.zeros((6, 7, 3), np.uint8), **kw)
def score(g, kw):
    return sketchnet.evaluate(g.nets.sketch, [(np.zeros((9, 9, 3), np.uint8), np.zeros((1, 9, 9), bool))], **kw)
def synthesize(g, kw):
    return selfsup.synthesize(**dict(sketch=PAGE, style=[g.cat, g.cup], net=g.nets.selfsup) | kw)
def tom_task(g, kw): return tom.TomTask(g.photos/'photos', g.photos/'drawings', **dict(size=64, n=8) | kw)
def pencil_task(g, kw): return pencil.PencilTask(pencil.FromVectors([PAGE]*9), **kw)


NO_PHOTOS = [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3)),
             np.zeros((8, 8, 3), np.float32), np.zeros((8, 8, 3), bool), np.zeros((8, 8, 3), np.uint16),
             np.zeros((8, 8, 1), np.uint8), np.zeros((2, 8, 8, 3), np.uint8), np.zeros((0, 8, 3), np.uint8), 'cat.jpg',
             None]
NO_MASKS = [(np.full((6, 7), NAN), 'NaN'), (np.full((6, 7), 2.), '0..1'), (np.full((6, 7), -1.), '0..1'),
            (np.zeros((6, 7, 3)), 'shape'), (np.full((6, 7), INF), '0..1'), (np.zeros((0, 4)), 'shape'),
            (np.full((6, 7), 'x'), 'numbers'), (None, 'shape')]
NO_SKETCHES = [(np.full((9, 9), NAN), 'the sketch holds NaN'), (np.full((9, 9), 3.), 'runs from 3 to 3'),
               (np.full((9, 9, 3), NAN), 'NaN'), (np.zeros((0, 9)), r'not \(0, 9\)'),
               (np.zeros((5, 5, 5)), r'not \(5, 5, 5\)'), (np.zeros(50), r'not \(50,\)'),
               (np.array([['a']]), 'numbers'), ([1, 2], 'not list'), (None, 'not NoneType'),
               ('nowhere.png', 'no such file')]
TABLE = {}

TABLE['00 data'] = [
    *each(lambda g, bad: load_photo(bad), *((bad, f'^the array given: .*{said}') for bad, said in [
        (np.float32([[0, np.nan]]), 'NaN'), (np.float32([[0, np.inf]]), 'infinite'), (np.float32([[0, 255]]), '0..1'),
        (np.int64([[-1, 5]]), '0..255'), (np.zeros((3, 8, 9)), 'channels come last'),
        (np.zeros((8, 9, 5)), r'not \(8, 9, 5\)'), (np.zeros(7), r'not \(7,\)'),
        (np.zeros((0, 4)), 'at least one pixel'), (np.zeros((2, 2), complex), 'complex'),
        (np.array([['a']]), 'numbers are wanted')])),
    *each(lambda g, bad: load_photo(bad), (None, 'NoneType'), (7, 'int'), ([[0, 1]], 'list')),
    (lambda g: load_photo(g.folder/'gone.jpg'), 'gone.jpg: no such file'),
    (lambda g: load_photo(g.folder), 'a folder, not a picture'),
    (lambda g: data.augment_pair(g.cup, np.ones((40, 61)), np.random.default_rng(0)), 'does not lie on'),
    (lambda g: data.augment_pair(g.cup, np.ones(g.cup.shape[:2]), np.random.default_rng(0), fill='black'),
     "^There is no fill 'black': choose one of reflect, white")]

TABLE['00b training'] = [
    (lambda g: training._check(g.sketched, 'run', 30, None, workers=10**30),
     '^`workers` should be a whole number from 0 to 1024, not 1000')]

TABLE['00c metrics'] = [
    *each(lambda g, pair: metrics.boundary_scores(*([v] for v in pair)),
          ((np.zeros((5, 5, 3)), np.zeros((1, 5, 5), bool)), r'\(H, W\)'),
          ((np.zeros((5, 6)), np.zeros((1, 5, 5), bool)), r'\(K, H, W\)'),
          ((np.zeros((5, 5)), np.zeros((0, 5, 5), bool)), r'\(K, H, W\)'),
          ((np.full((5, 5), 255.), np.zeros((1, 5, 5), bool)), '0..1'),
          ((np.full((5, 5), NAN), np.zeros((1, 5, 5), bool)), 'NaN')),
    (lambda g: metrics.boundary_scores([np.zeros((5, 5)), np.full((5, 5), NAN)], [np.zeros((1, 5, 5), bool)]*2),
     '^Photo 2 of those to measure: '),
    *each(lambda g, pair: metrics.saliency_scores([pair]),
          ((np.zeros((4, 4)), np.zeros((4, 5))), 'resize'), ((np.zeros((4, 4, 1)), np.zeros((4, 4))), r'\(H, W\)'),
          ((np.full((4, 4), NAN), np.zeros((4, 4))), 'NaN'), ((np.full((4, 4), 255.), np.zeros((4, 4))), '0..1'))]

TABLE['01 masknet'] = [
    *each(lambda g, kw: masknet.MaskNet(**kw),
          (dict(version=3), '^There is no version of MaskNet 3: choose one of 1, 2'),
          (dict(version='2'), "^There is no version of MaskNet '2'"),
          (dict(preset='tiny'), "^There is no preset 'tiny': choose one of book, paper")),
    (lambda g: masknet.predict(np.zeros((8, 8, 3), np.uint8), version=3),
     '^There is no version of MaskNet 3: choose one of 1, 2'),
    *(row for call in (lambda g, photo: masknet.predict(photo, net=g.nets.mask),
                       lambda g, photo: masknet.cut_out(photo, np.ones((8, 8))),
                       lambda g, photo: masknet._guided_filter(np.ones((8, 8)), photo))
      for row in each(call, *((photo, '^A photo is a uint8 array of shape') for photo in NO_PHOTOS))),
    *(row for call in (masknet.soft, masknet.hard, masknet.clean_mask)
      for row in [*each(lambda g, mask, call=call: call(mask, .5), *NO_MASKS),
                  *each(lambda g, t, call=call: call(np.zeros((4, 4)), t), (2, 'at most 1'), (-.1, 'not -0.1'),
                        (NAN, 'not nan'), (None, 'not None'), ('0.5', "softctr should be .*'0.5'"
                                                               if call is masknet.clean_mask else "'0.5'"))]),
    *(row for call in (lambda g, mask: masknet._guided_filter(mask, np.zeros((6, 7, 3), np.uint8)),
                       lambda g, mask: masknet.cut_out(np.zeros((6, 7, 3), np.uint8), mask))
      for row in each(call, (np.ones((7, 6)), 'same size'), *NO_MASKS[:2])),
    *each(guided, (dict(radius=0), 'radius should be a whole number'), (dict(radius=-3), 'not -3'),
          (dict(radius=2.5), 'not 2.5'), (dict(radius='4'), "not '4'"), (dict(radius=10**30), 'at most 1000'),
          (dict(eps=0), 'eps should be more than 0'), (dict(eps=-1e-2), 'not -0.01'), (dict(eps=NAN), 'not nan'),
          (dict(eps=INF), 'not inf'), (dict(eps=None), 'not None'), (dict(side=0), 'side should be at least 1 pixel'),
          (dict(side=.5), 'not 0.5'), (dict(side=NAN), 'not nan'), (dict(side='400'), "not '400'")),
    *each(lambda g, margin: masknet._object_box(np.ones((4, 4)), margin),
          *((m, '^margin should be at least 0, not') for m in (-1, NAN, INF, '1', None)))]

TABLE['02 sketchnet'] = [
    *each(draw, *((kw, said.replace('(', r'\(')) for kw, said in [
        (dict(resolution=-1), 'resolution should be .*, not -1'),
        (dict(resolution=1.5), 'resolution should be .*, not 1.5'),
        (dict(weight='2'), "weight should be .*, not '2'"), (dict(weight=True), 'weight should be .*, not True'),
        (dict(weight=np.array([1, 2])), 'weight should be'), (dict(scales='1'), "scales should be .*, not '1'"),
        (dict(scales=(1, 'x')), "scales should be .*, not 'x'"), (dict(scales=1e-9), 'scales should be .*, not 1e-09'),
        (dict(scales=None), 'scales should be .*, not None'), (dict(tile=NAN), 'tile should be .*, not nan'),
        (dict(tile=INF), 'tile should be .*, not inf'), (dict(tile=[256]), 'tile should be'),
        (dict(tile=16), 'tile should be .*, not 16'), (dict(resolution='2'), "resolution should be .*, not '2'"),
        (dict(resolution=np.array([2])), 'resolution should be'), (dict(gamma=2.2), 'gamma should be .*, not 2.2'),
        (dict(merge='no'), "merge should be .*, not 'no'"), (dict(device='gpu'), '"gpu"'),
        (dict(net='masknet-v2'), 'masknet-v2 holds a MaskNet, but drawing needs a SketchNet'),
        (dict(net=3), 'is a int'), (dict(net=torch.nn.Identity()), 'is a Identity')])),
    (lambda g: draw(g, dict(net=sketchnet.SketchNet(pretrained=False).double())), 'float64'),
    *options(score, '^{} should be', limit=[0, -1, 1.5, '3'], canny_sigma=[NAN], canny_ratio=[3, 0],
             thresholds=[[NAN], 2.5, -1, None]),
    (lambda g: sketchnet.canny(g.cat, 0, 1000, 250), 'low no larger than high, not 1000 and 250'),
    (lambda g: sketchnet.SketchNet('wide'), "no preset 'wide': choose one of book, deep, shallow"),
    (lambda g: sketchnet._Discriminator('wide'), "no preset 'wide': choose one of book, paper"),
    *each(lambda g, tile: sketchnet._ink_probability(g.cat, g.nets.sketch, 'cpu', tile=tile),
          *((t, '^tile should be') for t in (-1, 5, 100.5, True))),
    *each(lambda g, weight: sketchnet._embolden(np.ones((5, 5), np.float32), weight),
          *((w, '^weight should be') for w in (0, -1, 11, NAN))),
    *options(lambda g, kw: sketchnet.coherent_lines(g.cat, **kw), '^{} should be ', sigma=[0], ratio=[1], tau=[2],
             along=[-1], flow_sigma=[NAN], smooth=[-3])]

WRONG_DETAILS = [(wrong, '^detail should be a number from 0 to 1, not ') for wrong in
                 (-.1, 1.01, NAN, INF, True, 'much', None)]
TABLE['02a details'] = [
    *each(lambda g, wrong: sketchnet.draw(g.cat, net='sketchnet', device='cpu', detail=wrong), *WRONG_DETAILS),
    *each(lambda g, wrong: sketchnet.paint(g.maps, wrong), *WRONG_DETAILS)]

TABLE['02b pencil'] = [
    *each(lambda g, kw: pencil.draw(PAGE, net=g.nets.pencil, **kw),
          (dict(patch_size=7), 'should be 0 for no patches, or a whole number of pixels from 32 to 8192, not 7'),
          (dict(patch_size=33.5), 'patch_size should be'), (dict(patch_size=None), 'patch_size should be'),
          (dict(model_size=0), 'model_size should be a whole number of pixels'), (dict(model_size=9000), 'model_size'),
          (dict(shade=2), 'shade should be at least 0 and at most 1, not 2'), (dict(shade=NAN), 'shade should be'),
          (dict(overlap=.9), 'overlap should be at least 0 and at most 0.5, not 0.9'),
          (dict(hatch=1.5), 'hatch should be at least 0 and at most 1, not 1.5'), (dict(hatch=NAN), 'hatch should be'),
          (dict(seed=-1), 'seed should be'), (dict(thickness=1.5), 'thickness should be'),
          (dict(thickness=50), 'thickness should be a whole number of pixels, at least -3 and at most 9, not 50'),
          (dict(device='abacus'), 'Device "abacus" is unknown')),
    *each(lambda g, kw: pencil.extract_lines(g.cat, **kw),
          (dict(source='pen'), "no source 'pen': choose one of coherent, xdog, dodge, sketchnet"),
          (dict(detail=2), 'detail should be'), (dict(detail=NAN), 'detail should be'),
          (dict(blacks='yes'), 'blacks should be True or False'), (dict(thickness=50), 'thickness should be'),
          (dict(mask=np.ones((3, 3))), r'The mask is \(3, 3\) but the photo \(120, 130\)'),
          (dict(mask=np.full((120, 130), NAN)), 'The mask holds NaN'),
          (dict(mask=np.ones((120, 130, 3))), r'A mask has the shape \(H, W\)')),
    (lambda g: pencil.draw_photo(g.cat, np.ones((3, 3)), net=g.nets.photo), r'The mask is \(3, 3\)'),
    *each(lambda g, kw: pencil.pencil(g.cat, net=g.nets.pencil, **kw),
          (dict(via='pen'), "no way via 'pen': choose one of photo, lines, cohe"),
          (dict(via='coherent', detail=2, mask=False), 'detail should be'),
          (dict(via='coherent', mask='no'), 'mask should be True or False')),
    *each(lambda g, kw: pencil.Shader(**kw), (dict(preset='huge'), "preset 'huge': choose one of book, paper"),
          (dict(n=0), 'n should be'), (dict(blocks=0), 'blocks should be'), (dict(ni=0), 'ni should be'),
          (dict(ni='a'), 'ni should be')),
    *each(pencil_task, (dict(weights=dict(vgg=1.)), "no term 'vgg': use l1, adversarial, feature, style, unpaired"),
          (dict(weights=dict(l1=-1.)), 'the weight of l1 should be'), (dict(weights={}), 'nothing to learn'),
          (dict(weights=dict.fromkeys(pencil._WEIGHTS, 0)), 'nothing to learn'), (dict(size=50), 'size should be'),
          (dict(size=0), 'size should be'), (dict(size=32), 'size should be'), (dict(lr=0), 'lr should be'),
          (dict(n=0), 'n should be'), (dict(overlaps=2), 'overlaps should be'), (dict(net='vgg'), 'vgg'),
          (dict(odds=[1, 2]), 'odds'), (dict(odds=[-1]), 'odds')),
    (lambda g: pencil.FromVectors([]), 'drawing'),
    *each(lambda g, limit: pencil.FromVectors([PAGE], limit=limit), (0, 'limit should be'), (-3, 'limit should be')),
    (lambda g: pencil.FromVectors([g.cat]).pair(0, np.random.default_rng(0)), 'a sketch should be grey'),
    *(row for read in (lambda g, given: pencil.draw(given, net=g.nets.pencil), lambda g, given: pencil.as_lines(given),
                       lambda g, given: pencil.extract_lines(given))
      for row in each(read, *((sketch, said.replace('the sketch holds ', '')) for sketch, said in NO_SKETCHES))),
    (lambda g: pencil.draw(PAGE, net=masknet.MaskNet(1, 'paper')),
     'a MaskNet, but pencil drawing needs a Shader or a PencilUNet'),
    *each(lambda g, make: pencil.draw(PAGE, net=make(g)), *((make, 'this network draws photos, see `draw_photo`')
          for make in (lambda g: g.nets.photo, lambda g: pencil.PencilUNet(PHOTO, 8)))),
    *each(lambda g, make: pencil.draw_photo(g.cat, net=make(g)), *((make, 'this network draws lines, see `draw`')
          for make in (lambda g: g.nets.pencil, lambda g: pencil.PencilUNet(n=8))))]

TABLE['02c strokes'] = [
    (lambda g: strokes.Strokes(['a'], 10, 10), 'not of str'),
    (lambda g: strokes.Strokes([], None, 10), "paper's height"),
    (lambda g: strokes.Stroke(np.zeros((2, 3, 2)), np.ones(3)), '4, 2'),
    (lambda g: strokes.Stroke(np.zeros((2, 4, 2)), np.ones(2)), '3 widths')]

TABLE['02e virtual'] = each(
    lambda g, kw: virtual.virtual(PAGE, **dict(net=g.nets.virtual) | kw), (dict(rounds=0), 'rounds'),
    (dict(steps=-1), 'steps'), (dict(min_length=NAN), 'min_length'), (dict(threshold='1'), 'threshold'),
    (dict(net=''), 'weights'), (dict(net=3), 'VirtualSketcher'), (dict(net='no-such'), 'no-such'),
    (dict(net='masknet-v2', device='cpu'), 'masknet-v2 holds a MaskNet, but drawing needs a VirtualSketcher'))

TABLE['03 vectorize'] = [
    (lambda g: vectorize.vectorize(PAGE, method='potrace'), "no method 'potrace': choose one of trace, virtual"),
    (lambda g: vectorize.vectorize(PAGE, size=0), 'size'),
    *options(lambda g, kw: vectorize.trace(PAGE, **kw), '{}', threshold=[128, NAN, '1'], tolerance=[0, NAN, '1'],
             min_length=['1', INF], max_turn=[-1, NAN])]

TABLE['04 sketch2image'] = [
    *each(lambda g, kw: sketch2image.complete_joint(PAGE, **kw),
          (dict(seed=-1), 'seed should be .*, not -1'), (dict(net=torch.nn.Linear(2, 2)), 'a Linear'),
          (dict(net='sketch2image'), 'sketch2image holds a Completer'), (dict(device='nonsense'), '"nonsense"')),
    (lambda g: sketch2image.JointTask([], ('prayer',)), "'prayer' is no fix"),
    *each(lambda g, some: sketch2image._measure(None, *some), (([], None), 'no pairs'), (([1], None), 'only one pair'),
          (('simple', 1), '2 or more'))]

TABLE['04a palette'] = [
    *each(lambda g, bad: palette.complete(bad, g.nets.palette), (np.full((9, 9), NAN), 'NaN'),
          (np.full((9, 9), 7.), 'runs from'), (np.zeros((0, 4)), 'shape'),
          ((PAGE > .5).astype(np.uint8), 'only 0 and 1')),
    *each(lambda g, kw: palette.complete(PAGE, **{'net': g.nets.palette, **kw}),
          (dict(regions=None), 'regions should be .*, not None'), (dict(regions=2), 'regions should be .*, not 2'),
          (dict(seed=-1), 'seed should be .*, not -1'), (dict(seed=1.5), 'seed should be .*, not 1.5'),
          (dict(seed='a'), "seed should be .*, not 'a'"), (dict(hint=5), 'hint 5'), (dict(hint=True), 'hint True'),
          (dict(hint=[['tree']]), "hint ..tree"), (dict(hint=b'#FF0000'), "hint b'#FF0000'"),
          (dict(device='nonsense'), '"nonsense"'), (dict(net=torch.nn.Linear(2, 2)), 'a Linear'),
          (dict(net='sketch2image-paper'), 'sketch2image-paper holds a JointGAN'),
          (dict(hint='blue'), "'blue' is neither")),
    (lambda g: palette.Completer(head='hsv'), "no head 'hsv': choose one of palette, rgb")]

TABLE['04aa tom'] = [
    *each(lambda g, kw: tom.sketch_photo(g.cat, **kw),
          (dict(style=3), 'style should be a whole number, at least 0 and at most 2, not 3'),
          (dict(style=-1), 'style should be'), (dict(style=True), 'style should be'),
          (dict(style=1.5), 'style should be'), (dict(style='nothing'), "No weights are called 'nothing'"),
          (dict(threshold=2), 'threshold should be at least 0 and at most 1, not 2'),
          (dict(threshold=NAN), 'threshold should be'), (dict(threshold='dark'), 'threshold should be'),
          (dict(threshold=True), 'threshold should be'),
          (dict(size=8), 'size should be a whole number of pixels, at least 16 and at most 8192, not 8'),
          (dict(size=20.5), 'size should be'), (dict(size='large'), 'size should be'),
          (dict(size=9000), 'size should be'), (dict(device='abacus'), 'Device "abacus" is unknown'),
          (dict(style='pencil'), 'pencil holds a Shader, but sketch_photo needs a Tom'),
          (dict(style=torch.nn.Conv2d(3, 1, 1)), 'the network is a Conv2d, but sketch_photo needs a Tom')),
    (lambda g: tom.sketch_photo(g.cat, weights.save(g.nets.mask, g.folder/'mask.safetensors')),
     'mask.safetensors holds a MaskNet, but sketch_photo needs a Tom'),
    *each(lambda g, photo: tom.sketch_photo(photo, g.nets.tom),
          (np.full((9, 9, 3), NAN), 'NaN'), (np.zeros((0, 5, 3), np.uint8), r'not \(0, 5, 3\)'),
          ([1, 2], 'not list'), (None, 'not NoneType'), ('nowhere.png', 'nowhere.png: no such file'),
          (np.full((9, 9), 255.), r'should be 0\.\.1')),
    *each(tom_task, (dict(size=50), 'size should be a multiple of 32 pixels, 64 or more, not 50'),
          (dict(size=32), 'size should be'), (dict(size='large'), 'size should be'),
          (dict(lr=0), 'lr should be more than 0 and at most 1, not 0'), (dict(lr=NAN), 'lr should be'),
          (dict(momentum=1), 'momentum should be at least 0 and at most 0.9999'),
          (dict(momentum=-.1), 'momentum should be'), (dict(styles=0), 'styles should be a whole number, at least 1'),
          (dict(styles=11), 'styles should be'), (dict(styles=1.5), 'styles should be'),
          (dict(weights=dict(vgg=1.)), "no term 'vgg': use content, gram, adversarial"),
          (dict(weights=dict(gram=-1.)), 'the weight of gram should be at least 0, not -1'),
          (dict(weights={}), 'all weights of the loss are 0: there is nothing to learn'),
          (dict(weights=dict(content=0.)), 'nothing to learn')),
    *each(lambda g, names: tom.TomTask(*(g.photos/n if n else [] for n in names)),
          (('drawings', 'photos'),
           r'\d\d% of the photos are light paper and .*: the two folders seem to have changed places'),
          (('few', 'drawings'),
           'few: there are 6 photos to train on and 0 to validate on; 15 photos or more are right'),
          (('empty', 'drawings'), 'empty: no photos in it'), (('photos', 'empty'), 'empty: no photos in it'),
          (('photos', None), 'there is no folder of sketches')),
    (lambda g: tom.TomTask(g.photos/'photos', [g.photos/'drawings', g.photos/'nowhere']),
     'nowhere: no such file or folder'),
    *each(lambda g, share: tom.strong_edges(g.cat, share),
          *((s, '^share should be at least 0.001 and at most 1') for s in (0, 2, True, NAN, 'some')))]

TABLE['04b selfsup'] = [
    *each(lambda g, kw: selfsup.configuration(**kw),
          (dict(name='celeba'), "no configuration 'celeba': choose one of art, face, shoe"),
          (dict(name=None), 'configurat'), (dict(preset='huge'), "no preset 'huge': choose one of book, paper"),
          (dict(kind='cat'), "no kind of refiner 'cat'"),
          (dict(objective='vgg'), "no objective 'vgg': choose one of percep"),
          (dict(size=100), 'size should be 64, 128, 256 or 512 pixels, not 100'), (dict(size='64'), 'size should be'),
          (dict(size=0), 'size should be'), (dict(size=True), 'size should be'),
          (dict(preset='paper', size=128), 'size should be 256 or 512 pixels with the preset paper, not 128'),
          (dict(n=12), 'n should be a multiple of 8 channels, not 12'),
          (dict(n=0), 'n should be a whole number of channels'), (dict(n=True), 'n should be'),
          (dict(n=8.5), 'n should be'), (dict(n_refine=12), 'n_refine should be a multiple')),
    *each(synthesize, (dict(mix='sum'), "no mix 'sum': choose one of mean, mosaic"),
          (dict(refine='no'), "refine should be True or False, not 'no'"), (dict(refine=1), 'refine should be'),
          (dict(seed=-1), 'seed should be a whole number, at least 0'), (dict(seed=1.5), 'seed should be'),
          (dict(seed=True), 'seed should be'), (dict(seed=None), 'seed should be'),
          (dict(seed=2**63), 'seed should be'), (dict(device='abacus'), 'Device "abacus" is unknown'),
          (dict(net='nothing'), "No weights are called 'nothing'"),
          *((dict(net=net), f'{said}, but painting .* needs a Stylist or an Autoencoder') for net, said in
            [('pencil', 'pencil holds a Shader'), (torch.nn.Conv2d(1, 1, 1), 'the network is a Conv2d'),
             (3, 'the network is a int')])),
    *options(synthesize, '{} should be 2 numbers of at least 0 but not all 0, one a style photo, not',
             shares=[[1], [1, 2, 3], 1, [0, 0], [-1, 2], [NAN, 1], [INF, 1], 'ab', ['a', 'b'], [[1], [2]],
                     [[1], [2, 3]], {'a': 1, 'b': 2}, [None, 1]]),
    (lambda g: synthesize(g, dict(style=g.cat, shares=[1, 2])), r'shares should be 1 number of .*, not \[1, 2\]'),
    (lambda g: synthesize(g, dict(net=weights.save(g.nets.mask, g.folder/'mask.safetensors'))),
     'mask.safetensors holds a MaskNet, but painting .* needs a Stylist or an Autoencoder'),
    *each(lambda g, sketch: synthesize(g, dict(sketch=sketch)), *NO_SKETCHES, *((s, 'the sketch is blank: draw some '
          'lines, darker than the paper') for s in (np.ones((40, 50)), np.zeros((40, 50)), WHITE,
                                                    np.ones((1, 1), bool), np.full((9, 9), .95)))),
    *each(lambda g, style: synthesize(g, dict(style=style)),
          ([], 'there is no style photo: name one or several'), ((), 'there is no style photo'),
          (None, 'not NoneType'), (['nowhere.png'], 'nowhere.png: no such file'), ({'a': 1}, 'not dict'),
          (np.ones((2, 5, 5, 3)), r'not \(2, 5, 5'), (np.full((5, 5, 3), NAN), 'NaN')),
    (lambda g: synthesize(g, dict(style=[g.cat]*5, mix='mosaic')), 'a mosaic takes 1 to 4 photos, not 5'),
    *each(lambda g, kw: selfsup._as_sketch(g.cat, **kw),
          (dict(by='pen'), "no way to sketch 'pen': choose one of tom, sketchnet, coherent"),
          (dict(device='abacus'), 'Device "abacus" is unknown')),
    *options(lambda g, kw: selfsup._as_sketch(g.cat, **kw),
             '^{} should be a whole number of pixels, at least 16 and at most 8192, not',
             size=[0, -5, 8, 64.5, True, 'large', None]),
    *each(lambda g, kw: selfsup.style_matrix(**dict(sketches=[PAGE], styles=[g.cat], net=g.nets.selfsup) | kw),
          *((dict(cell=c), '^cell should be a whole number of pixels, at least 32 and at most 1024, not')
            for c in (0, -4, 33.5, 'large', 5000)),
          (dict(styles=[]), 'a matrix needs one sketch and one style photo at least'),
          (dict(sketches=[]), 'a matrix needs'), (dict(sketches=[np.ones((9, 9))]), 'the sketch is blank'),
          (dict(seed=-1), 'seed should be')),
    *(row for kind in (selfsup.AutoencoderTask, selfsup.RefinerTask)
      for row in each(lambda g, kw, kind=kind: kind(g.sketched, selfsup.configuration('art', size=64, n=8), **kw),
                      (dict(lr=0), 'lr should be more than 0 and at most 1, not 0'), (dict(lr=2), 'lr should be'),
                      (dict(lr=NAN), 'lr should be'), (dict(weights=dict(vgg=1.)), "the loss has no term 'vgg': use "),
                      (dict(weights=dict(pixel=-1.)), 'the weight of pixel should be at least 0, not -1'),
                      (dict(weights={}), 'nothing to learn'))),
    (lambda g: selfsup.SketchedPhotos(g.photos/'empty', makers=[sketchnet.coherent_lines]), 'empty: no photos in it'),
    *each(lambda g, limit: selfsup.SketchedPhotos(g.photos/'photos', makers=[sketchnet.coherent_lines], limit=limit),
          (0, '^limit should be a whole number, at least 1'), *((v, '^limit should be') for v in (-1, 1.5, True)))]

TABLE['05 pirec'] = [
    (lambda g: pirec.edges(g.cup, 0), 'sigma should be at least 0.1'),
    (lambda g: pirec.edges(g.cup, NAN), 'sigma should be'), (lambda g: pirec.edges(g.cup, size=-1), 'size should be'),
    *each(lambda g, kw: pirec.color_domain(g.cup, **kw), (dict(k=0), 'k should be a whole number'),
          (dict(k=2.5), 'k should be a whole number'), (dict(blur=0), 'blur should be'),
          (dict(seed=1.5), 'seed should be')),
    (lambda g: pirec.color_domain(np.zeros((50, 50, 3), np.uint8)), 'at most 1, the number'),
    (lambda g: pirec._as_edges(g.cup), 'sketch should be grey'),
    (lambda g: pirec._as_edges(g.cup[...,0], ink=5), 'ink should be'),
    *each(lambda g, kw: pirec.Reconstructor(**kw), (dict(preset='huge'), "preset 'huge': choose one of book, paper"),
          (dict(n=-8), 'n should be'), (dict(n=12), 'multiple of 8'), (dict(blocks=0), 'blocks should be')),
    *each(lambda g, kw: pirec.PirecTask('nowhere', **kw), (dict(kind='painting'), "no phase 'painting'"),
          (dict(size=50), 'multiple of 32'), (dict(weights=dict(vgg=1.)), "no term 'vgg'"),
          (dict(weights=dict(l1=-1.)), 'the weight of l1'), (dict(weights={}), 'nothing to learn'),
          (dict(lr=0), 'lr should be')),
    (lambda g: pirec._square(g.cup, 0), 'size should be'), (lambda g: pirec._square(g.cup, zoom=.5), 'zoom should be'),
    (lambda g: pirec.edges_kept(g.cup, pirec.edges(g.cup)[:50]), 'should be of one size'),
    (lambda g: pirec.edges_kept(g.cup, np.ones((128, 128))), 'blank'),
    (lambda g: pirec.color_error(g.cup, g.cup[:50]), 'should be of one size'),
    *(row for paint in (pirec.draw, pirec.refine)
      for row in each(lambda g, drawn, paint=paint: paint(*drawn, g.nets.pirec),
                      ((np.zeros((64, 64)), WHITE[:,:60]), '64 x 64 pixels and the colours 60 x 64'),
                      ((np.zeros((64, 64, 3)), WHITE), 'should be grey'), ((np.ones((64, 64)), WHITE), 'blank'),
                      ((np.zeros((64, 200)), np.zeros((64, 200, 3), np.uint8)), 'larger than size=128'),
                      ((np.full((64, 64), NAN), WHITE), 'NaN'))),
    (lambda g: pirec.draw(pirec.edges(g.cup), g.cup, masknet.MaskNet(1, 'paper')), 'needs a Reconstructor')]

TABLE['06 pipeline'] = [
    *options(lambda g, kw: pipeline.Pipeline(**kw), '^{} should be .*, not ', resolution=[-1, 2.5, True, 848],
             softctr=[2, NAN, '0.5'], mask_version=[3, 2.0, True], mask_mode=['medium', ['soft']],
             frame=['both', None, ['photo']], gamma=['False'], merge=[1], size=[0], max_side=[10**6],
             min_side=[0, 1.5, None],
             method=['magic', ['trace']]),
    (lambda g: pipeline.Pipeline(frame='object', mask=False), '^frame should be .*, not '),
    (lambda g: pipeline.round_trip(np.full((200, 200, 3), 128, np.uint8), pipeline.Pipeline(resolution=0, mask=False)),
     'nothing was drawn')]

TABLE['06b app'] = [
    *each(lambda g, given: app.app(given), ([], 'there is no explorer'),
          ([Entry('a', '.', 'b', 'c', ('no-such-weights',))], 'there is no explorer'),
          (['explore_masks'], 'should be of the class Entry, not str'),
          ([Entry('a', '.', 'b', 'c'), Entry('a', '.', 'd', 'e')], "two entries have the title 'a'")),
    *options(lambda g, kw: app._serve(**kw), '^{} should be a whole number from 1 to 65535',
             port=[0, -1, 65536, 8866.5, True, 'eight'])]


@pytest.mark.parametrize('call, said', [pytest.param(*row, id=f'{chapter}-{i}') for chapter, rows in TABLE.items()
                                        for i, row in enumerate(rows)])
def test_one_sentence_says_what_is_wrong(given, call, said):
    with pytest.raises((ValueError, FileNotFoundError), match=said) as e: call(given)
    assert '\n' not in str(e.value)


def test_errors_have_a_class_of_their_own(given):
    with pytest.raises(pipeline.SettingError): pipeline.Pipeline(resolution=-1)
    with pytest.raises(data.UnreadableImage): load_photo(None)
    with pytest.raises(data.UnreadableImage): load_photo(given.folder/'nothing.png')
    with pytest.raises(weights.WeightsError): weights.load('no-such-network')


def test_a_choice_may_be_a_number_of_numpy_but_no_bool():
    assert masknet.MaskNet(np.int64(2)).config['version'] == 2
    with pytest.raises(ValueError, match='There is no version of MaskNet True'): masknet.MaskNet(True)
