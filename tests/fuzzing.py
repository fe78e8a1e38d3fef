"""Damage with a seed, of bytes, text and JSON values, and what runs readers over it.

`JEN1_FUZZ=10 pytest -m slow -k fuzz` tries ten times as many inputs; the message of a failure names
reader and number of the input, which is kept.
"""

import contextlib
import copy
import json
import os
import random
import resource
import shutil
import signal
import struct
import traceback
from typing import NamedTuple

import pytest

from jen1cli.errors import Jen1Error

SEED = 20_250_917
INPUTS = 60 * int(os.environ.get("JEN1_FUZZ", "1"))  # of each kind
LONGEST_SECONDS = 20  # for one input; a machine that is busy takes its time
MOST_BYTES = 2 * 2**30  # of memory above what the process had before

WORDS = [
    "", " ", "null", "120", "-1", "1e400", "NaN", "\0", "\ud83c", "\udcff", "\u2028", "\x0c",
    "\ufeff", "../../up", "/dev/zero", "~nobody", "{", "}", "%s", "x" * 5000,
    "7" * 5000, "Am F C G", "none", "|", "-", "bars:1-2", "end", "♭", "C99", "kick",
    "\x1b[31m", "a\nb", "١٢٠", "1_0",
]  # fmt: skip
VALUES = [
    None, True, False, 0, 1, -1, 3, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, 1e-320, float("nan"),
    float("inf"), [], {}, [[]], [None], {"": None}, "1", *WORDS,
]  # fmt: skip
_EDGES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def damaged_bytes(data: bytes, rng: random.Random, head: int = 4096) -> bytes:
    """Change one to four places, most of them in the first `head` bytes."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        reach = max(1, min(len(out), head if rng.random() < 0.8 else len(out)))
        at = rng.randrange(reach)
        match rng.randrange(7):
            case 0:
                out[at : at + 1] = bytes([out[at] ^ 1 << rng.randrange(8)]) if out else b"\0"
            case 1:
                size, order = rng.choice(((2, "H"), (4, "I"), (8, "Q"))), rng.choice("<>")
                number = rng.choice(_EDGES) & (256 ** size[0] - 1)
                out[at : at + size[0]] = struct.pack(order + size[1], number)
            case 2:
                out[at : at + rng.randrange(1, 64)] = b""
            case 3:
                out[at:at] = rng.randbytes(rng.randrange(1, 64))
            case 4:
                out[at:at] = out[at : at + rng.randrange(1, 256)]
            case 5:
                del out[rng.randrange(len(out) + 1) :]
            case _:
                out[at : at + 16] = rng.randbytes(16)
    return bytes(out)


def damaged_text(text: str, rng: random.Random) -> str:
    """Change one to four places of a text, by odd words or by taking away."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(text) + 1)
        stop = min(len(text), at + rng.randrange(12))
        match rng.randrange(4):
            case 0:
                text = text[:at] + rng.choice(WORDS) + text[at:]
            case 1:
                text = text[:at] + rng.choice(WORDS) + text[stop:]
            case 2:
                text = text[:at] + text[stop:]
            case _:
                text = text[:at] + text[at:stop] * rng.randrange(2, 200) + text[stop:]
    return text


def damaged_value(value: object, rng: random.Random) -> object:
    """Change one to three nodes of a JSON value."""
    box = {"": copy.deepcopy(value)}
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(_places(box))
        holder, key = rng.choice(places)
        match rng.randrange(6):
            case 0 | 1:
                holder[key] = copy.deepcopy(rng.choice(VALUES))
            case 2:
                del holder[key]
                if not box:
                    box[""] = None
            case 3 if isinstance(holder, dict) and holder is not box:
                holder[rng.choice(("", "seed", "sha256", f"{key}x", *WORDS))] = holder.pop(key)
            case 4:
                holder[key] = [holder[key]] * rng.choice((1, 2, 300))
            case _:
                inner = holder[key]
                if isinstance(inner, int | float) and not isinstance(inner, bool):
                    holder[key] = rng.choice((str(inner), -inner, inner * 1000, inner + 0.5, 0))
                else:
                    holder[key] = {"a": inner}
    return box[""]


def damaged_json(value: object, rng: random.Random) -> bytes:
    """Write a JSON value with damage to the value, to its text, or to its bytes."""
    kind = rng.random()
    if kind < 0.7:
        value = damaged_value(value, rng)
    text = json.dumps(value)
    if kind > 0.6:
        text = damaged_text(text, rng)
    if 0.55 < kind < 0.58:
        text = "[" * rng.choice((65, 1000, 100_000)) + text
    data = text.encode("utf-8", "surrogatepass")
    return damaged_bytes(data, rng) if kind > 0.9 else data


def damaged_safetensors(data: bytes, rng: random.Random) -> bytes:
    """Change the header of a safetensors file, as JSON or as bytes, and fit its length or not."""
    if rng.random() < 0.3:
        return damaged_bytes(data, rng)
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    meta = header.get("__metadata__", {})
    if "config" in meta and rng.random() < 0.5:
        meta["config"] = damaged_json(json.loads(meta["config"]), rng).decode("utf-8", "replace")
        changed = json.dumps(header).encode()
    elif meta and rng.random() < 0.6:
        header["__metadata__"] = damaged_value(meta, rng)
        changed = json.dumps(header).encode("utf-8", "surrogatepass")
    else:
        changed = damaged_json(header, rng)
    told = len(changed) if rng.random() < 0.9 else rng.choice((length, 0, 2**40, 2**64 - 1))
    return struct.pack("<Q", told) + changed + data[8 + length :]


def _places(value):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


class Outcomes(NamedTuple):
    """How many pairs of a reader and an input ended in each way."""

    read: int
    refused: int


class Hang(BaseException):
    """An input took too long; no `except Exception` may swallow it."""


@contextlib.contextmanager
def bounded():
    """Stop what takes too long, and let what wants too much memory fail."""

    def ring(*_):
        raise Hang

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (now + MOST_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def fuzz(tmp_path, monkeypatch, request):
    """Run readers over damaged inputs: `fuzz(damage, read)`, where `damage(rng)` gives one.

    Returns how many were read and how many refused; anything else fails the test.
    """
    here, work = tmp_path / "here", tmp_path / "work"
    here.mkdir()
    monkeypatch.chdir(here)  # what is written by a relative name lands here

    def call(damage, *readers):
        read_inputs = refused_inputs = 0
        faults = []
        for number in range(INPUTS):
            rng = random.Random(f"{SEED} {request.node.name} {number}")
            given = damage(rng)
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            for read in readers:
                try:
                    with bounded():
                        read(given, work)
                    read_inputs += 1
                except Jen1Error:
                    refused_inputs += 1
                except (Exception, Hang) as error:
                    last = traceback.extract_tb(error.__traceback__)[-1]
                    place = next(
                        (f for f in reversed(traceback.extract_tb(error.__traceback__))
                         if "jen1cli" in f.filename), last,
                    )  # fmt: skip
                    faults.append(
                        f"{number}: {type(error).__name__}: {str(error)[:200]!a} at"
                        f" {place.filename}:{place.lineno}"
                    )
                    kept = tmp_path / f"input-{number}"
                    kept.write_bytes(given if isinstance(given, bytes) else repr(given).encode())
            assert list(here.iterdir()) == [], f"{number} wrote outside its folder"
        assert not faults, f"{len(faults)} faults (inputs in {tmp_path}):\n" + "\n".join(faults)
        assert {path.name for path in tmp_path.iterdir()} == {"here", "work"}
        return Outcomes(read_inputs, refused_inputs)

    return call


def placed(name, read):
    """Put the input into a file and read that."""

    def call(data, work):
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        read(path)

    return call
