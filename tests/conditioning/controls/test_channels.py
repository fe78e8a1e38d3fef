"""Beats, bars and notes as channels over time."""

import math

import pytest
import torch

from jen1cli.conditioning.controls.channels import (
    BEAT_HARMONICS,
    CONTROL_CHANNELS,
    control_channels,
)
from jen1cli.music.chords import TONICS
from jen1cli.music.controls import (
    BEAT_AND_KEY_CHANNELS,
    CHANNELS_WITH_CHORDS,
    DRUM_CHANNELS,
    NO_CONTROLS,
    Controls,
)
from jen1cli.music.patterns import DRUMS, OCTAVES
from jen1cli.presets import MINI, TINY

RATE = 48_000 / 2048
BAR = slice(2 * BEAT_HARMONICS, 2 * BEAT_HARMONICS + 2)
RHYTHM = 2 * BEAT_HARMONICS + 4
CHORDS = slice(BEAT_AND_KEY_CHANNELS, CHANNELS_WITH_CHORDS)
DRUM_ROWS = slice(CHANNELS_WITH_CHORDS, CHANNELS_WITH_CHORDS + DRUM_CHANNELS)
MELODY = slice(CHANNELS_WITH_CHORDS + DRUM_CHANNELS, None)


def test_presets_take_all_channels():
    assert MINI.unet.control_channels == TINY.unet.control_channels == CONTROL_CHANNELS


def test_nothing_known_is_all_zero():
    assert not control_channels([NO_CONTROLS], [3.0], 50, RATE).any()


@pytest.mark.parametrize("bpm", [60.0, 92.0, 174.0])
def test_the_first_two_channels_turn_once_a_beat(bpm):
    found = control_channels([Controls(bpm)], [0.0], 400, RATE)[0]
    assert torch.allclose(found[:8:2].square() + found[1:8:2].square(), torch.ones(4, 400))
    turned = torch.atan2(found[1], found[0]).diff().remainder(2 * math.pi).sum() / (2 * math.pi)
    assert float(turned) == pytest.approx(399 / RATE * bpm / 60, abs=1e-3)
    assert found[RHYTHM - 2].eq(1).all()
    assert not found[RHYTHM - 1].any()
    assert not found[BAR].any()


def test_a_beat_falls_on_the_downbeat_and_a_bar_begins_there():
    controls = Controls(120.0, "3/4", 1.0)
    # a frame whose middle is the downbeat, and one a bar (1.5 s) later
    for start in (1.0 - 0.5 / RATE, 2.5 - 0.5 / RATE):
        first = control_channels([controls], [start], 1, RATE)[0, :, 0]
        assert torch.allclose(
            first[: 2 * BEAT_HARMONICS : 2], torch.ones(BEAT_HARMONICS), atol=1e-5
        )
        assert torch.allclose(first[BAR], torch.tensor([1.0, 0.0]), atol=1e-5)
    beat = control_channels([controls], [1.5 - 0.5 / RATE], 1, RATE)[0, :, 0]
    assert float(beat[0]) == pytest.approx(1.0, abs=1e-5)
    assert float(beat[BAR][0]) == pytest.approx(math.cos(2 * math.pi / 3), abs=1e-5)


def test_a_window_that_starts_later_is_a_cut():
    controls = Controls(97.0, "4/4", 0.2, "A", "minor")
    whole = control_channels([controls], [0.0], 300, RATE)
    part = control_channels([controls], [100 / RATE], 200, RATE)
    assert torch.allclose(whole[..., 100:], part, atol=1e-5)


def test_the_notes_of_a_key():
    found = control_channels([Controls(key="D", mode="minor")], [0.0], 3, RATE)[0, :, 1]
    notes = {name for name, x in zip(TONICS, found[RHYTHM : RHYTHM + 12], strict=True) if x}
    assert notes == {"D", "E", "F", "G", "A", "A#", "C"}
    assert TONICS[int(found[RHYTHM + 12 : RHYTHM + 24].argmax())] == "D"
    assert found[RHYTHM + 24] == 1
    assert not found[:RHYTHM].any()
    assert not found[CHORDS].any()


def sounding(frame):
    """Names of the chord's notes, its bass, and whether it is known, of one frame's channels."""
    classes, bass, known = frame[CHORDS].split((12, 12, 1))
    notes = {name for name, x in zip(TONICS, classes, strict=True) if x}
    return notes, TONICS[int(bass.argmax())] if bass.any() else "", bool(known)


def test_chords_come_in_their_bars_and_repeat():
    controls = Controls(120.0, "4/4", 0.0, chords="Am | F G/B | N.C.")  # bars of two seconds
    found = control_channels([controls], [0.0], round(9 * RATE), RATE)[0]
    am, f, g = {"A", "C", "E"}, {"F", "A", "C"}, {"G", "B", "D"}
    for seconds, expected in [
        (0.1, (am, "A", True)), (1.9, (am, "A", True)), (2.1, (f, "F", True)),
        (2.9, (f, "F", True)), (3.1, (g, "B", True)), (4.5, (set(), "", True)),
        (6.1, (am, "A", True)), (8.1, (f, "F", True)),
    ]:  # fmt: skip
        assert sounding(found[:, int(seconds * RATE)]) == expected, seconds


def test_a_chart_begins_at_the_downbeat_and_needs_tempo_and_meter():
    late = control_channels([Controls(120.0, "4/4", 1.0, chords="C")], [0.0], 60, RATE)[0]
    known = late[CHORDS][-1].bool()
    assert not known[: int(RATE) - 1].any()
    assert known[int(RATE) + 1 :].all()
    for untimed in (Controls(chords="C"), Controls(120.0, chords="C"), Controls(120.0, "4/4")):
        assert not control_channels([untimed], [0.0], 9, RATE)[0, CHORDS].any()


def test_strokes_fall_between_the_frames_around_them():
    controls = Controls(120.0, "4/4", 0.5, drums="kick x... | ..x. hat xxxx")  # bars of two seconds
    found = control_channels([controls], [0.0], round(5.9 * RATE), RATE)[0, DRUM_ROWS]
    for name, times in (("kick", (0.5, 3.5, 4.5)), ("hat", [0.5 + 0.5 * i for i in range(11)])):
        row = found[DRUMS.index(name)]
        assert float(row.sum()) == pytest.approx(len(times), abs=1e-4)
        for time in times:
            place = time * RATE - 0.5
            frame = math.floor(place)
            assert float(row[frame]) == pytest.approx(1 - (place - frame), abs=1e-4)
            assert float(row[frame + 1]) == pytest.approx(place - frame, abs=1e-4)
    assert not found[DRUMS.index("snare")].any()
    middles = (torch.arange(found.shape[1]) + 0.5) / RATE
    assert torch.equal(found[-1].bool(), middles >= 0.5)


def test_notes_sound_from_their_onset_to_their_end():
    controls = Controls(120.0, "4/4", 0.0, melody="C4 - . Bb5")  # bars of two seconds
    found = control_channels([controls], [0.0], round(3 * RATE), RATE)[0, MELODY]
    classes, octaves, (onsets, known) = found.split((12, OCTAVES, 2))
    for seconds, name, octave in ((0.1, "C", 2), (0.9, "C", 2), (1.6, "A#", 3), (2.1, "C", 2)):
        frame = int(seconds * RATE)
        assert TONICS[int(classes[:, frame].argmax())] == name
        assert classes[:, frame].sum() == octaves[:, frame].sum() == 1
        assert int(octaves[:, frame].argmax()) == octave
    assert not found[:-1, int(1.2 * RATE)].any()
    assert known.all()
    # the first of them falls half a frame before the first middle
    assert float(onsets.sum()) == pytest.approx(2.5, abs=1e-4)


def test_silence_is_known_and_parts_need_bars():
    silent = control_channels(
        [Controls(120.0, "4/4", drums="none", melody="none")], [0.0], 9, RATE
    )[0]
    assert silent[[CHANNELS_WITH_CHORDS + DRUM_CHANNELS - 1, -1]].eq(1).all()
    assert silent[CHANNELS_WITH_CHORDS:].sum() == 18
    for untimed in (Controls(drums="kick x"), Controls(120.0, melody="C4"), Controls(120.0, "4/4")):
        assert not control_channels([untimed], [0.0], 9, RATE)[0, CHANNELS_WITH_CHORDS:].any()


@pytest.mark.parametrize("start", [0.0, 3.3, 11.0])
def test_parts_of_a_later_window_are_a_cut(start):
    controls = Controls(
        97.0, "3/4", 0.2, "A", "minor", "Am | F", "kick x..x | x.x", "A4 B4 - | C5 . E5"
    )
    rate, first = RATE, round(start * RATE)
    whole = control_channels([controls], [0.0], first + 150, rate)
    part = control_channels([controls], [first / rate], 150, rate)
    assert torch.allclose(whole[..., first:], part, atol=1e-4)


def test_a_network_without_chords_is_told_the_rest():
    controls = Controls(120.0, "4/4", 0.0, "C", "major", "C | F")
    whole = control_channels([controls], [0.0], 30, RATE)
    fewer = control_channels([controls], [0.0], 30, RATE, BEAT_AND_KEY_CHANNELS)
    assert torch.equal(fewer, whole[:, :BEAT_AND_KEY_CHANNELS])


def test_each_window_has_its_own_controls():
    controls_batch = [Controls(60.0), NO_CONTROLS, Controls(key="C", mode="major")]
    found = control_channels(controls_batch, [0.0, 1.0, 2.0], 8, RATE)
    assert found.shape == (3, CONTROL_CHANNELS, 8)
    for i, controls in enumerate(controls_batch):
        assert torch.equal(found[i : i + 1], control_channels([controls], [float(i)], 8, RATE))
