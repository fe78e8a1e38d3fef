"""Tags and pictures in an edit: from every format to every other; ID3 and FLAC as they are."""

import base64
import struct
import zlib

import numpy as np
import pytest
import soundfile

from jen1cli import audio
from jen1cli.audio.metadata import Metadata, id3, read_metadata
from jen1cli.audio.metadata.model import PACKED
from jen1cli.audio.recipe_text import MOST_BYTES
from jen1cli.errors import AudioError
from metadata_support import (
    LEAD,
    RATE,
    RECIPE,
    TEXTS,
    TITLE,
    edit,
    metadata_of,
    picture,
    tagged,
)

SUFFIXES = ["wav", "aiff", "flac", "ogg", "opus", "mp3"]
PAIRS = [
    pytest.param(first, second, marks=[] if (j - i) % len(SUFFIXES) == 1 else pytest.mark.heavy)
    for i, first in enumerate(SUFFIXES)
    for j, second in enumerate(SUFFIXES)
]
"""From every format to every other; by default from each to the next, and so to each once."""

# --- texts and pictures in every format, and from each to each ---


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_texts_and_pictures_go_from_every_format_to_every_other(tmp_path, noise, first, second):
    given = Metadata(texts=TEXTS, pictures=(picture(),))
    source = tagged(tmp_path / f"in.{first}", noise(0.2), given)
    target = tmp_path / f"out.{second}"
    assert edit(source, target) == ""
    found = metadata_of(target)
    assert set(found.texts) >= set(TEXTS)
    assert found.pictures == (picture(),)
    assert audio.read_recipe_text(target) == RECIPE
    with soundfile.SoundFile(target) as file:
        assert file.title == TITLE
        assert "Björk" in file.artist or "Ana" in file.artist
        assert file.frames == audio.probe(source).samples


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_users_comment_stands_beside_the_recipe(tmp_path, noise, suffix):
    path = tmp_path / f"a.{suffix}"
    audio.write(path, noise(0.2), RATE, recipe=RECIPE, tags=(("comment", "mine"),))
    assert audio.read_recipe_text(path) == RECIPE
    with soundfile.SoundFile(path) as file:
        assert file.comment == "mine"
    edit(path, path, recipe='{"generator":"jen1cli"}')
    assert audio.read_recipe_text(path) == '{"generator":"jen1cli"}'
    assert dict(metadata_of(path).texts)["COMMENT"] == "mine"


# --- MP3 ---


def frame(name, data, version=3, flags=b"\0\0"):
    return id3.Frame(name, flags if version > 2 else b"", data)


def with_tag(path, signal, tag, trailing=b""):
    soundfile.write(path, signal.T, RATE)
    path.write_bytes((tag.to_bytes() if tag else b"") + path.read_bytes() + trailing)
    return path


def frames_of(path):
    tag = id3.parse(path.read_bytes())
    assert tag is not None
    return tag.version, {found.id: found.data for found in tag.frames}


CHAPTER = b"c1\0" + struct.pack(">4I", 100, 200, 5, 6)


@pytest.mark.parametrize("version", [2, 3, 4])
def test_frames_of_an_mp3_stay_byte_by_byte(tmp_path, music, version):
    if version == 2:
        frames = {"TT2": b"\1" + TITLE.encode("utf-16"), "PIC": b"\0PNG\3\0image", "RVA": b"\1\2"}
    else:
        frames = {
            "TIT2": b"\1" + TITLE.encode("utf-16"), "APIC": b"\0image/png\0\3\0image",
            "PRIV": b"me\0\xff\0\xff\xe0", "TXXX": b"\0replaygain_track_gain\0-6 dB",
            "GEOB": b"x" * 300, "W" + "COM": b"http://x", "CHAP": CHAPTER,
        }  # fmt: skip
    tag = id3.Tag(version, tuple(frame(name, data, version) for name, data in frames.items()))
    ape = b"key\0value"
    ape = ape + b"APETAGEX" + struct.pack("<4I8x", 2000, len(ape) + 32, 1, 0)
    v1 = b"TAG" + b"Old title".ljust(125, b"\0")
    source = with_tag(tmp_path / "in.mp3", music(1.0), tag, ape + v1)
    target = tmp_path / "out.mp3"
    assert edit(source, target, tail=4_800) == ""
    assert target.read_bytes().endswith(ape + v1)
    kept_version, kept = frames_of(target)
    assert kept_version == version
    note = kept.pop("TXX" if version == 2 else "TXXX") if version == 2 else None
    assert note is None or RECIPE.encode() in note
    assert audio.read_recipe_text(target) == RECIPE
    if version > 2:
        recipe = kept.pop("TXXX")
        assert RECIPE.encode() in recipe
        assert dict(metadata_of(target).texts)["REPLAYGAIN_TRACK_GAIN"] == "-6 dB"
        frames.pop("TXXX")
    assert kept == frames
    assert audio.probe(target).samples == audio.probe(source).samples + 4_800
    with soundfile.SoundFile(target) as file:
        assert file.title == TITLE


def test_a_recipe_that_is_not_ascii_is_no_text_with_question_marks():
    with pytest.raises(UnicodeEncodeError):
        id3.with_recipe(id3.Tag(4, ()), "lofi – piano")


def test_a_manifest_in_a_tag_of_version_2_2_is_removed():
    data = b"\0application/c2pa\0\0\0manifest"
    tag = id3.Tag(2, (frame("GEO", data, 2), frame("TT2", b"\0mine", 2)))
    assert tag.frames[0].kind == "GEOB"
    kept, had_one = id3.without_manifest(tag)
    assert had_one
    assert [found.id for found in kept.frames] == ["TT2"]


def test_times_in_an_mp3_move_or_are_named(tmp_path, music):
    tag = id3.Tag(
        3,
        (frame("TLEN", b"\x001000"), frame("CHAP", CHAPTER), frame("ETCO", b"\2\1\0\0\0\0"),
         frame("MLLT", bytes(10))),
    )  # fmt: skip
    source = with_tag(tmp_path / "in.mp3", music(1.0), tag)
    assert edit(source, tmp_path / "a.mp3").endswith(": ID3 MLLT")
    assert edit(source, tmp_path / "b.mp3", lead=LEAD).endswith(": ID3 MLLT")
    _, frames = frames_of(tmp_path / "b.mp3")
    assert frames["TLEN"] == b"\x001500"
    assert struct.unpack_from(">2I", frames["CHAP"], 3) == (600, 700)


def at(milliseconds):
    return struct.pack(">I", milliseconds)


@pytest.mark.parametrize("suffix", ["mp3", "wav"])
def test_lyrics_and_events_with_times_move(tmp_path, music, suffix):
    events = b"\2\3" + at(0) + b"\xfd" + at(900)
    plain = b"\3eng\2\1about\0one\0" + at(10) + b"two\0" + at(500)
    wide = b"\1eng\2\1" + b"".join(
        text.encode("utf-16") + b"\0\0" + time
        for text, time in (("x", b""), ("one", at(10)), ("two", at(500)))
    )
    tag = id3.Tag(4, (frame("ETCO", events), frame("SYLT", plain), frame("SYLT", wide)))
    source = with_tag(tmp_path / "in.mp3", music(1.0), tag)
    target = tmp_path / f"out.{suffix}"
    assert edit(source, target, lead=LEAD) == ""
    data = target.read_bytes()
    assert b"\2\3" + at(500) + b"\xfd" + at(1_400) in data
    assert b"about\0one\0" + at(510) + b"two\0" + at(1_000) in data
    assert "two".encode("utf-16") + b"\0\0" + at(1_000) in data


@pytest.mark.parametrize(
    ("kind", "data", "flags"),
    [
        ("ETCO", b"\1\3" + at(0), b"\0\0"),  # its times are frames of the old stream
        ("ETCO", b"\2\3\0", b"\0\0"),
        ("SYLT", b"\3eng\1\1\0one\0" + at(10), b"\0\0"),
        ("SYLT", b"\3eng\2\1\0one\0\0", b"\0\0"),
        ("SYLT", b"\3en", b"\0\0"),
        ("CHAP", CHAPTER, b"\0\x08"),  # packed
        ("CHAP", b"c1\0\0", b"\0\0"),
    ],
)
def test_times_that_cannot_be_moved_are_named(tmp_path, music, kind, data, flags):
    source = with_tag(tmp_path / "in.mp3", music(0.5), id3.Tag(4, (id3.Frame(kind, flags, data),)))
    assert edit(source, tmp_path / "same.mp3", tail=100) == ""
    assert edit(source, tmp_path / "out.mp3", lead=LEAD).endswith(f": ID3 {kind}")


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("suffix", ["wav", "aiff"])
def test_frames_of_an_mp3_go_into_the_tag_of_a_wav_and_back(tmp_path, music, suffix, version):
    inner = frame("TIT2", b"\0" + b"Chapter one ".ljust(200, b"x"), version)
    chapter = CHAPTER + id3.Tag(version, (inner,)).to_bytes()[10:]
    contents = b"toc\0\3\1c1\0"
    frames = {
        "POPM": b"me@x\0\xff\0\0\0\5", "PRIV": b"me\0\xff\xe0",
        "GEOB": b"\0text/x\0a\0b\0" + b"x" * 300,
        "RVA2": b"a\0\1\0\0\0", "CTOC": contents, "CHAP": chapter,
    }  # fmt: skip
    note = b"\0JEN1_RECIPE\0" + RECIPE.encode()
    texts = {"TIT2": b"\3mine", "COMM": b"\3engabout\0a word", "TXXX": note}
    tag = id3.Tag(version, tuple(frame(*item, version) for item in (frames | texts).items()))
    source = with_tag(tmp_path / "in.mp3", music(0.5), tag)
    middle, back = tmp_path / f"middle.{suffix}", tmp_path / "back.mp3"
    other = '{"generator":"jen1cli","prompt":"another"}'
    assert edit(source, middle, recipe=other) == ""
    assert middle.read_bytes().count(RECIPE.encode()) == 0
    assert edit(middle, back, lead=LEAD, recipe=other) == ""
    found = dict(frames_of(back)[1])
    assert struct.unpack_from(">2I", found["CHAP"], 3) == (600, 700)
    moved = found.pop("CHAP")
    (inside,) = id3.frames_in(moved[19:], 4)
    assert (inside.id, inside.data) == (inner.id, inner.data)
    for name in frames.keys() - {"CHAP"}:
        assert found[name] == frames[name]
    texts = dict(metadata_of(back).texts)
    assert (texts["TITLE"], texts["COMMENT:ABOUT"]) == ("mine", "a word")


@pytest.mark.parametrize("suffix", ["flac", "ogg"])
def test_comments_with_a_description_become_comments(tmp_path, music, suffix):
    about, lost = frame("COMM", b"\3engAbout\0a word"), frame("PRIV", b"me\0x")
    source = with_tag(tmp_path / "in.mp3", music(0.5), id3.Tag(4, (about, lost)))
    target = tmp_path / f"out.{suffix}"
    assert edit(source, target).endswith(": ID3 PRIV")
    assert dict(metadata_of(target).texts)["COMMENT:ABOUT"] == "a word"
    edit(target, tmp_path / "back.mp3")
    assert frames_of(tmp_path / "back.mp3")[1]["COMM"] == b"\3engABOUT\0a word"


def test_frames_that_version_2_4_lacks_are_named(tmp_path, music):
    frames = (frame("RVAD", bytes(10), 3), frame("PRIV", b"me\0x", 3))
    source = with_tag(tmp_path / "in.mp3", music(0.5), id3.Tag(3, frames))
    assert edit(source, tmp_path / "out.wav").endswith(": ID3 RVAD")
    older = id3.Tag(2, (frame("RVA", bytes(10), 2), frame("GEO", b"\0a/b\0c\0d\0e", 2)))
    source = with_tag(tmp_path / "in.mp3", music(0.5), older)
    assert edit(source, tmp_path / "out.wav").endswith(": ID3 RVA")
    assert b"GEOB" in (tmp_path / "out.wav").read_bytes()


def test_only_an_id3v1_tag_is_read_too(tmp_path, music):
    v1 = b"TAG" + b"Old title".ljust(30, b"\0") + b"Me".ljust(95, b"\0")
    source = with_tag(tmp_path / "in.mp3", music(0.5), None, v1)
    edit(source, tmp_path / "a.mp3")
    edit(source, tmp_path / "a.flac")
    for path in (tmp_path / "a.mp3", tmp_path / "a.flac"):
        texts = dict(metadata_of(path).texts)
        assert (texts["TITLE"], texts["ARTIST"]) == ("Old title", "Me")


def test_sizes_as_itunes_wrote_them_are_understood():
    """In version 2.4 sizes have seven bits a byte, which older programs did not know."""
    long = b"\3" + b"x" * 299
    body = b"TIT2" + len(long).to_bytes(4, "big") + b"\0\0" + long
    body += b"TPE1" + (3).to_bytes(4, "big") + b"\0\0" + b"\3Me"
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    tag = id3.parse(b"ID3\4\0\0" + size + body)
    assert [found.id for found in tag.frames] == ["TIT2", "TPE1"]
    assert id3.parse(tag.to_bytes()) == tag


# --- FLAC, OGG ---


def test_blocks_of_a_flac_stay_and_its_cue_sheet_moves(tmp_path, noise):
    def sheet(lead, end):
        head = bytes(128) + bytes(8) + bytes(259) + bytes([2])
        track = struct.pack(">QB", 12_000 + lead, 1) + bytes(26) + b"\1" + bytes(12)
        return head + track + struct.pack(">QB", end, 170) + bytes(26) + b"\0"

    blocks = [(2, b"test data"), (2, b"riff" + bytes(20)), (5, sheet(0, 48_000)), (99, b"new")]
    texts = (
        ("CHAPTER001", "00:00:10.250"), ("CHAPTER001NAME", "10:00:00.000"),
        ("CUESHEET", "TRACK 01\n  INDEX 01 00:10:00\n  INDEX 02 01:00:74"),
    )  # fmt: skip
    made = tuple(audio.metadata.model.Block(bytes([k]), data, str(k)) for k, data in blocks)
    source = tagged(tmp_path / "in.flac", noise(1.0), Metadata("FLAC", texts, (picture(),), made))
    before = audio.read(source)
    target = tmp_path / "out.flac"
    said = edit(source, target, lead=LEAD, tail=100)
    assert said.endswith(": APPLICATION riff")
    found = metadata_of(target)
    assert [(b.tag[0], b.data) for b in found.blocks] == [
        (2, b"test data"), (5, sheet(LEAD, 48_000 + LEAD + 100)), (99, b"new"),
    ]  # fmt: skip
    moved = dict(found.texts)
    assert moved["CHAPTER001"] == "00:00:10.750"
    assert moved["CHAPTER001NAME"] == "10:00:00.000"
    assert moved["CUESHEET"] == "TRACK 01\n  INDEX 01 00:10:38\n  INDEX 02 01:01:37"
    assert found.pictures == (picture(),)
    np.testing.assert_array_equal(audio.read(target)[:, LEAD:-100], before)
    said = edit(source, tmp_path / "out.ogg")
    assert all(name in said for name in ("CUESHEET", "APPLICATION test", "block 99"))


@pytest.mark.parametrize("suffix", ["ogg", "opus", "flac", "mp3", "wav"])
def test_large_pictures_fill_many_pages(tmp_path, music, suffix):
    image = np.random.default_rng(0).bytes(300_000)
    given = Metadata(texts=TEXTS, pictures=(picture(image), picture(image[: 255 * 9])))
    source = tagged(tmp_path / f"in.{suffix}", music(1.0), given)
    target = tmp_path / f"out.{suffix}"
    assert edit(source, target, tail=4_800) == ""
    assert metadata_of(target).pictures == given.pictures
    assert audio.check(target).samples == 52_800
    assert np.corrcoef(audio.read(target)[0, :48_000], music(1.0)[0])[0, 1] > 0.98


def test_odd_comments_stay_as_they_are(tmp_path, music):
    """Bytes that are no UTF-8, a name without a text, and text that needs no change."""
    texts = (("TITLE", "a\udcff"), ("EMPTY", ""), ("A", "x=y=z"), ("TITLE", "b"))
    for suffix in ("flac", "ogg", "opus"):
        source = tagged(tmp_path / f"in.{suffix}", music(0.3), Metadata(texts=texts))
        edit(source, tmp_path / f"out.{suffix}")
        assert metadata_of(tmp_path / f"out.{suffix}").texts == texts
        for other in ("mp3", "wav", "aiff"):
            edit(source, tmp_path / f"out.{other}")
            assert dict(metadata_of(tmp_path / f"out.{other}").texts)["A"] == "x=y=z"


# --- recipes of jen1cli 0.1, and hostile ones ---


@pytest.mark.parametrize("suffix", ["flac", "ogg", "opus", "mp3"])
def test_recipes_in_the_place_of_comments_are_still_read(tmp_path, music, suffix):
    path = tmp_path / f"a.{suffix}"
    packed = PACKED + base64.b64encode(zlib.compress(RECIPE.encode())).decode()
    for stored in (RECIPE, packed):
        format_, subtype = audio.choose_format(path)
        with soundfile.SoundFile(path, "w", RATE, 2, subtype, format=format_) as file:
            file.title, file.comment = "Song", stored
            file.write(music(0.3).T)
        assert audio.read_recipe_text(path) == RECIPE
        edit(path, tmp_path / f"b.{suffix}", recipe='{"generator":"jen1cli"}')
        assert audio.read_recipe_text(tmp_path / f"b.{suffix}") == '{"generator":"jen1cli"}'
        texts = dict(metadata_of(tmp_path / f"b.{suffix}").texts)
        assert (texts["TITLE"], "COMMENT" in texts) == ("Song", False)


@pytest.mark.heavy
def test_a_small_comment_that_unpacks_to_gigabytes_takes_no_memory(tmp_path, noise):
    import tracemalloc

    packer = zlib.compressobj(9)
    zeros = bytes(1 << 20)
    bomb = b"".join([*(packer.compress(zeros) for _ in range(400)), packer.flush()])
    note = PACKED + base64.b64encode(bomb).decode()
    texts = (("COMMENT", note),)
    path = tagged(tmp_path / "a.flac", noise(0.1), Metadata(texts=texts))
    tracemalloc.start()
    try:
        with pytest.raises(AudioError, match=f"over {MOST_BYTES} bytes"):
            audio.read_recipe_text(path)
        assert tracemalloc.get_traced_memory()[1] < 4 * MOST_BYTES + 12 * len(note)
    finally:
        tracemalloc.stop()


def test_headers_that_promise_gigabytes_take_no_memory(tmp_path, music):
    """Counts and sizes of tags that are larger than the file."""
    path = tmp_path / "a.mp3"
    tag = b"ID3\3\0\0" + b"\x7f" * 4 + b"TIT2\x7f\xff\xff\xff\0\0"
    with_tag(path, music(0.3), None)
    path.write_bytes(tag + path.read_bytes())
    assert metadata_of_bytes(path, "MP3").texts == ()
    flac = tagged(tmp_path / "a.flac", music(0.3), Metadata(texts=(("A", "b"),)))
    data = flac.read_bytes()
    at = data.index(b"\1\0\0\0\3\0\0\0A=b")
    flac.write_bytes(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :])
    assert metadata_of_bytes(flac, "FLAC").texts == (("A", "b"),)
    flac.write_bytes(data[: at + 4] + b"\xff\xff\xff\x7f" + data[at + 8 :])
    assert len(metadata_of_bytes(flac, "FLAC").texts) <= 1


def metadata_of_bytes(path, format_):
    with path.open("rb") as file:
        return read_metadata(file, format_)


@pytest.mark.parametrize("kind", ["flac", "ogg", "mp3", "wav"])
def test_time_stamps_in_lyrics_that_do_not_move_are_named(tmp_path, noise, kind):
    path = tmp_path / f"a.{kind}"
    tagged(path, noise(0.1), Metadata(texts=(("LYRICS", "[00:00.50]la\n[00:01.00]la"),)))
    assert "stamps" not in edit(path, tmp_path / f"b.{kind}", tail=10)
    said = edit(path, tmp_path / f"b.{kind}", lead=LEAD)
    assert "the places of the time stamps in LYRICS" in said
    tagged(path, noise(0.1), Metadata(texts=(("LYRICS", "la [x] 3:4 la"),)))
    assert edit(path, tmp_path / f"b.{kind}", lead=LEAD) == ""
