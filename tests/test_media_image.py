"""Images in files of every kind: their colours are symbols, everything comes back, and nothing is trusted."""

import contextlib
import random
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_models import bmp, files, picture, pnm, saved, tiff, unpacked
from test_media_array import npy

from catzip.compressor import lzma2, varint
from catzip.compressor.errors import CorruptError
from catzip.compressor.media import MEDIA, formats, image, planes, side_limit
from catzip.compressor.media.raster import Raster

SIZES = ((1, 1), (1, 40), (40, 1), (31, 33), (8, 5))
FILES = {size: files(*size) for size in SIZES}
NAMES = list(FILES[1, 1])


def find(data: bytes) -> Raster | None:
    return formats.find(lambda at, size: data[at : at + size])


def check(data: bytes, part: Raster | None = None) -> tuple[np.ndarray, bytes]:
    """The law of media: symbols and side stream of the data, or of this part of an image."""
    symbols, side = image.split(data) if part is None else image.split_part(data, part)
    assert symbols.dtype == np.uint8 and symbols.ndim == 1 and len(symbols) <= len(data)
    assert len(side) <= side_limit(len(data))
    assert image.join(symbols, side, len(data)) == data
    return symbols, side


def colours(content: np.ndarray) -> np.ndarray:
    """What the symbols should be, uint8 [H, W, C]."""
    high = content >> 8 if content.itemsize == 2 else content
    return high[:, :, : 3 if content.shape[2] >= 3 else 1].astype(np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_the_colours_of_every_file_are_its_symbols(name: str):
    for size in SIZES:
        data, content = FILES[size][name]
        expected = colours(content)
        symbols, side = check(data)
        assert image.shape(side) == expected.shape, size
        assert (symbols == expected.ravel()).all(), size


@pytest.mark.parametrize("name", NAMES)
def test_files_that_are_cut_or_have_a_tail(name: str):
    data, content = FILES[8, 5][name]
    raster = find(data)
    for cut in range(0, len(data), 7):
        symbols, _ = check(data[:cut])
        rows = 0 if cut < raster.start else min(raster.height, (cut - raster.start) // raster.stride)
        assert len(symbols) in (0, rows * 5 * raster.channels)  # 0: a TIFF without its directory
    symbols, _ = check(data + data)
    assert (symbols == colours(content).ravel()).all()


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    size=st.sampled_from(SIZES),
    flips=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 255)), max_size=3),
    tail=st.binary(max_size=20),
    start=st.integers(0, 3000),
    length=st.integers(1, 3000),
)
def test_restores_any_part_of_any_file(name, size, flips, tail, start, length):
    data = bytearray(FILES[size][name][0] + tail)
    for at, change in flips:
        data[at % len(data)] ^= change
    check(bytes(data))
    raster, part = find(bytes(data)), bytes(data[start : start + length])
    if raster is not None and part:
        check(part, raster.part(start, len(part)))


@settings(max_examples=80, deadline=None)
@given(
    raster=st.builds(
        lambda samples, wide, little, swapped, **rest: Raster(
            samples=samples, wide=wide, little=little and wide, swapped=swapped and samples >= 3, **rest
        ),
        samples=st.integers(1, 4),
        wide=st.booleans(),
        little=st.booleans(),
        swapped=st.booleans(),
        start=st.integers(0, 9),
        height=st.integers(1, 6),
        width=st.integers(1, 6),
        padding=st.integers(0, 3),
    ),
    behind=st.integers(0, 9),
    kind=st.sampled_from([b"\0", b"\7", None]),
)
def test_restores_any_raster(raster: Raster, behind: int, kind: bytes | None):
    length = raster.end + behind
    data = random.Random(length).randbytes(length) if kind is None else kind * length
    symbols, side = check(data, raster)
    assert Raster.from_bytes(side)[0] == raster
    assert symbols.size == np.prod(raster.shape)
    for start in range(0, length, 5):
        part = raster.part(start, 40)
        if part is not None:
            assert part.end <= 40
            check(data[start : start + 40].ljust(40), part)


def png_of(colour: int, bits: int) -> bytes:
    data = bytearray(unpacked(picture(8, 8, 1)))
    data[9 + 24 : 9 + 26] = bits, colour  # behind the magic and a varint
    return bytes(data)


GREY, COLOUR = picture(16, 16, 1), picture(16, 16, 3)
OTHERS = {
    "nothing": b"",
    "text": b"P6 is what a PPM begins with",
    "png": b"\x89PNG\r\n\x1a\n" + unpacked(GREY),
    "png with a palette": png_of(3, 8),
    "png of 4 bits": png_of(0, 4),
    "pnm of bits": b"P4\n8 8\n" + bytes(8),
    "pnm in ASCII": b"P2\n2 2\n255\n1 2 3 4\n",
    "pnm of 10 bits": b"P5\n2 2\n1023\n" + bytes(8),
    "pnm without pixels": b"P5\n0 2\n255\n" + bytes(8),
    "pnm of comments": b"P5" + b"#" * 50_000,
    "bmp with a palette": saved(COLOUR, "BMP").replace(b"\x18\0", b"\x08\0", 1),
    "bmp packed": bmp(GREY)[:30] + b"\1" + bmp(GREY)[31:],
    "bmp with other masks": bmp(picture(4, 4, 4), masks=True).replace(b"\0\xff\0\0", b"\0\0\0\0"),
    "bmp without pixels": bmp(GREY)[:18] + bytes(4) + bmp(GREY)[22:],
    "tiff packed": tiff(COLOUR, t259=(5,)),
    "tiff in planes": tiff(COLOUR, t284=(2,)),
    "tiff with a palette": tiff(GREY, t262=(3,)),
    "tiff of inks": tiff(picture(4, 4, 4), t262=(5,)),
    "tiff of floats": tiff(picture(4, 4, 1, wide=True), t339=(3,)),
    "tiff of 12 bits": tiff(GREY, t258=(12,)),
    "tiff of 5 samples": tiff(COLOUR, t277=(5,)),
    "tiff of several depths": tiff(COLOUR, t258=(8, 8, 16)),
    "tiff with strips apart": tiff(COLOUR, t273=(8, 400, 800)),
    "tiff with too few strips": tiff(COLOUR, t273=(8,)),
    "tiff with strips without end": tiff(COLOUR, t278=(0,)),
    "tiff without a directory": b"II*\0\xff\xff\xff\xff",
    "tiff that is its own directory": b"MM\0*\0\0\0\0" * 9,
    "npy of floats": npy(np.zeros((4, 4), "<f4")),
    "npy of items": npy(np.zeros((4, 28, 28), np.uint8)),
    "npy of one dimension": npy(np.zeros(28, np.uint8)),
    "npy of five": npy(np.zeros((2, 2, 2, 2, 3), np.uint8)),
    "npy of nothing": npy(np.zeros((0, 4, 3), np.uint8)),
    "npy in Fortran order": npy(np.asfortranarray(COLOUR)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_image_has_no_symbols(name: str):
    symbols, side = check(OTHERS[name])
    assert (len(symbols), side) == (0, OTHERS[name])


def test_a_directory_of_a_tiff_is_read_wherever_it_is():
    data, asked = tiff(picture(200, 200, 3)), []
    assert find(data).start == 8

    def look(at: int, size: int) -> bytes:
        asked.append(size)
        return data[at : at + size]

    assert formats.find(look) == Raster(8, 200, 200, 3)
    assert sum(asked) < formats.OPENING + 1000


def side_size(content: np.ndarray) -> int:
    """Bytes that all but the colours takes in a file."""
    return len(lzma2.compress(image.split(unpacked(content))[1]))


def test_constant_alpha_costs_nearly_nothing():
    opaque = picture(300, 400, 4)
    opaque[:, :, 3] = 255
    assert side_size(opaque) <= side_size(opaque[:, :, :3]) + 4
    wide = picture(100, 100, 4, wide=True)
    wide[:, :, 3] = 65535
    assert side_size(wide) <= side_size(wide[:, :, :3]) + 8


def test_low_bytes_that_are_no_news_cost_nearly_nothing():
    """8 bits made 16, either way; a gradient of 16 bits."""
    narrow = picture(100, 100, 3).astype(np.uint16)
    base = side_size(narrow.astype(np.uint8))
    for factor in (256, 257):
        assert side_size(narrow * np.uint16(factor)) < base + 40
    y, x = np.mgrid[:256, :256]
    assert side_size((100 * x + 37 * y).astype(np.uint16)[:, :, None]) < base + 500


def test_noise_in_low_bytes_costs_what_it_is():
    noise = np.random.RandomState(0).randint(0, 1 << 16, (100, 100, 1)).astype(np.uint16)
    assert side_size(noise) < 10_000 + 150


STEPS = np.random.RandomState(1).randint(0, 2, (20, 30))
HIGH = picture(20, 30, 1)[:, :, 0]
PLANES = {
    planes.NONE: np.random.RandomState(0).randint(0, 256, (20, 30)),
    planes.LEFT: np.cumsum(STEPS, axis=1) * 100,
    planes.UP: (np.cumsum(STEPS, axis=0) + np.random.RandomState(2).randint(0, 256, 30)) * 100,
    planes.HIGH: HIGH + STEPS,
    planes.ALIKE: np.full((20, 30), 7),
    planes.ALIKE + planes.LEFT: np.tile(7 * np.arange(1, 31), (20, 1)),
    planes.ALIKE + planes.HIGH: HIGH + 3,
}


@pytest.mark.parametrize("kind", PLANES)
def test_planes(kind: int):
    plane = PLANES[kind].astype(np.uint8)
    data = b"xy" + planes.pack(plane, HIGH)
    assert data[2] == kind and len(data) == 2 + 1 + (1 if kind >= planes.ALIKE else 600)
    restored, end = planes.unpack(data, 2, (20, 30), HIGH)
    assert (restored == plane).all() and end == len(data)


def described(*numbers: int) -> bytes:
    """A descriptor: flags, width, height, padding, before."""
    return bytes(numbers[:1]) + b"".join(map(varint.encode, numbers[1:]))


HUGE = (1 << 63) - 1


@pytest.mark.parametrize(
    ("count", "side", "length", "message"),
    [
        (0, b"ab", 3, "not as long as"),
        (1, b"", 1, "no descriptor"),
        (1, described(32, 1, 1, 0, 0), 1, "reserved bits"),
        (1, described(0, 1, 1, 0), 1, "number"),
        (1, described(0, 0, 1, 0, 0), 1, "of no image"),
        (1, described(0, 1, 0, 0, 0), 1, "of no image"),
        (1, described(8, 1, 1, 0, 0), 1, "of no image"),
        (1, described(16, 1, 1, 0, 0), 1, "of no image"),
        (2, described(0, 1, 1, 0, 0), 2, "does not match"),
        (1, described(0, 2, 1, 0, 0), 2, "does not match"),
        (1, described(1, 1, 1, 0, 0), 3, "does not match"),
        (3, described(1, 1, 1, 0, 0), 2, "does not match"),
        (1, described(0, 1, 1, 0, 1), 1, "does not match"),
        (4, described(0, HUGE, HUGE, 0, 0), 4, "does not match"),
        (4, described(0, 2, 2, HUGE, HUGE), 4, "does not match"),
        (4, described(0, 2, 2, 0, HUGE), 1 << 26, "does not match"),
        (1, described(0, 1, 1, 0, 0), 1 << 26, "ends early"),
        (1, described(0, 1, 1, 0, 1), 2, "ends early"),
        (1, described(0, 1, 1, 1, 0), 2, "ends early"),
        (1, described(0, 1, 1, 1, 0) + b"\0", 2, "ends early"),
        (1, described(0, 1, 1, 1, 0) + b"\x08\0", 2, "filter 8"),
        (1, described(0, 1, 1, 1, 0) + b"\3\0", 2, "filter 3"),
        (1, described(2, 1, 1, 0, 0) + b"\3\0", 2, "filter 3"),
        (1, described(2, 1, 1, 0, 0) + b"\7\0", 2, "filter 7"),
        (1, described(4, 1, 1, 0, 0) + b"\3", 2, "ends early"),
        (1, described(4, 1, 1, 0, 0) + b"\7", 2, "ends early"),
        (1, described(0, 1, 1, 0, 0) + b"x", 1, "longer than"),
        (1, described(4, 1, 1, 0, 0) + b"\3\0\0", 2, "longer than"),
    ],
)
def test_rejects_side_streams_that_cannot_be(count: int, side: bytes, length: int, message: str):
    tracemalloc.start()
    with pytest.raises(CorruptError, match=message):
        image.join(np.zeros(count, np.uint8), side, length)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["png 4 of 16 bits", "bmp 3 of 8 bits", "pnm 1 of 8 bits"])
def test_any_flipped_bit_of_a_side_stream_is_noticed_or_harmless(name: str):
    data, _ = FILES[8, 5][name]
    symbols, side = image.split(data)
    for bit in range(8 * len(side)):
        damaged = bytearray(side)
        damaged[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(CorruptError):
            assert len(image.join(symbols, bytes(damaged), len(data))) == len(data)
    for wrong in (*(side[:cut] for cut in range(1, len(side))), side + b"\0"):
        with pytest.raises(CorruptError):
            image.join(symbols, wrong, len(data))
    with pytest.raises(CorruptError):
        image.join(symbols[1:], side, len(data))


def test_wide_and_flat_images_are_cut_into_whole_rows():
    raster = find(pnm(picture(300, 7, 3)))
    for frame_size in (1, 10, 35, 36, 100, 2000, 5000, 100_000):
        first, later = raster.cut(frame_size)
        assert 0 < first <= frame_size and 0 < later <= frame_size
        if 36 <= frame_size < raster.end:
            assert (first - raster.start) % raster.stride == later % raster.stride == 0
        if 64 * raster.stride + raster.start <= frame_size < raster.end:
            assert later % (64 * raster.stride) == 0


def test_the_medium_is_number_3():
    assert MEDIA["image"].wire == 3
