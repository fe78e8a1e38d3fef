"""The stages of the training on a simulated GPU: each operation on tensors of one device."""

import dataclasses

import pytest

from jen1cli.presets import TINY
from jen1cli.training import jobs
from jen1cli.training.autoencoder.build import build_autoencoder_stage
from jen1cli.training.controls import stage as controls_stage
from jen1cli.training.controls.build import build_controls
from jen1cli.training.diffusion.build import DiffusionSources, build_diffusion, write_latents
from jen1cli.training.engine.processes import build_accelerator
from jen1cli.training.recipes import ControlsTrainingConfig, training_config
from simulated_gpu import SimulatedGpu
from training_support import with_optimisation

QUICK = {"recipe": "tiny", "device": "cuda", "precision": "bf16", "crop_seconds": 0.2, "steps": 2}

pytestmark = pytest.mark.heavy


@pytest.fixture
def gpu():
    with SimulatedGpu() as found:
        yield found


@pytest.fixture
def narrow(monkeypatch):
    """Narrow control networks, and little music to fit the map of pitches to."""
    for name in ("CHORD_FEATURES", "PART_FEATURES"):
        monkeypatch.setattr(controls_stage, name, 8)
    monkeypatch.setattr(controls_stage, "PITCH_CHANNELS", 2)
    monkeypatch.setattr(controls_stage, "PITCH_WINDOWS", 1)


def half(recipe):
    """Return a recipe with short windows in bfloat16."""
    short = dataclasses.replace(recipe, crop_seconds=0.2, batch_size=4)
    return with_optimisation(short, precision="bf16")


def test_a_step_of_the_autoencoder(gpu, tones):
    chosen = dataclasses.replace(half(training_config("tiny").autoencoder), adversarial_from=0.0)
    accelerator = build_accelerator(chosen.optimisation, device="cuda")
    stage = build_autoencoder_stage(tones, TINY, chosen, accelerator)
    stage.train_step(0, 0.0)
    stage.close()
    assert stage.take_values()["loss"] > 0


def test_a_step_of_the_diffusion_model(gpu, cache, text_folder):
    chosen = half(training_config("tiny").diffusion)
    accelerator = build_accelerator(chosen.optimisation, device="cuda")
    stage = build_diffusion(DiffusionSources(cache.folder, text_folder), chosen, accelerator)
    stage.train_step(1, 0.0)  # its captions are encoded once
    tensors, about = stage.state()
    stage.load_state({name: tensor.cpu() for name, tensor in tensors.items()}, about)
    with gpu.phase("step"):
        stage.train_step(1, 0.0)
    waits = gpu.syncs_of("step")
    assert sum(waits.values()) <= 1, f"all but the check of the gradient: {waits}"
    assert stage.take_values()["loss"] > 0


def test_a_step_of_the_controls(gpu, narrow, with_tempi, tiny_folder, tmp_path):
    cache = write_latents(with_tempi, tiny_folder, tmp_path, keep_whitening=True, device="cuda")
    chosen = half(ControlsTrainingConfig(steps=1))
    accelerator = build_accelerator(chosen.optimisation, device="cuda")
    stage = build_controls(cache.folder, tiny_folder, chosen, accelerator)
    stage.train_step(0, 0.0)
    stage.validate()
    assert stage.take_values()["loss"] > 0


@pytest.mark.slow
def test_all_stages(gpu, narrow, with_tempi, text_folder, tmp_path):
    job = jobs.AllJob(data=with_tempi, output=tmp_path, text_encoder=text_folder, **QUICK)
    job.run()
    assert (tmp_path / "controls" / "weights" / "config.json").is_file()
    jobs.DiffusionJob(
        cache=tmp_path / "latents", output=tmp_path / "diffusion", text_encoder=text_folder,
        resume=True, **{**QUICK, "steps": 3},
    ).run()  # fmt: skip


def test_a_step_of_distillation(gpu, narrow, tones, tiny_folder, tmp_path):
    cache = write_latents(tones, tiny_folder, tmp_path, keep_whitening=True, device="cuda")
    chosen = half(training_config("tiny").diffusion)
    sources = DiffusionSources(cache.folder, init=tiny_folder, lora_rank=2, distilled_steps=2)
    stage = build_diffusion(sources, chosen, build_accelerator(chosen.optimisation, device="cuda"))
    stage.train_step(1, 0.0)  # its captions are encoded once
    with gpu.phase("step"):
        stage.train_step(1, 0.0)
    waits = gpu.syncs_of("step")
    assert sum(waits.values()) <= 1, f"all but the check of the gradient: {waits}"
    assert stage.take_values()["loss"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("lora", [None, 2])
def test_fine_tuning(gpu, tones, tiny_folder, tmp_path, lora):
    job = jobs.FinetuneJob(
        data=tones, model=str(tiny_folder), output=tmp_path, lora=lora, batch_size=3, **QUICK
    )
    assert job.run()["trainable parameters"] > 0
