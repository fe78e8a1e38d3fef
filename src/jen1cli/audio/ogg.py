"""OGG pages with a fixed serial number, so that the same samples give the same bytes.

libsndfile draws the serial number of an OGG stream from the clock. It stands in the header of every
page, under a CRC over the page (polynomial 0x04c11db7, most significant bit first, RFC 3533).
"""

import io
import struct
import zlib

from jen1cli.audio.files import ByteFile

SERIAL_NUMBER = 0x4A454E31  # "JEN1"
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_CRC_AT = 22


def fix_serial_number(file: ByteFile) -> None:
    """Rewrite the serial number of every page of a one-stream OGG file in place."""
    total = file.seek(0, io.SEEK_END)
    at = 0
    while at + 27 <= total:
        file.seek(at)
        head = bytearray(file.read(27))
        if head[:4] != b"OggS":
            raise ValueError(f"no OGG page at byte {at}")
        sizes = file.read(head[26])
        body = file.read(sum(sizes))
        struct.pack_into("<I", head, 14, SERIAL_NUMBER)
        struct.pack_into("<I", head, _CRC_AT, 0)
        struct.pack_into("<I", head, _CRC_AT, page_crc(bytes(head) + sizes + body))
        file.seek(at)
        file.write(head)
        at += 27 + len(sizes) + len(body)


def page_crc(page: bytes) -> int:
    """Return the CRC of a page whose CRC field is zero.

    zlib computes the mirrored polynomial with inverted ends; mirroring the bytes and the result,
    and undoing the inversions, turns the one into the other at the speed of C.
    """
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
