"""Losses, discriminator, balancer and validation metrics of stage 1."""

import math

import numpy as np
import pytest
import torch

from jen1cli.metrics import signals
from jen1cli.training.autoencoder.balancer import Balancer
from jen1cli.training.autoencoder.discriminator import (
    Discriminator,
    Judgement,
    adversarial_loss,
    discriminator_loss,
    feature_loss,
    halves,
)
from jen1cli.training.autoencoder.losses import spectral_loss, waveform_loss
from jen1cli.training.autoencoder.metrics import reconstruction_metrics
from jen1cli.training.autoencoder.spectra import four_signals, magnitudes, mel, mel_bands

RATE = 48_000


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def tune(music):
    return torch.from_numpy(music(1.0))[None]


@pytest.mark.heavy
def test_losses_are_zero_for_the_same_and_rise_with_noise(tune):
    for loss in (waveform_loss, lambda a, b: spectral_loss(a, b, RATE)):
        same, near, far = (
            float(loss(tune + level * noise(*tune.shape), tune)) for level in (0.0, 0.01, 1.0)
        )
        assert same == pytest.approx(0.0, abs=1e-6)
        assert same < near < far


def test_losses_hear_the_side_signal(tune):
    mono = tune.mean(1, keepdim=True).expand_as(tune)
    signals = four_signals(tune)
    assert torch.allclose(signals[:, 2].square() + signals[:, 3].square(),
                          signals[:, 0].square() + signals[:, 1].square(), atol=1e-5)  # fmt: skip
    assert spectral_loss(mono, tune, RATE) > 0.1


def test_losses_of_silence_are_finite_with_finite_gradients():
    found = torch.zeros(1, 2, 4096, requires_grad=True)
    loss = spectral_loss(found, torch.zeros(1, 2, 4096), RATE) + waveform_loss(
        found, torch.zeros(1, 2, 4096)
    )
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(found.grad).all()


@pytest.mark.heavy
def test_losses_of_a_batch_are_the_mean_of_its_items(tune):
    pair = torch.cat([tune, tune.flip(-1)])
    broken = pair + noise(*pair.shape)
    whole = spectral_loss(broken, pair, RATE)
    alone = [spectral_loss(broken[i : i + 1], pair[i : i + 1], RATE) for i in range(2)]
    assert torch.allclose(whole, torch.stack(alone).mean(), rtol=1e-5)


def test_a_tone_lies_in_its_mel_band():
    t = torch.arange(RATE) / RATE
    tone = torch.sin(2 * math.pi * 1000 * t)[None, None]
    spectrum = magnitudes(tone, 2048)
    assert float(spectrum.max()) == pytest.approx(0.5, abs=0.05)
    bands = mel_bands(2048, RATE, 64)
    assert np.allclose(bands.sum(1), 1.0)
    loudest = int(mel(spectrum, RATE, 64)[0].mean(1).argmax())
    centre = float(bands[loudest] @ np.linspace(0, RATE / 2, 1025))
    assert centre == pytest.approx(1000, rel=0.05)


@pytest.mark.parametrize(
    "level", [-10.0, *(pytest.param(x, marks=pytest.mark.heavy) for x in (0.0, 20.0))]
)
def test_metrics_of_a_batch_are_means_of_those_of_its_items(level):
    signal, other = noise(2, 2, 48_000, seed=1), noise(2, 2, 48_000, seed=2)
    back = signal + other * 10 ** (-level / 20)
    found = reconstruction_metrics(back, signal, RATE)
    alone = [reconstruction_metrics(back[i : i + 1], signal[i : i + 1], RATE) for i in range(2)]
    assert found == pytest.approx({n: (alone[0][n] + alone[1][n]) / 2 for n in found})
    assert found["si_sdr"] == pytest.approx(level, abs=0.2)
    assert "width_error" not in reconstruction_metrics(back[:, :1], signal[:, :1], RATE)


def test_metrics_are_those_of_the_evaluation():
    signal, other = noise(1, 2, 48_000, seed=1), noise(1, 2, 48_000, seed=2)
    pair = (signal[0].numpy(), other[0].numpy())
    assert reconstruction_metrics(other, signal, RATE) == {
        "si_sdr": signals.si_sdr(*pair),
        "log_spectral_distance": signals.log_spectral_distance(*pair),
        "mel_distance": signals.mel_distance(*pair, RATE),
        "width_error": signals.width(pair[1]) - signals.width(pair[0]),
    }


def test_width_is_the_level_of_side_against_mid():
    left, right = noise(1, 1, 9000, seed=3), noise(1, 1, 9000, seed=4)
    narrow = torch.cat([left + 0.1 * right, left - 0.1 * right], 1)
    found = reconstruction_metrics(narrow, torch.cat([left, right], 1), RATE)
    assert found["width_error"] == pytest.approx(-20.0, abs=0.6)


def test_balancer_makes_weights_shares():
    """EnCodec 3.4: each loss has its share of the gradient, whatever its scale."""
    waveform = noise(3, 2, 50).requires_grad_()
    balancer = Balancer({"a": 1.0, "b": 3.0})
    losses = {
        "a": (1000.0 * waveform[..., :25].abs()).sum(),
        "b": (0.01 * waveform[..., 25:].abs()).sum(),
    }
    gradient = balancer.gradient(losses, waveform)
    a, b = (part.flatten(1).norm(dim=1).mean() for part in gradient.split(25, dim=-1))
    assert float(a * 3) == pytest.approx(0.25, rel=1e-4)
    assert float(b * 3) == pytest.approx(0.75, rel=1e-4)


def test_balancer_averages_norms_over_steps():
    waveform = noise(1, 1, 10).requires_grad_()
    balancer = Balancer({"a": 1.0})
    for scale in (1.0, 1.0, 10.0):
        gradient = balancer.gradient({"a": (scale * waveform).sum()}, waveform)
    norms = np.array([1.0, 1.0, 10.0]) * math.sqrt(10)
    weights = np.array([0.999**2, 0.999, 1.0])
    average = (norms * weights).sum() / weights.sum()
    assert float(gradient.norm()) == pytest.approx(norms[2] / average, rel=1e-4)


def test_fixed_weights_multiply_the_losses():
    waveform = noise(2, 1, 10).requires_grad_()
    losses = {"a": waveform.sum(), "b": waveform.square().sum()}
    gradient = Balancer({"a": 2.0, "b": 0.5}, balanced=False).gradient(losses, waveform)
    assert torch.allclose(gradient, 2.0 + waveform.detach())


def test_discriminator_judges_channels_apart_at_every_scale(tune):
    torch.manual_seed(0)
    model = Discriminator((512, 256), 4)
    judged = model(tune)
    assert len(judged) == 2
    assert all(judgement.scores.shape[:2] == (2, 1) for judgement in judged)
    assert all(len(judgement.features) == 5 for judgement in judged)
    other = tune.clone()
    other[:, 1] = 0.0
    for before, after in zip(judged, model(other), strict=True):
        assert torch.equal(before.scores[0], after.scores[0])
        assert not torch.equal(before.scores[1], after.scores[1])


def test_adversarial_losses_are_the_hinge_and_relative_features():
    def judgement(score, feature):
        return Judgement(torch.full((2, 1, 3, 3), score), [torch.full((2, 4, 3, 3), feature)])

    real, made = [judgement(0.5, 2.0)], [judgement(-0.25, 3.0)]
    assert float(discriminator_loss(real, made)) == pytest.approx(0.5 + 0.75)
    assert float(adversarial_loss(made)) == pytest.approx(1.25)
    assert float(feature_loss(real, made)) == pytest.approx(0.5)
    joined = Judgement(
        torch.cat([real[0].scores, made[0].scores]),
        [torch.cat([real[0].features[0], made[0].features[0]])],
    )
    assert float(discriminator_loss(*halves([joined]))) == pytest.approx(1.25)
