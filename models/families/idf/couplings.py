"""Additive integer couplings with densely connected networks, exact.

Hoogeboom, Peters, van den Berg, Welling 2019, Integer Discrete Flows and Lossless Compression, arXiv 1905.07376,
section 3: of the channels in the order of a permutation the last quarter is shifted by what a network makes of the
others,

    z_a = x_a,   z_b = x_b + round(t(x_a)),

here modulo 256, so that every image has an image. IDF++ (van den Berg, Gritsenko, Dehghani, Sonderby, Salimans 2021,
arXiv 2006.12459) starts each translation from zero by a learnt scale, which export folds into the weights, undoes the
permutation behind the coupling, and normalises its networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeVar

from ...backends.base import CODE_MAX, Array, Arrays, NumpyArray
from ...layers.convolution import patches
from ...layers.grid import ACT, RES, RES_MAX, Linear, Tensors, rms_norm, swish, to_codes
from ...schema import Declared, Depth, Positive, Tensor, linear, ranged
from .squeeze import GREY, grid, inner, widened

SHIFT, SHIFT_MAX = 4, 255  # a translation: real units of 16 levels, at most this many levels

T = TypeVar("T")


@dataclass(frozen=True)
class CouplingConfig:
    """The couplings of every level; ``count`` 0 for none.

    depth, growth        of the densely connected network: layers, and channels that each adds
    rezero               translations start at zero (IDF++)
    inverse_permutation  channels go back to their places behind each coupling (IDF++)
    improved             swish and normalisation in the network (IDF++), or else ReLU
    """

    count: Annotated[int, ranged(0, 64)] = 0
    depth: Depth = 2
    growth: Positive = 32
    rezero: bool = True
    inverse_permutation: bool = True
    improved: bool = True

    def tensors(self, name: str, channels: int) -> Declared:
        """What the coupling of this name loads, in a flow of so many channels."""
        widths = [3 * channels + i * self.growth for i in range(self.depth + 1)]
        found = {f"{name}.order": Tensor("int16", (4 * channels,))}
        for i, width in enumerate(widths[:-1]):
            found |= linear(f"{name}.layers.{i}", 9 * width, self.growth)
        return found | linear(f"{name}.out", widths[-1], channels)


class Coupling:
    """One coupling of 4C planes [B, h, w], float32 integers 0..255, of which C are shifted."""

    def __init__(self, config: CouplingConfig, tensors: Tensors, arrays: Arrays, name: str) -> None:
        self._arrays, self._config = arrays, config
        self._order: list[int] = tensors[f"{name}.order"].tolist()
        if sorted(self._order) != list(range(len(self._order))):
            raise ValueError(f"{name}.order is no permutation")
        self._layers = [
            Linear.load(arrays, tensors, [f"{name}.layers.{i}"], [RES]) for i in range(config.depth)
        ]
        self._out = Linear.load(arrays, tensors, [f"{name}.out"], [SHIFT])

    def forward(self, planes: list[NumpyArray]) -> list[NumpyArray]:
        """The 4C planes of z, each [B, h, w], from those of x: z_b = x_b + round(t(x_a)) modulo 256."""
        moved = self._shifted([planes[i] for i in self._order], 1)
        return self._put_back(moved) if self._config.inverse_permutation else moved

    def inverse(self, planes: list[NumpyArray]) -> list[NumpyArray]:
        """The 4C planes of x from those of z: x_b = z_b - round(t(z_a)) modulo 256."""
        ordered = [planes[i] for i in self._order] if self._config.inverse_permutation else planes
        return self._put_back(self._shifted(ordered, -1))

    def places(self, items: list[T]) -> list[T]:
        """Where `forward` puts what stands for each plane."""
        return items if self._config.inverse_permutation else [items[i] for i in self._order]

    def _put_back(self, planes: list[NumpyArray]) -> list[NumpyArray]:
        back = list(planes)
        for plane, i in zip(planes, self._order, strict=True):
            back[i] = plane
        return back

    def _shifted(self, planes: list[NumpyArray], sign: int) -> list[NumpyArray]:
        """The last quarter of the planes, in their order, moved by what the others say."""
        kept, last = planes[: len(planes) // 4 * 3], planes[len(planes) // 4 * 3 :]
        size = grid(planes)
        if 0 in size:
            return planes
        wide = [inner(widened(self._arrays, plane, size)) for plane in kept]
        codes = self._arrays.stack(wide) - GREY
        shifts = sign * self._arrays.fetch(self._translation(self._arrays.clip_(codes, -CODE_MAX, CODE_MAX)))
        return kept + [
            (plane + shifts[:, : plane.shape[1], : plane.shape[2], channel]) % 256
            for channel, plane in enumerate(last)
        ]

    def _translation(self, codes: Array) -> Array:
        """t of codes [B, h, w, 3C]: whole levels, float32 [B, h, w, C]."""
        arrays, shape = self._arrays, codes.shape[:3]
        for layer in self._layers:
            around = patches(arrays, codes)
            x = arrays.clip_(layer(around.reshape(-1, around.shape[-1])), -RES_MAX, RES_MAX)
            codes = arrays.concat([codes, self._active(x).reshape(*shape, -1)])
        t = self._out(codes.reshape(-1, codes.shape[-1]))
        return arrays.clip_(t, -SHIFT_MAX, SHIFT_MAX).reshape(*shape, -1)

    def _active(self, x: Array) -> Array:
        """Residuals [N, growth] to codes, through what makes the network more than linear."""
        arrays = self._arrays
        if self._config.improved:
            return to_codes(arrays, swish(arrays, rms_norm(arrays, x)), 7)
        return arrays.clip_(to_codes(arrays, x, RES - ACT), 0, CODE_MAX)
