"""The array operations of ``base.Arrays`` on PyTorch tensors, on a CPU or a CUDA device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...compressor.errors import CatzipError
from .base import NumpyArray, checked_weight, float32_is_exact
from .self_test import check_product


class TorchArrays:
    """PyTorch tensors; products by the int8 kernel where it is fast and correct, else in float32 or float64."""

    def __init__(self, device: str) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise CatzipError("no CUDA device here; use --device cpu")
        self._device = torch.device("cpu" if device == "torch" else device)
        self.name = f"PyTorch on {self._device.type}"
        self.at_once = 1 << (26 if device == "cuda" else 18)
        self._int8 = self._device.type == "cpu" and int8_is_fast() and self._int8_is_exact()
        if self._device.type == "cuda":
            # TF32 would round the operands' products; integers below 2**24 need all of float32.
            torch.backends.cuda.matmul.allow_tf32 = False

    def _int8_is_exact(self) -> bool:
        """Not, for one, where oneDNN may not use the VNNI that the processor has (ONEDNN_MAX_CPU_ISA)."""
        self._int8 = True
        try:
            check_product(self)
        except CatzipError:
            return False
        return True

    def place(self, array: NumpyArray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)

    def fetch(self, array: Tensor) -> NumpyArray:
        fetched: NumpyArray = array.cpu().numpy()
        return fetched

    def weight(self, weight: NumpyArray) -> Tensor:
        placed = self.place(checked_weight(weight).T)
        if self._int8:
            return plain(placed)
        return placed.to(torch.float32 if float32_is_exact(weight.shape[1]) else torch.float64)

    def scaled(self, weight: NumpyArray, scale: NumpyArray) -> tuple[Tensor, Tensor | None]:
        prepared, powers = self.weight(weight), self.place(scale)
        return (prepared, powers) if prepared.dtype == torch.int8 else (prepared * powers, None)

    def narrow(self, codes: Tensor) -> Tensor:
        return codes.to(torch.int8) if self._int8 else codes

    def product(self, codes: Tensor, weight: Tensor) -> Tensor:
        if weight.dtype == torch.int8:
            return int8_product(codes.to(torch.int8), weight).to(torch.float32)
        return (codes.to(weight.dtype) @ weight).to(torch.float32)

    def batched(self, a: Tensor, b: Tensor) -> Tensor:
        return a @ b

    def take(self, table: Tensor, index: Tensor) -> Tensor:
        return table[index]

    def lookup(self, table: Tensor, x: Tensor) -> Tensor:
        return table[x.to(torch.int32).clamp(0, len(table) - 1)]

    def float32(self, array: Tensor) -> Tensor:
        return array.to(torch.float32, copy=True)

    def float64(self, array: Tensor) -> Tensor:
        return array.to(torch.float64, copy=True)

    def int32(self, array: Tensor) -> Tensor:
        return array.to(torch.int32, copy=True)

    def floor_(self, array: Tensor) -> Tensor:
        return array.floor_()

    def clip_(self, array: Tensor, low: float, high: float) -> Tensor:
        return array.clamp_(low, high)

    def sqrt(self, array: Tensor) -> Tensor:
        return array.sqrt()

    def ratio(self, number: float, array: Tensor) -> Tensor:
        # `number / tensor` is tensor.reciprocal() * number in PyTorch: rounded twice, off by a unit now and then.
        return torch.full_like(array, number).div_(array)

    def sum_squares(self, array: Tensor) -> Tensor:
        return (array * array).sum(-1, keepdim=True)

    def max(self, array: Tensor) -> Tensor:
        return array.amax(-1, keepdim=True)

    def transposed(self, array: Tensor) -> Tensor:
        return array.T.contiguous()

    def concat(self, arrays: list[Tensor]) -> Tensor:
        return torch.cat(arrays, -1)

    def stack(self, arrays: list[Tensor]) -> Tensor:
        return torch.stack(arrays, -1)

    def extend(self, planes: Tensor, above: int, below: int, left: int, right: int) -> Tensor:
        return torch.nn.functional.pad(planes, (left, right, above, below), mode="replicate")

    def surround(self, images: Tensor) -> Tensor:
        return torch.nn.functional.pad(images, (0, 0, 1, 1, 1, 1))

    def zeros_int32(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=torch.int32, device=self._device)


def int8_is_fast() -> bool:
    """Whether this processor has AVX-512 VNNI: others take thirty times as long as for a product in float32."""
    return torch.cpu._is_vnni_supported()


def int8_product(codes: Tensor, weight: Tensor) -> Tensor:
    """codes @ weight, int8 [N, inputs] and a `plain` [inputs, outputs] -> int32 [N, outputs], on a CPU."""
    return torch._int_mm(plain(codes), weight)


def plain(matrix: Tensor) -> Tensor:
    """The matrix with strides that say its shape. Where a side is 1 its stride may be anything, and the int8 product
    of PyTorch 2.13 then leaves its result as it found it (github.com/pytorch/pytorch/issues/195066)."""
    return matrix.contiguous().as_strided(matrix.shape, (matrix.shape[1], 1))
