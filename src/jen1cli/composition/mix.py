"""Balance of the parts: gains that set each role to its target level for any notes.

The renderer makes all instruments equally loud at equal velocity, so the energy of a part follows
from its notes: Σ velocity^p · τ(1 − exp(−duration/τ)), divided by the seconds in which it plays. τ
is the decay time of its instrument family. Decay times and offsets were fitted to rendered parts;
the error is 1 to 2 dB.
"""

import math

from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.rhythm.grooves import KEYS
from jen1cli.composition.score import Note

_VELOCITY_POWER = 2.4
_WINDOW = 0.5  # seconds

# Target level of each role in the mix, dB.
ROLE_LEVELS: dict[str, float] = {
    "drums": -17.0,
    "percussion": -24.0,
    "bass": -20.0,
    "chords": -21.5,
    "stabs": -23.0,
    "strum": -23.0,
    "pad": -25.0,
    "arpeggio": -23.5,
    "drone": -23.0,
    "melody": -19.0,
    "counter": -24.0,
    "riff": -20.5,
    "texture": -33.0,
}

# family -> (decay time in seconds, level in dB of a part with unit energy)
_FAMILIES: dict[str, tuple[float, float]] = {
    "piano": (0.3, -12.5),
    "electric piano": (0.8, -13.8),
    "harpsichord": (0.4, -12.1),
    "clavinet": (0.2, -12.0),
    "mallets": (0.3, -13.0),
    "guitar": (0.25, -11.5),
    "distorted guitar": (3.0, -12.8),
    "bass": (0.5, -14.2),
    "harp": (0.2, -11.8),
    "plucked strings": (0.2, -11.5),
    "folk strings": (0.2, -11.5),
    "synth pluck": (0.15, -13.0),
    "synth bell": (0.3, -11.0),
    "synth stab": (0.6, -12.5),
    "synth arpeggio": (0.3, -13.0),
    "drums": (0.15, -13.0),
    "orchestral percussion": (0.8, -18.0),
    "impact": (0.8, -14.0),
    "noise": (99.0, -14.0),
    "synth bass": (3.0, -16.0),
}
_SUSTAINED = (99.0, -15.0)
_LIGHT = frozenset(
    KEYS[name]
    for name in ("hat", "pedal", "open", "ride", "bell", "shaker", "tamb", "cabasa", "triangle")
)


def estimate_level(instrument: str, notes: tuple[Note, ...], bpm: float) -> float:
    """Estimate the level of a part in dB before its gain, over the time in which it plays."""
    family = INSTRUMENTS[instrument].family
    decay, offset = _FAMILIES.get(family, _SUSTAINED)
    beat = 60.0 / bpm
    energy = 0.0
    windows: set[int] = set()
    for note in notes:
        length = note.duration * beat
        ringing = decay * (1.0 - math.exp(-length / decay))
        if family == "drums":
            ringing = 0.03 if note.pitch in _LIGHT else 0.15
        energy += note.velocity**_VELOCITY_POWER * ringing
        first = int(note.beat * beat / _WINDOW)
        windows.update(range(first, int((note.beat * beat + ringing) / _WINDOW) + 1))
    seconds = max(_WINDOW, len(windows) * _WINDOW)
    return offset + 10.0 * math.log10(max(energy / seconds, 1e-6))


def balanced_gain(role: str, instrument: str, notes: tuple[Note, ...], bpm: float) -> float:
    """Return the gain in dB that sets a part to its role's level.

    For drum kits only half of the deviation from the usual gain is corrected, so that busy and
    sparse patterns keep half of their difference in level.
    """
    lack = ROLE_LEVELS[role] - estimate_level(instrument, notes, bpm)
    if INSTRUMENTS[instrument].family == "drums":
        usual = -3.0 if role == "drums" else -9.0
        lack = usual + 0.5 * (lack - usual)
    return max(-22.0, min(10.0, lack))
