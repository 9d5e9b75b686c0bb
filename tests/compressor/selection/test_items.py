"""Arrays of items through the pipeline: whole items in a frame, models that fit, and what is said where none does."""

import io
import random
import re

import numpy as np
import pytest
from helpers import MODELS, TEXT, ItemModel, Models, Pipe, TableModel, compress, decompress, npy
from hypothesis import given, settings
from hypothesis import strategies as st

from catzip.compressor.errors import ModelMismatchError, UnsuitableContentError
from catzip.compressor.media.array import ArrayHeader
from catzip.compressor.pipeline import compress_stream, list_frames, read_range
from catzip.compressor.selection import chooser, probing

ITEM = 12  # bytes


def letters(items: int) -> np.ndarray:
    """Items [items, 4, 3] that the table models code well, and LZMA does not."""
    return np.array(random.Random(3).choices(TEXT.encode(), k=ITEM * items), np.uint8).reshape(items, 4, 3)


ARRAY = npy(letters(50))
HEADER = ArrayHeader.read(ARRAY).size
OTHER = npy(np.zeros((5, 7, 3), np.uint8))


def frames_of(blob: bytes):
    return list_frames(io.BytesIO(blob)).frames


def piped(data: bytes, model: str | None = "table-array", **options) -> bytes:
    out = io.BytesIO()
    compress_stream(Pipe(data, 100), out, models=MODELS, model=model, **options)
    return out.getvalue()


@pytest.mark.parametrize("frame_size", [139, 140, 151, 152, 300, 10_100, 1 << 24])
@pytest.mark.parametrize("model", [None, "table-array"])
def test_frames_hold_whole_items(model: str | None, frame_size: int):
    """But if the header and one item are too long for a frame: 140 bytes."""
    data = npy(letters(2000))
    blob = compress(data, model=model, frame_size=frame_size)
    assert decompress(blob) == data
    assert piped(data, model, frame_size=frame_size) == blob
    frames = frames_of(blob)
    assert all(frame.length <= frame_size for frame in frames if frame.kind != "stored")
    if frame_size >= 140:
        assert all((frame.start + frame.length - HEADER) % ITEM == 0 for frame in frames)
    for start in (0, HEADER - 5, 5_000, len(data) - 20):
        assert read_range(io.BytesIO(blob), start, 50, MODELS) == data[start : start + 50]


def test_the_header_is_no_symbol():
    (frame,) = frames_of(compress(ARRAY))
    assert (frame.medium, frame.symbols, frame.side > 0) == ("array", 600, True)
    first, *others = frames_of(compress(npy(letters(1989)), frame_size=6000))
    assert first.symbols == first.length - HEADER == 5868
    assert all(frame.symbols == frame.length and frame.side == 0 for frame in others)
    assert [frame.length for frame in others] == [6000, 6000, 6000]


def test_concatenated_arrays():
    blob = compress(ARRAY) + compress(OTHER) + compress(ARRAY, frame_size=300)
    assert decompress(blob) == ARRAY + OTHER + ARRAY


@settings(max_examples=40, deadline=None)
@given(
    items=st.integers(0, 60),
    tail=st.binary(max_size=30),
    cut=st.integers(0, 800),
    frame_size=st.integers(1, 900),
    version=st.sampled_from([(1, 0), (2, 0), (3, 0)]),
)
def test_restores_arrays_whole_cut_or_with_a_tail(
    items: int, tail: bytes, cut: int, frame_size: int, version: tuple[int, int]
):
    for data in ((array := npy(letters(items), version)), array + tail, array[:cut], array * 2):
        blob = compress(data, frame_size=frame_size)
        assert decompress(blob) == data
        assert len(blob) <= len(data) + 64
        assert piped(data, None, frame_size=frame_size) == blob or len(data) != len(array)


@pytest.mark.parametrize("items", [0, 1])
def test_arrays_of_nearly_nothing(items: int):
    data = npy(letters(items))
    assert decompress(compress(data, model="table-array")) == data


def test_items_may_look_random(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chooser, "looks_random", lambda data: True)
    assert [frame.kind for frame in frames_of(compress(ARRAY, frame_size=380))] == ["coded"] * 2
    assert frames_of(compress(OTHER, frame_size=150))[0].kind == "stored"


class Spy(ItemModel):
    """Notes how it is asked."""

    def __init__(self, name: str = "spy") -> None:
        super().__init__(name)
        self.probed: list[int] = []

    def nll(self, symbols, plan):
        self.probed.append(len(symbols))
        return super().nll(symbols, plan)


def test_the_first_model_of_the_shape_is_the_default():
    models = Models(TableModel(), Spy("first"), Spy("second"), default="table-bytes")
    (frame,) = frames_of(compress(ARRAY, models))
    assert frame.fingerprint == models.by_name("first").fingerprint
    for data in (OTHER, ARRAY + b"x", ARRAY[:-1], npy(letters(9).astype("<i4")), npy(letters(9)[0])):
        assert all(frame.medium != "array" for frame in frames_of(compress(data, models)))


def test_a_default_model_is_probed_with_whole_items(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probing, "_PROBE", 64)
    monkeypatch.setattr(chooser, "_TINY", 256)
    models = Models(Spy(), default=None)
    assert frames_of(compress(ARRAY, models))[0].kind == "coded"
    assert models.by_name("spy").probed == [180]
    noise = npy(np.frombuffer(random.Random(1).randbytes(6000), np.uint8).reshape(500, 4, 3))
    assert frames_of(compress(noise, models))[0].kind == "stored"


WRONG = {
    "text": (TEXT.encode(), "this is not an array in a .npy file"),
    "nothing": (b"", "this is not an array in a .npy file"),
    "other items": (OTHER, "this is an array of shape [5, 7, 3], uint8"),
    "one item": (npy(letters(1)[0]), "this is an array of shape [4, 3], uint8"),
    "one number": (npy(np.uint8(5)), "this is an array of shape [], uint8"),
    "other type": (npy(letters(5).astype("<f4")), "this is an array of shape [5, 4, 3], float32"),
    "other order": (
        npy(np.asfortranarray(letters(5))),
        "this is an array of shape [5, 4, 3], uint8, in Fortran order",
    ),
    "objects": (npy(letters(5))[:8] + b"\0\0", "this is not an array in a .npy file"),
    "cut": (ARRAY[:-7], "this is an array of shape [50, 4, 3], uint8, of which 7 bytes are missing"),
    "tail": (ARRAY + b"tail", "this is an array of shape [50, 4, 3], uint8, with 4 bytes behind its end"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("source", [io.BytesIO, Pipe])
def test_what_does_not_fit_a_named_model_is_explained(name: str, source):
    data, message = WRONG[name]
    out = io.BytesIO()
    expected = (
        f"{message}; the model table-array codes arrays of shape [N, 4, 3], uint8; "
        "leave the model (-m) out to have it chosen by the content"
    )
    with pytest.raises(UnsuitableContentError, match=f"^{re.escape(expected)}$"):
        compress_stream(source(data), out, models=MODELS, model="table-array")
    assert out.getvalue() == b"" or (source is Pipe and name in ("cut", "tail"))
    assert decompress(compress(data)) == data


def test_models_that_would_fit_are_named():
    class Wide(ItemModel):
        shape = (7, 3)

    models = Models(TableModel(), ItemModel(), Wide("wide"), Wide("wider"))
    with pytest.raises(UnsuitableContentError, match=r"; models for it: wide, wider$"):
        compress(OTHER, models, model="table-array")
    compress(OTHER, models, model="wider")
    compress(OTHER, models, model="table-bytes")  # codes anything


def test_steps_are_in_the_plan():
    plans = {}
    for steps in (None, 0, 3, 12):
        blob = compress(ARRAY, model="table-array", steps=steps)
        assert decompress(blob) == ARRAY
        plans[steps] = frames_of(blob)[0].plan
    assert plans == {None: (3, 120), 0: (0, 120), 3: (3, 120), 12: (0, 120)}


def test_steps_that_there_are_not():
    with pytest.raises(ModelMismatchError, match="3, 12"):
        compress(ARRAY, model="table-array", steps=4)
    with pytest.raises(ValueError, match="name of a model"):
        compress(ARRAY, steps=3)
