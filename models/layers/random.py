"""Random weights of layers, from all of -63..63 and often from the two ends, so that clamps and bounds are reached,
which a trained network may never do."""

from __future__ import annotations

import numpy as np

from ..backends.base import CODE_MAX, WEIGHT_MAX, NumpyArray
from .grid import Tensors


def embeddings(random: np.random.RandomState, shapes: dict[str, tuple[int, int]]) -> Tensors:
    """Embedding tables of these names and shapes."""
    return {f"{table}.table": _drawn(random, CODE_MAX, shape) for table, shape in shapes.items()}


def linears(random: np.random.RandomState, layers: dict[str, tuple[int, int]]) -> Tensors:
    """Linear layers of these names, inputs and outputs."""
    return {
        f"{layer}.{part}": array
        for layer, (inputs, outputs) in layers.items()
        for part, array in _linear(random, inputs, outputs).items()
    }


def _linear(random: np.random.RandomState, inputs: int, outputs: int) -> Tensors:
    """Weight, exponent and bias; outputs come to a few units, and to their limits now and then."""
    scale = round(np.log2(WEIGHT_MAX * inputs**0.5))
    return {
        "weight": _drawn(random, WEIGHT_MAX, (outputs, inputs)),
        "exponent": random.randint(scale - 2, scale + 3, outputs).astype(np.int8),
        "bias": random.randint(-100, 101, outputs).astype(np.int32),
    }


def _drawn(random: np.random.RandomState, limit: int, shape: tuple[int, int]) -> NumpyArray:
    """int8 of this shape in -limit..limit, half of it at the ends."""
    inner = random.randint(-limit, limit + 1, shape)
    ends = random.choice([-limit, limit], shape)
    return np.where(random.rand(*shape) < 0.5, inner, ends).astype(np.int8)
