"""A model that a server has loaded, with the methods of `Jen1` that the commands call.

What the answer needs is imported after the request is sent, so that a command begins at once.
"""

import base64
import contextlib
import dataclasses
import io
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import jen1cli
from jen1cli.cli.console import Console
from jen1cli.cli.outputs import FORMATS
from jen1cli.cli.serving.http import Answer, Server, ServerError
from jen1cli.cli.signing import Signing
from jen1cli.errors import ConfigError
from jen1cli.jsonfiles import parse_json
from jen1cli.progress import Progress
from jen1cli.typed_json import to_dict

if TYPE_CHECKING:
    from jen1cli.audio import Patch, Source
    from jen1cli.provenance import Signer
    from jen1cli.recipe import Recipe

POLL_SECONDS = 0.3
_NAMES = {"steps": "num_inference_steps"}
"""Sampling option -> field of the request, where its name differs."""


@dataclass(frozen=True)
class RemoteMusic:
    """A result of the server, in a temporary file."""

    path: Path
    recipe: "Recipe"
    sample_rate: int  # Hz
    seconds: float
    source: "Source | None" = None  # source of an edit
    patches: "tuple[Patch, ...]" = ()  # patches of an edit; their signals are not known here

    @property
    def has_score(self) -> bool:
        """Whether anything of a score is known."""
        from jen1cli.midi import has_score

        return has_score(self.recipe.played)

    def save_midi(self, target: str | Path) -> None:
        """Write the score that was played; see `Music.save_midi`."""
        from jen1cli.midi import write_midi

        write_midi(Path(target), self.recipe.played)

    def save(self, target: Path, *, suffix: str = "", signer: "Signer | None" = None) -> None:
        """Copy the file, whose format was asked for, to a target."""
        shutil.copyfile(self.path, target)


@dataclass(frozen=True)
class RemoteModel:
    """The model of a server."""

    server: Server
    report: Console
    folder: Path  # for results
    extension: str  # extension of results
    signing: Signing
    model: str | None = None  # as a check
    is_remote: ClassVar = True

    @classmethod
    @contextlib.contextmanager
    def connect(
        cls, url: str, model: str | None, extension: str, signing: Signing, report: Console
    ) -> Iterator["RemoteModel"]:
        """Yield the model of a server that is there.

        Args:
            url: the server's URL.
            model: name that its model must have; None: any.
            extension: extension of results.
            signing: options of the signature.
            report: the command's report.

        Raises:
            ServerError: it cannot be reached.
            ConfigError: the certificate is here, but the server signs.
        """
        if signing.certificate is not None and not signing.is_off:
            raise ConfigError(
                "--certificate cannot sign what a server makes; give it to jen1 serve, or add"
                " --no-provenance"
            )
        server = Server(url, report.note)
        found = server.get("/health")
        version = found.get("version") if isinstance(found, dict) else None
        if version is None:
            raise ServerError(f"{url} is not a server of jen1; start one with: jen1 serve")
        if version != jen1cli.__version__:
            report.warn(
                f"the server is jen1cli {version}, this is {jen1cli.__version__}: the bytes may"
                " differ"
            )
        with tempfile.TemporaryDirectory(prefix="jen1-") as folder:
            yield cls(server, report, Path(folder), extension, signing, model)

    def generate_batch(
        self,
        prompts: Sequence[str],
        *,
        seed: int,
        direction: str,
        progress: Progress | None = None,
        seconds: float | None = None,
        loop_bars: int | None = None,
        **sampling: Any,  # noqa: ANN401 - of SamplingOptions
    ) -> list[RemoteMusic]:
        """Generate music; see `Jen1.generate_batch`."""
        length: dict[str, Any] = {"audio_length": seconds}
        if loop_bars is not None:
            length = {"loop": True, "bars": loop_bars}
        return [
            self._made(
                "generate",
                {"input": prompt, "seed": seed + index, "direction": direction, **length},
                sampling,
                progress,
            )
            for index, prompt in enumerate(prompts)
        ]

    def inpaint(
        self,
        source: "Source",
        masks: Sequence[tuple[float, float]],
        prompt: str,
        *,
        seed: int,
        progress: Progress | None = None,
        **sampling: Any,  # noqa: ANN401 - of SamplingOptions
    ) -> RemoteMusic:
        """Regenerate intervals of a recording; see `Jen1.inpaint`."""
        values = {
            "input": prompt,
            "seed": seed,
            "masks": [f"{_digits(a)}-{_digits(b)}" for a, b in masks],
        }
        return self._made("inpaint", values, sampling, progress, source)

    def continue_(
        self,
        source: "Source",
        *,
        seconds: float,
        before: bool,
        prompt: str,
        seed: int,
        direction: str | None,
        context_seconds: float | None,
        progress: Progress | None = None,
        **sampling: Any,  # noqa: ANN401 - of SamplingOptions
    ) -> RemoteMusic:
        """Continue a recording; see `Jen1.continue_`."""
        values = {
            "input": prompt, "seed": seed, "audio_length": seconds,
            "side": "left" if before else "right", "direction": direction,
            "context": context_seconds,
        }  # fmt: skip
        return self._made("continue", values, sampling, progress, source)

    def vary(
        self,
        made: "Recipe",
        prompt: str | None,
        *,
        amount: float,
        seed: int | None,
        source: "Source | None",
        progress: Progress | None = None,
        **sampling: Any,  # noqa: ANN401 - of SamplingOptions
    ) -> RemoteMusic:
        """Make a variation of the music of a recipe; see `Jen1.vary`."""
        values = {
            "input": prompt or "", "recipe": made.to_dict(), "amount": amount, "seed": seed,
        }  # fmt: skip
        return self._made("vary", values, sampling, progress, source, part="source")

    def _made(
        self,
        task: str,
        values: dict[str, Any],
        sampling: dict[str, Any],
        progress: Progress | None,
        source: "Source | None" = None,
        part: str = "file",
    ) -> RemoteMusic:
        job = secrets.token_hex(8)
        request = {**values, **_fields(sampling), "response_format": FORMATS[self.extension]}
        request |= {"model": self.model, "provenance": self.signing.provenance}
        files = {} if source is None else {part: source}
        if source is not None and part == "file":
            request["file_name"] = "-" if isinstance(source, io.BytesIO) else str(source)
        request = {name: value for name, value in request.items() if value is not None}
        path = self.folder / f"{job}.{self.extension}"
        with _followed(self.server, job, progress):
            answer = self.server.post(f"/v1/audio/{task}", request, path, files, job)
        for line in parse_json(
            answer.headers.get("x-jen1-warnings", "[]"), "the warnings of the server"
        ):
            self.report.warn(line)
        return _result(answer, source)


def _digits(seconds: float) -> str:
    """Return all digits of a number, without an exponent."""
    return f"{Decimal(repr(float(seconds))):f}"


def _fields(sampling: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a request for keyword arguments of sampling methods."""
    rest = dict(sampling)
    found: dict[str, Any] = {}
    if "instruments" in rest:
        found["instruments"] = ", ".join(rest.pop("instruments"))
    if "controls" in rest:
        found["controls"] = to_dict(rest.pop("controls"))
    return found | {_NAMES.get(name, name): value for name, value in rest.items()}


def _result(answer: Answer, source: "Source | None") -> RemoteMusic:
    """Return the result in an answer."""
    import numpy as np

    from jen1cli import audio
    from jen1cli.audio import Patch
    from jen1cli.recipe import Recipe, read_recipe

    path = answer.path
    info = audio.probe(path)
    encoded = answer.headers.get("x-jen1-recipe")
    if encoded is None:
        recipe = read_recipe(path)
    else:
        recipe = Recipe.from_json(base64.urlsafe_b64decode(encoded).decode())
    music = RemoteMusic(path, recipe, info.sample_rate, info.seconds)
    if "x-jen1-edited" not in answer.headers or source is None:
        return music
    patches = tuple(
        Patch(start, np.broadcast_to(np.float32(0), (info.channels, samples)), insert)
        for start, samples, insert in parse_json(
            answer.headers["x-jen1-edited"], "the edited parts of the server's answer"
        )
    )
    return dataclasses.replace(music, source=source, patches=patches)


@contextlib.contextmanager
def _followed(server: Server, job: str, progress: Progress | None) -> Iterator[None]:
    """Report the progress of a job from another thread, as long as the context lasts."""
    if progress is None:
        yield
        return
    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(POLL_SECONDS):
            with contextlib.suppress(ServerError, KeyError, TypeError):
                facts = server.get(f"/v1/jobs/{job}")
                if facts["steps"]:
                    progress(facts["step"], facts["steps"])

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
