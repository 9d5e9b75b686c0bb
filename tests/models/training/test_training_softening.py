"""Soft photographs for training: what enlarging, noise and smoother colours do to images."""

import numpy as np
import pytest

pytest.importorskip("torch")

from catzip.models.families.idf.softening import smooth_colours, softened

SIZE = (3, 17, 20)  # odd sizes, too


def noise(*channels: int) -> np.ndarray:
    return np.random.RandomState(4).randint(60, 190, (*SIZE, *channels)).astype(np.uint8)


def steps(images: np.ndarray) -> float:
    """Mean difference from the pixel to the right."""
    return float(np.abs(np.diff(images.astype(float), axis=2)).mean())


def test_enlarged_images_are_smoother_and_as_large():
    images = noise(3)
    soft = softened(images, 2.0, 0.0, np.random.default_rng(1))
    assert soft.shape == images.shape and soft.dtype == np.uint8
    assert steps(soft) < 0.8 * steps(images)
    assert steps(softened(images, 2.0, 9.0, np.random.default_rng(1))) > steps(soft) + 2


def test_what_has_no_colour_stays():
    grey = np.repeat(noise(1), 3, -1).astype(np.float64)
    assert np.array_equal(smooth_colours(grey), grey)


def test_colours_get_smoother_and_their_mean_stays():
    images = noise(3).astype(np.float64)
    smooth = smooth_colours(images)
    assert smooth.mean(-1) == pytest.approx(images.mean(-1), abs=1e-3)
    red, found = (x[..., :1] - x.mean(-1, keepdims=True) for x in (images, smooth))
    assert steps(found) < 0.5 * steps(red)


def test_even_colours_stay():
    """Where the differences do not change from pixel to pixel, half the resolution is enough."""
    images = noise(1) + np.array([10.0, -30.0, 20.0])
    assert smooth_colours(images) == pytest.approx(images, abs=1e-3)


def test_every_second_time_the_colours_are_smooth():
    images, rng = noise(3), np.random.default_rng(2)
    found = [softened(images, 1.2, 0.0, rng).astype(float) for _ in range(20)]
    colours = [steps(x[..., :1] - x.mean(-1, keepdims=True)) for x in found]
    smooth = sum(each < np.mean([min(colours), max(colours)]) for each in colours)
    assert 4 <= smooth <= 16 and min(colours) < 0.7 * max(colours)
