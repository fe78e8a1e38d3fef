"""Statistics of a folder of music: hours, styles, tempi, keys, words."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jen1cli.manifest import Clip

_WORD = re.compile(r"[\w'&#♯♭-]*\w")
_SHOWN = 24


@dataclass(frozen=True)
class Statistics:
    """Counts over a folder; each table maps a name to a number of clips."""

    clips: int
    hours: float
    captions: int
    words_per_caption: float
    vocabulary: int  # distinct words in all captions
    tables: dict[str, dict[str, int]]


def measure(clips: Sequence[Clip]) -> Statistics:
    """Compute the statistics of clips from their attributes and captions."""
    captions = [caption for clip in clips for caption in clip.captions]
    words = Counter(word for caption in captions for word in _WORD.findall(caption.lower()))
    facts = [clip.attributes for clip in clips]
    tables = {
        "splits": _count(clip.split for clip in clips),
        "lengths (seconds)": _ranges((clip.seconds for clip in clips), 5.0),
        "styles": _count(_text(fact.get("style")) for fact in facts),
        "tempi (bpm)": _ranges((fact.get("bpm") for fact in facts), 20.0),
        "keys": _count(_key(fact) for fact in facts),
        "meters": _count(_text(fact.get("meter")) for fact in facts),
        "instruments": _count(name for fact in facts for name in _list(fact, "instruments")),
        "moods": _count(name for fact in facts for name in _list(fact, "moods")),
        "drums": _count(
            "with drums" if fact["drums"] else "no drums" for fact in facts if "drums" in fact
        ),
    }
    return Statistics(
        len(clips),
        sum(clip.seconds for clip in clips) / 3600.0,
        len(captions),
        sum(words.values()) / max(1, len(captions)),
        len(words),
        {title: counts for title, counts in tables.items() if counts},
    )


def as_json(statistics: Statistics) -> dict[str, Any]:
    """Return plain JSON values."""
    return asdict(statistics)


def choose(clips: Sequence[Clip], count: int) -> list[Clip]:
    """Choose clips for inspection, each style in turn."""
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(_text(clip.attributes.get("style")), []).append(clip)
    chosen: list[Clip] = []
    turn = 0
    while len(chosen) < min(count, len(clips)):
        for name in sorted(groups):
            if turn < len(groups[name]) and len(chosen) < count:
                chosen.append(groups[name][turn])
        turn += 1
    return chosen


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(facts: dict[str, Any], key: str) -> list[str]:
    value = facts.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _key(facts: dict[str, Any]) -> str:
    return f"{_text(facts.get('key'))} {_text(facts.get('mode'))}".strip()


def _count(names: Iterable[str]) -> dict[str, int]:
    counts = Counter(name for name in names if name)
    return dict(sorted(counts.most_common(_SHOWN), key=lambda item: (-item[1], item[0])))


def _ranges(values: Iterable[object], width: float) -> dict[str, int]:
    counts = Counter(
        int(value // width) for value in values if isinstance(value, int | float) and value > 0
    )
    return {f"{n * width:g}-{(n + 1) * width:g}": counts[n] for n in sorted(counts)}
