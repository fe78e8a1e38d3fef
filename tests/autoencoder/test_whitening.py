"""Whitening (paper Algorithm 1): white on unseen latents, exact back, same fit in any division."""

import pytest
import torch
from torch.testing import assert_close

from jen1cli.autoencoder import Whitening, WhiteningStatistics, build_autoencoder
from jen1cli.autoencoder.whitening import EIGENVALUE_FLOOR
from jen1cli.config import WhiteningConfig
from jen1cli.errors import ConfigError, DataError
from jen1cli.presets import TINY

CHANNELS = 12
FULL = WhiteningConfig(latent_channels=CHANNELS, components=CHANNELS)


def correlated(frames, batch=4, seed=0):
    """Latents with a mean and strongly correlated channels, from one distribution."""
    fixed = torch.Generator().manual_seed(99)
    mix = torch.randn(CHANNELS, CHANNELS, generator=fixed)
    mean = 5 * torch.randn(CHANNELS, 1, generator=fixed)
    draw = torch.randn(batch, CHANNELS, frames, generator=torch.Generator().manual_seed(seed))
    return mix @ draw + mean


def statistics(*latents):
    gathered = WhiteningStatistics(latents[0].shape[1])
    for latent in latents:
        gathered.update(latent)
    return gathered


def moments(latent):
    frames = latent.transpose(0, 1).flatten(1).double()
    return frames.mean(1), torch.cov(frames, correction=0)


def test_unfitted_whitening_is_the_identity():
    latent = correlated(20)
    whitening = Whitening(FULL)
    assert_close(whitening.whiten(latent), latent)
    assert_close(whitening.unwhiten(latent), latent)


def test_batch_fit_is_the_full_fit():
    latent = correlated(300)
    whole = statistics(latent)
    pieces = statistics(*latent.split([1, 7, 92, 200], dim=-1))
    assert whole.count == pieces.count == 1200
    mean, covariance = moments(latent)
    for gathered in (whole, pieces):
        assert_close(gathered.mean, mean, rtol=1e-12, atol=1e-12)
        assert_close(gathered.covariance, covariance, rtol=1e-12, atol=1e-12)
    for ours, expected in zip(pieces.fit(FULL).buffers(), whole.fit(FULL).buffers(), strict=True):
        assert_close(ours, expected, rtol=1e-6, atol=1e-6)


def test_statistics_of_two_workers_merge():
    left, right = correlated(50, seed=1), correlated(80, seed=2)
    merged = statistics(left)
    merged.merge(statistics(right))
    merged.merge(WhiteningStatistics(CHANNELS))
    both = statistics(left, right)
    assert merged.count == both.count
    assert_close(merged.covariance, both.covariance, rtol=1e-12, atol=1e-12)


def test_statistics_stay_exact_far_from_zero():
    """A mean of 10,000 spreads: sums of squares in float32 would lose the covariance."""
    latent = correlated(500).double() + 30_000
    gathered = statistics(*latent.split(10, dim=-1))
    assert_close(gathered.covariance, moments(latent)[1], rtol=1e-8, atol=1e-8)


def test_fitted_latents_are_white():
    latent = correlated(500)
    mean, covariance = moments(statistics(latent).fit(FULL).whiten(latent))
    assert_close(mean, torch.zeros(CHANNELS).double(), rtol=0, atol=1e-4)
    assert_close(covariance, torch.eye(CHANNELS).double(), rtol=0, atol=1e-4)


def test_held_out_latents_are_white():
    """Paper.md section 13, line 11."""
    whitening = statistics(correlated(5000, seed=1)).fit(FULL)
    mean, covariance = moments(whitening.whiten(correlated(5000, seed=2)))
    assert_close(mean, torch.zeros(CHANNELS).double(), rtol=0, atol=0.05)
    assert_close(covariance, torch.eye(CHANNELS).double(), rtol=0, atol=0.05)


@pytest.mark.heavy
@torch.no_grad()
def test_held_out_latents_of_an_autoencoder_are_white_and_decode_as_before():
    """Paper.md section 13, line 11, with a real encoder: also the decoder sees no difference."""
    torch.manual_seed(0)
    model = build_autoencoder(TINY.autoencoder).eval()
    fitting, held_out = 0.1 * torch.randn(2, 4, 2, 320 * 500)
    whitening = statistics(model.encode(fitting)).fit(TINY.whitening)
    latent = model.encode(held_out)
    white = whitening.whiten(latent)
    mean, covariance = moments(white)
    assert_close(mean, torch.zeros(8).double(), rtol=0, atol=0.15)
    assert_close(covariance, torch.eye(8).double(), rtol=0, atol=0.15)
    assert_close(model.decode(whitening.unwhiten(white)), model.decode(latent), rtol=0, atol=1e-4)


def test_inverse_is_exact_at_full_rank():
    latent = correlated(200)
    whitening = statistics(latent).fit(FULL)
    assert_close(whitening.unwhiten(whitening.whiten(latent)), latent, rtol=1e-5, atol=1e-4)
    double = whitening.double()
    product = double.forward_matrix @ double.inverse_matrix
    assert_close(product, torch.eye(CHANNELS).double(), rtol=0, atol=1e-5)


def test_truncation_keeps_the_components_of_most_variance():
    latent = correlated(500)
    gathered = statistics(latent)
    kept = 7
    whitening = gathered.fit(WhiteningConfig(latent_channels=CHANNELS, components=kept))
    assert_close(whitening.forward_matrix, gathered.fit(FULL).forward_matrix[:, :kept])
    white = whitening.whiten(latent)
    assert white.shape == (4, kept, 500)
    variances = torch.linalg.eigvalsh(gathered.covariance)
    lost = (whitening.unwhiten(white) - latent).double().square().mean() * CHANNELS
    assert lost.item() == pytest.approx(variances[: CHANNELS - kept].sum().item(), rel=1e-3)
    assert_close(whitening.whiten(whitening.unwhiten(white)), white, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dead", [0.0, 3.0])
def test_dead_channels_stay_finite_and_quiet(dead):
    latent = correlated(500)
    latent[:, 4] = dead
    whitening = statistics(latent).fit(FULL)
    greatest = torch.linalg.eigvalsh(statistics(latent).covariance)[-1]
    gain = whitening.forward_matrix.norm(dim=0).max().item()
    assert gain <= 1.001 * (EIGENVALUE_FLOOR * greatest.item()) ** -0.5
    white = whitening.whiten(latent)
    assert white.isfinite().all()
    assert white.std(dim=(0, 2))[-1] < 0.05
    assert_close(whitening.unwhiten(white), latent, rtol=1e-4, atol=1e-3)


def test_silence_alone_can_be_fitted():
    whitening = statistics(torch.zeros(1, CHANNELS, 20)).fit(FULL)
    assert whitening.whiten(torch.zeros(1, CHANNELS, 3)).isfinite().all()


def test_state_survives_saving():
    latent = correlated(100)
    fitted = statistics(latent).fit(FULL)
    state = fitted.state_dict()
    assert set(state) == {"mean", "forward_matrix", "inverse_matrix"}
    assert all(tensor.dtype == torch.float32 for tensor in state.values())
    with torch.device("meta"):
        loaded = Whitening(FULL)
    loaded.load_state_dict(state, strict=True, assign=True)
    assert torch.equal(loaded.whiten(latent), fitted.whiten(latent))
    assert torch.equal(loaded.unwhiten(latent), fitted.unwhiten(latent))


def test_too_little_or_broken_music_is_refused():
    with pytest.raises(DataError, match="12 latent frames"):
        statistics(correlated(3)).fit(FULL)
    with pytest.raises(DataError, match="not finite"):
        statistics(torch.full((1, CHANNELS, 2), torch.nan))
    with pytest.raises(ValueError, match="3 channels"):
        WhiteningStatistics(CHANNELS).update(torch.zeros(1, 3, 2))


@pytest.mark.parametrize("components", [0, CHANNELS + 1])
def test_impossible_truncation_is_refused(components):
    with pytest.raises(ConfigError, match=f"{components} of {CHANNELS}"):
        Whitening(WhiteningConfig(latent_channels=CHANNELS, components=components))
