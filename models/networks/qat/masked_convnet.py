"""The convolutional network over partly known images for QAT: ``masked_convnet``, layer by layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...backends.base import CODE_MAX
from ...layers.grid import ACT, LOGIT, LOGIT_MAX, RES, RES_MAX
from ...layers.logistics import FLOOR, HALVES, MEAN, MEAN_MAX, SCALE, SCALE_LEAST, SCALE_MOST
from ...layers.qat.modules import Embedding, Linear, fake_quantize, rms_norm, swish
from ..masked_convnet import ConvNetConfig


class Conv(Linear):
    """A 3x3 convolution, zeros around the image: [B, H, W, inputs] -> [B, H, W, outputs].

    Its weight is that of the product it is at inference: [outputs, (dy, dx, inputs)].
    """

    def __init__(self, inputs: int, outputs: int, bits: int, limit: int, fine: bool = False) -> None:
        super().__init__(9 * inputs, outputs, bits, limit, fine=fine)

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.operands()
        kernel = weight.view(len(bias), 3, 3, -1).permute(0, 3, 1, 2)
        y = nn.functional.conv2d(x.permute(0, 3, 1, 2), kernel, bias, padding=1)
        return self.quantized(y.permute(0, 2, 3, 1).float())


class Block(nn.Module):
    """x + W_out(swish(gate) * up), (gate, up) = conv3x3(rms_norm(x)) (see convolution.Block)."""

    def __init__(self, width: int, hidden: int, depth: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.conv = Conv(width, 2 * hidden, ACT, CODE_MAX)
        self.out = Linear(hidden, width, RES, RES_MAX, gain=depth**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.conv(rms_norm(x)).split(self.hidden, -1)
        return fake_quantize(x + self.out(fake_quantize(swish(gate) * up, ACT, CODE_MAX)), RES, RES_MAX)


class ConvNet(nn.Module):
    """What describes the distribution of every dimension, from what is seen of the image (see ``pixels``)."""

    def __init__(self, config: ConvNetConfig) -> None:
        super().__init__()
        c = self.config = config
        self.tokens = Embedding(c.digits.rows(), c.embed)
        self.time = Embedding(c.stages * c.times, c.embed)
        seen, fine = c.dimensions * c.embed + c.features + c.embed, "inputs" in c.fine
        self.inputs = Conv(seen, c.width, RES, RES_MAX, fine)
        self.blocks = nn.ModuleList(Block(c.width, c.hidden, c.depth) for _ in range(c.depth))
        bits, limit = (LOGIT, LOGIT_MAX) if c.output == "direct" else (MEAN, MEAN_MAX)
        told, outputs, fine = c.width + c.features, c.dimensions * c.outputs, "head" in c.fine
        self.head = Linear(told, outputs, bits, limit, gain=0.1, fine=fine)
        if c.output == "logistics":
            with torch.no_grad():  # scales of 3 to 12 levels, apart by component
                start = self.head.bias.view(c.dimensions, 3, c.components)
                start[:, 2] = torch.linspace(1.2, 2.5, c.components)

    def forward(self, tokens: Tensor, features: Tensor, times: Tensor) -> Tensor:
        """tokens int64 [B, h, w, 4C], features of codes [B, h, w, F], times int64 [B] -> [B, h, w, 4C, outputs]."""
        c = self.config
        batch, height, width, _ = tokens.shape
        told = features * 2.0**-ACT
        time = self.time(times)[:, None, None].expand(-1, height, width, -1)
        x = self.inputs(torch.cat([self.tokens(tokens).flatten(3), told, time], -1))
        for block in self.blocks:
            x = block(x)
        y: Tensor = self.head(torch.cat([rms_norm(x), told], -1))
        return y.view(batch, height, width, c.dimensions, c.outputs)


class Mixture:
    """The mixture of logistics that a head's numbers describe: [..., 3 M] and guesses [...], in half levels."""

    def __init__(self, y: Tensor, guess: Tensor, components: int) -> None:
        logits, means, scales = y.view(*y.shape[:-1], 3, components).unbind(-2)
        self._weights = torch.log_softmax(logits, -1)
        self._means = guess[..., None] / HALVES + 16 * means
        scales = fake_quantize(scales.clamp(SCALE_LEAST / 2**SCALE, SCALE_MOST / 2**SCALE), SCALE, 1 << 10)
        self._inverse = torch.exp(-scales)

    def mass(self, low: Tensor, high: Tensor, most: int) -> Tensor:
        """The mass of the values low..high, int [...]: the ends 0 and ``most`` reach to infinity."""
        upper = torch.sigmoid((high[..., None] + 0.5 - self._means) * self._inverse)
        lower = torch.sigmoid((low[..., None] - 0.5 - self._means) * self._inverse)
        upper = torch.where((high == most)[..., None], 1.0, upper)
        lower = torch.where((low == 0)[..., None], 0.0, lower)
        return (self._weights.exp() * (upper - lower)).sum(-1) + 2.0**-FLOOR


def digit_bits(mixture: Mixture, values: Tensor, shift: Tensor, base: int, most: int) -> Tensor:
    """-log2 p(digit | what is above it) of int values [...]: mass of the interval that the digit picks, within that
    of the interval that is known; ``shift`` bits lie below the digit."""
    bits = (base - 1).bit_length()
    low, wide = values >> shift << shift, values >> shift + bits << shift + bits
    inner = mixture.mass(low, low + (1 << shift) - 1, most)
    outer = mixture.mass(wide, wide + (1 << shift + bits) - 1, most) + (base - 1) * 2.0**-FLOOR
    return torch.log2(outer) - torch.log2(inner)
