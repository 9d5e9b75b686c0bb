"""Where exact inference runs: the few array operations that the integer layers are written in.

The same layer code runs on NumPy arrays (``numpy``) and on PyTorch tensors on a CPU or a GPU (``torch``). Every
operation here gives the same integers on all of them; `product` is the only owner of the integer matrix product.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = Any  # numpy.ndarray or torch.Tensor
NumpyArray = npt.NDArray[Any]

CODE_MAX = 127  # activations that enter a product
WEIGHT_MAX = 63  # of 7 bits: pairs of products then fit the 16 bits in which CPUs without VNNI add them


class Arrays(Protocol):
    """Array operations of one device. Integers are carried in float32 where a proof bounds them below 2**24."""

    name: str
    at_once: int
    """Numbers that an array of a layer's results should hold at most, where there is a choice."""

    def place(self, array: NumpyArray) -> Array:
        """The array on the device, its type kept."""
        ...

    def fetch(self, array: Array) -> NumpyArray:
        """The array as NumPy's."""
        ...

    def weight(self, weight: NumpyArray) -> Array:
        """An int8 weight [outputs, inputs] in -63..63, prepared for `product`."""
        ...

    def scaled(self, weight: NumpyArray, scale: NumpyArray) -> tuple[Array, Array | None]:
        """`weight` times powers of two, float32 [outputs], and what its `product` is still to be multiplied by."""
        ...

    def narrow(self, codes: Array) -> Array:
        """Codes in the smallest type that `product` takes, for those that are to be copied first."""
        ...

    def product(self, codes: Array, weight: Array) -> Array:
        """Exact codes @ weight.T: integers -127..127 [N, inputs] in float32, or `narrow` -> float32 [N, outputs].

        Sums above 2**24, which take more than 2,096 inputs, are rounded once, to float32.
        """
        ...

    def batched(self, a: Array, b: Array) -> Array:
        """a @ b of multiples of one power of two in float32, [..., n, d] @ [..., d, m]: exact where the caller has
        proved that no sum, in steps of the products, reaches 2**24.
        """
        ...

    def take(self, table: Array, index: Array) -> Array:
        """table[index] along the first axis."""
        ...

    def lookup(self, table: Array, x: Array) -> Array:
        """table[x] of a table [n]: x int32, or float32 rounded towards zero, clipped to the rows there are."""
        ...

    def float32(self, array: Array) -> Array: ...
    def float64(self, array: Array) -> Array: ...
    def int32(self, array: Array) -> Array: ...

    def floor_(self, array: Array) -> Array:
        """Round down, in place."""
        ...

    def clip_(self, array: Array, low: float, high: float) -> Array:
        """Clamp, in place."""
        ...

    def sqrt(self, array: Array) -> Array:
        """The correctly rounded IEEE square root of float64."""
        ...

    def ratio(self, number: float, array: Array) -> Array:
        """number / array in float64, correctly rounded: one division, never a reciprocal and a product."""
        ...

    def sum_squares(self, array: Array) -> Array:
        """Sum of squares over the last axis of float64, kept as an axis of one; exact below 2**53."""
        ...

    def max(self, array: Array) -> Array:
        """Maximum over the last axis, kept as an axis of one."""
        ...

    def transposed(self, array: Array) -> Array:
        """[n, m] as [m, n], laid out anew."""
        ...

    def concat(self, arrays: list[Array]) -> Array:
        """Joined along the last axis."""
        ...

    def stack(self, arrays: list[Array]) -> Array:
        """Joined along a new last axis."""
        ...

    def extend(self, planes: Array, above: int, below: int, left: int, right: int) -> Array:
        """float32 [B, H, W], not empty, with so many rows and columns that repeat those at its edges."""
        ...

    def surround(self, images: Array) -> Array:
        """Zeros around [B, H, W, C], of its type: [B, H + 2, W + 2, C]."""
        ...

    def zeros_int32(self, *shape: int) -> Array: ...


def float32_is_exact(inputs: int) -> bool:
    """Whether float32 holds every partial sum of a product over this many inputs: a proof, not a measurement."""
    return inputs * CODE_MAX * WEIGHT_MAX < 1 << 24


def checked_weight(weight: NumpyArray) -> NumpyArray:
    """The weight, if it is one that the bounds were proved for. Raises ValueError otherwise."""
    if (
        weight.dtype != np.int8
        or weight.ndim != 2
        or int(weight.max(initial=0)) > WEIGHT_MAX
        or int(weight.min(initial=0)) < -WEIGHT_MAX
    ):
        raise ValueError(f"a weight must be int8 [outputs, inputs] in -{WEIGHT_MAX}..{WEIGHT_MAX}")
    return weight
