"""Frames of FLAC files: finds where the sound ends if the header, written to a pipe, has no total.

Format: RFC 9639, section 9. A frame header ends with a CRC-8, a whole frame with a CRC-16.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from jen1cli.audio.chunks import ByteFile
from jen1cli.audio.metadata.id3 import tag_size

_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_SIZES = {
    1: 192,
    **{n: 576 << n - 2 for n in range(2, 6)},
    **{n: 256 << n - 8 for n in range(8, 16)},
}
_LOOK_BYTES = 1 << 16  # searched for two successive frames; common frames are below 20,000
_LAST_BYTES = 1 << 20
_PROBES = 16
_UNKNOWN_AT = 21  # offset of the 36-bit total: after "fLaC", a block header and 13 bytes


@dataclass(frozen=True)
class FlacStream:
    """Range of the frames in a FLAC file, and values of its header."""

    header: int  # offset of "fLaC"
    start: int  # offset of the first frame
    stop: int  # offset after the last frame
    block: int  # samples per channel in every frame but the last
    total: int  # samples in each channel; 0 if the header has no total


@dataclass(frozen=True)
class _Frame:
    at: int
    first: int  # its first sample
    samples: int


def read_stream(file: ByteFile) -> FlacStream | None:
    """Read the header; None if the file is not FLAC."""
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(10)
    at = tag_size(head)
    file.seek(at)
    head = file.read(42)
    if len(head) < 42 or head[:4] != b"fLaC" or head[4] & 0x7F:
        return None
    header, at, last = at, at + 4, 0
    while not last:
        file.seek(at)
        block = file.read(4)
        if len(block) < 4:
            return None
        last = block[0] & 0x80
        at += 4 + int.from_bytes(block[1:], "big")
    file.seek(max(0, end - 128))
    if file.read(3) == b"TAG":
        end -= 128
    total = int.from_bytes(head[21:26], "big") & (1 << 36) - 1
    at = min(at, end)  # metadata blocks of a truncated file may claim more than there is
    return FlacStream(header, at, end, int.from_bytes(head[8:10], "big"), total)


def find_end(file: ByteFile, stream: FlacStream) -> int | None:
    """Return the samples up to the end of the last frame; None if that frame is truncated."""
    start = max(stream.start, stream.stop - _LAST_BYTES)
    file.seek(start)
    data = file.read(stream.stop - start)
    for frame in reversed(list(_frames(data, stream))):
        if _crc16(data[frame.at :]) == 0:
            return frame.first + frame.samples
    return None


def has_last_frame(file: ByteFile, stream: FlacStream) -> bool:
    """Whether the file ends with a whole frame whose last sample is the last of the header's."""
    start = max(stream.start, stream.stop - _LAST_BYTES)
    file.seek(start)
    data = file.read(stream.stop - start)
    return any(
        frame.first + frame.samples == stream.total and _crc16(data[frame.at :]) == 0
        for frame in _frames(data, stream)
    )


def is_joined(file: ByteFile, stream: FlacStream) -> bool:
    """Whether a second file seems to follow: the frames' sample numbers start from 0 again."""
    size = stream.stop - stream.start
    places = {stream.start + index * size // _PROBES for index in range(_PROBES)}
    seen = -1
    for place in sorted(places | {max(stream.start, stream.stop - _LOOK_BYTES)}):
        file.seek(place)
        data = file.read(min(_LOOK_BYTES, stream.stop - place))
        first = _confirmed(list(_frames(data, stream)))
        if first is None:
            continue
        if first < seen or (place > stream.start and first == 0):
            return True
        seen = first
    return 0 < stream.total <= seen


def head_with_total(file: ByteFile, stream: FlacStream, total: int) -> bytes:
    """Return the bytes before the first frame, with `total` written into the header."""
    file.seek(0)
    head = bytearray(file.read(stream.start))
    at = stream.header + _UNKNOWN_AT
    kept = int.from_bytes(head[at : at + 5], "big") & ~((1 << 36) - 1)
    head[at : at + 5] = (kept | total).to_bytes(5, "big")
    return bytes(head)


def _confirmed(frames: list[_Frame]) -> int | None:
    """Return the sample number of the first frame whose successor follows without a gap."""
    following = {frame.first for frame in frames}
    for frame in frames:
        if frame.first + frame.samples in following:
            return frame.first
    return None


def _frames(data: bytes, stream: FlacStream) -> Iterator[_Frame]:
    """Yield candidate frames: a sync code and a header with a valid CRC-8."""
    for found in _SYNC.finditer(data):
        frame = _header(data, found.start(), stream)
        if frame is not None:
            yield frame


def _header(data: bytes, at: int, stream: FlacStream) -> _Frame | None:
    head = data[at : at + 16]
    if len(head) < 6 or head[3] & 1:
        return None
    size_code, rate_code = head[2] >> 4, head[2] & 15
    number, length = _coded_number(head[4:])
    if not length or size_code == 0 or rate_code == 15:
        return None
    end = 4 + length
    samples = _SIZES.get(size_code, 0)
    if size_code in (6, 7):
        width = size_code - 5
        samples = int.from_bytes(head[end : end + width], "big") + 1
        end += width
    end += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if end >= len(head) or _crc8(head[: end + 1]) != 0:
        return None
    variable = head[1] & 1
    return _Frame(at, number if variable else number * stream.block, samples)


def _coded_number(data: bytes) -> tuple[int, int]:
    """Decode a UTF-8-like number of up to 36 bits; return it and its size in bytes, or (0, 0)."""
    lead = data[0]
    if lead < 0x80:
        return lead, 1
    length = next((n for n in range(2, 8) if lead >> 7 - n & 1 == 0), 0)
    rest = data[1:length]
    if length < 2 or lead < 0xC0 or len(rest) < length - 1 or any(b & 0xC0 != 0x80 for b in rest):
        return 0, 0
    number = lead & (1 << 7 - length) - 1
    for byte in rest:
        number = number << 6 | byte & 0x3F
    return number, length


def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << bits - 1, (1 << bits) - 1
    table = []
    for value in range(256):
        crc = value << bits - 8
        for _ in range(8):
            crc = (crc << 1 ^ polynomial if crc & top else crc << 1) & mask
        table.append(crc)
    return tuple(table)


_CRC8, _CRC16 = _table(0x07, 8), _table(0x8005, 16)


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc = _CRC8[crc ^ byte]
    return crc


def _crc16(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _CRC16[crc >> 8 ^ byte]
    return crc
