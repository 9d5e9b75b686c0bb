"""Sources and targets of the commands, with the manners of zstd."""

import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..compressor.escaping import printable
from ..compressor.files.atomic import ResultSink, as_it_is, in_place, replacing
from ..compressor.files.streams import Patient, descriptor_of
from .messages import STDOUT, Refusal, complain

STDIO = "-"
SUFFIX = ".catz"
CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")


def shown(name: str) -> str:
    """How messages call a source."""
    return "standard input" if name == STDIO else printable(name)


@contextmanager
def open_source(name: str, follow: bool = True) -> Iterator[BinaryIO]:
    """Open a file, or standard input, for reading. Refuses what zstd does: directories, devices, and symbolic
    links unless `follow`; a pipe may be read under any name, and an open descriptor whatever it is."""
    descriptor = 0 if name == STDIO else descriptor_of(name)
    if descriptor is None:
        _check_source(name, follow)
    file = Patient(name if descriptor is None else descriptor, "rb", closefd=descriptor is None)
    with io.BufferedReader(file) as source:
        yield source


def _check_source(name: str, follow: bool) -> None:
    mode = os.stat(name).st_mode
    if stat.S_ISDIR(mode):
        raise Refusal("is a directory, ignored. Name the files in it, or make an archive of it with tar")
    if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
        raise Refusal("is not a regular file, ignored. Pipe it in to have it read anyway")
    if not follow and stat.S_ISREG(mode) and Path(name).is_symlink():
        raise Refusal("is a symbolic link, ignored. Use -f to follow it")


class Terminal(ResultSink):
    """A terminal: text may pass, binary data would garble it."""

    def write(self, data: bytes) -> int:
        if CONTROL.search(data):
            raise Refusal("binary data is not written to a terminal. Redirect it, or use -f to force it")
        return super().write(data)


@contextmanager
def open_target(name: str, *, source: BinaryIO | None, force: bool) -> Iterator[ResultSink]:
    """Open a file, or standard output, for what `source` becomes; a file is overwritten only with `force`.

    source  None for a result that is made from nothing
    """
    target, like = Path(name), os.fstat(source.fileno()) if source is not None else None
    file = Patient(1, "wb", closefd=False) if name == STDIO else as_it_is(target)
    if file is not None:
        make = Terminal if file.isatty() and not force else ResultSink
        with in_place(make(file, STDOUT if file.fileno() == 1 else name)) as sink:
            yield sink
        return
    _check_target(target, like, force)
    kept = like if like is not None and stat.S_ISREG(like.st_mode) else None
    links = target.stat().st_nlink if kept is not None and target.exists() else 1
    with replacing(target, overwrite=force, like=kept) as sink:
        yield sink
    if links > 1:
        complain(f"{printable(name)}: had {links} hard links; under the others is what was there before")


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
