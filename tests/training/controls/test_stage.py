"""The training of the controls: arrows and keys that are learned, saved, resumed and used."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

from jen1cli import Jen1, audio
from jen1cli.checkpoint import load_weight_set
from jen1cli.errors import ConfigError, DataError
from jen1cli.manifest import Clip, write_manifest
from jen1cli.music.controls import BEAT_AND_KEY_CHANNELS, NO_CONTROLS, Controls, controls_of
from jen1cli.tasks import Task
from jen1cli.training import jobs
from jen1cli.training.controls import stage as controls_stage
from jen1cli.training.controls.build import build_controls
from jen1cli.training.controls.targets import beat_targets
from jen1cli.training.diffusion.batches import BatchSampler, WindowSampler
from jen1cli.training.diffusion.build import write_latents
from jen1cli.training.diffusion.cache import LatentCache
from jen1cli.training.engine.events import Warned
from jen1cli.training.engine.processes import build_accelerator
from jen1cli.training.recipes import ControlsTrainingConfig, training_config
from training_support import RATE, with_optimisation

pytestmark = pytest.mark.usefixtures("without_samples")

TEMPI = (75.0, 90.0, 110.0, 140.0)
SECONDS = 4.0
QUICK = {"recipe": "tiny", "precision": "fp32", "device": "cpu", "crop_seconds": 2.0}


def pulses(bpm, pitch):
    """A tone struck on every beat, strongest at the start of a bar of four."""
    t = np.arange(round(SECONDS * RATE)) / RATE
    beat = t * bpm / 60
    strength = np.where(beat.astype(int) % 4 == 0, 0.6, 0.25)
    tone = strength * np.sin(2 * np.pi * pitch * t) * np.exp(-8 * (beat % 1))
    return np.stack([tone, tone]).astype(np.float32)


@pytest.fixture(scope="module")
def beats(tmp_path_factory):
    """Pulses of four tempi; slow ones are in C major, fast ones in A minor."""
    folder = tmp_path_factory.mktemp("beats")
    clips = []
    for i, bpm in enumerate(TEMPI):
        path = folder / f"{i}.wav"
        audio.write(path, pulses(bpm, 262 if bpm < 100 else 440), RATE)
        key, mode = ("C", "major") if bpm < 100 else ("A", "minor")
        facts = {"bpm": bpm, "meter": "4/4", "key": key, "mode": mode}
        facts["chords"] = "C | F" if key == "C" else "Am | E7 | Am"
        facts["drum_pattern"] = "kick xxxx" if key == "C" else "snare x.x."
        facts["melody"] = "C4 C4 C4 C4" if key == "C" else "A4 A4 A4 A4"
        clips.append(Clip(path, (f"pulses at {bpm:g}",), SECONDS, "train", facts))
    held_out = shutil.copyfile(clips[1].path, folder / "held-out.wav")
    clips.append(dataclasses.replace(clips[1], path=held_out, split="validation"))
    write_manifest(folder, clips)
    return folder


@pytest.fixture(scope="module")
def beat_cache(beats, tiny_folder, tmp_path_factory):
    """Their latents, by the autoencoder of the tiny model."""
    folder = tmp_path_factory.mktemp("beat-cache")
    return write_latents(beats, tiny_folder, folder, keep_whitening=True, device="cpu")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Narrow networks, and little music to fit the map to."""
    for name in ("CHORD_FEATURES", "PART_FEATURES"):
        monkeypatch.setattr(controls_stage, name, 24)
    monkeypatch.setattr(controls_stage, "PITCH_CHANNELS", 4)
    monkeypatch.setattr(controls_stage, "PITCH_WINDOWS", 2)


@pytest.fixture
def stage(beat_cache, tiny_folder):
    """The stage on the pulses."""
    base = ControlsTrainingConfig(batch_size=6, crop_seconds=2.0, steps=10)
    chosen = with_optimisation(base, warmup_steps=5, lr=5e-3, ema_decay=0.9)
    accelerator = build_accelerator(chosen.optimisation, device="cpu")
    return build_controls(beat_cache.folder, tiny_folder, chosen, accelerator, seed=1)


@pytest.mark.heavy
def test_beat_targets_turn_with_the_music(stage):
    controls_batch = [controls_of(clip.attributes) for clip in stage.sampler.clips]
    windows = stage.sampler.windows(0, 4, np.random.default_rng(0))
    controls_batch = [controls_batch[w.clip] for w in windows]
    rate = stage._parts.config.frame_rate
    starts = [window.start for window in windows]
    beat, bar = beat_targets(controls_batch, starts, stage.frames, rate)
    for i, controls in enumerate(controls_batch):
        turns = float(beat[i].angle().diff().remainder(2 * torch.pi).sum()) / (2 * torch.pi)
        assert turns == pytest.approx((stage.frames - 1) / rate * controls.bpm / 60, abs=1e-2)
        # a bar is four beats: its arrow, four times the angle, is the beat's
        assert torch.allclose((bar[i] ** 4), beat[i], atol=1e-3)
    nothing = beat_targets([NO_CONTROLS], [0], stage.frames, rate)
    assert not any(part.any() for part in nothing)


@pytest.mark.heavy
def test_losses_fall_and_the_answers_come_right(stage):
    first = None
    for step in range(80):
        stage.train_step(step, step / 80)
        if step == 9:
            first = stage.take_values()
    last = stage.take_values()
    assert set(last) >= {"loss/predictor tempo", "loss/tracker beat", "loss/tracker key", "lr"}
    assert last["loss/predictor tempo"] < 0.7 * first["loss/predictor tempo"]
    assert last["loss/tracker beat"] < 0.9 * first["loss/tracker beat"]
    assert last["loss/tracker key"] < 0.7 * first["loss/tracker key"]
    assert last["loss/predictor root"] < 0.5 * first["loss/predictor root"]
    assert last["loss/predictor chord"] < 0.5 * first["loss/predictor chord"]
    assert last["loss/predictor drums"] < 0.5 * first["loss/predictor drums"]
    assert last["loss/predictor melody"] < 0.5 * first["loss/predictor melody"]
    for part in ("chords", "drums", "melody"):
        assert last[f"loss/tracker {part}"] < 0.8 * first[f"loss/tracker {part}"], part
    stage.frames = round(SECONDS * stage._parts.config.frame_rate)  # a bar is heard in most of it
    found = stage.validate()
    assert 0.0 <= found["validation/predictor tempo"] <= 1.0
    assert found["validation/tracker key given"] == 1.0
    assert found["validation/predictor root"] < 1.0
    assert found["validation/predictor drums"] < 1.0
    assert found["validation/predictor melody"] < 1.0
    assert found["validation/tracker chords right"] >= 0.5


@pytest.mark.heavy
def test_job_gives_a_weight_set_controls_and_changes_nothing_else(
    beat_cache, tiny_folder, tmp_path
):
    job = jobs.ControlsJob(
        cache=beat_cache.folder, init=tiny_folder, output=tmp_path / "run", steps=2, **QUICK
    )
    assert job.run()["parameters"] > 0
    before, old = load_weight_set(tiny_folder)
    after, new = load_weight_set(tmp_path / "run" / "weights")
    for name in ("autoencoder", "whitening", "unet"):
        assert all(torch.equal(new[name][key], old[name][key]) for key in old[name])
    assert dataclasses.replace(after, controls=None, provenance={}) == dataclasses.replace(
        before, controls=None, provenance={}
    )
    assert after.provenance["guide"]["steps"] == 2
    assert "random" in (tmp_path / "run" / "weights" / "README.md").read_text()
    model = Jen1.load(tmp_path / "run" / "weights", device="cpu")
    music = model.generate("pulses", seconds=0.5, seed=1)
    assert music.recipe.controls.bpm > 0
    assert bool(music.recipe.controls.chords) == bool(music.recipe.controls.key)
    assert music.recipe.controls.drums
    assert music.recipe.controls.melody


@pytest.mark.heavy
def test_training_goes_on_from_the_networks_of_before(beat_cache, tiny_folder, tmp_path):
    shared = {"cache": beat_cache.folder, "steps": 2, **QUICK}
    jobs.ControlsJob(init=tiny_folder, output=tmp_path, **shared).run()
    accelerator = build_accelerator(ControlsTrainingConfig().optimisation, device="cpu")
    stage = build_controls(
        beat_cache.folder, tmp_path / "weights", ControlsTrainingConfig(), accelerator, seed=5
    )
    _, tensors = load_weight_set(tmp_path / "weights")
    for name, tensor in stage.networks.state_dict().items():
        part, _, own = name.partition(".")
        assert torch.equal(tensor, tensors[part][own]), name


@pytest.mark.heavy
def test_resumed_training_equals_an_uninterrupted_one(beat_cache, tiny_folder, tmp_path):
    def run(folder, steps, **more):
        jobs.ControlsJob(
            cache=beat_cache.folder, init=tiny_folder, output=tmp_path / folder, steps=steps,
            **QUICK, **more,
        ).run()  # fmt: skip

    constant = dataclasses.replace(
        training_config("tiny").controls.optimisation, lr_shape="constant"
    )
    changed = dataclasses.replace(
        training_config("tiny"), controls=ControlsTrainingConfig(constant, 6, steps=4)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "training_config", lambda name: changed)
        run("whole", 4)
        run("parts", 2)
        run("parts", 4, resume=True)
    _, whole = load_weight_set(tmp_path / "whole" / "weights")
    _, parts = load_weight_set(tmp_path / "parts" / "weights")
    for name in ("prior", "tracker"):
        assert all(torch.equal(whole[name][key], parts[name][key]) for key in whole[name])


@pytest.mark.heavy
def test_music_without_tempi_cannot_teach_it(cache, tiny_folder, tmp_path):
    shared = {"init": tiny_folder, "output": tmp_path / "run", "steps": 1, **QUICK}
    with pytest.raises(ConfigError, match="are not those of"):
        jobs.ControlsJob(cache=cache.folder, **shared).run()


@pytest.mark.heavy
def test_a_cache_without_tempi_is_refused(tones, tiny_folder, tmp_path):
    latents = write_latents(
        tones, tiny_folder, tmp_path / "cache", keep_whitening=True, device="cpu"
    )
    job = jobs.ControlsJob(
        cache=latents.folder, init=tiny_folder, output=tmp_path / "run", steps=1, **QUICK
    )
    with pytest.raises(DataError, match=r"no clip of .* has a tempo"):
        job.run()


@pytest.mark.heavy
def test_all_stages_end_with_controls_where_there_are_tempi(beats, text_folder, tmp_path):
    job = jobs.AllJob(data=beats, output=tmp_path, text_encoder=text_folder, steps=1, **QUICK)
    job.run()
    assert job.result(tmp_path) == tmp_path / "controls" / "weights"
    model = Jen1.load(job.result(tmp_path), device="cpu")
    assert set(model.config.provenance) == {"autoencoder", "diffusion", "guide"}
    assert model.networks.predictor is not None


@pytest.mark.heavy
def test_diffusion_keeps_the_controls_of_the_set_it_continues(beat_cache, tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder, tmp_path / "trained")
    about = json.loads((folder / "config.json").read_text())
    about["provenance"]["guide"] = {"steps": 7}
    (folder / "config.json").write_text(json.dumps(about))
    shared = {"cache": beat_cache.folder, "steps": 1, **QUICK}
    jobs.DiffusionJob(init=folder, output=tmp_path / "same", **shared).run()
    before, old = load_weight_set(folder)
    after, new = load_weight_set(tmp_path / "same" / "weights")
    assert after.controls == before.controls
    assert after.provenance["guide"] == {"steps": 7}
    assert all(torch.equal(new["prior"][key], old["prior"][key]) for key in old["prior"])


@pytest.mark.heavy
def test_a_new_text_encoder_drops_the_controls(beat_cache, tiny_folder, text_folder, tmp_path):
    events = []
    jobs.DiffusionJob(
        init=tiny_folder, text_encoder=text_folder, cache=beat_cache.folder,
        output=tmp_path / "run", steps=1, **QUICK,
    ).run(events.append)  # fmt: skip
    config, tensors = load_weight_set(tmp_path / "run" / "weights")
    assert config.controls is None
    said = [event.message for event in events if isinstance(event, Warned)]
    assert any("are left out, since the text encoder is another" in message for message in said)
    assert "prior" not in tensors


@pytest.mark.parametrize(
    "before", [pytest.param(0, marks=pytest.mark.heavy), BEAT_AND_KEY_CHANNELS]
)
def test_a_set_that_was_told_less_is_continued_as_it_was(before, beat_cache, tiny_folder, tmp_path):
    """The controls' new channels enter an older network with no weight."""
    from jen1cli.checkpoint import save_weight_set
    from jen1cli.training.diffusion.build import DiffusionSources, build_diffusion
    from jen1cli.unet import UNet1d
    from support import unet_inputs

    config, tensors = load_weight_set(tiny_folder)
    narrower = dataclasses.replace(config.unet, control_channels=before)
    torch.manual_seed(3)
    older = UNet1d(narrower)
    torch.nn.init.normal_(older.output.weight)
    if older.guide is not None:
        torch.nn.init.normal_(older.guide.weight)
    tensors = {**tensors, "unet": older.state_dict()}
    folder = save_weight_set(
        tmp_path / "older", dataclasses.replace(config, unet=narrower), tensors,
        text_encoder=tiny_folder / "text_encoder",
    )  # fmt: skip
    chosen = with_optimisation(training_config("tiny").diffusion, precision="fp32")
    accelerator = build_accelerator(chosen.optimisation, device="cpu")
    stage = build_diffusion(
        DiffusionSources(beat_cache.folder, init=folder), chosen, accelerator, config=config
    )
    inputs = unet_inputs(config.unet, 20)
    shorter = {
        **inputs,
        "context": inputs["context"][:, : config.unet.latent_channels + 1 + before],
    }
    stage.objective.eval()
    with torch.inference_mode():
        new, old = stage.objective.unet(**inputs), older.eval()(**shorter)
    torch.testing.assert_close(new, old)


@pytest.mark.heavy
def test_parts_of_the_controls_are_left_out_now_and_then(beat_cache):
    sampler = WindowSampler(beat_cache.split("train"), 20, 0)
    base = dataclasses.replace(training_config("tiny").diffusion, batch_size=60)
    batch_sampler = BatchSampler(
        sampler, base, components=8, num_timesteps=10, seed=0, device=torch.device("cpu")
    )
    seen = [w for step in range(40) for w in batch_sampler.spec(step).windows]
    told = [w.controls for w in seen if w.caption]
    shares = [
        np.mean([controls.bpm == 0 for controls in told]),
        np.mean([not controls.meter for controls in told if controls.bpm]),
        np.mean([not controls.key for controls in told]),
        np.mean([not controls.chords for controls in told]),
    ]
    assert shares == pytest.approx([0.1] * 4, abs=0.025)
    plans = [batch_sampler.spec(step) for step in range(40)]
    for name in ("drums", "melody"):
        made, edited = (
            np.mean(
                [
                    not getattr(window.controls, name)
                    for plan in plans
                    for window, task in zip(plan.windows, plan.tasks, strict=True)
                    if window.caption and (task is Task.GENERATE) == generating
                ]
            )
            for generating in (True, False)
        )
        assert made == pytest.approx(0.1, abs=0.03)
        assert edited == pytest.approx(0.55, abs=0.04)
    assert np.mean([w.controls == NO_CONTROLS for w in seen if not w.caption]) == pytest.approx(
        0.5, abs=0.06
    )
    whole = {controls_of(clip.attributes) for clip in sampler.clips}
    assert set(told) & whole == whole
    assert batch_sampler.spec(3).windows == batch_sampler.spec(3).windows


def test_cache_keeps_the_facts(beat_cache):
    clip = LatentCache.open(beat_cache.folder).clips[0]
    assert controls_of(clip.attributes) == Controls(
        75.0, "4/4", 0.0, "C", "major", "C | F", "kick xxxx", "C4 C4 C4 C4"
    )
    assert json.loads(json.dumps(clip.attributes)) == clip.attributes
