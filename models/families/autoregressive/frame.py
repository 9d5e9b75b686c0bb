"""What a frame carries from step to step, and its segments as codecs: teacher forcing, or one step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from ....compressor.coding.codec import Codec, Serial, Steps
from ....compressor.coding.ledger import SymbolStack
from ....compressor.coding.pmf import PMF
from ....compressor.errors import CorruptError
from ...backends.base import NumpyArray
from ...backends.workers import LEAST_LANES, Workers
from ...mixing.contexts import MatchModel, Past, pack_history, push_symbol
from ...networks.causal import CausalNet
from ..lanes import Layout, parts_of
from .predictors import Codecs, Predictor

_LEAST_WORK = 87_000_000  # multiplications of a thread: with fewer, handing over costs more than is saved

Evaluations = Iterator[tuple[NumpyArray, NumpyArray, Past]]
"""For each part of a frame its symbols [T, L], what the network says of them for the predictor, and its past."""


class FrameState:
    """What a frame carries from step to step: states of the network, packed past, matches, predictor."""

    def __init__(
        self,
        network: CausalNet,
        predictor: Predictor,
        matching: bool,
        workers: Workers,
        layout: Layout,
        at_once: int = 1,
    ) -> None:
        """``matching`` is whether there is a match model. ``at_once`` steps are evaluated together, which makes work
        for more threads.
        """
        self._network, self._predictor, self._workers, self._layout = network, predictor, workers, layout
        self._at_once = at_once
        least = _LEAST_WORK // (network.multiplications * at_once)
        self._groups = workers.groups(layout.lanes, max(LEAST_LANES, least))
        self._states = [network.start(group.stop - group.start) for group in self._groups]
        self._recent = np.zeros(layout.lanes, np.uint64)
        self._match = MatchModel(layout.lanes, layout.steps) if matching else NoMatches(layout.lanes)
        self._step = 0

    def ahead(self, known: NumpyArray) -> Evaluations:
        """What the network makes of the symbols [count] of this frame, one part ahead of where it is asked for.

        That is work for one more thread, beside the predictor, which is work for no more than one.
        """
        return self._workers.ahead(map(self._evaluated, self._layout.parts(known, self._at_once)))

    def forced(
        self, symbols: NumpyArray, evaluations: Evaluations
    ) -> Iterator[tuple[NumpyArray, NumpyArray]]:
        """Teacher forcing: of the next symbols [T, L], rows of `pmf` and the values [A] of every digit.

        Raises ValueError if it was not them that the network was evaluated on.
        """
        for part, said, past in parts_of(symbols, evaluations):
            for t, column in enumerate(part):
                yield from self._predictor.forced(*self._seen(said, past, t), self._active(column))
                self._advance(column)

    def pmf(self, rows: NumpyArray) -> PMF:
        """The PMFs of digits from the rows that `forced` gives."""
        return self._predictor.pmf(rows)

    def pop(self, stack: SymbolStack, grid: NumpyArray) -> None:
        """The next symbols, [T, L], into ``grid``. Raises CorruptError for one outside the alphabet."""
        with self._workers.one_blas_thread():
            Serial(lambda: self.steps(grid)).pop(stack)

    def _evaluated(self, symbols: NumpyArray) -> tuple[NumpyArray, NumpyArray, Past]:
        """The next symbols [T, L], and what the predictor needs for them."""
        recent, matches = pack_history(symbols, self._recent), np.empty((2, *symbols.shape), np.intp)
        for t, column in enumerate(symbols):
            matches[:, t] = self._match.predict()
            self._remember(column)
        past = Past(recent, *matches)
        return symbols, self._run(past), past

    def steps(self, grid: NumpyArray) -> Steps:
        """One by one, in decode order: yields the codec of each digit and is sent its values [A].

        The next symbols, [T, L], are written into ``grid``; where a lane has none, 0.
        """
        for column in grid:
            expected, lengths = self._match.predict()
            past = Past(self._recent[None], expected[None], lengths[None])
            symbols = yield from self._codecs(past)
            if int(symbols.max()) >= self._network.alphabet:
                raise CorruptError("a symbol outside the alphabet was decoded; the file is damaged")
            column[:] = 0
            self._active(column)[:] = symbols
            self._remember(column)
            self._advance(column)

    def _codecs(self, past: Past) -> Codecs:
        """Those of the next step."""
        return self._predictor.codecs(*self._seen(self._run(past), past, 0))

    def _seen(self, said: NumpyArray, past: Past, t: int) -> tuple[NumpyArray, NumpyArray, NumpyArray]:
        """What the predictor sees at step t of a part, in the lanes that have a symbol."""
        return self._active(said[t]), self._active(past.recent[t]), self._active(past.lengths[t])

    def _active(self, column: NumpyArray) -> NumpyArray:
        """The lanes, out of [L, ...], that have a symbol at this step."""
        return column[: self._layout.active(self._step)]

    def _run(self, past: Past) -> NumpyArray:
        """What the network says, as the predictor wants it: [T, L, ...]."""
        network, groups, states = self._network, self._groups, self._states
        parts = self._workers.map(
            lambda i: self._predictor.prepared(network.frequencies(past.of(groups[i]), states[i])), groups
        )
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _remember(self, column: NumpyArray) -> None:
        self._recent = push_symbol(self._recent, column)
        self._match.update(column, self._recent)

    def _advance(self, column: NumpyArray) -> None:
        self._predictor.advance(column)
        self._step += 1


class NoMatches:
    """In place of a `MatchModel` of L lanes: there never is a match."""

    def __init__(self, lanes: int) -> None:
        self._none: NumpyArray = np.zeros(lanes, np.intp)

    def predict(self) -> tuple[NumpyArray, NumpyArray]:
        """See `MatchModel.predict`: zeros [L]."""
        return self._none, self._none

    def update(self, symbols: NumpyArray, recent: NumpyArray) -> None:
        """Nothing is remembered."""


class SegmentFrame(Protocol):
    """A frame as `FrameSteps` takes it: `FrameState`, or that of the compiled core."""

    def forced(self, symbols: NumpyArray, evaluations: Any) -> Iterator[tuple[NumpyArray, NumpyArray]]:
        """See `FrameState.forced`."""
        ...

    def pmf(self, rows: NumpyArray) -> PMF:
        """See `FrameState.pmf`."""
        ...

    def pop(self, stack: SymbolStack, grid: NumpyArray) -> None:
        """See `FrameState.pop`."""
        ...


class FrameSteps(Codec[NumpyArray]):
    """The next symbols of a frame, uint8 [T, L]: pushed all at once, popped step by step, with the same integers.

    Either moves the frame on, so such a codec is for one push or one pop.
    """

    def __init__(
        self,
        frame: SegmentFrame,
        shape: tuple[int, int],
        evaluations: Iterator[Any] | None = None,
    ) -> None:
        """``evaluations`` are those of the frame, see `FrameState.ahead`; a pop needs none."""
        self._frame, self._shape, self._evaluations = frame, shape, evaluations

    def push(self, stack: SymbolStack, x: NumpyArray, /) -> None:
        """Push uint8 [T, L], with the PMFs of teacher forcing. Raises ValueError as it does."""
        rows, digits = zip(*self._frame.forced(x, self._evaluations or iter(())), strict=True)
        stack.push(np.concatenate(digits), self._frame.pmf(np.concatenate(rows)))

    def pop(self, stack: SymbolStack, /) -> NumpyArray:
        """Pop uint8 [T, L]. Raises CorruptError for a symbol outside the alphabet."""
        grid: NumpyArray = np.empty(self._shape, np.uint8)
        self._frame.pop(stack, grid)
        return grid
