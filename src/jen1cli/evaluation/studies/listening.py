"""Blind, randomised listening test in one HTML page, usable by keyboard; and its evaluation.

Listeners rate two properties from 1 to 100, as in the paper (section V): sound quality (T2M-QLT)
and alignment with the text (T2M-ALI). The page embeds all sounds, shuffles them for each listener,
hides the systems behind codes, and saves the ratings as JSON.
"""

import hashlib
import json
import os
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from jen1cli import audio
from jen1cli.errors import ConfigError, DataError
from jen1cli.evaluation.clips import Audit, LoadedClip, find_clips, load_clips
from jen1cli.evaluation.intervals import Estimate, mean_interval, statistic_interval
from jen1cli.evaluation.report import Report, Table
from jen1cli.files import encoded, writing_together
from jen1cli.jsonfiles import JsonError, read_object
from jen1cli.manifest import Clip
from jen1cli.pages.html import render, sound_uri
from jen1cli.typed_json import from_dict

FORMAT = "jen1-listening/1"
QUESTIONS = {"quality": "T2M-QLT", "alignment": "T2M-ALI"}
_ASKED = (
    {"name": "quality", "label": "Quality", "key": "Q"},
    {"name": "alignment", "label": "Fit to the words", "key": "F"},
)
_LARGEST_MB = 60.0
_LOUDNESS = -16.0  # LUFS of every clip, so that loudness does not influence the ratings


@dataclass(frozen=True)
class System:
    """One system under test: a folder of its clips."""

    name: str
    folder: Path


@dataclass(frozen=True)
class ListenJob:
    """Settings of a listening test.

    Attributes:
        systems: systems to compare.
        clips: number of clips per system; with the same prompts if the folders share captions.
        seconds: largest length of a clip.
        seed: seed of the codes and of the choice of clips.
        together: whether the clips of one caption are heard side by side and rated for quality
            alone, all with the same gain.
    """

    systems: Sequence[System]
    clips: int = 10
    seconds: float = 10.0
    seed: int = 0
    together: bool = False

    def write(self, path: Path, *, overwrite: bool = True) -> "WrittenPage":
        """Write the page and the key `NAME.key.json`, which maps codes to systems.

        Args:
            path: file of the page; it is written after the key, so there is no page without one.
            overwrite: whether to replace existing files.

        Raises:
            DataError: a folder has no clips with captions, or the page would be too large.
            OutputError: the files cannot be written.
        """
        chosen: list[_Chosen] = []
        items, remarks = [], []
        study = secrets.token_hex(6)
        found = [find_clips(system.folder) for system in self.systems]
        shared = set.intersection(*({clip.captions[0] for clip in clips} for clips, _ in found))
        if not shared:
            remarks.append(
                "the systems share no caption, so each is heard with its own; music made for the"
                " same prompts compares better"
            )
        elif len(shared) < self.clips:
            remarks.append(f"only {len(shared)} captions are shared by all systems")
        if self.together and not shared:
            raise DataError(
                "the folders share no caption, by which clips are heard together; give versions of"
                " the same music, or leave out --together"
            )
        for system, (clips, audit) in zip(self.systems, found, strict=True):
            for heard in self._choose(system, clips, audit, shared):
                name = heard.clip.name
                identity = os.fsencode(f"{study} {system.name} {name}")
                stop = audio.seconds_to_samples(self.seconds, heard.sample_rate)
                signal = heard.signal[:, :stop].copy()
                chosen.append(
                    _Chosen(_code(identity), system.name, heard.clip, signal, heard.sample_rate)
                )
        for one in chosen:
            alike = [other for other in chosen if other.prompt == one.prompt]
            gain = min(other.gain for other in alike) if self.together else one.gain
            item = {
                "code": one.code, "prompt": one.prompt, "system": one.system,
                "clip": one.clip.name, "sound": sound_uri(one.signal * gain, one.sample_rate),
            }  # fmt: skip
            if self.together:
                item["group"] = _code(os.fsencode(f"{study} {one.prompt}"))
            items.append(item)
        np.random.default_rng(self.seed).shuffle(items)  # type: ignore[arg-type]
        shown = [{k: v for k, v in item.items() if k not in ("system", "clip")} for item in items]
        asked = _ASKED[:1] if self.together else _ASKED
        values = {
            "format": FORMAT, "study": study, "items": shown, "questions": asked,
            "grouped": self.together,
        }  # fmt: skip
        text = render("listening.html", title="Listening test", study=values)
        if len(text) > _LARGEST_MB * 1e6:
            raise DataError(
                f"the page would have {len(text) / 1e6:.0f} MB, more than browsers like; take fewer"
                " --clips or --seconds"
            )
        key = {
            "format": FORMAT, "study": study,
            "items": {i["code"]: {k: i[k] for k in ("system", "clip", "prompt")} for i in items},
        }  # fmt: skip
        with writing_together(path, key_path(path), overwrite=overwrite) as (page, key_file):
            page.write_bytes(encoded(text))
            key_file.write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")
        return WrittenPage(path, [audit for _, audit in found], remarks)

    def _choose(
        self, system: System, clips: Sequence[Clip], audit: Audit, shared: set[str]
    ) -> list[LoadedClip]:
        """Read the clips of one system, of prompts that all systems share if there are any."""
        captions = sorted(shared or {clip.captions[0] for clip in clips})
        order = np.random.default_rng(self.seed).permutation(len(captions))
        places = {captions[place]: turn for turn, place in enumerate(order)}
        first: dict[str, Clip] = {}
        for clip in clips:
            if clip.captions[0] in places:
                first.setdefault(clip.captions[0], clip)
        audit.fewest = 0  # few clips suffice for a listening test
        heard: list[LoadedClip] = []
        for one in load_clips(sorted(first.values(), key=lambda c: places[c.captions[0]]), audit,
                          words=True):  # fmt: skip
            heard.append(one)
            if len(heard) == self.clips:
                break
        if not heard:
            raise DataError(
                f"{system.folder} has no clip with a caption ({'; '.join(audit.warnings())});"
                " listeners must know what was asked for"
            )
        return heard


@dataclass(frozen=True)
class _Chosen:
    """One clip of the test."""

    code: str
    system: str
    clip: Clip
    signal: audio.Signal
    sample_rate: int

    @property
    def prompt(self) -> str:
        return self.clip.captions[0]

    @cached_property
    def gain(self) -> float:
        return levelling_gain(self.signal, self.sample_rate)


def _code(identity: bytes) -> str:
    return hashlib.sha256(identity).hexdigest()[:10]


@dataclass(frozen=True)
class WrittenPage:
    """Result of writing a page."""

    path: Path
    audits: list[Audit]
    remarks: list[str]  # notes for the author of the test


def levelling_gain(signal: audio.Signal, sample_rate: int) -> float:
    """Return the factor that brings a clip to `_LOUDNESS` without clipping."""
    gain = audio.db_to_amplitude(_LOUDNESS - audio.loudness(signal, sample_rate))
    peak = float(np.abs(signal).max(initial=1e-9))
    return float(min(gain, 0.98 / peak))


def key_path(page: Path) -> Path:
    """Return the path of a page's key."""
    return page.with_suffix(".key.json")


# --- results ---


@dataclass(frozen=True)
class Rating:
    """One answer of one listener."""

    listener: str
    system: str
    clip: str
    scores: dict[str, float]  # quality, alignment


def read_results(paths: Sequence[Path], key: Path) -> tuple[list[Rating], list[str]]:
    """Read the JSON files of listeners.

    Args:
        paths: JSON files, or folders of them.
        key: the page's key.

    Returns:
        the ratings, and the problems of files that were left out.

    Raises:
        DataError: the key is unreadable, or no file can be used.
    """
    study, items = _read_key(key)
    ratings: list[Rating] = []
    problems: list[str] = []
    seen: dict[str, str] = {}
    for path in _json_files(paths, key):
        try:
            answers = read_object(path)
        except (OSError, JsonError) as error:
            problems.append(error.fault if isinstance(error, JsonError) else str(error))
            continue
        if answers.get("format") != FORMAT:
            problems.append(f"{path.name} is no result of a listening test")
        elif answers.get("study") != study:
            problems.append(f"{path.name} belongs to another page")
        elif str(answers.get("listener")) in seen:
            problems.append(f"{path.name} repeats {seen[str(answers['listener'])]}")
        elif "ratings" not in answers:
            problems.append(f"{path.name} is the key of the page, or has no ratings")
        else:
            listener = str(answers.get("listener"))
            seen[listener] = path.name
            ratings += _ratings(path, listener, answers.get("ratings"), items, problems)
    if not ratings:
        raise DataError(
            f"no ratings found ({'; '.join(problems) or 'no files'}); give the saved JSON files"
        )
    return ratings, problems


def _json_files(paths: Sequence[Path], key: Path) -> list[Path]:
    found = []
    for path in paths:
        found += sorted(path.glob("*.json")) if path.is_dir() else [path]
    hidden = [path for path in found if path.name.startswith(".") and path not in paths]
    return [p for p in found if p.absolute() != key.absolute() and p not in hidden]


@dataclass(frozen=True)
class _Item:
    """Entry of the key about one sound of the page."""

    system: str
    clip: str
    prompt: str = ""


def _read_key(path: Path) -> tuple[object, dict[str, _Item]]:
    """Return the identifier of the page, and its sounds by code."""
    try:
        key = read_object(path)
        if key.get("format") != FORMAT or not isinstance(key.get("items"), dict):
            raise ConfigError("it has another format")
        items = {
            code: from_dict(_Item, item, f"items.{code}", complete=False)
            for code, item in key["items"].items()
        }
    except (OSError, JsonError, ConfigError) as error:
        raise DataError(
            f"{path} is no key of a listening test ({error}); give the .key.json beside the page"
        ) from error
    return key.get("study"), items


def _ratings(
    path: Path, listener: str, answers: object, items: dict[str, _Item], problems: list[str]
) -> list[Rating]:
    found, strange = [], 0
    for code, scores in answers.items() if isinstance(answers, dict) else ():
        item = items.get(code)
        valid = {
            name: float(value)
            for name, value in (scores.items() if isinstance(scores, dict) else ())
            if name in QUESTIONS and _is_score(value)
        }
        if item is None or not valid:
            strange += 1
            continue
        found.append(Rating(listener, item.system, item.clip, valid))
    if strange:
        problems.append(f"{strange} answers of {path.name} are not of this page or not 1 to 100")
    return found


def _is_score(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 100


def summarize(ratings: Sequence[Rating], problems: Sequence[str]) -> Report:
    """Return a report of mean ratings with intervals; listeners are the independent units."""
    systems = sorted({rating.system for rating in ratings})
    listeners = {rating.listener for rating in ratings}
    report = Report("listening", settings={"listeners": len(listeners), "ratings": len(ratings)})
    report.warnings = list(problems)
    if len(listeners) < 5:
        report.warnings.append(f"{len(listeners)} listeners are few; the intervals are wide")
    rows = []
    for system in systems:
        own = [rating for rating in ratings if rating.system == system]
        clips = len({rating.clip for rating in own})
        rows.append((system, *(_mean(own, name) for name in QUESTIONS), str(clips)))
    report.tables = [
        Table(
            "listening",
            "Listening test",
            ("system", *QUESTIONS.values(), "clips"),
            tuple(rows),
            note="1 to 100; means with 95 % intervals, listeners drawn anew in each bootstrap.",
            plot="together",
            top=100.0,
        )
    ]
    if len(systems) > 1:
        report.tables.append(_differences(ratings, systems))
    return report


def _mean(ratings: Sequence[Rating], question: str) -> Estimate:
    """Return the mean over all ratings; the bootstrap resamples listeners, not ratings."""
    groups: dict[str, list[float]] = defaultdict(list)
    for rating in ratings:
        if question in rating.scores:
            groups[rating.listener].append(rating.scores[question])
    lists = list(groups.values())
    if len(lists) < 2:
        return mean_interval([value for values in lists for value in values])
    sums = np.array([sum(values) for values in lists])
    counts = np.array([len(values) for values in lists])
    return statistic_interval(lambda drawn: sums[drawn].sum() / counts[drawn].sum(), len(lists))


def _differences(ratings: Sequence[Rating], systems: Sequence[str]) -> Table:
    """Compare systems within listeners, which removes each listener's rating bias."""
    rows = []
    for a, b in ((a, b) for i, a in enumerate(systems) for b in systems[i + 1 :]):
        cells = []
        for question in QUESTIONS:
            gaps = []
            for listener in sorted({rating.listener for rating in ratings}):
                means = [
                    np.mean(values)
                    for system in (a, b)
                    if (values := [
                        r.scores[question]
                        for r in ratings
                        if (r.listener, r.system) == (listener, system) and question in r.scores
                    ])
                ]  # fmt: skip
                if len(means) == 2:
                    gaps.append(float(means[0] - means[1]))
            cells.append(mean_interval(gaps))
        rows.append((f"{a} minus {b}", *cells))
    return Table("differences", "Differences", ("", *QUESTIONS.values()), tuple(rows))
