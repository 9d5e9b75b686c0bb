"""A network that begins as another, trained one, of which it makes the same, and which may be smaller.

The other may be a training run, or a weight file, whose integers are what is left of it: a model that comes with catzip
can be trained further, or on data of one's own.

After Net2Net (Chen, Goodfellow, Shlens 2016, arXiv 1511.05641). How networks may grow is for their family to say (see
``task.Growth``): rows of tables come several times, and the last product of a layer that was not there begins as zero.
In networks whose layers may be fine, a layer may become so: its real weights are the same.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...compressor.errors import CatzipError, CorruptError, ModelNotFoundError
from .. import checkpoint
from ..layers.qat.modules import adopt
from ..registry import path_of
from .families import task_for
from .recipe import Recipe
from .state import STATE
from .task import task_type

Table = dict[str, Any]


def source(start: str) -> Path:
    """The state of the run in the folder ``start``, or the weights in the file or of the installed model of this name.

    Raises ModelNotFoundError if there is none of these.
    """
    if (state := Path(start) / STATE).exists():
        return state
    try:
        return path_of(start)
    except ModelNotFoundError as error:
        kind = (
            "a folder without a run"
            if Path(start).is_dir()
            else "no folder of a run and no .safetensors file"
        )
        raise ModelNotFoundError(f"{start}: {kind} to begin from, and {error}") from None


@torch.no_grad()
def warm_start(net: nn.Module, path: Path, recipe: Recipe) -> Table:
    """Set ``net``, of this recipe, to the averaged weights of the state of a run, or to the weights, at ``path``.

    Returns how far their training had come: its step, symbols and seconds, the ``model`` (the fingerprint of weights),
    and the same of what that began from, as ``before``. Raises CatzipError where the network could not make the same.
    """
    saved = checkpoint.load(path)
    if difference := _difference(saved.config, recipe):
        raise CatzipError(f"{path}: another model than that of the recipe: {difference}")
    trained = _averages(saved) if "run" in saved.config else _restored(path, saved, recipe)
    growth = task_type(recipe.family).growth
    for name, parameter in net.named_parameters():
        if (rows := trained.get(name)) is not None:
            if growth and (chosen := growth.rows(name, saved.config["model"], recipe.model)) is not None:
                rows = rows[chosen]
            parameter.copy_(rows.repeat_interleave(len(parameter) // len(rows), dim=0))
        elif ".out." in name:
            parameter.zero_()
    return _so_far(saved.config)


def _averages(state: checkpoint.Checkpoint) -> dict[str, Tensor]:
    names = [name for name in state.arrays if name.startswith("average/")]
    return {name.removeprefix("average/"): torch.from_numpy(np.array(state.arrays[name])) for name in names}


def _restored(path: Path, model: checkpoint.Checkpoint, recipe: Recipe) -> dict[str, Tensor]:
    """The parameters of the network in training whose export this is."""
    net = task_for(replace(recipe, model=model.config["model"]), torch.device("cpu")).net
    try:
        adopt(net, model.arrays)
    except (KeyError, RuntimeError) as error:
        raise CorruptError(f"{path}: not the weights of its own configuration ({error})") from error
    return dict(net.named_parameters())


def _so_far(config: Table) -> Table:
    """What the state of a run says of the training so far, or a model's card, which may not say."""
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


def _difference(config: Table, recipe: Recipe) -> str:
    """Why the network of a recipe could not begin as the one of this configuration; empty if it could."""
    if config["family"] != recipe.family:
        return f"its family is {config['family']}"
    small, large = config["model"], recipe.model
    growth = task_type(recipe.family).growth
    if _is_finer(small, large) or (growth is not None and growth.possible(small, large)):
        return ""
    keys = sorted(key for key in small.keys() | large.keys() if small.get(key) != large.get(key))
    found = "; ".join(f"{key} is {small.get(key)} there and {large.get(key)} in the recipe" for key in keys)
    return found if growth is None else f"{found}. {growth.limits}"


def _is_finer(small: Table, large: Table) -> bool:
    """Whether two networks are the same but for layers that are fine in the second one alone."""
    sizes = [{key: each for key, each in table.items() if key != "fine"} for table in (small, large)]
    return sizes[0] == sizes[1] and set(small.get("fine", ())) <= set(large.get("fine", ()))
