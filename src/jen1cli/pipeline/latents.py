"""Latent files: the autoencoder's latent of a recording, with all that decoding it needs."""

import math
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from jen1cli.errors import CheckpointError
from jen1cli.files import writing

LATENT_FORMAT = "jen1-latent"
LATENT_VERSION = 1


@dataclass(frozen=True)
class LatentFile:
    """The latent of one recording; kept as safetensors with its metadata in the header."""

    latent: Float[Tensor, "channels frames"]  # before whitening
    frame_rate: float  # latent frames per second
    samples: int  # of the recording, in each channel
    sample_rate: int  # Hz of the recording
    channels: int  # of the recording
    model: str  # name of the weight set
    sha256: str  # of its autoencoder's file; for random weights, what names them

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return self.samples / self.sample_rate

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all.

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
        return save({"latent": self.latent.detach().cpu().float().contiguous()}, metadata)

    @classmethod
    def load(cls, source: str | Path | bytes) -> "LatentFile":
        """Read a latent file.

        Raises:
            CheckpointError: it is missing, damaged or no latent file of ours.
        """
        name = "the piped latent" if isinstance(source, bytes) else str(source)
        metadata, data = _read(source, name)
        if metadata.get("format") != LATENT_FORMAT:
            raise CheckpointError(f"{name} is no latent file of jen1; make one with jen1 encode")
        try:
            if int(metadata["version"]) > LATENT_VERSION:
                raise CheckpointError(
                    f"{name} has version {metadata['version']}, this jen1cli knows up to"
                    f" {LATENT_VERSION}; upgrade jen1cli"
                )
            latent = load(data)["latent"]
            found = cls(
                latent=latent.float(),
                frame_rate=float(metadata["frame_rate"]),
                samples=int(metadata["samples"]),
                sample_rate=int(metadata["sample_rate"]),
                channels=int(metadata["channels"]),
                model=metadata["model"],
                sha256=metadata["sha256"],
            )
        except (KeyError, ValueError, SafetensorError) as error:
            raise CheckpointError(
                f"{name} is a damaged latent file ({error}); encode again"
            ) from error
        _check(found, name)
        return found


def _read(source: str | Path | bytes, name: str) -> tuple[dict[str, str], bytes]:
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
    except IsADirectoryError as error:
        raise CheckpointError(f"{name} is a folder; give a latent file") from error
    except OSError as error:
        raise CheckpointError(f"{name} cannot be read: {error.strerror}") from error
    return _metadata(data, name), data


def _metadata(data: bytes, name: str) -> dict[str, str]:
    """Read the header of safetensors bytes: its length in eight bytes, then JSON."""
    import json

    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        metadata = header.get("__metadata__", {})
    except (ValueError, AttributeError, MemoryError) as error:
        raise CheckpointError(
            f"{name} is no latent file of jen1; make one with jen1 encode"
        ) from error
    return metadata if isinstance(metadata, dict) else {}


def _check(found: LatentFile, name: str) -> None:
    wrong = None
    if found.latent.ndim != 2 or 0 in found.latent.shape:
        wrong = f"its latent has shape {list(found.latent.shape)}"
    elif not bool(found.latent.isfinite().all()):
        wrong = "its latent is not finite"
    elif found.channels not in (1, 2) or found.samples < 1 or found.sample_rate < 1:
        wrong = "its metadata name no recording"
    elif not (math.isfinite(found.frame_rate) and found.frame_rate > 0):
        wrong = f"its frame rate is {found.frame_rate}"
    elif abs(found.latent.shape[1] - found.seconds * found.frame_rate) > 2:
        wrong = (
            f"it holds {found.latent.shape[1]} frames where {found.seconds:.2f} s at"
            f" {found.frame_rate:g} frames per second need {found.seconds * found.frame_rate:.0f}"
        )
    if wrong:
        raise CheckpointError(f"{name} is a damaged latent file ({wrong}); encode again")
