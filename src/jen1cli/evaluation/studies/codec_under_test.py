"""An autoencoder with its whitening, and the ways through it that are compared."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.autoencoder import Autoencoder, build_autoencoder
from jen1cli.autoencoder.codec import TENSORS_NAME, Codec, load_codec
from jen1cli.autoencoder.spectral import SpectralAutoencoder

WHOLE, WHITENED = "encode and decode", "as diffusion sees it"
TRUE_PHASE = "true phase"
REFERENCE_ROUNDS = 16


@dataclass(frozen=True)
class CodecUnderTest:
    """A codec with the hash of its weights, and the ways through it that are compared."""

    codec: Codec
    sha256: str

    @classmethod
    def load(cls, folder: Path) -> "CodecUnderTest":
        """Load from a weight set, or from the result of `jen1 train autoencoder`.

        Raises:
            CheckpointError: it is not there or damaged.
        """
        return cls(load_codec(folder), audio.digest(folder / TENSORS_NAME))

    @property
    def sizes(self) -> dict[str, int]:
        """Channels of the latent by what it is for: a file, and the diffusion model."""
        sizes = {WHOLE: self.codec.autoencoder.latent_channels}
        if self.codec.whitening.config.components < self.codec.autoencoder.latent_channels:
            sizes[WHITENED] = self.codec.whitening.config.components
        return sizes

    @torch.inference_mode()
    def through(self, signal: Signal) -> Signal:
        """Return what `jen1 encode` and `jen1 decode` make of a sound, [channels, samples]."""
        own = self.codec.autoencoder
        return _to_signal(own.decode(own.encode(self._to_wave(signal)), signal.shape[1]))

    @property
    def ways(self) -> dict[str, Callable[[Signal], Signal]]:
        """The ways through the codec by name; each takes and returns [channels, samples]."""
        ways = {WHOLE: self.through}
        if WHITENED in self.sizes:
            ways[WHITENED] = lambda signal: self.decode(self.encode(signal), signal.shape[1])
        if isinstance(self.codec.autoencoder, SpectralAutoencoder):
            ways[TRUE_PHASE] = self._with_true_phase
            ways[f"{self.rounds} rounds"] = self._with_more_rounds
        return ways

    @property
    def references_note(self) -> str:
        """What the references are, or why there are none."""
        if isinstance(self.codec.autoencoder, SpectralAutoencoder):
            return (
                f"References: the latents that diffusion sees, decoded with the original's phase"
                f" ({TRUE_PHASE}) and with {self.rounds} rounds of phase refinement in place of"
                f" {self.codec.autoencoder.config.refinements}."
            )
        return (
            "No references with the true phase or more refinement: this autoencoder decodes the"
            " waveform and rebuilds no phase."
        )

    @property
    def rounds(self) -> int:
        """Rounds of phase refinement of the reference: 16, or twice what the codec has."""
        config = self.codec.autoencoder.config
        return max(REFERENCE_ROUNDS, 2 * getattr(config, "refinements", 0))

    @cached_property
    def _refined(self) -> Autoencoder:
        """The same autoencoder with more rounds of phase refinement."""
        own = self.codec.autoencoder
        refined = build_autoencoder(dataclasses.replace(own.config, refinements=self.rounds))
        refined.load_state_dict(own.state_dict())
        return refined.to(self.codec.device).eval()

    @torch.inference_mode()
    def encode(self, signal: Signal) -> torch.Tensor:
        """Return the whitened latent [1, components, frames]."""
        return self.codec.whitening.whiten(self.codec.autoencoder.encode(self._to_wave(signal)))

    @torch.inference_mode()
    def decode(self, latent: torch.Tensor, samples: int) -> Signal:
        """Return the sound of a whitened latent, [channels, samples]."""
        return _to_signal(
            self.codec.autoencoder.decode(self.codec.whitening.unwhiten(latent), samples)
        )

    @torch.inference_mode()
    def _with_true_phase(self, signal: Signal) -> Signal:
        own = self.codec.autoencoder
        assert isinstance(own, SpectralAutoencoder)
        latent = self.codec.whitening.unwhiten(self.encode(signal))
        return _to_signal(own.decode_with_phase(latent, self._to_wave(signal)))

    @torch.inference_mode()
    def _with_more_rounds(self, signal: Signal) -> Signal:
        latent = self.codec.whitening.unwhiten(self.encode(signal))
        return _to_signal(self._refined.decode(latent, signal.shape[1]))

    def _to_wave(self, signal: Signal) -> torch.Tensor:
        """Return a sound as a batch of one on the codec's device."""
        return torch.from_numpy(np.ascontiguousarray(signal))[None].to(self.codec.device)


def _to_signal(wave: torch.Tensor) -> Signal:
    return wave[0].float().cpu().numpy()
