"""The type of symbols: a byte where the alphabet allows it, else two."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .pmf import MAX_SYMBOLS

Symbols = NDArray[np.unsignedinteger]
"""Symbols of a model, [n]: uint8 for an alphabet of up to 256, else uint16. See `symbol_type`."""


def symbol_type(alphabet: int) -> type[np.uint8] | type[np.uint16]:
    """The type of the symbols 0 .. alphabet - 1. Raises ValueError for an alphabet that cannot be."""
    if not 2 <= alphabet <= MAX_SYMBOLS:
        raise ValueError(f"an alphabet of {alphabet} symbols; 2 to {MAX_SYMBOLS} are possible")
    return np.uint8 if alphabet <= 256 else np.uint16


def symbol_size(alphabet: int) -> int:
    """Bytes of one of these symbols. Raises as `symbol_type` does."""
    return np.dtype(symbol_type(alphabet)).itemsize
