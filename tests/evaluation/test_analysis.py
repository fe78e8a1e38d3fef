"""Signal analysis finds what was put in.

What uses librosa is heavy, since numba compiles parts of it for most of a minute the first time.
"""

import numpy as np
import pytest

from jen1cli.evaluation.analysis import (
    analyze,
    chord_accuracy,
    drum_pattern_score,
    is_minorish,
    melody_accuracy,
    tempo_matches,
)
from jen1cli.music.controls import NO_CONTROLS, Controls


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("bpm", "chord", "key"),
    [(120.0, (60, 64, 67), ("C", "major")), (92.0, (57, 60, 64), ("A", "minor"))],
)
def test_tempo_and_key_of_plain_music(beat_maker, bpm, chord, key):
    found = analyze(beat_maker(8.0, bpm, chord=chord), 48_000)
    assert tempo_matches(found.bpm, bpm)
    assert (found.key, found.mode) == key
    assert found.percussive > 0.02


@pytest.mark.heavy
def test_silence_has_neither(tone):
    found = analyze(np.zeros((2, 96_000), np.float32), 48_000)
    assert (found.bpm, found.key, found.mode) == (0.0, "", "")
    assert np.isnan(found.steadiness)


@pytest.mark.heavy
def test_a_tone_without_strokes_is_not_percussive(tone):
    assert analyze(tone(seconds=3.0), 48_000).percussive < 0.05


@pytest.mark.parametrize(
    ("found", "right"),
    [(120.0, True), (60.0, True), (240.0, True), (124.7, True), (126.0, False), (0.0, False)],
)
def test_tempo_within_four_percent_double_or_half(found, right):
    assert tempo_matches(found, 120.0) is right


def test_modes():
    assert all(
        map(is_minorish, ("minor", "dorian", "phrygian", "harmonic minor", "harmonic_minor"))
    )
    assert not any(map(is_minorish, ("major", "lydian", "mixolydian", "")))


@pytest.mark.heavy
def test_a_melody_is_recognised_above_other_notes():
    rate = 48_000
    t = np.arange(rate // 2) / rate
    tones = {p: np.sin(2 * np.pi * 440 * 2 ** ((p - 69) / 12) * t) for p in range(40, 80)}
    played = np.concatenate([tones[p] + 0.5 * tones[45] for p in (60, 64, 67, 62)])
    chroma = analyze(0.2 * np.stack([played, played]).astype(np.float32), rate).chroma
    controls = Controls(120.0, "4/4", melody="C4 E4 G4 D4")  # of half a second each
    assert melody_accuracy(chroma, controls) > 0.9
    assert melody_accuracy(chroma, Controls(120.0, "4/4", melody="C5 A#4 G4 G#4")) == pytest.approx(
        0.5, abs=0.05
    )
    for nothing in (
        NO_CONTROLS,
        Controls(120.0, "4/4", melody="none"),
        Controls(120.0, melody="C4"),
    ):
        assert melody_accuracy(chroma, nothing) is None


@pytest.mark.heavy
def test_strokes_stand_out_where_they_are_told():
    rate = 48_000
    rng = np.random.default_rng(0)
    steps = "x..x..x.x...x.x."
    burst = rng.standard_normal(4000) * np.exp(-np.arange(4000) / 500)
    played = 1e-3 * rng.standard_normal(4 * rate)
    for place, step in enumerate(steps * 2):  # two bars of two seconds
        if step == "x":
            first = place * rate // 8
            played[first : first + 4000] += 0.3 * burst[: len(played) - first]
    onsets = analyze(np.stack([played, played]).astype(np.float32), rate).onsets
    controls = Controls(120.0, "4/4", drums=f"kick {steps}")
    assert drum_pattern_score(onsets, controls) > 0.9
    assert drum_pattern_score(onsets, controls.shifted(-0.125)) < 0.6  # a sixteenth late
    for nothing in (
        NO_CONTROLS,
        Controls(120.0, "4/4", drums="none"),
        Controls(120.0, drums="kick x."),
    ):
        assert drum_pattern_score(onsets, nothing) is None


@pytest.mark.heavy
def test_chords_are_recognised_in_their_time():
    rate = 48_000
    t = np.arange(2 * rate) / rate

    def triad(*pitches):
        tones = [sum(np.sin(2 * np.pi * 440 * 2 ** ((p - 69) / 12) * k * t) / k for k in (1, 2, 3))
                 for p in pitches]  # fmt: skip
        return 0.1 * sum(tones)

    played = np.concatenate([triad(57, 60, 64), triad(53, 57, 60), triad(55, 59, 62)])
    chroma = analyze(np.stack([played, played]).astype(np.float32), rate).chroma
    controls = Controls(120.0, "4/4", chords="Am F G")  # bars of two seconds
    assert chord_accuracy(chroma, controls) == 1.0
    assert chord_accuracy(chroma, Controls(120.0, "4/4", chords="Am F Am")) == pytest.approx(
        2 / 3, abs=0.02
    )
    assert chord_accuracy(chroma, Controls(120.0, "4/4", chords="Bm D# F#")) == 0.0
    assert chord_accuracy(chroma, controls.shifted(-2.0)) == 0.0  # a bar late
    for silent in (NO_CONTROLS, Controls(120.0, "4/4", chords="N.C.")):
        assert chord_accuracy(chroma, silent) is None
