"""Spectrogram images, drawn by matplotlib."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave

from jen1cli.audio import Signal
from jen1cli.files import writing

WINDOW = 2048  # samples
COLUMNS, ROWS = 480, 128  # pixels: times, frequency bands of equal width in octaves
LOW_HZ, HIGH_HZ = 40.0, 18_000.0
FLOOR_DB, TOP_DB = -90.0, -10.0  # colour scale; a full-scale sine is at 0 dB
COLOURS = "magma"


def spectrogram(signal: Signal, sample_rate: int) -> Float[np.ndarray, "bands moments"]:
    """Return the mean power of logarithmically spaced frequency bands over time, in dB.

    Args:
        signal: [channels, samples]; its channels are averaged.
        sample_rate: in Hz.

    Returns:
        [bands, times] in dB, at least -120; row 0 is the lowest band.
    """
    mono = np.asarray(signal, np.float64).mean(axis=0)
    mono = np.pad(mono, (WINDOW // 2, max(WINDOW // 2, WINDOW - len(mono))))
    starts = np.linspace(0, len(mono) - WINDOW, COLUMNS).astype(int)
    frames = np.lib.stride_tricks.sliding_window_view(mono, WINDOW)[starts]
    return band_levels(frames, sample_rate, ROWS)


def band_levels(
    frames: Float[np.ndarray, "moments window"], sample_rate: int, rows: int
) -> Float[np.ndarray, "bands moments"]:
    """Return the mean power of `rows` bands in windows of `WINDOW` samples; see `spectrogram`."""
    shape = np.hanning(WINDOW)
    power = np.square(np.abs(np.fft.rfft(frames * shape, axis=1)) / (shape.sum() / 2))
    edges = np.geomspace(LOW_HZ, min(HIGH_HZ, 0.98 * sample_rate / 2), rows + 1)
    edges *= WINDOW / sample_rate  # in bins
    cumulative = np.concatenate((np.zeros((len(frames), 1)), np.cumsum(power, axis=1)), axis=1)
    places = np.arange(cumulative.shape[1], dtype=np.float64)
    sums = np.stack([np.interp(edges, places, row) for row in cumulative])
    return 10.0 * np.log10(np.diff(sums, axis=1) / np.diff(edges) + 1e-12).T


def spectrogram_png(levels: Float[np.ndarray, "bands moments"]) -> bytes:
    """Return a spectrogram, in dB, without axes as a PNG file of a pixel for each level."""
    target = io.BytesIO()
    imsave(target, levels, vmin=FLOOR_DB, vmax=TOP_DB, cmap=COLOURS, origin="lower", format="png")
    return target.getvalue()


def draw_spectrograms(path: Path, signals: Mapping[str, Signal], sample_rate: int) -> None:
    """Save an image of the spectrograms of named signals, one below the other, with axes."""
    figure = Figure(figsize=(8, 1.8 * len(signals) + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = np.atleast_1d(figure.subplots(len(signals), 1, sharex=True))
    for axis, (name, signal) in zip(axes, signals.items(), strict=True):
        axis.imshow(
            spectrogram(signal, sample_rate),
            origin="lower", aspect="auto", vmin=FLOOR_DB, vmax=TOP_DB, cmap=COLOURS,
            extent=(0.0, signal.shape[-1] / sample_rate, 0, ROWS), interpolation="nearest",
        )  # fmt: skip
        axis.set_ylabel(name, fontsize=7)
        axis.set_yticks([])
    axes[-1].set_xlabel("seconds")
    with writing(path) as temporary:
        figure.savefig(temporary, dpi=90)
