"""A long text inside an audio file: the place where the recipe lives.

libsndfile drops a WAV comment of more than 2,045 bytes without an error and fails on an AIFF one
of 8,191, so WAV and AIFF get a chunk of our own behind the sound, which every reader skips. FLAC,
OGG and MP3 keep any length in their comment; Opus keeps somewhat less than 60,000 bytes, so longer
texts are packed with zlib. All text is ASCII, because libsndfile garbles other letters in MP3 tags.
"""

import base64
import io
import struct
import zlib

from jen1cli.audio.files import ByteFile, Source, name_of, opened, opened_bytes
from jen1cli.errors import AudioError

CHUNK = b"jen1"
_PACKED = "jen1z:"
_LONG = 8_000  # characters; longer texts are packed in comments
_TOO_LONG = 30_000  # characters of a comment that every format still keeps


def read_note(source: Source) -> str | None:
    """Return the text stored in a file, or None where there is none.

    Raises:
        AudioError: the file cannot be read, or its text is damaged.
    """
    with opened(source) as file:
        comment = file.comment
    with opened_bytes(source) as file:
        note = _find_chunk(file)
    if note is not None:
        return note
    return _unpacked(comment, name_of(source)) or None


def as_comment(note: str) -> str:
    """Return the text as it is stored in a comment tag: packed where it is long."""
    if len(note) <= _LONG:
        return note
    packed = _PACKED + base64.b64encode(zlib.compress(note.encode("ascii"), 9)).decode("ascii")
    if len(packed) > _TOO_LONG:
        raise AudioError(
            f"the recipe needs {len(packed)} bytes in this format's tags, {_TOO_LONG} fit;"
            " write wav or flac, or shorten the prompt"
        )
    return packed


def append_chunk(file: ByteFile, note: str) -> None:
    """Append the text as a chunk to a finished WAV (RIFF, RF64) or AIFF file."""
    file.seek(0)
    kind = file.read(4)
    payload = note.encode("ascii")
    order = ">" if kind == b"FORM" else "<"
    if kind == b"FORM":
        tag, payload = b"APPL", CHUNK + payload
    else:
        tag = CHUNK
    end = file.seek(0, io.SEEK_END)
    pad = b"\0" * (end % 2)
    tail = b"\0" * (len(payload) % 2)
    file.write(pad + struct.pack(f"{order}4sI", tag, len(payload)) + payload + tail)
    size = file.tell() - 8
    if kind == b"RF64":
        file.seek(20)  # the 64-bit size stands first in the ds64 chunk
        file.write(struct.pack("<Q", size))
    else:
        file.seek(4)
        file.write(struct.pack(f"{order}I", size))


def clear_time_stamp(file: ByteFile) -> None:
    """Zero the clock time that libsndfile puts into the PEAK chunk of float files.

    Without this the same samples would give other bytes every second.
    """
    for tag, at, _ in _chunks(file):
        if tag == b"PEAK":
            file.seek(at + 4)
            file.write(b"\0\0\0\0")
            return


def _find_chunk(file: ByteFile) -> str | None:
    found = None
    for tag, at, size in _chunks(file):
        if tag in (CHUNK, b"APPL"):
            file.seek(at)
            payload = file.read(size)
            if tag == b"APPL" and payload[:4] != CHUNK:
                continue
            found = payload[4:] if tag == b"APPL" else payload
    if found is None:
        return None
    try:
        return found.decode("ascii")
    except UnicodeDecodeError as error:
        raise AudioError("the recipe chunk of the file is damaged; it cannot be read") from error


def _chunks(file: ByteFile) -> list[tuple[bytes, int, int]]:
    """List (tag, offset of the payload, size) of a RIFF, RF64 or AIFF file."""
    total = file.seek(0, io.SEEK_END)
    file.seek(0)
    kind = file.read(4)
    if kind not in (b"RIFF", b"RF64", b"FORM"):
        return []
    order = ">" if kind == b"FORM" else "<"
    at, found, long_data = 12, [], 0
    while at + 8 <= total:
        file.seek(at)
        tag, size = struct.unpack(f"{order}4sI", file.read(8))
        if tag == b"ds64":
            long_data = struct.unpack("<QQ", file.read(16))[1]
        if tag == b"data" and size == 0xFFFFFFFF and long_data:
            size = long_data
        found.append((tag, at + 8, size))
        at += 8 + size + size % 2
    return found


def _unpacked(comment: str, name: str) -> str:
    if not comment.startswith(_PACKED):
        return comment
    try:
        packed = base64.b64decode(comment[len(_PACKED) :], validate=True)
        return zlib.decompress(packed).decode("ascii")
    except (ValueError, zlib.error) as error:
        raise AudioError(f"the recipe in {name} is damaged; it cannot be read") from error
