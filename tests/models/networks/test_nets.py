"""The masked networks are their formulas, and what they say depends on nothing but what is known of the item."""

from dataclasses import replace
from functools import cache
from unittest.mock import patch

import numpy as np
import pytest
import reference_masked as reference
from backends import BACKENDS, OTHERS, backend
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_layers import softmax
from test_seen import by_dimension
from tiny_models import MASKED, tiny_checkpoint

from catzip.models.backends.base import Arrays, NumpyArray
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.networks.masked_convnet import ConvNet, ConvNetConfig
from catzip.models.networks.masked_transformer import Transformer

TEXTS = sorted(name for name in MASKED if not isinstance(MASKED[name], ConvNetConfig))
IMAGES = sorted(set(MASKED) - set(TEXTS))
SEEDS = st.integers(0, 2**32 - 1)


def network(name: str, arrays: Arrays) -> Transformer | ConvNet:
    config = MASKED[name]
    kind = ConvNet if isinstance(config, ConvNetConfig) else Transformer
    return kind(config, tiny_checkpoint(name).arrays, arrays)


@cache
def on(name: str, device: str) -> Transformer | ConvNet:
    return network(name, backend(device))


class Case:
    """Items of which some dimensions are known at some stage, and some of the others are wanted, in any order."""

    def __init__(self, name: str, seed: int, items: int = 3) -> None:
        net, random = on(name, "cpu"), np.random.RandomState(seed)
        self.values = random.randint(0, net.alphabet, (items, net.size)).astype(np.uint8)
        self.stage = random.randint(net.stages)
        order, count = random.permutation(net.size), random.randint(net.size)
        self.known = np.zeros(net.size, bool)
        self.known[order[:count]] = True
        self.wanted = order[count : count + random.randint(1, net.size - count + 1)]

    def frequencies(self, net: Transformer | ConvNet) -> NumpyArray:
        return net.frequencies(self.values, self.known, self.stage, self.wanted)


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=2, deadline=None)
@given(seed=SEEDS)
def test_the_transformer_is_its_formula(name: str, device: str, seed: int):
    case, tensors, net = Case(name, seed, 1), tiny_checkpoint(name).arrays, on(name, device)
    item, known = case.values[0].tolist(), case.known.tolist()
    logits = reference.transformer(tensors, MASKED[name], item, known, case.wanted.tolist())
    found = case.frequencies(net)
    assert found.dtype == np.uint32 and found.shape == (1, len(case.wanted), net.base)
    assert found[0].tolist() == [softmax(tensors["exp"].tolist(), row) for row in logits]


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("name", IMAGES)
@settings(max_examples=2, deadline=None)
@given(seed=SEEDS)
def test_the_convolutional_network_is_its_formula(name: str, device: str, seed: int):
    case, tensors, net, config = (
        Case(name, seed, 1),
        tiny_checkpoint(name).arrays,
        on(name, device),
        MASKED[name],
    )
    values, known = by_dimension(config, case.values[0]), by_dimension(config, case.known)
    seen = reference.Seen(config, values, known, case.stage)
    outputs = reference.convnet(tensors, config, seen)
    expected = []
    for d in (list(np.ndindex(*config.shape))[i] for i in case.wanted):
        below = config.digits.shift(case.stage)
        first = seen.coarse[d] << seen.below[d]
        edges = [first + (digit << below) for digit in range(config.base + 1)]
        if config.output == "direct":
            expected.append(softmax(tensors["exp"].tolist(), outputs[d]))
        else:
            masses = reference.mixture(tensors, net.alphabet, outputs[d], seen.guess(d), edges)
            expected.append(reference.in_24_bits(masses))
    found = case.frequencies(net)
    assert found.dtype == np.uint32 and found.shape == (1, len(case.wanted), net.base)
    assert found[0].tolist() == expected


@pytest.mark.parametrize("name", sorted(MASKED))
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_frequencies_are_a_distribution(name: str, seed: int):
    found = Case(name, seed).frequencies(on(name, "cpu"))
    assert found.min() >= 1 and (found.sum(-1, dtype=np.int64) == 2**24).all()


@pytest.mark.parametrize("name", sorted(MASKED))
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_what_is_unknown_is_not_looked_at(name: str, seed: int):
    """Neither values that are unknown, nor the digits below the known one."""
    net, case = on(name, "cpu"), Case(name, seed)
    before = case.frequencies(net)
    hidden = (net.base - 1).bit_length() * (net.stages - case.stage - case.known)  # bits of each dimension
    noise = np.random.RandomState(seed).randint(0, 256, case.values.shape) & (1 << hidden) - 1
    case.values = (case.values >> hidden << hidden | noise).astype(np.uint8)
    assert np.array_equal(case.frequencies(net), before)


@pytest.mark.parametrize("name", sorted(MASKED))
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_what_is_known_matters(name: str, seed: int):
    """To most items: such a network is sometimes so sure of a dimension that nothing moves it."""
    net, case = on(name, "cpu"), Case(name, seed, 16)
    case.wanted = np.flatnonzero(~case.known)
    others = case.values[:, case.known]
    before = case.frequencies(net)
    case.values[:, case.known] = (others.astype(int) + net.alphabet // 2) % net.alphabet
    moved = (case.frequencies(net) != before).any(axis=(1, 2))
    assert not case.known.any() or moved.mean() > 0.5


@pytest.mark.parametrize("name", sorted(MASKED))
@settings(max_examples=6, deadline=None)
@given(seed=SEEDS)
def test_any_batch_and_any_wanted_give_the_same(name: str, seed: int):
    """Each item alone, each dimension alone, and arrays as small and as large as they get."""
    net, case = on(name, "cpu"), Case(name, seed, 4)
    found = case.frequencies(net)
    for i in range(4):
        alone = net.frequencies(case.values[i : i + 1], case.known, case.stage, case.wanted)
        assert np.array_equal(alone[0], found[i])
    for q in range(len(case.wanted)):
        one = net.frequencies(case.values, case.known, case.stage, case.wanted[q : q + 1])
        assert np.array_equal(one[:, 0], found[:, q])
    for at_once in (1, 1 << 10, 1 << 11, 1 << 12, 1 << 30):
        arrays = NumpyArrays()
        arrays.at_once = at_once
        assert np.array_equal(case.frequencies(network(name, arrays)), found)


@pytest.mark.parametrize("at_once", [1, None])
@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("name", sorted(MASKED))
@settings(max_examples=3, deadline=None)
@given(seed=SEEDS, calls=st.sampled_from([3, 7, 99]))
def test_a_memory_changes_nothing(name: str, device: str, at_once: int | None, seed: int, calls: int):
    """Over calls in which ever more becomes known, whatever the order: many symbols at a time, or one."""
    net, random, items = on(name, device), np.random.RandomState(seed), 3
    values = random.randint(0, net.alphabet, (items, net.size)).astype(np.uint8)
    order, known, cache = random.permutation(net.size), np.zeros(net.size, bool), net.new_cache()
    stage = random.randint(net.stages)
    with patch.object(net._arrays, "at_once", at_once or net._arrays.at_once):
        for wanted in np.array_split(order, min(calls, net.size)):
            asked = values, known, stage, wanted
            assert np.array_equal(net.frequencies(*asked, cache), net.frequencies(*asked))
            known[wanted] = True


@pytest.mark.parametrize("device", OTHERS)
@pytest.mark.parametrize("name", sorted(MASKED))
@settings(max_examples=6, deadline=None)
@given(seed=SEEDS)
def test_every_backend_gives_the_same(name: str, device: str, seed: int):
    case = Case(name, seed)
    assert np.array_equal(case.frequencies(on(name, device)), case.frequencies(on(name, "cpu")))


def test_networks_read_their_arrays_whole():
    """A table of another length is noticed when a network is built, not when it codes."""
    name = "letter-chunks"
    config = replace(MASKED[name], length=MASKED[name].length + 1)
    with pytest.raises(ValueError, match="positions must be"):
        Transformer(config, tiny_checkpoint(name).arrays, NumpyArrays())
