"""The loss that the spectral autoencoder is trained with; it needs no synthesised waveform."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.autoencoder.envelope import envelope_loss
from jen1cli.autoencoder.frequency import frequency_loss
from jen1cli.autoencoder.masking import NESTED_SHARE, drop_last_channels, mask_latent
from jen1cli.autoencoder.whitening import Whitening
from jen1cli.shapes import Latent, Waveform

if TYPE_CHECKING:
    from jen1cli.autoencoder.spectral import SpectralAutoencoder

LATENT_NOISE = 0.05
"""Standard deviation of the noise added in training, relative to that of each latent channel."""
LEVEL_WEIGHT = 2.0
"""Weight in the loss of the error in the levels of mid and side (nepers)."""


def training_loss(
    model: "SpectralAutoencoder",
    waveform: Waveform,
    *,
    frozen: bool = False,
    whitening: Whitening | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the reconstruction error of the features; the latent is noised, cut and masked.

    The mean absolute and 0.2 times the mean squared error of weighted log-magnitudes and stereo
    cues, plus the error in the levels of mid and side and, if envelopes or frequencies are
    predicted, their errors. In training what is frozen adds nothing.

    Args:
        model: the autoencoder.
        waveform: [B, 2, samples].
        frozen: compute no gradient for the encoder, which keeps the latent space.
        whitening: a fixed whitening of the latents; a share of the crops then loses the components
            that it drops, instead of the last channels.

    Returns:
        the loss and its parts by name.
    """
    with torch.no_grad():
        waveform = functional.pad(waveform, (0, -waveform.shape[-1] % model.hop_length))
        features = model.features(waveform)
    with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
        latent = model.encode_features(features)
    if model.training:
        scale = latent.detach().std(dim=(0, 2), keepdim=True)
        latent = latent + LATENT_NOISE * scale * torch.randn_like(latent)
        latent = _shortened(latent, whitening)
        latent = mask_latent(latent, model.config.mask_ratio, model.config.mask_granularity)
    found = model.decode_features(latent).float()
    error = (found - features).abs()
    absolute, square = error.mean(), error.square().mean()
    level = (model.levels(found) - model.levels(features)).abs().mean()
    parts = {"absolute": absolute, "square": square, "level": level}
    total = found.new_zeros(())
    if model.expand.requires_grad or not model.training:
        total = absolute + 0.2 * square + LEVEL_WEIGHT * level
    # detached: the features shall not bend to help the predictors. Powers and phases need single
    # precision
    with torch.autocast(found.device.type, enabled=False):
        found = found.detach()
        if model.envelopes is not None and _counts(model.envelopes):
            wanted = model.true_envelopes(waveform)
            parts["envelope"] = envelope_loss(model.envelopes_of(found), wanted)
            total = total + parts["envelope"]
        if model.predictors and _counts(model.frequencies):
            errors = [
                frequency_loss(own, wanted, magnitude)
                for own, (wanted, magnitude) in zip(
                    model.frequencies_of(found), model.true_frequencies(waveform), strict=True
                )
            ]
            parts["frequency"] = torch.stack(errors).mean()
            total = total + parts["frequency"]
    return total, parts


def _counts(predictor: nn.Module) -> bool:
    """Whether a predictor is trained or evaluated, not frozen beside one that is trained."""
    return not predictor.training or any(p.requires_grad for p in predictor.parameters())


def _shortened(latent: Latent, whitening: Whitening | None) -> Latent:
    if whitening is None:
        return drop_last_channels(latent)
    seen = whitening.unwhiten(whitening.whiten(latent))
    short = torch.rand(len(latent), 1, 1, device=latent.device) < NESTED_SHARE
    return torch.where(short, seen, latent)
