"""The exactness matrix: the same integers and the same bytes under every condition this machine can run.

    python -m catzip.benchmarks.exactness [-m MODEL ...] [--size SYMBOLS] [--against FILE ...] [--json [FILE]]

Each row is a process of its own (`probe.py`) in the environment of one condition (`conditions.py`), or what
another machine found, as --json wrote it there. Each subject must have one digest everywhere: in every row, and
in every variant that the probe evaluates within a row (all at once and step by step, segments and lanes cut
differently). The exit code is 1 if a digest differs, a probe fails, or a setting that this machine supports did
not take effect.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..compressor.files.atomic import write_whole
from ..models.registry import Registry
from .matrix.conditions import conditions
from .matrix.matrix import Matrix, elsewhere, passed, run_matrix
from .matrix.randomized import save_random
from .measuring.measure import MeasureSettings
from .run import begin
from .tables.exactness_tables import terminal

NAME = "python -m catzip.benchmarks.exactness"


def measure(words: str, models: Sequence[str], size: int, others: Sequence[Matrix] = ()) -> Matrix:
    """The matrix of these models, by name or path, and of random ones; `words` is the command line for the record.

    others  the matrices of other machines, each of which becomes a row

    Raises ValueError for two models of one name.
    """
    registry = Registry()
    cards = {Path(name).name.removesuffix(".safetensors"): registry.info(name) for name in models}
    if len(cards) < len(models):
        raise ValueError(f"two of {', '.join(models)} have one name; their rows could not be told apart")
    run = begin(words, [], MeasureSettings(None, "each"))
    with tempfile.TemporaryDirectory(prefix="catzip-exactness-") as folder:
        files = [*save_random(Path(folder)), *(card["path"] for card in cards.values())]
        options = [word for file in files for word in ("--model", str(file))]
        rows = list(run_matrix([*options, "--size", str(size)], list(conditions()), _show))
    _show("")
    marks = {name: card["fingerprint"] for name, card in cards.items()}
    rows += [elsewhere(other, marks, rows[0].digests) for other in others]
    return Matrix(run.command, run.date, run.catzip, run.commit, run.machine, marks, rows)


def _show(text: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the matrix; the exit code."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog=NAME, description=__doc__, formatter_class=form)
    parser.add_argument(
        "-m", "--model", action="append", default=[], help="a model (default: each installed one)"
    )
    parser.add_argument("--size", type=int, default=1_500, help="symbols to code with each model")
    parser.add_argument(
        "--against",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="also compare with what --json wrote on another machine, by the same version, with the same --size",
    )
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="print JSON, or also write it to a file"
    )
    options = parser.parse_args(arguments)
    models = options.model or Registry().names()
    others = [Matrix.load(path) for path in options.against]
    if any(set(re.findall(r"--size (\d+)", other.command)) != {str(options.size)} for other in others):
        parser.error(f"--against: another machine coded another number of symbols than --size {options.size}")
    words = _command(options.model, options.size, options.against)
    matrix = measure(words, models, options.size, others)
    if options.json not in (None, "-"):
        write_whole(Path(options.json), matrix.json() + "\n")
    print(matrix.json() if options.json == "-" else terminal(matrix.rows))
    return 0 if passed(matrix.rows) else 1


def _command(models: Sequence[str], size: int, against: Sequence[Path]) -> str:
    """The command line that repeats this; of a path, only the file's name."""
    named = [word for model in models for word in ("-m", Path(model).name)]
    other = [word for path in against for word in ("--against", path.name)]
    return shlex.join([*NAME.split(), *named, "--size", str(size), *other])


if __name__ == "__main__":
    sys.exit(main())
