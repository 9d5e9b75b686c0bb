"""Integer discrete flows as a codec for images: IDF and IDF++.

Hoogeboom et al. 2019, arXiv 1905.07376; van den Berg et al. 2021, arXiv 2006.12459. An image is mapped by a bijection
of integers to planes that are coded level by level, coarse to fine, with priors given the levels above (``flow``).
Encoding is one pass through the flow and its networks, decoding one pass of the inverse, with the tiles of a segment as
the batch. (To choose the lifts of a tile, the encoder also tries its middle in three ways.)

A model of the medium "array" codes images of its own shape; the plan is (images of a segment,). One of the medium
"image" codes an image of any size, grey or in colour, tile by tile (``tiles``); the plan is (width, channels, side of
a tile, tiles of a segment), and a 1 more where the colours of each tile may be lifted (``lifts``). The height is what
the number of symbols leaves.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from ..compressor.codec import Categorical, Mapped, Serial
from ..compressor.errors import CorruptError, ModelMismatchError
from ..compressor.model import Plan
from ..compressor.pmf import PMF, PRECISION, TOTAL
from ..compressor.stack import Stack
from .arrays import Arrays, NumpyArray
from .flows import colour
from .flows.flow import BASE, DIGIT, Flow, FlowConfig
from .flows.lifts import best_lifts
from .flows.tiles import MAX_SIDE, Run, Tiling
from .grid import Tensors
from .identity import Identity
from .lanes import MAX_SEGMENT
from .workers import Workers

Walk = Generator[NumpyArray, NumpyArray, None]

DRAWN = (64, 64)

_HALF = BASE // 2  # lifts are -8..7


class Segment:
    """Tiles while they are coded: images uint8 [B, h, w, C], shared among the workers.

    lifts  whether the tiles have any; only where C is 3
    """

    def __init__(self, flow: Flow, workers: Workers, shape: tuple[int, ...], lifts: bool = False) -> None:
        self._flow, self._workers, self._shape, self._lifts = flow, workers, shape, lifts
        self._groups = workers.groups(shape[0], least=1)
        self.images = np.empty(shape, np.uint8)

    @property
    def codec(self) -> Mapped[NumpyArray, list[NumpyArray]]:
        """Of the images, uint8 [B, h, w, C]."""
        return Mapped(Serial(self.steps), self.digits, lambda _: self.images)

    def steps(self) -> Generator[Categorical, NumpyArray, None]:
        """In decode order: of the turns and lifts of each tile in colour (see ``colour``), then of one digit of every
        pixel of a plane, tile by tile."""
        batch, height, width, channels = self._shape
        turns, lifts = np.zeros((2, batch, 2), np.int32)
        if channels == 3:
            turns = (yield Categorical(_rare(2 * batch))).reshape(batch, 2)
        if self._lifts:
            lifts = (yield Categorical(_rare(2 * batch))).reshape(batch, 2)
        walks = [
            self._flow.steps(part.stop - part.start, (height, width), channels, self.images[part])
            for part in self._groups
        ]
        found = self._workers.map(lambda i: next(walks[i], None), self._groups)
        while frequencies := [each for each in found if each is not None]:
            digits = yield Categorical(PMF(np.concatenate(frequencies)))
            parts = np.split(digits, np.cumsum([len(each) for each in frequencies])[:-1])
            found = self._workers.map(partial(_send, walks, parts), self._groups)
        if turns.any():
            self.images[...] = colour.turned(self.images, -turns)
        if lifts.any():
            self.images[...] = colour.lowered(self.images, (lifts + _HALF) % BASE - _HALF)

    def digits(self, images: NumpyArray) -> list[NumpyArray]:
        """What `steps` is sent for these images."""
        changes = []
        if self._lifts:
            changes = [best_lifts(self._flow, self._workers, images)]
            images = colour.lifted(images, changes[0]) if changes[0].any() else images
        if images.shape[-1] == 3:
            changes = [colour.best_turns(images), *changes]
            images = colour.turned(images, changes[0]) if changes[0].any() else images
        planes = self._workers.map(lambda i: self._flow.forward(images[self._groups[i]]), self._groups)
        whole = [np.concatenate(parts).ravel() for parts in zip(*planes, strict=True)]
        digits = [digit for plane in whole for digit in (plane >> DIGIT, plane % BASE)]
        return [digit.ravel().astype(np.int32) for digit in [*(each % BASE for each in changes), *digits]]


def _rare(count: int) -> PMF:
    """Of a turn or a lift: none in 241 of 256 cases, any other in one."""
    row = np.full(BASE, TOTAL >> 8, np.uint32)
    row[0] = TOTAL - (BASE - 1) * row[1]
    return PMF(np.tile(row, (count, 1)))


def _send(walks: list[Walk], digits: list[NumpyArray], i: int) -> NumpyArray | None:
    """What walk i yields next; None at its end."""
    with suppress(StopIteration):
        return walks[i].send(digits[i])
    return None


class IDF:
    """The family as a `compressor.model.Model`. Its nll is that of its PMFs, in their 24 bits.

    shape  (H, W) or (H, W, C) of the images of an array; () for images of any size
    side   of a tile in the plans made here, where images have any size
    """

    alphabet = 256
    budgets: tuple[int, ...] = ()

    def __init__(
        self, identity: Identity, flow: Flow, shape: tuple[int, ...], side: int, workers: Workers
    ) -> None:
        self.name, self.medium, self.fingerprint = identity.name, identity.medium, identity.fingerprint
        self.shape, self._flow, self._side, self._workers = shape, flow, side, workers
        self._channels = flow.config.channels

    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> Plan:
        """See the module. ``shape`` (H, W, C) of an image, where images have any size; without it they are one row.

        Raises ModelMismatchError for a number of steps, which the family does not have.
        """
        if steps is not None:
            raise ModelMismatchError(f"{self.name} codes in one pass: it has no steps to choose")
        if self.shape:
            size = math.prod(self.shape)
            return (max(1, min(-(-count // size), MAX_SEGMENT // size)),)
        _, width, channels = shape or (1, max(1, count), 1)
        if channels > self._channels:
            width, channels = width * channels, 1
        rows = min(self._side, max(1, count // (width * channels)))
        tile = rows * min(self._side, width) * channels
        return width, channels, self._side, max(1, MAX_SEGMENT // tile), *([1] if channels == 3 else [])

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        """Symbols coded in each segment. Raises CorruptError for a plan that cannot be."""
        return [size for tiling in self._tilings(count, plan) for size in tiling.run_sizes()]

    def encode(self, symbols: NumpyArray, plan: Plan) -> Iterator[Stack]:
        """One stack for each segment of symbols [count]."""
        for run, images in _runs(self._tilings(len(symbols), plan), symbols):
            stack = Stack()
            self._segment(run, plan).codec.push(stack, run.cut(images))
            yield stack

    def decode(self, stacks: Iterator[Stack], count: int, plan: Plan) -> NumpyArray:
        """The symbols, uint8 [count].

        Raises CorruptError for a plan that cannot be, and if a stack is not empty after its segment.
        """
        tilings = self._tilings(count, plan)
        symbols: NumpyArray = np.empty(count, np.uint8)
        done = 0
        for (run, images), stack in zip(_runs(tilings, symbols), stacks, strict=True):
            run.put(images, self._segment(run, plan).codec.pop(stack))
            done += run.size
            if not stack.is_empty():
                raise CorruptError(f"bits are left over after symbol {done} of a frame; the file is damaged")
        return symbols

    def nll(self, symbols: NumpyArray, plan: Plan) -> float:
        """-log2 p(symbols), in bits."""
        total = 0.0
        for run, images in _runs(self._tilings(len(symbols), plan), symbols):
            segment = self._segment(run, plan)
            steps = segment.steps()
            codec = next(steps)
            for digits in segment.digits(run.cut(images)):
                total += float(codec.pmf.bits(digits).sum())
                with suppress(StopIteration):
                    codec = steps.send(digits)
        return total

    def draw(self, items: int, steps: int | None, random: np.random.RandomState) -> NumpyArray:
        """Random images, uint8 [items, symbols of an image]: what random bits decode to.

        Where images have any size, these have `DRAWN` pixels. Raises ModelMismatchError for a number of steps.
        """
        self.plan(1, steps)
        shape = (1, *(*(self.shape or (*DRAWN, self._channels)), 1)[:3])
        drawn = np.empty((items, math.prod(shape)), np.uint8)
        for item in drawn:
            # A digit takes no more bits than the precision of its PMF.
            stack = Stack.from_bytes(random.bytes(2 * item.size * PRECISION // 8 + 16) + b"\1")
            item[:] = Segment(self._flow, self._workers, shape).codec.pop(stack).ravel()
        return drawn

    def _segment(self, run: Run, plan: Plan) -> Segment:
        """A segment of these tiles. What is left over as a grey row has no lifts."""
        return Segment(self._flow, self._workers, run.shape, lifts=len(plan) == 5 and run.shape[-1] == 3)

    def _is_possible(self, plan: Plan) -> bool:
        """Whether a plan has the numbers that it should have; what they amount to is for `Tiling.check`."""
        if self.shape:
            return len(plan) == 1 and plan[0] > 0
        lifts = plan[4:] == () or (plan[4:] == (1,) and plan[1] == 3)
        return len(plan) >= 4 and 0 not in plan and lifts and plan[1] <= self._channels

    def _tilings(self, count: int, plan: Plan) -> list[Tiling]:
        """What a frame holds: images, and what is left over as one grey row. Raises CorruptError."""
        if not self._is_possible(plan):
            raise CorruptError(f"the model {self.name} cannot have the coding plan {plan}")
        if self.shape:
            height, width, channels = (*self.shape, 1)[:3]
            side, images = max(height, width), count // math.prod(self.shape)
        else:
            width, channels, side = plan[:3]
            height, images = count // (width * channels), 1
        whole = Tiling(0, (images, height, width, channels), side, plan[0 if self.shape else 3])
        rest = Tiling(whole.size, (1, 1, count - whole.size, 1), MAX_SIDE, MAX_SEGMENT // MAX_SIDE)
        for tiling in (whole, rest):
            tiling.check()
        return [tiling for tiling in (whole, rest) if tiling.size]


def _runs(tilings: list[Tiling], symbols: NumpyArray) -> Iterator[tuple[Run, NumpyArray]]:
    """Each run, and the images [N, H, W, C] that it is a part of: a view of symbols [count]."""
    for tiling in tilings:
        images = tiling.images(symbols)
        yield from ((run, images) for run in tiling.runs())


def load(
    identity: Identity, config: dict[str, Any], tensors: Tensors, arrays: Arrays, workers: Workers
) -> IDF:
    """The model of a checkpoint's configuration (its tables ``model`` and ``coding``) and arrays.

    Raises ValueError for images or tiles that it cannot be for.
    """
    table = dict(config["model"])
    shape, side = tuple(table.pop("shape", ())), config["coding"].get("side", 0)
    flow = Flow(FlowConfig.from_json(table), tensors, arrays)
    if shape and (
        len(shape) not in (2, 3) or (*shape, 1)[2] not in (1, flow.config.channels) or max(shape) > MAX_SIDE
    ):
        raise ValueError(f"no flow of {flow.config.channels} channels is for images of {list(shape)}")
    if not shape and not 1 <= side <= MAX_SIDE:
        raise ValueError(f"tiles have a side of 1 to {MAX_SIDE}, not of {side}")
    return IDF(identity, flow, shape, side, workers)
