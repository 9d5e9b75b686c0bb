"""The autoregressive model: p(x) = prod_t p(x_t | x_<t), a gated linear recurrence over lanes.

    past -> network -> Mixer,   where the network, a `CausalNet`, is so far one, a recurrent one:
    contexts -> embeddings -> Linear -> [Recurrent (-> GatedMLP)] x depth -> rms_norm -> Linear -> Softmax

A frame of n symbols is cut into L lanes of ceil(n / L) or floor(n / L) consecutive symbols, which are the batch of the
network: step t codes the t-th symbol of every lane. Lanes start cold but share one match memory (``contexts``). The
state runs through the frame; each segment of S steps has a stack of its own. The plan is (L, S), or (L, S, 131 R) where
the symbols lie in records of R, which the rich mixture takes into account.

Encoding knows all symbols and evaluates many steps at once (teacher forcing); decoding takes one step at a time. The
arithmetic is exact, so both see the same PMFs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Protocol

import numpy as np

from ....compressor.coding.codec import Codec, Serial, Steps
from ....compressor.coding.ledger import SymbolStack
from ....compressor.coding.model import Needs, Plan
from ....compressor.errors import CorruptError, ModelMismatchError
from ...backends.base import Arrays, NumpyArray
from ...backends.workers import LEAST_LANES, Workers
from ...layers.grid import Tensors
from ...mixing.choice import AnyConfig, mixer_bytes, mixer_of, mixing_config
from ...mixing.contexts import MatchModel, Past, pack_history, push_symbol
from ...mixing.decisions import PROBABILITY, Decisions, binary_pmf, coded, forced
from ...mixing.mixing import summed
from ...mixing.rich.config import RichConfig
from ...networks.recurrent import AutoregressiveConfig, ExactNetwork
from ...schema import Declared, ranged, typed
from ..base import Family, Segments
from ..identity import Identity
from ..lanes import Layout, parts_of
from .native_frame import NativeFrame
from .native_model import NativeModel, compiled

MAX_RECORD = 1 << 12  # symbols of a record
RECORD_CODE = (
    131  # in a plan, a record is written times this prime: no single byte of the product may change unnoticed
)
_MOST_LANES = 1024  # that a plan made here asks for
_SEGMENT = 1 << 16  # symbols of a segment
_DRAWN, _DRAWN_TOGETHER = 256, 16  # symbols of a text that is drawn, texts of a frame
_Lanes = Annotated[int, ranged(1, 1 << 16)]
_LANES = 24  # for 10 KB, where the checkpoint has no number of its own
_LEAST_WORK = 87_000_000  # multiplications of a thread: with fewer, handing over costs more than is saved
_BEGIN = 16  # work of a frame before its first step
_ARRAY = 160  # bytes of a small array, and of what holds it
_AT_ONCE = 1 << 11  # symbols that teacher forcing evaluates at once: they stay in the processor's cache


class CausalNet(Protocol):
    """A network that predicts the next symbols of lanes side by side from their past, in integer arithmetic.

    alphabet         K
    multiplications  for each symbol, in products: by them work is shared among threads
    """

    alphabet: int
    multiplications: int

    def start(self, lanes: int) -> Any:
        """The state of so many lanes before their first symbol."""
        ...

    def frequencies(self, past: Past, state: Any, /) -> NumpyArray:
        """Distributions of the next T symbols of L lanes, uint32 [T, L, K], each row summing to 2**24.

        ``state``, of these lanes, moves on in place by what ``past`` adds. The distributions of a lane are the same
        whatever lanes are beside it, and however many steps are asked for at once.
        """
        ...


Evaluations = Iterator[tuple[NumpyArray, NumpyArray, Past]]
"""For each part of a frame its symbols [T, L], sums of the network's frequencies for the mixture, and its past."""


class Frame:
    """What a frame carries from step to step: recurrent states, packed past, match memory, adaptive mixture."""

    def __init__(self, model: Autoregressive, layout: Layout, at_once: int = 1, record: int = 0) -> None:
        """``at_once`` steps are evaluated together, which makes work for more threads; ``record``: see the plan."""
        self._at_once = at_once
        self._network, self._workers, self._layout = model.network, model.workers, layout
        least = _LEAST_WORK // (model.network.multiplications * at_once)
        self._groups = model.workers.groups(layout.lanes, max(LEAST_LANES, least))
        self._states = [model.network.start(group.stop - group.start) for group in self._groups]
        self._recent = np.zeros(layout.lanes, np.uint64)
        self._match = MatchModel(layout.lanes, layout.steps)
        self._alphabet, self._depth = model.alphabet, (model.alphabet - 1).bit_length()
        self._mixer = mixer_of(
            model.mixing, model.tensors, model.alphabet, layout.lanes, layout.count, record
        )
        self._step = 0

    def ahead(self, known: NumpyArray) -> Evaluations:
        """What the network makes of the symbols [count] of this frame, one part ahead of where it is asked for.

        That is work for one more thread, beside the mixture, which is work for no more than one.
        """
        return self._workers.ahead(map(self._evaluated, self._layout.parts(known, self._at_once)))

    def forced(
        self, symbols: NumpyArray, evaluations: Evaluations
    ) -> Iterator[tuple[NumpyArray, NumpyArray]]:
        """Teacher forcing: of the next symbols [T, L], the probability and the bits [A] of every decision.

        Raises ValueError if it was not them that the network was evaluated on.
        """
        for part, below, past in parts_of(symbols, evaluations):
            for t, column in enumerate(part):
                yield from forced(self._decisions(below, past, t), self._active(column), self._depth)
                self._advance(column)

    def pop(self, stack: SymbolStack, grid: NumpyArray) -> None:
        """The next symbols, [T, L], into ``grid``. Raises CorruptError for one outside the alphabet."""
        with self._workers.one_blas_thread():
            Serial(lambda: self.steps(grid)).pop(stack)

    def _evaluated(self, symbols: NumpyArray) -> tuple[NumpyArray, NumpyArray, Past]:
        """The next symbols [T, L], and what the mixture needs for them."""
        recent, matches = pack_history(symbols, self._recent), np.empty((2, *symbols.shape), np.intp)
        for t, column in enumerate(symbols):
            matches[:, t] = self._match.predict()
            self._remember(column)
        past = Past(recent, *matches)
        return symbols, self._run(past), past

    def steps(self, grid: NumpyArray) -> Steps:
        """One by one, in decode order: yields the codec of each decision and is sent its bits [A].

        The next symbols, [T, L], are written into ``grid``; where a lane has none, 0.
        """
        for column in grid:
            expected, lengths = self._match.predict()
            past = Past(self._recent[None], expected[None], lengths[None])
            symbols = yield from coded(self._decisions(self._run(past), past, 0))
            if int(symbols.max()) >= self._alphabet:
                raise CorruptError("a symbol outside the alphabet was decoded; the file is damaged")
            column[:] = 0
            self._active(column)[:] = symbols
            self._remember(column)
            self._advance(column)

    def _decisions(self, below: NumpyArray, past: Past, t: int) -> Decisions:
        """Those of step t of a part, in the lanes that have a symbol."""
        return self._mixer.symbols(*(self._active(each[t]) for each in (below, past.recent, past.lengths)))

    def _active(self, column: NumpyArray) -> NumpyArray:
        """The lanes, out of [L, ...], that have a symbol at this step."""
        return column[: self._layout.active(self._step)]

    def _run(self, past: Past) -> NumpyArray:
        """Frequencies of the network, summed as the mixture wants them: int32 [T, L, 2**depth + 1]."""
        network, groups, states = self._network, self._groups, self._states
        parts = self._workers.map(
            lambda i: summed(network.frequencies(past.of(groups[i]), states[i])), groups
        )
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _remember(self, column: NumpyArray) -> None:
        self._recent = push_symbol(self._recent, column)
        self._match.update(column, self._recent)

    def _advance(self, column: NumpyArray) -> None:
        self._mixer.advance(column)
        self._step += 1


class FrameSteps(Codec[NumpyArray]):
    """The next symbols of a frame, uint8 [T, L]: pushed all at once, popped step by step, with the same integers.

    Either moves the frame on, so such a codec is for one push or one pop.
    """

    def __init__(
        self,
        frame: Frame | NativeFrame,
        shape: tuple[int, int],
        evaluations: Iterator[Any] | None = None,
    ) -> None:
        """``evaluations`` are those of the frame, see `Frame.ahead`; a pop needs none."""
        self._frame, self._shape, self._evaluations = frame, shape, evaluations

    def push(self, stack: SymbolStack, x: NumpyArray, /) -> None:
        """Push uint8 [T, L], with the probabilities of teacher forcing. Raises ValueError as it does."""
        chances, bits = zip(*self._frame.forced(x, self._evaluations or iter(())), strict=True)
        stack.push(np.concatenate(bits), binary_pmf(np.concatenate(chances)))

    def pop(self, stack: SymbolStack, /) -> NumpyArray:
        """Pop uint8 [T, L]. Raises CorruptError for a symbol outside the alphabet."""
        grid: NumpyArray = np.empty(self._shape, np.uint8)
        self._frame.pop(stack, grid)
        return grid


class Autoregressive(Family):
    """The family as a `compressor.model.Model`. Its nll is that of the mixture, in the mixture's 16 bits."""

    def __init__(
        self,
        identity: Identity,
        network: CausalNet,
        mixing: AnyConfig,
        tensors: Tensors,
        workers: Workers,
        lanes: int = _LANES,
        native: NativeModel | None = None,
    ) -> None:
        """``tensors`` are those of the mixture. ``lanes`` are those of a plan for 10 KB, but for the least length of a
        lane. ``native`` is network and mixture for the compiled core, if that is to run.
        """
        mixing.check(tensors)
        if network.alphabet > 256:
            raise ValueError(
                f"an alphabet of {network.alphabet}: the mixture remembers symbols as bytes, so 256 is the most"
            )
        super().__init__(identity)
        self.alphabet = network.alphabet
        self.symbol_bits = (self.alphabet - 1).bit_length() * PROBABILITY
        self.network, self.mixing, self.tensors, self.workers = network, mixing, tensors, workers
        self.native, self._lanes = native, lanes

    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> Plan:
        """(lanes, steps of a segment[, 131 times the symbols of a record]).

        Raises ModelMismatchError for a budget of ``steps``: there is none to choose.

        A step takes the decoder nearly the same time however few lanes share it, while a cold start costs a lane
        about four bytes. So lanes grow with the count, but slower: from 24 for 10 KB to 512 for 1 MB, or more where the
        weights say that speed matters more, but none of fewer than 320 symbols. A ``shape`` (records, symbols of a
        record) tells the rich mixture where the symbols have such; another says nothing about a run of symbols.
        """
        if steps is not None:
            raise ModelMismatchError(f"{self.name} codes symbol by symbol; it has no budgets of steps")
        lanes = max(1, min(_MOST_LANES, count // 320, round(self._lanes * (count / 10240) ** 0.668)))
        segment = max(1, min(_SEGMENT // lanes, -(-count // lanes)))
        has_records = isinstance(self.mixing, RichConfig) and len(shape) == 2 and 2 <= shape[1] <= MAX_RECORD
        return (lanes, segment, shape[1] * RECORD_CODE) if has_records else (lanes, segment)

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        """Symbols coded in each segment. Raises CorruptError for a plan that cannot be."""
        if count == 0:
            return []
        layout, _ = self._laid(count, plan)
        return [layout.size(*segment) for segment in layout.segments()]

    def needs(self, count: int, plan: Plan) -> Needs:
        """See `compressor.model.Model`. A step is half a unit of work, and one more for each 2**18 multiplications that
        the network takes for a symbol; 96 lanes are as much again."""
        if count == 0:
            return Needs(0, 0)
        layout, depth = self._laid(count, plan)[0], (self.alphabet - 1).bit_length()
        step = (1 << 17) + self.network.multiplications * (96 + layout.lanes) // 96
        work = layout.steps * step >> 18
        # A decision is kept as an array until its segment is done; a step has some arrays of all logits.
        kept = layout.segment * depth * (_ARRAY + 4 * layout.lanes)
        logits = layout.lanes * (32 << depth)
        tables = mixer_bytes(self.mixing, count) + MatchModel.bytes_for(layout.lanes, layout.steps)
        return Needs(_BEGIN + work, tables + kept + logits + 3 * count)

    def segments(self, count: int, plan: Plan, known: NumpyArray | None = None) -> Segments:
        """Runs of steps of all lanes. Raises CorruptError for a plan that cannot be."""
        if count == 0:
            return
        layout, record = self._laid(count, plan)
        at_once = 1 if known is None else max(1, _AT_ONCE // layout.lanes)
        frame = self._frame(layout, at_once, record)
        ahead = None if known is None else frame.ahead(known)
        for start, stop in layout.segments():
            yield layout.columns(start, stop), FrameSteps(frame, (stop - start, layout.lanes), ahead)

    def _laid(self, count: int, plan: Plan) -> tuple[Layout, int]:
        """The layout of a plan, and the symbols of a record or 0. Raises CorruptError for a plan that cannot be."""
        layout, rest = Layout.of(count, plan[:2]), plan[2:]
        if not rest:
            return layout, 0
        record, odd = divmod(rest[0], RECORD_CODE)
        may = isinstance(self.mixing, RichConfig) and len(rest) == 1
        if not may or odd or not 2 <= record <= MAX_RECORD:
            raise CorruptError(f"a frame of {count} symbols cannot have the coding plan {plan}")
        return layout, record

    def _frame(self, layout: Layout, at_once: int, record: int) -> Frame | NativeFrame:
        """One before its first step, for the compiled core where that runs."""
        if self.native:
            return NativeFrame(self.native, self.workers, layout, at_once, record)
        return Frame(self, layout, at_once, record)

    @property
    def sample_size(self) -> int:
        """Symbols of a text."""
        return _DRAWN

    def sample_frames(self, items: int, steps: int | None) -> Iterator[tuple[int, Plan]]:
        """A few texts are a frame: they share what the mixture has learnt."""
        for start in range(0, items, _DRAWN_TOGETHER):
            texts = min(_DRAWN_TOGETHER, items - start)
            yield texts * _DRAWN, (texts, _DRAWN)


def _configured(config: dict[str, Any]) -> tuple[AutoregressiveConfig, AnyConfig, int]:
    """Network, mixture and lanes of a configuration. Raises ValueError that names what is wrong with it."""
    model, coding = config["model"], config.get("coding", {})
    network, mixing = AutoregressiveConfig.from_json(model), mixing_config(coding)
    return network, mixing, typed(_Lanes, coding.get("lanes", _LANES), "coding.lanes")


def tensors(config: dict[str, Any], names: Collection[str]) -> Declared:
    """What `load` takes; see ``families.table``."""
    network, mixing, _ = _configured(config)
    return network.tensors() | mixing.tensors()


def load(
    identity: Identity, config: dict[str, Any], tensors: Tensors, arrays: Arrays, workers: Workers
) -> Autoregressive:
    """The model of a checkpoint's configuration (its tables ``model`` and ``coding``) and arrays."""
    sizes, mixing, lanes = _configured(config)
    network = ExactNetwork(sizes, tensors, arrays)
    native = compiled(sizes, mixing, tensors, arrays)
    return Autoregressive(identity, network, mixing, tensors, workers, lanes, native)
