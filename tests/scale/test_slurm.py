"""The array script of the docs, under a loop that stands in for SLURM."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scale_support import SHORT, manifest, write_prompts

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "scale.md"

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.name == "nt", reason="a shell script"),
]


def test_the_array_script_makes_a_set(tmp_path):
    script = re.search(r"<!-- slurm -->\n```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    assert "#SBATCH --array=0-63" in script
    (tmp_path / "job.sh").write_text(script.replace("auto/64", "auto/3"))
    # the command as it stands, with a model and lengths for tests
    stand_in = tmp_path / "bin" / "jen1"
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/bin/sh\nexec {sys.executable} -m jen1cli "$@" {" ".join(SHORT)}\n')
    stand_in.chmod(0o755)
    write_prompts(tmp_path / "prompts.jsonl", [f"piece {n}" for n in range(7)])
    environment = {
        **os.environ,
        "PATH": f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
    }
    for task in (2, 0, 1):
        assert not (tmp_path / "out" / "manifest.jsonl").exists()
        array = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_COUNT": "3"}
        done = subprocess.run(
            ["bash", "job.sh"],
            cwd=tmp_path,
            env=environment | array,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    lines = manifest(tmp_path / "out")
    assert [line["audio"] for line in lines] == [
        *["shard-00000.tar"] * 3, *["shard-00001.tar"] * 2, *["shard-00002.tar"] * 2,
    ]  # fmt: skip
    assert sorted(line["seed"] for line in lines) == list(range(1, 8))
