"""What is public in Python: its names, that they come without what they do not need, and their reference."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import catzip
from catzip.compressor import coding
from catzip.models.families import base

ROOT = Path(catzip.__file__).parent
CODING = {
    *("PMF", "Stack", "Ledger", "RandomBits", "Codec", "Categorical", "Serial", "Mapped"),
    *("BitsBack", "Chain", "Quantized"),
}


def test_the_public_names_of_coding():
    assert set(coding.__all__) == CODING
    assert {getattr(coding, name).__name__ for name in coding.__all__} == CODING
    with pytest.raises(AttributeError, match="no attribute 'Quantised'"):
        coding.Quantised  # noqa: B018


def test_the_coder_and_numpy_come_when_they_are_asked_for():
    code = (
        "import sys, catzip.compressor.coding as coding\n"
        "print('numpy' in sys.modules)\n"
        "coding.PMF\n"
        "print('numpy' in sys.modules, 'constriction' in sys.modules)\n"
        "coding.Stack\n"
        "print('constriction' in sys.modules, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "False", "True", "False"]


def test_the_reference_has_a_page_with_every_public_name(tmp_path):
    pytest.importorskip("pdoc")
    build = ROOT / "docs" / "reference" / "build.py"
    done = subprocess.run([sys.executable, "-W", "error", build, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for module in (catzip, coding, base):
        page = (tmp_path / f"{module.__name__.replace('.', '/')}.html").read_text()
        assert set(module.__all__) <= set(re.findall(r'<section id="(\w+)"', page))
    page = (tmp_path / "catzip" / "compressor" / "coding.html").read_text()
    assert "arXiv:1901.04866" in page and "&gt;&gt;&gt; chain.push(stack" in page  # docstrings as they are


def prose(path):
    """Every docstring of a file, also those of attributes, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield node.lineno, node.value.value


def test_docstrings_are_sentences_that_say_what_something_is():
    outside = {".venv", "build", "dist"}
    folders = [folder for folder in ROOT.iterdir() if folder.is_dir() and folder.name not in outside]
    paths = [*ROOT.glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))]
    assert len(paths) > 100
    begun = [
        f"{path.relative_to(ROOT)}:{line}: {text.splitlines()[0]}"
        for path in paths
        for line, text in prose(path)
        if text.lstrip().startswith("Of ")
    ]
    assert not begun, "\n".join(begun)
