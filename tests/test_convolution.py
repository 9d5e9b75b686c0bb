"""Exact convolutions are their formula in Python's integers, on every backend, for any positions asked for."""

import numpy as np
import pytest
import reference_masked as reference
from backends import BACKENDS, backend
from hypothesis import given, settings
from hypothesis import strategies as st
from test_grid import SEEDS, integers, residual
from tiny_models import MASKED, tiny_checkpoint

from catzip.models.convolution import Block, patches

TENSORS, WIDTH = tiny_checkpoint("images").arrays, MASKED["images"].width


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, height=st.integers(1, 4), width=st.integers(1, 4))
def test_patches(name: str, seed: int, height: int, width: int):
    arrays = backend(name)
    codes = np.random.RandomState(seed).randint(-127, 128, (2, height, width, 3)).astype(np.float32)
    got = integers(arrays.fetch(patches(arrays, arrays.place(codes))))
    for image, found in zip(integers(codes), got, strict=True):
        assert found == [[reference.patch(image, y, x) for x in range(width)] for y in range(height)]


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=4, deadline=None)
@given(seed=SEEDS, count=st.integers(1, 6))
def test_block(name: str, seed: int, count: int):
    """At all positions, and at some in any order."""
    arrays, random = backend(name), np.random.RandomState(seed)
    x, wanted = residual(random, 2, 2, 3, WIDTH), random.permutation(6)[:count]
    layer = Block(arrays, TENSORS, "blocks.0")
    everywhere = integers(arrays.fetch(layer(arrays.place(x))))
    some = integers(arrays.fetch(layer(arrays.place(x), arrays.place(wanted))))
    for item, image in enumerate(integers(x)):
        expected = reference.block(TENSORS, "blocks.0", image)
        assert everywhere[item] == expected
        assert some[item] == [expected[i // 3][i % 3] for i in wanted]
