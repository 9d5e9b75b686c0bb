"""A weight file with the rich mixture, whose start is fitted to files: from a network that is trained already.

python -m catzip.benchmarks.studies.mixture_start MODEL TARGET --text FILE... --records SYMBOLS:FILE...

MODEL is a name or a weight file of the autoregressive family; its network is kept as it is, and its mixture becomes the
rich one, with `--coding` as fields of TOML on one line, joined by semicolons. Each FILE is coded in pieces of `--piece`
bytes (`FILE:START:STOP` is a part of it; of a `.xz` file the content counts), and what the mixture has learnt at the
end of a piece is averaged: weights over the sets that were in use, maps by how often they were updated. This is done
`--rounds` times, each from the start that the last one found. Prints the bits for each symbol in every round.

Text and records have starts of their own. Files should be of many kinds, and none that anything is measured on.
"""

from __future__ import annotations

import argparse
import lzma
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...compressor.media import medium_for
from ...models import checkpoint
from ...models.backends.base import NumpyArray
from ...models.families.autoregressive.codec import Autoregressive
from ...models.families.autoregressive.native_frame import NativeFrame
from ...models.families.lanes import Layout
from ...models.mixing.choice import mixing_config
from ...models.mixing.config import Tensors
from ...models.mixing.counters import CHANCE, COUNT
from ...models.mixing.rich.config import INPUTS, SELECTORS, SETS, RichConfig
from ...models.registry import Registry, path_of

_HALF = 1 << CHANCE - 1
_FITTED = 24  # age of what was fitted, at most: how many bits of a file weigh as much
_CODING = "mixture=2;bits=17;limit=60;rate=10000;lanes=5"

Piece = tuple[bytes, int]
"""Content, and the symbols of a record or 0."""


def main(arguments: list[str]) -> int:
    """Fit and save."""
    parser = argparse.ArgumentParser(prog="python -m catzip.benchmarks.studies.mixture_start")
    parser.add_argument("model")
    parser.add_argument("target", type=Path)
    parser.add_argument("--text", nargs="*", default=[])
    parser.add_argument("--records", nargs="*", default=[])
    parser.add_argument("--coding", default=_CODING)
    parser.add_argument("--piece", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args(arguments)
    pieces = [(part, 0) for file in options.text for part in _pieces(file, options.piece)]
    for file in options.records:
        record, _, name = file.partition(":")
        pieces += [(part, int(record)) for part in _pieces(name, options.piece)]
    saved = with_rich_mixture(options.model, tomllib.loads("\n".join(options.coding.split(";"))))
    for which in range(options.rounds):
        checkpoint.save(options.target, saved)
        model = Registry(device="cpu").by_name(str(options.target))
        if not isinstance(model, Autoregressive) or model.native is None:
            parser.error("this needs the compiled core and a model of the autoregressive family")
        fitted, bits = fit(model, pieces)
        print(f"round {which}: {bits:.4f} bits/symbol", flush=True)
        saved = saved._replace(arrays=saved.arrays | fitted)
    checkpoint.save(options.target, saved)
    return 0


def with_rich_mixture(model: str, coding: dict[str, Any]) -> checkpoint.Checkpoint:
    """The checkpoint of a model with this table ``coding``, and the start that has been fitted to nothing."""
    saved, mixing = checkpoint.load(path_of(model)), mixing_config(coding)
    if not isinstance(mixing, RichConfig):
        raise ValueError("a table coding with mixture = 2 is needed")
    old = mixing_config(saved.config["coding"]).tensors()
    arrays = {name: array for name, array in saved.arrays.items() if name not in old}
    return saved._replace(config=saved.config | {"coding": coding}, arrays=arrays | mixing.tables())


def fit(model: Autoregressive, pieces: list[Piece]) -> tuple[Tensors, float]:
    """The start that suits these pieces better, and what they take now: bits for each symbol."""
    found, bits, count = dict[int, list[dict[str, NumpyArray]]](), 0.0, 0
    for content, record in pieces:
        symbols = medium_for(model).split(content)[0]
        learnt, cost = _learnt(model, symbols, record)
        found.setdefault(min(record, 1), []).append(learnt)
        bits, count = bits + cost, count + len(symbols)
    fitted = {name: model.tensors[name].copy() for name in ("weights", "histories", "trust")}
    for profile, ends in found.items():
        start = model.tensors["weights"][profile].astype(np.int64)
        fitted["weights"][profile] = _mean_weights([end["weights"] for end in ends], start)
        for name, maps in (("histories", "maps"), ("trust", "trust")):
            shape = fitted[name][profile].shape
            fitted[name][profile] = _mean_maps([end[maps] for end in ends]).reshape(shape)
    return fitted, bits / count


def _learnt(model: Autoregressive, symbols: NumpyArray, record: int) -> tuple[dict[str, NumpyArray], float]:
    """What the mixture has learnt when it has met the symbols, and their bits."""
    assert model.native is not None
    lanes, segment = model.plan(len(symbols))[:2]
    layout = Layout.of(len(symbols), (lanes, segment))
    frame = NativeFrame(model.native, model.workers, layout, max(1, 2048 // lanes), record)
    evaluations, bits = frame.ahead(symbols), 0.0
    for start, stop in layout.segments():
        for chances, coded in frame.forced(layout.columns(start, stop).cut(symbols), evaluations):
            bits -= float(np.log2(np.where(coded, chances, (1 << 16) - chances) / (1 << 16)).sum())
    return frame.learnt, bits


def _mean_weights(found: list[NumpyArray], start: NumpyArray) -> NumpyArray:
    """The mean over files of the mean over the sets that have changed: int32 [SELECTORS, INPUTS]."""
    means = []
    for weights in found:
        sets = weights.reshape(SELECTORS, SETS, INPUTS).astype(np.int64)
        used = (sets != start[:, None]).any(axis=2)
        means.append((sets * used[..., None]).sum(1) / np.maximum(used.sum(1), 1)[:, None])
    mean: NumpyArray = np.rint(np.mean(means, axis=0)).astype(np.int32)
    return mean


def _mean_maps(found: list[NumpyArray]) -> NumpyArray:
    """Counters of the mean probability, weighted by age: int32, flat."""
    maps = np.stack([each.ravel() for each in found]).astype(np.int64)
    chances, ages = maps >> COUNT, maps & (1 << COUNT) - 1
    mean = np.rint((chances * (ages + 1)).sum(0) / (ages + 1).sum(0)).astype(np.int64)
    age = np.minimum(np.rint(ages.mean(0)).astype(np.int64), _FITTED)
    counters: NumpyArray = ((np.clip(mean, -_HALF, _HALF - 1) << COUNT) + age).astype(np.int32)
    return counters


def _pieces(file: str, size: int) -> Iterator[bytes]:
    path, *places = file.split(":")
    content = Path(path).read_bytes()
    content = lzma.decompress(content) if path.endswith(".xz") else content
    content = content[slice(*(int(place) if place else None for place in places))] if places else content
    yield from (content[start : start + size] for start in range(0, len(content), size))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
