"""A network that begins as another, trained one, of which it makes the same, and which may be smaller.

The other may be a training run, or a weight file, whose integers are what is left of it: a model that comes with catzip
can be trained further, or on data of one's own.

After Net2Net (Chen, Goodfellow, Shlens 2016, arXiv 1511.05641). Autoregressive networks may grow: the upper bits of a
hash choose the row of an n-gram table, so a table of twice the rows begins with each row twice; a layer on the residual
stream that was not there adds nothing at first, for the last product in it begins as zero.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...compressor.errors import CatzipError, ModelNotFoundError
from .. import checkpoint
from ..registry import path_of
from .families import task_for
from .layers import adopt
from .recipe import Recipe
from .state import STATE

Table = dict[str, Any]


def source(start: str) -> Path:
    """The state of the run in the folder ``start``, or the weights in the file or of the installed model of this name.

    Raises CatzipError for a folder without a run, ModelNotFoundError if there is nothing of this name.
    """
    folder = Path(start)
    if folder.is_dir():
        if not (folder / STATE).exists():
            raise CatzipError(f"{folder} holds no run to begin from")
        return folder / STATE
    try:
        return path_of(start)
    except ModelNotFoundError as error:
        raise ModelNotFoundError(
            f"{start}: no such folder or weight file to begin from, and {error}"
        ) from None


@torch.no_grad()
def grow(net: nn.Module, path: Path, recipe: Recipe) -> Table:
    """Set ``net``, of this recipe, to the averaged weights of the state of a run, or to the weights, at ``path``.

    Returns how far their training had come: its step, symbols and seconds. Raises CatzipError where the network could
    not make the same.
    """
    saved = checkpoint.load(path)
    small, large = saved.config["model"], recipe.model
    if saved.config["family"] != recipe.family or not (small == large or _is_grown(small, large)):
        raise CatzipError(
            f"{path}: another model than that of the recipe. What may differ is the depth, a hidden that was 0, and "
            "the rows of n-grams of two symbols or more, all of autoregressive models, and none may be smaller"
        )
    trained = _averages(saved) if "run" in saved.config else _restored(saved, recipe)
    for name, parameter in net.named_parameters():
        if (rows := trained.get(name)) is not None:
            parameter.copy_(rows.repeat_interleave(len(parameter) // len(rows), dim=0))
        elif ".out." in name:
            parameter.zero_()
    return _so_far(saved.config)


def _averages(state: checkpoint.Checkpoint) -> dict[str, Tensor]:
    names = [name for name in state.arrays if name.startswith("average/")]
    return {name.removeprefix("average/"): torch.from_numpy(np.array(state.arrays[name])) for name in names}


def _restored(model: checkpoint.Checkpoint, recipe: Recipe) -> dict[str, Tensor]:
    """The parameters of the network in training whose export this is."""
    net = task_for(replace(recipe, model=model.config["model"]), torch.device("cpu")).net
    adopt(net, model.arrays)
    return dict(net.named_parameters())


def _so_far(config: Table) -> Table:
    """Of the state of a run, or of a model's card, which may not say."""
    if "run" in config:
        run: Table = config["run"]
        return run
    trained = config.get("card", {}).get("trained", {})
    return {
        "model": config["fingerprint"],
        "step": trained.get("steps", 0),
        "symbols": trained.get("symbols", 0),
        "seconds": 60 * trained.get("minutes", 0),
        "before": trained.get("before"),
    }


def _is_grown(small: Table, large: Table) -> bool:
    """Whether an autoregressive network of the sizes ``large`` can make what one of the sizes ``small`` makes."""
    may = {"depth", "hidden", "ngrams"}
    if not may <= small.keys() or {**large, **{key: small[key] for key in may}} != small:
        return False
    pairs = list(zip(small["ngrams"], large["ngrams"], strict=False))
    return (
        small["depth"] <= large["depth"]
        and small["hidden"] in (0, large["hidden"])
        and len(small["ngrams"]) == len(large["ngrams"])
        and all(a == b or (a[0] == b[0] > 1 and a[1] < b[1]) for a, b in pairs)
    )
