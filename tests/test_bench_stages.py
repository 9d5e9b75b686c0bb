"""Shares of time by stage: what counts for what."""

from collections import Counter
from pathlib import Path

import pytest

from catzip.benchmarks.studies import stages

PRODUCT = ("/somewhere/models/backends/base.py", 1, "product")
LAYER = ("/somewhere/models/layers/grid.py", 2, "__call__")
MIXTURE = ("/somewhere/models/mixing/mixing.py", 3, "symbols")
SUMMED = ("/somewhere/models/mixing/mixing.py", 4, "summed")
NUMPY = ("~", 0, "<method 'take' of 'numpy.ndarray' objects>")
INNER = ("/elsewhere/numpy/_methods.py", 5, "_clip")
MAIN = ("/somewhere/cli.py", 6, "main")


def called(own: float, **callers: float) -> tuple[int, int, float, float, dict]:
    """What `pstats` says of a function: its own seconds, and those of them that belong to each caller's calls."""
    return 1, 1, own, own, {globals()[name.upper()]: (1, 1, part, part) for name, part in callers.items()}


def test_a_function_counts_for_its_stage_and_others_for_their_callers():
    found = stages.by_stage(
        {
            PRODUCT: called(5, layer=5),
            LAYER: called(2, main=2),
            MIXTURE: called(1, main=1),
            SUMMED: called(0.5, main=0.5),
            NUMPY: called(4, inner=1, mixture=3),
            INNER: called(0.5, layer=0.5),
            MAIN: called(0.25),
        }
    )
    assert found == {
        "integer products": 5,
        "other layers": 2 + 1 + 0.5,
        "mixture": 1 + 3,
        "PMFs": 0.5,
        stages.REST: 0.25,
    }


def test_functions_that_call_each_other_end():
    stats = {NUMPY: called(1, inner=1), INNER: called(1, numpy=1)}
    assert stages.by_stage(stats) == {stages.REST: 2}


def test_every_stage_names_modules_that_there_are():
    package = Path(stages.__file__).parent.parent
    modules = {path.stem for path in package.rglob("*.py")}
    named = {member.partition(":")[0] for members in stages.STAGES.values() for member in members}
    assert named <= modules


def test_shares_of_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.txt").write_bytes(b"the cat sat on the mat " * 200)
    assert stages.main(["-m", "ar-text8", "--limit", "2000", str(tmp_path / "a.txt")]) == 0
    shown = capsys.readouterr().out
    assert "stages -m ar-text8 --limit 2000 a.txt" in shown and str(tmp_path) not in shown
    rows = {line.split("|")[1].strip(): line for line in shown.splitlines() if line.startswith("|")}
    assert {"integer products", "mixture", "other layers", "PMFs"} <= set(rows)
    shares = [int(row.split("|")[2].strip(" %")) for row in list(rows.values())[2:-1]]
    assert 95 <= sum(shares) <= 105


def test_a_table_leaves_out_what_takes_no_time():
    shown = stages.table([Counter({"mixture": 1.0, "coder": 0.001}), Counter({"mixture": 2.0})])
    assert "coder" not in shown and "100 %" in shown and "2.0" in shown
