"""The `tiny` model through the real save and load paths, sounds to work on, and `--device`."""

import dataclasses
import functools
import gc
import itertools
import logging
import os
import signal
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from outcomes import fault, pytest_runtest_call

__all__ = ["fault", "pytest_runtest_call"]

RATE = 48_000

# A signature differs each time it is made; tests of bytes need files without one.
os.environ["JEN1_PROVENANCE"] = "0"

# A job in the background of a script, or under nohup, inherits signals that are ignored; the tests
# of interrupts, and the processes that they start, need the handlers of a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
for _name in ("SIGHUP", "SIGTERM"):
    if hasattr(signal, _name) and signal.getsignal(getattr(signal, _name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, _name), signal.SIG_DFL)


def claim_numba_cache(root: Path) -> str:
    """Return a folder for compiled functions that no other process uses.

    Processes that fill one cache of numba's at the same time crash (seen: segmentation faults in
    librosa's beat tracker), and compiling takes each some twenty seconds. So there are numbered
    folders that stay for the next run, and a process locks the first free one for as long as it
    lives.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on Windows
        return tempfile.mkdtemp(prefix="numba-")
    for folder in map(root.joinpath, map(str, itertools.count())):
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR)  # never closed: it is the claim
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return str(folder)
    raise AssertionError("there is always another folder")


_CACHES = Path(__file__).parent.parent / ".pytest_cache" / "numba"
os.environ["NUMBA_CACHE_DIR"] = claim_numba_cache(_CACHES)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Import the tests without garbage collection, which would take a third of that time.

    What is imported stays, so no later collection needs to visit it.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        _let_torch_propagate()


def _let_torch_propagate():
    """Let the loggers of torch pass their records on to the root logger.

    pytest gives its two handlers to each logger that does not, before and after each phase of each
    test; with the fifty of torch, that takes a fifth of a millisecond.
    """
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("torch") and isinstance(logger, logging.Logger):
            logger.propagate = True


class _RotatedFolder(pytest.Dir):
    """The folder of the tests, whose import begins at another place in each worker of xdist.

    A test that is imported for the first time is compiled, with all that it imports, and its
    bytecode is kept. In one order, all workers would compile everything at the same time; so each
    compiles a part, and finds the rest done.
    """

    def collect(self):
        entries = list(super().collect())
        worker = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
        begin = worker * len(entries) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        return entries[begin:] + entries[:begin]


def pytest_collect_directory(path, parent):
    if "PYTEST_XDIST_WORKER" in os.environ and path == Path(__file__).parent:
        return _RotatedFolder.from_parent(parent, path=path)
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Restore the order of the files, which must be the same in all workers."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.path)


def pytest_addoption(parser):
    parser.addoption("--device", default="cpu", help="device of the tests that run a model")


@pytest.fixture(scope="session")
def device(request):
    return request.config.getoption("--device")


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Many small networks run fastest on one thread, and give the same bytes everywhere."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory) -> Path:
    """A weight set of the `tiny` preset with seeded random weights."""
    from jen1cli.checkpoint import save_weight_set
    from jen1cli.config import ControlsConfig
    from jen1cli.pipeline.networks import random_networks
    from jen1cli.presets import TINY

    small = ControlsConfig(predictor_features=8, tracker_channels=8, tracker_dilations=(1, 2))
    config = dataclasses.replace(
        TINY, controls=small, provenance={"trained_on": "nothing: random weights"}
    )
    networks = random_networks(config, 0, torch.device("cpu"), "fp32")
    folder = tmp_path_factory.mktemp("weights")
    text_encoder = folder / "text"
    text_encoder.mkdir()
    networks.text_encoder.save(text_encoder)
    tensors = {
        "autoencoder": networks.autoencoder.state_dict(),
        "whitening": networks.whitening.state_dict(),
        "unet": networks.unet.state_dict(),
        "prior": networks.predictor.state_dict(),
        "tracker": networks.tracker.state_dict(),
    }
    return save_weight_set(
        folder / "tiny", config, tensors, text_encoder=text_encoder, card="# tiny\n\nrandom.\n"
    )


@pytest.fixture(scope="session")
def tiny(tiny_folder, device):
    """The `tiny` model, loaded as a user loads one."""
    from jen1cli import Jen1

    return Jen1.load(tiny_folder, device=device, dtype="fp32")


@pytest.fixture
def tone():
    """Make a sine: `tone(seconds, frequency, rate, channels)` -> float32 [channels, samples]."""

    def make(seconds=1.0, frequency=440.0, rate=RATE, channels=2, level=0.5):
        t = np.arange(round(seconds * rate)) / rate
        sine = level * np.sin(2 * np.pi * frequency * t)
        return np.repeat(sine[None], channels, axis=0).astype(np.float32)

    return make


@pytest.fixture
def noise():
    """Make white noise: `noise(seconds, rate, channels, level, seed)` -> [channels, samples]."""

    def make(seconds=1.0, rate=RATE, channels=2, level=0.1, seed=0):
        rng = np.random.default_rng(seed)
        return (level * rng.standard_normal((channels, round(seconds * rate)))).astype(np.float32)

    return make


@functools.lru_cache(maxsize=32)  # many tests ask for the same few
def _chords_over_a_beat(seconds, rate, channels, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    signal = np.zeros((channels, len(t)))
    for beat in np.arange(0, seconds, 0.25):
        start = round(beat * rate)
        since = t[: min(rate, len(t) - start)]
        for note in rng.choice([48, 52, 55, 60, 64, 67], 3, replace=False):
            sine = np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * since)
            sounding = rng.uniform(0.5, 1.0, (channels, 1)) * np.exp(-6 * since) * sine
            signal[:, start : start + len(since)] += sounding
    return (0.5 * signal / np.abs(signal).max()).astype(np.float32)


@pytest.fixture
def music():
    """Make decaying chords over a beat: `music(seconds, rate, channels)` -> [channels, samples]."""

    def make(seconds=2.0, rate=RATE, channels=2, seed=0):
        return _chords_over_a_beat(seconds, rate, channels, seed).copy()

    return make
