"""Signals in temporary files: the memory that they take while they are worked through."""

from pathlib import Path

import numpy as np
import pytest
import torch

from jen1cli.audio import on_disk

STATM = Path("/proc/self/statm")
MEGABYTES = 32


def mapped_megabytes():
    """Return the resident pages of files, which tools count as memory of the process."""
    return int(STATM.read_text().split()[2]) * 4_096 / 2**20


@pytest.fixture
def signal(monkeypatch):
    monkeypatch.setattr(on_disk, "LARGEST_IN_MEMORY", 2**20)
    return on_disk.allocate(2, MEGABYTES * 2**20 // 8)


@pytest.mark.skipif(not STATM.exists(), reason="needs Linux")
def test_a_signal_on_disk_takes_the_memory_of_one_interval_and_keeps_its_samples(signal):
    before = mapped_megabytes()
    most = 0.0
    for start, stop in on_disk.spans(signal.shape[1], 2**18):
        signal[:, start:stop] = np.arange(start, stop, dtype=np.float32)
        most = max(most, mapped_megabytes() - before)
    assert most < MEGABYTES / 4
    assert mapped_megabytes() - before < MEGABYTES / 4  # pages of libraries too
    # a view whose type hides the file is released too, as that of a tensor
    view = torch.from_numpy(signal).numpy()
    assert all(
        np.array_equal(view[1, start:stop], np.arange(start, stop, dtype=np.float32))
        for start, stop in on_disk.spans(view.shape[1], 2**18)
    )
    assert mapped_megabytes() - before < MEGABYTES / 4  # pages of libraries too


def test_the_mapping_ends_with_its_last_view(signal):
    count = len(on_disk._mappings)
    part = signal[:, 5:7]
    part[:] = 1.0
    assert signal[:, 4:8].tolist() == [[0.0, 1.0, 1.0, 0.0]] * 2
    on_disk.release()
    assert part.tolist() == [[1.0, 1.0]] * 2
    part = None
    assert len(on_disk._mappings) == count


def test_short_signals_stay_in_memory():
    count = len(on_disk._mappings)
    signal = on_disk.allocate(2, 1_000)
    assert len(on_disk._mappings) == count
    assert not signal.any()


def test_spans_cover_a_signal_once():
    assert list(on_disk.spans(10, 4)) == [(0, 4), (4, 8), (8, 10)]
    assert list(on_disk.spans(10, 4, 3)) == [(3, 7), (7, 10)]
    assert list(on_disk.spans(0, 4)) == []
