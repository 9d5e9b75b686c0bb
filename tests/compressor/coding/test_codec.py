"""Every codec obeys the laws; wrong use raises."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from helpers import draw, random_freqs
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import CODEC_LAWS, Case, MakeCase, assert_cost_is_ideal, equal, random_stack

from catzip.compressor.coding.bitsback import BitsBack, Chain
from catzip.compressor.coding.codec import Categorical, Mapped, Serial, replayed
from catzip.compressor.coding.pmf import PMF
from catzip.compressor.coding.quantized import Quantized
from catzip.compressor.coding.stack import Stack


def categorical(rng: np.random.RandomState) -> Case:
    freqs = random_freqs(rng, int(rng.randint(0, 200)), int(rng.randint(2, 60)))
    x = draw(rng, freqs)
    pmf = PMF(freqs)
    return Case(Categorical(pmf), x, float(pmf.bits(x).sum()))


def serial(rng: np.random.RandomState) -> Case:
    """Order 1: the PMF of a step is the table's row for the symbol before."""
    table = random_freqs(rng, 8, 8)
    length = int(rng.randint(0, 80))

    def steps() -> Iterator[Categorical]:
        last = np.zeros(1, np.int32)
        for _ in range(length):
            last = yield Categorical(PMF(table[last]))

    x = [np.array([symbol]) for symbol in rng.randint(0, 8, size=length)]
    contexts = [np.zeros(1, int), *x][:length]
    bits = sum(float(PMF(table[c]).bits(s).sum()) for c, s in zip(contexts, x, strict=True))
    return Case(Serial(steps), x, bits)


def mapped(rng: np.random.RandomState) -> Case:
    """A rotation of the alphabet in front of a categorical."""
    inner = categorical(rng)
    size = inner.codec.pmf.symbols

    def forward(x: np.ndarray) -> np.ndarray:
        return (x + 3) % size

    def inverse(y: np.ndarray) -> np.ndarray:
        return (y - 3) % size

    return Case(Mapped(inner.codec, forward, inverse), inverse(inner.x), inner.bits)


def bits_back(rng: np.random.RandomState) -> Case:
    """A mixture: z picks the row that codes x; the posterior need not be the true one."""
    rows, latents, symbols = int(rng.randint(1, 40)), 5, 9
    prior = PMF(random_freqs(rng, rows, latents))
    likelihood = random_freqs(rng, latents, symbols)
    posterior = random_freqs(rng, symbols, latents)
    codec = BitsBack(
        Categorical(prior),
        lambda z: Categorical(PMF(likelihood[z])),
        lambda x: Categorical(PMF(posterior[x])),
    )
    return Case(codec, rng.randint(0, symbols, size=rows))


def chain(rng: np.random.RandomState) -> Case:
    """Latents, each of another alphabet than the one before; any posterior will do."""
    length, rows = int(rng.randint(0, 9)), int(rng.randint(0, 20))
    sizes = rng.randint(2, 12, size=length + 1)
    up = [random_freqs(rng, below, above) for below, above in pairwise(sizes)]
    down = [random_freqs(rng, above, below) for below, above in pairwise(sizes)]
    codec = Chain(
        Categorical(PMF(random_freqs(rng, rows, int(sizes[-1])))),
        lambda t, x: Categorical(PMF(up[t - 1][x])),
        lambda t, z: Categorical(PMF(down[t - 1][z])),
        length,
    )
    return Case(codec, rng.randint(0, sizes[0], size=rows))


def quantized(rng: np.random.RandomState) -> Case:
    """Steps at random places, few or many, of which some are in one place."""
    rows, values, precision = int(rng.randint(0, 9)), int(rng.choice([1, 2, 15, 16, 17, 999])), 20
    steps = np.sort(rng.randint(0, values + 1, size=(rows, 1 << precision % 5, 1)), axis=1)

    def cdf(k: np.ndarray) -> np.ndarray:
        below = (steps < np.maximum(k, 1)[:, None, :]).sum(axis=1) * (1 << precision) // steps.shape[1]
        return np.where(k == values, 1 << precision, np.where(k == 0, 0, below))

    return Case(Quantized(cdf, rows, values, precision), rng.randint(0, values, size=rows))


def nested(rng: np.random.RandomState) -> Case:
    """Serial over bits-back, a mapped categorical, a grid and a serial."""
    cases = [bits_back(rng), mapped(rng), quantized(rng), serial(rng)]

    def steps() -> Iterator[object]:
        for case in cases:
            yield case.codec

    return Case(Serial(steps), [case.x for case in cases])


CODECS: tuple[MakeCase, ...] = (categorical, serial, mapped, bits_back, chain, quantized, nested)


@pytest.mark.parametrize("law", CODEC_LAWS)
@pytest.mark.parametrize("make", CODECS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), start=st.sampled_from([0, 1, 7, 8, 400]))
def test_laws(make: MakeCase, law, seed: int, start: int):
    rng = np.random.RandomState(seed)
    law(make(rng), random_stack(rng, start))


@pytest.mark.parametrize("make", [categorical, serial, mapped])
def test_cost_is_ideal(make: MakeCase):
    for seed in range(10):
        assert_cost_is_ideal(make(np.random.RandomState(seed)))


def test_long_cost_is_within_a_thousandth():
    rng = np.random.RandomState(0)
    freqs = random_freqs(rng, 20_000, 64)
    x = draw(rng, freqs)
    stack = Stack()
    Categorical(PMF(freqs)).push(stack, x)
    ideal = PMF(freqs).bits(x).sum()
    assert ideal <= 8 * len(stack.to_bytes()) <= ideal * 1.001


@pytest.mark.parametrize(("length", "message"), [(2, "too few"), (4, "too many"), (0, "too few")])
def test_serial_wants_as_many_symbols_as_steps(length: int, message: str):
    pmf = PMF(random_freqs(np.random.RandomState(2), 1, 4))

    def steps() -> Iterator[Categorical]:
        for _ in range(3):
            yield Categorical(pmf)

    stack = random_stack(np.random.RandomState(3), 20)
    before = stack.to_bytes()
    with pytest.raises(ValueError, match=message):
        Serial(steps).push(stack, [np.array([1])] * length)
    assert stack.to_bytes() == before


def test_serial_of_nothing_refuses_symbols():
    with pytest.raises(ValueError, match="too many"):
        Serial(lambda: iter(())).push(Stack(), [np.array([1])])


def test_equal_tells_lists_apart():
    assert not equal([np.array([1])], [np.array([2])])
    assert not equal([np.array([1])], [])


def test_replaying_stops_where_the_generator_does():
    """Its last answer reaches it, too: a mixture learns from it."""
    heard = []

    def steps() -> Iterator[str]:
        for name in "ab":
            heard.append((yield name))

    assert list(replayed(steps(), [1, 2])) == [("a", 1), ("b", 2)]
    assert heard == [1, 2]
