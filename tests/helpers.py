"""What several tests need: random PMFs, a reference coder, a small model, pipelines over bytes."""

import hashlib
import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catzip.compressor.coding.model import Needs, Purpose
from catzip.compressor.coding.pmf import PMF, PRECISION, TOTAL
from catzip.compressor.coding.stack import Stack
from catzip.compressor.coding.vocabulary import Vocabulary
from catzip.compressor.errors import CorruptError, ModelMismatchError, ModelNotFoundError
from catzip.compressor.media import MEDIA
from catzip.compressor.pipeline import compress_stream, decompress_stream

TESTS = Path(__file__).parent
"""The folder of the tests, with their golden files."""


def random_freqs(
    rng: np.random.RandomState, rows: int, symbols: int, shape: float = 0.3
) -> NDArray[np.uint32]:
    """Frequencies uint32 [rows, symbols] from a Dirichlet-like draw; a small `shape` makes peaked rows."""
    weights = rng.gamma(shape, size=(rows, symbols)) + 1e-12
    share = weights / weights.sum(axis=1, keepdims=True)
    freqs = np.floor(share * (TOTAL - symbols)).astype(np.uint32) + np.uint32(1)
    freqs[np.arange(rows), freqs.argmax(axis=1)] += (TOTAL - freqs.sum(axis=1)).astype(np.uint32)
    return freqs


def draw(rng: np.random.RandomState, freqs: NDArray[np.uint32]) -> NDArray[np.int64]:
    """One symbol from each row of frequencies: int64 [rows]."""
    points = rng.randint(0, TOTAL, size=(len(freqs), 1))
    return (freqs.cumsum(axis=1) <= points).sum(axis=1)


def reference_push(state: int, symbols: NDArray[np.integer], freqs: NDArray[np.uint32]) -> int:
    """rANS as in the paper, on Python integers: the words of the coder, as one integer.

    The coder keeps a 64-bit head and moves 32 bits out of it when the next symbol would overflow it.
    """
    head, bulk = state, []
    for symbol, row in zip(reversed(symbols.tolist()), reversed(freqs.tolist()), strict=True):
        freq, before = row[symbol], sum(row[:symbol])
        if head >> (64 - PRECISION) >= freq:
            bulk.append(head & 0xFFFFFFFF)
            head >>= 32
        head = (head // freq << PRECISION) + before + head % freq
    for word in reversed(bulk):
        head = head << 32 | word
    return head


TEXT = (
    "The cat sat on the mat and looked at the rain. It had been raining since the morning, and the cat did "
    "not like the rain at all. What a cat likes is a warm place near the stove, a dish of milk, and nobody "
    "about. In the evening the rain stopped; the cat went out, looked at the stars, and came back in. "
)
"""What the table model has learned from."""


class TableModel:
    """Order 0: every symbol has the same PMF, learned from TEXT. Its plan is (segment length,)."""

    shape: tuple[int, ...] = ()
    budgets: tuple[int, ...] = ()
    vocabulary: Vocabulary | None = None

    def __init__(self, name: str = "table-bytes", medium: str = "bytes", segment: int = 100) -> None:
        self.name = name
        self.medium = medium
        self.segment = segment
        self.alphabet = MEDIA[medium].alphabet
        learned, _ = MEDIA[medium].split(TEXT.encode())
        counts = 1 + 500 * np.bincount(learned, minlength=self.alphabet)
        freqs = 1 + counts * (TOTAL - self.alphabet) // counts.sum()
        freqs[0] += TOTAL - freqs.sum()
        self.freqs = freqs.astype(np.uint32)
        self.fingerprint = hashlib.sha256(name.encode() + self.freqs.astype("<u4").tobytes()).digest()[:8]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return self.shape or (20,)

    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> tuple[int, ...]:
        return (min(self.segment, count),)

    def segment_sizes(self, count: int, plan: tuple[int, ...]) -> list[int]:
        if len(plan) != 1 or not 1 <= plan[0] <= count or count // plan[0] > 1 << 12:
            raise CorruptError(f"the table model knows no plan {plan} for {count} symbols")
        return [min(plan[0], count - start) for start in range(0, count, plan[0])]

    def needs(self, count: int, plan: tuple[int, ...]) -> Needs:
        """A unit of work for 1,000 symbols."""
        return Needs(count // 1000, count + 1024 * max(self.segment_sizes(count, plan), default=0))

    def encode(
        self, symbols: NDArray[np.uint8], plan: tuple[int, ...], new_stack: Callable[[], Stack] = Stack
    ) -> Iterator[Stack]:
        at = 0
        for size in self.segment_sizes(len(symbols), plan):
            stack = new_stack()
            stack.push(symbols[at : at + size], self._pmf(size))
            at += size
            yield stack

    def decode(self, stacks: Iterator[Stack], count: int, plan: tuple[int, ...]) -> NDArray[np.uint8]:
        sizes = self.segment_sizes(count, plan)
        return np.concatenate([next(stacks).pop(self._pmf(size)) for size in sizes]).astype(np.uint8)

    def nll(self, symbols: NDArray[np.uint8], plan: tuple[int, ...]) -> float:
        return float(self._pmf(len(symbols)).bits(symbols).sum())

    def sample(self, items: int, steps: int | None, random: np.random.RandomState) -> NDArray[np.uint8]:
        self.plan(1, steps)
        size = math.prod(self.sample_shape)
        return (
            draw(random, np.repeat(self.freqs[None], items * size, axis=0))
            .reshape(items, size)
            .astype(np.uint8)
        )

    def _pmf(self, size: int) -> PMF:
        return PMF(np.repeat(self.freqs[None], size, axis=0))


class ItemModel(TableModel):
    """Codes items of 4 x 3 bytes, in 3 or 12 steps; its plan is (steps, 0 for all; segment length)."""

    shape = (4, 3)
    budgets = (3, 12)

    def __init__(self, name: str = "table-array") -> None:
        super().__init__(name, "array", segment=120)

    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> tuple[int, ...]:
        steps = 3 if steps is None else steps
        if steps not in (0, *self.budgets):
            raise ModelMismatchError(f"{self.name} codes in 3, 12 (all) steps, not in {steps}")
        return steps % 12, *super().plan(count)

    def segment_sizes(self, count: int, plan: tuple[int, ...]) -> list[int]:
        return super().segment_sizes(count, plan[1:])


class Models:
    """A source of these models; the default is `default`, whatever the content."""

    def __init__(self, *models: TableModel, default: str | None = None) -> None:
        self.models = models
        self.default = default
        self.thorough = False
        self.threads = 2

    def by_name(self, name: str) -> TableModel:
        return self._find(name, lambda model: model.name == name)

    def by_fingerprint(self, fingerprint: bytes) -> TableModel:
        return self._find(fingerprint.hex(), lambda model: model.fingerprint == fingerprint)

    def purposes(self) -> list[Purpose]:
        return [Purpose(model.name, model.medium, model.shape) for model in self.models]

    def default_for(self, content: bytes) -> str | None:
        return self.default

    def default_for_images(self) -> str | None:
        return next((model.name for model in self.models if model.medium == "image"), None)

    def _find(self, wanted: str, test: Callable[[TableModel], bool]) -> TableModel:
        for model in self.models:
            if test(model):
                return model
        raise ModelNotFoundError(f"no model {wanted}")


MODELS = Models(TableModel(), TableModel("table-text27", "text27"), ItemModel(), default="table-bytes")
"""One model of each medium."""


def compress(data: bytes, models: Models = MODELS, **options: Any) -> bytes:
    """`data` through the pipeline."""
    out = io.BytesIO()
    compress_stream(io.BytesIO(data), out, models=models, **options)
    return out.getvalue()


def decompress(blob: bytes, models: Models = MODELS) -> bytes:
    """`blob` through the pipeline."""
    out = io.BytesIO()
    decompress_stream(io.BytesIO(blob), out, models=models)
    return out.getvalue()


class Pipe(io.RawIOBase):
    """A source that cannot seek and gives what it likes: at most `most` bytes at a time."""

    def __init__(self, data: bytes, most: int = 1 << 20) -> None:
        self._data = io.BytesIO(data)
        self._most = most

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._data.read(self._most if size < 0 else min(size, self._most))


def npy(content, version: tuple[int, int] = (1, 0)) -> bytes:
    """A .npy file, as NumPy writes it."""
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asanyarray(content), version=version)
    return out.getvalue()
