"""Form of a clip: number of bars, and sections with their energy."""

from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.rhythm.meters import Meter
from jen1cli.composition.score import Section

# Form -> alternatives, each (section name, energy 0 to 1) in order; stretched over the clip.
FORMS: dict[str, tuple[tuple[tuple[str, float], ...], ...]] = {
    "steady": (
        (("main", 0.6), ("main", 0.65)),
        (("main", 0.55), ("main", 0.7)),
        (("main", 0.65), ("variation", 0.6), ("main", 0.7)),
    ),
    "calm": (
        (("main", 0.35), ("main", 0.4)),
        (("main", 0.3), ("swell", 0.45), ("main", 0.35)),
    ),
    "lift": ((("start", 0.45), ("full", 0.75)), (("start", 0.4), ("full", 0.7), ("full", 0.8))),
    "build": (
        (("build", 0.5), ("drop", 0.95), ("drop", 0.9)),
        (("build", 0.45), ("drop", 0.9), ("drop", 1.0)),
    ),
    "drop": ((("drop", 0.9), ("drop", 0.95)), (("drop", 0.85), ("drop", 0.95), ("drop", 0.9))),
    "verse": (
        (("verse", 0.5), ("chorus", 0.8)),
        (("verse", 0.45), ("verse", 0.55), ("chorus", 0.85)),
        (("chorus", 0.75), ("verse", 0.5), ("chorus", 0.85)),
    ),
    "aba": (
        (("theme", 0.55), ("contrast", 0.7), ("theme", 0.6)),
        (("theme", 0.6), ("answer", 0.65)),
    ),
    "crescendo": (
        (("opening", 0.3), ("rise", 0.5), ("rise", 0.75), ("climax", 0.95)),
        (("opening", 0.4), ("rise", 0.65), ("climax", 0.95)),
    ),
    "break": ((("main", 0.8), ("break", 0.4), ("main", 0.9)), (("main", 0.75), ("main", 0.85))),
}


def count_bars(bar_seconds: float, seconds: float) -> int:
    """Return the number of bars nearest to a length; multiples of 4, then of 2, are preferred."""
    best, best_cost = 1, float("inf")
    for bars in range(1, int(31.0 / bar_seconds) + 1):
        length = bars * bar_seconds
        if not 11.5 <= length <= 30.5:
            continue
        cost = abs(length - seconds)
        cost += 0.0 if bars % 4 == 0 else 3.0 if bars % 2 == 0 else 5.0
        if cost < best_cost:
            best, best_cost = bars, cost
    return best


def phrase_bars(bar_seconds: float, bars: int) -> int:
    """Return the number of bars in a phrase of about 5 to 10 seconds."""
    if bar_seconds > 2.9 or bars < 6:
        return 2
    return 4


def make_sections(
    random: RandomStream, form: str, bars: int, phrase: int, meter: Meter, bar_seconds: float
) -> tuple[Section, ...]:
    """Divide the clip into sections at phrase boundaries."""
    shape = random.pick(FORMS[form])
    units = max(1, round(bars / phrase))
    shape = shape[-units:] if units < len(shape) else shape
    edges = [round(i * units / len(shape)) * phrase for i in range(len(shape))] + [bars]
    if shape[0][0] in ("build", "start") and edges[1] * bar_seconds > 7.5:
        edges[1] = max(1, round(6.0 / bar_seconds))
    sections: list[Section] = []
    for (name, energy), start, stop in zip(shape, edges[:-1], edges[1:], strict=True):
        if stop > start:
            sections.append(
                Section(name, start * meter.beats, (stop - start) * meter.beats, energy)
            )
    return tuple(sections)
