"""Options shared by several commands, each declared once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import typer

from jen1cli.cli.console import Console
from jen1cli.cli.outputs import FORMATS, Result, Target, plan_outputs
from jen1cli.cli.signing import OUTPUT_PANEL, Signing
from jen1cli.shards import Shard, read_shard

MODEL_PANEL = "Model"
SAMPLING_PANEL = "Sampling"


def chosen_shard(given: str | None) -> Shard | None:
    """Read the value of --shard; None: all.

    Raises:
        ConfigError: it is no shard, or the environment names none.
    """
    return None if given is None else read_shard(given)


def _stdout_as_dash(output: str | None) -> str | None:
    """Convert device names of stdout to '-', so that no text is mixed into the audio."""
    return "-" if output in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1") else output


Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        callback=_stdout_as_dash,
        help="File, folder, '-' for stdout, or a template with {slug} {seed} {index} {ext}."
        " Left out: a name made of prompt and seed.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
AudioFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="wav, flac, ogg, opus, mp3 or aiff; left out: from the name of the output, else that"
        " of the input, else wav.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", "-f", metavar="", help="Replace files that exist.", rich_help_panel=OUTPUT_PANEL
    ),
]
SHARD_HELP = (
    "One of N parts: every N-th row, file or clip, from number K on: 0/64 to 63/64; 'auto': from"
    " SLURM's array job, or from RANK and WORLD_SIZE."
)
ShardName = Annotated[str | None, typer.Option("--shard", metavar="K/N", help=SHARD_HELP)]
Play = Annotated[bool, typer.Option("--play", metavar="", help="Play each piece when it is made.")]
Json = Annotated[
    bool,
    typer.Option(
        "--json", metavar="", help="Print one JSON object per result.", rich_help_panel=OUTPUT_PANEL
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", metavar="", help="Print nothing but results.", rich_help_panel=OUTPUT_PANEL
    ),
]

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "--weights",
        "-m",
        metavar="NAME|FOLDER",
        help="Weight set by name or folder; see 'jen1 models list'. Left out: jen1-mini.",
        rich_help_panel=MODEL_PANEL,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="NAME",
        help="auto, cpu, cuda, cuda:N or mps.",
        rich_help_panel=MODEL_PANEL,
    ),
]
Dtype = Annotated[
    str,
    typer.Option(
        "--dtype",
        metavar="NAME",
        help="auto, fp32 or bf16: the numbers that the networks compute with.",
        rich_help_panel=MODEL_PANEL,
    ),
]
Quality = Annotated[
    str | None,
    typer.Option(
        "--quality",
        metavar="NAME",
        help="draft, normal or best: how often the decoder refines the phase, a quarter, one or"
        " three times what the model says. Left out: normal.",
        rich_help_panel=MODEL_PANEL,
    ),
]
Lora = Annotated[
    list[str] | None,
    typer.Option(
        "--lora",
        metavar="FILE[:STRENGTH]",
        help="LoRA file of 'jen1 train finetune --lora'; strength 1 is as trained; repeatable.",
        rich_help_panel=MODEL_PANEL,
    ),
]
RandomWeights = Annotated[
    bool,
    typer.Option(
        "--random-weights",
        metavar="",
        help="Take --model as a preset without training: noise, for speed tests only.",
        rich_help_panel=MODEL_PANEL,
    ),
]
Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        envvar="JEN1_SERVER",
        show_envvar=False,
        metavar="URL",
        help="Let a running 'jen1 serve' make it: the same bytes, without loading a model. Also"
        " JEN1_SERVER.",
        rich_help_panel=MODEL_PANEL,
    ),
]

Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        metavar="N",
        help="Same seed, version and kind of device: same bytes. Left out: drawn and printed;"
        " result i uses seed + i.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
Count = Annotated[
    int,
    typer.Option(
        "--count", "-n", metavar="N", help="Pieces for each prompt, or variations of the file."
    ),
]
EditedInput = Annotated[
    str | None,
    typer.Option(
        "--input",
        "-i",
        metavar="FILE",
        help="The recording that an edit began with, where it was piped or has moved.",
    ),
]
DIRECTION = typer.Option(
    "--direction",
    metavar="NAME",
    help="bidirectional, or unidirectional: each moment made from the past only. Left out:"
    " bidirectional in generate, the model's own in continue.",
    rich_help_panel=SAMPLING_PANEL,
)
Prompt = Annotated[
    str | None,
    typer.Option(
        "--prompt",
        "-p",
        metavar="TEXT",
        help="What the new part should be. Left out: whatever fits the rest.",
    ),
]
AudioInput = Annotated[
    str, typer.Argument(metavar="INPUT", help="Audio file, or '-' for stdin.", show_default=False)
]


@dataclass(frozen=True)
class Reporting:
    """Options of a command's output text."""

    as_json: Json = False
    quiet: Quiet = False

    def report(self, *, audio_on_stdout: bool = False) -> Console:
        """Return the reporter of the command."""
        return Console(as_json=self.as_json, quiet=self.quiet, audio_on_stdout=audio_on_stdout)


@dataclass(frozen=True)
class Destination:
    """Options of the destination of results, and of the output text."""

    output: Output = None
    audio_format: AudioFormat = None
    force: Force = False
    signing: Signing = field(default_factory=Signing)
    reporting: Reporting = Reporting()

    def plan(
        self,
        results: Sequence[Result],
        *,
        extension: str,
        default_name: str = "{slug}-{seed}.{ext}",
        extensions: Sequence[str] = tuple(FORMATS),
    ) -> list[Target]:
        """Name every result; see `plan_outputs`."""
        return plan_outputs(
            self.output,
            results,
            default_name=default_name,
            extension=extension,
            format_name=self.audio_format,
            extensions=extensions,
            force=self.force,
        )

    def report(self) -> Console:
        """Return the reporter of the command; results themselves may go to stdout."""
        return self.reporting.report(audio_on_stdout=self.output == "-")
