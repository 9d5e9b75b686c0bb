"""The rANS stack of the core: constriction's words, for decisions between 0 and 1."""

from __future__ import annotations

import numpy as np

from .structures import Stack, address


class Words:
    """What `compressor.coding.stack.Stack.drained` gave, for the core to pop from."""

    def __init__(self, data: bytes) -> None:
        self._words = np.frombuffer(data + b"\0" * (-len(data) % 4), "<u4").astype(np.uint32)
        top = self._words[:-3:-1].tolist()  # the head holds two, the last one above
        head = 0
        for word in top:
            head = head << 32 | word
        self.structure = Stack(head, address(self._words), len(self._words) - len(top))

    def left(self) -> bytes:
        """What has not been popped, as `Stack.refill` takes it."""
        below = self._words[: self.structure.count].astype("<u4").tobytes()
        return (below + int(self.structure.head).to_bytes(8, "little")).rstrip(b"\0")
