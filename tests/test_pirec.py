"PI-REC: bad input, the promises of the inputs, training by phases, and what the cards say"
import numpy as np
import pytest
import torch

from sketchbook import pirec
from sketchbook.blocks import count_params
from sketchbook.cli import main
from sketchbook.data import sample_photos, save_image
from sketchbook.training import fit, fit_phases
from sketchbook.weights import available, card, save


@pytest.fixture(scope='module')
def cup(): return pirec._square(sample_photos('coffee')['coffee'])


@pytest.fixture(scope='module')
def net():
    torch.manual_seed(0)
    return pirec.Reconstructor(n=8, blocks=1).eval()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "Thirty-two squares of a photo, and a drawing beside one of them"
    out, rng = tmp_path_factory.mktemp('photos'), np.random.default_rng(0)
    photo = sample_photos('cat')['cat']
    for i in range(32): save_image(out/f'{i:02}.png', pirec._square(photo, 40, rng.random(2), 2))
    save_image(out/'00.sketch.png', np.full((40, 40, 3), 255, np.uint8))
    return out


def small(folder, kind, **kw):
    "A phase with a network that trains in no time"
    return pirec.PirecTask(folder, kind, size=32, n=8, blocks=1, **kw)


@pytest.mark.parametrize('h, w', [(128, 128), (127, 65), (16, 90), (5, 7)])
def test_any_size(net, h, w):
    rng = np.random.default_rng(0)
    edges, colors = (rng.random((h, w)) > .1).astype(float), rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
    picture = pirec.draw(edges, colors, net)
    assert (picture.shape, picture.dtype) == ((h, w, 3), np.uint8)
    assert np.array_equal(picture, pirec.draw(edges, colors, net))


def test_larger_on_request(net): assert pirec.draw(np.zeros((40, 200)), np.zeros((40, 200, 3), np.uint8), net,
                                                   size=200).shape == (40, 200, 3)


def test_networks_have_their_sizes():
    assert count_params(pirec.Reconstructor('paper')) == 10_545_219
    ours, theirs = count_params(pirec.Reconstructor()), count_params(pirec.UNet())
    assert abs(theirs/ours - 1) < .1            # the baseline has as many parameters


def test_a_drawing_becomes_edges():
    page = np.ones((400, 400), np.float32)
    page[100:103,40:360] = 0
    page[200,40:360] = 0                        # one pixel of four hundred must survive, too
    found = pirec._as_edges(page, 100)
    assert found.shape == (100, 100) and set(np.unique(found)) == {0, 1}
    assert all((found[rows] < .5).any(0).sum() >= 76 for rows in (slice(20, 30), slice(45, 55)))
    assert ((found < .5).sum(0) <= 3).all()


def test_domain_repeats_and_follows_the_seed(cup):
    made = [pirec.color_domain(cup, 4, seed=s) for s in (1, 1, *range(2, 12))]
    assert np.array_equal(made[0], made[1]) and any(not np.array_equal(made[0], m) for m in made)


def test_photos_without_their_drawings(folder, tmp_path_factory):
    photos, train, val = pirec._parts(folder)
    assert len(train) + len(val) == 32 and not set(train) & set(val)
    assert not any('.sketch.' in n for n in train + val)
    few = tmp_path_factory.mktemp("few")
    save_image(few/"a.png", np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(ValueError, match="15 photos or more"): pirec._parts(few)


@pytest.mark.parametrize('weights', [dict(l1=1.), dict(style=.1), dict(l1=1., adversarial=.1),
                                     dict(l1=1., feature=.1, style=.1)])
def test_any_terms(folder, tmp_path, weights):
    run = fit(small(folder, 'generating', weights=weights), tmp_path, steps=2, batch_size=2, plot=False)
    assert set(weights) <= set(run.history) and all(np.isfinite(v) for rows in run.history.values() for _, v in rows)
    assert ('adversarial' in run.history) == ('adversarial' in weights)


def test_phases_hand_on(folder, tmp_path):
    "The refinement begins with phase 2, and its painter stays phase 2"
    task = pirec._pirec_task(folder)
    assert list(task) == ["imitation", "generating", "refinement"]
    assert abs(sum(t.share for t in task.values()) - 1) < 1e-9
    phases = {kind: small(folder, kind) for kind in ('generating', 'refinement')}
    runs = fit_phases(phases, tmp_path, steps=4, batch_size=2, plot=False)
    assert runs['refinement'].card['init'] == 'the phase generating'
    painted, painter = runs['generating'].net.state_dict(), runs['refinement'].helpers['painter'].state_dict()
    assert all(torch.equal(painted[k], painter[k]) for k in painted)
    with pytest.raises(ValueError, match='needs weights to start from'):
        fit(small(folder, 'refinement'), tmp_path/'alone', steps=1, plot=False)
    with pytest.raises(ValueError, match='a Reconstructor with n=8 and blocks=1'):
        fit(small(folder, 'refinement'), tmp_path/'other', steps=1, plot=False,
            init=pirec.Reconstructor(n=16, blocks=1).state_dict())


def test_evaluate_own_weights(folder, tmp_path, net, capsys):
    save(net, tmp_path/'mine.safetensors')
    assert main(['evaluate', str(tmp_path/'mine.safetensors'), '--data', str(folder), '--limit', '4']) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ('frechet', 'perceptual', 'ssim', 'psnr', 'color_error', 'edges_kept'))


def test_evaluate_own_u_net(folder, tmp_path, capsys):
    "By this chapter's numbers, though its class belongs to the blocks"
    save(pirec.UNet(n=8), tmp_path/'mine.safetensors', dict(name='pirec-pix2pix'))
    assert main(['evaluate', str(tmp_path/'mine.safetensors'), '--data', str(folder), '--limit', '4']) == 0
    assert 'edges_kept' in capsys.readouterr().out


def test_a_refinement_of_ones_own_is_measured_as_one(folder, tmp_path, net):
    "By its name, as training calls it"
    for name in ('pirec-refinement', 'other'): save(net, tmp_path/f'{name}.safetensors')
    third, second = (pirec.evaluate(tmp_path/f'{name}.safetensors', folder, limit=2)
                     for name in ('pirec-refinement', 'other'))
    assert third['frechet'] != second['frechet']


def test_photos_that_cannot_be_asked_are_left_out(folder, net, tmp_path_factory):
    "One colour, no edges"
    mixed = tmp_path_factory.mktemp('mixed')
    for i, name in enumerate(['val/a.png', 'val/b.png', 'val/c.png', 'd.png']):
        save_image(mixed/name, sample_photos('cat')['cat'] if i != 1 else np.full((50, 50, 3), 9, np.uint8))
    with pytest.warns(UserWarning, match='val/b.png is left out'): found = pirec.evaluate(net, mixed)
    assert found['n'] == 2
    (mixed/'val'/'c.png').unlink()
    with pytest.warns(UserWarning), pytest.raises(ValueError, match='1 of 2 photos can be measured'):
        pirec.evaluate(net, mixed)


def test_evaluate_all(folder, capsys):
    assert main(['evaluate', 'pirec', '--data', str(folder), '--limit', '3']) == 0
    said = capsys.readouterr().out
    assert all(row in said for row in ('colour domain', 'phase 2', 'phase 3', 'L1 alone', 'pix2pix'))
    assert main(['evaluate', 'pirec', '--data', str(folder), '--write-card']) == 2


def test_cards_keep_the_promises():
    "What the chapter claims of the shipped weights"
    names = ['pirec-generating', 'pirec-refinement', 'pirec-l1', 'pirec-pix2pix']
    assert set(names) <= set(available())
    assert sum(card(n)['bytes'] for n in names) < 12e6
    two, three, l1, pix2pix = (card(n)['metrics']['flowers'] for n in names)
    bare = card('pirec-refinement')['metrics']['flowers_colour_domain']
    assert three['frechet'] <= .6*bare['frechet']
    for measure in ('frechet', 'perceptual'):
        assert three[measure] < two[measure] < bare[measure]
        assert three[measure] < min(l1[measure], pix2pix[measure])
    assert three['color_error'] < 12 and three['edges_kept'] > .8
