"""The schedules of an order-agnostic model beside uniform ones: as many steps, the same order, groups of one size.

    python -m catzip.benchmarks.studies.schedules -m ardm-text8 --dataset text8 --limit 100000 --json OUT

For each number of steps, the content is compressed with the schedule that the model has (cut by dynamic programming)
and with one cut uniformly, by the command line, in processes of their own; both files are decoded and compared. The
uniform schedules are those of a copy of the weights that lies in a temporary folder meanwhile.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from ...compressor.errors import CatzipError
from ...compressor.escaping import printable
from ...models import checkpoint
from ...models.families.ardm import schedules
from ...models.families.ardm.codec import ARDM
from ...models.registry import Registry
from ..data.dataset import Dataset
from ..data.datasets import load
from ..measuring.measure import Measurement, MeasureSettings, measure
from ..report import terminal
from ..results import Result
from ..run import Job, begin, budgets_of, collect, resumed

UNIFORM = "uniform"


class NoScheduleError(CatzipError):
    """The model has no schedule of that kind."""


def compare(dataset: Dataset, model: str, steps: Sequence[int], settings: MeasureSettings) -> Iterator[Job]:
    """Two measurements for each number of steps (none given: each that the model has, but all).

    Raises CatzipError for a model without schedules, or steps that it does not have.
    """
    source = Registry(device=settings.device, threads=settings.threads)
    found = _order_agnostic(source, model)
    if found.budgets[-1] in steps:
        raise NoScheduleError(f"{model} in {found.budgets[-1]} steps codes digit by digit: nothing is cut")
    for each in budgets_of(source, model, steps or found.budgets[:-1]):
        yield (
            f"{dataset.name}: {model}, {each} steps",
            partial(measure, Measurement(dataset, model, each), source, settings),
        )
        yield (
            f"{dataset.name}: {model}, {each} steps, {UNIFORM}",
            partial(_uniform, Measurement(dataset, model, each), settings),
        )


def uniform_copy(model: str, folder: Path) -> str:
    """Write a copy of a model's weights with uniform schedules into this folder; its name."""
    saved = checkpoint.load(Path(Registry(device="cpu").info(model)["path"]))
    loaded = _order_agnostic(Registry(device="cpu"), model)
    stages, size = loaded.network.stages, loaded.network.size
    even = {
        calls: replace(schedule, groups=schedules.uniform(stages, size, calls))
        for calls, schedule in schedules.from_tensors(saved.arrays, stages, size).items()
    }
    name = f"{saved.config['name']}-{UNIFORM}"
    arrays = saved.arrays | schedules.to_tensors(even)
    copy = checkpoint.Checkpoint(saved.config | {"name": name}, arrays)
    checkpoint.save(folder / f"{name}.safetensors", copy)
    return name


def _order_agnostic(source: Registry, name: str) -> ARDM:
    model = source.by_name(name)
    if not isinstance(model, ARDM):
        raise NoScheduleError(f"{name} codes in no schedule that could be uniform")
    return model


def _uniform(task: Measurement, settings: MeasureSettings) -> Result:
    """The same measurement with uniform schedules; the row stays the model's, and says so."""
    assert task.model is not None
    with tempfile.TemporaryDirectory(prefix="catzip-uniform-") as folder, _beside(folder):
        name = uniform_copy(task.model, Path(folder))
        source = Registry(device=settings.device, threads=settings.threads)
        result = measure(replace(task, model=name), source, settings)
    return replace(result, system=task.system, schedule=UNIFORM)


@contextmanager
def _beside(folder: str) -> Iterator[None]:
    """Models are also looked for in this folder, by the commands that are started too."""
    before: Mapping[str, str] = dict(os.environ)
    os.environ["CATZIP_MODELS"] = os.pathsep.join([folder, *filter(None, [before.get("CATZIP_MODELS")])])
    try:
        yield
    finally:
        os.environ.pop("CATZIP_MODELS")
        os.environ |= before


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables; the exit code."""
    form = argparse.RawDescriptionHelpFormatter
    name = "python -m catzip.benchmarks.studies.schedules"
    parser = argparse.ArgumentParser(prog=name, description=__doc__, formatter_class=form)
    parser.add_argument("-m", "--model", required=True, help="an order-agnostic model")
    parser.add_argument("--dataset", required=True, help="a name or a file, as for catzip bench")
    parser.add_argument(
        "--steps", default=(), type=_numbers, help="with commas between (default: each that it has, but all)"
    )
    parser.add_argument("--limit", type=int, help="only the first bytes, or items of an array")
    parser.add_argument("--json", type=Path, help="also write JSON, row by row")
    parser.add_argument("--resume", action="store_true", help="go on with the run in that file")
    parser.add_argument("-T", "--threads", type=int, help="threads for networks")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = parser.parse_args(words)
    settings = MeasureSettings(options.threads, options.device)
    try:
        (dataset,) = load(options.dataset, options.limit)
        run = begin(shlex.join([*name.split(), *_portable(words)]), [dataset], settings)
        jobs = list(compare(dataset, options.model, options.steps, settings))
        if options.resume and options.json:
            run = resumed(run, options.json, jobs)
        run = collect(run, jobs, options.json, _ignore, lambda line: print(line, file=sys.stderr))
    except CatzipError as error:
        print(f"{name}: {printable(str(error))}", file=sys.stderr)
        return 1
    print(terminal(run))
    return 0


def _numbers(text: str) -> list[int]:
    """5,20. Raises ValueError, for argparse."""
    return [int(word) for word in text.split(",")]


def _portable(words: Sequence[str]) -> list[str]:
    """A command line without folders, and without where its output goes."""
    kept = [word for word in words if word != "--resume"]
    if "--json" in kept:
        at = kept.index("--json")
        del kept[at : at + 2]
    return [Path(word).name if Path(word).is_file() else word for word in kept]


def _ignore(words: str) -> None:
    """The rows are told as they are done."""


if __name__ == "__main__":
    sys.exit(main())
