"""Axes of the whitened latent along which the level of the music's bands changes.

Whitened latents have mean 0 and variance 1 in every component. For z of that kind, the regression
of a band's level on z is the mean gradient of the level, as Stein's lemma says of Gaussian z: so
the decoder alone shows the axes, without music. Guidance along them makes quiet moments quieter and
loud ones louder, since the level in dB is nearly linear in the latent of a spectral autoencoder.
"""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from jen1cli.autoencoder.autoencoder import Autoencoder
from jen1cli.autoencoder.whitening import Whitening

BAND_EDGES = (150.0, 400.0, 1000.0, 2500.0, 6000.0)
"""Hz, between which the bands lie; the first begins at 0, the last ends at half the sample rate."""
FRAMES = 1_536  # random latent frames that are decoded
_FLOOR = 1e-5  # power of a band below which levels count as equal
_SHORTEST_WINDOW = 2_048  # samples of a spectrum


@torch.inference_mode()
def level_axes(
    autoencoder: Autoencoder, whitening: Whitening, *, seed: int = 0
) -> Float[Tensor, "axes components"]:
    """Return orthonormal axes that span the directions in which the levels of the bands change.

    Args:
        autoencoder: in evaluation mode.
        whitening: of its latents, on the CPU.
        seed: of the random latents.
    """
    generator = torch.Generator().manual_seed(seed)
    latent = torch.randn(1, whitening.config.components, FRAMES, generator=generator)
    device = next(autoencoder.parameters()).device
    pieces = autoencoder.decode_stream(whitening.unwhiten(latent).to(device))
    waveform = torch.cat([piece.cpu() for piece in pieces], dim=-1)[0]
    levels = band_levels(waveform, autoencoder.sample_rate, autoencoder.hop_length)
    frames = rearrange(latent[0], "c f -> f c").double()
    slopes = torch.linalg.lstsq(frames, levels.double() - levels.double().mean(0)).solution
    return torch.linalg.qr(slopes).Q.T.float().contiguous()


def band_levels(
    waveform: Float[Tensor, "channels samples"], sample_rate: int, hop_length: int
) -> Float[Tensor, "frames bands"]:
    """Return the level of each band in dB, in windows around each latent frame.

    Args:
        waveform: a whole number of latent frames.
        sample_rate: Hz.
        hop_length: samples in a latent frame.
    """
    size = max(2 * hop_length, _SHORTEST_WINDOW)
    padding = (size - hop_length) // 2
    windows = functional.pad(waveform, (padding, size - hop_length - padding))
    windows = windows.unfold(-1, size, hop_length) * torch.hann_window(size)
    power = torch.fft.rfft(windows).abs().square().mean(0)
    hertz = torch.fft.rfftfreq(size, 1 / sample_rate)
    band = torch.bucketize(hertz, torch.tensor(BAND_EDGES), right=True)
    sums = torch.zeros(len(power), len(BAND_EDGES) + 1).index_add_(1, band, power)
    return 10.0 * (sums + _FLOOR).log10()
