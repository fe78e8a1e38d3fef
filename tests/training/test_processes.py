"""`accelerate launch -m jen1cli.training`: two processes train the same as one."""

import os
import subprocess
import sys

import pytest
import torch

from jen1cli.training.cache import LatentCache
from jen1cli.training.state import load_state
from jen1cli.unet.lora import read_lora
from training_support import PITCHES

pytestmark = pytest.mark.slow


def launch(processes, *arguments):
    """Start processes as a user does; --multi_gpu is accelerate's word for several of them."""
    several = ["--multi_gpu", "--main_process_port", "0"] if processes > 1 else ["--cpu"]
    command = [
        sys.executable, "-m", "accelerate.commands.launch", *several,
        "--num_processes", str(processes), "--num_machines", "1", "--mixed_precision", "no",
        "--dynamo_backend", "no", "-m", "jen1cli.training", *map(str, arguments),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def test_two_processes_train_the_same_as_one(cache, text_folder, tmp_path):
    states = {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        log = launch(
            processes, "diffusion", "--cache", cache.folder, "--text-encoder", text_folder,
            "--output", folder, "--recipe", "tiny", "--precision", "fp32", "--device", "cpu",
            "--steps", 4, "--crop-seconds", 0.4,
        )  # fmt: skip
        states[processes], about = load_state(folder / "state")
        assert about["step"] == 4
        assert "loss/continue" in log
        assert f'"processes": {processes}' in (folder / "weights" / "config.json").read_text()
    assert states[1].keys() == states[2].keys()
    for name, value in states[1].items():
        if name.startswith(("model.", "ema.")):
            assert torch.allclose(value, states[2][name], atol=2e-5), name


def test_two_processes_fine_tune_from_one_cache(tones, tiny_folder, tmp_path):
    log = launch(
        2, "finetune", "--data", tones, "--model", tiny_folder, "--output", tmp_path, "--lora", 2,
        "--precision", "fp32", "--device", "cpu", "--steps", 2, "--crop-seconds", 0.2,
        "--batch-size", 6,
    )  # fmt: skip
    assert len(LatentCache.open(tmp_path / "cache").clips) == len(PITCHES)
    assert log.count("trainable parameters") == 1, "only the first process speaks"
    assert read_lora(tmp_path / "weights" / "lora.safetensors")[0].rank == 2


def test_two_processes_train_the_autoencoder_as_one(tones, tmp_path):
    states = {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        launch(
            processes, "autoencoder", "--data", tones, "--output", folder, "--recipe", "tiny",
            "--precision", "fp32", "--device", "cpu", "--steps", 4, "--crop-seconds", 0.1,
        )  # fmt: skip
        states[processes], _ = load_state(folder / "state")
    weights = {n: v for n, v in states[1].items() if n.startswith("model.")}
    # Masks of the latent are drawn by each process for itself, so only the size is compared.
    moved = sum(float((states[2][n] - v).norm()) for n, v in weights.items())
    assert moved < 0.05 * sum(float(v.norm()) for v in weights.values())
