"""The container rejects everything that FORMAT.md does not allow, each fault with its own error."""

import io
import random
import tracemalloc

import pytest
from helpers import MODELS, TEXT, Pipe, decompress

from catzip.compressor.errors import (
    CatzipError,
    CorruptError,
    ModelNotFoundError,
    NewerVersionError,
    NotCatzipError,
    TruncatedError,
)
from catzip.compressor.format import container, lzma2, trailer, varint
from catzip.compressor.format.container import HEADER, checksum
from catzip.compressor.pipeline import list_frames, read_range

PROSE = TEXT.encode()[:150]
NOISE = random.Random(0).randbytes(40)


def member(*frames: tuple[bytes, int]) -> bytes:
    """A member made by hand from frames and the lengths of their content."""
    body = HEADER + b"".join(frame for frame, _ in frames)
    return body + trailer.pack([(len(frame), length) for frame, length in frames], len(body))


def stored(data: bytes) -> bytes:
    return b"\x01" + container.piece_head(len(data)) + data + b"\0" + checksum(data)


@pytest.mark.parametrize("source", [io.BytesIO, Pipe])
def test_a_stored_length_beyond_every_file_system(source, tmp_path):
    """2**62 bytes are stated: seeking there is an error of its own on a disk, which is not to be seen."""
    blob = HEADER + b"\x01\x3e" + bytes(1 << 21)
    with pytest.raises(
        TruncatedError, match=f"{(1 << 62) - (1 << 21)} bytes are missing at offset {len(blob)}$"
    ):
        list_frames(source(blob))
    (tmp_path / "a.catz").write_bytes(blob)
    with (tmp_path / "a.catz").open("rb") as file, pytest.raises(TruncatedError, match="ends early"):
        list_frames(file)


def packed(
    data: bytes, length: int | None = None, payload: bytes | None = None, tag: bytes = b"\x02"
) -> bytes:
    """A frame of kind xz, or any other, that may lie about its length and its payload."""
    payload = lzma2.compress(data) if payload is None else payload
    length = len(data) if length is None else length
    return tag + varint.encode(length) + varint.encode(len(payload)) + payload + checksum(data)


def coded(payload: bytes, data: bytes = PROSE, medium: int = 0, fingerprint: bytes | None = None) -> bytes:
    tag = bytes([medium << 4 | 3]) + (fingerprint or MODELS.by_name("table-bytes").fingerprint)
    return packed(data, payload=payload, tag=tag)


def test_by_hand():
    data = b"z" * 500
    blob = member((stored(NOISE), 40), (packed(data), 500), (stored(b"end"), 3))
    assert decompress(blob) == NOISE + data + b"end"
    assert read_range(io.BytesIO(blob), 39, 3, MODELS) == NOISE[39:] + b"zz"


def test_stored_pieces_of_every_kind():
    parts = [b"a" * 4, b"b", b"c" * 3, b"d" * 64]
    data = b"".join(parts)
    frame = b"\x01\x02aaaa\x3fb\x41ccc\x06" + parts[3] + b"\0" + checksum(data)
    assert decompress(member((frame, len(data)))) == data


@pytest.mark.parametrize(
    ("blob", "error", "message"),
    [
        (b"", NotCatzipError, "not a catzip file"),
        (b"PK\x03\x04", NotCatzipError, "not a catzip file"),
        (HEADER.replace(b"\r\n", b"\n"), NotCatzipError, "not a catzip file"),
        (HEADER[:3], TruncatedError, "inside its header"),
        (HEADER[:5] + b"\0", CorruptError, "version 0"),
        (HEADER[:5] + b"\2", NewerVersionError, "format version 2, this catzip knows 1"),
        (HEADER, TruncatedError, "ends early"),
        (HEADER + b"\x05", NewerVersionError, "unknown kind 5"),
        (HEADER + b"\xf3", NewerVersionError, "unknown number 15"),
        (HEADER + b"\x10", CorruptError, "reserved bits"),
        (HEADER + b"\x11", CorruptError, "reserved bits"),
        (HEADER + b"\x12", CorruptError, "reserved bits"),
        (HEADER + b"\x02\x80\x00", CorruptError, "shortest form"),
        (HEADER + b"\x02" + b"\xff" * 10, CorruptError, "longer than 9 bytes"),
        (HEADER + b"\x02\x00\x00", CorruptError, "length of 0"),
        (HEADER + b"\x02\x81\x80\x80\x20\x05", CorruptError, "length of 67108865"),
        (HEADER + b"\x02\x05\x05", CorruptError, "5 bytes of payload for 5"),
        (HEADER + b"\x02\x05\x00", CorruptError, "0 bytes of payload for 5"),
        (HEADER + b"\x02\x80\x80\x80\x20\xff\xff\xff\x1f", TruncatedError, "ends early"),
        (HEADER + b"\x01\x3ex", TruncatedError, "ends early"),
        (HEADER + b"\x01" + varint.encode(2**63 - 1) + b"x", TruncatedError, "ends early"),
        (HEADER + b"\x01\x00" + checksum(b""), CorruptError, "stored frame is empty"),
        (member((stored(NOISE), 40)) + b"x", CorruptError, "bytes behind the end"),
        (member((stored(NOISE), 40)) + HEADER[:4], TruncatedError, "inside its header"),
        (member((stored(NOISE), 40), (stored(NOISE), 41), (stored(NOISE), 40)), CorruptError, "index"),
        (member((packed(b"z" * 90, length=91), 91)), CorruptError, "does not hold what its header says"),
        (member((packed(b"z" * 90, length=89), 89)), CorruptError, "does not hold what its header says"),
        (
            member((packed(b"z" * 90, payload=lzma2.compress(b"z" * 90) + b"\0"), 90)),
            CorruptError,
            "does not hold what its header says",
        ),
        (member((packed(b"z" * 90, payload=b"\x03\x00"), 90)), CorruptError, "as no encoder does"),
        (
            member((packed(b"z" * 90, payload=bytes.fromhex("e0005900065d003d6f8a00000000")), 90)),
            CorruptError,
            "cannot be decoded",
        ),
        (member((packed(b"z" * 90, payload=lzma2.compress(b"y" * 90)), 90)), CorruptError, "checksum"),
        (member((coded(b"", data=b"ab", fingerprint=b"unknown!"), 2)), CorruptError, "0 bytes of payload"),
        (
            member((coded(b"\x00\x00\x00", fingerprint=b"unknown!"), 150)),
            ModelNotFoundError,
            "756e6b6e6f776e21",
        ),
        (member((coded(b"\x00\x00\x00", medium=1), 150)), CorruptError, "which is for bytes"),
        (member((coded(b"\x11" + b"\0" * 20), 150)), CorruptError, "plan has 17 numbers"),
        (member((coded(b"\x01\x64\x96\x01\x00"), 150)), CorruptError, "no symbols"),
        (member((coded(b"\x01\x64\x00\xff\xff\x7f"), 150)), CorruptError, "side stream states 2097151 bytes"),
        (member((coded(b"\x01\x64\x00\x05\x06abcdef"), 150)), CorruptError, "5 bytes states 6"),
        (member((coded(b"\x01\x64\x00\x05\x05abc"), 150)), CorruptError, "side stream is longer"),
        (member((coded(b"\x01\x64\x00\x00"), 150)), TruncatedError, "inside a number"),
        (member((coded(b"\x01\x64\x00\x00\x09abc"), 150)), CorruptError, "segment is longer"),
        (member((coded(b"\x01\x64\x00\x00\x03\x01\x02\x00x"), 150)), CorruptError, "zero byte"),
        (member((coded(b"\x01\x64\x00\x00\x03abcdef"), 150)), CorruptError, "checksum|left over"),
        (member((coded(b"\x02\x64\x64\x00\x00\x03abcdef"), 150)), CorruptError, "knows no plan"),
    ],
)
def test_each_fault_has_its_error(blob: bytes, error: type[CatzipError], message: str):
    with pytest.raises(error, match=message) as caught:
        decompress(blob)
    assert caught.type is error


@pytest.mark.parametrize(
    "blob",
    [
        HEADER + b"\x02" + varint.encode(1 << 26) + varint.encode((1 << 26) - 1) + b"x",
        HEADER + b"\x01" + varint.encode(1 << 62) + b"x",
        HEADER + b"\x01\x3ex",
        member((coded(b"\x10" + varint.encode(2**63 - 1) * 16 + b"\x00\x00abc", data=PROSE * 4), 600)),
    ],
)
def test_a_length_alone_allocates_nothing(blob: bytes):
    tracemalloc.start()
    with pytest.raises(CorruptError):
        decompress(blob)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 22


def test_long_indexes_are_found():
    blob = member(*[(stored(NOISE), 40)] * 3000)
    assert len(list_frames(io.BytesIO(blob)).frames) == 3000
    assert read_range(io.BytesIO(blob), 119_990, 99, MODELS) == NOISE[-10:]


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**24, 2**62, 2**63 - 1])
def test_varints_survive(value: int):
    data = varint.encode(value)
    assert varint.decode(b"x" + data + b"y", 1) == (value, 1 + len(data))


@pytest.mark.parametrize("value", [-1, 2**63])
def test_varints_have_a_range(value: int):
    with pytest.raises(ValueError, match="does not fit"):
        varint.encode(value)
