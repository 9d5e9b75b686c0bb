"""Schedules: every digit once, the best cut of all there are, and stored ones that are refused when they are none."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catzip.models.families.ardm.schedules import (
    CallSchedule,
    Costs,
    Groups,
    best,
    every_step,
    from_tensors,
    strided,
    to_tensors,
    uniform,
)

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 7))  # (stages, dimensions)


def falling(stages: int, size: int, seed: int) -> np.ndarray:
    """Losses that fall as more is known, as those of a model do but for noise."""
    steps = np.random.RandomState(seed).exponential(size=(stages, size))
    return steps[:, ::-1].cumsum(axis=1)[:, ::-1] / size


def all_cuts(stages: int, size: int, calls: int) -> list[Groups]:
    """Every way to cut so many stages into so many calls."""
    total, found = stages * size, []
    for inner in combinations(range(1, total), calls - 1):
        if set(range(size, total, size)) <= set(inner):
            edges = pairwise((0, *inner, total))
            found.append(tuple((start // size, stop - start) for start, stop in edges))
    return found


def costs_of(losses: np.ndarray) -> Costs:
    """Costs of a random order, from losses [stages, D]: the mean bits of any digit when so many are known."""
    size = losses.shape[1]
    return Costs(np.arange(size), np.repeat(losses[:, :, None], size, axis=2))


def random_costs(stages: int, size: int, seed: int) -> Costs:
    """Whatever is known, any digit may cost anything."""
    return Costs(np.arange(size), np.random.RandomState(seed).rand(stages, size, size))


@settings(max_examples=150, deadline=None)
@given(shape=SHAPES, data=st.data())
def test_best_is_the_best_of_all(shape: tuple[int, int], data: st.DataObject):
    """Whatever the costs are, also where more known costs more."""
    stages, size = shape
    calls = data.draw(st.integers(stages, min(stages * size, 9)) if stages * size <= 14 else st.just(stages))
    costs = random_costs(stages, size, data.draw(st.integers(0, 99)))
    found = best(costs, calls)
    cuts = all_cuts(stages, size, calls)
    assert found in cuts
    assert costs.predicted(found) == pytest.approx(min(map(costs.predicted, cuts)), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(stages=st.integers(1, 4), size=st.integers(20, 120), calls=st.integers(4, 60), noise=st.booleans())
def test_best_is_never_worse_than_uniform(stages: int, size: int, calls: int, noise: bool):
    losses = np.random.RandomState(size).rand(stages, size) if noise else falling(stages, size, calls) ** 2
    costs, calls = costs_of(losses), min(calls, stages * size)
    found, even = best(costs, calls), uniform(stages, size, calls)
    assert len(found) == len(even)
    assert costs.predicted(found) <= costs.predicted(even) * (1 + 1e-12)
    assert_whole(found, stages, size)


def test_more_calls_cost_fewer_bits_and_all_cost_the_least():
    losses = falling(2, 60, 3)
    costs = costs_of(losses)
    bits = [costs.predicted(best(costs, calls)) for calls in (2, 5, 10, 20, 60, 120)]
    assert all(left > right for left, right in pairwise(bits))
    assert best(costs, 120) == every_step(2, 60) == uniform(2, 60, 120)
    assert bits[-1] == pytest.approx(losses.sum())


def test_few_places_cost_little():
    """A loss like that of images, 3072 dimensions: 128 places are as good as 700 to a part in five hundred."""
    losses = 2.6 + 4.4 / (1 + np.arange(3072) / 30) ** 0.7

    def at(count: int) -> Costs:
        places = np.unique((3071 * np.linspace(0, 1, count) ** 1.5).astype(int))
        return Costs(places, np.repeat(losses[None, places, None], 3072, axis=2))

    few, many = (at(count).predicted(best(at(count), 50)) for count in (128, 700))
    assert many <= few <= 1.002 * many
    assert few < 0.99 * costs_of(losses[None]).predicted(uniform(1, 3072, 50))


def test_cuts_are_closer_where_the_loss_falls_fastest():
    sizes = [size for _, size in best(costs_of(4.0 / np.sqrt(1 + np.arange(256))[None]), 20)]
    assert sizes == sorted(sizes) and sizes[0] < 4 < 256 // 20 < sizes[-1]


def test_cuts_fall_where_neighbours_meet():
    """Bits of a digit whose left neighbour is unknown cost more: groups of a strided order are its columns."""
    order = strided(40, 8)
    bits = np.full((1, 40, 40), 1.0)
    for known in range(40):
        here = np.isin(order - 1, [-1, *order[:known]])
        bits[0, known, ~here] = 3.0
    assert [size for _, size in best(Costs(np.arange(40), bits), 8)] == [5] * 8


def test_strided_orders_are_runs_side_by_side():
    assert strided(10, 4).tolist() == [0, 4, 8, 1, 5, 9, 2, 6, 3, 7]
    assert strided(5, 1).tolist() == strided(5, 5).tolist() == [0, 1, 2, 3, 4]


def assert_whole(groups: Groups, stages: int, size: int) -> None:
    """Stages in order, and in each all dimensions."""
    assert [stage for stage, _ in groups] == sorted(stage for stage, _ in groups)
    for stage in range(stages):
        sizes = [group for at, group in groups if at == stage]
        assert min(sizes) >= 1 and sum(sizes) == size


@pytest.mark.parametrize("stages", [1, 4])
@pytest.mark.parametrize("length", [1, 2, 29, 30])
@pytest.mark.parametrize("calls", [5, 20, 30])
def test_calls_code_every_digit_once_in_order(stages: int, length: int, calls: int):
    order = np.random.RandomState(1).permutation(30)
    schedule = CallSchedule(order, uniform(stages, 30, calls))
    coded: list[tuple[int, int]] = []
    for call in schedule.calls(length):
        assert len(call.wanted) and call.known.shape == (30,)
        known = [position for stage, position in coded if stage == call.stage]
        assert sorted(known) == np.flatnonzero(call.known).tolist()  # all that was coded before, and no more
        coded += [(call.stage, int(position)) for position in call.wanted]
    positions = order[order < length].tolist()
    assert coded == [(stage, position) for stage in range(stages) for position in positions]
    if length == 30:
        assert len(list(schedule.calls())) == len(list(schedule.calls(30))) == calls


@pytest.mark.parametrize("calls", [1, 2, 3, 13, 100])
def test_calls_that_cannot_be_shared_out(calls: int):
    for cut in (lambda: uniform(3, 4, calls), lambda: best(costs_of(np.ones((3, 4))), calls)):
        if 3 <= calls <= 12:
            assert_whole(cut(), 3, 4)
        else:
            with pytest.raises(ValueError, match="3 to 12 calls"):
                cut()


def cuts_of(stages: int) -> dict[int, Groups]:
    costs = costs_of(falling(stages, 12, 1))
    return {5: uniform(stages, 12, 5), 10: best(costs, 10), 12 * stages: every_step(stages, 12)}


def stored(stages: int = 2) -> dict[str, np.ndarray]:
    order, other = (np.random.RandomState(seed).permutation(12) for seed in (2, 3))
    cuts = cuts_of(stages)
    return to_tensors(
        {calls: CallSchedule(other if calls == 5 else order, cut) for calls, cut in cuts.items()}
    )


def test_schedules_are_stored_and_all_steps_need_no_groups():
    tensors = stored()
    assert sorted(tensors) == ["groups.10", "groups.5", "order", "order.5"]
    found = from_tensors({**tensors, "head.weight": np.zeros(3)}, 2, 12)
    assert {calls: schedule.groups for calls, schedule in found.items()} == cuts_of(2)
    for calls, name in ((5, "order.5"), (10, "order"), (24, "order")):
        assert np.array_equal(found[calls].order, tensors[name])
    assert all(np.array_equal(array, tensors[name]) for name, array in to_tensors(found).items())


BAD = {
    "a dimension twice": {"order": np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10], np.uint16)},
    "a budget's order with a dimension twice": {"order.5": np.zeros(12, np.uint16)},
    "an order too short": {"order": np.arange(11, dtype=np.uint16)},
    "an order of another shape": {"order": np.arange(12, dtype=np.uint16).reshape(3, 4)},
    "another number of calls": {"groups.6": stored()["groups.5"]},
    "a dimension too few": {"groups.2": np.array([[0, 12], [1, 11]])},
    "an empty call": {"groups.3": np.array([[0, 12], [1, 12], [1, 0]])},
    "a call less than empty": {"groups.4": np.array([[0, 12], [1, 13], [1, -2], [1, 1]])},
    "a stage missing": {"groups.1": np.array([[0, 12]])},
    "a stage too many": {"groups.3": np.array([[0, 12], [1, 12], [2, 12]])},
    "stages out of order": {"groups.2": np.array([[1, 12], [0, 12]])},
    "a stage left and entered again": {"groups.3": np.array([[0, 6], [1, 12], [0, 6]])},
    "no calls": {"groups.0": np.zeros((0, 2), np.int32)},
    "no pairs": {"groups.2": np.array([12, 12])},
    "no number": {"groups.few": stored()["groups.5"]},
}


@pytest.mark.parametrize("name", BAD)
def test_arrays_that_are_no_schedules(name: str):
    with pytest.raises((ValueError, TypeError)):
        from_tensors(stored() | BAD[name], 2, 12)


def test_an_order_is_needed():
    tensors = stored()
    del tensors["order"]
    with pytest.raises(KeyError):
        from_tensors(tensors, 2, 12)
