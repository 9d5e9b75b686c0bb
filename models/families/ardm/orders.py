"""The schedules of an autoregressive diffusion model, measured on held-out data after training.

A handful of orders is tried, as in the paper (Hoogeboom et al. 2021, arXiv 2110.02037, sections 3 and 5), but not only
random ones: see `candidates`. Along each the cost of every step is measured, the dynamic programme of ``schedules``
finds the best cut for each budget, and each budget keeps the order that is cheapest for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from ...backends.base import NumpyArray
from ...checkpoint import Arrays
from .schedules import BUDGETS, CallSchedule, Costs, best, every_step, strided, to_tensors

_PLACES = 256  # at which a group may start, as numbers of known dimensions: more than the largest budget
_FEW = 1024  # dimensions; of more, or where dimensions are alike,
_LOOKED = 32  # places are measured, and those between interpolated

Bits = Callable[[NumpyArray, NumpyArray, NumpyArray], torch.Tensor]
"""Items [B, D], their stages [B] and what is known [B, D] -> what each dimension would cost next, in bits [B, D]."""


@torch.no_grad()
def scheduled(bits: Bits, items: NumpyArray, stages: int, shape: tuple[int, ...]) -> Arrays:
    """The arrays of the best schedule found for each budget, from held-out items uint8 [N, D] of this shape."""
    size = items.shape[1]
    budgets = [calls for calls in BUDGETS if stages <= calls < stages * size]
    found: dict[int, tuple[float, CallSchedule]] = {}
    for order, alike in candidates(shape):
        costs = measured(bits, items, order, stages, alike)
        offers = {calls: best(costs, calls) for calls in budgets}
        if len(costs.places) == size:
            offers[stages * size] = every_step(stages, size)
        for calls, groups in offers.items():
            cost = costs.predicted(groups)
            if calls not in found or cost < found[calls][0]:
                found[calls] = cost, CallSchedule(order, groups)
    chosen = {calls: schedule for calls, (_, schedule) in found.items()}
    # Single steps were not all measured where there are many: then the order of the largest budget is theirs too.
    chosen.setdefault(stages * size, CallSchedule(chosen[max(chosen)].order, every_step(stages, size)))
    return to_tensors(chosen)


def candidates(shape: tuple[int, ...]) -> Iterator[tuple[NumpyArray, bool]]:
    """Orders to try for items of a shape, intp [D] each, and whether dimensions are alike in it, as in random ones.

    For a text, from left to right in one run or in several side by side, whose neighbours are known when a position's
    turn comes. For an image, grids that grow finer, whose pixels lie between known ones. And random ones.
    """
    size = int(np.prod(shape))
    yield from ((np.random.RandomState(seed).permutation(size), True) for seed in range(2))
    if len(shape) == 1:
        strides = (1, 5, 10, 20, 50, 100)
        yield from ((strided(size, stride), False) for stride in strides if stride < size)
    else:
        yield from ((progressive(shape, together), False) for together in (True, False))


def progressive(shape: tuple[int, ...], together: bool) -> NumpyArray:
    """Dimensions of an image (H, W, C) in the order of grids, each twice as fine as the one before: intp [D].

    together  the channels of a pixel side by side, not one channel of all pixels of a grid after another
    """
    height, width, channels = shape
    y, x, c = np.mgrid[:height, :width, :channels].reshape(3, -1)
    level = np.minimum(_fineness(y, height), _fineness(x, width))  # of the finest grid that has the pixel
    scattered = np.random.RandomState(0).permutation(height * width)[y * width + x]
    # A grid's odd rows and columns cross in pixels whose neighbours come after them: those first.
    corner = np.where((_fineness(y, height) == level) & (_fineness(x, width) == level), 0, 1)
    keys = (c, scattered) if together else (scattered, c)
    order: NumpyArray = np.lexsort((*keys, corner, -level))
    return order


def _fineness(place: NumpyArray, size: int) -> NumpyArray:
    """How often 2 divides each place; the most there is for 0."""
    most = size.bit_length() - 1
    divided = [(place % (1 << power) == 0).astype(int) for power in range(1, most + 1)]
    total: NumpyArray = np.sum(divided, axis=0)
    return total


def measured(bits: Bits, items: NumpyArray, order: NumpyArray, stages: int, alike: bool) -> Costs:
    """What the dimensions of items [N, D] cost along an order, known to ever more of it.

    alike  of dimensions that are not known, all cost what they cost on average, which is measured with less noise

    Of many dimensions not every number of known ones is measured: between two, costs are interpolated.
    """
    size = items.shape[1]
    places = np.arange(size) if size <= _PLACES else _spread(size, _PLACES)
    looked = places if size <= _FEW and not alike else _spread(size, _LOOKED)
    found = np.empty((stages, len(looked), size))
    for stage in range(stages):
        for row, count in enumerate(looked):
            known = np.zeros(items.shape, np.bool_)
            known[:, order[:count]] = True
            cost = bits(items, np.full(len(items), stage), known).cpu().numpy()
            found[stage, row] = cost[:, order].mean(axis=0)
            if alike:
                found[stage, row, count:] = found[stage, row, count:].mean()
    return Costs(places, _between(found, looked, places))


def _spread(size: int, count: int) -> NumpyArray:
    """About ``count`` numbers from 0 to size - 1, closer together near the start, where costs fall fastest."""
    return np.unique(((size - 1) * np.linspace(0, 1, count) ** 1.5).astype(int))


def _between(found: NumpyArray, looked: NumpyArray, places: NumpyArray) -> NumpyArray:
    """Costs [stages, looked, D] interpolated along the second axis: [stages, places, D]."""
    above = np.clip(np.searchsorted(looked, places), 1, len(looked) - 1)
    share = (places - looked[above - 1]) / (looked[above] - looked[above - 1])
    # A dimension that is known at the next place costs nothing there: what it costs before is what counts.
    low, high = found[:, above - 1], found[:, above]
    unknown = np.arange(found.shape[2]) >= looked[above][:, None]
    total: NumpyArray = np.where(unknown, low + share[:, None] * (high - low), low)
    return total
