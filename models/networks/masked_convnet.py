"""The masked convolutional network of ``ardm`` for images, in integers; in training it is ``training/convnet.py``.

It gives distributions of what is not known of a batch of images, all of which have the same dimensions known. What is
not known is never looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np

from ..backends.base import Array, Arrays, NumpyArray
from ..backends.batches import parts
from ..layers.convolution import Block, patches
from ..layers.grid import (
    EXP_ENTRIES,
    LOGIT,
    LOGIT_MAX,
    RES,
    RES_MAX,
    Embedding,
    Softmax,
    Tensors,
    layer,
    rms_norm,
)
from ..layers.logistics import MEAN, MEAN_MAX, Components, Logistics, declared
from ..layers.receptive import Rectangle, cut_out
from ..schema import (
    Declared,
    Depth,
    Positive,
    Symbols,
    Tensor,
    conv_block,
    embedding,
    entries,
    linear,
    ranged,
    typed,
)
from .pixels import REACH_MAX, WINDOW_MAX, Digits, is_exact, look

_Side = Annotated[int, ranged(2, 512)]


@dataclass(frozen=True)
class ConvNetConfig:
    """Sizes of a masked convolutional network over images, and how their values are cut into digits.

    shape   (H, W, C) of an image   depth    blocks                   output      "logistics" or "direct"
    base    values of a digit       hidden   channels of their GLU    components  of a mixture of logistics
    stages  digits of a value       embed    width of an embedding    reaches     of the windows, see ``pixels``
    width   D, residual stream      times    how finely the known share is told
    fine    layers with weights of 13 bits, "inputs" and "head" or fewer: see `grid.FineLinear`
    """

    shape: tuple[_Side, _Side, Annotated[int, ranged(1, 4)]]
    base: Symbols
    stages: Annotated[int, ranged(1, 8)]
    width: Positive
    depth: Depth
    hidden: Positive
    embed: Positive
    times: Positive
    output: Literal["logistics", "direct"]
    components: Components
    reaches: Annotated[tuple[Annotated[int, ranged(0, REACH_MAX)], ...], entries(8)]
    fine: tuple[Literal["inputs", "head"], ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be computed exactly."""
        if self.base & self.base - 1 or self.base**self.stages > 256:
            raise ValueError(f"{self.stages} digits of {self.base} values make no byte")
        if math.prod(self.shape) > 1 << 16:
            raise ValueError(f"{self.shape}: images of up to {1 << 16} values have an order")
        if self.shape[0] % 2 or self.shape[1] % 2:
            raise ValueError(f"{self.shape}: images of even height and width can be halved")
        if not all(is_exact(reach, self.shape) for reach in self.reaches):
            raise ValueError(
                f"{self.reaches}: windows of up to {REACH_MAX} pixels each way and {WINDOW_MAX} in all can be summed"
            )

    @staticmethod
    def from_json(table: dict[str, Any]) -> ConvNetConfig:
        """The table ``model`` of a recipe or a checkpoint, of which ``network`` is not the network's.

        Raises ValueError for fields that are not as above.
        """
        own = {key: value for key, value in table.items() if key != "network"}
        return typed(ConvNetConfig, own, "model")

    def tensors(self) -> Declared:
        """What the network loads."""
        found = {"exp": Tensor("int32", (EXP_ENTRIES,))} | declared()
        found |= embedding("tokens", self.digits.rows(), self.embed)
        found |= embedding("time", self.stages * self.times, self.embed)
        inputs = 9 * (self.dimensions * self.embed + self.features + self.embed)
        found |= linear("inputs", inputs, self.width, "inputs" in self.fine)
        for i in range(self.depth):
            found |= conv_block(f"blocks.{i}", self.width, self.hidden)
        outputs = self.dimensions * self.outputs
        return found | linear("head", self.width + self.features, outputs, "head" in self.fine)

    @property
    def digits(self) -> Digits:
        """How values are cut."""
        return Digits(self.base, self.stages)

    @property
    def size(self) -> int:
        """Dimensions of an image."""
        return math.prod(self.shape)

    @property
    def dimensions(self) -> int:
        """At each position of the half-size grid: 4C."""
        return 4 * self.shape[2]

    @property
    def features(self) -> int:
        """Channels of `pixels.PixelFeatures.features`."""
        return self.dimensions * (1 + 2 * len(self.reaches))

    @property
    def outputs(self) -> int:
        """Numbers that describe one dimension's distribution."""
        return 3 * self.components if self.output == "logistics" else self.base


@dataclass(frozen=True)
class Asked:
    """What one call wants, and what it must see for that. Rectangles are of the half-size grid.

    fields  of the features; of what the first convolution makes of them; and of what each block makes
    places  intp [P], positions in the last field that wanted dimensions lie in
    rows    intp [Q], where the wanted dimensions are in what the head gives for an image, [P * dimensions]
    wide    of the pixels whose values reach the features
    told    intp [Q], where the wanted dimensions are among those of the first field
    """

    fields: list[Rectangle]
    places: NumpyArray
    rows: NumpyArray
    wide: Rectangle
    told: NumpyArray


@lru_cache(maxsize=4096)
def asked_for(config: ConvNetConfig, wanted: bytes) -> Asked:
    """For wanted dimensions, intp [Q] as bytes. Every item is asked for the same, and some calls are for one dimension:
    what is found for all of those of an image is kept."""
    height, width = config.shape[0] // 2, config.shape[1] // 2
    y, x, channel = np.unravel_index(np.frombuffer(wanted, np.intp), config.shape)
    places, inverse = np.unique(y // 2 * width + x // 2, return_inverse=True)
    last = Rectangle.around(places, width)
    fields = [last.grown(reach, height, width) for reach in range(config.depth + 1, -1, -1)]
    seen = fields[0].times(2)
    return Asked(
        fields,
        last.indices(places, width),
        inverse * config.dimensions + (y % 2 * 2 + x % 2) * config.shape[2] + channel,
        fields[0].grown(-(-max(config.reaches, default=0) // 2), height, width),
        seen.indices(y * config.shape[1] + x, config.shape[1]) * config.shape[2] + channel,
    )


class ConvNet:
    """Images: features of ``pixels`` and embeddings of what is seen -> 3x3 -> Block x depth -> a distribution each.

    The head sees the features beside what the blocks make of them. The last block and the head are computed for the
    positions that are wanted alone, and every layer for the rectangle that those see of it.
    """

    least = 1
    cache_bytes = 0

    def __init__(self, config: ConvNetConfig, tensors: Tensors, arrays: Arrays) -> None:
        c = self.config = config
        self.size, self.alphabet, self._arrays = int(np.prod(c.shape)), c.base**c.stages, arrays
        self.base, self.stages = c.base, c.stages
        self._tokens, self._time = (Embedding(arrays, tensors, name) for name in ("tokens", "time"))
        self._inputs = layer(arrays, tensors, "inputs", RES, "inputs" in c.fine)
        self._blocks = [Block(arrays, tensors, f"blocks.{i}") for i in range(c.depth)]
        self._direct = c.output == "direct"
        bits, self._limit = (LOGIT, LOGIT_MAX) if self._direct else (MEAN, MEAN_MAX)
        self._head = layer(arrays, tensors, "head", bits, "head" in c.fine)
        self._softmax = Softmax(arrays, tensors)
        if not self._direct:
            self._logistics = Logistics(arrays, tensors, self.alphabet, c.components)
        inputs = c.dimensions * c.embed + c.features + c.embed
        self._each = 9 * max(inputs, c.width)  # numbers of a position in one array

    def new_cache(self) -> None:
        """Nothing: what one call makes known changes what all positions around it see, by the windows."""

    def frequencies(
        self, values: NumpyArray, known: NumpyArray, stage: int, wanted: NumpyArray, cache: None = None
    ) -> NumpyArray:
        """See `masked.MaskedNet`."""
        found = np.empty((len(values), len(wanted), self.base), np.uint32)
        asked = asked_for(self.config, wanted.astype(np.intp).tobytes())
        rows, columns = asked.fields[0].size
        # Arrays of four times what fits best: calls for a pixel or two would spend half their time between products.
        for part in parts(len(values), 4 * self._arrays.at_once // (self._each * rows * columns)):
            y, guess = self._outputs(values[part], known, stage, asked)
            found[part] = self._digits(y, guess, values[part][:, wanted], stage).reshape(-1, *found.shape[1:])
        return found

    def _outputs(
        self, values: NumpyArray, known: NumpyArray, stage: int, asked: Asked
    ) -> tuple[Array, NumpyArray]:
        """What describes each distribution, float32 [B * Q, outputs], and the guess in half levels, int [B * Q]."""
        c, arrays, batch, fields = self.config, self._arrays, len(values), asked.fields
        tokens, told, guess = self._seen(values, known, stage, asked)
        places = arrays.place(asked.places)
        time = np.full(tokens.shape[:3], stage * c.times + int(known.sum()) * c.times // self.size)
        codes = [self._tokens(tokens).reshape(*time.shape, -1), self._time(arrays.place(time))]
        x = arrays.concat([arrays.float32(codes[0]), told, arrays.float32(codes[1])])
        around = patches(arrays, x, fields[1].within(fields[0]))
        x = self._inputs(around.reshape(-1, around.shape[-1]))
        x = arrays.clip_(x, -RES_MAX, RES_MAX).reshape(*around.shape[:3], -1)
        for block, field, smaller in zip(self._blocks[:-1], fields[1:], fields[2:], strict=False):
            x = block(x, smaller.within(field))
        x = self._blocks[-1](x, fields[-1].within(fields[-2]), places)
        x = rms_norm(arrays, x).reshape(-1, x.shape[-1])
        told = cut_out(told, fields[-1].within(fields[0]))
        told = told.reshape(batch, -1, told.shape[-1])[:, places].reshape(len(x), -1)
        y = arrays.clip_(self._head(arrays.concat([x, told])), -self._limit, self._limit)
        rows = np.arange(batch)[:, None] * (len(asked.places) * c.dimensions) + asked.rows
        return arrays.take(y.reshape(-1, c.outputs), arrays.place(rows.ravel())), guess

    def _seen(
        self, values: NumpyArray, known: NumpyArray, stage: int, asked: Asked
    ) -> tuple[Array, Array, NumpyArray]:
        """Tokens and features of the first field, see ``pixels``, and the guesses for what is wanted, [B * Q]."""
        c, wide = self.config, asked.wide.times(2)
        part, shape = asked.fields[0].times(2).within(wide), (*wide.size, c.shape[2])
        inside, known = self._cut(values, wide), self._cut(known[None], wide)
        seen = look(inside, known, stage, c.digits, shape, c.reaches, part)
        tokens, features = self._arrays.place(seen.tokens), self._arrays.place(seen.features)
        return tokens, features, seen.guess[:, asked.told].ravel()

    def _cut(self, images: NumpyArray, part: Rectangle) -> NumpyArray:
        """[B, D] -> the dimensions of some pixels."""
        pixels: NumpyArray = cut_out(images.reshape(-1, *self.config.shape), part.cut)
        return pixels.reshape(len(images), -1)

    def _digits(self, y: Array, guess: NumpyArray, values: NumpyArray, stage: int) -> NumpyArray:
        """Frequencies uint32 [B * Q, base] of the digits of this stage of values [B, Q], known to the stages before."""
        if self._direct:
            return self._softmax(y)
        cut = self.config.digits
        shift = cut.shift(stage)
        coarse = values.reshape(-1, 1).astype(np.intp) >> shift + cut.bits << shift + cut.bits
        edges = (coarse if stage else coarse[:1]) + (np.arange(self.base + 1) << shift)
        found = np.empty((len(y), self.base), np.uint32)
        for part in parts(len(y), self._arrays.at_once // (self.base + 1)):
            found[part] = self._logistics(y[part], guess[part], edges[part] if stage else edges)
        return found
