"""Work that another thread does while this one goes on.

`concurrent.futures` has more of the kind, and takes a tenth of the time that catzip needs to start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Known(Generic[T]):
    """What has come to a result already."""

    def __init__(self, value: T) -> None:
        self._value = value

    def done(self) -> bool:
        """Whether `result` does not wait."""
        return True

    def result(self) -> T:
        """The result, once it is there. Raises the error that was met on the way to it."""
        return self._value


class Aside(Known[T]):
    """What another thread makes; where the system lets none be started, it is made at once.

    >>> Aside(lambda: 6 * 7).result()
    42
    """

    def __init__(self, run: Callable[[], T]) -> None:
        self._run = run
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._make, name="catzip")
        try:
            self._thread.start()
        except RuntimeError:  # can't start new thread: a limit of the user (ulimit -u) or of a container
            self._make()

    def done(self) -> bool:
        return not self._thread.is_alive()

    def wait(self) -> None:
        """Wait until it is done, well or not."""
        if self._thread.ident is not None:
            self._thread.join()

    def result(self) -> T:
        self.wait()
        if self._error is not None:
            raise self._error
        return self._value

    def _make(self) -> None:
        try:
            self._value = self._run()
        except BaseException as error:
            self._error = error
