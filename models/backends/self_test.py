"""What exactness rests on, on trial: the product of a device against int64 arithmetic, the order of assignments."""

from __future__ import annotations

import math

import numpy as np

from ...compressor.errors import CatzipError
from .base import CODE_MAX, WEIGHT_MAX, Array, Arrays, NumpyArray


def check_product(arrays: Arrays) -> None:
    """Compare `product` and `batched` with int64 arithmetic on extreme operands of odd shapes.

    Raises CatzipError if they differ.
    """
    for rows, inputs, outputs in ((1, 2097, 3), (3, 1, 5), (9, 33, 1), (33, 261, 17), (64, 256, 96)):
        codes, weight = signs(7, rows, inputs), signs(11, outputs, inputs)
        exact = products_of_signs(codes, weight) * (CODE_MAX * WEIGHT_MAX)
        weights = arrays.weight(weight * np.int8(WEIGHT_MAX))
        _expect(arrays, arrays.product(arrays.place(codes * np.float32(CODE_MAX)), weights), exact)
    for inputs, largest in ((64, CODE_MAX), (255, 511)):  # 24 bits, as in attention
        a, b = signs(7, 2, 3, 17, inputs), signs(11, 2, 3, 33, inputs)
        exact = products_of_signs(a, b) * (largest * CODE_MAX)
        b = np.ascontiguousarray(b.swapaxes(-1, -2))
        got = arrays.batched(arrays.place(a * np.float32(largest)), arrays.place(b * np.float32(CODE_MAX)))
        _expect(arrays, got, exact)


def signs(every: int, *shape: int) -> NumpyArray:
    """int8 1, but -1 for the last of ``every`` so many."""
    found = np.ones(math.prod(shape), np.int8)
    found[every - 1 :: every] = -1
    return found.reshape(shape)


def products_of_signs(a: NumpyArray, b: NumpyArray) -> NumpyArray:
    """a @ b.T of matrices of 1 and -1, [..., n, k] and [..., m, k]: counted, bit by bit, with no product."""
    bits = (np.packbits(each < 0, axis=-1) for each in (a[..., :, None, :], b[..., None, :, :]))
    differ = np.bitwise_count(np.bitwise_xor(*bits)).sum(axis=-1, dtype=np.int64)
    exact: NumpyArray = a.shape[-1] - 2 * differ
    return exact


def _expect(arrays: Arrays, got: Array, exact: NumpyArray) -> None:
    if not np.array_equal(arrays.fetch(got).astype(np.int64), exact):
        raise CatzipError(
            f"the matrix product of {arrays.name} is not exact on this machine; use --device cpu"
        )


def check_assignment() -> None:
    """Assign to repeated indices, as mixture and contexts do: the last value in row-major order must stay.

    NumPy does so, and its tutorials say so, but it is no promise. Raises CatzipError if it does not.
    """
    slots = np.arange(6 * 97).reshape(6, 97) * 31 % 89
    last = {slot: at for at, slot in enumerate(slots.ravel().tolist())}
    table = np.zeros(89, np.int32)
    table[slots] = np.arange(slots.size, dtype=np.int64).reshape(slots.shape)
    if table.tolist() != [last[slot] for slot in range(89)]:
        raise CatzipError(
            f"NumPy {np.__version__} assigns repeated indices in another order; install the one of constraints.txt"
        )
