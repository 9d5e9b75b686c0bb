"""The squeeze: a plane as four phases, and what surrounds the pixels of one phase.

Squeezing (space to depth; Dinh et al. 2017, arXiv 1605.08803) makes four planes of each channel, its polyphase
components: A and B from the even rows, C and D from the odd ones, each with every second pixel of them.

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

PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))
"""(row, column) of A, B, C, D within a square of two by two."""

GREY = 128  # the middle of 0..255

NEAREST = 4
MARGIN = 2  # of a plane of a phase: covers all neighbours

Size = tuple[int, int]

Head = tuple[int, int]
"""A head of the priors of a level, by what it is for: a phase, in the order of `FACTORED_OUT`, and its channel."""


@dataclass(frozen=True)
class FactoredOut:
    """One phase that leaves the flow: which, and what is known around it, nearest first.

    neighbours  (phase, rows, columns), the offsets in that phase's plane
    """

    phase: int
    neighbours: tuple[tuple[int, int, int], ...]

    @staticmethod
    def of(phase: int, known: tuple[int, ...], reach: int) -> FactoredOut:
        """What is seen around a phase: of the pixels up to ``reach`` away, those in phases that are known."""
        row, column = PHASES[phase]
        found = []
        for dy in range(-reach, reach + 1):
            for dx in range(-reach, reach + 1):
                other = PHASES.index(((row + dy) % 2, (column + dx) % 2))
                if other in known:
                    up, left = row + dy - PHASES[other][0], column + dx - PHASES[other][1]
                    found.append((dy * dy + dx * dx, dy, dx, (other, up // 2, left // 2)))
        return FactoredOut(phase, tuple(place for *_, place in sorted(found)))

    def features(self, channels: int) -> int:
        """How many codes `look` gives for each pixel."""
        return channels * (len(self.neighbours) + 1)


FACTORED_OUT = (FactoredOut.of(3, (0,), 3), FactoredOut.of(1, (0, 3), 2), FactoredOut.of(2, (0, 3, 1), 2))
"""The phases in the order in which they are coded: D, B, C."""


def sizes(size: Size) -> list[Size]:
    """The sizes of the four phases of a plane of this size."""
    return [((size[0] - row + 1) // 2, (size[1] - column + 1) // 2) for row, column in PHASES]


def grid(planes: list[NumpyArray]) -> Size:
    """The size that holds every plane."""
    return max(plane.shape[1] for plane in planes), max(plane.shape[2] for plane in planes)


def squeeze(plane: NumpyArray) -> list[NumpyArray]:
    """The phases of [B, h, w], as views."""
    return [plane[:, row::2, column::2] for row, column in PHASES]


def unsqueeze(phases: list[NumpyArray]) -> NumpyArray:
    """The plane whose phases these are."""
    height, width = (phases[0].shape[1] + phases[2].shape[1], phases[0].shape[2] + phases[1].shape[2])
    plane = np.empty((len(phases[0]), height, width), phases[0].dtype)
    for part, phase in zip(squeeze(plane), phases, strict=True):
        part[...] = phase
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


def look(
    arrays: Arrays, wide: dict[int, list[Array]], out: FactoredOut, size: Size
) -> tuple[Array, list[Array]]:
    """What is seen around each pixel of a phase, from the widened planes of the known phases, by channel.

    codes    float32 [B, h, w, features]: for each channel, twice each neighbour less the guess, and the guess's level
    guesses  float32 [B, h, w] for each channel: the mean of the four nearest, in half levels
    """
    height, width = size
    codes, guesses = [], []
    for channel in range(len(wide[0])):
        views = [
            wide[phase][channel][:, MARGIN + y : MARGIN + y + height, MARGIN + x : MARGIN + x + width]
            for phase, y, x in out.neighbours
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
