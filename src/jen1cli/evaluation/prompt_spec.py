"""Reads the checkable requests of a prompt: style, instruments, drums, tempo, key.

Prompts are parsed with the vocabulary of the corpus (`jen1cli.composition.words`), longest phrases
first, so that "drum and bass" does not ask for a bass. Properties that a prompt does not name are
not scored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from jen1cli.composition.words import (
    find_styles,
    find_words,
    instrument_words,
    is_denied,
    read_drums,
    style_words,
)
from jen1cli.descriptions import read_attributes
from jen1cli.errors import ConfigError, DataError
from jen1cli.jsonfiles import parse_object, read_lines
from jen1cli.music.controls import NO_CONTROLS, Controls
from jen1cli.music.prompt import TEMPO_WORDS, read_key, read_tempo


@dataclass(frozen=True)
class PromptSpec:
    """Requests of one prompt; empty, None or 0 for properties that it does not name."""

    prompt: str
    styles: frozenset[str] = frozenset()  # one of these
    instruments: tuple[frozenset[str], ...] = ()  # for each one named, the accepted families
    absent: tuple[frozenset[str], ...] = ()  # families that must not be present
    drums: bool | None = None
    bpm: float = 0.0
    key: str = ""
    mode: str = ""
    energy: float | None = None  # energy of the composition that the prompt describes
    attributes: Mapping[str, Any] = field(default_factory=dict)
    controls: Controls = NO_CONTROLS  # given or composed, in the time of the music


def read_prompt_spec(prompt: str, attributes: Mapping[str, Any] | None = None) -> PromptSpec:
    """Parse the requests of a prompt.

    Args:
        prompt: text.
        attributes: attributes of the composition that it describes, if known: they resolve
            ambiguous style words and give the energy.
    """
    facts = dict(attributes or {})
    energy = facts.get("energy")
    text = prompt.lower()
    key, mode = read_key(prompt)
    styles, text_left = _styles(TEMPO_WORDS.sub(" ", text), facts)
    wanted, absent = _instruments(text_left)
    return PromptSpec(
        prompt=prompt,
        styles=styles,
        instruments=wanted,
        absent=absent,
        drums=read_drums(text_left),
        bpm=read_tempo(prompt),
        key=key,
        mode=mode,
        energy=None if energy is None else float(energy),
        attributes=facts,
    )


def _styles(text: str, facts: Mapping[str, Any]) -> tuple[frozenset[str], str]:
    """Return the named styles, and the text without their names."""
    found: set[str] = set()
    left = text
    for match in find_styles(text):
        start, stop = match.span()
        found.update(style_words()[match[1]])
        if match[1] not in instrument_words():
            left = left[:start] + " " * (stop - start) + left[stop:]
    style = facts.get("style")
    if found and style in found:
        found = {style}
    return frozenset(found), left


def _instruments(text: str) -> tuple[tuple[frozenset[str], ...], tuple[frozenset[str], ...]]:
    wanted: dict[frozenset[str], None] = {}
    absent: dict[frozenset[str], None] = {}
    for match in find_words(instrument_words(), text):
        meaning = frozenset(instrument_words()[match[1]])
        (absent if is_denied(text, match.start()) else wanted)[meaning] = None
    return tuple(wanted), tuple(absent)


def checkable(specs: PromptSpec) -> tuple[bool, ...]:
    """Return whether style, instruments, drums, tempo and key are asked for."""
    return (
        bool(specs.styles),
        bool(specs.instruments),
        specs.drums is not None,
        specs.bpm > 0,
        bool(specs.key),
    )


def choose_caption(captions: Sequence[str], attributes: Mapping[str, Any], turn: int) -> str:
    """Choose a caption of clip `turn`, one that names checkable property `turn` mod 5 if possible.

    The package's prompts were chosen in this way, so real music with captions chosen in the same
    way is their ceiling.
    """
    fitting = [c for c in captions if checkable(read_prompt_spec(c, attributes))[turn % 5]]
    return (fitting or captions)[(turn * 7919) % len(fitting or captions)]


def read_prompts(path: Path | None) -> list[PromptSpec]:
    """Read prompts: one per line, or JSONL with `prompt` and optional `attributes`.

    Args:
        path: text or JSONL file; None is the package's 240 prompts, captions of compositions of
            the corpus' test split.

    Raises:
        DataError: the file is missing, empty or malformed.
    """
    if path is None:
        data = files("jen1cli.evaluation").joinpath("data/prompts.jsonl").read_bytes()
        lines = read_lines(data, "the package's prompts")
    else:
        lines = read_lines(path)
    try:
        found = [_read_prompt(text, where) for where, text in lines]
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give a text file") from error
    if not found:
        raise DataError(f"{path} has no prompts; write one a line")
    return found


def _read_prompt(text: str, where: str) -> PromptSpec:
    if not text.startswith("{"):
        return read_prompt_spec(text)
    facts = parse_object(text, where)
    try:
        if not isinstance(facts.get("prompt"), str):
            raise ConfigError('it has no "prompt" in words')
        return read_prompt_spec(facts["prompt"], read_attributes(facts.get("attributes")))
    except ConfigError as error:
        raise DataError(f"{where}: {error}; mend or remove it") from error
