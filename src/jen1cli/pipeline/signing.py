"""Writes results with a C2PA manifest, and checks the manifests of inputs."""

import dataclasses
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from jen1cli.audio import Source, name_of, read_marks, read_recipe_text
from jen1cli.errors import AudioError
from jen1cli.files import writing
from jen1cli.pipeline.signable import drop_unreadable, read_tag
from jen1cli.provenance import (
    TOO_EXPANDED,
    Ingredient,
    Signer,
    SigningError,
    describe_manifest,
    is_installed,
    media_type,
    why_invalid,
)
from jen1cli.recipe import Recipe, RecipeError, read_recipe

Target = Path | io.BytesIO
Result = TypeVar("Result")

_log = logging.getLogger(__name__)

_NEVER_SIGNED = ("OGG", "AIFF")
"""Formats for which the user asks by a suffix that no signed file has; RF64 has that of WAV."""

_MANIFEST_IS_MISSING = "its recipe says that it was signed, and there is no manifest"


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

    A file that cannot be signed after all is written without, with a warning, unless the signature
    is required.

    Args:
        target: file or buffer.
        format_: libsndfile's name of the format that is written.
        recipe: the result's recipe.
        save: writes the file with this recipe, without a signature.
        signer: None leaves the file unsigned.
        source_type: the IPTC digital source type of the whole.
        source: the recording that was edited.
        source_format: libsndfile's name of its format.

    Returns:
        what `save` returns.

    Raises:
        SigningError: it cannot be signed, although that is required; nothing is written.
        OutputError: it cannot be written.
    """
    kind = media_type(format_)
    if signer is None or (kind is None and format_ in _NEVER_SIGNED):
        return save(target, recipe)
    signed = dataclasses.replace(recipe, signature="c2pa")
    ingredient = None if source is None else _ingredient(source, source_format, recipe)
    lost: list[str] = []
    try:
        if kind is None:
            raise SigningError(f"c2pa cannot write a manifest into {format_} files")
        if isinstance(target, io.BytesIO):
            result = save(target, signed)
            lost = _sign(target, signer, kind, source_type, ingredient)
        else:
            with writing(target) as temporary:
                result = save(temporary, signed)
                lost = _sign(temporary, signer, kind, source_type, ingredient)
        if lost:
            _log.warning("the tags lose frames that C2PA cannot read: ID3 %s", ", ".join(lost))
        return result
    except SigningError as error:
        if signer.is_required:
            raise SigningError(
                f"the file cannot be signed, so it is not written: {error}; without the signature"
                " (--no-provenance) it is written with its tags"
            ) from error
        _log.warning("the file is marked by its tags, but not signed: %s", error)
    if isinstance(target, io.BytesIO):
        target.seek(0)
        target.truncate()
    return save(target, recipe)


def _sign(
    target: Target,
    signer: Signer,
    kind: str,
    source_type: str,
    ingredient: Ingredient | None,
) -> list[str]:
    """Sign a file; return the names of frames of its ID3 tag that are lost.

    Raises:
        SigningError: it cannot be signed, or it would lose its recipe.
    """
    signer.check_sizes(target, ingredient)
    recipe = read_recipe_text(target)
    lost, before = [], set()
    if kind == "audio/mpeg":
        lost = drop_unreadable(target, signer)
        before = _frame_kinds(target)
    signer.sign(target, kind, source_type, ingredient)
    if read_recipe_text(target) != recipe:
        raise SigningError("C2PA cannot keep the tags of the file")
    if before:
        lost += sorted(before - _frame_kinds(target))
    return list(dict.fromkeys(lost))


def _frame_kinds(target: Target) -> set[str]:
    tag = read_tag(target)
    return set() if tag is None else {frame.kind for frame in tag.frames}


def check_manifest(source: Source, name: str | None = None) -> None:
    """Warn about an input that is not as it was signed.

    Args:
        source: the input. Of one that was never signed, nothing is said; without the extra, only
            that a manifest is missing.
        name: the input's name, for the message.

    Raises:
        AudioError: it cannot be read.
    """
    marks = read_marks(source)
    name = name or name_of(source)
    if not marks.signed and _was_signed(source):
        _log.warning("the C2PA manifest of %s is missing: %s", name, _MANIFEST_IS_MISSING)
    if not marks.signed or not is_installed():
        return
    place = source if isinstance(source, io.BytesIO) else Path(source)
    found = describe_manifest(place, marks.format, expands=marks.expands)
    if found["state"] == "invalid":
        _log.warning("the C2PA manifest of %s is invalid: %s", name, why_invalid(found["problems"]))
    elif found["state"] == "unverified":
        _log.warning("the C2PA manifest of %s is not verified: %s", name, found["problems"][0])


def _was_signed(source: Source) -> bool:
    """Whether the recipe in a file says that it was signed."""
    try:
        recipe = read_recipe(source)
    except (RecipeError, AudioError):
        return False
    return recipe.signature == "c2pa"


def _ingredient(source: Source, format_: str, recipe: Recipe) -> Ingredient:
    given = "" if recipe.input is None else recipe.input.name
    name = name_of(source) if given in ("", "-") else Path(given).name
    place = source if isinstance(source, io.BytesIO) else Path(source)
    marks = read_marks(source)
    if marks.expands:
        return Ingredient(name, place, None, TOO_EXPANDED)
    note = _MANIFEST_IS_MISSING if not marks.signed and _was_signed(source) else ""
    return Ingredient(name, place, media_type(format_), note)
