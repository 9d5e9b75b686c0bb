"""Bits-back codes cost the bound: one latent, and chains of a thousand; an empty stack costs more, once."""

import math

import numpy as np
import pytest
from helpers import random_freqs
from laws import random_stack

from catzip.compressor.coding.bitsback import BitsBack, Chain
from catzip.compressor.coding.codec import Categorical
from catzip.compressor.coding.ledger import Ledger
from catzip.compressor.coding.pmf import PMF, TOTAL
from catzip.compressor.coding.stack import RandomBits, Stack


def normalised(p: np.ndarray) -> np.ndarray:
    """Probabilities [..., K] as frequencies."""
    freqs = np.floor(p / p.sum(-1, keepdims=True) * (TOTAL - p.shape[-1])).astype(np.int64) + 1
    freqs[..., 0] += TOTAL - freqs.sum(-1)
    return freqs.astype(np.uint32)


class Diffusion:
    """Letters that are replaced by any other with a little probability at each step, and the exact way back.

    As it is exact, the bound is the likelihood, whatever the latents are.
    """

    def __init__(self, length: int, letters: int, size: int, noise: float, seed: int = 0) -> None:
        random = np.random.RandomState(seed)
        self.data = random.gamma(0.3, size=letters) + 1e-3
        self.data /= self.data.sum()
        step = (1 - noise) * np.eye(letters) + noise / letters
        marginals, down, up = [self.data], [], normalised(step)
        for _ in range(length):
            down.append(normalised((step * marginals[-1][:, None]).T))
            marginals.append(marginals[-1] @ step)
        self.codec = Chain(
            Categorical(PMF(np.repeat(normalised(marginals[-1][None]), size, axis=0))),
            lambda t, x: Categorical(PMF(up[x])),
            lambda t, z: Categorical(PMF(down[t - 1][z])),
            length,
        )

    def items(self, count: int, size: int) -> list[np.ndarray]:
        random = np.random.RandomState(1)
        return [random.choice(len(self.data), size=size, p=self.data) for _ in range(count)]


def length(stack: Stack) -> float:
    """Bits, of the number that the stack is."""
    return math.log2(int.from_bytes(stack.to_bytes(), "little") or 1)


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


def test_a_thousand_latents_cost_their_bound():
    """A set of items to within a thousandth of what the ledger says, and to the same items."""
    toy = Diffusion(1000, 27, 64, 0.004)
    items, ledger, stack = toy.items(6, 64), Ledger(), random_stack(np.random.RandomState(2), 100)
    before = stack.to_bytes()
    start = length(stack)
    for item in items:
        toy.codec.push(ledger, item)
        toy.codec.push(stack, item)
    bound, cost = ledger.account.bits, length(stack) - start
    assert cost == pytest.approx(bound, rel=1e-3)
    assert bound == pytest.approx(-np.log2(toy.data[np.concatenate(items)]).sum(), rel=1e-3)
    for item in reversed(items):
        assert np.array_equal(toy.codec.pop(stack), item)
    assert stack.to_bytes() == before


def test_what_an_empty_stack_costs():
    """More than is borrowed, as it lends zeros and not random bits; nothing, where as much was there already.

    The docstring of `Chain` states these numbers.
    """
    toy = Diffusion(1000, 27, 64, 0.004)
    first, second = toy.items(2, 64)
    account = toy.codec.account(first)
    assert account.bits == pytest.approx(182, abs=1) and account.borrowed == pytest.approx(150, abs=1)
    empty, filled = Stack(), random_stack(np.random.RandomState(3), 28)
    before = length(filled)
    toy.codec.push(empty, first)
    toy.codec.push(filled, first)
    assert length(empty) - account.bits == pytest.approx(817, abs=1)
    assert length(filled) - before == pytest.approx(account.bits, abs=1)
    after = length(empty)
    toy.codec.push(empty, second)
    assert length(empty) - after == pytest.approx(toy.codec.bits(second), abs=1)


def test_a_chain_samples():
    """What random bits are popped to is distributed as the data, and leaves no fewer bits than it should."""
    toy = Diffusion(20, 5, 4000, 0.1)
    sample = toy.codec.pop(RandomBits(np.random.RandomState(4)))
    found = np.bincount(sample, minlength=5) / 4000
    assert np.abs(found - toy.data).max() < 0.03


def test_depth_is_no_recursion():
    toy = Diffusion(5000, 2, 1, 0.001)
    stack = random_stack(np.random.RandomState(5), 50)
    before = stack.to_bytes()
    toy.codec.push(stack, np.array([1]))
    assert toy.codec.pop(stack).tolist() == [1]
    assert stack.to_bytes() == before


def test_chains_are_bounds_and_of_some_length():
    assert Chain.bound and BitsBack.bound and not Categorical.bound
    with pytest.raises(ValueError, match="-1 latents"):
        Chain(Categorical(PMF(random_freqs(np.random.RandomState(0), 1, 2))), None, None, -1)
