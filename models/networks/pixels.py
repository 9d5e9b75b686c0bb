"""What a masked image model sees of a partly known image: integer features of every dimension.

A dimension is one channel of one pixel. Its value is known to so many bits; what is known of it is an interval, whose
middle stands for it. The rest is filled in from around it: averages of the known values of the same channel in square
windows, how much of each window is known, and one guess that combines them. These carry a small network over the first
bits of training as n-grams do for text. Arithmetic on integers, some of them in float32, which holds them exactly.

The network works at half the resolution (space to depth): height x width x channels become H/2 x W/2 x 4 channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..backends.base import CODE_MAX, NumpyArray
from ..layers.receptive import EVERYWHERE, Part, cut_out

REACH_MAX, WINDOW_MAX = 255, 127**2  # of a window, each way, and pixels in it, see `_window`
_GREY = 255  # the middle of 0..255, in half levels: what is guessed where nothing is known


@dataclass(frozen=True)
class Digits:
    """How the values 0..alphabet - 1 are cut into digits, most significant first: ``stages`` digits of ``base``.

    Known dimensions of a stage are seen with its digit, the others without it.
    """

    base: int
    stages: int

    @property
    def bits(self) -> int:
        """The bits of one digit."""
        return (self.base - 1).bit_length()

    def shift(self, stage: int) -> int:
        """How many bits lie below the digit of this stage."""
        return self.bits * (self.stages - 1 - stage)

    def rows(self) -> int:
        """Rows of an embedding table with one for everything that can be seen of a dimension, at every stage."""
        return sum(self.base**stage + self.base ** (stage + 1) for stage in range(self.stages))

    def first_row(self, stage: int) -> int:
        """The first row of a stage: those without its digit come first, then those with it."""
        return Digits(self.base, stage).rows()


_Window = tuple[NumpyArray, NumpyArray, int]
"""Averages, counts and size, see `_window`."""


@dataclass(frozen=True)
class PixelFeatures:
    """A batch of partly known images, or h x w pixels of each.

    tokens    intp [B, h/2, w/2, 4C], row of what is seen of each dimension
    features  float32 [B, h/2, w/2, 4C (1 + 2 windows)], codes -127..127
    guess     int32 [B, h * w * C], in half levels, for every dimension
    """

    tokens: NumpyArray
    features: NumpyArray
    guess: NumpyArray


def look(
    values: NumpyArray,
    known: NumpyArray,
    stage: int,
    digits: Digits,
    shape: tuple[int, ...],
    reaches: tuple[int, ...],
    part: Part = EVERYWHERE,
) -> PixelFeatures:
    """What is seen of images uint8 [B, D], of this shape (H, W, C), whose dimensions known [B, D] have this stage's
    digit and the others do not; or [1, D], if the same of all.

    reaches  of the windows: r means 2 r + 1 pixels square; from small to large
    part     pixels to tell it for: from an even row and column, h rows and w columns, both even; all, if not given
    """
    shift = np.where(known, digits.shift(stage), digits.shift(stage) + digits.bits)
    coarse = values.astype(np.int32) >> shift
    tokens = digits.first_row(stage) + np.where(known, digits.base**stage, 0) + coarse
    halves = (coarse << shift + 1) + (1 << shift) - 1  # 2 v for all bits known, 255 for none
    full = (len(values), *shape)
    told, middle = None if stage else known.reshape(-1, *shape), halves.reshape(full).astype(np.float32)
    windows = [_window(middle, told, reach, part) for reach in reaches]
    guess = cut_out(middle, part)
    if told is not None:
        guess = _filled_in(guess, cut_out(told, part), windows)
    planes = [np.floor((guess - _GREY) * np.float32(0.5))]
    for average, count, size in windows:
        planes.append((average - guess) * (count > 0))
        planes.append(np.floor(CODE_MAX * count / size))
    tokens = to_depth(cut_out(tokens.reshape(full), part))
    flat = guess.astype(np.int32).reshape(len(guess), int(np.prod(guess.shape[1:])))
    return PixelFeatures(tokens, _features(guess.shape, planes), flat)


def _filled_in(middle: NumpyArray, told: NumpyArray, windows: list[_Window]) -> NumpyArray:
    """The told values [B, h, w, C], and for others the average of the smallest window in which any is."""
    guess = np.full(middle.shape, _GREY, np.float32)
    for average, count, _ in reversed(windows):
        np.copyto(guess, average, where=count > 0)
    np.copyto(guess, middle, where=told)
    return guess


def _window(middle: NumpyArray, told: NumpyArray | None, reach: int, part: Part = EVERYWHERE) -> _Window:
    """Rounded average and number of the told values, or of all, in a window around each pixel of a part, [B, h, w, C]
    each, and the window's size.

    Integers in float32. Of up to WINDOW_MAX pixels, twice the sums are below 2**24, and their quotient, at most 510.5,
    is never rounded up to the integer above: its divisor, below 2**15, leaves it further from that than 2**-16, which
    is as far as rounding goes. Nor is the share of a window, at most CODE_MAX, by a size below 2**18.
    """
    if told is None:
        count, total = _inside(middle.shape[1:], reach)[:, *part], _box(middle, reach, part)
    else:
        count, total = _box(told.astype(np.float32), reach, part), _box(middle * told, reach, part)
    return np.floor((2 * total + count) / np.maximum(2 * count, 1)), count, (2 * reach + 1) ** 2


def _box(x: NumpyArray, reach: int, part: Part = EVERYWHERE) -> NumpyArray:
    """Sums of float32 [B, H, W, C] over squares of 2 reach + 1, cut off at the edges of the image: two products.

    Around the pixels of a part: [B, h, w, C].
    """
    batch, height, width, channels = x.shape
    rows, columns = (range(size)[cut] for cut, size in zip(part, (height, width), strict=True))
    beside = _band(width, reach, channels)[:, columns.start * channels : columns.stop * channels]
    across = x.reshape(-1, width * channels) @ beside
    down: NumpyArray = _band(height, reach)[part[0]] @ across.reshape(batch, height, beside.shape[1])
    return down.reshape(batch, len(rows), len(columns), channels)


@lru_cache(maxsize=1024)
def _inside(shape: tuple[int, ...], reach: int) -> NumpyArray:
    """Pixels of an image [H, W, C] in a window around each of them: float32 [1, H, W, C]."""
    count = _box(np.ones((1, *shape), np.float32), reach)
    count.setflags(write=False)
    return count


@lru_cache
def _band(size: int, reach: int, channels: int = 1) -> NumpyArray:
    """float32 [size * channels, size * channels]: 1 where the same channel is ``reach`` away or less."""
    places = np.arange(size)
    near = abs(places[:, None] - places) <= reach
    band: NumpyArray = np.kron(near, np.eye(channels)).astype(np.float32)
    band.setflags(write=False)
    return band


def is_exact(reach: int, shape: tuple[int, ...]) -> bool:
    """Whether the windows of this reach in images of this shape [H, W, ...] are those for which `_window` is proved."""
    height, width = (min(2 * reach + 1, side) for side in shape[:2])
    return isinstance(reach, int) and 0 <= reach <= REACH_MAX and height * width <= WINDOW_MAX


def _features(shape: tuple[int, ...], planes: list[NumpyArray]) -> NumpyArray:
    """Planes [B or 1, H, W, C], clipped, one after the other in the channels of `to_depth`."""
    batch, height, width, channels = shape
    out = np.empty((batch, height // 2, width // 2, len(planes), 2, 2, channels), np.float32)
    for i, plane in enumerate(planes):
        # Clipping while copying to places this far apart would take several times as long.
        codes = plane.clip(-CODE_MAX, CODE_MAX)
        cut = codes.reshape(-1, height // 2, 2, width // 2, 2, channels)
        out[:, :, :, i] = cut.transpose(0, 1, 3, 2, 4, 5)
    return out.reshape(*out.shape[:3], len(planes) * 4 * channels)


def to_depth(x: NumpyArray) -> NumpyArray:
    """Space to depth: [B, H, W, C] -> [B, H/2, W/2, 4C], channel (2 dy + dx) C + c."""
    batch, height, width, channels = x.shape
    cut = x.reshape(batch, height // 2, 2, width // 2, 2, channels).transpose(0, 1, 3, 2, 4, 5)
    return np.ascontiguousarray(cut).reshape(batch, height // 2, width // 2, 4 * channels)
