"""Every codec obeys the laws; wrong use raises."""

from collections.abc import Iterator

import numpy as np
import pytest
from helpers import draw, random_freqs
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import CODEC_LAWS, Case, MakeCase, assert_cost_is_ideal, equal, random_stack

from catzip.compressor.codec import BitsBack, Categorical, Mapped, Serial
from catzip.compressor.pmf import PMF
from catzip.compressor.stack import Stack


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


def nested(rng: np.random.RandomState) -> Case:
    """Serial over bits-back, a mapped categorical and a serial."""
    cases = [bits_back(rng), mapped(rng), serial(rng)]

    def steps() -> Iterator[object]:
        for case in cases:
            yield case.codec

    return Case(Serial(steps), [case.x for case in cases])


CODECS: tuple[MakeCase, ...] = (categorical, serial, mapped, bits_back, nested)


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


def test_bits_back_gets_its_bits_back():
    """With the true posterior, x costs -log2 p(x): the latents are free once there are bits to take."""
    rng = np.random.RandomState(1)
    latents, symbols, rows = 16, 32, 4000
    prior = random_freqs(rng, 1, latents, 5.0)
    likelihood = random_freqs(rng, latents, symbols, 2.0)
    joint = prior.T / 2.0**24 * (likelihood / 2.0**24)  # [latents, symbols]
    posterior = np.floor((joint / joint.sum(axis=0)).T * (2**24 - latents)).astype(np.uint32) + 1
    posterior[:, 0] += (2**24 - posterior.sum(axis=1)).astype(np.uint32)
    x = rng.choice(symbols, size=rows, p=joint.sum(axis=0) / joint.sum())
    codec = BitsBack(
        Categorical(PMF(np.repeat(prior, rows, axis=0))),
        lambda z: Categorical(PMF(likelihood[z])),
        lambda y: Categorical(PMF(posterior[y])),
    )
    stack = random_stack(rng, 10_000)
    before = len(stack.to_bytes())
    codec.push(stack, x)
    cost = 8 * (len(stack.to_bytes()) - before)
    assert cost == pytest.approx(-np.log2(joint.sum(axis=0)[x]).sum(), rel=0.01)


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
