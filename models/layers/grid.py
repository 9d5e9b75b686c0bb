"""Exact integer layers: what every PMF of every model is made of.

The contract. Every tensor holds integers, with a power-of-two scale that is a constant of the layer. Every step is
one of: an integer operation that cannot overflow; an operation on integers carried in floating point whose result is
exact by a stated bound; or a single correctly rounded IEEE operation whose operands are exact. So neither the order
of a sum, nor batch size, threads, instruction set, library or device, nor the fusing of a multiplication with an
addition, can change a result. The bounds are checked when a layer is built.

    codes      2**-ACT     -127..127        what enters a product
    weights    2**-e       -63..63          one exponent e for each output channel, or two weights, see FineLinear
    residual   2**-RES     +-RES_MAX        the stream that layers add to
    state      2**-STATE   +-STATE_MAX      of the recurrence, int32
    logits     2**-LOGIT   +-LOGIT_MAX      natural units

Codes, residuals and logits are integers in float32 (all below 2**24). For training there are real-valued layers
of the same names in ``qat``, which round to the same grid.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...compressor.coding.pmf import TOTAL
from ..backends.base import CODE_MAX, Array, Arrays, NumpyArray, checked_weight

ACT = 5
RES, RES_MAX = 8, (1 << 15) - 1
FORGET, FORGET_MAX = 6, 511
GATE = 12
STATE, STATE_MAX = 12, 1 << 14
LOGIT, LOGIT_MAX = 8, 1 << 13

_POWER_MAX = 64  # of two, that a product is scaled by: nothing leaves the range of float32 either way
_HIDDEN = 8  # of the state as the output gate sees it: 2**10 * 127 * 128 < 2**24
_EXP_BITS = 20  # of the largest entry of the exponential table
_EXP_RANGE = 16  # nats below the largest logit at which the table ends
EXP_ENTRIES = (_EXP_RANGE << LOGIT) + 1

Tensors = dict[str, NumpyArray]


def sigmoid_table() -> NumpyArray:
    """round(2**GATE * sigmoid(i / 2**FORGET)) for i in -FORGET_MAX..FORGET_MAX, int32. Built once, at export."""
    x = np.arange(-FORGET_MAX, FORGET_MAX + 1) / 2.0**FORGET
    return np.floor(2.0**GATE / (1 + np.exp(-x)) + 0.5).astype(np.int32)


def exp_table() -> NumpyArray:
    """round(2**_EXP_BITS * exp(-i / 2**LOGIT)) for i in 0.._EXP_RANGE nats, int32. Built once, at export."""
    x = np.arange(EXP_ENTRIES) / 2.0**LOGIT
    return np.floor(2.0**_EXP_BITS * np.exp(-x) + 0.5).astype(np.int32)


class Linear:
    """Codes [N, inputs] -> integers [N, outputs] at scale 2**-bits: clip(floor(acc * 2**(bits - ACT - e) + b + 1/2)).

    acc is exact; the multiplication by a power of two is exact, and may as well be done to the weights beforehand;
    the addition is the one rounding, so that a fused multiply-add gives the same. Several layers with the same input
    may share one product: their tensors are stacked by the caller and ``bits`` is given for each output.
    """

    def __init__(
        self, arrays: Arrays, weight: NumpyArray, exponent: NumpyArray, bias: NumpyArray, bits: Any
    ) -> None:
        power = np.broadcast_to(np.asarray(bits) - ACT - exponent.astype(np.int64), bias.shape)
        if len(power) and int(np.abs(power).max()) > _POWER_MAX:
            raise ValueError("an exponent is too large for float32 to scale by it exactly")
        self._arrays = arrays
        self._weight = checked_weight(weight), np.ldexp(np.float32(1), power.astype(np.int32))
        self._prepared: tuple[Array, Array | None] | None = None
        self._offset = arrays.place((bias + 0.5).astype(np.float32))
        if not np.array_equal(arrays.fetch(self._offset).astype(np.float64), bias + 0.5):
            raise ValueError("a bias is too large for float32 to hold it and a half")

    @classmethod
    def load(cls, arrays: Arrays, tensors: Tensors, names: list[str], bits: list[int]) -> Linear:
        """The layers of these names in one product, each with its own bits."""
        weight, exponent, bias = (
            np.concatenate([tensors[f"{name}.{part}"] for name in names])
            for part in ("weight", "exponent", "bias")
        )
        each = [np.full(len(tensors[f"{name}.bias"]), bit) for name, bit in zip(names, bits, strict=True)]
        try:
            return cls(arrays, weight, exponent, bias, np.concatenate(each))
        except ValueError as error:
            raise ValueError(f"{' and '.join(names)}: {error}") from error

    def __call__(self, codes: Array) -> Array:
        """Not clipped: the caller knows the limits of its slices."""
        weight, scale = self._scaled()
        y = self._arrays.product(codes, weight)
        if scale is not None:
            y *= scale
        y += self._offset
        return self._arrays.floor_(y)

    def _scaled(self) -> tuple[Array, Array | None]:
        """The weights as products take them, from the first product on: where the compiled core runs there is none."""
        if self._prepared is None:
            self._prepared = self._arrays.scaled(*self._weight)
        return self._prepared


class FineLinear(Linear):
    """Weights of 13 bits, for outputs that have to be more accurate than 7 allow: a coarse weight and a fine one.

    The tensors hold those of all outputs coarse, then fine: twice as many, of which the second half has no bias. Both
    are integers after their own scaling and rounding, and are added.
    """

    def __call__(self, codes: Array) -> Array:
        both = super().__call__(codes)
        half = both.shape[-1] // 2
        return both[:, :half] + both[:, half:]


def layer(arrays: Arrays, tensors: Tensors, name: str, bits: int, fine: bool) -> Linear:
    """The layer of this name, whose outputs have so many bits behind the point; with ``fine`` weights or not."""
    return (FineLinear if fine else Linear).load(arrays, tensors, [name], [bits])


def rms_norm(arrays: Arrays, x: Array) -> Array:
    """Codes of x / rms(x) over the last axis of the residual stream (Zhang and Sennrich 2019, arXiv 1910.07467).

    r = floor(2**20 sqrt(n / (sum x^2 + 16 n))) <= 2**18, y = floor(x r 2**(ACT-20) + 1/2). The sum is below 2**53 for
    up to 2**22 channels. y is exact in float32 wherever it is not clipped: there x r < 2**22, and a half is 2**14 of
    its steps. Elsewhere rounding keeps it on the same side of the limits.
    """
    channels = x.shape[-1]
    squares = arrays.sum_squares(arrays.float64(x))
    squares += 16.0 * channels
    r = arrays.floor_(arrays.sqrt(arrays.ratio(2.0**40 * channels, squares)))  # 2**20 outside the root
    r *= 2.0 ** (ACT - 20)
    y = x * arrays.float32(r)
    y += 0.5
    return arrays.clip_(arrays.floor_(y), -CODE_MAX, CODE_MAX)


def swish(arrays: Arrays, codes: Array) -> Array:
    """x clip((x + 2) / 4, 0, 1) of codes, at scale 2**-(ACT + 7): integers up to 127 * 128 in size."""
    u = codes + 64.0
    arrays.clip_(u, 0, 128)
    u *= codes
    return u


def to_codes(arrays: Arrays, y: Array, shift: int) -> Array:
    """clip(floor(y 2**-shift + 1/2)) in place, for integers below 2**24 in size: exact in float32 for shift >= 1.

    y 2**-shift is exact; adding a half may round, once, to a value whose floor is the same for every machine.
    """
    y *= 2.0**-shift
    y += 0.5
    return arrays.clip_(arrays.floor_(y), -CODE_MAX, CODE_MAX)


class Embedding:
    """Rows of codes: indices [...] -> int8 [..., width]."""

    def __init__(self, arrays: Arrays, tensors: Tensors, name: str) -> None:
        table = tensors[f"{name}.table"]
        if table.dtype != np.int8 or table.min(initial=0) < -CODE_MAX:
            raise ValueError(f"{name}.table must be int8 in -{CODE_MAX}..{CODE_MAX}")
        self._arrays = arrays
        self._table = arrays.place(table)

    def __call__(self, index: Array) -> Array:
        return self._arrays.take(self._table, index)


class Recurrent:
    """A gated linear recurrence on a residual stream, with an output gate (minGRU, Feng et al. 2024, arXiv 2410.01201;
    HGRN, Qin et al. 2023, arXiv 2311.04823):

        f, c, g = W n,  n = rms_norm(x)         h = a h + (1 - a) c,  a = sigmoid(f)        x + W_out(h swish(g))

    In integers h += ((2**GATE - a) (c - h) + 2**(GATE-1)) >> GATE, whose product stays below 2**(GATE + 16). The new h
    lies between the old one and c, so it stays within +-STATE_MAX.
    """

    def __init__(self, arrays: Arrays, tensors: Tensors, name: str) -> None:
        self._arrays = arrays
        # One product for all three would be no faster, and would leave strided slices to work on.
        parts = (("forget", FORGET), ("candidate", STATE), ("gate", ACT))
        self._forget, self._candidate, self._gate = (
            Linear.load(arrays, tensors, [f"{name}.{part}"], [bits]) for part, bits in parts
        )
        self._out = Linear.load(arrays, tensors, [f"{name}.out"], [RES])
        if len(exponents := tensors[f"{name}.forget.exponent"]) and exponents.min() < 0:
            raise ValueError(
                "a forget gate must have steps of 1 or less, so that it fits the index of a table"
            )
        sigmoid = tensors["sigmoid"]
        if sigmoid.min() < 0 or sigmoid.max() > 1 << GATE:
            raise ValueError(f"sigmoid must be in 0..{1 << GATE}")
        # What is let in, 1 - a, is what the recurrence multiplies by.
        self._renew = arrays.place((1 << GATE) - sigmoid.astype(np.int32))

    def __call__(self, x: Array, state: Array) -> tuple[Array, Array]:
        """Residual [T, L, D] and state int32 [L, E] -> the same, after T steps."""
        arrays = self._arrays
        steps, lanes, width = x.shape
        n = rms_norm(arrays, x).reshape(steps * lanes, width)
        forget = self._forget(n)
        forget += FORGET_MAX
        renew = arrays.lookup(self._renew, forget)  # clips
        candidate = arrays.int32(arrays.clip_(self._candidate(n), -STATE_MAX, STATE_MAX))
        states = self._scan(renew.reshape(steps, lanes, -1), candidate.reshape(steps, lanes, -1), state)
        hidden = arrays.float32((states + (1 << STATE - _HIDDEN - 1)) >> STATE - _HIDDEN)
        hidden = hidden.reshape(steps * lanes, -1)
        hidden *= swish(arrays, arrays.clip_(self._gate(n), -CODE_MAX, CODE_MAX))
        codes = to_codes(arrays, hidden, _HIDDEN + ACT + 7 - ACT)
        return add_residual(arrays, x, self._out(codes)), states[-1]

    def _scan(self, renew: Array, candidate: Array, h: Array) -> Array:
        states = candidate  # in place: each row is read once, just before it is written
        for t in range(len(renew)):
            now = states[t]
            now -= h
            now *= renew[t]
            now += 1 << GATE - 1
            now >>= GATE
            now += h
            h = now
        return states


class GatedMLP:
    """x + W_out(swish(W_gate n) * W_up n), n = rms_norm(x) (Shazeer 2020, arXiv 2002.05202)."""

    def __init__(self, arrays: Arrays, tensors: Tensors, name: str) -> None:
        self._arrays = arrays
        self._inputs = Linear.load(arrays, tensors, [f"{name}.gate", f"{name}.up"], [ACT, ACT])
        self._out = Linear.load(arrays, tensors, [f"{name}.out"], [RES])

    def __call__(self, x: Array) -> Array:
        """Residual [T, L, D] -> the same."""
        arrays = self._arrays
        y = self._inputs(rms_norm(arrays, x).reshape(-1, x.shape[-1]))
        arrays.clip_(y, -CODE_MAX, CODE_MAX)
        size = y.shape[-1] // 2
        hidden = swish(arrays, y[:, :size])
        hidden *= y[:, size:]
        return add_residual(arrays, x, self._out(to_codes(arrays, hidden, ACT + 7)))


def add_residual(arrays: Arrays, x: Array, out: Array) -> Array:
    """x + out, both within the residual's limits: below 2**17, exact."""
    y = arrays.clip_(out, -RES_MAX, RES_MAX).reshape(x.shape)
    y += x
    return arrays.clip_(y, -RES_MAX, RES_MAX)


class Softmax:
    """Logits [N, K] at scale 2**-LOGIT -> frequencies, by an integer table of the exponential function."""

    def __init__(self, arrays: Arrays, tensors: Tensors) -> None:
        table = tensors["exp"]
        if table.min() < 0 or table.max() > 1 << _EXP_BITS or table[0] < 1:
            raise ValueError(f"exp must be in 0..{1 << _EXP_BITS}, and begin with what is not 0")
        self._arrays = arrays
        self._table = arrays.place(table.astype(np.float64))

    def __call__(self, logits: Array) -> NumpyArray:
        """Integer logits [N, K] -> frequencies uint32 [N, K]."""
        return frequencies(self._arrays, self.weights(logits))

    def weights(self, logits: Array) -> Array:
        """e = exp_table[max - logit]: integers 0..2**20 in float64, the largest of a row 2**20."""
        return self._arrays.lookup(self._table, self._arrays.max(logits) - logits)


def frequencies(arrays: Arrays, mass: Array) -> NumpyArray:
    """Frequencies uint32 [N, K], at least 1, which sum to 2**24, for masses: integers [N, K] in float64, used up.

    f = floor(mass ((2**24 - K) / sum mass)) + 1, what is left going to the first largest. The sum, below 2**53, is
    exact; the division and the product are each one correctly rounded operation.
    """
    mass *= arrays.ratio(TOTAL - mass.shape[-1], mass.sum(-1)[:, None])
    return normalised(arrays.fetch(arrays.int32(mass)))


def normalised(found: NumpyArray) -> NumpyArray:
    """Normalised frequencies uint32 [N, K], at least 1, which sum to 2**24.

    found  masses int32 [N, K], used up, that were rounded down to sums of at most 2**24 - K; what is left goes to the
           first largest
    """
    found += 1
    left = TOTAL - np.add.reduce(found, axis=-1, dtype=np.int32)
    found[np.arange(len(found)), found.argmax(axis=-1)] += left
    return found.view(np.uint32)
