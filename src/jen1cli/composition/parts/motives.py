"""Motives: rhythms by recursive splitting of bars, mostly stepwise contours, and variations."""

import math
from dataclasses import dataclass

from jen1cli.composition.parts.melodic_styles import MelodicStyle
from jen1cli.composition.plan import Plan
from jen1cli.composition.random_stream import RandomStream


@dataclass(frozen=True)
class Motive:
    """A short figure: lengths and contour of its notes."""

    lengths: tuple[float, ...]  # beats, negative for rests
    contour: tuple[int, ...]  # scale steps from the motive's start, one for each length


def invent_motive(plan: Plan, style: MelodicStyle, cell: float, random: RandomStream) -> Motive:
    """Return a new motive of `cell` beats."""
    lengths: list[float] = []
    target = plan.meter.pulse / style.density
    compound = plan.meter.pulse == 1.5
    pieces = split_bar(plan.meter.beats, compound=compound) * round(cell / plan.meter.beats)
    for piece in pieces:
        split_length(piece, target, style, random, lengths)
    lengths = syncopate(lengths, style, random)
    if all(length < 0 for length in lengths):
        lengths[0] = -lengths[0]
    return Motive(tuple(lengths), draw_contour(len(lengths), style, random))


def split_bar(beats: float, *, compound: bool) -> list[float]:
    """Return the lengths in beats of the groups that make up a bar."""
    if compound:
        return [1.5] * round(beats / 1.5)
    return {4.0: [4.0], 3.0: [3.0], 5.0: [3.0, 2.0], 2.0: [2.0], 3.5: [1.0, 1.0, 1.5]}[beats]


_SPLITS: dict[float, tuple[tuple[tuple[float, ...], float], ...]] = {
    4.0: (((2, 2), 5), ((3, 1), 1.5), ((1, 3), 0.7), ((1.5, 1.5, 1), 1), ((1.5, 2.5), 0.6)),
    3.0: (((2, 1), 3), ((1, 2), 1.5), ((1, 1, 1), 3), ((1.5, 1.5), 0.8)),
    2.5: (((1.5, 1), 1), ((1, 1.5), 1), ((0.5, 2), 1)),
    2.0: (((1, 1), 5), ((1.5, 0.5), 2.5), ((0.5, 1.5), 1), ((0.75, 0.75, 0.5), 1)),
    1.5: (((1, 0.5), 3), ((0.5, 0.5, 0.5), 3), ((0.5, 1), 1)),
    1.0: (((0.5, 0.5), 5), ((0.75, 0.25), 1.5), ((0.5, 0.25, 0.25), 1), ((0.25, 0.25, 0.5), 1)),
    0.75: (((0.5, 0.25), 1),),
    0.5: (((0.25, 0.25), 1),),
}
_OFFBEAT = {
    (1.5, 1.5, 1),
    (1.5, 2.5),
    (0.5, 1.5),
    (0.75, 0.75, 0.5),
    (1.5, 1.5),
    (0.5, 1),
    (0.5, 2),
}


def split_length(
    length: float, target: float, style: MelodicStyle, random: RandomStream, out: list[float]
) -> None:
    """Split a length into notes of about `target` beats and append them to `out`.

    Rests are negative lengths.
    """
    ratio = length / target
    chance = 1.0 if ratio >= 2.6 else 0.85 if ratio > 1.6 else 0.4 if ratio > 0.9 else 0.06
    options = {
        parts: weight * (0.3 + 2.5 * style.syncopation if parts in _OFFBEAT else 1.0)
        for parts, weight in _SPLITS.get(length, ())
        if min(parts) >= style.shortest
    }
    if not options or not random.chance(chance):
        out.append(-length if random.chance(style.rest) else length)
        return
    for part in random.weighted(options):
        split_length(float(part), target, style, random, out)


def syncopate(lengths: list[float], style: MelodicStyle, random: RandomStream) -> list[float]:
    """Anticipate some notes and shorten the notes before them."""
    done = list(lengths)
    early = 0.5 if style.shortest >= 0.5 else 0.25
    for index in range(1, len(done)):
        before, here = done[index - 1], done[index]
        if here >= 1.0 and abs(before) > early and random.chance(style.syncopation):
            done[index - 1] = math.copysign(abs(before) - early, before)
            done[index] = here + early
    return done


def draw_contour(count: int, style: MelodicStyle, random: RandomStream) -> tuple[int, ...]:
    """Return scale steps relative to the first note: mostly stepwise, leaps then step back."""
    shape = random.pick(("arch", "arch", "fall", "rise", "wave", "valley"))
    offsets = [0]
    back = 0
    for index in range(1, count):
        phase = index / max(1, count - 1)
        trend = {
            "arch": 1 if phase < 0.55 else -1,
            "valley": -1 if phase < 0.5 else 1,
            "rise": 1,
            "fall": -1,
            "wave": 1 if math.sin(phase * 9.0) > 0 else -1,
        }[shape]
        direction = trend if random.chance(0.72) else -trend
        if back:
            step, back = -back, 0
        elif random.chance(style.repeat):
            step = 0
        elif random.chance(style.leap):
            step = direction * random.pick((2, 2, 3, 4))
            back = 1 if step > 2 else -1 if step < -2 else 0
        else:
            step = direction
        here = offsets[-1] + step
        if abs(here) > style.span // 2 + 1:
            here = offsets[-1] - step
        offsets.append(here)
    return tuple(offsets)


def vary_motive(motive: Motive, random: RandomStream) -> Motive:
    """Vary a motive: sequence, inversion, new ending, an added or a removed note."""
    kind = random.pick(("sequence", "sequence", "ending", "fill", "thin", "invert"))
    lengths, contour = list(motive.lengths), list(motive.contour)
    if kind == "sequence":
        shift = random.pick((-2, -1, 1, 2))
        contour = [step + shift for step in contour]
    elif kind == "invert":
        contour = [-step for step in contour]
    elif kind == "ending" and len(contour) > 1:
        contour[-1] += random.pick((-2, -1, 1, 2))
    elif kind == "fill":
        longest = max(range(len(lengths)), key=lambda i: lengths[i])
        if lengths[longest] >= 1.0:
            half = lengths[longest] / 2
            lengths[longest : longest + 1] = [half, half]
            contour.insert(longest + 1, contour[longest] + random.pick((-1, 1)))
    elif kind == "thin" and len(lengths) > 3:
        index = random.integer(1, len(lengths) - 1)
        if lengths[index - 1] > 0:
            lengths[index - 1] += abs(lengths[index])
            del lengths[index], contour[index]
    return Motive(tuple(lengths), tuple(contour))


def close_motive(motive: Motive, cell: float, pulse: float, random: RandomStream) -> Motive:
    """End a motive with one long note in place of its second half or last three quarters."""
    cut = cell * (0.5 if random.chance(0.7) else 0.25)
    position = 0.0
    lengths: list[float] = []
    contour: list[int] = []
    for length, step in zip(motive.lengths, motive.contour, strict=True):
        if position >= cut - 1e-6:
            break
        lengths.append(length)
        contour.append(step)
        position += abs(length)
    left = cell - position
    if left < pulse and lengths:
        lengths[-1] = abs(lengths[-1]) + left
        return Motive(tuple(lengths), tuple(contour))
    breath = pulse if left > 2 * pulse else 0.0
    lengths.append(left - breath)
    contour.append(motive.contour[min(len(contour), len(motive.contour) - 1)])
    if breath:
        lengths.append(-breath)
        contour.append(0)
    return Motive(tuple(lengths), tuple(contour))
