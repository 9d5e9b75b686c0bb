"""Integer discrete flows in training: ``factor_out``, ``couplings`` and ``flow`` with fake-quantized layers.

Modules are named as the tensors of a weight file, such as `factors` for the priors of the factor-out.

Gradients pass straight through the rounding of a translation, as in Hoogeboom et al. 2019 (arXiv 1905.07376), section
3.1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ....compressor.errors import CatzipError
from ...backends.base import CODE_MAX
from ...checkpoint import Arrays
from ...layers.grid import ACT, RES, RES_MAX
from ...layers.logistics import FLOOR, HALVES, MEAN, MEAN_MAX
from ...layers.qat.modules import Linear, fake_quantize, rms_norm, swish
from ...networks.qat.masked_convnet import Block, Conv, Mixture
from .couplings import SHIFT, SHIFT_MAX, CouplingConfig
from .factor_out import BESIDE, NEUTRAL
from .flow import BASE, FlowConfig
from .squeeze import FACTORED_OUT, GREY, MARGIN, NEAREST, PHASES, FactoredOut, Size

_MOST = 255
_SPREAD = (0.3, 2.5)  # ln(scale) of the components at the start: scales of 1 to 12 levels


class FactorOutPrior(nn.Module):
    """See `factor_out.FactorOutPrior`."""

    def __init__(self, config: FlowConfig, out: FactoredOut) -> None:
        super().__init__()
        c, features = config, out.features(config.channels)
        self.inputs = Linear(features, c.width, RES, RES_MAX, fine="inputs" in c.fine)
        self.blocks = nn.ModuleList(
            Block(c.width, c.hidden, len(FACTORED_OUT) * c.depth) for _ in range(c.depth)
        )
        self.heads = nn.ModuleList(
            Linear(
                c.width + features + BESIDE * channel,
                3 * c.components,
                MEAN,
                MEAN_MAX,
                gain=0.05,
                fine="heads" in c.fine,
            )
            for channel in range(c.channels)
        )
        for head in self.heads:
            assert isinstance(head, Linear)
            head.bias.data.view(3, c.components)[2] = torch.linspace(*_SPREAD, c.components)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """`factor_out.FactorOutPrior.stream`, in real units."""
        x = fake_quantize(x + self.inputs(seen), RES, RES_MAX)
        for block in self.blocks:
            x = block(x)
        return x


class Translation(Linear):
    """The last layer of a coupling's network. With rezero its outputs start at zero (IDF++), by a scale that becomes a
    part of the weights at export."""

    def __init__(self, inputs: int, outputs: int, rezero: bool) -> None:
        super().__init__(inputs, outputs, SHIFT, SHIFT_MAX, gain=0.1)
        self.scale = nn.Parameter(
            torch.zeros(outputs) if rezero else torch.ones(outputs), requires_grad=rezero
        )

    def effective(self) -> tuple[Tensor, Tensor]:
        return self.weight * self.scale[:, None], self.bias * self.scale

    def adopt(self, arrays: Arrays) -> None:
        """The inverse of `export`: the scale is a part of the weights already."""
        super().adopt(arrays)
        self.scale.fill_(1)

    def forward(self, x: Tensor) -> Tensor:
        """Whole levels, whose gradient is that of the levels before they were rounded."""
        levels = nn.functional.linear(x, self.rounded_weight(), self.effective()[1]).float() * 2.0**SHIFT
        whole = torch.floor(levels + 0.5).clamp(-SHIFT_MAX, SHIFT_MAX)
        return levels + (whole - levels).detach()


class Coupling(nn.Module):
    """See `couplings.Coupling`."""

    def __init__(self, config: CouplingConfig, channels: int, seed: int) -> None:
        super().__init__()
        self.config, self.channels = config, channels
        self.order: list[int] = np.random.RandomState(seed).permutation(4 * channels).tolist()
        widths = [3 * channels + i * config.growth for i in range(config.depth + 1)]
        self.layers = nn.ModuleList(Conv(width, config.growth, RES, RES_MAX) for width in widths[:-1])
        self.out = Translation(widths[-1], channels, config.rezero)

    def forward(self, planes: list[Tensor]) -> list[Tensor]:
        """See `couplings.Coupling.forward`."""
        ordered = [planes[i] for i in self.order]
        kept = 3 * self.channels
        size = _grid(planes)
        if 0 in size:
            return planes
        codes = torch.stack([_inner(_widened(plane, size)) for plane in ordered[:kept]], -1)
        codes = fake_quantize((codes - GREY) * 2.0**-ACT, ACT, CODE_MAX)
        for layer in self.layers:
            codes = torch.cat([codes, self._active(layer(codes))], -1)
        shifts = self.out(codes)
        for channel, plane in enumerate(ordered[kept:]):
            moved = plane + shifts[:, : plane.shape[1], : plane.shape[2], channel]
            ordered[kept + channel] = moved - 256 * torch.floor(moved.detach() / 256)
        if not self.config.inverse_permutation:
            return ordered
        back = list(ordered)
        for plane, i in zip(ordered, self.order, strict=True):
            back[i] = plane
        return back

    def export(self) -> Arrays:
        """order int16 [4C] of the planes; the layers have their own."""
        return {"order": np.array(self.order, np.int16)}

    def adopt(self, arrays: Arrays) -> None:
        """The inverse of `export`. Raises CatzipError for another order, as the order is no parameter."""
        if arrays["order"].tolist() != self.order:
            raise CatzipError("the planes of a coupling have another order than in the network of the recipe")

    def _active(self, x: Tensor) -> Tensor:
        return fake_quantize(swish(rms_norm(x)) if self.config.improved else torch.relu(x), ACT, CODE_MAX)


class Level(nn.Module):
    """The networks of one level."""

    def __init__(self, config: FlowConfig, seed: int) -> None:
        super().__init__()
        c = config.couplings
        self.factors = nn.ModuleList(FactorOutPrior(config, out) for out in FACTORED_OUT)
        self.couplings = nn.ModuleList(Coupling(c, config.channels, seed + i) for i in range(c.count))


class Flow(nn.Module):
    """See `flow.Flow`: from planes to the bits that each level costs.

    ``coupled`` is whether the couplings take part. Those that start at zero (rezero) may join priors that have been
    trained without them, at no loss.
    """

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.coupled = True
        c = self.config = config
        self.levels = nn.ModuleList(Level(c, 100 * level) for level in range(c.nets))
        self.base = nn.Parameter(torch.zeros(c.channels, 3 * c.components))
        self.base.data[:, 2 * c.components :] = 3.5  # scales of 33 levels

    def forward(self, planes: list[Tensor]) -> Tensor:
        """Bits at each level and at the end [levels + 1] of C planes [B, H, W] of 0..255, empty ones for channels that
        the images do not have."""
        costs: list[Tensor] = []
        for level in range(self.config.levels):
            networks = self.levels[min(level, self.config.nets - 1)]
            assert isinstance(networks, Level)
            phases = [plane[:, row::2, column::2] for row, column in PHASES for plane in planes]
            for coupling in networks.couplings if self.coupled else ():
                phases = coupling(phases)
            costs.append(self._factored(networks.factors, phases))
            planes = phases[: len(planes)]
        base = fake_quantize(self.base, MEAN, MEAN_MAX)
        last = [
            self._bits(plane, base[channel].expand(*plane.shape, -1), torch.full_like(plane, GREY * HALVES))
            for channel, plane in enumerate(planes)
        ]
        costs.append(torch.stack(last).sum())
        return torch.stack(costs)

    def export(self) -> Arrays:
        """base int32 [C, 3 components] in steps of 2**-MEAN, the distributions of what is left after all levels."""
        base = torch.floor(self.base.detach().cpu() * 2.0**MEAN + 0.5).clamp(-MEAN_MAX, MEAN_MAX)
        return {"base": base.to(torch.int32).numpy()}

    def adopt(self, arrays: Arrays) -> None:
        """The inverse of `export`."""
        self.base.copy_(torch.from_numpy(arrays["base"]) * 2.0**-MEAN)

    def _factored(self, priors: Any, phases: list[Tensor]) -> Tensor:
        """What the phases but the first cost."""
        count, size, cost = self.config.channels, _grid(phases), phases[0].new_zeros(())
        if not any(plane.numel() for plane in phases[count:]):
            return cost
        groups = [phases[i * count : (i + 1) * count] for i in range(4)]
        wide = [[_widened(plane, size) for plane in group] for group in groups]
        x = phases[0].new_zeros(len(phases[0]), *size, self.config.width)
        for out, prior in zip(FACTORED_OUT, priors, strict=True):
            seen, guesses = _look(wide, out, size)
            x = prior(x, seen)
            head_inputs = torch.cat([rms_norm(x), seen], -1)
            for channel, (plane, guess) in enumerate(zip(groups[out.phase], guesses, strict=True)):
                _, height, width = plane.shape
                if plane.numel():
                    y = prior.heads[channel](head_inputs[:, :height, :width])
                    cost = cost + self._bits(plane, y, guess[:, :height, :width])
                head_inputs = torch.cat([head_inputs, _beside(_inner(wide[out.phase][channel]), guess)], -1)
        return cost

    def _bits(self, plane: Tensor, y: Tensor, guess: Tensor) -> Tensor:
        """-log2 p of a plane under the mixtures y [..., 3 components] around guesses in half levels."""
        mixture = Mixture(y, guess, self.config.components)
        bits = -torch.log2(mixture.mass(plane, plane, _MOST)).sum()
        return bits if torch.is_grad_enabled() else bits + _floors(mixture, plane)


def _floors(mixture: Mixture, plane: Tensor) -> Tensor:
    """Bits that a plane costs more because each of its two digits has a floor of its own: up to DIGIT for a value whose
    first digit is not likely, so 0.2 % of all for a model, and nothing for most values. Training, which would learn
    nothing from it, does without."""
    first = torch.floor(plane / BASE) * BASE
    digit, others = mixture.mass(first, first + (BASE - 1), _MOST), (BASE - 1) * 2.0**-FLOOR
    return torch.log2(1 + others / digit).sum() + plane.numel() * math.log2(1 + BASE * 2.0**-FLOOR)


def _grid(planes: list[Tensor]) -> Size:
    return max(plane.shape[1] for plane in planes), max(plane.shape[2] for plane in planes)


def _widened(plane: Tensor, size: Size) -> Tensor:
    batch, height, width = plane.shape
    if 0 in (height, width):
        return plane.new_full((batch, size[0] + 2 * MARGIN, size[1] + 2 * MARGIN), GREY)
    edges = (MARGIN, size[1] - width + MARGIN, MARGIN, size[0] - height + MARGIN)
    return nn.functional.pad(plane, edges, mode="replicate")


def _inner(wide: Tensor) -> Tensor:
    return wide[:, MARGIN:-MARGIN, MARGIN:-MARGIN]


def _look(wide: list[list[Tensor]], out: FactoredOut, size: Size) -> tuple[Tensor, list[Tensor]]:
    """`squeeze.look` in real units: [B, h, w, features], and guesses in half levels."""
    height, width = size
    codes, guesses = [], []
    for channel in range(len(wide[0])):
        views = torch.stack(
            [
                wide[phase][channel][:, MARGIN + y : MARGIN + y + height, MARGIN + x : MARGIN + x + width]
                for phase, y, x in out.neighbours
            ],
            -1,
        )
        guess = torch.floor(views[..., :NEAREST].detach().mean(-1) * HALVES + 0.5)
        near = (views * HALVES - guess[..., None]) * 2.0**-ACT
        level = (torch.floor((guess + 1) / HALVES) - GREY)[..., None] * 2.0**-ACT
        codes.append(fake_quantize(torch.cat([near, level], -1), ACT, CODE_MAX))
        guesses.append(guess)
    return torch.cat(codes, -1), guesses


def _beside(plane: Tensor, guess: Tensor) -> Tensor:
    """`factor_out.beside` in real units."""
    difference = (plane * HALVES - guess).clamp(-CODE_MAX, CODE_MAX)
    return torch.stack([difference, difference.abs() - NEUTRAL], -1) * 2.0**-ACT
