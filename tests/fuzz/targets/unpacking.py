"""PNG and WebP files: what can be unpacked comes back when it is packed again."""

from __future__ import annotations

from png_files import BAD, GOOD
from test_packing_webp import GOOD as WEBPS

from catzip.compressor.packing import recipe
from catzip.compressor.packing.asbytes import AsBytes
from catzip.compressor.pipeline import is_same_picture

from .. import pictures
from ..draw import Draw
from ..oracle import expect

LARGEST = 1 << 16


def check(data: bytes) -> None:
    """Raise where a picture that is said to be unpacked does not come back."""
    for byte_exact in (True, False):
        try:
            content, how = recipe.unpack(data, byte_exact)
        except AsBytes:
            continue
        expect(len(content) <= recipe.MAX_CONTENT, "a picture is unpacked to more than it may be")
        packed = recipe.pack(content, how)
        if byte_exact:
            expect(packed == data, "a picture does not come back byte for byte")
        else:
            expect(is_same_picture(data, packed), "a picture comes back with other pixels or chunks")
            again, _ = recipe.unpack(packed, False)
            expect(
                len(again) == len(content), "a picture that was packed anew is another when it is unpacked"
            )


def seeds() -> dict[str, bytes]:
    """Pictures of every kind that can be unpacked, and of every kind that cannot."""
    good = {f"png-{name}": data for name, (data, _) in GOOD.items()}
    bad = {f"png-bad-{name}": data for name, data in BAD.items()}
    return good | bad | {f"webp-{name}": data for name, data in WEBPS.items()}


def mutate(data: bytes, draw: Draw) -> bytes:
    """Another picture."""
    return pictures.mutate(data, draw)
