"""`jen1 generate`: text to music."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import Engine, ServedModelOptions
from jen1cli.cli.groups import grouped, options_of
from jen1cli.cli.music.prompts import Request, check_base, read_requests
from jen1cli.cli.music.scores import Midi, plan_midi
from jen1cli.cli.music.sets import SetJob, SetOptions
from jen1cli.cli.outputs import Result, Target, slugify
from jen1cli.cli.player import Player, find_player
from jen1cli.cli.sampling import SamplingChoice
from jen1cli.errors import AudioError, ConfigError

DEFAULT_BARS = 8
Job = tuple[Request, Target, Path | None]


@grouped
def generate(
    prompts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROMPT",
            help="What to make; each prompt is a piece of its own. '-' reads them from stdin.",
        ),
    ] = None,
    *,
    destination: options.Destination,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds",
            "-s",
            metavar="X",
            help="Length of each piece. Left out: that of the score, or 10.",
        ),
    ] = None,
    loop: Annotated[
        bool,
        typer.Option(
            "--loop", metavar="", help="Make loops: whole bars whose end leads to their beginning."
        ),
    ] = False,
    bars: Annotated[
        int | None,
        typer.Option(
            "--bars", metavar="N", help="Bars of a loop. Left out: those of the score, or 8."
        ),
    ] = None,
    count: options.Count = 1,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Prompts from a file, a URL or '-': one per line, or a JSON object per line, or a"
            " table in CSV or Parquet, with 'prompt' and its own seed, seconds, loop_bars,"
            f" {', '.join(item.name for item in options_of(SamplingChoice))} or direction.",
        ),
    ] = None,
    play: Annotated[
        bool, typer.Option("--play", metavar="", help="Play each piece when it is made.")
    ] = False,
    sampling: SamplingChoice,
    seed: options.Seed = None,
    direction: Annotated[str, options.DIRECTION] = "bidirectional",
    midi: Midi = None,
    model: ServedModelOptions,
    many: SetOptions,
) -> None:
    """Make music from text."""
    sampling.check()
    base = Request(
        "", 0, seconds, direction, sampling, _check_bars(bars, seconds, sampling, loop=loop)
    )
    if many.is_asked:
        many.check()
        if source is None or prompts:
            raise ConfigError("a set is made of the rows of --from FILE alone; give one")
        if midi is not None or play:
            raise ConfigError("--midi and --play are for single pieces; leave them out of a set")
        check_base(base, count, seed)
        choice = _own_model(model).choice().check()
        SetJob(many, source, base, seed, count, destination, choice).run()
        return
    requests = read_requests(prompts or [], source, count, seed, base)
    targets = destination.plan(
        [Result(slugify(item.prompt), item.seed, i + 1) for i, item in enumerate(requests)],
        default_name="{slug}-{seed}.{ext}",
        extension="wav",
    )
    scores = plan_midi(midi, targets, force=destination.force)
    jobs = list(zip(requests, targets, scores, strict=True))
    player = _find_player(targets) if play else None
    choice = model.choice().check()
    with Engine.open(
        choice, destination.report(), destination.signing, targets[0].extension
    ) as engine:
        engine.report_scores([request.sampling for request in requests])
        for group in _groups(jobs, engine):
            first = group[0][0]
            with engine.making(f"seed {first.seed}") as progress:
                pieces = engine.model.generate_batch(
                    [request.prompt for request, _, _ in group],
                    seed=first.seed,
                    direction=first.direction,  # type: ignore[arg-type]
                    progress=progress,
                    **first.length,
                    **first.sampling.arguments(),
                )
            for music, (_, target, score) in zip(pieces, group, strict=True):
                engine.deliver(music, target, score)
                if player is not None and target.path is not None:
                    player = _played(player, target.path, engine)


def _own_model(model: ServedModelOptions) -> ServedModelOptions:
    """Return the options of a model that is loaded here.

    Raises:
        ConfigError: a server is given.
    """
    if model.server is not None:
        raise ConfigError(
            f"a set is made by a model that is loaded here, not by the server {model.server};"
            " leave out --server and JEN1_SERVER"
        )
    return model


def _check_bars(
    bars: int | None, seconds: float | None, sampling: SamplingChoice, *, loop: bool
) -> int | None:
    """Return the bars of a loop, by default those of the score; None for music that is no loop.

    Raises:
        ConfigError: bars without a loop, a loop with a length in seconds, or a score that is too
            long for one.
    """
    if not loop:
        if bars is not None:
            raise ConfigError(f"--bars {bars} counts the bars of a loop; add --loop")
        return None
    if seconds is not None:
        raise ConfigError(f"--seconds {seconds:g} and --loop: a loop is as long as its --bars")
    if bars is not None:
        return bars
    return sampling.score_bars() or DEFAULT_BARS


def _find_player(targets: Sequence[Target]) -> Player:
    """Return the player, before any music is made.

    Raises:
        ConfigError: the music goes to stdout.
        MissingExtraError: nothing plays here.
    """
    if any(target.path is None for target in targets):
        raise ConfigError("--play and -o -: what goes to stdout is played by what reads it")
    return find_player()


def _played(player: Player, path: Path, engine: Engine) -> Player | None:
    """Play a result; warn where the player fails, and return none for what is made after it."""
    from jen1cli import audio

    try:
        player.play(path, audio.probe(path))
    except AudioError as error:
        engine.report.warn(f"{error}; nothing more is played")
        return None
    return player


def _groups(jobs: list[Job], engine: Engine) -> Iterator[list[Job]]:
    """Group consecutive jobs with equal settings and consecutive seeds into batches."""
    group: list[Job] = []
    for job in jobs:
        size = engine.batch_size(job[0].length.get("seconds", 0.0))
        if group and (len(group) >= size or not _follows(group[-1][0], job[0])):
            yield group
            group = []
        group.append(job)
    yield group


def _follows(first: Request, second: Request) -> bool:
    same = dataclasses.replace(first, prompt=second.prompt, seed=first.seed + 1)
    return same == second
