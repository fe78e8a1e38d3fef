import dataclasses

import numpy as np
import pytest
import torch

from jen1cli.conditioning.controls.channels import control_channels
from jen1cli.conditioning.controls.score_channels import (
    ALL_DROPPED,
    NOTHING_DROPPED,
    ScoreDropout,
    ScoreEvents,
    score_channels,
)
from jen1cli.music.controls import (
    CHANNELS_WITH_SCORE,
    CONTROL_CHANNELS,
    NO_CONTROLS,
    PLAYED_CHANNELS,
    Controls,
)
from jen1cli.music.full_score import (
    FAMILIES,
    SCORE_CHANNELS,
    SCORE_GROUPS,
    STYLE_NAMES,
    FullScore,
    ScorePart,
)
from jen1cli.tasks import make_context

RATE = 48_000 / 2_048
BASS, COMPING, LEAD = (SCORE_GROUPS[role].start for role in ("bass", "comping", "lead"))
LAST = {role: SCORE_GROUPS[role].stop for role in ("bass", "comping", "lead", "drums")}


def rendered(score, start=0.0, frames=60, rate=10.0, dropped=NOTHING_DROPPED):
    return score_channels([ScoreEvents.of(score)], [start], frames, rate, [dropped])[0]


def piece(*parts, **more):
    return FullScore(parts, 6.0, **more)


NOTES = piece(
    ScorePart("bass", "bass", ((0.0, 1.0, 30, 0.81), (1.25, 0.5, 23, 0.64))),
    ScorePart("comping", "piano", ((2.0, 1.0, 60, 0.5), (2.0, 1.0, 64, 0.5), (2.0, 0.5, 91, 0.5))),
    ScorePart("lead", "woodwinds", ((0.02, 3.0, 72, 1.0),)),
    ScorePart("drums", "drums", ((4.0, 0.05, 36, 1.0),)),
    style="bossa nova",
    mix=(0.25, 0.5, 0.75),
)


def test_the_notes_of_a_score_are_read_once_for_all_windows(monkeypatch):
    read, of = [], ScoreEvents.of
    monkeypatch.setattr(ScoreEvents, "of", lambda score: read.append(score) or of(score))
    controls = Controls(score=dataclasses.replace(NOTES, style="tango"))
    first, second = (
        control_channels([controls], [start], 9, RATE, CHANNELS_WITH_SCORE) for start in (0.0, 1.0)
    )
    assert len(read) == 1
    assert not torch.equal(first, second)


def test_no_score_is_zero_everywhere():
    assert not score_channels([None], [0.0], 9, RATE).any()
    found = control_channels([NO_CONTROLS], [0.0], 9, RATE, CHANNELS_WITH_SCORE)
    assert found.shape == (1, CHANNELS_WITH_SCORE, 9)
    assert not found.any()


def test_sustain_is_the_share_of_each_frame():
    found = rendered(NOTES)
    bass = found[BASS + 6]
    assert bass[:10].eq(1).all()
    assert not bass[10:].any()
    low = found[BASS + 11]  # B0 is below the roll: it moves up by an octave
    assert torch.allclose(low[11:19], torch.tensor([0, 0.5, 1, 1, 1, 1, 0.5, 0]), atol=1e-6)
    high = found[COMPING + 91 - 36 - 12]  # above the roll: it moves down
    assert high[20:25].eq(1).all()


def test_onsets_are_divided_between_two_frames():
    found = rendered(NOTES)
    onsets = found[BASS + 36]
    assert torch.allclose(onsets[11:14], torch.tensor([0.0, 1.0, 0.0]), atol=1e-6)
    strikes = found[COMPING + 48 : COMPING + 60]
    assert torch.allclose(strikes[0, 19:21], torch.tensor([0.5, 0.5]), atol=1e-6)
    assert torch.equal(strikes.sum(1) > 0, torch.tensor([i in (0, 4, 7) for i in range(12)]))
    # 0.02 s is frame 0.2, 0.3 before the centre of frame 0: the other share lies before the window
    assert found[LEAD + 60, 0] == pytest.approx(0.7)


def test_levels_are_roots_of_the_summed_amplitude():
    found = rendered(NOTES)
    assert found[LAST["bass"] - 2, 5] == pytest.approx(0.9)
    assert found[LAST["comping"] - 2, 22] == pytest.approx((3 * 0.25) ** 0.25)
    assert found[LAST["comping"] - 2, 28] == pytest.approx((2 * 0.25) ** 0.25)
    family = found[FAMILIES.index("bass")]
    assert family[5] == pytest.approx(0.9)
    assert not family[20:].any()
    drums = found[FAMILIES.index("drums")]
    assert drums[40] == pytest.approx(0.5**0.25)  # sounds in half of the frame
    assert drums.count_nonzero() == 1


def test_strokes_of_drums_are_as_high_as_they_are_loud():
    strokes = ((1.05, 0.1, 36, 0.64), (1.05, 0.1, 42, 0.16), (2.1, 0.1, 41, 1.0))
    other = ScorePart("drums", "percussion", ((3.05, 0.1, 36, 1.0),))
    found = rendered(piece(ScorePart("drums", "drums", strokes), other))
    rows = found[SCORE_GROUPS["drums"]][:-1]
    assert rows[:, 10].tolist() == pytest.approx([0.8, 0, 0.4, 0, 0], abs=1e-5)
    assert rows[4, 20:22].tolist() == pytest.approx([0.5, 0.5], abs=1e-5)
    assert rows[4, 30] == pytest.approx(1.0, abs=1e-5)
    assert rows.sum() == pytest.approx(3.2, abs=1e-4)


def test_flags_cover_the_length_of_the_score_only():
    found = rendered(NOTES.shifted(1.0), frames=80)
    flags = [*range(len(FAMILIES), 2 * len(FAMILIES)), *(stop - 1 for stop in LAST.values())]
    assert found[flags, 10:70].eq(1).all()
    assert not found[flags, :10].any()
    assert not found[flags, 70:].any()


def test_style_and_mix_are_constant():
    found = rendered(NOTES, start=100.0)
    style = found[SCORE_GROUPS["style"]]
    assert style[STYLE_NAMES.index("bossa nova")].eq(1).all()
    assert style.sum() == 60
    assert found[SCORE_GROUPS["mix"], 0].tolist() == [0.25, 0.5, 0.75, 1.0]


def test_an_onset_just_before_a_window_reaches_into_it():
    score = piece(ScorePart("lead", "guitar", ((0.96, 0.02, 60, 1.0),)))
    whole, part = rendered(score), rendered(score, start=1.0)
    assert whole[LEAD + 60, 10] == pytest.approx(0.1)
    assert torch.allclose(part[:, :20], whole[:, 10:30], atol=1e-5)


def test_a_window_is_a_part_of_the_whole():
    whole = rendered(NOTES, frames=140, rate=RATE)
    part = rendered(NOTES, start=37 / RATE, frames=50, rate=RATE)
    assert torch.allclose(part, whole[:, 37:87], atol=1e-5)


def test_channels_equal_a_loop_over_notes():
    """Sustain, onsets and levels against the formula, note by note, for random notes."""
    rng = np.random.default_rng(3)
    notes = tuple(
        (float(rng.uniform(0, 5)), float(rng.uniform(0.01, 1)), int(rng.integers(36, 96)), 0.5)
        for _ in range(60)
    )
    found = rendered(piece(ScorePart("lead", "strings", notes)))
    sustain, onsets, power = torch.zeros(60, 60), torch.zeros(12, 60), torch.zeros(60)
    for onset, duration, pitch, level in notes:
        for frame in range(60):
            shared = min(onset + duration, (frame + 1) / 10) - max(onset, frame / 10)
            share = max(0.0, 10 * shared)
            sustain[pitch - 36, frame] += share
            power[frame] += share * level**2
            onsets[pitch % 12, frame] += max(0.0, 1 - abs(10 * onset - frame - 0.5))
    assert torch.allclose(found[LEAD : LEAD + 60], sustain.clamp(max=1), atol=1e-5)
    assert torch.allclose(found[LEAD + 60 : LEAD + 72], onsets.clamp(max=1), atol=1e-5)
    assert torch.allclose(found[LAST["lead"] - 2], power**0.25, atol=2e-2)


def test_items_of_a_batch_do_not_mix():
    other = piece(ScorePart("lead", "choir", ((1.0, 1.0, 60, 1.0),)))
    scores = [ScoreEvents.of(NOTES), None, ScoreEvents.of(other)]
    found = score_channels(scores, [0.5, 0.0, 1.0], 20, RATE)
    assert torch.equal(found[0], rendered(NOTES, 0.5, 20, RATE))
    assert not found[1].any()
    assert torch.equal(found[2], rendered(other, 1.0, 20, RATE))


def test_what_is_hidden_is_unknown():
    whole = rendered(NOTES)
    assert not rendered(NOTES, dropped=ALL_DROPPED).any()
    bass = SCORE_GROUPS["bass"]
    found = rendered(NOTES, dropped=ScoreDropout(groups=("bass",)))
    assert not found[bass].any()
    assert torch.equal(found[bass.stop :], whole[bass.stop :])
    piano = FAMILIES.index("piano")
    found = rendered(NOTES, dropped=ScoreDropout(families=(piano,)))
    assert not found[[piano, len(FAMILIES) + piano]].any()
    assert found.sum() < whole.sum()
    found = rendered(NOTES, dropped=ScoreDropout(span=(5, 12), span_groups=("bass",)))
    assert not found[bass, 5:12].any()
    assert torch.equal(found[:, :5], whole[:, :5])
    assert torch.equal(found[:, 12:], whole[:, 12:])


def test_a_score_may_leave_groups_open():
    found = rendered(dataclasses.replace(NOTES, left_open=("comping", "families")))
    assert not found[SCORE_GROUPS["comping"]].any()
    assert not found[SCORE_GROUPS["families"]].any()
    assert found[SCORE_GROUPS["bass"]].any()


def test_controls_carry_the_score_on_their_clock():
    controls = Controls(120.0, "4/4", chords="C", score=NOTES)
    found = control_channels([controls.shifted(2.0)], [2.0], 40, RATE, CHANNELS_WITH_SCORE)
    assert torch.equal(found[0, CONTROL_CHANNELS:], rendered(NOTES, 0.0, 40, RATE))
    later = controls.with_bar_at(4.1)
    assert later.score is not None
    assert later.score.start == pytest.approx(later.downbeat) == 4.0
    assert NO_CONTROLS.over(controls).score == NOTES


def test_parts_are_masked_in_known_music_and_style_is_not():
    latent = torch.zeros(1, 2, 4)
    keep = torch.tensor([[[True, True, False, False]]])
    controls = torch.ones(1, CONTROL_CHANNELS + SCORE_CHANNELS, 4)
    found = make_context(latent, keep, controls)[0, 3:]
    assert not found[CONTROL_CHANNELS:PLAYED_CHANNELS, :2].any()
    assert found[CONTROL_CHANNELS:PLAYED_CHANNELS, 2:].all()
    assert found[PLAYED_CHANNELS:].all()
