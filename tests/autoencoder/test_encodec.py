"""EnCodec's weights in our SEANet give EnCodec's own outputs; anything else is refused."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from jen1cli.autoencoder import load_encodec
from jen1cli.autoencoder.encodec import encodec_config, encodec_state
from jen1cli.config import SeanetConfig
from jen1cli.errors import CheckpointError

ENCODEC_48K = {
    "sampling_rate": 48_000,
    "audio_channels": 2,
    "normalize": True,
    "chunk_length_s": 1.0,
    "overlap": 0.01,
    "target_bandwidths": [3.0, 6.0, 12.0, 24.0],
    "norm_type": "time_group_norm",
    "use_causal_conv": False,
}


def save_random(folder, **changes):
    """Save a model whose every parameter is random, norms and biases too."""
    from transformers import EncodecConfig, EncodecModel  # here, since it takes seconds to import

    torch.manual_seed(0)
    model = EncodecModel(EncodecConfig(**ENCODEC_48K | changes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    return model


@pytest.fixture(scope="module")
def folder_48k(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encodec")
    return folder, save_random(folder)


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    save_random(folder, num_filters=2, hidden_size=4, upsampling_ratios=[2, 2])
    return folder


@pytest.fixture
def small(small_folder, tmp_path):
    """A small model, to be damaged."""
    return shutil.copytree(small_folder, tmp_path / "model")


def assert_same_outputs(folder, theirs, samples):
    ours = load_encodec(folder)
    waveform = 0.3 * torch.randn(2, ours.audio_channels, samples)
    with torch.no_grad():
        expected = theirs.encoder(waveform)
        latent = ours.encode(waveform)
        torch.testing.assert_close(latent, expected, rtol=0, atol=1e-4)
        assert latent.std() > 0.01
        decoded = theirs.decoder(expected)
        torch.testing.assert_close(ours.decode(expected), decoded, rtol=0, atol=1e-4)
        assert decoded.std() > 0.01


@pytest.mark.heavy
@pytest.mark.parametrize("frames", [1, 2, 101])
def test_outputs_equal_those_of_transformers_at_48_khz(folder_48k, frames):
    folder, theirs = folder_48k
    assert_same_outputs(folder, theirs, frames * 320)


def test_configuration_at_48_khz_is_ours_with_the_norm_over_time(folder_48k):
    assert load_encodec(folder_48k[0]).config == SeanetConfig(norm="time_group_norm")


@pytest.mark.parametrize("old_names", [False, True])
def test_weight_norm_and_plain_shortcuts_of_the_32_khz_model_load_too(tmp_path, old_names):
    theirs = save_random(
        tmp_path,
        audio_channels=1,
        num_filters=4,
        hidden_size=8,
        upsampling_ratios=[4, 2],
        num_residual_layers=2,
        norm_type="weight_norm",
        use_conv_shortcut=False,
    )
    tensors = {
        key.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        )
        if old_names
        else key: tensor
        for key, tensor in theirs.state_dict().items()
    }
    save_file(tensors, tmp_path / "model.safetensors")
    assert_same_outputs(tmp_path, theirs, 8 * 50)


def test_absent_settings_mean_those_of_transformers():
    values = {"model_type": "encodec", "use_causal_conv": False}
    config = encodec_config(values)
    assert (config.sample_rate, config.audio_channels, config.norm) == (24_000, 1, "weight_norm")


def rewrite(folder, change):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def test_missing_tensor_is_refused(small):
    rewrite(small, lambda tensors: tensors.pop("decoder.layers.1.lstm.bias_hh_l1"))
    with pytest.raises(CheckpointError, match=r"decoder\.recurrent\.lstm\.bias_hh_l1.*absent"):
        load_encodec(small)


@pytest.mark.parametrize("key", ["encoder.layers.0.extra", "encoder.layers.99.conv.bias", "head"])
def test_extra_tensor_is_refused(small, key):
    rewrite(small, lambda tensors: tensors.update({key: torch.zeros(1)}))
    with pytest.raises(CheckpointError, match=r"extra|belongs to no layer"):
        load_encodec(small)


def test_misshapen_tensor_is_refused(small):
    rewrite(small, lambda t: t.update({"encoder.layers.0.conv.weight": torch.zeros(2, 2, 5)}))
    with pytest.raises(CheckpointError, match=r"\(2, 2, 5\).*\(2, 2, 7\)"):
        load_encodec(small)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model_type", "dac"),
        ("use_causal_conv", True),
        ("pad_mode", "constant"),
        ("last_kernel_size", 5),
        ("norm_type", "layer_norm"),
        ("num_filters", "many"),
    ],
)
def test_another_architecture_is_refused(small, key, value):
    path = small / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(CheckpointError, match=r"config\.json.*use"):
        load_encodec(small)


def test_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="not an EnCodec folder"):
        load_encodec(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="not an EnCodec folder"):
        load_encodec(tmp_path)


def test_damaged_weights_are_refused(small):
    (small / "model.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(CheckpointError, match="not an EnCodec folder"):
        load_encodec(small)


def test_the_quantiser_alone_is_left_out():
    config = SeanetConfig(ratios=(2,))
    tensors = {"quantizer.layers.0.codebook.embed": torch.zeros(1)}
    assert encodec_state(tensors, config) == {}
