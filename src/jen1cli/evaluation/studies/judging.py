"""Listening to one clip with everything that listens, for the tables of `prompts`."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.evaluation.adherence import Scored
from jen1cli.evaluation.analysis import analyze, versions
from jen1cli.evaluation.clips import LoadedClip
from jen1cli.evaluation.embeddings.embedding import Embedding, load_embedding
from jen1cli.evaluation.prompt_spec import PromptSpec, choose_caption, read_prompt_spec
from jen1cli.evaluation.report import Sample
from jen1cli.evaluation.tagger import Tagger
from jen1cli.manifest import Clip
from jen1cli.metrics.signals import level, width
from jen1cli.music.controls import controls_of
from jen1cli.recipe import find_recipe

SET_EMBEDDINGS = ("tagger", "handcrafted")


def spec_of(clip: Clip, turn: int) -> PromptSpec:
    """Read what one of a clip's captions asks for; which one goes round with `turn`."""
    caption = choose_caption(clip.captions, clip.attributes, turn)
    return read_prompt_spec(caption, clip.attributes)


def cut_to_middle(
    heard: LoadedClip, spec: PromptSpec, seconds: float
) -> tuple[LoadedClip, PromptSpec]:
    """Return the middle of a clip, at most so many seconds, and the spec with its controls.

    The controls are those of the file's recipe, or what the clip's own attributes
    name.
    """
    samples, rate = heard.signal.shape[1], heard.sample_rate
    wanted = min(samples, audio.seconds_to_samples(seconds, rate))
    start = (samples - wanted) // 2
    recipe = find_recipe(heard.clip.path)
    controls = controls_of(heard.clip.attributes) if recipe is None else recipe.controls
    cut = LoadedClip(heard.clip, heard.signal[:, start : start + wanted], rate)
    return cut, dataclasses.replace(spec, controls=controls.shifted(-start / rate))


@dataclass(frozen=True)
class JudgedClip:
    """One clip with everything that was heard and measured."""

    scored: Scored
    clip: Clip
    rows: tuple[np.ndarray, ...]  # of each set embedding
    labels: np.ndarray
    level_db: float
    width_db: float
    seconds: float

    def facts(self) -> dict[str, Any]:
        """Return JSON values."""
        tags, analysis = self.scored.tags, self.scored.analysis
        return {
            "clip": self.scored.name,
            "prompt": self.scored.spec.prompt,
            "styles": {name: tags.styles[name] for name in tags.best_styles(3)},
            "instruments": sorted(n for n, p in tags.instruments.items() if p >= 0.5),
            "drums": tags.drums, "bpm": tags.bpm, "key": f"{tags.key} {tags.mode}",
            "energy": tags.energy, "bpm_signal": analysis.bpm,
            "key_signal": f"{analysis.key} {analysis.mode}".strip(),
            "percussive": analysis.percussive, "steadiness": analysis.steadiness,
            "level_db": self.level_db, "width_db": self.width_db,
        }  # fmt: skip

    def sample(self) -> Sample:
        """Return the clip for a report's page."""
        tags = self.scored.tags
        return Sample(
            self.scored.spec.prompt,
            self.clip.path,
            (
                f"heard: {', '.join(tags.best_styles(3))}",
                f"{tags.bpm:.0f} bpm, {tags.key} {tags.mode}, drums {100 * tags.drums:.0f} %",
            ),
        )


@dataclass(frozen=True)
class Listeners:
    """Everything that listens to a clip."""

    tagger: Tagger
    embeddings: tuple[Embedding, ...]

    @classmethod
    def load(cls) -> "Listeners":
        """Load the package's tagger and the embeddings of sets.

        Raises:
            CheckpointError: there is no tagger.
        """
        return cls(Tagger.load(), tuple(load_embedding(name) for name in SET_EMBEDDINGS))

    def versions(self) -> dict[str, str]:
        """Return what heard, with hashes and versions."""
        found = {embedding.name: embedding.version for embedding in self.embeddings}
        return found | {name: str(text) for name, text in versions().items()}

    def vector(self, signal: Signal, sample_rate: int) -> np.ndarray:
        """Return the tagger's embedding of a sound."""
        return self.tagger.predict(signal, sample_rate).embedding

    def judge(self, heard: LoadedClip, spec: PromptSpec) -> JudgedClip:
        """Listen to one clip."""
        tags = self.tagger.predict(heard.signal, heard.sample_rate)
        text = self.tagger.embed_text([spec.prompt])[0]
        analysis = analyze(heard.signal, heard.sample_rate)
        return JudgedClip(
            Scored(heard.clip.path.name, spec, tags, analysis, text),
            heard.clip,
            tuple(item.embed(heard.signal, heard.sample_rate) for item in self.embeddings),
            np.array(list(tags.styles.values())),
            level(heard.signal),
            width(heard.signal),
            heard.seconds,
        )
