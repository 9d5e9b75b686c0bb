"""The families that can be trained: one line each. A new family joins here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import torch

from ..checkpoint import Arrays
from .autoregressive import AutoregressiveTask
from .recipe import Schedule


class Task(Protocol):
    """A network with its data and loss, as the training loop sees it."""

    @property
    def net(self) -> torch.nn.Module:
        """The network to be trained."""
        ...

    def batches(self, data: list[bytes], shares: list[float], seed: int) -> Iterator[Any]:
        """Endless training batches from corpora with these shares of the mix."""
        ...

    def loss(self, batch: Any) -> torch.Tensor:
        """The scalar to minimise, in bits for each dimension."""
        ...

    def validate(self, data: list[bytes]) -> float:
        """Bits for each dimension of held-out data."""
        ...

    def export(self) -> Arrays:
        """The integer arrays of the exact model."""
        ...


class TaskType(Protocol):
    def __call__(
        self, model: dict[str, Any], coding: dict[str, Any], schedule: Schedule, device: torch.device
    ) -> Task: ...


FAMILIES: dict[str, TaskType] = {"autoregressive": AutoregressiveTask}
