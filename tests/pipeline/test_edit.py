"""Inpainting and continuation of files: exact outside the mask, made anew inside it."""

import dataclasses
import io

import numpy as np
import pytest
import soundfile
import torch
from scipy.signal import oaconvolve

from jen1cli import Jen1, audio
from jen1cli.audio.metadata import read_metadata
from jen1cli.errors import AudioError, ConfigError
from jen1cli.pipeline import gain_matching
from jen1cli.pipeline.edits import patches
from jen1cli.pipeline.edits.filling import plan_sections
from jen1cli.pipeline.edits.inpainting import timeline_of
from jen1cli.recipe import RecipeError, read_recipe

FILES = [
    ("wav", "PCM_16", 44_100, 2), ("flac", "PCM_24", 44_100, 1), ("aiff", "PCM_16", 22_050, 2),
    ("wav", "PCM_24", 48_000, 2), ("wav", "FLOAT", 48_000, 1), ("flac", "PCM_16", 48_000, 2),
]  # fmt: skip


def some_of(cases):
    """Let the first two cases run by default, and the others with the heavy tests."""
    return [*cases[:2], *(pytest.param(*case, marks=pytest.mark.heavy) for case in cases[2:])]


def raw(path):
    data, _ = soundfile.read(path, dtype="float64", always_2d=True)
    return data


@pytest.fixture
def recording(tmp_path, music):
    """Write a recording: `recording(seconds, suffix, subtype, rate, channels)` -> path."""

    def make(seconds=2.0, suffix="wav", subtype="PCM_16", rate=48_000, channels=2):
        path = tmp_path / f"in.{suffix}"
        soundfile.write(path, music(seconds, rate, channels).T, rate, subtype=subtype)
        return path

    return make


@pytest.mark.heavy
def test_a_recipe_is_known_before_the_new_music(tiny, recording):
    begun = []
    edit = tiny.continue_(recording(), 0.3, seed=2, steps=1, novelty=1.0, begun=begun.append)
    assert begun == [edit.recipe]


@pytest.mark.parametrize(("suffix", "subtype", "rate", "channels"), some_of(FILES))
def test_inpainting_changes_the_mask_and_nothing_else(
    tiny, recording, tmp_path, suffix, subtype, rate, channels
):
    source = recording(0.8, suffix, subtype, rate, channels)
    target = tmp_path / f"out.{suffix}"
    masks = [(0.21, 0.33), (0.5, 0.7)]
    edit = tiny.inpaint(source, masks, "soft drums", seed=1, steps=1)
    assert edit.save(target) is True
    assert audio.probe(source) == audio.probe(target)
    a, b = raw(source), raw(target)
    inside = np.zeros(len(a), bool)
    for start, stop in masks:
        inside[round(start * rate) : round(stop * rate)] = True
    np.testing.assert_array_equal(a[~inside], b[~inside])
    assert (a[inside] != b[inside]).mean() > 0.9
    assert np.isfinite(b).all()
    np.testing.assert_allclose(edit.waveform.numpy(), b.T, atol=1e-4)
    assert read_recipe(target) == edit.recipe


@pytest.mark.parametrize(
    ("suffix", "subtype", "rate", "channels", "before"),
    some_of([(*FILES[0], True), *((*file, bool(i % 2)) for i, file in enumerate(FILES))]),
)
def test_continuation_adds_exactly_and_keeps_the_recording(
    tiny, recording, tmp_path, suffix, subtype, rate, channels, before
):
    source = recording(0.6, suffix, subtype, rate, channels)
    target = tmp_path / f"out.{suffix}"
    edit = tiny.continue_(source, 0.4, before=before, seed=1, steps=1)
    assert edit.save(target) is True
    a, b = raw(source), raw(target)
    assert len(b) == len(a) + round(0.4 * rate)
    assert edit.seconds == pytest.approx(len(b) / rate)
    kept = b[-len(a) :] if before else b[: len(a)]
    np.testing.assert_array_equal(kept, a)
    new = b[: -len(a)] if before else b[len(a) :]
    assert new.std() > 1e-3


@pytest.mark.heavy
def test_seams_have_no_step(tiny, recording):
    source = recording(2.0)
    original = audio.read(source)
    usual = np.abs(np.diff(original, axis=1)).max()
    edit = tiny.inpaint(source, [(0.5, 1.5)], seed=1).waveform.numpy()
    for at in (24_000, 72_000):
        assert np.abs(edit[:, at] - edit[:, at - 1]).max() <= 1.5 * usual
    for before in (False, True):
        longer = tiny.continue_(source, 0.5, before=before, seed=1).waveform.numpy()
        at = 24_000 if before else 96_000
        assert np.abs(longer[:, at] - longer[:, at - 1]).max() <= 1.5 * usual


@pytest.mark.heavy
def test_what_stood_inside_the_mask_has_no_say(tiny, tmp_path, music, noise):
    signal = music(2.0)
    other = signal.copy()
    other[:, 30_000:60_000] = noise(2.0, level=0.3)[:, 30_000:60_000]
    made = []
    for name, data in [("a.wav", signal), ("b.wav", other)]:
        soundfile.write(tmp_path / name, data.T, 48_000, subtype="PCM_24")
        edit = tiny.inpaint(tmp_path / name, [(30_000 / 48_000, 60_000 / 48_000)], seed=4)
        made.append(edit.waveform)
    assert torch.equal(*made)


@pytest.mark.heavy
def test_surroundings_prompt_and_seed_have_a_say(tiny, tmp_path, music):
    for name, seed in [("a.wav", 0), ("b.wav", 1)]:
        soundfile.write(tmp_path / name, music(2.0, seed=seed).T, 48_000)
    inside = slice(30_000, 60_000)

    def made(name, prompt, seed):
        mask = (inside.start / 48_000, inside.stop / 48_000)
        return tiny.inpaint(tmp_path / name, [mask], prompt, seed=seed).waveform[:, inside]

    plain = made("a.wav", "x", 0)
    assert torch.equal(plain, made("a.wav", "x", 0))
    for other in (made("b.wav", "x", 0), made("a.wav", "y", 0), made("a.wav", "x", 1)):
        assert not torch.allclose(plain, other, atol=1e-3)


@pytest.mark.heavy
def test_the_direction_of_a_continuation_is_the_models_or_the_callers(tiny, tone, monkeypatch):
    seen = []
    hook = tiny.networks.unet.register_forward_pre_hook(
        lambda module, arguments, options: seen.append(options["causal"]), with_kwargs=True
    )
    options = {"sample_rate": 48_000, "seed": 1, "steps": 1}
    recording = torch.from_numpy(tone(0.6))

    def directions(edit):
        found = set(seen)
        seen.clear()
        return edit.recipe.direction, found

    assert directions(tiny.continue_(recording, 0.3, **options)) == ("unidirectional", {True})
    edit = tiny.continue_(recording, 0.3, direction="bidirectional", **options)
    assert directions(edit) == ("bidirectional", {False})
    both = dataclasses.replace(tiny.config.generation, continuation="bidirectional")
    monkeypatch.setattr(tiny, "config", dataclasses.replace(tiny.config, generation=both))
    assert directions(tiny.continue_(recording, 0.3, **options)) == ("bidirectional", {False})
    tiny.generate("x", seconds=1.4 * tiny.window_seconds, seed=1, steps=1)
    assert set(seen) == {False}
    hook.remove()


@pytest.mark.heavy
def test_each_task_tells_the_network_what_is_kept(tiny, recording, calls):
    source = recording(2.0)
    tiny.inpaint(source, [(0.8, 1.0)], seed=0, novelty=1.0)  # 30 frames inside a window of 150
    assert set(calls()) == {(False, 120)}
    tiny.continue_(source, 0.3, seed=0, novelty=1.0)  # hears half a second: 75 frames
    assert set(calls()) == {(True, 75)}
    tiny.continue_(source, 0.3, seed=0, context_seconds=0.2, novelty=1.0)
    assert set(calls()) == {(True, 30)}
    tiny.continue_(source, 0.3, before=True, seed=0, novelty=1.0)
    assert set(calls()) == {(False, 75)}
    tiny.inpaint(source, [(0.0, 2.0)], seed=0)  # nothing known: begins as new music does
    assert [kept for _, kept in calls()][:2] == [0] * 2


@pytest.mark.heavy
@pytest.mark.parametrize(
    "masks",
    [
        [(0.0, 0.3)],
        [(1.7, 2.0)],
        [(0.0, 2.0)],
        [(0.2, 1.9)],
        [(0.1, 0.2), (1.8, 1.9)],
        [(0.1, 0.2), (0.5, 0.6), (1.9, 2.0)],
        [(0.5, 1.0), (1.0, 1.5)],
        [(0.9, 0.9001)],
        [(0.3, 0.31), (0.312, 0.32)],
    ],
)
def test_masks_of_every_shape(tiny, recording, masks):
    source = recording(2.0, rate=44_100)
    edit = tiny.inpaint(source, masks, seed=0, steps=1)
    a, b = audio.read(source), edit.waveform.numpy()
    assert a.shape == b.shape
    outside = np.ones(a.shape[1], bool)
    for start, stop in masks:
        outside[round(start * 44_100) : round(stop * 44_100)] = False
    np.testing.assert_array_equal(a[:, outside], b[:, outside])
    assert (a[:, ~outside] != b[:, ~outside]).mean() > 0.5


@pytest.mark.parametrize(
    "seconds", [0.001, 0.05, *(pytest.param(x, marks=pytest.mark.heavy) for x in (0.004, 0.3))]
)
def test_very_short_recordings_can_be_continued_and_mended(tiny, recording, seconds):
    source = recording(seconds)
    edit = tiny.continue_(source, 0.3, seed=0, steps=1)
    assert edit.waveform.shape[1] == round(seconds * 48_000) + 14_400
    mended = tiny.inpaint(source, [(seconds / 4, seconds / 2)], seed=0, steps=1)
    assert mended.waveform.shape[1] == round(seconds * 48_000)


def test_silence_can_be_continued(tiny, tmp_path):
    soundfile.write(tmp_path / "in.wav", np.zeros((24_000, 2)), 48_000)
    edit = tiny.continue_(tmp_path / "in.wav", 0.5, seed=0).waveform
    assert torch.isfinite(edit).all()
    assert not edit[:, :24_000].any()


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("rest", "silent"),
    [(0.0, 0), (0.0, 1), (1.5e-5, 0), (0.01, 1)],
    ids=["zeros left", "zeros right", "dither left", "offset right"],
)
def test_a_silent_channel_stays_silent(tiny, tmp_path, music, silent, rest):
    """A mono source on one side: zeros, the last bit of dither, or a DC offset on the other."""
    signal = music(3.0)
    signal[silent] = rest
    if rest == 1.5e-5:
        signal[silent] *= np.random.default_rng(0).choice([-1, 1], signal.shape[1])
    soundfile.write(tmp_path / "in.wav", signal.T, 48_000, subtype="PCM_24")
    edits = [
        tiny.inpaint(tmp_path / "in.wav", [(0.5, 0.6), (1.0, 2.0)], seed=0),
        tiny.continue_(tmp_path / "in.wav", 1.0, seed=0),
        tiny.continue_(tmp_path / "in.wav", 1.0, seed=0, before=True),
    ]
    for edit in edits:
        made = edit.waveform.numpy()
        offset = 0.01 if rest == 0.01 else 0.0
        limit = 2e-3 if rest == 0.01 else 2e-5  # an offset is measured, so it is not exact
        assert np.abs(made[silent] - offset).max() <= (0.0 if rest == 0.0 else limit)
        for patch in edit.patches:
            assert patch.signal[1 - silent].std() > 1e-3


@pytest.mark.heavy
def test_a_mono_recording_and_silence_all_over_are_no_silent_channels(tiny, tmp_path, music):
    soundfile.write(tmp_path / "mono.wav", music(2.0, channels=1).T, 48_000)
    assert tiny.inpaint(tmp_path / "mono.wav", [(0.5, 1.0)], seed=0).patches[0].signal.std() > 1e-3
    soundfile.write(tmp_path / "none.wav", np.zeros((96_000, 2)), 48_000)
    assert tiny.inpaint(tmp_path / "none.wav", [(0.5, 1.0)], seed=0).patches[0].signal.any()


def slow_part(signal):
    """Return what is below some 15 Hz."""
    window = np.hanning(4_801)
    return oaconvolve(signal, window / window.sum(), "valid")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("masks", "offsets"),
    [
        ([(1.0, 3.0)], (0.1, -0.05)),
        ([(1.0, 3.0)], (0.3, 0.3)),
        ([(1.0, 1.2)], (0.3, 0.3)),
        ([(0.5, 1.0), (3.0, 3.5)], (0.1, -0.05)),
    ],
)
def test_a_dc_offset_goes_on_through_a_hole(tiny, tmp_path, music, masks, offsets):
    signal = 0.5 * music(4.0) + np.array(offsets, np.float32)[:, None]
    soundfile.write(tmp_path / "in.wav", signal.T, 48_000, subtype="FLOAT")
    edit = tiny.inpaint(tmp_path / "in.wav", masks, seed=0).waveform.numpy()
    for channel, offset in enumerate(offsets):
        before = slow_part(signal[channel]) - offset
        after = slow_part(edit[channel]) - offset
        usual = np.abs(before).max()
        assert np.abs(after).max() < usual + 0.15 * abs(offset)
    assert np.abs(edit).max() <= 1.0


@pytest.mark.heavy
@pytest.mark.parametrize("before", [False, True])
def test_a_dc_offset_goes_on_in_a_continuation(tiny, tmp_path, music, before):
    soundfile.write(tmp_path / "in.wav", 0.5 * music(3.0).T + 0.2, 48_000, subtype="FLOAT")
    edit = tiny.continue_(tmp_path / "in.wav", 2.0, seed=0, before=before).waveform.numpy()
    assert np.abs(slow_part(edit[0]) - 0.2).max() < 0.04


@pytest.mark.heavy
def test_without_an_offset_the_mean_is_left_alone(tiny, tmp_path, music, monkeypatch):
    soundfile.write(tmp_path / "in.wav", music(3.0).T, 48_000, subtype="FLOAT")

    def refused(*arguments):
        raise AssertionError("there is no offset to match")

    monkeypatch.setattr("jen1cli.pipeline.gain_matching.add_offset", refused)
    tiny.inpaint(tmp_path / "in.wav", [(1.0, 2.0)], seed=0)


@pytest.mark.heavy
def test_new_music_is_as_loud_as_its_surroundings(tiny, tmp_path, music):
    for level in (0.03, 1.0):  # soft and loud surroundings
        soundfile.write(tmp_path / "in.wav", level * music(4.0).T, 48_000, subtype="PCM_24")
        edit = tiny.inpaint(tmp_path / "in.wav", [(1.5, 2.5)], seed=0).waveform.numpy()
        inside = audio.loudness(edit[:, 72_000:120_000], 48_000)
        around = audio.loudness(edit[:, :72_000], 48_000)
        assert -20 < inside - around < 2.5  # never louder; random weights may be much softer
        assert audio.true_peak(edit, 48_000) <= 1.0


@pytest.mark.parametrize(("decibels", "cuts"), [(-5.0, []), (1.0, []), (8.0, [48_000])])
def test_the_level_is_matched_closer_than_one_hears(music, decibels, cuts):
    known = (music(1.0), music(1.0))
    new = 10 ** (decibels / 20) * music(2.0)
    patches._match_level(48_000, new, known, known, cuts)
    target = gain_matching.measured_together(known, 48_000)
    assert audio.loudness(new, 48_000) == pytest.approx(target, abs=0.31)


@pytest.mark.parametrize("level", [3e-2, 2e-3, 1e-3, 3e-4])
def test_the_level_of_faint_music_is_matched_too(music, level):
    """It is below the loudness at which windows are matched, and in part below its gate."""
    known = (np.float32(level) * music(2.0), np.float32(level) * music(2.0))
    new = music(2.0)
    patches._match_level(48_000, new, known, known, [])
    assert 20 * np.log10(new.std() / known[0].std()) == pytest.approx(0.0, abs=0.4)


@pytest.mark.parametrize("level", [0.0, 2e-5], ids=["zeros", "dither"])
def test_between_silences_music_keeps_its_level(music, level):
    known = (np.full((2, 96_000), level, np.float32), np.zeros((2, 0), np.float32))
    new = music(2.0)
    patches._match_level(48_000, new, known, known, [])
    np.testing.assert_array_equal(new, music(2.0))


def test_markers_and_tags_of_the_recording_stay(tiny, tmp_path, music):
    source = tmp_path / "in.flac"
    tags = (("title", "Žluť"), ("comment", "mine"), ("CHAPTER001", "00:00:00.500"))
    audio.write(source, music(1.0), 48_000, tags=tags)
    edit = tiny.continue_(source, 0.5, before=True, seed=0, steps=1)
    edit.save(tmp_path / "out.flac")
    with (tmp_path / "out.flac").open("rb") as file:
        texts = dict(read_metadata(file, "FLAC").texts)
    assert (texts["TITLE"], texts["COMMENT"]) == ("Žluť", "mine")
    assert texts["CHAPTER001"] == "00:00:01.000"
    assert read_recipe(tmp_path / "out.flac") == edit.recipe


@pytest.mark.heavy
def test_longer_than_a_window_by_sliding(tiny, recording):
    source = recording(1.5)
    edit = tiny.continue_(source, 2.7, seed=0)
    new = edit.waveform[:, 72_000:]
    assert new.shape[1] == 129_600
    known = edit.waveform[:, 48_000:72_000]
    for start in range(0, new.shape[1] - 24_000, 4_800):
        assert not torch.allclose(new[:, start : start + 24_000], known, atol=1e-2)


@pytest.mark.heavy
def test_edits_have_a_guidance_of_their_own(tiny_folder, device, recording):
    model = Jen1.load(tiny_folder, device=device, dtype="fp32")
    gentle = dataclasses.replace(
        model.config.generation, guidance_scale=4.0, edit_guidance_scale=1.5
    )
    model.config = dataclasses.replace(model.config, generation=gentle)
    source = recording(1.0)
    made = model.generate("x", seconds=0.2, steps=1).recipe
    filled = model.inpaint(source, [(0.2, 0.4)], steps=1).recipe
    longer = model.continue_(source, 0.2, steps=1).recipe
    asked = model.continue_(source, 0.2, steps=1, guidance_scale=2.0).recipe
    scales = [recipe.guidance_scale for recipe in (made, filled, longer, asked)]
    assert scales == [4.0, 1.5, 1.5, 2.0]


@pytest.mark.heavy
def test_guidance_leads_away_from_unknown_surroundings_for_a_part_of_the_time(tiny, recording):
    kept = []

    def note(module, arguments, given):
        kept.append(given["context"][:, module.config.latent_channels].bool())

    source, options = recording(1.0), {"seed": 0, "steps": 4, "guidance_scale": 2.0}

    def continued(seconds, interval):
        kept.clear()
        edit = tiny.continue_(source, seconds, context_guidance_interval=interval, **options)
        return edit, list(kept)

    hook = tiny.networks.unet.register_forward_pre_hook(note, with_kwargs=True)
    _, late = continued(0.2, (0.0, 0.6))
    edit, always = continued(0.2, (0.0, 1.0))
    _, long = continued(0.9, (0.0, 1.0))
    hook.remove()
    assert all(call[0].any() for call in (*late, *always, *long))
    assert torch.equal(*late[0])
    assert not late[-1][1].any()
    assert not any(call[1].any() for call in (*always, *long[: len(always)]))
    # what goes on from music that was made itself is not drawn to it
    assert len(long) > len(always)
    assert all(torch.equal(*call) for call in long[len(always) :])
    assert edit.recipe.context_guidance_interval == (0.0, 1.0)
    assert torch.equal(tiny.again(edit.recipe, source).waveform, edit.waveform)
    with pytest.raises(ConfigError, match="context_guidance_interval is 1 to 0"):
        tiny.continue_(source, 0.2, context_guidance_interval=(1.0, 0.0), **options)


def test_known_latent_frames_come_back_bit_by_bit(tiny, recording):
    """At every sampler: what was known before sampling is untouched after it."""
    from jen1cli.music.controls import Controls
    from jen1cli.pipeline.denoising import encode_prompts, fill, seeded_noise
    from jen1cli.pipeline.edits.filling import _known_canvas
    from jen1cli.sampling import Sampling

    source = recording(2.0)
    info = audio.probe(source)
    timeline = timeline_of(tiny, source, info, [(30_000, 50_000)])
    (section,) = plan_sections(timeline, window=150, context=75, reach=150, decoder_reach=4)
    with torch.inference_mode():
        prompts = encode_prompts(tiny.networks, ["x"], "", Controls(bpm=120.0))
        canvas, _ = _known_canvas(tiny.networks, timeline, section)
        kept = canvas.known[0, 0]
        for sampler in ("ddpm", "ddim", "dpmpp-2m", "unipc"):
            settings = Sampling.over(tiny.config.generation, {"sampler": sampler})
            noises = [seeded_noise(0)]
            after = fill(tiny.networks, canvas, section.windows, prompts, settings, noises)
            assert torch.equal(after[..., kept], canvas.latent[..., kept])
            assert not torch.equal(after[..., ~kept], canvas.latent[..., ~kept])


@pytest.mark.heavy
def test_progress_counts_all_windows_of_all_masks(tiny, recording):
    seen = []
    tiny.inpaint(
        recording(4.0), [(0.5, 0.7), (3.0, 3.2)], seed=0, novelty=1.0,
        progress=lambda *step: seen.append(step),
    )  # fmt: skip
    assert seen == [(i + 1, 4) for i in range(4)]


@pytest.mark.heavy
def test_all_kinds_of_input_mean_the_same(tiny, recording):
    path = recording(1.0, subtype="FLOAT")
    by_path = tiny.inpaint(path, [(0.3, 0.6)], seed=2)
    data = path.read_bytes()
    signal = torch.from_numpy(audio.read(path))
    for source in (str(path), data, io.BytesIO(data)):
        assert torch.equal(tiny.inpaint(source, [(0.3, 0.6)], seed=2).waveform, by_path.waveform)
    by_tensor = tiny.inpaint(signal, [(0.3, 0.6)], sample_rate=48_000, seed=2)
    assert torch.equal(by_tensor.waveform, by_path.waveform)
    with pytest.raises(AudioError, match="sample_rate"):
        tiny.inpaint(signal, [(0.3, 0.6)])
    with pytest.raises(AudioError, match=r"\[6, 48000\]"):
        tiny.inpaint(torch.zeros(6, 48_000), [(0.3, 0.6)], sample_rate=48_000)


@pytest.mark.heavy
def test_verbs_chain_in_memory(tiny):
    music = tiny.generate("x", seconds=0.6, seed=0)
    longer = tiny.continue_(music, 0.5, seed=1)
    fixed = tiny.inpaint(longer, [(0.2, 0.4)], seed=2)
    assert torch.equal(longer.waveform[:, :28_800], music.waveform)
    assert torch.equal(fixed.waveform[:, :9_600], longer.waveform[:, :9_600])
    assert torch.equal(fixed.waveform[:, 19_200:], longer.waveform[:, 19_200:])
    assert audio.probe(io.BytesIO(fixed.to_bytes())).samples == 52_800


def test_bad_masks_are_refused(tiny, recording):
    source = recording(2.0)
    for masks, words in [
        ([], "no mask"),
        ([(1.0, 1.0)], "empty"),
        ([(1.5, 1.0)], "reversed"),
        ([(-1.0, 1.0)], r"outside .*in\.wav \(2\.00 s\)"),
        ([(1.0, 2.5)], "outside"),
        ([(0.5, 1.0), (0.9, 1.2)], "overlaps"),
        ([(0.5, float("nan"))], "empty"),
        ([(0.5, 0.500001)], "one sample"),
    ]:
        with pytest.raises(ConfigError, match=words):
            tiny.inpaint(source, masks)
    with pytest.raises(ConfigError, match="context_seconds"):
        tiny.continue_(source, 1.0, context_seconds=5.0)


def test_damaged_recordings_are_refused_before_any_work(tiny, recording, calls):
    source = recording(2.0, subtype="FLOAT")
    data, _ = soundfile.read(source)
    data[50_000, 1] = np.nan
    soundfile.write(source, data, 48_000, subtype="FLOAT")
    for edit in (
        lambda: tiny.inpaint(source, [(0.1, 0.2)]),
        lambda: tiny.continue_(source, 0.2),
    ):
        with pytest.raises(AudioError, match="NaN"):
            edit()
    assert calls() == []


@pytest.mark.heavy
def test_edits_can_be_repeated_from_their_recipe(tiny, recording, tmp_path):
    source = recording(1.5, "flac", rate=44_100)
    for name, edit in [
        ("a.flac", tiny.inpaint(source, [(0.4, 0.9)], "drums", seed=3, steps=3)),
        ("b.flac", tiny.continue_(source, 0.4, "drums", before=True, context_seconds=0.3, seed=3)),
    ]:
        edit.save(tmp_path / name)
        recipe = read_recipe(tmp_path / name)
        assert recipe.input is not None
        assert recipe.input.name == str(source)
        tiny.again(recipe).save(tmp_path / f"again-{name}")
        assert (tmp_path / name).read_bytes() == (tmp_path / f"again-{name}").read_bytes()
    with pytest.raises(RecipeError, match="not the recording"):
        tiny.again(recipe, tmp_path / "a.flac")
    nested = tiny.continue_(tmp_path / "a.flac", 0.2, seed=1).recipe
    assert nested.input is not None
    assert nested.input.recipe is not None
    assert nested.input.recipe["task"] == "inpaint"


@pytest.mark.heavy
def test_in_place_edits_keep_the_rest(tiny, recording):
    path = recording(1.0)
    before = audio.read(path)
    tiny.inpaint(path, [(0.2, 0.4)], seed=0).save(path)
    after = audio.read(path)
    np.testing.assert_array_equal(before[:, :9_600], after[:, :9_600])
    np.testing.assert_array_equal(before[:, 19_200:], after[:, 19_200:])


@pytest.mark.heavy
def test_lossy_recordings_keep_length_and_format(tiny, tmp_path, music):
    for suffix in ("mp3", "ogg"):
        source, target = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
        audio.write(source, music(1.0, 44_100), 44_100)
        assert tiny.inpaint(source, [(0.3, 0.5)], seed=0).save(target) is False
        assert audio.probe(source) == audio.probe(target)
        a, b = audio.read(source), audio.read(target)
        assert np.corrcoef(a[0, :13_000], b[0, :13_000])[0, 1] > 0.98


@pytest.mark.heavy
def test_far_masks_are_made_apart(tiny, recording):
    """A second mask beyond two windows changes nothing of the first one's music."""
    source = recording(6.0, rate=44_100)
    one = tiny.inpaint(source, [(1.0, 1.2)], seed=0, steps=2).waveform
    two = tiny.inpaint(source, [(1.0, 1.2), (4.5, 4.7)], seed=0, steps=2).waveform
    assert torch.equal(one[:, :100_000], two[:, :100_000])
    changed = torch.nonzero((one != two).any(0))[:, 0]
    assert changed.min() >= round(4.5 * 44_100)
    assert changed.max() < round(4.7 * 44_100)
