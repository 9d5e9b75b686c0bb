"""Files as encoders write them, cut short, damaged, concatenated, read in ranges: nothing goes unnoticed."""

import io
import random

import pytest
from helpers import MODELS, TEXT, Models, Pipe, TableModel, compress, decompress

from catzip.compressor.errors import CatzipError, CorruptError, NotCatzipError, TruncatedError
from catzip.compressor.format.container import HEADER
from catzip.compressor.pipeline import list_frames, read_range, verify_stream

PROSE = TEXT.encode()[:150]
WORDS = PROSE.lower().replace(b".", b"").replace(b" ", b"")
NOISE = random.Random(0).randbytes(40)


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


def test_ranges_that_cannot_be():
    with pytest.raises(ValueError, match="negative"):
        read_range(io.BytesIO(FILES["coded"]), -1, 5, MODELS)


def test_a_pipe_can_be_listed_and_verified():
    for blob in FILES.values():
        assert list_frames(Pipe(blob, 7)) == verify_stream(Pipe(blob, 7), models=MODELS)
