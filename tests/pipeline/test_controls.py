"""Tempo and key reach the network: asked for, read, drawn or heard."""

import copy
import dataclasses

import pytest
import torch

from jen1cli import Controls, Jen1
from jen1cli.conditioning.controls.channels import control_channels
from jen1cli.conditioning.controls.predictor import ControlPredictor
from jen1cli.conditioning.controls.transcription import TranscribedLoop
from jen1cli.config import ControlsConfig
from jen1cli.errors import ConfigError
from jen1cli.midi import read_midi
from jen1cli.music.chords import parse_chord
from jen1cli.music.controls import (
    BEAT_AND_KEY_CHANNELS,
    CHANNELS_WITH_CHORDS,
    CHANNELS_WITH_SCORE,
    CONTROL_CHANNELS,
    NO_CONTROLS,
)
from jen1cli.music.full_score import FullScore, ScorePart
from jen1cli.recipe import Recipe


@pytest.fixture
def given_channels(tiny):
    """Return a function that gives the controls channels of each call since it was last asked."""
    seen = []

    def note(module, arguments, options):
        seen.append(options["context"][:, -tiny.config.unet.control_channels :].float().cpu())

    hook = tiny.networks.unet.register_forward_pre_hook(note, with_kwargs=True)

    def take():
        taken = list(seen)
        seen.clear()
        return taken

    yield take
    hook.remove()


def channels(tiny, controls, frames, start=0):
    rate = tiny.networks.frame_rate
    return control_channels([controls], [start / rate], frames, rate)[0]


ASKED = Controls(100.0, "3/4", 0.0, "D", "minor", "Dm | A7")


def test_what_is_asked_for_reaches_the_network_in_full(tiny, given_channels):
    music = tiny.generate("x", seconds=0.5, seed=1, steps=2, controls=ASKED)
    for call in given_channels():
        for half in call:  # guidance leads away from the null text alone
            assert torch.allclose(half, channels(tiny, ASKED, call.shape[-1]))
    assert music.recipe.controls == ASKED


@pytest.mark.heavy
def test_guidance_leads_away_from_null_controls_for_a_part_of_the_time(tiny, given_channels):
    options = {"seconds": 0.5, "seed": 1, "steps": 4, "controls": ASKED}
    tiny.generate("x", control_guidance_interval=(0.0, 0.6), **options)
    away = [bool(call[1].any()) for call in given_channels()]
    assert away[0]
    assert not away[-1]
    music = tiny.generate("x", control_guidance_interval=(0.0, 1.0), **options)
    for call in given_channels():
        assert torch.allclose(call[0], channels(tiny, ASKED, call.shape[-1]))
        assert not call[1].any()
    assert music.recipe.control_guidance_interval == (0.0, 1.0)
    assert torch.equal(tiny.again(music.recipe).waveform, music.waveform)
    with pytest.raises(ConfigError, match="control_guidance_interval is 1 to 0"):
        tiny.generate("x", control_guidance_interval=(1.0, 0.0), **options)


def test_a_prompt_is_read_and_what_it_leaves_open_is_drawn(tiny):
    music = tiny.generate("house at 124 bpm in F minor", seconds=0.3, seed=1, steps=1)
    controls = music.recipe.controls
    assert (controls.bpm, controls.key, controls.mode, controls.downbeat) == (
        124.0,
        "F",
        "minor",
        0.0,
    )
    assert controls.meter
    drawn = {tiny.generate("house", seconds=0.3, seed=i, steps=1).recipe.controls for i in range(4)}
    assert len(drawn) > 1
    assert all(controls.bpm for controls in drawn)


def test_an_option_stands_over_the_prompt(tiny):
    music = tiny.generate(
        "at 124 bpm in F minor", seconds=0.3, steps=1, controls=Controls(bpm=90.0)
    )
    assert (music.recipe.controls.bpm, music.recipe.controls.key) == (90.0, "F")


def test_another_tempo_is_another_piece(tiny):
    one, other = (
        tiny.generate(
            "x", seconds=0.5, seed=1, steps=2, controls=dataclasses.replace(ASKED, bpm=bpm)
        )
        for bpm in (100.0, 140.0)
    )
    assert not torch.equal(one.waveform, other.waveform)


def test_again_makes_the_same_bytes(tiny):
    music = tiny.generate("x", seconds=0.4, seed=5, steps=2)
    assert music.recipe.controls.bpm
    assert torch.equal(tiny.again(music.recipe).waveform, music.waveform)


def test_windows_of_a_long_piece_keep_one_clock(tiny, given_channels):
    tiny.generate("x", seconds=2.0, seed=1, steps=1, controls=ASKED)
    calls = given_channels()
    assert len(calls) > 2
    everywhere = slice(0, BEAT_AND_KEY_CHANNELS)  # chords are given where nothing is known yet
    whole = channels(tiny, ASKED, 400)[everywhere]
    starts = [
        next(
            s
            for s in range(300)
            if torch.allclose(whole[:, s : s + c.shape[-1]], c[0, everywhere], atol=1e-4)
        )
        for c in calls
    ]
    assert starts == sorted(starts)
    assert starts[-1] > 0


@pytest.mark.heavy
@pytest.mark.parametrize("command", ["inpaint", "continue"])
def test_edits_ask_the_tracker_and_keep_what_is_asked_for(
    tiny, given_channels, tone, command, monkeypatch
):
    heard = Controls(77.0, "4/4", 0.25, "G", "major")
    asked = []

    def track(latent, known, frame_rate, wish=NO_CONTROLS, onsets=None):
        asked.append(wish)
        assert known.any()
        assert not known.all()
        return wish.over(heard)

    monkeypatch.setattr(tiny.networks.tracker, "track", track)
    recording, options = torch.from_numpy(tone(2.0)), {"sample_rate": 48_000, "seed": 1, "steps": 1}
    for controls in (NO_CONTROLS, Controls(key="D", mode="minor")):
        if command == "inpaint":
            edit = tiny.inpaint(recording, [(0.8, 1.2)], controls=controls, **options)
        else:
            edit = tiny.continue_(recording, 0.4, controls=controls, **options)
        expected = asked[-1].over(heard)
        assert dataclasses.replace(asked[-1], downbeat=0.0) == controls
        assert edit.recipe.controls == controls, "what was heard is heard again"
        call = given_channels()[-1]
        whole = channels(tiny, expected, 600)
        frames = call.shape[-1]
        assert any(torch.allclose(whole[:, s : s + frames], call[0], atol=1e-3) for s in range(500))


def test_a_model_without_predictors_gets_what_is_asked_for_alone(tiny):
    model = copy.copy(tiny)
    model.networks = dataclasses.replace(model.networks, predictor=None, tracker=None)
    assert model.generate("x", seconds=0.3, steps=1).recipe.controls == NO_CONTROLS
    assert model.generate("at 90 bpm", seconds=0.3, steps=1).recipe.controls == Controls(bpm=90.0)


def test_chords_are_given_where_music_is_made_and_begin_there(
    tiny, given_channels, tone, monkeypatch
):
    heard = Controls(120.0, "4/4", 0.25)  # bars of two seconds from 0.25 s on
    monkeypatch.setattr(
        tiny.networks.tracker,
        "track",
        lambda latent, known, rate, wish, onsets=None: wish.over(heard),
    )
    recording = torch.from_numpy(tone(0.6))
    options = {"sample_rate": 48_000, "seed": 1, "steps": 1, "context_seconds": 0.4}
    tiny.continue_(recording, 0.4, controls=Controls(chords="C F"), **options)
    call = given_channels()[-1][0]
    chords = call[BEAT_AND_KEY_CHANNELS:CHANNELS_WITH_CHORDS]
    known = chords[-1].bool()
    frames = round(0.4 * tiny.networks.frame_rate)
    assert known[-frames + 2 :].all()
    assert not known[: -frames - 2].any()
    assert chords[[0, 4, 7], -1].all()  # C, not F: the chart begins with what is made


@pytest.mark.heavy
def test_what_is_heard_goes_on_where_music_is_made(tiny, given_channels, tone, monkeypatch):
    heard = Controls(240.0, "2/4", 0.1, "C", "major")  # bars of half a second from 0.1 s on
    loop = TranscribedLoop(0.6, (parse_chord("F"), *[parse_chord("G")] * 15), (1,) * 64, (2,) * 64)
    asked = []

    def listen(latent, known, frame_rate, controls):
        asked.append((controls, int(known.sum()) / frame_rate))
        return loop

    tracker = tiny.networks.tracker
    monkeypatch.setattr(
        tracker, "track", lambda latent, known, rate, wish, onsets=None: wish.over(heard)
    )
    monkeypatch.setattr(tracker, "loop", listen)
    shape = ControlsConfig(predictor_features=8, chord_features=8, part_features=8)
    predictor = ControlPredictor(tiny.config.text.features, shape)
    monkeypatch.setattr(tiny, "networks", dataclasses.replace(tiny.networks, predictor=predictor))
    recording = torch.from_numpy(tone(1.5))
    options = {"sample_rate": 48_000, "seed": 1, "steps": 1, "context_seconds": 0.4}
    tiny.continue_(recording, 0.4, **options)
    controls, seconds = asked[-1]
    assert controls == heard
    assert seconds == pytest.approx(1.5, abs=0.05), "more is heard than a window has room for"
    drums = given_channels()[-1][0][CHANNELS_WITH_CHORDS : CHANNELS_WITH_CHORDS + 6]
    frames = round(0.4 * tiny.networks.frame_rate)
    assert drums[-1, -frames + 2 :].all()
    assert drums[0, -frames + 2 :].sum() > 1.0  # the kick
    assert not drums[1:5].any()
    tiny.continue_(recording, 0.4, controls=Controls(drums="snare x"), **options)
    drums = given_channels()[-1][0][CHANNELS_WITH_CHORDS : CHANNELS_WITH_CHORDS + 6]
    assert not drums[0].any()
    assert drums[1].any()


@pytest.mark.parametrize("part", [{"drums": "kick x.x."}, {"melody": "C4 . E4 ."}])
def test_parts_that_are_asked_for_reach_the_network_and_others_need_a_model_that_takes_them(
    tiny, part
):
    model = copy.deepcopy(tiny)
    asked = dataclasses.replace(ASKED, **part)
    music = model.generate("x", seconds=0.5, seed=1, steps=1, controls=asked)
    assert {name: getattr(music.recipe.controls, name) for name in part} == part
    assert model.again(music.recipe).recipe.controls == music.recipe.controls
    unet = model.networks.unet
    unet.config = dataclasses.replace(unet.config, control_channels=CHANNELS_WITH_CHORDS)
    with pytest.raises(ConfigError, match=r"this model takes no (drum pattern|melody)"):
        model.generate("x", seconds=0.3, steps=1, controls=asked)
    model.networks = dataclasses.replace(model.networks, predictor=None)
    with pytest.raises(ConfigError, match=r"takes no|no tempo is known to play the"):
        model.generate("x", seconds=0.3, steps=1, controls=Controls(**part))


def test_chords_that_cannot_be_given_are_refused(tiny, tone):
    model = copy.deepcopy(tiny)
    networks = model.networks
    model.networks = dataclasses.replace(networks, predictor=None, tracker=None)
    asked = {"controls": Controls(chords="C F"), "steps": 1}
    with pytest.raises(ConfigError, match="no tempo is known"):
        model.generate("x", seconds=0.3, **asked)
    with pytest.raises(ConfigError, match="no tempo is known"):
        model.continue_(torch.from_numpy(tone(0.6)), 0.3, sample_rate=48_000, **asked)
    unet = networks.unet
    monkeyed = dataclasses.replace(unet.config, control_channels=BEAT_AND_KEY_CHANNELS)
    unet.config = monkeyed
    with pytest.raises(ConfigError, match="takes no chords"):
        model.generate("x at 90 bpm", seconds=0.3, **asked)
    unet.config = dataclasses.replace(unet.config, control_channels=0)
    with pytest.raises(ConfigError, match="from the prompt only"):
        model.generate("x", seconds=0.3, steps=1, controls=Controls(bpm=90.0))


SCORE = FullScore((ScorePart("bass", "bass", ((0.0, 0.2, 36, 0.8),)),), 0.5, style="funk")


def test_full_score_reaches_a_network_that_takes_it(tiny):
    """It comes back from the recipe, too."""
    from jen1cli.pipeline.networks import random_networks

    shape = dataclasses.replace(tiny.config.unet, control_channels=CHANNELS_WITH_SCORE)
    config = dataclasses.replace(tiny.config, unet=shape)
    wide = Jen1(
        config,
        random_networks(config, 0, torch.device("cpu"), "fp32"),
        sha256="wide",
        autoencoder_sha256="-",
    )
    seen = []
    wide.networks.unet.register_forward_pre_hook(
        lambda module, arguments, options: seen.append(options["context"]), with_kwargs=True
    )
    asked = Controls(100.0, "4/4", score=SCORE)
    music = wide.generate("x", seconds=0.5, seed=1, steps=2, controls=asked)
    frames, rate = seen[0].shape[-1], wide.networks.frame_rate
    wanted = control_channels([music.recipe.controls], [0.0], frames, rate, CHANNELS_WITH_SCORE)
    assert wanted[0, CONTROL_CHANNELS:].any()
    assert all(torch.allclose(call[0, -CHANNELS_WITH_SCORE:], wanted[0]) for call in seen)
    assert Recipe.from_json(music.recipe.to_json()).controls.score == SCORE
    silent = wide.generate("x", seconds=0.5, seed=1, steps=2, controls=Controls(100.0, "4/4"))
    assert not seen[-1][:, -(CHANNELS_WITH_SCORE - CONTROL_CHANNELS) :].any()
    assert "score" not in silent.recipe.to_dict()["guide"]


def test_a_model_that_takes_no_full_score_says_so_and_plays_the_rest(tiny, caplog):
    """The score stays in the recipe, changes no sample, and is no matter of `again`."""
    options = {"seconds": 0.5, "seed": 1, "steps": 2}
    given = Controls(100.0, "4/4", chords="C", drums="none", melody="none", key="C", mode="major")
    plain = tiny.generate("x", controls=given, **options)
    tiny.generate("x", controls=None, instruments=None, **options)
    assert caplog.text == ""
    music = tiny.generate("x", controls=dataclasses.replace(given, score=SCORE), **options)
    assert "its other parts and its instruments it takes from the words alone" in caplog.text
    assert music.recipe.controls.score == SCORE
    assert torch.equal(music.waveform, plain.waveform)
    caplog.clear()
    again = tiny.again(music.recipe)
    assert again.recipe == music.recipe
    assert torch.equal(again.waveform, plain.waveform)
    assert caplog.text == ""


def info_of(path):
    from jen1cli.cli.music.info import _table, read_facts

    return "\n".join(_table(read_facts(str(path))))


@pytest.mark.heavy
def test_a_score_begins_with_the_new_music_of_an_edit(tiny, music, tmp_path):
    """At the bar nearest to the mask, on the clock of the recording, and so it can be written."""
    given = Controls(120.0, "4/4", chords="C | F", score=SCORE)
    recording = torch.from_numpy(music(6.0))
    edit = tiny.inpaint(
        recording, [(3.5, 4.5)], controls=given, sample_rate=48_000, seed=1, steps=1,
        composer="none",
    )  # fmt: skip
    (passage,) = edit.recipe.passages
    assert (passage.start, passage.stop) == pytest.approx((3.5, 4.5), abs=0.2)
    assert passage.controls.downbeat == pytest.approx(4.0)
    assert passage.controls.score.start == pytest.approx(4.0)
    assert edit.recipe.controls == given
    edit.save_midi(tmp_path / "edit.mid")  # its bars begin at 0, and a bar has two seconds
    (bass, *_) = read_midi(tmp_path / "edit.mid").controls.score.parts
    assert (bass.role, bass.notes[0][:3]) == ("bass", (0.0, 0.2, 36))
    edit.save(tmp_path / "edit.wav")
    assert "played" in info_of(tmp_path / "edit.wav")
    assert Recipe.from_json(edit.recipe.to_json()) == edit.recipe
    assert tiny.again(edit.recipe, edit.source).recipe.passages == edit.recipe.passages
