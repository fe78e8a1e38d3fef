"""`jen1 evaluate`: measure models and folders of music."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from jen1cli.cli import options, terminal
from jen1cli.cli.engine import ModelOptions, load_model
from jen1cli.cli.evaluation import display, studies
from jen1cli.cli.groups import Without, grouped
from jen1cli.cli.sampling import (
    MIN_SECONDS,
    Negative,
    Novelty,
    SamplerChoice,
    SamplingChoice,
    check_seconds,
    with_novelty,
)
from jen1cli.errors import ConfigError
from jen1cli.files import expand_user

PARTS = "parts"


class FolderGroup(TyperGroup):
    """The subcommands; a folder without one means `audio`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - click's types
        """Parse `evaluate DIR ...` as `evaluate audio DIR ...`."""
        if self.get_command(ctx, args[0]) is None and Path(args[0]).is_dir():
            args = ["audio", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=FolderGroup,
    no_args_is_help=True,
    help="Measure models and folders of music; 'jen1 evaluate DIR' is 'jen1 evaluate audio DIR'.",
    context_settings=terminal.HELP_OPTIONS,
    add_completion=False,
)


@app.command("audio", no_args_is_help=True)
@grouped
def audio(
    folder: display.Folder,
    reference: Annotated[
        Path,
        typer.Option(
            "--reference", "-r", metavar="DIR|STATS", help="Folder, or .npz of 'evaluate stats'."
        ),
    ],
    *,
    embedding: display.Embeddings = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split", metavar="NAME", help="train, validation, test or all; left out: all."
        ),
    ] = None,
    reference_split: display.ReferenceSplit = None,
    limit: display.Limit = None,
    sample_rate: display.SampleRate = None,
    shard: options.ShardName = None,
    output: display.Output = None,
    reporting: options.Reporting,
) -> None:
    """Compare a folder with a reference: FAD, FAD-infinity, KAD, KL, CLAP score.

    --shard embeds a part of DIR into --output, which all parts share; the run that finds them all
    there writes the report, with the figures of one undivided run.
    """
    part = options.chosen_shard(shard)
    if part is not None and output is None:
        raise ConfigError("--shard keeps its part in --output; give a folder for all parts")
    scored = display.chosen_split(split or display.ALL)
    held_out = display.chosen_split(reference_split, "--reference-split")
    with display.evaluating(reporting, output) as (report, deliver):
        from jen1cli.evaluation.embeddings.embedding import SET_EMBEDDINGS
        from jen1cli.evaluation.studies.audio_job import AudioJob

        job = AudioJob(
            folder, reference, tuple(embedding or SET_EMBEDDINGS), scored, held_out,
            limit, sample_rate, part, None if output is None else output / PARTS,
        )  # fmt: skip
        with report.progress("clips") as progress:
            found = job.run(progress)
            if found is None:
                report.result({"path": str(job.parts), "complete": False})
            else:
                deliver(found)


@app.command("stats", no_args_is_help=True)
@grouped
def stats(
    folder: display.Folder,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Statistics (.npz).")
    ],
    *,
    embedding: display.Embeddings = None,
    split: display.Split = None,
    limit: display.Limit = None,
    sample_rate: display.SampleRate = None,
    shard: options.ShardName = None,
    reporting: options.Reporting,
) -> None:
    """Keep what a comparison needs of a reference, without its audio.

    --shard keeps a part beside FILE, in FILE.parts; the run that finds all parts there writes FILE,
    with the bytes of one undivided run.
    """
    part = options.chosen_shard(shard)
    if output.suffix != ".npz":
        raise ConfigError(f"'{output}' is no .npz file; name one")
    chosen = display.chosen_split(split)
    report = reporting.report()
    with report.library_warnings():
        from jen1cli.evaluation import sets
        from jen1cli.evaluation.embeddings.embedding import SET_EMBEDDINGS
        from jen1cli.evaluation.parts import measure

        parts = output.with_name(f"{output.name}.{PARTS}")
        with report.progress("clips") as progress:
            whole = measure(
                folder, tuple(embedding or SET_EMBEDDINGS), part, parts, split=chosen,
                limit=limit, sample_rate=sample_rate, progress=progress,
            )  # fmt: skip
        if whole is None:
            report.result({"path": str(parts), "complete": False})
            return
        measured, audit = whole
        for line in audit.warnings():
            report.warn(line)
        sets.save_statistics(output, measured, audit)
    report.result({"path": str(output), "clips": audit.used})


@app.command("prompts")
@grouped
def prompts(
    *,
    prompts_file: Annotated[
        Path | None,
        typer.Option(
            "--prompts",
            metavar="FILE",
            help="One a line, or JSONL with prompt and attributes. Left out: 240 of the package.",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option("--count", "-n", min=1, metavar="N", help="Prompts at most, evenly."),
    ] = None,
    audio_folder: Annotated[
        Path | None,
        typer.Option("--audio", metavar="DIR", help="Score this music; make none."),
    ] = None,
    reference: display.Reference = None,
    reference_split: display.ReferenceSplit = None,
    seconds: Annotated[float, typer.Option("--seconds", "-s", metavar="X")] = 10.0,
    seed: display.ClipSeed = 0,
    diverse: Annotated[
        int, typer.Option("--diverse", min=0, metavar="N", help="Prompts made with three seeds.")
    ] = 8,
    sampler: SamplerChoice,
    negative: Negative = None,
    model: Annotated[ModelOptions, Without("lora")],
    output: display.Output = None,
    reporting: options.Reporting,
) -> None:
    """Make music for prompts and measure how well it follows them.

    Style, instruments, drums, tempo, key and energy; between a floor of shuffled prompts and a
    ceiling of real music (--reference). An interrupted run goes on where it stopped.
    """
    check_seconds(seconds)
    held_out = display.chosen_split(reference_split, "--reference-split")
    sampling = SamplingChoice(negative=negative, sampler_choice=sampler).check()
    folder = audio_folder or output
    if folder is None:
        raise ConfigError("nowhere to put the music; give --output FOLDER, or --audio DIR")
    choice = model.choice()
    if audio_folder is None:
        choice.check()
    with display.evaluating(reporting, output or audio_folder) as (report, deliver):
        from jen1cli.evaluation.prompt_spec import read_prompts
        from jen1cli.evaluation.report import evenly
        from jen1cli.evaluation.studies.prompts import PromptsJob

        specs = read_prompts(prompts_file)
        job = PromptsJob(
            specs if count is None else evenly(specs, count),
            folder if audio_folder is not None else folder / "audio",
            reference, held_out, seconds, seed, diverse, limit=count,
            sampling=sampling.arguments(),
        )  # fmt: skip
        made = None if audio_folder is not None else load_model(choice, report)
        with report.progress("clips") as progress:
            deliver(job.run(made, progress))


@app.command("codec", no_args_is_help=True)
@grouped
def codec(
    folder: display.Folder,
    *,
    split: display.Split = None,
    limit: Annotated[int, display.LIMIT] = 60,
    seconds: display.ClipSeconds = 10.0,
    linear: Annotated[
        bool, typer.Option("--linear/--no-linear", help="The linear codec beside it.")
    ] = True,
    model: options.Model = None,
    device: options.Device = "auto",
    output: display.Output = None,
    reporting: options.Reporting,
) -> None:
    """Measure what survives the autoencoder, by style, and under damaged latents."""
    check_seconds(seconds)
    chosen = display.chosen_split(split)
    place = expand_user(model) if model is not None else None
    with display.evaluating(reporting, output) as (report, deliver):
        from jen1cli.evaluation.studies.codec import CodecJob
        from jen1cli.evaluation.studies.codec_under_test import CodecUnderTest
        from jen1cli.pipeline.networks import choose_device
        from jen1cli.weightsets import DEFAULT_WEIGHTS, find_weights

        if place is None or not (place / "autoencoder.safetensors").is_file():
            place = find_weights(model or DEFAULT_WEIGHTS).folder
        loaded = CodecUnderTest.load(place)
        loaded.codec.to(choose_device(device))
        job = CodecJob(folder, chosen, limit, seconds, linear)
        with report.progress("clips") as progress:
            deliver(job.run(loaded, None if output is None else output / "audio", progress))


@app.command("edits", no_args_is_help=True)
@grouped
def edits(
    folder: display.Folder,
    *,
    split: display.Split = None,
    limit: Annotated[int, display.LIMIT] = 24,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds",
            "-s",
            metavar="X",
            help="Of each clip: the middle is inpainted, the second half continued.",
        ),
    ] = 12.0,
    hole: Annotated[
        float | None,
        typer.Option("--hole", metavar="X", help="Seconds that are inpainted. Left out: a third."),
    ] = None,
    prompted: Annotated[
        bool, typer.Option("--prompted/--unprompted", help="Give each clip's caption.")
    ] = True,
    seed: display.ClipSeed = 0,
    novelty: Novelty = None,
    sampler: SamplerChoice,
    model: Annotated[ModelOptions, Without("lora")],
    output: display.Output = None,
    reporting: options.Reporting,
) -> None:
    """Inpaint and continue real music: kept samples, seams, tempo, key and sound."""
    check_seconds(seconds)
    if hole is not None and not MIN_SECONDS <= hole <= seconds - 2 * MIN_SECONDS:
        raise ConfigError(f"--hole {hole:g} leaves no music around it; give less than --seconds")
    chosen = display.chosen_split(split)
    sampler.check()
    choice = model.choice().check()
    with display.evaluating(reporting, output) as (report, deliver):
        from jen1cli.evaluation.studies.edits import EditsJob

        job = EditsJob(
            folder, chosen, limit, seconds, hole, prompted=prompted, seed=seed,
            sampling=with_novelty(sampler.arguments(), novelty),
        )  # fmt: skip
        loaded = load_model(choice, report)
        with report.progress("clips") as progress:
            deliver(job.run(loaded, None if output is None else output / "audio", progress))


@app.command("train-tagger", no_args_is_help=True)
@grouped
def train_tagger(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="Folders of 'jen1 corpus make'.", show_default=False),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Of the tagger.")
    ] = Path("weights/tagger"),
    minutes: Annotated[float, typer.Option("--minutes", metavar="X", help="By the clock.")] = 8.0,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", help="In place of --minutes.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of weights and draws.")] = 0,
    device: options.Device = "auto",
    force: options.Force = False,
    reporting: options.Reporting,
) -> None:
    """Train the tagger that judges here, on the training split of 'jen1 corpus' folders."""
    if (output / "tagger.json").exists() and not force:
        raise ConfigError(f"'{output}' holds a tagger; give --force to replace it")
    report = reporting.report()
    with report.library_warnings(), report.progress("training") as bar:
        from jen1cli.evaluation.tagger.training import TaggerJob

        def tell(what: str, share: float) -> None:
            bar(int(1000 * share), 1000)
            if what.startswith(("step", "skipped")):
                report.note(what)

        job = TaggerJob(
            tuple(folders), output, minutes=minutes, steps=steps, seed=seed, device=device
        )
        accuracies = job.run(tell)
    lines = [f"{name:<24}{value:.3f}" for name, value in accuracies.items()]
    report.result({"path": str(output), "held_out": accuracies}, *lines)


for _name, _command in studies.COMMANDS.items():
    app.command(_name, no_args_is_help=True)(_command)
