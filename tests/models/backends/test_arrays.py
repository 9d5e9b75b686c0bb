"""The integer product is exact on every backend; unproved weights are refused; wrong kernels are caught."""

import sys
from typing import Any

import numpy as np
import pytest
from backends import BACKENDS, OTHERS, backend
from hypothesis import given, settings
from hypothesis import strategies as st

from catzip.compressor.errors import CatzipError, MissingDependencyError
from catzip.models.backends import select as arrays_module
from catzip.models.backends.base import CODE_MAX, WEIGHT_MAX, Arrays, NumpyArray, float32_is_exact
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.backends.select import arrays_for
from catzip.models.backends.self_test import check_assignment, check_product

BOUND = (2**24 - 1) // (CODE_MAX * WEIGHT_MAX)
"""The most inputs whose products float32 is proved to add up."""


def product(arrays: Arrays, codes: NumpyArray, weight: NumpyArray) -> NumpyArray:
    placed = arrays.place(codes.astype(np.float32))
    return arrays.fetch(arrays.product(placed, arrays.weight(weight.astype(np.int8))))


def by_hand(codes: NumpyArray, weight: NumpyArray) -> list[list[int]]:
    """codes @ weight.T in Python's integers."""
    rows, columns = codes.tolist(), weight.tolist()
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in rows]


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_product_of_any_operands(name: str, data: st.DataObject):
    rows, inputs, outputs = (data.draw(st.integers(1, most)) for most in (9, 67, 9))
    random = np.random.RandomState(data.draw(st.integers(0, 2**32 - 1)))
    if data.draw(st.booleans()):
        codes = random.choice([-CODE_MAX, CODE_MAX], (rows, inputs))
        weight = random.choice([-WEIGHT_MAX, WEIGHT_MAX], (outputs, inputs))
    else:
        codes = random.randint(-CODE_MAX, CODE_MAX + 1, (rows, inputs))
        weight = random.randint(-WEIGHT_MAX, WEIGHT_MAX + 1, (outputs, inputs))
    assert product(backend(name), codes, weight).tolist() == by_hand(codes, weight)


def test_the_bound_of_float32_is_tight():
    assert BOUND == 2096
    assert float32_is_exact(BOUND) and not float32_is_exact(BOUND + 1)
    arrays = NumpyArrays()
    for inputs, carrier in ((BOUND, np.float32), (BOUND + 1, np.float64)):
        assert arrays.weight(np.ones((1, inputs), np.int8)).dtype == carrier


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("inputs", [BOUND, BOUND + 1])
def test_largest_sums_at_the_bound(name: str, inputs: int):
    """The last column cancels: a running sum that had been rounded could not come back."""
    codes = np.full((3, inputs), CODE_MAX)
    codes[1] *= -1
    codes[2, inputs // 2 :] *= -1
    weight = np.full((2, inputs), WEIGHT_MAX)
    weight[1, -1] = -WEIGHT_MAX + 1
    exact = codes.astype(np.int64) @ weight.T
    assert (np.abs(exact).max() < 2**24) == (inputs == BOUND)
    assert np.array_equal(product(backend(name), codes, weight), exact.astype(np.float32))


@pytest.mark.parametrize("name", BACKENDS)
def test_beyond_the_bound_only_the_result_is_rounded(name: str):
    """Sums above 2**24 are added up exactly, then rounded once to float32, to nearest even."""
    codes = np.full((2, 5001), CODE_MAX)
    codes[1, :2501] = -CODE_MAX
    weight = np.full((3, 5001), WEIGHT_MAX)
    weight[1] -= np.arange(5001) % 2
    weight[2, :7] = 1
    exact = codes.astype(np.int64) @ weight.T
    assert np.abs(exact).max() > 2**24
    assert np.array_equal(product(backend(name), codes, weight), exact.astype(np.float32))


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize(
    "weight",
    [
        np.full((2, 3), WEIGHT_MAX + 1, np.int8),
        np.full((2, 3), -WEIGHT_MAX - 1, np.int8),
        np.full((2, 3), -128, np.int8),  # whose absolute value is no int8
        np.ones((2, 3), np.int16),
        np.ones((2, 3), np.float32),
        np.ones(3, np.int8),
    ],
    ids=["64", "-64", "-128", "int16", "float32", "one axis"],
)
def test_weights_without_a_proof_are_refused(name: str, weight: NumpyArray):
    with pytest.raises(ValueError, match=r"int8 \[outputs, inputs\] in -63\.\.63"):
        backend(name).weight(weight)


class OffByOne(NumpyArrays):
    """Wrong in one place of the largest shape only."""

    def product(self, codes: Any, weight: Any) -> Any:
        y = super().product(codes, weight)
        if codes.shape == (64, 256):
            y[-1, -1] += 1
        return y


class Coarse(NumpyArrays):
    """Sums with the last bits missing, as in a type that is too narrow."""

    def product(self, codes: Any, weight: Any) -> Any:
        return np.round(super().product(codes, weight) / 4) * 4


class Saturating(NumpyArrays):
    """Pairs of products added in 15 bits: a kernel that has no room even for 7-bit weights."""

    def product(self, codes: Any, weight: Any) -> Any:
        terms = codes[:, :, None].astype(np.int64) * weight[None].astype(np.int64)
        terms = np.pad(terms, ((0, 0), (0, terms.shape[1] % 2), (0, 0)))
        pairs = terms[:, ::2] + terms[:, 1::2]
        return pairs.clip(-(1 << 13), (1 << 13) - 1).sum(1).astype(np.float32)


class ForgetsTheOddRow(NumpyArrays):
    """Blocks of two rows, and what is left over taken from the block before."""

    def product(self, codes: Any, weight: Any) -> Any:
        y = super().product(codes, weight)
        if len(y) % 2 and len(y) > 1:
            y[-1] = y[-2]
        return y


class Halved(NumpyArrays):
    """Operands with 10 bits, as TF32 has them, in batched products."""

    def batched(self, a: Any, b: Any) -> Any:
        return super().batched(a, b + np.copysign(np.float32(2.0**-4), b))


@pytest.mark.parametrize("wrong", [OffByOne, Coarse, Saturating, ForgetsTheOddRow, Halved])
def test_a_wrong_product_is_caught(wrong: type[NumpyArrays]):
    with pytest.raises(CatzipError, match="not exact on this machine; use --device cpu"):
        check_product(wrong())


class Backwards(np.ndarray):
    """An array in which the first value stays where indices are repeated."""

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key.ravel()[::-1], value.ravel()[::-1])


def test_another_order_of_assignment_is_caught(monkeypatch: pytest.MonkeyPatch):
    zeros = np.zeros
    monkeypatch.setattr(np, "zeros", lambda *shape: zeros(*shape).view(Backwards))
    with pytest.raises(CatzipError, match="assigns repeated indices in another order"):
        check_assignment()


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_batched_products(name: str, data: st.DataObject):
    """Operands lie anyhow in memory, as heads of attention do, and are in steps of any power of two."""
    n, inputs, m = (data.draw(st.integers(1, most)) for most in (9, 70, 9))
    random = np.random.RandomState(data.draw(st.integers(0, 2**32 - 1)))
    a, b = (random.randint(-CODE_MAX, CODE_MAX + 1, (2, rows, 3, inputs)) for rows in (n, m))
    arrays, step = backend(name), np.float32(2.0 ** data.draw(st.integers(-20, 20)))
    here, there = (arrays.place(x.astype(np.float32)).swapaxes(1, 2) for x in (a, b))
    got = arrays.fetch(arrays.batched(here * step, there.swapaxes(-1, -2))) / step
    assert np.array_equal(got, a.swapaxes(1, 2) @ b.transpose(0, 2, 3, 1))


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_lookup_rounds_towards_zero_and_clips(name: str, kind: type):
    arrays, x = backend(name), np.array([[-300, -1.5, -0.5, 0.9], [1, 1.9, 2, 2**24]]).astype(kind)
    table = arrays.place(np.array([5, 7, 11], np.int32))
    assert arrays.fetch(arrays.lookup(table, arrays.place(x))).tolist() == [[5, 5, 5, 5], [7, 7, 11, 11]]


@pytest.mark.parametrize("name", BACKENDS)
def test_the_products_in_use_pass(name: str):
    check_product(backend(name))


def test_arrays_for_checks_before_it_hands_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(arrays_module, "NumpyArrays", OffByOne)
    with pytest.raises(CatzipError, match="not exact"):
        arrays_for.__wrapped__("cpu")


def test_torch_without_exact_int8_does_not_use_it(monkeypatch: pytest.MonkeyPatch):
    """The kernel is tried on the operands that break it, and left alone where it fails."""
    torch = pytest.importorskip("torch")
    from catzip.models.backends import torch as torch_arrays
    from catzip.models.backends.torch import TorchArrays

    monkeypatch.setattr(torch_arrays, "int8_is_fast", lambda: True)
    assert TorchArrays("torch").weight(np.ones((1, 2), np.int8)).dtype == torch.int8
    right = torch._int_mm
    monkeypatch.setattr(torch, "_int_mm", lambda a, b: right(a, b).clamp(-(1 << 15), (1 << 15) - 1))
    assert TorchArrays("torch").weight(np.ones((1, 2), np.int8)).dtype == torch.float32


def test_devices_that_are_not_there(monkeypatch: pytest.MonkeyPatch):
    torch = pytest.importorskip("torch")
    with pytest.raises(CatzipError, match=r"cpu-int8 went with .*: take --device cpu"):
        arrays_for.__wrapped__("cpu-int8")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CatzipError, match="no CUDA device here; use --device cpu"):
        arrays_for.__wrapped__("cuda")
    monkeypatch.setitem(sys.modules, "catzip.models.backends.torch", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'catzip\[torch\]'"):
        arrays_for.__wrapped__("torch")


@pytest.mark.parametrize("name", OTHERS)
@settings(max_examples=30, deadline=None)
@given(number=st.integers(1, 2**24), seed=st.integers(0, 2**32 - 1))
def test_a_ratio_is_rounded_once(name: str, number: int, seed: int):
    """Python's division of integers is correctly rounded; a reciprocal and a product are not (49 / 49 < 1)."""
    below = np.random.RandomState(seed).randint(1, 2**28, 50).astype(np.float64)
    below[0] = number
    arrays = backend(name)
    got = arrays.fetch(arrays.ratio(number, arrays.place(below)))
    assert got.tolist() == [number / int(each) for each in below]


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_operations_are_numpys(name: str):
    random = np.random.RandomState(3)
    here, there = NumpyArrays(), backend(name)
    x = random.uniform(-300, 300, (7, 11)).astype(np.float32)
    wide = np.floor(random.uniform(-40000, 40000, (7, 11)))
    table, index = random.randint(-99, 99, (13, 4)).astype(np.int8), random.randint(0, 13, (5,))

    def every(arrays: Arrays) -> list[NumpyArray]:
        placed, large = arrays.place(x), arrays.place(wide)
        results = [
            arrays.floor_(arrays.float32(placed)),
            arrays.clip_(arrays.float32(placed), -127, 127),
            arrays.int32(arrays.clip_(arrays.floor_(arrays.float32(placed)), 0, 100)),
            arrays.sum_squares(large),
            arrays.sqrt(arrays.sum_squares(large)),
            arrays.max(placed),
            arrays.concat([placed, placed]),
            arrays.take(arrays.place(table), arrays.place(index)),
            arrays.zeros_int32(2, 3),
            arrays.surround(placed.reshape(1, 7, 11, 1)),
            arrays.surround(placed.reshape(7, 1, 1, 11)),
            placed,  # as it was: float32() copies, so that what is done in place is done to the copy
        ]
        return [arrays.fetch(result) for result in results]

    for ours, theirs in zip(every(here), every(there), strict=True):
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("name", OTHERS[1:])  # whose arrays are tensors
@pytest.mark.parametrize("rows,inputs,outputs", [(1, 64, 48), (5, 1, 7), (1, 1, 3), (9, 33, 1)])
def test_a_side_of_one_may_have_any_stride(name: str, rows: int, inputs: int, outputs: int):
    """PyTorch's int8 product on processors with VNNI takes the stride of such a side at its word."""
    arrays, random = backend(name), np.random.RandomState(rows)
    codes = random.randint(-127, 128, (rows, inputs)).astype(np.float32)
    weight = random.randint(-63, 64, (outputs, inputs)).astype(np.int8)
    placed = arrays.place(codes)
    odd = placed.as_strided(
        (rows, inputs),
        tuple(0 if side == 1 else step for side, step in zip(placed.shape, placed.stride(), strict=True)),
    )
    got = arrays.fetch(arrays.product(odd, arrays.weight(weight)))
    assert np.array_equal(got.astype(np.int64), codes.astype(np.int64) @ weight.T.astype(np.int64))
    plain = pytest.importorskip("catzip.models.backends.torch").plain
    assert plain(odd).stride() == (inputs, 1)  # which says more where the processor has no VNNI
