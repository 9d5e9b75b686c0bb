"""Where the pixels of an uncompressed image lie among the bytes of a file, or of a part of it."""

from typing import NamedTuple

from ..errors import CorruptError
from ..format import varint

_COLOUR, _ALPHA, _WIDE, _LITTLE, _SWAPPED = (1 << bit for bit in range(5))
MAX_PADDING = 3  # bytes: rows of some formats begin at multiples of 4
_BAND = 64  # rows: where a large image is cut, what lies in tiles stays whole


class Raster(NamedTuple):
    """Rows of pixels, each as long as the next.

    start    offset of the first row
    height   rows, at least 1
    width    pixels of a row, at least 1
    samples  of a pixel: 1 grey, 2 grey with alpha, 3 colour, 4 colour with alpha
    padding  bytes behind the pixels of each row
    wide     whether samples have 16 bits, not 8
    little   whether the low byte of 16 bits comes first
    swapped  whether colours are B, G, R, not R, G, B
    """

    start: int
    height: int
    width: int
    samples: int
    padding: int = 0
    wide: bool = False
    little: bool = False
    swapped: bool = False

    @property
    def channels(self) -> int:
        """Samples of a pixel that are not alpha: 1 or 3."""
        return 3 if self.samples >= 3 else 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.height, self.width, self.channels

    @property
    def used(self) -> int:
        """Bytes of the pixels of a row."""
        return self.width * self.samples * (2 if self.wide else 1)

    @property
    def stride(self) -> int:
        """Bytes from row to row."""
        return self.used + self.padding

    @property
    def end(self) -> int:
        """Offset behind the last row."""
        return self.start + self.height * self.stride

    def part(self, start: int, length: int) -> "Raster | None":
        """The whole rows among the `length` bytes from offset `start`, seen from there; None if there are none."""
        first = max(0, -((self.start - start) // self.stride))
        last = min(self.height, (start + length - self.start) // self.stride)
        if last <= first:
            return None
        return self._replace(start=self.start + first * self.stride - start, height=last - first)

    def cut(self, frame_size: int) -> tuple[int, int]:
        """Bytes of the first frame and of each other, at most `frame_size`, so that rows stay whole if they can."""
        if self.end <= frame_size or self.start + self.stride > frame_size:
            return frame_size, frame_size
        return self.start + self._band(frame_size - self.start), self._band(frame_size)

    def _band(self, size: int) -> int:
        """Bytes of as many rows as `size` bytes hold, where possible a multiple of 64."""
        rows = size // self.stride
        return (rows // _BAND * _BAND or rows) * self.stride

    def to_bytes(self) -> bytes:
        """The descriptor of a part, as it stands in a side stream."""
        flags = (
            _COLOUR * (self.samples >= 3)
            | _ALPHA * (self.samples % 2 == 0)
            | _WIDE * self.wide
            | _LITTLE * self.little
            | _SWAPPED * self.swapped
        )
        numbers = self.width, self.height, self.padding, self.start
        return bytes([flags]) + b"".join(map(varint.encode, numbers))

    @classmethod
    def from_bytes(cls, data: bytes) -> "tuple[Raster, int]":
        """The part that `data` starts with the descriptor of, and how long that is. Raises CorruptError."""
        if not data or data[0] >= 2 * _SWAPPED:
            raise CorruptError("an image frame has no descriptor, or reserved bits of it are not zero")
        flags, at, numbers = data[0], 1, []
        for _ in range(4):
            number, at = varint.decode(data, at)
            numbers.append(number)
        width, height, padding, start = numbers
        wide, little, swapped = (bool(flags & flag) for flag in (_WIDE, _LITTLE, _SWAPPED))
        if (
            not (width and height)
            or padding > MAX_PADDING
            or (little and not wide)
            or (swapped and not flags & _COLOUR)
        ):
            raise CorruptError("the descriptor of an image frame is of no image")
        samples = (3 if flags & _COLOUR else 1) + (1 if flags & _ALPHA else 0)
        return cls(start, height, width, samples, padding, wide, little, swapped), at
