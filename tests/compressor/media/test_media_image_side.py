"""What an image keeps beside its colours: little where there is little to keep, and nothing in it is trusted."""

import tracemalloc

import numpy as np
import pytest
from image_models import files, picture, unpacked
from media_laws import assert_a_flipped_bit_is_noticed_or_harmless

from catzip.compressor.errors import CorruptError
from catzip.compressor.format import lzma2, varint
from catzip.compressor.media import image, planes

FILES = files(8, 5)


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
        (4, described(0, 2, 2, HUGE, HUGE), 4, "of no image"),
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
        (1, described(4, 1, 1, 0, 0) + b"\4\0\0", 2, "longer than"),
        (1, described(4, 1, 1, 0, 0) + b"\0\0", 2, "all of its bytes, which are alike"),
        (1, described(4, 1, 1, 0, 0) + b"\5\0", 2, "filter 5 where another means the same"),
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
    data, _ = FILES[name]
    assert_a_flipped_bit_is_noticed_or_harmless(image, data)
    symbols, side = image.split(data)
    with pytest.raises(CorruptError):
        image.join(symbols[1:], side, len(data))
