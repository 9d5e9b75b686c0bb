"""Autoregressive diffusion in training: one random step of one random order for each item.

Hoogeboom et al. 2021 (arXiv 2110.02037), equation 4: of D dimensions a random n are known, and the loss is D times the
mean over the others of what they cost, which is D / (D - t + 1) times the sum, t = n + 1. The upscale variant (section
3.2) does so for one digit of every value, given the digits above.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...backends.base import NumpyArray
from ...checkpoint import Arrays
from ...layers.qat.modules import exported
from ...training.schedule import Schedule, Share, Weight
from ...training.task import Task
from .masks import Batch, in_order, joined, masked
from .orders import scheduled
from .qat import ImageTrainer, MaskedTrainer, TextTrainer

_SCHEDULED_ON = 12  # held-out items of a corpus on which schedules are measured, at least
_SCHEDULED_SYMBOLS = 1 << 13  # symbols of a corpus, at least


@dataclass(frozen=True)
class ArdmSchedule(Schedule):
    """What the training of the family is told of besides."""

    ordered: Share = 0.0  # share of items masked along a strided order and not at random, for text
    cross_entropy: Weight = 0.0  # weight of the plain cross-entropy beside the bound


class ArdmTask(Task):
    """Masked items, and the bits of what is masked."""

    schedule_type = ArdmSchedule

    def __init__(
        self, model: dict[str, Any], coding: dict[str, Any], schedule: ArdmSchedule, device: torch.device
    ) -> None:
        trainers: dict[str, type[TextTrainer] | type[ImageTrainer]] = {
            "transformer": TextTrainer,
            "convolution": ImageTrainer,
        }
        rest = {key: value for key, value in model.items() if key != "network"}
        self.trainer: MaskedTrainer = trainers[model["network"]](rest, device)
        self.net, self._schedule, self._device = self.trainer.net, schedule, device

    def prepare(self, data: list[bytes], shares: list[float], seed: int) -> None:
        """Before the first step of a run: see `MaskedTrainer.prepare`."""
        self.trainer.prepare([self.trainer.items(part) for part in data], shares, np.random.default_rng(seed))

    def batches(self, data: list[bytes], shares: list[float], seed: int) -> Iterator[Batch]:
        """Endless training batches of ``lanes`` items."""
        rng, weights = np.random.default_rng(seed), np.array(shares) / np.sum(shares)
        items = [self.trainer.items(part) for part in data]
        while True:
            picked = rng.choice(len(items), self._schedule.lanes, p=weights)
            sampled = [
                self.trainer.sample(items[i], int((picked == i).sum()), rng) for i in range(len(items))
            ]
            mixed = rng.permutation(np.concatenate(sampled))
            ordered = int(self._schedule.ordered * len(mixed))
            yield joined([masked(mixed[ordered:], self.trainer.stages, rng), in_order(mixed[:ordered], rng)])

    def loss(self, batch: Batch) -> Tensor:
        """Mean bits of what is wanted: for random subsets an unbiased estimate of the bound on the code length; and, if
        the schedule says so, a little of their plain cross-entropy, which the paper adds."""
        return self._mean(batch, self._schedule.cross_entropy)

    @torch.no_grad()
    def validate(self, data: list[bytes], items: int = 512) -> dict[str, float]:
        """Bits for each dimension of ``items`` random items of each corpus, one random step of each.

        `validation` is the bound, of random orders. Text is coded along other orders: `ordered` is what it costs there,
        over all strides.
        """
        rng, others = np.random.default_rng(0), np.random.default_rng(1)
        losses, ordered, of_text = [], [], len(self.trainer.shape) == 1
        for part in data:
            found = self.trainer.items(part)
            for _ in range(items // 32):
                sampled = self.trainer.sample(found, 32, rng)
                losses.append(float(self._mean(masked(sampled, self.trainer.stages, rng), 0.0)))
                if of_text:
                    ordered.append(float(self._mean(in_order(sampled, others), 0.0)))
        means = {"validation": losses, **({"ordered": ordered} if ordered else {})}
        return {name: float(np.mean(found)) for name, found in means.items()}

    def _mean(self, batch: Batch, cross_entropy: float) -> Tensor:
        """The bound for each dimension, and so much of the cross-entropy."""
        wanted = batch.wanted
        share = wanted / wanted.sum(1, keepdims=True) + cross_entropy * wanted / self.trainer.size
        weight = torch.from_numpy(share.astype(np.float32)).to(self._device)
        mean: Tensor = (self.trainer.bits(batch) * weight).sum() * (self.trainer.stages / len(wanted))
        return mean

    def export(self, data: list[bytes]) -> Arrays:
        """Integer arrays by the names that the networks of ``models`` read, and schedules measured on held-out data."""
        rng, count = np.random.default_rng(1), max(_SCHEDULED_ON, _SCHEDULED_SYMBOLS // self.trainer.size)
        items = np.concatenate([self.trainer.sample(self.trainer.items(part), count, rng) for part in data])

        def bits(items: NumpyArray, stages: NumpyArray, known: NumpyArray) -> Tensor:
            return self.trainer.bits(Batch(items, stages, known, ~known))

        return (
            exported(self.net)
            | self.trainer.tables()
            | scheduled(bits, items, self.trainer.stages, self.trainer.shape)
        )


TASK = ArdmTask
