"""The rANS stack of the core: constriction's words."""

from __future__ import annotations

import numpy as np

from .structures import Stack, address


class StackWords:
    """What `compressor.coding.stack.Stack.drained` gave, for the core to pop from, or to push so many symbols on."""

    def __init__(self, data: bytes, room: int = 0) -> None:
        given = np.frombuffer(data + b"\0" * (-len(data) % 4), "<u4")
        top = given[:-3:-1].tolist()  # the head holds two, the last one above
        self._words = np.empty(len(given) + room, np.uint32)
        self._words[: len(given)] = given
        head = 0
        for word in top:
            head = head << 32 | word
        self.structure = Stack(head, address(self._words), len(given) - len(top))

    def left(self) -> bytes:
        """What is on it now, as `Stack.refill` takes it."""
        below = self._words[: self.structure.count].astype("<u4").tobytes()
        return (below + int(self.structure.head).to_bytes(8, "little")).rstrip(b"\0")
