"""Where the pixels are in a TIFF file whose first image is uncompressed, chunky, and in one piece.

TIFF, revision 6.0 (Adobe, 1992). The directory, which can be anywhere in the file, maps tags to values; the rows are
in strips, which most writers put one after the other.
"""

import struct

from .look import Look
from .raster import Raster

OPENINGS = (b"II*\0", b"MM\0*")
"""How files begin, by the order of bytes in numbers."""

_WIDTH, _HEIGHT, _BITS, _PACKING, _COLOURS, _FILL = 256, 257, 258, 259, 262, 266
_OFFSETS, _SAMPLES, _STRIP_ROWS, _ARRANGEMENT, _FORMAT = 273, 277, 278, 284, 339
_USUAL = {
    _BITS: 1,
    _PACKING: 1,
    _FILL: 1,
    _SAMPLES: 1,
    _STRIP_ROWS: (1 << 32) - 1,
    _ARRANGEMENT: 1,
    _FORMAT: 1,
}
_TYPES = {1: "B", 3: "H", 4: "I"}  # the types of values that are looked at
_ENTRY = 12  # bytes
_MOST = 1 << 20  # strips
_CHANNELS = {0: 1, 1: 1, 2: 3}  # white is 0, black is 0, RGB


def find(look: Look) -> Raster | None:
    """The first image in a file; None if there is none that would do."""
    opening = look(0, 8)
    if opening[:4] not in OPENINGS or len(opening) < 8:
        return None
    order = "<" if opening[:2] == b"II" else ">"
    return _raster(_Tags(look, order, struct.unpack(f"{order}I", opening[4:])[0]))


class _Tags:
    """The directory at this offset. Values are read when asked for."""

    def __init__(self, look: Look, order: str, offset: int) -> None:
        self._look, self._order = look, order
        count = look(offset, 2)
        entries = look(offset + 2, _ENTRY * self._numbers("H", count)[0]) if len(count) == 2 else b""
        self._entries: dict[int, tuple[int, int, bytes]] = {}
        for at in range(0, len(entries) - _ENTRY + 1, _ENTRY):
            tag, kind, many = struct.unpack_from(f"{order}HHI", entries, at)
            self._entries.setdefault(tag, (kind, many, entries[at + 8 : at + _ENTRY]))

    def all(self, tag: int) -> tuple[int, ...]:
        """The values of a tag, or what stands for them; none if there are none, or not of whole numbers."""
        if tag not in self._entries:
            return (_USUAL[tag],) if tag in _USUAL else ()
        kind, many, field = self._entries[tag]
        if kind not in _TYPES or not 1 <= many <= _MOST:
            return ()
        size = many * struct.calcsize(f"={_TYPES[kind]}")
        data = field[:size] if size <= len(field) else self._look(self._numbers("I", field)[0], size)
        return self._numbers(_TYPES[kind], data) if len(data) == size else ()

    def one(self, tag: int) -> int:
        """The value of a tag, which may be there several times; -1 if there is none, or several."""
        values = set(self.all(tag))
        return values.pop() if len(values) == 1 else -1

    def _numbers(self, kind: str, data: bytes) -> tuple[int, ...]:
        return struct.unpack(f"{self._order}{len(data) // struct.calcsize(f'={kind}')}{kind}", data)

    @property
    def is_little(self) -> bool:
        """Whether the low byte of a number comes first."""
        return self._order == "<"


def _raster(tags: _Tags) -> Raster | None:
    """The image that the directory tells of, if its rows are one after the other."""
    width, height, samples, bits = map(tags.one, (_WIDTH, _HEIGHT, _SAMPLES, _BITS))
    channels = _CHANNELS.get(tags.one(_COLOURS))
    plain = all(tags.one(tag) == 1 for tag in (_PACKING, _FILL, _ARRANGEMENT, _FORMAT))
    strips, rows = tags.all(_OFFSETS), tags.one(_STRIP_ROWS)
    if not plain or width < 1 or height < 1 or rows < 1 or bits not in (8, 16) or not strips:
        return None
    if channels is None or samples - channels not in (0, 1) or len(strips) != -(-height // rows):
        return None
    wide = bits == 16
    raster = Raster(strips[0], height, width, samples, wide=wide, little=wide and tags.is_little)
    step = rows * raster.stride
    return raster if all(at == strips[0] + i * step for i, at in enumerate(strips)) else None
