"""What examples/ and docs/ show runs, and is as short as they say."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import catzip

ROOT = Path(catzip.__file__).parent
OWN_MODEL = ROOT / "examples" / "own_model.py"
FIGURES = re.compile(r"text (\d+) bytes, nll ([\d.]+) bytes, coded (\d+) bytes\n")


def run(code, *arguments, cwd):
    done = subprocess.run(
        [sys.executable, code, *arguments], cwd=cwd, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "kind", [[], pytest.param(["--torch"], marks=pytest.mark.slow)], ids=["counts", "torch"]
)
def test_a_model_of_ones_own_makes_bytes_as_few_as_its_nll(kind, tmp_path):
    if kind and importlib.util.find_spec("torch") is None:
        pytest.skip("needs torch")
    figures = FIGURES.fullmatch(run(OWN_MODEL, *kind, cwd=tmp_path))
    text, nll, coded = (float(each) for each in figures.groups())
    assert nll <= coded <= nll + 8
    assert coded < text / 2


def test_its_floats_become_integers_and_its_counts_know_only_the_past():
    spec = importlib.util.spec_from_file_location("own_model", OWN_MODEL)
    own = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(own)
    logits = own.np.log(own.np.arange(1.0, 257.0))[None]
    assert (
        abs(own.from_logits(logits).freqs / 2**24 - own.np.exp(logits) / own.np.exp(logits).sum()).max()
        < 1e-4
    )
    assert (
        own.counts(b"abcabcab").bits(own.np.array([ord("c")])) < 2 < own.counts(b"").bits(own.np.array([0]))
    )


def test_it_is_under_60_lines_of_code():
    source = OWN_MODEL.read_text()
    prose = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            prose |= set(range(node.lineno, node.end_lineno + 1))
    lines = [line for i, line in enumerate(source.splitlines(), 1) if line.strip() and i not in prose]
    assert len(lines) < 60


def test_what_the_page_about_models_of_ones_own_says_runs(tmp_path):
    page = (ROOT / "docs" / "BRING-YOUR-OWN-MODEL.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3
    script = tmp_path / "page.py"
    script.write_text("\n".join([*blocks, 'print(len(file.getvalue()), "bytes")']))
    assert re.fullmatch(r"\d+ bytes\n", run(script, cwd=tmp_path))
