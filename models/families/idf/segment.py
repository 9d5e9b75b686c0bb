"""Tiles as a codec: what is sent of each for its colours, and what the flow makes of them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from functools import partial

import numpy as np

from ....compressor.coding.codec import Categorical, Codec, Serial
from ....compressor.coding.ledger import SymbolStack
from ....compressor.coding.pmf import PMF
from ....compressor.errors import CorruptError
from ...backends.base import NumpyArray
from ...backends.workers import Workers
from . import colour
from .enc_colour import best_chroma_offsets, best_rct
from .flow import BASE, DIGIT, Adjust, Flow, unchanged
from .side_information import side_digits

Walk = Generator[NumpyArray, NumpyArray, None]

_HALF = BASE // 2  # shares of an RCT are -8..7
_NONE: NumpyArray = np.zeros((1, 2), np.int32)


class Segment(Codec[NumpyArray]):
    """Tiles of one size, images uint8 [B, h, w, C], shared among the workers.

    rct     whether each tile has an RCT of its own; only where C is 3
    adjust  what `Flow.steps` is given
    """

    def __init__(
        self,
        flow: Flow,
        workers: Workers,
        shape: tuple[int, ...],
        rct: bool = False,
        adjust: Adjust = unchanged,
    ) -> None:
        self._flow, self._workers, self._shape = flow, workers, shape
        self._has_rct, self._adjust = rct, adjust
        self._groups = workers.groups(shape[0], least=1)

    def push(self, stack: SymbolStack, x: NumpyArray, /) -> None:
        """Push uint8 [B, h, w, C]."""
        images = np.empty_like(x)
        Serial(lambda: self._steps(images)).push(stack, self._digits(x))

    def pop(self, stack: SymbolStack, /) -> NumpyArray:
        """Pop uint8 [B, h, w, C]."""
        images: NumpyArray = np.empty(self._shape, np.uint8)
        Serial(lambda: self._steps(images)).pop(stack)
        return images

    def _steps(self, images: NumpyArray) -> Generator[Categorical, NumpyArray, None]:
        """In decode order: of the chroma offsets and the RCT of each tile in colour (see ``colour``), then of one
        digit of every pixel of a plane, tile by tile. ``images`` are written at the end."""
        _, height, width, channels = self._shape
        changes = yield from self._side_steps()
        walks = [
            self._flow.steps(part.stop - part.start, (height, width), channels, images[part], self._adjust)
            for part in self._groups
        ]
        found = self._workers.map(lambda i: next(walks[i], None), self._groups)
        while frequencies := [each for each in found if each is not None]:
            digits = yield Categorical(PMF(np.concatenate(frequencies)))
            parts = np.split(digits, np.cumsum([len(each) for each in frequencies])[:-1])
            found = self._workers.map(partial(_send, walks, parts), self._groups)
        self._restore(images, changes)

    def _side_steps(self) -> Generator[Categorical, NumpyArray, list[NumpyArray]]:
        """The part of `_steps` that is about colours; what it was sent: of chroma offsets and RCTs what there is."""
        count, changes = 2 * self._shape[0], []
        if self._shape[-1] == 3:
            changes.append((yield Categorical(side_digits(count))))
        if self._has_rct:
            changes.append((yield Categorical(side_digits(count))))
        return changes

    def _restore(self, images: NumpyArray, changes: list[NumpyArray]) -> None:
        """Undo, in place, what `_side_steps` tells of. Raises CorruptError as `_undo_rct` does."""
        offsets, rct = ([each.reshape(-1, 2) for each in changes] + [_NONE, _NONE])[:2]
        if offsets.any():
            images[...] = colour.offset_chroma(images, -offsets)
        if rct.any():
            self._undo_rct(images, (rct + _HALF) % BASE - _HALF)

    @staticmethod
    def _undo_rct(images: NumpyArray, rct: NumpyArray) -> None:
        """Undo the RCT of each image, shares int [B, 2]. Raises CorruptError for one that another stands for."""
        if not all(colour.is_canonical_rct(*each) for each in zip(images, rct, strict=True) if each[1].any()):
            raise CorruptError("a tile has a colour transform for which another stands; the file is damaged")
        images[...] = colour.undo_rct(images, rct)

    def _digits(self, images: NumpyArray) -> list[NumpyArray]:
        """What `_steps` is sent for these images."""
        changes, images = self._changed(images)
        planes = self._workers.map(lambda i: self._flow.forward(images[self._groups[i]]), self._groups)
        whole = [np.concatenate(parts).ravel() for parts in zip(*planes, strict=True)]
        digits = [digit for plane in whole for digit in (plane >> DIGIT, plane % BASE)]
        return [*changes, *(digit.astype(np.int32) for digit in digits)]

    def _changed(self, images: NumpyArray) -> tuple[list[NumpyArray], NumpyArray]:
        """What `_side_steps` is sent for these images, and them in the colours that it tells of."""
        changes = []
        if self._has_rct:
            changes = [best_rct(self._flow, self._workers, images)]
            images = colour.apply_rct(images, changes[0]) if changes[0].any() else images
        if images.shape[-1] == 3:
            changes = [best_chroma_offsets(images), *changes]
            images = colour.offset_chroma(images, changes[0]) if changes[0].any() else images
        return [(each % BASE).ravel().astype(np.int32) for each in changes], images


def _send(walks: list[Walk], digits: list[NumpyArray], i: int) -> NumpyArray | None:
    """What walk i yields next; None at its end."""
    with suppress(StopIteration):
        return walks[i].send(digits[i])
    return None
