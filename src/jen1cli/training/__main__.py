"""`accelerate launch -m jen1cli.training diffusion --cache … --output …`: the jobs, many processes.

The options are the fields of the jobs (`jen1cli.training.jobs`); figures go to the log on stderr
and to `metrics.jsonl`. For one process `jen1 train` shows more.
"""

import argparse
import dataclasses
import logging
import os
import sys
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jen1cli.errors import Jen1Error
from jen1cli.training import jobs
from jen1cli.training.engine.events import Event, Prepared, Stepped, Validated, Warned

JOBS: dict[str, Any] = {
    "autoencoder": jobs.AutoencoderJob,
    "latents": jobs.LatentsJob,
    "diffusion": jobs.DiffusionJob,
    "guide": jobs.GuideJob,
    "finetune": jobs.FinetuneJob,
    "all": jobs.AllJob,
}

log = logging.getLogger("jen1cli.training")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one job and return the exit code."""
    first = os.environ.get("RANK", "0") == "0"  # as accelerate numbers the processes
    level = logging.INFO if first else logging.ERROR
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
    values = vars(_parser().parse_args(arguments))
    kind = JOBS[values.pop("job")]
    try:
        figures = kind(**{name: value for name, value in values.items() if value is not None}).run(
            _log
        )
    except Jen1Error as error:
        log.error("jen1: error: %s", error)
        return 1
    except KeyboardInterrupt:
        return 130
    log.info("%s", ", ".join(f"{name}: {value:g}" for name, value in figures.items()))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jen1cli.training", description=__doc__)
    commands = parser.add_subparsers(dest="job", required=True)
    for name, kind in JOBS.items():
        command = commands.add_parser(name, help=kind.__doc__)
        hints = typing.get_type_hints(kind)
        for field in dataclasses.fields(kind):
            _add_option(command, field, hints[field.name])
    return parser


def _add_option(
    command: argparse.ArgumentParser, field: "dataclasses.Field[Any]", hint: object
) -> None:
    flag = "--" + field.name.replace("_", "-")
    needed = field.default is dataclasses.MISSING
    if hint is bool:
        command.add_argument(flag, action="store_true")
    elif typing.get_origin(hint) is tuple:
        command.add_argument(flag, nargs="*")
    else:
        command.add_argument(flag, type=_plain_type(hint), required=needed)


def _plain_type(hint: object) -> type:
    if isinstance(hint, types.UnionType):
        hint = next(h for h in typing.get_args(hint) if h is not type(None))
    assert hint in (int, float, str, Path)
    return typing.cast(type, hint)


def _log(event: Event) -> None:
    match event:
        case Stepped() | Validated():
            figures = ", ".join(f"{name} {value:.4g}" for name, value in event.values.items())
            log.info("step %d: %s", event.step, figures)
        case Warned():
            log.warning("warning: %s", event.message)
        case Prepared():
            pass
        case _:
            log.info("%s", event)


if __name__ == "__main__":
    sys.exit(main())
