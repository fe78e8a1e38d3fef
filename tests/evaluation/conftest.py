"""A random tagger, folders of sound, and noise that is no music."""

import json

import numpy as np
import pytest

from jen1cli import audio

RATE = 48_000


@pytest.fixture(scope="session")
def tagger_folder(tmp_path_factory):
    """A tagger with random weights in a folder of weights, through the real save path."""
    import torch

    from jen1cli.evaluation.tagger.labels import Labels
    from jen1cli.evaluation.tagger.network import TaggerNet
    from jen1cli.evaluation.tagger.tagger import save_tagger

    labels = Labels(("ambient", "house", "jazz trio"), ("drums", "piano"), ("major", "minor"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = TaggerNet(3, 2, 2)
    folder = tmp_path_factory.mktemp("weights")
    save_tagger(folder / "tagger", net, labels, {"trained_on": "nothing"}, {"style": 0.3})
    return folder


@pytest.fixture
def tagger_installed(tagger_folder, monkeypatch):
    """The random tagger is the one that is found."""
    monkeypatch.setenv("JEN1_WEIGHTS", str(tagger_folder))
    return tagger_folder


def beats(seconds, bpm, *, rate=RATE, seed=0, chord=(60, 64, 67)):
    """Clicks in time over a chord with four harmonics, [2, samples]."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    signal = np.zeros_like(t)
    for note in chord:
        hertz = 440 * 2 ** ((note - 69) / 12)
        signal += sum(np.sin(2 * np.pi * hertz * k * t) / k**2 for k in (1, 2, 3, 4))
    signal *= 0.08
    for beat in np.arange(0, seconds, 60 / bpm):
        since = t - beat
        inside = (since >= 0) & (since < 0.06)
        signal[inside] += 0.6 * np.exp(-60 * since[inside]) * rng.standard_normal(inside.sum())
    return np.stack([signal, signal]).astype(np.float32)


@pytest.fixture
def beat_maker():
    return beats


@pytest.fixture
def music_folder(tmp_path):
    """Make a folder of `count` captioned clips with a manifest: `music_folder(name, count)`."""

    def make(name="music", count=4, seconds=2.5, rate=RATE, first=0):
        folder = tmp_path / name
        folder.mkdir()
        lines = []
        for i in range(count):
            signal = beats(seconds, 100 + 7 * i, seed=first + i, chord=(57 + i, 61 + i, 64 + i))
            audio.write(folder / f"{i:03d}.wav", signal, rate)
            style = ("ambient", "house", "jazz trio")[i % 3]
            facts = {
                "style": style, "bpm": 100 + 7 * i, "key": "A", "mode": "major", "drums": True,
                "instruments": ["grand_piano"], "energy": 0.2 * (i % 5),
            }  # fmt: skip
            line = {
                "audio": f"{i:03d}.wav", "split": "test", "seconds": seconds, "attributes": facts,
                "captions": [f"{style} piano with drums at {100 + 7 * i} bpm in A major"],
            }  # fmt: skip
            lines.append(json.dumps(line) + "\n")
        (folder / "manifest.jsonl").write_text("".join(lines))
        return folder

    return make
