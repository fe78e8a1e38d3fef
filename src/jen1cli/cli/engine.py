"""Between a command and the library: loads the model; writes, sends and reports results."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jen1cli.cli import options, streams
from jen1cli.cli.console import Console, Progress
from jen1cli.cli.loras import Loras, parse_loras
from jen1cli.cli.outputs import Target
from jen1cli.cli.sampling import DTYPES, QUALITIES, SamplingChoice, check_choice, check_device
from jen1cli.cli.signing import Signing
from jen1cli.errors import ConfigError, Jen1Error
from jen1cli.files import make_folder, writing
from jen1cli.sampling import usual_batch

if TYPE_CHECKING:
    from jen1cli.cli.serving.remote import RemoteModel, RemoteMusic
    from jen1cli.pipeline import Edit, Jen1, Music, Stream
    from jen1cli.provenance import Signer
    from jen1cli.recipe import Recipe, SignatureName
    from jen1cli.scale.models import ModelSource

    Made = Music | Edit | RemoteMusic

DEFAULT_PRESET = "mini"
LONGEST_BATCHED_SECONDS = 60.0


@dataclass(frozen=True)
class ModelChoice:
    """Choice of model, device and dtype."""

    model: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    random_weights: bool = False
    loras: Loras = ()
    quality: str = "normal"
    server: str | None = None  # URL of a server that has loaded the model

    @property
    def source(self) -> "ModelSource":
        """The model as a process needs it to load it."""
        from jen1cli.scale.models import ModelSource

        name = self.preset_name if self.random_weights else self.name
        return ModelSource(
            name, self.device, self.dtype, self.quality, self.loras, self.random_weights
        )

    def check(self) -> "ModelChoice":
        """Check the choice without importing torch, and return it.

        Raises:
            Jen1Error: an unknown device, kind of numbers, preset or weight set, or a LoRA of none.
        """
        if self.server is not None:
            return self
        check_device(self.device)
        check_choice(self.dtype, DTYPES, "--dtype")
        check_choice(self.quality, QUALITIES, "--quality")
        if self.random_weights:
            from jen1cli.presets import preset

            if self.loras:
                raise ConfigError("--lora changes trained weights; leave out --random-weights")

            preset(self.preset_name)
        else:
            from jen1cli.weightsets import find_weights

            find_weights(self.name)
        return self

    @property
    def name(self) -> str:
        """Name or folder of the weight set."""
        from jen1cli.weightsets import DEFAULT_WEIGHTS

        return self.model or DEFAULT_WEIGHTS

    @property
    def preset_name(self) -> str:
        """Preset that `--random-weights` builds; for jen1-mini it is mini."""
        from jen1cli.presets import PRESETS

        by_model = {config.name: name for name, config in PRESETS.items()}
        name = self.model or DEFAULT_PRESET
        return by_model.get(name, name)


@dataclass(frozen=True)
class ModelOptions:
    """The options of a model as given on the command line."""

    model: options.Model = None
    lora: options.Lora = None
    device: options.Device = "auto"
    dtype: options.Dtype = "auto"
    quality: options.Quality = None
    random_weights: options.RandomWeights = False

    def choice(self) -> ModelChoice:
        """Return the choice, with the LoRA files read.

        Raises:
            Jen1Error: a LoRA file is missing, or none; see `parse_loras`.
        """
        loras = parse_loras(self.lora)
        return ModelChoice(
            self.model,
            self.device,
            self.dtype,
            self.random_weights,
            loras,
            self.quality or "normal",
        )


@dataclass(frozen=True)
class ServedModelOptions(ModelOptions):
    """The options of a model that may be a server's."""

    server: options.Server = None

    def choice(self) -> ModelChoice:
        """Return the choice; see `ModelOptions.choice`.

        Raises:
            ConfigError: an option is for a model that is loaded here, but a server is given.
        """
        if self.server is None:
            return super().choice()
        defaults = ModelOptions()
        for name in ("lora", "device", "dtype", "quality", "random_weights"):
            if getattr(self, name) != getattr(defaults, name):
                raise ConfigError(
                    f"--{name.replace('_', '-')} is for a model that is loaded here; give it to"
                    f" jen1 serve, or leave out the server {self.server}"
                )
        if self.model is not None and Path(self.model).name != self.model:
            raise ConfigError(
                f"--model {self.model} is a folder here; the server has its own, so leave it out"
            )
        return ModelChoice(self.model, server=self.server)


def load_model(choice: ModelChoice, report: Console) -> "Jen1":
    """Load the model, which takes seconds.

    Raises:
        Jen1Error: the libraries or the weights do not load.
    """
    with report.progress("loading the model"):
        model = _load(choice)
    if choice.random_weights:
        report.warn(f"preset '{choice.preset_name}' has random weights: what it makes is noise")
    return model


def _load(choice: ModelChoice) -> "Jen1":
    try:
        import jen1cli.pipeline  # noqa: F401 - what does not load is named here
    except (ImportError, OSError, RuntimeError) as error:
        raise Jen1Error(
            f"the libraries of the model do not load ({error}); 'jen1 doctor' says what to do"
        ) from error
    return choice.source.load()


class Engine:
    """A loaded model with a reporter."""

    def __init__(
        self,
        model: "Jen1 | RemoteModel",
        report: Console,
        signing: Signing | None = None,
        signer: "Signer | None" = None,
    ) -> None:
        self.model: Any = model
        self.report = report
        self.signer = signer
        self._signing = signing
        self._started = time.perf_counter()

    @classmethod
    @contextlib.contextmanager
    def open(
        cls,
        choice: ModelChoice,
        report: Console,
        signing: Signing | None = None,
        extension: str = "wav",
    ) -> Iterator["Engine"]:
        """Load the model; inside the context, warnings of the library are reported as lines.

        Args:
            choice: the model's choice.
            report: the command's report.
            signing: options of the signature; None signs nothing, and leaves recipes as they are.
            extension: extension of results, which a server writes.
        """
        with report.library_warnings():
            if choice.server is not None:
                from jen1cli.cli.serving.remote import RemoteModel

                with RemoteModel.connect(
                    choice.server, choice.model, extension, signing or Signing(), report
                ) as remote:
                    yield cls(remote, report)
                return
            signer = None if signing is None else signing.signer()  # a wrong one is found at once
            yield cls(load_model(choice, report), report, signing, signer)

    def batch_size(self, seconds: float) -> int:
        """Pieces per batch; one on a CPU, where each is reported as soon as it is done."""
        if self.is_remote or seconds > LONGEST_BATCHED_SECONDS:
            return 1
        return usual_batch(self.model.device)

    @property
    def is_remote(self) -> bool:
        """Whether a server has the model."""
        return getattr(self.model, "is_remote", False)

    @contextlib.contextmanager
    def making(self, title: str) -> Iterator[Progress]:
        """Show progress and measure the time."""
        self._started = time.perf_counter()
        with self.report.progress(title) as progress:
            yield progress

    def report_scores(self, choices: Sequence[SamplingChoice]) -> None:
        """Report what was understood of each score, once."""
        lines = dict.fromkeys(line for choice in choices for line in choice.score_report())
        for line in lines:
            self.report.note(line)

    def deliver(self, music: "Made", target: Target, score: Path | None = None) -> None:
        """Write one result, or send it over stdout, and report it.

        Args:
            music: the result.
            target: its file, or stdout.
            score: MIDI file for the score that was played; None: none.
        """
        from jen1cli.audio import choose_format, read_marks
        from jen1cli.cli.music.proof import Proof
        from jen1cli.provenance import media_type

        elapsed = time.perf_counter() - self._started
        music = self.unsigned(music)
        note = _described(music, elapsed)
        source, patches = getattr(music, "source", None), getattr(music, "patches", ())
        proof = None if source is None else Proof(source, patches)

        def save(path: Path) -> None:
            music.save(path, suffix=target.suffix, signer=self.signer)

        with contextlib.ExitStack() as files:
            path = files.enter_context(written(target, save))
            if score is not None:
                score = self._write_score(music, score, files, overwrite=target.overwrite)
            kind = media_type(choose_format(path, suffix=target.suffix)[0])
            if self.signer is not None and read_marks(path).signed:
                music = _with_signature(music, "c2pa")
            elif self._signing is not None and self._signing.is_wanted and kind is None:
                self.report.warn(  # else the library has said why
                    f"the {target.extension} file is marked by its tags, but not signed"
                )
            facts = music_facts(music.recipe, music.seconds, music.sample_rate)
            facts["path"] = None if target.path is None else str(target.path)
            facts["format"] = target.extension
            if score is not None:
                facts["midi"] = str(score)
            facts["elapsed_seconds"] = round(elapsed, 3)
            if proof is not None:
                unchanged = facts["unchanged"] = proof.compare(path)
                note += f"; {_in_words(unchanged, target.extension)}"
        self.report.result(facts, note)

    def unsigned(self, music: "Made") -> "Made":
        """Return a result whose recipe says that its file is not signed, by choice or not yet."""
        if self._signing is None:
            return music
        return _with_signature(music, "off" if self._signing.is_off else "")

    @property
    def wants_signature(self) -> bool:
        """Whether the user asks for a signature."""
        return self._signing is not None and self._signing.is_wanted

    def send(self, stream: "Stream", target: Target, score: Path | None = None) -> None:
        """Send music over stdout while it is made, and report it.

        Args:
            stream: the music.
            target: stdout.
            score: MIDI file for the score that is played; None: none.
        """
        if self._signing is not None and self._signing.is_off:
            stream = replace(stream, recipe=replace(stream.recipe, signature="off"))
        with contextlib.ExitStack() as files:
            if score is not None:
                score = self._write_score(stream, score, files, overwrite=target.overwrite)
            streams.send(stream.wav_parts())
        elapsed = time.perf_counter() - self._started
        facts = music_facts(stream.recipe, stream.seconds, stream.sample_rate)
        facts |= {"format": target.extension, "elapsed_seconds": round(elapsed, 3)}
        if score is not None:
            facts["midi"] = str(score)
        self.report.result(facts, _described(stream, elapsed))

    def _write_score(
        self,
        music: "Made | Stream",
        path: Path,
        files: contextlib.ExitStack,
        *,
        overwrite: bool,
    ) -> Path | None:
        """Write a MIDI file, which appears when `files` closes; None if no score is known."""
        if not music.has_score:
            self.report.warn(
                f"no score is known of this music, so {path} is not written; choose another"
                " --composer, or give chords, drums or a melody"
            )
            return None
        make_folder(path.parent)
        music.save_midi(files.enter_context(writing(path, overwrite=overwrite)))
        return path


def _described(music: "Made | Stream", elapsed: float) -> str:
    """Return style, controls, length, seed and time of a result in words."""
    recipe = music.recipe
    style = f"{recipe.style} by rules" if recipe.style else ""
    bars = recipe.loop_bars
    loop = f"loop of {bars} bar{'s' * (bars > 1)}" if bars else ""
    made = f"{music.seconds:.2f} s, {recipe.describe_seed()}, made in {elapsed:.1f} s"
    controls = recipe.controls.describe() if recipe.follows_controls else ""
    return ", ".join(filter(None, (style, controls, loop, recipe.describe_edit(), made)))


def _with_signature(music: "Made", signature: "SignatureName") -> "Made":
    """Return a result whose recipe says how its file is signed."""
    return replace(music, recipe=replace(music.recipe, signature=signature))


def _in_words(unchanged: dict[str, Any], extension: str) -> str:
    if unchanged["identical"]:
        return f"unchanged elsewhere: {unchanged['samples']} samples, sha256 ok"
    return f"elsewhere the {extension} encoding rounded or changed samples"


@contextlib.contextmanager
def written(target: Target, save: Callable[[Path], Any]) -> Iterator[Path]:
    """Write a result by `save` and yield a temporary path; the target is written at the end.

    Raises:
        OutputError: the target cannot be written, or a file of that name has appeared.
    """
    if target.path is not None:
        make_folder(target.path.parent)
        with writing(target.path, overwrite=target.overwrite) as temporary:
            save(temporary)
            yield temporary
        return
    with tempfile.TemporaryDirectory(prefix="jen1-") as folder:
        path = Path(folder) / f"stdout{target.suffix}"
        save(path)
        yield path
        target.stream.finish(path)


def music_facts(recipe: "Recipe", seconds: float, sample_rate: int) -> dict[str, Any]:
    """Return the JSON fields of music: path, seed and seconds first, then all settings."""
    from jen1cli.recipe import readable

    settings = readable(recipe.to_dict())
    facts = {"path": None, "seed": settings.pop("seed"), "seconds": round(seconds, 6)}
    settings["new_seconds"] = settings.pop("seconds")
    return {**facts, "sample_rate": sample_rate, "settings": settings}
