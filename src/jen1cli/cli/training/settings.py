"""Options that every training takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.sampling import check_choice

BUDGET_PANEL = "Budget"
RECIPE_PANEL = "Recipe"

RecipeName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="jen1 (the paper), mini-gpu, mini-cpu, finetune, distill or tiny: every number not"
        " given.",
        rich_help_panel=RECIPE_PANEL,
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(metavar="N", help="Optimiser steps.", rich_help_panel=BUDGET_PANEL),
]
Seed = Annotated[
    int, typer.Option(metavar="N", help="Of weights and draws.", rich_help_panel=RECIPE_PANEL)
]
Prompts = Annotated[
    list[str] | None,
    typer.Option("--prompt", "-p", metavar="TEXT", help="Of the samples; repeatable."),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option(
        "--task",
        metavar="NAME",
        help="Only this task: generate, inpaint or continue; repeatable. Left out: all.",
        rich_help_panel=RECIPE_PANEL,
    ),
]
_TASKS = ("generate", "inpaint", "continue")
Device = Annotated[
    str,
    typer.Option(metavar="NAME", help="auto, cpu or cuda.", rich_help_panel=options.MODEL_PANEL),
]


@dataclass(frozen=True)
class TrainingOptions:
    """Options of every training, named as the fields of the jobs."""

    recipe: RecipeName = "mini-cpu"
    minutes: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Train for this long by the clock; the learning rate ends at zero on time.",
            rich_help_panel=BUDGET_PANEL,
        ),
    ] = None
    steps: Steps = None
    batch_size: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Items of one step, over all processes.", rich_help_panel=RECIPE_PANEL
        ),
    ] = None
    crop_seconds: Annotated[
        float | None,
        typer.Option(
            metavar="X", help="Length of the training windows.", rich_help_panel=RECIPE_PANEL
        ),
    ] = None
    lr: Annotated[
        float | None,
        typer.Option(
            "--lr", metavar="X", help="Highest learning rate.", rich_help_panel=RECIPE_PANEL
        ),
    ] = None
    lr_shape: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="linear, cosine or constant; constant suits a long run that is resumed.",
            rich_help_panel=RECIPE_PANEL,
        ),
    ] = None
    accumulation: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Micro-batches in one step, for little memory.",
            rich_help_panel=RECIPE_PANEL,
        ),
    ] = None
    precision: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="auto, fp32 or bf16.", rich_help_panel=RECIPE_PANEL),
    ] = None
    compile: Annotated[
        bool, typer.Option("--compile", help="Compile the network.", rich_help_panel=RECIPE_PANEL)
    ] = False
    seed: Seed = 0
    device: Device = "auto"
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue the run in the folder; begin one where nothing is saved yet.",
            rich_help_panel=BUDGET_PANEL,
        ),
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Show parameters, memory and steps per epoch; train nothing."
        ),
    ] = False
    validate_minutes: Annotated[
        float,
        typer.Option(metavar="X", help="Between held-out losses.", rich_help_panel=BUDGET_PANEL),
    ] = 5.0
    save_minutes: Annotated[
        float, typer.Option(metavar="X", help="Between saves.", rich_help_panel=BUDGET_PANEL)
    ] = 10.0
    sample_minutes: Annotated[
        float,
        typer.Option(metavar="X", help="Between audio samples.", rich_help_panel=BUDGET_PANEL),
    ] = 20.0


@dataclass(frozen=True)
class FinetuningOptions(TrainingOptions):
    """The same options, with another default recipe."""

    recipe: RecipeName = "finetune"


@dataclass(frozen=True)
class DistillationOptions(TrainingOptions):
    """The same options, with another default recipe."""

    recipe: RecipeName = "distill"


def check_tasks(names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the values of `--task`.

    Raises:
        ConfigError: a name is unknown.
    """
    return tuple(check_choice(name, _TASKS, "--task") for name in names or ())
