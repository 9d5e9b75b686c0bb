"""The examples in the docstrings of the public modules say what is so."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

import catzip

ROOT = Path(catzip.__file__).parent

PUBLIC = [
    "catzip",
    "catzip.objects",
    "catzip.compressor.coding",
    *(
        f"catzip.compressor.coding.{name}"
        for name in ("pmf", "stack", "ledger", "codec", "bitsback", "quantized")
    ),
    "catzip.models.families.base",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_the_examples_of_a_module_hold(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried and not failed


def test_the_example_of_the_readme_holds(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    (said,) = re.findall(r"print\(error\)  # (.*) \.\.\.$", example, re.MULTILINE)
    assert capsys.readouterr().out.startswith(said)
