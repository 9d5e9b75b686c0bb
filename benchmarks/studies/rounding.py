"""What rounding costs a network in training: of all, and of the weights of each layer alone.

python -m catzip.benchmarks.studies.rounding RECIPE --data FOLDER --run RUN

RUN is the folder of a run of `catzip train` by this recipe (its state, not its export). Prints a Markdown table of bits
of held-out data, by the averaged weights: as they are; with the weights of one layer on their grid; with everything
rounded, as it is exported. A layer that stands out is one to make `fine`, or to round from earlier on.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from ...models.layers.qat.modules import Linear, Rounding
from ...models.training import memory
from ...models.training.loop import Run, holds_run
from ...models.training.recipe import load
from .. import machine
from ..tables.text import markdown


def rounded(layer: Linear) -> torch.Tensor:
    """The weight as it is exported, [outputs, inputs], in real units."""
    arrays = layer.export()
    weight, exponent = (torch.from_numpy(arrays[name]).float() for name in ("weight", "exponent"))
    real: torch.Tensor = weight * torch.exp2(-exponent)[:, None]
    return real.view(-1, *layer.weight.shape).sum(0)


@torch.no_grad()
def costs(run: Run) -> Iterator[list[str]]:
    """What is rounded; how far that moves weights, of their root mean square; bits of held-out data."""
    Rounding.on = False
    with run.averaged() as (net, bits):
        yield ["nothing", "", f"{bits():.4f}"]
        for name, layer in net.named_modules():
            if isinstance(layer, Linear):
                weight = layer.weight.clone()
                layer.weight.copy_(rounded(layer))
                moved = float((layer.weight - weight).norm() / weight.norm())
                yield [f"the weights of {name}", f"{100 * moved:.1f} %", f"{bits():.4f}"]
                layer.weight.copy_(weight)
        Rounding.on = True
        yield ["everything", "", f"{bits():.4f}"]


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m catzip.benchmarks.studies.rounding")
    parser.add_argument("recipe")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    options = parser.parse_args(arguments)
    if not holds_run(options.run):
        parser.error(f"{options.run} holds no run")
    memory.keep()
    recipe = load(options.recipe)
    run = Run(recipe, options.data, options.run, torch.device("cpu"), lambda record: None, resume=True)
    where = ", ".join(machine.describe("torch", torch.get_num_threads()).values())
    words = shlex.join(["--run", options.run.name])
    command = f"python -m catzip.benchmarks.studies.rounding {recipe.name} {words}"
    print(f"`{command}`, {time.strftime('%Y-%m-%d')}, {where}:\n")
    print(markdown(["rounded", "weights move by", "validation, bits"], list(costs(run))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
