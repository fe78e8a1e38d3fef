"""Covers, of `jen1 cover` and of lines of prompt files: what is kept, length, music."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from jen1cli.cli.inputs import AudioInput, open_input
from jen1cli.cli.sampling import check_seconds
from jen1cli.errors import AudioError, ConfigError
from jen1cli.sampling import MAX_SECONDS, SamplingOptions

if TYPE_CHECKING:
    from jen1cli.cli.engine import Engine
    from jen1cli.music.heard import Heard
    from jen1cli.pipeline import Music


@dataclass(frozen=True)
class Covered:
    """A recording that is covered, and what is kept of it."""

    recording: AudioInput
    keep: tuple[str, ...] | None  # some of `music.heard.KEPT`; None: all that is sure

    def length(self, seconds: float | None) -> float:
        """Return the length of a cover: the given one, or that of the recording.

        Raises:
            ConfigError: it is too short or too long.
        """
        info = self.recording.info
        if seconds is None and info.seconds > MAX_SECONDS:
            raise ConfigError(
                f"{self.recording.name} is {info.seconds:.0f} s long, more than the"
                f" {MAX_SECONDS:g} s made at once; give --seconds for its beginning"
            )
        return check_seconds(info.seconds if seconds is None else seconds)


def read_keep(text: str | None) -> tuple[str, ...] | None:
    """Return the names of --keep; None if it is left out.

    Raises:
        ConfigError: it is empty, or a name is unknown.
    """
    from jen1cli.music.heard import check_kept  # not for --help

    if text is None:
        return None
    return check_kept([name.strip().lower() for name in text.split(",") if name.strip()])


def open_recording(given: str) -> AudioInput:
    """Read the recording that a line of a prompt file names; several lines may name it.

    Raises:
        AudioError: it cannot be used.
    """
    path = Path(given)
    if not path.is_file():
        raise AudioError(f"the recording {given} to cover is no file; give one")
    return _opened(given, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _opened(path: str, changed: int) -> AudioInput:
    """Read a file; `changed`, its time of change, is part of the cache's key."""
    return open_input(path)


class Covers:
    """Makes covers; consecutive ones of one recording are heard once."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._last: tuple[AudioInput, Heard] | None = None

    def make(
        self, covered: Covered, prompt: str, seconds: float, seed: int, options: SamplingOptions
    ) -> "Music":
        """Make one cover.

        Raises:
            AudioError: nothing in the recording is sure.
            ConfigError: a setting makes no sense.
        """
        heard = self._hear(covered.recording)
        with self._engine.making(f"seed {seed}") as progress:
            return self._engine.model.cover(
                covered.recording.source,
                prompt,
                heard=heard,
                keep=covered.keep,
                seconds=seconds,
                seed=seed,
                progress=progress,
                **options,
            )

    def _hear(self, recording: AudioInput) -> "Heard":
        if self._last is None or self._last[0] is not recording:
            with self._engine.making(f"hearing {recording.name}"):
                heard = self._engine.model.hear(recording.source)
            self._engine.report.note(f"{recording.name}: {heard.summary()}")
            self._last = recording, heard
        return self._last[1]
