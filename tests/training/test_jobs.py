"""The jobs behind `jen1 train`, from folder to music."""

import dataclasses
import json
import shutil
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from jen1cli import Jen1
from jen1cli.autoencoder.codec import load_codec
from jen1cli.checkpoint import load_weight_set
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.manifest import Clip, write_manifest
from jen1cli.training import jobs
from jen1cli.training.diffusion.compatibility import latents_digest
from jen1cli.training.engine.events import Warned
from jen1cli.training.engine.memory import activation_megabytes
from jen1cli.training.engine.trainer import Stage
from jen1cli.training.recipes import training_config
from jen1cli.unet.lora import read_lora
from support import make_text_encoder_folder

QUICK = {"recipe": "tiny", "precision": "fp32", "device": "cpu", "crop_seconds": 0.2}


@pytest.mark.heavy
def test_all_stages_make_a_model_from_a_folder(tones, other_tones, text_folder, tmp_path):
    job = jobs.AllJob(data=tones, output=tmp_path, text_encoder=text_folder, steps=2, **QUICK)
    figures = job.run()
    assert figures["parameters"] > 0
    model = Jen1.load(tmp_path / "diffusion" / "weights", device="cpu")
    assert np.isfinite(np.asarray(model.generate("220 hertz", seconds=0.3).waveform)).all()
    assert set(model.config.provenance) == {"autoencoder", "diffusion"}
    first = latents_digest(load_codec(tmp_path / "autoencoder" / "weights"), whitened=False)
    again = jobs.AllJob(
        data=tones, output=tmp_path, text_encoder=text_folder, steps=3, resume=True, **QUICK
    )
    again.run()
    codec = load_codec(tmp_path / "autoencoder" / "weights")
    assert latents_digest(codec, whitened=False) == first, "its latents are in use"
    with pytest.raises(ConfigError, match="not those of the music given"):
        dataclasses.replace(again, data=other_tones).run()
    assert json.loads((tmp_path / "diffusion" / "state" / "state.json").read_text())["step"] == 3


@pytest.mark.heavy
@pytest.mark.usefixtures("without_samples")
def test_lora_of_a_users_folder_is_one_small_file(tones, tiny_folder, tmp_path):
    job = jobs.FinetuneJob(
        data=tones, model=str(tiny_folder), output=tmp_path, lora=2, steps=2, batch_size=3,
        recipe="finetune", precision="fp32", device="cpu", crop_seconds=0.2,
    )  # fmt: skip
    figures = job.run()
    config, _ = read_lora(tmp_path / "weights" / "lora.safetensors")
    whole, _ = load_weight_set(tiny_folder)
    assert config.rank == 2
    assert config.unet == whole.unet
    assert 0 < figures["trainable parameters"] < figures["parameters"]
    assert not (tmp_path / "weights" / "config.json").exists()


@pytest.mark.heavy
@pytest.mark.usefixtures("without_samples")
def test_whole_fine_tuning_keeps_autoencoder_and_whitening(tones, tiny_folder, tmp_path):
    job = jobs.FinetuneJob(
        data=tones, model=str(tiny_folder), output=tmp_path, steps=2, batch_size=3,
        recipe="finetune", precision="fp32", device="cpu", crop_seconds=0.2,
    )  # fmt: skip
    job.run()
    _, before = load_weight_set(tiny_folder)
    _, after = load_weight_set(tmp_path / "weights")
    for part in ("autoencoder", "whitening"):
        assert all((before[part][n] == after[part][n]).all() for n in before[part])
    assert any((before["unet"][n] != after["unet"][n]).any() for n in before["unet"])


def test_dry_run_describes_and_writes_nothing(cache, text_folder, tmp_path):
    job = jobs.DiffusionJob(
        cache=cache.folder, text_encoder=text_folder, output=tmp_path / "run", dry_run=True, **QUICK
    )
    figures = job.run()
    assert figures["steps per epoch"] == pytest.approx(figures["windows per epoch"] / 6)
    assert figures["memory for weights and optimiser (MB)"] > 0
    wide = dataclasses.replace(job, batch_size=12).run()
    assert wide[jobs.ACTIVATIONS] == pytest.approx(2 * figures[jobs.ACTIVATIONS])
    assert not (tmp_path / "run").exists()


def test_dry_run_of_the_autoencoder_writes_nothing(tones, tmp_path):
    job = jobs.AutoencoderJob(
        data=tones, output=tmp_path / "run", recipe="tiny", dry_run=True, device="cpu"
    )
    figures = job.run()
    assert figures["clips"] == 5
    assert figures["steps per epoch"] == pytest.approx(5 / 2)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("only", ["frequencies", "envelopes:0", "pitch:64"])
def test_what_can_be_trained_alone_is_named(tones, tmp_path, only):
    job = jobs.AutoencoderJob(data=tones, output=tmp_path / "run", only=only, init="there")
    with pytest.raises(ConfigError, match="give envelopes:CHANNELS or frequencies:CHANNELS"):
        job.run()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("given", [{}, {"init": "there", "freeze_components": True}])
def test_envelopes_alone_need_an_autoencoder_and_nothing_else(tones, tmp_path, given):
    job = jobs.AutoencoderJob(data=tones, output=tmp_path / "run", only="envelopes:8", **given)
    with pytest.raises(ConfigError, match="give --init, and no --freeze-components"):
        job.run()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"minutes": -1.0}, "--minutes -1 must be more than 0"),
        ({"minutes": float("nan")}, "--minutes nan must be"),
        ({"steps": 0}, "--steps 0"),
        ({"batch_size": -1}, "--batch-size -1"),
        ({"crop_seconds": 0.0}, "--crop-seconds 0"),
        ({"lr": 0.0}, "--lr 0"),
        ({"accumulation": 0}, "--accumulation 0"),
        ({"sample_minutes": 0.0}, "--sample-minutes 0"),
        ({"precision": "fp16"}, "unknown precision 'fp16'; known: auto, fp32, bf16"),
        ({"lora": 0}, "--lora 0 is no rank"),
    ],
)
def test_numbers_that_cannot_train_are_refused(tmp_path, given, words):
    with pytest.raises(ConfigError, match=words):
        jobs.FinetuneJob(data=tmp_path, output=tmp_path, **given)


@pytest.mark.parametrize("device", ["mps", "cuda:1", "cuda"])
def test_devices_that_are_not_there_are_refused(tmp_path, monkeypatch, device):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match="device"):
        jobs.LatentsJob(data=tmp_path, model=tmp_path, output=tmp_path, device=device).run()


def test_memory_of_activations_is_that_of_the_saved_tensors():
    layer = torch.nn.Linear(1000, 10)
    x = torch.randn(50, 1000)
    assert activation_megabytes(layer, lambda: layer(x)) == pytest.approx(50 * 1000 * 4 / 1e6)
    chain = torch.nn.Sequential(layer, torch.nn.SiLU())
    both = activation_megabytes(chain, lambda: chain(x))
    assert both == pytest.approx((50 * 1000 + 50 * 10) * 4 / 1e6)


def test_dry_run_of_all_tells_of_both_stages(tones, tmp_path):
    job = jobs.AllJob(data=tones, output=tmp_path / "run", recipe="tiny", dry_run=True)
    figures = job.run()
    assert {"parameters", "stage 2 parameters", jobs.ACTIVATIONS} <= set(figures)
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_overwritten(cache, text_folder, tmp_path):
    (tmp_path / "state").mkdir()
    job = jobs.DiffusionJob(
        cache=cache.folder, text_encoder=text_folder, output=tmp_path, steps=1, **QUICK
    )
    with pytest.raises(ConfigError, match="--resume"):
        job.run()


@pytest.mark.parametrize("saved", [False, True])
def test_resume_goes_on_from_what_was_saved_or_begins(tmp_path, monkeypatch, saved):
    """What the test below does in whole runs, without a stage."""
    done = []

    class Recorded:
        def __init__(self, *_, **options):
            assert options["on_event"] == events.append

        def resume(self):
            done.append("resumed")

        def run(self):
            done.append("run")

    monkeypatch.setattr(jobs, "Trainer", Recorded)
    if saved:
        (tmp_path / "state").mkdir()
    events = []
    job = jobs.DiffusionJob(cache=tmp_path, output=tmp_path, resume=True, **QUICK)
    jobs._train(Mock(Stage), job, 1, Mock(Accelerator), events.append)
    assert done == (["resumed", "run"] if saved else ["run"])
    warnings = [event.message for event in events if isinstance(event, Warned)]
    assert any("starts from the beginning" in warning for warning in warnings) == (not saved)


@pytest.mark.heavy
def test_resume_begins_where_nothing_was_saved(cache, text_folder, tmp_path):
    def run(steps):
        events = []
        jobs.DiffusionJob(
            cache=cache.folder, text_encoder=text_folder, output=tmp_path / "run", steps=steps,
            resume=True, **QUICK,
        ).run(events.append)  # fmt: skip
        about = json.loads((tmp_path / "run/state/state.json").read_text())
        return about["step"], [each.message for each in events if isinstance(each, Warned)]

    step, warnings = run(1)
    assert step == 1
    assert any("starts from the beginning" in warning for warning in warnings)
    step, warnings = run(2)
    assert step == 2
    assert not any("starts from the beginning" in warning for warning in warnings)


def test_missing_text_encoder_is_a_clear_error(cache, tmp_path, monkeypatch):
    monkeypatch.setattr("jen1cli.training.diffusion.build._bundled_text_encoder", lambda: None)
    job = jobs.DiffusionJob(cache=cache.folder, output=tmp_path, steps=1, **QUICK)
    with pytest.raises(ConfigError, match="--text-encoder"):
        job.run()


def test_a_text_encoder_of_another_size_is_a_clear_error(cache, tmp_path, monkeypatch):
    bundled = make_text_encoder_folder(tmp_path / "bundled", 32)
    monkeypatch.setattr("jen1cli.training.diffusion.build._bundled_text_encoder", lambda: bundled)
    job = jobs.DiffusionJob(cache=cache.folder, output=tmp_path / "run", steps=1, **QUICK)
    with pytest.raises(CheckpointError, match=r"has 32 features .* 16 features with --text-enc"):
        job.run()


def test_a_text_encoder_of_another_size_is_found_before_the_first_stage(tones, tmp_path):
    other = make_text_encoder_folder(tmp_path / "other", 32)
    job = jobs.AllJob(data=tones, output=tmp_path / "run", text_encoder=other, steps=1, **QUICK)
    with pytest.raises(CheckpointError, match="16 features with --text-encoder"):
        job.run()
    assert not (tmp_path / "run").exists()


@pytest.mark.heavy
def test_nothing_held_out_is_said(tones, tiny_folder, tmp_path):
    (tmp_path / "music").mkdir()
    shutil.copy(tones / "0.wav", tmp_path / "music" / "0.wav")
    write_manifest(tmp_path / "music", [Clip(tmp_path / "music" / "0.wav", ("a",), 1.5, "train")])
    events = []
    job = jobs.FinetuneJob(
        data=tmp_path / "music", model=str(tiny_folder), output=tmp_path / "run", steps=1,
        batch_size=3, precision="fp32", device="cpu", crop_seconds=0.2,
    )  # fmt: skip
    job.run(events.append)
    said = [event.message for event in events if isinstance(event, Warned)]
    assert any("held out" in message for message in said)


def test_unknown_recipe_gets_a_suggestion():
    with pytest.raises(ConfigError, match="did you mean 'mini-cpu'"):
        training_config("mini-cup")


def test_budget_without_steps_or_minutes_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="neither steps nor minutes"):
        jobs.Settings(output=tmp_path).budget(None)
    assert jobs.Settings(output=tmp_path, minutes=2.0).budget(500).steps is None
    assert jobs.Settings(output=tmp_path).budget(500).steps == 500
