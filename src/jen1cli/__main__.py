"""Entry point of the command `jen1` and of `python -m jen1cli`, with few imports.

It handles Ctrl-C during the import of the command line, which would print a traceback.
"""

import os
import sys

NARROWEST_COLUMNS = 20


def main() -> None:
    """Run the command given by the process's arguments and exit with its code."""
    import signal

    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)
    _forget_useless_width()
    from jen1cli.cli import app

    sys.exit(app.main())


def _leave(*_: object) -> None:
    """Exit immediately; no file is open yet."""
    os._exit(130)


def _forget_useless_width() -> None:
    """Remove terminal widths that are too small for help, such as COLUMNS=0."""
    for name in ("COLUMNS", "TERMINAL_WIDTH"):
        value = os.environ.get(name, "")
        if value and not (value.isdecimal() and int(value) >= NARROWEST_COLUMNS):
            del os.environ[name]


if __name__ == "__main__":
    main()
