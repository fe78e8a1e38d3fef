"""What a signature leaves of the tags of a file, and what is said of the rest."""

import io
import struct
import zlib
from pathlib import Path

import pytest

from jen1cli import audio, provenance
from jen1cli.audio.metadata import id3, id3_packed
from jen1cli.pipeline import signable, signing
from jen1cli.recipe import read_recipe
from metadata_support import metadata_of, recorded

c2pa = pytest.importorskip("c2pa")

PLAIN = b"\0\0"
FRAMES = {
    "group": ("TIT2", b"\0\x40", b"\x07\x03group"),
    "encryption": ("TIT2", b"\0\x04", b"\x01\x03abc"),
    "invalid UTF-8": ("TIT2", PLAIN, b"\x03\xff\xfe"),
    "invalid UTF-16": ("TIT2", PLAIN, b"\x01\xff\xfe\0\xd8"),
    "unknown encoding": ("TIT2", PLAIN, b"\x09abc"),
    "empty": ("TIT2", PLAIN, b""),
    "short comment": ("COMM", PLAIN, b"\0en"),
    "short picture": ("APIC", PLAIN, b"\0image"),
    "short chapter": ("CHAP", PLAIN, b"c\0\0\0"),
    "bad text in a chapter": ("CHAP", PLAIN, b"c\0" + bytes(16) + b"TIT2\0\0\0\2\0\0\x03\xff"),
    "short rating": ("POPM", PLAIN, b"me"),
    "short lyrics": ("SYLT", PLAIN, b"\0"),
    "private data without owner": ("PRIV", PLAIN, b"abc"),
    "identifier without owner": ("UFID", PLAIN, b"abc"),
    "damaged packing": ("TIT2", b"\0\x09", b"\0\0\0\x07" + zlib.compress(b"\x03hello")[:-4]),
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """The user's folder of settings, empty."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(scope="module")
def credentials():
    return provenance.certificates._parse(provenance.certificates._make().encode(), "test")


@pytest.fixture
def signer(credentials):
    return provenance.Signer(credentials)


def with_frames(path, sound, *frames):
    """Write an MP3 file whose tag has these frames before an album."""
    audio.write(path, sound, 48_000)
    data = path.read_bytes()
    album = id3.Frame("TALB", PLAIN, b"\x03album")
    tag = id3.Tag(4, (*(id3.Frame(*frame) for frame in frames), album))
    path.write_bytes(tag.to_bytes() + data[id3.tag_size(data[:10]) :])
    return path


def sign(model, signer, source, target):
    changed = model.inpaint(source, [(0.05, 0.1)], seed=1)
    with recorded() as said:
        changed.save(target, signer=signer)
    return " ".join(said)


FEW = ("group", "invalid UTF-8", "short picture", "bad text in a chapter", "damaged packing")
"""What is tried by default; the others are heavy."""


@pytest.mark.parametrize(
    "case", [x if x in FEW else pytest.param(x, marks=pytest.mark.heavy) for x in FRAMES]
)
def test_a_frame_that_c2pa_cannot_read_is_named_and_the_rest_stays(
    model, signer, tmp_path, tone, case
):
    source = with_frames(tmp_path / "a.mp3", tone(0.2), FRAMES[case])
    said = sign(model, signer, source, tmp_path / "b.mp3")
    assert f"frames that C2PA cannot read: ID3 {FRAMES[case][0]}" in said
    found = metadata_of(tmp_path / "b.mp3")
    assert ("ALBUM", "album") in found.texts
    assert found.signed
    assert read_recipe(tmp_path / "b.mp3").signature == "c2pa"


def test_whole_frames_stay_in_a_signed_file_without_a_word(model, signer, tmp_path, tone):
    frames = [("PRIV", PLAIN, b"me\0abc"), ("POPM", PLAIN, b"me\0\1"), ("XABC", PLAIN, b"x")]
    source = with_frames(tmp_path / "a.mp3", tone(0.2), *frames)
    assert sign(model, signer, source, tmp_path / "b.mp3") == ""
    kinds = {frame.kind for frame in signable.read_tag(tmp_path / "b.mp3").frames}
    assert {"PRIV", "POPM", "XABC", "TALB", "GEOB"} <= kinds


def test_a_tag_of_version_2_2_is_signed(signer):
    frames = (id3.Frame("TT2", b"", b"\0hello"), id3.Frame("UFI", b"", b"abc"))
    file = io.BytesIO(id3.Tag(2, frames).to_bytes() + b"\xff\xfb\x90\x00" + bytes(413))
    assert signable.drop_unreadable(file, signer) == ["UFI"]
    signer.sign(file, "audio/mpeg", "")
    assert "TIT2" in {frame.id for frame in signable.read_tag(file).frames}


def test_a_signature_that_would_lose_the_recipe_fails(
    model, credentials, tmp_path, tone, monkeypatch
):
    source = with_frames(tmp_path / "a.mp3", tone(0.2), FRAMES["empty"])
    monkeypatch.setattr(signing, "drop_unreadable", lambda *_: [])
    with pytest.raises(provenance.SigningError, match="cannot keep the tags"):
        sign(model, provenance.Signer(credentials), source, tmp_path / "b.mp3")
    assert not (tmp_path / "b.mp3").exists()
    lax = provenance.Signer(credentials, is_required=False)
    assert "not signed: C2PA cannot keep the tags" in sign(model, lax, source, tmp_path / "b.mp3")
    assert ("ALBUM", "album") in metadata_of(tmp_path / "b.mp3").texts
    assert read_recipe(tmp_path / "b.mp3").signature == ""


def packed(text):
    return struct.pack(">I", 0) + zlib.compress(b"\x03" + text)


def test_a_packed_frame_that_expands_too_much_is_not_given_to_c2pa(
    model, signer, tmp_path, tone, monkeypatch
):
    monkeypatch.setattr(id3_packed, "MOST_EXPANDED", 10_000)
    frames = [("TIT2", b"\0\x09", packed(b"a" * 20_000)), ("TPE1", b"\0\x09", packed(b"b" * 100))]
    source = with_frames(tmp_path / "a.mp3", tone(0.2), *frames)
    said = sign(model, signer, source, tmp_path / "b.mp3")
    assert "frames that C2PA cannot read: ID3 TIT2" in said
    assert "TPE1" not in said
    found = metadata_of(tmp_path / "b.mp3")
    assert ("ARTIST", "b" * 100) in found.texts
    (ingredient,) = provenance.describe_manifest(tmp_path / "b.mp3", "MP3")["ingredients"]
    assert ingredient["problems"] == [provenance.TOO_EXPANDED]


def nested(depth):
    data = b"TIT2\0\0\0\2\0\0\x03x"
    for _ in range(depth):
        data = b"c\0" + bytes(16) + data
        data = b"CHAP" + len(data).to_bytes(4, "big") + PLAIN + data
    return data[10:]


@pytest.mark.parametrize(("depth", "wrong"), [(1, set()), (2_000, {0})])
def test_chapters_nested_too_deeply_are_not_given_to_c2pa(depth, wrong):
    tag = id3.Tag(3, (id3.Frame("CHAP", PLAIN, nested(depth)),))
    assert id3_packed.expanding_frames(tag) == wrong


def test_info_does_not_unpack_a_large_tag(jen1, signer, tone, monkeypatch):
    path = with_frames(Path("a.mp3"), tone(0.2))
    signer.sign(path, "audio/mpeg", "")
    tag = signable.read_tag(path)
    frame = id3.Frame("TIT2", b"\0\x09", packed(b"a" * 20_000))
    data = path.read_bytes()
    new = id3.Tag(4, (*tag.frames, frame)).to_bytes()
    path.write_bytes(new + data[id3.tag_size(data[:10]) :])
    monkeypatch.setattr(id3_packed, "MOST_EXPANDED", 10_000)
    assert provenance.TOO_EXPANDED in jen1("info", path).out


# --- files that cannot be signed, and inputs that were ---


def large(path, sound):
    """Write an RF64 file under the suffix of WAV."""
    kind = audio.FileFormat("RF64", "PCM_16")
    audio.write_blocks(path, [audio.encoded(sound, "PCM_16")], 48_000, len(sound), kind)
    return path


def test_an_rf64_file_that_shall_be_signed_is_an_error(jen1, model, tone):
    large(Path("a.wav"), tone(0.5))
    command = ("continue", "a.wav", "-s", "0.5", "-o", "b.wav")
    result = jen1(*command, "--provenance")
    assert result.code == 1
    assert "the file cannot be signed, so it is not written: c2pa cannot write a" in result.err
    assert not Path("b.wav").exists()


def test_an_rf64_file_is_left_unsigned_with_a_warning(jen1, model, tone, monkeypatch):
    monkeypatch.delenv("JEN1_PROVENANCE")
    large(Path("a.wav"), tone(0.5))
    result = jen1("continue", "a.wav", "-s", "0.5", "-o", "b.wav")
    assert result.code == 0
    assert result.err.count("not signed") == 1
    assert "but not signed: c2pa cannot write a manifest into RF64 files" in result.err
    assert read_recipe("b.wav").signature == ""


def test_an_edit_of_a_file_whose_manifest_was_removed_says_so(model, signer, tmp_path, tone):
    path = tmp_path / "a.wav"
    audio.write(path, tone(0.2), 48_000)
    sign(model, signer, path, tmp_path / "b.wav")
    data = (tmp_path / "b.wav").read_bytes()
    assert b"C2PA" in data
    (tmp_path / "c.wav").write_bytes(data.replace(b"C2PA", b"JUNK"))
    said = sign(model, signer, tmp_path / "c.wav", tmp_path / "d.wav")
    assert "c.wav is missing: its recipe says that it was signed" in said
    (ingredient,) = provenance.describe_manifest(tmp_path / "d.wav", "WAV")["ingredients"]
    assert "there is no manifest" in ingredient["problems"][0]
    assert "missing" not in sign(model, signer, path, tmp_path / "e.wav")
