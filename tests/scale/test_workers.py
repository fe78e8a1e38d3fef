"""Several processes: the same bytes from one queue, and a process that ends is replaced."""

import os

import pytest

from jen1cli.errors import Jen1Error, OutputError
from jen1cli.scale.models import ModelSource
from jen1cli.scale.pieces import MakerSpec
from jen1cli.scale.requests import PieceJob, PieceRequest
from jen1cli.scale.workers import make_here, make_in_processes
from scale_support import Failing, Killing

pytestmark = [pytest.mark.heavy, pytest.mark.skipif(os.name == "nt", reason="POSIX signals")]
OPTIONS = {"steps": 1, "composer": "none"}


def start(folder, name="tiny"):
    folder.mkdir(exist_ok=True)
    model = ModelSource(name, device="cpu", random_weights=True)
    return MakerSpec(model, folder, "flac", 1)


def jobs(count, options=OPTIONS):
    return [
        [
            PieceJob(
                n, n, f"line {n}", f"000000/{n}", PieceRequest(f"lofi {n}", n, 0.1, options=options)
            )
        ]
        for n in range(count)
    ]


def files(folder):
    return {path.name: path.read_bytes() for path in (folder / "000000").iterdir()}


def test_processes_make_what_one_makes_and_warn_as_it_does(tmp_path, caplog):
    """The rows have a control that the network does not take, of which the library warns."""
    alone, many = start(tmp_path / "alone"), start(tmp_path / "many")
    options = {**OPTIONS, "instruments": ("piano",)}
    list(make_here(alone, iter(jobs(8, options))))
    caplog.clear()
    queue = iter(jobs(8, options))
    made = [outcome for part in make_in_processes([many] * 2, queue) for outcome in part]
    assert sorted(outcome.job.piece for outcome in made) == list(range(8))
    assert not any(outcome.error for outcome in made)
    assert files(tmp_path / "many") == files(tmp_path / "alone")
    assert len(files(tmp_path / "many")) == 16
    said = [record.getMessage() for record in caplog.records]
    assert 1 <= len(said) <= 2  # once from each process
    assert "instruments" in said[0]


def test_a_process_that_is_killed_is_replaced(tmp_path):
    alone = start(tmp_path / "alone")
    list(make_here(alone, iter(jobs(6))))
    given = Killing(**vars(start(tmp_path / "many")))
    made = list(make_in_processes([given] * 2, iter(jobs(6))))
    assert not any(outcome.error for part in made for outcome in part)
    assert files(tmp_path / "many") == files(tmp_path / "alone")


def test_a_row_that_ends_its_process_twice_has_failed(tmp_path):
    given = Failing(**vars(start(tmp_path / "many")))
    made = [outcome for part in make_in_processes([given], iter(jobs(6))) for outcome in part]
    assert {outcome.job.piece: outcome.error for outcome in made} == {
        **dict.fromkeys(range(6), ""), 3: "its process ended with exit code 9, twice",
    }  # fmt: skip


def test_a_process_that_loads_nothing_ends_the_run(tmp_path):
    given = Failing(**(vars(start(tmp_path / "many")) | {"extension": "none"}))
    with pytest.raises(Jen1Error, match="exit code 9 while it loaded the model"):
        list(make_in_processes([given], iter(jobs(2))))
    with pytest.raises(Jen1Error, match="preset"):
        list(make_in_processes([start(tmp_path / "many", "none")], iter(jobs(2))))


def test_a_folder_that_cannot_be_written_ends_the_run(tmp_path):
    given = start(tmp_path / "many")
    (tmp_path / "many").rmdir()
    with pytest.raises(OutputError, match="cannot write"):
        list(make_in_processes([given], iter(jobs(2))))
