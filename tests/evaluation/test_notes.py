"""Notes by the transcriber from outside, and the measures of density, melody and roots on them."""

import hashlib
import json
from importlib.resources import files

import numpy as np
import pytest

from jen1cli.evaluation.note_measures import (
    level_range,
    measure_notes,
    melody_at_pitch,
    roots_heard,
)
from jen1cli.evaluation.transcriber import Activity, find_activity, find_notes
from jen1cli.music.controls import Controls
from jen1cli.music.patterns import Sound

RATE = 22_050
BAR = Controls(120.0, "4/4", 0.0, chords="C | Am", melody="C5 - E5 -")


def played(*notes: Sound, seconds: float = 4.0) -> np.ndarray:
    """Return decaying tones with a few partials, [1, samples]."""
    times = np.arange(int(seconds * RATE)) / RATE
    sound = np.zeros_like(times)
    for note in notes:
        hertz = 440.0 * 2 ** ((note.number - 69) / 12)
        inside = (times >= note.start) & (times < note.stop)
        envelope = inside * np.exp(-2.0 * (times - note.start).clip(0))
        for partial in range(1, 6):
            sound += envelope * np.sin(2 * np.pi * partial * hertz * times) / partial**2
    return (0.2 * sound[None]).astype(np.float32)


def test_played_notes_are_found_across_the_windows():
    told = [Sound(0.5 * i, 0.5 * i + 0.45, number) for i, number in enumerate((60, 64, 67, 72) * 2)]
    found = find_notes(find_activity(played(*told), RATE))
    right = [
        note for note in told
        if any(f.number == note.number and abs(f.start - note.start) < 0.06 for f in found)
    ]  # fmt: skip
    assert len(right) >= 7
    assert len(found) <= 10
    assert find_notes(find_activity(np.zeros((2, RATE), np.float32), RATE)) == []


def test_a_note_ends_before_a_long_dip_and_at_the_next_onset():
    onset, sounding = np.zeros((2, 100, 88))
    onset[[10, 50], 0] = 0.9
    sounding[10:30, 0] = sounding[38:45, 0] = sounding[50:90, 0] = 0.8
    onset[20, 1], sounding[20:28, 1] = 0.9, 0.8  # too short
    onset[30, 2], sounding[60:90, 2] = 0.9, 0.8  # silent for too long after its onset
    found = find_notes(Activity(sounding, onset))
    assert [(round(n.start * RATE / 256), round(n.stop * RATE / 256), n.number) for n in found] == [
        (10, 45, 21),
        (50, 90, 21),
    ]


def test_melody_counts_at_its_very_pitch():
    half = [Sound(0.0, 1.0, 72), Sound(1.0, 2.0, 64)]  # E4 in place of E5
    assert melody_at_pitch(half, BAR, 2.0) == 0.5
    assert np.isnan(melody_at_pitch(half, Controls(120.0, "4/4"), 2.0))


def test_roots_are_those_of_the_best_triad():
    chord = [Sound(0.0, 2.0, n) for n in (48, 64, 67)]
    wrong = [Sound(2.0, 4.0, n) for n in (53, 57, 60)]  # F for A minor
    assert roots_heard([*chord, *wrong], BAR, 4.0) == pytest.approx(0.5)
    right = [Sound(2.0, 4.0, n) for n in (45, 60, 64)]
    assert roots_heard([*chord, *right], BAR, 4.0) == pytest.approx(1.0)
    assert np.isnan(roots_heard([], BAR, 4.0))


def test_the_range_of_levels_sees_gaps():
    steady = 0.1 * np.ones((2, 2 * RATE), np.float32)
    gappy = steady * (np.arange(2 * RATE) // (RATE // 5) % 2 == 0)
    assert level_range(steady, RATE) == pytest.approx(0.0, abs=0.01)
    assert level_range(gappy.astype(np.float32), RATE) == pytest.approx(40.0, abs=0.1)
    assert np.isnan(level_range(steady[:, : RATE // 2], RATE))


@pytest.mark.heavy
def test_a_clip_has_all_measures():
    notes = [Sound(0.5 * i, 0.5 * i + 0.45, 60) for i in range(8)]
    found = measure_notes(played(*notes), RATE, BAR)
    assert found["notes per second"] == pytest.approx(2.0, abs=0.5)
    assert found["polyphony"] == pytest.approx(1.0, abs=0.3)
    assert np.isnan(measure_notes(np.zeros((1, 2 * RATE), np.float32), RATE, BAR)["polyphony"])


def test_the_network_is_the_one_of_the_bill_of_materials():
    folder = files("jen1cli.evaluation").joinpath("data/basic_pitch")
    (component,) = json.loads(folder.joinpath("components.json").read_text())["components"]
    (file,) = component["components"]
    digest = hashlib.sha256(folder.joinpath("nmp.onnx").read_bytes()).hexdigest()
    assert file["hashes"][0]["content"] == digest
