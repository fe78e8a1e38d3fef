"""What stage 1 writes: the autoencoder alone, or a whole weight set that it still fits."""

import hashlib
import shutil

import pytest
import torch

from jen1cli import Jen1
from jen1cli.autoencoder.codec import load_codec
from jen1cli.errors import CheckpointError
from jen1cli.training.autoencoder.weights import AutoencoderWriter


def digest(folder):
    return hashlib.sha256((folder / "autoencoder.safetensors").read_bytes()).hexdigest()


@pytest.mark.heavy
def test_a_decoder_trained_on_its_own_stays_in_its_weight_set(tiny_folder, tmp_path):
    codec = load_codec(tiny_folder)
    codec.autoencoder.decoder.last.conv.bias.data.add_(0.5)
    AutoencoderWriter(tiny_folder, keeps_latents=True).write(tmp_path / "new", codec, {"a": 1})
    before, after = (Jen1.load(folder, device="cpu") for folder in (tiny_folder, tmp_path / "new"))
    assert after.config.provenance["a"] == 1
    assert after.config.provenance["same_latents"] == [digest(tiny_folder)]
    for name, tensor in before.networks.unet.state_dict().items():
        assert torch.equal(after.networks.unet.state_dict()[name], tensor)
    audio = torch.zeros(2, 4_800)
    latent = before.encode(audio, sample_rate=48_000)
    assert not torch.equal(after.decode(latent).waveform, before.decode(latent).waveform)


def test_damaged_weight_sets_are_neither_read_nor_copied(tiny_folder, tmp_path):
    """A copy would list the hash of the damaged file, and so pass for whole."""
    codec = load_codec(tiny_folder)
    for name in ("autoencoder.safetensors", "unet.safetensors"):
        copy = shutil.copytree(tiny_folder, tmp_path / name.split(".")[0])
        data = bytearray((copy / name).read_bytes())
        data[-1] ^= 1  # the last weight, in a file that can still be read
        (copy / name).write_bytes(data)
        with pytest.raises(CheckpointError, match=f"{name} is not the file that config.json"):
            load_codec(copy)
        with pytest.raises(CheckpointError, match=f"{name} is not the file that config.json"):
            AutoencoderWriter(copy, keeps_latents=True).write(tmp_path / "new", codec, {})


def test_another_encoder_makes_no_whole_set_and_keeps_no_latents(tiny_folder, tmp_path):
    codec = load_codec(tiny_folder)
    codec.config.provenance["same_latents"] = ["of the former encoder"]
    AutoencoderWriter(tiny_folder, keeps_latents=False).write(tmp_path / "new", codec, {})
    assert not (tmp_path / "new" / "unet.safetensors").exists()
    assert "same_latents" not in load_codec(tmp_path / "new").config.provenance
