"""--fast, --best and threads: which model the content gets by default, and what it is spared."""

import io
import random
import threading
from collections.abc import Callable

import numpy as np
import pytest
from clitools import catzip as command
from helpers import MODELS, ItemModel, Models, compress, decompress, npy
from test_items import ARRAY

import catzip
from catzip.compressor.format import lzma2
from catzip.compressor.pipeline import list_frames
from catzip.compressor.selection import chooser
from catzip.models.registry import Registry

TEXT = b"The quick brown fox jumps over the lazy dog, says the Times.\n" * 9
NOISE = npy(np.frombuffer(random.Random(1).randbytes(6000), np.uint8).reshape(500, 4, 3))


def model_of(blob: bytes) -> str:
    (frame,) = list_frames(io.BytesIO(blob)).frames
    return Registry("cpu").by_fingerprint(frame.fingerprint).name


@pytest.mark.parametrize(
    ("effort", "model"), [("default", "ar-bytes"), ("fast", "ar-bytes-s"), ("best", "ar-bytes")]
)
def test_the_effort_chooses_the_model_of_bytes(effort: str, model: str):
    blob = catzip.compress(TEXT, effort=effort)
    assert model_of(blob) == model and catzip.decompress(blob) == TEXT
    assert blob == catzip.compress(TEXT, model)


def test_the_options_of_the_command_are_these(tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT)
    for option, effort in (("--fast", "fast"), ("--best", "best")):
        blob = command("compress", "-c", option, "a.txt", cwd=tmp_path).stdout
        assert blob == catzip.compress(TEXT, effort=effort)
    done = command("compress", "-c", "--best", "--fast", "a.txt", cwd=tmp_path, code=2)
    assert "--fast and --best exclude each other" in done.stderr and done.stdout == b""


@pytest.mark.parametrize("option", ["--fast", "--best"])
def test_a_model_and_an_effort_exclude_each_other(option, tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT)
    done = command("compress", option, "-m", "ar-bytes", "a.txt", cwd=tmp_path, code=2)
    assert f"Leave out -m ar-bytes or {option}" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    with pytest.raises(ValueError, match="for the choice of a model"):
        catzip.compress(TEXT, "ar-bytes", effort="fast")
    with pytest.raises(ValueError, match="for the choice of a model"):
        catzip.open(tmp_path / "a.catz", "wb", "ar-bytes", effort="best")


def test_another_effort_is_refused():
    with pytest.raises(ValueError, match="fast, default, best are possible"):
        catzip.compress(TEXT, effort="faster")


class Gloomy(ItemModel):
    """Expects nothing of itself."""

    def nll(self, symbols, plan):
        return 1e9


def test_to_be_thorough_is_not_to_probe(monkeypatch: pytest.MonkeyPatch):
    """A model that promises nothing is tried all the same, and so is content that looks random."""
    monkeypatch.setattr(chooser, "_TINY", 256)
    monkeypatch.setattr(chooser, "looks_random", lambda data: True)
    models = Models(Gloomy("gloomy"), default=None)
    kinds = {}
    for models.thorough in (False, True):
        blob = compress(ARRAY, models)
        kinds[models.thorough] = list_frames(io.BytesIO(blob)).frames[0].kind
        assert decompress(blob, models) == ARRAY
    assert kinds == {False: "xz", True: "coded"}


def test_to_be_thorough_costs_nothing_where_nothing_helps(monkeypatch: pytest.MonkeyPatch):
    thorough = Models(*MODELS.models, default="table-bytes")
    thorough.thorough = True
    assert len(compress(NOISE, thorough)) == len(compress(NOISE))


class Starter(ItemModel):
    """Says when it is coding."""

    def __init__(self) -> None:
        super().__init__("starter")
        self.coding = threading.Event()

    def encode(self, symbols, plan):
        self.coding.set()
        return super().encode(symbols, plan)


def xz_that(does: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have xz do so before it makes a frame of ARRAY, and not a side stream."""
    plain = lzma2.compress
    monkeypatch.setattr(
        chooser.lzma2,
        "compress",
        lambda data, *more: (does() if data == ARRAY else None, plain(data, *more))[1],
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_xz_is_made_beside_the_coding_if_there_may_be_a_second_thread(
    threads: int, monkeypatch: pytest.MonkeyPatch
):
    models, met = Models(model := Starter()), list[bool]()
    models.threads = threads
    here = threading.current_thread()
    in_turn = threads == 1  # then in this very thread, before there is any coding
    xz_that(
        lambda: met.append(
            (threading.current_thread() is here and not model.coding.is_set())
            if in_turn
            else model.coding.wait(20)
        ),
        monkeypatch,
    )
    blob = compress(ARRAY, models)
    assert met == [True]
    assert list_frames(io.BytesIO(blob)).frames[0].kind == "coded" and decompress(blob, models) == ARRAY


class Faulty(ItemModel):
    """Cannot code."""

    def encode(self, symbols, plan):
        raise MemoryError("no room")


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_of_either_comes_out(threads: int, monkeypatch: pytest.MonkeyPatch):
    """An error of the model comes at once, with xz still at work; one of xz when it is asked for."""
    models, goes_on = Models(Faulty()), threading.Event()
    models.threads = threads
    if threads > 1:
        xz_that(lambda: goes_on.wait(20), monkeypatch)
    with pytest.raises(MemoryError, match="no room"):
        compress(ARRAY, models)
    goes_on.set()
    models = Models(ItemModel())
    models.threads = threads
    xz_that(lambda: 1 // 0, monkeypatch)
    with pytest.raises(ZeroDivisionError):
        compress(ARRAY, models)


def test_the_model_is_chosen_by_all_of_a_frame() -> None:
    """Text that begins as text8 does, and goes on otherwise."""
    asked: list[bytes] = []

    class Asked(Models):
        def default_for(self, content: bytes) -> str | None:
            asked.append(content)
            return super().default_for(content)

    content = b"only small letters " * 5000 + b"And Others. "
    compress(content, Asked(*MODELS.models, default="table-bytes"))
    assert asked == [content]
