"""The study that fits the start of the rich mixture: its weights code, and in fewer bits what they were fitted to."""

from pathlib import Path

import native
import numpy as np
import pytest
from helpers import TEXT
from tiny_models import tiny_path

from catzip.benchmarks.studies.mixture_start import main
from catzip.models import checkpoint
from catzip.models.registry import Registry


def test_a_fitted_start_takes_fewer_bits(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    native.variant("generic")
    text, table, target = tmp_path / "text", tmp_path / "table", tmp_path / "fitted.safetensors"
    text.write_text(4 * TEXT)
    table.write_bytes(np.arange(1500, dtype="<u4").tobytes()[:1500])
    assert main([str(tiny_path("bytes")), str(target), "--text", str(text), "--records", f"4:{table}"]) == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [words[1] for words in shown] == ["0:", "1:"] and float(shown[1][2]) < float(shown[0][2])
    fitted, own = checkpoint.load(target), checkpoint.load(tiny_path("bytes"))
    assert fitted.config["coding"]["mixture"] == 2 and "mixture" not in own.config["coding"]
    assert all(np.array_equal(fitted.arrays[name], own.arrays[name]) for name in own.arrays if "." in name)
    model, symbols = Registry("cpu").by_name(str(target)), np.frombuffer(TEXT.encode(), np.uint8)
    plan = model.plan(len(symbols))
    stacks = list(model.encode(symbols, plan))
    assert np.array_equal(model.decode(stacks, len(symbols), plan), symbols)
