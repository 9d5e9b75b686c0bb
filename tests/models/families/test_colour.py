"""Colours without what they share: a bijection of every uint8 triple."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catzip.models.backends.base import NumpyArray
from catzip.models.families.idf.colour import best_turns, correlate, decorrelate, lifted, lowered, turned

VALUES = st.integers(0, 255)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=40))
def test_either_undoes_the_other(colours: list[tuple[int, int, int]]):
    image = np.array(colours, np.uint8).reshape(-1, 3)
    for there, back in ((decorrelate, correlate), (correlate, decorrelate)):
        found = there(image)
        assert found.dtype == np.uint8 and found.shape == image.shape
        assert np.array_equal(back(found), image)


def lattice(step: int) -> NumpyArray:
    """Colours from all over the cube, its corners among them: uint8 [N, 3]."""
    values = sorted({*range(0, 256, step), 127, 128, 255})
    return np.array(list(product(values, repeat=3)), np.uint8)


def test_no_two_colours_become_one():
    colours = lattice(7)
    for there in (decorrelate, correlate):
        assert len(np.unique(there(colours), axis=0)) == len(colours)


def formula(red: int, green: int, blue: int) -> tuple[int, int, int]:
    """YCoCg-R as in the paper, its differences wrapped into -128..127."""

    def wrapped(x: int) -> int:
        return (x + 128) % 256 - 128

    orange = wrapped(red - blue)
    middle = (blue + (orange >> 1)) % 256
    violet = wrapped(green - middle)
    return (middle + (violet >> 1)) % 256, orange + 128, violet + 128


def test_it_is_the_formula():
    colours = lattice(23)
    assert decorrelate(colours).tolist() == [list(formula(*colour)) for colour in colours.tolist()]


def test_greys_have_no_differences():
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    luma, *differences = decorrelate(greys).T
    assert luma.tolist() == list(range(256)) and all((each == 128).all() for each in differences)


@pytest.mark.parametrize("shape", [(1, 3), (0, 4, 3), (2, 1, 5, 3)])
def test_any_number_of_axes(shape: tuple[int, ...]):
    image = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    assert np.array_equal(correlate(decorrelate(image)), image)
    assert np.array_equal(decorrelate(np.asfortranarray(image)), decorrelate(image))


@given(st.integers(0, 2**32 - 1), st.integers(0, 15), st.integers(0, 15))
def test_turning_back_undoes_a_turn_and_moves_the_differences_alone(seed: int, orange: int, violet: int):
    images = np.random.RandomState(seed).randint(0, 256, (2, 3, 5, 3)).astype(np.uint8)
    turns = np.array([[orange, violet], [violet, 0]])
    there = turned(images, turns)
    assert np.array_equal(turned(there, -turns), images)
    moved = decorrelate(images).astype(int) - decorrelate(there)
    assert np.array_equal(
        moved % 256, np.broadcast_to(16 * np.pad(turns, ((0, 0), (1, 0)))[:, None, None], moved.shape)
    )


@given(st.integers(0, 2**32 - 1), st.integers(-8, 7), st.integers(-8, 7))
def test_lowering_undoes_a_lift(seed: int, first: int, second: int):
    images = np.random.RandomState(seed).randint(0, 256, (2, 3, 5, 3)).astype(np.uint8)
    lifts = np.array([[first, second], [second, 0]])
    assert np.array_equal(lowered(lifted(images, lifts), lifts), images)
    assert np.array_equal(lifted(lowered(images, lifts), lifts), images)
    assert np.array_equal(lifted(images, 0 * lifts), images)


def test_a_lift_takes_a_share_of_one_difference_off_the_other():
    colour = np.array([[[[200, 90, 60]]]], np.uint8)
    _, orange, violet = decorrelate(colour)[0, 0, 0].astype(int) - 128
    assert (orange, violet) == (200 - 60 - 256, 90 - (60 + (200 - 60 - 256) // 2))  # orange wraps
    _, first, second = decorrelate(lifted(colour, np.array([[-2, 3]])))[0, 0, 0].astype(int) - 128
    assert second == (violet - (-2 * orange >> 2) + 128) % 256 - 128
    assert first == (orange - (3 * second >> 2) + 128) % 256 - 128


def test_green_less_blue_is_one_of_them():
    """And with nothing but that left, red less green is the other: the colours of a red door."""
    grain = np.random.RandomState(0).randint(0, 40, (2, 1, 12, 30))
    red = np.stack([110 + grain[0], 50 + grain[1], 30 + grain[1]], -1).astype(np.uint8)
    planes = decorrelate(lifted(red, np.array([[-2, 2]])))
    assert np.ptp(planes[..., 2]) <= 1 and np.ptp(decorrelate(red)[..., 2]) > 15


def crossing(images: NumpyArray) -> int:
    """Neighbours in a row whose difference of colours wraps between them."""
    differences = decorrelate(images)[..., 1:].astype(int)
    return int((np.abs(np.diff(differences, axis=2)) > 128).sum())


def test_an_image_about_the_place_of_a_wrap_is_turned():
    shade = np.random.RandomState(0).randint(-20, 20, (1, 16, 32))
    red = np.stack([210 + shade, 60 - shade, 80 - shade], -1).astype(
        np.uint8
    )  # red less blue is 130, give or take 40
    assert crossing(red) > 100
    turns = best_turns(red)
    assert turns[0, 0] and crossing(turned(red, turns)) == 0


@pytest.mark.parametrize("kind", ["grey", "soft"])
def test_others_are_left_as_they_are(kind: str):
    shade = np.random.RandomState(0).randint(0, 60, (2, 9, 17, 1))
    weights = [1.0, 1.0, 1.0] if kind == "grey" else [2.0, 1.0, 1.5]
    assert not best_turns((100 + shade * np.array(weights)).astype(np.uint8)).any()
