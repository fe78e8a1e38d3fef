"""Edits: bit-identical outside the patches in every lossless format, rate and layout."""

import io

import numpy as np
import pytest
import soundfile

from jen1cli import audio
from jen1cli.audio import Patch
from jen1cli.errors import AudioError

LOSSLESS = [
    ("wav", "PCM_16"), ("wav", "PCM_24"), ("wav", "PCM_32"), ("wav", "PCM_U8"), ("wav", "FLOAT"),
    ("wav", "DOUBLE"), ("wav", "ULAW"), ("flac", "PCM_16"), ("flac", "PCM_24"), ("aiff", "PCM_24"),
]  # fmt: skip


def raw(path):
    data, rate = soundfile.read(path, dtype="float64", always_2d=True)
    return data, rate


@pytest.mark.parametrize(("suffix", "subtype"), LOSSLESS)
@pytest.mark.parametrize(
    ("rate", "channels"), [(48_000, 2), pytest.param(44_100, 1, marks=pytest.mark.heavy)]
)
def test_everything_outside_a_patch_is_bit_identical(
    tmp_path, noise, suffix, subtype, rate, channels
):
    source, target = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    soundfile.write(source, noise(1.5, rate, channels).T, rate, subtype=subtype)
    patches = [
        Patch(30_000, noise(0.1, rate, channels, seed=3)),
        Patch(10_000, noise(0.2, rate, channels, seed=2)),
    ]
    assert audio.write_spliced(target, source, patches, recipe="{}") is True
    before, after = audio.probe(source), audio.probe(target)
    assert before == after
    a, b = raw(source)[0], raw(target)[0]
    outside = np.ones(len(a), bool)
    for patch in patches:
        outside[patch.start : patch.stop] = False
        inside = b[patch.start : patch.stop].T
        assert np.abs(inside - patch.signal).max() < (
            0.05 if subtype in ("PCM_U8", "ULAW") else 1e-4
        )
        assert (inside != a[patch.start : patch.stop].T).any()
    np.testing.assert_array_equal(a[outside], b[outside])
    np.testing.assert_allclose(audio.spliced(source, patches), b.T, atol=0.05)


@pytest.mark.parametrize(("suffix", "subtype"), LOSSLESS)
def test_inserts_lengthen_on_both_sides_and_keep_the_recording(tmp_path, noise, suffix, subtype):
    source, target = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    soundfile.write(source, noise(0.5).T, 48_000, subtype=subtype)
    patches = [Patch(0, noise(0.1), insert=True), Patch(28_800, noise(0.2), insert=True)]
    assert audio.write_spliced(target, source, patches)
    a, b = raw(source)[0], raw(target)[0]
    assert len(b) == 4_800 + 24_000 + 9_600
    np.testing.assert_array_equal(b[4_800:28_800], a)


def test_extreme_integers_survive(tmp_path):
    data = np.array([[-(2**31), 2**31 - 256, -256, 256, 0, 2**30]] * 2, np.int32).T
    soundfile.write(tmp_path / "in.wav", data, 48_000, subtype="PCM_24")
    audio.write_spliced(tmp_path / "out.flac", tmp_path / "in.wav", [])
    back, _ = soundfile.read(tmp_path / "out.flac", dtype="int32")
    np.testing.assert_array_equal(back, data)


def test_floats_beyond_full_scale_survive(tmp_path):
    data = np.array([[3.5, -7.25, 1e-30, -0.0]], np.float32)
    soundfile.write(tmp_path / "in.wav", data.T, 48_000, subtype="FLOAT")
    audio.write_spliced(tmp_path / "out.wav", tmp_path / "in.wav", [])
    np.testing.assert_array_equal(audio.read(tmp_path / "out.wav"), data)


@pytest.mark.parametrize(
    ("subtype", "suffix", "expected", "exact"),
    [("PCM_16", "flac", "PCM_16", True), ("PCM_24", "aiff", "PCM_24", True),
     ("PCM_U8", "flac", "PCM_S8", True), ("FLOAT", "flac", "PCM_24", False),
     ("PCM_32", "flac", "PCM_24", False), ("PCM_16", "ogg", "VORBIS", False),
     ("PCM_16", "mp3", "MPEG_LAYER_III", False)],
)  # fmt: skip
def test_other_formats_keep_the_depth_or_say_so(tmp_path, music, subtype, suffix, expected, exact):
    source, target = tmp_path / "in.wav", tmp_path / f"out.{suffix}"
    soundfile.write(source, music(0.5).T, 48_000, subtype=subtype)
    assert audio.write_spliced(target, source, []) is exact
    info = audio.probe(target)
    assert info.subtype == expected
    assert info.samples == 24_000
    a, b = audio.read(source), audio.read(target)
    if exact:
        np.testing.assert_array_equal(a, b)
    else:
        assert np.corrcoef(a[0], b[0])[0, 1] > 0.98


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "opus"])
def test_lossy_inputs_keep_format_and_length(tmp_path, music, suffix):
    source, target = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    audio.write(source, music(1.0), 48_000)
    assert audio.write_spliced(target, source, [Patch(20_000, music(0.1))]) is False
    assert audio.probe(target) == audio.probe(source)


def test_a_buffer_keeps_the_format_of_its_input(tmp_path, noise):
    audio.write(tmp_path / "in.flac", noise(0.2), 48_000, subtype="PCM_24")
    buffer = io.BytesIO()
    audio.write_spliced(buffer, tmp_path / "in.flac", [], recipe="{}")
    assert audio.probe(buffer).format == "FLAC"
    assert audio.read_recipe_text(buffer) == "{}"
    again = io.BytesIO()
    audio.write_spliced(again, buffer, [])
    np.testing.assert_array_equal(audio.read(again), audio.read(tmp_path / "in.flac"))


def test_an_edit_in_place_and_titles_are_kept(tmp_path, noise):
    path = tmp_path / "a.flac"
    audio.write(path, noise(0.5), 48_000, tags=(("title", "Ballad"), ("artist", "Me")))
    before = audio.read(path)
    audio.write_spliced(path, path, [Patch(1_000, noise(0.01))], recipe="{}")
    with soundfile.SoundFile(path) as file:
        assert (file.title, file.artist) == ("Ballad", "Me")
    np.testing.assert_array_equal(audio.read(path)[:, 2_000:], before[:, 2_000:])


def test_patches_must_lie_inside_and_apart(tmp_path, noise):
    audio.write(tmp_path / "a.wav", noise(0.1), 48_000)
    patch = Patch(1_000, noise(0.05))
    for bad in (
        [patch, Patch(2_000, noise(0.01))],
        [Patch(4_000, noise(0.05))],
        [Patch(9_000, noise(0.01))],
    ):
        with pytest.raises(ValueError, match="patch"):
            audio.write_spliced(tmp_path / "b.wav", tmp_path / "a.wav", bad)
    assert not (tmp_path / "b.wav").exists()


def test_damage_found_on_the_way_leaves_no_output(tmp_path, noise):
    audio.write(tmp_path / "a.flac", noise(3.0), 48_000)
    data = (tmp_path / "a.flac").read_bytes()
    half = len(data) // 2
    (tmp_path / "a.flac").write_bytes(data[:half] + bytes(9_000) + data[half + 9_000 :])
    with pytest.raises(AudioError, match="damaged"):
        audio.write_spliced(tmp_path / "b.flac", tmp_path / "a.flac", [])
    assert not (tmp_path / "b.flac").exists()
