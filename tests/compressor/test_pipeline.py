"""Streams go through the pipeline and come back, small, in bounded memory."""

import errno
import io
import lzma
import random
import tracemalloc

import numpy as np
import pytest
from helpers import MODELS, TEXT, Models, Pipe, TableModel, compress, decompress
from hypothesis import given, settings
from hypothesis import strategies as st

from catzip.compressor import encoder
from catzip.compressor.errors import CatzipError, ModelNotFoundError
from catzip.compressor.pipeline import compress_stream, decompress_stream, list_frames, read_range
from catzip.compressor.selection import chooser, probing

PROSE = TEXT.encode()


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


CONTENTS = {
    "empty": b"",
    "one byte": b"x",
    "prose": PROSE,
    "noise": noise(20_000),
    "zeros": bytes(300_000),
    "one line": b"the same line\n" * 9_000,
    "mixed": PROSE * 20 + noise(3_000) + bytes(5_000) + PROSE[:200],
}


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("model", [None, "table-bytes", "table-text27"])
@pytest.mark.parametrize("frame_size", [4_096, encoder.FRAME_SIZE])
def test_restores(name: str, model: str | None, frame_size: int):
    data = CONTENTS[name]
    blob = compress(data, model=model, frame_size=frame_size)
    assert decompress(blob) == data
    assert len(blob) <= len(data) + 64
    if frame_size >= len(data):
        assert len(blob) <= len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)) + 64
    seekless = io.BytesIO()
    report = compress_stream(Pipe(data, 1000), seekless, models=MODELS, model=model, frame_size=frame_size)
    assert seekless.getvalue() == blob
    assert list_frames(io.BytesIO(blob)) == report
    for start in (0, len(data) // 2, len(data)):
        assert read_range(io.BytesIO(blob), start, 50, MODELS) == data[start : start + 50]


@settings(max_examples=30, deadline=None)
@given(
    parts=st.lists(
        st.one_of(st.binary(max_size=90), st.integers(0, 60).map(lambda n: PROSE[: 9 * n])), max_size=8
    ),
    frame_size=st.integers(1, 500),
    model=st.sampled_from([None, "table-bytes", "table-text27"]),
)
def test_restores_anything(parts: list[bytes], frame_size: int, model: str | None):
    data = b"".join(parts)
    blob = compress(data, frame_size=frame_size, model=model)
    assert decompress(blob) == data
    assert len(blob) <= len(data) + 64


@pytest.mark.parametrize(
    ("name", "limit"), [("empty", 12), ("one byte", 24), ("zeros", 150), ("one line", 150)]
)
def test_simple_content_is_small(name: str, limit: int):
    assert len(compress(CONTENTS[name])) <= limit


def test_a_model_may_be_kept_where_xz_is_smaller():
    """Each frame that it codes; noise, which it does not shrink, is stored."""
    data = b"the same line\n" * 900 + noise(4_000)
    kept, least = (
        compress(data, model="table-bytes", frame_size=4_200, keep_model=keep) for keep in (True, False)
    )
    kinds = [[frame.kind for frame in list_frames(io.BytesIO(blob)).frames] for blob in (kept, least)]
    assert kinds == [["coded"] * 3 + ["stored"], ["xz"] * 3 + ["stored"]]
    assert decompress(kept) == data and len(kept) > len(least)
    with pytest.raises(ValueError, match="name of a model"):
        compress(data, keep_model=True)


def test_coded_overhead_is_at_most_40_bytes():
    blob = compress(PROSE, model="table-bytes")
    (frame,) = list_frames(io.BytesIO(blob)).frames
    model = MODELS.by_name("table-bytes")
    assert frame.kind == "coded"
    bits = model.nll(np.frombuffer(PROSE, np.uint8), model.plan(len(PROSE)))
    assert len(blob) - bits / 8 <= 40 + 3 * 4 + 7  # the heads of three stacks; the plan, and two lengths


def test_runs_of_noise_are_one_stored_frame():
    data = PROSE + noise(1000) + PROSE * 2 + noise(90)
    blob = compress(data, frame_size=len(PROSE), model="table-bytes")
    kinds = [frame.kind for frame in list_frames(io.BytesIO(blob)).frames]
    assert kinds == ["coded", "stored", "coded", "stored"] or kinds == ["coded", "stored"]
    assert decompress(blob) == data


def test_pipes_hold_stored_content_in_pieces(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(encoder, "PIECE_SIZE", 1 << 10)
    for size in (100, 1000, 1024, 1025, 5000, 8192, 10_001):
        data = noise(size)
        out = io.BytesIO()
        compress_stream(Pipe(data, 333), out, models=MODELS, frame_size=300)
        blob = out.getvalue()
        assert decompress(blob) == data
        assert len(blob) <= size + 30 + size // 1024


class Nowhere:
    """Takes output and forgets it."""

    def write(self, data: bytes) -> None:
        pass


@pytest.mark.parametrize("source", [io.BytesIO, Pipe])
def test_memory_is_bounded(source, monkeypatch: pytest.MonkeyPatch):
    """132 frames of noise and zeros: no more is held than a piece and a few frames."""
    monkeypatch.setattr(encoder, "PIECE_SIZE", 1 << 20)
    src = source(noise(1 << 18) * 128 + bytes(1 << 20))
    tracemalloc.start()
    compress_stream(src, Nowhere(), models=MODELS, frame_size=1 << 18)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 3 << 23  # of 33 MiB; most of it is that of two xz encoders, of a frame and of samples


def test_progress_goes_up_to_the_end():
    data = PROSE * 3 + noise(500)
    seen: list[tuple[int, int | None]] = []
    compress(data, frame_size=400, model="table-bytes", progress=lambda *step: seen.append(step))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[0] == (0, len(data))
    assert seen[-1] == (len(data), len(data))


@pytest.mark.parametrize(("source", "known"), [(io.BytesIO, True), (Pipe, False)])
def test_progress_of_decompression_goes_up_to_the_end(source, known: bool):
    data = PROSE * 3 + noise(500)
    blob = compress(data, frame_size=400)
    seen: list[tuple[int, int | None]] = []
    decompress_stream(source(blob), io.BytesIO(), models=MODELS, progress=lambda *step: seen.append(step))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (len(data), len(data) if known else None)


def test_total_of_a_pipe_is_the_hint():
    seen: list[tuple[int, int | None]] = []
    for hint in (None, 5):
        compress_stream(
            Pipe(b"12345"), io.BytesIO(), models=MODELS, size_hint=hint, progress=lambda *s: seen.append(s)
        )
    assert {total for _, total in seen} == {None, 5}


def test_source_is_read_from_where_it_stands():
    src = io.BytesIO(b"skip" + noise(300))
    src.seek(4)
    out = io.BytesIO()
    compress_stream(src, out, models=MODELS, frame_size=100)
    assert decompress(out.getvalue()) == noise(300)


class Endless(io.BytesIO):
    """As files in /proc: one can seek, but not to the end."""

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 2:
            raise OSError(errno.EINVAL, "Invalid argument")
        return super().seek(offset, whence)


@pytest.mark.parametrize("data", [PROSE, noise(300)])
def test_a_source_whose_end_cannot_be_sought_is_a_pipe(data: bytes):
    out = io.BytesIO()
    compress_stream(Endless(data), out, models=MODELS, frame_size=100)
    assert decompress(out.getvalue()) == data


def test_plan_can_be_chosen():
    blob = compress(PROSE, model="table-bytes", plan_for=lambda model, count, shape: (50,))
    assert blob != compress(PROSE, model="table-bytes")
    assert decompress(blob) == PROSE


def test_without_a_model():
    assert decompress(compress(PROSE, Models())) == PROSE
    with pytest.raises(ModelNotFoundError):
        compress(PROSE, Models(), model="table-bytes")
    with pytest.raises(ModelNotFoundError):
        decompress(compress(PROSE, model="table-bytes"), Models())


class Counting(TableModel):
    """Counts how many symbols it codes."""

    coded = 0

    def encode(self, symbols, plan):
        Counting.coded += len(symbols)
        yield from super().encode(symbols, plan)


def test_a_model_that_will_lose_is_not_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probing, "_PROBE", 64)
    monkeypatch.setattr(chooser, "_TINY", 256)
    models = Models(Counting(), default="table-bytes")
    compress(bytes(10_000), models)
    compress(noise(10_000), models)
    assert Counting.coded == 0
    compress(PROSE, models)
    assert Counting.coded == len(PROSE)


def test_an_explicit_model_is_always_run():
    Counting.coded = 0
    compress(noise(2_000), Models(Counting()), model="table-bytes")
    assert Counting.coded > 0


def test_a_medium_that_does_not_suit_is_not_tried():
    assert not chooser.fits(MODELS.by_name("table-text27"), noise(4_000))
    assert chooser.fits(MODELS.by_name("table-text27"), PROSE)


def test_noise_is_recognised():
    assert chooser.looks_random(noise(100_000))
    assert not chooser.looks_random(PROSE * 100)
    assert not chooser.looks_random(noise(50_000) + PROSE * 200)


def test_frame_sizes_have_limits():
    for size in (0, (1 << 26) + 1):
        with pytest.raises(ValueError, match="frame size"):
            compress(b"", frame_size=size)


def test_a_source_that_shrinks_is_an_error():
    class Shrinking(io.BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            if self.tell() == 900:
                self.truncate(500)
            return super().seek(offset, whence)

    src = Shrinking(noise(900))
    with pytest.raises(CatzipError):
        compress_stream(src, io.BytesIO(), models=MODELS, frame_size=300, size_hint=900)
