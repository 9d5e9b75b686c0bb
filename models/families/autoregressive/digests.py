"""The network of an autoregressive model on one batch, cut in every way: the logits must be the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ....compressor.coding.model import Model, Plan
from ... import checkpoint
from ...backends.base import Arrays, NumpyArray
from ...mixing.contexts import MATCH_LENGTHS
from ...networks.recurrent import AutoregressiveConfig, ExactNetwork

STEPS, LANES = 12, 33

Cuts = list[tuple[int, int]]
"""(start, stop) of each part of an axis."""


def digests(path: Path, arrays: Arrays) -> dict[str, str]:
    """sha256 of the logits, float32 [STEPS, LANES, K], for random contexts: one for each way to cut them."""
    saved = checkpoint.load(path)
    config = AutoregressiveConfig.from_json(saved.config["model"])
    network = ExactNetwork(config, saved.arrays, arrays)
    rows = _contexts(config)
    every_step, every_lane = _parts(STEPS, 1), _parts(LANES, 1)
    ways: dict[str, tuple[Cuts, Cuts]] = {
        "all lanes and steps at once": ([(0, STEPS)], [(0, LANES)]),
        "step by step": (every_step, [(0, LANES)]),
        "each lane alone": ([(0, STEPS)], every_lane),
        "lanes in batches of 8": (_parts(STEPS, 5), _parts(LANES, 8)),
    }
    return {
        name: hashlib.sha256(_logits(network, config, arrays, rows, steps, lanes)).hexdigest()
        for name, (steps, lanes) in ways.items()
    }


def frames(model: Model) -> Iterator[tuple[str, NumpyArray, Plan]]:
    """None: the samples of the matrix show all."""
    return iter(())


def _contexts(config: AutoregressiveConfig) -> NumpyArray:
    """Random rows of the context tables: intp [G + 1, STEPS, LANES]."""
    random = np.random.RandomState(1)
    sizes = [1 << bits for _, bits in config.ngrams] + [config.alphabet * MATCH_LENGTHS]
    return np.stack([random.randint(0, size, (STEPS, LANES)) for size in sizes]).astype(np.intp)


def _logits(
    network: ExactNetwork,
    config: AutoregressiveConfig,
    arrays: Arrays,
    rows: NumpyArray,
    steps: Cuts,
    lanes: Cuts,
) -> bytes:
    whole = np.empty((STEPS, LANES, config.alphabet), "<f4")
    for left, right in lanes:
        states = [arrays.zeros_int32(right - left, config.state) for _ in range(config.depth)]
        for start, stop in steps:
            logits = network.logits(np.ascontiguousarray(rows[:, start:stop, left:right]), states)
            whole[start:stop, left:right] = arrays.fetch(logits).reshape(stop - start, right - left, -1)
    return whole.tobytes()


def _parts(size: int, each: int) -> Cuts:
    return [(start, min(start + each, size)) for start in range(0, size, each)]
