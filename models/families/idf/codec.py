"""Integer discrete flows as a codec for images: IDF and IDF++.

Hoogeboom et al. 2019, arXiv 1905.07376; van den Berg et al. 2021, arXiv 2006.12459. An image is mapped by a bijection
of integers to planes that are coded level by level, coarse to fine, with priors given the levels above (``flow``).
Encoding is one pass through the flow and its networks, decoding one pass of the inverse, with the tiles of a segment as
the batch. (To choose the colour transform of a tile, the encoder also tries its middle in three ways, and before all
that it may fit corrections to a part of the image, see ``enc_fitting``.)

A model of the medium "array" codes images of its own shape; the plan is (images of a segment,). One of the medium
"image" codes an image of any size, grey or in colour, tile by tile (``tiles``); the plan is (width, channels, side of
a tile, tiles of a segment), and may end with what else a segment may have, a sum: 1, each tile may have a reversible
colour transform of its own (``colour``); 2, the network may be corrected (``corrections``). The height is what the
number of symbols leaves.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from ....compressor.coding.codec import Codec
from ....compressor.coding.ledger import SymbolStack
from ....compressor.coding.model import Needs, Plan
from ....compressor.coding.pmf import PRECISION
from ....compressor.errors import CorruptError, ModelMismatchError
from ...backends.base import Arrays, NumpyArray
from ...backends.workers import Workers
from ...layers.grid import Tensors
from ...schema import Declared, entries, ranged, typed
from ..base import Family, Segments
from ..identity import Identity
from ..lanes import MAX_SEGMENT
from .corrections import Corrections, CorrectionsCodec, Weights
from .enc_fitting import best_corrections
from .flow import Adjust, Flow, FlowConfig, unchanged
from .native_flow import NativeFlow, flow_of
from .native_segment import segment_of
from .segment import Segment
from .spelling import images_of_a_segment, is_plain_array, is_plain_image, tiles_of_a_segment
from .tiles import MAX_SIDE, TileRun, Tiles, Tiling

_SEGMENT_WORK, _SYMBOL_WORK = 12, 6  # for each channel; for 1,000 symbols
_PER_PIXEL = 20  # bytes of memory for each pixel of a segment and channel of a network

_Side = Annotated[int, ranged(1, MAX_SIDE)]
_Shape = Annotated[tuple[_Side, ...], entries(3, least=2)]

SAMPLE_SHAPE = (64, 64)  # pixels of a sample, where images have any size

RCT, CORRECTIONS = 1, 2  # of the last number of a plan


class FlowFrame:
    """What the segments of a frame share: the corrections that the first of them sends, where the plan has some."""

    def __init__(self, flow: Flow, workers: Workers, plan: Plan) -> None:
        self.flow, self.workers, self._plan = flow, workers, plan
        self._adjust: Adjust = unchanged

    def has_rct(self, shape: tuple[int, ...]) -> bool:
        """Whether each tile of a shape has an RCT: what is left over of an image in colour, as a grey row, has none."""
        return shape[-1] == 3 and bool(_extras(self._plan) & RCT)

    def correct(self, weights: Weights) -> None:
        """Correct the flow from now on."""
        self._adjust = Corrections(self.flow.arrays, weights, self.flow.config.components)

    def segment(self, run: TileRun) -> Segment:
        """A segment of these tiles."""
        return segment_of(self.flow, self.workers, run.shape, self.has_rct(run.shape), self._adjust)


class Corrected(Codec[NumpyArray]):
    """The first segment of a frame with corrections, which are sent before its tiles: uint8 [B, h, w, C].

    shape  [N, H, W, C] of the images of which these are tiles
    image  uint8 [H, W, C], which a push fits the corrections to: the first one of the frame
    """

    def __init__(
        self, frame: FlowFrame, run: TileRun, shape: tuple[int, ...], image: NumpyArray | None
    ) -> None:
        self._frame, self._run, self._shape, self._image = frame, run, shape, image
        self._sent = CorrectionsCodec(frame.flow.heads(run.shape[-1]))

    def push(self, stack: SymbolStack, x: NumpyArray, /) -> None:
        """Push the tiles. Raises ValueError where the frame is not known."""
        weights = self.fitted()
        self._frame.correct(weights)
        self._frame.segment(self._run).push(stack, x)
        self._sent.push(stack, weights)

    def fitted(self) -> Weights:
        """The corrections that a push sends. Raises ValueError where the frame is not known."""
        frame, image = self._frame, self._image
        if image is None:
            raise ValueError("corrections are fitted to a frame that is known")
        return best_corrections(frame.flow, frame.workers, image, frame.has_rct(image.shape))

    def pop(self, stack: SymbolStack, /) -> NumpyArray:
        """Pop the tiles. Raises CorruptError for corrections of planes that the image has not."""
        weights = self._sent.pop(stack)
        _, height, width, channels = self._shape
        empty = self._frame.flow.empty_heads((height, width), channels)
        if any(each.any() for head, each in weights.items() if head in empty):
            raise CorruptError("a frame has corrections of what is not in its image; the file is damaged")
        self._frame.correct(weights)
        return self._frame.segment(self._run).pop(stack)


class IDF(Family):
    """The family as a `compressor.model.Model`. Its nll is that of its PMFs, in their 24 bits.

    shape  (H, W) or (H, W, C) of the images of an array; () for images of any size
    side   of a tile in the plans made here, where images have any size
    """

    alphabet = 256
    symbol_bits = 2 * PRECISION  # two digits

    def __init__(
        self, identity: Identity, flow: Flow, shape: tuple[int, ...], side: int, workers: Workers
    ) -> None:
        super().__init__(identity)
        self.shape, self._flow, self._side, self._workers = shape, flow, side, workers
        self._channels = flow.config.channels

    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> Plan:
        """See the module. ``shape`` (H, W, C) of an image, where images have any size; without it they are one row.

        Raises ModelMismatchError for a number of steps, which the family does not have.
        """
        if steps is not None:
            raise ModelMismatchError(f"{self.name} codes in one pass: it has no steps to choose")
        if self.shape:
            return (images_of_a_segment(count, math.prod(self.shape)),)
        _, width, channels = shape or (1, max(1, count), 1)
        if channels > self._channels:
            width, channels = width * channels, 1
        extras = CORRECTIONS + (RCT if channels == 3 else 0)
        return width, channels, self._side, tiles_of_a_segment(count, width, channels, self._side), extras

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        """Symbols coded in each segment. Raises CorruptError for a plan that cannot be."""
        return [size for tiling in self._tilings(count, plan) for size in tiling.run_sizes()]

    def needs(self, count: int, plan: Plan) -> Needs:
        """See `compressor.model.Model`: work of each segment, by its channels, and of each symbol."""
        tilings = self._tilings(count, plan)
        pixels = [size // tiling.shape[-1] for tiling in tilings for size in tiling.run_sizes()]
        work = _SEGMENT_WORK * self._channels * len(pixels) + _SYMBOL_WORK * count // 1000
        return Needs(work, count + _PER_PIXEL * self._flow.config.width * max(pixels, default=0))

    def segments(self, count: int, plan: Plan, known: NumpyArray | None = None) -> Segments:
        """Runs of tiles. Raises CorruptError for a plan that cannot be."""
        tilings = self._tilings(count, plan)
        frame = FlowFrame(self._flow, self._workers, plan)
        for i, tiling in enumerate(tilings):
            for j, run in enumerate(tiling.runs()):
                if i == j == 0 and _extras(plan) & CORRECTIONS:
                    image = None if known is None else tiling.images(known)[0]
                    yield Tiles(tiling, run), Corrected(frame, run, tiling.shape, image)
                else:
                    yield Tiles(tiling, run), frame.segment(run)

    @property
    def native(self) -> bool:
        """Whether the compiled core runs the flow."""
        return isinstance(self._flow, NativeFlow)

    @property
    def sample_size(self) -> int:
        """Symbols of an image."""
        return math.prod(self.sample_shape)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Where images have any size, `SAMPLE_SHAPE` pixels."""
        return self.shape or (*SAMPLE_SHAPE, self._channels)

    def sample_frames(self, items: int, steps: int | None) -> Iterator[tuple[int, Plan]]:
        """Each image alone, in one tile, with nothing that an encoder chooses."""
        height, width, channels = (*self.sample_shape, 1)[:3]
        side = max(self._side, height, width)
        tiles = tiles_of_a_segment(self.sample_size, width, channels, side)
        plan = (1,) if self.shape else (width, channels, side, tiles)
        return ((self.sample_size, plan) for _ in range(items))

    def _is_possible(self, plan: Plan) -> bool:
        """Whether a plan has the numbers that it should have; what they amount to is for `Tiling.check`."""
        if self.shape:
            return len(plan) == 1 and plan[0] > 0
        extras = (RCT, CORRECTIONS, RCT + CORRECTIONS) if plan[1:2] == (3,) else (CORRECTIONS,)
        possible = plan[4:] == () or (len(plan) == 5 and plan[4] in extras)
        return len(plan) >= 4 and 0 not in plan and possible and plan[1] <= self._channels

    def _is_plain(self, count: int, plan: Plan) -> bool:
        """Whether a plan is the one that stands for what it says, see ``flows.spelling``."""
        if self.shape:
            return is_plain_array(count, math.prod(self.shape), plan[0])
        is_written = plan[4:] != (CORRECTIONS,) or plan[1] == 1
        return is_plain_image(count, plan, self._side, is_written)

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
        if count and not self._is_plain(count, plan):
            raise CorruptError(
                f"the coding plan {plan} of {count} symbols is not written in its one spelling"
            )
        return [tiling for tiling in (whole, rest) if tiling.size]


def _extras(plan: Plan) -> int:
    """What the segments of a plan may have, see the module."""
    return plan[4] if len(plan) == 5 else 0


@dataclass(frozen=True)
class _Coding:
    """The table ``coding`` of a configuration: the side of a tile, where images have any size."""

    side: _Side | None = None


def _configured(config: dict[str, Any]) -> tuple[FlowConfig, tuple[int, ...], int]:
    """Flow, shape of an image or (), side of a tile or 0. Raises ValueError that names what is wrong."""
    model, coding = config["model"], typed(_Coding, config.get("coding", {}), "coding")
    flow = FlowConfig.from_json(model)
    shape = typed(_Shape, model["shape"], "model.shape") if "shape" in model else ()
    if shape and (*shape, 1)[2] not in (1, flow.channels):
        raise ValueError(f"no flow of {flow.channels} channels is for images of {list(shape)}")
    if not shape and coding.side is None:
        raise ValueError(f"coding.side: tiles have a side of 1 to {MAX_SIDE}")
    return flow, shape, coding.side or 0


def tensors(config: dict[str, Any], names: Collection[str]) -> Declared:
    """What `load` takes; see ``families.table``."""
    return _configured(config)[0].tensors()


def load(
    identity: Identity, config: dict[str, Any], tensors: Tensors, arrays: Arrays, workers: Workers
) -> IDF:
    """The model of a checkpoint's configuration (its tables ``model`` and ``coding``) and arrays.

    Raises ValueError for images or tiles that it cannot be for.
    """
    flow, shape, side = _configured(config)
    return IDF(identity, flow_of(flow, tensors, arrays), shape, side, workers)
