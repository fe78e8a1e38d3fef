"""One shard of rows, files or clips, given by hand or by the environment of a cluster."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from jen1cli.errors import ConfigError

MAX_SHARDS = 1_000_000

Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """Every `count`-th item, from item `index` on."""

    index: int = 0
    count: int = 1

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def has(self, row: int) -> bool:
        """Whether an item, counted from 0 over the whole source, is in this shard."""
        return row % self.count == self.index

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return the items of this shard, in order."""
        return items[self.index :: self.count]


WHOLE = Shard()


def read_shard(text: str, environment: Mapping[str, str] = os.environ) -> Shard:
    """Read a shard: "3/64", the first being 0; "auto"; or "auto/64".

    "auto" takes number and count from an array job of SLURM, else from RANK and WORLD_SIZE.
    "auto/64" takes the number alone, for an array that is submitted again in part.

    Raises:
        ConfigError: it is no shard, or the environment names none.
    """
    given = re.fullmatch(r"(auto|\d{1,9})(?:/(\d{1,9}))?", text)
    if given is None or (given[1] != "auto" and given[2] is None):
        raise ConfigError(f"--shard {text} is no shard; write 0/64 to 63/64, auto or auto/64")
    if given[1] != "auto":
        index, count = int(given[1]), int(given[2])
    else:
        index, count = _of_environment(environment, None if given[2] is None else int(given[2]))
    if not 0 < count <= MAX_SHARDS or not 0 <= index < count:
        raise ConfigError(
            f"--shard {text} is shard {index} of {count}; shards are counted from 0 to"
            f" {max(count - 1, 0)}, and there are 1 to {MAX_SHARDS:,}"
        )
    return Shard(index, count)


def _of_environment(environment: Mapping[str, str], count: int | None) -> tuple[int, int]:
    slurm = "SLURM_ARRAY_TASK_ID" in environment
    number, total = (
        ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT") if slurm else ("RANK", "WORLD_SIZE")
    )
    index = _number(environment, number)
    if count is not None:
        return index, count
    if slurm:  # an array may begin anywhere and go in steps: --array=1-64, --array=0-126:2
        first = _number(environment, "SLURM_ARRAY_TASK_MIN", "0")
        index = (index - first) // max(1, _number(environment, "SLURM_ARRAY_TASK_STEP", "1"))
    return index, _number(environment, total)


def _number(environment: Mapping[str, str], name: str, default: str = "") -> int:
    value = environment.get(name, default)
    if not re.fullmatch(r"\d{1,9}", value):
        seen = f"{name} is '{value}'" if value else f"{name} is not set"
        raise ConfigError(
            f"--shard auto reads an array job of SLURM, or RANK and WORLD_SIZE, but {seen};"
            " write --shard 3/64"
        )
    return int(value)
