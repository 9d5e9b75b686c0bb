"""Exact convolutions are their formula in Python's integers, on every backend, for any positions asked for."""

import numpy as np
import pytest
import reference_masked as reference
from backends import BACKENDS, backend
from hypothesis import given, settings
from hypothesis import strategies as st
from test_grid import SEEDS, integers, residual
from tiny_models import MASKED, tiny_checkpoint

from catzip.models.layers.convolution import Block, patches

TENSORS, WIDTH = tiny_checkpoint("images").arrays, MASKED["images"].width


def slices(size: int) -> st.SearchStrategy[slice]:
    """That are not empty."""
    return st.tuples(st.integers(0, size - 1), st.integers(1, size)).map(
        lambda ends: slice(ends[0], max(ends[0] + 1, ends[1]))
    )


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=10, deadline=None)
@given(data=st.data(), seed=SEEDS, height=st.integers(1, 4), width=st.integers(1, 4))
def test_patches(name: str, data: st.DataObject, seed: int, height: int, width: int):
    """At all positions, and in any part."""
    arrays = backend(name)
    codes = np.random.RandomState(seed).randint(-127, 128, (2, height, width, 3)).astype(np.float32)
    part = data.draw(st.tuples(slices(height), slices(width)))
    everywhere, some = (
        integers(arrays.fetch(patches(arrays, arrays.place(codes), *where))) for where in ((), (part,))
    )
    for image, whole, found in zip(integers(codes), everywhere, some, strict=True):
        expected = [[reference.patch(image, y, x) for x in range(width)] for y in range(height)]
        assert whole == expected
        assert found == [row[part[1]] for row in expected[part[0]]]


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=4, deadline=None)
@given(seed=SEEDS, count=st.integers(1, 6))
def test_block(name: str, seed: int, count: int):
    """At all positions, at some in any order, and in a part, whose border is not the image's."""
    arrays, random = backend(name), np.random.RandomState(seed)
    x, wanted = residual(random, 2, 2, 3, WIDTH), random.permutation(6)[:count]
    layer = Block(arrays, TENSORS, "blocks.0")
    everywhere = integers(arrays.fetch(layer(arrays.place(x))))
    some = integers(arrays.fetch(layer(arrays.place(x), wanted=arrays.place(wanted))))
    part = slice(1, 2), slice(0, 2)
    inner = integers(arrays.fetch(layer(arrays.place(x), part)))
    for item, image in enumerate(integers(x)):
        expected = reference.block(TENSORS, "blocks.0", image)
        assert everywhere[item] == expected
        assert inner[item] == [row[part[1]] for row in expected[part[0]]]
        assert some[item] == [expected[i // 3][i % 3] for i in wanted]
