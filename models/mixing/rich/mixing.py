"""The rich mixture: what ``mixing`` does, with what the best context mixers have, at the lanes' batch.

Each of the contexts of ``past`` gives two inputs: stretch of its counter's probability, and stretch of what an adaptive
map has learnt of its bit history (an indirect context, as in Mahoney's PAQ6 and later). Besides them the network, two
match models, which give stretch of their trust and the trust itself, and the node of the decision tree. Two layers of
mixers weigh them, and a stage of SSE follows. The first-layer mixers choose their weights by the level and the state
of the longest match; by the node; by the last symbol; by the level and the longest of the first contexts that was seen.
All lanes of a frame share all of this; they read before any of them learns. Everything is integers.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from ...backends.base import NumpyArray
from ..config import Tensors
from ..contexts import SALT
from ..counters import CHANCE, COUNT, Counters
from ..decisions import PROBABILITY, Decisions
from .config import (
    CONTEXTS,
    HISTORIES,
    INPUTS,
    MATCHES,
    OLDEST,
    ORDERS,
    SELECTORS,
    RichConfig,
)
from .lines import LINE, Lines, history_of, is_seen
from .matches import Match
from .mixers import Mixers, rates
from .past import Memory
from .stage import Stage, stage_keys

NODE_HASH = np.uint64(0xC2B2AE3D27D4EB4F)
_NIBBLE = 4  # decisions of a line
_CONSTANT = 256  # the last input but one that is free
_TO_PROBABILITY = COUNT + CHANCE - PROBABILITY
_DIRECT, _INDIRECT = slice(1, 1 + CONTEXTS), slice(1 + CONTEXTS, 1 + 2 * CONTEXTS)
_AT_MATCHES = 1 + 2 * CONTEXTS
_AT_NODE = _AT_MATCHES + 2 * len(MATCHES)
_LEVEL = 32  # sets of weights of a level


class RichMixer:
    """The mixture of one frame of ``count`` symbols from an alphabet of K; see `mixing.Mixer`, which it stands for.

    record  symbols of a record, 2 or more; 0 for text
    """

    def __init__(
        self, config: RichConfig, tensors: Tensors, alphabet: int, lanes: int, count: int, record: int = 0
    ) -> None:
        self._stretch = tensors["stretch"].astype(np.int64)
        squash, adapt = tensors["squash"].astype(np.int64), tensors["adapt"]
        self.decisions_per_symbol = (alphabet - 1).bit_length()
        self._memory = Memory(alphabet, lanes, count, record)
        self._lines = Lines(CONTEXTS, config.line_bits(count), adapt, config.limit)
        profile = min(record, 1)
        self._maps = Counters(tensors["histories"][profile].flatten(), adapt[: OLDEST + 1])
        self._map_rows = np.arange(CONTEXTS)[:, None] * HISTORIES
        self._nodes = Counters(np.zeros(1 << self.decisions_per_symbol, np.int32), adapt[: OLDEST + 1])
        self._matches = [
            Match(self._memory, least, trust, adapt)
            for least, trust in zip(MATCHES, tensors["trust"][profile], strict=True)
        ]
        self._mixers = Mixers(tensors["weights"][profile], squash, self.decisions_per_symbol)
        self._stage = Stage(squash, adapt[: OLDEST + 1], count)
        self._rate, self._lanes = config.rate, lanes
        self._ranks = np.arange(1, ORDERS + 1)[:, None]

    @staticmethod
    def bytes_for(config: RichConfig, count: int) -> int:
        """What one takes that has met ``count`` symbols."""
        lines = 4 * LINE * CONTEXTS << config.line_bits(count)
        return lines + Stage.bytes_for(count) + len(MATCHES) * Match.bytes_for(count) + count

    def symbols(self, below: NumpyArray, recent: NumpyArray, matched: NumpyArray) -> Decisions:
        """As `Mixer.symbols`; the packed past and the match lengths are the mixture's own."""
        lanes, depth = len(below), self.decisions_per_symbol
        self._keys, self._above = self._memory.contexts(lanes)
        self._now = rates(self._rate, self._memory.step * self._lanes, self._lanes)
        for match in self._matches:
            match.begin(lanes, 1 << depth)
        nodes = np.ones(lanes, np.int64)
        for level in range(depth):
            if level % _NIBBLE == 0:
                self._found = self._lines.find(self._keys + nodes.astype(np.uint64) * NODE_HASH)
            said = self._stretch.take(_said(below, nodes, depth - level))
            bits = yield from self._decide(said, nodes, level)
            nodes = 2 * nodes + bits
        return (nodes - (1 << depth)).astype(np.uint8)

    def _decide(
        self, said: NumpyArray, nodes: NumpyArray, level: int
    ) -> Generator[NumpyArray, NumpyArray, NumpyArray]:
        """One decision [A]: mix, yield the probability, learn from the bits. ``said`` is the network's, stretched."""
        inner = level % _NIBBLE
        places = (1 << inner) + (nodes & (1 << inner) - 1)
        slots = self._lines.read(self._found, places)
        rows = history_of(slots) + self._map_rows
        maps, node = self._maps.read(rows), self._nodes.read(nodes)
        inputs = np.zeros((INPUTS, len(nodes)), np.int64)
        inputs[0] = said
        inputs[_DIRECT] = self._stretch.take(slots >> 16)
        inputs[_INDIRECT] = np.where(is_seen(slots), self._stretched(maps), 0)
        state = self._match_inputs(inputs[_AT_MATCHES:], nodes, self.decisions_per_symbol - level)
        inputs[_AT_NODE], inputs[_AT_NODE + 1] = self._stretched(node), _CONSTANT
        t, p = self._mixers.mix(inputs, self._sets(nodes, level, state, slots), level)
        bits = (yield self._stage.refined(t, p, self._stages(nodes, state))).astype(np.int64)
        self._mixers.learn(bits, self._now)
        self._stage.learn(bits)
        self._lines.learn(self._found, places, slots, bits)
        self._maps.learn(maps, rows, bits)
        self._nodes.learn(node, nodes, bits)
        for match in self._matches:
            match.learn(bits)
        return bits

    def _stretched(self, counters: NumpyArray) -> NumpyArray:
        found: NumpyArray = self._stretch.take((counters >> _TO_PROBABILITY) + (1 << PROBABILITY - 1))
        return found

    def _match_inputs(self, inputs: NumpyArray, nodes: NumpyArray, left: int) -> NumpyArray:
        """Fill in those of the matches; twice the state of the longest that fits and its bit, or 0: int64 [A]."""
        state = np.zeros(len(nodes), np.int64)
        for place, match in enumerate(self._matches):
            fits, bits, trust = match.predict(nodes, left)
            sign = np.where(fits, 2 * bits - 1, 0)
            inputs[2 * place] = sign * self._stretch.take(trust + (1 << PROBABILITY - 1))
            inputs[2 * place + 1] = sign * (trust >> 5)
            state = np.where(fits, 2 * match.state + bits, state)
        return state

    def _sets(self, nodes: NumpyArray, level: int, state: NumpyArray, slots: NumpyArray) -> NumpyArray:
        """Which weights each mixer takes: int64 [SELECTORS, A]."""
        sets = np.empty((SELECTORS, len(nodes)), np.int64)
        sets[0] = level * _LEVEL + (state >> 1)
        sets[1] = nodes
        sets[2] = (self._memory.recent[: len(nodes)] & np.uint64(255)).astype(np.int64)
        sets[3] = level * _LEVEL + np.max(is_seen(slots[:ORDERS]) * self._ranks, axis=0)
        return sets

    def _stages(self, nodes: NumpyArray, state: NumpyArray) -> NumpyArray:
        """The contexts of the last stage, with the node: uint64 [STAGES, A]."""
        keys = stage_keys(self._memory.recent[: len(nodes)], state, self._above)
        found: NumpyArray = keys + nodes.astype(np.uint64) * SALT
        return found

    def advance(self, symbols: NumpyArray) -> None:
        """Move on by one symbol in every lane: uint8 [L]."""
        self._memory.advance(symbols)
        for match in self._matches:
            match.advance(symbols)


def _said(below: NumpyArray, nodes: NumpyArray, left: int) -> NumpyArray:
    """What the network says of a decision, 16 bits: [A].

    Nothing is below a node beyond the alphabet; elsewhere ones < whole, for every symbol has a frequency.
    """
    low = (nodes << left) - (below.shape[1] - 1)
    rows = np.arange(len(nodes))
    start, middle, stop = (below[rows, low + part].astype(np.int64) for part in (0, 1 << left - 1, 1 << left))
    said: NumpyArray = (stop - middle << PROBABILITY) // np.maximum(stop - start, 1)
    return said
