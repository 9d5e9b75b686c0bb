"""Measure catzip itself on one data set, through the real command in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...compressor.coding.model import ModelSource
from ...compressor.errors import CatzipError
from ..data.dataset import Dataset, npy
from ..data.imagefile import same_image
from ..results import Result
from .likelihood import likelihood

_CLOCKED = Path(__file__).with_name("clocked.py")
_COMMAND = (sys.executable, "-P", "-m", "catzip")
_FORCED = (sys.executable, "-P", "-m", "catzip.benchmarks.measuring.forced")


class MeasurementError(CatzipError):
    """A measured command failed, or did not restore its input."""


@dataclass(frozen=True)
class MeasureSettings:
    """How rows are measured.

    threads, device  passed to both commands; threads None: catzip's default
    nll              whether the model's own NLL is evaluated too, which takes as long as coding
    """

    threads: int | None = None
    device: str = "auto"
    nll: bool = True

    def options(self) -> list[str]:
        """The options of both commands, as command-line words; those at their default are left out."""
        words = ["-T", str(self.threads)] if self.threads is not None else []
        return words + (["--device", self.device] if self.device != "auto" else [])


DEFAULTS = MeasureSettings()
NONE = range(0)


@dataclass(frozen=True)
class Measurement:
    """One row to measure.

    model    its name, None to let catzip choose from the content
    steps    network calls for an item: one of the model's budgets, None for what it likes. With it, content is coded
             with the model also where xz would be smaller (see `forced.py`): it is the model that is asked about
    singles  these items, each as a file of its own; none for all content as one file
    """

    dataset: Dataset
    model: str | None = None
    steps: int | None = None
    singles: range = NONE

    @property
    def system(self) -> str:
        """The model in words; of a weight file, its name."""
        if self.model is None:
            return "default"
        return self.model if not self.model.endswith(".safetensors") else Path(self.model).stem

    def __str__(self) -> str:
        steps = f", {self.steps} steps" if self.steps is not None else ""
        which = f" from {self.singles.start}" if self.singles.start else ""
        singles = f", {len(self.singles)} single items{which}" if self.singles else ""
        return f"{self.dataset.name}: {self.system}{steps}{singles}"

    def contents(self) -> list[bytes]:
        """The content of each file."""
        if not self.singles:
            return [self.dataset.data]
        # Each an array [1, *item], which is what a model of items codes.
        return [npy(self.dataset.items[i : i + 1]) for i in self.singles]

    def options(self) -> list[str]:
        """The options of the command that compresses, as command-line words."""
        words = ["-m", self.model] if self.model else []
        words += ["--pixels"] if self.dataset.image else []
        return words + (["--steps", str(self.steps)] if self.steps is not None else [])


def measure(task: Measurement, models: ModelSource, settings: MeasureSettings) -> Result:
    """Compress to files, decompress them, compare, and evaluate the model's own NLL on the same frames, if asked for.

    `models` evaluates the NLL, in this process. Raises MeasurementError if a command fails or the bytes differ.
    """
    contents = task.contents()
    with tempfile.TemporaryDirectory(prefix="catzip-bench-") as folder:
        originals = [Path(folder, f"{i:06}") for i in range(len(contents))]
        packed = [path.with_suffix(".catz") for path in originals]
        for path, data in zip(originals, contents, strict=True):
            path.write_bytes(data)
        words = settings.options()
        command = (*_COMMAND, "compress", "-q") if task.steps is None else _FORCED
        packing = _clocked("compress", command, *words, *task.options(), *map(str, originals))
        for path in originals:
            path.unlink()
        unpacking = _clocked("decompress", (*_COMMAND, "decompress", "-q"), *words, *map(str, packed))
        _compare(task, originals, contents)
        compressed = sum(path.stat().st_size for path in packed)
        coded = likelihood(list(zip(packed, contents, strict=True)), models, settings.nll)
    return Result(
        task.dataset.name,
        task.system,
        settings="",
        original_bytes=sum(map(len, contents)),
        compressed_bytes=compressed,
        compress_s=packing["wall_s"],
        decompress_s=unpacking["wall_s"],
        peak_memory_bytes=int(max(packing["peak_memory_bytes"], unpacking["peak_memory_bytes"])),
        dimensions=_dimensions(task),
        symbols=coded.symbols,
        nll_bits=coded.nll_bits,
        coded_bytes=coded.coded_bytes,
        models=coded.models,
        frames=coded.kinds,
        steps=task.steps if coded.steps is None else coded.steps,
        files=len(contents) if task.singles else None,
        first=task.singles.start,
    )


def _compare(task: Measurement, restored: Sequence[Path], contents: Sequence[bytes]) -> None:
    """Byte for byte; of an image file, that may be packed in another way, pixel for pixel."""
    for path, data in zip(restored, contents, strict=True):
        back = path.read_bytes()
        if back != data and not (task.dataset.image and same_image(back, data)):
            raise MeasurementError(f"{task.dataset.name}, model {task.system}: came back different")


def _dimensions(task: Measurement) -> int:
    if not task.singles:
        return task.dataset.dimensions
    items = task.dataset.items
    return items[task.singles.start : task.singles.stop].size


def _clocked(what: str, command: Sequence[str], *arguments: str) -> dict[str, float]:
    """Runs a command under `clocked.py`, for this, as messages call it; its figures."""
    with tempfile.TemporaryDirectory(prefix="catzip-bench-") as folder:
        figures = Path(folder) / "figures.json"
        clock = [sys.executable, "-I", "-S", str(_CLOCKED), str(figures)]
        done = subprocess.run([*clock, *command, *arguments], capture_output=True, text=True)
        if done.returncode:
            raise MeasurementError(f"catzip {what} failed: {done.stderr.strip().removeprefix('catzip: ')}")
        measured: dict[str, float] = json.loads(figures.read_text(encoding="utf-8"))
    return measured
