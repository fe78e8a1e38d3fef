"""The entry of the command `jen1`, also as `python -m jen1cli`; light, so that it is reached soon.

Until the command line is imported, Ctrl-C would be a traceback out of some import.
"""

import os
import sys

NARROWEST_COLUMNS = 20


def main() -> None:
    """Run the command named by the process's arguments and leave with its exit code."""
    import signal

    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)
    _forget_useless_width()
    from jen1cli.cli import app

    sys.exit(app.main())


def _leave(*_: object) -> None:
    """Leave at once; nothing has been opened or written yet."""
    os._exit(130)


def _forget_useless_width() -> None:
    """Drop terminal widths in which no help can be shown, such as COLUMNS=0."""
    for name in ("COLUMNS", "TERMINAL_WIDTH"):
        value = os.environ.get(name, "")
        if value and not (value.isdecimal() and int(value) >= NARROWEST_COLUMNS):
            del os.environ[name]


if __name__ == "__main__":
    main()
