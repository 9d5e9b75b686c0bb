"""Flows in the compiled core make the files that NumPy makes, and decode them; on every variant."""

from dataclasses import replace

import native
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_laws import assert_bits_left_over_are_noticed, coded, decoded
from native import ALL
from test_idf import image
from tiny_models import FLOWS, plain_plan, tiny_checkpoint

from catzip.benchmarks.matrix.recording import trace
from catzip.compressor.coding.model import Plan
from catzip.compressor.errors import CorruptError
from catzip.models.backends.base import NumpyArray
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.backends.workers import Workers
from catzip.models.families.idf.codec import CORRECTIONS, IDF, RCT
from catzip.models.families.idf.corrections import Corrections
from catzip.models.families.idf.costs import costs
from catzip.models.families.idf.digests import grained
from catzip.models.families.idf.enc_fitting import best_corrections
from catzip.models.families.idf.flow import Flow, FlowConfig
from catzip.models.families.idf.native_flow import NativeFlow, flow_of
from catzip.models.families.idf.random import FlowModel, random_checkpoint

COLOURED = [*(name for name, each in FLOWS.items() if each.flow.channels == 3), "idf-photo", "idf-cifar10"]
CASES = [(name, 3) for name in COLOURED]
CASES += [
    (name, 1) for name in ("flow", "flow-coupled", "flow-plain", "flow-grey", "flow-grey-array", "idf-mnist")
]
every_variant = pytest.mark.parametrize("name", ALL)


def some(coder: IDF, depth: int) -> tuple[NumpyArray, Plan]:
    """Symbols of several images, or of tiles of odd sizes and what is left over; and a plan with all extras."""
    if coder.shape:
        symbols = image(2, 3, *coder.shape).ravel()
        return symbols, (2,)
    symbols = np.concatenate([image(3, 11, 13, depth).ravel(), image(4, 5)])
    extras = CORRECTIONS if depth == 1 else RCT + CORRECTIONS
    return symbols, plain_plan(coder, len(symbols), (13, depth, 7, 2, extras))


@every_variant
@pytest.mark.parametrize("network,depth", CASES)
def test_flows_make_the_same_files(name: str, network: str, depth: int):
    """The PMFs, their bits and the bytes, when encoding and when decoding, are those of NumPy."""
    core, reference = native.flow(network, name), native.flow(network, "numpy")
    symbols, plan = some(core, depth)
    assert trace(core, symbols, plan) == trace(reference, symbols, plan)
    segments = coded(core, symbols, plan)  # all in the core, other than in a trace
    assert segments == coded(reference, symbols, plan)
    assert np.array_equal(decoded(core, segments, len(symbols), plan), symbols)
    drawn = [each.sample(2, None, np.random.RandomState(1)) for each in (core, reference)]
    assert np.array_equal(*drawn)


@every_variant
@pytest.mark.parametrize("network", ["idf-photo", "flow-coupled", "flow-fine"])
def test_what_is_fitted_is_the_same(name: str, network: str):
    """The corrections, what images cost with them, and without a change; in several threads, too."""
    picture = grained(90, 100, 3)
    found = [
        best_corrections(native.flow(network, core)._flow, Workers(threads), picture, True)
        for core, threads in ((name, 1), (name, 3), ("numpy", 1))
    ]
    assert any(each.any() for each in found[0].values())
    for other in found[1:]:
        assert other.keys() == found[0].keys()
        assert all(np.array_equal(found[0][head], other[head]) for head in other)
    flows = [native.flow(network, core)._flow for core in (name, "numpy")]
    crops = np.stack([picture[:40, :30], picture[-40:, -30:]])
    for weights in ({}, found[0]):
        prices = [costs(net, crops, Corrections(net.arrays, weights, net.config.components)) for net in flows]
        assert np.array_equal(*prices)


@every_variant
@pytest.mark.parametrize("network", ["flow", "flow-coupled", "idf-photo"])
def test_threads_share_tiles_and_change_nothing(name: str, network: str, monkeypatch: pytest.MonkeyPatch):
    reference, symbols = native.flow(network, "numpy"), image(8, 40, 24, 3).ravel()
    plan = plain_plan(reference, len(symbols), (24, 3, 8, 15, 3))
    segments = coded(reference, symbols, plan)
    monkeypatch.setattr(
        Workers, "groups", lambda self, lanes, least=16: [slice(0, 1), slice(1, lanes)][: min(2, lanes)]
    )
    core = native.flow(network, name, threads=2)
    assert coded(core, symbols, plan) == segments
    assert np.array_equal(decoded(core, segments, len(symbols), plan), symbols)


@every_variant
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_stacks_are_refused_or_decode_as_numpy_decodes_them(name: str, seed: int):
    """Noise in place of a stack, and stacks that are too short: the same symbols, or the same refusal."""
    random, symbols = np.random.RandomState(seed), image(5, 9, 16, 3).ravel()
    plan = plain_plan(native.flow("flow", "numpy"), len(symbols), (16, 3, 8, 1, 3))
    segments = coded(native.flow("flow", "numpy"), symbols, plan)
    broken = [random.bytes(random.randint(0, 400)) + b"\1" for _ in segments]
    broken[0] = segments[0][: random.randint(len(segments[0]))].rstrip(b"\0")
    outcomes = []
    for core in (name, "numpy"):
        try:
            outcomes.append(decoded(native.flow("flow", core), broken, len(symbols), plan).tobytes())
        except CorruptError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@every_variant
def test_bits_that_are_left_over_are_noticed(name: str):
    coder, symbols = native.flow("flow", name), image(6, 9, 12, 3).ravel()
    plan = plain_plan(coder, len(symbols), (12, 3, 8, 1, 1))
    assert_bits_left_over_are_noticed(coder, symbols, plan)


def flow_on(core: str, **tensors: NumpyArray) -> Flow:
    """The tiny flow, with these tensors in place of its own."""
    saved = tiny_checkpoint("flow")
    table = {key: value for key, value in saved.config["model"].items() if key != "shape"}
    with native.chosen(core):
        return flow_of(FlowConfig.from_json(table), saved.arrays | tensors, NumpyArrays())


def test_what_is_too_much_for_the_core_is_numpys():
    """Steps so large that results leave its integers; and more blocks than it has room for."""
    name, large = "levels.0.factors.0.heads.1.exponent", np.int8(-30)
    assert isinstance(flow_on("generic"), NativeFlow)
    exponents = np.full_like(tiny_checkpoint("flow").arrays[name], large)
    assert type(flow_on("generic", **{name: exponents})) is Flow
    deep = FlowModel(replace(FLOWS["flow"].flow, depth=17), side=8)
    with native.chosen("generic"):
        tensors = random_checkpoint(deep, "deep").arrays
        assert type(flow_of(deep.flow, tensors, NumpyArrays())) is Flow
