"""Weight files: safetensors with one metadata key, a canonical JSON configuration, and a fingerprint.

One key, because safetensors writes several in a different order each time, which would move the hash of the file.
The fingerprint does not hang on the file's bytes at all: it hashes the configuration and the tensors by name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..compressor.errors import CorruptError
from ..compressor.files.atomic import replacing
from .header import Header, opened, parsed, read_header
from .schema import Tensor, typed

Arrays = dict[str, npt.NDArray[Any]]

_KEY = "catzip"


class Checkpoint(NamedTuple):
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
            digest.update(little.reshape(-1).view(np.uint8).data)
        return digest.digest()[:8]


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: one spelling for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint beside its target, then move it there: a reader never sees half of one."""
    from safetensors.numpy import save as save_bytes  # which those who only code need not wait for

    arrays = {name: np.ascontiguousarray(array) for name, array in checkpoint.arrays.items()}
    config = checkpoint.config | {"fingerprint": checkpoint.fingerprint.hex()}
    data = save_bytes(arrays, metadata={_KEY: canonical_json(config).decode()})
    with replacing(path, overwrite=True) as sink:
        sink.write(data)


def load(
    path: Path, check: Callable[[dict[str, Any], Mapping[str, Tensor]], None] | None = None
) -> Checkpoint:
    """Read a checkpoint. Raises CorruptError naming the file if it is not one, or not the one its fingerprint says.

    check  is told the configuration and the type and shape of each tensor before any is read; what it raises is
           raised, a ValueError as CorruptError
    """
    with _opened(path) as file:
        header = read_header(file)
        config = _config(header)
        if check is not None:
            check(config, header.tensors)
        checkpoint = Checkpoint(config, {name: _read(file, header, name) for name in sorted(header.tensors)})
        if checkpoint.fingerprint.hex() != config["fingerprint"]:
            raise CorruptError(
                f"{path}: the weights do not have the fingerprint they claim; install them again"
            )
        return checkpoint


def load_config(path: Path) -> dict[str, Any]:
    """The configuration alone, with the fingerprint that the file claims; the arrays are not read."""
    return describe(path)[0]


def describe(path: Path) -> tuple[dict[str, Any], Header]:
    """The configuration, with the fingerprint that the file claims, and the header; the arrays are not read.

    Raises CorruptError naming the file.
    """
    with _opened(path) as file:
        header = read_header(file)
        return _config(header), header


@dataclass(frozen=True)
class _Config:
    """What every configuration has, with or without a model that codes."""

    family: str
    model: dict[str, Any]
    fingerprint: str


def _config(header: Header) -> dict[str, Any]:
    if _KEY not in header.metadata:
        raise ValueError(f"it has no metadata {_KEY}")
    config = parsed(header.metadata[_KEY], "its configuration")
    typed(_Config, config, "its configuration", open_ended=True)
    return config


def _read(file: BufferedReader, header: Header, name: str) -> npt.NDArray[Any]:
    """One tensor, little-endian in the file as everywhere in safetensors."""
    tensor, (first, behind) = header.tensors[name], header.places[name]
    array = np.empty(tensor.shape, np.dtype(tensor.dtype).newbyteorder("<"))
    file.seek(first)
    if file.readinto(array.reshape(-1).view(np.uint8).data) != behind - first:
        raise ValueError("it became shorter while it was read")
    return array


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        with opened(path) as file:
            yield file
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptError(
            f"{path}: not a catzip weight file ({error}); export or install it again"
        ) from error
