"""`jen1 cover`: what is heard in a recording, played in the style of the words."""

from typing import Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import Engine, ModelOptions
from jen1cli.cli.groups import Without, grouped
from jen1cli.cli.inputs import open_input
from jen1cli.cli.music.covers import Covered, Covers, read_keep
from jen1cli.cli.music.generate import checked_player, played
from jen1cli.cli.music.prompts import check_prompt
from jen1cli.cli.music.scores import KEEP_HELP, Midi, plan_midi
from jen1cli.cli.outputs import Result
from jen1cli.cli.sampling import SamplingChoice, check_seed
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
    """Play what is heard in any recording in the style of the words."""
    sampling.check()
    text = check_prompt(prompt)
    names = read_keep(keep)
    if count < 1:
        raise ConfigError(f"--count {count} makes nothing; give 1 or more")
    first = draw_seed() if seed is None else check_seed(seed)
    check_seed(first + count - 1)
    opened = open_input(file)
    covered = Covered(opened, names)
    length = covered.length(seconds)
    targets = destination.plan(
        [Result(f"{opened.stem}-cover", first + i, i + 1) for i in range(count)],
        extension="wav",
    )
    scores = plan_midi(midi, targets, force=destination.force)
    player = checked_player(targets) if play else None
    with Engine.open(model.choice().check(), destination.report(), destination.signing) as engine:
        covers = Covers(engine)
        for i, (target, score) in enumerate(zip(targets, scores, strict=True)):
            music = covers.make(covered, text, length, first + i, sampling.arguments())
            engine.deliver(music, target, score)
            if player is not None and target.path is not None:
                player = played(player, target.path, engine)
