"""Autoregressive diffusion in training: one random step of one random order for each item.

Hoogeboom et al. 2021 (arXiv 2110.02037), equation 4: of D dimensions a random n are known, and the loss is D times the
mean over the others of what they cost, which is D / (D - t + 1) times the sum, t = n + 1. The upscale variant (section
3.2) does so for one digit of every value, given the digits above.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ...compressor.errors import CatzipError
from ..arrays import NumpyArray
from ..attention import attention_table
from ..checkpoint import Arrays
from ..grid import exp_table
from ..logistics import logistic_tables
from ..nets import ConvNetConfig, TransformerConfig
from ..pixels import look, to_depth
from ..windows import table_rows, window_rows
from .convnet import ConvNet, Mixture, digit_bits
from .data import to_symbols
from .layers import Embedding, Linear, half_precision
from .masks import Batch, in_order, joined, masked
from .mosaics import tiles
from .orders import scheduled
from .recipe import Schedule
from .transformer import Attention, Transformer

_COUNTED = 1 << 25  # symbols whose windows are counted before training
_SCHEDULED_ON, _SCHEDULED_SYMBOLS = (
    12,
    1 << 13,
)  # held-out items of a corpus on which schedules are measured, at least
_AT_ONCE = 1 << 12  # items whose windows are counted at once


class MaskedTwin(Protocol):
    """What the task asks of a network in training, of any medium."""

    size: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an item."""
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
        """Data as items to draw from: see `draw`."""
        ...

    def draw(self, items: NumpyArray, count: int, rng: np.random.Generator) -> NumpyArray:
        """``count`` random items: uint8 [count, D]."""
        ...

    def bits(self, batch: Batch) -> Tensor:
        """What each dimension would cost, were it coded next: [B, D]."""
        ...

    def prepare(self, texts: list[NumpyArray], shares: list[float], rng: np.random.Generator) -> None:
        """Start the weights from the data, where that beats random ones."""
        ...

    def tables(self) -> Arrays:
        """What a checkpoint stores beside the layers."""
        ...


class TextTwin:
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

    def draw(self, items: NumpyArray, count: int, rng: np.random.Generator) -> NumpyArray:
        starts = rng.integers(0, len(items) - self.size, count)
        drawn: NumpyArray = items[starts[:, None] + np.arange(self.size)]
        return drawn

    def bits(self, batch: Batch) -> Tensor:
        c = self.config
        rows = torch.from_numpy(self._rows(batch).astype(np.int64)).to(self._device)
        times = torch.from_numpy(batch.known.sum(1) * c.times // c.length).to(self._device)
        with half_precision(self._device):
            logits = self.net(rows, times).float()
        symbols = torch.from_numpy(batch.symbols.astype(np.int64)).to(self._device)
        return nn.functional.cross_entropy(logits.transpose(1, 2), symbols, reduction="none") / math.log(2)

    def prepare(self, texts: list[NumpyArray], shares: list[float], rng: np.random.Generator) -> None:
        """Count the symbols of masked positions for every row of every window."""
        c = self.config
        counts = [np.zeros(table_rows(window, c.alphabet) * c.alphabet) for window in c.windows]
        weights = np.array(shares) / np.sum(shares)
        for _ in range(_COUNTED // (_AT_ONCE * self.size)):
            text = texts[rng.choice(len(texts), p=weights)]
            batch = masked(self.draw(text, _AT_ONCE, rng), 1, rng)
            rows, symbols = self._rows(batch)[:, ~batch.known], batch.symbols[~batch.known]
            for row, count in zip(rows, counts, strict=True):
                count += np.bincount(row * c.alphabet + symbols, minlength=len(count))
        self.net.start_from([torch.from_numpy(count).float().view(-1, c.alphabet) for count in counts])

    def tables(self) -> Arrays:
        layers = [layer for layer in self.net.modules() if isinstance(layer, Attention)]
        positions = {f"attention.{i}.position": layer.rounded_position() for i, layer in enumerate(layers)}
        return {"exp": exp_table(), "attention.exp": attention_table(self.size), **positions}

    def _rows(self, batch: Batch) -> NumpyArray:
        seen = np.where(batch.known, batch.symbols, self.config.alphabet).astype(np.uint8)
        return window_rows(seen, self.config.alphabet, self.config.windows)


class ImageTwin:
    """Images under a convolutional network."""

    def __init__(self, model: dict[str, Any], device: torch.device) -> None:
        c = self.config = ConvNetConfig.from_json(model)
        self.net = ConvNet(c).to(device)
        self.shape, self.size, self.stages, self._device = c.shape, math.prod(c.shape), c.stages, device

    def items(self, data: bytes) -> NumpyArray:
        """uint8 [N, D]."""
        return tiles(data, self.shape).reshape(-1, self.size)

    def draw(self, items: NumpyArray, count: int, rng: np.random.Generator) -> NumpyArray:
        """Random images, half of them mirrored."""
        drawn = items[rng.integers(0, len(items), count)].reshape(count, *self.config.shape)
        mirrored = np.where(rng.random(count)[:, None, None, None] < 0.5, drawn[:, :, ::-1], drawn)
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


class ArdmTask:
    """What the training loop asks of a family: see ``families.Task``."""

    def __init__(
        self, model: dict[str, Any], coding: dict[str, Any], schedule: Schedule, device: torch.device
    ) -> None:
        twins: dict[str, type[TextTwin] | type[ImageTwin]] = {
            "transformer": TextTwin,
            "convolution": ImageTwin,
        }
        rest = {key: value for key, value in model.items() if key != "network"}
        self.twin: MaskedTwin = twins[model["network"]](rest, device)
        self.net, self._schedule, self._device = self.twin.net, schedule, device

    def prepare(self, data: list[bytes], shares: list[float], seed: int) -> None:
        """Before the first step of a run: see `MaskedTwin.prepare`."""
        self.twin.prepare([self.twin.items(part) for part in data], shares, np.random.default_rng(seed))

    def advance(self, progress: float) -> None:
        """Nothing: all of the network takes part from the start."""

    def batches(self, data: list[bytes], shares: list[float], seed: int) -> Iterator[Batch]:
        """Endless training batches of ``lanes`` items."""
        rng, weights = np.random.default_rng(seed), np.array(shares) / np.sum(shares)
        items = [self.twin.items(part) for part in data]
        while True:
            picked = rng.choice(len(items), self._schedule.lanes, p=weights)
            drawn = [self.twin.draw(items[i], int((picked == i).sum()), rng) for i in range(len(items))]
            mixed = rng.permutation(np.concatenate(drawn))
            ordered = int(self._schedule.ordered * len(mixed))
            yield joined([masked(mixed[ordered:], self.twin.stages, rng), in_order(mixed[:ordered], rng)])

    def loss(self, batch: Batch) -> Tensor:
        """Mean bits of what is wanted: for random subsets an unbiased estimate of the bound on the code length; and, if
        the schedule says so, a little of their plain cross-entropy, which the paper adds."""
        return self._mean(batch, self._schedule.cross_entropy)

    @torch.no_grad()
    def validate(self, data: list[bytes], items: int = 512) -> float:
        """Bits for each dimension of ``items`` random items of each text, one random step of each."""
        rng, losses = np.random.default_rng(0), []
        for part in data:
            found = self.twin.items(part)
            for _ in range(items // 32):
                batch = masked(self.twin.draw(found, 32, rng), self.twin.stages, rng)
                losses.append(float(self._mean(batch, 0.0)))
        return float(np.mean(losses))

    def _mean(self, batch: Batch, cross_entropy: float) -> Tensor:
        """The bound for each dimension, and so much of the cross-entropy."""
        wanted = batch.wanted
        share = wanted / wanted.sum(1, keepdims=True) + cross_entropy * wanted / self.twin.size
        weight = torch.from_numpy(share.astype(np.float32)).to(self._device)
        mean: Tensor = (self.twin.bits(batch) * weight).sum() * (self.twin.stages / len(wanted))
        return mean

    def export(self, data: list[bytes]) -> Arrays:
        """Integer arrays by the names that ``models.nets`` reads, and schedules measured on held-out data."""
        arrays: Arrays = {}
        for name, module in self.net.named_modules():
            if isinstance(module, Linear | Embedding):
                arrays |= {f"{name}.{key}": array for key, array in module.export().items()}
        rng, count = np.random.default_rng(1), max(_SCHEDULED_ON, _SCHEDULED_SYMBOLS // self.twin.size)
        items = np.concatenate([self.twin.draw(self.twin.items(part), count, rng) for part in data])

        def bits(items: NumpyArray, stages: NumpyArray, known: NumpyArray) -> Tensor:
            return self.twin.bits(Batch(items, stages, known, ~known))

        return arrays | self.twin.tables() | scheduled(bits, items, self.twin.stages, self.twin.shape)
