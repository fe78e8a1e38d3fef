"""Latent files: the autoencoder's latent of a recording, with the metadata for decoding."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from jen1cli.config import ModelConfig
from jen1cli.errors import CheckpointError
from jen1cli.files import writing
from jen1cli.headers import (
    LATENT_FORMAT,
    LATENT_VERSION,
    read_latent_header,
    with_sorted_metadata,
)

SAME_LATENTS = "same_latents"
"""Key of the provenance: digests of earlier autoencoders of which only the decoder was changed."""


@dataclass(frozen=True)
class LatentFile:
    """The latent of one recording; stored as safetensors, with metadata in the header."""

    latent: Float[Tensor, "channels frames"]  # before whitening
    frame_rate: float  # latent frames per second
    samples: int  # samples of the recording, in each channel
    sample_rate: int  # Hz of the recording
    channels: int  # channels of the recording
    model: str  # name of the weight set
    sha256: str  # digest of its autoencoder's file; for random weights, their name

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return self.samples / self.sample_rate

    def check_autoencoder(self, config: ModelConfig, sha256: str) -> None:
        """Check that a model's autoencoder wrote this latent.

        Args:
            config: the model's config; its provenance may list autoencoders with the same encoder.
            sha256: digest of its autoencoder.

        Raises:
            CheckpointError: another autoencoder wrote it.
        """
        if self.sha256 not in (sha256, *config.provenance.get(SAME_LATENTS, ())):
            raise CheckpointError(
                f"the latent was made by the autoencoder of '{self.model}' ({self.sha256[:12]}),"
                f" not by this one of '{config.name}' ({sha256[:12]}); decode it with that model"
            )

    def save(self, path: str | Path) -> None:
        """Write the file atomically.

        Raises:
            OutputError: the path cannot be written.
        """
        with writing(Path(path)) as temporary:
            temporary.write_bytes(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the file's bytes, for a pipe."""
        metadata = {
            "format": LATENT_FORMAT,
            "version": str(LATENT_VERSION),
            "frame_rate": repr(self.frame_rate),
            "samples": str(self.samples),
            "sample_rate": str(self.sample_rate),
            "channels": str(self.channels),
            "model": self.model,
            "sha256": self.sha256,
        }
        tensors = {"latent": self.latent.detach().cpu().float().contiguous()}
        return with_sorted_metadata(save(tensors, metadata))

    @classmethod
    def load(cls, source: str | Path | bytes) -> "LatentFile":
        """Read a latent file.

        Raises:
            CheckpointError: the file is missing, damaged or not a latent file of this program.
        """
        header = read_latent_header(source if isinstance(source, bytes) else Path(source))
        try:
            data = source if isinstance(source, bytes) else Path(source).read_bytes()
            latent = load(data)["latent"].float()
            if not bool(latent.isfinite().all()):
                raise ValueError("its latent is not finite")
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            name = "the piped latent" if isinstance(source, bytes) else str(source)
            raise CheckpointError(
                f"{name} is a damaged latent file ({error}); encode again"
            ) from error
        return cls(
            latent=latent,
            frame_rate=header.frame_rate,
            samples=header.samples,
            sample_rate=header.sample_rate,
            channels=header.channels,
            model=header.model,
            sha256=header.sha256,
        )
