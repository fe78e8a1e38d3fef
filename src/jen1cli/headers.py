"""Headers of safetensors files, read without torch: names, shapes and metadata."""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path

from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.jsonfiles import JsonError, parse_object
from jen1cli.typed_json import from_dict

MAX_HEADER_BYTES = 100_000_000  # the format's own limit
MAX_SAMPLE_RATE = 768_000  # Hz
LATENT_FORMAT = "jen1-latent"
LATENT_VERSION = 1
LORA_FORMAT = "jen1-lora"


@dataclass(frozen=True)
class Header:
    """Header of a safetensors file."""

    shapes: dict[str, tuple[int, ...]]
    metadata: dict[str, str]

    def count(self, prefix: str = "") -> int:
        """Return the number of elements of all tensors whose names begin with a prefix."""
        return sum(
            math.prod(shape) for name, shape in self.shapes.items() if name.startswith(prefix)
        )


def read_header(source: Path | bytes) -> Header:
    """Read the header of a safetensors file, or of its bytes.

    Raises:
        CheckpointError: it is missing or not a safetensors file.
    """
    name = _name_of(source)
    try:
        if isinstance(source, bytes):
            start, total = source[:MAX_HEADER_BYTES], len(source)
        else:
            total = source.stat().st_size
            with source.open("rb") as file:
                start = file.read(8)
                length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
                start += file.read(min(length, MAX_HEADER_BYTES))
    except IsADirectoryError as error:
        raise CheckpointError(f"{name} is a folder; give a file") from error
    except FileNotFoundError as error:
        raise CheckpointError(f"{name} does not exist; check the path") from error
    except OSError as error:
        raise CheckpointError(f"{name} cannot be read: {error.strerror}") from error
    return _parse(start, total, name)


def with_sorted_metadata(data: bytes) -> bytes:
    """Return the bytes of a safetensors file with its metadata in alphabetical order.

    The library writes them in an order that differs from process to process.
    """
    (length,) = struct.unpack("<Q", data[:8])
    header = parse_object(data[8 : 8 + length], "the header")
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


@dataclass(frozen=True)
class LatentHeader:
    """Metadata of a latent file."""

    channels: int  # channels of the recording
    samples: int  # samples of the recording, in each channel
    sample_rate: int  # Hz of the recording
    frame_rate: float  # latent frames per second
    model: str  # name of the weight set
    sha256: str  # digest of its autoencoder's file; for random weights, their name
    latent_channels: int
    frames: int

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return self.samples / self.sample_rate

    @property
    def fault(self) -> str:
        """Description of an inconsistency; empty if there is none."""
        if self.channels not in (1, 2) or self.samples < 1:
            return "its metadata name no recording"
        if not 1 <= self.sample_rate <= MAX_SAMPLE_RATE:
            return f"its sample rate is {self.sample_rate} Hz"
        if not (math.isfinite(self.frame_rate) and self.frame_rate > 0):
            return f"its frame rate is {self.frame_rate}"
        needed = self.seconds * self.frame_rate
        if not self.latent_channels or abs(self.frames - needed) > 2:
            return (
                f"it holds {self.frames} frames of {self.latent_channels} numbers where"
                f" {self.seconds:.2f} s at {self.frame_rate:g} frames per second need {needed:.0f}"
            )
        return ""


def read_latent_header(source: Path | bytes) -> LatentHeader:
    """Read the header of a latent file.

    Raises:
        CheckpointError: it is not a latent file, too new or damaged.
    """
    header = read_header(source)
    name, metadata = _name_of(source), header.metadata
    shape = header.shapes.get("latent", ())
    if metadata.get("format") != LATENT_FORMAT or len(shape) != 2:
        raise CheckpointError(f"{name} is no latent file of jen1; make one with jen1 encode")
    found = None
    try:
        if int(metadata["version"]) > LATENT_VERSION:
            raise CheckpointError(
                f"{name} has version {metadata['version']}, this jen1cli knows up to"
                f" {LATENT_VERSION}; upgrade jen1cli"
            )
        found = LatentHeader(
            channels=int(metadata["channels"]),
            samples=int(metadata["samples"]),
            sample_rate=int(metadata["sample_rate"]),
            frame_rate=float(metadata["frame_rate"]),
            model=metadata["model"],
            sha256=metadata["sha256"],
            latent_channels=shape[0],
            frames=shape[1],
        )
        fault = found.fault
    except KeyError as error:
        fault = f"its metadata lack {error}"
    except (ValueError, OverflowError) as error:
        fault = f"its metadata hold a wrong number: {error}"
    if found is None or fault:
        raise CheckpointError(f"{name} is a damaged latent file ({fault}); encode again")
    return found


def _name_of(source: Path | bytes) -> str:
    return "the piped latent" if isinstance(source, bytes) else str(source)


@dataclass(frozen=True)
class _Tensor:
    """One entry of the header."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]  # first and last + 1, in bytes after the header


def _parse(start: bytes, total: int, name: str) -> Header:
    wrong = f"{name} is not a safetensors file"
    if total == 0:
        raise CheckpointError(f"{name} is empty (0 bytes); make it again with jen1 encode")
    if len(start) < 8:
        raise CheckpointError(f"{wrong}: {total} bytes are too few; make it with jen1 encode")
    (length,) = struct.unpack("<Q", start[:8])
    if length > MAX_HEADER_BYTES or length + 8 > total:
        raise CheckpointError(f"{wrong}, or it is cut short; make it again with jen1 encode")
    try:
        values = parse_object(start[8 : 8 + length], "its header")
        metadata = values.pop("__metadata__", {})
        if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
            raise ConfigError("its metadata are no texts")
        tensors = {key: from_dict(_Tensor, entry, key) for key, entry in values.items()}
    except JsonError as error:
        raise CheckpointError(f"{wrong} ({error.fault}); make it again with jen1 encode") from error
    except ConfigError as error:
        raise CheckpointError(f"{wrong} ({error}); make it again with jen1 encode") from error
    if max((tensor.data_offsets[1] for tensor in tensors.values()), default=0) + 8 + length > total:
        raise CheckpointError(f"{name} is cut short; make it again with jen1 encode")
    return Header({key: tensor.shape for key, tensor in tensors.items()}, metadata)
