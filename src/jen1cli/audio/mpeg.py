"""Counts the frames of MP3 files, because libsndfile guesses the length if no header states it.

A Xing (or Info) header in the first frame states how many frames follow. Without one, libsndfile
divides the bytes by the first frame's bit rate and stops reading there; from a file of variable bit
rate it can silently drop more than half.
"""

import mmap
import re
import struct
from dataclasses import dataclass

Bytes = bytes | memoryview | mmap.mmap

_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # kbit/s, MPEG 1
_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # MPEG 2 and 2.5
_HERTZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_MIDDLE_RATE = 9  # index of a bit rate whose frames are large enough for a Xing header
_SYNC = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")


@dataclass(frozen=True)
class Frames:
    """Position and number of the frames of a file."""

    start: int  # offset of the first one
    count: int  # frames with sound, so without the Xing header
    promised: int | None  # count in the Xing header, if there is one


def read_frames(data: Bytes, start: int, stop: int) -> Frames | None:
    """Count the layer III frames in the bytes [start, stop); None if there are none.

    Other data between frames, such as the tag of a second file, is skipped.
    """
    at = first = _next_frame(data, start, stop)
    if first is None:
        return None
    promised = _promised(data, first)
    count = 0
    while at is not None:
        length = _length(data, at)
        if not length:
            at = _next_frame(data, at + 1, stop)
            continue
        if at + length > stop:
            break
        count += 1
        at = at + length if at + length + 4 <= stop else None
    return Frames(first, count if promised is None else count - 1, promised)


def xing_frame(data: Bytes, frames: Frames) -> bytes:
    """Return a Xing frame with the number of frames that follow; decoders do not play it."""
    head = bytearray(data[frames.start : frames.start + 4])
    head[1] |= 1  # no checksum
    head[2] = (head[2] & 0x0C) | _MIDDLE_RATE << 4
    frame = bytearray(_length(bytes(head), 0))
    frame[:4] = head
    at = _xing_at(head)
    frame[at : at + 12] = b"Xing" + struct.pack(">II", 1, frames.count)
    return bytes(frame)


def _next_frame(data: Bytes, start: int, stop: int) -> int | None:
    """Return the offset of the next frame that a like frame or `stop` follows; None if none."""
    while True:
        found = _SYNC.search(data, start, stop)
        if found is None:
            return None
        at = found.start()
        length = _length(data, at)
        if length:
            after = at + length
            like = after + 2 <= stop and data[after : after + 2] == data[at : at + 2]
            if after == stop or (like and _length(data, after)):
                return at
        start = at + 1


def _length(data: Bytes, at: int) -> int:
    """Return the size in bytes of the frame at this offset; 0 if there is no frame header."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, rate = head[1] >> 3 & 3, head[2] >> 4
    hertz = head[2] >> 2 & 3
    if version == 1 or rate in (0, 15) or hertz == 3:
        return 0
    kilobits = (_RATES_1 if version == 3 else _RATES_2)[rate]
    factor = 144_000 if version == 3 else 72_000
    return factor * kilobits // _HERTZ[version][hertz] + (head[2] >> 1 & 1)


def _xing_at(head: bytes | bytearray) -> int:
    mono = head[3] >> 6 == 3
    if head[1] >> 3 & 3 == 3:
        return 4 + (17 if mono else 32)
    return 4 + (9 if mono else 17)


def _promised(data: Bytes, first: int) -> int | None:
    at = first + _xing_at(bytes(data[first : first + 4]))
    tag = bytes(data[at : at + 12])
    if tag[:4] in (b"Xing", b"Info") and len(tag) == 12 and tag[7] & 1:
        return int.from_bytes(tag[8:12], "big")
    at = first + 36  # a VBRI header
    tag = bytes(data[at : at + 18])
    return int.from_bytes(tag[14:18], "big") if tag[:4] == b"VBRI" and len(tag) == 18 else None
