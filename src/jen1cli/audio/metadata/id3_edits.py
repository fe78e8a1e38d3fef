"""ID3 tags in an edit: times that move, and frames that go into a file of another family."""

import struct
from collections.abc import Callable
from dataclasses import replace

from jen1cli.audio.metadata.id3 import Frame, Tag, content, frames_in, parse, string_end, texts_of
from jen1cli.audio.metadata.model import COVERED, Block, Moves
from jen1cli.audio.metadata.texts import edited_texts

_STALE = {"MLLT", "ASPI", "SEEK", "AENC"}  # refer to bytes of the old file
_TIMED = {"SYTC", "POSS"}  # have times, which are not adjusted here
_MILLISECONDS = 2  # the other unit of time stamps is frames of the old MPEG stream
_DJ_OBJECTS = {"Serato Markers_", "Serato Markers2", "Serato BeatGrid", "CuePoints"}
_ONLY_3 = {"RVAD", "EQUA", "IPLS"}  # frames of version 2.3 that 2.4 does not have


def move_block(block: Block, moves: Moves) -> tuple[Block, list[str]]:
    """Adjust the tag in a block to an edit; an unsupported tag is left unchanged.

    Returns:
        the block, and the names of frames that would be invalid.
    """
    tag = parse(block.data)
    if tag is None:
        return block, []
    new, dropped = _moved_tag(tag, moves)
    return replace(block, data=new.to_bytes()), dropped


def carry_block(block: Block, moves: Moves) -> tuple[Block | None, list[str]]:
    """Take the frames that an ID3 tag in a file of another family can hold.

    Texts and pictures are not among them: every family has a place for these.

    Returns:
        a block with a tag of version 2.4, None without frames; and the names of the lost ones.
    """
    tag = parse(block.data)
    if tag is None:
        return None, [block.name]
    covered = texts_of(tag)[3]
    others = tuple(frame for index, frame in enumerate(tag.frames) if index not in covered)
    moved, dropped = _moved_tag(replace(tag, frames=others), moves)
    pairs = [(frame, _as_version_4(frame, tag.version)) for frame in moved.frames]
    kept = tuple(new for _, new in pairs if new is not None)
    dropped += [f"ID3 {frame.id}" for frame, new in pairs if new is None]
    new = Block(b"ID3", Tag(4, kept).to_bytes(), COVERED) if kept else None
    return new, dropped


def _moved_tag(tag: Tag, moves: Moves) -> tuple[Tag, list[str]]:
    """Return a tag adjusted to an edit, and the names of frames that would be invalid.

    Texts that are left out are not named here: the caller has them under their own names.
    """
    kept: list[Frame] = []
    dropped: list[str] = []
    for frame in tag.frames:
        if frame.kind in ("TXXX", "COMM"):
            kept += _edited_text(frame, tag.version, moves)
            continue
        new = _moved(frame, moves)
        if new is None:
            dropped.append(f"ID3 {frame.id}")
            continue
        kept.append(new)
        owner = _dj_program(frame, tag.version) if moves.any else None
        if owner is not None:
            dropped.append(f"the places in ID3 {frame.id} {owner}")
    return replace(tag, frames=tuple(kept)), dropped


def _edited_text(frame: Frame, version: int, moves: Moves) -> tuple[Frame, ...]:
    """Return a user text or a comment, its times adjusted; nothing if an edit does not keep it."""
    texts = texts_of(Tag(version, (frame,)))[0]
    kept, _ = edited_texts(texts, moves)
    if not kept and texts:
        return ()
    if kept == texts or frame.kind != "TXXX":
        return (frame,)
    text = "\0".join((kept[0][0], *(text for _, text in kept)))
    coded = b"\x03" + text.encode() if version == 4 else b"\1" + text.encode("utf-16")
    return (Frame(frame.id, bytes(len(frame.flags)), coded),)


def _dj_program(frame: Frame, version: int) -> str | None:
    """Return the name of a private frame that has cue points and beats in a form of its own."""
    data = content(frame, version)
    if frame.kind == "PRIV":
        return "TRAKTOR4" if data.startswith(b"TRAKTOR4\0") else None
    if frame.kind != "GEOB" or not data:
        return None
    at = string_end(data, 1, 0)  # the type of the content
    at = string_end(data, at, data[0])  # the name of a file
    name = data[at : string_end(data, at, data[0])].replace(b"\0", b"").decode("latin-1")
    return name if name in _DJ_OBJECTS else None


def _moved(frame: Frame, moves: Moves) -> Frame | None:
    kind = frame.kind
    if kind in _STALE or (kind in _TIMED and moves.any):
        return None
    if kind == "TLEN":
        length = round(1000 * moves.samples / moves.sample_rate)
        return Frame(frame.id, bytes(len(frame.flags)), b"\0" + str(length).encode())
    move = _MOVERS.get(kind)
    if move is None or not moves.any:
        return frame
    data = None if any(frame.flags[1:]) else move(frame.data, moves)  # flags: packed, for example
    return None if data is None else replace(frame, data=data)


def _moved_chapter(data: bytes, moves: Moves) -> bytes | None:
    at = data.find(b"\0") + 1
    if at == 0 or at + 16 > len(data):
        return None
    times = b"".join(_moved_time(data, at + offset, moves) for offset in (0, 4))
    return data[:at] + times + b"\xff" * 8 + data[at + 16 :]  # without offsets in bytes


def _moved_events(data: bytes, moves: Moves) -> bytes | None:
    """Adjust ETCO: a unit, then pairs of a type and a time."""
    if data[:1] != bytes([_MILLISECONDS]) or len(data) % 5 != 1:
        return None
    events = (data[at : at + 1] + _moved_time(data, at + 1, moves) for at in range(1, len(data), 5))
    return data[:1] + b"".join(events)


def _moved_lyrics(data: bytes, moves: Moves) -> bytes | None:
    """Adjust SYLT: encoding, language, unit, type and description, then texts, each with a time."""
    if len(data) < 6 or data[4] != _MILLISECONDS:
        return None
    at = string_end(data, 6, data[0])
    moved = bytearray(data)
    while at < len(data):
        at = string_end(data, at, data[0])
        if at + 4 > len(data):
            return None
        moved[at : at + 4] = _moved_time(data, at, moves)
        at += 4
    return bytes(moved)


def _moved_time(data: bytes, at: int, moves: Moves) -> bytes:
    """Return the time in milliseconds at this offset, adjusted."""
    (time,) = struct.unpack_from(">I", data, at)
    return struct.pack(">I", min(moves.time(time, 1000), 2**32 - 1))


_MOVERS: dict[str, Callable[[bytes, Moves], bytes | None]] = {
    "CHAP": _moved_chapter,
    "ETCO": _moved_events,
    "SYLT": _moved_lyrics,
}


def _as_version_4(frame: Frame, version: int) -> Frame | None:
    """Convert a frame to version 2.4; None if that has none like it, or its content is packed."""
    data = content(frame, version)
    if not data or len(frame.kind) != 4 or frame.kind in _ONLY_3:
        return None
    if version == 3 and frame.kind in ("CHAP", "CTOC"):
        at = inner_frames(frame.kind, data)
        inner = [_as_version_4(part, version) for part in frames_in(data[at:], version)]
        tag = Tag(4, tuple(part for part in inner if part is not None))
        data = data[:at] + tag.to_bytes()[10:]
    return Frame(frame.kind, b"\0\0", data)


def inner_frames(kind: str, data: bytes) -> int:
    """Return the offset of the frames inside a chapter or a table of chapters."""
    at = data.find(b"\0") + 1
    if kind == "CHAP":
        return at + 16
    count = data[at + 1] if at + 1 < len(data) else 0
    at += 2
    for _ in range(count):
        at = data.find(b"\0", at) + 1 or len(data)
    return at
