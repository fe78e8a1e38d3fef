"""Shards: which rows each has, and what a cluster's environment says."""

import pytest

from jen1cli.errors import ConfigError
from jen1cli.shards import Shard, read_shard

ARRAY = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "64"}


@pytest.mark.parametrize(
    ("text", "environment", "shard"),
    [
        ("0/1", {}, Shard(0, 1)),
        ("3/64", {}, Shard(3, 64)),
        ("auto", ARRAY, Shard(3, 64)),
        ("auto", ARRAY | {"SLURM_ARRAY_TASK_MIN": "1"}, Shard(2, 64)),
        (
            "auto",
            {
                "SLURM_ARRAY_TASK_ID": "16",
                "SLURM_ARRAY_TASK_COUNT": "5",
                "SLURM_ARRAY_TASK_MIN": "10",
                "SLURM_ARRAY_TASK_STEP": "2",
            },
            Shard(3, 5),
        ),
        ("auto", {"RANK": "2", "WORLD_SIZE": "4"}, Shard(2, 4)),
        ("auto", ARRAY | {"RANK": "0", "WORLD_SIZE": "1"}, Shard(3, 64)),
        ("auto/100", ARRAY | {"SLURM_ARRAY_TASK_MIN": "3"}, Shard(3, 100)),
        ("auto/8", {"RANK": "2"}, Shard(2, 8)),
    ],
)
def test_a_shard_is_read(text, environment, shard):
    assert read_shard(text, environment) == shard


@pytest.mark.parametrize(
    ("text", "environment", "words"),
    [
        ("64/64", {}, "counted from 0 to 63"),
        ("0/0", {}, "is shard 0 of 0"),
        ("-1/4", {}, "is no shard"),
        ("1", {}, "is no shard"),
        ("1/", {}, "is no shard"),
        ("a/b", {}, "is no shard"),
        ("1/9999999", {}, "1 to 1,000,000"),
        ("auto", {}, "RANK is not set"),
        ("auto", {"RANK": "0"}, "WORLD_SIZE is not set"),
        ("auto", {"SLURM_ARRAY_TASK_ID": "x"}, "SLURM_ARRAY_TASK_ID is 'x'"),
        ("auto", {"RANK": "4", "WORLD_SIZE": "4"}, "is shard 4 of 4"),
    ],
)
def test_what_is_no_shard_is_refused(text, environment, words):
    with pytest.raises(ConfigError, match=words):
        read_shard(text, environment)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_every_row_is_in_one_shard(count):
    for row in range(50):
        assert sum(Shard(index, count).has(row) for index in range(count)) == 1
