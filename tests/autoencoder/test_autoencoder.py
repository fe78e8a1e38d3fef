"""Promises of every autoencoder: lengths, masking in training only, exact streaming."""

import pytest
import torch
from einops import rearrange
from torch import nn

from jen1cli.autoencoder import Autoencoder, build_autoencoder
from jen1cli.autoencoder.masking import mask_latent
from jen1cli.autoencoder.streaming import apply_overlapped, pad_to_frames, trim_to_samples
from jen1cli.config import SeanetConfig
from jen1cli.errors import AudioError
from jen1cli.presets import TINY


class Smoother(Autoencoder):
    """Smallest family: both maps have a reach of one frame on each side."""

    reach_frames = 1

    def __init__(self, config):
        super().__init__(config)
        self.down = nn.Conv1d(2, 8, 3 * 320, stride=320, padding=320)
        # no ConvTranspose1d: oneDNN compiles one for each length, at this hop for a second and more
        self.up = nn.Conv1d(8, 2 * 320, 3, padding=1)

    def encode_frames(self, waveform):
        return self.down(waveform)

    def decode_frames(self, latent):
        return rearrange(self.up(latent), "b (c s) t -> b c (t s)", c=2)


class Echo(Smoother):
    """Hands a shared copy of the latent through, so that masking can be seen."""

    def decode_frames(self, latent):
        return latent[:, :2].repeat_interleave(self.hop_length, dim=-1)


@pytest.fixture
def smoother():
    torch.manual_seed(0)
    return Smoother(TINY.autoencoder).eval()


@pytest.fixture
def waveform():
    return torch.randn(2, 2, 20_001, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("samples", [1, 319, 320, 321, 6400])
def test_any_length_comes_back(smoother, samples):
    waveform = torch.randn(1, 2, samples)
    latent = smoother.encode(waveform)
    assert latent.shape == (1, 8, -(-samples // 320))
    assert smoother.decode(latent, samples).shape == waveform.shape
    assert smoother.decode(latent).shape[-1] == latent.shape[-1] * 320
    assert smoother(waveform)[0].shape == waveform.shape


def test_last_frame_is_filled_with_zeros(smoother, waveform):
    filled = torch.cat([waveform, torch.zeros(2, 2, -waveform.shape[-1] % 320)], -1)
    assert torch.equal(smoother.encode(waveform), smoother.encode(filled))


def test_attributes_follow_the_configuration(smoother):
    assert (smoother.sample_rate, smoother.audio_channels) == (48_000, 2)
    assert (smoother.latent_channels, smoother.hop_length, smoother.frame_rate) == (8, 320, 150.0)


def test_masking_happens_in_training_only(waveform):
    model = Echo(TINY.autoencoder)
    for training in (True, False):
        torch.manual_seed(3)
        model.train(training)
        reconstruction, latent = model(waveform)
        silent = (reconstruction[..., ::320] == 0).all(1)
        assert silent.any() == training
        assert (latent != 0).all(), "the latent handed out is the one before masking"


def test_masking_follows_the_ratio_of_the_configuration(waveform):
    config = SeanetConfig(latent_channels=8, mask_ratio=1.0)
    assert not Echo(config).train()(waveform)[0].any()


@pytest.mark.heavy
@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.1, 5.0])
@pytest.mark.parametrize("block", [100, 320, 7001, 20_001])
def test_streamed_equals_whole(smoother, waveform, seconds, block):
    smoother.stream_seconds = seconds
    with torch.no_grad():
        latent = smoother.encode(waveform)
        expected = smoother.decode(latent, waveform.shape[-1])
    pieces = list(smoother.encode_stream(waveform.split(block, dim=-1)))
    torch.testing.assert_close(torch.cat(pieces, -1), latent, rtol=0, atol=1e-5)
    pieces = list(smoother.decode_stream(latent, waveform.shape[-1]))
    torch.testing.assert_close(torch.cat(pieces, -1), expected, rtol=0, atol=1e-5)
    assert max(piece.shape[-1] for piece in pieces) <= 320 * (smoother.stream_frames + 1)


def test_streams_hold_no_gradient(smoother, waveform):
    assert all(not piece.requires_grad for piece in smoother.encode_stream([waveform]))
    latent = smoother.encode(waveform)
    assert latent.requires_grad
    assert all(not piece.requires_grad for piece in smoother.decode_stream(latent.detach()))


def test_streaming_is_lazy_and_takes_bounded_pieces():
    """A signal without end is read only as far as the first output needs."""
    read, longest = 0, 0

    def endless():
        nonlocal read
        while True:
            read += 10
            yield torch.zeros(1, 1, 10)

    def function(piece):
        nonlocal longest
        longest = max(longest, piece.shape[-1])
        return piece

    stream = apply_overlapped(endless(), function, reach_frames=3, chunk_frames=50)
    sizes = [next(stream).shape[-1] for _ in range(20)]
    assert sizes == [50] * 20
    assert longest == 56
    assert read <= 1000 + 56


def test_no_blocks_give_no_latent(smoother):
    assert list(smoother.encode_stream([])) == []


def test_blocks_are_filled_and_trimmed():
    blocks = [torch.ones(1, 1, 3), torch.ones(1, 1, 4)]
    assert torch.cat(list(pad_to_frames(blocks, 5)), -1).tolist() == [[[1.0] * 7 + [0.0] * 3]]
    assert [block.shape[-1] for block in trim_to_samples(blocks, 5)] == [3, 2]
    assert [block.shape[-1] for block in trim_to_samples(blocks, 3)] == [3]


def test_wrong_input_is_refused(smoother):
    with pytest.raises(AudioError, match="0 samples"):
        smoother.encode(torch.zeros(1, 2, 0))
    with pytest.raises(ValueError, match="samples"):
        smoother.encode(torch.zeros(1, 1, 320))
    with pytest.raises(ValueError, match="samples"):
        next(smoother.encode_stream([torch.zeros(1, 1, 320)]))
    with pytest.raises(ValueError, match="at least one frame"):
        smoother.decode(torch.zeros(1, 8, 0))
    with pytest.raises(ValueError, match="641 samples"):
        smoother.decode(torch.zeros(1, 8, 2), 641)


@pytest.mark.parametrize(
    ("granularity", "axis_of_one_value"), [("frame", 1), ("channel", 2), ("element", None)]
)
def test_masks_have_the_share_and_the_granularity(granularity, axis_of_one_value):
    torch.manual_seed(0)
    latent = torch.ones(400, 40, 50)
    masked = mask_latent(latent, 0.05, granularity)
    assert set(masked.unique().tolist()) == {0.0, 1.0}
    assert (masked == 0).float().mean().item() == pytest.approx(0.05, abs=0.005)
    if axis_of_one_value is None:
        assert masked.std(1).count_nonzero() > 0.5 * 400 * 50
    else:
        assert not masked.std(axis_of_one_value).any()
    assert not torch.equal(masked[0], masked[1]) or not torch.equal(masked[1], masked[2])


def test_no_ratio_masks_nothing_and_a_wrong_one_is_refused():
    latent = torch.randn(2, 3, 4)
    assert torch.equal(mask_latent(latent, 0.0), latent)
    with pytest.raises(ValueError, match=r"1\.5"):
        mask_latent(latent, 1.5)


def test_build_picks_the_family():
    model = build_autoencoder(TINY.autoencoder)
    assert type(model).__name__ == "SeanetAutoencoder"
    assert model.config is TINY.autoencoder
