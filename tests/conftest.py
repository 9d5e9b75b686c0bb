"""The flag that refreshes the golden files, and what tests of training put back."""

from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--set-exact-output",
        action="store_true",
        help="write the golden files anew instead of comparing with them; review the difference",
    )


@pytest.fixture
def set_exact_output(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return bool(request.config.getoption("--set-exact-output"))


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the weight files that are loaded, in order."""
    from catzip.models.families import table

    names: list[str] = []
    load = table.load

    def noted(path: Path, *rest: Any) -> object:
        names.append(path.stem)
        return load(path, *rest)

    monkeypatch.setattr(table, "load", noted)
    return names


@pytest.fixture
def trains(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training sets a switch for rounding; and settings of the C library, for processes that only train."""
    from catzip.models.layers.qat.modules import Rounding
    from catzip.models.training import loop

    monkeypatch.setattr(Rounding, "on", True)
    monkeypatch.setattr(loop.memory, "keep", lambda: None)
