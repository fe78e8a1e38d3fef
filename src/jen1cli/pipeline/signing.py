"""Writes results with a C2PA manifest, or with their tags alone where that is not possible."""

import dataclasses
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from jen1cli.audio import Source, name_of
from jen1cli.files import writing
from jen1cli.provenance import Ingredient, Signer, SigningError, media_type
from jen1cli.recipe import Recipe

Target = Path | io.BytesIO
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


def save_signed(
    target: Target,
    format_: str,
    recipe: Recipe,
    save: Callable[[Target, Recipe], Result],
    signer: Signer | None,
    *,
    source_type: str,
    source: Source | None = None,
    source_format: str = "",
) -> Result:
    """Write a file and sign it.

    A file that cannot be signed after all is written without, with a warning.

    Args:
        target: file or buffer.
        format_: libsndfile's name of the format that is written.
        recipe: of the result.
        save: writes the file with this recipe, without a signature.
        signer: None leaves the file unsigned.
        source_type: the IPTC digital source type of the whole.
        source: the recording that was edited.
        source_format: libsndfile's name of its format.

    Returns:
        what `save` returns.
    """
    kind = media_type(format_)
    if signer is None or kind is None:
        return save(target, recipe)
    signed = dataclasses.replace(recipe, signature="c2pa")
    ingredient = None if source is None else _ingredient(source, source_format, recipe)
    try:
        if isinstance(target, io.BytesIO):
            result = save(target, signed)
            signer.sign(target, kind, source_type, ingredient)
            return result
        with writing(target) as temporary:
            result = save(temporary, signed)
            signer.sign(temporary, kind, source_type, ingredient)
        return result
    except SigningError as error:
        _log.warning("the file is marked by its tags, but not signed: %s", error)
    if isinstance(target, io.BytesIO):
        target.seek(0)
        target.truncate()
    return save(target, recipe)


def _ingredient(source: Source, format_: str, recipe: Recipe) -> Ingredient:
    given = "" if recipe.input is None else recipe.input.name
    name = name_of(source) if given in ("", "-") else Path(given).name
    place = source if isinstance(source, io.BytesIO) else Path(source)
    return Ingredient(name, place, media_type(format_))
