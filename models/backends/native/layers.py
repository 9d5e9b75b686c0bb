"""Layers as the core wants them: weights in blocks, int8, with what is missing to whole blocks."""

from __future__ import annotations

import numpy as np

from ..base import CODE_MAX, NumpyArray, checked_weight
from .structures import BLOCK, QUAD, Core, Linear, address


def padded(size: int, to: int = BLOCK) -> int:
    """The next multiple."""
    return -(-size // to) * to


def filled(array: NumpyArray, size: int) -> NumpyArray:
    """[n] with zeros behind it, [size]."""
    return np.concatenate([array, np.zeros(size - len(array), array.dtype)])


class PackedLinear:
    """A `grid.Linear` for the core: its arrays, and the structure that points at them.

    is_bounded  whether all that it can give, before it is clipped, is well within int32, as the core needs it
    """

    def __init__(self, core: Core, weight: NumpyArray, power: NumpyArray, bias: NumpyArray) -> None:
        """weight int8 [outputs, inputs], bias [outputs]; sums are scaled by 2**power [outputs]."""
        outputs, inputs = checked_weight(weight).shape
        wide, deep = padded(outputs), padded(inputs, QUAD)
        whole = np.zeros((wide, deep), np.int8)
        whole[:outputs, :inputs] = weight
        blocks = whole.reshape(wide // BLOCK, BLOCK, deep // QUAD, QUAD)
        self._core, laid = core, blocks.swapaxes(1, 2) if core.in_blocks else whole.T
        self._weight = np.ascontiguousarray(laid)
        self._start = -128 * whole.sum(axis=1, dtype=np.int32)
        self._scale = filled(np.ldexp(np.float32(1), power.astype(np.int32)), wide)
        self._offset = filled((bias + 0.5).astype(np.float32), wide)
        parts = (self._weight, self._start, self._scale, self._offset)
        sums = np.abs(whole).sum(axis=1, dtype=np.int32) * float(CODE_MAX) * self._scale.astype(np.float64)
        self.is_bounded = bool((sums + np.abs(self._offset)).max() < 1 << 30)
        self.structure = Linear(deep, wide, *map(address, parts))

    @classmethod
    def load(
        cls, core: Core, tensors: dict[str, NumpyArray], names: list[str], bits: int, act: int
    ) -> PackedLinear:
        """The layers of these names in one, whose outputs have ``bits`` behind the point, and codes ``act``."""
        weight, exponent, bias = (
            np.concatenate([tensors[f"{name}.{part}"] for name in names])
            for part in ("weight", "exponent", "bias")
        )
        return cls(core, weight, bits - act - exponent.astype(np.int64), bias)

    def product(self, codes: NumpyArray) -> NumpyArray:
        """The sums of integer codes [rows, inputs]: int32 [rows, padded outputs]."""
        rows = np.zeros((len(codes), self.structure.inputs), np.uint8)
        rows[:, : codes.shape[1]] = codes + 128
        out = np.empty((len(codes), self.structure.outputs), np.int32)
        self._core.product(self.structure, address(rows), rows.shape[1], len(rows), address(out))
        return out
