"""Colour planes without what they share: YCoCg-R in the integers modulo 256.

Malvar and Sullivan 2003, "YCoCg-R: A Color Space with RGB Reversibility and Low Dynamic Range". It is a chain of
additive integer couplings (lifting steps), so modulo 256, where every step wraps, it is a bijection of 0..255 cubed.
Both differences are moved to the middle of the range: 128 is grey. They wrap only where colours are very saturated. An
image in which neighbours lie on either side of the place where a difference wraps is turned first: both differences are
moved around the circle of 256, so that they wrap where no colour is. And where one difference says something of the
other, a share of it is taken off the other first: two lifting steps more, for each image its own.
"""

from __future__ import annotations

import numpy as np

from ...backends.base import NumpyArray
from .squeeze import GREY

TURN = 4  # bits below a turn: 16 of them are a whole one
LIFT = 2  # fractional bits of a lift
_TURNS = 1 << 8 - TURN
_CELLS = 2 * _TURNS + 1  # of 16 levels, from half a circle below 0 to half a circle above 255


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


def lifted(images: NumpyArray, lifts: NumpyArray) -> NumpyArray:
    """uint8 [B, H, W, 3] with a share of orange taken off violet, then a share of violet off orange.

    lifts  int [B, 2], -8..7: the shares, in fourths

    With (-2, 2) violet becomes green less blue, and orange red less the mean of the two.
    """
    coded = decorrelate(images)
    coded[..., 2] -= _share(coded[..., 1], lifts[:, 0])
    coded[..., 1] -= _share(coded[..., 2], lifts[:, 1])
    return correlate(coded)


def lowered(images: NumpyArray, lifts: NumpyArray) -> NumpyArray:
    """The inverse of `lifted`."""
    coded = decorrelate(images)
    coded[..., 1] += _share(coded[..., 2], lifts[:, 1])
    coded[..., 2] += _share(coded[..., 1], lifts[:, 0])
    return correlate(coded)


def turned(images: NumpyArray, turns: NumpyArray) -> NumpyArray:
    """uint8 [B, H, W, 3] with the differences of each image moved down by its turns, int [B, 2], in steps of 16 levels.

    The negative turns undo it.
    """
    coded = decorrelate(images)
    coded[..., 1:] -= (turns << TURN).astype(np.uint8)[:, None, None]
    return correlate(coded)


def best_turns(images: NumpyArray) -> NumpyArray:
    """The turns that keep the pixels of each of uint8 [B, H, W, 3] together, int [B, 2].

    0 but where more than one pixel in 512 is spared a neighbour across the place where its difference wraps.
    """
    coded = decorrelate(images)
    found = np.zeros((len(coded), 2), np.int64)
    for image, turns in zip(coded, found, strict=True):
        for channel in (1, 2):
            crossings = _crossings(image[..., channel])
            best = int(crossings.argmin())
            if crossings[0] - crossings[best] > image.shape[0] * image.shape[1] >> 9:
                turns[channel - 1] = best
    return found


def _crossings(plane: NumpyArray) -> NumpyArray:
    """How many neighbours in a row of uint8 [H, W] have 0, 16, .. 240 between them, on the shorter way: int [16]."""
    left = plane[:, :-1].astype(np.int16)
    right = left + (plane[:, 1:] - plane[:, :-1]).view(np.int8)
    below, above = (
        np.bincount((edge(left, right).ravel() >> TURN) + 8, minlength=_CELLS)
        for edge in (np.minimum, np.maximum)
    )
    across = np.cumsum(below - above)[: 2 * _TURNS]  # the multiples of 16 from -112 to 384
    return np.bincount((np.arange(2 * _TURNS) - 7) % _TURNS, weights=across).astype(np.int64)


def shares() -> NumpyArray:
    """What a lift of -8..7 takes off for each difference about grey 0..255: uint8 [16, 256]."""
    differences = np.tile(np.arange(256, dtype=np.uint8), (16, 1, 1))
    return _share(differences, np.arange(-8, 8))[:, 0]


def _share(differences: NumpyArray, lifts: NumpyArray) -> NumpyArray:
    """floor(difference * lift / 4) modulo 256, of differences uint8 [B, H, W] about grey and lifts int [B]."""
    signed = (differences - GREY).view(np.int8).astype(np.int16)
    return (signed * lifts.astype(np.int16)[:, None, None] >> LIFT).astype(np.uint8)


def _half(difference: NumpyArray) -> NumpyArray:
    """Half of a difference modulo 256, taken as -128..127 and rounded down; uint8."""
    return (difference.view(np.int8) >> 1).view(np.uint8)
