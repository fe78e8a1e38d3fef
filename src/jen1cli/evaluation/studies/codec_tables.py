"""The tables of `jen1 evaluate codec`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from jen1cli.audio import Signal
from jen1cli.autoencoder import Autoencoder
from jen1cli.evaluation.clips import LoadedClip
from jen1cli.evaluation.intervals import mean_interval
from jen1cli.evaluation.report import Cell, Table, evenly
from jen1cli.evaluation.sound import NOTE, compare, describe, find_places
from jen1cli.evaluation.studies.codec_under_test import WHOLE, CodecUnderTest
from jen1cli.evaluation.tagger.labels import style_family
from jen1cli.metrics.modulation import sine_modulation
from jen1cli.metrics.partials import steadiness
from jen1cli.metrics.signals import (
    SILENCE_DB,
    log_spectral_distance,
    mel_distance,
    si_sdr,
    side_level,
)

NOISES = (0.05, 0.1, 0.2, 0.4)  # standard deviations of the latent
LOSSES = (0.05, 0.1, 0.2)  # share of frames set to zero
MEASURES = ("SI-SDR, dB", "mel distance", "log-spectral distance, dB", "side level, dB off")
ORIGINAL = "original"
SINES: dict[str, tuple[float, ...]] = {  # Hz, by the name of their row
    "220-800 Hz": (220.0, 285.0, 370.0, 475.0, 615.0, 800.0),
    "1-4 kHz": (1000.0, 1320.0, 1740.0, 2300.0, 3030.0, 4000.0),
}
_SINE_SECONDS, _SINE_LEVEL = 3.0, 0.25
_WIDE_DB = -60.0  # side level from which stereo can be judged
_CURVE_CLIPS = 12


def measure(original: Signal, back: Signal, sample_rate: int) -> tuple[float, ...]:
    """Return the figures of `MEASURES`; the last is NaN for what is nearly mono."""
    side = side_level(original)
    off = abs(side_level(back) - side) if side > _WIDE_DB > SILENCE_DB else float("nan")
    return (
        si_sdr(original, back),
        mel_distance(original, back, sample_rate),
        log_spectral_distance(original, back),
        off,
    )


@dataclass(frozen=True)
class CodecRow:
    """One clip's figures, by way through the codec."""

    name: str
    style: str
    figures: dict[str, tuple[float, ...]]  # `MEASURES`
    heard: dict[str, dict[str, float]]  # measures of the sound itself, also of the original

    @classmethod
    def of(
        cls,
        one: LoadedClip,
        back: Mapping[str, Signal],
        linear: Mapping[str, Signal],
        frame_rate: float,
    ) -> "CodecRow":
        """Measure what came back of a clip.

        Args:
            one: the clip.
            back: its sound by way through the codec.
            linear: its sound by linear codec.
            frame_rate: frame rate of the latents, per second.
        """
        rate = one.sample_rate
        places = find_places(one.signal, rate)
        return cls(
            one.clip.name,
            str(one.clip.attributes.get("style", "")),
            {
                name: measure(one.signal, signal, rate)
                for name, signal in {**back, **linear}.items()
            },
            {
                name: {
                    **describe(signal, rate, frame_rate, places),
                    "steadiness of partials": steadiness(signal.mean(0), rate),
                    **compare(one.signal, signal, rate),
                }
                for name, signal in {ORIGINAL: one.signal, **back}.items()
            },
        )

    def facts(self) -> dict[str, object]:
        """Return JSON values."""
        return {
            "clip": self.name, "style": self.style, "heard": self.heard,
            **{name: dict(zip(MEASURES, own, strict=True)) for name, own in self.figures.items()},
        }  # fmt: skip


def show_distances(rows: Sequence[CodecRow], sizes: Mapping[str, int]) -> Table:
    """Show the distances of every way from the original."""
    columns = tuple(rows[0].figures)
    channels = ", ".join(f"{name}: {size} channels" for name, size in sizes.items())
    return Table(
        "codec",
        "What comes back",
        ("", *columns),
        tuple(
            (name, *(mean_interval([row.figures[c][place] for row in rows]) for c in columns))
            for place, name in enumerate(MEASURES)
        ),
        note=f"{channels}. Linear: lapped cosine transform and as many principal components, fitted"
        " to the other half of these clips. Side level only where the original is wider than -60"
        " dB. SI-SDR compares waveforms: a codec that rebuilds phases is far below 0 dB however it"
        " sounds.",
    )


def show_heard(rows: Sequence[CodecRow], references: str) -> Table:
    """Show attacks, tones and air of the original and of every way.

    Args:
        rows: one for each clip.
        references: what is said of the references among the ways.
    """
    columns = tuple(rows[0].heard)
    return Table(
        "heard",
        "Attacks, tones and air",
        ("", *columns),
        tuple(
            (name, *(mean_interval([row.heard[c][name] for row in rows]) for c in columns))
            for name in rows[0].heard[ORIGINAL]
        ),
        note=f"{NOTE} Attacks are those of the original. {references}",
    )


def show_sines(codec: CodecUnderTest) -> Table:
    """Pass steady sines through the codec and show the modulation that they come back with."""
    auto = codec.codec.autoencoder
    rates = [times * auto.frame_rate for times in (1, 2)]
    columns = codec.ways
    rows: list[tuple[Cell, ...]] = []
    for name, sines in SINES.items():
        found = [[_modulations(auto, way, hertz, rates) for way in columns.values()]
                 for hertz in sines]  # fmt: skip
        for rate, own in zip(rates, np.transpose(found), strict=True):
            rows.append((f"{name}, at {rate:.1f} Hz", *map(mean_interval, own)))
    return Table(
        "sines",
        "Modulation of steady sines, %",
        ("", *columns),
        tuple(rows),
        note="Depth of the amplitude modulation at the frame rate of the latents, the staircase,"
        " and at twice that; mean of six sines a row, of those above twice the rate. 0 is steady.",
    )


def _modulations(
    auto: Autoencoder, way: Callable[[Signal], Signal], hertz: float, rates: Sequence[float]
) -> list[float]:
    """Return the depths in percent at which a sine comes back modulated at the given rates."""
    t = np.arange(round(_SINE_SECONDS * auto.sample_rate)) / auto.sample_rate
    sine = (_SINE_LEVEL * np.sin(2 * np.pi * hertz * t)).astype(np.float32)
    back = way(np.repeat(sine[None], auto.audio_channels, axis=0)).mean(0)
    return [100 * sine_modulation(back, auto.sample_rate, hertz, rate) for rate in rates]


def show_styles(rows: Sequence[CodecRow]) -> list[Table]:
    """Tables of kinds of music, with intervals, and of single styles."""
    known = [row for row in rows if row.style]
    return [
        Table("families", "By kind of music", ("", *MEASURES, "clips"),
              _groups(known, lambda row: style_family(row.style)), plot="apart"),
        Table("styles", "By style", ("", *MEASURES, "clips"),
              _groups(known, lambda row: row.style)),
    ]  # fmt: skip


def _groups(
    rows: Sequence[CodecRow], group: Callable[[CodecRow], str]
) -> tuple[tuple[Cell, ...], ...]:
    lines: list[tuple[Cell, ...]] = []
    for name in sorted({group(row) for row in rows}):
        own = [row.figures[WHOLE] for row in rows if group(row) == name]
        figures = [mean_interval([row[i] for row in own]) for i in range(len(MEASURES))]
        cells = figures if len(own) > 1 else [found.value for found in figures]
        lines.append((name, *cells, str(len(own))))
    return tuple(lines)


def show_damage(codec: CodecUnderTest, heard: Sequence[LoadedClip]) -> list[Table]:
    """Damage latents with noise and lost frames."""
    generator = torch.Generator().manual_seed(0)
    some = evenly(heard, _CURVE_CLIPS)

    def through(sigma: float, share: float) -> list[float]:
        figures = []
        for one in some:
            latent = codec.encode(one.signal)
            noise = torch.randn(latent.shape, generator=generator).to(latent)
            spread = latent.std() if sigma else 1.0
            kept = torch.rand(latent.shape[-1], generator=generator) >= share
            damaged = (latent + sigma * spread * noise) * kept.to(latent)
            back = codec.decode(damaged, one.signal.shape[1])
            figures.append(measure(one.signal, back, one.sample_rate)[:3])
        return [float(value) for value in np.mean(figures, axis=0)]

    whole = through(0.0, 0.0)
    note = f"Mean of {len(some)} clips"
    return [
        Table(
            "robustness", "Noisy latents", ("noise", *MEASURES[:3]),
            (("0", *whole), *((f"{sigma:g}", *through(sigma, 0.0)) for sigma in NOISES)),
            note=f"{note}; noise in standard deviations of the whitened latent.", plot="curve",
        ),
        Table(
            "losses", "Lost frames", ("% lost", *MEASURES[:3]),
            (("0", *whole), *((f"{100 * share:g}", *through(0.0, share)) for share in LOSSES)),
            note=f"{note}; lost frames are set to zero.", plot="curve",
        ),
    ]  # fmt: skip


def show_speed(spent: Mapping[str, float], music: float) -> Table:
    """Show how fast each way is.

    Args:
        spent: seconds of computing by way.
        music: seconds of music that went through each.
    """
    return Table(
        "speed",
        "Speed of encoding and decoding, as here",
        ("", "times real time"),
        tuple((name, music / max(own, 1e-9)) for name, own in spent.items()),
    )
