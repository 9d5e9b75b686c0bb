"""Every place where exact inference runs, for tests that must give the same integers on all of them."""

import pytest

from catzip.models.arrays import Arrays, arrays_for

BACKENDS = ("cpu", "torch", "torch-int8", pytest.param("cuda", marks=pytest.mark.gpu))
"""NumPy; PyTorch with the product it prefers here; PyTorch with its int8 product on any CPU; a GPU."""

OTHERS = BACKENDS[1:]
"""Those that are held against NumPy."""


def backend(name: str) -> Arrays:
    """The arrays of this name; skips the test where they cannot run."""
    if name == "cpu":
        return arrays_for("cpu")
    torch = pytest.importorskip("torch")
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    if name == "torch-int8":
        return _int8_arrays()
    return arrays_for(name)


def _int8_arrays() -> Arrays:
    from catzip.models.torch_arrays import TorchArrays

    class Int8Arrays(TorchArrays):
        """Takes the int8 kernel also where it is slow."""

        def _int8_is_fast(self) -> bool:
            return True

    return Int8Arrays("torch")
