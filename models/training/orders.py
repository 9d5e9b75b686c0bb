"""The schedules of an autoregressive diffusion model, measured on held-out data after training.

The loss of a step hangs on how many dimensions are known, not on which, if the order is random; so it is estimated
with random subsets and handed to the dynamic programme of ``schedules``. A handful of orders is then tried with the
schedule of one budget, and the best of them kept (Hoogeboom et al. 2021, arXiv 2110.02037, section 3 and 5).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ..arrays import NumpyArray
from ..checkpoint import Arrays
from ..schedules import BUDGETS, Schedule, best, to_tensors

ORDERS = 5  # that are tried
_ITEMS = 32  # of one evaluation
_PLACES = 48  # numbers of known dimensions at which a loss is estimated; between them it is interpolated
_TRIED_ON = 20  # calls of the schedule with which orders are compared

Bits = Callable[[NumpyArray, NumpyArray, NumpyArray], torch.Tensor]
"""Items [B, D], their stages [B] and what is known [B, D] -> what each dimension would cost next, in bits [B, D]."""


@torch.no_grad()
def scheduled(bits: Bits, items: NumpyArray, stages: int) -> Arrays:
    """The arrays of the best order found and of its schedules, from held-out items uint8 [N, D]."""
    size = items.shape[1]
    losses = step_losses(bits, items, stages)
    cuts = {calls: best(losses, calls) for calls in BUDGETS if stages <= calls < stages * size}
    tried = cuts[_TRIED_ON] if _TRIED_ON in cuts else best(losses, stages)
    orders = [np.random.RandomState(seed).permutation(size) for seed in range(ORDERS)]
    costs = [order_bits(bits, items[: 2 * _ITEMS], Schedule(order, tried)) for order in orders]
    return to_tensors(orders[int(np.argmin(costs))], cuts)


def step_losses(bits: Bits, items: NumpyArray, stages: int) -> NumpyArray:
    """Mean bits of a digit for each stage and number of known dimensions: float64 [stages, D], falling."""
    size = items.shape[1]
    random = np.random.RandomState(0)
    places = np.unique(((size - 1) * np.linspace(0, 1, _PLACES) ** 2).astype(int))
    measured = np.empty((stages, len(places)))
    for stage in range(stages):
        for i, count in enumerate(places):
            part = items[random.randint(0, len(items), _ITEMS)]
            known = random.random_sample(part.shape).argsort(1).argsort(1) < count
            cost = bits(part, np.full(_ITEMS, stage), known).cpu().numpy()
            measured[stage, i] = cost[~known].mean()
    falling = np.minimum.accumulate(measured, axis=1)
    return np.stack([np.interp(np.arange(size), places, row) for row in falling])


def order_bits(bits: Bits, items: NumpyArray, schedule: Schedule) -> float:
    """Bits of the items under a schedule."""
    total = 0.0
    for stage, known, wanted in schedule.calls():
        for start in range(0, len(items), _ITEMS):
            part = items[start : start + _ITEMS]
            cost = bits(part, np.full(len(part), stage), np.broadcast_to(known, part.shape))
            total += float(cost[:, torch.from_numpy(wanted)].sum())
    return total
