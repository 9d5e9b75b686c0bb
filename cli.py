"""The command group, and the edge where everything that can go wrong becomes a message and an exit code.

Exit codes: 0 all is well, 1 something failed, 2 the command line was wrong. After one of `SIGNALS`
the process cleans up and then dies of that same signal, so that a shell loop around it stops too.
"""

import io
import os
import signal
import sys
import warnings
from importlib import import_module
from types import FrameType
from typing import NoReturn, TextIO

import click

from . import __version__
from .commands.messages import complain, what_went_wrong
from .commands.version import version_option
from .compressor.errors import CatzipError, DamagedWeightsWarning
from .compressor.escaping import printable, printable_lines
from .compressor.files.streams import Patient

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU") if hasattr(signal, name)
)
"""What stops the program: from the keyboard, by other programs, where the terminal is gone, and `ulimit -t`."""

SIGPIPE = getattr(signal, "SIGPIPE", signal.SIGTERM)
"""What a filter dies of. Where there is no such signal, that of SIGTERM ends it as quietly."""


class Interrupted(BaseException):
    """A signal asked the program to stop; not an Exception, so that nothing but clean-up catches it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


COMMANDS = {
    name: name for name in ("bench", "cat", "compress", "decompress", "models", "sample", "test", "train")
} | {"list": "list_files"}
"""What each is called in the module of its name, which is imported where it is asked for."""


class CatzipGroup(click.Group):
    """Click answers a closed pipe with exit code 1; a filter should die of SIGPIPE like any other."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            module = import_module(f".commands.{cmd_name}", __package__)
            self.add_command(getattr(module, COMMANDS[cmd_name]))
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise Interrupted(SIGPIPE) from error


@click.group(
    cls=CatzipGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@version_option(__version__)
def cli() -> None:
    """Lossless compression with exact neural models.

    A file made on one machine decodes to the same bytes on every other, whatever the processor, the device or
    the number of threads; a PNG or WebP to the same pixels. `catzip COMMAND --help` explains a command.

    Models of your own are found in the folders that CATZIP_MODELS names. Exit codes: 0 all is well, 1 something
    failed, 2 the command line was wrong.
    """


def main() -> NoReturn:
    """Run the command line and exit."""
    _open_streams()
    warnings.showwarning = _show_warning
    for signum in SIGNALS:
        if signal.getsignal(signum) != signal.SIG_IGN:  # nohup, for one, sets this on purpose
            signal.signal(signum, _interrupt)
    try:
        code = _run()
        sys.stdout.flush()
    except Interrupted as stop:
        _die_of(stop.signum)
    except (CatzipError, OSError, MemoryError) as error:
        complain(what_went_wrong(error))
        _forget_stdout()
        code = 1
    sys.exit(code)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A line on stderr, as of errors."""
    if issubclass(category, DamagedWeightsWarning):
        complain(printable(str(message)))
    else:
        complain(f"{category.__name__}: {printable(str(message))}")


def _open_streams() -> None:
    """Give standard streams that are closed a descriptor, which some file would get else.

    What is said to stderr is lost; to use the others is an error, as it is to other programs.
    """
    streams = (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))
    for number, (name, mode, access) in enumerate(streams):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, access)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))
        if number and os.name == "posix":
            setattr(sys, name, _tolerant(number, getattr(sys, name)))


def _tolerant(number: int, stream: TextIO) -> TextIO:
    """The stream, in its encoding, with escapes for what that does not have; it waits where there is no room yet."""
    file = io.BufferedWriter(Patient(number, "wb", closefd=False))
    return io.TextIOWrapper(
        file, stream.encoding, "backslashreplace", line_buffering=bool(stream.line_buffering)
    )


def _run() -> int:
    """Run click; its usage errors print themselves and give 2."""
    try:
        result = cli.main(prog_name="catzip", standalone_mode=False)
    except click.ClickException as error:
        if isinstance(error, click.UsageError):
            click.UsageError(printable_lines(error.format_message()), error.ctx).show(sys.stderr)
            _explain(error)
        else:
            complain(error.format_message())
        return error.exit_code
    except click.Abort as abort:  # what click makes of an EOFError
        complain(f"some input ends too soon ({abort.__cause__})")
        return 1
    return result if isinstance(result, int) else 0


def _explain(error: click.UsageError) -> None:
    """To those who are used to zstd or gzip, and of files that are there and look like options."""
    if sys.argv[1:] and error.ctx is not None and error.ctx.parent is None:
        complain("to compress: catzip compress FILE; to decompress: catzip decompress FILE.catz")
    if not isinstance(error, click.NoSuchOption):
        return
    if error.option_name.lstrip("-").isdigit():
        complain("there are no levels; --fast and --best choose between models")
    for word in sys.argv[2:]:
        if word.startswith("-") and os.path.lexists(word):
            complain(f"{printable(word)} is a file, too: write ./{printable(word)}")


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    """First signal: unwind, so that temporary files go. A second one finds the default action, and kills."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    raise Interrupted(signum)


def _forget_stdout() -> None:
    """Python flushes stdout once more at exit; what could not be written must not fail a second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _die_of(signum: int) -> NoReturn:
    """End as the signal's default action would have; quietly for a closed pipe, as filters do."""
    if signum != SIGPIPE:
        complain(
            f"stopped by {signal.Signals(signum).name}. Nothing unfinished was left behind, but on standard output"
        )
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)
    os._exit(1)  # only where the signal is blocked
