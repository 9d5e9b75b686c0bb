"""Adaptation to the file at hand: the network's PMF mixed with statistics of what has been coded so far.

A trained network knows its training data; a file has names, formats and habits of its own. So each symbol is coded as
a few binary decisions, most significant bit first, and the probability of each is a logistic mixture of what the
network says and what adaptive counters say that have seen this file in contexts of the last few symbols (Mahoney's
PAQ and lpaq; logistic mixing: Mattern 2012, "Mixing Strategies in Data Compression"):

    t_i = stretch(p_i) = ln(p_i / (1 - p_i)),   p = squash(sum_i w_i t_i),   w_i += rate t_i (bit - p)

The last line is gradient descent on the cost of coding, online. The set of weights is chosen by how long the match is
(see ``contexts``); or the weight of a counter by its count, and that of the network by the longest of ``orders`` that
was seen before. All lanes of a frame share counters and weights, and update them together after each decision. An SSE
stage may follow (``sse``). Everything is integers: probabilities of 16 bits, t in steps of 2**-8, weights in steps of
2**-16, tables from the checkpoint. What is left of a PMF is p * 2**8, so that nothing is rounded on the way to the
coder.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from ...compressor.coding.pmf import TOTAL
from ..backends.base import NumpyArray
from .config import STRETCH_MAX, MixingConfig, Tensors
from .contexts import HASH, MATCH_LENGTHS, SALT
from .counters import COUNT, Counters, chances_of, counts_of
from .decisions import PROBABILITY, Decisions
from .sse import SSE
from .words import Words

WEIGHT = 16  # fractional bits of a weight
_RATE = 24  # fractional bits of a rate
_FEW_LANES = 16
_LEVELS = (1, 2, 3, 5, 9, 21, 81)  # counts from which on a counter has another weight
_NODE_HASH = np.uint64(0xC2B2AE3D27D4EB4F)  # odd numbers without a pattern, as HASH
_NODE = np.multiply(_NODE_HASH, HASH)


def table_size(config: MixingConfig, count: int) -> tuple[int, int]:
    """log2 of the counters of a context, and contexts, for a frame of ``count`` symbols."""
    bits = min(config.bits, max(12, count.bit_length() + 3))
    return bits, len(config.orders) + 1 + config.phrases


class Mixer:
    """The mixture of one frame of ``count`` symbols from an alphabet of K.

    Arrays of a decision are [contexts, A] or, with the network, [inputs, A].
    """

    def __init__(self, config: MixingConfig, tensors: Tensors, alphabet: int, lanes: int, count: int) -> None:
        self._stretch = tensors["stretch"]  # 128 KiB in int16, which the processor's cache holds
        self._squash = tensors["squash"].astype(np.int64)
        self.decisions_per_symbol = (alphabet - 1).bit_length()
        if len(tensors["adapt"]) != config.limit + 1:
            raise ValueError(
                f"{len(tensors['adapt'])} rates of counters, of which {config.limit + 1} are in use"
            )
        bits, contexts = table_size(config, count)
        self._shift = np.uint64(64 - bits)
        self._first = (np.arange(contexts, dtype=np.int64) << bits)[:, None]
        self._counters = Counters(np.zeros(contexts << bits, np.int32), tensors["adapt"])
        self._sse = SSE(self._squash, tensors["adapt"], bits) if config.refined else None
        self._levels = count_levels() if config.by_age else None
        self._ranks = np.arange(1, len(config.orders) + 1)[:, None]
        self._masks = np.array([(1 << 8 * order) - 1 for order in config.orders], np.uint64)[:, None]
        self._salts = (np.array(config.orders, np.uint64) * SALT)[:, None]
        self._words = Words(alphabet, lanes, config.phrases)
        self._inputs = np.arange(contexts + 1)[:, None]
        self._weights = fresh_weights(config, self.decisions_per_symbol)
        self._rate = learning_rate(config, lanes)
        self._ends, self._nodes = _tree(self.decisions_per_symbol)
        self._beyond = alphabet < 1 << self.decisions_per_symbol

    @staticmethod
    def bytes_for(config: MixingConfig, count: int) -> int:
        """What one takes that has met ``count`` symbols."""
        bits, contexts = table_size(config, count)
        return 4 * (contexts << bits) + (SSE.bytes_for(bits) if config.refined else 0)

    def symbols(self, below: NumpyArray, recent: NumpyArray, matched: NumpyArray) -> Decisions:
        """The decisions of one symbol in each of A lanes, the first ones.

        below [A, 2**depth + 1] of the network (see `summed`); recent uint64 [A], the packed past; matched [A], match
        lengths.
        """
        size = 1 << self.decisions_per_symbol
        ends = np.arange(0, below.size, size + 1) + self._ends[:, :, None]
        below, keys, sets = below.ravel(), self._keys(recent), matched + self._inputs * MATCH_LENGTHS
        maps = self._sse.keys(recent) if self._sse else None
        low = np.zeros(len(recent), np.int64)  # the smallest symbol below the node
        inputs = np.empty(sets.shape, np.int64)
        for weights, edges in zip(self._weights, ends, strict=True):
            size >>= 1
            start, middle, stop = below.take(low + edges)
            self._network(start, middle, stop, inputs[0])
            nodes = self._nodes[size:].take(low)
            rows = None if maps is None else maps + nodes
            bits = yield from self._decide(inputs, self._slots(keys, nodes), weights, sets, rows)
            low += size * bits
        return low.astype(np.uint8)

    def _network(self, start: NumpyArray, middle: NumpyArray, stop: NumpyArray, out: NumpyArray) -> None:
        """What the network says, 16 bits, into ``out`` int64 [A].

        Nothing is below a node beyond the alphabet; elsewhere ones < whole, for every symbol has a frequency.
        """
        np.subtract(stop, middle, out=out)
        stop -= start
        if self._beyond:
            np.maximum(stop, 1, out=stop)
        out <<= PROBABILITY
        out //= stop

    def _decide(
        self,
        inputs: NumpyArray,
        slots: NumpyArray,
        weights: NumpyArray,
        sets: NumpyArray,
        maps: NumpyArray | None,
    ) -> Generator[NumpyArray, NumpyArray, NumpyArray]:
        """One decision [A]: mix, yield the probability, learn from the bits. ``sets`` are places in ``weights``.

        inputs int64 [inputs, A]: the first row, a probability of 16 bits, is the network's; the others are used up.
        maps   the keys of the SSE stage, where there is one
        """
        counters = self._counters.read(slots)
        if self._levels is not None:
            sets = self._sets_by_count(self._levels, counts_of(counters))
        chances_of(counters, inputs[1:])
        t = self._stretch.take(inputs).astype(np.int64)
        mixed: NumpyArray = np.add.reduce(weights.take(sets) * t, axis=0, initial=STRETCH_MAX << WEIGHT)
        mixed >>= WEIGHT
        p: NumpyArray = self._squash.take(mixed, mode="clip")
        sse = self._sse
        if sse is not None and maps is not None:
            bits = (yield sse.probability(mixed - STRETCH_MAX, p, maps)).astype(np.int64)
            sse.learn(bits)
        else:
            bits = (yield p).astype(np.int64)
        error = bits << PROBABILITY
        error -= p
        error *= self._rate
        t *= error
        t += 1 << _RATE - 1
        t >>= _RATE
        np.add.at(weights, sets.ravel(), t.ravel())
        self._counters.learn(counters, slots, bits)
        return bits

    def _sets_by_count(self, levels: NumpyArray, counts: NumpyArray) -> NumpyArray:
        """Places in the weights, for counts of the counters [contexts, A]: intp [inputs, A]."""
        sets = np.empty((len(self._inputs), counts.shape[1]), np.intp)
        np.max((counts[: len(self._ranks)] > 0) * self._ranks, axis=0, initial=0, out=sets[0])
        levels.take(counts, out=sets[1:], mode="clip")
        sets += self._inputs * MATCH_LENGTHS
        return sets

    def _keys(self, recent: NumpyArray) -> NumpyArray:
        """Hashes of the contexts: uint64 [contexts, A], multiplied out as `_slots` needs them."""
        past = ((recent & self._masks) + self._salts) * HASH
        return np.concatenate([past, self._words.contexts(len(recent)) * HASH]) * HASH

    def _slots(self, keys: NumpyArray, nodes: NumpyArray) -> NumpyArray:
        """Where the counters of the contexts are at this node of the decision tree: int64 [contexts, A].

        (key + node * _NODE_HASH) * HASH, modulo 2**64, of which the upper bits count.
        """
        slots: NumpyArray = ((keys + nodes) >> self._shift).view(np.int64)
        slots += self._first
        return slots

    def advance(self, symbols: NumpyArray) -> None:
        """Move the words so far [L] on by one symbol in every lane."""
        self._words.advance(symbols)


def fresh_weights(config: MixingConfig, decisions: int) -> NumpyArray:
    """int64 [decisions, inputs * MATCH_LENGTHS]: the network's are 1."""
    inputs = len(config.orders) + 2 + config.phrases
    weights = np.full((decisions, inputs, MATCH_LENGTHS), config.start, np.int64)
    weights[:, 0] = 1 << WEIGHT
    return weights.reshape(decisions, -1)


def learning_rate(config: MixingConfig, lanes: int) -> int:
    """The rate at which weights learn, in steps of 2**-24."""
    return config.rate // max(lanes, _FEW_LANES)


def count_levels() -> NumpyArray:
    """Which weight a counter of each count has: intp [2**COUNT]."""
    return np.searchsorted(_LEVELS, np.arange(1 << COUNT), side="right")


def summed(frequencies: NumpyArray) -> NumpyArray:
    """Frequencies uint32 [..., K] -> those of all smaller symbols, int32 [..., 2**depth + 1], in 24 bits."""
    alphabet = frequencies.shape[-1]
    size = 1 << (alphabet - 1).bit_length()
    below = np.empty((*frequencies.shape[:-1], size + 1), np.int32)
    below[..., 0] = 0
    np.cumsum(frequencies.view(np.int32), axis=-1, out=below[..., 1 : alphabet + 1])
    below[..., alphabet + 1 :] = TOTAL  # beyond the alphabet there is nothing
    return below


def _tree(depth: int) -> tuple[NumpyArray, NumpyArray]:
    """The decision tree of 2**depth symbols: a node at level l is over size = 2**(depth - l) of them, from ``low`` on.

    ends   [depth, 3]: what is added to ``low`` for the first symbol, for that which splits the node, for the end
    nodes  uint64 [2**depth]: node * _NODE_HASH * HASH at place low + size / 2, which no other node has; the root is 1,
           and below a node are 2 * node and 2 * node + 1
    """
    sizes = (1 << depth) >> np.arange(depth)
    nodes = np.zeros(1 << depth, np.uint64)
    for level, size in enumerate(sizes.tolist()):
        nodes[size // 2 :: size] = np.arange(1 << level, 2 << level, dtype=np.uint64) * _NODE
    return np.stack([np.zeros_like(sizes), sizes // 2, sizes], axis=1), nodes
