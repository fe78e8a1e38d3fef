"""Files whose headers tell no length or a wrong one, files joined, and kinds that are not read."""

import io
import os
import struct
import threading

import numpy as np
import pytest
import soundfile

from jen1cli import audio
from jen1cli.audio import Patch, flac_frames, mpeg
from jen1cli.audio.metadata import id3
from jen1cli.audio.mpeg import read_frames
from jen1cli.audio.quiet import quiet
from jen1cli.errors import AudioError, OutputError
from metadata_support import chunk

RATE = 48_000


def heavy(value):
    return pytest.param(value, marks=pytest.mark.heavy)


def write_sound(path, signal, **options):
    soundfile.write(path, signal.T, RATE, **options)
    return path


def refusal(source):
    with pytest.raises(AudioError) as caught:
        audio.check(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


def without_total(data):
    """Return a FLAC file as one that was written to a pipe: 36 bits of the total are zero."""
    changed = bytearray(data)
    changed[21] &= 0xF0
    changed[22:26] = bytes(4)
    return bytes(changed)


def without_xing(data):
    """Return an MP3 file without the frame that tells its length."""
    frames = read_frames(data, 0, len(data))
    assert frames is not None
    assert frames.promised is not None
    return data[frames.start + mpeg._length(data, frames.start) :]


# --- lengths that no header tells ---


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_flac_of_unknown_length_is_read_to_its_end(tmp_path, music, subtype):
    signal = music(2.3)
    whole = write_sound(tmp_path / "a.flac", signal, subtype=subtype)
    piped = tmp_path / "b.flac"
    piped.write_bytes(without_total(whole.read_bytes()))
    assert audio.probe(piped) == audio.probe(whole)
    assert audio.check(io.BytesIO(piped.read_bytes())).samples == signal.shape[1]
    np.testing.assert_array_equal(audio.read(piped), audio.read(whole))
    np.testing.assert_array_equal(
        audio.read(piped, 70_000, 70_100), audio.read(whole)[:, 70_000:70_100]
    )
    edited = tmp_path / "c.flac"
    assert audio.write_spliced(edited, piped, [Patch(9_000, music(0.1))])
    np.testing.assert_array_equal(audio.read(edited)[:, 20_000:], audio.read(whole)[:, 20_000:])
    assert audio.probe(edited).samples == signal.shape[1]


def test_flac_of_unknown_length_cut_short_is_refused(tmp_path, music):
    data = without_total(write_sound(tmp_path / "a.flac", music(2.0)).read_bytes())
    path = tmp_path / "b.flac"
    path.write_bytes(data[: len(data) * 2 // 3])
    assert "cut short" in refusal(path)


def test_mp3_of_variable_bit_rate_without_a_header_is_read_to_its_end(tmp_path, noise, tone):
    loud = noise(2.0, level=0.2)
    signal = np.concatenate([0.001 * tone(2.0), loud, loud], axis=1)
    path = tmp_path / "a.mp3"
    with soundfile.SoundFile(
        path, "w", RATE, 2, "MPEG_LAYER_III", format="MP3",
        compression_level=0.1, bitrate_mode="VARIABLE",
    ) as file:  # fmt: skip
        file.write(signal.T)
    bare = tmp_path / "b.mp3"
    bare.write_bytes(without_xing(path.read_bytes()))
    with soundfile.SoundFile(bare) as file:
        assert abs(file.frames - signal.shape[1]) > RATE  # what libsndfile takes it for
    assert abs(audio.check(bare).samples - signal.shape[1]) < 3_000
    assert audio.check(io.BytesIO(bare.read_bytes())) == audio.check(bare)
    assert np.abs(audio.read(bare)[:, -RATE:]).max() > 0.1


@pytest.mark.parametrize("size", [0x7F000008, 0xFFFFFFFF, 0x7FFFFFFF])
def test_aiff_from_a_pipe_is_read_to_its_end(tmp_path, noise, size):
    data = bytearray(write_sound(tmp_path / "a.aiff", noise(0.2)).read_bytes())
    at = data.index(b"SSND")
    struct.pack_into(">I", data, at + 4, size)
    (tmp_path / "a.aiff").write_bytes(data)
    assert audio.check(tmp_path / "a.aiff").samples == 9_600


# --- several recordings in one file ---


def test_flac_whose_metadata_claims_more_than_the_file_has_no_frames(tmp_path, music):
    data = bytearray(write_sound(tmp_path / "a.flac", music(0.5)).read_bytes())
    data[42:46] = b"\x84\xff\xff\xff"  # the last block: comments of 16 MB
    file = io.BytesIO(data)
    stream = flac_frames.read_stream(file)
    assert stream is not None
    assert (stream.start, stream.stop) == (len(data), len(data))
    assert not flac_frames.is_joined(file, stream)
    assert flac_frames.find_end(file, stream) is None


@pytest.mark.parametrize("suffix", ["ogg", "opus", "mp3", "flac", "wav", "aiff"])
@pytest.mark.parametrize("second", [heavy(0.7), 1.5, heavy(3.1)])
def test_joined_files_are_refused(tmp_path, music, suffix, second):
    """Of 1.5 s and 1.5 s, both are the same bytes, with our fixed serial number in OGG."""
    for name, seconds in (("a", 1.5), ("b", second)):
        audio.write(tmp_path / f"{name}.{suffix}", music(seconds), RATE)
    joined = tmp_path / f"ab.{suffix}"
    joined.write_bytes(b"".join((tmp_path / f"{n}.{suffix}").read_bytes() for n in "ab"))
    message = refusal(joined)
    assert "more than one recording" in message
    assert "ffmpeg" in message
    assert "more than one recording" in refusal(io.BytesIO(joined.read_bytes()))


@pytest.mark.heavy
@pytest.mark.parametrize("suffix", ["ogg", "opus", "mp3", "flac"])
@pytest.mark.parametrize("level", [0.0, 0.3])
def test_whole_files_are_not_taken_for_joined_ones(tmp_path, noise, suffix, level):
    path = tmp_path / f"a.{suffix}"
    for seconds in (0.05, 1.0, 40.0):
        audio.write(path, noise(seconds, level=level), RATE)
        assert audio.check(path).samples == round(seconds * RATE)


def test_flac_frames_with_every_size_of_block_are_found(tmp_path, noise):
    for rate in (8_000, 44_100, 96_000, 12_345):
        path = tmp_path / "a.flac"
        soundfile.write(path, noise(1.3, rate, 1).T, rate)
        with path.open("rb") as file:
            stream = flac_frames.read_stream(file)
            assert stream is not None
            assert flac_frames.find_end(file, stream) == stream.total == round(1.3 * rate)
            assert not flac_frames.is_joined(file, stream)


# --- cut short ---


def rf64(path, signal, magic=b"RF64"):
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16", format="RF64") as file:
        file.write(signal.T)
    data = path.read_bytes()
    if data[:4] != b"RF64":  # libsndfile goes back to RIFF where it is enough
        at = data.index(b"data")
        size = len(data) - at - 8
        ds64 = struct.pack("<4sIQQQI", b"ds64", 28, len(data) + 28, size, size // 4, 0)
        body = data[12:at] + b"data\xff\xff\xff\xff" + data[at + 8 :]
        data = b"RF64\xff\xff\xff\xffWAVE" + ds64 + body
    path.write_bytes(magic + data[4:])
    return path


def test_rf64_cut_short_is_refused_and_bw64_is_read(tmp_path, noise):
    signal = noise(0.5)
    path = rf64(tmp_path / "a.wav", signal)
    expected = audio.read(path)
    assert audio.check(path).samples == 24_000
    for magic in (b"RF64", b"BW64"):
        rf64(path, signal, magic)
        np.testing.assert_array_equal(audio.read(path), expected)
        assert audio.check(io.BytesIO(path.read_bytes())).samples == 24_000
        path.write_bytes(path.read_bytes()[:50_000])
        assert "cut short" in refusal(path)


@pytest.mark.parametrize(
    ("suffix", "format_"),
    [
        ("wav", "WAV"),
        ("aiff", "AIFF"),
        ("w64", "W64"),
        ("au", "AU"),
        ("ogg", "OGG"),
        ("mp3", "MP3"),
    ],
)
@pytest.mark.parametrize("share", [heavy(0.4), heavy(0.7), 0.97])
def test_files_cut_short_are_refused(tmp_path, noise, suffix, format_, share):
    path = write_sound(tmp_path / f"a.{suffix}", noise(4.0), format=format_)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "cut short" in refusal(path)


@pytest.mark.parametrize("share", [heavy(0.4), heavy(0.7), 0.97])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_the_header_of_a_flac_cut_short_is_not_believed(tmp_path, noise, subtype, share):
    path = write_sound(tmp_path / "a.flac", noise(4.0), subtype=subtype)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    for source in (path, io.BytesIO(path.read_bytes())):
        with pytest.raises(AudioError, match="cut short: its header promises 192000 samples"):
            audio.probe(source)
    path.write_bytes(data[:-1])
    with pytest.raises(AudioError, match="cut short"):
        audio.probe(path)


@pytest.mark.parametrize("behind", [b"TAG" + bytes(125), bytes(1_000), b"APETAGEX" * 300])
def test_a_whole_flac_with_other_data_behind_its_sound_is_read(tmp_path, noise, behind):
    path = write_sound(tmp_path / "a.flac", noise(1.0))
    path.write_bytes(path.read_bytes() + behind)
    assert audio.probe(path).samples == RATE
    assert audio.check(path).samples == RATE


# --- kinds that are not read ---


def wave_with(codec, extensible=False):
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else codec, 2, RATE, 16_000, 1, 0)
    if extensible:
        form += struct.pack("<HHIH14s", 22, 16, 3, codec, bytes(14))
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", 64)
    body += bytes(64)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def wave_format(rate=RATE, channels=2, bits=16, code=1):
    size = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", code, channels, rate, 9, size, bits))


WAVE_FORMAT, SOUND = wave_format(), chunk(b"data", bytes(4_800))


def ogg_with(magic):
    page = struct.pack("<4sBBqIIIB", b"OggS", 0, 2, 0, 1, 0, 0, 1) + bytes([64])
    return page + magic.ljust(64, b"\0")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((WAVE_FORMAT, SOUND, SOUND), "it has 2 sound chunks ('data')"),
        ((WAVE_FORMAT, WAVE_FORMAT, SOUND), "it has 2 format chunks ('fmt')"),
        ((SOUND, WAVE_FORMAT), "its sound comes before its format"),
        ((SOUND,), "it has no format chunk ('fmt')"),
        ((WAVE_FORMAT,), "it has no sound chunk ('data')"),
        ((wave_format(rate=0), SOUND), "its sample rate is 0 Hz"),
        ((wave_format(rate=0xFFFFFFFF), SOUND), "its sample rate is 4294967295 Hz"),
        ((wave_format(channels=0), SOUND), "it has 0 channels"),
        ((wave_format(bits=0), SOUND), "its samples have 0 bits"),
        ((wave_format(code=9_999), SOUND), "nobody knows its encoding, number 9999"),
        ((chunk(b"fmt ", b"\1\0\2\0"), SOUND), "its format chunk ('fmt') has 4 bytes"),
    ],
)
def test_what_is_wrong_with_the_header_of_a_wav_is_said(tmp_path, parts, said):
    body = b"WAVE" + b"".join(parts)
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert f"a.wav has a damaged header: {said}" in refusal(path)


@pytest.mark.parametrize("tag", [b"COMM", b"SSND"])
def test_what_is_wrong_with_the_header_of_an_aiff_is_said(tmp_path, noise, tag):
    path = write_sound(tmp_path / "a.aiff", noise(0.1))
    path.write_bytes(path.read_bytes().replace(tag, b"junk", 1))
    assert f"('{tag.decode()}'), and one is needed" in refusal(path)


def test_no_words_of_the_library_reach_the_user(tmp_path, noise):
    path = write_sound(tmp_path / "a.flac", noise(2.0))
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(data[:half] + bytes(9_000) + data[half + 9_000 :])
    assert "its sound cannot be decoded to its end" in refusal(path)
    with pytest.raises(OutputError) as caught:
        audio.write(tmp_path / "b.flac", np.zeros((9, 100), np.float32), 48_000)
    assert "choose another format" in str(caught.value)
    assert "Format not" not in str(caught.value)


# --- words of libmpg123 ---


def test_tags_and_damage_of_an_mp3_print_nothing(tmp_path, noise, capfd):
    path = write_sound(tmp_path / "a.mp3", noise(2.0))
    data = path.read_bytes()
    frames = b"".join(
        tag + struct.pack(">I", len(body)) + b"\0\0" + body
        for tag, body in ((b"COMM", b"\3eng\0"), (b"TXXX", b"\3X\0"), (b"USLT", b"\3eng\0"))
    )
    empty = b"ID3\4\0\0\0\0\0" + bytes([len(frames)]) + frames
    path.write_bytes(empty + data)
    assert audio.check(path).samples == 2 * RATE
    assert audio.read_recipe_text(path) is None
    half = len(data) // 2
    path.write_bytes(data[:half] + b"\xff\xfb\x11" * 3_000 + data[half:])
    refusal(path)
    os.write(2, b"still there\n")
    assert capfd.readouterr().err == "still there\n"


def test_an_empty_text_makes_no_frame_of_an_mp3(tmp_path, noise):
    texts = (("COMMENT", ""), ("LYRICS", ""), ("X", ""), ("TITLE", "a"))
    found = id3.build(texts, ())
    assert [frame.id for frame in found.frames] == ["TIT2"]


def test_stderr_is_given_back_whoever_ends_first(capfd):
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with quiet:
            inside.set()
            leave.wait(10)

    with quiet:
        thread = threading.Thread(target=hold)
        thread.start()
        assert inside.wait(10)
    os.write(2, b"lost\n")
    if hasattr(os, "fork"):
        child = os.fork()
        if child == 0:
            os.write(2, b"child\n")
            os._exit(0)
        os.waitpid(child, 0)
    leave.set()
    thread.join()
    os.write(2, b"back\n")
    expected = "child\nback\n" if hasattr(os, "fork") else "back\n"
    assert capfd.readouterr().err == expected


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (wave_with(0x55), "a WAV file with MP3 inside"),
        (wave_with(0x55, extensible=True), "a WAV file with MP3 inside"),
        (wave_with(0x2000), "a WAV file with AC-3 inside"),
        (wave_with(0xFF), "a WAV file with AAC inside"),
        (ogg_with(b"\x7fFLAC\1\0"), "an OGG file with FLAC inside"),
        (ogg_with(b"Speex   1.2"), "an OGG file with Speex inside"),
        (b"\0\0\0\x20ftypM4A " + bytes(40) + b"stsdalac", "Apple Lossless (ALAC) in MP4"),
        (b"\0\0\0\x20ftypM4A " + bytes(99), "MP4 (M4A, AAC)"),
        (b"caff\0\1\0\0desc" + bytes(16) + b"alac" + bytes(99), "Apple Lossless (ALAC) in CAF"),
        (b"wvpk" + bytes(99), "WavPack"),
        (b"\x1aE\xdf\xa3" + bytes(99), "Matroska"),
        (b"0&\xb2u\x8ef\xcf\x11" + bytes(99), "Windows Media"),
        (b"\xff\xf1\x50\x80" + bytes(99), "AAC (ADTS)"),
        (b"RIFF\x70\0\0\0AVI LIST" + bytes(99), "AVI data"),
    ],
)  # fmt: skip
def test_other_kinds_are_named(tmp_path, data, said):
    path = tmp_path / "song"  # whatever the name says
    path.write_bytes(data)
    message = refusal(path)
    assert said in message
    assert "ffmpeg" in message


def test_a_file_that_may_not_be_read_is_an_error_in_words(tmp_path, noise, monkeypatch):
    path = write_sound(tmp_path / "a.wav", noise(0.1))

    def refused(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refused)
    assert "cannot be read: Permission denied" in refusal(path)


def outcome_of(source):
    """Return why a source is refused; nothing where it can be edited."""
    try:
        about = audio.check(source)
        audio.read_recipe_text(source)
        lead = np.zeros((about.channels, 99), np.float32)
        audio.write_spliced(io.BytesIO(), source, [Patch(0, lead, insert=True)])
    except AudioError as error:
        return str(error)
    return ""


@pytest.mark.heavy
def test_damage_of_any_kind_is_an_error_in_words(tmp_path, music):
    """Bytes are changed at random, most of them near the start; nothing else may be raised."""
    rng = np.random.default_rng(7)
    tags = (("title", "Rain"), ("composer", "Ana"), ("comment", "mine"))
    for suffix in ("wav", "flac", "ogg", "opus", "mp3", "aiff"):
        path = tmp_path / f"a.{suffix}"
        audio.write(path, music(0.4), RATE, recipe='{"generator":"jen1cli"}', tags=tags)
        data = path.read_bytes()
        outcomes = []
        for _ in range(60):
            changed = bytearray(data)
            for _ in range(rng.integers(1, 6)):
                near = rng.random() < 0.8
                at = rng.integers(0, min(400, len(data)) if near else len(data))
                changed[at] = rng.integers(0, 256)
            if rng.random() < 0.2:
                del changed[rng.integers(1, len(changed)) :]
            outcomes.append(outcome_of(io.BytesIO(bytes(changed))))
        assert any(outcomes), suffix
        assert not any("\n" in outcome for outcome in outcomes)
