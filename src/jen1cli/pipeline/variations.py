"""Variations of a result: its recipe with other noise, other words or other controls."""

import dataclasses
from typing import TYPE_CHECKING

from jen1cli.pipeline.music import Edit, Music
from jen1cli.pipeline.sources import Input, as_source
from jen1cli.recipe import Recipe, RecipeError, read_recipe
from jen1cli.sampling import SamplingOptions, Variation, draw_seed

if TYPE_CHECKING:
    from jen1cli.audio import Source
    from jen1cli.pipeline.jen1 import Jen1
    from jen1cli.progress import Progress

_SAME = "same"  # first word of a prompt that goes on from the former one


def vary(
    model: "Jen1",
    given: Input | Recipe,
    prompt: str | None,
    amount: float | None,
    seed: int | None,
    source: "Source | None",
    progress: "Progress | None",
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
        amount = 0.0 if prompt is not None or changes else 1.0
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
