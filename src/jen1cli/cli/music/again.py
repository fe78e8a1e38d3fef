"""`jen1 again`: reproduce a file from the recipe inside it."""

import dataclasses
import hashlib
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jen1cli.cli import options, streams
from jen1cli.cli.console import Console
from jen1cli.cli.engine import Engine, ModelChoice, ModelOptions
from jen1cli.cli.groups import Context, Without, grouped
from jen1cli.cli.inputs import open_input
from jen1cli.cli.loras import Loras, parse_loras
from jen1cli.cli.outputs import Result, slugify
from jen1cli.cli.signing import Signing
from jen1cli.errors import AudioError, CheckpointError, ConfigError

if TYPE_CHECKING:
    from jen1cli.audio import Source
    from jen1cli.pipeline import Edit, Music
    from jen1cli.recipe import Recipe, RecipeModel

RANDOM_LABEL = re.compile(r"random-(.+)-\d+")  # name of the weights of `--random-weights`


@grouped
def again(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="A file that jen1 wrote, or '-' for stdin.", show_default=False
        ),
    ],
    input_: options.EditedInput = None,
    *,
    context: Context,
    destination: options.Destination,
    model: Annotated[ModelOptions, Without("random_weights")],
) -> None:
    """Make a file again from its own recipe: same version and kind of device, same bytes."""
    from jen1cli.pipeline.signing import check_manifest
    from jen1cli.recipe import read_recipe

    opened = open_input(file)
    recipe = read_recipe(opened.source)
    if recipe.task == "decode":
        raise ConfigError(f"{opened.name} was decoded from a latent; use jen1 decode on that again")
    beside = Path(file).parent
    source = find_input(recipe, input_, beside)
    stem = (
        slugify(recipe.prompt) if recipe.task in ("generate", "cover") else f"{opened.stem}-again"
    )
    (target,) = destination.plan(
        [Result(stem, recipe.seed, 1)],
        extension=opened.extension,
    )
    report = destination.report()
    choice = same_place(recipe, model, beside)
    signing = _signing(context, recipe, destination.signing, report)
    with Engine.open(choice.check(), report, signing) as engine:
        check_manifest(opened.source)
        from jen1cli.pipeline.replay import settle

        recipe = settle(engine.model, recipe)
        with tempfile.TemporaryDirectory(prefix="jen1-") as folder:
            if source is None:
                source = remake_input(recipe, engine, Path(folder), beside)
            engine.deliver(follow(recipe, source, engine), target)


def _signing(context: Context, recipe: "Recipe", given: Signing, report: Console) -> Signing | None:
    """Sign as the command line says, else what was signed; None keeps the bytes of the rest.

    Of the environment the certificate alone counts.
    """
    from jen1cli import provenance

    if _is_given(context, "provenance"):
        return given
    if _is_given(context, "certificate"):
        return Signing(True, given.certificate)
    if recipe.signature != "c2pa":
        return None
    if provenance.is_installed():
        return Signing(True, given.certificate)
    report.warn(
        "the file was signed with a C2PA manifest, its copy is not; to sign:"
        " pip install 'jen1cli[provenance]'"
    )
    return Signing()


def _is_given(context: Context, option: str) -> bool:
    """Whether an option is on the command line; its value may be the environment's."""
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def same_place(recipe: "Recipe", given: ModelOptions, beside: Path) -> ModelChoice:
    """Choose model, LoRA files, device and dtype from the recipe, unless given by options.

    LoRA files are looked for at their path, then in the folder `beside`.

    If the recipe's kind of device is not available, the best available one replaces it; `settle`
    warns about that.
    """
    device, dtype = given.device, given.dtype
    if device != "auto" or _is_here(recipe.device):
        device = recipe.device if device == "auto" else device
        dtype = recipe.dtype if dtype == "auto" else dtype
    random = RANDOM_LABEL.fullmatch(recipe.model.sha256)
    untrained = given.model is None and random is not None
    made_by = random[1] if random is not None else recipe.model.name
    return ModelChoice(
        model=made_by if given.model is None else given.model,
        device=device,
        dtype=dtype,
        random_weights=untrained,
        loras=parse_loras(given.lora) or _find_loras(recipe.model, beside),
        quality=given.quality or recipe.quality,
    )


def _is_here(device: str) -> bool:
    """Return whether a recipe's kind of device is available."""
    if device == "cpu":
        return True
    from jen1cli.pipeline.networks import choose_device

    try:
        choose_device(device)
    except ConfigError:
        return False
    return True


def _find_loras(model: "RecipeModel", beside: Path) -> Loras:
    """Find the LoRA files of a recipe, by path and sha256.

    Raises:
        CheckpointError: one is not found.
    """
    found = []
    for lora in model.loras:
        places = (Path(lora.name), beside / Path(lora.name).name)
        path = next((p for p in places if p.is_file() and _digest(p) == lora.sha256), None)
        if path is None:
            raise CheckpointError(
                f"the LoRA {lora.name} that the file was made with is gone or has changed; give it"
                f" with --lora FILE:{lora.strength:g}"
            )
        found.append((path, lora.strength))
    return tuple(found)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_input(recipe: "Recipe", given: str | None, beside: Path) -> "Source | None":
    """Find the source of an edit; None if the recipe can reproduce it, or needs none.

    Raises:
        ConfigError: an input was given that the recipe does not need.
        AudioError: the source is not found, or is another recording.
    """
    from jen1cli import audio

    if recipe.input is None or not recipe.needs_input:
        if given is not None:
            raise ConfigError(f"--input {given} is not needed: the recipe is of {recipe.task}")
        return None
    name = recipe.input.name
    if given is not None:
        source = streams.open_source(given)
        audio.probe(source)
        if not recipe.input.is_that_of(source):
            raise AudioError(
                f"{audio.name_of(source)} is not the recording that the edit began with"
                f" ({name}, sha256 {recipe.input.sha256[:12]}…); give that one with --input"
            )
        return source
    for place in (Path(name), beside / Path(name).name):
        if name != "-" and place.is_file() and recipe.input.is_that_of(place):
            return place
    if recipe.input.recipe is not None:
        return None
    seen = "was piped" if name == "-" else f"({name}) is gone or has changed"
    raise AudioError(f"the recording that the edit began with {seen}; give it with --input FILE")


def remake_input(recipe: "Recipe", engine: Engine, folder: Path, beside: Path) -> "Source | None":
    """Find the input of an edit, or reproduce it from the input's own recipe, recursively."""
    from jen1cli.pipeline import replay

    def make(inner: "Recipe", source: "Source | None") -> "Music | Edit":
        engine.report.note(
            f"making the input ({inner.task}, seed {inner.seed}) from its own recipe"
        )
        return follow(replay.settle(engine.model, inner), source, engine)

    try:
        return replay.remake_input(
            recipe, folder, lambda outer: find_input(outer, None, beside), make, engine.signer
        )
    except AudioError as error:
        raise AudioError(f"{error}; give it with --input FILE") from error


def follow(recipe: "Recipe", source: "Source | None", engine: Engine) -> "Music | Edit":
    """Reproduce the music; its recipe is unchanged, even if the input has another name."""
    with engine.making(recipe.task) as progress:
        music = engine.model.again(recipe, source, progress=progress)
    return dataclasses.replace(music, recipe=recipe)
