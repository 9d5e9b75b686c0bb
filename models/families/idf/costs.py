"""What images take, about, by a flow: for what an encoder tries."""

from __future__ import annotations

import numpy as np

from ....compressor.coding.pmf import PRECISION
from ...backends.base import NumpyArray
from .flow import Adjust, Flow, unchanged


def costs(flow: Flow, images: NumpyArray, adjust: Adjust = unchanged) -> NumpyArray:
    """About how many bits each of uint8 [B, H, W, C] takes, [B]; ``adjust`` as in `Flow.steps`."""
    bits = np.zeros(len(images))
    for frequencies in flow.chosen(images, adjust):
        bits += rough_bits(frequencies).reshape(len(images), -1).sum(1)
    return bits


def rough_bits(frequencies: NumpyArray) -> NumpyArray:
    """-log2 of frequencies of 2**24, between powers of two on a line: no rounding, so the same on every machine."""
    mantissa, exponent = np.frexp(frequencies.astype(np.float64))
    cost: NumpyArray = PRECISION + 2 - exponent - 2 * mantissa
    return cost
