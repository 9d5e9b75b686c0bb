"""Recipes: the TOML files that say what a model is, what it is trained on, and how."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from ...compressor.coding.model import ALPHABETS
from ...compressor.errors import CatzipError
from ..families.table import FAMILIES, family_of
from ..header import opened
from ..schema import above, entries, ranged, shown, typed
from .datasets import Corpus
from .optimiser import OPTIMISERS

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # of the weight file, too

_Number = Annotated[int, ranged(1, 1 << 40)]
_Seed = Annotated[int, ranged(0, 1 << 40)]
_Share = Annotated[float, ranged(0, 1)]
_Weight = Annotated[float, ranged(0, 1000)]
_Rate = Annotated[float, above(0, 10**9)]

LONGEST = 1 << 20
"""Bytes of a recipe."""

_HOW = "models/recipes/README.md tells how to write one"

RECIPES = Path(__file__).parent.parent / "recipes"


@dataclass(frozen=True)
class Schedule:
    """How a model is trained. Times are shares of the run, so that a recipe fits any time budget."""

    minutes: _Rate  # the time budget when the command line gives none
    lanes: _Number  # of a batch: lanes cut from each stretch of text, or items of a model that codes items
    learning_rate: _Rate
    groups: _Number = 1  # stretches of text in a batch
    steps: _Number = 1  # symbols of each lane in a batch; the recurrent state is carried on to the next
    warmup: _Number = 100  # optimiser steps
    final_rate: _Share = 0.02  # of the learning rate, at the end of the cosine
    weight_decay: _Weight = 0.01
    clip: _Rate = 1.0  # norm of the gradient
    ema: _Share = 0.999  # decay of the averaged weights, the ones that are exported
    round_from: _Share = 0.75  # share of the run after which rounding to the grid is on
    couplings_from: _Share = 0.0  # share of the run after which the couplings of a flow take part
    ordered: _Share = (
        0.0  # share of items masked along a strided order and not at random, for diffusion models of text
    )
    crop: _Seed = 0  # side of the crops of images, where they are larger; 0 for whole tiles
    grey: _Share = 0.0  # share of batches of images with luma alone
    soft: _Share = 0.0  # share of batches of images that are enlarged, see softening.py
    cross_entropy: _Weight = 0.0  # weight of the plain cross-entropy beside the bound, for diffusion models
    optimiser: str = "adamw"  # one of optimiser.OPTIMISERS
    seed: _Seed = 0

    def __post_init__(self) -> None:
        """Raises ValueError for an optimiser that there is not."""
        if self.optimiser not in OPTIMISERS:
            raise ValueError(f"no optimiser {shown(self.optimiser)}; there are {', '.join(OPTIMISERS)}")


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
    coding: dict[str, Any] = field(default_factory=dict)  # what the coder adds, which training does not see

    def __post_init__(self) -> None:
        """Raises ValueError that names what the family, the medium or the name cannot be."""
        if not _NAME.fullmatch(self.name) or len(self.name) > 100:
            raise ValueError(
                f"the name {shown(self.name)}: letters, digits, dots, dashes and underscores make one, 100 at most"
            )
        symbols = ALPHABETS.get(self.medium)
        if symbols is None:
            raise ValueError(f"no medium {shown(self.medium)}; there are {', '.join(ALPHABETS)}")
        if self.family not in FAMILIES:
            raise ValueError(f"no family {shown(self.family)}; there are {', '.join(FAMILIES)}")
        family_of(self.family).tensors({"model": self.model, "coding": self.coding}, ())
        alphabet = self.model.get("alphabet", symbols)
        if alphabet != symbols:
            raise ValueError(f"{self.medium} has {symbols} symbols, and the model an alphabet of {alphabet}")


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
        return typed(Recipe, tomllib.loads(data.decode()), "")
    except (ValueError, RecursionError) as error:
        what = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise CatzipError(f"{path}: not a recipe: {what}. {_HOW}") from error
