"""`--lora FILE[:STRENGTH]`: parsed and checked before torch is imported."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.files import refuse_pipe
from jen1cli.headers import LORA_FORMAT, Header, read_header
from jen1cli.jsonfiles import JsonError, parse_object
from jen1cli.typed_json import from_dict

MAX_STRENGTH = 10.0

Loras = tuple[tuple[Path, float], ...]


def parse_loras(given: Sequence[str] | None) -> Loras:
    """Read the values of `--lora` into files and strengths.

    Raises:
        ConfigError: a strength is no number, too large, or a file is a pipe or given twice.
        CheckpointError: a file is missing, or no LoRA file.
    """
    loras: dict[Path, float] = {}
    for text in given or ():
        path, strength = _split(text)
        check_lora(path)
        if path in loras:
            raise ConfigError(f"--lora {path} is given twice; add the two strengths up")
        loras[path] = strength
    return tuple(loras.items())


def check_lora(path: Path) -> Header:
    """Read the header of a LoRA file.

    Raises:
        CheckpointError: it is missing, or no LoRA file.
        ConfigError: it is a pipe.
    """
    if path.is_dir():
        raise CheckpointError(
            f"--lora {path} is a folder; give the file in it, such as"
            f" {path / 'weights' / 'lora.safetensors'}"
        )
    refuse_pipe(path, "--lora")
    if not path.is_file():
        raise CheckpointError(f"--lora {path} does not exist; check the path")
    try:
        header = read_header(path)
    except CheckpointError:
        header = Header({}, {})
    if not is_lora(header):
        raise CheckpointError(
            f"--lora {path} is no LoRA file of jen1; make one with jen1 train finetune --lora 8"
        )
    return header


def is_lora(header: Header) -> bool:
    """Whether a safetensors file is a LoRA of jen1."""
    return header.metadata.get("format") == LORA_FORMAT


@dataclass(frozen=True)
class _Facts:
    """Displayed fields of the file's configuration."""

    rank: int
    alpha: float
    base: str


def lora_facts(path: Path, header: Header) -> dict[str, object]:
    """Return the facts of a LoRA file for `jen1 info`.

    Raises:
        CheckpointError: its configuration is damaged.
    """
    try:
        config = parse_object(header.metadata.get("config", ""), "its configuration")
        wanted = {name: config.get(name) for name in ("rank", "alpha", "base")}
        facts = from_dict(_Facts, wanted, "its configuration")
    except (ConfigError, JsonError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); make it again") from error
    return {
        "path": str(path),
        "kind": "LoRA",
        "rank": facts.rank,
        "alpha": facts.alpha,
        "model": facts.base,
        "parameters": header.count(),
        "bytes": path.stat().st_size,
    }


def _split(text: str) -> tuple[Path, float]:
    """Split FILE[:STRENGTH]; a file whose own name has a colon is taken whole."""
    whole = Path(text)
    name, _, number = text.rpartition(":")
    if not name or whole.exists():
        return whole, 1.0
    try:
        strength = float(number)
    except ValueError:
        if Path(name).exists():
            raise ConfigError(
                f"--lora {text}: the strength '{number}' is no number; write {name}:0.8"
            ) from None
        return whole, 1.0
    if not math.isfinite(strength) or abs(strength) > MAX_STRENGTH:
        raise ConfigError(
            f"--lora {text}: the strength is not between {-MAX_STRENGTH:g} and {MAX_STRENGTH:g};"
            " 1 is as trained"
        )
    return Path(name), strength
