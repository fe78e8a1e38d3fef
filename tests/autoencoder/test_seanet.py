"""Promises of the SEANet family: the paper's grid, exact streaming, level in the latent."""

import dataclasses

import pytest
import torch
from torch.nn import functional

from jen1cli.autoencoder.layers import PaddedConv1d, TrimmedConvTranspose1d, reflect
from jen1cli.autoencoder.seanet import SeanetAutoencoder
from jen1cli.config import SeanetConfig
from jen1cli.presets import JEN1, TINY

SMALL = SeanetConfig(
    latent_channels=8, num_filters=4, ratios=(5, 3), num_residual_layers=2, num_lstm_layers=2
)


def build(config):
    torch.manual_seed(0)
    return SeanetAutoencoder(config).eval()


@torch.no_grad()
@pytest.mark.heavy
def test_ten_seconds_of_the_paper_are_1500_frames_of_128_channels():
    """Paper.md section 13, line 12: one clean grid, nothing of an overlap kept in."""
    assert isinstance(JEN1.autoencoder, SeanetConfig)
    model = build(JEN1.autoencoder)
    waveform = torch.randn(1, 2, 480_000)
    latent = model.encode(waveform)
    assert latent.shape == (1, 128, 1500)
    assert model.frame_rate == 150
    assert model.decode(latent[..., :30]).shape == (1, 2, 30 * 320)


def test_sizes_are_those_of_encodec():
    """Counts of paper.md section 12."""
    for norm, expected in (("weight_norm", 14_852_260), ("time_group_norm", 14_856_294)):
        with torch.device("meta"):
            model = SeanetAutoencoder(SeanetConfig(norm=norm))
        assert sum(parameter.numel() for parameter in model.parameters()) == expected


@pytest.fixture(scope="module", params=["weight_norm", "time_group_norm"])
def two_strides(request):
    """A network of 15 samples a frame, with either norm, for the tests that do not change it."""
    config = SeanetConfig(latent_channels=8, num_filters=4, ratios=(5, 3), norm=request.param)
    return build(config)


@pytest.mark.parametrize("samples", [1, 14, 15, 16, 1000, 1001])
@torch.no_grad()
def test_any_length_comes_back_finite(two_strides, samples):
    model = two_strides
    reconstruction, latent = model(torch.randn(2, 2, samples))
    assert reconstruction.shape == (2, 2, samples)
    assert latent.shape == (2, 8, -(-samples // 15))
    assert reconstruction.isfinite().all()


@torch.no_grad()
def test_mono_and_other_widths_follow_the_configuration():
    model = build(SeanetConfig(audio_channels=1, latent_channels=6, num_filters=2, ratios=(4, 2)))
    assert model.encode(torch.randn(3, 1, 80)).shape == (3, 6, 10)
    assert model.encoder.recurrent.lstm.hidden_size == 8


@pytest.mark.heavy
@pytest.mark.parametrize("config", [SMALL, TINY.autoencoder], ids=["lstm", "tiny"])
@pytest.mark.parametrize("seconds", [0.0005, 0.01, 0.05])
@torch.no_grad()
def test_streamed_equals_whole_also_at_the_ends(config, seconds):
    model = build(config)
    model.stream_seconds = seconds
    waveform = torch.randn(2, 2, 40 * model.hop_length + 7)
    latent = model.encode(waveform)
    streamed = torch.cat(list(model.encode_stream(waveform.split(1001, -1))), -1)
    torch.testing.assert_close(streamed, latent, rtol=0, atol=1e-5)
    expected = model.decode(latent, waveform.shape[-1])
    streamed = torch.cat(list(model.decode_stream(latent, waveform.shape[-1])), -1)
    torch.testing.assert_close(streamed, expected, rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_long_memory_of_the_lstm_survives_streaming():
    """With forget gates wide open no finite warm-up would do; the state is handed on."""
    model = build(SMALL)
    for part in (model.encoder, model.decoder):
        for name, parameter in part.recurrent.lstm.named_parameters():
            if name.startswith("bias"):
                hidden = parameter.shape[0] // 4
                parameter[hidden : 2 * hidden] = 10.0
    model.stream_seconds = 0.01
    waveform = torch.randn(1, 2, 3000)
    changed = waveform.clone()
    changed[..., :100] = 0
    latent = model.encode(waveform)
    assert (latent - model.encode(changed))[..., -1].abs().max() > 1e-3
    streamed = torch.cat(list(model.encode_stream(waveform.split(500, -1))), -1)
    torch.testing.assert_close(streamed, latent, rtol=0, atol=1e-4)


@torch.no_grad()
@pytest.mark.heavy
def test_a_part_with_its_context_equals_the_whole():
    """What the editor does: encode and decode only the frames around a gap."""
    model = build(dataclasses.replace(TINY.autoencoder, num_lstm_layers=2))
    context = model.reach_frames
    assert context == 6 + 150
    waveform = torch.randn(1, 2, 400 * 320)
    latent = model.encode(waveform)
    part = model.encode(waveform[..., (250 - context) * 320 :])
    torch.testing.assert_close(part[..., context:], latent[..., 250:], rtol=0, atol=1e-4)
    part = model.decode(latent[..., 250 - context :])[..., context * 320 :]
    torch.testing.assert_close(part, model.decode(latent)[..., 250 * 320 :], rtol=0, atol=1e-4)


def test_no_frame_depends_on_more_than_the_stated_context():
    model = build(SeanetConfig(latent_channels=8, num_filters=4, num_lstm_layers=0))
    waveform = torch.randn(1, 2, 40 * 320, requires_grad=True)
    (gradient,) = torch.autograd.grad(model.encode(waveform)[..., 20].sum(), waveform)
    touched = gradient.abs().sum((0, 1)).nonzero()
    assert touched.min() >= (20 - model.reach_frames) * 320
    assert touched.max() < (21 + model.reach_frames) * 320
    latent = torch.randn(1, 8, 40, requires_grad=True)
    output = model.decode(latent)[..., 20 * 320 : 21 * 320]
    (gradient,) = torch.autograd.grad(output.square().sum(), latent)
    touched = gradient.abs().sum((0, 1)).nonzero()
    assert touched.min() >= 20 - model.reach_frames
    assert touched.max() <= 20 + model.reach_frames


@torch.no_grad()
def test_batch_items_do_not_mix():
    model = build(SMALL)
    waveform = torch.randn(3, 2, 300)
    single = torch.cat([model(item[None])[0] for item in waveform])
    torch.testing.assert_close(model(waveform)[0], single, rtol=0, atol=1e-5)


def test_every_parameter_gets_a_finite_gradient():
    model = build(SMALL).train()
    waveform = torch.randn(2, 2, 600)
    (model(waveform)[0] - waveform).square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_random_weights_keep_silence_and_level():
    """Silence gives silence, and neither latent nor output vanishes or explodes."""
    model = build(TINY.autoencoder)
    with torch.no_grad():
        assert not model(torch.zeros(1, 2, 3200))[0].any()
        reconstruction, latent = model(0.1 * torch.randn(1, 2, 32_000))
    assert 0.01 < latent.std() < 10
    assert 0.01 < reconstruction.std() < 10


@pytest.mark.heavy
def test_level_survives_the_round_trip_within_half_a_decibel():
    """Paper.md section 13, line 12: loudness is in the latent, no scale travels beside it."""
    torch.manual_seed(0)
    model = SeanetAutoencoder(
        SeanetConfig(
            latent_channels=16, num_filters=8, ratios=(2, 2), num_lstm_layers=0, mask_ratio=0.0
        )
    )
    turns = torch.tensor([[440.0], [660.0]]) * torch.arange(512) / 8000
    waveform = torch.tensor([0.05, 0.1, 0.25, 0.5])[:, None, None] * (2 * torch.pi * turns).sin()
    level = waveform.square().mean((1, 2), keepdim=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=300)
    loss = torch.tensor(torch.inf)
    for _ in range(300):
        loss = ((model(waveform)[0] - waveform).square() / level).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        reconstruction = model.eval()(waveform)[0]
    decibels = 10 * (reconstruction.square().mean((1, 2), keepdim=True) / level).log10()
    assert decibels.abs().max() < 0.5
    assert loss < 0.02


def test_reflection_matches_torch_where_torch_can_and_takes_short_signals():
    x = torch.arange(1.0, 5.0).reshape(1, 1, 4)
    assert torch.equal(reflect(x, (3, 2)), functional.pad(x, (3, 2), mode="reflect"))
    assert reflect(x[..., :2], (3, 3)).tolist() == [[[0, 0, 2, 1, 2, 0, 0, 0]]]


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("norm", ["weight_norm", "time_group_norm"])
@torch.no_grad()
def test_strides_divide_and_multiply_the_length_exactly(stride, norm):
    down = PaddedConv1d(3, 4, 2 * stride, stride=stride, norm=norm)
    up = TrimmedConvTranspose1d(4, 3, 2 * stride, stride=stride, norm=norm)
    x = torch.randn(1, 3, 7 * stride)
    assert down(x).shape == (1, 4, 7)
    assert up(down(x)).shape == x.shape
