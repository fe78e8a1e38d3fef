"""The recipe of a piece of music: all settings for its reproduction, stored in its file."""

import dataclasses
import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from jen1cli.audio import Loop, Source, digest, name_of, read_recipe_text, sample_digest
from jen1cli.config import DirectionName, QualityName
from jen1cli.errors import AudioError, ConfigError, Jen1Error
from jen1cli.jsonfiles import JsonError, parse_json
from jen1cli.midi import Passage
from jen1cli.music.chords import TONICS
from jen1cli.music.controls import SIXTEENTHS
from jen1cli.music.forms import parse_form
from jen1cli.music.full_score import summary
from jen1cli.sampling import MAX_BATCH, MAX_LOOP_BARS, MAX_STEPS, SETTING_KEYS, Sampling
from jen1cli.typed_json import from_dict, stored_key, to_dict

RECIPE_VERSION = 5
"""Version of the recipe's fields; a newer one is refused.

2: the model has a release. 3: composer, style, signature, and `samples_sha256` of the input.
4: full score, instruments, passages, variations, loops, batch, form, streams and covers.
5: novelty and copies of edits, which were 1 and none before; guidance of levels, which was 1;
the distilled network, which was none.
"""

_NOVELTY_VERSION = 5

GENERATOR = "jen1cli"
MAX_THREADS = 1_024
_HEAD = ("task", "model", "seconds", "seed", "prompt")
TaskName = Literal["generate", "inpaint", "continue", "decode", "cover"]
SignatureName = Literal["", "c2pa", "off"]


class RecipeError(Jen1Error):
    """A file without a recipe, or with one that cannot be used."""


@dataclass(frozen=True)
class RecipeInput:
    """The source recording of an edit or a cover."""

    name: str  # path as it was given, or "-" for piped audio
    sha256: str  # sha256 of the file's bytes
    recipe: dict[str, Any] | None = None  # the recipe that the input itself carried
    samples_sha256: str = field(default="", metadata={"optional": True})
    """sha256 of the samples, if the input is signed: a signature differs each time it is made."""

    def is_that_of(self, source: Source) -> bool:
        """Whether a file is this recording: the same bytes; if it was signed, the same samples."""
        if digest(source) == self.sha256:
            return True
        return bool(self.samples_sha256) and sample_digest(source) == self.samples_sha256


@dataclass(frozen=True)
class Copy:
    """A stretch of an edit that was copied from the recording; seconds of the result."""

    start: float
    stop: float
    source: float  # where the copied stretch begins
    # how far the model then changed it (`Sampling.novelty`); 0: not at all
    novelty: float = field(default=0.0, metadata={"optional": True})


@dataclass(frozen=True)
class RecipeLora:
    """A LoRA file that changed the weights."""

    name: str  # path as it was given
    sha256: str  # sha256 of the file's bytes
    strength: float


@dataclass(frozen=True)
class RecipeModel:
    """The weights that made the music."""

    name: str  # name of the weight set, such as "jen1-mini"
    sha256: str  # sha256 of the set (`SetDescription`); for random weights, their name
    loras: tuple[RecipeLora, ...] = dataclasses.field(default=(), metadata={"optional": True})
    release: int = dataclasses.field(default=0, metadata={"optional": True})  # 0: unreleased

    def plays_like(self, other: "RecipeModel", former: Collection[str] = ()) -> bool:
        """Whether both have the same weights, independent of file names.

        Args:
            other: the model that is loaded.
            former: digests that older versions gave to its weight set.
        """
        same_set = self.sha256 == other.sha256 or self.sha256 in former
        return same_set and self._lora_numbers() == other._lora_numbers()

    def describe(self) -> str:
        """Return name, release, hash and LoRA files in words."""
        loras = "".join(
            f" with {lora.name}:{lora.strength:g} ({lora.sha256[:12]})" for lora in self.loras
        )
        release = f" release {self.release}" if self.release else ""
        return f"'{self.name}'{release} ({self.sha256[:12]}){loras}"

    def _lora_numbers(self) -> list[tuple[str, float]]:
        return [(lora.sha256, lora.strength) for lora in self.loras]


@dataclass(frozen=True)
class Recipe(Sampling):
    """Settings and model of a result. Same recipe and kind of device: same bytes."""

    task: TaskName
    model: RecipeModel
    seconds: float  # seconds of new music; for inpainting the sum of the masks
    seed: int
    prompt: str = ""
    direction: DirectionName = "bidirectional"
    masks: tuple[tuple[float, float], ...] = ()  # regenerated intervals [from, to) in seconds
    before: bool = False  # continued to the left
    streamed: bool = field(default=False, metadata={"optional": True})
    """Made block by block (`pipeline.generating.stream_order`)."""
    loop_bars: int = field(default=0, metadata={"optional": True})  # 0: no loop
    context_seconds: float = 0.0  # known music in front of each window
    device: str = "cpu"  # kind of device: cpu, cuda, mps
    dtype: str = "fp32"  # precision of the network's arithmetic: fp32 or bf16
    quality: QualityName = field(default="normal", metadata={"optional": True})  # decoder's
    watermark: str = field(default="", metadata={"optional": True})
    """Fingerprint of the key of the watermark (`autoencoder.watermark`); "": everybody's."""
    batch: int = field(default=1, metadata={"optional": True})
    """Size of the batch, whose last bits it decides; 1: made alone."""
    threads: int = field(default=0, metadata={"optional": True})
    """CPU threads, whose number can change the last bits; 0: as many as the machine has set."""
    signature: SignatureName = field(default="", metadata={"optional": True})
    """By a C2PA manifest; "off": the user wanted none; "": it could not be signed."""
    # what was played in the generated intervals of an edit
    passages: tuple[Passage, ...] = field(default=(), metadata={"optional": True})
    copies: tuple[Copy, ...] = field(default=(), metadata={"optional": True})
    input: RecipeInput | None = None
    version: str = ""  # version of jen1cli
    generator: str = GENERATOR
    ai_generated: bool = True  # machine-readable mark of generated sound
    recipe_version: int = RECIPE_VERSION

    @property
    def played(self) -> tuple[Passage, ...]:
        """The controls that were played, on the clock of the result."""
        if self.task in ("generate", "cover"):
            return (Passage(self.controls, 0.0, self.seconds),)
        return self.passages

    @property
    def sections(self) -> tuple[tuple[float, str], ...]:
        """Start in seconds and name of each section of a form that was asked for."""
        if not self.form or not self.controls.has_bars:
            return ()
        form, bar = parse_form(self.form), self.controls.bar_seconds
        return tuple(
            (start * bar, section.name)
            for start, section in zip(form.starts, form.sections, strict=True)
        )

    @property
    def needs_input(self) -> bool:
        """Whether the source recording is read again; of a cover, the score is in the recipe."""
        return self.input is not None and self.task != "cover"

    def describe_edit(self) -> str:
        """Return what an edit was copied from, or in which tempo and key it goes on, as heard."""
        if self.task not in ("inpaint", "continue"):
            return ""
        ignored = not self.follows_controls and self.asks_for_more(self.prompt)
        note = "a copy follows no prompt and no controls" if ignored else ""
        return ", ".join(filter(None, (self._copies_in_words(), self._heard_in_words(), note)))

    @property
    def follows_controls(self) -> bool:
        """Whether prompt and controls had a say: not where all is copied, as it was asked for."""
        return self.task not in ("inpaint", "continue") or self.novelty != 0.0

    def _heard_in_words(self) -> str:
        if not self.passages or self.composer == "none":  # all was copied, or nothing was heard
            return ""
        heard, given = (
            dataclasses.replace(c, chords="") for c in (self.passages[0].controls, self.controls)
        )
        unsure = [name for name, known in (("tempo", heard.bpm), ("key", heard.key)) if not known]
        words = [f"no sure {' or '.join(unsure)} heard"] if unsure else []
        if (told := heard.describe()) not in ("", given.describe()):
            words.insert(0, f"goes on in {told}")
        return ", ".join(words)

    def _copies_in_words(self) -> str:
        if not self.copies and self.novelty is None and not self.asks_for_more(self.prompt):
            return "nothing in the recording fits, so all is new"
        found = []
        for words, chosen in (
            ("copied from", [copy for copy in self.copies if copy.novelty == 0.0]),
            ("made by changing the music from", [copy for copy in self.copies if copy.novelty]),
        ):
            if chosen:
                seconds = sum(copy.stop - copy.start for copy in chosen)
                times = Counter(f"{copy.source:.1f} s" for copy in chosen)
                places = [at if n == 1 else f"{at} ({n} times)" for at, n in times.items()]
                more = ", …" if len(places) > 4 else ""
                found.append(f"{seconds:.2f} s {words} {', '.join(places[:4])}{more}")
        advice = " (--novelty 1 makes it anew)" if found and self.novelty is None else ""
        return ", ".join(found) + advice

    def describe_seed(self) -> str:
        """Return "seed 7", or "seed 7, 0.3 of seed 9" for a variation."""
        mixed = (f"{item.amount:g} of seed {item.seed}" for item in self.variations)
        return ", ".join((f"seed {self.seed}", *mixed))

    def loop(self, samples: int, sample_rate: int) -> Loop | None:
        """Return the description of a loop of that length and rate in Hz; None if it is none."""
        meter = self.controls.meter
        if not self.loop_bars or not meter:
            return None
        beats, note = map(int, meter.split("/"))
        quarters = self.loop_bars * SIXTEENTHS[meter] / 4
        root = TONICS.index(self.controls.key) if self.controls.key else None
        return Loop(samples, sample_rate, quarters, (beats, note), root)

    def to_json(self) -> str:
        """Return one line of ASCII JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=True, separators=(",", ":"))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values.

        What is left at its default has no key if version 1 had none, so a recipe of version 1
        comes back as it was: `jen1 again` compares the bytes of files that it makes once more from
        such recipes.
        """
        values = to_dict(self)
        # in the order of version 1, whose sampling settings follow the prompt
        values = {name: values.pop(name) for name in (*_HEAD, *SETTING_KEYS)} | values
        if not self.model.release:
            del values["model"]["release"]
        if self.quality == "normal":
            del values["quality"]
        if self.batch == 1:
            del values["batch"]
        if not self.threads:
            del values["threads"]
        if self.level_guidance == 1.0:
            del values["level_guidance"]
        for name in (
            "composer",
            "style",
            "form",
            "instruments",
            "passages",
            "variations",
            "loop_bars",
            "streamed",
            "copies",
            "watermark",
            "distilled",
        ):
            if not values[name]:
                del values[name]
        if self.novelty is None or self.recipe_version < _NOVELTY_VERSION:
            del values["novelty"]
        if self.controls.score is None:
            del values["guide"]["score"]
        if not self.signature:
            del values["signature"]
        if self.input is not None and not self.input.samples_sha256:
            del values["input"]["samples_sha256"]
        return values

    @classmethod
    def from_json(cls, text: str, where: str = "the recipe") -> "Recipe":
        """Read a recipe strictly.

        Raises:
            RecipeError: it is no recipe of ours, damaged, or of a newer version.
        """
        try:
            values = parse_json(text, "it")
        except JsonError as error:
            if text.startswith("{") and GENERATOR in text:
                raise RecipeError(f"{where} carries a damaged recipe: {error.fault}") from error
            raise RecipeError(f"{where} carries no recipe of {GENERATOR}") from error
        return cls.from_dict(values, where)

    @classmethod
    def from_dict(cls, values: object, where: str = "the recipe") -> "Recipe":
        """Read a recipe from plain JSON values; see `from_json`."""
        if not isinstance(values, dict) or values.get("generator") != GENERATOR:
            raise RecipeError(f"{where} carries no recipe of {GENERATOR}")
        version = values.get("recipe_version")
        if not isinstance(version, int) or version > RECIPE_VERSION:
            raise RecipeError(
                f"{where} carries a recipe of version {version}, this {GENERATOR} knows up to"
                f" {RECIPE_VERSION}; upgrade {GENERATOR}"
            )
        if version < _NOVELTY_VERSION:
            values = {"novelty": 1.0, **values}
        try:
            recipe = from_dict(cls, values, "recipe")
            recipe._check_numbers()
            return recipe
        except ConfigError as error:
            raise RecipeError(f"{where} carries a damaged recipe: {error}") from error

    def _check_numbers(self) -> None:
        """Refuse numbers that no music was made with.

        Raises:
            ConfigError: names the first.
        """
        fits = {
            "seed": _is_seed(self.seed),
            "variations": all(
                _is_seed(item.seed) and 0 <= item.amount <= 1 for item in self.variations
            ),
            "seconds": 0 <= self.seconds < 1e6,
            "steps": 0 <= self.steps <= MAX_STEPS,
            "batch": 1 <= self.batch <= MAX_BATCH,
            "threads": 0 <= self.threads <= MAX_THREADS,
            "masks": all(0 <= start < stop < 1e6 for start, stop in self.masks),
            "loop_bars": 0 <= self.loop_bars <= MAX_LOOP_BARS,
            "context_seconds": 0 <= self.context_seconds < 1e6,
        }
        if wrong := [name for name, is_right in fits.items() if not is_right]:
            raise ConfigError(f"recipe.{wrong[0]} is {getattr(self, wrong[0])}, out of range")
        for passage in self.played:
            in_order = 0 <= passage.start <= passage.stop < 1e6
            if not (in_order and abs(passage.controls.downbeat) < 1e6):
                raise ConfigError(
                    f"recipe has music from {passage.start:g} to {passage.stop:g} s with a downbeat"
                    f" at {passage.controls.downbeat:g} s, out of range"
                )


def readable(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a recipe for people: full scores in words, not note by note."""
    found = dict(values)
    if "guide" in found:
        found["guide"] = _without_notes(found["guide"])
    if "passages" in found:
        found["passages"] = [
            {**passage, "controls": _without_notes(passage["controls"])}
            for passage in found["passages"]
        ]
    source = found.get("input") or {}
    if source.get("recipe") is not None:
        found["input"] = {**source, "recipe": _readable_input(source["recipe"])}
    return found


def _readable_input(values: dict[str, Any]) -> dict[str, Any]:
    """Return the recipe of an input; one that cannot be used stays as the file has it."""
    try:
        return readable(Recipe.from_dict(values).to_dict())
    except RecipeError:
        return values


def _without_notes(controls: dict[str, Any]) -> dict[str, Any]:
    score = controls.get("score")
    return controls if score is None else {**controls, "score": summary(score)}


def _is_seed(number: int) -> bool:
    return -(2**63) <= number < 2**64  # what torch takes


NAMES = {stored_key(item): item.name for item in dataclasses.fields(Recipe)}
"""Key in a file's recipe -> field of `Recipe`."""


def read_recipe(source: Source) -> Recipe:
    """Read the recipe that a file carries.

    Raises:
        AudioError: the file cannot be read.
        RecipeError: the file carries no recipe, or one that cannot be used.
    """
    text = read_recipe_text(source)
    if text is None:
        raise RecipeError(
            f"{name_of(source)} carries no recipe; only files written by jen1 do,"
            " until another program rewrites them"
        )
    return Recipe.from_json(text, name_of(source))


def find_recipe(source: Source) -> Recipe | None:
    """Return the recipe of a file, or None where it has none that we can read."""
    try:
        return read_recipe(source)
    except (RecipeError, AudioError):
        return None
