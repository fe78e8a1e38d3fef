"""Chunks of WAV and AIFF files in an edit: kept or named, with markers that move."""

import io
import struct

import numpy as np
import pytest
import soundfile

from jen1cli import audio
from jen1cli.audio.chunks import read_chunks, replace_bytes
from jen1cli.audio.metadata import id3
from jen1cli.errors import AudioError
from metadata_support import (
    LEAD,
    RATE,
    RECIPE,
    TITLE,
    chunk,
    chunks_of,
    edit,
    metadata_of,
    picture,
    recorded,
    with_chunks,
)

# --- WAV ---

BEXT = (
    b"A description".ljust(338, b"\0") + struct.pack("<Q", 172_800_000) + bytes(256) + b"A=PCM\r\n"
)
IXML = (
    b"<BWFXML><TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>1</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>"
    b"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>10</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO></BWFXML>"
)


def cues(*positions):
    points = [struct.pack("<II4s3I", n, at, b"data", 0, 0, at) for n, at in enumerate(positions)]
    return struct.pack("<I", len(points)) + b"".join(points)


def sampler(start, end):
    return struct.pack("<9I", 0, 0, 20_833, 60, 0, 0, 0, 1, 0) + struct.pack(
        "<6I", 1, 0, start, end, 0, 0
    )


LABELS = b"adtl" + chunk(b"labl", b"\1\0\0\0Verse\0") + chunk(b"note", b"\1\0\0\0soft\0")
INFO = b"INFO" + chunk(b"INAM", b"Ballade\0") + chunk(b"ICMT", b"my comment\0")
ACID = struct.pack("<IHHfIHHf", 2, 60, 0x8000, 0, 4, 4, 4, 120.0)
EARLY = {b"bext": BEXT, b"iXML": IXML}
LATE = {b"cue ": cues(1_000, 40_000), b"smpl": sampler(2_000, 30_000), b"acid": ACID,
        b"LISTadtl": LABELS, b"LISTINFO": INFO, b"odd!": b"123"}  # fmt: skip


@pytest.fixture
def wave(tmp_path, noise):
    early = b"".join(chunk(tag, data) for tag, data in EARLY.items())
    late = b"".join(chunk(tag[:4], data) for tag, data in LATE.items())
    return with_chunks(tmp_path / "in.wav", noise(1.0), early, late)


def test_chunks_of_a_wav_stay_in_their_places(tmp_path, wave):
    target = tmp_path / "out.wav"
    assert edit(wave, target) == ""
    assert {tag: chunks_of(target)[tag] for tag in LATE} == LATE
    edit(wave, target, tail=999)
    found = chunks_of(target)
    kept = {**EARLY, **LATE}
    del kept[b"acid"]  # its beats are those of the whole file
    assert {tag: found[tag] for tag in kept} == kept
    tags = list(found)
    assert tags.index(b"bext") < tags.index(b"data") < tags.index(b"cue ")
    assert audio.read_recipe_text(target) == RECIPE
    np.testing.assert_array_equal(audio.read(target)[:, :RATE], audio.read(wave))
    assert struct.unpack("<I", target.read_bytes()[4:8])[0] == target.stat().st_size - 8
    again = tmp_path / "again.wav"  # an edit of an edit: one recipe, the new one
    assert edit(target, again, recipe='{"generator":"jen1cli"}') == ""
    assert audio.read_recipe_text(again) == '{"generator":"jen1cli"}'
    assert again.read_bytes().count(b"jen1cli") == 1
    edit(wave, wave, tail=999)  # over itself
    assert wave.read_bytes() == target.read_bytes()


def test_markers_of_a_wav_move_with_an_insertion_on_the_left(tmp_path, wave):
    target = tmp_path / "out.wav"
    said = edit(wave, target, lead=LEAD, tail=500)
    assert "acid" in said
    assert "smpl" not in said
    found = chunks_of(target)
    assert found[b"cue "] == cues(1_000 + LEAD, 40_000 + LEAD)
    assert found[b"smpl"] == sampler(2_000 + LEAD, 30_000 + LEAD)
    assert struct.unpack_from("<Q", found[b"bext"], 338) == (172_800_000 - LEAD,)
    time = (1 << 32) + 10 - LEAD
    assert b"_HI>%d<" % (time >> 32) in found[b"iXML"]
    assert b"_LO>%d<" % (time & 0xFFFFFFFF) in found[b"iXML"]
    for tag in (b"LISTadtl", b"LISTINFO", b"odd!"):
        assert found[tag] == LATE[tag]
    assert b"acid" not in found


@pytest.mark.parametrize("longer", [{"lead": LEAD}, {"tail": 500}])
def test_a_longer_file_is_no_loop(tmp_path, noise, longer):
    """The chunks of a loop that `generate --loop` writes go; an edit inside keeps them."""
    late = chunk(b"smpl", sampler(0, RATE - 1)) + chunk(b"acid", ACID)
    source = with_chunks(tmp_path / "in.wav", noise(1.0), b"", late)
    edit(source, tmp_path / "same.wav")
    assert {b"smpl", b"acid"} <= set(chunks_of(tmp_path / "same.wav"))
    said = edit(source, tmp_path / "longer.wav", **longer)
    assert {b"smpl", b"acid"}.isdisjoint(chunks_of(tmp_path / "longer.wav"))
    assert all(name in said for name in ("smpl", "acid"))


def test_chunks_that_would_be_untrue_are_named(tmp_path, noise):
    late = chunk(b"levl", bytes(120)) + chunk(b"strc", bytes(40)) + chunk(b"cue ", b"\2\0")
    source = with_chunks(tmp_path / "in.wav", noise(0.2), b"", late)
    said = edit(source, tmp_path / "a.wav")
    assert "levl" in said
    assert "strc" not in said
    assert b"strc" in chunks_of(tmp_path / "a.wav")
    said = edit(source, tmp_path / "b.wav", lead=LEAD)
    assert all(name in said for name in ("levl", "strc", "cue"))
    assert not {b"levl", b"strc", b"cue "} & set(chunks_of(tmp_path / "b.wav"))


@pytest.mark.parametrize("suffix", ["wav", "aiff"])
@pytest.mark.parametrize(("before", "after"), [("FLOAT", "FLOAT"), ("FLOAT", "PCM_16")])
def test_the_peaks_of_a_file_are_computed_anew_or_named(tmp_path, noise, suffix, before, after):
    soundfile.write(tmp_path / f"in.{suffix}", noise(0.2).T, RATE, subtype=before)
    assert b"PEAK" in chunks_of(tmp_path / f"in.{suffix}")
    target = tmp_path / f"out.{suffix}"
    with recorded() as said:
        audio.write_spliced(target, tmp_path / f"in.{suffix}", [], subtype=after)
    has_peaks = after == "FLOAT"
    assert (b"PEAK" in chunks_of(target)) == has_peaks
    assert [line.endswith(": PEAK") for line in said] == [True] * (not has_peaks)


@pytest.mark.parametrize(
    ("tag", "data", "said"),
    [
        (b"bext", b"x".ljust(338, b"\0") + struct.pack("<Q", LEAD - 1) + bytes(256),
         "before midnight (bext)"),
        (b"iXML", IXML.replace(b">1<", b">0<"), "before midnight (iXML)"),
        (b"iXML", IXML.replace(b"</BWFXML>", b""), "places in iXML, which is not well-formed"),
        (b"iXML", b"\xff\xfenot XML", "places in iXML, which is not well-formed"),
        (b"iXML", b'<?xml version="1.0" encoding="shift_jis"?><a/>', "is not well-formed"),
        (b"iXML", b'<?xml version="1.0" encoding="nonsense"?><a/>', "is not well-formed"),
        (b"smpl", sampler(2_000, RATE), "smpl loops that are not in the sound"),
        (b"smpl", sampler(3_000, 2_000), "smpl loops that are not in the sound"),
        (b"smpl", sampler(0, 9)[:28] + struct.pack("<I", 3) + sampler(0, 9)[32:],
         "2 of 3 smpl loops, which are not there"),
    ],
)  # fmt: skip
def test_positions_that_cannot_be_moved_are_named(tmp_path, noise, tag, data, said):
    source = with_chunks(tmp_path / "in.wav", noise(1.0), chunk(tag, data))
    assert edit(source, tmp_path / "same.wav", tail=500) == ""
    line = edit(source, tmp_path / "moved.wav", lead=LEAD)
    assert said in line
    assert "\n" not in line
    assert tag in chunks_of(tmp_path / "moved.wav")


def test_what_another_format_cannot_hold_is_named(tmp_path, wave):
    for suffix in ("flac", "ogg", "mp3", "aiff"):
        target = tmp_path / f"out.{suffix}"
        said = edit(wave, target)
        for name in ("bext", "iXML", "cue", "smpl", "acid", "LIST adtl", "odd!"):
            assert name in said
        assert "INFO" not in said
        texts = dict(metadata_of(target).texts)
        assert (texts["TITLE"], texts["COMMENT"]) == ("Ballade", "my comment")


@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_24"])
def test_float_and_large_wavs_keep_their_chunks(tmp_path, noise, subtype):
    kind = audio.FileFormat("RF64", subtype)
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    audio.write_blocks(source, [audio.writing.encoded(noise(0.2), subtype)], RATE, 2, kind)
    with source.open("r+b") as file:
        audio.chunks.add_chunks(file, [chunk(b"bext", BEXT)], [chunk(b"cue ", cues(7))])
    before = audio.read(source)
    assert edit(source, target, lead=100) == ""
    assert chunks_of(target)[b"cue "] == cues(107)
    np.testing.assert_array_equal(audio.read(target)[:, 100:], before)


@pytest.mark.parametrize("format_", ["WAV", "RF64", "BW64", "AIFF"])
def test_chunks_of_odd_length_in_front_of_the_sound_hide_nothing(tmp_path, noise, format_):
    """libsndfile does not find the sound behind them, and calls the file none of sound."""
    path = tmp_path / ("in.aiff" if format_ == "AIFF" else "in.wav")
    order = ">" if format_ == "AIFF" else "<"
    extras = [(b"bext", bytes(609)), (b"iXML", b"<x>"), (b"smpl", sampler(7, 9) + b"1")]
    if format_ == "AIFF":
        extras = [(b"COMT", b"1"), (b"NONE", b"")]
    soundfile.write(path, noise(0.2).T, RATE, format=format_.replace("BW", "RF"))
    expected = audio.read(path)
    with path.open("r+b") as file:
        audio.chunks.add_chunks(file, [chunk(tag, data, order) for tag, data in extras], [])
        if format_ == "BW64":
            file.seek(0)
            file.write(b"BW64")
    with pytest.raises(soundfile.SoundFileError):
        soundfile.info(path)
    np.testing.assert_array_equal(audio.read(path), expected)
    assert audio.check(io.BytesIO(path.read_bytes())).samples == 9_600
    target = path.with_stem("out")
    assert edit(path, target, tail=10) == ""
    assert chunks_of(target) | dict(extras) == chunks_of(target)
    if format_ != "AIFF":
        assert soundfile.info(target).frames == 9_610


# --- AIFF ---


def markers(*positions):
    parts = [struct.pack(">HIB", n, at, 4) + b"Mark\0" for n, at in enumerate(positions)]
    return struct.pack(">H", len(parts)) + b"".join(parts)


def test_chunks_of_an_aiff_stay_and_its_markers_move(tmp_path, noise):
    early = chunk(b"NAME", TITLE.encode(), ">") + chunk(b"ANNO", b"mine", ">")
    late = chunk(b"MARK", markers(5, 900), ">") + chunk(b"INST", bytes(20), ">")
    tag = id3.build((("COMPOSER", "Me"),), (picture(),)).to_bytes()
    late += chunk(b"ID3 ", tag, ">") + chunk(b"APPL", b"stoc data", ">")
    source = with_chunks(tmp_path / "in.aiff", noise(0.3), early, late)
    before = audio.read(source)
    target = tmp_path / "out.aiff"
    assert edit(source, target, lead=LEAD) == ""
    found = chunks_of(target)
    assert found[b"MARK"] == markers(5 + LEAD, 900 + LEAD)
    assert found[b"ID3 "] == tag
    assert found[b"INST"] == bytes(20)
    assert b"APPLstoc" in target.read_bytes().replace(struct.pack(">I", 9), b"")
    assert audio.read_recipe_text(target) == RECIPE
    np.testing.assert_array_equal(audio.read(target)[:, LEAD:], before)
    assert "MARK" in edit(source, tmp_path / "out.wav")
    texts = dict(metadata_of(tmp_path / "out.wav").texts)
    assert (texts["TITLE"], texts["COMMENT"], texts["COMPOSER"]) == (TITLE, "mine", "Me")
    assert metadata_of(tmp_path / "out.wav").pictures == (picture(),)


def test_a_file_of_chunks_alone_is_refused(tmp_path, noise):
    path = with_chunks(tmp_path / "a.wav", noise(0.1), b"", chunk(b"xxxx", b"") * 20_000)
    with pytest.raises(AudioError, match="more than 10000 chunks"):
        audio.check(path)


# --- bytes replaced inside a file ---


@pytest.mark.parametrize(("start", "stop", "new"), [(5, 5, 9), (5, 40, 3), (0, 7, 7), (60, 64, 99)])
def test_bytes_are_replaced_in_place(monkeypatch, start, stop, new):
    monkeypatch.setattr("jen1cli.audio.chunks._BLOCK", 11)
    data = bytes(range(64))
    file = io.BytesIO(data)
    replace_bytes(file, start, stop, b"x" * new)
    assert file.getvalue() == data[:start] + b"x" * new + data[stop:]


@pytest.mark.parametrize("kind", ["wav", "aiff"])
@pytest.mark.parametrize(
    "junk", [b"hello, this is no chunk", b"abc", b"\xff" * 64, b"TAG" + b"x" * 125]
)
def test_bytes_behind_the_last_chunk_are_named_and_not_kept(tmp_path, caplog, noise, kind, junk):
    path, target = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    soundfile.write(path, 0.1 * noise(0.1).T, 48_000)
    with path.open("ab") as file:
        file.write(junk)
    patch = audio.Patch(10, np.zeros((2, 5), np.float32))
    audio.write_spliced(target, path, (patch,))
    assert f"does not keep of {path}: {len(junk)} bytes behind the last chunk" in caplog.text
    with target.open("rb") as file:
        layout = read_chunks(file)
    assert layout is not None
    assert [chunk.tag.strip() for chunk in layout.chunks][-1] in (b"data", b"SSND")
    assert layout.tail == 0


def test_chunks_behind_the_size_of_the_whole_stay(tmp_path, caplog, noise):
    path, target = tmp_path / "a.wav", tmp_path / "b.wav"
    soundfile.write(path, 0.1 * noise(0.1).T, 48_000)
    with path.open("ab") as file:
        file.write(b"iXML" + (6).to_bytes(4, "little") + b"<a/>  " + bytes(40))
    audio.write_spliced(target, path, (audio.Patch(10, np.zeros((2, 5), np.float32)),))
    assert b"iXML" in target.read_bytes()
    assert "behind the last chunk" not in caplog.text
    # a header of a stream that names no sizes
    data = bytearray(path.read_bytes())
    data[4:8] = bytes(4)
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff" * 4
    layout = read_chunks(io.BytesIO(data))
    assert layout is not None
    assert layout.sound is not None
