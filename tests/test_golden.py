"""The golden files: good ones decode for ever and are made the same for ever; bad ones raise their error.

`pytest tests/test_golden.py --set-exact-output` writes them anew.
"""

from pathlib import Path

import pytest
from golden_cases import GOOD, bad_files, error_of
from helpers import decompress

FOLDER = Path(__file__).parent / "golden"


def good_path(name: str) -> Path:
    return FOLDER / "good" / f"{name}.catz"


def bad_path(name: str) -> Path:
    return FOLDER / "bad" / f"{name}.catz"


BAD = bad_files({name: make(content) for name, (content, make) in GOOD.items()})


@pytest.mark.parametrize("name", GOOD)
def test_good_files_decode(name: str, set_exact_output: bool):
    content, make = GOOD[name]
    if set_exact_output:
        good_path(name).write_bytes(make(content))
    assert decompress(good_path(name).read_bytes()) == content


@pytest.mark.parametrize("name", ["empty", "one-byte", "stored", "coded-bytes"])
def test_good_files_are_made_the_same(name: str):
    """Those without LZMA2 in them: another liblzma may make another stream."""
    content, make = GOOD[name]
    assert make(content) == good_path(name).read_bytes()


@pytest.mark.parametrize("name", BAD)
def test_bad_files_raise_their_error(name: str, set_exact_output: bool):
    if set_exact_output:
        bad_path(name).write_bytes(BAD[name])
    with pytest.raises(error_of(name)) as caught:
        decompress(bad_path(name).read_bytes())
    assert caught.type is error_of(name)


def test_no_file_is_left_over():
    assert {path.stem for path in (FOLDER / "good").iterdir()} == set(GOOD)
    assert {path.stem for path in (FOLDER / "bad").iterdir()} == set(BAD)
