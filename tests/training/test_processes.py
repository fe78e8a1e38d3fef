"""`accelerate launch -m jen1cli train`: two processes train the same as one."""

import os
import shutil
import subprocess
import sys

import pytest
import torch

from jen1cli.checkpoint import load_weight_set
from jen1cli.shards import Shard
from jen1cli.training import jobs
from jen1cli.training.diffusion import tar_writing
from jen1cli.training.diffusion.build import write_latent_shard
from jen1cli.training.diffusion.cache import LatentCache
from jen1cli.training.engine.processes import LONGEST_WAIT, build_accelerator
from jen1cli.training.engine.state import load_state
from jen1cli.training.recipes import Optimisation
from jen1cli.unet.lora import read_lora
from training_support import PITCHES

pytestmark = pytest.mark.slow


MODULE = ("-m", "jen1cli")
DDP, FSDP = ("--multi_gpu",), ("--use_fsdp", "--fsdp_version", "2")
# accelerate shares parameters out on GPUs only; torch can on processors, so they are called GPUs
PRETEND = """
import sys
from accelerate import PartialState
from accelerate.utils import DistributedType
from jen1cli.training.diffusion import stage as stages
from jen1cli.cli.app import run
PartialState(cpu=True).distributed_type = DistributedType.MULTI_GPU
plain = stages.DiffusionStage.train_step
def train_step(stage, step, share):
    plain(stage, step, share)
    mine = sum(parameter.to_local().numel() for parameter in stage._names)
    assert mine < 0.6 * sum(parameter.numel() for parameter in stage._names)
stages.DiffusionStage.train_step = train_step
sys.exit(run(sys.argv[1:]))
"""

# the second process' clock runs three times as fast, and every duty is due every half second
ODD_CLOCK = """
import os, sys, time
from types import SimpleNamespace
from jen1cli.training.engine import trainer as loop
from jen1cli.cli.app import run
rate = 1 + 2 * int(os.environ["RANK"])
loop.time = SimpleNamespace(monotonic=lambda: rate * time.monotonic())
loop.Intervals.of = lambda self, duty: 0.5
sys.exit(run(sys.argv[1:]))
"""


def launch(processes, *arguments, kind=DDP, program=MODULE):
    """Start processes as a user does; --multi_gpu is accelerate's word for several of them."""
    several = [*kind, "--main_process_port", "0"] if processes > 1 else ["--cpu"]
    command = [
        sys.executable, "-m", "accelerate.commands.launch", *several,
        "--num_processes", str(processes), "--num_machines", "1", "--mixed_precision", "no",
        "--dynamo_backend", "no", *program, "train", *map(str, arguments),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


def test_two_processes_train_the_same_as_one(cache, text_folder, tmp_path):
    states = {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        log = launch(
            processes, "diffusion", cache.folder, "--text-encoder", text_folder,
            "--output", folder, "--recipe", "tiny", "--precision", "fp32", "--device", "cpu",
            "--steps", 4, "--crop-seconds", 0.4,
        )  # fmt: skip
        states[processes], about = load_state(folder / "state")
        assert about["step"] == 4
        assert "step 4  loss " in log
        assert log.count(f"{folder / 'weights'}\n") == 2, "the result and the save, once each"
        assert f'"processes": {processes}' in (folder / "weights" / "config.json").read_text()
    assert states[1].keys() == states[2].keys()
    for name, value in states[1].items():
        if name.startswith(("model.", "ema.")):
            assert torch.allclose(value, states[2][name], atol=2e-5), name


def test_processes_meet_in_their_duties_whatever_their_clocks_say(cache, text_folder, tmp_path):
    program = tmp_path / "odd_clock.py"
    program.write_text(ODD_CLOCK)
    log = launch(
        2, "diffusion", cache.folder, "--text-encoder", text_folder, "--output",
        tmp_path / "run", "--recipe", "tiny", "--precision", "fp32", "--device", "cpu",
        "--minutes", 0.1, "--crop-seconds", 0.4, program=(str(program),),
    )  # fmt: skip
    assert log.count(": saved ") >= 3
    assert len(list((tmp_path / "run" / "samples").iterdir())) >= 3


def test_processes_that_share_out_the_parameters_train_the_same_and_resume(
    cache, text_folder, tmp_path
):
    """FSDP: the first steps in slices, saved whole; the rest in one process, and in slices."""
    program = tmp_path / "pretend.py"
    program.write_text(PRETEND)
    job = [
        "diffusion", cache.folder, "--text-encoder", text_folder, "--recipe", "tiny",
        "--precision", "fp32", "--device", "cpu", "--crop-seconds", 0.4,
    ]  # fmt: skip
    sliced = {"kind": FSDP, "program": (str(program),)}
    whole, first = tmp_path / "whole", tmp_path / "first"
    launch(1, *job, "--output", whole, "--steps", 4)
    launch(2, *job, "--output", first, "--steps", 2, **sliced)
    shutil.copytree(first, tmp_path / "second")
    launch(2, *job, "--output", first, "--steps", 4, "--resume", **sliced)
    launch(1, *job, "--output", tmp_path / "second", "--steps", 4, "--resume")
    states = [load_state(tmp_path / name / "state")[0] for name in ("first", "second")]
    for name, value in states[0].items():
        assert torch.allclose(value, states[1][name], atol=2e-5), name
    assert load_weight_set(first / "weights")[1]["unet"]["output.weight"].shape[0] == 8
    assert (first / "samples" / "step-0000004" / "prompt-1.wav").is_file()
    end, _ = load_state(whole / "state")
    assert end.keys() == states[0].keys()


def test_two_processes_fine_tune_from_one_cache(tones, tiny_folder, tmp_path):
    log = launch(
        2, "finetune", tones, "--model", tiny_folder, "--output", tmp_path, "--lora", 2,
        "--precision", "fp32", "--device", "cpu", "--steps", 2, "--crop-seconds", 0.2,
        "--batch-size", 6,
    )  # fmt: skip
    assert len(LatentCache.open(tmp_path / "cache").clips) == len(PITCHES)
    assert log.count("lora.safetensors") == 1, "only the first process speaks"
    assert read_lora(tmp_path / "weights" / "lora.safetensors")[0].rank == 2


def test_two_processes_train_all_stages(with_tempi, text_folder, tmp_path):
    log = launch(
        2, "all", with_tempi, "--text-encoder", text_folder, "--output", tmp_path / "run",
        "--recipe", "tiny", "--precision", "bf16", "--device", "cpu", "--steps", 2,
        "--crop-seconds", 0.2,
    )  # fmt: skip
    found = tmp_path / "run" / "controls" / "weights"
    assert log.count(f"{found}\n") >= 1
    assert {"prior", "tracker"} <= set(load_weight_set(found)[1])


def test_processes_wait_long_for_each_other(tmp_path, monkeypatch):
    assert build_accelerator(Optimisation(), device="cpu").init_handler.timeout == LONGEST_WAIT

    def started(**options):
        raise RuntimeError(options["timeout"])

    monkeypatch.setattr(jobs, "PartialState", started)
    with pytest.raises(RuntimeError, match="2 days"):
        jobs.LatentsJob(data=tmp_path, model=tmp_path, output=tmp_path, device="cpu").run()


def test_two_processes_train_the_autoencoder_as_one(tones, tmp_path):
    states = {}
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        launch(
            processes, "autoencoder", tones, "--output", folder, "--recipe", "tiny",
            "--precision", "fp32", "--device", "cpu", "--steps", 4, "--crop-seconds", 0.1,
        )  # fmt: skip
        states[processes], _ = load_state(folder / "state")
    weights = {n: v for n, v in states[1].items() if n.startswith("model.")}
    # Masks of the latent are drawn by each process for itself, so only the size is compared.
    moved = sum(float((states[2][n] - v).norm()) for n, v in weights.items())
    assert moved < 0.05 * sum(float(v.norm()) for v in weights.values())


def test_two_processes_train_on_their_own_tar_files_and_resume(
    tones, codec_folder, text_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(tar_writing, "BLOCK_CLIPS", 1)
    cache = tmp_path / "cache"
    write_latent_shard(tones, codec_folder, cache, Shard(0, 1), device="cpu")
    job = [
        "diffusion", cache, "--text-encoder", text_folder, "--recipe", "tiny",
        "--precision", "fp32", "--device", "cpu", "--crop-seconds", 0.4, "--lr-shape", "constant",
    ]  # fmt: skip
    launch(2, *job, "--output", tmp_path / "whole", "--steps", 4)
    launch(2, *job, "--output", tmp_path / "stopped", "--steps", 2)
    launch(2, *job, "--output", tmp_path / "stopped", "--steps", 4, "--resume")
    whole, stopped = (load_state(tmp_path / name / "state")[0] for name in ("whole", "stopped"))
    for name, value in whole.items():
        assert torch.equal(value, stopped[name]), name
