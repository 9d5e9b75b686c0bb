"""Products in bfloat16, where they are faster."""

from __future__ import annotations

import time
from functools import cache

import torch

from .modules import Rounding

_SIZES = 2048, 256, 512  # of a product that is timed: about those of the networks here
_TRIES = 5


def half_precision(device: torch.device) -> torch.autocast:
    """Products in bfloat16 where they are faster than in float32, and only while nothing is rounded to the grid:
    a bfloat16 sum is too coarse for residuals and logits, which the last part of training must see as they will be."""
    enabled = not Rounding.on and _is_faster(device.type)
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


@cache
def _is_faster(device: str) -> bool:
    """Whether there are such products in hardware and, of a CPU, whether a trial says that they pay.

    They need not: with AVX-512 BF16 alone, where a virtual machine hides AMX, an Intel processor is faster in float32.
    """
    if device != "cpu":
        return bool(torch.cuda.is_bf16_supported())
    if not (torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()):
        return False
    return _seconds(torch.bfloat16) < _seconds(torch.float32)


def _seconds(kind: torch.dtype) -> float:
    """How long a product of this type takes, the shortest time of a few."""
    rows, inputs, outputs = _SIZES
    x, weight = torch.ones(rows, inputs, dtype=kind), torch.ones(outputs, inputs, dtype=kind)
    taken = []
    for _ in range(_TRIES):
        start = time.perf_counter()
        torch.nn.functional.linear(x, weight)
        taken.append(time.perf_counter() - start)
    return min(taken)
