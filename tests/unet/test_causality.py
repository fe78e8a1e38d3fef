"""Unidirectional mode is strictly causal, frame by frame and bit for bit (paper section 6).

`jen1` is tested at its full depth and window with narrow layers, and at its full size in a slow
test: causality is a matter of paths through the network, which do not depend on the width.
"""

import dataclasses

import pytest
import torch

from jen1cli.presets import JEN1, MINI, TINY
from jen1cli.unet import UNet1d
from jen1cli.unet.convolution import Downsample, FrameConvolution, Upsample
from support import unet_inputs, unet_without_zeros

NARROW_JEN1 = dataclasses.replace(
    JEN1.unet, channels=16, head_channels=8, latent_channels=4, text_features=8, time_features=8
)
CASES = {
    "tiny": (TINY.unet, 37),
    "mini": (MINI.unet, 60),
    "masking": (dataclasses.replace(TINY.unet, causal_convolution="masking"), 37),
    "jen1": (NARROW_JEN1, 1500),
    "jen1 odd": (NARROW_JEN1, 331),
    "large factors": (dataclasses.replace(TINY.unet, factors=(3, 4, 5)), 131),
}


def change_from(inputs, position):
    """The same inputs up to `position`, other latent, context and mask from there on."""
    changed = {name: value.clone() for name, value in inputs.items()}
    for name in ("x_t", "context"):
        changed[name][..., position:] = -3.0 * changed[name][..., position:] + 1.0
    return changed


def positions(frames):
    """Both ends, and frames next to the borders of every level's blocks."""
    return sorted({1, 2, 3, 4, frames // 3, frames // 2, frames // 2 + 1, frames - 1})


@pytest.mark.heavy
@pytest.mark.parametrize("case", CASES)
def test_line_9_causal_output_ignores_the_future_bit_for_bit(case):
    config, frames = CASES[case]
    unet, inputs = unet_without_zeros(config).eval(), unet_inputs(config, frames)
    assert unet.causal_block == 1
    with torch.inference_mode():
        output = unet(**inputs, causal=True)
        for position in positions(frames):
            changed = unet(**change_from(inputs, position), causal=True)
            assert torch.equal(changed[..., :position], output[..., :position]), position
            assert not torch.equal(changed[..., position], output[..., position]), position


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=pytest.mark.heavy) if c in ("mini", "jen1") else c for c in CASES],
)
def test_bidirectional_output_hears_the_future(case):
    config, frames = CASES[case]
    unet, inputs = unet_without_zeros(config).eval(), unet_inputs(config, frames)
    with torch.inference_mode():
        output = unet(**inputs)
        changed = unet(**change_from(inputs, frames - 1))
    assert not torch.equal(changed[..., 0], output[..., 0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("case", ["tiny", pytest.param("mini", marks=pytest.mark.heavy)])
def test_causality_holds_in_every_number_format(case, dtype):
    config, frames = CASES[case]
    unet, inputs = unet_without_zeros(config, dtype=dtype).eval(), unet_inputs(config, frames)
    with torch.inference_mode():
        output = unet(**inputs, causal=True)
        changed = unet(**change_from(inputs, 20), causal=True)
    assert torch.equal(changed[..., :20], output[..., :20])


def test_gradient_with_respect_to_later_frames_is_exactly_zero():
    unet = unet_without_zeros(TINY.unet)
    for causal in (True, False):
        inputs = unet_inputs(TINY.unet, 29)
        inputs["x_t"].requires_grad_(True)
        inputs["context"].requires_grad_(True)
        unet(**inputs, causal=causal)[..., 13].sum().backward()
        for name in ("x_t", "context"):
            gradient = inputs[name].grad
            assert gradient[..., 13].any()
            assert bool(gradient[..., 14:].any()) != causal


def test_causal_prefix_does_not_depend_on_the_length():
    """What is sampled in a longer window agrees with the shorter one, up to rounding."""
    unet, inputs = unet_without_zeros(TINY.unet).eval(), unet_inputs(TINY.unet, 40)
    short = {**inputs, "x_t": inputs["x_t"][..., :23], "context": inputs["context"][..., :23]}
    with torch.inference_mode():
        whole, part = unet(**inputs, causal=True), unet(**short, causal=True)
    torch.testing.assert_close(whole[..., :23], part, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 5])
def test_convolution_reads_only_what_it_may(kernel_size):
    layer = FrameConvolution(1, 1, kernel_size)
    x = torch.zeros(1, 15, 1)
    x[:, 7] = 1.0
    with torch.no_grad():
        layer.bias.zero_()
        layer.weight.fill_(1.0)
        assert layer(x, causal=True)[0, :, 0].nonzero().flatten().tolist() == list(
            range(7, 7 + kernel_size)
        )
        assert layer(x).shape == layer(x, causal=True).shape == x.shape


@pytest.mark.parametrize(("kernel_size", "read"), [(1, 1), (2, 2), (3, 2), (5, 3), (7, 4)])
def test_masking_drops_the_taps_of_later_frames(kernel_size, read):
    layer = FrameConvolution(1, 1, kernel_size, masking=True)
    x = torch.randn(1, 15, 1, requires_grad=True)
    layer(x, causal=True)[0, 9].sum().backward()
    assert x.grad[0, :, 0].nonzero().flatten().tolist() == list(range(10 - read, 10))
    both = layer(torch.cat([x[:, :10], torch.zeros(1, 5, 1)], dim=1))
    torch.testing.assert_close(layer(x, causal=True)[0, 9], both[0, 9])


def test_convolution_is_torchs():
    layer = FrameConvolution(4, 6, 3)
    x = torch.randn(2, 11, 4)
    wanted = torch.nn.functional.conv1d(x.transpose(1, 2), layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), wanted.transpose(1, 2))


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("frames", [1, 2, 7, 16, 33])
def test_down_and_up_again_leaks_nothing(factor, frames):
    """The strided trap of paper section 6: padding k - stride instead of k - 1 would leak here."""
    down, up = Downsample(3, 5, factor), Upsample(5, 3, factor)
    x = torch.randn(1, frames, 3, requires_grad=True)
    for frame in range(frames):
        (gradient,) = torch.autograd.grad(up(down(x, causal=True), frames)[0, frame].sum(), x)
        assert not gradient[0, frame + 1 :].any()
        (gradient,) = torch.autograd.grad(up(down(x), frames)[0, frame].sum(), x)
        start = frame // factor * factor
        heard = gradient[0].any(-1).nonzero().flatten().tolist()
        assert heard == list(range(start, min(start + factor, frames)))


def test_new_upsampling_repeats_frames():
    output = Upsample(5, 3, 4)(torch.randn(1, 6, 5), 22)
    assert output.shape == (1, 22, 3)
    assert torch.equal(output[:, 0:20:4], output[:, 3:22:4])


def test_no_statistic_is_taken_over_frames():
    kinds = {type(module) for module in UNet1d(TINY.unet).modules()}
    assert not kinds & {torch.nn.GroupNorm, torch.nn.BatchNorm1d, torch.nn.InstanceNorm1d}


@pytest.mark.slow
def test_full_size_jen1_is_causal():
    unet, inputs = unet_without_zeros(JEN1.unet).eval(), unet_inputs(JEN1.unet, 1500, batch=1)
    with torch.inference_mode():
        output = unet(**inputs, causal=True)
        for position in (1, 750, 1201):
            changed = unet(**change_from(inputs, position), causal=True)
            assert torch.equal(changed[..., :position], output[..., :position])
            assert not torch.equal(changed[..., position:], output[..., position:])
