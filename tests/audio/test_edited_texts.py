"""Texts in an edit: cue sheets move in every kind of tag; what described the old file goes."""

import struct

import pytest

from jen1cli import audio
from jen1cli.audio.metadata import Metadata, Moves, ape, id3
from jen1cli.audio.metadata.model import Block
from metadata_support import LEAD, RATE, chunk, chunks_of, edit, metadata_of, tagged, with_chunks

SHEET = "TRACK 01\r\n  INDEX 01 00:10:00"
MOVED = "TRACK 01\r\n  INDEX 01 00:10:38"  # LEAD is 0.5 s
GAPLESS = "00000000 00000210 00000A00 0000000000017700"


def user_text(name, text, version):
    if version == 4:
        return id3.Frame("TXXX", b"\0\0", f"\x03{name}\0{text}".encode())
    coded = b"\0\0".join(part.encode("utf-16") for part in (name, text))
    flags = b"\0\0" if version == 3 else b""
    return id3.Frame("TXXX" if version == 3 else "TXX", flags, b"\1" + coded)


def comment(about, text):
    return id3.Frame("COMM", b"\0\0", b"\0eng" + about.encode() + b"\0" + text.encode())


def with_tag(folder, signal, suffix, frames, version=4, trailing=b""):
    """Write a file with an ID3 tag and, in MP3, bytes at its end."""
    tag = id3.Tag(version, tuple(frames)).to_bytes()
    path = folder / f"in.{suffix}"
    if suffix != "mp3":
        return tagged(path, signal, Metadata("RIFF", (), (), (Block(b"id3 ", tag, ""),)))
    audio.write(path, signal, RATE)
    path.write_bytes(tag * bool(frames) + path.read_bytes() + trailing)
    return path


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("suffix", ["mp3", "wav"])
def test_cue_sheets_and_chapters_in_user_texts_move(tmp_path, music, suffix, version):
    pairs = (("cuesheet", SHEET), ("CHAPTER001", "00:00:10.250"), ("mood", "INDEX 01 00:10:00"))
    frames = [user_text(*pair, version) for pair in pairs]
    source = with_tag(tmp_path, music(0.3), suffix, frames, version)
    assert edit(source, tmp_path / f"same.{suffix}", tail=100) == ""
    assert dict(metadata_of(tmp_path / f"same.{suffix}").texts)["CUESHEET"] == SHEET
    assert edit(source, tmp_path / f"out.{suffix}", lead=LEAD) == ""
    found = dict(metadata_of(tmp_path / f"out.{suffix}").texts)
    assert found["CUESHEET"] == MOVED
    assert found["CHAPTER001"] == "00:00:10.750"
    assert found["MOOD"] == "INDEX 01 00:10:00"


@pytest.mark.parametrize("suffix", ["mp3", "wav"])
@pytest.mark.parametrize("second", ["mp3", "wav", "flac"])
def test_what_described_the_old_stream_is_left_out_and_named(tmp_path, music, suffix, second):
    frames = [
        comment("iTunSMPB", GAPLESS), comment("", "mine"),
        user_text("MP3GAIN_UNDO", "+004,+004,N", 4), user_text("replaygain_track_gain", "-3 dB", 4),
    ]  # fmt: skip
    source = with_tag(tmp_path, music(0.3), suffix, frames)
    target = tmp_path / f"out.{second}"
    assert edit(source, target, tail=100).endswith(": COMMENT:ITUNSMPB, MP3GAIN_UNDO")
    found = dict(metadata_of(target).texts)
    assert found["COMMENT"] == "mine"
    assert found["REPLAYGAIN_TRACK_GAIN"] == "-3 dB"
    assert "COMMENT:ITUNSMPB" not in found
    data = target.read_bytes()
    assert b"SMPB" not in data
    assert b"MP3GAIN" not in data


def private(data):
    return b"\0application/octet-stream\0\0" + data


@pytest.mark.parametrize(
    ("kind", "data", "named"),
    [
        ("GEOB", private(b"Serato Markers2\0data"), "the places in ID3 GEOB Serato Markers2"),
        ("PRIV", b"TRAKTOR4\0data", "the places in ID3 PRIV TRAKTOR4"),
        ("GEOB", private(b"Serato Overview\0data"), ""),
        ("PRIV", b"another\0data", ""),
    ],
)
@pytest.mark.parametrize("suffix", ["mp3", "wav"])
def test_cue_points_of_dj_programs_are_named(tmp_path, music, kind, data, named, suffix):
    source = with_tag(tmp_path, music(0.3), suffix, [id3.Frame(kind, b"\0\0", data)])
    assert edit(source, tmp_path / f"same.{suffix}", tail=100) == ""
    target = tmp_path / f"out.{suffix}"
    said = edit(source, target, lead=LEAD)
    assert said.endswith(f": {named}") if named else said == ""
    assert data in target.read_bytes()


def test_cue_points_of_dj_programs_in_comments_are_named(tmp_path, noise):
    texts = (("SERATO_MARKERS_V2", "AA"), ("SERATO_OVERVIEW", "AA"))
    source = tagged(tmp_path / "in.flac", noise(0.1), Metadata(texts=texts))
    assert edit(source, tmp_path / "same.flac", tail=100) == ""
    said = edit(source, tmp_path / "out.flac", lead=LEAD)
    assert said.endswith(": the places in SERATO_MARKERS_V2")
    assert metadata_of(tmp_path / "out.flac").texts == texts


# --- APE and Lyrics3 at the end of an MP3 ---


def ape_tag(items, *, header=True):
    body = b"".join(
        struct.pack("<2I", len(value), flags) + key.encode() + b"\0" + value
        for key, value, flags in items
    )

    def end(flags):
        return (
            b"APETAGEX"
            + struct.pack("<4I", 2_000, len(body) + 32, len(items), flags | header << 31)
            + bytes(8)
        )

    return (end(1 << 29) if header else b"") + body + end(0)


ITEMS = [
    ("Title", b"Ape", 0), ("Year", b"1999", 0), ("Cuesheet", SHEET.encode(), 0),
    ("Artist", "A\0Bj\u00f6rk".encode(), 0),
]  # fmt: skip
COVER = ("Cover Art (Front)", b"x.png\0data", 2)


@pytest.mark.parametrize("header", [True, False])
def test_an_ape_tag_moves_and_stays_whole(tmp_path, music, header):
    items = [*ITEMS, COVER]
    tag = ape_tag([*items, ("MP3GAIN_MINMAX", b"100,200", 0)], header=header)
    source = with_tag(tmp_path, music(0.3), "mp3", [], trailing=tag)
    assert edit(source, tmp_path / "same.mp3", tail=100).endswith(": MP3GAIN_MINMAX")
    assert (tmp_path / "same.mp3").read_bytes().endswith(ape_tag(items, header=header))
    assert edit(source, tmp_path / "out.mp3", lead=LEAD).endswith(": MP3GAIN_MINMAX")
    items[2] = ("Cuesheet", MOVED.encode(), 0)
    assert (tmp_path / "out.mp3").read_bytes().endswith(ape_tag(items, header=header))


def test_texts_of_an_ape_tag_go_into_other_formats(tmp_path, music):
    source = with_tag(tmp_path, music(0.3), "mp3", [], trailing=ape_tag(ITEMS))
    assert edit(source, tmp_path / "out.flac") == ""
    assert metadata_of(tmp_path / "out.flac").texts == (
        ("TITLE", "Ape"), ("DATE", "1999"), ("CUESHEET", SHEET), ("ARTIST", "A"),
        ("ARTIST", "Björk"),
    )  # fmt: skip
    source = with_tag(tmp_path, music(0.3), "mp3", [], trailing=ape_tag([*ITEMS, COVER]))
    assert edit(source, tmp_path / "out.ogg").endswith(": APE tag")
    title = id3.Frame("TIT2", b"\0\0", b"\3Three")
    source = with_tag(tmp_path, music(0.3), "mp3", [title], trailing=ape_tag(ITEMS))
    assert edit(source, tmp_path / "both.flac") == ""
    assert dict(metadata_of(tmp_path / "both.flac").texts)["TITLE"] == "Three"


@pytest.mark.parametrize("cut", [0, 3, 40, 70])
def test_a_damaged_ape_tag_stays_and_is_named(cut):
    whole = ape_tag(ITEMS, header=False)
    block = Block(b"APETAGEX", whole[cut:] if cut else whole[:-20] + bytes(12) + whole[-8:], "")
    assert ape.move_ape_block(block, Moves(RATE, 10, 20)) == (block, [])
    moves = Moves(RATE, 10, 20, ((0, 10),))
    assert ape.move_ape_block(block, moves) == (block, ["perhaps places in the APE tag"])


@pytest.mark.parametrize("size", [0, 31, 32])
def test_an_ape_tag_whose_size_is_wrong_is_no_fault(tmp_path, music, size):
    whole = ape_tag(ITEMS, header=False)
    tag = whole[:-20] + struct.pack("<I", size) + whole[-16:]
    source = with_tag(tmp_path, music(0.1), "mp3", [], trailing=tag)
    assert dict(metadata_of(source).texts).get("TITLE") is None
    assert edit(source, tmp_path / "out.flac").endswith(": APE tag")


def test_an_ape_tag_of_a_million_items_is_not_unpacked():
    tag = ape_tag([("a", b"", 0)] * 5_000)
    assert ape.read_ape(tag) == ((), False)


def test_an_ape_tag_in_latin_1_is_read():
    tag = ape_tag([("Title", b"Bj\xf6rk", 0)])
    assert ape.read_ape(tag) == ((("TITLE", "Björk"),), True)


def test_the_times_of_a_lyrics3_tag_are_named(tmp_path, music):
    lyrics = b"LYRICSBEGIN" + b"LYR00010[00:01]la\r\n"
    tag = lyrics + f"{len(lyrics):06}".encode() + b"LYRICS200"
    source = with_tag(tmp_path, music(0.3), "mp3", [], trailing=tag + b"TAG" + bytes(125))
    assert edit(source, tmp_path / "same.mp3", tail=100) == ""
    said = edit(source, tmp_path / "out.mp3", lead=LEAD)
    assert said.endswith(": the places of the time stamps in the Lyrics3 tag")
    assert tag in (tmp_path / "out.mp3").read_bytes()


# --- Apple Loops ---


def test_a_longer_aiff_loses_what_described_it_as_one_loop(tmp_path, noise):
    source = tmp_path / "in.aiff"
    with_chunks(source, noise(0.1), late=chunk(b"basc", bytes(84), ">"))
    assert edit(source, tmp_path / "same.aiff") == ""
    assert chunks_of(tmp_path / "same.aiff")[b"basc"] == bytes(84)
    assert edit(source, tmp_path / "longer.aiff", tail=100).endswith(": basc")
    assert b"basc" not in chunks_of(tmp_path / "longer.aiff")
