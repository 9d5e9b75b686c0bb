"""Whatever rounding mode a process has, files are those of rounding to nearest, and the mode is left as it was."""

import ctypes
import platform
import threading
from collections.abc import Iterator

import native
import numpy as np
import pytest
from golden_networks import FOLDER
from helpers import compress
from tiny_models import flow, masked, mixed_text, model

import catzip
from catzip.compressor.coding import rounding
from catzip.compressor.coding.model import Model
from catzip.compressor.coding.stack import Stack
from catzip.compressor.errors import CatzipError
from catzip.models.backends.workers import Workers
from catzip.models.families.autoregressive.native_frame import NativeFrame

MODES = {
    "x86_64": {"upward": 0x800, "downward": 0x400, "toward zero": 0xC00},
    "aarch64": {"upward": 0x400000, "downward": 0x800000, "toward zero": 0xC00000},
}.get(platform.machine(), {})
TEXT = b"the cat sat on the mat and looked at the rain " * 20
pytestmark = pytest.mark.skipif(not MODES, reason="the modes of this processor are not known here")


def mode() -> int:
    return ctypes.CDLL(None).fegetround()


@pytest.fixture(params=MODES)
def other_mode(request: pytest.FixtureRequest) -> Iterator[int]:
    """Another mode than to nearest, in the thread of the test."""
    chosen = MODES[request.param]
    ctypes.CDLL(None).fesetround(chosen)
    try:
        assert mode() == chosen and not rounding.is_to_nearest()
        yield chosen
    finally:
        ctypes.CDLL(None).fesetround(0)


@pytest.fixture(scope="module")
def expected() -> dict[str, bytes]:
    """What the models below make where rounding is to nearest."""
    return {name: coded(found) for name, found in MODELS.items()}


MODELS: dict[str, Model] = {
    "bytes": model("bytes-refined", threads=2),
    "chunks": masked("letter-chunks", threads=2),
    "images": masked("images", threads=2),
    "flow": flow("flow", threads=2),
}


def content(found: Model) -> np.ndarray:
    if found.medium == "image":
        return (np.arange(24 * 20 * 3) * 7 % 251).astype(np.uint8)
    return mixed_text(found.alphabet, 960)


def coded(found: Model) -> bytes:
    symbols = content(found)
    plan = found.plan(len(symbols), shape=(24, 20, 3) if found.medium == "image" else ())
    return b"".join(stack.to_bytes() for stack in found.encode(symbols, plan))


def test_the_compiled_core_decodes_in_any_mode(
    other_mode: int, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
):
    """It is less easily misled than NumPy: so it is asked in which mode it runs, too."""
    seen, pop = [], NativeFrame._pop_steps

    def watched(*given) -> int:
        seen.append(rounding.is_to_nearest())
        return pop(*given)

    monkeypatch.setattr(NativeFrame, "_pop_steps", watched)
    found = native.model("bytes-refined", "generic")
    plan, stacks = found.plan(960), iter([Stack.from_bytes(expected["bytes"])])
    assert np.array_equal(found.decode(stacks, 960, plan), content(found))
    assert seen and all(seen) and mode() == other_mode


@pytest.mark.parametrize("name", MODELS)
def test_models_round_to_nearest_in_any_mode(name: str, other_mode: int, expected: dict[str, bytes]):
    assert coded(MODELS[name]) == expected[name]
    assert mode() == other_mode


def test_files_are_the_same_in_any_mode(other_mode: int, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CATZIP_MODELS", str(FOLDER / "models"))
    made = catzip.compress(TEXT, model="tiny-bytes")
    assert mode() == other_mode
    with catzip.open(tmp_path / "it.catz", "wb", "tiny-bytes") as file:
        file.write(TEXT)
    with catzip.open(tmp_path / "it.catz") as file:
        assert file.read() == TEXT
    assert catzip.decompress(made) == TEXT and mode() == other_mode
    ctypes.CDLL(None).fesetround(0)
    assert made == catzip.compress(TEXT, model="tiny-bytes") == (tmp_path / "it.catz").read_bytes()
    assert catzip.decompress(made) == TEXT


def test_each_thread_is_looked_at():
    """One of the pool whose mode something has changed after it was started."""
    workers, seen = Workers(2), []
    groups = [slice(0, 1), slice(1, 2)]
    gate = threading.Barrier(2)

    def spoil(i: int) -> None:
        gate.wait(10)
        if i:
            ctypes.CDLL(None).fesetround(next(iter(MODES.values())))

    def look(i: int) -> bool:
        gate.wait(10)
        seen.append(threading.get_ident())
        return rounding.is_to_nearest()

    workers.map(spoil, groups)
    assert workers.map(look, groups) == [True, True] and len(set(seen)) == 2
    workers.map(lambda i: ctypes.CDLL(None).fesetround(0) if i else None, groups)


def test_where_the_mode_cannot_be_set_it_is_refused(other_mode: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    with pytest.raises(CatzipError, match=r"does not round to nearest.*fesetround"):
        compress(TEXT)


def test_flushing_to_zero_does_not_matter(expected: dict[str, bytes]):
    torch = pytest.importorskip("torch")
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor has no such setting")
    try:
        assert np.float32(1e-38) * np.float32(0.1) == 0
        assert {name: coded(found) for name, found in MODELS.items()} == expected
    finally:
        torch.set_flush_denormal(False)


def test_nothing_is_set_where_rounding_is_to_nearest(
    monkeypatch: pytest.MonkeyPatch, expected: dict[str, bytes]
):
    monkeypatch.setattr(rounding, "_changed", None)
    assert coded(MODELS["bytes"]) == expected["bytes"]
