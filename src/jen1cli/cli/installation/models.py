"""`jen1 models`: weight sets on this machine and presets, with sizes, licences and places."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jen1cli.cli import options, terminal
from jen1cli.errors import Jen1Error
from jen1cli.headers import read_header
from jen1cli.typed_json import to_dict

if TYPE_CHECKING:
    from jen1cli.config import ModelConfig

app = typer.Typer(
    no_args_is_help=True,
    help="Show weight sets and presets.",
    context_settings=terminal.HELP_OPTIONS,
    add_completion=False,
)

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Weight set, its folder, or preset.", show_default=False),
]


@app.command("list")
def list_models(as_json: options.Json = False) -> None:
    """List the weight sets on this machine, and the presets."""
    from jen1cli.presets import PRESETS
    from jen1cli.weightsets import list_weights

    rows = [_about_set(found.name, found.folder, found.place) for found in list_weights()]
    rows += [
        {"name": name, "kind": "preset", "description": _describe(config)}
        for name, config in PRESETS.items()
    ]
    for row in rows:
        if as_json:
            terminal.echo_json(row)
        else:
            terminal.echo(_line(row))


@app.command("show")
def show(name: Name, as_json: options.Json = False) -> None:
    """Show one weight set or preset: parameters of each part, settings, licence, provenance."""
    facts = _facts(name)
    if as_json:
        terminal.echo_json(facts)
        return
    for key, value in facts.items():
        if isinstance(value, dict):
            terminal.echo(f"{key.replace('_', ' ')}")
            for inner, number in value.items():
                shown = f"{number:,}" if isinstance(number, int) else _short(number)
                terminal.echo(f"  {inner.replace('_', ' '):<23}{shown}")
        else:
            terminal.echo(f"{key.replace('_', ' '):<25}{_short(value)}")


@app.command("path")
def path(name: Name) -> None:
    """Print the folder of a weight set."""
    from jen1cli.weightsets import find_weights

    terminal.echo_path(find_weights(name).folder)


# T5 v1.1 large: 32,128 x 1,024 embeddings, 24 blocks of 4 x 1,024² attention, 3 x 1,024 x 2,816
# feed-forward and two norms, 32 x 16 relative positions, one last norm.
_TEXT_ENCODERS = {"google/flan-t5-large": 341_231_104}


def _facts(name: str) -> dict[str, Any]:
    """Return everything that is known of a weight set or preset, as JSON values."""
    from jen1cli.checkpoint import read_description
    from jen1cli.presets import PRESETS
    from jen1cli.weightsets import find_weights, list_weights

    trained = {found.name for found in list_weights()}
    if name in PRESETS and name not in trained and not Path(name).is_dir():
        config = PRESETS[name]
        facts: dict[str, Any] = {"name": name, "kind": "preset", "folder": None, "bytes": None}
        parameters = _count_preset(config)
        facts["weights"] = f"trained as {config.name}" if config.name in trained else "none here"
    else:
        found = find_weights(name)
        described = read_description(found.folder)
        config = described.config
        facts = {
            **_about_set(found.name, found.folder, found.place),
            "sha256": described.sha256,
        }
        parameters = _count_set(found.folder)
    known = [count for count in parameters.values() if count is not None]
    facts["licence"] = config.licence
    facts["parameters"] = {**parameters, "total": sum(known)}
    facts["sample_rate"] = config.autoencoder.sample_rate
    facts["audio_channels"] = config.autoencoder.audio_channels
    facts["frame_rate"] = config.frame_rate
    facts["latent_channels"] = config.autoencoder.latent_channels
    facts["diffusion_channels"] = config.whitening.components
    facts["text"] = config.text.source
    facts["generation"] = to_dict(config.generation)
    del facts["generation"]["level_axes"]  # numbers that say nothing to a reader
    facts["provenance"] = config.provenance
    return facts


def _about_set(name: str, folder: Path, place: str) -> dict[str, Any]:
    from jen1cli.checkpoint import read_description

    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    about: dict[str, Any] = {
        "name": name,
        "kind": "weights",
        "folder": str(folder),
        "place": place,
        "bytes": size,
    }
    try:
        config = read_description(folder).config
    except Jen1Error as error:
        return {**about, "problem": str(error)}
    return {
        **about,
        "release": config.release or None,
        "description": _describe(config),
        "licence": config.licence,
    }


def _describe(config: "ModelConfig") -> str:
    rate = config.autoencoder.sample_rate / 1000
    layout = "stereo" if config.autoencoder.audio_channels == 2 else "mono"
    return (
        f"{rate:g} kHz {layout}, {config.generation.window_seconds:g} s window,"
        f" {config.frame_rate:g} latent frames/s of {config.whitening.components}"
    )


def _count_set(folder: Path) -> dict[str, int | None]:
    counts = {"autoencoder": 0, "whitening": 0, "unet": 0, "controls": 0, "text_encoder": 0}
    for file in sorted(folder.rglob("*.safetensors")):
        header = read_header(file)
        if file.parent != folder:
            counts["text_encoder"] += header.count()
            continue
        for part in ("autoencoder", "whitening", "unet"):
            counts[part] += header.count(f"{part}.")
        counts["controls"] += header.count("prior.") + header.count("tracker.")
        counts["text_encoder"] += header.count("conditioning.")
    return dict(counts)


def _count_preset(config: "ModelConfig") -> dict[str, int | None]:
    import torch

    from jen1cli.autoencoder import Whitening, build_autoencoder
    from jen1cli.unet import UNet1d

    def count(module: torch.nn.Module) -> int:
        return sum(tensor.numel() for tensor in module.state_dict().values())

    with torch.device("meta"):
        unet = UNet1d(config.unet)  # the large part; the others measure their own constants
    return {
        "autoencoder": count(build_autoencoder(config.autoencoder)),
        "whitening": count(Whitening(config.whitening)),
        "unet": count(unet),
        "controls": 0,  # trained sets alone have them
        "text_encoder": _TEXT_ENCODERS.get(config.text.source),
    }


def _line(row: dict[str, Any]) -> str:
    size = f"{row['bytes'] / 1e6:.0f} MB" if "bytes" in row else "-"
    what = row.get("description") or f"damaged: {row['problem']}"
    if row.get("release"):
        what = f"release {row['release']}, {what}"
    place = row.get("folder", "preset, not trained")
    return f"{row['name']:<12}{size:>8}  {what}  {row.get('licence', '')}  {place}"


def _short(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)
