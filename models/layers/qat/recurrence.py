"""The gated linear recurrence in training, with a gradient of its own: one pass back over what was kept on the way."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..grid import GATE, STATE
from .modules import Rounding


class _Recurrence(torch.autograd.Function):
    """h_t = a_t h_{t-1} + (1 - a_t) c_t along the first axis, a = sigmoid(forget), rounded as grid.Recurrent is."""

    @staticmethod
    def forward(ctx: Any, forget: Tensor, c: Tensor, h0: Tensor, rounded: bool) -> Tensor:
        gate, step = torch.sigmoid(forget), 2.0**STATE
        if rounded:
            gate.mul_(2.0**GATE).add_(0.5).floor_().mul_(2.0**-GATE)
        states, h = torch.sub(1, gate).mul_(c), h0  # starts as what is new at each step
        for a, now in zip(gate, states, strict=True):
            now.addcmul_(a, h)
            if rounded:
                now.mul_(step).add_(0.5).floor_().mul_(1 / step)
            h = now
        ctx.save_for_backward(gate, c, h0, states)
        return states

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        gate, c, h0, states = ctx.saved_tensors
        total = grad.clone()
        for t in range(len(gate) - 1, 0, -1):
            total[t - 1].addcmul_(gate[t], total[t])
        before = torch.cat([h0[None], states[:-1]])
        d_candidate = torch.sub(1, gate).mul_(total)
        d_forget = before.sub_(c).mul_(d_candidate).mul_(gate)  # d sigmoid = gate (1 - gate)
        return d_forget, d_candidate, total[0] * gate[0], None


def recurrence(forget: Tensor, candidate: Tensor, state: Tensor) -> Tensor:
    """All states [T, L, E] of the gated linear recurrence from logits and candidates [T, L, E] and state [L, E]."""
    states: Tensor = _Recurrence.apply(forget, candidate, state, Rounding.on)  # type: ignore[no-untyped-call]
    return states
