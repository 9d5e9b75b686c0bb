"""Exact 3x3 convolutions: the one integer product over patches."""

from __future__ import annotations

from ..backends.base import CODE_MAX, Array, Arrays
from .grid import ACT, RES, Linear, Tensors, add_residual, rms_norm, swish, to_codes
from .receptive import EVERYWHERE, Part, cut_out


def patches(arrays: Arrays, codes: Array, part: Part = EVERYWHERE) -> Array:
    """The 3x3 surroundings of every position, zeros outside: [B, H, W, C] -> narrow [B, h, w, (dy, dx, C)].

    part  the positions to do it for: h rows and w columns of H and W; all, if not given
    """
    (top, bottom, _), (left, right, _) = (
        cut.indices(size) for cut, size in zip(part, codes.shape[1:3], strict=True)
    )
    wide = arrays.surround(arrays.narrow(codes))
    return arrays.concat(
        [wide[:, top + y : bottom + y, left + x : right + x] for y in range(3) for x in range(3)]
    )


class Block:
    """x + W_out(swish(gate) * up), (gate, up) = conv3x3(rms_norm(x)), on a residual stream over an image.

    A gated MLP (Shazeer 2020, arXiv 2002.05202) whose first layer sees the neighbours.
    """

    def __init__(self, arrays: Arrays, tensors: Tensors, name: str) -> None:
        self._arrays = arrays
        self._conv = Linear.load(arrays, tensors, [f"{name}.conv"], [ACT])
        self._out = Linear.load(arrays, tensors, [f"{name}.out"], [RES])

    def __call__(self, x: Array, part: Part = EVERYWHERE, wanted: Array | None = None) -> Array:
        """Residual [B, H, W, D] -> [B, h, w, D] of that part.

        Of the positions ``wanted`` [P] in h * w only, [B, P, D], if given.
        """
        arrays = self._arrays
        around = patches(arrays, rms_norm(arrays, x), part)
        x = cut_out(x, part)
        if wanted is not None:
            around = around.reshape(len(x), -1, around.shape[-1])[:, wanted]
            x = x.reshape(len(x), -1, x.shape[-1])[:, wanted]
        y = self._conv(around.reshape(-1, around.shape[-1]))
        arrays.clip_(y, -CODE_MAX, CODE_MAX)
        size = y.shape[-1] // 2
        hidden = swish(arrays, y[:, :size])
        hidden *= y[:, size:]
        return add_residual(arrays, x, self._out(to_codes(arrays, hidden, ACT + 7)))
