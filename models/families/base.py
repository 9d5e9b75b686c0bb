"""What every family of models does alike: a family says how a frame is cut and coded, and the rest is written here.

A frame is a run of segments, each of which has a stack. A family turns (count, plan) into segments, each a place and a
codec; here they are coded on one of three stacks (``compressor.coding.ledger``):

    encode  pushes every segment on a rANS stack       decode  pops it again
    nll     pushes every segment on one ledger         sample  pops them from random bits

So a family has no walk of its own through what it codes, and what is sampled and what is measured is what is coded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from ...compressor.coding.codec import Codec
from ...compressor.coding.ledger import Ledger
from ...compressor.coding.model import Plan
from ...compressor.coding.stack import RandomBits, Stack
from ...compressor.coding.symbols import symbol_type
from ...compressor.errors import CorruptError
from ..backends.base import NumpyArray
from .identity import Identity

__all__ = ["Family", "Identity", "Place", "Segments", "Slice"]

_SPARE = 16  # random bytes of a segment beyond those that its symbols may take


class Place(Protocol):
    """Where the symbols of a segment lie in a frame, which is a part of a partition of it."""

    def cut(self, symbols: NumpyArray, /) -> NumpyArray:
        """What the segment codes of the symbols [count] of its frame, in any shape that its codec knows."""
        ...

    def put(self, symbols: NumpyArray, part: NumpyArray, /) -> None:
        """Write what was decoded into the symbols [count] of the frame: the inverse of `cut`."""
        ...


class Slice(NamedTuple):
    """Consecutive symbols, start..stop - 1: [stop - start].

    >>> symbols = np.zeros(5, np.uint8)
    >>> Slice(1, 3).put(symbols, np.array([7, 8]))
    >>> symbols, Slice(2, 4).cut(symbols)
    (array([0, 7, 8, 0, 0], dtype=uint8), array([8, 0], dtype=uint8))
    """

    start: int
    stop: int

    def cut(self, symbols: NumpyArray) -> NumpyArray:
        """A view."""
        return symbols[self.start : self.stop]

    def put(self, symbols: NumpyArray, part: NumpyArray) -> None:
        """Write them."""
        symbols[self.start : self.stop] = part


Segments = Iterator[tuple[Place, Codec[NumpyArray]]]
"""In the order of coding. The codec of a segment is used once, for a push or a pop, before the next segment is asked
for: so what a family knows may run on from one to the next."""


class Family(ABC):
    """A `compressor.coding.model.Model` but for what is the family's own.

    That is `plan`, `segment_sizes`, `segments`, and, where catzip files are to be made, `needs`.

    Symbols are uint8, or uint16 for an alphabet above 256. With such a one, a family does not code a symbol by one PMF,
    which the coder takes 74 microseconds to read at 49,152 frequencies: it codes it in digits, as `Quantized` does.

    bound         whether the nll is one sample of a bound on the negative log-likelihood, and not that itself
    shape         of an item; () where any length is alike
    budgets       see `compressor.coding.model.Model`
    symbol_bits   the most that a symbol may take, as its PMFs have so many bits; random bits are made by it

    >>> from catzip.compressor.coding import PMF, Categorical
    >>> class Vowels(Family):  # 0 half of the time, else 1..4; the plan is how many are in a segment
    ...     alphabet, symbol_bits, sample_size = 5, 24, 8
    ...     def plan(self, count, steps=None, shape=()):
    ...         return (100,)
    ...     def segment_sizes(self, count, plan):
    ...         return [min(plan[0], count - start) for start in range(0, count, plan[0])]
    ...     def segments(self, count, plan, known=None):
    ...         for i, size in enumerate(self.segment_sizes(count, plan)):
    ...             rows = PMF.of_weights(np.array([[4, 1, 1, 1, 1]] * size))
    ...             yield Slice(i * plan[0], i * plan[0] + size), Categorical(rows)
    >>> model = Vowels(Identity("vowels", "bytes", b"vowels-1"))
    >>> x = np.arange(250, dtype=np.uint8) % 5
    >>> stacks = list(model.encode(x, (100,)))
    >>> len(stacks), [len(stack.to_bytes()) for stack in stacks]
    (3, [36, 36, 19])
    >>> bool((model.decode(iter(stacks), 250, (100,)) == x).all())
    True
    >>> round(model.nll(x, (100,)), 3)  # bits: 50 * log2(2) + 200 * log2(8)
    650.0
    >>> model.sample(2, None, np.random.RandomState(1)).shape
    (2, 8)
    """

    bound: ClassVar[bool] = False
    shape: tuple[int, ...] = ()
    budgets: tuple[int, ...] = ()
    alphabet: int
    symbol_bits: int

    def __init__(self, identity: Identity) -> None:
        self.name, self.medium, self.fingerprint = identity.name, identity.medium, identity.fingerprint
        self.vocabulary = identity.vocabulary

    @abstractmethod
    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> Plan:
        """See `compressor.coding.model.Model`."""

    @abstractmethod
    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        """See `compressor.coding.model.Model`."""

    @abstractmethod
    def segments(self, count: int, plan: Plan, known: NumpyArray | None = None) -> Segments:
        """The segments of a frame of `count` symbols, as many as `segment_sizes` has, lazily.

        known  the symbols [count], where segments are going to be pushed: an encoder may look at all of them for what
               it sends first. None where they are going to be popped

        Raises CorruptError for a plan that cannot be.
        """

    @property
    @abstractmethod
    def sample_size(self) -> int:
        """Symbols of one sample."""

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """See `compressor.model.Model`."""
        return self.shape or (self.sample_size,)

    def sample_frames(self, items: int, steps: int | None) -> Iterator[tuple[int, Plan]]:
        """Frames that so many samples are decoded from: (symbols, plan), each of whole samples."""
        count = items * self.sample_size
        yield count, self.plan(count, steps)

    def encode(
        self, symbols: NumpyArray, plan: Plan, new_stack: Callable[[], Stack] = Stack
    ) -> Iterator[Stack]:
        """One stack for each segment of symbols [count], empty ones of which `new_stack` makes.

        Raises ValueError for a symbol outside the alphabet, CorruptError for a plan that cannot be.
        """
        for place, codec in self._known(symbols, plan):
            stack = new_stack()
            codec.push(stack, place.cut(symbols))
            yield stack

    def decode(self, stacks: Iterator[Stack], count: int, plan: Plan) -> NumpyArray:
        """The symbols [count], from one stack for each segment.

        Raises CorruptError for a plan that cannot be, and if a stack is not empty after its segment; ValueError for too
        few stacks or too many.
        """
        sizes = self.segment_sizes(count, plan)  # before anything is allocated
        symbols = self._zeros(count)
        done = 0
        for (place, codec), size, stack in zip(self.segments(count, plan), sizes, stacks, strict=True):
            place.put(symbols, codec.pop(stack))
            done += size
            if not stack.is_empty():
                raise CorruptError(f"bits are left over after {done} of {count} symbols; the file is damaged")
        return symbols

    def nll(self, symbols: NumpyArray, plan: Plan) -> float:
        """-log2 p(symbols [count]) under that plan, in bits: the balance of a ledger. Raises as `encode` does."""
        ledger = Ledger()
        for place, codec in self._known(symbols, plan):
            codec.push(ledger, place.cut(symbols))
        return ledger.balance

    def sample(self, items: int, steps: int | None, random: np.random.RandomState) -> NumpyArray:
        """So many samples [items, sample_size]: what random bits decode to.

        `steps` as for `plan`. Raises ModelMismatchError as it does.
        """
        self.plan(1, steps)
        frames = self.sample_frames(items, steps) if items else iter(())
        samples = [self._sampled(count, plan, random) for count, plan in frames]
        return np.concatenate([self._zeros(0), *samples]).reshape(items, self.sample_size)

    def _sampled(self, count: int, plan: Plan, random: np.random.RandomState) -> NumpyArray:
        """A frame of random symbols [count]. Where bits decode to a symbol outside the alphabet, others do."""
        while True:
            symbols = self._zeros(count)
            sizes = self.segment_sizes(count, plan)
            with suppress(CorruptError):
                for (place, codec), size in zip(self.segments(count, plan), sizes, strict=True):
                    most = size * self.symbol_bits // 8 + _SPARE
                    place.put(symbols, codec.pop(RandomBits(random, most)))
                return symbols

    def _zeros(self, count: int) -> NumpyArray:
        """Room for symbols [count]."""
        return np.zeros(count, symbol_type(self.alphabet))

    def _known(self, symbols: NumpyArray, plan: Plan) -> Segments:
        """The segments that these symbols are pushed with. Raises ValueError for one outside the alphabet."""
        if len(symbols) and int(symbols.max()) >= self.alphabet:
            raise ValueError(f"symbol {symbols.max()} is outside the alphabet 0..{self.alphabet - 1}")
        yield from self.segments(len(symbols), plan, symbols)
