"""Reproduction of a result from its recipe."""

import io
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jen1cli import audio
from jen1cli.audio import Source
from jen1cli.pipeline.batching import generate_orders
from jen1cli.pipeline.generating import Order
from jen1cli.pipeline.music import Edit, Music
from jen1cli.progress import Progress
from jen1cli.recipe import Recipe, RecipeError, RecipeInput, find_recipe
from jen1cli.sampling import Sampling

if TYPE_CHECKING:
    from jen1cli.pipeline.jen1 import Jen1

logger = logging.getLogger(__name__)


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
    if recipe.task == "generate":
        settings: Any = recipe.settings()
        order = Order(recipe.prompt, recipe.seed, Sampling.over(model.config.generation, settings))
        batch = recipe.batch if recipe.batch > 1 else 0
        return generate_orders(
            model, [order], recipe.seconds, recipe.direction, batch=batch, progress=progress
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
