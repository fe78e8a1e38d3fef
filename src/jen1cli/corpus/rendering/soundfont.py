"""Sampled instruments, played offline by TinySoundFont from a free SoundFont.

TinySoundFont leaves velocity layers and drums of some fonts 30 dB apart. Every note is therefore
measured once and corrected: all instruments are equally loud at equal velocity, and a part's gain
means the same whatever it plays. Fonts are large (500 MB of samples): one player per process.
"""

import importlib
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from jen1cli.audio.loudness import db_to_amplitude
from jen1cli.corpus.rendering.drum_keys import drum_level
from jen1cli.corpus.rendering.modulators import freeze_modulators
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE, Stereo, TimedNote
from jen1cli.errors import DataError

DRUM_BANK = 128
REFERENCE_LEVEL = 0.1  # loudest 100 ms of a note at velocity 0.8, root mean square
_VARIABLE = "JEN1_SOUNDFONT"
_PLACES = tuple(
    Path(folder) / name
    for folder in ("/usr/share/sounds/sf3", "/usr/local/share/sounds/sf3", "/usr/share/sounds/sf2")
    for name in (
        "MuseScore_General_Lite.sf3",
        "MuseScore_General.sf3",
        "FluidR3Mono_GM.sf3",
        "FluidR3_GM.sf2",
        "default-GM.sf3",
        "default-GM.sf2",
    )
)
_MAX_VOICES = 64
_PLAIN = 0  # channel without correction
_CORRECTIONS = 60  # dB each way; channel 61 + c plays c dB louder
_VELOCITY_STEPS = 16
_VELOCITY_EXPONENT = 1.2  # loudness of a note against its velocity
_TILT_DB = 0.06  # per semitone: higher notes sound louder at the same level
_FADE_SAMPLES = 4096
_MEASURED, _MEASURED_STROKE = SAMPLE_RATE // 2, SAMPLE_RATE // 5


def find_soundfont(path: Path | None = None) -> Path:
    """Return the SoundFont to use: the given one, $JEN1_SOUNDFONT, or an installed one.

    Raises:
        DataError: where there is none; says which package has one.
    """
    if path is None and os.environ.get(_VARIABLE):
        path = Path(os.environ[_VARIABLE])
    if path is not None:
        if path.is_file():
            return path
        raise DataError(
            f"no SoundFont at '{path}'; give --soundfont the path of an .sf2 or .sf3 file"
        )
    for place in _PLACES:
        if place.is_file():
            return place
    raise DataError(
        "no SoundFont found under /usr/share/sounds; install the Debian package "
        "musescore-general-soundfont-small, or give --soundfont (or JEN1_SOUNDFONT) the path of "
        "an .sf2 or .sf3 file"
    )


def _load(path: Path) -> Any:  # noqa: ANN401 - the extension module has no types
    try:
        native = importlib.import_module("tinysoundfont._tinysoundfont")
    except ImportError as error:
        raise DataError(
            f"sampled instruments need the package tinysoundfont ({error}); install jen1cli[corpus]"
        ) from error
    try:
        font = native.SoundFont(freeze_modulators(path.read_bytes()))
    except Exception as error:
        raise DataError(
            f"'{path}' cannot be read as a SoundFont ({error}); "
            "give --soundfont another .sf2 or .sf3 file"
        ) from error
    font.set_output(native.OutputMode.StereoInterleaved, SAMPLE_RATE, 0.0)
    return font


class SoundFontPlayer:
    """Plays one instrument at a time, sample-accurately and always the same way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._font = _load(path)
        self._level_db = lru_cache(maxsize=None)(self._measure)

    def play(
        self, program: int, notes: Sequence[TimedNote], samples: int, *, kit: bool = False
    ) -> Stereo:
        """Play notes on a General MIDI program, or on a kit of bank 128."""
        bank = DRUM_BANK if kit else 0
        # played at the measured velocities: next to them another layer may sound
        steps = [max(1, round(note.velocity * _VELOCITY_STEPS)) for note in notes]
        played = [
            replace(note, velocity=step / _VELOCITY_STEPS)
            for note, step in zip(notes, steps, strict=True)
        ]
        channels = [
            self._channel(bank, program, note, step)
            for note, step in zip(notes, steps, strict=True)
        ]
        self._select(bank, program, channels)
        return self._perform(played, channels, samples)

    def name(self, program: int, *, kit: bool = False) -> str | None:
        """Return what the font calls a program, None where it has none."""
        name = self._font.get_preset_name(DRUM_BANK if kit else 0, program)
        return None if name == "<None>" else name

    def _select(self, bank: int, program: int, channels: Sequence[int]) -> None:
        self._silence()
        try:
            for channel in sorted(set(channels)):
                self._font.channel_set_bank(channel, bank)
                self._font.channel_set_preset_number(channel, program, bank == DRUM_BANK)
                if channel != _PLAIN:
                    self._font.channel_set_volume(
                        channel, db_to_amplitude(channel - _CORRECTIONS - 1)
                    )
        except RuntimeError as error:
            raise DataError(
                f"'{self.path}' has no program {program} in bank {bank}; "
                "give --soundfont a General MIDI font"
            ) from error

    def _silence(self) -> None:
        """Forget whatever was played: a reset lets voices fade for some milliseconds."""
        self._font.reset()
        self._font.set_max_voices(_MAX_VOICES)
        scratch = memoryview(bytearray(_FADE_SAMPLES * 8))
        for _ in range(2):
            self._font.render(scratch, False)

    def _perform(self, notes: Sequence[TimedNote], channels: Sequence[int], samples: int) -> Stereo:
        """Render from event to event; note ends come before note starts at the same sample."""
        events: list[tuple[int, int, int, int, float]] = []
        for note, channel in zip(notes, channels, strict=True):
            end = note.start + max(note.length, 1)
            events.append((note.start, 1, channel, note.pitch, note.velocity))
            events.append((end, 0, channel, note.pitch, 0.0))
        events.sort()
        buffer = np.zeros((samples, 2), np.float32)
        view = buffer.data.cast("B")
        font, here = self._font, 0
        for sample, is_start, channel, pitch, velocity in events:
            if sample >= samples:
                break
            if sample > here:
                font.render(view[here * 8 : sample * 8], False)
                here = sample
            if is_start:
                font.channel_note_on(channel, pitch, max(velocity, 1.0 / 127.0))
            else:
                font.channel_note_off(channel, pitch)
        if samples > here:
            font.render(view[here * 8 :], False)
        return np.ascontiguousarray(buffer.T)

    def _channel(self, bank: int, program: int, note: TimedNote, step: int) -> int:
        """Choose the channel that brings a note to the level its velocity asks for."""
        level_db = self._level_db(bank, program, note.pitch, step)
        target_db = 20.0 * math.log10(REFERENCE_LEVEL)
        target_db += 20.0 * _VELOCITY_EXPONENT * math.log10(max(note.velocity, 0.01) / 0.8)
        target_db += drum_level(note.pitch) if bank == DRUM_BANK else _TILT_DB * (60 - note.pitch)
        correction = max(-_CORRECTIONS, min(_CORRECTIONS, round(target_db - level_db)))
        return _CORRECTIONS + 1 + correction

    def _measure(self, bank: int, program: int, pitch: int, velocity_step: int) -> float:
        """Return the level of a note, in decibels, as the font plays it."""
        self._select(bank, program, [_PLAIN])
        is_kit = bank == DRUM_BANK
        samples = _MEASURED_STROKE if is_kit else _MEASURED
        note = TimedNote(0, samples, pitch, velocity_step / _VELOCITY_STEPS)
        sound = self._perform([note], [_PLAIN], samples)
        level = stroke_level(sound) if is_kit else loudest_level(sound)
        return 20.0 * math.log10(max(level, 1e-5))


def loudest_level(sound: Stereo) -> float:
    """Root mean square of the loudest 100 ms, both channels together."""
    block = SAMPLE_RATE // 10
    count = max(1, sound.shape[1] // block)
    power = np.square(sound[:, : count * block]).mean(axis=0)
    return float(np.sqrt(power.reshape(count, -1).mean(axis=1).max()))


def stroke_level(sound: Stereo) -> float:
    """Level of a drum stroke, between its loudest 100 ms and its peak: short ones sound softer."""
    peak = float(np.abs(sound).max())
    return float(np.sqrt(loudest_level(sound) * peak / 3.0))
