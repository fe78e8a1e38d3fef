"""The score of a clip, the data that composer, renderer and captions exchange.

Time is counted in quarter-note beats from the start of the clip; `Score.bpm` counts quarter
notes per minute, so second = beat * 60 / bpm. Swing and human timing are already in the beats.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, no_type_check

Stem = Literal["drums", "bass", "harmony", "melody"]

# Valid rooms and effects of a score. `amount` (0 to 1) is the strength of each effect; the settings
# in brackets are optional and have defaults in the renderer.
ROOMS = ("dry", "room", "studio", "plate", "club", "hall", "church", "cave")
EFFECTS = {
    "lowpass": "static low-pass filter [cutoff Hz]",
    "highpass": "static high-pass filter [cutoff Hz]",
    "sweep": "low-pass that glides [start_beat, end_beat, low Hz, high Hz]; low > high falls",
    "wobble": "low-pass swung by an oscillator in time [beats per cycle]",
    "sidechain": "ducking by the kick [beats: period, default 1; or onsets: list of beats]",
    "gate": "rhythmic chopping [beats per step, pattern: string of 1 and 0]",
    "tremolo": "volume swing [beats per cycle]",
    "vibrato": "pitch swing [hz]",
    "phaser": "slow phaser [hz]",
    "flanger": "flanger [hz]",
    "chorus": "chorus, as a whole insert",
    "saturation": "soft clipping, warmth",
    "distortion": "hard clipping with a guitar cabinet's low-pass",
    "bitcrush": "fewer bits and a lower rate",
    "tape": "wow, flutter and a worn top end",
    "vinyl": "crackle and rumble (master)",
    "hiss": "steady tape hiss (master)",
    "telephone": "narrow band-pass, small speaker",
    "compress": "compression, glue",
    "widen": "wider stereo",
    "mono": "folds both channels into one (master)",
    "quiet": "very quiet master: amount 1 is about -45 LUFS instead of the usual loudness (master)",
    "loud": "hot, dense, limited master: amount 1 is about -7 LUFS (master)",
    "fade_in": "linear fade over the first beats [beats]",
    "fade_out": "linear fade over the last beats [beats]",
    "glide": "portamento between the notes of a synthesised voice [seconds]",
}


@no_type_check  # created by the thousand: run-time type checks would slow the corpus tests
@dataclass(frozen=True)
class Note:
    """A note of an instrument, or a stroke of a drum kit."""

    beat: float  # onset
    duration: float  # beats
    pitch: int  # MIDI number; for kits the General MIDI percussion key
    velocity: float  # 0 to 1


@dataclass(frozen=True)
class Effect:
    """An insert effect of a part or of the mix; see `jen1cli.corpus.rendering.effects`."""

    name: str  # a key of the renderer's table of effects
    amount: float = 0.5  # 0 (off) to 1 (extreme)
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """All notes of one instrument, with its mix settings."""

    role: str  # drums, bass, chords, pad, melody, counter, arpeggio, texture, ...
    stem: Stem
    instrument: str  # a key of `jen1cli.composition.instruments.INSTRUMENTS`
    notes: tuple[Note, ...]
    gain_db: float = 0.0
    pan: float = 0.0  # -1 left to 1 right
    reverb: float = 0.15  # send, 0 to 1
    delay: float = 0.0  # send, 0 to 1
    chorus: float = 0.0  # 0 to 1
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class Section:
    """A section of the form, with its energy."""

    name: str  # intro, theme, build, drop, break, outro, ...
    start_beat: float
    length_beats: float
    energy: float  # 0 to 1


@dataclass(frozen=True)
class Score:
    """A composed clip."""

    seed: int
    style: str  # a key of the composer's table of styles
    bpm: float
    meter: str  # "4/4", "3/4", "6/8", "5/4", ...
    key: str  # tonic: "C", "C#", "D", ...; "" if there is none (noise, drums alone)
    mode: str  # "major", "minor", "dorian", ...; "" if there is none
    length_beats: float
    parts: tuple[Part, ...]
    sections: tuple[Section, ...] = ()
    master: tuple[Effect, ...] = ()  # effects on the whole mix
    room: str = "hall"  # reverberation: a key of the renderer's table of rooms
    energy: float = 0.5  # 0 calm to 1 driving
    moods: tuple[str, ...] = ()
    chords: str = ""  # chord chart in the format of `jen1cli.music.chords`; "" if there are none

    @property
    def seconds(self) -> float:
        """Length of the clip in seconds; the renderer adds no tail."""
        return self.length_beats * 60.0 / self.bpm

    @property
    def has_drums(self) -> bool:
        """Whether a part of the drums stem has notes."""
        return any(part.stem == "drums" and part.notes for part in self.parts)
