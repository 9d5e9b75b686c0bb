"""Weight files: a bad one harms nobody but who asks for it, and one that loads gives back what it codes."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from unittest.mock import patch

import numpy as np
from click.testing import CliRunner
from hostile_weights import file_of
from pieces import pieces
from tiny_models import tiny_path

from catzip.commands.models import models as command
from catzip.compressor.coding.symbols import symbol_type
from catzip.compressor.errors import CatzipError, DamagedWeightsWarning
from catzip.models import checkpoint
from catzip.models.registry import Registry

from .. import weight_files
from ..draw import Draw
from ..oracle import expect, outcome
from ..scratch import folder

LARGEST = 1 << 18
_NETWORKS = (
    "letters",
    "bytes-refined",
    "letter-chunks",
    "images",
    "images-upscale",
    "flow-grey-array",
    "flow-coupled",
)
_NAME = "tested"
_MOST = 300  # symbols that are coded


def check(data: bytes) -> None:
    """Raise where a registry stumbles over the file, or its model does not give symbols back."""
    path = folder("models") / f"{_NAME}.safetensors"
    path.write_bytes(data)
    with patch.dict(os.environ, {"CATZIP_MODELS": str(path.parent)}), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DamagedWeightsWarning
        )  # what tells of a bad file to who did not ask for it
        _check_listings()
        found = outcome(Registry("cpu", threads=1).by_name, _NAME)
        loaded = outcome(checkpoint.load, path)
    if isinstance(found, CatzipError):
        return
    expect(not isinstance(loaded, CatzipError), "a registry takes a file that is no checkpoint")
    _check_coding(found)


def _check_listings() -> None:
    """What others ask of a registry works, whatever this file is; and what is printed is harmless."""
    registry = Registry("cpu", threads=1)
    expect("idf-mnist" in registry.names(), "a bad file hides the others")
    expect(any(purpose.name == "idf-mnist" for purpose in registry.purposes()), "a bad file hides the others")
    expect(registry.default_for(b"\0 text") is not None, "a bad file takes the default away")
    outcome(registry.info, _NAME)
    outcome(registry.by_fingerprint, b"nobody's")
    shown = CliRunner().invoke(command, ["info", _NAME])
    if shown.exception is not None and not isinstance(shown.exception, CatzipError | SystemExit):
        raise shown.exception
    lines = (shown.stdout + shown.stderr).split("\n")
    expect(all(line.isprintable() for line in lines), "control characters are printed")


def _check_coding(model) -> None:
    """Raise unless a few symbols come back, or the model says that it cannot."""
    count = min(_MOST, math.prod(model.shape) or 40)
    symbols = np.random.RandomState(1).randint(0, model.alphabet, count).astype(symbol_type(model.alphabet))

    def back() -> bool:
        plan = model.plan(count, shape=(1, count, 1) if model.medium == "image" else ())
        sizes = model.segment_sizes(count, plan)
        stacks = list(model.encode(symbols, plan))
        expect(
            len(stacks) == len(sizes) and sum(sizes) == count, "a model states other segments than it makes"
        )
        return bool(np.array_equal(model.decode(iter(stacks), count, plan), symbols))

    expect(outcome(back) is not False, "a model does not give back what it codes")


def seeds() -> dict[str, bytes]:
    """Tiny networks of all families, and one with a vocabulary."""
    found = {name: Path(tiny_path(name)).read_bytes() for name in _NETWORKS}
    return found | {"pieces": file_of(pieces())}


def mutate(data: bytes, draw: Draw) -> bytes:
    """Another weight file."""
    return weight_files.mutate(data, draw)
