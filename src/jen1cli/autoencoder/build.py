"""Builds an autoencoder from its configuration."""

from jen1cli.autoencoder.autoencoder import Autoencoder
from jen1cli.config import AutoencoderConfig, SeanetConfig
from jen1cli.errors import ConfigError


def build_autoencoder(config: AutoencoderConfig) -> Autoencoder:
    """Build the autoencoder that the configuration describes, with random weights.

    Raises:
        ConfigError: no network of this configuration can be built.
    """
    try:
        if isinstance(config, SeanetConfig):
            from jen1cli.autoencoder.seanet import SeanetAutoencoder

            return SeanetAutoencoder(config)
        from jen1cli.autoencoder.spectral import SpectralAutoencoder

        return SpectralAutoencoder(config)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise ConfigError(
            "no autoencoder can be built from its configuration"
            f" ({' '.join(str(error).split())[:200]}); use the config.json that belongs to it"
        ) from error
