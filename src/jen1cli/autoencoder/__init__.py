"""The masked autoencoder between waveform and latent, and the whitening of its latents."""

from jen1cli.autoencoder.autoencoder import Autoencoder
from jen1cli.autoencoder.build import build_autoencoder
from jen1cli.autoencoder.masking import mask_latent

__all__ = ["Autoencoder", "build_autoencoder", "mask_latent"]
