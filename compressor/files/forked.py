"""What a fork leaves of open files: a child has all of them, and none of the threads that worked for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet


class Forked(Protocol):
    """A file that a thread works for."""

    def before_fork(self) -> None:
        """Hold the locks that a child would wait for if their threads held them."""
        ...

    def after_fork(self) -> None:
        """In the parent: let go of them."""
        ...

    def in_child(self) -> None:
        """In the child: go on without the thread."""
        ...


_open: WeakSet[Forked] = WeakSet()


def tell_of_forks(file: Forked) -> None:
    """Have the file told of each fork, as long as it is there."""
    _open.add(file)


def _each(tell: Callable[[Forked], None]) -> None:
    for file in list(_open):
        tell(file)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _each(lambda file: file.before_fork()),
        after_in_parent=lambda: _each(lambda file: file.after_fork()),
        after_in_child=lambda: _each(lambda file: file.in_child()),
    )
