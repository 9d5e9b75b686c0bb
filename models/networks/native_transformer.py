"""The masked transformer on the compiled core, with the integers of `masked_transformer.Transformer`, call by call.

Here weights are laid out and handed over to native/transformer.h. Whatever family has the network, a call is for a part
of the items of a batch, so that signals are looked at now and then.
"""

from __future__ import annotations

import ctypes

import numpy as np

from ..backends.base import Arrays, NumpyArray
from ..backends.batches import parts
from ..backends.native.layers import PackedLinear, padded
from ..backends.native.library import core
from ..backends.native.structures import (
    DEPTH,
    OFFSETS,
    ROWS,
    WINDOWS,
    Ask,
    Attention,
    Cache,
    Core,
    Desk,
    Mlp,
    Window,
    address,
)
from ..backends.native.structures import Transformer as Structure
from ..backends.numpy import NumpyArrays
from ..layers.attention import ATTENDED, HEAD, SCORE, checked
from ..layers.grid import ACT, LOGIT, RES, Tensors
from .masked_transformer import TransformerConfig
from .windows import seeing

_FINER = 2 * ACT + 3 - SCORE  # of a step of a score is a step of a product of codes
_CACHE_LINE = 64
_AT_ONCE = 1 << 12  # rows of a call of the core: some 10 ms


def compiled(config: TransformerConfig, tensors: Tensors, arrays: Arrays) -> NativeTransformer | None:
    """The network for the core, or None where that is not to run, has no room for it, or does not know such tables.

    ``tensors`` are those that a network has been made of: their weights are in bounds.
    """
    variant = core() if type(arrays) is NumpyArrays else None
    if variant is None or not _has_room(config) or not _knows(config, tensors):
        return None
    network = NativeTransformer(variant, config, tensors)
    return network if network.is_bounded else None


def _has_room(config: TransformerConfig) -> bool:
    sizes = [len(offsets) for _, offsets in config.windows]
    return config.depth <= DEPTH and len(sizes) <= WINDOWS and max(sizes) <= OFFSETS


def _knows(config: TransformerConfig, tensors: Tensors) -> bool:
    """Whether arrays have the shapes and ranges by which the core stays in its memory, and its integers in range."""
    declared = config.tensors()
    if any(
        tensors[name].dtype != each.dtype or tensors[name].shape != each.shape
        for name, each in declared.items()
    ):
        return False
    exp = tensors["exp"]
    return bool(exp.min() >= 0 and exp.max() <= 1 << 20 and exp[0] > 0)


class _Memory:
    """What calls for the same items share: see `masked_transformer.Memory`; here in the core's own layout.

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
            self.structure, kept = network.cache(items)
            self.desk, other = network.desk()
            self._kept = kept + other

    def advance(self, known: NumpyArray, time: int) -> NumpyArray | None:
        """Go on to what is known now: where that is new, bool [L], or None where all is."""
        news = known != self.known if time == self.time else None
        self.known, self.time = known.copy(), time
        return news


class NativeTransformer:
    """A variant of the core and what it reads of a network: see `families.ardm.codec.MaskedNet`.

    is_bounded  whether no sum can leave int32
    """

    stages = 1
    least = 8

    def __init__(self, variant: Core, config: TransformerConfig, tensors: Tensors) -> None:
        c = self.config = config
        self.size, self.alphabet, self.base, self.kept = c.length, c.alphabet, c.alphabet, 8 * c.width
        self.core, self._tensors, self.is_bounded = variant, tensors, True
        self.structure, self._arrays = Structure(), list[NumpyArray | PackedLinear]()
        self._fill_sizes()
        self._fill_tables()
        self._fill_layers()

    def memory(self) -> _Memory:
        """A memory of nothing yet."""
        return _Memory()

    def frequencies(
        self,
        values: NumpyArray,
        known: NumpyArray,
        stage: int,
        wanted: NumpyArray,
        memory: _Memory | None = None,
    ) -> NumpyArray:
        """See `families.ardm.codec.MaskedNet`."""
        c, found = self.config, np.empty((len(values), len(wanted), self.base), np.uint32)
        memory = memory or _Memory()
        memory.open(self, len(values))
        time = int(known.sum()) * c.times // c.length
        news = memory.advance(known, time)
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
            self.core.transformer(self.structure, memory.structure, memory.desk, ask)
        return found

    def cache(self, items: int) -> tuple[Cache, list[NumpyArray]]:
        """Room for the memory of so many items, and what keeps it."""
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
        symbols = np.zeros(c.length + 2 * s.reach, np.uint8)
        new = np.zeros(c.length, np.uint64)
        codes = np.zeros(ROWS * s.stride + _CACHE_LINE, np.uint8)
        residual, sums = (np.zeros(ROWS * wide, np.int32) for wide in (padded(c.width), max(outputs)))
        score = np.zeros(ROWS * max(length, HEAD), np.int32)
        query, weight = (np.zeros(ROWS * wide, np.int16) for wide in (c.heads * HEAD, length))
        arrays = [symbols, new, codes, residual, sums, score, query, weight]
        deep, kept = self.cache(1 if c.depth > 1 else 0)
        return Desk(*map(address, arrays), deep), arrays + kept

    def _fill_sizes(self) -> None:
        c, s = self.config, self.structure
        s.alphabet, s.length, s.width, s.depth = c.alphabet, c.length, c.width, c.depth
        s.heads, s.hidden, s.embed, s.windows = c.heads, c.hidden, c.embed, len(c.windows)
        s.reach = max(abs(offset) for _, offsets in c.windows for offset in offsets)
        s.told = padded(c.told)
        s.stride = padded(max(s.told, padded(c.width) + s.told, c.heads * HEAD, c.hidden), _CACHE_LINE)

    def _fill_tables(self) -> None:
        c, s, tensors = self.config, self.structure, self._tensors
        for i, (bits, offsets) in enumerate(c.windows):
            table = self._keep(tensors[f"windows.{i}.table"], np.int8)
            s.window[i] = Window(bits, len(offsets), (ctypes.c_int64 * OFFSETS)(*offsets), table)
        s.place, s.time = (self._keep(tensors[f"{name}.table"], np.int8) for name in ("place", "time"))
        weight, exp = tensors["attention.exp"], tensors["exp"]
        s.weight, s.weight_last = self._keep(weight, np.int32), len(weight) - 1
        s.exp, s.exp_last = self._keep(exp, np.int32), len(exp) - 1

    def _fill_layers(self) -> None:
        s, tensors = self.structure, self._tensors
        s.inputs, s.head = self._linear(["inputs"], RES), self._linear(["head"], LOGIT)
        for i in range(self.config.depth):
            name = f"attention.{i}"
            position = tensors[f"{name}.position"]
            checked(position, tensors["attention.exp"], self.config.length)
            finer = (position.astype(np.int32) << _FINER) + (1 << _FINER - 1)
            s.attention[i] = Attention(
                self._linear([f"{name}.query"], ACT),
                self._linear([f"{name}.key", f"{name}.value"], ACT),
                self._linear(
                    [f"{name}.out"], RES + ACT - ATTENDED
                ),  # what is attended has a finer step than ACT
                self._keep(finer, np.int32),
            )
            name = f"mlps.{i}"
            s.mlp[i] = Mlp(
                self._linear([f"{name}.gate", f"{name}.up"], ACT), self._linear([f"{name}.out"], RES)
            )

    def _linear(self, names: list[str], bits: int) -> object:
        packed = PackedLinear.load(self.core, self._tensors, names, bits, ACT)
        self._arrays.append(packed)
        self.is_bounded &= packed.is_bounded
        return packed.structure

    def _keep(self, array: NumpyArray, dtype: type[np.generic]) -> int:
        """The address of the array, as this type, which lasts as long as this object."""
        kept = np.ascontiguousarray(array, dtype)
        self._arrays.append(kept)
        return address(kept)
