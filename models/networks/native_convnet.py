"""The masked convolutional network on the compiled core, with the integers of `masked_convnet.ConvNet`, call by call.

Here weights are laid out and handed over to native/convnet.h, as ``native_transformer`` does it.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ..backends.base import Arrays, NumpyArray
from ..backends.batches import parts
from ..backends.native import masked_structures as structures
from ..backends.native.layers import padded
from ..backends.native.masked_structures import REACHES, Around, Easel, ImageAsk, Masked
from ..backends.native.structures import DEPTH, ROWS, Core
from ..layers.grid import ACT, LOGIT, LOGIT_MAX, RES, Tensors
from ..layers.logistics import MEAN, MEAN_MAX
from ..layers.logistics import checked as checked_tables
from ..layers.receptive import Rectangle
from .masked_convnet import ConvNetConfig, asked_for
from .native_network import CACHE_LINE, NativeNetwork, addresses, core_for, knows, zeros

_AT_ONCE = 1 << 12  # positions of a call of the core: some 20 ms
_MOST = 1 << 26  # codes of what is seen of an image
_POINTERS = ("values", "known", "fields", "places", "rows", "wanted", "told", "out")


def compiled(config: ConvNetConfig, tensors: Tensors, arrays: Arrays) -> NativeConvNet | None:
    """As `native_transformer.compiled`."""
    variant = core_for(arrays)
    if variant is None or not _has_room(config) or not knows(config.tensors(), tensors):
        return None
    network = NativeConvNet(variant, config, tensors)
    return network if network.is_bounded else None


def _has_room(config: ConvNetConfig) -> bool:
    seen = (config.shape[0] // 2 + 2) * (config.shape[1] // 2 + 2) * _told(config)
    return config.depth <= DEPTH and len(config.reaches) <= REACHES and seen <= _MOST


def _told(config: ConvNetConfig) -> int:
    """Codes that the first layer has of a position."""
    return config.dimensions * config.embed + config.features + config.embed


class NativeConvNet(NativeNetwork):
    """As `masked_convnet.ConvNet`."""

    least = 1
    cache_bytes = 0

    def __init__(self, variant: Core, config: ConvNetConfig, tensors: Tensors) -> None:
        c = self.config = config
        self.size, self.alphabet, self.base, self.stages = c.size, c.base**c.stages, c.base, c.stages
        super().__init__(variant, tensors)
        self._run, self.structure = Masked.of(variant).convnet, structures.ConvNet()
        self._fill_sizes()
        self._fill_tables()
        self._fill_layers()

    def new_cache(self) -> tuple[Easel, list[NumpyArray]]:
        """Room for a thread, and what keeps it: nothing of a call is of use to another."""
        c, s = self.config, self.structure
        height, width, channels = c.shape
        positions, framed = height * width // 4, (height // 2 + 2) * (width // 2 + 2)
        line, reach = width * channels, 2 * max(c.reaches, default=0) + 1
        outputs = [s.inputs.outputs, s.head.outputs, c.base + 1]
        for i in range(c.depth):
            outputs += [s.block[i].conv.outputs, s.block[i].out.outputs]
        whole = {
            "middle": c.size,
            "below": c.size + line,
            "across": line + reach * channels,
            "counts": len(c.reaches) * c.size,
            "averages": len(c.reaches) * line,
            "guess": c.size,
            "x": positions * padded(c.width),
            "residual": ROWS * padded(c.width),
            "sums": ROWS * max(outputs),
            "y": positions * c.dimensions * c.outputs,
        }
        codes = {
            "seen": framed * s.told,
            "codes": framed * c.width + padded(c.width),  # what is padded of the last
            "told": ROWS * s.stride,
        }
        arrays = zeros(whole, np.int32) | zeros(codes, np.uint8) | zeros({"masses": c.base + 1}, np.float64)
        return Easel(**addresses(arrays)), list(arrays.values())

    def frequencies(
        self, values: NumpyArray, known: NumpyArray, stage: int, wanted: NumpyArray, cache: Any = None
    ) -> NumpyArray:
        """See `masked.MaskedNet`."""
        c, found = self.config, np.empty((len(values), len(wanted), self.base), np.uint32)
        easel, _ = cache or self.new_cache()
        wanted = np.ascontiguousarray(wanted, np.int64)
        about = asked_for(c, wanted.astype(np.intp).tobytes())
        fields = np.array([_edges(field) for field in about.fields], np.int64)
        images = [np.ascontiguousarray(array, np.uint8) for array in (values, known)]
        lists = (about.places, about.rows, wanted, about.told)
        given = [np.ascontiguousarray(array, np.int64) for array in lists]
        ask = ImageAsk(
            stage=stage,
            first_row=c.digits.first_row(stage),
            time=stage * c.times + int(known.sum()) * c.times // self.size,
            wide=structures.Rectangle(*_edges(about.wide.times(2))),
            count=len(about.places),
            wants=len(wanted),
            **addresses(dict(zip(_POINTERS, [*images, fields, *given, found], strict=True))),
        )
        rows, columns = about.fields[0].size
        for part in parts(len(values), _AT_ONCE // (rows * columns)):
            ask.first, ask.last = part.start, min(part.stop, len(values))
            self._run(self.structure, easel, ask)
        return found

    def _fill_sizes(self) -> None:
        c, s = self.config, self.structure
        s.height, s.across, s.channels = c.shape
        s.dimensions, s.base, s.stages, s.bits = c.dimensions, c.base, c.stages, c.digits.bits
        s.embed, s.told, s.features, s.width, s.hidden = c.embed, _told(c), c.features, c.width, c.hidden
        s.depth, s.size, s.components, s.direct = c.depth, c.outputs, c.components, c.output == "direct"
        s.fine_inputs, s.fine_head = "inputs" in c.fine, "head" in c.fine
        s.limit = LOGIT_MAX if s.direct else MEAN_MAX
        s.windows, s.reach = len(c.reaches), (ctypes.c_int64 * REACHES)(*c.reaches)
        most = max(9 * s.told, 9 * c.width, c.hidden, padded(c.width) + c.features)
        s.stride = padded(most, CACHE_LINE)

    def _fill_tables(self) -> None:
        s, tensors = self.structure, self.tensors
        s.tokens, s.time = (self.keep(tensors[f"{name}.table"], np.int8) for name in ("tokens", "time"))
        inverse, cdf = tensors["logistic.inverse"], tensors["logistic.cdf"]
        if not s.direct:
            checked_tables(inverse, cdf)
        s.exp, s.exp_last = self.keep(tensors["exp"], np.int32), len(tensors["exp"]) - 1
        s.inverse, s.cdf = self.keep(inverse, np.int32), self.keep(cdf, np.int32)

    def _fill_layers(self) -> None:
        s = self.structure
        s.inputs, s.head = self.linear(["inputs"], RES), self.linear(["head"], LOGIT if s.direct else MEAN)
        for i in range(self.config.depth):
            name = f"blocks.{i}"
            s.block[i] = Around(self.linear([f"{name}.conv"], ACT), self.linear([f"{name}.out"], RES))


def _edges(rectangle: Rectangle) -> tuple[int, int, int, int]:
    return rectangle.top, rectangle.bottom, rectangle.left, rectangle.right
