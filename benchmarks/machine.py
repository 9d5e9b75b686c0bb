"""Where a figure was measured: CPU, cores, versions, commit. No names of hosts, users or folders."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ..models.backends.workers import usable_cores

PACKAGE = Path(__file__).resolve().parent.parent


def cpu_facts() -> dict[str, str]:
    """The fields of the first processor in /proc/cpuinfo; empty where there is no such file."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in lines}


def cpu_flags() -> frozenset[str]:
    """Instruction sets of this CPU as Linux names them (avx2, avx512f, avx512_vnni ...)."""
    return frozenset(cpu_facts().get("flags", "").split())


def describe(device: str, threads: int | None) -> dict[str, str]:
    """The machine, in words, for a run with these options."""
    facts = cpu_facts()
    name = facts.get("model name") or platform.processor() or platform.machine()
    family = f" family {facts['cpu family']} model {facts['model']}" if "cpu family" in facts else ""
    where = _device(device)
    torch = {"torch": version("torch")} if where != "cpu" and find_spec("torch") else {}
    widest = next((f for f in ("avx512_vnni", "avx512f", "avx_vnni", "avx2") if f in cpu_flags()), "no avx2")
    return {
        "cpu": f"{name}{family}, {widest}",
        "cores": f"{usable_cores()} available, {threads or usable_cores()} used",
        "device": where,
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "constriction": version("constriction"),
        **torch,
    }


def _device(asked: str) -> str:
    """The device that an option stands for, a GPU by its name. PyTorch is asked only where a driver is loaded."""
    if asked not in ("auto", "cuda"):
        return asked
    if not Path("/proc/driver/nvidia/version").exists():
        return "cpu" if asked == "auto" else asked
    try:
        import torch
    except ImportError:
        return "cpu"
    return f"cuda, {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "cpu"


def commit() -> str | None:
    """The commit of the source tree, with -dirty when tracked files differ; None for an installed package."""
    try:
        top = _git("rev-parse", "--show-toplevel")
        if Path(top).resolve() != PACKAGE:
            return None
        return _git("describe", "--always", "--dirty", "--exclude=*", "--abbrev=12")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=PACKAGE, check=True, capture_output=True, text=True)
    return done.stdout.strip()
