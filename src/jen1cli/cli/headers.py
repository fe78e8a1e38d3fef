"""Headers of safetensors files, read without torch: names, shapes and metadata."""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jen1cli.errors import CheckpointError

MAX_HEADER_BYTES = 100_000_000  # the format's own limit


@dataclass(frozen=True)
class Header:
    """What a safetensors file says of itself."""

    shapes: dict[str, tuple[int, ...]]
    metadata: dict[str, str]

    def count(self, prefix: str = "") -> int:
        """Return how many numbers the tensors whose names begin so hold together."""
        return sum(
            math.prod(shape) for name, shape in self.shapes.items() if name.startswith(prefix)
        )


def read_header(source: Path | bytes) -> Header:
    """Read the header of a safetensors file, or of its bytes.

    Raises:
        CheckpointError: it is missing, or no safetensors file.
    """
    name = "the piped latent" if isinstance(source, bytes) else str(source)
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
    values = _parse(start, total, name)
    metadata = values.pop("__metadata__", {})
    shapes = {key: tuple(entry["shape"]) for key, entry in values.items()}
    return Header(shapes, metadata)


def check_latent(source: Path | bytes) -> Header:
    """Read the header of a latent file.

    Raises:
        CheckpointError: it is no latent file.
    """
    header = read_header(source)
    known = {"samples", "sample_rate", "channels"} <= header.metadata.keys()
    if not known or len(header.shapes.get("latent", ())) != 2:
        name = "the piped file" if isinstance(source, bytes) else str(source)
        raise CheckpointError(f"{name} is no latent file of jen1; make one with jen1 encode")
    return header


def _parse(start: bytes, total: int, name: str) -> dict[str, Any]:
    wrong = f"{name} is not a safetensors file"
    if total == 0:
        raise CheckpointError(f"{name} is empty (0 bytes); make it again with jen1 encode")
    if len(start) < 8:
        raise CheckpointError(f"{wrong}: {total} bytes are too few; make it with jen1 encode")
    (length,) = struct.unpack("<Q", start[:8])
    if length > MAX_HEADER_BYTES or length + 8 > total:
        raise CheckpointError(f"{wrong}, or it is cut short; make it again with jen1 encode")
    try:
        values = json.loads(start[8 : 8 + length])
        ends = [entry["data_offsets"][1] for key, entry in values.items() if key[:2] != "__"]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise CheckpointError(f"{wrong} (no header); make it again with jen1 encode") from error
    if max(ends, default=0) + 8 + length > total:
        raise CheckpointError(f"{name} is cut short; make it again with jen1 encode")
    return values
