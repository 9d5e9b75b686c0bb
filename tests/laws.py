"""The laws every codec obeys; a new codec joins all of them by one line in test_codec.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from catzip.compressor.coding.codec import Codec
from catzip.compressor.coding.ledger import Ledger
from catzip.compressor.coding.stack import RandomBits, Stack


@dataclass(frozen=True)
class Case:
    """A codec, something it codes, and the ideal cost of that in bits (None where only a mean is known)."""

    codec: Codec[Any]
    x: Any
    bits: float | None = None


MakeCase = Callable[[np.random.RandomState], Case]


def random_stack(rng: np.random.RandomState, size: int) -> Stack:
    """A stack that holds `size` arbitrary bytes."""
    return Stack.from_bytes(rng.bytes(size).rstrip(b"\0"))


def equal(a: Any, b: Any) -> bool:
    """Whether two codable things are the same, arrays by value."""
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(equal(left, right) for left, right in zip(a, b, strict=True))
    return bool(np.array_equal(a, b))


def assert_pop_undoes_push(case: Case, stack: Stack) -> None:
    """push, then pop: the same x, the stack as it was."""
    before = stack.to_bytes()
    case.codec.push(stack, case.x)
    stack = Stack.from_bytes(stack.to_bytes())  # through a file
    assert equal(case.codec.pop(stack), case.x)
    assert stack.to_bytes() == before
    assert stack.is_empty() == (before == b"")


def assert_push_undoes_pop(case: Case, stack: Stack) -> None:
    """pop, then push what came: the stack as it was, also where it was empty."""
    before = stack.to_bytes()
    case.codec.push(stack, case.codec.pop(stack))
    assert stack.to_bytes() == before


def assert_cost_is_ideal(case: Case, slack: float = 64.0) -> None:
    """The stack grows by the ideal number of bits, give or take the head of the coder."""
    assert case.bits is not None
    stack = Stack()
    case.codec.push(stack, case.x)
    assert abs(8 * len(stack.to_bytes()) - case.bits) <= slack + 1e-4 * case.bits


def assert_ledger_is_the_same_path(case: Case, stack: Stack) -> None:
    """The ledger counts the ideal cost; what was popped off it takes away what pushing it adds, but for latents."""
    account = case.codec.account(case.x)
    assert account.bits == case.codec.bits(case.x) == pytest.approx(account.paid_back - account.borrowed)
    assert account.borrowed >= 0 and account.paid_back >= 0 and account.popped >= 0
    if case.bits is not None:
        assert account.bits == pytest.approx(case.bits, rel=1e-9, abs=1e-9)
    if not account.popped:
        assert account.borrowed == 0
        ledger = Ledger(7)
        case.codec.push(ledger, case.codec.pop(ledger))
        assert ledger.balance == pytest.approx(0, abs=1e-6)


def assert_random_bits_sample(case: Case, stack: Stack) -> None:
    """Popping random bits gives something that the codec codes, the same for the same bits."""
    samples = [case.codec.pop(RandomBits(np.random.RandomState(seed), 4)) for seed in (1, 1, 2)]
    assert equal(*samples[:2])
    for sample in samples:
        case.codec.push(Stack(), sample)


CODEC_LAWS: Sequence[Callable[[Case, Stack], None]] = (
    assert_pop_undoes_push,
    assert_push_undoes_pop,
    assert_ledger_is_the_same_path,
    assert_random_bits_sample,
)
