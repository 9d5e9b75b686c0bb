"""What is known of each item in a batch, and what is asked of the network: masks for order-agnostic training."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ...backends.base import NumpyArray
from .schedules import strided


@dataclass(frozen=True)
class Batch:
    """Items uint8 [B, D], each with its stage [B] and which dimensions are known at it: bool [B, D].

    wanted  bool [B, D], those whose cost is the loss
    """

    symbols: NumpyArray
    stages: NumpyArray
    known: NumpyArray
    wanted: NumpyArray


def masked(items: NumpyArray, stages: int, rng: np.random.Generator) -> Batch:
    """Items [B, D], each at a stage and with a random subset known whose size is spread evenly over 0..D-1."""
    count, size = items.shape
    each = -(-count // stages)  # items of a stage
    step = (np.arange(count) // stages + rng.random(count)) / each
    known = np.minimum((step * size).astype(np.int64), size - 1)
    rank = rng.random(items.shape, np.float32).argsort(1).argsort(1)
    subset = rank < known[:, None]
    return Batch(items, np.arange(count) % stages, subset, ~subset)


def in_order(items: NumpyArray, rng: np.random.Generator) -> Batch:
    """Items [B, D] of which the first few along a strided order are known, and the loss is on the next.

    The strides are spread evenly by ratio; two groups of a schedule that follows the stride are next.
    """
    count, size = items.shape
    known, wanted = np.zeros(items.shape, np.bool_), np.zeros(items.shape, np.bool_)
    for i in range(count):
        stride = round(size ** ((i + rng.random()) / count))
        order, start = strided(size, stride), int(rng.integers(0, size))
        known[i, order[:start]] = True
        wanted[i, order[start : start + 2 * -(-size // stride)]] = True
    return Batch(items, np.zeros(count, np.intp), known, wanted)


def joined(batches: list[Batch]) -> Batch:
    """One batch of several."""
    parts = ([getattr(batch, field.name) for batch in batches] for field in fields(Batch))
    return Batch(*map(np.concatenate, parts))
