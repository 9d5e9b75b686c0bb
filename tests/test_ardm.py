"""The laws of the order-agnostic family, over a network that is a hash of what it sees, and over tiny real ones."""

import tracemalloc
from functools import cache

import numpy as np
import pytest
from hashed_net import HashedNet
from hypothesis import given, settings
from hypothesis import strategies as st

from catzip.benchmarks.recording import trace
from catzip.compressor.errors import CorruptError, ModelMismatchError
from catzip.compressor.model import Plan
from catzip.compressor.stack import Stack
from catzip.models.ardm import ARDM
from catzip.models.arrays import NumpyArray
from catzip.models.identity import Identity
from catzip.models.schedules import Schedule, every_step, uniform
from catzip.models.workers import Workers

NETS = {
    "letters": HashedNet(24, 27),
    "bytes": HashedNet(12, 256),
    "upscale": HashedNet(12, 4, 4),
    "one-dimension": HashedNet(1, 16, 2),
}


@cache
def model(name: str, threads: int = 1, at_once: int = 5) -> ARDM:
    net = NETS[name]
    digits, order = net.size * net.stages, np.random.RandomState(0).permutation(net.size)
    cuts = {calls: uniform(net.stages, net.size, calls) for calls in (5, 10, 20) if calls < digits}
    cuts[digits] = every_step(net.stages, net.size)
    schedules = {calls: Schedule(order, groups) for calls, groups in cuts.items()}
    identity, shape = Identity(name, "array", name.encode()), (net.size,)
    return ARDM(identity, net, shape, schedules, min(cuts), Workers(threads), at_once)


def noise(coder: ARDM, count: int, seed: int = 0) -> NumpyArray:
    return np.random.RandomState(seed).randint(0, coder.alphabet, count).astype(np.uint8)


def coded(coder: ARDM, symbols: NumpyArray, plan: Plan) -> list[bytes]:
    return [stack.to_bytes() for stack in coder.encode(symbols, plan)]


def decoded(coder: ARDM, segments: list[bytes], count: int, plan: Plan) -> NumpyArray:
    return coder.decode(map(Stack.from_bytes, segments), count, plan)


def assert_round_trip(coder: ARDM, symbols: NumpyArray, plan: Plan) -> None:
    segments, sizes = coded(coder, symbols, plan), coder.segment_sizes(len(symbols), plan)
    assert len(segments) == len(sizes) and sum(sizes) == len(symbols)
    restored = decoded(coder, segments, len(symbols), plan)
    assert restored.dtype == np.uint8 and np.array_equal(restored, symbols)


CUTS = {
    "nothing": (0, 0, 1),
    "one symbol": (0, 1, 1),
    "one item": (1, 0, 1),
    "one item and one symbol": (1, 1, 2),
    "an item but for one symbol": (1, -1, 1),
    "an exact multiple": (6, 0, 3),
    "a last segment of one item": (7, 0, 3),
    "a last segment of one symbol": (6, 1, 3),
    "a short item in every worker's way": (40, -1, 40),
    "every item a segment": (5, 2, 1),
}
"""Items, symbols more than those, items of a segment."""


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", NETS)
def test_decode_undoes_encode_at_the_edges(name: str, cut: str):
    coder, (items, more, each) = model(name, threads=2), CUTS[cut]
    count = max(0, items * coder.network.size + more)
    each = max(1, min(each, -(-count // coder.network.size)))
    for steps in {coder.budgets[0] % coder.budgets[-1], 0}:
        assert_round_trip(coder, noise(coder, count), (steps, each))


@pytest.mark.parametrize("name", NETS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_decode_undoes_encode(name: str, data: st.DataObject):
    coder = model(name)
    content = data.draw(st.binary(min_size=1, max_size=90))
    symbols = (np.frombuffer(content, np.uint8).astype(int) % coder.alphabet).astype(np.uint8)
    each = data.draw(st.integers(1, -(-len(symbols) // coder.network.size)))
    assert_round_trip(coder, symbols, (data.draw(st.sampled_from((0, *coder.budgets[:-1]))), each))


@pytest.mark.parametrize("name", NETS)
def test_decode_undoes_encode_under_its_own_plan(name: str):
    coder = model(name)
    for steps in (None, 0, *coder.budgets):
        assert_round_trip(coder, noise(coder, 100), coder.plan(100, steps))


@pytest.mark.parametrize("name", NETS)
def test_pmfs_are_the_same_however_they_are_evaluated(name: str):
    """Threads, batches and segments, encoding and decoding; and items do not know of each other."""
    count = 21 * NETS[name].size + NETS[name].size // 2
    symbols = noise(model(name), count)
    for steps in {model(name).budgets[0] % model(name).budgets[-1], 0}:
        plan = (steps, len(symbols) // NETS[name].size)
        first = trace(model(name), symbols, plan)
        assert first.pushed == first.popped
        for threads, at_once in ((1, 1), (2, 5), (3, 1000)):
            assert trace(model(name, threads, at_once), symbols, plan) == first
        whole = model(name).nll(symbols, plan)
        assert model(name).nll(symbols, (steps, 2)) == pytest.approx(whole, rel=1e-12)
        alone = symbols[NETS[name].size :]
        first_item = model(name).nll(symbols[: NETS[name].size], (steps, 1))
        assert model(name).nll(alone, (steps, 1)) == pytest.approx(whole - first_item, rel=1e-9)


@pytest.mark.parametrize("name", NETS)
def test_the_network_does_not_look_at_what_is_hidden(name: str):
    """Or PMFs would be the same in encoding and decoding only because both hide it."""
    net, random = NETS[name], np.random.RandomState(3)
    symbols = noise(model(name), 3 * net.size).reshape(3, net.size)
    for stage in range(net.stages):
        known, above = random.rand(net.size) < 0.5, net.stages - 1 - stage
        hidden = np.where(known, net.base**above, net.base ** (above + 1))
        other = symbols // hidden * hidden + random.randint(0, 1 << 30, symbols.shape) % hidden
        wanted = np.flatnonzero(~known)
        one, two = (net.frequencies(each.astype(np.uint8), known, stage, wanted) for each in (symbols, other))
        assert np.array_equal(one, two)


@pytest.mark.parametrize("name", NETS)
def test_the_length_is_the_likelihood(name: str):
    coder, count = model(name), 2000
    for steps in coder.budgets:
        plan = coder.plan(count, steps)
        symbols = noise(coder, count, seed=1)
        bits = 8 * sum(map(len, coded(coder, symbols, plan)))
        nll = coder.nll(symbols, plan)
        assert abs(bits - nll) <= 0.001 * nll + 64 * len(coder.segment_sizes(count, plan))


@pytest.mark.parametrize("name", ["letters", "bytes", "upscale"])
def test_steps_are_the_schedule(name: str):
    """Another schedule of the same network has other PMFs, and costs something else."""
    coder = model(name)
    symbols = noise(coder, 300)
    assert len({coder.nll(symbols, coder.plan(300, steps)) for steps in coder.budgets}) == len(coder.budgets)


@pytest.mark.parametrize("name", NETS)
def test_draws_are_of_the_models_own_making(name: str):
    """Typical of it: they cost about what the PMFs expect of them, which for noise they do not."""
    coder = model(name)
    for steps in coder.budgets:
        drawn = coder.draw(50, steps, np.random.RandomState(7))
        assert drawn.shape == (50, coder.network.size) and drawn.dtype == np.uint8
        assert np.array_equal(drawn, coder.draw(50, steps, np.random.RandomState(7)))
        assert not np.array_equal(drawn, coder.draw(50, steps, np.random.RandomState(8)))
        plan = coder.plan(drawn.size, steps)
        assert coder.nll(drawn.ravel(), plan) < coder.nll(noise(coder, drawn.size), plan)
        assert_round_trip(coder, drawn.ravel(), plan)
    assert coder.draw(0, None, np.random.RandomState(7)).shape == (0, coder.network.size)


@pytest.mark.parametrize("name", NETS)
def test_bits_left_over_are_noticed(name: str):
    coder = model(name)
    count, plan = 4 * coder.network.size + 1, (0, 2)
    segments = coded(coder, noise(coder, count), plan)
    for i in range(len(segments)):
        longer = [*segments]
        longer[i] += b"\1\2\3\4\5"
        with pytest.raises(CorruptError, match="left over"):
            decoded(coder, longer, count, plan)


@pytest.mark.parametrize("name", NETS)
def test_every_segment_needs_its_stack(name: str):
    coder = model(name)
    count, plan = 4 * coder.network.size + 1, (0, 2)
    segments = coded(coder, noise(coder, count), plan)
    for wrong in (segments[:-1], [], [*segments, b""]):
        with pytest.raises(ValueError):
            decoded(coder, wrong, count, plan)


@pytest.mark.parametrize("wrong", [27, 31, 200])
def test_symbols_outside_the_alphabet_are_refused(wrong: int):
    with pytest.raises(ValueError, match="outside the alphabet"):
        list(model("letters").encode(np.array([1, 2, wrong], np.uint8), (0, 1)))


def test_budgets_and_plans():
    coder = model("letters")
    assert coder.budgets == (5, 10, 20, 24) and coder.shape == (24,)
    assert coder.plan(100) == (5, 5) and coder.plan(0) == (5, 1) and coder.plan(1, 10) == (10, 1)
    assert coder.plan(24, 0) == coder.plan(24, 24) == (0, 1)
    assert coder.plan(10**9)[1] * 24 <= 1 << 16
    for steps in (1, 6, 25, -1):
        with pytest.raises(ModelMismatchError, match="letters codes in 5, 10, 20, 24 "):
            coder.plan(100, steps)


@pytest.mark.parametrize("name", NETS)
@settings(max_examples=60, deadline=None)
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
    coder, (count, plan) = model("letters"), IMPOSSIBLE[name]
    tracemalloc.start()
    with pytest.raises(CorruptError, match="coding plan"):
        coder.decode(iter([]), count, plan)
    with pytest.raises(CorruptError, match="coding plan"):
        coder.segment_sizes(count, plan)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 16
