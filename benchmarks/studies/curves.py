"""The losses of training as SVG: benchmarks/training_curves/NAME.jsonl -> NAME.svg beside it, the same bytes each time.

python -m catzip.benchmarks.studies.curves           draw all of them (with matplotlib: `pip install 'catzip[bench]'`)
python -m catzip.benchmarks.studies.curves --check   exit with 1 if they are not what the logs give

As in `plot.py`, a file holds the digest of what it shows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LOGS = Path(__file__).resolve().parent.parent / "training_curves"

POINTS = 200  # of the losses at most, each the mean of as long a time
TREND = 30  # of their trend
STEEP = 0.03  # share of the time in which a loss may be beyond the upper edge
OUTLIERS = 0.05  # share of the points after it that may be too

Record = Mapping[str, Any]
Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Curve:
    """What a plot shows. Points are (minutes of training, bits for each symbol), in order.

    loss        means over short equal times
    trend       means over longer ones
    validation  as logged
    rounding    the minute from which on rounding stayed on; None if it did not
    edges       the lowest and the highest bits shown
    """

    loss: Points
    trend: Points
    validation: Points
    rounding: float | None
    edges: tuple[float, float]

    def digest(self, name: str) -> str:
        """sha256 of all of it, and of the model's name."""
        return hashlib.sha256(json.dumps([name, asdict(self)], sort_keys=True).encode()).hexdigest()

    def is_drawn(self, path: Path) -> bool:
        """Whether this file shows just this curve."""
        return path.is_file() and self.digest(path.stem) in path.read_text(encoding="utf-8")


def curve(records: Sequence[Record]) -> Curve:
    """The curve of a log. Raises ValueError if there is no loss in it."""
    kept = _kept(records)
    losses = [record for record in kept if "loss" in record]
    if not losses:
        raise ValueError("no loss was logged")
    line = _means(losses, POINTS)
    validation = {
        _minutes(record): round(record["validation"], 4) for record in kept if "validation" in record
    }
    points = sorted(validation.items())
    return Curve(line, _means(losses, TREND), points, _rounding(losses), _edges(line, points))


def _kept(records: Sequence[Record]) -> list[Record]:
    """Those that led to the weights. A resumed run goes back to its last saved state: what came after it is void."""
    kept: list[Record] = []
    for record in reversed(records):
        if not kept or record["seconds"] <= kept[-1]["seconds"]:
            kept.append(record)
    return kept[::-1]


def _means(losses: Sequence[Record], count: int) -> Points:
    """The mean time and loss of each of `count` equal stretches of time that has any."""
    first, last = losses[0]["seconds"], losses[-1]["seconds"]
    stretches: dict[int, list[Record]] = {}
    for record in losses:
        share = (record["seconds"] - first) / ((last - first) or 1)
        stretches.setdefault(min(int(share * count), count - 1), []).append(record)
    return [
        (
            round(math.fsum(map(_minutes, each)) / len(each), 3),
            round(math.fsum(record["loss"] for record in each) / len(each), 4),
        )
        for each in stretches.values()
    ]


def _minutes(record: Record) -> float:
    return round(float(record["seconds"]) / 60, 3)


def _rounding(losses: Sequence[Record]) -> float | None:
    """The minute of the first record of those at the end that all have rounding on."""
    since = None
    for record in reversed(losses):
        if not record.get("rounding"):
            break
        since = _minutes(record)
    return since


def _edges(line: Points, validation: Points) -> tuple[float, float]:
    """From the lowest point to a high percentile of those after the first steep ones, with a margin."""
    begin = STEEP * max(minutes for minutes, _ in [*line, *validation])
    late = sorted([bits for minutes, bits in line if minutes >= begin] or [line[-1][1]])
    bits = [value for minutes, value in validation if minutes >= begin]
    low, high = min([*late, *bits]), max([late[math.ceil((1 - OUTLIERS) * len(late)) - 1], *bits])
    margin = 0.06 * (high - low) or 0.1
    return round(low - margin, 4), round(high + margin, 4)


def draw(shown: Curve, path: Path) -> None:
    """Write the SVG, titled with its file's stem. Raises ImportError without matplotlib."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "catzip", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(6, 3.2), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(*zip(*shown.loss, strict=True), color="C0", linewidth=0.6, alpha=0.4)
        axes.plot(*zip(*shown.trend, strict=True), color="C0", linewidth=1.4, label="training loss")
        if shown.validation:
            axes.plot(
                *zip(*shown.validation, strict=True), "o-", color="C1", markersize=4, label="validation"
            )
        if shown.rounding is not None:
            axes.axvline(shown.rounding, color="0.4", linewidth=0.7, linestyle="--", label="rounding on")
        axes.set(xlabel="minutes of training", ylabel="bits per symbol (per dimension)", ylim=shown.edges)
        axes.set_xlim(left=0)
        axes.set_title(path.stem)
        axes.grid(True, linewidth=0.3)
        axes.legend(fontsize=7)
        metadata = {"Date": None, "Creator": None, "Identifier": shown.digest(path.stem)}
        figure.savefig(path, format="svg", metadata=metadata)


def plots(folder: Path) -> Iterator[tuple[Curve, Path]]:
    """The curve of each log in a folder, and the file for it. Raises ValueError, naming a log that is none."""
    for path in sorted(folder.glob("*.jsonl")):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            yield curve([json.loads(line) for line in lines]), path.with_suffix(".svg")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path.name} is no log of training ({error})") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Draws or checks the plots; the exit code."""
    parser = argparse.ArgumentParser(description="Draw benchmarks/training_curves/NAME.svg from NAME.jsonl.")
    parser.add_argument(
        "--check", action="store_true", help="only compare; exit with 1 if one is out of date"
    )
    checking = parser.parse_args(arguments).check
    old = [(shown, path) for shown, path in plots(LOGS) if not (checking and shown.is_drawn(path))]
    if checking and old:
        names = ", ".join(path.name for _, path in old)
        print(
            f"out of date in benchmarks/training_curves/: {names}; run python -m catzip.benchmarks.studies.curves",
            file=sys.stderr,
        )
        return 1
    try:
        for shown, path in old:
            draw(shown, path)
    except ImportError:
        print("not drawn: pip install 'catzip[bench]' (matplotlib)", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
