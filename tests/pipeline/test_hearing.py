"""Recordings are heard as a score with confidences, and covers play it."""

import dataclasses
import io

import numpy as np
import pytest
import torch

from jen1cli import audio
from jen1cli.conditioning.controls.channels import TRANSCRIBED, control_channels
from jen1cli.conditioning.controls.predictor import KEYS
from jen1cli.conditioning.controls.tracker import ControlTracker, TrackerOutput
from jen1cli.config import ControlsConfig
from jen1cli.errors import AudioError, ConfigError
from jen1cli.music.controls import BEAT_AND_KEY_CHANNELS, CONTROL_CHANNELS, Controls
from jen1cli.music.heard import KEPT, SURE, Heard
from jen1cli.pipeline import hearing, onsets
from jen1cli.pipeline.hearing import hear, kept_controls, key_confidence
from jen1cli.pipeline.onsets import onset_strength

RATE = 48_000 / 2048
SECONDS = 22.0
SHAPE = ControlsConfig(
    predictor_features=8, tracker_channels=8, tracker_dilations=(1, 2),
    transcribed_channels=sum(TRANSCRIBED.values()),
)  # fmt: skip
DRUMS = "kick x...x...x...x... | x.....x...x..... snare ....x.......x..."
MELODY = "C5 - E5 - | A4 . . C5 | F4 F4 G4 G4 | G4 - - ."
PIECE = Controls(122.0, "4/4", -0.7, "C", "major", "C | Am7 | F C/G | G7", DRUMS, MELODY)


class PerfectTracker(ControlTracker):
    """Hears all channels of `PIECE`, and is sure of them."""

    def __init__(self, sure=8.0):
        super().__init__(4, SHAPE)
        self.sure = sure

    def forward(self, latent, known):
        frames = known.shape[-1]
        channels = control_channels([PIECE], [0.0], frames, RATE, CONTROL_CHANNELS)
        groups = channels[:, BEAT_AND_KEY_CHANNELS:].split(
            [size + 1 for size in TRANSCRIBED.values()], dim=1
        )
        parts = torch.cat([group[:, :-1] for group in groups], dim=1)
        times = (torch.arange(frames) + 0.5) / RATE - PIECE.downbeat
        beat, bar = (2 * np.pi * times / s for s in (60 / PIECE.bpm, PIECE.bar_seconds))
        ones = torch.ones(frames)
        key = torch.zeros(1, len(KEYS))
        key[0, KEYS.index((PIECE.key, PIECE.mode))] = self.sure
        return TrackerOutput(
            torch.polar(ones, beat)[None].to(torch.complex64),
            torch.polar(ones, bar)[None].to(torch.complex64),
            key,
            torch.logit(parts.clamp(0.5 - self.sure / 17, 0.5 + self.sure / 17), eps=1e-4),
        )


def recording(seconds=SECONDS, level=0.5, rate=48_000):
    """Clicks at the beats of `PIECE`."""
    signal = np.zeros((1, round(seconds * rate)), np.float32)
    beat = 60 / PIECE.bpm
    for time in np.arange(PIECE.downbeat % beat, seconds - 0.02, beat):
        first = round(time * rate)
        signal[0, first : first + 400] = level * np.random.default_rng(1).uniform(-1, 1, 400)
    return io.BytesIO(audio.to_bytes(signal, rate, subtype="FLOAT"))


@pytest.fixture
def listening(tiny, monkeypatch):
    """Give the tiny model a tracker, and latents at the frame rate of its channels."""

    def with_tracker(tracker):
        networks = dataclasses.replace(tiny.networks, tracker=tracker, frame_rate=RATE)
        monkeypatch.setattr(tiny, "networks", networks)
        return tiny

    def encoded(networks, source, info, progress=None):
        channels = networks.autoencoder.latent_channels
        return torch.zeros(1, channels, int(info.seconds * RATE))

    monkeypatch.setattr("jen1cli.pipeline.hearing.encode_source", encoded)
    return with_tracker


@pytest.fixture
def listener(listening):
    return listening(PerfectTracker())


def test_a_score_is_written_down(listener):
    heard = listener.hear(recording())
    assert heard.bpm == pytest.approx(122.0, abs=0.3)
    assert (heard.meter, heard.key, heard.mode) == ("4/4", "C", "major")
    assert heard.downbeat == pytest.approx(-0.7, abs=0.03)
    assert heard.is_steady
    assert heard.sure == KEPT
    controls = heard.controls()
    bars = len(heard.bars)
    assert bars == 12
    # the chart begins with the bar in which the recording begins, of which 0.7 s are missing
    assert [bar.chords[1].name for bar in heard.bars[:5]] == ["C", "Am7", "C", "G7", "C"]
    assert heard.bars[1].drums == {"kick": "x.....x...x.....", "snare": "....x.......x..."}
    melody = [bar.melody for bar in heard.bars]
    assert " ".join(melody[2]) == "F4 - - - F4 - - - G4 - - - G4 - - -"
    assert " ".join(melody[1]).startswith("A4 - - - . . . . . . . . C5")
    assert controls.chords.split(" | ")[1:4] == ["Am7", "F C", "G7"]  # in root position
    assert controls.has_bars


def test_a_short_recording_is_heard_without_bars(listener):
    heard = listener.hear(recording(0.35))
    assert (heard.bpm, heard.bars) == (0.0, ())
    assert heard.sure == ("key",)
    assert heard.table()[1:] == []
    assert heard.to_dict()["tempo"]["value"] is None


def test_silence_is_not_heard(listener):
    heard = listener.hear(recording(level=0.0))
    assert heard.is_silent
    assert heard.to_dict()["silent"] is True
    with pytest.raises(AudioError, match="heard: silence"):
        kept_controls(heard, None, "a.wav")
    with pytest.raises(ConfigError, match="no chords was heard"):
        kept_controls(heard, ["chords"], "a.wav")


def test_an_unsure_tracker_is_shown_as_unsure(listening):
    heard = listening(PerfectTracker(sure=1.0)).hear(recording())
    assert not {"key", "chords", "melody"} & set(heard.sure)
    assert heard.table()[2].split()[2].endswith("?")


def test_a_key_is_as_sure_as_keys_of_that_probability_are_right(listening):
    """Of the validation clips whose key has 90 to 97 %, it is right in 60 %."""
    assert key_confidence(0.93) == pytest.approx(0.72, abs=0.01)
    assert key_confidence(0.96) > SURE["key"] > key_confidence(0.93)
    assert key_confidence(0.0) < key_confidence(0.5) < key_confidence(1.0) <= 1.0
    heard = listening(PerfectTracker(sure=7.0)).hear(recording())  # 92 % among all keys
    assert (heard.key, heard.mode) == ("C", "major")
    assert heard.confidence["key"] == pytest.approx(key_confidence(0.92), abs=0.01)
    assert "key" not in heard.sure


class NotingTracker(ControlTracker):
    """An untrained tracker that notes how many frames it reads at once."""

    def __init__(self):
        torch.manual_seed(3)
        super().__init__(4, SHAPE)
        self.frames = []

    def forward(self, latent, known):
        self.frames.append(latent.shape[-1])
        return super().forward(latent, known)


def test_a_long_recording_is_read_in_windows_which_bounds_the_memory(monkeypatch):
    tracker = NotingTracker()
    latent = torch.randn(1, 4, 1000, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        whole = hearing._tracked(tracker, latent, RATE)
        monkeypatch.setattr(hearing, "_TRACKED_SECONDS", 10.0)
        monkeypatch.setattr(hearing, "_MARGIN_SECONDS", 2.0)
        cut = hearing._tracked(tracker, latent, RATE)
    assert tracker.frames[0] == 1000
    assert max(tracker.frames[1:]) <= 14.1 * RATE
    for name in ("beat", "bar", "parts"):
        torch.testing.assert_close(getattr(cut, name), getattr(whole, name), rtol=0, atol=1e-5)
    assert cut.key.shape == whole.key.shape
    assert float(cut.key.exp().sum()) <= 1.0


def test_onsets_of_a_long_recording_are_those_of_its_blocks():
    source = recording(3.0)
    whole, _ = onset_strength(audio.mono_blocks(source, onsets.RATE))
    blocks, _ = onset_strength(audio.mono_blocks(source, onsets.RATE, seconds=1))
    np.testing.assert_allclose(blocks.strength, whole.strength, atol=1e-5)


def test_a_model_that_transcribes_nothing_says_so(tiny):
    with pytest.raises(ConfigError, match="transcribes no recordings"):
        hear(tiny, recording())


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_onsets_are_where_the_clicks_are(rate):
    source = recording(3.0, rate=rate)
    (strength, _), peak = onset_strength(audio.mono_blocks(source, onsets.RATE))
    assert 0.3 < peak <= 0.6
    beat = 60 / PIECE.bpm
    for time in np.arange(PIECE.downbeat % beat + beat, 2.8, beat):
        step = round(time * 22_050 / 256)
        around = strength[step - 6 : step + 7]
        assert abs(int(around.argmax()) - 6) <= 3
        assert around.max() > 10 * strength.mean()


HEARD = Heard(0.5, {"tempo": 0.9, "key": 0.9}, bpm=120.0, meter="4/4", downbeat=-0.25,
              key="D", mode="minor", bpm_range=(119.0, 121.0))  # fmt: skip


@pytest.mark.heavy
def test_a_cover_is_made_again_from_its_recipe_alone(tiny):
    source = recording(0.5)
    music = tiny.cover(source, "flute", heard=HEARD, seed=3, steps=2)
    recipe = music.recipe
    assert (recipe.task, recipe.prompt, recipe.seed) == ("cover", "flute", 3)
    assert music.seconds == pytest.approx(0.5)
    assert (recipe.controls.bpm, recipe.controls.key) == (120.0, "D")
    # the beats of the recording, from the first sample
    assert recipe.controls.downbeat == pytest.approx(-0.25)
    assert recipe.input is not None
    assert recipe.input.is_that_of(source)
    again = tiny.again(recipe)
    assert torch.equal(again.waveform, music.waveform)
    assert again.recipe == recipe


@pytest.mark.heavy
def test_given_controls_go_before_what_was_heard(tiny):
    asked = Controls(bpm=60.0, key="E", mode="minor")
    music = tiny.cover(recording(0.5), "flute", heard=HEARD, seed=3, steps=2, controls=asked)
    found = music.recipe.controls
    assert (found.bpm, found.key, found.meter) == (60.0, "E", "4/4")
    assert found.downbeat == pytest.approx(-0.5)  # an upbeat of as many beats
