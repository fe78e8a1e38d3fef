"""The bodies of requests, read strictly: unknown fields and values out of range are refused."""

import base64
import binascii
import typing
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from jen1cli.config import ComposerName, DirectionName, SamplerName
from jen1cli.errors import ConfigError
from jen1cli.midi import KEEP, Tune, read_midi
from jen1cli.music.controls import BEATS, NO_CONTROLS, SIXTEENTHS, Controls
from jen1cli.music.instruments import parse_instruments
from jen1cli.music.patterns import DRUMS, REST, STROKE, drums_text
from jen1cli.music.spelling import spelled_controls
from jen1cli.music.texts import check_prompt, check_text
from jen1cli.sampling import (
    DEFAULT_BARS,
    DEFAULT_SECONDS,
    MAX_GUIDANCE_SCALE,
    MAX_LOOP_BARS,
    MAX_SECONDS,
    MAX_SEED,
    MAX_STEPS,
    MIN_SECONDS,
    SETTINGS,
    SamplingOptions,
)
from jen1cli.server.errors import ApiError, of_validation
from jen1cli.server.names import one_line
from jen1cli.typed_json import from_dict

MAX_SCORE_CHARACTERS = 8 * 2**20  # characters of base64
FormatName = Literal["wav", "flac", "mp3", "ogg", "opus", "aiff"]
RequestName = Literal["generate", "inpaint", "continue", "vary"]
Seconds = Annotated[float, Field(ge=MIN_SECONDS, le=MAX_SECONDS, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Text = Annotated[str, Field(max_length=200_000)]
_SUBTYPES = {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"}


class MusicRequest(BaseModel):
    """The fields of all tasks."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    input: Annotated[
        str, Field(max_length=4_000, description="The prompt; empty: whatever fits.")
    ] = ""
    model: Annotated[str | None, Field(description="Name of the loaded model, as a check.")] = None
    seed: Annotated[Seed | None, Field(description="Left out: drawn.")] = None
    negative_prompt: Annotated[str | None, Field(max_length=4_000)] = None
    guidance_scale: Annotated[float | None, Field(ge=0.0, le=MAX_GUIDANCE_SCALE)] = None
    num_inference_steps: Annotated[int | None, Field(ge=1, le=MAX_STEPS)] = None
    sampler: SamplerName | None = None
    distilled: Annotated[
        bool | None, Field(description="With the network that has the guidance in it.")
    ] = None
    composer: ComposerName | None = None
    style: Annotated[str | None, Field(max_length=100)] = None
    instruments: Annotated[
        str | None, Field(max_length=1_000, description="Families, such as 'piano, strings'.")
    ] = None
    bpm: float | None = None
    metre: Literal[tuple(BEATS)] | None = None  # type: ignore[valid-type]
    key: Annotated[str | None, Field(max_length=40, description="Such as 'D minor'.")] = None
    chords: Annotated[Text | None, Field(description="Such as 'Am F C G'.")] = None
    drums: Annotated[
        Text | dict[str, str | list[int]] | None,
        Field(description="'kick x.x. snare .x.x', or rows by drum, of text or of 0 and 1."),
    ] = None
    melody: Annotated[Text | None, Field(description="Such as 'C5 - E5 G5 | A5 - - .'.")] = None
    score: Annotated[
        str | None, Field(max_length=MAX_SCORE_CHARACTERS, description="MIDI file in base64.")
    ] = None
    keep: Annotated[
        list[Literal[KEEP]] | None,  # type: ignore[valid-type]
        Field(description="What is kept of the score; left out: all."),
    ] = None
    melody_track: Annotated[str | None, Field(max_length=200)] = None
    controls: Annotated[
        dict[str, Any] | None,
        Field(description="Controls in the form of a recipe, in place of the fields above."),
    ] = None
    response_format: Annotated[
        FormatName | None, Field(description="Left out: that of the recording, else wav.")
    ] = None
    bit_depth: Annotated[
        Literal[16, 24, 32] | None, Field(description="Of wav, flac and aiff; 32 is float.")
    ] = None
    provenance: Annotated[
        bool | None, Field(description="Sign with a C2PA manifest; left out: as the server does.")
    ] = None

    file_name: Annotated[
        str | None,
        Field(max_length=4_096, description="Name of the recording in the recipe; never opened."),
    ] = None

    @field_validator("score")
    @classmethod
    def _check_score(cls, text: str | None) -> str | None:
        if text is not None:
            _decoded(text)
        return text

    @property
    def subtype(self) -> str | None:
        """Libsndfile's name of the encoding; None for that of the format."""
        return None if self.bit_depth is None else _SUBTYPES[self.bit_depth]

    def tune(self) -> Tune | None:
        """Return what was read of the score; None without one.

        Raises:
            Jen1Error: it cannot be used, or fields that belong to one are given without.
        """
        if self.score is None:
            for name in ("keep", "melody_track"):
                if getattr(self, name) is not None:
                    raise ConfigError(f"{name} chooses from a score; give one, or leave it out")
            return None
        given = self._given()
        return read_midi(
            _decoded(self.score),
            name="the score",
            melody_track=self.melody_track or "",
            bpm=given.bpm,
            key=(given.key, given.mode),
        )

    def sampling(self) -> SamplingOptions:
        """Return what was given, as keyword arguments of every method that samples.

        Raises:
            Jen1Error: a value is not in its grammar.
        """
        from jen1cli.composition.styles import check_style

        found: dict[str, Any] = {name: getattr(self, name, None) for name in SETTINGS}
        found["steps"] = self.num_inference_steps
        if self.style is not None:
            check_style(self.style)
        if self.negative_prompt is not None:
            check_text(self.negative_prompt, "negative_prompt")
        if self.instruments is not None:
            found["instruments"] = parse_instruments(self.instruments)
        found["controls"] = self._controls()
        options = {
            name: value for name, value in found.items() if value not in (None, (), NO_CONTROLS)
        }
        return typing.cast(SamplingOptions, options)

    def words(self) -> str:
        """Return the checked prompt; empty if there is none.

        Raises:
            ConfigError: it cannot be read.
        """
        return check_prompt(self.input, "input") if self.input.strip() else ""

    def _controls(self) -> Controls:
        tune, given = self.tune(), self._given()
        if self.controls is not None:
            if tune is not None or given != NO_CONTROLS:
                raise ConfigError(
                    "controls stand for tempo, key, chords, drums, melody and score; leave these"
                    " or them out"
                )
            return from_dict(Controls, self.controls, "controls", complete=False)
        if tune is None:
            return given
        return tune.controls_under(given, KEEP if self.keep is None else self.keep)

    def _given(self) -> Controls:
        drums = self.drums
        if isinstance(drums, dict):
            drums = _rows_text(drums, self.metre or "4/4")
        return spelled_controls(
            self.bpm, self.key, self.chords, drums, self.melody, meter=self.metre
        )


class GenerateRequest(MusicRequest):
    """Music from text."""

    audio_length: Annotated[
        Seconds | None, Field(description="Seconds; left out: those of the score, or 10.")
    ] = None
    direction: DirectionName = "bidirectional"
    loop: bool = False
    bars: Annotated[int | None, Field(ge=1, le=MAX_LOOP_BARS)] = None
    form: Annotated[
        Text | None, Field(description="Sections: 'verse:8[Am F C G] chorus:8 end'.")
    ] = None

    def length(self) -> dict[str, Any]:
        """Return the length as keyword argument of `Jen1.generate`.

        Raises:
            ConfigError: two lengths, or none that can be made.
        """
        if not self.loop:
            if self.bars is not None:
                raise ConfigError("bars counts the bars of a loop; give loop: true")
            if self.audio_length is not None or self.form is not None:
                return {"seconds": self.audio_length}
            tune = self.tune()
            seconds = DEFAULT_SECONDS if tune is None else tune.seconds
            if seconds > MAX_SECONDS:
                raise ConfigError(
                    f"the score is {seconds:g} s long, more than the {MAX_SECONDS:g} s made at"
                    " once; give audio_length for its beginning"
                )
            return {"seconds": max(MIN_SECONDS, seconds)}
        if self.audio_length is not None:
            raise ConfigError("a loop is as long as its bars; leave audio_length out")
        if self.direction != "bidirectional":
            raise ConfigError("a loop has no direction; leave it out")
        tune = self.tune() if self.bars is None else None
        if tune is None:
            return {"loop_bars": self.bars or DEFAULT_BARS}
        if tune.bars > MAX_LOOP_BARS:
            raise ConfigError(
                f"the score has {tune.bars} bars, more than the {MAX_LOOP_BARS} of a loop; give"
                " bars for its beginning"
            )
        return {"loop_bars": tune.bars}


Novelty = Annotated[
    float | None,
    Field(ge=0.0, le=1.0, description="0 copies what the recording repeats, 1 is all new."),
]


class InpaintRequest(MusicRequest):
    """Ranges of a recording anew."""

    novelty: Novelty = None
    masks: Annotated[list[str], Field(min_length=1, max_length=1_000, description="'3-6s', …")]


class ContinueRequest(MusicRequest):
    """A recording made longer."""

    audio_length: Annotated[
        Seconds | None, Field(description="Seconds of new music; left out: as the score, or 10.")
    ] = None
    side: Literal["right", "left"] = "right"
    direction: DirectionName | None = None
    context: Annotated[
        Seconds | None, Field(description="Seconds of known music that condition each window.")
    ] = None
    novelty: Novelty = None

    def seconds(self) -> float:
        """Return the length of the new music."""
        tune = self.tune() if self.audio_length is None else None
        chosen = DEFAULT_SECONDS if tune is None else tune.seconds
        return min(MAX_SECONDS, self.audio_length or chosen)


class VaryRequest(MusicRequest):
    """A variation of music that was made before."""

    amount: Annotated[
        float | None, Field(ge=0.0, le=1.0, description="Of new noise; 0 keeps the former one.")
    ] = None
    recipe: Annotated[
        dict[str, Any] | None, Field(description="Recipe of the music, in place of its file.")
    ] = None


AnyRequest = GenerateRequest | InpaintRequest | ContinueRequest | VaryRequest
REQUESTS: dict[str, type[AnyRequest]] = {
    "generate": GenerateRequest,
    "inpaint": InpaintRequest,
    "continue": ContinueRequest,
    "vary": VaryRequest,
}


def _check_name(name: str) -> str:
    """Return the name of a take as one line.

    Raises:
        ValueError: nothing of it would be seen.
    """
    if found := one_line(name):
        return found
    raise ValueError("a name has at least one letter")


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_check_name)]


class JobFields(BaseModel):
    """The fields of a job beside those of its task."""

    model_config = ConfigDict(extra="forbid")

    task: RequestName
    take: Annotated[str | None, Field(description="Take that is edited or varied.")] = None
    parent: Annotated[str | None, Field(description="Take that the result came from.")] = None
    name: Annotated[Name | None, Field(description="Of the resulting take.")] = None


class TakeName(BaseModel):
    """A new name of a take."""

    model_config = ConfigDict(extra="forbid")

    name: Name


def read_request(kind: type[BaseModel], values: object) -> Any:  # noqa: ANN401 - of that kind
    """Read a request from JSON values.

    Raises:
        ApiError: a field is unknown, missing or out of range.
    """
    try:
        return TypeAdapter(kind).validate_python(values, strict=True)
    except ValidationError as error:
        raise of_validation(error) from error


def read_job(values: object) -> tuple[JobFields, AnyRequest]:
    """Read the body of a job.

    Raises:
        ApiError: a field is unknown, missing or out of range.
    """
    if not isinstance(values, dict):
        raise ApiError(422, "invalid_value", "the body must be a JSON object")
    own = {name: values[name] for name in JobFields.model_fields if name in values}
    fields: JobFields = read_request(JobFields, own)
    rest = {name: value for name, value in values.items() if name not in own}
    return fields, read_request(REQUESTS[fields.task], rest)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the score is not base64; encode the bytes of a MIDI file") from error


def _rows_text(rows: dict[str, str | list[int]], metre: str) -> str:
    """Return a drum pattern from rows by drum: of text, or of 0 and 1 for each sixteenth.

    Raises:
        ConfigError: a drum is unknown, or a row has other numbers.
    """
    texts: dict[str, list[str]] = {}
    size = SIXTEENTHS[metre]
    for name, row in rows.items():
        if name not in DRUMS:
            raise ConfigError(f"unknown drum '{name[:40]}'; known: {', '.join(DRUMS)}")
        if isinstance(row, str):
            texts[name] = [bar.strip() for bar in row.split("|")]
            continue
        if not row or not set(row) <= {0, 1}:
            raise ConfigError(f"the row of {name} must be a list of 0 and 1")
        line = "".join(STROKE if stroke else REST for stroke in row)
        line += REST * (-len(line) % size)
        texts[name] = [line[at : at + size] for at in range(0, len(line), size)]
    return drums_text(texts)
