"""Codecs and how they compose, after craystack (Townsend, Bird, Kunze, Barber, arXiv:1912.09953).

A codec is a pair `push(stack, x)` and `pop(stack) -> x`. The law, held against every codec in
tests/laws.py: each undoes the other exactly, leaving the stack as it was. Combinators take codecs and give
codecs. The stack may be any of `ledger.SymbolStack`: on one a codec compresses, on another it samples, and
on a ledger it tells what it costs.

A push that raises (wrong count, symbol out of range) may have pushed part of `x`: discard that stack.

Codecs with latent variables are in `bitsback.py`, distributions over wide grids in `quantized.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from .ledger import Account, Ledger, SymbolStack
from .pmf import PMF

X = TypeVar("X")
Y = TypeVar("Y")


class Codec(ABC, Generic[X]):
    """What can put an `X` on a stack and take it off again.

    bound  whether a class of codecs turns a likelihood into a bound on it, so that `bits` is one sample of
           that bound. A combinator adds nothing to what it combines: `Account.popped` tells of one codec
           whether there is a bound anywhere in it
    """

    __slots__ = ()

    bound: ClassVar[bool] = False

    @abstractmethod
    def push(self, stack: SymbolStack, x: X, /) -> None:
        """Put `x` on the stack. Raises ValueError if `x` is not something this codec codes."""

    @abstractmethod
    def pop(self, stack: SymbolStack, /) -> X:
        """Take an `X` off the stack: the inverse of `push`."""

    def account(self, x: X, seed: int = 0) -> Account:
        """What pushing `x` costs, and what it borrows of the stack meanwhile. `seed` as for `Ledger`."""
        ledger = Ledger(seed)
        self.push(ledger, x)
        return ledger.account

    def bits(self, x: X, seed: int = 0) -> float:
        """The ideal cost of `x`, in bits: its negative log-likelihood, or one sample of the bound on it."""
        return self.account(x, seed).bits


class Categorical(Codec[NDArray[np.integer]]):
    """N independent symbols, int [N], with the rows of one PMF [N, K].

    >>> import catzip.compressor.coding as coding
    >>> letters = Categorical(coding.PMF.of_weights(np.array([[90, 5, 5], [1, 1, 2]])))
    >>> round(letters.bits(np.array([0, 2])), 3)  # log2(100 / 90) + log2(4 / 2)
    1.152
    """

    __slots__ = ("pmf",)

    def __init__(self, pmf: PMF) -> None:
        self.pmf = pmf

    def push(self, stack: SymbolStack, x: NDArray[np.integer], /) -> None:
        """Push int [N]."""
        stack.push(x, self.pmf)

    def pop(self, stack: SymbolStack, /) -> NDArray[np.int32]:
        """Pop int32 [N]."""
        return stack.pop(self.pmf)


Steps = Generator[Codec[Any], Any, Any]
"""Yields one codec for each item, and is sent the item that was coded with it."""


class Serial(Codec[list[Any]]):
    """A sequence of items, each coded with a codec that may depend on the items before it.

    `steps` makes a generator, written once and in DECODE order:

        def steps():
            first = yield Categorical(p)
            second = yield Categorical(q(first))

    `pop` runs it. `push` replays it with the true items and then unwinds, so all its codecs are held at
    once; hold a segment's worth. The generator must be deterministic. What it is sent are the items popped,
    so it must accept what an inner codec's `pop` gives (for Categorical, int32 arrays) as well as what the
    caller pushes.

    >>> from catzip.compressor.coding import Stack
    >>> def steps():  # a symbol comes again 9 times in 10
    ...     last = yield Categorical(PMF.of_weights(np.array([[1, 1]])))
    ...     for _ in range(4):
    ...         last = yield Categorical(PMF.of_weights(1 + 8 * np.eye(2, dtype=int)[last]))
    >>> stack, codec = Stack(), Serial(steps)
    >>> codec.push(stack, [np.array([x]) for x in (1, 1, 1, 0, 0)])
    >>> [int(x[0]) for x in codec.pop(stack)]
    [1, 1, 1, 0, 0]
    """

    __slots__ = ("_steps",)

    def __init__(self, steps: Callable[[], Steps]) -> None:
        self._steps = steps

    def push(self, stack: SymbolStack, x: Sequence[Any], /) -> None:
        """Push the items. Raises ValueError, the stack untouched, if there are too few or too many."""
        for codec, item in reversed(list(replayed(self._steps(), x))):
            codec.push(stack, item)

    def pop(self, stack: SymbolStack, /) -> list[Any]:
        """Pop as many items as the generator has steps."""
        items: list[Any] = []
        steps = self._steps()
        codec = next(steps, None)
        while codec is not None:
            items.append(codec.pop(stack))
            codec = _sent(steps, items[-1])
        return items


def replayed(steps: Generator[X, Any, Any], items: Iterable[Y]) -> Iterator[tuple[X, Y]]:
    """Run a generator on known items: what it yields before it is sent each, and that item.

    This is teacher forcing; no other code walks such a generator. Raises ValueError if there are too few items or too
    many.
    """
    count, asked = 0, next(steps, None)
    for item in items:
        if asked is None:
            raise ValueError(f"too many symbols: there are {count} steps, each for one")
        yield asked, item
        count, asked = count + 1, _sent(steps, item)
    if asked is not None:
        raise ValueError(f"too few symbols: there are {count}, and more steps, each for one")


def _sent(steps: Generator[X, Any, Any], item: Any) -> X | None:
    """Send the item to the generator; what it yields next, or None at its end."""
    try:
        return steps.send(item)
    except StopIteration:
        return None


class Mapped(Codec[X], Generic[X, Y]):
    """An `X` coded as the `Y` that a bijection makes of it (for flows: integers through the flow).

    >>> from catzip.compressor.coding import Stack
    >>> four = Categorical(PMF.of_weights(np.ones((3, 4), np.int64)))
    >>> def number(text): return np.array(["ACGT".index(base) for base in text])
    >>> def text(number): return "".join("ACGT"[each] for each in number)
    >>> stack, bases = Stack(), Mapped(four, number, text)
    >>> bases.push(stack, "GAT")
    >>> bases.pop(stack)
    'GAT'
    """

    __slots__ = ("_forward", "_inner", "_inverse")

    def __init__(self, inner: Codec[Y], forward: Callable[[X], Y], inverse: Callable[[Y], X]) -> None:
        self._inner = inner
        self._forward = forward
        self._inverse = inverse

    def push(self, stack: SymbolStack, x: X, /) -> None:
        """Push forward(x)."""
        self._inner.push(stack, self._forward(x))

    def pop(self, stack: SymbolStack, /) -> X:
        """Pop y and give inverse(y)."""
        return self._inverse(self._inner.pop(stack))
