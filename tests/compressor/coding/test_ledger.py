"""The ledger counts what the coder would write, and samples as random bits do."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers import draw, random_freqs

from catzip.compressor.coding import ledger as module
from catzip.compressor.coding.ledger import Account, Ledger
from catzip.compressor.coding.pmf import PMF, TOTAL
from catzip.compressor.coding.stack import RandomBits, Stack

QUARTER = PMF(np.full((3, 4), TOTAL // 4, np.uint32))


def test_pushes_add_what_the_coder_writes():
    freqs = random_freqs(np.random.RandomState(0), 3000, 40)
    symbols, ledger, stack = draw(np.random.RandomState(1), freqs), Ledger(), Stack()
    for each in (ledger, stack):
        each.push(symbols, PMF(freqs))
    assert ledger.balance == PMF(freqs).bits(symbols).sum()
    assert 0 <= 8 * len(stack.to_bytes()) - ledger.balance < 64


def test_what_is_borrowed_is_the_worst_of_it():
    """Two symbols of 2 bits each time; 3 lent at the worst are 6 bits, of which 3 come back."""
    ledger = Ledger()
    ledger.push(np.zeros(3, int), QUARTER)
    ledger.pop(QUARTER)
    ledger.pop(QUARTER)
    ledger.push(np.zeros(3, int), QUARTER)
    ledger.pop(PMF(QUARTER.freqs[:1]))
    assert ledger.account == Account(bits=-2, borrowed=6, paid_back=4, popped=14)
    ledger.push(np.zeros(3, int), QUARTER)
    assert ledger.account == Account(bits=4, borrowed=6, paid_back=10, popped=14)


def test_a_push_that_raises_counts_nothing():
    ledger = Ledger()
    with pytest.raises(ValueError, match="outside the alphabet"):
        ledger.push(np.array([0, 1, 4]), QUARTER)
    assert ledger.account == Account(0, 0, 0, 0)


@pytest.mark.parametrize("stack", [Ledger(3), RandomBits(np.random.RandomState(3), 0)])
def test_pops_are_samples(stack: Ledger | RandomBits):
    row = random_freqs(np.random.RandomState(4), 1, 6, 2.0)
    symbols = stack.pop(PMF(np.repeat(row, 40_000, axis=0)))
    assert symbols.dtype == np.int32
    assert np.abs(np.bincount(symbols, minlength=6) / 40_000 - row[0] / TOTAL).max() < 0.01


def test_a_symbol_has_the_points_from_its_first_to_before_the_next():
    quarter, ledger = TOTAL // 4, Ledger()
    points = [0, quarter - 1, quarter, 2 * quarter - 1, 2 * quarter, TOTAL - 1]
    ledger._random = SimpleNamespace(
        randint=lambda low, high, size: np.array(points) if high == TOTAL else None
    )
    assert ledger.pop(PMF(np.repeat(QUARTER.freqs[:1], 6, axis=0))).tolist() == [0, 0, 1, 1, 2, 3]


def test_pops_never_give_what_is_not_there(monkeypatch: pytest.MonkeyPatch):
    """The widest rows and the most peaked are among them, however many rows are looked at together."""
    row = np.ones((1, 1 << 16), np.uint32)
    row[0, 77] += TOTAL - (1 << 16)
    pmf = PMF(np.repeat(row, 20, axis=0))
    symbols = Ledger(5).pop(pmf)
    assert (symbols == 77).sum() > 15 and symbols.min() >= 0 and symbols.max() < 1 << 16
    monkeypatch.setattr(module, "_CHUNK", 1)
    assert np.array_equal(Ledger(5).pop(pmf), symbols)
    assert Ledger().pop(PMF(row[:0])).shape == (0,)


def test_a_seed_is_a_stream():
    pops = [Ledger(seed).pop(QUARTER).tolist() for seed in range(20)]
    assert (
        pops == [Ledger(seed).pop(QUARTER).tolist() for seed in range(20)] and len(set(map(tuple, pops))) > 9
    )


@pytest.mark.parametrize("size", [0, 1, 5, 300, 5001])
def test_random_bits_never_run_out(size: int):
    """And what is put under the others does not touch them: what was pushed comes back."""
    stack = RandomBits(np.random.RandomState(6), size)
    wide = PMF(random_freqs(np.random.RandomState(7), 9000, 4, 3.0))
    symbols = np.random.RandomState(8).randint(0, 4, 9000)
    stack.push(symbols, wide)
    stack.push(symbols[::-1], wide)
    assert np.array_equal(stack.pop(wide), symbols[::-1])
    assert np.array_equal(stack.pop(wide), symbols)
    for _ in range(3):
        assert np.bincount(stack.pop(wide)).min() > 1000


def test_a_size_that_suffices_is_bytes_as_they_come():
    """What `catzip sample` draws for a seed is what it drew before this class was written."""
    words = np.random.RandomState(9).bytes(500)
    plain, stack = Stack.from_bytes(words + b"\1"), RandomBits(np.random.RandomState(9), 500)
    pmf = PMF(random_freqs(np.random.RandomState(10), 100, 9))
    assert np.array_equal(plain.pop(pmf), stack.pop(pmf))
