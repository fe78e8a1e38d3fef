"""Prompts from the command line or a file, as one request per piece."""

import dataclasses
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jen1cli.cli import streams
from jen1cli.cli.groups import options_of, replaced
from jen1cli.cli.music.covers import Covered, open_recording, read_keep
from jen1cli.cli.sampling import (
    DIRECTIONS,
    SamplingChoice,
    check_choice,
    check_seconds,
    check_seed,
    chosen_seconds,
)
from jen1cli.errors import ConfigError, Jen1Error
from jen1cli.music.controls import NO_CONTROLS, SIXTEENTHS, Controls
from jen1cli.music.forms import parse_form
from jen1cli.music.texts import check_prompt
from jen1cli.sampling import DEFAULT_BARS, SamplingOptions, check_loop_bars, draw_seed
from jen1cli.scale.requests import PieceRequest
from jen1cli.scale.rows import Row, read_rows
from jen1cli.typed_json import from_dict

MAX_REQUESTS = 10_000
USUAL_BPM = 120.0  # tempo of loops in the plan of a set, where none is given
USUAL_METER = "4/4"
_LISTS = ("keep", "instruments")
"""Keys whose values may be lists of names."""
LEFT_OPEN = 0
"""Bars of a loop that the score of each line determines."""


@dataclass(frozen=True)
class PromptLine:
    """One line of a prompt file; None for the command line's settings."""

    prompt: str
    seed: int | None = None
    seconds: float | None = None
    direction: str | None = None
    loop_bars: int | None = None
    form: str | None = None
    cover: str | None = None  # recording whose score is played; `keep` chooses from it

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
_NUMBERS = {
    name: kind
    for name, hint in typing.get_type_hints(_ObjectLine).items()
    for kind in (int, float)
    if kind in typing.get_args(hint)
}
"""Columns of numbers."""


@dataclass(frozen=True)
class PromptRequest:
    """One piece, as the command line or a line of a prompt file asks for it."""

    prompt: str
    seed: int
    seconds: float | None  # None in a base: the score's length, or the usual one
    direction: str
    sampling: SamplingChoice
    # None: no loop; of a base, `LEFT_OPEN`: those of a line's own score, or the usual ones
    loop_bars: int | None = None
    form: str | None = None
    covered: Covered | None = None

    @property
    def length(self) -> dict[str, Any]:
        """The length as keyword argument of `Jen1.generate_batch`."""
        if self.loop_bars is not None:
            return {"loop_bars": self.loop_bars}
        return {"seconds": self.seconds}

    @property
    def options(self) -> SamplingOptions:
        """Form and settings as keyword arguments of `Jen1.generate_batch`."""
        options = self.sampling.arguments()
        if self.form is not None:
            options["form"] = self.form
        return options


def read_requests(
    prompts: Sequence[str], source: str | None, count: int, seed: int | None, base: PromptRequest
) -> list[PromptRequest]:
    """List every piece to make: the prompts in order, then those of the file, each `count` times.

    Piece i has the seed `seed` + i; a line of the file with a seed of its own starts from that.

    Args:
        prompts: prompts of the command line; '-' stands for the lines of stdin.
        source: the value of `--from`, or None.
        count: pieces for each prompt.
        seed: first seed; drawn where None.
        base: the settings of the command line, which a line of the file may replace.
    """
    check_base(base, count, seed)
    first = draw_seed() if seed is None else seed
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
    requests: list[PromptRequest] = []
    for line, where in lines:
        for copy in range(count):
            drawn = first + len(requests) if line.seed is None else line.seed + copy
            requests.append(_build(line, where, check_seed(drawn, where), base))
    return requests


def check_base(base: PromptRequest, count: int, seed: int | None) -> None:
    """Check what the command line says of every piece.

    Raises:
        ConfigError: a value makes no sense.
    """
    if count < 1:
        raise ConfigError(f"--count {count} makes nothing; give 1 or more")
    if seed is not None:
        check_seed(seed)
    if base.seconds is not None:
        check_seconds(base.seconds)
    check_choice(base.direction, DIRECTIONS, "--direction")


def _read_lines(source: str) -> list[tuple[PromptLine, str]]:
    name = "stdin" if source == "-" else source
    lines = []
    given = streams.read_stdin("prompts") if source == "-" else None
    for row in read_rows(source, stdin=given):
        lines.append((_parse_row(row), row.where))
        if len(lines) > MAX_REQUESTS:
            raise ConfigError(
                f"--from {name} has more than {MAX_REQUESTS} prompts; make a set of them, with"
                " --resume"
            )
    if not lines:
        raise ConfigError(f"--from {name} has no prompts; write one per line")
    return lines


def _parse_row(row: Row) -> PromptLine:
    if row.fault is not None:
        raise row.fault
    try:
        values = {key: _typed(key, value) if row.is_text else _worded(key, value)
                  for key, value in row.values.items()}  # fmt: skip
        return from_dict(_ObjectLine, values, "", complete=False)
    except ConfigError as error:
        raise ConfigError(f"{row.where}: {error}") from error


def _typed(key: str, text: str) -> object:
    """Read a cell of a table as the number that its column holds; other text stays as it is."""
    kind = _NUMBERS.get(key)
    try:
        return text if kind is None else kind(text)
    except ValueError:
        return text  # refused later, with its column


def _worded(key: str, value: object) -> object:
    """Write the number of a voice, and lists of names, as the command line takes them."""
    if key == "melody_track" and type(value) is int:
        return str(value)
    if key in _LISTS and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    return value


@dataclass(frozen=True)
class RowReader:
    """Reads the requests of a row, each with the seed of its number in the whole source."""

    base: PromptRequest  # settings that a row may replace
    first_seed: int  # seed of the first piece; a row's own seed replaces it
    copies: int = 1  # pieces for each row

    def __call__(self, row: Row) -> list[PieceRequest]:
        """Return the requests of a row.

        Raises:
            Jen1Error: what is wrong with the row.
        """
        line = _parse_row(row)
        found = []
        for copy in range(self.copies):
            number = row.index * self.copies + copy
            seed = self.first_seed + number if line.seed is None else line.seed + copy
            request = _build(line, row.where, check_seed(seed, row.where), self.base)
            if request.covered is not None:
                raise ConfigError(
                    f"{row.where}: a set has no covers; make them without --resume and the other"
                    " options of sets"
                )
            options = request.options
            bar = _bar_seconds(options.get("controls", NO_CONTROLS))
            bars = parse_form(request.form).bars if request.form else request.loop_bars or 0
            found.append(
                PieceRequest(
                    request.prompt,
                    request.seed,
                    bar * bars if request.seconds is None else request.seconds,
                    request.direction,
                    options,
                    request.loop_bars,
                    request.seconds is not None,
                )
            )
        return found


def _bar_seconds(controls: Controls) -> float:
    """Return the length of a bar at the given tempo and metre, or the usual ones."""
    quarters = SIXTEENTHS[controls.meter or USUAL_METER] / 4
    return quarters * 60.0 / (controls.bpm or USUAL_BPM)


def _build(line: PromptLine, where: str, seed: int, base: PromptRequest) -> PromptRequest:
    if line.cover is not None:
        return _build_cover(line, line.cover, where, seed, base)
    place = f"{where}: " if where.startswith("line") else ""
    seconds, bars, form = line.seconds, line.loop_bars, line.form
    if bars is not None:
        check_loop_bars(bars, place)
    if seconds is None and bars is None and form is None:
        # a line has a length of its own, or the common one
        seconds, bars, form = base.seconds, base.loop_bars, base.form
    elif None not in (seconds, bars):
        raise ConfigError(f"{place}seconds and loop_bars are two lengths; give one of them")
    direction = check_choice(line.direction or base.direction, DIRECTIONS, "--direction", place)
    if bars is not None and direction != DIRECTIONS[0]:
        raise ConfigError(f"{place}--direction {direction} is not for loops; leave it out")
    sampling = replaced(base.sampling, line.sampling()).check(where)
    if bars == LEFT_OPEN:
        bars = sampling.score_bars() or DEFAULT_BARS
    if form is not None:
        form = _check_form(form, sampling, bars, place)
        if seconds is not None:
            check_seconds(seconds, where)
    elif bars is None:
        seconds = chosen_seconds(seconds, sampling, where)
    return PromptRequest(
        prompt=check_prompt(line.prompt, where),
        seed=seed,
        seconds=seconds,
        direction=direction,
        sampling=sampling,
        loop_bars=bars,
        form=form,
    )


def _build_cover(
    line: PromptLine, cover: str, where: str, seed: int, base: PromptRequest
) -> PromptRequest:
    """Return the request of a line that names a recording to cover.

    Raises:
        Jen1Error: the recording or a value cannot be used, or the line has another score or length.
    """
    place = f"{where}: " if where.startswith("line") else ""
    sampling = replaced(base.sampling, line.sampling())
    for other, seen in (
        ((line.loop_bars or base.loop_bars) is not None, "a loop"),
        ((line.form or base.form) is not None, "a form"),
        (sampling.score.score is not None, "a score"),
        ((line.direction or base.direction) != DIRECTIONS[0], "a direction"),
    ):
        if other:
            raise ConfigError(
                f"{place}cover and {seen}: a cover plays the score of its recording; leave one of"
                " them out"
            )
    try:
        covered = Covered(open_recording(cover), read_keep(sampling.score.keep))
        seconds = covered.length(base.seconds if line.seconds is None else line.seconds)
    except Jen1Error as error:
        raise type(error)(f"{place}{error}") from error
    return PromptRequest(
        prompt=check_prompt(line.prompt, where),
        seed=seed,
        seconds=seconds,
        direction=base.direction,
        sampling=replaced(sampling, {"keep": None}).check(where),  # the covered part is chosen
        covered=covered,
    )


def _check_form(form: str, sampling: SamplingChoice, bars: int | None, place: str) -> str:
    """Return the canonical text of a form.

    Raises:
        ConfigError: it is no form, or something else determines the sections too.
    """
    try:
        text = str(parse_form(form))
    except ConfigError as error:
        raise ConfigError(f"{place}{error}") from error
    composer = sampling.sampler_choice.composer
    for other, seen, remedy in (
        (bars is not None, "a loop", "a loop has no sections"),
        (sampling.score.score is not None, "a score", "a score has the form of its own notes"),
        (
            composer not in (None, "rules"),
            f"--composer {composer}",
            "only the composer 'rules' writes sections",
        ),
    ):
        if other:
            raise ConfigError(f"{place}--form and {seen}: {remedy}; leave one of them out")
    return text
