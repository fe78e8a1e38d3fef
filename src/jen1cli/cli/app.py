"""The command `jen1`: its subcommands, and the conversion of errors to a line and an exit code.

Exit codes: 0 success, 1 an error that the user can fix (one line on stderr), 2 usage, 130 Ctrl-C.
Any other exception is a bug and keeps its traceback, as do all errors under `JEN1_DEBUG=1`.
"""

import contextlib
import difflib
import errno
import functools
import importlib
import logging
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import jen1cli
from jen1cli.cli import examples, streams, terminal
from jen1cli.errors import InputErrors, Jen1Error, is_out_of_memory

LONGEST_MESSAGE = 1_000  # characters

# summaries, so that the help of `jen1` does not import the modules of the commands
COMMANDS = {
    "generate": "Make music from text.",
    "inpaint": "Replace ranges of a file, leaving every other sample as it was.",
    "continue": "Lengthen a file with music that follows from it.",
    "vary": "Make variations of a file: the same score with other noise, words or controls.",
    "hear": "Write down the score of any recording, bar by bar, and how sure it is.",
    "cover": "Play what is heard in any recording in the style of the words.",
    "encode": "Turn audio into latent files (safetensors); folders keep their tree.",
    "decode": "Turn latent files back into audio; folders keep their tree.",
    "play": "Play audio files: through sounddevice, or a player of the system.",
    "info": "Show the recipe that a file carries, and the facts of its sound.",
    "again": "Make a file again from its own recipe: same version and kind of device, same bytes.",
    "studio": "Open the studio: a page to make, change and compare music in the browser.",
    "serve": "Serve the model over HTTP, loaded once.",
    "models": "Show weight sets and presets.",
    "doctor": "Check the installation: packages, device, weights, SoundFont, disk and memory.",
}
DEVELOPER_PANEL = "For developers"
DEVELOPER_COMMANDS = {
    "train": "Train the autoencoder and the diffusion model on a folder of music.",
    "corpus": "Compose and render the training music.",
    "evaluate": "Measure folders of audio.",
}
_MUSIC = (
    "generate", "inpaint", "vary", "hear", "cover", "encode", "decode", "play", "info", "again",
)  # fmt: skip
_MODULES = {  # inside of `jen1cli.cli`
    **{name: f"music.{name}" for name in _MUSIC},
    "continue": "music.continuation",
    "studio": "serving.studio",
    "serve": "serving.serve",
    "models": "installation.models",
    "doctor": "installation.doctor",
    "train": "training.train",
    "corpus": "corpus",
    "evaluate": "evaluation.evaluate",
}
_LIGHT_COMMANDS = ("play", "info", "models", "doctor")  # without torch in this process
_FUNCTIONS = {"continue": "continue_"}
_MACHINE = frozenset(
    getattr(errno, name)
    for name in (
        "ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "EMFILE", "ENFILE", "ENOMEM", "ENODEV",
        "ENXIO", "ESTALE", "ETIMEDOUT",
    )
    if hasattr(errno, name)
)  # fmt: skip
"""System errors of disk, memory and network."""


def _named(kinds: Iterable[type], name: str) -> type[Exception]:
    return next(kind for kind in kinds if kind.__name__ == name and issubclass(kind, Exception))


# Typer exports only BadParameter. Its base classes are in click, or in Typer's own copy of click;
# they are found through BadParameter by their names, which click documents.
UsageError = _named(typer.BadParameter.__mro__, "UsageError")
MissingParameter = _named(typer.BadParameter.__subclasses__(), "MissingParameter")
NoArgsIsHelpError = _named(UsageError.__subclasses__(), "NoArgsIsHelpError")


class _Commands(dict[str, Any]):
    """The commands by name, imported on first access."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - click's types
        command = super().__getitem__(name)
        if command is None:
            command = self[name] = _load(name)
        return command

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - click's types
        return self[name] if name in self else default  # noqa: SIM401 - would call itself

    def items(self) -> Any:  # noqa: ANN401 - click's types
        return [(name, self[name]) for name in self]

    def values(self) -> Any:  # noqa: ANN401 - click's types
        return [self[name] for name in self]


def _load(name: str) -> Any:  # noqa: ANN401 - click's types
    """Build a command from its module: the Typer `app`, or the function of that name."""
    module = importlib.import_module(f"jen1cli.cli.{_MODULES[name]}")
    group = getattr(module, "app", None)
    if group is None:
        group = typer.Typer(context_settings=terminal.HELP_OPTIONS, add_completion=False)
        group.command(name)(getattr(module, _FUNCTIONS.get(name, name)))
    else:
        examples.add_to(group, (name,))
    command: Any = typer.main.get_command(group)
    command.name = name
    command.epilog = examples.epilog(name)
    return command


class CommandGroup(TyperGroup):
    """The group of commands; unknown commands get a suggestion."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - click's types
        attributes["commands"] = _Commands(dict.fromkeys((*COMMANDS, *DEVELOPER_COMMANDS)))
        super().__init__(**attributes)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - click's types
        """Write the help from the summaries."""
        with self._summarised():
            super().format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:  # noqa: ANN401 - click's types
        """Complete a command from the summaries."""
        with self._summarised():
            return super().shell_complete(ctx, incomplete)

    @contextlib.contextmanager
    def _summarised(self) -> Iterator[None]:
        """Replace the commands by placeholders that have only a summary."""
        commands, self.commands = self.commands, _summaries()
        try:
            yield
        finally:
            self.commands = commands

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - click's types
        """Find the command, or suggest one."""
        word = args[0]
        if not word.startswith("-") and self.get_command(ctx, word) is None:
            raise UsageError(_suggestion(word, self.list_commands(ctx)), ctx=ctx)  # type: ignore[call-arg]
        if word not in _LIGHT_COMMANDS and not {"-h", "--help"} & set(args):
            from jen1cli.cli.limits import check_address_space

            check_address_space()
        return super().resolve_command(ctx, args)


def _summaries() -> dict[str, Any]:
    user = {name: TyperCommand(name, help=text) for name, text in COMMANDS.items()}
    return user | {
        name: TyperCommand(name, help=text, rich_help_panel=DEVELOPER_PANEL)
        for name, text in DEVELOPER_COMMANDS.items()
    }


def _suggestion(word: str, commands: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, commands, n=1)
    if close:
        return f"no command '{word}'; did you mean 'jen1 {close[0]}'?"
    if word == "-" or os.path.exists(word):
        return f"'{word}' is an input without a command; try: jen1 continue {shlex.quote(word)}"
    if not word.isidentifier():
        return (
            f"no command {word!r}; to make music from a prompt: jen1 generate {shlex.quote(word)}"
        )
    return f"no command '{word}'; commands: {', '.join(commands)}"


app = typer.Typer(
    name="jen1",
    cls=CommandGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=terminal.HELP_OPTIONS,
)


def _show_version(wanted: bool) -> bool:
    if wanted:
        terminal.echo(f"jen1 {jen1cli.__version__}")
        raise typer.Exit
    return wanted


@app.callback(epilog=examples.epilog("jen1"))
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            callback=_show_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Make, repair and extend music at 48 kHz stereo from text (JEN-1).

    '-' reads audio from stdin and writes audio to stdout, so commands can be chained.

    Exit codes: 0 done, 1 something to mend, 2 wrong usage, 130 interrupted. JEN1_WEIGHTS names
    folders of weight sets; JEN1_DEBUG=1 shows tracebacks.
    """


@functools.cache
def command() -> Any:  # noqa: ANN401 - click's types
    """Build the command `jen1`, once in a process: its options keep their converters."""
    return typer.main.get_command(app)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; all errors are reported here."""
    debug = bool(os.environ.get("JEN1_DEBUG"))
    try:
        outcome = command().main(
            None if arguments is None else list(arguments),
            prog_name="jen1",
            standalone_mode=False,
        )
        streams.flush()
        return outcome if isinstance(outcome, int) else 0
    except Jen1Error as error:
        if debug:
            raise
        for one in error.errors if isinstance(error, InputErrors) else (error,):
            _fail(str(one), 1)
        return 1
    except (BrokenPipeError, SystemExit) as error:
        if not _has_lost_reader(error):
            raise
        streams.close_quietly()  # the reader has closed the pipe, as in `| head -c 100`
        return 1
    except UsageError as error:
        return _usage(error)
    except KeyboardInterrupt:
        return 130
    except (MemoryError, RuntimeError, SystemError, ImportError) as error:
        if debug or (remedy := _remedy(error)) is None:
            raise
        return _fail(remedy, 1)
    except UnicodeEncodeError as error:
        text = error.object[max(0, error.start - 20) : error.end + 20]
        if debug or text.isprintable():
            raise
        return _fail(
            f"'{text}' is not text in UTF-8; rename the file, or write the words in UTF-8", 1
        )
    except OSError as error:
        if debug or not _is_mendable(error):
            raise
        # a file of Python's own, such as one that is imported, is not what has to be mended
        named = error.filename and not _name_in(error).endswith((".py", ".pyc", ".so", ".pyd"))
        place = f" {_name_in(error)}" if named else ""
        return _fail(f"the system refused{place}: {error.strerror}; mend that and try again", 1)


def _has_lost_reader(error: BaseException) -> bool:
    """Whether the reader has closed the pipe, which Typer converts to SystemExit."""
    if isinstance(error, SystemExit):
        error = error.__context__ or error
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def _is_mendable(error: OSError) -> bool:
    """Whether the system or a user's file caused the error, not a file of this package.

    An error without a file name counts as a system error only by its number.
    """
    if error.errno in _MACHINE or "temporary directory" in str(error.strerror):
        return True
    package = os.path.join(os.path.dirname(jen1cli.__file__), "")
    return bool(error.filename) and not os.path.abspath(_name_in(error)).startswith(package)


def _name_in(error: OSError) -> str:
    name = error.filename
    return os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else str(name)


def _remedy(error: Exception) -> str | None:
    """Say what to do about too little memory, or a library that does not load; else None."""
    if is_out_of_memory(error):
        traceback.clear_frames(error.__traceback__)  # what they hold would leave none for the line
        return (
            "the memory does not suffice; ask for fewer --seconds, close other programs,"
            " or compute with --device cpu"
        )
    if isinstance(error, ImportError):
        from jen1cli.cli.installation.requirements import explain_import

        return explain_import(error)
    return None


def _usage(error: Exception) -> int:
    if isinstance(error, NoArgsIsHelpError):
        return 2  # Typer has shown the help
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "jen1"
    message = " ".join(error.format_message().split())  # type: ignore[attr-defined]
    message = message[:1].lower() + message[1:].rstrip(".")
    # An invalid value is an error to fix (1); an invalid form of the command is usage (2).
    is_value = isinstance(error, typer.BadParameter) and not isinstance(error, MissingParameter)
    if is_value and (variable := _variable_of(error)) is not None:
        message = f"the environment has {variable}={os.environ[variable]}: {message}"
    return _fail(f"{message}; see: {command} --help", 1 if is_value else 2)


def _variable_of(error: Exception) -> str | None:
    """Return the environment variable that an invalid value comes from; None if it is another's."""
    context, option = getattr(error, "ctx", None), getattr(error, "param", None)
    if context is None or option is None:
        return None
    source = context.get_parameter_source(option.name)
    names = [option.envvar] if isinstance(option.envvar, str) else option.envvar or ()
    given = [name for name in names if name in os.environ]
    return given[0] if given and source is not None and source.name == "ENVIRONMENT" else None


def _fail(message: str, code: int) -> int:
    line = " ".join(message.split())
    if len(line) > LONGEST_MESSAGE:  # such as a whole file given as a name, chord or prompt
        line = f"{line[: LONGEST_MESSAGE // 2]} … {line[-LONGEST_MESSAGE // 2 :]}"
    terminal.echo(f"jen1: error: {line}", err=True)
    return code


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command named by the process's arguments and leave with its exit code.

    SIGTERM and SIGHUP act as Ctrl-C, so that temporary files are removed. Signals that the parent
    process has set to be ignored, as `nohup` does, stay ignored.
    """
    # OpenMP threads that spin while waiting slow down a busy machine: with four times as many
    # processes as cores, ten seconds of music took 431 s by default and 5 s with this setting.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    terminal.forgive_encoding()
    logging.lastResort = terminal.LogLines()  # in place of Python's own, which escapes nothing
    sys.exit(run())
