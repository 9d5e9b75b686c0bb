"""The structures of masked_core.h, field by field, as ``structures`` has those of core.h."""

from __future__ import annotations

from ctypes import CFUNCTYPE, POINTER, Structure, c_int64, c_void_p
from typing import ClassVar

import numpy as np

from .structures import DEPTH, Core, Linear, Mlp

WINDOWS, OFFSETS, REACHES = 64, 8, 8
"""As in masked_core.h."""


class Window(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("bits", "offsets")),
        ("offset", c_int64 * OFFSETS),
        ("table", c_void_p),
    ]


class Attention(Structure):
    _fields_: ClassVar = [
        *((name, Linear) for name in ("query", "keys_values", "out")),
        ("position", c_void_p),
    ]


class Transformer(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("alphabet", "length", "width", "depth", "heads", "hidden")),
        *((name, c_int64) for name in ("embed", "windows", "reach", "stride", "told")),
        ("window", Window * WINDOWS),
        *((name, c_void_p) for name in ("place", "time")),
        *((name, Linear) for name in ("inputs", "head")),
        ("attention", Attention * DEPTH),
        ("mlp", Mlp * DEPTH),
        ("weight", c_void_p),
        ("weight_last", c_int64),
        ("exp", c_void_p),
        ("exp_last", c_int64),
    ]


class Cache(Structure):
    _fields_: ClassVar = [
        ("first", c_int64),
        *((name, c_void_p) for name in ("codes", "residual", "key", "value")),
    ]


class Desk(Structure):
    _fields_: ClassVar = [
        *((name, c_void_p) for name in ("symbols", "seeing", "codes", "residual", "sums")),
        *((name, c_void_p) for name in ("score", "query", "weight")),
        ("deep", Cache),
    ]


class Ask(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("first", "last", "time")),
        *((name, c_void_p) for name in ("values", "known", "news", "stale", "wanted")),
        *((name, c_int64) for name in ("stales", "wants")),
        ("out", c_void_p),
    ]


class Around(Structure):
    _fields_: ClassVar = [("conv", Linear), ("out", Linear)]


class ConvNet(Structure):
    _fields_: ClassVar = [
        *(
            (name, c_int64)
            for name in ("height", "across", "channels", "dimensions", "base", "stages", "bits")
        ),
        *((name, c_int64) for name in ("embed", "told", "features", "width", "hidden", "depth", "size")),
        *(
            (name, c_int64)
            for name in ("fine_inputs", "fine_head", "direct", "components", "limit", "stride")
        ),
        ("windows", c_int64),
        ("reach", c_int64 * REACHES),
        *((name, c_void_p) for name in ("tokens", "time")),
        *((name, Linear) for name in ("inputs", "head")),
        ("block", Around * DEPTH),
        ("exp", c_void_p),
        ("exp_last", c_int64),
        *((name, c_void_p) for name in ("inverse", "cdf")),
    ]


class Rectangle(Structure):
    _fields_: ClassVar = [(name, c_int64) for name in ("top", "bottom", "left", "right")]


class Easel(Structure):
    _fields_: ClassVar = [
        *((name, c_void_p) for name in ("middle", "below", "across", "counts", "averages", "guess")),
        *((name, c_void_p) for name in ("seen", "codes", "told", "x", "residual", "sums", "y", "masses")),
    ]


class ImageAsk(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("first", "last", "stage", "first_row", "time")),
        *((name, c_void_p) for name in ("values", "known", "fields")),
        ("wide", Rectangle),
        *((name, c_void_p) for name in ("places", "rows", "wanted", "told")),
        *((name, c_int64) for name in ("count", "wants")),
        ("out", c_void_p),
    ]


_array = c_void_p


class Masked(Structure):
    """What a variant has for masked networks: `of` finds it."""

    _fields_: ClassVar = [
        ("pair_product", CFUNCTYPE(None, _array, c_int64, c_int64, _array, c_int64, c_int64, _array)),
        ("transformer", CFUNCTYPE(None, *(POINTER(kind) for kind in (Transformer, Cache, Desk, Ask)))),
        ("convnet", CFUNCTYPE(None, *(POINTER(kind) for kind in (ConvNet, Easel, ImageAsk)))),
    ]

    @staticmethod
    def of(core: Core) -> Masked:
        """Those of this variant."""
        return Masked.from_address(core.masked)


SIZES: list[type[Structure] | np.dtype[np.void]] = [
    *(Transformer, Cache, Desk, Ask),
    *(ConvNet, Easel, ImageAsk, Masked),
]
"""In the order of catzip_size, behind those of ``structures``."""
