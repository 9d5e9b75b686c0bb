"""Corrections: what they do to mixtures is the same on every backend, and what is sent of them comes back."""

from collections.abc import Mapping

import numpy as np
import pytest
from backends import BACKENDS, backend
from hypothesis import given, settings
from hypothesis import strategies as st
from model_laws import assert_bits_left_over_are_noticed, assert_length_is_likelihood, assert_round_trip
from test_idf import ANY_SIZE, channels, image
from tiny_models import flow, plain_plan

from catzip.compressor.coding.pmf import TOTAL
from catzip.compressor.coding.stack import Stack
from catzip.models.backends.base import NumpyArray
from catzip.models.backends.workers import Workers
from catzip.models.families.idf import codec as idf
from catzip.models.families.idf.corrections import (
    BIAS,
    EXPONENTS,
    SPREADS,
    Corrections,
    CorrectionsCodec,
    Weights,
    best_spread,
    weight_pmf,
)
from catzip.models.families.idf.costs import costs
from catzip.models.families.idf.enc_fitting import Recorder
from catzip.models.families.idf.flow import Flow
from catzip.models.families.idf.squeeze import Head
from catzip.models.layers.grid import ACT
from catzip.models.layers.logistics import MEAN, MEAN_MAX

COMPONENTS = 2


def random_weights(inputs: Mapping[Head, int], seed: int = 0) -> dict[Head, NumpyArray]:
    """Weights of every spread: the first row of a head is wider than the second, those of every third head are 0."""
    random = np.random.RandomState(seed)
    found = {}
    for i, (head, count) in enumerate(inputs.items()):
        rows = random.normal(0, [[30], [3]], (2, count + 1)).round().clip(-63, 63).astype(np.int64)
        found[head] = rows * (i % 3 != 2)
    return found


def expected(head_inputs: NumpyArray, y: NumpyArray, weights: NumpyArray) -> NumpyArray:
    """By Python's integers: half a step is added, and what is below a step falls away."""
    made = y.astype(int)
    for n, codes in enumerate(head_inputs.astype(int)):
        for row, exponent, first in zip(
            weights.tolist(), EXPONENTS, (COMPONENTS, 2 * COMPONENTS), strict=True
        ):
            total = sum(k * code for k, code in zip(row, [*codes.tolist(), BIAS], strict=True))
            steps = 2 ** (exponent + ACT - MEAN)
            made[n, first : first + COMPONENTS] += (total + steps // 2) // steps
    return made.clip(-MEAN_MAX, MEAN_MAX)


@pytest.mark.parametrize("device", BACKENDS)
def test_mixtures_are_moved_by_exact_products(device: str):
    arrays, random = backend(device), np.random.RandomState(3)
    head_inputs = random.randint(-127, 128, (50, 140))
    y = random.randint(-MEAN_MAX, MEAN_MAX + 1, (50, 3 * COMPONENTS))
    weights = random_weights({(0, 0): 140, (0, 1): 140, (1, 0): 140})
    adjust = Corrections(arrays, weights, COMPONENTS)
    for head in weights:
        placed = [arrays.place(each.astype(np.float32)) for each in (head_inputs, y)]
        made = arrays.fetch(adjust(*head, *placed, np.zeros(50, np.int32)))
        assert np.array_equal(made, expected(head_inputs, y, weights[head]))
        assert np.array_equal(made, y) != weights[head].any()


@settings(max_examples=50, deadline=None)
@given(
    counts=st.lists(st.integers(1, 9), max_size=6),
    kinds=st.lists(st.sampled_from([0, 1, 7, 63]), min_size=12, max_size=12),
    seed=st.integers(0, 1000),
)
def test_what_is_sent_comes_back(counts: list[int], kinds: list[int], seed: int):
    """Rows of small and of large weights, and of none."""
    inputs: dict[Head, int] = {(i, 2 * i): count for i, count in enumerate(counts)}
    random, most = np.random.RandomState(seed), np.reshape(kinds, (6, 2, 1))
    weights = {
        head: random.randint(-most[i], most[i] + 1, (2, count + 1))
        for i, (head, count) in enumerate(inputs.items())
    }
    stack = Stack()
    CorrectionsCodec(inputs).push(stack, weights)
    again = CorrectionsCodec(inputs).pop(Stack.from_bytes(stack.to_bytes()))
    assert again.keys() == weights.keys() and all(np.array_equal(again[at], weights[at]) for at in weights)


def test_none_cost_next_to_nothing():
    inputs = {(phase, channel): 99 for phase in range(3) for channel in range(3)}
    stack = Stack()
    CorrectionsCodec(inputs).push(stack, {head: np.zeros((2, 100), np.int64) for head in inputs})
    assert len(stack.to_bytes()) <= 1


def test_every_weight_has_a_frequency_in_every_spread():
    rows = weight_pmf(np.arange(1, SPREADS)).freqs.astype(np.int64)
    assert (rows > 0).all() and (rows.sum(1) == TOTAL).all()
    assert (np.diff(rows[:, 63]) < 0).all(), "the wider, the less for 0"
    assert (np.diff(rows[:, 63:]) <= 0).all() and (np.diff(rows[:, :64]) >= 0).all()


@pytest.mark.parametrize("scale", [0.3, 2, 10, 40])
def test_the_spread_that_is_sent_is_the_cheapest(scale: float):
    row = np.random.RandomState(1).normal(0, scale, 80).round().clip(-63, 63).astype(int)
    exact = -np.log2(weight_pmf(np.arange(1, SPREADS)).freqs[:, row + 63] / TOTAL).sum(1)
    assert exact[best_spread(row) - 1] <= 1.01 * exact.min()
    assert best_spread(np.zeros(80, int)) == 0


@pytest.fixture
def corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoder sends `random_weights`, whatever would suit the image; none for what it has not."""

    def chosen(net: Flow, workers: Workers, picture: NumpyArray, has_rct: bool) -> Weights:
        height, width, depth = picture.shape
        empty = net.empty_heads((height, width), depth)
        weights = random_weights(net.heads(depth))
        return {head: each * (head not in empty) for head, each in weights.items()}

    monkeypatch.setattr(idf, "best_corrections", chosen)


@pytest.mark.usefixtures("corrected")
@pytest.mark.parametrize("name", ANY_SIZE)
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (11, 6)])
def test_any_weights_make_a_codec(name: str, grey: bool, shape: tuple[int, int]):
    """In one segment and in several, with and without colour transforms, and where a row is left over."""
    depth = 1 if grey else channels(name)
    symbols, coder = image(2, *shape, depth).ravel(), flow(name)
    for extra in (2,) if depth == 1 else (2, 3):
        plan = plain_plan(coder, len(symbols), (shape[1], depth, 4, 3, extra))
        assert_round_trip(coder, symbols, plan)
        if shape[0] > 1:
            left_over = plain_plan(coder, len(symbols) - 1, plan)
            assert_round_trip(coder, symbols[:-1], left_over)
    assert_length_is_likelihood(coder, symbols, plan)
    assert_bits_left_over_are_noticed(coder, symbols, plan)


@pytest.mark.usefixtures("corrected")
@pytest.mark.parametrize("device", [each for each in BACKENDS if each != "torch-int8"])
def test_every_backend_makes_the_same_file(device: str):
    backend(device)  # skips where there is none
    symbols = image(1, 12, 9, 3).ravel()
    plan = plain_plan(flow("flow-coupled"), len(symbols), (9, 3, 8, 2, 3))
    made, plain = (
        [stack.to_bytes() for stack in flow("flow-coupled", each).encode(symbols, plan)]
        for each in (device, "cpu")
    )
    assert made == plain
    uncorrected = [stack.to_bytes() for stack in flow("flow-coupled").encode(symbols, (*plan[:4], 1))]
    assert len(made[1]) != len(uncorrected[1]), "the second segment, too, is corrected"


@pytest.mark.parametrize("name", ANY_SIZE)
def test_spots_are_the_heads_of_the_finest_level(name: str):
    net = flow(name)._flow
    for depth in {1, channels(name)}:
        assert list(net.heads(depth)) == [(phase, each) for phase in range(3) for each in range(depth)]
        recorder = Recorder(net.arrays)
        costs(net, image(0, 1, 9, 8, depth), recorder)
        heads = {head: head_inputs.shape[1] for head, (head_inputs, _, _) in recorder.seen.items()}
        if depth == channels(name):
            assert heads == net.heads(depth)
        else:  # couplings that put planes back elsewhere may leave some in other channels
            assert len(heads) == 3 and all(net.heads(3)[head] == count for head, count in heads.items())


@pytest.mark.parametrize("name", ANY_SIZE)
@pytest.mark.parametrize("kind", ["noise", "smooth"])
def test_what_is_fitted_to_grey_comes_back(name: str, kind: str):
    picture = image(5, 64, 64, 1, kind=kind)
    assert_round_trip(flow(name), picture.ravel(), flow(name).plan(picture.size, shape=picture.shape))


def test_corrections_of_another_spot_are_refused():
    weights = {(0, 0): np.ones((2, 10), np.int64), (2, 2): np.ones((2, 10), np.int64)}
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        CorrectionsCodec({(0, 0): 9}).push(Stack(), weights)
