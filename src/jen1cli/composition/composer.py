"""Composes a clip from a style and a seed."""

from jen1cli.composition.ensemble import arrange
from jen1cli.composition.form import count_bars, make_sections, phrase_bars
from jen1cli.composition.harmony.chord_loops import choose_loop, is_minor, lay_chords, write_chart
from jen1cli.composition.harmony.progressions import CADENCES
from jen1cli.composition.harmony.theory import KEYS, SCALES
from jen1cli.composition.plan import Plan
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.rhythm.meters import METERS, Meter, Swing
from jen1cli.composition.score import Score
from jen1cli.composition.sound_clips import compose_sounds
from jen1cli.composition.styles import STYLES
from jen1cli.composition.styles.style import Style, read_effects, read_weights


def compose(style: str, seed: int, seconds: float = 20.0) -> Score:
    """Compose one clip; the same arguments give the same score on every machine.

    Args:
        style: Key of `STYLES`.
        seed: Any integer.
        seconds: Target length; the clip has the nearest number of whole bars from 12 to 30 s.

    Raises:
        KeyError: The style is unknown.
    """
    description = STYLES[style]
    if description.kind == "sounds":
        return compose_sounds(description.name, seed, seconds)
    random = RandomStream(seed, style)
    variant = _variant(description, random.substream("variant"))
    plan = make_plan(description, random, seconds)
    parts = arrange(description, plan, variant, random)
    tonal = any(part.stem != "drums" for part in parts)
    return Score(
        seed=seed,
        style=style,
        bpm=plan.bpm,
        meter=plan.meter.name,
        key=KEYS[plan.tonic] if tonal else "",
        mode=plan.mode if tonal else "",
        length_beats=plan.beats,
        parts=parts,
        sections=plan.sections,
        master=read_effects(description.master),
        room=description.room,
        energy=energy_of(description, variant, plan.bpm),
        moods=moods_of(description, plan.mode, random),
        chords=write_chart(plan.chords, plan.meter.beats, plan.bars) if tonal else "",
    )


def _variant(style: Style, random: RandomStream) -> str:
    return random.weighted(read_weights(style.variants))


def tempo_range(style: Style, meter: Meter) -> tuple[float, float]:
    """Return the slowest and the fastest felt tempo of a style in beats per minute.

    Compound meters stay below 126 dotted quarters.
    """
    slowest, fastest = style.tempo
    if meter.pulse == 1.5:
        return min(slowest, 112.0), min(fastest, 126.0)
    return slowest, fastest


def make_plan(style: Style, random: RandomStream, seconds: float) -> Plan:
    """Choose tempo, meter, key, chords and form of a clip."""
    frame = random.substream("frame")
    meter = METERS[frame.weighted(read_weights(style.meters))]
    felt = round(frame.uniform(*tempo_range(style, meter)))
    bpm = felt * meter.pulse if meter.pulse == 1.5 else float(felt)
    bar_seconds = meter.beats * 60.0 / bpm
    bars = count_bars(bar_seconds, seconds)
    phrase = phrase_bars(bar_seconds, bars)
    mode = frame.weighted(mode_weights(style))
    tonic = frame.integer(0, 11)
    unit, least, most = style.swing
    form = frame.weighted(read_weights(style.forms))
    harmony = random.substream("harmony")
    pools = style.harmony.get(mode) or style.harmony["minor" if is_minor(mode) else "major"]
    loop = choose_loop(harmony, pools, mode, style.invent)
    cadence = harmony.pick(cadences(style, mode)) if style.cadence else ""
    sections = make_sections(random.substream("form"), form, bars, phrase, meter, bar_seconds)
    return Plan(
        random=random,
        bpm=bpm,
        meter=meter,
        bars=bars,
        phrase=phrase,
        swing=Swing(unit, round(frame.uniform(least, most), 3)),
        tonic=tonic,
        mode=mode,
        scale=frozenset((tonic + interval) % 12 for interval in SCALES[mode]),
        chords=lay_chords(loop, tonic, meter.beats, bars, style.cell, cadence),
        sections=sections,
    )


def cadences(style: Style, mode: str) -> tuple[str, ...]:
    """Return the cadences of a style in a mode, plain ones if it has none of its own."""
    flavour = "" if style.cadence in ("", "plain") else f"{style.cadence} "
    return CADENCES[f"{flavour}{'minor' if is_minor(mode) else 'major'}"]


def mode_weights(style: Style) -> dict[str, float]:
    """Return the modes of a style with their weights."""
    return {name.replace("_", " "): weight for name, weight in read_weights(style.modes).items()}


def energy_of(style: Style, variant: str, bpm: float) -> float:
    """Return the energy of a piece, 0 to 1: of its style, ensemble and tempo in quarter notes."""
    calmer = {"full": 0.0, "rhythm": 0.0, "drums": 0.0, "nodrums": 0.1, "duo": 0.1, "solo": 0.1}
    low, high = 60.0, 180.0
    tempo = (min(high, max(low, bpm)) - low) / (high - low) - 0.4
    return round(min(1.0, max(0.02, style.energy - calmer[variant] + 0.1 * tempo)), 3)


def moods_of(style: Style, mode: str, random: RandomStream) -> tuple[str, ...]:
    """Draw up to four mood words that a style has in a mode."""
    kind = "minor" if is_minor(mode) else "major"
    words = f"{style.moods.get('any', '')} {style.moods.get(kind, '')}".split()
    return tuple(random.substream("moods").sample([w.replace("_", " ") for w in words], 4))
