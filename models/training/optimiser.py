"""What turns gradients into steps: AdamW for every parameter, or Adamax, or Muon with AdamW for what is no product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from ...compressor.errors import CatzipError
from ..layers.qat.modules import Linear

Groups = list[dict[str, Any]]


def adamw(net: nn.Module, rate: float, decay: float) -> list[Optimizer]:
    """Loshchilov and Hutter 2019 (arXiv 1711.05101)."""
    return [_adamw(_groups(net.parameters(), decay), rate)]


def adamax(net: nn.Module, rate: float, decay: float) -> list[Optimizer]:
    """Kingma and Ba 2015 (arXiv 1412.6980), section 7.1: what Integer Discrete Flows were trained with."""
    groups = _groups(net.parameters(), decay)
    return [torch.optim.Adamax(groups, lr=rate, betas=(0.9, 0.999))]


def muon(net: nn.Module, rate: float, decay: float) -> list[Optimizer]:
    """Orthogonal steps for the weights of products (Jordan et al. 2024; scaled to AdamW's size, arXiv 2502.16982).

    Tables, of which a batch reaches few rows, and vectors have AdamW. Raises CatzipError where PyTorch has no Muon.
    """
    if not hasattr(torch.optim, "Muon"):
        raise CatzipError(f"PyTorch {torch.__version__} has no Muon; install 2.9 or later, or use adamw")
    products = [layer.weight for layer in net.modules() if isinstance(layer, Linear)]
    known = {id(weight) for weight in products}
    others = [parameter for parameter in net.parameters() if id(parameter) not in known]
    orthogonal = torch.optim.Muon(products, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
    return [orthogonal, _adamw(_groups(others, decay), rate)]


OPTIMISERS: dict[str, Callable[[nn.Module, float, float], list[Optimizer]]] = {
    "adamw": adamw,
    "adamax": adamax,
    "muon": muon,
}
"""By the names that a recipe's schedule gives them. Each parameter belongs to one optimiser of the list."""


def _adamw(groups: Groups, rate: float) -> Optimizer:
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), fused=True)


def _groups(parameters: Any, decay: float) -> Groups:
    """Matrices decay, vectors do not."""
    parameters = list(parameters)
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
