"""Weight files: safetensors with one metadata key, a canonical JSON configuration, and a fingerprint.

One key, because safetensors writes several in a different order each time, which would move the hash of the file.
The fingerprint does not hang on the file's bytes at all: it hashes the configuration and the tensors by name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as save_bytes

from ..atomic import replacing
from ..compressor.errors import CorruptError

Arrays = dict[str, npt.NDArray[Any]]

_KEY = "catzip"


@dataclass(frozen=True)
class Checkpoint:
    """A configuration (family, model and card, JSON values only) and named integer arrays."""

    config: dict[str, Any]
    arrays: Arrays

    @property
    def fingerprint(self) -> bytes:
        """8 bytes: the start of sha256 over what decides the PMFs, that is family, configuration and arrays.

        The card (training time, measured rates) is left out: a better description does not orphan files.
        """
        decisive = {key: self.config.get(key) for key in ("family", "model", "coding")}
        digest = hashlib.sha256(canonical_json(decisive))
        for name in sorted(self.arrays):
            array = np.ascontiguousarray(self.arrays[name])
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            digest.update(canonical_json([name, array.dtype.str.lstrip("<>|="), list(array.shape)]))
            digest.update(little.tobytes())
        return digest.digest()[:8]


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: one spelling for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint beside its target, then move it there: a reader never sees half of one."""
    arrays = {name: np.ascontiguousarray(array) for name, array in checkpoint.arrays.items()}
    config = checkpoint.config | {"fingerprint": checkpoint.fingerprint.hex()}
    data = save_bytes(arrays, metadata={_KEY: canonical_json(config).decode()})
    with replacing(path, overwrite=True) as sink:
        sink.write(data)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises CorruptError naming the file if it is not one, or not the one its fingerprint says."""
    with _opened(path) as file:
        config = _config(file)
        checkpoint = Checkpoint(config, {name: file.get_tensor(name) for name in sorted(file.keys())})
        if checkpoint.fingerprint.hex() != config["fingerprint"]:
            raise CorruptError(
                f"{path}: the weights do not have the fingerprint they claim; install them again"
            )
        return checkpoint


def load_config(path: Path) -> dict[str, Any]:
    """The configuration alone, with the fingerprint that the file claims; the arrays are not read."""
    with _opened(path) as file:
        return _config(file)


def _config(file: Any) -> dict[str, Any]:
    config: Any = json.loads((file.metadata() or {})[_KEY])
    if not isinstance(config, dict):
        raise ValueError("its configuration is no JSON object")
    missing = {"family", "model", "fingerprint"} - config.keys()
    if missing:
        raise KeyError(f"its configuration lacks {', '.join(sorted(missing))}")
    return config


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CorruptError(
            f"{path}: not a catzip weight file ({error}); export or install it again"
        ) from error
