"""Hash the PMFs that reach the coder, at the coder's own door."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np

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


def trace(model: Model, symbols: Symbols, plan: Plan) -> Trace:
    """Encode and decode `symbols` [n]. Raises RuntimeError if they are not restored."""
    pushed, coded = hashlib.sha256(), hashlib.sha256()
    segments = []
    with _recorded("push") as rows:
        for stack in model.encode(symbols, plan):
            for block in reversed(rows):  # what is pushed last is decoded first
                pushed.update(block)
            rows.clear()
            segments.append(stack.to_bytes())
            coded.update(len(segments[-1]).to_bytes(8, "little") + segments[-1])
    popped = hashlib.sha256()
    with _recorded("pop") as rows:
        restored = model.decode(_drained(segments, rows, popped), len(symbols), plan)
        for block in rows:
            popped.update(block)
    if not np.array_equal(restored, symbols):
        raise RuntimeError(f"{model.name} did not restore {len(symbols):,} symbols under plan {plan}")
    return Trace(pushed.hexdigest(), popped.hexdigest(), coded.hexdigest())


def _drained(segments: list[bytes], rows: list[bytes], digest: hashlib._Hash) -> Iterator[Stack]:
    """The stacks of the segments; what was recorded is hashed between them, so that it is not all held."""
    for segment in segments:
        for block in rows:
            digest.update(block)
        rows.clear()
        yield Stack.from_bytes(segment)


@contextmanager
def _recorded(method: str) -> Iterator[list[bytes]]:
    """The frequencies of every call of Stack.push or Stack.pop while it is entered, in order of the calls."""
    rows: list[bytes] = []
    original = getattr(Stack, method)

    def recorder(stack: Stack, *arguments: object) -> object:
        pmf = arguments[-1]
        assert isinstance(pmf, PMF)
        rows.append(pmf.freqs.astype("<u4", order="C", copy=False).tobytes())
        return original(stack, *arguments)

    with patch.object(Stack, method, recorder):
        yield rows
