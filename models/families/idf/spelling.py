"""The one spelling of a plan: where several numbers have the same effect, the one that encoders write.

Otherwise damage could turn a plan into another one that decodes to the same content, and go unnoticed. Numbers that no
encoder writes are possible where they do have another effect.
"""

from __future__ import annotations

from itertools import product

from ....compressor.coding.model import Plan
from ..lanes import MAX_SEGMENT
from .tiles import lengths

_GOLDEN = 4  # images of a segment of fewer, in a golden file of catzip 0.1.0


def images_of_a_segment(count: int, size: int) -> int:
    """How many images a segment has, in a frame of so many symbols, in images of so many."""
    return max(1, min(-(-count // size), MAX_SEGMENT // size))


def tiles_of_a_segment(count: int, width: int, channels: int, side: int) -> int:
    """How many tiles a segment has, in an image of so many symbols."""
    rows = min(side, max(1, count // (width * channels)))
    return max(1, MAX_SEGMENT // (rows * min(side, width) * channels))


def is_plain_array(count: int, size: int, each: int) -> bool:
    """Whether ``each`` images of a segment are written like this."""
    images = count // size
    return each < images or each == images_of_a_segment(count, size) or 1 < images < each == _GOLDEN


def is_plain_image(count: int, plan: Plan, own_side: int, is_written: bool) -> bool:
    """Whether a plan (width, channels, side, tiles of a segment, ...) for an image is written like this.

    own_side    of the model, which is the one that encoders write
    is_written  whether encoders write plans with such extras: there is a golden file with others
    """
    width, channels, side, each = plan[:4]
    height = count // (width * channels)
    if height == 0:
        return False  # no whole row
    if side != own_side:
        cut = _cut(height, width, side)
        if cut == _cut(height, width, own_side) or (side > 1 and cut == _cut(height, width, side - 1)):
            return False
    # The tiles of one size that are most; where they are one segment, it does not matter how many more there might be.
    most = max(
        down * across for (_, down), (_, across) in product(lengths(height, side), lengths(width, side))
    )
    own = max(most, tiles_of_a_segment(count, width, channels, side))
    return each < most or each == own or not is_written


def _cut(height: int, width: int, side: int) -> tuple[int, int]:
    """How many rows and columns of tiles there are."""
    return -(-height // side), -(-width // side)
