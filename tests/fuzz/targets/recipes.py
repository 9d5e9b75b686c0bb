"""Recipes of training: read, and made into the network that they describe, if that is a small one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import torch
from tiny_recipe import RECIPE

from catzip.compressor.errors import CatzipError
from catzip.models.training import families, recipe

from ..draw import EDGES, Draw
from ..oracle import outcome
from ..scratch import written

LARGEST = 1 << 15
_SMALL = 64  # of the numbers that say how large a network is: recipes are their owner's, and may ask for much
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")
_VALUES = (
    '"x"', '""', "true", "[]", "{}", "[[1, 8]]", "inf", "nan", "-1", "0", "1e400", "1979-05-27", '"\\u001b[2J"',
    "9" * 30, "[" * 3000 + "]" * 3000, "{a=" * 2000 + "1" + "}" * 2000, '"image"', '"text27"', '"array"', '"idf"',
)  # fmt: skip


def check(data: bytes) -> None:
    """Raise where a recipe ends in something else than a network or an error of catzip."""
    found = outcome(recipe.load, str(written("recipe.toml", data)))
    if isinstance(found, CatzipError) or not all(map(_is_small, _numbers([found.model, found.coding]))):
        return
    outcome(families.task_for, found, torch.device("cpu"))


def _is_small(number: float) -> bool:
    return abs(number) <= _SMALL or number in (256, 255, 28000, 12000)


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, int | float):
        yield value


def seeds() -> dict[str, bytes]:
    """The recipes that come with catzip, and a tiny one."""
    shipped = {name: (recipe.RECIPES / f"{name}.toml").read_bytes() for name in recipe.names()}
    return shipped | {"tiny": RECIPE.encode()}


def mutate(data: bytes, draw: Draw) -> bytes:
    """Another recipe: lines changed, or a value in one."""
    if draw.chance(0.2):
        return draw.changed(data, LARGEST)
    lines = data.decode(errors="replace").split("\n")
    at = draw.randrange(len(lines))
    line, way = lines[at], draw.random()
    if way < 0.1:
        del lines[at]
    elif way < 0.2:
        lines.insert(draw.randrange(len(lines) + 1), line)
    elif way < 0.55 and (numbers := list(_NUMBER.finditer(line))):
        found = draw.choice(numbers)
        lines[at] = line[: found.start()] + str(draw.choice(EDGES)) + line[found.end() :]
    elif " = " in line:
        lines[at] = f"{line.partition(' = ')[0]} = {draw.choice(_VALUES)}"
    return "\n".join(lines).encode()
