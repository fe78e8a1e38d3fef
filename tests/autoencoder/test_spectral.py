"""The spectral autoencoder keeps level, pitch and stereo image, and streams exactly."""

import dataclasses

import pytest
import torch
from torch import Tensor

from jen1cli.autoencoder import build_autoencoder
from jen1cli.autoencoder.masking import drop_last_channels
from jen1cli.autoencoder.spectral import SpectralAutoencoder
from jen1cli.config import SpectralBand, SpectralConfig

SMALL = SpectralConfig(
    latent_channels=32,
    bands=(
        SpectralBand(4096, 1_500.0, 1.5),
        SpectralBand(2048, 6_000.0, 1.0),
        SpectralBand(1024, 24_000.0, 0.7, num_features=32, tonal=False),
    ),
    trunk_channels=16,
    num_encoder_blocks=1,
    num_decoder_blocks=1,
)
SECOND = 48_000


def build(config: SpectralConfig = SMALL) -> SpectralAutoencoder:
    torch.manual_seed(0)
    autoencoder = build_autoencoder(config)
    assert isinstance(autoencoder, SpectralAutoencoder)
    return autoencoder.eval()


def chord(seconds: float = 2.0, wide: float = 0.0) -> Tensor:
    """Three partials; `wide` adds as much of another one in opposite phase."""
    time = torch.arange(int(seconds * SECOND)) / SECOND
    tones = [torch.sin(2 * torch.pi * hz * time) for hz in (220.0, 554.4, 2637.0)]
    middle = 0.2 * (tones[0] + tones[1] + tones[2])
    side = wide * 0.2 * torch.sin(2 * torch.pi * 880.0 * time)
    return torch.stack((middle + side, middle - side))[None]


@torch.no_grad()
def through_features(autoencoder: SpectralAutoencoder, waveform: Tensor) -> Tensor:
    """Rebuild the waveform from its features, with nothing lost in a latent."""
    followers = autoencoder._followers()
    guess = autoencoder._guess_phase(autoencoder.features(waveform), followers)
    return autoencoder._render(guess)


def fitted(waveform: Tensor, latent_channels: int = 32) -> SpectralAutoencoder:
    autoencoder = build(dataclasses.replace(SMALL, latent_channels=latent_channels))
    features = autoencoder.features(waveform)[0].T
    autoencoder.fit_basis(features, features.mean(0) / autoencoder.feature_weight)
    return autoencoder


def whole(waveform: Tensor) -> Tensor:
    return waveform[..., : waveform.shape[-1] // 2048 * 2048]


def test_bands_add_up_to_the_waveform() -> None:
    autoencoder = build()
    noise = 0.1 * torch.randn(1, 2, 2048 * 12, generator=torch.Generator().manual_seed(1))
    total = sum(band.synthesize(band.analyze(noise)) for band in autoencoder._bands)
    assert isinstance(total, Tensor)
    inner = slice(4096, -4096)
    error = (total - noise)[..., inner].square().mean() / noise[..., inner].square().mean()
    assert float(error) < 1e-4  # -40 dB


def test_length_is_kept() -> None:
    autoencoder = build()
    for samples in (1, 2047, 2048, 2049, 50_000):
        waveform = 0.1 * torch.randn(1, 2, samples)
        latent = autoencoder.encode(waveform)
        assert latent.shape == (1, 32, -(-samples // 2048))
        assert autoencoder.decode(latent, samples).shape == waveform.shape


def test_partials_come_back_steady_and_in_tune() -> None:
    waveform = whole(chord())
    rebuilt = through_features(build(), waveform)
    inner = slice(SECOND // 4, SECOND // 4 + 65536)
    window = torch.hann_window(65536)
    spectra = [torch.fft.rfft(x[0, 0, inner] * window).abs() for x in (waveform, rebuilt)]
    for hz in (220.0, 554.4, 2637.0):
        centre = round(hz * 65536 / SECOND)
        before, after = (s[centre - 6 : centre + 7] for s in spectra)
        assert abs(int(before.argmax()) - int(after.argmax())) <= 1  # 0.7 Hz
        assert abs(20 * float((after.max() / before.max()).log10())) < 1.0  # dB


def test_stereo_width_is_kept() -> None:
    waveform = whole(chord(wide=0.7))
    rebuilt = through_features(build(), waveform)

    def side_db(x: Tensor) -> float:
        return 10 * float((x[:, 0] - x[:, 1]).square().mean().log10())

    assert abs(side_db(rebuilt) - side_db(waveform)) < 1.0


def test_a_panned_tone_stays_on_its_side() -> None:
    waveform = whole(chord()) * torch.tensor([1.0, 0.1])[:, None]
    rebuilt = through_features(build(), waveform)
    left, right = rebuilt.square().mean(dim=-1)[0].log10() * 10
    assert float(left - right) == pytest.approx(20.0, abs=2.0)


def test_silence_stays_silent() -> None:
    autoencoder = build()
    silence = torch.zeros(1, 2, 2048 * 4)
    assert float(through_features(autoencoder, silence).abs().max()) < 1e-6


@pytest.mark.heavy
def test_streams_equal_the_whole() -> None:
    waveform = whole(chord(13.0, wide=0.5)) * torch.linspace(0.2, 1.0, 2048 * 304)
    autoencoder = fitted(waveform)
    latent = autoencoder.encode(waveform)
    blocks = torch.split(waveform, 70_001, dim=-1)
    streamed = torch.cat(list(autoencoder.encode_stream(blocks)), dim=-1)
    torch.testing.assert_close(streamed, latent, atol=1e-4, rtol=0)
    decoded = autoencoder.decode(latent)
    pieces = torch.cat(list(autoencoder.decode_stream(latent)), dim=-1)
    torch.testing.assert_close(pieces, decoded, atol=1e-4, rtol=0)


@torch.no_grad()
def test_basis_gives_the_best_linear_code() -> None:
    generator = torch.Generator().manual_seed(3)
    steps = torch.rand(1, 1, 40, generator=generator).repeat_interleave(2048, dim=-1)
    waveform = whole(chord())[..., : 2048 * 40] * steps
    autoencoder = fitted(waveform, latent_channels=4)
    features = autoencoder.features(waveform)
    latent = autoencoder.encode_features(features)
    variance = latent.var(dim=(0, 2), unbiased=False)
    assert bool((variance[:-1] > variance[1:]).all())  # the most important first
    error = (autoencoder.decode_features(latent) - features).square().sum()
    values = torch.linalg.svdvals(features[0].double())
    assert float(error) == pytest.approx(float(values[4:].square().sum()), rel=0.02)


def test_loss_reaches_every_trained_parameter() -> None:
    autoencoder = build().train()
    for parameter in autoencoder.parameters():  # leave the zero start, where gradients stop
        parameter.data += 0.01 * torch.randn_like(parameter)
    loss, parts = autoencoder.training_loss(whole(chord(0.5, wide=0.3)))
    loss.backward()
    assert set(parts) == {"absolute", "square", "level"}
    missing = [n for n, p in autoencoder.named_parameters() if p.grad is None or not p.grad.any()]
    assert missing == []


def test_masking_happens_in_training_only() -> None:
    waveform = whole(chord(1.0))
    autoencoder = fitted(waveform, latent_channels=8)
    first, _ = autoencoder(waveform)
    second, _ = autoencoder(waveform)
    assert torch.equal(first, second)
    autoencoder.train()
    torch.manual_seed(1)
    losses = {autoencoder.training_loss(waveform)[0].item() for _ in range(4)}
    assert len(losses) == 4


def test_frozen_encoder_gets_no_gradient_but_the_decoder_does() -> None:
    autoencoder = build().train()
    loss, _ = autoencoder.training_loss(whole(chord(0.5, wide=0.3)), frozen=True)
    loss.backward()
    assert autoencoder.project.grad is None
    assert autoencoder.expand.grad is not None
    assert bool(autoencoder.expand.grad.any())


@pytest.mark.parametrize("wide", [0.1, 0.3, 1.0])
def test_levels_of_mid_and_side_are_those_of_the_waveform(wide: float) -> None:
    autoencoder = build()
    waveform = whole(chord(1.0, wide=wide))
    left, right = waveform[0]
    levels = autoencoder.levels(autoencoder.features(waveform))[0]
    energy = (2 * levels).exp().sum(0)
    found = 10 * (energy[1] / energy[0]).log10()
    wanted = 10 * ((left - right).square().sum() / (left + right).square().sum()).log10()
    assert float(found) == pytest.approx(float(wanted), abs=2.0)  # dB; groups of bins share a cue


def test_training_drops_the_last_channels_of_some_crops_and_never_the_first() -> None:
    autoencoder = build()
    torch.manual_seed(0)
    kept = drop_last_channels(torch.ones(400, autoencoder.latent_channels, 2))[..., 0]
    counts = kept.sum(1)
    assert bool((kept[:, : autoencoder.latent_channels // 4] == 1).all())
    assert bool((kept[:, :-1] >= kept[:, 1:]).all())
    assert 0.3 < float((counts < autoencoder.latent_channels).float().mean()) < 0.7


def test_bands_have_the_same_bins_whatever_the_sine_rounds_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = build_autoencoder(SpectralConfig())
    sine = torch.sin
    monkeypatch.setattr(torch, "sin", lambda x: sine(x) * (1 - 6e-8))
    rounded = build_autoencoder(SpectralConfig())
    assert isinstance(exact, SpectralAutoencoder)
    assert isinstance(rounded, SpectralAutoencoder)
    assert rounded.num_features == exact.num_features == 1690


@torch.no_grad()
@pytest.mark.heavy
def test_with_the_phase_of_the_original_the_waveform_comes_back() -> None:
    """With all components, what is lost is the pooling of the features and the side's phase."""
    waveform = whole(chord(wide=0.3)) + 0.01 * torch.randn(
        1, 2, 2 * SECOND // 2048 * 2048, generator=torch.Generator().manual_seed(0)
    )
    autoencoder = fitted(waveform)
    latent = autoencoder.encode(waveform)
    samples = waveform.shape[-1] - 100
    back = autoencoder.decode_with_phase(latent, waveform[..., :samples])
    rebuilt = autoencoder.decode(latent, samples)
    assert back.shape == rebuilt.shape == (1, 2, samples)
    power = waveform.square().mean()
    errors = [float((x - waveform[..., :samples]).square().mean() / power) for x in (back, rebuilt)]
    assert errors[0] < 0.05
    assert errors[1] > 0.5  # the phases are others


def test_the_phase_of_the_original_is_lent_in_pieces_as_in_the_whole() -> None:
    waveform = whole(chord(wide=0.3))
    autoencoder = fitted(waveform)
    latent = autoencoder.encode(waveform)
    at_once = autoencoder.decode_with_phase(latent, waveform)
    autoencoder.stream_seconds = 0.4
    in_pieces = autoencoder.decode_with_phase(latent, waveform)
    torch.testing.assert_close(in_pieces, at_once, atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="samples asked"):
        autoencoder.decode_with_phase(latent[..., :-1], waveform)
