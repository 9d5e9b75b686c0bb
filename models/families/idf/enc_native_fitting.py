"""Trials of weights in the compiled core: `enc_fitting.Trial` with the same numbers."""

from __future__ import annotations

import numpy as np

from ...backends.base import NumpyArray
from ...backends.native.flow_structures import TILE, Recorded
from ...backends.native.flows import ZERO, Tables
from ...backends.native.layers import PackedLinear, padded
from ...backends.native.structures import ROWS, address


class NativeTrial:
    """What weights cost, tried on what was seen of a head."""

    def __init__(
        self, tables: Tables, codes: NumpyArray, y: NumpyArray, guess: NumpyArray, values: NumpyArray
    ) -> None:
        """Codes, that of the bias the last, [N, inputs]; the others as in `enc_fitting.Seen`."""
        rows, self._inputs = codes.shape
        columns = padded(self._inputs)
        wide = np.full((rows, columns), ZERO, np.uint8)
        wide[:, : self._inputs] += codes.astype(np.uint8)  # modulo 256
        narrow = y.astype(np.int16), guess.astype(np.int16), values.astype(np.uint8)
        kept: list[NumpyArray] = [wide, *narrow]
        self._tables, self._kept = tables, kept
        self._structure = Recorded(rows, columns, columns, *map(address, self._kept))
        self._room = np.empty(2 * TILE * columns, np.int16)

    def at(self, weights: NumpyArray) -> tuple[float, NumpyArray]:
        """About how many bits the values take under corrections by weights int [2, inputs], and the gradients of ln p
        by the means and by ln(scale), in whole steps: int16 [2, N]."""
        layer = PackedLinear(self._tables.core, weights.astype(np.int8), np.zeros(2, np.int64), np.zeros(2))
        rows = len(self._kept[0])
        sums, gradients = np.empty(ROWS * layer.structure.outputs, np.int32), np.empty((2, rows), np.int16)
        where = self._structure, layer.structure, address(sums), address(gradients)
        return self._tables.flows.gradients_at(self._tables.structure, *where), gradients

    def sums(self, gradients: NumpyArray) -> tuple[NumpyArray, NumpyArray]:
        """What gradients [N] times codes come to: sums of the products of each two columns, float64 [inputs, inputs],
        and of each column, [inputs]. Both are of integers."""
        columns, inputs = self._structure.columns, self._inputs
        products, each = np.empty((columns, columns), np.int64), np.empty(columns, np.int64)
        where = address(gradients), address(self._room), address(products), address(each)
        self._tables.flows.normal(self._structure, *where)
        upper = np.triu(products[:inputs, :inputs]).astype(np.float64)
        return upper + np.triu(upper, 1).T, each[:inputs].astype(np.float64)

    def solved(self, a: NumpyArray, b: NumpyArray) -> NumpyArray:
        """As `enc_fitting.solved`."""
        rows = np.concatenate([a, b[:, None]], 1)
        self._tables.flows.solve(address(rows), len(rows))
        return rows[:, -1].copy()
