"""Writing: every format, the recipe inside, right headers, whole or not at all, same bytes."""

import io
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from jen1cli import audio
from jen1cli.audio.ogg import page_crc
from jen1cli.audio.recipe_text import MOST_BYTES
from jen1cli.audio.writing import encoded, large_format
from jen1cli.errors import AudioError, OutputError

SUFFIXES = ["wav", "flac", "ogg", "opus", "mp3", "aiff"]
NOTE = '{"prompt":"\\ud53c\\uc544\\ub178 and a \\"quote\\""}'


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_comes_back_with_its_note(tmp_path, music, suffix):
    signal = music(1.3)
    path = tmp_path / f"a.{suffix}"
    audio.write(path, signal, 48_000, recipe=NOTE, tags=(("title", "a song"),))
    back = audio.read(path)
    assert back.shape == signal.shape
    assert audio.read_recipe_text(path) == NOTE
    exact = suffix in ("wav", "flac", "aiff")
    assert np.abs(back - signal).max() < (2**-15 if exact else 0.2)
    assert np.corrcoef(back[0], signal[0])[0, 1] > 0.98
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("length", [2_046, 8_191, 100_000])
def test_long_notes_survive_or_are_refused_aloud(tmp_path, noise, suffix, length):
    note = "lofi piano " * (length // 11) + "x" * (length % 11)
    path = tmp_path / f"a.{suffix}"
    audio.write(path, noise(0.1), 48_000, recipe=note)
    assert audio.read_recipe_text(path) == note


@pytest.mark.heavy
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_note_that_could_not_be_read_again_is_refused(tmp_path, noise, suffix):
    rng = np.random.default_rng(0)
    note = "".join(chr(c) for c in rng.integers(33, 127, MOST_BYTES + 1))
    with pytest.raises(AudioError, match="shorten the prompt"):
        audio.write(tmp_path / f"a.{suffix}", noise(0.1), 48_000, recipe=note)
    assert os.listdir(tmp_path) == []
    audio.write(tmp_path / f"a.{suffix}", noise(0.1), 48_000, recipe=note[1:])
    assert audio.read_recipe_text(tmp_path / f"a.{suffix}") == note[1:]


@pytest.mark.heavy
def test_same_samples_give_the_same_bytes(tmp_path, music):
    script = (
        "import sys, numpy as np; from pathlib import Path; from jen1cli import audio;"
        "signal = np.load('x.npy'); folder = Path(sys.argv[1]); folder.mkdir();"
        "names = [(s, None) for s in sys.argv[2:]] + [('wav', 'FLOAT'), ('aiff', 'FLOAT')];"
        "[audio.write(folder / f'{t}.{s}', signal, 48_000, subtype=t, recipe='{}')"
        " for s, t in names]"
    )
    np.save(tmp_path / "x.npy", music(0.5))
    for folder in "ab":  # two processes, started at different seconds: ids and clocks differ
        command = [sys.executable, "-c", script, folder, *SUFFIXES]
        subprocess.run(command, check=True, cwd=tmp_path)
    names = sorted(os.listdir(tmp_path / "a"))
    assert len(names) == len(SUFFIXES) + 2
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_subtypes_that_a_format_lacks_are_refused(tmp_path, noise):
    with pytest.raises(AudioError, match="cannot hold"):
        audio.write(tmp_path / "a.flac", noise(0.1), 48_000, subtype="FLOAT")


def test_own_chunks_keep_the_riff_header_true(tmp_path, noise):
    for note in ("{}", "{} "):  # even and odd lengths
        path = tmp_path / "a.wav"
        audio.write(path, noise(0.1, channels=1), 48_000, subtype="PCM_24", recipe=note)
        data = path.read_bytes()
        assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
        assert len(data) % 2 == 0
        assert soundfile.info(path).frames == 4_800


def test_more_than_4_gb_becomes_rf64_and_keeps_its_note(tmp_path, noise):
    hours = 5 * 3_600 * 48_000 * 2
    assert large_format("WAV", "PCM_24", hours) == "RF64"
    assert large_format("WAV", "PCM_16", hours // 5) == "WAV"
    assert large_format("FLAC", "PCM_24", hours) == "FLAC"
    kind = audio.FileFormat("RF64", "PCM_16", NOTE)
    path = tmp_path / "a.wav"
    audio.write_blocks(path, [encoded(noise(0.1), "PCM_16")], 48_000, 2, kind)
    assert audio.probe(path).samples == 4_800
    assert audio.read_recipe_text(path) == NOTE
    edited = tmp_path / "b.wav"
    assert audio.write_spliced(edited, path, [], recipe="{}")
    np.testing.assert_array_equal(audio.read(path), audio.read(edited))
    assert audio.read_recipe_text(edited) == "{}"


def test_bytes_for_a_pipe_are_a_whole_file(noise):
    data = audio.to_bytes(noise(0.25), 48_000, recipe=NOTE)
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    assert soundfile.info(io.BytesIO(data)).frames == 12_000
    assert audio.read_recipe_text(io.BytesIO(data)) == NOTE


def test_loud_samples_clip_instead_of_wrapping(tmp_path):
    signal = np.array([[2.0, -2.0, 1.0, -1.0, 0.0]], np.float32)
    audio.write(tmp_path / "a.wav", signal, 48_000)
    back, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert back.tolist() == [32_767, -32_768, 32_767, -32_768, 0]


def test_failures_leave_nothing_behind(tmp_path, noise):
    signal = noise(0.1)
    with pytest.raises(OutputError, match="does not exist"):
        audio.write(tmp_path / "none" / "a.wav", signal, 48_000)
    with pytest.raises(AudioError, match=r"no format we write.*\.flac"):
        audio.write(tmp_path / "a.xyz", signal, 48_000)
    with pytest.raises(AudioError, match="44100 Hz"):
        audio.write(tmp_path / "a.opus", signal, 44_100)
    signal[0, 50] = np.nan
    with pytest.raises(AudioError, match="NaN"):
        audio.write(tmp_path / "a.wav", signal, 48_000)
    folder = tmp_path / "b.wav"
    folder.mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        audio.write(folder, noise(0.1), 48_000)
    assert os.listdir(tmp_path) == ["b.wav"]


def test_a_failed_write_keeps_the_old_file(tmp_path, noise):
    path = tmp_path / "a.wav"
    audio.write(path, noise(0.1), 48_000)
    before = path.read_bytes()

    def frames():
        yield np.zeros((100, 2), np.int32)
        raise RuntimeError("power cut")

    kind = audio.FileFormat("WAV", "PCM_16")
    with pytest.raises(RuntimeError):
        audio.write_blocks(path, frames(), 48_000, 2, kind)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.wav"]


@pytest.mark.heavy
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path, suffix):
    script = (
        "import resource, signal, sys, numpy as np; from pathlib import Path;"
        "from jen1cli import audio; from jen1cli.errors import OutputError;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "x = np.random.default_rng(0).uniform(-1, 1, (2, 200_000)).astype(np.float32)\n"
        "try: audio.write(Path(sys.argv[1]), x, 48_000)\n"
        "except OutputError as error: print(error)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / f"a.{suffix}")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "disk" in run.stdout or "large" in run.stdout
    assert os.listdir(tmp_path) == []


def test_ogg_checksum_is_the_one_of_rfc_3533():
    def slow(page):
        crc = 0
        for byte in page:
            crc ^= byte << 24
            for _ in range(8):
                crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
        return crc

    rng = np.random.default_rng(0)
    for length in (1, 27, 300):
        page = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
        assert page_crc(page) == slow(page)
