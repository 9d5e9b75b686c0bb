"""What a benchmark run measured, to and from JSON: the same file feeds the terminal and RESULTS.md."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..compressor.files.atomic import write_whole


@dataclass(frozen=True)
class Result:
    """One system on one data set. Sizes in bytes, times in seconds; None where not measured.

    system           the model as asked for on the command line ("default" if none was), or the peer
    compressed_bytes length of a real file, decoded again and compared with the original; of `files`, the sum
    dimensions       values in the content: its bytes, less the header of an array
    compress_s, decompress_s
                     a model: wall time of the whole command, start-up included; a peer: the call alone
    peak_memory_bytes
                     largest resident size of the two commands (models only)
    nll_bits         the model's own negative log-likelihood of the symbols it coded; None if any frame
                     was not coded with the model, or with --no-nll
    coded_bytes      what the coder wrote for them; the rest of the files is container
    models           name -> fingerprint of those the file was coded with
    frames           how many frames of each kind the file has
    steps            network calls for an item, of a model that has a choice
    files            so many items, each a file of its own; None for all content in one file
    first            the number of the first of them
    schedule         how the steps were cut, where that is not as the model has it
    missing          what to install, for a system that could not run
    job              what was measured, in the words of the run
    """

    dataset: str
    system: str
    settings: str
    original_bytes: int
    compressed_bytes: int | None = None
    compress_s: float | None = None
    decompress_s: float | None = None
    peak_memory_bytes: int | None = None
    dimensions: int | None = None
    symbols: int | None = None
    nll_bits: float | None = None
    coded_bytes: int | None = None
    models: dict[str, str] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    steps: int | None = None
    files: int | None = None
    first: int = 0
    schedule: str | None = None
    missing: str | None = None
    job: str | None = None

    @property
    def choice(self) -> str:
        """System, steps, schedule, files: what was asked for, in words."""
        words = [self.system]
        words += [f"{self.steps:,} steps"] if self.steps is not None else []
        words += [self.schedule] if self.schedule else []
        words += [f"{self.items}, a file each"] if self.files is not None else []
        return ", ".join(words)

    @property
    def items(self) -> str:
        """Which items have files of their own, in words."""
        count = self.files or 0
        return (
            f"items {self.first:,} to {self.first + count - 1:,}" if self.first else f"first {count:,} items"
        )

    @property
    def label(self) -> str:
        """The row in words: what was asked for, and what came of it."""
        return self.choice + self.outcome

    @property
    def outcome(self) -> str:
        """What came of it, in brackets, where that is not what `system` says."""
        if self.missing:
            return f" (not run: {self.missing})"
        used = [*self.models, *(kind for kind in self.frames if kind != "coded")]
        expected = f"{self.system}-{self.schedule}" if self.schedule else self.system
        return f" ({', '.join(used)})" if used not in ([], [expected]) else ""

    @property
    def rate(self) -> float | None:
        """Bits of the files for each dimension: for each byte of the original, where that is no array."""
        if self.compressed_bytes is None or not self.original_bytes:
            return None
        return 8 * self.compressed_bytes / (self.dimensions or self.original_bytes)

    @property
    def coder_rate(self) -> float | None:
        """As `rate`, of what the coder wrote: without the container."""
        if self.coded_bytes is None or not self.original_bytes:
            return None
        return 8 * self.coded_bytes / (self.dimensions or self.original_bytes)

    @property
    def nll_rate(self) -> float | None:
        """The model's own NLL in bits for each dimension."""
        if not self.nll_bits or not self.original_bytes:
            return None
        return self.nll_bits / (self.dimensions or self.original_bytes)

    @property
    def gap_percent(self) -> float | None:
        """How much longer the whole file is than the model's own NLL, in percent."""
        if self.compressed_bytes is None or not self.nll_bits:
            return None
        return 100 * (8 * self.compressed_bytes / self.nll_bits - 1)

    @property
    def container_bytes(self) -> float | None:
        """Bytes of each file that are not the coder's: heads, plan, checksums, side stream."""
        if self.compressed_bytes is None or self.coded_bytes is None:
            return None
        return (self.compressed_bytes - self.coded_bytes) / (self.files or 1)


@dataclass(frozen=True)
class Run:
    """One run of the benchmark: where and when, on what, and its results.

    datasets maps each name to {"description", "bytes", "sha256"}, of an array also {"item", "dimensions"}, of an
    image file {"image", "dimensions"}; machine and versions are plain text facts.
    """

    command: str
    date: str
    catzip: str
    commit: str | None
    machine: dict[str, str]
    datasets: dict[str, dict[str, Any]]
    results: list[Result]

    def save(self, path: Path) -> None:
        """Writes the run as JSON, keys in order, so that a file differs only where a figure does."""
        write_whole(path, json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")

    @classmethod
    def load(cls, path: Path) -> Run:
        """Reads what `save` wrote. Raises ValueError, naming the file, if it is something else."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            results = [Result(**result) for result in fields.pop("results")]
            return cls(**fields, results=results)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise ValueError(
                f"{path.name} is not a benchmark result ({error}): run the benchmark again"
            ) from error
