"""`jen1 vary`: variations of a file from the recipe inside it."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import Engine, ServedModelOptions
from jen1cli.cli.groups import Without, grouped
from jen1cli.cli.inputs import AudioInput, open_input
from jen1cli.cli.music.again import find_input, remake_input, same_place
from jen1cli.cli.music.prompts import check_prompt
from jen1cli.cli.outputs import Result
from jen1cli.cli.sampling import ControlOptions, check_seed
from jen1cli.errors import ConfigError
from jen1cli.sampling import SamplingOptions, default_amount, draw_seed

if TYPE_CHECKING:
    from jen1cli.recipe import Recipe


@grouped
def vary(
    file: Annotated[
        str,
        typer.Argument(
            metavar="INPUT", help="A file that jen1 wrote, or '-' for stdin.", show_default=False
        ),
    ],
    words: Annotated[
        str | None,
        typer.Argument(
            metavar="PROMPT",
            help="New words; 'same' at their beginning stands for the former ones.",
            show_default=False,
        ),
    ] = None,
    *,
    amount: Annotated[
        float | None,
        typer.Option(
            "--amount",
            "-a",
            metavar="X",
            help="Of new noise: 0 keeps the noise of the file, 1 is all new. Left out: 0 with new"
            " words or controls, else 1.",
        ),
    ] = None,
    count: options.Count = 1,
    input_: options.EditedInput = None,
    controls: ControlOptions,
    destination: options.Destination,
    seed: options.Seed = None,
    model: Annotated[ServedModelOptions, Without("random_weights")],
) -> None:
    """Make variations of a file: the same score with other noise, words or controls."""
    given = _settings(controls)
    from jen1cli.pipeline.signing import check_manifest

    text = None if words is None else check_prompt(words)
    amount = _check_amount(amount, count, is_changed=text is not None or bool(given))
    seeds = _new_seeds(seed, amount, count)
    opened = open_input(file)
    recipe = _read_recipe(opened)
    beside = Path(file).parent
    source = find_input(recipe, input_, beside)
    targets = destination.plan(
        [
            Result(f"{opened.stem}-vary", recipe.seed if new is None else new, i)
            for i, new in enumerate(seeds, 1)
        ],
        extension=opened.extension,
    )
    targets[0].check_format(opened.info.sample_rate, opened.info.channels)
    choice = model.choice() if model.server is not None else same_place(recipe, model, beside)
    with Engine.open(
        choice.check(), destination.report(), destination.signing, targets[0].extension
    ) as engine:
        check_manifest(opened.source)
        recipe = recipe if engine.is_remote else _settled(recipe, engine)
        with tempfile.TemporaryDirectory(prefix="jen1-") as folder:
            if source is None and not engine.is_remote:
                source = remake_input(recipe, engine, Path(folder), beside)
            for i, (new, target) in enumerate(zip(seeds, targets, strict=True), 1):
                with engine.making(f"variation {i}") as progress:
                    music = engine.model.vary(
                        recipe,
                        text,
                        amount=amount,
                        seed=new,
                        source=source,
                        progress=progress,
                        **given,
                    )
                engine.deliver(music, target)


def _settled(recipe: "Recipe", engine: Engine) -> "Recipe":
    from jen1cli.pipeline.replay import settle

    return settle(engine.model, recipe)


def _settings(controls: ControlOptions) -> SamplingOptions:
    from jen1cli.music.controls import NO_CONTROLS

    found = controls.read()
    return {} if found == NO_CONTROLS else {"controls": found}


def _check_amount(amount: float | None, count: int, *, is_changed: bool) -> float:
    """Return the amount of new noise.

    Raises:
        ConfigError: it is out of range, or all variations would be the same.
    """
    if count < 1:
        raise ConfigError(f"--count {count} makes nothing; give 1 or more")
    if amount is None:
        amount = default_amount(is_changed=is_changed)
    if not 0.0 <= amount <= 1.0:
        raise ConfigError(f"--amount {amount:g} is not between 0 (the same noise) and 1 (all new)")
    if amount == 0.0 and count > 1:
        raise ConfigError(
            f"without new noise all {count} variations would be the same; give --amount, such as"
            " --amount 0.5"
        )
    return amount


def _new_seeds(seed: int | None, amount: float, count: int) -> list[int | None]:
    """Return the seed of each variation's new noise; None without any.

    Raises:
        ConfigError: a seed is out of range, or given without new noise.
    """
    if not amount:
        if seed is not None:
            raise ConfigError(
                f"--seed {seed} is of new noise, and there is none; leave it out, or give --amount,"
                " such as --amount 0.5"
            )
        return [None] * count
    first = draw_seed() if seed is None else check_seed(seed)
    check_seed(first + count - 1)
    return [first + i for i in range(count)]


def _read_recipe(opened: AudioInput) -> "Recipe":
    """Read the recipe of a file that can be varied.

    Raises:
        RecipeError: there is none, or it is of a decoded latent.
    """
    from jen1cli.recipe import RecipeError, read_recipe

    try:
        recipe = read_recipe(opened.source)
    except RecipeError as error:
        raise RecipeError(
            f"{error}; any other recording can be edited: jen1 inpaint, jen1 continue"
        ) from error
    if recipe.task == "decode":
        raise RecipeError(
            f"{opened.name} was decoded from a latent, which has no noise to vary; vary a file that"
            " was generated or edited"
        )
    return recipe
