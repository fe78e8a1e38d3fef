"""Audio and latent inputs: read from files, folders or stdin, and checked before a model loads."""

import contextlib
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jen1cli.cli import streams
from jen1cli.errors import AudioError, InputErrors, Jen1Error
from jen1cli.folders import walk_files
from jen1cli.sampling import MIN_INPUT_SECONDS

if TYPE_CHECKING:
    from jen1cli.audio import AudioInfo, Source

LATENT_SUFFIXES = (".safetensors", ".latent")  # both are safetensors


@dataclass(frozen=True)
class AudioInput:
    """One audio input that has been read completely without error."""

    source: "Source"
    name: str  # for messages
    stem: str  # for the names of results
    info: "AudioInfo"

    @property
    def suffix(self) -> str:
        """Suffix of the file's name without its dot; for a pipe, that of its format."""
        named = "" if isinstance(self.source, io.BytesIO) else Path(self.source).suffix[1:].lower()
        return named or self.extension

    @property
    def extension(self) -> str:
        """Extension of a result in the same format."""
        return self.info.extension


def open_input(given: str) -> AudioInput:
    """Read an input completely, as a check.

    Args:
        given: a path, which may be a pipe, or '-' for stdin.

    Raises:
        AudioError: the input is missing, not audio, damaged, or too short.
    """
    from jen1cli import audio

    source = streams.open_source(given)
    info = audio.check(source)
    name = audio.name_of(source)
    if info.seconds < MIN_INPUT_SECONDS:
        raise AudioError(
            f"{name} is {info.seconds:.3f} s long; at least {MIN_INPUT_SECONDS:g} s are needed"
        )
    stem = "audio" if isinstance(source, io.BytesIO) else source.stem
    return AudioInput(source, name, stem, info)


class Faults:
    """Collects the errors of single inputs until the others are processed."""

    def __init__(self) -> None:
        self._errors: list[Jen1Error] = []

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Record an error raised inside the context."""
        try:
            yield
        except Jen1Error as error:
            self._errors.append(error)

    def note(self, path: Path, reason: str) -> None:
        """Record a file or folder that cannot be used."""
        self._errors.append(AudioError(f"{path}: {reason}"))

    def raise_collected(self) -> None:
        """Raise the recorded errors, if any.

        Raises:
            Jen1Error: the only recorded error, or `InputErrors` of all.
        """
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            raise InputErrors(self._errors)


def list_files(
    inputs: Sequence[str], suffixes: Sequence[str], what: str, faults: Faults
) -> list[tuple[str, Path]]:
    """List the files that inputs name, each with the folder it has inside its input.

    Args:
        inputs: files, folders (searched to the bottom, without hidden files) and '-'.
        suffixes: files of a folder that are taken.
        what: kind of file, for messages.
        faults: records folders that cannot be listed.

    Raises:
        AudioError: an input is missing, or a folder has no such file.
    """
    found: list[tuple[str, Path]] = []
    for given in inputs:
        path = Path(given)
        if given == "-" or not path.is_dir():
            found.append((given, Path()))
            continue
        inside = walk_files(path, suffixes, faults.note)
        if not inside:
            raise AudioError(f"{path} has no {what}; looked for {' '.join(suffixes)}")
        found.extend((str(file), file.relative_to(path).parent) for file in inside)
    if [given for given, _ in found].count("-") > 1:
        raise AudioError("'-' is given twice, but stdin can be read once")
    return found


def names_apart(files: Sequence[tuple[str, Path]], stems: Sequence[str]) -> list[str]:
    """Return names for results: the stems, or file names where only those tell inputs apart.

    Args:
        files: as `list_files` gives them.
        stems: file names without suffix, such as "a" for both `a.wav` and `a.flac` of one folder.
    """
    alike: dict[tuple[Path, str], set[str]] = {}
    places = [(folder, stem) for (_, folder), stem in zip(files, stems, strict=True)]
    for (given, _), place in zip(files, places, strict=True):
        alike.setdefault(place, set()).add(Path(given).name)
    counts = Counter(places)
    return [
        Path(given).name if 1 < counts[place] == len(alike[place]) else stem
        for (given, _), place, stem in zip(files, places, stems, strict=True)
    ]
