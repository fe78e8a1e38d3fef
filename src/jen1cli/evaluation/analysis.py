"""Signal analysis by librosa, without trained models: tempo, key, drums, steadiness of tones.

It complements the tagger and is independent of the corpus. The detectors are noisy: a score is
meaningful only in comparison with that of real music (the ceiling).
"""

import itertools
import math
from dataclasses import dataclass, field
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float

from jen1cli.audio import Signal, resample, to_channels
from jen1cli.errors import needs_extra
from jen1cli.metrics.partials import steadiness
from jen1cli.music.chords import TONICS
from jen1cli.music.controls import SIXTEENTHS, Controls
from jen1cli.music.patterns import parse_drums, parse_melody

RATE = 22_050  # Hz
CHROMA_HOP = 1024  # 21.5 frames of chroma per second
SHORTEST_CHORD = 0.3  # seconds; shorter chords are not scored
SHORTEST_NOTE = 0.1  # seconds; shorter notes are not scored
FEWEST_STROKES = 4  # least number of sixteenths with, and without, a stroke for a score
STROKE_TOLERANCE = 0.03  # seconds around a stroke in which its onset counts
HOP = 256  # 86 frames of onset strength per second

# Key profiles, counts of each degree in major and minor pieces: Albrecht and Shanahan, Music
# Perception 31 (2013). Of three published profiles it was best on held-out synthetic music.
_MAJOR = np.array([238, 6, 111, 6, 137, 94, 16, 214, 9, 80, 8, 81])
_MINOR = np.array([220, 6, 104, 123, 19, 103, 12, 214, 62, 22, 61, 52])
_KEY_HZ = (60.0, 1000.0)  # at higher frequencies, harmonics outweigh the fundamentals
_MAJORISH = frozenset({"major", "mixolydian", "lydian", "ionian", "major pentatonic"})


@dataclass(frozen=True)
class Analysis:
    """Results of the analysis of one sound."""

    bpm: float  # 0 if no beat was found
    key: str  # tonic, "" if there is no pitch
    mode: str  # "major" or "minor"
    key_strength: float  # correlation with the key's profile
    percussive: float  # share of the power that is percussive, 0 to 1
    steadiness: float  # steadiness of the partials below 3 kHz, 0 to 1; NaN if there are none
    energy: float  # strength of the onsets, in relative units
    onsets: Float[np.ndarray, " moments"] = field(  # every `HOP` samples
        default_factory=lambda: np.zeros(0), compare=False, repr=False
    )
    chroma: Float[np.ndarray, "12 frames"] = field(  # every `CHROMA_HOP` samples
        default_factory=lambda: np.zeros((12, 0)), compare=False, repr=False
    )


def import_librosa() -> ModuleType:
    """Import librosa, or raise an error that names the extra to install.

    Raises:
        MissingExtraError: librosa is not installed, or cannot be imported.
    """
    with needs_extra("eval", "signal analysis"):
        import librosa
    return librosa


def analyze(signal: Signal, sample_rate: int) -> Analysis:
    """Analyze a sound [channels, samples] of at least a second."""
    librosa = import_librosa()
    mono = resample(to_channels(signal, 1), sample_rate, RATE)[0]
    harmonic, percussive = separate(mono)
    onsets = librosa.onset.onset_strength(y=mono, sr=RATE, hop_length=HOP)
    key, mode, strength = find_key(harmonic)
    return Analysis(
        bpm=find_tempo(onsets),
        key=key,
        mode=mode,
        key_strength=strength,
        percussive=_share(percussive, harmonic),
        steadiness=steadiness(mono, RATE),
        energy=float(np.mean(onsets)) if len(onsets) else 0.0,
        onsets=onsets,
        chroma=find_chroma(harmonic),
    )


def separate(
    mono: Float[np.ndarray, " samples"],
) -> tuple[Float[np.ndarray, "bins frames"], Float[np.ndarray, "bins frames"]]:
    """Return the magnitudes of the harmonic and the percussive component by median filtering."""
    librosa = import_librosa()
    spectrum = np.abs(librosa.stft(mono, n_fft=4096, hop_length=CHROMA_HOP))
    return librosa.decompose.hpss(spectrum, kernel_size=17, margin=(1.0, 2.0))


def find_tempo(onsets: Float[np.ndarray, " frames"]) -> float:
    """Return beats per minute from the onset strength; 0 if there are no onsets."""
    librosa = import_librosa()
    if not len(onsets) or float(np.max(onsets)) <= 1e-6:
        return 0.0
    tempo, beats = librosa.beat.beat_track(
        onset_envelope=onsets, sr=RATE, hop_length=HOP, units="time", trim=False
    )
    if len(beats) < 4:
        return float(np.atleast_1d(tempo)[0])
    # the tracked beats have a finer resolution than the tempo grid of the tracker
    steps = np.arange(len(beats))
    return float(60.0 / np.polyfit(steps, beats, 1)[0])


def find_key(harmonic: Float[np.ndarray, "bins frames"]) -> tuple[str, str, float]:
    """Return tonic, mode and correlation with the key profile, from harmonic magnitudes."""
    if float(harmonic.max(initial=0.0)) <= 1e-6:
        return "", "", 0.0
    scores = _key_scores(find_chroma(harmonic).mean(axis=1))
    place = int(np.argmax(scores))
    return TONICS[place % 12], "major" if place < 12 else "minor", float(scores[place])


def find_chroma(harmonic: Float[np.ndarray, "bins frames"]) -> Float[np.ndarray, "12 frames"]:
    """Return the strength of each pitch class over time, each frame normalised to length 1."""
    librosa = import_librosa()
    low, high = (round(hertz / RATE * 4096) for hertz in _KEY_HZ)
    notes = np.zeros_like(harmonic)
    notes[low:high] = harmonic[low:high]
    return librosa.feature.chroma_stft(
        S=notes, sr=RATE, n_fft=4096, hop_length=CHROMA_HOP, tuning=0.0, norm=2
    )


def chord_accuracy(chroma: Float[np.ndarray, "12 frames"], controls: Controls) -> float | None:
    """Return the share of time in which the chart's chord fits better than its transpositions.

    The frames between two changes are averaged; chords that are shorter than `SHORTEST_CHORD`
    seconds, or silent, are left out.

    Args:
        chroma: the music's chroma, as `find_chroma` gives it.
        controls: its chart on the clock of the music; None comes back where nothing can be said.
    """
    seconds = CHROMA_HOP / RATE
    chords = [controls.chord_at((i + 0.5) * seconds) for i in range(chroma.shape[1])]
    right, total, start = 0.0, 0.0, 0
    for chord, run in itertools.groupby(chords):
        frames = len(list(run))
        part = chroma[:, start : start + frames].mean(axis=1)
        start += frames
        if chord is None or frames * seconds < SHORTEST_CHORD or part.max() <= 0:
            continue
        shape = np.zeros(12)
        shape[[(tone - chord.root) % 12 for tone in chord.classes]] = 1.0
        fits = [float(part @ np.roll(shape, root)) for root in range(12)]
        right += frames * (int(np.argmax(fits)) == chord.root)
        total += frames
    return right / total if total else None


def melody_accuracy(chroma: Float[np.ndarray, "12 frames"], controls: Controls) -> float | None:
    """Return the share of time in which the melody's pitch class is among the two strongest.

    Octaves are ignored; notes shorter than `SHORTEST_NOTE` seconds are left out.

    Args:
        chroma: the music's chroma, as `find_chroma` gives it.
        controls: its melody on the clock of the music; None comes back where nothing can be said.
    """
    seconds = CHROMA_HOP / RATE
    if not controls.melody or not controls.has_bars:
        return None
    right = total = 0.0
    for note in controls.sounding(parse_melody(controls.melody), 0.0, chroma.shape[1] * seconds):
        first, stop = max(0, round(note.start / seconds)), round(note.stop / seconds)
        part = chroma[:, first:stop]
        if note.stop - note.start < SHORTEST_NOTE or not part.size or part.max() <= 0:
            continue
        ranks = np.argsort(-part.mean(axis=1))
        right += part.shape[1] * (note.number % 12 in ranks[:2])
        total += part.shape[1]
    return right / total if total else None


def drum_pattern_score(onsets: Float[np.ndarray, " frames"], controls: Controls) -> float | None:
    """Return how well the onset strength separates sixteenths with strokes from those without.

    It is the probability that a sixteenth with a stroke has a stronger onset than one without (the
    area under the ROC curve): 1 is perfect, 0.5 is chance.

    Args:
        onsets: onset strength, `Analysis.onsets`.
        controls: its drums on the clock of the music; None comes back where nothing can be said.
    """
    if not controls.drums or not controls.has_bars:
        return None
    length = len(onsets) * HOP / RATE
    step = controls.bar_seconds / SIXTEENTHS[controls.meter]
    struck = {
        round((stroke.start - controls.downbeat) / step)
        for row in parse_drums(controls.drums)
        for stroke in controls.sounding(row, 0.0, length)
    }
    first = max(0, math.ceil(-controls.downbeat / step))
    found: dict[bool, list[float]] = {True: [], False: []}
    for place in range(first, math.floor((length - controls.downbeat) / step)):
        time = controls.downbeat + place * step
        low, high = ((time + s * STROKE_TOLERANCE) * RATE / HOP for s in (-1, 1))
        near = onsets[max(0, round(low)) : round(high) + 1]
        if near.size:
            found[place in struck].append(float(near.max()))
    hits, others = (np.array(found[kind]) for kind in (True, False))
    if len(hits) < FEWEST_STROKES or len(others) < FEWEST_STROKES:
        return None
    higher = (hits[:, None] > others).mean() + 0.5 * (hits[:, None] == others).mean()
    return float(higher)


def _key_scores(chroma: Float[np.ndarray, " pitches"]) -> Float[np.ndarray, " keys"]:
    profiles = np.stack([np.roll(p, tonic) for p in (_MAJOR, _MINOR) for tonic in range(12)])
    profiles = profiles - profiles.mean(1, keepdims=True)
    centred = chroma - chroma.mean()
    lengths = np.linalg.norm(profiles, axis=1) * np.linalg.norm(centred)
    return profiles @ centred / np.maximum(lengths, 1e-12)


def _share(percussive: np.ndarray, harmonic: np.ndarray) -> float:
    loud, rest = float(np.square(percussive).sum()), float(np.square(harmonic).sum())
    return loud / max(loud + rest, 1e-12)


def is_minorish(mode: str) -> bool:
    """Whether a mode has a minor third."""
    return bool(mode) and mode.replace("_", " ") not in _MAJORISH


def tempo_matches(found: float, wanted: float, tolerance: float = 0.04) -> bool:
    """Whether a tempo equals the wanted one, its double or its half, within `tolerance`."""
    if found <= 0 or wanted <= 0:
        return False
    return any(abs(found / (wanted * f) - 1) <= tolerance for f in (1.0, 2.0, 0.5))


@lru_cache(maxsize=1)
def versions() -> dict[str, Any]:
    """Return the versions of the libraries used by the analysis."""
    librosa = import_librosa()
    return {"librosa": librosa.__version__, "numpy": np.__version__}
