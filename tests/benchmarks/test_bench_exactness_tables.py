"""The exactness matrix as text and as JSON, and its place in RESULTS.md."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from catzip.benchmarks import exactness, report
from catzip.benchmarks.matrix import matrix
from catzip.benchmarks.matrix.matrix import DIFFERENT, FAILED, NOT_RUN, SAME, Digests, Matrix, Row
from catzip.benchmarks.tables import exactness_tables

DIGESTS: Digests = {
    "product": {"int64 arithmetic": "aa" * 32, "the layers' product": "aa" * 32},
    "tiny PMFs": {"all at once": "bb" * 32, "step by step": "bb" * 32},
}
MORE = DIGESTS | {"product": DIGESTS["product"] | {"torch's int8 product": "aa" * 32}}
OTHER = DIGESTS | {"tiny PMFs": {"all at once": "bc" * 32, "step by step": "bd" * 32}}
ROWS = [
    Row("reference", "NumPy, 1 thread", SAME, digests=DIGESTS),
    Row("threads", "2", SAME, digests=DIGESTS),
    Row("torch CPU threads", "1", SAME, digests=MORE),
    Row("device", "cuda", NOT_RUN, "no CUDA device"),
]
WRONG = Row("threads", "2", DIFFERENT, "tiny PMFs, all at once; tiny PMFs, step by step", OTHER)
MATRIX = Matrix(
    command="python -m catzip.benchmarks.exactness --size 300",
    date="2026-01-02",
    catzip="0.1.0",
    commit="abc",
    machine={"cpu": "some CPU"},
    models={"tiny": "00" * 8},
    rows=ROWS,
)


def cells(text: str) -> list[list[str]]:
    """The rows of the Markdown tables."""
    return [[cell.strip() for cell in x.split("|")[1:-1]] for x in text.splitlines() if x.startswith("|")]


def test_section() -> None:
    text = exactness_tables.section(ROWS)
    assert text.startswith("## Exactness\n")
    rows = cells(text)
    assert ["reference: NumPy, 1 thread", "same"] in rows
    assert ["device: cuda", "not run (no CUDA device)"] in rows
    assert ["tiny PMFs", "bb" * 8, "all at once, step by step"] in rows
    ways = "int64 arithmetic, the layers' product, torch's int8 product (1 condition)"
    assert ["product", "aa" * 8, ways] in rows
    assert (
        "Under each condition that ran, 4 to 5 digests of 2 subjects were compared. Of 4 conditions: 3 same, 1 not run."
        in text
    )


def test_words_are_flush_left() -> None:
    lines = exactness_tables.terminal(ROWS).splitlines()
    assert lines[0].index("verdict") == lines[2].index("same") == lines[5].index("not run")
    assert all(row[-1].strip("-") == "" for row in cells(exactness_tables.section(ROWS)) if "---" in row[0])


def test_terminal_is_narrow_and_has_no_markup() -> None:
    many: Digests = {f"model {i} PMFs": {"all at once": f"{i:02x}" * 32} for i in range(60)}
    text = exactness_tables.terminal([replace(ROWS[0], digests=many)])
    assert "|" not in text and "#" not in text
    assert max(map(len, text.splitlines())) < 100


def test_what_differs_is_named_by_subject() -> None:
    text = exactness_tables.terminal([ROWS[0], WRONG])
    assert "threads: 2                  DIFFERENT (tiny PMFs)\n" in text
    assert "Of 2 conditions: 1 same, 1 DIFFERENT." in text
    lacking = replace(WRONG, digests={"product": DIGESTS["product"]})
    assert "DIFFERENT (tiny PMFs)" in exactness_tables.terminal([ROWS[0], lacking])
    assert list(matrix.differing(lacking.digests, DIGESTS)) == [("tiny PMFs", "missing")]


def test_a_failed_reference_leaves_no_subjects() -> None:
    text = exactness_tables.terminal([Row("reference", "NumPy", FAILED, "out of memory")])
    assert "FAILED (out of memory)" in text and "no digests of no subjects" in text


def test_json_round_trip(tmp_path: Path) -> None:
    path = tmp_path / report.EXACTNESS
    assert report.load_exactness(tmp_path) is None
    path.write_text(MATRIX.json())
    assert report.load_exactness(tmp_path) == MATRIX
    for text in ("[]", '{"rows": [{"unknown": 1}]}', '{"rows": []}', "{"):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"exactness\.json is no exactness matrix"):
            report.load_exactness(tmp_path)


def test_document_has_the_matrix_behind_the_runs(tmp_path: Path) -> None:
    (tmp_path / report.EXACTNESS).write_text(MATRIX.json())
    assert report.load_all(tmp_path) == []
    text = report.document([], MATRIX)
    assert text.startswith(report.document([]))
    for part in (MATRIX.command, "2026-01-02", "commit abc", "cpu: some CPU", "Weights: tiny " + "00" * 8):
        assert part in text[text.index("## Exactness") :]


def test_stale_without_its_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "REPORT", tmp_path / "RESULTS.md")
    assert report.write([], MATRIX) == [] and report.stale([], MATRIX) == []
    assert report.stale([]) == ["RESULTS.md"]


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    given: list[str] = []

    def run_matrix(arguments: list[str], *others: object) -> list[Row]:
        given.extend(arguments)
        return ROWS

    monkeypatch.setattr(exactness, "run_matrix", run_matrix)
    options = ["-m", "idf-mnist", "--size", "300"]
    assert exactness.main(options) == 0
    assert capsys.readouterr().out == exactness_tables.terminal(ROWS) + "\n"
    assert given[-2:] == ["--size", "300"] and given[-3].endswith("idf-mnist.safetensors")
    assert exactness.main([*options, "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert fields["command"] == "python -m catzip.benchmarks.exactness -m idf-mnist --size 300"
    assert set(fields) == {"command", "date", "catzip", "commit", "machine", "models", "rows"}
    assert list(fields["models"]) == ["idf-mnist"]
    assert exactness.main([*options, "--json", str(tmp_path / "exactness.json")]) == 0
    capsys.readouterr()
    assert Matrix.load(tmp_path / "exactness.json").rows == ROWS
    assert exactness.main([*options, "--against", str(tmp_path / "exactness.json"), "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert fields["command"].endswith("--size 300 --against exactness.json")
    assert fields["rows"][-1]["axis"] == "another machine" and fields["rows"][-1]["verdict"] == SAME
    with pytest.raises(SystemExit):
        exactness.main(["-m", "idf-mnist", "--size", "30", "--against", str(tmp_path / "exactness.json")])
    assert "another number of symbols than --size 30" in capsys.readouterr().err
    monkeypatch.setattr(exactness, "run_matrix", lambda *arguments: [ROWS[0], WRONG])
    assert exactness.main(options) == 1
