"""Images in quarters: every second pixel of every second row, and what surrounds the pixels of one quarter.

Squeezing (space to depth; Dinh et al. 2017, arXiv 1605.08803) makes four planes of each channel: A and B from the even
rows, C and D from the odd ones.

    A B A B     D is coded given A, then B given A and D, then C given the others: each has its four nearest
    C D C D     neighbours at hand. A goes on to the next level.
    A B A B

Planes are [B, h, w], of any size from 1 up; those of odd images differ in size by one, and may be empty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...backends.base import CODE_MAX, Array, Arrays, NumpyArray
from ...layers.logistics import HALVES

QUARTERS = ((0, 0), (0, 1), (1, 0), (1, 1))
"""(row, column) of A, B, C, D within a square of two by two."""

GREY = 128  # the middle of 0..255

NEAREST = 4
MARGIN = 2  # of a plane of a quarter: covers all neighbours

Size = tuple[int, int]

Spot = tuple[int, int]
"""A quarter of a level, in the order of `OUTS`, and a channel of it."""


@dataclass(frozen=True)
class Out:
    """One quarter that leaves the flow: which, and what is known around it, nearest first.

    neighbours  (quarter, rows, columns), the offsets in that quarter's plane
    """

    quarter: int
    neighbours: tuple[tuple[int, int, int], ...]

    @staticmethod
    def of(quarter: int, known: tuple[int, ...], reach: int) -> Out:
        """What is seen around a quarter: of the pixels up to ``reach`` away, those in quarters that are known."""
        row, column = QUARTERS[quarter]
        found = []
        for dy in range(-reach, reach + 1):
            for dx in range(-reach, reach + 1):
                other = QUARTERS.index(((row + dy) % 2, (column + dx) % 2))
                if other in known:
                    up, left = row + dy - QUARTERS[other][0], column + dx - QUARTERS[other][1]
                    found.append((dy * dy + dx * dx, dy, dx, (other, up // 2, left // 2)))
        return Out(quarter, tuple(place for *_, place in sorted(found)))

    def features(self, channels: int) -> int:
        """How many codes `look` gives for each pixel."""
        return channels * (len(self.neighbours) + 1)


OUTS = (Out.of(3, (0,), 3), Out.of(1, (0, 3), 2), Out.of(2, (0, 3, 1), 2))
"""The quarters in the order in which they are coded: D, B, C."""


def sizes(size: Size) -> list[Size]:
    """The sizes of the four quarters of a plane of this size."""
    return [((size[0] - row + 1) // 2, (size[1] - column + 1) // 2) for row, column in QUARTERS]


def grid(planes: list[NumpyArray]) -> Size:
    """The size that holds every plane."""
    return max(plane.shape[1] for plane in planes), max(plane.shape[2] for plane in planes)


def squeeze(plane: NumpyArray) -> list[NumpyArray]:
    """The quarters of [B, h, w], as views."""
    return [plane[:, row::2, column::2] for row, column in QUARTERS]


def unsqueeze(quarters: list[NumpyArray]) -> NumpyArray:
    """The plane whose quarters these are."""
    height, width = (quarters[0].shape[1] + quarters[2].shape[1], quarters[0].shape[2] + quarters[1].shape[2])
    plane = np.empty((len(quarters[0]), height, width), quarters[0].dtype)
    for part, quarter in zip(squeeze(plane), quarters, strict=True):
        part[...] = quarter
    return plane


def widened(arrays: Arrays, plane: NumpyArray, size: Size) -> Array:
    """The plane with its edges repeated, so that `look` finds something everywhere on a grid of this size:
    [B, h + 4, w + 4]. What is empty becomes grey."""
    batch, height, width = plane.shape
    if 0 in (height, width):
        grey = np.full((batch, size[0] + 2 * MARGIN, size[1] + 2 * MARGIN), GREY, np.float32)
        return arrays.place(grey)
    placed = arrays.place(plane)
    return arrays.extend(placed, MARGIN, size[0] - height + MARGIN, MARGIN, size[1] - width + MARGIN)


def inner(wide: Array) -> Array:
    """A widened plane without its margin."""
    return wide[:, MARGIN:-MARGIN, MARGIN:-MARGIN]


def look(arrays: Arrays, wide: dict[int, list[Array]], out: Out, size: Size) -> tuple[Array, list[Array]]:
    """What is seen around each pixel of a quarter, from the widened planes of the known quarters, by channel.

    codes    float32 [B, h, w, features]: for each channel, twice each neighbour less the guess, and the guess's level
    guesses  float32 [B, h, w] for each channel: the mean of the four nearest, in half levels
    """
    height, width = size
    codes, guesses = [], []
    for channel in range(len(wide[0])):
        views = [
            wide[quarter][channel][:, MARGIN + y : MARGIN + y + height, MARGIN + x : MARGIN + x + width]
            for quarter, y, x in out.neighbours
        ]
        guess = views[0] + views[1]
        for view in views[2:NEAREST]:
            guess += view
        guess *= HALVES / NEAREST
        guess += 0.5
        arrays.floor_(guess)
        seen = arrays.stack([*views, arrays.floor_((guess + 1) * 0.5)])
        seen[..., :-1] *= HALVES
        seen[..., :-1] -= guess[..., None]
        seen[..., -1] -= GREY
        codes.append(arrays.clip_(seen, -CODE_MAX, CODE_MAX))
        guesses.append(guess)
    return arrays.concat(codes), guesses
