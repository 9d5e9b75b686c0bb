"""The autoregressive family around any network: with the mixture and the match model, and without."""

from dataclasses import asdict

import numpy as np
import pytest
from model_laws import assert_length_is_likelihood, assert_samples_are_symbols
from tiny_models import OPTIONS, mixed_text, model

from catzip.benchmarks.matrix.recording import trace
from catzip.compressor.coding.pmf import PMF, TOTAL
from catzip.compressor.coding.stack import Stack
from catzip.models.backends.base import NumpyArray
from catzip.models.backends.workers import Workers
from catzip.models.families.autoregressive.codec import Autoregressive
from catzip.models.families.autoregressive.coding_config import CodingConfig
from catzip.models.families.autoregressive.random import MIXING
from catzip.models.families.identity import Identity
from catzip.models.mixing.config import MixingConfig, mixing_tables
from catzip.models.mixing.contexts import HASH, Past


class Hashing:
    """No recurrent network: a hash of all that came before names the symbol that it thinks likely."""

    alphabet, multiplications = 27, 1 << 30

    def start(self, lanes: int) -> np.ndarray:
        return np.zeros(lanes, np.uint64)

    def frequencies(self, past: Past, state: np.ndarray) -> np.ndarray:
        steps, lanes = past.recent.shape
        found = np.full((steps, lanes, 27), TOTAL // 32, np.uint32)
        for t in range(steps):
            state += (past.recent[t] & np.uint64(255)) + np.uint64(1)
            state += (past.expected[t] + 32 * past.lengths[t]).astype(np.uint64)
            state *= HASH
            found[t, np.arange(lanes), state % np.uint64(27)] += TOTAL - 27 * (TOTAL // 32)
        return found


@pytest.mark.parametrize("match", [True, False])
@pytest.mark.parametrize("mixing", [MIXING, None])
def test_the_autoregressive_family_takes_any_network(mixing: MixingConfig | None, match: bool):
    """In lanes and segments, by one thread and two, all at once and step by step."""
    identity, tables = Identity("hashing", "text27", bytes(8)), mixing_tables(MIXING) if mixing else {}
    coders = [
        Autoregressive(identity, Hashing(), CodingConfig(mixing, match), tables, Workers(i)) for i in (1, 2)
    ]
    symbols, plan = mixed_text(27, 1200), (40, 9)
    first = trace(coders[0], symbols, plan)
    assert first.pushed == first.popped and first == trace(coders[1], symbols, plan)
    assert_length_is_likelihood(coders[0], symbols, plan)
    assert_samples_are_symbols(coders[0], None)


class Watching(Hashing):
    """Notes all that it sees, and says the frequencies of each step."""

    def __init__(self) -> None:
        self.past: list[Past] = []
        self.said: list[NumpyArray] = []

    def frequencies(self, past: Past, state: NumpyArray) -> NumpyArray:
        self.past.append(past)
        self.said.append(super().frequencies(past, state))
        return self.said[-1]


def test_without_a_mixture_the_pmfs_are_the_networks():
    """The one of each symbol, in decode order; and so the bits are what the network says."""
    network, symbols = Watching(), mixed_text(27, 60)
    coder = Autoregressive(
        Identity("watching", "text27", bytes(8)), network, CodingConfig(None), {}, Workers(1)
    )
    bits = coder.nll(symbols, (1, 60))
    rows = np.concatenate(network.said)[:, 0]
    assert bits == pytest.approx(-np.log2(rows[np.arange(60), symbols] / TOTAL).sum())
    stack = Stack()
    for row, symbol in zip(rows[::-1], symbols[::-1], strict=True):
        stack.push(np.array([symbol]), PMF(row[None]))
    assert [each.to_bytes() for each in coder.encode(symbols, (1, 60))] == [stack.to_bytes()]
    assert coder.symbol_bits == 24


@pytest.mark.parametrize("match", [True, False])
@pytest.mark.parametrize("mixing", [MIXING, None])
def test_a_network_is_told_of_matches_or_not(mixing: MixingConfig | None, match: bool):
    network, symbols = Watching(), np.tile(np.arange(9, dtype=np.uint8), 8)
    tables = mixing_tables(MIXING) if mixing else {}
    identity = Identity("watching", "text27", bytes(8))
    coder = Autoregressive(identity, network, CodingConfig(mixing, match), tables, Workers(1))
    coder.nll(symbols, (1, 72))
    past = [(int(each.expected.max()), int(each.lengths.max())) for each in network.past]
    assert any(expected or length for expected, length in past) == match


@pytest.mark.parametrize("name", OPTIONS)
def test_the_compiled_core_leaves_options_to_numpy(name: str):
    """It has the mixture and the match model built in."""
    assert model(name).native is None


REFUSED_OPTIONS = {
    "a mixer that is a number": {"mixer": 0},
    "a field of a mixture, without one": {"mixer": False, "orders": [1, 2]},
    "a match that is no yes or no": {"mixer": False, "match": "yes"},
    "no lanes": {"mixer": False, "lanes": 0},
    "a mixture that is asked for and not said": {"mixer": True, "match": False},
    "a field that there is not": {"mixer": False, "lines": 3},
}


@pytest.mark.parametrize("table", REFUSED_OPTIONS.values(), ids=REFUSED_OPTIONS)
def test_options_that_cannot_be(table: dict):
    with pytest.raises(ValueError, match=r"^coding"):
        CodingConfig.from_json(table)


def test_options():
    """What is not said is as it was before there were options."""
    assert CodingConfig.from_json({"mixer": False}) == CodingConfig(None, True, 24)
    assert CodingConfig.from_json({"mixer": False, "match": False, "lanes": 3}) == CodingConfig(
        None, False, 3
    )
    mixture = asdict(MIXING)
    assert CodingConfig.from_json(mixture) == CodingConfig(MIXING)
    assert CodingConfig.from_json({**mixture, "mixer": True, "match": False}) == CodingConfig(MIXING, False)


def test_the_past_is_of_symbols_of_a_byte():
    class Wide(Hashing):
        alphabet = 257

    with pytest.raises(ValueError, match="256 is the most"):
        Autoregressive(Identity("wide", "tokens", bytes(8)), Wide(), CodingConfig(None), {}, Workers(1))
