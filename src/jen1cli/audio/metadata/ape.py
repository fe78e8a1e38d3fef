"""APEv2 tags at the end of MP3 files. Format: wiki.hydrogenaud.io, "APEv2 specification"."""

import struct
from typing import NamedTuple

from jen1cli.audio.metadata.model import Block, Moves, Texts, usual_names
from jen1cli.audio.metadata.texts import edited_texts

APE_TAG = b"APETAGEX"
NAME = "APE tag"
_HEAD = 32  # bytes of the header, which may be missing, and of the footer
_HAS_HEADER = 1 << 31
_MOST_ITEMS = 4_096
_KIND = 0b110  # bits of an item's flags; 0: text in UTF-8


class _Item(NamedTuple):
    flags: int
    key: bytes
    value: bytes

    @property
    def texts(self) -> Texts:
        """Texts with the field names of Vorbis comments; none of other items."""
        if self.flags & _KIND:
            return ()
        name = self.key.decode("latin-1").upper()
        try:
            value = self.value.decode("utf-8")
        except UnicodeDecodeError:  # version 1 of the tag
            value = self.value.decode("latin-1")
        return tuple((name, part) for part in value.split("\0"))


def read_ape(tag: bytes) -> tuple[Texts, bool]:
    """Return the texts of a tag, and whether it has nothing else."""
    items = _items(tag)
    if items is None:
        return (), False
    texts = usual_names(tuple(pair for item in items for pair in item.texts))
    return texts, all(item.texts for item in items)


def move_ape_block(block: Block, moves: Moves) -> tuple[Block, list[str]]:
    """Adjust a tag to an edit.

    Returns:
        the block, and a name if the tag is not understood and its times are not adjusted.
    """
    items = _items(block.data)
    if items is None:
        return block, [f"perhaps places in the {NAME}"] if moves.any else []
    kept: list[_Item] = []
    for item in items:
        texts, _ = edited_texts(item.texts, moves)  # what is lost of texts, the caller names
        if texts:
            value = "\0".join(text for _, text in texts).encode("utf-8")
            item = item if texts == item.texts else item._replace(value=value)
        if texts or not item.texts:
            kept.append(item)
    if kept == items:
        return block, []
    return Block(block.tag, _packed(kept, block.data), block.name), []


def _items(tag: bytes) -> list[_Item] | None:
    """Return the items of a tag; None if it is damaged or has too many."""
    if len(tag) < _HEAD:
        return None
    count, flags = struct.unpack("<2I", tag[-16:-8])
    if count > _MOST_ITEMS:
        return None
    body = tag[_HEAD if flags & _HAS_HEADER else 0 : -_HEAD]
    found, at = [], 0
    while at < len(body) and len(found) < count:
        key, zero, _ = body[at + 8 : at + 8 + 256].partition(b"\0")
        if not zero:
            return None
        size, flags = struct.unpack_from("<2I", body, at)
        at += 9 + len(key) + size
        if at > len(body):
            return None
        found.append(_Item(flags, key, body[at - size : at]))
    return found if len(found) == count and at == len(body) else None


def _packed(items: list[_Item], old: bytes) -> bytes:
    """Return a tag with these items, and header and footer like those of the old one."""
    body = b"".join(
        struct.pack("<2I", len(value), flags) + key + b"\0" + value for flags, key, value in items
    )
    version, _, _, flags = struct.unpack("<4I", old[-24:-8])

    def end(flags: int) -> bytes:
        return (
            APE_TAG + struct.pack("<4I", version, len(body) + _HEAD, len(items), flags) + bytes(8)
        )

    header = end(flags | 1 << 29) if flags & _HAS_HEADER else b""
    return header + body + end(flags)
