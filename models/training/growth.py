"""A network that begins as another, trained one, of which it makes the same, and which may be smaller.

After Net2Net (Chen, Goodfellow, Shlens 2016, arXiv 1511.05641). Autoregressive networks may grow: the upper bits of a
hash choose the row of an n-gram table, so a table of twice the rows begins with each row twice; a layer on the residual
stream that was not there adds nothing at first, for the last product in it begins as zero.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ...compressor.errors import CatzipError
from .. import checkpoint
from .recipe import Recipe

Table = dict[str, Any]


@torch.no_grad()
def grow(net: nn.Module, path: Path, recipe: Recipe) -> dict[str, Any]:
    """Set ``net``, of this recipe, to the averaged weights of the run whose state is at ``path``.

    Returns how far that run had come: its step, symbols and seconds. Raises CatzipError where the network could not
    make the same.
    """
    saved = checkpoint.load(path)
    small, large = saved.config["model"], recipe.model
    if saved.config["family"] != recipe.family or not (small == large or _is_grown(small, large)):
        raise CatzipError(
            f"{path}: the state of another model. What may differ is the depth, a hidden that was 0, and the rows of "
            "n-grams of two symbols or more, all of autoregressive models, and none may be smaller"
        )
    for name, parameter in net.named_parameters():
        if (array := saved.arrays.get(f"average/{name}")) is not None:
            rows = torch.from_numpy(np.array(array))
            parameter.copy_(rows.repeat_interleave(len(parameter) // len(rows), dim=0))
        elif ".out." in name:
            parameter.zero_()
    run: dict[str, Any] = saved.config["run"]
    return run


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
