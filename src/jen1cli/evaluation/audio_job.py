"""`jen1 evaluate audio` as a job: what is heard, compared and reported."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jen1cli.errors import ConfigError
from jen1cli.evaluation.clips import find_clips
from jen1cli.evaluation.report import Report, Sample, Table, evenly
from jen1cli.evaluation.sets import (
    Comparison,
    Reference,
    compare,
    load_statistics,
    measure_folder,
)

Progress = Callable[[int, int], None]
_SHOWN = 8


@dataclass(frozen=True)
class AudioJob:
    """One folder against a reference.

    Attributes:
        folder: that is judged.
        reference: a folder, or stored statistics (.npz).
        embeddings: by name.
        split: of the folder's manifest.
        reference_split: of the reference's manifest.
        limit: of clips, on both sides.
        sample_rate: that files must have; None: that of most, on each side.
    """

    folder: Path
    reference: Path
    embeddings: tuple[str, ...]
    split: str | None = None
    reference_split: str | None = None
    limit: int | None = None
    sample_rate: int | None = None

    def run(self, progress: Progress | None = None) -> Report:
        """Listen to both sides and compare them through every embedding.

        Raises:
            Jen1Error: a folder, an embedding or the statistics cannot be used.
        """
        report = Report("audio", settings={
            "folder": self.folder, "reference": self.reference, "embeddings": self.embeddings,
            "resampler": "soxr VHQ",
        })  # fmt: skip
        references = self._references(report, progress)
        measured, audit = measure_folder(
            self.folder, self.embeddings, split=self.split, limit=self.limit,
            sample_rate=self.sample_rate, progress=progress,
        )  # fmt: skip
        report.audits.append(audit.facts())
        report.warnings += audit.warnings()
        found = []
        for item in measured:
            if item.name not in references:
                known = ", ".join(references)
                raise ConfigError(
                    f"the reference was not heard through '{item.name}' (only {known});"
                    f" choose one of them with --embedding"
                )
            found.append(compare(item, references[item.name]))
            report.listeners[item.name] = item.version
            report.warnings += [f"{item.name}: {remark}" for remark in found[-1].remarks]
        shown = {item.name: item.title for item in measured}
        report.tables = _tables(found, shown)
        report.warnings += [f"{item.name}: {item.note}" for item in measured if item.note]
        counted = set(measured[0].names)
        clips, _ = find_clips(self.folder, split=self.split, limit=self.limit)
        clips = [clip for clip in clips if clip.path.name in counted and not clip.size]
        report.samples = [Sample(clip.captions[0], clip.path) for clip in evenly(clips, _SHOWN)]
        return report

    def _references(self, report: Report, progress: Progress | None) -> dict[str, Reference]:
        if self.reference.is_file():
            return {item.name: item for item in load_statistics(self.reference)}
        measured, audit = measure_folder(
            self.reference, self.embeddings, split=self.reference_split, limit=self.limit,
            sample_rate=self.sample_rate, progress=progress,
        )  # fmt: skip
        report.audits.append(audit.facts())
        report.warnings += audit.warnings()
        return {item.name: Reference.of(item) for item in measured}


def _tables(found: Sequence[Comparison], listeners: Mapping[str, str]) -> list[Table]:
    """Distances of the sets, and what labels and words say."""
    names = [listeners[item.embedding] for item in found]
    return [
        Table(
            "distances", "The set against the reference",
            ("heard by", "KAD", "FAD", "FAD-infinity", "windows", "clips"),
            tuple(
                (
                    name, item.kad, item.fad, item.fad_infinity, str(item.windows),
                    f"{item.clips} / {item.reference_clips}",
                )
                for name, item in zip(names, found, strict=True)
            ),
            note="KAD: unbiased, Gaussian kernel, median bandwidth, x100. FAD-infinity: line over"
            " 1/n, from"
            f" {' or '.join(sorted({str(item.infinity_windows) for item in found}))} windows."
            " Lower is better; figures of different embeddings do not compare.",
            plot="apart",
        ),
        Table(
            "labels", "Labels and words",
            ("heard by", "KL of pairs", "KL of sets", "CLAP score", "shuffled", "diversity"),
            tuple(
                (name, item.kl, item.kl_sets, item.clap, item.clap_shuffled, item.diversity)
                for name, item in zip(names, found, strict=True)
            ),
            note="KL in nats of the embedding's own labels; of pairs where file names agree. CLAP"
            " score: cosine of sound and caption in that embedding; shuffled: with another clip's"
            " caption.",
            plot="apart",
        ),
    ]  # fmt: skip
