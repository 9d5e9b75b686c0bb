"""Recipes: the TOML files that say what a model is, what it is trained on, and how."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any

from ...compressor.coding.model import ALPHABETS
from ...compressor.errors import CatzipError
from ..families.table import FAMILIES, family_of
from ..header import opened
from ..schema import entries, shown, typed
from .datasets import Corpus
from .schedule import Schedule
from .task import task_type

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # of the weight file, too


LONGEST = 1 << 20
"""Bytes of a recipe."""

_HOW = "models/recipes/README.md tells how to write one"

RECIPES = Path(__file__).parent.parent / "recipes"


@dataclass(frozen=True)
class Recipe:
    """A name, a family of ``table.FAMILIES``, the data mix, the model's configuration and the schedule."""

    name: str
    family: str
    medium: str  # of the files it codes: see compressor.media
    about: str
    data: Annotated[tuple[Corpus, ...], entries(1000, least=1)]
    validation: Annotated[tuple[Corpus, ...], entries(1000, least=1)]
    model: dict[str, Any]
    schedule: Schedule
    coding: dict[str, Any] = field(default_factory=dict)  # how what the network says is coded


def names() -> list[str]:
    """The recipes that come with catzip."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def load(recipe: str | Path) -> Recipe:
    """The recipe of this name, or in this file. Raises CatzipError that names what is missing or unknown."""
    path = Path(recipe) if str(recipe).endswith(".toml") else RECIPES / f"{recipe}.toml"
    if not path.exists():
        raise CatzipError(f"no recipe {str(recipe)!r}; there are {', '.join(names())}, or give a .toml file")
    try:
        with opened(path) as file:
            data = file.read(LONGEST + 1)
        if len(data) > LONGEST:
            raise ValueError(f"it has more than {LONGEST} bytes")
        found = _recipe(tomllib.loads(data.decode()))
        _check(found)
        return found
    except (ValueError, RecursionError) as error:
        what = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise CatzipError(f"{path}: not a recipe: {what}. {_HOW}") from error


def _check(recipe: Recipe) -> None:
    """Raises ValueError that names what the family, the medium or the name cannot be."""
    if not _NAME.fullmatch(recipe.name) or len(recipe.name) > 100:
        raise ValueError(
            f"the name {shown(recipe.name)}: letters, digits, dots, dashes and underscores make one, 100 at most"
        )
    symbols = ALPHABETS.get(recipe.medium)
    if symbols is None:
        raise ValueError(f"no medium {shown(recipe.medium)}; there are {', '.join(ALPHABETS)}")
    if recipe.family not in FAMILIES:
        raise ValueError(f"no family {shown(recipe.family)}; there are {', '.join(FAMILIES)}")
    family_of(recipe.family).tensors({"model": recipe.model, "coding": recipe.coding}, ())
    alphabet = recipe.model.get("alphabet", symbols)
    if alphabet != symbols:
        raise ValueError(f"{recipe.medium} has {symbols} symbols, and the model an alphabet of {alphabet}")


def _recipe(table: dict[str, Any]) -> Recipe:
    """The recipe in a file. Raises ValueError that names a field. Its schedule may have those of its family, too."""
    family, schedule = table.get("family"), table.get("schedule")
    if not isinstance(schedule, dict) or not isinstance(family, str) or family not in FAMILIES:
        return typed(Recipe, table, "")
    own = typed(task_type(family).schedule_type, schedule, "schedule")
    known = {each.name for each in fields(Schedule)}
    general = {name: value for name, value in schedule.items() if name in known}
    return replace(typed(Recipe, table | {"schedule": general}, ""), schedule=own)
