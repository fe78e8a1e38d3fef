"""From a configuration to the autoencoder of its family."""

from jen1cli.autoencoder.autoencoder import Autoencoder
from jen1cli.config import AutoencoderConfig, SeanetConfig


def build_autoencoder(config: AutoencoderConfig) -> Autoencoder:
    """Build the autoencoder that the configuration describes, with random weights."""
    if isinstance(config, SeanetConfig):
        from jen1cli.autoencoder.seanet import SeanetAutoencoder

        return SeanetAutoencoder(config)
    from jen1cli.autoencoder.spectral import SpectralAutoencoder

    return SpectralAutoencoder(config)
