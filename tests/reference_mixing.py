"""The mixture of models/mixing/mixing.py once more, lane by lane, in Python's own integers and dictionaries."""

from collections.abc import Sequence
from typing import Any, NamedTuple

MASK = 2**64 - 1
HASH, NODE, SALT, WORD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93, 0x2545F4914F6CDD1D)
FRESH = 1 << 31  # a counter: probability one half in the upper 22 bits, age 0 in the lower 10


LEVELS = (1, 2, 3, 5, 9, 21, 81)


class Decided(NamedTuple):
    """A decision: p of the mixture, p of the SSE stage, sets of weights, inputs, places of all counters that learn.

    A place is (context, slot); the maps of the SSE stage are contexts -1 and -2.
    """

    p: int
    refined: int
    sets: list[int]
    inputs: list[int]
    places: list[tuple[int, int]]


class ReferenceMixer:
    """Codes one step of known symbols after another and tells the probability of each bit.

    tables: stretch, squash and adapt of a checkpoint; config: a MixingConfig; bits: log2 of the counters.
    """

    def __init__(self, config: Any, tables: dict[str, Any], depth: int, lanes: int, bits: int) -> None:
        self._config, self._depth, self._bits = config, depth, bits
        self._stretch, self._squash, self._adapt = (
            tables[name].tolist() for name in ("stretch", "squash", "adapt")
        )
        self.counters: dict[tuple[int, int], int] = {}
        contexts = len(config.orders) + 1 + config.phrases
        self._lanes = lanes
        self._weights = [[[1 << 16] * 16] + [[config.start] * 16] * contexts for _ in range(depth)]
        self._weights = [[list(row) for row in rows] for rows in self._weights]
        self._words, self._before = [0] * lanes, [0] * lanes

    def step(
        self, frequencies: list[list[int]], past: list[list[int]], matched: list[int], symbols: list[int]
    ) -> list[list[int]]:
        """For the active lanes: frequencies [A][K], symbols before [A], match lengths, symbols -> [depth][A]."""
        nodes, chances = [1] * len(symbols), list[list[int]]()
        for depth in range(self._depth):
            bits = [(symbol >> (self._depth - 1 - depth)) & 1 for symbol in symbols]
            seen = [
                self._decide(frequencies[i], past[i], i, nodes[i], matched[i]) for i in range(len(symbols))
            ]
            self._learn(seen, bits, self._weights[depth])
            nodes = [2 * node + bit for node, bit in zip(nodes, bits, strict=True)]
            chances.append([each.refined for each in seen])
        return chances

    def _decide(self, row: list[int], past: list[int], lane: int, node: int, matched: int) -> Decided:
        """What a lane makes of its state, before any lane learns."""
        size = 1 << (self._depth + 1 - node.bit_length())  # symbols below this node
        depth = node.bit_length() - 1
        low = (node - (1 << depth)) * size
        whole, ones = sum(row[low : low + size]), sum(row[low + size // 2 : low + size])
        packed = sum(symbol << 8 * age for age, symbol in enumerate(past[::-1][:8]))
        inputs = [self._stretch[min((ones << 16) // max(whole, 1), 2**16 - 1)]]
        places = []
        for context, key in enumerate(self._keys(packed, lane)):
            slot = ((key + node * NODE) * HASH & MASK) >> (64 - self._bits)
            places.append((context, slot))
            inputs.append(self._stretch[self.counters.get(places[-1], FRESH) >> 16])
        sets = [matched] * len(inputs)
        if self._config.by_age:
            ages = [self.counters.get(place, FRESH) & 1023 for place in places]
            seen = [rank for rank, age in enumerate(ages[: len(self._config.orders)], 1) if age]
            sets = [max(seen, default=0)] + [sum(age >= least for least in LEVELS) for age in ages]
        weights = [rows[which] for rows, which in zip(self._weights[depth], sets, strict=True)]
        mixed = sum(w * t for w, t in zip(weights, inputs, strict=True)) >> 16
        limit = len(self._squash) // 2
        p = self._squash[max(-limit, min(limit, mixed)) + limit]
        if not self._config.refined:
            return Decided(p, p, sets, inputs, places)
        refined, cells = self._refined(mixed, p, packed, node)
        return Decided(p, refined, sets, inputs, places + cells)

    def _refined(self, t: int, p: int, packed: int, node: int) -> tuple[int, list[tuple[int, int]]]:
        """What the SSE stage makes of a probability, and the places of the counters that learn."""
        knot, part = divmod(max(-2048, min(2047, t)) + 2048, 256)
        total, cells = 2 * p, []
        for order in (1, 2):
            key = ((packed & ((1 << 8 * order) - 1)) + order * SALT) * HASH & MASK
            row = ((key + node * NODE) * HASH & MASK) >> (64 - min(self._bits, 16))
            below, above = (
                self.counters.get((-order, 17 * row + at), self._knot(at)) for at in (knot, knot + 1)
            )
            cells.append((-order, 17 * row + knot + (part >= 128)))
            total += 3 * ((256 * (below >> 10) + ((above >> 10) - (below >> 10)) * part) >> 14)
        return max(1, total >> 3), cells

    def _knot(self, at: int) -> int:
        """A fresh counter of the SSE stage, of count 4."""
        return self._squash[len(self._squash) // 2 - 2048 + 256 * at] << 16 | 4

    def _keys(self, packed: int, lane: int) -> list[int]:
        keys = [
            ((packed & ((1 << 8 * order) - 1)) + order * SALT) * HASH & MASK for order in self._config.orders
        ]
        words = [self._words[lane]]
        words += [(self._words[lane] + self._before[lane] * SALT) & MASK] * self._config.phrases
        return [*keys, *(word * HASH & MASK for word in words)]

    def _learn(self, seen: Sequence[Decided], bits: list[int], weights: list[list[int]]) -> None:
        """All lanes learn from the state before the decision; weights add up, of counters the last lane's stay."""
        fresh, rate = {}, self._config.rate // max(self._lanes, 16)
        for each, bit in zip(seen, bits, strict=True):
            error = (bit << 16) - each.p
            for rows, which, t in zip(weights, each.sets, each.inputs, strict=True):
                rows[which] += (t * error * rate + (1 << 23)) >> 24
            for place in each.places:
                counter = self.counters.get(place, FRESH if place[0] >= 0 else self._knot(place[1] % 17))
                chance, age = counter >> 10, counter & 1023
                chance += (((bit << 22) - chance) * self._adapt[age]) >> 16
                chance = max(0, min(2**22 - 1, chance))
                fresh[place] = chance << 10 | min(age + 1, self._config.limit)
        self.counters |= fresh

    def advance(self, letters: list[int]) -> None:
        """What each lane's symbol adds to its word; 0 ends it."""
        self._before = [
            word if word and not letter else before
            for before, word, letter in zip(self._before, self._words, letters, strict=True)
        ]
        self._words = [
            (word + letter) * WORD & MASK if letter else 0
            for word, letter in zip(self._words, letters, strict=True)
        ]
