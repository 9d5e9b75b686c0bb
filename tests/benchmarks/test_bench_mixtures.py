"""Variants of a mixture, compared."""

from pathlib import Path

import pytest
from helpers import TEXT
from tiny_models import tiny_path

from catzip.benchmarks.studies import mixtures


def test_a_row_for_each_variant(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.txt").write_text(TEXT)
    model, file = str(tiny_path("bytes")), str(tmp_path / "a.txt")
    variants = ["", "refined=true", "orders=[1, 2];by_age=true", "phrases=false"]
    words = ["-m", model, *(word for each in variants for word in ("-v", each)), file, f"{file}:500"]
    assert mixtures.main(words) == 0
    command, *table = capsys.readouterr().out.strip().splitlines()
    assert "a.txt a.txt:500`" in command and str(tmp_path) not in command
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table[3:]]
    assert [row[0] for row in rows] == ["the model", *variants[1:]]
    assert rows[3][1:3] == rows[0][1:3]  # phrases are not in use there
    assert len({row[1] for row in rows}) == 3 and all(0 < float(row[1]) < 12 for row in rows)


@pytest.mark.parametrize("wrong", ["refind=true", "limit=3;refined=true"])
def test_what_is_no_mixture_is_refused(wrong: str):
    with pytest.raises((TypeError, ValueError)):
        mixtures.varied(str(tiny_path("bytes")), wrong)
