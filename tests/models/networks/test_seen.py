"""What masked networks see of text and images: integer features against their definition, cell by cell."""

from dataclasses import replace

import numpy as np
import pytest
import reference_masked as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import MASKED

from catzip.models.backends.base import NumpyArray
from catzip.models.networks.masked_convnet import ConvNetConfig
from catzip.models.networks.pixels import Digits, _window, is_exact, look, to_depth
from catzip.models.networks.windows import seeing, table_rows, window_rows

SEEDS = st.integers(0, 2**32 - 1)
WINDOWS = st.lists(
    st.tuples(
        st.integers(1, 16), st.lists(st.integers(-5, 5), min_size=1, max_size=9, unique=True).map(tuple)
    ),
    min_size=1,
    max_size=4,
)
IMAGES = sorted(name for name, config in MASKED.items() if isinstance(config, ConvNetConfig))


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, length=st.integers(1, 9), alphabet=st.sampled_from([2, 27, 250]), windows=WINDOWS)
def test_windows(seed: int, length: int, alphabet: int, windows: list):
    symbols = np.random.RandomState(seed).randint(0, alphabet + 1, (3, length)).astype(np.uint8)
    got = window_rows(symbols, alphabet, windows)
    assert got.shape == (len(windows), 3, length) and got.min() >= 0
    for window, rows in zip(windows, got, strict=True):
        assert rows.max() < table_rows(window, alphabet)
        assert rows.tolist() == [reference.windows(item, alphabet, window) for item in symbols.tolist()]


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, length=st.integers(1, 12), windows=WINDOWS, count=st.integers(0, 12))
def test_windows_at_some_positions(seed: int, length: int, windows: list, count: int):
    random = np.random.RandomState(seed)
    symbols, at = random.randint(0, 28, (3, length)).astype(np.uint8), random.randint(0, length, count)
    everywhere = window_rows(symbols, 27, windows)
    assert np.array_equal(window_rows(symbols, 27, windows, at), everywhere[:, :, at])


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, length=st.integers(1, 12), windows=WINDOWS, share=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_which_windows_see_a_change(seed: int, length: int, windows: list, share: float):
    changed = np.random.RandomState(seed).rand(length) < share
    offsets = [offset for _, offsets in windows for offset in offsets]
    within = [[i + d for d in offsets if 0 <= i + d < length] for i in range(length)]
    assert seeing(changed, windows).tolist() == [i for i in range(length) if changed[within[i]].any()]


def drawn(config: ConvNetConfig, seed: int, count: int = 2) -> tuple[NumpyArray, NumpyArray]:
    """Images uint8 [count, D] and which dimensions of each are known: few, many, none."""
    random, size = np.random.RandomState(seed), int(np.prod(config.shape))
    values = random.randint(0, config.base**config.stages, (count, size)).astype(np.uint8)
    return values, random.rand(count, size) < random.choice([0, 0.1, 0.7], (count, 1))


def by_dimension(config: ConvNetConfig, row: NumpyArray) -> dict:
    return dict(zip(np.ndindex(*config.shape), row.tolist(), strict=True))


@pytest.mark.parametrize("share", [0.001, 0.5, 1])
@pytest.mark.parametrize("most", [1, 511])
def test_the_largest_window_is_exact(share: float, most: int):
    """In float32, against integers; of the largest sums and, where all that is told is known, the largest divisors."""
    side, random = 127, np.random.RandomState(3)
    middle = 510 - random.randint(0, most, (1, side, side, 1))
    told = random.rand(1, side, side, 1) < share
    average, count, size = _window(middle.astype(np.float32), told, 63)
    centre = side // 2
    total, number = int(middle[told].sum()), int(told.sum())
    assert (size, count[0, centre, centre, 0]) == (side * side, number)
    assert average[0, centre, centre, 0] == (2 * total + number) // max(2 * number, 1)


def test_no_images_at_all():
    """As a stage of a training batch may have none."""
    config = MASKED[IMAGES[0]]
    values, known = drawn(config, 1, count=0)
    seen = look(values, known, 0, config.digits, config.shape, config.reaches)
    height, width, _ = config.shape
    assert seen.features.shape == (0, height // 2, width // 2, config.features)
    assert seen.guess.shape == values.shape


def test_larger_windows_are_refused():
    """But for those that are cut off at the edges of small images."""
    large = (128, 130, 3)
    assert is_exact(63, large) and is_exact(255, (8, 8, 3)) and is_exact(200, (2, 1000))
    for reach, shape in ((64, large), (256, (8, 8, 3)), (-1, large), (1.5, large)):
        assert not is_exact(reach, shape)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="windows of up to 255 pixels each way and 16129 in all"):
        replace(MASKED[IMAGES[0]], reaches=(1, 256))


@pytest.mark.parametrize("name", IMAGES)
@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, data=st.data())
def test_pixels(name: str, seed: int, data: st.DataObject):
    config = MASKED[name]
    stage = data.draw(st.integers(0, config.stages - 1))
    values, known = drawn(config, seed)
    got = look(values, known, stage, config.digits, config.shape, config.reaches)
    for i in range(len(values)):
        seen = reference.Seen(config, by_dimension(config, values[i]), by_dimension(config, known[i]), stage)
        assert by_dimension(config, got.guess[i]) == {d: seen.guess(d) for d in np.ndindex(*config.shape)}
        for y, x, dimensions in reference.deep(config):
            assert got.tokens[i, y, x].tolist() == [seen.token(d) for d in dimensions]
            assert got.features[i, y, x].tolist() == seen.features(dimensions)


@pytest.mark.parametrize("name", IMAGES)
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, data=st.data())
def test_what_is_known_of_all_images_may_be_said_once(name: str, seed: int, data: st.DataObject):
    config = MASKED[name]
    stage = data.draw(st.integers(0, config.stages - 1))
    values, known = drawn(config, seed, 3)
    each = look(values, np.repeat(known[:1], 3, 0), stage, config.digits, config.shape, config.reaches)
    once = look(values, known[:1], stage, config.digits, config.shape, config.reaches)
    for ours, theirs in (
        (each.tokens, once.tokens),
        (each.features, once.features),
        (each.guess, once.guess),
    ):
        assert ours.dtype == theirs.dtype and np.array_equal(ours, theirs)


@pytest.mark.parametrize("base,stages", [(256, 1), (4, 4), (2, 8), (16, 2)])
def test_rows_of_tokens_are_apart(base: int, stages: int):
    """Every stage's intervals, with its digit and without, have rows of their own, and there are no others."""
    digits, rows = Digits(base, stages), []
    values = np.arange(base**stages, dtype=np.uint8)[None].repeat(2, 0)
    for stage in range(stages):
        known = np.array([[False], [True]]).repeat(values.shape[1], 1)
        shape = (2, values.shape[1] // 2, 1)
        for tokens in look(values, known, stage, digits, shape, (1,)).tokens:
            rows += sorted(set(tokens.ravel().tolist()))
    assert rows == list(range(digits.rows()))


def test_space_to_depth():
    x = np.arange(2 * 4 * 6 * 3).reshape(2, 4, 6, 3)
    got = to_depth(x)
    assert got.shape == (2, 2, 3, 12)
    for b, y, x_, c in np.ndindex(*x.shape):
        assert got[b, y // 2, x_ // 2, (y % 2 * 2 + x_ % 2) * 3 + c] == x[b, y, x_, c]
