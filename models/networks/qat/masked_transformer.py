"""The masked transformer for QAT: ``masked_transformer``, layer by layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...backends.base import CODE_MAX
from ...checkpoint import Arrays
from ...layers.attention import ATTENDED, HEAD, POSITION, POSITION_MAX, SCORE, weight_max
from ...layers.grid import ACT, LOGIT, LOGIT_MAX, RES, RES_MAX
from ...layers.qat.modules import Embedding, GatedMLP, Linear, Rounding, fake_quantize, rms_norm
from ..masked_transformer import TransformerConfig
from ..windows import table_rows

_SMOOTHING = 4.0  # symbols of the overall distribution that are added to every row of counts
_POOLED = 0.2  # share of each window in the first guess


class Attention(nn.Module):
    """x + W_out softmax(q k^T / sqrt(d) + b) v over all positions, n = rms_norm(x) (see attention.Attention)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width, inner = config.width, config.heads * HEAD
        self.heads, self.length = config.heads, config.length
        self.query = Linear(width, inner, ACT, CODE_MAX, gain=1.4)
        self.key = Linear(width, inner, ACT, CODE_MAX, gain=1.4)
        self.value = Linear(width, inner, ACT, CODE_MAX)
        self.out = Linear(inner, width, RES, RES_MAX, gain=config.depth**-0.5)
        # How far away a position is, for each head: nearer ones weigh more at the start, by head.
        distance = torch.arange(1 - self.length, self.length).abs()
        slopes = torch.exp2(-torch.arange(config.heads) * 1.5 - 1)
        self.position = nn.Parameter(-slopes[:, None] * distance.clamp_max(64))

    def forward(self, x: Tensor) -> Tensor:
        """Residual [B, L, D] -> the same."""
        batch, length, _ = x.shape
        n = rms_norm(x)
        q, k, v = (
            y.view(batch, length, self.heads, HEAD).transpose(1, 2)
            for y in Linear.together((self.query, self.key, self.value), n)
        )
        bias = fake_quantize(self.position, POSITION, POSITION_MAX)
        i = torch.arange(length, device=x.device)
        bias = bias[:, i - i[:, None] + self.length - 1]
        if Rounding.on:
            o = self._rounded(q, k, v, bias)
        else:
            o = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        o = fake_quantize(o.transpose(1, 2).reshape(batch, length, -1).float(), ATTENDED, CODE_MAX)
        return fake_quantize(x + self.out(o), RES, RES_MAX)

    def export(self) -> Arrays:
        """position int16 [heads, 2 L - 1], what a distance adds to the scores, in steps of 2**-POSITION; the products
        have their own."""
        steps = torch.floor(self.position.detach().cpu() * 2.0**POSITION + 0.5)
        return {"position": steps.clamp(-POSITION_MAX, POSITION_MAX).to(torch.int16).numpy()}

    def adopt(self, arrays: Arrays) -> None:
        """The inverse of `export`."""
        self.position.copy_(torch.from_numpy(arrays["position"]) * 2.0**-POSITION)

    def _rounded(self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
        """Attention with scores and weights on the grid of the exact layer."""
        score = fake_quantize((q @ k.transpose(-1, -2)) * HEAD**-0.5 + bias, SCORE, 1 << 22)
        most = weight_max(self.length)
        weight = torch.exp(score - score.detach().amax(-1, keepdim=True))
        rounded = torch.floor(weight.detach() * most + 0.5) / most
        weight = weight + (rounded - weight).detach()
        return (weight @ v) / weight.sum(-1, keepdim=True)


class Transformer(nn.Module):
    """Logits of positions from the windows around it and how much of the chunk is known.

    The windows' tables have one column for each symbol and start as log-probabilities that were counted (`start_from`);
    the head sees them directly, beside what the layers make of them.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        c = self.config = config
        self.windows = nn.ModuleList(
            Embedding(table_rows(window, c.alphabet), c.alphabet) for window in c.windows
        )
        self.place = Embedding(c.length, c.embed)
        self.time = Embedding(c.times, c.embed)
        told = c.alphabet * len(c.windows)
        self.inputs = Linear(told + 2 * c.embed, c.width, RES, RES_MAX)
        self.attention = nn.ModuleList(Attention(c) for _ in range(c.depth))
        self.mlps = nn.ModuleList(GatedMLP(c.width, c.hidden, c.depth) for _ in range(c.depth))
        self.head = Linear(c.width + told, c.alphabet, LOGIT, LOGIT_MAX, gain=0.1)

    def forward(self, rows: Tensor, times: Tensor, wanted: Tensor) -> Tensor:
        """rows [windows, B, L] and times [B], int64 -> logits [N, K] of the positions wanted [N], into [B * L].

        The last MLP and the head, most of the work, are computed for these alone.
        """
        _, batch, length = rows.shape
        told = torch.cat([table(row) for table, row in zip(self.windows, rows, strict=True)], -1)
        place = self.place(torch.arange(length, device=rows.device)).expand(batch, -1, -1)
        time = self.time(times)[:, None].expand(-1, length, -1)
        x = self.inputs(torch.cat([told, place, time], -1))
        *before, (attention, mlp) = zip(self.attention, self.mlps, strict=True)
        for earlier, between in before:
            x = between(earlier(x))
        x, told = (y.flatten(0, 1).index_select(0, wanted) for y in (attention(x), told))
        logits: Tensor = self.head(torch.cat([rms_norm(mlp(x)), told], -1))
        return logits

    @torch.no_grad()
    def start_from(self, counts: list[Tensor]) -> None:
        """Start from counts [rows, K] of the symbol at a masked position, for each window.

        A table holds ln p(symbol | window) - ln p(symbol), smoothed, and the head adds up a fifth of each: log-linear
        pooling (Hinton 2002), which training then corrects.
        """
        alphabet, width = self.config.alphabet, self.config.width
        overall = counts[-1].sum(0) + 1  # a symbol may be missing from a small text
        prior = overall / overall.sum()
        tables = [module for module in self.windows if isinstance(module, Embedding)]
        for i, (table, seen) in enumerate(zip(tables, counts, strict=True)):
            if self.config.windows[i][1] == (0,):
                continue  # says which symbol is known here, and nothing of a masked one
            p = (seen + _SMOOTHING * prior) / (seen.sum(1, keepdim=True) + _SMOOTHING)
            table.table.copy_((p / prior).log())
            at = width + alphabet * i
            self.head.weight[:, at : at + alphabet] = _POOLED * torch.eye(alphabet)
        self.head.bias.copy_(prior.log())
