"""`jen1 evaluate codec`: reconstruction quality of the autoencoder, by style and latent damage."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.errors import DataError
from jen1cli.evaluation.clips import HELD_OUT, LoadedClip, find_clips, load_clips
from jen1cli.evaluation.report import Report, ReportClip, evenly
from jen1cli.evaluation.studies.codec_tables import (
    CodecRow,
    show_damage,
    show_distances,
    show_heard,
    show_sines,
    show_speed,
    show_styles,
)
from jen1cli.evaluation.studies.codec_under_test import WHOLE, CodecUnderTest
from jen1cli.files import make_folder
from jen1cli.metrics.linear_codec import LinearCodec
from jen1cli.progress import Progress

_SHOWN = 6


@dataclass(frozen=True)
class CodecJob:
    """One evaluation of an autoencoder.

    Attributes:
        folder: folder of music.
        split: as in `find_clips`.
        limit: largest number of clips.
        seconds: length taken from the middle of each clip.
        linear: whether to compare with linear codecs, each fitted to the other half of the clips.
    """

    folder: Path
    split: str | None = HELD_OUT
    limit: int = 60
    seconds: float = 10.0
    linear: bool = True

    def run(
        self, codec: CodecUnderTest, output: Path | None, progress: Progress | None = None
    ) -> Report:
        """Evaluate the codec, and write some reconstructions to the folder of the report.

        Raises:
            DataError: there is no usable clip.
        """
        clips, audit = find_clips(self.folder, split=self.split, limit=self.limit)
        heard = [self._fitted(one, codec) for one in load_clips(clips, audit)]
        if not heard:
            raise DataError(f"no clip of {self.folder} counts: {'; '.join(audit.warnings())}")
        linear = self._linear(codec, heard) if self.linear else None
        rows, ways = [], codec.ways
        spent = dict.fromkeys(ways, 0.0)  # seconds
        report = Report("codec", settings=self._settings(codec, len(heard)))
        shown = {one.clip.path for one in evenly(heard, _SHOWN)}
        for number, one in enumerate(heard):
            back = {}
            for name, way in ways.items():
                began = time.perf_counter()
                back[name] = way(one.signal)
                spent[name] += time.perf_counter() - began
            beside = {} if linear is None else linear.through(one)
            rows.append(CodecRow.of(one, back, beside, codec.codec.autoencoder.frame_rate))
            if output is not None and one.clip.path in shown:
                report.samples += _save(output, one, back[WHOLE])
            if progress is not None:
                progress(number + 1, len(heard))
        report.tables = [
            show_distances(rows, codec.sizes),
            show_heard(rows, codec.references_note),
            show_sines(codec),
            *show_styles(rows),
            *show_damage(codec, heard),
            show_speed(spent, sum(one.seconds for one in heard)),
        ]
        report.audits, report.warnings = [audit.facts()], audit.warnings()
        report.judges = {"autoencoder": codec.sha256}
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
        """Return the middle of a clip at the autoencoder's sample rate and number of channels."""
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
    """Linear codecs fitted to each half of the clips, for use on the other half."""

    codecs: dict[str, tuple[LinearCodec, ...]]  # name of a latent size -> codec for each half
    half: dict[Path, int]

    def through(self, one: LoadedClip) -> dict[str, Signal]:
        half = self.half[one.clip.path]
        return {
            f"linear, {name}": pair[half].through(one.signal) for name, pair in self.codecs.items()
        }


def _save(output: Path, one: LoadedClip, back: Signal) -> list[ReportClip]:
    make_folder(output)
    stem = one.clip.path.stem
    found = []
    for what, signal in (("original", one.signal), ("back", back)):
        path = output / f"{stem}-{what}.ogg"
        audio.write(path, np.clip(signal, -1, 1).astype(np.float32), one.sample_rate)
        style = str(one.clip.attributes.get("style", ""))
        found.append(ReportClip(f"{stem} {style}: {what}", path))
    return found
