"""The exact layers for quantisation-aware training (QAT): real-valued, fake-quantized, differentiable.

Each layer here computes in real units what its namesake in ``layers/grid.py`` computes in integers, rounding to that
grid in the forward pass and letting the gradient straight through (Bengio et al. 2013, arXiv 1308.3432; QAT after
Jacob et al. 2018, arXiv 1712.05877). ``export`` returns the integer arrays that the
exact layer of the same name is built from, and ``adopt`` takes them back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ...backends.base import CODE_MAX, WEIGHT_MAX
from ...checkpoint import Arrays
from ..grid import ACT, RES, RES_MAX


class _FakeQuantize(torch.autograd.Function):
    """Round to a grid and clamp in few passes over memory; the gradient is that of the clamp alone."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, step: float, limit: int, rounded: bool) -> Tensor:
        ctx.bound = limit / step
        if rounded:
            y = (x * step).add_(0.5).floor_().clamp_(-limit, limit).mul_(1 / step)
        else:
            y = x.clamp(-ctx.bound, ctx.bound)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        (y,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(grad, y, -ctx.bound, ctx.bound), None, None, None


_UNLIMITED = 1 << 22  # steps of an output that is added to another before it is clamped


@runtime_checkable
class Exporting(Protocol):
    """A layer that a weight file has integer arrays of, named below the name of the layer."""

    def export(self) -> Arrays:
        """The arrays as the exact layer reads them."""
        ...

    def adopt(self, arrays: Arrays) -> None:
        """Set the parameters to what `export` gave, that is to themselves once rounded."""
        ...


def _exporting(net: nn.Module) -> Iterator[tuple[str, Exporting]]:
    """The layers with arrays, and what the names of their arrays begin with."""
    for name, module in net.named_modules():
        if isinstance(module, Exporting):
            yield f"{name}." if name else "", module


def exported(net: nn.Module) -> Arrays:
    """The integer arrays of all layers by the names that the exact networks read."""
    return {
        prefix + name: array for prefix, layer in _exporting(net) for name, array in layer.export().items()
    }


@torch.no_grad()
def adopt(net: nn.Module, arrays: Arrays) -> None:
    """Set a network to the weights that were `exported` from one of the same sizes; other arrays are left aside."""
    for prefix, layer in _exporting(net):
        layer.adopt({name.removeprefix(prefix): arrays[name] for name in arrays if name.startswith(prefix)})


class Rounding:
    """Whether training rounds: one switch that every layer of a network shares.

    Training starts without rounding, which is faster, and turns it on for its last part, which is enough for the
    weights to adapt to the grid. Clamping is always on.
    """

    on = True


def fake_quantize(x: Tensor, bits: int, limit: int) -> Tensor:
    """x on the grid of step 2**-bits, at most ``limit`` steps from zero; the gradient passes straight through."""
    y: Tensor = _FakeQuantize.apply(x, 2.0**bits, limit, Rounding.on)  # type: ignore[no-untyped-call]
    return y


def exponents(weight: Tensor) -> Tensor:
    """For each output channel of [outputs, inputs], the power of two that makes the most of -63..63, 0..20."""
    largest = weight.abs().amax(1).clamp_min(1e-9)
    return torch.floor(torch.log2(WEIGHT_MAX / largest)).clamp(0, 20)


def _integers(weight: Tensor) -> tuple[Tensor, Tensor]:
    """The weights as integers -63..63, and the exponents."""
    exponent = exponents(weight)
    integers = torch.floor(weight * torch.exp2(exponent)[:, None] + 0.5).clamp(-WEIGHT_MAX, WEIGHT_MAX)
    return integers, exponent


def on_the_grid(weight: Tensor) -> Tensor:
    """The nearest that 7 bits and an exponent for each output can be."""
    integers, exponent = _integers(weight)
    return integers * torch.exp2(-exponent)[:, None]


class Linear(nn.Module):
    """y = W x + b with 7-bit weights and one power-of-two exponent for each output channel.

    [..., inputs] -> [..., outputs] on the grid of step 2**-bits, clamped to ``limit`` steps. With ``fine`` weights of
    13 bits: of each the 7 bits and 7 of what they leave, see `grid.FineLinear`.
    """

    def __init__(
        self, inputs: int, outputs: int, bits: int, limit: int, gain: float = 1.0, fine: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * (gain / inputs**0.5))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.bits, self.limit, self.fine = bits, limit, fine

    def effective(self) -> tuple[Tensor, Tensor]:
        """Weight [outputs, inputs] and bias [outputs] as they act and are exported."""
        return self.weight, self.bias

    def rounded_weight(self) -> Tensor:
        """The weight on its grid, gradient straight through: [outputs, inputs]."""
        weight, _ = self.effective()
        if not Rounding.on:
            return weight
        return weight + (on_the_grid(weight.detach()) - weight).detach()

    def operands(self) -> tuple[Tensor, Tensor]:
        """What is multiplied and added, [n, inputs] and [n]: of a fine layer that is rounded twice as many, see
        `quantized`."""
        weight, bias = self.rounded_weight(), self.effective()[1]
        if not (self.fine and Rounding.on):
            return weight, bias
        rest = (self.effective()[0] - weight).detach()
        return torch.cat([weight, on_the_grid(rest)]), torch.cat([bias, torch.zeros_like(bias)])

    def quantized(self, y: Tensor) -> Tensor:
        """The outputs [..., outputs], on their grid, from the products of `operands` [..., n]."""
        if y.shape[-1] == len(self.bias):
            return fake_quantize(y, self.bits, self.limit)
        coarse, fine = fake_quantize(y, self.bits, _UNLIMITED).chunk(2, -1)
        return (coarse + fine).clamp(-self.limit / 2.0**self.bits, self.limit / 2.0**self.bits)

    def forward(self, x: Tensor) -> Tensor:
        return self.quantized(nn.functional.linear(x, *self.operands()).float())

    @staticmethod
    def together(layers: Sequence[Linear], x: Tensor) -> list[Tensor]:
        """Each layer's output for one input, from one product, which is faster than several narrow ones."""
        weight = torch.cat([layer.rounded_weight() for layer in layers])
        bias = torch.cat([layer.bias for layer in layers])
        y = nn.functional.linear(x, weight, bias).float()
        parts = torch.split(y, [len(layer.bias) for layer in layers], -1)
        return [fake_quantize(y, layer.bits, layer.limit) for layer, y in zip(layers, parts, strict=True)]

    def export(self) -> Arrays:
        """weight int8 [outputs, inputs], exponent int8 [outputs], bias int32 [outputs] in steps of the output; of a
        fine layer the outputs twice, see `grid.FineLinear`."""
        weight, bias = (part.detach().float().cpu() for part in self.effective())
        parts = [_integers(weight)]
        bias = torch.floor(bias * 2.0**self.bits + 0.5)
        if self.fine:
            parts.append(_integers(weight - on_the_grid(weight)))
            bias = torch.cat([bias, torch.zeros_like(bias)])
        integers, exponent = (torch.cat(part) for part in zip(*parts, strict=True))
        return {
            "weight": integers.to(torch.int8).numpy(),
            "exponent": exponent.to(torch.int8).numpy(),
            "bias": bias.to(torch.int32).numpy(),
        }

    def adopt(self, arrays: Arrays) -> None:
        """The inverse of `export`; a fine layer takes what is not fine, too.

        What that exports again has the same sums of coarse and fine, but may write half a coarse step in the other way.
        """
        weight, exponent, bias = (torch.from_numpy(arrays[name]) for name in ("weight", "exponent", "bias"))
        real = weight * torch.exp2(-exponent.float())[:, None]
        outputs = len(self.bias)
        self.weight.copy_(real.view(-1, *self.weight.shape).sum(0))
        self.bias.copy_(bias[:outputs] * 2.0**-self.bits)


def rms_norm(x: Tensor) -> Tensor:
    """x / rms(x) over the last axis on the activation grid (Zhang and Sennrich 2019, arXiv 1910.07467), no gain."""
    epsilon = 16.0 / 4.0**RES  # four steps of the residual stream, as in grid.rms_norm
    return fake_quantize(x * torch.rsqrt(x.square().mean(-1, keepdim=True) + epsilon), ACT, CODE_MAX)


def swish(x: Tensor) -> Tensor:
    """x * clip((x + 2) / 4, 0, 1): the hard swish whose breakpoints are powers of two. Exact on the grid."""
    return x * ((x + 2) * 0.25).clamp(0, 1)


class Embedding(nn.Module):
    """A table of rows on the activation grid: indices [...] -> [..., width]."""

    def __init__(self, rows: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(rows, width) * 0.5)

    def forward(self, index: Tensor) -> Tensor:
        return fake_quantize(nn.functional.embedding(index, self.table), ACT, CODE_MAX)

    def export(self) -> Arrays:
        """table int8 [rows, width]."""
        q = torch.floor(self.table.detach().float().cpu() * 2.0**ACT + 0.5).clamp(-CODE_MAX, CODE_MAX)
        return {"table": q.to(torch.int8).numpy()}

    def adopt(self, arrays: Arrays) -> None:
        """The inverse of `export`."""
        self.table.copy_(torch.from_numpy(arrays["table"]) * 2.0**-ACT)


class GatedMLP(nn.Module):
    """x + W_out(swish(W_gate n) * W_up n), n = rms_norm(x) (Shazeer 2020, arXiv 2002.05202)."""

    def __init__(self, width: int, hidden: int, depth: int) -> None:
        super().__init__()
        self.gate = Linear(width, hidden, ACT, CODE_MAX)
        self.up = Linear(width, hidden, ACT, CODE_MAX)
        self.out = Linear(hidden, width, RES, RES_MAX, gain=depth**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        n = rms_norm(x)
        gate, up = Linear.together((self.gate, self.up), n)
        return fake_quantize(x + self.out(fake_quantize(swish(gate) * up, ACT, CODE_MAX)), RES, RES_MAX)
