"""From the FILE arguments and -o, -c, --rm to pairs of source and target, or a usage error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click

from ..compressor.files.streams import descriptor_of
from .files import STDIO, SUFFIX
from .messages import Refusal


class Outputs(NamedTuple):
    """What the command line says about results."""

    output: str | None
    to_stdout: bool
    force: bool
    remove: bool

    def check(self, sources: tuple[str, ...]) -> None:
        """Raise a usage error for options that contradict each other or would lose data."""
        if self.output is not None and self.to_stdout:
            raise click.UsageError("-o and -c exclude each other")
        if self.output is not None and len(sources) > 1:
            raise click.UsageError("-o takes one source. Use -c to write several results one after the other")
        if self.remove and (self.to_stdout or self.output == STDIO):
            raise click.UsageError("--rm goes with files, not with standard output")
        if self.remove and any(map(is_stream, sources)):
            raise click.UsageError("--rm goes with files, not with standard input")

    def target(self, source: str, derive: Callable[[str], str]) -> str:
        """The target of `source`; `derive` makes its name where none is given."""
        if self.output is not None:
            return self.output
        return STDIO if self.to_stdout or is_stream(source) else derive(source)


def sources_of(files: tuple[str, ...]) -> tuple[str, ...]:
    """The sources; standard input if none is named and something is piped in."""
    if not files and sys.stdin.isatty():
        raise click.UsageError("no FILE given")
    return tuple(STDIO if descriptor_of(name) == 0 else name for name in files) or (STDIO,)


def output_of(name: str | None) -> str | None:
    """What -o names; a name of standard output, such as /dev/stdout, means what - does."""
    return STDIO if name is not None and descriptor_of(name) == 1 else name


def is_stream(source: str) -> bool:
    """Whether a source is standard input or another open descriptor: its result goes to standard output."""
    return source == STDIO or descriptor_of(source) is not None


def compressed_name(source: str) -> str:
    """The name of what `source` is compressed to."""
    return source + SUFFIX


def original_name(source: str) -> str:
    """The name of what `source` decompresses to. Raises Refusal where its suffix does not tell."""
    if not source.endswith(SUFFIX) or Path(source).name == SUFFIX:
        raise Refusal(f"unknown suffix ({SUFFIX} expected), ignored. Give the name of the result with -o")
    return source.removesuffix(SUFFIX)
