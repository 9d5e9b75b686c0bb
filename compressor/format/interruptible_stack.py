"""A stack whose pops can be interrupted: models take seconds for a segment, and who waits may have gone."""

import numpy as np
from numpy.typing import NDArray

from ..coding.pmf import PMF
from ..coding.stack import Stack
from .limits import Check


def no_check() -> None:
    """A `Check` that never ends anything."""


class InterruptibleStack(Stack):
    """Calls `check` before each pop, and whenever a decoder that it lends itself to looks up."""

    __slots__ = ("check",)

    def __init__(self) -> None:
        super().__init__()
        self.check: Check = no_check

    def lends(self) -> bool:
        """See `Stack.lends`."""
        return True

    def look_up(self) -> None:
        """Raises what `check` raises."""
        self.check()

    def pop(self, pmf: PMF) -> NDArray[np.int32]:
        """As `Stack.pop`. Raises what `check` raises."""
        self.check()
        return super().pop(pmf)
