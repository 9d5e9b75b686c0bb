"""Colours without what they share: a bijection of every uint8 triple."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catzip.models.backends.base import NumpyArray
from catzip.models.families.idf.colour import (
    apply_rct,
    offset_chroma,
    rgb_to_ycocg,
    undo_rct,
    ycocg_to_rgb,
)
from catzip.models.families.idf.enc_colour import best_chroma_offsets

VALUES = st.integers(0, 255)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=40))
def test_either_undoes_the_other(colours: list[tuple[int, int, int]]):
    image = np.array(colours, np.uint8).reshape(-1, 3)
    for there, back in ((rgb_to_ycocg, ycocg_to_rgb), (ycocg_to_rgb, rgb_to_ycocg)):
        found = there(image)
        assert found.dtype == np.uint8 and found.shape == image.shape
        assert np.array_equal(back(found), image)


def lattice(step: int) -> NumpyArray:
    """Colours from all over the cube, its corners among them: uint8 [N, 3]."""
    values = sorted({*range(0, 256, step), 127, 128, 255})
    return np.array(list(product(values, repeat=3)), np.uint8)


def test_no_two_colours_become_one():
    colours = lattice(7)
    for there in (rgb_to_ycocg, ycocg_to_rgb):
        assert len(np.unique(there(colours), axis=0)) == len(colours)


def formula(red: int, green: int, blue: int) -> tuple[int, int, int]:
    """YCoCg-R as in the paper, its differences wrapped into -128..127."""

    def wrapped(x: int) -> int:
        return (x + 128) % 256 - 128

    co = wrapped(red - blue)
    middle = (blue + (co >> 1)) % 256
    cg = wrapped(green - middle)
    return (middle + (cg >> 1)) % 256, co + 128, cg + 128


def test_it_is_the_formula():
    colours = lattice(23)
    assert rgb_to_ycocg(colours).tolist() == [list(formula(*colour)) for colour in colours.tolist()]


def test_greys_have_no_differences():
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    luma, *differences = rgb_to_ycocg(greys).T
    assert luma.tolist() == list(range(256)) and all((each == 128).all() for each in differences)


@pytest.mark.parametrize("shape", [(1, 3), (0, 4, 3), (2, 1, 5, 3)])
def test_any_number_of_axes(shape: tuple[int, ...]):
    image = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    assert np.array_equal(ycocg_to_rgb(rgb_to_ycocg(image)), image)
    assert np.array_equal(rgb_to_ycocg(np.asfortranarray(image)), rgb_to_ycocg(image))


@given(st.integers(0, 2**32 - 1), st.integers(0, 15), st.integers(0, 15))
def test_negative_offsets_undo_chroma_offsets_and_moves_the_differences_alone(seed: int, co: int, cg: int):
    images = np.random.RandomState(seed).randint(0, 256, (2, 3, 5, 3)).astype(np.uint8)
    offsets = np.array([[co, cg], [cg, 0]])
    there = offset_chroma(images, offsets)
    assert np.array_equal(offset_chroma(there, -offsets), images)
    moved = rgb_to_ycocg(images).astype(int) - rgb_to_ycocg(there)
    assert np.array_equal(
        moved % 256, np.broadcast_to(16 * np.pad(offsets, ((0, 0), (1, 0)))[:, None, None], moved.shape)
    )


@given(st.integers(0, 2**32 - 1), st.integers(-8, 7), st.integers(-8, 7))
def test_undoing_undoes_an_rct(seed: int, first: int, second: int):
    images = np.random.RandomState(seed).randint(0, 256, (2, 3, 5, 3)).astype(np.uint8)
    rct = np.array([[first, second], [second, 0]])
    assert np.array_equal(undo_rct(apply_rct(images, rct), rct), images)
    assert np.array_equal(apply_rct(undo_rct(images, rct), rct), images)
    assert np.array_equal(apply_rct(images, 0 * rct), images)


def test_an_rct_takes_a_share_of_one_difference_off_the_other():
    colour = np.array([[[[200, 90, 60]]]], np.uint8)
    _, co, cg = rgb_to_ycocg(colour)[0, 0, 0].astype(int) - 128
    assert (co, cg) == (200 - 60 - 256, 90 - (60 + (200 - 60 - 256) // 2))  # co wraps
    _, first, second = rgb_to_ycocg(apply_rct(colour, np.array([[-2, 3]])))[0, 0, 0].astype(int) - 128
    assert second == (cg - (-2 * co >> 2) + 128) % 256 - 128
    assert first == (co - (3 * second >> 2) + 128) % 256 - 128


def test_green_less_blue_is_one_of_them():
    """And with nothing but that left, red less green is the other: the colours of a red door."""
    grain = np.random.RandomState(0).randint(0, 40, (2, 1, 12, 30))
    red = np.stack([110 + grain[0], 50 + grain[1], 30 + grain[1]], -1).astype(np.uint8)
    planes = rgb_to_ycocg(apply_rct(red, np.array([[-2, 2]])))
    assert np.ptp(planes[..., 2]) <= 1 and np.ptp(rgb_to_ycocg(red)[..., 2]) > 15


def crossing(images: NumpyArray) -> int:
    """Neighbours in a row whose difference of colours wraps between them."""
    differences = rgb_to_ycocg(images)[..., 1:].astype(int)
    return int((np.abs(np.diff(differences, axis=2)) > 128).sum())


def test_an_image_about_the_place_of_a_wrap_is_offset():
    shade = np.random.RandomState(0).randint(-20, 20, (1, 16, 32))
    red = np.stack([210 + shade, 60 - shade, 80 - shade], -1).astype(
        np.uint8
    )  # red less blue is 130, give or take 40
    assert crossing(red) > 100
    offsets = best_chroma_offsets(red)
    assert offsets[0, 0] and crossing(offset_chroma(red, offsets)) == 0


@pytest.mark.parametrize("kind", ["grey", "soft"])
def test_others_are_left_as_they_are(kind: str):
    shade = np.random.RandomState(0).randint(0, 60, (2, 9, 17, 1))
    weights = [1.0, 1.0, 1.0] if kind == "grey" else [2.0, 1.0, 1.5]
    assert not best_chroma_offsets((100 + shade * np.array(weights)).astype(np.uint8)).any()
