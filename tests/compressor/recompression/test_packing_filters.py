"""Filters undo what they do, byte for byte as the PNG specification has it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from png_files import filter_row

from catzip.compressor.recompression import filters

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 2, 3, 4, 6, 8]))


@st.composite
def pictures(draw, kinds=5):
    """Rows uint8 [H, W, B], and a filter of the first `kinds` for each."""
    shape = draw(SHAPES)
    return draw(arrays(np.uint8, shape)), draw(arrays(np.uint8, shape[0], elements=st.integers(0, kinds - 1)))


@settings(max_examples=60, deadline=None)
@given(pictures())
def test_undo_is_the_inverse_of_apply(picture):
    rows, kinds = picture
    assert np.array_equal(filters.undo(filters.apply(rows, kinds), kinds), rows)
    assert np.array_equal(filters.apply(filters.undo(rows, kinds), kinds), rows)


@settings(max_examples=30, deadline=None)
@given(pictures(kinds=3))
def test_without_diagonals_too(picture):
    rows, kinds = picture
    assert np.array_equal(filters.undo(filters.apply(rows, kinds), kinds), rows)


@settings(max_examples=60, deadline=None)
@given(pictures(), st.data())
def test_in_strips_it_is_the_same(picture, data):
    rows, kinds = picture
    cut = data.draw(st.integers(1, len(rows)))
    whole, chosen = filters.apply(rows, kinds), filters.choose(rows)
    parts = ((rows[:cut], kinds[:cut], None), (rows[cut:], kinds[cut:], rows[cut - 1]))
    assert np.array_equal(np.concatenate([filters.apply(*part) for part in parts if len(part[0])]), whole)
    below = [filters.choose(part, above) for part, _, above in parts if len(part)]
    assert np.array_equal(np.concatenate(below), chosen)
    if cut < len(rows):
        assert np.array_equal(filters.undo(whole[cut:], kinds[cut:], rows[cut - 1]), rows[cut:])


@settings(max_examples=30, deadline=None)
@given(pictures())
def test_as_the_specification_has_it(picture):
    rows, kinds = picture
    flat = rows.reshape(len(rows), -1)
    above = [b"", *(row.tobytes() for row in flat[:-1])]
    expected = [
        filter_row(int(kind), row.tobytes(), up, rows.shape[2])
        for kind, row, up in zip(kinds, flat, above, strict=True)
    ]
    found = filters.apply(rows, kinds).reshape(len(rows), -1)
    assert [bytes([kind]) + row.tobytes() for kind, row in zip(kinds, found, strict=True)] == expected


def test_bands_join(monkeypatch):
    rows = np.random.RandomState(1).randint(0, 256, (40, 7, 3)).astype(np.uint8)
    kinds = np.arange(40, dtype=np.uint8) % 5
    whole, chosen = filters.apply(rows, kinds), filters.choose(rows)
    monkeypatch.setattr(filters, "_BAND", 50)
    assert np.array_equal(filters.apply(rows, kinds), whole)
    assert np.array_equal(filters.choose(rows), chosen)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (np.tile(np.arange(50, dtype=np.uint8)[:, None] * 37, (1, 40)), filters.UP),
        (np.tile(np.arange(40, dtype=np.uint8) * 37, (50, 1)), filters.UP),
        (np.zeros((50, 40), np.uint8), filters.NONE),
        (np.cumsum(np.ones((50, 40), np.uint8) * 3, axis=1, dtype=np.uint8), filters.UP),
    ],
)
def test_the_filter_that_leaves_least_is_chosen(rows, kind):
    chosen = filters.choose(np.ascontiguousarray(rows)[:, :, None])
    left = filters.apply(rows[:, :, None], chosen)
    assert chosen.dtype == np.uint8
    assert np.minimum(left, -left).sum() <= min(
        np.minimum(each, -each).sum()
        for each in (filters.apply(rows[:, :, None], np.full(50, k, np.uint8)) for k in range(5))
    )
    assert chosen[-1] in (kind, filters.SUB, filters.NONE, filters.PAETH)


def test_pairs_of_bytes_are_counted():
    rows = np.array([[1, 1, 1, 1], [1, 2, 1, 2], [1, 2, 3, 4]], np.uint8)
    assert filters.pairs(rows).tolist() == [1, 2, 3]
    assert filters.pairs(rows[:, :1]).tolist() == [0, 0, 0]
