"""Where the compiled core is, which of its variants runs here, and whether it may.

CATZIP_CORE      native: the core, or an error that says why not; numpy: not the core; unset: the core where it is, and
                 this processor has instructions for products of bytes, without which NumPy's BLAS is faster
CATZIP_CORE_ISA  a variant by its name (generic, avx2, avx512-vnni) instead of the fastest that this processor has
"""

from __future__ import annotations

import ctypes
import os
import warnings
from collections.abc import Iterator
from functools import lru_cache

from ....compressor.coding.rounding import rounded_to_nearest
from ....compressor.errors import CatzipError
from . import build, flow_structures, masked_structures
from .structures import SIZES, Core, size

CHOICES = ("native", "numpy")
_SIZES = SIZES + flow_structures.SIZES + masked_structures.SIZES
_REMEDY = "pip install catzip anew, where there is a C compiler, or set CATZIP_CORE=numpy"


class Unusable(Exception):
    """Why there is no core to run."""


def core() -> Core | None:
    """The variant that is to run, or None for NumPy. Raises CatzipError for one that is asked for and cannot run."""
    choice, variant = os.environ.get("CATZIP_CORE", ""), os.environ.get("CATZIP_CORE_ISA", "")
    if choice not in ("", *CHOICES):
        raise CatzipError(f"CATZIP_CORE={choice}: {' or '.join(CHOICES)} is possible")
    if choice == "numpy":
        return None
    try:
        return _chosen(variant, bool(choice))
    except Unusable as why:
        if choice or variant:
            raise CatzipError(f"the compiled core cannot run: {why}; {_REMEDY}") from why
        return None


def described() -> str:
    """Which core runs: "numpy", or "native (avx2)"."""
    found = core()
    return f"native ({name_of(found)})" if found else "numpy"


def name_of(variant: Core) -> str:
    """What a variant is called."""
    return str(variant.name.decode())


@lru_cache
def variants() -> dict[str, Core]:
    """Those that this processor can run, the fastest first. Raises Unusable where there are none."""
    library = _library()
    return {name_of(found): found for found in _all(library) if found.supported()}


def _all(library: ctypes.CDLL) -> Iterator[Core]:
    library.catzip_variant.restype, library.catzip_variant.argtypes = ctypes.POINTER(Core), [ctypes.c_int64]
    place = 0
    while found := library.catzip_variant(place):
        yield found.contents
        place += 1


@lru_cache
def _chosen(name: str, any_speed: bool) -> Core:
    """The variant of this name, or the fastest that passes its trial. Raises Unusable.

    any_speed  whether that may be one that NumPy is faster than
    """
    from .trial import check  # which is about what is defined here

    found = variants()
    if name and name not in found:
        raise Unusable(f"CATZIP_CORE_ISA={name}: {', '.join(found)} can run here")
    fast = [each for each, variant in found.items() if any_speed or variant.in_blocks]
    if not (name or fast):
        raise Unusable("this processor has no instructions for products of bytes, so that NumPy is faster")
    for each in [name] if name else fast:
        if rounded_to_nearest(check)(found[each]):
            return found[each]
        warnings.warn(
            f"the compiled core differs from NumPy on this machine and is not used ({each}); please report it",
            RuntimeWarning,
            stacklevel=2,
        )
    raise Unusable("it differs from NumPy on this machine")


def _library() -> ctypes.CDLL:
    path = build.HERE / build.NAME
    if not path.exists():
        raise Unusable("it was not compiled when catzip was installed")
    try:
        library = ctypes.CDLL(str(path))
        library.catzip_source.restype = ctypes.c_char_p
        library.catzip_size.restype, library.catzip_size.argtypes = ctypes.c_int64, [ctypes.c_int64]
        source = library.catzip_source().decode()
        sizes = [library.catzip_size(which) for which in range(len(_SIZES))]
    except (OSError, AttributeError) as error:
        raise Unusable(f"{path} cannot be loaded ({error})") from error
    if build.sources() and source != build.digest():
        raise Unusable("it was compiled from other sources than those that lie beside it")
    if sizes != list(map(size, _SIZES)):
        raise Unusable("it was compiled for another release")
    return library
