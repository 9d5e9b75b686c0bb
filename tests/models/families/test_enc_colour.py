"""The choice of colour transforms: by the bits of the flow, the same for any number of workers, only where it pays."""

import numpy as np
import pytest
from test_idf import image
from tiny_models import flow

from catzip.models.backends.base import NumpyArray
from catzip.models.backends.workers import Workers
from catzip.models.families.idf.colour import CANDIDATES, apply_rct
from catzip.models.families.idf.costs import costs, rough_bits
from catzip.models.families.idf.enc_colour import best_rct

NET = flow("idf-photo")._flow


def scene(seed: int, shape: tuple[int, int] = (40, 40)) -> NumpyArray:
    """Grain on a slope, int [H, W]."""
    slope = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) // 3
    return slope + np.random.RandomState(seed).randint(0, 16, shape)


def door(seed: int) -> NumpyArray:
    """Green and blue go together, and red has a grain of its own: uint8 [40, 40, 3]."""
    red, others = scene(seed), scene(seed + 1)
    return np.stack([150 + red, 60 + others, 36 + others], -1).astype(np.uint8)


def wall(seed: int) -> NumpyArray:
    """Nearly grey."""
    return np.stack([100 + scene(seed), 98 + scene(seed), 90 + scene(seed)], -1).astype(np.uint8)


def test_each_tile_has_its_own():
    tiles = np.stack([door(0), wall(4), door(8)])
    assert best_rct(NET, Workers(1), tiles).tolist() == [[-2, 2], [0, 0], [-2, 2]]


def test_they_pay():
    """A file with them is smaller than one without, by the choice alone."""
    coder, tile = flow("idf-photo"), door(2)
    plan = coder.plan(tile.size, shape=tile.shape)[:4]
    assert coder.nll(tile.ravel(), (*plan, 1)) < 0.98 * coder.nll(tile.ravel(), plan)


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (33, 2), (70, 80)])
def test_any_size_has_a_middle(shape: tuple[int, int]):
    tiles = image(0, 2, *shape, 3)
    found = best_rct(NET, Workers(1), tiles)
    assert all(tuple(each) in CANDIDATES for each in found.tolist())


@pytest.mark.parametrize("threads", [2, 3])
def test_workers_change_nothing(threads: int):
    tiles = np.stack([door(0), wall(4), image(3, 40, 40, 3, kind="noise")])
    assert np.array_equal(best_rct(NET, Workers(threads), tiles), best_rct(NET, Workers(1), tiles))


def test_costs_are_near_the_bits_of_the_coder():
    tiles = np.stack([door(1), wall(5)])
    coder = flow("idf-photo")
    for tile, cost in zip(tiles, costs(NET, tiles), strict=True):
        exact = coder.nll(tile.ravel(), coder.plan(tile.size, shape=tile.shape)[:4])
        assert exact - 1 <= cost <= 1.08 * exact


def test_bits_lie_on_lines_between_powers_of_two():
    frequencies = np.array([1, 2, 3, 4, 1 << 23, 3 << 22, 1 << 24], np.uint32)
    assert rough_bits(frequencies).tolist() == [24, 23, 22.5, 22, 1, 0.5, 0]
    rows = np.random.RandomState(0).randint(1, 1 << 20, 1000).astype(np.uint32)
    exact = 24 - np.log2(rows)
    assert (rough_bits(rows) >= exact - 1e-9).all() and (rough_bits(rows) <= exact + 0.0861).all()


def test_the_first_candidate_is_to_leave_it():
    assert CANDIDATES[0] == (0, 0) and all(-8 <= each <= 7 for pair in CANDIDATES for each in pair)
    tiles = image(0, 1, 8, 8, 3)
    assert np.array_equal(apply_rct(tiles, np.array([CANDIDATES[0]])), tiles)
