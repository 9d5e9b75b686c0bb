"""Pictures that are better left as they are: repacking them would break something, or gain nothing."""

import io
import zlib

import pytest
from helpers import Pipe
from png_files import LATE, SIGNATURE, chunk, ihdr, png
from test_packing_pipeline import NONE, SPECKLED, run
from webp_files import GOOD as WEBPS

from catzip.compressor.errors import RepackingError
from catzip.compressor.pictures import is_same_picture
from catzip.compressor.pipeline import compress_stream, decompress_stream

BROKEN_BY_PACKING = {
    "zip-behind-the-end": (
        png(60, 80, kinds=[4] * 80, tail=b"PK\5\6" + bytes(18))[0],
        "behind its end there are 22 bytes",
    ),
    "c2pa": (png(60, 80, kinds=[4] * 80, before=chunk(b"caBX", b"hash"))[0], "'caBX'"),
    "idot": (png(60, 80, kinds=[4] * 80, before=chunk(b"iDOT", bytes(28)))[0], "'iDOT'"),
    "signature": (png(60, 80, kinds=[4] * 80, after=chunk(b"dSIG", b"signed"))[0], "'dSIG'"),
    "unknown-chunk": (png(60, 80, kinds=[4] * 80, before=chunk(b"abCD"))[0], "'abCD'"),
    "webp-with-more-behind": (WEBPS["rgba"] + b"PK\5\6" + bytes(18), "behind its end there are 22 bytes"),
    "webp-c2pa": (
        WEBPS["rgba"][:4]
        + (len(WEBPS["rgba"]) + 4).to_bytes(4, "little")
        + WEBPS["rgba"][8:]
        + b"C2PA\4\0\0\0hash",
        "'C2PA'",
    ),
}


@pytest.mark.parametrize("name", BROKEN_BY_PACKING)
@pytest.mark.parametrize("source", [io.BytesIO, Pipe])
def test_what_repacking_would_break_is_not_repacked(name, source):
    data, reason = BROKEN_BY_PACKING[name]
    out = io.BytesIO()
    with pytest.raises(RepackingError, match=f"{reason}.*Leave out --pixels"):
        compress_stream(source(data), out, models=NONE, byte_exact=False)
    assert not out.getvalue()
    _, report, back = run(data, source=source, byte_exact=True)
    assert back == data
    assert "--pixels" not in report.remark


def test_chunks_that_speak_of_pixels_at_most_come_back():
    known = b"".join(chunk(kind) for kind in (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"bKGD", b"prVt"))
    data, _ = png(60, 80, kinds=[4] * 80, before=known, after=LATE)
    assert is_same_picture(run(data)[2], data)


def test_a_flat_picture_is_not_unpacked():
    stream = zlib.compress(bytes(4001 * 4200))
    flat = SIGNATURE + ihdr(4000, 4200, 8, 0) + chunk(b"IDAT", stream) + chunk(b"IEND")
    _, report, back = run(flat, byte_exact=True)
    assert back == flat
    assert "so alike" in report.notes[0]


def test_byte_for_byte_is_the_default():
    out, back = io.BytesIO(), io.BytesIO()
    compress_stream(io.BytesIO(SPECKLED), out, models=NONE)
    decompress_stream(io.BytesIO(out.getvalue()), back, models=NONE)
    assert back.getvalue() == SPECKLED
