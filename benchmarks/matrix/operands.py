"""Operands that break inexact integer products: extremes, odd shapes, sums at the edge of what float32 holds.

Kernels for int8 that add pairs of products in 16 bits (no VNNI, 8-bit weights) and float32 sums beyond 2**24
go wrong on these and not on ordinary data.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

ACTIVATION_MAX = 127
WEIGHT_MAX = 63
SHAPES = ((1, 1, 1), (3, 5, 7), (17, 33, 65), (64, 256, 128), (31, 1023, 129), (2, 2096, 3), (2, 4097, 3))
"""Rows of activations, inputs, outputs. 2096 inputs is the most for which 127 * 63 * inputs < 2**24."""

Int8 = NDArray[np.int8]


def operands() -> Iterator[tuple[str, Int8, Int8]]:
    """(name, activations int8 [rows, inputs], weights int8 [outputs, inputs])."""
    random = np.random.RandomState(0)
    for rows, inputs, outputs in SHAPES:
        shape = f"{rows}x{inputs}x{outputs}"
        high = np.full((rows, inputs), ACTIVATION_MAX, np.int8)
        weights = np.full((outputs, inputs), WEIGHT_MAX, np.int8)
        yield f"{shape} all high", high, weights
        yield f"{shape} all low", -high, weights
        yield f"{shape} low by low", -high, -weights
        signs = random.choice([-1, 1], (rows, inputs)).astype(np.int8)
        flips = random.choice([-1, 1], (outputs, inputs)).astype(np.int8)
        yield f"{shape} extremes of either sign", high * signs, weights * flips
        yield (
            f"{shape} anything",
            random.randint(-ACTIVATION_MAX, ACTIVATION_MAX + 1, (rows, inputs)).astype(np.int8),
            random.randint(-WEIGHT_MAX, WEIGHT_MAX + 1, (outputs, inputs)).astype(np.int8),
        )


def exact_product(x: Int8, w: Int8) -> NDArray[np.int64]:
    """x [rows, inputs] by w [outputs, inputs], in int64: [rows, outputs]."""
    product: NDArray[np.int64] = x.astype(np.int64) @ w.astype(np.int64).T
    return product
