"""The map from latents to semitones: spectra of known tones, and a codec that it fits exactly."""

import pytest
import torch

from jen1cli.conditioning.controls.pitch_head import LOWEST_PITCH, NUM_PITCHES
from jen1cli.training.controls.pitch_map import fit_pitch_map, semitone_spectrum

RATE, HOP = 48_000, 2_048


def tone(number, frames, amplitude=0.5):
    hertz = 440.0 * 2 ** ((number - 69) / 12)
    return amplitude * torch.sin(2 * torch.pi * hertz * torch.arange(frames * HOP) / RATE)


@pytest.mark.parametrize("number", [57, 69, 84, 100])
def test_a_tone_is_loudest_in_its_own_row(number):
    spectrum = semitone_spectrum(tone(number, 20).expand(1, 2, -1), RATE, HOP)
    assert spectrum.shape == (1, NUM_PITCHES, 20)
    middle = spectrum[0, :, 10]
    assert int(middle.argmax()) == number - LOWEST_PITCH
    assert float(middle.max() - middle[number - LOWEST_PITCH - 12]) > 3.0  # nepers
    double = semitone_spectrum(2 * tone(number, 20).expand(1, 2, -1), RATE, HOP)[0, :, 10]
    assert float((double - middle)[number - LOWEST_PITCH]) == pytest.approx(0.693, abs=0.01)


def test_a_frame_tells_of_the_samples_around_its_middle():
    wave = tone(69, 40)
    wave[: 20 * HOP] = 0
    row = semitone_spectrum(wave.expand(1, 2, -1), RATE, HOP)[0, 69 - LOWEST_PITCH].exp()
    half = float(row.max()) / 2
    assert int((row > half).nonzero()[0]) == 20
    assert float(row[15]) < 0.01 * half


NUMBERS = (55, 60, 65, 70)


def organ(latent):
    """Decode levels, in nepers, of tones a fourth apart."""
    level = torch.nn.functional.interpolate(latent, scale_factor=HOP, mode="linear")
    tones = torch.stack([tone(number, latent.shape[2], 0.05) for number in NUMBERS])
    return (level.exp() * tones).sum(1, keepdim=True).expand(-1, 2, -1)


def test_levels_of_tones_are_found_in_their_rows():
    torch.manual_seed(0)
    steady = torch.randn(12, 4, 5).repeat_interleave(8, 2)
    weight, bias = fit_pitch_map(steady[:, None].unbind(0), organ, RATE, HOP)
    assert weight.shape == (NUM_PITCHES, 4, 3)
    assert bias.shape == (NUM_PITCHES,)
    rows = weight.sum(2)[[n - LOWEST_PITCH for n in NUMBERS]]
    rows = rows / rows.diagonal().mean()
    assert torch.allclose(rows, torch.eye(4), atol=0.25)
    latent = torch.randn(1, 4, 5).repeat_interleave(8, 2)
    found = torch.nn.functional.conv1d(latent, weight, bias, padding=1)[..., 2:-2]
    wanted = semitone_spectrum(organ(latent), RATE, HOP)[..., 2:-2]
    heard = [n - LOWEST_PITCH for n in NUMBERS]
    both = torch.stack([found[0, heard].flatten(), wanted[0, heard].flatten()])
    assert float(both.corrcoef()[0, 1]) > 0.95
