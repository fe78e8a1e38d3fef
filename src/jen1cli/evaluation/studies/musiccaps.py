"""The paper's evaluation on MusicCaps, with its Table II for comparison.

Google publishes captions and video ids, not the audio, and some videos are no longer available: the
user supplies the public CSV and a folder of clips. Missing clips are counted and named. The paper
(section V) does not state which networks its FAD, KL and CLAP score use, so the values are not
claimed to be comparable.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jen1cli.errors import DataError
from jen1cli.evaluation.clips import Audit
from jen1cli.evaluation.report import Cell, Report, Table
from jen1cli.evaluation.sets import Comparison, Reference, compare, measure_folder
from jen1cli.files import make_folder
from jen1cli.folders import AUDIO_SUFFIXES, walk_files
from jen1cli.manifest import Clip, write_manifest
from jen1cli.progress import Progress

if TYPE_CHECKING:
    from jen1cli.pipeline import Jen1
    from jen1cli.sampling import SamplingOptions

SECONDS = 10.0
BALANCED_COLUMN = "is_balanced_subset"

# Paper, Table II: FAD, KL, CLAP, T2M-QLT, T2M-ALI, parameters.
TABLE_II: tuple[tuple[Cell, ...], ...] = (
    ("Riffusion", 14.8, 2.06, 0.19, 72.1, 72.2, "890M"),
    ("Mousai", 7.5, 1.59, 0.23, 76.3, 71.9, "857M"),
    ("MusicLM", 4.0, None, None, 81.7, 82.0, "860M"),
    ("AudioLDM", 2.3, 1.35, 0.31, 81.9, 71.8, "739M"),
    ("Noise2Music", 2.1, None, None, None, None, "1.3B"),
    ("MusicGen", 3.8, 1.22, 0.31, 83.8, 79.5, "3.3B"),
    ("JEN-1 (paper)", 2.0, 1.29, 0.33, 85.7, 82.8, "726M"),
)


@dataclass(frozen=True)
class Entry:
    """One row of the CSV."""

    video: str
    start: str  # seconds, as in the CSV
    caption: str
    balanced: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Common file names of the clip, without suffix."""
        start = self.start.split(".")[0]
        end = str(int(start) + 10) if start.isdigit() else ""
        return (
            self.video, f"[{self.video}]-[{start}-{end}]", f"{self.video}_{start}",
            f"{self.video}_{start}_{end}", f"{self.video}-{start}",
        )  # fmt: skip


def read_csv(path: Path) -> list[Entry]:
    """Read the public CSV (columns ytid, start_s, caption, is_balanced_subset).

    Raises:
        DataError: the file is missing, or another table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read ({error}); give MusicCaps' CSV") from error
    if not rows or not {"ytid", "start_s", "caption"} <= rows[0].keys():
        raise DataError(
            f"{path} has no columns ytid, start_s and caption; give MusicCaps' public CSV"
        )
    return [
        Entry(
            row["ytid"],
            row["start_s"],
            " ".join(row["caption"].split()),
            str(row.get(BALANCED_COLUMN, "")).strip().lower() == "true",
        )
        for row in rows
    ]


def match_clips(
    entries: Sequence[Entry], folder: Path
) -> tuple[list[tuple[Entry, Path]], list[Entry]]:
    """Find the audio file of every entry.

    Returns:
        entries with their files, and entries whose clip is missing.

    Raises:
        DataError: the folder is missing.
    """
    if not folder.is_dir():
        raise DataError(f"no folder '{folder}'; give the folder of MusicCaps clips")
    files = {
        path.stem: path
        # unreadable folders are ignored: their clips are reported as missing
        for path in walk_files(folder, AUDIO_SUFFIXES, lambda path, reason: None)
    }
    found, missing = [], []
    for entry in entries:
        path = next((files[name] for name in entry.names if name in files), None)
        if path is None:
            missing.append(entry)
        else:
            found.append((entry, path))
    return found, missing


@dataclass(frozen=True)
class MusicCapsJob:
    """The paper's objective evaluation, on the available clips.

    Attributes:
        table: the public CSV.
        clips: folder of the clips, named by video id.
        folder: folder for the generated music.
        embeddings: names of the embeddings, in the order of the report's columns.
        balanced: whether to use only the balanced subset of 1000 clips.
        limit: largest number of clips.
    """

    table: Path
    clips: Path
    folder: Path
    embeddings: tuple[str, ...]
    balanced: bool = False
    limit: int | None = None
    seed: int = 0
    sampling: "SamplingOptions" = field(default_factory=dict)  # type: ignore[assignment]

    def run(self, model: "Jen1 | None", progress: Progress | None = None) -> Report:
        """Generate one clip per caption and compare with the available clips.

        Raises:
            DataError: no clip of the table is available.
        """
        entries = [e for e in read_csv(self.table) if e.balanced or not self.balanced]
        found, missing = match_clips(entries, self.clips)
        if self.limit is not None:
            found = found[: self.limit]
        if not found:
            raise DataError(
                f"none of the {len(entries)} clips of {self.table} is in {self.clips}; name files"
                " by their video id, as in -0Gj8-vB1q4.wav"
            )
        generated, real = self.folder / "generated", self.folder / "reference"
        self._link(found, real)
        if model is not None:
            self._generate(model, found, generated, progress)
        ours, audit = measure_folder(generated, self.embeddings, progress=progress)
        theirs, real_audit = measure_folder(real, self.embeddings, progress=progress)
        references = {item.name: Reference.of(item) for item in theirs}
        compared = [compare(item, references[item.name]) for item in ours]
        report = Report("musiccaps", settings={
            "table": self.table, "clips": len(found), "of": len(entries), "missing": len(missing),
            "seconds": SECONDS, "balanced": self.balanced, "resampler": "soxr VHQ",
            "model": None if model is None else model.config.name,
        })  # fmt: skip
        report.judges = {item.name: item.version for item in ours}
        there = Audit(str(self.clips), len(entries), len(entries) - len(missing))
        for entry in missing:
            there.note("missing", entry.video)
        report.audits = [there.facts(), audit.facts(), real_audit.facts()]
        report.warnings = [*audit.warnings(), *real_audit.warnings(), *_remarks(entries, missing)]
        report.warnings += [f"{c.embedding}: {remark}" for c in compared for remark in c.remarks]
        name = "this music" if model is None else model.config.name
        report.tables = [paper_table(name, compared, {item.name: item.title for item in ours})]
        report.clips = [{"missing": entry.video, "start": entry.start} for entry in missing]
        return report

    def _link(self, found: Sequence[tuple[Entry, Path]], folder: Path) -> None:
        """Write a manifest that refers to the user's clips where they are."""
        make_folder(folder)
        clips = []
        for entry, path in found:
            place = folder / f"{entry.video}{path.suffix}"
            if not place.exists():
                place.symlink_to(path.absolute())
            clips.append(Clip(place.absolute(), (entry.caption,), SECONDS, "test"))
        write_manifest(folder, clips)

    def _generate(
        self,
        model: "Jen1",
        found: Sequence[tuple[Entry, Path]],
        folder: Path,
        progress: Progress | None,
    ) -> None:
        make_folder(folder)
        clips = []
        for number, (entry, _) in enumerate(found):
            path = folder / f"{entry.video}.flac"
            if not path.is_file():
                music = model.generate(
                    entry.caption, seconds=SECONDS, seed=self.seed + number, **self.sampling
                )
                music.save(path)
            clips.append(Clip(path.absolute(), (entry.caption,), SECONDS, "test"))
            if progress is not None:
                progress(number + 1, len(found))
        write_manifest(folder, clips)


def _remarks(entries: Sequence[Entry], missing: Sequence[Entry]) -> list[str]:
    lines = [
        "the paper names neither the network of its FAD and KL nor its CLAP: its rows are quoted,"
        " not reproduced"
    ]
    if missing:
        shown = ", ".join(entry.video for entry in missing[:5])
        lines.append(
            f"{len(missing)} of {len(entries)} clips are missing (first: {shown}); figures of"
            " different subsets do not compare"
        )
    return lines


def paper_table(name: str, compared: Sequence[Comparison], titles: Mapping[str, str]) -> Table:
    """Return the paper's Table II with one additional row per embedding, named by its title."""
    own: list[tuple[Cell, ...]] = [
        (
            f"{name} by {titles[item.embedding]}",
            item.fad,
            item.kl if item.kl is not None else item.kl_sets,
            item.clap,
            None,
            None,
            "",
        )
        for item in compared
    ]
    return Table(
        "musiccaps",
        "MusicCaps, with the paper's Table II",
        ("", "FAD", "KL", "CLAP", "T2M-QLT", "T2M-ALI", "params"),
        (*TABLE_II, *own),
        note="Rows above are the paper's (arXiv 2308.04729v2, Table II; MusicLM's and Noise2Music's"
        " FAD from their papers). Own rows name their backbone; rows of different backbones do not"
        " compare. QLT and ALI: 'jen1 evaluate listen'.",
        plot="apart",
    )
