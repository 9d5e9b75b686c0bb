"""The container rejects everything that FORMAT.md does not allow, each fault with its own error."""

import io
import random
import tracemalloc

import pytest
from helpers import MODELS, TEXT, Models, Pipe, TableModel, compress, decompress

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
from catzip.compressor.pipeline import list_frames, read_range, verify_stream

PROSE = TEXT.encode()[:150]
WORDS = PROSE.lower().replace(b".", b"").replace(b" ", b"")
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


def small_files() -> dict[str, bytes]:
    return {
        "empty": compress(b""),
        "stored": compress(NOISE),
        "xz": compress(b"one line\n" * 40),
        "coded": compress(PROSE),
        "text27": compress(WORDS + b" A", model="table-text27"),
        "frames": compress(TEXT.encode()[:300] + random.Random(1).randbytes(310), frame_size=300),
        "members": compress(PROSE[:60]) + compress(NOISE[:20]),
    }


FILES = small_files()


def test_small_files_are_of_the_kinds_they_say():
    kinds = {
        name: {frame.kind for frame in list_frames(io.BytesIO(blob)).frames} for name, blob in FILES.items()
    }
    assert kinds["empty"] == set()
    assert kinds["coded"] == kinds["text27"] == {"coded"}
    assert kinds["xz"] == {"xz"}
    assert kinds["stored"] == {"stored"}
    assert kinds["frames"] == {"stored", "coded"}


@pytest.mark.parametrize("name", FILES)
def test_every_truncation_is_noticed(name: str):
    blob = FILES[name]
    whole = {len(compress(PROSE[:60]))} if name == "members" else set()
    for cut in set(range(len(blob))) - whole:
        with pytest.raises(CatzipError) as caught:
            decompress(blob[:cut])
        assert caught.type is (TruncatedError if cut else NotCatzipError)


@pytest.mark.parametrize("name", FILES)
def test_every_flipped_bit_is_noticed(name: str):
    blob = FILES[name]
    for bit in range(8 * len(blob)):
        damaged = bytearray(blob)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CatzipError):
            decompress(bytes(damaged))


@pytest.mark.parametrize("name", FILES)
def test_listing_and_ranges_of_damaged_files_raise_or_are_right(name: str):
    blob, content = FILES[name], decompress(FILES[name])
    rng = random.Random(1)
    for _ in range(300):
        damaged = bytearray(blob)
        damaged[rng.randrange(len(blob))] ^= 1 << rng.randrange(8)
        start = rng.randrange(len(content) + 1)
        try:
            assert read_range(io.BytesIO(damaged), start, 20, MODELS) == content[start : start + 20]
            list_frames(io.BytesIO(damaged))
        except CatzipError:
            pass


@pytest.mark.parametrize("seed", range(20))
def test_garbage_behind_a_header_raises(seed: int):
    rng = random.Random(seed)
    with pytest.raises(CatzipError):
        decompress(HEADER + bytes([rng.choice([1, 2, 3])]) + rng.randbytes(rng.randrange(400)))


def test_a_leftover_stack_is_corrupt():
    """A model that forgets to look is caught by the pipeline."""

    class Careless(TableModel):
        def decode(self, stacks, count, plan):
            return super().decode(iter([next(stacks), next(stacks)]), 100, plan)[:count]

    with pytest.raises(CorruptError):
        decompress(FILES["coded"], Models(Careless()))


def test_concatenated_files_are_the_concatenation():
    parts = [FILES[name] for name in ("coded", "empty", "stored", "frames", "empty")]
    blob = b"".join(parts)
    content = b"".join(map(decompress, parts))
    assert decompress(blob) == content
    listing = list_frames(io.BytesIO(blob))
    assert (listing.content_size, listing.file_size) == (len(content), len(blob))
    for start in range(0, len(content) + 10, 7):
        assert read_range(io.BytesIO(blob), start, 90, MODELS) == content[start : start + 90]


def test_ranges_decode_only_the_frames_they_need():
    data = PROSE * 12
    blob = compress(data, frame_size=300, model="table-bytes")
    frames = list_frames(io.BytesIO(blob)).frames
    assert len(frames) == 6
    damaged = bytearray(blob)
    for frame in frames[:2] + frames[4:]:
        damaged[frame.offset + 20] ^= 1
    assert read_range(io.BytesIO(damaged), 610, 500, MODELS) == data[610:1110]
    with pytest.raises(CorruptError):
        read_range(io.BytesIO(damaged), 610, 600, MODELS)


@pytest.mark.parametrize("nth", [1, 2, 5, 6])
def test_damage_is_told_with_its_place(nth: int):
    """The frame, counted through all members, and where it begins in the file; also where only that one is read."""
    parts = [compress(PROSE * 6, frame_size=300, model="table-bytes"), FILES["empty"]] * 2
    blob = bytearray(b"".join(parts))
    frame = list_frames(io.BytesIO(blob)).frames[nth - 1]
    blob[frame.offset + 20] ^= 1
    message = f"^frame {nth} at byte {frame.offset}: "
    with pytest.raises(CorruptError, match=message):
        decompress(bytes(blob))
    with pytest.raises(CorruptError, match=message):
        read_range(io.BytesIO(b"before" + blob), frame.start, 9, MODELS, origin=6)


def test_damage_of_a_head_is_told_with_its_place():
    blob = compress(PROSE * 2, frame_size=300, model="table-bytes")
    at = list_frames(io.BytesIO(blob)).frames[-1].offset
    damaged = blob[:at] + b"\x22" + blob[at + 1 :]
    for use in (decompress, lambda data: list_frames(io.BytesIO(data))):
        with pytest.raises(
            CorruptError, match=f"^frame {len(list_frames(io.BytesIO(blob)).frames)} at byte {at}: res"
        ):
            use(damaged)


def test_long_indexes_are_found():
    blob = member(*[(stored(NOISE), 40)] * 3000)
    assert len(list_frames(io.BytesIO(blob)).frames) == 3000
    assert read_range(io.BytesIO(blob), 119_990, 99, MODELS) == NOISE[-10:]


def test_ranges_that_cannot_be():
    with pytest.raises(ValueError, match="negative"):
        read_range(io.BytesIO(FILES["coded"]), -1, 5, MODELS)


def test_a_pipe_can_be_listed_and_verified():
    for blob in FILES.values():
        assert list_frames(Pipe(blob, 7)) == verify_stream(Pipe(blob, 7), models=MODELS)


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**24, 2**62, 2**63 - 1])
def test_varints_survive(value: int):
    data = varint.encode(value)
    assert varint.decode(b"x" + data + b"y", 1) == (value, 1 + len(data))


@pytest.mark.parametrize("value", [-1, 2**63])
def test_varints_have_a_range(value: int):
    with pytest.raises(ValueError, match="does not fit"):
        varint.encode(value)
