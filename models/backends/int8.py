"""The array operations of ``base.Arrays`` by NumPy, but the integer product by PyTorch's int8 kernel.

Processors with AVX-512 VNNI multiply int8 up to four times as fast as float32, which NumPy has no way to ask for; for
everything else NumPy is faster than PyTorch on arrays of this size. It is worth its start of a second where
convolutions take most of the time: in order-agnostic models of images.
"""

from __future__ import annotations

import numpy as np
import torch

from ...compressor.errors import CatzipError
from . import torch as torch_arrays
from .base import Array, NumpyArray, checked_weight
from .numpy import NumpyArrays
from .torch import int8_product, plain


class Int8Arrays(NumpyArrays):
    """NumPy with products in int8. Raises CatzipError where the processor is not made for them."""

    name = "NumPy with products in int8"

    def __init__(self) -> None:
        if not torch_arrays.int8_is_fast():
            raise CatzipError("this processor has no AVX-512 VNNI that PyTorch could use; take --device cpu")

    def weight(self, weight: NumpyArray) -> Array:
        return plain(torch.from_numpy(checked_weight(weight)).T)

    def scaled(self, weight: NumpyArray, scale: NumpyArray) -> tuple[Array, Array | None]:
        return self.weight(weight), scale

    def narrow(self, codes: Array) -> Array:
        return codes.astype(np.int8)

    def product(self, codes: Array, weight: Array) -> Array:
        narrow = torch.from_numpy(np.ascontiguousarray(codes, np.int8))
        return int8_product(narrow, weight).numpy().astype(np.float32)
