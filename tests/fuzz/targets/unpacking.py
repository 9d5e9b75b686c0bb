"""PNG and WebP files, without models: each comes back as it was, or, where that is asked for, with the same pixels."""

from __future__ import annotations

import io

from helpers import Models
from png_files import BAD, GOOD
from webp_files import GOOD as WEBPS

from catzip.compressor.errors import CatzipError
from catzip.compressor.pictures import is_same_picture
from catzip.compressor.pipeline import compress_stream, decompress_stream

from .. import pictures
from ..draw import Draw
from ..oracle import expect, outcome

LARGEST = 1 << 16
NONE = Models()
_GROWTH = 64


def check(data: bytes) -> None:
    """Raise where a picture does not come back, or grows."""
    for byte_exact in (True, False):
        blob = outcome(_coded, data, byte_exact)
        if isinstance(blob, CatzipError):
            expect(not byte_exact, "a picture is refused")
            continue
        expect(len(blob) <= len(data) + _GROWTH, "a file grows by more than 64 bytes")
        back = io.BytesIO()
        decompress_stream(io.BytesIO(blob), back, models=NONE)
        if byte_exact:
            expect(back.getvalue() == data, "a picture does not come back byte for byte")
        elif back.getvalue() != data:
            expect(is_same_picture(data, back.getvalue()), "a picture comes back with other pixels or chunks")


def _coded(data: bytes, byte_exact: bool) -> bytes:
    out = io.BytesIO()
    compress_stream(io.BytesIO(data), out, models=NONE, byte_exact=byte_exact)
    return out.getvalue()


def seeds() -> dict[str, bytes]:
    """Pictures of every kind that can be unpacked, and of every kind that cannot."""
    good = {f"png-{name}": data for name, (data, _) in GOOD.items()}
    bad = {f"png-bad-{name}": data for name, data in BAD.items()}
    return good | bad | {f"webp-{name}": data for name, data in WEBPS.items()}


def mutate(data: bytes, draw: Draw) -> bytes:
    """Another picture."""
    return pictures.mutate(data, draw)
