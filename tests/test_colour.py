"""Colours without what they share: a bijection of every uint8 triple."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catzip.models.arrays import NumpyArray
from catzip.models.colour import correlate, decorrelate

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


def lifted(red: int, green: int, blue: int) -> tuple[int, int, int]:
    """YCoCg-R as in the paper, its differences wrapped into -128..127."""

    def wrapped(x: int) -> int:
        return (x + 128) % 256 - 128

    orange = wrapped(red - blue)
    middle = (blue + (orange >> 1)) % 256
    violet = wrapped(green - middle)
    return (middle + (violet >> 1)) % 256, orange + 128, violet + 128


def test_it_is_the_formula():
    colours = lattice(23)
    assert decorrelate(colours).tolist() == [list(lifted(*colour)) for colour in colours.tolist()]


def test_greys_have_no_differences():
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    luma, *differences = decorrelate(greys).T
    assert luma.tolist() == list(range(256)) and all((each == 128).all() for each in differences)


@pytest.mark.parametrize("shape", [(1, 3), (0, 4, 3), (2, 1, 5, 3)])
def test_any_number_of_axes(shape: tuple[int, ...]):
    image = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    assert np.array_equal(correlate(decorrelate(image)), image)
    assert np.array_equal(decorrelate(np.asfortranarray(image)), decorrelate(image))
