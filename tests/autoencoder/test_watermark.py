"""The decoder's noise phases as a watermark: found in its sound alone, by who has the key."""

import io

import numpy as np
import pytest
import soundfile
import torch

from jen1cli import audio
from jen1cli.autoencoder import build_autoencoder
from jen1cli.autoencoder.phase import noise_phases
from jen1cli.autoencoder.watermark import (
    FOUND,
    WatermarkSearch,
    environment_key,
    find_watermarks,
    fingerprint,
)
from jen1cli.errors import ConfigError
from jen1cli.presets import preset

CONFIG = preset("mini").autoencoder
KEY = "0123456789abcdef"
RATE = CONFIG.sample_rate
FIRST = [1.46126, 2.327681]  # radians; another table would hide the watermark of earlier music


def decoded(seconds, key=""):
    """Return what the decoder of jen1-mini makes of noise, [2, samples]."""
    autoencoder = build_autoencoder(CONFIG).eval()
    autoencoder.noise_key = key
    generator = torch.Generator().manual_seed(1)
    frames = round(seconds * RATE / autoencoder.hop_length)
    latent = torch.randn(1, autoencoder.latent_channels, frames, generator=generator)
    with torch.inference_mode():
        return autoencoder.decode(latent)[0].numpy()


@pytest.fixture(scope="module")
def plain():
    return decoded(3)


@pytest.fixture(scope="module")
def keyed():
    return decoded(3, KEY)


@pytest.fixture(scope="module")
def search():
    return WatermarkSearch(CONFIG)


def as_ogg(signal):
    buffer = io.BytesIO()
    soundfile.write(buffer, signal.T, RATE, format="OGG", subtype="VORBIS")
    buffer.seek(0)
    return soundfile.read(buffer, dtype="float32")[0].T


CHANGES = {
    "as made": lambda x: x,
    "16 bit": lambda x: np.round(x / abs(x).max() * 32767) / 32768,
    "softer": lambda x: x * 0.01,
    "inverted": lambda x: -x,
    "left channel": lambda x: x[:1],
    "a second, cut out anywhere": lambda x: x[:, 33_333 : 33_333 + RATE],
    "OGG": as_ogg,
    "44.1 kHz": lambda x: audio.resample(audio.resample(x, RATE, 44_100), 44_100, RATE),
}


FEW = ("a second, cut out anywhere", "OGG", "44.1 kHz")
"""What is tried by default: cut, compressed and resampled; the others are heavy."""


@pytest.mark.parametrize(
    "change",
    [x if x in FEW else pytest.param(x, marks=pytest.mark.heavy) for x in CHANGES],
)
def test_the_watermark_outlives(plain, search, change):
    changed = CHANGES[change](plain).mean(0).astype(np.float32)
    assert search(changed) > 2 * FOUND


def test_other_sound_has_none(search):
    generator = np.random.default_rng(0)
    time = np.arange(3 * RATE) / RATE
    for sound in (
        generator.standard_normal(3 * RATE),
        np.sin(2 * np.pi * 9000 * time),
        np.sign(np.sin(2 * np.pi * 220 * time)),
        np.zeros(3 * RATE),
        np.zeros(10),
    ):
        assert search(sound.astype(np.float32)) < FOUND


def test_a_key_is_found_by_who_has_it_alone(plain, keyed, search):
    theirs, wrong = WatermarkSearch(CONFIG, KEY), WatermarkSearch(CONFIG, KEY[::-1])
    assert theirs(keyed.mean(0)) > 2 * FOUND
    assert max(search(keyed.mean(0)), wrong(keyed.mean(0)), theirs(plain.mean(0))) < FOUND


def test_a_key_changes_the_noise_alone(plain, keyed):
    assert plain.shape == keyed.shape
    assert abs(plain - keyed).max() > 0.01 * abs(plain).max()
    levels = [np.sqrt(np.mean(np.square(x))) for x in (plain, keyed)]
    assert levels[0] == pytest.approx(levels[1], rel=0.02)


@pytest.mark.heavy
def test_passages_are_told_apart_to_the_second(plain, search):
    noise = 0.1 * np.random.default_rng(0).standard_normal(7 * RATE).astype(np.float32)
    noise[4 * RATE : 6 * RATE] += plain[:, : 2 * RATE].mean(0)  # over the end of a segment
    blocks = np.split(noise, [7, 200_000, 200_001])  # the blocks of a file are any
    found = find_watermarks(blocks, search)
    assert [mark.start for mark in found] == list(range(7))
    assert found[-1].stop == 7
    assert [mark.start for mark in found if mark.strength > FOUND] == [4, 5]
    assert find_watermarks([], search) == []


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("seconds", "hertz"),
    [(3, 5), (5, 3)],  # 104 and 62 parts in a million
)
def test_a_clock_that_is_off_hides_it_in_the_whole_and_not_in_the_parts(search, seconds, hertz):
    slow = decoded(seconds + 0.12)[:, : seconds * RATE]
    other = audio.resample(slow, RATE, RATE + hertz).mean(0)
    marks = find_watermarks([other], search)
    assert search(other[: seconds * RATE]) < max(mark.strength for mark in marks)
    assert sum(mark.strength > FOUND for mark in marks) >= seconds - 1


@pytest.mark.parametrize(
    "peak", [*(pytest.param(x, marks=pytest.mark.heavy) for x in (1e-9, 1e-35)), 1e-42]
)
def test_sound_below_hearing_has_none_and_no_numbers_that_are_none(search, peak):
    noise = np.random.default_rng(0).uniform(-peak, peak, RATE).astype(np.float32)
    with np.errstate(all="raise"):
        assert search(noise) == 0.0
    faded = np.geomspace(1.0, 1e-42, RATE).astype(np.float32) * noise[::-1] / np.float32(peak)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert search(faded) < FOUND


def test_tables_are_fixed():
    assert noise_phases(386)[0, :2] == pytest.approx(FIRST, abs=1e-6)
    assert noise_phases(386).shape == noise_phases(386, KEY).shape
    assert abs(noise_phases(386) - noise_phases(386, KEY)).mean() > 1


def test_fingerprints_tell_keys_apart():
    assert fingerprint("") == ""
    assert len({fingerprint(KEY), fingerprint(KEY + "0")}) == 2
    assert len(fingerprint(KEY)) == 8
    assert len(fingerprint("\udcff" * 16)) == 8, "bytes of the environment that are no UTF-8"
    assert noise_phases(386, "\udcff" * 16).shape == (386, 1021)


def test_a_short_key_is_refused(monkeypatch):
    monkeypatch.setenv("JEN1_WATERMARK_KEY", "secret")
    with pytest.raises(ConfigError, match="has 6 characters; a key needs 16 or more"):
        environment_key()
    monkeypatch.setenv("JEN1_WATERMARK_KEY", KEY)
    assert environment_key() == KEY
    monkeypatch.setenv("JEN1_WATERMARK_KEY", "")
    assert environment_key() == ""
