"""The array operations of ``base.Arrays`` by NumPy, on the CPU."""

from __future__ import annotations

import numpy as np

from .base import Array, NumpyArray, checked_weight, float32_is_exact


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
