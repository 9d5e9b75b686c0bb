"""What the program says on stderr: one line, `catzip: FILE: what. remedy`."""

import errno
import os
import sys

import click

from ..compressor.escaping import printable, printable_lines

REMEDIES = {
    errno.ENOENT: "Check the name",
    errno.EACCES: "Check the permissions of the file and its folder",
    errno.EPERM: "Check the permissions of the file and its folder",
    errno.ENOSPC: "Free some space, or write elsewhere with -o; no unfinished file was left behind",
    errno.EDQUOT: "Free some space, or write elsewhere with -o; no unfinished file was left behind",
    errno.EFBIG: "Raise the limit (ulimit -f), or write elsewhere; no unfinished file was left behind",
    errno.EEXIST: "Use -f to overwrite it, or -o for another name",
    errno.EBADF: "The stream is closed; name a file",
    errno.EROFS: "Write elsewhere with -o or -c",
    errno.EIO: "The device or the connection fails; what was read or written there may be damaged",
    errno.ENOTDIR: "Write to another folder with -o",
    errno.ENAMETOOLONG: "Give a shorter name with -o",
}

ON_STREAMS = {
    errno.ENOSPC: "Free some space, or write elsewhere",
    errno.EDQUOT: "Free some space, or write elsewhere",
    errno.EFBIG: "Raise the limit (ulimit -f), or write elsewhere",
}
"""In place of the above where standard output was written to, which is not replaced and may end unfinished."""

STDOUT = "standard output"


class Refusal(click.ClickException):
    """The program will not do this (exit code 1); the message names the thing and the remedy."""


def say(text: str, err: bool = False) -> None:
    """Print lines to standard output or error. Whatever they hold, a terminal is told nothing but to show them."""
    click.echo(printable_lines(text), file=sys.stderr if err else sys.stdout)


def complain(text: str) -> None:
    """Print an error or a warning."""
    say(f"catzip: {text}", err=True)


def what_went_wrong(error: BaseException, name: str | None = None) -> str:
    """`FILE: what. remedy` of an error met while working on the file called `name`."""
    if isinstance(error, OSError) and error.errno is not None:
        where = error.filename if isinstance(error.filename, str) else name
        text = (error.strerror or os.strerror(error.errno)).lower()
        remedies = REMEDIES | ON_STREAMS if error.filename in (None, STDOUT) else REMEDIES
        remedy = remedies.get(error.errno)
        text = f"{text}. {remedy}" if remedy else text
    elif isinstance(error, MemoryError):
        where, text = name, "not enough memory. Close other programs, or use fewer threads with -T 1"
    elif isinstance(error, click.ClickException):
        where, text = name, error.format_message()
    else:
        where, text = name, str(error)
    return f"{printable(where)}: {text}" if where else text


def size(count: float) -> str:
    """A number of bytes for a person: 999 B, 1.5 KB, 170 KB (decimal units)."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 999.5 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "B" or count >= 99.95 else f"{count:.1f} {unit}"


def percent(part: int, whole: int) -> str:
    """`part` of `whole`; of nothing there is no percentage."""
    return f"{100 * part / whole:.1f} %" if whole else "- %"
