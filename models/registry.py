"""Names and fingerprints to models: the weights inside the package, and those in the folders of CATZIP_MODELS."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from ..compressor.errors import CorruptError, ModelNotFoundError
from ..compressor.model import Model, Purpose
from . import checkpoint
from .arrays import Arrays, arrays_for
from .identity import Identity
from .superseded import where_to_find
from .workers import Workers

WEIGHTS = Path(__file__).parent / "weights"

Loader = Callable[[Identity, dict[str, Any], checkpoint.Arrays, Arrays, Workers], Model]
"""What a module of a family has as ``load``: a model of a checkpoint's configuration and arrays. In the configuration,
``model`` names what others ask for as they do: ``alphabet``, and of items their ``shape`` or ``length``."""

FAMILIES = ("ardm", "autoregressive", "idf")
"""The families that can code: modules of this package, imported when asked for. A new family joins here."""

EFFORTS = ("fast", "default", "best")

_PHOTO = "idf-photo"
_LETTERS = b"abcdefghijklmnopqrstuvwxyz "


class Registry:
    """A `compressor.model.ModelSource`; models are loaded when asked for, once.

    device   "auto" (CUDA if PyTorch and a GPU are there) or one of `arrays.DEVICES`
    threads  that share the work; None for as many as there are cores. Raises ValueError for less than one
    effort   "fast" for faster models by default, "best" to be `thorough`. Raises ValueError for another but "default"
    """

    def __init__(self, device: str = "auto", threads: int | None = None, effort: str = "default") -> None:
        if effort not in EFFORTS:
            raise ValueError(f"effort {effort!r}: {', '.join(EFFORTS)} are possible")
        self._effort = effort
        self._device = _default_device() if device == "auto" else device
        self._workers = Workers(threads)
        self._loaded: dict[Path, Model] = {}

    def names(self) -> list[str]:
        """The installed models."""
        return sorted(_installed())

    def by_name(self, name: str) -> Model:
        """The model of this name, or in this .safetensors file. Raises ModelNotFoundError."""
        return self._load(path_of(name))

    def by_fingerprint(self, fingerprint: bytes) -> Model:
        """The model of this fingerprint: installed, or in a file that was asked for by its path.

        Raises ModelNotFoundError that says where to put its weights.
        """
        name, passed = fingerprint.hex(), ""
        for model in self._loaded.values():
            if model.fingerprint == fingerprint:
                return model
        for path in _weight_files():
            try:
                if checkpoint.load_config(path)["fingerprint"] == name:
                    return self._load(path)
            except CorruptError as error:  # of no matter, if the model is in another file
                passed = f" ({error})"
        raise ModelNotFoundError(f"the model {name} is not installed; {where_to_find(name)}{passed}")

    def purposes(self) -> list[Purpose]:
        """What every installed model is for, the one with the fewest bits in validation first; damaged files aside."""
        found: list[tuple[float, Purpose]] = []
        for name, path in sorted(_installed().items()):
            with suppress(CorruptError):
                config = checkpoint.load_config(path)
                bits = config.get("card", {}).get("validation_bits", math.inf)
                found.append((bits, Purpose(name, config.get("medium", ""), _shape(config["model"]))))
        return [purpose for _, purpose in sorted(found)]

    def default_for(self, content: bytes) -> str | None:
        """ar-text8 for nothing but a-z and single spaces, ar-bytes for the rest; None if that is not installed.

        Where speed matters, ar-bytes-s for everything. (For an array of items that a model codes, the pipeline goes by
        `purposes`; see also `default_for_images`.)
        """
        plain = b"  " not in content and not content.translate(None, _LETTERS)
        wanted = ["ar-bytes-s"] * (self._effort == "fast") + ["ar-text8"] * plain + ["ar-bytes"]
        installed = self.names()
        return next((name for name in wanted if name in installed), None)

    def default_for_images(self) -> str | None:
        """idf-photo; None if that is not installed."""
        return _PHOTO if _PHOTO in self.names() else None

    @property
    def thorough(self) -> bool:
        """Whether no probe spares the time of coding."""
        return self._effort == "best"

    @property
    def threads(self) -> int:
        """How many threads share the work."""
        return self._workers.threads

    def info(self, name: str) -> dict[str, Any]:
        """What the model card says, flat: fingerprint, summary, family, sizes, data, training, validation.

        `shape` and `budgets` only where the model codes items, and has budgets of steps; of the card what is there.
        Raises ModelNotFoundError, and CorruptError for a file that holds no model.
        """
        path = path_of(name)
        config = checkpoint.load_config(path)
        card = config.get("card", {})
        return {
            "fingerprint": config["fingerprint"],
            "summary": card.get("about", ""),
            "family": config["family"],
            "medium": config.get("medium", ""),
            "alphabet": config["model"].get("alphabet", 256),
            **self._items(path, _shape(config["model"])),
            "weights_bytes": path.stat().st_size,
            **_training(card),
            "path": str(path),
        }

    def _items(self, path: Path, shape: tuple[int, ...]) -> dict[str, Any]:
        """Shape of an item and budgets of steps, of a model that has them. Budgets need the weights."""
        if not shape:
            return {}
        with suppress(CorruptError, ModelNotFoundError):
            budgets = list(self._load(path).budgets)
            return {"shape": list(shape), **({"budgets": budgets} if budgets else {})}
        return {"shape": list(shape)}

    def _load(self, path: Path) -> Model:
        if path not in self._loaded:
            self._loaded[path] = self._read(path)
        return self._loaded[path]

    def _read(self, path: Path) -> Model:
        saved = checkpoint.load(path)
        config = saved.config
        if config["family"] not in FAMILIES:
            raise ModelNotFoundError(
                f"{path}: a model of the family {config['family']!r}, which this release does not know; "
                "install a newer catzip"
            )
        try:
            identity = Identity(config["name"], config["medium"], saved.fingerprint)
            load: Loader = import_module(f".{config['family']}", __package__).load
            return load(identity, config, saved.arrays, arrays_for(self._device), self._workers)
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptError(
                f"{path}: not the weights of a model that codes ({error!r}); export them again"
            ) from error


def _weight_files() -> Iterator[Path]:
    folders = [folder for folder in os.environ.get("CATZIP_MODELS", "").split(os.pathsep) if folder]
    for folder in [*map(Path, folders), WEIGHTS]:
        yield from filter(_holds_a_model, sorted(folder.glob("*.safetensors")))


def _installed() -> dict[str, Path]:
    """The weight file of each name; those of CATZIP_MODELS hide those of the package."""
    return {path.stem: path for path in reversed(list(_weight_files()))}


def _shape(network: dict[str, Any]) -> tuple[int, ...]:
    """The `shape` of a model with this network: of an image, or the length of a chunk of text."""
    return tuple(network.get("shape", [network["length"]] if "length" in network else []))


def _training(card: dict[str, Any]) -> dict[str, Any]:
    """What a model card says of the training."""
    shown: dict[str, Any] = {key: card[key] for key in ("parameters", "validation_bits") if key in card}
    if "data" in card:
        shown["trained_on"] = ", ".join(card["data"])
    if "trained" in card:
        shown["trained"] = "{date}: {symbols:,} symbols in {minutes} minutes on {device}".format(
            **card["trained"]
        )
        before = card["trained"].get("before")
        while before:
            shown["trained"] += ", after {symbols:,} in another run".format(**before)
            if "model" in before:
                shown["trained"] += f" (of {before['model']})"
            before = before.get("before")
    return shown


def _holds_a_model(path: Path) -> bool:
    """False for the state of a training run, which lies beside what it exports. Damage is for the reader to name."""
    try:
        return "name" in checkpoint.load_config(path)
    except CorruptError:
        return True


def path_of(name: str) -> Path:
    """The weights of the installed model of this name, or this .safetensors file. Raises ModelNotFoundError."""
    if name.endswith(".safetensors"):
        if not Path(name).is_file():
            raise ModelNotFoundError(
                f"{name}: no such file; name a weight file, or an installed model. See catzip models"
            )
        return Path(name)
    installed = _installed()
    if name not in installed:
        known = ", ".join(sorted(installed)) or "none is"
        raise ModelNotFoundError(f"no model {name!r} is installed; installed: {known}. See catzip models")
    return installed[name]


def _default_device() -> str:
    """CUDA where PyTorch can use it. PyTorch is not imported, at seconds a time, where no driver is loaded."""
    if not Path("/proc/driver/nvidia/version").exists():
        return "cpu"
    try:
        import torch
    except ImportError:
        return "cpu"
    return "cuda" if torch.cuda.is_available() else "cpu"
