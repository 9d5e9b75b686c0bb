"""A masked transformer for text, in integers, see `masked.MaskedNet`; in training it is ``qat/masked_transformer.py``.

It gives distributions of what is not known of a batch of chunks, all of which have the same positions known. What is
not known is never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from ..backends.base import Array, Arrays, NumpyArray
from ..backends.batches import parts
from ..layers.attention import HEAD, Attention, attention_entries
from ..layers.grid import (
    EXP_ENTRIES,
    LOGIT,
    LOGIT_MAX,
    RES,
    RES_MAX,
    Embedding,
    GatedMLP,
    Linear,
    Softmax,
    Tensors,
    rms_norm,
)
from ..schema import (
    Bits,
    Declared,
    Depth,
    Positive,
    Tensor,
    embedding,
    entries,
    gated_mlp,
    linear,
    ranged,
    typed,
)
from .windows import Window, seeing, table_rows, window_rows

_MOST_BIASES = (
    1 << 26
)  # of attention, in all heads of all layers: what the distance of two positions adds to a score

_Offset = Annotated[int, ranged(-255, 255)]


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes of a masked transformer over chunks of text.

    alphabet  K                     heads   of HEAD channels each      windows  (log2 of its table's rows, offsets), see
    length    L, of a chunk         hidden  of each gated MLP                   ``windows``
    width     D, residual stream    embed   of place and known share   times    how finely the known share is told
    """

    alphabet: Annotated[int, ranged(2, 254)]  # a byte also says that a symbol is unknown, or beyond the ends
    length: Positive
    width: Positive
    depth: Depth
    heads: Positive
    hidden: Positive
    embed: Positive
    times: Positive
    windows: Annotated[
        tuple[tuple[Bits, Annotated[tuple[_Offset, ...], entries(8, least=1)]], ...], entries(64, least=1)
    ]

    def __post_init__(self) -> None:
        """Raises ValueError for more attention than there is room for."""
        if self.depth * self.heads * self.length**2 > _MOST_BIASES:
            raise ValueError(
                f"attention of {self.heads} heads over {self.length} positions takes too much memory"
            )

    @property
    def stages(self) -> int:
        """Digits of a symbol."""
        return 1

    @property
    def size(self) -> int:
        """Dimensions of a chunk."""
        return self.length

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a chunk."""
        return (self.length,)

    @property
    def input_codes(self) -> int:
        """Codes that a position is told: of its windows, its place, the known share."""
        return self.alphabet * len(self.windows) + 2 * self.embed

    @staticmethod
    def from_json(table: dict[str, Any]) -> TransformerConfig:
        """The table ``model`` of a recipe or a checkpoint, of which ``network`` is not the network's.

        Raises ValueError for fields that are not as above.
        """
        own = {key: value for key, value in table.items() if key != "network"}
        return typed(TransformerConfig, own, "model")

    def tensors(self) -> Declared:
        """What the network loads."""
        inner = self.heads * HEAD
        found = {"exp": Tensor("int32", (EXP_ENTRIES,))}
        found["attention.exp"] = Tensor("int16", (attention_entries(self.length),))
        for i, window in enumerate(self.windows):
            found |= embedding(f"windows.{i}", table_rows(window, self.alphabet), self.alphabet)
        found |= embedding("place", self.length, self.embed) | embedding("time", self.times, self.embed)
        found |= linear("inputs", self.input_codes, self.width)
        for i in range(self.depth):
            name = f"attention.{i}"
            for part in ("query", "key", "value"):
                found |= linear(f"{name}.{part}", self.width, inner)
            found |= linear(f"{name}.out", inner, self.width)
            found[f"{name}.position"] = Tensor("int16", (self.heads, 2 * self.length - 1))
            found |= gated_mlp(f"mlps.{i}", self.width, self.hidden)
        return found | linear("head", self.width + self.alphabet * len(self.windows), self.alphabet)


class KVCache:
    """What calls for the same chunks share: keys and values of the first layer, in which a position depends on those in
    its windows alone.

    key, value  codes [B, heads, L, HEAD], once there are any
    known       bool [L], and the row of the known share: what they were computed with
    """

    def __init__(self) -> None:
        self.key: Array = None
        self.value: Array = None
        self.known = np.zeros(0, np.bool_)
        self.time = -1

    def advance(self, known: NumpyArray, time: int, windows: tuple[Window, ...]) -> NumpyArray:
        """Go on to what is known now: the positions that see something new, intp [n], to be computed anew."""
        same = time == self.time  # which every position is told
        found = seeing(known != self.known, windows) if same else np.arange(len(known))
        self.known, self.time = known.copy(), time
        return found


class Transformer:
    """Chunks of symbols: embeddings of windows -> [Attention -> GatedMLP] x depth -> Softmax.

    The head sees the embeddings beside what the layers make of them. What only some positions are wanted for, the last
    layer but its keys and values, is computed for these alone. With a cache, keys and values of the first layer are
    computed only where something new is seen: everywhere, if the row of the known share is another. So in one layer
    that is not told the known share (one row), a call for each symbol costs little more than what is new in it.
    """

    stages = 1
    least = 8

    def __init__(self, config: TransformerConfig, tensors: Tensors, arrays: Arrays) -> None:
        c = self.config = config
        self.size, self.alphabet, self.base, self._arrays = c.length, c.alphabet, c.alphabet, arrays
        self.cache_bytes = 8 * c.width
        names = [*(f"windows.{i}" for i in range(len(c.windows))), "place", "time"]
        self._tables = [Embedding(arrays, tensors, name) for name in names]
        self._inputs = Linear.load(arrays, tensors, ["inputs"], [RES])
        self._attention = [Attention(arrays, tensors, f"attention.{i}", c.length) for i in range(c.depth)]
        self._mlps = [GatedMLP(arrays, tensors, f"mlps.{i}") for i in range(c.depth)]
        self._head = Linear.load(arrays, tensors, ["head"], [LOGIT])
        self._softmax = Softmax(arrays, tensors)

    def new_cache(self) -> KVCache:
        """A cache with nothing in it yet."""
        return KVCache()

    def frequencies(
        self,
        values: NumpyArray,
        known: NumpyArray,
        stage: int,
        wanted: NumpyArray,
        cache: KVCache | None = None,
    ) -> NumpyArray:
        """See `masked.MaskedNet`."""
        c, found = self.config, np.empty((len(values), len(wanted), self.base), np.uint32)
        symbols = np.where(known, values, np.uint8(c.alphabet))
        cache = self._opened(cache or KVCache(), len(values))
        stale = cache.advance(known, int(known.sum()) * c.times // c.length, c.windows)
        asked = len(wanted) if c.depth == 1 else c.length  # positions, of the first layer
        # Numbers of an item in one array.
        each = max(len(stale) * c.input_codes, asked * max(2 * c.hidden, c.heads * c.length))
        for part in parts(len(values), self._arrays.at_once // each):
            self._renew(cache, part, symbols[part], stale)
            logits = self._logits(cache, part, symbols[part], wanted)
            found[part] = self._softmax(logits).reshape(-1, *found.shape[1:])
        return found

    def _opened(self, cache: KVCache, items: int) -> KVCache:
        """With room for so many items."""
        if cache.key is None:
            cache.key, cache.value = (self._attention[0].room(items) for _ in range(2))
        return cache

    def _renew(self, cache: KVCache, part: slice, symbols: NumpyArray, stale: NumpyArray) -> None:
        """Compute keys and values of stale positions for a part of the items."""
        if len(stale):
            x = self._residual(self._codes(symbols, stale, cache.time), len(symbols))
            key, value, at = *self._attention[0].keys_values(x), self._arrays.place(stale)
            cache.key[part][:, :, at], cache.value[part][:, :, at] = key, value

    def _logits(self, cache: KVCache, part: slice, symbols: NumpyArray, wanted: NumpyArray) -> Array:
        """Symbols and masks [B, L] of a part of the items -> float32 [B * Q, K]."""
        c, arrays, batch, at = self.config, self._arrays, len(symbols), self._arrays.place(wanted)
        shallow = c.depth == 1
        codes = self._codes(symbols, wanted if shallow else np.arange(c.length), cache.time)
        x = self._residual(codes, batch)
        x = self._attention[0].ask(x, cache.key[part], cache.value[part], at if shallow else None)
        x = self._mlps[0](x)
        for i in range(1, c.depth):
            x = self._mlps[i](self._attention[i](x, at if i == c.depth - 1 else None))
        told = codes[:, : c.alphabet * len(c.windows)]
        if not shallow:
            told = told.reshape(batch, c.length, -1)[:, at].reshape(len(wanted) * batch, -1)
        codes = arrays.concat([rms_norm(arrays, x).reshape(len(told), -1), told])
        return arrays.clip_(self._head(codes), -LOGIT_MAX, LOGIT_MAX)

    def _residual(self, codes: Array, batch: int) -> Array:
        """Codes [B * n, ...] -> what enters the first layer, [B, n, D]."""
        return self._arrays.clip_(self._inputs(codes), -RES_MAX, RES_MAX).reshape(
            batch, -1, self.config.width
        )

    def _codes(self, symbols: NumpyArray, at: NumpyArray, time: int) -> Array:
        """Codes float32 [B * n, ...] of the windows, the place and the known share, of positions ``at`` [n]."""
        arrays, c = self._arrays, self.config
        rows = window_rows(symbols, c.alphabet, c.windows, at)
        place = np.tile(at, len(symbols))
        rows = np.concatenate([rows.reshape(len(rows), -1), [place, np.full_like(place, time)]])
        placed = arrays.place(rows)
        return arrays.float32(arrays.concat([t(row) for t, row in zip(self._tables, placed, strict=True)]))
