"""`jen1 train`: every flag reaches the job, and what is shown."""

import dataclasses
import json
import sys
from dataclasses import MISSING
from pathlib import Path

import pytest

from jen1cli.cli.app import run
from jen1cli.cli.console import Console
from jen1cli.cli.training.display import Display
from jen1cli.training import jobs
from jen1cli.training.engine.events import Prepared, Saved, Stepped, Validated, Warned

SETTINGS = [
    "--recipe", "tiny", "--minutes", "2", "--steps", "7", "--batch-size", "12",
    "--crop-seconds", "0.5", "--lr", "0.01", "--accumulation", "2", "--precision", "fp32",
    "--compile", "--seed", "3", "--device", "cpu", "--resume", "--validate-minutes", "1",
    "--save-minutes", "4", "--sample-minutes", "6",
]  # fmt: skip
TAKEN = {
    "recipe": "tiny", "minutes": 2.0, "steps": 7, "batch_size": 12, "crop_seconds": 0.5,
    "lr": 0.01, "accumulation": 2, "precision": "fp32", "compile": True, "seed": 3,
    "device": "cpu", "resume": True, "validate_minutes": 1.0, "save_minutes": 4.0,
    "sample_minutes": 6.0,
}  # fmt: skip


@pytest.fixture
def started(monkeypatch):
    """Jobs that were started, not carried out."""
    found = []

    def pretend(job, on_event):
        found.append(job)
        on_event(Warned("skipped a.wav: broken"))
        return {"parameters": 12, "steps per epoch": 2.5}

    for kind in (
        "AutoencoderJob",
        "LatentsJob",
        "DiffusionJob",
        "ControlsJob",
        "FinetuneJob",
        "AllJob",
    ):
        monkeypatch.setattr(getattr(jobs, kind), "run", pretend)
    return found


@pytest.mark.parametrize(
    ("arguments", "own", "result"),
    [
        (
            ["autoencoder", "music", "--preset", "mini", "--init", "old", "--freeze-encoder"],
            {"data": "music", "preset": "mini", "init": "old", "freeze_encoder": True},
            "run/weights",
        ),
        (
            ["autoencoder", "music", "--freeze-components"],
            {"freeze_encoder": False, "freeze_components": True},
            "run/weights",
        ),
        (
            ["diffusion", "cache", "--preset", "mini", "--text-encoder", "te", "--init", "old",
             "-p", "one", "-p", "two"],
            {"cache": "cache", "preset": "mini", "text_encoder": "te", "init": "old",
             "prompt": ("one", "two")},
            "run/weights",
        ),
        (
            ["finetune", "music", "-m", "some", "--lora", "4", "-p", "one"],
            {"data": "music", "model": "some", "lora": 4, "prompt": ("one",)},
            "run/weights/lora.safetensors",
        ),
        (
            ["distill", "cache", "-m", "some", "--rank", "4", "--sampling-steps", "3",
             "--task", "generate"],
            {"cache": "cache", "init": "some", "lora": 4, "distilled_steps": 3,
             "tasks": ("generate",)},
            "run/weights",
        ),
        (
            ["all", "music", "--text-encoder", "te"],
            {"data": "music", "text_encoder": "te"},
            "run/diffusion/weights",
        ),
    ],
)  # fmt: skip
def test_every_flag_reaches_the_job(started, capsys, arguments, own, result):
    assert run(["train", *arguments, "-o", "run", *SETTINGS]) == 0
    (job,) = started
    values = {name: getattr(job, name) for name in {**TAKEN, **own}}
    paths = {name: str(value) if isinstance(value, Path) else value
             for name, value in values.items()}  # fmt: skip
    assert paths == {**TAKEN, **own}
    assert str(job.output) == "run"
    captured = capsys.readouterr()
    assert captured.out == result + "\n"
    assert "skipped a.wav" in captured.err


def test_an_unknown_task_is_refused(started, capsys):
    assert run(["train", "distill", "cache", "-o", "run", "--task", "generat"]) == 1
    assert "unknown --task 'generat'; did you mean 'generate'?" in capsys.readouterr().err
    assert not started


@pytest.mark.parametrize("name", ["controls", "guide"])
def test_controls_are_trained_under_their_former_name_too(started, capsys, name):
    assert run(["train", name, "cache", "--init", "set", "-o", "run"]) == 0
    (job,) = started
    assert type(job).__name__ == "ControlsJob"
    assert (str(job.cache), str(job.init)) == ("cache", "set")
    assert capsys.readouterr().out == "run/weights\n"
    assert run(["train", "--help"]) == 0
    listed = capsys.readouterr().out
    assert "controls" in listed
    assert "guide" not in listed


@pytest.mark.parametrize("option", ["--augmented", "--coloured"])
def test_augmentation_has_its_former_option_too(started, option):
    assert run(["train", "latents", "music", "-m", "codec", "-o", "cache", option, "0.25"]) == 0
    assert started[0].augmented == 0.25


def test_latents_reach_their_job(started, capsys):
    code = run(["train", "latents", "music", "-m", "codec", "-o", "cache", "--keep-whitening",
                "--json"])  # fmt: skip
    assert code == 0
    (job,) = started
    assert (str(job.data), str(job.model), str(job.output)) == ("music", "codec", "cache")
    assert job.keep_whitening
    assert json.loads(capsys.readouterr().out)["path"] == "cache"


def test_dry_run_prints_figures_and_no_path(started, capsys):
    assert run(["train", "diffusion", "cache", "-o", "run", "--dry-run"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[1:] == ["parameters: 12", "steps per epoch: 2.5"]


def test_ctrl_c_says_how_to_go_on(monkeypatch, capsys):
    def stop(job, on_event):
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs.DiffusionJob, "run", stop)
    assert run(["train", "diffusion", "cache", "-o", "run"]) == 130
    assert "the same command with --resume goes on" in capsys.readouterr().err


def test_commands_have_the_defaults_of_their_jobs(started):
    for arguments in (["autoencoder", "m"], ["diffusion", "c"], ["finetune", "m"], ["all", "m"]):
        assert run(["train", *arguments, "-o", "run"]) == 0
        job = started.pop()
        kind = type(job)
        wanted = {f.name: f.default for f in dataclasses.fields(kind) if f.default is not MISSING}
        assert {name: getattr(job, name) for name in wanted} == wanted


def test_only_the_first_of_several_processes_speaks(started, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    assert run(["train", "diffusion", "cache", "-o", "run", "--json"]) == 0
    assert len(started) == 1
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("RANK", "0")
    assert run(["train", "diffusion", "cache", "-o", "run"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "run/weights\n"
    assert "skipped a.wav" in captured.err


def test_missing_folder_is_one_line(tmp_path, capsys):
    assert run(["train", "latents", str(tmp_path / "no"), "-m", str(tmp_path), "-o", "x"]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith("jen1: error: ")
    assert not any("Traceback" in line for line in lines)


EVENTS = [
    Prepared("encoding clips", 3, 6),
    Stepped(5, 0.5, 60.0, 3_700.0, 12.5, {"loss": 0.25}),
    Validated(5, {"validation/all": 0.5}),
    Saved(5, Path("run/weights")),
    Warned("skipped a.wav"),
]


def test_without_a_terminal_lines_tell_what_happens(capsys):
    with Display(Console()) as display:
        for event in EVENTS:
            display(event)
        display(Stepped(6, 1.0, 60.0, 0.0, 12.5, {"loss": 0.2}))
    text = capsys.readouterr().err
    for part in ("validation/all 0.5000", "saved run/weights", "skipped a.wav", "loss 0.2000"):
        assert part in text


def test_on_a_terminal_a_bar_shows_loss_speed_and_time(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Display(Console()) as display:
        for event in EVENTS:
            display(event)
        (task,) = display._bars.tasks
        assert task.completed == 0.5
        assert task.description == "step 5  loss 0.2500  12.5 items/s  1:01:40 left"
    assert "validation/all 0.5000" in capsys.readouterr().err


def test_quiet_shows_nothing_but_results(capsys):
    with Display(Console(quiet=True)) as display:
        for event in EVENTS:
            display(event)
    assert capsys.readouterr().err == ""
