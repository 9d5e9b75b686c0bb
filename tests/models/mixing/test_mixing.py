"""The adaptive mixture is its formula in Python's integers; it learns, and the network has the say at first."""

from functools import reduce

import numpy as np
import pytest
from helpers import TEXT, random_freqs
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_mixing import ReferenceMixer

from catzip.compressor.coding.pmf import TOTAL
from catzip.models.backends.base import NumpyArray
from catzip.models.mixing.config import STRETCH_MAX, MixingConfig, mixing_tables
from catzip.models.mixing.contexts import pack_history
from catzip.models.mixing.decisions import binary_pmf, forced
from catzip.models.mixing.mixing import Mixer, summed

CONFIG = MixingConfig(orders=(1, 2, 4), bits=12, limit=30, rate=28000, start=12000)
TABLES = mixing_tables(CONFIG)


def letters(symbol: int, alphabet: int) -> int:
    """What a symbol adds to a word: itself if it is a letter, a small one for a capital; 0 ends the word."""
    if alphabet == 27:
        return symbol
    if ord("A") <= symbol <= ord("Z"):
        return symbol + 32
    return symbol if ord("a") <= symbol <= ord("z") or symbol >= 128 else 0


def chances(
    grid: NumpyArray,
    frequencies: NumpyArray,
    matched: NumpyArray,
    active: list[int],
    config: MixingConfig,
    count: int | None = None,
) -> list[list[list[int]]]:
    """What the mixer says of every bit of symbols [T, L]: [T][depth][A]."""
    steps, lanes = grid.shape
    alphabet = frequencies.shape[-1]
    mixer = Mixer(config, mixing_tables(config), alphabet, lanes, count or grid.size)
    past = pack_history(grid, np.zeros(lanes, np.uint64))
    found = []
    for t in range(steps):
        some = slice(active[t])
        decisions = mixer.symbols(summed(frequencies[t, some]), past[t, some], matched[t, some])
        decided = list(forced(decisions, grid[t, some], mixer.decisions_per_symbol))
        symbols = reduce(lambda symbol, bit: symbol << 1 | bit, (bits for _, bits in decided))
        assert np.array_equal(symbols, grid[t, some])
        found.append([p.tolist() for p, _ in decided])
        mixer.advance(grid[t])
    return found


@pytest.mark.parametrize("alphabet", [27, 256])
@settings(max_examples=24, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    lanes=st.integers(1, 6),
    few=st.booleans(),
    rate=st.sampled_from([16, 28000, 500000]),
    more=st.fixed_dictionaries(dict.fromkeys(("phrases", "by_age", "refined"), st.booleans())),
)
def test_the_mixture_is_its_formula(
    alphabet: int, seed: int, lanes: int, few: bool, rate: int, more: dict[str, bool]
):
    """Lanes that share counters and weights, peaked and flat PMFs, wild learning; the last step lacks lanes."""
    config = MixingConfig(orders=(1, 2, 4), bits=12, limit=5 if few else 30, rate=rate, start=12000, **more)
    random, steps = np.random.RandomState(seed), 8
    words = TEXT.encode() if alphabet == 256 else bytes(random.randint(0, 5 if few else 27, 100).tolist())
    grid = np.frombuffer(words, np.uint8)[random.randint(0, len(words), (steps, lanes))].copy()
    shape = random.choice([0.01, 1.0])
    frequencies = random_freqs(random, steps * lanes, alphabet, shape).reshape(steps, lanes, alphabet)
    matched = random.randint(0, 16, (steps, lanes))
    active = [lanes] * (steps - 1) + [int(random.randint(1, lanes + 1))]
    depth = (alphabet - 1).bit_length()
    reference = ReferenceMixer(config, mixing_tables(config), depth, lanes, bits=12)
    for t, decided in enumerate(chances(grid, frequencies, matched, active, config)):
        some = range(active[t])
        past = [grid[:t, lane].tolist() for lane in some]
        rows = [frequencies[t, lane].tolist() for lane in some]
        current = grid[t].tolist()
        assert decided == reference.step(rows, past, matched[t].tolist(), current[: active[t]])
        reference.advance([letters(symbol, alphabet) for symbol in current])


def test_old_counters_and_large_tables_are_as_the_formula_has_them():
    """Counts to the limit of shipped models, more rows than the SSE stage has: all that a few steps do not reach."""
    config = MixingConfig(
        (1, 2), 22, limit=255, rate=28000, start=9000, phrases=True, by_age=True, refined=True
    )
    random, steps = np.random.RandomState(3), 300
    grid = random.choice([97, 98, 32], (steps, 1), p=[0.9, 0.08, 0.02]).astype(np.uint8)
    frequencies = np.repeat(random_freqs(random, 1, 256, 1.0)[None], steps, 0)
    matched = np.zeros(grid.shape, int)
    reference = ReferenceMixer(config, mixing_tables(config), 8, 1, bits=22)
    found = chances(grid, frequencies, matched, [1] * steps, config, count=1 << 20)
    for t, decided in enumerate(found):
        past, rows = [grid[:t, 0].tolist()], frequencies[t].tolist()
        assert decided == reference.step(rows, past, [0], grid[t].tolist())
        reference.advance([letters(int(grid[t, 0]), 256)])
    assert max(counter & 1023 for counter in reference.counters.values()) == 255


def cost(chance: list[list[list[int]]], grid: NumpyArray, depth: int) -> float:
    """Bits for each symbol, of lane 0."""
    total = 0.0
    for step, symbol in zip(chance, grid[:, 0].tolist(), strict=True):
        for place, (p,) in enumerate(step):
            bit = symbol >> (depth - 1 - place) & 1
            total -= np.log2((p if bit else 2**16 - p) / 2**16)
    return total / len(grid)


def test_at_the_start_the_network_has_the_say():
    """Fresh counters say nothing: the first symbol costs what the network asks for it."""
    random = np.random.RandomState(0)
    frequencies = random_freqs(random, 1, 256, 1.0)[None]
    for symbol in (0, 7, 128, 255):
        grid = np.array([[symbol]], np.uint8)
        found = cost(chances(grid, frequencies, np.zeros((1, 1), int), [1], CONFIG), grid, 8)
        assert found == pytest.approx(24 - np.log2(frequencies[0, 0, symbol]), abs=0.1)


def test_it_learns_what_the_network_does_not_know():
    grid = np.frombuffer(b"the same again, " * 25, np.uint8)[:, None].copy()
    uniform = np.full((len(grid), 1, 256), TOTAL // 256, np.uint32)
    found = chances(grid, uniform, np.zeros(grid.shape, int), [1] * len(grid), CONFIG)
    assert cost(found[:16], grid[:16], 8) > 6
    assert cost(found[-64:], grid[-64:], 8) < 0.5


def test_it_does_not_spoil_what_the_network_knows():
    """Symbols drawn from the network's own PMFs cost little more than the PMFs say."""
    random = np.random.RandomState(0)
    frequencies = random_freqs(random, 600, 27, 0.3)[:, None]
    points = random.randint(0, TOTAL, 600)
    grid = (frequencies[:, 0].cumsum(1) <= points[:, None]).sum(1)[:, None].astype(np.uint8)
    ideal = float((24 - np.log2(np.take_along_axis(frequencies[:, 0], grid.astype(int), 1))).mean())
    found = chances(grid, frequencies, np.zeros(grid.shape, int), [1] * 600, CONFIG)
    assert cost(found, grid, 5) < 1.15 * ideal


def test_tables_are_the_functions():
    stretch, squash, adapt = (TABLES[name] for name in ("stretch", "squash", "adapt"))
    p = (np.arange(2**16) + 0.5) / 2**16
    assert np.abs(stretch - 256 * np.log(p / (1 - p))).max() <= 0.5 + 1e-9
    t = np.arange(-STRETCH_MAX, STRETCH_MAX + 1) / 256
    real = (2**16 / (1 + np.exp(-t))).clip(1, 2**16 - 1)
    assert len(squash) == len(t) and np.abs(squash - real).max() <= 0.5 + 1e-9
    assert adapt.tolist() == [int(2**16 / (age + 1.3) + 0.5) for age in range(CONFIG.limit + 1)]
    assert stretch.min() >= -STRETCH_MAX and stretch.max() <= STRETCH_MAX


def test_what_reaches_the_coder_is_not_rounded():
    p = np.array([1, 2, 32768, 65535])
    assert binary_pmf(p).freqs.tolist() == [[2**24 - 256 * int(each), 256 * int(each)] for each in p]


@pytest.mark.parametrize(
    "wrong",
    [
        {"orders": (0,)},
        {"orders": (9,)},
        {"limit": 1024},
        {"bits": 11},
        {"bits": 27},
        {"rate": 0},
        {"orders": [2, 1], "by_age": True},
        {"limit": 3, "refined": True},
        {"rate": 1 << 20},
    ],
)
def test_what_there_is_no_room_for_is_refused(wrong: dict):
    table = {"orders": [1], "bits": 12, "limit": 9, "rate": 28000, "start": 0} | wrong
    with pytest.raises(ValueError, match=r"^coding.*(Expected|possible|shortest to the longest|begin at 4)"):
        MixingConfig.from_json(table)


@pytest.mark.parametrize("wrong", [{"phrases": 2}, {"by_age": 1}, {"refined": "no"}])
def test_what_is_not_true_or_false_is_refused(wrong: dict):
    table = {"orders": [1], "bits": 12, "limit": 9, "rate": 28000, "start": 0} | wrong
    with pytest.raises(ValueError, match=r"Expected `bool`"):
        MixingConfig.from_json(table)


@pytest.mark.parametrize("rates", [1, 30, 32, 1500])
def test_rates_have_to_be_those_of_all_ages(rates: int):
    tables = TABLES | {"adapt": np.full(rates, 9, np.int32)}
    with pytest.raises(ValueError, match=f"{rates} rates of counters, of which 31 are in use"):
        Mixer(CONFIG, tables, 256, 4, 100)


def test_a_counter_may_not_overshoot():
    tables = TABLES | {"adapt": np.full(31, 1 << 16, np.int32)}
    with pytest.raises(ValueError, match="part of its error"):
        Mixer(CONFIG, tables, 256, 4, 100)
