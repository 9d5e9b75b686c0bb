"""The header of a safetensors file: what tensors it has and where, checked before any of them is read.

    8 bytes, little-endian: length of the header | the header, a JSON object | the data of the tensors

Each tensor's entry says its type, its shape, and its first byte and the one behind its last, counted in the data. An
entry `__metadata__` holds text. Tensors cover the data without holes or overlaps, so none is larger than the file.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

from .schema import Count, Tensor, shown, typed

LONGEST = 1 << 20  # bytes of a header; those of the shipped models have 4,000 to 20,000
_PREFIX = 8
_READING = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)
_MOST_DIMENSIONS = 8
_METADATA = "__metadata__"

_TYPES = {"BOOL": "bool", "F16": "float16", "F32": "float32", "F64": "float64"}
_TYPES |= {
    f"{kind}{bits}": f"{name}{bits}"
    for kind, name in (("I", "int"), ("U", "uint"))
    for bits in (8, 16, 32, 64)
}


@dataclass(frozen=True)
class _Entry:
    dtype: str
    shape: tuple[Count, ...]
    data_offsets: tuple[Count, Count]


class Header(NamedTuple):
    """metadata  text by key
    tensors   type and shape of each tensor, by name
    places    its first byte in the file, and the one behind its last
    size      bytes of the file
    """

    metadata: dict[str, str]
    tensors: dict[str, Tensor]
    places: dict[str, tuple[int, int]]
    size: int


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """The file, for reading. Raises OSError, and ValueError for what is no regular file, which is not opened."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError("it is no regular file")
    # What takes its place meanwhile, such as a pipe, must not be waited for.
    with open(os.open(path, _READING), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is no regular file")
        yield file


def read_header(file: BufferedReader) -> Header:
    """The header of an open file. Raises ValueError that says what is wrong with it."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(_PREFIX), "little")
    if size < _PREFIX or length > size - _PREFIX:
        raise ValueError("it is shorter than its header says")
    if length > LONGEST:
        raise ValueError(f"its header has {length} bytes; {LONGEST} are possible")
    table = parsed(file.read(length), "its header")
    metadata = typed(dict[str, str], table.pop(_METADATA, {}), "its metadata")
    entries = typed(dict[str, _Entry], table, "its header")
    tensors = {name: _tensor(name, entry) for name, entry in entries.items()}
    start = _PREFIX + length
    places = {
        name: (start + entry.data_offsets[0], start + entry.data_offsets[1])
        for name, entry in entries.items()
    }
    at = start
    for name, place in sorted(places.items(), key=lambda item: item[1]):
        first, behind = place
        tensor = tensors[name]
        if first != at or behind - first != tensor.size:
            raise ValueError(f"its tensor {shown(name)} is not where it has to be, or of another size")
        at = behind
    if at != size:
        raise ValueError(f"it has {size} bytes, and its tensors end at {at}")
    return Header(metadata, tensors, places, size)


def _tensor(name: str, entry: _Entry) -> Tensor:
    if entry.dtype not in _TYPES or len(entry.shape) > _MOST_DIMENSIONS:
        raise ValueError(f"its tensor {shown(name)} is of a type or shape that no model has")
    return Tensor(_TYPES[entry.dtype], entry.shape)


def parsed(data: bytes | str, what: str) -> dict[str, Any]:
    """A JSON object. Raises ValueError for anything else."""
    try:
        table: Any = json.loads(data)
    except RecursionError as error:
        raise ValueError(f"{what} is nested too deeply") from error
    if not isinstance(table, dict):
        raise ValueError(f"{what} is no JSON object")
    return table
