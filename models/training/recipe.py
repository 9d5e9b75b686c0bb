"""Recipes: the TOML files that say what a model is, what it is trained on, and how."""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ...compressor.errors import CatzipError
from ..identity import ALPHABETS
from ..sizes import check_sizes
from .data import Corpus
from .optimiser import OPTIMISERS

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # of the weight file, too

_SHARES = ("final_rate", "ema", "round_from", "couplings_from", "ordered", "grey", "soft")

_HOW = "models/recipes/README.md tells how to write one"

RECIPES = Path(__file__).parent.parent / "recipes"


@dataclass(frozen=True)
class Schedule:
    """How a model is trained. Times are shares of the run, so that a recipe fits any time budget."""

    minutes: float  # the time budget when the command line gives none
    lanes: int  # of a batch: lanes cut from each stretch of text, or items of a model that codes items
    learning_rate: float
    groups: int = 1  # stretches of text in a batch
    steps: int = 1  # symbols of each lane in a batch; the recurrent state is carried on to the next
    warmup: int = 100  # optimiser steps
    final_rate: float = 0.02  # of the learning rate, at the end of the cosine
    weight_decay: float = 0.01
    clip: float = 1.0  # norm of the gradient
    ema: float = 0.999  # decay of the averaged weights, the ones that are exported
    round_from: float = 0.75  # share of the run after which rounding to the grid is on
    couplings_from: float = 0.0  # share of the run after which the couplings of a flow take part
    ordered: float = (
        0.0  # share of items masked along a strided order and not at random, for diffusion models of text
    )
    crop: int = 0  # side of the crops of images, where they are larger; 0 for whole tiles
    grey: float = 0.0  # share of batches of images with luma alone
    soft: float = 0.0  # share of batches of images that are enlarged, see softening.py
    cross_entropy: float = 0.0  # weight of the plain cross-entropy beside the bound, for diffusion models
    optimiser: str = "adamw"  # one of optimiser.OPTIMISERS
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "optimiser" and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise TypeError(f"{field.name} is no number")
        check_sizes(self, crop=0, seed=0)
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, and has to be a share, from 0 to 1")
        for name in ("learning_rate", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}, and has to be a positive number")
        if self.optimiser not in OPTIMISERS:
            raise ValueError(f"no optimiser {self.optimiser!r}; there are {', '.join(OPTIMISERS)}")


@dataclass(frozen=True)
class Recipe:
    """A name, a family of ``families.FAMILIES``, the data mix, the model's configuration and the schedule."""

    name: str
    family: str
    medium: str  # of the files it codes: see compressor.media
    about: str
    data: tuple[Corpus, ...]
    validation: tuple[Corpus, ...]
    model: dict[str, Any]
    coding: dict[str, Any]  # what the coder adds to the network, which training does not see
    schedule: Schedule


def names() -> list[str]:
    """The recipes that come with catzip."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def load(recipe: str | Path) -> Recipe:
    """The recipe of this name, or in this file. Raises CatzipError that names what is missing or unknown."""
    path = Path(recipe) if str(recipe).endswith(".toml") else RECIPES / f"{recipe}.toml"
    if not path.exists():
        raise CatzipError(f"no recipe {str(recipe)!r}; there are {', '.join(names())}, or give a .toml file")
    try:
        table = tomllib.loads(path.read_bytes().decode())
        found = Recipe(
            name=table["name"],
            family=table["family"],
            medium=table["medium"],
            about=table["about"],
            data=tuple(Corpus(**corpus) for corpus in table["data"]),
            validation=tuple(Corpus(**corpus) for corpus in table["validation"]),
            model=_table(table, "model"),
            coding=_table(table, "coding") if "coding" in table else {},
            schedule=Schedule(**table["schedule"]),
        )
        if not found.data or not found.validation:
            raise ValueError("it needs data and validation")
        _check_medium(found)
        if not _NAME.fullmatch(found.name):
            raise ValueError(
                f"the name {found.name!r}: letters, digits, dots, dashes and underscores make one"
            )
        return found
    except KeyError as error:
        raise CatzipError(f"{path}: not a recipe: it has no {error}. {_HOW}") from error
    except (TypeError, ValueError) as error:
        known = ", ".join(field.name for field in fields(Schedule))
        raise CatzipError(f"{path}: not a recipe: {error}. A schedule has: {known}. {_HOW}") from error


def _table(recipe: dict[str, Any], name: str) -> dict[str, Any]:
    found = recipe[name]
    if not isinstance(found, dict):
        raise TypeError(f"{name} is no table")
    return found


def _check_medium(recipe: Recipe) -> None:
    """Raises ValueError for one that there is not, or that has other symbols than the model."""
    symbols = ALPHABETS.get(recipe.medium)
    if symbols is None:
        raise ValueError(f"no medium {recipe.medium!r}; there are {', '.join(ALPHABETS)}")
    alphabet = recipe.model.get("alphabet", symbols)
    if alphabet != symbols:
        raise ValueError(f"{recipe.medium} has {symbols} symbols, and the model an alphabet of {alphabet}")
