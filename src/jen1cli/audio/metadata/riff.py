"""Chunks of WAV and AIFF files.

Formats: Microsoft's RIFF, EBU Tech 3285 (bext), AES46 (cart), Audio IFF 1.3. RIFF is little-endian,
AIFF big-endian.
"""

import bisect
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from xml.parsers import expat

from jen1cli.audio.chunks import ByteFile, ChunkFile, add_chunks, chunk_bytes, read_chunks
from jen1cli.audio.metadata import id3
from jen1cli.audio.metadata.id3_edits import move_block
from jen1cli.audio.metadata.model import (
    COVERED,
    Block,
    Metadata,
    Moves,
    Texts,
    first_texts,
    usual_names,
)
from jen1cli.audio.metadata.source_type import (
    SOURCE_TYPE_FIELD,
    is_own_xmp,
    is_xmp,
    source_type_of,
    with_xmp,
    xmp_texts,
)

NOTE_CHUNK = b"jen1"
"""RIFF chunk of the recipe, and the signature of the APPL chunk that holds it in AIFF."""

_INFO = {
    b"INAM": "TITLE", b"IART": "ARTIST", b"IPRD": "ALBUM", b"ICRD": "DATE", b"IGNR": "GENRE",
    b"ITRK": "TRACKNUMBER", b"IPRT": "TRACKNUMBER", b"ICOP": "COPYRIGHT", b"ICMT": "COMMENT",
    b"ISFT": "SOFTWARE", b"IMUS": "COMPOSER", b"IENG": "ENGINEER", b"IKEY": "KEYWORDS",
    b"ISBJ": "SUBJECT", b"ISRC": "SOURCE", b"ITCH": "ENCODED-BY", b"ILNG": "LANGUAGE",
}  # fmt: skip
_AIFF_TEXTS = {b"NAME": "TITLE", b"AUTH": "ARTIST", b"(c) ": "COPYRIGHT", b"ANNO": "COMMENT"}
_STRUCTURE = {
    b"fmt ", b"data", b"fact", b"ds64", b"JUNK", b"junk", b"PAD ", b"FLLR", b"filr",
    b"COMM", b"SSND", b"FVER",
}  # fmt: skip
_MANIFEST = b"C2PA"
_ID3_TAGS = {False: b"id3 ", True: b"ID3 "}  # by whether the file is AIFF
_STALE = {b"levl", b"MD5 ", b"PEAK"}  # computed from the samples
_NO_CHUNK = b""
"""In place of a tag: bytes that another program has left behind the last chunk."""
_TIMED = {b"r64m", b"R64m", b"strc", b"regn", b"elm1", b"trns", b"plst"}
"""Chunks with positions, which are not adjusted here."""
_TIME_FIELDS = (
    (b"TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", b"TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO"),
    (b"BWF_TIME_REFERENCE_HIGH", b"BWF_TIME_REFERENCE_LOW"),
)  # fields of iXML, the two halves of one number
_START = "the time of day at which the sound starts, which would be before midnight"
_SYNC_POINT = b"<SYNC_POINT>"
_SYNC_HALF = {
    name: re.compile(rb"(<SYNC_POINT_%s>\s*)(\d{1,10})" % name.encode()) for name in ("HIGH", "LOW")
}
_XMP_RATE = re.compile(rb"""xmpDM:frameRate(?:>|=["'])f?([1-9]\d{0,14})(?:s([1-9]\d{0,14}))?""")
_XMP_START = re.compile(
    rb"""(xmpDM:startTime(?:>|=["']))(\d{1,18})(?=(?:f([1-9]\d{0,14})(?:s([1-9]\d{0,14}))?)?)"""
)
_ODD_IS_BAD = {b"LIST", b"smpl", b"acid"}
_MOST = 2**32 - 1


def read_riff(file: ByteFile, layout: ChunkFile) -> Metadata:
    """Read all chunks of a WAV or AIFF file except its sound and the description of its format."""
    texts: Texts = ()
    pictures: tuple[bytes, ...] = ()
    blocks: list[Block] = []
    recipe, signed = None, False
    sound = layout.sound
    for chunk in layout.chunks:
        signed = signed or chunk.tag == _MANIFEST
        if chunk.tag in _STRUCTURE or chunk.tag == _MANIFEST:
            continue
        file.seek(chunk.at)
        data = file.read(min(chunk.size, layout.size - chunk.at))
        payload = _note_of(chunk.tag, data)
        if payload is not None:
            recipe = payload
            continue
        early = sound is not None and chunk.at < sound.at
        block = Block(chunk.tag, data, chunk.tag.decode("latin-1").strip(), early)
        found = id3.tag_block(data) if chunk.tag.lower() == b"id3 " else None
        if found is not None:
            tag, said = found
            block = replace(block, name=tag.name)
            texts, pictures = texts + said.texts, pictures + said.pictures
        elif chunk.tag == b"LIST" and data[:4] == b"INFO":
            block = replace(block, name=COVERED)
            texts = _info_texts(data, layout.order) + texts
        elif chunk.tag == b"LIST":
            block = replace(block, name=f"LIST {data[:4].decode('latin-1')}")
        elif layout.is_aiff and chunk.tag in _AIFF_TEXTS:
            block = replace(block, name=COVERED)
            texts = ((_AIFF_TEXTS[chunk.tag], _text(data)), *texts)
        texts += xmp_texts(block)
        blocks.append(replace(block, name=COVERED) if is_own_xmp(block) else block)
    file.seek(layout.size - layout.tail)
    tail = file.read(layout.tail)
    if tail.strip(b"\0"):
        blocks.append(Block(_NO_CHUNK, tail, f"{len(tail)} bytes behind the last chunk"))
    family = "AIFF" if layout.is_aiff else layout.kind.decode() if layout.order == ">" else "RIFF"
    return Metadata(family, tuple(dict.fromkeys(texts)), pictures, tuple(blocks), recipe, signed)


def write_riff(file: ByteFile, metadata: Metadata, recipe: str | None) -> None:
    """Write metadata into a new WAV or AIFF file."""
    layout = read_chunks(file)
    if layout is None:
        raise ValueError("no RIFF or AIFF file")
    own = "AIFF" if layout.is_aiff else "RIFF"
    same = metadata.family == own
    blocks = list(metadata.blocks) if same else _built(metadata, layout)
    if metadata.loop is not None and not layout.is_aiff:
        blocks += metadata.loop.blocks()
    source_type = source_type_of(metadata.texts)
    if source_type is not None:
        blocks = _marked(blocks, source_type, is_aiff=layout.is_aiff)
    early, late = [], []
    for block in blocks:
        safe = _is_safe_early(block, layout)
        (early if safe else late).append(chunk_bytes(layout.order, block.tag, block.data))
    if recipe is not None:
        payload = recipe.encode("ascii")
        if layout.is_aiff:
            late.append(chunk_bytes(layout.order, b"APPL", NOTE_CHUNK + payload))
        else:
            late.append(chunk_bytes(layout.order, NOTE_CHUNK, payload))
    if early or late:
        add_chunks(file, early, late)


def move_riff_block(block: Block, moves: Moves) -> tuple[Block | None, list[str]]:
    """Return a chunk adjusted to an edit, and the names of data that would be invalid."""
    is_longer = moves.samples != moves.before
    if (
        block.tag in (*_STALE, _NO_CHUNK)
        or (block.tag in _TIMED and moves.any)
        or (is_longer and _describes_whole(block, moves.before))
    ):
        return None, [block.name]
    if block.tag.lower() == b"id3 ":
        return move_block(block, moves)
    move = _moved_xmp if is_xmp(block) else _MOVERS.get(block.tag)
    if move is None or not moves.any:
        return block, []
    try:
        return replace(block, data=move(block.data, moves)), _misplaced(block, moves)
    except struct.error:  # too short for its own counts
        return None, [block.name]


def _misplaced(block: Block, moves: Moves) -> list[str]:
    """Name the positions in a chunk that cannot be moved to a true place."""
    data = block.data
    if block.tag == b"bext":
        start = struct.unpack_from("<Q", data, 338)[0]
        return [] if moves.has_earlier(start) else [f"{_START} (bext)"]
    if block.tag == b"smpl":
        (count,) = struct.unpack_from("<I", data, 28)
        loops = [struct.unpack_from("<8xII", data, at) for at in range(36, len(data) - 23, 24)]
        if len(loops) < count:
            return [f"{count - len(loops)} of {count} smpl loops, which are not there"]
        if any(not start <= stop < moves.before for start, stop in loops[:count]):
            return ["the places of smpl loops that are not in the sound"]
    if block.tag == b"iXML":
        try:
            expat.ParserCreate().Parse(data.rstrip(b"\0"), True)
        except (expat.ExpatError, ValueError, LookupError):  # the latter of unknown encodings
            return ["perhaps places in iXML, which is not well-formed"]
        starts = (_ixml_start(data, *names) for names in _TIME_FIELDS)
        if any(start is not None and not moves.has_earlier(start) for start in starts):
            return [f"{_START} (iXML)"]
    return []


def _ixml_start(data: bytes, high: bytes, low: bytes) -> int | None:
    """Return a start time in iXML, in samples since midnight, from the fields of its halves."""
    found = [re.search(rb"<%s>\s*(\d{1,10})\s*</%s>" % (tag, tag), data) for tag in (high, low)]
    if found[0] is None or found[1] is None:
        return None
    return (int(found[0][1]) << 32) + int(found[1][1])


def _describes_whole(block: Block, samples: int) -> bool:
    """Whether a chunk describes a file of that length as one loop.

    The beats of `acid`, and of its like in AIFF, `basc`, are those of the whole file.
    """
    if block.tag != b"smpl" or len(block.data) < 60:
        return block.tag in (b"acid", b"basc")
    return struct.unpack_from("<8xII", block.data, 36) == (0, samples - 1)


def _is_safe_early(block: Block, layout: ChunkFile) -> bool:
    """Whether libsndfile can read the sound after this chunk, which preceded it in the input.

    libsndfile ignores the padding byte of odd lengths, in RF64 always and in WAV for some chunks.
    """
    odd = len(block.data) % 2 == 1 and (layout.kind == b"RF64" or block.tag in _ODD_IS_BAD)
    return block.early and not odd


def _note_of(tag: bytes, data: bytes) -> str | None:
    if tag == NOTE_CHUNK:
        return data.decode("utf-8", "surrogateescape")
    if tag == b"APPL" and data[:4] == NOTE_CHUNK:
        return data[4:].decode("utf-8", "surrogateescape")
    return None


def _info_texts(data: bytes, order: str) -> Texts:
    found, at = [], 4
    while at + 8 <= len(data):
        tag, size = struct.unpack_from(f"{order}4sI", data, at)
        text = _text(data[at + 8 : at + 8 + size])
        if text:
            name = _INFO.get(tag, tag.decode("latin-1").strip())
            found.append((name, text))
        at += 8 + size + size % 2
    return tuple(found)


def _text(data: bytes) -> str:
    data = data.split(b"\0")[0]
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").strip()


def _built(metadata: Metadata, layout: ChunkFile) -> list[Block]:
    """Build chunks of texts and pictures: the usual ones, and an ID3 tag for all others."""
    table = _AIFF_TEXTS if layout.is_aiff else _INFO
    tags = {name: tag for tag, name in reversed(table.items())}
    texts = tuple(pair for pair in usual_names(metadata.texts) if pair[0] != SOURCE_TYPE_FIELD)
    usual = {name: text for name, text in first_texts(texts).items() if name in tags}
    packed = {tags[name]: text.encode("utf-8", "replace") for name, text in usual.items()}
    if layout.is_aiff:
        blocks = [Block(tag, data, COVERED) for tag, data in packed.items()]
    else:
        items = [chunk_bytes("<", tag, data + b"\0") for tag, data in packed.items()]
        blocks = [Block(b"LIST", b"INFO" + b"".join(items), COVERED)] if items else []
    others = id3.carried_frames(metadata.blocks)
    if metadata.pictures or len(usual) < len(texts) or others:
        tag = id3.build(texts, metadata.pictures, others)
        blocks.append(Block(_ID3_TAGS[layout.is_aiff], tag.to_bytes(), COVERED))
    return blocks


def _marked(blocks: list[Block], value: str, *, is_aiff: bool) -> list[Block]:
    """Return chunks with a digital source type: in XMP and in every ID3 tag.

    If XMP of a form that is not understood has no place for it, it gets an ID3 tag of its own.
    """
    marked = with_xmp(blocks, value, is_aiff=is_aiff)
    texts = ((SOURCE_TYPE_FIELD, value),)
    is_done = any(map(xmp_texts, marked))
    for index, block in enumerate(marked):
        tag = id3.parse(block.data) if block.tag.lower() == b"id3 " else None
        if tag is not None:
            new = id3.with_source_type_of(tag, texts)
            marked[index] = block if new is tag else replace(block, data=new.to_bytes())
            is_done = True
    if not is_done:
        marked.append(Block(_ID3_TAGS[is_aiff], id3.build(texts, ()).to_bytes(), COVERED))
    return marked


def _moved_cues(data: bytes, moves: Moves) -> bytes:
    """Adjust cue points: the position in play order, and the position in the data chunk."""
    moved = bytearray(data)
    (count,) = struct.unpack_from("<I", data)
    for at in range(4, min(4 + 24 * count, len(data) - 23), 24):
        order, offset = struct.unpack_from("<4xI12xI", data, at)
        place = order if order == 0 and offset else moves.sample(order)  # 0 if unused
        struct.pack_into("<I", moved, at + 4, min(place, _MOST))
        struct.pack_into("<I", moved, at + 20, min(moves.sample(offset), _MOST))
    return bytes(moved)


def _moved_loops(data: bytes, moves: Moves) -> bytes:
    moved = bytearray(data)
    (count,) = struct.unpack_from("<I", data, 28)
    for at in range(36, min(36 + 24 * count, len(data) - 23), 24):
        ends = (min(moves.sample(end), _MOST) for end in struct.unpack_from("<8xII", data, at))
        struct.pack_into("<II", moved, at + 8, *ends)
    return bytes(moved)


def _moved_broadcast(data: bytes, moves: Moves) -> bytes:
    moved = bytearray(data)
    struct.pack_into("<Q", moved, 338, moves.earlier(struct.unpack_from("<Q", data, 338)[0]))
    return bytes(moved)


def _moved_cart(data: bytes, moves: Moves) -> bytes:
    moved = bytearray(data)
    for at in range(684, 748, 8):
        usage, position = struct.unpack_from("<4sI", data, at)
        if usage.strip(b"\0 "):
            struct.pack_into("<I", moved, at + 4, min(moves.sample(position), _MOST))
    return bytes(moved)


def _moved_ixml(data: bytes, moves: Moves) -> bytes:
    for high, low in _TIME_FIELDS:
        start = _ixml_start(data, high, low)
        if start is None:
            continue
        time = moves.earlier(start)
        for tag, value in ((high, time >> 32), (low, time & _MOST)):
            data = re.sub(rb"(<%s>)\s*\d+" % tag, rb"\g<1>%d" % value, data, count=1)
    first, *points = data.split(_SYNC_POINT)
    return _SYNC_POINT.join([first, *(_moved_sync_point(point, moves) for point in points)])


def _moved_sync_point(point: bytes, moves: Moves) -> bytes:
    """Adjust one sync point of iXML and what follows it; absolute ones are times of the day."""
    point, end, rest = point.partition(b"</SYNC_POINT>")
    found = [_SYNC_HALF[name].search(point) for name in ("HIGH", "LOW")]
    if not end or b"ABSOLUTE" in point or found[1] is None:
        return point + end + rest
    high = 0 if found[0] is None else int(found[0][2])
    place = moves.sample((high << 32) + int(found[1][2]))
    for name, value in (("HIGH", place >> 32), ("LOW", place & _MOST)):
        point = _SYNC_HALF[name].sub(rb"\g<1>%d" % value, point, count=1)
    return point + end + rest


def _moved_xmp(data: bytes, moves: Moves) -> bytes:
    """Adjust the markers of XMP: `startTime` counts units of the track's `frameRate`.

    That is the nearest one before the marker, or the first of all.
    """
    rates = list(_XMP_RATE.finditer(data))
    places = [rate.start() for rate in rates]

    def moved(found: re.Match[bytes]) -> bytes:
        start, units, base = int(found[2]), found[3], found[4]
        if units is None and rates:
            rate = rates[max(0, bisect.bisect(places, found.start()) - 1)]
            units, base = rate[1], rate[2]
        per_second = int(units or moves.sample_rate) / int(base or 1)
        position = round(start / per_second * moves.sample_rate)
        shift = round((moves.sample(position) - position) * per_second / moves.sample_rate)
        return found[1] + b"%d" % (start + shift)

    return _XMP_START.sub(moved, data)


def _moved_markers(data: bytes, moves: Moves) -> bytes:
    """Adjust the markers of an AIFF file: id, position, and a name of even length."""
    moved = bytearray(data)
    (count,) = struct.unpack_from(">H", data)
    at = 2
    for _ in range(count):
        if at + 7 > len(data):
            break
        (position,) = struct.unpack_from(">I", data, at + 2)
        struct.pack_into(">I", moved, at + 2, min(moves.sample(position), _MOST))
        at += 6 + (data[at + 6] + 2) // 2 * 2
    return bytes(moved)


_MOVERS: dict[bytes, Callable[[bytes, Moves], bytes]] = {
    b"cue ": _moved_cues,
    b"smpl": _moved_loops,
    b"bext": _moved_broadcast,
    b"cart": _moved_cart,
    b"iXML": _moved_ixml,
    b"MARK": _moved_markers,
}
