"""The examples in the docstrings of the public modules say what is so."""

import doctest
import importlib

import pytest

PUBLIC = [
    "catzip",
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
