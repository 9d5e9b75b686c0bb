"""The two masked networks of ``ardm`` in integers: a transformer for text, a convolutional network for images.

Each gives distributions of what is not known of a batch of items, all of which have the same dimensions known. What is
not known is never looked at. Their twins in training are in ``training/transformer.py`` and ``training/convnet.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import Array, Arrays, NumpyArray
from .attention import Attention
from .batches import parts
from .convolution import Block, patches
from .grid import (
    LOGIT,
    LOGIT_MAX,
    RES,
    RES_MAX,
    Embedding,
    GatedMLP,
    Linear,
    Softmax,
    Tensors,
    rms_norm,
)
from .logistics import MEAN, MEAN_MAX, Logistics
from .pixels import Digits, look
from .windows import Window, window_rows


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes of a masked transformer over chunks of text.

    alphabet  K                     heads   of HEAD channels each      windows  (log2 of its table's rows, offsets), see
    length    L, of a chunk         hidden  of each gated MLP                   ``windows``
    width     D, residual stream    embed   of place and known share   times    how finely the known share is told
    """

    alphabet: int
    length: int
    width: int
    depth: int
    heads: int
    hidden: int
    embed: int
    times: int
    windows: tuple[Window, ...]

    @staticmethod
    def from_json(table: dict[str, Any]) -> TransformerConfig:
        """The configuration of a recipe or a checkpoint. Raises TypeError for fields that are not as above."""
        return TransformerConfig(
            **table | {"windows": tuple((bits, tuple(at)) for bits, at in table["windows"])}
        )


@dataclass(frozen=True)
class ConvNetConfig:
    """Sizes of a masked convolutional network over images, and how their values are cut into digits.

    shape   (H, W, C) of an image   depth    blocks                   output      "logistics" or "direct"
    base    values of a digit       hidden   channels of their GLU    components  of a mixture of logistics
    stages  digits of a value       embed    width of an embedding    reaches     of the windows, see ``pixels``
    width   D, residual stream      times    how finely the known share is told
    """

    shape: tuple[int, ...]
    base: int
    stages: int
    width: int
    depth: int
    hidden: int
    embed: int
    times: int
    output: str
    components: int
    reaches: tuple[int, ...]

    @staticmethod
    def from_json(table: dict[str, Any]) -> ConvNetConfig:
        """The configuration of a recipe or a checkpoint. Raises TypeError for fields that are not as above."""
        return ConvNetConfig(**table | {key: tuple(table[key]) for key in ("shape", "reaches")})

    @property
    def digits(self) -> Digits:
        """How values are cut."""
        return Digits(self.base, self.stages)

    @property
    def dimensions(self) -> int:
        """At each position of the half-size grid: 4C."""
        return 4 * self.shape[2]

    @property
    def features(self) -> int:
        """Channels of `pixels.Seen.features`."""
        return self.dimensions * (1 + 2 * len(self.reaches))

    @property
    def outputs(self) -> int:
        """Numbers that describe one dimension's distribution."""
        return 3 * self.components if self.output == "logistics" else self.base


class Transformer:
    """Chunks of symbols: embeddings of windows -> [Attention -> GatedMLP] x depth -> Softmax.

    The head sees the embeddings beside what the layers make of them. What only some positions are wanted for, the last
    layer but its keys and values, is computed for these alone.
    """

    stages = 1

    def __init__(self, config: TransformerConfig, tensors: Tensors, arrays: Arrays) -> None:
        c = self.config = config
        self.size, self.alphabet, self.base, self._arrays = c.length, c.alphabet, c.alphabet, arrays
        names = [*(f"windows.{i}" for i in range(len(c.windows))), "place", "time"]
        self._tables = [Embedding(arrays, tensors, name) for name in names]
        self._inputs = Linear.load(arrays, tensors, ["inputs"], [RES])
        self._attention = [Attention(arrays, tensors, f"attention.{i}", c.length) for i in range(c.depth)]
        self._mlps = [GatedMLP(arrays, tensors, f"mlps.{i}") for i in range(c.depth)]
        self._head = Linear.load(arrays, tensors, ["head"], [LOGIT])
        self._softmax = Softmax(arrays, tensors)
        self._each = c.length * max(2 * c.hidden, c.heads * c.length)  # numbers of an item in one array

    def frequencies(
        self, values: NumpyArray, known: NumpyArray, stage: int, wanted: NumpyArray
    ) -> NumpyArray:
        """See `ardm.MaskedNet`."""
        c, found = self.config, np.empty((len(values), len(wanted), self.base), np.uint32)
        rows = window_rows(np.where(known, values, np.uint8(c.alphabet)), c.alphabet, c.windows)
        time = int(known.sum()) * c.times // c.length
        for part in parts(len(values), self._arrays.at_once // self._each):
            logits = self.logits(rows[:, part], time, wanted)
            found[part] = self._softmax(logits).reshape(-1, *found.shape[1:])
        return found

    def logits(self, rows: NumpyArray, time: int, wanted: NumpyArray) -> Array:
        """Rows of the windows' tables, intp [windows, B, L], and the row of the known share -> float32 [B * Q, K]."""
        c, arrays, batch = self.config, self._arrays, rows.shape[1]
        codes = self._codes(rows, time)
        x = arrays.clip_(self._inputs(codes), -RES_MAX, RES_MAX).reshape(batch, c.length, -1)
        for i, (attention, mlp) in enumerate(zip(self._attention, self._mlps, strict=True)):
            x = mlp(attention(x, arrays.place(wanted) if i == c.depth - 1 else None))
        at = (np.arange(batch)[:, None] * c.length + wanted).ravel()
        told = arrays.take(codes, arrays.place(at))[:, : c.alphabet * len(c.windows)]
        codes = arrays.concat([rms_norm(arrays, x).reshape(len(at), -1), told])
        return arrays.clip_(self._head(codes), -LOGIT_MAX, LOGIT_MAX)

    def _codes(self, rows: NumpyArray, time: int) -> Array:
        """Codes float32 [B * L, ...] of the windows, the place, the known share."""
        arrays, place = self._arrays, np.tile(np.arange(self.size), rows.shape[1])
        rows = np.concatenate([rows.reshape(len(rows), -1), [place, np.full_like(place, time)]])
        placed = arrays.place(rows)
        return arrays.float32(arrays.concat([t(row) for t, row in zip(self._tables, placed, strict=True)]))


class ConvNet:
    """Images: features of ``pixels`` and embeddings of what is seen -> 3x3 -> Block x depth -> a distribution each.

    The head sees the features beside what the blocks make of them. The last block and the head are computed for the
    positions that are wanted alone.
    """

    def __init__(self, config: ConvNetConfig, tensors: Tensors, arrays: Arrays) -> None:
        c = self.config = config
        self.size, self.alphabet, self._arrays = int(np.prod(c.shape)), c.base**c.stages, arrays
        self.base, self.stages = c.base, c.stages
        self._tokens, self._time = (Embedding(arrays, tensors, name) for name in ("tokens", "time"))
        self._inputs = Linear.load(arrays, tensors, ["inputs"], [RES])
        self._blocks = [Block(arrays, tensors, f"blocks.{i}") for i in range(c.depth)]
        self._direct = c.output == "direct"
        bits, self._limit = (LOGIT, LOGIT_MAX) if self._direct else (MEAN, MEAN_MAX)
        self._head = Linear.load(arrays, tensors, ["head"], [bits])
        self._softmax = Softmax(arrays, tensors)
        if not self._direct:
            self._logistics = Logistics(arrays, tensors, self.alphabet, c.components)
        inputs = c.dimensions * c.embed + c.features + c.embed
        self._each = self.size // c.dimensions * 9 * max(inputs, c.width)  # numbers of an image in one array

    def frequencies(
        self, values: NumpyArray, known: NumpyArray, stage: int, wanted: NumpyArray
    ) -> NumpyArray:
        """See `ardm.MaskedNet`."""
        found = np.empty((len(values), len(wanted), self.base), np.uint32)
        for part in parts(len(values), self._arrays.at_once // self._each):
            y, guess = self.outputs(values[part], known, stage, wanted)
            found[part] = self._digits(y, guess, values[part][:, wanted], stage).reshape(-1, *found.shape[1:])
        return found

    def outputs(
        self, values: NumpyArray, known: NumpyArray, stage: int, wanted: NumpyArray
    ) -> tuple[Array, NumpyArray]:
        """What describes each distribution, float32 [B * Q, outputs], and the guess in half levels, int [B * Q]."""
        c, arrays, batch = self.config, self._arrays, len(values)
        seen = look(values, known[None], stage, c.digits, c.shape, c.reaches)
        places, rows = self._rows(wanted, batch)
        time = np.full(seen.tokens.shape[:3], stage * c.times + int(known.sum()) * c.times // self.size)
        tokens, features = arrays.place(seen.tokens), arrays.place(seen.features)
        codes = [self._tokens(tokens).reshape(*time.shape, -1), self._time(arrays.place(time))]
        told = arrays.concat([arrays.float32(codes[0]), features, arrays.float32(codes[1])])
        around = patches(arrays, told)
        x = self._inputs(around.reshape(-1, around.shape[-1]))
        x = arrays.clip_(x, -RES_MAX, RES_MAX).reshape(*time.shape, -1)
        for block in self._blocks[:-1]:
            x = block(x)
        x = rms_norm(arrays, self._blocks[-1](x, places)).reshape(batch * len(places), -1)
        told = features.reshape(batch, -1, features.shape[-1])[:, places].reshape(len(x), -1)
        y = arrays.clip_(self._head(arrays.concat([x, told])), -self._limit, self._limit)
        return arrays.take(y.reshape(-1, c.outputs), arrays.place(rows)), seen.guess[:, wanted].ravel()

    def _rows(self, wanted: NumpyArray, batch: int) -> tuple[Array, NumpyArray]:
        """The positions of the half-size grid that wanted dimensions [Q] lie in, [P], and where these are in what the
        head gives for them: intp [B * Q], into [B * P * dimensions]."""
        c = self.config
        y, x, channel = np.unravel_index(wanted, c.shape)
        places, inverse = np.unique(y // 2 * (c.shape[1] // 2) + x // 2, return_inverse=True)
        within = inverse * c.dimensions + (y % 2 * 2 + x % 2) * c.shape[2] + channel
        rows = np.arange(batch)[:, None] * (len(places) * c.dimensions) + within
        return self._arrays.place(places), rows.ravel()

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
