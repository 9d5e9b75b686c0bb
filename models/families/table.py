"""What a family of models has, and weight files held to what their family declares, before their tensors are read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Protocol, cast

from ...compressor.coding.model import Model
from ...compressor.errors import CorruptError, ModelNotFoundError
from .. import checkpoint
from ..backends.base import Arrays
from ..backends.workers import Workers
from ..schema import Declared, Tensor, check_tensors, entries, shown, typed
from . import wordlist
from .identity import ALPHABETS, TOKENS, Identity

FAMILIES = ("ardm", "autoregressive", "idf")
"""The families that can code: folders of this package, imported when asked for. A new family joins here."""

_MOST_BYTES = 1 << 27  # of a weight file that codes: its network takes several times as much memory

_Name = Annotated[str, entries(200, least=1)]


class Family(Protocol):
    """What a module of a family has. In a configuration, ``model`` names what others ask for as they do: ``alphabet``,
    and of items their ``shape`` or ``length``."""

    def tensors(self, config: dict[str, Any], names: Collection[str]) -> Declared:
        """The tensors of a model with this configuration, in a file that has tensors of these names.

        Raises ValueError that names a field of the tables ``model`` and ``coding`` which is not as it should be.
        """
        ...

    def load(
        self,
        identity: Identity,
        config: dict[str, Any],
        tensors: checkpoint.Arrays,
        arrays: Arrays,
        workers: Workers,
    ) -> Model:
        """The model of a checkpoint's configuration and arrays. Raises ValueError for values that cannot be."""
        ...


def family_of(name: str) -> Family:
    """The module of the family of this name. Raises ModelNotFoundError for one of a newer catzip."""
    if name not in FAMILIES:
        raise ModelNotFoundError(
            f"a model of the family {shown(name)}, which this release does not know; install a newer catzip"
        )
    return cast(Family, import_module(f".{name}.codec", __package__))


def import_families() -> None:
    """Import every family: where threads are going to code, a fork amid an import would leave half a module."""
    for name in FAMILIES:
        family_of(name)


def check(path: Path, config: dict[str, Any], found: Mapping[str, Tensor]) -> None:
    """Whether a weight file, whose tensors are ``found``, has what its family declares.

    Raises CorruptError that names what is wrong, ModelNotFoundError for a family of a newer catzip.
    """
    try:
        family = family_of(config["family"])
    except ModelNotFoundError as error:
        raise ModelNotFoundError(f"{path}: {error}") from None
    try:
        for field in ("name", "medium"):
            typed(_Name, config.get(field), field)
        typed(dict[str, Any], config.get("coding", {}), "coding")
        media = (*ALPHABETS, TOKENS)
        if config["medium"] not in media:
            raise ValueError(f"no medium {shown(config['medium'])}; there are {', '.join(media)}")
        words = wordlist.declared(config["medium"], found)
        check_tensors(found, family.tensors(config, found.keys() - words.keys()) | words)
        if sum(tensor.size for tensor in found.values()) > _MOST_BYTES:
            raise ValueError(f"its tensors take more than {_MOST_BYTES} bytes")
    except ValueError as error:
        raise wrong(path, error) from error


def load(path: Path, arrays: Arrays, workers: Workers) -> Model:
    """The model in a weight file. Raises CorruptError, and ModelNotFoundError for a family of a newer catzip."""
    saved = checkpoint.load(path, partial(check, path))
    config = saved.config
    try:
        words, tensors = wordlist.taken(config["medium"], saved.arrays)
        identity = Identity(config["name"], config["medium"], saved.fingerprint, words)
        model = family_of(config["family"]).load(identity, config, tensors, arrays, workers)
        if model.alphabet != (ALPHABETS[model.medium] if words is None else len(words)):
            raise ValueError(f"an alphabet of {model.alphabet} is not that of {model.medium}")
    except ValueError as error:
        raise wrong(path, error) from error
    return model


def wrong(path: Path, error: ValueError) -> CorruptError:
    """What to raise where a weight file says what cannot be."""
    return CorruptError(f"{path}: not the weights of a model that codes ({error}); export them again")
