"""Making pieces with a loaded model, and writing each with its facts beside it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jen1cli.errors import Jen1Error
from jen1cli.files import explaining, write_text
from jen1cli.jsonfiles import to_json
from jen1cli.scale.models import ModelSource
from jen1cli.scale.requests import Outcome, PieceJob

if TYPE_CHECKING:
    from jen1cli.pipeline import Jen1, Music

_CPU_THREADS = 1
"""Their number can change the last bits of a result, so it must not depend on the machine. Several
processes use several cores, and better."""


@dataclass(frozen=True)
class MakerSpec:
    """All that a process needs to make pieces of a set; it can be sent to one."""

    model: ModelSource
    folder: Path  # folder of the set
    extension: str  # extension of the audio files
    batch: int  # size of every batch

    def open(self) -> "PieceMaker":
        """Load the model.

        Raises:
            Jen1Error: the model cannot be loaded.
        """
        return PieceMaker(self, self.model.load())


class PieceMaker:
    """Makes pieces and writes them."""

    def __init__(self, spec: MakerSpec, model: "Jen1") -> None:
        self._spec = spec
        self._model = model

    def make(self, jobs: Sequence[PieceJob]) -> list[Outcome]:
        """Make a batch of jobs of one kind, and write what could be made.

        Where a batch fails, each of its jobs is tried alone, so that one row spoils no other.

        Raises:
            OutputError: nothing can be written; no row is to blame.
        """
        try:
            made = self._made(jobs)
        except Exception as error:  # whatever a row leads to, the others are made
            if len(jobs) == 1:
                return [Outcome(jobs[0], _reason(error))]
            return [outcome for job in jobs for outcome in self.make([job])]
        for job, music in zip(jobs, made, strict=True):
            self._write(job, music)
        return [Outcome(job) for job in jobs]

    def _made(self, jobs: Sequence[PieceJob]) -> "list[Music]":
        from jen1cli.pipeline.generating import Order, generate_orders

        first = jobs[0].request
        direction: Any = first.direction  # checked below
        orders = [
            Order.over(self._model, one.prompt, one.seed, one.options, direction)
            for one in (job.request for job in jobs)
        ]
        return generate_orders(
            self._model,
            orders,
            first.length,
            direction,
            loop_bars=first.loop_bars,
            batch=self._spec.batch,
            threads=_CPU_THREADS if self._model.device == "cpu" else 0,
        )

    def _write(self, job: PieceJob, music: "Music") -> None:
        """Write the audio, then its facts, whose file says that the piece is whole."""
        # a signature differs each time it is made, so that sets have none
        recipe = dataclasses.replace(music.recipe, signature="off")
        music = dataclasses.replace(music, recipe=recipe)
        audio, facts = places(self._spec.folder, job.place, self._spec.extension)
        with explaining(audio):
            audio.parent.mkdir(exist_ok=True)  # not its parents: a set that vanished stays gone
        music.save(audio)
        with explaining(audio):
            size = audio.stat().st_size
        write_text(facts, to_json(_facts(job, music, size)))


def places(folder: Path, place: str, extension: str) -> tuple[Path, Path]:
    """Return the paths of a piece's audio and of its facts."""
    return folder / f"{place}.{extension}", folder / f"{place}.json"


def _facts(job: PieceJob, music: "Music", size: int) -> dict[str, Any]:
    """Return what a manifest says of a piece, and its recipe."""
    controls = music.recipe.controls
    attributes = {
        "style": music.recipe.style,
        "bpm": round(controls.bpm, 2),
        "key": controls.key,
        "mode": controls.mode,
        "meter": controls.meter,
    }
    return {
        "captions": [job.request.prompt],
        "seconds": round(music.seconds, 6),
        "attributes": {key: value for key, value in attributes.items() if value},
        "seed": job.request.seed,
        "row": job.row,
        "piece": job.piece,
        "request": job.request.digest,
        "bytes": size,
        "recipe": music.recipe.to_dict(),
    }


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:1_000]
    return text if isinstance(error, Jen1Error) else f"{type(error).__name__}: {text}"
