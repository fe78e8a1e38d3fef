"""`jen1 evaluate`: options reach the jobs, results go where they belong."""

import json
import os
import subprocess
import sys
import threading
from unittest.mock import Mock

import pytest

from jen1cli.cli.app import run
from jen1cli.errors import OutputError
from jen1cli.evaluation.clips import Audit
from jen1cli.evaluation.report import Report, Table
from jen1cli.evaluation.studies.listening import FORMAT, ListenJob, System


@pytest.fixture
def jobs(monkeypatch):
    """Every job is noted and finds one table; no model is loaded."""
    seen = {}

    def note(module, name):
        def make(*args, **kwargs):

            bound = signature.bind(*args, **kwargs)
            seen[name] = dict(bound.arguments)
            return ([], Audit("music")) if name == "measure" else Job()

        import importlib
        import inspect

        place = importlib.import_module(f"jen1cli.evaluation.{module}")
        signature = inspect.signature(getattr(place, name))
        monkeypatch.setattr(place, name, make)

    class Job:
        def run(self, *args):
            seen["run"] = args
            table = Table("t", "A table", ("", "figure"), (("row", 0.5),), unit="%")
            return Report("prompts", tables=[table], warnings=["look out"])

    for module, name in (
        ("studies.audio_job", "AudioJob"), ("studies.prompts", "PromptsJob"),
        ("studies.edits", "EditsJob"), ("studies.musiccaps", "MusicCapsJob"),
        ("studies.codec", "CodecJob"), ("parts", "measure"),
    ):  # fmt: skip
        note(module, name)
    monkeypatch.setattr("jen1cli.evaluation.sets.save_statistics", lambda *_: None)
    monkeypatch.setattr(
        "jen1cli.evaluation.studies.codec_under_test.CodecUnderTest.load", lambda folder: Mock()
    )
    monkeypatch.setattr("jen1cli.cli.evaluation.evaluate.load_model", lambda choice, report: choice)
    monkeypatch.setattr("jen1cli.cli.evaluation.studies.load_model", lambda choice, report: choice)
    monkeypatch.setattr("jen1cli.cli.engine.ModelChoice.check", lambda self: self)
    return seen


def test_a_bare_folder_is_compared(jobs, tmp_path, capsys):
    assert (
        run(["evaluate", str(tmp_path), "--reference", "r.npz", "-e", "clap=x", "--limit", "9"])
        == 0
    )
    assert jobs["AudioJob"]["folder"] == tmp_path
    assert str(jobs["AudioJob"]["reference"]) == "r.npz"
    assert (jobs["AudioJob"]["embeddings"], jobs["AudioJob"]["limit"]) == (("clap=x",), 9)
    out, err = capsys.readouterr()
    assert out == ""
    assert "A table" in err
    assert "50 %" in err
    assert "jen1: warning: look out" in err


def test_no_clips_at_all_are_refused(tmp_path, capsys):
    assert run(["evaluate", str(tmp_path), "--reference", "r.npz", "--limit", "0"]) == 1
    assert "invalid value for '--limit'" in capsys.readouterr().err


def test_an_unknown_word_is_a_usage_error(capsys):
    assert run(["evaluate", "promts"]) == 2
    assert "promts" in capsys.readouterr().err


def test_prompts_options_reach_the_job(jobs, tmp_path, capsys):
    (tmp_path / "p.txt").write_text("one\ntwo\nthree\n")
    code = run(
        ["evaluate", "prompts", "--prompts", str(tmp_path / "p.txt"), "-n", "2", "-s", "4",
         "--seed", "5", "--steps", "7", "--guidance-scale", "2.5", "--sampler", "ddim",
         "--reference", "music", "--reference-split", "test", "--diverse", "0", "-m", "some",
         "-o", str(tmp_path / "out"), "--json"]
    )  # fmt: skip
    assert code == 0
    job = jobs["PromptsJob"]
    assert [spec.prompt for spec in job["specs"]] == ["one", "two"]
    assert job["folder"] == tmp_path / "out" / "audio"
    assert (str(job["reference"]), job["reference_split"]) == ("music", "test")
    assert (job["seconds"], job["seed"], job["diverse"]) == (4.0, 5, 0)
    assert job["sampling"] == {"steps": 7, "guidance_scale": 2.5, "sampler": "ddim"}
    assert jobs["run"][0].model == "some"
    facts = json.loads(capsys.readouterr().out)
    assert facts["path"] == str(tmp_path / "out" / "report.html")
    assert facts["tables"][0]["rows"] == [["row", 0.5]]
    assert (tmp_path / "out" / "report.json").is_file()


def test_music_that_is_there_needs_no_model(jobs, tmp_path):
    assert run(["evaluate", "prompts", "--audio", str(tmp_path), "-n", "3", "-q"]) == 0
    assert jobs["run"][0] is None
    assert (jobs["PromptsJob"]["folder"], jobs["PromptsJob"]["limit"]) == (tmp_path, 3)


def test_prompts_need_a_place(jobs, capsys):
    assert run(["evaluate", "prompts"]) == 1
    assert "give --output FOLDER, or --audio DIR" in capsys.readouterr().err


def test_a_hole_needs_music_around_it(capsys):
    assert run(["evaluate", "edits", "x", "--hole", "12"]) == 1
    assert "--hole 12 leaves no music around it" in capsys.readouterr().err


def test_edits_and_musiccaps_options_reach_their_jobs(jobs, tmp_path):
    assert (
        run(
            [
                "evaluate",
                "edits",
                str(tmp_path),
                "--limit",
                "3",
                "--unprompted",
                "-s",
                "9",
                "--hole",
                "3",
                "--steps",
                "4",
            ]
        )
        == 0
    )
    assert (jobs["EditsJob"]["limit"], jobs["EditsJob"]["seconds"]) == (3, 9.0)
    assert jobs["EditsJob"]["prompted"] is False
    assert jobs["EditsJob"]["hole"] == 3.0
    assert jobs["EditsJob"]["sampling"] == {"steps": 4}
    arguments = [
        "--clips",
        "clips",
        "-o",
        str(tmp_path / "o"),
        "--balanced",
        "--made",
        "-e",
        "clap",
    ]
    assert run(["evaluate", "musiccaps", "table.csv", *arguments]) == 0
    assert jobs["MusicCapsJob"]["balanced"] is True
    assert jobs["MusicCapsJob"]["embeddings"] == ("clap",)


def test_a_tagger_is_not_overwritten(tagger_folder, capsys):
    assert run(["evaluate", "train-tagger", "music", "-o", str(tagger_folder / "tagger")]) == 1
    assert "give --force" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x"], "names no folder; write NAME=DIR"),
        (["a=.", "a=."], "two systems have one name"),
        (["a=.", "-o", "page.txt"], "is no .html file"),
    ],
)
def test_listening_tests_are_checked_first(arguments, message, capsys):
    assert run(["evaluate", "listen", *arguments]) == 1
    assert message in capsys.readouterr().err


def test_a_listening_test_there_and_back(music_folder, tmp_path, capsys):
    page = tmp_path / "page.html"
    folder = music_folder(count=2, seconds=1.2)
    assert run(["evaluate", "listen", f"ours={folder}", "-o", str(page), "-n", "2", "-q"]) == 0
    assert capsys.readouterr().out == f"{page}\n"
    key = json.loads((tmp_path / "page.key.json").read_text())
    ratings = {code: {"quality": 60, "alignment": 40} for code in key["items"]}
    answer = {"format": key["format"], "study": key["study"], "listener": "x", "ratings": ratings}
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    command = ["evaluate", "listen-results", str(tmp_path / "answer.json"), "--json"]
    assert run([*command, "--key", str(tmp_path / "page.key.json")]) == 0
    (row,) = json.loads(capsys.readouterr().out)["tables"][0]["rows"]
    assert (row[0], row[1]["value"], row[2]["value"]) == ("ours", 60.0, 40.0)


@pytest.mark.parametrize("name", ["page.html", "page.key.json"])
def test_a_listening_test_replaces_nothing_unasked(music_folder, tmp_path, capsys, name):
    folder, theirs = music_folder(count=2, seconds=1.2), tmp_path / name
    command = ["evaluate", "listen", f"ours={folder}", "-o", str(tmp_path / "page.html"), "-q"]
    theirs.write_text("mine")
    assert run(command) == 1
    assert "exists; use --force" in capsys.readouterr().err
    job = ListenJob([System("ours", folder)], 1, 1.0)
    with pytest.raises(OutputError, match="exists"):  # as where it appears during the run
        job.write(tmp_path / "page.html", overwrite=False)
    assert theirs.read_text() == "mine"
    assert not list(tmp_path.glob(".*"))
    assert list(tmp_path.glob("page*")) == [theirs]
    assert run([*command, "--force"]) == 0
    assert theirs.read_text() != "mine"


@pytest.mark.heavy
def test_help_loads_no_torch():
    code = (
        "import sys\nfrom jen1cli.cli.app import run\nrun(['evaluate', 'prompts', '--help'])\n"
        "sys.exit('torch' in sys.modules or 'librosa' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--reference" in done.stdout


@pytest.mark.parametrize(
    ("given", "wanted"), [([], "held-out"), (["train"], "train"), (["all"], None)]
)
def test_music_is_measured_on_its_test_split_unless_told_otherwise(jobs, tmp_path, given, wanted):
    split = [word for name in given for word in ("--split", name)]
    reference_split = [word for name in given for word in ("--reference-split", name)]
    music, out = str(tmp_path), ["-o", str(tmp_path / "out")]
    for arguments in (
        ["edits", music, *split],
        ["codec", music, *split],
        ["prompts", "-r", "m", *reference_split, *out],
        ["audio", music, "-r", "m", *reference_split],
        ["stats", music, "-o", str(tmp_path / "s.npz"), *split],
    ):
        assert run(["evaluate", *arguments, "-q"]) == 0
    assert jobs["EditsJob"]["split"] == wanted
    assert jobs["CodecJob"]["split"] == wanted
    assert jobs["PromptsJob"]["reference_split"] == wanted
    assert jobs["AudioJob"]["reference_split"] == wanted
    assert jobs["AudioJob"]["split"] is None, "all of what is scored"
    assert jobs["measure"]["split"] == wanted


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["edits", "x", "--split", "tests"], "--split"),
        (["codec", "x", "--split", "tests"], "--split"),
        (["stats", "x", "-o", "a.npz", "--split", "tests"], "--split"),
        (["audio", "x", "-r", "y", "--split", "tests"], "--split"),
        (["audio", "x", "-r", "y", "--reference-split", "tests"], "--reference-split"),
        (["prompts", "-o", "x", "--reference-split", "tests"], "--reference-split"),
    ],
)
def test_an_unknown_split_is_refused(jobs, capsys, arguments, option):
    assert run(["evaluate", *arguments]) == 1
    words = f"{option} tests is unknown; known: train, validation, test, all"
    assert words in capsys.readouterr().err


def piped(path, data):
    """Make a named pipe over which these bytes come."""
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(data,), daemon=True).start()
    return path


@pytest.mark.skipif(os.name == "nt", reason="needs named pipes")
def test_answers_and_key_of_a_listening_test_come_over_pipes(tmp_path, capsys):
    head = {"format": FORMAT, "study": "1"}
    key = head | {"items": {"a": {"system": "ours", "clip": "k\udcff.wav", "prompt": "lofi"}}}
    answer = head | {"listener": "x", "ratings": {"a": {"quality": 60, "alignment": 40}}}
    answers = piped(tmp_path / "answers", json.dumps(answer).encode())
    keys = piped(tmp_path / "keys", json.dumps(key).encode())
    assert run(["evaluate", "listen-results", str(answers), "--key", str(keys), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["tables"][0]["rows"]
    assert (row[0], row[1]["value"]) == ("ours", 60.0)
    for name in ("key.json", "copy.json"):
        (tmp_path / name).write_text(json.dumps(key))
    command = ["evaluate", "listen-results", str(tmp_path / "copy.json")]
    assert run([*command, "--key", str(tmp_path / "key.json")]) == 1
    assert "copy.json is the key of the page, or has no ratings" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="needs names that are not UTF-8")
def test_names_that_are_no_text_in_a_listening_test(music_folder, tmp_path, capsys):
    folder, page = music_folder(count=1, seconds=1.2), tmp_path / "page.html"
    (clip,) = folder.glob("*.wav")
    line = json.loads((folder / "manifest.jsonl").read_text())
    line["audio"] = clip.rename(folder / "k\udcff.wav").name
    (folder / "manifest.jsonl").write_text(json.dumps(line))
    assert run(["evaluate", "listen", f"a\udcff={folder}", "-o", str(page)]) == 1
    assert "the system's name is not text in UTF-8" in capsys.readouterr().err
    assert run(["evaluate", "listen", f"a={folder}", "-o", str(page), "-q"]) == 0
    (item,) = json.loads((tmp_path / "page.key.json").read_text())["items"].values()
    assert item["clip"] == "k\udcff.wav"
