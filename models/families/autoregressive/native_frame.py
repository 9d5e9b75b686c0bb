"""What a frame carries from step to step, for the compiled core: `frame.FrameState` with the same integers.

The NumPy layers are the specification. Here memory is laid out and handed over to native/*.h, where files are named
after the modules that they repeat. Arrays are [steps, lanes], as everywhere.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np

from ....compressor.coding.ledger import SymbolStack
from ....compressor.coding.pmf import PMF
from ....compressor.coding.rounding import rounded_to_nearest
from ....compressor.coding.stack import Stack
from ....compressor.errors import CorruptError
from ...backends.base import NumpyArray
from ...backends.native import structures
from ...backends.native.coder import StackWords
from ...backends.native.structures import CONTEXTS, LANE, OUTSIDE, Seen, address
from ...backends.workers import LEAST_LANES, Workers
from ...mixing.config import MixingConfig
from ...mixing.contexts import match_bits
from ...mixing.decisions import binary_pmf
from ...mixing.mixing import fresh_weights, learning_rate, table_size
from ...mixing.rich.config import RichConfig
from ...mixing.sse import MAP_BITS, fresh_maps
from ..lanes import Layout, parts_of
from .native_model import NativeModel
from .native_rich import RichRoom

_AT_ONCE = 1 << 12  # symbols between two looks at signals, some 50 ms
_PARTS = 2  # of the lanes of a thread: what another thread is late for, one that is not takes over
_LEAST_WORK = (
    40_000_000  # multiplications of a thread in a step: with fewer, handing over costs more than is saved
)


class _Part:
    """What known steps see, and what the network says of them."""

    def __init__(self, steps: int, lanes: int, decisions: int) -> None:
        self.past = np.empty((steps, lanes), np.uint64)
        self.row = np.empty((steps, lanes), np.uint16)
        self.length = np.empty((steps, lanes), np.uint8)
        self.said = np.empty((steps, decisions, lanes), np.uint16)
        arrays = (self.past, self.row, self.length, self.said)
        self.structure = Seen(*(address(array) for array in arrays))


Evaluations = Iterator[tuple[NumpyArray, _Part]]
"""For each part of a frame its symbols [T, L], and what they see and the network says."""


class NativeFrame:
    """A frame before its first step."""

    def __init__(
        self, model: NativeModel, workers: Workers, layout: Layout, at_once: int = 1, record: int = 0
    ) -> None:
        """As `frame.FrameState`."""
        self._at_once = at_once
        self._model, self._workers, self._layout, self._core = model, workers, layout, model.core
        least = _LEAST_WORK // (model.config.multiplications * at_once)
        alone = len(workers.groups(layout.lanes, max(LEAST_LANES, least))) == 1
        self._groups = workers.groups(layout.lanes, layout.lanes if alone else LEAST_LANES, _PARTS)
        self._works = [model.work() for _ in self._groups]
        self._now = _Part(1, layout.lanes, 1)  # the next step, where it is popped
        self._arrays, numbers = self._contexts() | self._rooms(), self._numbers()
        self._rich: RichRoom | None = None
        if isinstance(model.mixing, RichConfig):
            self._rich = RichRoom(model, model.mixing, layout, record)
            numbers["rich"] = ctypes.addressof(self._rich.structure)
        else:
            self._arrays |= self._mixture(model.mixing)
            numbers |= self._mixture_numbers(model.mixing)
        named = {name: address(array) for name, array in self._arrays.items()}
        self._frame = structures.Frame(**numbers, **named)

    @property
    def learnt(self) -> dict[str, NumpyArray]:
        """What the rich mixture has learnt so far, by the names of `RichRoom`; nothing of another mixture."""
        return self._rich.learnt if self._rich else {}

    def ahead(self, known: NumpyArray) -> Evaluations:
        """As `frame.FrameState.ahead`."""
        return self._workers.ahead(map(self._evaluated, self._layout.parts(known, self._at_once)))

    def forced(
        self, symbols: NumpyArray, evaluations: Evaluations
    ) -> Iterator[tuple[NumpyArray, NumpyArray]]:
        """Teacher forcing: as `frame.FrameState.forced`, but many decisions at a time: [decisions] of each part."""
        for grid, part in parts_of(symbols, evaluations):
            bits = np.empty(self._decisions(len(grid)), np.uint8)
            chances = np.empty(len(bits), np.uint16)
            where = address(grid), len(grid), part.structure, address(bits), address(chances)
            self._core.mixture(self._model.structure, self._frame, *where)
            yield chances.astype(np.int64), bits

    def pmf(self, rows: NumpyArray) -> PMF:
        """The PMFs of decisions from their probabilities [N], as `forced` gives them."""
        return binary_pmf(rows)

    def _evaluated(self, symbols: NumpyArray) -> tuple[NumpyArray, _Part]:
        """The next symbols [T, L], and what they see and the network says."""
        grid = np.ascontiguousarray(symbols, np.uint8)
        part = _Part(len(grid), self._layout.lanes, self._model.decisions)
        self._core.contexts(self._frame, address(grid), len(grid), part.structure)
        self._network(part, len(grid), address(grid))
        return grid, part

    def _network(self, part: _Part, steps: int, grid: int | None) -> None:
        def run(i: int) -> None:
            group, (work, _) = self._groups[i], self._works[i]
            self._core.network(
                self._model.structure, self._frame, work, steps, group.start, group.stop, part.structure, grid
            )

        self._workers.share(run, self._groups)

    def pop(self, stack: SymbolStack, grid: NumpyArray) -> None:
        """As `frame.FrameState.pop`: all in the core where the stack lends itself, else all but what the stack does."""
        if isinstance(stack, Stack) and stack.lends():
            self._pop_words(stack, grid)
        else:
            for column in grid:
                self._pop_decisions(stack, column)

    def _pop_words(self, stack: Stack, grid: NumpyArray) -> None:
        """Many steps in one call, but single ones where threads share them."""
        words, alone = StackWords(stack.drained()), len(self._groups) == 1
        each = max(1, _AT_ONCE // self._layout.lanes) if alone else 1
        pop = rounded_to_nearest(self._pop_steps) if alone else self._pop_step
        try:
            for start in range(0, len(grid), each):
                stack.look_up()
                _check(pop(grid[start : start + each], words.structure))
        finally:
            stack.refill(words.left())

    def _pop_steps(self, grid: NumpyArray, stack: structures.Stack) -> int:
        work, _ = self._works[0]
        what = work, len(grid), self._now.structure, stack, address(grid)
        return int(self._core.pop_steps(self._model.structure, self._frame, *what))

    def _pop_step(self, grid: NumpyArray, stack: structures.Stack) -> int:
        self._predict()
        what = self._now.structure, stack, address(grid)
        return int(self._core.pop_step(self._model.structure, self._frame, *what))

    def _pop_decisions(self, stack: SymbolStack, column: NumpyArray) -> None:
        """One step, decision by decision."""
        core, model, frame, seen = self._core, self._model.structure, self._frame, self._now.structure
        active = self._layout.active(frame.mixed)
        self._predict()
        core.begin(model, frame, seen)
        for i in range(self._model.decisions):
            core.ask(model, frame, seen, i)
            chances = self._arrays["said"][:active].astype(np.int64)
            self._arrays["bit"][:active] = stack.pop(binary_pmf(chances))
            core.tell(model, frame, i)
        _check(core.end(model, frame, address(column)))

    def _predict(self) -> None:
        """What the network says of the next step."""
        self._core.predict(self._frame, self._now.structure)
        self._network(self._now, 1, None)

    def _decisions(self, steps: int) -> int:
        """How many decisions the next steps are made of."""
        now = self._frame.mixed
        return self._model.decisions * sum(map(self._layout.active, range(now, now + steps)))

    def _numbers(self) -> dict[str, int]:
        layout = self._layout
        return {
            "lanes": layout.lanes,
            "length": layout.steps,
            "count": layout.count,
            "match_shift": 64 - match_bits(layout.lanes * layout.steps),
            "match_mask": 0xFFFF if self._model.config.whole_match else 0xFF,
        }

    def _mixture_numbers(self, mixing: MixingConfig) -> dict[str, int]:
        bits, _ = table_size(mixing, self._layout.count)
        rate = learning_rate(mixing, self._layout.lanes)
        return {"bits": bits, "map_bits": min(bits, MAP_BITS), "rate": rate}

    def _contexts(self) -> dict[str, NumpyArray]:
        """What is packed of the past, and the match model."""
        lanes, steps = self._layout.lanes, self._layout.steps
        size = 1 << match_bits(lanes * steps)
        return {
            "recent": np.zeros(lanes, np.uint64),
            "match_keys": np.zeros(size, np.uint64),
            "match_places": np.zeros(size, np.int64),
            "text": np.zeros(lanes * steps, np.uint8),
            "pointer": np.full(lanes, -1, np.int64),
            "matched": np.zeros(lanes, np.int64),
        }

    def _mixture(self, mixing: MixingConfig) -> dict[str, NumpyArray]:
        """What the mixture learns."""
        model, lanes = self._model, self._layout.lanes
        bits, contexts = table_size(mixing, self._layout.count)
        maps = fresh_maps(model.tensors["squash"], bits) if mixing.refined else np.zeros(1, np.int32)
        return {
            "counters": np.zeros(contexts << bits, np.int32),
            "maps": maps,
            "weights": fresh_weights(mixing, model.decisions),
            "lane": np.zeros(lanes, LANE),
            "keys": np.zeros((lanes, CONTEXTS + 2), np.uint64),
        }

    def _rooms(self) -> dict[str, NumpyArray]:
        """States of the network, and room for a step."""
        model, lanes = self._model, self._layout.lanes
        return {
            "states": np.zeros((max(1, model.config.depth), lanes, model.state), np.int32),
            "word": np.zeros(lanes, np.uint64),
            "before": np.zeros(lanes, np.uint64),
            "node": np.zeros(lanes, np.uint32),
            "below": np.zeros((lanes, (1 << model.decisions) + 1), np.int32),
            "said": np.zeros(lanes, np.int32),
            "bit": np.zeros(lanes, np.uint8),
        }


def _check(found: int) -> None:
    """Raises CorruptError for what the core found."""
    if found == OUTSIDE:
        raise CorruptError("a symbol outside the alphabet was decoded; the file is damaged")
