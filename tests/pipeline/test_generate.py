"""Text to music on the tiny model: lengths, seeds, batches, windows, levels, settings."""

import dataclasses

import numpy as np
import pytest
import torch

from jen1cli import Jen1, audio
from jen1cli.errors import ConfigError
from jen1cli.music.controls import NO_CONTROLS
from jen1cli.pipeline.denoising import Canvas, encode_prompts, fill, seeded_noise
from jen1cli.pipeline.networks import choose_dtype
from jen1cli.pipeline.windows import plan_windows
from jen1cli.recipe import read_recipe
from jen1cli.sampling import Sampling
from jen1cli.training.engine.optimisation import mixed_precision
from jen1cli.training.recipes import Optimisation


@pytest.mark.parametrize(
    "seconds", [0.05, 1.0, 1.001, *(pytest.param(x, marks=pytest.mark.heavy) for x in (0.7, 2.6))]
)
def test_length_is_exact_and_the_level_safe(tiny, seconds):
    music = tiny.generate("lofi piano", seconds=seconds, seed=1)
    assert music.waveform.shape == (2, round(seconds * 48_000))
    assert music.waveform.dtype == torch.float32
    assert torch.isfinite(music.waveform).all()
    assert music.waveform.std() > 1e-4
    assert audio.true_peak(music.waveform.numpy(), 48_000) <= 10 ** (-1 / 20) + 1e-4
    assert music.seconds == pytest.approx(seconds, abs=1e-4)


def test_same_seed_same_bytes_another_seed_another_music(tiny, tmp_path):
    names = ["a.wav", "b.wav", "c.wav"]
    for name, seed in zip(names, [5, 5, 6], strict=True):
        tiny.generate("lofi piano", seconds=0.5, seed=seed).save(tmp_path / name)
    a, b, c = ((tmp_path / name).read_bytes() for name in names)
    assert a == b
    assert a != c


def test_a_drawn_seed_is_told_and_makes_the_same_again(tiny):
    music = tiny.generate("x", seconds=0.3)
    again = tiny.generate("x", seconds=0.3, seed=music.seed)
    assert torch.equal(music.waveform, again.waveform)
    assert tiny.generate("x", seconds=0.3).seed != music.seed


def test_item_i_of_a_batch_is_the_piece_of_seed_plus_i(tiny):
    prompts = ["piano", "a longer prompt about drums", ""]
    batch = tiny.generate_batch(prompts, seconds=0.2, seed=10)
    assert [music.seed for music in batch] == [10, 11, 12]
    for i, (prompt, music) in enumerate(zip(prompts, batch, strict=True)):
        alone = tiny.generate(prompt, seconds=0.2, seed=10 + i)
        if tiny.device == "cpu":
            assert torch.equal(music.waveform, alone.waveform)
        else:
            torch.testing.assert_close(music.waveform, alone.waveform, atol=2e-2, rtol=0)


@pytest.mark.heavy
def test_one_call_for_three_pieces_equals_three_calls(tiny):
    """What a GPU does at once: neighbours in a batch do not mix."""
    networks = tiny.networks
    settings = Sampling.over(tiny.config.generation, {"steps": 3})
    windows = plan_windows(90, [(0, 90)], window=60, context=30)

    def made(prompts, seeds):
        return fill(
            networks,
            Canvas.empty(networks, 90, len(prompts)),
            windows,
            encode_prompts(networks, prompts, "", NO_CONTROLS),
            settings,
            [seeded_noise(seed) for seed in seeds],
        )

    with torch.inference_mode():
        together = made(["a", "a longer one", ""], [1, 2, 3])
        for i, prompt in enumerate(["a", "a longer one", ""]):
            torch.testing.assert_close(
                together[i : i + 1], made([prompt], [i + 1]), atol=1e-3, rtol=0
            )


@pytest.fixture(scope="module")
def plain(tiny):
    return tiny.generate("lofi piano", seconds=0.3, seed=1)


@pytest.mark.parametrize(
    "options",
    [
        {"negative_prompt": "drums"},
        {"steps": 7},
        {"sampler": "unipc"},
        {"guidance_scale": 1.0},
        {"guidance_scale": 6.0},
        {"guidance_interval": (0.3, 0.6)},
        {"guidance_rescale": 0.7},
        {"eta": 1.0},
    ],
)
def test_every_setting_changes_the_music(tiny, plain, options):
    other = tiny.generate("lofi piano", seconds=0.3, seed=1, **options)
    assert not torch.equal(plain.waveform, other.waveform)
    for name, value in options.items():
        assert getattr(other.recipe, name) == value


def test_guidance_along_the_level_axes_can_be_scaled(tiny):
    with pytest.raises(ConfigError, match="no level axes"):
        tiny.generate("lofi piano", seconds=0.3, seed=1, level_guidance=0.0)
    components = tiny.config.whitening.components
    axes = torch.eye(components)[:2]
    tiny.networks = dataclasses.replace(tiny.networks, level_axes=axes)
    plain = tiny.generate("lofi piano", seconds=0.3, seed=1)
    other = tiny.generate("lofi piano", seconds=0.3, seed=1, level_guidance=0.0)
    assert not torch.equal(plain.waveform, other.waveform)
    assert (plain.recipe.level_guidance, other.recipe.level_guidance) == (1.0, 0.0)


def test_long_pieces_have_their_own_context_and_keep_that_of_their_recipe(tiny, tmp_path):
    def with_context(seconds):
        generation = dataclasses.replace(tiny.config.generation, piece_context_seconds=seconds)
        tiny.config = dataclasses.replace(tiny.config, generation=generation)

    usual = tiny.generate("lofi piano", seconds=1.5, seed=1)
    with_context(0.25)
    music = tiny.generate("lofi piano", seconds=1.5, seed=1)
    assert (usual.recipe.context_seconds, music.recipe.context_seconds) == (0.5, 0.25)
    assert not torch.equal(usual.waveform, music.waveform)
    assert torch.equal(usual.waveform, tiny.again(usual.recipe).waveform)
    streamed = tiny.stream("lofi piano", seconds=1.5, seed=1)
    parts = np.concatenate(list(streamed.blocks), axis=1)
    with_context(None)
    assert streamed.recipe.context_seconds == 0.25
    assert np.array_equal(parts, tiny.again(streamed.recipe).waveform.numpy())


def test_prompt_and_direction_change_the_music(tiny):
    plain = tiny.generate("lofi piano", seconds=0.3, seed=1)
    for other in (
        tiny.generate("heavy metal", seconds=0.3, seed=1),
        tiny.generate("lofi piano", seconds=0.3, seed=1, direction="unidirectional"),
    ):
        assert not torch.equal(plain.waveform, other.waveform)


def test_the_network_runs_in_the_direction_of_the_task(tiny, calls):
    tiny.generate("x", seconds=0.3, seed=0)
    assert set(calls()) == {(False, 0)}
    tiny.generate("x", seconds=0.3, seed=0, direction="unidirectional")
    assert set(calls()) == {(True, 0)}
    tiny.generate("x", seconds=1.4, seed=0)  # a window of 150 frames, then 60 that hear 75
    assert calls() == [(False, 0)] * 2 + [(True, 75)] * 2


@pytest.mark.heavy
def test_long_music_has_no_repeated_beginning_and_counts_its_steps(tiny):
    seen = []
    music = tiny.generate("x", seconds=3.3, seed=1, progress=lambda *step: seen.append(step))
    first = music.waveform[:, :24_000]
    for start in range(24_000, 120_000, 4_800):
        assert not torch.allclose(first, music.waveform[:, start : start + 24_000], atol=1e-3)
    windows = 1 + 5  # of 1 s with 0.5 s of context: 1 s and then 2.3 s in pieces of 0.46 s
    total = windows * tiny.config.generation.steps
    assert seen == [(i + 1, total) for i in range(total)]


@pytest.mark.heavy
def test_windows_meet_at_one_loudness(tiny):
    music = tiny.generate("x", seconds=3.0, seed=3).waveform.numpy()
    levels = [audio.loudness(part, 48_000) for part in np.array_split(music, 5, axis=1)]
    assert max(levels) - min(levels) < 4.5


def test_settings_that_make_no_sense_are_refused(tiny):
    for options, words in [
        ({"steps": 0}, "steps"),
        ({"steps": 1_001}, "steps is 1001; give 1 to 1,000"),
        ({"sampler": "euler"}, "dpmpp-2m"),
        ({"guidance_scale": -1.0}, "guidance_scale"),
        ({"guidance_interval": (0.8, 0.2)}, "guidance_interval"),
        ({"eta": 2.0}, "eta"),
        ({"seconds": -1.0}, "seconds"),
        ({"seconds": float("nan")}, "seconds"),
        ({"eta": 0.5, "sampler": "unipc"}, "ddim"),
    ]:
        with pytest.raises(ConfigError, match=words):
            tiny.generate("x", **{"seconds": 0.2, **options})
    with pytest.raises(TypeError):
        tiny.generate("x", seconds=0.2, stepps=3)


@pytest.mark.parametrize("prompt", ["", "피아노와 비 내리는 밤 🎹", "word " * 2_000])
def test_any_prompt_makes_music(tiny, prompt):
    assert torch.isfinite(tiny.generate(prompt, seconds=0.2, seed=0).waveform).all()


@pytest.mark.heavy
def test_files_carry_the_recipe_and_it_makes_the_same_bytes(tiny, tmp_path):
    music = tiny.generate(
        "lofi", seconds=1.7, seed=9, steps=3, direction="unidirectional", negative_prompt="drums"
    )
    for name in ("a.wav", "a.flac", "a.ogg"):
        music.save(tmp_path / name)
        recipe = read_recipe(tmp_path / name)
        assert recipe == music.recipe
        tiny.again(recipe).save(tmp_path / f"again-{name}")
        assert (tmp_path / name).read_bytes() == (tmp_path / f"again-{name}").read_bytes()


def test_presets_need_leave_to_be_random():
    with pytest.raises(ConfigError, match="random_weights"):
        Jen1.from_preset("tiny")
    with pytest.raises(ConfigError, match="did you mean"):
        Jen1.from_preset("tinny", random_weights=True)
    with pytest.raises(ConfigError, match="device"):
        Jen1.from_preset("tiny", random_weights=True, device="quantum")
    a, b, c = (
        Jen1.from_preset("tiny", random_weights=True, seed=seed, device="cpu") for seed in (0, 0, 1)
    )
    first = a.generate("x", seconds=0.2, seed=0).waveform
    assert torch.equal(first, b.generate("x", seconds=0.2, seed=0).waveform)
    assert not torch.equal(first, c.generate("x", seconds=0.2, seed=0).waveform)


@pytest.mark.heavy
def test_half_precision_stays_near_and_a_recipe_tells_it_apart(tiny_folder, tiny, caplog):
    half = Jen1.load(tiny_folder, device="cpu", dtype="bf16")
    half.again(tiny.generate("x", seconds=0.1, seed=0).recipe)
    assert "not the same bytes" in caplog.text
    assert (half.dtype, tiny.dtype) == ("bf16", "fp32")
    a = tiny.generate("x", seconds=0.5, seed=0, guidance_scale=1.0).waveform
    b = half.generate("x", seconds=0.5, seed=0, guidance_scale=1.0).waveform
    assert not torch.equal(a, b)
    assert np.corrcoef(a.numpy().ravel(), b.numpy().ravel())[0, 1] > 0.95


@pytest.mark.parametrize(
    ("processor", "dtype"),
    [
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": True}, "bf16"),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": False}, "fp32"),
        ({"cpu_name": "AMD Zen 4", "avx512_bf16": True}, "bf16"),
        ({"cpu_name": "Apple M1"}, "fp32"),
    ],
)
def test_the_arithmetic_is_the_one_that_the_processor_is_fast_in(monkeypatch, processor, dtype):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: processor)
    cpu = torch.device("cpu")
    assert choose_dtype("auto", cpu) == dtype
    assert mixed_precision(Optimisation(), cpu) == {"bf16": "bf16", "fp32": "no"}[dtype]
    assert choose_dtype("bf16", cpu) == mixed_precision(Optimisation(precision="bf16"), cpu)
