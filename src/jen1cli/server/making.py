"""The work of a job: a request and its recording to music in a file, with the warm model."""

import dataclasses
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jen1cli import audio
from jen1cli.audio import choose_format
from jen1cli.errors import AudioError, Jen1Error
from jen1cli.masks import parse_masks, resolve_masks
from jen1cli.music.controls import NO_CONTROLS
from jen1cli.music.texts import check_text
from jen1cli.pipeline import Edit, Jen1, Music
from jen1cli.pipeline.played import bars_of_file
from jen1cli.pipeline.replay import check_has_noise, remake_input, settle
from jen1cli.provenance import Signer, media_type
from jen1cli.recipe import Recipe, RecipeError, RecipeInput, read_recipe
from jen1cli.sampling import MAX_SECONDS, MIN_INPUT_SECONDS, Sampling, draw_seed
from jen1cli.server.errors import ApiError
from jen1cli.server.jobs import Job
from jen1cli.server.requests import (
    AnyRequest,
    ContinueRequest,
    GenerateRequest,
    InpaintRequest,
    VaryRequest,
)

MAX_SENT_BATCH, MAX_SENT_THREADS = 32, 256  # limits of recipes that clients send
Find = Callable[[RecipeInput], Path | None]
"""Finds the recording that an edit began with, among those that the server holds."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording:
    """An audio file that belongs to a job or a take, with the name that the client gives it."""

    path: Path
    name: str  # for the recipe and messages; never opened


@dataclass(frozen=True)
class Made:
    """Music in a file."""

    path: Path
    recipe: Recipe
    seconds: float
    sample_rate: int
    channels: int
    edited: tuple[tuple[int, int, bool], ...]  # start, samples, whether inserted
    is_edit: bool


@dataclass(frozen=True)
class TakeOrder:
    """A checked request with its files."""

    request: AnyRequest
    seed: int | None
    recording: Recording | None = None
    masks: tuple[tuple[float, float], ...] = ()
    recipe: Recipe | None = None  # that is varied
    source: Path | None = None  # recording that the varied edit began with
    suffix: str = ".wav"

    @property
    def task(self) -> str:
        """Name of the task."""
        kinds = {
            GenerateRequest: "generate", InpaintRequest: "inpaint", ContinueRequest: "continue",
        }  # fmt: skip
        return kinds.get(type(self.request), "vary")  # type: ignore[arg-type]


class TakeMaker:
    """Makes music of orders; one at a time.

    Args:
        model: loaded.
        signer: signs results; None for none.
        is_off: whether the user of the server wants no signatures.
    """

    def __init__(self, model: Jen1, signer: Signer | None = None, *, is_off: bool = False) -> None:
        self.model, self.signer, self.is_off = model, signer, is_off

    def check(
        self,
        request: AnyRequest,
        recording: Recording | None = None,
        source: Path | None = None,
        longest: float = 1e9,
    ) -> TakeOrder:
        """Check a request and read its recording completely, before it takes a place.

        Args:
            request: for any task.
            recording: that is edited or varied.
            source: recording that a varied edit began with.
            longest: seconds of a recording.

        Raises:
            Jen1Error: a value or the recording cannot be used.
            ApiError: the model is another one, or the recording is missing.
        """
        name = self.model.config.name
        if request.model not in (None, name, self.model.sha256):
            raise ApiError(
                404, "model_not_found", f"no model '{request.model}' is loaded; '{name}' is",
                "model",
            )  # fmt: skip
        if request.provenance and self.signer is None:
            raise ApiError(
                422, "cannot_sign", "this server does not sign; leave provenance out", "provenance"
            )
        if recording is not None and request.file_name is not None:
            recording = Recording(recording.path, check_text(request.file_name, "file_name"))
        with _under_its_name(recording):
            return self._check(request, recording, source, longest)

    def _check(
        self,
        request: AnyRequest,
        recording: Recording | None,
        source: Path | None,
        longest: float,
    ) -> TakeOrder:
        request.words()
        request.sampling()
        suffix = f".{request.response_format or 'wav'}"
        if isinstance(request, GenerateRequest):
            request.length()
            self._check_format(request, suffix, None)
            return TakeOrder(request, _seed(request), suffix=suffix)
        if isinstance(request, VaryRequest) and request.recipe is not None:
            recipe = Recipe.from_dict(request.recipe, "the request")
            return self._varied(request, recipe, suffix, source)
        if recording is None:
            raise ApiError(422, "missing_file", "no recording was sent; send it as 'file'", "file")
        info = self.check_recording(recording, longest)
        if request.response_format is None:
            suffix = f".{info.extension}"
        self._check_format(request, suffix, info)
        if isinstance(request, VaryRequest):
            return self._varied(request, read_recipe(recording.path), suffix, source, recording)
        masks: tuple[tuple[float, float], ...] = ()
        if isinstance(request, InpaintRequest):
            asked = request.sampling().get("controls") or NO_CONTROLS
            bars = bars_of_file(recording.path, info.seconds, asked)
            masks = tuple(
                resolve_masks(
                    parse_masks(request.masks),
                    info.seconds, info.sample_rate, recording.name, bars,
                )
            )  # fmt: skip
        if isinstance(request, ContinueRequest):
            request.seconds()
        return TakeOrder(request, _seed(request), recording, masks, suffix=suffix)

    def check_recording(self, recording: Recording, longest: float) -> audio.AudioInfo:
        """Read a recording completely.

        Raises:
            AudioError: it is not audio, or damaged.
            ApiError: it is too short, or longer than `longest` seconds.
        """
        with _under_its_name(recording):
            info = audio.probe(recording.path)
            if not MIN_INPUT_SECONDS <= info.seconds <= longest:
                raise ApiError(
                    422, "invalid_length",
                    f"{recording.name} is {info.seconds:.3f} s long; {MIN_INPUT_SECONDS:g} to"
                    f" {longest:g} s are taken", "file",
                )  # fmt: skip
            return audio.check(recording.path)

    def steps_per_window(self, order: TakeOrder) -> int:
        """Return the sampler's steps for each window."""
        if order.request.num_inference_steps is not None:
            return order.request.num_inference_steps
        if order.recipe is not None:
            return order.recipe.steps
        generation = self.model.config.generation
        defaults = generation if order.task == "generate" else generation.for_edits()
        direction = getattr(order.request, "direction", None)
        return Sampling.over(defaults, order.request.sampling(), direction).steps

    def make(self, order: TakeOrder, job: Job, find: Find) -> Made:
        """Make the music and write it into the folder of the job.

        Raises:
            Jen1Error: it cannot be made.
            Cancelled: the job is no longer wanted.
        """
        with _under_its_name(order.recording):
            return self._made(order, job, find)

    def _made(self, order: TakeOrder, job: Job, find: Find) -> Made:
        music = self._music(order, job, find)
        job.check()
        signer = None if order.request.provenance is False else self.signer
        off = order.request.provenance is False or (
            self.is_off and order.request.provenance is None
        )
        recipe = dataclasses.replace(music.recipe, signature="off" if off else "")
        music = dataclasses.replace(music, recipe=recipe)
        path = job.folder / f"result{order.suffix}"
        subtype = order.request.subtype
        music.save(path, subtype=subtype, signer=signer)
        if signer is not None and audio.read_marks(path).signed:
            recipe = dataclasses.replace(recipe, signature="c2pa")
        elif order.request.provenance and media_type(choose_format(path)[0]) is None:
            _log.warning(
                "the %s file is marked by its tags, but not signed", order.suffix.removeprefix(".")
            )
        info = audio.probe(path)
        patches = music.patches if isinstance(music, Edit) else ()
        return Made(
            path,
            recipe,
            music.seconds,
            info.sample_rate,
            info.channels,
            tuple((patch.start, patch.signal.shape[1], patch.insert) for patch in patches),
            isinstance(music, Edit),
        )

    def _music(self, order: TakeOrder, job: Job, find: Find) -> Music | Edit:
        request, model = order.request, self.model
        common: dict[str, Any] = {"progress": job.progress, **request.sampling()}
        if isinstance(request, GenerateRequest):
            return model.generate(
                request.words(), seed=order.seed, direction=request.direction,
                **request.length(), **common,
            )  # fmt: skip
        if order.recipe is not None and isinstance(request, VaryRequest):
            return self._variation(order, order.recipe, request, job, find, common)
        assert order.recording is not None
        source = order.recording.path
        if isinstance(request, InpaintRequest):
            music = model.inpaint(source, order.masks, request.words(), seed=order.seed, **common)
        else:
            assert isinstance(request, ContinueRequest)
            music = model.continue_(
                source, request.seconds(), request.words(), before=request.side == "left",
                direction=request.direction, context_seconds=request.context, seed=order.seed,
                **common,
            )  # fmt: skip
        return _renamed(music, order.recording.name)

    def _variation(
        self,
        order: TakeOrder,
        recipe: Recipe,
        request: VaryRequest,
        job: Job,
        find: Find,
        common: dict[str, Any],
    ) -> Music | Edit:
        recipe = settle(self.model, recipe)

        def remade(inner: Recipe, source: audio.Source | None) -> Music | Edit:
            _log.info("making the input (%s, seed %s) from its own recipe", inner.task, inner.seed)
            return self.model.again(settle(self.model, inner), source, progress=job.progress)

        source: audio.Source | None = order.source
        if source is None and recipe.input is not None:
            folder = job.folder / "inputs"
            folder.mkdir()
            source = remake_input(
                recipe, folder, lambda outer: _find(outer, find), remade, self.signer
            )
        return self.model.vary(
            recipe, request.words() or None, amount=request.amount, seed=order.seed,
            source=source, **common,
        )  # fmt: skip

    def _varied(
        self,
        request: VaryRequest,
        recipe: Recipe,
        suffix: str,
        source: Path | None,
        recording: Recording | None = None,
    ) -> TakeOrder:
        _check_size(recipe)
        check_has_noise(recipe)
        if source is not None:
            if recipe.input is None:
                raise ApiError(
                    422, "unneeded_file", f"no input is needed: the recipe is of {recipe.task}",
                    "source",
                )  # fmt: skip
            if not recipe.input.is_that_of(source):
                raise ApiError(
                    422, "wrong_file",
                    "the input is not the recording that the edit began with (sha256"
                    f" {recipe.input.sha256[:12]}); send that one", "source",
                )  # fmt: skip
        return TakeOrder(request, request.seed, recording, (), recipe, source, suffix)

    def _check_format(self, request: AnyRequest, suffix: str, info: audio.AudioInfo | None) -> None:
        channels = self.model.audio_channels if info is None else info.channels
        rate = self.model.sample_rate if info is None else info.sample_rate
        audio.check_format(suffix, rate, channels, subtype=request.subtype)


@contextmanager
def _under_its_name(recording: Recording | None) -> Iterator[None]:
    """Show the client's name of a recording in errors, in place of the server's path."""
    try:
        yield
    except Jen1Error as error:
        if recording is None:
            raise
        text = str(error).replace(str(recording.path), recording.name)
        raise type(error)(text) from error


def _check_size(recipe: Recipe) -> None:
    """Refuse the recipe of a client that would take more than this server makes at once.

    Raises:
        RecipeError: it, or the recipe of its input, would.
    """
    limits = {"seconds": MAX_SECONDS, "batch": MAX_SENT_BATCH, "threads": MAX_SENT_THREADS}
    for name, most in limits.items():
        if (value := getattr(recipe, name)) > most:
            raise RecipeError(f"the recipe has {name} {value:g}; this server takes up to {most:g}")
    if recipe.input is not None and recipe.input.recipe is not None:
        _check_size(Recipe.from_dict(recipe.input.recipe, "the input"))


def _seed(request: AnyRequest) -> int:
    return draw_seed() if request.seed is None else request.seed


def _find(recipe: Recipe, find: Find) -> Path | None:
    if recipe.input is None:
        return None
    found = find(recipe.input)
    if found is None and recipe.input.recipe is None:
        raise AudioError(
            "the recording that the edit began with is not here; send it as 'source', or choose"
            " another file"
        )
    return found


def _renamed(music: Edit, name: str) -> Edit:
    """Return an edit whose recipe has the client's name of its input."""
    recipe = music.recipe
    assert recipe.input is not None
    return dataclasses.replace(
        music,
        recipe=dataclasses.replace(recipe, input=dataclasses.replace(recipe.input, name=name)),
    )
