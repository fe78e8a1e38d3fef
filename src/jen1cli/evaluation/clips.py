"""Reads folders of audio for evaluation, clip by clip, and records unusable clips.

A clip that is silent, too short, unreadable, without a caption, or whose sample rate differs from
the others is left out of the scores that it would distort, and every report lists it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.descriptions import caption_from_name
from jen1cli.errors import AudioError, DataError
from jen1cli.manifest import Clip, read_folder
from jen1cli.metrics.signals import level

Problem = Literal[
    "unreadable", "silent", "too short", "wrong sample rate", "without caption", "missing"
]

SILENT_DB = -70.0  # root mean square, dB of full scale, below which a clip is silent
SHORTEST_SECONDS = 1.0
FEWEST_CLIPS = 20  # with fewer clips, scores of a set are called unreliable
HELD_OUT = "held-out"
"""Name of the test split, or of all clips of a folder without splits."""


@dataclass(frozen=True)
class LoadedClip:
    """One clip with its audio."""

    clip: Clip
    signal: Signal  # float32 [channels, samples]
    sample_rate: int  # Hz

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.signal.shape[1] / self.sample_rate


@dataclass
class Audit:
    """Problems found in a folder of clips."""

    folder: str
    clips: int = 0  # number of clips found
    used: int = 0
    problems: dict[str, list[str]] = field(default_factory=dict)  # kind -> names of files
    fewest: int = FEWEST_CLIPS  # least number of clips for reliable scores
    remarks: list[str] = field(default_factory=list)  # notes on the choice of clips

    def note(self, problem: Problem, name: str) -> None:
        """Record a problem of a file."""
        self.problems.setdefault(problem, []).append(name)

    def warnings(self) -> list[str]:
        """Return one line per kind of problem, with the first file names."""
        lines = list(self.remarks)
        for problem, names in self.problems.items():
            shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
            lines.append(f"{len(names)} of {self.clips} clips in {self.folder} {problem}: {shown}")
        if 0 < self.used < self.fewest:
            lines.append(
                f"only {self.used} clips of {self.folder} count; figures of fewer than"
                f" {self.fewest} are unreliable"
            )
        return lines

    def facts(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "folder": self.folder,
            "clips": self.clips,
            "used": self.used,
            "problems": {kind: sorted(names) for kind, names in self.problems.items()},
        }


def read_clip(clip: Clip) -> tuple[Signal, int]:
    """Read a clip's audio, [channels, samples], and its sample rate.

    Raises:
        AudioError: the file cannot be read.
    """
    source = clip.source
    return audio.read(source), audio.probe(source).sample_rate


def has_caption(clip: Clip) -> bool:
    """Whether the clip has a caption other than its file name."""
    own = caption_from_name(Path(clip.name).stem)
    return clip.captions != (own,) and bool(clip.captions[0].strip())


def find_clips(
    folder: Path, *, split: str | None = None, limit: int | None = None
) -> tuple[list[Clip], Audit]:
    """List the clips of a folder; the audit names those that are unreadable.

    Args:
        folder: with a manifest, or with audio files.
        split: train, validation or test; `HELD_OUT`; None takes every clip.
        limit: number of clips, evenly spaced; None takes all.

    Raises:
        DataError: there are no clips, or none of that split.
    """
    audit = Audit(str(folder))
    broken: list[Path] = []
    try:
        clips = read_folder(folder, on_skip=lambda path, reason: broken.append(path))
    except DataError:
        if not broken:
            raise
        clips = []
    for path in broken:
        audit.note("unreadable", path.name)
    if split == HELD_OUT:
        split = "test" if any(clip.split_named for clip in clips) else None
        if split is None and clips:
            audit.remarks.append(
                f"{folder} names no splits: all of its {len(clips)} clips are taken, also those"
                " that a training may have seen"
            )
    if split is not None:
        clips = _of_split(clips, split, folder)
    if limit is not None and len(clips) > limit:
        clips = [clips[i * len(clips) // limit] for i in range(limit)]
    audit.clips = len(clips) + len(broken)
    return clips, audit


def _of_split(clips: Sequence[Clip], split: str, folder: Path) -> list[Clip]:
    """Return the clips of one split; raise `DataError` if there are none."""
    found = [clip for clip in clips if clip.split == split]
    if clips and not found:
        counts = Counter(clip.split for clip in clips)
        there = ", ".join(f"{name} ({count} clips)" for name, count in counts.items())
        raise DataError(f"no clips of split '{split}' in {folder}; it has {there}: choose of these")
    return found


def load_clips(
    clips: Sequence[Clip], audit: Audit, *, sample_rate: int | None = None, words: bool = False
) -> Iterator[LoadedClip]:
    """Yield clips with their audio; unusable ones are recorded in the audit instead.

    Args:
        clips: result of `find_clips`.
        audit: record of problems, filled while reading.
        sample_rate: required rate in Hz; None is the most common one.
        words: whether to leave out clips without a caption.
    """
    wanted = sample_rate or usual_rate(clips)
    for clip in clips:
        name = clip.name
        try:
            signal, rate = read_clip(clip)
        except AudioError:
            audit.note("unreadable", name)
            continue
        if signal.shape[1] < SHORTEST_SECONDS * rate:
            audit.note("too short", name)
        elif level(signal) < SILENT_DB:
            audit.note("silent", name)
        elif rate != wanted:
            audit.note("wrong sample rate", name)
        elif words and not has_caption(clip):
            audit.note("without caption", name)
        else:
            audit.used += 1
            yield LoadedClip(clip, signal, rate)


def usual_rate(clips: Sequence[Clip]) -> int:
    """Return the most common sample rate of the first hundred clips; 48000 without clips."""
    rates: Counter[int] = Counter()
    for clip in clips[:100]:
        try:
            rates[audio.probe(clip.source).sample_rate] += 1
        except AudioError:
            continue
    return rates.most_common(1)[0][0] if rates else 48_000
