"""`jen1 evaluate audio`: compares a folder of music with another, or with stored statistics."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from jen1cli.errors import ConfigError, DataError
from jen1cli.evaluation.archives import check_statistics, read_arrays
from jen1cli.evaluation.clips import Audit, find_clips
from jen1cli.evaluation.distances import (
    Gaussian,
    cosine_scores,
    frechet_distance,
    frechet_infinity,
    kernel_distance,
    kl_divergence,
    mean_pairwise_distance,
    median_bandwidth,
    minimum_rows,
    set_divergence,
)
from jen1cli.evaluation.embedded import EmbeddedClip, Found, embed_clips
from jen1cli.evaluation.embeddings.embedding import Embedding, load_embedding
from jen1cli.evaluation.intervals import Estimate, mean_interval
from jen1cli.files import writing
from jen1cli.progress import Progress

STATS_VERSION = 1
_KEPT_ROWS = 2000  # embeddings of a reference that its statistics keep for KAD
_KAD_DRAWS = 100


@dataclass(frozen=True)
class Measured:
    """Embeddings and labels of a folder of music by one embedding."""

    name: str  # name of the embedding
    version: str
    rows: np.ndarray  # [windows, features]
    owners: np.ndarray  # [windows], index of the clip
    labels: np.ndarray | None  # [clips, classes]
    names: tuple[str, ...]  # file names of the clips
    captions: np.ndarray | None = None  # [captioned clips], cosine of sound and own caption
    shuffled: np.ndarray | None = None  # the same with another clip's caption
    note: str = ""  # caveat about the embedding
    in_domain: bool = False

    @property
    def title(self) -> str:
        """Name for a table."""
        return f"{self.name} (in-domain)" if self.in_domain else self.name

    @property
    def clips(self) -> int:
        """Number of clips."""
        return len(self.names)


def measure_folder(
    folder: Path,
    specs: Sequence[str],
    *,
    split: str | None = None,
    limit: int | None = None,
    sample_rate: int | None = None,
    progress: Progress | None = None,
) -> tuple[list[Measured], Audit]:
    """Embed a folder by several embeddings, reading every clip once.

    Raises:
        ConfigError, CheckpointError: an embedding is unknown or its weights are missing.
        DataError: the folder has no usable clip.
    """
    embeddings = [load_embedding(spec) for spec in specs]
    clips, audit = find_clips(folder, split=split, limit=limit)
    embedded = []
    for item in embed_clips(clips, embeddings, audit, sample_rate):
        embedded.append(item)
        if progress is not None:
            progress(len(embedded), len(clips))
    return collect(embedded, embeddings, audit), audit


def collect(
    embedded: Sequence[EmbeddedClip], embeddings: Sequence[Embedding], audit: Audit
) -> list[Measured]:
    """Return the clips of a folder by embedding.

    Raises:
        DataError: there are fewer than two clips.
    """
    if len(embedded) < 2:
        count = "only one clip" if embedded else "no clip"
        reasons = "; ".join(audit.warnings()) or "nothing was read"
        raise DataError(f"{count} of {audit.folder} counts ({reasons}); give other audio")
    captions = [item.caption for item in embedded]
    names = tuple(item.name for item in embedded)
    return [
        _finish(embedding, [item.found[number] for item in embedded], captions, names)
        for number, embedding in enumerate(embeddings)
    ]


def _finish(
    embedding: Embedding,
    found: Sequence[Found],
    captions: list[str | None],
    names: tuple[str, ...],
) -> Measured:
    """Collect the clips and captions of one embedding."""
    joined = replace(
        join(embedding.name, embedding.version, [(rows, label) for rows, label, _ in found], names),
        note=embedding.note,
        in_domain=embedding.in_domain,
    )
    with_words = [i for i, caption in enumerate(captions) if caption is not None]
    vectors = [vector for i in with_words if (vector := found[i][2]) is not None]
    if not vectors or len(vectors) < len(with_words):
        return joined
    text = embedding.embed_text([captions[i] or "" for i in with_words])
    if text is None:
        return joined
    sound = np.stack(vectors)
    other = np.roll(text, max(1, len(text) // 2), axis=0) if len(text) > 1 else None
    return replace(
        joined,
        captions=cosine_scores(sound, text),
        shuffled=None if other is None else cosine_scores(sound, other),
    )


def join(
    name: str,
    version: str,
    found: Sequence[tuple[np.ndarray, np.ndarray | None]],
    names: tuple[str, ...],
) -> Measured:
    """Concatenate the windows and labels of clips.

    Args:
        name: name of the embedding.
        version: version of the embedding.
        found: windows [windows, features] and label distribution of each clip.
        names: file names of the clips.
    """
    labels = [label for _, label in found if label is not None]
    return Measured(
        name,
        version,
        np.concatenate([rows for rows, _ in found]),
        np.repeat(np.arange(len(found)), [len(rows) for rows, _ in found]),
        np.stack(labels) if len(labels) == len(found) else None,
        names,
    )


# --- statistics of a reference ---


def save_statistics(path: Path, measured: Sequence[Measured], audit: Audit) -> None:
    """Store the statistics of a reference that distances need in an .npz file, without audio."""
    values: dict[str, np.ndarray] = {
        "version": np.array(STATS_VERSION),
        "folder": np.array(audit.folder),
        "names": np.array([item.name for item in measured]),
    }
    for item in measured:
        gaussian = Gaussian.of(item.rows)
        kept = np.sort(np.random.default_rng(0).permutation(len(item.rows))[:_KEPT_ROWS])
        values |= {
            f"{item.name}.version": np.array(item.version),
            f"{item.name}.mean": gaussian.mean,
            f"{item.name}.covariance": gaussian.covariance,
            f"{item.name}.count": np.array(gaussian.count),
            f"{item.name}.clips": np.array(item.clips),
            f"{item.name}.rows": item.rows[kept].astype(np.float32),
            f"{item.name}.owners": item.owners[kept],
        }
        if item.labels is not None:
            values[f"{item.name}.labels"] = item.labels.mean(0, keepdims=True)
    with writing(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **values)


@dataclass(frozen=True)
class Reference:
    """Statistics of the reference music in one embedding."""

    name: str
    version: str
    gaussian: Gaussian
    rows: np.ndarray
    owners: np.ndarray  # clip of each row
    labels: np.ndarray | None
    names: tuple[str, ...]  # file names of the clips; empty if only statistics are known
    clips: int

    @classmethod
    def of(cls, item: Measured) -> "Reference":
        """Compute the statistics of an embedded folder."""
        gaussian = Gaussian.of(item.rows)
        return cls(
            item.name, item.version, gaussian, item.rows, item.owners, item.labels, item.names,
            item.clips,
        )  # fmt: skip


def load_statistics(path: Path) -> list[Reference]:
    """Read stored statistics.

    Raises:
        DataError: the file has another format.
    """
    try:
        values = read_arrays(path)
        if int(values["version"]) != STATS_VERSION:
            raise KeyError("version")
        return [_reference(values, str(name)) for name in values["names"]]
    except (OSError, ValueError, KeyError, TypeError, SystemError) as error:
        # SystemError: NumPy's, of text with characters beyond Unicode
        raise DataError(
            f"{path} holds no statistics of 'jen1 evaluate stats'; make them again from the folder"
        ) from error


def _reference(values: dict[str, np.ndarray], name: str) -> Reference:
    gaussian = Gaussian(
        values[f"{name}.mean"], values[f"{name}.covariance"], int(values[f"{name}.count"])
    )
    rows, owners = values[f"{name}.rows"], values[f"{name}.owners"]
    labels = values.get(f"{name}.labels")
    check_statistics(gaussian, rows, owners, labels)
    return Reference(
        name,
        str(values[f"{name}.version"]),
        gaussian,
        rows,
        owners,
        labels,
        (),
        int(values[f"{name}.clips"]),
    )


# --- comparison ---


@dataclass(frozen=True)
class Comparison:
    """All scores in one embedding."""

    embedding: str
    version: str
    clips: int
    reference_clips: int
    windows: int
    infinity_windows: int  # least number of windows for FAD-infinity
    fad: float
    kad: Estimate
    fad_infinity: float | None = None
    fad_infinity_fit: float | None = None
    fad_points: tuple[tuple[int, float], ...] = ()  # (windows, FAD) of the subsets of FAD-infinity
    kl: Estimate | None = None  # over pairs of clips of the same file name
    kl_sets: float | None = None  # between the mean distributions
    clap: Estimate | None = None
    clap_shuffled: Estimate | None = None
    diversity: float | None = None
    remarks: tuple[str, ...] = field(default_factory=tuple)

    def facts(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def compare(item: Measured, reference: Reference) -> Comparison:
    """Compare an embedded folder with a reference.

    Raises:
        ConfigError: the two were embedded with different weights.
        DataError: there are too few windows for any distance.
    """
    if item.version != reference.version or not _has_the_sizes_of(item, reference):
        raise ConfigError(
            f"the reference was embedded by {reference.name} {reference.version[:12]}, the music"
            f" by {item.version[:12]}; make the statistics again"
        )
    remarks: list[str] = []
    gaussian = Gaussian.of(item.rows)
    infinity = fit = None
    points: tuple[tuple[int, float], ...] = ()
    try:
        found = frechet_infinity(reference.gaussian, item.rows)
        infinity, fit, points = found.value, found.fit, found.points
        if fit < 0.9:
            remarks.append(f"the line of FAD-infinity fits badly (R² {fit:.2f})")
    except DataError as error:
        remarks.append(f"no FAD-infinity: {error}")
    if min(gaussian.count, reference.gaussian.count) <= len(gaussian.mean):
        remarks.append(
            f"{gaussian.count} and {reference.gaussian.count} windows for"
            f" {len(gaussian.mean)} features: FAD is biased upwards, trust KAD"
        )
    kl, kl_sets = _divergences(item, reference)
    return Comparison(
        embedding=item.name,
        version=item.version,
        clips=item.clips,
        reference_clips=reference.clips,
        windows=len(item.rows),
        infinity_windows=minimum_rows(item.rows.shape[1]),
        fad=frechet_distance(reference.gaussian, gaussian),
        kad=_kad(item, reference),
        fad_infinity=infinity,
        fad_infinity_fit=fit,
        fad_points=points,
        kl=kl,
        kl_sets=kl_sets,
        clap=None if item.captions is None else mean_interval(item.captions),
        clap_shuffled=None if item.shuffled is None else mean_interval(item.shuffled),
        diversity=mean_pairwise_distance(_clip_means(item)),
        remarks=tuple(remarks),
    )


def _has_the_sizes_of(item: Measured, reference: Reference) -> bool:
    """Whether features and classes are as many."""
    pairs = [(item.rows, reference.rows), (item.labels, reference.labels)]
    return all(a is None or b is None or a.shape[1] == b.shape[1] for a, b in pairs)


def _kad(item: Measured, reference: Reference) -> Estimate:
    """Return KAD between clips, with an interval over the evaluated clips."""
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(reference.rows))[:_KEPT_ROWS]
    theirs, their_owners = reference.rows[chosen], reference.owners[chosen]
    bandwidth = median_bandwidth(theirs)

    def distance(rows: np.ndarray, owners: np.ndarray, most: int = _KEPT_ROWS) -> float:
        return kernel_distance(
            theirs[:most], rows, bandwidth, reference_owners=their_owners[:most], owners=owners
        )

    value = distance(item.rows, item.owners)
    if item.clips < 4:
        return Estimate(value, float("nan"), float("nan"), item.clips)
    # Subsampling of half of the clips, not a bootstrap, in which repeated rows would count as
    # perfect neighbours. The spread of halves estimates that of the whole.
    found = []
    for _ in range(_KAD_DRAWS):
        inside = np.isin(item.owners, rng.permutation(item.clips)[: item.clips // 2])
        found.append(distance(item.rows[inside], item.owners[inside], 500))
    spread = float(np.std(found))
    return Estimate(value, value - 1.96 * spread, value + 1.96 * spread, item.clips)


def _divergences(item: Measured, reference: Reference) -> tuple[Estimate | None, float | None]:
    if item.labels is None or reference.labels is None:
        return None, None
    sets = set_divergence(reference.labels, item.labels)
    places = _once(reference.names)
    pairs = [(places[stem], i) for stem, i in _once(item.names).items() if stem in places]
    if len(pairs) < max(2, item.clips // 2):
        return None, sets
    theirs, ours = (np.array(side) for side in zip(*pairs, strict=True))
    return mean_interval(kl_divergence(reference.labels[theirs], item.labels[ours])), sets


def _once(names: Sequence[str]) -> dict[str, int]:
    """Return the index of each name that occurs once, without its extension."""
    stems = [name.rsplit(".", 1)[0] for name in names]
    counts = Counter(stems)
    return {stem: i for i, stem in enumerate(stems) if counts[stem] == 1}


def _clip_means(item: Measured) -> np.ndarray:
    centred = item.rows - item.rows.mean(0)
    return np.stack([centred[item.owners == clip].mean(0) for clip in range(item.clips)])
