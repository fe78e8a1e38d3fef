import dataclasses

import pytest
import torch
from torch import nn

from jen1cli.config import DiffusionConfig
from jen1cli.training.diffusion.objective import Objective, SubBatch, loss_weight
from jen1cli.training.recipes import RECIPES

PLAIN = RECIPES["jen1"].diffusion
MIN_SNR = dataclasses.replace(PLAIN, loss_weight="min-snr")


class Spy(nn.Module):
    """Answers with zeros, or with what it is told; remembers how it was called."""

    def __init__(self):
        super().__init__()
        self.calls = []
        self.answer = None

    def forward(self, x_t, t, *, context, text, text_mask, causal):
        self.calls.append((x_t, t, context, text, text_mask, causal))
        return torch.zeros_like(x_t) if self.answer is None else self.answer


def make_part(batch=4, causal=False, channels=3, frames=10):
    generator = torch.Generator().manual_seed(batch)

    def normal(*shape):
        return torch.randn(*shape, generator=generator)

    return SubBatch(
        latent=4.0 * normal(batch, channels, frames),
        eps=normal(batch, channels, frames),
        t=torch.linspace(0.1, 1.0, batch),
        keep_mask=torch.arange(frames).expand(batch, 1, frames) < 4,
        text=normal(batch, 5, 6),
        text_mask=torch.ones(batch, 5, dtype=torch.bool),
        null=torch.arange(batch) % 2 == 0,
        causal=causal,
    )


def test_network_sees_exactly_the_batch():
    """Line 3 of paper.md section 13: no guidance, no doubling on the loss path."""
    spy, parts = Spy(), [make_part(4), make_part(2, causal=True)]
    losses = Objective(spy, DiffusionConfig(), PLAIN)(parts)
    assert [len(loss) for loss in losses] == [4, 2]
    assert len(spy.calls) == 2
    for call, part in zip(spy.calls, parts, strict=True):
        x_t, t, context, text, text_mask, causal = call
        assert x_t.shape == part.latent.shape
        assert torch.equal(t, part.t)
        assert torch.equal(text, part.text)
        assert torch.equal(text_mask, part.text_mask)
        assert causal is part.causal
        kept = torch.where(part.keep_mask, part.latent, 0.0)
        assert torch.equal(context, torch.cat([kept, part.keep_mask.float()], dim=1))


@pytest.mark.parametrize("prediction", ["eps", "v"])
def test_perfect_network_has_no_loss(prediction):
    """Line 14: the target is made of z_0, each item at its own time, for batches too."""
    part, spy = make_part(4), Spy()
    objective = Objective(spy, DiffusionConfig(prediction=prediction), PLAIN)
    alpha = objective.schedule.alpha(part.t)[:, None, None]
    sigma = objective.schedule.sigma(part.t)[:, None, None]
    spy.answer = part.eps if prediction == "eps" else alpha * part.eps - sigma * part.latent
    assert objective([part])[0].max() < 1e-10
    x_t = spy.calls[0][0]
    assert torch.allclose(x_t, alpha * part.latent + sigma * part.eps, atol=1e-6)


def test_loss_is_the_squared_error_of_the_whole_clip():
    part = make_part(4)
    loss = Objective(Spy(), DiffusionConfig(), PLAIN)([part])[0]
    assert torch.allclose(loss, part.eps.square().mean((1, 2)))


def test_every_clip_ends_as_pure_noise():
    """Line 1: z_N of any clip is N(0, 1) within tolerance."""
    part, spy = make_part(4, channels=64, frames=100), Spy()
    part = dataclasses.replace(part, t=torch.ones(4))
    Objective(spy, DiffusionConfig(), PLAIN)([part])
    assert abs(float(spy.calls[0][0].mean())) < 0.02
    assert abs(float(spy.calls[0][0].var()) - 1.0) < 0.02


def test_weights_of_noise_levels():
    log_snr = torch.log(torch.tensor([0.01, 1.0, 5.0, 500.0]))
    snr = log_snr.exp()
    assert torch.equal(loss_weight(log_snr, "eps", PLAIN), torch.ones(4))
    least = snr.clamp(max=5.0)
    assert torch.allclose(loss_weight(log_snr, "eps", MIN_SNR), least / snr)
    assert torch.allclose(loss_weight(log_snr, "v", MIN_SNR), least / (snr + 1.0))


def test_min_snr_is_one_weight_on_the_clean_latent():
    """Both forms weigh |Δx|² by min(SNR, γ): |Δeps|² = SNR |Δx|², |Δv|² = (SNR + 1) |Δx|²."""
    log_snr = torch.linspace(-5.0, 5.0, 11)
    snr = log_snr.exp()
    on_x_by_eps = loss_weight(log_snr, "eps", MIN_SNR) * snr
    on_x_by_v = loss_weight(log_snr, "v", MIN_SNR) * (snr + 1.0)
    assert torch.allclose(on_x_by_eps, on_x_by_v, rtol=1e-5)


def test_learned_null_text_takes_the_dropped_rows_and_learns():
    part, spy = make_part(4), Spy()
    objective = Objective(spy, DiffusionConfig(), PLAIN, torch.full((1, 1, 6), 7.0))
    objective([part])
    _, _, _, text, text_mask, _ = spy.calls[0]
    assert torch.equal(text[1], part.text[1])
    assert (text[0, 0] == 7.0).all()
    assert text_mask[0].tolist() == [True, False, False, False, False]
    text[part.null].sum().backward()
    assert objective.null_text.grad.abs().sum() > 0


def test_components_weigh_by_their_deviation():
    part, deviations = make_part(4), torch.tensor([4.0, 1.0, 0.25])
    hyperparameters = dataclasses.replace(PLAIN, component_power=0.5)
    weighted = Objective(Spy(), DiffusionConfig(), hyperparameters, deviations=deviations)
    weights = torch.tensor([2.0, 1.0, 0.5]) / 3.5 * 3
    expected = (part.eps.square() * weights[:, None]).mean((1, 2))
    assert torch.allclose(weighted([part])[0], expected)
    assert torch.allclose(weighted.item_loss(part), part.eps.square().mean((1, 2)))
