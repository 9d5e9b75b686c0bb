"""Tiny random networks, saved like trained ones: the matrix needs no trained weights to be a test.

Their weights are drawn from all of -63..63 and often from the two ends, so that clamps and bounds are reached,
which a trained network may never do.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np

from ...models import checkpoint
from ...models.backends.base import CODE_MAX, WEIGHT_MAX, NumpyArray
from ...models.families.ardm import schedules
from ...models.families.idf.couplings import CouplingConfig
from ...models.families.idf.factor_out import BESIDE
from ...models.families.idf.flow import FlowConfig
from ...models.families.idf.squeeze import OUTS
from ...models.layers.attention import HEAD, POSITION_MAX, attention_table
from ...models.layers.grid import exp_table, sigmoid_table
from ...models.layers.logistics import MEAN_MAX, logistic_tables
from ...models.mixing.config import MixingConfig, mixing_tables
from ...models.mixing.contexts import MATCH_LENGTHS
from ...models.networks.masked_convnet import ConvNetConfig
from ...models.networks.masked_transformer import TransformerConfig
from ...models.networks.recurrent import AutoregressiveConfig
from ...models.networks.windows import table_rows


@dataclass(frozen=True)
class FlowModel:
    """A flow, and the images it codes: of this shape, or of any size in tiles of this side."""

    flow: FlowConfig
    shape: tuple[int, ...] = ()
    side: int = 0


@dataclass(frozen=True)
class MixedModel:
    """An autoregressive network, and the mixture behind it."""

    network: AutoregressiveConfig
    mixing: MixingConfig


MIXING = MixingConfig(orders=(1, 3), bits=14, limit=60, rate=28000, start=12000)

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

CONFIGS: dict[str, Any] = {
    "random": AutoregressiveConfig(
        alphabet=256, width=24, state=40, depth=2, hidden=33, embed=8, ngrams=((1, 8), (3, 9))
    ),
    "random-refined": MixedModel(
        AutoregressiveConfig(
            alphabet=256, width=16, state=20, depth=1, hidden=0, embed=4, ngrams=((1, 8), (2, 7))
        ),
        replace(MIXING, orders=(2, 3), phrases=True, by_age=True, refined=True),
    ),
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


def save_random(folder: Path) -> list[Path]:
    """Writes their checkpoints into this folder; where they are."""
    paths = {name: folder / f"{name}.safetensors" for name in CONFIGS}
    for name, path in paths.items():
        checkpoint.save(path, random_checkpoint(CONFIGS[name], name))
    return list(paths.values())


@singledispatch
def random_checkpoint(config: Any, name: str) -> checkpoint.Checkpoint:
    """A network of this configuration; the same one each time."""
    raise TypeError(f"no random network for {config}")


@random_checkpoint.register
def _autoregressive(config: AutoregressiveConfig, name: str) -> checkpoint.Checkpoint:
    return _mixed(MixedModel(config, MIXING), name)


@random_checkpoint.register
def _mixed(model: MixedModel, name: str) -> checkpoint.Checkpoint:
    config, random = model.network, np.random.RandomState(0)
    arrays = {"sigmoid": sigmoid_table(), "exp": exp_table(), **mixing_tables(model.mixing)}
    arrays |= _linears(random, _layers_of_autoregressive(config))
    tables = {f"ngrams.{i}": 1 << bits for i, (_, bits) in enumerate(config.ngrams)}
    tables["match"] = config.alphabet * MATCH_LENGTHS
    arrays |= _tables(random, {table: (rows, config.embed) for table, rows in tables.items()})
    medium = "bytes" if config.alphabet == 256 else "text27"
    known = {"name": name, "medium": medium, "family": "autoregressive"}
    # What is false is left out, as in weights that are older than these fields.
    coding = {key: value for key, value in asdict(model.mixing).items() if value is not False}
    return checkpoint.Checkpoint(known | {"model": asdict(config), "coding": coding}, arrays)


@random_checkpoint.register
def _transformer(config: TransformerConfig, name: str) -> checkpoint.Checkpoint:
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
    arrays |= _linears(random, layers) | _tables(random, tables) | _schedules(random, 1, c.length)
    medium = "array" if c.alphabet == 256 else "text27"
    return _masked("transformer", config, {"name": name, "medium": medium}, arrays)


@random_checkpoint.register
def _convnet(config: ConvNetConfig, name: str) -> checkpoint.Checkpoint:
    c, random = config, np.random.RandomState(0)
    twice = {name: 1 + (name in c.fine) for name in ("inputs", "head")}
    layers = {
        "inputs": (9 * (c.dimensions * c.embed + c.features + c.embed), twice["inputs"] * c.width),
        "head": (c.width + c.features, twice["head"] * c.dimensions * c.outputs),
    }
    for i in range(c.depth):
        layers |= {f"blocks.{i}.conv": (9 * c.width, 2 * c.hidden), f"blocks.{i}.out": (c.hidden, c.width)}
    tables = {"tokens": (c.digits.rows(), c.embed), "time": (c.stages * c.times, c.embed)}
    arrays = {"exp": exp_table(), **logistic_tables(), **_linears(random, layers), **_tables(random, tables)}
    arrays |= _schedules(random, c.stages, math.prod(c.shape))
    return _masked("convolution", config, {"name": name, "medium": "array"}, arrays)


@random_checkpoint.register
def _flow(model: FlowModel, name: str) -> checkpoint.Checkpoint:
    c, random = model.flow, np.random.RandomState(0)
    layers: dict[str, tuple[int, int]] = {}
    arrays = {"exp": exp_table(), **logistic_tables()}
    arrays["base"] = random.randint(-MEAN_MAX, MEAN_MAX + 1, (c.channels, 3 * c.components)).astype(np.int32)
    for level in (f"levels.{i}" for i in range(c.nets)):
        for j, out in enumerate(OUTS):
            layers |= _layers_of_factor(c, f"{level}.factors.{j}", out.features(c.channels))
        for coupling in (f"{level}.couplings.{j}" for j in range(c.couplings.count)):
            layers |= _layers_of_coupling(c, coupling)
            arrays[f"{coupling}.order"] = random.permutation(4 * c.channels).astype(np.int16)
    known = {"name": name, "medium": "array" if model.shape else "image", "family": "idf"}
    tables = {"model": _sizes(c) | ({"shape": list(model.shape)} if model.shape else {})}
    tables["coding"] = {} if model.shape else {"side": model.side}
    return checkpoint.Checkpoint({**known, **tables}, arrays | _linears(random, layers))


def _masked(
    network: str, config: Any, known: dict[str, str], arrays: checkpoint.Arrays
) -> checkpoint.Checkpoint:
    tables = {"model": {"network": network, **_sizes(config)}, "coding": {"steps": 5}}
    return checkpoint.Checkpoint({**known, "family": "ardm", **tables}, arrays)


def _sizes(config: Any) -> dict[str, Any]:
    """As a recipe has them, which names layers with fine weights where there are some."""
    return {key: value for key, value in asdict(config).items() if (key, value) != ("fine", ())}


def _schedules(random: np.random.RandomState, stages: int, size: int) -> checkpoint.Arrays:
    """A random order, cut evenly."""
    order, budgets = random.permutation(size), {5, 10, stages * size}
    cuts = {calls: schedules.uniform(stages, size, calls) for calls in budgets if calls <= stages * size}
    return schedules.to_tensors({calls: schedules.Schedule(order, cut) for calls, cut in cuts.items()})


def _layers_of_autoregressive(c: AutoregressiveConfig) -> dict[str, tuple[int, int]]:
    """(inputs, outputs) of every linear layer, by name."""
    layers = {"inputs": (c.embed * (len(c.ngrams) + 1), c.width), "head": (c.width, c.alphabet)}
    for i in range(c.depth):
        layers |= {f"recurrent.{i}.{part}": (c.width, c.state) for part in ("forget", "candidate", "gate")}
        layers[f"recurrent.{i}.out"] = (c.state, c.width)
        if c.hidden:
            layers |= {f"mlps.{i}.{part}": (c.width, c.hidden) for part in ("gate", "up")}
            layers[f"mlps.{i}.out"] = (c.hidden, c.width)
    return layers


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


def _tables(random: np.random.RandomState, shapes: dict[str, tuple[int, int]]) -> checkpoint.Arrays:
    """Embedding tables of these names and shapes."""
    return {f"{table}.table": _either(random, CODE_MAX, shape) for table, shape in shapes.items()}


def _linears(random: np.random.RandomState, layers: dict[str, tuple[int, int]]) -> checkpoint.Arrays:
    """Linear layers of these names, inputs and outputs."""
    return {
        f"{layer}.{part}": array
        for layer, (inputs, outputs) in layers.items()
        for part, array in _linear(random, inputs, outputs).items()
    }


def _linear(random: np.random.RandomState, inputs: int, outputs: int) -> checkpoint.Arrays:
    """Weight, exponent and bias; outputs come to a few units, and to their limits now and then."""
    scale = round(np.log2(WEIGHT_MAX * inputs**0.5))
    return {
        "weight": _either(random, WEIGHT_MAX, (outputs, inputs)),
        "exponent": random.randint(scale - 2, scale + 3, outputs).astype(np.int8),
        "bias": random.randint(-100, 101, outputs).astype(np.int32),
    }


def _either(random: np.random.RandomState, limit: int, shape: tuple[int, int]) -> NumpyArray:
    """int8 of this shape in -limit..limit, half of it at the ends."""
    inner = random.randint(-limit, limit + 1, shape)
    ends = random.choice([-limit, limit], shape)
    return np.where(random.rand(*shape) < 0.5, inner, ends).astype(np.int8)
