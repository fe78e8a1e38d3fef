"""Meters, step patterns and swing.

A pattern is a line of steps, `X..x..x.`: a letter is an event (each module documents its letters),
`-` holds the event before it, `.` is a rest, blanks are ignored. The number of steps determines
their length: 16 steps are one bar of 4/4 in sixteenths, 32 steps two bars, 12 steps one bar in
triplets. Patterns in 4/4 are converted to other meters for which no pattern is written.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import no_type_check


@dataclass(frozen=True)
class Meter:
    """A time signature."""

    name: str
    beats: float  # quarter notes in a bar
    pulse: float  # quarter notes in a felt beat: 1.5 in compound meters
    accents: tuple[float, ...]  # positions in the bar that are stressed, in beats


METERS: dict[str, Meter] = {
    "4/4": Meter("4/4", 4.0, 1.0, (0.0, 2.0)),
    "3/4": Meter("3/4", 3.0, 1.0, (0.0,)),
    "6/8": Meter("6/8", 3.0, 1.5, (0.0, 1.5)),
    "12/8": Meter("12/8", 6.0, 1.5, (0.0, 3.0)),
    "5/4": Meter("5/4", 5.0, 1.0, (0.0, 3.0)),
    "7/8": Meter("7/8", 3.5, 0.5, (0.0, 1.0, 2.0)),
    "2/4": Meter("2/4", 2.0, 1.0, (0.0,)),
}

# Beats of a 4/4 bar that are copied to form a bar of another meter.
_BORROWED: dict[str, tuple[int, ...]] = {
    "3/4": (0, 1, 3),
    "5/4": (0, 1, 3, 2, 3),
    "2/4": (0, 3),
}


@dataclass(frozen=True)
class Step:
    """One event of a pattern."""

    beat: float  # beats from the start of the pattern
    length: float  # beats, including its hold
    symbol: str


@dataclass(frozen=True)
class StepPattern:
    """The events of a pattern with their times."""

    bars: int
    steps: tuple[Step, ...]

    def in_bar(self, bar: int, beats: float) -> Iterator[tuple[Step, float]]:
        """Yield the steps in a bar of a piece, each with its beat from the start of that bar.

        Args:
            bar: number of the bar in the piece, through which the pattern is repeated.
            beats: length of a bar.
        """
        offset = (bar % self.bars) * beats
        for step in self.steps:
            place = step.beat - offset
            if -1e-6 <= place < beats - 1e-6:
                yield step, place


@lru_cache(maxsize=4096)
def read_pattern(text: str, meter: str = "4/4", written: str = "4/4") -> StepPattern:
    """Parse a pattern and convert it to a meter.

    Args:
        text: The steps.
        meter: The target meter.
        written: The meter that the pattern is written in; 4/4 is converted to all meters, 6/8 to
            12/8.
    """
    line = "".join(text.split()).replace("|", "")
    source = METERS[written].beats
    per_beat = len(line) / source
    bars = 1
    while per_beat > 4.0:
        bars *= 2
        per_beat = len(line) / (source * bars)
    if meter != written:
        line = _bend(line, meter, written, bars, round(per_beat))
    size = 1.0 / per_beat
    steps: list[Step] = []
    for index, symbol in enumerate(line):
        if symbol == "-" and steps and abs(steps[-1].beat + steps[-1].length - index * size) < 1e-6:
            last = steps[-1]
            steps[-1] = Step(last.beat, last.length + size, last.symbol)
        elif symbol not in ".-":
            steps.append(Step(index * size, size, symbol))
    return StepPattern(bars, tuple(steps))


def fitting_lines(table: Iterable[str], meter: str) -> list[list[str]]:
    """Return the lines "meter pattern" of a table that are written in a meter, as two words each.

    If there are none, those that `read_pattern` converts to it.
    """
    lines = [line.split() for line in table]
    for written in (meter, "6/8" if meter == "12/8" else "4/4", "4/4"):
        if found := [line for line in lines if line[0] == written]:
            return found
    return lines


def _bend(line: str, meter: str, written: str, bars: int, per_beat: int) -> str:
    if (meter, written) == ("12/8", "6/8"):
        return line * 2
    if meter in ("6/8", "12/8", "7/8"):
        return _bend_compound(line, meter, bars, per_beat)
    width = 4 * per_beat
    pieces: list[str] = []
    for bar in range(bars):
        chunk = line[bar * width : (bar + 1) * width]
        for beat in _BORROWED[meter]:
            pieces.append(chunk[beat * per_beat : (beat + 1) * per_beat])
    return "".join(pieces)


def _bend_compound(line: str, meter: str, bars: int, per_beat: int) -> str:
    """Convert a 4/4 line to a compound meter by cutting or repeating the steps of each half bar."""
    width = 4 * per_beat
    wanted = round(METERS[meter].beats * per_beat)
    pieces: list[str] = []
    for bar in range(bars):
        chunk = line[bar * width : (bar + 1) * width]
        half = wanted // 2
        first = (chunk[: width // 2] * 2)[:half]
        second = (chunk[width // 2 :] * 2)[: wanted - half]
        pieces.append(first + second)
    return "".join(pieces)


@no_type_check  # called for every note: run-time type checks would slow the tests
@dataclass(frozen=True)
class Swing:
    """Swing: the second of each pair of steps is delayed."""

    unit: float = 0.25  # length of a step in beats: 0.5 swings eighths, 0.25 sixteenths
    ratio: float = 0.5  # first step relative to the pair: 0.5 straight, 0.667 triplets

    def apply(self, beat: float) -> float:
        """Map a beat of the straight grid to its beat with swing."""
        if self.ratio == 0.5:
            return beat
        pair = self.unit * 2
        count, rest = divmod(beat + 1e-9, pair)
        place = rest / pair
        if place < 0.5:
            place = place * 2 * self.ratio
        else:
            place = self.ratio + (place - 0.5) * 2 * (1 - self.ratio)
        return count * pair + place * pair
