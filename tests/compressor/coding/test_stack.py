"""The stack is exact rANS, and constriction behaves as stack.py relies on."""

import constriction
import numpy as np
import pytest
from helpers import draw, random_freqs, reference_push
from hypothesis import given, settings
from hypothesis import strategies as st

from catzip.compressor.coding.pmf import PMF, TOTAL
from catzip.compressor.coding.stack import Stack
from catzip.compressor.errors import CorruptError


@pytest.mark.parametrize("symbols", [2, 3, 27, 255, 256, 1000, 4096, 65536])
def test_codes_with_exactly_these_frequencies(symbols: int):
    """The bytes are those of a big-integer rANS, for flat and for peaked rows."""
    rng = np.random.RandomState(symbols)
    freqs = np.concatenate([random_freqs(rng, 12, symbols, shape) for shape in (0.01, 0.3, 10.0)])
    freqs[0] = 1
    freqs[0, symbols // 2] = TOTAL - symbols + 1
    drawn = draw(rng, freqs)
    drawn[1::5] = rng.randint(0, symbols, size=len(drawn[1::5]))  # also improbable ones
    stack = Stack()
    stack.push(drawn, PMF(freqs))
    assert int.from_bytes(stack.to_bytes(), "little") == reference_push(0, drawn, freqs)
    assert stack.pop(PMF(freqs)).tolist() == drawn.tolist()
    assert stack.is_empty()


def test_known_bytes():
    """The format of a segment, pinned: these bytes must never change."""
    freqs = np.random.RandomState(1).randint(1, TOTAL // 5, size=(40, 5)).astype(np.uint32)
    freqs[:, 4] = TOTAL - freqs[:, :4].sum(axis=1)
    stack = Stack()
    stack.push(np.arange(40) % 5, PMF(freqs))
    assert stack.to_bytes().hex() == "d9690378751b5112a24670836676006c734104"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 90), st.integers(2, 300), st.sampled_from([0.02, 0.5, 50.0]))
def test_pop_undoes_push(seed: int, rows: int, symbols: int, shape: float):
    rng = np.random.RandomState(seed)
    pmf = PMF(random_freqs(rng, rows, symbols, shape))
    first, second = rng.randint(0, symbols, size=(2, rows))
    stack = Stack()
    stack.push(first, pmf)
    stack.push(second, pmf)
    stack = Stack.from_bytes(stack.to_bytes())
    assert stack.pop(pmf).tolist() == second.tolist()
    assert stack.pop(pmf).tolist() == first.tolist()
    assert stack.is_empty()
    assert stack.to_bytes() == b""


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.RandomState(2)
    freqs = random_freqs(rng, 100, 30)
    symbols = draw(rng, freqs)
    whole, cut = Stack(), Stack()
    whole.push(symbols, PMF(freqs))
    monkeypatch.setattr("catzip.compressor.coding.stack._CHUNK", 700)
    cut.push(symbols, PMF(freqs))
    assert cut.to_bytes() == whole.to_bytes()
    assert cut.pop(PMF(freqs)).tolist() == symbols.tolist()
    assert cut.pop(PMF(np.zeros((0, 30), np.uint32))).tolist() == []


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, np.uint64])
def test_symbols_of_any_integer_type(dtype: type):
    freqs = random_freqs(np.random.RandomState(3), 9, 9)
    stack = Stack()
    stack.push(np.arange(9).astype(dtype)[::-1], PMF(freqs))
    assert stack.pop(PMF(freqs)).tolist() == list(range(9))[::-1]


def test_frequencies_of_any_memory_order():
    freqs = random_freqs(np.random.RandomState(4), 50, 20)
    stack = Stack()
    stack.push(np.arange(50) % 20, PMF(np.asfortranarray(freqs)))
    assert stack.pop(PMF(freqs)).tolist() == (np.arange(50) % 20).tolist()
    stack.push(np.arange(50) % 20, PMF(freqs))
    wide = np.repeat(freqs, 2, axis=1)[:, ::2]
    assert stack.pop(PMF(wide)).tolist() == (np.arange(50) % 20).tolist()


@pytest.mark.parametrize("bad", [[0, 4], [-1, 0], [0], [0, 0, 0]])
def test_a_push_that_raises_leaves_the_stack(bad: list[int]):
    pmf = PMF(random_freqs(np.random.RandomState(5), 2, 4))
    stack = Stack()
    stack.push(np.array([1, 2]), pmf)
    before = stack.to_bytes()
    with pytest.raises(ValueError, match="symbols"):
        stack.push(np.array(bad), pmf)
    assert stack.to_bytes() == before


def test_trailing_zero_bytes_are_corrupt():
    with pytest.raises(CorruptError, match="zero byte"):
        Stack.from_bytes(b"\x01\x00")


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x00\x01", b"\xff" * 7, bytes(range(1, 40))])
def test_bytes_survive(data: bytes):
    assert Stack.from_bytes(data).to_bytes() == data


def test_an_empty_stack_gives_symbols_and_takes_them_back():
    pmf = PMF(random_freqs(np.random.RandomState(6), 30, 12))
    stack = Stack()
    symbols = stack.pop(pmf)
    stack.push(symbols, pmf)
    assert stack.is_empty()


def test_damage_never_raises_but_leaves_the_stack_wrong():
    """Why the container counts symbols, wants an empty stack, and has checksums."""
    pmf = PMF(random_freqs(np.random.RandomState(7), 200, 16))
    symbols = np.arange(200) % 16
    stack = Stack()
    stack.push(symbols, pmf)
    data = stack.to_bytes()
    for cut in range(len(data)):
        damaged = Stack.from_bytes(data[:cut].rstrip(b"\0"))
        assert damaged.pop(pmf).tolist() != symbols.tolist() or not damaged.is_empty()


def test_constriction_misreads_fortran_order():
    """The fact behind making arrays contiguous; if this fails, constriction has changed."""
    weights = random_freqs(np.random.RandomState(8), 50, 20) - 1.0
    words = np.arange(1, 100, dtype=np.uint32) * np.uint32(40503217)
    family = constriction.stream.model.Categorical(perfect=False)
    right = constriction.stream.stack.AnsCoder(words).decode(family, weights)
    wrong = constriction.stream.stack.AnsCoder(words).decode(family, np.asfortranarray(weights))
    assert right.tolist() != wrong.tolist()
