"""`jen1 generate`: text to music."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import Engine, ModelOptions
from jen1cli.cli.groups import grouped, options_of
from jen1cli.cli.music.prompts import Request, check_base, read_requests
from jen1cli.cli.music.sets import SetJob, SetOptions
from jen1cli.cli.outputs import Result, Target, slugify
from jen1cli.cli.sampling import SamplingChoice
from jen1cli.errors import ConfigError

Job = tuple[Request, Target]


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
        float, typer.Option("--seconds", "-s", metavar="X", help="Length of each piece.")
    ] = 10.0,
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", help="Pieces for each prompt.")
    ] = 1,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Prompts from a file, a URL or '-': one per line, or a JSON object per line, or a"
            " table in CSV or Parquet, with 'prompt' and its own seed, seconds,"
            f" {', '.join(item.name for item in options_of(SamplingChoice))} or direction.",
        ),
    ] = None,
    sampling: SamplingChoice,
    seed: options.Seed = None,
    direction: Annotated[str, options.DIRECTION] = "bidirectional",
    model: ModelOptions,
    many: SetOptions,
) -> None:
    """Make music from text."""
    sampling.check()
    base = Request("", 0, seconds, direction, sampling)
    if many.is_asked:
        many.check()
        if source is None or prompts:
            raise ConfigError("a set is made of the rows of --from FILE alone; give one")
        check_base(base, count, seed)
        choice = model.choice().check()
        SetJob(many, source, base, seed, count, destination, choice).run()
        return
    requests = read_requests(prompts or [], source, count, seed, base)
    targets = destination.plan(
        [Result(slugify(item.prompt), item.seed, i + 1) for i, item in enumerate(requests)],
        default_name="{slug}-{seed}.{ext}",
        extension="wav",
    )
    with Engine.open(model.choice().check(), destination.report(), destination.signing) as engine:
        for group in _groups(list(zip(requests, targets, strict=True)), engine):
            first = group[0][0]
            with engine.making(f"seed {first.seed}") as progress:
                pieces = engine.model.generate_batch(
                    [request.prompt for request, _ in group],
                    seconds=first.seconds,
                    seed=first.seed,
                    direction=first.direction,  # type: ignore[arg-type]
                    progress=progress,
                    **first.sampling.arguments(),
                )
            for music, (_, target) in zip(pieces, group, strict=True):
                engine.deliver(music, target)


def _groups(jobs: list[Job], engine: Engine) -> Iterator[list[Job]]:
    """Group consecutive jobs with equal settings and consecutive seeds into batches."""
    group: list[Job] = []
    for job in jobs:
        size = engine.batch_size(job[0].seconds)
        if group and (len(group) >= size or not _follows(group[-1][0], job[0])):
            yield group
            group = []
        group.append(job)
    yield group


def _follows(first: Request, second: Request) -> bool:
    same = dataclasses.replace(first, prompt=second.prompt, seed=first.seed + 1)
    return same == second
