import shutil

import numpy as np
import pytest
import torch

from jen1cli import audio
from jen1cli.audio.clips import split_of
from jen1cli.autoencoder.codec import load_codec
from jen1cli.errors import CheckpointError, DataError
from jen1cli.training.diffusion.build import write_latents
from jen1cli.training.diffusion.cache import CACHE_NAME, LatentCache
from jen1cli.training.engine.events import Warned
from training_support import PITCHES, RATE, SECONDS, make_tone


def latents_of(cache, split):
    rows = [cache.table[c.start : c.start + c.frames] for c in cache.split(split)]
    return torch.from_numpy(np.concatenate(rows).astype(np.float32))


def test_every_clip_is_there_with_its_frames_and_captions(cache):
    assert [clip.captions[0] for clip in cache.clips] == [f"{pitch} hertz" for pitch in PITCHES]
    assert [clip.frames for clip in cache.clips] == [round(s * 150) for s in SECONDS]
    ends = [clip.start + clip.frames for clip in cache.clips]
    assert [clip.start for clip in cache.clips] == [0, *ends[:-1]]
    assert len(cache.table) == ends[-1]
    assert cache.table.dtype == np.float16


def test_training_latents_are_white(cache):
    """Line 11 of paper.md section 13."""
    rows = latents_of(cache, "train")
    assert rows.mean(0).abs().max() < 0.01
    assert (torch.cov(rows.T) - torch.eye(8)).abs().max() < 0.02


def test_cache_decodes_to_what_the_autoencoder_decodes(cache, tones):
    codec = load_codec(cache.folder)
    clip = cache.clips[0]
    waveform = torch.from_numpy(audio.read(tones / "0.wav"))[None]
    with torch.no_grad():
        latent = codec.autoencoder.encode(waveform)
        rows = torch.from_numpy(np.array(cache.table[: clip.frames], np.float32)).T[None]
        restored = codec.whitening.unwhiten(rows)
        assert torch.allclose(restored, latent, atol=5e-3 * float(latent.abs().max()))
        wanted, found = codec.autoencoder.decode(latent), codec.autoencoder.decode(restored)
    assert (wanted - found).norm() < 0.01 * wanted.norm()


def test_every_caption_has_the_latents_of_its_own_file(cache, tones):
    """Line 8 of paper.md section 13, on disk: file i, caption i, latents i."""
    codec = load_codec(cache.folder)
    for i, clip in enumerate(cache.clips):
        assert clip.captions == (f"{PITCHES[i]} hertz",)
        waveform = torch.from_numpy(audio.read(tones / f"{i}.wav"))[None]
        with torch.no_grad():
            wanted = codec.whitening.whiten(codec.autoencoder.encode(waveform))[0].T
        apart = {}
        for caption, other in ((other.captions[0], other) for other in cache.clips):
            frames = min(clip.frames, other.frames)
            rows = np.array(cache.table[other.start : other.start + frames], np.float32)
            apart[caption] = float((torch.from_numpy(rows) - wanted[:frames]).norm())
        assert min(apart, key=lambda caption: apart[caption]) == clip.captions[0]
        assert apart[clip.captions[0]] < 0.02 * float(wanted.norm())


@pytest.mark.heavy
def test_statistics_leave_held_out_clips_out(tones, codec_folder, tmp_path):
    whole = write_latents(tones, codec_folder, tmp_path / "a", device="cpu")
    before = load_codec(whole.folder).whitening.mean
    folder = tmp_path / "music"
    shutil.copytree(tones, folder)
    audio.write(folder / "5.wav", make_tone(3000, 1.5), RATE)
    other = write_latents(folder, codec_folder, tmp_path / "b", device="cpu")
    assert torch.equal(load_codec(other.folder).whitening.mean, before)


@pytest.mark.heavy
def test_coloured_copies_have_no_captions_and_move_no_statistics(
    cache, tones, codec_folder, tmp_path
):
    more = write_latents(tones, codec_folder, tmp_path, augmented=1.0, device="cpu")
    copies = [clip for clip in more.clips if clip.captions == ("",)]
    assert [clip.audio for clip in copies] == [clip.audio for clip in cache.split("train")]
    assert {clip.split for clip in copies} == {"train"}
    originals = [clip for clip in more.clips if clip.captions != ("",)]
    for clip, before in zip(originals, cache.clips, strict=True):
        rows, kept = (
            c.table[one.start : one.start + one.frames]
            for c, one in ((more, clip), (cache, before))
        )
        assert np.array_equal(rows, kept)
    for copy in copies:
        original = next(clip for clip in originals if clip.audio == copy.audio)
        assert copy.frames == original.frames
        rows, others = (
            more.table[clip.start : clip.start + clip.frames] for clip in (copy, original)
        )
        assert np.abs(rows - others).mean() > 0.05


def test_a_given_whitening_is_kept(cache, tones, tmp_path):
    again = write_latents(tones, cache.folder, tmp_path, keep_whitening=True, device="cpu")
    assert np.array_equal(again.table, cache.table)


def test_users_own_folder_trains_and_broken_files_are_named(codec_folder, tmp_path):
    """Mixed formats, rates and lengths without a manifest; one corrupt file."""
    folder = tmp_path / "mine"
    (folder / "album").mkdir(parents=True)
    audio.write(folder / "one.flac", make_tone(300, 1.0), 44_100)
    audio.write(folder / "album" / "two.ogg", make_tone(400, 2.0)[:1], RATE)
    audio.write(folder / "three.wav", make_tone(500, 0.3), 22_050)
    audio.write(folder / "four.mp3", make_tone(600, 1.0), RATE)
    (folder / "broken.wav").write_bytes(b"RIFF but nothing else")
    (folder / "letter.flac").write_text("dear musician")
    events = []
    cache = write_latents(
        folder, codec_folder, tmp_path / "cache", device="cpu", on_event=events.append
    )
    warnings = [event.message for event in events if isinstance(event, Warned)]
    assert len(cache.clips) == 4
    assert len(warnings) == 2
    assert all("broken.wav" in w or "letter.flac" in w for w in warnings)
    rates = {"one.flac": 44_100, "two.ogg": RATE, "three.wav": 22_050, "four.mp3": RATE}
    for clip in cache.clips:
        info = audio.probe(clip.audio)
        assert info.sample_rate == rates[clip.audio.rsplit("/", 1)[-1]]
        assert abs(clip.frames - info.seconds * 150) <= 1


def test_nothing_readable_is_an_error(codec_folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "broken.wav").write_text("no audio")
    with pytest.raises(DataError):
        write_latents(tmp_path / "mine", codec_folder, tmp_path / "cache", device="cpu")


@pytest.mark.parametrize(
    ("folder", "words"), [("", r"1 for test, by the hashes of their names"), ("test", "1 for test")]
)
def test_music_of_which_nothing_is_for_training_is_told_apart_from_broken_files(
    codec_folder, tmp_path, folder, words
):
    name = next(f"{i}.wav" for i in range(1000) if split_of(f"{i}.wav") == "test")
    path = tmp_path / "mine" / folder / name
    path.parent.mkdir(parents=True)
    audio.write(path, make_tone(300, 1.0), 44_100)
    with pytest.raises(DataError, match=rf"none of 1 clips is for training \({words}\); give more"):
        write_latents(tmp_path / "mine", codec_folder, tmp_path / "cache", device="cpu")


def test_training_clips_that_cannot_be_read_are_named(codec_folder, tmp_path):
    folder, events = tmp_path / "mine", []
    folder.mkdir()
    (folder / "bad.wav").write_text("no audio")
    line = '{"audio": "bad.wav", "seconds": 4, "split": "train"}\n'
    (folder / "manifest.jsonl").write_text(line)
    with pytest.raises(DataError, match="none of the training clips could be read"):
        write_latents(
            folder, codec_folder, tmp_path / "cache", device="cpu", on_event=events.append
        )
    assert any("bad.wav" in event.message for event in events if isinstance(event, Warned))


def test_unfinished_and_missing_caches_are_refused(cache, tmp_path):
    copy = tmp_path / "cache"
    shutil.copytree(cache.folder, copy)
    (copy / CACHE_NAME).unlink()
    with pytest.raises(DataError, match="jen1 train latents"):
        LatentCache.open(copy)


def test_damaged_codec_is_refused(codec_folder, tmp_path):
    copy = tmp_path / "codec"
    shutil.copytree(codec_folder, copy)
    path = copy / "autoencoder.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="jen1 train autoencoder"):
        load_codec(copy)


def test_ten_seconds_are_1500_frames(codec_folder):
    """Line 12 of paper.md section 13: one grid of 150 Hz, no chunks."""
    model = load_codec(codec_folder).autoencoder
    with torch.no_grad():
        assert model.encode(torch.zeros(1, 2, 480_000)).shape[-1] == 1500
