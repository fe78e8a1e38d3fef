"""Vorbis comments of FLAC, OGG Vorbis and Opus files, and the other metadata blocks of FLAC.

Formats: xiph.org/vorbis/doc/v-comment.html, RFC 9639 (FLAC), RFC 7845 (Opus).
"""

import base64
import binascii
import io
import struct

from jen1cli.audio import ogg
from jen1cli.audio.chunks import ByteFile, replace_bytes
from jen1cli.audio.metadata.id3 import parse, tag_size, without_manifest
from jen1cli.audio.metadata.model import RECIPE_FIELD, Block, Metadata, Moves, Texts, is_recipe
from jen1cli.errors import AudioError

_PICTURE_FIELD = "METADATA_BLOCK_PICTURE"  # a FLAC PICTURE block in base64
_STREAMINFO, _PADDING, _APPLICATION, _SEEKTABLE, _COMMENTS, _CUESHEET, _PICTURE = range(7)
_NAMES = {_APPLICATION: "APPLICATION", _CUESHEET: "CUESHEET"}
_MOST_BLOCK_BYTES = 2**24 - 1
_VENDOR = b"jen1cli"

_NAMELESS = ""
"""Stands for the field name of a comment that has none."""


def read_flac(file: ByteFile) -> Metadata:
    """Read comments, pictures and all other blocks of a FLAC file."""
    texts: Texts = ()
    pictures: list[bytes] = []
    blocks: list[Block] = []
    recipe = None
    for kind, at, size in _flac_blocks(file):
        if kind in (_STREAMINFO, _PADDING, _SEEKTABLE):
            continue
        file.seek(at)
        body = file.read(size)
        if kind == _COMMENTS:
            comments = _parse(body)[1]
            texts, recipe = _sorted(comments)
            blocks += _nameless_blocks(comments)
        elif kind == _PICTURE:
            pictures.append(body)
        else:
            name = _NAMES.get(kind, f"block {kind}")
            if kind == _APPLICATION:
                name += f" {body[:4].decode('latin-1')}"
            blocks.append(Block(bytes([kind]), body, name))
    signed = False
    if start := _flac_start(file):
        file.seek(0)
        tag = parse(file.read(start))
        tag, signed = (tag, False) if tag is None else without_manifest(tag)
        if tag is None or tag.frames or not signed:
            blocks.append(Block(b"ID3", b"", "the ID3 tag in front of the FLAC file"))
    file.seek(max(0, file.seek(0, io.SEEK_END) - 128))
    if file.read(3) == b"TAG":
        blocks.append(Block(b"ID3", b"", "the ID3v1 tag behind the FLAC file"))
    return Metadata("FLAC", texts, tuple(pictures), tuple(blocks), recipe, signed)


def write_flac(file: ByteFile, metadata: Metadata, recipe: str | None) -> None:
    """Write metadata into a new FLAC file."""
    (_, at, size), *others = _flac_blocks(file)
    file.seek(at)
    bodies = [(_STREAMINFO, file.read(size))]
    end = at + size
    for kind, at, size in others:
        end = at + size
        if kind == _SEEKTABLE:
            file.seek(at)
            bodies.append((kind, file.read(size)))
    bodies.append((_COMMENTS, _build(_VENDOR, _with_recipe(metadata.texts, recipe))))
    bodies += [(block.tag[0], block.data) for block in metadata.blocks]
    bodies += [(_PICTURE, picture) for picture in metadata.pictures]
    parts = [b"fLaC"]
    for index, (kind, body) in enumerate(bodies):
        if len(body) > _MOST_BLOCK_BYTES:
            raise AudioError(
                f"the tags are {len(body)} bytes long, a FLAC file takes {_MOST_BLOCK_BYTES};"
                " write wav, or make the input's tags smaller"
            )
        last = 0x80 if index + 1 == len(bodies) else 0
        parts += [bytes([kind | last]), len(body).to_bytes(3, "big"), body]
    replace_bytes(file, 0, end, b"".join(parts))


def move_flac_block(block: Block, moves: Moves) -> Block | None:
    """Return a block adjusted to an edit; None if it would be invalid."""
    if block.tag == b"ID3":
        return None
    foreign = block.tag[0] == _APPLICATION and block.data[:4] in (b"riff", b"aiff", b"w64 ")
    if foreign:  # headers of the source file of the FLAC file, with sizes
        return None
    if block.tag[0] == _CUESHEET:
        return Block(block.tag, _moved_cue_sheet(block.data, moves), block.name)
    return block


def read_ogg(file: ByteFile) -> Metadata:
    """Read the comments of an OGG Vorbis or Opus file, including pictures."""
    try:
        packets, _ = ogg.read_header_packets(file)
    except ValueError:
        return Metadata("OGG")
    start = 8 if packets[1].startswith(b"OpusTags") else 7
    comments = _parse(packets[1][start:])[1]
    texts, recipe = _sorted(comments)
    kept, pictures = [], []
    for name, text in texts:
        try:
            if name != _PICTURE_FIELD:
                raise ValueError("no picture")
            pictures.append(base64.b64decode(text, validate=True))
        except (ValueError, binascii.Error):
            kept.append((name, text))
    return Metadata("OGG", tuple(kept), tuple(pictures), _nameless_blocks(comments), recipe)


def write_ogg(file: ByteFile, metadata: Metadata, recipe: str | None) -> None:
    """Write metadata into a new OGG Vorbis or Opus file, and set reproducible serial numbers."""
    packets, end = ogg.read_header_packets(file)
    texts = _with_recipe(metadata.texts, recipe)
    texts += tuple(
        (_PICTURE_FIELD, base64.b64encode(picture).decode()) for picture in metadata.pictures
    )
    opus = packets[1].startswith(b"OpusTags")
    start = 8 if opus else 7
    vendor, _ = _parse(packets[1][start:])
    packets[1] = packets[1][:start] + _build(vendor, texts) + (b"" if opus else b"\x01")
    ogg.write_header_packets(file, packets, end)


def _parse(data: bytes) -> tuple[bytes, list[tuple[str, str]]]:
    """Return vendor and comments, up to the first truncated one."""
    vendor, at = _field(data, 0)
    count = int.from_bytes(data[at : at + 4], "little")
    at += 4
    comments = []
    for _ in range(count):
        if at + 4 > len(data):
            break
        field, at = _field(data, at)
        name, equals, text = field.decode("utf-8", "surrogateescape").partition("=")
        comments.append((name, text) if equals else (_NAMELESS, name))
    return vendor, comments


def _field(data: bytes, at: int) -> tuple[bytes, int]:
    size = int.from_bytes(data[at : at + 4], "little")
    return data[at + 4 : at + 4 + size], min(at + 4 + size, len(data))


def _build(vendor: bytes, comments: Texts) -> bytes:
    fields = [f"{name}={text}".encode("utf-8", "surrogateescape") for name, text in comments]
    parts = [vendor, *fields]
    packed = [struct.pack("<I", len(part)) + part for part in parts]
    packed.insert(1, struct.pack("<I", len(fields)))
    return b"".join(packed)


def _sorted(comments: list[tuple[str, str]]) -> tuple[Texts, str | None]:
    """Return the user's comments, and the recipe, if there is one."""
    texts, recipe = [], None
    for name, text in comments:
        name = name.upper()
        if name == _NAMELESS:
            continue
        if name == RECIPE_FIELD:
            recipe = text
        elif name in ("COMMENT", "DESCRIPTION") and is_recipe(text):  # place in version 0.1
            recipe = recipe or text
        else:
            texts.append((name, text))
    return tuple(texts), recipe


def _nameless_blocks(comments: list[tuple[str, str]]) -> tuple[Block, ...]:
    """Return a block that no file can hold, to name comments without '=', if there are any."""
    count = sum(name == _NAMELESS for name, _ in comments)
    return (Block(b"ID3", b"", f"{count} comments without '='"),) if count else ()


def _with_recipe(texts: Texts, recipe: str | None) -> Texts:
    return texts if recipe is None else (*texts, (RECIPE_FIELD, recipe))


def _flac_start(file: ByteFile) -> int:
    """Return the offset of the stream, after the ID3 tag that some programs put first."""
    file.seek(0)
    return tag_size(file.read(10))


def _flac_blocks(file: ByteFile) -> list[tuple[int, int, int]]:
    """List (type, offset of the body, size) of the metadata blocks."""
    at = _flac_start(file)
    file.seek(at)
    found: list[tuple[int, int, int]] = []
    if file.read(4) != b"fLaC":
        return found
    at += 4
    while True:
        file.seek(at)
        head = file.read(4)
        if len(head) < 4:
            return found
        size = int.from_bytes(head[1:], "big")
        found.append((head[0] & 0x7F, at + 4, size))
        at += 4 + size
        if head[0] & 0x80:
            return found


def _moved_cue_sheet(data: bytes, moves: Moves) -> bytes:
    """Adjust the tracks of a CUESHEET block; the last one marks the end of the sound."""
    sheet = bytearray(data)
    at = 396
    tracks = data[395] if len(data) > 395 else 0
    for track in range(tracks):
        if at + 36 > len(data):
            break
        (offset,) = struct.unpack_from(">Q", data, at)
        last = track + 1 == tracks
        struct.pack_into(">Q", sheet, at, moves.samples if last else moves.sample(offset))
        at += 36 + 12 * data[at + 35]
    return bytes(sheet)
