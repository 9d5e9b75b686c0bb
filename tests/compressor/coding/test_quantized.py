"""Grids of up to 2**20 values: every value is coded, at the cost that the CDF says."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import CODEC_LAWS, Case, random_stack

from catzip.compressor.coding.pmf import PMF
from catzip.compressor.coding.quantized import MAX_VALUES, Quantized
from catzip.compressor.coding.stack import Stack

CDF = Callable[[np.ndarray], np.ndarray]

SHAPES: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
    "flat": lambda k, at, values: k / values,
    "one value has all": lambda k, at, values: (k > at).astype(float),
    "nothing but the first": lambda k, at, values: (k > 0).astype(float),
    "nothing but the last": lambda k, at, values: (k >= values).astype(float),
    "logistic": lambda k, at, values: 1 / (1 + np.exp(-np.clip((k - at) / (0.01 * values), -60, 60))),
    "two values": lambda k, at, values: 0.5 * (k > 0) + 0.5 * (k > at),
    "steep at the ends": lambda k, at, values: 0.5 + 0.5 * (2 * k / values - 1) ** 15,
}


def exact(shape: str, at: np.ndarray, values: int, precision: int) -> CDF:
    """That shape in integers: one for each of the places `at`, [N]."""

    def cdf(k: np.ndarray) -> np.ndarray:
        share = np.clip(SHAPES[shape](k, at[:, None], values), 0, 1)
        found = np.floor(share * 2.0**precision).astype(np.int64)
        return np.where(k == 0, 0, np.where(k == values, 1 << precision, found))

    return cdf


def ideal(cdf: CDF, x: np.ndarray, values: int, precision: int) -> np.ndarray:
    """Bits of each of x [N] where each value has one more of 2**38: float64 [N]."""
    mass = np.diff(cdf(x[:, None] + np.arange(2)))[:, 0] * 2.0 ** (38 - precision) + 1
    return -np.log2(mass / (2.0**38 + values))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_laws_and_cost_over_extreme_distributions(data: st.DataObject):
    values = data.draw(st.sampled_from([1, 2, 3, 16, 17, 255, 256, 257, 1 << 12, 65537, MAX_VALUES]))
    values = data.draw(st.just(values) | st.integers(1, MAX_VALUES))
    precision = data.draw(st.sampled_from([1, 16, 24, 32]))
    places = st.lists(st.integers(0, values - 1) | st.sampled_from([0, values - 1]), min_size=3, max_size=3)
    at, x = np.array(data.draw(places)), np.array(data.draw(places))
    cdf = exact(data.draw(st.sampled_from(list(SHAPES))), at, values, precision)
    codec = Quantized(cdf, 3, values, precision)
    bits = ideal(cdf, x, values, precision)
    # A digit has 2**24 shares and not 2**38: one that is less likely than a share costs less than it should.
    assert codec.bits(x) <= bits.sum() + 0.001
    if bits.max() < 16:
        assert codec.bits(x) == pytest.approx(bits.sum(), abs=0.01)
    for law in CODEC_LAWS:
        law(Case(codec, x), random_stack(np.random.RandomState(len(at)), data.draw(st.sampled_from([0, 40]))))


@pytest.mark.parametrize("values", [1, 2, 15, 16, 17, 31, 33, 255, 257, 300])
@pytest.mark.parametrize("shape", SHAPES)
def test_shares_of_all_values_are_one(shape: str, values: int):
    """Each is positive, and together they are no more and no less than there is to have."""
    cdf = exact(shape, np.full(1, values // 3), values, 24)
    shares = [2.0 ** -Quantized(cdf, 1, values).bits(np.array([x])) for x in range(values)]
    assert min(shares) > 0 and sum(shares) == pytest.approx(1, abs=1e-9)


def test_rows_are_short(monkeypatch: pytest.MonkeyPatch):
    widths = []
    push = Stack.push
    monkeypatch.setattr(Stack, "push", lambda self, x, pmf: (widths.append(pmf.symbols), push(self, x, pmf)))
    Quantized(exact("flat", np.zeros(4), MAX_VALUES, 32), 4, MAX_VALUES, 32).push(Stack(), np.arange(4))
    assert widths == [16] * 5


def test_a_flat_grid_costs_its_size():
    values = 1_000_003 % MAX_VALUES
    codec = Quantized(exact("flat", np.zeros(500), values, 32), 500, values, 32)
    x = np.random.RandomState(0).randint(0, values, 500)
    assert codec.bits(x) == pytest.approx(500 * np.log2(values), rel=1e-4)
    assert codec.pop(random_stack(np.random.RandomState(1), 2000)).max() < values


@pytest.mark.parametrize(
    "wrong",
    [
        lambda k: (k == 9) * (1 << 24) - (k == 4),
        lambda k: np.where(k == 9, 1 << 23, 0),
        lambda k: np.where(k == 0, 1, 1 << 24),
        lambda k: (8 - np.abs(k - 8)) << 21,
    ],
)
def test_functions_that_are_no_cdf_are_refused(wrong: CDF):
    codec = Quantized(wrong, 2, 9)
    for use in (lambda: codec.push(Stack(), np.array([3, 8])), lambda: codec.pop(Stack())):
        with pytest.raises(ValueError, match="CDF falls"):
            use()


@pytest.mark.parametrize("wrong", [(-1, 9, 24), (1, 0, 24), (1, MAX_VALUES + 1, 24), (1, 9, 0), (1, 9, 33)])
def test_grids_that_cannot_be_are_refused(wrong: tuple[int, int, int]):
    with pytest.raises(ValueError, match="are possible"):
        Quantized(lambda k: k, *wrong)


@pytest.mark.parametrize("wrong", [[0, 9], [-1, 0], [1], [1, 2, 3], [[1], [2]], [0.5, 1.0]])
def test_values_outside_the_grid_are_refused(wrong: list[object]):
    codec = Quantized(exact("flat", np.zeros(2), 9, 24), 2, 9)
    stack = random_stack(np.random.RandomState(2), 20)
    before = stack.to_bytes()
    with pytest.raises(ValueError, match="values"):
        codec.push(stack, np.array(wrong))
    assert stack.to_bytes() == before


def test_digits_of_16_values_are_the_row_itself():
    """Against a plain PMF, where one row is enough."""
    freqs = np.array([[1 << 20] * 16], np.uint32)
    edges = np.concatenate([[0], freqs[0].cumsum(dtype=np.int64)])
    codec, plain = Quantized(lambda k: edges[k], 1, 16), PMF(freqs)
    assert codec.bits(np.array([5])) == pytest.approx(plain.bits(np.array([5]))[0], abs=1e-6)
