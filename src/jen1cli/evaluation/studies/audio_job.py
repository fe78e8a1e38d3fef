"""`jen1 evaluate audio` as a job: embeds two folders, compares them and reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jen1cli.errors import ConfigError
from jen1cli.evaluation.clips import HELD_OUT, find_clips
from jen1cli.evaluation.parts import measure
from jen1cli.evaluation.report import Report, ReportClip, Table, evenly
from jen1cli.evaluation.sets import (
    Comparison,
    Measured,
    Reference,
    compare,
    load_statistics,
    measure_folder,
)
from jen1cli.progress import Progress
from jen1cli.shards import Shard

_SHOWN = 8
_POINTS = 9  # points of the plotted FAD-infinity curve


@dataclass(frozen=True)
class AudioJob:
    """Comparison of one folder with a reference.

    Attributes:
        folder: folder to evaluate.
        reference: a folder, or stored statistics (.npz).
        embeddings: names of the embeddings.
        split: split of the folder, as in `find_clips`.
        reference_split: split of the reference.
        limit: largest number of clips on each side.
        sample_rate: required rate in Hz; None: the most common one on each side.
        shard: part of the folder to embed; None: all of it.
        parts: folder that all parts share, if there is a shard.
    """

    folder: Path
    reference: Path
    embeddings: tuple[str, ...]
    split: str | None = None
    reference_split: str | None = HELD_OUT
    limit: int | None = None
    sample_rate: int | None = None
    shard: Shard | None = None
    parts: Path | None = None

    def run(self, progress: Progress | None = None) -> Report | None:
        """Embed both sides and compare them in every embedding.

        Returns:
            the report; None while other parts of the folder are missing.

        Raises:
            Jen1Error: a folder, an embedding or the statistics cannot be used.
        """
        report = Report("audio", settings={
            "folder": self.folder, "reference": self.reference, "embeddings": self.embeddings,
            "resampler": "soxr VHQ",
        })  # fmt: skip
        whole = measure(
            self.folder, self.embeddings, self.shard, self.parts, split=self.split,
            limit=self.limit, sample_rate=self.sample_rate, progress=progress,
        )  # fmt: skip
        if whole is None:
            return None
        references = self._references(report, progress)
        measured, audit = whole
        report.audits.append(audit.facts())
        report.warnings += audit.warnings()
        found = []
        for item in measured:
            if item.name not in references:
                known = ", ".join(references)
                raise ConfigError(
                    f"the reference has no embeddings by '{item.name}' (only {known});"
                    f" choose one of them with --embedding"
                )
            found.append(compare(item, references[item.name]))
            report.judges[item.name] = item.version
            report.warnings += [f"{item.name}: {remark}" for remark in found[-1].remarks]
        report.tables = _tables(found, measured)
        counted = set(measured[0].names)
        clips, _ = find_clips(self.folder, split=self.split, limit=self.limit)
        clips = [clip for clip in clips if not clip.size and clip.name in counted]
        report.samples = [ReportClip(clip.captions[0], clip.path) for clip in evenly(clips, _SHOWN)]
        return report

    def _references(self, report: Report, progress: Progress | None) -> dict[str, Reference]:
        if self.reference.is_file() or self.reference.is_fifo():
            return {item.name: item for item in load_statistics(self.reference)}
        measured, audit = measure_folder(
            self.reference, self.embeddings, split=self.reference_split, limit=self.limit,
            sample_rate=self.sample_rate, progress=progress,
        )  # fmt: skip
        report.audits.append(audit.facts())
        report.warnings += audit.warnings()
        return {item.name: Reference.of(item) for item in measured}


def _tables(found: Sequence[Comparison], measured: Sequence[Measured]) -> list[Table]:
    """Return the tables of distances, label divergences and caption scores."""
    pairs = [(heard.title, item) for heard, item in zip(measured, found, strict=True)]
    minimum = " or ".join(sorted({str(item.infinity_windows) for item in found}))
    notes = "".join(f" {heard.name}: {heard.note}." for heard in measured if heard.note)
    distances = Table(
        "distances", "The set against the reference",
        ("heard by", "KAD", "FAD", "FAD-infinity", "windows", "clips"),
        tuple(
            (
                title, item.kad, item.fad, item.fad_infinity, str(item.windows),
                f"{item.clips} / {item.reference_clips}",
            )
            for title, item in pairs
        ),
        note="KAD: unbiased, Gaussian kernel, median bandwidth, x100. FAD-infinity: line over 1/n,"
        f" from {minimum} windows. Lower is better; figures of different embeddings do not"
        f" compare.{notes}",
    )  # fmt: skip
    labels = Table(
        "labels", "Labels", ("heard by", "KL of pairs", "KL of sets", "diversity"),
        tuple((title, item.kl, item.kl_sets, item.diversity) for title, item in pairs),
        note="KL in nats of the embedding's own labels; of pairs where file names agree."
        " Diversity: mean 1 - cosine of clips.",
    )  # fmt: skip
    words = Table(
        "words", "Words", ("heard by", "CLAP score", "shuffled"),
        tuple((title, i.clap, i.clap_shuffled) for title, i in pairs if i.clap is not None),
        note="Cosine of sound and caption in that embedding; shuffled: with the caption of another"
        " clip.",
        plot="together",
    )  # fmt: skip
    curves = [
        Table(
            f"windows {item.embedding}", f"FAD of fewer windows, by {title}", ("windows", "FAD"),
            tuple((str(count), distance) for count, distance in evenly(item.fad_points, _POINTS)),
            note=f"FAD-infinity is where its line over 1/n ends; R² {item.fad_infinity_fit:.2f}.",
            plot="curve",
        )
        for title, item in pairs
        if item.fad_points
    ]  # fmt: skip
    return [table for table in (distances, labels, words) if table.rows] + curves
