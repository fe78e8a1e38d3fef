import dataclasses
import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from jen1cli import Jen1, audio
from jen1cli.checkpoint import load_weight_set
from jen1cli.conditioning.controls.channels import CONTROL_CHANNELS
from jen1cli.conditioning.controls.predictor import ControlPredictor
from jen1cli.conditioning.controls.tracker import ControlTracker
from jen1cli.config import ControlsConfig
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.pipeline import networks
from jen1cli.presets import TINY
from jen1cli.recipe import read_recipe
from jen1cli.training.diffusion.texts import TextCache
from jen1cli.training.diffusion.weights import ControlsWriter, ControlTensors
from jen1cli.training.engine import trainer as loop_module
from jen1cli.training.engine.events import Saved, Stepped, Validated
from jen1cli.training.engine.metrics_writer import MetricsWriter
from jen1cli.training.engine.trainer import Budget, Trainer
from training_support import with_optimisation

PROMPTS = ("220 hertz", "494 hertz in D minor")


def run_steps(stage, first, last, of):
    for step in range(first, last):
        stage.train_step(step, step / of)


def weights_of(stage):
    return {name: p.detach().clone() for name, p in stage.objective.named_parameters()}


@pytest.mark.heavy
def test_loss_falls_on_one_repeated_batch(make_stage, fp32):
    stage = make_stage(with_optimisation(fp32, lr=5e-3, warmup_steps=1))
    spec = stage._batch_sampler.spec(0)
    stage._batch_sampler.spec = lambda step: spec
    losses = []
    for step in range(25):
        stage.train_step(step, 0.0)
        losses.append(stage.take_values()["loss"])
    assert losses[-1] < 0.6 * losses[0]


def test_losses_are_reported_for_each_task(make_stage):
    stage = make_stage()
    run_steps(stage, 0, 2, 20)
    values = stage.take_values()
    assert {"loss", "loss/generate", "loss/inpaint", "loss/continue", "lr"} <= set(values)
    tasks = [values[f"loss/{task}"] for task in ("generate", "inpaint", "continue")]
    assert values["loss"] == pytest.approx(np.mean(tasks), rel=1e-5)
    assert "loss" not in stage.take_values()  # each step is reported once


@pytest.mark.heavy
def test_resumed_training_equals_an_uninterrupted_one(make_stage, tmp_path, fp32):
    changed = with_optimisation(fp32, warmup_steps=3)
    whole = make_stage(changed)
    trainer = Trainer(whole, tmp_path / "whole", Budget(steps=6), accelerator=whole._accelerator)
    trainer.run()

    half = make_stage(changed)
    run_steps(half, 0, 3, 6)
    first = Trainer(half, tmp_path / "half", Budget(steps=6), accelerator=half._accelerator)
    first._step = 3
    first._save()
    other = make_stage(changed, seed=0)
    with torch.no_grad():
        for parameter in other.objective.parameters():
            parameter.add_(1.0)  # nothing of the fresh weights may remain
    second = Trainer(other, tmp_path / "half", Budget(steps=6), accelerator=other._accelerator)
    second.resume()
    second.run()
    for name, value in weights_of(whole).items():
        assert torch.equal(value, weights_of(other)[name]), name
        assert torch.equal(whole.ema.average[name], other.ema.average[name]), name
    one, two = (load_weight_set(tmp_path / n / "weights")[1]["unet"] for n in ("whole", "half"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_trained_saved_and_optimised_tensors_are_the_same_set(make_stage, tmp_path):
    """Line 5 of paper.md section 13."""
    config = dataclasses.replace(TINY, text=dataclasses.replace(TINY.text, null_prompt="learned"))
    stage = make_stage(config=config)
    run_steps(stage, 0, 3, 20)
    trainable = {id(p) for p in stage.objective.parameters() if p.requires_grad}
    optimised = {id(p) for group in stage._optimizer.param_groups for p in group["params"]}
    assert trainable == optimised
    assert all(p in stage._optimizer.state for p in stage.objective.parameters())
    stage.write_weights(tmp_path / "weights", {})
    _, saved = load_weight_set(tmp_path / "weights")
    names = {f"unet.{n}" for n in saved["unet"]} | set(saved["conditioning"])
    assert names == {n for n, _ in stage.objective.named_parameters()}


@pytest.mark.heavy
def test_a_new_process_makes_the_same_music_from_the_saved_weights(make_stage, tmp_path):
    """Line 5: nothing that the output depends on stays behind in the process that trained."""
    stage = make_stage()
    run_steps(stage, 0, 3, 20)
    stage.write_weights(tmp_path / "weights", {})
    model = Jen1.load(tmp_path / "weights", device="cpu", dtype="fp32")
    here = model.generate("220 hertz", seconds=0.3, seed=1, steps=2).waveform
    code = (
        "import sys, torch; torch.set_num_threads(1); from jen1cli import Jen1;"
        "model = Jen1.load(sys.argv[1], device='cpu', dtype='fp32');"
        "music = model.generate('220 hertz', seconds=0.3, seed=1, steps=2);"
        "torch.save(music.waveform, sys.argv[2])"
    )
    place = [str(tmp_path / "weights"), str(tmp_path / "there.pt")]
    subprocess.run([sys.executable, "-c", code, *place], check=True)
    assert torch.equal(torch.load(tmp_path / "there.pt"), here)
    text, mask = stage._parts.texts(["220 hertz"])
    x, t = torch.randn(1, 8, 40), torch.tensor([0.5])
    inputs = {"context": torch.zeros(1, 9 + CONTROL_CHANNELS, 40), "text": text, "text_mask": mask}
    with torch.no_grad(), stage.ema.applied():
        trained = stage.objective.eval().unet(x, t, **inputs)
    own = model.networks.text_encoder.encode(["220 hertz"])[0]
    assert torch.allclose(own, text[:, : own.shape[1]], atol=2e-3)  # training keeps it as float16
    with torch.no_grad():
        loaded = model.networks.unet(x, t, **inputs)
    assert torch.equal(loaded, trained)


@pytest.mark.heavy
def test_saved_weights_are_the_averaged_ones(make_stage, tmp_path):
    """Line 10: the average is used, not only computed."""
    stage = make_stage()
    run_steps(stage, 0, 4, 20)
    stage.write_weights(tmp_path / "weights", {})
    _, saved = load_weight_set(tmp_path / "weights")
    name = "output.weight"
    assert torch.equal(saved["unet"][name], stage.ema.average[f"unet.{name}"])
    assert not torch.equal(saved["unet"][name], weights_of(stage)[f"unet.{name}"])


@pytest.mark.heavy
def test_weight_set_makes_music_and_knows_where_it_comes_from(make_stage, tmp_path):
    stage = make_stage()
    trainer = Trainer(stage, tmp_path, Budget(steps=2), accelerator=stage._accelerator)
    trainer.run()
    model = Jen1.load(tmp_path / "weights", device="cpu")
    waveform = model.generate("220 hertz", seconds=0.5, seed=1).waveform
    assert waveform.shape == (2, 24_000)
    assert np.isfinite(np.asarray(waveform)).all()
    about = model.config.provenance["diffusion"]
    assert about["steps"] == 2
    assert about["recipe"]["batch_size"] == 6
    names = {path.name for path in (tmp_path / "samples" / "step-0000002").iterdir()}
    assert {"prompt-1.wav", "inpaint.wav", "continue.wav", "spectrograms.png"} <= names


@pytest.mark.heavy
def test_accumulated_micro_batches_equal_one_batch(make_stage, fp32):
    whole, parts = make_stage(), make_stage(with_optimisation(fp32, accumulation=2))
    for stage in (whole, parts):
        run_steps(stage, 0, 3, 20)
    for name, value in weights_of(whole).items():
        assert torch.allclose(value, weights_of(parts)[name], atol=2e-5), name


@pytest.mark.heavy
def test_recomputed_activations_give_the_same_weights(make_stage, fp32):
    plain, checkpointed = make_stage(), make_stage(with_optimisation(fp32, checkpointing=True))
    for stage in (plain, checkpointed):
        run_steps(stage, 0, 2, 20)
    for name, value in weights_of(plain).items():
        assert torch.allclose(value, weights_of(checkpointed)[name], atol=1e-6), name


@pytest.mark.heavy
def test_held_out_loss_is_the_same_for_every_seed_and_repeats(make_stage, fp32):
    first, second = make_stage(seed=0), make_stage(seed=1)
    second.ema.load(first.ema.state(), 0)
    assert first.validate() == first.validate() == second.validate()
    values = first.validate()
    assert values["validation/all"] > 0
    run_steps(first, 0, 1, 20)
    assert first.objective.training


@pytest.mark.heavy
@pytest.mark.parametrize(("null_prompt", "fast_bf16"), [("empty", False), ("learned", True)])
def test_samples_are_what_the_saved_weights_make(
    make_stage, tmp_path, monkeypatch, null_prompt, fast_bf16
):
    monkeypatch.setattr(networks, "is_faster_in_bf16", lambda device: fast_bf16)
    text = dataclasses.replace(TINY.text, null_prompt=null_prompt)
    config = dataclasses.replace(TINY, text=text)
    stage = make_stage(config=config, prompts=PROMPTS)
    run_steps(stage, 0, 3, 20)
    before = weights_of(stage)
    samples, weights = tmp_path / "samples", tmp_path / "weights"
    stage.write_samples(samples)
    assert all(torch.equal(value, before[name]) for name, value in weights_of(stage).items())
    stage.write_weights(weights, {})
    assert_made_by(Jen1.load(weights, device="cpu"), samples, stage.frames)
    run_steps(stage, 3, 4, 20)  # the networks still learn
    assert not torch.equal(weights_of(stage)["unet.output.weight"], before["unet.output.weight"])


@pytest.mark.heavy
def test_samples_of_a_lora_are_what_its_file_makes_of_the_weight_set(make_stage, tmp_path):
    """The weight set has networks for the controls, which the samples take part in."""
    shape = ControlsConfig(predictor_features=16, tracker_channels=8, tracker_dilations=(1, 2))
    torch.manual_seed(1)
    controls = ControlTensors(
        shape,
        ControlPredictor(TINY.text.features, shape).state_dict(),
        ControlTracker(TINY.whitening.components, shape).state_dict(),
    )
    plain = make_stage()
    plain.ema.average["unet.output.weight"].normal_(std=0.1)  # zero at first
    plain.write_weights(tmp_path / "plain", {})
    base = tmp_path / "base"
    ControlsWriter(tmp_path / "plain").write(base, controls, {})
    stage = make_stage(init=base, lora_rank=2, prompts=PROMPTS)
    for name, tensor in stage.ema.average.items():
        if name.endswith(".up"):
            tensor.normal_(std=0.1)
    samples = tmp_path / "samples"
    stage.write_samples(samples)
    stage.write_weights(tmp_path, {})
    lora = {tmp_path / "lora.safetensors": 1.0}
    assert_made_by(Jen1.load(base, device="cpu", loras=lora), samples, stage.frames)
    with pytest.raises(AssertionError, match="prompt-1"):
        assert_made_by(Jen1.load(base, device="cpu"), samples, stage.frames)
    assert read_recipe(samples / "prompt-1.wav").controls.bpm


def assert_made_by(model, samples, frames):
    """Compare a folder of samples with what a model makes of the recipes in it."""
    source, seconds = samples / "clip.wav", frames / model.config.frame_rate
    (hole,) = read_recipe(samples / "inpaint.wav").masks
    length = read_recipe(samples / "continue.wav").seconds
    (caption,) = {read_recipe(samples / f"{n}.wav").prompt for n in ("inpaint", "continue")}
    made = {
        "prompt-1": model.generate(PROMPTS[0], seconds=seconds, seed=0),
        "prompt-2": model.generate(PROMPTS[1], seconds=seconds, seed=1),
        "inpaint": model.inpaint(source, [hole], caption, seed=0),
        "continue": model.continue_(source, length, caption, seed=0),
    }
    for name, music in made.items():
        music.save(samples / "again.wav")
        found, again = (audio.read(samples / f"{n}.wav") for n in (name, "again"))
        assert found.any()
        assert np.array_equal(found, again), name


@pytest.mark.heavy
def test_minutes_end_on_time_with_a_rate_of_zero(make_stage, tmp_path, monkeypatch):
    events, rates, stage = [], [], make_stage()
    now = [0.0]
    monkeypatch.setattr(loop_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    plain = stage.train_step

    def six_seconds_long(step, share):
        plain(step, share)
        rates.append(stage._rate)
        now[0] += 6.0

    stage.train_step = six_seconds_long
    trainer = Trainer(
        stage, tmp_path, Budget(minutes=1.0), accelerator=stage._accelerator,
        on_event=events.append,
    )  # fmt: skip
    trainer.run()
    last = [event for event in events if isinstance(event, Stepped)][-1]
    assert (last.step, last.share, last.remaining_seconds) == (10, 1.0, 0.0)

    assert rates[-1] < 0.1 * max(rates)
    kinds = [type(event) for event in events]
    assert kinds.index(Saved) < kinds.index(Validated), "what was trained is on disk on time"


@pytest.mark.heavy
def test_interrupt_saves_before_it_stops(make_stage, tmp_path):
    stage = make_stage()
    plain = stage.train_step

    def interrupted(step, share):
        if step == 2:
            os.kill(os.getpid(), signal.SIGINT)
        plain(step, share)

    stage.train_step = interrupted
    trainer = Trainer(stage, tmp_path, Budget(steps=50), accelerator=stage._accelerator)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert json.loads((tmp_path / "state" / "state.json").read_text())["step"] == 3
    assert (tmp_path / "weights" / "config.json").is_file()


@pytest.mark.heavy
def test_interrupts_of_one_moment_are_one_and_a_later_one_acts_at_once(
    make_stage, tmp_path, monkeypatch
):
    now = [0.0]
    monkeypatch.setattr(loop_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    stage = make_stage()
    plain = stage.train_step

    def interrupted(step, share):
        for _ in range(2):  # a launcher passes on what the process got as well
            os.kill(os.getpid(), signal.SIGINT)
        plain(step, share)

    stage.train_step = interrupted
    with pytest.raises(KeyboardInterrupt):
        Trainer(stage, tmp_path / "one", Budget(steps=9), accelerator=stage._accelerator).run()
    assert (tmp_path / "one" / "weights" / "config.json").is_file()

    def impatient(step, share):
        os.kill(os.getpid(), signal.SIGINT)
        now[0] += 2.0
        os.kill(os.getpid(), signal.SIGINT)

    stage.train_step = impatient
    with pytest.raises(KeyboardInterrupt):
        Trainer(stage, tmp_path / "two", Budget(steps=9), accelerator=stage._accelerator).run()
    assert not (tmp_path / "two").exists()


@pytest.mark.heavy
def test_gradient_that_is_not_finite_changes_nothing(make_stage):
    stage = make_stage()
    before = weights_of(stage)
    stage._batch_sampler.spec, plain = (
        lambda step: dataclasses.replace(plain(step), eps=plain(step).eps * float("nan")),
        stage._batch_sampler.spec,
    )
    stage.train_step(0, 0.0)
    assert all(torch.equal(value, before[name]) for name, value in weights_of(stage).items())


@pytest.mark.heavy
@pytest.mark.parametrize("null_prompt", ["empty", "learned"])
def test_training_continues_from_a_weight_set(make_stage, tmp_path, null_prompt):
    text = dataclasses.replace(TINY.text, null_prompt=null_prompt)
    config = dataclasses.replace(TINY, text=text)
    first = make_stage(config=config)
    run_steps(first, 0, 3, 20)
    first.write_weights(tmp_path / "weights", {})
    second = make_stage(config=config, init=tmp_path / "weights", seed=5)
    for name, value in weights_of(second).items():
        assert torch.equal(value, first.ema.average[name]), name


def test_cache_of_another_autoencoder_is_refused(make_stage):
    other = dataclasses.replace(
        TINY, autoencoder=dataclasses.replace(TINY.autoencoder, num_filters=8)
    )
    with pytest.raises(ConfigError, match="another autoencoder"):
        make_stage(config=other)


def test_nothing_to_resume_is_a_clear_error(make_stage, tmp_path):
    stage = make_stage()
    trainer = Trainer(stage, tmp_path, Budget(steps=1), accelerator=stage._accelerator)
    with pytest.raises(CheckpointError, match="no training state"):
        trainer.resume()


@pytest.mark.heavy
def test_metrics_are_json_lines(make_stage, tmp_path):
    stage, writer = make_stage(), MetricsWriter(tmp_path, tensorboard=False)
    trainer = Trainer(
        stage, tmp_path, Budget(steps=2), accelerator=stage._accelerator, on_event=writer
    )
    trainer.run()
    writer.close()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert any("loss/continue" in line and line["step"] == 2 for line in lines)
    assert any("validation/all" in line for line in lines)


def test_metrics_are_in_tensorboard(tmp_path):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    ).EventAccumulator
    writer = MetricsWriter(tmp_path)
    writer(Stepped(3, 0.1, 5.0, 45.0, 2.0, {"loss/inpaint": 0.25}))
    writer(Validated(4, {"validation/all": 0.5}))
    writer.close()
    board = accumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert set(board.Tags()["scalars"]) == {"loss/inpaint", "validation/all"}
    assert [(e.step, e.value) for e in board.Scalars("loss/inpaint")] == [(3, 0.25)]


def test_captions_are_encoded_once(text_folder):
    from jen1cli.conditioning import TextEncoder

    encoder = TextEncoder.from_folder(text_folder, TINY.text)
    calls = []
    plain = encoder.encode
    encoder.encode = lambda prompts, **more: calls.append(list(prompts)) or plain(prompts, **more)
    texts = TextCache(encoder)
    calls.clear()
    text, mask = texts(["a b", "", "a b", "c"])
    texts(["c", "a b"])
    assert calls == [["a b", "c"]]
    alone, alone_mask = plain(["c"])
    assert torch.allclose(text[3][mask[3]], alone[0][alone_mask[0]], atol=2e-3)
    null, null_mask = encoder.null(1)
    assert torch.equal(text[1][mask[1]], null[0][null_mask[0]])
    assert torch.equal(text[0], text[2])


def test_memory_of_captions_is_bounded(text_folder):
    from jen1cli.conditioning import TextEncoder

    texts = TextCache(TextEncoder.from_folder(text_folder, TINY.text), max_bytes=300)
    for word in "abcdefghij":
        texts([word])
    assert 0 < len(texts) < 10


def test_batch_too_small_for_its_pieces_is_refused(make_stage, fp32):
    with pytest.raises(ConfigError, match="give at least 8"):
        make_stage(with_optimisation(fp32, accumulation=8))
