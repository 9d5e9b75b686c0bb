"""What the compiled core saves: whole commands on NumPy and on each variant of the core, back to back.

python -m catzip.benchmarks.studies.cores -m MODEL [--steps N] [--limit BYTES] [--repeat N] FILE

One thread. Seconds are those of the processor, with the start of the interpreter: the least of so many runs, in which
the cores take turns, so that a busy machine slows all of them. All must make the same file, and the content of it.
Prints a Markdown table with the command, the date and the machine.
"""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ...models.backends.native.library import Unusable, variants
from .. import machine
from ..tables.text import markdown

NUMPY = "numpy"
Seconds = dict[str, list[float]]  # of each core: to compress, to decompress


def cores() -> list[str]:
    """NumPy, and the variants that this processor can run, the slowest first."""
    try:
        return [NUMPY, *reversed(variants())]
    except Unusable as why:
        raise SystemExit(f"no compiled core here: {why}") from why


def run(core: str, *words: str) -> float:
    """Run the command on a core: seconds of the processor."""
    setting = {"CATZIP_CORE": NUMPY, "CATZIP_CORE_ISA": ""}
    if core != NUMPY:
        setting = {"CATZIP_CORE": "native", "CATZIP_CORE_ISA": core}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "catzip", *words]
    subprocess.run(command, check=True, env=os.environ | setting, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(content: Path, options: list[str], repeat: int, folder: Path) -> tuple[Seconds, int]:
    """The least seconds of each core, and the size of the file that all of them make."""
    found: Seconds = {core: [float("inf"), float("inf")] for core in cores()}
    packed = {core: folder / f"{core}.catz" for core in found}
    for _ in range(repeat):
        for core, least in found.items():
            packed[core].unlink(missing_ok=True)
            words = ["compress", "-T", "1", *options, "-o", str(packed[core]), str(content)]
            least[0] = min(least[0], run(core, *words))
            unpacked = folder / "content"
            unpacked.unlink(missing_ok=True)
            words = ["decompress", "-T", "1", "-o", str(unpacked), str(packed[core])]
            least[1] = min(least[1], run(core, *words))
            if unpacked.read_bytes() != content.read_bytes():
                raise AssertionError(f"{core}: what came back is not what was compressed")
    if len({path.read_bytes() for path in packed.values()}) > 1:
        raise AssertionError("the cores do not make the same file")
    return found, packed[NUMPY].stat().st_size


def table(found: Seconds) -> str:
    """Seconds, and how many times as fast as on NumPy."""
    rows = [
        [core, *(f"{each:.2f} s ({base / each:.1f} x)" for each, base in zip(row, found[NUMPY], strict=True))]
        for core, row in found.items()
    ]
    return markdown(["core", "compress", "decompress"], rows)


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m catzip.benchmarks.studies.cores")
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("--steps", type=int, help="calls of an order-agnostic model")
    parser.add_argument("--limit", type=int, help="bytes of the file")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    words = ["-m", options.model, *(["--steps", str(options.steps)] if options.steps is not None else [])]
    with tempfile.TemporaryDirectory(prefix="catzip-cores-") as name:
        content = Path(name) / options.file.name
        content.write_bytes(options.file.read_bytes()[: options.limit])
        found, size = measured(content, words, options.repeat, Path(name))
    limit = ["--limit", str(options.limit)] if options.limit else []
    command = shlex.join([*words, *limit, options.file.name])
    where = ", ".join(machine.describe("cpu", 1).values())
    print(f"`python -m catzip.benchmarks.studies.cores {command}`, {time.strftime('%Y-%m-%d')}, {where}:")
    print(f"{size:,} bytes on each\n\n{table(found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
