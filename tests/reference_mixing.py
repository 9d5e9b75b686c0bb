"""The mixture of models/mixing.py once more, lane by lane, in Python's own integers and dictionaries."""

from collections.abc import Sequence
from typing import Any

MASK = 2**64 - 1
HASH, NODE, SALT, WORD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93, 0x2545F4914F6CDD1D)
FRESH = 1 << 31  # a counter: probability one half in the upper 22 bits, age 0 in the lower 10


class ReferenceMixer:
    """Codes one step of known symbols after another and tells the probability of each bit.

    tables: stretch, squash and adapt of a checkpoint; config: a MixingConfig; bits: log2 of the counters.
    """

    def __init__(self, config: Any, tables: dict[str, Any], depth: int, lanes: int, bits: int) -> None:
        self._config, self._depth, self._bits = config, depth, bits
        self._stretch, self._squash, self._adapt = (
            tables[name].tolist() for name in ("stretch", "squash", "adapt")
        )
        self._counters: dict[tuple[int, int], int] = {}
        contexts = len(config.orders) + 1
        self._lanes = lanes
        self._weights = [[1 << 16] + [config.start] * contexts for _ in range(16 * depth)]
        self._words = [0] * lanes

    def step(
        self, frequencies: list[list[int]], past: list[list[int]], matched: list[int], symbols: list[int]
    ) -> list[list[int]]:
        """For the active lanes: frequencies [A][K], symbols before [A], match lengths, symbols -> [depth][A]."""
        nodes, chances = [1] * len(symbols), []
        for depth in range(self._depth):
            bits = [(symbol >> (self._depth - 1 - depth)) & 1 for symbol in symbols]
            seen = [
                self._decide(frequencies[i], past[i], i, nodes[i], matched[i] * self._depth + depth)
                for i in range(len(symbols))
            ]
            self._learn(seen, bits)
            nodes = [2 * node + bit for node, bit in zip(nodes, bits, strict=True)]
            chances.append([p for p, *_ in seen])
        return chances

    def _decide(
        self, row: list[int], past: list[int], lane: int, node: int, which: int
    ) -> tuple[int, int, list[int], list[tuple[int, int]]]:
        """Probability, set of weights, inputs and the places of the counters, all before any lane learns."""
        size = 1 << (self._depth + 1 - node.bit_length())  # symbols below this node
        low = (node - (1 << node.bit_length() - 1)) * size
        whole, ones = sum(row[low : low + size]), sum(row[low + size // 2 : low + size])
        inputs = [self._stretch[min((ones << 16) // max(whole, 1), 2**16 - 1)]]
        places = []
        for context, key in enumerate(self._keys(past, lane)):
            slot = ((key + node * NODE) * HASH & MASK) >> (64 - self._bits)
            places.append((context, slot))
            inputs.append(self._stretch[self._counters.get(places[-1], FRESH) >> 16])
        mixed = sum(w * t for w, t in zip(self._weights[which], inputs, strict=True)) >> 16
        limit = len(self._squash) // 2
        return self._squash[max(-limit, min(limit, mixed)) + limit], which, inputs, places

    def _keys(self, past: list[int], lane: int) -> list[int]:
        packed = sum(symbol << 8 * age for age, symbol in enumerate(past[::-1][:8]))
        keys = [
            ((packed & ((1 << 8 * order) - 1)) + order * SALT) * HASH & MASK for order in self._config.orders
        ]
        return [*keys, self._words[lane] * HASH & MASK]

    def _learn(
        self, seen: Sequence[tuple[int, int, list[int], list[tuple[int, int]]]], bits: list[int]
    ) -> None:
        """All lanes learn from the state before the decision; weights add up, of counters the last lane's stay."""
        fresh, rate = {}, self._config.rate // max(self._lanes, 16)
        for (p, which, inputs, places), bit in zip(seen, bits, strict=True):
            error = (bit << 16) - p
            for i, t in enumerate(inputs):
                self._weights[which][i] += (t * error * rate + (1 << 23)) >> 24
            for place in places:
                counter = self._counters.get(place, FRESH)
                chance, age = counter >> 10, counter & 1023
                chance += (((bit << 22) - chance) * self._adapt[age]) >> 16
                chance = max(0, min(2**22 - 1, chance))
                fresh[place] = chance << 10 | min(age + 1, self._config.limit)
        self._counters |= fresh

    def advance(self, letters: list[int]) -> None:
        """What each lane's symbol adds to its word; 0 ends it."""
        self._words = [
            (word + letter) * WORD & MASK if letter else 0
            for word, letter in zip(self._words, letters, strict=True)
        ]
