"""The networks of a flow for the core: priors in blocks, a level in memory, mixtures and their digits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..base import NumpyArray
from .flow_structures import INTERVAL, Flows, Image, Level, Logistic, Prior
from .layers import padded
from .structures import ROWS, Core, Linear, Stack, address

MARGIN, FRAME = 2, 1
ZERO = 128
"""The byte that stands for the code 0."""

Shape = tuple[int, ...]


class Tables:
    """Those of mixtures of logistics, for a variant of the core."""

    def __init__(
        self, core: Core, components: int, exp: NumpyArray, inverse: NumpyArray, cdf: NumpyArray
    ) -> None:
        """As `layers.logistics.Logistics` takes them; all int32."""
        self.core, self.flows = core, Flows.of(core)
        self._kept = [np.ascontiguousarray(table, np.int32) for table in (exp, inverse, cdf)]
        self.structure = Logistic(components, len(exp) - 1, *map(address, self._kept))


@dataclass(frozen=True)
class Mixtures:
    """What the pixels of a plane of this shape are coded by.

    y  int16 [N, 3 components], as `Logistics` takes them       guess  int16 [N], in half levels
    """

    tables: Tables
    shape: Shape
    y: NumpyArray
    guess: NumpyArray

    def digits(self, high: NumpyArray | None = None) -> NumpyArray:
        """Frequencies uint32 [N, 16] of the first digits, or, given those, uint8 [N], of the second ones."""
        found = np.empty((len(self.y), 16), np.uint32)
        given = None if high is None else address(high)
        where = address(self.y), address(self.guess), given, len(self.y), address(found)
        self.tables.flows.digits(self.tables.structure, *where)
        return found

    def intervals(self, plane: NumpyArray) -> NumpyArray:
        """What codes the digits of known values, uint8 of the shape: `INTERVAL` [2, N], the first digits first."""
        values = np.ascontiguousarray(plane)
        found = np.empty((2, len(self.y)), INTERVAL)
        where = address(self.y), address(self.guess), address(values), len(self.y), address(found)
        self.tables.flows.intervals(self.tables.structure, *where)
        return found


def popped(flows: Flows, stack: Stack, frequencies: NumpyArray) -> NumpyArray:
    """A digit for each row of frequencies, off a stack: uint8 [N]."""
    found = np.empty(len(frequencies), np.uint8)
    flows.pop_digits(stack, address(frequencies), len(frequencies), address(found))
    return found


class KnownLevel:
    """A level of a batch of images while its phases become known."""

    def __init__(self, tables: Tables, priors: list[Prior], channels: int, batch: int, size: Shape) -> None:
        """For grids of this size, and these priors, which are alike but for what they see."""
        (height, width), prior = size, priors[0]
        deep, pixels = padded(prior.width), batch * size[0] * size[1]
        self._tables, self._flows, self._batch = tables, tables.flows, batch
        self._arrays: list[NumpyArray] = [
            np.empty((4, channels, batch, height + 2 * MARGIN, width + 2 * MARGIN), np.uint8),
            np.zeros(pixels * deep, np.int32),
            np.zeros(pixels * max(int(each.stride) for each in priors), np.uint8),
            np.empty((channels, pixels), np.int16),
        ]
        self._head_inputs = self._arrays[2]
        self._room: list[NumpyArray] = [
            np.full((height + 2 * FRAME) * (width + 2 * FRAME) * deep, ZERO, np.uint8),
            np.empty(ROWS * max(map(most_outputs, priors)), np.int32),
            np.zeros(ROWS * max(deep, padded(prior.hidden)), np.uint8),
        ]
        places, room = map(address, self._arrays), map(address, self._room)
        self._level = Level(batch, channels, height, width, *places, Image(height, width, *room))

    def learn(self, phase: int, channel: int, plane: NumpyArray) -> None:
        """A plane uint8 [batch, h, w] is known."""
        whole = np.ascontiguousarray(plane)
        self._flows.widen(self._level, phase, channel, address(whole), *whole.shape[1:])

    def describe(self, prior: Prior) -> None:
        """Let the network of a phase see what is known."""
        self._flows.describe(prior, self._level)

    def mixtures(self, prior: Prior, channel: int, shape: Shape, correction: Linear | None) -> Mixtures:
        """Those of a channel of the phase that was described last."""
        count = shape[0] * shape[1] * shape[2]
        y, guess = np.empty((count, 3 * prior.components), np.int16), np.empty(count, np.int16)
        where = channel, shape[1], shape[2], correction, address(y), address(guess)
        self._flows.mixtures(prior, self._level, *where)
        return Mixtures(self._tables, shape, y, guess)

    def tell(self, prior: Prior, phase: int, channel: int) -> None:
        """What is beside the next channels: one that is known now."""
        self._flows.beside(prior, self._level, phase, channel)

    def seen(self, prior: Prior, shape: Shape) -> NumpyArray:
        """What heads see of the pixels of a plane: uint8 [N, stride], each code + 128."""
        grid = (self._batch, self._level.height, self._level.width, prior.stride)
        whole = self._head_inputs[: math.prod(grid)].reshape(grid)
        found: NumpyArray = whole[:, : shape[1], : shape[2]].reshape(-1, prior.stride)
        return found


def most_outputs(prior: Prior) -> int:
    """The most sums that a layer of a prior gives, or a correction."""
    return max(int(layer.outputs) for layer in linears(prior))


def linears(prior: Prior) -> Iterator[Linear]:
    """The layers of a prior that there are."""
    yield prior.inputs
    yield from (head for head in prior.head if head.outputs)
    for i in range(prior.depth):
        yield from (prior.block[i].conv, prior.block[i].out)
