"""Runs commands in forked processes under faults: killed at a chosen moment, refused by the system.

A fork has everything imported already, so that one run takes a second or less.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
import traceback
from typing import NamedTuple

LONGEST_SECONDS = 120
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate", "os.chmod")
_CAPABILITY_VERSION = 0x20080522


class Ended(NamedTuple):
    """How a forked command ended."""

    code: int  # exit code; negative: the signal
    err: str


class _Count:
    events = 0


def load_commands():
    """Import what commands need, so that forks do not import it again and again."""
    import jen1cli.corpus.writing
    import jen1cli.evaluation.studies.audio_job
    import jen1cli.pipeline
    import jen1cli.training.jobs  # noqa: F401


def forked(folder, *arguments, prepare=lambda: None, call=None, kill_at=None, wait=True):
    """Run `jen1` with arguments in a fork whose working folder is `folder`.

    Args:
        folder: of the command.
        arguments: of the command.
        prepare: called in the fork before the command.
        call: called in the fork in place of the command.
        kill_at: the change of a file (a creation, a name, a size) before which the fork gets
            SIGKILL, from 0.
        wait: whether to wait; if not, call `ended` with what is returned.

    Returns:
        `Ended`, or what `ended` takes.
    """
    told = folder / f".err-{time.monotonic_ns()}"
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        code = 70
        try:
            code = _run(folder, arguments, prepare, call, kill_at, told)
        except BaseException:
            with contextlib.suppress(BaseException):
                traceback.print_exc()
        os._exit(code)
    return ended((process, told)) if wait else (process, told)


def ended(running):
    """Wait for a fork; see `forked`."""
    process, told = running
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            break
        if time.monotonic() > deadline:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            raise AssertionError(f"the command hung for {LONGEST_SECONDS} s")
        time.sleep(0.01)
    err = told.read_text(encoding="utf-8", errors="replace") if told.exists() else ""
    told.unlink(missing_ok=True)
    return Ended(os.waitstatus_to_exitcode(status), err)


def changes_of(folder, *arguments, prepare=lambda: None):
    """Run a command undisturbed; return how many changes of files it makes."""
    count = folder / ".count"

    def counting():
        prepare()
        _watch(lambda number: count.write_text(str(number + 1)), ignored=str(count))

    done = forked(folder, *arguments, prepare=counting)
    assert done.code == 0, done.err
    found = int(count.read_text())
    count.unlink()
    return found


def without_privileges():
    """Give up root's right to pass over permissions, in this process."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    none = (ctypes.c_uint32 * 6)()
    if libc.capset(header, none) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _run(folder, arguments, prepare, call, kill_at, told):
    handle = os.open(told, os.O_CREAT | os.O_WRONLY, 0o600)
    os.dup2(handle, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - pytest's own ones are closed
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    os.chdir(folder)
    prepare()
    if kill_at is not None:

        def kill(number):
            if number == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        _watch(kill)
    if call is not None:
        call()
        code = 0
    else:
        from jen1cli.cli.app import run

        code = run([str(argument) for argument in arguments])
    threading._shutdown()  # as Python does at its end: threads that still write are waited for
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _watch(call, ignored=None):
    """Call `call(number)` before each change of a file in this process."""
    counter = _Count()

    def hook(event, details):
        if event == "open":
            path, _, flags = details
            is_new = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if not is_new or not isinstance(path, str | bytes) or path == ignored:
                return
            if os.fsdecode(path).startswith("/dev/"):
                return
        elif event not in _CHANGES:
            return
        number, counter.events = counter.events, counter.events + 1
        call(number)

    sys.addaudithook(hook)


def tree(folder):
    """Return the content of every file of a folder that has a name of its own, not a temporary."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(_is_temporary(part) for part in path.relative_to(folder).parts)
    }


def _is_temporary(name):
    return name.startswith(".") or name.endswith((".partial", ".old"))


def moments(count, most=8):
    """Return up to `most` numbers below `count`, the first and the last among them."""
    return sorted({round(i * (count - 1) / (most - 1)) for i in range(most)}) if count > 1 else [0]


__all__ = [
    "Ended", "changes_of", "ended", "forked", "load_commands", "moments", "tree",
    "without_privileges",
]  # fmt: skip
