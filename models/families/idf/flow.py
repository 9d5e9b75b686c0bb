"""Integer discrete flows over images of any size: squeeze, couplings, factor-out, level by level, exact.

Hoogeboom et al. 2019, arXiv 1905.07376; van den Berg et al. 2021 (IDF++), arXiv 2006.12459. Planes are [B, h, w] of
integers 0..255, and all is modulo 256. A level cuts each of its C planes into phases, couples the 4C planes
(``couplings``) and factors the last three phases of them out (``factor_out``); the first goes on to the next level,
down to a few pixels, whose prior is a constant of the model. The planes of a channel that an image does not have are
empty.

    images uint8 [B, H, W, C]  <-  Flow.forward, Flow.inverse  ->  what is coded, in the order of Flow.steps
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal, Protocol, TypeVar

import numpy as np

from ....compressor.coding.codec import replayed
from ...backends.base import Array, Arrays, NumpyArray
from ...backends.batches import parts
from ...layers.grid import EXP_ENTRIES, Tensors
from ...layers.logistics import HALVES, MEAN_MAX, Components, Logistics
from ...layers.logistics import declared as declared_logistics
from ...schema import Declared, Depth, Positive, Tensor, ranged, typed
from . import colour, factor_out
from .couplings import Coupling, CouplingConfig
from .enc_gradients import MixtureGradients
from .factor_out import FactorOutPrior, beside
from .squeeze import FACTORED_OUT, GREY, Head, Size, grid, inner, look, sizes, squeeze, unsqueeze, widened

DIGIT = 4  # bits: two digits make a value
BASE = 1 << DIGIT
LEVELS_MAX = 8

_EDGES = 8 * (
    BASE + 1
)  # numbers that a mixture takes while its masses are made: several of 8 bytes for each edge

T = TypeVar("T")


class Adjust(Protocol):
    """What is done to the mixtures of the finest level, see `corrections.Corrections`."""

    def __call__(
        self, phase: int, channel: int, head_inputs: Array, y: Array, guess: NumpyArray, /
    ) -> Array: ...


def unchanged(phase: int, channel: int, head_inputs: Array, y: Array, guess: NumpyArray) -> Array:
    """Mixtures as they are."""
    return y


@dataclass(frozen=True)
class FlowConfig:
    """Sizes of a flow.

    channels    C, planes of an image       width, hidden, depth  of the networks of the factor-out
    levels      how often it is squeezed    components            of each mixture of logistics
    nets        levels with networks of their own; the last serves those below it too
    couplings   see CouplingConfig
    fine        layers of the factor-out with weights of 13 bits, "inputs" and "heads" or fewer: see `grid.FineLinear`
    """

    channels: Literal[1, 3]
    levels: Annotated[int, ranged(1, LEVELS_MAX)]
    nets: Annotated[int, ranged(1, LEVELS_MAX)]
    width: Positive
    hidden: Positive
    depth: Depth
    components: Components
    couplings: CouplingConfig = field(default_factory=CouplingConfig)
    fine: tuple[Literal["inputs", "heads"], ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for more networks than levels."""
        if self.nets > self.levels:
            raise ValueError(
                f"a flow of {self.levels} levels has no more networks than that, and not {self.nets}"
            )

    @staticmethod
    def from_json(table: dict[str, Any]) -> FlowConfig:
        """The table ``model`` of a recipe or a checkpoint, of which ``shape`` is not the flow's.

        Raises ValueError for fields that are not as above.
        """
        return typed(FlowConfig, {key: value for key, value in table.items() if key != "shape"}, "model")

    def tensors(self) -> Declared:
        """What the flow loads."""
        found = {"exp": Tensor("int32", (EXP_ENTRIES,))} | declared_logistics()
        found["base"] = Tensor("int32", (self.channels, 3 * self.components))
        sizes = {"width": self.width, "hidden": self.hidden, "components": self.components}
        for level in (f"levels.{i}" for i in range(self.nets)):
            for j, out in enumerate(FACTORED_OUT):
                name, features = f"{level}.factors.{j}", out.features(self.channels)
                found |= factor_out.declared(
                    name, self.depth, self.channels, self.fine, features=features, **sizes
                )
            for j in range(self.couplings.count):
                found |= self.couplings.tensors(f"{level}.couplings.{j}", self.channels)
        return found


class Flow:
    """The bijection between images and what is coded, and the PMFs of that.

    arrays  where its networks run        gradients  of its mixtures, for fits
    """

    def __init__(self, config: FlowConfig, tensors: Tensors, arrays: Arrays) -> None:
        c = self.config = config
        self.arrays = arrays
        self.gradients = MixtureGradients(tensors, c.components)
        self._logistics = Logistics(arrays, tensors, 1 << 2 * DIGIT, c.components)
        self._base = np.clip(tensors["base"], -MEAN_MAX, MEAN_MAX).astype(np.float32)
        self._priors, self._couplings = [], []
        for name in (f"levels.{i}" for i in range(c.nets)):
            self._priors.append(
                [
                    FactorOutPrior(arrays, tensors, f"{name}.factors.{j}", c.depth, c.channels, c.fine)
                    for j in range(len(FACTORED_OUT))
                ]
            )
            self._couplings.append(
                [
                    Coupling(c.couplings, tensors, arrays, f"{name}.couplings.{j}")
                    for j in range(c.couplings.count)
                ]
            )

    def forward(self, images: NumpyArray) -> list[NumpyArray]:
        """What is coded of uint8 [B, H, W, C], in the order of `steps`: uint8 [B, h, w] for each plane that leaves."""
        planes = self._planes(images)
        levels: list[list[NumpyArray]] = []
        for level in range(self.config.levels):
            phases = [phase for parts in zip(*map(squeeze, planes), strict=True) for phase in parts]
            for coupling in self._at(self._couplings, level):
                phases = coupling.forward(phases)
            groups = self._groups(phases)
            levels.append([plane for out in FACTORED_OUT for plane in groups[out.phase]])
            planes = groups[0]
        leaving = planes + [plane for level in reversed(levels) for plane in level]
        return [part.astype(np.uint8) for part in leaving if part.size]

    def heads(self, channels: int) -> dict[Head, int]:
        """What `steps` lets be adjusted of images of so many channels, and how many inputs the head of each has."""
        heads = self._priors[0]
        return {
            (i, each): heads[i].inputs(each) for i in range(len(FACTORED_OUT)) for each in range(channels)
        }

    def empty_heads(self, size: Size, channels: int) -> set[Head]:
        """Those of the `heads` of images of this size that have no pixels."""
        planes = self._groups(self._layout(size, channels)[0])
        return {head for head in self.heads(channels) if 0 in planes[FACTORED_OUT[head[0]].phase][head[1]]}

    def steps(
        self, batch: int, size: Size, channels: int, images: NumpyArray, adjust: Adjust = unchanged
    ) -> Generator[NumpyArray, NumpyArray, None]:
        """In decode order: yields frequencies uint32 [N, BASE] of a digit, and is sent the digits, integers [N].

        ``images`` uint8 [B, H, W, C] is written at the end. ``adjust`` may change the mixtures of the `heads`.
        """
        *levels, last = self._layout(size, channels)
        planes = []
        for channel, part in enumerate(last):
            y = np.tile(self._base[channel], (batch * part[0] * part[1], 1))
            guess = np.full(len(y), GREY * HALVES, np.int32)
            planes.append((yield from self._coded(self.arrays.place(y), guess, (batch, *part))))
        for level in reversed(range(self.config.levels)):
            planes = yield from self._level(
                level, planes, levels[level], batch, unchanged if level else adjust
            )
        images[...] = self._images(planes, channels)

    def chosen(self, images: NumpyArray, adjust: Adjust = unchanged) -> Iterator[NumpyArray]:
        """The frequencies uint32 [N] that uint8 [B, H, W, C] are coded with, for each of the `steps`."""
        batch, height, width, channels = images.shape
        steps = self.steps(batch, (height, width), channels, np.empty_like(images), adjust)
        digits = (digit.ravel() for plane in self.forward(images) for digit in (plane >> DIGIT, plane % BASE))
        for frequencies, sent in replayed(steps, digits):
            yield frequencies[np.arange(len(sent)), sent]

    def show(self, images: NumpyArray, adjust: Adjust) -> None:
        """Let ``adjust`` see the mixtures of uint8 [B, H, W, C], whatever it makes of them."""
        for _ in self.chosen(images, adjust):
            pass

    def _level(
        self, level: int, first: list[NumpyArray], sizes: list[Size], batch: int, adjust: Adjust
    ) -> Generator[NumpyArray, NumpyArray, list[NumpyArray]]:
        """The C planes of a level, from its first phases and what is sent."""
        arrays, count = self.arrays, self.config.channels
        phases = first + [np.empty((batch, *part), np.float32) for part in sizes[count:]]
        groups = self._groups(phases)
        if any(plane.size for group in groups[1:] for plane in group):
            size = grid(phases)
            wide = {0: [widened(arrays, plane, size) for plane in first]}
            x = arrays.place(np.zeros((batch, *size, self.config.width), np.float32))
            for i, (out, prior) in enumerate(zip(FACTORED_OUT, self._at(self._priors, level), strict=True)):
                seen, guesses = look(arrays, wide, out, size)
                x = prior.stream(x, seen)
                head_inputs = prior.head_inputs(x, seen)
                yield from self._factored(
                    prior, head_inputs, guesses, groups[out.phase], size, partial(adjust, i)
                )
                wide[out.phase] = [widened(arrays, plane, size) for plane in groups[out.phase]]
            phases = [plane for group in groups for plane in group]
        for coupling in reversed(self._at(self._couplings, level)):
            phases = coupling.inverse(phases)
        return [unsqueeze(phases[channel::count]) for channel in range(count)]

    def _factored(
        self,
        prior: FactorOutPrior,
        head_inputs: Array,
        guesses: list[Array],
        planes: list[NumpyArray],
        size: Size,
        adjust: Callable[[int, Array, Array, NumpyArray], Array],
    ) -> Generator[NumpyArray, NumpyArray, None]:
        """Replaces the ``planes`` of a phase, whose sizes are right, by what is sent."""
        arrays = self.arrays
        for channel, (plane, guess) in enumerate(zip(planes, guesses, strict=True)):
            _, height, width = plane.shape
            if plane.size:
                codes = head_inputs[:, :height, :width].reshape(-1, head_inputs.shape[-1])
                near = arrays.fetch(guess[:, :height, :width]).astype(np.int32).ravel()
                y = adjust(channel, codes, prior.mixtures(channel, codes), near)
                planes[channel] = yield from self._coded(y, near, plane.shape)
            if channel + 1 < len(planes):
                head_inputs = arrays.concat(
                    [head_inputs, beside(arrays, inner(widened(arrays, planes[channel], size)), guess)]
                )

    def _coded(
        self, y: Array, guess: NumpyArray, shape: tuple[int, ...]
    ) -> Generator[NumpyArray, NumpyArray, NumpyArray]:
        """A plane of values, float32 of this shape, whose mixtures y [N, 3 components] and guesses [N] describe."""
        values: NumpyArray = np.zeros(len(y), np.int32)
        for shift in (DIGIT, 0):
            if not len(y):
                break
            edges = (values if shift == 0 else values[:1])[:, None] + (np.arange(BASE + 1) << shift)
            found = np.empty((len(y), BASE), np.uint32)
            for part in parts(len(y), self.arrays.at_once // _EDGES):
                found[part] = self._logistics(y[part], guess[part], edges if shift else edges[part])
            digits = yield found
            values = values + (digits.astype(np.int32) << shift)
        return values.reshape(shape).astype(np.float32)

    def _layout(self, size: Size, channels: int) -> list[list[Size]]:
        """Sizes of the planes that the factor-out of each level sees, 4C; last, of the C planes that are left."""
        planes = [size] * channels + [(0, 0)] * (self.config.channels - channels)
        layout = []
        for level in range(self.config.levels):
            phases = [part for same in zip(*map(sizes, planes), strict=True) for part in same]
            for coupling in self._at(self._couplings, level):
                phases = coupling.places(phases)
            layout.append(phases)
            planes = phases[: len(planes)]
        return [*layout, planes]

    def _planes(self, images: NumpyArray) -> list[NumpyArray]:
        """Planes of uint8 [B, H, W, C], as many as the flow has channels."""
        channels = images.shape[-1]
        coded = colour.rgb_to_ycocg(images) if channels == 3 else images
        planes = [coded[..., channel].astype(np.float32) for channel in range(channels)]
        empty = np.empty((len(images), 0, 0), np.float32)
        return planes + [empty] * (self.config.channels - channels)

    def _images(self, planes: list[NumpyArray], channels: int) -> NumpyArray:
        """uint8 [B, H, W, C] of their planes: the inverse of `_planes`."""
        coded = np.stack(planes[:channels], -1).astype(np.uint8)
        return colour.ycocg_to_rgb(coded) if channels == 3 else coded

    def _groups(self, phases: list[T]) -> list[list[T]]:
        """4C planes by the phase they are taken for."""
        count = self.config.channels
        return [phases[i * count : (i + 1) * count] for i in range(4)]

    def _at(self, networks: list[list[T]], level: int) -> list[T]:
        """The networks of a level."""
        return networks[min(level, len(networks) - 1)]
