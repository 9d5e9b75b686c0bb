"""The families that can be trained: one line each. A new family joins here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import torch

from ...compressor.errors import CatzipError
from ..checkpoint import Arrays
from ..families.ardm.training import ArdmTask
from ..families.autoregressive.training import AutoregressiveTask
from ..families.idf.training import IdfTask
from .recipe import Recipe, Schedule


class Task(Protocol):
    """A network with its data and loss, as the training loop sees it."""

    @property
    def net(self) -> torch.nn.Module:
        """The network to be trained."""
        ...

    def prepare(self, data: list[bytes], shares: list[float], seed: int) -> None:
        """Start the weights from the data, where that beats random ones; called once, before the first step."""
        ...

    def advance(self, progress: float) -> None:
        """Told before each step, and before the export: this share of the run is done."""
        ...

    def batches(self, data: list[bytes], shares: list[float], seed: int) -> Iterator[Any]:
        """Endless training batches from corpora with these shares of the mix, each with an array of its ``symbols``."""
        ...

    def loss(self, batch: Any) -> torch.Tensor:
        """The scalar to minimise, in bits for each dimension."""
        ...

    def validate(self, data: list[bytes]) -> dict[str, float]:
        """Bits for each dimension of held-out data: `validation`, and beside it what else a family wants logged."""
        ...

    def export(self, data: list[bytes]) -> Arrays:
        """The integer arrays of the exact model, and what it measures on held-out data."""
        ...


class TaskType(Protocol):
    def __call__(
        self, model: dict[str, Any], coding: dict[str, Any], schedule: Schedule, device: torch.device
    ) -> Task: ...


FAMILIES: dict[str, TaskType] = {"ardm": ArdmTask, "autoregressive": AutoregressiveTask, "idf": IdfTask}


def task_for(recipe: Recipe, device: torch.device) -> Task:
    """The task of a recipe. Raises CatzipError that names a family or a field that there is not."""
    family = FAMILIES.get(recipe.family)
    if family is None:
        raise CatzipError(f"{recipe.name}: no family {recipe.family!r}; there are {', '.join(FAMILIES)}")
    try:
        return family(recipe.model, recipe.coding, recipe.schedule, device)
    except (KeyError, TypeError, ValueError) as error:
        raise CatzipError(f"{recipe.name}: the recipe does not describe such a model: {error}") from error
