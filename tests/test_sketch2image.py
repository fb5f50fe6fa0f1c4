"Joint images: what a learner gains little from, such as bad input and the COCO route"
import json

import cv2
import numpy as np
import pytest
import torch

from sketchbook import sketch2image as s2i
from sketchbook.cli import main
from sketchbook.data import JointImages, save_image
from sketchbook.drawings import _COLORS, OpenMojiPairs, SimpleSet, _SvgViews
from sketchbook.drawings import _draw_animal, _draw_flower, _draw_shape, _draw_ship, _draw_tree
from sketchbook.training import fit
from sketchbook.weights import save


@pytest.fixture(scope='module')
def owl():
    pairs = OpenMojiPairs('val', size=64)
    return pairs[pairs.ids.index('1F989')][0]


@pytest.fixture(scope='module', params=['inverted', 'original'])
def net(request):
    torch.manual_seed(0)
    return (s2i.JointGAN(nf=4) if request.param == 'inverted' else s2i.OriginalGenerator(1/16, dense=False)).eval()


@pytest.mark.parametrize('shape', [(1, 1), (10, 300), (65, 63)])
def test_any_size_comes_back_at_its_size(net, shape):
    page = np.ones(shape, np.float32)
    page[shape[0]//2,:] = 0
    picture = s2i.complete_joint(page, net)
    assert picture.shape == (*shape, 3) and picture.dtype == np.uint8


def test_seeds_are_starts_of_the_inversion(owl):
    net = s2i.JointGAN(nf=4)
    a, b, c = (s2i.complete_joint(owl, net, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(a, b) and not np.array_equal(a, c)
    assert all(m.training for m in net.modules())               # left as it was


def test_thin_lines_of_a_large_page_survive_the_way_down():
    page = np.ones((1024, 1024), np.float32)
    cv2.circle(page, (512, 512), 300, 0, 2)
    assert s2i._on_page(page).min() < .35 and cv2.resize(page, (64, 64), interpolation=cv2.INTER_AREA).min() > .6


def test_a_sketch_of_64_pixels_reaches_the_network_unchanged(owl): assert np.array_equal(s2i._on_page(owl), owl)


@pytest.fixture
def coco(tmp_path):
    "Two photos there, one not; objects of two classes, one of them too small"
    rng = np.random.default_rng(0)
    for n in ('a', 'b'): save_image(tmp_path/'photos'/f'{n}.png', rng.integers(0, 256, (200, 300, 3), dtype=np.uint8))
    images = [dict(id=i, file_name=f'{n}.png', width=300, height=200) for i, n in enumerate('abc', 1)]
    def box(i, image, kind, x, y, w, h):
        return dict(id=i, image_id=image, category_id=kind, bbox=[x, y, w, h], area=w*h, iscrowd=0,
                    segmentation=[[x, y, x+w, y, x+w, y+h, x, y+h]])
    objects = [box(1, 1, 1, 20, 20, 160, 80), box(2, 2, 2, 30, 40, 90, 120), box(3, 3, 1, 10, 10, 100, 100),
               box(4, 1, 1, 5, 5, 20, 20)]
    kinds = [dict(id=1, name='bus'), dict(id=2, name='person')]
    (tmp_path/'all.json').write_text(json.dumps(dict(images=images, annotations=objects, categories=kinds)))
    return tmp_path


def test_coco_to_joint_images_to_a_training_set(coco):
    with pytest.warns(UserWarning, match='1 objects'): pairs = s2i.CocoJoint(coco/'all.json', coco/'photos')
    assert len(pairs) == 2 and pairs.missing == 1 and sorted(pairs.labels) == ['bus', 'person']
    sketch, picture = pairs[pairs.labels.index('bus')]
    wide, high = ((picture.min(-1) < 250).any(a).sum() for a in (0, 1))
    assert sketch.shape == (64, 64) and picture.shape == (64, 64, 3) and abs(wide/high - 2) < .2
    assert s2i.write_joint(pairs, coco/'joint') == 2 and len(JointImages(coco/'joint')) == 2
    views, about = s2i._training_views(coco/'joint')
    sketch, picture = views.view(0, np.random.default_rng(0))
    assert sketch.shape == (64, 64) and picture.shape == (64, 64, 3) and about['data'] == 'joint'


def test_classes_that_do_not_exist(coco):
    with pytest.raises(ValueError, match='zebra'): s2i.CocoJoint(coco/'all.json', coco/'photos', 'zebra')


@pytest.mark.parametrize('make', [lambda v: s2i.JointTask(v, width=1/64),
                                  lambda v: s2i.JointTask(v, s2i._FIXES, width=1/64),
                                  lambda v: s2i._JointGANTask(v, nf=4)])
def test_every_task_trains(make, tmp_path):
    run = fit(make(_SvgViews(SimpleSet('train', 6))), tmp_path, steps=3, batch_size=2, plot=False, progress=False)
    assert run.step == 3 and all(torch.isfinite(p).all() for p in run.net.parameters())


def test_evaluate_a_file_by_the_chapter_of_its_card(tmp_path, capsys):
    save(s2i.OriginalGenerator(1/16, dense=False), tmp_path/'mine.safetensors')
    assert main(['evaluate', str(tmp_path/'mine.safetensors'), '--data', 'simple', '--limit', '6', '--json']) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores['n'] == 6
    named = {'cosine', 'perceptual', 'ssim', 'frechet', 'class_accuracy', 'backbone', 'perceptual_backbone'}
    assert named <= scores.keys()


def test_no_drawing_of_a_kind_leaves_its_page():
    for draw in (_draw_shape, _draw_animal, _draw_tree, _draw_flower, _draw_ship):
        for seed in range(40): assert 1 <= len(draw(np.random.default_rng(seed))) < 25
    corners = [SimpleSet('train', 60)[i][1] for i in range(60)]
    assert np.mean([p[0].min() == 255 and p[-1].min() == 255 for p in corners]) > .9


def test_one_bad_object_does_not_stop_the_others(tmp_path, owl):
    class Pairs:
        def __len__(self): return 3
        def __getitem__(self, i):
            if i == 1: raise ValueError('its outline cannot be read')
            return owl, np.zeros((64, 64, 3), np.uint8)
    with pytest.warns(UserWarning, match='Pair 1 is left out: its outline'):
        assert s2i.write_joint(Pairs(), tmp_path) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ['00000.png', '00002.png']


def test_one_broken_joint_image_is_named_and_the_rest_is_used(tmp_path):
    pairs = SimpleSet('val', 4)
    s2i.write_joint([pairs[i] for i in range(4)], tmp_path)
    save_image(tmp_path/'square.png', np.zeros((64, 64, 3), np.uint8))
    with pytest.warns(UserWarning, match='square.png: a joint image is twice as wide .*left out'):
        views, _ = s2i._training_views(tmp_path)
    assert len(views) == 4
    def white(sketch): return np.full((*sketch.shape, 3), 255, np.uint8)
    with pytest.warns(UserWarning, match='square.png'): assert s2i._measure(white, tmp_path)['n'] == 4
    for p in tmp_path.glob('0*.png'): p.unlink()
    with pytest.warns(UserWarning), pytest.raises(ValueError, match='no pair that can be read'):
        s2i._training_views(tmp_path)


def test_part_of_the_simple_set_has_all_its_classes(monkeypatch):
    "The classes alternate, so equal steps through the set would meet three of them, or one alone"
    monkeypatch.setattr(s2i, '_picture_scores', lambda sketches, pictures, truths, labels: sorted(labels))
    for n in (60, 100):
        labels = s2i._measure(lambda s: s, 'simple', n)
        assert len(labels) == n and {*labels} == {*_COLORS} and labels == s2i._measure(lambda s: s, 'simple', n)


def test_pages_of_the_explorer():
    pages = s2i._example_pages(SimpleSet('val', 36))
    assert len(pages) == 7 and (pages.pop('empty page') == 1).all() and all(p.min() < .5 for p in pages.values())
