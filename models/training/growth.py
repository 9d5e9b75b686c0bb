"""A larger network that begins as a smaller, trained one, of which it makes the same: growth that loses nothing.

After Net2Net (Chen, Goodfellow, Shlens 2016, arXiv 1511.05641). The upper bits of a hash choose the row of a table, so
a table of twice the rows begins with each row twice. A layer on a residual stream that was not there adds nothing at
first: the last product in it begins as zero.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...compressor.errors import CatzipError
from .. import checkpoint
from .recipe import Recipe


@torch.no_grad()
def grow(net: nn.Module, path: Path, recipe: Recipe) -> None:
    """Set ``net``, of this recipe, to the averaged weights of the run whose state is at ``path``.

    Raises CatzipError where they are of another family or do not fit into it.
    """
    saved = checkpoint.load(path)
    if saved.config["family"] != recipe.family:
        raise CatzipError(f"{path}: the state of another family of models, {saved.config['family']}")
    smaller = {
        key.removeprefix("average/"): torch.from_numpy(np.array(array))
        for key, array in saved.arrays.items()
        if key.startswith("average/")
    }
    parameters = dict(net.named_parameters())
    if unknown := smaller.keys() - parameters.keys():
        raise CatzipError(f"{path}: {min(unknown)} has no place in {recipe.name}, which must not be smaller")
    for name, parameter in parameters.items():
        if name in smaller:
            parameter.copy_(_grown(smaller[name], parameter, f"{path}: {name}"))
        elif name.rpartition(".out.")[1]:
            parameter.zero_()
        elif not _adds_to_the_stream(name, parameters):
            raise CatzipError(f"{path}: nothing for {name}; only layers of the residual stream can be added")


def _grown(small: Tensor, parameter: Tensor, name: str) -> Tensor:
    """A tensor as large as the parameter, of the same meaning. Raises CatzipError where there is none."""
    if small.shape == parameter.shape:
        return small
    times, rest = divmod(len(parameter), len(small))
    hashed = name.endswith(".table") and len(small) > 256  # in smaller ones the symbol may be the row
    if not hashed or rest or times & times - 1 or small.shape[1:] != parameter.shape[1:]:
        raise CatzipError(
            f"{name} is {list(small.shape)} there and {list(parameter.shape)} here; only tables of hashes can grow, "
            "by powers of two"
        )
    return small.repeat_interleave(times, dim=0)


def _adds_to_the_stream(name: str, parameters: dict[str, nn.Parameter]) -> bool:
    """Whether this parameter is of a layer that ends in a product called ``out``."""
    *layer, _, _ = name.split(".")
    return ".".join([*layer, "out", "weight"]) in parameters
