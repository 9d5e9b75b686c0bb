"""Integer discrete flows as a codec for images: IDF and IDF++.

Hoogeboom et al. 2019, arXiv 1905.07376; van den Berg et al. 2021, arXiv 2006.12459. An image is mapped by a bijection
of integers to planes that are coded level by level, coarse to fine, with priors given the levels above (``flow``).
Encoding is one pass through the flow and its networks, decoding one pass of the inverse, with the tiles of a segment as
the batch. (To choose the lifts of a tile, the encoder also tries its middle in three ways, and before all that it may
fit corrections to a part of the image, see ``fitting``.)

A model of the medium "array" codes images of its own shape; the plan is (images of a segment,). One of the medium
"image" codes an image of any size, grey or in colour, tile by tile (``tiles``); the plan is (width, channels, side of
a tile, tiles of a segment), and may end with what else a segment may have, a sum: 1, the colours of each tile may be
lifted (``lifts``); 2, the network may be corrected (``corrections``). The height is what the number of symbols leaves.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from ..compressor.codec import Categorical, replayed
from ..compressor.errors import CorruptError, ModelMismatchError
from ..compressor.model import Plan
from ..compressor.pmf import PRECISION
from ..compressor.stack import Stack
from .arrays import Arrays, NumpyArray
from .flows.corrections import Corrections, Sent, Weights
from .flows.fitting import best_corrections
from .flows.flow import Adjust, Flow, FlowConfig, unchanged
from .flows.segment import Segment
from .flows.tiles import MAX_SIDE, Run, Tiling
from .grid import Tensors
from .identity import Identity
from .lanes import MAX_SEGMENT
from .workers import Workers

DRAWN = (64, 64)

LIFTS, CORRECTIONS = 1, 2  # of the last number of a plan


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
        extras = CORRECTIONS + (LIFTS if channels == 3 else 0)
        return width, channels, self._side, max(1, MAX_SEGMENT // tile), extras

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        """Symbols coded in each segment. Raises CorruptError for a plan that cannot be."""
        return [size for tiling in self._tilings(count, plan) for size in tiling.run_sizes()]

    def encode(self, symbols: NumpyArray, plan: Plan) -> Iterator[Stack]:
        """One stack for each segment of symbols [count]."""
        tilings = self._tilings(len(symbols), plan)
        sent = self._sent(tilings[:1], plan)
        weights = self._fitted(tilings[:1], symbols, plan)
        adjust = self._corrections(weights)
        for i, (run, images) in enumerate(_runs(tilings, symbols)):
            stack = Stack()
            self._segment(run, plan, adjust).codec.push(stack, run.cut(images))
            if i == 0:
                sent.codec.push(stack, weights)
            yield stack

    def decode(self, stacks: Iterator[Stack], count: int, plan: Plan) -> NumpyArray:
        """The symbols, uint8 [count].

        Raises CorruptError for a plan that cannot be, and if a stack is not empty after its segment.
        """
        tilings = self._tilings(count, plan)
        sent = self._sent(tilings[:1], plan)
        symbols: NumpyArray = np.empty(count, np.uint8)
        done = 0
        for (run, images), stack in zip(_runs(tilings, symbols), stacks, strict=True):
            if done == 0:
                adjust = self._corrections(sent.codec.pop(stack))
            run.put(images, self._segment(run, plan, adjust).codec.pop(stack))
            done += run.size
            if not stack.is_empty():
                raise CorruptError(f"bits are left over after symbol {done} of a frame; the file is damaged")
        return symbols

    def nll(self, symbols: NumpyArray, plan: Plan) -> float:
        """-log2 p(symbols), in bits."""
        tilings = self._tilings(len(symbols), plan)
        sent = self._sent(tilings[:1], plan)
        weights = self._fitted(tilings[:1], symbols, plan)
        adjust = self._corrections(weights)
        total = _bits(sent.steps(), sent.digits(weights))
        for run, images in _runs(tilings, symbols):
            segment = self._segment(run, plan, adjust)
            total += _bits(segment.steps(), segment.digits(run.cut(images)))
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

    def _sent(self, first: list[Tiling], plan: Plan) -> Sent:
        """The codec of the corrections of a frame, which come first in it and are for what comes first."""
        if not (first and _extras(plan) & CORRECTIONS):
            return Sent({})
        return Sent(self._flow.spots(first[0].shape[-1]))

    def _fitted(self, first: list[Tiling], symbols: NumpyArray, plan: Plan) -> Weights:
        """Weights for the first image of a frame, where the plan has corrections."""
        if not (first and _extras(plan) & CORRECTIONS):
            return {}
        image = first[0].images(symbols)[0]
        return best_corrections(self._flow, self._workers, image, _has_lifts(image.shape, plan))

    def _corrections(self, weights: Weights) -> Adjust:
        """What they do to the flow."""
        if not weights:
            return unchanged
        return Corrections(self._flow.arrays, weights, self._flow.config.components)

    def _segment(self, run: Run, plan: Plan, adjust: Adjust) -> Segment:
        """A segment of these tiles."""
        return Segment(self._flow, self._workers, run.shape, _has_lifts(run.shape, plan), adjust)

    def _is_possible(self, plan: Plan) -> bool:
        """Whether a plan has the numbers that it should have; what they amount to is for `Tiling.check`."""
        if self.shape:
            return len(plan) == 1 and plan[0] > 0
        extras = (LIFTS, CORRECTIONS, LIFTS + CORRECTIONS) if plan[1:2] == (3,) else (CORRECTIONS,)
        possible = plan[4:] == () or (len(plan) == 5 and plan[4] in extras)
        return len(plan) >= 4 and 0 not in plan and possible and plan[1] <= self._channels

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


def _extras(plan: Plan) -> int:
    """What the segments of a plan may have, see the module."""
    return plan[4] if len(plan) == 5 else 0


def _has_lifts(shape: tuple[int, ...], plan: Plan) -> bool:
    """Whether tiles of a shape have them: what is left over of an image in colour, as a grey row, has not."""
    return shape[-1] == 3 and bool(_extras(plan) & LIFTS)


def _bits(steps: Generator[Categorical, NumpyArray, None], items: list[NumpyArray]) -> float:
    """What a serial codec of these steps takes for the items."""
    return sum(float(codec.pmf.bits(item).sum()) for codec, item in replayed(steps, items))


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
