"""`jen1 evaluate prompts`: generates music for test prompts and measures its adherence."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jen1cli.errors import DataError
from jen1cli.evaluation.adherence import adherence_table
from jen1cli.evaluation.clips import HELD_OUT, Audit, find_clips, load_clips
from jen1cli.evaluation.distances import mean_pairwise_distance
from jen1cli.evaluation.form_measures import SHORTEST_FORM
from jen1cli.evaluation.intervals import mean_interval
from jen1cli.evaluation.prompt_spec import PromptSpec
from jen1cli.evaluation.report import Report, Table, evenly
from jen1cli.evaluation.studies.judging import JudgedClip, Judges, cut_to_middle, spec_of
from jen1cli.evaluation.studies.prompt_tables import (
    show_adherence,
    show_distances,
    show_form,
    show_heard,
    show_notes,
    show_quality,
)
from jen1cli.files import make_folder, write_text
from jen1cli.jsonfiles import parse_json, read_object, to_json
from jen1cli.manifest import Clip, write_manifest
from jen1cli.presets import MINI
from jen1cli.progress import Progress

if TYPE_CHECKING:
    from jen1cli.pipeline import Jen1
    from jen1cli.sampling import SamplingOptions

_SHOWN = 12  # clips on the page


@dataclass(frozen=True)
class PromptsJob:
    """One evaluation of adherence to prompts.

    Attributes:
        specs: the prompts, each with the attributes it asks for.
        folder: folder for the generated music, the report, and a manifest for later scoring.
        reference: folder of real music with captions, for the ceiling; None: no ceiling.
        reference_split: as in `find_clips`.
        seconds: length of each clip, also of the real ones.
        seed: clip i is generated with seed + i.
        diverse: number of prompts for which several clips are generated.
        takes: number of clips for each of those.
        limit: largest number of clips, if there is no model.
    """

    specs: Sequence[PromptSpec]
    folder: Path
    reference: Path | None = None
    reference_split: str | None = HELD_OUT
    seconds: float = 10.0
    seed: int = 0
    diverse: int = 8
    takes: int = 3
    limit: int | None = None
    sampling: "SamplingOptions" = field(default_factory=dict)  # type: ignore[assignment]

    def run(self, model: "Jen1 | None", progress: Progress | None = None) -> Report:
        """Generate the missing clips and score all; write no files but the music.

        Args:
            model: None scores the clips that the folder already has.
            progress: called with (clips done, clips in all).

        Raises:
            DataError: the folder has no music and there is no model.
        """
        judges = Judges.load((MINI if model is None else model.config).frame_rate)
        steps = _Steps(progress, self._steps(model))
        made, audit = self._made(model, judges, steps)
        real, real_audit = self._real(judges, steps)
        rows = adherence_table([one.scored for one in made], [one.scored for one in real])
        report = Report("prompts", settings=self._settings(model, made))
        report.judges = judges.versions()
        report.tables = [
            show_adherence(rows),
            show_quality(made, real, audit, real_audit),
            show_heard(made, real),
            show_notes(made, real),
        ]
        if self.seconds >= SHORTEST_FORM:
            report.tables.append(show_form(made, real))
        if len(made) > 1 and len(real) > 2:
            report.tables.append(show_distances(made, real))
        elif self.reference is not None:
            report.warnings.append(
                f"no KAD and FAD: they need 2 clips of music and 3 of real music, there are"
                f" {len(made)} and {len(real)}"
            )
        if model is not None and self.diverse and self.takes > 1:
            report.tables.append(self._diversity(model, judges, made, steps))
        report.audits = [found.facts() for found in (audit, real_audit) if found is not None]
        for found in (audit, real_audit):
            report.warnings += [] if found is None else found.warnings()
        report.warnings.append(
            "the tagger is in-domain (trained on made music): read its figures beside the ceiling"
        )
        report.clips = [one.facts() for one in made]
        report.samples = [one.sample() for one in evenly(made, _SHOWN)]
        return report

    def _steps(self, model: "Jen1 | None") -> int:
        extra = self.diverse * (self.takes - 1) if model is not None else 0
        return len(self.specs) * (2 if model is not None else 1) + extra

    def _settings(self, model: "Jen1 | None", made: Sequence[JudgedClip]) -> dict[str, Any]:
        named = {} if model is None else {"model": model.config.name, "sha256": model.sha256}
        return {
            **named, "prompts": len(self.specs), "clips": len(made), "seconds": self.seconds,
            "seed": self.seed, "reference": self.reference,
            "reference_split": self.reference_split or "all", "sampling": dict(self.sampling),
        }  # fmt: skip

    # --- music ---

    def _made(
        self, model: "Jen1 | None", judges: Judges, steps: "_Steps"
    ) -> tuple[list[JudgedClip], Audit]:
        if model is not None:
            self._generate(model, steps)
            specs = {f"{i:04d}.flac": spec for i, spec in enumerate(self.specs)}
        else:
            specs = {}
        clips, audit = find_clips(self.folder, limit=None if model is not None else self.limit)
        clips = [clip for clip in clips if not specs or clip.name in specs]
        found = []
        for number, heard in enumerate(load_clips(clips, audit, words=True)):
            spec = specs.get(heard.clip.name) or spec_of(heard.clip, number)
            found.append(judges.judge(*cut_to_middle(heard, spec, self.seconds)))
            steps.done()
        if not found:
            raise DataError(
                f"no clip in {self.folder} can be scored ({'; '.join(audit.warnings())});"
                " it needs sound and captions"
            )
        return found, audit

    def _generate(self, model: "Jen1", steps: "_Steps") -> None:
        """Generate the missing clips, in batches if the device profits from them."""
        make_folder(self.folder)
        self._check_folder(model)
        size = 1 if model.device == "cpu" else 8
        clips = []
        for first in range(0, len(self.specs), size):
            batch = self.specs[first : first + size]
            paths = [self.folder / f"{first + i:04d}.flac" for i in range(len(batch))]
            if not all(path.is_file() for path in paths):
                pieces = model.generate_batch(
                    [spec.prompt for spec in batch],
                    seconds=self.seconds,
                    seed=self.seed + first,
                    **self.sampling,
                )
                for music, path in zip(pieces, paths, strict=True):
                    music.save(path)
            for spec, path in zip(batch, paths, strict=True):
                attributes = dict(spec.attributes)
                clips.append(
                    Clip(path.absolute(), (spec.prompt,), self.seconds, "test", attributes)
                )
                steps.done()
        write_manifest(self.folder, clips)

    def _check_folder(self, model: "Jen1") -> None:
        """Raise if the folder has music of another model or other settings."""
        path = self.folder / "evaluation.json"
        prompts = [spec.prompt for spec in self.specs]
        facts = {
            "model": model.sha256, "seconds": self.seconds, "seed": self.seed,
            "sampling": parse_json(to_json(self.sampling), "sampling"), "prompts": prompts,
        }  # fmt: skip
        if path.is_file():
            there = read_object(path)
            if there.get("model") in model.former_sha256:
                there["model"] = model.sha256
            differing = [key for key, value in facts.items() if there.get(key) != value]
            if differing:
                raise DataError(
                    f"{self.folder} holds music made with another {differing[0]}; choose another"
                    " folder or remove this one"
                )
            return
        write_text(path, json.dumps(facts, indent=1))

    def _real(self, judges: Judges, steps: "_Steps") -> tuple[list[JudgedClip], Audit | None]:
        if self.reference is None:
            return [], None
        clips, audit = find_clips(
            self.reference, split=self.reference_split, limit=self.limit or len(self.specs)
        )
        steps.total += len(clips)
        found = []
        for number, heard in enumerate(load_clips(clips, audit, words=True)):
            spec = spec_of(heard.clip, number)
            found.append(judges.judge(*cut_to_middle(heard, spec, self.seconds)))
            steps.done()
        return found, audit

    # --- diversity ---

    def _diversity(
        self, model: "Jen1", judges: Judges, made: Sequence[JudgedClip], steps: "_Steps"
    ) -> Table:
        """Compare clips of one prompt with each other, and with those of other prompts."""
        within: list[float] = []
        repeats = True
        for number, spec in enumerate(evenly(self.specs, self.diverse)):
            rows = []
            for take in range(self.takes):
                seed = self.seed + 100_000 + 1000 * number + take
                music = model.generate(
                    spec.prompt, seconds=self.seconds, seed=seed, **self.sampling
                )
                rows.append(judges.vector(music.waveform.numpy(), music.sample_rate))
                if number == 0 and take == 0:
                    again = model.generate(
                        spec.prompt, seconds=self.seconds, seed=seed, **self.sampling
                    )
                    repeats = bool((again.waveform == music.waveform).all())
                steps.done()
            within.append(mean_pairwise_distance(np.stack(rows)))
        across = mean_pairwise_distance(np.stack([one.scored.tags.embedding for one in made]))
        return Table(
            "diversity",
            "Diversity",
            ("", "mean 1 - cosine"),
            (
                (f"{self.takes} seeds of one prompt", mean_interval(within)),
                ("different prompts", across),
                ("same seed repeats", "yes" if repeats else "no"),
            ),
            note="In the tagger's embedding. 0: all alike.",
        )


@dataclass
class _Steps:
    """Counts the clips done."""

    progress: Progress | None
    total: int
    count: int = 0

    def done(self) -> None:
        self.count += 1
        if self.progress is not None:
            self.progress(min(self.count, self.total), self.total)
