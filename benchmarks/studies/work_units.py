"""What a unit of work takes: the units of the Claims in FORMAT.md, held against the clock of the processor.

python -m catzip.benchmarks.studies.work_units [MODEL ...]

Frames of empty stacks, as somebody would make them who wants to keep a decoder busy: for each shipped model, plans with
few lanes, items or tiles and with many. One thread, on the core that CATZIP_CORE says. Prints a Markdown table with the
command, the date and the machine; a unit should take about a millisecond, and none much more.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

from ...compressor.coding.model import Model, Plan
from ...compressor.coding.stack import Stack
from ...compressor.errors import CorruptError
from ...models.backends.native.library import described
from ...models.families.ardm.codec import ARDM
from ...models.families.autoregressive.codec import Autoregressive
from ...models.registry import Registry
from .. import machine
from ..tables.text import markdown

_LANES = ((1, 1000), (1, 1), (96, 500), (512, 200), (1024, 64))
"""Lanes and steps; of the second, one step is a segment."""

_PHOTOGRAPH = (256, 256, 3)


def frames(model: Model) -> Iterator[tuple[int, Plan]]:
    """Symbols and plans."""
    if isinstance(model, Autoregressive):
        for lanes, steps in _LANES:
            yield lanes * max(steps, 300), (lanes, steps)
    elif isinstance(model, ARDM):
        size = model.network.size
        for calls in (*model.budgets[:-1:2], 0):
            yield size, (calls, 1)
            if calls:
                yield 8 * size, (calls, 8)
    elif model.sample_shape[:2] != _PHOTOGRAPH[:2] and len(model.plan(1, None)) == 1:
        size = math.prod(model.sample_shape)
        yield from ((size, (1,)), (20 * size, (1,)), (20 * size, (20,)))
    else:
        for shape in (_PHOTOGRAPH, (16, 16, 3), (1, 1000, 3)):
            count = math.prod(shape)
            yield count, model.plan(count, None, shape)


def seconds(model: Model, count: int, plan: Plan) -> float:
    """What decoding a frame of empty stacks takes of the processor."""
    stacks = iter([Stack() for _ in model.segment_sizes(count, plan)])
    start = time.process_time()
    with suppress(CorruptError):  # as a symbol outside the alphabet
        model.decode(stacks, count, plan)
    return time.process_time() - start


def main(names: list[str]) -> int:
    """Measure and print."""
    models, rows = Registry("cpu", threads=1), []
    for name in names or models.names():
        model = models.by_name(name)
        seconds(model, *next(frames(model)))  # what is made once is not counted
        for count, plan in frames(model):
            work, took = model.needs(count, plan).work, seconds(model, count, plan)
            shown = ", ".join(map(str, plan))
            rows.append([name, f"{count:,}", shown, f"{work:,}", f"{took:.2f}", f"{1000 * took / work:.2f}"])
    command = " ".join(["python -m catzip.benchmarks.studies.work_units", *names])
    where = ", ".join(machine.describe("cpu", 1).values())
    print(
        f"`{command}`, core: {described()}, {time.strftime('%Y-%m-%d')}, {where}, load {os.getloadavg()[0]:.1f}:\n"
    )
    print(markdown(["model", "symbols", "plan", "work", "s", "ms a unit"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
