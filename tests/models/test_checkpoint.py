"""Weight files: what is written is read, the fingerprint is of what decides the PMFs, and damage is named."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file

from catzip.compressor.errors import CorruptError
from catzip.models import checkpoint
from catzip.models.checkpoint import Checkpoint, canonical_json

CONFIG = {
    "name": "it",
    "family": "autoregressive",
    "medium": "bytes",
    "model": {"width": 3, "ngrams": [[1, 8], [2, 9]]},
    "coding": {"rate": 15},
    "card": {"about": "café", "trained": {"minutes": 1.5}},
}
ARRAYS = {
    "b.weight": np.arange(-6, 6, dtype=np.int8).reshape(3, 4),
    "a.bias": np.array([1, -(2**31), 2**31 - 1], np.int32),
    "sigmoid": np.zeros(0, np.int32),
    "step": np.array([2.5], np.float32),
}
IT = Checkpoint(CONFIG, ARRAYS)
DECISIVE = ("family", "model", "coding")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "it.safetensors"
    checkpoint.save(path, IT)
    return path


def test_save_then_load(path: Path):
    found = checkpoint.load(path)
    assert found.fingerprint == IT.fingerprint and len(IT.fingerprint) == 8
    assert found.config == CONFIG | {"fingerprint": IT.fingerprint.hex()}
    assert found.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found.arrays[name].dtype == array.dtype
        assert np.array_equal(found.arrays[name], array)
    assert checkpoint.load_config(path) == found.config


def test_the_file_is_the_same_each_time(path: Path, tmp_path: Path):
    """One metadata key, canonical JSON: nothing in the file hangs on order or on chance."""
    other = tmp_path / "other.safetensors"
    backwards = {name: ARRAYS[name] for name in reversed(ARRAYS)}
    checkpoint.save(other, Checkpoint(dict(reversed(CONFIG.items())), backwards))
    assert other.read_bytes() == path.read_bytes()
    with safe_open(path, framework="numpy") as file:
        assert list(file.metadata()) == ["catzip"]


def test_saving_replaces_and_leaves_nothing_behind(path: Path):
    checkpoint.save(path, Checkpoint(CONFIG | {"name": "new"}, ARRAYS))
    assert checkpoint.load(path).config["name"] == "new"
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError])
def test_saving_that_is_interrupted_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
):
    """The new file is on the disk before it takes the place of the old one."""
    before = path.read_bytes()

    def interrupted(descriptor: int) -> None:
        raise stop

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(stop):
        checkpoint.save(path, Checkpoint(CONFIG | {"name": "new"}, ARRAYS))
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_the_fingerprint_is_fixed_for_ever():
    """Files name models by it: the same network must have the same one in every later release."""
    arrays = {name: array for name, array in ARRAYS.items() if name != "step"}
    assert Checkpoint(CONFIG, arrays).fingerprint == checkpoint_by_hand(arrays)


def checkpoint_by_hand(arrays: dict[str, np.ndarray]) -> bytes:
    """sha256 over the decisive configuration, then name, type, shape and little-endian content of each array."""
    decisive = {key: CONFIG.get(key) for key in DECISIVE}
    text = json.dumps(decisive, sort_keys=True, separators=(",", ":")).encode()
    for name in sorted(arrays):
        array = arrays[name]
        kind = {"int8": "i1", "int32": "i4"}[str(array.dtype)]
        text += json.dumps([name, kind, list(array.shape)], separators=(",", ":")).encode()
        text += b"".join(int(v).to_bytes(array.itemsize, "little", signed=True) for v in array.ravel())
    return hashlib.sha256(text).digest()[:8]


@pytest.mark.parametrize("name", ["name", "medium", "card"])
def test_a_better_description_does_not_move_the_fingerprint(name: str):
    assert Checkpoint(CONFIG | {name: {"other": 1}}, ARRAYS).fingerprint == IT.fingerprint


def changed(name: str, array: np.ndarray) -> Checkpoint:
    return Checkpoint(CONFIG, {**ARRAYS, name: array})


@pytest.mark.parametrize(
    "other",
    [
        Checkpoint(CONFIG | {"family": "other"}, ARRAYS),
        Checkpoint(CONFIG | {"model": {"width": 4, "ngrams": [[1, 8], [2, 9]]}}, ARRAYS),
        Checkpoint(CONFIG | {"coding": {"rate": 14}}, ARRAYS),
        changed("b.weight", ARRAYS["b.weight"] ^ 1),
        changed("b.weight", ARRAYS["b.weight"].reshape(4, 3)),
        changed("b.weight", ARRAYS["b.weight"].view(np.uint8)),
        changed("b.weight2", ARRAYS["b.weight"]),
        Checkpoint(CONFIG, {name: ARRAYS[name] for name in ("a.bias", "sigmoid")}),
    ],
    ids=["family", "network", "mixture", "one bit", "shape", "type", "another array", "fewer arrays"],
)
def test_whatever_decides_the_pmfs_moves_the_fingerprint(other: Checkpoint):
    assert other.fingerprint != IT.fingerprint


def test_the_fingerprint_does_not_hang_on_how_arrays_lie_in_memory():
    swapped = ARRAYS["a.bias"].astype(">i4")
    assert changed("a.bias", swapped).fingerprint == IT.fingerprint
    assert changed("b.weight", np.asfortranarray(ARRAYS["b.weight"])).fingerprint == IT.fingerprint


@settings(max_examples=40, deadline=None)
@given(at=st.floats(0, 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed(tmp_path_factory: pytest.TempPathFactory, at: float, bit: int):
    """In the header, in the configuration that decides or in the weights; only the description may change."""
    path = tmp_path_factory.getbasetemp() / "flipped.safetensors"
    checkpoint.save(path, IT)
    data = bytearray(path.read_bytes())
    data[min(int(at * len(data)), len(data) - 1)] ^= 1 << bit
    path.write_bytes(data)
    try:
        found = checkpoint.load(path)
    except CorruptError as error:
        assert str(path) in str(error)
    else:
        assert found.fingerprint == IT.fingerprint and found.config != CONFIG


@pytest.mark.parametrize("size", [0, 4, 8, 100, -1])
def test_a_cut_file_is_named(path: Path, size: int):
    path.write_bytes(path.read_bytes()[:size])
    for read in (checkpoint.load, checkpoint.load_config):
        with pytest.raises(CorruptError, match=r"it\.safetensors: not a catzip weight file"):
            read(path)


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"format": "pt"},
        {"catzip": "not json"},
        {"catzip": "[1, 2]"},
        {"catzip": "3"},
        {"catzip": "{}"},
        {"catzip": '{"family": "autoregressive", "model": {}}'},
    ],
    ids=["none", "another's", "no JSON", "a list", "a number", "empty", "no fingerprint"],
)
def test_weights_of_another_tool_are_named(tmp_path: Path, metadata: dict[str, str] | None):
    path = tmp_path / "other.safetensors"
    save_file({"x": np.zeros(3, np.float32)}, path, metadata=metadata)
    for read in (checkpoint.load, checkpoint.load_config):
        with pytest.raises(CorruptError, match=r"other\.safetensors: not a catzip weight file"):
            read(path)


def test_weights_that_are_not_what_they_claim(tmp_path: Path):
    path = tmp_path / "it.safetensors"
    config = CONFIG | {"fingerprint": "00" * 8}
    save_file({"a": np.zeros(3, np.int8)}, path, metadata={"catzip": canonical_json(config).decode()})
    assert checkpoint.load_config(path)["fingerprint"] == "00" * 8
    with pytest.raises(CorruptError, match="do not have the fingerprint they claim"):
        checkpoint.load(path)


def test_canonical_json_has_one_spelling():
    assert canonical_json({"b": [1, 2.5], "a": "é"}) == b'{"a":"\\u00e9","b":[1,2.5]}'
