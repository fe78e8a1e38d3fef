"""Training with full scores: cached, dropped at random, and no change at the first step."""

import dataclasses
import shutil

import numpy as np
import pytest
import torch

from jen1cli.checkpoint import load_weight_set, save_weight_set
from jen1cli.conditioning.controls.score_channels import ALL_HIDDEN, NOTHING_HIDDEN, ScoreEvents
from jen1cli.errors import DataError
from jen1cli.music.controls import CHANNELS_WITH_SCORE, CONTROL_CHANNELS, NO_CONTROLS, Controls
from jen1cli.music.full_score import FAMILIES, SCORE_GROUPS, FullScore, ScorePart
from jen1cli.music.score_files import SCORES_NAME, write_scores
from jen1cli.presets import TINY
from jen1cli.training import jobs
from jen1cli.training.diffusion.batches import BatchSampler, Window, WindowSampler
from jen1cli.training.diffusion.build import DiffusionSources, build_diffusion
from jen1cli.training.diffusion.cache import CachedClip, LatentCache
from jen1cli.training.diffusion.resident_controls import ResidentControls
from jen1cli.training.diffusion.scores import ScoreTable, copy_scores, draw_hidden
from jen1cli.training.engine.processes import build_accelerator
from jen1cli.training.recipes import training_config
from support import unet_inputs
from training_support import PITCHES


def tone_score(i):
    notes = ((0.0, 1.0, 60 + i, 0.8),)
    return FullScore((ScorePart("lead", "woodwinds", notes),), 1.0, style="house")


@pytest.fixture(scope="module")
def scored(cache, tones, tmp_path_factory):
    """The cache of the tones, with scores; the first tone has none."""
    folder = shutil.copytree(cache.folder, tmp_path_factory.mktemp("scored") / "cache")
    music = tmp_path_factory.mktemp("music")
    lines = [((f"{i}.wav", 0), tone_score(i)) for i in range(1, len(PITCHES))]
    write_scores(music / SCORES_NAME, [*lines, (("absent.wav", 0), tone_score(0))])
    clips = [
        dataclasses.replace(clip, audio=clip.audio.replace(str(tones), str(music)))
        for clip in cache.clips
    ]
    opened = dataclasses.replace(LatentCache.open(folder), clips=tuple(clips))
    assert copy_scores(music, opened) == len(PITCHES) - 1
    return LatentCache.open(folder)


@pytest.fixture
def build(scored, text_folder, fp32):
    def build(chosen=fp32, **sources):
        accelerator = build_accelerator(chosen.optimisation, device="cpu")
        sources = DiffusionSources(scored.folder, text_folder, **sources)
        return build_diffusion(sources, chosen, accelerator)

    return build


def test_cached_scores_give_the_channels_of_their_clips(scored):
    table = ScoreTable.open(scored.folder)
    assert len(table) == len(PITCHES) - 1
    places = [(clip, 0) for clip in scored.clips]
    found = table.channels(
        [NO_CONTROLS] * len(places), places, [NOTHING_HIDDEN] * len(places), 20, 40.0,
        CHANNELS_WITH_SCORE,
    )[:, CONTROL_CHANNELS:]  # fmt: skip
    assert not found[0].any()
    lead = SCORE_GROUPS["lead"].start
    for i in range(1, len(PITCHES)):
        assert found[i, lead : lead + 60].nonzero()[:, 0].unique().tolist() == [24 + i]


def test_a_cache_without_scores_loses_those_of_before(scored, tmp_path):
    folder = shutil.copytree(scored.folder, tmp_path / "cache")
    assert copy_scores(tmp_path, LatentCache.open(folder)) == 0
    assert not len(ScoreTable.open(folder))


@pytest.mark.parametrize("line", ["{}", '{"frames": [0], "score": {"parts": 3}}'])
def test_damaged_scores_of_a_cache_are_named(scored, tmp_path, line):
    (tmp_path / SCORES_NAME).write_text(line)
    with pytest.raises(DataError, match=r"line 1.*train latents"):
        ScoreTable.open(tmp_path)


def test_network_is_as_wide_as_the_cache_asks(build, make_stage):
    def width(stage):
        return stage.objective.unet.config.control_channels

    assert width(make_stage()) == CONTROL_CHANNELS
    assert width(build()) == CHANNELS_WITH_SCORE


def test_widened_network_gives_the_same_output_at_first(
    build, scored, text_folder, codec_folder, tmp_path
):
    """An older set goes on with scores from exactly where it was, whatever the scores say."""
    from jen1cli.autoencoder.codec import load_codec
    from jen1cli.unet import UNet1d

    torch.manual_seed(3)
    older = UNet1d(TINY.unet)
    for module in (older.output, older.guide):
        torch.nn.init.normal_(module.weight)
    codec = load_codec(scored.folder)
    tensors = {
        "autoencoder": codec.autoencoder.state_dict(),
        "whitening": codec.whitening.state_dict(),
        "unet": older.state_dict(),
    }
    config = dataclasses.replace(codec.config, unet=TINY.unet)
    folder = save_weight_set(tmp_path / "older", config, tensors, text_encoder=text_folder)
    stage = build(init=folder)
    inputs = unet_inputs(dataclasses.replace(TINY.unet, control_channels=CHANNELS_WITH_SCORE), 20)
    shorter = {**inputs, "context": inputs["context"][:, : -len(SCORE_ROWS)]}
    assert inputs["context"][:, -len(SCORE_ROWS) :].any()
    stage.objective.eval()
    with torch.inference_mode():
        new, old = stage.objective.unet(**inputs), older.eval()(**shorter)
    torch.testing.assert_close(new, old)
    stage.write_weights(tmp_path / "new", {"steps": 0})
    again, _ = load_weight_set(tmp_path / "new")
    assert again.unet.control_channels == CHANNELS_WITH_SCORE
    assert build(init=tmp_path / "new").objective.unet.config == again.unet


SCORE_ROWS = range(CHANNELS_WITH_SCORE - CONTROL_CHANNELS)


def test_scores_are_dropped_wholly_partly_and_over_time():
    rng = np.random.default_rng(0)
    made, edited = (
        [draw_hidden(rng, 100, edited=edited) for _ in range(4000)] for edited in (False, True)
    )
    assert np.mean([hidden == ALL_HIDDEN for hidden in made]) == pytest.approx(0.25, abs=0.03)
    assert np.mean([hidden == ALL_HIDDEN for hidden in edited]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([hidden == NOTHING_HIDDEN for hidden in made]) > 0.35
    partly = [hidden for hidden in made if hidden not in (ALL_HIDDEN, NOTHING_HIDDEN)]
    for group in SCORE_GROUPS:
        assert 0.25 < np.mean([group in hidden.groups for hidden in partly]) < 0.4
    assert {family for hidden in partly for family in hidden.families} == set(range(len(FAMILIES)))
    spans = [hidden for hidden in partly if hidden.span_groups]
    assert 0.2 < len(spans) / len(partly) < 0.35
    for hidden in spans:
        first, stop = hidden.span
        assert 0 <= first < stop <= 100
        assert 20 <= stop - first <= 80
        assert not {"mix", "style"} & set(hidden.span_groups)
    assert {len(hidden.span_groups) for hidden in spans} == {1, 5}


def test_items_without_any_control_have_no_score(build, fp32):
    stage = build(dataclasses.replace(fp32, batch_size=30, text_dropout=0.9))
    windows = [w for step in range(10) for w in stage._batch_sampler.spec(step).windows]
    nothing = [w for w in windows if w.controls is NO_CONTROLS]
    assert len(nothing) > 60
    assert all(w.hidden == ALL_HIDDEN for w in nothing)
    assert any(w.hidden == NOTHING_HIDDEN for w in windows if w.caption)


def test_score_changes_the_loss_only_after_training(build, fp32):
    stage = build(dataclasses.replace(fp32, optimisation=dataclasses.replace(
        fp32.optimisation, warmup_steps=1, ema_decay=0.0)))  # fmt: skip
    with torch.no_grad():
        first = stage.objective.unet.input.weight
        first[:, -len(SCORE_ROWS) :] = 0.0
        stage.objective.unet.guide.weight.zero_()
        torch.nn.init.normal_(stage.objective.unet.output.weight, std=0.1)
        stage.ema.update()
    before = stage.validate()
    names = {f"validation/generate, score without {group}" for group in SCORE_GROUPS}
    assert names | {"validation/generate, score", "validation/generate, no controls"} <= set(before)
    assert before["validation/generate, score"] == before["validation/generate"]
    for step in range(4):
        stage.train_step(step, 0.0)
    after = stage.validate()
    assert after["validation/generate, score"] != after["validation/generate"]


def test_samples_play_the_scores_of_held_out_clips(build, fp32, monkeypatch, tmp_path):
    from jen1cli.pipeline.jen1 import Jen1

    asked, generate = [], Jen1.generate

    def note(model, prompt, **options):
        asked.append((prompt, options["controls"]))
        return generate(model, prompt, **options)

    monkeypatch.setattr(Jen1, "generate", note)
    paths = build(prompts=("a prompt",)).write_samples(tmp_path)
    assert [path.stem for path in paths] == [
        "prompt-1", "score-1", "clip", "inpaint", "continue", "spectrograms"
    ]  # fmt: skip
    assert asked == [(f"{PITCHES[-1]} hertz", Controls(score=tone_score(len(PITCHES) - 1)))]


def test_further_averages_are_written_and_resumed(scored, text_folder, tmp_path):
    def train(steps, *decays, resume=False):
        jobs.DiffusionJob(
            cache=scored.folder, output=tmp_path / "run", text_encoder=text_folder, recipe="tiny",
            steps=steps, lr_shape="constant", more_ema_decays=decays, precision="fp32",
            crop_seconds=0.4, device="cpu", resume=resume, sample_minutes=99.0,
        ).run()  # fmt: skip

    def weights(name):
        return load_weight_set(tmp_path / "run" / name)[1]["unet"]["input.weight"]

    train(3, 0.05, 0.0)
    main, short, none = (weights(n) for n in ("weights", "averages/0.05", "averages/0"))
    assert not torch.equal(main, short)
    assert not torch.equal(short, none)
    train(5, 0.05, 0.0, resume=True)
    resumed = weights("averages/0.05")
    assert not torch.equal(resumed, short)
    shutil.rmtree(tmp_path / "run")
    train(5, 0.05, 0.0)
    assert torch.equal(weights("averages/0.05"), resumed)


def test_resident_controls_equal_those_that_are_made_for_each_batch():
    """All drops of controls and scores, gathered on a device, against the direct way."""
    attributes = {
        "bpm": 120.0, "meter": "3/4", "key": "D", "mode": "minor", "chords": "Dm | Gm A7",
        "drum_pattern": "kick x.x. snare .x.x", "melody": "A4 - F4 -", "downbeat": 0.35,
    }  # fmt: skip
    clips = [
        CachedClip(100, 200, ("one",), "train", "a", attributes),
        CachedClip(300, 150, ("two",), "train", "b", {**attributes, "meter": ""}),
    ]
    notes = tuple((0.2 * i, 0.3, 40 + i, 0.7) for i in range(20))
    parts = (ScorePart("lead", "brass", notes), ScorePart("bass", "bass", notes[:9]))
    score = FullScore(parts, 5.0, style="tango", mix=(0.1, 0.2, 0.3))
    table = ScoreTable({clip.start: ScoreEvents.of(score) for clip in clips})
    device, rate = torch.device("cpu"), 40.0
    resident = ResidentControls(clips, table, rate, CHANNELS_WITH_SCORE, device)
    batches = BatchSampler(
        WindowSampler(clips, 50, 0),
        dataclasses.replace(training_config("tiny").diffusion, batch_size=60, control_dropout=0.4),
        components=2, num_timesteps=10, seed=0, device=device,
    )  # fmt: skip
    for step in range(5):
        windows = batches.spec(step).windows
        wanted = table.channels(
            [w.controls for w in windows],
            [(clips[w.clip], w.start) for w in windows],
            [w.hidden for w in windows],
            50, rate, CHANNELS_WITH_SCORE,
        )  # fmt: skip
        found = resident.gather(clips, windows, 50)
        torch.testing.assert_close(found, wanted, atol=2e-3, rtol=0)
    assert not resident.gather(clips, [Window(1, 120, "x", hidden=NOTHING_HIDDEN)], 50)[
        ..., 30:
    ].any()
