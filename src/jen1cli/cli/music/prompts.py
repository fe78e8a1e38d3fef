"""Prompts from the command line or a file, as one request per piece."""

import dataclasses
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jen1cli.cli import streams
from jen1cli.cli.groups import options_of, replaced
from jen1cli.cli.sampling import (
    DIRECTIONS,
    SamplingChoice,
    check_choice,
    check_seed,
    check_text,
    chosen_seconds,
)
from jen1cli.errors import AudioError, ConfigError
from jen1cli.jsonfiles import parse_object, read_lines
from jen1cli.sampling import check_loop_bars, draw_seed
from jen1cli.typed_json import from_dict

MAX_PROMPT_CHARACTERS = 1_000
MAX_REQUESTS = 10_000


@dataclass(frozen=True)
class PromptLine:
    """One line of a prompt file; None for the command line's settings."""

    prompt: str
    seed: int | None = None
    seconds: float | None = None
    direction: str | None = None
    loop_bars: int | None = None

    def sampling(self) -> dict[str, object]:
        """Return the options of `SamplingChoice` that the line sets."""
        values = {name: getattr(self, name, None) for name in SAMPLING_NAMES}
        return {name: value for name, value in values.items() if value is not None}


SAMPLING_NAMES = tuple(item.name for item in options_of(SamplingChoice))
_ObjectLine = dataclasses.make_dataclass(
    "_ObjectLine",
    [(item.name, item.annotation, item.default) for item in options_of(SamplingChoice)],
    bases=(PromptLine,),
    frozen=True,
)
"""A line that is a JSON object: with every option of sampling under its own name."""


@dataclass(frozen=True)
class Request:
    """One piece of music to make."""

    prompt: str
    seed: int
    seconds: float | None  # of a base, None: that of the score, or the usual one
    direction: str
    sampling: SamplingChoice
    loop_bars: int | None = None  # None: no loop

    @property
    def length(self) -> dict[str, Any]:
        """The length as keyword argument of `Jen1.generate_batch`."""
        if self.loop_bars is not None:
            return {"loop_bars": self.loop_bars}
        return {"seconds": self.seconds}


def check_prompt(prompt: str, where: str = "the prompt") -> str:
    """Return the prompt without surrounding whitespace.

    Raises:
        ConfigError: it is empty, far too long, no plain text, or in a script that the text encoder
            cannot read.
    """
    text = " ".join(check_text(prompt, where).split())
    if not text:
        raise ConfigError(f"{where} is empty; say what the music should be, such as 'lofi piano'")
    if any(unicodedata.category(char) == "Cc" for char in text):
        raise ConfigError(f"{where} holds control characters; write it as plain text")
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise ConfigError(
            f"{where} has {len(text):,} characters; at most {MAX_PROMPT_CHARACTERS:,} are read,"
            " so shorten it to what matters"
        )
    letters = [letter for letter in text if letter.isalpha()]
    foreign = [letter for letter in letters if not _is_latin(letter)]
    if not letters or 2 * len(foreign) > len(letters):
        shown = text if len(text) <= 40 else text[:40] + "…"
        raise ConfigError(
            f"{where} '{shown}' is not in Latin letters, which the text encoder needs;"
            " write it in English"
        )
    return text


def _is_latin(letter: str) -> bool:
    return "LATIN" in unicodedata.name(letter, "")


def read_requests(
    prompts: Sequence[str], source: str | None, count: int, seed: int | None, base: Request
) -> list[Request]:
    """List every piece to make: the prompts in order, then those of the file, each `count` times.

    Piece i has the seed `seed` + i; a line of the file with a seed of its own starts from that.

    Args:
        prompts: prompts of the command line; '-' stands for the lines of stdin.
        source: the value of `--from`, or None.
        count: pieces for each prompt.
        seed: first seed; drawn where None.
        base: the settings of the command line, which a line of the file may replace.
    """
    if count < 1:
        raise ConfigError(f"--count {count} makes nothing; give 1 or more")
    first = draw_seed() if seed is None else check_seed(seed)
    lines: list[tuple[PromptLine, str]] = []
    for prompt in prompts:
        if prompt == "-":
            lines.extend(_read_lines("-"))
        else:
            lines.append((PromptLine(prompt), "the prompt"))
    if source is not None:
        lines.extend(_read_lines(source))
    if not lines:
        raise ConfigError('no prompt given; write: jen1 generate "lofi piano"')
    if len(lines) * count > MAX_REQUESTS:
        raise ConfigError(f"{len(lines) * count} pieces asked for; at most {MAX_REQUESTS} at once")
    requests: list[Request] = []
    for line, where in lines:
        for copy in range(count):
            drawn = first + len(requests) if line.seed is None else line.seed + copy
            requests.append(_build(line, where, check_seed(drawn, where), base))
    return requests


def _read_lines(source: str) -> list[tuple[PromptLine, str]]:
    name = "stdin" if source == "-" else source
    lines = []
    try:
        given = streams.read_stdin("prompts").getvalue() if source == "-" else Path(source)
        for where, text in read_lines(given, name):
            lines.append((_parse_line(text, where), where))
            if len(lines) > MAX_REQUESTS:
                raise ConfigError(f"--from {name} has more than {MAX_REQUESTS} prompts; split it")
    except OSError as error:
        raise AudioError(f"--from {name} cannot be read: {error.strerror}") from error
    if not lines:
        raise ConfigError(f"--from {name} has no prompts; write one per line")
    return lines


def _parse_line(text: str, where: str) -> PromptLine:
    if not text.startswith("{"):
        return PromptLine(text)
    try:
        return from_dict(_ObjectLine, parse_object(text, where), "", complete=False)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _build(line: PromptLine, where: str, seed: int, base: Request) -> Request:
    place = f"{where}: " if where.startswith("line") else ""
    seconds, bars = line.seconds, line.loop_bars
    if seconds is None and bars is None:  # a line has a length of its own, or the common one
        seconds, bars = base.seconds, base.loop_bars
    elif None not in (seconds, bars):
        raise ConfigError(f"{place}seconds and loop_bars are two lengths; give one of them")
    if bars is not None:
        check_loop_bars(bars, place)
    direction = check_choice(line.direction or base.direction, DIRECTIONS, "--direction", place)
    if bars is not None and direction != DIRECTIONS[0]:
        raise ConfigError(f"{place}--direction {direction} is not for loops; leave it out")
    sampling = replaced(base.sampling, line.sampling()).check(where)
    return Request(
        prompt=check_prompt(line.prompt, where),
        seed=seed,
        seconds=chosen_seconds(seconds, sampling, where) if bars is None else None,
        direction=direction,
        sampling=sampling,
        loop_bars=bars,
    )
