"""The autoregressive model: p(x) = prod_t p(x_t | x_<t), a gated linear recurrence over lanes.

    contexts -> embeddings -> Linear -> [Recurrent (-> GatedMLP)] x depth -> rms_norm -> Linear -> Softmax -> PMF

A frame of n symbols is cut into L lanes of ceil(n / L) or floor(n / L) consecutive symbols, which are the batch of the
network: step t codes the t-th symbol of every lane. Lanes start cold but share one match memory (``contexts``). The
state runs through the frame; each segment of S steps has a stack of its own. The plan is (L, S).

Encoding knows all symbols and evaluates many steps at once (teacher forcing); decoding takes one step at a time. The
arithmetic is exact, so both see the same PMFs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compressor.codec import Categorical, Serial, Steps
from ..compressor.errors import CorruptError
from ..compressor.model import Plan
from ..compressor.pmf import PMF
from ..compressor.stack import Stack
from .arrays import Array, Arrays, NumpyArray
from .contexts import MATCH_LENGTHS, MatchModel, ngram_rows, pack_history, push_symbol
from .grid import (
    LOGIT,
    LOGIT_MAX,
    RES,
    RES_MAX,
    Embedding,
    GatedMLP,
    Linear,
    Recurrent,
    Softmax,
    Tensors,
    rms_norm,
)
from .identity import Identity
from .lanes import Layout
from .workers import Workers

_MOST_LANES = 256  # that a plan made here asks for
_SEGMENT = 1 << 16  # symbols of a segment
_AT_ONCE = 1 << 13  # symbols that teacher forcing evaluates at once: they stay in the processor's cache


@dataclass(frozen=True)
class AutoregressiveConfig:
    """Sizes of the network.

    alphabet  K                       state   E, channels of each recurrence     embed   width of an embedding
    width     D, residual stream      hidden  of each gated MLP; 0 for none      ngrams  (order, bits of its table)
    """

    alphabet: int
    width: int
    state: int
    depth: int
    hidden: int
    embed: int
    ngrams: tuple[tuple[int, int], ...]

    @staticmethod
    def from_json(table: dict[str, Any]) -> AutoregressiveConfig:
        """The configuration of a recipe or a checkpoint. Raises TypeError for fields that are not as above."""
        return AutoregressiveConfig(
            **table | {"ngrams": tuple((order, bits) for order, bits in table["ngrams"])}
        )


class ExactNetwork:
    """Rows of the context tables and a state -> logits and the next state, in integers."""

    def __init__(self, config: AutoregressiveConfig, tensors: Tensors, arrays: Arrays) -> None:
        self._arrays = arrays
        self._tables = [Embedding(arrays, tensors, f"ngrams.{i}") for i in range(len(config.ngrams))]
        self._tables.append(Embedding(arrays, tensors, "match"))
        self._inputs = Linear.load(arrays, tensors, ["inputs"], [RES])
        self._recurrent = [Recurrent(arrays, tensors, f"recurrent.{i}") for i in range(config.depth)]
        self._mlps = [
            GatedMLP(arrays, tensors, f"mlps.{i}") for i in range(config.depth if config.hidden else 0)
        ]
        self._head = Linear.load(arrays, tensors, ["head"], [LOGIT])
        self._softmax = Softmax(arrays, tensors)

    def logits(self, rows: NumpyArray, states: list[Array]) -> Array:
        """rows intp [G + 1, T, L] -> integer logits [T, L, K]; ``states`` (int32 [L, E] each) move on in place."""
        arrays = self._arrays
        _, steps, lanes = rows.shape
        placed = arrays.place(rows.reshape(len(rows), -1))
        codes = arrays.concat([table(row) for table, row in zip(self._tables, placed, strict=True)])
        x = arrays.clip_(self._inputs(arrays.float32(codes)), -RES_MAX, RES_MAX).reshape(steps, lanes, -1)
        for i, layer in enumerate(self._recurrent):
            x, states[i] = layer(x, states[i])
            if self._mlps:
                x = self._mlps[i](x)
        codes = rms_norm(arrays, x).reshape(steps * lanes, -1)
        return arrays.clip_(self._head(codes), -LOGIT_MAX, LOGIT_MAX).reshape(steps, lanes, -1)

    def frequencies(self, rows: NumpyArray, states: list[Array]) -> NumpyArray:
        """As `logits`, but the frequencies of the PMFs, uint32 [T, L, K]."""
        logits = self.logits(rows, states)
        return self._softmax(logits.reshape(-1, logits.shape[-1])).reshape(logits.shape)

    def nats(self, rows: NumpyArray, states: list[Array]) -> NumpyArray:
        """As `logits`, but in natural units: float64 [T, L, K]."""
        return self._arrays.fetch(self.logits(rows, states)).astype(np.float64) * 2.0**-LOGIT


Output = Callable[[NumpyArray, list[Array]], NumpyArray]
"""`ExactNetwork.frequencies` or `.nats`: rows [G + 1, T, L] and states -> [T, L, K]."""


class Frame:
    """What a frame of one layout carries from step to step: recurrent states, packed past, match memory."""

    def __init__(
        self, config: AutoregressiveConfig, arrays: Arrays, workers: Workers, layout: Layout
    ) -> None:
        self._ngrams, self._workers, self._layout = config.ngrams, workers, layout
        self._groups = workers.groups(layout.lanes)
        self._states = [
            [arrays.zeros_int32(group.stop - group.start, config.state) for _ in range(config.depth)]
            for group in self._groups
        ]
        self._recent = np.zeros(layout.lanes, np.uint64)
        self._match = MatchModel(layout.lanes, layout.steps)
        self._step = 0

    def forced(self, symbols: NumpyArray, output: Output) -> NumpyArray:
        """Teacher forcing: outputs [T, L, K] for symbols [T, L] given the past; then they are the past."""
        rows = self._rows(pack_history(symbols, self._recent))
        for t, column in enumerate(symbols):
            rows[-1, t] = self._match_row()
            self._advance(column)
        return self._run(rows, output)

    def steps(self, count: int, output: Output) -> Steps:
        """One by one, in decode order: yields the codec of a step's active lanes and is sent their symbols."""
        for _ in range(count):
            rows = self._rows(self._recent[None])
            rows[-1, 0] = self._match_row()
            active = self._layout.active(self._step)
            symbols = yield Categorical(PMF(self._run(rows, output)[0, :active]))
            column = np.zeros(self._layout.lanes, np.uint8)
            column[:active] = symbols
            self._advance(column)

    def _rows(self, packed: NumpyArray) -> NumpyArray:
        """Rows of the n-gram tables for the packed past [T, L], and room for the match: intp [G + 1, T, L]."""
        rows = np.empty((len(self._ngrams) + 1, *packed.shape), np.intp)
        for row, (order, bits) in zip(rows, self._ngrams, strict=False):
            row[:] = ngram_rows(packed, order, bits)
        return rows

    def _match_row(self) -> NumpyArray:
        expected, length = self._match.predict()
        return expected * MATCH_LENGTHS + length

    def _run(self, rows: NumpyArray, output: Output) -> NumpyArray:
        parts = self._workers.map(
            lambda i: output(rows[:, :, self._groups[i]], self._states[i]), self._groups
        )
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _advance(self, column: NumpyArray) -> None:
        self._recent = push_symbol(self._recent, column)
        self._match.update(column, self._recent)
        self._step += 1


class Autoregressive:
    """The family as a `compressor.model.Model`; its nll is the code length but for the rounding of the PMFs."""

    def __init__(
        self,
        identity: Identity,
        config: AutoregressiveConfig,
        tensors: Tensors,
        arrays: Arrays,
        workers: Workers,
    ) -> None:
        self.name, self.medium, self.fingerprint = identity.name, identity.medium, identity.fingerprint
        self.alphabet = config.alphabet
        self._config, self._arrays, self._workers = config, arrays, workers
        self._network = ExactNetwork(config, tensors, arrays)

    def plan(self, count: int) -> Plan:
        """(lanes, steps of a segment).

        A step takes the decoder nearly the same time however few lanes share it, while a cold start costs a lane
        about two bytes. So lanes grow with about the square root of the count: 1 below 1.3 KB, 12 for 10 KB, 130 for
        1 MB.
        """
        lanes = max(1, min(_MOST_LANES, count // 640, round(12 * (count / 10240) ** 0.52)))
        return lanes, max(1, min(_SEGMENT // lanes, -(-count // lanes)))

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        """Symbols coded in each segment. Raises CorruptError for a plan that cannot be."""
        if count == 0:
            return []
        layout = Layout.of(count, plan)
        return [layout.size(*segment) for segment in layout.segments()]

    def encode(self, symbols: NumpyArray, plan: Plan) -> Iterator[Stack]:
        """One stack for each segment of symbols [count]."""
        for parts in self._teacher_forced(symbols, plan, self._network.frequencies):
            stack = Stack()
            for values, frequencies in reversed(list(parts)):
                stack.push(values, PMF(frequencies))
            yield stack

    def decode(self, stacks: Iterator[Stack], count: int, plan: Plan) -> NumpyArray:
        """The symbols, uint8 [count]. Raises CorruptError if a stack is not empty after its segment."""
        if count == 0:
            return np.zeros(0, np.uint8)
        layout, frame = Layout.of(count, plan), self.frame(count, plan)
        grid = np.zeros((layout.steps, layout.lanes), np.uint8)
        for (start, stop), stack in zip(layout.segments(), stacks, strict=True):
            for t, values in enumerate(self.serial(frame, stop - start).pop(stack), start):
                grid[t, : len(values)] = values
            if not stack.is_empty():
                raise CorruptError(f"bits are left over after step {stop} of a frame; the file is damaged")
        return layout.from_grid(grid)

    def nll(self, symbols: NumpyArray, plan: Plan) -> float:
        """-log2 p(symbols) in float64 from the model's logits: what PMFs of infinite precision would cost."""
        total = 0.0
        for parts in self._teacher_forced(symbols, plan, self._network.nats):
            for values, nats in parts:
                nats -= nats.max(axis=1, keepdims=True)
                log_z = np.log(np.exp(nats).sum(axis=1))
                total += float((log_z - nats[np.arange(len(values)), values]).sum())
        return total / math.log(2)

    def frame(self, count: int, plan: Plan) -> Frame:
        """A frame before its first step. Raises CorruptError for a plan that cannot be."""
        return Frame(self._config, self._arrays, self._workers, Layout.of(count, plan))

    def serial(self, frame: Frame, steps: int) -> Serial:
        """The codec of the next steps of a frame, written once in decode order."""
        return Serial(lambda: frame.steps(steps, self._network.frequencies))

    def _teacher_forced(
        self, symbols: NumpyArray, plan: Plan, output: Output
    ) -> Iterator[Iterator[tuple[NumpyArray, NumpyArray]]]:
        """For each segment, its parts in order: symbols [N] and outputs [N, K]."""
        if not len(symbols):
            return
        layout, frame = Layout.of(len(symbols), plan), self.frame(len(symbols), plan)
        grid, at_once = layout.to_grid(symbols), max(1, _AT_ONCE // layout.lanes)

        def part(start: int, stop: int) -> tuple[NumpyArray, NumpyArray]:
            size, values = layout.size(start, stop), grid[start:stop]
            outputs = frame.forced(values, output)
            return values.reshape(-1)[:size], outputs.reshape(-1, self.alphabet)[:size]

        for start, stop in layout.segments():
            yield (part(t, min(t + at_once, stop)) for t in range(start, stop, at_once))


def load(
    identity: Identity, model: dict[str, Any], tensors: Tensors, arrays: Arrays, workers: Workers
) -> Autoregressive:
    """The model of a checkpoint."""
    return Autoregressive(identity, AutoregressiveConfig.from_json(model), tensors, arrays, workers)
