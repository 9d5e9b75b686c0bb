"""Colours in the integers modulo 256: YCoCg-R, a reversible colour transform (RCT) of each tile, and chroma offsets.

Malvar and Sullivan 2003, "YCoCg-R: A Color Space with RGB Reversibility and Low Dynamic Range":

    Co = R - B,   t = B + floor(Co / 2),   Cg = G - t,   Y = t + floor(Cg / 2)

It is a chain of additive integer couplings (lifting steps), so modulo 256, where every step wraps, it is a bijection of
0..255 cubed. Both differences are moved to the middle of the range: 128 is grey. A tile may have

- an RCT of its own, where one difference says something of the other: two lifting steps more, with shares (a, b) in
  fourths, -8..7, of which (0, 0) leaves the colours as they are,

      Cg -= floor(a Co / 4),   Co -= floor(b Cg / 4)

- chroma offsets, 0..15 for each difference, by which it is moved around the circle of 256 in steps of 16, so that it
  wraps where no colour of the tile is. Differences wrap only where colours are very saturated.
"""

from __future__ import annotations

import numpy as np

from ...backends.base import NumpyArray
from .squeeze import GREY

OFFSET = 4  # bits below a step of a chroma offset: 16 of them are a whole turn
SHARE = 2  # fractional bits of a share of an RCT

CANDIDATES = (
    (0, 0),
    (-2, 2),  # green less blue, and red less the mean of both
    (2, 0),  # green less red in place of green less purple
)
"""The RCTs that an encoder tries: shares (a, b), in the order in which they stand for others that do the same."""

_RANKS = {pair: rank for rank, pair in enumerate(CANDIDATES)}


def rgb_to_ycocg(image: NumpyArray) -> NumpyArray:
    """uint8 [..., 3] of red, green, blue -> uint8 [..., 3] of Y, Co + 128, Cg + 128, modulo 256."""
    red, green, blue = (image[..., channel] for channel in range(3))
    co = red - blue
    middle = blue + _half(co)
    cg = green - middle
    return np.stack([middle + _half(cg), co + GREY, cg + GREY], -1)


def ycocg_to_rgb(image: NumpyArray) -> NumpyArray:
    """The inverse of `rgb_to_ycocg`, of any uint8 [..., 3]."""
    luma, co, cg = image[..., 0], image[..., 1] - GREY, image[..., 2] - GREY
    middle = luma - _half(cg)
    blue = middle - _half(co)
    return np.stack([co + blue, cg + middle, blue], -1)


def apply_rct(images: NumpyArray, rct: NumpyArray) -> NumpyArray:
    """The RGB images uint8 [B, H, W, 3] of which each has gone through its RCT.

    rct  int [B, 2], -8..7: the shares (a, b) of each image

    With (-2, 2) Cg becomes green less blue, and Co red less the mean of the two.
    """
    coded = rgb_to_ycocg(images)
    coded[..., 2] -= _share(coded[..., 1], rct[:, 0])
    coded[..., 1] -= _share(coded[..., 2], rct[:, 1])
    return ycocg_to_rgb(coded)


def undo_rct(images: NumpyArray, rct: NumpyArray) -> NumpyArray:
    """The inverse of `apply_rct`."""
    coded = rgb_to_ycocg(images)
    coded[..., 1] += _share(coded[..., 2], rct[:, 1])
    coded[..., 2] += _share(coded[..., 1], rct[:, 0])
    return ycocg_to_rgb(coded)


def offset_chroma(images: NumpyArray, offsets: NumpyArray) -> NumpyArray:
    """The RGB images uint8 [B, H, W, 3] with both differences of each moved down by its chroma offsets.

    offsets  int [B, 2], of Co and of Cg, in steps of 16 levels; the negative ones undo it
    """
    coded = rgb_to_ycocg(images)
    coded[..., 1:] -= (offsets << OFFSET).astype(np.uint8)[:, None, None]
    return ycocg_to_rgb(coded)


def is_canonical_rct(image: NumpyArray, rct: NumpyArray) -> bool:
    """Whether an RCT is the first of all that change a tile as it does.

    image  uint8 [H, W, 3], to which the RCT was applied
    rct    int [2], its shares

    The order is that of `CANDIDATES`, as an encoder tries them, and behind these that of the shares.
    """
    a, b = rct.tolist()
    coded = rgb_to_ycocg(image)
    co, cg = rgb_to_ycocg(undo_rct(image[None], np.array([[0, b]]))[0])[..., 1], coded[..., 2]
    alike = [(i, j) for i in _alike(co, a) for j in _alike(cg, b)]
    found: tuple[int, int] = min(alike, key=lambda pair: (pair not in CANDIDATES, _RANKS.get(pair, 0), pair))
    return found == (a, b)


def _alike(plane: NumpyArray, share: int) -> list[int]:
    """The shares that take the same off all differences in a plane."""
    there = np.flatnonzero(np.bincount(plane.ravel(), minlength=256))
    rows = _SHARES[:, there]
    found: list[int] = (np.flatnonzero((rows == rows[share + 8]).all(1)) - 8).tolist()
    return found


def _share(differences: NumpyArray, shares: NumpyArray) -> NumpyArray:
    """floor(difference * share / 4) modulo 256, of differences uint8 [B, H, W] about grey and shares int [B]."""
    signed = (differences - GREY).view(np.int8).astype(np.int16)
    return (signed * shares.astype(np.int16)[:, None, None] >> SHARE).astype(np.uint8)


def _every_share() -> NumpyArray:
    """What a share of -8..7 takes off for each difference about grey 0..255: uint8 [16, 256]."""
    differences = np.tile(np.arange(256, dtype=np.uint8), (16, 1, 1))
    return _share(differences, np.arange(-8, 8))[:, 0]


_SHARES = _every_share()


def _half(difference: NumpyArray) -> NumpyArray:
    """Half of a difference modulo 256, taken as -128..127 and rounded down; uint8."""
    return (difference.view(np.int8) >> 1).view(np.uint8)
