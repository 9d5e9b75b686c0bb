"""A variant of the core on trial, once in a process: its integers on extreme operands against NumPy's."""

from __future__ import annotations

import numpy as np

from ..base import CODE_MAX, WEIGHT_MAX
from ..self_test import products_of_signs, signs
from . import flow_trial
from .layers import PackedLinear
from .masked_structures import Masked
from .structures import BLOCK, Core, address

SHAPES = ((1, 2097, 3), (3, 1, 5), (33, 33, 17), (17, 20, 160))
"""Rows, inputs and outputs: tall strips and single rows, wide ones and single blocks, and what is left over of each."""

WIDTHS = (16, 160, 1024)

PAIRS = ((1, 64, 256), (29, 256, 64), (7, 2, 48))
"""The same of products of 16 bits."""


def check(core: Core) -> bool:
    """Whether this variant multiplies and normalises exactly, and does what flows need."""
    return (
        all(_multiplies(core, *shape) for shape in SHAPES)
        and all(_normalises(core, width) for width in WIDTHS)
        and all(_multiplies_pairs(core, *shape) for shape in PAIRS)
        and flow_trial.check(core)
    )


def _multiplies(core: Core, rows: int, inputs: int, outputs: int) -> bool:
    """All +-127 against all +-63, and their greatest pairs, which are what 16 bits have to hold."""
    weight, zeros = signs(11, outputs, inputs), np.zeros(outputs, np.int64)
    codes = np.concatenate([signs(7, rows, inputs), np.ones((rows, inputs), np.int8)])
    for signed in (weight, np.abs(weight), -np.abs(weight)):
        exact = products_of_signs(codes, signed) * (CODE_MAX * WEIGHT_MAX)
        found = PackedLinear(core, signed * np.int8(WEIGHT_MAX), zeros, zeros).product(
            codes * np.int16(CODE_MAX)
        )
        if not np.array_equal(found[:, :outputs], exact):
            return False
    return True


def _multiplies_pairs(core: Core, rows: int, inputs: int, outputs: int) -> bool:
    """All +-511 against all +-127, of which 256 products reach the bound of attention, 24 bits."""
    weight = signs(11, outputs, inputs).astype(np.int64) * CODE_MAX
    numbers = signs(7, rows, inputs).astype(np.int64) * 511
    blocks = weight.reshape(-1, BLOCK, inputs // 2, 2).swapaxes(1, 2).astype(np.int16)
    pairs = np.ascontiguousarray((blocks[..., 1].astype(np.uint32) << 16) | blocks[..., 0].astype(np.uint16))
    given, found = numbers.astype(np.int16), np.empty((rows, outputs), np.int32)
    shape = inputs, outputs, address(given), inputs, rows
    Masked.of(core).pair_product(address(pairs), *shape, address(found))
    return np.array_equal(found, numbers @ weight.T)


def _normalises(core: Core, width: int) -> bool:
    """Residuals as large as they get, and as small."""
    places = np.arange(4 * width).reshape(4, width)
    x = ((places * 40503 % 65535 - 32767) >> np.array([[0], [4], [9], [15]])).astype(np.int32)
    squares = (x.astype(np.int64) ** 2).sum(axis=1, keepdims=True) + 16.0 * width
    scale = (np.floor(np.sqrt(2.0**40 * width / squares)) * 2.0**-15).astype(np.float32)
    codes = np.floor(x.astype(np.float32) * scale + np.float32(0.5)).clip(-CODE_MAX, CODE_MAX)
    found = np.empty((4, width), np.uint8)
    core.norm(address(x), 4, width, address(found), width)
    return bool(np.array_equal(found, codes + 128))
