import dataclasses

import pytest
import torch

from jen1cli.presets import JEN1, MINI, PRESETS, TINY
from jen1cli.unet import UNet1d
from jen1cli.unet.attention import AttentionBlock
from jen1cli.unet.blocks import ResidualBlock
from jen1cli.unet.embedding import rotary
from support import unet_inputs, unet_without_zeros

CONFIG = TINY.unet
INPUTS = ["x_t", "t", "context", "text"]


@pytest.fixture(scope="module")
def network():
    """A network for the tests that do not change it."""
    return unet_without_zeros(CONFIG)


def count(config):
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in UNet1d(config).parameters())


def test_jen1_has_the_parameters_of_the_paper():
    assert count(JEN1.unet) == pytest.approx(746e6, rel=0.01)
    assert JEN1.unet.text_features == 1024


def test_mini_fits_the_box():
    assert 20e6 < count(MINI.unet) < 26e6


@pytest.mark.parametrize("name", PRESETS)
def test_line_15_deepest_level_keeps_eight_frames_of_a_window(name):
    config = PRESETS[name]
    frames = round(config.generation.window_seconds * config.frame_rate)
    if name == "jen1":
        assert frames == 1500
    for factor in config.unet.factors:
        frames = -(-frames // factor)
    assert frames >= 8


def test_jen1_attends_only_where_frames_are_at_least_four_times_fewer():
    factor = 1
    for step, attends in zip(JEN1.unet.factors, JEN1.unet.attention, strict=True):
        factor *= step
        assert attends == (factor >= 4)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", [1, 2, 3, 5, 7, 8, 13, 31, 97])
def test_any_number_of_frames_is_kept(network, frames, causal):
    inputs = unet_inputs(CONFIG, frames)
    output = network(**inputs, causal=causal)
    assert output.shape == inputs["x_t"].shape
    assert output.isfinite().all()


@pytest.mark.parametrize("factors", [(3, 1, 2), (1, 5, 3), (2, 2, 2)])
@pytest.mark.parametrize("frames", [1, 17, 30])
def test_any_factors_work(factors, frames):
    config = dataclasses.replace(CONFIG, factors=factors)
    unet = unet_without_zeros(config)
    for causal in (False, True):
        output = unet(**unet_inputs(config, frames), causal=causal)
        assert output.shape[-1] == frames


@pytest.mark.parametrize("causal", [False, True])
def test_batch_items_do_not_mix(network, causal):
    inputs, other = unet_inputs(CONFIG, 21, batch=3), unet_inputs(CONFIG, 21, batch=3, seed=1)
    mixed = {name: torch.cat([inputs[name][:1], other[name][1:]]) for name in inputs}
    output = network(**inputs, causal=causal)
    changed = network(**mixed, causal=causal)
    assert torch.equal(output[0], changed[0])
    assert not torch.equal(output[1], changed[1])


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("causal", [False, True])
def test_every_input_is_heard(network, name, causal):
    inputs, other = unet_inputs(CONFIG, 21), unet_inputs(CONFIG, 21, seed=1)
    changed = network(**{**inputs, name: other[name]}, causal=causal)
    assert not torch.allclose(network(**inputs, causal=causal), changed, atol=1e-3)


def test_every_context_channel_is_heard():
    unet, inputs = unet_without_zeros(CONFIG), unet_inputs(CONFIG, 9)
    context = inputs["context"].requires_grad_(True)
    unet(**inputs).square().sum().backward()
    assert (context.grad.abs().amax((0, 2)) > 0).all()


@pytest.mark.parametrize("checkpointing", [False, True])
def test_every_parameter_has_a_finite_gradient(checkpointing):
    unet = unet_without_zeros(CONFIG)
    unet.checkpointing = checkpointing
    for causal in (False, True):
        unet.zero_grad()
        unet(**unet_inputs(CONFIG, 19), causal=causal).square().mean().backward()
        for name, parameter in unet.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.any(), name


def test_checkpointing_changes_no_gradient():
    gradients = []
    for checkpointing in (False, True):
        unet = unet_without_zeros(CONFIG)
        unet.checkpointing = checkpointing
        unet(**unet_inputs(CONFIG, 19)).square().mean().backward()
        gradients.append([parameter.grad for parameter in unet.parameters()])
    for plain, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, recomputed)


@pytest.mark.heavy
def test_a_new_network_predicts_zero_and_can_leave_it():
    unet = UNet1d(CONFIG)
    inputs = unet_inputs(CONFIG, 12)
    wanted = torch.randn(2, CONFIG.latent_channels, 12, generator=torch.Generator().manual_seed(4))
    assert unet(**inputs).abs().max() == 0
    optimizer = torch.optim.AdamW(unet.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = (unet(**inputs) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_line_19_new_blocks_are_the_identity():
    x = torch.randn(2, 9, 16)
    residual = ResidualBlock(16, 8, 3)
    attention = AttentionBlock(16, 12, 8, 2)
    text, mask = torch.randn(2, 4, 12), torch.ones(2, 1, 1, 4, dtype=torch.bool)
    for causal in (False, True):
        assert torch.equal(residual(x, torch.randn(2, 8), causal=causal), x)
        assert torch.equal(attention(x, rotary(9, 8, x), text, mask, causal=causal), x)


def test_line_19_input_and_output_share_nothing():
    unet = UNet1d(CONFIG)
    pointers = [parameter.data_ptr() for parameter in unet.parameters()]
    assert len(set(pointers)) == len(pointers)


def test_line_5_text_layers_are_trainable_and_stored(tmp_path):
    from safetensors.torch import load_file, save_file

    unet = unet_without_zeros(CONFIG)
    trainable = {name for name, parameter in unet.named_parameters() if parameter.requires_grad}
    assert trainable == set(unet.state_dict())
    assert {"text.anchor", "text.norm.weight", "text.pooled.weight"} <= trainable
    assert any("cross_attention.keys_values" in name for name in trainable)
    save_file(unet.state_dict(), tmp_path / "unet.safetensors")
    with torch.device("meta"):
        again = UNet1d(CONFIG)
    again.load_state_dict(load_file(tmp_path / "unet.safetensors"), strict=True, assign=True)
    inputs = unet_inputs(CONFIG, 11)
    assert torch.equal(again(**inputs), unet(**inputs))


def test_line_4_nothing_random_is_left_on_in_sampling():
    unet = unet_without_zeros(dataclasses.replace(CONFIG, dropout=0.3))
    inputs = unet_inputs(CONFIG, 11)
    assert not torch.equal(unet.train()(**inputs), unet(**inputs))
    assert torch.equal(unet.eval()(**inputs), unet(**inputs))


def test_text_that_is_masked_everywhere_is_safe():
    unet, inputs = unet_without_zeros(CONFIG), unet_inputs(CONFIG, 11)
    mask = torch.zeros_like(inputs["text_mask"])
    output = unet(**{**inputs, "text_mask": mask})
    assert output.isfinite().all()
    ignored = unet(**{**inputs, "text": torch.full_like(inputs["text"], 1e3), "text_mask": mask})
    assert torch.equal(output, ignored)
    output.square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in unet.parameters())


def test_masked_tokens_have_no_weight():
    unet, inputs = unet_without_zeros(CONFIG), unet_inputs(CONFIG, 11, tokens=6)
    inputs["text_mask"][:, 4:] = False
    garbage = inputs["text"].clone()
    garbage[:, 4:] = 1e3
    assert torch.equal(unet(**inputs), unet(**{**inputs, "text": garbage}))
    short = {**inputs, "text": inputs["text"][:, :4], "text_mask": inputs["text_mask"][:, :4]}
    torch.testing.assert_close(unet(**inputs), unet(**short), atol=1e-5, rtol=1e-5)


def test_times_are_per_item(network):
    inputs = unet_inputs(CONFIG, 11)
    together = network(**inputs)
    for index in range(2):
        alone = network(**{name: value[index : index + 1] for name, value in inputs.items()})
        torch.testing.assert_close(alone[0], together[index], atol=1e-5, rtol=1e-5)


def test_bfloat16_weights_answer_in_the_type_of_the_latent():
    inputs = unet_inputs(CONFIG, 40)
    exact = unet_without_zeros(CONFIG)(**inputs)
    rounded = unet_without_zeros(CONFIG, dtype=torch.bfloat16)(**inputs)
    assert rounded.dtype == torch.float32
    error = (rounded - exact).norm() / exact.norm()
    assert 0 < error < 0.03


def test_autocast_works_in_both_directions():
    unet, inputs = unet_without_zeros(CONFIG), unet_inputs(CONFIG, 23)
    for causal in (False, True):
        with torch.autocast("cpu", torch.bfloat16):
            output = unet(**inputs, causal=causal)
        output.float().square().mean().backward()
        assert output.isfinite().all()


def test_far_positions_keep_their_neighbours_apart():
    """Angles made in float32 still tell frame 100,000 from frame 100,001 (8 minutes at 150 Hz)."""
    cos, sin = rotary(100_002, 64, torch.zeros(1, dtype=torch.bfloat16))
    assert cos.dtype == torch.bfloat16
    near = (cos[0] * cos[1] + sin[0] * sin[1]).float()
    far = (cos[-2] * cos[-1] + sin[-2] * sin[-1]).float()
    torch.testing.assert_close(near, far, atol=0.03, rtol=0)


@pytest.mark.compile
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_whole_network_compiles_without_a_graph_break():
    unet, inputs = unet_without_zeros(CONFIG).eval(), unet_inputs(CONFIG, 16)
    with torch.no_grad():
        compiled = torch.compile(unet, fullgraph=True)(**inputs)
        torch.testing.assert_close(compiled, unet(**inputs), atol=1e-4, rtol=1e-4)


def test_weights_in_the_layout_of_a_gpu_have_the_same_values():
    unet, inputs = unet_without_zeros(CONFIG).eval(), unet_inputs(CONFIG, 16)
    with torch.no_grad():
        expected = unet(**inputs)
        before = {name: tensor.clone() for name, tensor in unet.state_dict().items()}
        unet.store_channels_last()
        torch.testing.assert_close(unet(**inputs), expected, atol=1e-5, rtol=1e-5)
    assert all(torch.equal(before[name], tensor) for name, tensor in unet.state_dict().items())
    image = unet.output.weight.unsqueeze(2)
    assert image.is_contiguous(memory_format=torch.channels_last)
