"""One row of the exactness matrix: evaluates everything in this process and prints digests as JSON.

{"obstacle": why this cannot run here, or null,
 "facts":    what the settings of the environment really selected,
 "digests":  {subject: {variant: sha256}}}, see `matrix.py`
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from ...compressor.coding.model import Model, Plan
from ...compressor.coding.symbols import Symbols
from ...compressor.media import MEDIA, medium_for
from ...models import checkpoint
from ...models.backends.base import Arrays, NumpyArray
from ...models.backends.native.library import described
from ...models.backends.select import DEVICES, arrays_for
from ...models.backends.workers import LEAST_LANES, Workers
from ...models.families import table
from .conditions import numpy_dispatch
from .matrix import Digests
from .operands import Int8, exact_product, operands
from .recording import Trace, trace

ITEMS = 3
"""Or tiles, where a model codes those: enough for two threads to share them, and for several segments."""


class SharingWorkers(Workers):
    """Lanes and items are shared among all threads, however few there are, as they are where there are many.

    shared  how many threads have shared the work of a batch, at the most; 0 where a family has none to share
    """

    shared = 0

    def groups(self, lanes: int, least: int = LEAST_LANES, each: int = 1) -> list[slice]:
        """As `Workers.groups`, but one lane is enough for a thread."""
        found = super().groups(lanes, 1, each)
        self.shared = max(self.shared, min(len(found), self.threads))
        return found


def probe(models: Sequence[Path], size: int, device: str, threads: int) -> Digests:
    """Every digest, for the weight files `models` and `size` symbols coded with each.

    Raises RuntimeError if the threads did not share the work of a model, or it has other segments than it should.
    """
    arrays = arrays_for(device)
    digests = {"product": _products(arrays, device)}
    for path in models:
        workers = SharingWorkers(threads)
        model = table.load(path, arrays, workers)
        family = checkpoint.load_config(path)["family"]
        subjects = _coding(model, size) | _frames(model, table.digests_of(family))
        digests |= {f"{model.name} {what}": found for what, found in subjects.items()}
        if workers.shared not in (0, threads):
            raise RuntimeError(
                f"{threads} threads should share the work of {model.name}, and {workers.shared} did"
            )
        digests[f"{model.name} network"] = table.digests_of(family).digests(path, arrays)
    return digests


def _products(arrays: Arrays, device: str) -> dict[str, str]:
    """The integer product on extreme operands, and in int64; both as float32, which `product` returns."""

    def kernel(codes: Int8, weight: Int8) -> NumpyArray:
        return arrays.fetch(arrays.product(arrays.place(codes.astype(np.float32)), arrays.weight(weight)))

    ways = {"int64 arithmetic": exact_product, "the layers' product": kernel}
    if device == "torch":
        ways["torch's int8 product"] = _int8_product
    found = {name: hashlib.sha256() for name in ways}
    for _, codes, weight in operands():
        for name, way in ways.items():
            found[name].update(way(codes, weight).astype("<f4").tobytes())
    return {name: digest.hexdigest() for name, digest in found.items()}


def _int8_product(codes: Int8, weight: Int8) -> NumpyArray:
    """The kernel that torch has for int8 on CPUs, also on those where the layers prefer float32."""
    import torch

    product: NumpyArray = torch._int_mm(torch.from_numpy(codes), torch.from_numpy(weight).T).numpy()
    return product


def _coding(model: Model, size: int) -> Digests:
    """What coding a sample does, under the model's own plan and with segments cut elsewhere."""
    image = model.medium == "image"
    shape = (-(-size // 72), 24, 3) if image else ()
    symbols = _sample(model, math.prod(shape) if image else size)
    own = model.plan(len(symbols), shape=shape)
    first = trace(model, symbols, own)
    found = {"PMFs": _ways(first), "bytes": {"coded": first.coded}}
    if image or model.shape:
        return found | _items(model)
    cut = trace(model, symbols, _more_segments(model, len(symbols), own))
    return found | {"PMFs": _ways(first) | _ways(cut, " in shorter segments")}


def _frames(model: Model, family: table.Digests) -> Digests:
    """What coding does that the family has to show besides."""
    found: Digests = {}
    for what, symbols, plan in family.frames(model):
        made = trace(model, symbols, plan)
        found |= {f"PMFs of {what}": _ways(made), f"bytes of {what}": {"coded": made.coded}}
    return found


def _ways(found: Trace, how: str = "") -> dict[str, str]:
    return {f"all at once{how}": found.pushed, f"step by step{how}": found.popped}


def _more_segments(model: Model, count: int, plan: Plan) -> Plan:
    """A plan with the same lanes, whose PMFs are therefore the same, but with three segments or more."""
    while len(model.segment_sizes(count, plan)) < 3 and plan[-1] > 1:
        plan = (*plan[:-1], plan[-1] // 2)
    return plan


def _items(model: Model) -> Digests:
    """What coding several items or tiles does: all in one segment, and each in one of its own.

    A segment has its PMFs call by call: those of the two are in different orders, and are two subjects.
    """
    shape: tuple[int, ...] = (ITEMS, *model.shape)
    if model.medium == "image":
        _, _, side, *_ = model.plan(3, shape=(1, 1, 3))
        shape = (side // 8, ITEMS * side, 3)
    symbols = _sample(model, math.prod(shape))
    own = model.plan(len(symbols), shape=shape)
    alone = (*own[:3], 1, *own[4:]) if model.medium == "image" else (*own[:-1], 1)
    plans = {f"{ITEMS} items": own, "single items": alone}
    segments = [len(model.segment_sizes(len(symbols), plan)) for plan in plans.values()]
    if segments != [1, ITEMS]:
        raise RuntimeError(f"{model.name} has {segments} segments under {plans}, not 1 and {ITEMS}")
    return {f"PMFs of {what}": _ways(trace(model, symbols, plan)) for what, plan in plans.items()}


def _sample(model: Model, size: int) -> Symbols:
    """Prose, then noise, then the prose again, as symbols [size]; for images as it is."""
    prose = Path(__file__).with_name("sample.txt").read_bytes()
    noise = np.random.RandomState(2).bytes(size // 4)
    text = prose[: size // 2] + noise + prose * (1 + size // len(prose))
    medium = MEDIA["bytes"] if model.medium == "image" else medium_for(model)
    return np.resize(medium.split(text)[0], size)


def _facts(device: str) -> dict[str, str]:
    """What the environment selected: BLAS kernels, NumPy's dispatch, the core, threads, torch's instruction set."""
    blas = [pool for pool in threadpool_info() if pool["internal_api"] == "openblas"]
    facts = {"numpy": " ".join(numpy_dispatch()) or "baseline", "core": described()}
    if blas:
        facts |= {"blas": blas[0].get("architecture", "unknown"), "threads": str(blas[0]["num_threads"])}
    if device != "cpu":
        import torch

        facts |= {"aten": torch.backends.cpu.get_cpu_capability(), "threads": str(torch.get_num_threads())}
    return facts


def _obstacle(device: str) -> str | None:
    """Why this device cannot be used here."""
    if device == "cuda":
        import torch

        return None if torch.cuda.is_available() else "no CUDA device"
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the JSON; the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--model", action="append", default=[], type=Path, help="a weight file")
    parser.add_argument("--size", type=int, required=True, help="symbols to code with each model")
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    obstacle = _obstacle(options.device)
    digests = {} if obstacle else probe(options.model, options.size, options.device, options.threads)
    print(json.dumps({"obstacle": obstacle, "facts": _facts(options.device), "digests": digests}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
