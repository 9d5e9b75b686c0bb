"""Layouts: every symbol has one place, segments cover them all, and plans that cannot be are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_laws import assert_refused_before_anything_is_allocated
from tiny_models import CONFIGS, model, shipped

from catzip.compressor.errors import CorruptError
from catzip.compressor.format.container import MAX_FRAME
from catzip.models.families.lanes import MAX_LANES, MAX_SEGMENT, Layout


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """Any layout of up to 3,000 symbols."""
    count = draw(st.integers(1, 3000) | st.integers(1, 40))
    lanes = draw(st.integers(1, min(MAX_LANES, count)))
    steps = -(-count // lanes)
    return Layout.of(count, (lanes, draw(st.integers(1, steps) | st.just(steps))))


@settings(max_examples=100, deadline=None)
@given(layouts())
def test_grid_and_back(layout: Layout):
    symbols = np.random.RandomState(layout.count).randint(1, 256, layout.count).astype(np.uint8)
    whole = layout.columns(0, layout.steps)
    grid = whole.cut(symbols)
    assert grid.shape == (layout.steps, layout.lanes) and grid.dtype == np.uint8
    again = np.zeros_like(symbols)
    whole.put(again, grid)
    assert np.array_equal(again, symbols)
    parts = [layout.columns(*segment) for segment in layout.segments()]
    again[:] = 0
    for part in parts:
        assert np.array_equal(part.cut(symbols), grid[part.start : part.stop])
        part.put(again, grid[part.start : part.stop])
    assert np.array_equal(again, symbols)
    # Each lane is consecutive text, and only the last step has lanes without a symbol: the last ones.
    lanes = [grid[:, lane] for lane in range(layout.lanes)]
    assert b"".join(lane[lane > 0].tobytes() for lane in lanes) == symbols.tobytes()
    assert (grid[:-1] > 0).all()
    assert (grid[-1] > 0).sum() == layout.active(layout.steps - 1)
    assert (grid[-1, : layout.active(layout.steps - 1)] > 0).all()


@settings(max_examples=100, deadline=None)
@given(layouts())
def test_segments_cover_every_step(layout: Layout):
    segments = list(layout.segments())
    assert [start for start, _ in segments] == [0, *(stop for _, stop in segments[:-1])]
    assert segments[-1][1] == layout.steps
    sizes = [layout.size(*segment) for segment in segments]
    assert sizes == [sum(layout.active(t) for t in range(*segment)) for segment in segments]
    assert sum(sizes) == layout.count and min(sizes) >= 1
    assert max(sizes) <= MAX_SEGMENT


def test_a_layout_by_hand():
    layout = Layout.of(7, (3, 2))
    assert layout.columns(0, 3).cut(np.arange(1, 8, dtype=np.uint8)).tolist() == [
        [1, 4, 6],
        [2, 5, 7],
        [3, 0, 0],
    ]
    assert [layout.active(t) for t in range(3)] == [3, 3, 1]
    assert [layout.size(*segment) for segment in layout.segments()] == [6, 1]


IMPOSSIBLE = {
    "no lanes": (100, (0, 5)),
    "more lanes than symbols": (100, (101, 1)),
    "more lanes than there may be": (10**6, (MAX_LANES + 1, 1)),
    "no steps in a segment": (100, (4, 0)),
    "a segment longer than the frame": (100, (4, 26)),
    "a segment larger than a decoder holds": (10**9, (1000, 132)),
    "more segments than there may be": (1 << 26, (1, 1)),
    "lanes beyond any memory": (2**62, (2**61, 1)),
    "a segment beyond any memory": (2**62, (1, 2**61)),
    "a number missing": (100, (4,)),
    "a number too many": (100, (4, 5, 6)),
    "nothing": (100, ()),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_plans_that_cannot_be(name: str):
    with pytest.raises(CorruptError, match=r"cannot have .*coding plan"):
        Layout.of(*IMPOSSIBLE[name])


@pytest.mark.parametrize("name", IMPOSSIBLE)
@pytest.mark.parametrize("which", ["letters", *shipped("autoregressive")])
def test_models_refuse_them_before_they_allocate(which: str, name: str):
    assert_refused_before_anything_is_allocated(model(which), *IMPOSSIBLE[name])


@pytest.mark.parametrize("name", [*CONFIGS, *shipped("autoregressive")])
@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, MAX_FRAME) | st.integers(1, 3000))
def test_models_make_plans_that_can_be(name: str, count: int):
    """One lane while a cold start would cost more than it saves; lanes that fill as the file grows."""
    coder = model(name)
    layout = Layout.of(count, coder.plan(count))
    assert layout.lanes == 1 or layout.steps >= 256
    assert layout.lanes >= min(128, count // 20_000)
    if count < 10**6:
        sizes = coder.segment_sizes(count, coder.plan(count))
        assert sum(sizes) == count and max(sizes) <= MAX_SEGMENT
