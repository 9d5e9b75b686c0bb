"""Networks that predict what comes next, for families that code in order: what they are asked, and which there are."""

from __future__ import annotations

from typing import Any, Protocol

from ..backends.base import Arrays, NumpyArray
from ..layers.grid import Tensors
from ..mixing.contexts import Past
from .recurrent import AutoregressiveConfig, ExactNetwork

CausalConfig = AutoregressiveConfig
"""Sizes of a causal network. There is one so far, the recurrent."""


class CausalNet(Protocol):
    """A network that predicts the next symbols of lanes side by side from their past, in integer arithmetic.

    alphabet         K
    multiplications  for each symbol, in products: by them work is shared among threads
    """

    alphabet: int
    multiplications: int

    def start(self, lanes: int) -> Any:
        """The state of so many lanes before their first symbol."""
        ...

    def frequencies(self, past: Past, state: Any, /) -> NumpyArray:
        """Distributions of the next T symbols of L lanes, uint32 [T, L, K], each row summing to 2**24.

        ``state``, of these lanes, moves on in place by what ``past`` adds. The distributions of a lane are the same
        whatever lanes are beside it, and however many steps are asked for at once.
        """
        ...


def causal_config(table: dict[str, Any]) -> CausalConfig:
    """The sizes in the table ``model`` of a recipe or a checkpoint. Raises ValueError that names what is wrong."""
    return AutoregressiveConfig.from_json(table)


def causal_net(config: CausalConfig, tensors: Tensors, arrays: Arrays) -> CausalNet:
    """The network of these sizes, from its tensors. Raises ValueError for tensors out of their bounds."""
    return ExactNetwork(config, tensors, arrays)
