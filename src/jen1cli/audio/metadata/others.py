"""Metadata of formats that are read and not written: CAF, AU, Wave64 and more.

Texts are those that libsndfile reads. Chunks are only named: no output can hold them. Formats:
Apple's Core Audio Format, Sun's AU, Sony's Wave64.
"""

import io
import struct
from collections.abc import Iterator

import soundfile

from jen1cli.audio.chunks import ByteFile
from jen1cli.audio.metadata.model import Block, Metadata

_MOST_CHUNKS = 10_000
_CAF_STRUCTURE = {"desc", "data", "info", "chan", "free", "pakt", "kuki", "peak"}
_W64_STRUCTURE = {"fmt", "data", "fact", "junk"}


def read_others(file: ByteFile, format_: str) -> Metadata:
    """Read the texts of a file, and the names of further chunks.

    Args:
        file: the file, open for reading.
        format_: libsndfile's name of its format.
    """
    file.seek(0)
    with soundfile.SoundFile(file) as sound:
        texts = tuple((name.upper(), text) for name, text in sound.copy_metadata().items())
    names: Iterator[str] = iter(())
    if format_ == "CAF":
        names = (name for name in _caf_chunks(file) if name not in _CAF_STRUCTURE)
    elif format_ == "W64":
        names = (name for name in _w64_chunks(file) if name not in _W64_STRUCTURE)
    elif format_ == "AU":
        names = _au_annotation(file)
    blocks = tuple(Block(b"", b"", f"{format_} {name}") for name in dict.fromkeys(names))
    return Metadata("", texts, (), blocks)


def _caf_chunks(file: ByteFile) -> Iterator[str]:
    total, at = file.seek(0, io.SEEK_END), 8
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(12)
        if at + 12 > total or len(head) < 12:
            return
        yield head[:4].decode("latin-1").strip()
        (size,) = struct.unpack(">q", head[4:])
        if size < 0:  # sound up to the end of the file
            return
        at += 12 + size


def _w64_chunks(file: ByteFile) -> Iterator[str]:
    total, at = file.seek(0, io.SEEK_END), 40
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(24)
        if at + 24 > total or len(head) < 24:
            return
        yield head[:4].decode("latin-1").strip().lower()
        size = int.from_bytes(head[16:], "little")
        if size < 24:
            return
        at += (size + 7) // 8 * 8


def _au_annotation(file: ByteFile) -> Iterator[str]:
    """Yield the name of the text between header and sound, if there is one."""
    file.seek(0)
    head = file.read(8)
    order = "<" if head[:4] == b"dns." else ">"
    (start,) = struct.unpack(f"{order}I", head[4:])
    file.seek(24)
    if file.read(max(0, min(start, 1 << 16) - 24)).strip(b"\0 "):
        yield "annotation"
