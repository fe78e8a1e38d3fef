"""Destinations of results: names, templates, folders, and checks before a model loads."""

import dataclasses
import os
import re
import string
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jen1cli.cli import streams
from jen1cli.errors import ConfigError
from jen1cli.files import destination, explaining, is_stream

FORMATS = {  # extension -> format
    "wav": "wav",
    "flac": "flac",
    "ogg": "ogg",
    "opus": "opus",
    "mp3": "mp3",
    "aiff": "aiff",
    "aif": "aiff",
}
FIELDS = ("slug", "seed", "index", "ext")
MAX_SLUG_CHARACTERS = 48
MAX_NAME_BYTES = 200  # most file systems allow 255


@dataclass(frozen=True)
class Result:
    """Fields of the file name of a future result."""

    slug: str
    seed: int | None
    index: int  # from 1
    folder: Path = Path()  # relative to the output folder, as in the tree of inputs
    is_of_folder: bool = False  # whether a folder was given as input


@dataclass(frozen=True)
class Target:
    """Destination of one result."""

    path: Path | None  # None is stdout
    extension: str  # without its dot; determines the format, independent of the path
    overwrite: bool = False  # replace a file of this name, also one that appears later
    # takes a result that goes to stdout
    stream: streams.FileStream = dataclasses.field(
        default_factory=streams.FileStream, compare=False, repr=False
    )

    @property
    def suffix(self) -> str:
        """The extension with its dot."""
        return f".{self.extension}"

    def check_format(self, sample_rate: int, channels: int) -> None:
        """Refuse a sample rate that the format does not have; see `audio.check_format`."""
        from jen1cli import audio

        audio.check_format(self.suffix, sample_rate, channels)


def slugify(text: str) -> str:
    """Convert a prompt to a part of a file name: letters of any script, digits and hyphens."""
    words = re.findall(r"\w+", text.lower().replace("_", " "))
    slug = "-".join(words)
    if len(slug) > MAX_SLUG_CHARACTERS:
        cut = slug[: MAX_SLUG_CHARACTERS + 1]
        slug = cut.rsplit("-", 1)[0] if "-" in cut else cut
        slug = slug[:MAX_SLUG_CHARACTERS]
    while len(slug.encode()) > MAX_NAME_BYTES:
        slug = slug[:-1]
    return slug.strip("-") or "music"


def plan_outputs(
    output: str | None,
    results: Sequence[Result],
    *,
    default_name: str,
    extension: str,
    format_name: str | None = None,
    extensions: Sequence[str] = tuple(FORMATS),
    force: bool = False,
) -> list[Target]:
    """Name every result, and check that it can be written.

    Args:
        output: the value of `-o`: file, folder, template, `-`, or None for the default name. A
            folder that does not exist is one by its slash, or as a name without extension for
            several results; it is created with the first of them.
        results: the results to come, at least one.
        default_name: template of the name where `-o` does not give one.
        extension: the extension where neither `-o` nor `--format` gives one.
        format_name: the value of `--format`.
        extensions: what may be written.
        force: whether files that exist are replaced.

    Raises:
        ConfigError: a name, folder or format that cannot be, or a file that exists.
    """
    chosen = None if format_name is None else _check_format(format_name, "--format", extensions)
    if output == "-":
        return [_to_stdout(results, chosen or extension)]
    folder = new_folder(output, results, format_name)
    template = _read_template(output if folder is None else f"{output}/", default_name)
    extension = _choose_extension(template, chosen, extension, extensions)
    has_tree = any(result.folder.parts for result in results)
    if has_tree and output is not None and not (is_folder(output) or folder):
        raise ConfigError(f"-o {output} is one file for a tree of inputs; give a folder")
    if len(results) > 1 and not any("{" + field in template for field in FIELDS[:3]):
        suffix = Path(template).suffix
        template = f"{template.removesuffix(suffix)}-{{index}}{suffix}"
    targets = [Target(_fill(template, result, extension), extension, force) for result in results]
    _check_distinct(targets)
    for target, result in zip(targets, results, strict=True):
        if target.path is not None:
            tree = result.folder if folder is None else Path(folder.name) / result.folder
            check_place(target.path, force=force, tree=tree)
    return targets


def new_folder(
    output: str | None, results: Sequence[Result], format_name: str | None = None
) -> Path | None:
    """Return the folder that `-o` creates, if any; see `plan_outputs`."""
    if output is None or os.path.lexists(output.rstrip("/" + os.sep)) or not output.strip():
        return None
    is_named = len(results) > 1 or any(r.folder.parts or r.is_of_folder for r in results)
    is_plain = format_name is None and not Path(output).suffix and "{" not in output
    return Path(output) if output.endswith(("/", os.sep)) or (is_named and is_plain) else None


def check_place(path: Path, *, force: bool, tree: Path = Path()) -> None:
    """Check that a file can be written, before any computation.

    Args:
        path: path of the future file.
        force: whether a file that exists is replaced.
        tree: the last folders of the path, which may be created.

    Raises:
        ConfigError: it cannot be written, or would replace a file.
        OutputError: it is a link to what cannot be written.
    """
    if is_stream(path):
        return
    with explaining(path):
        if path.exists() and not path.is_dir() and not force:
            raise ConfigError(f"{path} exists; use --force to replace it or choose another -o")
        _check_file(destination(path) if path.is_symlink() else path, tree)


def is_folder(output: str | None) -> bool:
    """Whether `-o` means a folder."""
    return output is not None and (output.endswith(("/", os.sep)) or os.path.isdir(output))


def _to_stdout(results: Sequence[Result], extension: str) -> Target:
    if len(results) > 1:
        raise ConfigError(
            f"-o - takes one result but {len(results)} were asked for; give -o FOLDER or a template"
        )
    streams.check_stdout()
    return Target(None, extension)


def _read_template(output: str | None, default_name: str) -> str:
    if output is None:
        return default_name
    if output.strip() == "":
        raise ConfigError("-o is empty; give a file, a folder or '-'")
    if is_folder(output):
        return str(Path(output.replace("{", "{{").replace("}", "}}")) / default_name)
    _check_fields(output)
    return output


def _choose_extension(
    template: str, chosen: str | None, default: str, extensions: Sequence[str]
) -> str:
    """Pick the extension: the template's own where it names a format, `--format`, the default."""
    suffix = Path(template).suffix.removeprefix(".")
    if suffix == "{ext}":
        return chosen or default
    if suffix.lower() not in extensions:
        if chosen is not None:
            return chosen  # `-o take.v2 --format wav` is written as `take.v2`
        if is_stream(Path(template)):
            return default
        if suffix == "" or "{" in suffix:
            raise ConfigError(
                f"-o {template} has no extension; write {template}.{default}, or {template}/ for a"
                " folder"
            )
    named = _check_format(suffix, f"-o {template}", extensions)
    if chosen is not None and FORMATS.get(named) != FORMATS.get(chosen):
        raise ConfigError(
            f"-o {template} names {named} but --format says {chosen}; make them agree"
        )
    return named


def _check_fields(template: str) -> None:
    known = ", ".join("{" + field + "}" for field in FIELDS)
    try:
        fields = [part[1] for part in string.Formatter().parse(template) if part[1] is not None]
    except ValueError as error:
        raise ConfigError(
            f"-o {template} is no template ({error}); known fields: {known}"
        ) from None
    for field in fields:
        if field not in FIELDS:
            raise ConfigError(
                f"-o {template} has an unknown field '{{{field}}}'; known: {known};"
                f" a brace that belongs to a name is written twice: {{{{{field}}}}}"
            )


def _check_format(extension: str, where: str, extensions: Sequence[str]) -> str:
    lower = extension.lower().removeprefix(".")
    if lower not in extensions:
        raise ConfigError(
            f"{where} asks for the unknown format '{extension}'; known: {', '.join(extensions)}"
        )
    return lower


def _fill(template: str, result: Result, extension: str) -> Path:
    try:
        path = Path(
            template.format(slug=result.slug, seed=result.seed, index=result.index, ext=extension)
        )
    except (ValueError, TypeError, OverflowError, MemoryError) as error:
        raise ConfigError(
            f"-o {template} cannot be filled in ({error}); use {{index}} or {{seed}}"
        ) from None
    return path.parent / result.folder / path.name


def _check_distinct(targets: Sequence[Target]) -> None:
    seen = set()
    for target in targets:
        if target.path in seen:
            raise ConfigError(
                f"two results would both be {target.path}; put {{index}} or {{seed}} into -o"
            )
        seen.add(target.path)


def _check_file(path: Path, tree: Path) -> None:
    folder = path.parent
    root = folder
    for _ in tree.parts:
        root = root.parent
    if not root.exists():
        raise ConfigError(f"the output folder {root} does not exist; create it: mkdir -p {root}")
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise ConfigError(f"{folder} is a file, so {path} cannot be written; choose another -o")
    if path.is_dir():
        raise ConfigError(f"{path} is a folder; give a file name, or {path}/ to write into it")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"nothing can be written to {folder} ({error.strerror}); choose another -o"
        ) from error
