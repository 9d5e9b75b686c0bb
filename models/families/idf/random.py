"""Tiny random flows, by which the exactness matrix and the tests need no trained weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...checkpoint import Checkpoint
from ...layers.grid import exp_table
from ...layers.logistics import MEAN_MAX, logistic_tables
from ...layers.random import linears
from .couplings import CouplingConfig
from .factor_out import BESIDE
from .flow import FlowConfig
from .squeeze import FACTORED_OUT


@dataclass(frozen=True)
class FlowModel:
    """A flow, and the images it codes: of this shape, or of any size in tiles of this side."""

    flow: FlowConfig
    shape: tuple[int, ...] = ()
    side: int = 0


EXAMPLES: dict[str, FlowModel] = {
    "random-flow": FlowModel(
        FlowConfig(
            channels=3,
            levels=3,
            nets=2,
            width=20,
            hidden=24,
            depth=2,
            components=2,
            couplings=CouplingConfig(count=2, depth=2, growth=10),
        ),
        shape=(6, 5, 3),
    ),
    "random-photo": FlowModel(
        FlowConfig(channels=3, levels=2, nets=1, width=12, hidden=12, depth=1, components=2, fine=("heads",)),
        side=40,
    ),
}
"""Those of the exactness matrix."""


def random_checkpoint(config: FlowModel, name: str) -> Checkpoint:
    """A flow of this configuration; the same one each time."""
    c, random = config.flow, np.random.RandomState(0)
    layers: dict[str, tuple[int, int]] = {}
    arrays = {"exp": exp_table(), **logistic_tables()}
    arrays["base"] = random.randint(-MEAN_MAX, MEAN_MAX + 1, (c.channels, 3 * c.components)).astype(np.int32)
    for level in (f"levels.{i}" for i in range(c.nets)):
        for j, out in enumerate(FACTORED_OUT):
            layers |= _layers_of_factor(c, f"{level}.factors.{j}", out.features(c.channels))
        for coupling in (f"{level}.couplings.{j}" for j in range(c.couplings.count)):
            layers |= _layers_of_coupling(c, coupling)
            arrays[f"{coupling}.order"] = random.permutation(4 * c.channels).astype(np.int16)
    known = {"name": name, "medium": "array" if config.shape else "image", "family": "idf"}
    tables = {"model": _sizes(c) | ({"shape": list(config.shape)} if config.shape else {})}
    tables["coding"] = {} if config.shape else {"side": config.side}
    return Checkpoint({**known, **tables}, arrays | linears(random, layers))


def _sizes(config: FlowConfig) -> dict[str, Any]:
    """As a recipe has them, which names layers with fine weights where there are some."""
    return {key: value for key, value in asdict(config).items() if (key, value) != ("fine", ())}


def _layers_of_factor(c: FlowConfig, name: str, features: int) -> dict[str, tuple[int, int]]:
    twice = {each: 1 + (each in c.fine) for each in ("inputs", "heads")}
    layers = {f"{name}.inputs": (features, twice["inputs"] * c.width)}
    for i in range(c.depth):
        layers |= {f"{name}.blocks.{i}.conv": (9 * c.width, 2 * c.hidden)}
        layers |= {f"{name}.blocks.{i}.out": (c.hidden, c.width)}
    for i in range(c.channels):
        layers[f"{name}.heads.{i}"] = (c.width + features + BESIDE * i, twice["heads"] * 3 * c.components)
    return layers


def _layers_of_coupling(c: FlowConfig, name: str) -> dict[str, tuple[int, int]]:
    widths = [3 * c.channels + i * c.couplings.growth for i in range(c.couplings.depth + 1)]
    layers = {f"{name}.layers.{i}": (9 * width, c.couplings.growth) for i, width in enumerate(widths[:-1])}
    return layers | {f"{name}.out": (widths[-1], c.channels)}
