"""Full scores of a corpus: composed again from its seeds, without rendering."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jen1cli.composition.composer import compose
from jen1cli.composition.full_score import full_score
from jen1cli.corpus.captions.writer import attributes
from jen1cli.corpus.dataset import DatasetPlan, check_styles, clip_seed, style_of
from jen1cli.errors import DataError
from jen1cli.files import expand_user
from jen1cli.jsonfiles import parse_json, parse_object, read_lines, read_object, to_json
from jen1cli.manifest import MANIFEST_NAME
from jen1cli.music.full_score import FullScore
from jen1cli.music.score_files import SCORES_NAME, Place, write_scores

CORPUS_NAME = "corpus.json"


def add_scores(
    folder: Path, output: Path | None = None, listener: Callable[[int, int], None] | None = None
) -> int:
    """Write the full score of every clip of a corpus to `scores.jsonl`; the corpus is only read.

    Args:
        folder: folder of `jen1 corpus make`.
        output: file to write; None: `scores.jsonl` in the folder.
        listener: called with (clips done, clips in all).

    Returns:
        the number of clips.

    Raises:
        DataError: it is no corpus, or a composition differs from the attributes of the manifest.
    """
    folder = expand_user(folder).absolute()
    if not (folder / CORPUS_NAME).is_file() or not (folder / MANIFEST_NAME).is_file():
        raise DataError(f"'{folder}' is no finished corpus; make one with 'jen1 corpus make'")
    made = read_object(folder / CORPUS_NAME)
    try:
        seconds = float(made["clip_seconds"])
        plan = DatasetPlan(int(made["seed"]), tuple(map(str, made["styles"])), clip_seconds=seconds)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{folder / CORPUS_NAME} lacks the settings of a corpus ({error}); make it again"
        ) from error
    check_styles(plan.styles)
    lines = [
        (where, parse_object(text, where)) for where, text in read_lines(folder / MANIFEST_NAME)
    ]
    scores = []
    for done, (where, line) in enumerate(lines, 1):
        if not isinstance(line.get("index"), int) or not isinstance(line.get("audio"), str):
            raise DataError(f"{where} has no index of a corpus; make the corpus again")
        scores.append((place_of(line), composed_score(plan, line, where)))
        if listener is not None:
            listener(done, len(lines))
    write_scores(output or folder / SCORES_NAME, scores)
    return len(scores)


def place_of(line: Mapping[str, Any]) -> Place:
    """Return the place of a clip in its corpus, from its line of the manifest."""
    return line["audio"], line.get("offset", 0)


def composed_score(plan: DatasetPlan, line: Mapping[str, Any], where: str) -> FullScore:
    """Compose a clip again, without rendering.

    Args:
        plan: settings of the corpus.
        line: the manifest's line.
        where: name of the line.

    Raises:
        DataError: the composition differs from the attributes of the line.
    """
    index = line["index"]
    score = compose(style_of(plan, index), clip_seed(plan.seed, index), plan.clip_seconds)
    if parse_json(to_json(attributes(score)), where) != line.get("attributes"):
        raise DataError(
            f"{where}: this version composes clip {index} differently from"
            f" {line['audio']}; make the corpus again with this version"
        )
    return full_score(score)
