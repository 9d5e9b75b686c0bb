"""Where exact inference runs: the few array operations that the integer layers are written in.

The same layer code runs on NumPy arrays and, through ``torch_arrays``, on PyTorch tensors on a CPU or a GPU. Every
operation here gives the same integers on all of them; `product` is the only owner of the integer matrix product.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..compressor.errors import CatzipError, MissingDependencyError

Array = Any  # numpy.ndarray or torch.Tensor
NumpyArray = npt.NDArray[Any]

CODE_MAX = 127  # activations that enter a product
WEIGHT_MAX = 63  # of 7 bits: pairs of products then fit the 16 bits in which CPUs without VNNI add them
DEVICES = ("cpu", "cpu-int8", "cuda", "torch")


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


class NumpyArrays:
    """NumPy on the CPU: products by the BLAS, in float32 where the bound holds and in float64 elsewhere.

    Whatever order and instructions the BLAS adds in, every partial sum is an integer that the type holds exactly.
    """

    name = "numpy"
    at_once = 1 << 18  # they stay in the processor's cache

    def place(self, array: NumpyArray) -> Array:
        return np.ascontiguousarray(array)

    def fetch(self, array: Array) -> NumpyArray:
        return np.asarray(array)

    def weight(self, weight: NumpyArray) -> Array:
        columns = checked_weight(weight).T
        carrier = np.float32 if float32_is_exact(len(columns)) else np.float64
        return np.ascontiguousarray(columns.astype(carrier))

    def scaled(self, weight: NumpyArray, scale: NumpyArray) -> tuple[Array, Array | None]:
        columns = self.weight(weight)
        columns *= scale
        return columns, None

    def narrow(self, codes: Array) -> Array:
        return codes

    def product(self, codes: Array, weight: Array) -> Array:
        if weight.dtype == np.float64:
            return (codes.astype(np.float64) @ weight).astype(np.float32)
        return codes @ weight

    def batched(self, a: Array, b: Array) -> Array:
        return a @ b

    def take(self, table: Array, index: Array) -> Array:
        return table.take(index, axis=0)

    def lookup(self, table: Array, x: Array) -> Array:
        return table.take(x.astype(np.intp), mode="clip")

    def float32(self, array: Array) -> Array:
        return array.astype(np.float32)

    def float64(self, array: Array) -> Array:
        return array.astype(np.float64)

    def int32(self, array: Array) -> Array:
        return array.astype(np.int32)

    def floor_(self, array: Array) -> Array:
        return np.floor(array, out=array)

    def clip_(self, array: Array, low: float, high: float) -> Array:
        return array.clip(low, high, out=array)  # several times faster than minimum and maximum with scalars

    def sqrt(self, array: Array) -> Array:
        return np.sqrt(array)

    def ratio(self, number: float, array: Array) -> Array:
        return number / array

    def sum_squares(self, array: Array) -> Array:
        return np.vecdot(array, array)[..., None]  # by the BLAS, twice as fast as einsum

    def max(self, array: Array) -> Array:
        return np.maximum.reduce(array, axis=-1, keepdims=True)

    def transposed(self, array: Array) -> Array:
        return np.ascontiguousarray(array.T)

    def concat(self, arrays: list[Array]) -> Array:
        return np.concatenate(arrays, axis=-1)

    def stack(self, arrays: list[Array]) -> Array:
        return np.stack(arrays, axis=-1)

    def extend(self, planes: Array, above: int, below: int, left: int, right: int) -> Array:
        return np.pad(planes, ((0, 0), (above, below), (left, right)), mode="edge")

    def surround(self, images: Array) -> Array:
        batch, height, width, channels = images.shape
        wide = np.zeros((batch, height + 2, width + 2, channels), images.dtype)
        wide[:, 1:-1, 1:-1] = images
        return wide

    def zeros_int32(self, *shape: int) -> Array:
        return np.zeros(shape, np.int32)


def checked_weight(weight: NumpyArray) -> NumpyArray:
    """The weight, if it is one that the bounds were proved for. Raises ValueError otherwise."""
    if (
        weight.dtype != np.int8
        or weight.ndim != 2
        or int(np.abs(weight.astype(np.int16)).max(initial=0)) > WEIGHT_MAX
    ):
        raise ValueError(f"a weight must be int8 [outputs, inputs] in -{WEIGHT_MAX}..{WEIGHT_MAX}")
    return weight


@lru_cache
def arrays_for(device: str) -> Arrays:
    """The arrays of a device: "cpu" (NumPy), "cpu-int8" (the same, but for the product), "torch" (PyTorch on the CPU)
    or "cuda".

    The product of each is tried once in a process on extreme operands against int64 arithmetic, and so is what else is
    no promise (``trial``). Raises MissingDependencyError where PyTorch is needed and missing, CatzipError where there
    is no such device or where a trial fails.
    """
    from .trial import check_assignment, check_product  # which are about what is defined here

    if device not in DEVICES:
        raise CatzipError(f"no device {device!r}; {', '.join(DEVICES)} are possible")
    if device == "cpu":
        chosen: Arrays = NumpyArrays()
    else:
        try:
            from .int8_arrays import Int8Arrays
            from .torch_arrays import TorchArrays
        except ImportError as error:
            raise MissingDependencyError(
                f"--device {device} needs PyTorch: pip install 'catzip[torch]', or use --device cpu"
            ) from error
        chosen = Int8Arrays() if device == "cpu-int8" else TorchArrays(device)
    check_product(chosen)
    check_assignment()
    return chosen
