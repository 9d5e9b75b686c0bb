"""A flow whose networks, mixtures and digits are the compiled core's: `flow.Flow` with the same integers.

The NumPy layers are the specification. Here memory is handed over to native/*.h, where files are named after the
modules that they repeat. Planes are uint8 [B, h, w]; couplings are NumPy's here, too.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np

from ....compressor.coding.codec import replayed
from ...backends.base import Arrays, NumpyArray
from ...backends.native.flow_structures import BLOCKS
from ...backends.native.flows import ZERO, KnownLevel, Mixtures, Tables
from ...backends.native.layers import PackedLinear
from ...backends.native.library import core
from ...backends.native.structures import Core
from ...backends.numpy import NumpyArrays
from ...layers.grid import ACT, Tensors
from ...layers.logistics import HALVES, MEAN
from .corrections import EXPONENTS, Corrections, biases
from .flow import DIGIT, Adjust, Flow, FlowConfig, unchanged
from .native_prior import PackedPrior
from .squeeze import FACTORED_OUT, GREY, Head, Size, grid, unsqueeze

Walk = Generator[Mixtures, NumpyArray, None]
"""Yields the mixtures of one plane after another, and is sent the plane, uint8 of their shape."""


def flow_of(config: FlowConfig, tensors: Tensors, arrays: Arrays) -> Flow:
    """The flow of these weights: for the core, where that runs and they are not too much for it, or else for NumPy."""
    variant = core() if type(arrays) is NumpyArrays else None
    if variant is not None and config.depth <= BLOCKS:
        native = NativeFlow(config, tensors, arrays, variant)
        if native.is_bounded:
            return native
    return Flow(config, tensors, arrays)


class NativeFlow(Flow):
    """As `Flow`.

    tables      of its mixtures, for a variant of the core
    is_bounded  whether the core's sums hold all that its layers may give
    """

    def __init__(self, config: FlowConfig, tensors: Tensors, arrays: Arrays, variant: Core) -> None:
        super().__init__(config, tensors, arrays)
        logistic = (tensors[name] for name in ("exp", "logistic.inverse", "logistic.cdf"))
        self.tables = Tables(variant, config.components, *logistic)
        self._packed = [
            [
                PackedPrior(variant, config, tensors, f"levels.{i}.factors.{j}", out)
                for j, out in enumerate(FACTORED_OUT)
            ]
            for i in range(config.nets)
        ]
        self.is_bounded = all(each.is_bounded for level in self._packed for each in level)

    def walk(
        self, batch: int, size: Size, channels: int, images: NumpyArray, adjust: Adjust = unchanged
    ) -> Walk:
        """As `steps`, plane by plane."""
        *levels, last = self._layout(size, channels)
        planes = []
        for base, part in zip(self._base.astype(np.int16), last, strict=True):
            count = batch * part[0] * part[1]
            guess = np.full(count, GREY * HALVES, np.int16)
            known = Mixtures(self.tables, (batch, *part), np.tile(base, (count, 1)), guess)
            planes.append((yield known) if count else np.empty(known.shape, np.uint8))
        finest = _Changes(self.tables.core, adjust)
        for level in reversed(range(self.config.levels)):
            changes = _Changes(self.tables.core, unchanged) if level else finest
            planes = yield from self._planes_of(level, planes, levels[level], changes)
        images[...] = self._images(planes, channels)

    def steps(
        self, batch: int, size: Size, channels: int, images: NumpyArray, adjust: Adjust = unchanged
    ) -> Generator[NumpyArray, NumpyArray, None]:
        """As `Flow.steps`."""
        walk = self.walk(batch, size, channels, images, adjust)
        known = next(walk, None)
        while known is not None:
            high = (yield known.digits()).astype(np.uint8)
            low = (yield known.digits(high)).astype(np.uint8)
            known = sent(walk, (high << DIGIT | low).reshape(known.shape))

    def chosen(self, images: NumpyArray, adjust: Adjust = unchanged) -> Iterator[NumpyArray]:
        """As `Flow.chosen`."""
        for both in self.intervals(images, adjust):
            yield from both["size"]

    def show(self, images: NumpyArray, adjust: Adjust) -> None:
        """As `Flow.show`."""
        for _ in self._replayed(images, adjust):
            pass

    def intervals(self, images: NumpyArray, adjust: Adjust = unchanged) -> Iterator[NumpyArray]:
        """What codes uint8 [B, H, W, C]: `Mixtures.intervals` of each of its planes."""
        return (known.intervals(plane) for known, plane in self._replayed(images, adjust))

    def _replayed(self, images: NumpyArray, adjust: Adjust) -> Iterator[tuple[Mixtures, NumpyArray]]:
        """The mixtures of each plane of images, and the plane."""
        batch, height, width, channels = images.shape
        walk = self.walk(batch, (height, width), channels, np.empty_like(images), adjust)
        return replayed(walk, self.forward(images))

    def _planes_of(
        self, level: int, first: list[NumpyArray], sizes: list[Size], changes: _Changes
    ) -> Generator[Mixtures, NumpyArray, list[NumpyArray]]:
        """As `Flow._level`."""
        count, batch = self.config.channels, len(first[0])
        phases = first + [np.empty((batch, *part), np.uint8) for part in sizes[count:]]
        groups = self._groups(phases)
        if any(plane.size for group in groups[1:] for plane in group):
            priors = self._at(self._packed, level)
            structures = [each.structure for each in priors]
            known = KnownLevel(self.tables, structures, count, batch, grid(phases))
            for channel, plane in enumerate(first):
                known.learn(0, channel, plane)
            for i, out in enumerate(FACTORED_OUT):
                known.describe(structures[i])
                for channel, plane in enumerate(groups[out.phase]):
                    if plane.size:
                        mixtures = changes.mixtures(known, priors[i], (i, channel), plane.shape)
                        groups[out.phase][channel] = yield mixtures
                    known.learn(out.phase, channel, groups[out.phase][channel])
                    if channel + 1 < count:
                        known.tell(structures[i], out.phase, channel)
            phases = [plane for group in groups for plane in group]
        if couplings := self._at(self._couplings, level):
            phases = [plane.astype(np.float32) for plane in phases]
            for coupling in reversed(couplings):
                phases = coupling.inverse(phases)
            phases = [plane.astype(np.uint8) for plane in phases]
        return [unsqueeze(phases[channel::count]) for channel in range(count)]


class _Changes:
    """What an `Adjust` does to mixtures: corrections are the core's, and anything else is called."""

    def __init__(self, variant: Core, adjust: Adjust) -> None:
        self._call = None if adjust is unchanged or isinstance(adjust, Corrections) else adjust
        weights = adjust.weights if isinstance(adjust, Corrections) else {}
        self._layers = {head: packed(variant, each) for head, each in weights.items()}

    def mixtures(self, known: KnownLevel, prior: PackedPrior, head: Head, shape: tuple[int, ...]) -> Mixtures:
        """Those of a head, changed."""
        structure, layer = prior.structure, self._layers.get(head)
        found = known.mixtures(structure, head[1], shape, None if layer is None else layer.structure)
        if self._call is None:
            return found
        codes = known.seen(structure, shape)[:, : prior.inputs(head[1])].astype(np.float32) - ZERO
        y = self._call(*head, codes, found.y.astype(np.float32), found.guess.astype(np.int32))
        return replace(found, y=np.ascontiguousarray(y, np.int16))


def packed(variant: Core, weights: NumpyArray) -> PackedLinear:
    """Weights of `Corrections` as a layer."""
    narrow, power = weights[:, :-1].astype(np.int8), MEAN - ACT - np.array(EXPONENTS)
    return PackedLinear(variant, narrow, power, biases(weights))


def sent(walk: Walk, plane: NumpyArray) -> Mixtures | None:
    """The mixtures of the plane after this one; None at the end."""
    with suppress(StopIteration):
        return walk.send(plane)
    return None
