"""One benchmark run: every system on every data set, with the facts that make the figures repeatable."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from .. import __version__
from ..compressor.coding.model import ModelSource
from ..compressor.errors import CatzipError
from ..models.registry import Registry
from . import machine
from .data.dataset import Dataset, DatasetError
from .data.datasets import load
from .measuring.measure import DEFAULTS, NONE, Measurement, MeasureSettings, measure
from .measuring.peers import PEERS, run_peer
from .measuring.picture_peers import picture_jobs
from .report import terminal
from .results import Result, Run

Say = Callable[[str], None]


Job = tuple[str, Callable[[], Result]]
"""What is measured, in words, and the measurement."""


class ResumeError(CatzipError):
    """The run to go on with is another one."""


@dataclass(frozen=True)
class Bench:
    """What a run measures.

    datasets  names or paths (see `datasets.py`)
    models    by name; none: what catzip chooses from the content
    steps     a row for each of these budgets (0 for all), of the models that have a choice; none for their default
    singles   of arrays, also these items as files of their own
    whole     whether all content is measured as one file too, where there are singles
    peers     whether other compressors run too
    no_models whether they alone run
    limit     bytes of each data set, or items of an array; None for all
    """

    datasets: Sequence[str]
    models: Sequence[str] = ()
    steps: Sequence[int] = ()
    singles: range = NONE
    whole: bool = True
    peers: bool = False
    no_models: bool = False
    limit: int | None = None
    settings: MeasureSettings = DEFAULTS

    def command(self) -> str:
        """The command line that repeats this run; of a path, only the file's name."""
        words = ["catzip", "bench"]
        for name in self.datasets:
            words += ["--dataset", Path(name).name if Path(name).is_file() else name]
        for model in self.models:
            words += ["-m", Path(model).name]
        words += ["--steps", ",".join(str(each or "all") for each in self.steps)] if self.steps else []
        words += ["--singles", _span(self.singles)] if self.singles else []
        words += [] if self.whole else ["--singles-only"]
        words += ["--peers-only"] if self.no_models else ["--peers"] if self.peers else []
        words += ["--limit", str(self.limit)] if self.limit is not None else []
        words += [] if self.settings.nll else ["--no-nll"]
        return shlex.join([*words, *self.settings.options()])

    def loaded(self) -> list[Dataset]:
        """The data. Raises DatasetError, also for one without the items that are asked for."""
        found = [dataset for name in self.datasets for dataset in load(name, self.limit)]
        _check_names(found)
        for dataset in found:
            if dataset.item and self.singles.start >= len(dataset.items) > 0:
                raise DatasetError(
                    f"{dataset.name} has {len(dataset.items)} items, none from {self.singles.start} on"
                )
        return found

    def jobs(self, datasets: Sequence[Dataset]) -> Iterator[Job]:
        """Every row, in order. Raises CatzipError for a model that is not there, or steps that it does not have."""
        source = Registry(device=self.settings.device, threads=self.settings.threads)
        budgets: dict[str | None, list[int | None]] = {
            model: budgets_of(source, model, self.steps) for model in self.models
        }
        if not self.models and not self.no_models:
            budgets = {None: [None]}
        for dataset in datasets:
            for model, steps in budgets.items():
                for task in self._tasks(dataset, model, steps):
                    yield str(task), partial(measure, task, source, self.settings)
            yield from _peers(dataset) if self.peers or self.no_models else ()

    def _tasks(
        self, dataset: Dataset, model: str | None, steps: Sequence[int | None]
    ) -> Iterator[Measurement]:
        singles = self.singles[: max(0, len(dataset.items) - self.singles.start)] if dataset.item else NONE
        for each in steps:
            if self.whole or not singles:
                yield Measurement(dataset, model, each)
            if singles:
                yield Measurement(dataset, model, each, singles)


def run_bench(
    bench: Bench,
    *,
    json_out: Path | None = None,
    resume: bool = False,
    echo: Say = print,
    progress: Say = lambda message: None,
    done: Say = lambda message: None,
) -> Run:
    """Measures all rows and prints a table.

    json_out  receives the run, anew after each row: a run that is stopped keeps what it has measured
    resume    go on with the run that is there: what it has measured is not measured again
    progress  told what is being measured; `done` is told the figures of each row
    Raises CatzipError if data, a model or a command fails, if `resume` meets another run, or where json_out is a file
    that no benchmark wrote.
    """
    if json_out is not None:
        _check_target(json_out)
    datasets = bench.loaded()
    jobs = list(bench.jobs(datasets))
    run = begin(bench.command(), datasets, bench.settings)
    if resume and json_out is not None:
        run = resumed(run, json_out, jobs)
    run = collect(run, jobs, json_out, progress, done)
    echo(terminal(run))
    return run


def _span(items: range) -> str:
    """As `--singles` has them."""
    return f"{items.start}-{items[-1]}" if items.start else str(len(items))


def _check_target(path: Path) -> None:
    """Only results of a benchmark are replaced by those of another."""
    if not path.is_file():
        return
    try:
        Run.load(path)
    except ValueError as error:
        raise CatzipError(f"{error}: not overwritten; write to another file") from error


def begin(words: str, datasets: Sequence[Dataset], settings: MeasureSettings) -> Run:
    """A run of this command line, without results."""
    return Run(
        command=words,
        date=datetime.now(UTC).date().isoformat(),
        catzip=__version__,
        commit=machine.commit(),
        machine=machine.describe(settings.device, settings.threads),
        datasets={dataset.name: _facts(dataset) for dataset in datasets},
        results=[],
    )


def collect(run: Run, jobs: Sequence[Job], json_out: Path | None, progress: Say, done: Say) -> Run:
    """The run with a result of each job that it does not have yet, saved after each of them.

    The results stand in the order of the jobs, others that the run has behind them.
    """
    found = {result.job: result for result in run.results}
    order: list[str | None] = [words for words, _ in jobs]
    order += [words for words in found if words not in order]
    for words, job in jobs:
        if words in found:
            continue
        progress(words)
        result = found[words] = replace(job(), job=words)
        run = replace(run, results=[found[each] for each in order if each in found])
        if json_out is not None:
            run.save(json_out)
        rate = f"{result.compressed_bytes:,} bytes, {result.rate:.4f} bits" if result.rate else "no figures"
        done(f"{result.dataset}: {result.label}: {rate}")
    return run


def resumed(run: Run, path: Path, jobs: Sequence[Job]) -> Run:
    """What was measured of these data before, if anything was; other models may be added to it.

    Raises ResumeError if the file is of other data or of another machine.
    """
    if not path.is_file():
        return run
    try:
        before = Run.load(path)
    except ValueError as error:
        raise ResumeError(str(error)) from error
    for what in ("datasets", "machine"):
        if getattr(before, what) != getattr(run, what):
            raise ResumeError(
                f"{path.name} is of another run, its {what} differs: leave --resume out to begin anew, "
                "or write to another file"
            )
    measured = {result.job for result in before.results}
    if None in measured:
        raise ResumeError(f"{path.name} does not say which row is of what: leave --resume out to begin anew")
    commands = [*before.command.split("; "), run.command]
    alike = len({"--no-nll" in command for command in commands}) == 1
    contained = alike and measured <= {words for words, _ in jobs}
    return replace(
        before,
        command=run.command if contained else _then(before.command, run.command, "; "),
        date=_then(before.date, run.date),
        catzip=_then(before.catzip, run.catzip),
        commit=_then(before.commit or "unknown", run.commit or "unknown"),
    )


def _then(before: str, now: str, between: str = ", then ") -> str:
    """Both, in this order, where they are not the same."""
    return before if before.split(between)[-1] == now else f"{before}{between}{now}"


def budgets_of(source: ModelSource, name: str, steps: Sequence[int]) -> list[int | None]:
    """Which of these steps (0 for all) to measure a model with, each by its number; [None] where there is no choice.

    Raises CatzipError for steps that the model does not have.
    """
    model = source.by_name(name)
    if not steps or not model.budgets:
        return [None]
    for each in steps:
        model.plan(1, each)
    return list(dict.fromkeys(each or model.budgets[-1] for each in steps))


def _peers(dataset: Dataset) -> Iterator[Job]:
    """General compressors too, unless it is an image that lies in a file of its own."""
    for peer in () if dataset.image else PEERS:
        yield f"{dataset.name}: {peer.name}", partial(run_peer, peer, dataset)
    for name, job in picture_jobs(dataset):
        yield f"{dataset.name}: {name}", job


def _check_names(datasets: Sequence[Dataset]) -> None:
    """Two data sets of one name would share a table."""
    names = [dataset.name for dataset in datasets]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(f"two data sets are called {', '.join(twice)}: measure them in separate runs")


def _facts(dataset: Dataset) -> dict[str, object]:
    shapes = {"item": list(dataset.item), "image": list(dataset.image)}
    known: dict[str, object] = {key: shape for key, shape in shapes.items() if shape}
    return {
        "description": dataset.description,
        "bytes": len(dataset.data),
        "sha256": hashlib.sha256(dataset.data).hexdigest(),
        **known,
        **({"dimensions": dataset.dimensions} if known else {}),
    }
