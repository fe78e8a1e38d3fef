"""The options of sampling, declared once for every command, and checked before a model loads."""

import difflib
import math
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.music.scores import ScoreOptions
from jen1cli.config import QUALITY_FACTORS, ComposerName, DirectionName, SamplerName
from jen1cli.errors import ConfigError, Jen1Error
from jen1cli.music.controls import NO_CONTROLS, Controls
from jen1cli.music.texts import check_text
from jen1cli.sampling import (
    DEFAULT_SECONDS,
    MAX_GUIDANCE_SCALE,
    MAX_LOOP_BARS,
    MAX_SECONDS,
    MAX_SEED,
    MAX_STEPS,
    MIN_SECONDS,
    SamplingOptions,
)

SAMPLERS: tuple[str, ...] = typing.get_args(SamplerName)
COMPOSERS: tuple[str, ...] = typing.get_args(ComposerName)
DIRECTIONS: tuple[str, ...] = typing.get_args(DirectionName)
DEVICES = ("auto", "cpu", "cuda", "mps")
DTYPES = ("auto", "fp32", "bf16")
QUALITIES = tuple(QUALITY_FACTORS)


Negative = Annotated[
    str | None,
    typer.Option(
        "--negative",
        metavar="TEXT",
        help="What the music should not be.",
        rich_help_panel=options.SAMPLING_PANEL,
    ),
]


Novelty = Annotated[
    float | None,
    typer.Option(
        "--novelty",
        metavar="0-1",
        min=0.0,
        max=1.0,
        help="How new the music is: 0 copies what the recording repeats, 1 is made by the model"
        " alone, between them the model changes the copy. Left out: a copy where one fits and no"
        " prompt or control asks for more; else 1.",
        rich_help_panel=options.SAMPLING_PANEL,
    ),
]


@dataclass(frozen=True)
class ControlOptions:
    """Options of musical controls; None leaves the choice to prompt, score, music or composer."""

    bpm: Annotated[
        float | None,
        typer.Option(
            "--bpm",
            metavar="X",
            help="Beats per minute. Left out: as prompt, score or recording have it; else the"
            " composer chooses.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="NAME",
            help="Such as 'D minor' or 'F# dorian'. Left out: as prompt, score or recording have"
            " it; else the composer chooses.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None
    chords: Annotated[
        str | None,
        typer.Option(
            "--chords",
            metavar="CHART",
            help="A chord a bar, which repeat: 'Am F C G'; or bars marked: 'Dm7 G7 | Cmaj7'. They"
            " begin with the music that is made. Left out: as score or recording have them; else"
            " the composer chooses.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None
    drums: Annotated[
        str | None,
        typer.Option(
            "--drums",
            metavar="PATTERN",
            help="Strokes of a bar, which repeats: 'kick x.x. snare .x.x hat xxxxxxxx'; more bars"
            " after |; 'none' for no drums. Rows: kick, snare, hat, cymbal, perc. Left out: as"
            " score or recording have them; else the composer chooses.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None
    melody: Annotated[
        str | None,
        typer.Option(
            "--melody",
            metavar="NOTES",
            help="Notes of a bar, equally long, and more bars after |: 'C5 - E5 G5 | A5 - - .' with"
            " - to hold and . for silence, or 'none'. Left out: as score or recording have it;"
            " else the composer chooses.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None

    def read(self) -> Controls:
        """Return the controls in the library's form.

        Raises:
            ConfigError: a value is not in its grammar, or out of range.
        """
        from jen1cli.music.spelling import spelled_controls  # not for --help: it takes time

        return spelled_controls(self.bpm, self.key, self.chords, self.drums, self.melody)


@dataclass(frozen=True)
class SamplerChoice:
    """Options of every sampling command, named as in `SamplingOptions`; None: the model's."""

    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            metavar="N",
            help="Sampler steps; more is slower. Left out: the model's own.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None
    sampler: Annotated[
        str | None,
        typer.Option(
            "--sampler",
            metavar="NAME",
            help="ddpm, ddim, dpmpp-2m or unipc. Left out: the model's own.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None
    guidance_scale: Annotated[
        float | None,
        typer.Option(
            "--guidance-scale",
            "-g",
            metavar="X",
            help="How strongly the prompt pulls; 1 is off. Left out: the model's own.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None
    distilled: Annotated[
        bool | None,
        typer.Option(
            "--distilled/--guided",
            help="Sample with the network that has the guidance in it, or with guidance, which"
            " takes two passes a step. Left out: distilled where the model has and prefers such a"
            " network, and no guidance or negative prompt is given.",
            rich_help_panel=options.SAMPLING_PANEL,
            show_default=False,
        ),
    ] = None
    composer: Annotated[
        str | None,
        typer.Option(
            "--composer",
            metavar="NAME",
            help="What writes the tempo, key, chords, drums and melody that are left open: the"
            " rules of a style, predictors learned from music, or none: text alone. Left out: the"
            " model's own.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None
    style: Annotated[
        str | None,
        typer.Option(
            "--style",
            metavar="NAME",
            help="Style in which the rules write, such as 'bossa nova'. Left out: as the prompt"
            " says.",
            rich_help_panel=options.SAMPLING_PANEL,
        ),
    ] = None

    def check(self, place: str = "") -> "SamplerChoice":
        """Return itself.

        Args:
            place: prefix of errors.

        Raises:
            ConfigError: a value is unknown or makes no sense.
        """
        if self.steps is not None and not 1 <= self.steps <= MAX_STEPS:
            raise ConfigError(f"{place}--steps {self.steps} is not between 1 and {MAX_STEPS:,}")
        if self.sampler is not None:
            check_choice(self.sampler, SAMPLERS, "--sampler", place)
        if self.composer is not None:
            check_choice(self.composer, COMPOSERS, "--composer", place)
        if self.style is not None:
            from jen1cli.composition.styles import check_style  # not for --help

            check_style(self.style, f"{place}unknown --style")
        scale = self.guidance_scale
        if scale is not None and not 0.0 <= scale <= MAX_GUIDANCE_SCALE:
            raise ConfigError(
                f"{place}--guidance-scale {scale:g} is not between 0 and"
                f" {MAX_GUIDANCE_SCALE:g}; 1 is off, 2 to 7 is usual"
            )
        return self

    def arguments(self) -> SamplingOptions:
        """Return what was given, as keyword arguments of every method that samples."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return typing.cast(SamplingOptions, given)


@dataclass(frozen=True)
class SamplingChoice:
    """All options of sampling."""

    controls: ControlOptions = ControlOptions()
    score: ScoreOptions = field(default_factory=ScoreOptions)
    negative: Negative = None
    sampler_choice: SamplerChoice = SamplerChoice()

    def check(self, where: str = "") -> "SamplingChoice":
        """Return itself.

        Args:
            where: line of a prompt file, for the errors; the command line if empty.

        Raises:
            ConfigError: a value is unknown or makes no sense.
        """
        place = f"{where}: " if where.startswith("line") else ""
        self.sampler_choice.check(place)
        if self.negative is not None:
            check_text(self.negative, f"{place}--negative")
        try:
            self.score.families()
            self.given_controls()
        except Jen1Error as error:
            raise type(error)(f"{place}{error}") from error
        return self

    def given_controls(self) -> Controls:
        """Return the controls of the options, over those of the score.

        Raises:
            Jen1Error: a value or the score cannot be used.
        """
        return self.score.controls(self.controls.read())

    def score_seconds(self) -> float | None:
        """Return the length of the score; None without one."""
        tune = self.score.read(self.controls.read())
        return None if tune is None else tune.seconds

    def score_bars(self) -> int | None:
        """Return the bars of a loop of the score, that of its upbeat included; None without one.

        Raises:
            ConfigError: they are too many for a loop.
        """
        tune = self.score.read(self.controls.read())
        if tune is None:
            return None
        if tune.bars > MAX_LOOP_BARS:
            raise ConfigError(
                f"--score {self.score.score} has {tune.bars} bars, more than the"
                f" {MAX_LOOP_BARS} of a loop; give --bars for its beginning"
            )
        return tune.bars

    def score_report(self) -> tuple[str, ...]:
        """Return what was understood of the score, a line each."""
        tune = self.score.read(self.controls.read())
        return () if tune is None else tune.report

    def arguments(self) -> SamplingOptions:
        """Return what was given, as keyword arguments of every method that samples."""
        given = self.sampler_choice.arguments()
        if self.negative is not None:
            given["negative_prompt"] = self.negative
        controls = self.given_controls()
        if controls != NO_CONTROLS:
            given["controls"] = controls
        if families := self.score.families():
            given["instruments"] = families
        return given

    def edit_arguments(self, novelty: float | None) -> SamplingOptions:
        """Return what was given, as keyword arguments of inpainting and continuation."""
        return with_novelty(self.arguments(), novelty)


def with_novelty(given: SamplingOptions, novelty: float | None) -> SamplingOptions:
    """Return keyword arguments with the novelty of an edit, if it was given."""
    if novelty is not None:
        given["novelty"] = novelty
    return given


def check_choice(value: str, known: Sequence[str], option: str, place: str = "") -> str:
    """Return the value.

    Raises:
        ConfigError: it is not one of the known.
    """
    if value not in known:
        close = difflib.get_close_matches(value, known, n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        raise ConfigError(f"{place}unknown {option} '{value}'; {hint}known: {', '.join(known)}")
    return value


def chosen_seconds(given: float | None, sampling: SamplingChoice, where: str = "") -> float:
    """Return the length that is given, or that of the score, or `DEFAULT_SECONDS`.

    Raises:
        ConfigError: it is too short or too long.
    """
    seconds = sampling.score_seconds() if given is None else given
    if given is None and seconds is not None and seconds > MAX_SECONDS:
        place = f"{where}: " if where.startswith("line") else ""
        raise ConfigError(
            f"{place}--score {sampling.score.score} is {seconds:g} s long, more than the"
            f" {MAX_SECONDS:g} s made at once; give --seconds for its beginning"
        )
    return check_seconds(DEFAULT_SECONDS if seconds is None else seconds, where)


def check_seconds(seconds: float, where: str = "", option: str = "--seconds") -> float:
    """Return the length.

    Raises:
        ConfigError: it is negative, too short, too long or no number.
    """
    place = f"{where}: " if where.startswith("line") else ""
    if not math.isfinite(seconds) or seconds < MIN_SECONDS:
        raise ConfigError(
            f"{place}{option} {seconds:g} is no length to make; give {MIN_SECONDS:g} or more"
        )
    if seconds > MAX_SECONDS:
        raise ConfigError(
            f"{place}{option} {seconds:g} is more than the {MAX_SECONDS:g} s made at once;"
            " make less, then lengthen it with jen1 continue"
        )
    return seconds


def check_seed(seed: int, where: str = "") -> int:
    """Return the seed.

    Raises:
        ConfigError: it is negative or beyond 63 bits.
    """
    place = f"{where}: " if where.startswith("line") else ""
    if not 0 <= seed <= MAX_SEED:
        raise ConfigError(f"{place}--seed {seed} is not between 0 and {MAX_SEED}")
    return seed


def check_device(device: str) -> str:
    """Return the device's name.

    Raises:
        ConfigError: there is no such kind of device.
    """
    kind, colon, number = device.partition(":")
    if colon and (kind != "cuda" or not number.isdigit()):
        raise ConfigError(f"unknown --device '{device}'; known: auto, cpu, cuda, cuda:N, mps")
    check_choice(kind, DEVICES, "--device")
    return device
