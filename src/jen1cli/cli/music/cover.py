"""`jen1 cover`: the score of a recording in other words."""

from typing import Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import Engine, ModelOptions
from jen1cli.cli.groups import Without, grouped
from jen1cli.cli.inputs import AudioInput, open_input
from jen1cli.cli.music.generate import checked_player, played
from jen1cli.cli.music.prompts import check_prompt
from jen1cli.cli.music.scores import KEEP_HELP, Midi, plan_midi
from jen1cli.cli.outputs import Result
from jen1cli.cli.sampling import MAX_SECONDS, SamplingChoice, check_seconds, check_seed
from jen1cli.errors import ConfigError
from jen1cli.sampling import draw_seed


@grouped
def cover(
    file: options.AudioInput,
    prompt: Annotated[
        str, typer.Argument(metavar="PROMPT", help="The new sound.", show_default=False)
    ],
    *,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="LIST",
            help=KEEP_HELP,
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds", "-s", metavar="X", help="Length. Left out: that of the recording."
        ),
    ] = None,
    count: options.Count = 1,
    play: options.Play = False,
    destination: options.Destination,
    sampling: Annotated[SamplingChoice, Without("score")],
    seed: options.Seed = None,
    midi: Midi = None,
    model: Annotated[ModelOptions, Without("random_weights")],
) -> None:
    """Play the score of any recording in other words."""
    sampling.check()
    text = check_prompt(prompt)
    names = _read_keep(keep)
    if count < 1:
        raise ConfigError(f"--count {count} makes nothing; give 1 or more")
    first = draw_seed() if seed is None else check_seed(seed)
    check_seed(first + count - 1)
    opened = open_input(file)
    length = _length(seconds, opened)
    targets = destination.plan(
        [Result(f"{opened.stem}-cover", first + i, i + 1) for i in range(count)],
        default_name="{slug}-{seed}.{ext}",
        extension="wav",
    )
    scores = plan_midi(midi, targets, force=destination.force)
    player = checked_player(targets) if play else None
    with Engine.open(model.choice().check(), destination.report(), destination.signing) as engine:
        with engine.making(f"hearing {opened.name}"):
            heard = engine.model.hear(opened.source)
        engine.report.note(f"{opened.name}: {heard.summary()}")
        for i, (target, score) in enumerate(zip(targets, scores, strict=True)):
            with engine.making(f"seed {first + i}") as progress:
                music = engine.model.cover(
                    opened.source,
                    text,
                    heard=heard,
                    keep=names,
                    seconds=length,
                    seed=first + i,
                    progress=progress,
                    **sampling.arguments(),
                )
            engine.deliver(music, target, score)
            if player is not None and target.path is not None:
                player = played(player, target.path, engine)


def _read_keep(text: str | None) -> tuple[str, ...] | None:
    """Return the names of --keep; None if it is left out.

    Raises:
        ConfigError: it is empty, or a name is unknown.
    """
    from jen1cli.music.heard import check_kept  # not for --help

    if text is None:
        return None
    return check_kept([name.strip().lower() for name in text.split(",") if name.strip()])


def _length(seconds: float | None, opened: AudioInput) -> float:
    """Return the length of the cover.

    Raises:
        ConfigError: it is too short or too long.
    """
    if seconds is None and opened.info.seconds > MAX_SECONDS:
        raise ConfigError(
            f"{opened.name} is {opened.info.seconds:.0f} s long, more than the {MAX_SECONDS:g} s"
            " made at once; give --seconds for its beginning"
        )
    return check_seconds(opened.info.seconds if seconds is None else seconds)
