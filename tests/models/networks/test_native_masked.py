"""Masked networks on the compiled core give the integers of the NumPy layers, call by call."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import native
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native import ALL
from tiny_models import MASKED, tiny_checkpoint

from catzip.models.backends.base import CODE_MAX, WEIGHT_MAX, NumpyArray
from catzip.models.backends.native import trial
from catzip.models.backends.native.masked_structures import Masked
from catzip.models.backends.native.structures import BLOCK, ROWS, address
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.families.ardm.random import random_checkpoint
from catzip.models.layers.attention import POSITION_MAX
from catzip.models.layers.grid import Tensors
from catzip.models.networks import native_convnet, native_transformer
from catzip.models.networks.masked_convnet import ConvNet, ConvNetConfig
from catzip.models.networks.masked_transformer import Transformer, TransformerConfig
from catzip.models.networks.native_network import NativeNetwork

NUMPY = NumpyArrays()
SEEDS = st.integers(0, 2**32 - 1)
Config = TransformerConfig | ConvNetConfig
Net = Transformer | ConvNet | native_transformer.NativeTransformer | native_convnet.NativeConvNet
every_variant = pytest.mark.parametrize("name", ALL)


def compiled(config: Config, tensors: Tensors) -> Net | None:
    """On the core that runs, or None."""
    if isinstance(config, ConvNetConfig):
        return native_convnet.compiled(config, tensors, NUMPY)
    return native_transformer.compiled(config, tensors, NUMPY)


def pair(name: str, config: Config, tensors: Tensors) -> tuple[Net, Net]:
    """On this variant and on NumPy."""
    kind = ConvNet if isinstance(config, ConvNetConfig) else Transformer
    with native.chosen(name):
        core = compiled(config, tensors)
    assert isinstance(core, NativeNetwork)
    return core, kind(config, tensors, NUMPY)


@cache
def tiny(name: str, network: str) -> tuple[Net, Net]:
    return pair(name, MASKED[network], tiny_checkpoint(network).arrays)


def assert_same(nets: tuple[Net, Net], seed: int, items: int = 3, most: int = 1 << 16) -> None:
    """What is known grows from call to call, with a cache, but for the last, which knows something else."""
    random, (net, reference) = np.random.RandomState(seed), nets
    values = random.randint(0, net.alphabet, (items, net.size)).astype(np.uint8)
    stage, order = random.randint(net.stages), random.permutation(net.size)
    caches = net.new_cache(), reference.new_cache()
    for count in [*sorted(random.randint(0, net.size, 3)), random.randint(net.size)]:
        known = np.zeros(net.size, np.bool_)
        known[order[:count]] = True
        wanted = order[count:][: random.randint(1, min(net.size - count, most) + 1)]
        asked = values, known, stage, wanted
        found = net.frequencies(*asked, caches[0])
        assert found.dtype == np.uint32
        assert np.array_equal(found, reference.frequencies(*asked, caches[1]))
        assert np.array_equal(found[:1], net.frequencies(values[:1], *asked[1:]))


@every_variant
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, rows=st.integers(1, 30), pairs=st.integers(1, 70), blocks=st.integers(1, 12))
def test_products_of_pairs_are_exact(name: str, seed: int, rows: int, pairs: int, blocks: int):
    """Weights are up to 511 and values up to 127, often at the ends."""
    random = np.random.RandomState(seed)
    numbers = random.choice([-511, 511, 1, 0, 300], (rows, 2 * pairs)).astype(np.int16)
    values = random.choice([-127, 127, 3], (blocks * BLOCK, 2 * pairs)).astype(np.int16)
    laid = values.reshape(blocks, BLOCK, pairs, 2).swapaxes(1, 2)
    weight = np.ascontiguousarray((laid[..., 1].astype(np.uint32) << 16) | laid[..., 0].astype(np.uint16))
    found = np.empty((rows, blocks * BLOCK), np.int32)
    sizes = 2 * pairs, blocks * BLOCK, address(numbers), 2 * pairs, rows
    Masked.of(native.variant(name)).pair_product(address(weight), *sizes, address(found))
    assert np.array_equal(found, numbers.astype(np.int64) @ values.T)


@every_variant
def test_the_trial_notices_a_wrong_product_of_pairs(name: str, monkeypatch: pytest.MonkeyPatch):
    """Off by one in the last sum."""
    core, right = native.variant(name), Masked.of(native.variant(name))

    class Wrong:
        @staticmethod
        def pair_product(*given: int) -> None:
            right.pair_product(*given)
            size = given[2] * given[5]
            np.ctypeslib.as_array((np.ctypeslib.as_ctypes_type(np.int32) * size).from_address(given[6]))[
                -1
            ] += 1

    assert trial.check(core)
    monkeypatch.setattr(Masked, "of", lambda core: Wrong)
    assert not trial.check(core)


@every_variant
@pytest.mark.parametrize("network", sorted(MASKED))
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_tiny_networks_are_those_of_numpy(name: str, network: str, seed: int):
    assert_same(tiny(name, network), seed)


def extreme(tensors: Tensors, random: np.random.RandomState) -> Tensors:
    """With weights, codes and positions at the ends of their ranges, most of them at the same one."""

    def ends(most: int, array: NumpyArray) -> NumpyArray:
        signs = np.where(random.rand(*array.shape) < random.choice([0.03, 0.5]), -most, most)
        return signs.astype(array.dtype)

    found = dict(tensors)
    for name, array in tensors.items():
        for part, most in ((".weight", WEIGHT_MAX), (".table", CODE_MAX), (".position", POSITION_MAX)):
            if name.endswith(part):
                found[name] = ends(most, array)
    return found


@every_variant
@pytest.mark.parametrize("network", sorted(MASKED))
@pytest.mark.parametrize("exponent", [0, 9])
def test_networks_of_extreme_weights_are_those_of_numpy(name: str, network: str, exponent: int):
    """All is clipped with steps of 1, and with finer ones next to nothing."""
    random, tensors = np.random.RandomState(exponent), tiny_checkpoint(network).arrays
    for _ in range(3):
        changed = extreme(tensors, random)
        changed |= {
            key: np.full_like(array, exponent) for key, array in tensors.items() if key.endswith(".exponent")
        }
        assert_same(pair(name, MASKED[network], changed), random.randint(1 << 30))


CHUNKS, PIXELS = MASKED["letter-chunks"], MASKED["images"]
SIZES: dict[str, Config] = {
    "least": replace(
        CHUNKS, alphabet=2, length=1, width=1, heads=1, hidden=1, embed=1, windows=((1, (0,)),)
    ),
    "more than a tile": replace(CHUNKS, length=ROWS + 1, width=33, heads=3, hidden=70, times=3),
    "deep": replace(CHUNKS, length=ROWS + 5, width=16, depth=3, heads=2, times=1),
    "bytes": replace(
        CHUNKS, alphabet=254, length=40, windows=((9, (-255, 255)), (5, (-3, -2, -1, 1, 2, 3, 4, 5)), (3, (7,)))
    ),
    "two pixels": replace(PIXELS, shape=(2, 2, 1), width=1, hidden=1, embed=1, components=1),
    "windows beyond the image": replace(PIXELS, shape=(4, 10, 4), reaches=(0, 2, 255), width=17, depth=3),
    "no windows": replace(PIXELS, shape=(22, 2, 2), reaches=(), hidden=33, base=16, components=5),
    "bits": replace(PIXELS, shape=(6, 6, 3), base=2, stages=5, fine=("inputs",), width=40),
    "more positions than a tile": replace(PIXELS, shape=(26, 30, 3), width=16, embed=1, depth=2),
}  # fmt: skip


@every_variant
@pytest.mark.parametrize("depth", [1, 2])
def test_attention_to_many_places_is_that_of_numpy(name: str, depth: int):
    """With scores that are close to each other, so that each weight counts."""
    config = replace(CHUNKS, length=70, depth=depth, heads=2, times=1)
    tensors = dict(random_checkpoint(config, "own").arrays)
    for key, array in tensors.items():
        if key.endswith(".position"):
            tensors[key] = array >> 6
        if key.endswith(".query.exponent"):
            tensors[key] = array + 6
    nets = pair(name, config, tensors)
    for seed in range(2):
        assert_same(nets, seed, items=2)


@every_variant
@pytest.mark.parametrize("size", SIZES)
def test_networks_of_any_size_are_those_of_numpy(name: str, size: str):
    config = SIZES[size]
    nets = pair(name, config, random_checkpoint(config, "own").arrays)
    for seed in range(2):
        assert_same(nets, seed, items=1 + seed, most=120)


@every_variant
@pytest.mark.parametrize("network", ["letter-chunks", "images-upscale"])
def test_what_is_no_symbol_reads_nothing_beyond_a_table(name: str, network: str):
    """The network is not asked about such values; if it were, it would answer: the sanitizers see what it reads."""
    net, _ = tiny(name, network)
    values = np.full((2, net.size), 255, np.uint8)
    for stage in range(net.stages):
        found = net.frequencies(values, np.arange(net.size) > 0, stage, np.arange(1))
        assert (found.sum(-1, dtype=np.int64) == 1 << 24).all()


CHANGES: dict[str, tuple[str, str, Callable[[NumpyArray], NumpyArray]]] = {
    "a sum that leaves int32": ("letter-chunks", "inputs.exponent", lambda array: array - 40),
    "a table of another type": ("letter-chunks", "place.table", lambda array: array.astype(np.int16)),
    "rows that are missing": ("letter-chunks", "windows.1.table", lambda array: array[1:]),
    "a layer of another width": ("letter-chunks", "head.weight", lambda array: array[:, 1:]),
    "an exponential that is too large": ("letter-chunks", "exp", lambda array: array * 2),
    "a convolution that leaves int32": ("images", "blocks.0.conv.exponent", lambda array: array - 40),
    "tokens that are missing": ("images", "tokens.table", lambda array: array[1:]),
    "a distribution function that is short": ("images", "logistic.cdf", lambda array: array[1:]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_are_not_safe_for_the_core_are_left_to_numpy(change: str):
    network, name, changed = CHANGES[change]
    config, arrays = MASKED[network], tiny_checkpoint(network).arrays
    with native.chosen("generic"):
        assert compiled(config, arrays)
        assert not compiled(config, arrays | {name: changed(arrays[name])})


def test_what_the_core_has_no_room_for_is_left_to_numpy():
    with native.chosen("generic"):
        for config in (replace(CHUNKS, depth=17), replace(PIXELS, depth=17)):
            assert not compiled(config, random_checkpoint(config, "deep").arrays)


def test_arrays_that_are_not_numpys_are_left_where_they_are():
    others = type("OtherArrays", (NumpyArrays,), {})()
    with native.chosen("generic"):
        assert compiled(PIXELS, arrays := tiny_checkpoint("images").arrays)
        assert not native_convnet.compiled(PIXELS, arrays, others)
