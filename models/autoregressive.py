"""The autoregressive model: p(x) = prod_t p(x_t | x_<t), a gated linear recurrence over lanes.

    contexts -> embeddings -> Linear -> [Recurrent (-> GatedMLP)] x depth -> rms_norm -> Linear -> Softmax -> Mixer

A frame of n symbols is cut into L lanes of ceil(n / L) or floor(n / L) consecutive symbols, which are the batch of the
network: step t codes the t-th symbol of every lane. Lanes start cold but share one match memory (``contexts``). The
state runs through the frame; each segment of S steps has a stack of its own. The plan is (L, S).

Encoding knows all symbols and evaluates many steps at once (teacher forcing); decoding takes one step at a time. The
arithmetic is exact, so both see the same PMFs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from typing import Annotated, Any

import numpy as np

from ..compressor.codec import Serial, Steps
from ..compressor.errors import CorruptError, ModelMismatchError
from ..compressor.model import Needs, Plan
from ..compressor.stack import Stack
from .arrays import Arrays, NumpyArray
from .contexts import MATCH_LENGTHS, MatchModel, ngram_rows, pack_history, push_symbol
from .grid import Tensors
from .identity import Identity
from .lanes import Layout
from .mixture.config import MixingConfig, check_mixing
from .mixture.decisions import PROBABILITY, assembled, binary_pmf, coded, forced
from .mixture.mixing import Mixer, summed
from .recurrent import AutoregressiveConfig, ExactNetwork
from .schema import Declared, ranged, typed
from .workers import LEAST_LANES, Workers

_MOST_LANES = 1024  # that a plan made here asks for
_SEGMENT = 1 << 16  # symbols of a segment
_DRAWN, _DRAWN_TOGETHER = 256, 16  # symbols of a text that is drawn, texts of a frame
_Lanes = Annotated[int, ranged(1, 1 << 16)]
_LANES = 24  # for 10 KB, where the checkpoint has no number of its own
_LEAST_WORK = 87_000_000  # multiplications of a thread: with fewer, handing over costs more than is saved
_BEGIN = 16  # work of a frame before its first step
_ARRAY = 160  # bytes of a small array, and of what holds it
_AT_ONCE = 1 << 11  # symbols that teacher forcing evaluates at once: they stay in the processor's cache


class Frame:
    """What a frame carries from step to step: recurrent states, packed past, match memory, adaptive mixture."""

    def __init__(self, model: Autoregressive, layout: Layout, at_once: int = 1) -> None:
        """``at_once`` steps are evaluated together, which makes work for more threads."""
        self._network, self._workers, self._layout = model.network, model.workers, layout
        self._ngrams, self._alphabet = model.config.ngrams, model.alphabet
        least = _LEAST_WORK // (model.config.multiplications * at_once)
        self._groups = model.workers.groups(layout.lanes, max(LEAST_LANES, least))
        self._states = [model.network.start(group.stop - group.start) for group in self._groups]
        self._recent = np.zeros(layout.lanes, np.uint64)
        self._match = MatchModel(layout.lanes, layout.steps)
        self._mixer = Mixer(model.mixing, model.tensors, model.alphabet, layout.lanes, layout.count)
        self._step = 0

    def forced(self, parts: Iterable[NumpyArray]) -> Iterator[list[tuple[NumpyArray, NumpyArray]]]:
        """Teacher forcing: for each part, the next symbols [T, L], bits and probabilities [A] of all its decisions.

        The network is evaluated one part ahead of the mixture, which is no work for more than one thread.
        """
        for part in self._workers.ahead(map(self._evaluated, parts)):
            decided: list[tuple[NumpyArray, NumpyArray]] = []
            for column, below, past, lengths in zip(*part, strict=True):
                active = slice(self._layout.active(self._step))
                decisions = self._mixer.symbols(below[active], past[active], lengths[active])
                decided += forced(decisions, column[active], self._mixer.decisions_per_symbol)
                self._advance(column)
            yield decided

    def _evaluated(self, symbols: NumpyArray) -> tuple[NumpyArray, ...]:
        """The next symbols [T, L], and what the mixture needs for them: network, packed past, match lengths."""
        packed, matched = pack_history(symbols, self._recent), np.empty(symbols.shape, np.intp)
        rows = self._rows(packed)
        for t, column in enumerate(symbols):
            rows[-1, t], matched[t] = self._matches()
            self._remember(column)
        return symbols, self._run(rows), packed, matched

    def steps(self, count: int) -> Steps:
        """One by one, in decode order: yields the codec of each decision and is sent its bits [A]."""
        for _ in range(count):
            rows, active = self._rows(self._recent[None]), slice(self._layout.active(self._step))
            rows[-1, 0], lengths = self._matches()
            below = self._run(rows)[0, active]
            symbols = yield from coded(self._mixer.symbols(below, self._recent[active], lengths[active]))
            if int(symbols.max()) >= self._alphabet:
                raise CorruptError("a symbol outside the alphabet was decoded; the file is damaged")
            column = np.zeros(self._layout.lanes, np.uint8)
            column[active] = symbols
            self._remember(column)
            self._advance(column)

    def _rows(self, packed: NumpyArray) -> NumpyArray:
        """Rows of the n-gram tables for the packed past [T, L], and room for the match: intp [G + 1, T, L]."""
        rows = np.empty((len(self._ngrams) + 1, *packed.shape), np.intp)
        for row, (order, bits) in zip(rows, self._ngrams, strict=False):
            row[:] = ngram_rows(packed, order, bits)
        return rows

    def _matches(self) -> tuple[NumpyArray, NumpyArray]:
        """Rows of the match table [L] and match lengths [L] for the next step."""
        expected, lengths = self._match.predict()
        return expected * MATCH_LENGTHS + lengths, lengths

    def _run(self, rows: NumpyArray) -> NumpyArray:
        """Frequencies of the network, summed as the mixture wants them: int32 [T, L, 2**depth + 1]."""
        network, groups, states = self._network, self._groups, self._states
        parts = self._workers.map(
            lambda i: summed(network.frequencies(rows[:, :, groups[i]], states[i])), groups
        )
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _remember(self, column: NumpyArray) -> None:
        self._recent = push_symbol(self._recent, column)
        self._match.update(column, self._recent)

    def _advance(self, column: NumpyArray) -> None:
        self._mixer.advance(column)
        self._step += 1


class Autoregressive:
    """The family as a `compressor.model.Model`. Its nll is that of the mixture, in the mixture's 16 bits."""

    shape: tuple[int, ...] = ()
    budgets: tuple[int, ...] = ()

    def __init__(
        self,
        identity: Identity,
        config: AutoregressiveConfig,
        mixing: MixingConfig,
        tensors: Tensors,
        arrays: Arrays,
        workers: Workers,
        lanes: int = _LANES,
    ) -> None:
        """``lanes`` are those of a plan for 10 KB, but for the least length of a lane."""
        check_mixing(tensors)
        self.name, self.medium, self.fingerprint = identity.name, identity.medium, identity.fingerprint
        self.alphabet = config.alphabet
        self.config, self.mixing, self.tensors, self.workers = config, mixing, tensors, workers
        self.network = ExactNetwork(config, tensors, arrays)
        self._lanes = lanes

    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> Plan:
        """(lanes, steps of a segment). Raises ModelMismatchError for a budget of ``steps``: there is none to choose.

        A step takes the decoder nearly the same time however few lanes share it, while a cold start costs a lane
        about four bytes. So lanes grow with the count, but slower: from 24 for 10 KB to 512 for 1 MB, or more where the
        weights say that speed matters more, but none of fewer than 320 symbols. ``shape`` says nothing about a run of
        symbols.
        """
        if steps is not None:
            raise ModelMismatchError(f"{self.name} codes symbol by symbol; it has no budgets of steps")
        lanes = max(1, min(_MOST_LANES, count // 320, round(self._lanes * (count / 10240) ** 0.668)))
        return lanes, max(1, min(_SEGMENT // lanes, -(-count // lanes)))

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        """Symbols coded in each segment. Raises CorruptError for a plan that cannot be."""
        if count == 0:
            return []
        layout = Layout.of(count, plan)
        return [layout.size(*segment) for segment in layout.segments()]

    def needs(self, count: int, plan: Plan) -> Needs:
        """See `compressor.model.Model`. A step is half a unit of work, and one more for each 2**18 multiplications that
        the network takes for a symbol; 96 lanes are as much again."""
        if count == 0:
            return Needs(0, 0)
        layout, depth = Layout.of(count, plan), (self.alphabet - 1).bit_length()
        step = (1 << 17) + self.config.multiplications * (96 + layout.lanes) // 96
        work = layout.steps * step >> 18
        # A decision is kept as an array until its segment is done; a step has some arrays of all logits.
        kept = layout.segment * depth * (_ARRAY + 4 * layout.lanes)
        logits = layout.lanes * (32 << depth)
        tables = Mixer.bytes_for(self.mixing, count) + MatchModel.bytes_for(layout.lanes, layout.steps)
        return Needs(_BEGIN + work, tables + kept + logits + 3 * count)

    def encode(self, symbols: NumpyArray, plan: Plan) -> Iterator[Stack]:
        """One stack for each segment of symbols [count]."""
        for bits, chances in self._teacher_forced(symbols, plan):
            stack = Stack()
            stack.push(bits, binary_pmf(chances))
            yield stack

    def decode(self, stacks: Iterator[Stack], count: int, plan: Plan) -> NumpyArray:
        """The symbols, uint8 [count]. Raises CorruptError if a stack is not empty after its segment."""
        if count == 0:
            return np.zeros(0, np.uint8)
        layout, frame = Layout.of(count, plan), self.frame(count, plan)
        grid = np.zeros((layout.steps, layout.lanes), np.uint8)
        for (start, stop), stack in zip(layout.segments(), stacks, strict=True):
            with self.workers.one_blas_thread():
                bits = self.serial(frame, stop - start).pop(stack)
            for t, symbols in enumerate(assembled(bits, (self.alphabet - 1).bit_length()), start):
                grid[t, : len(symbols)] = symbols
            if not stack.is_empty():
                raise CorruptError(f"bits are left over after step {stop} of a frame; the file is damaged")
        return layout.from_grid(grid)

    def nll(self, symbols: NumpyArray, plan: Plan) -> float:
        """-log2 p(symbols), in bits."""
        total = 0.0
        for bits, chances in self._teacher_forced(symbols, plan):
            likely = np.where(bits == 1, chances, (1 << PROBABILITY) - chances)
            total += float((PROBABILITY - np.log2(likely)).sum())
        return total

    def draw(self, items: int, steps: int | None, random: np.random.RandomState) -> NumpyArray:
        """Texts of 256 symbols, uint8 [items, 256]: what random bits decode to. Raises ModelMismatchError as `plan`.

        A few texts are a frame: they share what the mixture has learnt.
        """
        self.plan(1, steps)
        starts = range(0, items, _DRAWN_TOGETHER)
        parts = [self._drawn(min(_DRAWN_TOGETHER, items - start), random) for start in starts]
        return np.concatenate([np.empty((0, _DRAWN), np.uint8), *parts])

    def _drawn(self, lanes: int, random: np.random.RandomState) -> NumpyArray:
        """A frame of random texts, uint8 [lanes, 256]."""
        depth, count = (self.alphabet - 1).bit_length(), lanes * _DRAWN
        while True:
            # A decision takes no more than its precision. A few frames have a symbol outside the alphabet.
            stack = Stack.from_bytes(random.bytes(count * depth * PROBABILITY // 8 + 16) + b"\1")
            with suppress(CorruptError):
                bits = self.serial(self.frame(count, (lanes, _DRAWN)), _DRAWN).pop(stack)
                return np.stack(list(assembled(bits, depth)), axis=1)

    def frame(self, count: int, plan: Plan, at_once: int = 1) -> Frame:
        """A frame before its first step. Raises CorruptError for a plan that cannot be."""
        return Frame(self, Layout.of(count, plan), at_once)

    def serial(self, frame: Frame, steps: int) -> Serial:
        """The codec of the next steps of a frame, written once in decode order."""
        return Serial(lambda: frame.steps(steps))

    def _teacher_forced(self, symbols: NumpyArray, plan: Plan) -> Iterator[tuple[NumpyArray, NumpyArray]]:
        """For each segment: all its bits, and their probabilities of being 1, in coding order: [N], [N].

        Raises ValueError for a symbol outside the alphabet, whose bits would be another's.
        """
        if not len(symbols):
            return
        if int(symbols.max()) >= self.alphabet:
            raise ValueError(f"symbol {symbols.max()} is outside the alphabet 0..{self.alphabet - 1}")
        layout = Layout.of(len(symbols), plan)
        grid, at_once = layout.to_grid(symbols), max(1, _AT_ONCE // layout.lanes)
        frame = self.frame(len(symbols), plan, at_once)
        cuts = [
            (t, min(t + at_once, stop), stop)
            for start, stop in layout.segments()
            for t in range(start, stop, at_once)
        ]
        decided = frame.forced(grid[start:stop] for start, stop, _ in cuts)
        for _, segment in groupby(zip(cuts, decided, strict=True), key=lambda item: item[0][-1]):
            bits, chances = zip(*(decision for _, part in segment for decision in part), strict=True)
            yield np.concatenate(bits), np.concatenate(chances)


def _configured(config: dict[str, Any]) -> tuple[AutoregressiveConfig, MixingConfig, int]:
    """Network, mixture and lanes of a configuration. Raises ValueError that names what is wrong with it."""
    model, coding = config["model"], config.get("coding", {})
    network, mixing = AutoregressiveConfig.from_json(model), MixingConfig.from_json(coding)
    return network, mixing, typed(_Lanes, coding.get("lanes", _LANES), "coding.lanes")


def tensors(config: dict[str, Any], names: Collection[str]) -> Declared:
    """What `load` takes; see `registry.Family`."""
    network, mixing, _ = _configured(config)
    return network.tensors() | mixing.tensors()


def load(
    identity: Identity, config: dict[str, Any], tensors: Tensors, arrays: Arrays, workers: Workers
) -> Autoregressive:
    """The model of a checkpoint's configuration (its tables ``model`` and ``coding``) and arrays."""
    network, mixing, lanes = _configured(config)
    return Autoregressive(identity, network, mixing, tensors, arrays, workers, lanes)
