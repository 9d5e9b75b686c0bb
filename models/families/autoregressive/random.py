"""Tiny random networks of the family, by which the exactness matrix and the tests need no trained weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from ...checkpoint import Checkpoint
from ...layers.grid import exp_table, sigmoid_table
from ...layers.random import embeddings, linears
from ...mixing.choice import AnyConfig
from ...mixing.config import MixingConfig
from ...mixing.contexts import MATCH_LENGTHS
from ...mixing.rich.config import RichConfig
from ...networks.recurrent import AutoregressiveConfig


@dataclass(frozen=True)
class MixedModel:
    """An autoregressive network, and what predicts with it: see `CodingConfig`."""

    network: AutoregressiveConfig
    mixing: AnyConfig | None
    match: bool = True


MIXING = MixingConfig(orders=(1, 3), bits=14, limit=60, rate=28000, start=12000)
RICH = RichConfig(mixture=2, bits=10, limit=60, rate=14000)

EXAMPLES: dict[str, AutoregressiveConfig | MixedModel] = {
    "random": AutoregressiveConfig(
        alphabet=256, width=24, state=40, depth=2, hidden=33, embed=8, ngrams=((1, 8), (3, 9))
    ),
    "random-refined": MixedModel(
        AutoregressiveConfig(
            alphabet=256, width=16, state=20, depth=1, hidden=0, embed=4, ngrams=((1, 8), (2, 7))
        ),
        replace(MIXING, orders=(2, 3), phrases=True, by_age=True, refined=True),
    ),
    "random-rich": MixedModel(
        AutoregressiveConfig(
            alphabet=256, width=16, state=20, depth=1, hidden=0, embed=4, ngrams=((1, 8), (2, 7))
        ),
        RICH,
    ),
}
"""Those of the exactness matrix."""


def random_checkpoint(config: AutoregressiveConfig | MixedModel, name: str) -> Checkpoint:
    """A network of this configuration, with `MIXING` unless it says another; the same one each time."""
    model = config if isinstance(config, MixedModel) else MixedModel(config, MIXING)
    config, random = model.network, np.random.RandomState(0)
    arrays = {
        "sigmoid": sigmoid_table(),
        "exp": exp_table(),
        **(model.mixing.tables() if model.mixing else {}),
    }
    arrays |= linears(random, _layers(config))
    tables = {f"ngrams.{i}": 1 << bits for i, (_, bits) in enumerate(config.ngrams)}
    tables["match"] = config.alphabet * MATCH_LENGTHS
    arrays |= embeddings(random, {table: (rows, config.embed) for table, rows in tables.items()})
    medium = "bytes" if config.alphabet == 256 else "text27"
    known = {"name": name, "medium": medium, "family": "autoregressive"}
    return Checkpoint(known | {"model": asdict(config), "coding": _coding(model)}, arrays)


def _coding(model: MixedModel) -> dict[str, object]:
    """The table ``coding``: what is as in weights that are older than a field is left out."""
    found: dict[str, object] = {"mixer": False}
    if model.mixing:
        found = {key: value for key, value in asdict(model.mixing).items() if value is not False}
    return found if model.match else found | {"match": False}


def _layers(c: AutoregressiveConfig) -> dict[str, tuple[int, int]]:
    """(inputs, outputs) of every linear layer, by name."""
    layers = {"inputs": (c.embed * (len(c.ngrams) + 1), c.width), "head": (c.width, c.alphabet)}
    for i in range(c.depth):
        layers |= {f"recurrent.{i}.{part}": (c.width, c.state) for part in ("forget", "candidate", "gate")}
        layers[f"recurrent.{i}.out"] = (c.state, c.width)
        if c.hidden:
            layers |= {f"mlps.{i}.{part}": (c.width, c.hidden) for part in ("gate", "up")}
            layers[f"mlps.{i}.out"] = (c.hidden, c.width)
    return layers
