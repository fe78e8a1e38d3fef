"""Check and measure everything that needs a GPU, in one command that ends within 12 minutes.

    python benchmarks/gpu_hour.py -o gpu.json
    python benchmarks/gpu_hour.py -o try.json --device cpu --tiny     # a try without a GPU

The parts: the tests with the mark `gpu`; times and memory of generation, with and without CUDA
graphs; 50 steps of each stage of the training. Each part is a process with its own time limit. A
part that fails or takes too long is recorded as such, and the next one begins. The file is written
after every part.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
MINUTES = 12.0
LIMITS = {
    "tests": 180.0,
    "mini": 120.0,
    "mini without graphs": 60.0,
    "jen1": 120.0,
    "autoencoder": 60.0,
    "latents": 30.0,
    "diffusion": 60.0,
    "controls": 45.0,
    "finetune": 45.0,
}
"""Seconds of each part, in their order; `--minutes` scales them."""
STEPS, TINY_STEPS = 50, 2
Result = dict[str, Any]


def main() -> int:
    """Run all parts, or one; return 1 if a part failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("gpu.json"), help="JSON file")
    parser.add_argument("--device", default="cuda", help="cuda, or cpu for a try")
    parser.add_argument("--tiny", action="store_true", help="tiny networks and few steps")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of all parts together")
    parser.add_argument("--part", choices=LIMITS, help="this part alone, in this process")
    parser.add_argument("--work", type=Path, help="folder of the training")
    given = parser.parse_args()
    if given.part:
        sys.stdout.write(json.dumps(PARTS[given.part](given)) + "\n")
        return 0
    with tempfile.TemporaryDirectory() as work:
        found = run_all(given, Path(work))
    return int(any(part["status"] != "ok" for part in found["parts"].values()))


def run_all(given: argparse.Namespace, work: Path) -> Result:
    """Run the parts one after the other, and write the file after each."""
    end = time.monotonic() + 60.0 * given.minutes
    found: Result = {"machine": machine(given.device), "tiny": given.tiny, "parts": {}}
    scale = given.minutes / MINUTES
    for name, limit in LIMITS.items():
        command = [
            sys.executable, __file__, "--part", name, "--device", given.device,
            "--work", str(work), *(["--tiny"] if given.tiny else []),
        ]  # fmt: skip
        found["parts"][name] = part = run_part(command, min(scale * limit, end - time.monotonic()))
        sys.stderr.write(f"{name}: {part['status']} in {part['seconds']} s\n")
        given.output.write_text(json.dumps(found, indent=1) + "\n")
    return found


def run_part(command: list[str], limit: float) -> Result:
    """Run one part as a process.

    Args:
        command: prints its result as the last line, in JSON.
        limit: seconds after which it is ended; no more than 0: it is not begun.

    Returns:
        status ("ok", "failed", "out of time"), seconds, and the result or the end of the errors.
    """
    if limit <= 0.0:
        return {"status": "out of time", "seconds": 0.0}
    began = time.monotonic()
    paths = [str(ROOT / "src"), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        start_new_session=True,
    )  # fmt: skip
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # with the processes that it started
        process.communicate()
        return {"status": "out of time", "seconds": round(time.monotonic() - began, 1)}
    seconds = round(time.monotonic() - began, 1)
    if process.returncode:
        return {"status": "failed", "seconds": seconds, "error": errors[-2000:]}
    result = json.loads(output.strip().splitlines()[-1])
    status = "ok" if result.get("passes", True) else "failed"
    return {"status": status, "seconds": seconds, "result": result}


def machine(device: str) -> Result:
    """Return versions and the names of processor and GPU."""
    import torch

    on_gpu = device.startswith("cuda") and torch.cuda.is_available()
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if on_gpu else device,
    }


def tests(given: argparse.Namespace) -> Result:
    """Run the tests that need a GPU; without one, they are skipped."""
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-m", "gpu"]
    chosen = ["tests/unet/test_cuda.py"] if given.tiny else []
    done = subprocess.run(
        [*command, *chosen], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {"passes": done.returncode == 0, "tail": done.stdout[-3000:]}


def generation(preset: str, seconds: float, *, graphs: bool = True) -> Callable[..., Result]:
    """Return the part that measures generation with a model."""

    def measure(given: argparse.Namespace) -> Result:
        os.environ["JEN1_CUDA_GRAPHS"] = str(int(graphs))
        import torch

        from jen1cli import Jen1

        name, length = ("tiny", 0.5) if given.tiny else (preset, seconds)
        on_gpu = given.device.startswith("cuda")
        began = time.perf_counter()
        if name == "jen1-mini":
            model = Jen1.load(name, device=given.device)
        else:
            model = Jen1.from_preset(name, random_weights=True, device=given.device)
        found: Result = {"model": name, "seconds of music": length, "dtype": model.dtype}
        found["load"] = round(time.perf_counter() - began, 3)
        for batch in (1, 2) if given.tiny else (1, 8, 32):
            times = []
            for turn in range(3):  # the second captures the graph
                began = time.perf_counter()
                prompts = ["calm lofi piano"] * batch
                model.generate_batch(prompts, seconds=length, seed=turn, composer="none")
                times.append(round(time.perf_counter() - began, 4))
            found[f"batch {batch}"] = {"first": times[0], "second": times[1], "warm": times[2]}
        if on_gpu:
            found["peak MB"] = round(torch.cuda.max_memory_allocated() / 1e6)
        return found

    return measure


def training(given: argparse.Namespace, name: str) -> Result:
    """Run steps of one stage on music that is made up; later stages need the earlier ones."""
    from jen1cli.training import jobs
    from jen1cli.training.engine.events import Stepped

    data, parts = _music(given.work / "music"), given.work
    steps = TINY_STEPS if given.tiny else STEPS
    common: Mapping[str, Any] = {
        "output": parts / name, "device": given.device, "steps": steps,
        "recipe": "tiny" if given.tiny else "mini-gpu",
        **({"crop_seconds": 0.2} if given.tiny else {}),
    }  # fmt: skip
    latents, diffusion = parts / "latents", parts / "diffusion" / "weights"
    job: Any
    if name == "autoencoder":
        job = jobs.AutoencoderJob(data=data, **common)
    elif name == "latents":
        model = parts / "autoencoder" / "weights"
        job = jobs.LatentsJob(data=data, model=model, output=latents, device=given.device)
    elif name == "diffusion":
        text = _text_encoder(parts / "text") if given.tiny else None
        job = jobs.DiffusionJob(cache=latents, text_encoder=text, **common)
    elif name == "controls":
        job = jobs.ControlsJob(cache=latents, init=diffusion, **common)
    else:
        job = jobs.FinetuneJob(data=data, model=str(diffusion), lora=4, **common)
    speeds: list[float] = []

    def on_event(event: object) -> None:
        if isinstance(event, Stepped):
            speeds.append(event.items_per_second)

    began = time.perf_counter()
    figures = job.run(on_event)
    seconds = round(time.perf_counter() - began, 2)
    return {"seconds": seconds, "items per second": speeds[-1:], **dict(figures)}


def _music(folder: Path) -> Path:
    """Write clips with tempo, key and parts; each has the pitch that its caption names."""
    import numpy as np

    from jen1cli import audio
    from jen1cli.manifest import Clip, write_manifest

    if folder.is_dir():
        return folder
    folder.mkdir(parents=True)
    rate, seconds = 48_000, 12.0
    times = np.arange(round(rate * seconds)) / rate
    facts = {"bpm": 120.0, "meter": "4/4", "key": "A", "mode": "minor", "chords": "Am | Dm"}
    clips = []
    for number in range(12):
        pitch = 220.0 * 2 ** (number / 12)
        tone = 0.3 * np.sin(2 * np.pi * pitch * times) * np.exp(-6 * (2 * times % 1))
        path = folder / f"{number}.wav"
        audio.write(path, np.stack([tone, tone]).astype(np.float32), rate)
        split = "validation" if number == 11 else "train"
        clips.append(Clip(path, (f"{pitch:.0f} hertz",), seconds, split, facts))
    write_manifest(folder, clips)
    return folder


def _text_encoder(folder: Path) -> Path:
    from jen1cli.conditioning import TextEncoder
    from jen1cli.presets import TINY

    TextEncoder.random(TINY.text).save(folder)
    return folder


def _stage(name: str) -> Callable[[argparse.Namespace], Result]:
    return lambda given: training(given, name)


PARTS: dict[str, Callable[[argparse.Namespace], Result]] = {
    "tests": tests,
    "mini": generation("jen1-mini", 10.0),
    "mini without graphs": generation("jen1-mini", 10.0, graphs=False),
    "jen1": generation("jen1", 10.0),
    **{name: _stage(name) for name in list(LIMITS)[-5:]},
}

if __name__ == "__main__":
    sys.exit(main())
