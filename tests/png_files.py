"""PNG files by hand: chunks, filters and passes written once more, byte by byte, as their specification has them."""

import itertools
import random
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def ihdr(width, height, bits, colour, interlaced=False, method=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, method, 0, interlaced))


def row_bytes(width, bits, colour):
    return -(-width * bits * CHANNELS[colour] // 8)


def smooth_rows(width, height, bits, colour, seed=1):
    """Rows of a picture that is neither flat nor noise."""
    draw = random.Random(seed)
    size = row_bytes(width, bits, colour)
    return [bytes((3 * x + 5 * y + draw.randrange(9)) % 256 for x in range(size)) for y in range(height)]


def paeth(a, b, c):
    p = a + b - c
    return min((a, b, c), key=lambda each: abs(p - each))


def filter_row(kind, row, above, pixel):
    """One row behind its filter, each byte by the formula of the specification."""
    out = bytearray([kind])
    for i, x in enumerate(row):
        a = row[i - pixel] if i >= pixel else 0
        b = above[i] if above else 0
        c = above[i - pixel] if above and i >= pixel else 0
        out.append((x - (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]) % 256)
    return bytes(out)


def filtered(rows, pixel, kinds):
    """Rows behind their filters, which `kinds` gives in turn."""
    above = [b"", *rows[:-1]]
    return b"".join(filter_row(next(kinds), row, up, pixel) for row, up in zip(rows, above, strict=True))


def interlaced_passes(rows, pixel):
    """The rows of each pass of Adam7, pixels of whole bytes."""
    width = len(rows[0]) // pixel
    for left, top, across, down in ADAM7:
        columns = range(left, width, across)
        passed = [b"".join(row[x * pixel : (x + 1) * pixel] for x in columns) for row in rows[top::down]]
        if passed and passed[0]:
            yield passed


def png(
    width,
    height,
    bits=8,
    colour=2,
    *,
    rows=None,
    interlaced=False,
    kinds=None,
    before=b"",
    after=b"",
    cuts=(),
    level=6,
    tail=b"",
    seed=1,
):
    """A PNG file, and its rows as one string.

    kinds    the filter of every row; random if None
    before, after  chunks in front of and behind the pixels
    cuts     where the stream is cut into IDAT chunks
    tail     bytes behind IEND
    """
    rows = smooth_rows(width, height, bits, colour, seed) if rows is None else rows
    pixel = max(1, bits * CHANNELS[colour] // 8)
    draw = random.Random(seed)
    turn = iter(kinds) if kinds is not None else iter(lambda: draw.randrange(5), None)
    parts = interlaced_passes(rows, pixel) if interlaced else [rows]
    stream = zlib.compress(b"".join(filtered(part, pixel, turn) for part in parts), level)
    edges = [0, *cuts, len(stream)]
    idats = b"".join(chunk(b"IDAT", stream[a:b]) for a, b in itertools.pairwise(edges))
    head = SIGNATURE + ihdr(width, height, bits, colour, interlaced)
    return head + before + idats + after + chunk(b"IEND") + tail, b"".join(rows)


PALETTE = chunk(b"PLTE", bytes(range(48))) + chunk(b"tRNS", bytes(range(0, 160, 10)))
TEXTS = chunk(b"gAMA", b"\0\0\xb1\x8f") + chunk(b"tEXt", b"Title\0A cat") + chunk(b"pHYs", bytes(8) + b"\1")
LATE = chunk(b"tEXt", b"Comment\0behind the pixels") + chunk(b"tIME", bytes(7)) + chunk(b"prVt", b"anything")


def _palette(width, height, bits, **options):
    return png(width, height, bits, 3, before=PALETTE, kinds=[0] * 99, **options)


GOOD = {
    "one-pixel": png(1, 1),
    "one-pixel-of-1-bit": png(1, 1, 1, 0),
    "one-column": png(1, 50),
    "one-row": png(50, 1, 8, 0),
    "31x33": png(31, 33),
    "grey": png(31, 33, 8, 0),
    "grey-1-bit": png(31, 33, 1, 0),
    "grey-2-bits": png(31, 33, 2, 0),
    "grey-4-bits": png(31, 33, 4, 0),
    "grey-16-bits": png(31, 33, 16, 0),
    "grey-alpha": png(31, 33, 8, 4),
    "grey-alpha-16-bits": png(31, 33, 16, 4),
    "rgb-16-bits": png(31, 33, 16, 2),
    "rgba": png(31, 33, 8, 6),
    "rgba-16-bits": png(31, 33, 16, 6),
    "palette": _palette(31, 33, 8),
    "palette-4-bits": _palette(31, 33, 4),
    "palette-1-bit": _palette(31, 33, 1),
    "interlaced": png(31, 33, interlaced=True),
    "interlaced-rgba-16-bits": png(9, 5, 16, 6, interlaced=True),
    "interlaced-one-pixel": png(1, 1, interlaced=True),
    "interlaced-3x2": png(3, 2, 8, 0, interlaced=True),
    "interlaced-palette": png(31, 33, 8, 3, interlaced=True, before=PALETTE),
    "no-filters": png(31, 33, kinds=[0] * 33),
    "simple-filters": png(31, 33, kinds=[1, 2, 0] * 11),
    "paeth": png(31, 33, kinds=[4] * 33),
    "average": png(31, 33, kinds=[3] * 33),
    "several-idats": png(31, 33, cuts=(1, 2, 500, 1000)),
    "empty-idats": png(31, 33, cuts=(0, 0, 700, 700)),
    "chunks-before": png(31, 33, before=TEXTS),
    "chunks-behind": png(31, 33, after=LATE),
    "chunks-around": png(31, 33, before=TEXTS, after=LATE, tail=b"and more behind the end"),
    "level-1": png(31, 33, level=1),
    "level-9": png(31, 33, level=9),
}
"""Name -> a PNG file that can be unpacked, and its rows."""

BASE, _ = png(31, 33, before=TEXTS)
_STREAM = zlib.compress(bytes(33 * 94))
_HEAD = SIGNATURE + ihdr(31, 33, 8, 2)
_END = chunk(b"IEND")


def _with_stream(stream: bytes, head: bytes = _HEAD) -> bytes:
    return head + chunk(b"IDAT", stream) + _END


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


BAD = {
    "signature-alone": SIGNATURE,
    "cut-in-ihdr": BASE[:20],
    "cut-in-idat": BASE[: len(BASE) // 2],
    "cut-in-iend": BASE[:-3],
    "no-iend": BASE[:-12],
    "no-idat": _HEAD + _END,
    "crc-of-ihdr": _flipped(BASE, 30),
    "crc-of-idat": _flipped(BASE, len(BASE) - 14),
    "idat-flipped": _flipped(BASE, len(BASE) // 2),
    "empty-idat-alone": _with_stream(b""),
    "not-zlib": _with_stream(b"anything at all"),
    "adler": _with_stream(_flipped(_STREAM, len(_STREAM) - 1)),
    "stream-cut": _with_stream(_STREAM[:-5]),
    "stream-without-adler": _with_stream(_STREAM[:-4]),
    "bytes-behind-the-stream": _with_stream(_STREAM + b"\0"),
    "a-row-too-few": _with_stream(zlib.compress(bytes(32 * 94))),
    "a-byte-too-many": _with_stream(zlib.compress(bytes(33 * 94 + 1))),
    "unknown-filter": _with_stream(zlib.compress(b"\5" + bytes(33 * 94 - 1))),
    "idats-apart": _HEAD + chunk(b"IDAT", _STREAM[:9]) + TEXTS + chunk(b"IDAT", _STREAM[9:]) + _END,
    "no-such-colour": _with_stream(_STREAM, SIGNATURE + ihdr(31, 33, 8, 5)),
    "no-such-depth": _with_stream(_STREAM, SIGNATURE + ihdr(31, 33, 4, 2)),
    "no-such-method": _with_stream(_STREAM, SIGNATURE + ihdr(31, 33, 8, 2, method=1)),
    "zero-wide": _with_stream(zlib.compress(bytes(33)), SIGNATURE + ihdr(0, 33, 8, 2)),
    "ihdr-not-first": SIGNATURE + chunk(b"CgBI", bytes(4)) + BASE[8:],
    "animated": _HEAD + chunk(b"acTL", bytes(8)) + chunk(b"IDAT", _STREAM) + _END,
    "interlaced-1-bit": _with_stream(_STREAM, SIGNATURE + ihdr(31, 33, 1, 0, True)),
    "bomb": _with_stream(zlib.compress(bytes(100)), SIGNATURE + ihdr(50_000, 50_000, 8, 2)),
    "bomb-within-the-limit": _with_stream(zlib.compress(bytes(100)), SIGNATURE + ihdr(9_000, 9_000, 8, 2)),
    "bomb-of-rows": _with_stream(zlib.compress(bytes(100)), SIGNATURE + ihdr(1, (1 << 31) - 1, 8, 0)),
}
"""Name of the fault -> a file that begins like a PNG and is coded as bytes."""
