"""Tiles whose digits go on a stack and come off it in the compiled core: `segment.Segment` with the same bytes."""

from __future__ import annotations

from functools import partial

import numpy as np

from ....compressor.coding.codec import Serial
from ....compressor.coding.ledger import SymbolStack
from ....compressor.coding.stack import Stack
from ...backends.base import NumpyArray
from ...backends.native.coder import StackWords
from ...backends.native.flows import Mixtures, popped
from ...backends.native.structures import address
from ...backends.workers import Workers
from .flow import DIGIT, Adjust, Flow
from .native_flow import NativeFlow, sent
from .segment import Segment


def segment_of(
    flow: Flow, workers: Workers, shape: tuple[int, ...], has_rct: bool, adjust: Adjust
) -> Segment:
    """The segment of these tiles, for the core where the flow is."""
    if isinstance(flow, NativeFlow):
        return NativeSegment(flow, workers, shape, has_rct, adjust)
    return Segment(flow, workers, shape, has_rct, adjust)


class NativeSegment(Segment):
    """As `Segment`, whose steps it takes on stacks that do not lend what they hold."""

    _flow: NativeFlow

    def push(self, stack: SymbolStack, x: NumpyArray, /) -> None:
        """Push uint8 [B, h, w, C]."""
        if not (isinstance(stack, Stack) and stack.lends()):
            super().push(stack, x)
            return
        changes, images = self._changed(x)

        def intervals(i: int) -> list[NumpyArray]:
            return list(self._flow.intervals(images[self._groups[i]], self._adjust))

        planes = list(zip(*self._workers.map(intervals, self._groups), strict=True))
        words = StackWords(stack.drained(), 2 * x.size)
        for parts in reversed(planes):
            for digit in (1, 0):
                for part in reversed(parts):
                    where = address(part[digit]), part.shape[1]
                    self._flow.tables.flows.push_intervals(words.structure, *where)
        stack.refill(words.left())
        Serial(self._side_steps).push(stack, changes)

    def pop(self, stack: SymbolStack, /) -> NumpyArray:
        """Pop uint8 [B, h, w, C]."""
        if not (isinstance(stack, Stack) and stack.lends()):
            return super().pop(stack)
        changes = Serial(self._side_steps).pop(stack)
        images: NumpyArray = np.empty(self._shape, np.uint8)
        words = StackWords(stack.drained())
        try:
            with self._workers.one_blas_thread():
                self._pop_planes(stack, words, images)
        finally:
            stack.refill(words.left())
        self._restore(images, changes)
        return images

    def _pop_planes(self, stack: Stack, words: StackWords, images: NumpyArray) -> None:
        """Take the planes off, first the first digits of a plane of all tiles, then the second ones."""
        _, height, width, channels = self._shape
        walks = [
            self._flow.walk(part.stop - part.start, (height, width), channels, images[part], self._adjust)
            for part in self._groups
        ]
        flows, planes = self._flow.tables.flows, list[NumpyArray]()

        def first(i: int) -> tuple[Mixtures, NumpyArray] | None:
            known = sent(walks[i], planes[i]) if planes else next(walks[i], None)
            return None if known is None else (known, known.digits())

        while begun := [each for each in self._workers.map(first, self._groups) if each]:
            stack.look_up()
            high = [popped(flows, words.structure, digits) for _, digits in begun]
            second = self._workers.map(partial(_second, begun, high), self._groups)
            low = [popped(flows, words.structure, digits) for digits in second]
            parts = zip(begun, high, low, strict=True)
            planes[:] = [(h << DIGIT | rest).reshape(each.shape) for (each, _), h, rest in parts]


def _second(begun: list[tuple[Mixtures, NumpyArray]], high: list[NumpyArray], i: int) -> NumpyArray:
    """Frequencies of the second digits of part i."""
    return begun[i][0].digits(high[i])
