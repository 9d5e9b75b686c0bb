"""Tiles cover images, evenly, in runs of one size; cuts that no encoder makes are refused."""

import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catzip.compressor.errors import CorruptError
from catzip.models.families.idf.tiles import MAX_SIDE, Tiling

LENGTHS = st.integers(1, 40)


@given(st.integers(1, 3), LENGTHS, LENGTHS, st.sampled_from([1, 3]), st.integers(1, 45), st.integers(1, 7))
def test_runs_cover_every_pixel_once(
    images: int, height: int, width: int, channels: int, side: int, each: int
):
    tiling = Tiling(5, (images, height, width, channels), side, each)
    tiling.check()
    symbols = np.random.RandomState(0).randint(0, 256, 5 + tiling.size + 3).astype(np.uint8)
    restored = np.zeros_like(symbols)
    runs = list(tiling.runs())
    for run in runs:
        cut = run.cut(tiling.images(symbols))
        assert cut.shape == run.shape and len(run.tiles) <= each
        run.put(tiling.images(restored), cut)
    assert np.array_equal(restored[5:-3], symbols[5:-3]) and not restored[:5].any()
    assert [run.size for run in runs] == tiling.run_sizes() and sum(tiling.run_sizes()) == tiling.size


@given(LENGTHS, LENGTHS, st.integers(1, 45))
def test_tiles_are_few_and_even(height: int, width: int, side: int):
    runs = list(Tiling(0, (1, height, width, 1), side, 1).runs())
    assert len(runs) == -(-height // side) * -(-width // side)
    for length, axis in ((height, 1), (width, 2)):
        found = {run.shape[axis] for run in runs}
        assert max(found) <= min(side, length) and max(found) - min(found) <= 1


@given(LENGTHS, LENGTHS, st.integers(1, 12), st.integers(1, 9))
def test_only_the_last_run_of_a_size_is_short(height: int, width: int, side: int, each: int):
    runs = list(Tiling(0, (2, height, width, 1), side, each).runs())
    sizes = [run.shape[1:] for run in runs]
    assert sizes == sorted(sizes)
    full = Counter(size for run, size in zip(runs, sizes, strict=True) if run.shape[0] < each)
    assert max(full.values(), default=0) <= 1


IMPOSSIBLE = {
    "no side": ((1, 8, 8, 3), 0, 1),
    "a side beyond any": ((1, 8, 8, 3), MAX_SIDE + 1, 1),
    "two channels": ((1, 8, 8, 2), 8, 1),
    "four channels": ((1, 8, 8, 4), 8, 1),
    "no tiles in a run": ((1, 8, 8, 1), 8, 0),
    "a run of more than a decoder holds": ((1, 600, 600, 1), 100, 14),
    "more runs than a frame has": ((1, 1000, 1000, 1), 1, 15),
    "more images than there may be runs": ((1 << 30, 1, 1, 1), 1, 1),
    "a width beyond any memory": ((1, 1, 1 << 70, 1), 8, 1),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_cuts_that_cannot_be_are_refused(name: str):
    shape, side, each = IMPOSSIBLE[name]
    with pytest.raises(CorruptError, match="coding plan"):
        Tiling(0, shape, side, each).check()


def test_many_tiles_take_no_memory():
    """A plan may ask for millions of them, which fit into few runs."""
    tiling = Tiling(0, (1, 1 << 13, 1 << 13, 1), 1, 1 << 10)
    tracemalloc.start()
    tiling.check()
    assert tiling.run_sizes() == [1 << 10] * (1 << 16)
    next(tiling.runs())
    assert tracemalloc.get_traced_memory()[1] < 1 << 26
    tracemalloc.stop()
