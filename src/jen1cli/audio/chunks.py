"""Chunks of RIFF, RIFX, RF64, BW64 and AIFF files, and replacement of bytes inside a file."""

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from jen1cli.errors import AudioError

ByteFile = io.BytesIO | io.BufferedReader | io.BufferedRandom

UNKNOWN_SIZE = 0x7F000000
"""Sizes from here up are placeholders of writers to a pipe; such a file is not truncated."""

_KINDS: dict[bytes, Literal["<", ">"]] = {
    b"RIFF": "<", b"RF64": "<", b"BW64": "<", b"RIFX": ">", b"FORM": ">",
}  # fmt: skip
_LONG = (b"RF64", b"BW64")  # kinds with 64-bit sizes in a ds64 chunk
_NEEDED = {b"fmt ": "format", b"data": "sound"}
_WAVE_CODES = (1, 3, 6, 7, 0xFFFE)  # integers, floats, A-law, mu-law, and extended headers
_MOST_CHUNKS = 10_000
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Chunk:
    """Position of a chunk in its file."""

    tag: bytes  # four bytes, such as b"data"
    at: int  # offset of the payload, which follows tag and size
    size: int  # bytes of the payload according to the header; a truncated file has fewer


@dataclass(frozen=True)
class ChunkFile:
    """Kind, byte order and chunks of a file."""

    kind: bytes  # b"RIFF", b"RF64", b"BW64", b"RIFX" or b"FORM"
    order: Literal["<", ">"]  # byte order of its numbers, as `struct` writes it
    chunks: tuple[Chunk, ...]
    size: int  # bytes of the whole file
    joined: bool  # whether a second file follows the end of the first
    tail: int = 0  # bytes at the end of the file that are no chunk

    @property
    def is_aiff(self) -> bool:
        """Whether it is AIFF or AIFF-C."""
        return self.kind == b"FORM"

    @property
    def sound(self) -> Chunk | None:
        """The chunk with the samples."""
        wanted = b"SSND" if self.is_aiff else b"data"
        return next((chunk for chunk in self.chunks if chunk.tag == wanted), None)


def read_chunks(file: ByteFile) -> ChunkFile | None:
    """List the chunks of a file; None if it is of another format.

    Raises:
        AudioError: the file has implausibly many chunks.
    """
    total = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(12)
    order = _KINDS.get(head[:4])
    if order is None or len(head) < 12:
        return None
    size = struct.unpack(f"{order}I", head[4:8])[0]
    end = 8 + size if size < UNKNOWN_SIZE else total
    at, found, long_data, joined, has_sound = 12, [], 0, False, False
    while at + 8 <= total:
        file.seek(at)
        tag, size = struct.unpack(f"{order}4sI", file.read(8))
        if tag in _KINDS:
            joined = True
            break
        # some writers leave chunks out of the size of the whole, so these are taken behind it too
        if has_sound and at >= end and not (_is_tag(tag) and at + 8 + size <= total):
            break
        has_sound = has_sound or tag in (b"data", b"SSND")
        if tag == b"ds64" and head[:4] in _LONG and at + 32 <= total:
            long_data = struct.unpack("<QQ", file.read(16))[1]
        if tag == b"data" and size == 0xFFFFFFFF and long_data:
            size = long_data
        found.append(Chunk(tag, at + 8, size))
        if len(found) > _MOST_CHUNKS:
            name = getattr(file, "name", "the piped audio")
            raise AudioError(
                f"{name} has more than {_MOST_CHUNKS} chunks; convert it from its source"
            )
        at += 8 + size + size % 2
    tail = 0 if joined else max(0, total - at)
    return ChunkFile(head[:4], order, tuple(found), total, joined, tail)


def _is_tag(tag: bytes) -> bool:
    """Whether four bytes may be the name of a chunk: printable ASCII, spaces only at the end."""
    return tag.isascii() and tag.decode("ascii").isprintable() and not tag.startswith(b" ")


def header_fault(file: ByteFile) -> str | None:
    """Say why the header of a WAV or AIFF file describes no sound; None if it seems to.

    Returns:
        None also for files of other formats.
    """
    layout = read_chunks(file)
    if layout is None:
        return None
    wanted = {b"COMM": "format", b"SSND": "sound"} if layout.is_aiff else _NEEDED
    tags = [chunk.tag for chunk in layout.chunks]
    for tag, content in wanted.items():
        count = tags.count(tag)
        if count != 1:
            seen = f"{count} {content} chunks" if count else f"no {content} chunk"
            return f"it has {seen} ('{tag.decode().strip()}'), and one is needed"
    if layout.is_aiff:
        return None
    form = layout.chunks[tags.index(b"fmt ")]
    file.seek(form.at)
    data = file.read(min(form.size, 16))
    if len(data) < 16:
        return f"its format chunk ('fmt') has {len(data)} bytes, and 16 are needed"
    code, channels, rate, _, _, bits = struct.unpack(f"{layout.order}HHIIHH", data)
    if tags.index(b"data") < tags.index(b"fmt "):
        return "its sound comes before its format"
    if not channels:
        return "it has 0 channels"
    if not 0 < rate < 1 << 31:
        return f"its sample rate is {rate} Hz"
    if code == 1 and not 0 < bits <= 32:
        return f"its samples have {bits} bits"
    return f"nobody knows its encoding, number {code}" if code not in _WAVE_CODES else None


def chunk_bytes(order: str, tag: bytes, payload: bytes) -> bytes:
    """Return tag, size and payload of a chunk, padded to an even length."""
    return struct.pack(f"{order}4sI", tag, len(payload)) + payload + b"\0" * (len(payload) % 2)


def add_chunks(file: ByteFile, early: Iterable[bytes], late: Iterable[bytes]) -> None:
    """Insert `early` before the sound chunk, append `late`, and update the sizes in the header."""
    layout = read_chunks(file)
    if layout is None or layout.sound is None:
        raise ValueError("no RIFF or AIFF file with sound in it")
    before = b"".join(early)
    if before:
        at = layout.sound.at - 8
        replace_bytes(file, at, at, before)
    end = file.seek(0, io.SEEK_END)
    file.write(b"\0" * (end % 2) + b"".join(late))
    size = file.tell() - 8
    if layout.kind in _LONG:
        file.seek(20)  # the 64-bit RIFF size is the first field of the ds64 chunk
        file.write(struct.pack("<Q", size))
    else:
        file.seek(4)
        file.write(struct.pack(f"{layout.order}I", size))


def clear_time_stamp(file: ByteFile) -> None:
    """Zero the clock time that libsndfile puts into the PEAK chunk of float files.

    Otherwise files of equal samples would differ in bytes from second to second.
    """
    layout = read_chunks(file)
    for chunk in layout.chunks if layout else ():
        if chunk.tag == b"PEAK":
            file.seek(chunk.at + 4)
            file.write(b"\0\0\0\0")
            return


def replace_bytes(file: ByteFile, start: int, stop: int, new: bytes) -> None:
    """Replace the bytes [start, stop) of a file that is open for reading and writing.

    The bytes after `stop` are moved in pieces, so that a large file is never wholly in memory.
    """
    total = file.seek(0, io.SEEK_END)
    by = len(new) - (stop - start)
    if by > 0:
        at = total
        while at > stop:
            first = max(stop, at - _BLOCK)
            _move(file, first, at, by)
            at = first
    elif by < 0:
        for first in range(stop, total, _BLOCK):
            _move(file, first, min(first + _BLOCK, total), by)
        file.truncate(total + by)
    file.seek(start)
    file.write(new)


def _move(file: ByteFile, first: int, last: int, by: int) -> None:
    file.seek(first)
    piece = file.read(last - first)
    file.seek(first + by)
    file.write(piece)
