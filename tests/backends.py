"""Every place where exact inference runs, for tests that must give the same integers on all of them."""

from unittest import mock

import pytest

from catzip.models.backends.base import Arrays
from catzip.models.backends.select import arrays_for

BACKENDS = ("cpu", "torch", "torch-int8", pytest.param("cuda", marks=pytest.mark.gpu))
"""NumPy; PyTorch with the product that it prefers here, and with products in int8, on any CPU; a GPU."""

OTHERS = BACKENDS[1:]
"""Those that are held against NumPy."""


def backend(name: str) -> Arrays:
    """The arrays of this name; skips the test where they cannot run."""
    if name == "cpu":
        return arrays_for("cpu")
    torch = pytest.importorskip("torch")
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    if name != "torch-int8":
        return arrays_for(name)
    from catzip.models.backends.torch import TorchArrays

    with mock.patch("catzip.models.backends.torch.int8_is_fast", lambda: True):  # also where it is slow
        return TorchArrays("torch")
