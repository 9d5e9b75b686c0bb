"""Imports point one way, as docs/ARCHITECTURE.md draws it, in no circle; and each foreign library has one owner."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import catzip

ROOT = Path(catzip.__file__).parent
OUTSIDE = {"tests", "examples", "build", "dist", ".venv"}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
    if path.relative_to(ROOT).parts[0] not in OUTSIDE
}
TRAINING = {"training", "qat", "masks", "orders", "softening"}  # of a family's folder
SHARED = {"compressor.errors"}  # what everything may import
TORCH = {"models.backends.torch"}  # outside training; exact inference else runs on NumPy


def drawn() -> dict[str, set[str]]:
    """The arrows of docs/ARCHITECTURE.md: room -> rooms that it imports."""
    picture = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8").split("```")[1]
    arrows: dict[str, set[str]] = {}
    for line in picture.splitlines():
        if "->" in line:
            left, rest = line.split("->")
            arrows.setdefault(left.strip(), set()).update(right.strip() for right in rest.split(","))
    return arrows


ARROWS = drawn()
ROOMS = sorted({*ARROWS, *(room for rooms in ARROWS.values() for room in rooms)}, key=len, reverse=True)


def room_of(module: str) -> str:
    """The room of a module: the longest name of the picture that it lies in."""
    parts = module.split(".")
    if parts[0] == "models" and ("qat" in parts or (parts[1:2] == ["families"] and parts[-1] in TRAINING)):
        return "models.training"
    return next((room for room in ROOMS if module == room or module.startswith(f"{room}.")), "catzip")


@cache
def imported(module: str) -> frozenset[str]:
    """What a module imports at run time, at the top or in a function: modules of catzip, and the top of all others."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for_types = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    nodes = (node for node in ast.walk(tree) if id(node) not in for_types)
    return frozenset(name for node in nodes for name in names(module, node))


def names(module: str, node: ast.AST) -> Iterator[str]:
    """What one statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield (node.module or "").split(".")[0]
    elif isinstance(node, ast.ImportFrom):
        package = list(MODULES[module].relative_to(ROOT).parts[:-1])
        base = [*package[: len(package) - node.level + 1], *([node.module] if node.module else [])]
        for alias in node.names:
            full = ".".join([*base, alias.name])
            yield full if full in MODULES else ".".join(base) or "__init__"


def inside(module: str) -> set[str]:
    """The modules of catzip that one imports."""
    return {name for name in imported(module) if name in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_arrows(module: str) -> None:
    here = room_of(module)
    if here == "catzip":  # the public face
        return
    allowed = {here, *ARROWS.get(here, set())}
    wrong = {name for name in inside(module) - SHARED if room_of(name) not in allowed and name != "__init__"}
    assert not wrong, f"{here} may import {sorted(allowed)}"


def test_every_arrow_is_used() -> None:
    used = {(room_of(module), room_of(name)) for module in MODULES for name in inside(module)}
    assert {(left, right) for left, rooms in ARROWS.items() for right in rooms} <= used


def test_no_module_is_part_of_a_circle() -> None:
    left = {module: inside(module) - {module} for module in MODULES}
    while ready := [module for module, needs in left.items() if not needs & left.keys()]:
        for module in ready:
            del left[module]
    assert not left


def test_no_room_imports_what_imports_it() -> None:
    below = {room: set(rooms) for room, rooms in ARROWS.items()}
    for _ in ROOMS:
        for room, rooms in below.items():
            below[room] = rooms.union(*(below.get(each, set()) for each in rooms))
    assert not [room for room, rooms in below.items() if room in rooms]


@pytest.mark.parametrize("module", MODULES)
def test_foreign_libraries_have_one_owner(module: str) -> None:
    found = imported(module)
    assert "constriction" not in found or module == "compressor.coding.stack"
    assert "safetensors" not in found or module == "models.checkpoint"
    assert "msgspec" not in found or module == "models.schema"
    assert "click" not in found or room_of(module) in ("cli", "commands")
    may = (
        room_of(module) == "models.training"
        or module in TORCH
        or room_of(module) in ("benchmarks", "commands")
    )
    assert "torch" not in found or may or module == "models.registry"


def trains(module: str) -> bool:
    """Whether it is for training, or a study of it."""
    return room_of(module) == "models.training" or module.startswith("benchmarks.studies.")


@pytest.mark.parametrize("module", [each for each in MODULES if not trains(each)])
def test_nothing_but_training_starts_with_torch(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    assert module in TORCH or "torch" not in {name for node in tree.body for name in names(module, node)}
