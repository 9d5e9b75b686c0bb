"""Shares of time by stage: what counts for what."""

import fnmatch
from collections import Counter
from pathlib import Path

import pytest

from catzip.benchmarks.studies import stages

PRODUCT = (f"{stages.ROOT}/models/backends/base.py", 1, "product")
LAYER = (f"{stages.ROOT}/models/layers/grid.py", 2, "__call__")
MIXTURE = (f"{stages.ROOT}/models/mixing/mixing.py", 3, "symbols")
SUMMED = (f"{stages.ROOT}/models/mixing/mixing.py", 4, "summed")
NUMPY = ("~", 0, "<method 'take' of 'numpy.ndarray' objects>")
INNER = ("/elsewhere/numpy/_methods.py", 5, "_clip")
MAIN = (f"{stages.ROOT}/cli.py", 6, "main")


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


def test_every_stage_names_what_there_is():
    """Each pattern a module, or a function that is defined in one; no pattern is covered by those before it."""
    modules = {path.relative_to(stages.ROOT).with_suffix("").as_posix(): path for path in _modules()}
    assert stages.SPECIAL.keys() <= modules.keys() and set(stages.SPECIAL.values()) <= set(stages.STAGES)
    seen: set[str] = set()
    for member in (each for members in stages.STAGES.values() for each in members):
        pattern, _, function = member.partition(":")
        found = set(fnmatch.filter(modules, pattern))
        assert found, member
        if function:
            assert any(f"def {function}(" in modules[name].read_text() for name in found), member
        else:
            assert found - seen, member
            seen |= found


@pytest.mark.parametrize(
    ("module", "name", "stage"),
    [
        ("models/backends/torch", "product", "integer products"),
        ("models/backends/numpy", "clip_", None),
        ("compressor/coding/codec", "push", "coder"),
        ("models/families/idf/codec", "push", "other layers"),
        ("models/families/idf/enc_fitting", "fitted", "what is fitted"),
        ("models/families/idf/enc_gradients", "__call__", "what is fitted"),
        ("models/families/idf/squeeze", "guess", "contexts and features"),
        ("models/networks/pixels", "rows", "contexts and features"),
        ("models/layers/grid", "frequencies", "PMFs"),
        ("models/layers/grid", "rms_norm", "other layers"),
    ],
)
def test_modules_of_one_name_are_told_apart(module: str, name: str, stage: str | None):
    assert stages.stage_of((f"{stages.ROOT / module}.py", 1, name)) == stage


def _modules() -> list[Path]:
    return [path for folder in ("compressor", "models") for path in (stages.ROOT / folder).rglob("*.py")]


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
