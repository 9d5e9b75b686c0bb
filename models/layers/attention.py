"""Exact attention over all positions of a chunk, both ways (Vaswani et al. 2017, arXiv 1706.03762).

    x + W_out concat_h(softmax(q k^T / sqrt(HEAD) + b) v),  q, k, v = W n,  n = rms_norm(x)

b depends on the head and on how far apart two positions are. Everything as in ``grid``; what is new:

    scores    2**-SCORE      integers in float32
    weights   1 / weight_max 0..weight_max, from the table of the exponential function in the checkpoint
    attended  2**-ATTENDED   -127..127, codes that are averages and need a finer step than ACT
"""

from __future__ import annotations

import math

import numpy as np

from ..backends.base import CODE_MAX, Array, Arrays, NumpyArray
from .grid import ACT, RES, Linear, Tensors, add_residual, rms_norm

HEAD = 64  # channels of an attention head: 1 / sqrt(HEAD) is a power of two
SCORE = 6  # fractional bits of a score, in nats
POSITION, POSITION_MAX = 6, 1 << 11  # of what the distance of two positions adds to it
ATTENDED = 6  # fractional bits of what attention gives

_FINER = 2 * ACT + 3 - SCORE  # a step of q k^T / sqrt(HEAD) is 2**-_FINER of a score's
_SHARE = 36  # bits of the reciprocal of a sum of weights


def weight_max(length: int) -> int:
    """The largest attention weight for which sums over ``length`` positions stay below 2**24."""
    return min(511, ((1 << 24) - 1) // (length * CODE_MAX))


def attention_entries(length: int) -> int:
    """How many entries `attention_table` has."""
    return math.ceil(math.log(2 * weight_max(length)) * (1 << SCORE)) + 1


def attention_table(length: int) -> NumpyArray:
    """round(weight_max exp(-i / 2**SCORE)) for i from 0 until it is 0 for good, int16. Built once, at export."""
    most = weight_max(length)
    x = np.arange(attention_entries(length)) / 2.0**SCORE
    return np.floor(most * np.exp(-x) + 0.5).astype(np.int16)


class Attention:
    """x + W_out attended, in integers:

        score  = floor((q.k) 2**-_FINER + b + 1/2)            weight = table[max score - score]
        out    = floor(sum(weight v) r 2**(ATTENDED - ACT - _SHARE) + 1/2),  r = floor(2**_SHARE / sum(weight))

    q.k is at most HEAD * 127**2 < 2**20 and b at most 2**11, so a score before its floor takes 14 + _FINER bits: exact
    in float32, and so is its distance to the largest, with one bit more. Sums of weights, and of weight v, are at most
    weight_max L 127 < 2**24: exact in float32. Being weighed sums, the latter are at most 127 sum(weight), so that
    their product with r is an integer below 2**(_SHARE + 7), exact in float64, and so is its sum with the half.
    """

    def __init__(self, arrays: Arrays, tensors: Tensors, name: str, length: int) -> None:
        position, table = tensors[f"{name}.position"], tensors["attention.exp"]
        self.heads = len(position)
        checked(position, table, length)
        self._arrays, self._length = arrays, length
        parts = ("query", "key", "value")
        self._query, self._key, self._value = (
            Linear.load(arrays, tensors, [f"{name}.{part}"], [ACT]) for part in parts
        )
        # Linear takes its input for codes of step 2**-ACT; these are finer.
        self._out = Linear.load(arrays, tensors, [f"{name}.out"], [RES + ACT - ATTENDED])
        self._table = arrays.place(table.astype(np.float32))
        distance = np.arange(length) - np.arange(length)[:, None]
        self._bias = arrays.place(position[:, distance + length - 1].astype(np.float32) + np.float32(0.5))

    def __call__(self, x: Array, wanted: Array | None = None) -> Array:
        """Residual [B, L, D] -> the same; of the positions ``wanted`` [Q] only, [B, Q, D], if given."""
        key, value = self.keys_values(x)
        return self.ask(x if wanted is None else x[:, wanted], key, value, wanted)

    def keys_values(self, x: Array) -> tuple[Array, Array]:
        """Residual [B, n, D] of any positions -> their keys and values, codes [B, heads, n, HEAD]."""
        n = rms_norm(self._arrays, x).reshape(-1, x.shape[-1])
        return self._heads(self._key(n), len(x)), self._heads(self._value(n), len(x))

    def ask(self, x: Array, key: Array, value: Array, wanted: Array | None = None) -> Array:
        """Residual [B, Q, D] of the positions ``wanted`` [Q], or all -> the same, from the keys and values of all."""
        arrays = self._arrays
        query = self._heads(self._query(rms_norm(arrays, x).reshape(-1, x.shape[-1])), len(x))
        bias = self._bias if wanted is None else self._bias[:, wanted]
        return add_residual(arrays, x, self._out(self._attended(query, key, value, bias)))

    def room(self, items: int) -> Array:
        """For keys or values of so many items: float32 [items, heads, L, HEAD]."""
        return self._arrays.place(np.zeros((items, self.heads, self._length, HEAD), np.float32))

    def _heads(self, y: Array, batch: int) -> Array:
        """[B * n, heads * HEAD] -> codes [B, heads, n, HEAD]."""
        y = self._arrays.clip_(y, -CODE_MAX, CODE_MAX)
        return y.reshape(batch, -1, self.heads, HEAD).swapaxes(1, 2)

    def _attended(self, query: Array, key: Array, value: Array, bias: Array) -> Array:
        """Codes [B, heads, n, HEAD] of queries, [B, heads, L, HEAD] of the others -> [B * n, heads * HEAD]."""
        arrays = self._arrays
        score = arrays.batched(query * 2.0**-_FINER, key.swapaxes(-1, -2))
        score += bias
        # max floor(score) - floor(score), as the floor of what is not negative, which is how lookup rounds.
        top = arrays.floor_(arrays.max(score))
        top += 1 - 2.0**-_FINER
        weight = arrays.lookup(self._table, top - score)
        share = arrays.floor_(arrays.ratio(2.0**_SHARE, arrays.float64(weight.sum(-1))))
        share *= 2.0 ** (ATTENDED - ACT - _SHARE)
        out = arrays.float64(arrays.batched(weight, value))
        out *= share[..., None]
        out += 0.5
        codes = arrays.float32(arrays.clip_(arrays.floor_(out), -CODE_MAX, CODE_MAX))
        return codes.swapaxes(1, 2).reshape(-1, self.heads * HEAD)


def checked(position: NumpyArray, table: NumpyArray, length: int) -> None:
    """Raises ValueError for arrays that the bounds were not proved for."""
    if position.shape[1:] != (2 * length - 1,) or int(np.abs(position.astype(np.int32)).max()) > POSITION_MAX:
        raise ValueError(f"positions must be [heads, {2 * length - 1}] in -{POSITION_MAX}..{POSITION_MAX}")
    if not 1 <= table[0] == table.max() <= weight_max(length) or table.min() < 0:
        raise ValueError(f"attention weights must be in 0..{weight_max(length)}, the first the largest")
