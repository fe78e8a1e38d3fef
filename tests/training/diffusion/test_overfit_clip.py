"""The test above all: learn one clip by heart, then play it back from its text.

A model that cannot do this makes noise for ever (paper.md, section 13). The whole way is used: the
folder's manifest, latent cache, stage 2, weight set, `Jen1.load`, files. The autoencoder is a small
spectral one at its linear start, so that the test is about diffusion; minutes on one core.
"""

import dataclasses

import numpy as np
import pytest
import torch

from jen1cli import Jen1, audio
from jen1cli.autoencoder import Whitening, build_autoencoder
from jen1cli.autoencoder.codec import Codec, save_codec
from jen1cli.conditioning import TextEncoder
from jen1cli.config import DiffusionConfig, GenerationConfig, SpectralConfig, WhiteningConfig
from jen1cli.manifest import Clip, write_manifest
from jen1cli.presets import TINY
from jen1cli.training.autoencoder.build import start_linear
from jen1cli.training.autoencoder.spectra import magnitudes, mel
from jen1cli.training.diffusion.build import write_latents
from jen1cli.training.jobs import DiffusionJob

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

RATE = 48_000
SECONDS = 5.0
PROMPT = "bell melody over a hat"
COMPONENTS = 24
STEPS = 1200
CONFIG = dataclasses.replace(
    TINY,
    autoencoder=SpectralConfig(
        latent_channels=COMPONENTS, trunk_channels=32, num_encoder_blocks=1, num_decoder_blocks=1
    ),
    whitening=WhiteningConfig(COMPONENTS, COMPONENTS),
    unet=dataclasses.replace(
        TINY.unet, latent_channels=COMPONENTS, channels=96, multipliers=(1, 1, 2),
        num_blocks=(1, 1, 2), attention=(False, True, True), head_channels=32, time_features=96,
    ),
    diffusion=DiffusionConfig(schedule="cosine", prediction="v"),
    generation=GenerationConfig(
        window_seconds=5.12, sampler="dpmpp-2m", steps=20, guidance_scale=1.0, context_seconds=2.5
    ),
)  # fmt: skip


def make_clip():
    """Ten bell notes left and right over twenty strokes of noise, [2, samples]."""
    t = np.arange(round(SECONDS * RATE)) / RATE
    rng = np.random.default_rng(1)
    clip = np.zeros((2, len(t)))
    for i, note in enumerate([60, 64, 67, 72, 69, 65, 62, 59, 60, 67]):
        since = np.maximum(t - i / 2, 0.0)
        pitch = 440.0 * 2 ** ((note - 69) / 12)
        bell = sum(np.sin(2 * np.pi * pitch * k * since) / k**1.5 for k in range(1, 6))
        side = 0.3 + 0.4 * (i % 2)
        clip += 0.15 * np.exp(-3 * since) * (t >= i / 2) * bell * np.array([[1 - side], [side]])
    for i in range(20):
        since = np.maximum(t - i / 4, 0.0)
        stroke = np.exp(-120 * since) * ((t >= i / 4) & (since < 0.05))
        clip += 0.05 * stroke * rng.standard_normal(len(t))
    return clip.astype(np.float32)


def log_mel(waveform):
    """Return the mel spectrogram of the channels' mean in decibels, from -80 on."""
    magnitude = magnitudes(waveform.mean(0)[None, None], 2048)
    return 20.0 * torch.log10(mel(magnitude, RATE, 128)[0].clamp(min=1e-4))


def likeness(found, wanted):
    """Return the correlation of two log-mel spectrograms."""
    one, two = (log_mel(torch.as_tensor(np.asarray(w))).flatten() for w in (found, wanted))
    length = min(len(one), len(two))
    return float(torch.corrcoef(torch.stack([one[:length], two[:length]]))[0, 1])


@pytest.fixture(scope="module")
def clip():
    return make_clip()


@pytest.fixture(scope="module")
def model(clip, tmp_path_factory):
    """A weight set that knows one clip."""
    folder = tmp_path_factory.mktemp("overfit")
    (folder / "music").mkdir()
    path = folder / "music" / "clip.wav"
    audio.write(path, clip, RATE)
    write_manifest(folder / "music", [Clip(path, (PROMPT,), SECONDS)])
    torch.manual_seed(0)
    words = folder / "words"
    words.mkdir()
    TextEncoder.random(CONFIG.text).save(words)
    autoencoder = build_autoencoder(CONFIG.autoencoder).eval()
    waveform = torch.from_numpy(clip)
    start_linear(autoencoder, torch.stack([waveform[:, i * 97 :][:, : 4 * RATE] for i in range(8)]))
    save_codec(folder / "codec", Codec(CONFIG, autoencoder, Whitening(CONFIG.whitening)))
    write_latents(folder / "music", folder / "codec", folder / "cache", device="cpu")
    job = DiffusionJob(
        cache=folder / "cache", text_encoder=words, output=folder / "run", recipe="overfit",
        steps=STEPS, device="cpu", validate_minutes=1e3, save_minutes=1e3, sample_minutes=1e3,
    )  # fmt: skip
    job.run()
    return Jen1.load(folder / "run" / "weights", device="cpu")


@pytest.mark.parametrize("direction", ["bidirectional", "unidirectional"])
def test_clip_comes_back_from_its_text(model, clip, direction):
    music = model.generate(PROMPT, seconds=SECONDS, seed=3, direction=direction)
    assert likeness(music.waveform, clip) > 0.9
    assert likeness(music.waveform, make_clip()[:, ::-1].copy()) < 0.9  # the measure can fail


def test_hole_is_filled_with_what_was_there(model, clip, tmp_path):
    path = tmp_path / "broken.wav"
    broken = clip.copy()
    start, stop = round(1.5 * RATE), round(3.5 * RATE)
    broken[:, start:stop] = 0.0
    audio.write(path, broken, RATE)
    edit = model.inpaint(path, masks=[(1.5, 3.5)], prompt=PROMPT, seed=3)
    made = np.asarray(edit.waveform)[:, start:stop]
    assert likeness(made, clip[:, start:stop]) > 0.9
    elsewhere = clip[:, : stop - start]
    assert likeness(elsewhere, clip[:, start:stop]) < 0.9  # the measure can fail


def test_intro_is_continued_as_the_clip_goes_on(model, clip, tmp_path):
    path = tmp_path / "intro.wav"
    known = round(2.5 * RATE)
    audio.write(path, clip[:, :known], RATE)
    edit = model.continue_(path, seconds=2.5, prompt=PROMPT, seed=3)
    assert likeness(np.asarray(edit.waveform)[:, known:], clip[:, known:]) > 0.9
