"""What networks on the compiled core have in common: whether it runs, and arrays that it reads by their addresses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..backends.base import Arrays, NumpyArray
from ..backends.native.layers import PackedLinear
from ..backends.native.library import core
from ..backends.native.structures import Core, Linear, address
from ..backends.numpy import NumpyArrays
from ..layers.grid import ACT, Tensors
from ..schema import Declared

CACHE_LINE = 64
EXP_MOST = 1 << 20  # of the table of the exponential function


def core_for(arrays: Arrays) -> Core | None:
    """The variant for a network with these arrays, or None where they are not NumPy's, or no variant runs."""
    return core() if type(arrays) is NumpyArrays else None


def knows(declared: Declared, tensors: Tensors) -> bool:
    """Whether arrays are as declared, and their exponential function is one that a network can be made with."""
    exp = tensors["exp"]
    same = all(
        tensors[name].dtype == each.dtype and tensors[name].shape == each.shape
        for name, each in declared.items()
    )
    return bool(same and exp.min() >= 0 and exp.max() <= EXP_MOST and exp[0] > 0)


class NativeNetwork:
    """A variant of the core and what it reads of a network.

    is_bounded  whether no sum can leave int32
    """

    def __init__(self, variant: Core, tensors: Tensors) -> None:
        self.core, self.tensors, self.is_bounded = variant, tensors, True
        self._kept: list[NumpyArray | PackedLinear] = []

    def linear(self, names: list[str], bits: int) -> Linear:
        """The layers of these names in one product, whose outputs have so many bits behind the point."""
        packed = PackedLinear.load(self.core, self.tensors, names, bits, ACT)
        self._kept.append(packed)
        self.is_bounded &= packed.is_bounded
        return packed.structure

    def keep(self, array: NumpyArray, dtype: type[np.generic]) -> int:
        """The address of the array, as this type, which lasts as long as this object."""
        kept = np.ascontiguousarray(array, dtype)
        self._kept.append(kept)
        return address(kept)


def zeros(sizes: Mapping[str, int], dtype: type[np.generic]) -> dict[str, NumpyArray]:
    """Arrays of so many zeros."""
    return {name: np.zeros(size, dtype) for name, size in sizes.items()}


def addresses(arrays: Mapping[str, NumpyArray]) -> dict[str, int]:
    """Where they lie, for the fields of a structure that have the same names."""
    return {name: address(array) for name, array in arrays.items()}
