"""Variants of a recipe, trained for the same time one after another: what each choice is worth.

python -m catzip.benchmarks.studies.ablation RECIPE --data FOLDER --minutes M [--from START] [--each] VARIANT...

A VARIANT is what differs from the recipe, as tables and fields of TOML on one line, joined by commas:
`model.couplings.count=4,model.couplings.rezero=false`; an empty one is the recipe itself. `data.NAME=SHARE` is another
share in the mix for the corpus whose file is NAME.txt.xz or the like; 0 leaves it out. Prints a Markdown table with
the command, the device and the date: bits of held-out data with rounding on, as `catzip train` validates at its end,
and of an order-agnostic model of text those in the orders in which it codes. With --each also the bits of the end that
training leaves out of each corpus that has one. Each variant begins with random weights or, with --from, as a run of
`catzip train --from` does. It trains on the CPU. What a variant costs in time is part of the comparison: a slower
network sees less data.
"""

from __future__ import annotations

import argparse
import copy
import re
import shlex
import sys
import tempfile
import time
import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from ...models.schema import typed
from ...models.training import memory
from ...models.training.datasets import Corpus, read_corpora
from ...models.training.families import task_for
from ...models.training.loop import Run
from ...models.training.recipe import Recipe, load
from ...models.training.state import TrainingState
from ...models.training.warm_start import source, warm_start
from .. import machine
from ..tables.text import markdown

BITS = {"validation": "validation, bits", "ordered": "in the orders of coding, bits"}
"""Kinds of bits of held-out data in the log of a run, and what the table calls them."""


def varied(recipe: Recipe, variant: str) -> Recipe:
    """The recipe with the fields of a variant. Raises ValueError for what is no such thing."""
    tables = {"model": copy.deepcopy(recipe.model), "schedule": {}, "data": {}}
    for setting in filter(None, re.split(r",(?=model\.|schedule\.|data\.)", variant)):
        _set(tables, setting)
    try:
        schedule = asdict(recipe.schedule) | tables["schedule"]
        return replace(
            recipe,
            model=tables["model"],
            schedule=typed(type(recipe.schedule), schedule, "schedule"),
            data=_mixed(recipe.data, tables["data"]),
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"{variant!r}: {error}") from error


def _mixed(data: tuple[Corpus, ...], shares: dict[str, float]) -> tuple[Corpus, ...]:
    """The corpora with these shares, without those of share 0."""
    if unknown := shares.keys() - {_name(corpus) for corpus in data}:
        raise ValueError(f"no corpus {', '.join(unknown)}; there are {', '.join(map(_name, data))}")
    wanted = [(corpus, shares.get(_name(corpus), corpus.share)) for corpus in data]
    return tuple(
        typed(Corpus, asdict(corpus) | {"share": share}, _name(corpus)) for corpus, share in wanted if share
    )


def _name(corpus: Corpus) -> str:
    return Path(corpus.path).name.split(".")[0]


def ends(recipe: Recipe) -> tuple[Corpus, ...]:
    """What training leaves out at the end of corpora."""
    cut = [corpus for corpus in recipe.data if (corpus.stop or 0) < 0]
    return tuple(replace(corpus, start=corpus.stop, stop=None) for corpus in cut)


def _set(tables: dict[str, Any], setting: str) -> None:
    path, _, value = setting.partition("=")
    *outer, name = path.split(".")
    table = tables
    for key in outer:
        table = table.setdefault(key, {})
    if outer[:1] not in (["model"], ["schedule"], ["data"]) or not value:
        raise ValueError(
            f"{setting!r}: a setting is model.FIELD=VALUE, schedule.FIELD=VALUE or data.NAME=SHARE"
        )
    table[name] = tomllib.loads(f"value = {value}")["value"]


def measured(
    recipe: Recipe, data: Path, minutes: float, each: tuple[Corpus, ...] = (), start: Path | None = None
) -> dict[str, Any]:
    """What it has come to after that time: steps, symbols seen, bits of held-out data, and of ``each`` by its name.

    ``start`` is the file of the weights that it begins with, see `training.start`.
    Nothing is exported: an order-agnostic model would first look for its best orders, for minutes.
    """
    memory.keep()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(recipe, data, Path(folder), torch.device("cpu"), lambda record: None, False, start)
        run.train(60 * minutes, sys.maxsize)
        found = run.measure()
        texts = zip(each, read_corpora(data, each), strict=True)
        return found | {_name(corpus): run.validate([text])["validation"] for corpus, text in texts}


def main(arguments: list[str]) -> int:
    """Train and print."""
    parser = argparse.ArgumentParser(prog="python -m catzip.benchmarks.studies.ablation")
    parser.add_argument("recipe")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--from", dest="start", metavar="MODEL|FILE|RUN")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("variants", nargs="+", metavar="VARIANT")
    options = parser.parse_args(arguments)
    recipe = load(options.recipe)
    recipes = [varied(recipe, variant) for variant in options.variants]
    start = source(options.start) if options.start else None
    for variant in recipes:  # what is no model is said before the others train
        net = task_for(variant, torch.device("cpu")).net
        TrainingState(net, variant.schedule, warm_start(net, start, variant) if start else None)
    each = ends(recipe) if options.each else ()
    columns = {**BITS, **{_name(corpus): _name(corpus) for corpus in each}}
    rows = []
    for name, variant in zip(options.variants, recipes, strict=True):
        print(f"{name or 'the recipe'} ...", file=sys.stderr, flush=True)
        last = measured(variant, options.data, options.minutes, each, start)
        columns = {kind: title for kind, title in columns.items() if kind in last}
        bits = [f"{last[kind]:.3f}" for kind in columns]
        rows.append([name or "the recipe", f"{last['step']:,}", f"{last['symbols'] / 1e6:.1f} M", *bits])
    shown = [word for word in arguments if word not in ("--data", str(options.data))]
    where = ", ".join(machine.describe("torch", torch.get_num_threads()).values())
    print(
        f"`python -m catzip.benchmarks.studies.ablation {shlex.join(shown)}`, {time.strftime('%Y-%m-%d')}, {where}:\n"
    )
    print(markdown(["variant", "steps", "values seen", *columns.values()], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
