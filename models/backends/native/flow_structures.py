"""The structures of flow_core.h, field by field, as ``structures`` has those of core.h."""

from __future__ import annotations

from ctypes import CFUNCTYPE, POINTER, Structure, c_double, c_int64, c_void_p
from typing import ClassVar

import numpy as np

from .structures import Core, Linear, Stack

BLOCKS, CHANNELS, NEIGHBOURS = 16, 3, 16
TILE = 128
"""As in flow_core.h and fitting.h."""


class ConvBlock(Structure):
    _fields_: ClassVar = [("conv", Linear), ("out", Linear)]


class Prior(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("features", "width", "hidden", "depth", "components", "stride")),
        *((name, c_int64) for name in ("fine_inputs", "fine_heads", "neighbours")),
        ("places", c_void_p),
        ("inputs", Linear),
        ("head", Linear * CHANNELS),
        ("block", ConvBlock * BLOCKS),
    ]


class Image(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("height", "width")),
        *((name, c_void_p) for name in ("codes", "sums", "gated")),
    ]


class Level(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("batch", "channels", "height", "width")),
        *((name, c_void_p) for name in ("wide", "x", "head_inputs", "guess")),
        ("image", Image),
    ]


class Logistic(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("components", "exp_last")),
        *((name, c_void_p) for name in ("exp", "inverse", "cdf")),
    ]


class Recorded(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("rows", "columns", "stride")),
        *((name, c_void_p) for name in ("codes", "y", "guess", "values")),
    ]


INTERVAL: np.dtype[np.void] = np.dtype([("low", "u4"), ("size", "u4")])
"""What codes a digit."""

_prior, _level, _logistic, _recorded, _linear, _stack = map(
    POINTER, (Prior, Level, Logistic, Recorded, Linear, Stack)
)
_array = c_void_p


class Flows(Structure):
    """What a variant has for flows: `of` finds it."""

    _fields_: ClassVar = [
        ("convolve", CFUNCTYPE(None, _linear, _array, c_int64, c_int64, c_int64, _array)),
        ("widen", CFUNCTYPE(None, _level, c_int64, c_int64, _array, c_int64, c_int64)),
        ("describe", CFUNCTYPE(None, _prior, _level)),
        (
            "mixtures",
            CFUNCTYPE(None, _prior, _level, c_int64, c_int64, c_int64, _linear, _array, _array),
        ),
        ("beside", CFUNCTYPE(None, _prior, _level, c_int64, c_int64)),
        ("digits", CFUNCTYPE(None, _logistic, _array, _array, _array, c_int64, _array)),
        ("intervals", CFUNCTYPE(None, _logistic, _array, _array, _array, c_int64, _array)),
        ("push_intervals", CFUNCTYPE(None, _stack, _array, c_int64)),
        ("pop_digits", CFUNCTYPE(None, _stack, _array, c_int64, _array)),
        ("gradients_at", CFUNCTYPE(c_double, _logistic, _recorded, _linear, _array, _array)),
        ("normal", CFUNCTYPE(None, _recorded, _array, _array, _array, _array)),
        ("solve", CFUNCTYPE(None, _array, c_int64)),
    ]

    @staticmethod
    def of(core: Core) -> Flows:
        """Those of this variant."""
        return Flows.from_address(core.flows)


SIZES: list[type[Structure] | np.dtype[np.void]] = [Prior, Level, Logistic, INTERVAL, Recorded, Flows]
"""In the order of catzip_size, behind those of ``structures``."""
