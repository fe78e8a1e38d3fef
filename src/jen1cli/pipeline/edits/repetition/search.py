"""Search of the stretches of a recording that fit best into an unknown interval.

The music on both sides of the interval is compared with all of the recording, at every lag. What
followed the best match of the left side, and preceded that of the right side, is a guess for the
interval. If one lag fits both sides, one stretch fills it; otherwise two are joined where they are
most alike. Without music on one side, the other side decides. A lag that is shorter than the
interval repeats with that period.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from jen1cli.pipeline.edits.repetition.features import FRAME_RATE, HOP, RATE, Features, untouched

_CONTEXT: Final = round(4.0 * FRAME_RATE)  # frames of music that are compared on each side
_DECAY: Final = 1.5 * FRAME_RATE  # frames after which music counts for 1 / e
_SHORTEST: Final = round(1.0 * FRAME_RATE)  # frames; a shorter period sounds like a stuck disc
_LEAST_SHARE: Final = 0.6  # share of the context, by weight, that must be known at a lag
_CANDIDATES: Final = 12  # lags of each side
_APART: Final = 8  # frames between two candidates
_JOIN: Final = round(0.2 * FRAME_RATE)  # frames on each side over which a join is judged
_JOIN_WEIGHT: Final = 0.5
_JOIN_COST: Final = 0.05
_SHORTEST_PIECE: Final = round(0.15 * FRAME_RATE)
_PERIOD_WEIGHTS: Final = (0.75, 0.1)  # weights of one side and of two; see `_guesses`
_ON_BAR: Final = 0.03 * FRAME_RATE  # frames within which a lag is a whole number of bars
_OFF_BAR_COST: Final = 1.0  # half of what unrelated music costs: the copy would lose the beat
_OTHER_CHORD_COST: Final = 0.5  # of a stretch none of whose chords is that of the score
_WRAP_COST: Final = 0.1  # of each period after the first: longer stretches fit better
_REFINED: Final = 6  # candidates that are aligned by their waveforms
_FINE: Final = HOP * 3 // 2  # samples at `RATE` around a lag that are tried
_FINE_CONTEXT: Final = RATE  # samples of the waveforms that are compared
_NCC_WEIGHT: Final = 0.6  # weight of the correlation of waveforms: 1 is an exact repeat

Lags = Int[np.ndarray, " lags"]


@dataclass(frozen=True)
class CopiedStretch:
    """A stretch that is copied: [start, stop) from `source` on; seconds of the analysed part."""

    start: float
    stop: float
    source: float


@dataclass(frozen=True)
class Repeat:
    """A guess for an unknown interval.

    Attributes:
        pieces: the stretches that fill the interval, in order.
        fit: 1 where the music around the interval is repeated exactly, 0 where it is unlike.
    """

    pieces: tuple[CopiedStretch, ...]
    fit: float


@dataclass(frozen=True)
class KnownScore:
    """What the recording's own score tells of a part of it.

    Attributes:
        bar_seconds: length of a bar; the music is in strict time.
        chords: number of the chord by frame, alike for like chords; -1 where it is unknown.
    """

    bar_seconds: float
    chords: Int[np.ndarray, " frames"]


@dataclass(frozen=True)
class _Guess:
    unlike: float  # how far the music around and at the join is from a repeat; 2 if unrelated
    wraps: float  # periods after the first
    left: int  # lags in frames; a positive one points to earlier music
    right: int
    join: int  # frame from which on the right lag holds

    @property
    def cost(self) -> float:
        """Cost by which guesses are compared: a loop that returns often is no better fit."""
        return self.unlike + _WRAP_COST * self.wraps


def find_repeat(
    features: Features,
    known: Bool[np.ndarray, " frames"],
    mono: Float[np.ndarray, " samples"],
    interval: tuple[float, float],
    score: KnownScore | None = None,
) -> Repeat | None:
    """Find the stretches of a recording that fit best into an unknown interval.

    Args:
        features: features of a part of the recording around the interval, by frame.
        known: which frames are of the recording.
        mono: samples of the same part, at `RATE`.
        interval: start and stop in seconds of the part; unknown in whole.
        score: what is known of the music: copies are then taken by whole bars and from under the
            same chords, if any fits.

    Returns:
        the best guess; None if too little of the recording is known.
    """
    first = int(interval[0] * FRAME_RATE)
    last = max(first + 1, int(np.ceil(interval[1] * FRAME_RATE)))
    compared = untouched(known)
    sides = [_Side(features, compared, first, -1), _Side(features, compared, last, 1)]
    guesses = _guesses(features, known, sides, first, last, score)
    if not guesses:
        return None
    # a guess with silence at both cuts is judged by its waveform alone
    best = min(
        (_refined(guess, mono, interval, sides) for guess in guesses[:_REFINED]),
        key=lambda found: found[0],
    )
    _, guess, lags = best
    pieces = _pieces(guess, lags, interval)
    return Repeat(pieces, float(np.clip(1.0 - guess.unlike / 2.0, 0.0, 1.0)))


class _Side:
    """Distances of the music on one side of an interval from the recording at every lag."""

    def __init__(
        self, features: Features, known: Bool[np.ndarray, " frames"], edge: int, direction: int
    ) -> None:
        frames = len(features)
        span = (max(0, edge - _CONTEXT), edge) if direction < 0 else (edge, edge + _CONTEXT)
        places = np.arange(span[0], min(span[1], frames))
        distance = np.abs(places + 0.5 - edge)
        weights = np.zeros(frames)
        weights[places] = np.exp(-distance / _DECAY) * known[places]
        self.direction = direction
        # less than half a second is no context
        self.exists = bool(weights.astype(bool).sum() >= FRAME_RATE / 2)
        if self.exists:
            self.lags, self.costs = _distances(features, known, weights, _LEAST_SHARE)

    def cost(self, lag: int) -> float:
        """Return the distance at a lag, infinite where too little is known."""
        if not self.exists:
            return 0.0
        return float(self.costs[lag - self.lags[0]])


def _distances(
    features: Features, known: Bool[np.ndarray, " frames"], weights: np.ndarray, least: float
) -> tuple[Lags, np.ndarray]:
    """Return all lags, and the weighted mean of ||F(t) - F(t - lag)||² at each.

    It is infinite where less than the share `least` of the weights meets known frames.
    """
    frames = len(features)
    real = known.astype(float)
    energy = np.square(features).sum(axis=1)
    amount = _correlations(weights, real)
    squares = _correlations(weights * energy, real) + _correlations(weights, real * energy)
    cross = _correlations(weights[:, None] * features, real[:, None] * features)
    enough = amount >= max(least * weights.sum(), 1e-9)
    costs = np.where(enough, (squares - 2 * cross) / np.maximum(amount, 1e-9), np.inf)
    return np.arange(1 - frames, frames), costs


def _guesses(
    features: Features,
    known: Bool[np.ndarray, " frames"],
    sides: Sequence[_Side],
    first: int,
    last: int,
    score: KnownScore | None,
) -> list[_Guess]:
    """Return the best guesses, the likeliest first."""
    there = [side for side in sides if side.exists]
    if not there:
        return []
    lags = there[0].lags
    # music that repeats at a lag everywhere does so inside the interval too
    compared = untouched(known)
    period = _distances(features, compared, compared.astype(float), 0.0)[1]
    period = np.where(np.isfinite(period), period, 2.0)
    weight = _PERIOD_WEIGHTS[len(there) - 1]
    astray = 0.0 if score is None else _astray(score, lags, first, last)
    for side in there:
        side.costs = (side.costs + weight * period) / (1 + weight) + astray
    unknown = np.concatenate([[0], np.cumsum(~known)])

    def usable(start: int, stop: int) -> Bool[np.ndarray, " lags"]:
        """Return the lags at which the frames [start, stop) have known sources."""
        low, high = start - lags, stop - lags
        inside = (low >= 0) & (high <= len(known))
        low, high = low.clip(0, len(known)), high.clip(0, len(known))
        return inside & (unknown[high] == unknown[low])

    ends = {-1: usable(first, first + 1), 1: usable(last - 1, last)}
    own = [_candidates(np.where(ends[side.direction], side.costs, np.inf), lags) for side in there]
    whole = np.where(usable(first, last), np.mean([side.costs for side in there], axis=0), np.inf)
    singles = dict.fromkeys(itertools.chain(_candidates(whole, lags), *own))
    found: list[_Guess] = []
    for lag in singles:
        cost = float(np.mean([side.cost(lag) for side in there]))
        toward = there[0].direction if len(there) == 1 else 0
        source = _sources(lag, first, last, known, toward)
        if source is not None and (source >= 0).all() and np.isfinite(cost):
            wraps = (last - first - 1) // max(1, abs(lag))
            found.append(_Guess(cost, float(wraps), lag, lag, last))
    if len(there) == 2:
        for left, right in itertools.product(*own):
            guess = _joined(features, known, sides, (left, right), first, last)
            if guess is not None:
                found.append(guess)
    return sorted(found, key=lambda guess: guess.cost)


def _astray(score: KnownScore, lags: Lags, first: int, last: int) -> np.ndarray:
    """Return the cost of each lag that is no whole number of bars, or leads to other chords."""
    bar = score.bar_seconds * FRAME_RATE
    cost = _OFF_BAR_COST * (np.abs(lags - bar * np.round(lags / bar)) > _ON_BAR)
    frames = len(score.chords)
    inside = np.zeros(frames, bool)
    inside[first:last] = True
    known = score.chords >= 0
    other = _correlations(inside & known, known)
    for chord in np.unique(score.chords[inside & known]):
        there = score.chords == chord
        other -= _correlations(inside & there, there)
    return cost + _OTHER_CHORD_COST * other.clip(0.0) / max(1, last - first)


def _correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Σ a(t) b(t - lag) of columns, summed over them, for all lags from 1 - frames on."""
    frames = len(a)
    size = 2 ** int(np.ceil(np.log2(2 * frames)))
    product = np.fft.rfft(a, size, axis=0) * np.conj(np.fft.rfft(b, size, axis=0))
    sums = np.fft.irfft(product if product.ndim == 1 else product.sum(axis=1), size)
    return np.roll(sums, frames - 1)[: 2 * frames - 1]


def _candidates(costs: np.ndarray, lags: Lags) -> list[int]:
    """Return the best lags that are local minima and apart."""
    chosen: list[int] = []
    allowed = np.flatnonzero(np.isfinite(costs) & (np.abs(lags) >= _SHORTEST))
    for at in allowed[np.argsort(costs[allowed], kind="stable")]:
        if all(abs(int(lags[at]) - other) >= _APART for other in chosen):
            chosen.append(int(lags[at]))
            if len(chosen) == _CANDIDATES:
                break
    return chosen


def _sources(
    lag: int, first: int, last: int, known: Bool[np.ndarray, " frames"], toward: int
) -> Int[np.ndarray, " interval"] | None:
    """Return the frame that fills each frame of the interval; -1 where the recording has none.

    Args:
        lag: in frames.
        first: the interval's beginning.
        last: behind it.
        known: frames of the recording.
        toward: -1 for periods that continue the left side, 1 the right side, 0 for none.
    """
    frames = np.arange(first, last)
    if toward < 0 and 0 < lag < last - first:
        source = first - lag + (frames - first) % lag
    elif toward > 0 and lag < 0 and -lag < last - first:
        source = last - lag - 1 - (last - 1 - frames) % -lag
    else:
        source = frames - lag
    inside = (source >= 0) & (source < len(known))
    usable = inside & known[np.where(inside, source, 0)]
    return np.where(usable, source, -1) if usable.any() else None


def _joined(
    features: Features,
    known: Bool[np.ndarray, " frames"],
    sides: Sequence[_Side],
    lags: tuple[int, int],
    first: int,
    last: int,
) -> _Guess | None:
    """Return the guess of two lags with the best join, if one is possible."""
    left = _sources(lags[0], first, last, known, -1)
    right = _sources(lags[1], first, last, known, 1)
    if left is None or right is None:
        return None
    both = (left >= 0) & (right >= 0)
    apart = np.square(features[left] - features[right]).sum(axis=1)
    kernel = np.ones(min(2 * _JOIN + 1, len(both)))
    amount = np.convolve(both, kernel, "same")
    costs = np.convolve(np.where(both, apart, 0.0), kernel, "same") / np.maximum(amount, 1e-9)
    both[:_SHORTEST_PIECE] = both[len(both) - _SHORTEST_PIECE :] = False
    # left of the join all must be there of the one, right of it of the other
    fits = np.logical_and.accumulate(left >= 0) & both
    fits &= np.logical_and.accumulate((right >= 0)[::-1])[::-1]
    if not fits.any():
        return None
    at = int(np.argmin(np.where(fits, costs, np.inf)))
    side = (sides[0].cost(lags[0]) + sides[1].cost(lags[1])) / 2
    wraps = sum((last - first - 1) // abs(lag) for lag in lags) / 2
    unlike = side + _JOIN_COST + _JOIN_WEIGHT * float(costs[at])
    return _Guess(unlike, wraps, *lags, first + at) if np.isfinite(unlike) else None


def _refined(
    guess: _Guess,
    mono: np.ndarray,
    interval: tuple[float, float],
    sides: Sequence[_Side],
) -> tuple[float, _Guess, tuple[float, float]]:
    """Align a guess by its waveforms; return its cost with their correlation, and lags in s."""
    start, stop = round(interval[0] * RATE), round(interval[1] * RATE)
    spans = [(start - _FINE_CONTEXT, start), (stop, stop + _FINE_CONTEXT)]
    there = [index for index, side in enumerate(sides) if side.exists]
    lags = [guess.left, guess.right]
    if guess.left == guess.right:
        curves = [_correlation(mono, spans[index], guess.left) for index in there]
        total = sum(curves, np.zeros(2 * _FINE + 1)) / len(curves)
        at = int(np.argmax(total))
        ncc = float(total[at])
        fine = [guess.left * HOP + at - _FINE] * 2
    else:
        found = []
        for index in there:
            curve = _correlation(mono, spans[index], lags[index])
            at = int(np.argmax(curve))
            found.append((float(curve[at]), lags[index] * HOP + at - _FINE))
        ncc = float(np.mean([value for value, _ in found]))
        fine = [lag for _, lag in found]
    return guess.cost - _NCC_WEIGHT * ncc, guess, (fine[0] / RATE, fine[1] / RATE)


def _correlation(mono: np.ndarray, span: tuple[int, int], lag: int) -> np.ndarray:
    """Return the normalised correlation of a span with the music a lag before, near that lag."""
    first, last = max(0, span[0]), min(span[1], len(mono))
    low, high = first - lag * HOP - _FINE, last - lag * HOP + _FINE
    around = np.zeros(max(0, high - low))
    lo, hi = max(0, low), min(high, len(mono))
    if last <= first or lo >= hi:
        return np.zeros(2 * _FINE + 1)
    around[lo - low : hi - low] = mono[lo:hi]
    here = mono[first:last].astype(float)
    size = 2 ** int(np.ceil(np.log2(len(around) + len(here))))
    product = np.fft.rfft(around, size) * np.conj(np.fft.rfft(here, size))
    sums = np.fft.irfft(product, size)[: 2 * _FINE + 1]
    squares = np.concatenate([[0.0], np.cumsum(around**2)])
    energy = squares[len(here) : len(here) + 2 * _FINE + 1] - squares[: 2 * _FINE + 1]
    ncc = sums / np.sqrt(np.maximum(energy * (here @ here), 1e-12))
    return ncc[::-1]  # a larger lag reads earlier samples


def _pieces(
    guess: _Guess, lags: tuple[float, float], interval: tuple[float, float]
) -> tuple[CopiedStretch, ...]:
    start, stop = interval
    join = stop if guess.left == guess.right else min(max(guess.join / FRAME_RATE, start), stop)
    found = _periods(start, join, lags[0], from_left=True) if join > start else []
    if guess.left == guess.right and lags[0] < 0:
        found = _periods(start, stop, lags[0], from_left=False)
    elif join < stop:
        found += _periods(join, stop, lags[1], from_left=False)
    return tuple(found)


def _periods(start: float, stop: float, lag: float, *, from_left: bool) -> list[CopiedStretch]:
    """Return the pieces of one lag, repeated where it is shorter than the stretch."""
    if from_left and 0 < lag < stop - start:
        edges = [*np.arange(start, stop, lag), stop]
        return [
            CopiedStretch(float(a), float(b), start - lag)
            for a, b in itertools.pairwise(edges)
            if b > a
        ]
    if not from_left and lag < 0 and -lag < stop - start:
        edges = [start, *np.arange(stop, start, lag)[::-1]]
        return [
            CopiedStretch(float(a), float(b), stop - lag - (b - a))
            for a, b in itertools.pairwise(edges)
            if b > a
        ]
    return [CopiedStretch(start, stop, start - lag)]
