"""The autoregressive model: p(x) = prod_t p(x_t | x_<t), a gated linear recurrence over lanes.

    past -> network -> Predictor,   where the network, a `CausalNet`, is so far one, a recurrent one:
    contexts -> embeddings -> Linear -> [Recurrent (-> GatedMLP)] x depth -> rms_norm -> Linear -> Softmax

What predicts is a mixture of the network with statistics of the file (``mixing``), or the network alone; and the
network may be told what a match model expects, or not: see ``coding_config``.

A frame of n symbols is cut into L lanes of ceil(n / L) or floor(n / L) consecutive symbols, which are the batch of the
network: step t codes the t-th symbol of every lane. Lanes start cold but share one match model (``contexts``). The
state runs through the frame; each segment of S steps has a stack of its own. The plan is (L, S),
or (L, S, 131 R) where the symbols lie in records of R, which the rich mixture takes into account.

Encoding knows all symbols and evaluates many steps at once (teacher forcing); decoding takes one step at a time. The
arithmetic is exact, so both see the same PMFs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ....compressor.coding.model import Needs, Plan
from ....compressor.errors import CorruptError, ModelMismatchError
from ...backends.base import Arrays, NumpyArray
from ...backends.workers import Workers
from ...layers.grid import Tensors
from ...mixing.rich.config import RichConfig
from ...networks.causal import CausalConfig, CausalNet, causal_config, causal_net
from ...schema import Declared
from ..base import Family, Segments
from ..identity import Identity
from ..lanes import Layout
from .coding_config import CodingConfig
from .frame import FrameState, FrameSteps
from .native_frame import NativeFrame
from .native_model import NativeModel, compiled
from .predictors import predictor

MAX_RECORD = 1 << 12  # symbols of a record
RECORD_CODE = 131  # a plan has a record times this prime: no single byte of the product may change unnoticed
_MOST_LANES = 1024  # that a plan made here asks for
_SEGMENT = 1 << 16  # symbols of a segment
_SAMPLE, _SAMPLES_TOGETHER = 256, 16  # symbols of a sample, samples of a frame
_BEGIN = 16  # work of a frame before its first step
_ARRAY = 160  # bytes of a small array, and of what holds it
_AT_ONCE = 1 << 11  # symbols that teacher forcing evaluates at once: they stay in the processor's cache


class Autoregressive(Family):
    """The family as a `compressor.model.Model`. Its nll is that of its PMFs: of a mixture in 16 bits, or in 24 bits."""

    def __init__(
        self,
        identity: Identity,
        network: CausalNet,
        coding: CodingConfig,
        tensors: Tensors,
        workers: Workers,
        native: NativeModel | None = None,
    ) -> None:
        """``tensors`` are those of the mixture, if there is one. ``native`` is network and mixture for the compiled
        core, if that is to run. Raises ValueError for tables that no mixture has, and for an alphabet of more than 256.
        """
        if coding.mixing:
            coding.mixing.check(tensors)
        if network.alphabet > 256:
            raise ValueError(
                f"an alphabet of {network.alphabet}: the past is packed as bytes, so 256 is the most"
            )
        super().__init__(identity)
        self.alphabet, self.symbol_bits = network.alphabet, coding.symbol_bits(network.alphabet)
        self.network, self.coding, self.tensors, self.workers = network, coding, tensors, workers
        self.native = native

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
        lanes = max(1, min(_MOST_LANES, count // 320, round(self.coding.lanes * (count / 10240) ** 0.668)))
        segment = max(1, min(_SEGMENT // lanes, -(-count // lanes)))
        has_records = len(shape) == 2 and 2 <= shape[1] <= MAX_RECORD and self._knows_records()
        return (lanes, segment, shape[1] * RECORD_CODE) if has_records else (lanes, segment)

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        """Symbols coded in each segment. Raises CorruptError for a plan that cannot be."""
        if count == 0:
            return []
        layout, _ = self._laid(count, plan)
        return [layout.size(*segment) for segment in layout.segments()]

    def needs(self, count: int, plan: Plan) -> Needs:
        """See `compressor.model.Model`. A step is a unit of work, and one more for each 256 lanes, which the mixture
        takes, and for each 2**18 multiplications that the network takes for a symbol; 96 lanes are as much again."""
        if count == 0:
            return Needs(0, 0)
        layout, alphabet = self._laid(count, plan)[0], self.alphabet
        step = (1 << 18) + (layout.lanes << 10) + self.network.multiplications * (96 + layout.lanes) // 96
        work = layout.steps * step >> 18
        # A digit is kept as an array until its segment is done; a step has some arrays of all logits.
        kept = layout.segment * self.coding.digits(alphabet) * (_ARRAY + 4 * layout.lanes)
        logits = layout.lanes * (32 << (alphabet - 1).bit_length())
        return Needs(_BEGIN + work, self.coding.bytes_for(layout) + kept + logits + 3 * count)

    def segments(self, count: int, plan: Plan, known: NumpyArray | None = None) -> Segments:
        """Runs of steps, each of all lanes: [T, L]. Raises CorruptError for a plan that cannot be."""
        if count == 0:
            return
        layout, record = self._laid(count, plan)
        at_once = 1 if known is None else max(1, _AT_ONCE // layout.lanes)
        frame = self._native_frame(layout, at_once, record) or self.frame(layout, at_once, record)
        ahead = None if known is None else frame.ahead(known)
        for start, stop in layout.segments():
            yield layout.columns(start, stop), FrameSteps(frame, (stop - start, layout.lanes), ahead)

    def _laid(self, count: int, plan: Plan) -> tuple[Layout, int]:
        """The layout of a plan, and the symbols of a record or 0. Raises CorruptError for a plan that cannot be."""
        layout, rest = Layout.of(count, plan[:2]), plan[2:]
        if not rest:
            return layout, 0
        record, odd = divmod(rest[0], RECORD_CODE)
        if len(rest) > 1 or odd or not 2 <= record <= MAX_RECORD or not self._knows_records():
            raise CorruptError(f"a frame of {count} symbols cannot have the coding plan {plan}")
        return layout, record

    def _knows_records(self) -> bool:
        return isinstance(self.coding.mixing, RichConfig)

    def frame(self, layout: Layout, at_once: int = 1, record: int = 0) -> FrameState:
        """One before its first step, in NumPy or on the device, of symbols in records of so many, if that is not 0."""
        predicting = predictor(self.coding, self.tensors, self.alphabet, layout, record)
        return FrameState(self.network, predicting, self.coding.match, self.workers, layout, at_once)

    def _native_frame(self, layout: Layout, at_once: int, record: int) -> NativeFrame | None:
        """The same for the compiled core, where that runs."""
        return NativeFrame(self.native, self.workers, layout, at_once, record) if self.native else None

    @property
    def sample_size(self) -> int:
        """Symbols of a text."""
        return _SAMPLE

    def sample_frames(self, items: int, steps: int | None) -> Iterator[tuple[int, Plan]]:
        """A few texts are a frame: they share what the mixture has learnt."""
        for start in range(0, items, _SAMPLES_TOGETHER):
            texts = min(_SAMPLES_TOGETHER, items - start)
            yield texts * _SAMPLE, (texts, _SAMPLE)


def _configured(config: dict[str, Any]) -> tuple[CausalConfig, CodingConfig]:
    """Network and options of a configuration. Raises ValueError that names what is wrong with it."""
    return causal_config(config["model"]), CodingConfig.from_json(config.get("coding", {}))


def tensors(config: dict[str, Any], names: Collection[str]) -> Declared:
    """What `load` takes; see ``families.table``."""
    network, coding = _configured(config)
    return network.tensors() | coding.tensors()


def load(
    identity: Identity, config: dict[str, Any], tensors: Tensors, arrays: Arrays, workers: Workers
) -> Autoregressive:
    """The model of a checkpoint's configuration (its tables ``model`` and ``coding``) and arrays.

    Raises ValueError for tensors that such a model cannot have.
    """
    sizes, coding = _configured(config)
    network = causal_net(sizes, tensors, arrays)
    # The core has the mixture and the match model built in.
    native = compiled(sizes, coding.mixing, tensors, arrays) if coding.mixing and coding.match else None
    return Autoregressive(identity, network, coding, tensors, workers, native)
