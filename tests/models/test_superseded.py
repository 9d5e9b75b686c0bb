"""Weights that were replaced: a file coded with them names the release that has them, and decodes with them."""

import re
from pathlib import Path

import pytest
from golden_networks import FOLDER
from helpers import decompress

import catzip
from catzip.compressor.errors import ModelNotFoundError
from catzip.models import superseded
from catzip.models.registry import Registry
from catzip.models.superseded import SUPERSEDED, Superseded

FILES = FOLDER / "superseded"
CHANGES = (Path(catzip.__file__).parent / "CHANGELOG.md").read_text(encoding="utf-8")


def numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


@pytest.mark.parametrize("fingerprint", SUPERSEDED)
def test_a_file_of_replaced_weights_names_the_release_that_has_them(fingerprint: str):
    found = SUPERSEDED[fingerprint]
    blob = (FILES / f"{found.model}-{fingerprint}.catz").read_bytes()
    assert bytes.fromhex(fingerprint) in blob
    with pytest.raises(ModelNotFoundError, match=f"{fingerprint}.*{found.model} of catzip {found.release}"):
        decompress(blob, Registry("cpu"))


@pytest.mark.parametrize("fingerprint", SUPERSEDED)
def test_the_changelog_names_them(fingerprint: str):
    release = SUPERSEDED[fingerprint].release
    assert numbers(release) < numbers(catzip.__version__)
    later, of_release, _ = re.split(
        rf"^(## {re.escape(release)} \(\d{{4}}-\d\d-\d\d)", CHANGES, flags=re.MULTILINE
    )
    assert of_release and fingerprint in later


def test_no_file_is_left_over():
    names = {f"{found.model}-{fingerprint}" for fingerprint, found in SUPERSEDED.items()}
    assert {path.stem for path in FILES.glob("*.catz")} == names


def test_replaced_weights_decode_where_they_are_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CATZIP_MODELS", str(FOLDER / "models"))
    fingerprint = Registry("cpu").by_name("tiny-bytes").fingerprint
    monkeypatch.setitem(superseded.SUPERSEDED, fingerprint.hex(), Superseded("tiny-bytes", "0.0.1"))
    blob = (FOLDER / "good" / "bytes-one-lane.catz").read_bytes()
    assert decompress(blob, Registry("cpu"))
    monkeypatch.delenv("CATZIP_MODELS")
    with pytest.raises(ModelNotFoundError, match=r"tiny-bytes of catzip 0\.0\.1"):
        decompress(blob, Registry("cpu"))
