"""PNG and WebP files taken apart, changed, and put together with right sizes, CRCs and sums."""

from __future__ import annotations

import struct
import zlib

from .draw import Draw

PNG = b"\x89PNG\r\n\x1a\n"
Chunks = list[tuple[bytes, bytes]]

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_KINDS = (
    b"IHDR",
    b"PLTE",
    b"IDAT",
    b"IEND",
    b"tRNS",
    b"acTL",
    b"fdAT",
    b"fcTL",
    b"caBX",
    b"iDOT",
    b"dSIG",
    b"tEXt",
)
_RIFF_KINDS = (b"VP8L", b"VP8 ", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP ", b"what")
_PLAIN = 1 << 20  # bytes of rows that are made


def mutate(data: bytes, draw: Draw) -> bytes:
    """Another picture like this one; anything else changed at random."""
    if draw.chance(0.08):
        return draw.changed(data)
    if data.startswith(PNG):
        return _mutate_png(data, draw)
    if data.startswith(b"RIFF"):
        return _mutate_riff(data, draw)
    return draw.changed(data)


def _mutate_png(data: bytes, draw: Draw) -> bytes:
    chunks, rest = _chunks(data)
    for _ in range(draw.choice((1, 1, 2, 3))):
        way = draw.random()
        if way < 0.35:
            chunks = _repacked(chunks, draw)
        elif way < 0.5:
            chunks = _cut_anew(chunks, draw)
        elif way < 0.65:
            chunks = _other_header(chunks, draw)
        elif way < 0.9:
            _change_chunks(chunks, draw, _KINDS)
        else:
            rest = draw.choice((b"", rest, b"PK\3\4" + rest, draw.changed(rest), draw.randbytes(40)))
    parts = []
    for kind, body in chunks:
        crc = zlib.crc32(kind + body) if draw.chance(0.995) else draw.getrandbits(32)
        size = len(body) if draw.chance(0.995) else draw.number(len(body)) & 0xFFFFFFFF
        parts.append(struct.pack(">I", size) + kind + body + struct.pack(">I", crc))
    return PNG + b"".join(parts) + rest


def _chunks(data: bytes) -> tuple[Chunks, bytes]:
    """The chunks up to IEND, as far as they can be read, and the bytes behind."""
    found: Chunks = []
    at = len(PNG)
    while at + 12 <= len(data) and (not found or found[-1][0] != b"IEND"):
        size = int.from_bytes(data[at : at + 4])
        if at + 12 + size > len(data):
            break
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    return found, data[at:]


def _stream(chunks: Chunks) -> bytes:
    return b"".join(body for kind, body in chunks if kind == b"IDAT")


def _with_stream(chunks: Chunks, pieces: list[bytes]) -> Chunks:
    """With these pieces in place of the IDAT chunks, or before the last chunk where there are none."""
    at = next((i for i, (kind, _) in enumerate(chunks) if kind == b"IDAT"), max(0, len(chunks) - 1))
    others = [chunk for chunk in chunks[at:] if chunk[0] != b"IDAT"]
    return [*chunks[:at], *((b"IDAT", piece) for piece in pieces), *others]


def _repacked(chunks: Chunks, draw: Draw) -> Chunks:
    """Its rows, changed or not, deflated with other settings."""
    try:
        plain = zlib.decompressobj().decompress(_stream(chunks), _PLAIN)
    except zlib.error:
        plain = draw.randbytes(50)
    if draw.chance(0.5):
        plain = draw.changed(plain, _PLAIN)
    window, memory = draw.choice((9, 12, 15, 15)), draw.choice((1, 8, 8, 9))
    packer = zlib.compressobj(draw.randrange(10), zlib.DEFLATED, window, memory, draw.randrange(5))
    middle = draw.randrange(len(plain) + 1)
    flush = draw.choice(
        (zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH, zlib.Z_NO_FLUSH, zlib.Z_NO_FLUSH)
    )
    stream = (
        packer.compress(plain[:middle])
        + packer.flush(flush)
        + packer.compress(plain[middle:])
        + packer.flush()
    )
    if draw.chance(0.1):
        stream = draw.changed(stream)
    return _with_stream(chunks, [stream])


def _cut_anew(chunks: Chunks, draw: Draw) -> Chunks:
    """The same stream in other IDAT chunks."""
    stream = _stream(chunks)
    size = draw.choice((1, 7, 100, 4096, 8192, 32768))
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)][:2000]
    pieces.append(stream[2000 * size :])
    for _ in range(draw.choice((0, 0, 1, 5, 300))):
        pieces.insert(draw.randrange(len(pieces) + 1), b"")
    return _with_stream(chunks, pieces)


def _other_header(chunks: Chunks, draw: Draw) -> Chunks:
    """Another size, depth, colour or interlacing; mostly with as many rows as that takes."""
    if not chunks or len(chunks[0][1]) != 13:
        return chunks
    width, height, bits, colour, method, filters, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    way = draw.randrange(5)
    if way == 0:
        width = draw.number(width) & 0xFFFFFFFF
    elif way == 1:
        height = draw.number(height) & 0xFFFFFFFF
    elif way == 2:
        bits, colour = draw.choice((1, 2, 4, 8, 16)), draw.choice((0, 2, 3, 4, 6, 5))
    elif way == 3:
        interlaced = draw.choice((0, 1, 2))
    else:
        method, filters = draw.choice(((0, 0), (1, 0), (0, 1)))
    header = struct.pack(">IIBBBBB", width, height, bits, colour, method, filters, interlaced)
    chunks = [(chunks[0][0], header), *chunks[1:]]
    row = -(-width * bits * _CHANNELS.get(colour, 1) // 8)
    if height * (row + 1) > _PLAIN or draw.chance(0.2):
        return chunks
    rows = (bytes([draw.randrange(5)]) + bytes([draw.randrange(256)]) * row for _ in range(height))
    return _with_stream(chunks, [zlib.compress(b"".join(rows), draw.randrange(10))])


def _change_chunks(chunks: Chunks, draw: Draw, kinds: tuple[bytes, ...]) -> None:
    """Put in, take out, repeat, move, rename or change one chunk."""
    if not chunks:
        return
    at, way = draw.randrange(len(chunks)), draw.randrange(6)
    kind, body = chunks[at]
    if way == 0:
        chunks.insert(
            draw.randrange(len(chunks) + 1), (draw.choice(kinds), draw.randbytes(draw.choice((0, 4, 9))))
        )
    elif way == 1:
        del chunks[at]
    elif way == 2:
        chunks.insert(at, chunks[at])
    elif way == 3:
        chunks.insert(draw.randrange(len(chunks)), chunks.pop(at))
    elif way == 4:
        chunks[at] = (draw.choice(kinds), body)
    else:
        chunks[at] = (kind, draw.changed(body))


def _mutate_riff(data: bytes, draw: Draw) -> bytes:
    chunks: Chunks = []
    at = 12
    while at + 8 <= len(data) and len(chunks) < 64:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    for _ in range(draw.choice((1, 1, 2, 3))):
        _change_chunks(chunks, draw, _RIFF_KINDS)
    parts = []
    for kind, body in chunks:
        size = len(body) if draw.chance(0.98) else draw.number(len(body)) & 0xFFFFFFFF
        padding = draw.choice((b"\0", b"\0", b"\1")) * (len(body) % 2)
        parts.append(kind + struct.pack("<I", size) + body + padding)
    body = b"WEBP" + b"".join(parts)
    size = len(body) if draw.chance(0.97) else draw.number(len(body)) & 0xFFFFFFFF
    return b"RIFF" + struct.pack("<I", size) + body + draw.choice((b"",) * 9 + (b"\0", b"behind"))
