"""Files: atomic output, pipes as inputs, home folders.

Every writer uses `writing` or `writing_folder`. They yield a temporary name beside the target,
which is renamed at the end. So no reader sees an incomplete file, a failure of any kind (a full
disk, Ctrl-C) leaves no temporary file, and an old file is kept until then.
"""

import contextlib
import errno
import glob
import io
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jen1cli.errors import ConfigError, Jen1Error, OutputError

if TYPE_CHECKING:
    import tarfile

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_STEM = 40  # characters of a target's stem in its temporary name
_LEFTOVER = re.compile(r"\.(.{1,40})-[0-9a-f]{8}(?:\..*)?")
_IN_WORDS = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]")  # as Rust and shutil write it


@contextmanager
def writing(path: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary file that replaces the target on success.

    Symbolic links are followed, and a replaced file keeps its mode. A FIFO or a character device
    receives the bytes of the finished file. On failure the temporary file is removed.

    Args:
        path: target.
        overwrite: whether an existing file is replaced. If not, a file that appears during writing
            is kept, and the new one is removed.

    Yields:
        an empty file with the suffix of `path`, in the same folder.

    Raises:
        OutputError: the path cannot be written, the disk is full, or a file is in the way.
        BrokenPipeError: the reader of a FIFO has left.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(explaining(path))
        target = destination(path)
        sent = is_stream(target)
        folder = target.parent
        if sent:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jen1-")))
        temporary = folder / _temporary_name(target, secrets.token_hex(4))
        stack.callback(_remove, temporary)
        temporary.touch()
        mode = temporary.stat().st_mode  # some libraries would create theirs with another mode
        with _naming_target(temporary, path):
            yield temporary
        if sent:
            _send(temporary, target)
            return
        if overwrite and target.exists():
            mode = target.stat().st_mode
        with contextlib.suppress(PermissionError):  # FAT stores no modes
            temporary.chmod(stat.S_IMODE(mode))
        if overwrite:
            os.replace(temporary, target)
        else:
            _rename_to_free(temporary, target)


def leftovers(path: Path) -> list[Path]:
    """Return the temporary files of `writing` that killed processes have left beside a target."""
    start, _, end = _temporary_name(path, "\0").partition("\0")
    return sorted(path.parent.glob(glob.escape(start) + "[0-9a-f]" * 8 + glob.escape(end)))


@contextmanager
def writing_together(*paths: Path, overwrite: bool = True) -> Iterator[tuple[Path, ...]]:
    """Yield temporary files for several targets; either all are replaced or none.

    They are renamed in reverse order. If one fails, the earlier ones are undone: replaced files
    are restored.

    Args:
        paths: targets.
        overwrite: see `writing`.

    Yields:
        one temporary file for each path.

    Raises:
        OutputError: see `writing`.
    """
    with contextlib.ExitStack() as kept, contextlib.ExitStack() as files:
        temporaries = [files.enter_context(writing(path, overwrite=overwrite)) for path in paths]
        yield tuple(temporaries)
        placed = [
            (target, temporary.stat(), kept.enter_context(_second_name(target)))
            for target, temporary in zip(map(destination, paths), temporaries, strict=True)
            if not is_stream(target)
        ]
        try:
            files.close()
        except BaseException:
            for target, made, old in placed:
                with contextlib.suppress(OSError):
                    if os.path.samestat(target.stat(), made):
                        os.replace(old, target) if old else target.unlink()
            raise


@contextmanager
def writing_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that replaces `folder`, if it exists, on success.

    A crash at any moment keeps the old or the new folder, the old one perhaps as `NAME.old`.

    Raises:
        OutputError: it cannot be written, or the disk is full.
    """
    with explaining(folder):
        folder = Path(os.path.realpath(folder))
        new, old = (folder.with_name(folder.name + end) for end in (".partial", ".old"))
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(new, ignore_errors=True)  # left by a killed process
        new.mkdir()
        try:
            with _naming_target(new, folder):
                yield new
            if folder.exists():
                shutil.copymode(folder, new)
                shutil.rmtree(old, ignore_errors=True)
                os.rename(folder, old)
            try:
                os.rename(new, folder)
            except BaseException:
                if old.exists() and not folder.exists():
                    os.rename(old, folder)
                raise
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(new, ignore_errors=True)


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Convert system errors to an `OutputError` that names the output.

    Raises:
        OutputError: the system, or a library that quotes it, reports an error.
    """
    try:
        yield
    except (Jen1Error, BrokenPipeError):
        raise
    except Exception as error:
        number = _error_number(error)
        if number is None:
            raise
        remedy = "free some space" if number in _FULL else "mend that or choose another output"
        raise OutputError(f"cannot write {path}: {os.strerror(number)}; {remedy}") from error


def write_text(path: Path, text: str, *, overwrite: bool = True) -> Path:
    """Write a text file atomically in UTF-8; see `encoded`.

    Raises:
        OutputError: it cannot be written.
    """
    with writing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(encoded(text))
    return path


def remove_leftovers(folder: Path, stems: Collection[str]) -> None:
    """Remove temporary files that `writing` left when its process was killed.

    Args:
        folder: folder of the targets; it may be missing.
        stems: names of the targets without suffix, which no other process writes now.

    Raises:
        OutputError: the folder cannot be listed.
    """
    short = {stem[:_STEM] for stem in stems}
    with explaining(folder), contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            left = _LEFTOVER.fullmatch(entry.name)
            if left is not None and left[1] in short:
                _remove(Path(entry.path))


def encoded(text: str) -> bytes:
    r"""Return text in UTF-8.

    Lone surrogates, Python's form of file names that are not UTF-8, are written as escapes such
    as `\udce9`, which JSON reads as the same string.
    """
    return text.encode("utf-8", "backslashreplace")


def destination(path: Path) -> Path:
    """Resolve links to the file to write, and check that it can be written.

    Raises:
        OutputError: it is a folder, block device or loop of links, or its folder does not exist.
    """
    if is_stream(path):
        return path
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    if target.is_symlink():
        raise OutputError(f"{path} is a link that leads in a circle; give the name of a file")
    if target.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file")
    if target.is_block_device():
        raise OutputError(f"{path} is a disk; give the name of a file")
    if not target.parent.is_dir():
        seen = "is a file" if target.parent.exists() else "does not exist"
        raise OutputError(
            f"the folder {target.parent} {seen}, so {path} cannot be written;"
            " make it or choose another output"
        )
    return target


def make_folder(folder: Path) -> Path:
    """Make a folder and its missing parents.

    Raises:
        OutputError: it cannot be made.
    """
    with explaining(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def reserve(file: int, size: int) -> None:
    """Allocate disk space for an open file.

    Writing to the memory map of a sparse file kills the process if the disk is full.

    Raises:
        OSError: the disk has too little space.
    """
    if size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.truncate(file, size)


def add_to_tar(tar: "tarfile.TarFile", name: str, data: bytes) -> int:
    """Add a file without date or owner to a tar file; return the byte offset of its data."""
    from tarfile import BLOCKSIZE, TarInfo  # not for --help, since it takes its time to load

    info = TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
    return tar.offset - -(-info.size // BLOCKSIZE) * BLOCKSIZE


def is_stream(path: Path) -> bool:
    """Whether a path is a FIFO, socket or character device, which is read once and in order."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)


def is_device(path: Path) -> bool:
    """Whether a path is a device of characters or a disk."""
    try:
        return path.is_char_device() or path.is_block_device()
    except (OSError, ValueError):
        return False


def refuse_pipe(path: Path, what: str) -> None:
    """Refuse a pipe or device where a file must be seekable.

    Args:
        path: target.
        what: name of the option, for the message, such as "--lora".

    Raises:
        ConfigError: it is a pipe or device.
    """
    if is_stream(path):
        raise ConfigError(
            f"{what} {path} is a pipe or a device, which can be read only once; save what comes"
            " over it as a file and give that"
        )


def byte_name(path: str | Path) -> Any:  # noqa: ANN401 - soundfile's types do not know bytes
    """Return a file name as bytes, which soundfile needs for names that are not UTF-8."""
    return os.fsencode(path)


def expand_user(path: str | Path) -> Path:
    """Replace a leading `~` or `~user` by that user's home folder.

    Raises:
        ConfigError: there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ConfigError(
            f"{path} names a user that is not on this machine; write the whole path"
        ) from error


def _rename_to_free(temporary: Path, target: Path) -> None:
    """Rename without replacing a file: by a hard link if supported, else by a placeholder."""
    try:
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise
        except (OSError, AttributeError):  # FAT, some network shares
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            try:
                os.replace(temporary, target)
            except BaseException:
                target.unlink()
                raise
    except FileExistsError:
        raise OutputError(
            f"{target} exists; use --force to replace it or choose another output"
        ) from None


def _temporary_name(target: Path, letters: str) -> str:
    return f".{target.stem[:40]}-{letters}{target.suffix[:20]}"


def _send(temporary: Path, target: Path) -> None:
    with (
        temporary.open("rb") as source,
        os.fdopen(os.open(target, os.O_WRONLY | getattr(os, "O_BINARY", 0)), "wb") as stream,
    ):
        shutil.copyfileobj(source, stream)


@contextmanager
def _second_name(target: Path) -> Iterator[Path | None]:
    """Keep a file that will be replaced, by a hard link or a copy; None if there is no file."""
    if not target.exists():
        yield None
        return
    second = target.with_name(f".{target.stem[:40]}-{secrets.token_hex(4)}.old")
    try:
        try:
            os.link(target, second)
        except (OSError, AttributeError):  # FAT, some network shares
            shutil.copy2(target, second)
        yield second
    finally:
        _remove(second)


def _remove(temporary: Path) -> None:
    with contextlib.suppress(OSError):
        temporary.unlink(missing_ok=True)


@contextmanager
def _naming_target(temporary: Path, target: Path) -> Iterator[None]:
    """Replace the temporary name by the target's in errors."""
    try:
        yield
    except OutputError as error:
        raise OutputError(str(error).replace(str(temporary), str(target))) from error


def _error_number(error: Exception) -> int | None:
    """Return the errno of an error, also if it is only in the message of a library."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _IN_WORDS.search(str(error))
    return int(found[1] or found[2]) if found else None
