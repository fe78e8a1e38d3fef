"""What to generate: prompts of the command line or of a file, one request for each piece."""

import dataclasses
import difflib
import json
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jen1cli.cli import streams
from jen1cli.cli.sampling import (
    DIRECTIONS,
    GUIDE_OPTIONS,
    Sampling,
    check_choice,
    check_seconds,
    check_seed,
    check_text,
)
from jen1cli.errors import AudioError, ConfigError

MAX_PROMPT_CHARACTERS = 1_000
MAX_REQUESTS = 10_000
SEED_BITS = 31


@dataclass(frozen=True)
class Request:
    """One piece of music to make."""

    prompt: str
    seed: int
    seconds: float
    direction: str
    sampling: Sampling


def draw_seed() -> int:
    """Draw a seed that is easy to type."""
    return secrets.randbelow(2**SEED_BITS)


def check_prompt(prompt: str, where: str = "the prompt") -> str:
    """Return the prompt without space around it.

    Raises:
        ConfigError: it is empty, far too long, or in a script that the text encoder cannot read.
    """
    text = " ".join(check_text(prompt, where).split())
    if not text:
        raise ConfigError(f"{where} is empty; say what the music should be, such as 'lofi piano'")
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
    lines: list[tuple[dict[str, Any], str]] = []
    for prompt in prompts:
        if prompt == "-":
            lines.extend(_read_lines("-"))
        else:
            lines.append(({"prompt": prompt}, "the prompt"))
    if source is not None:
        lines.extend(_read_lines(source))
    if not lines:
        raise ConfigError('no prompt given; write: jen1 generate "lofi piano"')
    if len(lines) * count > MAX_REQUESTS:
        raise ConfigError(f"{len(lines) * count} pieces asked for; at most {MAX_REQUESTS} at once")
    requests: list[Request] = []
    for values, where in lines:
        own = values.get("seed")
        for copy in range(count):
            drawn = first + len(requests) if own is None else own + copy
            requests.append(_build(values, where, check_seed(drawn, where), base))
    return requests


def _read_lines(source: str) -> list[tuple[dict[str, Any], str]]:
    name = "stdin" if source == "-" else source
    try:
        data = (
            streams.read_stdin("prompts").getvalue() if source == "-" else Path(source).read_bytes()
        )
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"--from {name} is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise AudioError(f"--from {name} cannot be read: {error.strerror}") from error
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            where = f"line {number} of {name}"
            lines.append((_parse_line(line.strip(), where), where))
    if not lines:
        raise ConfigError(f"--from {name} has no prompts; write one per line")
    return lines


_TYPES: dict[str, tuple[type, ...]] = {
    "prompt": (str,),
    "seed": (int,),
    "seconds": (float, int),
    "negative": (str,),
    "bpm": (float, int),
    "key": (str,),
    "chords": (str,),
    "drums": (str,),
    "melody": (str,),
    "steps": (int,),
    "sampler": (str,),
    "guidance_scale": (float, int),
    "direction": (str,),
}


def _parse_line(line: str, where: str) -> dict[str, Any]:
    if not line.startswith("{"):
        return {"prompt": line}
    try:
        values = json.loads(line)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{where} is not valid JSON ({error.msg}); mend it") from error
    for key, value in values.items():
        if key not in _TYPES:
            close = difflib.get_close_matches(key, _TYPES, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(_TYPES)}"
            raise ConfigError(f"{where} has an unknown key '{key}'{hint}")
        if not isinstance(value, _TYPES[key]) or isinstance(value, bool):
            kind = _TYPES[key][0].__name__
            raise ConfigError(f"{where}: '{key}' is {value!r}; give a value of type {kind}")
    if "prompt" not in values:
        raise ConfigError(f"{where} lacks 'prompt'")
    return values


def _build(values: dict[str, Any], where: str, seed: int, base: Request) -> Request:
    named = ("steps", "sampler", *GUIDE_OPTIONS)
    own = {key: values[key] for key in named if key in values}
    if "guidance_scale" in values:
        own["guidance_scale"] = float(values["guidance_scale"])
    if "negative" in values:
        own["negative_prompt"] = values["negative"]
    place = f"{where}: " if where.startswith("line") else ""
    return Request(
        prompt=check_prompt(values["prompt"], where),
        seed=seed,
        seconds=check_seconds(float(values.get("seconds", base.seconds)), where),
        direction=check_choice(
            values.get("direction", base.direction), DIRECTIONS, f"{place}--direction"
        ),
        sampling=dataclasses.replace(base.sampling, **own).check(where),
    )
