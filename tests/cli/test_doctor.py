"""`jen1 doctor`: each illness is found, named with its remedy, and ends with exit code 1."""

import functools
import json
from types import SimpleNamespace

import pytest

from jen1cli.cli.installation import diagnosis
from jen1cli.cli.installation.requirements import packages
from jen1cli.pipeline import selftest

version_of = functools.cache(diagnosis._version)
"""It is asked fifty times, and takes milliseconds."""


@pytest.fixture
def healthy(monkeypatch):
    """A machine on which all loads and the music is as it should be."""
    monkeypatch.setattr(diagnosis, "_version", version_of)
    loaded = {}
    monkeypatch.setattr(
        diagnosis, "load_apart", lambda modules: dict.fromkeys(modules, "") | loaded
    )
    monkeypatch.setattr(diagnosis, "COMPANIONS", ())
    monkeypatch.setattr(
        diagnosis, "_smoke", lambda device: diagnosis.Check("smoke test", "ok", f"on {device}")
    )
    return loaded


def findings(jen1, *options):
    result = jen1("doctor", "--json", *options)
    report = json.loads(result.out)
    return result.code, report["ok"], {check["name"]: check for check in report["checks"]}


def test_a_healthy_machine_passes(jen1, healthy):
    code, ok, found = findings(jen1, "--device", "cpu")
    assert (code, ok) == (0, True)
    assert found["versions"]["facts"]["jen1cli"]
    assert found["packages"]["facts"]["versions"]["torch"]
    assert found["weights jen1-mini"]["facts"]["licence"] == "Apache-2.0"
    assert found["smoke test"]["found"] == "on cpu"
    assert found["memory"]["facts"]["free_bytes"] > 0
    assert {"SoundFont", "disk (here)", "extra train", "device"} <= found.keys()


def test_lines_say_the_same(jen1, healthy):
    result = jen1("doctor")
    assert result.code == 0
    assert "weights jen1-mini" in result.out
    assert "Apache-2.0" in result.out


@pytest.mark.heavy
def test_a_package_that_does_not_load_is_named_with_its_remedy(jen1, healthy):
    healthy["soxr"] = "OSError: undefined symbol"
    code, ok, found = findings(jen1)
    assert (code, ok) == (1, False)
    assert found["packages"]["status"] == "fail"
    assert "soxr" in found["packages"]["found"]
    assert "undefined symbol" in found["packages"]["found"]
    assert "pip install" in found["packages"]["remedy"]
    assert "-> pip install" in jen1("doctor").out


def test_a_torch_that_does_not_load_is_not_run(jen1, healthy):
    healthy["torch"] = "OSError: libtorch.so"
    code, _, found = findings(jen1)
    assert code == 1
    assert "torch does not load" in found["smoke test"]["found"]


def test_a_companion_that_does_not_fit_torch_is_found(jen1, healthy, monkeypatch):
    monkeypatch.setattr(diagnosis, "COMPANIONS", ("json",))  # any module that is there
    healthy["json"] = "OSError: undefined symbol"
    code, _, found = findings(jen1)
    assert code == 1
    assert found["json"]["remedy"] == "pip uninstall json (jen1cli does not need it)"


def test_a_system_without_portaudio_is_no_illness(jen1, healthy):
    healthy["sounddevice"] = "OSError: PortAudio library not found"
    code, ok, found = findings(jen1)
    assert (code, ok) == (0, True)
    assert found["extra play"]["status"] == "note"
    assert "libportaudio2" in found["extra play"]["remedy"]


def test_an_absent_extra_is_no_illness(jen1, healthy, monkeypatch):
    optional = next(package for package in packages() if package.extras == ("train",))
    kind = type(optional)
    real = kind.installed.fget
    monkeypatch.setattr(kind, "installed", property(lambda p: None if p == optional else real(p)))
    code, _, found = findings(jen1)
    assert code == 0
    assert found["extra train"]["status"] == "note"
    assert optional.name in found["extra train"]["found"]
    assert found["extra train"]["remedy"] == "pip install 'jen1cli[train]'"


@pytest.mark.heavy
def test_damaged_weights_are_found(jen1, healthy, monkeypatch, tiny_folder, tmp_path):
    import shutil

    shutil.copytree(tiny_folder, tmp_path / "sets" / "broken")
    (tmp_path / "sets" / "broken" / "unet.safetensors").write_bytes(b"no")
    monkeypatch.setenv("JEN1_WEIGHTS", str(tmp_path / "sets"))
    code, _, found = findings(jen1)
    assert code == 1
    assert "is not the file that config.json describes" in found["weights broken"]["found"]


def test_a_check_that_fails_does_not_end_the_others(jen1, healthy, monkeypatch):
    def explode(device):
        raise RuntimeError("CUDA error:\n no kernel image")

    monkeypatch.setattr(diagnosis, "_smoke", explode)
    code, _, found = findings(jen1)
    assert code == 1
    assert found["smoke test"]["found"] == "RuntimeError: CUDA error: no kernel image"
    assert "memory" in found


def test_a_missing_soundfont_is_a_note_that_says_how_to_get_one(jen1, healthy, monkeypatch):
    monkeypatch.setenv("JEN1_SOUNDFONT", "nowhere.sf2")
    code, _, found = findings(jen1)
    assert code == 0
    assert found["SoundFont"]["status"] == "note"
    assert "nowhere.sf2" in found["SoundFont"]["remedy"]


def test_a_full_disk_and_little_memory_are_told(jen1, healthy, monkeypatch):
    monkeypatch.setattr("psutil.disk_usage", lambda path: SimpleNamespace(free=10_000_000))
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=1_000_000_000))
    code, _, found = findings(jen1)
    assert code == 1
    assert found["disk (here)"]["status"] == "fail"
    assert found["memory"]["status"] == "warn"


def test_an_unknown_device_is_refused(jen1):
    result = jen1("doctor", "--device", "tpu")
    assert result.code == 1
    assert "tpu" in result.err


def test_packages_are_loaded_in_a_process_of_their_own(tmp_path, monkeypatch):
    (tmp_path / "good_one.py").write_text("print('noise')\n")
    (tmp_path / "bad_one.py").write_text("raise OSError('undefined symbol: x')\n")
    (tmp_path / "dying_one.py").write_text("import os\nos._exit(7)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert diagnosis.load_apart(["dying_one", "good_one", "bad_one", "absent_one"]) == {
        "dying_one": "ended the process with exit code 7",
        "good_one": "",
        "bad_one": "OSError: undefined symbol: x",
        "absent_one": "ModuleNotFoundError: No module named 'absent_one'",
    }


@pytest.mark.heavy
def test_the_self_test_knows_a_wrong_sound(tiny, monkeypatch):
    levels = selftest.self_test(tiny, "a").levels_db
    assert len(levels) == 8
    known = {"a": levels}
    monkeypatch.setattr(selftest, "_LEVELS", known)
    right = selftest.self_test(tiny, "a")
    assert right.passed
    assert right.deviation_db < selftest.TOLERANCE_DB
    known["a"] = tuple(level + 2.0 for level in levels)
    wrong = selftest.self_test(tiny, "a")
    assert not wrong.passed
    assert wrong.deviation_db == pytest.approx(2.0, abs=0.1)
    assert selftest.self_test(tiny, "c").deviation_db is None


def test_levels_are_those_of_a_sine(tone):
    levels = selftest.octave_levels(tone(seconds=1.0, frequency=700.0, level=1.0), 48_000)
    assert levels[3] == pytest.approx(-6.02, abs=0.05)  # one side of the spectrum has a quarter
    assert max(levels[:3] + levels[4:]) < -60


@pytest.mark.slow
def test_the_bundled_model_sounds_as_on_record():
    """A release of weights must put its levels on record: `jen1 doctor --json` shows them."""
    from jen1cli.checkpoint import read_description
    from jen1cli.pipeline import Jen1
    from jen1cli.weightsets import find_weights

    folder = find_weights("jen1-mini").folder
    result = selftest.self_test(Jen1.load(folder, device="cpu"), read_description(folder).sha256)
    assert result.deviation_db is not None, "these weights are not on record"
    assert result.passed, result
