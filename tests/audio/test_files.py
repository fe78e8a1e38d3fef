"""Reading: whole, in ranges, from buffers; and every kind of file that must be refused."""

import io

import numpy as np
import pytest
import soundfile

from jen1cli import audio
from jen1cli.errors import AudioError

RATE = 48_000


def write_raw(path, data, rate=RATE, subtype="PCM_16", format_=None):
    soundfile.write(path, data.T, rate, subtype=subtype, format=format_)
    return path


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [("wav", "PCM_16"), ("wav", "FLOAT"), ("flac", "PCM_24"), ("aiff", "PCM_16"),
     ("ogg", "VORBIS"), ("mp3", "MPEG_LAYER_III")],
)  # fmt: skip
def test_probe_tells_what_a_file_is(tmp_path, noise, suffix, subtype):
    path = write_raw(tmp_path / f"a.{suffix}", noise(0.5, 44_100), 44_100, subtype)
    info = audio.probe(path)
    assert (info.sample_rate, info.channels, info.samples) == (44_100, 2, 22_050)
    assert info.subtype == subtype
    assert info.seconds == 0.5


def test_any_range_is_the_same_part_of_the_whole(tmp_path, noise):
    path = write_raw(tmp_path / "a.flac", noise(2.0, channels=1))
    whole = audio.read(path)
    assert whole.shape == (1, 96_000)
    assert whole.dtype == np.float32
    for start, stop in [(0, 1), (1, 2), (30_001, 70_007), (95_999, 96_000), (5, 5)]:
        np.testing.assert_array_equal(audio.read(path, start, stop), whole[:, start:stop])
    joined = np.concatenate(list(audio.blocks(path, 100, 90_000, size=7_777)), axis=1)
    np.testing.assert_array_equal(joined, whole[:, 100:90_000])


def test_a_buffer_reads_like_its_file(tmp_path, noise):
    path = write_raw(tmp_path / "a.wav", noise(0.1))
    buffer = io.BytesIO(path.read_bytes())
    assert audio.probe(buffer) == audio.probe(path)
    np.testing.assert_array_equal(audio.read(buffer), audio.read(path))
    assert audio.digest(buffer) == audio.digest(path)


def test_wav_of_unknown_length_from_a_pipe_is_taken(noise):
    buffer = io.BytesIO()
    soundfile.write(buffer, noise(0.1).T, RATE, format="WAV", subtype="PCM_16")
    data = bytearray(buffer.getvalue())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    assert audio.probe(io.BytesIO(bytes(data))).samples == 4_800


def refused(source):
    with pytest.raises(AudioError) as caught:
        audio.check(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_bad_files_are_refused_in_words(tmp_path, noise):
    assert "does not exist" in refused(tmp_path / "missing.wav")
    assert "is a folder" in refused(tmp_path)
    empty = tmp_path / "empty.wav"
    empty.touch()
    assert "is empty" in refused(empty)
    text = tmp_path / "text.wav"
    text.write_text("this is not a sound\n" * 40)
    assert "looks like text" in refused(text)
    film = tmp_path / "song.m4a"
    film.write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(100))
    assert "ffmpeg" in refused(film)
    assert "holds no samples" in refused(write_raw(tmp_path / "none.wav", noise(0)))
    surround = np.zeros((6, 100), np.float32)
    assert "6 channels" in refused(write_raw(tmp_path / "six.wav", surround))
    broken = noise(1.0)
    broken[1, 40_000] = np.nan
    assert "NaN" in refused(write_raw(tmp_path / "nan.wav", broken, subtype="FLOAT"))


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff"])
def test_truncated_files_are_refused(tmp_path, noise, suffix):
    path = write_raw(tmp_path / f"a.{suffix}", noise(2.0))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    message = refused(path)
    assert "cut short" in message or "damaged" in message
