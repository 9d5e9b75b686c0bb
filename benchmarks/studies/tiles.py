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

from ...models.families.lanes import MAX_SEGMENT
from ...models.registry import Registry
from .. import machine
from ..tables.text import markdown

SIDES = (32, 64, 128, 256)


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
            width, channels, _, _, *extras = model.plan(image.size, shape=image.shape)
            each = max(1, MAX_SEGMENT // (channels * side * side))
            bits += model.nll(image.ravel(), (width, channels, side, each, *extras))
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
