"""`jen1 evaluate prompts`: make music for test prompts and measure how well it follows them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.errors import DataError
from jen1cli.evaluation.adherence import Judged, Row, adherence_table
from jen1cli.evaluation.analysis import analyze, versions
from jen1cli.evaluation.clips import Audit, Heard, find_clips, listen
from jen1cli.evaluation.distances import mean_pairwise_distance
from jen1cli.evaluation.embeddings import Embedding, load_embedding
from jen1cli.evaluation.intervals import mean_interval
from jen1cli.evaluation.report import Report, Sample, Table, evenly
from jen1cli.evaluation.sets import Measured, Reference, compare, join
from jen1cli.evaluation.signals import level, width
from jen1cli.evaluation.tagger import Tagger
from jen1cli.evaluation.wishes import Wishes, choose_caption, read_wishes
from jen1cli.manifest import Clip, write_manifest

if TYPE_CHECKING:
    from jen1cli.pipeline import Jen1
    from jen1cli.pipeline.sampling import SamplingOptions

Progress = Callable[[int, int], None]
_SHOWN = 12  # clips on the page
_SET_EMBEDDINGS = ("tagger", "handcrafted")


@dataclass(frozen=True)
class PromptsJob:
    """One evaluation.

    Attributes:
        wishes: the prompts.
        folder: of the generated music, the report, and the manifest that lets it be scored again.
        reference: folder of real music with captions, for the ceiling; None: no ceiling.
        reference_split: of its manifest.
        seconds: length of each clip, also of the real ones.
        seed: clip i is made with seed + i.
        diverse: prompts that are made with several seeds.
        takes: seeds for each of those.
        limit: of clips, where there is no model.
    """

    wishes: Sequence[Wishes]
    folder: Path
    reference: Path | None = None
    reference_split: str | None = None
    seconds: float = 10.0
    seed: int = 0
    diverse: int = 8
    takes: int = 3
    limit: int | None = None
    sampling: "SamplingOptions" = field(default_factory=dict)  # type: ignore[assignment]

    def run(self, model: "Jen1 | None", progress: Progress | None = None) -> Report:
        """Make what is not there yet, listen to everything, write nothing but music.

        Args:
            model: None scores what the folder holds already.
            progress: called with (clips done, clips in all).

        Raises:
            DataError: the folder holds no music and there is no model.
        """
        listeners = Listeners.load()
        steps = _Steps(progress, self._steps(model))
        made, audit = self._made(model, listeners, steps)
        real, real_audit = self._real(listeners, steps)
        rows = adherence_table([one.judged for one in made], [one.judged for one in real])
        report = Report("prompts", settings=self._settings(model, made))
        report.listeners = listeners.versions()
        report.tables = [_adherence(rows), _quality(made, real, audit, real_audit)]
        if real:
            report.tables.append(_distances(made, real))
        if model is not None and self.diverse and self.takes > 1:
            report.tables.append(self._diversity(model, listeners, made, steps))
        report.audits = [found.facts() for found in (audit, real_audit) if found is not None]
        for found in (audit, real_audit):
            report.warnings += [] if found is None else found.warnings()
        report.warnings.append(
            "the tagger is in-domain (trained on made music): read its figures beside the ceiling"
        )
        report.clips = [one.facts() for one in made]
        report.samples = [one.sample(self.folder) for one in evenly(made, _SHOWN)]
        return report

    def _steps(self, model: "Jen1 | None") -> int:
        extra = self.diverse * (self.takes - 1) if model is not None else 0
        return len(self.wishes) * (2 if model is not None else 1) + extra

    def _settings(self, model: "Jen1 | None", made: Sequence["_One"]) -> dict[str, Any]:
        named = {} if model is None else {"model": model.config.name, "sha256": model.sha256}
        return {
            **named, "prompts": len(self.wishes), "clips": len(made), "seconds": self.seconds,
            "seed": self.seed, "reference": self.reference, "sampling": dict(self.sampling),
        }  # fmt: skip

    # --- music ---

    def _made(
        self, model: "Jen1 | None", listeners: "Listeners", steps: "_Steps"
    ) -> tuple[list["_One"], Audit]:
        if model is not None:
            self._generate(model, steps)
            wishes = {f"{i:04d}.flac": wish for i, wish in enumerate(self.wishes)}
        else:
            wishes = {}
        clips, audit = find_clips(self.folder, limit=None if model is not None else self.limit)
        clips = [clip for clip in clips if not wishes or clip.path.name in wishes]
        found = []
        for number, heard in enumerate(listen(clips, audit, words=True)):
            wish = wishes.get(heard.clip.path.name) or _wish_of(heard.clip, number)
            cut = Heard(heard.clip, middle(heard, self.seconds), heard.sample_rate)
            found.append(listeners.judge(cut, wish))
            steps.done()
        if not found:
            raise DataError(
                f"no clip in {self.folder} can be scored ({'; '.join(audit.warnings())});"
                " it needs sound and captions"
            )
        return found, audit

    def _generate(self, model: "Jen1", steps: "_Steps") -> None:
        """Make the clips that are missing, several at once where the device likes it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._check_folder(model)
        size = 1 if model.device == "cpu" else 8
        clips = []
        for first in range(0, len(self.wishes), size):
            batch = self.wishes[first : first + size]
            paths = [self.folder / f"{first + i:04d}.flac" for i in range(len(batch))]
            if not all(path.is_file() for path in paths):
                pieces = model.generate_batch(
                    [wish.prompt for wish in batch],
                    seconds=self.seconds,
                    seed=self.seed + first,
                    **self.sampling,
                )
                for music, path in zip(pieces, paths, strict=True):
                    music.save(path)
            for wish, path in zip(batch, paths, strict=True):
                attributes = dict(wish.attributes)
                clips.append(
                    Clip(path.absolute(), (wish.prompt,), self.seconds, "test", attributes)
                )
                steps.done()
        write_manifest(self.folder, clips)

    def _check_folder(self, model: "Jen1") -> None:
        """Refuse to mix music of different models or settings in one folder."""
        path = self.folder / "evaluation.json"
        prompts = [wish.prompt for wish in self.wishes]
        facts = {
            "model": model.sha256, "seconds": self.seconds, "seed": self.seed,
            "sampling": json.loads(json.dumps(self.sampling)), "prompts": prompts,
        }  # fmt: skip
        if path.is_file():
            there = json.loads(path.read_text(encoding="utf-8"))
            differing = [key for key, value in facts.items() if there.get(key) != value]
            if differing:
                raise DataError(
                    f"{self.folder} holds music made with another {differing[0]}; choose another"
                    " folder or remove this one"
                )
            return
        path.write_text(json.dumps(facts, indent=1), encoding="utf-8")

    def _real(self, listeners: "Listeners", steps: "_Steps") -> tuple[list["_One"], Audit | None]:
        if self.reference is None:
            return [], None
        clips, audit = find_clips(
            self.reference, split=self.reference_split, limit=self.limit or len(self.wishes)
        )
        steps.total += len(clips)
        found = []
        for number, heard in enumerate(listen(clips, audit, words=True)):
            cut = Heard(heard.clip, middle(heard, self.seconds), heard.sample_rate)
            found.append(listeners.judge(cut, _wish_of(heard.clip, number)))
            steps.done()
        return found, audit

    # --- diversity ---

    def _diversity(
        self, model: "Jen1", listeners: "Listeners", made: Sequence["_One"], steps: "_Steps"
    ) -> Table:
        """Compare takes of one prompt with each other, and with other prompts' music."""
        within: list[float] = []
        repeats = True
        for number, wish in enumerate(evenly(self.wishes, self.diverse)):
            rows = []
            for take in range(self.takes):
                seed = self.seed + 100_000 + 1000 * number + take
                music = model.generate(
                    wish.prompt, seconds=self.seconds, seed=seed, **self.sampling
                )
                rows.append(listeners.vector(music.waveform.numpy(), music.sample_rate))
                if number == 0 and take == 0:
                    again = model.generate(
                        wish.prompt, seconds=self.seconds, seed=seed, **self.sampling
                    )
                    repeats = bool((again.waveform == music.waveform).all())
                steps.done()
            within.append(mean_pairwise_distance(np.stack(rows)))
        across = mean_pairwise_distance(np.stack([one.judged.tags.embedding for one in made]))
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
    """Counts what is done."""

    progress: Progress | None
    total: int
    count: int = 0

    def done(self) -> None:
        self.count += 1
        if self.progress is not None:
            self.progress(min(self.count, self.total), self.total)


def _wish_of(clip: Clip, turn: int) -> Wishes:
    caption = choose_caption(clip.captions, clip.attributes, turn)
    return read_wishes(caption, clip.attributes)


def middle(heard: Heard, seconds: float) -> Signal:
    """Return the middle of a clip, at most so many seconds."""
    samples = heard.signal.shape[1]
    wanted = min(samples, audio.seconds_to_samples(seconds, heard.sample_rate))
    start = (samples - wanted) // 2
    return heard.signal[:, start : start + wanted]


@dataclass(frozen=True)
class _One:
    """One clip with everything that was heard and measured."""

    judged: Judged
    clip: Clip
    rows: tuple[np.ndarray, ...]  # of each set embedding
    labels: np.ndarray
    level_db: float
    width_db: float
    seconds: float

    def facts(self) -> dict[str, Any]:
        tags, analysis = self.judged.tags, self.judged.analysis
        return {
            "clip": self.judged.name,
            "prompt": self.judged.wishes.prompt,
            "styles": {name: tags.styles[name] for name in tags.best_styles(3)},
            "instruments": sorted(n for n, p in tags.instruments.items() if p >= 0.5),
            "drums": tags.drums, "bpm": tags.bpm, "key": f"{tags.key} {tags.mode}",
            "energy": tags.energy, "bpm_signal": analysis.bpm,
            "key_signal": f"{analysis.key} {analysis.mode}".strip(),
            "percussive": analysis.percussive, "steadiness": analysis.steadiness,
            "level_db": self.level_db, "width_db": self.width_db,
        }  # fmt: skip

    def sample(self, folder: Path) -> Sample:
        tags = self.judged.tags
        return Sample(
            self.judged.wishes.prompt,
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
        return cls(Tagger.load(), tuple(load_embedding(name) for name in _SET_EMBEDDINGS))

    def versions(self) -> dict[str, str]:
        """Return what heard, with hashes and versions."""
        found = {embedding.name: embedding.version for embedding in self.embeddings}
        return found | {name: str(text) for name, text in versions().items()}

    def vector(self, signal: Signal, sample_rate: int) -> np.ndarray:
        """Return the tagger's embedding of a sound."""
        return self.tagger.hear(signal, sample_rate).embedding

    def judge(self, heard: Heard, wish: Wishes) -> _One:
        """Listen to one clip."""
        tags = self.tagger.hear(heard.signal, heard.sample_rate)
        text = self.tagger.embed_text([wish.prompt])[0]
        analysis = analyze(heard.signal, heard.sample_rate)
        return _One(
            Judged(heard.clip.path.name, wish, tags, analysis, text),
            heard.clip,
            tuple(item.embed(heard.signal, heard.sample_rate) for item in self.embeddings),
            np.array(list(tags.styles.values())),
            level(heard.signal),
            width(heard.signal),
            heard.seconds,
        )


# --- tables ---


def _adherence(rows: Sequence[Row]) -> Table:
    return Table(
        "adherence",
        "What was asked for is heard",
        ("", "music", "shuffled prompts", "real music", "way", "clips"),
        tuple(
            (
                row.name,
                row.value if row.value.count else None,
                row.floor if row.floor.count else None,
                row.ceiling if row.ceiling.count else None,
                row.way,
                str(row.value.count),
            )
            for row in rows
        ),
        unit="%",
        note="Only prompts that name the thing count. Way: 0 is the floor (the same music against"
        " other prompts), 100 % the ceiling (real music against its captions). 95 % bootstrap"
        " intervals. Text cosine and energy are correlations.",
    )


def _quality(
    made: Sequence[_One], real: Sequence[_One], audit: Audit, real_audit: Audit | None
) -> Table:
    def pair(take: Callable[[_One], float]) -> tuple[Any, Any]:
        both = (mean_interval([take(one) for one in side]) for side in (made, real))
        ours, theirs = ((found if found.count else None) for found in both)
        return ours, theirs

    lines = (
        ("steadiness of partials below 3 kHz", lambda one: one.judged.analysis.steadiness),
        ("percussive share", lambda one: one.judged.analysis.percussive),
        ("key strength", lambda one: one.judged.analysis.key_strength),
        ("level, dB", lambda one: one.level_db),
        ("side against mid, dB", lambda one: one.width_db),
        ("instruments heard", lambda one: float(sum(
            p >= 0.5 for p in one.judged.tags.instruments.values()
        ))),
    )  # fmt: skip
    return Table(
        "sound",
        "Sound",
        ("", "music", "real music"),
        (
            *((name, *pair(take)) for name, take in lines),
            ("clips left out (silent, ...)", _left_out(audit), _left_out(real_audit)),
        ),
        note="By signal analysis, but for the instruments. Clips that were left out are not in any"
        " figure above or below; the warnings name them.",
    )


def _left_out(audit: Audit | None) -> str | None:
    return None if audit is None else f"{audit.clips - audit.used} of {audit.clips}"


def _distances(made: Sequence[_One], real: Sequence[_One]) -> Table:
    """KAD and FAD of the music to real music, beside real music against other real music."""
    lines = []
    yardstick, other = real[0::2], real[1::2]
    ours = evenly(made, max(2, len(other)))  # as many as of the real music: FAD depends on it
    for place, name in enumerate(_SET_EMBEDDINGS):
        theirs = _as_set(yardstick, place, name)
        for title, clips in (("music", ours), ("real music", other)):
            measured = _as_set(clips, place, name)
            if measured is None or theirs is None:
                continue
            found = compare(measured, Reference.of(theirs))
            lines.append((f"{name}: {title}", found.kad, found.fad, found.kl_sets, str(len(clips))))
    return Table(
        "distances",
        "Likeness of the whole set",
        ("", "KAD", "FAD", "KL of styles", "clips"),
        tuple(lines),
        note=f"To {len(yardstick)} clips of real music, in windows of five seconds; lower is"
        " better. The lines of other real music are what perfect music would reach. FAD is raised"
        " by few clips, on all lines alike; KAD is not.",
    )


def _as_set(clips: Sequence[_One], place: int, name: str) -> Measured | None:
    if len(clips) < 2:
        return None
    found = [(one.rows[place], one.labels if name == "tagger" else None) for one in clips]
    return join(name, "", found, tuple(one.judged.name for one in clips))
