"""The three tasks of JEN-1 as a mask and a direction: the paper's idea in one file (section IV-C).

    task      kept              direction
    generate  nothing           bidirectional or unidirectional
    inpaint   all but the hole  bidirectional
    continue  the beginning     unidirectional; in use as `GenerationConfig.continuation` says

One network does all three: only (keep_mask, causal) differ. The in-context channels have the same
layout in every task, [kept latent | keep mask], with zeros where nothing is kept. The windows of
the pipeline (`from_spans`) and the examples of training (`random_inpaint`, `random_continuation`)
both take mask and direction from here, so that neither can ever have two meanings.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from jen1cli.music.controls import BEAT_AND_KEY_CHANNELS, PLAYED_CHANNELS
from jen1cli.shapes import Context, KeepMask, Latent

MIN_HIDDEN, MAX_HIDDEN = 20, 80
"""Masked share of a training clip in percent (paper section IV-C)."""

MAX_SPANS = 3
"""Most gaps in one training example of inpainting (guess; the paper gives no number)."""

TURNED = 0.25
"""Share of those examples whose mask is rotated in time, which also masks the ends."""


class Task(StrEnum):
    """Task of the model."""

    GENERATE = "generate"
    INPAINT = "inpaint"
    CONTINUE = "continue"


@dataclass(frozen=True)
class Conditioning:
    """Inputs of the network that define a task: mask and direction."""

    keep_mask: KeepMask  # True = given
    causal: bool


def generate(frames: int, batch: int = 1, *, causal: bool = False) -> Conditioning:
    """Generate all frames, in either direction."""
    return Conditioning(torch.zeros(batch, 1, frames, dtype=torch.bool), causal)


def inpaint(frames: int, spans: Sequence[tuple[int, int]], batch: int = 1) -> Conditioning:
    """Generate the frames of each span [start, stop) and keep the rest."""
    keep_mask = torch.ones(batch, 1, frames, dtype=torch.bool)
    for start, stop in spans:
        if not 0 <= start < stop <= frames:
            raise ValueError(f"span {start}-{stop} does not lie inside {frames} frames")
        keep_mask[:, :, start:stop] = False
    return Conditioning(keep_mask, causal=False)


def continuation(
    frames: int, known_frames: int, batch: int = 1, *, causal: bool = True
) -> Conditioning:
    """Keep the first `known_frames` frames and generate the rest.

    The paper's direction is unidirectional; some models learn to continue in both directions.
    """
    if not 0 <= known_frames <= frames:
        raise ValueError(f"{known_frames} known frames do not fit into {frames} frames")
    keep_mask = torch.arange(frames) < known_frames
    return Conditioning(keep_mask.expand(batch, 1, frames).clone(), causal)


def from_spans(
    frames: int,
    unknown: Sequence[tuple[int, int]],
    *,
    causal: bool = False,
    causal_continuation: bool = True,
) -> Conditioning:
    """Return the task that makes the frames of the spans: all of them, the end, or holes.

    Args:
        frames: length of the window.
        unknown: spans [start, stop), disjoint and rising.
        causal: direction where all frames are unknown.
        causal_continuation: direction where the end is unknown.
    """
    if len(unknown) == 1 and unknown[0][1] == frames:
        start = unknown[0][0]
        if start == 0:
            return generate(frames, causal=causal)
        return continuation(frames, start, causal=causal_continuation)
    return inpaint(frames, unknown)


def make_context(latent: Latent, keep_mask: KeepMask, controls: Tensor | None = None) -> Context:
    """Return the in-context channels [kept latent | keep mask | controls].

    Frames that are not kept are replaced, not multiplied by 0, so that they may contain NaN.

    Args:
        latent: [batch, channels, frames].
        keep_mask: True where it is kept.
        controls: [batch, control_channels, frames], for networks that take them; channels of
            chords, drums, melody and the parts of a score are zero where the latent is kept.
    """
    kept = torch.where(keep_mask, latent, torch.zeros((), dtype=latent.dtype, device=latent.device))
    parts = [kept, keep_mask.to(latent.dtype)]
    if controls is not None:
        beat_and_key, played, constant = controls.to(latent).tensor_split(
            [BEAT_AND_KEY_CHANNELS, PLAYED_CHANNELS], dim=1
        )
        parts += [beat_and_key, played.masked_fill(keep_mask, 0.0), constant]
    return torch.cat(parts, dim=1)


def random_inpaint(
    frames: int, batch: int, generator: torch.Generator | None = None
) -> Conditioning:
    """Draw for each example one to three holes that together hide 20 to 80 % of the frames.

    A quarter of the masks is turned by a random number of frames, so that a hole may begin at the
    end and go on at the beginning: the ends of a clip are inpainted too.

    Args:
        frames: at least 2; any number, odd too.
        batch: each item gets a mask of its own.
        generator: on the CPU.
    """
    keep_mask = torch.empty(batch, 1, frames, dtype=torch.bool)
    for example in keep_mask:
        example[0] = ~_holes(frames, generator)
    return Conditioning(keep_mask, causal=False)


def random_continuation(
    frames: int, batch: int, generator: torch.Generator | None = None, *, causal: bool = True
) -> Conditioning:
    """Draw for each example how much of its end, 20 to 80 %, is hidden."""
    hidden = torch.tensor([_count_hidden(frames, generator) for _ in range(batch)])
    return Conditioning((torch.arange(frames) < frames - hidden[:, None])[:, None], causal)


def _count_hidden(frames: int, generator: torch.Generator | None) -> int:
    """Draw a whole number of frames between 20 and 80 %, ends included."""
    least, most = -(-frames * MIN_HIDDEN // 100), frames * MAX_HIDDEN // 100
    if least > most:
        raise ValueError(f"{frames} frames are too few to hide 20 to 80 % of them")
    return int(torch.randint(least, most + 1, (), generator=generator))


def _holes(frames: int, generator: torch.Generator | None) -> Tensor:
    """Draw disjoint holes: where they may fall is decided by random cuts of both parts."""
    hidden = _count_hidden(frames, generator)
    kept = frames - hidden
    spans = int(torch.randint(1, 1 + min(MAX_SPANS, hidden, kept), (), generator=generator))
    holes = _split(hidden, spans, generator, at_least=1)
    gaps = _split(kept, spans + 1, generator, at_least=0)
    pieces: list[Tensor] = []
    for gap, hole in zip(gaps, [*holes, 0], strict=True):
        pieces += [torch.zeros(gap, dtype=torch.bool), torch.ones(hole, dtype=torch.bool)]
    mask = torch.cat(pieces)
    if torch.rand((), generator=generator) < TURNED:
        mask = mask.roll(int(torch.randint(frames, (), generator=generator)))
    return mask


def _split(
    total: int, parts: int, generator: torch.Generator | None, *, at_least: int
) -> list[int]:
    """Cut a number into random parts of at least `at_least` each."""
    free = total - parts * at_least
    cuts, _ = torch.randint(0, free + 1, (parts - 1,), generator=generator).sort()
    ends = [0, *cuts.tolist(), free]
    return [stop - start + at_least for start, stop in itertools.pairwise(ends)]
