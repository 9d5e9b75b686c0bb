"""Symbols of two bytes: the medium of a vocabulary, a family that codes it, and both through files."""

import io
import random
import tracemalloc

import numpy as np
import pytest
from helpers import MODELS, Models, TableModel, compress, decompress
from hypothesis import given, settings
from hypothesis import strategies as st
from media_laws import assert_a_flipped_bit_is_noticed_or_harmless
from model_laws import assert_length_is_likelihood, decoded
from pieces import FRONT, vocabulary
from toy_families import LIKELY, Words

from catzip.benchmarks.measuring.likelihood import likelihood
from catzip.compressor.coding.pmf import MAX_SYMBOLS
from catzip.compressor.coding.symbols import symbol_size, symbol_type
from catzip.compressor.coding.vocabulary import Vocabulary
from catzip.compressor.errors import CatzipError, CorruptError, LimitError
from catzip.compressor.format.container import MAX_RATIO
from catzip.compressor.format.limits import Limits
from catzip.compressor.format.numbers import side_limit
from catzip.compressor.media import MEDIA, TOKENS, Medium, medium_for, tokens
from catzip.compressor.pipeline import decompress_stream, list_frames, read_range

SIZES = (len(FRONT), 257, 4096, 50_001, MAX_SYMBOLS)
WIDE = Words(vocabulary(MAX_SYMBOLS))
SOURCE = Models(WIDE, TableModel(), default="table-bytes")
PROSE = b"".join(random.Random(1).choices(FRONT[1:LIKELY], k=900))
ODD = [
    b"",
    b"t",
    b" the",
    b" th",
    b" the cat",
    b"zebra",
    bytes(range(256)),
    b" thethe\xff the",
    b"\0\xff12345",
]


def check(medium: Medium, data: bytes) -> tuple[np.ndarray, bytes]:
    """The law of media, and what comes of the data."""
    symbols, side = medium.split(data)
    assert symbols.dtype == symbol_type(medium.alphabet) and int(symbols.max(initial=0)) < medium.alphabet
    assert len(symbols) <= len(data) and len(side) <= side_limit(len(data))
    assert medium.join(symbols, side, len(data)) == data
    return symbols, side


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("data", [*ODD, PROSE], ids=range(len(ODD) + 1))
def test_restores_odd_content(size: int, data: bytes):
    check(medium_for(Words(vocabulary(size))), data)


few = st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=4).map(b"".join)
pieces = st.lists(few, unique=True, min_size=2, max_size=20).map(lambda all: [b"", *filter(None, all)])


@settings(max_examples=150, deadline=None)
@given(pieces=pieces, data=st.data())
def test_any_pieces_restore_any_content_with_the_longest_of_them(pieces: list[bytes], data: st.DataObject):
    """Beside a plain search."""
    content = b"".join(data.draw(st.lists(st.one_of(few, st.binary(max_size=3)))))
    symbols, side = check(medium_for(Words(Vocabulary(pieces))), content)
    at, escaped = 0, b""
    for symbol in symbols.tolist():
        longest = max((piece for piece in pieces if content.startswith(piece, at)), key=len)
        assert pieces[symbol] == longest
        escaped += content[at : at + 1] if not longest else b""
        at += len(longest) or 1
    assert side == escaped


def test_of_symbols_with_the_same_piece_the_last_is_used():
    medium = medium_for(Words(vocabulary(300, [b"", b"a", b"b", b"a"])))
    symbols, _ = check(medium, b"aba")
    assert symbols.tolist() == [3, 2, 3] and medium.join(np.array([1, 2, 3], np.uint16), b"", 3) == b"aba"


def test_a_vocabulary_of_all_bytes_needs_no_escape():
    symbols, side = check(
        medium_for(Words(Vocabulary([bytes([i]) for i in range(256)] + [b" the"]))), b"z the\xff"
    )
    assert (symbols.tolist(), side, symbols.dtype) == ([122, 256, 255], b"", np.uint16)


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ([b"a"], "1 pieces"),
        ([], "0 pieces"),
        ([b""] + [b"a"] * MAX_SYMBOLS, "65537 pieces"),
        ([b"", b"a" * 256], "up to 256 bytes"),
        ([b"", b"a", b""], "2 empty pieces"),
        ([bytes([i]) for i in range(256) if i != 7], "a piece for the byte 7"),
    ],
)
def test_vocabularies_that_cannot_be(pieces: list[bytes], message: str):
    with pytest.raises(ValueError, match=message):
        Vocabulary(pieces)


def test_tensors_of_a_vocabulary():
    words = vocabulary(700, [*FRONT, b"x" * 255])
    data, lengths = words.to_tensors()
    assert data.dtype == lengths.dtype == np.uint8 and len(lengths) == 700
    assert Vocabulary.from_tensors(data, lengths).pieces == words.pieces
    for wrong in (data[:-1], np.append(data, data[:1])):
        with pytest.raises(ValueError, match="do not add up"):
            Vocabulary.from_tensors(wrong, lengths)


def test_alphabets_that_cannot_be():
    assert [symbol_type(k) for k in (2, 256, 257, MAX_SYMBOLS)] == [np.uint8, np.uint8, np.uint16, np.uint16]
    assert [symbol_size(k) for k in (256, 257)] == [1, 2]
    for wrong in (1, MAX_SYMBOLS + 1):
        with pytest.raises(ValueError, match="an alphabet of"):
            symbol_type(wrong)


@pytest.mark.parametrize(
    ("symbols", "side", "length", "message"),
    [
        ([1000], b"", 1, r"outside 0\.\.999"),
        ([1], b"", 5, "add up"),
        ([1], b"", 3, "add up"),
        ([0], b"", 1, "1 escapes and 0 bytes"),
        ([0], b"zz", 1, "1 escapes and 2 bytes"),
        ([1], b"z", 4, "0 escapes and 1 bytes"),
        ([0], b"c", 1, "escapes a byte that is a piece"),
    ],
)
def test_rejects_what_is_not_of_these_pieces(symbols: list[int], side: bytes, length: int, message: str):
    with pytest.raises(CorruptError, match=message):
        medium_for(Words(vocabulary(1000))).join(np.array(symbols, np.uint16), side, length)


def test_any_flipped_bit_of_a_side_stream_is_noticed_or_harmless():
    assert_a_flipped_bit_is_noticed_or_harmless(medium_for(WIDE), b" the cat! \xff\xfe9")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data", [PROSE * 200, b"\xfe" * 300_000, b"y" * 255 * 20_000], ids=["words", "escapes", "long"]
)
def test_memory_of_joining_is_estimated_as_it_is(data: bytes):
    medium = medium_for(Words(vocabulary(60_000, [*FRONT, b"y" * 255])))
    symbols, side = medium.split(data)
    tracemalloc.start()
    assert medium.join(symbols, side, len(data)) == data
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    estimate = medium.memory(len(symbols), len(data))
    assert 0.9 * peak <= estimate + (2 << 20) and estimate <= 3 * peak + (2 << 20)


@pytest.mark.parametrize("size", SIZES)
def test_a_family_codes_symbols_of_any_alphabet(size: int):
    """Also those beyond a byte, which must not lose what is above it."""
    coder = Words(vocabulary(size))
    symbols = np.random.RandomState(1).randint(0, size, 300).astype(symbol_type(size))
    symbols[:2] = 0, size - 1
    stacks = [stack.to_bytes() for stack in coder.encode(symbols, (70,))]
    restored = decoded(coder, stacks, 300, (70,))
    assert restored.dtype == symbols.dtype and np.array_equal(restored, symbols)
    assert_length_is_likelihood(coder, symbols, (300,))
    drawn = coder.sample(40, None, np.random.RandomState(2))
    assert drawn.dtype == symbols.dtype and drawn.shape == (40, 30) and int(drawn.max()) < size
    if size < MAX_SYMBOLS:
        with pytest.raises(ValueError, match="outside the alphabet"):
            list(coder.encode(np.array([size], np.uint16), (1,)))


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400))
def test_any_bytes_survive_the_pipeline(data: bytes):
    assert decompress(compress(data, SOURCE, model="words"), SOURCE) == data


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.binary(max_size=4), max_size=12))
def test_any_bytes_among_words_are_coded(parts: list[bytes]):
    data = PROSE[:1500] + b" the".join(parts) + PROSE[-1500:]
    blob = compress(data, SOURCE, model="words")
    (frame,) = list_frames(io.BytesIO(blob)).frames
    assert (frame.kind, frame.medium, frame.length) == ("coded", "tokens", len(data))
    assert frame.symbols < len(data) / 2 and decompress(blob, SOURCE) == data


def test_frames_and_ranges():
    data = PROSE + b"\xfa and more?" + PROSE
    blob = compress(data, SOURCE, model="words", frame_size=1000)
    frames = list_frames(io.BytesIO(blob)).frames
    assert len(frames) > 5 and {frame.medium for frame in frames} == {"tokens"}
    assert any(frame.side for frame in frames)
    for start, length in ((0, 1), (995, 10), (len(PROSE), 20), (0, len(data))):
        assert read_range(io.BytesIO(blob), start, length, SOURCE) == data[start : start + length]


def test_a_damaged_file_is_refused():
    data = PROSE[:300] + b"!?\xff" + PROSE[-300:]
    blob = compress(data, SOURCE, model="words")
    for bit in range(8 * len(blob)):
        damaged = bytearray(blob)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CatzipError):
            decompress(bytes(damaged), SOURCE)


def test_a_frame_of_tokens_for_a_model_of_something_else():
    blob = bytearray(compress(PROSE, SOURCE, model="words"))
    assert blob[6] == 0x43
    blob[7:15] = TableModel().fingerprint
    with pytest.raises(
        CorruptError, match="a frame of tokens names the model table-bytes, which is for bytes"
    ):
        decompress(bytes(blob), SOURCE)


def test_it_is_never_chosen_by_default():
    """Only where it is named."""
    for models in (Models(WIDE, *MODELS.models, default="table-bytes"), Models(WIDE, default=None)):
        for data in (PROSE, b"P5 8 8 255\n" + bytes(64)):
            frames = list_frames(io.BytesIO(compress(data, models))).frames
            assert all(frame.medium != "tokens" for frame in frames)


def test_symbols_of_two_bytes_count_for_the_limit_of_memory():
    data = b"".join(random.Random(2).choices(FRONT[1:LIKELY], k=20_000))
    blob = compress(data, SOURCE, model="words")
    (frame,) = list_frames(io.BytesIO(blob)).frames
    needs = WIDE.needs(frame.symbols, frame.plan).memory
    joined = medium_for(WIDE).memory(frame.symbols, frame.length)
    size = frame.size - len(frame.check) - 16
    enough = 3 * size + 2 * frame.symbols + max(needs, joined) + 100
    assert decompress_limited(blob, enough) == data
    with pytest.raises(LimitError, match="memory"):
        decompress_limited(blob, enough - frame.symbols // 2)


def decompress_limited(blob: bytes, memory: int) -> bytes:
    out = io.BytesIO()
    decompress_stream(io.BytesIO(blob), out, models=SOURCE, limits=Limits(memory=memory))
    return out.getvalue()


def test_long_pieces_do_not_exceed_what_a_frame_may_claim():
    """A piece of 255 bytes that the model is sure of takes no bits: a decoder refuses more than 2**21 bytes for one."""

    class Sure(Words):
        def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> tuple[int, ...]:
            return (max(1, count),)

    coder = Sure(Vocabulary([b"y" * 255, b""]))
    coder._below = np.array([0, (1 << 24) - 1, 1 << 24])
    source = Models(coder, default=None)
    for pieces in (1 << 12, 80_000):
        data = b"y" * (255 * pieces)
        blob = compress(data, source, model="sure", frame_size=1 << 26)
        (frame,) = list_frames(io.BytesIO(blob)).frames
        assert decompress(blob, source) == data
        assert (frame.kind == "coded") == (frame.length <= MAX_RATIO * 7)


def test_the_likelihood_is_that_of_the_cut_that_the_file_has(tmp_path, monkeypatch):
    """Another encoder may cut the content into other pieces."""
    whole = Models(Words(vocabulary(5000)), default=None)
    path = tmp_path / "a.catz"
    path.write_bytes(compress(PROSE, whole, model="words"))
    expected = likelihood([(path, PROSE)], whole)
    assert expected.nll_bits == pytest.approx(8 * expected.coded_bytes, rel=0.1)
    monkeypatch.setattr(tokens, "LONGEST", 1)
    assert likelihood([(path, PROSE)], whole) == expected


def test_the_medium_is_known_by_number_and_belongs_to_no_table():
    assert TOKENS not in MEDIA and medium_for(WIDE).wire == 4 and medium_for(WIDE).alphabet == MAX_SYMBOLS
    assert medium_for(TableModel()) is MEDIA["bytes"]
