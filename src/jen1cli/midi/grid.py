"""Beats and bars of a MIDI file, on one constant tempo, and patterns on that grid.

Notes keep their places in the bar; changes of tempo are levelled out to the mean.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jen1cli.midi.reading import DEFAULT_TEMPO, RawNote, Song
from jen1cli.music.chords import MAX_BARS
from jen1cli.music.controls import BEATS, MAX_BPM, MIN_BPM, SIXTEENTHS
from jen1cli.music.patterns import HOLD, LOWEST, OCTAVES, REST, STROKE, melody_text, note_name

_METERS = {
    (4, 4): ("4/4", 1.0), (2, 2): ("4/4", 1.0), (8, 8): ("4/4", 1.0), (4, 2): ("4/4", 2.0),
    (8, 4): ("4/4", 1.0), (1, 4): ("4/4", 1.0), (2, 4): ("2/4", 1.0), (4, 8): ("2/4", 1.0),
    (3, 4): ("3/4", 1.0),
    (3, 2): ("3/4", 2.0), (6, 4): ("3/4", 1.0), (9, 8): ("3/4", 1.5), (6, 8): ("6/8", 1.5),
    (3, 8): ("6/8", 1.5), (12, 8): ("12/8", 1.5), (5, 4): ("5/4", 1.0), (5, 8): ("5/4", 0.5),
    (7, 8): ("7/8", 0.5), (7, 4): ("7/8", 1.0),
}  # fmt: skip
"""Metre of the model that counts a time signature, and quarter notes of its beat."""
_UNKNOWN = ("4/4", 1.0)
_DEFAULT_SIGNATURE = (4, 4)
_STEADY = 0.8  # share of the time from which one tempo is that of the piece
_UPBEAT_FROM = 0.5  # place in the bar from which a first note is an upbeat
_EARLY = 0.08  # beats before a bar line within which an onset belongs to the bar
_OTHER_STEPS = (3, 4, 6, 8, 12)
_PER_STEP, _NOT_USUAL = 0.004, 0.02  # costs of a finer and of an unusual division, in beats


@dataclass(frozen=True)
class Grid:
    """Tempo, metre and the place of the music on the clock of its controls."""

    bpm: float
    meter: str
    quarters_per_beat: float
    ticks_per_quarter: int
    first: int | float  # tick at time 0
    bar_tick: int | float  # tick of a bar line at or before the first note

    @property
    def beat_ticks(self) -> float:
        """Ticks of a beat."""
        return self.quarters_per_beat * self.ticks_per_quarter

    @property
    def bar_ticks(self) -> float:
        """Ticks of a bar."""
        return self.beat_ticks * BEATS[self.meter]

    @property
    def downbeat(self) -> float:
        """Time of the first bar line in seconds, at most 0."""
        return self.seconds(self.bar_tick)

    def seconds(self, tick: int | float) -> float:
        """Return the time of a tick."""
        return (tick - self.first) / self.beat_ticks * 60.0 / self.bpm

    def beats(self, tick: int | float) -> float:
        """Return the beats from the first bar line to a tick."""
        return (tick - self.bar_tick) / self.beat_ticks


def find_grid(song: Song, bpm: float, name: str) -> tuple[Grid, list[str]]:
    """Return the grid of a song, and what was levelled out, in words.

    Args:
        song: with notes.
        bpm: given tempo; 0: that of the song.
        name: the file's name.
    """
    starts = [note.start for voice in song.voices for note in voice.notes]
    start, stop = min(starts), max(max(starts) + 1, _last(song))
    said: list[str] = []
    (upper, lower), meter_tick = _main_meter(song, start, stop, said)
    meter, quarters = _METERS.get((upper, lower), _UNKNOWN)
    if (upper, lower) not in _METERS:
        said.append(f"the model has no {upper}/{lower}; counted in 4/4")
    tempo = _main_tempo(song, start, stop, said) / quarters
    if not bpm:
        while tempo < MIN_BPM:
            tempo, quarters = tempo * 2.0, quarters / 2.0
        while tempo > MAX_BPM:
            tempo, quarters = tempo / 2.0, quarters * 2.0
        tempo = min(MAX_BPM, max(MIN_BPM, round(tempo, 3)))
    beat = quarters * song.ticks_per_quarter
    bar = beat * BEATS[meter]
    place = (start - meter_tick) / bar
    early = _EARLY / BEATS[meter]
    bar_tick = meter_tick + math.floor(place + early) * bar
    first = bar_tick
    if (start - bar_tick) / bar >= _UPBEAT_FROM:
        first = bar_tick + math.floor((start - bar_tick) / beat + _EARLY) * beat
        said.append(f"begins with an upbeat of {counted((bar_tick + bar - first) / beat, 'beat')}")
    empty = round((bar_tick - min(meter_tick, bar_tick)) / bar)
    if empty:
        said.append(f"{counted(empty, 'silent bar')} at the beginning left out")
    found = Grid(bpm or tempo, meter, quarters, song.ticks_per_quarter, first, bar_tick)
    return found, said


def counted(count: int | float, noun: str) -> str:
    """Return a number and what it counts, such as "1 bar" or "2.5 beats"."""
    return f"{round(count, 2):g} {noun}{'s' * (round(count, 2) != 1)}"


def _last(song: Song) -> int:
    return max(note.stop for voice in song.voices for note in voice.notes)


def _main_meter(song: Song, start: int, stop: int, said: list[str]) -> tuple[tuple[int, int], int]:
    """Return the time signature of most of the music, and a tick at which its bars begin."""
    changes = _changes([(tick, (upper, lower)) for tick, upper, lower in song.meters])
    if not changes:
        return _DEFAULT_SIGNATURE, 0
    if changes[0][0] > 0:
        changes.insert(0, (0, _DEFAULT_SIGNATURE))
    spans: dict[tuple[int, int], float] = {}
    ticks: dict[tuple[int, int], tuple[int, int]] = {}
    for index, (tick, signature) in enumerate(changes):
        end = changes[index + 1][0] if index + 1 < len(changes) else max(stop, tick)
        length = max(0, min(end, stop) - max(tick, start))
        spans[signature] = spans.get(signature, 0.0) + length
        if signature not in ticks or length > ticks[signature][0]:
            ticks[signature] = (length, tick)
    main = max(spans, key=lambda signature: spans[signature])
    others = [signature for signature in spans if signature != main and spans[signature]]
    bar = main[0] * 4 / main[1] * song.ticks_per_quarter
    upbeat = len(changes) > 1 and changes[0][1] != main and changes[1][0] - start <= bar
    if others and not (upbeat and len(others) == 1):
        shown = ", ".join(f"{upper}/{lower}" for upper, lower in others[:4])
        said.append(f"the metre changes ({shown}); bars are those of {main[0]}/{main[1]}")
    return main, ticks[main][1]


def _changes(events: Sequence[tuple[int, tuple[int, int]]]) -> list[tuple[int, tuple[int, int]]]:
    """Return the events that change something; of several at one tick, the last."""
    found: list[tuple[int, tuple[int, int]]] = []
    for tick, value in events:
        if found and found[-1][0] == tick:
            found.pop()
        if not found or found[-1][1] != value:
            found.append((tick, value))
    return found


def _main_tempo(song: Song, start: int, stop: int, said: list[str]) -> float:
    """Return the quarter notes per minute: of the tempo that lasts, or the mean."""
    if not song.tempi:
        said.append("the file sets no tempo: 120 quarter notes per minute")
    tempi = [(0, DEFAULT_TEMPO), *song.tempi]
    quarters: dict[int, float] = {}
    for index, (tick, tempo) in enumerate(tempi):
        end = tempi[index + 1][0] if index + 1 < len(tempi) else max(stop, tick)
        length = min(end, stop) - max(tick, start)
        if length > 0:
            quarters[tempo] = quarters.get(tempo, 0.0) + length / song.ticks_per_quarter
    seconds = {tempo: count * tempo / 1e6 for tempo, count in quarters.items()}
    total = sum(seconds.values())
    longest = max(seconds, key=lambda tempo: seconds[tempo])
    mean = 60.0 * sum(quarters.values()) / total
    if len(quarters) == 1:
        return 60e6 / longest
    slowest, fastest = (60e6 / tempo for tempo in (max(quarters), min(quarters)))
    steady = seconds[longest] >= _STEADY * total
    chosen = 60e6 / longest if steady else mean
    said.append(
        f"the tempo changes between {slowest:.4g} and {fastest:.4g} quarter notes per minute;"
        f" {chosen:.4g} throughout"
    )
    return chosen


def steps_per_beat(places: Sequence[float], usual: int) -> int:
    """Return the number of equal steps of a beat that fits onsets best.

    Args:
        places: onsets in beats.
        usual: that of sixteenths, chosen unless another fits clearly better.
    """
    if not places:
        return usual

    def cost(steps: int) -> float:
        errors = [(place * steps - round(place * steps)) / steps for place in places]
        rough = math.sqrt(sum(error * error for error in errors) / len(errors))
        return rough + _PER_STEP * steps + _NOT_USUAL * (steps != usual)

    return min(sorted({usual, *_OTHER_STEPS}), key=cost)


def _usual(meter: str) -> int:
    return SIXTEENTHS[meter] // BEATS[meter]


def _by_bar(grid: Grid, notes: Sequence[RawNote], bars: int) -> list[list[tuple[float, RawNote]]]:
    """Return the notes of each bar with their places in beats."""
    beats = BEATS[grid.meter]
    found: list[list[tuple[float, RawNote]]] = [[] for _ in range(bars)]
    for note in notes:
        place = grid.beats(note.start)
        bar = math.floor((place + _EARLY) / beats)
        if 0 <= bar < bars:
            found[bar].append((max(0.0, place - bar * beats), note))
    return found


def count_bars(grid: Grid, stop: int | float) -> int:
    """Return the number of bars up to a tick, at most `MAX_BARS`."""
    bars = math.ceil((stop - grid.bar_tick) / grid.bar_ticks - 0.02)
    return min(MAX_BARS, max(1, bars))


def melody_pattern(grid: Grid, notes: Sequence[RawNote], bars: int) -> tuple[str, int]:
    """Return a single line in the format of `parse_melody`, and how many notes moved by octaves."""
    beats, usual = BEATS[grid.meter], _usual(grid.meter)
    by_bar = _by_bar(grid, notes, bars)
    steps = [
        beats * steps_per_beat([place for place, _ in inside], usual) if inside else beats * usual
        for inside in by_bar
    ]
    lines = [[REST] * count for count in steps]
    moved = 0
    onsets = [
        (bar, min(steps[bar] - 1, round(place * steps[bar] / beats)), note)
        for bar, inside in enumerate(by_bar)
        for place, note in inside
    ]
    for index, (bar, step, note) in enumerate(onsets):
        pitch = _in_range(note.pitch)
        moved += pitch != note.pitch
        lines[bar][step] = note_name(pitch)
        until = onsets[index + 1][:2] if index + 1 < len(onsets) else (bars, 0)
        stop = grid.beats(note.stop)
        at = _after(bar, step, steps)
        while at < until and (at[0] + (at[1] + 0.5) / steps[at[0]]) * beats < stop:
            lines[at[0]][at[1]] = HOLD
            at = _after(*at, steps)
            if at[0] >= bars:
                break
    return melody_text(lines), moved


def _after(bar: int, step: int, steps: Sequence[int]) -> tuple[int, int]:
    return (bar, step + 1) if step + 1 < steps[bar] else (bar + 1, 0)


def _in_range(pitch: int) -> int:
    """Move a pitch by octaves into the range of melodies."""
    while pitch < LOWEST:
        pitch += 12
    while pitch >= LOWEST + 12 * OCTAVES:
        pitch -= 12
    return pitch


def drum_rows(grid: Grid, strokes: dict[str, list[RawNote]], bars: int) -> dict[str, list[str]]:
    """Return bars of strokes by drum, as `music.patterns.drums_text` takes them."""
    beats, usual = BEATS[grid.meter], _usual(grid.meter)
    every = sorted(
        (note for notes in strokes.values() for note in notes), key=lambda note: note.start
    )
    steps = [
        beats * steps_per_beat([place for place, _ in inside], usual) if inside else beats * usual
        for inside in _by_bar(grid, every, bars)
    ]
    rows: dict[str, list[str]] = {}
    for drum, notes in strokes.items():
        lines = [[REST] * count for count in steps]
        for bar, inside in enumerate(_by_bar(grid, notes, bars)):
            for place, _ in inside:
                lines[bar][min(steps[bar] - 1, round(place * steps[bar] / beats))] = STROKE
        rows[drum] = ["".join(line) for line in lines]
    return rows
