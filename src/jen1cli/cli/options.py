"""Options that several verbs share, each declared once: one meaning per name everywhere."""

from typing import Annotated

import typer

MODEL_PANEL = "Model"
SAMPLING_PANEL = "Sampling"
OUTPUT_PANEL = "Output"


def _stdout_as_dash(output: str | None) -> str | None:
    """Let the names of stdout mean '-', so that nothing else is printed between the audio."""
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
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps",
        metavar="N",
        help="Sampler steps; more is slower. Left out: the model's own.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
Sampler = Annotated[
    str | None,
    typer.Option(
        "--sampler",
        metavar="NAME",
        help="ddpm, ddim, dpmpp-2m or unipc. Left out: the model's own.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
GuidanceScale = Annotated[
    float | None,
    typer.Option(
        "--guidance-scale",
        "-g",
        metavar="X",
        help="How strongly the prompt pulls; 1 is off. Left out: the model's own.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
DIRECTION = typer.Option(
    "--direction",
    metavar="NAME",
    help="bidirectional, or unidirectional: each moment made from the past only. Left out:"
    " bidirectional in generate, the model's own in continue.",
    rich_help_panel=SAMPLING_PANEL,
)
Bpm = Annotated[
    float | None,
    typer.Option(
        "--bpm",
        metavar="X",
        help="Beats per minute. Left out: as the prompt says, or as the music has it; else the"
        " model chooses.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="NAME",
        help="Such as 'D minor' or 'F# dorian'. Left out: as the prompt says, or as the music has"
        " it; else the model chooses.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
Chords = Annotated[
    str | None,
    typer.Option(
        "--chords",
        metavar="CHART",
        help="A chord a bar, which repeat: 'Am F C G'; or bars marked: 'Dm7 G7 | Cmaj7'. They begin"
        " with the music that is made. Left out: the model chooses.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
Drums = Annotated[
    str | None,
    typer.Option(
        "--drums",
        metavar="PATTERN",
        help="Strokes of a bar, which repeats: 'kick x.x. snare .x.x hat xxxxxxxx'; more bars after"
        " |; 'none' for no drums. Rows: kick, snare, hat, cymbal, perc. Left out: the model"
        " chooses.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
Melody = Annotated[
    str | None,
    typer.Option(
        "--melody",
        metavar="NOTES",
        help="Notes of a bar, equally long, and more bars after |: 'C5 - E5 G5 | A5 - - .' with -"
        " to hold and . for silence, or 'none'. Left out: the model chooses.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
Negative = Annotated[
    str | None,
    typer.Option(
        "--negative",
        metavar="TEXT",
        help="What the music should not be.",
        rich_help_panel=SAMPLING_PANEL,
    ),
]
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
