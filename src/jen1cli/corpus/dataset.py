"""Data sets of made music: which clip comes when, made by many workers, always the same.

Clip i of seed s is composed from a seed of its own, so it does not depend on how many workers
there are, on where a run was interrupted, or on the clips before it. Its split depends on that seed
alone: the same composition is never in the training part of one data set and the test part of
another.
"""

import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from jaxtyping import Int16

from jen1cli.composition.composer import compose
from jen1cli.composition.styles import STYLES
from jen1cli.corpus.captions.writer import attributes, captions
from jen1cli.corpus.rendering.renderer import Renderer
from jen1cli.corpus.rendering.soundfont import find_soundfont
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE, Stereo
from jen1cli.errors import DataError

Split = Literal["train", "validation", "test"]
Pcm = Int16[np.ndarray, "2 samples"]
_Made = TypeVar("_Made")

CLIP_SECONDS = 20.0  # whole bars come near it
VALIDATION_PERCENT = 3
TEST_PERCENT = 3


@dataclass(frozen=True)
class Plan:
    """What a data set consists of, except its length."""

    seed: int
    styles: tuple[str, ...]
    soundfont: Path | None = None
    stems: bool = False
    clip_seconds: float = CLIP_SECONDS


@dataclass(frozen=True)
class MadeClip:
    """One clip as it goes to disk or into a training."""

    index: int
    seed: int
    split: Split
    seconds: float
    pcm: Pcm  # 16 bit, 48 kHz
    captions: tuple[str, ...]
    attributes: dict[str, Any]
    stems: dict[str, Pcm]


def make_plan(
    seed: int,
    styles: Sequence[str] = (),
    soundfont: Path | None = None,
    *,
    stems: bool = False,
    clip_seconds: float = CLIP_SECONDS,
) -> Plan:
    """Check what is asked for.

    Raises:
        DataError: an unknown style, or no SoundFont.
    """
    unknown = [style for style in styles if style not in STYLES]
    if unknown:
        raise DataError(f"unknown style '{unknown[0]}'; 'jen1 corpus styles' lists them")
    if not 12.0 <= clip_seconds <= 30.0:
        raise DataError(f"clips of {clip_seconds:g} s cannot be composed; give 12 to 30 s")
    return Plan(seed, tuple(styles or STYLES), find_soundfont(soundfont), stems, clip_seconds)


def clip_seed(seed: int, index: int) -> int:
    """Return the composition seed of a clip: 48 bits, unlike those of all other clips."""
    return int.from_bytes(_hash(f"clip {seed} {index}")[:6], "big")


def split_of(composition_seed: int) -> Split:
    """Return the split that a composition belongs to, in every data set."""
    percent = int.from_bytes(_hash(f"split {composition_seed}")[:4], "big") % 100
    if percent < TEST_PERCENT:
        return "test"
    return "validation" if percent < TEST_PERCENT + VALIDATION_PERCENT else "train"


def style_of(plan: Plan, index: int) -> str:
    """Return the style of a clip: all styles come once in a shuffled round."""
    turn, place = divmod(index, len(plan.styles))
    order = np.random.default_rng((plan.seed, 5, turn)).permutation(len(plan.styles))
    return plan.styles[int(order[place])]


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def make_clip(plan: Plan, index: int, renderer: Renderer) -> MadeClip:
    """Compose, render and caption one clip."""
    composition_seed = clip_seed(plan.seed, index)
    score = compose(style_of(plan, index), composition_seed, plan.clip_seconds)
    stems: dict[str, Stereo] = {}
    if plan.stems:
        waveform, stems = renderer.render_stems(score)
    else:
        waveform = renderer.render(score)
    return MadeClip(
        index,
        composition_seed,
        split_of(composition_seed),
        waveform.shape[1] / SAMPLE_RATE,
        to_pcm(waveform),
        tuple(captions(score, score.seed)),
        dict(attributes(score)),
        {name: to_pcm(stem) for name, stem in stems.items()},
    )


def to_pcm(waveform: Stereo) -> Pcm:
    """Round a waveform to 16 bits."""
    return np.clip(np.round(waveform * 32768.0), -32768, 32767).astype(np.int16)


# --- workers ---

_worker: dict[str, Any] = {}
_LOOK_SECONDS = 1.0


def _start_worker(plan: Plan) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    _worker["plan"] = plan
    _worker["renderer"] = Renderer(plan.soundfont)


def _follow(parent: int) -> None:
    """End this worker where its parent was killed and could not say so."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)


def _work(finish: Callable[[MadeClip], _Made], index: int) -> _Made:
    return finish(make_clip(_worker["plan"], index, _worker["renderer"]))


def in_order(
    finish: Callable[[MadeClip], _Made], indices: Iterable[int], plan: Plan, workers: int
) -> Iterator[_Made]:
    """Make clips with several processes and yield what `finish` makes of them, in order.

    Few clips are made ahead, so memory stays bounded however slowly they are taken.
    """
    if workers <= 1:
        renderer = Renderer(plan.soundfont)
        for index in indices:
            yield finish(make_clip(plan, index, renderer))
        return
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _start_worker, (plan,)
    )
    waiting: deque[Future[_Made]] = deque()
    try:
        for index in indices:
            waiting.append(pool.submit(_work, finish, index))
            if len(waiting) >= 3 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise DataError(
            f"one of {workers} workers was ended from outside, perhaps for want of memory (each "
            "takes about 1 GB); run it again with fewer --workers, finished clips are kept"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
