"""A tiny random network, saved like a trained one: the matrix needs no trained weights to be a test.

Its weights are drawn from all of -63..63 and often from the two ends, so that clamps and bounds are reached,
which a trained network may never do.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..models import checkpoint
from ..models.arrays import CODE_MAX, WEIGHT_MAX, NumpyArray
from ..models.autoregressive import AutoregressiveConfig
from ..models.contexts import MATCH_LENGTHS
from ..models.grid import exp_table, sigmoid_table
from ..models.mixing import MixingConfig, mixing_tables

NAME = "random"
CONFIG = AutoregressiveConfig(
    alphabet=256, width=24, state=40, depth=2, hidden=33, embed=8, ngrams=((1, 8), (3, 9))
)

MIXING = MixingConfig(orders=(1, 3), bits=14, limit=60, rate=28000, start=12000)


def save_random(folder: Path) -> Path:
    """Writes the checkpoint into this folder; where it is."""
    path = folder / f"{NAME}.safetensors"
    checkpoint.save(path, random_checkpoint(CONFIG))
    return path


def random_checkpoint(config: AutoregressiveConfig, name: str = NAME) -> checkpoint.Checkpoint:
    """A network of this configuration; the same one each time."""
    random = np.random.RandomState(0)
    arrays: checkpoint.Arrays = {"sigmoid": sigmoid_table(), "exp": exp_table(), **mixing_tables(MIXING)}
    for layer, (inputs, outputs) in _linear_layers(config).items():
        arrays |= {f"{layer}.{part}": array for part, array in _linear(random, inputs, outputs).items()}
    tables = {f"ngrams.{i}": 1 << bits for i, (_, bits) in enumerate(config.ngrams)}
    tables["match"] = config.alphabet * MATCH_LENGTHS
    for table, rows in tables.items():
        arrays[f"{table}.table"] = _either(random, CODE_MAX, (rows, config.embed))
    medium = "bytes" if config.alphabet == 256 else "text27"
    known = {"name": name, "medium": medium, "family": "autoregressive"}
    return checkpoint.Checkpoint(known | {"model": asdict(config), "coding": asdict(MIXING)}, arrays)


def _linear_layers(c: AutoregressiveConfig) -> dict[str, tuple[int, int]]:
    """(inputs, outputs) of every linear layer, by name."""
    layers = {"inputs": (c.embed * (len(c.ngrams) + 1), c.width), "head": (c.width, c.alphabet)}
    for i in range(c.depth):
        layers |= {f"recurrent.{i}.{part}": (c.width, c.state) for part in ("forget", "candidate", "gate")}
        layers[f"recurrent.{i}.out"] = (c.state, c.width)
        if c.hidden:
            layers |= {f"mlps.{i}.{part}": (c.width, c.hidden) for part in ("gate", "up")}
            layers[f"mlps.{i}.out"] = (c.hidden, c.width)
    return layers


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
