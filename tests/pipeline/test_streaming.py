"""Music as a stream: the samples of a file, in parts that come early."""

import io

import numpy as np
import pytest
import soundfile
import torch

from jen1cli import Controls, audio
from jen1cli.audio.limiting import BLOCK
from jen1cli.pipeline import gain_matching
from jen1cli.pipeline.gain_matching import leveled_blocks, limited_blocks
from jen1cli.recipe import read_recipe

RATE = 48_000
SETTINGS = {"seconds": 3.3, "seed": 5, "steps": 1}


@pytest.fixture(scope="module")
def stream_parts(tiny):
    stream = tiny.stream("lofi piano", **SETTINGS)
    return stream, list(stream.blocks)


def test_a_stream_has_the_samples_of_a_file(tiny, stream_parts):
    stream, parts = stream_parts
    whole = tiny.generate("lofi piano", **SETTINGS)
    joined = np.concatenate(parts, axis=1)
    assert joined.shape == tuple(whole.waveform.shape) == (2, stream.samples)
    scale = float(np.abs(joined).sum() / whole.waveform.abs().sum())
    assert scale == pytest.approx(1.0, abs=0.2)  # the cap of the loudness knows less
    assert np.abs(joined / scale - whole.waveform.numpy()).max() < 2e-3
    assert stream.recipe.streamed
    assert not whole.recipe.streamed
    assert stream.recipe.controls == whole.recipe.controls


@pytest.mark.heavy
def test_again_makes_the_stream_again(tiny, stream_parts):
    stream, parts = stream_parts
    again = tiny.again(stream.recipe)
    assert np.array_equal(again.waveform.numpy(), np.concatenate(parts, axis=1))
    assert again.recipe == stream.recipe


def test_parts_come_before_all_windows_are_sampled(tiny):
    steps = []
    stream = tiny.stream("x", seconds=30.0, seed=1, steps=1,
                         progress=lambda done, total: steps.append((done, total)))  # fmt: skip
    assert not steps
    next(stream.blocks)
    done, total = steps[-1]
    assert done < total // 2
    stream.blocks.close()


def test_a_stream_as_wav_is_the_file_that_is_written(tiny, stream_parts):
    stream, parts = stream_parts
    again = tiny.stream("lofi piano", **SETTINGS)
    data = b"".join(again.wav_parts())
    buffer = io.BytesIO()
    audio.write(buffer, np.concatenate(parts, axis=1), RATE,
                recipe=stream.recipe.to_json(), tags=audio.GENERATED_TAGS)  # fmt: skip
    assert data == buffer.getvalue()
    assert soundfile.info(io.BytesIO(data)).frames == stream.samples
    assert read_recipe(io.BytesIO(data)) == stream.recipe


@pytest.mark.parametrize("channels", [1, 2])
def test_the_header_of_an_odd_number_of_bytes(channels):
    signal = np.random.default_rng(0).uniform(-1, 1, (channels, 777)).astype(np.float32)
    head, tail = audio.wav_frame(channels, RATE, 777, recipe="{}")
    buffer = io.BytesIO()
    audio.write(buffer, signal, RATE, recipe="{}")
    assert head + audio.wav_samples(signal) + tail == buffer.getvalue()


def test_levels_and_limits_are_those_of_the_whole():
    rng = np.random.default_rng(3)
    cuts, samples, last = [2 * RATE, 3 * RATE + 7], 5 * RATE, RATE
    signal = rng.normal(0, 0.02, (2, samples)).astype(np.float32)
    signal[:, cuts[0] : cuts[1]] *= 8.0
    signal[0, 1000::9001] = 1.3  # peaks to limit
    whole = signal.copy()
    gain_matching.level_segments(whole, RATE, cuts, target=None)
    gain_matching.fade_out(whole, last)
    pieces = [signal[:, at : at + 31_337] for at in range(0, samples, 31_337)]
    found = list(leveled_blocks(iter(pieces), RATE, cuts, samples, last))
    leveled = np.concatenate(found, axis=1)
    assert len(found) == 5
    assert np.array_equal(leveled, whole)
    gain_matching.limit(whole, RATE)
    limited = np.concatenate(list(limited_blocks(iter(found))), axis=1)
    assert limited.shape == whole.shape
    assert np.abs(limited - whole).max() < 1e-6
    assert all(part.shape[1] % BLOCK == 0 for part in list(limited_blocks(iter(found)))[:-1])


@pytest.mark.heavy
def test_a_form_is_streamed_with_its_decay(tiny):
    stream = tiny.stream(
        "pop", form="a:2 end", composer="rules", seed=3, steps=1,
        controls=Controls(bpm=300.0, meter="4/4"),
    )  # fmt: skip
    signal = np.concatenate(list(stream.blocks), axis=1)
    assert stream.seconds == pytest.approx(2.4)
    assert np.abs(signal[:, -2400:]).max() < 0.05 * np.abs(signal).max()
    assert torch.equal(tiny.again(stream.recipe).waveform, torch.from_numpy(signal))
