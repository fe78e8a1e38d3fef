"""What a recording repeats fills its holes; where nothing is repeated, the network does."""

import dataclasses
import io

import numpy as np
import pytest
import soundfile
import torch

from jen1cli import audio
from jen1cli.config import DiffusionConfig
from jen1cli.diffusion import Denoiser, Schedule, Start, sample
from jen1cli.errors import ConfigError
from jen1cli.evaluation.loop_fill import loop_fill
from jen1cli.midi import Passage
from jen1cli.music.controls import Controls
from jen1cli.pipeline.edits.inpainting import timeline_of
from jen1cli.pipeline.edits.repetition import guess, with_detail_of
from jen1cli.recipe import Recipe
from jen1cli.sampling import Sampling, Variation

RATE = 24_000
PERIOD = 2 * RATE  # samples of a bar
HOLE = (5.0, 6.5)


def bar(seed):
    """Return a bar [2, PERIOD] of decaying tones, with strokes of noise on the beats."""
    random = np.random.default_rng(seed)
    times = np.arange(PERIOD // 8) / RATE
    notes = []
    for step in range(8):
        tone = np.sin(2 * np.pi * random.uniform(200, 2000) * times) * np.exp(-5 * times)
        stroke = random.normal(size=len(times)) * np.exp(-80 * times) * (step % 2 == 0)
        notes.append(0.2 * tone + 0.1 * stroke)
    mono = np.concatenate(notes)
    return np.stack([mono, 0.7 * mono]).astype(np.float32)


@pytest.fixture(scope="module")
def repeated():
    """Return twelve seconds in which two bars take turns."""
    return np.concatenate([bar(1), bar(2)] * 3, axis=1)


def wave(signal, rate=RATE):
    file = io.BytesIO()
    soundfile.write(file, signal.T, rate, format="WAV", subtype="FLOAT")
    file.seek(0)
    return file


def guess_of(model, signal, hole=HOLE, new=0, played=None):
    source = wave(signal)
    info = audio.probe(source)
    span = tuple(round(at * RATE) for at in hole)
    return guess(timeline_of(model, source, info, [span], new=new), span, played)


def test_a_hole_in_what_repeats_is_filled_by_the_same_samples(tiny, repeated):
    found = guess_of(tiny, repeated)
    first, last = (round(at * RATE) for at in HOLE)
    assert found.fit > 0.9
    (copy,) = found.copies
    assert (copy.start, copy.stop) == HOLE
    assert abs(copy.start - copy.source) == pytest.approx(4.0, abs=1e-4)  # two bars, not one
    np.testing.assert_allclose(found.signal, repeated[:, first:last], atol=1e-4)


def test_music_in_known_bars_is_copied_by_whole_bars(tiny):
    """It repeats after three seconds and after six, which of two seconds are whole bars."""
    parts = np.concatenate([bar(1), bar(2)[:, :RATE]] * 6, axis=1)
    bars = Passage(Controls(120.0, "4/4"), 0.0, 18.0)
    found = guess_of(tiny, parts, played=bars)
    assert [abs(c.start - c.source) for c in found.copies] == pytest.approx([6.0], abs=1e-4)
    assert found.fit > 0.9
    free = guess_of(tiny, parts[:, : 9 * RATE])
    strict = guess_of(tiny, parts[:, : 9 * RATE], played=bars)
    assert strict.fit < free.fit - 0.3, "only three seconds are left of it"


def test_copies_are_taken_from_under_the_same_chords(tiny):
    """Ten bars that sound alike; chords tell which of them is like the one that is missing."""
    parts = np.concatenate([bar(1)] * 10, axis=1)

    def sources(chords):
        controls = Controls(120.0, "4/4", chords=chords)
        found = guess_of(tiny, parts, (8.0, 10.0), played=Passage(controls, 0.0, 20.0))
        return [round(copy.source) for copy in found.copies]

    assert sources("Am | F | Am | G | C | E | Dm | C | Dm | E") == [14]
    assert sources("Am | F | C | G | C | E | Dm | F | Dm | E") == [4]


@pytest.mark.heavy
def test_a_hole_longer_than_what_is_known_is_filled_from_both_sides(tiny):
    parts = np.concatenate([bar(1)] * 6, axis=1)
    found = guess_of(tiny, parts, (3.5, 8.5))
    assert len(found.copies) > 1
    first, last = round(3.5 * RATE), round(8.5 * RATE)
    assert np.corrcoef(found.signal[0], parts[0, first:last])[0, 1] > 0.9


def test_a_continuation_goes_on_in_periods(tiny, repeated):
    found = guess_of(tiny, repeated, (12.0, 18.0), new=6 * RATE)
    assert found.copies[0].start == 12.0
    assert found.copies[-1].stop == 18.0
    again = np.concatenate([repeated, repeated], axis=1)[:, 12 * RATE : 18 * RATE]
    assert np.corrcoef(found.signal[0], again[0])[0, 1] > 0.95


def test_the_copy_has_the_level_of_the_music_around_it(tiny, repeated):
    louder = repeated * np.linspace(0.3, 1.0, repeated.shape[1], dtype=np.float32)
    found = guess_of(tiny, louder)
    first, last = (round(at * RATE) for at in HOLE)
    wanted = np.square(louder[:, first:last]).mean()
    assert 10 * np.log10(np.square(found.signal).mean() / wanted) == pytest.approx(0.0, abs=1.0)


def test_a_loud_stretch_between_soft_ones_is_not_raised_further(tiny):
    """What follows it is softer there than here, but it is itself louder than all around."""
    parts = [bar(1), 2.0 * bar(2), 0.5 * bar(3), bar(1), 2.0 * bar(2), bar(3), bar(1)]
    found = guess_of(tiny, np.concatenate(parts, axis=1), (8.0, 10.0))
    assert found.copies[0].source == pytest.approx(2.0, abs=0.01)
    made = np.square(found.signal).mean() / np.square(parts[1]).mean()
    assert 10 * np.log10(made) == pytest.approx(0.0, abs=0.1)


@pytest.mark.heavy
def test_a_channel_that_is_silent_around_a_hole_is_not_copied(tiny, repeated):
    """The copy comes from the start, where both channels play."""
    signal = np.concatenate([repeated, 0.0 * repeated, repeated, repeated], axis=1)
    signal[1, PERIOD * 6 :] = 0.0
    signal[:, 40 * RATE :] = np.random.default_rng(0).normal(0.0, 0.1, (2, 8 * RATE))
    signal[1, 40 * RATE :] = 0.0
    edit = tiny.inpaint(wave(signal).getvalue(), [(29.0, 36.0)], seed=1, steps=1, novelty=0.0)
    assert min(copy.source for copy in edit.recipe.copies) < 12.0
    assert not edit.patches[0].signal[1].any()
    assert edit.patches[0].signal[0].std() > 1e-3


def test_long_intervals_are_left_to_the_network(tiny, repeated):
    """Memory grows with the analysed part."""
    assert guess_of(tiny, repeated, (12.0, 133.0), new=121 * RATE) is None
    with pytest.raises(ConfigError, match="longer than 120 s"):
        tiny.continue_(wave(repeated).getvalue(), 121.0, seed=1, steps=1, novelty=0.0)


def test_noise_repeats_nothing(tiny):
    noise = np.random.default_rng(3).normal(0.0, 0.1, (2, 12 * RATE)).astype(np.float32)
    assert guess_of(tiny, noise).fit < 0.3
    assert guess_of(tiny, noise[:, : RATE // 2], (0.1, 0.4)) is None


@pytest.mark.heavy
def test_edits_copy_what_fits_unless_more_is_asked_for(tiny, repeated):
    source = wave(repeated).getvalue()
    edit = tiny.inpaint(source, [HOLE], seed=1, steps=1)
    assert [copy.start for copy in edit.recipe.copies] == [5.0]
    assert edit.recipe.novelty is None
    first, last = (round(at * RATE) for at in HOLE)
    inner = slice(first + RATE // 10, last - RATE // 10)  # between the cross-fades
    np.testing.assert_allclose(edit.waveform.numpy()[:, inner], repeated[:, inner], atol=1e-4)
    asked = tiny.inpaint(source, [HOLE], "brass band", seed=1, steps=1)
    assert not asked.recipe.copies
    free = tiny.inpaint(source, [HOLE], seed=1, steps=1, novelty=1.0)
    assert not free.recipe.copies
    assert np.abs(free.waveform.numpy()[:, inner] - repeated[:, inner]).max() > 0.01


def test_copies_come_back_with_their_recipe(tiny, repeated, tmp_path):
    path = tmp_path / "in.wav"
    path.write_bytes(wave(repeated).getvalue())
    edit = tiny.inpaint(path, [HOLE], seed=1, steps=1)
    assert Recipe.from_json(edit.recipe.to_json()) == edit.recipe
    again = tiny.again(edit.recipe, path)
    assert (again.waveform == edit.waveform).all()


@pytest.mark.heavy
def test_recipes_before_novelty_are_the_networks_own(tiny, repeated):
    edit = tiny.inpaint(wave(repeated).getvalue(), [HOLE], seed=1, steps=1, novelty=1.0)
    values = edit.recipe.to_dict()
    assert values["novelty"] == 1.0
    del values["novelty"]
    values["recipe_version"] = 4
    old = Recipe.from_dict(values)
    assert old.novelty == 1.0
    assert old.to_dict() == values


@pytest.mark.heavy
def test_between_copy_and_network_it_starts_from_the_copy(tiny, repeated):
    source = wave(repeated).getvalue()
    found = [
        tiny.inpaint(source, [HOLE], seed=1, steps=2, novelty=novelty) for novelty in (0.1, 0.9)
    ]
    assert [[copy.novelty for copy in edit.recipe.copies] for edit in found] == [[0.1], [0.9]]
    assert "1.50 s made by changing the music from" in found[0].recipe.describe_edit()
    edits = [edit.waveform.numpy() for edit in found]
    inside = slice(*(round(at * RATE) for at in HOLE))
    assert np.isfinite(edits[0]).all()
    assert np.abs(edits[0][:, inside] - edits[1][:, inside]).max() > 1e-3
    np.testing.assert_array_equal(edits[0][:, : inside.start], repeated[:, : inside.start])


@pytest.mark.parametrize("rate", [pytest.param(48_000, marks=pytest.mark.heavy), 8_000])
def test_new_music_that_is_like_the_copy_has_its_waveform(rate):
    rng = np.random.default_rng(0)
    copied, made = rng.normal(0.0, 0.1, (2, 2, 12 * rate)).astype(np.float32)
    made *= 0.8
    found = with_detail_of(made, copied, rate)
    assert found.shape == made.shape
    assert found.dtype == np.float32
    assert np.corrcoef(found.ravel(), copied.ravel())[0, 1] > 0.8
    assert np.corrcoef(found.ravel(), made.ravel())[0, 1] < 0.6
    assert found.std() == pytest.approx(made.std(), rel=0.1)
    part = slice(9 * rate, 10 * rate)  # across two blocks
    ends = with_detail_of(made[:, 8 * rate :], copied[:, 8 * rate :], rate)
    hop = round(512 / 48_000 * rate)
    assert 8 * rate % hop or np.abs(ends[:, rate : 2 * rate] - found[:, part]).max() < 1e-5


def test_new_music_that_is_unlike_the_copy_stays():
    time = np.arange(2 * RATE) / RATE
    made = np.tile(0.2 * np.sin(2 * np.pi * 440.0 * time), (2, 1)).astype(np.float32)
    copied = np.tile(0.2 * np.sin(2 * np.pi * 1_500.0 * time), (2, 1)).astype(np.float32)
    copied[:, RATE:] = 0.0
    made[1] = 0.0
    found = with_detail_of(made, copied, RATE)
    np.testing.assert_allclose(found[0, 4_000:-4_000], made[0, 4_000:-4_000], atol=0.01)
    assert np.abs(found[1]).max() < 1e-3


def test_novelty_zero_needs_something_to_copy(tiny):
    short = np.random.default_rng(1).normal(0.0, 0.1, (2, RATE // 2)).astype(np.float32)
    with pytest.raises(ConfigError, match=r"can fill 0\.10-0\.40s"):
        tiny.inpaint(wave(short).getvalue(), [(0.1, 0.4)], seed=1, steps=1, novelty=0.0)
    with pytest.raises(ConfigError, match=r"novelty is 1\.5"):
        tiny.inpaint(wave(short).getvalue(), [(0.1, 0.4)], seed=1, steps=1, novelty=1.5)


def test_what_asks_for_more():
    assert not Sampling().asks_for_more("")
    assert not Sampling().asks_for_more("  ")
    assert Sampling().asks_for_more("drums")
    assert Sampling(variations=(Variation(1, 0.5),)).asks_for_more("")
    controls = dataclasses.replace(Sampling().controls, bpm=100.0)
    assert Sampling(controls=controls).asks_for_more("")


def test_sampling_that_starts_late_stays_near_its_start():
    schedule = Schedule(DiffusionConfig(schedule="cosine", prediction="v"))
    latent, noise = torch.full((1, 2, 8), 3.0), torch.randn(1, 2, 8)

    def predict(x_t, t):
        """Return v of a network that believes in the clean latent 0."""
        alpha, sigma = schedule.alpha(t)[:, None, None], schedule.sigma(t)[:, None, None]
        return (alpha / sigma) * x_t

    denoiser = Denoiser(predict, schedule, "v")
    times = [0.5, 0.25]
    late = sample(
        denoiser, noise, sampler="ddim", steps=1, start=Start(latent, 0.5), times=[1.0, 0.5]
    )
    alpha, sigma = (float(f(torch.tensor([times[1]]))) for f in (schedule.alpha, schedule.sigma))
    begun = [float(f(torch.tensor([times[0]]))) for f in (schedule.alpha, schedule.sigma)]
    # DDIM towards 0 scales what it began with by the ratio of the noise levels
    expected = sigma / begun[1] * (begun[0] * latent + begun[1] * noise)
    assert alpha > begun[0]
    torch.testing.assert_close(late, expected)


@pytest.mark.heavy
def test_loop_fill_copies_whole_beats(repeated):
    first, last = round(5.0 * RATE), round(6.5 * RATE)
    made = loop_fill(repeated, RATE, (first, last))
    assert made.shape == (2, last - first)
    strokes = [
        np.square(sound[0, : 140 * 240]).reshape(140, 240).sum(axis=1)  # of 10 ms
        for sound in (made, repeated[:, first:last])
    ]
    assert np.corrcoef(*strokes)[0, 1] > 0.7
