"""The autoregressive model in training: ``models/networks/recurrent.py`` for QAT, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...backends.base import CODE_MAX
from ...checkpoint import Arrays
from ...layers.grid import (
    ACT,
    FORGET,
    FORGET_MAX,
    LOGIT,
    LOGIT_MAX,
    RES,
    RES_MAX,
    STATE,
    STATE_MAX,
    exp_table,
    sigmoid_table,
)
from ...layers.qat.modules import Embedding, GatedMLP, Linear, exported, fake_quantize, rms_norm, swish
from ...layers.qat.precision import half_precision
from ...layers.qat.recurrence import recurrence
from ...mixing.contexts import MATCH_LENGTHS, match_rows
from ...networks.recurrent import AutoregressiveConfig
from ...training.datasets import Batch, text_batches, to_symbols
from ...training.schedule import Schedule
from ...training.task import Growth, Sizes, Task
from .coding_config import CodingConfig


class Recurrent(nn.Module):
    """A gated linear recurrence with a swish output gate on a residual stream (see grid.Recurrent)."""

    def __init__(self, width: int, state: int, depth: int) -> None:
        super().__init__()
        self.forget = Linear(width, state, FORGET, FORGET_MAX)
        self.candidate = Linear(width, state, STATE, STATE_MAX)
        self.gate = Linear(width, state, ACT, CODE_MAX)
        self.out = Linear(state, width, RES, RES_MAX, gain=depth**-0.5)
        with torch.no_grad():  # time constants from a couple of symbols to a couple of hundred
            self.forget.bias.copy_(torch.linspace(0.0, 5.5, state))

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """x [T, L, D] and the state before it [L, E] -> x + the layer's output [T, L, D], and the state after it."""
        n = rms_norm(x)
        forget, candidate, gate = Linear.together((self.forget, self.candidate, self.gate), n)
        h = recurrence(forget, candidate, state)
        o = fake_quantize(fake_quantize(h, 8, 1 << 10) * swish(gate), ACT, CODE_MAX)
        return fake_quantize(x + self.out(o), RES, RES_MAX), h[-1]


class AutoregressiveNet(nn.Module):
    """Logits of the next symbol from n-gram rows, match features and recurrent state."""

    def __init__(self, config: AutoregressiveConfig) -> None:
        super().__init__()
        self.config = config
        c = config
        self.ngrams = nn.ModuleList(Embedding(1 << bits, c.embed) for _, bits in c.ngrams)
        self.match = Embedding(c.alphabet * MATCH_LENGTHS, c.embed)
        self.inputs = Linear(c.embed * (len(c.ngrams) + 1), c.width, RES, RES_MAX)
        self.recurrent = nn.ModuleList(Recurrent(c.width, c.state, c.depth) for _ in range(c.depth))
        self.mlps = nn.ModuleList(
            GatedMLP(c.width, c.hidden, c.depth) for _ in range(c.depth if c.hidden else 0)
        )
        self.head = Linear(c.width, c.alphabet, LOGIT, LOGIT_MAX)

    def forward(self, rows: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
        """rows [G + 1, T, L] int64 (n-grams, then the match), states [depth, L, E] -> logits [T, L, K], states."""
        tables = [*self.ngrams, self.match]
        x = self.inputs(torch.cat([table(r) for table, r in zip(tables, rows, strict=True)], -1))
        after = []
        for i, layer in enumerate(self.recurrent):
            x, h = layer(x, states[i])
            after.append(h)
            if self.config.hidden:
                x = self.mlps[i](x)
        return self.head(rms_norm(x)), torch.stack(after)


def is_grown(small: Sizes, large: Sizes) -> bool:
    """Whether a network of the sizes ``large`` can make what one of the sizes ``small`` makes.

    The upper bits of a hash choose the row of an n-gram table, so a table of twice the rows begins with each row twice;
    a layer on the residual stream that was not there adds nothing at first, for the last product in it begins as zero.
    A network that is told all of an expected symbol begins as one that is told 4 bits, see `match_rows_of`.
    """
    told = [table.get("whole_match", False) for table in (small, large)]
    small, large = (
        {key: each for key, each in table.items() if key != "whole_match"} for table in (small, large)
    )
    if told == [True, False]:
        return False
    may = {"depth", "hidden", "ngrams"}
    if not may <= small.keys() or {**large, **{key: small[key] for key in may}} != small:
        return False
    pairs = list(zip(small["ngrams"], large["ngrams"], strict=False))
    return (
        small["depth"] <= large["depth"]
        and small["hidden"] in (0, large["hidden"])
        and len(small["ngrams"]) == len(large["ngrams"])
        and all(a == b or (a[0] == b[0] > 1 and a[1] < b[1]) for a, b in pairs)
    )


def match_rows_of(name: str, small: Sizes, large: Sizes) -> list[int] | None:
    """Rows of a table of the smaller network that the rows of the larger one's begin as, where they are not the same.

    That is so for the table of matches, where the larger network is told all of an expected symbol, and only it.
    """
    if name != "match.table" or small.get("whole_match", False) == large.get("whole_match", False):
        return None
    symbols, lengths = np.divmod(np.arange(large["alphabet"] * MATCH_LENGTHS), MATCH_LENGTHS)
    rows: list[int] = match_rows(symbols, lengths).tolist()
    return rows


class AutoregressiveTask(Task):
    """Lanes of text, and the bits of each next symbol."""

    growth = Growth(
        is_grown,
        "What may differ is the depth, a hidden that was 0, and the rows of n-grams of two symbols or more, and none "
        "may be smaller; and whole_match may be true where it was not",
        match_rows_of,
    )

    def __init__(
        self, model: dict[str, Any], coding: dict[str, Any], schedule: Schedule, device: torch.device
    ) -> None:
        self.config, self.coding = AutoregressiveConfig.from_json(model), CodingConfig.from_json(coding)
        self.schedule, self.device = schedule, device
        self.net = AutoregressiveNet(self.config).to(device)
        self._states = self._fresh_states(schedule.groups * schedule.lanes)

    def _fresh_states(self, lanes: int) -> Tensor:
        return torch.zeros(self.config.depth, lanes, self.config.state, device=self.device)

    def batches(self, data: list[bytes], shares: list[float], seed: int) -> Iterator[Batch]:
        """Endless training batches."""
        s = self.schedule
        texts = [to_symbols(text, self.config.alphabet) for text in data]
        return text_batches(
            texts,
            shares,
            self.config.ngrams,
            groups=s.groups,
            lanes=s.lanes,
            steps=s.steps,
            seed=seed,
            whole_match=self.config.whole_match,
        )

    def loss(self, batch: Batch) -> Tensor:
        """Mean bits of a symbol, a scalar; the states of the lanes run on to the next call, without gradient."""
        loss, states = self._bits(batch, self._states)
        self._states = states.detach()
        return loss

    def _bits(self, batch: Batch, states: Tensor) -> tuple[Tensor, Tensor]:
        keep = torch.from_numpy(~batch.fresh).to(self.device)
        rows = torch.from_numpy(batch.rows).to(self.device)
        if not self.coding.match:
            rows[-1] = 0  # no match
        symbols = torch.from_numpy(batch.symbols.astype(np.int64)).to(self.device)
        with half_precision(self.device):
            logits, states = self.net(rows, states * keep[:, None])
        nats = nn.functional.cross_entropy(logits.flatten(0, 1), symbols.flatten())
        return nats / math.log(2), states

    @torch.no_grad()
    def validate(self, data: list[bytes], limit: int = 1 << 18) -> dict[str, float]:
        """Bits for each symbol over the start of each text, in lanes of 2,048 symbols."""
        total, count = 0.0, 0
        for text in data:
            symbols = to_symbols(text[: 2 * limit], self.config.alphabet)
            lanes = max(1, min(limit, len(symbols)) // 2048)
            stretch = symbols[: lanes * 2048]
            batches = text_batches(
                [stretch],
                [1.0],
                self.config.ngrams,
                groups=1,
                lanes=lanes,
                steps=256,
                seed=0,
                lengths=(2048,),
                whole_match=self.config.whole_match,
            )
            states = self._fresh_states(lanes)
            for _ in range(8):
                batch = next(batches)
                bits, states = self._bits(batch, states)
                total, count = total + float(bits) * batch.symbols.size, count + batch.symbols.size
        return {"validation": total / count}

    def export(self, data: list[bytes]) -> Arrays:
        """Integer arrays by the names that ``networks.recurrent`` and the mixture read."""
        tables = {"sigmoid": sigmoid_table(), "exp": exp_table()}
        if self.coding.mixing:
            tables |= self.coding.mixing.tables()
        return exported(self.net) | tables


TASK = AutoregressiveTask
