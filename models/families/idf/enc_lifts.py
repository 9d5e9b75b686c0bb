"""Which lifts of its colours suit a tile (see `colour.lifted`): a few are tried on a part of it, with the flow itself.

How the differences of colours go together depends on the light and on what is in the picture: on a red door, green and
blue do not differ by what photographs in general, and so the network, make one expect. (JPEG XL has 42 reversible
transforms to choose from; with the sum of a tile's gradients in place of the network the choice was often the wrong
one.)
"""

from __future__ import annotations

import numpy as np

from ...backends.base import NumpyArray
from ...backends.workers import Workers
from .colour import best_turns, decorrelate, lifted, lowered, shares, turned
from .costs import costs
from .flow import Flow

CANDIDATES = (
    (0, 0),
    (-2, 2),  # green less blue, and red less the mean of both
    (2, 0),  # green less red in place of green less purple
)
_RANKS = {pair: rank for rank, pair in enumerate(CANDIDATES)}
CROP = 32  # pixels: side of what is tried

_LEAST = 64  # bits that lifts must save there


_SHARES = shares()


def is_plain(image: NumpyArray, lifts: NumpyArray) -> bool:
    """Whether lifts, int [2], of a lifted tile uint8 [H, W, 3] are the first of all that change it as they do.

    In the order of `CANDIDATES`, as in `best_lifts`, and behind these in that of their numbers.
    """
    a, b = lifts.tolist()
    coded = decorrelate(image)
    orange, violet = decorrelate(lowered(image[None], np.array([[0, b]]))[0])[..., 1], coded[..., 2]
    alike = [(i, j) for i in _alike(orange, a) for j in _alike(violet, b)]
    found: tuple[int, int] = min(alike, key=lambda pair: (pair not in CANDIDATES, _RANKS.get(pair, 0), pair))
    return found == (a, b)


def _alike(plane: NumpyArray, lift: int) -> list[int]:
    """The lifts that take the same off all differences in a plane."""
    there = np.flatnonzero(np.bincount(plane.ravel(), minlength=256))
    rows = _SHARES[:, there]
    found: list[int] = (np.flatnonzero((rows == rows[lift + 8]).all(1)) - 8).tolist()
    return found


def best_lifts(flow: Flow, workers: Workers, images: NumpyArray) -> NumpyArray:
    """The lifts, int [B, 2], of each of uint8 [B, H, W, 3] whose middle takes the fewest bits."""
    batch, height, width, _ = images.shape
    down, right = (max(0, (side - CROP) // 2) for side in (height, width))
    crops = np.tile(images[:, down : down + CROP, right : right + CROP], (len(CANDIDATES), 1, 1, 1))
    tried = lifted(crops, np.repeat(np.array(CANDIDATES), batch, 0))
    tried = turned(tried, best_turns(tried))
    groups = workers.groups(len(tried), least=1)
    found = workers.map(lambda i: costs(flow, tried[groups[i]]), groups)
    bits = np.concatenate(found).reshape(len(CANDIDATES), batch)
    bits[0] -= _LEAST
    best: NumpyArray = np.array(CANDIDATES)[bits.argmin(0)]
    return best
