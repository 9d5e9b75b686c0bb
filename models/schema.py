"""What a weight file or a recipe may say: the types and limits of its fields, the names and shapes of its tensors.

A family declares its configuration as a dataclass whose fields are of the types below, and its tensors as a function
of a configuration. So what a file says is checked before anything is made of it. The only module that imports msgspec.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from typing import Annotated, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

T = TypeVar("T")

Positive = Annotated[int, Meta(ge=1, le=1 << 13)]
"""Channels of a layer, rows of a small table, pixels of a side."""

PositiveOrNone = Annotated[int, Meta(ge=0, le=1 << 13)]
"""The same, or 0 for no such layer."""

Depth = Annotated[int, Meta(ge=1, le=1 << 6)]
"""Layers of a network."""

Bits = Annotated[int, Meta(ge=1, le=24)]
"""log2 of the rows of a hashed table."""

Symbols = Annotated[int, Meta(ge=2, le=256)]
"""An alphabet, or values of a digit."""

Order = Annotated[int, Meta(ge=1, le=8)]
"""Symbols of a context."""

Count = Annotated[int, Meta(ge=0, le=1 << 40)]
"""Bytes, or elements of a tensor along one dimension."""


def entries(most: int, least: int = 0) -> Meta:
    """How many entries a list may have."""
    return Meta(min_length=least, max_length=most)


def ranged(least: int, most: int) -> Meta:
    """The least and the largest that a number may be."""
    return Meta(ge=least, le=most)


def above(bound: int, most: int) -> Meta:
    """What a number is above, and the largest that it may be."""
    return Meta(gt=bound, le=most)


_SHOWN = 60  # characters of what a file says, in a message


class Tensor(NamedTuple):
    """Type and shape of a tensor; the type as NumPy calls it."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return math.prod(self.shape) * (int(self.dtype.lstrip("abcdefghijklmnopqrstuvwxyz") or 8) // 8)

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


Declared = dict[str, Tensor]
"""Declared by name."""


def linear(name: str, inputs: int, outputs: int, fine: bool = False) -> Declared:
    """What `grid.Linear` loads, or, with weights of 13 bits, `grid.FineLinear`."""
    rows = outputs * (2 if fine else 1)
    return {
        f"{name}.weight": Tensor("int8", (rows, inputs)),
        f"{name}.exponent": Tensor("int8", (rows,)),
        f"{name}.bias": Tensor("int32", (rows,)),
    }


def gated_mlp(name: str, width: int, hidden: int) -> Declared:
    """What `grid.GatedMLP` loads."""
    inner = linear(f"{name}.gate", width, hidden) | linear(f"{name}.up", width, hidden)
    return inner | linear(f"{name}.out", hidden, width)


def conv_block(name: str, width: int, hidden: int) -> Declared:
    """What `convolution.Block` loads."""
    return linear(f"{name}.conv", 9 * width, 2 * hidden) | linear(f"{name}.out", hidden, width)


def embedding(name: str, rows: int, width: int) -> Declared:
    """What `grid.Embedding` loads."""
    return {f"{name}.table": Tensor("int8", (rows, width))}


def typed(kind: type[T], value: object, where: str, open_ended: bool = False) -> T:
    """``value``, as JSON or TOML gives it, as a dataclass or another type.

    where       the name of the value, for messages; none for a whole file
    open_ended  whether a table may have fields beside those of the dataclass
    Raises ValueError that names the field which is missing, unknown, of another type or out of bounds.
    """
    try:
        if not open_ended:
            _refuse_unknown_fields(kind, value, where)
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$")
        place = f"{where}{path.removesuffix('`')}".lstrip(".")
        raise ValueError(f"{place}: {said}" if place else said) from error
    except RecursionError as error:
        raise ValueError(f"{where} is nested too deeply") from error


def _refuse_unknown_fields(kind: object, value: object, where: str) -> None:
    if get_origin(kind) is tuple and isinstance(value, list):
        for i, part in enumerate(value):
            _refuse_unknown_fields(get_args(kind)[0], part, f"{where}[{i}]")
    if not is_dataclass(kind) or not isinstance(value, dict):
        return
    fields = _fields(cast(Hashable, kind))
    for name, part in value.items():
        if name not in fields:
            raise ValueError(f"{where or 'it'} has a field {shown(name)}; it may have {', '.join(fields)}")
        _refuse_unknown_fields(fields[name], part, f"{where}.{name}".lstrip("."))


@lru_cache
def _fields(kind: object) -> dict[str, object]:
    """The types of the fields of a dataclass."""
    return get_type_hints(kind)


def check_tensors(found: Mapping[str, Tensor], declared: Mapping[str, Tensor]) -> None:
    """Raises ValueError that names a tensor which is missing, of another type or shape, or one too many."""
    for name, tensor in declared.items():
        if name not in found:
            raise ValueError(f"it has no tensor {name}")
        if found[name] != tensor:
            raise ValueError(f"its tensor {name} is {found[name]}, and has to be {tensor}")
    if surplus := found.keys() - declared.keys():
        raise ValueError(f"it has a tensor {shown(min(surplus))}, which such a model has not")


def shown(text: object) -> str:
    """What a file says, for a message: quoted, short, and without anything that a terminal obeys."""
    quoted = ascii(text)
    return quoted if len(quoted) <= _SHOWN else f"{quoted[:_SHOWN]}..."
