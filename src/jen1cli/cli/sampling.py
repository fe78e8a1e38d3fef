"""The settings of sampling as they are given, checked before a model loads."""

import dataclasses
import difflib
import math
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jen1cli.chords import chart_text, parse_chart
from jen1cli.config import SamplerName
from jen1cli.errors import ConfigError
from jen1cli.guide import MAX_BPM, MIN_BPM, NO_GUIDE, Guide

SAMPLERS: tuple[str, ...] = typing.get_args(SamplerName)
DIRECTIONS = ("bidirectional", "unidirectional")
DEVICES = ("auto", "cpu", "cuda", "mps")
DTYPES = ("auto", "fp32", "bf16")
MIN_SECONDS = 0.1
MAX_SECONDS = 1_800.0
MAX_STEPS = 1_000
MAX_GUIDANCE_SCALE = 100.0
MAX_SEED = 2**63 - 1
GUIDE_OPTIONS = ("bpm", "key", "chords", "drums", "melody")


@dataclass(frozen=True)
class Sampling:
    """How to sample; None leaves the choice to the model's own defaults."""

    steps: int | None = None
    sampler: str | None = None
    guidance_scale: float | None = None  # 1 is off
    negative_prompt: str | None = None
    bpm: float | None = None
    key: str | None = None
    chords: str | None = None
    drums: str | None = None
    melody: str | None = None

    def check(self, where: str = "") -> "Sampling":
        """Return itself.

        Args:
            where: line of a prompt file, for the errors; the command line if empty.

        Raises:
            ConfigError: a value is unknown or makes no sense.
        """
        place = f"{where}: " if where.startswith("line") else ""
        if self.steps is not None and not 1 <= self.steps <= MAX_STEPS:
            raise ConfigError(f"{place}--steps {self.steps} is not between 1 and {MAX_STEPS:,}")
        if self.sampler is not None:
            check_choice(self.sampler, SAMPLERS, f"{place}--sampler")
        scale = self.guidance_scale
        if scale is not None and not 0.0 <= scale <= MAX_GUIDANCE_SCALE:
            raise ConfigError(
                f"{place}--guidance-scale {scale:g} is not between 0 and"
                f" {MAX_GUIDANCE_SCALE:g}; 1 is off, 2 to 7 is usual"
            )
        if self.negative_prompt is not None:
            check_text(self.negative_prompt, f"{place}--negative")
        try:
            self._guide()
        except ConfigError as error:
            raise ConfigError(f"{place}{error}") from error
        return self

    def arguments(self) -> dict[str, Any]:
        """Return what was given, as keyword arguments."""
        values = dataclasses.asdict(self)
        for name in GUIDE_OPTIONS:
            del values[name]
        given = {key: value for key, value in values.items() if value is not None}
        guide = self._guide()
        return given if guide == NO_GUIDE else {**given, "guide": guide}

    def _guide(self) -> Guide:
        if self.bpm is not None and not MIN_BPM <= self.bpm <= MAX_BPM:
            raise ConfigError(
                f"--bpm {self.bpm:g} is no tempo; give {MIN_BPM:g} to {MAX_BPM:g} beats per minute"
            )
        from jen1cli.prompt import parse_key  # not for --help, since it takes its time to load

        tonic, mode = ("", "") if self.key is None else parse_key(self.key)
        chords = "" if self.chords is None else chart_text(parse_chart(self.chords))
        return Guide(
            bpm=self.bpm or 0.0, key=tonic, mode=mode, chords=chords,
            drums=self.drums or "", melody=self.melody or "",
        )  # fmt: skip


def check_text(text: str, what: str) -> str:
    """Return the text.

    Raises:
        ConfigError: it holds bytes that are not UTF-8, or halves of UTF-16 pairs.
    """
    wrong = next((at for at, char in enumerate(text) if "\ud800" <= char <= "\udfff"), None)
    if wrong is not None:
        raise ConfigError(
            f"{what} is not text in UTF-8: '{text[max(0, wrong - 20) : wrong + 20]}';"
            " type it again, or set the terminal to UTF-8"
        )
    return text


def check_choice(value: str, known: Sequence[str], option: str) -> str:
    """Return the value.

    Raises:
        ConfigError: it is not one of the known.
    """
    if value not in known:
        close = difflib.get_close_matches(value, known, n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        raise ConfigError(f"unknown {option} '{value}'; {hint}known: {', '.join(known)}")
    return value


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
