"""Integer discrete flows: one batch cut in every way, whose planes and PMFs must be the same, and what is fitted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ....compressor.coding.codec import replayed
from ....compressor.coding.model import Model, Plan
from ... import checkpoint
from ...backends.base import Arrays, NumpyArray
from .codec import IDF, Corrected
from .flow import BASE, DIGIT, Flow, FlowConfig
from .native_flow import flow_of

TILES, SIZE = 5, (7, 6)
FITTED = (64, 72, 3)


def digests(path: Path, arrays: Arrays) -> dict[str, str]:
    """sha256 of what is coded of random tiles, and its frequencies: one for each way to cut the batch."""
    saved = checkpoint.load(path)
    table = {key: value for key, value in saved.config["model"].items() if key != "shape"}
    flow = flow_of(FlowConfig.from_json(table), saved.arrays, arrays)
    tiles = _tiles(flow.config.channels)
    ways = {"all tiles at once": TILES, "tile by tile": 1, "tiles in twos": 2}
    return {name: _digest(flow, tiles, each) for name, each in ways.items()}


def frames(model: Model) -> Iterator[tuple[str, NumpyArray, Plan]]:
    """What else is coded with a model for images of any size: a picture to which its encoder fits corrections, as its
    name, symbols and plan.

    Raises RuntimeError if it fits none.
    """
    if not isinstance(model, IDF) or model.shape:
        return
    picture = grained(*FITTED)
    plan = model.plan(picture.size, shape=picture.shape)
    _, first = next(model.segments(picture.size, plan, picture.ravel()))
    if not (isinstance(first, Corrected) and any(each.any() for each in first.fitted().values())):
        raise RuntimeError(f"{model.name} sends no corrections under {plan}")
    yield "a fitted image", picture.ravel(), plan


def grained(height: int, width: int, channels: int) -> NumpyArray:
    """A slope with a grain that photographs do not have, every other row darker by 20: uint8 of these sizes."""
    random = np.random.RandomState(4)
    slope = np.add.outer(np.arange(height), np.arange(width)) // 4
    dark = 20 * (np.arange(height) % 2)[:, None]
    each = [slope + 60 + dark + random.randint(-3, 4, (height, width)) for _ in range(channels)]
    return np.stack(each, -1).clip(0, 255).astype(np.uint8)


def _tiles(channels: int) -> NumpyArray:
    """Random walks, and in every other tile jumps: uint8 [TILES, *SIZE, channels]."""
    random = np.random.RandomState(1)
    steps = random.randint(-4, 5, (TILES, *SIZE, channels))
    steps[1::2] *= random.randint(0, 256, steps[1::2].shape)
    return (np.cumsum(np.cumsum(steps, axis=1), axis=2) % 256).astype(np.uint8)


def _digest(flow: Flow, tiles: NumpyArray, each: int) -> str:
    """With so many tiles at once."""
    parts = [_walk(flow, tiles[i : i + each]) for i in range(0, TILES, each)]
    digest = hashlib.sha256()
    for same in zip(*parts, strict=True):
        digest.update(np.concatenate(same).astype("<u4").tobytes())
    return digest.hexdigest()


def _walk(flow: Flow, tiles: NumpyArray) -> list[NumpyArray]:
    """Digits of each step with their frequencies, in decode order, and the tiles that they are put together to."""
    found, restored = [], np.empty_like(tiles)
    steps = flow.steps(len(tiles), SIZE, tiles.shape[-1], restored)
    planes = (plane.ravel() for plane in flow.forward(tiles))
    digits = (digit.astype(np.int32) for plane in planes for digit in (plane >> DIGIT, plane % BASE))
    for frequencies, sent in replayed(steps, digits):
        found += [sent.astype(np.uint8), frequencies]
    return [*found, restored]
