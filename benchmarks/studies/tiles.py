"""How large the tiles of a flow should be: the model's own code length of images, cut in several ways.

python -m catzip.benchmarks.studies.tiles -m idf-photo IMAGE...

Prints a Markdown table with the command, the date and the machine: bits for each sub-pixel (NLL, in the PMFs' 24 bits)
and seconds, for tiles of 32 to 256 pixels square.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path

import numpy as np

from ...compressor.coding.model import Plan
from ...models.families.idf.spelling import tiles_of_a_segment
from ...models.registry import Registry
from .. import machine
from ..tables.text import markdown

SIDES = (32, 64, 128, 256)


def plan_for(own: Plan, shape: tuple[int, ...], side: int) -> Plan:
    """The model's own plan for an image (height, width, channels), but with tiles of at most this side."""
    height, width, _ = shape
    _, channels, own_side, _, *extras = own
    rows, columns = -(-height // side), -(-width // side)
    # Of the sides that cut alike, a plan has the model's own, or else the least.
    alike = (-(-height // own_side), -(-width // own_side)) == (rows, columns)
    least = own_side if alike else max(-(-height // rows), -(-width // columns))
    count = height * width * channels
    return (width, channels, least, tiles_of_a_segment(count, width, channels, least), *extras)


def main(arguments: list[str]) -> int:
    """Measure and print."""
    from PIL import Image

    parser = argparse.ArgumentParser(prog="python -m catzip.benchmarks.studies.tiles")
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    options = parser.parse_args(arguments)
    model = Registry(device="cpu").by_name(options.model)
    images = [np.asarray(Image.open(path).convert("RGB")) for path in options.images]
    rows = []
    for side in SIDES:
        started, bits = time.perf_counter(), 0.0
        for image in images:
            own = model.plan(image.size, shape=image.shape)
            bits += model.nll(image.ravel(), plan_for(own, image.shape, side))
        seconds = time.perf_counter() - started
        rows.append([str(side), f"{bits / sum(image.size for image in images):.4f}", f"{seconds:.1f}"])
    names = " ".join(path.name for path in options.images)
    where = ", ".join(machine.describe("cpu", None).values())
    command = shlex.join(["-m", options.model]) + " " + names
    print(f"`python -m catzip.benchmarks.studies.tiles {command}`, {time.strftime('%Y-%m-%d')}, {where}:\n")
    print(markdown(["side of a tile", "bits/sub-pixel", "seconds"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
