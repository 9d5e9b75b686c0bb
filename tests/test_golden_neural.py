"""The neural goldens: files decode to the same bytes for ever, on every backend; bad ones raise their error.

`pytest tests/test_golden_neural.py --set-exact-output` writes the files anew, those of the shipped models among them,
but not the weights of the tiny networks.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from backends import backend
from golden_networks import FOLDER, NETWORKS, weights
from golden_neural_cases import (
    BAD,
    GOOD,
    bad_file,
    coded,
    error_of,
    shipped_content,
)
from helpers import compress, decompress
from numpy.typing import NDArray
from tiny_models import SHIPPED

from catzip.compressor.errors import ModelNotFoundError
from catzip.models import checkpoint
from catzip.models.families.idf import colour
from catzip.models.registry import Registry

DEVICES = ("cpu", "torch", pytest.param("cuda", marks=pytest.mark.gpu))
REFRESH = "pytest tests/test_golden_neural.py --set-exact-output"


def path_of(kind: str, name: str) -> Path:
    return FOLDER / kind / f"{name}.catz"


@pytest.fixture(autouse=True)
def golden_networks(monkeypatch: pytest.MonkeyPatch, set_exact_output: bool):
    """The tiny networks are installed; where their weights are missing, they are made."""
    monkeypatch.setenv("CATZIP_MODELS", str(FOLDER / "models"))
    for name in NETWORKS:
        path = FOLDER / "models" / f"{name}.safetensors"
        if set_exact_output and not path.exists():
            checkpoint.save(path, weights(name))


@pytest.mark.parametrize("name", GOOD)
def test_good_files_are_made_the_same(name: str, set_exact_output: bool):
    """Teacher forcing makes the very bytes. (Prose as letters has a side stream, which another liblzma may change.)"""
    path, made = path_of("good", name), GOOD[name].make()
    if set_exact_output:
        path.write_bytes(made)
    if name != "text27-prose":
        assert made == path.read_bytes()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", GOOD)
def test_good_files_decode(name: str, device: str):
    backend(device)  # skips where there is none
    models = Registry(device, threads=2)
    assert decompress(path_of("good", name).read_bytes(), models) == GOOD[name].content


@pytest.mark.parametrize("name", BAD)
def test_bad_files_raise_their_error(name: str, set_exact_output: bool):
    path = path_of("bad", name)
    if set_exact_output:
        path.write_bytes(bad_file(name))
    with pytest.raises(error_of(name)) as caught:
        decompress(path.read_bytes(), Registry("cpu"))
    assert caught.type is error_of(name)


def test_bad_files_are_bad_for_their_one_fault():
    """Put together as they are, but without a fault, the parts make the good file."""
    assert coded(GOOD["bytes-segments"]).to_bytes() == path_of("good", "bytes-segments").read_bytes()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_have_a_golden_file(name: str, device: str, set_exact_output: bool):
    backend(device)
    models, path = Registry(device), path_of("shipped", name)
    content = shipped_content(models.by_name(name))
    if set_exact_output and device == "cpu":
        path.write_bytes(compress(content, models=models, model=name))
    if not path.exists():
        pytest.fail(
            f"the model {name} is shipped without a golden file: run {REFRESH}, and commit {path.name}"
        )
    if models.by_name(name).fingerprint not in path.read_bytes():
        pytest.fail(
            f"{path.name} was made with other weights of {name}: if they are to be replaced, run {REFRESH}"
        )
    assert decompress(path.read_bytes(), models) == content


def test_colour_transforms_and_chroma_offsets_are_in_a_golden_file(monkeypatch: pytest.MonkeyPatch):
    """Every number that a tile may have, so that none can change its meaning."""
    seen: dict[str, set[int]] = {"undo_rct": set(), "offset_chroma": set()}

    def recorded(name: str) -> Callable[[NDArray[np.uint8], NDArray[np.int32]], NDArray[np.uint8]]:
        undo = getattr(colour, name)

        def run(images: NDArray[np.uint8], by: NDArray[np.int32]) -> NDArray[np.uint8]:
            seen[name].update(by.ravel().tolist())
            return undo(images, by)

        return run

    for name in seen:
        monkeypatch.setattr(colour, name, recorded(name))
    decompress(path_of("good", "photo-coloured").read_bytes(), Registry("cpu"))
    assert seen["undo_rct"] == set(range(-8, 8)) and seen["offset_chroma"] == {
        -offset for offset in range(16)
    }


def test_every_golden_network_is_installed():
    for name in NETWORKS:
        found = Registry("cpu").by_name(name)
        assert Registry("cpu").by_fingerprint(found.fingerprint).name == name
    with pytest.raises(ModelNotFoundError):
        Registry("cpu").by_name("tiny-nothing")


def test_no_file_is_left_over():
    for kind, names in (("good", GOOD), ("bad", BAD), ("shipped", SHIPPED)):
        assert {path.stem for path in (FOLDER / kind).glob("*.catz")} == set(names)
    assert {path.stem for path in (FOLDER / "models").iterdir()} == set(NETWORKS)
