"""The priors of drums and melody: tokens, and loops that are drawn."""

import dataclasses

import pytest
import torch

from jen1cli.conditioning.controls.part_predictor import (
    BARS,
    DRUM_TOKENS,
    FIRST_NOTE,
    HOLDS,
    MELODY_TOKENS,
    RESTS,
    PartPredictor,
    drum_tokens,
    melody_tokens,
    part_rows,
    write_drums,
    write_melody,
)
from jen1cli.conditioning.controls.predictor import ControlPredictor
from jen1cli.config import ControlsConfig
from jen1cli.music.chords import parse_chart
from jen1cli.music.controls import SIXTEENTHS, Controls
from jen1cli.music.patterns import parse_drums, parse_melody

CONTROLS = Controls(100.0, "4/4", 0.0, "D", "minor", "Dm | A7")
TEXT, MASK = torch.ones(1, 3, 12), torch.ones(1, 3, dtype=torch.bool)


def played(**parts):
    return dataclasses.replace(CONTROLS, **parts)


def test_strokes_at_once_are_one_token():
    tokens = drum_tokens(played(drums="kick x.x. | x... snare .x.x hat xxxxxxxx"))
    assert len(tokens) == 32
    assert [tokens[i] for i in (0, 2, 4, 8, 12, 16, 24, 1)] == [5, 4, 6, 5, 6, 5, 4, 0]
    assert drum_tokens(played(drums="none")) == [0] * (16 * BARS)
    assert drum_tokens(CONTROLS) == drum_tokens(Controls(100.0, drums="kick x")) == []


def test_notes_count_from_the_tonic():
    tokens = melody_tokens(played(melody="D4 - . A4"))
    assert tokens == [
        FIRST_NOTE + 24, *[HOLDS] * 7, *[RESTS] * 4, FIRST_NOTE + 31, *[HOLDS] * 3,
    ]  # fmt: skip
    higher = dataclasses.replace(CONTROLS, key="F", melody="F4 - . C5")
    assert melody_tokens(higher) == tokens
    assert melody_tokens(played(melody="none")) == [RESTS] * (16 * BARS)
    assert melody_tokens(Controls(100.0, "4/4", melody="D4")) == [], "the key is unknown"


@pytest.mark.parametrize("meter", SIXTEENTHS)
def test_tokens_stand_for_what_was_written(meter):
    controls = Controls(90.0, meter, 0.0, "A#", "major")
    steps = SIXTEENTHS[meter]
    drums = [(7 * i) % DRUM_TOKENS for i in range(BARS * steps)]
    melody = [FIRST_NOTE + (11 * i) % (MELODY_TOKENS - FIRST_NOTE) for i in range(BARS * steps)]
    melody[3], melody[5] = HOLDS, RESTS
    controls = dataclasses.replace(
        controls, drums=write_drums(drums, controls), melody=write_melody(melody, controls)
    )
    assert drum_tokens(controls) == drums
    assert melody_tokens(controls) == melody


def test_rows_tell_what_came_before_and_which_chord_sounds():
    tokens = list(range(2, 42))
    rows = part_rows(tokens, CONTROLS, 62)
    assert rows[0][:4] == [62, 62, 62, 62]
    assert rows[17][:3] == [tokens[16], tokens[1], 62]
    assert rows[17][4:6] == [1, 1], "the second sixteenth of the second bar"
    assert rows[0][6] == 0
    assert rows[16][6] == 7, "A above D"
    assert rows[39][:4] == part_rows(tokens[:40], CONTROLS, 62)[39][:4]


@pytest.mark.heavy
def test_a_prior_that_learned_one_loop_draws_it_in_every_key():
    torch.manual_seed(0)
    melody = "D4 - F4 - A4 - F4 - | C#5 A4 - - E4 - . . | D4 - F4 - A4 - F4 - | E4 - - - . . . ."
    controls = dataclasses.replace(CONTROLS, meter="2/4", melody=f"{melody} | {melody}")
    tokens = melody_tokens(controls)
    predictor = PartPredictor(12, 48, MELODY_TOKENS)
    rows = torch.tensor([part_rows(tokens, controls, MELODY_TOKENS)])
    optimizer = torch.optim.Adam(predictor.parameters(), 0.02)
    for _ in range(60):
        logits = predictor(TEXT, MASK, rows)
        loss = torch.nn.functional.cross_entropy(logits[0], torch.tensor(tokens))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    draw = torch.Generator().manual_seed(0)
    assert predictor.sample(TEXT, MASK, controls, draw) == tokens
    higher = dataclasses.replace(controls, key="E", chords="Em | B7")
    drawn = write_melody(predictor.sample(TEXT, MASK, higher, draw), higher)
    assert drawn.startswith("E4 - G4 - B4 - G4 - | D#5 B4 - -")


def test_drawing_step_by_step_is_what_training_sees():
    torch.manual_seed(0)
    predictor = PartPredictor(12, 16, DRUM_TOKENS).eval()
    controls = dataclasses.replace(CONTROLS, meter="2/4")
    tokens = [3, 0, 5, 1, 0, 0, 2, 9]
    whole = predictor(TEXT, MASK, torch.tensor([part_rows(tokens, controls, DRUM_TOKENS)]))
    state, about = None, predictor._about(TEXT, MASK)
    for step, row in enumerate(part_rows(tokens, controls, DRUM_TOKENS)):
        logits, state = predictor._steps(about, torch.tensor([[row]]), state)
        torch.testing.assert_close(logits[:, 0], whole[:, step])


@pytest.mark.heavy
def test_controls_are_completed_with_parts_and_keep_what_is_asked_for():
    torch.manual_seed(0)
    shape = ControlsConfig(
        predictor_features=16, chord_features=8, part_features=8, tracker_channels=8,
        tracker_dilations=(1, 2),
    )  # fmt: skip
    predictor = ControlPredictor(12, shape).eval()

    def complete(controls, seed=0, seconds=0.0):
        return predictor.complete(
            controls, TEXT, MASK, torch.Generator().manual_seed(seed), seconds
        )

    drawn = complete(CONTROLS)
    assert all(row.bars == BARS for row in parse_drums(drawn.drums))
    assert parse_melody(drawn.melody).bars == BARS
    assert complete(CONTROLS) == drawn
    assert complete(CONTROLS, seed=1).melody != drawn.melody
    long = complete(CONTROLS, seconds=BARS * CONTROLS.bar_seconds + 1.0)
    bars = long.melody.split(" | ")
    assert len(bars) == 4 * BARS
    first, second, third, last = (bars[i : i + BARS] for i in range(0, len(bars), BARS))
    assert first == second == last != third
    open_controls = dataclasses.replace(CONTROLS, chords="")
    chart = parse_chart(complete(open_controls, seconds=60.0).chords)
    first, second, third, last = (chart[i : i + BARS] for i in range(0, len(chart), BARS))
    assert first == second == last != third
    own = " | ".join(["Am"] * BARS + ["F", "G"] * 2)
    long = complete(dataclasses.replace(CONTROLS, chords=own), seconds=60.0)
    assert long.chords == own
    assert parse_melody(long.melody).bars == BARS + 4  # as long as the chart that it goes with
    asked = played(drums="none", melody="D4 E4")
    assert complete(asked) == asked
    keyless = Controls(100.0, "4/4", melody="E4 G4 B4 G4 | F#4 D#4 E4 -")
    assert (complete(keyless).key, complete(keyless).mode) == ("E", "minor")
