"""`jen1 evaluate edits`: inpainting and continuation on real music.

Asked of every clip: is every kept sample the same, does the seam jump more than music does anyway,
and do tempo, key and sound go on. The ceiling is the clip's own second part.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.errors import DataError
from jen1cli.evaluation.analysis import analyze, tempo_matches
from jen1cli.evaluation.clips import HELD_OUT, LoadedClip, find_clips, load_clips
from jen1cli.evaluation.distances import cosine_scores
from jen1cli.evaluation.intervals import mean_interval
from jen1cli.evaluation.report import Report, Sample, Table, evenly
from jen1cli.evaluation.seams import measure_seam
from jen1cli.evaluation.tagger import Tagger
from jen1cli.files import make_folder
from jen1cli.metrics.signals import level
from jen1cli.progress import Progress

if TYPE_CHECKING:
    from jen1cli.pipeline import Edit, Jen1
    from jen1cli.sampling import SamplingOptions

_SHOWN = 8


@dataclass(frozen=True)
class EditsJob:
    """One evaluation of edits.

    Attributes:
        folder: of real music with captions.
        split: as `find_clips` takes it.
        limit: of clips.
        seconds: of each clip; its middle third is inpainted, its second half made by continuation.
        prompted: whether the clip's caption is given.
        seed: clip i is made with seed + i.
    """

    folder: Path
    split: str | None = HELD_OUT
    limit: int = 24
    seconds: float = 12.0
    prompted: bool = True
    seed: int = 0
    sampling: "SamplingOptions" = field(default_factory=dict)  # type: ignore[assignment]

    def run(self, model: "Jen1", output: Path | None, progress: Progress | None = None) -> Report:
        """Edit every clip and measure it.

        Raises:
            DataError: no clip is long enough.
        """
        clips, audit = find_clips(self.folder, split=self.split, limit=self.limit)
        heard = []
        for one in load_clips(clips, audit):
            if one.seconds < self.seconds:
                audit.note("too short", one.clip.path.name)
                audit.used -= 1
            else:
                heard.append(one)
        if not heard:
            raise DataError(
                f"no clip of {self.folder} has the {self.seconds:g} s that edits need; give longer"
                " music or fewer --seconds"
            )
        tagger = Tagger.load()
        inpainted: list[_Judgement] = []
        continued: list[_Judgement] = []
        report = Report("edits", settings=self._settings(model, len(heard)))
        shown = {one.clip.path for one in evenly(heard, _SHOWN)}
        with tempfile.TemporaryDirectory(prefix="jen1-edits-") as name:
            for number, one in enumerate(heard):
                prompt = one.clip.captions[0] if self.prompted else ""
                keep = output if output is not None and one.clip.path in shown else None
                seed = self.seed + number
                for found, verb in ((inpainted, self._inpaint), (continued, self._continue)):
                    judgement, path = verb(model, one, prompt, seed, Path(name), tagger)
                    found.append(judgement)
                    if keep is not None:
                        report.samples.append(_kept(path, keep, one, judgement))
                if progress is not None:
                    progress(number + 1, len(heard))
        report.tables = [
            _table("inpainting", "Inpainting", inpainted),
            _table("continuation", "Continuation", continued),
        ]
        report.audits, report.warnings = [audit.facts()], audit.warnings()
        report.listeners = {"tagger": tagger.description.sha256}
        report.clips = [one.facts() for one in (*inpainted, *continued)]
        return report

    def _settings(self, model: "Jen1", clips: int) -> dict[str, Any]:
        return {
            "model": model.config.name, "sha256": model.sha256, "folder": self.folder,
            "split": self.split or "all", "clips": clips, "seconds": self.seconds,
            "seed": self.seed, "prompted": self.prompted,
            "sampling": dict(self.sampling),
        }  # fmt: skip

    def _inpaint(
        self, model: "Jen1", one: LoadedClip, prompt: str, seed: int, folder: Path, tagger: Tagger
    ) -> tuple["_Judgement", Path]:
        whole = one.signal[:, : audio.seconds_to_samples(self.seconds, one.sample_rate)]
        source = _written(folder / f"{seed}-in.wav", whole, one.sample_rate)
        mask = (self.seconds / 3, 2 * self.seconds / 3)
        edit = model.inpaint(source, [mask], prompt, seed=seed, **self.sampling)
        path = folder / f"{seed}-inpainted.wav"
        original, edited = _result(edit, source, path)
        start, stop = (audio.seconds_to_samples(t, one.sample_rate) for t in mask)
        outside = np.ones(original.shape[1], bool)
        outside[start:stop] = False
        kept = original.shape == edited.shape and bool(
            (original[:, outside] == edited[:, outside]).all()
        )
        known = original[:, :start]
        scored = _judge(
            "inpaint", one, kept, edited, (start, stop), known, original, (start, stop), tagger
        )
        return scored, path

    def _continue(
        self, model: "Jen1", one: LoadedClip, prompt: str, seed: int, folder: Path, tagger: Tagger
    ) -> tuple["_Judgement", Path]:
        rate = one.sample_rate
        half = self.seconds / 2
        known_samples = new_samples = audio.seconds_to_samples(half, rate)
        known = one.signal[:, :known_samples]
        source = _written(folder / f"{seed}-known.wav", known, rate)
        edit = model.continue_(source, half, prompt, seed=seed, **self.sampling)
        path = folder / f"{seed}-continued.wav"
        original, edited = _result(edit, source, path)
        kept = bool((edited[:, :known_samples] == original).all())
        whole = one.signal[:, : known_samples + new_samples]
        span = (known_samples, known_samples + new_samples)
        return _judge(
            "continue", one, kept, edited, span, original, whole, (known_samples,), tagger
        ), path


def _written(path: Path, signal: Signal, sample_rate: int) -> Path:
    audio.write(path, np.ascontiguousarray(signal), sample_rate)
    return path


def _result(edit: "Edit", source: Path, path: Path) -> tuple[Signal, Signal]:
    edit.save(path)
    return audio.read(source), audio.read(path)


@dataclass(frozen=True)
class _Judgement:
    """One edit, and the same questions asked of the untouched clip."""

    verb: str
    name: str
    kept: bool
    seams: tuple[dict[str, float], ...]
    real_seams: tuple[dict[str, float], ...]  # of the untouched clip, at the same places
    places: tuple[float, ...]  # of the seams, in seconds
    made: dict[str, float]
    real: dict[str, float]

    def facts(self) -> dict[str, Any]:
        return {
            "verb": self.verb, "clip": self.name, "kept": self.kept, "seams": self.seams,
            "real_seams": self.real_seams, "places": self.places,
            "made": self.made, "real": self.real,
        }  # fmt: skip


def _judge(
    verb: str,
    one: LoadedClip,
    kept: bool,
    edited: Signal,
    span: tuple[int, int],
    known: Signal,
    whole: Signal,
    boundaries: tuple[int, ...],
    tagger: Tagger,
) -> _Judgement:
    """Compare the new stretch with the known music, as the untouched stretch compares with it."""
    rate = one.sample_rate
    seams, real_seams = (
        tuple(vars(measure_seam(sound, place, whole, rate)) for place in boundaries)
        for sound in (edited, whole)
    )
    start, stop = span
    return _Judgement(
        verb,
        one.clip.path.name,
        kept,
        seams,
        real_seams,
        tuple(place / rate for place in boundaries),
        _fits(known, edited[:, start:stop], rate, tagger),
        _fits(known, whole[:, start:stop], rate, tagger),
    )


def _fits(known: Signal, new: Signal, sample_rate: int, tagger: Tagger) -> dict[str, float]:
    """How well one stretch goes with another."""
    first, second = analyze(known, sample_rate), analyze(new, sample_rate)
    tags = [tagger.predict(part, sample_rate) for part in (known, new)]
    cosine = cosine_scores(tags[0].embedding[None], tags[1].embedding[None])[0]
    same_key = (first.key, first.mode) == (second.key, second.mode)
    return {
        "tempo kept": float(tempo_matches(second.bpm, first.bpm)),
        "tempo kept (tagger)": float(tempo_matches(tags[1].bpm, tags[0].bpm)),
        "key kept": float(same_key),
        "key kept (tagger)": float(tags[0].key == tags[1].key),
        "likeness of notes": _likeness(first.chroma.mean(axis=1), second.chroma.mean(axis=1)),
        "drums kept": float((tags[0].drums >= 0.5) == (tags[1].drums >= 0.5)),
        "likeness of sound": float(cosine),
        "level, dB apart": abs(level(known) - level(new)),
        "steadiness": second.steadiness,
    }


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of two mean chroma; 0 where one has no notes that stand out.

    Keys are told apart by little more than their tonic, so "key kept" is coarse in a few seconds.
    """
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0


def _table(name: str, title: str, scored: Sequence[_Judgement]) -> Table:
    made, real = scored[0].made, scored[0].real
    lines: list[tuple[Any, ...]] = [
        ("kept samples equal", mean_interval([float(one.kept) for one in scored]), None)
    ]
    for key, what in (
        ("level_rank", "level jump, rank"),
        ("spectrum_rank", "spectral jump, rank"),
        ("click_rank", "click, rank"),
    ):
        sides = ([one.seams for one in scored], [one.real_seams for one in scored])
        # one value a clip: its seams are not independent
        cells = (
            mean_interval(np.array([np.mean([seam[key] for seam in seams]) for seams in side]))
            for side in sides
        )
        lines.append((what, *cells))
    for key in made:
        lines.append(
            (
                key,
                mean_interval([one.made[key] for one in scored]),
                mean_interval([one.real[key] for one in scored]) if key in real else None,
            )
        )
    return Table(
        name,
        title,
        ("", "edited", "untouched"),
        tuple(lines),
        note="Ranks: where the jump at the seam stands among 60 places of the untouched clip: near"
        " 0.5 where nothing was edited, 1 where it is larger than all. Kept: the new stretch"
        " against the known one; untouched: the clip itself at the same places.",
        plot="together",
    )


def _kept(path: Path, output: Path, one: LoadedClip, scored: _Judgement) -> Sample:
    make_folder(output)
    target = output / f"{one.clip.path.stem}-{scored.verb}.ogg"
    audio.write(target, audio.read(path), audio.probe(path).sample_rate)
    seam = scored.seams[0]
    return Sample(
        f"{one.clip.path.stem}: {scored.verb}",
        target,
        (
            one.clip.captions[0],
            f"jump of level {seam['level_db']:.1f} dB, of spectrum {seam['spectrum_db']:.1f} dB",
        ),
        scored.places,
    )
