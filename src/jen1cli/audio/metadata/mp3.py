"""Tags of MP3 files: ID3 before the sound; ID3v1, Lyrics3 and APE after it."""

import io
import struct
from dataclasses import replace

from jen1cli.audio.chunks import ByteFile, replace_bytes
from jen1cli.audio.metadata.ape import APE_TAG, NAME, move_ape_block, read_ape
from jen1cli.audio.metadata.id3 import (
    build,
    carried_frames,
    parse,
    tag_block,
    tag_size,
    with_recipe,
    with_source_type_of,
)
from jen1cli.audio.metadata.id3_edits import move_block
from jen1cli.audio.metadata.model import COVERED, Block, Metadata, Moves, Texts

_V1, _LYRICS = b"TAG", b"LYRICS200"
_MOST_TRAILING = 1 << 24  # bytes at the end of a file that are searched for tags


def read_mp3(file: ByteFile) -> Metadata:
    """Read the tags of an MP3 file: ID3, then what only an APE tag says; ID3v1 without ID3."""
    file.seek(0)
    size = tag_size(file.read(10))
    file.seek(0)
    found = tag_block(file.read(size))
    trailing = _trailing(file)
    if found is None:
        said, blocks = Metadata(), trailing
    else:
        block, said = found
        blocks = (block, *trailing)
    texts = said.texts
    for block in reversed(trailing):
        if block.tag == APE_TAG:
            texts += _further(texts, read_ape(block.data)[0])
    if found is None:
        v1 = next((block.data for block in trailing if block.tag == _V1), b"")
        texts += _further(texts, _v1_texts(v1))
    return replace(said, family="MP3", texts=texts, blocks=blocks)


def move_mp3_block(block: Block, moves: Moves) -> tuple[Block, list[str]]:
    """Adjust a tag to an edit.

    Returns:
        the block, and the names of what is left out or has times that are not adjusted.
    """
    if block.tag == APE_TAG:
        return move_ape_block(block, moves)
    if block.tag == _LYRICS:
        return block, [f"the places of the time stamps in the {block.name}"] if moves.any else []
    return move_block(block, moves)


def write_mp3(file: ByteFile, metadata: Metadata, recipe: str | None) -> None:
    """Write tags into a new MP3 file."""
    tag = None
    if metadata.family == "MP3":
        own = next((block for block in metadata.blocks if block.tag == b"ID3"), None)
        tag = None if own is None else parse(own.data)
    if tag is None:
        others = () if metadata.family == "MP3" else carried_frames(metadata.blocks)
        tag = build(metadata.texts, metadata.pictures, others)
    tag = with_source_type_of(tag, metadata.texts)
    tag = with_recipe(tag, recipe)
    file.seek(0)
    replace_bytes(file, 0, tag_size(file.read(10)), tag.to_bytes() if tag.frames else b"")
    file.seek(0, io.SEEK_END)
    file.write(b"".join(block.data for block in metadata.blocks if block.tag != b"ID3"))


def trailing_tags(end: bytes) -> list[tuple[bytes, int]]:
    """List (kind, size in bytes) of the tags at the end of an MP3 file, the last one first.

    Args:
        end: last bytes of the file.
    """
    found: list[tuple[bytes, int]] = []
    if end[-128:-125] == _V1:
        found.append((_V1, 128))
        end = end[:-128]
    if end[-9:] == _LYRICS and end[-15:-9].isdigit():
        size = int(end[-15:-9]) + 15
        if size <= len(end):
            found.append((_LYRICS, size))
            end = end[:-size]
    if end[-32:-24] == APE_TAG:
        size, _, flags = struct.unpack("<3I", end[-20:-8])
        size += 32 if flags >> 31 else 0  # plus a header
        if size <= len(end):
            found.append((APE_TAG, size))
    return found


def trailing_size(file: ByteFile) -> int:
    """Return the size in bytes of all tags after the sound."""
    return sum(len(block.data) for block in _trailing(file))


def _trailing(file: ByteFile) -> tuple[Block, ...]:
    total = file.seek(0, io.SEEK_END)
    file.seek(max(0, total - _MOST_TRAILING))
    end = file.read()
    blocks = []
    for kind, size in trailing_tags(end):
        data = end[len(end) - size :]
        name = {_V1: COVERED, _LYRICS: "Lyrics3 tag"}.get(kind, NAME)
        if kind == APE_TAG and read_ape(data)[1]:
            name = COVERED
        blocks.append(Block(kind, data, name))
        end = end[: len(end) - size]
    return tuple(reversed(blocks))


def _further(texts: Texts, others: Texts) -> Texts:
    """Return the texts of another tag whose names do not occur yet."""
    known = {name for name, _ in texts}
    return tuple(pair for pair in others if pair[0] not in known)


def _v1_texts(tag: bytes) -> Texts:
    places = {"TITLE": (3, 33), "ARTIST": (33, 63), "ALBUM": (63, 93), "DATE": (93, 97)}
    found = [(name, tag[a:b].split(b"\0")[0]) for name, (a, b) in places.items()]
    found.append(("COMMENT", tag[97:125].split(b"\0")[0]))
    return tuple((name, text.decode("latin-1").strip()) for name, text in found if text.strip())
