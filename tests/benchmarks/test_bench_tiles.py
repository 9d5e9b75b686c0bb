"""Tiles of several sizes, compared."""

from pathlib import Path

import numpy as np
import pytest

from catzip.benchmarks.studies import tiles


def test_a_row_for_each_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    image = pytest.importorskip("PIL.Image")
    y, x, channel = np.indices((40, 50, 3))
    image.fromarray((3 * y + 2 * x + 20 * channel).astype(np.uint8)).save(tmp_path / "ramp.png")
    assert tiles.main(["-m", "idf-photo", str(tmp_path / "ramp.png")]) == 0
    command, *table = capsys.readouterr().out.strip().splitlines()
    assert "-m idf-photo ramp.png`" in command and str(tmp_path) not in command
    bits = [row.split("|")[2].strip() for row in table[3:]]
    assert len(bits) == 4 and bits[0] != bits[1] == bits[2] == bits[3]  # from 64 on one tile holds the image
    assert all(0 < float(value) < 8 for value in bits)
