"""What order-agnostic models lose by coding in fewer calls of the network: tables of bits against steps.

The rows are those of all runs that have a number of steps, gathered by the bytes they are of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ..results import Result, Run
from .image_tables import image_sets
from .joined import joined
from .published import PUBLISHED
from .text import cell, markdown

_FORCED = "Coded with the model in every row, also where catzip would keep xz as the smaller."

SETS = ("system", "steps", "bytes", "{unit}", "NLL", "gap", "compress", "{speed}", "decompress", "{speed}")
SINGLES = (
    "system", "steps", "items", "bytes", "bits/dim", "container, bytes an item", "bits/dim without it", "NLL",
    "as a set, bits/dim",
)  # fmt: skip
SCHEDULES = ("system", "steps", "dynamic programme, bytes", "uniform, bytes", "saved")


@dataclass(frozen=True)
class Group:
    """What was measured of the same bytes, in any run.

    name, facts  of the data set
    results      each with the machine it was measured on
    """

    name: str
    facts: dict[str, Any]
    results: list[tuple[Result, str]]

    @property
    def unit(self) -> str:
        """What rates are given in."""
        return "bits/dim" if "item" in self.facts else "bits/char"

    @property
    def title(self) -> str:
        """Name and extent."""
        if "item" not in self.facts:
            return f"{self.name}, {self.facts['bytes']:,} bytes"
        size = self.facts["dimensions"]
        for each in self.facts["item"]:
            size //= each
        return f"{self.name}, {size:,} {'item' if size == 1 else 'items'}"

    @property
    def slug(self) -> str:
        """The title in a file's name."""
        return "".join(c if c.isalnum() else "-" for c in self.title.replace(",", "").lower())

    def stepped(self) -> list[tuple[Result, str]]:
        """All content as one file, in steps as the model has them; by model and steps, once for each device."""
        found = {
            (result.system, result.steps or 0, device): (result, device)
            for result, device in self.results
            if _is_set(result) and not result.schedule
        }
        return [found[key] for key in sorted(found)]

    def others(self) -> list[Result]:
        """What was measured beside: models without steps and peers, the largest first."""
        sets = [result for result, _ in self.results if result.steps is None and result.files is None]
        found = [result for result in sets if result.rate is not None]
        return sorted(_distinct(found), key=lambda result: -(result.rate or 0))


def groups(runs: Sequence[Run]) -> list[Group]:
    """By the bytes; only those with a row in steps, and more bytes first within a name."""
    found: dict[str, Group] = {}
    for run in runs:
        for name, facts in run.datasets.items():
            group = found.setdefault(facts["sha256"], Group(name, facts, []))
            device = run.machine.get("device", "auto")
            group.results.extend((result, device) for result in run.results if result.dataset == name)
    ours = [group for group in found.values() if any(result.steps for result, _ in group.results)]
    return sorted(ours, key=lambda group: (group.name, -group.facts["bytes"]))


def sections(runs: Sequence[Run]) -> Iterator[str]:
    """Lines of RESULTS.md, in Markdown; none where no run has steps."""
    for group in (found := groups(runs)):
        yield f"## Bits against steps: {group.title}\n"
        yield f"{group.facts['description']}. {_FORCED}\n"
        parts = (_sets(group), _plot_link(group), _singles(group), _schedules(group))
        yield from chain.from_iterable(parts)
    pictured = {each.name for each in image_sets(runs)}
    for name in dict.fromkeys(group.name for group in found if group.name not in pictured):
        yield from _beside(name, [group for group in found if group.name == name])


def is_plotted(group: Group) -> bool:
    """Whether there is a curve: three numbers of steps for one model."""
    points = {(result.system, result.steps) for result, _ in group.stepped()}
    return max(Counter(system for system, _ in points).values(), default=0) >= 3


def picture(group: Group) -> str:
    """The name of its plot's file."""
    return f"steps-{group.slug}.svg"


def _sets(group: Group) -> Iterator[str]:
    """Each number of steps, all content as one file."""
    headers = [name.format(unit=group.unit, speed=f"{_noun(group)}/s") for name in (*SETS, "device")]
    rows = [
        [
            result.system + result.outcome,
            cell(result.steps, "{:,}"),
            cell(result.compressed_bytes, "{:,}"),
            cell(result.rate, "{:.4f}"),
            cell(result.nll_rate, "{:.4f}"),
            cell(result.gap_percent, "{:+.3f} %"),
            cell(result.compress_s, "{:.2f} s"),
            cell(_speed(group, result, result.compress_s), "{:,.1f}"),
            cell(result.decompress_s, "{:.2f} s"),
            cell(_speed(group, result, result.decompress_s), "{:,.1f}"),
            device,
        ]
        for result, device in group.stepped()
    ]
    if rows:
        yield markdown(headers, rows) + "\n"


def _plot_link(group: Group) -> Iterator[str]:
    if is_plotted(group):
        yield f"![{group.title}: bits against steps]({picture(group)})\n"


def _singles(group: Group) -> Iterator[str]:
    """Items as files of their own, beside the whole as one file."""
    sets = {(result.system, result.steps): result.rate for result, _ in group.stepped()}
    rows = [
        [
            result.system + result.outcome,
            cell(result.steps, "{:,}"),
            result.items.removesuffix(" items").removeprefix("items "),
            cell(result.compressed_bytes, "{:,}"),
            cell(result.rate, "{:.4f}"),
            cell(result.container_bytes, "{:.1f}"),
            cell(result.coder_rate, "{:.4f}"),
            cell(result.nll_rate, "{:.4f}"),
            cell(sets.get((result.system, result.steps)), "{:.4f}"),
        ]
        for result, _ in joined(group.results)
        if result.files
    ]
    if rows:
        yield "Items as files of their own: each is compressed, decoded and compared alone.\n"
        yield markdown(SINGLES, rows) + "\n"


def _schedules(group: Group) -> Iterator[str]:
    """The schedules of the models beside uniform ones of as many steps in the same order."""
    bytes_of = {
        (result.system, result.steps, result.schedule): result.compressed_bytes
        for result, _ in group.results
        if _is_set(result)
    }
    rows = []
    for (system, steps, schedule), size in bytes_of.items():
        best = bytes_of.get((system, steps, None))
        if schedule == "uniform" and size and best:
            saved = f"{100 * (1 - best / size):.2f} %"
            rows.append([system, cell(steps, "{:,}"), f"{best:,}", f"{size:,}", saved])
    if rows:
        yield "The schedule found by dynamic programming, and groups of one size, in the same order:\n"
        yield markdown(SCHEDULES, rows) + "\n"


def _beside(name: str, ours: Sequence[Group]) -> Iterator[str]:
    """Our rows and the published ones of a data set that `image_tables` has no table of."""
    published = PUBLISHED.get(name)
    if published is None:
        return
    rows = [row for group in ours for row in _measured(group)]
    for each in published.figures:
        cells = (
            cell(each.steps, "{:,}"),
            each.nll or "-",
            cell(each.coded, "{:.2f}"),
            cell(each.single, "{:.2f}"),
        )
        rows.append([each.system, *cells, "published"])
    yield f"## {name}: beside published figures\n"
    yield (
        f"In {ours[0].unit}. Published figures are of {published.split}; ours are of the bytes said in each row,\n"
        "with other networks, training and machines.\n"
    )
    yield markdown(("system", "steps", "NLL", "coded, as a set", "coded, one item each", "of"), rows) + "\n"


def _measured(group: Group) -> Iterator[list[str]]:
    singles = {(result.system, result.steps): result for result, _ in joined(group.results) if result.files}
    sets = _distinct([result for result, _ in group.stepped()])
    for result in [*group.others(), *sets]:
        single = singles.get((result.system, result.steps))
        one = cell(single.rate, "{:.4f}") + f" ({single.items.removesuffix(' items')})" if single else "-"
        yield [
            result.system + result.outcome,
            cell(result.steps, "{:,}"),
            cell(result.nll_rate, "{:.4f}"),
            cell(result.rate, "{:.4f}"),
            one,
            f"{group.title}, here",
        ]


def _is_set(result: Result) -> bool:
    return result.steps is not None and result.files is None


def _distinct(results: Sequence[Result]) -> list[Result]:
    """The last of each label: a figure measured again is the same bytes."""
    return list({result.label: result for result in results}.values())


def _noun(group: Group) -> str:
    return "items" if "item" in group.facts else "chars"


def _speed(group: Group, result: Result, seconds: float | None) -> float | None:
    """Items or characters a second."""
    if not seconds:
        return None
    size = result.dimensions or result.original_bytes
    for each in group.facts.get("item", ()):
        size //= each
    return size / seconds
