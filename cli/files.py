"""Sources and targets of the commands, with the manners of zstd."""

import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..atomic import Sink, in_place, is_written_in_place, replacing
from .messages import STDOUT, Refusal, printable

STDIO = "-"
SUFFIX = ".catz"
CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")


def shown(name: str) -> str:
    """How messages call a source."""
    return "standard input" if name == STDIO else printable(name)


@contextmanager
def open_source(name: str, follow: bool = True, remove: bool = False) -> Iterator[BinaryIO]:
    """Open a file, or standard input, for reading. Refuses what zstd does: directories, devices, and symbolic
    links unless `follow`; a pipe may be read under any name, unless it is to be removed."""
    if name != STDIO:
        mode = os.stat(name).st_mode
        if stat.S_ISDIR(mode):
            raise Refusal("is a directory, ignored. Name the files in it, or make an archive of it with tar")
        if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
            raise Refusal("is not a regular file, ignored. Pipe it in to have it read anyway")
        if remove and not stat.S_ISREG(mode):
            raise Refusal("is a pipe, ignored: --rm is for files. Leave out --rm")
        if not follow and stat.S_ISREG(mode) and Path(name).is_symlink():
            raise Refusal("is a symbolic link, ignored. Use -f to follow it")
    with open(0 if name == STDIO else name, "rb", closefd=name != STDIO) as file:
        yield file


class Terminal(Sink):
    """Standard output that is a terminal: text may pass, binary data would garble it."""

    def write(self, data: bytes) -> int:
        if CONTROL.search(data):
            raise Refusal("binary data is not written to a terminal. Redirect it, or use -f to force it")
        return super().write(data)


@contextmanager
def open_target(name: str, *, source: BinaryIO | None, force: bool) -> Iterator[Sink]:
    """Open a file, or standard output, for what `source` becomes; a file is overwritten only with `force`.

    source  None for a result that is made from nothing
    """
    if name == STDIO:
        make = Terminal if sys.stdout.isatty() and not force else Sink
        with in_place(make(open(1, "wb", closefd=False), STDOUT)) as sink:
            yield sink
        return
    target, like = Path(name), os.fstat(source.fileno()) if source is not None else None
    if is_written_in_place(target):
        with in_place(Sink(target.open("wb"), name)) as sink:
            yield sink
        return
    _check_target(target, like, force)
    target = (
        Path(os.path.realpath(target)) if target.is_symlink() else target
    )  # which stays, as /dev/stdout should
    kept = like if like is not None and stat.S_ISREG(like.st_mode) else None
    with replacing(target, overwrite=force, like=kept) as sink:
        yield sink


def _check_target(target: Path, source: os.stat_result | None, force: bool) -> None:
    name = printable(str(target))
    if target.is_dir():
        raise Refusal(f"{name} is a directory. Name a file with -o")
    if source is not None and target.exists() and os.path.samestat(target.stat(), source):
        raise Refusal(f"{name} is the source itself. Name another file with -o")
    if not force and os.path.lexists(target):
        raise Refusal(
            f"{name} exists already, not overwritten. Use -f to overwrite it, or -o for another name"
        )
