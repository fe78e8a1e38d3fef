"""docs/robustness.md is what the tests recorded, and the recorder records what they try."""

import json
import re
from pathlib import Path

import pytest

import jen1cli
import outcomes
from jen1cli.errors import ConfigError

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| (.+) \| (.+) \| (tests/\S+\.py)::(\w+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def page():
    return outcomes.PAGE.read_text(encoding="utf-8")


def test_the_page_counts_its_rows(page):
    inputs, faults = map(int, re.findall(r"(\d+) kinds of", page)[:2])
    assert len(ROW.findall(page)) == inputs + faults
    assert inputs >= 300
    assert faults >= 20
    sections = [int(number) for number in re.findall(r"^## .*\((\d+)\)$", page, re.MULTILINE)]
    assert sum(sections) == inputs + faults


def test_the_page_has_rows_of_every_group(page):
    counts = dict(re.findall(r"^## (.+) \((\d+)\)$", page, re.MULTILINE))
    assert list(counts) == [outcomes.FAULTS, *outcomes.GROUPS.values()]
    assert "0" not in counts.values()


def test_every_row_names_a_test_that_exists(page):
    sources = {
        file: (ROOT / file).read_text(encoding="utf-8") for _, _, file, _ in ROW.findall(page)
    }
    gone = {
        f"{file}::{name}"
        for _, _, file, name in ROW.findall(page)
        if f"def {name}(" not in sources[file]
    }
    assert gone == set()


def test_no_row_names_a_place_of_one_machine(page):
    assert outcomes.ABSOLUTE_FOLDERS.findall(page) == []


def test_records_become_a_page(tmp_path, monkeypatch):
    monkeypatch.setenv("JEN1_OUTCOMES", str(tmp_path / "records"))
    monkeypatch.setattr(outcomes, "PAGE", tmp_path / "page.md")
    node = "tests/cli/test_x.py::test_a_thing"
    for value in ("a", "b"):
        outcomes._record(
            "cli", f"{node}[{value}]\tjen1 info /a/folder/{value}.wav", "no | such file"
        )
    outcomes._record(outcomes.FAULTS, f"{node}\tthe disk is full", "one line")
    assert outcomes.write_page(tmp_path / "records") == (1, 1)
    rows = ROW.findall((tmp_path / "page.md").read_text(encoding="utf-8"))
    assert rows[0][:2] == ("the disk is full", "one line")
    assert rows[1][:2] == ("jen1 info a.wav (and 1 more)", "no \\| such file")


def recorded(folder, monkeypatch, request):
    """Return the outcomes that are recorded of a test that raises one error and passes."""
    monkeypatch.setenv("JEN1_OUTCOMES", str(folder))
    hook = outcomes.pytest_runtest_call(request.node)
    next(hook)
    with pytest.raises(ConfigError):
        raise ConfigError("what is wrong")

    class Passed:
        excinfo = None

    with pytest.raises(StopIteration):
        hook.send(Passed())
    (file,) = folder.iterdir()
    return [json.loads(line)["outcome"] for line in file.read_text().splitlines()]


def test_errors_of_a_test_are_recorded(tmp_path, monkeypatch, request):
    (outcome,) = recorded(tmp_path, monkeypatch, request)
    assert outcome == "what is wrong"


def test_the_page_begins_as_it_would_be_written(page, tmp_path, monkeypatch):
    monkeypatch.setattr(outcomes, "PAGE", tmp_path / "page.md")
    (tmp_path / "records").mkdir()
    outcomes.write_page(tmp_path / "records")
    written = (tmp_path / "page.md").read_text(encoding="utf-8").partition("\n## ")[0]
    assert re.sub(r"\d+ kinds", "0 kinds", page.partition("\n## ")[0]) == written


def test_a_fuzz_test_is_recorded_with_the_number_of_its_inputs(tmp_path, monkeypatch, request):
    monkeypatch.setattr(outcomes, "INPUTS", 7)
    (outcome,) = recorded(tmp_path, monkeypatch, request)  # of this name, "fuzz"
    assert outcome.startswith("7 damaged inputs: ")


def test_the_citation_names_this_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {jen1cli.__version__}\n" in text


def test_issue_forms_are_complete():
    yaml = pytest.importorskip("yaml")
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert len(forms) == 4
    for path in forms:
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.name != "config.yml":
            assert form["name"]
            assert form["description"]
            assert all(item["attributes"]["label"] for item in form["body"])
