"""Waveform peaks and spectrogram of a recording of any length, read once and in blocks."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jen1cli import audio
from jen1cli.audio import Signal

Extremes = list[list[float]]


def peaks(path: Path, width: int) -> dict[str, Extremes]:
    """Return the least and greatest sample of each of `width` intervals, by channel."""
    info = audio.probe(path)
    width = min(width, info.samples)
    edges = np.linspace(0, info.samples, width + 1).astype(np.int64)
    least = np.full((info.channels, width), np.inf, np.float32)
    greatest = np.full((info.channels, width), -np.inf, np.float32)
    at = 0
    for block in audio.blocks(path, 0, info.samples):
        stop = at + block.shape[1]
        first = int(np.searchsorted(edges, at, "right")) - 1
        last = int(np.searchsorted(edges, stop, "left"))
        starts = np.maximum(edges[first:last] - at, 0)
        lows = np.minimum.reduceat(block, starts, axis=1)
        highs = np.maximum.reduceat(block, starts, axis=1)
        np.minimum(least[:, first:last], lows, out=least[:, first:last])
        np.maximum(greatest[:, first:last], highs, out=greatest[:, first:last])
        at = stop
    return {"min": _rounded(least), "max": _rounded(greatest)}


def _rounded(values: Float[np.ndarray, "channels width"]) -> Extremes:
    return [[round(float(value), 4) for value in row] for row in values]


def spectrogram(path: Path, width: int, height: int) -> bytes:
    """Return a spectrogram of `width` x `height` pixels without axes as a PNG file."""
    from jen1cli.pages import spectrogram as pages

    info = audio.probe(path)
    frames = np.stack(list(_frames(path, info, width, pages.WINDOW)))
    return pages.spectrogram_png(pages.band_levels(frames, info.sample_rate, height))


def _frames(
    path: Path, info: audio.AudioInfo, width: int, window: int
) -> Iterator[Float[np.ndarray, " window"]]:
    """Yield windows of the mean of all channels, centred at equal distances."""
    starts = np.linspace(0, max(0, info.samples - 1), width).astype(int).tolist()
    padding = np.zeros(window // 2, np.float32)
    held, at = padding, 0  # `held` begins at sample `at` of the padded recording
    waiting = iter(starts)
    start = next(waiting, None)
    for block in _padded(path, info, padding):
        held = np.concatenate((held, block))
        while start is not None and start + window <= at + len(held):
            yield held[start - at : start - at + window].astype(np.float64)
            start = next(waiting, None)
        done = len(held) if start is None else min(len(held), max(0, start - at))
        held, at = held[done:], at + done


def _padded(
    path: Path, info: audio.AudioInfo, padding: Float[np.ndarray, " half"]
) -> Iterator[Signal | Float[np.ndarray, " samples"]]:
    for block in audio.blocks(path, 0, info.samples):
        yield block.mean(axis=0)
    yield padding
    yield padding
