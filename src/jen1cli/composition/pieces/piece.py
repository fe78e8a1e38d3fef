"""Composes a whole piece for a style, a seed and a length, with the controls that are given."""

import math
from dataclasses import dataclass, replace

from jen1cli.composition.automation import hold_last_chord
from jen1cli.composition.composer import energy_of, moods_of
from jen1cli.composition.ensemble import arrange
from jen1cli.composition.form import make_sections, phrase_bars
from jen1cli.composition.harmony.chord_loops import chart_bars
from jen1cli.composition.harmony.theory import KEYS, SCALES, PlacedChord, chord_at
from jen1cli.composition.pieces.chords import (
    MATERIALS,
    chart_chords,
    choose_cadence,
    choose_loops,
    cycle_bars,
    loop_chords,
)
from jen1cli.composition.pieces.endings import breathe, end_parts, keep_kick
from jen1cli.composition.pieces.frame import (
    ENDS_FROM,
    Frame,
    choose_frame,
    choose_variant,
    fitted_style,
)
from jen1cli.composition.pieces.given_parts import with_given_parts
from jen1cli.composition.pieces.passages import (
    LONG_FROM,
    MELODIC,
    PlannedPassage,
    passage_bars,
    plan_passages,
)
from jen1cli.composition.pieces.sections import all_chords, plan_sections, timed
from jen1cli.composition.plan import Plan
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.score import Note, Part, Score, Section
from jen1cli.composition.sound_clips import compose_sounds
from jen1cli.composition.styles import STYLES
from jen1cli.composition.styles.style import Style, read_effects, read_weights
from jen1cli.composition.words import NO_HINTS, PromptHints
from jen1cli.music.chords import Bar, chart_text, parse_chart
from jen1cli.music.controls import NO_CONTROLS, Controls
from jen1cli.music.forms import END, Form
from jen1cli.music.patterns import NONE, parse_melody

_LEAST_CHORD = 1.0  # beats of a chord in which a piece can end
_EARLY = 0.1  # beats by which swing and human timing may move a note to the front


@dataclass(frozen=True)
class _Piece:
    """Choices that all passages of a piece share."""

    style: Style  # as its definition has it
    fitted: Style  # with the drums that fit the request, and without a cadence
    random: RandomStream
    frame: Frame
    variant: str
    form: str
    loops: dict[str, str]
    cadence: str
    cycle: int  # bars after which the chords repeat
    in_phase: bool  # whether chords repeat from the start of the piece: with what is given
    chart: tuple[Bar, ...]  # given chords
    sections: Form | None  # a given form

    def phase(self, passage: PlannedPassage) -> int:
        """Return the bars of the chords' cycle that are over at the start of a passage.

        A short intro or outro ends with the cycle, as the turnaround of a blues does.
        """
        if passage.chords:
            return 0
        if self.in_phase:
            return passage.start % self.cycle
        short = passage.name in ("intro", "outro") and passage.bars < self.cycle
        return self.cycle - passage.bars if short else 0


def compose_piece(
    style: str,
    seed: int,
    seconds: float,
    given: Controls = NO_CONTROLS,
    hints: PromptHints = NO_HINTS,
    *,
    loops: bool = False,
    form: Form | None = None,
) -> Score:
    """Compose a piece of exactly this length; the same arguments give the same score everywhere.

    Given tempo, metre, key, chords, drums and melody are those of the score. Tempo and key that are
    open lie within the style's ranges. A piece of 28 s or more has a form: an intro, passages with
    materials of their own in which parts enter and leave, and an ending.

    Args:
        style: key of `STYLES`.
        seed: any integer.
        seconds: length, more than 0.
        given: controls to keep.
        hints: further requests, read from the prompt.
        loops: whether the end leads to the beginning: no form and no ending.
        form: sections of the piece, which determine its length.

    Raises:
        KeyError: the style is unknown.
        ConfigError: the style has no bars for a form.
    """
    described = STYLES[style]
    if form is not None:
        given = timed(style, seed, form, given, hints)
        seconds = form.bars * given.bar_seconds
    if described.kind == "sounds":
        return compose_sounds(style, seed, seconds)
    piece = _choose(described, RandomStream(seed, style, "piece"), seconds, given, hints, form)
    frame = piece.frame
    if form is not None or (frame.seconds >= LONG_FROM and not loops):
        parts, sections, chords = _with_form(piece)
    else:
        parts, sections, chords = _excerpt(piece, may_end=not loops)
    parts = with_given_parts(parts, frame, given)
    parts = [part for part in (_clipped(part, frame.beats) for part in parts) if part.notes]
    tonal = any(part.stem != "drums" for part in parts)
    has_key = tonal or bool(given.key)
    chart = chart_text(chords) if chords and (tonal or form is not None) else ""
    return Score(
        seed=seed,
        style=style,
        bpm=frame.bpm,
        meter=frame.meter.name,
        key=KEYS[frame.tonic] if has_key else "",
        mode=frame.mode if has_key else "",
        length_beats=frame.beats,
        parts=tuple(parts),
        sections=sections,
        master=read_effects(described.master),
        room=described.room,
        energy=energy_of(described, piece.variant, frame.bpm),
        moods=moods_of(described, frame.mode, piece.random),
        chords=chart if form is not None else given.chords or chart,
    )


def _choose(
    style: Style,
    random: RandomStream,
    seconds: float,
    given: Controls,
    hints: PromptHints,
    sections: Form | None,
) -> _Piece:
    harmonic = given if sections is None else replace(given, chords=all_chords(sections, given))
    frame = choose_frame(style, random.substream("frame"), seconds, harmonic, hints)
    form = random.substream("shape").weighted(read_weights(style.forms))
    melody = parse_melody(given.melody) if given.melody not in ("", NONE) else None
    chart = parse_chart(given.chords) if given.chords else ()
    harmony = random.substream("harmony")
    loops = choose_loops(
        style,
        harmony,
        frame,
        form,
        twelve_bars=hints.twelve_bars,
        melody=None if chart else melody,
    )
    if hints.twelve_bars:
        style = replace(style, cell=1.0)
    return _Piece(
        style=style,
        fitted=fitted_style(style, frame.meter, given, hints),
        random=random,
        frame=frame,
        variant=choose_variant(style, random.substream("variant"), given, hints),
        form=form,
        loops=loops,
        cadence=choose_cadence(style, harmony.substream("cadence"), frame.mode, loops["A"]),
        cycle=cycle_bars(style, loops, chart),
        in_phase=bool(chart) or melody is not None,
        chart=chart,
        sections=sections,
    )


def _excerpt(
    piece: _Piece, *, may_end: bool
) -> tuple[list[Part], tuple[Section, ...], tuple[Bar, ...]]:
    """Compose a short piece as the corpus does."""
    frame, chance = piece.frame, piece.random.substream("ending").chance
    phrase = phrase_bars(frame.bar_seconds, frame.bars)
    sections = make_sections(
        piece.random.substream("form"), piece.form, frame.bars, phrase, frame.meter,
        frame.bar_seconds,
    )  # fmt: skip
    room = frame.bars * frame.bar_seconds >= ENDS_FROM and frame.last_bar == frame.bars - 1
    ends = bool(piece.style.cadence) and room and may_end
    plan = _plan(piece, piece.random, sections, _chords(piece, "A", 0, frame.bars, 0, ends=ends))
    parts = _arranged(piece, plan)
    if ends and chance(0.65):
        parts = hold_last_chord(plan, parts)
    return parts, sections, _bars(plan, piece)


def _with_form(piece: _Piece) -> tuple[list[Part], tuple[Section, ...], tuple[Bar, ...]]:
    """Compose a piece passage by passage; equal passages are composed once."""
    frame = piece.frame
    beats = frame.meter.beats
    passages = _passages(piece)
    blocks: dict[tuple[object, ...], tuple[Plan, list[Part]]] = {}
    notes: dict[tuple[str, str, int], list[Note]] = {}
    first: dict[tuple[str, str, int], Part] = {}
    chart: list[Bar] = []
    last = 1 if piece.sections is None else piece.sections.last_chord_bars
    made = [
        _block(piece, blocks, passage, ends=bool(last) and passage is passages[-1])
        for passage in passages
    ]
    for passage, (plan, parts) in zip(passages, made, strict=True):
        chart += passage.chords[: passage.bars] or _bars(plan, piece)[: passage.bars]
        cut = passage.bars * beats if passage.whole > passage.bars else math.inf
        seen: dict[tuple[str, str], int] = {}
        for part in parts:
            voice = (part.role, part.instrument)
            count = seen[voice] = seen.get(voice, -1) + 1
            key = (*voice, count)
            first.setdefault(key, part)
            if part.role not in passage.silent:
                shift = passage.start * beats
                notes.setdefault(key, []).extend(
                    Note(round(n.beat + shift, 5), n.duration, n.pitch, n.velocity)
                    for n in part.notes
                    if n.beat < cut - _EARLY
                )
    found = [replace(first[key], notes=tuple(notes[key])) for key in notes]
    if chart:  # the last chord sounds on
        chart += [chart[-1][-1:]] * (frame.bars - frame.last_bar - 1)
    sections = tuple(Section(p.name, p.start * beats, p.bars * beats, p.energy) for p in passages)
    if not last:
        return found, sections, tuple(chart)
    start = passages[-1].start * beats
    latest = max(frame.last_bar * beats, frame.beats - _LEAST_CHORD) - start
    chord = chord_at(made[-1][0].chords, latest)
    ending = max(frame.last_bar * beats, start + chord.start)
    if passages[-1].section == END:
        ending = start
    return end_parts(found, ending, frame.beats, chord, frame.tonic), sections, tuple(chart)


def _passages(piece: _Piece) -> tuple[PlannedPassage, ...]:
    frame, random = piece.frame, piece.random.substream("passages")
    if piece.sections is not None:
        return plan_sections(piece.sections, random, piece.chart)
    unit = passage_bars(frame.bar_seconds, piece.cycle)
    return plan_passages(
        piece.form, random, frame.last_bar + 1, unit, frame.bar_seconds, piece.cycle
    )


def _block(
    piece: _Piece,
    blocks: dict[tuple[object, ...], tuple[Plan, list[Part]]],
    passage: PlannedPassage,
    *,
    ends: bool,
) -> tuple[Plan, list[Part]]:
    """Return plan and parts of a passage, or of a longer one that begins with it, at time 0."""
    material = passage.material if passage.material in MATERIALS else "A"
    phase = piece.phase(passage)
    bars = passage.bars if ends else max(passage.bars, passage.whole)
    key = (passage.section, passage.material, passage.variation, bars, phase, passage.chords)
    if ends or key not in blocks:
        section = Section(passage.name, 0.0, bars * piece.frame.meter.beats, passage.energy)
        if passage.chords:
            chords = chart_chords(passage.chords, 0, bars, piece.frame.meter.beats)
        elif passage.section == END:
            chords = _last_chord(piece, section.length_beats)
        else:
            chords = _chords(piece, material, passage.start, bars, phase, ends=ends)
        names = ("section", passage.section) if passage.section else ("material", material)
        plan = _plan(piece, piece.random.substream(*names), (section,), chords)
        parts = _arranged(piece, plan)
        if passage.variation:
            stream = piece.random.substream("material", material, str(passage.variation))
            others = _arranged(piece, replace(plan, random=stream))
            parts = [
                *(part for part in parts if part.role not in MELODIC),
                *(part for part in others if part.role in MELODIC),
            ]
        if ends:
            parts = hold_last_chord(plan, parts)
        blocks[key] = plan, parts
    return blocks[key]


def _last_chord(piece: _Piece, beats: float) -> tuple[PlacedChord, ...]:
    laid = loop_chords(piece.loops["A"], piece.style, piece.frame, 1, cadence=piece.cadence)
    return (replace(laid[-1], start=0.0, length=beats),)


def _chords(
    piece: _Piece, material: str, start: int, bars: int, phase: int, *, ends: bool
) -> tuple[PlacedChord, ...]:
    if piece.chart:
        given = chart_chords(piece.chart, start, bars, piece.frame.meter.beats)
        if given:
            return given
    return loop_chords(
        piece.loops[material],
        piece.style,
        piece.frame,
        bars,
        phase=phase,
        cadence=piece.cadence if ends else "",
    )


def _plan(
    piece: _Piece,
    random: RandomStream,
    sections: tuple[Section, ...],
    chords: tuple[PlacedChord, ...],
) -> Plan:
    frame = piece.frame
    bars = round(sum(section.length_beats for section in sections) / frame.meter.beats)
    return Plan(
        random=random,
        bpm=frame.bpm,
        meter=frame.meter,
        bars=bars,
        phrase=phrase_bars(frame.bar_seconds, bars),
        swing=frame.swing,
        tonic=frame.tonic,
        mode=frame.mode,
        scale=frozenset((frame.tonic + interval) % 12 for interval in SCALES[frame.mode]),
        chords=chords,
        sections=sections,
    )


def _arranged(piece: _Piece, plan: Plan) -> list[Part]:
    """Write all parts of a plan; all plans of a piece have the same instruments."""
    parts = arrange(piece.fitted, plan, piece.variant, piece.random.substream("band"))
    return [breathe(keep_kick(part, plan), plan) for part in parts]


def _bars(plan: Plan, piece: _Piece) -> tuple[Bar, ...]:
    """Return the bars of a plan's chords; empty if those of the whole piece are given."""
    if piece.chart and piece.sections is None:
        return ()
    return chart_bars(plan.chords, plan.meter.beats, plan.bars)


def _clipped(part: Part, beats: float) -> Part:
    """Cut the notes at the end of the piece."""
    kept = [
        note if note.beat + note.duration <= beats else replace(note, duration=beats - note.beat)
        for note in part.notes
        if note.beat < beats - 0.02
    ]
    return replace(part, notes=tuple(sorted(kept, key=lambda note: (note.beat, note.pitch))))
