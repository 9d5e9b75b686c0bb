"""What every model obeys that can code, of whatever family."""

import tracemalloc

import numpy as np
import pytest

from catzip.compressor.coding.model import Model, Plan
from catzip.compressor.coding.stack import Stack
from catzip.compressor.errors import CorruptError
from catzip.models.backends.base import NumpyArray


def coded(coder: Model, symbols: NumpyArray, plan: Plan) -> list[bytes]:
    return [stack.to_bytes() for stack in coder.encode(symbols, plan)]


def decoded(coder: Model, segments: list[bytes], count: int, plan: Plan) -> NumpyArray:
    return coder.decode(map(Stack.from_bytes, segments), count, plan)


def assert_round_trip(coder: Model, symbols: NumpyArray, plan: Plan) -> None:
    """Decoding undoes encoding; there is a stack for each segment, and segments are all of the symbols."""
    segments, sizes = coded(coder, symbols, plan), coder.segment_sizes(len(symbols), plan)
    assert len(segments) == len(sizes) and sum(sizes) == len(symbols)
    restored = decoded(coder, segments, len(symbols), plan)
    assert restored.dtype == np.uint8 and np.array_equal(restored, symbols)


def assert_length_is_likelihood(coder: Model, symbols: NumpyArray, plan: Plan) -> None:
    """0.1 % for the rounding of the PMFs, and for each segment what the last word of a stack wastes."""
    bits = 8 * sum(map(len, coded(coder, symbols, plan)))
    nll = coder.nll(symbols, plan)
    assert abs(bits - nll) <= 0.001 * nll + 64 * len(coder.segment_sizes(len(symbols), plan))


def assert_samples_are_symbols(coder: Model, steps: int | None, items: int = 2) -> None:
    """What random bits decode to is of the alphabet, the same for the same bits, and can be coded."""
    first, again, other = (coder.sample(items, steps, np.random.RandomState(seed)) for seed in (1, 1, 2))
    assert first.dtype == np.uint8 and first.shape == other.shape and len(first) == items
    assert (
        int(first.max()) < coder.alphabet
        and np.array_equal(first, again)
        and not np.array_equal(first, other)
    )
    assert_round_trip(coder, first.ravel(), coder.plan(first.size, steps))


def assert_bits_left_over_are_noticed(coder: Model, symbols: NumpyArray, plan: Plan) -> None:
    segments = coded(coder, symbols, plan)
    for i in range(len(segments)):
        longer = [*segments]
        longer[i] += b"\1\2\3\4\5"
        with pytest.raises(
            CorruptError,
            match=r"left over|the spreads of|has corrections of|for which another stands|outside the alphabet",
        ):
            decoded(coder, longer, len(symbols), plan)


def assert_every_segment_needs_its_stack(coder: Model, symbols: NumpyArray, plan: Plan) -> None:
    segments = coded(coder, symbols, plan)
    for wrong in (segments[:-1], [], [*segments, b""]):
        with pytest.raises(ValueError):
            decoded(coder, wrong, len(symbols), plan)


def assert_symbols_outside_the_alphabet_are_refused(coder: Model, plan: Plan) -> None:
    """27 letters take five bits, which have room for 32 symbols, and 200 & 31 is a letter."""
    for wrong in (27, 31, 200):
        with pytest.raises(ValueError, match="outside the alphabet"):
            list(coder.encode(np.array([1, 2, wrong], np.uint8), plan))


def assert_refused_before_anything_is_allocated(coder: Model, count: int, plan: Plan) -> None:
    """A plan that cannot be, as a damaged file may have it."""
    tracemalloc.start()
    with pytest.raises(CorruptError, match="coding plan"):
        coder.decode(iter([]), count, plan)
    with pytest.raises(CorruptError, match="coding plan"):
        coder.segment_sizes(count, plan)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 16
