"""Exact attention is its formula in Python's integers, on every backend, for any positions asked for."""

import math
from typing import Any

import numpy as np
import pytest
import reference_masked as reference
from backends import BACKENDS, backend
from hypothesis import given, settings
from hypothesis import strategies as st
from test_grid import SEEDS, integers, residual
from tiny_models import MASKED, tiny_checkpoint

from catzip.models.backends.base import CODE_MAX, NumpyArray
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.layers.attention import HEAD, POSITION_MAX, Attention, attention_table, weight_max

DEEP = "letter-chunks-deep"
LENGTH, WIDTH = MASKED[DEEP].length, MASKED[DEEP].width
TENSORS = tiny_checkpoint(DEEP).arrays


def extreme(value: int) -> dict[str, Any]:
    """Queries and keys of 127 or -127, positions at their limits: the largest scores of either sign there are."""
    tensors = dict(TENSORS)
    for part, code in (("query", CODE_MAX), ("key", value), ("value", CODE_MAX)):
        name = f"attention.0.{part}"
        tensors[f"{name}.weight"] = np.zeros_like(tensors[f"{name}.weight"])
        tensors[f"{name}.bias"] = np.full_like(tensors[f"{name}.bias"], 4 * code)
    tensors["attention.0.position"] = np.where(
        np.arange(2 * LENGTH - 1) % 3, POSITION_MAX, -POSITION_MAX
    ) * np.ones((2, 1), np.int16)
    return tensors


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=4, deadline=None)
@given(seed=SEEDS, count=st.integers(1, LENGTH))
def test_attention(name: str, seed: int, count: int):
    """At all positions, and at some in any order."""
    arrays, random = backend(name), np.random.RandomState(seed)
    x, wanted = residual(random, 2, LENGTH, WIDTH), random.permutation(LENGTH)[:count]
    layer = Attention(arrays, TENSORS, "attention.1", LENGTH)
    everywhere = integers(arrays.fetch(layer(arrays.place(x))))
    some = integers(arrays.fetch(layer(arrays.place(x), arrays.place(wanted))))
    for item, rows in enumerate(integers(x)):
        expected = reference.attention(TENSORS, "attention.1", rows, range(LENGTH))
        assert everywhere[item] == expected
        assert some[item] == [expected[i] for i in wanted]


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("key", [CODE_MAX, -CODE_MAX])
def test_attention_of_the_largest_scores(name: str, key: int):
    arrays, tensors = backend(name), extreme(key)
    x = residual(np.random.RandomState(0), 1, LENGTH, WIDTH)
    got = integers(arrays.fetch(Attention(arrays, tensors, "attention.0", LENGTH)(arrays.place(x))))
    assert got == [reference.attention(tensors, "attention.0", integers(x)[0], range(LENGTH))]


@pytest.mark.parametrize("name", BACKENDS)
def test_sums_at_the_bound(name: str):
    """As many positions as ever, all with the largest weight and value: the sum takes all of float32's 24 bits."""
    arrays, most = backend(name), weight_max(259)
    assert 2**24 - 2**15 < 259 * most * CODE_MAX < 2**24
    weight, value = (
        np.full((2, 3, 5, 259), most, np.float32),
        np.full((2, 3, 259, HEAD), CODE_MAX, np.float32),
    )
    value[..., ::2] *= -1
    value[:, :, -1, 0] = CODE_MAX - 1
    got = integers(arrays.fetch(arrays.batched(arrays.place(weight), arrays.place(value))))
    assert got == (weight.astype(np.int64) @ value.astype(np.int64)).tolist()


def test_attention_is_attention():
    """Against real arithmetic, to what its grids leave of it."""
    x = residual(np.random.RandomState(3), 4, LENGTH, WIDTH)
    layer = Attention(NumpyArrays(), TENSORS, "attention.0", LENGTH)
    random = np.random.RandomState(4)
    q, k, v = (random.randint(-40, 41, (4, 2, LENGTH, HEAD)).astype(np.float32) for _ in range(3))
    got = layer._attended(q, k, v, layer._bias).reshape(4, LENGTH, 2, HEAD).swapaxes(1, 2) / 2.0**6
    score = q.astype(float) @ k.swapaxes(-1, -2) / 2**10 / math.sqrt(HEAD) + (layer._bias - 0.5) / 2.0**6
    weight = np.exp(score - score.max(-1, keepdims=True))
    real = (weight / weight.sum(-1, keepdims=True)) @ (v / 2.0**5)
    assert np.abs(got - real).max() < 2.0**-6
    assert len(x) == len(layer(x))


@pytest.mark.parametrize("length", [1, 9, 256, 259, 4096, 130000])
def test_the_table_is_the_exponential_function(length: int):
    most, table = weight_max(length), attention_table(length)
    assert most * length * CODE_MAX < 2**24 and (most == 511 or (most + 1) * length * CODE_MAX >= 2**24)
    assert table.dtype == np.int16 and table[0] == most and table[-1] == 0
    for i, value in enumerate(table.tolist()):
        assert abs(value - most * math.exp(-i / 64)) <= 0.5 + 1e-9


def changed(key: str, array: NumpyArray) -> Attention:
    return Attention(NumpyArrays(), TENSORS | {key: array}, "attention.0", LENGTH)


def test_arrays_without_a_proof_are_refused():
    position, table = TENSORS["attention.0.position"], TENSORS["attention.exp"]
    for wrong in (position[:, 1:], np.full_like(position, POSITION_MAX + 1), np.full_like(position, -32768)):
        with pytest.raises(ValueError, match="positions must be"):
            changed("attention.0.position", wrong)
    for wrong in (table + 1, table * 0, table[::-1], table - 1):
        with pytest.raises(ValueError, match=r"weights must be in 0\.\.511"):
            changed("attention.exp", wrong)
