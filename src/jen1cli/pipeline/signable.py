"""Makes the ID3 tag of an MP3 file one that c2pa can read.

If c2pa cannot read one frame of a tag, it begins a new tag, and all other frames are lost.
"""

import io
from collections.abc import Sequence
from pathlib import Path

from jen1cli.audio.chunks import replace_bytes
from jen1cli.audio.metadata.id3 import Frame, Tag, parse, tag_size
from jen1cli.audio.metadata.id3_packed import expanding_frames
from jen1cli.provenance import Signer, SigningError

_MPEG = "audio/mpeg"
_SILENCE = b"\xff\xfb\x90\x00" + bytes(413)  # one MPEG frame
_MARKER = b"jen1 trial"
_MOST_TRIALS = 400  # a trial takes some milliseconds


def read_tag(target: Path | io.BytesIO) -> Tag | None:
    """Return the ID3 tag at the start of a file or buffer; None without one."""
    if isinstance(target, io.BytesIO):
        data = bytes(target.getbuffer()[: tag_size(bytes(target.getbuffer()[:10]))])
        return parse(data)
    with target.open("rb") as file:
        size = tag_size(file.read(10))
        file.seek(0)
        return parse(file.read(size))


def drop_unreadable(target: Path | io.BytesIO, signer: Signer) -> list[str]:
    """Remove the frames that c2pa cannot read from an MP3 file that is to be signed.

    c2pa itself is asked: it signs short files with some of the frames.

    Returns:
        their names.

    Raises:
        SigningError: there are too many, or nothing can be signed.
    """
    tag = read_tag(target)
    if tag is None:
        return []
    wrong = expanding_frames(tag)
    rest = [index for index in range(len(tag.frames)) if index not in wrong]
    if not _Trials(signer, tag).keep([]):
        raise SigningError("C2PA cannot sign an MP3 file with a tag")
    wrong |= set(_Trials(signer, tag).unreadable(rest))
    if not wrong:
        return []
    kept = Tag(tag.version, tuple(f for index, f in enumerate(tag.frames) if index not in wrong))
    if isinstance(target, io.BytesIO):
        _replace_tag(target, kept)
    else:
        with target.open("r+b") as file:
            _replace_tag(file, kept)
    return [tag.frames[index].id for index in sorted(wrong)]


class _Trials:
    """Signs short files with frames of a tag, to see whether c2pa keeps them."""

    def __init__(self, signer: Signer, tag: Tag) -> None:
        self._signer, self._tag, self._count = signer, tag, 0

    def unreadable(self, indices: Sequence[int]) -> list[int]:
        """Return those frames that c2pa cannot read, by halving the tag."""
        if not indices or self.keep(indices):
            return []
        if len(indices) == 1:
            return list(indices)
        half = len(indices) // 2
        return self.unreadable(indices[:half]) + self.unreadable(indices[half:])

    def keep(self, indices: Sequence[int]) -> bool:
        """Whether a tag of these frames, and a marker after them, is there after signing."""
        self._count += 1
        if self._count > _MOST_TRIALS:
            raise SigningError("its ID3 tag has too many frames that C2PA cannot read")
        version = self._tag.version
        head = ("TXX", b"") if version == 2 else ("TXXX", b"\0\0")
        marker = Frame(*head, b"\0" + _MARKER + b"\0x")
        frames = (*(self._tag.frames[index] for index in indices), marker)
        trial = io.BytesIO(Tag(version, frames).to_bytes() + _SILENCE)
        try:
            self._signer.sign(trial, _MPEG, "")
        except SigningError:
            return False
        tag = read_tag(trial)
        return tag is not None and any(_MARKER in frame.data for frame in tag.frames)


def _replace_tag(file: "io.BytesIO | io.BufferedRandom", tag: Tag) -> None:
    file.seek(0)
    replace_bytes(file, 0, tag_size(file.read(10)), tag.to_bytes() if tag.frames else b"")
