import dataclasses
import shutil

import numpy as np
import pytest
import torch

from jen1cli import audio
from jen1cli.autoencoder.codec import load_codec
from jen1cli.config import SpectralBand, SpectralConfig, WhiteningConfig
from jen1cli.errors import DataError
from jen1cli.manifest import Clip
from jen1cli.presets import TINY
from jen1cli.training.autoencoder.build import build_autoencoder_stage
from jen1cli.training.autoencoder.crops import CropSource
from jen1cli.training.autoencoder.stage import AutoencoderObjective
from jen1cli.training.engine.augmentation import widen
from jen1cli.training.engine.events import Warned
from jen1cli.training.engine.processes import build_accelerator
from jen1cli.training.engine.reading import NOTHING_HELD_OUT
from jen1cli.training.engine.trainer import Budget, Trainer
from jen1cli.training.recipes import training_config
from training_support import RATE, make_tone, with_optimisation

BASE = dataclasses.replace(
    with_optimisation(training_config("tiny").autoencoder, precision="fp32", warmup_steps=1),
    crop_seconds=0.1,
)
RECONSTRUCT = dataclasses.replace(BASE, adversarial_from=1.0)
SPECTRAL = dataclasses.replace(
    TINY,
    autoencoder=SpectralConfig(
        latent_channels=8, trunk_channels=16, num_encoder_blocks=1, num_decoder_blocks=1,
        bands=(SpectralBand(2048, 24_000.0, num_features=64, tonal=False),), num_stereo_groups=4,
    ),
    whitening=WhiteningConfig(8, 8),
)  # fmt: skip


@pytest.fixture
def make_stage(tones):
    stages = []

    def make(chosen=RECONSTRUCT, config=TINY, seed=0, **more):
        accelerator = build_accelerator(chosen.optimisation, device="cpu")
        stage = build_autoencoder_stage(tones, config, chosen, accelerator, seed=seed, **more)
        stages.append(stage)
        return stage

    yield make
    for stage in stages:
        stage.close()


def weights_of(module):
    return {name: p.detach().clone() for name, p in module.named_parameters()}


def changed(before, module):
    after = weights_of(module)
    return {name for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.heavy
def test_loss_falls_on_one_repeated_batch(make_stage):
    stage = make_stage(with_optimisation(RECONSTRUCT, lr=3e-3))
    crops = stage._parts.crops.batch(0, [0, 1], 2)
    stage._parts.crops.batch = lambda *_: crops
    losses = []
    for step in range(20):
        stage.train_step(step, 0.0)
        losses.append(stage.take_values()["loss"])
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.heavy
def test_discriminator_enters_after_the_warm_up(make_stage):
    chosen = dataclasses.replace(BASE, adversarial_from=0.5, discriminator_share=1.0)
    stage = make_stage(chosen)
    before = weights_of(stage.discriminator)
    stage.train_step(0, 0.4)
    assert not changed(before, stage.discriminator)
    assert "loss/adversarial" not in stage.take_values()
    stage.train_step(1, 0.6)
    values = stage.take_values()
    assert {"loss/adversarial", "loss/features", "loss/discriminator"} <= set(values)
    assert changed(before, stage.discriminator) == set(before)


def test_discriminator_is_updated_in_its_share_of_the_steps(make_stage):
    stage = make_stage(dataclasses.replace(BASE, discriminator_share=0.5))
    turns = [stage._turn_of_critic(step) for step in range(400)]
    assert np.mean(turns) == pytest.approx(0.5, abs=0.08)


@pytest.mark.heavy
def test_frozen_encoder_stays_as_it_is(make_stage):
    stage = make_stage(
        dataclasses.replace(BASE, adversarial_from=0.5, freeze_encoder="adversarial")
    )
    model = stage._parts.codec.autoencoder
    before = weights_of(model)
    stage.train_step(0, 0.0)
    moved = changed(before, model)
    assert any(name.startswith("encoder") for name in moved)
    before = weights_of(model)
    stage.train_step(1, 0.9)
    moved = changed(before, model)
    assert moved
    assert not any(name.startswith("encoder") for name in moved)


def test_always_frozen_encoder_never_moves(make_stage):
    stage = make_stage(dataclasses.replace(BASE, adversarial_from=1.0, freeze_encoder="always"))
    model = stage._parts.codec.autoencoder
    before = weights_of(model)
    stage.train_step(0, 0.0)
    moved = changed(before, model)
    assert moved
    assert not any(name.startswith("encoder") for name in moved)


@pytest.mark.heavy
def test_envelopes_are_trained_alone(make_stage):
    bands = (SpectralBand(2048, 6_000.0), SpectralBand(512, 24_000.0, num_features=32, tonal=False))
    shape = dataclasses.replace(SPECTRAL.autoencoder, bands=bands)
    config = dataclasses.replace(SPECTRAL, autoencoder=shape)
    chosen = dataclasses.replace(
        with_optimisation(RECONSTRUCT, lr=3e-3), only="envelopes", only_channels=8
    )
    stage = make_stage(chosen, config)
    model = stage._parts.codec.autoencoder
    before = weights_of(model)
    losses = []
    for step in range(12):
        stage.train_step(step, 0.0)
        values = stage.take_values()
        losses.append(values["loss/envelope"])
        assert values["loss"] == pytest.approx(losses[-1])
    assert {name.partition(".")[0] for name in changed(before, model)} == {"envelopes"}
    assert min(losses[6:]) < losses[0]


def test_masking_happens_in_training_only(make_stage):
    stage = make_stage()
    model = stage._parts.codec.autoencoder
    model.config = dataclasses.replace(model.config, mask_ratio=1.0)
    waveform = torch.from_numpy(make_tone(300, 0.1))[None]
    objective = AutoencoderObjective(model)
    with torch.no_grad():
        masked = objective.train()(waveform)
        empty = model.decode(torch.zeros(1, 8, 15), waveform.shape[-1])
        assert torch.allclose(masked, empty, atol=1e-6)
        assert not torch.allclose(objective.eval()(waveform), empty, atol=1e-6)


@pytest.mark.heavy
def test_resumed_training_equals_an_uninterrupted_one(make_stage, tmp_path):
    chosen = dataclasses.replace(BASE, adversarial_from=0.3, discriminator_share=1.0)
    whole = make_stage(chosen)
    for step in range(4):
        whole.train_step(step, step / 4)
    half = make_stage(chosen)
    for step in range(2):
        half.train_step(step, step / 4)
    accelerator = half._accelerator
    first = Trainer(half, tmp_path, Budget(steps=4), accelerator=accelerator)
    first._step = 2
    first._save()
    other = make_stage(chosen)
    with torch.no_grad():
        for parameter in (*other.objective.parameters(), *other.discriminator.parameters()):
            parameter.mul_(0.5)
    second = Trainer(other, tmp_path, Budget(steps=4), accelerator=accelerator)
    second.resume()
    second.run()
    for one, two in (
        (whole.objective, other.objective),
        (whole.discriminator, other.discriminator),
    ):
        assert not changed(weights_of(one), two)
    for name, value in whole.ema.average.items():
        assert torch.equal(value, other.ema.average[name])
    assert load_codec(tmp_path / "weights").config.provenance["autoencoder"]["steps"] == 4


def test_report_stands_beside_the_linear_floor(make_stage):
    values = make_stage().validate()
    for name in ("si_sdr", "log_spectral_distance", "mel_distance", "width_error"):
        assert np.isfinite(values[f"validation/{name}"])
        assert np.isfinite(values[f"floor/{name}"])
    assert values["floor/si_sdr"] > 3 > values["validation/si_sdr"]  # nothing is trained yet


@pytest.mark.heavy
def test_with_nothing_held_out_training_crops_are_heard_and_it_is_said(tones, tmp_path):
    for name in ("0.wav", "2.wav"):
        shutil.copy(tones / name, tmp_path / name)
    events = []
    accelerator = build_accelerator(RECONSTRUCT.optimisation, device="cpu")
    stage = build_autoencoder_stage(
        tmp_path, TINY, RECONSTRUCT, accelerator, on_event=events.append
    )
    assert stage.validate() == {}
    assert [e.message for e in events if isinstance(e, Warned)] == [NOTHING_HELD_OUT]
    names = {path.name for path in stage.write_samples(tmp_path / "samples")}
    assert names == {
        "clip-1.wav", "clip-1-decoded.wav", "clip-2.wav", "clip-2-decoded.wav", "spectrograms.png",
    }  # fmt: skip
    stage.close()


@pytest.mark.heavy
def test_a_family_brings_its_own_loss_and_its_own_start(make_stage):
    stage = make_stage(BASE, SPECTRAL)
    assert stage.objective.own_loss
    assert stage._parts.codec.autoencoder.feature_mean.any()
    stage.train_step(0, 0.9)
    values = stage.take_values()
    assert {"loss", "loss/absolute"} <= set(values)
    assert "loss/adversarial" not in values


def test_crops_follow_from_seed_and_number_and_reach_every_clip(tones):
    clips = [Clip(tones / f"{i}.wav", ("",), 1.0) for i in range(4)]

    def source(seed):
        return CropSource(
            clips, sample_rate=RATE, audio_channels=2, samples=4800, gain_decibels=(-10.0, 6.0),
            side_decibels=(-6.0, 15.0), seed=seed, on_event=lambda event: None,
        )  # fmt: skip

    one, two, other = source(0), source(0), source(1)
    assert torch.equal(one.batch(5, [0, 1, 2, 3], 4), two.batch(5, [0, 1, 2, 3], 4))
    assert torch.equal(one.batch(6, [2], 4)[0], two.batch(6, [0, 2], 4)[1])
    assert not torch.equal(two.batch(7, [0], 4), other.batch(7, [0], 4))
    peaks = {tuple(crop[0, :50].tolist()) for crop in two.batch(8, [0, 1, 2, 3], 4)}
    assert len(peaks) == 4
    for each in (one, two, other):
        each.close()


def test_a_wider_signal_has_more_side_and_the_same_energy():
    generator = np.random.default_rng(0)
    noise = generator.normal(size=(3, 4800)).astype(np.float32)
    narrow = noise[0] + 0.2 * noise[1:]

    def width(signal, low, high):
        spectra = np.fft.rfft([signal.sum(axis=0), signal[0] - signal[1]])
        hertz = np.fft.rfftfreq(4800, 1 / RATE)
        inside = (low < hertz) & (hertz < high)
        middle, side = np.square(np.abs(spectra[:, inside])).sum(axis=1)
        return 10 * np.log10(side / middle)

    wide = widen(narrow, RATE, [3.0, 9.0, 9.0])
    for low, high, raised in ((0, 100, 3.0), (800, 1e9, 9.0)):
        assert width(wide, low, high) - width(narrow, low, high) == pytest.approx(raised, abs=1e-2)
    assert np.square(wide).sum() == pytest.approx(np.square(narrow).sum(), rel=1e-4)
    assert not widen(np.zeros((2, 10), np.float32), RATE, [6.0, 6.0, 6.0]).any()


def test_broken_file_is_named_once_and_replaced(tones, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_text("no audio")
    short = tmp_path / "short.wav"
    audio.write(short, make_tone(300, 0.05), 44_100)
    events = []
    source = CropSource(
        [Clip(broken, ("",), 1.0), Clip(short, ("",), 0.05)], sample_rate=RATE, audio_channels=2,
        samples=4800, gain_decibels=(0.0, 0.0), side_decibels=(0.0, 0.0), seed=0,
        on_event=events.append,
    )  # fmt: skip
    crops = torch.cat([source.batch(step, [0, 1], 2) for step in range(3)])
    source.close()
    assert crops.shape == (6, 2, 4800)
    assert (crops[:, :, :2300].abs().amax((1, 2)) > 0.01).all()
    assert not crops[:, :, 2700:].any()
    assert len([e for e in events if isinstance(e, Warned) and "broken.wav" in e.message]) == 1


def test_only_broken_files_are_an_error(tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_text("no audio")
    source = CropSource(
        [Clip(broken, ("",), 1.0)], sample_rate=RATE, audio_channels=2, samples=480,
        gain_decibels=(0.0, 0.0), side_decibels=(0.0, 0.0), seed=0, on_event=lambda event: None,
    )  # fmt: skip
    with pytest.raises(DataError, match="none of the clips"):
        source.batch(0, [0], 1)
    source.close()
