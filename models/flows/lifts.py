"""Which lifts of its colours suit a tile (see `colour.lifted`): a few are tried on a part of it, with the flow itself.

How the differences of colours go together depends on the light and on what is in the picture: on a red door, green and
blue do not differ by what photographs in general, and so the network, make one expect. (JPEG XL has 42 reversible
transforms to choose from; with the sum of a tile's gradients in place of the network the choice was often the wrong
one.)
"""

from __future__ import annotations

import numpy as np

from ..arrays import NumpyArray
from ..workers import Workers
from .colour import best_turns, lifted, turned
from .costs import costs
from .flow import Flow

CANDIDATES = (
    (0, 0),
    (-2, 2),  # green less blue, and red less the mean of both
    (2, 0),  # green less red in place of green less purple
)
CROP = 32  # pixels: side of what is tried

_LEAST = 64  # bits that lifts must save there


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
