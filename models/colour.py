"""Colour planes without what they share: YCoCg-R in the integers modulo 256.

Malvar and Sullivan 2003, "YCoCg-R: A Color Space with RGB Reversibility and Low Dynamic Range". It is a chain of
additive integer couplings (lifting steps), so modulo 256, where every step wraps, it is a bijection of 0..255 cubed.
Both differences are moved to the middle of the range: 128 is grey. They wrap only where colours are very saturated.
"""

from __future__ import annotations

import numpy as np

from .arrays import NumpyArray
from .quarters import GREY


def decorrelate(image: NumpyArray) -> NumpyArray:
    """uint8 [..., 3], red, green, blue -> luma, orange less blue, green less purple."""
    red, green, blue = (image[..., channel] for channel in range(3))
    orange = red - blue
    middle = blue + _half(orange)
    violet = green - middle
    return np.stack([middle + _half(violet), orange + GREY, violet + GREY], -1)


def correlate(image: NumpyArray) -> NumpyArray:
    """The inverse of `decorrelate`, of any uint8 [..., 3]."""
    luma, orange, violet = image[..., 0], image[..., 1] - GREY, image[..., 2] - GREY
    middle = luma - _half(violet)
    blue = middle - _half(orange)
    return np.stack([orange + blue, violet + middle, blue], -1)


def _half(difference: NumpyArray) -> NumpyArray:
    """Half of a difference modulo 256, taken as -128..127 and rounded down; uint8."""
    return (difference.view(np.int8) >> 1).view(np.uint8)
