"""The masked autoencoder between waveform and latent, and the whitening of its latents."""

from jen1cli.autoencoder.autoencoder import Autoencoder
from jen1cli.autoencoder.build import build_autoencoder
from jen1cli.autoencoder.encodec import load_encodec
from jen1cli.autoencoder.masking import mask_latent
from jen1cli.autoencoder.whitening import Whitening, WhiteningStatistics

__all__ = [
    "Autoencoder",
    "Whitening",
    "WhiteningStatistics",
    "build_autoencoder",
    "load_encodec",
    "mask_latent",
]
