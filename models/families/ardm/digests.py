"""The network of an order-agnostic model on one batch, cut in every way: the frequencies must be the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ....compressor.coding.model import Model, Plan
from ... import checkpoint
from ...backends.base import Arrays, NumpyArray
from ...networks.masked import MaskedNet, masked_config, masked_net

ITEMS, WANTED = 5, 96

Questions = list[tuple[NumpyArray, int, NumpyArray]]
"""known, stage and wanted of `MaskedNet.frequencies`."""


def digests(path: Path, arrays: Arrays) -> dict[str, str]:
    """sha256 of frequencies of random items, some of them known: one for each way to cut batch and wanted."""
    saved = checkpoint.load(path)
    network = masked_net(masked_config(saved.config["model"]), saved.arrays, arrays)
    values, questions = _values(network), _questions(network)
    ways = {
        "all items and dimensions at once": (ITEMS, WANTED),
        "item by item": (1, WANTED),
        "items in twos": (2, WANTED),
        "few dimensions at a time": (ITEMS, 11),
    }
    found = {name: _digest(network, values, questions, *each) for name, each in ways.items()}
    return found | {
        "after calls that knew less": _digest(network, values, questions, ITEMS, WANTED, earlier=3)
    }


def frames(model: Model) -> Iterator[tuple[str, NumpyArray, Plan]]:
    """None: the samples of the matrix show all."""
    return iter(())


def _values(network: MaskedNet) -> NumpyArray:
    """Random walks, and in every other item jumps: uint8 [ITEMS, D]."""
    random = np.random.RandomState(1)
    steps = random.randint(-4, 5, (ITEMS, network.size))
    steps[1::2] *= random.randint(0, network.alphabet, steps[1::2].shape)
    return (np.cumsum(steps, axis=1) % network.alphabet).astype(np.uint8)


def _questions(network: MaskedNet) -> Questions:
    """Questions about every stage, with nothing known, about half, and nearly all."""
    random, found = np.random.RandomState(2), []
    for stage in range(network.stages):
        for share in (0.0, 0.5, 0.9):
            known = random.rand(network.size) < share
            found.append((known, stage, random.permutation(np.flatnonzero(~known))[:WANTED]))
    return found


def _digest(
    network: MaskedNet,
    values: NumpyArray,
    questions: Questions,
    items: int,
    wanted: int,
    earlier: int = 0,
) -> str:
    """With so many items, and so many wanted dimensions, at once; after so many earlier calls, which leave a cache."""
    digest, random = hashlib.sha256(), np.random.RandomState(3)
    for known, stage, places in questions:
        whole = np.empty((ITEMS, len(places), network.base), "<u4")
        for i in range(0, ITEMS, items):
            for j in range(0, len(places), wanted):
                part, cache, rank = places[j : j + wanted], network.new_cache(), random.rand(network.size)
                for share in np.arange(earlier) / max(1, earlier):
                    network.frequencies(values[i : i + items], known & (rank < share), stage, part, cache)
                found = network.frequencies(values[i : i + items], known, stage, part, cache)
                whole[i : i + items, j : j + wanted] = found
        digest.update(whole.tobytes())
    return digest.hexdigest()
