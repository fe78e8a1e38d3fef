"""Pitch in latents: where a tone lies decides what is heard, and nothing unknown does."""

import pytest
import torch

from jen1cli.conditioning.controls.pitch_head import (
    LOWEST_PITCH,
    NUM_PITCHES,
    PARTIAL_SEMITONES,
    TAPS,
    PitchHead,
    _around,
)
from jen1cli.conditioning.controls.tracker import ControlTracker
from jen1cli.config import ControlsConfig
from jen1cli.music.keys import MODES

CHANNELS = 4


def ear_of_rows():
    """An ear whose latents are the spectrum itself, and which hears each row for what it is."""
    torch.manual_seed(0)
    ear = PitchHead(NUM_PITCHES, CHANNELS)
    ear.pitch_weight[:, :, TAPS // 2] = torch.eye(NUM_PITCHES)
    with torch.no_grad():
        for part in (ear.input, *ear.layers):
            part.weight.zero_()
            part.bias.zero_()
        ear.input.weight[:, 0, 1, 1] = 1.0
        ear.heads.weight.fill_(1.0)
    return ear


def stirred():
    torch.manual_seed(1)
    ear = PitchHead(6, CHANNELS)
    for tensor in (*ear.parameters(), *ear.buffers()):
        torch.nn.init.normal_(tensor, std=0.3)
    return ear


ALL = torch.ones(1, 1, 20, dtype=torch.bool)


@pytest.mark.parametrize("number", [41, 62, 95])
def test_a_tone_is_heard_in_its_class_and_octave(number):
    spectrum = torch.zeros(1, NUM_PITCHES, 20)
    spectrum[0, number - LOWEST_PITCH] = 5.0
    heard = ear_of_rows()(spectrum, ALL)
    assert heard.chords.shape == (1, 24, 20)
    assert heard.melody.shape == (1, 18, 20)
    classes, bass = heard.chords[0, :, 10].split(12)
    assert int(classes.argmax()) == int(bass.argmax()) == number % 12
    classes, octaves, _ = heard.melody[0, :, 10].split([12, 5, 1])
    assert int(classes.argmax()) == number % 12
    assert int(octaves.argmax()) == (number - 36) // 12


def test_keys_are_told_alike_in_every_key():
    ear = stirred()
    x = torch.randn(2, 2 * CHANNELS, 12)
    for by in (1, 7):
        hidden = _around(ear.key_in, x.roll(by, 2))
        torch.testing.assert_close(hidden, _around(ear.key_in, x).roll(by, 2))
    assert _around(ear.key_out, hidden).shape == (2, len(MODES), 12)


def test_partials_lie_above_their_tone():
    ear = ear_of_rows()
    spectrum = torch.zeros(1, NUM_PITCHES, 3)
    spectrum[0, 40] = 1.0
    rows = ear._stacked(spectrum, ALL[..., :3])[0, :, :, 1]
    for row, by in zip(rows[1:], PARTIAL_SEMITONES, strict=False):
        assert int(row.argmax()) == 40 - by
    octave, below, above = rows[1 + len(PARTIAL_SEMITONES) : 4 + len(PARTIAL_SEMITONES)]
    assert int(octave.argmax()) == 52
    assert below.tolist() == [0.0] * 40 + [1.0] * 44
    assert above.tolist() == [1.0] * 41 + [0.0] * 43


def test_what_is_unknown_is_not_heard():
    ear, known = stirred(), torch.arange(20)[None, None] < 12
    latent = torch.randn(1, 6, 20)
    other = torch.where(known, latent, torch.nan)
    for one, two in zip(ear(latent, known), ear(other, known), strict=True):
        assert torch.equal(one, two)
    loud = ear(latent.roll(1, 2), known)
    assert not torch.allclose(loud.key, ear(latent, known).key)


def test_an_untrained_ear_leaves_the_tracker_as_it_was():
    torch.manual_seed(3)
    shape = ControlsConfig(tracker_channels=8, tracker_dilations=(1,), transcribed_channels=47)
    plain = ControlTracker(6, shape)
    with_ear = ControlTracker(
        6, ControlsConfig(tracker_channels=8, tracker_dilations=(1,), transcribed_channels=47,
                       pitch_channels=CHANNELS),
    )  # fmt: skip
    missing, unknown = with_ear.load_state_dict(plain.state_dict(), strict=False)
    assert unknown == []
    assert {name.split(".")[0] for name in missing} == {"pitch"}
    torch.nn.init.normal_(with_ear.pitch.pitch_weight)
    latent = torch.randn(1, 6, 20)
    wanted, found = plain(latent, ALL), with_ear(latent, ALL)
    torch.testing.assert_close(found.key, wanted.key)
    torch.testing.assert_close(found.parts, wanted.parts)
    with torch.no_grad():
        with_ear.pitch.heads.bias.fill_(1.0)
        with_ear.pitch.key_out.bias.fill_(1.0)
    found = with_ear(latent, ALL)
    more = found.parts - wanted.parts
    torch.testing.assert_close(more[:, :24], torch.ones(1, 24, 20))  # chords
    assert not more[:, 24:29].any()  # drums have no pitch
    torch.testing.assert_close(more[:, 29:], torch.ones(1, 18, 20))
    assert (found.key - wanted.key)[0, 0] == 0  # "no key"
    torch.testing.assert_close((found.key - wanted.key)[0, 1:], torch.ones(96))
