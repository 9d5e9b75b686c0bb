"""Side information of a tile or a segment: digits that are 0 nearly always."""

from __future__ import annotations

import numpy as np

from ....compressor.coding.pmf import PMF, TOTAL
from .flow import BASE


def side_digits(count: int) -> PMF:
    """PMFs of so many digits 0..15 of side information: 0 in 241 of 256 cases, each other digit in one."""
    row = np.full(BASE, TOTAL >> 8, np.uint32)
    row[0] = TOTAL - (BASE - 1) * row[1]
    return PMF(np.tile(row, (count, 1)))
