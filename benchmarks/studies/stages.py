"""Where the time of a model goes: shares of compressing and decompressing, by stage.

python -m catzip.benchmarks.studies.stages -m MODEL [--limit BYTES] FILE

One thread, without the start of the interpreter, on NumPy, for the compiled core is one function here; under the
profiler of the standard library, which makes small calls look a little longer than they are. Time is that of a function
itself; what belongs to no stage, as NumPy's functions do, counts for the stages that call it. Prints a Markdown table
with the command, the date and the machine.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ... import compress, decompress
from ...models.families import table as families
from ...models.registry import Registry
from .. import machine
from ..tables.text import markdown

STAGES: dict[str, tuple[str, ...]] = {
    "integer products": ("models/backends/*:product", "models/backends/*:batched"),
    "PMFs": (
        *("models/mixing/mixing:summed", "models/layers/grid:frequencies", "models/layers/grid:weights"),
        "models/layers/logistics",
    ),
    "mixture": tuple(f"models/mixing/{name}" for name in ("mixing", "sse", "counters", "words", "decisions")),
    "contexts and features": ("models/mixing/contexts", "models/networks/windows", "models/networks/pixels"),
    "what is fitted": ("models/families/*/enc_*",),
    "coder": ("compressor/coding/*", "models/families/base"),
    "other layers": ("models/layers/*", "models/networks/*", "models/families/*"),
}
"""What belongs to a stage: modules by their paths in catzip, where * stands for anything, or functions of them. The
first stage that names a function has it, but for what `SPECIAL` names."""

SPECIAL: dict[str, str] = {
    f"{package.partition('.')[2].replace('.', '/')}/{module}": stage
    for package in families.FAMILIES.values()
    for stage, modules in getattr(import_module(package), "STAGES", {}).items()
    for module in modules
}
"""The stages of modules that the package of a family has under `STAGES`."""

REST = "the rest"
ROOT = Path(__file__).parent.parent.parent

Function = tuple[str, int, str]  # file, line, name
Shares = dict[str, float]


def stage_of(function: Function) -> str | None:
    """The stage that names this function."""
    file = Path(function[0])
    if not file.is_relative_to(ROOT):
        return None
    module = file.relative_to(ROOT).with_suffix("").as_posix()
    if stage := SPECIAL.get(module):
        return stage
    names = (module, f"{module}:{function[2]}")
    for stage, members in STAGES.items():
        if any(fnmatchcase(name, member) for name in names for member in members):
            return stage
    return None


def by_stage(stats: dict[Function, Any]) -> Counter[str]:
    """Seconds of each stage, from `pstats.Stats.stats`: function -> (calls, calls, own, total, callers)."""

    @cache
    def shares(function: Function, depth: int = 8) -> Shares:
        """How a function's own time is shared among stages: its own stage, or those of its callers."""
        if stage := stage_of(function):
            return {stage: 1.0}
        callers = {caller: each[2] for caller, each in stats[function][4].items()}
        whole = sum(callers.values())
        if not whole or not depth:
            return {REST: 1.0}
        shared: Counter[str] = Counter()
        for caller, own in callers.items():
            for stage, share in shares(caller, depth - 1).items():
                shared[stage] += share * own / whole
        return dict(shared)

    found: Counter[str] = Counter()
    for function, (_, _, own, _, _) in stats.items():
        for stage, share in shares(function).items():
            found[stage] += share * own
    return found


def profiled(run: Callable[[], bytes]) -> tuple[bytes, Counter[str]]:
    """What it returns, and the seconds of each stage."""
    profile = cProfile.Profile()
    result = profile.runcall(run)
    return result, by_stage(pstats.Stats(profile).stats)  # type: ignore[attr-defined]


def table(ways: list[Counter[str]]) -> str:
    """Shares of compressing and of decompressing."""
    rows = [
        [stage, *(f"{100 * each[stage] / each.total():.0f} %" for each in ways)]
        for stage in (*STAGES, REST)
        if any(each[stage] > 0.005 * each.total() for each in ways)
    ]
    rows.append(["seconds, with the profiler", *(f"{each.total():.1f}" for each in ways)])
    return markdown(["stage", "compress", "decompress"], rows)


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m catzip.benchmarks.studies.stages")
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("--limit", type=int, help="bytes of the file")
    parser.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    os.environ["CATZIP_CORE"] = "numpy"
    data = options.file.read_bytes()[: options.limit]
    Registry(device="cpu").by_name(options.model)  # imports what the model needs
    packed, packing = profiled(lambda: compress(data, options.model, device="cpu", threads=1))
    unpacked, unpacking = profiled(lambda: decompress(packed, device="cpu", threads=1))
    if unpacked != data:
        raise AssertionError("what came back is not what was compressed")
    limit = f" --limit {options.limit}" if options.limit else ""
    command = f"-m {options.model}{limit} {shlex.quote(options.file.name)}"
    where = ", ".join(machine.describe("cpu", 1).values())
    print(f"`python -m catzip.benchmarks.studies.stages {command}`, {time.strftime('%Y-%m-%d')}, {where}:\n")
    print(table([packing, unpacking]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
