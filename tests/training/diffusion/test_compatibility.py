"""Latents, weights and music that do not belong together are refused, by hash, in one line."""

import dataclasses
import json
import shutil

import pytest
import torch

from jen1cli.autoencoder import Whitening, build_autoencoder
from jen1cli.autoencoder.codec import Codec, load_codec
from jen1cli.checkpoint import load_weight_set, save_weight_set
from jen1cli.config import SpectralConfig, WhiteningConfig
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.manifest import Clip
from jen1cli.presets import TINY
from jen1cli.training import jobs
from jen1cli.training.autoencoder.build import with_predictor
from jen1cli.training.diffusion.build import _adapted, write_latents
from jen1cli.training.diffusion.cache import LatentCache
from jen1cli.training.diffusion.compatibility import SOURCES_NAME, latents_digest, music_digest

pytestmark = pytest.mark.usefixtures("without_samples")

QUICK = {"recipe": "tiny", "precision": "fp32", "device": "cpu", "crop_seconds": 0.2}


def changed(codec, name):
    """A codec with one tensor moved."""
    module, _, key = name.partition(".")
    state = {k: v.clone() for k, v in getattr(codec, module).state_dict().items()}
    state[key] += 0.125
    new = Codec(codec.config, build_autoencoder(codec.config.autoencoder),
                Whitening(codec.config.whitening))  # fmt: skip
    for part in ("autoencoder", "whitening"):
        getattr(new, part).load_state_dict(getattr(codec, part).state_dict())
    getattr(new, module).load_state_dict(state)
    return new


@pytest.fixture(scope="module")
def other_set(tiny_folder, tmp_path_factory):
    """A weight set of the same configuration whose encoder is another."""
    config, tensors = load_weight_set(tiny_folder)
    encoder = {
        name: tensor + 0.125 if name.startswith("encoder.") else tensor
        for name, tensor in tensors["autoencoder"].items()
    }
    return save_weight_set(
        tmp_path_factory.mktemp("other") / "set", config, {**tensors, "autoencoder": encoder},
        text_encoder=tiny_folder / "text_encoder",
    )  # fmt: skip


@pytest.fixture(scope="module")
def own_cache(tones, tiny_folder, tmp_path_factory):
    """Latents that `tiny` wrote."""
    folder = tmp_path_factory.mktemp("own")
    return write_latents(tones, tiny_folder, folder, keep_whitening=True, device="cpu").folder


def finetune(data, model, output, **more):
    return jobs.FinetuneJob(
        data=data, model=str(model), output=output, batch_size=3,
        **{**QUICK, "recipe": "finetune", "steps": 1, **more},
    )  # fmt: skip


def refusal(job):
    with pytest.raises(ConfigError) as caught:
        job.run()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_digest_is_of_what_decides_the_latents():
    torch.manual_seed(0)
    codec = Codec(TINY, build_autoencoder(TINY.autoencoder), Whitening(TINY.whitening))
    names = list(codec.autoencoder.state_dict())
    encoder, decoder = (next(n for n in names if n.startswith(p)) for p in ("encoder", "decoder"))
    own = latents_digest(codec)
    assert latents_digest(changed(codec, f"autoencoder.{decoder}")) == own
    assert latents_digest(changed(codec, f"autoencoder.{encoder}")) != own
    moved = changed(codec, "whitening.mean")
    assert latents_digest(moved) != own
    assert latents_digest(moved, whitened=False) == latents_digest(codec, whitened=False) != own
    fewer = dataclasses.replace(TINY.autoencoder, mask_ratio=0.0)
    untrained = dataclasses.replace(codec, config=dataclasses.replace(TINY, autoencoder=fewer))
    assert latents_digest(untrained) == own


@pytest.mark.heavy
def test_layers_that_change_only_what_whitening_drops_do_not_count():
    shape = SpectralConfig(trunk_channels=16, num_encoder_blocks=1, num_decoder_blocks=1)
    whitening = WhiteningConfig(128, 8)
    unet = dataclasses.replace(TINY.unet, latent_channels=8)
    config = dataclasses.replace(TINY, autoencoder=shape, whitening=whitening, unet=unet)
    torch.manual_seed(0)
    codec = Codec(config, build_autoencoder(shape), Whitening(whitening))
    own = latents_digest(codec)
    for name in ("project", "encoder_trunk.leave.weight", "expand", "decoder_trunk.enter.weight"):
        assert latents_digest(changed(codec, f"autoencoder.{name}")) == own, name
    for name in ("feature_mean", "latent_scale", "encoder_trunk.enter.weight"):
        assert latents_digest(changed(codec, f"autoencoder.{name}")) != own, name
    shape = codec.config.autoencoder
    bands = tuple(dataclasses.replace(band, refinement_factor=5) for band in shape.bands)
    refined = dataclasses.replace(codec.config, autoencoder=dataclasses.replace(shape, bands=bands))
    grown = with_predictor(dataclasses.replace(codec, config=refined), "envelopes", 8)
    assert grown.config.autoencoder.envelope_channels == 8
    assert latents_digest(grown) == own
    assert _adapted(config, grown.config).autoencoder == grown.config.autoencoder
    assert latents_digest(changed(codec, "autoencoder.project"), whitened=False) != latents_digest(
        codec, whitened=False
    )


def test_a_set_stored_in_half_precision_fits_the_latents_of_the_whole(tiny_folder, tmp_path):
    config, tensors = load_weight_set(tiny_folder)
    half = save_weight_set(
        tmp_path / "half", config, tensors, text_encoder=tiny_folder / "text_encoder",
        storage="fp16",
    )  # fmt: skip
    assert latents_digest(load_codec(half)) == latents_digest(load_codec(tiny_folder))


@pytest.mark.heavy
def test_fine_tuning_takes_a_cache_of_the_same_music_and_model_alone(
    tones, other_tones, tiny_folder, other_set, tmp_path
):
    run = tmp_path / "run"
    finetune(tones, tiny_folder, run).run()
    latents = run / "cache" / "latents.npy"
    stamp = latents.stat().st_mtime_ns
    moved = shutil.copytree(tones, tmp_path / "moved")
    finetune(moved, tiny_folder, run, resume=True, steps=2).run()
    assert latents.stat().st_mtime_ns == stamp
    resumed = {"resume": True, "steps": 3}
    words = refusal(finetune(other_tones, tiny_folder, run, **resumed))
    assert "are not those of the music given; remove that folder to encode again" in words
    words = refusal(finetune(tones, other_set, run, **resumed))
    assert f"{run / 'cache'} are not those of {other_set}" in words
    assert latents.stat().st_mtime_ns == stamp


@pytest.mark.heavy
def test_latents_are_not_taken_from_a_cache_of_another_autoencoder(
    tones, codec_folder, other_set, tmp_path
):
    job = jobs.LatentsJob(data=tones, model=codec_folder, output=tmp_path, device="cpu")
    job.run(keep=True)
    job.run(keep=True)  # its whitening was fitted, and is none of the codec's
    with pytest.raises(ConfigError, match="are not those of"):
        dataclasses.replace(job, model=other_set).run(keep=True)


def test_the_digest_of_music_is_of_sound_and_words(tmp_path):
    def digest(sound=b"a", captions=("x",), split="train", name="a.wav"):
        path = tmp_path / name
        path.write_bytes(sound)
        return music_digest([Clip(path, captions, 1.0, split)])

    own = digest()
    assert digest(name="b.wav") == own
    found = {own, digest(sound=b"b"), digest(captions=("y",)), digest(split="test")}
    found.add(music_digest([Clip(tmp_path / "gone.wav", ("x",), 1.0)]))
    assert len(found) == 5


def test_a_cache_of_before_it_said_its_music_is_taken(tones, other_tones, codec_folder, tmp_path):
    job = jobs.LatentsJob(data=tones, model=codec_folder, output=tmp_path, device="cpu")
    job.run()
    about = json.loads((tmp_path / "cache.json").read_text())
    del about["music"]
    (tmp_path / "cache.json").write_text(json.dumps(about))
    assert LatentCache.open(tmp_path).music == ""
    assert dataclasses.replace(job, data=other_tones).run(keep=True)["clips"] == 6


@pytest.mark.heavy
def test_weights_of_other_latents_are_not_continued(own_cache, tiny_folder, other_set, tmp_path):
    job = jobs.DiffusionJob(
        cache=own_cache, init=tiny_folder, output=tmp_path / "run", steps=1, **QUICK
    )
    job.run()
    words = refusal(dataclasses.replace(job, init=other_set, output=tmp_path / "other"))
    assert f"{own_cache} are not those of {other_set}; write them with: jen1 train latents" in words
    controls = jobs.ControlsJob(
        cache=own_cache, init=other_set, output=tmp_path / "controls", steps=1, **QUICK
    )
    assert refusal(controls) == words


@pytest.mark.heavy
def test_a_run_is_resumed_with_what_it_began_with(own_cache, tiny_folder, tmp_path):
    run = tmp_path / "run"
    job = jobs.DiffusionJob(cache=own_cache, init=tiny_folder, output=run, steps=1, **QUICK)
    job.run()
    config, tensors = load_weight_set(tiny_folder)
    unet = {name: tensor + 0.125 for name, tensor in tensors["unet"].items()}
    other = save_weight_set(
        tmp_path / "set", config, {**tensors, "unet": unet},
        text_encoder=tiny_folder / "text_encoder",
    )  # fmt: skip
    again = dataclasses.replace(job, resume=True, steps=2)
    words = refusal(dataclasses.replace(again, init=other))
    assert f"the run in {run} began with other weights (--init or --model)" in words
    again.run()
    (run / SOURCES_NAME).unlink()  # a run of before
    dataclasses.replace(again, init=other, steps=3).run()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"batch_size": 1}, "cannot hold the three tasks"),
        ({"batch_size": 3, "accumulation": 8}, "cannot be shared"),
    ],
)
def test_a_batch_that_cannot_train_is_refused_before_anything_is_encoded(
    tones, tiny_folder, tmp_path, monkeypatch, given, words
):
    def encode(*_, **__):
        raise AssertionError("encoded before the batch was checked")

    monkeypatch.setattr("jen1cli.training.jobs.write_latents", encode)
    monkeypatch.setattr("jen1cli.training.jobs.build_autoencoder_stage", encode)
    tuned = dataclasses.replace(finetune(tones, tiny_folder, tmp_path / "run"), **given)
    assert words in refusal(tuned)
    if "accumulation" not in given:
        assert words in refusal(jobs.AllJob(data=tones, output=tmp_path / "all", **given, **QUICK))
    assert not (tmp_path / "run").exists()


def test_a_training_that_is_there_is_refused_before_anything_is_encoded(
    tones, tiny_folder, tmp_path
):
    (tmp_path / "state").mkdir()
    assert "continue it with --resume" in refusal(finetune(tones, tiny_folder, tmp_path))
    assert not (tmp_path / "cache").exists()


@pytest.mark.heavy
def test_every_training_takes_a_weight_set_by_its_name(tones, tiny_folder, tmp_path, monkeypatch):
    shutil.copytree(tiny_folder, tmp_path / "sets" / "mine")
    monkeypatch.setenv("JEN1_WEIGHTS", str(tmp_path / "sets"))
    cache = tmp_path / "cache"
    jobs.LatentsJob(data=tones, model="mine", output=cache, keep_whitening=True, device="cpu").run()
    jobs.DiffusionJob(cache=cache, init="mine", output=tmp_path / "a", steps=1, **QUICK).run()
    jobs.AutoencoderJob(data=tones, init="mine", output=tmp_path / "b", steps=1, **QUICK).run()
    with pytest.raises(CheckpointError, match="did you mean 'mine'"):
        jobs.LatentsJob(data=tones, model="mines", output=cache, device="cpu").run()
