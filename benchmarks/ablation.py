"""Variants of a recipe, trained for the same time one after another: what each choice is worth.

python -m catzip.benchmarks.ablation RECIPE --data FOLDER --minutes M VARIANT...

A VARIANT is what differs from the recipe, as tables and fields of TOML on one line, joined by commas:
`model.couplings.count=4,model.couplings.rezero=false`; an empty one is the recipe itself. Prints a Markdown table with
the command, the device and the date: bits of held-out data with rounding on, as `catzip train` validates at its end,
and of an order-agnostic model of text those in the orders in which it codes. It trains on the CPU. What a variant
costs in time is part of the comparison: a slower network sees less data.
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
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..models.training import memory
from ..models.training.loop import Run
from ..models.training.recipe import Recipe, load
from . import machine
from .tables import markdown

BITS = {"validation": "validation", "ordered": "in the orders of coding"}
"""Kinds of bits of held-out data in the log of a run, and what the table calls them."""


def varied(recipe: Recipe, variant: str) -> Recipe:
    """The recipe with the fields of a variant. Raises ValueError for what is no such thing."""
    tables = {"model": copy.deepcopy(recipe.model), "schedule": {}}
    for setting in filter(None, re.split(r",(?=model\.|schedule\.)", variant)):
        _set(tables, setting)
    return replace(recipe, model=tables["model"], schedule=replace(recipe.schedule, **tables["schedule"]))


def _set(tables: dict[str, Any], setting: str) -> None:
    path, _, value = setting.partition("=")
    *outer, name = path.split(".")
    table = tables
    for key in outer:
        table = table.setdefault(key, {})
    if outer[:1] not in (["model"], ["schedule"]) or not value:
        raise ValueError(f"{setting!r}: a setting is model.FIELD=VALUE or schedule.FIELD=VALUE")
    table[name] = tomllib.loads(f"value = {value}")["value"]


def measured(recipe: Recipe, data: Path, minutes: float) -> dict[str, Any]:
    """What it has come to after that time: steps, symbols seen, bits of held-out data.

    Nothing is exported: an order-agnostic model would first look for its best orders, for minutes.
    """
    memory.keep()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(recipe, data, Path(folder), torch.device("cpu"), lambda record: None, resume=False)
        run.train(60 * minutes, sys.maxsize)
        return run.measure()


def main(arguments: list[str]) -> int:
    """Train and print."""
    parser = argparse.ArgumentParser(prog="python -m catzip.benchmarks.ablation")
    parser.add_argument("recipe")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("variants", nargs="+", metavar="VARIANT")
    options = parser.parse_args(arguments)
    recipe = load(options.recipe)
    recipes = [varied(recipe, variant) for variant in options.variants]
    rows = []
    for name, each in zip(options.variants, recipes, strict=True):
        print(f"{name or 'the recipe'} ...", file=sys.stderr, flush=True)
        last = measured(each, options.data, options.minutes)
        bits = [f"{last[kind]:.3f}" for kind in BITS if kind in last]
        rows.append([name or "the recipe", f"{last['step']:,}", f"{last['symbols'] / 1e6:.1f} M", *bits])
    shown = [word for word in arguments if word not in ("--data", str(options.data))]
    where = ", ".join(machine.describe("cpu", None).values())
    print(
        f"`python -m catzip.benchmarks.ablation {shlex.join(shown)}`, {time.strftime('%Y-%m-%d')}, {where}:\n"
    )
    columns = [f"{name}, bits" for name in BITS.values()][: len(rows[0]) - 3]
    print(markdown(["variant", "steps", "values seen", *columns], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
