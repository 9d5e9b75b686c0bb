"""Which chroma offsets and which RCT suit a tile: what only an encoder searches, see ``colour``.

How the differences of colours go together depends on the light and on what is in the picture: on a red door, green and
blue do not differ by what photographs in general, and so the network, make one expect. So a few RCTs are tried on a
part of a tile, with the flow itself. (JPEG XL has 42 reversible transforms to choose from; with the sum of a tile's
gradients in place of the network the choice was often the wrong one.)
"""

from __future__ import annotations

import numpy as np

from ...backends.base import NumpyArray
from ...backends.workers import Workers
from .colour import CANDIDATES, OFFSET, apply_rct, offset_chroma, rgb_to_ycocg
from .costs import costs
from .flow import Flow

CROP = 32  # pixels: side of what is tried

_LEAST = 64  # bits that an RCT must save there
_OFFSETS = 1 << 8 - OFFSET
_CELLS = 2 * _OFFSETS + 1  # of 16 levels, from half a circle below 0 to half a circle above 255


def best_rct(flow: Flow, workers: Workers, images: NumpyArray) -> NumpyArray:
    """The RCT of each of uint8 [B, H, W, 3] with which its middle takes the fewest bits: shares int [B, 2]."""
    batch, height, width, _ = images.shape
    down, right = (max(0, (side - CROP) // 2) for side in (height, width))
    crops = np.tile(images[:, down : down + CROP, right : right + CROP], (len(CANDIDATES), 1, 1, 1))
    tried = apply_rct(crops, np.repeat(np.array(CANDIDATES), batch, 0))
    tried = offset_chroma(tried, best_chroma_offsets(tried))
    groups = workers.groups(len(tried), least=1)
    found = workers.map(lambda i: costs(flow, tried[groups[i]]), groups)
    bits = np.concatenate(found).reshape(len(CANDIDATES), batch)
    bits[0] -= _LEAST
    best: NumpyArray = np.array(CANDIDATES)[bits.argmin(0)]
    return best


def best_chroma_offsets(images: NumpyArray) -> NumpyArray:
    """The chroma offsets that keep the pixels of each of uint8 [B, H, W, 3] together: int [B, 2], 0..15.

    0 but where more than one pixel in 512 is spared a neighbour across the place where its difference wraps.
    """
    coded = rgb_to_ycocg(images)
    found = np.zeros((len(coded), 2), np.int64)
    for image, offsets in zip(coded, found, strict=True):
        for channel in (1, 2):
            crossings = _crossings(image[..., channel])
            best = int(crossings.argmin())
            if crossings[0] - crossings[best] > image.shape[0] * image.shape[1] >> 9:
                offsets[channel - 1] = best
    return found


def _crossings(plane: NumpyArray) -> NumpyArray:
    """How many neighbours in a row of uint8 [H, W] have 0, 16, .. 240 between them, on the shorter way: int [16]."""
    left = plane[:, :-1].astype(np.int16)
    right = left + (plane[:, 1:] - plane[:, :-1]).view(np.int8)
    below, above = (
        np.bincount((edge(left, right).ravel() >> OFFSET) + 8, minlength=_CELLS)
        for edge in (np.minimum, np.maximum)
    )
    across = np.cumsum(below - above)[: 2 * _OFFSETS]  # the multiples of 16 from -112 to 384
    return np.bincount((np.arange(2 * _OFFSETS) - 7) % _OFFSETS, weights=across).astype(np.int64)
