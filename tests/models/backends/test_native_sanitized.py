"""The core reads and writes its own memory alone, and does nothing that C leaves undefined: `make sanitize`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import TESTS

from catzip.models.backends.native import build

HERE = Path(__file__).parent
SEQUENCES, NETWORKS = HERE / "test_native.py", HERE.parent / "networks" / "test_native_masked.py"
NETWORK_FILES = HERE.parent / "families" / "test_native_ardm.py"
FLOWS, FLOW_FILES = HERE / "test_native_flows.py", HERE.parent / "families" / "test_native_idf.py"
DAMAGE = ("any_size", "threads", "damaged")
PARTS = {
    SEQUENCES: ("products", "norms", "pmfs", "tiny", "mixture", "outside", *DAMAGE),
    NETWORKS: ("pairs_are", "tiny", "any_size", "extreme", "no_symbol"),
    NETWORK_FILES: ("tiny", "threads", "damaged"),
    FLOWS: ("priors", "pmfs", "digits", "fits", "systems", *DAMAGE),
    FLOW_FILES: ("flows_make", "fitted", "too_much", *DAMAGE),
}
"""Tests of the core, by a part of their names: among them damaged files."""


def library(name: str) -> str:
    """Where the compiler has this library, or skips the test."""
    try:
        command = [*build.compiler(), f"-print-file-name={name}"]
    except build.BuildError as error:
        pytest.skip(str(error))
    found = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    if not os.path.isabs(found):
        pytest.skip(f"the compiler has no {name}")
    return found


@pytest.mark.skipif("CATZIP_SANITIZE" not in os.environ, reason="it takes many minutes: make sanitize")
@pytest.mark.parametrize("tests", PARTS, ids=lambda path: path.stem)
def test_the_sanitizers_find_nothing(tests: Path, tmp_path: Path):
    loaded = library("libasan.so")
    build.build(tmp_path / "core.so", build.SANITIZERS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-s",
        "-p",
        "sanitized_core",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, "-k", " or ".join(PARTS[tests]), str(tests)],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]),
            "PYTHONMALLOC": "malloc",
            "LD_PRELOAD": loaded,
            "ASAN_OPTIONS": "detect_leaks=0",
            "CATZIP_TEST_CORE": str(tmp_path / "core.so"),
        },
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "passed" in done.stdout and "skipped" not in done.stdout.splitlines()[-1]
