"""Ray Data on this machine: the bytes of the command, also when a worker is killed."""

import contextlib
import json
import os
import runpy
import sys
from pathlib import Path

import pytest

from jen1cli.cli.app import run
from jen1cli.scale.models import ModelSource
from jen1cli.scale.pieces import MakerSpec
from scale_support import Killing, lines_of, manifest, tree, write_prompts

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.name == "nt", reason="signals of a POSIX system"),
]
EXAMPLES = Path(__file__).parents[2] / "examples"
ROWS = [{"prompt": f"piece {n}", "seconds": 0.1, "steps": 1} for n in range(24)]
ROWS[5] = {"prompt": "techno", "tempo": 3}  # no such setting
ROWS[7] = {"prompt": "piece 7", "steps": 1, "composer": "none"}  # of the usual length
ROWS[9] = {"prompt": "jazz", "seed": 3, "seconds": 0.2, "bpm": 90}


@pytest.fixture(scope="module")
def ray():
    """A local Ray of two processors, whose processes find the package and the tests' tools."""
    ray = pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    pytest.importorskip("pandas", reason="the extra 'ray' is not installed")
    roots = [str(EXAMPLES.parent / "src"), str(EXAMPLES.parent / "tests")]
    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "RAY_USAGE_STATS_ENABLED")}
    os.environ["PYTHONPATH"] = os.pathsep.join([*roots, os.environ.get("PYTHONPATH", "")])
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=10**8)
    yield ray
    ray.shutdown()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="module")
def by_command(tmp_path_factory, tiny_folder):
    """The set that the command makes of the same rows."""
    folder = tmp_path_factory.mktemp("command")
    write_prompts(folder / "prompts.jsonl", ROWS)
    options = ["--seed", "1", "-m", str(tiny_folder), "--device", "cpu", "--resume"]
    with contextlib.chdir(folder):  # errors name the file as it was given
        assert run(["generate", "--from", "prompts.jsonl", "-o", "command", *options]) == 1
    return tree(folder / "command")


@pytest.fixture(autouse=True)
def _prompts(tmp_path, monkeypatch):
    """The rows in the working folder."""
    monkeypatch.chdir(tmp_path)
    write_prompts(tmp_path / "prompts.jsonl", ROWS)


@pytest.mark.filterwarnings("ignore")
def test_the_example_makes_the_bytes_of_the_command(
    ray, by_command, tiny_folder, monkeypatch, capsys
):
    arguments = ["ray_generate.py", "prompts.jsonl", "out", str(tiny_folder)]
    monkeypatch.setattr(sys, "argv", arguments)
    runpy.run_path(str(EXAMPLES / "ray_generate.py"), run_name="__main__")
    assert "23 pieces, 1 rows failed" in capsys.readouterr().out
    assert tree("out") == by_command
    assert len(manifest("out")) == 23
    assert [line["row"] for line in lines_of("out/errors.jsonl")] == [5]


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_is_killed_costs_no_piece(ray, by_command, tiny_folder, tmp_path):
    from jen1cli.cli.music.prompts import PromptRequest, RowReader
    from jen1cli.cli.sampling import SamplingChoice
    from jen1cli.scale.ray import MakePieces, rows_dataset

    read = RowReader(PromptRequest("", 0, None, "bidirectional", SamplingChoice()), 1)
    (tmp_path / "out").mkdir()
    model = ModelSource(str(tiny_folder), device="cpu")
    spec = Killing(model, tmp_path / "out", "flac", 1)  # SIGKILL over row 3, the first time
    pieces = rows_dataset("prompts.jsonl").map_batches(
        MakePieces,
        fn_constructor_kwargs={"spec": spec, "read": read},
        batch_format="pyarrow",
        batch_size=4,
        concurrency=2,
    )
    outcomes = pieces.take_all()
    assert (tmp_path / "out" / "killed").exists()
    assert sorted(outcome["row"] for outcome in outcomes) == list(range(24))
    assert [outcome["row"] for outcome in outcomes if outcome["error"]] == [5]
    (tmp_path / "out" / "killed").unlink()
    expected = {name: data for name, data in by_command.items() if "/" in name}
    assert tree("out") == expected


def test_rows_of_another_dataset_are_read_by_their_columns(tmp_path, tiny_folder):
    pyarrow = pytest.importorskip("pyarrow")
    from jen1cli.cli.music.prompts import PromptRequest, RowReader
    from jen1cli.cli.sampling import SamplingChoice
    from jen1cli.scale.ray import MakePieces

    read = RowReader(PromptRequest("", 0, 0.1, "bidirectional", SamplingChoice()), 10)
    spec = MakerSpec(ModelSource(str(tiny_folder), device="cpu"), tmp_path, "wav", 2)
    make = MakePieces(spec, read, copies=1)
    table = pyarrow.Table.from_pylist(
        [{"row": 7, "prompt": "lofi", "bpm": None}, {"row": 8, "prompt": "", "bpm": 90.0}]
    )
    outcomes = make(table).to_pylist()
    assert {outcome["row"]: outcome["audio"] for outcome in outcomes} == {
        7: "000000/000000007.wav", 8: "",
    }  # fmt: skip
    assert "is empty" in next(outcome["error"] for outcome in outcomes if outcome["row"] == 8)
    facts = json.loads((tmp_path / "000000/000000007.json").read_text())
    assert facts["seed"] == 17
    before = (tmp_path / "000000/000000007.wav").stat().st_mtime_ns
    make(table)  # what is there is not made again
    assert (tmp_path / "000000/000000007.wav").stat().st_mtime_ns == before
