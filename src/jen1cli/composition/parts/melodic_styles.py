"""Parameters of melodies of different styles."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MelodicStyle:
    """Parameters of a melody: rhythm, intervals, ornaments and scale."""

    density: float = 1.0  # notes per pulse
    shortest: float = 0.5  # beats
    rest: float = 0.1  # share of rests
    syncopation: float = 0.1  # probability that a note is anticipated
    leap: float = 0.2  # share of leaps
    legato: float = 0.95  # length of a note relative to its step
    span: int = 7  # largest range of a motive in scale steps
    repeat: float = 0.1  # share of repeated notes
    ornament: str = ""  # "grace", "turn", "roll" or "slide"
    ornaments: float = 0.0  # share of long notes with an ornament
    scale: str = ""  # scale of the melody; "" is that of the key
    strict: float = 0.9  # probability that a note on a strong beat is a chord tone


MELODIC_STYLES: dict[str, MelodicStyle] = {
    "sparse": MelodicStyle(0.55, 0.5, 0.3, 0.25, 0.3, 0.95, 7),
    "lyrical": MelodicStyle(0.8, 0.5, 0.08, 0.08, 0.22, 1.0, 7),
    "vocal": MelodicStyle(1.1, 0.5, 0.14, 0.3, 0.15, 0.92, 6, 0.25),
    "flowing": MelodicStyle(1.6, 0.5, 0.05, 0.05, 0.15, 0.97, 8),
    "running": MelodicStyle(2.6, 0.25, 0.03, 0.02, 0.12, 0.95, 9),
    "bebop": MelodicStyle(1.9, 0.5, 0.14, 0.25, 0.2, 0.9, 9, 0.05, "grace", 0.12),
    "swing": MelodicStyle(1.3, 0.5, 0.16, 0.35, 0.22, 0.85, 8, 0.15, "grace", 0.12),
    "bluesy": MelodicStyle(1.2, 0.5, 0.25, 0.3, 0.2, 0.9, 6, 0.15, "grace", 0.3, "blues", 0.55),
    "major_blues": MelodicStyle(
        1.3, 0.5, 0.2, 0.3, 0.2, 0.9, 6, 0.15, "grace", 0.3, "major blues", 0.7
    ),
    "pentatonic": MelodicStyle(1.1, 0.5, 0.14, 0.15, 0.2, 0.95, 6, 0.1, "", 0.0, "pentatonic", 0.8),
    "solo": MelodicStyle(
        1.9, 0.25, 0.15, 0.2, 0.25, 0.95, 8, 0.1, "slide", 0.3, "pentatonic", 0.65
    ),
    "hook": MelodicStyle(1.4, 0.5, 0.15, 0.4, 0.25, 0.8, 6, 0.2),
    "lead": MelodicStyle(1.3, 0.25, 0.08, 0.35, 0.3, 0.9, 8, 0.15),
    "anthem": MelodicStyle(0.9, 0.5, 0.05, 0.15, 0.25, 1.0, 7, 0.15),
    "chip": MelodicStyle(2.0, 0.25, 0.08, 0.25, 0.35, 0.8, 9, 0.12),
    "lullaby": MelodicStyle(0.95, 0.5, 0.06, 0.0, 0.25, 1.0, 6, 0.12),
    "hymn": MelodicStyle(0.8, 1.0, 0.03, 0.0, 0.15, 1.0, 6, 0.15),
    "march": MelodicStyle(1.2, 0.25, 0.06, 0.05, 0.35, 0.75, 7, 0.25),
    "folk": MelodicStyle(1.3, 0.5, 0.05, 0.08, 0.18, 0.95, 7, 0.15),
    "fiddle": MelodicStyle(2.0, 0.25, 0.02, 0.05, 0.2, 0.9, 9, 0.1, "grace", 0.2),
    "jig": MelodicStyle(2.7, 0.5, 0.01, 0.0, 0.2, 0.9, 8, 0.08, "grace", 0.15),
    "baroque": MelodicStyle(2.2, 0.25, 0.03, 0.03, 0.22, 0.85, 9, 0.05, "turn", 0.25),
    "classical": MelodicStyle(1.5, 0.25, 0.07, 0.03, 0.25, 0.9, 8, 0.1, "turn", 0.12),
    "waltz": MelodicStyle(0.9, 0.5, 0.06, 0.02, 0.3, 0.95, 8, 0.08),
    "latin": MelodicStyle(1.5, 0.5, 0.18, 0.45, 0.2, 0.85, 7, 0.2),
    "bossa": MelodicStyle(1.0, 0.5, 0.18, 0.5, 0.15, 0.92, 6, 0.25),
    "reggae": MelodicStyle(1.0, 0.5, 0.25, 0.3, 0.2, 0.8, 6, 0.2),
    "brassy": MelodicStyle(1.2, 0.25, 0.3, 0.4, 0.2, 0.7, 6, 0.3),
    "ambient": MelodicStyle(0.35, 1.0, 0.2, 0.1, 0.35, 1.0, 8),
    "east": MelodicStyle(0.9, 0.5, 0.14, 0.1, 0.25, 0.95, 7, 0.1, "grace", 0.35, "insen", 0.5),
    "koto": MelodicStyle(1.2, 0.25, 0.2, 0.1, 0.25, 1.0, 8, 0.1, "roll", 0.3, "hirajoshi", 0.5),
    "raga": MelodicStyle(1.6, 0.25, 0.06, 0.1, 0.12, 0.97, 7, 0.12, "slide", 0.4, "", 0.5),
    "flamenco": MelodicStyle(1.8, 0.25, 0.15, 0.15, 0.15, 0.95, 7, 0.1, "turn", 0.3, "", 0.6),
    "klezmer": MelodicStyle(1.7, 0.25, 0.05, 0.15, 0.2, 0.85, 8, 0.12, "grace", 0.4, "", 0.75),
    "tango": MelodicStyle(1.2, 0.25, 0.1, 0.2, 0.25, 0.8, 8, 0.1, "grace", 0.25),
    "heavy": MelodicStyle(1.4, 0.25, 0.08, 0.2, 0.25, 0.95, 8, 0.15, "slide", 0.2),
    "drama": MelodicStyle(0.7, 0.5, 0.05, 0.05, 0.3, 1.0, 8, 0.1),
    "trap": MelodicStyle(1.0, 0.25, 0.25, 0.3, 0.2, 0.9, 6, 0.25),
    "rag": MelodicStyle(2.1, 0.25, 0.06, 0.5, 0.3, 0.85, 8, 0.08),
}
