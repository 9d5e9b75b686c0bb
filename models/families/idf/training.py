"""The flow family in training: crops of images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ....compressor.errors import CatzipError
from ...backends.base import NumpyArray
from ...checkpoint import Arrays
from ...layers.grid import exp_table
from ...layers.logistics import logistic_tables
from ...layers.qat.modules import exported
from ...layers.qat.precision import half_precision
from ...training.mosaics import tiles
from ...training.schedule import Schedule, Seed, Share
from ...training.task import Task
from . import colour
from .flow import FlowConfig
from .qat import Flow
from .softening import softened

_VALIDATED = 256  # crops of each corpus, at most


@dataclass(frozen=True)
class Batch:
    """Crops of one size: uint8 [B, h, w, C], C = 3 or 1."""

    symbols: NumpyArray


@dataclass(frozen=True)
class IdfSchedule(Schedule):
    """What the training of the family is told of besides."""

    couplings_from: Share = 0.0  # share of the run after which the couplings take part
    crop: Seed = 0  # side of the crops of images, where they are larger; 0 for whole tiles
    grey: Share = 0.0  # share of batches of images with luma alone
    soft: Share = 0.0  # share of batches of images that are enlarged, see softening.py


class IdfTask(Task):
    """Crops of images, and their bits.

    A batch has ``lanes`` crops of one corpus, or fewer of larger ones: as many pixels as ``lanes`` of 32 x 32. Of a
    model that takes images of any size, a share ``grey`` of the batches has luma alone, and a share ``soft`` is
    `softened`: cameras give softer pictures than those that were reduced for training.
    """

    schedule_type = IdfSchedule
    net: Flow

    def __init__(
        self, model: dict[str, Any], coding: dict[str, Any], schedule: IdfSchedule, device: torch.device
    ) -> None:
        table = {key: value for key, value in model.items() if key != "shape"}
        self.config = FlowConfig.from_json(table)
        self.net = Flow(self.config).to(device)
        self._shape = tuple(model.get("shape", ()))
        self._schedule, self._device = schedule, device

    def advance(self, progress: float) -> None:
        """Couplings take part from their share of the run on."""
        self.net.coupled = progress >= self._schedule.couplings_from

    def batches(self, data: list[bytes], shares: list[float], seed: int) -> Iterator[Batch]:
        """Endless training batches: random crops, mirrored, and turned where images have any size."""
        rng, weights = np.random.default_rng(seed), np.array(shares) / np.sum(shares)
        images = [self._images(part) for part in data]
        while True:
            corpus = images[rng.choice(len(images), p=weights)]
            yield Batch(self._varied(self._crops(corpus, rng), rng))

    def loss(self, batch: Batch) -> Tensor:
        """Mean bits of a value."""
        return self._costs(batch.symbols).sum() / batch.symbols.size

    @torch.no_grad()
    def validate(self, data: list[bytes]) -> dict[str, float]:
        """Bits of a value, over the first images of each corpus."""
        found = []
        for part in data:
            images = self._images(part)[:_VALIDATED]
            cost = sum(float(self._costs(images[i : i + 16]).sum()) for i in range(0, len(images), 16))
            found.append(cost / images.size)
        return {"validation": float(np.mean(found))}

    def export(self, data: list[bytes]) -> Arrays:
        """Integer arrays by the names that ``flow.Flow`` reads."""
        return {"exp": exp_table(), **logistic_tables(), **exported(self.net)}

    def _images(self, data: bytes) -> NumpyArray:
        """uint8 [N, h, w, C] of a corpus."""
        images = tiles(data, self._shape)
        images = images.reshape(*images.shape[:3], -1)
        if images.shape[-1] != self.config.channels:
            raise CatzipError(f"a corpus has {images.shape[-1]} channels; the model {self.config.channels}")
        return images

    def _crops(self, images: NumpyArray, rng: np.random.Generator) -> NumpyArray:
        """Crops of the side that the schedule asks for, or whole images if that is more or the model has a shape."""
        _, height, width, _ = images.shape
        side = 0 if self._shape else self._schedule.crop
        h, w = min(side or height, height), min(side or width, width)
        count = max(1, self._schedule.lanes * 32 * 32 // (h * w))
        rows, columns = rng.integers(0, height - h + 1, count), rng.integers(0, width - w + 1, count)
        picked = images[rng.integers(0, len(images), count)]
        return np.stack(
            [image[y : y + h, x : x + w] for image, y, x in zip(picked, rows, columns, strict=True)]
        )

    def _varied(self, crops: NumpyArray, rng: np.random.Generator) -> NumpyArray:
        if self._shape:
            return crops[:, :, ::-1] if len(self._shape) == 3 and rng.random() < 0.5 else crops
        crops = np.rot90(crops, int(rng.integers(0, 4)), (1, 2)) if rng.random() < 0.25 else crops
        crops = crops[:, :, ::-1] if rng.random() < 0.5 else crops
        if rng.random() < self._schedule.soft:
            crops = softened(crops, rng.uniform(1.2, 2.4), rng.uniform(0.0, 2.5), rng)
        if rng.random() < self._schedule.grey:
            return colour.rgb_to_ycocg(np.ascontiguousarray(crops))[..., :1]
        return crops

    def _costs(self, images: NumpyArray) -> Tensor:
        """Bits at each level: [levels + 1]."""
        images = np.ascontiguousarray(images)
        coded = colour.rgb_to_ycocg(images) if images.shape[-1] == 3 else images
        planes = [
            torch.from_numpy(plane.copy()).to(self._device).float() for plane in np.moveaxis(coded, -1, 0)
        ]
        planes += [planes[0][:, :0, :0]] * (self.config.channels - len(planes))
        with half_precision(self._device):
            costs: Tensor = self.net(planes)
        return costs


TASK = IdfTask
