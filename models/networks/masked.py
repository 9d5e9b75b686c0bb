"""Networks that fill in what is not known, for any family that masks: what they are asked, and which there are."""

from __future__ import annotations

from typing import Any, Protocol

from ..backends.base import Arrays, NumpyArray
from ..layers.grid import Tensors
from ..schema import shown
from . import masked_convnet as convnet
from . import masked_transformer as transformer
from . import native_convnet, native_transformer

MaskedConfig = transformer.TransformerConfig | convnet.ConvNetConfig
"""Sizes of a masked network."""


class MaskedNet(Protocol):
    """A network that fills in what is not known of items of D dimensions, in integer arithmetic.

    size         D
    alphabet     K, values of a dimension
    base         values of a digit: K for one stage, 4 for 8 bits in four stages
    stages       digits of a value
    least        items that are worth a thread of their own
    cache_bytes  that a cache has for each dimension of an item
    """

    size: int
    alphabet: int
    base: int
    stages: int
    least: int
    cache_bytes: int

    def new_cache(self) -> Any:
        """An empty cache, for `frequencies`: what calls for the same items share, as the keys and values of attention.

        None for a network that has nothing to keep.
        """
        ...

    def frequencies(
        self, values: NumpyArray, known: NumpyArray, stage: int, wanted: NumpyArray, cache: Any = None
    ) -> NumpyArray:
        """Distributions of the digits of this stage: uint32 [B, Q, base], each row summing to 2**24.

        values  uint8 [B, D]; only what is known of them is looked at
        known   bool [D], dimensions whose digit of this stage is known; the digits of earlier stages all are
        wanted  intp [Q], dimensions to predict, at least one
        cache   of earlier calls for the same items, of which what was known before has not changed

        The distributions of an item are the same whatever else is in the batch or wanted, and with or without a cache.
        The network cuts large batches itself, so that they fit into caches and memory.
        """
        ...


def masked_config(table: dict[str, Any]) -> MaskedConfig:
    """The sizes in the table ``model`` of a recipe or a checkpoint, whose field ``network`` says of which network.

    Raises ValueError that names what is wrong with it.
    """
    if table.get("network") == "transformer":
        return transformer.TransformerConfig.from_json(table)
    if table.get("network") == "convolution":
        return convnet.ConvNetConfig.from_json(table)
    raise ValueError(
        f"model.network is {shown(table.get('network'))}: transformer and convolution are possible"
    )


def masked_net(config: MaskedConfig, tensors: Tensors, arrays: Arrays) -> MaskedNet:
    """The network of these sizes, from its tensors: on the compiled core, where that runs and knows such a one.

    Raises ValueError for tensors out of their bounds.
    """
    net: MaskedNet
    if isinstance(config, transformer.TransformerConfig):
        net = transformer.Transformer(config, tensors, arrays)
        return native_transformer.compiled(config, tensors, arrays) or net
    net = convnet.ConvNet(config, tensors, arrays)
    return native_convnet.compiled(config, tensors, arrays) or net
