"""Results survive JSON, and the tables are made from nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from catzip.benchmarks import report
from catzip.benchmarks.results import Result, Run
from catzip.benchmarks.tables.text import markdown, plain

MODEL = Result(
    "text8",
    "ar-bytes",
    "",
    original_bytes=1000,
    compressed_bytes=251,
    compress_s=0.5,
    decompress_s=2.0,
    peak_memory_bytes=3 << 20,
    symbols=1000,
    nll_bits=2000.0,
    models={"ar-bytes": "00" * 8},
    frames={"coded": 1},
)
PEER = Result("text8", "zstd -22", "level 22", 1000, missing="pip install 'catzip[bench]'")
RUN = Run(
    command="catzip bench --dataset text8 -m ar-bytes --peers",
    date="2026-01-02",
    catzip="0.1.0",
    commit="abc",
    machine={"cpu": "some CPU", "cores": "2"},
    datasets={"text8": {"description": "text8 slice", "bytes": 1000, "sha256": "ff"}},
    results=[MODEL, PEER],
)


def test_figures() -> None:
    assert MODEL.rate == pytest.approx(2.008)
    assert MODEL.gap_percent == pytest.approx(0.4)
    assert MODEL.nll_rate == 2.0
    assert PEER.gap_percent is None
    assert replace(MODEL, nll_bits=None).gap_percent is None


def test_json_round_trip(tmp_path: Path) -> None:
    RUN.save(tmp_path / "run.json")
    assert Run.load(tmp_path / "run.json") == RUN
    (tmp_path / "run.json").write_text('{"results": [{"unknown": 1}]}')
    with pytest.raises(ValueError, match=r"run\.json is not a benchmark result"):
        Run.load(tmp_path / "run.json")


def test_document_has_every_figure_and_fact() -> None:
    text = report.document([RUN])
    for part in (
        "text8, 1,000 bytes",
        "2.0080",
        "2.0000",
        "+0.400 %",
        "0.50 s",
        "2.00 s",
        "0.5 |",
        "text8 slice.",
    ):
        assert part in text
    for part in (
        "pip install 'catzip[bench]'",
        RUN.command,
        "2026-01-02",
        "ar-bytes " + "00" * 8,
        "some CPU",
    ):
        assert part in text
    assert "zstd -22: level 22" in text


def test_many_files_share_tables() -> None:
    names = [f"calgary/file{number}" for number in range(report.MANY)]
    facts = {name: {"description": f"{name}, the whole file", "bytes": 1000, "sha256": ""} for name in names}
    results = [replace(each, dataset=name) for name in names for each in (MODEL, PEER)]
    text = report.document([replace(RUN, datasets=facts, results=results)])
    assert "Each: the whole file." in text
    total = [
        cell.strip() for cell in next(x for x in text.splitlines() if x.startswith("| total")).split("|")
    ]
    assert total[1:-1] == ["total", "4,000", "1,004", "-"]
    assert "## ar-bytes on these files" in text and "## zstd" not in text


def test_outcome_is_said_where_it_is_not_what_was_asked() -> None:
    assert MODEL.outcome == ""
    assert replace(MODEL, system="default").outcome == " (ar-bytes)"
    assert replace(MODEL, models={}, frames={"xz": 1}).outcome == " (xz)"
    assert PEER.outcome == " (not run: pip install 'catzip[bench]')"


def test_terminal_has_no_markup() -> None:
    assert "|" not in report.terminal(RUN)
    assert "zstd -22" in report.terminal(RUN)


def test_tables_align() -> None:
    assert plain(("name", "n"), [("a", "10")]) == "name   n\n----  --\na     10"
    assert markdown(("name", "n"), [("a", "10")]) == "| name |   n |\n| ---- | --: |\n| a    |  10 |"


def test_committed_report_is_up_to_date() -> None:
    if not list(report.RESULTS.glob("*.json")):
        pytest.skip("no committed results")
    assert report.main(["--check"]) == 0, "run python -m catzip.benchmarks.report"


def test_check_notices_a_stale_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "REPORT", tmp_path / "RESULTS.md")
    assert report.main(["--check"]) == 1
    assert report.main([]) == 0
    assert report.main(["--check"]) == 0
