"""Logits for each pair of symbols, which begin as counts of the data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from catzip.models.backends.base import NumpyArray
from catzip.models.checkpoint import Arrays
from catzip.models.training.datasets import to_symbols
from catzip.models.training.schedule import Schedule
from catzip.models.training.task import Task

from .codec import K


@dataclass(frozen=True)
class Batch:
    """Stretches of text: int64 [lanes, steps + 2]."""

    symbols: NumpyArray


class Logits(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Parameter(torch.zeros(K * K, K))

    def forward(self, symbols: torch.Tensor) -> torch.Tensor:
        return self.table[K * symbols[:, :-2] + symbols[:, 1:-1]]


class Order2Task(Task):
    def __init__(
        self, model: dict[str, Any], coding: dict[str, Any], schedule: Schedule, device: torch.device
    ) -> None:
        self.net, self._schedule, self._device = Logits().to(device), schedule, device

    def batches(self, data: list[bytes], shares: list[float], seed: int) -> Iterator[Batch]:
        rng, texts, size = np.random.default_rng(seed), self._texts(data), self._schedule.steps + 2
        while True:
            picked = rng.choice(len(texts), self._schedule.lanes, p=np.array(shares) / sum(shares))
            starts = [rng.integers(len(texts[i]) - size) for i in picked]
            yield Batch(np.stack([texts[i][at : at + size] for i, at in zip(picked, starts, strict=True)]))

    def loss(self, batch: Batch) -> torch.Tensor:
        symbols = torch.from_numpy(batch.symbols).to(self._device)
        nats = torch.nn.functional.cross_entropy(self.net(symbols).flatten(0, 1), symbols[:, 2:].flatten())
        return nats / math.log(2)

    @torch.no_grad()
    def validate(self, data: list[bytes]) -> dict[str, float]:
        return {
            "validation": float(np.mean([float(self.loss(Batch(text[None]))) for text in self._texts(data)]))
        }

    def export(self, data: list[bytes]) -> Arrays:
        chances = torch.softmax(self.net.table.detach(), 1)
        return {"counts": (1000 * chances).round().to(torch.int32).cpu().numpy()}

    @staticmethod
    def _texts(data: list[bytes]) -> list[NumpyArray]:
        return [to_symbols(text, K).astype(np.int64) for text in data]


TASK = Order2Task
