"""Codecs with latent variables: bits-back coding, of one latent or of a chain of thousands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

from .codec import Codec
from .ledger import SymbolStack

X = TypeVar("X")
Z = TypeVar("Z")

Given = Callable[[int, Any], Codec[Any]]
"""(t, value) -> a codec at step t of a chain, given a value."""


class Chain(Codec[X]):
    """An `X` coded with a Markov chain of latents x_1 .. x_T, where x_0 is what is coded.

    Bits-back coding (Townsend, Bird, Barber, arXiv:1901.04866, section 2.3) in the order of Bit-Swap (Kingma, Abbeel,
    Ho, arXiv:1905.06845, algorithm 1): for t = 1 .. T pop x_t with q(x_t | x_{t-1}) and push x_{t-1} with
    p(x_{t-1} | x_t); last, push x_T with p(x_T). So x_0 costs on average

        E_q [ - log2 p(x_T) + sum over t of ( log2 q(x_t | x_{t-1}) - log2 p(x_{t-1} | x_t) ) ]

    bits, the negative evidence bound, where the stack holds what is borrowed: no more at a time than one latent takes
    and what the chain has not yet paid back, whatever T is (for a stack of all latents first, T latents).

    An empty stack lends zeros, not random bits: x_1 is then the first value of the posterior and no sample, and what
    the chain pays back for such a value is dear. Measured with a toy of 1,000 latents of 64 letters in
    tests/test_bitsback.py, whose first item has a bound of 182 bits and borrows 150: on an empty stack it costs 817
    bits more than its bound, later items nothing more; on a stack that holds 28 random bytes it too costs its bound. So
    begin with something that is coded without latents and takes 64 bits more than `account` says is borrowed.

    prior       p(x_T)
    posterior   (t, x_{t-1}) -> q(x_t | x_{t-1}), for t = 1 .. T
    likelihood  (t, x_t) -> p(x_{t-1} | x_t), for t = 1 .. T
    length      T, how many latents there are; without any, x_0 is coded with the prior. Raises ValueError below 0

    A loop, not a recursion, that holds two values of the chain and two codecs at a time: T may be any number.

    >>> import numpy as np
    >>> from catzip.compressor.coding import PMF, Categorical, Stack
    >>> def near(t, x):  # 64 letters, each in 9 of 10 cases the one before it
    ...     return Categorical(PMF.of_weights(1 + 567 * np.eye(64, dtype=int)[x]))
    >>> any_letter = Categorical(PMF.of_weights(np.ones((1, 64), np.int64)))
    >>> stack, chain = Stack(), Chain(any_letter, near, near, 1000)
    >>> chain.push(stack, np.array([42]))
    >>> chain.pop(stack), stack.is_empty()
    (array([42], dtype=int32), True)
    >>> round(chain.bits(np.array([42])), 6)  # all 1,000 latents are paid back: log2(64)
    6.0
    """

    __slots__ = ("_length", "_likelihood", "_posterior", "_prior")

    bound: ClassVar[bool] = True

    def __init__(self, prior: Codec[Any], posterior: Given, likelihood: Given, length: int) -> None:
        if length < 0:
            raise ValueError(f"a chain of {length} latents; 0 or more are possible")
        self._prior, self._posterior, self._likelihood, self._length = prior, posterior, likelihood, length

    def push(self, stack: SymbolStack, x: X, /) -> None:
        """Push x_0, by the steps above."""
        value: Any = x
        for t in range(1, self._length + 1):
            latent = self._posterior(t, value).pop(stack)
            self._likelihood(t, latent).push(stack, value)
            value = latent
        self._prior.push(stack, value)

    def pop(self, stack: SymbolStack, /) -> X:
        """Pop x_0, by the same steps backwards, each the inverse of what it was."""
        value: Any = self._prior.pop(stack)
        for t in range(self._length, 0, -1):
            before = self._likelihood(t, value).pop(stack)
            self._posterior(t, before).push(stack, value)
            value = before
        found: X = value
        return found


class BitsBack(Chain[X], Generic[X, Z]):
    """An `X` coded with one latent `Z`: a chain of length 1.

    Popping z with the posterior takes bits that are already on the stack, so that on average x costs
    -log p(x|z) - log p(z) + log q(z|x), the negative evidence bound (Townsend, Bird, Barber, arXiv:1901.04866,
    section 2.3).

    prior       p(z)
    likelihood  z -> p(x|z)
    posterior   x -> q(z|x)

    >>> import numpy as np
    >>> from catzip.compressor.coding import PMF, Categorical
    >>> def table(rows):
    ...     return Categorical(PMF.of_weights(np.array(rows)))
    >>> def likelihood(z): return table(np.array([[6, 2], [1, 7]])[z])
    >>> def posterior(x): return table(np.array([[6, 1], [2, 7]])[x])  # exact, so the bound is the likelihood
    >>> codec = BitsBack(table([[1, 1]]), likelihood, posterior)
    >>> round(codec.bits(np.array([0])), 4)  # log2(16 / 7)
    1.1926
    """

    __slots__ = ()

    def __init__(
        self, prior: Codec[Z], likelihood: Callable[[Z], Codec[X]], posterior: Callable[[X], Codec[Z]]
    ) -> None:
        super().__init__(prior, lambda _, x: posterior(x), lambda _, z: likelihood(z), 1)
