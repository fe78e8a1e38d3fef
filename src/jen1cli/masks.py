"""The grammar of masks: ranges of a file to regenerate.

    mask  = range | "bars:" bar ["-" (bar | "end")]   bars need a tempo; the last one is included
    range = point "-" point ["s"]                    half-open, seconds on the file's own clock
    point = "start" | "end" | seconds ["s"] | minutes ":" seconds

On the command line a mask is the range to *replace*; in the library `keep_mask` is true where music
is *kept*. The module reads no audio, so errors are found before a model loads.
"""

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from jen1cli.errors import ConfigError
from jen1cli.music.controls import NO_CONTROLS, Controls

ROUNDING_SECONDS = 1e-3  # tolerance of an end, since `jen1 info` shows milliseconds
GRAMMAR = "write 3-6s, 1:02-1:05.5, 10s-end, start-2s or bars:5-8"

_BARS = re.compile(r"bars:([0-9]{1,6})(?:-(end|[0-9]{1,6}))?")
_NUMBER = r"(?:[0-9]{1,9}(?:\.[0-9]*)?|\.[0-9]+)"
_POINT = re.compile(rf"(?:([0-9]{{1,6}}):)?({_NUMBER})s?")


@dataclass(frozen=True)
class Mask:
    """One range as it was written; points are seconds or bars, `inf` is the end of the file."""

    written: str
    start: float
    end: float
    in_bars: bool = False


def parse_masks(written: Sequence[str]) -> list[Mask]:
    """Read every mask of a command line.

    Args:
        written: the values of `--mask`.

    Raises:
        ConfigError: a mask is not in the grammar, empty or reversed.
    """
    if not written:
        raise ConfigError(f"no --mask given, so nothing would change; {GRAMMAR}")
    return [_parse(text) for text in written]


def resolve_masks(
    masks: Sequence[Mask],
    duration_seconds: float,
    sample_rate: int,
    name: str,
    bars: Controls = NO_CONTROLS,
) -> list[tuple[float, float]]:
    """Convert masks to sorted (start, end) in seconds, inside a file of known length.

    Args:
        masks: result of `parse_masks`.
        duration_seconds: length of the file.
        sample_rate: the file's sample rate; a mask has at least one sample of it.
        name: name of the file in errors.
        bars: tempo, metre and first downbeat of the file, which masks in bars need.

    Raises:
        ConfigError: a mask lies outside the file, is empty in it, or meets another, or no bars are
            known.
    """
    spans = sorted(
        (_resolve(_in_seconds(mask, bars), duration_seconds, name) for mask in masks),
        key=lambda item: item[:2],
    )
    for start, end, written in spans:
        if round(start * sample_rate) >= round(end * sample_rate):
            raise ConfigError(
                f"--mask {written} has not one sample of {name} ({sample_rate} Hz); make it longer"
            )
    for (_, end, first), (start, _, second) in itertools.pairwise(spans):
        if start < end:
            raise ConfigError(
                f"--mask {first} and --mask {second} overlap; give ranges that do not meet,"
                " or one range for both"
            )
    return [(start, end) for start, end, _ in spans]


def _in_seconds(mask: Mask, bars: Controls) -> Mask:
    if not mask.in_bars:
        return mask
    if not bars.has_bars:
        raise ConfigError(
            f"--mask {mask.written} counts in bars, which needs the tempo; add --bpm with that of"
            " the recording, which 'jen1 hear' tells"
        )
    length = bars.bar_seconds
    first = bars.downbeat % length  # time of bar 1; an upbeat comes before it
    if length - first < ROUNDING_SECONDS:
        first = 0.0
    return Mask(mask.written, first + mask.start * length, first + mask.end * length)


def _resolve(mask: Mask, duration: float, name: str) -> tuple[float, float, str]:
    length = f"{duration:.3f}".rstrip("0").rstrip(".") + " s"
    start = duration if math.isinf(mask.start) else mask.start
    end = duration if math.isinf(mask.end) else mask.end
    if start >= duration:
        raise ConfigError(
            f"--mask {mask.written} starts after the end of {name} ({length});"
            " give a range inside it"
        )
    if end > duration + ROUNDING_SECONDS:
        raise ConfigError(
            f"--mask {mask.written} ends after the end of {name} ({length});"
            f" give a range inside it, such as {start:g}s-end"
        )
    return start, min(end, duration), mask.written


def _parse(written: str) -> Mask:
    text = written.strip().lower()
    if text.startswith("bars:"):
        return _parse_bars(written, text)
    parts = [part.strip() for part in text.split("-")]
    if parts[0] == "" or len(parts) > 2:
        raise ConfigError(f"--mask {written} has a negative or a third point; {GRAMMAR}")
    if len(parts) != 2:
        raise ConfigError(f"--mask {written} is not a range; {GRAMMAR}")
    start, end = (_parse_point(part, written) for part in parts)
    if start == end:
        raise ConfigError(f"--mask {written} has no length; {GRAMMAR}")
    if start > end:
        raise ConfigError(
            f"--mask {written} is reversed: it ends before it starts; write"
            f" {parts[1].removesuffix('s')}-{parts[0].removesuffix('s')}s"
        )
    return Mask(written, start, end)


def _parse_point(text: str, written: str) -> float:
    if text == "start":
        return 0.0
    if text == "end":
        return math.inf
    match = _POINT.fullmatch(text)
    if match is None:
        raise ConfigError(f"--mask {written}: '{text}' is not a point in time; {GRAMMAR}")
    minutes, seconds = match[1], float(match[2])
    if minutes is not None and seconds >= 60:
        raise ConfigError(f"--mask {written}: '{text}' has {seconds:g} s in a minute; {GRAMMAR}")
    return 60.0 * int(minutes or 0) + seconds


def _parse_bars(written: str, text: str) -> Mask:
    match = _BARS.fullmatch(text)
    if match is None:
        raise ConfigError(
            f"--mask {written} is not a range of bars; write bars:5, bars:5-8 or bars:5-end, and"
            " repeat --mask for more ranges"
        )
    first = int(match[1])
    last = math.inf if match[2] == "end" else int(match[2] or first)
    if first < 1:
        raise ConfigError(f"--mask {written} has a bar 0; the first bar is 1")
    if last < first:
        raise ConfigError(f"--mask {written} is reversed; write bars:{last}-{first}")
    return Mask(written, float(first - 1), float(last), in_bars=True)
