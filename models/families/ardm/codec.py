"""Autoregressive diffusion models: any dimension given any others, coded in few calls of the network.

Hoogeboom, Gritsenko, Bastings, Poole, van den Berg, Salimans, Autoregressive Diffusion Models, arXiv 2110.02037. The
network gives p(x_d | x_known) for every d that is not known, whatever is known (equation 3). To code, the dimensions
have one fixed order, and a group of them is coded at once as if independent: see ``schedules``. ARDM-Upscale (section
3.2) codes values in digits, most significant first; each stage is such a model, given the digits before.

A frame is cut into items of D symbols, for example images or chunks of text, of which the last may be short. Items know
nothing of each other: they are the batch. A segment is a run of items and has a stack. A short item is coded alone,
after the others of its segment. The plan is (S, items of a segment): S calls, or 0 for one call for each digit.

Encoder and decoder are one generator, `Segment._steps`. The network is evaluated on what is decoded so far, and its
arithmetic is exact, so both see the same PMFs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from ....compressor.coding.codec import Categorical, Codec, Serial
from ....compressor.coding.ledger import SymbolStack
from ....compressor.coding.model import Needs, Plan
from ....compressor.coding.pmf import PMF, PRECISION
from ....compressor.errors import CorruptError, ModelMismatchError
from ...backends.base import Arrays, NumpyArray
from ...backends.workers import Workers
from ...layers.grid import Tensors
from ...networks.masked import MaskedConfig, MaskedNet, masked_config, masked_net
from ...networks.pixels import Digits
from ...schema import Declared, ranged, typed
from ..base import Family, Segments, Slice
from ..identity import Identity
from .item_layout import ItemLayout
from .schedules import Call, CallSchedule, from_tensors
from .schedules import declared as declared_schedules

_WIDE = 40  # dimensions from which on a call computes the whole of an item
_NETWORK = 14 << 20  # bytes: arrays of a network while it is evaluated

# Symbols of a segment that a plan made here asks for: their PMFs take 64 MiB at most, and what a network keeps of them
# between calls as much again.
_SEGMENT = 1 << 16


class Segment(Codec[NumpyArray]):
    """Items one after another, of which the last may be short, as symbols uint8 [count]."""

    def __init__(self, model: ARDM, schedule: CallSchedule, count: int) -> None:
        self._model, self._schedule, self._count = model, schedule, count
        self._cut = model.network.base, Digits(model.network.base, model.network.stages)
        self._full, self._rest = divmod(count, model.network.size)

    def push(self, stack: SymbolStack, x: NumpyArray, /) -> None:
        """Push uint8 [count]."""
        with self._model.workers.one_blas_thread():
            Serial(lambda: self._steps(self._items())).push(stack, self._digits(x))

    def pop(self, stack: SymbolStack, /) -> NumpyArray:
        """Pop uint8 [count]."""
        values = self._items()
        with self._model.workers.one_blas_thread():
            Serial(lambda: self._steps(values)).pop(stack)
        return values.ravel()[: self._count]

    def _items(self) -> NumpyArray:
        """What is known of the items at first, uint8 [items, D]: nothing; digits that are not known are 0."""
        return np.zeros((self._full + (self._rest > 0), self._model.network.size), np.uint8)

    def _steps(self, values: NumpyArray) -> Generator[Categorical, NumpyArray, None]:
        """In decode order: yields the codec of each call's digits, and is sent them, integers [B * Q].

        They are written into ``values``, see `_items`.
        """
        base, cut = self._cut
        for calls, part in self._parts(values):
            answer = self._model.answering(part)
            for call in calls:
                digits = yield Categorical(PMF(answer(call).reshape(-1, base)))
                digits = digits.reshape(len(part), -1).astype(np.uint8)
                part[:, call.wanted] |= digits << cut.shift(call.stage)

    def _digits(self, symbols: NumpyArray) -> list[NumpyArray]:
        """What `_steps` is sent for these symbols [count], in the same order."""
        base, cut = self._cut
        values = self._items()
        values.ravel()[: self._count] = symbols
        return [
            (part[:, call.wanted].astype(np.int32) >> cut.shift(call.stage)).ravel() % base
            for calls, part in self._parts(values)
            for call in calls
        ]

    def _parts(self, values: NumpyArray) -> Iterator[tuple[Iterator[Call], NumpyArray]]:
        """The calls for all items but a short one, and those items; then the same for that one."""
        if self._full:
            yield self._schedule.calls(), values[: self._full]
        if self._rest:
            yield self._schedule.calls(self._rest), values[self._full :]


class ARDM(Family):
    """The family as a `compressor.model.Model`. Its nll is that of its PMFs, in their 24 bits.

    shape      of an item
    schedules  for each number of calls, from few to all
    steps      calls, where a plan is not asked for another number
    """

    def __init__(
        self,
        identity: Identity,
        network: MaskedNet,
        shape: tuple[int, ...],
        schedules: dict[int, CallSchedule],
        steps: int,
        workers: Workers,
    ) -> None:
        super().__init__(identity)
        self.network, self.alphabet, self.shape = network, network.alphabet, shape
        self.budgets = tuple(schedules)
        self.symbol_bits = network.stages * PRECISION
        self._schedules, self._steps, self.workers = schedules, steps, workers

    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> Plan:
        """(S, items of a segment); S is 0 for all. Raises ModelMismatchError for ``steps`` not among ``budgets``.

        The shape is that of the items, whatever ``shape`` is.
        """
        steps = self._steps if steps is None else steps
        if steps not in (0, *self.budgets):
            budgets = ", ".join(map(str, self.budgets))
            raise ModelMismatchError(f"{self.name} codes in {budgets} (all) steps, not in {steps}")
        size = self.network.size
        return steps % self.budgets[-1], max(1, min(-(-count // size), _SEGMENT // size))

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        """Symbols coded in each segment. Raises CorruptError for a plan that cannot be."""
        return [part.stop - part.start for part in self._cut(count, plan)[1]]

    def needs(self, count: int, plan: Plan) -> Needs:
        """See `compressor.model.Model`. A call for one dimension of one item is a unit of work."""
        schedule, _ = self._cut(count, plan)
        network, each, sizes = self.network, plan[1], [group for _, group in schedule.groups]
        items, rest = divmod(count, network.size)
        many, few = divmod(items, each)  # segments of `each` items, and items of another one
        runs = [(each, many), (few, min(few, 1)), (1, min(rest, 1))]
        work = sum(times * (3 + run * min(size, _WIDE)) for run, times in runs for size in sizes) // 4
        cached = each * network.size * (4 * network.stages + network.cache_bytes)
        return Needs(work, count + cached + 12 * each * max(sizes) * network.base + _NETWORK)

    def segments(self, count: int, plan: Plan, known: NumpyArray | None = None) -> Segments:
        """Runs of items. Raises CorruptError for a plan that cannot be."""
        schedule, parts = self._cut(count, plan)
        for part in parts:
            yield Slice(part.start, part.stop), Segment(self, schedule, part.stop - part.start)

    @property
    def sample_size(self) -> int:
        """Symbols of an item."""
        return self.network.size

    def answering(self, values: NumpyArray) -> Callable[[Call], NumpyArray]:
        """What answers the calls for items uint8 [B, D], in order: the frequencies for a call, uint32 [B, Q, base].

        Between calls, what is known of the items is written into them. They are shared among the workers.
        """
        groups = self.workers.groups(len(values), least=self.network.least)
        caches = [self.network.new_cache() for _ in groups]

        def answer(call: Call) -> NumpyArray:
            found = np.empty((len(values), len(call.wanted), self.network.base), np.uint32)

            def run(i: int) -> None:
                asked = values[groups[i]], call.known, call.stage, call.wanted, caches[i]
                found[groups[i]] = self.network.frequencies(*asked)

            self.workers.map(run, groups)
            return found

        return answer

    def _cut(self, count: int, plan: Plan) -> tuple[CallSchedule, Iterator[slice]]:
        """The schedule of a plan, and the symbols of each segment. Raises CorruptError for a plan that cannot be."""
        whole = self.budgets[-1]
        if len(plan) != 2 or plan[0] == whole or (plan[0] or whole) not in self._schedules:
            raise CorruptError(f"the model {self.name} cannot have the coding plan {plan}")
        parts = ItemLayout.of(count, self.network.size, plan[1]).segments() if count else iter(())
        return self._schedules[plan[0] or whole], parts


@dataclass(frozen=True)
class _Coding:
    """The table ``coding`` of a configuration: calls, where a plan is not asked for another number; 0 for all."""

    steps: Annotated[int, ranged(0, 1 << 20)]


def _configured(config: dict[str, Any]) -> tuple[MaskedConfig, int]:
    """Network and calls of a configuration. Raises ValueError that names what is wrong with it."""
    coding = typed(_Coding, config.get("coding", {}), "coding")
    return masked_config(config["model"]), coding.steps


def tensors(config: dict[str, Any], names: Collection[str]) -> Declared:
    """What `load` takes; see ``families.table``. How many schedules there are is for the file to say."""
    network, _ = _configured(config)
    return network.tensors() | declared_schedules(names, network.stages, network.size)


def load(
    identity: Identity, config: dict[str, Any], tensors: Tensors, arrays: Arrays, workers: Workers
) -> ARDM:
    """The model of a checkpoint's configuration (its tables ``model`` and ``coding``) and arrays."""
    sizes, steps = _configured(config)
    network = masked_net(sizes, tensors, arrays)
    schedules = from_tensors(tensors, network.stages, network.size)
    if steps not in (0, *schedules):
        raise ValueError(f"coded in {steps} steps, but there are schedules for {list(schedules)}")
    return ARDM(identity, network, sizes.shape, schedules, steps, workers)
