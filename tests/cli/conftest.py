"""A model by hand: real files, real recipes, no networks; and one way to run a command."""

import dataclasses
import functools
import hashlib
import io
import json
import shlex
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

import jen1cli
from jen1cli import audio
from jen1cli.cli import engine
from jen1cli.cli.app import run
from jen1cli.errors import ConfigError
from jen1cli.music.heard import Heard, HeardBar, HeardChord
from jen1cli.pipeline import Edit, LatentFile, Music, Stream
from jen1cli.pipeline.edits.inpainting import describe_input
from jen1cli.pipeline.hearing import kept_controls
from jen1cli.pipeline.replay import varied
from jen1cli.presets import TINY
from jen1cli.recipe import Recipe, RecipeLora, RecipeModel
from jen1cli.typed_json import to_dict
from outcomes import tried

RATE = 48_000


HEARD = Heard(
    seconds=2.0,
    confidence={"tempo": 0.9, "meter": 0.8, "key": 0.8, "chords": 0.7, "drums": 0.6, "melody": 0.2},
    bpm=120.0,
    bpm_range=(119.5, 120.5),
    meter="4/4",
    beats=(0.0, 0.5, 1.0, 1.5),
    key="A",
    mode="minor",
    bars=(
        HeardBar(
            0.0, 2.0, (HeardChord("Am", 0.9), HeardChord("F", 0.3)),
            {"kick": "x...x...x...x..."}, 0.7, tuple(["C5", "-", "-", "-"] * 4), 0.2,
        ),
    ),
)  # fmt: skip


class FakeJen1:
    """Answers as `Jen1` does, from the seed alone, and remembers how it was called."""

    sha256 = "f" * 64
    former_sha256 = frozenset()
    release = 0
    device = "cpu"
    dtype = "fp32"
    quality = "normal"
    networks = SimpleNamespace(watermark="")
    sample_rate = RATE
    config = dataclasses.replace(TINY, name="jen1-mini")

    def __init__(self):
        self.calls = []
        self.error = None
        self.load = None
        self.heard = HEARD

    @property
    def recipe_model(self):
        loras = tuple(
            RecipeLora(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), strength)
            for path, strength in (self.load.loras if self.load else ())
        )
        return RecipeModel(self.config.name, self.sha256, loras, self.release)

    def _note(self, name, **arguments):
        progress = arguments.pop("progress", None)
        if progress is not None:
            progress(1, 2)
            progress(2, 2)
        self.calls.append((name, arguments))
        if self.error is not None:
            raise self.error

    def _noise(self, seed, channels, samples):
        rng = np.random.default_rng((seed, zlib.crc32(self.sha256.encode())))  # of these weights
        noise = rng.uniform(-0.5, 0.5, (channels, samples))
        return noise.astype(np.float32)

    def _recipe(self, task, seed, seconds, options, **more):
        given = {
            key: value
            for key, value in options.items()
            if key != "context_seconds" and value is not None
        }
        return Recipe(
            task=task,
            model=self.recipe_model,
            seconds=seconds,
            seed=seed,
            version=jen1cli.__version__,
            device=self.device,
            dtype=self.dtype,
            quality=self.quality,
            **given,
            **more,
        )

    def generate_batch(self, prompts, *, seconds=None, seed, direction="bidirectional", **options):
        self._note("generate_batch", prompts=prompts, seconds=seconds, seed=seed,
                   direction=direction, **options)  # fmt: skip
        seconds = 10.0 if seconds is None else seconds
        options.pop("progress", None)
        return [
            Music(
                torch.from_numpy(self._noise(seed + i, 2, round(seconds * RATE))),
                RATE,
                self._recipe("generate", seed + i, seconds, options, prompt=prompt,
                             direction=direction),
            )
            for i, prompt in enumerate(prompts)
        ]  # fmt: skip

    def stream(self, prompt, *, seconds=None, seed, direction="bidirectional", **options):
        music = self.generate_batch([prompt], seconds=seconds, seed=seed, direction=direction,
                                    **options)[0]  # fmt: skip
        self.calls[-1] = ("stream", self.calls[-1][1])
        blocks = iter(torch.split(music.waveform, RATE, dim=1))
        recipe = dataclasses.replace(music.recipe, streamed=True)
        return Stream(recipe, RATE, music.waveform.shape[1], (block.numpy() for block in blocks))

    def inpaint(self, source, masks, prompt="", *, seed, **options):
        self._note("inpaint", source=source, masks=masks, prompt=prompt, seed=seed, **options)
        options.pop("progress", None)
        info = audio.probe(source)
        patches = []
        for start, stop in masks:
            first, last = round(start * info.sample_rate), round(stop * info.sample_rate)
            patches.append(audio.Patch(first, self._noise(seed, info.channels, last - first)))
        recipe = self._recipe(
            "inpaint", seed, sum(b - a for a, b in masks), options, prompt=prompt,
            masks=tuple(masks), input=self._input(source),
        )  # fmt: skip
        return Edit(source, tuple(patches), info.sample_rate, recipe)

    def continue_(self, source, seconds=10.0, prompt="", *, before=False, seed, **options):
        self._note("continue_", source=source, seconds=seconds, prompt=prompt, before=before,
                   seed=seed, **options)  # fmt: skip
        options.pop("progress", None)
        begun = options.pop("begun", None)
        info = audio.probe(source)
        new = self._noise(seed, info.channels, round(seconds * info.sample_rate))
        patch = audio.Patch(0 if before else info.samples, new, insert=True)
        recipe = self._recipe("continue", seed, seconds, options, prompt=prompt, before=before,
                              input=self._input(source))  # fmt: skip
        if begun is not None:
            begun(recipe)
        return Edit(source, (patch,), info.sample_rate, recipe)

    def again(self, recipe, source=None, *, progress=None):
        self._note("again", recipe=recipe, source=source, progress=progress)
        common = {"seed": recipe.seed, "prompt": recipe.prompt}
        if recipe.task in ("generate", "cover"):
            return self.generate_batch([recipe.prompt], seconds=recipe.seconds, seed=recipe.seed)[0]
        if recipe.task == "inpaint":
            return self.inpaint(source, recipe.masks, **common)
        return self.continue_(source, recipe.seconds, before=recipe.before, **common)

    def vary(self, recipe, prompt=None, *, amount, seed, source=None, progress=None, **options):
        self._note("vary", prompt=prompt, amount=amount, seed=seed, source=source, **options)
        recipe = varied(recipe, prompt, amount, seed, options)
        music = self.again(recipe, source)
        return dataclasses.replace(music, recipe=recipe)

    def hear(self, source):
        self._note("hear", source=source)
        return dataclasses.replace(self.heard, seconds=audio.probe(source).seconds)

    def cover(self, source, prompt, *, heard, keep=None, seconds, seed, progress=None, **options):
        self._note("cover", source=source, prompt=prompt, keep=keep, seconds=seconds, seed=seed,
                   progress=progress, **options)  # fmt: skip
        controls = kept_controls(heard, keep, audio.name_of(source))
        (music,) = self.generate_batch(
            [prompt], seconds=seconds, seed=seed, **{**options, "controls": controls}
        )
        return music.as_cover(describe_input(source))

    def encode(self, source):
        self._note("encode", source=source)
        info = audio.probe(source)
        frames = max(1, round(info.seconds * 10))
        return LatentFile(
            torch.zeros(4, frames), 10.0, info.samples, info.sample_rate, info.channels,
            self.config.name, "a" * 64,
        )  # fmt: skip

    def decode(self, latent):
        self._note("decode", latent=latent)
        waveform = torch.zeros(latent.channels, latent.samples)
        recipe = self._recipe("decode", 0, latent.seconds, {})
        return Music(waveform, latent.sample_rate, recipe)

    @staticmethod
    def _input(source):
        return describe_input(source)


@pytest.fixture
def model(monkeypatch, tmp_path):
    """A fake model behind every command, and a weight set that the checks before loading find."""
    fake = FakeJen1()

    def load(choice):
        fake.load = choice
        return fake

    monkeypatch.setattr(engine, "_load", load)
    folder = tmp_path / "sets" / "jen1-mini"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({**to_dict(fake.config), "sha256": {}}))
    monkeypatch.setenv("JEN1_WEIGHTS", str(folder.parent))
    return fake


@pytest.fixture
def jen1(capfd, monkeypatch, tmp_path):
    """Run a command in an empty folder; returns its code and what it said."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        said = capfd.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err, folder=folder)

    return call


@pytest.fixture
def refused(jen1, model):
    """Run a command that must fail for its user: one line, code 1, nothing left behind.

    The test asserts on the result's `err` what the line says.
    """

    def call(*arguments, code=1):
        before = {path: path.read_bytes() for path in _files()}
        tried.append("jen1 " + shlex.join(map(str, arguments)))
        result = jen1(*arguments)
        tried.pop()
        assert result.code == code, result.err
        assert result.out == ""
        assert result.err.startswith("jen1: error: ")
        assert result.err.count("\n") == 1
        assert {path: path.read_bytes() for path in _files()} == before
        assert model.load is None, "the model was loaded before the input was checked"
        return result

    def _files():
        from pathlib import Path

        return [path for path in Path.cwd().rglob("*") if path.is_file()]

    return call


@functools.cache
def _two_seconds():
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2 * RATE, 2))
    file = io.BytesIO()
    soundfile.write(file, noise, RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.fixture
def take(jen1, tmp_path):
    """Two seconds of stereo noise as a 16-bit WAV in the folder of the command."""
    path = tmp_path / "here" / "take.wav"
    path.write_bytes(_two_seconds())
    return path


__all__ = ["ConfigError", "FakeJen1"]
