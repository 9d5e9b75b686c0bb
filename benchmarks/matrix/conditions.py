"""The conditions under which a model must give the same integers, as environments for a process.

Each condition is one row of the exactness matrix. A condition that this machine cannot run is still listed,
with the reason, so that nobody takes it for passed. Some settings crash on a processor that lacks the
instructions (OPENBLAS_CORETYPE=SkylakeX without AVX-512), others quietly fall back, so what a row needs is
looked up first, and what it really got is read back by the probe.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy

from ...models.backends.native.library import Unusable, variants
from ...models.backends.workers import usable_cores
from ..machine import cpu_flags

AVX2 = frozenset({"avx2", "fma"})
AVX512 = frozenset({"avx512f", "avx512bw", "avx512vl", "avx512dq"})

# OPENBLAS_CORETYPE: what it needs, and the names threadpoolctl may give the kernels it selects.
_OPENBLAS = {
    "Prescott": (frozenset({"pni"}), {"Prescott", "Katmai"}),
    "Nehalem": (frozenset({"sse4_2"}), {"Nehalem"}),
    "Sandybridge": (frozenset({"avx"}), {"Sandybridge"}),
    "Haswell": (AVX2, {"Haswell"}),
    "SkylakeX": (AVX512, {"SkylakeX"}),
}
_CORES = ("generic", "avx2", "avx512-vnni")  # the variants of the compiled core
_ATEN = {"default": frozenset[str](), "avx2": AVX2, "avx512": AVX512}
_ONEDNN = {
    "SSE41": frozenset({"sse4_1"}),
    "AVX2": AVX2,
    "AVX512_CORE": AVX512,
    "DEFAULT": frozenset[str](),
}


@dataclass(frozen=True)
class Condition:
    """One way to run the probe.

    takes_effect  what the probe must find to believe the setting: {fact: admissible values}
    """

    axis: str
    value: str
    environment: dict[str, str] = field(default_factory=dict)
    device: str = "cpu"
    threads: int = 1
    needs: frozenset[str] = frozenset()
    takes_effect: dict[str, set[str]] = field(default_factory=dict)

    def obstacle(self) -> str | None:
        """Why it cannot run here; None if it can."""
        if self.needs - cpu_flags():
            return "not supported by this CPU"
        if self.threads > usable_cores():
            return f"needs {self.threads} cores"
        if self.environment.get("CATZIP_CORE") == "native" and (reason := _no_core(self.value)):
            return reason
        if self.device != "cpu" and importlib.util.find_spec("torch") is None:
            return "needs torch: pip install 'catzip[torch]'"
        return None


REFERENCE = Condition("reference", "NumPy, 1 thread")


def conditions() -> Iterator[Condition]:
    """Every condition besides the reference, cheapest first. What asks for no core runs on NumPy, as that does."""
    for name in _CORES:
        for threads in (1, 2):
            setting = {"CATZIP_CORE": "native", "CATZIP_CORE_ISA": name}
            effect = {"core": {f"native ({name})"}}
            axis = "compiled core" if threads == 1 else f"compiled core, {threads} threads"
            yield Condition(axis, name, setting, threads=threads, takes_effect=effect)
    yield Condition("threads", "2", threads=2, takes_effect={"threads": {"2"}})
    for name, (needs, shown) in _OPENBLAS.items():
        setting = {"OPENBLAS_CORETYPE": name}
        yield Condition("OPENBLAS_CORETYPE", name, setting, needs=needs, takes_effect={"blas": shown})
    for name, disabled in _numpy_levels():
        setting = {"NPY_DISABLE_CPU_FEATURES": disabled}
        yield Condition("NumPy dispatch", name, setting, takes_effect={"numpy": {name}})
    for threads in (1, 2):
        effect = {"threads": {str(threads)}}
        yield Condition("torch CPU threads", str(threads), {}, "torch", threads, takes_effect=effect)
    for name, needs in _ATEN.items():
        setting = {"ATEN_CPU_CAPABILITY": name}
        effect = {"aten": {name.upper()}}
        yield Condition("ATEN_CPU_CAPABILITY", name, setting, "torch", 1, needs, effect)
    for name, needs in _ONEDNN.items():
        yield Condition("ONEDNN_MAX_CPU_ISA", name, {"ONEDNN_MAX_CPU_ISA": name}, "torch", 1, needs)
    yield Condition("device", "cuda", device="cuda")


def _no_core(name: str) -> str | None:
    """Why this variant of the core cannot run here; None if it can."""
    try:
        return None if name in variants() else "not supported by this CPU"
    except Unusable as why:
        return f"no compiled core: {why}"


def numpy_dispatch() -> list[str]:
    """The instruction sets beyond its baseline that this NumPy, in this process, uses, narrowest first."""
    return numpy.show_config(mode="dicts")["SIMD Extensions"].get("found", [])


def _numpy_levels() -> Iterator[tuple[str, str]]:
    """(what is left, what to disable): every shorter prefix of the instruction sets NumPy uses here."""
    usable = numpy_dispatch()
    for count in range(len(usable)):
        yield " ".join(usable[:count]) or "baseline", " ".join(usable[count:])
