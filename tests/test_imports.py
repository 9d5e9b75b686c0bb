"""Imports point one way, and each foreign library has one owner."""

import ast
from pathlib import Path

import pytest

import catzip

ROOT = Path(catzip.__file__).parent
MODULES = sorted(
    path for folder in ("compressor", "models", "cli", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)
TORCH = {"torch_arrays", "int8_arrays"}  # of models/ outside training; exact inference else runs on NumPy
CORE = {
    "codec",
    "pmf",
    "errors",
    "model",
    "stack",
    "ledger",
    "bitsback",
    "quantized",
}  # of compressor/: all that models may know


def imported(path: Path, at_top: bool = False) -> set[str]:
    """The modules a file imports, absolute; those inside catzip start with "catzip."."""
    package = ["catzip", *path.relative_to(ROOT).parts[:-1]]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in tree.body if at_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{stem}.{alias.name}" for alias in node.names} | {stem}
    return names


def tops(path: Path, at_top: bool = False) -> set[str]:
    return {name.split(".")[0] for name in imported(path, at_top)}


def inside(path: Path, folder: str) -> set[str]:
    """The modules of one folder of catzip that a file imports."""
    names = (name.split(".") for name in imported(path))
    return {name[2] for name in names if name[:2] == ["catzip", folder] and len(name) > 2}


def of(folder: str) -> list[Path]:
    return [path for path in MODULES if path.relative_to(ROOT).parts[0] == folder]


def test_there_is_something_to_walk():
    assert len(of("compressor")) > 10


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_foreign_libraries_have_one_owner(path: Path):
    place = path.relative_to(ROOT).as_posix()
    found = tops(path)
    assert "constriction" not in found or place == "compressor/stack.py"
    assert "safetensors" not in found or place == "models/checkpoint.py"
    assert "msgspec" not in found or place == "models/schema.py"
    assert "click" not in found or place.startswith("cli/")


@pytest.mark.parametrize("path", of("compressor"), ids=lambda path: path.name)
def test_the_compressor_knows_no_models(path: Path):
    assert not tops(path) & {"torch", "click", "safetensors"}
    assert not any(
        name.startswith(("catzip.models", "catzip.cli", "catzip.benchmarks")) for name in imported(path)
    )


@pytest.mark.parametrize("path", of("models"), ids=lambda path: path.name)
def test_models_know_only_the_core(path: Path):
    assert inside(path, "compressor") <= CORE
    assert not any(name.startswith(("catzip.cli", "catzip.benchmarks")) for name in imported(path))


@pytest.mark.parametrize("path", of("models"), ids=lambda path: path.name)
def test_exact_inference_starts_without_torch(path: Path):
    may = path.stem in TORCH or path.parent.name == "training"
    assert may or "torch" not in tops(path, at_top=True)


@pytest.mark.parametrize("path", of("cli"), ids=lambda path: path.name)
def test_the_command_line_starts_without_torch(path: Path):
    assert "torch" not in tops(path, at_top=True)
