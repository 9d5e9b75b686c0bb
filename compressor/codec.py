"""Codecs and how they compose, after craystack (Townsend, Bird, Kunze, Barber, arXiv:1912.09953).

A codec is a pair `push(stack, x)` and `pop(stack) -> x`. The law, held against every codec in
tests/laws.py: each undoes the other exactly, leaving the stack as it was. Combinators take codecs and give
codecs.

A push that raises (wrong count, symbol out of range) may have pushed part of `x`: discard that stack.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .pmf import PMF

if TYPE_CHECKING:  # constriction is for coding: training, which knows PMFs, does without
    from .stack import Stack
X = TypeVar("X")
Y = TypeVar("Y")
Z = TypeVar("Z")


class Codec(Protocol[X]):
    """What can put an `X` on a stack and take it off again."""

    def push(self, stack: Stack, x: X, /) -> None:
        """Put `x` on the stack. Raises ValueError if `x` is not something this codec codes."""
        ...

    def pop(self, stack: Stack, /) -> X:
        """Take an `X` off the stack: the inverse of `push`."""
        ...


class Categorical:
    """N independent symbols, int [N], with the rows of one PMF."""

    __slots__ = ("pmf",)

    def __init__(self, pmf: PMF) -> None:
        self.pmf = pmf

    def push(self, stack: Stack, x: NDArray[np.integer], /) -> None:
        """Push int [N]."""
        stack.push(x, self.pmf)

    def pop(self, stack: Stack, /) -> NDArray[np.int32]:
        """Pop int32 [N]."""
        return stack.pop(self.pmf)


Steps = Generator[Codec[Any], Any, None]
"""Yields one codec for each item, and is sent the item that was coded with it."""


class Serial:
    """A sequence of items, each coded with a codec that may depend on the items before it.

    `steps` makes a generator, written once and in DECODE order:

        def steps():
            first = yield Categorical(p)
            second = yield Categorical(q(first))

    `pop` runs it. `push` replays it with the true items and then unwinds, so all its codecs are held at
    once; hold a segment's worth. The generator must be deterministic. What it is sent are the items popped,
    so it must accept what an inner codec's `pop` gives (for Categorical, int32 arrays) as well as what the
    caller pushes.
    """

    __slots__ = ("_steps",)

    def __init__(self, steps: Callable[[], Steps]) -> None:
        self._steps = steps

    def push(self, stack: Stack, x: Sequence[Any], /) -> None:
        """Push the items. Raises ValueError, the stack untouched, if there are too few or too many."""
        codecs: list[Codec[Any]] = []
        steps = self._steps()
        codec = next(steps, None)
        for item in x:
            if codec is None:
                raise ValueError(f"{len(x)} symbols for a serial codec of {len(codecs)} steps: too many")
            codecs.append(codec)
            codec = advance(steps, item)
        if codec is not None:
            raise ValueError(f"{len(x)} symbols for a serial codec of more steps: too few")
        for codec, item in zip(reversed(codecs), reversed(x), strict=True):
            codec.push(stack, item)

    def pop(self, stack: Stack, /) -> list[Any]:
        """Pop as many items as the generator has steps."""
        items: list[Any] = []
        steps = self._steps()
        codec = next(steps, None)
        while codec is not None:
            items.append(codec.pop(stack))
            codec = advance(steps, items[-1])
        return items


def advance(steps: Generator[X, Any, None], item: Any) -> X | None:
    """Send the item to the generator; the next codec, or None at its end."""
    try:
        return steps.send(item)
    except StopIteration:
        return None


class Mapped(Generic[X, Y]):
    """An `X` coded as the `Y` that a bijection makes of it (for flows: integers through the flow)."""

    __slots__ = ("_forward", "_inner", "_inverse")

    def __init__(self, inner: Codec[Y], forward: Callable[[X], Y], inverse: Callable[[Y], X]) -> None:
        self._inner = inner
        self._forward = forward
        self._inverse = inverse

    def push(self, stack: Stack, x: X, /) -> None:
        """Push forward(x)."""
        self._inner.push(stack, self._forward(x))

    def pop(self, stack: Stack, /) -> X:
        """Pop y and give inverse(y)."""
        return self._inverse(self._inner.pop(stack))


class BitsBack(Generic[X, Z]):
    """An `X` coded with a latent `Z` (Townsend, Bird, Barber, arXiv:1901.04866, section 2.3).

    Popping z with the posterior takes bits that are already on the stack, so that on average x costs
    -log p(x|z) - log p(z) + log q(z|x), the negative evidence bound. On an empty stack there is nothing to
    take: the first latents then cost what they cost.
    """

    __slots__ = ("_likelihood", "_posterior", "_prior")

    def __init__(
        self, prior: Codec[Z], likelihood: Callable[[Z], Codec[X]], posterior: Callable[[X], Codec[Z]]
    ) -> None:
        self._prior = prior
        self._likelihood = likelihood
        self._posterior = posterior

    def push(self, stack: Stack, x: X, /) -> None:
        """Pop z ~ q(z|x), push x with p(x|z), push z with p(z)."""
        z = self._posterior(x).pop(stack)
        self._likelihood(z).push(stack, x)
        self._prior.push(stack, z)

    def pop(self, stack: Stack, /) -> X:
        """The same three steps backwards."""
        z = self._prior.pop(stack)
        x = self._likelihood(z).pop(stack)
        self._posterior(x).push(stack, z)
        return x
