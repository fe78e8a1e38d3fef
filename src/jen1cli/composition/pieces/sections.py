"""Pieces of a given form: their tempo, and the passages of their sections."""

from collections.abc import Sequence
from dataclasses import replace

from jen1cli.composition.pieces.chords import MATERIALS
from jen1cli.composition.pieces.frame import choose_frame
from jen1cli.composition.pieces.passages import PlannedPassage, silent_in, silent_intro
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.styles import STYLES
from jen1cli.composition.words import NO_HINTS, PromptHints
from jen1cli.errors import ConfigError
from jen1cli.music.chords import Bar, chart_text, parse_chart
from jen1cli.music.controls import MAX_BPM, MIN_BPM, NO_CONTROLS, Controls
from jen1cli.music.forms import END, OUTRO, Form, FormSection

ENERGIES = {
    "intro": 0.3, "theme": 0.55, "main": 0.65, "verse": 0.5, "pre-chorus": 0.65, "chorus": 0.85,
    "bridge": 0.45, "solo": 0.7, "build": 0.55, "drop": 0.95, "break": 0.4, "calm": 0.35,
    "climax": 1.0, OUTRO: 0.35,
}  # fmt: skip
"""Energy of sections by name, 0 to 1; others have that of `_USUAL_ENERGY`."""
_USUAL_ENERGY = 0.6
_UNLIKE_BODY = ("intro", OUTRO, END)  # have the chords of the first other section
_TOLERANCE = 0.01  # seconds by which a given length may differ from that of the bars


def timed(
    style: str,
    seed: int,
    form: Form,
    given: Controls = NO_CONTROLS,
    hints: PromptHints = NO_HINTS,
    seconds: float | None = None,
) -> Controls:
    """Return given controls with the tempo and the metre in which a form is played.

    Args:
        style: key of `STYLES`.
        seed: the piece's seed.
        form: its sections.
        given: controls to keep.
        hints: further requests, read from the prompt.
        seconds: length of the piece, which determines an open tempo; None: that of the bars.

    Raises:
        ConfigError: the style has no bars, or tempo, bars and length contradict each other.
    """
    if STYLES[style].kind == "sounds":
        raise ConfigError(
            f"the style '{style}' has no bars, so it has no form; leave the form out, or name a"
            " style of music, such as 'pop'"
        )
    random = RandomStream(seed, style, "piece").substream("frame")
    frame = choose_frame(STYLES[style], random, 1.0, given, hints)
    found = replace(given, bpm=frame.felt_bpm, meter=frame.meter.name, downbeat=0.0)
    length = form.bars * found.bar_seconds
    if seconds is None or abs(length - seconds) <= _TOLERANCE:
        return found
    if given.bpm:
        raise ConfigError(
            f"the form's {form.bars} bars at {given.bpm:g} bpm last {length:.2f} s, not"
            f" {seconds:g}; leave out the length or the tempo"
        )
    bpm = found.bpm * length / seconds
    shortest, longest = length * found.bpm / MAX_BPM, length * found.bpm / MIN_BPM
    if not MIN_BPM <= bpm <= MAX_BPM:
        raise ConfigError(
            f"the form's {form.bars} bars in {seconds:g} s would be {bpm:.0f} beats per minute;"
            f" give {shortest:.0f} to {longest:.0f} s, or no length"
        )
    return replace(found, bpm=bpm)


def all_chords(form: Form, given: Controls) -> str:
    """Return a chart of the chords that a form and the controls give; "" if they give none.

    It has no times: it serves to find the key.
    """
    bars = [bar for section in form.sections for bar in section.chart]
    return chart_text((*bars, *(parse_chart(given.chords) if given.chords else ())))


def plan_sections(
    form: Form, random: RandomStream, chart: Sequence[Bar]
) -> tuple[PlannedPassage, ...]:
    """Return a passage for each section; sections of one name and chords have one material.

    Args:
        form: sections of the piece.
        random: source of random choices.
        chart: given chords, which repeat from the start of the piece; empty: left open.
    """
    charts = [
        section.chart or _played(chart, start, section, form)
        for section, start in zip(form.sections, form.starts, strict=True)
    ]
    bodies = dict.fromkeys(s.name for s in form.sections if s.name not in _UNLIKE_BODY)
    materials = {name: MATERIALS[index % len(MATERIALS)] for index, name in enumerate(bodies)}
    highest = max(map(_energy, form.sections))
    passages: list[PlannedPassage] = []
    for section, start, bars in zip(form.sections, form.starts, charts, strict=True):
        alike = [
            (other.bars, other_bars)
            for other, other_bars in zip(form.sections, charts, strict=True)
            if other.name == section.name and other_bars[: section.bars] == bars
        ]
        whole, chords = max(alike, key=lambda item: item[0])
        stream = random.substream(section.name)
        silent = (
            silent_intro(random, highest)
            if section.name == "intro"
            else silent_in(section.name, stream)
        )
        passages.append(
            PlannedPassage(
                section.name,
                materials.get(section.name, MATERIALS[0]),
                0,
                start,
                section.bars,
                _energy(section),
                silent,
                section=section.name,
                whole=whole,
                chords=chords,
            )
        )
    return tuple(passages)


def _energy(section: FormSection) -> float:
    return ENERGIES.get(section.name, _USUAL_ENERGY)


def _played(chart: Sequence[Bar], start: int, section: FormSection, form: Form) -> tuple[Bar, ...]:
    """Return the bars of a chart that fall into a section.

    A chart that is over before the last chord, and so repeats, leaves that chord open.
    """
    if not chart or (section.name == END and len(chart) < form.bars):
        return ()
    return tuple(chart[bar % len(chart)] for bar in range(start, start + section.bars))
