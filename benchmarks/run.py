"""One benchmark run: every system on every data set, with the facts that make the figures repeatable."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from .. import __version__
from ..models.registry import Registry
from . import machine
from .datasets import Dataset, DatasetError, load
from .measure import DEFAULTS, Settings, measure
from .peers import PEERS, run_peer
from .report import terminal
from .results import Result, Run


def run_bench(
    datasets: Sequence[str],
    models: Sequence[str] = (),
    *,
    peers: bool = False,
    limit: int | None = None,
    json_out: Path | None = None,
    settings: Settings = DEFAULTS,
    echo: Callable[[str], None] = print,
    progress: Callable[[str], None] = lambda message: None,
) -> Run:
    """Measures `models` (none given: what catzip chooses from the content) and the peers; prints a table.

    `datasets` are names or paths (see `datasets.py`), each cut to `limit` bytes; `json_out` receives the run.
    `progress` is told what is being measured. Raises CatzipError if data, a model or a command fails.
    """
    loaded = [dataset for name in datasets for dataset in load(name, limit)]
    _check_names(loaded)
    run = Run(
        command=_command(datasets, models, peers, limit, settings),
        date=datetime.now(UTC).date().isoformat(),
        catzip=__version__,
        commit=machine.commit(),
        machine=machine.describe(settings.device, settings.threads),
        datasets={dataset.name: _facts(dataset) for dataset in loaded},
        results=list(_results(loaded, models, peers, settings, progress)),
    )
    if json_out is not None:
        run.save(json_out)
    echo(terminal(run))
    return run


def _results(
    datasets: Sequence[Dataset],
    models: Sequence[str],
    peers: bool,
    settings: Settings,
    progress: Callable[[str], None],
) -> Iterator[Result]:
    source = Registry(device=settings.device, threads=settings.threads)
    for dataset in datasets:
        for model in models or (None,):
            progress(f"{dataset.name}: {model or 'default model'}")
            yield measure(dataset, model, source, settings)
        for peer in PEERS if peers else ():
            progress(f"{dataset.name}: {peer.name}")
            yield run_peer(peer, dataset)


def _check_names(datasets: Sequence[Dataset]) -> None:
    """Two data sets of one name would share a table."""
    names = [dataset.name for dataset in datasets]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(f"two data sets are called {', '.join(twice)}: measure them in separate runs")


def _facts(dataset: Dataset) -> dict[str, object]:
    return {
        "description": dataset.description,
        "bytes": len(dataset.data),
        "sha256": hashlib.sha256(dataset.data).hexdigest(),
    }


def _command(
    datasets: Sequence[str], models: Sequence[str], peers: bool, limit: int | None, settings: Settings
) -> str:
    """The command line that repeats this run; of a path, only the file's name."""
    words = ["catzip", "bench"]
    for name in datasets:
        words += ["--dataset", Path(name).name if Path(name).is_file() else name]
    for model in models:
        words += ["-m", model]
    words += ["--peers"] if peers else []
    words += ["--limit", str(limit)] if limit is not None else []
    return shlex.join([*words, *settings.options()])
