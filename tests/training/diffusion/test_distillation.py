import dataclasses
import json

import pytest
import torch
from torch import nn

from jen1cli.checkpoint import load_weight_set, read_description
from jen1cli.conditioning import join
from jen1cli.config import DiffusionConfig, GenerationConfig
from jen1cli.diffusion import Denoiser, sample
from jen1cli.diffusion.denoiser import at_time
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.jsonfiles import read_object
from jen1cli.pipeline import denoising
from jen1cli.sampling import Sampling
from jen1cli.tasks import make_context
from jen1cli.training import jobs
from jen1cli.training.diffusion.compatibility import CHANGE, SOURCES_NAME
from jen1cli.training.diffusion.distillation import (
    DistillationObjective,
    GuidanceSettings,
    GuidedTeacher,
)
from jen1cli.training.diffusion.objective import SubBatch
from jen1cli.training.recipes import RECIPES

FRAMES = 24
GENERATION = GenerationConfig(
    guidance_scale=3.0,
    edit_guidance_scale=2.0,
    guidance_rescale=0.3,
    guidance_interval=(0.0, 0.95),
    control_guidance_interval=(0.0, 0.8),
    context_guidance_interval=(0.4, 1.0),
    piece_context_seconds=0.04,
)


@pytest.fixture(scope="module")
def networks(tiny):
    """The tiny networks with axes along which guidance is left out."""
    axes = torch.eye(tiny.config.unet.latent_channels)[:2]
    return dataclasses.replace(tiny.networks, level_axes=axes)


def make_part(networks, known, times):
    generator = torch.Generator().manual_seed(known)
    config, batch = networks.unet.config, len(times)

    def normal(*shape):
        return torch.randn(*shape, generator=generator)

    text, mask = networks.text_encoder.encode(["warm piano"] * batch)
    return SubBatch(
        latent=normal(batch, config.latent_channels, FRAMES),
        eps=normal(batch, config.latent_channels, FRAMES),
        t=torch.tensor(times),
        keep_mask=torch.arange(FRAMES).expand(batch, 1, FRAMES) < known,
        text=text,
        text_mask=mask,
        null=torch.zeros(batch, dtype=torch.bool),
        causal=False,
        controls=normal(batch, config.control_channels, FRAMES),
    )


def teacher_of(config, networks):
    axes = tuple(map(tuple, networks.level_axes.tolist()))
    generation = dataclasses.replace(GENERATION, level_guidance=0.0, level_axes=axes)
    config = dataclasses.replace(config, generation=generation)
    return GuidedTeacher(networks.unet, config, networks.text_encoder.null(1))


@pytest.mark.parametrize(("known", "is_edit"), [(0, False), (12, True)])
def test_the_teacher_is_the_guidance_of_the_pipeline(tiny, networks, monkeypatch, known, is_edit):
    times = [0.97, 0.9, 0.5, 0.2]
    part = make_part(networks, known, times)
    x_t = part.eps
    context = make_context(part.latent, part.keep_mask, part.controls)
    taught = teacher_of(tiny.config, networks)(part, x_t, context)

    generation = dataclasses.replace(GENERATION, level_guidance=0.0)
    generation = generation.for_edits() if is_edit else generation
    kept = []

    def keep(denoiser, noise, **settings):
        kept.append(denoiser)
        return noise

    monkeypatch.setattr(denoising, "sample", keep)
    null = networks.text_encoder.null(1)
    for index, time in enumerate(times):
        one = slice(index, index + 1)
        text, mask = join((part.text[one], part.text_mask[one]), null)
        denoising.sample_canvas(
            networks,
            denoising.Canvas(part.latent[one], part.keep_mask[one]),
            part.controls[one],
            denoising.Prompts(text, mask),
            Sampling.over(generation, {}),
            [denoising.seeded_noise(0)],
        )
        with torch.no_grad():
            guided = at_time(kept[-1].predict, time)(x_t[one], part.t[one])
        assert torch.allclose(taught[one], guided, atol=1e-5), time


def test_long_known_music_is_an_edit():
    keep_mask = torch.arange(FRAMES).expand(3, 1, FRAMES) < torch.tensor([0, 4, 5])[:, None, None]
    settings = GuidanceSettings.of(GENERATION, keep_mask, torch.tensor([0.5, 0.9, 0.9]), 100.0)
    assert settings.scale.tolist() == [3.0, 3.0, 2.0]
    assert settings.on_context.tolist() == [False, False, True]
    assert settings.on_controls.tolist() == [True, False, False]


class Shifted(nn.Module):
    """A network that answers with ones in the known frames and with zeros elsewhere."""

    def forward(self, x_t, t, *, context, **conditions):
        return context[:, x_t.shape[1] :][:, :1].expand_as(x_t)


def test_it_is_imitated_at_the_times_of_its_sampler(tiny, networks):
    generation = dataclasses.replace(GENERATION, sampler="dpmpp-2m")
    config = dataclasses.replace(tiny.config, generation=generation)
    teacher = GuidedTeacher(networks.unet, config, networks.text_encoder.null(1))
    times = teacher.visited_times(4)
    called = []

    def predict(x_t, t):
        called.append(float(t[0]))
        return x_t

    denoiser = Denoiser(predict, networks.schedule, networks.prediction)
    sample(denoiser, torch.zeros(1, 2, 3), sampler="dpmpp-2m", steps=4)
    assert times == pytest.approx(called)
    assert times[0] == 1.0


def test_the_loss_is_of_the_frames_that_are_made(tiny, networks):
    part = make_part(networks, 12, [0.3, 0.6])
    part = dataclasses.replace(part, controls=None)
    null = networks.text_encoder.null(1)
    generation = GenerationConfig(guidance_scale=1.0)
    teacher = GuidedTeacher(
        Shifted(), dataclasses.replace(tiny.config, generation=generation), null
    )
    chosen = RECIPES["tiny"].diffusion
    student = DistillationObjective(Shifted(), teacher, DiffusionConfig(), chosen)
    assert torch.equal(student.item_loss(part), torch.zeros(2))
    student.unet = nn.Module()
    student.unet.forward = lambda x_t, t, **_: torch.where(part.keep_mask, 7.0, 2.0).expand_as(x_t)
    assert torch.allclose(student.item_loss(part), torch.full((2,), 4.0))


@pytest.mark.heavy
@pytest.mark.usefixtures("without_samples")
def test_the_result_is_the_weight_set_with_a_change_of_its_network(tones, tiny_folder, tmp_path):
    place = {"device": "cpu", "output": tmp_path / "cache"}
    jobs.LatentsJob(data=tones, model=tiny_folder, keep_whitening=True, **place).run()
    job = jobs.DiffusionJob(
        cache=tmp_path / "cache", output=tmp_path / "run", init=tiny_folder, recipe="tiny", lora=2,
        distilled_steps=3, bidirectional_only=True, steps=2, batch_size=3, crop_seconds=0.4,
        lr=0.1, device="cpu", precision="fp32",
    )  # fmt: skip
    job.run()
    distilled = tmp_path / "run" / "weights"
    (before, old), (after, new) = map(load_weight_set, (tiny_folder, distilled))
    assert after.generation == dataclasses.replace(before.generation, distilled_steps=3)
    assert new["distilled"].keys() != old["unet"].keys()
    assert any(bool(tensor.any()) for name, tensor in new["distilled"].items() if "up" in name)
    assert all(torch.equal(tensor, new["unet"][name]) for name, tensor in old["unet"].items())
    assert "distilled.safetensors" in read_description(distilled).hashes
    assert after.provenance["distillation"]["steps"] == 2
    for other in ({"lora": 3}, {"distilled_steps": 0}, {"lora": None, "distilled_steps": 0}):
        again = dataclasses.replace(job, resume=True, steps=3, **other)
        with pytest.raises(ConfigError, match="began with other low-rank change"):
            again.run()
    record = tmp_path / "run" / SOURCES_NAME
    known = read_object(record)
    del known[CHANGE]  # as in older runs
    record.write_text(json.dumps(known), encoding="utf-8")
    with pytest.raises(CheckpointError, match="state is not of these networks"):
        dataclasses.replace(job, resume=True, steps=3, lora=3).run()
    dataclasses.replace(job, resume=True, steps=3).run()
    assert load_weight_set(distilled)[0].provenance["distillation"]["steps"] == 3

    further = {"init": distilled, "output": tmp_path / "further", "lora": None, "steps": 1}
    dataclasses.replace(job, **further, distilled_steps=0).run()
    config, tensors = load_weight_set(tmp_path / "further" / "weights")
    assert config.generation.distilled_steps == 0
    assert "distilled" not in tensors
    assert "distillation" not in config.provenance
