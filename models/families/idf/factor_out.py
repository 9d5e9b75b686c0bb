"""The networks of the factor-out: what gives the distribution of a phase of an image given the rest, exact.

Hoogeboom et al. 2019 (arXiv 1905.07376, section 4.2) split a part of the channels off at each level, whose prior is a
discretised logistic with mean and scale from a network on what remains. Here a phase is split off at a time, each
given those before, with a mixture of logistics (their section 5 uses five) around the mean of its nearest neighbours.
One stream of hidden channels runs through the three phases of a level, and channels follow each other within a
pixel:

    x += W look;  Block x depth;  per channel: mixture = W (rms_norm(x), look, what the channels before differ by)
"""

from __future__ import annotations

from collections.abc import Container

from ...backends.base import CODE_MAX, Array, Arrays
from ...layers.convolution import Block
from ...layers.grid import RES, Tensors, add_residual, layer, rms_norm
from ...layers.logistics import HALVES, MEAN, MEAN_MAX
from ...schema import Declared, conv_block, linear

NEUTRAL = 32  # what is taken off the size of a difference, so that its codes are about zero in the middle
BESIDE = 2  # codes that a channel gives to those after it


def declared(
    name: str,
    depth: int,
    channels: int,
    fine: Container[str],
    *,
    features: int,
    width: int,
    hidden: int,
    components: int,
) -> Declared:
    """What the `FactorOutPrior` of this name loads; ``features`` are the codes that it sees around a pixel."""
    found = linear(f"{name}.inputs", features, width, "inputs" in fine)
    for i in range(depth):
        found |= conv_block(f"{name}.blocks.{i}", width, hidden)
    for i in range(channels):
        inputs = width + features + BESIDE * i
        found |= linear(f"{name}.heads.{i}", inputs, 3 * components, "heads" in fine)
    return found


class FactorOutPrior:
    """The prior of one phase at one level: from what is seen around its pixels to mixtures, channel by channel."""

    def __init__(
        self,
        arrays: Arrays,
        tensors: Tensors,
        name: str,
        depth: int,
        channels: int,
        fine: Container[str],
    ) -> None:
        """``fine`` are the layers with weights of 13 bits: "inputs", "heads"."""
        self._arrays = arrays
        self._inputs = layer(arrays, tensors, f"{name}.inputs", RES, "inputs" in fine)
        self._blocks = [Block(arrays, tensors, f"{name}.blocks.{i}") for i in range(depth)]
        self._heads = [
            layer(arrays, tensors, f"{name}.heads.{i}", MEAN, "heads" in fine) for i in range(channels)
        ]
        self._seen = [int(tensors[f"{name}.heads.{i}.weight"].shape[1]) for i in range(channels)]

    def stream(self, x: Array, seen: Array) -> Array:
        """The level's stream [B, h, w, D], once it has taken in what is seen, codes [B, h, w, F]."""
        x = add_residual(self._arrays, x, self._inputs(seen.reshape(-1, seen.shape[-1])))
        for block in self._blocks:
            x = block(x)
        return x

    def head_inputs(self, x: Array, seen: Array) -> Array:
        """What the head of the first channel sees of the stream and around each pixel: codes [B, h, w, D + F]."""
        return self._arrays.concat([rms_norm(self._arrays, x), seen])

    def inputs(self, channel: int) -> int:
        """How many codes the head of a channel sees."""
        return self._seen[channel]

    def mixtures(self, channel: int, head_inputs: Array) -> Array:
        """Integers of step 2**-MEAN, float32 [N, 3 components]: logits, means less the guess, ln(scale), from the codes
        that the head sees, [N, inputs]."""
        y = self._heads[channel](head_inputs)
        return self._arrays.clip_(y, -MEAN_MAX, MEAN_MAX)


def beside(arrays: Arrays, plane: Array, guess: Array) -> Array:
    """What the next channels are told of one: codes [B, h, w, 2] of its difference from the guess, and of its size."""
    difference = arrays.clip_(plane * HALVES - guess, -CODE_MAX, CODE_MAX)
    return arrays.stack([difference, abs(difference) - NEUTRAL])
