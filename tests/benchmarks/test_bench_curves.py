"""Loss curves: what is drawn of a log, and that the committed plots show the committed logs."""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from helpers import TESTS

from catzip.benchmarks.studies import curves
from catzip.benchmarks.studies.curves import POINTS, TREND, curve

ROOT = TESTS.parent
COMMITTED = sorted(curves.LOGS.glob("*.jsonl"))


def loss(minutes: float, bits: float, rounding: bool = False) -> dict[str, Any]:
    return {
        "step": 1,
        "seconds": 60 * minutes,
        "symbols": 1,
        "loss": bits,
        "rounding": rounding,
        "budget": 9.0,
    }


def held_out(minutes: float, bits: float) -> dict[str, Any]:
    return {"step": 1, "seconds": 60 * minutes, "symbols": 1, "validation": bits}


def test_many_losses_become_means_over_equal_times() -> None:
    count = 10 * POINTS
    found = curve([loss(minute, 2.0 + minute % 2) for minute in range(count)])
    assert len(found.loss) == POINTS and len(found.trend) == TREND
    assert found.loss == sorted(found.loss)
    assert found.loss[1] == (14.5, 2.5)
    assert found.validation == [] and found.rounding is None


def test_few_losses_stay_as_they_are() -> None:
    found = curve([loss(1, 4.0), loss(2, 3.0), loss(10, 2.5), held_out(10, 2.75)])
    assert found.loss == [(1.0, 4.0), (2.0, 3.0), (10.0, 2.5)]
    assert found.validation == [(10.0, 2.75)]
    assert curve([loss(1, 4.0)]).loss == [(1.0, 4.0)]


def test_what_was_trained_anew_is_left_out() -> None:
    first = [loss(1, 4.0), loss(2, 3.0), held_out(3, 3.0), loss(3, 9.0)]
    found = curve([*first, loss(2.5, 2.0), held_out(4, 1.5), loss(5, 1.0)])
    assert found.loss == [(1.0, 4.0), (2.0, 3.0), (2.5, 2.0), (5.0, 1.0)]
    assert found.validation == [(4.0, 1.5)]


def test_weights_exported_again_count_once() -> None:
    found = curve([loss(1, 4.0), held_out(2, 3.0), held_out(2, 3.25) | {"exported": "tiny.safetensors"}])
    assert found.validation == [(2.0, 3.25)]


@pytest.mark.parametrize(
    ("flags", "minute"),
    [("0000", None), ("0011", 3.0), ("0101", 4.0), ("0110", None), ("1111", 1.0)],
)
def test_rounding_is_marked_where_it_stays_on(flags: str, minute: float | None) -> None:
    log = [loss(place, 2.0, flag == "1") for place, flag in enumerate(flags, 1)]
    assert curve([*log, held_out(5, 2.0)]).rounding == minute


def test_first_minutes_do_not_flatten_the_rest() -> None:
    low, high = curve([loss(minute, 2 + 98 / minute**2) for minute in range(1, 101)]).edges
    assert 1.5 < low < 2.01 and 2.1 < high < 6
    low, high = curve([loss(minute, 2.0) for minute in range(1, 101)]).edges
    assert low < 2 < high
    low, high = curve([loss(1, 2.0), held_out(100, 3.0)]).edges
    assert low < 2 and high > 3


def test_a_log_without_losses_is_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no loss"):
        curve([held_out(1, 2.0)])
    for text in ("", "[1]\n", '{"loss": 1}\n', "{"):
        (tmp_path / "tiny.jsonl").write_text(text)
        with pytest.raises(ValueError, match=r"tiny\.jsonl is no log of training"):
            list(curves.plots(tmp_path))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Logs of its own."""
    monkeypatch.setattr(curves, "LOGS", tmp_path)
    log = [loss(1, 4.0), loss(2, 3.0, True), held_out(3, 2.5)]
    (tmp_path / "tiny.jsonl").write_text("".join(json.dumps(record) + "\n" for record in log))
    return tmp_path


def test_plots_are_the_same_bytes_each_time_and_checked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    assert curves.main(["--check"]) == 1
    assert "tiny.svg; run python -m catzip.benchmarks.studies.curves" in capsys.readouterr().err
    assert curves.main([]) == 0 and curves.main(["--check"]) == 0
    first = (folder / "tiny.svg").read_bytes()
    assert b"bits per symbol (per dimension)" in first and b"rounding on" in first
    assert curves.main([]) == 0 and (folder / "tiny.svg").read_bytes() == first
    with (folder / "tiny.jsonl").open("a") as log:
        log.write(json.dumps(loss(4, 2.0)) + "\n")
    assert curves.main(["--check"]) == 1


def test_without_matplotlib_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert curves.main([]) == 1
    assert "pip install 'catzip[bench]'" in capsys.readouterr().err
    assert not (folder / "tiny.svg").exists()


@pytest.mark.skipif(not COMMITTED, reason="no committed logs")
@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_logs_name_each_export_once_and_no_path_of_a_machine(path: Path) -> None:
    records = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    exports = [record for record in records if "exported" in record]
    assert all("/" not in record["exported"] for record in exports)
    assert len({(record["step"], record["seconds"]) for record in exports}) == len(exports)


def test_committed_plots_show_the_committed_logs() -> None:
    assert curves.main(["--check"]) == 0, "run python -m catzip.benchmarks.studies.curves"
    pictures = sorted(curves.LOGS.glob("*.svg"))
    assert [path.stem for path in pictures] == [path.stem for path in COMMITTED]
    assert max(path.stat().st_size for path in pictures) < 60_000
    readme = (ROOT / "models" / "recipes" / "README.md").read_text()
    assert [
        path.name for path in pictures if f"(../../benchmarks/training_curves/{path.name})" not in readme
    ] == []


@pytest.mark.skipif(not COMMITTED, reason="no committed logs")
def test_committed_plots_are_redrawn_to_the_byte(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    if f"matplotlib=={version('matplotlib')}" not in (ROOT / "constraints.txt").read_text().splitlines():
        pytest.skip("another version of matplotlib")
    shown, path = next(curves.plots(curves.LOGS))
    curves.draw(shown, tmp_path / path.name)
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()
