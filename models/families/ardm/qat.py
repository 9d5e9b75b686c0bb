"""The networks of autoregressive diffusion in training, for text and for images: what is sampled, and what it costs."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ....compressor.errors import CatzipError
from ...backends.base import NumpyArray
from ...checkpoint import Arrays
from ...layers.attention import attention_table
from ...layers.grid import exp_table
from ...layers.logistics import logistic_tables
from ...layers.qat.precision import half_precision
from ...networks.masked_convnet import ConvNetConfig
from ...networks.masked_transformer import TransformerConfig
from ...networks.pixels import look, to_depth
from ...networks.qat.masked_convnet import ConvNet, Mixture, digit_bits
from ...networks.qat.masked_transformer import Transformer
from ...networks.windows import table_rows, window_rows
from ...training.datasets import to_symbols
from ...training.mosaics import tiles
from .masks import Batch, masked

_COUNTED = 1 << 25  # symbols whose windows are counted before training
_AT_ONCE = 1 << 12  # items whose windows are counted at once


class MaskedTrainer(Protocol):
    """What the task asks of a network in training and of its data, of any medium."""

    size: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an item."""
        ...

    @property
    def stages(self) -> int:
        """Digits of a value."""
        ...

    @property
    def net(self) -> nn.Module:
        """The network."""
        ...

    def items(self, data: bytes) -> NumpyArray:
        """Data as items to sample from: see `sample`."""
        ...

    def sample(self, items: NumpyArray, count: int, rng: np.random.Generator) -> NumpyArray:
        """``count`` random items: uint8 [count, D]."""
        ...

    def bits(self, batch: Batch) -> Tensor:
        """What each wanted dimension would cost, were it coded next: [B, D]. Others have any number, or 0."""
        ...

    def prepare(self, texts: list[NumpyArray], shares: list[float], rng: np.random.Generator) -> None:
        """Start the weights from the data, where that beats random ones."""
        ...

    def tables(self) -> Arrays:
        """What a checkpoint stores beside the layers."""
        ...


class TextTrainer:
    """Chunks of text under a transformer."""

    stages = 1

    def __init__(self, model: dict[str, Any], device: torch.device) -> None:
        self.config = TransformerConfig.from_json(model)
        self.net = Transformer(self.config).to(device)
        self.size, self.shape, self._device = self.config.length, (self.config.length,), device

    def items(self, data: bytes) -> NumpyArray:
        """A chunk may start at any symbol of it."""
        symbols = to_symbols(data, self.config.alphabet)
        if len(symbols) <= self.size:
            raise CatzipError(f"a corpus has {len(symbols)} symbols; a chunk takes {self.size}")
        return symbols

    def sample(self, items: NumpyArray, count: int, rng: np.random.Generator) -> NumpyArray:
        starts = rng.integers(0, len(items) - self.size, count)
        chunks: NumpyArray = items[starts[:, None] + np.arange(self.size)]
        return chunks

    def bits(self, batch: Batch) -> Tensor:
        c = self.config
        rows = torch.from_numpy(self._rows(batch).astype(np.int64)).to(self._device)
        times = torch.from_numpy(batch.known.sum(1) * c.times // c.length).to(self._device)
        wanted = torch.from_numpy(np.flatnonzero(batch.wanted)).to(self._device)
        with half_precision(self._device):
            logits = self.net(rows, times, wanted).float()
        symbols = torch.from_numpy(batch.symbols.astype(np.int64)).to(self._device).flatten()[wanted]
        bits = nn.functional.cross_entropy(logits, symbols, reduction="none") / math.log(2)
        found = torch.zeros(batch.symbols.shape, device=self._device).flatten()
        return found.index_copy(0, wanted, bits).view(batch.symbols.shape)

    def prepare(self, texts: list[NumpyArray], shares: list[float], rng: np.random.Generator) -> None:
        """Count the symbols of masked positions for every row of every window."""
        c = self.config
        counts = [np.zeros(table_rows(window, c.alphabet) * c.alphabet) for window in c.windows]
        weights = np.array(shares) / np.sum(shares)
        for _ in range(_COUNTED // (_AT_ONCE * self.size)):
            text = texts[rng.choice(len(texts), p=weights)]
            batch = masked(self.sample(text, _AT_ONCE, rng), 1, rng)
            rows, symbols = self._rows(batch)[:, ~batch.known], batch.symbols[~batch.known]
            for row, count in zip(rows, counts, strict=True):
                count += np.bincount(row * c.alphabet + symbols, minlength=len(count))
        self.net.start_from([torch.from_numpy(count).float().view(-1, c.alphabet) for count in counts])

    def tables(self) -> Arrays:
        return {"exp": exp_table(), "attention.exp": attention_table(self.size)}

    def _rows(self, batch: Batch) -> NumpyArray:
        seen = np.where(batch.known, batch.symbols, self.config.alphabet).astype(np.uint8)
        return window_rows(seen, self.config.alphabet, self.config.windows)


class ImageTrainer:
    """Images under a convolutional network."""

    def __init__(self, model: dict[str, Any], device: torch.device) -> None:
        c = self.config = ConvNetConfig.from_json(model)
        self.net = ConvNet(c).to(device)
        self.shape, self.size, self.stages, self._device = c.shape, math.prod(c.shape), c.stages, device

    def items(self, data: bytes) -> NumpyArray:
        """uint8 [N, D]."""
        return tiles(data, self.shape).reshape(-1, self.size)

    def sample(self, items: NumpyArray, count: int, rng: np.random.Generator) -> NumpyArray:
        """Random images, half of them mirrored."""
        images = items[rng.integers(0, len(items), count)].reshape(count, *self.config.shape)
        mirrored = np.where(rng.random(count)[:, None, None, None] < 0.5, images[:, :, ::-1], images)
        return mirrored.reshape(count, self.size)

    def bits(self, batch: Batch) -> Tensor:
        c = self.config
        order = np.argsort(batch.stages, kind="stable")  # `look` takes images of one stage at a time
        groups = [order[batch.stages[order] == stage] for stage in range(c.stages)]
        seen = [
            look(batch.symbols[group], batch.known[group], stage, c.digits, c.shape, c.reaches)
            for stage, group in enumerate(groups)
        ]
        stages, known = batch.stages[order], batch.known[order]
        times = stages * c.times + known.sum(1) * c.times // self.size
        tokens, features, guess = (
            torch.from_numpy(np.concatenate(parts)).to(self._device)
            for parts in zip(*((s.tokens, s.features, self._deep(s.guess)) for s in seen), strict=True)
        )
        with half_precision(self._device):
            y = self.net(tokens, features, torch.from_numpy(times).to(self._device)).float()
        values = torch.from_numpy(self._deep(batch.symbols[order].astype(np.int64))).to(self._device)
        shift = torch.from_numpy((c.stages - 1 - stages) * c.digits.bits).to(self._device)[
            :, None, None, None
        ]
        bits = self._digit_bits(y, guess, values, shift)
        deep = bits.view(*bits.shape[:-1], 2, 2, c.shape[2]).permute(0, 1, 3, 2, 4, 5)
        return deep.flatten(1)[torch.from_numpy(np.argsort(order)).to(self._device)]

    def _digit_bits(self, y: Tensor, guess: Tensor, values: Tensor, shift: Tensor) -> Tensor:
        c = self.config
        if c.output == "logistics":
            mixture = Mixture(y, guess, c.components)
            return digit_bits(mixture, values, shift, c.base, c.base**c.stages - 1)
        digits = values >> shift & c.base - 1
        return nn.functional.cross_entropy(y.flatten(0, -2), digits.flatten(), reduction="none").view_as(
            digits
        ) / math.log(2)

    def _deep(self, x: NumpyArray) -> NumpyArray:
        return to_depth(x.reshape(-1, *self.config.shape))

    def prepare(self, texts: list[NumpyArray], shares: list[float], rng: np.random.Generator) -> None:
        """Nothing: the guesses of ``pixels`` are the start."""

    def tables(self) -> Arrays:
        return {"exp": exp_table(), **logistic_tables()}
