"""Meters, step patterns and swing.

A pattern is a line of steps, `X..x..x.`: any letter is an event (each writer says what its letters
mean), `-` holds the event before it, `.` is a rest, blanks are ignored. The step is found from the
length: 16 steps fill one bar of 4/4 with sixteenths, 32 steps two bars, 12 steps one bar of
triplets. Patterns are written in 4/4 and bent to 3/4 and 5/4 where no own version exists.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import no_type_check


@dataclass(frozen=True)
class Meter:
    """A time signature."""

    name: str
    beats: float  # quarter notes in a bar
    pulse: float  # quarter notes in what the foot taps
    accents: tuple[float, ...]  # beats of the bar that are stressed


METERS: dict[str, Meter] = {
    "4/4": Meter("4/4", 4.0, 1.0, (0.0, 2.0)),
    "3/4": Meter("3/4", 3.0, 1.0, (0.0,)),
    "6/8": Meter("6/8", 3.0, 1.5, (0.0, 1.5)),
    "12/8": Meter("12/8", 6.0, 1.5, (0.0, 3.0)),
    "5/4": Meter("5/4", 5.0, 1.0, (0.0, 3.0)),
    "7/8": Meter("7/8", 3.5, 0.5, (0.0, 1.0, 2.0)),
    "2/4": Meter("2/4", 2.0, 1.0, (0.0,)),
}

# Which beats of a bar of 4/4 make a bar of another meter.
_BORROWED: dict[str, tuple[int, ...]] = {
    "3/4": (0, 1, 3),
    "5/4": (0, 1, 3, 2, 3),
    "2/4": (0, 3),
}


@dataclass(frozen=True)
class Step:
    """One event of a pattern."""

    beat: float  # from the start of the pattern
    length: float  # until its hold ends
    symbol: str


@dataclass(frozen=True)
class StepPattern:
    """A pattern laid out in time."""

    bars: int
    steps: tuple[Step, ...]


@lru_cache(maxsize=4096)
def read_pattern(text: str, meter: str = "4/4", written: str = "4/4") -> StepPattern:
    """Lays a pattern out in a meter.

    Args:
        text: The steps.
        meter: The meter that is wanted.
        written: The meter that the pattern is written in; 4/4 patterns are bent.
    """
    line = "".join(text.split()).replace("|", "")
    source = METERS[written].beats
    per_beat = len(line) / source
    bars = 1
    while per_beat > 4.0:
        bars *= 2
        per_beat = len(line) / (source * bars)
    if meter != written:
        line = _bend(line, meter, bars, round(per_beat))
    size = 1.0 / per_beat
    steps: list[Step] = []
    for index, symbol in enumerate(line):
        if symbol == "-" and steps and abs(steps[-1].beat + steps[-1].length - index * size) < 1e-6:
            last = steps[-1]
            steps[-1] = Step(last.beat, last.length + size, last.symbol)
        elif symbol not in ".-":
            steps.append(Step(index * size, size, symbol))
    return StepPattern(bars, tuple(steps))


def _bend(line: str, meter: str, bars: int, per_beat: int) -> str:
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
    """Keeps so many steps of each half bar that the lengths come out right."""
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


@no_type_check  # called for every note: run-time checks would slow the tests
@dataclass(frozen=True)
class Swing:
    """Which off-steps come late, and how much."""

    unit: float = 0.25  # beats: 0.5 swings eighths, 0.25 sixteenths
    ratio: float = 0.5  # share of the first of two: 0.5 straight, 0.667 triplets

    def apply(self, beat: float) -> float:
        """Where a beat of the straight grid falls."""
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
