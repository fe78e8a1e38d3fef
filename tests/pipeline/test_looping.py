"""Loops on the tiny model: exact lengths, rings without a seam, recipes and chunks."""

import struct

import numpy as np
import pytest
import torch

from jen1cli import Controls, Jen1, audio
from jen1cli.audio.chunks import read_chunks
from jen1cli.conditioning.controls.channels import control_channels
from jen1cli.errors import ConfigError
from jen1cli.music.controls import CHANNELS_WITH_CHORDS
from jen1cli.music.full_score import FullScore, ScorePart
from jen1cli.music.patterns import parse_melody
from jen1cli.pipeline.coding import decoded_blocks
from jen1cli.pipeline.denoising import seeded
from jen1cli.pipeline.looping import (
    _decoded_ring,
    _ring_controls,
    ring_windows,
    stretched_ring,
)
from jen1cli.recipe import Recipe, read_recipe

SHORT = {"seed": 3, "steps": 2}


@pytest.mark.parametrize(
    ("bpm", "meter", "bars", "samples"),
    [
        pytest.param(120.0, "4/4", 1, 96_000, marks=pytest.mark.heavy),
        pytest.param(119.0, "4/4", 2, 193_613, marks=pytest.mark.heavy),  # 193,613.45 samples
        (97.0, "3/4", 1, 89_072),  # 89,072.16
        (80.0, "6/8", 1, 72_000),  # dotted quarters
    ],
)
def test_the_length_is_that_of_the_bars_to_the_sample(tiny, bpm, meter, bars, samples):
    music = tiny.generate("x", loop_bars=bars, controls=Controls(bpm=bpm, meter=meter), **SHORT)
    assert music.waveform.shape == (2, samples)
    assert abs(samples - bars * music.recipe.controls.bar_seconds * 48_000) <= 0.5
    assert audio.true_peak(np.tile(music.waveform.numpy(), 2), 48_000) <= 10 ** (-1 / 20) + 1e-4


@pytest.mark.parametrize("composer", ["rules", "learned"])
def test_the_tempo_of_a_loop_is_the_composers_where_nobody_gives_one(tiny, composer):
    style = {"style": "deep house"} if composer == "rules" else {}
    music = tiny.generate("house", loop_bars=1, composer=composer, **style, **SHORT)
    controls = music.recipe.controls
    assert controls.has_bars
    assert music.waveform.shape[1] == round(controls.bar_seconds * 48_000)
    assert music.recipe.seconds == music.seconds


def test_a_loop_has_no_ending_and_no_form():
    from jen1cli.composition.pieces.piece import compose_piece

    given = Controls(bpm=60.0, meter="4/4")
    piece, loop = (compose_piece("folk", 5, 32.0, given, loops=loops) for loops in (False, True))
    assert len(piece.sections) > 1
    assert {section.name for section in loop.sections}.isdisjoint({"intro", "outro", "ending"})
    last = max(note.beat for part in loop.parts for note in part.notes)
    assert last >= 28.0, "the last bar is played"


def test_the_last_samples_are_those_that_lead_to_the_first(tiny):
    networks = tiny.networks
    latent = torch.randn(1, networks.autoencoder.latent_channels, 30, generator=seeded(1))
    latent = latent.to(networks.device)
    with torch.inference_mode():
        ring = _decoded_ring(networks, latent)
        around = torch.cat([latent, latent, latent], dim=-1)
        decoded = np.concatenate(list(decoded_blocks(networks, around)), axis=1)
    length = ring.shape[1]
    assert length == 30 * networks.autoencoder.hop_length
    np.testing.assert_array_equal(ring[:, : length // 2], decoded[:, length : length * 3 // 2])
    np.testing.assert_allclose(ring[:, -3:], decoded[:, length - 3 : length], atol=1e-3)


@pytest.mark.parametrize("frames", [5, 23, 60, 61, 150])
def test_windows_go_round_the_ring(frames):
    """Each frame is predicted from its neighbours on the ring, also across the seam."""

    def neighbours(x, t, *, context, text, text_mask, causal):
        padded = torch.nn.functional.pad(x, (1, 1))  # zeros at the edges of a window
        return padded[..., :-2] + 2 * padded[..., 2:]

    network = ring_windows(neighbours, frames, 60)
    x = torch.randn(2, 3, frames, generator=seeded(frames), dtype=torch.float64)
    more = {"context": x, "text": torch.zeros(2, 1, 4), "text_mask": torch.ones(2, 1).bool()}
    found = network(x, torch.zeros(2), causal=False, **more)
    truth = x.roll(1, -1) + 2 * x.roll(-1, -1)
    # the outermost frames of a window have a weight near 0
    torch.testing.assert_close(found, truth, atol=0.35, rtol=0)
    at_seam = [0, frames - 1]
    torch.testing.assert_close(found[..., at_seam], truth[..., at_seam], atol=0.35, rtol=0)


@pytest.mark.parametrize("frames", [5, 50, 90])
def test_windows_that_agree_are_blended_to_what_they_agree_on(frames):
    def network(x, t, *, context, text, text_mask, causal):
        return 0.5 * x + context

    windowed = ring_windows(network, frames, 40)
    x = torch.randn(2, 3, frames, generator=seeded(frames))
    more = {"text": torch.zeros(2, 1, 4), "text_mask": torch.ones(2, 1).bool(), "causal": False}
    torch.testing.assert_close(windowed(x, torch.zeros(2), context=x, **more), 1.5 * x)


@pytest.mark.parametrize("samples", [999, 1000, 1001, 1013])
def test_a_ring_is_stretched_as_a_periodic_signal(samples):
    phase = 2 * np.pi * np.arange(1000) / 1000
    ring = np.stack([np.sin(3 * phase), np.cos(40 * phase) + 0.1]).astype(np.float32)
    phase = 2 * np.pi * np.arange(samples) / samples
    truth = np.stack([np.sin(3 * phase), np.cos(40 * phase) + 0.1])
    np.testing.assert_allclose(stretched_ring(ring, samples), truth, atol=1e-5)


def test_the_score_goes_on_over_the_seam(tiny):
    """Its channels are those of a later repetition; the first stroke reaches back over the seam."""
    controls = Controls(bpm=120.0, meter="4/4", drums="kick x...", chords="C G")
    ring = _ring_controls(tiny.networks, controls, 80, 4.0)
    later = control_channels([controls], [4.0], 80, 20.0, ring.shape[1])
    torch.testing.assert_close(ring.cpu(), later)
    kick = ring[0, CHANNELS_WITH_CHORDS].cpu()
    assert float(kick[0]) == float(kick[-1]) == 0.5


@pytest.mark.parametrize("composer", ["rules", "none"])
def test_score_and_patterns_of_a_loop_with_an_upbeat_are_in_step(tiny, composer):
    """The upbeat is the last beat of the first bar."""
    lead = ScorePart("lead", "woodwinds", ((0.0, 0.4, 72, 0.8), (0.5, 0.4, 76, 0.8)))
    given = Controls(120.0, "4/4", -1.5, melody=". . . C5 | E5", score=FullScore((lead,), 2.0))
    style = {"style": "folk"} if composer == "rules" else {}
    music = tiny.generate("folk", loop_bars=2, controls=given, composer=composer, **style, **SHORT)
    found = music.recipe.controls
    assert found.downbeat == 0.0
    pattern = [sound.start for sound in found.sounding(parse_melody(found.melody), 0.0, 4.0)]
    (part,) = [part for part in found.score.parts if part.role == "lead"]
    onsets = [found.score.start + onset for onset, *_ in part.notes]
    assert onsets == pytest.approx(pattern)
    assert onsets == pytest.approx([1.5, 2.0])


@pytest.mark.heavy
def test_a_loop_is_made_again_varied_and_stored(tiny, tmp_path):
    music = tiny.generate("x", loop_bars=1, controls=Controls(bpm=125.0, meter="4/4"), **SHORT)
    music.save(tmp_path / "a.wav")
    recipe = read_recipe(tmp_path / "a.wav")
    assert recipe.loop_bars == 1
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert torch.equal(tiny.again(recipe).waveform, music.waveform)
    other = tiny.vary(music, amount=0.5, seed=1)
    assert (other.waveform.shape, other.recipe.loop_bars) == (music.waveform.shape, 1)
    assert not torch.equal(other.waveform, music.waveform)
    assert "loop_bars" not in tiny.generate("x", seconds=0.3, **SHORT).recipe.to_dict()


@pytest.mark.heavy
def test_samplers_are_told_of_the_loop(tiny, tmp_path):
    controls = Controls(bpm=125.0, meter="6/8", key="D", mode="minor")
    music = tiny.generate("x", loop_bars=2, controls=controls, **SHORT)
    music.save(tmp_path / "a.wav")
    with (tmp_path / "a.wav").open("rb") as file:
        chunks = {chunk.tag: chunk for chunk in read_chunks(file).chunks}

        def payload(tag):
            file.seek(chunks[tag].at)
            return file.read(chunks[tag].size)

        sampler = struct.unpack("<9I6I", payload(b"smpl"))
        acid = struct.unpack("<IHHfIHHf", payload(b"acid"))
    samples = music.waveform.shape[1]
    assert sampler[2] == 20_833  # ns for each sample
    assert sampler[7] == 1
    assert sampler[10:14] == (0, 0, samples - 1, 0)
    flags, root, _, _, quarters, note, beats, bpm = acid
    assert (flags, root, quarters, note, beats) == (6, 62, 6, 8, 6)
    assert bpm == pytest.approx(187.5, abs=0.01)  # quarters a minute
    tiny.generate("x", seconds=0.3, **SHORT).save(tmp_path / "b.wav")
    with (tmp_path / "b.wav").open("rb") as file:
        assert {b"smpl", b"acid"}.isdisjoint(chunk.tag for chunk in read_chunks(file).chunks)


def test_what_is_no_loop_is_refused(tiny):
    with pytest.raises(ConfigError, match="a loop of 0 bars"):
        tiny.generate("x", loop_bars=0, **SHORT)
    with pytest.raises(ConfigError, match="a loop of 65 bars"):
        tiny.generate("x", loop_bars=65, **SHORT)
    with pytest.raises(ConfigError, match="no tempo is known"):
        tiny.generate("x", loop_bars=1, composer="none", **SHORT)
    with pytest.raises(ConfigError, match="has no direction"):
        tiny.generate("x", loop_bars=1, direction="unidirectional", **SHORT)


@pytest.mark.slow
def test_the_step_over_the_seam_is_like_those_inside():
    """With the bundled weights: in an excerpt that is only cut, it exceeds nearly all others."""
    model = Jen1.load(device="cpu", dtype="fp32")
    ranks = []
    for seed, prompt in enumerate(("deep house", "jazz trio", "lofi piano")):
        music = model.generate(prompt, loop_bars=2, seed=seed)
        steps = np.abs(np.diff(np.tile(music.waveform.numpy(), 2).mean(axis=0)))
        seam = music.waveform.shape[1] - 1
        ranks.append(float((steps[:seam] < steps[seam]).mean()))
    assert np.mean(ranks) < 0.9
