"""Reproduction and variation of a result from its recipe."""

import dataclasses
import io
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jen1cli import audio
from jen1cli.audio import Source
from jen1cli.music.controls import PLAYED_CHANNELS
from jen1cli.pipeline.generating import Order, generate_orders
from jen1cli.pipeline.music import Edit, Music
from jen1cli.pipeline.sources import Input, as_source
from jen1cli.progress import Progress
from jen1cli.recipe import Recipe, RecipeError, RecipeInput, find_recipe, read_recipe
from jen1cli.sampling import Sampling, SamplingOptions, Variation, default_amount, draw_seed

if TYPE_CHECKING:
    from jen1cli.pipeline.jen1 import Jen1

logger = logging.getLogger(__name__)

_SAME = "same"  # first word of a prompt that goes on from the former one


def describe_input(source: Source) -> RecipeInput:
    """Return the description of an edit's source recording for a recipe."""
    name = "-" if isinstance(source, io.BytesIO) else str(source)
    recipe = find_recipe(source)
    samples = audio.sample_digest(source) if audio.read_marks(source).signed else ""
    return RecipeInput(
        name, audio.digest(source), None if recipe is None else recipe.to_dict(), samples
    )


def again(
    model: "Jen1", recipe: Recipe, source: Source | None, progress: Progress | None
) -> Music | Edit:
    """Reproduce a result from its recipe; see `Jen1.again`.

    Raises:
        RecipeError: the recording or the model differs from that of the recipe.
    """
    if not recipe.model.plays_like(model.recipe_model, model.former_sha256):
        raise RecipeError(
            f"the recipe was followed with {recipe.model.describe()}, this is"
            f" {model.recipe_model.describe()}; load the model of the recipe"
        )
    if (recipe.device, recipe.dtype) != (model.device, model.dtype):
        logger.warning(
            "the recipe was followed on %s in %s, now on %s in %s: the music will be near, not"
            " the same bytes",
            recipe.device,
            recipe.dtype,
            model.device,
            model.dtype,
        )
    if recipe.quality != model.quality:
        raise RecipeError(
            f"the recipe was followed in quality '{recipe.quality}', this model was loaded in"
            f" '{model.quality}'; load it in that of the recipe"
        )
    result = _again(model, _for_network(model, recipe), source, progress)
    return dataclasses.replace(
        result,
        recipe=dataclasses.replace(
            result.recipe,
            controls=recipe.controls,
            instruments=recipe.instruments,
            passages=recipe.passages,
        ),
    )


def _for_network(model: "Jen1", recipe: Recipe) -> Recipe:
    """Return a recipe without what the network does not take, of which it would warn."""
    if model.networks.unet.config.control_channels >= PLAYED_CHANNELS:
        return recipe
    controls = dataclasses.replace(recipe.controls, score=None)
    return dataclasses.replace(recipe, controls=controls, instruments=())


def _again(
    model: "Jen1", recipe: Recipe, source: Source | None, progress: Progress | None
) -> Music | Edit:
    if recipe.task == "generate":
        settings: Any = recipe.settings()
        order = Order(recipe.prompt, recipe.seed, Sampling.over(model.config.generation, settings))
        return generate_orders(
            model,
            [order],
            recipe.seconds,
            recipe.direction,
            loop_bars=recipe.loop_bars or None,
            batch=recipe.batch,
            threads=recipe.threads,
            progress=progress,
        )[0]
    if recipe.task == "decode" or recipe.input is None:
        raise RecipeError("a decoded file has no recipe to repeat; decode its latent again")
    given = _same_input(recipe.input, source)
    asked = {"seed": recipe.seed, "progress": progress, **recipe.settings()}
    if recipe.task == "inpaint":
        return model.inpaint(given, recipe.masks, recipe.prompt, **asked)
    return model.continue_(
        given,
        recipe.seconds,
        recipe.prompt,
        before=recipe.before,
        direction=recipe.direction,
        context_seconds=recipe.context_seconds,
        **asked,
    )


def _same_input(expected: RecipeInput, source: Source | None) -> Source:
    given = Path(expected.name) if source is None else source
    if source is None and expected.name == "-":
        raise RecipeError("the recipe began with piped audio, which is gone; give its input again")
    audio.probe(given)
    if not expected.is_that_of(given):
        raise RecipeError(
            f"{audio.name_of(given)} is not the recording that the recipe began with"
            f" (sha256 {expected.sha256[:12]}); give that one"
        )
    return given


def vary(
    model: "Jen1",
    given: Input | Recipe,
    prompt: str | None,
    amount: float | None,
    seed: int | None,
    source: Source | None,
    progress: Progress | None,
    options: SamplingOptions,
) -> Music | Edit:
    """Make a variation; see `Jen1.vary`."""
    if not isinstance(given, Recipe):
        is_made = isinstance(given, Music | Edit)
        recipe = given.recipe if is_made else read_recipe(as_source(given, None))
        source = given.source if isinstance(given, Edit) and source is None else source
    else:
        recipe = given
    new = varied(recipe, prompt, amount, seed, options)
    result = model.again(new, source, progress=progress)
    # the input under the name that it was given, also if it was made again elsewhere
    return dataclasses.replace(
        result, recipe=dataclasses.replace(result.recipe, input=recipe.input)
    )


def varied(
    recipe: Recipe,
    prompt: str | None = None,
    amount: float | None = None,
    seed: int | None = None,
    options: SamplingOptions | None = None,
) -> Recipe:
    """Return the recipe of a variation.

    Args:
        recipe: of the result that is varied.
        prompt: new words; "same" at their beginning stands for the former ones. None: the former.
        amount: of new noise, 0 to 1; None: 0 if words or settings are new, else 1.
        seed: of the new noise; None draws one.
        options: settings that replace those of the recipe; controls are joined with its own.

    Raises:
        RecipeError: the result was decoded from a latent.
    """
    if recipe.task == "decode":
        raise RecipeError("it was decoded from a latent, which has no noise; vary another file")
    changes = dict(options or {})
    if amount is None:
        amount = default_amount(is_changed=prompt is not None or bool(changes))
    if "controls" in changes:
        # a full score would contradict new controls; the composer writes another around them
        former = dataclasses.replace(recipe.controls, score=None)
        changes["controls"] = changes["controls"].over(former)  # type: ignore[union-attr]
    if prompt is not None:
        changes["prompt"] = _renewed(recipe.prompt, prompt)
    if amount:
        new = Variation(draw_seed() if seed is None else seed, amount)
        changes["variations"] = (*recipe.variations, new)
    return dataclasses.replace(recipe, **changes)


def _renewed(former: str, words: str) -> str:
    first, _, rest = words.partition(" ")
    if first.lower().rstrip(",;.") != _SAME:
        return words
    joint = ", " if first[-1] in ",;." else " "
    return joint.join(filter(None, (former, rest)))
