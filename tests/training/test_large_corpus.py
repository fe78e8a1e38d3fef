"""The commands of the docs from a large folder of music to a trained model, at small size."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from jen1cli.cli.app import run
from jen1cli.manifest import Clip, write_manifest
from training_support import PITCHES

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
SMALL = ["--recipe", "tiny", "--steps", "1", "--device", "cpu", "--precision", "fp32"]


def commands():
    blocks = re.findall(r"<!-- large -->\n```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [re.sub(r"^accelerate launch .*-m jen1cli\s+", "jen1 ", line) for line in lines]


def test_the_commands_lead_to_a_model_that_is_judged(
    tones, text_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "0")
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "1")
    music = shutil.copytree(tones, tmp_path / "music")
    splits = ["train"] * (len(PITCHES) - 3) + ["validation", "test", "test"]
    write_manifest(
        music,
        [
            Clip(music / f"{i}.wav", (f"{pitch} hertz",), 1.5, split)
            for i, (pitch, split) in enumerate(zip(PITCHES, splits, strict=True))
        ],
    )
    lines = [json.dumps({"prompt": f"{pitch} hertz", "seconds": 1.2}) for pitch in PITCHES[:4]]
    Path("prompts.jsonl").write_text("\n".join(lines))
    more = {
        "autoencoder": [*SMALL, "--crop-seconds", "0.1"],
        "latents": ["--device", "cpu"],
        "diffusion": [*SMALL, "--crop-seconds", "0.2", "--text-encoder", str(text_folder)],
        "generate": ["--steps", "1", "--devices", "1", "--device", "cpu"],
        "audio": [],
    }
    done = []
    for line in commands():
        words = shlex.split(line)[1:]
        name = words[0] if words[0] == "generate" else words[1]
        small = [word for word in words if word not in ("--recipe", "jen1")]
        assert run([*small, *more[name]]) == 0, capsys.readouterr().err
        done.append(name)
    assert done == list(more)
    assert Path("cache/index.json").is_file()
    assert len(Path("out/manifest.jsonl").read_text().splitlines()) == 4
    assert Path("report/report.html").is_file()
