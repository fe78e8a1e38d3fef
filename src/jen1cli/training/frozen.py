"""An encoder that moves only where whitening looks away.

A diffusion model sees the whitened components of a latent alone (paper Algorithm 1 with k below D).
What the others carry, such as the width of recordings, can still be learned when it is trained.
"""

import torch
from torch import Tensor

from jen1cli.autoencoder import Autoencoder, Whitening
from jen1cli.autoencoder.spectral import SpectralAutoencoder
from jen1cli.errors import ConfigError

RETRAINED = ("project", "encoder_trunk.leave.weight", "encoder_trunk.leave.bias")
"""Parameters of a spectral encoder that change, but not in what whitening keeps."""


class FrozenComponents:
    """Lets the last layers of an encoder learn, and takes from it what components would see.

    With latent = s · (A h + …), of which the components are Wᵀ latent, a change ΔA is without
    effect on them exactly if Wᵀ diag(s) ΔA = 0.
    """

    def __init__(self, autoencoder: Autoencoder, whitening: Whitening) -> None:
        """Freeze all of the encoder but its last layers.

        Raises:
            ConfigError: whitening drops nothing, or the family has no such layers.
        """
        if not isinstance(autoencoder, SpectralAutoencoder):
            raise ConfigError("only the encoder of a spectral autoencoder can be frozen in parts")
        if whitening.config.components == whitening.config.latent_channels:
            raise ConfigError("whitening keeps every component, so all of the encoder is frozen")
        matrix, scale = whitening.forward_matrix.cpu(), autoencoder.latent_scale.cpu()
        seen = matrix.T.double() * scale.double()
        self._dropped = torch.eye(seen.shape[1]).double() - torch.linalg.pinv(seen) @ seen
        self._layers = tuple(map(autoencoder.get_parameter, RETRAINED))
        autoencoder.encoder_trunk.requires_grad_(False)
        for layer in self._layers:
            layer.requires_grad_(True)
        self._start = [layer.detach().clone() for layer in self._layers]

    @torch.no_grad()
    def restore(self) -> None:
        """Undo what a step changed in the components."""
        for layer, start in zip(self._layers, self._start, strict=True):
            start = start.to(layer.device)
            layer.copy_(start + self._without_components(layer - start))

    def _without_components(self, change: Tensor) -> Tensor:
        dropped = self._dropped.to(change.device, change.dtype)
        return (dropped @ change.reshape(len(change), -1)).view_as(change)
