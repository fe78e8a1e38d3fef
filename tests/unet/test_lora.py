import dataclasses

import pytest
import torch

from jen1cli.conditioning.controls.channels import CONTROL_CHANNELS
from jen1cli.errors import CheckpointError
from jen1cli.presets import TINY
from jen1cli.unet import UNet1d
from jen1cli.unet.lora import (
    LoraConfig,
    add_lora,
    apply_lora,
    lora_tensors,
    merged_tensors,
    read_lora,
    save_lora,
)


def make_unet(config=TINY.unet):
    torch.manual_seed(0)
    unet = UNet1d(config).eval()
    with torch.no_grad():
        for parameter in unet.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))  # zero-initialised layers too
    return unet


def run(unet):
    generator = torch.Generator().manual_seed(1)
    x, context, text = (
        torch.randn(2, *s, generator=generator)
        for s in ((8, 20), (9 + CONTROL_CHANNELS, 20), (4, 16))
    )
    with torch.no_grad():
        return unet(
            x, torch.tensor([0.3, 0.9]), context=context, text=text,
            text_mask=torch.ones(2, 4, dtype=torch.bool),
        )  # fmt: skip


@pytest.fixture
def trained(tmp_path):
    """A U-Net with changes that are not zero, and their file."""
    unet = make_unet()
    add_lora(unet, 3, alpha=6.0)
    with torch.no_grad():
        for parameter in unet.parameters():
            if parameter.requires_grad:
                parameter.copy_((0.1 * torch.randn_like(parameter)).half())
    path = tmp_path / "lora.safetensors"
    save_lora(path, unet, LoraConfig(3, 6.0, "tiny", TINY.unet))
    return unet, path


def test_changes_are_nothing_at_first():
    unet = make_unet()
    before = run(unet)
    add_lora(unet, 4)
    assert torch.equal(run(unet), before)


def test_only_the_changes_learn():
    unet = make_unet()
    total = sum(p.numel() for p in unet.parameters())
    add_lora(unet, 2)
    learning = {n: p.numel() for n, p in unet.named_parameters() if p.requires_grad}
    assert learning
    assert all(name.endswith((".down", ".up")) for name in learning)
    assert sum(learning.values()) < 0.5 * total


@pytest.mark.heavy
def test_merged_file_equals_the_trained_network(trained):
    unet, path = trained
    fresh = make_unet()
    config = apply_lora(fresh, path)
    assert config == LoraConfig(3, 6.0, "tiny", TINY.unet)
    assert torch.allclose(run(fresh), run(unet), atol=1e-4)
    assert not torch.allclose(run(fresh), run(make_unet()), atol=1e-2)
    assert set(fresh.state_dict()) == set(make_unet().state_dict())


def test_merged_tensors_equal_those_of_the_merged_file(trained):
    unet, path = trained
    with torch.no_grad():
        for parameter in unet.parameters():
            if parameter.requires_grad:
                parameter.mul_(1.0001)  # rounded to float16 as in a file
    save_lora(path, unet, LoraConfig(3, 6.0, "tiny", TINY.unet))
    fresh = make_unet()
    plain = {name: tensor.clone() for name, tensor in merged_tensors(fresh).items()}
    apply_lora(fresh, path)
    merged = merged_tensors(unet)
    assert merged.keys() == plain.keys() == fresh.state_dict().keys()
    for name, tensor in fresh.state_dict().items():
        assert torch.equal(merged[name], tensor), name
    assert any(not torch.equal(merged[name], plain[name]) for name in merged)


def test_strength_scales_and_minus_one_takes_back(trained):
    _, path = trained
    unet, half = make_unet(), make_unet()
    apply_lora(half, path, 0.5)
    name = "levels.1.down.0.attention.self_attention.output.weight"
    name = name if name in half.state_dict() else next(
        n for n in half.state_dict() if n.startswith("levels.1.down") and n.endswith("weight")
        and half.state_dict()[n].ndim > 1
    )  # fmt: skip
    whole = make_unet()
    apply_lora(whole, path, 1.0)
    base = unet.state_dict()[name]
    assert torch.allclose(
        half.state_dict()[name] - base, (whole.state_dict()[name] - base) / 2, atol=1e-6
    )
    apply_lora(whole, path, -1.0)
    assert torch.allclose(run(whole), run(unet), atol=1e-5)


def test_file_is_small_and_says_what_it_is(trained):
    unet, path = trained
    config, tensors = read_lora(path)
    assert config.rank == 3
    assert set(tensors) == set(lora_tensors(unet))
    assert path.stat().st_size < 0.5 * 4 * sum(p.numel() for p in make_unet().parameters())


def test_file_for_another_network_is_refused(trained):
    _, path = trained
    other = UNet1d(dataclasses.replace(TINY.unet, channels=32))
    with pytest.raises(CheckpointError, match="'tiny', whose U-Net differs in 'channels'"):
        apply_lora(other, path)


def test_damaged_and_foreign_files_are_refused(trained, tmp_path):
    _, path = trained
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_lora(path)
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="no LoRA file of jen1"):
        read_lora(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "is damaged"),
        ("no json", "is damaged"),
        ('{"version": 99}', "has version 99, this jen1cli knows up to 1; upgrade"),
        ('{"version": 1, "rank": 2}', "lacks the key 'alpha'"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_refused(tmp_path, text, words):
    from safetensors.torch import save_file

    path = tmp_path / "odd.safetensors"
    save_file({"x": torch.zeros(1)}, path, metadata={"format": "jen1-lora", "config": text})
    with pytest.raises(CheckpointError, match=words):
        read_lora(path)
