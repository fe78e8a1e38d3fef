"""The loop that is heard around a hole: read from channels, kept and completed by the priors."""

import dataclasses

import pytest
import torch

from jen1cli.conditioning.controls.channels import TRANSCRIBED, control_channels
from jen1cli.conditioning.controls.part_predictor import BARS
from jen1cli.conditioning.controls.predictor import ControlPredictor
from jen1cli.conditioning.controls.transcription import read_loop
from jen1cli.config import ControlsConfig
from jen1cli.music.chords import parse_chord
from jen1cli.music.controls import (
    BEAT_AND_KEY_CHANNELS,
    CHANNELS_WITH_CHORDS,
    CONTROL_CHANNELS,
    Controls,
)

RATE = 48_000 / 2048
SHAPE = ControlsConfig(
    predictor_features=16, chord_features=8, part_features=8, tracker_channels=8,
    tracker_dilations=(1, 2), transcribed_channels=sum(TRANSCRIBED.values()),
)  # fmt: skip
TEXT, MASK = torch.randn(1, 4, 12), torch.ones(1, 4, dtype=torch.bool)
DRUMS = "kick x...x...x...x... | x.....x...x..... snare ....x.......x... hat x.x.x.x.x.x.x.x."
MELODY = " | ".join(["C5 - E5 -", "A4 . . C5", "F4 F4 G4 G4", "G4 - - .", "C6 - B5 -"])
PIECE = Controls(
    122.0, "4/4", 0.7, "C", "major", "C | Am7 | F C/G | G7 | Em | Dm | F | Gsus4", DRUMS, MELODY
)  # loops of eight, two and five bars
BAR = PIECE.bar_seconds


def played(controls, frames):
    """The channels of what is played, as a perfect tracker hears them."""
    told = control_channels([controls], [0.0], frames, RATE)[:, BEAT_AND_KEY_CHANNELS:]
    groups = told.split([size + 1 for size in TRANSCRIBED.values()], dim=1)
    return torch.cat([group[:, :-1] for group in groups], dim=1)


def known_until(seconds, frames=600):
    return (torch.arange(frames) < round(seconds * RATE))[None, None]


def heard(known, controls=PIECE):
    return read_loop(
        torch.logit(played(controls, known.shape[-1]), eps=1e-4), known, controls, RATE
    )


def gone_on(controls, loop, seed=0):
    torch.manual_seed(0)
    predictor = ControlPredictor(12, SHAPE).eval()
    return predictor.continue_loop(controls, loop, TEXT, MASK, torch.Generator().manual_seed(seed))


def test_the_bars_before_the_hole_are_written_down():
    loop = heard(known_until(0.7 + 3.6 * BAR))
    assert loop.downbeat == pytest.approx(0.7, abs=1e-6)
    c, a_minor, f = map(parse_chord, ("C", "Am7", "F"))
    assert loop.chords[:5] == (c, c, a_minor, a_minor, f)
    assert loop.chords[7:] == (None,) * 9  # three and a half bars are known: 7 halves
    assert loop.drums.index(None) == round(3.6 * 16)
    assert loop.drums[:5] == (0b101, 0, 0b100, 0, 0b111)
    # before the first bar there was music too, and there the loop had come round to its end
    assert set(loop.drums[round(3.6 * 16) : -6]) == {None}
    assert None not in loop.drums[-5:]
    assert len(set(loop.melody[:16])) == 3  # C5, E5 and that they go on


def test_of_long_music_the_last_eight_bars_count():
    known = known_until(0.7 + 10.3 * BAR)
    loop = heard(known)
    assert round(PIECE.bars_at(loop.downbeat)) == 10 - BARS
    assert None not in loop.drums
    assert None not in (*loop.drums, *loop.melody)


def test_behind_a_hole_the_loop_is_taken_where_it_comes_round():
    frames = 800
    known = torch.ones(1, 1, frames, dtype=torch.bool)
    hole = slice(round((0.7 + 2 * BAR) * RATE), round((0.7 + 4 * BAR) * RATE))
    known[..., hole] = False
    loop = heard(known)
    assert loop.downbeat == pytest.approx(0.7, abs=1e-6)
    assert None not in loop.drums[:30]
    assert loop.drums[2 * 16 + 2 : 4 * 16 - 2] == heard(known_until(33, 800)).drums[34:62]
    before = torch.arange(frames)[None, None] >= round((0.7 + 2.2 * BAR) * RATE)
    loop = heard(before)  # nothing is known before the hole
    assert round(PIECE.bars_at(loop.downbeat)) == 3
    assert loop.chords[0] == parse_chord("G7")


def test_less_than_a_bar_tells_nothing():
    assert heard(known_until(0.7 + 0.9 * BAR)) is None


def test_steps_shorter_than_a_frame_are_read_too():
    fast = dataclasses.replace(PIECE, bpm=300.0, meter="12/8")
    loop = heard(known_until(0.7 + 9 * fast.bar_seconds), fast)
    assert len(loop.drums) == BARS * 24
    assert None not in (*loop.drums, *loop.melody)


def test_without_a_key_no_melody_is_written_down():
    keyless = dataclasses.replace(PIECE, key="", mode="")
    loop = heard(known_until(0.7 + 3 * BAR), keyless)
    assert set(loop.melody) == {None}
    assert loop.drums[0] == 0b101


@pytest.mark.heavy
@pytest.mark.parametrize("bars", [8, 5])
def test_what_was_heard_goes_on_in_the_hole(bars):
    piece = dataclasses.replace(PIECE, melody=MELODY + " | D5 - - - | . . . . | C5 - - -")
    end = 0.7 + bars * BAR
    known = known_until(end)
    loop = heard(known, piece)
    beat = dataclasses.replace(piece, chords="", drums="", melody="")
    made = gone_on(beat, loop)
    assert made.bars_at(0.0) >= 0.0  # it goes round before the hole as well
    told = control_channels([made], [0.0], 600, RATE)
    true = control_channels([piece], [0.0], 600, RATE)
    inside = slice(round(0.7 * RATE) + 1, round(end * RATE) - 2)
    # slash chords are told by their root
    no_bass = [i for i in range(CONTROL_CHANNELS) if not 47 <= i < 59]
    assert torch.equal(told[:, no_bass, inside], true[:, no_bass, inside])
    if bars == BARS:
        later = slice(inside.start, 600)
        assert torch.equal(told[:, no_bass, later], true[:, no_bass, later])
        assert gone_on(beat, loop, seed=1) == made
    else:
        assert gone_on(beat, loop, seed=1) != made  # three bars are drawn


@pytest.mark.heavy
def test_what_is_asked_for_begins_at_the_downbeat_and_the_rest_goes_on():
    end = 0.7 + 5 * BAR
    loop = heard(known_until(end))
    asked = dataclasses.replace(PIECE, chords="E", drums="", melody="").with_bar_at(end)
    made = gone_on(asked, loop)
    assert made.chords == "E"
    assert made.downbeat == asked.downbeat
    again = gone_on(dataclasses.replace(PIECE, chords="", drums="", melody=""), loop)
    # the bars that were heard come last, since the loop was turned to begin in the hole
    told = control_channels([made], [made.downbeat + 3 * BAR], 100, RATE)
    true = control_channels([again], [0.7], 100, RATE)
    drums = slice(CHANNELS_WITH_CHORDS, CHANNELS_WITH_CHORDS + 5)
    torch.testing.assert_close(told[:, drums], true[:, drums], atol=1e-4, rtol=0)
