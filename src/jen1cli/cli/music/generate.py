"""`jen1 generate`: text to music."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import Engine, ServedModelOptions
from jen1cli.cli.groups import grouped, options_of
from jen1cli.cli.music.covers import Covers
from jen1cli.cli.music.prompts import LEFT_OPEN, PromptRequest, check_base, read_requests
from jen1cli.cli.music.scores import Midi, plan_midi
from jen1cli.cli.music.sets import SetJob, SetOptions
from jen1cli.cli.outputs import Result, Target, slugify
from jen1cli.cli.player import Player, find_player
from jen1cli.cli.sampling import SamplingChoice
from jen1cli.errors import AudioError, ConfigError
from jen1cli.sampling import check_loop_bars

if TYPE_CHECKING:
    from jen1cli.pipeline import Music

PromptJob = tuple[PromptRequest, Target, Path | None]
"""A request with the destinations of its audio and of its score."""


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
            help="Length of each piece. Left out: that of form or score, or 10.",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--form",
            metavar="SECTIONS",
            help="Sections with their bars: 'intro:4 verse:8[Am F C G] chorus:8 verse:8 end', each"
            " with chords of its own if it has some. Sections of one name are alike; 'outro:4' or"
            " 'end' lets the piece end. Left out: the composer chooses.",
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
            " form, cover (a recording whose score is played),"
            f" {', '.join(item.name for item in options_of(SamplingChoice))} or direction.",
        ),
    ] = None,
    play: options.Play = False,
    sampling: SamplingChoice,
    seed: options.Seed = None,
    direction: Annotated[str, options.DIRECTION] = "bidirectional",
    midi: Midi = None,
    model: ServedModelOptions,
    many: SetOptions,
) -> None:
    """Make music from text."""
    sampling.check()
    loop_bars = _check_bars(bars, seconds, loop=loop)
    base = PromptRequest("", 0, seconds, direction, sampling, loop_bars, form)
    if many.is_asked:
        many.check()
        if source is None or prompts:
            raise ConfigError("a set is made of the rows of --from FILE alone; give one")
        if midi is not None or play:
            raise ConfigError("--midi and --play are for single pieces; leave them out of a set")
        check_base(base, count, seed)
        choice = _own_model(model, "a set").choice().check()
        SetJob(many, source, base, seed, count, destination, choice).run()
        return
    requests = read_requests(prompts or [], source, count, seed, base)
    targets = destination.plan(
        [Result(slugify(item.prompt), item.seed, i + 1) for i, item in enumerate(requests)],
        extension="wav",
    )
    scores = plan_midi(midi, targets, force=destination.force)
    jobs = list(zip(requests, targets, scores, strict=True))
    player = checked_player(targets) if play else None
    if any(request.covered is not None for request in requests):
        model = _own_model(model, "a cover")
    choice = model.choice().check()
    with Engine.open(
        choice, destination.report(), destination.signing, targets[0].extension
    ) as engine:
        engine.report_scores([request.sampling for request in requests])
        if len(jobs) == 1 and _is_streamed(*jobs[0][:2], engine):
            _stream(*jobs[0], engine)
            return
        covers = Covers(engine)
        for group in _groups(jobs, engine):
            pieces = _made([request for request, _, _ in group], engine, covers)
            for music, (_, target, score) in zip(pieces, group, strict=True):
                engine.deliver(music, target, score)
                if player is not None and target.path is not None:
                    player = played(player, target.path, engine)


def _made(requests: Sequence[PromptRequest], engine: Engine, covers: Covers) -> "list[Music]":
    """Make a cover, or one batch of pieces."""
    first = requests[0]
    if first.covered is not None and first.seconds is not None:
        options = first.options
        return [covers.make(first.covered, first.prompt, first.seconds, first.seed, options)]
    with engine.making(f"seed {first.seed}") as progress:
        return engine.model.generate_batch(
            [request.prompt for request in requests],
            seed=first.seed,
            direction=first.direction,  # type: ignore[arg-type]
            progress=progress,
            **first.length,
            **first.options,
        )


def _own_model(model: ServedModelOptions, what: str) -> ServedModelOptions:
    """Return the options of a model that is loaded here.

    Raises:
        ConfigError: a server is given.
    """
    if model.server is not None:
        raise ConfigError(
            f"{what} is made by a model that is loaded here, not by the server {model.server};"
            " leave out --server and JEN1_SERVER"
        )
    return model


def _check_bars(bars: int | None, seconds: float | None, *, loop: bool) -> int | None:
    """Return the bars of a loop, `LEFT_OPEN` if it has none yet; None for music that is no loop.

    Raises:
        ConfigError: bars without a loop, or a loop with a length in seconds.
    """
    if not loop:
        if bars is not None:
            raise ConfigError(f"--bars {bars} counts the bars of a loop; add --loop")
        return None
    if seconds is not None:
        raise ConfigError(f"--seconds {seconds:g} and --loop: a loop is as long as its --bars")
    if bars is None:
        return LEFT_OPEN
    return check_loop_bars(bars)


def _is_streamed(request: PromptRequest, target: Target, engine: Engine) -> bool:
    """Whether a piece goes to stdout while it is made: as long WAV without a signature."""
    if target.path is not None or target.extension != "wav" or request.loop_bars is not None:
        return False
    if engine.is_remote or request.covered is not None:
        return False
    window = engine.model.config.generation.window_seconds
    return not engine.wants_signature and (request.seconds is None or request.seconds > window)


def _stream(request: PromptRequest, target: Target, score: Path | None, engine: Engine) -> None:
    with engine.making(f"seed {request.seed}") as progress:
        stream = engine.model.stream(
            request.prompt,
            seconds=request.seconds,
            seed=request.seed,
            direction=request.direction,  # type: ignore[arg-type]
            progress=progress,
            **request.options,
        )
        engine.send(stream, target, score)


def checked_player(targets: Sequence[Target]) -> Player:
    """Return the player, before any music is made.

    Raises:
        ConfigError: the music goes to stdout.
        MissingExtraError: nothing plays here.
    """
    if any(target.path is None for target in targets):
        raise ConfigError("--play and -o -: what goes to stdout is played by what reads it")
    return find_player()


def played(player: Player, path: Path, engine: Engine) -> Player | None:
    """Play a result; warn where the player fails, and return none for what is made after it."""
    from jen1cli import audio

    try:
        player.play(path, audio.probe(path))
    except AudioError as error:
        engine.report.warn(f"{error}; nothing more is played")
        return None
    return player


def _groups(jobs: list[PromptJob], engine: Engine) -> Iterator[list[PromptJob]]:
    """Group consecutive jobs with equal settings and consecutive seeds into batches."""
    group: list[PromptJob] = []
    for job in jobs:
        size = engine.batch_size(job[0].seconds or 0.0)
        if group and (len(group) >= size or not _follows(group[-1][0], job[0])):
            yield group
            group = []
        group.append(job)
    yield group


def _follows(first: PromptRequest, second: PromptRequest) -> bool:
    same = dataclasses.replace(first, prompt=second.prompt, seed=first.seed + 1)
    return same == second and first.covered is None
