"""Arrangement: chooses the instruments of a style, writes their parts and sets gain and pan."""

from dataclasses import replace

from jen1cli.composition.automation import automate_build, hold_last_chord
from jen1cli.composition.instruments import INSTRUMENTS, Instrument
from jen1cli.composition.mix import balanced_gain
from jen1cli.composition.parts.bass import ALGORITHMS, LINES, write_bass
from jen1cli.composition.parts.comping import COMPS, Hand, write_comp, write_drone
from jen1cli.composition.parts.counterpoint import COUNTERS, write_counter
from jen1cli.composition.parts.drums import write_drums, write_hits
from jen1cli.composition.parts.melodic_styles import MELODIC_STYLES
from jen1cli.composition.parts.melody import write_melody
from jen1cli.composition.parts.riffs import RIFFS, write_riff
from jen1cli.composition.plan import Plan, Touch, in_range
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.rhythm.grooves import GROOVES
from jen1cli.composition.score import Note, Part, Section, Stem
from jen1cli.composition.styles.style import Style, Voice, read_effects, read_weights

_POLYPHONIC = frozenset(
    {"piano", "electric piano", "guitar", "harp", "organ", "harpsichord", "accordion"}
)
_POLYPHONIC_NAMES = frozenset(
    {"vibraphone", "marimba", "music_box", "kalimba", "koto", "dulcimer", "celesta"}
)

# role -> (largest pan, reverb send, stem)
_ROLES: dict[str, tuple[float, float, Stem]] = {
    "drums": (0.0, 0.08, "drums"),
    "percussion": (0.35, 0.15, "drums"),
    "bass": (0.0, 0.03, "bass"),
    "chords": (0.25, 0.18, "harmony"),
    "stabs": (0.25, 0.2, "harmony"),
    "strum": (0.4, 0.15, "harmony"),
    "pad": (0.1, 0.35, "harmony"),
    "arpeggio": (0.35, 0.25, "harmony"),
    "drone": (0.0, 0.35, "harmony"),
    "melody": (0.12, 0.22, "melody"),
    "counter": (0.45, 0.25, "melody"),
    "riff": (0.25, 0.15, "melody"),
    "texture": (0.0, 0.2, "harmony"),
}


def arrange(style: Style, plan: Plan, variant: str, random: RandomStream) -> tuple[Part, ...]:
    """Write the parts of a style's voices for a plan.

    Args:
        style: Style with the voices.
        plan: Tempo, chords and form.
        variant: Choice of voices: "full", "nodrums", "duo", "solo", "drums" or "rhythm".
        random: Source of random choices.
    """
    parts: list[Part] = []
    if variant == "solo":
        return _solo(style, plan, random)
    drums = style.drums
    with_drums = variant in ("full", "drums", "rhythm")
    if (
        drums
        and with_drums
        and (variant != "full" or random.substream("band").chance(drums.chance))
    ):
        parts.append(_drum_part(style, plan, random))
    lead: tuple[Note, ...] = ()
    voices = _present(style, variant, random)
    for voice in sorted(voices, key=lambda v: v.role == "counter"):
        choose = random.substream("instrument", voice.role, voice.instruments)
        used = {part.instrument for part in parts}
        names = read_weights(voice.instruments)
        free = {name: weight for name, weight in names.items() if name not in used} or names
        instrument = INSTRUMENTS[choose.weighted(free)]
        notes = _write(style, plan, voice, instrument, lead, choose)
        if voice.role == "melody" and not lead:
            lead = notes
        notes = in_range(_layered(plan, voice, notes), instrument.low, instrument.high)
        if notes:
            parts.append(_part(plan, voice, instrument, notes, choose))
            if voice.double:
                parts.append(_doubled(parts[-1], voice.double))
    if variant == "full" and "electronic" in style.tags:
        parts = automate_build(plan, parts, random.substream("build"))
    if style.cadence and random.substream("ending").chance(0.65):
        parts = hold_last_chord(plan, parts)
    return tuple(parts)


def _present(style: Style, variant: str, random: RandomStream) -> list[Voice]:
    band = random.substream("voices")
    drawn = [(voice, band.chance(voice.chance)) for voice in style.voices]
    voices = [voice for voice, there in drawn if there]
    if variant == "drums":
        return [voice for voice in voices if voice.role == "percussion"]
    if variant == "rhythm":
        return [voice for voice in voices if voice.role in ("bass", "percussion")]
    if variant == "nodrums":
        return [voice for voice in voices if voice.role != "percussion"]
    if variant == "duo":
        tonal = [v for v in style.voices if v.role not in ("percussion", "texture", "pad", "drone")]
        melodic = [v for v in tonal if v.role in ("melody", "riff", "counter")]
        below = [v for v in tonal if v.role in ("chords", "strum", "arpeggio", "stabs")]
        return [*below[:1], *melodic[:1]] if below and melodic else tonal[:2]
    return voices


def _drum_part(style: Style, plan: Plan, random: RandomStream) -> Part:
    drums = style.drums
    if drums is None:
        raise ValueError(f"the style {style.name!r} has no drums")
    choose = random.substream("kit")
    kit = choose.weighted(read_weights(drums.kits))
    fitting = fitting_grooves(read_weights(drums.grooves), plan.meter.name)
    groove = choose.weighted(fitting)
    fill = choose.weighted(read_weights(drums.fill))
    touch = Touch(timing=style.timing * 0.6, velocity=0.05, push=drums.push)
    notes = write_drums(plan, groove, fill, touch, drums.busy)
    return Part(
        role="drums",
        stem="drums",
        instrument=kit,
        notes=notes,
        gain_db=round(balanced_gain("drums", kit, notes, plan.bpm) + drums.gain, 2),
        pan=0.0,
        reverb=drums.reverb,
        effects=read_effects(drums.effects),
    )


def fitting_grooves(weights: dict[str, float], meter: str) -> dict[str, float]:
    """Return the grooves written in the meter, or those in 4/4, which can be converted."""
    own = {n: w for n, w in weights.items() if GROOVES[n].split(maxsplit=1)[0] == meter}
    plain = {n: w for n, w in weights.items() if GROOVES[n].split(maxsplit=1)[0] == "4/4"}
    spare = {"6/8": "slow_68", "12/8": "slow_68", "3/4": "waltz"}
    return own or plain or {spare.get(meter, "rock"): 1.0}


def _write(
    style: Style,
    plan: Plan,
    voice: Voice,
    instrument: Instrument,
    lead: tuple[Note, ...],
    choose: RandomStream,
) -> tuple[Note, ...]:
    manner = choose.weighted(_fitting(read_weights(voice.manner), plan.meter.name, voice.role))
    timing = style.timing * (0.6 if voice.role == "bass" else 1.0)
    touch = Touch(timing=timing, velocity=0.05, push=voice.push, strum=voice.strum)
    low, high = _range(voice, instrument)
    role = f"{voice.role}/{instrument.name}"
    if voice.role == "percussion" and instrument.family != "drums":
        return write_hits(plan, manner, instrument.low, instrument.high, touch)
    if voice.role == "percussion":
        weights = fitting_grooves({manner: 1.0}, plan.meter.name)
        return write_drums(
            replace(plan, random=plan.random.substream("percussion")),
            choose.weighted(weights),
            "none",
            touch,
            0.1,
        )
    if manner in RIFFS:
        return write_riff(plan, manner, low, high, touch, role)
    if voice.role == "bass" and (manner in LINES or manner in ALGORITHMS):
        return write_bass(plan, manner, low, high, touch, voice.legato or 0.93)
    if manner in MELODIC_STYLES:
        melodic = MELODIC_STYLES[manner]
        if style.scale and not melodic.scale:
            melodic = replace(melodic, scale=style.scale)
        return write_melody(plan, melodic, low, high, touch, role)
    if manner in COUNTERS:
        return write_counter(plan, manner, lead, low, high, touch, role)
    if manner == "drone":
        return write_drone(plan, low, high, choose, touch)
    if manner == "steady":
        return (Note(0.0, plan.beats, 60, 0.6),)
    hand = Hand(
        size=voice.size,
        low=low,
        high=high,
        manner=voice.voicing,
        legato=voice.legato or 0.95,
        bass_low=max(instrument.low, 36),
    )
    return write_comp(plan, manner, hand, touch, role)


def _fitting(weights: dict[str, float], meter: str, role: str) -> dict[str, float]:
    """Return the patterns written in the meter, or else those that can be converted to it."""
    table = LINES if role == "bass" else COMPS
    if role == "percussion":
        return weights

    def having(wanted: str) -> dict[str, float]:
        return {
            name: weight
            for name, weight in weights.items()
            if name not in table or any(line.split()[0] == wanted for line in table[name])
        }

    compound = meter in ("6/8", "12/8")
    spare = {"halves" if role == "bass" else "held": 1.0}
    return having(meter) or ({"sixeight": 1.0} if compound else having("4/4") or spare)


def _range(voice: Voice, instrument: Instrument) -> tuple[int, int]:
    """Return the pitch range (lowest, highest MIDI number) of a voice within its instrument's."""
    if voice.role in ("melody", "counter"):
        low, high = max(instrument.low + 2, 57), min(instrument.high - 2, 84)
        if voice.role == "counter":
            low, high = max(instrument.low, 52), min(instrument.high, 79)
        if high - low < 17:
            low = max(instrument.low, high - 19)
            high = min(instrument.high, max(high, low + 19))
    elif voice.role == "riff":
        low, high = max(instrument.low, 40), min(instrument.high, 74)
    elif voice.role in ("bass", "drone"):
        low, high = instrument.low, instrument.high
    elif voice.role == "arpeggio":
        low, high = max(instrument.low, 55), min(instrument.high, 79)
    else:
        low, high = max(instrument.low, 50), min(instrument.high, 75)
    if voice.low:
        low = max(instrument.low, voice.low)
    if voice.high:
        high = min(instrument.high, voice.high)
    if high - low < 16 and voice.role not in ("bass", "drone"):
        low = max(instrument.low, min(low, high - 16))
        high = min(instrument.high, max(high, low + 16))
    return low, high


def _layered(plan: Plan, voice: Voice, notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Silence a voice in calm sections, if these are short (at most 40 % of the clip and 7 s)."""
    silent = [s for s in plan.sections if s.energy < voice.level]
    length = sum(section.length_beats for section in silent)
    if not silent or length > 0.4 * plan.beats or length * 60 / plan.bpm > 7.0:
        return notes
    return tuple(note for note in notes if not _within(note, silent))


def _within(note: Note, sections: list[Section]) -> bool:
    return any(
        s.start_beat - 0.05 <= note.beat < s.start_beat + s.length_beats - 0.05 for s in sections
    )


def _part(
    plan: Plan, voice: Voice, instrument: Instrument, notes: tuple[Note, ...], choose: RandomStream
) -> Part:
    width, reverb, stem = _ROLES[voice.role]
    gain = balanced_gain(voice.role, instrument.name, notes, plan.bpm)
    pan = voice.pan
    if pan is None:
        pan = round(choose.uniform(0.3, 1.0) * width * choose.pick((-1.0, 1.0)), 2)
    return Part(
        role=voice.role,
        stem=stem,
        instrument=instrument.name,
        notes=notes,
        gain_db=round(gain + voice.gain + choose.gauss(0.7), 2),
        pan=pan,
        reverb=reverb if voice.reverb is None else voice.reverb,
        delay=voice.delay,
        chorus=voice.chorus,
        effects=read_effects(voice.effects),
    )


def _doubled(part: Part, name: str) -> Part:
    notes = in_range(part.notes, INSTRUMENTS[name].low, INSTRUMENTS[name].high)
    return replace(
        part,
        instrument=name,
        notes=tuple(replace(n, velocity=round(n.velocity * 0.85, 4)) for n in notes),
        gain_db=round(part.gain_db - 4.0, 2),
        pan=-part.pan if part.pan else 0.3,
    )


def _solo(style: Style, plan: Plan, random: RandomStream) -> tuple[Part, ...]:
    """Write a solo, with an accompaniment on the same instrument if it can play chords."""
    choose = random.substream("solo")
    instrument = INSTRUMENTS[choose.weighted(read_weights(style.solos))]
    melodic = next((v for v in style.voices if v.role == "melody"), None)
    chordal = next((v for v in style.voices if v.role in ("chords", "strum", "arpeggio")), None)
    rich = instrument.family in _POLYPHONIC or instrument.name in _POLYPHONIC_NAMES
    parts: list[Part] = []
    if rich:
        manner = style.extra.get("solo_comp") or (chordal.manner if chordal else "broken")
        left = Voice("chords", instrument.name, manner, pan=0.0, low=48, high=69, gain=-1.0)
        if chordal:
            left = replace(left, strum=chordal.strum, voicing="close", size=min(chordal.size, 4))
        notes = _write(style, plan, left, instrument, (), choose)
        notes = in_range(notes, instrument.low, instrument.high)
        parts.append(_part(plan, left, instrument, notes, choose))
    manner = style.extra.get("solo_melody") or (melodic.manner if melodic else "lyrical")
    right = Voice("melody", instrument.name, manner, pan=0.0, reverb=0.3)
    if rich:
        right = replace(right, low=64, high=88)
    lead = _write(style, plan, right, instrument, (), choose)
    lead = in_range(lead, instrument.low, instrument.high)
    parts.append(_part(plan, right, instrument, lead, choose))
    return tuple(parts)
