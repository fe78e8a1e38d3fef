"""Scores one clip by all models and measures, for the tables of `prompts`."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.evaluation.adherence import AnalyzedClip
from jen1cli.evaluation.analysis import analyze, versions
from jen1cli.evaluation.clips import LoadedClip
from jen1cli.evaluation.embeddings.embedding import SET_EMBEDDINGS, Embedding, load_embedding
from jen1cli.evaluation.form_measures import measure_form
from jen1cli.evaluation.note_measures import measure_notes
from jen1cli.evaluation.prompt_spec import PromptSpec, choose_caption, read_prompt_spec
from jen1cli.evaluation.report import ReportClip
from jen1cli.evaluation.sound import describe
from jen1cli.evaluation.tagger import Tagger
from jen1cli.manifest import Clip
from jen1cli.metrics.signals import level, width
from jen1cli.music.controls import controls_of
from jen1cli.recipe import find_recipe


def spec_of(clip: Clip, turn: int) -> PromptSpec:
    """Parse the requests of one of a clip's captions, chosen by `choose_caption`."""
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
    """One clip with all predictions and measurements."""

    scored: AnalyzedClip
    clip: Clip
    rows: tuple[np.ndarray, ...]  # rows of each embedding in `SET_EMBEDDINGS`
    labels: np.ndarray
    level_db: float
    width_db: float
    seconds: float
    sound: dict[str, float]  # attacks, tones and air, as `evaluation.sound` names them
    notes: dict[str, float]  # density, melody and roots, as `evaluation.note_measures` names them
    form: dict[str, float]  # changes over time, as `evaluation.form_measures` names them

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
            "level_db": self.level_db, "width_db": self.width_db, "sound": self.sound,
            "notes": self.notes, "form": self.form,
        }  # fmt: skip

    def sample(self) -> ReportClip:
        """Return the clip for the page of a report."""
        tags = self.scored.tags
        return ReportClip(
            self.scored.spec.prompt,
            self.clip.path,
            (
                f"heard: {', '.join(tags.best_styles(3))}",
                f"{tags.bpm:.0f} bpm, {tags.key} {tags.mode}, drums {100 * tags.drums:.0f} %",
            ),
        )


@dataclass(frozen=True)
class Judges:
    """All models that score a clip: the tagger and the embeddings."""

    tagger: Tagger
    embeddings: tuple[Embedding, ...]
    frame_rate: float  # frame rate of latents, per second, at which a staircase is looked for

    @classmethod
    def load(cls, frame_rate: float) -> "Judges":
        """Load the package's tagger and the embeddings of sets.

        Args:
            frame_rate: frame rate of the latents that the music was made from, per second.

        Raises:
            CheckpointError: there is no tagger.
        """
        embeddings = tuple(load_embedding(name) for name in SET_EMBEDDINGS)
        return cls(Tagger.load(), embeddings, frame_rate)

    def versions(self) -> dict[str, str]:
        """Return the version or hash of every model used for scoring."""
        found = {embedding.name: embedding.version for embedding in self.embeddings}
        return found | {name: str(text) for name, text in versions().items()}

    def vector(self, signal: Signal, sample_rate: int) -> np.ndarray:
        """Return the tagger's embedding of a sound."""
        return self.tagger.predict(signal, sample_rate).embedding

    def judge(self, heard: LoadedClip, spec: PromptSpec) -> JudgedClip:
        """Score one clip by all models."""
        tags = self.tagger.predict(heard.signal, heard.sample_rate)
        text = self.tagger.embed_text([spec.prompt])[0]
        analysis = analyze(heard.signal, heard.sample_rate)
        return JudgedClip(
            AnalyzedClip(heard.clip.name, spec, tags, analysis, text),
            heard.clip,
            tuple(item.embed(heard.signal, heard.sample_rate) for item in self.embeddings),
            np.array(list(tags.styles.values())),
            level(heard.signal),
            width(heard.signal),
            heard.seconds,
            describe(heard.signal, heard.sample_rate, self.frame_rate),
            measure_notes(heard.signal, heard.sample_rate, spec.controls),
            measure_form(heard.signal, heard.sample_rate),
        )
