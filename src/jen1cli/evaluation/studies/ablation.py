"""Scores of the models of the ablation, and their table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jen1cli.evaluation.prompt_spec import read_prompts
from jen1cli.evaluation.report import Cell, Report, ReportClip, Table, evenly
from jen1cli.evaluation.studies.prompts import PromptsJob
from jen1cli.pipeline import Jen1
from jen1cli.progress import Progress

SHOWN = ("style family", "drums", "tempo", "text cosine")

# Paper, Table III, cumulative: FAD, KL, CLAP, QLT, ALI.
TABLE_III: tuple[tuple[Cell, ...], ...] = (
    ("baseline", 3.1, 1.35, 0.31, 80.1, 78.3),
    ("+ noise-robust autoencoder", 3.1, 1.36, 0.31, 80.5, 78.1),
    ("+ latent normalisation", 2.6, 1.34, 0.32, 81.9, 78.9),
    ("+ autoregressive mode", 2.5, 1.33, 0.33, 82.9, 79.5),
    ("+ inpainting task", 2.2, 1.28, 0.32, 83.8, 80.1),
    ("+ continuation task", 2.0, 1.29, 0.33, 85.7, 82.8),
)


@dataclass(frozen=True)
class CellFigures:
    """Scores of one cell (model) of the ablation."""

    name: str
    about: str
    adherence: dict[str, Cell]
    kad: Cell
    fad: Cell
    warnings: tuple[str, ...] = ()
    samples: tuple[ReportClip, ...] = field(default_factory=tuple)


def measure_cell(
    name: str,
    about: str,
    weights: Path,
    reference: Path,
    folder: Path,
    *,
    split: str | None,
    count: int,
    seed: int,
    device: str,
    progress: Progress | None = None,
) -> CellFigures:
    """Generate music for test prompts and compare it with held-out music.

    Args:
        name: name of the cell.
        about: description of what the cell leaves out.
        weights: trained weight set.
        reference: folder of held-out music.
        folder: folder for the generated audio.
        split: split of the reference, as in `find_clips`.
        count: number of prompts.
        seed: seed of the noise, the same in all cells.
        device: as in `Jen1.load`.
        progress: called with (clips done, clips in all).
    """
    specs = evenly(read_prompts(None), count)
    job = PromptsJob(specs, folder / "audio", reference, split, seed=seed, diverse=0, limit=count)
    report = job.run(Jen1.load(weights, device=device), progress)
    tables = {table.name: table for table in report.tables}
    adherence = {str(row[0]): row[1] for row in tables["adherence"].rows}
    distances = tables["distances"].rows if "distances" in tables else ()
    first = distances[0] if distances else ("", None, None)
    return CellFigures(
        name, about, adherence, first[1], first[2], tuple(report.warnings),
        tuple(report.samples[:2]),
    )  # fmt: skip


def ablation_report(cells: Sequence[CellFigures], settings: dict[str, Any]) -> Report:
    """Return the report of all cells in one table, followed by the paper's table."""
    report = Report("ablation", settings=settings)
    rows = tuple(
        (cell.name, cell.kad, cell.fad, *(cell.adherence.get(name) for name in SHOWN))
        for cell in cells
    )
    report.tables = [
        Table(
            "ablation",
            "One thing switched off at a time",
            ("", "KAD", "FAD", *SHOWN),
            rows,
            note="By the in-domain tagger, to held-out music; KAD and FAD: lower is better.",
            plot="apart",
        ),
        Table(
            "paper",
            "The paper's Table III",
            ("", "FAD", "KL", "CLAP", "T2M-QLT", "T2M-ALI"),
            TABLE_III,
            note="Cumulative, on 1000 MusicCaps clips, listeners not named: another experiment,"
            " beside for the direction of effects only.",
        ),
    ]
    seen = dict.fromkeys(line for cell in cells for line in cell.warnings)
    report.warnings = list(seen)
    report.clips = [{"cell": cell.name, "about": cell.about} for cell in cells]
    report.samples = [
        ReportClip(f"{cell.name}: {sample.title}", sample.path, sample.remarks)
        for cell in cells
        for sample in cell.samples
    ]
    return report
