"""The recurrent network of the autoregressive family, in integers: rows of context tables and a state -> logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from ..backends.base import Array, Arrays, NumpyArray
from ..layers.grid import (
    EXP_ENTRIES,
    FORGET_MAX,
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
from ..mixing.contexts import MATCH_LENGTHS, Past, match_rows, ngram_rows
from ..schema import (
    Bits,
    Declared,
    Depth,
    Order,
    Positive,
    PositiveOrNone,
    Symbols,
    Tensor,
    embedding,
    entries,
    gated_mlp,
    linear,
    typed,
)


@dataclass(frozen=True)
class AutoregressiveConfig:
    """Sizes of the network.

    alphabet  K                       state   E, channels of each recurrence     embed   width of an embedding
    width     D, residual stream      hidden  of each gated MLP; 0 for none      ngrams  (order, bits of its table)

    whole_match  whether the network is told all of the symbol that a match expects; without it, its lower 4 bits, see
                 `match_rows`. Weights of catzip 0.6.0 and earlier do not say, and are told 4 bits
    """

    alphabet: Symbols
    width: Positive
    state: Positive
    depth: Depth
    hidden: PositiveOrNone
    embed: Positive
    ngrams: Annotated[tuple[tuple[Order, Bits], ...], entries(16)]
    whole_match: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for a table of single symbols that has not a row for each."""
        if any(order == 1 and 1 << bits < self.alphabet for order, bits in self.ngrams):
            raise ValueError(f"n-grams of 1 symbol take a row for each of {self.alphabet} symbols")

    @staticmethod
    def from_json(table: dict[str, Any]) -> AutoregressiveConfig:
        """The table ``model`` of a recipe or a checkpoint. Raises ValueError for fields that are not as above."""
        return typed(AutoregressiveConfig, table, "model")

    def tensors(self) -> Declared:
        """What the network loads."""
        found = {"sigmoid": Tensor("int32", (2 * FORGET_MAX + 1,)), "exp": Tensor("int32", (EXP_ENTRIES,))}
        for i, (_, bits) in enumerate(self.ngrams):
            found |= embedding(f"ngrams.{i}", 1 << bits, self.embed)
        found |= embedding("match", self.alphabet * MATCH_LENGTHS, self.embed)
        found |= linear("inputs", self.embed * (len(self.ngrams) + 1), self.width)
        for i in range(self.depth):
            for part in ("forget", "candidate", "gate"):
                found |= linear(f"recurrent.{i}.{part}", self.width, self.state)
            found |= linear(f"recurrent.{i}.out", self.state, self.width)
            if self.hidden:
                found |= gated_mlp(f"mlps.{i}", self.width, self.hidden)
        return found | linear("head", self.width, self.alphabet)

    @property
    def multiplications(self) -> int:
        """For each symbol, in products: what one costs."""
        inputs = self.embed * (len(self.ngrams) + 1)
        layer = 4 * self.width * self.state + 3 * self.width * self.hidden
        return inputs * self.width + self.depth * layer + self.width * self.alphabet


class ExactNetwork:
    """Rows of the context tables and a state -> logits and the next state, in integers.

    A `causal.CausalNet`.
    """

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
        self._state, self._ngrams, self._whole = config.state, config.ngrams, config.whole_match
        self.alphabet, self.multiplications = config.alphabet, config.multiplications

    def start(self, lanes: int) -> list[Array]:
        """The states before the first step, int32 [lanes, E] of each layer."""
        return [self._arrays.zeros_int32(lanes, self._state) for _ in self._recurrent]

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

    def rows(self, past: Past) -> NumpyArray:
        """Rows of the n-gram tables, and of that of the match: intp [G + 1, T, L]."""
        rows = np.empty((len(self._ngrams) + 1, *past.recent.shape), np.intp)
        for row, (order, bits) in zip(rows, self._ngrams, strict=False):
            row[:] = ngram_rows(past.recent, order, bits)
        rows[-1] = match_rows(past.expected, past.lengths, self._whole)
        return rows

    def frequencies(self, past: Past, states: list[Array]) -> NumpyArray:
        """As `logits`, but the frequencies of the PMFs, uint32 [T, L, K]."""
        logits = self.logits(self.rows(past), states)
        return self._softmax(logits.reshape(-1, logits.shape[-1])).reshape(logits.shape)
