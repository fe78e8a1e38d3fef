"""Clips without music: noise, sweeps, tones, plucks, clusters, extreme levels, silence."""

from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.plan import in_range
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.score import Effect, Note, Part, Score, Section, Stem

# kind -> (possible instruments, way of playing)
KINDS: dict[str, tuple[str, str]] = {
    "noise": ("noise_texture", "long"),
    "noise bursts": ("noise_burst", "bursts"),
    "rain": ("rain_noise", "long"),
    "wind": ("wind_noise", "long"),
    "waves": ("sea_noise", "long"),
    "rising sweep": ("riser", "sweeps"),
    "falling sweep": ("downlifter", "sweeps"),
    "sine sweep": ("sine_sweep", "glides"),
    "pure tone": ("sine_tone", "tones"),
    "plucks": ("string_pluck pluck koto harp", "scatter"),
    "bells": ("fm_bell crystal tubular_bells glockenspiel", "scatter"),
    "impacts": ("impact taiko timpani", "hits"),
    "cluster": ("strings choir saw_pad supersaw church_organ", "cluster"),
    "detuned layers": ("saw_pad reese_bass supersaw warm_pad", "layers"),
    "low drone": ("dark_drone reese_bass sub_bass", "deep"),
    "theremin": ("theremin", "glides"),
    "blips": ("chip_square sine_tone chip_arp", "blips"),
    "single notes": ("grand_piano cello flute nylon_guitar trumpet vibraphone", "single"),
    "silence": ("", "nothing"),
}


def compose_sounds(style: str, seed: int, seconds: float) -> Score:
    """Compose one clip of sound without music; the section's name is the kind of sound."""
    random = RandomStream(seed, style)
    kind = random.pick(tuple(KINDS)) if not random.chance(0.02) else "silence"
    if kind == "silence" and random.chance(0.5):
        kind = "noise"
    names, manner = KINDS[kind]
    bpm = 60.0
    beats = float(max(12, min(30, round(seconds))))
    parts: list[Part] = []
    if names:
        count = 2 if manner in ("layers", "cluster") and random.chance(0.6) else 1
        for name in random.sample(names.split(), count):
            notes = _notes(random, manner, name, beats)
            parts.append(_part(random, manner, name, notes))
    master: list[Effect] = []
    level = random.weighted({"": 5.0, "quiet": 1.5, "loud": 1.5})
    if level:
        master.append(Effect(level, random.uniform(0.6, 1.0)))
    if random.chance(0.15):
        master.append(Effect("mono", 1.0))
    return Score(
        seed=seed,
        style=style,
        bpm=bpm,
        meter="4/4",
        key="",
        mode="",
        length_beats=beats,
        parts=tuple(parts),
        sections=(Section(kind, 0.0, beats, 0.5),),
        master=tuple(master),
        room=random.pick(("dry", "dry", "hall", "cave", "room")),
        energy=0.3,
        moods=(),
    )


def _part(random: RandomStream, manner: str, name: str, notes: list[Note]) -> Part:
    stem: Stem = "drums" if manner == "hits" else "harmony"
    effects: tuple[Effect, ...] = ()
    if manner in ("long", "cluster", "layers", "deep") and random.chance(0.3):
        effects = (Effect("tremolo", 0.4, {"beats": random.pick((0.25, 0.5, 2.0, 4.0))}),)
    return Part(
        role="texture",
        stem=stem,
        instrument=name,
        notes=in_range(tuple(notes), INSTRUMENTS[name].low, INSTRUMENTS[name].high),
        pan=round(random.uniform(-0.5, 0.5), 2),
        reverb=round(random.uniform(0.0, 0.5), 2),
        delay=round(random.uniform(0.1, 0.4), 2) if random.chance(0.3) else 0.0,
        effects=effects,
    )


def _notes(random: RandomStream, manner: str, name: str, beats: float) -> list[Note]:
    if manner in ("long", "deep", "cluster", "layers"):
        return _sustained(random, manner, beats)
    low, high = (36, 55) if manner == "hits" else (62, 86) if manner == "blips" else (50, 82)
    spacing = {
        "bursts": (0.3, 1.6),
        "sweeps": (3.0, 6.0),
        "glides": (1.5, 5.0),
        "tones": (0.8, 4.0),
        "scatter": (0.12, 0.9),
        "hits": (0.6, 2.2),
        "blips": (0.06, 0.4),
        "single": (1.2, 3.0),
    }[manner]
    notes: list[Note] = []
    beat = 0.0
    while beat < beats - 0.2:
        gap = random.uniform(*spacing)
        length = gap * random.uniform(0.2, 0.6) if manner == "bursts" else gap * 0.95
        pitch = random.integer(low, high)
        notes.append(
            Note(
                round(beat, 4),
                round(min(length, beats - beat), 4),
                pitch,
                random.uniform(0.5, 0.95),
            )
        )
        beat += gap
    return notes


def _sustained(random: RandomStream, manner: str, beats: float) -> list[Note]:
    if manner == "long":
        return [Note(0.0, beats, random.integer(48, 84), random.uniform(0.5, 0.9))]
    base = random.integer(28, 40) if manner == "deep" else random.integer(45, 60)
    steps = {"deep": (0, 7), "cluster": (0, 1, 2, 4, 6, 7), "layers": (0, 0, 12, 7)}[manner]
    span = random.pick((beats, beats / 2, beats / 3))
    notes: list[Note] = []
    for index in range(round(beats / span)):
        shift = 0 if index == 0 else random.integer(-4, 4)
        chosen = sorted(set(random.sample(steps, random.integer(2, len(steps)))))
        for step in chosen:
            notes.append(
                Note(
                    round(index * span, 4),
                    round(span, 4),
                    base + step + shift,
                    random.uniform(0.5, 0.8),
                )
            )
    return notes
