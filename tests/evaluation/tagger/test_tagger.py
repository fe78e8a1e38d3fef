"""The tagger's features, networks, training and files."""

import json
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch

from jen1cli.errors import CheckpointError, DataError
from jen1cli.evaluation.tagger import Tagger
from jen1cli.evaluation.tagger.features import (
    PITCH_RATE,
    SAMPLE_RATE,
    Features,
    describe,
    tempi,
    tempogram,
)
from jen1cli.evaluation.tagger.labels import Labels, make_targets
from jen1cli.evaluation.tagger.network import KeyNet, buckets
from jen1cli.evaluation.tagger.tagger import window_starts
from jen1cli.evaluation.tagger.training import PreparedClips, TaggerJob, roughen
from jen1cli.manifest import read_folder
from simulated_gpu import SimulatedGpu


def mono(signal, rate=48_000):
    from jen1cli import audio

    return torch.from_numpy(audio.resample(signal[:1], rate, SAMPLE_RATE))


def test_features_do_not_hear_level(music):
    sound = mono(music())
    first, second = describe(sound), describe(0.1 * sound)
    torch.testing.assert_close(first.mel, second.mel, atol=1e-3, rtol=1e-3)
    assert first.mel.shape[2] == 201
    assert first.pitch.shape == (1, 72, 2 * PITCH_RATE + 1)


def test_the_tempogram_peaks_at_the_tempo(beat_maker):
    for bpm in (75, 120):
        rows = tempogram(describe(mono(beat_maker(8.0, bpm))).mel).unflatten(1, (8, -1))
        one_beat = rows[0, :, 1].mean(0)
        nearest = (tempi().log() - np.log(bpm)).abs().argmin()
        assert one_beat[nearest - 1 : nearest + 2].max() > 0.9 * one_beat.max()


def test_silence_is_described_without_nan():
    features = describe(torch.zeros(1, 2 * SAMPLE_RATE))
    assert torch.isfinite(features.mel).all()
    assert torch.isfinite(tempogram(features.mel)).all()


def test_transposed_music_gives_a_transposed_key():
    torch.manual_seed(0)
    net = KeyNet(modes=3)
    pattern = torch.rand(1, 12, 20) - 9  # the same in every octave, so none loses a note
    pitch = pattern.repeat(1, 6, 1)
    with torch.no_grad():
        first, second = net(pitch), net(pitch.roll(5, dims=1))
    assert first.std() > 1e-3
    torch.testing.assert_close(first.roll(5, dims=1), second, atol=0.1 * float(first.std()), rtol=0)


def test_a_typing_error_leaves_most_of_a_caption():
    right, wrong, other = map(set, map(buckets, ("lofi piano", "lofi pinao", "heavy metal")))
    assert len(right & wrong) > 2 * len(right & other)
    assert buckets("") == buckets("music")


def test_windows_cover_everything():
    assert window_starts(5, 10) == [0]
    assert window_starts(25, 10) == [0, 8, 15]


def test_targets_say_nothing_where_nothing_is_known():
    labels = Labels(("house", "sounds"), ("drums",), ("minor",))
    rows = [
        {"style": "house", "bpm": 120, "key": "Bb", "mode": "minor", "instruments": ["kit_909"],
         "drums": True, "energy": 0.7},
        {"style": "sounds", "bpm": 60, "key": "", "mode": "", "instruments": [], "energy": 0.1},
        {"style": "unheard of", "bpm": 0},
    ]  # fmt: skip
    targets = make_targets(rows, labels)
    assert targets.style.tolist() == [0, 1, -1]
    assert targets.key.tolist() == [10, -1, -1]
    assert targets.tempo.sum(1).tolist() == pytest.approx([1, 0, 0])
    assert tempi()[targets.tempo[0].argmax()] == pytest.approx(120, rel=0.02)
    assert targets.instruments.tolist() == [[1], [0], [0]]


def test_hearing(tagger_folder, music):
    tagger = Tagger.load(tagger_folder / "tagger")
    tags = tagger.predict(music(seconds=3.0), 48_000)
    assert sum(tags.styles.values()) == pytest.approx(1, abs=1e-5)
    assert set(tags.best_styles(2)) < set(tagger.labels.styles)
    assert np.linalg.norm(tags.embedding) == pytest.approx(1, abs=1e-5)
    assert 40 <= tags.bpm <= 220
    text = tagger.embed_text(["lofi piano", "techno"])
    assert np.linalg.norm(text, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_a_very_short_sound_is_heard(tagger_folder, tone):
    tags = Tagger.load(tagger_folder / "tagger").predict(tone(seconds=0.3, rate=44_100), 44_100)
    assert np.isfinite(tags.energy)


def test_a_damaged_tagger_is_refused(tagger_folder, tmp_path):
    import shutil

    folder = tmp_path / "tagger"
    shutil.copytree(tagger_folder / "tagger", folder)
    description = json.loads((folder / "tagger.json").read_text())
    (folder / "tagger.json").write_text(json.dumps({**description, "sha256": "0" * 64}))
    with pytest.raises(CheckpointError, match="does not match"):
        Tagger.load(folder)
    (folder / "tagger.safetensors").write_bytes(b"no tensors")
    with pytest.raises(CheckpointError, match="cannot be read"):
        Tagger.load(folder)


def test_roughening_keeps_the_shape_and_changes_the_sound():
    features = Features(torch.randn(3, 80, 100) - 9, torch.randn(3, 72, 10) - 9)
    found = roughen(features, torch.Generator().manual_seed(0))
    assert found.mel.shape == features.mel.shape
    assert not torch.equal(found.mel, features.mel)
    assert torch.isfinite(found.mel).all()


def test_crops_of_short_clips_are_filled(music_folder):
    clips = read_folder(music_folder(count=2, seconds=1.5))
    labels = Labels(("ambient", "house"), ("piano",), ("major",))
    data = PreparedClips.of(clips, labels, lambda what, share: None)
    found = data.crop([0, 1], 2.0, None)
    assert found.mel.shape == (2, 80, 200)
    assert (found.mel[:, :, -10:] == -16).all()


@pytest.mark.heavy
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_training_learns_and_saves(music_folder, tmp_path, monkeypatch, device):
    monkeypatch.setattr("jen1cli.evaluation.tagger.labels._RAREST", 2)
    music = music_folder(count=12, seconds=2.0)
    manifest = music / "manifest.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    for i, line in enumerate(lines):
        line["split"] = "test" if i >= 8 else "train"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    told: list[str] = []
    job = TaggerJob((music,), tmp_path / "tagger", steps=3, batch_size=4, crop_seconds=1.0)
    with SimulatedGpu() if device == "cuda" else nullcontext():
        found = replace(job, device=device).run(lambda what, share: told.append(what))
    tagger = Tagger.load(tmp_path / "tagger")
    assert tagger.description.provenance["train_clips"] == 8
    assert tagger.description.accuracies.keys() == found.keys()
    assert 0 <= found["style"] <= 1
    assert any(what.startswith("listening") for what in told)


def test_training_refuses_music_without_attributes(music_folder, tmp_path):
    music = music_folder(count=2)
    (music / "manifest.jsonl").unlink()
    with pytest.raises(DataError, match="too few"):
        TaggerJob((music,), tmp_path / "tagger", steps=1).run()
