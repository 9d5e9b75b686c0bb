"""Digits that are 0 nearly always."""

from __future__ import annotations

import numpy as np

from ....compressor.coding.pmf import PMF, TOTAL
from .flow import BASE


def rare(count: int) -> PMF:
    """PMFs of a digit of what a tile or a segment may have: none in 241 of 256 cases, any other in one."""
    row = np.full(BASE, TOTAL >> 8, np.uint32)
    row[0] = TOTAL - (BASE - 1) * row[1]
    return PMF(np.tile(row, (count, 1)))
