"""`jen1 evaluate ablation`: the paper's ablation (Table III) at a size that anyone can train.

One complete model, and one model per component that is switched off. All share music, seed and
minutes; all except the cell without masking share the autoencoder. The command both trains and
evaluates, so its module is above both packages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.console import Console
from jen1cli.cli.evaluation import display
from jen1cli.cli.groups import grouped
from jen1cli.errors import ConfigError

if TYPE_CHECKING:
    from jen1cli.evaluation.report import Report as Findings
    from jen1cli.training.engine.events import Event
    from jen1cli.training.recipes import TrainedTask

STAGE_1_SHARE = 0.5
"""Share of a cell's minutes for the autoencoder; `AllJob` gives it less, and trains controls."""


@dataclass(frozen=True)
class Cell:
    """One row of the ablation."""

    name: str
    about: str
    masking: bool = True  # 5 % of the latent in the autoencoder's training
    whitening: bool = True
    unidirectional: bool = True
    inpaint: bool = True
    continue_: bool = True

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return self.name.replace(" ", "-")

    @property
    def tasks(self) -> "tuple[TrainedTask, ...]":
        """Tasks of its training."""
        chosen: list[TrainedTask] = ["generate"]
        if self.inpaint:
            chosen.append("inpaint")
        if self.continue_:
            chosen.append("continue")
        return tuple(chosen)


CELLS = (
    Cell("everything", "the paper's model"),
    Cell("no masking", "autoencoder trained without losing frames", masking=False),
    Cell("no whitening", "components keep their own scale", whitening=False),
    Cell("no unidirectional mode", "bidirectional only", unidirectional=False),
    Cell("no inpainting task", "generation and continuation only", inpaint=False),
    Cell("no continuation task", "generation and inpainting only", continue_=False),
)


@grouped
def ablation(
    music: Annotated[
        Path,
        typer.Argument(metavar="MUSIC", help="Folder of 'jen1 corpus make'.", show_default=False),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Of models and report.")
    ],
    *,
    minutes: Annotated[
        float, typer.Option("--minutes", metavar="X", help="Of stage 2, for each cell.")
    ] = 5.0,
    recipe: Annotated[
        str, typer.Option(metavar="NAME", help="Of the trainer, as 'jen1 train' knows them.")
    ] = "mini-cpu",
    autoencoder: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Trained one to share; left out: one is trained."),
    ] = None,
    text_encoder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Local text encoder.")
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            "-r",
            metavar="DIR",
            help="Held-out music to compare with; left out: the test split of MUSIC.",
        ),
    ] = None,
    cell: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this cell; repeatable.")
    ] = None,
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, metavar="N", help="Prompts for each cell.")
    ] = 60,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of everything.")] = 0,
    device: options.Device = "auto",
    reporting: options.Reporting,
) -> None:
    """Train the paper's ablation at small size: one thing switched off at a time.

    On a GPU give --recipe mini-gpu; five minutes a cell make the table in less than an hour. A
    cell that is there already is not trained again.
    """
    known = [one.name for one in CELLS]
    if unknown := [name for name in cell or () if name not in known]:
        raise ConfigError(f"unknown --cell '{unknown[0]}'; known: {', '.join(known)}")
    chosen = [one for one in CELLS if not cell or one.name in cell]
    with display.evaluating(reporting, output) as (report, deliver):
        study = Study(
            music,
            output,
            minutes,
            recipe,
            autoencoder,
            text_encoder,
            reference,
            count,
            seed,
            device,
            report,
        )
        deliver(study.run(chosen))


@dataclass(frozen=True)
class Study:
    """Inputs shared by all cells."""

    music: Path
    output: Path
    minutes: float
    recipe: str
    autoencoder: Path | None
    text_encoder: Path | None
    reference: Path | None
    count: int
    seed: int
    device: str
    report: Console

    def run(self, cells: Sequence[Cell]) -> "Findings":
        """Train and evaluate every cell, then write one table."""
        from jen1cli.evaluation.clips import HELD_OUT
        from jen1cli.evaluation.studies.ablation import CellFigures, ablation_report, measure_cell

        found: list[CellFigures] = []
        for one in cells:
            weights = self._train(one)
            with self.report.progress(one.name) as progress:
                figures = measure_cell(
                    one.name, one.about, weights, self.reference or self.music,
                    self.output / one.folder, split=HELD_OUT if self.reference else "test",
                    count=self.count, seed=self.seed, device=self.device, progress=progress,
                )  # fmt: skip
            found.append(figures)
        settings = {
            "music": self.music, "minutes": self.minutes, "recipe": self.recipe,
            "reference": self.reference or f"test split of {self.music}",
            "seed": self.seed, "prompts": self.count,
        }  # fmt: skip
        findings = ablation_report(found, settings)
        if self.autoencoder is not None and any(not one.masking for one in cells):
            findings.warnings.append(
                f"no masking: its autoencoder was trained for {STAGE_1_SHARE * self.minutes:g}"
                f" minutes, that of the other cells is {self.autoencoder}; leave out --autoencoder"
                " to compare them"
            )
        return findings

    def _train(self, one: Cell) -> Path:
        """Train a cell unless its result exists; return its weight set."""
        from jen1cli.training.jobs import DiffusionJob

        folder = self.output / one.folder
        weights = folder / "diffusion" / "weights"
        if (weights / "config.json").is_file():
            self.report.note(f"{one.name}: trained before")
            return weights
        self.report.note(f"{one.name}: training")
        latents = self._latents(masking=one.masking)
        if not one.whitening:
            latents = self._latents_without_whitening(latents)
        DiffusionJob(
            cache=latents, output=folder / "diffusion", recipe=self.recipe, minutes=self.minutes,
            seed=self.seed, device=self.device, text_encoder=self.text_encoder,
            sample_minutes=1e9, tasks=one.tasks, bidirectional_only=not one.unidirectional,
        ).run(self._tell)  # fmt: skip
        return weights

    def _latents(self, *, masking: bool) -> Path:
        """Return the latent cache, shared by cells with the same autoencoder."""
        from jen1cli.training.jobs import LatentsJob

        folder = self.output / ("latents" if masking else "latents-no-masking")
        codec = self._codec(masking=masking)
        job = LatentsJob(data=self.music, model=codec, output=folder, device=self.device)
        job.run(self._tell, keep=True)
        return folder

    def _latents_without_whitening(self, latents: Path) -> Path:
        """Return the same latents with a whitening that only rotates."""
        from jen1cli.training.jobs import LatentsJob

        plain = _without_whitening(latents, self.output / "codec-no-whitening")
        folder = self.output / "latents-no-whitening"
        job = LatentsJob(
            data=self.music, model=plain, output=folder, keep_whitening=True, device=self.device
        )
        job.run(self._tell, keep=True)
        return folder

    def _codec(self, *, masking: bool) -> Path:
        """Return the shared autoencoder, or the one trained without masking."""
        from jen1cli.training.jobs import AutoencoderJob

        if masking and self.autoencoder is not None:
            return self.autoencoder
        folder = self.output / ("autoencoder" if masking else "autoencoder-no-masking")
        if (folder / "weights" / "autoencoder.safetensors").is_file():
            return folder / "weights"
        AutoencoderJob(
            data=self.music, output=folder, recipe=self.recipe, seed=self.seed, device=self.device,
            minutes=STAGE_1_SHARE * self.minutes, sample_minutes=1e9,
            mask_ratio=None if masking else 0.0,
        ).run(self._tell)  # fmt: skip
        return folder / "weights"

    def _tell(self, event: "Event") -> None:
        from jen1cli.training.engine.events import Warned

        if isinstance(event, Warned):
            self.report.warn(event.message)


def _without_whitening(latents: Path, folder: Path) -> Path:
    """Write the codec of a latent cache with a whitening that only rotates."""
    from jen1cli.autoencoder.codec import load_codec, save_codec, without_scaling

    save_codec(folder, without_scaling(load_codec(latents)))
    return folder
