"""Reads audio files: header, integrity check, and any range of samples."""

import contextlib
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
from jaxtyping import Float32, Shaped

from jen1cli.audio import foreign_formats, wholeness
from jen1cli.audio.chunks import ByteFile, header_fault
from jen1cli.audio.quiet import quiet
from jen1cli.errors import AudioError

Signal = Float32[np.ndarray, "_channels _samples"]  # lengths may differ within one function
Frames = Shaped[np.ndarray, "_samples _channels"]  # raw frames in the file's own order
Source = str | Path | io.BytesIO
SampleType = Literal["int32", "float32", "float64"]

BLOCK = 65_536  # samples read or written at once; larger Vorbis writes overflow libvorbis' stack
MAX_CHANNELS = 2
_LARGEST = 1e9  # larger samples overflow where they are squared
MIN_SAMPLE_RATE = 100  # Hz; at lower rates a short time range holds no sample


@dataclass(frozen=True)
class AudioInfo:
    """Properties of an audio file from its header."""

    sample_rate: int  # Hz
    channels: int  # 1 or 2
    samples: int  # in each channel
    format: str  # libsndfile's name, such as "WAV"
    subtype: str  # libsndfile's name, such as "PCM_16"

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples / self.sample_rate

    @property
    def extension(self) -> str:
        """Extension of a file that is written in the same format; "wav" where none can be."""
        if self.format == "OGG":
            return "opus" if self.subtype == "OPUS" else "ogg"
        if self.format.startswith(("MP3", "MPEG")):
            return "mp3"
        return {"AIFF": "aiff", "FLAC": "flac"}.get(self.format, "wav")


def name_of(source: Source) -> str:
    """Return the name of a source for messages."""
    return "the piped audio" if isinstance(source, io.BytesIO) else str(source)


@contextmanager
def opened(source: Source, *, whole: bool = False) -> Iterator[soundfile.SoundFile]:
    """Open a file or a buffer for reading, turning every failure into an `AudioError`.

    Args:
        source: file or buffer.
        whole: also check that the file is a single recording and, as far as its header and its end
            tell, a whole one, which takes time for long files.
    """
    name = name_of(source)
    if not isinstance(source, io.BytesIO):
        path = Path(source)
        if path.is_dir():
            raise AudioError(f"{name} is a folder; give an audio file")
        if not path.exists():
            raise AudioError(f"{name} does not exist; check the path")
    with opened_bytes(source) as data:
        if whole:
            wholeness.refuse_joined(data, name)
        with _sound_of(data, source, name) as file:
            if whole and wholeness.may_be_cut(data) and not has_its_end(file):
                raise AudioError(
                    f"{name} is cut short: its header promises {file.frames} samples and the last"
                    " of them are not there; copy or convert it again"
                )
            yield file


def probe(source: Source) -> AudioInfo:
    """Read the header of a file, and check that the file is a single recording.

    Raises:
        AudioError: missing, a folder, empty, truncated, not audio, no samples, more than two
            channels, a sample rate below `MIN_SAMPLE_RATE`, or several recordings, of which
            libsndfile would read only the first.
    """
    with opened(source, whole=True) as file:
        return info_of(file, name_of(source))


def info_of(file: soundfile.SoundFile, name: str) -> AudioInfo:
    """Return what the header of an open file says; `name` is for messages.

    Raises:
        AudioError: no samples, more than two channels, or a sample rate below `MIN_SAMPLE_RATE`.
    """
    info = AudioInfo(file.samplerate, file.channels, file.frames, file.format, file.subtype)
    if info.samples <= 0:
        raise AudioError(f"{name} holds no samples; give a file with sound in it")
    if info.sample_rate < MIN_SAMPLE_RATE:
        raise AudioError(
            f"{name} has a sample rate of {info.sample_rate} Hz; at least {MIN_SAMPLE_RATE} Hz"
            " are needed to hold sound, so check how it was made"
        )
    if info.channels > MAX_CHANNELS:
        raise AudioError(
            f"{name} has {info.channels} channels; only mono and stereo are taken,"
            " mix it down first"
        )
    return info


def has_its_end(file: soundfile.SoundFile) -> bool:
    """Whether the last sample that the header promises can be read; rewinds the file."""
    try:
        with _quiet_for(file):
            file.seek(max(0, file.frames - 1))
            found = len(file.read(1, dtype="float32")) > 0
            file.seek(0)
    except (RuntimeError, ValueError):  # ValueError: negative length
        return False
    return found


def check(source: Source) -> AudioInfo:
    """Read a whole file once, block by block, so that later reads cannot fail half-way.

    Raises:
        AudioError: as `probe`; also NaN or infinite samples, or damage inside the file.
    """
    info = probe(source)
    for _ in raw_blocks(source, 0, info.samples, "float32"):
        pass
    return info


def read(source: Source, start: int = 0, stop: int | None = None) -> Signal:
    """Read the samples [start, stop) as float32, `[channels, samples]`.

    Raises:
        AudioError: the file cannot be read, or has NaN or infinite samples.
    """
    stop = probe(source).samples if stop is None else stop
    with opened(source) as file:
        signal = np.empty((file.channels, stop - start), np.float32)
    at = 0
    for block in raw_blocks(source, start, stop, "float32"):
        signal[:, at : at + len(block)] = block.T
        at += len(block)
    return signal


def blocks(
    source: Source, start: int = 0, stop: int | None = None, size: int = BLOCK
) -> Iterator[Signal]:
    """Yield the samples [start, stop) as consecutive float32 blocks of at most `size`."""
    stop = probe(source).samples if stop is None else stop
    for block in raw_blocks(source, start, stop, "float32", size):
        yield np.ascontiguousarray(block.T)


def raw_blocks(
    source: Source, start: int, stop: int, sample_type: SampleType, size: int = BLOCK
) -> Iterator[Frames]:
    """Yield the frames [start, stop) in the given sample type, `[samples, channels]`.

    Integers are libsndfile's left-aligned int32, which can be copied without rounding.
    """
    name = name_of(source)
    with opened(source) as file:
        _seek(file, start, name)
        at = start
        while at < stop:
            block = _read_frames(file, min(size, stop - at), sample_type, name)
            if len(block) == 0:
                raise AudioError(
                    f"{name} is damaged or cut short: {at} of {file.frames} samples could be read;"
                    " convert it again from its source"
                )
            if sample_type != "int32" and not np.isfinite(block).all():
                raise AudioError(
                    f"{name} has NaN or infinite samples near"
                    f" {at / file.samplerate:.2f} s; repair the file first"
                )
            if sample_type != "int32" and (peak := float(np.abs(block).max())) > _LARGEST:
                raise AudioError(
                    f"{name} has a sample of {peak:.3g} near {at / file.samplerate:.2f} s, where 1"
                    " is full scale; scale the file first"
                )
            at += len(block)
            yield block


def digest(source: Source) -> str:
    """Return the sha256 of the file's bytes, in hexadecimal."""
    if isinstance(source, io.BytesIO):
        return hashlib.sha256(source.getbuffer()).hexdigest()
    with Path(source).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sample_digest(source: Source) -> str:
    """Return the sha256 of format and samples, which does not depend on tags, in hexadecimal."""
    info = probe(source)
    result = hashlib.sha256(f"{info.sample_rate} {info.channels} {info.samples}".encode())
    floating = info.subtype in ("FLOAT", "DOUBLE")
    for block in raw_blocks(source, 0, info.samples, "float64" if floating else "int32"):
        result.update(block.tobytes())
    return result.hexdigest()


@contextmanager
def opened_bytes(source: Source) -> Iterator[ByteFile]:
    """Open the bytes of a source; a buffer is rewound and stays open."""
    if isinstance(source, io.BytesIO):
        source.seek(0)
        yield source
        return
    try:
        file = Path(source).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise AudioError(f"{source} cannot be read: {error.strerror}") from error
    with file:
        yield file


def _sound_of(data: ByteFile, source: Source, name: str) -> soundfile.SoundFile:
    given: Any = wholeness.repaired(data, name)
    if given is None:
        buffered = isinstance(source, io.BytesIO)
        given = wholeness.Patched(source, b"", 0) if buffered else os.fsencode(source)
    try:
        with quiet:
            file = soundfile.SoundFile(given)
    except soundfile.SoundFileError as error:
        given = wholeness.without_extras(data)
        if given is None:
            raise AudioError(_why_unreadable(source)) from error
        try:
            with quiet:
                file = soundfile.SoundFile(given)
        except soundfile.SoundFileError:
            raise AudioError(_why_unreadable(source)) from error
    if file.format == "WAV" and file.subtype.startswith("MPEG"):
        file.close()
        raise AudioError(_why_unreadable(source))
    return file


def _seek(file: soundfile.SoundFile, start: int, name: str) -> None:
    if start == 0:
        return
    try:
        with _quiet_for(file):
            file.seek(start)
    except soundfile.SoundFileError as error:
        raise AudioError(
            f"{name} is damaged: there is no way to sample {start} of {file.frames};"
            " convert it again from its source"
        ) from error


def _read_frames(
    file: soundfile.SoundFile, count: int, sample_type: SampleType, name: str
) -> Frames:
    try:
        with _quiet_for(file):
            return file.read(count, dtype=sample_type, always_2d=True)
    except soundfile.SoundFileError as error:
        raise AudioError(
            f"{name} is damaged: its sound cannot be decoded to its end; convert it again from its"
            " source"
        ) from error


def _quiet_for(file: soundfile.SoundFile) -> contextlib.AbstractContextManager[None]:
    return quiet if file.format == "MP3" else contextlib.nullcontext()


def _why_unreadable(source: Source) -> str:
    name = name_of(source)
    with opened_bytes(source) as file:
        start = file.read(512)
        kind = foreign_formats.describe(file)
        fault = header_fault(file)
    if not start:
        return f"{name} is empty (0 bytes); give a file with sound in it"
    if kind == "MIDI":
        return f"{name} is MIDI, which has no sound; jen1 generate PROMPT --score FILE plays it"
    if kind is not None:
        return f"{name} is {kind}, which is not read; convert it, for example: ffmpeg -i IN OUT.wav"
    if fault is not None:
        return f"{name} has a damaged header: {fault}; convert it again from its source"
    text = not any(byte < 9 for byte in start)
    seen = "it looks like text" if text else "no known audio header"
    return f"{name} is not audio ({seen}); give a wav, flac, ogg, opus, mp3 or aiff file"
