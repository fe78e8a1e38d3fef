"""Full scores beside a folder of music: `scores.jsonl`, one line for each clip.

A line names the clip's audio file as the manifest does, and its byte offset in a tar file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from jen1cli.errors import ConfigError, DataError
from jen1cli.files import write_text
from jen1cli.jsonfiles import parse_object, read_lines, to_json
from jen1cli.music.full_score import FullScore, read_score

SCORES_NAME = "scores.jsonl"

Place = tuple[str, int]
"""Path of an audio file, and the byte where the clip begins in it."""


def write_scores(path: Path, scores: Iterable[tuple[Place, FullScore]]) -> Path:
    """Write scores; an existing file is replaced."""
    return write_text(path, "".join(score_line(place, score) for place, score in scores))


def score_line(place: Place, score: FullScore) -> str:
    """Return the line of a clip, with its end."""
    audio, offset = place
    return to_json({"audio": audio, "offset": offset, "score": asdict(score)}) + "\n"


def read_scores(source: Path | bytes, name: str = "") -> Iterator[tuple[Place, FullScore]]:
    """Yield scores one by one; nothing without such a file.

    Args:
        source: the file, or its bytes.
        name: name of the source in messages; the path by default.

    Raises:
        DataError: a line is not valid; names it.
    """
    if isinstance(source, bytes) or source.is_file():
        yield from (parse_score_line(text, where) for where, text in read_lines(source, name))


def parse_score_line(text: str, where: str) -> tuple[Place, FullScore]:
    """Read a line; `where` names it in errors.

    Raises:
        DataError: it is not valid.
    """
    line = parse_object(text, where)
    audio, offset, score = line.get("audio"), line.get("offset", 0), line.get("score")
    if not (isinstance(audio, str) and isinstance(offset, int) and isinstance(score, dict)):
        raise DataError(
            f'{where} has no "audio" and "score"; write the file again with \'jen1 corpus scores\''
        )
    try:
        return (audio, offset), read_score(score, f"the score of {audio}")
    except ConfigError as error:
        raise DataError(f"{where}: {error}") from error
