"""Schedules: in which order, and how many at once, an order-agnostic model codes the dimensions of an item.

An item has D dimensions, each of one or more digits. A stage codes one digit of every dimension. One call of the
network gives the distributions of a group of them at once, as independent given all that is known before: the larger
the groups, the fewer calls and the more bits. A schedule is one order of the dimensions and, for each stage, a cut of
it into groups; Hoogeboom et al., Autoregressive Diffusion Models, arXiv 2110.02037, section 3 (parallelizing ARDMs).

``best`` finds the cut for a budget of S calls by dynamic programming (after Watson et al., arXiv 2106.03802), from the
mean loss L[t] of a dimension when t of the stage are known: a group of n from t on costs n L[t], because in a random
order every dimension that is not known is alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np

from .arrays import NumpyArray

BUDGETS = (5, 10, 20, 50, 100)
"""The numbers of calls for which schedules are stored, where there are so many digits and so few stages."""

CANDIDATES = 96
"""Places of a stage where `best` may cut it, beside those of the uniform schedule, if it has more dimensions."""

_ORDER, _GROUPS = "order", "groups."  # names of tensors

Groups = tuple[tuple[int, int], ...]
"""(stage, dimensions) of each call, in coding order."""


class Call(NamedTuple):
    """What one call of the network is asked.

    stage   whose digit is coded
    known   bool [D], dimensions whose digit of this stage has been coded; of earlier stages all digits have
    wanted  intp [Q], dimensions that are coded now
    """

    stage: int
    known: NumpyArray
    wanted: NumpyArray


@dataclass(frozen=True)
class Schedule:
    """An order, a permutation intp [D], and its groups."""

    order: NumpyArray
    groups: Groups

    def calls(self, length: int | None = None) -> Iterator[Call]:
        """The calls for an item of which the first ``length`` dimensions are there; those for none are left out."""
        here = self.order < (len(self.order) if length is None else length)
        at, last = 0, -1
        for stage, size in self.groups:
            if stage != last:
                at, last, known = 0, stage, np.zeros(len(self.order), np.bool_)
            wanted = self.order[at : at + size][here[at : at + size]]
            at += size
            if len(wanted):
                yield Call(stage, known.copy(), wanted)
                known[wanted] = True


def every_step(stages: int, size: int) -> Groups:
    """One dimension at a time."""
    return tuple((stage, 1) for stage in range(stages) for _ in range(size))


def uniform(stages: int, size: int, calls: int) -> Groups:
    """Calls shared out evenly among the stages, and dimensions among the calls of a stage.

    Raises ValueError for fewer calls than stages, or more than digits.
    """
    if not stages <= calls <= stages * size:
        raise ValueError(
            f"{stages} stages of {size} dimensions take {stages} to {stages * size} calls, not {calls}"
        )
    shares = np.diff(np.arange(stages + 1) * calls // stages).tolist()
    cuts = (np.diff(np.arange(share + 1) * size // share).tolist() for share in shares)
    return tuple((stage, group) for stage, groups in enumerate(cuts) for group in groups)


def predicted_bits(groups: Groups, losses: NumpyArray) -> float:
    """Bits of an item under these groups: the sum of (dimensions of a call) * (loss where it starts).

    losses  float64 [stages, D], the mean bits of a digit when so many dimensions of its stage are known
    """
    total = 0.0
    for stage, sizes in groupby(groups, key=lambda group: group[0]):
        at = 0
        for _, size in sizes:
            total += size * float(losses[stage, at])
            at += size
    return total


def best(losses: NumpyArray, calls: int, candidates: int = CANDIDATES) -> Groups:
    """The groups of exactly this many calls with the fewest `predicted_bits`, shared out among all stages.

    Where a stage has more than ``candidates`` dimensions, only so many places to cut it are tried, closer together
    near its start, where the loss falls fastest, and those of the uniform schedule: so it is never worse than that.
    O(calls N^2) for N places in all. Raises ValueError as `uniform` does.
    """
    stages, size = losses.shape
    places = _places(stages, size, calls, candidates)  # of all stages, one after another: [N]
    cost = _costs(losses, places)
    bits, origins = cost[0], []  # [N]: the least bits up to each place; where the last call of those starts
    for _ in range(calls - 1):
        ways = bits[:, None] + cost
        origins.append(ways.argmin(axis=0))
        bits = ways.min(axis=0)
    path = [len(places) - 1]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    starts, sizes = places[[0, *path[:0:-1]]], np.diff(places[[0, *path[::-1]]])
    return tuple((int(start) // size, int(group)) for start, group in zip(starts, sizes, strict=True))


def _places(stages: int, size: int, calls: int, candidates: int) -> NumpyArray:
    """Where groups may start and end, counted through all stages: intp [N], from 0 to stages * size."""
    even = np.cumsum([0, *(group for _, group in uniform(stages, size, calls))])
    if size <= candidates:
        return np.arange(stages * size + 1)
    near = np.round(size * (np.arange(candidates + 1) / candidates) ** 2).astype(np.intp)
    return np.unique(np.concatenate([even, *(stage * size + near for stage in range(stages))]))


def _costs(losses: NumpyArray, places: NumpyArray) -> NumpyArray:
    """Bits of the call from one place to another: float64 [N, N], infinite where it is none."""
    size = losses.shape[1]
    start, stop = places[:, None], places[None]
    loss = np.append(losses.ravel(), np.inf)[places][:, None]
    inside = (start < stop) & (stop <= (start // size + 1) * size)
    return np.where(inside, (stop - start) * np.where(inside, loss, 0.0), np.inf)


def to_tensors(order: NumpyArray, cuts: Mapping[int, Groups]) -> dict[str, NumpyArray]:
    """The arrays of a weight file: the order uint16 [D], and for each budget its groups int32 [S, 2]."""
    tensors = {f"{_GROUPS}{calls}": np.array(groups, np.int32) for calls, groups in cuts.items()}
    return {_ORDER: order.astype(np.uint16), **tensors}


def from_tensors(tensors: Mapping[str, NumpyArray], stages: int, size: int) -> dict[int, Schedule]:
    """The schedule of each budget, from few calls to all, which need no tensor.

    Raises KeyError or ValueError for arrays that are no schedules of so many stages and dimensions.
    """
    order = tensors[_ORDER].astype(np.intp)
    if not np.array_equal(np.sort(order), np.arange(size)):
        raise ValueError(f"the order is no permutation of {size} dimensions")
    cuts = {
        int(name.removeprefix(_GROUPS)): _checked(name, array, stages, size)
        for name, array in tensors.items()
        if name.startswith(_GROUPS)
    }
    cuts[stages * size] = every_step(stages, size)
    return {calls: Schedule(order, cuts[calls]) for calls in sorted(cuts)}


def _checked(name: str, array: NumpyArray, stages: int, size: int) -> Groups:
    """Groups of which each stage, in order, has all dimensions, and as many as their name says."""
    groups = tuple((int(stage), int(group)) for stage, group in array)
    seen = [(stage, _total(part)) for stage, part in groupby(groups, key=lambda group: group[0])]
    whole = seen == [(stage, size) for stage in range(stages)] and min(group for _, group in groups) >= 1
    if not whole or name != f"{_GROUPS}{len(groups)}":
        raise ValueError(f"{name} is no cut of {stages} stages of {size} dimensions into so many calls")
    return groups


def _total(groups: Iterable[tuple[int, int]]) -> int:
    return sum(group for _, group in groups)
