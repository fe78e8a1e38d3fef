"""The measurements for a GPU: every part has its time, and a part that fails ends no other."""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "gpu_hour.py"


@pytest.fixture
def hour():
    spec = importlib.util.spec_from_file_location("gpu_hour", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("program", "limit", "status"),
    [
        ("print('loading'); print('{\"a\": 1}')", 20.0, "ok"),
        ("print('{\"passes\": false}')", 20.0, "failed"),
        ("raise SystemExit('no memory')", 20.0, "failed"),
        ("import time; time.sleep(60)", 0.2, "out of time"),
        ("", 0.0, "out of time"),
    ],
)
def test_a_part_ends_as_it_does(hour, program, limit, status):
    found = hour.run_part([sys.executable, "-c", program], limit)
    assert found["status"] == status
    assert ("no memory" in found.get("error", "")) == ("memory" in program)


def test_all_parts_run_within_the_time_and_are_written(hour, tmp_path, monkeypatch):
    parts = []

    def run_part(command, limit):
        parts.append((command[3], limit))
        return {"status": "failed" if command[3] == "mini" else "ok", "seconds": 1.0}

    monkeypatch.setattr(hour, "run_part", run_part)
    given = argparse.Namespace(output=tmp_path / "a.json", device="cpu", tiny=True, minutes=2.0)
    found = hour.run_all(given, tmp_path)
    assert [name for name, _ in parts] == list(hour.LIMITS) == list(hour.PARTS)
    assert all(limit <= hour.LIMITS[name] / 6 for name, limit in parts)
    assert json.loads((tmp_path / "a.json").read_text()) == found
    assert sum(hour.LIMITS.values()) <= 60.0 * hour.MINUTES


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_try_without_a_gpu(hour, tmp_path, monkeypatch):
    monkeypatch.setattr(
        sys,
        "argv",
        [
            "gpu_hour.py",
            "-o",
            str(tmp_path / "a.json"),
            "--device",
            "cpu",
            "--tiny",
            "--minutes",
            "60",
        ],
    )
    assert hour.main() == 0
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["parts"]["mini"]["result"]["batch 1"]["warm"] > 0
