"""Recording of recipes."""

from typing import TYPE_CHECKING, Any

import jen1cli
from jen1cli.recipe import Recipe, TaskName
from jen1cli.sampling import Sampling

if TYPE_CHECKING:
    from jen1cli.pipeline.jen1 import Jen1


def record(
    model: "Jen1",
    task: TaskName,
    settings: Sampling,
    *,
    seed: int,
    seconds: float,
    **fields: Any,  # noqa: ANN401 - the types of the recipe's fields
) -> Recipe:
    """Return the recipe of a result; `fields` are further fields of `Recipe`."""
    return Recipe(
        **settings.settings(),
        task=task,
        model=model.recipe_model,
        seconds=seconds,
        seed=seed,
        device=model.device,
        dtype=model.dtype,
        quality=model.quality,
        version=jen1cli.__version__,
        **fields,
    )
