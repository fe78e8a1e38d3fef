"""Checks that libsndfile lacks: truncated files, concatenated files, headers without a length."""

import io
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jen1cli.audio import flac_frames, mpeg, ogg
from jen1cli.audio.chunks import UNKNOWN_SIZE, ByteFile, ChunkFile, read_chunks
from jen1cli.audio.metadata.id3 import tag_size
from jen1cli.audio.metadata.mp3 import trailing_size
from jen1cli.errors import AudioError

_MP3_SLACK = 2  # frames by which the counts of encoders differ
_FORM_CHUNKS = {b"ds64", b"fmt ", b"fact", b"PEAK", b"COMM", b"FVER"}
_W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"


class Patched(io.RawIOBase):
    """A read-only view of a file whose first bytes are replaced by others.

    It has a position of its own. For a damaged file libsndfile may seek to a negative offset, which
    is taken as 0 here; `io.BytesIO` would raise inside a C callback, which prints a traceback.
    """

    def __init__(self, file: ByteFile, head: bytes, skipped: int) -> None:
        super().__init__()
        self._file, self._head, self._at = file, head, 0
        self._shift = len(head) - skipped
        self._size = file.seek(0, io.SEEK_END) + self._shift

    def readable(self) -> bool:
        """Return True: the view can be read."""
        return True

    def seekable(self) -> bool:
        """Return True: the view supports random access."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position of the next read; return it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Return the position of the next read."""
        return self._at

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever bytes can be put into
        """Fill the buffer as far as data is left; return the number of bytes read."""
        piece = self._head[self._at : self._at + len(buffer)]
        if len(piece) < len(buffer):
            self._file.seek(self._at + len(piece) - self._shift)
            piece += self._file.read(len(buffer) - len(piece))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def repaired(file: ByteFile, name: str) -> Patched | None:
    """Return the file with a header that libsndfile understands; None if its own is fine.

    Raises:
        AudioError: the file is truncated.
    """
    file.seek(0)
    head = file.read(10)
    if head[:4] == b"BW64":
        _refuse_cut_chunks(file, name)
        return Patched(file, b"RF64", 4)
    if head[:4] in (b"RIFF", b"RF64", b"FORM", b"RIFX"):
        _refuse_cut_chunks(file, name)
        return None
    if head[:4] == b"riff":
        _refuse_cut_w64(file, name)
        return None
    if head[:4] == b".snd":
        _refuse_cut_au(file, name)
        return None
    stream = flac_frames.read_stream(file)
    if stream is not None:
        if stream.total:
            return None
        total = flac_frames.find_end(file, stream)
        if total is None:
            raise AudioError(
                f"{name} is cut short: its header tells no length and its last frame is not whole;"
                " copy or convert it again"
            )
        return Patched(file, flac_frames.head_with_total(file, stream, total), stream.start)
    with _mpeg(file) as (data, frames):
        if frames is None or frames.promised is not None:
            return None
        return Patched(file, mpeg.xing_frame(data, frames), frames.start)


def without_extras(file: ByteFile) -> Patched | None:
    """Return a RIFF or AIFF file without the chunks before its sound that do not describe it.

    libsndfile ignores the padding byte of odd-sized chunks in RF64, and of some in WAV, and then
    misreads the chunks that follow.

    Returns:
        None if the file is of another format, or has no other chunks before its sound.
    """
    layout = read_chunks(file)
    if layout is None or layout.sound is None:
        return None
    sound = layout.sound
    early = [chunk for chunk in layout.chunks if chunk.at < sound.at]
    needed = [chunk for chunk in early if chunk.tag in _FORM_CHUNKS]
    if needed == early:
        return None
    file.seek(0)
    head = bytearray(file.read(12))
    if layout.kind == b"BW64":
        head[:4] = b"RF64"
    for chunk in needed:
        file.seek(chunk.at - 8)
        head += file.read(8 + chunk.size + chunk.size % 2)
    file.seek(sound.at - 8)
    head += file.read(8)
    return Patched(file, bytes(head), sound.at)


def refuse_joined(file: ByteFile, name: str) -> None:
    """Refuse files of which libsndfile would read only the first part.

    Raises:
        AudioError: two recordings in one file, or fewer frames than the header states.
    """
    file.seek(0)
    head = file.read(4)
    if head == b"OggS":
        _refuse_chained(file, name)
        return
    layout = read_chunks(file)
    if layout is not None:
        if layout.joined:
            raise AudioError(_joined(name, "another file begins behind its end"))
        return
    stream = flac_frames.read_stream(file)
    if stream is not None:
        if flac_frames.is_joined(file, stream):
            raise AudioError(_joined(name, "its frames begin anew"))
        return
    with _mpeg(file) as (_, frames):
        if frames is None or frames.promised is None:
            return
        promised, count = frames.promised, frames.count
        if count > promised + _MP3_SLACK:
            raise AudioError(_joined(name, f"{count} frames, its header tells of {promised}"))
        if count < promised - _MP3_SLACK:
            raise AudioError(
                f"{name} is cut short: its header promises {promised} frames and {count} are there;"
                " copy or convert it again"
            )


def may_be_cut(file: ByteFile) -> bool:
    """Whether the last frame that a FLAC file's header promises is not found whole at its end.

    That is so for a truncated file, and for a whole one with other data after its sound.
    """
    stream = flac_frames.read_stream(file)
    if stream is None or not stream.total:
        return False
    return not flac_frames.has_last_frame(file, stream)


def _joined(name: str, seen: str) -> str:
    return (
        f"{name} holds more than one recording ({seen}), of which only the first would be read;"
        " join the separate recordings with an audio editor, or: ffmpeg -i ONE -i TWO"
        " -filter_complex concat=n=2:v=0:a=1 OUT.wav"
    )


def _refuse_cut_chunks(file: ByteFile, name: str) -> None:
    """Raise if a RIFF or AIFF file has fewer bytes of sound than its header states."""
    layout = read_chunks(file)
    sound = layout.sound if layout else None
    if layout is None or sound is None:
        return
    have = layout.size - sound.at
    if have < sound.size and not _is_unknown(sound.size, layout):
        raise AudioError(_cut(name, sound.size, have))


def _is_unknown(size: int, layout: ChunkFile) -> bool:
    return size >= UNKNOWN_SIZE and layout.kind not in (b"RF64", b"BW64")


def _refuse_cut_w64(file: ByteFile, name: str) -> None:
    total = file.seek(0, io.SEEK_END)
    at = 40
    while at + 24 <= total:
        file.seek(at)
        kind, size = struct.unpack("<16sQ", file.read(24))
        if kind == _W64_DATA and size > total - at and size < 1 << 62:
            raise AudioError(_cut(name, size - 24, total - at - 24))
        if kind == _W64_DATA or size < 24:
            return
        at += size + -size % 8


def _refuse_cut_au(file: ByteFile, name: str) -> None:
    total = file.seek(0, io.SEEK_END)
    file.seek(4)
    start, size = struct.unpack(">II", file.read(8).ljust(8, b"\0"))
    if total - start < size < UNKNOWN_SIZE:
        raise AudioError(_cut(name, size, total - start))


def _cut(name: str, promised: int, have: int) -> str:
    return (
        f"{name} is cut short: its header promises {promised} bytes of sound and {have} are there;"
        " copy or convert it again"
    )


def _refuse_chained(file: ByteFile, name: str) -> None:
    pages = list(ogg.read_pages(file))
    if ogg.is_chained(pages):
        raise AudioError(_joined(name, "a chained OGG file"))
    total = file.seek(0, io.SEEK_END)
    if pages and pages[-1].end > total:
        raise AudioError(f"{name} is cut short in its last page; copy or convert it again")


@contextmanager
def _mpeg(file: ByteFile) -> Iterator[tuple[mpeg.Bytes, mpeg.Frames | None]]:
    """Yield the bytes of a file and its layer III frames, or None unless it begins with one."""
    file.seek(0)
    start = tag_size(file.read(10))
    file.seek(start)
    head = file.read(2)
    if not start and (len(head) < 2 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2):
        yield b"", None
        return
    stop = file.seek(0, io.SEEK_END)
    stop -= trailing_size(file)
    if isinstance(file, io.BytesIO):
        with file.getbuffer() as data:
            yield data, mpeg.read_frames(data, start, stop)
    else:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data, mpeg.read_frames(data, start, stop)
