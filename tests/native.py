"""The variants of the compiled core that this machine can run, for tests that hold them against NumPy."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest import mock

import pytest
from tiny_models import SHIPPED, tiny_path

from catzip.models.backends.native.library import Unusable, variants
from catzip.models.backends.native.structures import Core
from catzip.models.families.ardm.codec import ARDM
from catzip.models.families.autoregressive.codec import Autoregressive
from catzip.models.families.idf.codec import IDF
from catzip.models.networks.native_network import NativeNetwork
from catzip.models.registry import Registry

ALL = ("avx512-vnni", "avx2", "generic")


def variant(name: str) -> Core:
    """The variant of this name; skips the test where there is none."""
    try:
        found = variants()
    except Unusable as why:
        pytest.skip(f"no compiled core: {why}")
    if name not in found:
        pytest.skip(f"this processor has no {name}")
    return found[name]


@contextmanager
def chosen(name: str) -> Iterator[None]:
    """Models that are loaded meanwhile run on this variant, or on "numpy"."""
    if name == "numpy":
        setting = {"CATZIP_CORE": "numpy", "CATZIP_CORE_ISA": ""}
    else:
        variant(name)
        setting = {"CATZIP_CORE": "native", "CATZIP_CORE_ISA": name}
    with mock.patch.dict(os.environ, setting):
        yield


@cache
def model(name: str, core: str, threads: int = 1) -> Autoregressive:
    """A tiny or shipped autoregressive model on this core."""
    with chosen(core):
        found = Registry("cpu", threads).by_name(name if name in SHIPPED else str(tiny_path(name)))
    assert isinstance(found, Autoregressive) and (found.native is None) == (core == "numpy")
    return found


@cache
def flow(name: str, core: str, threads: int = 1) -> IDF:
    """A tiny or shipped flow on this core."""
    with chosen(core):
        found = Registry("cpu", threads).by_name(name if name in SHIPPED else str(tiny_path(name)))
    assert isinstance(found, IDF) and found.native == (core != "numpy")
    return found


@cache
def masked(name: str, core: str, threads: int = 1) -> ARDM:
    """A tiny or shipped order-agnostic model on this core."""
    with chosen(core):
        found = Registry("cpu", threads).by_name(name if name in SHIPPED else str(tiny_path(name)))
    assert isinstance(found, ARDM) and isinstance(found.network, NativeNetwork) == (core != "numpy")
    return found
