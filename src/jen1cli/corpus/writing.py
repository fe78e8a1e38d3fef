"""Writes data sets of synthetic music: a plain folder of FLAC files, or WebDataset shards.

Both can be interrupted at any time and resumed: finished clips are kept, no file is partially
written, and the result is byte-identical to that of an uninterrupted run.
"""

import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import soundfile

import jen1cli
from jen1cli.corpus.dataset import (
    CLIP_SECONDS,
    DatasetPlan,
    MadeClip,
    Pcm,
    in_order,
    make_plan,
)
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE
from jen1cli.corpus.scores import CORPUS_NAME, composed_score, place_of
from jen1cli.errors import DataError
from jen1cli.files import (
    add_to_tar,
    expand_user,
    explaining,
    leftovers,
    make_folder,
    write_text,
    writing,
)
from jen1cli.jsonfiles import parse_object, read_lines, read_object, short_json
from jen1cli.manifest import MANIFEST_NAME, SPLITS
from jen1cli.music.full_score import FullScore
from jen1cli.music.score_files import (
    SCORES_NAME,
    Place,
    parse_score_line,
    score_line,
    write_scores,
)

SHARD_CLIPS = 256  # clips in one block of shards (one shard per split)
BYTES_PER_SECOND = 150_000  # upper estimate of 16-bit FLAC; measured mean 120 kB
_JOURNAL = "manifest.partial.jsonl"
_SCORE_JOURNAL = "scores.partial.jsonl"
_SPARE_BYTES = 200 << 20

Line = dict[str, Any]
Made = tuple[Line, FullScore]


@dataclass(frozen=True)
class CorpusProgress:
    """Progress of making a data set."""

    clips: int  # finished, including those of earlier runs
    reused: int  # finished in earlier runs
    seconds: float  # seconds of finished music
    wanted_seconds: float


@dataclass
class _Tally:
    """Counts finished clips and reports the progress after each."""

    wanted_seconds: float
    on_clip: Callable[[CorpusProgress], None] | None
    lines: list[Line] = field(default_factory=list)
    seconds: float = 0.0
    reused: int = 0

    def add(self, line: Line, *, reused: bool) -> None:
        self.lines.append(line)
        self.seconds += line["seconds"]
        self.reused += reused
        if self.on_clip is not None:
            self.on_clip(self.progress)

    @property
    def progress(self) -> CorpusProgress:
        return CorpusProgress(len(self.lines), self.reused, self.seconds, self.wanted_seconds)

    @property
    def is_full(self) -> bool:
        return self.seconds >= self.wanted_seconds


def make(
    folder: Path,
    hours: float,
    seed: int = 1,
    workers: int = 1,
    *,
    styles: tuple[str, ...] = (),
    soundfont: Path | None = None,
    shards: bool = False,
    stems: bool = False,
    clip_seconds: float = CLIP_SECONDS,
    on_clip: Callable[[CorpusProgress], None] | None = None,
) -> CorpusProgress:
    """Make a data set of a number of hours, or complete or extend an existing one.

    Args:
        folder: target folder; created if missing.
        hours: hours of music; the last clip may exceed them.
        seed: seed of the data set.
        workers: number of processes; the result does not depend on it.
        styles: keys of `STYLES`; empty means all.
        soundfont: SoundFont file; None searches for an installed one.
        shards: write WebDataset tar files instead of single files.
        stems: also write drums, bass, harmony and melody (not into shards).
        clip_seconds: target length of a clip, 12 to 30.
        on_clip: called with the progress after every clip.

    Raises:
        DataError: there is no SoundFont, a style is unknown, the folder holds something else, or
            the disk is full.
    """
    if shards and stems:
        raise DataError("stems cannot be written into shards; leave out --shards or --stems")
    plan = make_plan(seed, styles, soundfont, stems=stems, clip_seconds=clip_seconds)
    folder = expand_user(folder).absolute()
    _check_folder(folder, plan, shards=shards)
    tally = _Tally(hours * 3600.0, on_clip)
    done = _read_journal(folder)
    missing = tally.wanted_seconds - sum(line["seconds"] for line in done.values())
    if missing <= 0 and not (folder / _JOURNAL).exists():
        for index in sorted(done):
            tally.add(done[index], reused=True)
        return tally.progress
    _check_disk(folder, missing, plan)
    with explaining(folder):
        if shards:
            _make_shards(folder, plan, workers, tally, done)
        else:
            _make_files(folder, plan, workers, tally, done)
    write_scores(folder / SCORES_NAME, _scores(folder, plan, tally.lines))
    text = "".join(_dump(line) for line in tally.lines)
    write_text(folder / MANIFEST_NAME, text)
    (folder / _SCORE_JOURNAL).unlink(missing_ok=True)
    (folder / _JOURNAL).unlink(missing_ok=True)
    return tally.progress


def _dump(line: Line) -> str:
    return json.dumps(line, ensure_ascii=False) + "\n"


@contextmanager
def _journal(folder: Path) -> Iterator[Callable[[Sequence[Made]], None]]:
    """Yield a function that appends finished clips to the journals, their scores first."""
    with (
        (folder / _JOURNAL).open("a", encoding="utf-8") as lines,
        (folder / _SCORE_JOURNAL).open("a", encoding="utf-8") as scores,
    ):

        def append(made: Sequence[Made]) -> None:
            scores.writelines(score_line(place_of(line), score) for line, score in made)
            scores.flush()
            lines.writelines(_dump(line) for line, _ in made)
            lines.flush()

        yield append


def _scores(
    folder: Path, plan: DatasetPlan, lines: list[Line]
) -> Iterator[tuple[Place, FullScore]]:
    """Yield the scores of all clips; one that no file has is composed again."""
    known: dict[Place, FullScore] = {}
    for path in (folder / SCORES_NAME, folder / _SCORE_JOURNAL):
        for where, text in read_lines(path) if path.is_file() else ():
            with suppress(DataError):  # a line cut off when the program was killed
                known.update([parse_score_line(text, where)])
    for line in lines:
        place = place_of(line)
        yield place, known.get(place) or composed_score(plan, line, str(folder / line["audio"]))


# --- existing folder ---


def _check_folder(folder: Path, plan: DatasetPlan, *, shards: bool) -> None:
    """Write the settings file of a new folder; refuse a folder with other settings or content."""
    facts = {
        "format": 1,
        "version": jen1cli.__version__,
        "seed": plan.seed,
        "styles": list(plan.styles),
        "soundfont": plan.soundfont.name if plan.soundfont else "",
        "shards": shards,
        "stems": plan.stems,
        "clip_seconds": plan.clip_seconds,
    }
    place = folder / CORPUS_NAME
    if place.is_file():
        there = read_object(place)
        for key, value in facts.items():
            if there.get(key) != value:
                raise DataError(
                    f"'{folder}' holds a corpus with another {key} ({short_json(there.get(key))},"
                    f" now {short_json(value)}); choose another folder or remove this one"
                )
        return
    if folder.exists() and (not folder.is_dir() or set(folder.iterdir()) - set(leftovers(place))):
        raise DataError(f"'{folder}' is not empty and no corpus; choose another folder")
    make_folder(folder)
    write_text(place, json.dumps(facts, indent=1) + "\n")


def _read_journal(folder: Path) -> dict[int, Line]:
    """Return the lines of finished clips by index; a truncated line is dropped."""
    done: dict[int, Line] = {}
    for name in (MANIFEST_NAME, _JOURNAL):
        path = folder / name
        if not path.is_file():
            continue
        for text in path.read_bytes().split(b"\n"):
            try:
                line = parse_object(text, path.name)
                done[int(line["index"])] = line
            except (ValueError, KeyError, TypeError):
                continue
    return done


def _check_disk(folder: Path, seconds: float, plan: DatasetPlan) -> None:
    needed = int(max(seconds, 0.0) * BYTES_PER_SECOND * (4 if plan.stems else 1)) + _SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if seconds > 0 and free < needed:
        raise DataError(
            f"'{folder}' has {free / 1e9:.1f} GB free and {seconds / 3600:.2f} hours need about "
            f"{needed / 1e9:.1f} GB; ask for fewer --hours or give another folder"
        )


def _facts(clip: MadeClip) -> Line:
    return {
        "captions": list(clip.captions),
        "seconds": round(clip.seconds, 6),
        "split": clip.split,
        "attributes": clip.attributes,
        "seed": clip.seed,
        "index": clip.index,
    }


# --- plain folders ---


@dataclass(frozen=True)
class _FileWriter:
    """Worker callback: writes a clip under temporary names; returns manifest line and score."""

    partial: Path

    def __call__(self, clip: MadeClip) -> Made:
        name = f"{clip.split}/{clip.index:06d}.flac"
        (self.partial / f"{clip.index:06d}.flac").write_bytes(to_flac(clip.pcm))
        line: Line = {"audio": name, **_facts(clip)}
        for stem, pcm in clip.stems.items():
            (self.partial / f"{clip.index:06d}.{stem}.flac").write_bytes(to_flac(pcm))
            line.setdefault("stems", {})[stem] = f"stems/{clip.split}/{clip.index:06d}/{stem}.flac"
        return line, clip.score


def to_flac(pcm: Pcm) -> bytes:
    """Encode 16-bit samples [2, samples] at 48 kHz as FLAC."""
    target = io.BytesIO()
    soundfile.write(target, pcm.T, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return target.getvalue()


def _make_files(
    folder: Path, plan: DatasetPlan, workers: int, tally: _Tally, done: dict[int, Line]
) -> None:
    partial = folder / ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for split in SPLITS:
        (folder / split).mkdir(exist_ok=True)
    done = {i: line for i, line in done.items() if (folder / line["audio"]).is_file()}
    made = in_order(_FileWriter(partial), _missing(done), plan, workers)
    try:
        with _journal(folder) as append:
            index, last = 0, max(done, default=-1)
            while not tally.is_full or index <= last:
                line = done.get(index)
                if line is None:
                    line, score = next(made)
                    _move_in(folder, partial, line)
                    append([(line, score)])
                tally.add(line, reused=index in done)
                index += 1
    finally:
        made.close()  # type: ignore[attr-defined]
        shutil.rmtree(partial, ignore_errors=True)


def _missing(done: dict[int, Line]) -> Iterator[int]:
    index = 0
    while True:
        if index not in done:
            yield index
        index += 1


def _move_in(folder: Path, partial: Path, line: Line) -> None:
    """Rename finished files; the mix last, because its existence marks the clip as complete."""
    name = f"{line['index']:06d}"
    for stem, target in line.get("stems", {}).items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        os.replace(partial / f"{name}.{stem}.flac", folder / target)
    os.replace(partial / f"{name}.flac", folder / line["audio"])


# --- shards ---


def _to_bytes(clip: MadeClip) -> tuple[Line, FullScore, bytes]:
    return _facts(clip), clip.score, to_flac(clip.pcm)


def _make_shards(
    folder: Path, plan: DatasetPlan, workers: int, tally: _Tally, done: dict[int, Line]
) -> None:
    for path in folder.glob(".*.tar"):  # temporary files of a killed run
        path.unlink()
    done = _whole_blocks(folder, done)
    made = in_order(_to_bytes, _missing(done), plan, workers)
    try:
        with _journal(folder) as append:
            block, last = 0, max(done, default=-1)
            while not tally.is_full or block * SHARD_CLIPS <= last:
                first = block * SHARD_CLIPS
                if first in done:
                    for index in range(first, first + SHARD_CLIPS):
                        tally.add(done[index], reused=True)
                else:
                    append(_make_block(folder, block, made, tally))
                block += 1
    finally:
        made.close()  # type: ignore[attr-defined]


def _whole_blocks(folder: Path, done: dict[int, Line]) -> dict[int, Line]:
    """Return the lines of complete blocks whose tar files all exist."""
    kept: dict[int, Line] = {}
    for first in range(0, max(done, default=-1) + 1, SHARD_CLIPS):
        indices = range(first, first + SHARD_CLIPS)
        if all(i in done and (folder / done[i]["audio"]).is_file() for i in indices):
            kept |= {i: done[i] for i in indices}
    return kept


def _make_block(
    folder: Path, block: int, made: Iterator[tuple[Line, FullScore, bytes]], tally: _Tally
) -> list[Made]:
    """Write the shards of one block, one for each of its splits; return lines and scores."""
    finished: list[Made] = []
    tars: dict[str, tarfile.TarFile] = {}
    with ExitStack() as stack:
        for _ in range(SHARD_CLIPS):
            facts, score, audio = next(made)
            name = f"{facts['split']}-{block:06d}.tar"
            if name not in tars:
                path = stack.enter_context(writing(folder / name))
                tars[name] = stack.enter_context(
                    tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)
                )
            offset = add_to_tar(tars[name], f"{facts['index']:06d}.flac", audio)
            text = json.dumps(facts, ensure_ascii=False).encode()
            add_to_tar(tars[name], f"{facts['index']:06d}.json", text)
            line = {"audio": name, "offset": offset, "size": len(audio), **facts}
            finished.append((line, score))
            tally.add(line, reused=False)
            if tally.is_full:
                break
    return finished
