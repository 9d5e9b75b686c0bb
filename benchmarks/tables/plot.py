"""Bits against steps as SVG, the same bytes each time. Drawing takes matplotlib (`pip install 'catzip[bench]'`).

A file holds the digest of what it shows, so that `report --check` needs no matplotlib, and no version of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..results import Result
from .published import PUBLISHED
from .stepped import Group

_MARKERS = "osD^v"


@dataclass(frozen=True)
class Curves:
    """What a plot shows.

    lines      name -> (steps, bits) of each point, in order
    levels     name -> bits of a system without steps
    published  name -> (steps, bits), of other data
    """

    title: str
    unit: str
    lines: dict[str, list[tuple[int, float]]]
    levels: dict[str, float]
    published: dict[str, list[tuple[int, float]]]

    @classmethod
    def of(cls, group: Group) -> Curves:
        """What is known of these bytes: coded sizes, and the published points that have steps."""
        lines: dict[str, dict[int, float]] = {}
        for result, _ in group.results:
            if result.steps is not None and result.rate is not None and result.files is None:
                name = f"{result.system}, {result.schedule}" if result.schedule else result.system
                lines.setdefault(name, {})[result.steps] = result.rate
        known = PUBLISHED.get(group.name)
        published: dict[str, list[tuple[int, float]]] = {}
        for figure in known.figures if known else ():
            if figure.steps is not None and figure.bits is not None:
                published.setdefault(figure.system, []).append((figure.steps, figure.bits))
        return cls(
            group.title,
            group.unit,
            {name: sorted(points.items()) for name, points in sorted(lines.items())},
            _levels(group.others()),
            {name: sorted(points) for name, points in published.items()},
        )

    @property
    def digest(self) -> str:
        """sha256 of all of it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def is_drawn(self, path: Path) -> bool:
        """Whether this file shows just these curves."""
        return path.is_file() and self.digest in path.read_text(encoding="utf-8")


def _levels(others: Sequence[Result]) -> dict[str, float]:
    """Every model, and the best general compressor and the best way of each picture format: more would overlap."""
    chosen: dict[str, Result] = {}
    for result in others:  # the largest first
        stem = result.system.partition(",")[0] if "," in result.system else ""
        chosen[result.label if result.frames else stem] = result
    return {result.label: result.rate for result in chosen.values() if result.rate}


def draw(curves: Curves, path: Path) -> None:
    """Write the SVG. Raises ImportError without matplotlib."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "catzip", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(7.2, 4.5), layout="constrained")
        axes = figure.add_subplot()
        systems = list(dict.fromkeys(name.partition(",")[0] for name in curves.lines))
        for name, points in curves.lines.items():
            system, _, schedule = name.partition(",")
            i = systems.index(system)
            look: dict[str, Any] = {"color": f"C{i}", "marker": _MARKERS[i % len(_MARKERS)], "linewidth": 1.2}
            look |= {"linestyle": "--", "fillstyle": "none"} if schedule else {}
            axes.plot(*zip(*points, strict=True), label=name, **look)
        for i, (name, points) in enumerate(curves.published.items()):
            axes.plot(*zip(*points, strict=True), "x:", color=str(0.3 + 0.15 * i), label=f"{name}, published")
        for name, bits in curves.levels.items():
            axes.axhline(bits, linewidth=0.6, color="0.6")
            axes.annotate(
                name, (1, bits), xycoords=("axes fraction", "data"), ha="right", va="bottom", size=7
            )
        axes.set(xscale="log", xlabel="network calls for an item", ylabel=f"{curves.unit}, coded")
        ticks = sorted({steps for points in curves.lines.values() for steps, _ in points})
        axes.set_xticks(ticks, [f"{steps:,}" for steps in ticks])
        axes.minorticks_off()
        axes.set_title(curves.title)
        axes.grid(True, which="major", linewidth=0.3)
        axes.legend(fontsize=7)
        metadata = {"Date": None, "Creator": None, "Identifier": curves.digest}
        figure.savefig(path, format="svg", metadata=metadata)
