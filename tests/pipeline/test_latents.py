"""Latent files: a strict round trip, the recording's own shape back, damage named."""

import dataclasses
import os
import threading

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save

from jen1cli import Jen1, audio
from jen1cli.checkpoint import read_description
from jen1cli.errors import CheckpointError, OutputError
from jen1cli.headers import read_header
from jen1cli.pipeline import LatentFile
from jen1cli.weightsets import find_weights


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (44_100, 1), (22_050, 2)])
@pytest.mark.parametrize("seconds", [0.01, 1.234])
def test_a_recording_comes_back_in_its_own_shape(tiny, tmp_path, music, rate, channels, seconds):
    path = tmp_path / "in.wav"
    soundfile.write(path, music(seconds, rate, channels).T, rate)
    latent = tiny.encode(path)
    frames = -(-audio.resampled_length(latent.samples, rate, 48_000) // 320)
    assert latent.latent.shape == (8, frames)
    assert latent.frame_rate == 150.0
    latent.save(tmp_path / "x.safetensors")
    decoded = tiny.decode(tmp_path / "x.safetensors")
    assert decoded.waveform.shape == (channels, round(seconds * rate))
    assert decoded.sample_rate == rate
    assert torch.isfinite(decoded.waveform).all()
    assert torch.equal(tiny.decode(latent.to_bytes()).waveform, decoded.waveform)


def test_a_file_holds_all_that_was_said(tiny, tmp_path, music):
    latent = tiny.encode(torch.from_numpy(music(0.5)), sample_rate=48_000)
    latent.save(tmp_path / "x.safetensors")
    back = LatentFile.load(tmp_path / "x.safetensors")
    assert torch.equal(back.latent, latent.latent)
    for field in dataclasses.fields(LatentFile)[1:]:
        assert getattr(back, field.name) == getattr(latent, field.name)
    assert back.model == "tiny"
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]


@pytest.mark.heavy
def test_long_recordings_are_encoded_in_pieces_that_fit(tiny, tmp_path, music):
    path = tmp_path / "in.wav"
    soundfile.write(path, music(12.0, 44_100).T, 44_100)
    latent = tiny.encode(path)
    whole = audio.resample(audio.read(path), 44_100, 48_000)
    with torch.inference_mode():
        expected = tiny.networks.autoencoder.encode(torch.from_numpy(whole)[None])[0]
    assert latent.latent.shape == expected.shape
    torch.testing.assert_close(latent.latent[:, 5:-5], expected[:, 5:-5], atol=2e-3, rtol=0)


def fails(source):
    with pytest.raises(CheckpointError) as caught:
        LatentFile.load(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_damage_is_named(tiny, tmp_path, music):
    latent = tiny.encode(torch.from_numpy(music(0.5)), sample_rate=48_000)
    good = latent.to_bytes()
    assert "does not exist" in fails(tmp_path / "missing.safetensors")
    assert "folder" in fails(tmp_path)
    assert "empty" in fails(b"")
    assert "is not a safetensors file" in fails(b"RIFF....WAVE" * 40)
    assert "no latent file" in fails(save({"latent": torch.zeros(2, 3)}))
    assert "cut short" in fails(good[: len(good) // 2])
    newer = dataclasses.replace(latent)
    assert "upgrade" in fails(newer.to_bytes().replace(b'"version":"1"', b'"version":"9"'))
    assert "not finite" in fails(
        dataclasses.replace(latent, latent=latent.latent * float("nan")).to_bytes()
    )
    assert "frames" in fails(dataclasses.replace(latent, samples=9_999_999).to_bytes())
    assert "recording" in fails(dataclasses.replace(latent, channels=6).to_bytes())
    (tmp_path / "song.wav").write_bytes(audio.to_bytes(music(0.1), 48_000))
    assert "jen1 encode" in fails(tmp_path / "song.wav")


def test_latents_of_another_model_are_refused(tiny, music):
    other = Jen1.from_preset("tiny", random_weights=True, device="cpu")
    latent = other.encode(torch.from_numpy(music(0.2)), sample_rate=48_000)
    with pytest.raises(CheckpointError, match="decode it with that model"):
        tiny.decode(latent)


def test_latents_of_an_earlier_decoder_are_decoded(tiny, music):
    latent = tiny.encode(torch.from_numpy(music(0.2)), sample_rate=48_000)
    former = dataclasses.replace(latent, sha256="of an earlier decoder")
    known = {"same_latents": [former.sha256]}
    later = dataclasses.replace(tiny.config, provenance=known)
    former.check_autoencoder(later, "of this one")
    with pytest.raises(CheckpointError, match="decode it with that model"):
        former.check_autoencoder(tiny.config, "of this one")


def test_the_bundled_model_decodes_latents_of_release_8():
    config = read_description(find_weights("jen1-mini").folder).config
    release_8 = "6806e0190c7125b4209c5986a90228fc6eeef4935bcc99c407a24aba367f934e"
    assert release_8 in config.provenance["same_latents"]


def test_saving_into_nowhere_is_refused(tiny, tmp_path, music):
    latent = tiny.encode(torch.from_numpy(music(0.1)), sample_rate=48_000)
    with pytest.raises(OutputError, match="does not exist"):
        latent.save(tmp_path / "none" / "x.safetensors")
    assert np.isfinite(latent.seconds)


@pytest.mark.skipif(os.name == "nt", reason="needs named pipes")
def test_a_named_pipe_is_read_once(tiny, tmp_path, music):
    data = audio.to_bytes(music(0.3), 48_000)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(data))
    writer.start()
    latent = tiny.encode(pipe)
    writer.join()
    assert torch.equal(latent.latent, tiny.encode(data).latent)


def test_the_same_latent_is_the_same_bytes():
    """safetensors writes metadata in the order of a hash table with a new seed each time."""
    latent = LatentFile(torch.arange(6.0).reshape(2, 3), 150.0, 960, 48_000, 2, "a", "b")
    data = latent.to_bytes()
    assert {latent.to_bytes() for _ in range(20)} == {data}
    names = list(read_header(data).metadata)
    assert names == sorted(names)
    assert int.from_bytes(data[:8], "little") % 8 == 0
    assert torch.equal(LatentFile.load(data).latent, latent.latent)
