"""The laws of the order-agnostic family: over a network that hashes what it sees, tiny random ones, and the shipped."""

from copy import copy
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from backends import OTHERS, backend
from hashed_net import HashedNet
from hypothesis import given, settings
from hypothesis import strategies as st
from model_laws import (
    assert_bits_left_over_are_noticed,
    assert_every_segment_needs_its_stack,
    assert_length_is_likelihood,
    assert_refused_before_anything_is_allocated,
    assert_round_trip,
    assert_samples_are_symbols,
    assert_symbols_outside_the_alphabet_are_refused,
)
from tiny_models import MASKED, masked, shipped

from catzip.benchmarks.matrix.probe import SharingWorkers
from catzip.benchmarks.matrix.recording import trace
from catzip.compressor.errors import ModelMismatchError
from catzip.models.backends.base import NumpyArray
from catzip.models.backends.workers import Workers
from catzip.models.families.ardm.codec import ARDM
from catzip.models.families.ardm.schedules import CallSchedule, every_step, uniform
from catzip.models.families.identity import Identity

HASHED = {
    "letters": HashedNet(24, 27),
    "bytes": HashedNet(12, 256),
    "upscale": HashedNet(12, 4, 4),
    "one-dimension": HashedNet(1, 16, 2),
}
SHIPPED = shipped("ardm")
TINY = (*HASHED, *MASKED)
MODELS = (*TINY, *SHIPPED)

CUTS = {
    "nothing": (0, 0, 1),
    "one symbol": (0, 1, 1),
    "one item": (1, 0, 1),
    "one item and one symbol": (1, 1, 2),
    "an item but for one symbol": (1, -1, 1),
    "an exact multiple": (6, 0, 3),
    "a last segment of one item": (7, 0, 3),
    "a last segment of one symbol": (6, 1, 3),
    "more items than workers": (27, -1, 27),  # of any network: see `MaskedNet.least`
    "every item a segment": (5, 2, 1),
}
"""Items, symbols more than those, items of a segment."""


@cache
def model(name: str, device: str = "cpu", threads: int = 1) -> ARDM:
    """Over a hash, a tiny random network, or the shipped one of this name."""
    if name not in HASHED:
        return masked(name, device, threads)
    net = HASHED[name]
    digits, order = net.size * net.stages, np.random.RandomState(0).permutation(net.size)
    cuts = {calls: uniform(net.stages, net.size, calls) for calls in (5, 10, 20) if calls < digits}
    cuts[digits] = every_step(net.stages, net.size)
    schedules = {calls: CallSchedule(order, groups) for calls, groups in cuts.items()}
    identity, shape = Identity(name, "array", name.encode()), (net.size,)
    return ARDM(identity, net, shape, schedules, min(cuts), Workers(threads))


def noise(coder: ARDM, items: int, more: int = 0, seed: int = 0) -> NumpyArray:
    """So many items and more symbols, uint8 [n], near each other as those of a picture are."""
    random, count = np.random.RandomState(seed), items * coder.network.size + more
    walk = np.cumsum(random.randint(-3, 4, max(0, count))) + random.randint(coder.alphabet)
    return (walk % coder.alphabet).astype(np.uint8)


def few_steps(coder: ARDM) -> int:
    """The first number of a plan with the smallest budget."""
    return coder.budgets[0] % coder.budgets[-1]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", TINY)
def test_decode_undoes_encode_at_the_edges(name: str, cut: str):
    coder, (items, more, each) = model(name, threads=2), CUTS[cut]
    symbols = noise(coder, items, more)
    each = max(1, min(each, -(-len(symbols) // coder.network.size)))
    assert_round_trip(coder, symbols, (few_steps(coder), each))


@pytest.mark.parametrize("name", TINY)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_decode_undoes_encode(name: str, data: st.DataObject):
    coder = model(name)
    content = data.draw(st.binary(min_size=1, max_size=90))
    symbols = (np.frombuffer(content, np.uint8).astype(int) % coder.alphabet).astype(np.uint8)
    each = data.draw(st.integers(1, -(-len(symbols) // coder.network.size)))
    assert_round_trip(coder, symbols, (data.draw(st.sampled_from((0, *coder.budgets[:-1]))), each))


@pytest.mark.parametrize("name", TINY)
def test_decode_undoes_encode_under_its_own_plan_for_every_budget(name: str):
    coder = model(name)
    for steps in (None, 0, *coder.budgets):
        symbols = noise(coder, 2, coder.network.size // 2)
        assert_round_trip(coder, symbols, coder.plan(len(symbols), steps))


@pytest.mark.parametrize("name", MODELS)
def test_pmfs_are_the_same_however_they_are_evaluated(name: str):
    """By one thread or more, in encoding and decoding."""
    coder = model(name)
    symbols = noise(coder, 21 if name in TINY else 2, coder.network.size // 2)
    plan = coder.plan(len(symbols), coder.budgets[0])
    first = trace(coder, symbols, plan)
    assert first.pushed == first.popped
    for threads in (2, 3):
        shared = copy(coder)
        shared.workers = workers = SharingWorkers(threads)
        assert trace(shared, symbols, plan) == first
        assert workers.shared == min(threads, len(symbols) // coder.network.size)


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_is_its_items(name: str):
    """Whatever else is in it, and whatever else is wanted of them."""
    coder, random = model(name), np.random.RandomState(5)
    net, items = coder.network, 7 if name in TINY else 2
    values = noise(coder, items).reshape(items, -1)
    for stage in range(net.stages):
        known = random.rand(net.size) < 0.4
        wanted = random.permutation(np.flatnonzero(~known))
        whole = net.frequencies(values, known, stage, wanted)
        assert whole.dtype == np.uint32 and whole.shape == (items, len(wanted), net.base)
        alone = [net.frequencies(values[i : i + 1], known, stage, wanted) for i in range(items)]
        assert np.array_equal(np.concatenate(alone), whole)
        half = wanted[: len(wanted) // 2]
        assert np.array_equal(net.frequencies(values, known, stage, half), whole[:, : len(half)])


@pytest.mark.parametrize("name", SHIPPED)
def test_one_dimension_alone_is_what_it_is_among_all(name: str):
    """Though a network may look at its surroundings alone."""
    coder, random = model(name), np.random.RandomState(6)
    net = coder.network
    values, known = noise(coder, 2).reshape(2, -1), random.rand(net.size) < 0.3
    wanted = np.flatnonzero(~known)
    for stage in range(net.stages):
        whole = net.frequencies(values, known, stage, wanted)
        for i in {0, len(wanted) - 1, *random.randint(len(wanted), size=10)}:
            alone = net.frequencies(values, known, stage, wanted[i : i + 1])
            assert np.array_equal(alone, whole[:, i : i + 1])


@pytest.mark.parametrize("name", MODELS)
def test_the_network_looks_at_what_is_known_and_at_no_more(name: str):
    coder, random = model(name), np.random.RandomState(3)
    net = coder.network
    symbols = noise(coder, 2).reshape(2, -1).astype(int)
    for stage in range(net.stages):
        known, below = random.rand(net.size) < 0.6, net.base ** (net.stages - 1 - stage)
        wanted = np.flatnonzero(~known)
        first = net.frequencies(symbols.astype(np.uint8), known, stage, wanted)
        if not len(wanted):
            continue
        hidden = np.where(known, below, below * net.base)
        other = symbols // hidden * hidden + random.randint(0, 1 << 30, symbols.shape) % hidden
        assert np.array_equal(net.frequencies(other.astype(np.uint8), known, stage, wanted), first)
        moved = np.where(known, (symbols + below) % coder.alphabet, symbols)
        if known.any():
            assert not np.array_equal(net.frequencies(moved.astype(np.uint8), known, stage, wanted), first)


@pytest.mark.parametrize("device", [each for each in OTHERS if each != "torch-int8"])
@pytest.mark.parametrize("name", [*MASKED, *SHIPPED])
def test_every_backend_makes_the_same_pmfs(name: str, device: str):
    backend(device)  # skips where there is none
    coder = model(name)
    symbols = noise(coder, 5 if name in MASKED else 1, coder.network.size // 2)
    plan = coder.plan(len(symbols), coder.budgets[0])
    assert trace(model(name, device), symbols, plan) == trace(coder, symbols, plan)


@pytest.mark.parametrize("name", MODELS)
def test_the_length_is_the_likelihood(name: str):
    coder = model(name)
    symbols = noise(coder, 1500 // coder.network.size + 1, seed=1)
    for steps in coder.budgets if name in HASHED else coder.budgets[:1]:
        assert_length_is_likelihood(coder, symbols, coder.plan(len(symbols), steps))


@pytest.mark.parametrize("name", TINY)
def test_items_do_not_know_of_each_other(name: str):
    """Nor do segments."""
    coder, size = model(name), model(name).network.size
    symbols, steps = noise(coder, 5, size // 2), few_steps(coder)
    whole = coder.nll(symbols, (steps, 5))
    assert coder.nll(symbols, (steps, 2)) == pytest.approx(whole, rel=1e-12)
    parts = [symbols[start : start + size] for start in range(0, len(symbols), size)]
    assert sum(coder.nll(part, (steps, 1)) for part in parts) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("name", [name for name in TINY if name != "one-dimension"])
def test_another_budget_is_another_distribution(name: str):
    coder = model(name)
    symbols = noise(coder, 3)
    bits = {coder.nll(symbols, coder.plan(len(symbols), steps)) for steps in coder.budgets}
    assert len(bits) == len(coder.budgets)


@pytest.mark.parametrize("name", TINY)
def test_draws_are_the_models_own(name: str):
    """Each seed has its own, and they cost less than noise: the model thinks them likely."""
    coder = model(name)
    for steps in {*coder.budgets[:2], coder.budgets[-1]}:
        drawn = coder.sample(20, steps, np.random.RandomState(7))
        assert drawn.shape == (20, coder.network.size) and drawn.dtype == np.uint8
        assert np.array_equal(drawn, coder.sample(20, steps, np.random.RandomState(7)))
        assert not np.array_equal(drawn, coder.sample(20, steps, np.random.RandomState(8)))
        plan, other = (
            coder.plan(drawn.size, steps),
            np.random.RandomState(9).randint(coder.alphabet, size=drawn.size),
        )
        assert coder.nll(drawn.ravel(), plan) < coder.nll(other.astype(np.uint8), plan)
    assert_samples_are_symbols(coder, None)
    assert coder.sample(0, None, np.random.RandomState(7)).shape == (0, coder.network.size)


@pytest.mark.parametrize("name", TINY)
def test_bits_left_over_are_noticed(name: str):
    coder = model(name)
    assert_bits_left_over_are_noticed(coder, noise(coder, 4, 1), (few_steps(coder), 2))


@pytest.mark.parametrize("name", TINY)
def test_every_segment_needs_its_stack(name: str):
    coder = model(name)
    assert_every_segment_needs_its_stack(coder, noise(coder, 4, 1), (few_steps(coder), 2))


@pytest.mark.parametrize("name", [name for name in MODELS if model(name).alphabet == 27])
def test_symbols_outside_the_alphabet_are_refused(name: str):
    assert_symbols_outside_the_alphabet_are_refused(model(name), (0, 1))


def test_budgets_and_plans():
    coder = model("letters")
    assert coder.budgets == (5, 10, 20, 24) and coder.shape == (24,)
    assert coder.plan(100) == (5, 5) and coder.plan(0) == (5, 1) and coder.plan(1, 10) == (10, 1)
    assert coder.plan(24, 0) == coder.plan(24, 24) == (0, 1)
    for steps in (1, 6, 25, -1):
        with pytest.raises(ModelMismatchError, match="letters codes in 5, 10, 20, 24 "):
            coder.plan(100, steps)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_have_budgets(name: str):
    """And more steps cost fewer bits, or they would be of no use."""
    coder = model(name)
    symbols = coder.sample(2, 100, np.random.RandomState(0)).ravel()
    assert coder.budgets[:-1] == (5, 10, 20, 50, 100)
    bits = [coder.nll(symbols, coder.plan(len(symbols), steps)) for steps in (5, 20, 100)]
    assert all(left > right for left, right in pairwise(bits))


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 1 << 26) | st.integers(1, 300))
def test_models_make_plans_that_can_be(name: str, count: int):
    coder = model(name)
    sizes = coder.segment_sizes(count, coder.plan(count))
    assert sum(sizes) == count and min(sizes) >= 1 and max(sizes) <= 1 << 16
    assert all(size % coder.network.size == 0 for size in sizes[:-1])


IMPOSSIBLE = {
    "a budget that there is not": (100, (6, 1)),
    "all steps, by their number": (100, (24, 1)),
    "no items in a segment": (100, (5, 0)),
    "a segment longer than the frame": (100, (5, 6)),
    "a segment larger than a decoder holds": (10**9, (5, 5462)),
    "more segments than there may be": (1 << 26, (5, 1)),
    "a segment beyond any memory": (2**62, (5, 2**57)),
    "steps beyond any number": (100, (2**70, 1)),
    "a number missing": (100, (5,)),
    "a number too many": (100, (5, 1, 1)),
    "nothing": (100, ()),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_plans_that_cannot_be_are_refused_before_anything_is_allocated(name: str):
    assert_refused_before_anything_is_allocated(model("letters"), *IMPOSSIBLE[name])
