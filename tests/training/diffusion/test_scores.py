"""Training with full scores: cached, dropped at random, and no change at the first step."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

from jen1cli.checkpoint import load_weight_set, save_weight_set
from jen1cli.conditioning.controls.score_channels import ALL_DROPPED, NOTHING_DROPPED, ScoreEvents
from jen1cli.errors import ConfigError, DataError
from jen1cli.music.controls import (
    CHANNELS_WITH_SCORE,
    CONTROL_CHANNELS,
    NO_CONTROLS,
    Controls,
    controls_of,
)
from jen1cli.music.full_score import FAMILIES, SCORE_GROUPS, FullScore, ScorePart
from jen1cli.music.score_files import SCORES_NAME, write_scores
from jen1cli.presets import TINY
from jen1cli.training import jobs
from jen1cli.training.diffusion.batches import BatchSampler, TrainingWindow, WindowSampler
from jen1cli.training.diffusion.build import DiffusionSources, build_diffusion, write_latents
from jen1cli.training.diffusion.cache import CACHE_NAME, CachedClip
from jen1cli.training.diffusion.compatibility import SOURCES_NAME
from jen1cli.training.diffusion.resident_controls import ResidentControls
from jen1cli.training.diffusion.scores import ScoreTable, draw_score_dropout
from jen1cli.training.diffusion.stage import DiffusionStage
from jen1cli.training.engine.processes import build_accelerator
from jen1cli.training.recipes import training_config
from support import unet_inputs
from training_support import PITCHES


def tone_score(i):
    notes = ((0.0, 1.0, 60 + i, 0.8),)
    return FullScore((ScorePart("lead", "woodwinds", notes),), 1.0, style="house")


@pytest.fixture(scope="module")
def music(tones, tmp_path_factory):
    """The tones, with scores; the first has none."""
    folder = shutil.copytree(tones, tmp_path_factory.mktemp("music") / "tones")
    lines = [((f"{i}.wav", 0), tone_score(i)) for i in range(1, len(PITCHES))]
    write_scores(folder / SCORES_NAME, [*lines, (("absent.wav", 0), tone_score(0))])
    return folder


@pytest.fixture(scope="module")
def scored(music, codec_folder, tmp_path_factory):
    """The cache of the tones with scores."""
    return write_latents(music, codec_folder, tmp_path_factory.mktemp("scored"), device="cpu")


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
        [NO_CONTROLS] * len(places), places, [NOTHING_DROPPED] * len(places), 20, 40.0,
        CHANNELS_WITH_SCORE,
    )[:, CONTROL_CHANNELS:]  # fmt: skip
    assert not found[0].any()
    lead = SCORE_GROUPS["lead"].start
    for i in range(1, len(PITCHES)):
        assert found[i, lead : lead + 60].nonzero()[:, 0].unique().tolist() == [24 + i]


def test_a_cache_without_scores_loses_those_of_before(scored, tones, codec_folder, tmp_path):
    folder = shutil.copytree(scored.folder, tmp_path / "cache")
    assert len(ScoreTable.open(folder))
    write_latents(tones, codec_folder, folder, device="cpu")
    assert not len(ScoreTable.open(folder))


def test_a_cache_is_complete_only_with_its_scores(music, codec_folder, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("jen1cli.training.diffusion.cache.copy_scores", stop)
    with pytest.raises(KeyboardInterrupt):
        write_latents(music, codec_folder, tmp_path, device="cpu")
    assert (tmp_path / "latents.npy").exists()
    assert not (tmp_path / CACHE_NAME).exists()


def test_damaged_scores_of_music_are_named_before_it_is_encoded(
    tones, codec_folder, tmp_path, monkeypatch
):
    from jen1cli.training.diffusion.cache import ClipEncoder

    folder = shutil.copytree(tones, tmp_path / "music")
    (folder / SCORES_NAME).write_text("{}\n")
    encoded = []
    monkeypatch.setattr(ClipEncoder, "_encode", lambda _, waveform: encoded.append(waveform))
    with pytest.raises(DataError, match="line 1"):
        write_latents(folder, codec_folder, tmp_path / "cache", device="cpu")
    assert encoded == []


def test_a_cache_is_kept_for_music_with_its_scores_alone(music, scored, codec_folder, tmp_path):
    data = shutil.copytree(music, tmp_path / "moved")
    cache = shutil.copytree(scored.folder, tmp_path / "cache")
    job = jobs.LatentsJob(data=data, model=codec_folder, output=cache, device="cpu")
    assert job.run(keep=True)["clips"] == len(PITCHES)
    write_scores(data / SCORES_NAME, [(("1.wav", 0), tone_score(2))])
    with pytest.raises(ConfigError, match=r"the full scores in .* are not those of .*moved"):
        job.run(keep=True)


@pytest.mark.heavy
def test_a_kept_cache_has_the_scores_of_its_music(music, codec_folder, tmp_path):
    data = shutil.copytree(music, tmp_path / "moved")
    job = jobs.LatentsJob(data=music, model=codec_folder, output=tmp_path / "cache", device="cpu")
    assert job.run() == dataclasses.replace(job, data=data).run(keep=True)
    write_scores(data / SCORES_NAME, [(("1.wav", 0), tone_score(2))])
    with pytest.raises(ConfigError, match=r"the full scores in .* are not those of .*moved"):
        dataclasses.replace(job, data=data).run(keep=True)
    (data / SCORES_NAME).unlink()
    with pytest.raises(ConfigError, match=r"the full scores in .* are not those of .*moved"):
        dataclasses.replace(job, data=data).run(keep=True)
    about = json.loads((job.output / CACHE_NAME).read_text())
    del about["music_scores"]
    (job.output / CACHE_NAME).write_text(json.dumps(about))  # a cache of before
    assert dataclasses.replace(job, data=data).run(keep=True)["clips"] == len(PITCHES)


@pytest.mark.heavy
@pytest.mark.usefixtures("without_samples")
@pytest.mark.parametrize("change", ["other", "none", "added", "music"])
def test_a_run_is_resumed_with_the_scores_and_the_music_it_began_with(
    scored, cache, text_folder, tmp_path, change
):
    begun = cache if change == "added" else scored
    folder = shutil.copytree(begun.folder, tmp_path / "cache")
    job = jobs.DiffusionJob(
        cache=folder, output=tmp_path / "run", text_encoder=text_folder, recipe="tiny", steps=1,
        precision="fp32", crop_seconds=0.4, device="cpu",
    )  # fmt: skip
    job.run()
    again = dataclasses.replace(job, resume=True, steps=2)
    if change == "other":
        lines = (folder / SCORES_NAME).read_text().splitlines()
        (folder / SCORES_NAME).write_text("\n".join(lines[1:]) + "\n")
    elif change == "none":
        (folder / SCORES_NAME).unlink()
    elif change == "added":
        shutil.copy(scored.folder / SCORES_NAME, folder)
    else:
        about = json.loads((folder / CACHE_NAME).read_text())
        (folder / CACHE_NAME).write_text(json.dumps({**about, "music": "another"}))
    what = "music" if change == "music" else "full scores"
    with pytest.raises(ConfigError, match=f"began with other {what};"):
        again.run()
    if change in ("other", "music"):  # a run of before
        record = tmp_path / "run" / SOURCES_NAME
        sources = json.loads(record.read_text())
        record.write_text(json.dumps({k: v for k, v in sources.items() if k != what}))
        assert "parameters" in again.run()
        assert json.loads(record.read_text()).keys() == sources.keys()


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


@pytest.mark.heavy
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
        [draw_score_dropout(rng, 100, edited=edited) for _ in range(4000)]
        for edited in (False, True)
    )
    assert np.mean([dropped == ALL_DROPPED for dropped in made]) == pytest.approx(0.25, abs=0.03)
    assert np.mean([dropped == ALL_DROPPED for dropped in edited]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([dropped == NOTHING_DROPPED for dropped in made]) > 0.35
    partly = [dropped for dropped in made if dropped not in (ALL_DROPPED, NOTHING_DROPPED)]
    for group in SCORE_GROUPS:
        assert 0.25 < np.mean([group in dropped.groups for dropped in partly]) < 0.4
    assert {family for dropped in partly for family in dropped.families} == set(
        range(len(FAMILIES))
    )
    spans = [dropped for dropped in partly if dropped.span_groups]
    assert 0.2 < len(spans) / len(partly) < 0.35
    for dropped in spans:
        first, stop = dropped.span
        assert 0 <= first < stop <= 100
        assert 20 <= stop - first <= 80
        assert not {"mix", "style"} & set(dropped.span_groups)
    assert {len(dropped.span_groups) for dropped in spans} == {1, 5}


def test_items_without_any_control_have_no_score(build, fp32):
    stage = build(dataclasses.replace(fp32, batch_size=30, text_dropout=0.9))
    windows = [w for step in range(10) for w in stage._batch_sampler.spec(step).windows]
    nothing = [w for w in windows if w.controls is NO_CONTROLS]
    assert len(nothing) > 60
    assert all(w.dropped == ALL_DROPPED for w in nothing)
    assert any(w.dropped == NOTHING_DROPPED for w in windows if w.caption)


@pytest.mark.heavy
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


@pytest.mark.heavy
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


@pytest.mark.heavy
@pytest.mark.usefixtures("without_samples")
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
    main, short, none = (weights(n) for n in ("weights", "averages/0.05", "averages/0.0"))
    assert not torch.equal(main, short)
    assert not torch.equal(short, none)
    train(5, 0.05, 0.0, resume=True)
    resumed = weights("averages/0.05")
    assert not torch.equal(resumed, short)
    shutil.rmtree(tmp_path / "run")
    train(5, 0.05, 0.0)
    assert torch.equal(weights("averages/0.05"), resumed)


@pytest.mark.heavy
def test_each_further_average_has_a_folder_of_its_own(build, fp32, tmp_path):
    decays = (0.9999999, 0.99999999, 1e-9)
    chosen = dataclasses.replace(fp32.optimisation, more_ema_decays=decays)
    build(dataclasses.replace(fp32, optimisation=chosen)).write_weights(tmp_path / "weights", {})
    assert {path.name for path in (tmp_path / "averages").iterdir()} == {*map(repr, decays)}
    with pytest.raises(ConfigError, match="twice; give each once"):
        dataclasses.replace(fp32.optimisation, more_ema_decays=(0.999, 0.9, 0.999))


def test_resident_controls_are_made_at_the_first_step(build, monkeypatch):
    made = []
    monkeypatch.setattr(DiffusionStage, "_resident_controls", lambda stage: made.append(stage))
    stage = build()
    stage.activation_megabytes()  # all that a dry run computes
    assert made == []
    for step in range(2):
        stage.train_step(step, 0.0)
    assert made == [stage]


def test_resident_controls_equal_those_that_are_made_for_each_batch():
    """All drops of controls and scores, gathered on a device, against the direct way."""
    attributes = {
        "bpm": 120.0, "meter": "3/4", "key": "D", "mode": "minor", "chords": "Dm | Gm A7",
        "drum_pattern": "kick x.x. snare .x.x", "melody": "A4 - F4 -", "downbeat": 0.35,
    }  # fmt: skip
    clips = [
        CachedClip(100, 200, ("one",), "train", "a", attributes),
        CachedClip(300, 150, ("two",), "train", "b", {**attributes, "meter": ""}),
        CachedClip(450, 30, ("short",), "train", "c", attributes),
    ]
    notes = tuple((0.2 * i, 0.3, 40 + i, 0.7) for i in range(20))
    parts = (ScorePart("lead", "brass", notes), ScorePart("bass", "bass", notes[:9]))
    score = FullScore(parts, 5.0, style="tango", mix=(0.1, 0.2, 0.3))
    table = ScoreTable({clip.start: ScoreEvents.of(score) for clip in clips})
    device, rate, frames = torch.device("cpu"), 40.0, 48
    resident = ResidentControls(clips, table, frames, rate, CHANNELS_WITH_SCORE, device)
    batches = BatchSampler(
        WindowSampler(clips, frames, 0),
        dataclasses.replace(training_config("tiny").diffusion, batch_size=60, control_dropout=0.4),
        components=2, num_timesteps=10, seed=0, device=device,
    )  # fmt: skip
    for step in range(5):
        windows = batches.spec(step).windows
        wanted = table.channels(
            [w.controls for w in windows],
            [(clips[w.clip], w.start) for w in windows],
            [w.dropped for w in windows],
            frames, rate, CHANNELS_WITH_SCORE,
        )  # fmt: skip
        found = resident.gather(windows)
        torch.testing.assert_close(found, wanted, atol=2e-3, rtol=0)
    whole = controls_of(attributes)
    assert resident.gather([TrainingWindow(2, 0, "x", whole, NOTHING_DROPPED)])[..., 30:].any()
