"""The exactness matrix: the same integers and the same bytes under every condition this machine can run.

    python -m catzip.benchmarks.exactness [-m MODEL ...] [--size SYMBOLS] [--json]

Each row is a process of its own (`probe.py`) in the environment of one condition (`conditions.py`). Each
column is a subject, which must have one digest everywhere: in every row, and in every variant that the probe
evaluates within a row (all at once and step by step, segments and lanes cut differently). The exit code is 1
if a digest differs, a probe fails, or a setting that this machine supports did not take effect.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ..models.registry import Registry
from . import machine
from .conditions import conditions
from .matrix import Row, passed, run_matrix
from .randomized import save_random
from .tables import plain


def table(rows: Sequence[Row]) -> str:
    """The matrix as text: the first 12 hexadecimal digits of each digest."""
    subjects = rows[0].digests
    lines = []
    for row in rows:
        found = [row.digests.get(subject, {}).values() for subject in subjects]
        cells = [" ".join(sorted({digest[:12] for digest in digests})) or "-" for digests in found]
        verdict = f"{row.verdict} ({row.note})" if row.note else row.verdict
        lines.append([f"{row.axis}: {row.value}", *cells, verdict])
    return plain(("condition", *subjects, "verdict"), lines) + "\n" + _variants(rows[0])


def _variants(row: Row) -> str:
    """Which ways of evaluating a subject share its digest."""
    listed = [f"  {subject}: {', '.join(found)}" for subject, found in row.digests.items()]
    return "\n".join(["", "each evaluated, in every row:", *listed])


def _weight_files(names: Sequence[str]) -> list[str]:
    """Of these models, or of every installed one."""
    registry = Registry()
    return [registry.info(name)["path"] for name in names or registry.names()]


def _show(text: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the matrix; the exit code."""
    form = argparse.RawDescriptionHelpFormatter
    name = "python -m catzip.benchmarks.exactness"
    parser = argparse.ArgumentParser(prog=name, description=__doc__, formatter_class=form)
    parser.add_argument(
        "-m", "--model", action="append", default=[], help="a model (default: each installed one)"
    )
    parser.add_argument("--size", type=int, default=1_500, help="symbols to code with each model")
    parser.add_argument("--json", action="store_true", help="print JSON, the digests in full")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="catzip-exactness-") as folder:
        files = [*save_random(Path(folder)), *_weight_files(options.model)]
        words = [word for file in files for word in ("--model", str(file))]
        rows = list(run_matrix([*words, "--size", str(options.size)], list(conditions()), _show))
    _show("")
    if options.json:
        report = {"machine": machine.describe("each", None), "rows": [asdict(row) for row in rows]}
        print(json.dumps(report, indent=1))
    else:
        print(table(rows))
    return 0 if passed(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
