"""Metadata of formats that are read and not written."""

import io
import struct

import numpy as np
import pytest
import soundfile

from jen1cli import audio
from jen1cli.audio import ogg
from jen1cli.audio.metadata import Metadata
from jen1cli.errors import AudioError
from metadata_support import RATE, edit, metadata_of, tagged


def test_texts_of_caf_stay_and_its_chunks_are_named(tmp_path, tone):
    path = tmp_path / "a.caf"
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16", format="CAF") as file:
        file.title, file.artist = "Title", "Somebody"
        file.write(tone(0.1).T[:, :1])
    data = path.read_bytes()
    mark = b"mark" + struct.pack(">q", 8) + bytes(8)
    at = data.index(b"data")
    path.write_bytes(data[:at] + mark + data[at:])
    assert "CAF mark" in edit(path, tmp_path / "b.wav", tail=10)
    assert {("TITLE", "Title"), ("ARTIST", "Somebody")} <= set(
        metadata_of(tmp_path / "b.wav").texts
    )


@pytest.mark.parametrize("order", [">", "<"])
def test_the_annotation_of_au_is_named(tmp_path, tone, order):
    path = tmp_path / "a.au"
    endian = {">": "BIG", "<": "LITTLE"}[order]
    soundfile.write(path, tone(0.1).T, RATE, subtype="PCM_16", format="AU", endian=endian)
    assert edit(path, tmp_path / "b.wav", tail=10) == ""
    data = path.read_bytes()
    path.write_bytes(
        data[:4] + struct.pack(f"{order}I", 40) + data[8:24] + b"Title=T\0" * 2 + data[24:]
    )
    assert "AU annotation" in edit(path, tmp_path / "b.wav", tail=10)


def test_chunks_of_wave64_are_named(tmp_path, tone):
    path = tmp_path / "a.w64"
    soundfile.write(path, tone(0.1).T, RATE, subtype="PCM_16", format="W64")
    assert edit(path, tmp_path / "b.wav", tail=10) == ""
    data = path.read_bytes()
    more = b"bext" + bytes(12) + struct.pack("<Q", 32) + bytes(8)
    at = data.index(b"fmt ")
    file = io.BytesIO(
        data[:16] + struct.pack("<Q", len(data) + 32) + data[24:at] + more + data[at:]
    )
    path.write_bytes(file.getvalue())
    assert "W64 bext" in edit(path, tmp_path / "b.wav", tail=10)


def test_an_encoding_that_is_not_written_is_named(tmp_path, tone):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(0.1).T, RATE, subtype="IMA_ADPCM")
    said = edit(path, tmp_path / "b.wav", tail=10)
    assert "the encoding IMA_ADPCM, which becomes PCM_16" in said
    assert edit(path, tmp_path / "b.flac", tail=10) == ""
    soundfile.write(path, tone(0.1).T, RATE, subtype="PCM_24")
    assert edit(path, tmp_path / "b.wav", tail=10) == ""


def test_an_id3_tag_behind_a_flac_file_is_named(tmp_path, tone):
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(0.1).T, RATE)
    assert edit(path, tmp_path / "b.flac", tail=10) == ""
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))
    for kind in ("flac", "wav"):
        said = edit(path, tmp_path / f"b.{kind}", tail=10)
        assert "the ID3v1 tag behind the FLAC file" in said


@pytest.mark.parametrize("kind", ["flac", "ogg"])
def test_comments_without_a_name_are_named(tmp_path, tone, kind):
    path = tmp_path / f"a.{kind}"
    tagged(path, tone(0.1), Metadata(texts=(("TITLE", "x"),)))
    edit_kept = edit(path, tmp_path / f"b.{kind}", tail=10)
    data = path.read_bytes()
    assert data.count(b"TITLE=x") == 1
    if kind == "ogg":  # pages have checksums, so the packet is written anew
        with path.open("r+b") as file:
            packets, end = ogg.read_header_packets(file)
            packets[1] = packets[1].replace(b"TITLE=x", b"TITLE-x")
            ogg.write_header_packets(file, packets, end)
    else:
        path.write_bytes(data.replace(b"TITLE=x", b"TITLE-x"))
    assert edit_kept == ""
    assert "1 comments without '='" in edit(path, tmp_path / f"b.{kind}", tail=10)


def test_samples_far_beyond_full_scale_name_the_file(tmp_path):
    path = tmp_path / "loud.wav"
    soundfile.write(path, np.full((RATE, 1), 1e30, np.float32), RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"loud\.wav has a sample of 1e\+30 near 0\.00 s"):
        audio.read(path)


def test_a_recipe_in_utf_8_is_read(tmp_path, tone):
    path = tmp_path / "a.wav"
    audio.write(path, tone(0.1), RATE, recipe='{"prompt":"uu"}')
    data = path.read_bytes()
    path.write_bytes(data.replace(b"uu", "ü".encode()))
    assert audio.read_recipe_text(path) == '{"prompt":"ü"}'
    path.write_bytes(data.replace(b"uu", b"\xfcu"))
    with pytest.raises(AudioError, match="is damaged"):
        audio.read_recipe_text(path)


def test_midi_and_many_chunks_are_named(tmp_path):
    path = tmp_path / "a.mid"
    path.write_bytes(b"MThd" + struct.pack(">IHHH", 6, 1, 1, 480))
    with pytest.raises(AudioError, match=r"a\.mid is MIDI.*--score"):
        audio.probe(path)
    path = tmp_path / "many.wav"
    path.write_bytes(b"RIFF\xff\xff\0\0WAVE" + b"junk\0\0\0\0" * 10_002)
    with pytest.raises(AudioError, match=r"many\.wav has more than 10000 chunks"):
        audio.probe(path)
