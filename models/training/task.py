"""What a family has for the training loop: a network with its data and loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple, cast

import torch

from ..checkpoint import Arrays
from ..families.table import part_of
from .schedule import Schedule

Sizes = dict[str, Any]
"""The table ``model`` of a recipe or a weight file."""


class Growth(NamedTuple):
    """How a network may begin as a smaller one, whose rows it has several times and whose layers are among its own.

    possible  whether one of the second sizes can make what one of the first makes
    limits    a sentence for messages: what may differ
    rows      for the name of a parameter and both sizes: which rows of the first the rows of the second begin as; None
              where each row comes so many times
    """

    possible: Callable[[Sizes, Sizes], bool]
    limits: str
    rows: Callable[[str, Sizes, Sizes], list[int] | None] = lambda name, small, large: None


class Task(ABC):
    """A family in training: the module ``training`` of its package has its subclass as `TASK`, see ``families.table``.

    Made of the tables ``model`` and ``coding`` of a recipe, its schedule and a device. Raises KeyError, TypeError or
    ValueError where these do not describe a model.

    schedule_type  of its schedule, where it has fields that others have not
    growth         how its networks may grow; None where a network begins as one of its own sizes
    """

    schedule_type: ClassVar[type[Schedule]] = Schedule
    growth: ClassVar[Growth | None] = None
    net: torch.nn.Module
    """The network to be trained, whose names of parameters are those of its layers."""

    @abstractmethod
    def __init__(
        self, model: dict[str, Any], coding: dict[str, Any], schedule: Schedule, device: torch.device
    ) -> None: ...

    def prepare(self, data: list[bytes], shares: list[float], seed: int) -> None:
        """Start the weights from the data, where that beats random ones; called once, before the first step."""
        return

    def advance(self, progress: float) -> None:
        """Told before each step, and before the export: this share of the run is done. Without more, all of the network
        takes part from the start."""
        return

    @abstractmethod
    def batches(self, data: list[bytes], shares: list[float], seed: int) -> Iterator[Any]:
        """Endless training batches from corpora with these shares of the mix, each with an array of its ``symbols``."""

    @abstractmethod
    def loss(self, batch: Any) -> torch.Tensor:
        """The scalar to minimise, in bits for each dimension."""

    @abstractmethod
    def validate(self, data: list[bytes]) -> dict[str, float]:
        """Bits for each dimension of held-out data: `validation`, and beside it what else a family wants logged."""

    @abstractmethod
    def export(self, data: list[bytes]) -> Arrays:
        """The integer arrays of the exact model, and what it measures on held-out data."""


def task_type(family: str) -> type[Task]:
    """The task of the family of this name, one of ``table.FAMILIES``."""
    return cast(type[Task], part_of(family, "training").TASK)
