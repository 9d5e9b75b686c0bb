"""Names and fingerprints to models: the weights inside the package, and those in the folders of CATZIP_MODELS."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compressor.coding.model import Model, Purpose
from ..compressor.errors import CorruptError, DamagedWeightsWarning, ModelNotFoundError
from . import checkpoint
from .backends.native.library import described
from .backends.select import arrays_for
from .backends.workers import Workers
from .families import table as family
from .families import wordlist
from .header import Header
from .superseded import where_to_find

if TYPE_CHECKING:
    from .card import Card

WEIGHTS = Path(__file__).parent / "weights"

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
        self._paths: dict[str, Path] = {}  # of those by name
        self._sound: dict[str, str | None] = {}  # what `by_name` is to be asked for, by the name of a default

    def names(self) -> list[str]:
        """The installed models."""
        return sorted(_installed())

    def by_name(self, name: str) -> Model:
        """The model of this name, or in this .safetensors file. Raises ModelNotFoundError."""
        found = self._paths.get(name)
        if found is None:
            found = self._paths[name] = path_of(name)
        return self._load(found)

    def by_fingerprint(self, fingerprint: bytes) -> Model:
        """The model of this fingerprint: installed, or in a file that was asked for by its path.

        Raises ModelNotFoundError that says where to put its weights.
        """
        name, passed = fingerprint.hex(), ""
        for model in list(self._loaded.values()):  # to which other threads may add
            if model.fingerprint == fingerprint:
                return model
        for path in _weight_files():
            try:
                if _described(path)[0]["fingerprint"] == name:
                    return self._load(path)
            except CorruptError as error:  # of no matter, if the model is in another file
                passed = f" ({error})"
        raise ModelNotFoundError(f"the model {name} is not installed; {where_to_find(name)}{passed}")

    def purposes(self) -> list[Purpose]:
        """What every installed model is for, the one with the fewest bits in validation first.

        A file that is damaged, or of a newer catzip, is passed over with a warning.
        """
        found: list[tuple[float, Purpose]] = []
        for name, path in sorted(_installed().items()):
            try:
                config, card = _checked(path)
            except (CorruptError, ModelNotFoundError) as error:
                pass_over(error)
            else:
                found.append((card.bits, Purpose(name, config["medium"], _shape(config["model"]))))
        return [purpose for _, purpose in sorted(found)]

    def default_for(self, content: bytes) -> str | None:
        """ar-text8 for nothing but a-z and single spaces, ar-bytes for the rest; None if that is not installed.

        Where speed matters, ar-bytes-s for everything. (For an array of items that a model codes, the pipeline goes by
        `purposes`; see also `default_for_images`.)
        """
        plain = b"  " not in content and not content.translate(None, _LETTERS)
        return self._first_sound(
            ["ar-bytes-s"] * (self._effort == "fast") + ["ar-text8"] * plain + ["ar-bytes"]
        )

    def default_for_images(self) -> str | None:
        """idf-photo; None if that is not installed."""
        return self._first_sound([_PHOTO])

    def _first_sound(self, names: list[str]) -> str | None:
        """The first of these models that there is, or its file, where one of the same name is damaged and comes first.

        Nobody asked for these: what is damaged is passed over with a warning.
        """
        for name in names:
            if name not in self._sound:
                self._sound[name] = self._sound_one(name)
            if found := self._sound[name]:
                return found
        return None

    def _sound_one(self, name: str) -> str | None:
        """The same for one of them."""
        for i, path in enumerate(path for path in _weight_files() if path.stem == name):
            try:
                self._load(path)
            except (CorruptError, ModelNotFoundError) as error:
                pass_over(error)
            else:
                return str(path) if i else name
        return None

    @property
    def thorough(self) -> bool:
        """Whether no probe spares the time of coding."""
        return self._effort == "best"

    @property
    def threads(self) -> int:
        """How many threads share the work."""
        return self._workers.threads

    def info(self, name: str) -> dict[str, Any]:
        """What the model card says, flat: fingerprint, summary, family, sizes, core, data, training, validation.

        `shape` and `budgets` only where the model codes items, and has budgets of steps; of the card what is there.
        Raises ModelNotFoundError, and CorruptError for a file that holds no model.
        """
        path = path_of(name)
        config, card = _checked(path)
        header = _described(path)[1]
        return {
            "fingerprint": config["fingerprint"],
            "summary": card.about,
            "family": config["family"],
            "medium": config["medium"],
            "alphabet": wordlist.alphabet(header.tensors) or config["model"].get("alphabet", 256),
            **self._items(path, _shape(config["model"])),
            "weights_bytes": header.size,
            "core": described() if config["family"] in family.COMPILED else "numpy",
            **card.training(),
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
        found = self._loaded.get(path)
        if found is None:  # where two threads load it at a time, both take what the first one has
            loaded = family.load(path, arrays_for(self._device), self._workers)
            found = self._loaded.setdefault(path, loaded)
        return found


def _checked(path: Path) -> tuple[dict[str, Any], Card]:
    """The configuration and the card of a weight file whose tensors are those that its family declares.

    Raises CorruptError, and ModelNotFoundError for a family of a newer catzip.
    """
    config, header = _described(path)
    family.check(path, config, header.tensors)
    from .card import Card  # which those who only code do without

    try:
        return config, Card.of(config)
    except ValueError as error:
        raise family.wrong(path, error) from error


def _described(path: Path) -> tuple[dict[str, Any], Header]:
    """As `checkpoint.describe`, which reads a file once as long as it stays the same."""
    try:
        state = os.stat(path)
    except OSError:
        return checkpoint.describe(path)  # says what is wrong
    return _described_once(path, (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=256)
def _described_once(path: Path, state: tuple[int, ...]) -> tuple[dict[str, Any], Header]:
    return checkpoint.describe(path)


def pass_over(error: CorruptError | ModelNotFoundError) -> None:
    """Warn, once, of a weight file that cannot be used and that nobody asked for."""
    warnings.warn(f"{error} (passed over)", DamagedWeightsWarning, stacklevel=1)


def _files() -> Iterator[Path]:
    """Whatever is called like weights, in the folders of CATZIP_MODELS and then in the package."""
    folders = [folder for folder in os.environ.get("CATZIP_MODELS", "").split(os.pathsep) if folder]
    for folder in [*map(Path, folders), WEIGHTS]:
        with suppress(OSError):  # of a folder that is not there
            yield from sorted(folder / name for name in os.listdir(folder) if name.endswith(".safetensors"))


def _weight_files() -> Iterator[Path]:
    """The same but for the states of training runs, which lie beside what they export.

    Warns of what is damaged, which is for those to hear of who ask for it by name.
    """
    for path in _files():
        try:
            if "name" not in _described(path)[0]:
                continue
        except CorruptError as error:
            pass_over(error)
        yield path


def _installed() -> dict[str, Path]:
    """The weight file of each name; those of CATZIP_MODELS hide those of the package."""
    return {path.stem: path for path in reversed(list(_weight_files()))}


def _shape(network: dict[str, Any]) -> tuple[int, ...]:
    """The `shape` of a model with this network: of an image, or the length of a chunk of text."""
    return tuple(network.get("shape", [network["length"]] if "length" in network else []))


def path_of(name: str) -> Path:
    """The weights of the installed model of this name, or this .safetensors file. Raises ModelNotFoundError."""
    if name.endswith(".safetensors"):
        if not Path(name).is_file():
            raise ModelNotFoundError(
                f"{name}: no such file; name a weight file, or an installed model. See catzip models"
            )
        return Path(name)
    found = next((path for path in _files() if path.stem == name and _is_no_state(path)), None)
    if found is None:
        known = ", ".join(sorted(_installed())) or "none is"
        raise ModelNotFoundError(f"no model {name!r} is installed; installed: {known}. See catzip models")
    return found


def _is_no_state(path: Path) -> bool:
    """False for the state of a training run. Damage is for the reader to name."""
    try:
        return "name" in _described(path)[0]
    except CorruptError:
        return True


def _default_device() -> str:
    """CUDA where PyTorch can use it. PyTorch is not imported, at seconds a time, where no driver is loaded."""
    if not Path("/proc/driver/nvidia/version").exists():
        return "cpu"
    try:
        import torch
    except ImportError:
        return "cpu"
    return "cuda" if torch.cuda.is_available() else "cpu"
