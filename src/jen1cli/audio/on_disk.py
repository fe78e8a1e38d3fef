"""Long signals in temporary files, whose pages leave memory as they are worked through."""

import mmap
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jen1cli.audio.files import Signal
from jen1cli.files import explaining, reserve

LARGEST_IN_MEMORY = 64 * 2**20  # bytes; about three minutes of 48 kHz stereo

_mappings: list[weakref.ref[mmap.mmap]] = []


def allocate(channels: int, samples: int) -> Signal:
    """Return float32 zeros [channels, samples]; disk space is freed with the array.

    Raises:
        OutputError: the folder for temporary files has too little space.
    """
    if channels * samples * 4 <= LARGEST_IN_MEMORY:
        return np.zeros((channels, samples), np.float32)
    with (
        explaining(Path(tempfile.gettempdir())),
        tempfile.TemporaryFile(prefix="jen1-") as file,
    ):
        size = channels * samples * 4
        reserve(file.fileno(), size)
        mapping = mmap.mmap(file.fileno(), size)
    _mappings.append(weakref.ref(mapping, _mappings.remove))
    return np.frombuffer(mapping, np.float32).reshape(channels, samples)


def spans(samples: int, size: int, start: int = 0) -> Iterator[tuple[int, int]]:
    """Yield consecutive intervals (start, stop) of a signal, to be read or changed in turn.

    After each of them `release` is called, so that a signal on disk takes the memory of one
    interval.
    """
    for at in range(start, samples, size):
        yield at, min(at + size, samples)
        release()


def release() -> None:
    """Take the pages of signals on disk out of this process' memory; their contents stay.

    The system would do so itself when memory is short, but until then counts them as used by the
    process. Views of such a signal stay valid: their next use maps the pages again.
    """
    for reference in tuple(_mappings):
        mapping = reference()
        if mapping is not None and hasattr(mapping, "madvise"):  # not on Windows
            mapping.madvise(mmap.MADV_DONTNEED)
