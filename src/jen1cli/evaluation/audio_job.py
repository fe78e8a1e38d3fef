"""`jen1 evaluate audio` as a job: what is heard, compared and reported."""

from collections.abc import Callable
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
            "folder": self.folder, "reference": self.reference, "resampler": "soxr VHQ",
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
        report.tables = [_table(found)]
        clips, _ = find_clips(self.folder, split=self.split)
        report.samples = [
            Sample(clip.captions[0], clip.path) for clip in evenly(clips, _SHOWN) if not clip.size
        ]
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


def _table(found: list[Comparison]) -> Table:
    return Table(
        "sets",
        "The set against the reference",
        (
            "embedding", "KAD", "FAD", "FAD-infinity", "KL of pairs", "KL of sets", "CLAP score",
            "shuffled", "diversity", "clips",
        ),
        tuple(
            (
                item.embedding, item.kad, item.fad, item.fad_infinity, item.kl, item.kl_sets,
                item.clap, item.clap_shuffled, item.diversity,
                f"{item.clips} / {item.reference_clips}",
            )
            for item in found
        ),
        note="KAD: unbiased, Gaussian kernel, median bandwidth, x100. FAD-infinity: line over 1/n."
        " KL in nats of the embedding's own labels; of pairs where file names agree."
        " Scores of different embeddings do not compare.",
    )  # fmt: skip
