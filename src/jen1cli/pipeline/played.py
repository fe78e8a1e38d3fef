"""What was played in a recording, as far as its own recipe says it."""

from collections.abc import Sequence

from jen1cli.audio import Source
from jen1cli.midi import Passage
from jen1cli.music.controls import NO_CONTROLS, Controls
from jen1cli.recipe import Recipe, RecipeError, find_recipe

_SLACK = 1e-3  # seconds of rounding
_SAME_LENGTH = 0.01  # seconds
_SAME_TEMPO = 0.005  # beats per minute


def played_passages(recipe: Recipe) -> list[Passage]:
    """Return the controls that were played in a result, also in the recording that it edits."""
    own = list(recipe.played)
    inner = _input_recipe(recipe)
    if inner is None:
        return own
    shift = recipe.seconds if recipe.before else 0.0
    found = own[:]
    for passage in (item.shifted(shift) for item in played_passages(inner)):
        rest = _outside([(item.start, item.stop) for item in own], passage.start, passage.stop)
        found += [Passage(passage.controls, begin, end) for begin, end in rest]
    return sorted(found, key=lambda passage: passage.start)


def passages_of_file(recipe: Recipe | None, seconds: float) -> list[Passage]:
    """Return what was played in a file; nothing if its recipe is not of music of that length.

    Another program may have cut the file since, and left the recipe in it.

    Args:
        recipe: of the file.
        seconds: length of the file.
    """
    length = None if recipe is None else _length(recipe)
    if recipe is None or length is None or abs(length - seconds) > _SAME_LENGTH:
        return []
    return played_passages(recipe)


def bars_near(passages: Sequence[Passage], seconds: float, asked: Controls) -> Controls:
    """Return tempo, metre and downbeat of the passage nearest to a time.

    Returns:
        `NO_CONTROLS` if that passage has no bars, or its tempo or metre is not the one asked for.
    """
    nearest = timed_near(passages, seconds, asked)
    if nearest is None:
        return NO_CONTROLS
    known = nearest.timed
    return Controls(known.bpm, known.meter, known.downbeat)


def timed_near(passages: Sequence[Passage], seconds: float, asked: Controls) -> Passage | None:
    """Return the passage nearest to a time; None as in `bars_near`."""
    nearest = _nearest(passages, seconds)
    if nearest is None or not nearest.timed.has_bars:
        return None
    known = nearest.timed
    others = asked.bpm and abs(asked.bpm - known.bpm) > _SAME_TEMPO
    return None if others or asked.meter not in ("", known.meter) else nearest


def key_near(passages: Sequence[Passage], seconds: float) -> Controls:
    """Return key and mode of the passage nearest to a time; `NO_CONTROLS` if it has none."""
    nearest = _nearest(passages, seconds)
    if nearest is None or not nearest.controls.key:
        return NO_CONTROLS
    return Controls(key=nearest.controls.key, mode=nearest.controls.mode)


def _nearest(passages: Sequence[Passage], seconds: float) -> Passage | None:
    return min(
        passages,
        key=lambda item: max(item.start - seconds, seconds - item.stop, 0.0),
        default=None,
    )


def bars_of_file(source: Source, seconds: float, asked: Controls) -> Controls:
    """Return tempo, metre and downbeat in which the bars of a file are counted.

    A tempo that is asked for counts from the start of the file, in 4/4 unless a metre is asked for.
    Without one they are those that the file's recipe says were played.

    Args:
        source: the file.
        seconds: its length.
        asked: controls of the edit.
    """
    if asked.bpm:
        return Controls(asked.bpm, asked.meter or "4/4")
    return bars_near(passages_of_file(find_recipe(source), seconds), 0.0, asked)


def _length(recipe: Recipe) -> float | None:
    """Return the length of a result in seconds; None if a recording without a recipe decides it."""
    if not recipe.needs_input:
        return recipe.seconds
    inner = _input_recipe(recipe)
    before = None if inner is None else _length(inner)
    if before is None:
        return None
    return before + (recipe.seconds if recipe.task == "continue" else 0.0)


def _input_recipe(recipe: Recipe) -> Recipe | None:
    if recipe.input is None or recipe.input.recipe is None or not recipe.needs_input:
        return None
    try:
        return Recipe.from_dict(recipe.input.recipe, "the input")
    except RecipeError:
        return None


def _outside(
    spans: Sequence[tuple[float, float]], start: float, stop: float
) -> list[tuple[float, float]]:
    """Return the parts of an interval outside some spans."""
    found = []
    for begin, end in sorted(spans):
        if begin > start + _SLACK:
            found.append((start, min(begin, stop)))
        start = max(start, end)
    found.append((start, stop))
    return [(begin, end) for begin, end in found if end > begin + _SLACK]
