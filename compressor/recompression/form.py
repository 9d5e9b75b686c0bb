"""The unpacked form of a picture: what stands for a PNG or a lossless WebP while it is coded.

    magic (8) | varint size of front | front | rows | back

      png   front  the file up to its first IDAT chunk, verbatim: signature, IHDR and what follows
            back   the file from the end of its last IDAT chunk, verbatim
      webp  front  the 5 bytes that begin the VP8L stream (14 bits of width and of height, less 1, and whether there
                   is alpha), then the file up to its VP8L chunk, verbatim
            back   the file from the end of its VP8L chunk, verbatim

The rows are the picture's, top to bottom, filters and interlacing undone, ceil(width * channels * bits / 8) bytes
each: samples of 8 bits, of 16 bits with the high byte first, or smaller ones packed from the top bit, as in a PNG.
In a PNG, channels are G, GA, RGB, RGBA or an index; in a WebP, RGB or RGBA.
"""

from dataclasses import dataclass

from ..errors import CorruptError
from ..format import varint
from .kinds import MAGICS

OPENING = 64
"""Bytes that hold all that `Facts.read` looks at."""

MAX_ROWS = 1 << 28
"""Bytes of rows that a picture can have: 256 MiB."""

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel, by PNG colour type: grey, RGB, index, grey with alpha, RGBA."""

_MAGIC_SIZE = 8
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_IHDR_START = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"
_IHDR_SIZE = 33  # with the signature before it and its CRC
_VP8L_SIZE = 5


@dataclass(frozen=True)
class Shape:
    """What a picture is like.

    width, height  in pixels, at least 1
    bits           of a sample: 1, 2, 4, 8 or 16
    colour         as in a PNG: 0 grey, 2 RGB, 3 index, 4 grey with alpha, 6 RGBA
    interlaced     whether the PNG was (rows never are)
    """

    width: int
    height: int
    bits: int
    colour: int
    interlaced: bool = False

    @property
    def channels(self) -> int:
        """Samples of a pixel: 1 .. 4."""
        return CHANNELS[self.colour]

    @property
    def row_size(self) -> int:
        """Bytes of a row."""
        return row_size(self.width, self.channels * self.bits)

    @property
    def size(self) -> int:
        """Bytes of all rows."""
        return self.height * self.row_size

    @classmethod
    def of_png(cls, opening: bytes) -> "Shape | None":
        """The shape of a PNG file that begins with `opening`; None without a valid signature and IHDR.

        The CRC is not looked at.
        """
        if len(opening) < _IHDR_SIZE or not opening.startswith(_IHDR_START):
            return None
        width, height = int.from_bytes(opening[16:20]), int.from_bytes(opening[20:24])
        bits, colour, method, filters, interlace = opening[24:29]
        if not 1 <= width < 1 << 31 or not 1 <= height < 1 << 31 or bits not in _DEPTHS.get(colour, ()):
            return None
        if method or filters or interlace > 1:
            return None
        return cls(width, height, bits, colour, bool(interlace))

    @classmethod
    def of_webp(cls, header: bytes) -> "Shape | None":
        """The shape of a VP8L stream that begins with these 5 bytes; None if none does."""
        if len(header) < _VP8L_SIZE or header[0] != 0x2F:
            return None
        word = int.from_bytes(header[1:_VP8L_SIZE], "little")
        if word >> 29:  # versions after 0
            return None
        return cls(1 + (word & 0x3FFF), 1 + (word >> 14 & 0x3FFF), 8, 6 if word >> 28 & 1 else 2)


def row_size(width: int, bits: int) -> int:
    """Bytes of a row of `width` pixels of so many bits."""
    return (width * bits + 7) // 8


@dataclass(frozen=True)
class Facts:
    """Where things are in an unpacked picture.

    kind   "png" or "webp"
    shape  of the picture
    front  offset of the front
    start  offset of the first row
    """

    kind: str
    shape: Shape
    front: int
    start: int

    @property
    def end(self) -> int:
        """Offset behind the last row, where the back begins."""
        return self.start + self.shape.size

    @classmethod
    def read(cls, opening: bytes) -> "Facts | None":
        """The facts that content states in `opening`, at least `OPENING` bytes or all; None if it is no such content.

        Whether the content goes on to `end` is not known yet.
        """
        kind = MAGICS.get(opening[:_MAGIC_SIZE])
        if kind is None:
            return None
        try:
            size, front = varint.decode(opening, _MAGIC_SIZE)
        except CorruptError:
            return None
        head = opening[front : front + min(size, _IHDR_SIZE)]
        shape = Shape.of_png(head) if kind == "png" else Shape.of_webp(head)
        if shape is None or shape.size > MAX_ROWS:
            return None
        return cls(kind, shape, front, front + size)


@dataclass(frozen=True)
class Unpacked:
    """An unpacked picture in its parts; `rows` are `shape.size` bytes."""

    kind: str
    shape: Shape
    front: bytes
    rows: bytes
    back: bytes

    def to_bytes(self) -> bytes:
        """The form."""
        magic = next(magic for magic, kind in MAGICS.items() if kind == self.kind)
        return b"".join((magic, varint.encode(len(self.front)), self.front, self.rows, self.back))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Unpacked":
        """From the form. Raises CorruptError."""
        facts = Facts.read(data[:OPENING])
        if facts is None:
            raise CorruptError("the content of a packed picture is no picture")
        if facts.end > len(data):
            raise CorruptError("a packed picture lacks some of its rows")
        front, rows = data[facts.front : facts.start], data[facts.start : facts.end]
        return cls(facts.kind, facts.shape, front, rows, data[facts.end :])
