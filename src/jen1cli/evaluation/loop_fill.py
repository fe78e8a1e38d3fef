"""Loop-fill: the baseline that an edit of a recording must beat.

It fills an interval with the earlier or later stretch whose surroundings match best, at a distance
of whole beats, matched in level and cross-faded: what a producer does by hand. It is written on
librosa alone, so that it shares nothing with the edits it judges.
"""

import numpy as np

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.evaluation.analysis import HOP, RATE, import_librosa

_CONTEXT_SECONDS = 2.0
_FADE_SECONDS = 0.03
_LOOP_BEATS = 8  # least length of what a continuation repeats
_NEAR = 8  # frames around a whole number of beats that are tried


def loop_fill(known: Signal, sample_rate: int, span: tuple[int, int]) -> Signal:
    """Return samples for an interval of a recording, [channels, stop - start].

    Args:
        known: the recording; what it has inside the interval is not used. It may end where the
            interval begins.
        sample_rate: Hz.
        span: first sample of the interval, and first sample behind it.
    """
    before, after = known[:, : span[0]], known[:, span[1] :]
    gap = np.zeros((len(known), span[1] - span[0]), np.float32)
    lag = _best_lag(np.concatenate([before, gap, after], axis=1), sample_rate, span)
    filled = np.concatenate([before, gap, after], axis=1)
    length = span[1] - span[0]
    if lag > 0:
        source = (span[0] - lag + np.arange(length) % lag).clip(0)
    else:
        source = span[0] - lag + np.arange(length)
    made = filled[:, source.clip(max=filled.shape[1] - 1)]
    made *= np.float32(_gain(filled, sample_rate, span, lag))
    fade = min(round(_FADE_SECONDS * sample_rate), length // 4)
    for edge, inside in ((before, slice(0, fade)), (after, slice(length - fade, length))):
        if edge.shape[1] < fade or not fade:
            continue
        left = edge is before
        beyond = audio.extrapolate(edge if left else edge[:, ::-1], fade)
        pair = (beyond, made[:, inside]) if left else (made[:, inside], beyond[:, ::-1])
        made[:, inside] = audio.crossfade(*pair)
    return made


def _best_lag(signal: Signal, sample_rate: int, span: tuple[int, int]) -> int:
    """Return the lag in samples, positive to the left, at which the surroundings match best."""
    librosa = import_librosa()
    mono = audio.resample(audio.to_channels(signal, 1), sample_rate, RATE)[0]
    onsets = librosa.onset.onset_strength(y=mono, sr=RATE, hop_length=HOP)
    tempo, beats = librosa.beat.beat_track(onset_envelope=onsets, sr=RATE, hop_length=HOP)
    mel = librosa.power_to_db(
        librosa.feature.melspectrogram(y=mono, sr=RATE, hop_length=HOP, n_mels=40)
    )
    chroma = librosa.feature.chroma_stft(y=mono, sr=RATE, hop_length=HOP)
    frames = min(mel.shape[1], chroma.shape[1])
    features = np.concatenate([_unit(mel[:, :frames]), _unit(chroma[:, :frames])])
    first, last = (round(at / sample_rate * RATE / HOP) for at in span)
    beat = 60.0 / max(float(np.atleast_1d(tempo)[0]), 30.0) * RATE / HOP
    if len(beats) > 3:
        beat = float(np.median(np.diff(beats)))
    reach = round(_CONTEXT_SECONDS * RATE / HOP)
    last = frames if last >= frames - 2 else last  # the last frames hold the end alone
    least = _LOOP_BEATS if last == frames else 1
    best, found = -np.inf, round(least * beat)
    for count in range(least, int(frames / beat) + 1):
        # the tracked beat is too coarse for many beats at once
        near = range(round(count * beat) - _NEAR, round(count * beat) + _NEAR + 1)
        for lag in (sign * size for size in near for sign in (1, -1)):
            score = _match(features, (first, last), lag, reach)
            if score is not None and score > best:
                best, found = score, lag
    return round(found * HOP / RATE * sample_rate)


def _match(features: np.ndarray, span: tuple[int, int], lag: int, reach: int) -> float | None:
    """Return the mean cosine of the frames around the interval and those a lag before them."""
    first, last = span
    frames = features.shape[1]
    low, high = first - lag, last - lag
    periodic = lag > 0 and last == frames  # a continuation may repeat a short stretch
    if (
        low < 0
        or (high > first and low < last and not periodic)
        or (not periodic and high > frames)
    ):
        return None
    here = [*range(max(0, first - reach, lag), first), *range(last, min(frames, last + reach))]
    here = [at for at in here if 0 <= at - lag < frames and not first <= at - lag < last]
    if len(here) < reach // 2:
        return None
    rows = np.array(here)
    return float((features[:, rows] * features[:, rows - lag]).sum(axis=0).mean())


def _unit(rows: np.ndarray) -> np.ndarray:
    centred = rows - rows.mean(axis=1, keepdims=True)
    return centred / (np.linalg.norm(centred, axis=0, keepdims=True) + 1e-9)


def _gain(signal: Signal, sample_rate: int, span: tuple[int, int], lag: int) -> float:
    """Return the factor that brings the copy to the level of the music before the interval."""
    reach = round(_CONTEXT_SECONDS * sample_rate)
    here = signal[:, max(0, span[0] - reach) : span[0]]
    there = signal[:, max(0, span[0] - lag - reach) : max(0, span[0] - lag)]
    energies = [float(np.square(part).mean()) if part.size else 0.0 for part in (here, there)]
    return float(np.sqrt(energies[0] / energies[1])) if min(energies) > 1e-9 else 1.0
