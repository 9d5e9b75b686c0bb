"""Schedules: in which order, and how many at once, an order-agnostic model codes the dimensions of an item.

An item has D dimensions, each of one or more digits. A stage codes one digit of every dimension. One call of the
network gives the distributions of a group of them at once, as independent given all that is known before: the larger
the groups, the fewer calls and the more bits. A schedule is one order of the dimensions and, for each stage, a cut of
it into groups; Hoogeboom et al., Autoregressive Diffusion Models, arXiv 2110.02037, section 3 (parallelizing ARDMs).

``best`` finds the cut for a budget of S calls by dynamic programming (after Watson et al., arXiv 2106.03802). In a
random order every dimension that is not known is alike, so the paper counts n L[t] for a group of n that starts when t
are known. Orders need not be random: `strided` ones, in which neighbours are far apart in time, are cheaper for text.
So what `best` is given is measured along the order that will be used: see `Costs`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np

from ...backends.base import NumpyArray
from ...schema import Declared, Tensor

BUDGETS = (5, 10, 20, 50, 100)
"""The numbers of calls for which schedules are stored, where there are so many digits and so few stages."""

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
class CallSchedule:
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


def strided(size: int, stride: int) -> NumpyArray:
    """The order in which positions 0, stride, 2 stride, ... come first, then each one's right neighbour, and so on:
    runs of ``stride`` positions side by side, each from left to right. intp [size]; from left to right for 1 run."""
    place = np.arange(size)
    order: NumpyArray = np.lexsort((place // stride, place % stride))
    return order


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


@dataclass(frozen=True)
class Costs:
    """What groups of an order cost, as measured.

    places  intp [P], numbers of known dimensions at which a group may start, ascending from 0
    bits    float64 [stages, P, D], mean bits of each digit, dimensions in coding order, when so many are known
    """

    places: NumpyArray
    bits: NumpyArray

    def predicted(self, groups: Groups) -> float:
        """Bits of an item under groups, each with what is known at the last place before its start."""
        total = 0.0
        for stage, sizes in groupby(groups, key=lambda group: group[0]):
            at = 0
            for _, size in sizes:
                row = int(np.searchsorted(self.places, at, side="right")) - 1
                total += float(self.bits[stage, row, at : at + size].sum())
                at += size
        return total


def best(costs: Costs, calls: int) -> Groups:
    """The groups of exactly this many calls that cost fewest bits, shared out among all stages.

    They start at the places of ``costs``, of which every stage needs enough. O(calls N^2) for N places in all stages.
    Raises ValueError for fewer calls than stages, or more than places.
    """
    stages, count, size = costs.bits.shape
    if not stages <= calls <= stages * count:
        raise ValueError(
            f"{stages} stages of {count} places take {stages} to {stages * count} calls, not {calls}"
        )
    places = np.concatenate([*(stage * size + costs.places for stage in range(stages)), [stages * size]])
    cost = _group_costs(costs, places)
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


def _group_costs(costs: Costs, places: NumpyArray) -> NumpyArray:
    """Bits of the call from one place to another, counted through all stages: float64 [N, N], infinite for none."""
    stages, count, size = costs.bits.shape
    sums = np.concatenate([np.zeros((stages, count, 1)), costs.bits.cumsum(axis=2)], axis=2)
    cost = np.full((len(places), len(places)), np.inf)
    ends = np.append(costs.places[1:], size)
    for stage in range(stages):
        for row, start in enumerate(costs.places):
            at = stage * count + row
            cost[at, at + 1 : (stage + 1) * count + 1] = (
                sums[stage, row, ends[row:]] - sums[stage, row, start]
            )
    return cost


def to_tensors(schedules: Mapping[int, CallSchedule]) -> dict[str, NumpyArray]:
    """The arrays of a weight file for the schedules of all budgets, the last of which takes every step.

    The order of that one is ``order``, uint16 [D]; each other budget S has ``groups.S``, int32 [S, 2], and ``order.S``
    if its order is another.
    """
    *some, whole = sorted(schedules)
    tensors = {_ORDER: schedules[whole].order.astype(np.uint16)}
    for calls in some:
        tensors[f"{_GROUPS}{calls}"] = np.array(schedules[calls].groups, np.int32)
        if not np.array_equal(schedules[calls].order, schedules[whole].order):
            tensors[f"{_ORDER}.{calls}"] = schedules[calls].order.astype(np.uint16)
    return tensors


def declared(names: Collection[str], stages: int, size: int) -> Declared:
    """What `from_tensors` takes, of a file with tensors of these names: any number of budgets."""
    found = {_ORDER: Tensor("uint16", (size,))}
    for name in names:
        calls = name.removeprefix(_GROUPS)
        if name == calls or not _is_number(calls) or not stages <= int(calls) < stages * size:
            continue
        found[name] = Tensor("int32", (int(calls), 2))
        if f"{_ORDER}.{calls}" in names:
            found[f"{_ORDER}.{calls}"] = Tensor("uint16", (size,))
    return found


def _is_number(text: str) -> bool:
    """Whether a number is written like this, in its one spelling."""
    return text.isascii() and text.isdigit() and len(text) <= 9 and str(int(text)) == text


def from_tensors(tensors: Mapping[str, NumpyArray], stages: int, size: int) -> dict[int, CallSchedule]:
    """The schedule of each budget, from few calls to all. A budget without an order of its own has that of all.

    Raises KeyError or ValueError for arrays that are no schedules of so many stages and dimensions.
    """
    cuts = {
        int(name.removeprefix(_GROUPS)): _checked(name, array, stages, size)
        for name, array in tensors.items()
        if name.startswith(_GROUPS)
    }
    cuts[stages * size] = every_step(stages, size)
    return {calls: CallSchedule(_order(tensors, calls, size), cuts[calls]) for calls in sorted(cuts)}


def _order(tensors: Mapping[str, NumpyArray], calls: int, size: int) -> NumpyArray:
    """The order of a budget: intp [D]."""
    order = tensors.get(f"{_ORDER}.{calls}", tensors[_ORDER]).astype(np.intp)
    if not np.array_equal(np.sort(order), np.arange(size)):
        raise ValueError(f"an order is no permutation of {size} dimensions")
    return order


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
