"""Golden files with packing frames, their content in xz frames: good ones for ever, bad ones each with its error.

`pytest tests/test_packing_golden.py --set-exact-output` writes them anew.
"""

import io
import zlib
from pathlib import Path

import pytest
from helpers import TESTS, Models, decompress
from packing import unpack
from png_files import GOOD as PNGS
from webp_files import GOOD as WEBPS

from catzip.compressor.encoder import Encoder
from catzip.compressor.errors import (
    CatzipError,
    CorruptError,
    NewerVersionError,
    PackingError,
    TruncatedError,
)
from catzip.compressor.format import varint
from catzip.compressor.format.container import HEADER, checksum
from catzip.compressor.format.numbers import MAX_REPACKING
from catzip.compressor.pipeline import decompress_stream, list_frames, read_range

FOLDER = TESTS / "golden" / "packing"
NONE = Models()


def member(content: bytes, method: bytes, **options) -> bytes:
    out = io.BytesIO()
    Encoder(NONE, **options).encode(io.BytesIO(content), out, method=method)
    return out.getvalue()


def frame(method: bytes) -> bytes:
    return b"\4" + varint.encode(len(method)) + method + checksum(method)


EXACT = {name: PNGS[name][0] for name in ("chunks-around", "interlaced-rgba-16-bits", "empty-idats")}
ANEW = {
    "png": PNGS["chunks-around"][0],
    "png-palette": PNGS["palette-4-bits"][0],
    "png-tuned": PNGS["grey-4-bits"][0],
    "webp": WEBPS["metadata"],
}
GOOD = {
    **{f"png-exact-{name}": (data, True) for name, data in EXACT.items()},
    **{name: (data, False) for name, data in ANEW.items()},
}
"""Name -> the picture, and whether it comes back byte for byte."""

CONTENT, METHOD = unpack(EXACT["chunks-around"], True)
TUNED_CONTENT, TUNED = unpack(ANEW["png-tuned"], False)
PLAIN = member(CONTENT, b"\0")
XZ = PLAIN[len(HEADER) + len(frame(b"\0")) :]  # the content, and the trailer
CONTENT_ALONE = XZ[: list_frames(io.BytesIO(PLAIN)).frames[1].size]
START = HEADER + frame(b"\0")
BAD: dict[str, tuple[bytes, type[CatzipError]]] = {
    "check-flipped": (HEADER + frame(b"\0")[:-1] + b"\0" + XZ, CorruptError),
    "medium-not-0": (HEADER + b"\x14" + frame(b"\0")[1:] + XZ, CorruptError),
    "method-empty": (HEADER + frame(b"") + XZ, CorruptError),
    "method-too-long": (HEADER + b"\4" + varint.encode(MAX_REPACKING + 1), CorruptError),
    "method-ends-early": (HEADER + b"\4" + varint.encode(MAX_REPACKING) + b"\0", TruncatedError),
    "method-of-a-newer-format": (HEADER + frame(b"\x7f") + XZ, NewerVersionError),
    "two-methods": (START + frame(b"\0") + XZ, CorruptError),
    "method-behind-content": (HEADER + CONTENT_ALONE + frame(b"\0") + XZ, CorruptError),
    "method-alone": (member(b"", b"\0"), CorruptError),
    "content-is-no-picture": (member(b"the cat sat on the mat " * 20, b"\0"), CorruptError),
    "content-lacks-rows": (member(CONTENT[:1000], b"\0"), CorruptError),
    "method-for-webp": (member(CONTENT, b"\2"), CorruptError),
    "method-with-surplus": (member(CONTENT, b"\0\0"), CorruptError),
    "settings-not-of-zlib": (member(CONTENT, METHOD[:3] + b"\xff" + METHOD[4:]), CorruptError),
    "tuned-settings-not-of-zlib": (member(TUNED_CONTENT, TUNED[:1] + b"\x0a" + TUNED[2:]), CorruptError),
    "tuned-filters-cut": (member(TUNED_CONTENT, TUNED[:-1]), CorruptError),
    "tuned-with-surplus": (member(TUNED_CONTENT, TUNED + b"\0"), CorruptError),
    "chunks-that-do-not-add-up": (member(CONTENT, METHOD[:-9] + b"\2" + METHOD[-8:]), PackingError),
    "picture-with-another-check": (member(CONTENT, METHOD[:-1] + bytes([METHOD[-1] ^ 1])), PackingError),
}
"""Name of the fault -> a file, and its error."""


def good_path(name: str) -> Path:
    return FOLDER / "good" / f"{name}.catz"


def bad_path(name: str) -> Path:
    return FOLDER / "bad" / f"{name}.catz"


@pytest.mark.parametrize("name", GOOD)
def test_good_files_decode(name: str, set_exact_output: bool):
    data, exact = GOOD[name]
    content, method = unpack(data, exact)
    if set_exact_output:
        good_path(name).write_bytes(member(content, method))
    blob = good_path(name).read_bytes()
    assert read_range(io.BytesIO(blob), 0, 1 << 20, models=NONE) == content
    assert list_frames(io.BytesIO(blob)).frames[0].kind == "packing"
    out = io.BytesIO()
    decompress_stream(io.BytesIO(blob), out, models=NONE, repack=True)
    assert unpack(out.getvalue(), False)[0] == content


@pytest.mark.parametrize("name", [name for name, (_, exact) in GOOD.items() if exact])
def test_good_files_come_back_byte_for_byte_or_say_why_not(name: str):
    blob, _ = good_path(name).read_bytes(), zlib.ZLIB_RUNTIME_VERSION
    try:
        assert decompress(blob, NONE) == GOOD[name][0]
    except PackingError:
        assert zlib.ZLIB_RUNTIME_VERSION.encode() not in blob


@pytest.mark.parametrize("name", BAD)
def test_bad_files_raise_their_error(name: str, set_exact_output: bool):
    blob, error = BAD[name]
    if set_exact_output:
        bad_path(name).write_bytes(blob)
    with pytest.raises(error) as caught:
        decompress(bad_path(name).read_bytes(), NONE)
    assert caught.type is error


def test_no_file_is_left_over():
    assert {path.stem for path in (FOLDER / "good").iterdir()} == set(GOOD)
    assert {path.stem for path in (FOLDER / "bad").iterdir()} == set(BAD)
