"""Tiny random networks of the family, by which the exactness matrix and the tests need no trained weights."""

from __future__ import annotations

import math
from dataclasses import asdict, replace

import numpy as np

from ...checkpoint import Arrays, Checkpoint
from ...layers.attention import HEAD, POSITION_MAX, attention_table
from ...layers.grid import exp_table
from ...layers.logistics import logistic_tables
from ...layers.random import embeddings, linears
from ...networks.masked_convnet import ConvNetConfig
from ...networks.masked_transformer import TransformerConfig
from ...networks.windows import table_rows
from . import schedules

IMAGES = ConvNetConfig(
    shape=(6, 4, 3),
    base=4,
    stages=4,
    width=20,
    depth=2,
    hidden=24,
    embed=3,
    times=5,
    output="logistics",
    components=2,
    reaches=(1, 2),
)

EXAMPLES: dict[str, TransformerConfig | ConvNetConfig] = {
    "random-text": TransformerConfig(
        alphabet=27,
        length=20,
        width=24,
        depth=2,
        heads=2,
        hidden=20,
        embed=5,
        times=7,
        windows=((5, (0,)), (5, (1,)), (6, (-2, -1)), (7, (-1, 1))),
    ),
    "random-images": IMAGES,
    "random-fine": replace(
        IMAGES, shape=(4, 6, 3), base=256, stages=1, depth=1, reaches=(1,), fine=("inputs", "head")
    ),
}
"""Those of the exactness matrix."""


def random_checkpoint(config: TransformerConfig | ConvNetConfig, name: str) -> Checkpoint:
    """A network of this configuration; the same one each time."""
    if isinstance(config, TransformerConfig):
        return _transformer(config, name)
    return _convnet(config, name)


def _transformer(config: TransformerConfig, name: str) -> Checkpoint:
    c, random = config, np.random.RandomState(0)
    told, inner = c.alphabet * len(c.windows), c.heads * HEAD
    layers = {"inputs": (told + 2 * c.embed, c.width), "head": (c.width + told, c.alphabet)}
    arrays = {"exp": exp_table(), "attention.exp": attention_table(c.length)}
    for i in range(c.depth):
        layers |= {f"attention.{i}.{part}": (c.width, inner) for part in ("query", "key", "value")}
        layers |= {f"mlps.{i}.{part}": (c.width, c.hidden) for part in ("gate", "up")}
        layers |= {f"attention.{i}.out": (inner, c.width), f"mlps.{i}.out": (c.hidden, c.width)}
        distances = random.randint(-POSITION_MAX, POSITION_MAX + 1, (c.heads, 2 * c.length - 1))
        arrays[f"attention.{i}.position"] = distances.astype(np.int16)
    tables = {f"windows.{i}": (table_rows(each, c.alphabet), c.alphabet) for i, each in enumerate(c.windows)}
    tables |= {"place": (c.length, c.embed), "time": (c.times, c.embed)}
    arrays |= linears(random, layers) | embeddings(random, tables) | _schedules(random, 1, c.length)
    medium = "array" if c.alphabet == 256 else "text27"
    return _masked("transformer", config, {"name": name, "medium": medium}, arrays)


def _convnet(config: ConvNetConfig, name: str) -> Checkpoint:
    c, random = config, np.random.RandomState(0)
    twice = {name: 1 + (name in c.fine) for name in ("inputs", "head")}
    layers = {
        "inputs": (9 * (c.dimensions * c.embed + c.features + c.embed), twice["inputs"] * c.width),
        "head": (c.width + c.features, twice["head"] * c.dimensions * c.outputs),
    }
    for i in range(c.depth):
        layers |= {f"blocks.{i}.conv": (9 * c.width, 2 * c.hidden), f"blocks.{i}.out": (c.hidden, c.width)}
    tables = {"tokens": (c.digits.rows(), c.embed), "time": (c.stages * c.times, c.embed)}
    arrays = {
        "exp": exp_table(),
        **logistic_tables(),
        **linears(random, layers),
        **embeddings(random, tables),
    }
    arrays |= _schedules(random, c.stages, math.prod(c.shape))
    return _masked("convolution", config, {"name": name, "medium": "array"}, arrays)


def _masked(
    network: str, config: TransformerConfig | ConvNetConfig, known: dict[str, str], arrays: Arrays
) -> Checkpoint:
    # As a recipe has them, which names layers with fine weights where there are some.
    sizes = {key: value for key, value in asdict(config).items() if (key, value) != ("fine", ())}
    tables = {"model": {"network": network, **sizes}, "coding": {"steps": 5}}
    return Checkpoint({**known, "family": "ardm", **tables}, arrays)


def _schedules(random: np.random.RandomState, stages: int, size: int) -> Arrays:
    """A random order, cut evenly."""
    order, budgets = random.permutation(size), {5, 10, stages * size}
    cuts = {calls: schedules.uniform(stages, size, calls) for calls in budgets if calls <= stages * size}
    return schedules.to_tensors({calls: schedules.CallSchedule(order, cut) for calls, cut in cuts.items()})
