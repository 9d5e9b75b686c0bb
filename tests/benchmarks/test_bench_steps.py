"""Bits against steps: the tables, the plots, and the published figures beside them."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from catzip.benchmarks import report
from catzip.benchmarks.results import Result, Run
from catzip.benchmarks.tables import plot, stepped
from catzip.benchmarks.tables.joined import commands, joined
from catzip.benchmarks.tables.published import PUBLISHED

ROW = Result(
    "cifar10",
    "ardm-cifar10",
    "",
    original_bytes=61_568,
    compressed_bytes=30_720,
    compress_s=10.0,
    decompress_s=20.0,
    dimensions=61_440,
    symbols=61_440,
    nll_bits=245_000.0,
    coded_bytes=30_600,
    models={"ardm-cifar10": "00"},
    frames={"coded": 1},
    steps=20,
)
UNIFORM = replace(ROW, compressed_bytes=31_000, schedule="uniform", models={"ardm-cifar10-uniform": "01"})
SINGLE = replace(
    ROW, compressed_bytes=3_300, dimensions=6_144, files=2, frames={"coded": 2}, coded_bytes=3_120
)
PEER = Result("cifar10", "PNG, one file each", "", 61_568, 45_000, 0.1, 0.1, dimensions=61_440)
RUN = Run(
    command="catzip bench --dataset cifar10",
    date="2026-01-02",
    catzip="0.1.0",
    commit="abc",
    machine={"device": "cpu"},
    datasets={
        "cifar10": {
            "description": "CIFAR-10 test, images 0 to 19",
            "bytes": 61_568,
            "sha256": "ff",
            "item": [32, 32, 3],
            "dimensions": 61_440,
        }
    },
    results=[
        ROW,
        replace(ROW, steps=100, compressed_bytes=30_000),
        replace(ROW, steps=3072, compressed_bytes=29_000),
        SINGLE,
        PEER,
    ],
)
SCHEDULES = replace(RUN, command="python -m catzip.benchmarks.studies.schedules", results=[ROW, UNIFORM])


def cells(text: str, start: str) -> list[list[str]]:
    """The rows of tables that start like this."""
    lines = [line for line in text.splitlines() if line.startswith(f"| {start}")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_rates_are_of_dimensions() -> None:
    assert ROW.rate == 4.0 and ROW.nll_rate == pytest.approx(3.98763)
    assert ROW.container_bytes == 120 and SINGLE.container_bytes == 90
    assert (ROW.label, UNIFORM.label) == ("ardm-cifar10, 20 steps", "ardm-cifar10, 20 steps, uniform")
    assert SINGLE.label == "ardm-cifar10, 20 steps, first 2 items, a file each"


def test_tables() -> None:
    text = report.document([RUN, SCHEDULES])
    assert "## Bits against steps: cifar10, 20 items" in text
    few, _, all_steps, single, schedule, *_ = cells(text, "ardm-cifar10 ")
    assert few == [
        "ardm-cifar10", "20", "30,720", "4.0000", "3.9876", "+0.310 %",
        "10.00 s", "2.0", "20.00 s", "1.0", "cpu",
    ]  # fmt: skip
    assert all_steps[1:4] == ["3,072", "29,000", "3.7760"]
    assert single == [
        "ardm-cifar10",
        "20",
        "first 2",
        "3,300",
        "4.2969",
        "90.0",
        "4.0625",
        "39.8763",
        "4.0000",
    ]
    assert schedule == ["ardm-cifar10", "20", "30,720", "31,000", "0.90 %"]
    assert (
        "bits/dim |" in text
        and "![cifar10, 20 items: bits against steps](steps-cifar10-20-items.svg)" in text
    )


def test_items_in_parts_are_one_row() -> None:
    """The parts come from several runs, in any order; what was measured twice, or otherwise, stays apart."""
    parts = [replace(SINGLE, first=first, compress_s=1.0, decompress_s=None) for first in (4, 0, 2)]
    for run in (replace(RUN, results=[ROW, *parts]), replace(RUN, results=[*parts, ROW])):
        (row,) = (row for row in cells(report.document([run]), "ardm-cifar10 ") if row[2] == "first 6")
        assert row[3:7] == ["9,900", "4.2969", "90.0", "4.0625"]
    rows = [(part, "cpu") for part in parts]
    ((whole, _),) = joined(rows)
    assert (whole.files, whole.first, whole.compress_s, whole.decompress_s) == (6, 0, 3.0, None)
    assert [each.label for each, _ in joined(rows[::2])] == [
        "ardm-cifar10, 20 steps, items 2 to 5, a file each",
    ]
    others = [(parts[1], "cpu"), (parts[2], "cuda"), (replace(parts[2], models={"ardm-cifar10": "0"}), "cpu")]
    assert joined(others) == others
    assert joined([(ROW, "cpu"), (ROW, "cpu")]) == [(ROW, "cpu")] * 2


def test_commands_for_items_in_parts_are_one() -> None:
    line = "catzip bench --dataset cifar10 --steps all --singles {} --singles-only"
    parts = [line.format(part) for part in ("20-29", "5", "5-19")]
    assert commands("; ".join(parts)) == line.format(30)
    assert commands("; ".join(parts[:2])) == f"{line.format(5)}; {parts[0]}"
    others = "catzip bench --peers; catzip bench -m ar-bytes"
    assert commands(f"{others}; {parts[1]}") == f"{others}; {parts[1]}"


def test_published_figures_stand_beside_and_say_of_what() -> None:
    text = report.document([replace(RUN, results=[ROW, SINGLE])])
    assert (
        "Published figures are of the full test set, 10,000 images; ours are of the bytes said in each row"
        in text
    )
    beside = text[text.index("## cifar10: beside published figures") :]
    assert cells(beside, "PNG") == [["PNG", "-", "-", "5.87", "5.87", "published"]]
    assert cells(beside, "ardm-cifar10 ")[0][3:5] == ["4.0000", "4.2969 (first 2)"]
    (five_hundred,) = (row for row in cells(beside, "OA-ARDM") if row[1] == "500")
    assert five_hundred[3:] == ["2.73", "2.73", "published"]


def test_without_steps_there_is_no_section() -> None:
    assert "against steps" not in report.document([replace(RUN, results=[PEER])])
    assert "published" not in report.document([replace(RUN, results=[replace(PEER, system="xz -9e")])])


def test_text_is_in_characters() -> None:
    facts = {"text8": {"description": "text8 slice", "bytes": 1000, "sha256": "ee"}}
    row = replace(ROW, dataset="text8", system="ardm-text8", original_bytes=1000, dimensions=1000)
    text = report.document([replace(RUN, datasets=facts, results=[row])])
    assert "## Bits against steps: text8, 1,000 bytes" in text and "bits/char" in text and "chars/s" in text
    assert "steps-text8" not in text  # one point is no curve
    assert [row[1:3] for row in cells(text, "OA-ARDM")] == [["250", "1.43"], ["20", "1.51"]]


def test_known_points() -> None:
    (group,) = stepped.groups([RUN, SCHEDULES])
    curves = plot.Curves.of(group)
    assert curves.lines == {
        "ardm-cifar10": [(20, 4.0), (100, 30_000 * 8 / 61_440), (3072, 29_000 * 8 / 61_440)],
        "ardm-cifar10, uniform": [(20, 31_000 * 8 / 61_440)],
    }
    assert list(curves.levels) == ["PNG, one file each"]
    assert curves.published["OA-ARDM (2110.02037)"] == [(100, 2.75), (500, 2.73), (3072, 2.69)]
    assert all(figure.bits is not None for known in PUBLISHED.values() for figure in known.figures)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report of its own."""
    monkeypatch.setattr(report, "REPORT", tmp_path / "RESULTS.md")
    return tmp_path


def test_plots_are_the_same_bytes_each_time_and_checked(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = folder / "steps-cifar10-20-items.svg"
    assert report.stale([RUN]) == ["RESULTS.md", picture.name]
    assert report.write([RUN]) == [] and report.stale([RUN]) == []
    first = picture.read_bytes()
    assert len(first) < 200_000 and b"OA-ARDM (2110.02037), published" in first
    picture.unlink()
    assert report.write([RUN]) == [] and picture.read_bytes() == first
    assert picture.name in report.stale([RUN, SCHEDULES])


def test_two_numbers_of_steps_are_no_curve(folder: Path) -> None:
    run = replace(RUN, results=RUN.results[1:])
    assert report.write([run]) == [] and "](steps-" not in (folder / "RESULTS.md").read_text()
    assert not list(folder.glob("*.svg"))


def test_without_matplotlib_there_are_tables(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert report.write([RUN]) == ["steps-cifar10-20-items.svg"]
    assert "## Bits against steps" in (folder / "RESULTS.md").read_text()
