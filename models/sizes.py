"""Sizes in the configuration of a network: whole numbers, of which each has a least one."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ROWS_BITS = 24
"""Of a hashed table there are at most 2**24 rows."""


def check_sizes(config: DataclassInstance, **least: int) -> None:
    """Every field that is an int: at least 1, or what `least` says of it.

    Raises TypeError for one that is no whole number, ValueError for one that is less.
    """
    for field in fields(config):
        if field.type not in ("int", int):
            continue
        size, lowest = getattr(config, field.name), least.get(field.name, 1)
        if isinstance(size, bool) or not isinstance(size, int):
            raise TypeError(f"{field.name} is {size!r}, and has to be a whole number")
        if size < lowest:
            raise ValueError(f"{field.name} is {size}, and has to be {lowest} or more")


def check_rows(bits: int) -> None:
    """Of a hashed table of 2**bits rows. Raises ValueError."""
    if not 1 <= bits <= ROWS_BITS:
        raise ValueError(f"a table of 2**{bits} rows; 2**1 to 2**{ROWS_BITS} are possible")
