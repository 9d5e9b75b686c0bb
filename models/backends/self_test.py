"""What exactness rests on, on trial: the product of a device against int64 arithmetic, the order of assignments."""

from __future__ import annotations

import numpy as np

from ...compressor.errors import CatzipError
from .base import CODE_MAX, WEIGHT_MAX, Array, Arrays, NumpyArray


def check_product(arrays: Arrays) -> None:
    """Compare `product` and `batched` with int64 arithmetic on extreme operands of odd shapes.

    Raises CatzipError if they differ.
    """
    for rows, inputs, outputs in ((1, 2097, 3), (3, 1, 5), (9, 33, 1), (33, 261, 17), (64, 256, 96)):
        codes = _signs(7, rows, inputs) * CODE_MAX
        weight = _signs(11, outputs, inputs) * WEIGHT_MAX
        got = arrays.product(arrays.place(codes.astype(np.float32)), arrays.weight(weight.astype(np.int8)))
        _expect(arrays, got, codes @ weight.T)
    for inputs, largest in ((64, CODE_MAX), (255, 511)):  # 24 bits, as in attention
        a, b = _signs(7, 2, 3, 17, inputs) * largest, _signs(11, 2, 3, 33, inputs).swapaxes(-1, -2) * CODE_MAX
        got = arrays.batched(*(arrays.place(x.astype(np.float32)) for x in (a, b)))
        _expect(arrays, got, a @ b)


def _signs(every: int, *shape: int) -> NumpyArray:
    """1, but -1 for the last of ``every`` so many."""
    signs: NumpyArray = np.where(np.arange(np.prod(shape)).reshape(shape) % every < every - 1, 1, -1)
    return signs


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
