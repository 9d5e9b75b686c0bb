"""The targets, by name: modules with `check`, `seeds` and `mutate`, and `LARGEST`, the bytes of an input."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from ..draw import Draw

NAMES = (
    "decoding",
    "listing",
    "ranges",
    "shipped",
    "weights",
    "recipes",
    "unpacking",
    "packing",
    "compressing",
)


class Target(Protocol):
    """A module of this package."""

    LARGEST: int

    def check(self, data: bytes, /) -> None:
        """Run the code on an input. Whatever escapes is a finding."""
        ...

    def seeds(self) -> dict[str, bytes]:
        """Inputs to begin with, by name. On each of them `check` has to pass."""
        ...

    def mutate(self, data: bytes, draw: Draw, /) -> bytes:
        """Another input like this one."""
        ...


def load(name: str) -> Target:
    """The target of this name."""
    return cast(Target, import_module(f"{__name__}.{name}"))
