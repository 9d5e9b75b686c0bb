"""Measuring a command: real files, real processes, compared bytes."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import MODELS, TEXT

from catzip.benchmarks import measure
from catzip.benchmarks.datasets import Dataset
from catzip.benchmarks.measure import DEFAULTS, MeasurementError, Settings

# The two commands as the measurement calls them, with the models of the tests.
COMMAND = """
import sys
sys.path.insert(0, {tests!r})
import helpers
verb, *options, source = sys.argv[1:]
named = dict(zip(options[1::2], options[2::2]))
data = open(source, "rb").read()
done = helpers.compress(data, model=named.get("-m")) if verb == "compress" else helpers.decompress(data)
open(named["-o"], "wb").write(done[{skip}:])
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the command line that knows the models of the tests."""
    path = tmp_path / "command.py"
    path.write_text(COMMAND.format(tests=str(Path(__file__).parent), skip="0"))
    monkeypatch.setattr(measure, "_COMMAND", (sys.executable, str(path)))
    return path


def test_result_is_of_a_real_file(command: Path) -> None:
    data = TEXT.encode()
    result = measure.measure(Dataset("text", data, ""), "table-bytes", MODELS, DEFAULTS)
    assert (result.dataset, result.system, result.outcome) == ("text", "table-bytes", "")
    assert result.symbols == result.original_bytes == len(data)
    assert result.compressed_bytes is not None and result.gap_percent is not None
    assert 0 < result.compressed_bytes < len(data)
    assert result.gap_percent > 0
    assert result.compress_s is not None and result.compress_s > 0.01
    assert result.peak_memory_bytes is not None and 5 << 20 < result.peak_memory_bytes < 1 << 30
    assert result.models == {"table-bytes": MODELS.by_name("table-bytes").fingerprint.hex()}


def test_fallback_is_said(command: Path) -> None:
    noise = Dataset("noise", random.Random(2).randbytes(500), "")
    result = measure.measure(noise, None, MODELS, DEFAULTS)
    assert (result.system, result.outcome) == ("default", " (stored)")
    assert result.nll_bits is None and result.gap_percent is None


def test_other_bytes_are_an_error(command: Path) -> None:
    command.write_text(command.read_text().replace("done[0:]", "done[verb == 'decompress':]"))
    with pytest.raises(MeasurementError, match="text, model table-bytes: came back different"):
        measure.measure(Dataset("text", TEXT.encode(), ""), "table-bytes", MODELS, DEFAULTS)


def test_failing_command_is_an_error(command: Path) -> None:
    with pytest.raises(MeasurementError, match=r"(?s)catzip compress failed: .*no model absent"):
        measure.measure(Dataset("text", TEXT.encode(), ""), "absent", MODELS, DEFAULTS)


def test_settings_become_options() -> None:
    assert DEFAULTS.options() == []
    assert Settings(threads=2, device="cpu").options() == ["-T", "2", "--device", "cpu"]


def test_peak_memory_is_the_childs_own(tmp_path: Path) -> None:
    """A child that takes 100 MB shows it; one that does not is unmoved by what this process holds."""
    held = bytearray(200_000_000)
    figures = []
    for size in (0, 100_000_000):
        target = tmp_path / "figures.json"
        clock = [sys.executable, "-I", "-S", str(measure._CLOCKED), str(target)]
        subprocess.run([*clock, sys.executable, "-c", f"x = b'x' * {size}"], check=True)
        figures.append(int(target.read_text().split('"peak_memory_bytes": ')[1].rstrip("}")))
    assert figures[0] < 100_000_000 < figures[1] < len(held)
