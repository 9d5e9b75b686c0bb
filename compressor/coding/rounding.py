"""Rounding to nearest, which exactness takes and every program begins with, but some numerical libraries change.

How results are rounded is a setting of each thread, one for all instructions that NumPy and the BLAS use (MXCSR on x86,
FPCR on ARM). So each thread that computes is looked at before it does, which takes a fraction of a microsecond, and set
right for as long as it computes.

Whether numbers below 2**-126 are flushed to zero, which is set beside it, does not matter: what is computed with are
integers times powers of two from 2**-64 up, and 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from ..errors import CatzipError

P = ParamSpec("P")
T = TypeVar("T")

_TO_NEAREST = 0  # FE_TONEAREST, on all processors that NumPy is made for

_one, _half_step = 1.0, 2.0**-53


def is_to_nearest() -> bool:
    """Whether this thread rounds to nearest, ties to even: 1 and half a step above, or below, are both 1."""
    return _one + _half_step == 1.0 and _one - _half_step / 2 == 1.0 and -_one - _half_step == -1.0


@contextmanager
def to_nearest() -> Iterator[None]:
    """Round to nearest in this thread meanwhile.

    Raises CatzipError where it does not and cannot be set to.
    """
    if is_to_nearest():
        yield
        return
    before = _changed(_TO_NEAREST)
    try:
        yield
    finally:
        _changed(before)


def rounded_to_nearest(function: Callable[P, T]) -> Callable[P, T]:
    """The function, run `to_nearest`."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if is_to_nearest():
            return function(*args, **kwargs)
        with to_nearest():
            return function(*args, **kwargs)

    return run


def _changed(mode: int) -> int:
    """Set the mode of this thread; what it was."""
    import ctypes  # takes some milliseconds, and is for few

    try:
        library = ctypes.CDLL(None)
        before: int = library.fegetround()
        library.fesetround(mode)
    except (AttributeError, OSError):
        before = -1
    if before < 0 or (mode == _TO_NEAREST and not is_to_nearest()):
        raise CatzipError(
            "this thread does not round to nearest, which some numerical library has changed, and cannot be set to; "
            "call fesetround(FE_TONEAREST) before catzip"
        )
    return before
