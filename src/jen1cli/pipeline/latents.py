"""Latent files: the autoencoder's latent of a recording, with all that decoding it needs."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class LatentFile:
    """The latent of one recording; kept as safetensors with its metadata in the header."""

    latent: Float[Tensor, "channels frames"]  # before whitening
    frame_rate: float  # latent frames per second
    samples: int  # of the recording, in each channel
    sample_rate: int  # Hz of the recording
    channels: int  # of the recording
    model: str  # name of the weight set
    sha256: str  # of its autoencoder; empty for random weights

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return self.samples / self.sample_rate

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all."""
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """Return the file's bytes, for a pipe."""
        raise NotImplementedError

    @classmethod
    def load(cls, source: str | Path | bytes) -> "LatentFile":
        """Read a latent file.

        Raises:
            CheckpointError: it is missing, damaged or no latent file of ours.
        """
        raise NotImplementedError
