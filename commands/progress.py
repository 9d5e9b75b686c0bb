"""A progress line on stderr: how far, how fast, how long still. Only on a terminal that can clear a line."""

import os
import sys
import time
from types import TracebackType
from typing import Self

import click

from ..compressor.escaping import printable
from .messages import say, size

INTERVAL = 0.1
"""Seconds between two updates."""


class Progress:
    """Called with (done, total or None), in bytes; a context manager that clears its line when it ends."""

    def __init__(self, label: str, quiet: bool) -> None:
        self._label = label
        self._shown = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._start = self._last = time.monotonic()
        self._dirty = False

    def __call__(self, done: int, total: int | None = None) -> None:
        now = time.monotonic()
        if not self._shown or now - self._last < INTERVAL:
            return
        self._last = now
        self.say(progress_line(self._label, done, total, now - self._start))

    def say(self, line: str) -> None:
        """Replace the line by this one."""
        if self._shown:
            click.echo(f"\r\x1b[K{printable(line)}", file=sys.stderr, nl=False)
            self._dirty = True

    def print(self, text: str) -> None:
        """Print to stdout, in place of the line."""
        self.clear()
        say(text)

    def clear(self) -> None:
        """Take the line away."""
        if self._dirty:
            click.echo("\r\x1b[K", file=sys.stderr, nl=False)
            self._dirty = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()


def progress_line(label: str, done: int, total: int | None, seconds: float) -> str:
    """One line, without its newline; time left is by the mean speed so far."""
    speed = done / seconds if seconds > 0 else 0.0
    if total is None:
        return f"{label}: {size(done)}, {size(speed)}/s"
    share = done / total if total else 1.0
    left = f", {clock((total - done) / speed)} left" if speed else ""
    return f"{label}: {100 * share:.0f} % of {size(total)}, {size(speed)}/s{left}"


def clock(seconds: float) -> str:
    """0:07, 12:30, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
