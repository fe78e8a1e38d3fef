"""Plays audio through sounddevice (extra `play`), or through a program of the system."""

import itertools
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jen1cli.errors import AudioError, MissingExtraError

if TYPE_CHECKING:
    from jen1cli.audio import AudioInfo, Signal, Source

PROGRAMS = (
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("afplay",),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
    ("play", "-q"),  # part of SoX
)
"""Programs that play a WAV file, with their options, in the order in which they are tried."""

MAX_SECONDS = 6 * 3600.0  # that a program plays of one file: 4 GB of CD quality
_BLOCK_SECONDS = 0.5
_EARLY_SECONDS = 0.5  # a program that ends that much too early has not played


def find_player() -> "Player":
    """Choose sounddevice if it has a device, else the first program that is installed.

    Raises:
        MissingExtraError: there is neither.
    """
    sounddevice, reason = _load_sounddevice()
    if sounddevice is not None:
        return DevicePlayer(sounddevice)
    for program in PROGRAMS:
        if shutil.which(program[0]):
            return ProgramPlayer(program)
    raise MissingExtraError(
        f"nothing here plays sound ({reason}); install one: pip install 'jen1cli[play]', or"
        f" {', '.join(program[0] for program in PROGRAMS)}"
    )


def _load_sounddevice() -> tuple[Any, str]:
    """Return the module, or None and the reason why it cannot play."""
    try:
        import sounddevice
    except ImportError:
        return None, "sounddevice is not installed"
    except OSError as error:  # on Linux the library is a package of the system
        return None, f"sounddevice does not load: {error}"
    try:
        sounddevice.query_devices(kind="output")
    except (sounddevice.PortAudioError, ValueError):
        return None, "sounddevice finds no output device"
    return sounddevice, ""


@dataclass(frozen=True)
class DevicePlayer:
    """Plays through PortAudio."""

    sounddevice: Any
    name: str = "sounddevice"

    def play(self, source: "Source", info: "AudioInfo", repeat: int = 1) -> None:
        """Play a recording `repeat` times without a gap.

        Raises:
            AudioError: the device fails.
        """
        try:
            with self.sounddevice.OutputStream(
                samplerate=info.sample_rate, channels=info.channels, dtype="float32"
            ) as stream:
                for block in _blocks(source, info, repeat):
                    stream.write(block.T.copy())
        except self.sounddevice.PortAudioError as error:
            raise AudioError(
                f"the sound device does not play {_name(source)} ({error}); choose another device"
                " in the system's settings"
            ) from error


@dataclass(frozen=True)
class ProgramPlayer:
    """Plays through a program of the system, as 16-bit WAV."""

    command: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the program."""
        return self.command[0]

    def play(self, source: "Source", info: "AudioInfo", repeat: int = 1) -> None:
        """Play a recording `repeat` times without a gap.

        Raises:
            AudioError: it is too long to copy, or the program does not start, fails, or ends too
                early.
        """
        from jen1cli import audio

        if repeat * info.seconds > MAX_SECONDS:
            raise AudioError(
                f"{_name(source)} {repeat:,} times would be {repeat * info.seconds / 3600:,.1f}"
                f" hours, of which {self.name} needs a copy; give a smaller --repeat, for"
                f" {MAX_SECONDS / 3600:g} hours or less, or pip install 'jen1cli[play]'"
            )

        with tempfile.TemporaryDirectory(prefix="jen1-") as folder:
            path = Path(folder) / "sound.wav"
            kind = audio.FileFormat("WAV", "PCM_16")
            frames = (audio.encoded(block, "PCM_16") for block in _blocks(source, info, repeat))
            audio.write_blocks(path, frames, info.sample_rate, info.channels, kind)
            started = time.monotonic()
            try:
                done = subprocess.run(
                    [*self.command, str(path)],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    errors="replace",
                )
            except OSError as error:
                raise AudioError(f"{self.name} does not start: {error.strerror}") from error
            elapsed = time.monotonic() - started
        # ffplay exits with 0 also where it finds no sound device
        if done.returncode or elapsed < repeat * info.seconds - _EARLY_SECONDS:
            said = done.stderr.replace(str(path), "it").strip().splitlines() or [
                f"it ended after {elapsed:.1f} s"
            ]
            raise AudioError(
                f"{self.name} does not play {_name(source)} ({said[-1].strip()}); is there a sound"
                " device? pip install 'jen1cli[play]' brings another player"
            )


Player = DevicePlayer | ProgramPlayer


def _blocks(source: "Source", info: "AudioInfo", repeat: int) -> Iterator["Signal"]:
    from jen1cli import audio

    size = max(1, round(_BLOCK_SECONDS * info.sample_rate))
    return itertools.chain.from_iterable(
        audio.blocks(source, 0, info.samples, size) for _ in range(repeat)
    )


def _name(source: "Source") -> str:
    from jen1cli import audio

    return audio.name_of(source)
