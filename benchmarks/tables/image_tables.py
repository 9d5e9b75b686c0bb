"""Images: for each data set one table with a row for each codec, and for photographs one of all files.

The rows are those of all runs on the same bytes. Rates are of samples, whatever the files hold besides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..data.dataset import is_picture
from ..measuring.picture_peers import NAMES
from ..results import Result, Run
from .joined import joined
from .published import PUBLISHED
from .text import Rows, cell

Table = Callable[[Sequence[str], Rows], str]
Key = tuple[str, tuple[str, ...]]

HEADERS = (
    "system", "images", "bytes", "bits/sub-pixel", "NLL", "gap", "compress", "images/s", "MB/s", "decompress",
    "images/s", "MB/s", "peak MiB", "device",
)  # fmt: skip


@dataclass(frozen=True)
class SystemRow:
    """One system on a data set.

    results  of each of its files
    device   that it ran on; None for a peer
    whole    how many files the data set has
    """

    results: Sequence[Result]
    device: str | None
    whole: int

    @property
    def label(self) -> str:
        """What was asked for, and what came of it: of all files, or of how many."""
        first = self.results[0]
        label = first.choice
        outcomes = Counter(result.outcome for result in self.results if result.outcome)
        for outcome, count in outcomes.items():
            of = f", {count} of {len(self.results)})" if count < len(self.results) else ")"
            label += outcome.removesuffix(")") + of
        return (
            label
            if len(self.results) == self.whole
            else f"{label} ({len(self.results)} of {self.whole} files)"
        )

    @property
    def dimensions(self) -> int:
        """Samples in all."""
        return sum(result.dimensions or 0 for result in self.results)

    def total(self, field: str) -> float | None:
        """The sum of a figure; None where a file lacks it."""
        figures = [getattr(result, field) for result in self.results]
        return None if None in figures else sum(figures)

    @property
    def rate(self) -> float | None:
        """Bits of the files for each sample."""
        size = self.total("compressed_bytes")
        return None if size is None else 8 * size / self.dimensions

    def cells(self, images: int) -> list[str]:
        """As in `HEADERS`; `images` is how many a data set of one file has."""
        count = self.results[0].files or (images if self.whole == 1 else len(self.results))
        size, nll = self.total("compressed_bytes"), self.total("nll_bits")
        peak = max((result.peak_memory_bytes or 0 for result in self.results), default=0)
        return [
            self.label,
            f"{count:,}",
            cell(size, "{:,}"),
            cell(self.rate, "{:.4f}"),
            cell(nll and nll / self.dimensions, "{:.4f}"),
            cell(100 * (8 * size / nll - 1) if size and nll else None, "{:+.3f} %"),
            *_speeds(self.total("compress_s"), count, self.dimensions),
            *_speeds(self.total("decompress_s"), count, self.dimensions),
            cell(peak / (1 << 20) if peak else None, "{:,.0f}"),
            self.device or "-",
        ]


@dataclass(frozen=True)
class ImageSet:
    """Images and what was measured of them, in any run.

    name    of the set, or of the file
    files   name -> facts of each data set that it is made of: one array, or image files
    """

    name: str
    files: dict[str, dict[str, Any]]
    results: list[tuple[Result, str]]

    @property
    def images(self) -> int:
        """How many there are."""
        (facts, *others) = self.files.values()
        if "item" not in facts:
            return 1 + len(others)
        size: int = facts["dimensions"]
        for each in facts["item"]:
            size //= each
        return size

    @property
    def title(self) -> str:
        """Name and extent."""
        return f"{self.name}, {self.images:,} image{'s' * (self.images > 1)}"

    def rows(self) -> list[SystemRow]:
        """A row for each system and device, the largest first; what could not run at the end."""
        found: dict[tuple[str, str | None], dict[str, Result]] = {}
        for result, device in joined(self.results):
            key = result.choice, device if result.frames else None
            found.setdefault(key, {})[result.dataset] = result
        rows = [
            SystemRow([each for name in self.files if (each := of.get(name))], device, len(self.files))
            for (_, device), of in found.items()
        ]
        return sorted(rows, key=lambda row: (row.rate is None, -(row.rate or 0)))


def of_images(facts: dict[str, Any]) -> bool:
    """Whether a data set is an image file, or an array of images."""
    return "image" in facts or is_picture(facts.get("item", ()))


def image_sets(runs: Sequence[Run]) -> list[ImageSet]:
    """Those of image files, and the arrays of images that picture formats were measured on, too."""
    found: dict[Key, ImageSet] = {}
    for run in runs:
        for key, files in _sets(run).items():
            known = found.setdefault(key, ImageSet(key[0], files, []))
            device = run.machine.get("device", "auto")
            known.results.extend((result, device) for result in run.results if result.dataset in files)
    return [
        each
        for each in found.values()
        if any("image" in facts for facts in each.files.values())
        or any(_is_picture_peer(result) for result, _ in each.results)
    ]


def digests(runs: Sequence[Run]) -> set[str]:
    """The digests of the data sets that `sections` has tables of."""
    return {facts["sha256"] for each in image_sets(runs) for facts in each.files.values()}


def sections(runs: Sequence[Run], table: Table, heading: str) -> Iterator[str]:
    """The lines of RESULTS.md about all image sets in these runs."""
    for each in image_sets(runs):
        yield heading.format(f"Images: {each.title}")
        yield next(iter(each.files.values()))["description"] + "." + _about(each.name) + "\n"
        rows = each.rows()
        published = PUBLISHED.get(each.name)
        lines = [row.cells(each.images) for row in rows]
        lines += [line for figure in (published.figures if published else ()) for line in _published(figure)]
        yield table(HEADERS, lines) + "\n"
        if len(each.files) > 1:
            yield from _of_files(each, rows, table)


def _sets(run: Run) -> dict[Key, dict[str, dict[str, Any]]]:
    """The image sets of a run by name and digests: the files of a folder are one."""
    folders: dict[str, dict[str, dict[str, Any]]] = {}
    for name, facts in run.datasets.items():
        if of_images(facts):
            folders.setdefault(name.rpartition("/")[0] or name, {})[name] = facts
    return {
        (name, tuple(facts["sha256"] for facts in files.values())): files for name, files in folders.items()
    }


def _is_picture_peer(result: Result) -> bool:
    return result.system.partition(",")[0] in NAMES


def _about(name: str) -> str:
    published = PUBLISHED.get(name)
    if published is None:
        return ""
    return f" Published figures are of {published.split}, with other networks, training and machines."


def _published(figure: Any) -> Iterator[list[str]]:
    """One line, and another where single images take more."""
    steps = f", {figure.steps:,} steps" if figure.steps is not None else ""
    ways = {"": figure.coded}
    if figure.single is not None and figure.single != figure.coded:
        ways[", one file each"] = figure.single
    for how, bits in ways.items():
        blank = ["-"] * (len(HEADERS) - 6)
        nll = "-" if how else figure.nll or "-"
        yield [figure.system + steps + how, "-", "-", cell(bits, "{:.2f}"), nll, *blank, "published"]


def _of_files(images: ImageSet, rows: Sequence[SystemRow], table: Table) -> Iterator[str]:
    """Bits for each sub-pixel of every file, a column for each system; what took longest."""
    shown = [row for row in rows if row.rate is not None]
    rates = [{result.dataset: result.rate for result in row.results} for row in shown]
    lines = [
        [name.rpartition("/")[2], *(cell(rate.get(name), "{:.3f}") for rate in rates)]
        for name in images.files
    ]
    lines.append(["all", *(cell(row.rate, "{:.3f}") for row in shown)])
    yield "Bits/sub-pixel of each file:\n"
    yield table(("file", *(row.label for row in shown)), lines) + "\n"
    for row in (row for row in shown if row.device):
        slowest = [
            max(getattr(each, way) or 0 for each in row.results) for way in ("compress_s", "decompress_s")
        ]
        yield "{}, {}: the slowest image took {:.2f} s to compress, {:.2f} s to decompress.\n".format(
            row.label, row.device, *slowest
        )


def _speeds(seconds: float | None, images: int, samples: int) -> list[str]:
    """Time, images/s, millions of samples/s."""
    speeds = (images / seconds, samples / seconds / 1e6) if seconds else (None, None)
    return [cell(seconds, "{:.2f} s"), *("-" if each is None else _short(each) for each in speeds)]


def _short(number: float) -> str:
    """Three digits or, of a large number, all."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
