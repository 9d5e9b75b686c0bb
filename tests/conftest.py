"""The flag that refreshes the golden files."""

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
