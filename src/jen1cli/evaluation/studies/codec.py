"""`jen1 evaluate codec`: what survives the autoencoder, by style, and under damaged latents."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.autoencoder.codec import TENSORS_NAME, Codec, load_codec
from jen1cli.errors import DataError
from jen1cli.evaluation.analysis import steadiness
from jen1cli.evaluation.clips import HELD_OUT, LoadedClip, find_clips, load_clips
from jen1cli.evaluation.intervals import mean_interval
from jen1cli.evaluation.report import Cell, Report, Sample, Table, evenly
from jen1cli.evaluation.tagger.labels import style_family
from jen1cli.files import make_folder
from jen1cli.metrics.linear_codec import LinearCodec
from jen1cli.metrics.signals import (
    SILENCE_DB,
    log_spectral_distance,
    mel_distance,
    si_sdr,
    side_level,
)
from jen1cli.progress import Progress

NOISES = (0.05, 0.1, 0.2, 0.4)  # standard deviations of the latent
LOSSES = (0.05, 0.1, 0.2)  # share of frames set to zero
MEASURES = ("SI-SDR, dB", "mel distance", "log-spectral distance, dB", "side level, dB off")
WHOLE, WHITENED = "encode and decode", "as diffusion sees it"
_WIDE_DB = -60.0  # side level from which stereo can be scored
_CURVE_CLIPS = 12
_SHOWN = 6


@dataclass(frozen=True)
class CodecUnderTest:
    """A codec with the hash of its weights, and the two ways through it that are compared."""

    codec: Codec
    sha256: str

    @classmethod
    def load(cls, folder: Path) -> "CodecUnderTest":
        """Load from a weight set, or from the result of `jen1 train autoencoder`.

        Raises:
            CheckpointError: it is not there or damaged.
        """
        return cls(load_codec(folder), audio.digest(folder / TENSORS_NAME))

    @property
    def sizes(self) -> dict[str, int]:
        """Channels of the latent by what it is for: a file, and the diffusion model."""
        sizes = {WHOLE: self.codec.autoencoder.latent_channels}
        if self.codec.whitening.config.components < self.codec.autoencoder.latent_channels:
            sizes[WHITENED] = self.codec.whitening.config.components
        return sizes

    @torch.inference_mode()
    def through(self, signal: Signal) -> Signal:
        """Return what `jen1 encode` and `jen1 decode` make of a sound, [channels, samples]."""
        wave = torch.from_numpy(np.ascontiguousarray(signal))[None].to(self.codec.device)
        back = self.codec.autoencoder.decode(self.codec.autoencoder.encode(wave), signal.shape[1])
        return back[0].float().cpu().numpy()

    @torch.inference_mode()
    def encode(self, signal: Signal) -> torch.Tensor:
        """Return the whitened latent [1, components, frames]."""
        wave = torch.from_numpy(np.ascontiguousarray(signal))[None].to(self.codec.device)
        return self.codec.whitening.whiten(self.codec.autoencoder.encode(wave))

    @torch.inference_mode()
    def decode(self, latent: torch.Tensor, samples: int) -> Signal:
        """Return the sound of a whitened latent, [channels, samples]."""
        wave = self.codec.autoencoder.decode(self.codec.whitening.unwhiten(latent), samples)
        return wave[0].float().cpu().numpy()


@dataclass(frozen=True)
class CodecJob:
    """One evaluation of an autoencoder.

    Attributes:
        folder: of music.
        split: as `find_clips` takes it.
        limit: of clips.
        seconds: of each clip, from its middle.
        linear: whether the linear codec is computed beside it, from every clip's other half.
    """

    folder: Path
    split: str | None = HELD_OUT
    limit: int = 60
    seconds: float = 10.0
    linear: bool = True

    def run(
        self, codec: CodecUnderTest, output: Path | None, progress: Progress | None = None
    ) -> Report:
        """Measure, and write a few reconstructions beside the report.

        Raises:
            DataError: no clip counts.
        """
        clips, audit = find_clips(self.folder, split=self.split, limit=self.limit)
        heard = [self._fitted(one, codec) for one in load_clips(clips, audit)]
        if not heard:
            raise DataError(f"no clip of {self.folder} counts: {'; '.join(audit.warnings())}")
        linear = self._linear(codec, heard) if self.linear else None
        rows, spent, music = [], 0.0, 0.0
        report = Report("codec", settings=self._settings(codec, len(heard)))
        shown = {one.clip.path for one in evenly(heard, _SHOWN)}
        for number, one in enumerate(heard):
            began = time.perf_counter()
            back = {WHOLE: codec.through(one.signal)}
            spent, music = spent + time.perf_counter() - began, music + one.seconds
            if WHITENED in codec.sizes:
                back[WHITENED] = codec.decode(codec.encode(one.signal), one.signal.shape[1])
            rows.append(_Row.of(one, back, linear))
            if output is not None and one.clip.path in shown:
                report.samples += _save(output, one, back[WHOLE])
            if progress is not None:
                progress(number + 1, len(heard))
        report.tables = [
            _overall(rows, codec.sizes),
            *_by_style(rows),
            *_curves(codec, heard),
            Table(
                "speed", "Speed", ("", "times real time"),
                (("encode and decode, as here", music / max(spent, 1e-9)),),
            ),
        ]  # fmt: skip
        report.audits, report.warnings = [audit.facts()], audit.warnings()
        report.listeners = {"autoencoder": codec.sha256}
        report.clips = [row.facts() for row in rows]
        return report

    def _settings(self, codec: CodecUnderTest, clips: int) -> dict[str, object]:
        auto = codec.codec.autoencoder
        return {
            "model": codec.codec.config.name, "folder": self.folder, "split": self.split or "all",
            "clips": clips, "seconds": self.seconds,
            "frame_rate": auto.frame_rate, "channels": codec.sizes,
        }  # fmt: skip

    def _fitted(self, one: LoadedClip, codec: CodecUnderTest) -> LoadedClip:
        """Cut the middle out of a clip at the autoencoder's rate and layout."""
        auto = codec.codec.autoencoder
        wanted = audio.seconds_to_samples(self.seconds, one.sample_rate)
        start = max(0, (one.signal.shape[1] - wanted) // 2)
        signal = one.signal[:, start : start + wanted]
        signal = audio.resample(signal, one.sample_rate, auto.sample_rate)
        signal = audio.to_channels(signal, auto.audio_channels)
        return LoadedClip(one.clip, signal, auto.sample_rate)

    def _linear(self, codec: CodecUnderTest, heard: Sequence[LoadedClip]) -> "_Halves | None":
        if codec.codec.autoencoder.audio_channels != 2 or len(heard) < 4:
            return None
        hop = codec.codec.autoencoder.hop_length
        codecs = {
            name: tuple(
                LinearCodec.fit([one.signal for one in heard[turn::2]], hop, size)
                for turn in (1, 0)
            )
            for name, size in codec.sizes.items()
        }
        return _Halves(codecs, {one.clip.path: i % 2 for i, one in enumerate(heard)})


@dataclass(frozen=True)
class _Halves:
    """For every clip the linear codecs that were fitted to the other half of the clips."""

    codecs: dict[str, tuple[LinearCodec, ...]]  # of each size, by name
    half: dict[Path, int]

    def through(self, one: LoadedClip) -> dict[str, Signal]:
        half = self.half[one.clip.path]
        return {name: pair[half].through(one.signal) for name, pair in self.codecs.items()}


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
class _Row:
    """One clip's figures, each by column of the first table."""

    name: str
    style: str
    figures: dict[str, tuple[float, ...]]
    steady: dict[str, float]

    @classmethod
    def of(cls, one: LoadedClip, back: dict[str, Signal], linear: _Halves | None) -> "_Row":
        rate = one.sample_rate
        found = {name: measure(one.signal, signal, rate) for name, signal in back.items()}
        if linear is not None:
            for name, signal in linear.through(one).items():
                found[f"linear, {name}"] = measure(one.signal, signal, rate)
        sounds = {**back, "original": one.signal}
        return cls(
            one.clip.path.name,
            str(one.clip.attributes.get("style", "")),
            found,
            {name: steadiness(signal.mean(0), rate) for name, signal in sounds.items()},
        )

    def facts(self) -> dict[str, object]:
        return {
            "clip": self.name, "style": self.style, "steadiness": self.steady,
            **{name: dict(zip(MEASURES, own, strict=True)) for name, own in self.figures.items()},
        }  # fmt: skip


def _overall(rows: Sequence[_Row], sizes: Mapping[str, int]) -> Table:
    columns = tuple(rows[0].figures)
    lines: list[tuple[Cell, ...]] = [
        (measure_name, *(mean_interval([row.figures[c][place] for row in rows]) for c in columns))
        for place, measure_name in enumerate(MEASURES)
    ]
    steady = {c: mean_interval([row.steady[c] for row in rows]) for c in rows[0].steady}
    lines.append(("steadiness", *(steady.get(c) for c in columns)))
    channels = ", ".join(f"{name}: {size} channels" for name, size in sizes.items())
    return Table(
        "codec",
        "What comes back",
        ("", *columns),
        tuple(lines),
        note=f"{channels}. Linear: lapped cosine transform and as many principal components, fitted"
        " to the other half of these clips. Side level only where the original is wider than -60"
        " dB. SI-SDR compares waveforms: a codec that rebuilds phases is far below 0 dB however it"
        f" sounds. Steadiness of the originals: {steady['original'].value:.2f}.",
    )


def _by_style(rows: Sequence[_Row]) -> list[Table]:
    """Tables of kinds of music, with intervals, and of single styles."""
    known = [row for row in rows if row.style]
    return [
        Table("families", "By kind of music", ("", *MEASURES, "clips"),
              _groups(known, lambda row: style_family(row.style)), plot="apart"),
        Table("styles", "By style", ("", *MEASURES, "clips"),
              _groups(known, lambda row: row.style)),
    ]  # fmt: skip


def _groups(rows: Sequence[_Row], group: Callable[[_Row], str]) -> tuple[tuple[Cell, ...], ...]:
    lines: list[tuple[Cell, ...]] = []
    for name in sorted({group(row) for row in rows}):
        own = [row.figures[WHOLE] for row in rows if group(row) == name]
        figures = [mean_interval([row[i] for row in own]) for i in range(len(MEASURES))]
        cells = figures if len(own) > 1 else [found.value for found in figures]
        lines.append((name, *cells, str(len(own))))
    return tuple(lines)


def _curves(codec: CodecUnderTest, heard: Sequence[LoadedClip]) -> list[Table]:
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


def _save(output: Path, one: LoadedClip, back: Signal) -> list[Sample]:
    make_folder(output)
    stem = one.clip.path.stem
    found = []
    for what, signal in (("original", one.signal), ("back", back)):
        path = output / f"{stem}-{what}.ogg"
        audio.write(path, np.clip(signal, -1, 1).astype(np.float32), one.sample_rate)
        style = str(one.clip.attributes.get("style", ""))
        found.append(Sample(f"{stem} {style}: {what}", path))
    return found
