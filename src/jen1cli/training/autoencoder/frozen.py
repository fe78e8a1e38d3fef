"""Training of the encoder in the null space of whitening.

A diffusion model depends only on the whitened components of the latent (paper Algorithm 1 with
k < D). The other dimensions can still be trained, such as for the stereo width of recordings.
"""

import torch
from torch import Tensor

from jen1cli.autoencoder import Autoencoder, Whitening
from jen1cli.autoencoder.spectral import SpectralAutoencoder
from jen1cli.errors import ConfigError

RETRAINED = ("project", "encoder_trunk.leave.weight", "encoder_trunk.leave.bias")
"""Parameters of a spectral encoder that are trained, without effect on the components."""


class FrozenComponents:
    """Trains the last layers of an encoder, and projects out changes of the components.

    With latent = s · (A h + …) and components Wᵀ latent, a change ΔA leaves the components
    unchanged if and only if Wᵀ diag(s) ΔA = 0.
    """

    def __init__(self, autoencoder: Autoencoder, whitening: Whitening) -> None:
        """Freeze the encoder except its last layers.

        Raises:
            ConfigError: whitening keeps all dimensions, or the encoder has no such layers.
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
        """Undo the effect of a step on the components."""
        device = self._layers[0].device
        if self._dropped.device != device:  # the layers moved since
            self._dropped = self._dropped.to(device)
            self._start = [start.to(device) for start in self._start]
        for layer, start in zip(self._layers, self._start, strict=True):
            layer.copy_(start + self._without_components(layer - start))

    def _without_components(self, change: Tensor) -> Tensor:
        dropped = self._dropped.to(change.device, change.dtype)
        return (dropped @ change.reshape(len(change), -1)).view_as(change)
