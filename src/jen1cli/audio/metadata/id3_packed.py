"""Packed frames of ID3 tags, which may expand to a thousand times their size, and nested ones."""

import zlib

from jen1cli.audio.chunks import ByteFile
from jen1cli.audio.metadata.id3 import Frame, Tag, frames_in, parse, tag_size
from jen1cli.audio.metadata.id3_edits import inner_frames

MOST_EXPANDED = 1 << 24
"""Bytes that all packed frames of a tag may have together when they are unpacked."""

_DEEPEST = 4  # chapters inside chapters
_PACKED = {3: 0x80, 4: 0x08}  # by version: the flag of compression
_LONGEST_HEAD = 6  # bytes before the packed data: size (4), group and encryption


def expanding_frames(tag: Tag) -> set[int]:
    """Return the indices of frames that a reader which unpacks them should not be given.

    These are the packed ones beyond `MOST_EXPANDED`, and chapters that are nested too deeply.
    """
    found, left = set(), MOST_EXPANDED
    for index, frame in enumerate(tag.frames):
        size = _expanded_size(frame, tag.version, left, 0)
        if size > left:
            found.add(index)
        else:
            left -= size
    return found


def has_expanding_tag(file: ByteFile) -> bool:
    """Whether a file begins with an ID3 tag that has such frames."""
    file.seek(0)
    size = tag_size(file.read(10))
    file.seek(0)
    tag = parse(file.read(size)) if size else None
    return tag is not None and bool(expanding_frames(tag))


def _expanded_size(frame: Frame, version: int, most: int, depth: int) -> int:
    """Return the bytes that packed data in a frame expands to; `most` + 1 if more than `most`."""
    data, size = frame.data, 0
    if version in _PACKED and frame.flags[1] & _PACKED[version]:
        data = max(
            (
                _unpacked(form[head:], most + 1)
                for form in (data, data.replace(b"\xff\x00", b"\xff"))
                for head in range(_LONGEST_HEAD + 1)
            ),
            key=len,
        )
        size = len(data)
    if frame.kind in ("CHAP", "CTOC"):
        for part in frames_in(data[inner_frames(frame.kind, data) :], version):
            if size > most or depth == _DEEPEST:
                return most + 1
            size += _expanded_size(part, version, most - size, depth + 1)
    return min(size, most + 1)


def _unpacked(data: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, most)
    except zlib.error:
        return b""
