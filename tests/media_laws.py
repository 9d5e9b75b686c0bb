"""What the side stream of every medium obeys."""

import contextlib
from types import ModuleType

import pytest

from catzip.compressor.errors import CorruptError


def assert_a_flipped_bit_is_noticed_or_harmless(medium: ModuleType, data: bytes) -> None:
    """join gives an error or `length` bytes, never anything else: the checksum of the frame does the rest."""
    symbols, side = medium.split(data)
    for bit in range(8 * len(side)):
        damaged = bytearray(side)
        damaged[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(CorruptError):
            assert len(medium.join(symbols, bytes(damaged), len(data))) == len(data)
    for wrong in (*(side[:cut] for cut in range(1, len(side))), side + b"\0"):
        with pytest.raises(CorruptError):
            medium.join(symbols, wrong, len(data))
