"""ID3 tags in MP3 files and in chunks of WAV and AIFF. Formats: id3.org, versions 2.2 to 2.4."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from jen1cli.audio.metadata.model import (
    COVERED,
    RECIPE_FIELD,
    Block,
    Metadata,
    Texts,
    is_recipe,
    usual_names,
)
from jen1cli.audio.metadata.source_type import SOURCE_TYPE_FIELD, source_type_of
from jen1cli.errors import AudioError

_FRAMES = {
    "TIT2": "TITLE", "TPE1": "ARTIST", "TALB": "ALBUM", "TDRC": "DATE", "TCON": "GENRE",
    "TRCK": "TRACKNUMBER", "TCOP": "COPYRIGHT", "TCOM": "COMPOSER", "TPE2": "ALBUMARTIST",
    "TPOS": "DISCNUMBER", "TBPM": "BPM", "TKEY": "INITIALKEY", "TSRC": "ISRC",
    "TENC": "ENCODED-BY", "TSSE": "SOFTWARE", "TPE3": "CONDUCTOR", "TPE4": "REMIXER",
    "TEXT": "LYRICIST", "TPUB": "ORGANIZATION", "TIT1": "GROUPING", "TIT3": "SUBTITLE",
    "TLAN": "LANGUAGE", "TMOO": "MOOD",
}  # fmt: skip
_ID_OF = {name: frame for frame, name in _FRAMES.items()}
_OLDER = {
    "TYER": "TDRC", "TT1": "TIT1", "TT2": "TIT2", "TT3": "TIT3", "TP1": "TPE1", "TP2": "TPE2",
    "TP3": "TPE3", "TP4": "TPE4", "TAL": "TALB", "TYE": "TDRC", "TCO": "TCON", "TRK": "TRCK",
    "TCR": "TCOP", "TCM": "TCOM", "TPA": "TPOS", "TBP": "TBPM", "TKE": "TKEY", "TRC": "TSRC",
    "TEN": "TENC", "TSS": "TSSE", "TXT": "TEXT", "TPB": "TPUB", "TLA": "TLAN", "TXX": "TXXX",
    "COM": "COMM", "ULT": "USLT", "PIC": "APIC", "TLE": "TLEN", "MLL": "MLLT", "ETC": "ETCO",
    "SLT": "SYLT", "GEO": "GEOB",
}  # fmt: skip
_CODECS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_MANIFEST_TYPES = (b"application/c2pa", b"application/x-c2pa-manifest-store")
_LANGUAGE = b"eng"
_COMMENT = "COMMENT:"
"""Begins the field names of comments that have a description, which is the rest."""
_OTHER_TEXTS = {
    "TCMP", "TDAT", "TDEN", "TDLY", "TDOR", "TDRL", "TDTG", "TFLT", "TIME", "TIPL", "TMCL", "TMED",
    "TOAL", "TOFN", "TOLY", "TOPE", "TORY", "TOWN", "TPRO", "TRDA", "TRSN", "TRSO", "TSIZ", "TSO2",
    "TSOA", "TSOC", "TSOP", "TSOT", "TSST",
}  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """One frame of a tag, with its content as stored in the file."""

    id: str  # three characters in version 2.2, else four
    flags: bytes  # two bytes; none in version 2.2
    data: bytes

    @property
    def kind(self) -> str:
        """Id of the corresponding frame in version 2.4."""
        return _OLDER.get(self.id, self.id)


@dataclass(frozen=True)
class Tag:
    """A tag of version 2.`version`."""

    version: int
    frames: tuple[Frame, ...]

    def to_bytes(self) -> bytes:
        """Return the whole tag, without padding."""
        parts = []
        for frame in self.frames:
            size = len(frame.data)
            if self.version == 2:
                parts.append(frame.id.encode() + size.to_bytes(3, "big"))
            else:
                length = _syncsafe(size) if self.version == 4 else size.to_bytes(4, "big")
                parts.append(frame.id.encode() + length + frame.flags)
            parts.append(frame.data)
        body = b"".join(parts)
        return b"ID3" + bytes([self.version, 0, 0]) + _syncsafe(len(body)) + body


def tag_size(head: bytes) -> int:
    """Return the size of a tag in bytes from its first ten bytes; 0 if there is no tag."""
    if head[:3] != b"ID3" or len(head) < 10 or head[3] not in (2, 3, 4):
        return 0
    footer = 10 if head[3] == 4 and head[5] & 0x10 else 0
    return 10 + _plain(head[6:10]) + footer


def parse(data: bytes) -> Tag | None:
    """Parse a tag; None if there is none of a supported version."""
    size = tag_size(data[:10])
    if not size:
        return None
    version, flags = data[3], data[5]
    body = data[10 : 10 + _plain(data[6:10])]
    if version == 2 and flags & 0x40:  # compression of the whole tag, which was never specified
        return None
    if flags & 0x80 and version < 4:
        body = body.replace(b"\xff\x00", b"\xff")
    if flags & 0x40 and version > 2:  # an extended header
        length = _plain(body[:4]) if version == 4 else int.from_bytes(body[:4], "big") + 4
        body = body[length:]
    return Tag(version, tuple(frames_in(body, version)))


def texts_of(tag: Tag) -> tuple[Texts, tuple[bytes, ...], str | None, set[int]]:
    """Return texts, pictures, the recipe, and the indices of the frames that these come from."""
    texts: list[tuple[str, str]] = []
    pictures: list[bytes] = []
    recipe, covered = None, set()
    for index, frame in enumerate(tag.frames):
        data, kind = content(frame, tag.version), frame.kind
        if not data:
            continue
        if kind == "APIC":
            picture = _picture_block(data, tag.version)
            if picture is None:
                continue
            pictures.append(picture)
        elif kind == "TXXX":
            name, text = _two_strings(data[1:], data[0])
            if name == RECIPE_FIELD:
                recipe = text
            else:
                texts += [(_field_name(name), part) for part in text.split("\0")]
        elif kind in ("COMM", "USLT"):
            description, text = _two_strings(data[4:], data[0])
            if kind == "COMM" and is_recipe(text):
                recipe = recipe or text
            elif kind == "COMM" and description:
                texts.append((f"{_COMMENT}{_field_name(description)}", text))
            else:
                texts.append(("COMMENT" if kind == "COMM" else "LYRICS", text))
        elif kind in _FRAMES or kind in _OTHER_TEXTS:
            text = _decoded(data[1:], data[0])
            texts += [(_FRAMES.get(kind, kind), part) for part in text.split("\0") if part]
        elif kind != "TLEN":  # TLEN is covered: the length follows from the sound
            continue
        covered.add(index)
    return tuple(texts), tuple(pictures), recipe, covered


def carried_frames(blocks: tuple[Block, ...]) -> tuple[Frame, ...]:
    """Return the frames that blocks of another family bring along, in a tag of version 2.4."""
    tags = (parse(block.data) for block in blocks if block.tag == b"ID3")
    return tuple(frame for tag in tags if tag is not None for frame in tag.frames)


def build(texts: Texts, pictures: tuple[bytes, ...], others: tuple[Frame, ...] = ()) -> Tag:
    """Build a tag of version 2.4; `others` are further frames of it."""
    joined: dict[str, list[str]] = {}
    for name, text in usual_names(texts):
        joined.setdefault(name, []).append(text)
    frames = []
    for name, parts in joined.items():
        data = "\0".join(parts).encode("utf-8", "replace")
        if not data.strip(b"\0"):  # readers complain about frames without content
            continue
        if name in _ID_OF or name in _OTHER_TEXTS:
            frames.append(Frame(_ID_OF.get(name, name), b"\0\0", b"\x03" + data))
        elif name in ("COMMENT", "LYRICS"):
            id_ = "COMM" if name == "COMMENT" else "USLT"
            frames.append(Frame(id_, b"\0\0", b"\x03" + _LANGUAGE + b"\0" + data))
        elif name.startswith(_COMMENT):
            about = name.removeprefix(_COMMENT).encode("utf-8", "replace")
            frames.append(Frame("COMM", b"\0\0", b"\x03" + _LANGUAGE + about + b"\0" + data))
        else:
            name_ = name.encode("utf-8", "replace")
            frames.append(Frame("TXXX", b"\0\0", b"\x03" + name_ + b"\0" + data))
    frames += [
        Frame("APIC", b"\0\0", data) for data in map(_picture_frame, pictures) if data is not None
    ]
    return Tag(4, (*frames, *others))


def with_recipe(tag: Tag, recipe: str | None) -> Tag:
    """Return a tag with its recipe replaced."""
    frames = tuple(frame for frame in tag.frames if not _is_recipe_frame(frame, tag.version))
    tag = replace(tag, frames=frames)
    return tag if recipe is None else _with_field(tag, RECIPE_FIELD, recipe.encode("ascii"))


def with_source_type_of(tag: Tag, texts: Texts) -> Tag:
    """Return a tag with the digital source type that texts have, if any."""
    value = source_type_of(texts)
    if value is None or source_type_of(texts_of(tag)[0]) == value:
        return tag
    frames = tuple(
        frame
        for frame in tag.frames
        if source_type_of(texts_of(Tag(tag.version, (frame,)))[0]) is None
    )
    value_ = value.encode("ascii", "replace")  # of a foreign file, perhaps
    return _with_field(replace(tag, frames=frames), SOURCE_TYPE_FIELD, value_)


def without_manifest(tag: Tag) -> tuple[Tag, bool]:
    """Return a tag without the frames of a C2PA manifest, and whether it had one."""
    frames = tuple(frame for frame in tag.frames if not _is_manifest(frame, tag.version))
    return replace(tag, frames=frames), len(frames) < len(tag.frames)


def tag_block(data: bytes) -> tuple[Block, Metadata] | None:
    """Return a tag as a block, and the metadata in it that other families can hold."""
    tag = parse(data)
    if tag is None:
        return None
    tag, signed = without_manifest(tag)
    if signed:
        data = tag.to_bytes() if tag.frames else b""
    texts, pictures, recipe, covered = texts_of(tag)
    others = [frame.id for index, frame in enumerate(tag.frames) if index not in covered]
    name = f"ID3 {' '.join(dict.fromkeys(others))}" if others else COVERED
    return Block(b"ID3", data, name), Metadata("ID3", texts, pictures, (), recipe, signed)


def frames_in(body: bytes, version: int) -> Iterator[Frame]:
    """Yield the frames in the body of a tag, up to its padding or a truncated one."""
    letters, head = (3, 6) if version == 2 else (4, 10)
    at = 0
    while at + head <= len(body):
        name = body[at : at + letters]
        if not re.fullmatch(rb"[A-Z][A-Z0-9]+ ?", name):
            return  # padding
        sizes = body[at + letters : at + 2 * letters]
        size = int.from_bytes(sizes, "big")
        if version == 4 and not _is_plain_size(body, at, size):
            size = _plain(sizes)
        at += head
        if at + size > len(body):
            return
        flags = b"" if version == 2 else body[at - 2 : at]
        yield Frame(name.decode("ascii"), flags, body[at : at + size])
        at += size


def _is_plain_size(body: bytes, at: int, size: int) -> bool:
    """Whether the size of a 2.4 frame has 8 bits per byte, as iTunes used to write it, not 7."""
    after = at + 10 + _plain(body[at + 4 : at + 8])
    if size < 128 or _starts_frame(body, after):
        return False
    return _starts_frame(body, at + 10 + size)


def _starts_frame(body: bytes, at: int) -> bool:
    here = body[at : at + 4]
    return at == len(body) or here == b"\0\0\0\0" or bool(re.fullmatch(rb"[A-Z][A-Z0-9]{3}", here))


def content(frame: Frame, version: int) -> bytes:
    """Return the content of a frame without the data of its flags; b"" if packed or encrypted."""
    data = frame.data
    if version == 3 and frame.flags[1] & 0xC0:  # compressed or encrypted
        return b""
    if version == 3 and frame.flags[1] & 0x20:
        return data[1:]
    if version == 4:
        if frame.flags[1] & 0x0C:
            return b""
        skipped = (1 if frame.flags[1] & 0x40 else 0) + (4 if frame.flags[1] & 0x01 else 0)
        data = data[skipped:]
        if frame.flags[1] & 0x02:
            data = data.replace(b"\xff\x00", b"\xff")
    return data


def _with_field(tag: Tag, name: str, text: bytes) -> Tag:
    """Return a tag with a user text in ASCII at its end."""
    flags = b"" if tag.version == 2 else b"\0\0"
    data = b"\0" + name.encode() + b"\0" + text
    frame = Frame("TXX" if tag.version == 2 else "TXXX", flags, data)
    return replace(tag, frames=(*tag.frames, frame))


def _is_manifest(frame: Frame, version: int) -> bool:
    data = content(frame, version)
    return frame.kind == "GEOB" and data[1:].startswith(_MANIFEST_TYPES)


def _is_recipe_frame(frame: Frame, version: int) -> bool:
    return frame.kind in ("TXXX", "COMM") and texts_of(Tag(version, (frame,)))[2] is not None


def _decoded(data: bytes, encoding: int) -> str:
    codec = _CODECS[encoding] if encoding < len(_CODECS) else "latin-1"
    return data.decode(codec, "replace").removesuffix("\0").replace("\ufeff", "")


def string_end(data: bytes, at: int, encoding: int) -> int:
    """Return the offset after the zero-terminated string at this offset; the end without a zero."""
    step = 2 if encoding in (1, 2) else 1
    while at < len(data) and any(data[at : at + step]):
        at += step
    return min(at + step, len(data))


def _two_strings(data: bytes, encoding: int) -> tuple[str, str]:
    """Return the zero-terminated description and the text after it."""
    at = string_end(data, 0, encoding)
    text = data[at:]
    if encoding == 1 and text[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        text = data[:2] + text  # some programs write the byte order mark only once
    return _decoded(data[:at], encoding), _decoded(text, encoding)


def _field_name(name: str) -> str:
    """Return a valid field name of a Vorbis comment: ASCII without '='."""
    return re.sub(r"[^ -<>-}]", "_", name).upper() or "TXXX"


def _picture_block(data: bytes, version: int) -> bytes | None:
    """Convert the content of an APIC frame to the body of a FLAC PICTURE block."""
    encoding = data[0]
    if version == 2:
        format_, rest = data[1:4].decode("latin-1").lower(), data[4:]
        mime = {"jpg": "image/jpeg", "-->": "-->"}.get(format_, f"image/{format_}").encode()
    else:
        mime, zero, rest = data[1:].partition(b"\0")
        if not zero:
            return None
    if not rest:
        return None
    kind, rest = rest[0], rest[1:]
    at = string_end(rest, 0, encoding)
    description, image = _decoded(rest[:at], encoding).encode(), rest[at:]
    return b"".join(
        [
            struct.pack(">II", kind, len(mime)), mime,
            struct.pack(">I", len(description)), description,
            struct.pack(">5I", 0, 0, 0, 0, len(image)), image,
        ]
    )  # fmt: skip


def _picture_frame(block: bytes) -> bytes | None:
    """Convert the body of a FLAC PICTURE block to the content of an APIC frame."""
    try:
        kind, size = struct.unpack_from(">II", block)
        mime, at = block[8 : 8 + size], 8 + size
        (size,) = struct.unpack_from(">I", block, at)
        description = block[at + 4 : at + 4 + size]
        image = block[at + 4 + size + 20 :]
    except struct.error:
        return None
    return b"\x03" + mime + b"\0" + bytes([kind & 0xFF]) + description + b"\0" + image


def _syncsafe(size: int) -> bytes:
    if size >= 1 << 28:
        raise AudioError(f"the tags are {size} bytes long, an ID3 tag takes {(1 << 28) - 1}")
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def _plain(four: bytes) -> int:
    return sum((byte & 0x7F) << shift for byte, shift in zip(four, (21, 14, 7, 0), strict=False))
