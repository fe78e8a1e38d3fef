"""A listening test in one HTML page: blind, randomised, keyboard-friendly; and its evaluation.

Two questions, as the paper asks (section V): T2M-QLT, how good does it sound, and T2M-ALI, how well
does it fit the words, each from 1 to 100. The page holds all sound inside, shuffles for every
listener, hides which system made what behind a code, and saves a JSON.
"""

import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jen1cli import audio
from jen1cli.config import from_dict
from jen1cli.errors import ConfigError, DataError
from jen1cli.evaluation.clips import Audit, LoadedClip, find_clips, load_clips
from jen1cli.evaluation.intervals import Estimate, mean_interval, statistic_interval
from jen1cli.evaluation.report import Report, Table
from jen1cli.files import writing
from jen1cli.jsonfiles import JsonError, read_object
from jen1cli.manifest import Clip
from jen1cli.pages.html import render, sound_uri

FORMAT = "jen1-listening/1"
QUESTIONS = {"quality": "T2M-QLT", "alignment": "T2M-ALI"}
_LARGEST_MB = 60.0
_LOUDNESS = -16.0  # LUFS that every clip is brought to, so that louder is not better


@dataclass(frozen=True)
class System:
    """One folder of clips under test."""

    name: str
    folder: Path


@dataclass(frozen=True)
class ListenJob:
    """One page to be made.

    Attributes:
        systems: what is compared.
        clips: of each system; the same prompts where the folders share captions.
        seconds: of each clip.
        seed: of the codes and of which clips are taken.
    """

    systems: Sequence[System]
    clips: int = 10
    seconds: float = 10.0
    seed: int = 0

    def write(self, path: Path, *, overwrite: bool = True) -> "Written":
        """Write the page and, beside it, the key `NAME.key.json` that says who made what.

        Args:
            path: of the page; it appears after its key, so there is no page without one.
            overwrite: whether files of these names are replaced.

        Raises:
            DataError: a folder has no clips with captions, or the page would be too large.
            OutputError: the files cannot be written.
        """
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
        for system, (clips, audit) in zip(self.systems, found, strict=True):
            for heard in self._choose(system, clips, audit, shared):
                name = heard.clip.path.name
                code = hashlib.sha256(f"{study} {system.name} {name}".encode()).hexdigest()[:10]
                stop = audio.seconds_to_samples(self.seconds, heard.sample_rate)
                signal = levelled(heard.signal[:, :stop], heard.sample_rate)
                items.append(
                    {
                        "code": code, "prompt": heard.clip.captions[0], "system": system.name,
                        "clip": name,
                        "sound": sound_uri(signal, heard.sample_rate),
                    }
                )  # fmt: skip
        np.random.default_rng(self.seed).shuffle(items)  # type: ignore[arg-type]
        shown = [{key: item[key] for key in ("code", "prompt", "sound")} for item in items]
        values = {"format": FORMAT, "study": study, "items": shown}
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
        with (
            writing(path, overwrite=overwrite) as page,
            writing(key_path(path), overwrite=overwrite) as key_file,
        ):
            page.write_text(text, encoding="utf-8", errors="backslashreplace")
            key_file.write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")
        return Written(path, [audit for _, audit in found], remarks)

    def _choose(
        self, system: System, clips: Sequence[Clip], audit: Audit, shared: set[str]
    ) -> list[LoadedClip]:
        """Hear the clips of one system: of prompts that all systems have, where there are any."""
        captions = sorted(shared or {clip.captions[0] for clip in clips})
        order = np.random.default_rng(self.seed).permutation(len(captions))
        places = {captions[place]: turn for turn, place in enumerate(order)}
        first: dict[str, Clip] = {}
        for clip in clips:
            if clip.captions[0] in places:
                first.setdefault(clip.captions[0], clip)
        audit.fewest = 0  # a page is short
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
class Written:
    """A page that was made."""

    path: Path
    audits: list[Audit]
    remarks: list[str]  # what the maker of the test should know


def levelled(signal: audio.Signal, sample_rate: int) -> audio.Signal:
    """Bring a clip to one loudness without clipping."""
    gain = 10 ** ((_LOUDNESS - audio.loudness(signal, sample_rate)) / 20)
    peak = float(np.abs(signal).max(initial=1e-9))
    return (signal * min(gain, 0.98 / peak)).astype(np.float32)


def key_path(page: Path) -> Path:
    """Return where the key of a page lies."""
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
    """Read the JSONs that listeners sent.

    Args:
        paths: JSON files, or folders of them.
        key: the page's key.

    Returns:
        the ratings, and what was wrong with files that were left out.

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
    """What the key tells of one sound of the page."""

    system: str
    clip: str
    prompt: str = ""


def _read_key(path: Path) -> tuple[object, dict[str, _Item]]:
    """Return what names the page, and its sounds by their codes."""
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
    """Turn ratings into means with intervals, over listeners as the independent unit."""
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
    """Mean over all ratings; the bootstrap draws listeners, not ratings."""
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
    """Compare systems within listeners, which takes out how generous each one is."""
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
