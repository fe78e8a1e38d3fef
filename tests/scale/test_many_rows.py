"""Rows in several shards, killed at random moments: complete, no double, the same bytes."""

import os
import random
import signal
import sys
from collections import Counter

import pytest

from faults import forked
from scale_support import SHORT, lines_of, manifest, tree, write_prompts

pytestmark = [
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks"),
]
KILLS = 3  # of each shard
CHANGES = 9  # of files, about, for each piece


@pytest.fixture(autouse=True)
def _loaded():
    """Import what the command needs before the forks."""
    import jen1cli.cli.music.generate
    import jen1cli.pipeline  # noqa: F401


def make(folder, *arguments, kill_at=None):
    """Run the command in a fork; return its exit code and what it said."""
    command = ["generate", "--from", "prompts.jsonl", "--seed", "1", *SHORT, *arguments]
    process, told = forked(folder, *command, kill_at=kill_at, wait=False)
    _, status = os.waitpid(process, 0)
    said = told.read_text(errors="replace")
    told.unlink()
    return os.waitstatus_to_exitcode(status), said


@pytest.mark.parametrize(
    ("rows", "shards", "layout"),
    [
        pytest.param(20, 4, "files", marks=pytest.mark.heavy),
        pytest.param(20, 4, "tar", marks=pytest.mark.heavy),
        pytest.param(2_000, 8, "files", marks=pytest.mark.slow),
        pytest.param(250, 8, "tar", marks=pytest.mark.slow),
    ],
)
def test_random_kills_leave_a_set_like_an_undisturbed_one(tmp_path, rows, shards, layout, fault):
    write_prompts(
        tmp_path / "prompts.jsonl",
        [{"prompt": f"piece number {n}", "seconds": 0.1 + 0.1 * (n % 3 == 0)} for n in range(rows)],
    )
    chance = random.Random(7)
    killed = 0
    for index in chance.sample(range(shards), shards):
        arguments = ["-o", "killed", "--layout", layout, "--resume", "--shard", f"{index}/{shards}"]
        for _ in range(KILLS):
            moment = chance.randrange(CHANGES * rows // shards // 2)
            code, said = make(tmp_path, *arguments, kill_at=moment)
            killed += code == -signal.SIGKILL
            assert code in (0, -signal.SIGKILL), said
        code, said = make(tmp_path, *arguments)
        assert code == 0, said
    assert killed >= shards
    undisturbed = ["0/1"] if layout == "files" else [f"{n}/{shards}" for n in range(shards)]
    for shard in undisturbed:
        code, said = make(tmp_path, "-o", "whole", "--layout", layout, "--shard", shard)
        assert code == 0, said
    lines = manifest(tmp_path / "killed")
    assert Counter(line["piece"] for line in lines) == Counter(range(rows))
    made, whole = tree(tmp_path / "killed"), tree(tmp_path / "whole")
    assert sorted(made) == sorted(whole)
    assert {name for name in made if made[name] != whole[name]} <= {"manifest.jsonl"}
    by_piece = sorted(lines, key=lambda line: line["piece"])
    assert by_piece == sorted(
        lines_of(tmp_path / "whole" / "manifest.jsonl"), key=lambda line: line["piece"]
    )
    fault(
        f"generate: kill -9 at {killed} random moments of {rows} rows in {shards} shards, {layout}",
        "--resume makes what is missing; the files are those of an undisturbed run",
    )
