"""Edits a file in its own sample format: a bit-exact copy outside patches, new sound inside."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from jen1cli.audio.files import (
    BLOCK,
    AudioInfo,
    Frames,
    Signal,
    Source,
    name_of,
    opened_bytes,
    probe,
    raw_blocks,
    read,
)
from jen1cli.audio.metadata import (
    Metadata,
    Moves,
    carry,
    family_of,
    read_metadata,
    with_source_type,
)
from jen1cli.audio.writing import (
    BITS,
    FileFormat,
    Target,
    choose_format,
    encoded,
    is_exact,
    large_format,
    write_blocks,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patch:
    """New samples for the stretch [start, start + samples) of a file.

    `start` is a position in the *output*. With `insert`, the new samples are inserted instead of
    replacing old ones: at 0 before the file, at its length after it.
    """

    start: int
    signal: Signal  # [channels, samples] at the file's own sample rate and channel count
    insert: bool = False

    @property
    def stop(self) -> int:
        """First sample after the patch."""
        return self.start + self.signal.shape[1]


def spliced_length(info: AudioInfo, patches: Sequence[Patch]) -> int:
    """Return the length of the edited file in samples."""
    return info.samples + sum(patch.signal.shape[1] for patch in patches if patch.insert)


def spliced(source: Source, patches: Sequence[Patch]) -> Signal:
    """Return the edited file in memory as float32, `[channels, samples]`."""
    info = probe(source)
    result = np.empty((info.channels, spliced_length(info, patches)), np.float32)
    at = 0
    for kind, start, stop, patch in _pieces(info, patches):
        count = stop - start
        if kind == "copy":
            result[:, at : at + count] = read(source, start, stop)
        elif patch is not None:
            result[:, at : at + count] = patch.signal
        at += count
    return result


def write_spliced(
    target: Target,
    source: Source,
    patches: Sequence[Patch],
    *,
    subtype: str | None = None,
    suffix: str | None = None,
    recipe: str | None = None,
    source_type: str | None = None,
    keeps_manifest: bool = False,
) -> bool:
    """Write the edited file; return whether every sample outside the patches is bit-identical.

    Sample rate and channels are the input's; format and bit depth too if the target's suffix
    allows. Samples are copied in blocks in their own integer or float type. Tags, pictures,
    markers and chunks are kept; a warning names those that the target cannot hold.

    Args:
        target: file to be written, or a buffer.
        source: the input.
        patches: the new samples.
        subtype: libsndfile's name of the encoding; None chooses.
        suffix: a key of `FORMATS`, in place of the target's own suffix.
        recipe: the recipe, as ASCII text that is stored inside.
        source_type: the IPTC digital source type of the result; None keeps the input's.
        keeps_manifest: whether the caller keeps the input's C2PA manifest, which no edit can hold.

    Raises:
        AudioError: the input is damaged.
        OutputError: the target cannot be written.
    """
    info = probe(source)
    is_asked = subtype is not None
    format_, subtype = choose_format(target, info, subtype, suffix)
    metadata, dropped = _carried(source, info, patches, format_, keeps_manifest)
    if source_type is not None:
        metadata = replace(metadata, texts=with_source_type(metadata.texts, source_type))
    values = info.channels * spliced_length(info, patches)
    format_ = large_format(format_, subtype, values, metadata.size)
    if format_ in ("WAV", "WAVEX", "AIFF") and subtype in ("FLOAT", "DOUBLE"):
        dropped = [name for name in dropped if name != "PEAK"]  # libsndfile writes a new one
    is_wav = family_of(format_) == family_of(info.format) == "RIFF"
    if is_wav and subtype != info.subtype and not is_asked:
        dropped.append(f"the encoding {info.subtype}, which becomes {subtype}")
    kind = FileFormat(format_, subtype, recipe, metadata)
    frames = _frames(source, info, patches, subtype)
    write_blocks(target, frames, info.sample_rate, info.channels, kind)
    if dropped:
        _log.warning("the edit does not keep of %s: %s", name_of(source), ", ".join(dropped))
    return is_exact(info, subtype)


def _pieces(
    info: AudioInfo, patches: Sequence[Patch]
) -> Iterator[tuple[Literal["copy", "patch"], int, int, Patch | None]]:
    """Yield ("copy", from, to, None) and ("patch", from, to, patch) pieces in output order.

    "copy" positions are samples of the input, "patch" positions samples of the output.
    """
    at = shift = 0  # position in the input; output position = at + shift
    for patch in sorted(patches, key=lambda patch: patch.start):
        begin = patch.start - shift
        if begin < at or begin > info.samples:
            raise ValueError(f"patch at {patch.start} overlaps another or lies outside the file")
        if begin > at:
            yield "copy", at, begin, None
        samples = patch.signal.shape[1]
        yield "patch", patch.start, patch.stop, patch
        if patch.insert:
            at, shift = begin, shift + samples
        else:
            at = begin + samples
    if at > info.samples:
        raise ValueError(f"a patch ends at {at + shift}, behind the end of the file")
    if at < info.samples:
        yield "copy", at, info.samples, None


def _frames(
    source: Source, info: AudioInfo, patches: Sequence[Patch], subtype: str
) -> Iterator[Frames]:
    integers = (info.subtype in BITS or info.subtype in ("ULAW", "ALAW")) and (
        info.subtype == subtype or is_exact(info, subtype)
    )
    for kind, start, stop, patch in _pieces(info, patches):
        if kind == "copy" and integers:
            yield from raw_blocks(source, start, stop, "int32")
        elif kind == "copy":
            for block in raw_blocks(source, start, stop, "float64"):
                yield encoded(block.T, subtype) if subtype in BITS else block
        elif patch is not None:
            for at in range(0, patch.signal.shape[1], BLOCK):
                yield encoded(patch.signal[:, at : at + BLOCK], subtype)


def _carried(
    source: Source,
    info: AudioInfo,
    patches: Sequence[Patch],
    format_: str,
    keeps_manifest: bool,
) -> tuple[Metadata, list[str]]:
    """Return the input's metadata that the edited file keeps, and names of what it cannot keep."""
    with opened_bytes(source) as file:
        found = read_metadata(file, info.format)
    inserted, shift = [], 0
    for patch in sorted(patches, key=lambda patch: patch.start):
        begin, samples = patch.start - shift, patch.signal.shape[1]
        if patch.insert:
            shift += samples
            if begin < info.samples:  # no metadata has a position after the end of the input
                inserted.append((begin, samples))
    length = spliced_length(info, patches)
    kept, dropped = carry(
        found, format_, Moves(info.sample_rate, info.samples, length, tuple(inserted))
    )
    if found.signed and not keeps_manifest:
        dropped.append("the C2PA manifest")
    return kept, dropped
