"""`jen1 info`: what a file is and how it was made."""

import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jen1cli.cli import options, streams, terminal
from jen1cli.cli.inputs import LATENT_SUFFIXES, Faults
from jen1cli.cli.loras import is_lora, lora_facts
from jen1cli.cli.music.scores import Midi, plan_inputs_midi
from jen1cli.cli.music.watermarks import watermark_facts, watermark_text
from jen1cli.errors import AudioError, ConfigError
from jen1cli.headers import read_header, read_latent_header
from jen1cli.music.controls import WRITTEN

if TYPE_CHECKING:
    from jen1cli.audio import Source
    from jen1cli.recipe import Recipe


def info(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE", help="Audio or latent files, or '-' for stdin.", show_default=False
        ),
    ],
    midi: Midi = None,
    force: options.Force = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Exit with code 1 unless each file has a valid C2PA manifest.",
        ),
    ] = False,
    watermark: Annotated[
        bool,
        typer.Option(
            "--watermark",
            help="Search the sound itself for the watermark of jen1-mini's decoder.",
        ),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Show the recipe that a file carries, and the facts of its sound."""
    faults = Faults()
    shown = 0
    scores = plan_inputs_midi(midi, files, force=force)
    for given, score in zip(files, scores, strict=True):
        with faults.kept():
            facts = read_facts(given, score, force=force, watermark=watermark)
            if as_json:
                terminal.echo_json(facts)
            else:
                terminal.echo(*[""] * bool(shown), *_table(facts))
            shown += 1
            if verify:
                _require_manifest(facts)
    faults.raise_collected()


def _require_manifest(facts: dict[str, Any]) -> None:
    """Refuse a file that is not as it was signed.

    Raises:
        SigningError: its manifest is not valid, or there is none.
    """
    from jen1cli.provenance import SigningError

    manifest = facts.get("c2pa")
    if manifest is None:
        raise SigningError(f"{facts['path']} has no C2PA manifest")
    if manifest["state"] != "valid":
        words = _state_in_words(manifest)
        if manifest["state"] == "unverified":
            words += f": {', '.join(manifest['problems'])}"
        raise SigningError(f"the C2PA manifest of {facts['path']} is {words}")


def _write_score(given: str, recipe: "Recipe", path: Path, *, force: bool) -> None:
    """Write the score that a recipe holds.

    Raises:
        ConfigError: it holds none.
    """
    from jen1cli.midi import has_score, write_midi

    if not has_score(recipe.played):
        raise ConfigError(f"the recipe of {given} holds no score, so there is no MIDI to write")
    write_midi(path, recipe.played, sections=recipe.sections, overwrite=force)


def read_facts(
    given: str, score: Path | None = None, *, force: bool = False, watermark: bool = False
) -> dict[str, Any]:
    """Return all facts of a file as JSON values.

    Args:
        given: path, or '-' for stdin.
        score: MIDI file, to which the score of the recipe is written.
        force: whether an existing one is replaced.
        watermark: whether the sound is searched for a watermark.

    Raises:
        Jen1Error: the file cannot be read, or the score not be written.
    """
    from jen1cli import audio
    from jen1cli.recipe import RecipeError, read_recipe, readable

    if given.lower().endswith(LATENT_SUFFIXES):
        if score is not None:
            raise ConfigError(f"{given} is a latent file, which holds no score")
        if watermark:
            raise ConfigError(f"{given} is a latent file; only sound carries a watermark")
        return _latent_facts(Path(given))
    source = streams.open_source(given)
    about = audio.probe(source)
    facts: dict[str, Any] = {
        "path": given,
        "seconds": round(about.seconds, 6),
        "sample_rate": about.sample_rate,
        "channels": about.channels,
        "samples": about.samples,
        "format": about.format,
        "subtype": about.subtype,
        **_marks(source),
        "recipe": None,
    }
    if watermark:
        facts["watermark"] = watermark_facts(source)
    try:
        recipe = read_recipe(source)
    except (RecipeError, AudioError) as error:  # the sound can be read, so it is the recipe's fault
        if score is not None:
            raise
        facts["no_recipe"] = str(error)
        return facts
    if recipe.signature == "c2pa" and facts["c2pa"] is None:
        facts["c2pa"] = {"state": "missing", "problems": []}
    facts["recipe"] = readable(recipe.to_dict())
    if score is not None:
        _write_score(given, recipe, score, force=force)
        facts["midi"] = str(score)
    return facts


def _marks(source: "Source") -> dict[str, Any]:
    """Return the digital source type and the verified C2PA manifest of a file."""
    from jen1cli import audio
    from jen1cli.provenance import describe_manifest, is_installed

    marks = audio.read_marks(source)
    facts: dict[str, Any] = {"digital_source_type": marks.source_type, "c2pa": None}
    if not marks.signed:
        return facts
    if is_installed():
        place = source if isinstance(source, io.BytesIO) else Path(source)
        facts["c2pa"] = describe_manifest(place, marks.format, expands=marks.expands)
    else:
        problem = "there is a manifest; to verify it: pip install 'jen1cli[provenance]'"
        facts["c2pa"] = {"state": "unverified", "problems": [problem]}
    return facts


def _manifest_rows(manifest: dict[str, Any]) -> list[str]:
    """Return the rows of a manifest; the words of others stand in quotation marks."""
    rows = [_row("C2PA manifest", _state_in_words(manifest))]
    signer = manifest.get("signer")
    if signer is not None:
        words = " ".join(signer.split()).replace("\\", "\\\\").replace('"', '\\"')
        signer = f'"{words}"'
    notes = {
        None: "",
        "valid": " (with its manifest)",
        "invalid": " (its manifest is INVALID)",
        "unverified": " (its manifest is not verified)",
    }
    ingredients = [item["name"] + notes[item["state"]] for item in manifest.get("ingredients", [])]
    certificate = None
    if signer is not None:
        certificate = (
            "the self-made one in your folder of settings (integrity, not identity)"
            if manifest["self_made"]
            else "nobody vouches for its name (integrity, not identity)"
        )
    details = {
        "problems": manifest["problems"],
        "signer": signer,
        "certificate": certificate,
        "signed at": manifest.get("time"),
        "program": manifest.get("program"),
        "actions": manifest.get("actions"),
        "digital source type": manifest.get("digital_source_types"),
        "ingredients": ingredients,
    }
    return rows + [_row(f"  {key}", value) for key, value in details.items() if value]


def _state_in_words(manifest: dict[str, Any]) -> str:
    from jen1cli.provenance import why_invalid

    problems = manifest["problems"]
    return {
        "valid": "valid: the file is as it was signed; jen1 does not know whether the signer is"
        " who the certificate says",
        "invalid": f"INVALID: {why_invalid(problems)}",
        "missing": "MISSING: the recipe says that the file was signed; another program has"
        " rewritten it since, or removed the manifest",
        "unverified": "not verified",
    }[manifest["state"]]


def _latent_facts(path: Path) -> dict[str, Any]:
    header = read_header(path)
    if is_lora(header):
        return lora_facts(path, header)
    latent = read_latent_header(path)
    return {
        "path": str(path),
        **header.metadata,
        **dataclasses.asdict(latent),
        "seconds": round(latent.seconds, 6),
    }


def _table(facts: dict[str, Any]) -> list[str]:
    lines = [str(facts["path"])]
    recipe = facts.get("recipe")
    for key, value in facts.items():
        if key == "c2pa" and value is not None:
            lines += _manifest_rows(value)
        elif key == "watermark" and value is not None:
            lines.append(_row(key, watermark_text(value)))
        elif key not in ("path", "recipe", "no_recipe") and not _is_idle(value):
            lines.append(_row(key, value))
    if recipe is None:
        if "no_recipe" in facts:
            lines.append(_row("recipe", facts["no_recipe"]))
        return lines
    lines.append("recipe")
    from jen1cli.recipe import NAMES

    for key, value in recipe.items():
        name = NAMES[key]
        if name == "passages":
            lines.extend(_row("  played", _passage_text(passage)) for passage in value)
            continue
        shown = {name: value}
        if name == "variations":
            shown = {name: [f"{item['amount']:g} of seed {item['seed']}" for item in value]}
        if name == "controls":
            given = {control: text for control, text in _spelled(value).items() if text}
            rows = (*WRITTEN, "score")  # a row for each
            written = {control: given.pop(control, "") for control in rows}
            shown = {name: given, **written}
        lines.extend(_row("  " + k, v) for k, v in shown.items() if not _is_idle(v))
    lines.extend(_row("  lora", lora) for lora in recipe["model"].get("loras", ()))
    return lines


def _passage_text(passage: dict[str, Any]) -> str:
    """Return the interval of a passage and its tempo, key and chords: "3-6 s, 92 bpm, C major"."""
    from jen1cli.music.controls import Controls
    from jen1cli.typed_json import from_dict

    controls = from_dict(Controls, {**passage["controls"], "score": None})
    interval = f"{passage['start']:.4g}-{passage['stop']:.4g} s"
    return ", ".join(filter(None, (interval, controls.describe(), passage["controls"]["score"])))


def _spelled(controls: dict[str, Any]) -> dict[str, Any]:
    """Return controls whose key and chords are spelled as the key asks; recipes store sharps."""
    from jen1cli.music.chords import TONICS, chart_text, parse_chart
    from jen1cli.music.keys import note_names

    names = note_names(controls["key"], controls["mode"])
    spelled = dict(controls)
    if controls["key"]:
        spelled["key"] = names[TONICS.index(controls["key"])]
    if controls["chords"]:
        spelled["chords"] = chart_text(parse_chart(controls["chords"]), names)
    return spelled


def _is_idle(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return value is None or value in ("", [], (), {})


def _range(numbers: Sequence[float]) -> str:
    return "-".join(f"{number:g}" for number in numbers)


def _row(key: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, float):
        text = f"{value:g}" if abs(value) < 1 else f"{value:.3f}".rstrip("0").rstrip(".")
    elif isinstance(value, dict):
        text = "  ".join(
            f"{k}: {v}" for k, v in value.items() if v and not isinstance(v, (dict, list, tuple))
        )
    elif isinstance(value, (list, tuple)):
        text = ", ".join(
            _range(item) if isinstance(item, list | tuple) else str(item) for item in value
        )
    else:
        text = str(value)
    return f"  {key.replace('_', ' '):<29}{text}"
