"""Reproduction and variation of a result from its recipe."""

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import jen1cli
from jen1cli import audio
from jen1cli.audio import Source
from jen1cli.errors import AudioError, ConfigError
from jen1cli.midi.tune import without_given, without_roles
from jen1cli.music.controls import NO_CONTROLS, Controls
from jen1cli.music.forms import parse_form
from jen1cli.music.keys import MINOR_MODES
from jen1cli.pipeline.composing import warn_unplayed
from jen1cli.pipeline.edits.inpainting import continue_, inpaint
from jen1cli.pipeline.generating import Order, generate_orders, stream_order
from jen1cli.pipeline.music import Edit, Music
from jen1cli.pipeline.sources import Input, as_source
from jen1cli.progress import Progress
from jen1cli.provenance import Signer
from jen1cli.recipe import RECIPE_VERSION, Recipe, RecipeError, RecipeInput, read_recipe
from jen1cli.sampling import (
    SETTINGS,
    Sampling,
    SamplingOptions,
    Variation,
    default_amount,
    draw_seed,
    own_guidance,
)

if TYPE_CHECKING:
    from jen1cli.pipeline.jen1 import Jen1

logger = logging.getLogger(__name__)

_WRITERS = ("composer", "style", "form")
_REMADE_FORMATS = ("wav", "flac")  # in which an input can be reproduced
_SAME = "same"  # first word of a prompt that goes on from the former one


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
    if recipe.watermark != model.networks.watermark:
        raise RecipeError(
            f"the recipe was followed with {_key_in_words(recipe.watermark)}, this model was loaded"
            f" with {_key_in_words(model.networks.watermark)}; load it with that of the recipe"
        )
    return _again(model, recipe, source, progress)


def _key_in_words(watermark: str) -> str:
    return f"the watermark key {watermark}" if watermark else "no watermark key"


def _again(
    model: "Jen1", recipe: Recipe, source: Source | None, progress: Progress | None
) -> Music | Edit:
    settings: Any = recipe.settings()
    if recipe.task in ("generate", "cover"):
        order = Order(recipe.prompt, recipe.seed, Sampling.over(model.config.generation, settings))
        if recipe.streamed:
            stream = stream_order(
                model, order, recipe.seconds, recipe.direction, progress,
                context_seconds=recipe.context_seconds,
            )  # fmt: skip
            signal = np.concatenate(list(stream.blocks), axis=1)
            return Music(torch.from_numpy(signal), stream.sample_rate, stream.recipe)
        (music,) = generate_orders(
            model,
            [order],
            recipe.seconds,
            recipe.direction,
            loop_bars=recipe.loop_bars or None,
            batch=recipe.batch,
            threads=recipe.threads,
            context_seconds=recipe.context_seconds,
            progress=progress,
        )
        return music if recipe.task == "generate" else music.as_cover(recipe.input)
    if recipe.task == "decode" or recipe.input is None:
        raise RecipeError("a decoded file has no recipe to repeat; decode its latent again")
    given = _same_input(recipe.input, source)
    sampling = Sampling.over(model.config.generation.for_edits(), settings)
    if recipe.task == "inpaint":
        return inpaint(
            model, given, recipe.masks, recipe.prompt, sampling,
            seed=recipe.seed, progress=progress,
        )  # fmt: skip
    return continue_(
        model,
        given,
        recipe.seconds,
        recipe.prompt,
        sampling,
        before=recipe.before,
        direction=recipe.direction,
        context_seconds=recipe.context_seconds,
        seed=recipe.seed,
        progress=progress,
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


def settle(model: "Jen1", recipe: Recipe) -> Recipe:
    """Return a recipe adapted to the model, with a warning of each difference."""
    if recipe.version != jen1cli.__version__:
        logger.warning(
            "made by jen1cli %s, this is %s: the music may differ",
            recipe.version,
            jen1cli.__version__,
        )
    if (recipe.device, recipe.dtype) != (model.device, model.dtype):
        logger.warning(
            "made on %s in %s, now on %s in %s: the music will differ slightly",
            recipe.device,
            recipe.dtype,
            model.device,
            model.dtype,
        )
    defaults = model.config.generation
    edits = recipe.task in ("inpaint", "continue")
    own = own_guidance(recipe.settings(), defaults.for_edits() if edits else defaults)
    if recipe.distilled and (own or not defaults.distilled_steps):
        recipe = dataclasses.replace(recipe, distilled=False, steps=defaults.steps)
    weights = model.recipe_model
    if not recipe.model.plays_like(weights, model.former_sha256):
        logger.warning(
            "made by other weights (%s; now %s): the music will differ",
            recipe.model.describe(),
            weights.describe(),
        )
    else:  # names of LoRA files are kept
        weights = dataclasses.replace(weights, loras=recipe.model.loras)
    if recipe.quality != model.quality:
        logger.warning(
            "made in quality '%s', now in '%s': the sound will differ slightly",
            recipe.quality,
            model.quality,
        )
    if recipe.watermark != model.networks.watermark:
        logger.warning(
            "made with %s, now with %s: the sound will differ slightly",
            _key_in_words(recipe.watermark),
            _key_in_words(model.networks.watermark),
        )
    return dataclasses.replace(
        recipe,
        model=weights,
        quality=model.quality,
        watermark=model.networks.watermark,
        device=model.device,
        dtype=model.dtype,
        version=jen1cli.__version__,
        recipe_version=RECIPE_VERSION,
    )


def remake_input(
    recipe: Recipe,
    folder: Path,
    find: Callable[[Recipe], Source | None],
    make: Callable[[Recipe, Source | None], Music | Edit],
    signer: Signer | None = None,
) -> Source | None:
    """Reproduce the input of an edit from the input's own recipe, recursively.

    Args:
        recipe: the edit's recipe.
        folder: for the files that are made.
        find: returns the input of an edit, if it is there.
        make: follows a recipe of an input, with that recipe's own input.
        signer: for inputs that were signed.

    Raises:
        AudioError: the result differs from the input.
    """
    source = find(recipe)
    if source is not None or recipe.input is None or not recipe.needs_input:
        return source
    inner = Recipe.from_dict(recipe.input.recipe, "the input")
    inside = folder / "input"
    inside.mkdir()
    first = remake_input(inner, inside, find, make, signer)
    # with its original recipe, since its bytes have to be the same
    music = dataclasses.replace(make(inner, first), recipe=inner)
    for extension in _REMADE_FORMATS:
        path = folder / f"input.{extension}"
        music.save(path, signer=signer if inner.signature == "c2pa" else None)
        if recipe.input.is_that_of(path):
            return path
    raise AudioError(
        "the input of the edit could not be made again to the same bytes"
        " (another version or device?)"
    )


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
    new = varied(recipe, prompt, amount, seed, _guided(model, recipe, options))
    warn_unplayed(model.networks, options)
    result = model.again(new, source, progress=progress)
    # the input under the name that it was given, also if it was made again elsewhere
    return dataclasses.replace(
        result, recipe=dataclasses.replace(result.recipe, input=recipe.input)
    )


def _guided(model: "Jen1", recipe: Recipe, options: SamplingOptions) -> SamplingOptions:
    """Return the options, with what a change of guidance implies for a distilled recipe."""
    defaults = model.config.generation
    if recipe.task not in ("generate", "cover"):
        defaults = defaults.for_edits()
    wanted = options.get("distilled")
    if not recipe.distilled or wanted or (wanted is None and not own_guidance(options, defaults)):
        return options
    return {"steps": defaults.steps, **options, "distilled": False}


def varied(
    recipe: Recipe,
    prompt: str | None = None,
    amount: float | None = None,
    seed: int | None = None,
    options: SamplingOptions | None = None,
) -> Recipe:
    """Return the recipe of a variation.

    Of its controls, those stay that new ones do not contradict:

    - New chords replace bass and comping of the full score, a new melody the lead, new drums the
      drums.
    - A new key of a mode with the same third transposes chords, melody and parts; any other
      replaces them.
    - A new tempo or metre replaces the full score, whose times are in seconds.
    - A new style or composer replaces all that was written: chords, drums, melody, full score.

    Args:
        recipe: recipe of the result that is varied.
        prompt: new words; "same" at their beginning stands for the former ones. None: the former.
        amount: amount of new noise, 0 to 1; None: 0 if words or settings are new, else 1.
        seed: seed of the new noise; None draws one.
        options: settings that replace those of the recipe.

    Raises:
        RecipeError: the result was decoded from a latent.
        ConfigError: there is a seed but no new noise.
        TypeError: there is no such setting.
    """
    check_has_noise(recipe)
    changes: dict[str, Any] = {k: v for k, v in (options or {}).items() if v is not None}
    if unknown := sorted(changes.keys() - set(SETTINGS)):
        raise TypeError(f"unknown setting '{unknown[0]}'; known: {', '.join(SETTINGS)}")
    if amount is None:
        amount = default_amount(is_changed=prompt is not None or bool(changes))
    if not amount and seed is not None:
        raise ConfigError(
            f"seed {seed} is of new noise, and there is none; leave it out, or give an amount over"
            " 0, such as 0.5"
        )
    former = recipe.controls
    if changes.get("style"):
        changes.setdefault("composer", "rules")  # the one that writes in a style
    elif changes.get("composer", "rules") != "rules":
        changes.setdefault("style", "")
        changes.setdefault("form", "")
    if any(changes.get(name, getattr(recipe, name)) != getattr(recipe, name) for name in _WRITERS):
        former = dataclasses.replace(former, chords="", drums="", melody="", score=None)
    new = changes.get("controls", NO_CONTROLS)
    changes["controls"] = joined(new, former)
    form = changes.get("form", recipe.form)
    if form and changes["controls"].has_bars:
        sections = parse_form(form)
        if (new.chords or new.key) and "form" not in changes:  # the chart has all chords
            changes["form"] = str(sections.without_chords())
        changes["seconds"] = sections.bars * changes["controls"].bar_seconds
    if prompt is not None:
        changes["prompt"] = _renewed(recipe.prompt, prompt)
    if amount:
        noise = Variation(draw_seed() if seed is None else seed, amount)
        changes["variations"] = (*changes.get("variations", recipe.variations), noise)
    return dataclasses.replace(recipe, **changes)


def check_has_noise(recipe: Recipe) -> None:
    """Refuse the recipe of music that cannot be varied.

    Raises:
        RecipeError: the music was decoded from a latent.
    """
    if recipe.task == "decode":
        raise RecipeError("it was decoded from a latent, which has no noise; vary another file")


def joined(new: Controls, former: Controls) -> Controls:
    """Return new controls over former ones that they do not contradict; see `varied`."""
    if new.bpm and former.bpm:  # an upbeat is as many beats at another tempo
        new = dataclasses.replace(
            new, downbeat=new.downbeat or former.downbeat * former.bpm / new.bpm
        )
    if (new.bpm or former.bpm, new.meter or former.meter) != (former.bpm, former.meter):
        former = dataclasses.replace(former, score=None)
    if new.key and former.key and (new.mode in MINOR_MODES) == (former.mode in MINOR_MODES):
        former = former.transposed(new.key)
    elif new.key and former.key:
        score = former.score and without_roles(former.score, ("bass", "comping", "lead"))
        former = dataclasses.replace(former, chords="", melody="", score=score)
    score = former.score and without_given(former.score, new)
    return new.over(dataclasses.replace(former, score=score))


def _renewed(former: str, words: str) -> str:
    first, _, rest = words.partition(" ")
    if first.lower().rstrip(",;.") != _SAME:
        return words
    joint = ", " if first[-1] in ",;." else " "
    return joint.join(filter(None, (former, rest)))
