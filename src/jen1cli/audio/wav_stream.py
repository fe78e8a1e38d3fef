"""The bytes around the samples of a WAV file that is written while its samples are made."""

import io
import struct

import numpy as np

from jen1cli.audio.chunks import read_chunks
from jen1cli.audio.files import Signal
from jen1cli.audio.writing import encoded, large_format, write
from jen1cli.errors import AudioError

_SUBTYPE = "PCM_16"
_BYTES = 2  # size of a sample


def wav_frame(
    channels: int,
    sample_rate: int,
    samples: int,
    *,
    recipe: str | None = None,
    tags: tuple[tuple[str, str], ...] = (),
) -> tuple[bytes, bytes]:
    """Return what comes before and after the samples of a 16-bit file, as `write` writes it.

    Args:
        channels: 1 or 2.
        sample_rate: Hz.
        samples: length, which the header tells.
        recipe: the recipe, as ASCII text that is stored behind the samples.
        tags: (name, text), as `write` takes them.

    Raises:
        AudioError: the file would be larger than WAV can be.
    """
    if large_format("WAV", _SUBTYPE, channels * samples) != "WAV":
        raise AudioError(f"{samples} samples are too many for a WAV stream; make a file")
    buffer = io.BytesIO()
    write(buffer, np.zeros((channels, 2), np.float32), sample_rate, recipe=recipe, tags=tags)
    data = bytearray(buffer.getvalue())
    layout = read_chunks(buffer)
    sound = None if layout is None else layout.sound
    if sound is None:
        raise ValueError("no WAV file was written")
    size = _BYTES * channels * samples
    struct.pack_into("<I", data, 4, len(data) - 8 - sound.size + size + size % 2)
    struct.pack_into("<I", data, sound.at - 4, size)
    stop = sound.at + sound.size
    return bytes(data[: sound.at]), b"\0" * (size % 2) + bytes(data[stop:])


def wav_samples(signal: Signal) -> bytes:
    """Return `[channels, samples]` as the bytes of 16-bit samples.

    Raises:
        AudioError: NaN in the signal.
    """
    return (encoded(signal, _SUBTYPE) >> 16).astype("<i2").tobytes()
