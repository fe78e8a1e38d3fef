"""Writes audio files: atomically, and with the same bytes for the same samples."""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float

from jen1cli.audio.chunks import ByteFile, clear_time_stamp
from jen1cli.audio.files import BLOCK, AudioInfo, Frames, Signal
from jen1cli.audio.metadata import (
    GENERATED,
    PARTLY_GENERATED,
    SOURCE_TYPE_FIELD,
    Loop,
    Metadata,
    write_metadata,
)
from jen1cli.audio.on_disk import spans
from jen1cli.audio.recipe_text import check_recipe_text
from jen1cli.errors import AudioError, OutputError
from jen1cli.files import byte_name, writing

Target = Path | io.BytesIO
Real = Float[np.ndarray, "_channels _samples"]

FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".wave": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".oga": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".aiff": ("AIFF", "PCM_16"),
    ".aif": ("AIFF", "PCM_16"),
}
OUTPUT_SUFFIXES = tuple(FORMATS)

GENERATED_TAGS = (
    ("software", "jen1cli"),
    ("title", "AI-generated music"),
    (SOURCE_TYPE_FIELD.lower(), GENERATED),
)
"""(name, text) tags of generated music."""

DECODED_TAGS = (("software", "jen1cli"), (SOURCE_TYPE_FIELD.lower(), PARTLY_GENERATED))
"""(name, text) tags of a decoded latent, which may be that of a recording."""

BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
"""Bit depths of the integer subtypes, whose samples are copied without rounding."""

_WIDTH = {"FLOAT": 32, "DOUBLE": 64, **BITS}
_FAMILY = {"WAV": "WAV", "WAVEX": "WAV", "RF64": "WAV", "AIFF": "AIFF", "FLAC": "FLAC"}
_RATES = {
    "OPUS": (8_000, 12_000, 16_000, 24_000, 48_000),
    "MPEG_LAYER_III": (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
}
_LARGEST_RIFF = 2**32 - 2**20  # bytes; larger WAV files are written as RF64


@dataclass(frozen=True)
class FileFormat:
    """Container, encoding and tags of a file to be written."""

    format: str  # libsndfile's name, such as "FLAC"
    subtype: str  # libsndfile's name, such as "PCM_24"
    recipe: str | None = None  # the recipe, as ASCII text that is stored inside
    metadata: Metadata = field(default_factory=Metadata)  # tags and all other data besides samples


def choose_format(
    target: Target,
    info: AudioInfo | None = None,
    subtype: str | None = None,
    suffix: str | None = None,
) -> tuple[str, str]:
    """Choose libsndfile's format and subtype for a target.

    The suffix selects the container. A target of the input's format keeps the subtype; one of
    another lossless format keeps the bit depth. A buffer gets the input's format, else WAV.

    Args:
        target: file to be written, or a buffer.
        info: the input that is edited; None for new music.
        subtype: libsndfile's name of the encoding, such as "PCM_24"; None chooses.
        suffix: a key of `FORMATS`, such as ".wav", in place of the target's own suffix.

    Raises:
        AudioError: the suffix is not supported, or the subtype does not fit the format.
    """
    format_, default = _container(target, info, suffix)
    if subtype is not None:
        if not soundfile.check_format(format_, subtype):
            known = ", ".join(soundfile.available_subtypes(format_))
            raise AudioError(f"{format_} files cannot hold '{subtype}'; known: {known}")
        return format_, subtype
    if info is None:
        return format_, default
    if _kind(info.format, info.subtype) == _kind(format_, default):
        return info.format, _written(info.subtype, default)
    bits = _WIDTH.get(info.subtype)
    if bits is None or default not in BITS:
        return format_, default
    if soundfile.check_format(format_, info.subtype):
        return format_, info.subtype
    if bits == 8:
        return format_, "PCM_S8"
    return format_, "PCM_16" if bits <= 16 else "PCM_24"


def is_exact(info: AudioInfo, subtype: str) -> bool:
    """Whether writing the input's samples with this subtype is lossless."""
    if info.subtype in BITS and subtype in BITS:
        return BITS[subtype] >= BITS[info.subtype]
    if info.subtype in ("FLOAT", "DOUBLE"):
        return subtype == info.subtype or subtype == "DOUBLE"
    return info.subtype in ("ULAW", "ALAW") and subtype == info.subtype


def write(
    target: Target,
    signal: Signal,
    sample_rate: int,
    *,
    subtype: str | None = None,
    suffix: str | None = None,
    recipe: str | None = None,
    tags: tuple[tuple[str, str], ...] = (),
    loop: Loop | None = None,
) -> None:
    """Write `[channels, samples]` to a file (the suffix selects the format) or a WAV buffer.

    Values beyond ±1 are clipped in integer formats. On failure no partial file is left.

    Args:
        target: file to be written, or a buffer.
        signal: [channels, samples].
        sample_rate: Hz.
        subtype: libsndfile's name of the encoding; None is 16 bit or the format's default.
        recipe: the recipe, as ASCII text that is stored inside.
        tags: (name, text) with the field names of Vorbis comments, such as ("title", …).
        suffix: a key of `FORMATS`, such as ".wav", in place of the target's own suffix.
        loop: description of a loop, for WAV.

    Raises:
        AudioError: unknown suffix, NaN in the signal.
        OutputError: missing folder, not writable, disk full.
    """
    format_, subtype = choose_format(target, None, subtype, suffix)
    format_ = large_format(format_, subtype, signal.size)
    texts = tuple((name.upper(), text) for name, text in tags)
    metadata = Metadata(texts=texts, loop=loop)
    kind = FileFormat(format_, subtype, recipe, metadata)
    parts = (signal[:, at:stop] for at, stop in spans(signal.shape[1], BLOCK))
    write_blocks(target, (encoded(part, subtype) for part in parts), sample_rate, len(signal), kind)


def write_blocks(
    target: Target, frames: Iterable[Frames], sample_rate: int, channels: int, kind: FileFormat
) -> int:
    """Write blocks of frames `[samples, channels]`, left-aligned int32 or float.

    Returns:
        samples written in each channel.

    Raises:
        AudioError: the format does not support this sample rate.
        OutputError: the target cannot be written.
    """
    rates = _RATES.get(kind.subtype)
    if rates and sample_rate not in rates:
        raise AudioError(
            f"{kind.subtype.lower()} files cannot have {sample_rate} Hz;"
            " write wav or flac, or resample the input to 48000 Hz"
        )
    if kind.recipe is not None:
        check_recipe_text(kind.recipe)
    if isinstance(target, io.BytesIO):
        return _write_buffer(target, frames, sample_rate, channels, kind)
    with writing(target) as temporary:
        with _create(temporary, sample_rate, channels, kind) as file:
            samples = _fill(file, frames, str(target))
        _verify(temporary, samples, target)
        with temporary.open("r+b") as file:
            _finish(file, kind)
    return samples


def check_format(
    suffix: str, sample_rate: int, channels: int, *, subtype: str | None = None
) -> None:
    """Write a short silence to memory, so that an unsupported format fails before the work.

    Args:
        suffix: a key of `FORMATS`.
        sample_rate: Hz.
        channels: the music's channels.
        subtype: as `write` takes it.

    Raises:
        AudioError: the format has no such bit depth or sample rate, such as Opus and 44.1 kHz.
    """
    silence = np.zeros((channels, 1024), np.float32)
    write(io.BytesIO(), silence, sample_rate, subtype=subtype, suffix=suffix)


def to_bytes(
    signal: Signal, sample_rate: int, *, subtype: str | None = None, recipe: str | None = None
) -> bytes:
    """Return a complete WAV file; its header has the true length, so it may be sent to a pipe."""
    buffer = io.BytesIO()
    write(buffer, signal, sample_rate, subtype=subtype, recipe=recipe)
    return buffer.getvalue()


def large_format(format_: str, subtype: str, values: int, others: int = 0) -> str:
    """Return "RF64" for WAV with `values` samples and `others` bytes above 4 GB, else `format_`."""
    needed = values * _WIDTH.get(subtype, 16) // 8 + others
    return "RF64" if format_ in ("WAV", "WAVEX") and needed > _LARGEST_RIFF else format_


def encoded(signal: Real, subtype: str) -> Frames:
    """Convert float samples to the frames that `write_blocks` takes for this subtype.

    Integer subtypes are rounded to the nearest step here, because libsndfile truncates int32.
    """
    if not np.isfinite(signal).all():
        raise AudioError("the music has NaN or infinite samples; nothing was written")
    bits = BITS.get(subtype)
    if bits is None:
        return np.ascontiguousarray(signal.T, np.float64 if subtype == "DOUBLE" else np.float32)
    full = 2.0 ** (bits - 1)
    steps = np.clip(np.rint(signal.T.astype(np.float64) * full), -full, full - 1)
    return np.ascontiguousarray((steps * 2.0 ** (32 - bits)).astype(np.int32))


def _container(target: Target, info: AudioInfo | None, suffix: str | None) -> tuple[str, str]:
    if isinstance(target, io.BytesIO) and suffix is None:
        if info is None or _kind(info.format, info.subtype) not in {
            _kind(*names) for names in FORMATS.values()
        }:
            return FORMATS[".wav"]
        return _FAMILY.get(info.format, info.format), _written(info.subtype, info.subtype)
    if suffix is None:
        suffix = target.suffix.lower()  # type: ignore[union-attr] - a buffer has been dealt with
    if suffix not in FORMATS:
        seen = f"'{suffix}'" if suffix else "no suffix"
        known = " ".join(OUTPUT_SUFFIXES)
        raise AudioError(f"cannot write {target}: {seen} is no format we write; use one of {known}")
    return FORMATS[suffix]


def _kind(format_: str, subtype: str) -> str:
    """Name the kind of file, which must be equal for an edit to keep the subtype of its input."""
    if format_ == "OGG":
        return subtype
    return _FAMILY.get(format_, format_)


def _written(subtype: str, default: str) -> str:
    """Return the subtype if we can write it, else (block codecs) the default."""
    kept = {*_WIDTH, "ULAW", "ALAW", "VORBIS", "OPUS", "MPEG_LAYER_III"}
    return subtype if subtype in kept else default


def _write_buffer(
    buffer: io.BytesIO, frames: Iterable[Frames], sample_rate: int, channels: int, kind: FileFormat
) -> int:
    with _create(buffer, sample_rate, channels, kind) as file:
        samples = _fill(file, frames, "the output")
    _finish(buffer, kind)
    buffer.seek(0)
    return samples


def _create(
    target: Target, sample_rate: int, channels: int, kind: FileFormat
) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(
            byte_name(target) if isinstance(target, Path) else target,
            "w",
            sample_rate,
            channels,
            kind.subtype,
            format=kind.format,
        )
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        place = f" into {target.parent}" if isinstance(target, Path) else ""
        raise OutputError(
            f"cannot write {kind.format} {kind.subtype} with {channels} channels at {sample_rate}"
            f" Hz{place}; choose another format, or check that the folder can be written"
        ) from error


def _fill(file: soundfile.SoundFile, frames: Iterable[Frames], name: str) -> int:
    samples = 0
    try:
        for block in frames:
            for at in range(0, len(block), BLOCK):
                file.write(block[at : at + BLOCK])
            samples += len(block)
    except (soundfile.SoundFileError, AssertionError, OSError) as error:
        raise OutputError(
            f"cannot write {name} whole ({getattr(error, 'strerror', None) or 'disk full'}); is"
            " there space on the disk?"
        ) from error
    return samples


def _finish(file: ByteFile, kind: FileFormat) -> None:
    clear_time_stamp(file)
    write_metadata(file, kind.format, kind.metadata, kind.recipe)


def _verify(path: Path, samples: int, target: Path) -> None:
    """Raise unless `samples` samples were written: libsndfile does not report all failures."""
    try:
        written = soundfile.info(byte_name(path)).frames
    except soundfile.SoundFileError:
        written = -1
    if written != samples:
        raise OutputError(
            f"{target} could not be written whole ({max(written, 0)} of {samples} samples);"
            " is the disk full?"
        )
