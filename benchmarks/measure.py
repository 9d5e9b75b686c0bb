"""Measure catzip itself on one data set, through the real command in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..compressor.errors import CatzipError
from ..compressor.model import ModelSource
from .datasets import Dataset
from .likelihood import likelihood
from .results import Result

_CLOCKED = Path(__file__).with_name("clocked.py")
_COMMAND = (sys.executable, "-P", "-m", "catzip")


class MeasurementError(CatzipError):
    """A measured command failed, or did not restore its input."""


@dataclass(frozen=True)
class Settings:
    """Options passed to both commands: threads (None: catzip's default) and device."""

    threads: int | None = None
    device: str = "auto"

    def options(self) -> list[str]:
        """As command-line words; those at their default are left out."""
        words = ["-T", str(self.threads)] if self.threads is not None else []
        return words + (["--device", self.device] if self.device != "auto" else [])


DEFAULTS = Settings()


def measure(dataset: Dataset, model: str | None, models: ModelSource, settings: Settings) -> Result:
    """Compress to a file, decompress it, compare, and evaluate the model's own NLL on the same frames.

    model   its name, None to let catzip choose from the content; `models` evaluates the NLL, in this process
    Raises MeasurementError if a command fails or the bytes differ.
    """
    chosen = ["-m", model] if model else []
    with tempfile.TemporaryDirectory(prefix="catzip-bench-") as folder:
        original, packed, restored = (Path(folder) / name for name in ("data", "data.catz", "restored"))
        original.write_bytes(dataset.data)
        common = ["-q", *settings.options(), "-o"]
        packing = _clocked("compress", *common, str(packed), *chosen, str(original))
        unpacking = _clocked("decompress", *common, str(restored), str(packed))
        if restored.read_bytes() != dataset.data:
            raise MeasurementError(f"{dataset.name}, model {model or 'default'}: came back different")
        compressed = packed.stat().st_size
        coded = likelihood(packed, dataset.data, models)
    return Result(
        dataset.name,
        model or "default",
        settings="",
        original_bytes=len(dataset.data),
        compressed_bytes=compressed,
        compress_s=packing["wall_s"],
        decompress_s=unpacking["wall_s"],
        peak_memory_bytes=int(max(packing["peak_memory_bytes"], unpacking["peak_memory_bytes"])),
        symbols=coded.symbols,
        nll_bits=coded.nll_bits,
        models=coded.models,
        frames=coded.kinds,
    )


def _clocked(*arguments: str) -> dict[str, float]:
    """Runs the command line under `clocked.py`; its figures."""
    with tempfile.TemporaryDirectory(prefix="catzip-bench-") as folder:
        figures = Path(folder) / "figures.json"
        clock = [sys.executable, "-I", "-S", str(_CLOCKED), str(figures)]
        done = subprocess.run([*clock, *_COMMAND, *arguments], capture_output=True, text=True)
        if done.returncode:
            raise MeasurementError(
                f"catzip {arguments[0]} failed: {done.stderr.strip().removeprefix('catzip: ')}"
            )
        measured: dict[str, float] = json.loads(figures.read_text(encoding="utf-8"))
    return measured
