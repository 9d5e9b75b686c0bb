"""The flow of an integer discrete flow model on one batch, cut in every way: planes and PMFs must be the same."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import numpy as np

from ...models import checkpoint
from ...models.arrays import Arrays, NumpyArray
from ...models.flows.flow import BASE, DIGIT, Flow, FlowConfig

TILES, SIZE = 5, (7, 6)


def digests(path: Path, arrays: Arrays) -> dict[str, str]:
    """sha256 of what is coded of random tiles, and its frequencies: one for each way to cut the batch."""
    saved = checkpoint.load(path)
    table = {key: value for key, value in saved.config["model"].items() if key != "shape"}
    flow = Flow(FlowConfig.from_json(table), saved.arrays, arrays)
    tiles = _tiles(flow.config.channels)
    ways = {"all tiles at once": TILES, "tile by tile": 1, "tiles in twos": 2}
    return {name: _digest(flow, tiles, each) for name, each in ways.items()}


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
    frequencies = next(steps)
    for plane in flow.forward(tiles):
        for digits in (plane.ravel() >> DIGIT, plane.ravel() % BASE):
            found += [digits, frequencies]
            with suppress(StopIteration):
                frequencies = steps.send(digits.astype(np.int32))
    return [*found, restored]
