"""Hash the PMFs that reach the coder, at the coder's own door."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...compressor.coding.model import Model, Plan
from ...compressor.coding.pmf import PMF
from ...compressor.coding.stack import Stack
from ...compressor.coding.symbols import Symbols


@dataclass(frozen=True)
class Trace:
    """sha256 of what a model did with one frame.

    pushed, popped   the frequencies of every symbol, uint32 little-endian, in the order of the symbols, when
                     encoding and when decoding
    coded            the bytes of every segment
    """

    pushed: str
    popped: str
    coded: str


class RecordingStack(Stack):
    """A stack that keeps the frequencies of all that is pushed and popped: `rows`, in order of the calls."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[bytes] = []

    def push(self, symbols: NDArray[np.integer], pmf: PMF) -> None:
        """As `Stack.push`."""
        self._record(pmf)
        super().push(symbols, pmf)

    def pop(self, pmf: PMF) -> NDArray[np.int32]:
        """As `Stack.pop`."""
        self._record(pmf)
        return super().pop(pmf)

    def _record(self, pmf: PMF) -> None:
        self.rows.append(pmf.freqs.astype("<u4", order="C", copy=False).tobytes())


def trace(model: Model, symbols: Symbols, plan: Plan) -> Trace:
    """Encode and decode `symbols` [n]. Raises RuntimeError if they are not restored."""
    pushed, popped, coded = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    segments = []
    for stack in model.encode(symbols, plan, RecordingStack):
        assert isinstance(stack, RecordingStack)
        for block in reversed(stack.rows):  # what is pushed last is decoded first
            pushed.update(block)
        segments.append(stack.to_bytes())
        coded.update(len(segments[-1]).to_bytes(8, "little") + segments[-1])
    stacks = _recorded(segments, popped)
    restored = model.decode(stacks, len(symbols), plan)
    next(stacks, None)  # what was popped off the last one is hashed, too
    if not np.array_equal(restored, symbols):
        raise RuntimeError(f"{model.name} did not restore {len(symbols):,} symbols under plan {plan}")
    return Trace(pushed.hexdigest(), popped.hexdigest(), coded.hexdigest())


def _recorded(segments: list[bytes], digest: hashlib._Hash) -> Iterator[Stack]:
    """The stacks of the segments; what is popped off one is hashed before the next, so that it is not all held."""
    for segment in segments:
        stack = RecordingStack.from_bytes(segment)
        yield stack
        for block in stack.rows:
            digest.update(block)
