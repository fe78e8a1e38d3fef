"""Metadata of formats that are read and not written."""

import io
import struct

import pytest
import soundfile

from metadata_support import RATE, edit, metadata_of


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
