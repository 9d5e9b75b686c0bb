"""The masked transformer on the compiled core, with the integers of `masked_transformer.Transformer`, call by call.

Here weights are laid out and handed over to native/transformer.h. Whatever family has the network, a call is for a part
of the items of a batch, so that signals are looked at now and then.
"""

from __future__ import annotations

import ctypes

import numpy as np

from ..backends.base import Arrays, NumpyArray
from ..backends.batches import parts
from ..backends.native.layers import padded
from ..backends.native.masked_structures import (
    OFFSETS,
    WINDOWS,
    Ask,
    Attention,
    Cache,
    Desk,
    Masked,
    Window,
)
from ..backends.native.masked_structures import Transformer as Structure
from ..backends.native.structures import DEPTH, ROWS, Core, Mlp, address
from ..layers.attention import ATTENDED, HEAD, SCORE, checked
from ..layers.grid import ACT, LOGIT, RES, Tensors
from .masked_transformer import TransformerConfig
from .native_network import CACHE_LINE, NativeNetwork, addresses, core_for, knows, zeros
from .windows import seeing

_FINER = 2 * ACT + 3 - SCORE  # of a step of a score is a step of a product of codes
_AT_ONCE = 1 << 12  # rows of a call of the core: some 10 ms


def compiled(config: TransformerConfig, tensors: Tensors, arrays: Arrays) -> NativeTransformer | None:
    """The network for the core, or None where that is not to run, has no room for it, or does not know such tables.

    ``tensors`` are those that a network has been made of: their weights are in bounds.
    """
    variant = core_for(arrays)
    if variant is None or not _has_room(config) or not knows(config.tensors(), tensors):
        return None
    network = NativeTransformer(variant, config, tensors)
    return network if network.is_bounded else None


def _has_room(config: TransformerConfig) -> bool:
    sizes = [len(offsets) for _, offsets in config.windows]
    return config.depth <= DEPTH and len(sizes) <= WINDOWS and max(sizes) <= OFFSETS


class _KvCache:
    """What calls for the same items share: see `masked_transformer.KVCache`; here in the core's own layout.

    known, time  what it holds was computed with: bool [L], and the row of the known share
    """

    def __init__(self) -> None:
        self.known = np.zeros(0, np.bool_)
        self.time = -1
        self.structure: Cache | None = None
        self.desk: Desk | None = None
        self._kept: list[NumpyArray] = []

    def open(self, network: NativeTransformer, items: int) -> None:
        """Make room for so many items."""
        if self.structure is None:
            self.structure, kept = network.room(items)
            self.desk, other = network.desk()
            self._kept = kept + other

    def advance(self, known: NumpyArray, time: int) -> NumpyArray | None:
        """Go on to what is known now: where that is new, bool [L], or None where all is."""
        news = known != self.known if time == self.time else None
        self.known, self.time = known.copy(), time
        return news


class NativeTransformer(NativeNetwork):
    """As `masked_transformer.Transformer`."""

    stages = 1
    least = 8

    def __init__(self, variant: Core, config: TransformerConfig, tensors: Tensors) -> None:
        c = self.config = config
        self.size, self.alphabet, self.base, self.cache_bytes = c.length, c.alphabet, c.alphabet, 8 * c.width
        super().__init__(variant, tensors)
        self._run, self.structure = Masked.of(variant).transformer, Structure()
        self._fill_sizes()
        self._fill_tables()
        self._fill_layers()

    def new_cache(self) -> _KvCache:
        """A KV cache of nothing yet."""
        return _KvCache()

    def frequencies(
        self,
        values: NumpyArray,
        known: NumpyArray,
        stage: int,
        wanted: NumpyArray,
        cache: _KvCache | None = None,
    ) -> NumpyArray:
        """See `masked.MaskedNet`."""
        c, found = self.config, np.empty((len(values), len(wanted), self.base), np.uint32)
        cache = cache or _KvCache()
        cache.open(self, len(values))
        time = int(known.sum()) * c.times // c.length
        news = cache.advance(known, time)
        stale = np.arange(c.length) if news is None else seeing(news, c.windows)
        given = [
            *(
                None if array is None else np.ascontiguousarray(array, np.uint8)
                for array in (values, known, news)
            ),
            *(np.ascontiguousarray(array, np.int64) for array in (stale, wanted)),
        ]
        where = [None if array is None else address(array) for array in given]
        rows = max(len(stale), len(wanted), c.length if c.depth > 1 else 0)
        for part in parts(len(values), _AT_ONCE // rows):
            last = min(part.stop, len(values))
            ask = Ask(part.start, last, time, *where, len(stale), len(wanted), address(found))
            self._run(self.structure, cache.structure, cache.desk, ask)
        return found

    def room(self, items: int) -> tuple[Cache, list[NumpyArray]]:
        """Room for the KV cache of so many items, and what keeps it."""
        c, length = self.config, padded(self.config.length)
        codes = np.zeros((items, c.length, self.structure.told), np.uint8)
        residual = np.zeros((c.length if c.depth > 1 else 0, padded(c.width)), np.int16)
        key, value = np.zeros((2, items, c.heads, length, HEAD // 2), np.uint32)
        arrays = [codes, residual, key, value]
        return Cache(0, *map(address, arrays)), arrays

    def desk(self) -> tuple[Desk, list[NumpyArray]]:
        """Room for a thread, and what keeps it."""
        c, s, length = self.config, self.structure, padded(self.config.length)
        outputs = [s.inputs.outputs, s.head.outputs]
        for i in range(c.depth):
            layers = s.attention[i].query, s.attention[i].keys_values, s.attention[i].out, s.mlp[i].inputs
            outputs += [each.outputs for each in layers]
        codes = {"symbols": c.length + 2 * s.reach, "codes": ROWS * s.stride + CACHE_LINE}
        numbers = {"query": ROWS * c.heads * HEAD, "weight": ROWS * length}
        sums = {"residual": padded(c.width), "sums": max(outputs), "score": max(length, HEAD)}
        arrays = zeros(codes, np.uint8) | zeros(numbers, np.int16) | zeros({"seeing": c.length}, np.uint64)
        arrays |= zeros({name: ROWS * size for name, size in sums.items()}, np.int32)
        deep, kept = self.room(1 if c.depth > 1 else 0)
        return Desk(**addresses(arrays), deep=deep), [*arrays.values(), *kept]

    def _fill_sizes(self) -> None:
        c, s = self.config, self.structure
        s.alphabet, s.length, s.width, s.depth = c.alphabet, c.length, c.width, c.depth
        s.heads, s.hidden, s.embed, s.windows = c.heads, c.hidden, c.embed, len(c.windows)
        s.reach = max(abs(offset) for _, offsets in c.windows for offset in offsets)
        s.told = padded(c.input_codes)
        s.stride = padded(max(s.told, padded(c.width) + s.told, c.heads * HEAD, c.hidden), CACHE_LINE)

    def _fill_tables(self) -> None:
        c, s, tensors = self.config, self.structure, self.tensors
        for i, (bits, offsets) in enumerate(c.windows):
            table = self.keep(tensors[f"windows.{i}.table"], np.int8)
            s.window[i] = Window(bits, len(offsets), (ctypes.c_int64 * OFFSETS)(*offsets), table)
        s.place, s.time = (self.keep(tensors[f"{name}.table"], np.int8) for name in ("place", "time"))
        weight, exp = tensors["attention.exp"], tensors["exp"]
        s.weight, s.weight_last = self.keep(weight, np.int32), len(weight) - 1
        s.exp, s.exp_last = self.keep(exp, np.int32), len(exp) - 1

    def _fill_layers(self) -> None:
        s, tensors = self.structure, self.tensors
        s.inputs, s.head = self.linear(["inputs"], RES), self.linear(["head"], LOGIT)
        for i in range(self.config.depth):
            name = f"attention.{i}"
            position = tensors[f"{name}.position"]
            checked(position, tensors["attention.exp"], self.config.length)
            finer = (position.astype(np.int32) << _FINER) + (1 << _FINER - 1)
            s.attention[i] = Attention(
                self.linear([f"{name}.query"], ACT),
                self.linear([f"{name}.key", f"{name}.value"], ACT),
                # What is attended has a finer step than other codes.
                self.linear([f"{name}.out"], RES + ACT - ATTENDED),
                self.keep(finer, np.int32),
            )
            name = f"mlps.{i}"
            s.mlp[i] = Mlp(
                self.linear([f"{name}.gate", f"{name}.up"], ACT), self.linear([f"{name}.out"], RES)
            )
