"""What flows need of a variant of the core on trial, as ``trial`` has products: convolutions, PMFs, sums of a fit."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..base import CODE_MAX, WEIGHT_MAX, NumpyArray
from .flow_structures import TILE, Flows, Recorded
from .flows import Mixtures, Tables
from .layers import PackedLinear
from .structures import BLOCK, Core, address

FAR, CERTAIN, GRADIENT_MAX = 14 << 10, 1 << 22, (1 << 11) - 1
"""As in logistics.h and fitting.h."""


def check(core: Core) -> bool:
    """Whether this variant convolves, makes PMFs and adds up exactly."""
    return _convolves(core, 29, 40) and _shares(core) and _sums(core, 2 * TILE + 1, 3 * BLOCK)


def _signs(every: int, *shape: int) -> NumpyArray:
    """1, but -1 for the last of ``every`` so many."""
    found: NumpyArray = np.where(np.arange(np.prod(shape)).reshape(shape) % every < every - 1, 1, -1)
    return found


def _convolves(core: Core, width: int, outputs: int) -> bool:
    """All +-127 against all +-63, pixel after pixel of a row."""
    codes = _signs(7, 3, width + 2, BLOCK) * CODE_MAX
    weight = (_signs(11, outputs, 9 * BLOCK) * WEIGHT_MAX).astype(np.int8)
    zeros = np.zeros(outputs, np.int64)
    layer, image = PackedLinear(core, weight, zeros, zeros), (codes + 128).astype(np.uint8)
    found = np.empty((width, layer.structure.outputs), np.int32)
    where = address(image), BLOCK, (width + 2) * BLOCK, width, address(found)
    Flows.of(core).convolve(layer.structure, *where)
    around = sliding_window_view(codes, 3, axis=1)[:, :width].transpose(1, 0, 3, 2).reshape(width, -1)
    return bool(np.array_equal(found[:, :outputs], around @ weight.T.astype(np.int64)))


def _shares(core: Core) -> bool:
    """Mixtures as far off as they get, wide and narrow ones, and values at both ends."""
    exp, inverse = (1 << 20) >> np.arange(21), np.linspace(45, 18399, 97).astype(np.int64)
    cdf = np.arange(2 * FAR + 1) * CERTAIN // (2 * FAR)
    y = (np.arange(20 * 9).reshape(20, 9) * 40503 % 8193 - 4096) >> np.arange(20)[:, None] % 7
    guess, high = np.arange(20) * 510 // 19, np.arange(20) * 15 // 19
    tables = Tables(core, 3, exp, inverse, cdf)
    mixtures = Mixtures(tables, (20, 1, 1), y.astype(np.int16), guess.astype(np.int16))
    weight = exp[np.minimum(y[:, :3].max(1, keepdims=True) - y[:, :3], 20)]
    scale = inverse[(((y[:, 6:] + 8) >> 4) + 24).clip(0, 96)]
    for given in (None, high.astype(np.uint8)):
        edges = np.arange(17) * (16 if given is None else 1) + (0 if given is None else 16 * high[:, None])
        steps = np.where(edges == 0, -(1 << 15), np.where(edges == 256, 1 << 15, 16 * edges - 8))
        distance = steps.reshape(-1, 1, 17) - (y[:, 3:6] + 8 * guess[:, None])[:, :, None]
        places = (((distance * scale[:, :, None]) >> 6) + FAR).clip(0, 2 * FAR)
        mass = np.diff((weight[:, :, None] * cdf[places]).sum(1)) + 4 * weight.sum(1, keepdims=True)
        expected = (mass * (((1 << 24) - 16) / mass.sum(1, keepdims=True))).astype(np.int64) + 1
        expected[np.arange(20), expected.argmax(1)] += (1 << 24) - expected.sum(1)
        if not np.array_equal(mixtures.digits(given), expected):
            return False
    return True


def _sums(core: Core, rows: int, columns: int) -> bool:
    """Codes and gradients as large as they get."""
    codes, gradients = _signs(5, rows, columns) * CODE_MAX, (_signs(3, rows) * GRADIENT_MAX).astype(np.int16)
    wide, room = (codes + 128).astype(np.uint8), np.empty(2 * TILE * columns, np.int16)
    found, sums = np.empty((columns, columns), np.int64), np.empty(columns, np.int64)
    seen = Recorded(rows, columns, columns, address(wide), None, None, None)
    Flows.of(core).normal(seen, address(gradients), address(room), address(found), address(sums))
    each = gradients[:, None].astype(np.int64) * codes
    upper = np.triu_indices(columns)
    return bool(np.array_equal(found[upper], (each.T @ each)[upper]) and np.array_equal(sums, each.sum(0)))
