"""Phases of planes and what is seen around their pixels, against plain indices into the whole plane."""

import numpy as np
import pytest
from backends import BACKENDS, backend
from hypothesis import given, settings
from hypothesis import strategies as st

from catzip.models.backends.base import CODE_MAX, NumpyArray
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.families.idf.squeeze import (
    FACTORED_OUT,
    GREY,
    MARGIN,
    NEAREST,
    PHASES,
    FactoredOut,
    grid,
    inner,
    look,
    sizes,
    squeeze,
    unsqueeze,
    widened,
)

SEEDS = st.integers(0, 1 << 31)
LENGTHS = st.integers(1, 9)


def plane(seed: int, *shape: int) -> NumpyArray:
    return np.random.RandomState(seed).randint(0, 256, shape).astype(np.float32)


@given(seed=SEEDS, batch=st.integers(0, 3), height=st.integers(0, 9), width=st.integers(0, 9))
def test_unsqueeze_undoes_squeeze(seed: int, batch: int, height: int, width: int):
    whole = plane(seed, batch, height, width)
    phases = squeeze(whole)
    assert [each.shape[1:] for each in phases] == sizes((height, width))
    for (row, column), phase in zip(PHASES, phases, strict=True):
        assert np.array_equal(phase, whole[:, row::2, column::2])
    assert np.array_equal(unsqueeze(phases), whole)


@given(seed=SEEDS, height=st.integers(0, 9), width=st.integers(0, 9))
def test_squeeze_undoes_unsqueeze(seed: int, height: int, width: int):
    """They are any four planes whose sizes are those of phases."""
    phases = [plane(seed + i, 2, *size) for i, size in enumerate(sizes((height, width)))]
    for left, right in zip(squeeze(unsqueeze(phases)), phases, strict=True):
        assert np.array_equal(left, right)


def test_neighbours_are_the_nearest_that_are_known():
    """Each phase has its four nearest: across the corner, or beside and above."""
    for out, known in zip(FACTORED_OUT, ({0}, {0, 3}, {0, 1, 3}), strict=True):
        row, column = PHASES[out.phase]
        places = [(2 * y + PHASES[q][0] - row, 2 * x + PHASES[q][1] - column) for q, y, x in out.neighbours]
        distances = [dy * dy + dx * dx for dy, dx in places]
        assert len(set(places)) == len(places) and distances == sorted(distances)
        assert {q for q, _, _ in out.neighbours} == known
        assert sum(map(np.array, places[:NEAREST])).tolist() == [0, 0]
        assert all(max(abs(y), abs(x)) <= MARGIN for _, y, x in out.neighbours)
    assert sorted(out.phase for out in FACTORED_OUT) == [1, 2, 3]
    assert FACTORED_OUT[0] == FactoredOut.of(3, (0,), 3) and FACTORED_OUT[0].features(3) == 3 * 17


@pytest.mark.parametrize("name", BACKENDS)
def test_widened_repeats_the_edges(name: str):
    arrays, whole = backend(name), plane(0, 2, 3, 4)
    wide = widened(arrays, whole, (4, 4))
    rows, columns = np.arange(-MARGIN, 4 + MARGIN).clip(0, 2), np.arange(-MARGIN, 4 + MARGIN).clip(0, 3)
    assert np.array_equal(arrays.fetch(wide), whole[:, rows][:, :, columns])
    assert arrays.fetch(inner(wide)).shape == (2, 4, 4)
    for empty in ((2, 0, 4), (2, 3, 0), (2, 0, 0)):
        grey = arrays.fetch(widened(arrays, np.empty(empty, np.float32), (4, 4)))
        assert grey.shape == (2, 8, 8) and (grey == GREY).all()


def seen(planes: list[NumpyArray], out: FactoredOut, y: int, x: int) -> tuple[list[int], list[int]]:
    """What `look` says of the pixel at y, x of a phase, from planes [h, w] of each channel: codes and guesses."""
    codes, guesses = [], []
    for whole in planes:
        values = []
        for phase, dy, dx in out.neighbours:
            part = squeeze(whole[None])[phase][0]
            if part.size:
                rows, columns = (length - 1 for length in part.shape)
                values.append(int(part[min(max(y + dy, 0), rows), min(max(x + dx, 0), columns)]))
            else:
                values.append(GREY)
        guess = (sum(values[:NEAREST]) + 1) // 2
        raw = [2 * value - guess for value in values] + [(guess + 1) // 2 - GREY]
        codes += [min(max(each, -CODE_MAX), CODE_MAX) for each in raw]
        guesses.append(guess)
    return codes, guesses


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, height=LENGTHS, width=LENGTHS, flat=st.booleans())
def test_look_is_its_formula(name: str, seed: int, height: int, width: int, flat: bool):
    """In planes of two channels, noise or one value, of which the second may be empty."""
    arrays = backend(name)
    planes = [plane(seed, height, width), plane(seed + 1, height, width)[: 0 if seed % 3 == 0 else height]]
    planes[0] = planes[0] * 0 + planes[0][0, 0] if flat else planes[0]
    phases = [squeeze(each[None]) for each in planes]
    size = grid([part for parts in phases for part in parts])
    wide = {i: [widened(arrays, parts[i], size) for parts in phases] for i in range(4)}
    for out in FACTORED_OUT:
        codes, guesses = look(arrays, wide, out, size)
        assert codes.shape == (1, *size, out.features(2))
        for y, x in np.ndindex(*size):
            expected = seen(planes, out, y, x)
            found = arrays.fetch(codes)[0, y, x].tolist(), [float(g[0, y, x]) for g in guesses]
            assert found == expected


def test_look_leaves_what_it_looks_at():
    whole = plane(1, 1, 6, 6)
    wide = {i: [widened(NumpyArrays(), part, (3, 3))] for i, part in enumerate(squeeze(whole))}
    before = {i: each[0].copy() for i, each in wide.items()}
    for out in FACTORED_OUT:
        look(NumpyArrays(), wide, out, (3, 3))
    assert all(np.array_equal(wide[i][0], each) for i, each in before.items())
