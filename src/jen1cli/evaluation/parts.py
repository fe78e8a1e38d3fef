"""Folders embedded in parts by several processes, and joined without loss.

A part keeps the embeddings of its clips themselves, not sums of them. So the joined parts are the
very arrays of one process that embeds the whole folder, and every figure has the same bits.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jen1cli.errors import ConfigError, DataError
from jen1cli.evaluation.archives import read_arrays
from jen1cli.evaluation.clips import Audit, find_clips, usual_rate
from jen1cli.evaluation.embedded import EmbeddedClip, Found, embed_clips
from jen1cli.evaluation.embeddings.embedding import Embedding, load_embedding
from jen1cli.evaluation.sets import Measured, collect, measure_folder
from jen1cli.files import encoded, make_folder, writing
from jen1cli.jsonfiles import parse_object, to_json
from jen1cli.progress import Progress
from jen1cli.shards import Shard

_ABOUT = "about"


def measure(
    folder: Path,
    specs: Sequence[str],
    shard: Shard | None,
    parts: Path | None,
    *,
    split: str | None = None,
    limit: int | None = None,
    sample_rate: int | None = None,
    progress: Progress | None = None,
) -> tuple[list[Measured], Audit] | None:
    """Embed every n-th clip of a folder and keep the result; join the parts if all are there.

    Args:
        folder: as of `measure_folder`, like `specs`, `split`, `limit`, `sample_rate`.
        specs: embeddings.
        shard: shard of the clips; None: embed the whole folder and keep nothing.
        parts: folder of all parts; one that is there is not made again.
        split: the folder's split.
        limit: largest number of clips, before they are divided.
        sample_rate: required rate in Hz; None: the most common one of the whole folder.
        progress: called after each clip.

    Returns:
        what `measure_folder` returns for the whole folder; None while other parts are missing.

    Raises:
        ConfigError: parts are of other settings or other clips.
        Jen1Error: as of `measure_folder`.
    """
    if shard is None or parts is None:
        return measure_folder(
            folder, specs, split=split, limit=limit, sample_rate=sample_rate, progress=progress
        )
    embeddings = [load_embedding(spec) for spec in specs]
    clips, audit = find_clips(folder, split=split, limit=limit)
    rate = sample_rate or usual_rate(clips)
    make_folder(parts)
    names = [f"{clip.path} {clip.offset} {clip.captions}" for clip in clips]
    embedders = [f"{embedding.name} {embedding.version}" for embedding in embeddings]
    settings = encoded(to_json([shard.count, rate, embedders, names]))
    digest = hashlib.sha256(settings).hexdigest()
    own = parts / _name(shard.index)
    if not own.is_file():
        items: list[tuple[int, EmbeddedClip]] = []
        problems: list[tuple[int, str, str]] = []
        mine = range(shard.index, len(clips), shard.count)
        for done, number in enumerate(mine, 1):
            alone = Audit(audit.folder)
            items += [
                (number, one) for one in embed_clips([clips[number]], embeddings, alone, rate)
            ]
            problems += [(number, kind, n) for kind, ns in alone.problems.items() for n in ns]
            if progress is not None:
                progress(done, len(mine))
        _save(own, digest, items, problems, embeddings)
    places = [parts / _name(index) for index in range(shard.count)]
    if not all(place.is_file() for place in places):
        return None
    items, problems = [], []
    for place in places:
        found, noted = _load(place, digest, len(embeddings))
        items += found
        problems += noted
    for _, kind, name in sorted(problems, key=lambda problem: problem[0]):  # stable
        audit.note(kind, name)  # type: ignore[arg-type] - kinds that `Audit` has written
    audit.used = len(items)
    embedded = [item for _, item in sorted(items, key=lambda item: item[0])]
    return collect(embedded, embeddings, audit), audit


def _name(index: int) -> str:
    return f"part-{index:05d}.npz"


def _save(
    path: Path,
    digest: str,
    items: Sequence[tuple[int, EmbeddedClip]],
    problems: Sequence[tuple[int, str, str]],
    embeddings: Sequence[Embedding],
) -> None:
    about = {
        "settings": digest,
        "items": [[number, item.name, item.caption] for number, item in items],
        "problems": problems,
    }
    values: dict[str, np.ndarray] = {_ABOUT: np.frombuffer(encoded(to_json(about)), np.uint8)}
    for place in range(len(embeddings)):
        found = [item.found[place] for _, item in items]
        if not found:
            continue
        rows, labels, matches = zip(*found, strict=True)
        values[f"{place}.counts"] = np.array([len(each) for each in rows])
        values[f"{place}.rows"] = np.concatenate(rows)
        for name, several in (("labels", labels), ("matches", matches)):
            if all(each is not None for each in several):
                values[f"{place}.{name}"] = np.stack(several)
    with writing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **values)


def _load(
    path: Path, digest: str, embeddings: int
) -> tuple[list[tuple[int, EmbeddedClip]], list[tuple[int, str, str]]]:
    try:
        values = read_arrays(path)
        about: dict[str, Any] = parse_object(values[_ABOUT].tobytes(), str(path))
        if about["settings"] == digest:
            return _unpacked(values, about, embeddings)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(f"{path} is damaged ({error}); remove it and make it again") from error
    raise ConfigError(
        f"{path} is of other clips, settings or number of parts; remove its folder or choose"
        " another --output"
    )


def _unpacked(
    values: dict[str, np.ndarray], about: dict[str, Any], embeddings: int
) -> tuple[list[tuple[int, EmbeddedClip]], list[tuple[int, str, str]]]:
    by_embedding = [_founds(values, place, len(about["items"])) for place in range(embeddings)]
    items = [
        (number, EmbeddedClip(name, caption, tuple(found[i] for found in by_embedding)))
        for i, (number, name, caption) in enumerate(about["items"])
    ]
    return items, [(number, kind, name) for number, kind, name in about["problems"]]


def _founds(values: dict[str, np.ndarray], place: int, count: int) -> list[Found]:
    """Return rows, labels and caption vectors of each clip of a part."""
    if not count:
        return []
    rows = np.split(values[f"{place}.rows"], np.cumsum(values[f"{place}.counts"])[:-1])
    labels, matches = (values.get(f"{place}.{name}") for name in ("labels", "matches"))
    return [
        (
            rows[i],
            None if labels is None else labels[i],
            None if matches is None else matches[i],
        )
        for i in range(count)
    ]
