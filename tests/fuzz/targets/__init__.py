"""The targets, by name: modules with `check`, `seeds` and `mutate`, and `LARGEST`, the bytes of an input."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ..draw import Draw

GOLDEN = Path(__file__).parents[2] / "golden" / "fuzz"
"""Inputs that were findings, in a folder for each target."""

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


def mended(name: str) -> dict[str, bytes]:
    """Inputs on which this target once failed."""
    folder = GOLDEN / name
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}


def load(name: str) -> Target:
    """The target of this name."""
    return cast(Target, import_module(f"{__name__}.{name}"))
