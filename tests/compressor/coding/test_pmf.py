"""PMFs keep their four invariants."""

import numpy as np
import pytest
from helpers import random_freqs

from catzip.compressor.coding.pmf import MAX_SYMBOLS, PMF, TOTAL

HALF = TOTAL // 2


def rows(*values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.uint32)


def test_holds_rows_and_symbols():
    pmf = PMF(random_freqs(np.random.RandomState(0), 5, 7))
    assert (len(pmf), pmf.symbols) == (5, 7)


@pytest.mark.parametrize(
    ("freqs", "message"),
    [
        (rows([HALF, HALF]).astype(np.int64), "int64, expected uint32"),
        (rows([HALF, HALF]).astype(np.float64), "float64, expected uint32"),
        (rows([HALF, HALF])[0], r"shape \(2,\)"),
        (rows([TOTAL]), r"shape \(1, 1\)"),
        (np.ones((1, MAX_SYMBOLS + 1), np.uint32), "shape"),
        (rows([HALF, HALF], [TOTAL, 0]), "row 1 has a frequency of 0"),
        (rows([HALF, HALF], [HALF, HALF + 1]), "row 1 sums to 16777217"),
        (rows([HALF, HALF - 1]), "row 0 sums to 16777215"),
        # 2**32 + 2**24: a sum in 32 bits would come out right
        (rows([2**32 - 1, TOTAL + 1]), "row 0 sums to 4311744512"),
    ],
)
def test_rejects_what_breaks_an_invariant(freqs: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        PMF(freqs)


def test_no_rows_are_fine():
    assert len(PMF(np.zeros((0, 3), np.uint32))) == 0


def test_frequencies_are_read_only():
    pmf = PMF(rows([HALF, HALF]))
    with pytest.raises(ValueError, match="read-only"):
        pmf.freqs[0, 0] = 1


def test_bits_are_exact_for_powers_of_two():
    pmf = PMF(rows([HALF, HALF], [TOTAL // 4, 3 * (TOTAL // 4)], [1, TOTAL - 1]))
    assert pmf.bits(np.array([1, 0, 0])).tolist() == [1.0, 2.0, 24.0]


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        (np.array([0, 2]), r"span 0..2, outside the alphabet 0..1"),
        (np.array([-1, 0]), r"span -1..0"),
        (np.array([0]), r"shape \(1,\), expected \(2,\)"),
        (np.array([0.0, 1.0]), "float64, expected an integer"),
    ],
)
def test_rejects_symbols_that_do_not_fit(symbols: np.ndarray, message: str):
    pmf = PMF(rows([HALF, HALF], [HALF, HALF]))
    with pytest.raises(ValueError, match=message):
        pmf.bits(symbols)


def test_of_bits_is_the_pmf_of_both():
    ones = np.array([1, 5, HALF, TOTAL - 1])
    pmf = PMF.of_bits(ones)
    assert np.array_equal(pmf.freqs, PMF(np.stack([TOTAL - ones, ones], 1).astype(np.uint32)).freqs)
    assert pmf.freqs.dtype == np.uint32 and not pmf.freqs.flags.writeable
    assert len(PMF.of_bits(np.zeros(0, np.int64))) == 0


@pytest.mark.parametrize("wrong", [0, TOTAL, -1])
def test_of_bits_rejects_what_is_certain(wrong: int):
    with pytest.raises(ValueError, match=f"1 to {TOTAL - 1} are possible"):
        PMF.of_bits(np.array([HALF, wrong]))


@pytest.mark.parametrize("shape", [(1, 2), (3, 7), (2, 256), (1, MAX_SYMBOLS), (0, 5)])
def test_of_weights_is_in_proportion_and_leaves_nothing_out(shape: tuple[int, int]):
    weights = np.random.RandomState(1).randint(0, 1000, shape).astype(np.int64) ** 2
    weights[:, 0] = 0
    pmf = PMF.of_weights(weights)  # which checks the invariants
    share = (TOTAL - shape[1]) * weights.astype(float) / weights.sum(axis=1, keepdims=True)
    off = pmf.freqs - share
    largest = np.arange(shape[1]) == weights.argmax(axis=1)[:, None]
    assert (off[:, 0] == 1).all()
    assert (off > 0).all() and (off[~largest] <= 1).all() and (off[largest] <= shape[1]).all()


def test_of_weights_takes_the_first_of_the_largest_for_what_is_left():
    assert PMF.of_weights(np.array([[1, 5, 5]])).freqs.tolist() == [[1525202, 7626008, 7626006]]


def test_of_weights_goes_up_to_2_to_the_39():
    most = (1 << 39) - 1
    assert PMF.of_weights(np.array([[most, 0]])).freqs.tolist() == [[TOTAL - 1, 1]]
    assert PMF.of_weights(np.array([[255, 1]], np.uint8)).freqs.tolist() == [
        [TOTAL * 255 // 256, TOTAL // 256]
    ]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.array([[1.0, 2.0]]), "float64"),
        (np.array([1, 2]), r"expected integers \[N, K\]"),
        (np.array([[1]]), r"int64 \(1, 1\)"),
        (np.array([[1, -1]]), r"span -1\.\.1"),
        (np.array([[1, 1], [0, 0]]), r"sum to 0\.\.2"),
        (np.array([[1 << 39, 0]]), "2\\*\\*39 - 1 are possible"),
        (np.array([[1 << 38, 1 << 38]]), "sum to 549755813888"),
        (np.array([[1 << 63, 1]], np.uint64), "span 1"),
    ],
)
def test_of_weights_rejects_what_has_no_proportions(weights: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        PMF.of_weights(weights)
