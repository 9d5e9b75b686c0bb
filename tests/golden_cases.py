"""The golden corpora: files every later release must decode, and files it must reject for their one fault."""

import random
from collections.abc import Callable

from helpers import TEXT, compress

from catzip.compressor.errors import (
    CatzipError,
    CorruptError,
    NewerVersionError,
    NotCatzipError,
    TruncatedError,
)
from catzip.compressor.format.container import HEADER

PROSE = TEXT.encode()
NOISE = random.Random(5).randbytes(300)
SMOOTH = b"A" + PROSE.lower().replace(b",", b"").replace(b".", b"").replace(b" ", b"")[1:] + b"!"
LINES = b"one line, and again\n" * 20

ARRAY = (
    b"\x93NUMPY\1\0\x76\0{'descr': '|u1', 'fortran_order': False, 'shape': (72, 4, 3), }".ljust(127)
    + b"\n"
    + bytes(random.Random(5).choices(PROSE, k=864))
)

GOOD: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "empty": (b"", compress),
    "one-byte": (b"x", compress),
    "stored": (NOISE[:64], compress),
    "xz": (LINES, compress),
    "coded-bytes": (PROSE, lambda data: compress(data, model="table-bytes")),
    "coded-text27": (SMOOTH, lambda data: compress(data, model="table-text27")),
    "coded-array": (ARRAY, lambda data: compress(data, model="table-array", frame_size=600)),
    "frames": (
        PROSE[:300] + NOISE * 2 + LINES,
        lambda data: compress(data, frame_size=300, model="table-bytes"),
    ),
    "concatenated": (
        PROSE[:90] + LINES + NOISE,
        lambda _: b"".join(map(compress, (PROSE[:90], LINES, b"", NOISE))),
    ),
}
"""Name -> content, and how the file is made. The neural model in them is the table model of helpers.py."""


def _changed(blob: bytes, at: int, value: int) -> bytes:
    return blob[:at] + bytes([value]) + blob[at:][1:]


def bad_files(good: dict[str, bytes]) -> dict[str, bytes]:
    """Name of the fault -> a file, made from the good ones."""
    stored, xz, coded, frames = good["stored"], good["xz"], good["coded-bytes"], good["frames"]
    array = good["coded-array"]
    return {
        "not-catzip": b"PK\x03\x04" + bytes(30),
        "line-ends-converted": stored.replace(b"\r\n", b"\n", 1),
        "header-cut": stored[:4],
        "version-2": _changed(stored, 5, 2),
        "unknown-kind": _changed(stored, 6, 9),
        "unknown-medium": _changed(coded, 6, 0xF3),
        "reserved-bits": _changed(stored, 6, 0x81),
        "frame-too-long": HEADER + b"\x02\xff\xff\xff\xff\x7f\x05",
        "number-not-shortest": HEADER + b"\x02\x80\x00\x05",
        "stored-content-flipped": _changed(stored, 20, stored[20] ^ 1),
        "xz-payload-flipped": _changed(xz, 20, xz[20] ^ 4),
        "coded-payload-flipped": _changed(coded, 40, coded[40] ^ 16),
        "array-header-flipped": _changed(array, 40, array[40] ^ 16),
        "check-flipped": _changed(xz, len(xz) - 10, xz[-10] ^ 1),
        "index-flipped": _changed(frames, len(frames) - 10, frames[-10] ^ 1),
        "length-flipped": _changed(frames, len(frames) - 1, frames[-1] ^ 1),
        "payload-cut": coded[: len(coded) // 2],
        "trailer-cut": frames[:-1],
        "trailing-bytes": stored + b"\0\1",
        "trailing-header": stored + HEADER,
    }


FAULTS: dict[str, type[CatzipError]] = {
    "not-catzip": NotCatzipError,
    "line-ends-converted": NotCatzipError,
    "header-cut": TruncatedError,
    "version-2": NewerVersionError,
    "unknown-kind": NewerVersionError,
    "unknown-medium": NewerVersionError,
    "payload-cut": TruncatedError,
    "trailer-cut": TruncatedError,
    "trailing-header": TruncatedError,
}
"""The error of each bad file; CorruptError where it is not here."""


def error_of(name: str) -> type[CatzipError]:
    return FAULTS.get(name, CorruptError)
