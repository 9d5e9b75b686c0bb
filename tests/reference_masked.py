"""The layers of the masked networks once more, as `reference_layers`: in Python's own integers and nothing else.

Images are nested lists [H][W][...], and a dimension is (y, x, c).
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import Any

from reference_layers import Row, Tensors, add_residual, clip, gated_mlp, linear, rms_norm, swish, to_code

_HASH = 0x9E3779B97F4A7C15

Image = list[list[Row]]


def attention(tensors: Tensors, name: str, x: list[Row], wanted: Sequence[int]) -> list[Row]:
    """Residual rows of all positions -> of the wanted ones."""
    length, position, table = len(x), tensors[f"{name}.position"].tolist(), tensors["attention.exp"].tolist()
    n = [rms_norm(row) for row in x]
    query, key, value = (
        [[clip(code, 127) for code in linear(tensors, f"{name}.{part}", 5, row)] for row in n]
        for part in ("query", "key", "value")
    )
    rows = []
    for i in wanted:
        codes: Row = []
        for h, bias in enumerate(position):
            channels = range(64 * h, 64 * h + 64)
            dots = [sum(query[i][c] * key[j][c] for c in channels) for j in range(length)]
            scores = [(dots[j] + 128 * bias[j - i + length - 1] + 64) // 128 for j in range(length)]
            weights = [table[min(max(scores) - score, len(table) - 1)] for score in scores]
            share = math.floor(2**36 / sum(weights))
            sums = [sum(w * row[c] for w, row in zip(weights, value, strict=True)) for c in channels]
            codes += [clip((total * share + 2**34) >> 35, 127) for total in sums]
        # Codes of step 2**-6 where `linear` expects 2**-5: one bit less to shift by.
        rows.append(add_residual(x[i], linear(tensors, f"{name}.out", 7, codes)))
    return rows


def windows(symbols: Row, alphabet: int, window: tuple[int, tuple[int, ...]]) -> Row:
    """The row of this window's table for each position of symbols and masks."""
    bits, offsets = window
    rows = []
    for i in range(len(symbols)):
        seen = [symbols[i + d] if 0 <= i + d < len(symbols) else alphabet + 1 for d in offsets]
        key = sum(symbol << 8 * place for place, symbol in enumerate(reversed(seen))) % 2**64
        rows.append(seen[0] if len(seen) == 1 else (key * _HASH % 2**64) >> 64 - bits)
    return rows


def transformer(
    tensors: Tensors, config: Any, symbols: Row, known: list[bool], wanted: Sequence[int]
) -> list[Row]:
    """Logits at wanted positions of one chunk."""
    seen = [symbol if k else config.alphabet for symbol, k in zip(symbols, known, strict=True)]
    columns = [windows(seen, config.alphabet, window) for window in config.windows]
    time = tensors["time.table"][sum(known) * config.times // len(known)].tolist()
    told, x = [], []
    for i, place in enumerate(tensors["place.table"].tolist()):
        tables = [tensors[f"windows.{j}.table"][column[i]].tolist() for j, column in enumerate(columns)]
        told.append([code for table in tables for code in table])
        x.append([clip(v, 2**15 - 1) for v in linear(tensors, "inputs", 8, told[i] + place + time)])
    for layer in range(config.depth):
        here = wanted if layer == config.depth - 1 else range(len(x))
        x = attention(tensors, f"attention.{layer}", x, here)
        x = [gated_mlp(tensors, f"mlps.{layer}", row) for row in x]
    return [
        [clip(v, 2**13) for v in linear(tensors, "head", 8, rms_norm(row) + told[i])]
        for row, i in zip(x, wanted, strict=True)
    ]


def patch(image: Image, y: int, x: int) -> Row:
    """The 3x3 surroundings, zeros outside the image: (dy, dx, channel)."""
    nothing = [0] * len(image[0][0])
    rows = [
        image[y + dy][x + dx] if 0 <= y + dy < len(image) and 0 <= x + dx < len(image[0]) else nothing
        for dy, dx in product((-1, 0, 1), (-1, 0, 1))
    ]
    return [code for row in rows for code in row]


def block(tensors: Tensors, name: str, image: Image) -> Image:
    """x + W_out(swish(gate) * up), (gate, up) = conv3x3(rms_norm(x))."""
    n = [[rms_norm(row) for row in line] for line in image]

    def after(y: int, x: int) -> Row:
        both = [clip(v, 127) for v in linear(tensors, f"{name}.conv", 5, patch(n, y, x))]
        gate, up = both[: len(both) // 2], both[len(both) // 2 :]
        codes = [to_code(swish(g) * u, 12) for g, u in zip(gate, up, strict=True)]
        return add_residual(image[y][x], linear(tensors, f"{name}.out", 8, codes))

    return [[after(y, x) for x in range(len(line))] for y, line in enumerate(image)]


def deep(config: Any) -> Iterator[tuple[int, int, list[tuple[int, int, int]]]]:
    """(y, x, its 4C dimensions in their order) for each position of the half-size grid."""
    height, width, channels = config.shape
    for y, x in product(range(height // 2), range(width // 2)):
        yield y, x, [(2 * y + dy, 2 * x + dx, c) for dy in (0, 1) for dx in (0, 1) for c in range(channels)]


class Seen:
    """What is seen of an image whose values and known dimensions are given by dimension."""

    def __init__(self, config: Any, values: dict, known: dict, stage: int) -> None:
        self.config, self.known, self.stage = config, known, stage
        self.bits = (config.base - 1).bit_length()
        self.below = {
            d: self.bits * (config.stages - stage - 1) + (0 if known[d] else self.bits) for d in known
        }
        self.coarse = {d: values[d] >> self.below[d] for d in known}

    def token(self, d: tuple[int, int, int]) -> int:
        """Row of the table of tokens."""
        base, stage = self.config.base, self.stage
        before = sum(base**s + base ** (s + 1) for s in range(stage))
        return before + (base**stage if self.known[d] else 0) + self.coarse[d]

    def told(self, d: tuple[int, int, int]) -> bool:
        return self.known[d] or self.stage > 0

    def middle(self, d: tuple[int, int, int]) -> int:
        """The middle of the interval that is known, in half levels: its first and last value added up."""
        first = self.coarse[d] << self.below[d]
        return first + first + (1 << self.below[d]) - 1

    def window(self, d: tuple[int, int, int], reach: int) -> tuple[int | None, int]:
        """Average of the known around it, halves rounded up, and how many they are."""
        y, x, c = d
        span = range(-reach, reach + 1)
        near = [(y + dy, x + dx, c) for dy in span for dx in span if (y + dy, x + dx, c) in self.known]
        told = [self.middle(e) for e in near if self.told(e)]
        return ((2 * sum(told) + len(told)) // (2 * len(told)) if told else None), len(told)

    def guess(self, d: tuple[int, int, int]) -> int:
        """In half levels: what is known, the average of the smallest window with anything known in it, or grey."""
        if self.told(d):
            return self.middle(d)
        averages = [self.window(d, reach)[0] for reach in self.config.reaches]
        return next((average for average in averages if average is not None), 255)

    def features(self, dimensions: list[tuple[int, int, int]]) -> Row:
        """Codes of these dimensions: the guess, then for each window what its average adds, and its known share."""
        planes = [[(self.guess(d) - 255) // 2 for d in dimensions]]
        for reach in self.config.reaches:
            found = [self.window(d, reach) for d in dimensions]
            planes.append(
                [
                    0 if average is None else average - self.guess(d)
                    for d, (average, _) in zip(dimensions, found, strict=True)
                ]
            )
            planes.append([127 * count // (2 * reach + 1) ** 2 for _, count in found])
        return [clip(code, 127) for plane in planes for code in plane]


def _linear(tensors: Tensors, config: Any, name: str, codes: Row) -> Row:
    """A layer; the coarse half and the fine half of the outputs of a fine one are added."""
    found = linear(tensors, name, 8, codes)
    half = len(found) // 2
    return [a + b for a, b in zip(found[:half], found[half:], strict=True)] if name in config.fine else found


def convnet(tensors: Tensors, config: Any, seen: Seen) -> dict[tuple[int, int, int], Row]:
    """What describes the distribution of each dimension of one image."""
    size = math.prod(config.shape)
    time = seen.stage * config.times + sum(seen.known.values()) * config.times // size
    codes: Image = [[] for _ in range(config.shape[0] // 2)]
    features: Image = [[] for _ in codes]
    for y, _, dimensions in deep(config):
        tokens = [code for d in dimensions for code in tensors["tokens.table"][seen.token(d)].tolist()]
        features[y].append(seen.features(dimensions))
        codes[y].append(tokens + features[y][-1] + tensors["time.table"][time].tolist())
    x = [
        [
            [clip(v, 2**15 - 1) for v in _linear(tensors, config, "inputs", patch(codes, i, j))]
            for j in range(len(line))
        ]
        for i, line in enumerate(codes)
    ]
    for layer in range(config.depth):
        x = block(tensors, f"blocks.{layer}", x)
    limit = 2**13 if config.output == "direct" else 2**12
    outputs = {}
    for i, j, dimensions in deep(config):
        row = [clip(v, limit) for v in _linear(tensors, config, "head", rms_norm(x[i][j]) + features[i][j])]
        each = len(row) // len(dimensions)
        outputs |= {d: row[k * each : (k + 1) * each] for k, d in enumerate(dimensions)}
    return outputs


def mixture(tensors: Tensors, alphabet: int, y: Row, guess: int, edges: Row) -> Row:
    """Masses of the intervals between edges, for logits, means and ln(scale) in steps of 2**-8."""
    m = len(y) // 3
    inverse, cdf, exp = (tensors[name].tolist() for name in ("logistic.inverse", "logistic.cdf", "exp"))
    masses = [0] * (len(edges) - 1)
    total = 0
    for logit, mean, scale in zip(y[:m], y[m : 2 * m], y[2 * m :], strict=True):
        weight = exp[min(max(y[:m]) - logit, len(exp) - 1)]
        total += weight
        inverse_scale = inverse[max(-24, min(72, (scale + 8) // 16)) + 24]
        below = []
        for edge in edges:
            z = clip(((16 * edge - 8 - mean - 8 * guess) * inverse_scale) >> 6, 14 * 2**10)
            below.append(0 if edge == 0 else 2**22 if edge == alphabet else cdf[z + 14 * 2**10])
        shares = [weight * (high - low) for low, high in pairwise(below)]
        masses = [mass + share for mass, share in zip(masses, shares, strict=True)]
    return [mass + total * 2**22 // 2**20 for mass in masses]


def in_24_bits(masses: Row) -> Row:
    """floor(mass ((2**24 - K) / sum mass)) + 1, what is left going to the first largest."""
    share = (2**24 - len(masses)) / sum(masses)
    frequencies = [math.floor(mass * share) + 1 for mass in masses]
    frequencies[frequencies.index(max(frequencies))] += 2**24 - sum(frequencies)
    return frequencies
