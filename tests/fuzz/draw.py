"""Random choices, and bytes changed at random."""

from __future__ import annotations

import random
from collections.abc import Callable

from catzip.compressor.format import varint

Change = Callable[[bytes, int], bytes]
"""Changes bytes, to at most so many: what the engine brings, which knows what the program compared them with."""

EDGES = (0, 1, 2, 3, 7, 8, 16, 62, 63, 64, 127, 128, 255, 256, 511, 512, 513, 1024, 4096, 65535, 65536)
HUGE = (
    131072,
    (1 << 24) - 1,
    1 << 24,
    1 << 26,
    1 << 28,
    (1 << 31) - 1,
    1 << 31,
    1 << 32,
    1 << 62,
    (1 << 63) - 1,
)


class Draw(random.Random):
    """Random choices of a mutation. The same seed, with the same `change`, makes the same choices."""

    def __init__(self, seed: int, change: Change | None = None) -> None:
        super().__init__(seed)
        self._change = change

    def chance(self, share: float) -> bool:
        """True in so many of all cases."""
        return self.random() < share

    def number(self, near: int) -> int:
        """A number in place of `near`, that a varint can hold: mostly one beside it, seldom a huge one."""
        way = self.random()
        if way < 0.5:
            return min(max(0, near + self.choice((-2, -1, 1, 2))), (1 << 63) - 1)
        if way < 0.7:
            return min(near * 2, (1 << 63) - 1) if self.chance(0.5) else near // 2
        return self.choice(EDGES) if way < 0.97 else self.choice(HUGE)

    def changed(self, data: bytes, most: int = 1 << 16) -> bytes:
        """`data` with some bytes flipped, put in, taken out or repeated."""
        if self._change is not None and self.chance(0.6):
            return self._change(data, max(most, len(data), 1))
        out = bytearray(data)
        for _ in range(self.choice((1, 1, 1, 2, 4))):
            self._change_once(out)
        return bytes(out[:most]) if len(data) <= most else bytes(out)

    def _change_once(self, out: bytearray) -> None:
        at = self.randrange(len(out) + 1)
        size = min(self.choice((1, 1, 2, 4, 8, 32)), len(out) - at)
        way = self.randrange(6)
        if way == 0 or not out:
            out[at:at] = self.randbytes(self.choice((1, 2, 4, 9)))
        elif way == 1:
            del out[at : at + size]
        elif way == 2:
            out[at:at] = out[at : at + size]
        elif way == 3:
            out[at : at + size] = self.choice((b"\0", b"\xff", b" ", b"\x80")) * size
        elif way == 4:
            out[at : at + size] = varint.encode(self.choice(EDGES + HUGE))
        elif at < len(out):
            out[at] ^= 1 << self.randrange(8)
