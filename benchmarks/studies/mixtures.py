"""What each part of a mixture is worth: the code length of files, and the time, with variants of `[coding]`.

python -m catzip.benchmarks.studies.mixtures -m MODEL FILE... -v VARIANT -v VARIANT...

A VARIANT is what differs from the model's own coding, as fields of TOML on one line, joined by semicolons:
`refined=true;orders=[2,3,4,6]`; an empty one is the model itself. Of a FILE, `FILE:N` is the last N bytes; of a `.xz`
file the content counts. Prints a Markdown table with the command, the date and the machine: bits for each symbol, as
coded in segments without heads or a side stream, and the symbols coded in a second.
"""

from __future__ import annotations

import argparse
import lzma
import shlex
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

from ...compressor.coding.model import Model
from ...compressor.media import medium_for
from ...models import checkpoint
from ...models.backends.base import NumpyArray
from ...models.mixing.choice import mixing_config
from ...models.registry import Registry
from .. import machine
from ..tables.text import markdown


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m catzip.benchmarks.studies.mixtures")
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("-v", "--variant", action="append", required=True)
    parser.add_argument("files", nargs="+", metavar="FILE")
    options = parser.parse_args(arguments)
    contents = [_content(file) for file in options.files]
    rows = []
    for variant in options.variant:
        model = varied(options.model, variant)
        parts = [medium_for(model).split(content)[0] for content in contents]
        sizes, seconds = zip(*(_coded(model, symbols) for symbols in parts), strict=True)
        bits = [f"{8 * size / len(symbols):.4f}" for size, symbols in zip(sizes, parts, strict=True)]
        speed = sum(map(len, parts)) / sum(seconds)
        rows.append([variant or "the model", *bits, f"{speed:,.0f}"])
    names = [Path(file).name for file in options.files]
    words = [
        "-m",
        Path(options.model).name,
        *(word for each in options.variant for word in ("-v", each)),
        *names,
    ]
    where = ", ".join(machine.describe("cpu", None).values())
    print(
        f"`python -m catzip.benchmarks.studies.mixtures {shlex.join(words)}`, {time.strftime('%Y-%m-%d')}, {where}:\n"
    )
    print(markdown(["variant", *names, "symbols/s"], rows))
    return 0


def varied(name: str, variant: str) -> Model:
    """The autoregressive model of this name with a variant's fields in its mixture.

    Raises TypeError for fields that there are not, ValueError for values that cannot be.
    """
    source = Registry(device="cpu")
    saved = checkpoint.load(Path(source.info(name)["path"]))
    fields = _fields(variant)
    mixing: dict[str, Any] = fields if "mixture" in fields else saved.config["coding"] | fields
    arrays = saved.arrays | mixing_config(mixing).tables()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{saved.config['name']}.safetensors"
        checkpoint.save(path, saved._replace(config=saved.config | {"coding": mixing}, arrays=arrays))
        return source.by_name(str(path))


def _fields(variant: str) -> dict[str, Any]:
    return tomllib.loads("\n".join(variant.split(";")))


def _content(file: str) -> bytes:
    path, _, last = file.partition(":")
    data = Path(path).read_bytes()
    data = lzma.decompress(data) if path.endswith(".xz") else data
    return data[max(0, len(data) - int(last)) :] if last else data


def _coded(model: Model, symbols: NumpyArray) -> tuple[int, float]:
    """Bytes and seconds."""
    started = time.perf_counter()
    size = sum(len(stack.to_bytes()) for stack in model.encode(symbols, model.plan(len(symbols))))
    return size, time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
