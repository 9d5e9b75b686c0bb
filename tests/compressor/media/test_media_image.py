"""Images in files of every kind: their colours are symbols, everything comes back, and nothing is trusted."""

import random

import numpy as np
import pytest
from helpers import npy
from hypothesis import given, settings
from hypothesis import strategies as st
from image_models import bmp, files, picture, pnm, saved, tiff, unpacked

from catzip.compressor.format.numbers import side_limit
from catzip.compressor.media import MEDIA, formats, image
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
        assert Raster.from_bytes(side)[0].shape == expected.shape, size
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
