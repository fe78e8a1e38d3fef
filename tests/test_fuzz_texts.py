"""Readers of music folders, prompts, notes and tables with damaged inputs: success or one line.

Together with `test_fuzz_files.py` some two thousand inputs with a fixed seed, each in bounded
time and memory; see `fuzzing.py`.
"""

import io
import json
import shutil
import tarfile
import zipfile

import numpy as np
import pytest
import torch

from corpus_support import write_audio
from fuzzing import damaged_bytes, damaged_json, damaged_text, fuzz, placed
from jen1cli import audio

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
__all__ = ["fuzz"]


# --- folders of music ---

SONG = audio.to_bytes(np.zeros((1, 4_800), np.float32), 16_000)
LINE = {
    "audio": "song.wav", "captions": ["a soft piano", "two"], "seconds": 0.25, "split": "test",
    "attributes": {
        "style": "lofi", "bpm": 92.5, "key": "D", "mode": "minor", "meter": "4/4",
        "moods": ["calm"],
        "chords": "Dm | A7", "drum_pattern": "kick x...", "melody": "C5 - E5 .", "drums": True,
        "instruments": ["piano"], "energy": 0.4, "downbeat": 0.1,
    },
    "offset": 0, "size": 0,
}  # fmt: skip


def read_music(folder):
    """Read a folder of music, and what training asks of its clips."""
    from jen1cli.evaluation.prompt_spec import read_prompt_spec
    from jen1cli.manifest import read_folder, write_manifest
    from jen1cli.music.controls import controls_of

    clips = read_folder(folder, on_skip=lambda *_: None)
    for clip in clips:
        controls_of(clip.attributes).describe()
        read_prompt_spec(clip.captions[0], clip.attributes)
        assert isinstance(clip.source, io.BytesIO) or clip.source.is_file()
        assert all(caption.encode() for caption in clip.captions)
    inside = [clip for clip in clips if clip.path.is_relative_to(folder)]
    write_manifest(folder, inside)
    assert len(read_folder(folder, on_skip=lambda *_: None)) == len(inside) if inside else True


def test_manifests(fuzz):
    from jen1cli.training.text_encoder.data import read_captions

    other = {"audio": "song.wav", "title": "Rain", "artist": "Ana", "genre": "Ambient"}

    def damage(rng):
        lines = [json.dumps(other).encode(), damaged_json(LINE, rng), damaged_json(other, rng)]
        return b"\n".join(rng.sample(lines, 3))

    def read(path):
        write_audio(path.parent / "song.wav")
        read_music(path.parent)

    found = fuzz(
        damage, placed("m/manifest.jsonl", read), placed("m/manifest.jsonl", read_captions)
    )
    assert found.refused > 0


@pytest.mark.parametrize("name", ["song.json", "song.wav.json", "song.txt"])
def test_sidecars(fuzz, name):
    def read(path):
        write_audio(path.parent / "song.wav")
        read_music(path.parent)

    assert fuzz(lambda rng: damaged_json(LINE, rng), placed(f"m/{name}", read)).refused == 0


def test_shards(fuzz):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in (("a.json", json.dumps(LINE).encode()), ("b.txt", b"slow blues")):
            for member, content in ((name, data), (f"{name[0]}.wav", SONG)):
                info = tarfile.TarInfo(member)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    good = packed.getvalue()
    found = fuzz(
        lambda rng: damaged_bytes(good, rng, head=2048),
        placed("m/train-000.tar", lambda path: read_music(path.parent)),
    )
    assert found.refused > 0


# --- prompts, and texts of the command line ---


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_prompt_files(fuzz, ending):
    from jen1cli.cli.music.prompts import PromptRequest, read_requests
    from jen1cli.cli.sampling import SamplingChoice
    from jen1cli.evaluation.prompt_spec import read_prompts

    good = {
        "prompt": "lofi piano", "seed": 3, "seconds": 4.5, "negative": "drums", "bpm": 92,
        "steps": 8, "key": "D minor", "chords": "Dm A7", "drums": "kick x...",
        "melody": "C5 - E5 .", "sampler": "ddim", "guidance_scale": 2.0,
        "direction": "bidirectional",
    }  # fmt: skip
    known = {"prompt": "lofi piano in D minor", "attributes": LINE["attributes"]}
    base = PromptRequest("", 0, 10.0, "bidirectional", SamplingChoice())

    def damage(rng):
        lines = [b"soft rain", damaged_json(good, rng), damaged_json(known, rng)]
        return ending.join(rng.sample(lines, rng.choice((2, 3))))

    def read(path):
        for request in read_requests((), str(path), 2, 1, base):
            request.prompt.encode()
            str(request.sampling.arguments()).encode()

    assert fuzz(damage, placed("a.jsonl", read), placed("a.jsonl", read_prompts)).refused > 0


def test_texts(fuzz):
    from jen1cli.cli.music.prompts import check_prompt
    from jen1cli.cli.sampling import ControlOptions, SamplingChoice, check_device
    from jen1cli.masks import parse_masks, resolve_masks
    from jen1cli.music.chords import chart_text, parse_chart
    from jen1cli.music.controls import Controls
    from jen1cli.music.patterns import parse_drums, parse_melody
    from jen1cli.music.prompt import parse_key, read_controls

    texts = {
        "chords": "Am F | C G | % | N.C. | Dm7/F#", "drums": "kick x...x... | x.x. snare ....x...",
        "melody": "C5 - E5 - | G5 - . Bb3", "key": "Bb harmonic minor", "mask": "1:02-1:05.5s",
        "bars": "bars:5-8", "prompt": "slow waltz at 92.5 bpm in F# minor, no drums",
        "device": "cuda:1",
    }  # fmt: skip
    readers = {
        "chords": lambda text: (chart_text(parse_chart(text)), Controls(chords=text).describe()),
        "drums": parse_drums,
        "melody": parse_melody,
        "key": parse_key,
        "mask": lambda text: resolve_masks(parse_masks([text, "1s-2s"]), 90.0, 48_000, "a.wav"),
        "bars": lambda text: resolve_masks(
            parse_masks([text]), 90.0, 48_000, "a.wav", Controls(120.0, "4/4")
        ),
        "prompt": lambda text: (read_controls(text), check_prompt(text)),
        "device": check_device,
    }

    def damage(rng):
        return tuple(
            (name, damaged_text(rng.choice((text, "")), rng)) for name, text in texts.items()
        )

    def reading(name):
        return lambda given, work: readers[name](dict(given)[name])

    def sampling(given, work):
        told = {name: text for name, text in given if name in ("key", "chords", "drums", "melody")}
        choice = SamplingChoice(ControlOptions(**told), negative=dict(given)["prompt"])
        choice.check().arguments()

    assert fuzz(damage, sampling, *map(reading, readers)).refused > 0


# --- files of training and evaluation ---


def test_listening_tests(fuzz):
    from jen1cli.evaluation.studies.listening import FORMAT, read_results, summarize

    key = {
        "format": FORMAT, "study": "abc",
        "items": {"c1": {"system": "ours", "clip": "0", "prompt": "lofi"}},
    }  # fmt: skip
    answers = {
        "format": FORMAT, "study": "abc", "listener": "l1",
        "ratings": {"c1": {"quality": 70, "alignment": 60}},
    }  # fmt: skip

    def damage(rng):
        if rng.random() < 0.5:
            return damaged_json(key, rng), json.dumps(answers).encode()
        return json.dumps(key).encode(), damaged_json(answers, rng)

    def read(given, work):
        (work / "page.key.json").write_bytes(given[0])
        (work / "l1.json").write_bytes(given[1])
        summarize(*read_results([work], work / "page.key.json"))

    assert fuzz(damage, read).refused > 0


@pytest.mark.parametrize("file", ["cache.json", "clips.jsonl", "config.json", "latents.npy"])
def test_latent_caches(fuzz, tiny_folder, tmp_path_factory, file):
    from jen1cli.autoencoder.codec import load_codec
    from jen1cli.training.diffusion import cache

    folder = tmp_path_factory.mktemp("cache")
    clip = {
        "start": 0, "frames": 5, "captions": ["lofi"], "split": "train", "audio": "a.wav",
        "attributes": {"bpm": 90},
    }  # fmt: skip
    (folder / cache.CACHE_NAME).write_text(
        json.dumps({"version": cache.CACHE_VERSION, "silence": [0.0] * 8})
    )
    (folder / cache.CLIPS_NAME).write_text(json.dumps(clip) + "\n")
    np.save(folder / cache.LATENTS_NAME, np.zeros((5, 8), np.float16))
    for name in ("config.json", "autoencoder.safetensors"):
        shutil.copy(tiny_folder / name, folder)
    target = {"cache.json": cache.CACHE_NAME, "clips.jsonl": cache.CLIPS_NAME,
              "latents.npy": cache.LATENTS_NAME}.get(file, file)  # fmt: skip
    good = (folder / target).read_bytes()

    def damage(rng):
        return (
            damaged_bytes(good, rng, 128)
            if file == "latents.npy"
            else damaged_json(json.loads(good), rng)
        )

    def read(data, work):
        shutil.copytree(folder, work / "cache", dirs_exist_ok=True)
        (work / "cache" / target).write_bytes(data)
        opened = cache.LatentCache.open(work / "cache")
        for clip in opened.clips:
            np.array(opened.table[clip.start : clip.start + clip.frames])
        load_codec(work / "cache")

    assert fuzz(damage, read).refused > 0


def test_training_states(fuzz):
    from jen1cli.training.engine.state import load_state, save_state

    def read(data, work):
        save_state(work / "state", {"a": torch.zeros(2)}, {"step": 3})
        (work / "state" / "state.json").write_bytes(data)
        load_state(work / "state")

    found = fuzz(lambda rng: damaged_json({"step": 3, "seconds": 1.5, "order": [1, 2]}, rng), read)
    assert found.refused > 0


def test_taggers(fuzz):
    from jen1cli.evaluation.tagger.tagger import DESCRIPTION_NAME, Tagger, find_tagger

    folder = find_tagger()
    good = json.loads((folder / DESCRIPTION_NAME).read_text(encoding="utf-8"))

    def read(path):
        for other in folder.iterdir():
            if other.name != DESCRIPTION_NAME:
                (path.parent / other.name).symlink_to(other)
        Tagger.load(path.parent)

    found = fuzz(lambda rng: damaged_json(good, rng), placed(f"t/{DESCRIPTION_NAME}", read))
    assert found.refused > 0


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed], ids=["stored", "compressed"])
def test_statistics(fuzz, save):
    from jen1cli.evaluation.sets import STATS_VERSION, load_statistics

    rows = np.random.default_rng(0).standard_normal((9, 3)).astype(np.float32)
    values = {
        "version": np.array(STATS_VERSION), "names": np.array(["x"]), "x.version": np.array("1"),
        "x.mean": rows.mean(0), "x.covariance": np.cov(rows, rowvar=False), "x.rows": rows,
        "x.count": np.array(9), "x.clips": np.array(3), "x.owners": np.arange(9) // 3,
    }  # fmt: skip

    def damage(rng):
        """Damage the file, or the header of an array inside a file that is whole."""
        packed = io.BytesIO()
        save(packed, **values)
        if rng.random() < 0.5:
            return damaged_bytes(packed.getvalue(), rng, 10_000)
        target, chosen = io.BytesIO(), rng.choice(sorted(values))
        with zipfile.ZipFile(packed) as old, zipfile.ZipFile(target, "w") as new:
            for name in old.namelist():
                data = old.read(name)
                hit = name == f"{chosen}.npy"
                new.writestr(name, damaged_bytes(data, rng, 128) if hit else data)
        return target.getvalue()

    assert fuzz(damage, placed("a.npz", load_statistics)).refused > 0
