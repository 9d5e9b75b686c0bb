"""The laws of the flow family, over tiny random flows of every shape and the shipped ones."""

import math

import numpy as np
import pytest
from backends import OTHERS, backend
from hypothesis import given, settings
from hypothesis import strategies as st
from model_laws import (
    assert_bits_left_over_are_noticed,
    assert_every_segment_needs_its_stack,
    assert_length_is_likelihood,
    assert_round_trip,
    assert_samples_are_symbols,
)
from tiny_models import FLOWS, flow, plain_plan, shipped, tiny_checkpoint

from catzip.benchmarks.matrix.recording import trace
from catzip.compressor.coding.model import Plan
from catzip.models.backends.base import NumpyArray
from catzip.models.backends.select import arrays_for
from catzip.models.families.idf import codec as idf
from catzip.models.families.idf.codec import IDF
from catzip.models.families.idf.flow import BASE, DIGIT, Flow
from catzip.models.families.idf.spelling import images_of_a_segment

MODELS = (*FLOWS, *shipped("idf"))
ANY_SIZE = [name for name in MODELS if not flow(name).shape]
ARRAYS = [name for name in MODELS if flow(name).shape]
PIECES = st.sampled_from(["noise", "constant", "smooth"])


def channels(name: str) -> int:
    """How many an image may have."""
    return FLOWS[name].flow.channels if name in FLOWS else 3


def image(seed: int, *shape: int, kind: str = "smooth") -> NumpyArray:
    """uint8 of this shape."""
    random = np.random.RandomState(seed)
    if kind == "constant":
        return np.full(shape, random.randint(256), np.uint8)
    if kind == "noise":
        return random.randint(0, 256, shape).astype(np.uint8)
    walks = [np.cumsum(random.randint(-3, 4, shape), axis) for axis in range(min(2, len(shape)))]
    return ((128 + sum(walks)) % 256).astype(np.uint8)


def symbols_for(coder: IDF, items: int, more: int = 0) -> tuple[NumpyArray, Plan]:
    """So many images and more symbols, and the model's own plan for them."""
    shape = coder.shape or (9, 10, 3)
    symbols = image(items, items, *shape).reshape(-1)
    symbols = np.concatenate([symbols, image(1, more)])
    return symbols, coder.plan(len(symbols), shape=() if coder.shape else (9 * items, 10, 3))


@pytest.mark.parametrize("name", ANY_SIZE)
@settings(max_examples=4, deadline=None)
@given(height=st.integers(1, 14), width=st.integers(1, 14), grey=st.booleans(), kind=PIECES, data=st.data())
def test_decode_undoes_encode_for_images_of_any_size(
    name: str, height: int, width: int, grey: bool, kind: str, data: st.DataObject
):
    depth = 1 if grey else channels(name)
    symbols = image(height, height, width, depth, kind=kind).ravel()
    side, each = data.draw(st.integers(3, 17)), data.draw(st.integers(1, 9))
    extras = data.draw(st.sampled_from([(), (2,), (1,), (3,)] if depth == 3 else [(), (2,)]))
    plan = plain_plan(flow(name), len(symbols), (width, depth, side, each, *extras))
    assert_round_trip(flow(name), symbols, plan)


@pytest.mark.parametrize("name", ANY_SIZE)
@pytest.mark.parametrize("shape", [(1, 1), (1, 23), (23, 1), (2, 2), (50, 48)])
def test_decode_undoes_encode_under_its_own_plan(name: str, shape: tuple[int, int]):
    coder = flow(name)
    for depth in {1, channels(name)}:
        symbols = image(0, *shape, depth).ravel()
        assert_round_trip(coder, symbols, coder.plan(len(symbols), shape=(*shape, depth)))


@pytest.mark.parametrize("name", ANY_SIZE)
@settings(max_examples=4, deadline=None)
@given(count=st.integers(7, 60), width=st.integers(1, 20), side=st.integers(1, 512))
def test_symbols_that_fill_no_row_are_coded(name: str, count: int, width: int, side: int):
    symbols, coder = image(1, count), flow(name)
    wide = min(width, count // channels(name))
    for plan in ((wide, channels(name), side, 1), (7, 1, 16, 2)):
        assert_round_trip(coder, symbols, plain_plan(coder, count, plan))


@pytest.mark.parametrize("name", ARRAYS)
@settings(max_examples=4, deadline=None)
@given(items=st.integers(0, 5), more=st.integers(0, 30), each=st.integers(1, 6))
def test_decode_undoes_encode_for_arrays(name: str, items: int, more: int, each: int):
    symbols, _ = symbols_for(flow(name), items, more)
    if each >= items:  # the one spelling of all in one segment
        each = images_of_a_segment(len(symbols), math.prod(flow(name).shape))
    assert_round_trip(flow(name), symbols, (each,))


@pytest.mark.parametrize("name", ARRAYS)
def test_decode_undoes_encode_for_arrays_under_their_own_plan(name: str):
    for items, more in ((0, 0), (0, 1), (3, 0), (3, 17)):
        assert_round_trip(flow(name), *symbols_for(flow(name), items, more))


def test_colour_is_a_long_grey_row_to_a_grey_flow():
    coder, symbols = flow("flow-grey"), image(0, 4, 5, 3).ravel()
    plan = coder.plan(60, shape=(4, 5, 3))
    assert plan[:2] == (15, 1)
    assert_round_trip(coder, symbols, plan)


@pytest.mark.parametrize("name", FLOWS)
def test_pmfs_are_the_same_however_they_are_evaluated(name: str, monkeypatch: pytest.MonkeyPatch):
    """Threads, in encoding and decoding, and how many mixtures are evaluated at once."""
    coder = flow(name)
    symbols, plan = symbols_for(coder, 2, 5)
    first = trace(coder, symbols, plan)
    assert first.pushed == first.popped
    for threads in (2,):
        assert trace(flow(name, threads=threads), symbols, plan) == first
    monkeypatch.setattr(arrays_for("cpu"), "at_once", 9000)
    assert trace(coder, symbols, plan) == first


@pytest.mark.parametrize("device", [each for each in OTHERS if each != "torch-int8"])
@pytest.mark.parametrize("name", MODELS)
def test_every_backend_makes_the_same_pmfs(name: str, device: str):
    backend(device)  # skips where there is none
    symbols, plan = symbols_for(flow(name), 2, 5)
    assert trace(flow(name, device), symbols, plan) == trace(flow(name), symbols, plan)


@pytest.mark.parametrize("name", FLOWS)
@settings(max_examples=4, deadline=None)
@given(
    tiles=st.integers(1, 4),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    grey=st.booleans(),
    kind=PIECES,
)
def test_a_batch_is_its_tiles(name: str, tiles: int, height: int, width: int, grey: bool, kind: str):
    """Planes and frequencies of all tiles at once are those of each alone; what steps put together is the image."""
    net = Flow(FLOWS[name].flow, tiny_checkpoint(name).arrays, arrays_for("cpu"))
    batch = image(width, tiles, height, width, 1 if grey else channels(name), kind=kind)
    alone = [walked(net, batch[i : i + 1]) for i in range(tiles)]
    for whole, *each in zip(walked(net, batch), *alone, strict=True):
        assert np.array_equal(whole, np.concatenate(each))


def walked(net: Flow, tiles: NumpyArray) -> list[NumpyArray]:
    """Planes and the frequencies of their digits, in decode order; checks that the tiles are restored."""
    restored, planes, found = np.empty_like(tiles), net.forward(tiles), []
    steps = net.steps(len(tiles), tiles.shape[1:3], tiles.shape[3], restored)
    frequencies: NumpyArray | None = next(steps)
    for plane in planes:
        assert plane.dtype == np.uint8 and len(plane) == len(tiles)
        for digits in (plane.ravel() >> DIGIT, plane.ravel() % BASE):
            assert frequencies is not None and frequencies.shape == (plane.size, BASE)
            found.append(frequencies)
            try:
                frequencies = steps.send(digits.astype(np.int32))
            except StopIteration:
                frequencies = None
    assert frequencies is None and np.array_equal(restored, tiles)
    assert sum(plane.size for plane in planes) == tiles.size
    return planes + found


@pytest.mark.parametrize("name", FLOWS)
def test_planes_of_noise_are_an_image(name: str):
    """The inverse of the flow takes whatever is decoded, and the flow brings it back."""
    net = Flow(FLOWS[name].flow, tiny_checkpoint(name).arrays, arrays_for("cpu"))
    shape = (2, 5, 6, channels(name))
    planes = [image(i, *plane.shape, kind="noise") for i, plane in enumerate(net.forward(image(0, *shape)))]
    made = np.empty(shape, np.uint8)
    steps = net.steps(2, (5, 6), channels(name), made)
    next(steps)
    *digits, last = [part.ravel() for plane in planes for part in (plane >> DIGIT, plane % BASE)]
    for each in digits:
        steps.send(each)
    with pytest.raises(StopIteration):
        steps.send(last)
    assert all(np.array_equal(a, b) for a, b in zip(net.forward(made), planes, strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_the_length_is_the_likelihood(name: str):
    assert_length_is_likelihood(flow(name), *symbols_for(flow(name), 5, 40))


@pytest.mark.parametrize("name", ARRAYS)
def test_images_of_an_array_do_not_know_of_each_other(name: str):
    coder, (symbols, _) = flow(name), symbols_for(flow(name), 4)
    whole = coder.nll(symbols, (4,))
    assert coder.nll(symbols, (3,)) == pytest.approx(whole, rel=1e-12)
    assert sum(coder.nll(part, (1,)) for part in np.split(symbols, 4)) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_draws_are_the_models_own(name: str, monkeypatch: pytest.MonkeyPatch):
    """Each seed has its own, and they cost less than noise: the model thinks them likely."""
    monkeypatch.setattr(idf, "SAMPLE_SHAPE", (16, 12))
    coder = flow(name)
    shape = coder.shape or (16, 12, channels(name))
    drawn = coder.sample(2, None, np.random.RandomState(7))
    assert drawn.shape == (2, math.prod(shape)) and drawn.dtype == np.uint8
    assert np.array_equal(drawn[:1], coder.sample(1, None, np.random.RandomState(7)))
    assert not np.array_equal(drawn, coder.sample(2, None, np.random.RandomState(8)))
    plan = coder.plan(drawn[0].size, shape=() if coder.shape else shape)
    others = [image(seed, drawn[0].size, kind="noise") for seed in range(5)]
    likely = coder.sample(5, None, np.random.RandomState(7))
    assert sum(coder.nll(each, plan) for each in likely) < sum(coder.nll(each, plan) for each in others)
    assert_samples_are_symbols(coder, None)
    assert coder.sample(0, None, np.random.RandomState(7)).shape == (0, math.prod(shape))


@pytest.mark.parametrize("name", MODELS)
def test_bits_left_over_are_noticed(name: str):
    assert_bits_left_over_are_noticed(flow(name), *symbols_for(flow(name), 2, 3))


@pytest.mark.parametrize("name", MODELS)
def test_every_segment_needs_its_stack(name: str):
    assert_every_segment_needs_its_stack(flow(name), *symbols_for(flow(name), 2, 3))


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 1 << 13) | st.integers(1, 70),
    width=st.integers(1, 1 << 13) | st.integers(1, 70),
    depth=st.sampled_from([1, 3]),
    known=st.booleans(),
)
def test_models_make_plans_that_can_be(name: str, height: int, width: int, depth: int, known: bool):
    coder, count = flow(name), height * width * depth
    plan = coder.plan(count, shape=(height, width, depth) if known else ())
    sizes = coder.segment_sizes(count, plan)
    assert sum(sizes) == count and min(sizes) >= 1 and max(sizes) <= 1 << 17


@pytest.mark.parametrize("name", MODELS)
def test_fingerprints_tell_models_apart(name: str):
    assert len(flow(name).fingerprint) == 8 and flow(name).name == name
    assert sum(flow(other).fingerprint == flow(name).fingerprint for other in MODELS) == 1
