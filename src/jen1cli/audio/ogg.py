"""Pages of OGG files: iterates them, replaces header packets, makes serial numbers reproducible.

libsndfile derives the serial number of an OGG stream from the clock. The header of every page has
it, and a CRC over the page (polynomial 0x04c11db7, most significant bit first, RFC 3533).
"""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jen1cli.audio.chunks import ByteFile, replace_bytes

SERIAL_NUMBER = 0x4A454E31  # "JEN1"
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_CRC_AT = 22
_CONTINUED, _FIRST = 1, 2  # bits of a page's flags
_HEADER_PACKETS = {b"\x01vorbis": 3, b"OpusHead": 2}


@dataclass(frozen=True)
class Page:
    """Position and segment table of a page."""

    at: int  # offset of the page
    sizes: bytes  # segment table: bytes of each segment, 0 to 255
    flags: int

    @property
    def body(self) -> int:
        """Offset of the payload."""
        return self.at + 27 + len(self.sizes)

    @property
    def end(self) -> int:
        """Offset of the first byte after the page."""
        return self.body + sum(self.sizes)

    @property
    def is_first(self) -> bool:
        """Whether it is the first page of a stream."""
        return bool(self.flags & _FIRST)


def read_pages(file: ByteFile) -> Iterator[Page]:
    """Yield pages until the data is not a page; the last page may be truncated."""
    at = 0
    while True:
        file.seek(at)
        head = file.read(27)
        if len(head) < 27 or head[:4] != b"OggS":
            return
        sizes = file.read(head[26])
        if len(sizes) < head[26]:
            return
        page = Page(at, sizes, head[5])
        yield page
        at = page.end


def is_chained(pages: Sequence[Page]) -> bool:
    """Whether a second stream begins after the end of the first."""
    begun = False
    for page in pages:
        if page.is_first and begun:
            return True
        begun = begun or not page.is_first
    return False


def read_header_packets(file: ByteFile) -> tuple[list[bytes], int]:
    """Return the header packets of a Vorbis or Opus stream and the offset of its first audio page.

    Raises:
        ValueError: the stream is neither, or ends within its headers.
    """
    packets: list[bytes] = []
    parts: list[bytes] = []
    wanted = 1
    for page in read_pages(file):
        file.seek(page.body)
        body = io.BytesIO(file.read(sum(page.sizes)))
        for size in page.sizes:
            parts.append(body.read(size))
            if size < 255:
                packets.append(b"".join(parts))
                parts = []
        if packets and wanted == 1:
            magic = next((m for m in _HEADER_PACKETS if packets[0].startswith(m)), None)
            if magic is None:
                break
            wanted = _HEADER_PACKETS[magic]
        if len(packets) == wanted and not parts:
            return packets, page.end
        if len(packets) > wanted:
            break
    raise ValueError("no headers of Vorbis or Opus")


def write_header_packets(file: ByteFile, packets: Sequence[bytes], end: int) -> None:
    """Replace the header packets, which end at `end`, and renumber all pages."""
    replace_bytes(file, 0, end, b"".join([*_paged(packets[:1]), *_paged(packets[1:])]))
    renumber_pages(file)


def renumber_pages(file: ByteFile) -> None:
    """Renumber the pages of a one-stream OGG file and set our serial number, in place."""
    total = file.seek(0, io.SEEK_END)
    end = 0
    for number, page in enumerate(read_pages(file)):
        file.seek(page.at)
        whole = bytearray(file.read(page.end - page.at))
        struct.pack_into("<III", whole, 14, SERIAL_NUMBER, number, 0)
        struct.pack_into("<I", whole, _CRC_AT, page_crc(bytes(whole)))
        file.seek(page.at)
        file.write(whole)
        end = page.end
    if end != total:
        raise ValueError(f"no OGG page at byte {end}")


def page_crc(page: bytes) -> int:
    """Return the CRC-32 of a page whose CRC field is zero.

    zlib's CRC-32 has the bit-reflected polynomial and inverts its register at start and end.
    Reversing the bits of each byte and of the result, and undoing the inversions, gives OGG's CRC
    at the speed of C.
    """
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def _paged(packets: Sequence[bytes]) -> Iterator[bytes]:
    """Yield unnumbered pages that hold only these header packets."""
    identifies = packets[0].startswith(tuple(_HEADER_PACKETS))
    segments = [
        packet[at : at + 255] for packet in packets for at in range(0, len(packet) + 1, 255)
    ]  # a packet whose size is a multiple of 255 ends with an empty segment
    inside = False  # whether the previous page ended within a packet
    for at in range(0, len(segments), 255):
        part = segments[at : at + 255]
        flags = (_FIRST if identifies else 0) | (_CONTINUED if inside else 0)
        ends = any(len(segment) < 255 for segment in part)
        inside = len(part[-1]) == 255
        granule = 0 if ends else -1
        head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, 0, 0, 0, len(part))
        yield head + bytes(map(len, part)) + b"".join(part)
