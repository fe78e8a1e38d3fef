"""Arrays for audio: in memory if short, else in an unnamed temporary file."""

import tempfile
from pathlib import Path

import numpy as np

from jen1cli.audio import Signal
from jen1cli.files import explaining, reserve

LARGEST_IN_MEMORY = 64 * 2**20  # bytes; about three minutes of 48 kHz stereo


def allocate(channels: int, samples: int) -> Signal:
    """Return float32 zeros [channels, samples]; disk space is freed with the array."""
    if channels * samples * 4 <= LARGEST_IN_MEMORY:
        return np.zeros((channels, samples), np.float32)
    with (
        explaining(Path(tempfile.gettempdir())),
        tempfile.TemporaryFile(prefix="jen1-") as file,
    ):
        reserve(file.fileno(), channels * samples * 4)
        return np.memmap(file, np.float32, "r+", shape=(channels, samples))
