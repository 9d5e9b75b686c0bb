"""The structures of core.h, field by field. Arrays in them are pointers: who fills one keeps what it points at."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_uint64, c_void_p
from typing import ClassVar

import numpy as np

from ..base import NumpyArray

QUAD, BLOCK, ROWS = 4, 16, 96
NGRAMS, DEPTH, CONTEXTS = 16, 16, 12
RICH, MATCHES, INPUTS, SELECTORS, STAGES = 12, 2, 32, 4, 4
"""As in core.h."""

DONE, OUTSIDE = 0, 1


def address(array: NumpyArray) -> int:
    """The address of an array that is C-contiguous. Raises ValueError for another."""
    if not array.flags.c_contiguous:
        raise ValueError("the core reads arrays as they lie in memory")
    return int(array.ctypes.data)


class Linear(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("inputs", "outputs")),
        *((name, c_void_p) for name in ("weight", "start", "scale", "offset")),
    ]


class Recurrent(Structure):
    _fields_: ClassVar = [(name, Linear) for name in ("forget", "candidate", "gate", "out")]


class Mlp(Structure):
    _fields_: ClassVar = [(name, Linear) for name in ("inputs", "out")]


class Ngram(Structure):
    _fields_: ClassVar = [("order", c_int64), ("bits", c_int64), ("table", c_void_p)]


class Model(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("alphabet", "decisions", "width", "state", "depth")),
        *((name, c_int64) for name in ("hidden", "embed", "ngrams", "stride")),
        ("ngram", Ngram * NGRAMS),
        ("match", c_void_p),
        *((name, Linear) for name in ("inputs", "head")),
        ("recurrent", Recurrent * DEPTH),
        ("mlp", Mlp * DEPTH),
        *((name, c_void_p) for name in ("renew", "exp")),
        ("exp_last", c_int64),
        *((name, c_int64) for name in ("orders", "contexts", "phrases", "by_age", "refined")),
        ("order", c_int64 * CONTEXTS),
        *((name, c_void_p) for name in ("stretch", "squash", "adapt")),
        ("oldest", c_int64),
        *((name, c_void_p) for name in ("level", "letter")),
        ("rich", c_int64),
    ]


class Work(Structure):
    _fields_: ClassVar = [(name, c_void_p) for name in ("codes", "x", "one", "two", "three", "row")]


class Rich(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("record", "line_bits", "stage_bits", "rate", "rate_now", "rate_last")),
        *((name, c_void_p) for name in ("lines", "maps", "nodes", "weights", "last", "stages")),
        *((name, c_void_p) for name in ("trust", "known", "pointer", "held", "misses")),
        *((name, c_void_p) for name in ("recent", "line", "before", "lane")),
    ]


class Frame(Structure):
    _fields_: ClassVar = [
        *((name, c_int64) for name in ("lanes", "length", "count", "step", "mixed")),
        ("recent", c_void_p),
        *((name, c_int64) for name in ("match_shift", "match_mask")),
        *(
            (name, c_void_p)
            for name in ("match_keys", "match_places", "text", "pointer", "matched", "states")
        ),
        *((name, c_int64) for name in ("bits", "map_bits", "rate")),
        *((name, c_void_p) for name in ("counters", "maps", "weights", "word", "before")),
        *((name, c_void_p) for name in ("lane", "keys", "node", "below", "said", "bit")),
        ("rich", c_void_p),
    ]


class Seen(Structure):
    _fields_: ClassVar = [(name, c_void_p) for name in ("past", "row", "length", "said")]


class Stack(Structure):
    _fields_: ClassVar = [("head", c_uint64), ("words", c_void_p), ("count", c_int64)]


LANE: np.dtype[np.void] = np.dtype(
    [
        ("slot", "u4", CONTEXTS),
        ("map", "u4", 2),
        ("counter", "i4", CONTEXTS),
        ("mapped", "i4", 2),
        ("t", "i4", CONTEXTS + 1),
        ("set", "u4", CONTEXTS + 1),
        ("p", "i4"),
    ]
)
"""What the core notes of each lane."""

RICH_LANE: np.dtype[np.void] = np.dtype(
    [
        ("key", "u8", RICH),
        ("up", "u8"),
        *((name, "u4", RICH) for name in ("line", "tag", "slot")),
        ("place", "u4"),
        ("set", "u4", SELECTORS),
        ("cell", "u4", STAGES),
        ("map", "i4", RICH),
        ("t", "i4", INPUTS),
        *((name, "i4", SELECTORS) for name in ("z", "p")),
        ("last", "i4"),
        ("staged", "i4", STAGES),
        ("node", "i4"),
        *((name, "i4", MATCHES) for name in ("expected", "state", "row", "bit", "trust")),
    ],
    align=True,
)
"""The same in the rich mixture."""

_model, _frame, _work, _seen, _stack = (POINTER(kind) for kind in (Model, Frame, Work, Seen, Stack))
_bytes = _ints = _shorts = c_void_p


class Core(Structure):
    """A variant: its functions release the interpreter lock while they run."""

    _fields_: ClassVar = [
        ("name", c_char_p),
        ("in_blocks", c_int64),
        ("supported", CFUNCTYPE(c_int)),
        ("product", CFUNCTYPE(None, POINTER(Linear), _bytes, c_int64, c_int64, _ints)),
        ("norm", CFUNCTYPE(None, _ints, c_int64, c_int64, _bytes, c_int64)),
        ("frequencies", CFUNCTYPE(None, _model, _ints, _ints)),
        ("contexts", CFUNCTYPE(None, _frame, _bytes, c_int64, _seen)),
        ("network", CFUNCTYPE(None, _model, _frame, _work, c_int64, c_int64, c_int64, _seen, _bytes)),
        ("mixture", CFUNCTYPE(None, _model, _frame, _bytes, c_int64, _seen, _bytes, _shorts)),
        ("predict", CFUNCTYPE(None, _frame, _seen)),
        ("begin", CFUNCTYPE(None, _model, _frame, _seen)),
        ("ask", CFUNCTYPE(None, _model, _frame, _seen, c_int64)),
        ("tell", CFUNCTYPE(None, _model, _frame, c_int64)),
        ("end", CFUNCTYPE(c_int, _model, _frame, _bytes)),
        ("pop_step", CFUNCTYPE(c_int, _model, _frame, _seen, _stack, _bytes)),
        ("pop_steps", CFUNCTYPE(c_int, _model, _frame, _work, c_int64, _seen, _stack, _bytes)),
        ("flows", c_void_p),
        ("masked", c_void_p),
    ]


SIZES: list[type[Structure] | np.dtype[np.void]] = [
    Linear,
    Model,
    Work,
    LANE,
    RICH_LANE,
    Rich,
    Frame,
    Seen,
    Stack,
    Core,
]
"""In the order of catzip_size."""


def size(kind: type[Structure] | np.dtype[np.void]) -> int:
    """Bytes of one."""
    return kind.itemsize if isinstance(kind, np.dtype) else ctypes.sizeof(kind)
