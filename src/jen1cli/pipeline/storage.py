"""Arrays for long audio: in memory while short, in an unnamed file on disk beyond that."""

import tempfile

import numpy as np

from jen1cli.audio import Signal

LARGEST_IN_MEMORY = 64 * 2**20  # bytes; about three minutes of 48 kHz stereo


def allocate(channels: int, samples: int) -> Signal:
    """Return zeros [channels, samples] of float32; the disk's space is freed with the array."""
    if channels * samples * 4 <= LARGEST_IN_MEMORY:
        return np.zeros((channels, samples), np.float32)
    with tempfile.TemporaryFile(prefix="jen1-") as file:
        return np.memmap(file, np.float32, "w+", shape=(channels, samples))
