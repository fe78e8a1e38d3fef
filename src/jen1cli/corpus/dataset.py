"""Data sets of synthetic music: seeds and order of the clips, made in parallel, reproducible.

Clip i of data set seed s is composed from its own seed, so it depends neither on the number of
workers nor on interruptions nor on the clips before it. Its split depends only on that seed: the
same composition is never in the training split of one data set and the test split of another.
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
from jen1cli.composition.full_score import full_score
from jen1cli.composition.styles import STYLES
from jen1cli.corpus.captions.writer import attributes, captions
from jen1cli.corpus.rendering.renderer import Renderer
from jen1cli.corpus.rendering.soundfont import find_soundfont
from jen1cli.corpus.rendering.stereo import SAMPLE_RATE, Stereo
from jen1cli.errors import DataError
from jen1cli.music.full_score import FullScore

Split = Literal["train", "validation", "test"]
Pcm = Int16[np.ndarray, "2 samples"]
_Made = TypeVar("_Made")

CLIP_SECONDS = 20.0  # target length; clips have whole bars
VALIDATION_PERCENT = 3
TEST_PERCENT = 3


@dataclass(frozen=True)
class DatasetPlan:
    """Settings of a data set, except its length."""

    seed: int
    styles: tuple[str, ...]
    soundfont: Path | None = None
    stems: bool = False
    clip_seconds: float = CLIP_SECONDS


@dataclass(frozen=True)
class MadeClip:
    """A rendered clip with its captions, for disk or for training."""

    index: int
    seed: int
    split: Split
    seconds: float
    pcm: Pcm  # 16 bit, 48 kHz
    captions: tuple[str, ...]
    attributes: dict[str, Any]
    stems: dict[str, Pcm]
    score: FullScore


def make_plan(
    seed: int,
    styles: Sequence[str] = (),
    soundfont: Path | None = None,
    *,
    stems: bool = False,
    clip_seconds: float = CLIP_SECONDS,
) -> DatasetPlan:
    """Check the settings of a data set and find its SoundFont.

    Raises:
        DataError: a style is unknown, or no SoundFont is found.
    """
    check_styles(styles)
    if not 12.0 <= clip_seconds <= 30.0:
        raise DataError(f"clips of {clip_seconds:g} s cannot be composed; give 12 to 30 s")
    return DatasetPlan(
        seed, tuple(styles or STYLES), find_soundfont(soundfont), stems, clip_seconds
    )


def check_styles(styles: Sequence[str]) -> None:
    """Check that all styles can be composed.

    Raises:
        DataError: one is unknown.
    """
    unknown = [style for style in styles if style not in STYLES]
    if unknown:
        raise DataError(f"unknown style '{unknown[0]}'; 'jen1 corpus styles' lists them")


def clip_seed(seed: int, index: int) -> int:
    """Return the composition seed of a clip: 48 bits, in practice unique."""
    return int.from_bytes(_hash(f"clip {seed} {index}")[:6], "big")


def split_of(composition_seed: int) -> Split:
    """Return the split of a composition, the same in every data set."""
    percent = int.from_bytes(_hash(f"split {composition_seed}")[:4], "big") % 100
    if percent < TEST_PERCENT:
        return "test"
    return "validation" if percent < TEST_PERCENT + VALIDATION_PERCENT else "train"


def style_of(plan: DatasetPlan, index: int) -> str:
    """Return the style of a clip: each round has every style once, in shuffled order."""
    turn, place = divmod(index, len(plan.styles))
    order = np.random.default_rng((plan.seed, 5, turn)).permutation(len(plan.styles))
    return plan.styles[int(order[place])]


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def make_clip(plan: DatasetPlan, index: int, renderer: Renderer) -> MadeClip:
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
        full_score(score),
    )


def to_pcm(waveform: Stereo) -> Pcm:
    """Round a waveform to 16 bits."""
    return np.clip(np.round(waveform * 32768.0), -32768, 32767).astype(np.int16)


# --- workers ---

_worker: dict[str, Any] = {}
_LOOK_SECONDS = 1.0


def _start_worker(plan: DatasetPlan) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    _worker["plan"] = plan
    _worker["renderer"] = Renderer(plan.soundfont)


def _follow(parent: int) -> None:
    """End this worker when its parent has died, for example by SIGKILL."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)


def _work(finish: Callable[[MadeClip], _Made], index: int) -> _Made:
    return finish(make_clip(_worker["plan"], index, _worker["renderer"]))


def in_order(
    finish: Callable[[MadeClip], _Made], indices: Iterable[int], plan: DatasetPlan, workers: int
) -> Iterator[_Made]:
    """Make clips in several processes and yield the results of `finish` in order.

    At most three clips per worker are made ahead, so memory is bounded for a slow consumer.
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
