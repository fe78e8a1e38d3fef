"""Adherence of music to its prompt: scores of single clips, and the table of them.

Every score is compared with a floor, the same music scored against other clips' prompts, and with a
ceiling, real music scored against its own captions by the same models.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from jen1cli.evaluation.analysis import (
    Analysis,
    chord_accuracy,
    drum_pattern_score,
    is_minorish,
    melody_accuracy,
    tempo_matches,
)
from jen1cli.evaluation.distances import cosine_scores
from jen1cli.evaluation.intervals import NOTHING, Estimate, mean_interval, statistic_interval
from jen1cli.evaluation.prompt_spec import PromptSpec
from jen1cli.evaluation.tagger.labels import style_family
from jen1cli.evaluation.tagger.tagger import Tags
from jen1cli.music.chords import tonic_index

PRESENT_FROM = 0.5  # probability from which an instrument counts as present
PERCUSSIVE_FROM = 0.08  # share of percussive power from which signal analysis reports drums:
# it best separated synthetic music with drums from music without, 84 % of 135 clips
SHUFFLES = 8  # number of other prompts that each clip is scored against for the floor


@dataclass(frozen=True)
class AnalyzedClip:
    """One clip with the predictions of the tagger and of signal analysis."""

    name: str
    spec: PromptSpec
    tags: Tags
    analysis: Analysis
    text: np.ndarray  # embedding of the prompt


@dataclass(frozen=True)
class Question:
    """One question about a clip, a row of the table."""

    name: str
    about: str
    by: str  # "tagger" or "signal"
    ask: Callable[
        [AnalyzedClip, PromptSpec, np.ndarray], float | None
    ]  # None: not specified by the prompt


def _style(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    return float(clip.tags.best_styles(1)[0] in spec.styles) if spec.styles else None


def _style_top3(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    if not spec.styles:
        return None
    return float(not spec.styles.isdisjoint(clip.tags.best_styles(3)))


def _style_family(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    if not spec.styles:
        return None
    wanted = {style_family(style) for style in spec.styles}
    return float(style_family(clip.tags.best_styles(1)[0]) in wanted)


def _instruments(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    known = [
        max(clip.tags.instruments[name] for name in meaning if name in clip.tags.instruments)
        for meaning in spec.instruments
        if any(name in clip.tags.instruments for name in meaning)
    ]
    return float(np.mean([p >= PRESENT_FROM for p in known])) if known else None


def _drums(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    return None if spec.drums is None else float((clip.tags.drums >= 0.5) == spec.drums)


def _drums_signal(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    if spec.drums is None:
        return None
    return float((clip.analysis.percussive >= PERCUSSIVE_FROM) == spec.drums)


def _tempo(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    return float(tempo_matches(clip.tags.bpm, spec.bpm)) if spec.bpm else None


def _tempo_signal(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    return float(tempo_matches(clip.analysis.bpm, spec.bpm)) if spec.bpm else None


def _key(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    if not spec.key:
        return None
    return float(tonic_index(clip.tags.key) == tonic_index(spec.key))


def _key_mode(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    if not spec.key or not spec.mode:
        return None
    right = tonic_index(clip.tags.key) == tonic_index(spec.key)
    return float(right and is_minorish(clip.tags.mode) == is_minorish(spec.mode))


def _key_signal(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    if not spec.key or not spec.mode:
        return None
    right = tonic_index(clip.analysis.key) == tonic_index(spec.key)
    return float(right and (clip.analysis.mode == "minor") == is_minorish(spec.mode))


def _chords(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    return chord_accuracy(clip.analysis.chroma, spec.controls)


def _melody(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    return melody_accuracy(clip.analysis.chroma, spec.controls)


def _strokes(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    return drum_pattern_score(clip.analysis.onsets, spec.controls)


def _cosine(clip: AnalyzedClip, spec: PromptSpec, text: np.ndarray) -> float | None:
    return float(cosine_scores(clip.tags.embedding[None], text[None])[0])


QUESTIONS = (
    Question("style", "the likeliest style is the one asked for", "tagger", _style),
    Question("style, top 3", "it is among the three likeliest", "tagger", _style_top3),
    Question("style family", "the broad kind is right", "tagger", _style_family),
    Question(
        "instruments", "share of the instruments named that are heard", "tagger", _instruments
    ),
    Question("drums", "drums are there or away as asked", "tagger", _drums),
    Question("drums (signal)", "the same by percussive power", "signal", _drums_signal),
    Question("tempo", "within 4 %, or double or half", "tagger", _tempo),
    Question("tempo (signal)", "the same by beat tracking", "signal", _tempo_signal),
    Question("key", "the tonic is right", "tagger", _key),
    Question("key and mode", "tonic and minor or major third are right", "tagger", _key_mode),
    Question("key and mode (signal)", "the same by a chroma profile", "signal", _key_signal),
    Question(
        "chords (signal)", "time in which the given chord is the likeliest", "signal", _chords
    ),
    Question(
        "melody (signal)", "time in which its note is of the two strongest", "signal", _melody
    ),
    Question("drum pattern (signal)", "strokes that stand out, 50 % is chance", "signal", _strokes),
    Question("text cosine", "likeness of sound and prompt, not a share", "tagger", _cosine),
)


@dataclass(frozen=True)
class AdherenceRow:
    """One mean score with floor and ceiling."""

    name: str
    about: str
    by: str
    value: Estimate
    floor: Estimate
    ceiling: Estimate

    @property
    def way(self) -> float | None:
        """Position of the score between the floor (0) and the ceiling (1); None if undefined."""
        room = self.ceiling.value - self.floor.value
        if not (self.value.count and self.ceiling.count) or room <= 1e-9:
            return None
        return (self.value.value - self.floor.value) / room

    def facts(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "way": self.way}


def adherence_table(
    made: Sequence[AnalyzedClip], real: Sequence[AnalyzedClip], *, seed: int = 0
) -> list[AdherenceRow]:
    """Score music against its prompts, question by question.

    Args:
        made: generated clips.
        real: clips of real music with captions, for the ceiling; may be empty.
        seed: seed of shuffles and bootstrap.
    """
    rows = [
        AdherenceRow(
            question.name,
            question.about,
            question.by,
            mean_interval(_ask(question, made), seed=seed),
            mean_interval(_ask_shuffled(question, made, seed), seed=seed),
            mean_interval(_ask(question, real), seed=seed),
        )
        for question in QUESTIONS
    ]
    return [*rows, _energy_row(made, real, seed)]


def _ask(question: Question, clips: Sequence[AnalyzedClip]) -> list[float]:
    answers = [question.ask(clip, clip.spec, clip.text) for clip in clips]
    return [float("nan") if answer is None else answer for answer in answers]


def _ask_shuffled(question: Question, clips: Sequence[AnalyzedClip], seed: int) -> list[float]:
    """Return each clip's mean score against prompts of other clips; one value per clip."""
    rng = np.random.default_rng(seed)
    count = len(clips)
    if count < 2:
        return []
    scores = np.full((SHUFFLES, count), np.nan)
    for turn in range(SHUFFLES):
        shift = int(rng.integers(1, count))
        order = rng.permutation(count)
        for i in range(count):
            clip, other = clips[order[i]], clips[order[(i + shift) % count]]
            answer = question.ask(clip, other.spec, other.text)
            if answer is not None:
                scores[turn, order[i]] = answer
    known = np.isfinite(scores)
    counts = known.sum(0)
    sums = np.where(known, scores, 0.0).sum(0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).tolist()


def _energy_row(
    made: Sequence[AnalyzedClip], real: Sequence[AnalyzedClip], seed: int
) -> AdherenceRow:
    return AdherenceRow(
        "energy",
        "rank correlation of heard and wanted energy, not a share",
        "tagger",
        _energy(made, seed),
        _energy(made, seed, shuffled=True),
        _energy(real, seed),
    )


def _energy(clips: Sequence[AnalyzedClip], seed: int, *, shuffled: bool = False) -> Estimate:
    pairs = [(clip.tags.energy, clip.spec.energy) for clip in clips if clip.spec.energy is not None]
    if len(pairs) < 3:
        return NOTHING
    heard, wanted = np.array(pairs, np.float64).T
    if shuffled:
        wanted = np.random.default_rng(seed).permutation(wanted)
    return statistic_interval(
        lambda drawn: rank_correlation(heard[drawn], wanted[drawn]), len(pairs), draws=300
    )


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rank correlation; 0 if one side is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(spearmanr(first, second).statistic)  # type: ignore[attr-defined]
