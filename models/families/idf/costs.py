"""What images take, about, by a flow: for what an encoder tries."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....compressor.coding.codec import replayed
from ....compressor.coding.pmf import PRECISION
from ...backends.base import NumpyArray
from .flow import BASE, DIGIT, Adjust, Flow, unchanged


def costs(flow: Flow, images: NumpyArray, adjust: Adjust = unchanged) -> NumpyArray:
    """About how many bits each of uint8 [B, H, W, C] takes, [B]; ``adjust`` as in `Flow.steps`."""
    batch, *size, channels = images.shape
    steps = flow.steps(batch, (size[0], size[1]), channels, np.empty_like(images), adjust)
    bits = np.zeros(batch)
    for frequencies, digits in replayed(steps, _digits(flow, images)):
        chosen = frequencies[np.arange(len(digits)), digits]
        bits += rough_bits(chosen).reshape(batch, -1).sum(1)
    return bits


def _digits(flow: Flow, images: NumpyArray) -> Iterator[NumpyArray]:
    """What `Flow.steps` is sent for these images."""
    for plane in flow.forward(images):
        for digits in (plane >> DIGIT, plane % BASE):
            yield digits.ravel().astype(np.int32)


def rough_bits(frequencies: NumpyArray) -> NumpyArray:
    """-log2 of frequencies of 2**24, between powers of two on a line: no rounding, so the same on every machine."""
    mantissa, exponent = np.frexp(frequencies.astype(np.float64))
    cost: NumpyArray = PRECISION + 2 - exponent - 2 * mantissa
    return cost
