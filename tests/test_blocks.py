"Blocks: what a learner gains little from"
import numpy as np
import pytest
import torch

from sketchbook.blocks import GANStep, MultiPatchGAN, PatchGAN, PerceptualLoss, _DepthwiseConv


@pytest.mark.parametrize('options, said', [
    (dict(backbone='vgg19'), 'not in the torch cache'),
    (dict(taps=('relu2_2',)), "no layer 'relu2_2': use 0, 1, 2, 3, 4"), (dict(taps=()), 'No layer was chosen'),
    (dict(content=0.), 'No layer was chosen'), (dict(scale='mean'), "scale 'mean'"),
    (dict(taps=(0,), style_taps=(7,), style=1.), 'no layer 7')])
def test_wrong_options_of_the_perceptual_loss(monkeypatch, tmp_path, options, said):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    with pytest.raises(ValueError, match=said): PerceptualLoss(**options)


def test_the_perceptual_loss_never_learns_and_passes_gradients():
    loss = PerceptualLoss('efficientnet-lite0', taps=(2, 0), style_taps=(1,), style=3.).train()
    a, b = torch.rand(2, 1, 48, 64, requires_grad=True), torch.rand(2, 1, 48, 64)
    loss(a, b).backward()
    assert not any(m.training for m in loss.modules()) and a.grad.abs().sum() > 0
    assert all(not p.requires_grad for p in loss.parameters())
    terms = loss.terms(a, b)
    assert loss(a, b) == terms['content'] + 3*terms['style']


def test_a_running_scale_keeps_terms_near_one():
    loss, rng = PerceptualLoss('efficientnet-lite0', scale='running', style=1.), torch.Generator().manual_seed(0)
    for _ in range(3):
        a, b = torch.rand(2, 3, 64, 64, generator=rng), torch.rand(2, 3, 64, 64, generator=rng)
        assert all(.5 < v/4 < 2 for v in loss.terms(a, b).values())
    means = dict(loss.scaled.means)
    with torch.no_grad(): loss(a, b*.1)
    assert loss.scaled.means == means and not any('means' in k for k in loss.state_dict())


@pytest.mark.parametrize('mode', ['bce', 'hinge', 'lsgan'])
def test_one_of_several_discriminators_is_one_discriminator(mode):
    torch.manual_seed(0)
    one, several = PatchGAN(2, nf=4), MultiPatchGAN(2, nf=4, n_layers=(3,))
    several.nets[0].load_state_dict(one.state_dict())
    real, fake, condition = torch.rand(3, 2, 1, 64, 64)
    def losses(net):
        net.zero_grad()
        gan = GANStep(mode, smooth=.9)
        loss, accuracy = gan.loss_D(net, real, fake, condition)
        loss.backward()
        return [loss.item(), accuracy.item(), *[p.grad for p in net.parameters()],
                *gan.loss_G(net, fake, condition, real)]
    assert all(np.array_equal(torch.as_tensor(a).detach(), torch.as_tensor(b).detach())
               for a, b in zip(losses(one), losses(several)))


@pytest.mark.parametrize('ks', [3, 5])
@pytest.mark.parametrize('size', [(12, 16), (12, 15), (7, 8), (9, 5), (2, 1)])
def test_a_zero_in_the_kernel_pads_as_well_as_a_larger_map(ks, size):
    conv, x = _DepthwiseConv(torch.nn.Conv2d(4, 4, ks, stride=2, groups=4, bias=False)), torch.randn(2, 4, *size)
    with torch.no_grad(): quick = conv(x)
    torch.testing.assert_close(quick, conv(x).detach())
