"""The priors of a flow as the compiled core wants them: weights in blocks, neighbours by their places."""

from __future__ import annotations

import numpy as np

from ...backends.base import CODE_MAX, WEIGHT_MAX, NumpyArray
from ...backends.native.flow_structures import ConvBlock, Prior
from ...backends.native.layers import PackedLinear, padded
from ...backends.native.structures import BLOCK, QUAD, Core, Linear, address
from ...layers.grid import ACT, RES, Tensors
from ...layers.logistics import MEAN
from .factor_out import BESIDE
from .flow import FlowConfig
from .squeeze import FactoredOut

_MOST_INPUTS = ((1 << 31) - 1) // (2 * CODE_MAX + 1) // WEIGHT_MAX  # of a sum that int32 holds
_TAPS = 9


class PackedPrior:
    """A `FactorOutPrior` for the core: the structure, and what it points at.

    is_bounded  whether all sums fit, and what they become
    """

    def __init__(self, core: Core, config: FlowConfig, tensors: Tensors, name: str, out: FactoredOut) -> None:
        self._core, self._tensors = core, tensors
        self._layers: list[PackedLinear] = []
        self._places = np.array(out.neighbours, np.int32)
        features = out.features(config.channels)
        stride = config.width + features + BESIDE * (config.channels - 1) + QUAD
        self.structure = Prior(
            features=features,
            width=config.width,
            hidden=config.hidden,
            depth=config.depth,
            components=config.components,
            stride=padded(stride),
            fine_inputs="inputs" in config.fine,
            fine_heads="heads" in config.fine,
            neighbours=len(self._places),
            places=address(self._places),
            inputs=self._linear(f"{name}.inputs", RES),
        )
        for i in range(config.channels):
            self.structure.head[i] = self._linear(f"{name}.heads.{i}", MEAN)
        for i in range(config.depth):
            block = f"{name}.blocks.{i}"
            self.structure.block[i] = ConvBlock(
                self._linear(f"{block}.conv", ACT, config.width), self._linear(f"{block}.out", RES)
            )
        self.is_bounded = all(
            layer.is_bounded and layer.structure.inputs <= _MOST_INPUTS for layer in self._layers
        )

    def inputs(self, channel: int) -> int:
        """How many codes the head of a channel sees."""
        return int(self.structure.width + self.structure.features + BESIDE * channel)

    def _linear(self, name: str, bits: int, channels: int = 0) -> Linear:
        """A layer; with so many channels, a convolution, whose inputs are padded channel by channel."""
        weight, exponent, bias = (self._tensors[f"{name}.{part}"] for part in ("weight", "exponent", "bias"))
        if channels:
            weight = spread(weight, channels)
        packed = PackedLinear(self._core, weight, bits - ACT - exponent.astype(np.int64), bias)
        self._layers.append(packed)
        return packed.structure


def spread(weight: NumpyArray, channels: int) -> NumpyArray:
    """A weight [outputs, 9 * channels] as that of an image whose channels are padded to whole blocks."""
    taps = weight.reshape(len(weight), _TAPS, channels)
    wide = np.pad(taps, ((0, 0), (0, 0), (0, padded(channels, BLOCK) - channels)))
    return wide.reshape(len(weight), -1)
