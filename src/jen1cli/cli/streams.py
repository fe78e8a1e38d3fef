"""Binary audio over stdin and stdout, but never on a terminal."""

import contextlib
import hashlib
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from jen1cli.errors import AudioError
from jen1cli.files import is_stream

_BLOCK = 1 << 20
MAX_STDIN_BYTES = 4 * 1024**3  # an hour of 48 kHz stereo float is 1.4 GB


def open_source(given: str, what: str = "audio") -> io.BytesIO | Path:
    """Return the path of a file, or all bytes from stdin ('-') or a named pipe.

    Raises:
        AudioError: see `read_stdin`; or the path is a device.
    """
    if given == "-":
        return read_stdin(what)
    path = Path(given)
    if not is_stream(path):
        return path
    if path.is_char_device():
        raise AudioError(f"{given} is a device; give a file or a pipe with {what}")
    try:
        with path.open("rb") as pipe:
            return _read_all(pipe.read, what, given)
    except OSError as error:
        raise AudioError(f"{given} cannot be read: {error.strerror}; give a file") from error


def read_stdin(what: str = "audio") -> io.BytesIO:
    """Read all bytes from stdin.

    Raises:
        AudioError: stdin is closed, a terminal, empty, or without end.
    """
    check_stdin(what)
    try:
        return _read_all(sys.stdin.buffer.read, what, "stdin")
    except (OSError, ValueError) as error:
        raise AudioError(f"stdin cannot be read ({error}); give a file instead of '-'") from error


def check_stdin(what: str = "audio") -> None:
    """Check that stdin is open and no terminal.

    Raises:
        AudioError: stdin is closed or a terminal.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise AudioError(f"stdin is closed, so no {what} can be read from '-'; give a file")
    if sys.stdin.isatty():
        raise AudioError(f"'-' reads {what} from stdin, which is a terminal; pipe a file into it")


def _read_all(read: Callable[[int], bytes], what: str, name: str) -> io.BytesIO:
    data = read(MAX_STDIN_BYTES + 1)
    if not data:
        raise AudioError(f"no {what} came over {name} (0 bytes); did the command before fail?")
    if len(data) > MAX_STDIN_BYTES:
        raise AudioError(f"more than {MAX_STDIN_BYTES} bytes came over {name}; give a file")
    return io.BytesIO(data)


def check_stdout(what: str = "audio") -> None:
    """Check that stdout is open and not a terminal.

    Raises:
        AudioError: stdout is closed or a terminal.
    """
    if sys.stdout is None or sys.stdout.closed:
        raise AudioError(f"stdout is closed, so no {what} can be written to '-'; give -o FILE")
    if sys.stdout.isatty():
        raise AudioError(
            f"'-o -' writes {what} to stdout, which is a terminal; pipe it onwards or give -o FILE"
        )


class FileStream:
    """Sends a file over stdout; its beginning may be sent before the rest is known."""

    def __init__(self) -> None:
        self._size = 0
        self._digest = hashlib.sha256().digest()

    def begin(self, path: Path, size: int) -> None:
        """Send the first bytes of a file; see `send`."""
        self._size = size
        self._digest = _sent(path, 0, size)

    def finish(self, path: Path) -> None:
        """Send the finished file, or what follows its beginning; see `send`.

        Raises:
            ValueError: the file does not begin with what was sent.
        """
        digest = hashlib.sha256()
        with path.open("rb") as file:
            for block in _blocks(file, self._size):
                digest.update(block)
        if digest.digest() != self._digest:
            raise ValueError(f"the first {self._size} bytes of {path} differ from those sent")
        _sent(path, self._size)


def _sent(path: Path, start: int = 0, stop: int = sys.maxsize) -> bytes:
    """Send some bytes of a file; return their digest."""
    digest = hashlib.sha256()

    def noted(blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            digest.update(block)
            yield block

    with path.open("rb") as file:
        file.seek(start)
        send(noted(_blocks(file, stop - start)))
    return digest.digest()


def _blocks(file: io.BufferedReader, size: int) -> Iterator[bytes]:
    """Yield the next bytes of a file, at most `size`."""
    while size > 0 and (block := file.read(min(_BLOCK, size))):
        size -= len(block)
        yield block


def send(parts: Iterable[bytes]) -> None:
    """Send bytes over stdout, each part as soon as it is there.

    Raises:
        BrokenPipeError: the reader has closed the pipe.
        AudioError: nothing more can be written.
    """
    for part in parts:
        _send(part)


def _send(part: bytes) -> None:
    try:
        sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        close_quietly()
        raise AudioError(
            f"stdout takes no more data ({error.strerror}); free some space or give -o FILE"
        ) from error


def flush() -> None:
    """Flush stdout, so that a closed pipe raises an error here and not at exit."""
    if sys.stdout is not None and not sys.stdout.closed:
        sys.stdout.flush()


def close_quietly() -> None:
    """Redirect stdout to the null device, so that the interpreter reports no error at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
