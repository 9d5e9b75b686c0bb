"""Arrays in .npy files: the header is found, described and never evaluated; everything comes back."""

import io
import pickle

import numpy as np
import pytest
from helpers import npy
from hypothesis import given, settings
from hypothesis import strategies as st

from catzip.compressor.errors import CorruptError
from catzip.compressor.format.numbers import side_limit
from catzip.compressor.media import array
from catzip.compressor.media.array import ArrayHeader

VERSIONS = ((1, 0), (2, 0), (3, 0))


def with_text(text: bytes, items: bytes = b"\5", version: bytes = b"\1\0") -> bytes:
    """A file whose header has this text."""
    width = 2 if version == b"\1\0" else 4
    return b"\x93NUMPY" + version + len(text).to_bytes(width, "little") + text + items


def check(data: bytes) -> bytes:
    """The law of media; the side stream."""
    symbols, side = array.split(data)
    assert symbols.dtype == np.uint8 and len(symbols) + len(side) == len(data)
    assert len(side) <= side_limit(len(data))
    assert array.join(symbols, side, len(data)) == data
    return side


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("shape", [(1,), (4, 3), (2, 32, 32, 3), ()])
def test_the_header_of_an_array_of_bytes_is_the_side_stream(shape, version):
    content = np.arange(np.prod(shape, dtype=int)).astype(np.uint8).reshape(shape)
    data = npy(content, version)
    side = check(data)
    assert side + content.tobytes() == data
    assert ArrayHeader.read(data) == ArrayHeader(len(side), "|u1", False, shape)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("content", "described"),
    [
        (np.zeros((3, 2), "<f4"), "an array of shape [3, 2], float32"),
        (np.zeros((3, 2), ">i8"), "an array of shape [3, 2], int64"),
        (np.zeros(3, np.int8), "an array of shape [3], int8"),
        (np.zeros(3, bool), "an array of shape [3], bool"),
        (np.array(["word"]), "an array of shape [1], of type <U4"),
        (np.zeros(2, "M8[ns]"), "an array of shape [2], of type <M8[ns]"),
        (np.zeros(2, [("a", "<i4"), ("b", "u1")]), "an array of shape [2], of type structured"),
        (np.zeros((3, 2), np.uint8, order="F"), "an array of shape [3, 2], uint8, in Fortran order"),
    ],
)
def test_other_arrays_are_described_and_kept_as_they_are(content, described, version):
    data = npy(content, version)
    assert str(ArrayHeader.read(data)) == described
    assert check(data) == b""


def test_no_pickle_is_loaded():
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("a pickle was loaded",)

    out = io.BytesIO()
    np.lib.format.write_array(out, np.array([None, None], object))
    header = out.getvalue()[: ArrayHeader.read(out.getvalue()).size]
    data = header + pickle.dumps(np.array([Bomb()], object))
    assert check(data) == b""
    assert str(ArrayHeader.read(data)) == "an array of shape [2], of type |O"


def test_an_array_without_items_is_all_symbols():
    """A frame needs a symbol."""
    for shape in [(0,), (0, 32, 32, 3), (5, 0)]:
        data = npy(np.zeros(shape, np.uint8))
        assert check(data) == b""
        assert ArrayHeader.read(data).shape == shape


def test_cut_and_longer_files():
    data = npy(np.arange(12, dtype=np.uint8).reshape(3, 4))
    size = ArrayHeader.read(data).size
    for cut in range(len(data)):
        assert len(check(data[:cut])) == (size if cut > size else 0)
        assert (ArrayHeader.read(data[:cut]) is not None) == (cut >= size)
    assert len(check(data + b"more")) == size


GOOD = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD + b" " * 300 + b"\n",
        b"{'shape':(1,),'fortran_order':False,'descr':'|u1'}",
        b'{"descr": "|u1", "fortran_order": False, "shape": (1)}',
    ],
)
@pytest.mark.parametrize("version", [b"\1\0", b"\2\0", b"\3\0"])
def test_headers_of_other_writers(text: bytes, version: bytes):
    data = with_text(text, version=version)
    assert check(data) == data[:-1]
    assert ArrayHeader.read(data).shape == (1,)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"{",
        b"descr",
        GOOD + b"x",
        GOOD[:-1],
        GOOD.replace(b"(1,)", b"(-1,)"),
        GOOD.replace(b"(1,)", b"(1 2,)"),
        GOOD.replace(b"(1,)", b"(" + b"9" * 30 + b",)"),
        GOOD.replace(b"(1,)", b"[1]"),
        GOOD.replace(b"False", b"0"),
        GOOD.replace(b"'|u1'", b"True"),
        GOOD.replace(b"'|u1'", b"'\x1b[31m'"),
        GOOD.replace(b"'|u1'", b"__import__('os').abort()"),
        GOOD.replace(b"'shape'", b"'descr'"),
        GOOD.replace(b"}", b"'shape': (2,)}"),
        GOOD.replace(b"}", b"'more': (2,)}"),
        b"{'descr': " + b"[" * 9000,
        b"(" * 9000,
        GOOD + b" " * array.LONGEST,
    ],
)
def test_what_is_no_header_is_all_symbols(text: bytes):
    data = with_text(text)
    assert ArrayHeader.read(data) is None
    assert check(data) == b""


def test_an_unknown_version_or_another_magic_is_no_header():
    for version in (b"\0\0", b"\1\1", b"\4\0"):
        assert check(with_text(GOOD, version=version)) == b""
    assert check(b"\x93NUMPX" + with_text(GOOD)[6:]) == b""
    assert check(with_text(GOOD)[:8] + b"\xff\xff\xff\xff" + GOOD) == b""


headers = st.builds(
    lambda descr, order, shape, pad, version, items: with_text(
        f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}{pad}".encode(), items, version
    ),
    st.sampled_from(["'|u1'", "'<f4'", "'|O'", "[('a', '<i4')]", "None"]),
    st.sampled_from(["False", "True", "0"]),
    st.one_of(st.lists(st.integers(0, 9), max_size=4).map(tuple), st.just("(2,")),
    st.sampled_from(["", "\n", " \n", "x"]),
    st.sampled_from([b"\1\0", b"\2\0", b"\3\0", b"\4\0"]),
    st.binary(max_size=40),
)


@settings(max_examples=200, deadline=None)
@given(data=headers, cut=st.integers(0, 200), flip=st.integers(0, 2000))
def test_restores_any_header_whole_cut_or_damaged(data: bytes, cut: int, flip: int):
    check(data)
    check(data[:cut])
    damaged = bytearray(data)
    damaged[flip // 8 % len(data)] ^= 1 << flip % 8
    check(bytes(damaged))


@pytest.mark.parametrize(
    ("side", "symbols", "length", "message"),
    [
        (b"", b"abc", 4, "add up"),
        (with_text(GOOD, b""), b"abc", 3, "add up"),
        (b"x", b"abc", 4, "not the header"),
        (with_text(GOOD, b"y"), b"abc", len(with_text(GOOD, b"y")) + 3, "not the header"),
        (with_text(GOOD, b"")[:-1], b"abc", len(with_text(GOOD, b"")) + 2, "not the header"),
        (b"\x93NUMPY\1\0", b"abc", 11, "not the header"),
    ],
)
def test_rejects_side_streams_that_cannot_be(side: bytes, symbols: bytes, length: int, message: str):
    with pytest.raises(CorruptError, match=message):
        array.join(np.frombuffer(symbols, np.uint8), side, length)
