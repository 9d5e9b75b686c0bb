"""The backend of a device: NumPy, or PyTorch where it is asked for, each tried before it is used."""

from __future__ import annotations

from functools import lru_cache

from ...compressor.errors import CatzipError, MissingDependencyError
from .base import Arrays
from .numpy import NumpyArrays
from .self_test import check_assignment, check_product

DEVICES = ("cpu", "cuda", "torch")

GONE = {
    "cpu-int8": "--device cpu-int8 went with catzip 0.7: take --device cpu, where the compiled core multiplies in int8 "
    "and the bytes are the same"
}
"""What to say to those who ask for a device that there was."""


@lru_cache
def arrays_for(device: str) -> Arrays:
    """The arrays of a device: "cpu" (NumPy), "torch" (PyTorch on the CPU) or "cuda".

    The product of each is tried once in a process on extreme operands against int64 arithmetic, and so is what else
    is no promise (``self_test``). Raises MissingDependencyError where PyTorch is needed and missing, CatzipError where
    there is no such device or where a trial fails.
    """
    if device in GONE:
        raise CatzipError(GONE[device])
    if device not in DEVICES:
        raise CatzipError(f"no device {device!r}; {', '.join(DEVICES)} are possible")
    if device == "cpu":
        chosen: Arrays = NumpyArrays()
    else:
        try:
            from .torch import TorchArrays
        except ImportError as error:
            raise MissingDependencyError(
                f"--device {device} needs PyTorch: pip install 'catzip[torch]', or use --device cpu"
            ) from error
        chosen = TorchArrays(device)
    check_product(chosen)
    check_assignment()
    return chosen
