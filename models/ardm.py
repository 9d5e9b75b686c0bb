"""Autoregressive diffusion models: any dimension given any others, coded in few calls of the network.

Hoogeboom, Gritsenko, Bastings, Poole, van den Berg, Salimans, Autoregressive Diffusion Models, arXiv 2110.02037. The
network gives p(x_d | x_known) for every d that is not known, whatever is known (equation 3). To code, the dimensions
have one fixed order, and a group of them is coded at once as if independent: see ``schedules``. ARDM-Upscale (section
3.2) codes values in digits, most significant first; each stage is such a model, given the digits before.

A frame is cut into items of D symbols, for example images or chunks of text, of which the last may be short. Items know
nothing of each other: they are the batch. A segment is a run of items and has a stack. A short item is coded alone,
after the others of its segment. The plan is (S, items of a segment): S calls, or 0 for one call for each digit.

Encoder and decoder are one generator, `Segment.steps`. The network is evaluated on what is decoded so far, and its
arithmetic is exact, so both see the same PMFs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import numpy as np

from ..compressor.codec import Categorical, Serial
from ..compressor.errors import CorruptError, ModelMismatchError
from ..compressor.model import Needs, Plan
from ..compressor.pmf import PMF, PRECISION
from ..compressor.stack import Stack
from .arrays import Arrays, NumpyArray
from .grid import Tensors
from .identity import Identity
from .masked import convnet, transformer
from .masked.items import Items
from .masked.pixels import Digits
from .masked.schedules import Call, Schedule, from_tensors
from .masked.schedules import declared as declared_schedules
from .schema import Declared, ranged, shown, typed
from .workers import Workers

_WIDE = 28  # dimensions from which on a call computes the whole of an item
_NETWORK = 14 << 20  # bytes: arrays of a network while it is evaluated

# Symbols of a segment that a plan made here asks for: their PMFs take 64 MiB at most, and what a network keeps of them
# between calls as much again.
_SEGMENT = 1 << 16


class MaskedNet(Protocol):
    """A network that fills in what is not known of items of D dimensions, in integer arithmetic.

    size      D
    alphabet  K, values of a dimension
    base      values of a digit: K for one stage, 4 for 8 bits in four stages
    stages    digits of a value
    least     items that are worth a thread of their own
    kept      bytes that a memory has for each dimension of an item
    """

    size: int
    alphabet: int
    base: int
    stages: int
    least: int
    kept: int

    def memory(self) -> Any:
        """An empty memory, for `frequencies`."""
        ...

    def frequencies(
        self, values: NumpyArray, known: NumpyArray, stage: int, wanted: NumpyArray, memory: Any = None
    ) -> NumpyArray:
        """Distributions of the digits of this stage: uint32 [B, Q, base], each row summing to 2**24.

        values  uint8 [B, D]; only what is known of them is looked at
        known   bool [D], dimensions whose digit of this stage is known; the digits of earlier stages all are
        wanted  intp [Q], dimensions to predict, at least one
        memory  shared by calls for the same items, of which what was known before has not changed

        The distributions of an item are the same whatever else is in the batch or wanted, and with or without a memory.
        The network cuts large batches itself, so that they fit into caches and memory.
        """
        ...


class Segment:
    """Items while they are coded: what is known of them, uint8 [items, D]; other digits are 0."""

    def __init__(self, model: ARDM, schedule: Schedule, count: int) -> None:
        self._model, self._schedule = model, schedule
        self._cut = model.network.base, Digits(model.network.base, model.network.stages)
        self._full, self._rest = divmod(count, model.network.size)
        self._values = np.zeros((self._full + (self._rest > 0), model.network.size), np.uint8)

    def steps(self) -> Generator[Categorical, NumpyArray, None]:
        """In decode order: yields the codec of each call's digits, and is sent them, integers [B * Q]."""
        base, cut = self._cut
        for calls, values in self._parts(self._values):
            answer = self._model.answering(values)
            for call in calls:
                digits = yield Categorical(PMF(answer(call).reshape(-1, base)))
                digits = digits.reshape(len(values), -1).astype(np.uint8)
                values[:, call.wanted] |= digits << cut.shift(call.stage)

    def digits(self, symbols: NumpyArray) -> list[NumpyArray]:
        """What `steps` is sent for these symbols [count], in the same order."""
        base, cut = self._cut
        values = np.zeros_like(self._values)
        values.ravel()[: len(symbols)] = symbols
        return [
            (part[:, call.wanted].astype(np.int32) >> cut.shift(call.stage)).ravel() % base
            for calls, part in self._parts(values)
            for call in calls
        ]

    def symbols(self) -> NumpyArray:
        """What is known of the symbols: uint8 [count]."""
        return self._values.ravel()[: self._full * self._values.shape[1] + self._rest]

    def _parts(self, values: NumpyArray) -> Iterator[tuple[Iterator[Call], NumpyArray]]:
        """The calls for all items but a short one, and those items; then the same for that one."""
        if self._full:
            yield self._schedule.calls(), values[: self._full]
        if self._rest:
            yield self._schedule.calls(self._rest), values[self._full :]


class ARDM:
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
        schedules: dict[int, Schedule],
        steps: int,
        workers: Workers,
    ) -> None:
        self.name, self.medium, self.fingerprint = identity.name, identity.medium, identity.fingerprint
        self.network, self.alphabet, self.shape = network, network.alphabet, shape
        self.budgets = tuple(schedules)
        self._schedules, self._steps, self._workers = schedules, steps, workers

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
        kept = each * network.size * (4 * network.stages + network.kept)
        return Needs(work, count + kept + 12 * each * max(sizes) * network.base + _NETWORK)

    def encode(self, symbols: NumpyArray, plan: Plan) -> Iterator[Stack]:
        """One stack for each segment of symbols [count]. Raises ValueError for a symbol outside the alphabet."""
        for segment, digits in self._known(symbols, plan):
            stack = Stack()
            with self._workers.one_blas_thread():
                Serial(segment.steps).push(stack, digits)
            yield stack

    def decode(self, stacks: Iterator[Stack], count: int, plan: Plan) -> NumpyArray:
        """The symbols, uint8 [count]. Raises CorruptError if a stack is not empty after its segment."""
        schedule, parts = self._cut(count, plan)
        symbols = np.zeros(count, np.uint8)
        for part, stack in zip(parts, stacks, strict=True):
            symbols[part] = self._popped(stack, schedule, part)
            if not stack.is_empty():
                raise CorruptError(
                    f"bits are left over after symbol {part.stop} of a frame; the file is damaged"
                )
        return symbols

    def nll(self, symbols: NumpyArray, plan: Plan) -> float:
        """-log2 p(symbols) under the plan's schedule, in bits."""
        total = 0.0
        for segment, digits in self._known(symbols, plan):
            with self._workers.one_blas_thread():
                steps = segment.steps()
                codec = next(steps)
                for sent in digits:
                    total += float(codec.pmf.bits(sent).sum())
                    with suppress(StopIteration):
                        codec = steps.send(sent)
        return total

    def draw(self, items: int, steps: int | None, random: np.random.RandomState) -> NumpyArray:
        """Random items, uint8 [items, D]: what random bits decode to. Raises ModelMismatchError as `plan` does."""
        size, stages = self.network.size, self.network.stages
        schedule, parts = self._cut(items * size, self.plan(items * size, steps))
        drawn = np.zeros(items * size, np.uint8)
        for part in parts:
            most = (
                (part.stop - part.start) * stages * PRECISION // 8
            )  # a digit takes no more than its precision
            drawn[part] = self._popped(Stack.from_bytes(random.bytes(most + 16) + b"\1"), schedule, part)
        return drawn.reshape(items, size)

    def answering(self, values: NumpyArray) -> Callable[[Call], NumpyArray]:
        """What answers the calls for items uint8 [B, D], in order: the frequencies for a call, uint32 [B, Q, base].

        Between calls, what is known of the items is written into them. They are shared among the workers.
        """
        groups = self._workers.groups(len(values), least=self.network.least)
        memories = [self.network.memory() for _ in groups]

        def answer(call: Call) -> NumpyArray:
            found = np.empty((len(values), len(call.wanted), self.network.base), np.uint32)

            def run(i: int) -> None:
                asked = values[groups[i]], call.known, call.stage, call.wanted, memories[i]
                found[groups[i]] = self.network.frequencies(*asked)

            self._workers.map(run, groups)
            return found

        return answer

    def _cut(self, count: int, plan: Plan) -> tuple[Schedule, Iterator[slice]]:
        """The schedule of a plan, and the symbols of each segment. Raises CorruptError for a plan that cannot be."""
        whole = self.budgets[-1]
        if len(plan) != 2 or plan[0] == whole or (plan[0] or whole) not in self._schedules:
            raise CorruptError(f"the model {self.name} cannot have the coding plan {plan}")
        parts = Items.of(count, self.network.size, plan[1]).segments() if count else iter(())
        return self._schedules[plan[0] or whole], parts

    def _known(self, symbols: NumpyArray, plan: Plan) -> Iterator[tuple[Segment, list[NumpyArray]]]:
        """Each segment of symbols [count] before its first step, and its digits."""
        if len(symbols) and int(symbols.max()) >= self.alphabet:
            raise ValueError(f"symbol {symbols.max()} is outside the alphabet 0..{self.alphabet - 1}")
        schedule, parts = self._cut(len(symbols), plan)
        for part in parts:
            segment = Segment(self, schedule, part.stop - part.start)
            yield segment, segment.digits(symbols[part])

    def _popped(self, stack: Stack, schedule: Schedule, part: slice) -> NumpyArray:
        """The symbols of a segment, uint8 [n], from its stack."""
        segment = Segment(self, schedule, part.stop - part.start)
        with self._workers.one_blas_thread():
            Serial(segment.steps).pop(stack)
        return segment.symbols()


@dataclass(frozen=True)
class _Coding:
    """The table ``coding`` of a configuration: calls, where a plan is not asked for another number; 0 for all."""

    steps: Annotated[int, ranged(0, 1 << 20)]


_Config = transformer.TransformerConfig | convnet.ConvNetConfig


def _configured(config: dict[str, Any]) -> tuple[_Config, int]:
    """Network and calls of a configuration. Raises ValueError that names what is wrong with it."""
    model, coding = config["model"], typed(_Coding, config.get("coding", {}), "coding")
    if model.get("network") == "transformer":
        return transformer.TransformerConfig.from_json(model), coding.steps
    if model.get("network") == "convolution":
        return convnet.ConvNetConfig.from_json(model), coding.steps
    raise ValueError(
        f"model.network is {shown(model.get('network'))}: transformer and convolution are possible"
    )


def tensors(config: dict[str, Any], names: Collection[str]) -> Declared:
    """What `load` takes; see `registry.Family`. How many schedules there are is for the file to say."""
    network, _ = _configured(config)
    return network.tensors() | declared_schedules(names, network.stages, network.size)


def load(
    identity: Identity, config: dict[str, Any], tensors: Tensors, arrays: Arrays, workers: Workers
) -> ARDM:
    """The model of a checkpoint's configuration (its tables ``model`` and ``coding``) and arrays."""
    found, steps = _configured(config)
    network: MaskedNet
    if isinstance(found, transformer.TransformerConfig):
        network = transformer.Transformer(found, tensors, arrays)
    else:
        network = convnet.ConvNet(found, tensors, arrays)
    schedules = from_tensors(tensors, network.stages, network.size)
    if steps not in (0, *schedules):
        raise ValueError(f"coded in {steps} steps, but there are schedules for {list(schedules)}")
    return ARDM(identity, network, found.shape, schedules, steps, workers)
