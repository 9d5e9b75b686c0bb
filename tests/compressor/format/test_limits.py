"""What decoding may take: work, output and memory, and what a frame may claim for its bytes."""

import io
import tracemalloc

import bombs
import numpy as np
import packing
import pytest
from helpers import MODELS, Models, TableModel, compress
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tiny_models import SHIPPED, flow, masked, model

from catzip.compressor.coding.model import Model, Needs, Plan
from catzip.compressor.coding.stack import Stack
from catzip.compressor.decompress import decompress_stream
from catzip.compressor.encoder import Encoder
from catzip.compressor.errors import CorruptError, LimitError
from catzip.compressor.format import container, lzma2, payload
from catzip.compressor.format.container import CODED, XZ, Head
from catzip.compressor.format.limits import CREDIT, UNLIMITED, Limits, Meter, allowance, machine_memory
from catzip.compressor.format.reader import Reader
from catzip.compressor.media import MEDIA
from catzip.compressor.media.raster import Raster
from catzip.compressor.pipeline import list_frames, read_range
from catzip.models.registry import Registry

DATA = b"The cat sat on the mat. " * 40


class Slow(TableModel):
    """A model that says that a symbol takes a unit of work, or more."""

    def __init__(self, each: int = 1) -> None:
        super().__init__("slow", segment=1 << 12)
        self.each = each
        self.decoded = 0

    def needs(self, count: int, plan: Plan) -> Needs:
        return Needs(self.each * count, 5 << 20)

    def decode(self, stacks, count: int, plan: Plan) -> NDArray[np.uint8]:
        self.decoded += count
        return super().decode(stacks, count, plan)


def decoded(blob: bytes, models: Models, limits: Limits | None = None) -> bytes:
    out = io.BytesIO()
    decompress_stream(io.BytesIO(blob), out, models=models, limits=limits)
    return out.getvalue()


def zeros(slow: Slow, *counts: int) -> bytes:
    """A file of frames of so many zeros."""
    frames = [bombs.coded(slow, n, slow.plan(n), content=bytes(n)) for n in counts]
    return bombs.member(list(zip(frames, counts, strict=True)))


def test_a_frame_that_asks_for_too_much_work_is_not_begun():
    slow = Slow()
    blob = zeros(slow, CREDIT + 2000)
    with pytest.raises(
        LimitError, match=r"would take about 15 s .* --max-output SIZE \(max_size in Python\)"
    ):
        decoded(blob, Models(slow))
    with pytest.raises(LimitError, match="15 s"):
        read_range(io.BytesIO(blob), 0, 1, Models(slow))
    assert slow.decoded == 0


@pytest.mark.parametrize("output", [CREDIT + 2000, UNLIMITED])
def test_who_says_how_much_it_may_be_lets_it_take_its_time(output: int):
    slow = Slow()
    assert decoded(zeros(slow, CREDIT + 2000), Models(slow), Limits(output)) == bytes(CREDIT + 2000)


def test_frames_share_what_they_may_take_beyond_their_bytes():
    slow = Slow()
    half = CREDIT // 2
    assert decoded(zeros(slow, half, half), Models(slow)) == bytes(2 * half)
    with pytest.raises(LimitError):
        decoded(zeros(slow, half, half, half), Models(slow))
    with pytest.raises(LimitError):
        decoded(zeros(slow, half) * 3, Models(slow))


def test_bytes_of_one_frame_do_not_pay_for_another():
    meter = Meter()
    meter.charge(0, 1 << 20)
    assert meter.admits(CREDIT, 0) and not meter.admits(CREDIT + 1, 0)
    assert meter.admits(allowance(1 << 20), 1 << 20)


def test_the_encoder_makes_nothing_that_takes_more():
    """Nor do several frames of it in all; another's plans are its own affair."""
    slow = Slow(2)
    text = slow.sample(1500, None, np.random.RandomState(0)).tobytes()
    blob = compress(text, Models(slow), model="slow", frame_size=7000)
    kinds = [frame.kind for frame in list_frames(io.BytesIO(blob)).frames]
    assert kinds == ["coded", "xz", "xz", "xz", "coded"]  # the last is short
    assert decoded(blob, Models(slow)) == text
    free = compress(
        text, Models(slow), model="slow", frame_size=7000, plan_for=lambda model, n, _: model.plan(n)
    )
    assert {frame.kind for frame in list_frames(io.BytesIO(free)).frames} == {"coded"}


@pytest.mark.parametrize(
    "data", [DATA, np.random.RandomState(0).bytes(3000), bytes(5000)], ids=["coded", "stored", "xz"]
)
def test_no_more_is_written_than_may_be(data: bytes):
    blob = compress(data)
    assert decoded(blob, MODELS, Limits(len(data))) == data
    out = io.BytesIO()
    with pytest.raises(LimitError, match=f"larger than {len(data) - 1} bytes"):
        decompress_stream(io.BytesIO(blob + blob), out, models=MODELS, limits=Limits(len(data) - 1))
    assert len(out.getvalue()) < len(data)
    with pytest.raises(LimitError):
        read_range(io.BytesIO(blob), 10, 50, MODELS, limits=Limits(49))
    assert read_range(io.BytesIO(blob), 10, 50, MODELS, limits=Limits(50)) == data[10:60]


def test_memory_is_refused_before_it_is_taken():
    slow = Slow()
    blob = zeros(slow, 1000)
    with pytest.raises(
        LimitError, match=r"takes about 6 MiB of memory .* limit is 5 MiB\. Raise it with --memlimit"
    ):
        decoded(blob, Models(slow), Limits(memory=5 << 20))
    assert slow.decoded == 0
    assert decoded(blob, Models(slow), Limits(memory=None)) == decoded(
        blob, Models(slow), Limits(memory=6 << 20)
    )


def test_so_is_that_of_xz():
    blob = bombs.member([(bombs.xz(1 << 24), 1 << 24)])
    with pytest.raises(LimitError, match="50 MiB"):
        decoded(blob, MODELS, Limits(memory=40 << 20))
    assert decoded(blob, MODELS, Limits(memory=50 << 20)) == bytes(1 << 24)


def test_so_is_that_of_packing_a_webp_again():
    pillow = pytest.importorskip("PIL.Image")
    noise = np.random.RandomState(1).randint(0, 256, (400, 1000, 3)).astype(np.uint8)
    file, blob = io.BytesIO(), io.BytesIO()
    pillow.fromarray(noise).save(file, "WEBP", lossless=True)
    content, how = packing.unpack(file.getvalue(), False)
    Encoder(Models()).encode(io.BytesIO(content), blob, method=how)
    with pytest.raises(LimitError, match="17 MiB"):
        decoded(blob.getvalue(), Models(), Limits(memory=16 << 20))
    assert decoded(blob.getvalue(), Models(), Limits(memory=18 << 20)).startswith(b"RIFF")


def test_the_machine_has_memory():
    found = machine_memory()
    assert found is None or 1 << 26 < found < 1 << 60


def test_a_limit_is_no_negative_number():
    with pytest.raises(ValueError, match="negative"):
        Limits(-1)


# What a frame may claim for its bytes.


def head_of(head: Head) -> Head | None:
    return container.read_head(Reader(io.BytesIO(head.to_bytes())))


@pytest.mark.parametrize(
    ("kind", "medium", "ratio"), [(XZ, None, lzma2.MAX_RATIO), (CODED, "bytes", container.MAX_RATIO)]
)
def test_a_frame_claims_only_so_much(kind: int, medium: str | None, ratio: int):
    fingerprint = b"12345678" if medium else None
    assert head_of(Head(kind, medium, fingerprint, 2 * ratio, 2)) is not None
    with pytest.raises(CorruptError, match="states 2 bytes of payload"):
        head_of(Head(kind, medium, fingerprint, 2 * ratio + 1, 2))


@pytest.mark.parametrize("length", [1, 300, 5000, 1 << 20, 1 << 22])
def test_lzma2_never_claims_more(length: int):
    assert lzma2.is_possible(len(lzma2.compress(bytes(length))), max(length, 300))


def test_a_side_stream_claims_only_so_much():
    side = lzma2.compress(bytes(1 << 16))
    numbers = b"\0\0\x80\x80\x04"  # no plan, nothing lost, 65536 bytes of side stream
    assert payload.unpack_front(numbers + bytes([8]) + side, 1 << 16).side_length == 1 << 16
    with pytest.raises(CorruptError, match="states 7 bytes"):
        payload.unpack_front(numbers + bytes([7]) + side, 1 << 16)


def test_rows_are_padded_by_three_bytes_at_most():
    for padding in range(6):
        descriptor = Raster(0, 2, 5, 3, padding).to_bytes()
        if padding <= 3:
            assert Raster.from_bytes(descriptor)[0].padding == padding
        else:
            with pytest.raises(CorruptError, match="of no image"):
                Raster.from_bytes(descriptor)


def test_a_lane_has_only_so_many_steps():
    """Honest plans have fewer than 200,000 for the most symbols that a frame can have."""
    letters = model("letters")
    assert len(letters.segment_sizes(1 << 18, (1, 1 << 17))) == 2
    with pytest.raises(CorruptError, match="cannot have segments"):
        letters.segment_sizes((1 << 18) + 1, (1, 1 << 17))


@pytest.mark.parametrize("name", SHIPPED)
@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 1 << 26) | st.integers(1, 4000))
def test_honest_plans_claim_no_more(name: str, count: int):
    """Even if all symbols cost nothing, the front and the lengths of segments are bytes enough for the content, which
    is up to 7 bytes for each symbol of an image."""
    coder = Registry("cpu", 1).by_name(name) if name not in _LOADED else _LOADED[name]
    _LOADED[name] = coder
    plan = coder.plan(count)
    front, _ = payload.pack(plan, 0, b"")
    least = len(front) + len(coder.segment_sizes(count, plan)) - 1
    assert count * (7 if coder.medium == "image" else 1) <= container.MAX_RATIO * least


_LOADED: dict[str, Model] = {}


# The estimates.


@pytest.mark.parametrize(
    ("name", "count", "plan"),
    [
        ("ar-bytes-s", 1 << 15, (1024, 16)),
        ("ardm-text8", 256 * 64, (5, 64)),
        ("ardm-cifar10", 21 * 3072, (5, 21)),
        ("idf-photo", 256 * 256, (256, 1, 256, 2, 2)),
        ("idf-cifar10", 42 * 3072, (42,)),
        ("idf-mnist", 167 * 784, (167,)),
    ],
)
def test_memory_is_estimated_as_it_is(name: str, count: int, plan: Plan):
    """Neither less than is used nor several times that."""
    coder = Registry("cpu", 1).by_name(name)
    stacks = [Stack() for _ in coder.segment_sizes(count, plan)]
    tracemalloc.start()
    coder.decode(iter(stacks), count, plan)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    estimate = coder.needs(count, plan).memory
    assert 0.9 * peak <= estimate + (1 << 20) and estimate <= 2 * peak + (1 << 20)


@pytest.mark.parametrize(
    "text",
    [b"a b " * 100_000, b"Hello, World " * 30_000, b"a, " * 100_000, b"a" + b"\n" * 3_000_000 + b"b"],
    ids=["words", "capitals", "commas", "gap"],
)
def test_memory_of_media_is_estimated_as_it_is(text: bytes):
    medium = MEDIA["text27"]
    symbols, side = medium.split(text)
    tracemalloc.start()
    assert medium.join(symbols, side, len(text)) == text
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.9 * peak <= medium.memory(len(symbols), len(text)) + (1 << 20) <= 4 * peak + (2 << 20)


def test_more_lanes_items_and_segments_are_more_work():
    letters, images, photo = model("letters"), masked("images"), flow("flow")
    assert letters.needs(4096, (1, 4096)).work > letters.needs(4096, (64, 64)).work > 16
    assert letters.needs(0, ()).work == images.needs(0, (0, 1)).work == 0
    assert images.needs(48, (0, 1)).work == 48  # a call for a dimension is a unit
    assert images.needs(96, (0, 1)).work == 96 > images.needs(96, (0, 2)).work
    assert images.needs(96 + 5, (0, 2)).work > images.needs(96, (0, 2)).work
    assert photo.needs(64 * 64, (64, 1, 8, 1)).work > 4 * photo.needs(64 * 64, (64, 1, 8, 32)).work


@pytest.mark.parametrize("name", ["ar-bytes", "ar-bytes-s", "ar-text8"])
def test_what_is_made_by_default_from_next_to_nothing_can_be_decoded(name: str):
    """Such as a small file of zeros, which takes no payload."""
    coder = Registry("cpu", 1).by_name(name)
    for count in (1, 300, 10_000, 1 << 15):
        assert Meter().admits(coder.needs(count, coder.plan(count)).work + 1, 10)


@pytest.mark.parametrize("name", ["ardm-cifar10", "ardm-upscale-cifar10", "idf-cifar10"])
def test_an_image_of_an_array_can_be_decoded_in_all_steps(name: str):
    coder = Registry("cpu", 1).by_name(name)
    plan = coder.plan(3072, 0 if coder.budgets else None)
    assert Meter().admits(coder.needs(3072, plan).work + 1, 10)
