"""Every medium restores every content, and trusts nothing."""

import lzma
import random

import numpy as np
import pytest
from helpers import TEXT
from hypothesis import given, settings
from hypothesis import strategies as st
from media_laws import assert_a_flipped_bit_is_noticed_or_harmless

from catzip.compressor.errors import CorruptError
from catzip.compressor.format.numbers import side_limit
from catzip.compressor.media import MEDIA, text27

ODD = [
    b"",
    b"a",
    b"A",
    b" ",
    b"  ",
    b".",
    b" a",
    b"a ",
    b"Ab aB AB a A McX",
    b"one\r\ntwo\n\n\tthree",
    "Käse, 東京 and naïve".encode(),
    bytes(range(256)),
    b"@[`{" * 3,
    b"aB" * 500,
]

texts = st.lists(
    st.sampled_from([b"a", b"bc", b"D", b"EF", b"Gh", b"iJ", b" ", b". ", b"\n", b"1", b"\xff"])
).map(b"".join)


def check(name: str, data: bytes) -> bytes:
    medium = MEDIA[name]
    symbols, side = medium.split(data)
    assert symbols.dtype == np.uint8
    assert len(symbols) <= len(data)
    assert symbols.max(initial=0) < medium.alphabet
    assert len(side) <= side_limit(len(data))
    assert medium.join(symbols, side, len(data)) == data
    return side


@pytest.mark.parametrize("name", MEDIA)
@pytest.mark.parametrize("data", ODD)
def test_restores_odd_content(name: str, data: bytes):
    check(name, data)


@pytest.mark.parametrize("name", MEDIA)
@settings(max_examples=50, deadline=None)
@given(data=st.one_of(st.binary(max_size=300), texts))
def test_restores_any_content(name: str, data: bytes):
    check(name, data)


@pytest.mark.parametrize("name", MEDIA)
def test_restores_long_noise(name: str):
    check(name, random.Random(0).randbytes(50_000))


def test_numbers_are_distinct_and_fit():
    wires = [medium.wire for medium in MEDIA.values()]
    assert len(set(wires)) == len(wires)
    assert all(
        0 <= wire <= 15 and MEDIA[name].alphabet <= 256 for name, wire in zip(MEDIA, wires, strict=True)
    )


@pytest.mark.parametrize("data", [b"a pure text of words", b" starts and ends ", b"x", b" "])
def test_pure_text_has_no_side_stream(data: bytes):
    assert check("text27", data) == b""


def test_the_skeleton_is_what_text8_would_be():
    symbols, _ = text27.split(b"Call me Ishmael. Some--1851")
    assert (
        bytes(symbols.tolist()).translate(b" abcdefghijklmnopqrstuvwxyz" + bytes(229))
        == b"call me ishmael some "
    )


def test_prose_costs_little():
    """Capitals and punctuation of 3 KB of repetitive prose: a few bytes after LZMA."""
    data = TEXT.encode() * 10
    assert len(lzma.compress(check("text27", data), lzma.FORMAT_ALONE)) < len(data) / 25


def test_many_gaps_are_written_in_several_strokes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(text27, "_STROKE", 50)
    rng = random.Random(1)
    check("text27", b"".join(rng.choice([b"a", b"B", b", ", b"\n\n", b"." * 120]) for _ in range(500)))


def test_more_entries_than_one_plane_can_name():
    data = b"".join(b"a" + bytes([128 + i % 100, 128 + i // 100]) for i in range(400))
    assert check("text27", data)


@pytest.mark.parametrize("data", [b"Hello, World! It is McX, NASA  and more.", ("a. B" * 80).encode()])
def test_any_flipped_bit_of_a_side_stream_is_noticed_or_harmless(data: bytes):
    assert_a_flipped_bit_is_noticed_or_harmless(text27, data)


@pytest.mark.parametrize(
    ("symbols", "side", "length", "message"),
    [
        ([27], b"", 1, "outside 0..26"),
        ([0, 0], b"", 2, "two spaces"),
        ([1, 0, 2], b"", 4, "add up"),
        ([1, 0, 2], b"\x00", 3, "0 entries"),
        ([1, 0, 2], b"\x03", 3, "3 entries for 2 pairs"),
        ([1, 0, 2], b"\x01\x00\x00", 3, "impossible entry"),
        ([1, 0, 2], b"\x01\x01\x04 ", 3, "impossible entry"),
        ([1, 0, 2], b"\x01\x01\x00x", 3, "impossible entry"),
        ([1, 0, 2], b"\x01\x09\x00 ", 3, "impossible entry"),
        ([1, 0, 2], b"\x01\x01\x00 \x00", 3, "ends early"),
        ([1, 0, 2], b"\x01\x01\x00 \x00\x01", 3, "does not have"),
        ([1, 0, 2], b"\x01\x01\x00 \x00\x00\x00", 3, "wrong length"),
        ([1, 0, 2], b"\x02\x01\x00 \x01\x00.\x01\x00", 3, "virtual gap"),
        ([1, 0], b"\x01\x01\x01 \x00\x00", 2, "note case"),  # a capital, but the last word is empty
        ([1, 0, 2], b"\x01\x01\x02 \x00\x00", 3, "note case"),  # all capitals, but of one letter
        ([1, 1], b"\x01\x01\x03 \x00\x80", 2, "note case"),  # mixed, but it is the first letter
        ([1, 1], b"\x01\x01\x03 \x00\x41", 2, "note case"),  # padding
    ],
)
def test_rejects_side_streams_that_cannot_be(symbols: list[int], side: bytes, length: int, message: str):
    with pytest.raises(CorruptError, match=message):
        text27.join(np.array(symbols, np.uint8), side, length)


def test_bytes_have_no_side_stream():
    with pytest.raises(CorruptError, match="side stream"):
        MEDIA["bytes"].join(np.zeros(3, np.uint8), b"x", 3)
    with pytest.raises(CorruptError, match="wrong number"):
        MEDIA["bytes"].join(np.zeros(3, np.uint8), b"", 4)
