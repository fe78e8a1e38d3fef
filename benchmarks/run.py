"""Time and memory of music from text, and of peers on the same machine, as JSON and as a table.

    python benchmarks/run.py                       # all rows, on the default device
    python benchmarks/run.py cold warm -o a.json   # some rows
    python benchmarks/run.py --tiny                # random tiny weights, to try the script

Machines differ by three times and more: compare only figures of one run. Every row is measured in a
process of its own, `--repeats` times; the rows take turns, so that a change of the machine's speed
meets all of them. The table shows medians; the JSON holds every measurement. The peers have random
weights, which take as long as trained ones. Needs the extra `dev` for the peers.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROMPT = "lofi piano, soft drums"
Row = Callable[[argparse.Namespace], dict[str, float]]
ROWS: dict[str, Row] = {}


def row(measure: Row) -> Row:
    """Register a measurement under the name of its function."""
    ROWS[measure.__name__.replace("_", "-")] = measure
    return measure


def timed(run: Callable[[], object], device: str = "cpu") -> float:
    """Return the seconds that a call takes, with all work of the device."""
    start = time.perf_counter()
    run()
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize()
    return time.perf_counter() - start


def command(*arguments: str) -> float:
    """Return the seconds of a process from its start to its end."""
    return timed(
        lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    )


@row
def import_torch(_: argparse.Namespace) -> dict[str, float]:
    """`python -c "import torch"`, in which every process that uses torch begins."""
    return {"seconds": command("-c", "import torch")}


@row
def help_page(_: argparse.Namespace) -> dict[str, float]:
    """`jen1 --help`."""
    return {"seconds": command("-m", "jen1cli", "--help")}


@row
def cold(options: argparse.Namespace) -> dict[str, float]:
    """`jen1 generate PROMPT`, 10 s of music, from the start of the process to the file."""
    model = ["tiny", "--random-weights"] if options.tiny else ["jen1-mini"]
    with tempfile.TemporaryDirectory() as folder:
        wanted = ["generate", PROMPT, "--seed", "1", "-o", f"{folder}/out.wav", "--quiet"]
        place = ["--device", options.device, "--model", *model]
        return {"seconds": command("-m", "jen1cli", *wanted, *place)}


def _model(options: argparse.Namespace) -> Any:
    from jen1cli import Jen1

    if options.tiny:
        return Jen1.from_preset("tiny", random_weights=True, device=options.device)
    return Jen1.load("jen1-mini", device=options.device)


def _warm(options: argparse.Namespace, seconds: float, count: int = 1, **sampling: Any) -> float:
    model = _model(options)
    prompts = [PROMPT] * count
    model.generate(PROMPT, seconds=10.0, seed=0)
    return timed(lambda: model.generate_batch(prompts, seconds=seconds, seed=1, **sampling))


@row
def warm(options: argparse.Namespace) -> dict[str, float]:
    """10 s of music by a loaded model that has made one piece."""
    return {"seconds": _warm(options, 10.0)}


@row
def warm_20_steps(options: argparse.Namespace) -> dict[str, float]:
    """The same with 20 steps."""
    return {"seconds": _warm(options, 10.0, steps=20)}


@row
def minute(options: argparse.Namespace) -> dict[str, float]:
    """60 s of music."""
    return {"seconds": _warm(options, 60.0)}


@row
def eight(options: argparse.Namespace) -> dict[str, float]:
    """A batch of 8 pieces of 10 s."""
    return {"seconds": _warm(options, 10.0, count=8)}


@row
def networks(options: argparse.Namespace) -> dict[str, float]:
    """The U-Net and the decoder alone, for 10 s of music.

    The pass of the U-Net is one for the text and one without it, as guidance needs it.
    """
    import torch

    model = _model(options)
    nets = model.networks
    frames = round(10.0 * nets.frame_rate)
    config = nets.unet.config
    device = torch.device(options.device)
    x = torch.randn(2, config.latent_channels, frames, device=device)
    context = torch.zeros(2, config.latent_channels + 1 + config.control_channels, frames)
    text = torch.randn(2, 16, config.text_features, device=device)
    mask = torch.ones(2, 16, dtype=torch.bool, device=device)
    t = torch.full((2,), 0.5, device=device)
    place = {"context": context.to(device), "text": text, "text_mask": mask}
    with torch.inference_mode():
        nets.unet(x, t, **place)
        unet = timed(lambda: nets.unet(x, t, **place), options.device)
        latent = nets.whitening.unwhiten(x[:1])
        nets.autoencoder.decode(latent)
        decoder = timed(lambda: nets.autoencoder.decode(latent), options.device)
    return {"seconds": unet + decoder, "unet_pass": unet, "decoder": decoder}


@row
def stable_audio_3_small(options: argparse.Namespace) -> dict[str, float]:
    """The network of Stable Audio 3 small alone (459 M parameters), 8 steps, 10 s of music."""
    import torch
    from diffusers.models.transformers.transformer_stable_audio3 import StableAudio3DiTModel

    size = {"embed_dim": 64, "depth": 2, "num_heads": 2} if options.tiny else {
        "embed_dim": 1024, "depth": 20, "num_heads": 16,
    }  # fmt: skip
    network = StableAudio3DiTModel(**size, use_differential_attention=False).to(options.device)
    frames, tokens = 108, 65  # of 4,096 samples at 44.1 kHz; 64 of the text and one of the length
    x = torch.randn(1, 256, frames, device=options.device)
    inputs = {
        "encoder_hidden_states": torch.randn(1, tokens, 768, device=options.device),
        "global_hidden_states": torch.randn(1, 768, device=options.device),
        "local_add_cond": torch.zeros(1, 257, frames, device=options.device),
    }
    t = torch.full((1,), 0.5, device=options.device)

    def sample() -> None:
        for _ in range(8):
            network(x, t, **inputs)

    with torch.inference_mode():
        network(x, t, **inputs)
        return {"seconds": timed(sample, options.device)}


@row
def musicgen_small(options: argparse.Namespace) -> dict[str, float]:
    """MusicGen small's decoder alone (32 kHz mono), the 503 tokens of 10 s, without guidance."""
    import torch
    from transformers import MusicgenForCausalLM
    from transformers.models.musicgen.configuration_musicgen import MusicgenDecoderConfig

    size = {"hidden_size": 64, "num_hidden_layers": 2, "ffn_dim": 128} if options.tiny else {}
    config = MusicgenDecoderConfig(**size)
    network = MusicgenForCausalLM(config).to(options.device).eval()
    text = torch.randn(1, 16, config.hidden_size, device=options.device)
    tokens = torch.zeros(config.num_codebooks, 1, dtype=torch.long, device=options.device)

    def sample() -> None:
        past = None
        for _ in range(503):
            made = network(tokens, encoder_hidden_states=text, past_key_values=past, use_cache=True)
            past = made.past_key_values

    with torch.inference_mode():
        return {"seconds": timed(sample, options.device)}


def measured(name: str, options: argparse.Namespace) -> dict[str, float]:
    """Run one row in a new process, and add the memory that it took at most."""
    arguments = [__file__, "--child", name, "--device", options.device]
    found = subprocess.run(
        [sys.executable, *arguments, *(["--tiny"] if options.tiny else [])],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(found.stdout.splitlines()[-1])


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _table(rows: dict[str, list[dict[str, float]]]) -> str:
    def median(name: str) -> float:
        return statistics.median(one["seconds"] for one in rows[name])

    units = [name for name in ("import-torch", "warm", "stable-audio-3-small") if name in rows]
    lines = [
        "| row | s | " + " | ".join(f"/ {name}" for name in units) + " | peak memory, MB |",
        "|---|---|" + "---|" * (len(units) + 1),
    ]
    for name, all_of in rows.items():
        ratios = " | ".join(f"{median(name) / median(unit):.2f}" for unit in units)
        memory = max(one["peak_mb"] for one in all_of)
        lines.append(f"| {name} | {median(name):.2f} | {ratios} | {memory:.0f} |")
    return "\n".join(lines)


def _child(options: argparse.Namespace) -> None:
    found = ROWS[options.child](options)
    usage = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    found["peak_mb"] = usage / (1024**2 if sys.platform == "darwin" else 1024)
    print(json.dumps(found))


def main() -> None:
    """Measure the rows that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"default: all of {', '.join(ROWS)}")
    parser.add_argument("--device", default="cpu", help="of torch")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tiny", action="store_true", help="tiny random weights")
    parser.add_argument("-o", "--output", type=Path, help="JSON file for all measurements")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options)
        return
    names = options.rows or list(ROWS)
    for name in names:
        if name not in ROWS:
            parser.error(f"no row '{name}'; there are {', '.join(ROWS)}")
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for repeat in range(options.repeats):
        for name in names:
            rows[name].append(measured(name, options))
            print(f"{repeat + 1}/{options.repeats} {name}: {rows[name][-1]}", file=sys.stderr)
    import torch

    import jen1cli

    machine = _processor() if options.device == "cpu" else torch.cuda.get_device_name()
    facts = {
        "machine": machine,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "jen1cli": jen1cli.__version__,
        "device": options.device,
    }
    print(f"{machine}, {facts['threads']} threads, torch {torch.__version__}\n")
    print(_table(rows))
    if options.output is not None:
        options.output.write_text(json.dumps({"facts": facts, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
