"""Bytes as they are: the symbols are the bytes, and nothing has to be restored."""

import numpy as np
from numpy.typing import NDArray

from ..coding.symbols import Symbols
from ..errors import CorruptError


def split(data: bytes) -> tuple[NDArray[np.uint8], bytes]:
    """The bytes as symbols 0 .. 255, uint8 [n]; the side stream is empty."""
    return np.frombuffer(data, dtype=np.uint8), b""


def join(symbols: Symbols, side: bytes, length: int) -> bytes:
    """The bytes again. Raises CorruptError for a side stream or a length that `split` does not make."""
    if side or len(symbols) != length:
        raise CorruptError("a frame of bytes has a side stream or the wrong number of symbols")
    return symbols.tobytes()
