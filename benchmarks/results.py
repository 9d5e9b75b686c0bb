"""What a benchmark run measured, to and from JSON: the same file feeds the terminal and RESULTS.md."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """One system on one data set. Sizes in bytes, times in seconds; None where not measured.

    system           the model as asked for on the command line ("default" if none was), or the peer
    compressed_bytes length of a real file, decoded again and compared with the original
    compress_s, decompress_s
                     a model: wall time of the whole command, start-up included; a peer: the call alone
    peak_memory_bytes
                     largest resident size of the two commands (models only)
    nll_bits         the model's own float negative log-likelihood of the symbols it coded; None if any
                     frame was not coded with the model
    models           name -> fingerprint of those the file was coded with
    frames           how many frames of each kind the file has
    missing          what to install, for a system that could not run
    """

    dataset: str
    system: str
    settings: str
    original_bytes: int
    compressed_bytes: int | None = None
    compress_s: float | None = None
    decompress_s: float | None = None
    peak_memory_bytes: int | None = None
    symbols: int | None = None
    nll_bits: float | None = None
    models: dict[str, str] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    missing: str | None = None

    @property
    def outcome(self) -> str:
        """What came of it, in brackets, where that is not what `system` says."""
        if self.missing:
            return f" (not run: {self.missing})"
        used = [*self.models, *(kind for kind in self.frames if kind != "coded")]
        return f" ({', '.join(used)})" if used not in ([], [self.system]) else ""

    @property
    def bits_per_byte(self) -> float | None:
        """Bits of the file for each byte of the original."""
        if self.compressed_bytes is None or not self.original_bytes:
            return None
        return 8 * self.compressed_bytes / self.original_bytes

    @property
    def nll_per_byte(self) -> float | None:
        """The model's own NLL in bits for each byte of the original."""
        return self.nll_bits / self.original_bytes if self.nll_bits and self.original_bytes else None

    @property
    def gap_percent(self) -> float | None:
        """How much longer the whole file is than the model's own NLL, in percent."""
        if self.compressed_bytes is None or not self.nll_bits:
            return None
        return 100 * (8 * self.compressed_bytes / self.nll_bits - 1)


@dataclass(frozen=True)
class Run:
    """One run of the benchmark: where and when, on what, and its results.

    datasets maps each name to {"description", "bytes", "sha256"}; machine and versions are plain text facts.
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
        path.write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n", encoding="utf-8")

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
