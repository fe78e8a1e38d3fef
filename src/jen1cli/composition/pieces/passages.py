"""Form of a long piece: passages of one material each, and the parts that are silent in them."""

from dataclasses import dataclass

from jen1cli.composition.random_stream import RandomStream
from jen1cli.music.chords import Bar

LONG_FROM = 28.0
"""Seconds from which a piece has a form of its own; shorter ones are excerpts like the corpus'."""

_INTRO_FROM = 45.0  # seconds from which the intro has half the bars of a passage
_SHORT_INTRO = 2  # bars
_TARGET_SECONDS = 16.0  # length of a passage
_LEAST_PEAK = 0.6  # energy from which a body ends with its most energetic passage
_NEAR_PEAK = 0.85  # share of the highest energy from which a passage counts as such
_MOST_VARIATIONS = 4  # variations of a material: repetition makes a form, and composing takes time

_Item = tuple[str, str, float]
# Form of a style -> passages (name, material, energy 0 to 1) of the body, which repeats.
BODIES: dict[str, tuple[_Item, ...]] = {
    "steady": (
        ("main", "A", 0.55), ("main", "A", 0.65), ("variation", "B", 0.7), ("main", "A", 0.65),
        ("break", "C", 0.4), ("main", "A", 0.75),
    ),
    "calm": (
        ("main", "A", 0.35), ("swell", "B", 0.45), ("main", "A", 0.35), ("contrast", "C", 0.4),
        ("main", "A", 0.3),
    ),
    "lift": (
        ("start", "A", 0.45), ("full", "B", 0.75), ("start", "A", 0.5), ("full", "B", 0.8),
        ("break", "C", 0.4), ("full", "B", 0.85),
    ),
    "build": (
        ("build", "A", 0.5), ("drop", "B", 0.95), ("drop", "B", 0.9), ("break", "C", 0.4),
        ("build", "A", 0.6), ("drop", "B", 1.0),
    ),
    "drop": (
        ("drop", "A", 0.9), ("drop", "B", 0.9), ("break", "C", 0.4), ("drop", "A", 0.95),
    ),
    "verse": (
        ("verse", "A", 0.5), ("chorus", "B", 0.8), ("verse", "A", 0.55), ("chorus", "B", 0.85),
        ("bridge", "C", 0.45), ("chorus", "B", 0.9),
    ),
    "aba": (
        ("theme", "A", 0.55), ("theme", "A", 0.6), ("contrast", "B", 0.7), ("theme", "A", 0.6),
        ("solo", "C", 0.7), ("theme", "A", 0.65),
    ),
    "crescendo": (
        ("opening", "A", 0.35), ("rise", "A", 0.5), ("rise", "B", 0.7), ("climax", "B", 0.95),
        ("calm", "C", 0.4), ("rise", "A", 0.6), ("climax", "B", 1.0),
    ),
    "break": (
        ("main", "A", 0.7), ("main", "B", 0.8), ("break", "C", 0.4), ("main", "A", 0.9),
    ),
}  # fmt: skip

MELODIC = frozenset(("melody", "counter"))
"""Roles of melodies, which breathe and vary."""
LEADING = MELODIC | {"riff"}
"""Roles of leading voices."""

_DRUMS = frozenset(("drums", "percussion"))
_HARMONIC = frozenset(("chords", "stabs", "strum", "arpeggio"))


@dataclass(frozen=True)
class PlannedPassage:
    """Some bars of one material."""

    name: str
    material: str  # "A", "B", "C"; "intro" and "outro" have the chords of A
    variation: int  # counts the repetitions of the body; the melody is another in each
    start: int  # bar
    bars: int
    energy: float
    silent: frozenset[str] = frozenset()  # roles of parts that do not play
    # the next three are those of a given form
    section: str = ""  # name, whose notes are the same wherever it comes
    whole: int = 0  # bars of the longest section with these notes, of which it is the beginning
    chords: tuple[Bar, ...] = ()  # given ones of each of those bars


def passage_bars(bar_seconds: float, cycle: int) -> int:
    """Return the usual length of a passage: whole cycles of chords, about 16 seconds.

    Args:
        bar_seconds: length of a bar.
        cycle: bars after which the chords repeat.
    """
    whole = next(n for n in (16, 8, 4, 2) if n * bar_seconds <= 1.5 * _TARGET_SECONDS or n == 2)
    return max(1, round(whole / cycle)) * cycle if cycle <= 2 * whole else whole


def plan_passages(
    form: str, random: RandomStream, bars: int, unit: int, bar_seconds: float, cycle: int = 1
) -> tuple[PlannedPassage, ...]:
    """Divide a long piece into intro, body and outro.

    Args:
        form: form of the style, a key of `BODIES`.
        random: source of random choices.
        bars: length of the piece, with the bar of its last chord.
        unit: length of a passage, from `passage_bars`.
        bar_seconds: length of a bar.
        cycle: bars after which the chords repeat.
    """
    long = bars * bar_seconds >= _INTRO_FROM
    intro, lengths, outro = _lengths(bars, unit, cycle, long=long)
    body = BODIES[form]
    found = [("intro", "intro", 0, intro, 0.3)] if intro else []
    for index, (item, length) in enumerate(zip(_chosen(body, len(lengths)), lengths, strict=True)):
        name, material, energy = item
        variation = min(index // len(body), _MOST_VARIATIONS - 1)
        found.append((name, material, variation, length, energy))
    if outro:
        found.append(("outro", "outro", 0, outro, 0.35))
    first_silent = silent_intro(random, max(item[2] for item in body))
    passages: list[PlannedPassage] = []
    start = 0
    for name, material, variation, length, energy in found:
        stream = random.substream(name, str(start))
        silent = first_silent if name == "intro" else silent_in(name, stream)
        passages.append(PlannedPassage(name, material, variation, start, length, energy, silent))
        start += length
    return tuple(passages)


def _lengths(bars: int, unit: int, cycle: int, *, long: bool) -> tuple[int, list[int], int]:
    """Return the bars of the intro, of each passage of the body, and of the outro.

    Of all divisions into whole passages, and at most one of half the length, the one is taken whose
    intro is nearest to its usual length and whose outro is no longer than half a passage.
    """
    usual = max(1, unit // 2) if long else _SHORT_INTRO
    half = unit // 2 if unit % 2 == 0 and unit // 2 % cycle == 0 else 0
    divisions = [
        (
            abs(intro - usual) + max(0, outro - unit // 2) + 0.5 * (outro % 2) + 2.5 * (rest > 0),
            rest, intro, whole, outro,
        )
        for intro in sorted({usual, *range(2, unit // 2 + 1, 2)})
        for rest in sorted({0, half})
        for whole in range(1, bars // unit + 1)
        if 1 <= (outro := bars - intro - rest - whole * unit) <= unit
    ]  # fmt: skip
    if not divisions:
        intro = min(_SHORT_INTRO, bars // 4)
        outro = min(1, bars - intro - 1)  # a single bar has no room for one
        return intro, [bars - intro - outro], outro
    _, rest, intro, whole, outro = min(divisions)
    lengths = [unit] * whole
    if rest:
        lengths.insert(max(1, whole - 1), rest)
    return intro, lengths, outro


def _chosen(body: tuple[_Item, ...], count: int) -> list[_Item]:
    """Return some passages of a body in order.

    The last one has full energy, except in calm music: a body that is cut off before its peak, such
    as "verse, chorus, verse, chorus, bridge", ends "verse, bridge, chorus".
    """
    chosen = [body[index % len(body)] for index in range(count)]
    peak = max(body, key=lambda item: item[2])
    calm = count > 1 and peak[2] < _LEAST_PEAK
    alike = count == 2 and chosen[0][1] == chosen[1][1]
    if calm or (chosen[-1][2] >= _NEAR_PEAK * peak[2] and not alike):
        return chosen
    if count > 2:
        chosen[-2] = chosen[-1]
    chosen[-1] = peak
    return chosen


def silent_intro(random: RandomStream, energy: float) -> frozenset[str]:
    """Draw the roles that are silent in an intro, from the energy of the body."""
    driving = energy >= 0.75
    choice = random.substream("intro").weighted(
        {"harmony": 1.0 if driving else 3.0, "beat": 2.0 if driving else 0.5, "band": 2.0}
    )
    return {
        "harmony": LEADING | _DRUMS,
        "beat": LEADING | _HARMONIC,
        "band": LEADING,
    }[choice]


def silent_in(name: str, random: RandomStream) -> frozenset[str]:
    """Draw the roles that are silent in a passage of this name."""
    if name == "break":
        return _DRUMS if random.chance(0.6) else _DRUMS | LEADING
    if name == "build":
        return LEADING if random.chance(0.5) else frozenset()
    if name in ("bridge", "calm", "outro"):
        return _DRUMS if random.chance(0.4) else frozenset()
    return frozenset()
