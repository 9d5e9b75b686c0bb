"""Single items that were measured in parts, put together: the parts may be of several runs, side by side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

from ..results import Result

Row = tuple[Result, str]

_SINGLES = re.compile(r"(?<= --singles )(?:(\d+)-)?(\d+)(?!\S)")

SUMMED = (
    "files", "original_bytes", "compressed_bytes", "coded_bytes", "compress_s", "decompress_s", "dimensions", "symbols",
    "nll_bits",
)  # fmt: skip


def joined(results: Sequence[Row]) -> list[Row]:
    """Results, each with the device it was measured on: what goes on where another ends is part of that one.

    Rows of other items, weights, steps or devices stay as they are, in their order.
    """
    rows: list[Row] = []
    ends: dict[Hashable, int] = {}
    for result, device in sorted(results, key=lambda row: row[0].first):
        place = ends.pop(_key(result, device, result.first), None) if result.first else None
        if place is None:
            place = len(rows)
            rows.append((result, device))
        else:
            rows[place] = _both(rows[place][0], result), device
        if result.files:
            ends[_key(result, device, result.first + result.files)] = place
    return rows


def commands(words: str) -> str:
    """Command lines, "; " between them; those for items one after another become one that measures the same.

    Each item is a file that is timed alone: `--singles 500` is `--singles 250` and then `--singles 250-499`.
    """
    kept: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for line in words.split("; "):
        found = _SINGLES.search(line)
        around = (line[: found.start()], line[found.end() :]) if found else (line,)
        spans = kept.setdefault(around, [])
        if found:
            first, last = found.groups()
            spans.append((int(first), int(last)) if first else (0, int(last) - 1))
    return "; ".join(span.join(around) for around, spans in kept.items() for span in _runs(spans) or [""])


def _runs(spans: list[tuple[int, int]]) -> list[str]:
    """Spans of items, first and last, put together where one begins behind another: as `--singles` has them."""
    runs: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if runs and first == runs[-1][1] + 1:
            first = runs.pop()[0]
        runs.append((first, last))
    return [f"{first}-{last}" if first else str(last + 1) for first, last in runs]


def _key(result: Result, device: str, item: int) -> Hashable:
    """What a row is of, and the item that it begins with, or that would be next."""
    weights = tuple(sorted(result.models.items()))
    return result.dataset, result.system, result.steps, result.schedule, result.outcome, weights, device, item


def _both(one: Result, other: Result) -> Result:
    """Sums; of memory the larger."""
    sums = {name: _sum(getattr(one, name), getattr(other, name)) for name in SUMMED}
    memory = max(one.peak_memory_bytes or 0, other.peak_memory_bytes or 0) or None
    frames = dict(Counter(one.frames) + Counter(other.frames))
    return replace(one, **sums, peak_memory_bytes=memory, frames=frames)


def _sum(one: Any, other: Any) -> Any:
    """None where a part was not measured."""
    return None if one is None or other is None else one + other
